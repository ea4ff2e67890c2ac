"""A workbook as sheets of cells: values by calamine, and what calamine does not say by the XML of the sheets."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ratemod.errors import BookError, problem
from ratemod.reading.error_cells import Errors, error_cells
from ratemod.reading.grid import Facts, Grid, Merge
from ratemod.reading.sheet_xml import TooWide, sheet_comments, sheet_facts, workbook_parts
from ratemod.reading.sniff import BROKEN, damaged


def workbook_grids(path: Path, kind: str) -> list[Grid]:
    """Return every sheet of a workbook, hidden ones too.

    Parameters
    ----------
    kind : ``xlsx``, ``xlsb``, ``xls`` or ``ods``, by content

    Raises
    ------
    BookError
        RM261 damaged, RM262 protected, RM263 a used range beyond measure.
    """
    import python_calamine

    facts = _facts(path) if kind == "xlsx" else {}
    errors = {} if kind == "xlsx" else _errors(path, kind)
    try:
        with open(path, "rb") as file:
            book = python_calamine.CalamineWorkbook.from_filelike(file)
            if errors is None or not {name for name, cells in errors.items() if cells} <= set(book.sheet_names):
                raise BookError(damaged(path))
            states = {item.name: item for item in book.sheets_metadata}
            grids = []
            for name in book.sheet_names:
                item = states[name]
                if item.typ != python_calamine.SheetTypeEnum.WorkSheet:
                    continue
                hidden = item.visible != python_calamine.SheetVisibleEnum.Visible
                grids.append(_grid(path, book.get_sheet_by_name(name), name, hidden, facts.get(name), errors.get(name)))
    except python_calamine.PasswordError:
        raise BookError(problem("RM262", file=str(path))) from None
    except (python_calamine.CalamineError, OSError):
        raise BookError(damaged(path)) from None
    return grids


def _facts(path: Path) -> dict[str, Facts]:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = workbook_parts(archive)
            found = {}
            for name, target in parts.sheets.items():
                try:
                    found[name] = sheet_facts(archive.read(target), parts, sheet_comments(archive, target))
                except TooWide as far:
                    raise BookError(problem("RM263", file=str(path), sheet_name=name, cell=str(far))) from None
            return found
    except BROKEN:
        raise BookError(damaged(path)) from None


def _errors(path: Path, kind: str) -> Errors | None:
    """Return the cells that hold an error; None where the file is protected or damaged, which reading values tells."""
    try:
        return error_cells(path, kind)
    except BROKEN:
        return None


def _grid(
    path: Path, sheet: Any, name: str, hidden: bool, facts: Facts | None, errors: dict[tuple[int, int], str] | None
) -> Grid:
    left = ("",) * (sheet.start[1] if sheet.start else 0)
    # Tuples of plain values: the collector of garbage looks at each once, at lists again and again.
    rows: list[Sequence[Any]] = [(*left, *cells) for cells in sheet.iter_rows()]
    if facts is None:
        merges = tuple(
            Merge(top, left, bottom, right) for (top, left), (bottom, right) in sheet.merged_cell_ranges or ()
        )
        facts = Facts(merges=merges, unreadable=errors or {})
    grid = Grid(str(path), name, rows, range(1, 1_048_577), facts, hidden)
    for (row, place), said in facts.unreadable.items():
        grid.put(row, place, said)
    for (row, place), unit in facts.suffixes.items():
        cell = rows[row][place] if row < len(rows) and place < len(rows[row]) else None
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            grid.put(row, place, f"{cell!r}{unit}")  # the cell as it is shown
    return replace(grid, lines=range(1, len(rows) + 1))
