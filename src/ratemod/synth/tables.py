"""The tables of one block: what a regulator, an insurer or an enterprise would hold, as known on the valuation day."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.synth import development, frame, hazards, levels
from ratemod.synth.block import Block
from ratemod.synth.calendar import NO_DATE, Days
from ratemod.synth.enterprises import Bytes, Ints, industry_names
from ratemod.synth.stream import BLOCK
from ratemod.vocabulary.codes.accident import GRADES

COMPANY = ("矿业", "化工", "烟花销售", "运输", "建设", "民爆", "冶炼", "渔业")
SHARES = ((100, 0, 0, 0), (70, 30, 0, 0), (50, 30, 20, 0), (40, 25, 20, 15))
CLOSED = ("enterprise_closed",)


def policy_cells(block: Block) -> Ints:
    """Return the cells (term * n + enterprise) of the policies of the history, by enterprise and term."""
    return _cells(block, slice(0, block.window.years))


def renewal_cells(block: Block) -> Ints:
    """Return the cells of the renewal year."""
    return _cells(block, slice(block.window.years, None))


def _cells(block: Block, which: slice) -> Ints:
    """Return the cells of active terms among the kept enterprises, ordered by enterprise and then by term."""
    cell = np.arange(block.terms.active.size).reshape(block.terms.active.shape)
    found = block.terms.active[which, : block.keep].T
    return cell[which, : block.keep].T[found]


def policy_number(block: Block, cell: Ints) -> Bytes:
    """Return policy numbers as characters: AZ, year of inception, insurer, enterprise."""
    year = block.window.first_year + cell // BLOCK
    number = block.firms.number[cell % BLOCK]
    parts = (frame.digits(year, 4), frame.digits(block.terms.insurer.ravel()[cell] + 1, 2), frame.digits(number, 8))
    return np.concatenate([np.broadcast_to(np.frombuffer(b"AZ", np.uint8), (len(cell), 2)), *parts], axis=1)


def claim_number(block: Block, cell: Ints, order: Ints) -> Bytes:
    """Return claim numbers as characters: CL, the policy's digits, running number within the policy."""
    head = np.broadcast_to(np.frombuffer(b"CL", np.uint8), (len(cell), 2))
    return np.concatenate([head, policy_number(block, cell)[:, 2:], frame.digits(order, 4)], axis=1)


def code_of(block: Block, cell: Ints) -> Any:
    """Return the credit codes of cells as a text column."""
    return frame.text(block.firms.code[cell % BLOCK])


