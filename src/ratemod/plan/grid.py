"""A table as a dense array of row numbers: what look-ups, checks and Excel share.

Structure (which row answers which cell) is separate from values, so that a what-if on values never rebuilds it.
Every axis ends in a slot that no row fills: a missing or unknown value lands there and finds no number.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from ratemod.plan.model import ANY, Axis, AxisKey, Band, Table
from ratemod.vocabulary.column import Column

MOST_CELLS = 5_000_000


@dataclass(frozen=True, eq=False)
class GridAxis:
    """One axis of a grid.

    Attributes
    ----------
    axis : Axis
    bound : str
        Name of the column or step it reads.
    marks : tuple
        Level codes, numbers or points in order, or the edges between bands.
    size : int
        Slots in the array: level: codes + missing; number: values + other + missing; band: edges + 1 + missing;
        point: points.
    """

    axis: Axis
    bound: str
    marks: tuple[str, ...] | tuple[Decimal, ...]
    size: int

    @property
    def side(self) -> str:
        """The `searchsorted` side that turns a number into its band."""
        return "right" if self.axis.closed == "low" else "left"

    @functools.cached_property
    def place(self) -> Mapping[str | Decimal, int]:
        """The place of every mark; found once, so that a table is read in a time linear in its rows."""
        marks: tuple[str | Decimal, ...] = self.marks
        return {mark: at for at, mark in reversed([*enumerate(marks)])}


@dataclass(frozen=True, eq=False)
class Grid:
    """Row number per cell, -1 where no row answers.

    Attributes
    ----------
    axes : tuple of GridAxis
        A point axis, if any, stands last.
    row_of : int32 ndarray, one dimension per axis
    clashes : tuple of (int, int)
        Rows of equal standing that answer the same cell.
    """

    axes: tuple[GridAxis, ...]
    row_of: npt.NDArray[np.int32]
    clashes: tuple[tuple[int, int], ...]

    def values(self, per_row: tuple[Decimal | None, ...]) -> npt.NDArray[np.float64]:
        """Return one value column over the grid, float64, NaN where there is none."""
        row_values = [np.nan if value is None else float(value) for value in per_row]
        return np.array([*row_values, np.nan])[self.row_of]


@functools.lru_cache(maxsize=512)
def _grid(table: Table, bindings: tuple[tuple[str, str], ...], levels: tuple[tuple[str, ...], ...]) -> Grid | None:
    bound = dict(bindings)
    order = sorted(range(len(table.axes)), key=lambda at: table.axes[at].kind == "point")
    axes = []
    for at in order:
        axis = table.axes[at]
        axes.append(_axis(axis, bound.get(axis.name, axis.name), [row.keys[at] for row in table.rows], levels[at]))
    shape = tuple(axis.size for axis in axes)
    if int(np.prod(shape, dtype=np.int64)) > MOST_CELLS:
        return None
    row_of = np.full(shape, -1, dtype=np.int32)
    wild = [sum(key is ANY for key in row.keys) for row in table.rows]
    clashes: list[tuple[int, int]] = []
    for number in sorted(range(len(table.rows)), key=lambda at: (wild[at], at)):  # the row with fewer `*` wins
        cells = tuple(_slots(axis, table.rows[number].keys[at]) for axis, at in zip(axes, order))
        region = row_of[cells]
        clashes += [(other, number) for other in _others(region) if wild[other] == wild[number]]
        region[region < 0] = number
    return Grid(tuple(axes), row_of, tuple(clashes))


def _others(region: npt.NDArray[np.int32]) -> list[int]:
    """Return the rows that answer the cells of a region already, each once."""
    if region.size == 1:  # of most rows, and far quicker
        other = int(region.flat[0])
        return [] if other < 0 else [other]
    others: list[int] = np.flatnonzero(np.bincount(region[region >= 0])).tolist()  # `unique` would load masked arrays
    return others


def grid(table: Table, bindings: tuple[tuple[str, str], ...], columns: Mapping[str, Column]) -> Grid | None:
    """Return the grid of a table, or None when it would have more than `MOST_CELLS` cells.

    Parameters
    ----------
    table : Table
    bindings : tuple of (axis, name)
        The ``by`` of the step that reads the table.
    columns : mapping
        Declared columns: a level axis takes its levels from its column.
    """
    bound = dict(bindings)
    levels = tuple(
        columns[bound.get(axis.name, axis.name)].codes() if bound.get(axis.name, axis.name) in columns else ()
        for axis in table.axes
    )
    return _grid(table, bindings, levels)


def _axis(axis: Axis, bound: str, keys: list[AxisKey], levels: tuple[str, ...]) -> GridAxis:
    if axis.kind == "level":
        return GridAxis(axis, bound, levels, len(levels) + 1)
    if axis.kind == "band":
        edges = {end for key in keys if isinstance(key, Band) for end in (key.low, key.high) if end is not None}
        return GridAxis(axis, bound, tuple(sorted(edges)), len(edges) + 2)
    numbers = tuple(sorted({key for key in keys if isinstance(key, Decimal)}))
    return GridAxis(axis, bound, numbers, len(numbers) + (2 if axis.kind == "number" else 0))


def _slots(grid_axis: GridAxis, key: AxisKey) -> slice:
    place = grid_axis.place
    if isinstance(key, Band):
        start = 0 if key.low is None else place[key.low] + 1
        stop = len(place) + 1 if key.high is None else place[key.high] + 1
        return slice(start, max(start, stop))
    if isinstance(key, str | Decimal):
        at = place.get(key)  # none of an unknown level: reported by the check, answers nothing
        return slice(0, 0) if at is None else slice(at, at + 1)
    return slice(0, grid_axis.size - 1)
