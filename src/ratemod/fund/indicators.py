"""What is measured of insurers, brokers and service bodies: sums by whom and year, each event once, a firm as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ratemod.errors import Lang, ModelError, Problem, problem, text
from ratemod.fund.documents import SERVICE, of_book
from ratemod.fund.duties import LATE, MET, MISSING, Duties
from ratemod.fund.events import Events, of_policies, read_events
from ratemod.fund.expected import balance
from ratemod.fund.fund_table import NO_DAY, Columns, Floats, Ints, Texts, codes_of, year_of
from ratemod.fund.ledger import FundLedger
from ratemod.fund.quality import IN_TIME_DAYS, completion, policy_on
from ratemod.fund.score_rule import Indicator, Whose
from ratemod.reading.join import join
from ratemod.vocabulary.table import tables

Kind = Literal["share", "mean", "ratio"]
LANGS: tuple[Lang, ...] = ("en", "zh")
KIND: Mapping[str, Kind] = {"satisfaction": "mean", "claims_ratio": "ratio"}
NEEDS = {
    "duty_met": "duties",
    "delivered": "services",
    "in_time": "services",
    "satisfaction": "services",
    "rectified": "hazards",
    "clean_payments": "ledger",
    "settled": "claims",
    "claims_ratio": "panel",
}


# Of a service body only its own services and payments tell: duties, hazards and claims are of policies, and a budget
# and a concentration are the insurer's.
OF_BODIES = frozenset(("delivered", "in_time", "satisfaction", "clean_payments"))
OF_INSURERS = frozenset(("budget", "concentration"))

# What a rule of use finds once a year, however many payments it names: one overrun, one relation, one concentration.
ONE_CAUSE = {"budget": ("insurer", "fund_year"), "related": ("insurer", "fund_year", "provider")}


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """One indicator measured.

    Attributes
    ----------
    top, of : (who, years) float64, numerator and denominator; whole numbers but for expected claims
    spread : (years,) float64, variance of one event within whom it belongs to, at weight 1, a firm's events together
    free : (years,) int64, firms less those assessed: what the variance rests on
    whole_top, whole_of : (years,) float64, of everybody, summed before dividing by whom
    told : tuple of Problem, rows refused, repeated or set aside
    """

    top: Floats
    of: Floats
    spread: Floats
    free: Ints
    whole_top: Floats
    whole_of: Floats
    told: tuple[Problem, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Sources:
    """The tables that indicators are measured on; None where not given. `who` is whose a policy is, -1 nobody's."""

    book: Columns
    gone: frozenset[str]
    who: Ints
    names: tuple[str, ...]
    years: tuple[int, ...]
    today: int
    by: Whose
    services: Events | None = None
    duties: Duties | None = None
    hazards: Any = None
    claims: Any = None
    panel: Any = None
    ledger: FundLedger | None = None


def read_services(source: Any, book: Columns, insurers: Sequence[str] | None, today: int) -> Events:
    """Return the services known on a day, each once and of a policy, with deliveries known by then."""
    done = read_events(source, "services", SERVICE, ("delivered_date", "cost_fen", "score"), SERVICE[:1])
    return of_book(done, book, insurers, today)


def check_measured(items: Sequence[Indicator], given: Sources) -> None:
    """Refuse indicators that cannot be measured, all at once.

    Raises
    ------
    ModelError
        RM746 what one is measured on was not given; RM748 of service bodies it tells nothing.
    """
    wrong = [
        problem("RM746", name=item.name, needs=NEEDS[item.measure], **_needs(NEEDS[item.measure]))
        for item in items
        if getattr(given, NEEDS[item.measure]) is None
    ]
    if given.by == "provider":
        known = ", ".join(sorted(OF_BODIES))
        wrong += [problem("RM748", name=item.name, known=known) for item in items if item.measure not in OF_BODIES]
    if wrong:
        raise ModelError(wrong)


def _needs(noun: str) -> dict[str, Any]:
    """Return what a source is called: a shared table, or the duties or the ledger that are worked out."""
    known = tables().get(noun)
    return {f"needs_{lang}": known.label(lang) if known else text(f"UI_fund_sheet_{noun}", lang) for lang in LANGS}


