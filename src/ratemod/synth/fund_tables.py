"""Prevention services and the fund ledger of one block."""

from __future__ import annotations

import numpy as np

from ratemod.synth import frame, levels
from ratemod.synth.block import Block
from ratemod.synth.calendar import NO_DATE
from ratemod.synth.enterprises import Bytes, Ints
from ratemod.synth.stream import BLOCK
from ratemod.synth.tables import code_of, policy_cells, policy_number

ACCOUNTS = ("prevention_expense", "prevention_fund", "bank")
EXPENSE, FUND, BANK = range(3)
ENTRIES = ("accrual", "release", "payment")


def services(block: Block) -> frame.Table:
    """Return the services planned by the valuation day; delivery only where it is known by then."""
    done, valuation = block.services, block.window.valuation
    keep = _kept(block)
    cell = done.cell[keep]
    delivered = np.where(done.delivered <= valuation, done.delivered, NO_DATE)[keep].astype(np.int32)
    missing = delivered == NO_DATE
    return frame.table(
        {
            "service_no": frame.text(_service_number(block)[keep]),
            "policy_no": frame.text(policy_number(block, cell)),
            "credit_code": code_of(block, cell),
            "insurer": frame.level(block.terms.insurer.ravel()[cell], levels.INSURERS),
            "service_type": frame.level(done.kind[keep], levels.SERVICES),
            "provider": frame.level(done.provider[keep], levels.PROVIDERS),
            "planned_date": frame.date(done.planned[keep]),
            "delivered_date": frame.date(delivered),
            "cost_fen": frame.number(done.cost_fen[keep], missing),
            "score": frame.number(done.score[keep], missing),
            "hazards_found": frame.number(done.hazards_found[keep], missing),
        }
    )


def _kept(block: Block) -> Ints:
    """Return the places of services planned by the valuation day for kept enterprises."""
    done = block.services
    return np.flatnonzero((done.cell % BLOCK < block.keep) & (done.planned <= block.window.valuation))


def _service_number(block: Block) -> Bytes:
    """Return service numbers, (m, 13) characters."""
    many = len(block.services.cell)
    head = np.broadcast_to(np.frombuffer(b"SV", np.uint8), (many, 2))
    return np.concatenate(
        [head, frame.digits(np.full(many, block.number), 5), frame.digits(np.arange(many), 6)], axis=1
    )


def fund_fen(block: Block, premium_fen: Ints) -> Ints:
    """Return the prevention fund of premiums, half-up to the fen, same sign as the premium."""
    per_mille = round(block.truth.prevention.fund_share * 1000)
    fund: Ints = np.sign(premium_fen) * ((np.abs(premium_fen) * per_mille + 500) // 1000)
    return fund


def ledger(block: Block) -> frame.Table:
    """Return fund entries: accruals on premiums, releases on refunds, payments for services delivered.

    One row is one double entry: the amount stands on the debit account and on the credit account.
    """
    terms, valuation = block.terms, block.window.valuation
    cell = policy_cells(block)
    change, end = terms.change_day.ravel()[cell], terms.cover_end.ravel()[cell]
    changed = cell[(change < end) & (change <= valuation)]
    ended = cell[(end < terms.end.ravel()[cell]) & (end <= valuation)]
    done = block.services
    served = _kept(block)
    served = served[(done.delivered[served] > NO_DATE) & (done.delivered[served] <= valuation)]
    premium = np.concatenate(
        [block.premium_fen.ravel()[cell], block.added_fen.ravel()[changed], block.refund_fen.ravel()[ended]]
    )
    signed = np.concatenate([fund_fen(block, premium), done.cost_fen[served]])
    payment = np.arange(len(signed)) >= len(premium)
    kind = np.where(payment, 2, np.where(signed < 0, 1, 0))
    whose = np.concatenate([cell, changed, ended, done.cell[served]])
    day = np.concatenate(
        [
            terms.start.ravel()[cell],
            terms.change_day.ravel()[changed],
            terms.cover_end.ravel()[ended],
            done.delivered[served],
        ]
    )
    place = np.concatenate([np.full(len(premium), -1), served])
    order = np.lexsort((kind, day, whose % BLOCK))
    order = order[signed[order] != 0]
    whose, day, kind, place = whose[order], day[order], kind[order], place[order]
    number = np.where(place[:, None] >= 0, _service_number(block)[place], 0)
    debit = np.array([EXPENSE, FUND, FUND])[kind]
    credit = np.array([FUND, EXPENSE, BANK])[kind]
    entry = (frame.digits(np.full(len(whose), block.number), 5), frame.digits(np.arange(len(whose)), 7))
    return frame.table(
        {
            "entry_no": frame.text("FD", *entry),
            "date": frame.date(day),
            "kind": frame.level(kind, ENTRIES),
            "insurer": frame.level(terms.insurer.ravel()[whose], levels.INSURERS),
            "policy_no": frame.text(policy_number(block, whose)),
            "credit_code": code_of(block, whose),
            "service_no": frame.nullable_text(number.astype(np.uint8), place < 0),
            "debit_account": frame.level(debit, ACCOUNTS),
            "credit_account": frame.level(credit, ACCOUNTS),
            "amount_fen": frame.number(np.abs(signed[order])),
        }
    )