def enterprises(block: Block) -> frame.Table:
    """Return the kept enterprises, one row each, as of the last year of history."""
    firms, here, last = block.firms, slice(0, block.keep), block.window.years - 1
    closed = np.where(firms.closed <= block.window.valuation, firms.closed, NO_DATE)[here]
    return frame.table(
        {
            "credit_code": frame.text(firms.code[here]),
            "name": names(block, np.arange(block.keep)),
            "division_code": frame.level(firms.division[here], levels.DIVISIONS),
            "sector": frame.level(firms.sector[here], levels.SECTORS),
            "industry_code": frame.level(firms.industry[here], industry_names()),
            "staff": frame.number(firms.staff[last, here]),
            "revenue_yuan": frame.number(firms.revenue_yuan[last, here]),
            "assets_yuan": frame.number(firms.assets_yuan[last, here]),
            "size_class": frame.level(firms.size[last, here], levels.SIZES),
            "site_no": frame.number(firms.number[here] // BLOCK * BLOCK + firms.site[here], firms.site[here] < 0),
            "closed_date": frame.date(closed.astype(np.int32)),
        }
    )


def names(block: Block, firm: Ints) -> Any:
    """Return names that show at once that the enterprise is invented."""
    import pyarrow.compute as pc

    firms = block.firms
    place = frame.level(firms.division[firm], levels.DIVISION_NAMES).dictionary_decode()
    kind = frame.level(firms.sector[firm], COMPANY).dictionary_decode()
    return pc.binary_join_element_wise(
        place, "示例", frame.text(frame.digits(firms.number[firm] + 1, 7)), kind, "有限公司", ""
    )


def policies(block: Block) -> frame.Table:
    """Return the policies of the history, one row each."""
    cell, terms = policy_cells(block), block.terms
    ended = _known(block, np.where(terms.cover_end < terms.end, terms.cover_end, NO_DATE).ravel()[cell])
    return frame.table(
        insured(block, cell)
        | {
            "coinsured": frame.level(terms.coinsurers.ravel()[cell] > 0, levels.YES_NO),
            "premium_fen": frame.number(block.premium_fen.ravel()[cell]),
            "cancelled_date": frame.date(ended),
            "cancel_reason": frame.level(np.where(ended > NO_DATE, 0, -1), CLOSED),
        }
    )


def insured(block: Block, cell: Ints) -> dict[str, Any]:
    """Return the columns that policies and renewals share."""
    firms, terms, firm = block.firms, block.terms, cell % BLOCK
    return {
        "policy_no": frame.text(policy_number(block, cell)),
        "credit_code": code_of(block, cell),
        "insurer": frame.level(terms.insurer.ravel()[cell], levels.INSURERS),
        "division_code": frame.level(firms.division[firm], levels.DIVISIONS),
        "business": frame.level(terms.renewal.ravel()[cell], levels.BUSINESS),
        "start_date": frame.date(terms.start.ravel()[cell]),
        "end_date": frame.date(terms.end.ravel()[cell]),
        "sector": frame.level(firms.sector[firm], levels.SECTORS),
        "industry_code": frame.level(firms.industry[firm], industry_names()),
        "size_class": frame.level(firms.size.ravel()[cell], levels.SIZES),
        "staff": frame.number(firms.staff.ravel()[cell]),
        "revenue_yuan": frame.number(firms.revenue_yuan.ravel()[cell]),
        "assets_yuan": frame.number(firms.assets_yuan.ravel()[cell]),
        "heads": frame.number(terms.heads.ravel()[cell]),
        "limit_yuan": frame.number(terms.limit_yuan.ravel()[cell]),
    }


def endorsements(block: Block) -> frame.Table:
    """Return mid-term headcount changes and cancellations, with what each adds to the premium."""
    cell, terms, valuation = policy_cells(block), block.terms, block.window.valuation
    change, end = terms.change_day.ravel()[cell], terms.cover_end.ravel()[cell]
    changed = cell[(change < end) & (change <= valuation)]
    ended = cell[(end < terms.end.ravel()[cell]) & (end <= valuation)]
    both = np.concatenate([changed, ended])
    kind = np.repeat(np.array([0, 1]), [len(changed), len(ended)])
    day = np.concatenate([terms.change_day.ravel()[changed], terms.cover_end.ravel()[ended]])
    after = np.concatenate([terms.heads_after.ravel()[changed], np.zeros(len(ended), dtype=np.int64)])
    money = np.concatenate([block.added_fen.ravel()[changed], block.refund_fen.ravel()[ended]])
    order = np.lexsort((day, both // BLOCK, both % BLOCK))
    return frame.table(
        {
            "policy_no": frame.text(policy_number(block, both[order])),
            "credit_code": code_of(block, both[order]),
            "effective_date": frame.date(day[order]),
            "kind": frame.level(kind[order], ("headcount", "cancellation")),
            "heads_after": frame.number(after[order]),
            "premium_change_fen": frame.number(money[order]),
        }
    )


def coinsurance(block: Block) -> frame.Table:
    """Return the shares of co-insured policies in per cent; they add up to 100."""
    cell = policy_cells(block)
    many = block.terms.coinsurers.ravel()[cell].astype(np.int64)
    cell, many = cell[many > 0], many[many > 0]
    row = np.repeat(np.arange(len(cell)), many + 1)
    place = np.arange(len(row)) - np.repeat(np.cumsum(many + 1) - (many + 1), many + 1)
    insurer = (block.terms.insurer.ravel()[cell[row]] + place) % len(levels.INSURERS)
    return frame.table(
        {
            "policy_no": frame.text(policy_number(block, cell[row])),
            "insurer": frame.level(insurer, levels.INSURERS),
            "leader": frame.level(place == 0, levels.YES_NO),
            "share_percent": frame.number(np.array(SHARES)[many[row], place]),
        }
    )


def _known(block: Block, days: npt.NDArray[np.integer[Any]]) -> Days:
    """Return dates with those after the valuation day left out."""
    return np.where(days <= block.window.valuation, days, NO_DATE).astype(np.int32)


def claim_order(block: Block) -> Ints:
    """Return the running number of each claim within its policy, (k,) int64 from 1, in order of events."""
    cell = block.claims.cell
    order = np.lexsort((block.claims.event_day, cell))
    ordered = cell[order]
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]]) if len(cell) else np.zeros(0, dtype=bool)
    began = np.maximum.accumulate(np.where(first, np.arange(len(cell)), 0))
    place = np.empty(len(cell), dtype=np.int64)
    place[order] = np.arange(len(cell)) - began + 1
    return place


