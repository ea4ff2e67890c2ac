"""Visits where providers are short: a price of money by budget, at which each place serves whom it helps most.

At a price p of a fen the best plan is, in every place, the visits of most prevention less p times their cost, as many
as insureds and the place may have. The lower the price, the more is bought; the lowest price of a fixed scale at which
the money suffices is taken, what is left buys what still fits, and where the plain order of worth does better it is
kept. Of a small book, where whole visits matter most, the best plan there is is looked for (`exact_visits`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratemod.fund.case import Case
from ratemod.fund.exact_visits import proved_visits
from ratemod.fund.fund_table import Bools, Floats, Ints
from ratemod.fund.visits import Items, allowed, buy, by_worth, fen_of, prices, upper_bound

SMALL = 2000  # visits that could be made, of a budget whose best plan is looked for
SCALE, FINE = 2**14, 2.0**-10  # prices looked at; each is lower than the one before by this part


@dataclass(frozen=True, eq=False, slots=True)
class Beyond:
    """What is bought beyond the duties: visits (n, services), yuan prevented (n,), and by budget fen and the bound."""

    visits: Ints
    prevented: Floats
    spent_fen: Ints
    bound: Floats


@dataclass(frozen=True, eq=False, slots=True)
class Limits:
    """What insureds and places may still have."""

    room: Ints
    purse: Ints | None
    capacity: Ints

    def less(self, items: Items, chosen: Bools) -> Limits:
        """Return what is left beside the items chosen."""
        cost = np.zeros(len(self.room), dtype=np.int64)
        np.add.at(cost, items.firm[chosen], items.cost_fen[chosen])
        return Limits(
            self.room - np.bincount(items.firm[chosen], minlength=len(self.room)),
            None if self.purse is None else self.purse - cost,
            self.capacity - np.bincount(items.place[chosen], minlength=len(self.capacity)),
        )

    def inside(self, items: Items, order: Ints) -> Ints:
        """Return the items, taken in an order, that lie within the limits."""
        found: Ints = order[allowed(items.take(order), self.room, self.purse, self.capacity)]
        return found


def within_places(case: Case, duty: Ints, rest_fen: Ints, capacity: Ints) -> Beyond:
    """Return what is bought beyond the duties where places have so many visits left, (places,) int64."""
    many, n = len(rest_fen), len(duty)
    unit = case.unit_fen[np.arange(n), case.duty_type]
    purse = None if case.most_fen is None else np.maximum(case.most_fen - duty * unit, 0)
    limits = Limits(np.maximum(case.most_visits - duty, 0), purse, capacity)
    items = _items(case, duty)
    order = limits.inside(items, by_worth(items))
    plain = _bought(items, order, rest_fen, case.reserve_fen)
    price, whole = prices(items.take(order), plain[order], many), np.zeros_like(rest_fen)
    bound = upper_bound(items, rest_fen, whole, price, limits.room, capacity)
    priced, cut = _priced(items, limits, rest_fen)
    bound = np.minimum(bound, upper_bound(items, rest_fen, whole, (cut, cut), limits.room, capacity))
    own = [np.bincount(items.budget[which], items.gain[which], many) for which in (plain, priced)]
    better = (own[1] > own[0]) & (case.reserve_fen == 0)
    chosen = np.where(better[items.budget], priced, plain)
    gains = np.where(better, own[1], own[0])
    for budget in range(many):
        rows = np.flatnonzero(items.budget == budget)
        if not 0 < len(rows) <= SMALL:
            continue
        money, kept = int(rest_fen[budget]), int(case.reserve_fen[budget])
        best = proved_visits(items.take(rows), money, kept, limits.room, limits.purse, capacity)
        if best is not None:
            bound[budget] = min(bound[budget], best[1])
            if items.gain[rows[best[0]]].sum() > gains[budget]:
                chosen[rows] = best[0]
    visits = np.zeros((n, len(case.catalogue.items)), dtype=np.int64)
    np.add.at(visits, (items.firm[chosen], items.option[chosen]), 1)
    prevented = np.bincount(items.firm[chosen], items.gain[chosen], n).astype(np.float64)
    return Beyond(visits, prevented, fen_of(items, chosen, many), bound)


def _items(case: Case, duty: Ints) -> Items:
    """Return the visits beyond the duties that would prevent something, by insured, then in the catalogue's order."""
    turns = [(at, turn) for at, item in enumerate(case.catalogue.items) for turn in range(item.most_visits)]
    firm, which = (axis.ravel() for axis in np.indices((len(duty), len(turns))))
    gain = np.column_stack([case.gains(at, turn, turn + 1) for at, turn in turns]).ravel()
    service, turn = (np.array(column)[which] for column in zip(*turns))
    kept = np.flatnonzero((gain > 0) & ~((case.duty_type[firm] == service) & (turn < duty[firm])))
    firm, service = firm[kept], service[kept]
    return case.items(firm, service, gain[kept], case.unit_fen[firm, service])


def _bought(items: Items, order: Ints, money_fen: Ints, reserve_fen: Ints) -> Bools:
    """Return which items are bought in an order; the reserve first, by small firms."""
    chosen = np.zeros(len(items), dtype=bool)
    small = order[items.small[order]]
    chosen[small] = buy(items.take(small), np.minimum(reserve_fen, money_fen))
    kept = fen_of(items, chosen, len(money_fen))
    rest = order[~chosen[order]]
    chosen[rest] = buy(items.take(rest), np.where(money_fen >= reserve_fen, money_fen - kept, 0))
    return chosen


def _priced(items: Items, limits: Limits, money_fen: Ints) -> tuple[Bools, Floats]:
    """Return which items are bought at the lowest price at which money suffices, and that price by budget."""
    many = len(money_fen)
    top = np.zeros(many)
    np.maximum.at(top, items.budget, items.gain / items.cost_fen)

    def chosen_at(step: Ints) -> tuple[Bools, Floats]:
        price = np.where(step == SCALE, 0.0, 2 * top * np.exp(-FINE * step))  # at twice the top nothing is bought
        profit = items.gain - price[items.budget] * items.cost_fen
        order = np.argsort(-profit, kind="stable")
        which = np.zeros(len(items), dtype=bool)
        which[limits.inside(items, order[profit[order] > 0])] = True
        return which, price

    low, high = np.zeros(many, dtype=np.int64), np.full(many, SCALE + 1)
    while (high - low > 1).any():
        middle = (low + high) // 2
        enough = fen_of(items, chosen_at(middle)[0], many) <= money_fen
        low, high = np.where(enough, middle, low), np.where(enough, high, middle)
    chosen, price = chosen_at(low)
    left = limits.less(items, chosen)
    rest = by_worth(items)
    rest = left.inside(items, rest[~chosen[rest]])
    chosen[rest] = buy(items.take(rest), money_fen - fen_of(items, chosen, many))
    return chosen, price
