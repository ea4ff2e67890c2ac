"""`allocate`: the duties first, then the rest of the money where it prevents most per yuan, in whole visits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from ratemod.errors import BookError, ModelError, Problem, nearest, problem
from ratemod.fund.allocation import Allocation, ByInsurer
from ratemod.fund.catalogue import Catalogue, read_catalogue
from ratemod.fund.duty_rule import DutyRule, owed_by_rule, read_duty_rules
from ratemod.fund.fund_table import Columns, Floats, Ints, codes_of, join, read_columns
from ratemod.fund.levy import Levy
from ratemod.fund.visits import Items, allowed, buy, by_worth, prices, upper_bound
from ratemod.money import apportion
from ratemod.rating.rated import Rated

NEEDED = ("policy_no", "insurer", "size_class", "division_code", "premium_fen", "annual_losses_yuan")
SMALL = ("small", "micro")


@dataclass(frozen=True, eq=False, slots=True)
class Case:
    """One allocation to be made, insureds in order of their policy numbers."""

    book: Columns
    insurers: tuple[str, ...]
    whose: Ints
    money_fen: Ints
    catalogue: Catalogue
    unit_fen: Ints
    share: Floats
    claims: Floats
    owed: Ints
    duty_type: Ints
    small: np.ndarray[Any, np.dtype[np.bool_]]
    place: Ints
    capacity: Ints | None
    reserve_fen: Ints
    most_visits: int
    most_fen: int | None

    def gains(self, service: int, before: Ints | int, after: Ints | int) -> Floats:
        """Return the losses prevented by the visits of one service beyond `before`, up to `after`, (n,) yuan."""
        item = self.catalogue.items[service]
        added: Floats = item.most * (np.exp(-item.rate * np.asarray(before)) - np.exp(-item.rate * np.asarray(after)))
        return self.book["annual_losses_yuan"] * added


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
) -> Allocation:
    """Spend each insurer's prevention money across its portfolio.

    Parameters
    ----------
    source : Rated, path or frame
        Insureds: policy_no, insurer, size_class, division_code, premium_fen, annual_losses_yuan (expected losses of
        the year, yuan); optionally annual_claims (expected accidents), outstanding (duty visits still owed), sector
        and start_date (from which the duty follows where `outstanding` is absent).
    budgets : mapping of insurer to fen, a `Levy`, or a frame (insurer, amount_fen)
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
        What providers can do. By division alone it is divided among insurers by premium, largest remainder.

    Returns
    -------
    Allocation
        1. Duties: the accepted service that prevents most per yuan, ordered by the same measure. If money runs out,
        the rest is named with what is missing, and nothing else is bought. 2. The reserve, to small firms. 3. All
        money left, visit by visit, where it prevents most per yuan: ``losses x most x (exp(-b (k-1)) - exp(-b k))``
        for the k-th visit of a service; effects of different services add up. The plan of 2 and 3 is held against a
        proved bound (`visits.upper_bound`). More money never prevents less; the order of rows is irrelevant.

    Raises
    ------
    BookError
        RM700 a column is missing, RM701 a policy stands twice, RM723 an insurer without a budget or a budget without
        an insurer, RM724 an amount or limit that is negative.
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
    book = _book(source)
    money = _budgets(budgets if budgets is not None or not isinstance(source, Rated) else _own_fund(source))
    case, back, refused = _case(
        book,
        money,
        items,
        read_duty_rules() if duty_rules is None else tuple(duty_rules),
        (most_visits, most_fen, small_reserve_fen, capacity),
    )
    return _solve(case, back, refused)


def _book(source: Any) -> Columns:
    more = ("annual_claims", "outstanding", "sector", "start_date")
    if not isinstance(source, Rated):
        return read_columns(source, NEEDED, more)
    table = source.table.filter(source.table["premium_fen"].is_valid())
    if source.plan.key and source.plan.key != "policy_no":
        table = table.append_column("policy_no", table[source.plan.key].cast(pa.string()))
    return read_columns(table, NEEDED, more)


def _own_fund(rated: Rated) -> Mapping[str, int]:
    table = rated.table.filter(rated.table["premium_fen"].is_valid())
    if "fund_fen" not in table.column_names or "insurer" not in table.column_names:
        return {}
    names, (whose,) = codes_of(np.asarray(table["insurer"].cast(pa.string()).to_pylist(), dtype=object))
    total = np.zeros(len(names), dtype=np.int64)
    np.add.at(total, whose, table["fund_fen"].to_numpy())
    return dict(zip(names, total.tolist()))


