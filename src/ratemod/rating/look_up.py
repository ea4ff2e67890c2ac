"""Look-ups over blocks: one slot per axis, one mixed-radix index, one take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from ratemod.plan.grid import Grid, GridAxis, grid
from ratemod.plan.model import Plan, Step
from ratemod.plan.ranges import Range, places_of
from ratemod.rating.axes import level_axis
from ratemod.rating.block import Block, Floats, largest
from ratemod.rating.conditions import comparison

FEW_MARKS = 24
LOOK_UP_TABLE = 1 << 16  # whole numbers up to here find their band by one take instead of a search


def compile_look_up(
    plan: Plan, step: Step, known: Mapping[str, Range], constants: Mapping[str, float]
) -> Callable[[Block], None]:
    """Return the function that fills a `lookup`, `judgement` or `interpolate` step."""
    table = plan.tables[step.table]
    found = grid(table, step.by, plan.level_columns)
    assert found is not None
    finders = [slot_finder(plan, axis, known, constants) for axis in found.axes if axis.axis.kind != "point"]
    shape = [axis.size for axis in found.axes]
    strides = [int(np.prod(shape[at + 1 :], dtype=np.int64)) for at in range(len(finders))]
    cells = {
        name: np.ascontiguousarray(found.values(table.column(name))).ravel()
        for name in {step.column, *(("low", "high") if step.op == "judgement" else ())}
    }

    def index_of(block: Block) -> npt.NDArray[np.intp]:
        index: npt.NDArray[np.intp] | None = None
        for finder, stride in zip(finders, strides):
            slots = finder(block) * stride if stride != 1 else finder(block)
            index = slots if index is None else index + slots
        return np.zeros(block.inputs.n, dtype=np.intp) if index is None else index

    if step.op == "interpolate":
        return _interpolate(step, found, cells[step.column], index_of, known, constants)

    def look_up(block: Block) -> None:
        index = index_of(block)
        out = block.buffer(step.name)
        np.take(cells[step.column], index, out=out, mode="clip")
        if step.op == "judgement":
            chosen = block.values[step.chosen]
            given = np.flatnonzero(chosen == chosen)  # not NaN
            if not len(given):
                return
            chosen, index, filled = chosen[given], index[given], block.inputs.filled[step.reason][given]
            low, high = (np.take(cells[name], index, mode="clip") for name in ("low", "high"))
            out[given] = np.where((chosen >= low) & (chosen <= high) & filled, chosen, np.nan)

    return look_up


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


def _interpolate(
    step: Step,
    found: Grid,
    cells: Floats,
    index_of: Callable[[Block], npt.NDArray[np.intp]],
    known: Mapping[str, Range],
    constants: Mapping[str, float],
) -> Callable[[Block], None]:
    axis = found.axes[-1]
    points = np.array([float(mark) for mark in axis.marks])
    reach = known.get(axis.bound, Range())
    point = Range(raw=reach.raw, rel=0.0)
    ends, starts = comparison(reach, point, or_equal=False), comparison(point, reach, or_equal=False)

    def interpolate(block: Block) -> None:
        out, x = block.buffer(step.name), block.column(axis.bound, constants)
        base = index_of(block)
        right = np.minimum(np.searchsorted(points, x, side="right"), len(points) - 1)
        left = np.maximum(right - 1, 0)
        if step.beyond == "extend":  # the first and the last line go on
            right = np.minimum(left + 1, len(points) - 1)
        else:
            at_end = x >= points[-1]
            left = np.where(at_end, len(points) - 1, left)
            before = x < points[0]
            right = np.where(before, 0, np.where(at_end, left, right))
        v0, v1 = np.take(cells, base + left, mode="clip"), np.take(cells, base + right, mode="clip")
        run = np.where(left == right, 1.0, points[right] - points[left])
        np.copyto(out, v0 + np.where(left == right, 0.0, (x - points[left]) * ((v1 - v0) / run)))
        out[np.isnan(x)] = np.nan
        if step.beyond == "refuse":
            out[ends(block, x, float(points[-1])) | starts(block, float(points[0]), x)] = np.nan

    return interpolate
