"""Columns that nobody fills: a form has all that a table may have; what is blank throughout is as good as absent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from ratemod.reading.book import Book, under_own_headers
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.spelling import BLANKS, folded


def is_blank(table: pa.Table, name: str, column: Column | None = None) -> bool:
    """Return whether a column has nothing in any row but blanks and words for nothing that are none of its levels.

    Examples
    --------
    >>> table = pa.table({"heads": [None, None], "grade": ["/", ""], "sector": ["矿山", None]})
    >>> [is_blank(table, name) for name in table.column_names]
    [True, True, False]
    """
    if name not in table.column_names:
        return False
    cells = table[name]
    if cells.null_count == len(cells):
        return True
    kind = cells.type.value_type if pa.types.is_dictionary(cells.type) else cells.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return False
    levels = {folded(word) for level in (column.levels if column else ()) for word in level.names()}
    blanks = BLANKS - levels

    def none(said: pa.ChunkedArray) -> bool:
        return all(one is None or folded(one) in blanks for one in said.to_pylist())

    if not none(cells.slice(0, 2 * len(BLANKS))):
        return False
    kinds = pc.unique(cells)
    return len(kinds) <= 2 * len(BLANKS) and none(kinds)


def without_unfilled(book: Book, columns: Mapping[str, Column], needed: Collection[str] = ()) -> Book:
    """Return a book of a shared table whose optional columns that are blank throughout stand under their own headers.

    Those that are needed stay: a blank cell of theirs refuses its row. A list without rows keeps all that it has.
    """
    there = [
        name
        for name, one in columns.items()
        if (one.optional or one.default is not None) and name not in needed and is_blank(book.table, name, one)
    ]
    if not there or not book.table.num_rows:
        return book
    own = [name for name in there if book.headers.get(name, name) != name]
    table = under_own_headers(book, own)
    return replace(table, table=table.table.drop_columns([name for name in there if name not in own]))