def _budgets(given: Any) -> dict[str, int]:
    if isinstance(given, Mapping):
        money = {str(name): int(fen) for name, fen in given.items()}
    elif isinstance(given, Levy):
        names, (whose,) = codes_of(given.insurer)
        total = np.zeros(len(names), dtype=np.int64)
        np.add.at(total, whose, given.levy_fen)
        money = dict(zip(names, total.tolist()))
    else:
        read = read_columns(given, ("insurer", "amount_fen"))
        join(read["insurer"][:0], read["insurer"], "RM723", "budgets")
        money = dict(zip(read["insurer"].tolist(), read["amount_fen"].tolist()))
    if wrong := [name for name, fen in money.items() if fen < 0]:
        raise BookError(problem("RM724", name=name, value=money[name]) for name in wrong)
    return money


def _case(
    book: Columns,
    money: dict[str, int],
    catalogue: Catalogue,
    rules: tuple[DutyRule, ...],
    limits: tuple[int, int | None, Mapping[str, int] | None, Any],
) -> tuple[Case, Ints, list[Problem]]:
    """Return the case with insureds in order of policy number, and where each stands in the order given."""
    import pyarrow.compute as pc

    refused = list(book.refused)
    if len(book) == 0:
        raise ModelError([problem("RM713"), *refused[:5]])
    join(book["policy_no"][:0], book["policy_no"], "RM723", "insureds")
    unit = np.stack(
        [catalogue.cost_fen(item, book["size_class"], book["division_code"]) for item in catalogue.items], 1
    )
    bad = (unit < 0).any(axis=1) | ~(book["annual_losses_yuan"] >= 0) | (book["premium_fen"] < 0)
    if bad.any():
        first = np.flatnonzero(bad)[0]
        refused.append(
            problem(
                "RM722",
                count=int(bad.sum()),
                policy=book["policy_no"][first],
                size=book["size_class"][first],
                place=book["division_code"][first],
            )
        )
        book, unit = book.take(~bad), unit[~bad]
        if not len(book):
            raise ModelError([problem("RM713"), *refused[:5]])
    order = np.asarray(pc.sort_indices(pa.array(book["policy_no"], pa.string())).to_numpy(), dtype=np.int64)
    book, unit = book.take(order), unit[order]
    names, (whose,) = codes_of(book["insurer"])
    _same_insurers(names, money)
    most_visits, most_fen, reserve, capacity = limits
    if most_visits < 0 or (most_fen or 0) < 0:
        raise BookError(problem("RM724", name="most_visits, most_fen", value=min(most_visits, most_fen or 0)))
    owed = _owed(book, rules)
    place, room = _places(book, names, whose, capacity)
    claims = book["annual_claims"] if "annual_claims" in book else np.zeros(len(book))
    share = np.array([item.most * -np.expm1(-item.rate) for item in catalogue.items])
    case = Case(
        book,
        names,
        whose,
        np.array([money[name] for name in names]),
        catalogue,
        unit,
        share,
        np.nan_to_num(claims),
        owed,
        _duty_type(catalogue, rules, unit, share),
        np.isin(book["size_class"].astype(str), SMALL),
        place,
        room,
        np.array([int((reserve or {}).get(name, 0)) for name in names]),
        most_visits,
        most_fen,
    )
    return case, order, refused


def _same_insurers(names: Sequence[str], money: dict[str, int]) -> None:
    wrong = [
        problem("RM723", what="budgets", keys=name, count=1, nearest=nearest(name, money))
        for name in names
        if name not in money
    ]
    wrong += [
        problem("RM723", what="insureds", keys=name, count=1, nearest=nearest(name, names))
        for name in money
        if name not in names
    ]
    if wrong:
        raise BookError(wrong)


def _owed(book: Columns, rules: tuple[DutyRule, ...]) -> Ints:
    if "outstanding" in book:
        owed: Ints = book["outstanding"]
        if (owed < 0).any():
            raise BookError(problem("RM724", name="outstanding", value=int(owed.min())))
        return owed
    if "sector" not in book or "start_date" not in book:
        raise ModelError(problem("RM725"))
    return owed_by_rule(rules, book["sector"], book["size_class"], book["start_date"])[0]


