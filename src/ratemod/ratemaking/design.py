"""Design of a model on cells: terms, reference levels, and the faults of a design that can be named before any fit.

A term is a factor ("sector") or an interaction of several ("sector", "size"), in treatment coding: one column for each
combination of levels that are not the reference. The reference is the level with the most exposure unless stated. A
factor whose levels are numbers may be a `Curve` instead: then its columns are those of the curve.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ratemod.errors import ModelError, Problem, nearest, problem
from ratemod.ratemaking.arrays import Floats, Integers, sums
from ratemod.ratemaking.cells import Cells, Factor
from ratemod.ratemaking.curves import Curve

Term = tuple[str, ...]
MOST_NAMED = 8  # levels of one term without a loss
MOST_COLUMNS = 6_000  # of one model: its covariance then holds 288 MB


@dataclass(frozen=True, slots=True)
class Design:
    """What the columns of a model mean.

    Attributes
    ----------
    factors : the factors of the cells; terms : those of the model, in order
    reference : level code of each factor's reference (of a curve: of no meaning)
    column_term : (p,) position in `terms` of each column, -1 for the intercept
    column_levels : (p,) for each column, the level code of each factor of its term, or the column of its curve
    curves : of the factors that are numbers
    """

    factors: tuple[Factor, ...]
    terms: tuple[Term, ...]
    reference: tuple[int, ...]
    column_term: tuple[int, ...]
    column_levels: tuple[tuple[int, ...], ...]
    curves: tuple[Curve, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, such as ``intercept``, ``sector[mine]``, ``sector[mine]:size[large]``, ``age``."""
        return tuple(self.label(term, levels) for term, levels in zip(self.column_term, self.column_levels))

    def curve(self, name: str) -> Curve | None:
        """Return the curve of a factor, None where it has levels."""
        return next((curve for curve in self.curves if curve.name == name), None)

    def label(self, term: int, levels: Sequence[int]) -> str:
        """Return the name of one column of a term."""
        if term < 0:
            return "intercept"
        parts = []
        for name, at, level in zip(self.terms[term], self.places(term), levels):
            curve = self.curve(name)
            parts.append(f"{name}[{self.factors[at].levels[level]}]" if curve is None else curve.labels[level])
        return ":".join(parts)

    def places(self, term: int) -> tuple[int, ...]:
        """Return the positions in `factors` of a term's factors."""
        names = [factor.name for factor in self.factors]
        return tuple(names.index(name) for name in self.terms[term])

    def entries(self, term: int, codes: Integers) -> tuple[Integers, Floats]:
        """Return where the columns of a term are not 0.

        Parameters
        ----------
        term : position; codes : (c, k) int64

        Returns
        -------
        (c, d) int64, columns of the matrix, -1 where the reference needs none; and (c, d) float64, what stands there
        """
        places = self.places(term)
        curves = [self.curve(name) for name in self.terms[term]]
        sizes = [len(self.factors[at].levels) if curve is None else curve.degrees for at, curve in zip(places, curves)]
        table = np.full(int(np.prod(sizes)), -1, dtype=np.int64)
        own = [j for j, owner in enumerate(self.column_term) if owner == term]
        if own:
            levels = np.array([self.column_levels[j] for j in own]).T
            table[np.ravel_multi_index(tuple(levels), sizes)] = own
        flat, value = np.zeros((len(codes), 1), dtype=np.int64), np.ones((len(codes), 1))
        for at, curve, size in zip(places, curves, sizes):
            number, part = codes[:, [at]], np.ones((len(codes), 1))
            if curve is not None:
                part = curve.columns([float(level) for level in self.factors[at].levels])[codes[:, at]]
                number = np.broadcast_to(np.arange(size), part.shape)
            flat = (flat[:, :, None] * size + number[:, None, :]).reshape(len(codes), -1)
            value = (value[:, :, None] * part[:, None, :]).reshape(len(codes), -1)
        return table[flat], value

    def matrix(self, codes: Integers) -> Floats:
        """Return the (c, p) design matrix of level codes (c, k)."""
        width = len(self.column_term)
        columns = np.zeros((len(codes), width + 1))  # one more, for what the reference needs none of
        columns[:, 0] = 1.0
        for term in range(len(self.terms)):
            at, value = self.entries(term, codes)
            np.put_along_axis(columns, np.where(at < 0, width, at), value, axis=1)
        return np.ascontiguousarray(columns[:, :width])


