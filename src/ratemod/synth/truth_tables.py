"""The answer key of one block, and the panel of policy years that estimators start from."""

from __future__ import annotations

import numpy as np

from ratemod.synth import frame, levels, services
from ratemod.synth.block import Block
from ratemod.synth.enterprises import Ints
from ratemod.synth.stream import BLOCK
from ratemod.synth.tables import (
    claim_number,
    claim_order,
    code_of,
    event_number,
    policy_cells,
    policy_number,
    renewal_cells,
    seen_claims,
    standing,
)


def enterprises(block: Block) -> frame.Table:
    """Return the hidden effects of each enterprise, both with mean 1."""
    here = slice(0, block.keep)
    return frame.table(
        {
            "credit_code": frame.text(block.firms.code[here]),
            "random_effect": frame.number(block.firms.random_effect[here]),
            "severity_effect": frame.number(block.firms.severity_effect[here]),
            "staff_uninsured_share": frame.number(1 - block.firms.insured_share[here]),
        }
    )


def all_cells(block: Block) -> Ints:
    """Return the cells of policies and renewals, by enterprise and term."""
    both = np.concatenate([policy_cells(block), renewal_cells(block)])
    return both[np.lexsort((both // BLOCK, both % BLOCK))]


def terms(block: Block) -> frame.Table:
    """Return the truth of every policy term, the renewal year included: means, true states, what happened in the end.

    `expected_claims` leaves catastrophes out; `claims` and `loss_fen` count ordinary accidents whenever reported,
    `catastrophe_loss_fen` the others.
    """
    cell, covered, claims = all_cells(block), block.terms, block.claims
    ordinary, size = claims.site_event < 0, covered.active.size
    count = np.bincount(claims.cell[ordinary], minlength=size)
    loss = _sums(claims.cell[ordinary], claims.accidents.loss_fen[ordinary], size)
    worse = _sums(claims.cell[~ordinary], claims.accidents.loss_fen[~ordinary], size)
    rate = block.frequency.ravel()[cell]
    years = covered.head_years.ravel()[cell]
    earlier = block.services_before.ravel()[cell]
    return frame.table(
        {
            "policy_no": frame.text(policy_number(block, cell)),
            "credit_code": code_of(block, cell),
            "year": frame.number(block.window.first_year + cell // BLOCK),
            "insurer": frame.level(covered.insurer.ravel()[cell], levels.INSURERS),
            "division_code": frame.level(block.firms.division[cell % BLOCK], levels.DIVISIONS),
            "sector": frame.level(block.firms.sector[cell % BLOCK], levels.SECTORS),
            "size_class": frame.level(block.firms.size.ravel()[cell], levels.SIZES),
            "standardisation": frame.level(block.certificate.ravel()[cell], levels.STANDARDISATION),
            "integrity_grade": frame.level(block.integrity.ravel()[cell], levels.INTEGRITY),
            "blacklisted": frame.level(block.blacklisted.ravel()[cell], levels.YES_NO),
            "hazard_state": frame.level(block.hazard.ravel()[cell], levels.HAZARD_STATES),
            "services_before": frame.number(earlier),
            "service_factor": frame.number(services.effect(block.truth.frequency, earlier)),
            "random_effect": frame.number(block.firms.random_effect[cell % BLOCK]),
            "head_years": frame.number(years),
            "claims_per_head_year": frame.number(rate),
            "expected_claims": frame.number(rate * years),
            "mean_loss_yuan": frame.number(block.loss_mean_yuan.ravel()[cell]),
            "claims": frame.number(count[cell]),
            "loss_fen": frame.number(loss[cell]),
            "catastrophe_loss_fen": frame.number(worse[cell]),
        }
    )


def _sums(cell: Ints, amount: Ints, size: int) -> Ints:
    """Return exact int64 sums of amounts by cell, (size,)."""
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, cell, amount)
    return total


def claims(block: Block) -> frame.Table:
    """Return what every claim costs in the end, those not yet reported and of the renewal year included."""
    found = block.claims
    here = np.flatnonzero(found.cell % BLOCK < block.keep)
    cell = found.cell[here]
    return frame.table(
        {
            "claim_no": frame.text(claim_number(block, cell, claim_order(block)[here])),
            "event_no": frame.text(event_number(block)[here]),
            "event_date": frame.date(found.event_day[here]),
            "report_date": frame.date(found.report_day[here]),
            "settlement_date": frame.date(found.settle_day[here]),
            "kind": frame.level(found.accidents.kind[here], levels.KINDS),
            "catastrophe": frame.level(found.site_event[here] >= 0, levels.YES_NO),
            "reported": frame.level(found.report_day[here] <= block.window.valuation, levels.YES_NO),
            "loss_fen": frame.number(found.accidents.loss_fen[here]),
        }
    )


def panel(block: Block) -> frame.Table:
    """Return one row per policy of the history with what is known on the valuation day.

    `earned_head_years` and `earned_premium_fen` run to the valuation day; claims and incurred are those reported by
    then. `services_before` counts services delivered in the term before: these act on the row's own claims.
    """
    cell, covered, valuation = policy_cells(block), block.terms, block.window.valuation
    seen, size = seen_claims(block), covered.active.size
    paid, reserve = standing(block)
    at = block.claims.cell[seen]
    start, end = covered.start.ravel()[cell], covered.end.ravel()[cell]
    until = np.minimum(covered.cover_end.ravel()[cell], valuation + 1)
    change = np.clip(covered.change_day.ravel()[cell], start, until)
    years = covered.heads.ravel()[cell] * (change - start) + covered.heads_after.ravel()[cell] * (until - change)
    premium = block.premium_fen.ravel()[cell]
    later = covered.heads_after.ravel()[cell] / covered.heads.ravel()[cell]
    earned = premium * ((change - start) + later * (until - change)) / (end - start)
    return frame.table(
        {
            "policy_no": frame.text(policy_number(block, cell)),
            "credit_code": code_of(block, cell),
            "year": frame.number(block.window.first_year + cell // BLOCK),
            "insurer": frame.level(covered.insurer.ravel()[cell], levels.INSURERS),
            "division_code": frame.level(block.firms.division[cell % BLOCK], levels.DIVISIONS),
            "sector": frame.level(block.firms.sector[cell % BLOCK], levels.SECTORS),
            "size_class": frame.level(block.firms.size.ravel()[cell], levels.SIZES),
            "standardisation": frame.level(block.certificate.ravel()[cell], levels.STANDARDISATION),
            "integrity_grade": frame.level(block.integrity.ravel()[cell], levels.INTEGRITY),
            "blacklisted": frame.level(block.blacklisted.ravel()[cell], levels.YES_NO),
            "hazard_state": frame.level(block.hazard.ravel()[cell], levels.HAZARD_STATES),
            "limit_yuan": frame.number(covered.limit_yuan.ravel()[cell]),
            "services_before": frame.number(block.services_before.ravel()[cell]),
            "earned_head_years": frame.number(years / 365.0),
            "earned_premium_fen": frame.number(np.rint(earned).astype(np.int64)),
            "claims": frame.number(np.bincount(at, minlength=size)[cell]),
            "paid_fen": frame.number(_sums(at, paid[seen], size)[cell]),
            "incurred_fen": frame.number(_sums(at, (paid + reserve)[seen], size)[cell]),
        }
    )
