"""Hierarchical credibility (Jewell): sector → region → firm, each level pulled towards the one above.

From the firms upwards every level has a between variance, estimated inside each parent. With children j of parent i,
weights w, means X, and below them the variance s² at weight 1:

    a_i = [Σ_j w_ij (X_ij − X̄_i)² − (J_i − 1) s²] / (w_i − Σ_j w_ij²/w_i) = n_i/d_i
    "buhlmann_gisler": a = average over i of max(a_i, 0);      "ohlsson": a = max(Σ_i n_i / Σ_i d_i, 0)
    "iterative": a = Σ_i Σ_j z_ij (X_ij − X̄_i,z)² / Σ_i (J_i − 1), X̄_i,z weighted by z, repeated until it stands
    z_ij = w_ij / (w_ij + s²/a),     mean of i = Σ z_ij X_ij / Σ z_ij,     weight of i = Σ_j z_ij

and i enters the next level with that mean and weight, and a in the place of s². Where a level shows no differences
(a = 0) its children are one: the parent takes their total weight, and s² stays. Premiums run from the top down:
premium of a child = z · own mean + (1 − z) · premium of its parent.

Sources: Jewell, "The use of collateral data in credibility theory", 1975; Bühlmann & Gisler, *A Course in Credibility
Theory*, 2005, ch. 6; Ohlsson, "Simplified estimation of structure parameters in hierarchical credibility", 2005; the
numbers agree with R's actuar (`cm(..., method = "Buhlmann-Gisler")`, "Ohlsson" and "iterative").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from ratemod.errors import Problem, problem
from ratemod.experience.buhlmann import FirmSums, credibility_factor, firm_sums
from ratemod.experience.panel import Floats, Integers, numbers, refuse, same_shape, whole
from ratemod.rules.options import strict

if TYPE_CHECKING:
    import pandas as pd

Estimator = Literal["buhlmann_gisler", "ohlsson", "iterative"]
MOST_ROUNDS, SETTLED = 1000, 1e-13


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Level:
    """One level of the hierarchy, the firms being the lowest; arrays (nodes,).

    Attributes
    ----------
    code : (nodes, depth) int64, codes of the node's own levels from the top, so that nodes can be named
    parent : int64, node of the level above; all 0 at the top
    weight, mean : float64, what the node brings; mean is NaN where there is no weight
    z, premium : float64, credibility of the own mean, and the estimate
    between : variance between the nodes of one parent
    """

    code: Integers
    parent: Integers
    weight: Floats
    mean: Floats
    z: Floats
    premium: Floats
    between: float


@dataclass(frozen=True, eq=False, kw_only=True, slots=True, repr=False)
class Hierarchy:
    """Hierarchical credibility: collective mean, variance within a firm, and the levels from the top to the firms."""

    collective: float
    within: float
    levels: tuple[Level, ...]
    warnings: tuple[Problem, ...] = ()

    @property
    def firms(self) -> Level:
        """The lowest level."""
        return self.levels[-1]

    def frame(self) -> pd.DataFrame:
        """Return one row a node, top level first: level, node, parent (numbers from 1), weight, own, z, premium."""
        import pandas as pd

        return pd.concat(
            [
                pd.DataFrame(
                    {
                        "level": at + 1,
                        "node": np.arange(1, len(one.z) + 1),
                        "parent": one.parent + 1,
                        "weight": one.weight,
                        "own": one.mean,
                        "z": one.z,
                        "premium": one.premium,
                    }
                )
                for at, one in enumerate(self.levels)
            ],
            ignore_index=True,
        )

    def __repr__(self) -> str:
        nodes = " in ".join(f"{len(one.z):,}" for one in reversed(self.levels))
        between = ", ".join(f"{one.between:.6g}" for one in self.levels)
        noted = f"; {', '.join(one.code for one in self.warnings)}" if self.warnings else ""
        variances = f"within {self.within:.6g}, between {between}"
        return f"Hierarchy({nodes}; collective {self.collective:.6g}; {variances}{noted})"


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class _Pulled:
    """One level on the way up: between variance, z of its nodes; weight, mean and variance of their parents."""

    between: float
    z: Floats
    weight: Floats
    mean: Floats
    below: float


@strict
def hierarchical(
    values: npt.ArrayLike,
    weights: npt.ArrayLike,
    levels: Sequence[npt.ArrayLike],
    *,
    estimator: Estimator = "buhlmann_gisler",
) -> Hierarchy:
    """Return hierarchical credibility.

    Parameters
    ----------
    values, weights : (firms, periods) float64 as for `buhlmann_straub`
    levels : (firms,) integers each, at least 0, from the top down: sector, then region. A region is one of its sector:
        region 3 of sector 0 and region 3 of sector 1 are two nodes.
    estimator : of the between variances: "buhlmann_gisler", "ohlsson" or "iterative"

    Returns
    -------
    Hierarchy

    Raises
    ------
    ModelError
        As `buhlmann_straub`; RM649 when no parent of a level has two children with weight.

    Examples
    --------
    >>> found = hierarchical([[1, 2], [2, 3], [7, 8], [9, 8]], np.ones((4, 2)), [[0, 0, 1, 1]])
    >>> found.levels[0].premium.round(3).tolist(), found.firms.premium.round(3).tolist()
    ([2.042, 7.958], [1.771, 2.271, 7.729, 8.229])
    """
    array, mass = numbers("values", values, missing=True), numbers("weights", weights, low=0, missing=True)
    same_shape(values=array, weights=mass)
    return hierarchical_from_sums(firm_sums(array, mass), levels, estimator=estimator)


@strict
def hierarchical_from_sums(
    sums: FirmSums, levels: Sequence[npt.ArrayLike], *, estimator: Estimator = "buhlmann_gisler"
) -> Hierarchy:
    """Return hierarchical credibility from the sums of every firm (see `buhlmann.FirmSums`); levels as `hierarchical`.

    Examples
    --------
    >>> sums = firm_sums(np.array([[1.0, 2], [2, 3], [7, 8], [9, 8]]), np.ones((4, 2)))
    >>> hierarchical_from_sums(sums, [[0, 0, 1, 1]]).levels[0].premium.round(3).tolist()
    [2.042, 7.958]
    """
    seen = sums.weight > 0
    freedom = int(np.maximum(sums.periods[seen] - 1, 0).sum())
    refuse([problem("RM645", firms=int(seen.sum()))] if seen.sum() < 2 else [problem("RM644")] if freedom == 0 else [])
    codes, parents = _nodes(
        [whole(f"levels[{at}]", code, low=0, high=2**40) for at, code in enumerate(levels)], len(sums.weight)
    )
    within = float(sums.square[seen].sum()) / freedom
    warnings: list[Problem] = []
    own: list[tuple[Floats, Floats]] = []
    pulled: list[_Pulled] = []
    weight, mean, below = sums.weight, np.where(seen, sums.mean, 0.0), within
    for depth in range(len(parents) - 1, -1, -1):
        step = _pull(weight, mean, parents[depth], below, depth, estimator, warnings)
        own.append((weight, mean))
        pulled.append(step)
        weight, mean, below = step.weight, step.mean, step.below
    return _downwards(float(mean[0]), within, codes, parents, own[::-1], pulled[::-1], tuple(warnings))


def _downwards(
    collective: float,
    within: float,
    codes: list[Integers],
    parents: list[Integers],
    own: list[tuple[Floats, Floats]],
    pulled: list[_Pulled],
    warnings: tuple[Problem, ...],
) -> Hierarchy:
    """Return the premiums from the top down."""
    above = np.array([collective])
    found: list[Level] = []
    for code, parent, (weight, mean), step in zip(codes, parents, own, pulled, strict=True):
        target = above[parent]
        above = np.where(weight > 0, target + step.z * (mean - target), target)
        level = Level(
            code=code,
            parent=parent,
            weight=weight,
            mean=np.where(weight > 0, mean, np.nan),
            z=step.z,
            premium=above,
            between=step.between,
        )
        found.append(level)
    return Hierarchy(collective=collective, within=within, levels=tuple(found), warnings=warnings)


def _nodes(codes: list[Integers], firms: int) -> tuple[list[Integers], list[Integers]]:
    """Return the node codes of every level, top first, and each node's parent; firms are the last level."""
    refuse(
        problem("RM640", name=f"levels[{at}]", found=str(code.shape), first="values", expected=f"({firms},)")
        for at, code in enumerate(codes)
        if code.shape != (firms,)
    )
    labels: list[Integers] = []
    parents: list[Integers] = []
    node: Integers = np.zeros(firms, dtype=np.int64)
    for depth, code in enumerate(codes):
        names, dense = np.unique(code, return_inverse=True)
        both, first_firm, inverse = np.unique(
            node * len(names) + dense.astype(np.int64), return_index=True, return_inverse=True
        )
        parents.append(both // len(names))
        labels.append(np.stack([level[first_firm] for level in codes[: depth + 1]], axis=1))
        node = inverse.astype(np.int64)
    labels.append(np.stack([*codes, np.arange(firms, dtype=np.int64)], axis=1))
    return labels, [*parents, node]


def _pull(
    weight: Floats,
    mean: Floats,
    parent: Integers,
    below: float,
    depth: int,
    estimator: Estimator,
    warnings: list[Problem],
) -> _Pulled:
    """Return the between variance of one level, its credibilities, and what its parents bring to the next."""
    size = int(parent.max()) + 1
    total, children = _sum(parent, weight, size), _sum(parent, weight > 0, size)
    centre = _over(_sum(parent, weight * mean, size), total)
    spread = _sum(parent, weight * (mean - centre[parent]) ** 2, size) - (children - 1) * below
    room = total - _over(_sum(parent, weight**2, size), total)
    usable = children >= 2
    if not usable.any():
        refuse([problem("RM649", level=depth)])
    each = spread[usable] / room[usable]
    pooled = float(spread[usable].sum() / room[usable].sum())
    between = float(np.maximum(each, 0).mean()) if estimator == "buhlmann_gisler" else max(pooled, 0.0)
    if estimator == "iterative" and between > 0:
        between = _settled(weight, mean, parent, below, between, int((children[usable] - 1).sum()), warnings)
    if between == 0:
        found = each.mean() if estimator == "buhlmann_gisler" else pooled
        warnings.append(problem("RM673", level=depth + 1, estimate=f"{found:.6g}"))
        return _Pulled(between=0.0, z=np.zeros_like(weight), weight=total, mean=centre, below=below)
    z = credibility_factor(weight, below / between)
    heavy = _sum(parent, z, size)
    middle = _over(_sum(parent, z * mean, size), heavy)
    return _Pulled(between=between, z=z, weight=heavy, mean=middle, below=between)


def _settled(
    weight: Floats,
    mean: Floats,
    parent: Integers,
    below: float,
    between: float,
    freedom: int,
    warnings: list[Problem],
) -> float:
    """Return the between variance that gives itself back; 0 where it falls away."""
    size = int(parent.max()) + 1
    for _ in range(MOST_ROUNDS):
        z = credibility_factor(weight, below / between)
        centre = _over(_sum(parent, z * mean, size), _sum(parent, z, size))
        new = float(z @ (mean - centre[parent]) ** 2) / freedom
        if new <= np.finfo(float).eps * between:
            return 0.0
        if abs(new - between) <= SETTLED * between:
            return new
        between = new
    warnings.append(problem("RM647", rounds=MOST_ROUNDS))
    return between


def _sum(code: Integers, amount: npt.NDArray[np.generic], size: int) -> Floats:
    """Return sums by code, (size,)."""
    return np.bincount(code, np.asarray(amount, dtype=np.float64), minlength=size).astype(np.float64, copy=False)


def _over(top: Floats, below: Floats) -> Floats:
    """Return top / below, 0 where below is 0."""
    return np.divide(top, below, out=np.zeros_like(top), where=below > 0)
