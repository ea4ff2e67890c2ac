"""Look-ups over blocks: one slot per axis, one mixed-radix index, one take."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from ratemod.plan.grid import Grid, GridAxis, grid
from ratemod.plan.interval import Range, places_of
from ratemod.plan.model import Plan
from ratemod.plan.op.base import TableOperation
from ratemod.rating.axes import level_axis
from ratemod.rating.block import Block, Floats, largest
from ratemod.rating.compiling import Compiling

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
