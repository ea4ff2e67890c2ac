"""What another step of money does for one insured: from its best set of visits to the next, on a concave hull.

An insured may have at most so many visits and so much money, so a further visit may have to take the place of a cheaper
one. Of every set of visits within the limits only those on the concave hull of cost and prevention are best at some
price of money; the steps from one to the next prevent less and less per fen. Buying steps in the order of their worth
is the optimum of the linear relaxation, but for the last step of each budget.

Sources: P. Sinha, A. A. Zoltners, "The multiple-choice knapsack problem", Operations Research 27 (1979); E. Zemel, "The
linear multiple choice knapsack problem", Operations Research 28 (1980).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from ratemod.fund.case import Case
from ratemod.fund.fund_table import Floats, Ints
from ratemod.fund.visits import Items


@dataclass(frozen=True, eq=False, slots=True)
class Sets:
    """Sets of visits that insureds of one kind may have beyond their duties, all not worse than a cheaper one.

    Attributes
    ----------
    visits : (m, services) int64, the first is none at all; by cost
    cost_fen : (m,) int64 fen
    share : (m,) float64, of expected losses prevented
    hull : (k,) int64, places of the sets on the concave hull, the first is none at all
    """

    visits: Ints
    cost_fen: Ints
    share: Floats
    hull: Ints


@dataclass(frozen=True, eq=False, slots=True)
class Exchanges:
    """The steps of all insureds.

    Attributes
    ----------
    kind : (n,) int64, place in `sets`
    sets : sequence of Sets
    steps : Items, by insured, then in order; `option` is the number of the step from 0
    """

    kind: Ints
    sets: tuple[Sets, ...]
    steps: Items

    def state_of(self, taken: Ints) -> Ints:
        """Return the place in its `Sets` of each insured that has taken so many steps, (n,) int64."""
        most = max(len(one.hull) for one in self.sets)
        table = np.array([np.append(one.hull, np.full(most - len(one.hull), one.hull[-1])) for one in self.sets])
        found: Ints = table[self.kind, taken]
        return found

    def of_states(self, state: Ints) -> tuple[Ints, Ints, Floats]:
        """Return visits (n, services), cost and share prevented of the sets that insureds have."""
        first = np.cumsum([0, *(len(one.cost_fen) for one in self.sets)])[self.kind] + state
        visits = np.concatenate([one.visits for one in self.sets])[first]
        cost = np.concatenate([one.cost_fen for one in self.sets])[first]
        return visits, cost, np.concatenate([one.share for one in self.sets])[first]


def exchanges(case: Case, duty: Ints, floor: Floats) -> Exchanges:
    """Return the steps that are worth at least `floor` of their budget, yuan a fen."""
    kind, first = _kinds(case, duty)
    sets = tuple(_sets(case, case.unit_fen[at], int(case.duty_type[at]), int(duty[at])) for at in first)
    many = np.array([len(one.hull) - 1 for one in sets])
    firm = np.repeat(np.arange(len(duty)), many[kind])
    step = np.arange(len(firm)) - np.repeat(np.cumsum(many[kind]) - many[kind], many[kind])
    begin = np.cumsum([0, *many])[:-1]
    at = begin[kind[firm]] + step
    cost = np.concatenate([np.diff(one.cost_fen[one.hull]) for one in sets])[at].astype(np.int64)
    share = np.concatenate([np.diff(one.share[one.hull]) for one in sets])[at]
    gain = case.book["annual_losses_yuan"][firm] * share
    rows = np.flatnonzero((gain > 0) & (gain / cost >= floor[case.whose[firm]]))
    return Exchanges(kind, sets, case.items(firm[rows], step[rows], gain[rows], cost[rows]))


def _kinds(case: Case, duty: Ints) -> tuple[Ints, Ints]:
    """Return which insureds have the same prices and duties, (n,) int64, and the first of each kind."""
    kind = np.zeros(len(duty), dtype=np.int64)
    first = np.zeros(min(len(duty), 1), dtype=np.int64)
    for column in (*case.unit_fen.T, case.duty_type, duty):
        values, own = np.unique(column, return_inverse=True)
        if len(values) > 1:
            _, first, kind = np.unique(kind * len(values) + own, return_index=True, return_inverse=True)
    return kind, first


def _sets(case: Case, unit: Ints, duty_type: int, duty: int) -> Sets:
    room = max(case.most_visits - duty, 0)
    services = case.catalogue.items
    done = [duty if at == duty_type else 0 for at in range(len(services))]
    ranges = [range(min(max(item.most_visits - was, 0), room) + 1) for item, was in zip(services, done)]
    visits = np.array([one for one in itertools.product(*ranges) if sum(one) <= room], dtype=np.int64)
    cost = visits @ unit
    if case.most_fen is not None:
        kept = (cost <= case.most_fen - duty * int(unit[duty_type])) | (visits.sum(axis=1) == 0)
        visits, cost = visits[kept], cost[kept]
    rate, was = np.array([item.rate for item in services]), np.array(done)
    share = (np.array([item.most for item in services]) * np.exp(-rate * was) * -np.expm1(-rate * visits)).sum(axis=1)
    order = np.lexsort((-share, cost))
    visits, cost, share = visits[order], cost[order], share[order]
    better = share > np.append(-1.0, np.maximum.accumulate(share)[:-1])
    visits, cost, share = visits[better], cost[better], share[better]
    hull: list[int] = []
    for at in range(len(cost)):
        while len(hull) > 1 and _below(cost, share, hull[-2], hull[-1], at):
            hull.pop()
        hull.append(at)
    return Sets(visits, cost, share, np.array(hull))


def _below(cost: Ints, share: Floats, left: int, middle: int, right: int) -> bool:
    """Return whether the middle point lies on or below the line from the left one to the right one."""
    rise, run = float(share[middle] - share[left]), int(cost[middle] - cost[left])
    return rise * int(cost[right] - cost[left]) <= float(share[right] - share[left]) * run


def best_two_changes(found: Exchanges, case: Case, state: Ints, firms: Ints, left_fen: int) -> dict[int, int]:
    """Return the one or two changes of set, of different insureds, that prevent most within the money left.

    A change may also give money back. Every pair is looked at, so that more money never finds less.
    """
    changes: list[tuple[int, float, int, int]] = []
    for firm in firms.tolist():
        own, now = found.sets[found.kind[firm]], int(state[firm])
        losses = float(case.book["annual_losses_yuan"][firm])
        cost, gain = own.cost_fen - own.cost_fen[now], losses * (own.share - own.share[now])
        changes += [(int(fen), float(yuan), firm, at) for at, (fen, yuan) in enumerate(zip(cost, gain)) if at != now]
    changes.sort()
    best, chosen = 0.0, {}
    costs = np.array([one[0] for one in changes], dtype=np.int64)
    # The best change so far, and the best of another insured, for every cost from the cheapest on.
    first: list[int] = []
    second: list[int] = []
    top, other = -1, -1
    for at, (_, yuan, firm, _) in enumerate(changes):
        if top < 0 or yuan > changes[top][1]:
            if top >= 0 and changes[top][2] != firm:
                other = top
            top = at
        elif firm != changes[top][2] and (other < 0 or yuan > changes[other][1]):
            other = at
        first.append(top)
        second.append(other)
    until = np.searchsorted(costs, left_fen - costs, side="right") - 1
    for at, (fen, yuan, firm, to) in enumerate(changes):
        if fen <= left_fen and yuan > best:
            best, chosen = yuan, {firm: to}
        end = int(until[at])
        if end < 0:
            continue
        mate = first[end] if changes[first[end]][2] != firm else second[end]
        if mate >= 0 and yuan + changes[mate][1] > best:
            best, chosen = yuan + changes[mate][1], {firm: to, changes[mate][2]: changes[mate][3]}
    return chosen
