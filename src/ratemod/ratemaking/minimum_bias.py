"""Minimum bias by the balance principle (Bailey 1963): multiplicative relativities without any distribution.

For each level of each factor in turn, x_i = Σ_j w·y / Σ_j w·(product of the other factors), until nothing moves. Its
fixed point is the Poisson model with a log link, which is how it is checked here; use it where an exhibit must be
followed by hand.

Source: Bailey, PCAS 50 (1963); Mildenhall, PCAS 86 (1999); Werner & Modlin, ch. 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Floats, non_negative, positive
from ratemod.rules.floats import floats
from ratemod.rules.options import strict
from ratemod.rules.within import Count, Factor


@dataclass(frozen=True, slots=True)
class MinimumBias:
    """Multiplicative relativities; the mean of a cell is base × the relativity of each of its levels.

    Attributes
    ----------
    base : float, unit of the response
    relativities : one (levels,) float64 a factor
    iterations : int
    """

    base: float
    relativities: tuple[Floats, ...]
    iterations: int


@strict
def minimum_bias(
    response: npt.ArrayLike,
    weight: npt.ArrayLike,
    *,
    base: Factor = 1.0,
    start: Sequence[npt.ArrayLike] | None = None,
    iterations: Count | None = None,
    tolerance: Factor = 1e-13,
) -> MinimumBias:
    """Iterate the balance equations over a table.

    Parameters
    ----------
    response : (n₁, n₂, …) float64 >= 0, loss cost of each cell; anything where the weight is 0
    weight : same shape, exposure
    base : rate that relativities multiply; it is not changed here (see `rebase`)
    start : a start for each factor; the first factor's is not used. Default 1
    iterations : exactly so many rounds, or None to go on until no relativity moves by more than `tolerance` of itself

    Returns
    -------
    MinimumBias

    Raises
    ------
    ModelError
        RM558 for a level without exposure or without loss; RM540 without convergence in 10,000 rounds; RM834 for shapes
        that do not go together; RM500..RM502.

    Examples
    --------
    >>> done = minimum_bias([[650, 300], [250, 240]], [[170, 90], [105, 110]], base=100.0)
    >>> (done.relativities[0] / done.relativities[0][1]).round(4).tolist()
    [1.9931, 1.0]
    """
    w, given = non_negative("weight", weight), floats("response", response)
    if w.shape != given.shape:
        raise ModelError(problem("RM834", shapes=f"response {given.shape}, weight {w.shape}"))
    y = np.where(w > 0, non_negative("response", np.where(w > 0, given, 0.0)), 0.0)
    level = float(base)
    axes = range(y.ndim)
    thin = [
        problem("RM558", axis=a + 1, level=int(i) + 1) for a in axes for i in np.flatnonzero(_margin(w * y, a) <= 0)
    ]
    if thin:
        raise ModelError(thin)
    x = [np.ones(n) for n in y.shape] if start is None else [positive("start", part).copy() for part in start]
    if [part.shape for part in x] != [(n,) for n in y.shape]:
        raise ModelError(problem("RM834", shapes=f"response {y.shape}, start {', '.join(str(p.shape) for p in x)}"))
    rounds = 10_000 if iterations is None else iterations
    for done in range(1, rounds + 1):
        before = [part.copy() for part in x]
        for a in axes:
            others = [part if b != a else np.ones_like(part) for b, part in enumerate(x)]
            x[a] = _margin(w * y, a) / (level * _margin(w * _product(others), a))
        moved = max(float(np.abs(new / old - 1).max()) for new, old in zip(x, before))
        if iterations is None and moved < tolerance:
            return MinimumBias(level, tuple(x), done)
    if iterations is None:
        raise ModelError(problem("RM540", iterations=rounds, change=moved))
    return MinimumBias(level, tuple(x), rounds)


def _margin(table: Floats, axis: int) -> Floats:
    """Return sums over all axes but one."""
    return np.asarray(table.sum(axis=tuple(a for a in range(table.ndim) if a != axis)), dtype=np.float64)


def _product(parts: Sequence[Floats]) -> Floats:
    """Return the outer product of the factors."""
    table = np.ones(())
    for part in parts:
        table = np.multiply.outer(table, part)
    return np.asarray(table, dtype=np.float64)
