"""Complaints and reports received (投诉举报): the clock of each in working days, and the numbers of a year."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.errors import Problem
from ratemod.reading.convert import MISSING_DATE
from ratemod.reading.shared_table import each_once, read_shared
from ratemod.registers.days import as_days
from ratemod.registers.working_days import WorkingDays, read_working_days
from ratemod.rules.options import strict
from ratemod.rules.within import Year

SOON_DAYS, MOST_DAYS = 10, 30  # AQ 9010-2019: answered within 10 working days, at the latest within 30
STATES = ("answered", "answered_late", "answered_beyond", "open", "overdue")


@dataclass(frozen=True, eq=False, slots=True)
class Complaints:
    """The complaints received in a year, as known on a day.

    Attributes
    ----------
    year : int
    table : pyarrow.Table
        ``complaint_no``, ``insurer``, ``subject``, ``date``, ``answered_date``, ``working_days`` (until the answer, or
        until the day), ``state`` (of `STATES`), ``upheld``.
    refused : tuple of Problem
    """

    year: int
    table: pa.Table
    refused: tuple[Problem, ...]

    def by(self, column: str) -> pa.Table:
        """Return the numbers by ``insurer`` or ``subject``: received, each state, upheld, longest clock."""
        keys = self.table[column].to_pylist()
        states = np.array(self.table["state"].to_pylist(), dtype=object)
        upheld = np.array(self.table["upheld"].to_pylist(), dtype=bool)
        days = np.array(self.table["working_days"].to_pylist(), np.int64)
        rows = []
        for key in [*sorted(set(keys)), None]:
            mine = np.array([key is None or own == key for own in keys], bool)
            row: dict[str, Any] = {column: "" if key is None else key, "received": int(mine.sum())}
            row |= {state: int((mine & (states == state)).sum()) for state in STATES}
            rows.append(row | {"upheld": int((mine & upheld).sum()), "most_days": int(days[mine].max(initial=0))})
        return pa.Table.from_pylist(rows)


@strict
def complaints_of(source: Any, year: Year, as_of: dt.date, *, working_days: WorkingDays | None = None) -> Complaints:
    """Return the complaints received in a year with their clocks.

    Parameters
    ----------
    source : path or frame
        ``complaint_no``, ``date``, ``insurer``, ``subject``; ``answered_date``, ``upheld`` where known.
    year : int
    as_of : date, what was answered later is open still
    working_days : WorkingDays, optional

    Raises
    ------
    BookError
        Those of `read_shared`.
    ModelError
        RM763 the holidays of a year are not known.

    Formula
    -------
    The clock counts working days after the day of receipt up to the answer: answered within 10, late within 30, beyond
    after that; without an answer open up to 30, overdue after.

    Source
    ------
    AQ 9010-2019 (10 and 30 working days); 吉应急规划财务联〔2020〕282号, part 3 (2): complaints and what was found are
    published at least once a year.

    Examples
    --------
    >>> rows = {"投诉编号": ["1"], "受理日期": ["2025-09-26"], "保险公司": ["A"], "投诉事项": ["理赔"],
    ...         "答复日期": ["2025-10-20"]}
    >>> found = complaints_of(rows, 2025, dt.date(2025, 12, 31))
    >>> found.table["working_days"].to_pylist(), found.table["state"].to_pylist()
    ([12], ['answered_late'])
    """
    needed = ("complaint_no", "date", "insurer", "subject")
    told = each_once(read_shared(source, "complaints", needed, ("answered_date", "upheld")))
    clock = working_days or read_working_days()
    end = int(as_days(np.datetime64(as_of, "D")))
    low, high = (int(as_days(np.datetime64(f"{at}-01-01", "D"))) for at in (year, year + 1))
    received = np.asarray(told.cells["date"].values, np.int64)
    rows = np.flatnonzero(told.good & (received >= low) & (received < high) & (received <= end))
    received = received[rows]
    answered = _answered(told, rows)
    done = answered <= end
    days = clock.between(received, np.where(done, answered, end))
    state = np.select(
        [done & (days <= SOON_DAYS), done & (days <= MOST_DAYS), done, days <= MOST_DAYS], [0, 1, 2, 3], 4
    )
    levels = told.columns["subject"].codes()
    upheld = np.zeros(len(rows), bool)
    if "upheld" in told.cells:
        upheld = np.asarray(told.cells["upheld"].values)[rows] == 1
    table = pa.table(
        {
            "complaint_no": told.cells["complaint_no"].values.take(pa.array(rows)),
            "insurer": told.cells["insurer"].values.take(pa.array(rows)),
            "subject": pa.array([levels[at] for at in np.asarray(told.cells["subject"].values)[rows]], pa.string()),
            "date": pa.array(received.astype("datetime64[D]")),
            "answered_date": pa.array(
                [dt.date(1970, 1, 1) + dt.timedelta(int(day)) if is_done else None
                 for day, is_done in zip(answered, done, strict=True)], pa.date32()
            ),
            "working_days": pa.array(days),
            "state": pa.array([STATES[at] for at in state], pa.string()),
            "upheld": pa.array(upheld & done),
        }
    )  # fmt: skip
    return Complaints(year, table, told.refused)


def _answered(told: Any, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the day of each answer, the end of all days where there is none."""
    never = np.iinfo(np.int64).max
    if "answered_date" not in told.cells:
        return np.full(len(rows), never)
    day = np.asarray(told.cells["answered_date"].values, np.int64)[rows]
    return np.where(day == MISSING_DATE, never, day)