def measure(item: Indicator, given: Sources) -> Measured:
    """Return one indicator by whom and year.

    Formula
    -------
    Events of one firm in one year hang together (all its services are done, or none), so their variance is that of the
    firms' sums: ``s2 = sum (top_f - x_i of_f)^2 / sum of_f x firms / (firms - assessed)``, never less than if every
    event stood alone. x_i is the rate of whom the firm belongs to.

    Source
    ------
    K.-Y. Liang, S. L. Zeger, "Longitudinal data analysis using generalized linear models", Biometrika 73 (1986).

    Raises
    ------
    ModelError
        Those of `check_measured`.
    """
    check_measured([item], given)
    seen = {
        "duty_met": _duty_met,
        "delivered": _delivered,
        "in_time": _in_time,
        "satisfaction": _satisfaction,
        "rectified": _rectified,
        "clean_payments": _clean_payments,
        "settled": _settled,
        "claims_ratio": _claims_ratio,
    }[item.measure](item, given)
    inside = (seen.who >= 0) & (seen.year >= given.years[0]) & (seen.year <= given.years[-1])
    who, at, top, of = seen.who[inside], (seen.year - given.years[0])[inside], seen.top[inside], seen.of[inside]
    many, wide = len(given.names), len(given.years)
    cell = who * wide + at
    sums = [np.bincount(cell, part, many * wide).astype(np.float64).reshape(many, wide) for part in (top, of)]
    whole = [np.bincount(at, part, wide).astype(np.float64) for part in (top, of)]
    own = np.divide(sums[0], sums[1], out=np.zeros((many, wide)), where=sums[1] > 0)
    _, (firm,) = codes_of(seen.firm[inside])
    _, first, group = np.unique(firm * (many * wide) + cell, return_index=True, return_inverse=True)
    away = np.bincount(group, top - own.ravel()[cell] * of) ** 2
    clusters = np.bincount(at[first], minlength=wide)
    free = clusters - (sums[1] > 0).sum(axis=0)
    scaled = np.bincount(at[first], away, wide) * clusters
    unknown = np.where(whole[1] > 0, np.inf, 0.0)  # of one firm each nothing can be told
    spread = np.divide(scaled, whole[1] * free, out=unknown, where=(free > 0) & (whole[1] > 0))
    kind = KIND.get(item.measure, "share")
    if kind != "mean":
        alone = (sums[1] * own * (1 - own)).sum(axis=0) if kind == "share" else whole[0]
        spread = np.maximum(spread, np.divide(alone, whole[1], out=np.zeros(wide), where=whole[1] > 0))
    return Measured(
        top=sums[0], of=sums[1], spread=spread, free=free, whole_top=whole[0], whole_of=whole[1], told=seen.told
    )


@dataclass(frozen=True, eq=False, slots=True)
class Seen:
    """Events of one indicator: whose, when, of which firm, what counts of how much; and what was left out."""

    who: Ints
    year: Ints
    firm: Texts
    top: Floats
    of: Floats
    told: tuple[Problem, ...] = ()


def _seen(who: Ints, year: Ints, firm: Texts, top: Any, of: Any = 1.0, told: tuple[Problem, ...] = ()) -> Seen:
    full = np.broadcast_to(np.asarray(of, dtype=np.float64), who.shape)
    return Seen(who=who, year=year, firm=firm, top=np.asarray(top, dtype=np.float64), of=full, told=told)


def _read(given: Sources, source: Any, table: str, needed: tuple[str, ...], more: tuple[str, ...] = ()) -> Events:
    """Return the events of a table that belong to a policy."""
    return of_policies(read_events(source, table, needed, more, more[-1:]), given.book, given.gone)


def _named(given: Sources, column: Any) -> Ints:
    """Return the place of names among those assessed, -1 where they are not."""
    place = {name: at for at, name in enumerate(given.names)}
    return np.array([place.get(name, -1) for name in column.tolist()], dtype=np.int64)


def _duty_met(item: Indicator, given: Sources) -> Seen:
    owed = given.duties
    assert owed is not None
    kept = np.flatnonzero(np.isin(owed.status, (MET, LATE, MISSING)))
    row = join(owed.policies["policy_no"], given.book["policy_no"]).place()[owed.policy[kept]]
    kept, row = kept[row >= 0], row[row >= 0]  # of a policy that is refused here nothing is measured; that is told
    return _seen(given.who[row], year_of(owed.due[kept]), given.book["credit_code"][row], owed.status[kept] == MET)


def _services(given: Sources) -> tuple[Columns, Ints, Ints, Texts]:
    """Return services that are delivered or missing, whose, their year, and the firm that they serve."""
    found = given.services
    assert found is not None
    state = completion(found.rows["planned_date"], found.rows["delivered_date"], given.today)
    kept = np.flatnonzero(state.delivered | state.missing)
    done, row = found.rows.take(kept), found.place[kept]
    # who did the service, which after a transfer is not who holds the policy
    who = given.who[row] if given.by == "broker" else _named(given, done[given.by])
    return done, who, state.year[kept], given.book["credit_code"][row]


def _delivered(item: Indicator, given: Sources) -> Seen:
    done, who, year, firm = _services(given)
    return _seen(who, year, firm, done["delivered_date"] != NO_DAY)


