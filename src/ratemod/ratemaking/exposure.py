"""Earned exposure: how much insurance ran, and when, exact to the day.

A policy is one or more *segments*, [start, end), each with what was insured while it ran (heads, payroll, limit,
contract value). A change in mid-term ends one segment and begins the next; a cancellation is a change to nothing.

With A the amount in force, T the term in years (whole months / 12, as the rating counts them, and what is left by
days), d the days of the segment and D the days of the term,
    written exposure = A · T · d/D,      earned in a period = written · (days of the segment in the period)/d.
So a policy of twelve months is exactly one year, in leap years too, and every period adds up to the written exposure.
`basis="month"` replaces days by calendar months (a day is its share of its month), which is how textbooks reckon.

Source: Werner & Modlin, *Basic Ratemaking*, 5th ed., ch. 4 (written, earned, unearned, in-force exposure).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ratemod.document.result import Result
from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Dates, Floats, Integers, finite, non_negative, same_length, sums
from ratemod.rating.calendar import months_between
from ratemod.rules.floats import in_a_row, whole_numbers
from ratemod.rules.options import strict

FIRST_DAY, AFTER_LAST_DAY = np.datetime64("1900-01-01", "D"), np.datetime64("2200-01-01", "D")
Basis = Literal["day", "month"]


@dataclass(frozen=True, slots=True, repr=False)
class Segments(Result):
    """Stretches of time with an unchanged amount, sorted by policy and start.

    Attributes
    ----------
    policy : (m,) int64, position of the policy in the arrays it was made from
    start, end : (m,) datetime64[D], half-open
    amount : (m,) float64, what is insured meanwhile, in its own unit
    """

    policy: Integers
    start: Dates
    end: Dates
    amount: Floats


def days(name: str, values: npt.ArrayLike) -> Dates:
    """Return dates as datetime64[D], none missing.

    Raises
    ------
    ModelError
        RM500 when a date is missing; RM836 for what is no day.

    Examples
    --------
    >>> days("start", ["2024-02-29"])
    array(['2024-02-29'], dtype='datetime64[D]')
    """
    try:
        array = np.asarray(values, dtype="datetime64[D]")
    except (TypeError, ValueError, OverflowError):
        raise ModelError(problem("RM836", name=name, value=str(values)[:40])) from None
    if ((array < FIRST_DAY) | (array >= AFTER_LAST_DAY)).any():
        raise ModelError(problem("RM836", name=name, value=f"{array.min()} … {array.max()}"))
    missing = np.isnat(array)
    if missing.any():
        raise ModelError(problem("RM500", name=name, wrong=int(missing.sum()), first=int(np.flatnonzero(missing)[0])))
    return array


@strict
def clock(dates: Dates, basis: Basis = "day") -> Floats:
    """Return dates as numbers: days since 1970, or months since 1970 with the day as a share of its month.

    Examples
    --------
    >>> clock(np.array(["1970-02-15"], "datetime64[D]"), "month").tolist()
    [1.5]
    """
    if basis == "day":
        return dates.astype("datetime64[D]").astype(np.int64).astype(np.float64)
    month = dates.astype("datetime64[M]")
    first = month.astype("datetime64[D]")
    length = (month + np.timedelta64(1, "M")).astype("datetime64[D]") - first
    months: Floats = month.astype(np.int64) + (dates - first).astype(np.int64) / length.astype(np.int64)
    return months


def segments_from_changes(
    start: npt.ArrayLike,
    end: npt.ArrayLike,
    amount: npt.ArrayLike,
    change_policy: npt.ArrayLike,
    change_date: npt.ArrayLike,
    change_amount: npt.ArrayLike,
) -> Segments:
    """Cut policies at their mid-term changes.

    Parameters
    ----------
    start, end : (n,) dates of the policy, half-open
    amount : (n,) float, amount in force from the start
    change_policy : (m,) int, position 0..n-1 of the policy that changes
    change_date : (m,) dates on which a new amount takes effect, start <= date < end; the last of equal dates holds
    change_amount : (m,) float, the new amount; 0 for a cancellation

    Returns
    -------
    Segments

    Raises
    ------
    ModelError
        RM505 for policies that end before they start, RM506 for changes outside their policy, RM500/RM501/RM503,
        RM655, RM837.

    Examples
    --------
    >>> cut = segments_from_changes(["2024-01-01"], ["2025-01-01"], [10], [0], ["2024-07-01"], [30])
    >>> cut.amount.tolist(), str(cut.end[0])
    ([10.0, 30.0], '2024-07-01')
    """
    begin, finish = _terms(start, end)
    base = non_negative("amount", amount)
    which = whole_numbers("change_policy", change_policy)
    when, new = days("change_date", change_date), non_negative("change_amount", change_amount)
    same_length(start=begin, amount=base)
    same_length(change_policy=which, change_date=when, change_amount=new)
    known = (which >= 0) & (which < len(begin))
    inside = known.copy()
    inside[known] = (when[known] >= begin[which[known]]) & (when[known] < finish[which[known]])
    if not inside.all():
        raise ModelError(problem("RM506", wrong=int((~inside).sum()), first=int(np.flatnonzero(~inside)[0])))
    policy = np.concatenate([np.arange(len(begin)), which])
    cut = np.concatenate([begin, when])
    value = np.concatenate([base, new])
    order = np.lexsort((np.arange(len(policy)), cut, policy))
    policy, cut, value = policy[order], cut[order], value[order]
    last_of_policy = np.append(policy[1:] != policy[:-1], True)
    until = np.where(last_of_policy, finish[policy], np.append(cut[1:], cut[-1:]))
    keep = until > cut
    return Segments(policy[keep], cut[keep], until[keep], value[keep])


def written_exposure(segments: Segments, term_start: npt.ArrayLike, term_end: npt.ArrayLike) -> Floats:
    """Return each segment's written exposure in amount-years: amount × term in years × its share of the term's days.

    Parameters
    ----------
    segments : Segments, m of them
    term_start, term_end : (n,) dates of the policies that `segments.policy` points to

    Returns
    -------
    (m,) float64, amount-years

    Examples
    --------
    >>> cut = segments_from_changes(["2024-01-01"], ["2025-01-01"], [10], [], [], [])
    >>> written_exposure(cut, ["2024-01-01"], ["2025-01-01"]).tolist()
    [10.0]
    """
    begin, finish = _terms(term_start, term_end)
    years = _term_years(begin, finish)
    length = (finish - begin).astype(np.int64)
    share = (segments.end - segments.start).astype(np.int64) / length[segments.policy]
    written: Floats = segments.amount * years[segments.policy] * share
    return written


def _term_years(begin: Dates, finish: Dates) -> Floats:
    """Return terms in years: whole months as the rating counts them (29 February to 28 February is twelve) over 12, and
    the days after the last whole month as shares of the months in which they lie.
    """
    first, last = begin.astype(np.int64), finish.astype(np.int64)
    months = months_between(first, last, "complete")
    month = begin.astype("datetime64[M]")
    day_of_month = (begin - month.astype("datetime64[D]")).astype(np.int64)
    reached = month + months.astype("timedelta64[M]")
    first_day = reached.astype("datetime64[D]")
    length = ((reached + np.timedelta64(1, "M")).astype("datetime64[D]") - first_day).astype(np.int64)
    since = first_day + np.minimum(day_of_month, length - 1).astype("timedelta64[D]")
    rest = np.where(finish > since, clock(finish, "month") - clock(since, "month"), 0.0)
    years: Floats = (months + np.minimum(rest, 1.0)) / 12
    return years


@strict
def earned_exposure(
    start: npt.ArrayLike,
    end: npt.ArrayLike,
    written: npt.ArrayLike,
    period_edges: npt.ArrayLike,
    *,
    group: npt.ArrayLike | None = None,
    groups: int | None = None,
    basis: Basis = "day",
) -> Floats:
    """Return what is earned in each calendar period (for accident periods the exposure is the same).

    Parameters
    ----------
    start, end : (n,) dates, half-open stretches (segments or whole policies)
    written : (n,) float, written exposure or premium of the stretch, any unit
    period_edges : (k+1,) increasing dates; period j is [edge j, edge j+1)
    group : (n,) int codes to sum by (segment of the business), or None for one row a stretch
    groups : int, number of groups (default: highest code + 1)
    basis : "day" (exact) or "month" (textbook)

    Returns
    -------
    (n, k) or (groups, k) float64, the unit of `written`

    Raises
    ------
    ModelError
        RM505 end not after start; RM507 edges not increasing; RM524 group out of range; RM500, RM503, RM655, RM837.

    Source
    ------
    Werner & Modlin, ch. 4; CAS Exam 5 2003 no. 10 (earned 750 of 900 after ten months).

    Examples
    --------
    >>> earned_exposure(["2002-03-01"], ["2003-03-01"], [900.0], ["2002-01-01", "2003-01-01"], basis="month").tolist()
    [[750.0]]
    """
    begin, finish = _terms(start, end)
    amount = finite("written", written)
    same_length(start=begin, written=amount)
    edges = period_bounds(period_edges)
    low, high, marks = clock(begin, basis), clock(finish, basis), clock(edges, basis)
    rate = amount / (high - low)
    width = len(marks) - 1
    if group is None:
        earned = np.empty((len(amount), width))
        for j in range(width):
            earned[:, j] = rate * _overlap(low, high, marks[j], marks[j + 1])
        return earned
    code = whole_numbers("group", group)
    same_length(start=begin, group=code)
    size = int(code.max(initial=-1)) + 1 if groups is None else groups
    if ((code < 0) | (code >= size)).any():
        raise ModelError(problem("RM524", name="group", levels=size))
    columns = [sums(code, rate * _overlap(low, high, marks[j], marks[j + 1]), size) for j in range(width)]
    return np.stack(columns, axis=1)


@strict
def policy_period_exposure(
    term_start: npt.ArrayLike,
    start: npt.ArrayLike,
    end: npt.ArrayLike,
    written: npt.ArrayLike,
    period_edges: npt.ArrayLike,
    as_of: npt.ArrayLike,
    *,
    basis: Basis = "day",
) -> Floats:
    """Return what policies incepting in each period have earned by a date: policy-year exposure.

    Parameters
    ----------
    term_start : (n,) dates on which the *policy* of each stretch began
    start, end, written : (n,) the stretches, as in `earned_exposure`
    period_edges : (k+1,) increasing dates
    as_of : date; what is earned before the end of the day `as_of` counts

    Returns
    -------
    (k,) float64, the unit of `written`

    Examples
    --------
    >>> policy_period_exposure(["2019-07-01"], ["2019-07-01"], ["2020-07-01"], [1.0], ["2019-01-01", "2020-01-01"],
    ...                        "2019-12-31", basis="month").tolist()
    [0.5]
    """
    began = days("term_start", term_start)
    edges = period_bounds(period_edges)
    origin = FIRST_DAY
    until = days("as_of", as_of) + np.timedelta64(1, "D")
    if until.ndim:
        raise ModelError(problem("RM836", name="as_of", value=str(as_of)[:40]))
    earned = earned_exposure(start, end, written, np.array([origin, until]), basis=basis)[:, 0]
    same_length(start=earned, term_start=began)
    place = np.searchsorted(edges, began, side="right") - 1
    inside = (place >= 0) & (place < len(edges) - 1)
    return sums(place[inside], earned[inside], len(edges) - 1)


def in_force(start: npt.ArrayLike, end: npt.ArrayLike, amount: npt.ArrayLike, at: npt.ArrayLike) -> Floats:
    """Return the amount in force on each date: stretches with start <= date < end.

    Examples
    --------
    >>> in_force(["2019-01-01"], ["2020-01-01"], [1.0], ["2019-12-31", "2020-01-01"]).tolist()
    [1.0, 0.0]
    """
    begin, finish = _terms(start, end)
    value, when = finite("amount", amount), days("at", at)
    same_length(start=begin, amount=value)
    return _running(begin, value, when) - _running(finish, value, when)


def match_claims(
    policy: npt.ArrayLike,
    start: npt.ArrayLike,
    end: npt.ArrayLike,
    claim_policy: npt.ArrayLike,
    accident_date: npt.ArrayLike,
) -> tuple[Integers, npt.NDArray[np.str_]]:
    """Find the stretch in force at each accident.

    Parameters
    ----------
    policy : (n,) int64, codes of the policies of the stretches; stretches of one policy must not overlap
    start, end : (n,) dates, half-open
    claim_policy : (m,) int64 codes; accident_date : (m,) dates

    Returns
    -------
    row : (m,) int64, position of the stretch, -1 where there is none
    reason : (m,) str, "" where matched, RM508 (policy unknown) or RM509 (policy not in force that day)

    Raises
    ------
    ModelError
        RM510 when stretches of one policy overlap; RM505; RM503, RM655 and RM837 for codes.

    Examples
    --------
    >>> row, reason = match_claims([7], ["2024-01-01"], ["2025-01-01"], [7, 7, 8],
    ...                            ["2024-05-01", "2025-01-01", "2024-05-01"])
    >>> row.tolist(), reason.tolist()
    ([0, -1, -1], ['', 'RM509', 'RM508'])
    """
    code, wanted = whole_numbers("policy", policy), whole_numbers("claim_policy", claim_policy)
    begin, finish = _terms(start, end)
    when = days("accident_date", accident_date)
    same_length(policy=code, start=begin)
    same_length(claim_policy=wanted, accident_date=when)
    order = np.lexsort((begin, code))
    code_s, begin_s, finish_s = code[order], begin[order], finish[order]
    overlap = (code_s[1:] == code_s[:-1]) & (begin_s[1:] < finish_s[:-1])
    if overlap.any():
        raise ModelError(problem("RM510", wrong=int(overlap.sum()), first=int(code_s[1:][overlap][0])))
    names, compact = np.unique(code_s, return_inverse=True)
    place = np.searchsorted(names, wanted)
    known = np.isin(wanted, names)
    zero = min(int(begin_s.astype(np.int64).min(initial=0)), int(when.astype(np.int64).min(initial=0)))
    span = max(int(begin_s.astype(np.int64).max(initial=0)), int(when.astype(np.int64).max(initial=0))) - zero + 1
    stretch_key = compact * span + (begin_s.astype(np.int64) - zero)
    claim_key = place * span + (when.astype(np.int64) - zero)
    at = np.searchsorted(stretch_key, claim_key, side="right") - 1
    safe = np.clip(at, 0, max(len(code_s) - 1, 0))
    found = known & (at >= 0)
    if len(code_s):
        found &= (code_s[safe] == wanted) & (when < finish_s[safe])
    row = np.full(len(wanted), -1, dtype=np.int64)
    row[found] = order[safe[found]]
    return row, np.where(found, "", np.where(known, "RM509", "RM508"))


def period_bounds(edges: npt.ArrayLike) -> Dates:
    """Return period edges as increasing datetime64[D].

    Raises
    ------
    ModelError
        RM507 when there are fewer than two, or they do not increase; RM837 for what is no list.

    Examples
    --------
    >>> len(period_bounds(["2024-01-01", "2025-01-01"]))
    2
    """
    marks = days("period_edges", edges)
    in_a_row(period_edges=marks)
    if len(marks) < 2 or (marks[1:] <= marks[:-1]).any():
        raise ModelError(problem("RM507"))
    return marks


def _terms(start: npt.ArrayLike, end: npt.ArrayLike) -> tuple[Dates, Dates]:
    """Return starts and ends as dates, every end after its start."""
    begin, finish = days("start", start), days("end", end)
    same_length(start=begin, end=finish)
    wrong = finish <= begin
    if wrong.any():
        raise ModelError(problem("RM505", wrong=int(wrong.sum()), first=int(np.flatnonzero(wrong)[0])))
    return begin, finish


def _overlap(low: Floats, high: Floats, left: float, right: float) -> Floats:
    """Return the length of [low, high) within [left, right)."""
    length: Floats = np.maximum(np.minimum(high, right) - np.maximum(low, left), 0.0)
    return length


def _running(date: Dates, amount: Floats, when: Dates) -> Floats:
    """Return the total of amounts dated on or before each date of `when`."""
    order = np.argsort(date)
    total = np.concatenate([[0.0], np.cumsum(amount[order])])
    picked: Floats = total[np.searchsorted(date[order], when, side="right")]
    return picked
