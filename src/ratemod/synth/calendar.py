"""Days of policies: the same month and day every year, as whole days since 1970-01-01."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Days = npt.NDArray[np.int32]

NO_DATE = np.int32(-(2**31))


def anniversaries(day_of_year: npt.NDArray[np.integer[Any]], years: npt.NDArray[np.integer[Any]]) -> Days:
    """Return the date of a day of the (365-day) year in each year.

    Parameters
    ----------
    day_of_year : (n,) int, 0 = 1 January .. 364 = 31 December of a common year; 29 February never occurs
    years : (t,) int, calendar years

    Returns
    -------
    (t, n) int32, days since 1970-01-01

    Examples
    --------
    >>> anniversaries(np.array([0, 59]), np.array([2024])).tolist()    # 1 January, 1 March of a leap year
    [[19723, 19783]]
    """
    common = np.datetime64("2023-01-01", "D") + np.asarray(day_of_year, dtype=np.int64)
    month = common.astype("M8[M]")
    offset = (month - np.datetime64("2023-01", "M")).astype(np.int64)
    day = (common - month.astype("M8[D]")).astype(np.int64)
    months = ((np.asarray(years, dtype=np.int64)[:, None] - 1970) * 12 + offset[None, :]).astype("M8[M]")
    days: Days = (months.astype("M8[D]") + day[None, :]).astype(np.int64).astype(np.int32)
    return days


def day(year: int, month: int, of_month: int) -> int:
    """Return a date as days since 1970-01-01.

    Examples
    --------
    >>> day(1970, 1, 2)
    1
    """
    return int(np.datetime64(f"{year:04d}-{month:02d}-{of_month:02d}", "D").astype(np.int64))
