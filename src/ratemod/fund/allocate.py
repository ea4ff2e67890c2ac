"""`allocate`: the duties first, then the rest of the money where it prevents most per yuan, in whole visits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ratemod.errors import Problem
from ratemod.fund.allocation import Allocation, ByInsurer
from ratemod.fund.case import Case, make_case, own_fund, read_budgets, read_insureds
from ratemod.fund.catalogue import Catalogue, read_catalogue
from ratemod.fund.duty_rule import DutyRule, read_duty_rules
from ratemod.fund.exchanges import Exchanges, best_two_changes, exchanges
from ratemod.fund.fund_table import Floats, Ints
from ratemod.fund.levy import Levy
from ratemod.fund.places import Beyond, within_places
from ratemod.fund.visits import Items, allowed, buy, by_worth, fen_of, prices, spent_within, upper_bound
from ratemod.rating.rated import Rated
from ratemod.rules.options import strict

SAMPLE, DEEPER = 4000, 1.3  # insureds a budget in the first guess; how far beyond the money it looks
SMALL_BOOK = 2000  # insureds of a budget of which the last money is looked at change by change


@strict
def allocate(
    source: Any,
    budgets: Mapping[str, int] | Levy | Any = None,
    *,
    catalogue: Catalogue | None = None,
    duty_rules: Sequence[DutyRule] | None = None,
    most_visits: int = 4,
    most_fen: int | None = None,
    small_reserve_fen: Mapping[str, int] | None = None,
    capacity: Mapping[tuple[str, str], int] | Mapping[str, int] | None = None,
    year: int | None = None,
) -> Allocation:
    """Spend each insurer's prevention money across its portfolio.

    Parameters
    ----------
    source : Rated, path or frame
        Insureds: policy_no, insurer, size_class, division_code, premium_fen, annual_losses_yuan (expected losses of
        the year, yuan); optionally annual_claims (expected accidents), outstanding (duty visits still owed), sector
        and start_date (from which the duty follows where `outstanding` is absent).
    budgets : mapping of insurer to fen, a `Levy`, or a list (insurer, amount_fen, fund_year where there are several)
        None for a `Rated` book: its own fund.
    catalogue : Catalogue, optional
        Costs and effects; the shipped ones are illustrative.
    duty_rules : sequence of DutyRule, optional
        Who is owed how many services, and which kinds count; the notice by default.
    most_visits : int
        To one insured a year, duties included.
    most_fen : int, optional
        For one insured a year, fen, duties included.
    small_reserve_fen : mapping of insurer to fen, optional
        Fairness floor: money that goes to small and micro insureds first (what they cannot use goes to all).
    capacity : mapping of (insurer, division) or division to visits, optional
        What providers can do; of every place that has insureds, 0 where nothing. By division alone it is divided among
        insurers by premium, largest remainder (by insureds where none of them has a premium).
    year : int, optional
        Fund year of the budgets, where a list holds those of several.

    Returns
    -------
    Allocation
        1. Duties: the accepted service that prevents most per yuan, ordered by the same measure. If money runs out,
        the rest is named with what is missing, and nothing else is bought. 2. The reserve, to small firms. 3. All
        money left, step by step, where it prevents most per yuan; a step is one more visit, or a better one in the
        place of a cheaper one where visits or money for one insured are limited (`exchanges`). The k-th visit of a
        service prevents ``losses x most x (exp(-b (k-1)) - exp(-b k))``; effects of different services add up. Where
        places are short of providers, see `places`. The plan of 2 and 3 is held against a proved bound
        (`visits.upper_bound`). More money never prevents less; the order of rows is irrelevant.

    Raises
    ------
    BookError
        RM950 a column is missing, RM397 a policy stands twice, RM723 an insurer without a budget or a budget without
        an insurer, RM724 an amount or limit that is negative, RM790 a reserve or capacity of whom or where no insured
        is, RM774 budgets of several years and none is named, RM791 places with insureds of which no capacity is given.
    ModelError
        RM713 no insured is left, RM725 no way to tell what duties are owed.

    Notes
    -----
    Refused, others unaffected: RM722 no price for the size or place.

    Source
    ------
    B. Fox, *Discrete optimization via marginal analysis*, Management Science 13 (1966): greedy is optimal up to the
    last visit for concave benefits.

    Examples
    --------
    >>> import pyarrow as pa
    >>> book = pa.table({"policy_no": ["A", "B"], "insurer": ["x", "x"], "size_class": ["medium", "small"],
    ...                  "division_code": ["220100"] * 2, "premium_fen": [100, 100], "outstanding": [1, 0],
    ...                  "annual_losses_yuan": [50_000.0, 90_000.0]})
    >>> plan = allocate(book, {"x": 1_300_000})
    >>> plan.frame()[["policy_no", "service_type", "visits", "cost_fen"]].values.tolist()
    [['A', 'hazard_inspection', 1, 750000], ['B', 'hazard_inspection', 1, 430000]]
    """
    items = read_catalogue() if catalogue is None else catalogue
    book = read_insureds(source)
    own = budgets is None and isinstance(source, Rated)
    money, told = read_budgets(own_fund(source) if own else budgets, year)
    case, back, refused = make_case(
        book,
        money,
        items,
        read_duty_rules() if duty_rules is None else tuple(duty_rules),
        most_visits=most_visits,
        most_fen=most_fen,
        small_reserve_fen=small_reserve_fen,
        capacity=capacity,
    )
    return _solve(case, back, [*refused, *told])


def _duty_items(case: Case) -> Items:
    """Return the duty visits, one row each."""
    firm = np.repeat(np.arange(len(case.whose)), case.owed)
    turn = np.arange(len(firm)) - np.repeat(np.cumsum(case.owed) - case.owed, case.owed)
    service = case.duty_type[firm]
    most = np.array([item.most for item in case.catalogue.items])[service]
    rate = np.array([item.rate for item in case.catalogue.items])[service]
    gain = case.book["annual_losses_yuan"][firm] * most * (np.exp(-rate * turn) - np.exp(-rate * (turn + 1)))
    return case.items(firm, service, gain, case.unit_fen[firm, service])


def _solve(case: Case, back: Ints, refused: list[Problem]) -> Allocation:
    n, many = len(case.whose), len(case.money_fen)
    duties = _duty_items(case)
    duties = duties.take(by_worth(duties))
    inside = allowed(duties, case.owed, None, case.capacity)
    bought = np.zeros(len(duties), dtype=bool)
    bought[inside] = buy(duties.take(np.flatnonzero(inside)), case.money_fen)
    duty = np.bincount(duties.firm[bought], minlength=n)
    paid, short = fen_of(duties, bought, many), fen_of(duties, inside & ~bought, many)
    left = case.money_fen - paid
    rest = np.where(short == 0, left, 0)  # while a duty is unpaid, nothing else is bought
    used = np.bincount(duties.place[bought], minlength=0 if case.capacity is None else len(case.capacity))
    room = None if case.capacity is None else case.capacity - used
    more = _beyond(case, duty, rest) if room is None else within_places(case, duty, rest, room)
    visits = more.visits.copy()
    np.add.at(visits, (duties.firm[bought], duties.option[bought]), 1)
    duty_yuan = np.bincount(duties.firm[bought], duties.gain[bought], n).astype(np.float64)
    prevented = duty_yuan + more.prevented
    losses = case.book["annual_losses_yuan"]
    ratio = np.divide(case.claims, losses, out=np.zeros(n), where=losses > 0)
    spread = _proportional(case, duty, rest, room)

    def total(values: Any) -> Floats:
        return np.bincount(case.whose, values, many).astype(np.float64)

    by = ByInsurer(
        budget_fen=case.money_fen,
        spent_fen=paid + more.spent_fen,
        duties_owed=total(case.owed).astype(np.int64),
        duties_served=total(duty).astype(np.int64),
        missing_fen=np.maximum(short - left, 0) * (short > 0),
        without_capacity=np.bincount(duties.budget[~inside], minlength=many),
        duty_prevented=total(duty_yuan),
        rest_prevented=total(prevented - duty_yuan),
        bound=more.bound,
        proportional=total(spread),
        avoided=total(prevented * ratio),
        proportional_avoided=total((duty_yuan + spread) * ratio),
    )
    return _as_given(case, by, np.argsort(back, kind="stable"), (duty, visits, prevented, prevented * ratio), refused)


def _beyond(case: Case, duty: Ints, rest_fen: Ints) -> Beyond:
    """Return what is bought beyond the duties where no place is short of providers.

    Steps that are worth far less than what the money reaches need not be looked at: where what is left of a budget pays
    for no step at all, they would not have been bought, and the price is that of a better one. A first guess of how far
    down to look comes from some of the insureds; where it proves too high, all are looked at.
    """
    floor = _guess(case, duty, rest_fen)
    found, deep = _choose(case, duty, rest_fen, floor)
    return found if deep.all() else _choose(case, duty, rest_fen, np.where(deep, floor, 0.0))[0]


def _guess(case: Case, duty: Ints, rest_fen: Ints) -> Floats:
    """Return, by budget, a worth below which steps will hardly be bought; 0 where that cannot be told."""
    many = len(rest_fen)
    step = len(duty) // (many * SAMPLE)
    if step < 2 or case.reserve_fen.any():
        return np.zeros(many)
    some = case.take(np.arange(0, len(duty), step))
    share = np.bincount(some.whose, minlength=many) / np.maximum(np.bincount(case.whose, minlength=many), 1)
    items = exchanges(some, duty[::step], np.zeros(many)).steps
    order = by_worth(items)
    worth = items.gain / items.cost_fen
    spent = spent_within(items.budget[order], items.cost_fen[order])
    beyond = np.flatnonzero(spent > DEEPER * (rest_fen * share)[items.budget[order]])
    floor = np.zeros(many)
    floor[items.budget[order][beyond[::-1]]] = worth[order[beyond[::-1]]]  # the first beyond is written last
    return floor


def _choose(case: Case, duty: Ints, rest_fen: Ints, floor: Floats) -> tuple[Beyond, Any]:
    """Return what is bought of steps worth at least a floor, and for which budgets the floor was deep enough."""
    many, n = len(rest_fen), len(duty)
    made = exchanges(case, duty, floor)
    ordered = made.steps.take(by_worth(made.steps))
    chosen, kept = _rest(ordered, rest_fen, case.reserve_fen)
    state = made.state_of(np.bincount(ordered.firm[chosen], minlength=n))
    if not case.reserve_fen.any():
        state = _last_money(made, case, ordered, rest_fen, state)
    visits, cost, share = made.of_states(state)
    spent = np.zeros(many, dtype=np.int64)
    np.add.at(spent, case.whose, cost)
    price, free = prices(ordered, chosen, many), np.full(n, n + len(ordered))
    bound = upper_bound(ordered, rest_fen, np.zeros_like(kept), price, free, None)
    if kept.any():  # both bounds are true; the lower one says more
        bound = np.minimum(bound, upper_bound(ordered, rest_fen, kept, price, free, None))
    cheapest = min((int(np.diff(one.cost_fen[one.hull]).min(initial=2**62)) for one in made.sets), default=0)
    left = rest_fen - fen_of(ordered, chosen, many)
    deep = (floor == 0) | ((left < cheapest) & (np.bincount(ordered.budget[~chosen], minlength=many) > 0))
    return Beyond(visits, case.book["annual_losses_yuan"] * share, spent, bound), deep


def _last_money(made: Exchanges, case: Case, ordered: Items, rest_fen: Ints, state: Ints) -> Ints:
    """Return the sets of visits with the last money of small books spent better, where it can be.

    The steps up to the first that does not fit are best of all at their cost. From there, one or two changes at once
    may use what is left better than further steps that fit. More money never finds less: each such beginning prevents
    at least what any plan with less money does, and of the changes within what is left the best is taken.
    """
    found = state.copy()
    for budget in range(len(rest_fen)):
        firms = np.flatnonzero(case.whose == budget)
        if not 0 < len(firms) <= SMALL_BOOK:
            continue
        mine = np.flatnonzero(ordered.budget == budget)
        running = np.cumsum(ordered.cost_fen[mine])
        many = int(np.searchsorted(running, int(rest_fen[budget]), side="right"))
        begun = made.state_of(np.bincount(ordered.firm[mine[:many]], minlength=len(state)))
        left = int(rest_fen[budget]) - (int(running[many - 1]) if many else 0)
        for firm, to in best_two_changes(made, case, begun, firms, left).items():
            begun[firm] = to
        losses = case.book["annual_losses_yuan"][firms]
        there, here = (losses @ made.of_states(one)[2][firms] for one in (begun, state))
        if there > here:
            found[firms] = begun[firms]
    return found


def _as_given(
    case: Case, by: ByInsurer, place: Ints, found: tuple[Ints, Ints, Floats, Floats], refused: list[Problem]
) -> Allocation:
    """Return the allocation with insureds in the order in which they were given."""
    duty, visits, prevented, avoided = found
    return Allocation(
        policy_no=case.book["policy_no"][place],
        insurer=case.book["insurer"][place],
        size_class=case.book["size_class"][place],
        owed=case.owed[place],
        duty=duty[place],
        visits=visits[place],
        unit_fen=case.unit_fen[place],
        prevented=prevented[place],
        avoided=avoided[place],
        services=tuple(item.name for item in case.catalogue.items),
        insurers=case.insurers,
        by=by,
        refused=tuple(refused),
    )


def _rest(items: Items, money_fen: Ints, reserve_fen: Ints) -> tuple[Any, Ints]:
    """Return which items are bought, and how much of the reserve small firms used, (budgets,) fen.

    Money that does not reach the reserve buys for small firms alone: otherwise a fen more of reserve could take away
    a better visit elsewhere.
    """
    chosen = np.zeros(len(items), dtype=bool)
    kept = np.zeros(len(money_fen), dtype=np.int64)
    if reserve_fen.any():
        rows = np.flatnonzero(items.small)
        chosen[rows] = buy(items.take(rows), np.minimum(reserve_fen, money_fen), steps=True)
        kept = fen_of(items, chosen, len(money_fen))
    open_to_all = np.where(money_fen >= reserve_fen, money_fen - kept, 0)
    rows = np.flatnonzero(~chosen)
    chosen[rows] = buy(items.take(rows), open_to_all, steps=True)
    return chosen, kept


def _proportional(case: Case, duty: Ints, money_fen: Ints, capacity: Ints | None) -> Floats:
    """Return what money spread by premium would prevent after the duties within the same limits, (n,) yuan.

    Each insured has the one service that prevents most for its money, up to its limits of visits and money and its part
    of the place's; a part of a visit prevents as large a part. Where a reserve is kept, the others share the rest.
    """
    premium = case.book["premium_fen"].astype(np.float64)
    whole = np.maximum(np.bincount(case.whose, premium, len(money_fen)), 1.0)
    spend = money_fen[case.whose] * premium / whole[case.whose]
    other = np.bincount(case.whose, np.where(case.small, 0.0, spend), len(money_fen))
    most = np.maximum(money_fen - case.reserve_fen, 0)
    spend *= np.where(case.small, 1.0, np.minimum(1.0, most / np.maximum(other, 1.0))[case.whose])
    purse = None
    if case.most_fen is not None:
        purse = np.maximum(case.most_fen - duty * case.unit_fen[np.arange(len(duty)), case.duty_type], 0)
    best, many = np.zeros(len(spend)), np.zeros(len(spend))
    for at, item in enumerate(case.catalogue.items):
        done = np.where(case.duty_type == at, duty, 0)
        limit = np.minimum(np.maximum(case.most_visits - duty, 0), np.maximum(item.most_visits - done, 0))
        if purse is not None:  # a visit that an insured may not have whole, it may not have in part
            limit = np.minimum(limit, purse // case.unit_fen[:, at])
        visits = np.minimum(spend / case.unit_fen[:, at], limit)
        full = np.floor(visits)
        found = case.gains(at, done, done + full)
        found += (visits - full) * case.gains(at, done + full, done + full + 1)
        best, many = np.where(found > best, found, best), np.where(found > best, visits, many)
    if capacity is not None:
        asked = np.bincount(case.place, many, len(capacity))
        best *= np.minimum(1.0, capacity / np.maximum(asked, 1e-12))[case.place]
    return best
