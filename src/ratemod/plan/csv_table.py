"""One rating table from its CSV file."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import MappingProxyType

from ratemod.errors import PlanError, Problem, nearest, nearest_of, problem
from ratemod.plan.model import ANY, Axis, AxisKey, Band, Row
from ratemod.plan.operand import Day
from ratemod.rules.number import exact_number
from ratemod.rules.opened import opened
from ratemod.rules.printed import printed_number
from ratemod.vocabulary.column import Column

_ENDS = {
    "_from": ("band", "low"),
    "_below": ("band", "low"),
    "_above": ("band", "high"),
    "_to": ("band", "high"),
    "_at": ("point", "low"),
}
VALUES = ("value", "low", "high")
TEXTS = ("source", "note")
NOT_OFFERED = "none"


def read_rows(
    path: Path,
    shown: str,
    extra_values: Sequence[str],
    columns: Mapping[str, Column],
    axis_names: Mapping[str, str],
    kinds: Mapping[str, str],
    problems: list[Problem],
    coded: Mapping[str, dict[str, int]] = MappingProxyType({}),
    within: Path | None = None,
    unit: str | None = None,
) -> tuple[tuple[Axis, ...], tuple[str, ...], tuple[Row, ...]]:
    """Return axes, value columns and rows; problems are appended, with file and line.

    Parameters
    ----------
    kinds : mapping
        What kind of value the constants and steps are: number, date or level.
    coded : mapping
        Value columns that hold levels -> the place of each; empty ones are filled as levels appear.
    axis_names : mapping
        Axis -> column, where a step's ``by`` binds an axis to a column of another name.
    within : Path, optional
        The folder that the file must lie in.
    unit : str, optional
        What the plan says the values are in; a value with a sign (5%) needs it.
    """
    try:
        content = opened(path, shown, within)
    except PlanError as error:
        problems.extend(error.problems)
        return (), (), ()
    return rows_of(content, shown, extra_values, columns, axis_names, kinds, problems, coded, unit)


def rows_of(
    content: str,
    shown: str,
    extra_values: Sequence[str],
    columns: Mapping[str, Column],
    axis_names: Mapping[str, str],
    kinds: Mapping[str, str],
    problems: list[Problem],
    coded: Mapping[str, dict[str, int]] = MappingProxyType({}),
    unit: str | None = None,
) -> tuple[tuple[Axis, ...], tuple[str, ...], tuple[Row, ...]]:
    """Return what `read_rows` returns, of a file's text."""
    try:
        lines = list(csv.reader(content.splitlines()))
    except csv.Error as error:  # a cell of more than 131,072 letters
        problems.append(problem("RM121", file=shown, why=str(error)))
        return (), (), ()
    header = [name.strip() for name in lines[0]] if lines else []
    other = next((mark for mark in (";", "\t", "，") if len(header) == 1 and mark in header[0]), None)
    twice = sorted({name for name in header if header.count(name) > 1})
    if other is not None or twice:  # what the cells are, nobody can tell
        marks = {"mark": "tab", "mark_zh": "制表符"} if other == "\t" else {"mark": other, "mark_zh": other}
        told = [problem("RM125", file=shown, row=1, column=name) for name in twice]
        problems += told or [problem("RM929", file=shown, row=1, **marks)]
        return (), (), ()
    value_names = tuple(name for name in header if name in VALUES or name in extra_values)
    axes = _axes(header, value_names, columns, axis_names, kinds)
    for name in extra_values:
        if name not in header:
            problems.append(problem("RM122", file=shown, row=1, column=name, nearest=nearest(name, header)))
    if not value_names:
        problems.append(problem("RM123", file=shown, row=1, nearest=nearest("value", header)))
    if "source" not in header:
        problems.append(problem("RM124", file=shown, row=1))
    read_from = [columns.get(axis_names.get(axis.name, axis.name)) for axis in axes]
    known: list[Collection[str]] = [() if column is None else column.place for column in read_from]
    near = [nearest_of(levels) for levels in known]
    rows = []
    open_ = {name for name, codes in coded.items() if not codes}
    for number, cells in enumerate(lines[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            problems.append(problem("RM126", file=shown, row=number, found=len(cells), wanted=len(header)))
            continue
        cell = dict(zip(header, (text.strip() for text in cells)))
        keys = tuple(
            _key(axis, cell, levels, meant, shown, number, problems) for axis, levels, meant in zip(axes, known, near)
        )
        offered = not value_names or any(cell[name] != NOT_OFFERED for name in value_names)
        values = tuple(
            None
            if cell[name] == NOT_OFFERED
            else _level(cell[name], shown, number, name, coded[name], name in open_, problems)
            if name in coded
            else _number(cell[name], shown, number, name, problems, partial(printed_number, unit=unit))
            for name in value_names
        )
        rows.append(Row(keys, values, cell.get("source", ""), cell.get("note", ""), number, offered))
    if not rows:
        problems.append(problem("RM127", file=shown))
    signed = [item for item in problems if item.code == "RM374" and item.file == shown]  # one cause: no unit is stated
    if len(signed) > 1:
        problems[problems.index(signed[0])] = replace(signed[0], count=len(signed))
        problems[:] = [item for item in problems if item not in signed[1:]]
    return axes, value_names, tuple(rows)


def _axes(
    header: Sequence[str],
    value_names: Sequence[str],
    columns: Mapping[str, Column],
    axis_names: Mapping[str, str],
    kinds: Mapping[str, str],
) -> tuple[Axis, ...]:
    axes: dict[str, Axis] = {}
    for name in header:
        if name in value_names or name in TEXTS or not name:
            continue
        stem, kind, closed = name, "", "low"
        for ending, (end_kind, end_closed) in _ENDS.items():
            if name.endswith(ending) and name not in columns:
                stem, kind, closed = name[: -len(ending)], end_kind, end_closed
        bound = axis_names.get(stem, stem)
        of = columns[bound].kind if bound in columns else kinds.get(bound, "level")
        kind = kind or ("number" if of in ("number", "date") else "level")
        axes.setdefault(stem, Axis(stem, kind, closed, of == "date"))  # type: ignore[arg-type]
    return tuple(axes.values())


def _key(
    axis: Axis,
    cell: Mapping[str, str],
    levels: Collection[str],
    near: Callable[[str], str | None],
    file: str,
    line: int,
    problems: list[Problem],
) -> AxisKey:
    if axis.kind == "band":
        names = ("_from", "_below") if axis.closed == "low" else ("_above", "_to")
        ends = [cell.get(axis.name + ending, "") for ending in names]
        if "*" in ends:
            return ANY
        low, high = (_end(text, axis, file, line, problems) for text in ends)
        if low is not None and high is not None and low >= high:
            problems.append(problem("RM128", file=file, row=line, axis=axis.name, low=ends[0], high=ends[1]))
        return Band(low, high)
    text = cell[axis.name + "_at"] if axis.kind == "point" else cell[axis.name]
    if text == "*" and axis.kind != "point":
        return ANY
    if axis.kind in ("number", "point"):
        number = _end(text, axis, file, line, problems)
        if number is None and not text:
            problems.append(problem("RM129", file=file, row=line, column=axis.name))
        return Decimal(0) if number is None else number
    if not text:
        problems.append(problem("RM129", file=file, row=line, column=axis.name))
    elif levels and text not in levels:
        problems.append(problem("RM130", file=file, row=line, column=axis.name, value=text, nearest=near(text)))
    return text


def _level(
    text: str, file: str, line: int, column: str, codes: dict[str, int], open_: bool, problems: list[Problem]
) -> Decimal | None:
    """Return the place of a level among the levels of its step."""
    if text and open_:
        codes.setdefault(text, len(codes))
    if text and text not in codes:
        problems.append(problem("RM130", file=file, row=line, column=column, value=text, nearest=nearest(text, codes)))
    return Decimal(codes[text]) if text in codes else None


def _end(text: str, axis: Axis, file: str, line: int, problems: list[Problem]) -> Decimal | None:
    if axis.is_date and text:
        try:
            return Decimal(Day.of(date.fromisoformat(text)))
        except ValueError:
            problems.append(problem("RM131", file=file, row=line, column=axis.name, value=text))
            return None
    return _number(text, file, line, axis.name, problems)


def _number(
    text: str,
    file: str,
    line: int,
    column: str,
    problems: list[Problem],
    read: Callable[[str], Decimal] = exact_number,
) -> Decimal | None:
    if not text:
        return None
    try:
        return read(text)
    except PlanError as error:
        problems.extend(replace(item, file=file, row=line) for item in error.problems)
        return None
    except (ValueError, OverflowError):
        problems.append(problem("RM132", file=file, row=line, column=column, value=text[:60]))
        return None
