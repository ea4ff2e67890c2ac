"""One allocation to be made: insureds, budgets, prices, duties and limits, checked and in a fixed order."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from ratemod.errors import BookError, ModelError, Problem, nearest, problem
from ratemod.fund.catalogue import Catalogue
from ratemod.fund.duty_rule import DutyRule, owed_by_rule
from ratemod.fund.events import Events, read_events
from ratemod.fund.fund_table import Bools, Columns, Floats, Ints, codes_of, read_columns
from ratemod.fund.levy import Levy
from ratemod.fund.visits import Items
from ratemod.money import apportion, yuan_text
from ratemod.rating.rated import Rated
from ratemod.reading.join import join

NEEDED = ("policy_no", "insurer", "size_class", "division_code", "premium_fen", "annual_losses_yuan")
ESTIMATE = "annual_losses_yuan"
SMALL = ("small", "micro")
PLACE = "division_code"
MOST_NAMED = 20
Capacity = Mapping[tuple[str, str], int] | Mapping[str, int]  # visits by insurer and division, or by division


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

    def take(self, rows: Ints) -> Case:
        """Return some of the insureds, all else alike."""
        names = ("whose", "unit_fen", "claims", "owed", "duty_type", "small", "place")
        return replace(self, book=self.book.take(rows), **{name: getattr(self, name)[rows] for name in names})

    def items(self, firm: Ints, option: Ints, gain: Floats, cost_fen: Ints) -> Items:
        """Return visits (or steps) of insureds, with whose money and which place each of them draws on."""
        return Items(
            gain=gain,
            cost_fen=cost_fen,
            budget=self.whose[firm],
            firm=firm,
            place=self.place[firm],
            option=option,
            small=self.small[firm],
        )

    def gains(self, service: int, before: Ints | int, after: Ints | int) -> Floats:
        """Return the losses prevented by the visits of one service beyond `before`, up to `after`, (n,) yuan."""
        item = self.catalogue.items[service]
        added: Floats = item.most * (np.exp(-item.rate * np.asarray(before)) - np.exp(-item.rate * np.asarray(after)))
        return self.book["annual_losses_yuan"] * added


def read_insureds(source: Any) -> Columns:
    """Return the insureds of a file, a frame or the priced rows of a rated book."""
    more = ("annual_claims", "outstanding", "sector", "start_date")
    if isinstance(source, Rated):
        table = source.table.filter(source.table["premium_fen"].is_valid())
        if source.plan.key and source.plan.key != "policy_no":
            table = table.append_column("policy_no", table[source.plan.key].cast(pa.string()))
        source = table
    try:
        return read_columns(source, "insureds", NEEDED, more, ("annual_claims", "outstanding"))
    except BookError as error:  # no list has expected losses under another name: they are an estimate
        raise BookError(
            problem("RM877", file=item.file, name=item.args["name"]) if item.args.get("name") == ESTIMATE else item
            for item in error.problems
        ) from None


def own_fund(rated: Rated) -> Mapping[str, int]:
    """Return a rated book's own fund by insurer, fen."""
    table = rated.table.filter(rated.table["premium_fen"].is_valid())
    if "fund_fen" not in table.column_names or "insurer" not in table.column_names:
        return {}
    names, (whose,) = codes_of(np.asarray(table["insurer"].cast(pa.string()).to_pylist(), dtype=object))
    total = np.zeros(len(names), dtype=np.int64)
    np.add.at(total, whose, table["fund_fen"].to_numpy())
    return dict(zip(names, total.tolist()))


