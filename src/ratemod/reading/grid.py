"""A sheet, or a text laid out in rows and cells, with what a plain reader of values does not say about it."""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass, field
from typing import Any

Rows = MutableSequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Merge:
    """A range of cells shown as one, rows and columns counted from 0, both ends included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What a sheet says beyond the values of its cells; rows and columns counted from 0.

    Attributes
    ----------
    merges : tuple of Merge
    hidden_rows, struck_rows : frozenset of int
    hidden_columns : frozenset of int
    filtered : bool
        A filter is set on the sheet.
    unreadable : mapping of (row, column) to str
        Cells that hold an error, or a formula that was never calculated, as they are shown here.
    serials_1904 : bool
        Days are counted from 1904.
    suffixes : mapping of (row, column) to str
        Multiples such as 万元 that the format of a cell shows behind its number, which does not hold them.
    comments : mapping of (row, column) to str
    margins : tuple of str
        Headers and footers of the printed page.
    """

    merges: tuple[Merge, ...] = ()
    hidden_rows: frozenset[int] = frozenset()
    struck_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    filtered: bool = False
    unreadable: dict[tuple[int, int], str] = field(default_factory=dict)
    serials_1904: bool = False
    suffixes: dict[tuple[int, int], str] = field(default_factory=dict)
    comments: dict[tuple[int, int], str] = field(default_factory=dict)
    margins: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Grid:
    """The cells of one sheet or text.

    Attributes
    ----------
    file : str
    sheet : str or None
    rows : rows of cells, changed by `put` alone; a cell that cannot be read holds a text that no column accepts
    lines : sequence of int
        Number of each row as an editor or a spreadsheet counts.
    facts : Facts
    hidden : bool
        The sheet is hidden.
    """

    file: str
    sheet: str | None
    rows: Rows
    lines: Sequence[int]
    facts: Facts = Facts()
    hidden: bool = False

    def put(self, row: int, place: int, cell: Any) -> None:
        """Put a cell where none, or another, was read; rows and columns counted from 0."""
        while row >= len(self.rows):
            self.rows.append(())
        cells = list(self.rows[row])
        cells += [""] * (place + 1 - len(cells))
        cells[place] = cell
        self.rows[row] = tuple(cells)


def letter(place: int) -> str:
    """Return the letters of a column counted from 0, as a spreadsheet shows them.

    Examples
    --------
    >>> letter(0), letter(27)
    ('A', 'AB')
    """
    said = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        said = chr(65 + rest) + said
    return said


def place_of(reference: str) -> tuple[int, int]:
    """Return row and column, counted from 0, of a cell's address.

    Examples
    --------
    >>> place_of("AB12")
    (11, 27)
    """
    letters = reference.rstrip("0123456789")
    column = 0
    for sign in letters.upper():
        column = column * 26 + ord(sign) - 64
    return int(reference[len(letters) :]) - 1, column - 1
