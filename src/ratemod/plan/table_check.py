"""What can be wrong inside one table: axes, overlaps, gaps, missing and unlawful values."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from ratemod.errors import Problem, nearest, problem
from ratemod.plan.grid import MOST_CELLS, Grid, GridAxis, grid
from ratemod.plan.model import Band, Combination, Condition, Plan, Step, Table, Test
from ratemod.plan.op.base import TableOperation
from ratemod.plan.op.judgement import Judgement
from ratemod.plan.op.limits import upside_down
from ratemod.plan.op.progressive import Progressive
from ratemod.plan.reads import kind_of
from ratemod.plan.slices import along
from ratemod.vocabulary.column import Column


def table_problems(plan: Plan) -> Iterator[Problem]:
    """Yield the problems of every table that a step reads."""
    done: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    for step in plan.steps:
        table = plan.tables.get(step.operation.table)
        if table is None:
            continue
        yield from _values_fit(step, table)
        if (table.name, step.operation.by) in done:
            continue
        done.add((table.name, step.operation.by))
        yield from _rows(plan, table)
        axis_problems = list(_axes(plan, step, table))
        yield from axis_problems
        if axis_problems or not table.rows:
            continue
        found = grid(table, step.operation.by, plan.level_columns)
        if found is None:
            yield problem("RM162", file=table.file, most=MOST_CELLS)
            continue
        for first, second in found.clashes[:50]:
            yield problem("RM133", file=table.file, row=table.rows[second].line, other=table.rows[first].line)
        yield from _gaps(plan, step, table, found)


def table_warnings(plan: Plan) -> Iterator[Problem]:
    """Yield combinations of levels without any rate: rows there will be refused."""
    for step in plan.steps:
        table = plan.tables.get(step.operation.table)
        found = grid(table, step.operation.by, plan.level_columns) if table is not None and table.rows else None
        if table is None or found is None:
            continue
        empty = _unrated_combinations(plan, found)
        if empty:
            yield problem("RM163", file=table.file, count=len(empty), cells="; ".join(empty[:5]), step=step.name)


def _values_fit(step: Step, table: Table) -> Iterator[Problem]:
    operation = step.operation
    assert isinstance(operation, TableOperation)
    for name in operation.value_columns(table):
        if name not in table.value_names:
            yield problem("RM164", file=table.file, name=name, step=step.name, nearest=nearest(name, table.value_names))
    if isinstance(operation, Judgement):
        held = [name for name in ("low", operation.column, "high") if name in table.value_names]
        for row in table.rows:
            if upside_down(*(row.values[table.value_names.index(name)] for name in held)):
                yield problem("RM928", file=table.file, row=row.line, step=step.name)
    if any(axis.kind == "point" for axis in table.axes) != operation.between:
        yield problem("RM138", file=table.file, step=step.name, op=operation.op)
    elif isinstance(operation, Progressive):
        yield from _slices_fit(operation, step, table)


def _slices_fit(operation: Progressive, step: Step, table: Table) -> Iterator[Problem]:
    """Yield what a table lacks to be summed slice by slice."""
    banded = [axis.name for axis in table.axes if axis.kind == "band"]
    at = along(operation.along, table)
    if at is None:
        yield problem("RM169", file=table.file, step=step.name, axes=", ".join(banded) or "-")
        return
    for row in table.rows:
        key = row.keys[at]
        if not isinstance(key, Band) or key.low is None or not row.offered:
            yield problem("RM173", file=table.file, row=row.line, step=step.name, axis=table.axes[at].name)


def _rows(plan: Plan, table: Table) -> Iterator[Problem]:
    for row in table.rows:
        if row.source not in plan.sources:
            yield problem(
                "RM117",
                file=table.file,
                row=row.line,
                name=row.source,
                owner=table.name,
                nearest=nearest(row.source, plan.sources),
            )
        for name, value in zip(table.value_names, row.values):
            if value is None and not row.offered:
                continue
            if value is None:
                yield problem("RM136", file=table.file, row=row.line, column=name)
            elif (table.low is not None and value < table.low) or (table.high is not None and value > table.high):
                yield problem(
                    "RM137",
                    file=table.file,
                    row=row.line,
                    value=value,
                    low="" if table.low is None else table.low,
                    high="" if table.high is None else table.high,
                )


def _axes(plan: Plan, step: Step, table: Table) -> Iterator[Problem]:
    bound = dict(step.operation.by)
    axis_names = [axis.name for axis in table.axes]
    strange = [given for given in bound if given not in axis_names]
    for given in strange:
        near, axes = nearest(given, axis_names), ", ".join(axis_names)
        yield problem("RM165", file=table.file, row=1, name=given, step=step.name, axes=axes, nearest=near)
    before = {*plan.columns, *plan.constants}
    for earlier in plan.steps:
        if earlier.name == step.name:
            break
        before.add(earlier.name)
    for axis in table.axes:
        name = bound.get(axis.name, axis.name)
        column = plan.level_columns.get(name)
        if name not in before:
            if strange or axis.name in bound:  # told of the axis that there is not, or of the name in `by`
                continue
            yield problem("RM119", file=table.file, row=1, name=name, step=step.name, nearest=nearest(name, before))
        elif axis.kind == "level" and (column is None or column.kind not in ("level", "flag")):
            yield problem("RM166", file=table.file, row=1, name=name)
        elif axis.kind != "level" and kind_of(name, plan) != ("date" if axis.is_date else "number"):
            wanted = "date" if axis.is_date else "number"
            yield problem("RM167", file=table.file, row=1, name=name, wanted=wanted, kind=kind_of(name, plan))
        elif name in plan.step_names and column is not None:
            yield from _unknown_levels(table, axis.name, column)


def _unknown_levels(table: Table, axis: str, column: Column) -> Iterator[Problem]:
    """Yield the rows whose key is no level of the step that classifies; of columns the reader has seen to it."""
    at = [item.name for item in table.axes].index(axis)
    for row in table.rows:
        key = row.keys[at]
        if isinstance(key, str) and key and key not in column.place:
            near = nearest(key, column.codes())
            yield problem("RM130", file=table.file, row=row.line, column=axis, value=key, nearest=near)


def _reachable(plan: Plan, step: Step, table: Table, found: Grid) -> list[npt.NDArray[np.bool_]]:
    """Return, per axis, which slots a permitted value can fall into."""
    masks = []
    operation = step.operation
    summed = along(operation.along, table) if isinstance(operation, Progressive) else None
    for axis in found.axes:
        mask = np.ones(axis.size, dtype=bool)
        if axis.axis.kind != "point":
            mask[-1] = False
        if axis.axis.kind == "number":
            mask[-2] = False
        if axis.axis.kind == "band":
            both = summed is not None and table.axes[summed].name == axis.axis.name  # of slices both ends are inside
            _within(mask, axis, _ends(plan, step, axis.bound), both)
        masks.append(mask)
    return masks


def _ends(plan: Plan, step: Step, name: str) -> list[tuple[Decimal, int, bool]]:
    """Return what bounds a name where a step asks a table by it: number, -1 for a least and 1 for a most, strictly."""
    found: list[tuple[Decimal, int, bool]] = []
    column = plan.columns.get(name)
    if column is not None:
        found += [(end, sign, False) for end, sign in ((column.low, -1), (column.high, 1)) if end is not None]
    for test in _tests_that_hold(step.when):
        for key, end in test.compared.items() if test.of == name else ():
            number = plan.constants[end].value if isinstance(end, str) and end in plan.constants else end
            if isinstance(number, Decimal):
                found.append((number, -1 if key in ("at_least", "above") else 1, key in ("above", "below")))
    return found


def _tests_that_hold(when: Condition | None) -> Iterator[Test]:
    """Yield the tests that surely hold where a condition does."""
    if isinstance(when, Test):
        yield when
    elif isinstance(when, Combination) and when.how == "all":
        for part in when.parts:
            yield from _tests_that_hold(part)


def _within(mask: npt.NDArray[np.bool_], axis: GridAxis, ends: Sequence[tuple[Decimal, int, bool]], both: bool) -> None:
    """Clear the slots of a banded axis that no value within some ends falls into; an end that is open asks for none."""
    marks = [mark for mark in axis.marks if isinstance(mark, Decimal)]  # of a banded axis: all
    if not any(sign < 0 for _, sign, _ in ends):
        mask[0] = False
    if not any(sign > 0 for _, sign, _ in ends):
        mask[-2] = False
    for number, sign, strict in ends:
        side = ("right" if sign < 0 else "left") if strict or both else axis.side
        slot = bisect_right(marks, number) if side == "right" else bisect_left(marks, number)
        if sign < 0:
            mask[:slot] = False
        else:
            mask[slot + 1 : -1] = False


def _gaps(plan: Plan, step: Step, table: Table, found: Grid) -> Iterator[Problem]:
    banded = [at for at, axis in enumerate(found.axes) if axis.axis.kind in ("band", "point")]
    if not banded:
        return
    masks = _reachable(plan, step, table, found)
    empty = found.row_of < 0
    for at, mask in enumerate(masks):
        shape = [1] * empty.ndim
        shape[at] = -1
        empty = empty & mask.reshape(shape)
    rated = (found.row_of >= 0).any(axis=tuple(banded), keepdims=True)
    holes = np.argwhere(empty & rated)
    for hole in holes[:20]:
        yield problem("RM134", file=table.file, cell=_cell(found, hole), count=1)


def _unrated_combinations(plan: Plan, found: Grid) -> list[str]:
    others = tuple(at for at, axis in enumerate(found.axes) if axis.axis.kind != "level")
    rated = np.any(found.row_of >= 0, axis=others) if others else found.row_of >= 0
    axes = [axis for axis in found.axes if axis.axis.kind == "level"]
    if not axes:
        return []
    inner = np.asarray(rated)[tuple(slice(0, axis.size - 1) for axis in axes)]
    return [
        ", ".join(f"{axis.bound}={axis.marks[slot]}" for axis, slot in zip(axes, where))
        for where in np.argwhere(~inner)
    ]


def _cell(found: Grid, hole: npt.NDArray[np.intp]) -> str:
    parts = []
    for axis, slot in zip(found.axes, hole.tolist()):
        if axis.axis.kind == "band":
            low = axis.marks[slot - 1] if slot > 0 else "-∞"
            high = axis.marks[slot] if slot < len(axis.marks) else "∞"
            parts.append(f"{axis.bound} {low}..{high}")
        else:
            parts.append(f"{axis.bound}={axis.marks[slot]}")
    return ", ".join(parts)