def seen_claims(block: Block) -> npt.NDArray[np.bool_]:
    """Return which claims are reported by the valuation day, of kept enterprises, (k,) bool."""
    claims = block.claims
    return (claims.report_day <= block.window.valuation) & (claims.cell % BLOCK < block.keep)


def claims(block: Block) -> frame.Table:
    """Return the claims reported by the valuation day, as they stand on it."""
    seen, found = seen_claims(block), block.claims
    cell, done = found.cell[seen], found.accidents
    paid, reserve = standing(block)
    settled = _known(block, found.settle_day[seen])
    grade = done.disability_grade[seen]
    return frame.table(
        {
            "claim_no": frame.text(claim_number(block, cell, claim_order(block)[seen])),
            "event_no": frame.text(event_number(block)[seen]),
            "policy_no": frame.text(policy_number(block, cell)),
            "credit_code": code_of(block, cell),
            "insurer": frame.level(block.terms.insurer.ravel()[cell], levels.INSURERS),
            "sector": frame.level(block.firms.sector[cell % BLOCK], levels.SECTORS),
            "event_date": frame.date(found.event_day[seen]),
            "report_date": frame.date(found.report_day[seen]),
            "settlement_date": frame.date(settled),
            "cause": frame.level(found.cause[seen], levels.CAUSES),
            "deaths": frame.number(done.deaths[seen]),
            "serious_injuries": frame.number(done.serious_injuries[seen]),
            "minor_injuries": frame.number(done.minor_injuries[seen]),
            "disability_grade": frame.number(grade, grade == 0),
            "accident_grade": frame.level(found.grade[seen], GRADES),
            "direct_loss_yuan": frame.number(found.direct_loss_yuan[seen]),
            "status": frame.level(settled == NO_DATE, ("closed", "open")),
            "paid_fen": frame.number(paid[seen]),
            "case_reserve_fen": frame.number(reserve[seen]),
        }
    )


