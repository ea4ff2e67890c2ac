"""Everything published as one system: figures with bounds, linear relations, and the extremes a reader can compute.

A linear programme gives the least and the greatest value of a figure that fits all that is published. Figures known
exactly split the system into small parts, and only the part of the figure in question is solved.

Source: Hundepool et al., *Statistical Disclosure Control*, 2012, section 4.4.2 (audit).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.confidentiality.figures import OPEN, Figure, Relation, is_money, relations_of
from ratemod.confidentiality.linked_tables import LinkedTables
from ratemod.confidentiality.unsafe import PROTECTION
from ratemod.errors import ModelError, problem

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """Cells of one subject and year: what is published together of each, and who stands behind it.

    Attributes
    ----------
    year : int
    subject : str
    keys : tuple of Levels, one a cell
    values : mapping of measure to (c,) int64
    contributors : (c,) int64, enterprises behind each cell
    unsafe : (c,) bool
    lone : (c,) int64, the one enterprise behind a cell; -1 where there are none or several
    fixed : (c,) bool
        What is published is published and what is left out is left out: grand totals and empty cells, earlier years.
    hidden : (c,) bool, left out from the start
    derived : bool
        Never published themselves: what a reader works out from figures that are.
    """

    year: int
    subject: str
    keys: tuple[tuple[tuple[str, str], ...], ...]
    values: dict[str, Ints]
    contributors: Ints
    unsafe: Mask
    lone: Ints
    fixed: Mask
    hidden: Mask
    derived: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class System:
    """All figures and relations of publications.

    Attributes
    ----------
    figures : tuple of Figure
    value, floor : (n,) float64
        True values, and what everybody knows they cannot be below: 0 fen, of a count 1 for each cell not empty.
    cell : (n,) int64, the cell of each figure: cells stay out as a whole
    matrix : (relations, n) sparse float64; rest : (relations,) float64
        ``matrix @ value = rest``.
    contributors, unsafe, lone, fixed, hidden : (cells,), those of the blocks
    derived : (cells,) bool
    auxiliary : (n,) bool
        Figures that are never published and that only carry a relation.
    first : mapping of (year, subject, measure) to place of its first cell
    """

    figures: tuple[Figure, ...]
    value: Floats
    floor: Floats
    cell: Ints
    matrix: Any
    rest: Floats
    contributors: Ints
    unsafe: Mask
    lone: Ints
    fixed: Mask
    hidden: Mask
    derived: Mask
    auxiliary: Mask
    first: dict[tuple[int, str, str], int]

    def cells(self, year: int, subject: str, measure: str, many: int) -> slice:
        """Return where the cells of a measure stand."""
        start = self.first[year, subject, measure]
        return slice(start, start + many)

    def known(self, hidden: Mask, firm: int = -1) -> Mask:
        """Return which figures an enterprise (-1: anybody) knows: those published, and of cells it is alone in."""
        own = self.lone == firm if firm >= 0 else np.zeros(len(self.lone), bool)
        return np.asarray((~hidden | own)[self.cell] & ~self.auxiliary)


def block_of(tables: LinkedTables, year: int = 0) -> Block:
    """Return the cells of one subject's linked tables."""
    keys = tuple(tuple((dim, tables.levels[dim][at]) for dim, at in key) for key in tables.keys)
    none = np.zeros(len(keys), bool)
    fixed = tables.contributors == 0
    fixed[-1] = True
    return Block(
        year=year,
        subject=tables.name,
        keys=keys,
        values=dict(tables.values),
        contributors=tables.contributors,
        unsafe=tables.unsafe,
        lone=tables.lone,
        fixed=fixed,
        hidden=none,
    )


def system_of(blocks: Sequence[Block]) -> System:
    """Return the system of several subjects and years."""
    figures: list[Figure] = []
    value: list[npt.NDArray[Any]] = []
    cell: list[Ints] = []
    first: dict[tuple[int, str, str], int] = {}
    many = 0
    for block in blocks:
        own = np.arange(many, many + len(block.keys))
        measures = dict(block.values)
        if {"assessed_fen", "paid_fen"} <= measures.keys():
            measures[OPEN] = measures["assessed_fen"] - measures["paid_fen"]
        for measure, values in measures.items():
            first.setdefault((block.year, block.subject, measure), many)
            figures += [Figure(block.year, block.subject, measure, key) for key in block.keys]
            value.append(values)
            cell.append(own)
        many += len(block.keys)
    joined: dict[str, npt.NDArray[Any]] = {
        name: np.concatenate([getattr(block, name) for block in blocks])
        for name in ("contributors", "unsafe", "lone", "fixed", "hidden")
    }
    derived = np.concatenate([np.full(len(block.keys), block.derived) for block in blocks])
    held, cells = np.concatenate(value).astype(float), np.concatenate(cell)
    relations = [item for item in relations_of(figures) if not item.nearly or _is_near(item, held)]
    matrix = matrix_of(relations, len(figures))
    auxiliary = np.array([figure.measure == OPEN for figure in figures], bool)
    floor = _floors(figures, held, derived[cells], [item for item in relations if not item.nearly])
    return System(
        figures=tuple(figures),
        value=held,
        floor=floor,
        cell=cells,
        matrix=matrix,
        rest=matrix @ held,
        derived=derived,
        auxiliary=auxiliary,
        first=first,
        **joined,
    )


