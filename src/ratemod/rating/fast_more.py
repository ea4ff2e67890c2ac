"""More operations over blocks: judgements whose ends are operands, and sums slice by slice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from ratemod.plan.model import Plan, Step
from ratemod.plan.ranges import Range, operand_range
from ratemod.plan.slices import slices
from ratemod.rating.block import Block, Floats, largest
from ratemod.rating.conditions import comparison
from ratemod.rating.look_up import slot_finder


def compile_judged(step: Step, known: Mapping[str, Range], constants: Mapping[str, float]) -> Callable[[Block], None]:
    """Return the function that fills a `judgement` with operands for its ends and its default."""
    low, high = step.low or Decimal(0), step.high or Decimal(0)
    reach, least, most = (operand_range(end, known) for end in (step.chosen, low, high))
    reaches, within = comparison(reach, least, or_equal=True), comparison(most, reach, or_equal=True)

    def judged(block: Block) -> None:
        out = block.buffer(step.name)
        out[:] = block.get(step.of[0], constants)
        chosen = block.values[step.chosen]
        given = ~np.isnan(chosen)
        if not given.any():
            return
        before, block.suspect = block.suspect, np.zeros(block.inputs.n, dtype=bool)
        fine = reaches(block, chosen, block.get(low, constants))
        fine &= within(block, block.get(high, constants), chosen)
        block.suspect = before | block.suspect & given
        if step.reason:
            fine &= block.inputs.filled[step.reason]
        np.copyto(out, np.where(fine, chosen, np.nan), where=given)

    return judged


def compile_progressive(
    plan: Plan, step: Step, known: Mapping[str, Range], constants: Mapping[str, float]
) -> Callable[[Block], None]:
    """Return the function that fills a `progressive` step: base of the slice + rate × (x - its start).

    The sum is continuous, so a float that falls on the wrong side of an edge between two slices is no further from the
    truth than its own error; only where a line of slices begins or ends must the side be sure.
    """
    found = slices(step, plan.tables[step.table], plan.level_columns)
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
        out, x = block.buffer(step.name), block.column(axis.bound, constants)
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


def in_fen(values: npt.NDArray[np.int64], places: int) -> npt.NDArray[np.int64]:
    """Return yuan, given as whole numbers of 10^-places, in fen: rounded half-up, away from zero.

    Examples
    --------
    >>> in_fen(np.array([125, 124, -125]), 3).tolist()
    [13, 12, -13]
    """
    unit = 10 ** max(places - 2, 0)
    fen: npt.NDArray[np.int64] = np.sign(values) * ((2 * np.abs(values) + unit) // (2 * unit))
    return fen * np.int64(10 ** max(2 - places, 0))
