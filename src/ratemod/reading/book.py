"""A table as read: canonical columns, where each row stood, and the receipt of what was read and what was not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.errors import Problem
from ratemod.reading.receipt import Receipt


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
    part_of : (n,) int32 or None
        Which of the receipt's tables each row is from; None where there is one.
    """

    table: pa.Table
    rows: npt.NDArray[np.int64] | None = None
    file: str | None = None
    sheet: str | None = None
    conversions: Mapping[str, Decimal] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    receipt: Receipt = field(default_factory=Receipt)
    part_of: npt.NDArray[np.int32] | None = None

    @property
    def skipped(self) -> tuple[Problem, ...]:
        """What a reader of the list should know: rows left out, headers not used, tables not read."""
        return self.receipt.remarks

    def place(self, at: int) -> tuple[str | None, str | None, int]:
        """Return file, sheet and row of a record."""
        row = at + 1 if self.rows is None else int(self.rows[at])
        if self.part_of is None:
            return self.file, self.sheet, row
        part = self.receipt.parts[int(self.part_of[at])]
        return part.file, part.sheet, row

    def __repr__(self) -> str:
        return f"<Book {self.file or 'frame'}: {self.table.num_rows:,} rows × {self.table.num_columns} columns>"
