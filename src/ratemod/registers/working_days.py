"""Working days of China: Monday to Friday without public holidays, and the weekends that are worked instead."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ratemod.errors import BookError, ModelError, problem
from ratemod.registers.days import as_days
from ratemod.rules.options import strict
from ratemod.rules.read import read_rules
from ratemod.rules.shape import Key, keys_of

Days = npt.NDArray[np.int64]
MONDAY = 4  # 1970-01-01 was a Thursday


@dataclass(frozen=True, slots=True)
class HolidayYear:
    """The holidays of a year: `off` and `worked` are days or ``first/last``, ISO."""

    year: int
    off: tuple[str, ...]
    worked: tuple[str, ...]
    source: str = ""
    name: str = "year"


YEAR = keys_of(HolidayYear, year=Key(int, True, low=1990), off=Key(tuple[str, ...]), worked=Key(tuple[str, ...]))


@dataclass(frozen=True, eq=False, slots=True)
class WorkingDays:
    """The days on which offices work, of the years for which that is known.

    Attributes
    ----------
    years : tuple of int
    first : int, days since 1970-01-01, of 1 January of the first year
    before : (n + 1,) int64, working days before each day from `first` on
    known : (n,) bool, whether the year of a day is known
    """

    years: tuple[int, ...]
    first: int
    before: Days
    known: npt.NDArray[np.bool_]

    def between(self, start: npt.ArrayLike, end: npt.ArrayLike) -> Days:
        """Return the working days after a day up to another, (n,) int64: what a clock shows that starts the day after.

        Raises
        ------
        ModelError
            RM763 the holidays of a year in between are not known.

        Examples
        --------
        >>> import datetime as dt
        >>> read_working_days().between(as_days(dt.date(2025, 9, 26)), as_days(dt.date(2025, 10, 9))).tolist()
        [4]
        """
        low, high = (np.atleast_1d(np.asarray(days, np.int64)) - self.first + 1 for days in (start, end))
        places = [np.clip(days, 0, len(self.known)) for days in (low, high)]
        gaps = np.concatenate([[0], np.cumsum(~self.known)])
        unknown = (low < 0) | (high > len(self.known)) | (gaps[places[1]] > gaps[places[0]])
        if unknown.any():
            at = int(np.argmax(unknown))
            last = np.datetime64(int(np.atleast_1d(np.asarray(end))[at]), "D")
            raise ModelError(problem("RM763", year=str(last)[:4], years=", ".join(map(str, self.years))))
        found: Days = self.before[places[1]] - self.before[places[0]]
        return found


@strict
def read_working_days(source: str | Path | None = None) -> WorkingDays:
    """Return the working days by a file of holidays (``[[year]]``), the shipped one without a file.

    Raises
    ------
    PlanError
        What is wrong with the file, all at once.
    BookError
        RM764 a day of the file is no day, or not of its year.
    """
    file = read_rules(source, "registers/data/working_days.toml")
    file.sections(("year",))
    records = file.records(HolidayYear, "year", YEAR, least=1)
    file.settle()
    years = tuple(sorted(record.year for record in records))
    first, after = (int(as_days(np.datetime64(f"{at}-01-01", "D"))) for at in (years[0], years[-1] + 1))
    days = np.arange(first, after)
    works = (days - MONDAY) % 7 < 5
    known = np.zeros(len(days), bool)
    for record in records:
        start, end = (int(as_days(np.datetime64(f"{at}-01-01", "D"))) for at in (record.year, record.year + 1))
        known[start - first : end - first] = True
        for texts, state in ((record.off, False), (record.worked, True)):
            for said in texts:
                low, high = _span(said, record.year)
                works[low - first : high + 1 - first] = state
    return WorkingDays(years, first, np.concatenate([[0], np.cumsum(works)]).astype(np.int64), known)


def _span(said: str, year: int) -> tuple[int, int]:
    try:
        ends = [np.datetime64(part, "D") for part in said.split("/")]
        if len(ends) > 2 or {int(str(day)[:4]) for day in ends} != {year} or ends[0] > ends[-1]:
            raise ValueError
    except ValueError:
        raise BookError(problem("RM764", value=said, year=year)) from None
    return int(ends[0].astype(np.int64)), int(ends[-1].astype(np.int64))