def read_budgets(given: Any, year: int | None = None) -> tuple[dict[str, int], tuple[Problem, ...]]:
    """Return budgets by insurer, fen, from a mapping, a levy or a list of a year, and what is said of its rows.

    Raises
    ------
    BookError
        RM774 the list has budgets of several years and none is named, or none of the year that is; RM724.
    ModelError
        RM775 a year is named and the money is no list.
    """
    told: tuple[Problem, ...] = ()
    if year is not None and isinstance(given, Mapping | Levy):
        raise ModelError(problem("RM775", year=year))
    if isinstance(given, Mapping):
        money = {str(name): int(fen) for name, fen in given.items()}
    elif isinstance(given, Levy):
        names, (whose,) = codes_of(given.insurer)
        total = np.zeros(len(names), dtype=np.int64)
        np.add.at(total, whose, given.levy_fen)
        money = dict(zip(names, total.tolist()))
    else:
        needed = ("insurer", "amount_fen") if year is None else ("insurer", "amount_fen", "fund_year")
        found = read_events(given, "budgets", needed, ("fund_year",), ("fund_year", "insurer"), ("fund_year",))
        found = _of_year(found, year)
        join(found.rows["insurer"], found.rows["insurer"]).one("budgets", "budgets")
        money = dict(zip(found.rows["insurer"].tolist(), found.rows["amount_fen"].tolist()))
        told = found.told
    if wrong := [name for name, fen in money.items() if fen < 0]:
        raise BookError(problem("RM724", name=name, value=yuan_text(money[name])) for name in wrong)
    return money, told


def _of_year(found: Events, year: int | None) -> Events:
    """Return the budgets of a year, or of the only one that there is."""
    if "fund_year" not in found.rows:
        return found
    years = sorted(set(found.rows["fund_year"].tolist()))
    if year not in years if year is not None else len(years) > 1:
        book = found.rows.book
        raise BookError(problem("RM774", years=", ".join(map(str, years)), file=None if book is None else book.file))
    return found if year is None else found.without(found.rows["fund_year"] != year, "other", None)


def make_case(
    book: Columns,
    money: dict[str, int],
    catalogue: Catalogue,
    rules: tuple[DutyRule, ...],
    *,
    most_visits: int,
    most_fen: int | None,
    small_reserve_fen: Mapping[str, int] | None,
    capacity: Capacity | None,
) -> tuple[Case, Ints, list[Problem]]:
    """Return the case with insureds in order of policy number, and where each stands in the order given."""
    import pyarrow.compute as pc

    refused, given = list(book.refused), _named(book)
    if len(book) == 0:
        raise ModelError([problem("RM713"), *refused[:5]])
    if pc.count_distinct(pa.array(book["policy_no"], pa.string())).as_py() < len(book):
        join(book["policy_no"], book["policy_no"]).one("insureds", "insureds")
    unit = catalogue.unit_fen(book["size_class"], book["division_code"])
    bad = (unit < 0).any(axis=1) | ~(book["annual_losses_yuan"] >= 0) | (book["premium_fen"] < 0)
    refused += _unusable(book, bad)
    book, unit = book.take(~bad), unit[~bad]
    if not len(book):
        raise ModelError([problem("RM713"), *refused[:5]])
    order = np.asarray(pc.sort_indices(pa.array(book["policy_no"], pa.string())).to_numpy(), dtype=np.int64)
    book, unit = book.take(order), unit[order]
    names, (whose,) = codes_of(book["insurer"])
    _same_insurers(names, money)
    if most_visits < 0 or (most_fen or 0) < 0:
        raise BookError(problem("RM724", name="most_visits, most_fen", value=min(most_visits, most_fen or 0)))
    owed = _owed(book, rules)
    place, room = _places(book, names, whose, capacity, given)
    claims = book["annual_claims"] if "annual_claims" in book else np.zeros(len(book))
    share = np.array([item.most * -np.expm1(-item.rate) for item in catalogue.items])
    case = Case(
        book=book,
        insurers=names,
        whose=whose,
        money_fen=np.array([money[name] for name in names]),
        catalogue=catalogue,
        unit_fen=unit,
        share=share,
        claims=np.nan_to_num(claims),
        owed=owed,
        duty_type=_duty_type(catalogue, rules, unit, share),
        small=np.isin(book["size_class"].astype(str), SMALL),
        place=place,
        capacity=room,
        reserve_fen=_reserve(names, small_reserve_fen or {}, given),
        most_visits=most_visits,
        most_fen=most_fen,
    )
    return case, order, refused


