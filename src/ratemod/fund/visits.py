"""Whole visits within whole fen: greedy by what a fen prevents, and a proved bound on what any plan could prevent.

A visit is one item: what it prevents, what it costs, whose budget, which insured, which place. Items are taken in the
order of prevention per fen; what does not fit is passed over. Why more money never prevents less: let the first item
decided otherwise with more money be one of cost c and prevention v. With less money it did not fit, so all that was
taken after it cost less than c and prevented no more per fen than it: less than v. (Limits on visits do not depend on
money: each insured keeps its best visits up to its limit, each place likewise.)
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ratemod.fund.fund_table import Bools, Floats, Ints


@dataclass(frozen=True, eq=False, slots=True)
class Items:
    """Visits that could be made, one row each.

    Attributes
    ----------
    gain : (n,) float64, losses prevented, yuan; of one option decreasing with every further visit
    cost_fen : (n,) int64 fen, > 0
    budget : (n,) int64, whose money
    firm : (n,) int64, which insured
    place : (n,) int64, which capacity; 0 for all where there is none
    option : (n,) int64, which option (insured and service) the visit belongs to
    small : (n,) bool, whether the reserve for small firms may pay it
    """

    gain: Floats
    cost_fen: Ints
    budget: Ints
    firm: Ints
    place: Ints
    option: Ints
    small: Bools

    def __len__(self) -> int:
        return len(self.gain)

    def take(self, rows: Ints) -> Items:
        """Return some items."""
        return replace(
            self,
            **{
                name: getattr(self, name)[rows]
                for name in ("gain", "cost_fen", "budget", "firm", "place", "option", "small")
            },
        )


def by_worth(items: Items) -> Ints:
    """Return the order of items: most prevented per fen first; equals in the order given."""
    return np.argsort(-(items.gain / items.cost_fen), kind="stable")


def rank_within(group: Ints) -> Ints:
    """Return how many earlier rows have the same group, (n,) int64.

    Examples
    --------
    >>> rank_within(np.array([1, 0, 1, 1])).tolist()
    [0, 0, 1, 2]
    """
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    first = np.ones(len(group), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    place = np.arange(len(group))
    rank = np.empty(len(group), dtype=np.int64)
    rank[order] = place - np.maximum.accumulate(np.where(first, place, 0))
    return rank


def spent_within(group: Ints, cost: Ints) -> Ints:
    """Return the running cost of equal groups up to and with each row, (n,) int64."""
    order = np.argsort(group, kind="stable")
    ordered, paid = group[order], cost[order]
    running = np.cumsum(paid)
    first = np.ones(len(group), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    start = np.maximum.accumulate(np.where(first, np.arange(len(group)), 0))
    spent = np.empty(len(group), dtype=np.int64)
    spent[order] = running - (running - paid)[start]
    return spent


def allowed(items: Items, room: Ints | None, money: Ints | None, capacity: Ints | None) -> Bools:
    """Return which items, in order of worth, lie within the limits of insureds and places.

    Parameters
    ----------
    items : Items, ordered by worth
    room : (firms,) int64, visits left to each insured, or None where items are within them already
    money : (firms,) int64 fen left to each insured, or None
    capacity : (places,) int64 visits left in each place, or None
    """
    inside = np.ones(len(items), dtype=bool)
    if room is not None and len(items) and int(np.bincount(items.firm).max()) > int(room.min(initial=0)):
        inside = rank_within(items.firm) < room[items.firm]
    if money is not None:
        kept = np.flatnonzero(inside)
        inside[kept] = spent_within(items.firm[kept], items.cost_fen[kept]) <= money[items.firm[kept]]
    if capacity is not None:
        kept = np.flatnonzero(inside)
        inside[kept] = rank_within(items.place[kept]) < capacity[items.place[kept]]
    return inside


def take_in_order(cost_fen: Ints, money_fen: int, firm: Ints | None = None) -> Bools:
    """Return which items are bought when each, in order, is bought if it still fits, (n,) bool.

    With `firm`, (n,) int64, items of one firm are steps: after one that did not fit none of that firm is bought.

    Examples
    --------
    >>> take_in_order(np.array([3, 4, 2, 1]), 6).tolist()
    [True, False, True, True]
    """
    taken = np.zeros(len(cost_fen), dtype=bool)
    rest, left, never = np.arange(len(cost_fen)), money_fen, np.iinfo(np.int64).max
    stopped = np.full(0 if firm is None else int(firm.max(initial=-1)) + 1, never)
    while len(rest):
        running = np.cumsum(cost_fen[rest])
        many = int(np.searchsorted(running, left, side="right"))
        taken[rest[:many]] = True
        left -= int(running[many - 1]) if many else 0
        rest = rest[many:]
        fits = cost_fen[rest] <= left
        if firm is not None and not fits.all():
            whose, place = firm[rest], np.arange(len(rest))
            np.minimum.at(stopped, whose[~fits], place[~fits])
            fits, lost = place < stopped[whose], whose[~fits]
            stopped[lost] = never
        rest = rest[fits]
    return taken


def buy(items: Items, money_fen: Ints, steps: bool = False) -> Bools:
    """Return which items, ordered by worth, the budgets buy, (n,) bool; one budget at a time.

    With `steps`, what one firm can have is bought in its order only.
    """
    bought = np.zeros(len(items), dtype=bool)
    order = np.argsort(items.budget, kind="stable")
    ends = np.searchsorted(items.budget[order], np.arange(len(money_fen) + 1))
    for at, (low, high) in enumerate(itertools.pairwise(ends)):
        mine = order[low:high]
        bought[mine] = take_in_order(items.cost_fen[mine], int(money_fen[at]), items.firm[mine] if steps else None)
    return bought


def fen_of(items: Items, which: Any, many: int) -> Ints:
    """Return the cost of some items by budget, exact."""
    total = np.zeros(many, dtype=np.int64)
    np.add.at(total, items.budget[which], items.cost_fen[which])
    return total


def prices(items: Items, bought: Bools, money: int) -> tuple[Floats, Floats]:
    """Return what a fen is worth to small and to other firms, by budget: the best item that was left, 0 where none."""
    worth = items.gain / items.cost_fen
    small, other = np.zeros(money), np.zeros(money)
    left = ~bought
    np.maximum.at(small, items.budget[left & items.small], worth[left & items.small])
    np.maximum.at(other, items.budget[left & ~items.small], worth[left & ~items.small])
    return small, other


def upper_bound(
    items: Items, money_fen: Ints, reserve_fen: Ints, price: tuple[Floats, Floats], room: Ints, capacity: Ints | None
) -> Floats:
    """Return what no plan within the limits can exceed, (budgets,) float64, yuan prevented.

    The Lagrangian dual at prices p per fen (p for small firms, p + m for others, m for money outside the reserve):
    ``p B + m (B - R) + sum of the best positive gains less price x cost``, of each insured at most its visits and of
    each place at most its capacity. Weak duality: true whatever the prices; integer plans are plans.
    Insureds' limits in money are left out, which can only raise the bound.

    Source
    ------
    M. L. Fisher, *The Lagrangian relaxation method for solving integer programming problems*, Management Science 27
    (1981).
    """
    small, other = price
    split = reserve_fen > 0
    base = np.where(split, small, np.maximum(small, other))
    more = np.where(split, np.maximum(other - base, 0.0), 0.0)
    each = base[items.budget] + np.where(items.small, 0.0, more[items.budget])
    profit = items.gain - each * items.cost_fen
    rows = np.flatnonzero(profit > 0)
    if len(rows) and (capacity is not None or int(np.bincount(items.firm[rows]).max()) > int(room.min(initial=0))):
        rows = rows[np.argsort(-profit[rows], kind="stable")]
        rows = rows[rank_within(items.firm[rows]) < room[items.firm[rows]]]
    if capacity is not None:
        rows = rows[rank_within(items.place[rows]) < capacity[items.place[rows]]]
    total: Floats = np.bincount(items.budget[rows], profit[rows], len(money_fen)).astype(np.float64)
    total += base * money_fen + more * np.maximum(money_fen - reserve_fen, 0)
    return total
