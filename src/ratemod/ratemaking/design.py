"""Design of a model on cells: terms, reference levels, and the faults of a design that can be named before any fit.

A term is a factor ("sector") or an interaction of several ("sector", "size"), in treatment coding: one column for each
combination of levels that are not the reference. The reference is the level with the most exposure unless stated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, Problem, nearest, problem
from ratemod.ratemaking.arrays import Floats, Integers, sums
from ratemod.ratemaking.cells import Cells, Factor

Term = tuple[str, ...]
ALIAS_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Design:
    """What the columns of a model mean.

    Attributes
    ----------
    factors : the factors of the cells; terms : those of the model, in order
    reference : level code of each factor's reference
    column_term : (p,) position in `terms` of each column, -1 for the intercept
    column_levels : (p,) level codes of each column, one for each factor of its term
    """

    factors: tuple[Factor, ...]
    terms: tuple[Term, ...]
    reference: tuple[int, ...]
    column_term: tuple[int, ...]
    column_levels: tuple[tuple[int, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, such as ``intercept``, ``sector[mine]``, ``sector[mine]:size[large]``."""
        return tuple(self.label(term, levels) for term, levels in zip(self.column_term, self.column_levels))

    def label(self, term: int, levels: Sequence[int]) -> str:
        """Return the name of one combination of levels of a term."""
        if term < 0:
            return "intercept"
        return ":".join(
            f"{name}[{self.factors[at].levels[level]}]"
            for name, at, level in zip(self.terms[term], self.places(term), levels)
        )

    def places(self, term: int) -> tuple[int, ...]:
        """Return the positions in `factors` of a term's factors."""
        names = [factor.name for factor in self.factors]
        return tuple(names.index(name) for name in self.terms[term])

    def matrix(self, codes: Integers) -> Floats:
        """Return the (c, p) design matrix of level codes (c, k)."""
        columns = np.ones((len(codes), len(self.column_term)))
        for j, (term, levels) in enumerate(zip(self.column_term, self.column_levels)):
            if term >= 0:
                columns[:, j] = (codes[:, self.places(term)] == np.array(levels)).all(axis=1)
        return columns


def design(cells: Cells, terms: Sequence[str | Term], reference: Mapping[str, str] | None = None) -> Design:
    """Lay out the columns of a model.

    Parameters
    ----------
    cells : Cells
    terms : factor names, or tuples of names for interactions
    reference : level by factor, where it is not to be the one with the most exposure

    Returns
    -------
    Design

    Raises
    ------
    ModelError
        RM527, RM532 for unknown factors and levels; RM562 for a term given twice.

    Examples
    --------
    >>> from ratemod.ratemaking.cells import collapse
    >>> cells = collapse([Factor("size", ("small", "large"))], [[0, 1]], [1.0, 9.0], [1.0, 1.0])
    >>> design(cells, ["size"]).names
    ('intercept', 'size[small]')
    """
    wanted = tuple((term,) if isinstance(term, str) else tuple(term) for term in terms)
    given = dict(reference or {})
    wrong = [
        problem("RM562", name=":".join(term))
        for i, term in enumerate(wanted)
        if set(term) in [set(other) for other in wanted[:i]] or len(set(term)) < len(term)
    ]
    names = [factor.name for factor in cells.factors]
    wrong += [
        problem("RM527", name=name, nearest=nearest(name, names))
        for name in dict.fromkeys([name for term in wanted for name in term] + list(given))
        if name not in names
    ]
    wrong += [
        problem(
            "RM532", factor=factor.name, level=given[factor.name], nearest=nearest(given[factor.name], factor.levels)
        )
        for factor in cells.factors
        if factor.name in given and given[factor.name] not in factor.levels
    ]
    if wrong:
        raise ModelError(wrong)
    base = tuple(
        factor.levels.index(given[factor.name])
        if factor.name in given
        else int(sums(cells.codes[:, at], cells.weight, len(factor.levels)).argmax())
        for at, factor in enumerate(cells.factors)
    )
    column_term: list[int] = [-1]
    column_levels: list[tuple[int, ...]] = [()]
    for t, term in enumerate(wanted):
        at = [names.index(name) for name in term]
        grid = np.indices([len(cells.factors[i].levels) for i in at]).reshape(len(at), -1).T
        free = (grid != np.array([base[i] for i in at])).all(axis=1)
        column_levels += [tuple(int(level) for level in row) for row in grid[free]]
        column_term += [t] * int(free.sum())
    return Design(cells.factors, wanted, base, tuple(column_term), tuple(column_levels))


def faults(plan: Design, cells: Cells, matrix: Floats, *, zero_total_separates: bool = True) -> list[Problem]:
    """Return what makes a design impossible to fit: empty levels, separated levels, aliased columns, too few rows.

    Parameters
    ----------
    plan : Design; cells : Cells; matrix : (c, p), `plan.matrix(cells.codes)`
    zero_total_separates : True where a level without any loss drives its coefficient to minus infinity

    Returns
    -------
    list of Problem: RM535 (level without exposure), RM536 (separation), RM537 (alias), RM538 (too thin)
    """
    found: list[Problem] = []
    for t in range(len(plan.terms)):
        weight, total = _margins(plan, cells, t)
        single = len(plan.terms[t]) == 1
        if single:
            found += [problem("RM535", name=plan.label(t, (int(i),))) for i in np.flatnonzero(weight == 0)]
        if zero_total_separates:
            lost = np.argwhere((weight > 0) & (total == 0))
            found += [problem("RM536", name=plan.label(t, tuple(int(i) for i in at))) for at in lost]
    empty = {item.args["name"] for item in found if item.code == "RM535"}
    found += [problem("RM537", name=name) for name in _aliased(plan, matrix, cells.weight) if name not in empty]
    if int(cells.rows.sum()) <= matrix.shape[1]:
        found.append(problem("RM538", rows=int(cells.rows.sum()), parameters=matrix.shape[1]))
    return found


def _margins(plan: Design, cells: Cells, term: int) -> tuple[Floats, Floats]:
    """Return weight and total by combination of a term's levels."""
    places = plan.places(term)
    shape = tuple(len(plan.factors[at].levels) for at in places)
    key = np.ravel_multi_index(tuple(cells.codes[:, at] for at in places), shape)
    size = int(np.prod(shape))
    return sums(key, cells.weight, size).reshape(shape), sums(key, cells.total, size).reshape(shape)


def _aliased(plan: Design, matrix: Floats, weight: Floats) -> list[str]:
    """Return the columns that earlier columns determine, by sweeping the scaled cross-product in order."""
    gram: npt.NDArray[np.float64] = matrix.T @ (matrix * weight[:, None])
    scale = np.sqrt(np.where(np.diag(gram) > 0, np.diag(gram), 1.0))
    rest = gram / scale / scale[:, None]
    lost = []
    for j, name in enumerate(plan.names):
        pivot = rest[j, j]
        if pivot < ALIAS_TOLERANCE:
            lost.append(name)
            continue
        rest = rest - np.outer(rest[:, j], rest[j]) / pivot
    return lost