def _unusable(book: Columns, bad: Bools) -> list[Problem]:
    """Return RM722 where insureds have no price, or a premium or expected losses below nothing."""
    if not bad.any():
        return []
    policy, size, place = (str(book[name][int(np.argmax(bad))]) for name in ("policy_no", "size_class", PLACE))
    return [problem("RM722", **book.first(bad, "insureds"), policy=policy, size=size, place=place)]


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


def _named(book: Columns) -> set[tuple[str, str]]:
    """Return insurer and division of every row, of rows left out too: a limit that names one is no slip."""
    sides = [np.concatenate([book[name], book.left_out.get(name, book[name][:0])]) for name in ("insurer", PLACE)]
    return set(zip(*(side.tolist() for side in sides)))


def _reserve(names: Sequence[str], reserve: Mapping[str, int], given: set[tuple[str, str]]) -> Ints:
    """Return what is kept for small firms by insurer, (insurers,) int64 fen."""
    wrong = [
        *_below_zero("small_reserve_fen", reserve),
        *_nowhere("small_reserve_fen", reserve, names, {name for name, _ in given}),
    ]
    if wrong:
        raise BookError(wrong)
    return np.array([reserve.get(name, 0) for name in names], dtype=np.int64)


def _places(
    book: Columns, names: Sequence[str], whose: Ints, capacity: Capacity | None, given: set[tuple[str, str]]
) -> tuple[Ints, Ints | None]:
    """Return the capacity each insured draws on, and what each holds; one for each insurer and division."""
    if capacity is None:
        return np.zeros(len(whose), dtype=np.int64), None
    divisions, (division,) = codes_of(book["division_code"])
    place = whose * len(divisions) + division
    of_place: dict[Any, int] = {
        (name, code): at * len(divisions) + turn for at, name in enumerate(names) for turn, code in enumerate(divisions)
    }
    in_pairs = any(isinstance(key, tuple) for key in capacity)
    held: dict[Any, Ints] = (
        {key: np.array([at]) for key, at in of_place.items() if (place == at).any()}
        if in_pairs
        else {code: np.arange(len(names)) * len(divisions) + turn for turn, code in enumerate(divisions)}
    )
    named = given if in_pairs else {code for _, code in given}
    wrong = [*_below_zero("capacity", capacity), *_nowhere("capacity", capacity, held, named)]
    if lost := [_said(key) for key in held if key not in capacity]:
        wrong.append(problem("RM791", keys=", ".join(lost[:MOST_NAMED]), places=len(lost)))
    if wrong:
        raise BookError(wrong)
    premium = np.zeros(len(of_place), dtype=np.int64)
    np.add.at(premium, place, book["premium_fen"])
    insureds = np.bincount(place, minlength=len(of_place))
    room = np.zeros(len(of_place), dtype=np.int64)
    for key, own in held.items():
        weights = premium[own] if premium[own].any() else insureds[own]
        room[own] = apportion(capacity[key], weights)
    return place, room


def _below_zero(name: str, limit: Mapping[Any, int]) -> list[Problem]:
    return [problem("RM724", name=f"{name} {_said(key)}", value=most) for key, most in limit.items() if most < 0]


def _nowhere(name: str, limit: Mapping[Any, int], held: Collection[Any], named: set[Any]) -> list[Problem]:
    known = [_said(key) for key in held]
    return [
        problem("RM790", name=name, key=_said(key), nearest=nearest(_said(key), known))
        for key in limit
        if key not in held and key not in named
    ]


def _said(key: Any) -> str:
    return (
        " ".join(map(_said, key))
        if isinstance(key, tuple)
        else key
        if isinstance(key, str)
        else f"{key!r} ({type(key).__name__})"
    )
