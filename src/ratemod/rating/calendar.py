"""Whole days and months between dates given as days since 1970-01-01."""

from __future__ import annotations

import functools
from typing import Literal

import numpy as np
import numpy.typing as npt

from ratemod.rules.options import strict

Days = npt.NDArray[np.int64]
Count = Literal["started", "complete"]
Part = Literal["year", "month", "day"]


def days_between(start: Days, end: Days, inclusive: bool = False) -> Days:
    """Return whole days from start to end; `inclusive` counts the end day.

    Examples
    --------
    >>> days_between(np.array([0]), np.array([365]), inclusive=True).tolist()
    [366]
    """
    return end - start + int(inclusive)


@strict
def months_between(start: Days, end: Days, count: Count = "started", inclusive: bool = False) -> Days:
    """Return months from start to end.

    A month is complete on the day of the next month with the same number, or on that month's last day where it has
    no such day (31 January to 28 February is one month). ``started`` counts a begun month whole.

    Parameters
    ----------
    start, end : (n,) int64, days since 1970-01-01
    count : "started" or "complete"
    inclusive : bool
        The end day is part of the term (a policy to 31 December, 24:00).

    Returns
    -------
    (n,) int64

    Examples
    --------
    >>> day = lambda text: np.array([np.datetime64(text, "D").astype(int)])
    >>> months_between(day("2026-01-01"), day("2026-03-02")).tolist()
    [3]
    >>> months_between(day("2026-01-31"), day("2026-02-28"), "complete").tolist()
    [1]
    """
    return months_of(packed(start), packed(end, int(inclusive)), count).astype(np.int64)


def months_on(days: Days, months: Days, more: Days) -> tuple[Days, npt.NDArray[np.bool_]]:
    """Return the days some months and days on, the last of a month that is too short; and where that is a day at all.

    Examples
    --------
    >>> day = np.array([np.datetime64("2024-01-31", "D").astype(int)])
    >>> months_on(day, np.array([1]), np.array([0]))[0].astype("datetime64[D]").tolist()
    [datetime.date(2024, 2, 29)]
    """
    fine = (np.abs(months) <= _MOST_MONTHS) & (np.abs(more) <= _LAST - _FIRST)
    start = days.astype("datetime64[D]")
    month = start.astype("datetime64[M]")
    of_month = start - month.astype("datetime64[D]")
    target = month + np.where(fine, months, 0)
    first = target.astype("datetime64[D]")
    last = (target + 1).astype("datetime64[D]") - first - np.timedelta64(1, "D")
    found = (first + np.minimum(of_month, last)).astype(np.int64) + np.where(fine, more, 0)
    return found, fine & (found >= _FIRST) & (found < _LAST)


@strict
def part_of(days: Days, which: Part) -> Days:
    """Return the year, month or day of the month of days."""
    month = days.astype("datetime64[D]").astype("datetime64[M]")
    if which == "year":
        return month.astype("datetime64[Y]").astype(np.int64) + 1970
    if which == "month":
        return month.astype(np.int64) % 12 + 1
    return days - month.astype("datetime64[D]").astype(np.int64) + 1


def packed(days: Days, later: int = 0) -> npt.NDArray[np.int32]:
    """Return, in one number each, the month of days (since 1900-01), the day of the month, the days of that month."""
    return np.take(_calendar(), days - (_FIRST - later))


@strict
def months_of(first: npt.NDArray[np.int32], last: npt.NDArray[np.int32], count: Count) -> npt.NDArray[np.int32]:
    """Return the months between days that are packed; both arrays are used up."""
    months = last >> _MONTH
    months -= first >> _MONTH
    first >>= _DAY
    first &= 31
    np.minimum(first, last & 31, out=first)  # a month may be too short to have that day
    last >>= _DAY
    last &= 31
    if count == "complete":
        months -= last < first
    else:  # a month before the day of the month, none on it, one after it
        months += last > first
    return months


_FIRST, _LAST = -25_567, 109_573  # 1900-01-01 .. 2270-01-01
_DAY, _MONTH = 5, 10
_MOST_MONTHS = 12 * (2270 - 1900)


@functools.cache
def _calendar() -> npt.NDArray[np.int32]:
    """Return for every day from 1900 to 2269, packed: months since 1900-01, day of the month, days of the month."""
    day = np.arange(_FIRST, _LAST + 1).astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    number = month.astype(np.int32) - month[0].astype(np.int32)
    length = (month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")
    of_month = (day - month.astype("datetime64[D]")).astype(np.int32) + 1
    packed: npt.NDArray[np.int32] = number << _MONTH | of_month << _DAY | length.astype(np.int32)
    return packed
