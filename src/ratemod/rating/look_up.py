"""Look-ups over blocks: one slot per axis, one mixed-radix index, one take."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from ratemod.plan.grid import Grid, GridAxis, grid
from ratemod.plan.interval import Range, operand_range, places_of
from ratemod.plan.model import Plan
from ratemod.plan.op.base import TableOperation
from ratemod.plan.op.judgement import Judgement
from ratemod.plan.op.look_up import Classify, Interpolate, Lookup
from ratemod.rating.axes import level_axis
from ratemod.rating.block import Block, Floats, largest
from ratemod.rating.compiling import Compiling, Run
from ratemod.rating.conditions import comparison

FEW_MARKS = 24
LOOK_UP_TABLE = 1 << 16  # whole numbers up to here find their band by one take instead of a search


def fill_from_cells(
    operation: TableOperation, compiling: Compiling, columns: Collection[str]
) -> tuple[Grid, Callable[[Block], npt.NDArray[np.intp]], dict[str, Floats]]:
    """Return a table's grid, what finds the cell of every row, and the values of some columns by cell.

    A column that the table lacks holds nothing.
    """
    plan, table = compiling.plan, compiling.plan.tables[operation.table]
    found = grid(table, operation.by, plan.level_columns)
    assert found is not None
    finders = [
        slot_finder(plan, axis, compiling.known, compiling.floats) for axis in found.axes if axis.axis.kind != "point"
    ]
    shape = [axis.size for axis in found.axes]
    strides = [int(np.prod(shape[at + 1 :], dtype=np.int64)) for at in range(len(finders))]
    nothing = np.full(shape, np.nan).ravel()
    cells = {
        name: np.ascontiguousarray(found.values(table.column(name))).ravel() if name in table.value_names else nothing
        for name in columns
    }

    def index_of(block: Block) -> npt.NDArray[np.intp]:
        index: npt.NDArray[np.intp] | None = None
        for finder, stride in zip(finders, strides):
            slots = finder(block) * stride if stride != 1 else finder(block)
            index = slots if index is None else index + slots
        return np.zeros(block.inputs.n, dtype=np.intp) if index is None else index

    return found, index_of, cells


def fill_look_up(operation: Lookup | Classify, compiling: Compiling) -> Run:
    """Return the function that fills a `lookup` or `classify` step."""
    _, index_of, cells = fill_from_cells(operation, compiling, [operation.column])
    values = cells[operation.column]

    def look_up(block: Block) -> None:
        np.take(values, index_of(block), out=block.buffer(compiling.name), mode="clip")

    return look_up


def fill_judgement(operation: Judgement, compiling: Compiling) -> Run:
    """Return the function that fills a `judgement` step."""
    return _judged_in_cells(operation, compiling) if operation.table else _judged_between(operation, compiling)


def _judged_in_cells(operation: Judgement, compiling: Compiling) -> Run:
    _, index_of, cells = fill_from_cells(operation, compiling, {operation.column, "low", "high"})

    def judged(block: Block) -> None:
        index, out = index_of(block), block.buffer(compiling.name)
        np.take(cells[operation.column], index, out=out, mode="clip")
        chosen = block.values[operation.chosen]
        given = np.flatnonzero(chosen == chosen)  # not NaN
        if not len(given):
            return
        chosen, index = chosen[given], index[given]
        low, high = (np.take(cells[name], index, mode="clip") for name in ("low", "high"))
        fine = (chosen >= low) & (chosen <= high)
        if operation.reason:
            fine &= block.inputs.filled[operation.reason][given]
        out[given] = np.where(fine, chosen, np.nan)

    return judged


def _judged_between(operation: Judgement, compiling: Compiling) -> Run:
    low, high = operation.low, operation.high
    assert low is not None and high is not None
    reach, least, most = (operand_range(end, compiling.known) for end in (operation.chosen, low, high))
    reaches, within = comparison(reach, least, or_equal=True), comparison(most, reach, or_equal=True)
    floats = compiling.floats

    def judged(block: Block) -> None:
        out = block.buffer(compiling.name)
        out[:] = block.get(operation.of[0], floats) if operation.of else np.nan
        chosen = block.values[operation.chosen]
        given = ~np.isnan(chosen)
        if not given.any():
            return
        before, block.suspect = block.suspect, np.zeros(block.inputs.n, dtype=bool)
        fine = reaches(block, chosen, block.get(low, floats))
        fine &= within(block, block.get(high, floats), chosen)
        block.suspect = before | block.suspect & given
        if operation.reason:
            fine &= block.inputs.filled[operation.reason]
        np.copyto(out, np.where(fine, chosen, np.nan), where=given)

    return judged


def slot_finder(
    plan: Plan, axis: GridAxis, known: Mapping[str, Range], constants: Mapping[str, float]
) -> Callable[[Block], npt.NDArray[np.intp]]:
    """Return the function that finds the slot of every row on one axis, once a block."""
    last = axis.size - 1
    key = (axis.bound, hash((axis.marks, axis.axis.kind, axis.axis.closed)))
    marks = np.array([float(mark) for mark in axis.marks]) if axis.axis.kind != "level" else np.zeros(0)
    reach = known.get(axis.bound, Range())
    level = level_axis(axis.bound, last)
    column = plan.columns.get(axis.bound)
    table = None
    if (
        axis.axis.kind == "band"
        and column is not None
        and column.kind == "number"
        and column.decimals == 0
        and column.low is not None
        and column.high is not None
        and 0 <= column.low <= column.high <= LOOK_UP_TABLE
    ):
        table = np.searchsorted(marks, np.arange(int(column.high) + 1), side=axis.side)  # type: ignore[call-overload]

    def find(block: Block) -> npt.NDArray[np.intp]:
        if key in block.slots:
            return block.slots[key]
        if axis.axis.kind == "level":
            slots = level.slots(block).astype(np.intp)
        else:
            value = block.column(axis.bound, constants)
            if table is not None:
                slots = np.take(table, value.astype(np.intp), mode="clip")
            elif axis.axis.kind == "band":
                slots = _bands(block, value, marks, axis, reach).astype(np.intp)
            else:
                at = np.searchsorted(marks, value)
                clipped = np.minimum(at, len(marks) - 1)
                slots = np.where(marks[clipped] == value, clipped, axis.size - 2)
                if not reach.raw:
                    block.suspect |= ~np.isnan(value)
            missing = np.isnan(value)
            if missing.any():
                slots = np.where(missing, last, slots)
        block.slots[key] = slots
        return slots

    return find


def _bands(
    block: Block, value: Floats, marks: Floats, axis: GridAxis, reach: Range
) -> npt.NDArray[np.intp] | npt.NDArray[np.uint8]:
    if reach.raw:
        return _passed(marks, value, axis.side)
    if reach.on_grid:
        places = max([reach.places or 0, *(places_of(Decimal(mark)) for mark in axis.marks)])
        half = 0.5 * 10.0**-places
        return _passed(marks + (-half if axis.side == "right" else half), value, axis.side)
    slack = reach.error_at(largest(value, reach.low >= 0))
    low, high = np.searchsorted(marks, value - slack), np.searchsorted(marks, value + slack, side="right")
    block.suspect |= low != high
    return high


def _passed(marks: Floats, value: Floats, side: str) -> npt.NDArray[np.intp] | npt.NDArray[np.uint8]:
    """Return how many marks each value has passed; a few comparisons are cheaper than a search."""
    if len(marks) > FEW_MARKS:
        return np.searchsorted(marks, value, side=side)  # type: ignore[call-overload, no-any-return]
    found = np.zeros(len(value), dtype=np.uint8)
    passed = np.greater_equal if side == "right" else np.greater
    for mark in marks.tolist():
        found += passed(value, mark)
    return found


def fill_interpolate(operation: Interpolate, compiling: Compiling) -> Run:
    """Return the function that fills an `interpolate` step, along each axis of points in turn."""
    found, index_of, columns = fill_from_cells(operation, compiling, [operation.column])
    cells, constants = columns[operation.column], compiling.floats
    axes = [axis for axis in found.axes if axis.axis.kind == "point"]
    points = [np.array([float(mark) for mark in axis.marks]) for axis in axes]
    strides = [int(np.prod([axis.size for axis in axes[at + 1 :]], dtype=np.int64)) for at in range(len(axes))]
    lines = np.isnan(cells.reshape(-1, int(np.prod([axis.size for axis in axes]))))
    holes = bool((lines.any(axis=1) & ~lines.all(axis=1)).any())
    refuses = operation.beyond == "refuse"
    beyond = [_beyond(axis, at, compiling) for axis, at in zip(axes, points)] if refuses else []

    def interpolate(block: Block) -> None:
        out = block.buffer(compiling.name)
        given = [block.column(axis.bound, constants) for axis in axes]
        places = [_beside(x, at, operation.beyond == "extend") for x, at in zip(given, points)]

        def along(index: npt.NDArray[np.intp], axis: int) -> Floats:
            if axis == len(axes):
                return np.take(cells, index, mode="clip")
            (left, right), x, at = places[axis], given[axis], points[axis]
            v0, v1 = (along(index + place * strides[axis], axis + 1) for place in (left, right))
            run = np.where(left == right, 1.0, at[right] - at[left])
            value: Floats = v0 + np.where(left == right, 0.0, (x - at[left]) * ((v1 - v0) / run))
            return value

        np.copyto(out, along(index_of(block), 0))
        missing = np.logical_or.reduce([np.isnan(x) for x in given])
        if holes:  # a point that is not offered: whether a value lies on the one beside it, floats cannot say
            block.suspect |= np.isnan(out) & ~missing
        out[missing] = np.nan
        for outside in beyond:
            out[outside(block)] = np.nan

    return interpolate


def _beyond(axis: GridAxis, points: Floats, compiling: Compiling) -> Callable[[Block], npt.NDArray[np.bool_]]:
    """Return what finds the rows whose value lies outside the points of an axis."""
    reach = compiling.known.get(axis.bound, Range())
    point, low, high = Range(raw=reach.raw, rel=0.0), float(points[0]), float(points[-1])
    ends, starts = comparison(reach, point, or_equal=False), comparison(point, reach, or_equal=False)

    def outside(block: Block) -> npt.NDArray[np.bool_]:
        x = block.column(axis.bound, compiling.floats)
        return ends(block, x, high) | starts(block, low, x)

    return outside


def _beside(x: Floats, points: Floats, extend: bool) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the places of the points on both sides of a value; the same beyond the ends, unless the lines go on."""
    last = len(points) - 1
    right = np.minimum(np.searchsorted(points, x, side="right"), last)
    left = np.maximum(right - 1, 0)
    if extend:
        return left, np.minimum(left + 1, last)
    at_end = x >= points[-1]
    left = np.where(at_end, last, left)
    return left, np.where(x < points[0], 0, np.where(at_end, left, right))
