"""A list that this program wrote and that comes back: refused rows corrected, or priced rows to be priced again.

What the list of refused rows says of each (row, status, code, reason, suggestion), and what a priced one does, is
recognised by its headers in either language and taken off, so that nothing stale stands beside a new result; the
number of the row, and the table that it stood in where there were several, stay with it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa

from ratemod.errors import LANGUAGES, BookError, Lang, problem, text
from ratemod.reading.added import MORE, PLACES, PRICED, RESULTS, SAID, is_result_file
from ratemod.reading.book import Book, Origin, remarked
from ratemod.reading.convert import Coded, convert
from ratemod.reading.joined import scaled
from ratemod.reading.plain import plain
from ratemod.reading.receipt import Receipt, listed
from ratemod.reading.told import tell
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.currency import YUAN, Currency

UNITS_SHOWN = ("yuan", "percent", "per_mille")  # behind the header of a step


def corrected(book: Book, steps: Collection[str] = (), money: Currency = YUAN) -> Book:
    """Return a list without the columns that a list of refused or priced rows adds, its rows numbered as they were.

    A list that does not have all of either is returned as it is.

    Parameters
    ----------
    book : Book
    steps : names and labels of steps, which a priced list shows too
    money : of the plan, as the headers of a priced list name it

    Raises
    ------
    BookError
        RM292 a row without the number that it had.
    """

    def said_of(name: str, lang: Lang) -> str:
        return text(f"UI_{name}", lang, money=money.name(lang))

    given = book.table.column_names
    if is_result_file(given):
        rows = _numbers(book, "source_row") if "source_row" in given else book.rows
        stale = [name for name in given if name in {*PLACES, *RESULTS, *steps}]
        return replace(book, table=book.table.drop_columns(stale), rows=rows)
    for lang in LANGUAGES:
        refused, priced, more = ([said_of(name, lang) for name in names] for names in (SAID, PRICED, MORE))
        whole = [headers for headers in (refused, priced) if set(headers) <= set(given)]
        if not whole:
            continue
        said = {header for headers in whole for header in headers}
        if priced in whole:
            units = ["", *(said_of(f"unit_{unit}", lang) for unit in UNITS_SHOWN)]
            said |= {*more, *(step + unit for step in steps for unit in units)}
        rows, table_of = _numbers(book, refused[0]), text("UI_table_of_row", lang)
        table = book.table.drop_columns([name for name in given if name in {table_of, *said}])
        if table_of not in given:
            return replace(book, table=table, rows=rows)
        names = [str(name or "") for name in book.table[table_of].to_pylist()]
        known = {name: at for at, name in enumerate(dict.fromkeys(names))}
        return replace(
            book,
            table=table,
            rows=rows,
            origins=tuple(Origin(name, book.file, name) for name in known),
            part_of=np.array([known[name] for name in names], dtype=np.int32),
        )
    return book


def refused_part(book: Book) -> Book:
    """Return of a workbook that comes back the tables of refused rows: the priced ones beside them correct nothing."""
    headers = [{item.header for item in part.unused} for part in book.receipt.parts]
    said = [{text(f"UI_{name}", lang) for name in SAID} for lang in LANGUAGES]
    kept = [at for at, given in enumerate(headers) if any(words <= given for words in said)]
    if book.part_of is None or not kept or len(kept) == len(headers):
        return book
    found = book.take(np.flatnonzero(np.isin(book.part_of, kept)))
    return replace(found, origins=(), part_of=None) if len(kept) == 1 else found


def merged(batch: Book, corrections: Book, columns: Mapping[str, Column]) -> Book:
    """Return a list in which the corrected rows stand in the place of those that they were.

    A column that the corrected rows lack keeps its cells; one that only they have is blank in the other rows. Where the
    two state different units, numbers are put into the unit of the column.

    Parameters
    ----------
    batch : the whole list as it was read first
    corrections : the corrected list of refused rows, as `corrected` returns it
    columns : mapping of name to Column

    Raises
    ------
    BookError
        RM293 corrected rows that the list does not have, or that stand twice.
    """
    place = {row: at for at, row in enumerate(batch.said(range(batch.table.num_rows)))}
    given = [] if corrections.rows is None else corrections.said(range(corrections.table.num_rows))
    strange = [row for row in given if row not in place] or [row for row, n in Counter(given).items() if n > 1]
    if strange or corrections.rows is None:
        told = ", ".join(strange[:10]) or "?"
        raise BookError(problem("RM293", file=corrections.file, rows=told))
    n = batch.table.num_rows
    order = np.arange(n)
    for at, row in enumerate(given):
        order[place[row]] = n + at
    sizes = (batch.conversions, corrections.conversions)
    both = {*batch.table.column_names} & {*corrections.table.column_names} & {*columns}
    mixed = {name for name in both if sizes[0].get(name, 1) != sizes[1].get(name, 1)}
    table, other = scaled(batch, mixed, columns), scaled(corrections, mixed, columns)
    for name in other.column_names:
        mine = table[name] if name in table.column_names else pa.chunked_array([pa.nulls(n, other[name].type)])
        cells = _together(mine, other[name]).take(pa.array(order))
        at = table.column_names.index(name) if name in table.column_names else table.num_columns
        table = table.set_column(at, name, cells) if at < table.num_columns else table.append_column(name, cells)
    kept = {name: size for name, size in sizes[0].items() if name not in mixed}
    new = {name: size for name, size in sizes[1].items() if name not in batch.table.column_names}
    digest = hashlib.sha256(repr((given, other.to_pydict())).encode("utf-8", "replace")).hexdigest()
    whole = replace(batch, table=table, conversions={**kept, **new}, corrections=digest)
    said = [problem("RM304", file=corrections.file, count=len(given), rows=listed(given))]
    tell(Receipt((), tuple(said)))
    return remarked(whole, said)


def _together(first: pa.ChunkedArray, second: pa.ChunkedArray) -> pa.Array:
    """Return two columns one below the other; of different types both as text."""
    parts = [plain(first).cells, plain(second).cells]
    if parts[0].type != parts[1].type:
        as_text = Column("text", "text", optional=True)
        parts = [_texts(convert(part, as_text)) for part in parts]
    return pa.concat_arrays(parts)


def _texts(coded: Coded) -> pa.Array:
    values = coded.values
    return (values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values).cast(pa.string())


def _numbers(book: Book, header: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    column = Column(header, "number", low=None)
    coded = convert(book.table[header], column)
    if coded.problem_of is not None:
        at = int(np.argmax(coded.problem_of > 0))
        raise BookError(problem("RM292", file=book.file, row=at + 1 if book.rows is None else int(book.rows[at])))
    return np.asarray(coded.values, dtype=np.int64)
