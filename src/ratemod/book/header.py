"""Which header means which declared column: aliases, units in brackets, merged and misplaced header rows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ratemod.book.column import Column
from ratemod.book.numbers import factors
from ratemod.errors import BookError, Problem, nearest, problem

SEARCHED_ROWS = 40
_BRACKETS = re.compile(r"^(?P<name>.+?)[(\[【](?P<inside>[^)\]】]*)[)\]】]$")
_REMARKS = frozenset(
    {"必填", "选填", "required", "optional", "可空", "单选", "下拉", "yyyy-mm-dd", "是/否", "格式:yyyy-mm-dd"}
)


@dataclass(frozen=True, slots=True)
class Header:
    """What the header row says.

    Attributes
    ----------
    columns : tuple of str or None
        Declared column of each cell, None for cells that mean none.
    texts : tuple of str
        The header of each cell as read.
    conversions : mapping of column to Decimal
        Units that headers name.
    """

    columns: tuple[str | None, ...]
    texts: tuple[str, ...]
    conversions: Mapping[str, Decimal]

    @property
    def matches(self) -> int:
        """How many cells mean a declared column."""
        return sum(name is not None for name in self.columns)


def fold(text: object) -> str:
    """Return a header without what does not tell headers apart: width, case, spaces, line ends, marks."""
    plain = unicodedata.normalize("NFKC", "" if text is None else str(text)).casefold()
    return re.sub(r"[\s*:_\-]+", "", plain)


def spellings(columns: Mapping[str, Column]) -> dict[str, str]:
    """Return every folded spelling and the column it means."""
    return {fold(name): column.name for column in columns.values() for name in column.names()}


def match(
    texts: Sequence[object],
    columns: Mapping[str, Column],
    known: Mapping[str, str],
    header_map: Mapping[str, str] | None = None,
) -> Header:
    """Match one row of headers."""
    given = {fold(header): column for header, column in (header_map or {}).items()}
    found: list[str | None] = []
    conversions: dict[str, Decimal] = {}
    for text in texts:
        name = given.get(fold(text)) or known.get(fold(text))
        bracket = None if name else _BRACKETS.match(fold(text))
        if bracket and known.get(fold(bracket["name"])):
            candidate = known[fold(bracket["name"])]
            size = factors(columns[candidate].unit).get(bracket["inside"])
            if size is not None or bracket["inside"] in _REMARKS:
                name = candidate
                if size is not None and columns[candidate].kind == "number" and size != 1:
                    conversions[candidate] = size
        found.append(name)
    return Header(tuple(found), tuple("" if text is None else str(text).strip() for text in texts), conversions)


def find(
    rows: Sequence[Sequence[Any]],
    columns: Mapping[str, Column],
    header_map: Mapping[str, str] | None = None,
) -> tuple[int, Header]:
    """Return the row that is the header (counted from 0) and what it says.

    The row with most matches among the first `SEARCHED_ROWS` is the header. Where a cell of it is blank, the cell above
    counts: so headers merged over two or three rows are understood.
    """
    known = spellings(columns)
    best, best_at = Header((), (), {}), -1
    for at in range(min(len(rows), SEARCHED_ROWS)):
        own = [_above(rows, at, place) for place in range(len(rows[at]))]
        found = match(own, columns, known, header_map)
        if found.matches > best.matches:
            best, best_at = found, at
    return best_at, best


def _above(rows: Sequence[Sequence[Any]], at: int, place: int) -> Any:
    for row in range(at, max(at - 3, -1), -1):
        if place < len(rows[row]) and rows[row][place] not in (None, ""):
            return rows[row][place]
    return ""


def checked(
    header: Header,
    columns: Mapping[str, Column],
    file: str,
    sheet: str | None,
    row: int,
    header_map: Mapping[str, str] | None,
) -> Header:
    """Return the header, or raise every problem of it at once: RM221..RM223."""
    problems: list[Problem] = []
    for name in {name for name in header.columns if name and header.columns.count(name) > 1}:
        both = " / ".join(text for text, column in zip(header.texts, header.columns) if column == name)
        problems.append(problem("RM222", file=file, sheet=sheet, row=row, column=name, headers=both))
    for given, column in (header_map or {}).items():
        if column not in columns:
            problems.append(problem("RM223", file=file, header=given, column=column, nearest=nearest(column, columns)))
        elif fold(given) not in {fold(text) for text in header.texts}:
            problems.append(
                problem("RM224", file=file, sheet=sheet, header=given, nearest=nearest(given, header.texts))
            )
    if header.matches == 0:
        wanted = ", ".join(column.label("zh") for column in list(columns.values())[:6])
        problems.append(problem("RM221", file=file, sheet=sheet, wanted=wanted))
    if problems:
        raise BookError(problems)
    return header
