"""Extension of exposures: every past policy rated again under the current plan, with the tables under study set to 1.

What the plan would charge if every cell of those tables were 1 is the exposure that the cells multiply. So the limit,
the headcount scale and everything else that the plan rates keeps its own effect, and the study finds the cells alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import numpy as np

from ratemod.errors import ModelError, nearest, problem
from ratemod.plan.edit import key_text
from ratemod.plan.model import ANY, Axis, Band, Plan, Table
from ratemod.plan.op.arithmetic import Product
from ratemod.plan.op.look_up import Lookup
from ratemod.plan.part import part_of
from ratemod.ratemaking.arrays import Booleans, Floats, Integers
from ratemod.ratemaking.cells import Factor
from ratemod.rating.rate import rate
from ratemod.rating.rated import Rated
from ratemod.reading.book import Book
from ratemod.reading.convert import convert

RATE_UNITS = ("per_mille", "percent", "share", "yuan")


@dataclass(frozen=True, eq=False)
class ExposureBase:
    """What the tables under study multiply, policy by policy.

    Attributes
    ----------
    step : name of the step that was rated
    yuan : (n,) float64, the step with every cell of the tables at 1; NaN where the row was refused
    current_yuan : (n,) float64, the step under the plan as it stands
    factors : the tables' axes and the controls, with their levels
    codes : (n,) int64 for each factor
    good : (n,) bool, rows that could be rated
    reasons : row -> why not
    """

    step: str
    yuan: Floats
    current_yuan: Floats
    factors: tuple[Factor, ...]
    codes: tuple[Integers, ...]
    good: Booleans
    reasons: tuple[str, ...]


def tables_under_study(plan: Plan, names: Sequence[str]) -> tuple[Table, ...]:
    """Return the tables to derive: those named, else the first looked-up table that holds rates.

    Raises
    ------
    ModelError
        RM583 unknown table (with the nearest), RM584 none is named and none holds rates, RM585 two tables share an
        axis, RM586 an axis that a study cannot use (points, dates, or a step of the plan).
    """
    unknown = [
        problem("RM583", name=name, nearest=nearest(name, plan.tables)) for name in names if name not in plan.tables
    ]
    if unknown:
        raise ModelError(unknown)
    chosen = [plan.tables[name] for name in names]
    if not chosen:
        steps = [
            step
            for step in plan.steps
            if isinstance(step.operation, Lookup)
            and (plan.tables[step.operation.table].unit or step.unit) in RATE_UNITS
        ]
        if not steps:
            raise ModelError(problem("RM584", tables=", ".join(plan.tables)))
        chosen = [plan.tables[steps[0].operation.table]]
    axes = [axis.name for table in chosen for axis in table.axes]
    found = [problem("RM585", name=name) for name in dict.fromkeys(axes) if axes.count(name) > 1]
    found += [
        problem("RM586", table=table.name, name=axis.name)
        for table in chosen
        for axis in table.axes
        if axis.kind == "point" or axis.is_date or column_of(plan, table, axis) not in plan.columns
    ]
    if found:
        raise ModelError(found)
    return tuple(chosen)


def column_of(plan: Plan, table: Table, axis: Axis) -> str:
    """Return the column that an axis of a looked-up table is read from."""
    for step in plan.steps:
        if step.operation.table == table.name:
            return step.bound(axis.name)
    return axis.name


def exposure_step(plan: Plan, tables: Sequence[Table], available: Sequence[str], named: str) -> str:
    """Return the step to rate: the one named, else the furthest product of the first table that the history can rate.

    Further tables may lie outside it: they then multiply what the step gives, as they do in the plan.

    Raises
    ------
    ModelError
        RM587 when there is no such step; PlanError RM188 for an unknown name.
    """
    look_ups = {step.name for step in plan.steps if step.operation.table == tables[0].name}
    given = set(available)
    given |= {name for name, column in plan.columns.items() if column.optional or column.default or column.derive}
    if named:
        part_of(plan, named)  # RM188 where there is none
        return named
    best = ""
    missing: set[str] = set()
    for step in plan.steps:
        rests_on = plan.graph().upstream([step.name])
        if not isinstance(step.operation, Product) or not look_ups <= rests_on:
            continue
        lacking = {name for name in rests_on if name in plan.columns} - given
        if lacking:
            missing |= lacking if not best else set()
            continue
        best = step.name
    if not best:
        raise ModelError(problem("RM587", tables=tables[0].name, missing=", ".join(sorted(missing))))
    return best


def with_cells(plan: Plan, tables: Sequence[Table], values: Sequence[Sequence[Decimal]]) -> Plan:
    """Return the plan with new values in whole tables, bounds of the tables set aside (they are for the edition)."""
    changed = dict(plan.tables)
    for table, cells in zip(tables, values):
        at = table.value_names.index("value")
        rows = tuple(
            replace(row, values=(*row.values[:at], cell, *row.values[at + 1 :])) if row.offered else row
            for row, cell in zip(table.rows, cells)
        )
        changed[table.name] = replace(table, rows=rows, low=None, high=None)
    return replace(plan, tables=MappingProxyType(changed))


def base_of(book: Book, plan: Plan, tables: Sequence[Table], step: str, controls: Sequence[str]) -> ExposureBase:
    """Rate a book twice, with the tables at 1 and as they stand, and code its factors.

    Parameters
    ----------
    book : Book of n policies
    plan : the current plan; tables : those under study; step : from `exposure_step`
    controls : level or flag columns that the book has

    Returns
    -------
    ExposureBase
    """
    part = part_of(plan, step)
    inside = [table for table in tables if table.name in part.tables]
    ones = [[Decimal(1)] * len(table.rows) for table in inside]
    unit = rate(book, with_cells(part, inside, ones), lang="en", trace=(step,))
    now = rate(book, part, lang="en", trace=(step,))
    good = np.asarray(unit.verdict.status < 2)
    factors, codes = [], []
    for table in tables:
        for axis in table.axes:
            factor, code = _axis(plan, table, axis, unit)
            factors.append(factor)
            codes.append(code)
            good = good & (code >= 0)
    reasons = ["" if text is None else text for text in unit.table["reason"].to_pylist()]
    for name in controls:
        coded = convert(book.table[name], plan.columns[name], book.conversions.get(name))
        values = np.asarray(coded.values).astype(np.int64)
        factors.append(Factor(name, plan.columns[name].codes()))
        codes.append(values)
        for row in np.flatnonzero(good & (values < 0)):
            reasons[row] = f"{name}: {book.table[name][int(row)].as_py()!r}"
        good &= values >= 0
    yuan = np.where(good, unit.outputs.steps[step], np.nan)
    return ExposureBase(
        step,
        yuan,
        np.where(good, now.outputs.steps[step], np.nan),
        tuple(factors),
        tuple(codes),
        good & (yuan > 0),
        tuple(reasons),
    )


def controls_of(plan: Plan, tables: Sequence[Table], book: Book, wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the rating variables that the model must know beside the tables' axes.

    Raises
    ------
    ModelError
        RM588 for one that is no level or flag column, or that the history lacks.
    """
    own = {column_of(plan, table, axis) for table in tables for axis in table.axes}
    able = [
        name
        for name, column in plan.columns.items()
        if column.codes() and name in book.table.column_names and name not in own
    ]
    if tuple(wanted) == ("*",):
        return tuple(name for name in able if name != "business" and _varies(plan, book, name))
    wrong = [problem("RM588", name=name, nearest=nearest(name, able)) for name in wanted if name not in able]
    if wrong:
        raise ModelError(wrong)
    return tuple(wanted)