def _duty_type(catalogue: Catalogue, rules: tuple[DutyRule, ...], unit: Ints, share: Floats) -> Ints:
    """Return the accepted service of most prevention per yuan for each insured, (n,) int64."""
    accepted = {name for rule in rules for name in rule.accepted}
    counts = np.array([item.name in accepted for item in catalogue.items])
    if not counts.any():
        raise ModelError(problem("RM725"))
    found: Ints = np.argmax(np.where(counts, share / unit, -1.0), axis=1)
    return found


def _places(book: Columns, names: Sequence[str], whose: Ints, capacity: Any) -> tuple[Ints, Ints | None]:
    """Return the capacity each insured draws on, and what each holds; one for each insurer and division."""
    if capacity is None:
        return np.zeros(len(whose), dtype=np.int64), None
    divisions, (division,) = codes_of(book["division_code"])
    place = whose * len(divisions) + division
    room = np.zeros(len(names) * len(divisions), dtype=np.int64)
    premium = np.zeros(len(room), dtype=np.int64)
    np.add.at(premium, place, book["premium_fen"])
    for key, visits in capacity.items():
        if int(visits) < 0:
            raise BookError(problem("RM724", name=str(key), value=int(visits)))
        if isinstance(key, tuple):
            if key[0] in names and key[1] in divisions:
                room[names.index(key[0]) * len(divisions) + divisions.index(key[1])] = int(visits)
        elif key in divisions:
            own = np.arange(len(names)) * len(divisions) + divisions.index(key)
            if premium[own].sum() > 0:
                room[own] = apportion(int(visits), premium[own])
    return place, room


def _duty_items(case: Case) -> Items:
    """Return the duty visits, one row each."""
    firm = np.repeat(np.arange(len(case.whose)), case.owed)
    turn = np.arange(len(firm)) - np.repeat(np.cumsum(case.owed) - case.owed, case.owed)
    service = case.duty_type[firm]
    most = np.array([item.most for item in case.catalogue.items])[service]
    rate = np.array([item.rate for item in case.catalogue.items])[service]
    gain = case.book["annual_losses_yuan"][firm] * most * (np.exp(-rate * turn) - np.exp(-rate * (turn + 1)))
    return Items(
        gain, case.unit_fen[firm, service], case.whose[firm], firm, case.place[firm], service, case.small[firm]
    )


def _more_items(case: Case, duty: Ints) -> Items:
    """Return the visits beyond the duties that could be made and would prevent something, one row each."""
    n, found = len(case.whose), []
    for at, item in enumerate(case.catalogue.items):
        done = np.where(case.duty_type == at, duty, 0)
        for turn in range(item.most_visits):
            gain = np.where(turn < done, 0.0, case.gains(at, turn, turn + 1))
            firm = np.flatnonzero(gain > 0)
            found.append((gain[firm], case.unit_fen[firm, at], firm, np.full(len(firm), at)))
    gain, cost, firm, service = (np.concatenate(parts) for parts in zip(*found))
    order = np.argsort(firm, kind="stable") if n else firm  # equal worth: by policy number, then service
    firm = firm[order]
    return Items(gain[order], cost[order], case.whose[firm], firm, case.place[firm], service[order], case.small[firm])


