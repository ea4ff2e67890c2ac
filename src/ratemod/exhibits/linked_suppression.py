"""Which cells of linked tables to leave out, so that no unsafe one can be computed from all that is published together.

Unsafe cells are left out first. Then each is attacked with every published figure of the subject at once: a linear
programme gives the least and the greatest value it can have. Where that interval is too narrow, a second programme
moves the cell by what is needed with the least loss of published enterprises; whatever moves along is left out too. An
enterprise alone in its cell knows its own figures, so its neighbours are attacked again with these known.

Source: Hundepool et al., *Statistical Disclosure Control*, 2012, sections 4.4.2 (audit) and 4.4.4 (secondary
suppression by linear programmes, after Kelly, Golden & Assad, Networks 22, 1992), 4.2.1 (singletons).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.exhibits.linked_tables import LinkedTables
from ratemod.exhibits.suppression import LEAST_UNITS, PROTECTION

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
NOBODY = -1
SLACK = 1e-7


@dataclass(eq=False, slots=True)
class _Search:
    """A search under way: what is hidden, and the least and greatest values that attacks have found so far.

    Hiding more only widens what is possible, so a range once found stays valid.
    """

    tables: LinkedTables
    least_units: int
    protection: float
    matrix: Floats
    hidden: Mask
    held: Mapping[str, Floats]
    floor: Mapping[str, Floats]
    low: dict[tuple[str, int], Floats] = field(default_factory=dict)
    high: dict[tuple[str, int], Floats] = field(default_factory=dict)


def protect_linked(
    tables: LinkedTables,
    *,
    also: npt.ArrayLike | None = None,
    least_units: int = LEAST_UNITS,
    protection: float = PROTECTION,
) -> Mask:
    """Return which cells of linked tables to leave out.

    Parameters
    ----------
    tables : LinkedTables
    also : (n,) bool, optional
        Further cells to leave out, such as those that another subject leaves out; they are protected alike.
    least_units : int
        A count left out must keep so many possible values.
    protection : float
        Every value v left out must possibly be as low as v(1 - protection) and as high as v(1 + protection).

    Returns
    -------
    (n,) bool

    Raises
    ------
    ModelError
        RM897 the grand total itself is unsafe, or nothing is left that could protect a cell.
    """
    unsafe = (
        tables.unsafe.copy() if also is None else tables.unsafe | (np.asarray(also, bool) & (tables.contributors > 0))
    )
    if unsafe[-1]:
        raise ModelError(problem("RM897", table=tables.name))
    matrix = np.zeros((len(tables.relations), len(tables.keys)))
    for at, (total, cells) in enumerate(tables.relations):
        matrix[at, total] = -1
        matrix[at, cells] = 1
    held = {name: values.astype(float) for name, values in tables.values.items()}
    floor = {name: floor_of(tables, name) for name in held}
    search = _Search(tables, least_units, protection, matrix, unsafe.copy(), held, floor)
    for knows, measure, cell in _attacks(tables, unsafe):
        if not _is_safe(search, measure, cell, knows):
            _hide_more(search, measure, cell, knows)
    return search.hidden


def _attacks(tables: LinkedTables, unsafe: Mask) -> Iterator[tuple[int, str, int]]:
    """Return who attacks what: everybody every unsafe cell, then lone enterprises the unsafe cells beside theirs."""
    targets: list[int] = np.flatnonzero(unsafe).tolist()
    for cell in targets:
        for name, values in tables.values.items():
            if values[cell] > 0:
                yield NOBODY, name, cell
    beside: set[tuple[int, int]] = set()
    for _, cells in tables.relations:
        line = [at for at in cells.tolist() if unsafe[at]]
        beside |= {(one, other) for one in line for other in line if tables.lone[one] >= 0 and one != other}
    for knows, cell in sorted(beside):
        if tables.lone[cell] == tables.lone[knows]:  # its own figures
            continue
        for name, values in tables.values.items():
            if values[cell] > 0:
                yield knows, name, cell


def bounds_of(
    tables: LinkedTables, hidden: npt.ArrayLike, measure: str, cell: int, knows: int = NOBODY
) -> tuple[float, float]:
    """Return the least and greatest value that a cell left out can have, from everything that is published.

    Parameters
    ----------
    tables : LinkedTables
    hidden : (n,) bool
    measure : str
        Count or fen; a count left out is known to be at least 1, as empty cells are always published.
    cell : int
    knows : int
        A cell left out that the attacker knows all the same.

    Raises
    ------
    ModelError
        RM898 when the published figures contradict each other, which would be a fault of this project.
    """
    values = tables.values[measure].astype(float)
    ends = [_extreme(tables, np.asarray(hidden, bool), values, measure, cell, knows, sign) for sign in (1, -1)]
    return float(ends[0][cell]), float(ends[1][cell])


def _extreme(
    tables: LinkedTables, hidden: Mask, values: Floats, measure: str, cell: int, knows: int, sign: int
) -> Floats:
    """Return a whole table that fits everything published, with the cell as low (sign 1) or high (-1) as can be."""
    from scipy.optimize import linprog

    free = hidden.copy()
    if knows != NOBODY:
        free[knows] = False
    place = np.flatnonzero(free)
    lines, rest = [], []
    scale = max(float(values.max(initial=0)), 1.0)
    for total, cells in tables.relations:
        row = np.zeros(len(values))
        row[cells], row[total] = 1, -1
        if row[place].any():
            lines.append(row[place])
            rest.append(-float(row[~free] @ values[~free]) / scale)
    aim = np.zeros(len(values))
    aim[cell] = sign
    floor = floor_of(tables, measure)[place] / scale
    solved = linprog(
        aim[place],
        A_eq=np.array(lines) if lines else None,
        b_eq=np.array(rest) if lines else None,
        bounds=np.stack([floor, np.full(len(place), np.inf)], axis=1),
        method="highs",
    )
    found = values.copy()
    if solved.status == 0:
        found[place] = np.asarray(solved.x) * scale
    elif solved.status == 3:  # no upper end
        found[cell] = np.inf
    else:
        raise ModelError(problem("RM898", table=tables.name, measure=measure))
    return found


def floor_of(tables: LinkedTables, measure: str) -> Floats:
    """Return what everybody knows a value cannot be below, (n,) float: 0 fen; of a count 1 for each cell not empty.

    Examples
    --------
    >>> from ratemod.exhibits.linked_tables import tabulate
    >>> found = tabulate("t", {"sector": ([0, 1, 1], ["a", "b"])}, [("sector",)], [0, 1, 2], {"claims": [3, 4, 5]})
    >>> floor_of(found, "claims").tolist()
    [1.0, 1.0, 2.0]
    """
    values = tables.values[measure].astype(float)
    if measure.endswith("_fen"):
        return np.zeros(len(values))
    floor: Floats = np.minimum(values, 1.0)
    for total, cells in tables.relations:  # totals of cells stand before the grand total
        floor[total] = max(floor[total], floor[cells].sum())
    return floor


def _needed(search: _Search, measure: str, cell: int) -> tuple[float, float]:
    """Return how far down and how far up an interval must reach from the value."""
    value = float(search.held[measure][cell])
    down = min(search.protection * value, value - float(search.floor[measure][cell]))
    up = search.protection * value
    if not measure.endswith("_fen"):
        up = max(up, search.least_units - 1 - down)
    return down, up


def _is_safe(search: _Search, measure: str, cell: int, knows: int) -> bool:
    """Attack one cell; return whether its interval is wide enough."""
    values = search.held[measure]
    down, up = _needed(search, measure, cell)
    low = search.low.setdefault((measure, knows), values.copy())
    high = search.high.setdefault((measure, knows), values.copy())
    slack = SLACK * max(1.0, float(values[cell]))
    for sign in (1, -1):
        seen = low[cell] <= values[cell] - down + slack if sign == 1 else high[cell] >= values[cell] + up - slack
        if not seen:
            found = _extreme(search.tables, search.hidden, values, measure, cell, knows, sign)
            np.minimum(low, found, out=low)
            np.maximum(high, found, out=high)
    return bool(low[cell] <= values[cell] - down + slack and high[cell] >= values[cell] + up - slack)


def _hide_more(search: _Search, measure: str, cell: int, knows: int) -> None:
    """Leave out what must move when the cell moves by what is needed, down and up.

    Raises
    ------
    ModelError
        RM897 when nothing can move along.
    """
    down, up = _needed(search, measure, cell)
    for amount in (-down, up):
        if amount:
            moved = _cheapest_move(search, measure, cell, knows, amount)
            if moved is None:
                raise ModelError(problem("RM897", table=search.tables.name))
            search.hidden |= moved


def _cheapest_move(search: _Search, measure: str, cell: int, knows: int, amount: float) -> Mask | None:
    """Return the cells that change in the cheapest change of one cell by `amount` that keeps every total."""
    from scipy.optimize import linprog

    tables, values = search.tables, search.held[measure]
    room = values - search.floor[measure]
    need = abs(amount)
    nonempty = tables.contributors > 0
    cost = tables.contributors / np.clip(values, 1e-3 * need, need)
    for dimension_count in (1, 0):  # totals are missed more than cells
        few = np.array([len(key) == dimension_count for key in tables.keys])
        cost = np.where(few, cost * 20, cost)
    cost = np.where(search.hidden, 1e-6, cost)
    fixed = ~nonempty
    fixed[-1] = True
    if knows != NOBODY:
        fixed[knows] = True
    for cap in (np.maximum(values, 0.0), np.full(len(values), np.inf)):
        up = np.where(fixed, 0.0, cap) / need
        fall = np.where(fixed, 0.0, room) / need
        up[cell], fall[cell] = (1.0, 0.0) if amount > 0 else (0.0, 1.0)
        low = np.zeros(2 * len(values))
        low[cell if amount > 0 else len(values) + cell] = 1.0
        solved = linprog(
            np.concatenate([cost, cost]),
            A_eq=np.concatenate([search.matrix, -search.matrix], axis=1),
            b_eq=np.zeros(len(search.matrix)),
            bounds=np.stack([low, np.concatenate([up, fall])], axis=1),
            method="highs",
        )
        if solved.status == 0:
            change = np.asarray(solved.x[: len(values)]) - np.asarray(solved.x[len(values) :])
            return np.asarray(np.abs(change) > 1e-9, bool)
    return None