def _in_time(item: Indicator, given: Sources) -> Seen:
    done, who, year, firm = _services(given)
    own = np.flatnonzero(done["delivered_date"] != NO_DAY)
    days = (done["delivered_date"] - done["planned_date"])[own]
    return _seen(who[own], year[own], firm[own], days <= IN_TIME_DAYS)


def _satisfaction(item: Indicator, given: Sources) -> Seen:
    done, who, year, firm = _services(given)
    score = done.get("score", np.full(len(done), np.nan))
    own = np.flatnonzero((done["delivered_date"] != NO_DAY) & ~np.isnan(score))
    return _seen(who[own], year[own], firm[own], score[own])


def _rectified(item: Indicator, given: Sources) -> Seen:
    more = ("due_date", "extended_due_date", "rectified_date", "hazard_id")
    found = read_events(given.hazards, "hazards", ("credit_code", "found_date"), more, more[-1:])
    seen = found.rows.take(np.flatnonzero(found.rows["found_date"] <= given.today))
    nothing = np.full(len(seen), NO_DAY)
    later, done = seen.get("extended_due_date", nothing), seen.get("rectified_date", nothing)
    due = np.where((later == NO_DAY) | (later > given.today), seen.get("due_date", nothing), later)
    done = np.where(done > given.today, NO_DAY, done)
    row = policy_on(seen, given.book)
    own = np.flatnonzero((row >= 0) & (due != NO_DAY) & ((due < given.today) | (done != NO_DAY)))
    firm = given.book["credit_code"][row[own]]
    in_days = (done != NO_DAY)[own] & (done <= due)[own]
    return _seen(given.who[row[own]], year_of(seen["found_date"][own]), firm, in_days, told=found.told)


def _clean_payments(item: Indicator, given: Sources) -> Seen:
    """Payments that break no rule of use; what has one cause in a year (`ONE_CAUSE`) is one event, not so many."""
    kept = given.ledger
    assert kept is not None
    paid, done = kept.papers.payments, kept.papers.services
    flags = kept.flags.select(["check", "payment_no", "insurer", "fund_year", "provider"]).to_pylist()
    seen: set[tuple[Any, ...]] = set()
    numbers: set[str] = set()
    for row in flags:
        if given.by == "provider" and row["check"] in OF_INSURERS:
            continue
        cause = (row["check"], *(row[name] for name in ONE_CAUSE.get(row["check"], ("payment_no",))))
        if cause not in seen:
            seen.add(cause)
            numbers.add(row["payment_no"])
    clean = ~np.isin(paid["payment_no"].astype(str), np.array(sorted(numbers), dtype=str))
    who = np.full(len(paid), -1, dtype=np.int64) if given.by == "broker" else _named(given, paid[given.by])
    firm = paid["provider"].copy()
    own = np.flatnonzero(paid["service"] >= 0)
    row = join(done["policy_no"], given.book["policy_no"]).place()[paid["service"][own]]
    own, row = own[row >= 0], row[row >= 0]
    firm[own] = given.book["credit_code"][row]
    if given.by == "broker":
        who[own] = given.who[row]
    return _seen(who, year_of(paid["date"]), firm, clean)


def _settled(item: Indicator, given: Sources) -> Seen:
    found = _read(given, given.claims, "claims", ("policy_no", "report_date"), ("settlement_date", "claim_no"))
    day, nothing = found.rows["report_date"], np.full(len(found.rows), NO_DAY)
    end = found.rows.get("settlement_date", nothing)
    own = np.flatnonzero(day + item.days <= given.today)  # the others have not had their days yet
    row = found.place[own]
    in_days = (end[own] != NO_DAY) & (end[own] - day[own] <= item.days)
    return _seen(given.who[row], year_of(day[own]), given.book["credit_code"][row], in_days, told=found.told)


def _claims_ratio(item: Indicator, given: Sources) -> Seen:
    needed = ("policy_no", "year", "sector", "size_class", "earned_head_years", "claims")
    found = _read(given, given.panel, "panel", needed)
    rows = found.rows
    names, (sector,) = codes_of(rows["sector"])
    sizes, (size,) = codes_of(rows["size_class"])
    exposure, claims = rows["earned_head_years"].astype(np.float64), rows["claims"].astype(np.float64)
    by_sector, by_size = balance(sector, size, exposure, claims, len(names), len(sizes))
    expected = exposure * by_sector[sector] * by_size[size]
    at = rows["year"] - rows["year"].min()
    level = np.bincount(at, claims) / np.maximum(np.bincount(at, expected), 1e-12)
    row = found.place
    return _seen(given.who[row], rows["year"], given.book["credit_code"][row], claims, expected * level[at], found.told)
