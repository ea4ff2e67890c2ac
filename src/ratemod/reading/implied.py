"""Columns that a list is read for though nobody asks: the period in one cell, the money of a row.

They are looked for wherever both days, or amounts, are declared; what they say goes to the columns that are asked for,
the same for a list read whole and for one read in chunks. In the output they stay under their own headers.
"""

from __future__ import annotations

from collections.abc import Mapping

from ratemod.reading.book import Book
from ratemod.reading.header import CURRENCY, PERIOD
from ratemod.reading.own_money import in_own_money, money_of, with_currency
from ratemod.reading.period import in_days, with_period
from ratemod.vocabulary.column import Column


def with_implied(columns: Mapping[str, Column]) -> dict[str, Column]:
    """Return columns with those that a list is read for besides."""
    return with_currency(with_period(columns))


def obeyed(book: Book, columns: Mapping[str, Column], places: Mapping[str, str]) -> Book:
    """Return a book in which implied columns are obeyed.

    Parameters
    ----------
    columns : those that the list was read for
    places : mapping of implied column to the name under which it stands in the book

    Raises
    ------
    BookError
        RM325 rows in other money.
    """
    if (name := places.get(CURRENCY)) in book.table.column_names and (money := money_of(columns)) is not None:
        book = in_own_money(book, str(name), money)
    if (name := places.get(PERIOD)) in book.table.column_names:
        book = in_days(book, str(name))
    return book
