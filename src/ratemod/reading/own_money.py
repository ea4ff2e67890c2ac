"""A column that says in which money the amounts of a row are: it must say the one that amounts are read in.

A list that is read for amounts is read for 币种 too, whether the plan asks for it or not. Amounts are never converted:
a row in other money stops the reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.errors import BookError, problem
from ratemod.reading.book import Book
from ratemod.reading.header import CURRENCY, fold, spellings
from ratemod.reading.receipt import listed
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.currency import Currency
from ratemod.vocabulary.spelling import folded, is_blank
from ratemod.vocabulary.table import column


def with_currency(columns: Mapping[str, Column]) -> dict[str, Column]:
    """Return columns with the currency, where amounts are declared and nothing else has its names."""
    if money_of(columns) is None or CURRENCY in columns:
        return dict(columns)
    known, word = spellings(columns), column(CURRENCY)
    names = tuple(name for name in word.names() if fold(name) not in known)
    return {**columns, CURRENCY: replace(word, label_en="", label_zh="", aliases=names, optional=True)}


def money_of(columns: Mapping[str, Column]) -> Currency | None:
    """Return what amounts are in, None where no column holds any."""
    return next((one.money for one in columns.values() if one.unit in ("yuan", "fen")), None)


def in_own_money(book: Book, name: str, money: Currency) -> Book:
    """Return the book where its column `name` says one money throughout, that of its amounts.

    Raises
    ------
    BookError
        RM325 for every other money, with its rows.
    """
    words = {folded(word) for word in money.words()}
    found = book.table[name]
    problems = []
    for value in pc.unique(found).to_pylist():
        said = "" if value is None else str(value)
        if is_blank(said) or folded(said) in words:
            continue
        at = np.flatnonzero(np.asarray(pc.fill_null(pc.equal(found, pa.scalar(value, found.type)), False)))
        file, sheet, row = book.place(int(at[0]))
        args = {"header": book.headers.get(name, name), "value": said[:60], "rows": listed(book.said(at[:13].tolist()))}
        names = {"money_en": money.name_en, "money_zh": money.name_zh}
        problems.append(problem("RM325", file=file, sheet=sheet, row=row, count=len(at), **args, **names))
    if problems:
        raise BookError(problems)
    return book
