"""What came in and where it went: every row of a history is used or left out for one reason, with its money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.errors import Problem, problem
from ratemod.ratemaking.arrays import Booleans, Floats, Integers
from ratemod.reading.book import Book
from ratemod.reading.join import Join


@dataclass(eq=False)
class Intake:
    """The rows of one table on their way into a study.

    Attributes
    ----------
    table : its name
    numbers : (n,) int64, row of each record as its reader counts them
    yuan : (n,) float64, the money of each row; NaN where it has none or none that can be read
    reason : (n,) int64, position in `problems` of why a row is left out, -1 for a row that is used
    problems : reasons so far; the first that is found holds
    """

    table: str
    numbers: Integers
    yuan: Floats
    reason: Integers
    problems: list[Problem] = field(default_factory=list)

    @property
    def good(self) -> Booleans:
        """Return which rows are still in use."""
        return self.reason < 0

    def leave(self, wrong: Booleans, why: Problem) -> None:
        """Leave out the rows that are wrong and still in use."""
        hit = wrong & self.good
        if hit.any():
            self.reason[hit] = len(self.problems)
            self.problems.append(why)

    def leave_unmet(self, met: Join, into: str) -> None:
        """Leave out the rows that meet nothing in another table: RM396 says how many, and the first of them."""
        unmet = met.unmet() & self.good
        if unmet.any():
            self.leave(unmet, met.lost(unmet, self.table, into))

    def left(self) -> list[tuple[Problem, tuple[int, ...], float]]:
        """Return every reason with its row numbers, in order, and their money in yuan."""
        found = []
        for at, why in enumerate(self.problems):
            rows = self.reason == at
            found.append((why, tuple(np.sort(self.numbers[rows]).tolist()), float(np.nansum(self.yuan[rows]))))
        return found


def intake_of(table: str, book: Book) -> Intake:
    """Return a table's rows, all of them in use, without money."""
    n = book.table.num_rows
    return Intake(table, book.numbers, np.full(n, np.nan), np.full(n, -1, dtype=np.int64))


def in_order(book: Book, keys: Sequence[str]) -> Book:
    """Return a book sorted by its key columns, so that no sum of a study rests on the order of the rows."""
    known = [key for key in keys if key in book.table.column_names]
    if not known or not book.table.num_rows:
        return book
    plain = pa.table({key: book.table[key].cast(pa.string()) for key in known})
    order = pc.sort_indices(plain, sort_keys=[(key, "ascending") for key in known])
    return book.take(np.asarray(order.to_numpy(zero_copy_only=False)).astype(np.int64))


def count_once(found: Intake, book: Book, keys: Sequence[pa.Array], conflict: Problem) -> None:
    """Leave out the rows that repeat another cell for cell, and every row that shares its key with a different one.

    Parameters
    ----------
    keys : arrays of n values that together name a row; a row without one of them is not judged
    conflict : why rows of one key that differ are left out
    """
    codes = np.zeros(len(found.numbers), dtype=np.int64)
    named = np.ones(len(codes), dtype=bool)
    for key in keys:
        part = np.asarray(key.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)).astype(np.int64)
        named &= part >= 0
        _, codes = np.unique(np.stack([codes, part]), axis=1, return_inverse=True)
    counts = np.bincount(codes, minlength=1)
    shared = np.flatnonzero(named & (counts[codes] > 1))
    if not len(shared):
        return
    cells = [tuple(row.items()) for row in book.table.take(pa.array(shared)).to_pylist()]
    first: dict[int, tuple[object, ...]] = {}
    seen: set[tuple[object, ...]] = set()
    again, differs = np.zeros(len(codes), bool), set[int]()
    by_number = sorted(range(len(shared)), key=lambda k: int(found.numbers[shared[k]]))
    for k in by_number:
        code, row = int(codes[shared[k]]), (int(codes[shared[k]]), *map(repr, cells[k]))
        again[shared[k]] = row in seen
        seen.add(row)
        if first.setdefault(code, row) != row:
            differs.add(code)
    found.leave(np.isin(codes, sorted(differs)) & named, conflict)
    found.leave(again, problem("RM970"))
