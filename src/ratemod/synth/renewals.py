"""The renewal book: one row per enterprise to be priced next year, with what is known on the valuation day."""

from __future__ import annotations

from typing import Any

import numpy as np

from ratemod.synth import frame, hazards, levels, registers, tariff
from ratemod.synth.block import Block
from ratemod.synth.calendar import NO_DATE
from ratemod.synth.enterprises import Floats, Ints
from ratemod.synth.stream import BLOCK
from ratemod.synth.tables import insured, names, renewal_cells, seen_claims, standing

WINDOW_YEARS = 3


def renewals(block: Block) -> frame.Table:
    """Return the renewals: identity, exposure, states at inception and claims history known on the valuation day.

    Columns beyond those of a policy: certificate dates and level, integrity grade, list, hazard state, accidents by
    grade and claim-free years over three years, expected and actual losses below and above the split point, services
    of the last term, and the expiring premium with its headcount change
    (null for new business). Losses are null where nothing was insured in the window.
    """
    cell, terms, valuation = renewal_cells(block), block.terms, block.window.valuation
    firm = cell % BLOCK
    start = terms.start[-1]
    level, cycle = registers.certificate_on(block.certificates, start, valuation)
    state, overdue = hazards.state_on(hazards.known(block.hazards, valuation), start)
    issued, expires = (_taken(dates, cycle) for dates in (block.certificates.issued, block.certificates.expires))
    old = block.terms.active[-2] & block.terms.active[-1]
    changed = (terms.change_day[-2] < terms.cover_end[-2]) & (terms.change_day[-2] <= valuation)
    expiring = np.where(old, block.premium_fen[-2] + np.where(changed, block.added_fen[-2], 0), 0)
    counts, amounts = _record(block)
    fresh = amounts["expected_losses_yuan"] == 0
    columns = (
        insured(block, cell)
        | {
            "name": names(block, firm),
            "standardisation": frame.level(level[firm], levels.STANDARDISATION),
            "certificate_issue": frame.date(issued[firm]),
            "certificate_expiry": frame.date(expires[firm]),
            "integrity_grade": frame.level(
                registers.integrity_on(block.integrities, start, valuation)[firm], levels.INTEGRITY
            ),
            "blacklisted": frame.level(
                registers.blacklisted_on(block.integrities, start, valuation)[firm], levels.YES_NO
            ),
            "hazard_state": frame.level(state[firm], levels.HAZARD_STATES),
            "hazard_overdue_days": frame.number(overdue[firm]),
        }
        | {name: frame.number(values[firm]) for name, values in counts.items()}
        | {name: frame.number(values[firm], fresh[firm]) for name, values in amounts.items()}
        | {
            "expiring_premium_yuan": frame.number(expiring[firm] / 100, ~old[firm]),
        }
    )
    return frame.table(columns)


def _taken(dates: Any, cycle: Any) -> Any:
    """Return the date of each enterprise's certificate cycle, (n,), `NO_DATE` where it has none."""
    found = np.take_along_axis(dates, np.maximum(cycle, 0)[None, :].astype(np.int64), axis=0)[0]
    return np.where(cycle >= 0, found, NO_DATE).astype(np.int32)


def _record(block: Block) -> tuple[dict[str, Ints | Floats], dict[str, Floats]]:
    """Return counts and amounts of each enterprise over the window before its renewal, (n,) each.

    Amounts stand apart: without an insured term in the window there are none.
    """
    terms, claims, done = block.terms, block.claims, block.claims.accidents
    first = max(block.window.years - WINDOW_YEARS, 0)
    firm = claims.cell % BLOCK
    since = terms.start[first]
    recent = seen_claims(block) & (claims.event_day >= since[firm]) & (claims.event_day < terms.start[-1][firm])
    # An accident counts by its grade when it killed or seriously injured somebody; the rest are claims only.
    graded = recent & ((done.deaths > 0) | (done.serious_injuries > 0))
    grade = [np.bincount(firm[graded & (claims.grade == g)], minlength=BLOCK) for g in range(4)]
    paid, reserve = standing(block)
    incurred = (paid + reserve) / 100
    primary = np.minimum(incurred, block.truth.market.split_point_yuan)
    window = slice(first, block.window.years)
    known = np.minimum(terms.cover_end, block.window.valuation + 1)
    part = np.clip((known - terms.start) / (terms.end - terms.start), 0.0, 1.0)[window]
    head_years = (terms.heads * terms.active)[window] * part
    expected = (tariff.loss_cost_yuan(block.truth, block.firms, terms)[window] * head_years).sum(axis=0)
    premium = (np.where(terms.active, block.premium_fen, 0)[window] * part).sum(axis=0) / 100
    # Without any claim, bincount forgets that the weights are floats.
    actual, below = (np.bincount(firm[recent], part[recent], BLOCK).astype(np.float64) for part in (incurred, primary))
    share = block.truth.market.tariff_primary_share
    return {
        "general_accidents": grade[0],
        "larger_accidents": grade[1],
        "major_accidents": grade[2] + grade[3],
        "claims_3_years": np.bincount(firm[recent], minlength=BLOCK),
        "deaths_3_years": np.bincount(firm[recent], done.deaths[recent], BLOCK).astype(np.int64),
        "claim_free_years": _claim_free(block),
        "earned_premium_3_years_yuan": np.round(premium, 2),
        "services_last_term": _services(block),
    }, {
        "expected_losses_yuan": np.round(expected, 2),
        "expected_primary_losses_yuan": np.round(expected * share, 2),
        "actual_primary_losses_yuan": np.round(below, 2),
        "actual_excess_losses_yuan": np.round(actual - below, 2),
    }


def _claim_free(block: Block) -> Ints:
    """Return whole years insured since the last claim known, (n,) int64; all insured years where there was none."""
    start, claims = block.terms.start[-1], block.claims
    seen = np.flatnonzero(seen_claims(block))
    firm = claims.cell[seen] % BLOCK
    last = np.full(BLOCK, -1, dtype=np.int64)
    np.maximum.at(last, firm, claims.event_day[seen].astype(np.int64))
    insured = np.maximum(block.window.years - block.firms.joined, 0)
    years = np.where(last >= 0, np.maximum(start - last - 1, 0) // 365, insured)
    return np.minimum(years, insured)


def _services(block: Block) -> Ints:
    """Return the services delivered in the expiring term as known on the valuation day, (n,) int64."""
    done, valuation = block.services, block.window.valuation
    seen = (done.cell // BLOCK == block.window.years - 1) & (done.delivered > NO_DATE) & (done.delivered <= valuation)
    return np.bincount(done.cell[seen] % BLOCK, minlength=BLOCK)
