"""Another table inside a scenario: the rows of a whole table from a CSV file or a frame, checked as a plan's own.

``"tables.NAME.file" = "new.csv"`` reads a file; a frame in its place becomes ``tables.NAME.rows``, the same as text.
Axes and value columns are those of the plan's table; bands, levels and the number of rows may differ.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ratemod.errors import Lang, PlanError, Problem, nearest, problem, text
from ratemod.plan.check import problems_of
from ratemod.plan.csv_table import read_rows, rows_of
from ratemod.plan.edit import differences
from ratemod.plan.graph import table_node
from ratemod.plan.model import Plan, Table
from ratemod.rules.options import strict

_TABLE = re.compile(r"^tables\.(?P<table>[^.\[]+)\.(?P<how>file|rows)$")


def is_table(path: str) -> str:
    """Return ``file`` or ``rows`` for a change that replaces a whole table, nothing for any other.

    Examples
    --------
    >>> is_table("tables.base_rate.file"), is_table("tables.base_rate")
    ('file', '')
    """
    found = _TABLE.match(path)
    return found["how"] if found else ""


def as_change(path: str, value: Any) -> tuple[str, str]:
    """Return a change as path and text; a frame becomes the CSV of its rows.

    Examples
    --------
    >>> as_change("steps.renewal_cap.on", False)
    ('steps.renewal_cap.on', 'false')
    """
    if isinstance(value, bool):
        return path, str(value).lower()
    if not path.startswith("tables.") or isinstance(value, str | Path) or not hasattr(value, "__len__"):
        return path, str(value)
    from ratemod.reading.frame import arrow_table

    table = arrow_table(value)
    table = table.select([name for name in table.column_names if not name.startswith("__index_level_")])
    lines = [",".join(table.column_names)]
    for row in zip(*(column.to_pylist() for column in table.columns)):
        lines.append(",".join(_cell(item) for item in row))
    stem = path.removesuffix(".file").removesuffix(".rows")
    return f"{stem}.rows", "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    said = "" if value is None or value != value else str(value)
    return '"' + said.replace('"', '""') + '"' if any(mark in said for mark in ',"\n') else said


def new_tables(plan: Plan, changes: Mapping[str, str]) -> Plan:
    """Return a plan with other rows in some tables.

    Raises
    ------
    PlanError
        RM840 no such table (with the nearest), RM183 a table that a legal range rests on, RM866 other axes or value
        columns, and whatever `check_plan` would say of the table, with file and row. All at once.
    """
    problems: list[Problem] = []
    tables = dict(plan.tables)
    overlay = dict(plan.overlay)
    for path, value in changes.items():
        name = path.split(".")[1]
        if name not in tables:
            problems.append(problem("RM840", path=path, nearest=nearest(name, plan.tables)))
        elif table_node(name) in plan.graph().fixed:
            problems.append(problem("RM183", path=path))
        else:
            tables[name] = _read(plan, plan.tables[name], value, is_table(path), problems)
            overlay[path] = Path(value).name if is_table(path) == "file" else value
    if not changes:
        return plan
    made = replace(plan, tables=MappingProxyType(tables), overlay=tuple(sorted(overlay.items())))
    if not problems:
        known = set(map(str, problems_of(plan)))
        problems += [item for item in problems_of(made) if str(item) not in known]
    if problems:
        raise PlanError(problems)
    return made


def _read(plan: Plan, old: Table, value: str, how: str, problems: list[Problem]) -> Table:
    shown = value if how == "file" else f"tables.{old.name}.rows"
    axis_names: dict[str, str] = {}
    for step in plan.steps:
        if step.operation.table == old.name:
            axis_names |= dict(step.operation.by)
    rest = (
        shown,
        [name for name in old.value_names if name not in ("value", "low", "high")],
        plan.level_columns,
        axis_names,
        frozenset(step.name for step in plan.steps if step.operation.gives != "level"),
        problems,
        {column: {code: at for at, code in enumerate(codes)} for column, codes in old.coded},
    )
    read = partial(read_rows, Path(value)) if how == "file" else partial(rows_of, value)
    axes, values, rows = read(*rest, unit=old.unit)
    found, wanted = (
        sorted([*(a.name for a in part), *names]) for part, names in ((axes, values), (old.axes, old.value_names))
    )
    if rows and found != wanted:
        problems.append(
            problem("RM866", file=shown, row=1, table=old.name, found=", ".join(found), wanted=", ".join(wanted))
        )
    return replace(old, axes=axes, value_names=values, rows=rows, file=shown)


@strict
def table_words(plan: Plan, made: Plan, name: str, label: str, lang: Lang) -> list[str]:
    """Return how a table differs, one line each cell under a line for the whole."""
    only = replace(plan, tables=MappingProxyType({**plan.tables, name: made.tables[name]}))
    lines = differences(plan, only, lang)
    rows = len(made.tables[name].rows)
    return [text("UI_words_new_table", lang, label=label, rows=rows, differ=len(lines), name=name), *lines]
