"""The levels of a column from a file of their own: occupations, postcodes, vehicle models by the ten thousand.

``code`` is needed; ``label_en``, ``label_zh`` and ``aliases`` (several between semicolons) may be there.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ratemod.errors import PlanError, Problem, nearest, problem
from ratemod.rules.opened import opened
from ratemod.vocabulary.column import Level

HEADERS = ("code", "label_en", "label_zh", "aliases")


def levels_from(path: Path, shown: str, within: Path) -> tuple[Level, ...]:
    """Return the levels of a file, in its order.

    Raises
    ------
    PlanError
        RM432 a header that is none of a file of levels, RM433 a row of another length or without a code; those of
        `rules.opened.opened`.
    """
    lines = list(csv.reader(opened(path, shown, within).splitlines()))
    header = [name.strip() for name in lines[0]] if lines else []
    odd = [name for name in header if name not in HEADERS or header.count(name) > 1]
    if odd or "code" not in header:
        found = odd[0] if odd else "code"
        raise PlanError(problem("RM432", file=shown, row=1, column=found, nearest=nearest(found, HEADERS)))
    levels: list[Level] = []
    problems: list[Problem] = []
    for number, cells in enumerate(lines[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        said = dict(zip(header, (cell.strip() for cell in cells)))
        if len(cells) != len(header) or not said["code"]:
            problems.append(problem("RM433", file=shown, row=number, found=len(cells), wanted=len(header)))
            continue
        aliases = tuple(alias.strip() for alias in said.get("aliases", "").split(";") if alias.strip())
        levels.append(Level(said["code"], said.get("label_en", ""), said.get("label_zh", ""), aliases))
    if problems:
        raise PlanError(problems)
    return tuple(levels)


def level_files(held: Mapping[str, Any]) -> dict[str, str]:
    """Return, by column, the files of levels that a plan's file names."""
    columns = held.get("column", {})
    return {name: part["levels_file"] for name, part in columns.items() if "levels_file" in part}


def own_file(column: str) -> str:
    """Return where an edition that is written keeps the levels of a column."""
    return f"levels/{column}.csv"