def _solve(case: Case, back: Ints, refused: list[Problem]) -> Allocation:
    n, many = len(case.whose), len(case.money_fen)
    duties = _duty_items(case)
    duties = duties.take(by_worth(duties))
    inside = allowed(duties, case.owed, None, case.capacity)
    bought = np.zeros(len(duties), dtype=bool)
    bought[inside] = buy(duties.take(np.flatnonzero(inside)), case.money_fen)
    duty = np.bincount(duties.firm[bought], minlength=n)
    paid, short = _fen(duties, bought, many), _fen(duties, inside & ~bought, many)
    left = case.money_fen - paid
    whole = short == 0
    used = np.bincount(duties.place[bought], minlength=0 if case.capacity is None else len(case.capacity))
    capacity = None if case.capacity is None else case.capacity - used
    room = np.maximum(case.most_visits - duty, 0)
    unit = case.unit_fen[np.arange(n), case.duty_type]
    purse = None if case.most_fen is None else np.maximum(case.most_fen - duty * unit, 0)
    items = _more_items(case, duty)
    items = items.take(by_worth(items))
    able = allowed(items, room, purse, capacity)
    chosen, kept = _rest(items.take(np.flatnonzero(able)), np.where(whole, left, 0), case.reserve_fen)
    taken = np.zeros(len(items), dtype=bool)
    taken[np.flatnonzero(able)] = chosen
    price = prices(items.take(np.flatnonzero(able)), chosen, many)
    bound = upper_bound(items, np.where(whole, left, 0), kept, price, room, capacity)
    visits = np.zeros((n, len(case.catalogue.items)), dtype=np.int64)
    np.add.at(visits, (duties.firm[bought], duties.option[bought]), 1)
    np.add.at(visits, (items.firm[taken], items.option[taken]), 1)
    duty_yuan = np.bincount(duties.firm[bought], duties.gain[bought], n).astype(np.float64)
    prevented = duty_yuan + np.bincount(items.firm[taken], items.gain[taken], n).astype(np.float64)
    ratio = np.divide(
        case.claims, case.book["annual_losses_yuan"], out=np.zeros(n), where=case.book["annual_losses_yuan"] > 0
    )
    spread = _proportional(case, duty, np.where(whole, left, 0))
    whose = case.whose

    def total(values: Any) -> Floats:
        return np.bincount(whose, values, many).astype(np.float64)

    by = ByInsurer(
        case.money_fen,
        paid + _fen(items, taken, many),
        total(case.owed).astype(np.int64),
        total(duty).astype(np.int64),
        np.where(whole, 0, np.maximum(short - left, 0)),
        np.bincount(duties.budget[~inside], minlength=many),
        total(duty_yuan),
        total(prevented - duty_yuan),
        bound,
        total(spread),
        total(prevented * ratio),
        total((duty_yuan + spread) * ratio),
    )
    place = np.argsort(back, kind="stable")
    book = case.book
    return Allocation(
        book["policy_no"][place],
        book["insurer"][place],
        book["size_class"][place],
        case.owed[place],
        duty[place],
        visits[place],
        case.unit_fen[place],
        prevented[place],
        (prevented * ratio)[place],
        tuple(item.name for item in case.catalogue.items),
        case.insurers,
        by,
        tuple(refused),
    )


def _fen(items: Items, which: Any, many: int) -> Ints:
    """Return the cost of some items by budget, exact."""
    total = np.zeros(many, dtype=np.int64)
    np.add.at(total, items.budget[which], items.cost_fen[which])
    return total


def _rest(items: Items, money_fen: Ints, reserve_fen: Ints) -> tuple[Any, Ints]:
    """Return which items are bought, and how much of the reserve small firms used, (budgets,) fen.

    Money that does not reach the reserve buys for small firms alone: otherwise a fen more of reserve could take away
    a better visit elsewhere.
    """
    chosen = np.zeros(len(items), dtype=bool)
    kept = np.zeros(len(money_fen), dtype=np.int64)
    if reserve_fen.any():
        rows = np.flatnonzero(items.small)
        chosen[rows] = buy(items.take(rows), np.minimum(reserve_fen, money_fen))
        kept = _fen(items, chosen, len(money_fen))
    open_to_all = np.where(money_fen >= reserve_fen, money_fen - kept, 0)
    rows = np.flatnonzero(~chosen)
    chosen[rows] = buy(items.take(rows), open_to_all)
    return chosen, kept


def _proportional(case: Case, duty: Ints, money_fen: Ints) -> Floats:
    """Return what money spread by premium would prevent after the duties, (n,) yuan: each insured's best service,
    fractions of visits allowed, which flatters the comparison.
    """
    worth = case.share / case.unit_fen
    best = np.argmax(worth, axis=1)
    premium = case.book["premium_fen"].astype(np.float64)
    whole = np.maximum(np.bincount(case.whose, premium, len(money_fen)), 1.0)
    spend = money_fen[case.whose] * premium / whole[case.whose]
    done = np.where(best == case.duty_type, duty, 0)
    found = np.zeros(len(best))
    for at, item in enumerate(case.catalogue.items):
        mine = best == at
        visits = np.minimum(spend / case.unit_fen[:, at], np.maximum(item.most_visits - done, 0))
        found[mine] = case.gains(at, done, done + visits)[mine]
    return found
