"""A table as read: canonical columns, where each row stood, and the receipt of what was read and what was not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.errors import Problem
from ratemod.reading.arrow import to_arrow
from ratemod.reading.receipt import ReadPart, Receipt


@dataclass(frozen=True, slots=True)
class Origin:
    """A table that rows are from: what people call it, and where it stands."""

    name: str
    file: str | None
    sheet: str | None


@dataclass(frozen=True, eq=False, slots=True)
class Book:
    """A list of enterprises or policies, or any other table that entered.

    Attributes
    ----------
    table : pyarrow.Table
        Columns that are declared under their names, with their raw values; all others under their own headers.
    rows : (n,) int64 or None
        Row of each record in the file, counted from 1 as an editor or Excel does; None for frames.
    file, sheet : str or None
        Where the table stood; the sheet is None where it stood in several, the file then names all of them.
    conversions : mapping of column to Decimal
        What a bare number multiplies by, where the list names a unit (``限额(万元)``).
    headers : mapping of column to str
        The header under which each column stood.
    receipt : Receipt
    fills : mapping of column to the value that the user gave for its blank cells
    corrections : digest of the rows that took the places of others, "" where none did
    origins : tuple of Origin
        The tables that the rows are from, where there are several.
    part_of : (n,) int32 or None
        Which of `origins` each row is from; None where there is one table.
    """

    table: pa.Table
    rows: npt.NDArray[np.int64] | None = None
    file: str | None = None
    sheet: str | None = None
    conversions: Mapping[str, Decimal] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    receipt: Receipt = field(default_factory=Receipt)
    fills: Mapping[str, str] = field(default_factory=dict)
    corrections: str = ""
    origins: tuple[Origin, ...] = ()
    part_of: npt.NDArray[np.int32] | None = None

    @property
    def skipped(self) -> tuple[Problem, ...]:
        """What a reader of the list should know: rows left out, headers not used, tables not read."""
        return self.receipt.remarks

    @property
    def numbers(self) -> npt.NDArray[np.int64]:
        """Row of each record as its table counts: (n,) int64; a frame counts from 1."""
        return np.arange(1, self.table.num_rows + 1) if self.rows is None else self.rows

    def place(self, at: int) -> tuple[str | None, str | None, int]:
        """Return file, sheet and row of a record."""
        row = int(self.numbers[at])
        if self.part_of is None:
            return self.file, self.sheet, row
        origin = self.origins[int(self.part_of[at])]
        return origin.file, origin.sheet, row

    def placed(self, problem_of: npt.NDArray[np.int32] | None, problems: Sequence[Problem]) -> tuple[Problem, ...]:
        """Return the problems that some rows have, each at the first of them and with how many they are.

        Parameters
        ----------
        problem_of : (n,) int32, 0 where a row is fine, k where it has ``problems[k - 1]``; None where all are fine
        problems : as a column is coded, see `ratemod.reading.convert.Coded`
        """
        if problem_of is None:
            return ()
        codes = np.unique(problem_of[problem_of > 0])
        return tuple(self._at(problems[code - 1], np.flatnonzero(problem_of == code)) for code in codes)

    def at_their_rows(self, problem_of: npt.NDArray[np.int32], problems: Sequence[Problem]) -> list[Problem]:
        """Return all the problems in their order, each at the first row that has it, if any, and with how many do."""
        found = []
        for number, item in enumerate(problems, 1):
            rows = np.flatnonzero(problem_of == number)
            found.append(self._at(item, rows) if len(rows) else item)
        return found

    def _at(self, item: Problem, rows: npt.NDArray[np.intp]) -> Problem:
        file, sheet, row = self.place(int(rows[0]))
        return replace(item, file=file, sheet=sheet, row=row, count=len(rows))

    def said(self, rows: Iterable[int]) -> list[str]:
        """Return the numbers of some records as people look them up: ``12``, with several tables ``table!12``."""
        numbers = self.numbers
        if self.part_of is None:
            return [str(int(numbers[at])) for at in rows]
        return [f"{self.origins[int(self.part_of[at])].name}!{int(numbers[at])}" for at in rows]

    def sources(self) -> pa.Array | None:
        """Return the name of the table that each row is from: (n,) string; None where there is one table."""
        if self.part_of is None:
            return None
        return pa.array([origin.name for origin in self.origins], pa.string()).take(to_arrow(self.part_of))

    def take(self, at: npt.NDArray[np.int64]) -> Book:
        """Return some records in a given order, each with its place."""
        return replace(
            self,
            table=self.table.take(pa.array(at)),
            rows=self.numbers[at],
            part_of=None if self.part_of is None else self.part_of[at],
        )

    def __repr__(self) -> str:
        return f"<Book {self.file or 'frame'}: {self.table.num_rows:,} rows × {self.table.num_columns} columns>"


def origins(parts: Sequence[ReadPart]) -> tuple[Origin, ...]:
    """Return tables under short names that tell them apart: the sheet, the file, both, and the cell of the header.

    Examples
    --------
    >>> part = ReadPart(file="a/list.xlsx", sheet="North", header_row=1, first_row=2, last_row=3, used=(), unused=(),
    ...                 records=2)
    >>> [origin.name for origin in origins([part, replace(part, sheet="South")])]
    ['North', 'South']
    """
    files = {part.file for part in parts}
    short = len({Path(file or "frame").name for file in files}) == len(files)
    names = []
    for part in parts:
        file = Path(part.file or "frame").name if short else part.file or "frame"
        if len(files) == 1:
            names.append(part.sheet or file)
        else:
            names.append(f"{file}[{part.sheet}]" if part.sheet else file)
    cells = [f"{name}!{part.used[0].place if part.used else ''}{part.header_row}" for name, part in zip(names, parts)]
    return tuple(
        Origin(cell if names.count(name) > 1 else name, part.file, part.sheet)
        for name, cell, part in zip(names, cells, parts)
    )


def remarked(book: Book, said: Sequence[Problem]) -> Book:
    """Return a book with further remarks on its receipt."""
    return replace(book, receipt=replace(book.receipt, remarks=(*book.receipt.remarks, *said)))


def under_own_headers(book: Book, names: Iterable[str]) -> Book:
    """Return a book in which some columns stand under the headers that the list gives them."""
    table, headers = book.table, dict(book.headers)
    for name in names:
        if name in table.column_names and name in headers:
            header = headers.pop(name)
            while header in table.column_names and header != name:
                header += "'"
            table = table.rename_columns([header if one == name else one for one in table.column_names])
    return replace(book, table=table, headers=headers)
