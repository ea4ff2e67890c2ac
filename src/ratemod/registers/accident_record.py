"""The accident record: claims and accidents of each enterprise over a look-back window, and its loss ratio.

The window of n years before day d holds the days from the same day n years earlier up to the day before d. An accident
is counted once for an enterprise, however many of its claims it causes, with the worst grade that any claim records.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.errors import ModelError, problem
from ratemod.reading.checks import ascending, codes_of
from ratemod.registers.as_of import Ints, pairs, timeline
from ratemod.registers.days import NEVER, Days, add_years, as_days, whole_years
from ratemod.registers.register import Register
from ratemod.rules.options import strict
from ratemod.rules.within import Count
from ratemod.vocabulary.codes.accident import GRADES, accident_grade

GRADE_COUNT = len(GRADES)


@dataclass(frozen=True, eq=False, slots=True)
class AccidentRecord:
    """The record of n enterprises before their days; fen and counts are int64.

    Attributes
    ----------
    accidents : (n, 4) int64, by grade (`ratemod.vocabulary.codes.accident.GRADES`)
    claims, deaths, serious_injuries : (n,) int64
    claim_free_years : (n,) int64
        Complete years since the day after the last accident, at most the complete years insured; -1 without policies.
    incurred_fen : (n,) int64, paid and reserved on accidents in the window, developed where factors are given
    earned_premium_fen : (n,) int64, earned in the window; 0 without policies
    loss_ratio : (n,) float64, incurred / earned; NaN where nothing was earned
    last : (n,) int64, register place of the last accident before the day, -1 where there is none
    last_by_grade : (n, 4) int64, the same of each grade counted in the window
    """

    accidents: Ints
    claims: Ints
    deaths: Ints
    serious_injuries: Ints
    claim_free_years: Ints
    incurred_fen: Ints
    earned_premium_fen: Ints
    loss_ratio: npt.NDArray[np.float64]
    last: Ints
    last_by_grade: Ints


@strict
def accident_record(
    claims: Register,
    credit_code: Any,
    on: npt.ArrayLike,
    *,
    years: Count = 3,
    policies: Register | None = None,
    needs_casualty: bool = True,
    development: Sequence[float] = (),
    valued_on: npt.ArrayLike | None = None,
    known_on: npt.ArrayLike | None = None,
) -> AccidentRecord:
    """Return what happened to each enterprise in the years before its day.

    Parameters
    ----------
    claims : Register of ``claims``
    credit_code : (n,) texts
    on : (n,) days or one day
    years : int
        Length of the window.
    policies : Register of ``policies``, optional
        For claim-free years and earned premium.
    needs_casualty : bool
        An accident counts by its grade only if somebody died or was seriously injured.
    development : factors by whole years of age of an accident on `valued_on`, the last for all older ones
        Incurred amounts are multiplied and rounded half-up to the fen.
    valued_on : one day, needed with `development`
    known_on : one day, optional
        Claims reported later are not known, and premium is earned up to and including it.

    Returns
    -------
    AccidentRecord

    Raises
    ------
    ModelError
        RM258 development factors without the day of valuation.

    Source
    ------
    Grades: State Council order 493, article 3. Windows and claim-free years: this project's definition, stated here.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from ratemod.registers.register import read_register
    >>> told = read_register(pa.table({"credit_code": ["A", "A"], "event_date": ["2023-01-01", "2022-12-31"],
    ...     "deaths": [3, 1], "serious_injuries": [0, 0]}), "claims")
    >>> accident_record(told, ["A"], as_days(["2026-01-01"])).accidents.tolist()
    [[0, 1, 0, 0]]
    """
    met = claims.met(credit_code)
    query, firm = met.asked, met.there
    day = as_days(on, len(query))
    event_day = claims.dates("event_date")
    if known_on is not None:
        reported = claims.dates("report_date")
        reported = np.where(reported == NEVER, event_day, reported)
        firm = np.where(reported <= as_days(known_on), firm, -1)
    low = add_years(day, -years)
    with ThreadPoolExecutor(1) as beside:  # both halves sort and search; neither holds the interpreter
        graded = beside.submit(_by_grade, claims, firm, (query, low, day), needs_casualty)
        line = timeline(firm, event_day)
        spans = line.between(query, low, day)
        deaths, injured = (line.total(claims.number(name), spans) for name in ("deaths", "serious_injuries"))
        loss = line.total(_developed(claims, event_day, development, valued_on), spans)
        by_grade, last_by_grade = graded.result()
    last = line.latest(query, spans)
    earned = np.zeros(len(query), dtype=np.int64)
    free = np.full(len(query), -1, dtype=np.int64)
    if policies is not None:
        until = day if known_on is None else np.minimum(day, as_days(known_on) + 1)
        earned, insured = _insured(policies, credit_code, day, until, years)
        since = event_day[np.maximum(last, 0)] + 1 if len(event_day) else np.zeros(len(query), dtype=np.int64)
        free = np.where(last >= 0, np.minimum(whole_years(np.where(last >= 0, since, day), day), insured), insured)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(earned > 0, loss / earned, np.nan)
    return AccidentRecord(
        accidents=by_grade,
        claims=spans[1] - spans[0],
        deaths=deaths,
        serious_injuries=injured,
        claim_free_years=free,
        incurred_fen=loss,
        earned_premium_fen=earned,
        loss_ratio=ratio,
        last=last,
        last_by_grade=last_by_grade,
    )


def _by_grade(claims: Register, firm: Ints, asked: tuple[Ints, Days, Days], needs_casualty: bool) -> tuple[Ints, Ints]:
    """Return accidents by grade and the last of each grade, (n, 4) int64 each, over windows of enterprise and days.

    An accident with several claims counts once, at its worst.
    """
    deaths, injured = claims.number("deaths"), claims.number("serious_injuries")
    grade = accident_grade(deaths, injured, claims.number("direct_loss_yuan"))
    if claims.has("accident_grade"):  # the authority's grade is of the whole accident, all victims counted
        grade = np.maximum(grade, np.asarray(claims.values["accident_grade"]))
    counted = (deaths > 0) | (injured > 0) if needs_casualty else np.ones(len(claims), dtype=bool)
    if claims.has("event_no") and not ascending(claims.values["event_no"]):
        event = claims.values["event_no"]
        event = pc.if_else(pc.equal(event, ""), pa.scalar(None, event.type), event)  # without a number, one of its own
        grade, counted = _once(codes_of(event), firm, claims.dates("event_date"), grade, counted)
    found, last = [], []
    counted &= firm >= 0
    for level in range(GRADE_COUNT):
        rows = np.flatnonzero(counted & (grade == level))  # few claims are accidents of a grade
        many, latest = np.zeros(len(asked[0]), dtype=np.int64), np.full(len(asked[0]), -1, dtype=np.int64)
        if len(rows):
            line = timeline(firm[rows], claims.dates("event_date")[rows])
            spans = line.between(*asked)
            many = spans[1] - spans[0]
            latest = np.where(many > 0, rows[line.latest(asked[0], spans)], -1)
        found.append(many)
        last.append(latest)
    return np.stack(found, axis=1), np.stack(last, axis=1)


def _once(
    event: Ints, firm: Ints, day: Days, grade: npt.NDArray[np.int8], counted: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.bool_]]:
    """Give the worst grade of an accident to the earliest of an enterprise's claims from it, and to no other."""
    rows = np.flatnonzero((event >= 0) & (firm >= 0) & (np.bincount(event[event >= 0], minlength=1)[event] > 1))
    if not len(rows):
        return grade, counted
    order = rows[np.lexsort((rows, day[rows], firm[rows], event[rows]))]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (event[order][1:] != event[order][:-1]) | (firm[order][1:] != firm[order][:-1])
    starts = np.flatnonzero(new)
    worst = np.maximum.reduceat(np.where(counted[order], grade[order], -1), starts)
    grade, counted = grade.copy(), counted.copy()
    counted[order] = False
    counted[order[starts]] = worst >= 0
    grade[order[starts]] = worst
    return grade, counted


