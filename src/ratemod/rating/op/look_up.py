"""The cell of a table that answers a row, and what lies between its points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from ratemod.plan.grid import GridAxis, grid
from ratemod.plan.interval import Range
from ratemod.plan.op.base import TableOperation
from ratemod.plan.op.look_up import Classify, Interpolate, Lookup
from ratemod.rating import rational as q
from ratemod.rating.block import Block, Floats
from ratemod.rating.compiling import Compiling, Readings, Run
from ratemod.rating.conditions import comparison
from ratemod.rating.look_up import fill_from_cells
from ratemod.rating.rational import Rational
from ratemod.rating.working import Here, axis_slots, cell_values, nothing


def cell(operation: TableOperation, here: Here) -> Callable[[str], Rational]:
    """Return what gives a value column by the row of the table that answers, which is noted."""
    table, state = here.plan.tables[operation.table], here.state
    found = grid(table, operation.by, here.plan.level_columns)
    assert found is not None
    slots = tuple(axis_slots(axis, state) for axis in found.axes)
    rows = found.row_of[slots] if slots else np.full(here.n, found.row_of[()], dtype=np.int32)
    state.cells[here.name] = rows

    def values(column: str) -> Rational:
        return cell_values(table.column(column), rows) if column in table.value_names else nothing(here.n)

    return values


def _exact_look_up(operation: Lookup | Classify, here: Here) -> Rational:
    return cell(operation, here)(operation.column)


def _exact_interpolate(operation: Interpolate, here: Here) -> Rational:
    """Return values linear between the two nearest points of each axis in turn: v0 + (x - x0)·(v1 - v0)/(x1 - x0)."""
    table, state, n = here.plan.tables[operation.table], here.state, here.n
    found = grid(table, operation.by, here.plan.level_columns)
    assert found is not None
    slots = [axis_slots(axis, state) for axis in found.axes if axis.axis.kind != "point"]
    per_row, corners = table.column(operation.column), []
    axes = [axis for axis in found.axes if axis.axis.kind == "point"]

    def along(slots: list[npt.NDArray[np.intp]], axes: Sequence[GridAxis]) -> Rational:
        if not axes:
            corners.append(found.row_of[tuple(slots)])
            return cell_values(per_row, corners[-1])
        x, (axis, *further) = state.values[axes[0].bound], axes
        left, right = _points_beside(x, axis, operation.beyond == "extend")
        v0, v1 = along([*slots, left], further), along([*slots, right], further)
        x0, x1 = (cell_values(tuple(map(Decimal, axis.marks)), at.astype(np.int32)) for at in (left, right))
        between = left != right
        run = q.choose(between, q.add(x1, x0, -1), q.constant(Decimal(1), n))
        value = q.add(v0, q.multiply(q.add(x, x0, -1), q.divide(q.add(v1, v0, -1), run)))
        return q.choose(between, value, v0)

    value = along(slots, axes)
    state.cells[here.name], state.beyond[here.name] = corners[0], tuple(corners[1:])
    inside = np.ones(n, dtype=bool)
    for axis in axes:
        x = state.values[axis.bound]
        inside &= x.ok
        if operation.beyond == "refuse":
            inside &= q.compare(x, q.constant(Decimal(axis.marks[0]), n)) >= 0
            inside &= q.compare(x, q.constant(Decimal(axis.marks[-1]), n)) <= 0
    return Rational(value.num, value.den, value.ok & inside)


def _points_beside(x: Rational, axis: GridAxis, extend: bool) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the places of the points on both sides of a value: the same where it lies on one, or beyond the ends.

    Where the lines are to go on, what lies beyond an end lies between the two points next to it.
    """
    last, n = len(axis.marks) - 1, len(x.ok)
    signs = [q.compare(x, q.constant(Decimal(mark), n)) for mark in axis.marks]
    passed = sum((sign >= 0).astype(np.intp) for sign in signs)
    on = sum((sign == 0).astype(np.intp) for sign in signs) > 0
    left = np.clip(passed - 1, 0, last)
    right = np.where(on, left, np.clip(passed, 0, last))
    if extend and last:
        left = np.where(on, left, np.clip(passed - 1, 0, last - 1))
        right = np.where(on, left, left + 1)
    return left, right


def _fill_look_up(operation: Lookup | Classify, compiling: Compiling) -> Run:
    """Return the function that fills a `lookup` or `classify` step."""
    _, index_of, cells = fill_from_cells(operation, compiling, [operation.column])
    values = cells[operation.column]

    def look_up(block: Block) -> None:
        np.take(values, index_of(block), out=block.buffer(compiling.name), mode="clip")

    return look_up


def _fill_interpolate(operation: Interpolate, compiling: Compiling) -> Run:
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


READINGS: Readings = {
    Lookup: (_exact_look_up, _fill_look_up),
    Classify: (_exact_look_up, _fill_look_up),
    Interpolate: (_exact_interpolate, _fill_interpolate),
}
