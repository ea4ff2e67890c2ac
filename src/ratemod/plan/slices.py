"""A table read slice by slice: every slice of an amount at its own rate, as taxes and premium discounts are.

The value at x is the sum over all slices up to x of rate × width. It is continuous, so that it does not matter to which
of two slices an edge belongs: both ends of a line of slices count as inside.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ratemod.plan.grid import Grid, grid
from ratemod.plan.model import Table
from ratemod.vocabulary.column import Column

if TYPE_CHECKING:
    from ratemod.plan.op.progressive import Progressive

MOST_DIGITS = 200


def along(named: str, table: Table) -> int | None:
    """Return the place of the axis whose slices are summed, None where there is none or a choice must be stated."""
    banded = [at for at, axis in enumerate(table.axes) if axis.kind == "band" and named in ("", axis.name)]
    return banded[0] if len(banded) == 1 else None


@dataclass(frozen=True, eq=False, slots=True)
class Slices:
    """A table as slices, one entry a cell of the grid with the summed axis last.

    Attributes
    ----------
    grid : Grid
        Its summed axis stands last.
    row_of : (cells,) int32
        Row of the table for the slice, -1 where there is none.
    start, base, rate : tuple of Decimal or None
        Where the slice begins, what all slices below it come to, and its rate.
    """

    grid: Grid
    row_of: npt.NDArray[np.int32]
    start: tuple[Decimal | None, ...]
    base: tuple[Decimal | None, ...]
    rate: tuple[Decimal | None, ...]

    @property
    def marks(self) -> tuple[Decimal, ...]:
        """The edges between slices."""
        return self.grid.axes[-1].marks  # type: ignore[return-value]

    def floats(self, which: str) -> npt.NDArray[np.float64]:
        """Return `start`, `base` or `rate` as float64, NaN where there is none."""
        return np.array([np.nan if value is None else float(value) for value in getattr(self, which)])


def slices(operation: Progressive, table: Table, columns: Mapping[str, Column]) -> Slices:
    """Return the slices of a table; the check has found that there are some."""
    found, at = grid(table, operation.by, columns), along(operation.along, table)
    assert found is not None and at is not None
    return _slices(found, table, operation.column, at)


@functools.lru_cache(maxsize=256)
def _slices(found: Grid, table: Table, column: str, at: int) -> Slices:
    name = table.axes[at].name
    place = next(place for place, axis in enumerate(found.axes) if axis.axis.name == name)
    axes = (*found.axes[:place], *found.axes[place + 1 :], found.axes[place])
    row_of = np.ascontiguousarray(np.moveaxis(found.row_of, place, -1))
    values, marks = table.column(column), axes[-1].marks
    flat = row_of.ravel()
    start: list[Decimal | None] = [None] * flat.size
    base, rate = list(start), list(start)
    width = axes[-1].size
    with localcontext() as context:
        context.prec = MOST_DIGITS
        for line in range(0, flat.size, width):
            reached: Decimal | None = None
            for slot in range(1, width - 1):  # below the first mark, and where the amount is missing, there is nothing
                row = int(flat[line + slot])
                value = values[row] if row >= 0 else None
                if value is None:
                    if reached is not None:
                        break  # nothing can be summed across a gap
                    continue
                low = Decimal(marks[slot - 1])
                begun = Decimal(0) if reached is None else reached
                start[line + slot], base[line + slot], rate[line + slot] = low, begun, value
                if slot < len(marks):
                    reached = begun + value * (Decimal(marks[slot]) - low)
    return Slices(Grid(axes, row_of, found.clashes), flat, tuple(start), tuple(base), tuple(rate))
