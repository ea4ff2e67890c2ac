"""A book as read: canonical columns, where each row stood in the file, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.errors import Problem


@dataclass(frozen=True, eq=False, slots=True)
class Book:
    """A list of enterprises or policies.

    Attributes
    ----------
    table : pyarrow.Table
        Columns that the plan declares under their names, with their raw values; all others under their own headers.
    rows : (n,) int64 or None
        Row of each record in the file, counted from 1 as an editor or Excel does; None for frames.
    file, sheet : str or None
    skipped : tuple of Problem
        Blank and total rows that were left out: information, not errors.
    conversions : mapping of column to Decimal
        What a bare number multiplies by, where the header names a unit (``限额(万元)``).
    headers : mapping of column to str
        The header under which each column stood.
    """

    table: pa.Table
    rows: npt.NDArray[np.int64] | None = None
    file: str | None = None
    sheet: str | None = None
    skipped: tuple[Problem, ...] = ()
    conversions: Mapping[str, Decimal] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Book {self.file or 'frame'}: {self.table.num_rows:,} rows × {self.table.num_columns} columns>"
