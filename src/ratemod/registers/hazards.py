"""The register of hazards: the state of every enterprise's major hazards on any day, and its days by state in a term.

A hazard counts from the day it is found. It stays pending until its rectification is verified; the day of verification
ends it. The due date is inclusive: it is overdue from the day after, until it is rectified (and then open until that
is verified). A hazard without written notice or due date is open. An extension moves the due date from the day it is
granted, or, where that day is not recorded, from the start. Refused, once recorded, stays until verified.
Of several hazards the worst state counts: refused, overdue, open, verified, none.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.registers.as_of import Ints, Pairs, blocks, pairs
from ratemod.registers.columns import HAZARD_GRADES
from ratemod.registers.days import NEVER, Days, add_years, as_days
from ratemod.registers.register import Register
from ratemod.rules.options import strict

STATES = ("none", "open", "overdue", "refused", "verified")
_BY_RANK = np.array([0, 4, 1, 2, 3], dtype=np.int8)  # none, verified, open, overdue, refused: from best to worst
_EVENT_BITS, _MEASURE_BITS = 36, 23


@strict
@dataclass(frozen=True, slots=True)
class HazardRule:
    """What counts, as data of a plan.

    Attributes
    ----------
    grades : tuple of str
        Hazard grades that count.
    verified_counts_days : int
        For so many days after verification the state is ``verified``, then ``none``.
    repeat_years : int
        Look-back of the number of hazards found.
    """

    grades: tuple[str, ...] = ("major",)
    verified_counts_days: int = 365
    repeat_years: int = 3


@dataclass(frozen=True, eq=False, slots=True)
class HazardStates:
    """The answer to n questions.

    Attributes
    ----------
    state : (n,) int8, index into `STATES`
    overdue_days : (n,) int64, days past due of the longest overdue hazard, else 0
    pending : (n,) int64, hazards found and not yet verified
    repeats : (n,) int64, hazards found in the last `repeat_years` years, the day itself included
    event : (n,) int64, place in the register of the hazard that gives the state, -1 for ``none``
    """

    state: npt.NDArray[np.int8]
    overdue_days: Ints
    pending: Ints
    repeats: Ints
    event: Ints


@dataclass(frozen=True, eq=False, slots=True)
class _Dates:
    found: Days
    notified: Days
    due: Days
    granted: Days
    extended: Days
    rectified: Days
    verified: Days
    refused: Days
    extends: bool


def hazard_state(
    register: Register,
    credit_code: Any,
    on: npt.ArrayLike,
    *,
    rule: HazardRule | None = None,
    known_on: npt.ArrayLike | None = None,
) -> HazardStates:
    """Return the state of enterprises' hazards, each on its day.

    Parameters
    ----------
    register : Register of ``hazards``
    credit_code : (n,) texts
    on : (n,) days or one day
    rule : HazardRule, optional
    known_on : (n,) days or one day, optional
        Events after it are not known; default: the register as it stands.

    Returns
    -------
    HazardStates

    Formula
    -------
    pending = found <= d < verified; late = pending, not rectified by d, and d > due; overdue days = d - due.

    Source
    ------
    吉应急规划财务联〔2020〕282号, part 3 (2): refusal to rectify a major hazard may raise the rate and is reported.
    Which days count is this project's reading, stated above.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from ratemod.registers.register import read_register
    >>> told = read_register(pa.table({"credit_code": ["A"], "grade": ["major"], "found_date": ["2025-01-01"],
    ...                                "notified_date": ["2025-01-02"], "due_date": ["2025-01-31"]}), "hazards")
    >>> days = as_days(["2024-12-31", "2025-01-31", "2025-02-01"])
    >>> found = hazard_state(told, ["A"] * 3, days)
    >>> [STATES[at] for at in found.state], found.overdue_days.tolist()
    (['none', 'open', 'overdue'], [0, 0, 1])
    """
    met = register.met(credit_code)
    query, firm, count = met.asked, met.there, met.count
    day = as_days(on, len(query))
    known = None if known_on is None else as_days(known_on, len(query))
    return _states(
        _dates(register), _counted(register, firm, rule or HazardRule()), query, day, known, count, rule or HazardRule()
    )


def _dates(register: Register) -> _Dates:
    extended, granted = register.dates("extended_due_date"), register.dates("extension_granted_date")
    names = ("found_date", "notified_date", "due_date", "rectified_date", "verified_date", "refused_date")
    found, notified, due, rectified, verified, refused = map(register.dates, names)
    due = np.where(notified < NEVER, due, np.int32(NEVER))  # without written notice nothing is due
    moved = extended < NEVER
    if moved.any():  # an extension whose grant is not dated holds from the start
        dated = moved & (granted < NEVER)
        due = np.where(moved & ~dated, np.maximum(due, extended), due)
        extended = np.where(dated, np.maximum(due, extended), np.int32(NEVER))
    return _Dates(
        found=found,
        notified=notified,
        due=due,
        granted=granted,
        extended=extended,
        rectified=rectified,
        verified=verified,
        refused=refused,
        extends=bool((extended < NEVER).any()),
    )


def _counted(register: Register, firm: Ints, rule: HazardRule) -> Ints:
    """Return enterprise numbers with -1 for hazards whose grade does not count."""
    wanted = np.array([level.code in rule.grades for level in HAZARD_GRADES])
    return np.where(wanted[register.values["grade"]], firm, -1)


def _states(
    dates: _Dates, firm: Ints, query: Ints, day: Days, known_on: Days | None, count: int, rule: HazardRule
) -> HazardStates:
    n = len(query)
    overdue, pending, repeats = (np.zeros(n, dtype=np.int64) for _ in range(3))
    score = np.full(n, -1, dtype=np.int64)
    since = add_years(day, -rule.repeat_years)
    out = (score, overdue, pending, repeats)
    with ThreadPoolExecutor() as pool:  # blocks touch different questions
        list(
            pool.map(
                lambda make: _one_block(dates, make(), day, known_on, since, rule, out), blocks(firm, query, count)
            )
        )
    rank = np.where(score >= 0, score >> (_EVENT_BITS + _MEASURE_BITS), 0)
    event = np.where(rank > 0, score & ((1 << _EVENT_BITS) - 1), -1)
    return HazardStates(_BY_RANK[rank], overdue, pending, repeats, event)


def _one_block(
    dates: _Dates,
    pair: Pairs,
    day: Days,
    known_on: Days | None,
    since: Days,
    rule: HazardRule,
    out: tuple[Ints, Ints, Ints, Ints],
) -> None:
    """Answer the questions of one block of pairs; later events than `known_on` are not seen."""
    event, on = pair.event, day[pair.query]
    seen = on if known_on is None else np.minimum(on, known_on[pair.query])
    here = dates.found[event] <= seen
    verified = dates.verified[event]
    done = verified <= seen
    pending = here & ~done
    due = dates.due[event]
    if dates.extends:
        extended = dates.extended[event]
        due = np.where((extended < NEVER) & (dates.granted[event] <= seen), extended, due)
    if known_on is not None:  # else whatever is past due has been notified: the order of dates was checked
        due = np.where(dates.notified[event] <= seen, due, NEVER)
    late = pending & (dates.rectified[event] > seen) & (due < on)
    refused = pending & (dates.refused[event] <= seen)
    recent = here & done & (on - verified <= rule.verified_counts_days)
    rank = np.maximum(np.maximum(recent, pending * np.int8(2)), np.maximum(late * np.int8(3), refused * np.int8(4)))
    days = np.where(late, on - due, 0)
    # Of two in one state, the one longer overdue; else the one found earlier, or verified later.
    measure = np.where(late, days, np.where(pending, on - dates.found[event], verified))
    measure = np.where(rank > 0, np.clip(measure, 0, 2**_MEASURE_BITS - 1), 0).astype(np.int64)
    rank = rank.astype(np.int64)
    score, overdue, open_ones, repeats = out
    pair.highest((rank << (_EVENT_BITS + _MEASURE_BITS)) | (measure << _EVENT_BITS) | event, score)
    pair.highest(days, overdue)
    pair.sums(pending, open_ones)
    pair.sums(here & (dates.found[event] > since[pair.query]), repeats)


@dataclass(frozen=True, eq=False, slots=True)
class HazardSegments:
    """Terms cut where the state of hazards changes; the segments of a term add up to its days.

    Attributes
    ----------
    query : (s,) int64, place of the term
    start, end : (s,) int64 days, the end not included
    state : (s,) int8, index into `STATES`
    overdue_days : (s,) int64, on the first day of the segment
    """

    query: Ints
    start: Days
    end: Days
    state: npt.NDArray[np.int8]
    overdue_days: Ints

    @property
    def days(self) -> Ints:
        """Days of each segment, (s,) int64."""
        return self.end - self.start


def days_by_state(
    register: Register,
    credit_code: Any,
    start: npt.ArrayLike,
    end: npt.ArrayLike,
    *,
    thresholds: Sequence[int] = (),
    rule: HazardRule | None = None,
) -> HazardSegments:
    """Cut terms into segments in which the state of hazards, and the band of days overdue, stay the same.

    Parameters
    ----------
    register : Register of ``hazards``
    credit_code : (n,) texts
    start, end : (n,) days, the end not included
    thresholds : days overdue at which a loading escalates, such as 31 and 91

    Returns
    -------
    HazardSegments
        By term, then by day. For every term with start < end: sum of days = end - start.
    """
    chosen = rule or HazardRule()
    met = register.met(credit_code)
    query, firm, count = met.asked, met.there, met.count
    first, last = as_days(start, len(query)), as_days(end, len(query))
    dates, counted = _dates(register), _counted(register, firm, chosen)
    term, day = _breaks(dates, counted, query, first, last, count, thresholds, chosen)
    found = _states(dates, counted, query[term], day, None, count, chosen)
    over = np.searchsorted(np.sort(np.asarray(thresholds, dtype=np.int64)), found.overdue_days, side="right")
    change = np.ones(len(term), dtype=bool)
    change[1:] = (
        (term[1:] != term[:-1])
        | (found.state[1:] != found.state[:-1])
        | (over[1:] != over[:-1])
        | ((found.overdue_days[1:] > 0) != (found.overdue_days[:-1] > 0))
    )
    kept = np.flatnonzero(change)
    term, day = term[kept], day[kept]
    stop = last[term]
    stop[:-1] = np.where(term[1:] == term[:-1], day[1:], stop[:-1])
    return HazardSegments(term, day, stop, found.state[kept], found.overdue_days[kept])


def _breaks(
    dates: _Dates,
    firm: Ints,
    query: Ints,
    first: Days,
    last: Days,
    count: int,
    thresholds: Sequence[int],
    rule: HazardRule,
) -> tuple[Ints, Days]:
    """Return every term and day on which a state may change, sorted, each once."""
    terms, days = [np.flatnonzero(first < last)], [first[first < last]]
    for pair in pairs(firm, query, count):
        event = pair.event
        due = [dates.due[event], np.where(dates.extended[event] < NEVER, dates.extended[event], NEVER)]
        moments = [
            getattr(dates, name)[event] for name in _Dates.__slots__ if name not in ("due", "extended", "extends")
        ]
        moments += [end + step for end in due for step in (1, *thresholds)]
        moments.append(dates.verified[event] + rule.verified_counts_days + 1)
        for moment in moments:
            inside = (moment > first[pair.query]) & (moment < last[pair.query])
            terms.append(pair.query[inside])
            days.append(moment[inside])
    packed = np.unique((np.concatenate(terms) << 23) + np.concatenate(days) + 2**22)
    return packed >> 23, (packed & (2**23 - 1)) - 2**22
