"""Tables that share totals, made from single records: sums, how many enterprises stand behind each, and who dominates.

The tables of one subject are faces of one dimension or two (sector by division, sector by insurer). Two faces never
close a ring: then whatever nonnegative cells add up to the shared totals can all be true at once (within each level of
what they share, the rest may be taken as independent), so that bounds over the published cells alone are exact.

Source: Lauritzen, *Graphical Models*, 1996, section 4.4 (decomposable tables); Hundepool et al., *Statistical
Disclosure Control*, 2012, section 4.1 (linked tables).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.confidentiality.unsafe import DOMINANCE, LEAST_UNITS, dominated
from ratemod.errors import ModelError, problem
from ratemod.rules.options import strict
from ratemod.rules.within import Count, Share

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Face = tuple[str, ...]
Key = tuple[tuple[str, int], ...]  # (dimension, place of the level); () is the grand total


@dataclass(frozen=True, eq=False, slots=True)
class LinkedTables:
    """Every cell and total of the tables of one subject, each once.

    Attributes
    ----------
    name : str
    levels : mapping of dimension to level codes
    faces : tuple of Face
    keys : (n,) Key; the grand total stands last
    values : mapping of measure to (n,) int64; fen where the name ends in ``_fen``, else counts
    contributors : (n,) int64
        Enterprises with a record behind the cell.
    unsafe : (n,) bool
        Cells that tell about single enterprises.
    lone : (n,) int64
        The one enterprise behind a cell; -1 where there are none or several.
    relations : tuple of (int, (k,) int64)
        A total and the cells that add up to it.
    """

    name: str
    levels: Mapping[str, tuple[str, ...]]
    faces: tuple[Face, ...]
    keys: tuple[Key, ...]
    values: Mapping[str, Ints]
    contributors: Ints
    unsafe: Mask
    lone: Ints
    relations: tuple[tuple[int, Ints], ...]

    def at(self, **level: int) -> int:
        """Return the place of a cell: ``at(sector=0, division=3)``, ``at(sector=0)`` or ``at()``."""
        return self.keys.index(tuple(level.items()))

    def inner(self, face: Face) -> Ints:
        """Return the places of the cells of a face, in order of its levels, (cells,) int64."""
        return np.array([at for at, key in enumerate(self.keys) if tuple(name for name, _ in key) == face], np.int64)


@strict
def tabulate(
    name: str,
    dimensions: Mapping[str, tuple[npt.ArrayLike, Sequence[str]]],
    faces: Sequence[Face],
    firm: npt.ArrayLike,
    measures: Mapping[str, npt.ArrayLike],
    *,
    least_units: Count = LEAST_UNITS,
    share: Share = DOMINANCE,
) -> LinkedTables:
    """Return the linked tables of some records.

    Parameters
    ----------
    dimensions : mapping of dimension to ((m,) int places of levels, level codes)
    faces : sequence of one or two dimensions each
    firm : (m,) int
        Whose record it is.
    measures : mapping of name to (m,) int, fen where the name ends in ``_fen``, else counts
    least_units : int
        Fewer enterprises behind a cell make it unsafe.
    share : float
        Of the p % rule, which amounts in fen have to pass.

    Raises
    ------
    ModelError
        RM894 a sum is negative; RM896 the faces close a ring.

    Examples
    --------
    >>> found = tabulate("t", {"sector": ([0, 0, 1], ["a", "b"])}, [("sector",)], [7, 8, 8], {"paid_fen": [5, 6, 7]})
    >>> found.values["paid_fen"].tolist(), found.contributors.tolist(), found.lone.tolist()
    ([11, 7, 18], [2, 1, 2], [-1, 8, -1])
    """
    forest(faces)
    code = {dim: np.asarray(places, np.int64) for dim, (places, _) in dimensions.items()}
    levels = {dim: tuple(names) for dim, (_, names) in dimensions.items()}
    whose = np.asarray(firm, np.int64)
    given = {measure: np.asarray(values, np.int64) for measure, values in measures.items()}
    singles = tuple(dict.fromkeys((dim,) for face in faces for dim in face))
    keys: list[Key] = []
    parts: list[tuple[dict[str, Ints], Ints, Mask, Ints]] = []
    for face in dict.fromkeys((*(face for face in faces if len(face) > 1), *singles, ())):
        shape = tuple(len(levels[dim]) for dim in face)
        flat = np.ravel_multi_index([code[dim] for dim in face], shape) if face else np.zeros(len(whose), np.int64)
        parts.append(
            _cells(np.asarray(flat, np.int64), int(np.prod(shape, dtype=int)), whose, given, least_units, share)
        )
        keys += [tuple(zip(face, (int(at) for at in place))) for place in np.ndindex(*shape)]
    values = {measure: np.concatenate([part[0][measure] for part in parts]) for measure in given}
    if any((column < 0).any() for column in values.values()):
        raise ModelError(problem("RM894"))
    contributors, unsafe, lone = (np.concatenate([part[at] for part in parts]) for at in (1, 2, 3))
    return LinkedTables(
        name=name,
        levels=levels,
        faces=tuple(faces),
        keys=tuple(keys),
        values=values,
        contributors=contributors,
        unsafe=unsafe,
        lone=lone,
        relations=_relations(keys, faces, levels),
    )


def forest(faces: Sequence[Face]) -> None:
    """Refuse faces of more than two dimensions, or that close a ring: bounds over their cells would not be exact.

    Raises
    ------
    ModelError
        RM896 with the face at which the ring closes.

    Examples
    --------
    >>> forest([("sector", "division"), ("sector", "insurer")])
    """
    root: dict[str, str] = {}

    def top(dim: str) -> str:
        while root.setdefault(dim, dim) != dim:
            dim = root[dim]
        return dim

    for face in dict.fromkeys(faces):
        if len(face) > 2 or (len(face) == 2 and top(face[0]) == top(face[1])):
            raise ModelError(problem("RM896", face=" × ".join(face)))
        if len(face) == 2:
            root[top(face[0])] = top(face[1])


def _relations(
    keys: Sequence[Key], faces: Sequence[Face], levels: Mapping[str, tuple[str, ...]]
) -> tuple[tuple[int, Ints], ...]:
    place = {key: at for at, key in enumerate(keys)}
    found: list[tuple[int, Ints]] = []
    for face in dict.fromkeys(faces):
        if len(face) == 2:
            for one, other, turned in ((face[0], face[1], False), (face[1], face[0], True)):
                for level in range(len(levels[one])):
                    pairs = [((one, level), (other, at)) for at in range(len(levels[other]))]
                    cells = [place[pair[::-1] if turned else pair] for pair in pairs]
                    found.append((place[((one, level),)], np.array(cells, np.int64)))
    for dim in dict.fromkeys(dim for face in faces for dim in face):
        cells = [place[((dim, at),)] for at in range(len(levels[dim]))]
        found.append((place[()], np.array(cells, np.int64)))
    return tuple(found)


def _cells(
    flat: Ints, size: int, firm: Ints, measures: Mapping[str, Ints], least: int, share: float
) -> tuple[dict[str, Ints], Ints, Mask, Ints]:
    """Return sums, contributors, unsafe cells and lone enterprises of one set of cells, (size,) each."""
    many = int(firm.max(initial=0)) + 1
    pairs, own = np.unique(flat * many + firm, return_inverse=True)
    cell, who = pairs // many, pairs % many
    count = np.bincount(cell, minlength=size)
    lone = np.full(size, -1, np.int64)
    lone[cell] = who
    lone[count != 1] = -1
    unsafe = (count > 0) & (count < least)
    sums: dict[str, Ints] = {}
    for name, values in measures.items():
        by_pair, total = np.zeros(len(pairs), np.int64), np.zeros(size, np.int64)
        np.add.at(by_pair, np.asarray(own).ravel(), values)
        np.add.at(total, cell, by_pair)
        sums[name] = total
        if name.endswith("_fen"):
            first, second = _two_largest(cell, by_pair, size)
            unsafe |= (count > 0) & dominated(total, first, second, share)
    return sums, count, unsafe, lone


def _two_largest(cell: Ints, amount: Ints, size: int) -> tuple[Ints, Ints]:
    """Return the largest and second largest amount of each cell, 0 where there is none."""
    order = np.lexsort((amount, cell))
    group, held = cell[order], amount[order]
    ends = np.searchsorted(group, np.arange(size), side="right") - 1
    starts = np.searchsorted(group, np.arange(size), side="left")
    first, second = np.zeros(size, np.int64), np.zeros(size, np.int64)
    some, two = ends >= starts, ends > starts
    first[some] = held[ends[some]]
    second[two] = held[ends[two] - 1]
    return first, second
