"""Which header means which declared column: aliases, units in brackets, merged and misplaced header rows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from ratemod.errors import BookError, Problem, nearest, problem
from ratemod.reading.numbers import factors
from ratemod.vocabulary.column import Column

SEARCHED_ROWS = 40
_BRACKETS = re.compile(r"^(?P<name>.+?)[(\[【](?P<inside>[^)\]】]*)[)\]】]$")
_SHEET_UNIT = re.compile(r"单位[:为]?(?P<unit>[^\s,,、;;。)(]+)")
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
        Units that headers name, by a bracket, by a row of units below, or by a line above such as 单位：万元.
    sheet_unit : str
        The line above, where there is one.
    """

    columns: tuple[str | None, ...]
    texts: tuple[str, ...]
    conversions: Mapping[str, Decimal]
    sheet_unit: str = ""

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
    counts: so headers merged over two or three rows are understood. A row of nothing but units below it belongs to it.
    """
    known = spellings(columns)
    best, best_at = Header((), (), {}), -1
    for at in range(min(len(rows), SEARCHED_ROWS)):
        own = [_above(rows, at, place) for place in range(len(rows[at]))]
        found = match(own, columns, known, header_map)
        if found.matches > best.matches:
            best, best_at = found, at
    if best_at < 0:
        return best_at, best
    below = _units_below(rows, best_at, best, columns)
    sheet_unit, everywhere = _sheet_unit(rows, best_at, best, columns)
    units = everywhere | _units_in_brackets(rows, best_at, best, columns) | (below or {})
    sizes = {name: size for name, size in units.items() if size != 1}
    return best_at + (below is not None), replace(best, conversions=sizes, sheet_unit=sheet_unit)


def _unit(text: object, column: Column) -> Decimal | None:
    """Return what a unit, bare or in brackets, multiplies the numbers of a column by."""
    plain = fold(text).strip("()[]【】").removeprefix("单位")
    return factors(column.unit).get(plain) if plain and column.kind == "number" else None


def _units_in_brackets(
    rows: Sequence[Sequence[Any]], at: int, header: Header, columns: Mapping[str, Column]
) -> dict[str, Decimal]:
    """Return the units in brackets in the header or in the cells above it: 限额（万元） over 每人赔偿限额."""
    found: dict[str, Decimal] = {}
    for place, name in enumerate(header.columns):
        for row in rows[max(at - 2, 0) : at + 1] if name else ():
            bracket = _BRACKETS.match(fold(row[place])) if place < len(row) else None
            size = _unit(bracket["inside"], columns[name or ""]) if bracket else None
            if size is not None:
                found[name or ""] = size
    return found


def _units_below(
    rows: Sequence[Sequence[Any]], at: int, header: Header, columns: Mapping[str, Column]
) -> dict[str, Decimal] | None:
    """Return the units in the row below the header, or None where that row holds anything else."""
    if at + 1 >= len(rows):
        return None
    found: dict[str, Decimal] = {}
    for name, cell in zip(header.columns, rows[at + 1]):
        if fold(cell) in ("", "()"):
            continue
        size = _unit(cell, columns[name]) if name else None
        if size is None or isinstance(cell, int | float):
            return None
        found[name or ""] = size
    return found or None


def _sheet_unit(
    rows: Sequence[Sequence[Any]], at: int, header: Header, columns: Mapping[str, Column]
) -> tuple[str, dict[str, Decimal]]:
    """Return a line above the table that names the unit of all amounts, and what it does to columns of money."""
    for row in rows[:at]:
        for cell in row:
            said = _SHEET_UNIT.search(fold(cell)) if isinstance(cell, str) else None
            size = factors("yuan").get(said["unit"]) if said else None
            if size is not None and size != 1:
                money = [name for name in header.columns if name and columns[name].unit == "yuan"]
                return str(cell).strip(), dict.fromkeys(money, size)
    return "", {}


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
