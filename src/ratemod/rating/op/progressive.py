"""An amount summed slice by slice."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ratemod.plan.interval import Range
from ratemod.plan.op.progressive import Progressive
from ratemod.plan.slices import slices
from ratemod.rating import rational as q
from ratemod.rating.block import Block, Floats, largest
from ratemod.rating.compiling import Compiling, Readings, Run
from ratemod.rating.look_up import slot_finder
from ratemod.rating.rational import Rational
from ratemod.rating.working import Here, axis_slots, cell_values


def _exact_progressive(operation: Progressive, here: Here) -> Rational:
    """Return the sum over slices: all below the amount's own, and its own as far as it is reached."""
    state, n = here.state, here.n
    found = slices(operation, here.plan.tables[operation.table], here.plan.level_columns)
    slots = [axis_slots(axis, state) for axis in found.grid.axes[:-1]]
    x, last = state.values[found.grid.axes[-1].bound], found.grid.axes[-1].size - 1
    signs = [q.compare(x, q.constant(mark, n)) for mark in found.marks]
    cells = []
    for reached in (0, 1):  # on an edge the upper slice, and the lower one where there is no upper
        slot = sum(((sign >= reached).astype(np.intp) for sign in signs), np.zeros(n, np.intp))
        place = (*slots, np.where(x.ok, slot, last))
        cells.append(np.ravel_multi_index(place, found.grid.row_of.shape).astype(np.int32))
    rated = np.array([rate is not None for rate in found.rate])
    cell = np.where(rated[cells[0]], cells[0], cells[1]).astype(np.int32)
    state.cells[here.name] = np.where(rated[cell], found.row_of[cell], -1).astype(np.int32)
    start, base, rate = (cell_values(part, cell) for part in (found.start, found.base, found.rate))
    return q.add(base, q.multiply(rate, q.add(x, start, -1)))


def _fill_progressive(operation: Progressive, compiling: Compiling) -> Run:
    """Return the function that fills a `progressive` step: base of the slice + rate × (x - its start).

    The sum is continuous, so a float that falls on the wrong side of an edge between two slices is no further from the
    truth than its own error; only where a line of slices begins or ends must the side be sure.
    """
    plan, known, constants = compiling.plan, compiling.known, compiling.floats
    found = slices(operation, plan.tables[operation.table], plan.level_columns)
    *others, axis = found.grid.axes
    finders = [slot_finder(plan, other, known, constants) for other in others]
    shape = found.grid.row_of.shape
    strides = [int(np.prod(shape[at + 1 :], dtype=np.int64)) for at in range(len(finders))]
    marks = np.array([float(mark) for mark in found.marks])
    start, base, rate = (found.floats(part) for part in ("start", "base", "rate"))
    rated, last = ~np.isnan(rate), axis.size - 1
    reach = known.get(axis.bound, Range())
    scale = 10.0 ** (reach.places or 0) if reach.on_grid and not reach.raw else None

    def cells(block: Block, x: Floats, missing: npt.NDArray[np.bool_], side: str) -> npt.NDArray[np.intp]:
        index = np.searchsorted(marks, x, side=side)  # type: ignore[call-overload]
        index = np.where(missing, last, index)
        for finder, stride in zip(finders, strides):
            index = index + finder(block) * stride
        return index

    def progressive(block: Block) -> None:
        out, x = block.buffer(compiling.name), block.column(axis.bound, constants)
        if scale is not None:
            x = np.rint(x * scale) / scale
        missing = np.isnan(x)
        index = cells(block, x, missing, "right")
        lost = ~rated[index] & ~missing
        if lost.any():  # the upper end of a line belongs to its last slice
            index = np.where(lost, cells(block, x, missing, "left"), index)
        if not reach.raw and scale is None:
            slack = reach.error_at(largest(x, reach.low >= 0))
            sides = [rated[cells(block, x + off, missing, side)] for off, side in ((-slack, "left"), (slack, "right"))]
            block.suspect |= ((sides[0] != sides[1]) | (rated[index] != sides[0])) & ~missing
        np.copyto(out, base[index] + rate[index] * (x - start[index]))

    return progressive


READINGS: Readings = {
    Progressive: (_exact_progressive, _fill_progressive),
}