def _developed(claims: Register, day: Days, factors: Sequence[float], valued_on: npt.ArrayLike | None) -> Ints:
    incurred = claims.number("paid_fen") + claims.number("case_reserve_fen")
    if not len(factors):
        return np.asarray(incurred)
    if valued_on is None:
        raise ModelError(problem("RM258"))
    age = np.clip(whole_years(day, as_days(valued_on, len(day))), 0, len(factors) - 1)
    developed: Ints = np.floor(incurred * np.asarray(factors, dtype=np.float64)[age] + 0.5).astype(np.int64)
    return developed


def _insured(policies: Register, credit_code: Any, day: Days, until: Days, years: int) -> tuple[Ints, Ints]:
    """Return earned premium in the window (fen) and complete years insured before the day, (n,) int64 each.

    Premium earns by the day. What is earned by a day is rounded down and windows take differences, so that windows
    side by side add up to the premium. Nothing is earned after the day known (`until`). Years are counted from the
    start of the first policy.
    """
    met = policies.met(credit_code)
    query, firm, count = met.asked, met.there, met.count
    start, end, stop = (policies.dates(name) for name in ("start_date", "end_date", "cancelled_date"))
    premium, low = policies.number("premium_fen"), add_years(day, -years)
    earned = np.zeros(len(query), dtype=np.int64)
    first = np.full(len(query), -NEVER, dtype=np.int64)
    for pair in pairs(firm, query, count):
        event = pair.event
        term = np.maximum(end[event] - start[event], 1)

        def by(when: Days, event: Ints = event, term: Ints = term, many: Ints = pair.query) -> Ints:
            run = np.clip(np.minimum(when[many], stop[event]) - start[event], 0, term)
            return premium[event] // term * run + premium[event] % term * run // term

        pair.sums(np.maximum(by(until) - by(low), 0), earned)
        pair.highest(-start[event], first)
    began = -first
    insured = np.where(began < day, whole_years(np.minimum(began, day), day), 0)
    return earned, insured
