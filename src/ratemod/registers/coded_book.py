"""A book's columns as coded arrays and back: what counterfactual books are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.plan.model import Plan
from ratemod.rating.rated import Rated
from ratemod.reading.book import Book
from ratemod.reading.convert import MISSING_DATE, convert
from ratemod.vocabulary.column import Column


def coded_column(book: Book, plan: Plan, name: str) -> Any:
    """Return one column as the engine computes with it, (n,): level codes, numbers, days, or Arrow texts.

    A column that the book lacks is empty throughout: -1, NaN, `MISSING_DATE`, null.
    """
    column, n = plan.columns[name], book.table.num_rows
    if name in book.table.column_names:
        return convert(book.table[name], column, book.conversions.get(name)).values
    if column.kind in ("level", "flag"):
        return np.full(n, -1, dtype=column.code_type)
    if column.kind == "date":
        return np.full(n, MISSING_DATE, dtype=np.int32)
    return pa.nulls(n, pa.string()) if column.kind == "text" else np.full(n, np.nan)


def as_priced(rated: Rated, name: str) -> Any:
    """Return one column as the engine priced with it, as `coded_column`: defaults and derived values are in it."""
    column, inputs = rated.plan.columns[name], rated.coding.inputs
    if column.codes():
        return inputs.codes[name]
    values = inputs.numbers[name]
    return np.where(np.isnan(values), MISSING_DATE, values).astype(np.int32) if column.kind == "date" else values


def arrow_column(column: Column, values: Any, valid: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Return a coded column as Arrow, null where it is empty or not valid."""
    if column.kind == "text":
        return values
    if column.kind in ("level", "flag"):
        there = values >= 0
    elif column.kind == "date":
        there = values != MISSING_DATE
    else:
        there = ~np.isnan(values) if values.dtype.kind == "f" else np.ones(len(values), dtype=bool)
    mask = ~(there if valid is None else there & valid)
    if column.kind in ("level", "flag"):
        codes = pa.array(np.where(mask, 0, values).astype(column.code_type), mask=mask)
        return pa.DictionaryArray.from_arrays(codes, pa.array(list(column.codes()), pa.string()))
    if column.kind == "date":
        return pa.array(np.where(mask, 0, values).astype(np.int32), pa.int32(), mask=mask).cast(pa.date32())
    return pa.array(values, mask=mask)


def with_columns(book: Book, plan: Plan, columns: Mapping[str, Any]) -> Book:
    """Return a book with some columns replaced by coded arrays, or added."""
    table = book.table
    for name, values in columns.items():
        array = arrow_column(plan.columns[name], values)
        if name in table.column_names:
            table = table.set_column(table.column_names.index(name), name, array)
        else:
            table = table.append_column(name, array)
    kept = {name: factor for name, factor in book.conversions.items() if name not in columns}
    return replace(book, table=table, conversions=kept)
