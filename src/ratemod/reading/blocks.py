"""The tables of a sheet: every row of headers, below each other and side by side, and which rows stand under it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from ratemod.errors import BookError, problem
from ratemod.reading.grid import Grid, Merge, letter
from ratemod.reading.header import Header, Lexicon, fold, match, meaning
from ratemod.reading.units import HINTS, Unit, is_unit_cell, is_unit_like, is_unit_line, plain, statements, unit_beside

SEARCHED_ROWS = 120  # rows of a sheet whose every cell is compared with all headers, however it is written
SIDE_COLUMNS, SIDE_HEADERS = 3, 3  # where the headers of a list on its side are looked for, and how many make one
_MARKS = ("{}", "*{}", "{}*", "{}:", "{}：")  # as headers far below are written, if not as the first ones of the sheet
_FIGURES = re.compile(r"\d[\d\-/.]{6,}")
_NUMBERING = re.compile(r"^[(（]?(\d{1,2}|[a-z]|[甲乙丙丁戊己庚辛壬癸])[)）]?(?:\s*=[\s\d()（）+\-*/×÷xX]+)?$", re.I)


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """One table of a sheet, rows and columns counted from 0, ends not included.

    Attributes
    ----------
    top, at : int
        First and last row of the header.
    first, end : int
        Rows that stand under it.
    left, right : int
        Its columns.
    header : Header
        Of the columns `left` to `right`.
    repeats : frozenset of int
        Rows that repeat the header.
    """

    grid: Grid
    top: int
    at: int
    first: int
    end: int
    left: int
    right: int
    header: Header
    repeats: frozenset[int] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """The declared columns it has."""
        return self.header.names


def blocks(grid: Grid, words: Lexicon) -> list[Block]:
    """Return the tables of a sheet in their order; a row with at least two headers begins one."""
    need = min(2, len(words.columns))
    raw = {mark.format(name) for column in words.columns.values() for name in column.names() for mark in _MARKS}
    found: list[Block] = []
    open_: list[Block] = []
    repeats: set[int] = set()
    row, n = 0, len(grid.rows)
    while row < n:
        cells = grid.rows[row]
        if (row >= SEARCHED_ROWS and raw.isdisjoint(cells)) or not _may_be(cells):
            row += 1
            continue
        header, top, at = _header(grid, row, words)
        if not _is_header(header, cells, need):
            row += 1
            continue
        if open_ and _repeats(open_, header) and not _says_units(grid, top):
            repeats |= set(range(row, at + 1))
            row = at + 1
            continue
        found += [replace(block, end=top, repeats=frozenset(repeats)) for block in open_]
        open_ = [_block(grid, top, at, part, n, words) for part in _side_by_side(header, need)]
        raw |= {str(cell) for cell in grid.rows[at] if isinstance(cell, str) and cell}
        repeats = set()
        row = max(block.first for block in open_)
    found += [replace(block, repeats=frozenset(repeats)) for block in open_]
    return found or _single(grid, words)


def check_upright(grid: Grid, found: Sequence[Block], words: Lexicon) -> None:
    """Refuse a list that lies on its side: headers below each other in one of the first columns, and few in any row.

    Raises
    ------
    BookError
        RM692.
    """
    if any(len(block.names) >= SIDE_HEADERS for block in found):
        return  # a list that lacks a column, beside a sheet that explains its columns
    for place in range(SIDE_COLUMNS):
        said = {meaning(_cell(grid, row, place), "", words)[0] for row in range(min(len(grid.rows), SEARCHED_ROWS))}
        if len(said - {None}) >= SIDE_HEADERS:
            raise BookError(problem("RM692", file=grid.file, sheet=grid.sheet, column=letter(place)))


def _single(grid: Grid, words: Lexicon) -> list[Block]:
    """Return the table under a row that has one header only, where no row has more."""
    for row in range(min(len(grid.rows), SEARCHED_ROWS)):
        header, top, at = _header(grid, row, words)
        if header.matches and _may_be(grid.rows[row]):
            return [_block(grid, top, at, (0, header), len(grid.rows), words)]
    return []


def _may_be(cells: Sequence[Any]) -> bool:
    """Return whether a row could be headers: no day, no long number."""
    if any(isinstance(cell, date) for cell in cells):
        return False
    return _FIGURES.search("\t".join(cell for cell in cells if isinstance(cell, str))) is None


def _is_header(header: Header, cells: Sequence[Any], need: int) -> bool:
    numbers = sum(isinstance(cell, int | float) for cell in cells)
    own = {name for name, cell in zip(header.columns, cells) if name and cell is not None and str(cell).strip()}
    return len(own) >= need and len(own) > numbers


def _repeats(open_: Sequence[Block], header: Header) -> bool:
    """Return whether a row has the headers of the open tables again, in no other units."""
    return all(
        header.columns[block.left : block.right] == block.header.columns[: len(header.columns) - block.left]
        and header.in_units_of(block.header)
        for block in open_
    )


def _says_units(grid: Grid, top: int) -> bool:
    """Return whether a line right over a header says units: then the table is another one, of its own units."""
    for at in range(top - 1, max(top - 4, -1), -1):
        filled = [cell for cell in grid.rows[at] if cell is not None and str(cell).strip()]
        if len(filled) > 2:
            break
        if statements(filled):
            return True
    return False


def _header(grid: Grid, row: int, words: Lexicon) -> tuple[Header, int, int]:
    """Return what a row says as headers, with the rows above that group it and those below that belong to it."""
    best = _levels(grid, row, row, words)
    at = row
    if best.matches == 0:
        return best, row, row
    for below in range(row + 1, min(row + 3, len(grid.rows))):
        if not _is_second_level(grid, row, below, words):
            break
        header = _levels(grid, row, below, words)
        if header.matches > best.matches or (header.matches == best.matches and _merged_down(grid, row, below)):
            best, at = header, below
    top = row
    while top > 0 and top > row - 2 and _is_group(grid, top - 1):
        top -= 1
    return best, top, at


def _levels(grid: Grid, row: int, at: int, words: Lexicon) -> Header:
    """Return the headers that end in row `at`, the level above each being the nearest group over it."""
    width = max(len(grid.rows[at]), len(grid.rows[row]))
    own: list[Any] = []
    groups: list[Any] = []
    top = row
    while top > 0 and top > row - 2 and _is_group(grid, top - 1):
        top -= 1
    for place in range(width):
        level = at
        while level >= max(at - 2, 0) and _cell(grid, level, place) == "":
            level -= 1
        mine = _cell(grid, level, place) if level >= max(at - 2, 0) else ""
        group = next(
            (
                said
                for higher in range(level - 1, top - 1, -1)
                if mine != "" and (said := _over(grid, higher, place)) != ""
            ),
            "",
        )
        own.append(mine)
        groups.append(group if group != mine else "")
    return match(own, words, groups)


def _cell(grid: Grid, row: int, place: int) -> Any:
    cells = grid.rows[row]
    cell = cells[place] if place < len(cells) else ""
    return "" if cell is None or (isinstance(cell, str) and not cell.strip()) else cell


def _over(grid: Grid, row: int, place: int) -> Any:
    """Return the header of a level above over a column: its own cell, or the cell merged or blank up to it."""
    for merge in grid.facts.merges:
        if merge.top <= row <= merge.bottom and merge.left <= place <= merge.right:
            return _cell(grid, merge.top, merge.left)
    if grid.facts.merges or _cell(grid, row, place) != "":
        return _cell(grid, row, place)
    for left in range(place - 1, -1, -1):
        said = _cell(grid, row, left)
        if said != "":
            below = _cell(grid, row + 1, left)
            bare = re.sub(r"[(\[【][^)\]】]*[)\]】]", "", fold(said))
            return "" if bare and bare in fold(below) else said
    return ""


def _is_group(grid: Grid, row: int) -> bool:
    """Return whether a row above the headers groups them: several texts, or one merged over some of the columns."""
    cells = [cell for cell in grid.rows[row] if cell is not None and str(cell).strip() != ""]
    if not cells or not all(isinstance(cell, str) for cell in cells) or any(map(is_unit_line, cells)):
        return False
    if len(cells) > 1:
        return not any(re.search(r"\d{4}-\d|\d{5,}", cell) for cell in cells)
    width = len(grid.rows[row])
    merged = [merge for merge in grid.facts.merges if merge.top == row]
    if merged:
        return all(merge.right - merge.left + 1 < 0.7 * width for merge in merged)
    return bool(_cell(grid, row, 0) == "")


def _is_second_level(grid: Grid, row: int, below: int, words: Lexicon) -> bool:
    """Return whether a row stands between the headers and the records: no figures, under merged or blank headers."""
    cells = [(place, cell) for place, cell in enumerate(grid.rows[below]) if _cell(grid, below, place) != ""]
    if not cells or not all(isinstance(cell, str) and not re.search(r"\d", cell) for _, cell in cells):
        return False
    if _merged_down(grid, row, below):
        return True
    if all(is_unit_like(plain(cell).strip("()[]【】")) or plain(cell) in HINTS for _, cell in cells):
        return False
    return all(
        _cell(grid, row, place) == "" or meaning(grid.rows[row][place], "", words)[0] is None for place, _ in cells
    )


def _merged_down(grid: Grid, row: int, below: int) -> bool:
    return any(merge.top <= row and merge.bottom == below and merge.top != merge.bottom for merge in grid.facts.merges)


def _side_by_side(header: Header, need: int) -> list[tuple[int, Header]]:
    """Return the tables that one row of headers begins, each with its first column."""
    names = header.columns
    starts: list[int] = [0]
    seen: set[str] = set()
    for place, name in enumerate(names):
        if name is None:
            continue
        if name in seen:
            start = place
            while start > starts[-1] + 1 and names[start - 1] is None and header.texts[start - 1]:
                start -= 1
            starts.append(start)
            seen = set()
        seen.add(name)
    parts = [(left, _cut(header, left, right)) for left, right in zip(starts, [*starts[1:], len(names)])]
    first = next((name for name in names if name), None)
    whole = all(
        part.matches >= need and (not left or not header.texts[left - 1] or next(filter(None, part.columns)) == first)
        for left, part in parts
    )
    return parts if len(parts) > 1 and whole else [(0, header)]


def _cut(header: Header, left: int, right: int) -> Header:
    names = header.columns[left:right]
    units = {name: unit for name, unit in header.units.items() if name in names}
    return replace(header, columns=names, texts=header.texts[left:right], units=units)


def _block(grid: Grid, top: int, at: int, part: tuple[int, Header], end: int, words: Lexicon) -> Block:
    left, header = part
    first, units = at + 1, dict(header.units)
    while first < min(at + 4, end):
        said = _units_below(grid.rows[first], left, header, words)
        if said is None and not _is_numbering(grid.rows[first][left : left + len(header.columns)]):
            break
        units |= said or {}
        first += 1
    return Block(grid, top, at, first, end, left, left + len(header.columns), replace(header, units=units))


def _units_below(cells: Sequence[Any], left: int, header: Header, words: Lexicon) -> dict[str, Unit] | None:
    """Return the units in a row right below the header, or None where that row is no row of units or hints."""
    found: dict[str, Unit] = {}
    given = [
        (name, str(cell))
        for name, cell in zip(header.columns, cells[left:])
        if cell is not None and str(cell).strip() != ""
    ]
    if any(isinstance(cell, int | float | date) for cell in cells[left : left + len(header.columns)]):
        return None
    hints = sum(plain(cell) in HINTS or fold(cell) in HINTS for _, cell in given)
    for name, cell in given:
        column = words.columns.get(name or "")
        if column is None or column.kind in ("text", "level", "flag"):
            continue
        if not is_unit_cell(cell, column) and plain(cell) not in HINTS:
            return None
        unit, _ = unit_beside(plain(cell), column)
        if unit is not None and column.kind == "number":
            found[column.name] = unit
    return found if found or (given and hints == len(given)) else None


def _is_numbering(cells: Sequence[Any]) -> bool:
    """Return whether a row numbers the columns: 1 2 3 4, (1) (2) (3), 甲 乙 1 2."""
    said = [str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip() for cell in cells]
    marks = [_NUMBERING.match(text) for text in said if text and text not in ("None", "栏次", "序号")]
    if len(marks) < 3 or not all(marks):
        return False
    figures = [int(mark[1]) for mark in marks if mark and mark[1].isdigit()]
    letters = [mark[1] for mark in marks if mark and not mark[1].isdigit()]
    return (figures == list(range(1, len(figures) + 1)) and len(figures) >= 3) or (
        not figures
        and letters
        == sorted(letters, key=lambda sign: "甲乙丙丁戊己庚辛壬癸".find(sign) if not sign.isascii() else ord(sign))
    )


def merged_cells(block: Block) -> Iterator[Merge]:
    """Yield the merged ranges among the rows under the header."""
    for merge in block.grid.facts.merges:
        if block.first <= merge.top < block.end and block.left <= merge.left < block.right:
            yield merge
