"""Tables as CSV, for people: UTF-8 with a byte-order mark, so that Excel shows Chinese without an import dialogue.

Amounts are exact yuan, numbers are plain, and every text that a spreadsheet could run gets an apostrophe in front, of
whatever type its cell is: there is one disarm, here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.document.model import Column, Span, Table
from ratemod.document.model import plain as plain_text
from ratemod.reading.plain import plain

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"
DANGEROUS = f"^[{FORMULA_STARTS.replace('-', '')}-]"
SIGNED_NUMBER = r"[+-][0-9]+(\.[0-9]+)?"


def write_table(table: Table, part: Path) -> None:
    """Write a table: its labels, its rows."""
    write_columns(part, [plain_text(one.label) for one in table.columns], [_printed(one) for one in table.columns])


def write_columns(part: Path, labels: Sequence[str], columns: Sequence[pa.Array | pa.ChunkedArray]) -> None:
    """Write columns that are `printed` below their labels."""
    with pa.OSFile(str(part), "wb") as file:
        file.write(BYTE_ORDER_MARK)
        file.write(header(labels))
        file.write(lines(columns))


def header(labels: Sequence[str]) -> pa.Buffer:
    """Return the header line."""
    return lines([pa.array([safe_text(label)]) for label in labels])


def _printed(column: Column) -> pa.ChunkedArray:
    cells = [plain_text(cell) if isinstance(cell, Span | tuple) else cell for cell in column.cells]
    try:
        held = pa.array(cells)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # a column of several types
        held = pa.array([None if cell is None else str(cell) for cell in cells], pa.string())
    return printed(held, "fen" if column.unit == "fen" and pa.types.is_integer(held.type) else "text")


def safe_text(value: str) -> str:
    """Return text that no spreadsheet runs when it opens a CSV: an apostrophe goes before a formula's start.

    A plain number with its sign runs nothing, and stays, so that a list that comes out can go in again.

    Source: OWASP, "CSV Injection".

    Examples
    --------
    >>> safe_text("=1+1"), safe_text("张三"), safe_text("-5")
    ("'=1+1", '张三', '-5')
    """
    return f"'{value}" if re.match(DANGEROUS, value) and not re.fullmatch(SIGNED_NUMBER, value) else value


def lines(columns: Sequence[pa.Array | pa.ChunkedArray]) -> pa.Buffer:
    """Return rows as lines."""
    from pyarrow import csv

    sink = pa.BufferOutputStream()
    names = [f"c{at}" for at in range(len(columns))]  # headers may repeat; they go in as a row of their own
    csv.write_csv(pa.table(list(columns), names=names), sink, csv.WriteOptions(include_header=False))
    return sink.getvalue()


def printed(array: pa.ChunkedArray | pa.Array, look: str = "text", exact: bool = False) -> pa.ChunkedArray:
    """Return a column of any type as it is printed in a CSV: numbers plainly, all else as text that nothing runs.

    Parameters
    ----------
    look : str
        ``fen`` is printed as exact yuan.
    exact : bool
        The floats stand for decimals of at most 15 digits, as computed ones do.
    """
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    if look == "fen":
        return pa.chunked_array([amounts(chunk) for chunk in chunks])
    kind = array.type
    if pa.types.is_floating(kind):
        digits = _decimal_digits if exact else _digits
        told = [pa.array(map(digits, chunk.to_pylist()), pa.string()) for chunk in chunks]
        return pa.chunked_array(told, pa.string())
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_boolean(kind) or pa.types.is_date32(kind):
        return pa.chunked_array(chunks, kind)
    if pa.types.is_timestamp(kind) and kind.tz is None:
        return pa.chunked_array([_day_or_moment(chunk) for chunk in chunks], pa.string())
    return pa.chunked_array([_disarmed(chunk) for chunk in chunks], pa.string())


def _day_or_moment(chunk: pa.Array) -> pa.Array:
    """Return moments as text, a midnight as its day alone: as lists write days."""
    days = chunk.cast(pa.date32(), safe=False)
    is_day = pc.equal(days.cast(chunk.type), chunk)
    moments = pc.utf8_rtrim(pc.replace_substring_regex(chunk.cast(pa.string()), r"(\.\d*?)0+$", r"\1"), ".")
    return pc.if_else(is_day, days.cast(pa.string()), moments)


def _disarmed(chunk: pa.Array) -> pa.Array:
    """Return what is not known to be a number as text, with an apostrophe where a spreadsheet could run it."""
    texts = chunk.cast(chunk.type.value_type) if pa.types.is_dictionary(chunk.type) else chunk
    if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
        found = plain(texts)
        texts = found.cells
        if found.refused is not None and found.refused.any():
            texts = pa.array([None if cell is None else _said(cell) for cell in chunk.to_pylist()], pa.string())
    texts = texts.cast(pa.string())
    runs = pc.and_not(pc.match_substring_regex(texts, DANGEROUS), pc.match_substring_regex(texts, f"^{SIGNED_NUMBER}$"))
    return pc.if_else(runs, pc.binary_join_element_wise("'", texts, ""), texts)


def _said(cell: Any) -> str:
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)


def _decimal_digits(value: float | None) -> str | None:
    return _digits(None if value is None else float(f"{value:.15g}"))


def _digits(value: float | None) -> str | None:
    """Return a float in its shortest digits, never with an exponent; nothing for what is not a number."""
    if value is None or value != value:
        return None
    said = repr(float(value))
    if "e" in said:
        from decimal import Decimal

        said = format(Decimal(said), "f")
    return said.removesuffix(".0")


def amounts(counts: pa.Array, decimals: int = 2) -> pa.Array:
    """Return int64 (n,) smallest units of money as amounts, decimal128(20, decimals) (n,): the very same digits.

    Examples
    --------
    >>> amounts(pa.array([123456, None, -5])).to_pylist()
    [Decimal('1234.56'), None, Decimal('-0.05')]
    """
    low = np.asarray(counts.fill_null(0), dtype=np.int64)
    wide = np.empty((len(low), 2), dtype="<i8")
    wide[:, 0], wide[:, 1] = low, low >> 63
    mask = pc.is_valid(counts)
    kind = pa.decimal128(20, decimals)
    whole = pa.Array.from_buffers(kind, len(low), [None, pa.py_buffer(wide.tobytes())])
    return pc.if_else(mask, whole, pa.scalar(None, kind))
