"""Movements of premium: inception, endorsements, receipts and what is earned, and the levy that each adds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ratemod.errors import ModelError, Problem, problem
from ratemod.fund.events import Events, of_policies, read_events
from ratemod.fund.fund_table import NO_DAY, Bools, Columns, Ints, Texts
from ratemod.fund.levy_rule import LevyRule, levied
from ratemod.money import yuan_text

START, CHANGE, RECEIPT, EARNED = range(4)
KINDS = ("inception", "endorsement", "receipt", "earned")

Moved = tuple[Ints, Ints, Ints, Ints]
ENDORSEMENT = ("policy_no", "effective_date", "premium_change_fen")
RECEIPT_ROW = ("policy_no", "date", "amount_fen")


@dataclass(frozen=True, eq=False, slots=True)
class Changes:
    """What happened to policies after they were written, as given: each event once, joined to its policy."""

    endorsements: Events
    receipts: Events

    @property
    def told(self) -> tuple[Problem, ...]:
        """All that was refused, repeated or set aside."""
        return (*self.endorsements.told, *self.receipts.told)

    def without(self, out: Bools) -> Changes:
        """Return what belongs to the policies that are left; what belonged to the others is set aside with them."""
        place = np.cumsum(~out) - 1
        both = [
            found.without(out[found.place], "aside", None) if len(found.place) else found
            for found in (self.endorsements, self.receipts)
        ]
        return Changes(*(replace(found, place=place[found.place]) for found in both))

    def known_by(self, day: int | None) -> Changes:
        """Return what is known on a day; what comes later is counted, not used."""
        if day is None:
            return self
        changed, paid = self.endorsements, self.receipts
        return Changes(
            changed.without(changed.rows["effective_date"] > day, "later", None),
            paid.without(paid.rows["date"] > day, "later", None),
        )


def read_changes(book: Columns, endorsements: Any, receipts: Any, gone: Iterable[str]) -> Changes:
    """Return endorsements and receipts of a book.

    An endorsement takes effect within its policy's term; a premium may be paid before and after it.
    """
    changed = read_events(endorsements, "endorsements", ENDORSEMENT, (), ("policy_no", "endorsement_no"))
    changed = of_policies(changed, book, gone, "effective_date", book.values.get("end_date"))
    paid = of_policies(read_events(receipts, "receipts", RECEIPT_ROW, (), ("policy_no", "receipt_no")), book, gone)
    return Changes(changed, paid)


def movements(
    book: Columns, rule: Ints, rules: tuple[LevyRule, ...], changes: Changes, receipts: bool, as_of: int | None
) -> Moved:
    """Return policy, day, kind and amount of every movement of the base, ordered by policy and day."""
    base = np.array([item.base for item in rules], dtype=object)[rule]
    _needs(base, receipts, as_of, book)
    n = len(book)
    begun = np.ones(n, dtype=bool) if as_of is None else book["start_date"] <= as_of
    start = np.flatnonzero(begun & (base != "received"))
    changed, paid = changes.endorsements, changes.receipts
    own, got = base[changed.place] != "received", base[paid.place] == "received"
    parts = [
        (start, book["start_date"][start], START, book["premium_fen"][start]),
        (changed.place[own], changed.rows["effective_date"][own], CHANGE, changed.rows["premium_change_fen"][own]),
        (paid.place[got], paid.rows["date"][got], RECEIPT, paid.rows["amount_fen"][got]),
    ]
    policy, day, amount = (np.concatenate([part[at] for part in parts]) for at in (0, 1, 3))
    kind = np.repeat([part[2] for part in parts], [len(part[0]) for part in parts])
    if as_of is not None:
        earned = base[policy] == "earned"
        amount, kind = _earned(book, earned, policy, day, amount, as_of), np.where(earned, EARNED, kind)
    order = np.lexsort((amount, kind, day, policy))
    return policy[order], day[order], kind[order], amount[order]


def over_received(book: Columns, changes: Changes) -> tuple[Bools, list[Problem]]:
    """Return the policies of which more was received, in all, than their premium and every endorsement, and RM755."""
    written = book["premium_fen"] + _sums(changes.endorsements, "premium_change_fen", len(book))
    received = _sums(changes.receipts, "amount_fen", len(book))
    over = received > np.maximum(written, 0)
    if not over.any():
        return over, []
    at = int(np.argmax(over))
    return over, [
        problem(
            "RM755",
            **book.first(over, "policies"),
            policy=str(book["policy_no"][at]),
            received=yuan_text(int(received[at])),
            written=yuan_text(int(written[at])),
        )
    ]


def cancelled_in_full(book: Columns, changes: Changes, today: int | None) -> list[Problem]:
    """Return RM773 where policies ended before their term and nothing of their premium came back."""
    if "cancelled_date" not in book:
        return []
    ended = book["cancelled_date"] != NO_DAY
    ended &= (today is None) | (book["cancelled_date"] <= (today or 0))
    if "end_date" in book:
        ended &= (book["end_date"] == NO_DAY) | (book["cancelled_date"] < book["end_date"])
    for found, name in ((changes.endorsements, "premium_change_fen"), (changes.receipts, "amount_fen")):
        ended[found.place[found.rows[name] < 0]] = False
    if not ended.any():
        return []
    at, fen = int(np.argmax(ended)), yuan_text(int(book["premium_fen"][ended].sum()))
    return [problem("RM773", **book.first(ended, "policies"), policy=str(book["policy_no"][at]), yuan=fen)]


def _sums(found: Events, amount: str, size: int) -> Ints:
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, found.place, found.rows[amount])
    return total


def _needs(base: Texts, receipts: bool, as_of: int | None, book: Columns) -> None:
    wrong = []
    if (base == "received").any() and not receipts:
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


def below_nothing(book: Columns, moved: Moved) -> tuple[Bools, list[Problem]]:
    """Return the policies of which at some day more was refunded than paid, (policies,) bool, and RM712."""
    policy, _, kind, amount = moved
    wrong = np.zeros(len(book), dtype=bool)
    wrong[policy[_cumulative(policy, amount) < 0]] = True
    if not wrong.any():
        return wrong, []
    at = int(np.argmax(wrong))
    change = int(amount[(policy == at) & (kind != START)].sum())
    return wrong, [
        problem(
            "RM712",
            **book.first(wrong, "policies"),
            policy=str(book["policy_no"][at]),
            premium=yuan_text(int(book["premium_fen"][at])),
            change=yuan_text(change),
        )
    ]


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
