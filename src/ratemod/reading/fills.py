"""Values that the user gives for the blank cells of a list: remarked in its receipt, never over a filled cell."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from ratemod.errors import BookError, nearest, problem
from ratemod.reading.book import Book, remarked
from ratemod.reading.convert import value_of
from ratemod.reading.header import fold, spellings
from ratemod.reading.joined import as_type, scaled
from ratemod.vocabulary.column import Column

BLANK = r"^[\s\x{a0}\x{3000}\x{200b}\x{feff}]*$"


def filled(book: Book, fills: Mapping[str, str], columns: Mapping[str, Column]) -> Book:
    """Return a book with given values in the blank cells of some columns, or in all rows where it lacks the column.

    Parameters
    ----------
    book : Book
    fills : mapping of column, by name or label, to the value of its blank cells, in the column's own unit
    columns : mapping of name to Column

    Raises
    ------
    BookError
        RM451 a fill for no column; RM452 a value that its column does not take, RM413 two values for one
        column, RM338 a bare number for a column that the list gives in another unit than its own; all at once.
    """
    wanted: dict[str, str] = {}
    wrong, told = [], []
    known = spellings(columns)
    for target, value in fills.items():
        name = target if target in columns else known.get(fold(target))
        if name is None:
            labels = [spelled for column in columns.values() for spelled in column.names()]
            wrong.append(problem("RM451", column=target, value=value, nearest=nearest(target, labels)))
            continue
        _, odd = value_of(value, columns[name])
        if odd is not None:
            label = columns[name].label("zh")
            why_en, why_zh = odd.what("en"), odd.what("zh")
            wrong.append(problem("RM452", column=name, label=label, value=value, why_en=why_en, why_zh=why_zh))
        size = book.conversions.get(name, 1)
        if size != 1 and re.fullmatch(r"[\d.,\s]*[1-9][\d.,\s]*", unicodedata.normalize("NFKC", value)):
            label = columns[name].label("zh")
            wrong.append(problem("RM338", file=book.file, column=name, label=label, value=value, size=f"{size:,f}"))
        if wanted.setdefault(name, value) != value:
            wrong.append(problem("RM413", key=target, one=wanted[name], other=value))
    if wrong:
        raise BookError(wrong)
    table = scaled(book, set(wanted), columns)
    for name, value in wanted.items():
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
        cells = as_type(table[name], pa.string())
        blank = pc.fill_null(pc.match_substring_regex(cells, BLANK), True)
        table = table.set_column(table.column_names.index(name), name, pc.if_else(blank, value, cells))
        if count := pc.sum(blank).as_py():
            label = columns[name].label("zh")
            told.append(problem("RM450", file=book.file, count=count, column=name, label=label, value=value))
    sizes = {name: size for name, size in book.conversions.items() if name not in wanted}
    return remarked(replace(book, table=table, conversions=sizes, fills={**book.fills, **wanted}), told)
