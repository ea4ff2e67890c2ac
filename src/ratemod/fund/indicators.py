"""What is measured of insurers and brokers: counts and sums by whom and year, every event once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ratemod.errors import ModelError, problem
from ratemod.fund.documents import SERVICE
from ratemod.fund.duties import LATE, MET, MISSING, Duties
from ratemod.fund.expected import balance
from ratemod.fund.fund_table import NO_DAY, Columns, Floats, Ints, codes_of, join, read_columns, year_of
from ratemod.fund.ledger import FundLedger
from ratemod.fund.quality import IN_TIME_DAYS, MISSING_DAYS, in_force
from ratemod.fund.score_rule import Indicator

Kind = Literal["share", "mean", "ratio"]
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


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """One indicator measured.

    Attributes
    ----------
    top, of : (who, years) float64, numerator and denominator; whole numbers but for expected claims
    spread : (years,) float64, variance of one event within whom it belongs to, at weight 1
    whole_top, whole_of : (years,) float64, of everybody, summed before dividing by whom
    """

    top: Floats
    of: Floats
    spread: Floats
    whole_top: Floats
    whole_of: Floats


@dataclass(frozen=True, eq=False, slots=True)
class Sources:
    """The tables that indicators are measured on; None where not given."""

    book: Columns
    who: Ints
    names: tuple[str, ...]
    years: tuple[int, ...]
    today: int
    by: str
    services: Columns | None = None
    duties: Duties | None = None
    hazards: Any = None
    claims: Any = None
    panel: Any = None
    ledger: FundLedger | None = None


def read_services(source: Any, today: int) -> Columns:
    """Return the services planned by a day, with deliveries known by then."""
    done = read_columns(source, "services", SERVICE, ("delivered_date", "cost_fen", "score"))
    day = done.get("delivered_date", np.full(len(done), NO_DAY))
    values = {**done.values, "delivered_date": np.where(day > today, NO_DAY, day)}
    found = Columns(values, done.refused, done.rows_in)
    return found.take(np.flatnonzero(done["planned_date"] <= today))


def measure(item: Indicator, given: Sources) -> Measured:
    """Return one indicator by whom and year.

    Raises
    ------
    ModelError
        RM746 when what it is measured on was not given.
    """
    if getattr(given, NEEDS[item.measure]) is None:
        raise ModelError(problem("RM746", name=item.name, needs=NEEDS[item.measure]))
    who, year, top, of = {
        "duty_met": _duty_met,
        "delivered": _delivered,
        "in_time": _in_time,
        "satisfaction": _satisfaction,
        "rectified": _rectified,
        "clean_payments": _clean_payments,
        "settled": _settled,
        "claims_ratio": _claims_ratio,
    }[item.measure](item, given)
    inside = (who >= 0) & (year >= given.years[0]) & (year <= given.years[-1])
    who, at, top, of = who[inside], (year - given.years[0])[inside], top[inside], of[inside]
    many, wide = len(given.names), len(given.years)
    cell = who * wide + at
    sums = [np.bincount(cell, part, many * wide).astype(np.float64).reshape(many, wide) for part in (top, of)]
    whole = [np.bincount(at, part, wide).astype(np.float64) for part in (top, of)]
    mean = np.divide(whole[0], whole[1], out=np.zeros(wide), where=whole[1] > 0)
    kind = KIND.get(item.measure, "share")
    if kind == "mean":
        own = np.divide(sums[0], sums[1], out=np.zeros((many, wide)), where=sums[1] > 0)
        away = np.bincount(at, (top - own.ravel()[cell]) ** 2, wide)
        free = np.maximum(whole[1] - (sums[1] > 0).sum(axis=0), 1)
        spread = away / free
    else:
        spread = mean * (1 - mean) if kind == "share" else mean
    return Measured(sums[0], sums[1], spread, whole[0], whole[1])


Events = tuple[Ints, Ints, Floats, Floats]


def _events(who: Ints, year: Ints, top: Any, of: Any = 1.0) -> Events:
    full = np.broadcast_to(np.asarray(of, dtype=np.float64), who.shape)
    return who, year, np.asarray(top, dtype=np.float64), full


def _by_policy(given: Sources, policy_no: Any, what: str) -> Ints:
    return given.who[join(policy_no, given.book["policy_no"], "RM709", what)]


def _named(given: Sources, column: Any) -> Ints:
    """Return the place of names among those assessed, -1 where they are not."""
    place = {name: at for at, name in enumerate(given.names)}
    return np.array([place.get(name, -1) for name in column.tolist()], dtype=np.int64)


def _duty_met(item: Indicator, given: Sources) -> Events:
    owed = given.duties
    assert owed is not None
    kept = np.flatnonzero(np.isin(owed.status, (MET, LATE, MISSING)))
    who = _by_policy(given, owed.policies["policy_no"], "duties")[owed.policy[kept]]
    return _events(who, year_of(owed.due[kept]), owed.status[kept] == MET)


def _services(given: Sources) -> tuple[Columns, Ints, Ints]:
    """Return services that are delivered or missing, whose, and their year."""
    done = given.services
    assert done is not None
    there = done["delivered_date"] != NO_DAY
    done = done.take(np.flatnonzero(there | (done["planned_date"] + MISSING_DAYS < given.today)))
    day = np.where(done["delivered_date"] == NO_DAY, done["planned_date"], done["delivered_date"])
    if given.by == "insurer":  # who did the service, which after a transfer is not who holds the policy
        return done, _named(given, done["insurer"]), year_of(day)
    return done, _by_policy(given, done["policy_no"], "services"), year_of(day)


def _delivered(item: Indicator, given: Sources) -> Events:
    done, who, year = _services(given)
    return _events(who, year, done["delivered_date"] != NO_DAY)


def _in_time(item: Indicator, given: Sources) -> Events:
    done, who, year = _services(given)
    own = np.flatnonzero(done["delivered_date"] != NO_DAY)
    days = (done["delivered_date"] - done["planned_date"])[own]
    return _events(who[own], year[own], days <= IN_TIME_DAYS)


def _satisfaction(item: Indicator, given: Sources) -> Events:
    done, who, year = _services(given)
    score = done.get("score", np.zeros(len(done), dtype=np.int64))
    own = np.flatnonzero((done["delivered_date"] != NO_DAY) & (score > 0))
    return _events(who[own], year[own], score[own])


def _rectified(item: Indicator, given: Sources) -> Events:
    seen = read_columns(
        given.hazards, "hazards", ("credit_code", "found_date", "due_date"), ("extended_due_date", "rectified_date")
    )
    seen = seen.take(np.flatnonzero(seen["found_date"] <= given.today))
    nothing = np.full(len(seen), NO_DAY)
    later, done = seen.get("extended_due_date", nothing), seen.get("rectified_date", nothing)
    due = np.where((later == NO_DAY) | (later > given.today), seen["due_date"], later)
    done = np.where(done > given.today, NO_DAY, done)
    row = in_force(seen, given.book)
    own = np.flatnonzero((row >= 0) & ((due < given.today) | (done != NO_DAY)))
    return _events(given.who[row[own]], year_of(seen["found_date"][own]), (done != NO_DAY)[own] & (done <= due)[own])


def _clean_payments(item: Indicator, given: Sources) -> Events:
    kept = given.ledger
    assert kept is not None
    paid, done = kept.papers.payments, kept.papers.services
    flagged = np.isin(paid["payment_no"].astype(str), np.array(kept.flags["payment_no"].to_pylist(), dtype=str))
    if given.by == "insurer":
        who = _named(given, paid["insurer"])
    else:
        who = np.full(len(paid), -1, dtype=np.int64)
        own = np.flatnonzero(paid["service"] >= 0)
        who[own] = _by_policy(given, done["policy_no"], "services")[paid["service"][own]]
    return _events(who, year_of(paid["date"]), ~flagged)


def _settled(item: Indicator, given: Sources) -> Events:
    seen = read_columns(given.claims, "claims", ("policy_no", "report_date"), ("settlement_date",))
    day, end = seen["report_date"], seen.get("settlement_date", np.full(len(seen), NO_DAY))
    own = np.flatnonzero(day + item.days <= given.today)  # the others have not had their days yet
    who = _by_policy(given, seen["policy_no"][own], "claims")
    in_days = (end[own] != NO_DAY) & (end[own] - day[own] <= item.days)
    return _events(who, year_of(day[own]), in_days)


def _claims_ratio(item: Indicator, given: Sources) -> Events:
    needed = ("policy_no", "year", "sector", "size_class", "earned_head_years", "claims")
    rows = read_columns(given.panel, "panel", needed)
    names, (sector,) = codes_of(rows["sector"])
    sizes, (size,) = codes_of(rows["size_class"])
    exposure, claims = rows["earned_head_years"].astype(np.float64), rows["claims"].astype(np.float64)
    by_sector, by_size = balance(sector, size, exposure, claims, len(names), len(sizes))
    expected = exposure * by_sector[sector] * by_size[size]
    at = rows["year"] - rows["year"].min()
    level = np.bincount(at, claims) / np.maximum(np.bincount(at, expected), 1e-12)
    who = _by_policy(given, rows["policy_no"], "panel")
    return _events(who, rows["year"], claims, expected * level[at])