def design(
    cells: Cells,
    terms: Sequence[str | Term],
    reference: Mapping[str, str] | None = None,
    curves: Sequence[Curve] = (),
) -> Design:
    """Lay out the columns of a model.

    Parameters
    ----------
    cells : Cells
    terms : factor names, or tuples of names for interactions
    reference : level by factor, where it is not to be the one with the most exposure
    curves : of the factors whose levels are numbers, and are to be fitted as such

    Returns
    -------
    Design

    Raises
    ------
    ModelError
        RM527, RM532 for unknown factors and levels; RM562 for a term given twice; RM481 for more columns than 6,000.

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
    bent = {curve.name: curve for curve in curves}
    places = [[names.index(name) for name in term] for term in wanted]
    sizes = [[bent[n].degrees if n in bent else len(cells.factors[names.index(n)].levels) for n in t] for t in wanted]
    width = 1 + sum(
        int(np.prod([size - (n not in bent) for n, size in zip(term, shape)], dtype=object))
        for term, shape in zip(wanted, sizes)
    )
    if width > MOST_COLUMNS:
        most = max(zip(sizes, wanted), key=lambda pair: int(np.prod(pair[0], dtype=object)))[1]
        raise ModelError(problem("RM481", columns=width, limit=MOST_COLUMNS, term=":".join(most)))
    column_term: list[int] = [-1]
    column_levels: list[tuple[int, ...]] = [()]
    for t, (term, at, shape) in enumerate(zip(wanted, places, sizes)):
        grid = np.indices(shape).reshape(len(at), -1).T
        free = (grid != np.array([-1 if n in bent else base[i] for n, i in zip(term, at)])).all(axis=1)
        column_levels += [tuple(int(level) for level in row) for row in grid[free]]
        column_term += [t] * int(free.sum())
    return Design(cells.factors, wanted, base, tuple(column_term), tuple(column_levels), tuple(curves))


def faults(plan: Design, cells: Cells, *, zero_total_separates: bool = True, spare: int = 1) -> list[Problem]:
    """Return what makes a design impossible to fit: empty levels, separated levels, too few rows.

    Parameters
    ----------
    plan : Design; cells : Cells
    zero_total_separates : True where a level without any loss drives its coefficient to minus infinity
    spare : rows that must be left beside the parameters: one for a dispersion that is estimated, else none

    Returns
    -------
    list of Problem: RM535 (level without exposure), RM536 (separation), RM538 (too thin)
    """
    found: list[Problem] = []
    for t in range(len(plan.terms)):
        if any(plan.curve(name) is not None for name in plan.terms[t]):
            continue
        weight, total = margins(plan, cells, t)
        single = len(plan.terms[t]) == 1
        if single:
            found += [problem("RM535", name=plan.label(t, (int(i),))) for i in np.flatnonzero(weight == 0)]
        if zero_total_separates:
            lost = np.argwhere((weight > 0) & (total <= 0))
            names = [plan.label(t, tuple(int(i) for i in at)) for at in lost]
            if len(names) > MOST_NAMED:
                names = [f"{', '.join(names[:MOST_NAMED])} … ({len(names)})"]
            found += [problem("RM536", name=name) for name in names]
    columns = len(plan.column_term)
    if not float(cells.total.sum()) > 0 and not found:
        found.append(problem("RM536", name="intercept"))
    if int(cells.rows.sum()) < columns + spare:
        found.append(problem("RM538", rows=int(cells.rows.sum()), parameters=columns))
    return found


def margins(plan: Design, cells: Cells, term: int) -> tuple[Floats, Floats]:
    """Return weight and total by combination of a term's levels."""
    places = plan.places(term)
    shape = tuple(len(plan.factors[at].levels) for at in places)
    key = np.ravel_multi_index(tuple(cells.codes[:, at] for at in places), shape)
    size = int(np.prod(shape))
    return sums(key, cells.weight, size).reshape(shape), sums(key, cells.total, size).reshape(shape)
