"""Values of a block as whole numbers of their last decimal: what is counted, joined and divided exactly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ratemod.plan.interval import operand_range
from ratemod.plan.operand import Operand
from ratemod.rating.block import Block, Mask
from ratemod.rating.compiling import Compiling


def whole(
    operand: Operand, compiling: Compiling
) -> tuple[int, Callable[[Block], tuple[npt.NDArray[np.int64], Mask]]] | None:
    """Return the decimals of an operand, and what gives it as whole numbers of its last one; None if floats cannot."""
    known = operand_range(operand, compiling.known)
    places = known.places
    if places is None or not known.on_grid:
        return None

    def whole(block: Block) -> tuple[npt.NDArray[np.int64], Mask]:
        values = np.broadcast_to(block.get(operand, compiling.floats), block.inputs.n)
        valid = ~np.isnan(values)
        return np.rint(np.where(valid, values, 0) * 10.0**places).astype(np.int64), valid

    return places, whole


def leave(block: Block, name: str) -> None:
    """Leave every row of a block to exact arithmetic."""
    block.buffer(name)[:] = np.nan
    block.suspect[:] = True


def in_smallest(values: npt.NDArray[np.int64], places: int, decimals: int = 2) -> npt.NDArray[np.int64]:
    """Return amounts, given as whole numbers of 10^-places, in smallest units: rounded half-up, away from zero.

    Examples
    --------
    >>> in_smallest(np.array([125, 124, -125]), 3).tolist()
    [13, 12, -13]
    """
    unit = 10 ** max(places - decimals, 0)
    count: npt.NDArray[np.int64] = np.sign(values) * ((2 * np.abs(values) + unit) // (2 * unit))
    return count * np.int64(10 ** max(decimals - places, 0))
