"""Whole days and months between dates given as days since 1970-01-01."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Days = npt.NDArray[np.int64]


def days_between(start: Days, end: Days, inclusive: bool = False) -> Days:
    """Return whole days from start to end; `inclusive` counts the end day.

    Examples
    --------
    >>> days_between(np.array([0]), np.array([365]), inclusive=True).tolist()
    [366]
    """
    return end - start + int(inclusive)


def months_between(start: Days, end: Days, count: str = "started", inclusive: bool = False) -> Days:
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
    last = end + int(inclusive)
    first_month, first_day = _split(start)
    last_month, last_day = _split(last)
    month_length = (last_month + 1).astype("datetime64[D]").astype(np.int64) - last_month.astype(
        "datetime64[D]"
    ).astype(np.int64)
    anniversary = np.minimum(first_day, month_length)
    complete = (last_month.astype(np.int64) - first_month.astype(np.int64)) - (last_day < anniversary)
    if count == "complete":
        return complete
    return complete + np.where(last_day < anniversary, 1, (last_day > anniversary).astype(np.int64))


def _split(days: Days) -> tuple[npt.NDArray[np.datetime64], Days]:
    """Return the month and the day of the month (1..31)."""
    month = days.astype("datetime64[D]").astype("datetime64[M]")
    return month, days - month.astype("datetime64[D]").astype(np.int64) + 1
