"""Rating cells: rows that no step of a plan can tell apart, so that each need be priced only once.

Bounds, caps and rounding act on every row of a cell alike, so nothing is lost: the sum of a cell is its premium times
its rows, to the fen. Whether collapsing pays depends on the columns that the plan reads; a plan with an expiring
premium or an experience modification has about as many cells as rows, and is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.plan.model import Plan
from ratemod.rating.inputs import Inputs
from ratemod.rules.options import strict
from ratemod.rules.within import Share

LOOK, MOST_SHARE, LEAST = 4096, 0.25, 20_000


@dataclass(frozen=True, eq=False, slots=True)
class Cells:
    """Rows by rating cell.

    Attributes
    ----------
    cell : (n,) int32, the cell of every row
    first : (c,) intp, a row of every cell
    rows : (c,) int64, how many it has
    """

    cell: npt.NDArray[np.int32]
    first: npt.NDArray[np.intp]
    rows: npt.NDArray[np.int64]


@strict
def cells_of(plan: Plan, inputs: Inputs, barred: npt.NDArray[np.bool_], most_share: Share = MOST_SHARE) -> Cells | None:
    """Return the rating cells of a book, or None where collapsing does not pay.

    Parameters
    ----------
    plan : Plan; inputs : coded columns of n rows
    barred : (n,) bool, rows without doubts of their own: cells are of one kind
    most_share : cells per row up to which it pays
    """
    if inputs.groups or inputs.n < LEAST:
        return None
    columns = list(_columns(plan, inputs))
    look = np.linspace(0, inputs.n - 1, LOOK).astype(np.intp)
    if len(_grouped([barred[look], *(column[look] for column in columns)])[1]) > 2 * most_share * LOOK:
        return None
    cell, first = _grouped([barred, *columns])
    if len(first) > most_share * inputs.n:
        return None
    return Cells(cell.astype(np.int32), first, np.bincount(cell, minlength=len(first)))


def _columns(plan: Plan, inputs: Inputs) -> Iterator[npt.NDArray[np.generic]]:
    """Yield every coded column that a premium or a refusal can rest on."""
    names = plan.graph().live
    for held in (inputs.numbers, inputs.codes, inputs.filled, inputs.texts):
        for name, array in held.items():
            if name in names:
                yield array


def _grouped(columns: list[npt.NDArray[np.generic]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.intp]]:
    """Return a number a row, equal where all columns are, counted from 0, and the first row of every number."""
    whole = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        if column.dtype == object:
            column = column.astype(str)
        elif column.dtype.kind == "f":
            column = np.where(np.isnan(column), np.inf, column)  # no premium rests on an infinite number
        values, codes = np.unique(column, return_inverse=True)
        if len(values) > 1:
            whole = np.unique(whole * len(values) + codes, return_inverse=True)[1]
    _, first = np.unique(whole, return_index=True)
    return whole, first.astype(np.intp)
