"""The hour that a header gives to all its days: 保险止期（24时）, 止期（含当日）, End (inclusive), 终保日期（零时）.

A day under such a header is read as a day that carries the hour itself (`ratemod.reading.dates`), so that it means the
same under a plan that counts the last day and under one that does not. What the column's own name says is no such hour:
the plan has said how it counts. An hour in the cell goes before the header's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pyarrow as pa

from ratemod.reading.book import Book
from ratemod.reading.dates import excel_day
from ratemod.reading.header import fold, hour_of
from ratemod.reading.joined import as_type
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.spelling import is_blank

_HAS_ONE = re.compile(r"[时點点時]|23:59|24:00")
_MIDNIGHT = re.compile(r"[\sTt]+0{1,2}:00(:00(\.0+)?)?$")
_DIGITS = "0123456789零一二三四五六七八九十"
_SERIAL = re.compile(r"[0-9]{5}(\.0+)?")


def header_hour(header: str, column: Column) -> str | None:
    """Return the hour that a header says besides the column's name, ``24时`` or ``零时``; None where it says none.

    Examples
    --------
    >>> end = Column("end_date", "date", label_zh="保险止期（不含当日）", aliases=("止期",))
    >>> header_hour("止期（当日24时止）", end), header_hour("到期(零时)", end), header_hour("保险止期（不含当日）", end)
    ('24时', '零时', None)
    """
    if column.kind != "date":
        return None
    said, names = fold(header), {fold(name) for name in column.names()}
    if said in names:
        return None
    spots = [said[len(name) :] for name in names if said.startswith(name)]
    spots += re.findall(r"[(\[【<][^)\]】>]*[)\]】>]", said)
    spots += [said[at:] for at in range(1, len(said)) if said[at - 1] not in _DIGITS]
    return next(filter(None, map(hour_of, spots)), None)


def with_header_hours(book: Book, columns: Mapping[str, Column]) -> Book:
    """Return a book whose days carry the hour that their header gives them."""
    table = book.table
    for name, header in book.headers.items():
        hour = header_hour(header, columns[name]) if name in columns and name in table.column_names else None
        if hour is not None:
            cells = [_at(cell, hour) for cell in as_type(table[name], pa.string()).to_pylist()]
            table = table.set_column(table.column_names.index(name), name, pa.array(cells, pa.string()))
    return book if table is book.table else replace(book, table=table)


def _at(cell: str | None, hour: str) -> str | None:
    if cell is None or is_blank(cell) or _HAS_ONE.search(cell):
        return cell
    day = _MIDNIGHT.sub("", cell.strip())
    found = excel_day(float(day)) if _SERIAL.fullmatch(day) else None
    return f"{day if found is None else date(1970, 1, 1) + timedelta(days=found)} {hour}"
