"""Which cells of a table may not be published, so that nothing about single enterprises can be told or computed.

A cell is unsafe when fewer than `least_units` units stand in it, or when one of them dominates (the p % rule). Leaving
it out is not enough: totals are published, so further cells are left out until every unsafe cell can only be bracketed
by a wide interval. The intervals are those of an attacker who solves a linear programme over all published figures.

Source: Hundepool et al., *Statistical Disclosure Control*, 2012, ch. 4 (cell suppression, p % rule, audit by linear
programming); Fischetti & Salazar, Management Science 47 (2001).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
LEAST_UNITS, DOMINANCE, PROTECTION = 3, 0.10, 0.20


@dataclass(frozen=True, eq=False, slots=True)
class Protected:
    """What may be published of a table with its totals.

    Attributes
    ----------
    unsafe : (rows + 1, columns + 1) bool
        Cells that tell about single units; the last row and column are totals.
    suppressed : (rows + 1, columns + 1) bool
        The unsafe ones and those left out to protect them.
    """

    unsafe: Mask
    suppressed: Mask


def with_totals(values: npt.ArrayLike) -> Floats:
    """Return a table with a row and a column of totals.

    Examples
    --------
    >>> with_totals([[1, 2], [3, 4]]).tolist()
    [[1.0, 2.0, 3.0], [3.0, 4.0, 7.0], [4.0, 6.0, 10.0]]
    """
    inner = np.asarray(values, float)
    wide = np.concatenate([inner, inner.sum(1, keepdims=True)], axis=1)
    return np.concatenate([wide, wide.sum(0, keepdims=True)])


def dominated(total: npt.ArrayLike, largest: npt.ArrayLike, second: npt.ArrayLike, share: float = DOMINANCE) -> Mask:
    """Return which cells the second largest unit could use to estimate the largest within `share` (the p % rule).

    Unsafe where ``total - largest - second < share · largest``.

    Parameters
    ----------
    total, largest, second : arrays of one shape, same unit

    Examples
    --------
    >>> dominated([100, 100], [90, 40], [8, 30]).tolist()
    [True, False]
    """
    whole, first = np.asarray(total, float), np.asarray(largest, float)
    return np.asarray((whole > 0) & (whole - first - np.asarray(second, float) < share * first))


def protect(
    units: npt.ArrayLike,
    measures: Mapping[str, npt.ArrayLike],
    *,
    unsafe: npt.ArrayLike | None = None,
    least_units: int = LEAST_UNITS,
    protection: float = PROTECTION,
) -> Protected:
    """Return which cells of a table to leave out.

    Parameters
    ----------
    units : (rows, columns) int
        Units in each cell.
    measures : mapping of (rows, columns) float, not negative
        Everything that is to be published with this one pattern.
    unsafe : (rows + 1, columns + 1) bool, optional
        Further unsafe cells, such as dominated ones.
    least_units : int
        A cell with 1 .. least_units - 1 units is unsafe.
    protection : float
        The interval of an unsafe value v must reach from v·(1 - protection) or less to v·(1 + protection) or more; of
        a count of units it must moreover hold `least_units` values.

    Returns
    -------
    Protected

    Raises
    ------
    ModelError
        RM894 a negative value, RM895 the table cannot be protected: merge rows or columns.
    """
    counts = with_totals(units)
    tables = {"units": counts} | {name: with_totals(values) for name, values in measures.items()}
    if any((table < 0).any() for table in tables.values()):
        raise ModelError(problem("RM894"))
    first = (counts > 0) & (counts < least_units)
    if unsafe is not None:
        first = first | np.asarray(unsafe, bool)
    first[-1, -1] = False
    suppressed = first.copy()
    for _ in range(counts.size):
        failing = _failing(tables, first, suppressed, least_units, protection)
        if failing is None:
            return Protected(first, suppressed)
        added = _rectangle(tables, suppressed, failing, protection, least_units)
        if added is None or not (added & ~suppressed).any():
            break
        suppressed |= added
    raise ModelError(problem("RM895", rows=counts.shape[0] - 1, columns=counts.shape[1] - 1))


def needed(name: str, value: float, least_units: int, protection: float) -> float:
    """Return how far an interval must reach on either side of a value in all, as half its least width."""
    return max(protection * value, (least_units - 1) / 2 if name == "units" else 0.0)


def is_wide(name: str, value: float, low: float, high: float, least_units: int, protection: float) -> bool:
    """Return whether an interval protects a value; zero needs none."""
    slack = 1e-6 * max(1.0, value)
    around = low <= value * (1 - protection) + slack and high >= value * (1 + protection) - slack
    return value == 0 or (around and (name != "units" or high - low >= least_units - 1 - slack))


def _failing(
    tables: Mapping[str, Floats], unsafe: Mask, suppressed: Mask, least_units: int, protection: float
) -> tuple[int, int] | None:
    """Return the first unsafe cell that some published measure would tell too closely."""
    for name, table in tables.items():
        for at in zip(*np.nonzero(unsafe)):
            low, high = interval(table, suppressed, (int(at[0]), int(at[1])))
            if not is_wide(name, float(table[at]), low, high, least_units, protection):
                return int(at[0]), int(at[1])
    return None


def _rectangle(
    tables: Mapping[str, Floats], suppressed: Mask, at: tuple[int, int], protection: float, least_units: int
) -> Mask | None:
    """Return the cheapest rectangle through a cell whose other corners are large enough to hide it.

    Along a rectangle a value can move from corner to corner without changing any total.
    """
    row, column = at
    units = tables["units"]
    shape = units.shape
    strength = np.full(shape, np.inf)  # how much of what is needed the weakest corner can give
    for name, table in tables.items():
        need = needed(name, float(table[at]), least_units, protection)
        if table[at] > 0 and need > 0:
            corner = np.minimum(np.minimum(table, table[:, [column]]), table[[row], :])
            strength = np.minimum(strength, corner / need)
    cost = np.where(suppressed, 0, units) + np.where(suppressed[:, [column]], 0, units[:, [column]])
    cost = cost + np.where(suppressed[[row], :], 0, units[[row], :])
    fresh = ~(suppressed & suppressed[:, [column]] & suppressed[[row], :])
    allowed = fresh & (strength > 0)
    allowed[row, :] = allowed[:, column] = False
    allowed[-1, -1] = False
    if row == shape[0] - 1:
        allowed[:, -1] = False
    if column == shape[1] - 1:
        allowed[-1, :] = False
    if not allowed.any():
        return None
    enough = allowed & (strength >= 1)
    score = np.where(enough, cost, np.inf) if enough.any() else np.where(allowed, -strength, np.inf)
    other = np.unravel_index(int(np.argmin(score)), shape)
    found = np.zeros(shape, bool)
    for one in (row, int(other[0])):
        for two in (column, int(other[1])):
            found[one, two] = True
    return found


def interval(table: Floats, suppressed: Mask, at: tuple[int, int]) -> tuple[float, float]:
    """Return what an attacker can tell of one cell from everything published: its least and greatest value.

    Every row and column sums to its total, nothing is negative; unknown are the suppressed cells, totals included.

    Parameters
    ----------
    table : (rows + 1, columns + 1) float
        With totals.
    suppressed : (rows + 1, columns + 1) bool
    at : (int, int)

    Returns
    -------
    (low, high) : float
        Equal to the value itself where the cell is published; high may be infinite.

    Examples
    --------
    >>> table = with_totals([[1, 9], [9, 9]])
    >>> alone = np.zeros((3, 3), bool)
    >>> alone[0, 0] = True
    >>> interval(table, alone, (0, 0))
    (1.0, 1.0)
    >>> alone[:2, :2] = True
    >>> interval(table, alone, (0, 0))
    (0.0, 10.0)
    """
    from scipy.optimize import linprog

    if not suppressed[at]:
        return float(table[at]), float(table[at])
    place = np.cumsum(suppressed.ravel()).reshape(suppressed.shape) - 1
    count, scale = int(suppressed.sum()), max(float(table.max()), 1.0)
    sign = np.ones(table.shape)
    lines: list[Floats] = []
    rest: list[float] = []
    for axis in (0, 1):
        sign[:] = 1
        sign[(slice(None), -1) if axis == 0 else (-1, slice(None))] = -1
        for line in range(table.shape[axis]):
            cells: tuple[int | slice, int | slice] = (line, slice(None)) if axis == 0 else (slice(None), line)
            hidden = suppressed[cells]
            if hidden.any():
                row = np.zeros(count)
                row[place[cells][hidden]] = sign[cells][hidden]
                lines.append(row)
                rest.append(-float((sign[cells] * table[cells])[~hidden].sum()) / scale)
    target = np.zeros(count)
    target[place[at]] = 1
    ends: list[float] = []
    for direction in (1, -1):
        solved = linprog(
            direction * target, A_eq=np.array(lines), b_eq=np.array(rest), bounds=(0, None), method="highs"
        )
        ends.append(float(solved.fun or 0.0) * direction * scale if solved.status == 0 else -direction * np.inf)
    return ends[0] + 0.0, ends[1] + 0.0