def _varies(plan: Plan, book: Book, name: str) -> bool:
    codes = np.asarray(convert(book.table[name], plan.columns[name]).values)
    return len(np.unique(codes[codes >= 0])) > 1


def _cells_of(plan: Plan, table: Table, axis: Axis, name: str, rated: Rated) -> Any:
    """Return a column's codes or numbers: as the part of the plan read it, or straight from the book."""
    inputs, book = rated.coding.inputs, rated.book
    for held in (inputs.codes, inputs.numbers):
        if name in held:
            return held[name]
    if name not in book.table.column_names:
        near = nearest(name, book.table.column_names)
        raise ModelError(problem("RM999", table=table.name, axis=axis.name, name=name, nearest=near))
    return convert(book.table[name], plan.columns[name], book.conversions.get(name)).values


def _axis(plan: Plan, table: Table, axis: Axis, rated: Rated) -> tuple[Factor, Integers]:
    """Return a table's axis as a factor of the model, and the code of every row (-1 where refused)."""
    name = column_of(plan, table, axis)
    values = np.asarray(_cells_of(plan, table, axis, name, rated))
    if axis.kind == "level":
        return Factor(axis.name, plan.columns[name].codes()), values.astype(np.int64)
    keys = list(dict.fromkeys(row.keys[table.axes.index(axis)] for row in table.rows))
    values = values.astype(np.float64)
    code = np.full(len(values), -1, dtype=np.int64)
    for at, key in enumerate(keys):
        if key is ANY:
            code[code < 0] = at
        elif isinstance(key, Band):
            low, high = (
                (-np.inf if key.low is None else float(key.low)),
                (np.inf if key.high is None else float(key.high)),
            )
            inside = (values >= low) & (values < high) if axis.closed == "low" else (values > low) & (values <= high)
            code[inside] = at
        else:
            code[values == float(key)] = at  # type: ignore[arg-type]
    return Factor(axis.name, tuple(key_text(key) for key in keys)), code
