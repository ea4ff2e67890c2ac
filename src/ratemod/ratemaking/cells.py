"""Cells: rows with equal codes, summed; all that a generalised linear model needs of them.

For a response y = total/weight (claims per head-year, yuan per claim, yuan per head-year) the score of a log-link model
depends on a cell through Σw and Σwy alone, and the Pearson statistic of the *rows* follows from Σwy² too:
    Σ_rows w(y − μ)² = Σwy² − 2μ·Σwy + μ²·Σw.
So a fit on cells has the coefficients, the dispersion and the standard errors of the fit on rows, at any number of
rows. What deviance and likelihood hold beside that does not depend on the model: a few sums over all rows (`RowSums`),
so that both are those of the rows too, and comparable between models with other factors. A known multiplier e^o of each
row's mean folds in exactly for a variance μ^p: w → w·e^(o(2−p)), y → y·e^(−o).

Source: McCullagh & Nelder, *Generalized Linear Models*, 2nd ed., 2.2; Ohlsson & Johansson, *Non-Life Insurance
Pricing*, 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, nearest, problem
from ratemod.ratemaking.arrays import Floats, Integers, finite, non_negative, positive, same_length, sums
from ratemod.ratemaking.row_sums import RowSums, row_sums
from ratemod.rules.floats import whole_numbers

DENSE_CELLS = 2**22


@dataclass(frozen=True, slots=True)
class Factor:
    """A rating factor: its name and its levels, in code order."""

    name: str
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Merge:
    """A record of levels that were put together, and why."""

    factor: str
    level: str
    into: str
    rows: int
    weight: float
    reason: str


@dataclass(frozen=True, slots=True)
class Cells:
    """Sums by cell, sorted by key; only cells that have rows.

    Attributes
    ----------
    factors : the k factors, first one slowest
    codes : (c, k) int64, level of each factor
    rows : (c,) int64, rows with weight > 0
    weight : (c,) float64, Σw, unit of exposure (head-years, claims)
    total : (c,) float64, Σwy (claims, yuan)
    square : (c,) float64, Σwy² = Σ total²/w
    beside : what a likelihood of the rows needs beside the cells
    merges : what was merged on the way
    """

    factors: tuple[Factor, ...]
    codes: Integers
    rows: Integers
    weight: Floats
    total: Floats
    square: Floats
    beside: RowSums
    merges: tuple[Merge, ...] = ()

    def position(self, name: str) -> int:
        """Return the position of a factor.

        Raises
        ------
        ModelError
            RM527 when there is no factor of this name.
        """
        names = [factor.name for factor in self.factors]
        if name not in names:
            raise ModelError(problem("RM527", name=name, nearest=nearest(name, names)))
        return names.index(name)


def fold_offset(
    weight: npt.ArrayLike, total: npt.ArrayLike, offset: npt.ArrayLike, power: float
) -> tuple[Floats, Floats]:
    """Fold a known log multiplier of each row's mean into its weight and total.

    Parameters
    ----------
    weight, total : (n,) float64; offset : (n,) float64, log of the multiplier
    power : variance power p of the model to come (1 Poisson, 2 gamma, between for Tweedie)

    Returns
    -------
    weight, total : (n,) float64, for `collapse`

    Examples
    --------
    >>> [a.round(6).tolist() for a in fold_offset([1.0], [3.0], [np.log(2.0)], 1.0)]
    [[2.0], [3.0]]
    """
    w, t, o = non_negative("weight", weight), finite("total", total), finite("offset", offset)
    same_length(weight=w, total=t, offset=o)
    return w * np.exp(o * (2 - power)), t * np.exp(o * (1 - power))


def collapse(
    factors: Sequence[Factor],
    codes: Sequence[npt.ArrayLike],
    weight: npt.ArrayLike,
    total: npt.ArrayLike,
    *,
    power: float | None = None,
    offset: npt.ArrayLike | None = None,
    times: npt.ArrayLike | None = None,
    recoveries: bool = False,
) -> Cells:
    """Sum rows into cells.

    Parameters
    ----------
    factors : k of them
    codes : k arrays (n,) of integer codes into the levels
    weight : (n,) float64 >= 0 (head-years for a frequency, claims for a severity)
    total : (n,) float64 >= 0 (claims; yuan), the response times the weight; below 0 where `recoveries` are permitted
    power : variance power of a Tweedie model to come, for the deviance of the rows
    offset : (n,) float64, the log multiplier that `fold_offset` has folded in, for the likelihood of the rows
    times : (n,) float64 > 0, sample weights: how much each row counts beside the others; default 1

    Returns
    -------
    Cells. Rows of weight and total zero carry no information and are counted nowhere.

    Raises
    ------
    ModelError
        RM500, RM501 (negative losses), RM503, RM655, RM837; RM524 for codes out of range; RM528 for a total on no
        weight; RM529 when the factors span more than 2⁶² cells.

    Examples
    --------
    >>> size = Factor("size", ("small", "large"))
    >>> cells = collapse([size], [[0, 1, 0]], [1.0, 2.0, 3.0], [0.0, 1.0, 2.0])
    >>> cells.weight.tolist(), cells.total.tolist(), cells.square.round(4).tolist()
    ([4.0, 2.0], [2.0, 1.0], [1.3333, 0.5])
    """
    w, t = non_negative("weight", weight), (finite if recoveries else non_negative)("total", total)
    each = np.ones(len(w)) if times is None else positive("times", times)
    same_length(weight=w, total=t, times=each)
    if ((w == 0) & (t != 0)).any():
        raise ModelError(problem("RM528", wrong=int(((w == 0) & (t != 0)).sum())))
    key = _keys(factors, codes, len(w))
    square = np.divide(each * t * t, w, out=np.zeros_like(t), where=w > 0)
    beside = row_sums(w, t, power=power, offset=offset, times=each)
    return _sum(tuple(factors), key, (w > 0).astype(np.float64), each * w, each * t, square, beside)


def merge(parts: Iterable[Cells]) -> Cells:
    """Add cells of the same factors: the batches of a file, the years of a history. Memory is that of the cells.

    Raises
    ------
    ModelError
        RM530 when there is nothing to add, or the factors differ.

    Examples
    --------
    >>> size = Factor("size", ("small", "large"))
    >>> one = collapse([size], [[0, 1]], [1.0, 2.0], [0.0, 1.0])
    >>> merge([one, one]).total.tolist()
    [0.0, 2.0]
    """
    whole: Cells | None = None
    for part in parts:
        if whole is None:
            whole = part
        elif part.factors != whole.factors:
            raise ModelError(problem("RM530"))
        else:
            merges = tuple(dict.fromkeys(whole.merges + part.merges))
            whole = _resum(
                replace(whole, merges=merges, beside=whole.beside + part.beside),
                np.concatenate([whole.codes, part.codes]),
                part,
            )
    if whole is None:
        raise ModelError(problem("RM530"))
    return whole


def by_level(cells: Cells, name: str) -> Cells:
    """Return the cells summed over everything but one factor.

    Examples
    --------
    >>> size, ring = Factor("size", ("small", "large")), Factor("ring", ("in", "out"))
    >>> by_level(collapse([size, ring], [[0, 0], [0, 1]], [1.0, 2.0], [0.0, 1.0]), "size").weight.tolist()
    [3.0]
    """
    at = cells.position(name)
    return _resum(replace(cells, factors=(cells.factors[at],)), cells.codes[:, [at]])


def without(cells: Cells, name: str) -> Cells:
    """Return the cells summed over one factor.

    Examples
    --------
    >>> size, ring = Factor("size", ("small", "large")), Factor("ring", ("in", "out"))
    >>> without(collapse([size, ring], [[0, 0], [0, 1]], [1.0, 2.0], [0.0, 1.0]), "ring").weight.tolist()
    [3.0]
    """
    at = cells.position(name)
    rest = tuple(factor for factor in cells.factors if factor.name != name)
    return _resum(replace(cells, factors=rest), np.delete(cells.codes, at, axis=1))


def regroup(cells: Cells, name: str, levels: Sequence[str], code: Integers) -> Cells:
    """Return the cells with other levels of one factor.

    Parameters
    ----------
    cells : Cells; name : factor
    levels : the new ones, in order; code : place of each old level among them

    Examples
    --------
    >>> cells = collapse([Factor("age", ("18", "19", "40"))], [[0, 1, 2]], [1.0, 2.0, 4.0], [0.0, 1.0, 1.0])
    >>> regroup(cells, "age", ("young", "old"), np.array([0, 0, 1])).weight.tolist()
    [3.0, 4.0]
    """
    at = cells.position(name)
    codes = cells.codes.copy()
    codes[:, at] = code[codes[:, at]]
    factors = tuple(Factor(name, tuple(levels)) if i == at else factor for i, factor in enumerate(cells.factors))
    return _resum(replace(cells, factors=factors), codes)


def thin_levels(cells: Cells, name: str, *, weight: float = 0.0, total: float = 0.0) -> tuple[str, ...]:
    """Return the levels of a factor with less exposure than `weight`, or less than `total` (claims, losses).

    Examples
    --------
    >>> thin_levels(collapse([Factor("size", ("micro", "small"))], [[0, 1]], [1.0, 9.0], [0.0, 1.0]), "size", weight=2)
    ('micro',)
    """
    at = cells.position(name)
    levels = cells.factors[at].levels
    exposure, losses = (sums(cells.codes[:, at], column, len(levels)) for column in (cells.weight, cells.total))
    return tuple(level for level, w, t in zip(levels, exposure, losses) if w < weight or t < total)


def merge_levels(cells: Cells, name: str, into: Mapping[str, str], reason: str) -> Cells:
    """Put thin levels into others, with a record of each.

    Parameters
    ----------
    cells : Cells
    name : factor
    into : level -> level that takes it over
    reason : why, for the record

    Returns
    -------
    Cells with the merged levels gone and `merges` longer

    Raises
    ------
    ModelError
        RM531 when no reason is given; RM527 for an unknown factor; RM532 for unknown levels.

    Examples
    --------
    >>> cells = collapse([Factor("size", ("micro", "small"))], [[0, 1]], [1.0, 9.0], [0.0, 1.0])
    >>> merge_levels(cells, "size", {"micro": "small"}, "under 2 head-years").merges[0].into
    'small'
    """
    at = cells.position(name)
    levels = cells.factors[at].levels
    wrong = [level for level in {**into, **{v: v for v in into.values()}} if level not in levels]
    found = [problem("RM532", factor=name, level=level, nearest=nearest(level, levels)) for level in wrong]
    found += [] if reason.strip() else [problem("RM531", cell=name)]
    found += [problem("RM533", factor=name, level=level) for level in into.values() if level in into]
    if found:
        raise ModelError(found)
    kept = tuple(level for level in levels if level not in into)
    code = np.array([kept.index(into.get(level, level)) for level in levels], dtype=np.int64)
    record = tuple(
        Merge(name, level, new, int(cells.rows[hit].sum()), float(cells.weight[hit].sum()), reason)
        for level, new in into.items()
        for hit in [cells.codes[:, at] == levels.index(level)]
    )
    return regroup(replace(cells, merges=cells.merges + record), name, kept, code)


def _keys(factors: Sequence[Factor], codes: Sequence[npt.ArrayLike], rows: int) -> Integers:
    """Return one mixed-radix key a row, every code proved in range."""
    if len(codes) != len(factors):
        raise ModelError(problem("RM503", name="codes", found=len(codes), first="factors", expected=len(factors)))
    if np.prod([len(factor.levels) for factor in factors], dtype=object) > 2**62:
        raise ModelError(problem("RM529"))
    key, wrong = np.zeros(rows, dtype=np.int64), []
    for factor, given in zip(factors, codes):
        code = whole_numbers(factor.name, given)
        same_length(weight=key, **{factor.name: code})
        if rows and (code.min() < 0 or code.max() >= len(factor.levels)):
            wrong.append(problem("RM524", name=factor.name, levels=len(factor.levels)))
        key *= len(factor.levels)
        key += code
    if wrong:
        raise ModelError(wrong)
    return key


def _resum(like: Cells, codes: Integers, more: Cells | None = None) -> Cells:
    """Sum the columns of `like` (and `more`) by new codes."""

    def column(name: str) -> Floats:
        parts = [getattr(like, name)] if more is None else [getattr(like, name), getattr(more, name)]
        return np.concatenate(parts).astype(np.float64)

    key = _keys(like.factors, list(codes.T), len(codes))
    made = _sum(like.factors, key, column("rows"), column("weight"), column("total"), column("square"), like.beside)
    return replace(made, merges=like.merges)


def _sum(
    factors: tuple[Factor, ...],
    key: Integers,
    rows: Floats,
    weight: Floats,
    total: Floats,
    square: Floats,
    beside: RowSums,
) -> Cells:
    """Sum by key: directly where the table is small, else by sorting the keys that occur."""
    shape = [len(factor.levels) for factor in factors]
    size = int(np.prod(shape, dtype=object))
    if size <= DENSE_CELLS:
        names, place, width = np.arange(size), key, size
    else:
        names, place = np.unique(key, return_inverse=True)
        width = len(names)
    count, w, t, s = (sums(place, column, width) for column in (rows, weight, total, square))
    has = (count > 0) | (w > 0)
    codes = np.stack(np.unravel_index(names[has], shape), axis=1) if shape else np.zeros((int(has.sum()), 0))
    return Cells(
        factors=factors,
        codes=codes.astype(np.int64),
        rows=np.rint(count[has]).astype(np.int64),
        weight=w[has],
        total=t[has],
        square=s[has],
        beside=beside,
    )