def event_number(block: Block) -> Bytes:
    """Return event numbers, (k, 14) characters: one per accident, shared by all claims of a catastrophe."""
    claims = block.claims
    own = np.concatenate(
        [
            frame.digits(claims.cell // BLOCK, 2),
            frame.digits(block.firms.number[claims.cell % BLOCK], 8),
            frame.digits(claim_order(block), 3),
        ],
        axis=1,
    )
    site = np.concatenate(
        [frame.digits(np.full(len(own), block.number), 8), frame.digits(np.maximum(claims.site_event, 0), 5)], axis=1
    )
    alone = claims.site_event < 0
    letter = np.where(alone, ord("E"), ord("S")).astype(np.uint8)[:, None]
    return np.concatenate([letter, np.where(alone[:, None], own, site)], axis=1)


def standing(block: Block) -> tuple[Ints, Ints]:
    """Return paid and case reserve of each claim on the valuation day, (k,) int64 fen."""
    valued = block.valuations
    paid, reserve = (np.zeros(len(block.claims.cell), dtype=np.int64) for _ in range(2))
    last = valued.day == block.window.valuation
    paid[valued.claim[last]] = valued.paid_fen[last]
    reserve[valued.claim[last]] = valued.case_reserve_fen[last]
    return paid, reserve


def valuations(block: Block) -> frame.Table:
    """Return every reported claim at every year end: cumulative paid and case reserve."""
    valued = block.valuations
    keep = seen_claims(block)[valued.claim]
    claim = valued.claim[keep]
    number = claim_number(block, block.claims.cell[claim], claim_order(block)[claim])
    return frame.table(
        {
            "claim_no": frame.text(number),
            "valuation_date": frame.date(valued.day[keep]),
            "paid_fen": frame.number(valued.paid_fen[keep]),
            "case_reserve_fen": frame.number(valued.case_reserve_fen[keep]),
        }
    )


def payments(block: Block) -> frame.Table:
    """Return the payments made by the valuation day."""
    paid: development.Payments = block.payments
    keep = seen_claims(block)[paid.claim] & (paid.day <= block.window.valuation)
    claim = paid.claim[keep]
    number = claim_number(block, block.claims.cell[claim], claim_order(block)[claim])
    return frame.table(
        {
            "claim_no": frame.text(number),
            "payment_date": frame.date(paid.day[keep]),
            "amount_fen": frame.number(paid.amount_fen[keep]),
        }
    )


def hazard_register(block: Block) -> frame.Table:
    """Return the register of hazards as it stands on the valuation day."""
    found = hazards.known(block.hazards, block.window.valuation)
    here = found.firm < block.keep
    firm = found.firm[here]
    place = np.arange(len(block.hazards.firm))[block.hazards.found <= block.window.valuation][here]
    number = (frame.digits(np.full(len(firm), block.number), 5), frame.digits(place, 6))
    dates = {
        "found_date": found.found,
        "notified_date": found.notified,
        "due_date": found.due,
        "extended_due_date": found.extended,
        "rectified_date": found.rectified,
        "verified_date": found.verified,
        "refused_date": found.refused,
    }
    return frame.table(
        {
            "hazard_id": frame.text("HZ", *number),
            "credit_code": code_of(block, firm),
            "grade": frame.level(found.grade[here], levels.HAZARD_GRADES),
        }
        | {name: frame.date(days[here]) for name, days in dates.items()}
    )


def certificates(block: Block) -> frame.Table:
    """Return standardisation certificates issued by the valuation day, valid up to the day before expiry."""
    held, valuation = block.certificates, block.window.valuation
    shown = ((held.level > 0) & (held.issued <= valuation))[:, : block.keep].T
    firm, cycle = np.nonzero(shown)
    number = (frame.digits(block.firms.number[firm], 8), frame.digits(cycle + 1, 2))
    return frame.table(
        {
            "certificate_no": frame.text("BZ", *number),
            "credit_code": code_of(block, firm),
            "standardisation": frame.level(held.level[cycle, firm], levels.STANDARDISATION),
            "issue_date": frame.date(held.issued[cycle, firm]),
            "expiry_date": frame.date(held.expires[cycle, firm]),
            "withdrawn_date": frame.date(_known(block, held.withdrawn[cycle, firm])),
        }
    )


def integrity(block: Block) -> frame.Table:
    """Return the history of integrity grades: the first grade and every change known by the valuation day."""
    held = block.integrities
    changed = np.concatenate([np.ones((1, held.grade.shape[1]), bool), held.grade[1:] != held.grade[:-1]])
    firm, row = np.nonzero((changed & (held.since <= block.window.valuation))[:, : block.keep].T)
    return frame.table(
        {
            "credit_code": code_of(block, firm),
            "effective_date": frame.date(held.since[row, firm]),
            "integrity_grade": frame.level(held.grade[row, firm], levels.INTEGRITY),
        }
    )


def blacklist(block: Block) -> frame.Table:
    """Return the joint-punishment list as known on the valuation day."""
    held = block.integrities
    firm = np.flatnonzero(held.listed[: block.keep] <= block.window.valuation)
    return frame.table(
        {
            "credit_code": code_of(block, firm),
            "listed_date": frame.date(held.listed[firm]),
            "removed_date": frame.date(_known(block, held.removed[firm])),
        }
    )
