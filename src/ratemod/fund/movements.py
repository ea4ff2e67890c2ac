"""Movements of premium: inception, endorsements, receipts and what is earned, and the levy that each adds."""

from __future__ import annotations

from typing import Any

import numpy as np

from ratemod.errors import ModelError, Problem, problem
from ratemod.fund.fund_table import Columns, Ints, Texts, join, read_columns
from ratemod.fund.levy_rule import LevyRule, levied

START, CHANGE, RECEIPT, EARNED = range(4)
KINDS = ("inception", "endorsement", "receipt", "earned")

Moved = tuple[Ints, Ints, Ints, Ints]


def movements(
    book: Columns,
    rule: Ints,
    rules: tuple[LevyRule, ...],
    endorsements: Any,
    receipts: Any,
    as_of: int | None,
    refused: list[Problem],
) -> Moved:
    """Return policy, day, kind and amount of every movement of the base, ordered by policy and day."""
    base = np.array([item.base for item in rules], dtype=object)[rule]
    _needs(base, receipts, as_of, book)
    n = len(book)
    parts = [(np.arange(n), book["start_date"], np.full(n, START), book["premium_fen"])]
    if endorsements is not None:
        more = read_columns(endorsements, ("policy_no", "effective_date", "premium_change_fen"))
        refused.extend(more.refused)
        place = join(more["policy_no"], book["policy_no"], "RM709", "endorsements")
        parts.append((place, more["effective_date"], np.full(len(place), CHANGE), more["premium_change_fen"]))
    policy, day, kind, amount = (np.concatenate(column) for column in zip(*parts))
    if receipts is not None:
        paid = read_columns(receipts, ("policy_no", "date", "amount_fen"))
        refused.extend(paid.refused)
        place = join(paid["policy_no"], book["policy_no"], "RM709", "receipts")
        kept, own = base[policy] != "received", base[place] == "received"
        policy, day, kind, amount = (
            np.concatenate([old[kept], new[own]])
            for old, new in zip(
                (policy, day, kind, amount), (place, paid["date"], np.full(len(place), RECEIPT), paid["amount_fen"])
            )
        )
    if as_of is not None:
        known = day <= as_of
        policy, day, kind, amount = policy[known], day[known], kind[known], amount[known]
        amount = _earned(book, base[policy] == "earned", policy, day, amount, as_of)
        kind = np.where(base[policy] == "earned", EARNED, kind)
    order = np.lexsort((amount, kind, day, policy))
    return policy[order], day[order], kind[order], amount[order]


def _needs(base: Texts, receipts: Any, as_of: int | None, book: Columns) -> None:
    wrong = []
    if (base == "received").any() and receipts is None:
        wrong.append(problem("RM710", base="received", needs="receipts"))
    if (base == "earned").any() and as_of is None:
        wrong.append(problem("RM710", base="earned", needs="as_of"))
    if (base == "earned").any() and ("end_date" not in book or (book["end_date"] <= book["start_date"]).any()):
        wrong.append(problem("RM710", base="earned", needs="end_date"))
    if wrong:
        raise ModelError(wrong)


def _earned(book: Columns, own: Any, policy: Ints, day: Ints, amount: Ints, as_of: int) -> Ints:
    """Return amounts with those of an earned base cut to the days passed, half-up to the fen."""
    if not own.any():
        return amount
    whole = np.maximum(book["end_date"][policy] - day, 1)
    passed = np.clip(as_of + 1 - day, 0, whole)
    cut = np.sign(amount) * ((2 * np.abs(amount) * passed + whole) // (2 * whole))
    earned: Ints = np.where(own, cut, amount)
    return earned


def without_negative(
    book: Columns, rule: Ints, fund: Ints | None, moved: Moved, refused: list[Problem]
) -> tuple[Columns, Ints, Ints | None, Moved]:
    """Leave out policies of which at some day more was refunded than paid."""
    so_far = _cumulative(moved[0], moved[3])
    wrong = np.zeros(len(book), dtype=bool)
    wrong[moved[0][so_far < 0]] = True
    if not wrong.any():
        return book, rule, fund, moved
    refused.append(problem("RM712", count=int(wrong.sum()), policy=book["policy_no"][wrong][0]))
    place = np.cumsum(~wrong) - 1
    kept = ~wrong[moved[0]]
    policy, day, kind, amount = (column[kept] for column in moved)
    return (book.take(~wrong), rule[~wrong], None if fund is None else fund[~wrong], (place[policy], day, kind, amount))


def _cumulative(group: Ints, amount: Ints) -> Ints:
    """Return running sums within groups of equal neighbours."""
    running = np.cumsum(amount)
    first = np.ones(len(group), dtype=bool)
    first[1:] = group[1:] != group[:-1]
    before = np.where(first, running - amount, 0)[np.maximum.accumulate(np.where(first, np.arange(len(group)), 0))]
    so_far: Ints = running - before
    return so_far


def levied_by(moved: Moved, rule: Ints, rules: tuple[LevyRule, ...]) -> Ints:
    """Return what each movement adds to the levy."""
    policy, amount = moved[0], moved[3]
    so_far, whose = _cumulative(policy, amount), rule[policy]
    found = np.zeros(len(policy), dtype=np.int64)
    for at, item in enumerate(rules):
        own = np.flatnonzero(whose == at)
        if item.unit == "movement":
            found[own] = levied(amount[own], item)
        else:
            after, before = levied(so_far[own], item), levied((so_far - amount)[own], item)
            found[own] = after - before
    return found
