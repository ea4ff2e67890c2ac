"""Days as whole numbers since 1970-01-01, years that know leap days, and the boundaries every register keeps to.

A date is in force from 00:00 of its day. A due date is inclusive: overdue begins on the day after. A period runs from
its first day to the day before its end. A year after 29 February is 28 February where there is no 29th.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.reading.convert import MISSING_DATE

Days = npt.NDArray[np.integer[Any]]

NEVER = 2**22 - 1  # a day after every date that a calendar can name
EARLIEST = -(2**22)


def as_days(values: npt.ArrayLike, n: int | None = None) -> Days:
    """Return dates as days since 1970-01-01, int64.

    Parameters
    ----------
    values : datetime64 array, whole days, one date, or ISO text
    n : int, optional
        Length to which one date is repeated.

    Examples
    --------
    >>> as_days("2026-01-01", 2).tolist()
    [20454, 20454]
    """
    array = np.asarray(values)
    if array.dtype.kind in "OUM":
        array = array.astype("datetime64[D]").astype(np.int64)
    days = np.clip(array.astype(np.int64), EARLIEST, NEVER)
    return np.broadcast_to(days, (n,)) if n is not None and days.ndim == 0 else days


def later(dates: npt.NDArray[Any]) -> Days:
    """Return dates with `NEVER` where there is none, so that comparisons need no second mask; (m,) int32."""
    none = dates == MISSING_DATE
    days = np.where(none, np.int32(NEVER), dates) if none.any() else dates
    within: Days = np.clip(days, EARLIEST, NEVER).astype(np.int32, copy=False)
    return within


def add_years(days: npt.ArrayLike, years: int) -> Days:
    """Return the same day of another year; 29 February becomes 28 February where there is none.

    Parameters
    ----------
    days : (n,) days since 1970-01-01
    years : int, may be negative

    Examples
    --------
    >>> as_days(["2024-02-29"]).tolist(), add_years(as_days(["2024-02-29"]), -1).tolist()
    ([19782], [19416])
    """
    given = np.asarray(days, dtype=np.int64)
    low, high = (int(given.min()), int(given.max())) if given.size else (0, 0)
    if 0 <= high - low < given.size:  # a province asks about few different days: work each out once
        moved: Days = _moved(np.arange(low, high + 1), years)[given - low]
        return moved
    return _moved(given, years)


def _moved(days: npt.NDArray[np.int64], years: int) -> Days:
    day = days.astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    place = (day - month.astype("datetime64[D]")).astype(np.int64)
    target = month + np.timedelta64(12 * years, "M")
    first = target.astype("datetime64[D]").astype(np.int64)
    last = (target + np.timedelta64(1, "M")).astype("datetime64[D]").astype(np.int64) - 1
    same: Days = np.minimum(first + place, last)
    return same


def whole_years(start: npt.ArrayLike, end: npt.ArrayLike) -> Days:
    """Return the complete years from one day to another; a year is complete on its anniversary.

    Examples
    --------
    >>> whole_years(as_days(["2024-02-29", "2024-03-01"]), as_days(["2025-02-28", "2025-02-28"])).tolist()
    [1, 0]
    """
    first, last = np.asarray(start, dtype=np.int64), np.asarray(end, dtype=np.int64)
    begin, stop = first.astype("datetime64[D]"), last.astype("datetime64[D]")
    months = (stop.astype("datetime64[M]") - begin.astype("datetime64[M]")).astype(np.int64)
    place = (begin - begin.astype("datetime64[M]")).astype(np.int64)
    reached = (stop - stop.astype("datetime64[M]")).astype(np.int64)
    month = stop.astype("datetime64[M]")
    most = ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(np.int64) - 1
    full: Days = (months - (reached < np.minimum(place, most))) // 12
    return full
