"""Several tables as one list: each row keeps its place, numbers of mixed units are put into their column's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from ratemod.errors import Problem, problem
from ratemod.reading.book import Book, origins
from ratemod.reading.numbers import parse_number
from ratemod.reading.receipt import Receipt
from ratemod.reading.tables import shown
from ratemod.rules.number import digits
from ratemod.vocabulary.column import Column


def joined(books: Sequence[Book], columns: Mapping[str, Column]) -> Book:
    """Return several tables as one; where their units differ, numbers are put into the unit of the column."""
    if len(books) == 1:
        return books[0]
    names = list(dict.fromkeys(name for book in books for name in book.table.column_names))
    mixed = {
        name
        for name in names
        if len({book.conversions.get(name, Decimal(1)) for book in books if name in book.table.column_names}) > 1
    }
    tables = [scaled(book, mixed, columns) for book in books]
    arrays = {}
    for name in names:
        kinds = {
            table[name].type for table in tables if name in table.column_names and table[name].null_count < len(table)
        }
        kind = kinds.pop() if len(kinds) == 1 else pa.string()
        chunks = [
            as_type(table[name], kind) if name in table.column_names else pa.chunked_array([pa.nulls(len(table), kind)])
            for table in tables
        ]
        arrays[name] = pa.chunked_array([chunk for column in chunks for chunk in column.chunks], kind)
    files = list(dict.fromkeys(book.file for book in books if book.file))
    sheets = list(dict.fromkeys(book.sheet for book in books))
    receipt = Receipt(
        tuple(part for book in books for part in book.receipt.parts),
        (*(item for book in books for item in book.receipt.remarks), *_lacking(books, columns)),
    )
    return Book(
        table=pa.table(arrays),
        rows=np.concatenate([book.numbers for book in books]).astype(np.int64),
        file=", ".join(files) or None,
        sheet=sheets[0] if len(sheets) == 1 else None,
        conversions={name: size for book in books for name, size in book.conversions.items() if name not in mixed},
        headers={name: text for book in reversed(books) for name, text in book.headers.items()},
        receipt=receipt,
        origins=origins(receipt.parts),
        part_of=np.repeat(np.arange(len(books), dtype=np.int32), [book.table.num_rows for book in books]),
    )


def _lacking(books: Sequence[Book], columns: Mapping[str, Column]) -> Iterator[Problem]:
    """Yield a remark for every column that some of the tables have and a table has not, in fen or in yuan."""
    somewhere = {name for book in books for name in book.table.column_names}
    for book in books:
        held = {_noun(name) for name in book.table.column_names}
        for name, column in columns.items():
            if name not in somewhere or _noun(name) in held:
                continue
            held.add(_noun(name))
            yield problem("RM332", file=book.file, sheet=book.sheet, column=name, label=column.label("zh"))


def _noun(name: str) -> str:
    """Return what an amount is of, whether it is told in fen or in yuan."""
    return name.removesuffix("_fen").removesuffix("_yuan")


def scaled(book: Book, mixed: set[str], columns: Mapping[str, Column]) -> pa.Table:
    """Return a table whose bare numbers of some columns are exact multiples in the column's own unit, as text."""
    table = book.table
    for name in mixed & set(table.column_names):
        size = book.conversions.get(name, Decimal(1))
        cells = [_times(cell, size, columns[name]) for cell in table[name].to_pylist()]
        table = table.set_column(table.column_names.index(name), name, pa.array(cells, pa.string()))
    return table


def _times(cell: Any, size: Decimal, column: Column) -> str | None:
    if cell is None:
        return None
    said = repr(cell) if isinstance(cell, float) else str(cell)
    exact = parse_number(said, column.measured, size, money=column.money)
    return said if exact is None else digits(exact)


def as_type(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Return a column in another type; numbers and days become the texts that they are shown as."""
    if column.type == kind:
        return column
    if column.null_count == len(column):
        return pa.chunked_array([pa.nulls(len(column), kind)])
    if not pa.types.is_string(kind):
        return column.cast(kind)
    return pa.chunked_array([pa.array([shown(cell) for cell in column.to_pylist()], pa.string())])