def _is_near(relation: Relation, value: Floats) -> bool:
    """Return whether a reader who takes a relation as exact comes within the protection of what it tells."""
    parts = value[list(relation.places)] * relation.signs
    return bool(abs(parts.sum()) <= PROTECTION * max(parts[parts > 0].sum(), -parts[parts < 0].sum(), 0.0))


def matrix_of(relations: Sequence[Relation], many: int) -> Any:
    """Return relations as rows of a sparse matrix."""
    from scipy.sparse import csr_array

    row = np.repeat(np.arange(len(relations)), [len(item.places) for item in relations])
    places = np.array([at for item in relations for at in item.places], np.int64)
    signs = np.array([sign for item in relations for sign in item.signs], float)
    return csr_array((signs, (row, places)), shape=(len(relations), many))


def _floors(figures: Sequence[Figure], value: Floats, derived: Mask, relations: Sequence[Relation]) -> Floats:
    money = np.array([is_money(figure.measure) for figure in figures], bool)
    low = np.where(value < 0, -np.inf, 0.0)  # a balance may be overdrawn
    floor: Floats = np.where(money | derived, low, np.minimum(value, 1.0))
    for item in sorted(relations, key=lambda item: -len(figures[item.places[0]].key)):
        total, *cells = item.places
        if item.signs[0] == -1 and not money[total]:  # totals of cells stand before the grand total
            floor[total] = max(floor[total], floor[cells].sum())
    return floor


def parts_of(matrix: Any, free: Mask) -> Ints:
    """Return the part of the system that each free figure stands in, (n,) int64; -1 for those known."""
    from scipy.sparse import bmat
    from scipy.sparse.csgraph import connected_components

    places = np.flatnonzero(free)
    own = abs(matrix[:, places])
    _, label = connected_components(bmat([[None, own], [own.T, None]]), directed=False)
    found = np.full(len(free), -1, np.int64)
    found[places] = label[own.shape[0] :]
    return found


def extreme(
    matrix: Any, rest: Floats, bounds: tuple[Floats, Floats], part: Mask, at: int, sign: int, scale: float
) -> Floats | None:
    """Return values that fit everything known, with one figure as low (sign 1) or as high (-1) as can be.

    Parameters
    ----------
    matrix, rest : relations ``matrix @ x = rest``
    bounds : ((n,), (n,)) float64, least and greatest value of each figure; equal where it is known
    part : (n,) bool, the figures that can move with the one in question
    at : int, the figure
    sign : 1 or -1
    scale : float, the size to solve at

    Returns
    -------
    (n,) float64 or None
        None where nothing fits: the figures contradict each other. Infinite at `at` where there is no end.
    """
    from scipy.optimize import linprog

    places = np.flatnonzero(part)
    lower, upper = bounds
    columns = matrix[:, places]
    rows = np.unique(columns.nonzero()[0])
    still = np.where(part, 0.0, lower)
    aim = np.zeros(len(places))
    aim[np.searchsorted(places, at)] = sign
    own = matrix[rows]
    solved = linprog(
        aim,
        A_eq=own[:, places] if len(rows) else None,
        b_eq=(rest[rows] - own @ still) / scale if len(rows) else None,
        bounds=np.stack([lower[places], upper[places]], axis=1) / scale,
        method="highs",
    )
    found: Floats = lower.copy()
    if solved.status == 0:
        found[places] = np.asarray(solved.x) * scale
        return found
    if solved.status in (3, 4):
        found[at] = sign * -np.inf
        return found if solved.status == 3 else None
    return None


def contradiction(figure: Figure) -> ModelError:
    """Return the refusal of figures that contradict each other."""
    return ModelError(problem("RM898", table=figure.subject, measure=figure.measure))
