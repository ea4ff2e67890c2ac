"""NB2 regression: counts t with mean m = w·μ and variance m + α·m² row by row, α (or θ = 1/α) by maximum likelihood.

It is not the family "negative binomial", whose rows of one rate add up to the row of their joint exposure: here a row
of twice the exposure has twice the mean, and the same shape θ. Rows of one cell that have one exposure are one cell of
the fit, so that nothing is lost. With coefficients held, θ solves
    Σ [ψ(t+θ) − ψ(θ) + log θ + 1 − log(θ+m) − (t+θ)/(θ+m)] = 0,
and both are found in turn until neither moves. Standard errors of the coefficients are those at θ found, as R's are.

Source: Venables & Ripley, *Modern Applied Statistics with S*, 4th ed., 7.4 (`glm.nb`); Cameron & Trivedi, *Regression
Analysis of Count Data*, 2nd ed., 3.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Floats
from ratemod.ratemaking.cells import Cells
from ratemod.ratemaking.curves import Curve
from ratemod.ratemaking.design import Term
from ratemod.ratemaking.family import nb2, poisson
from ratemod.ratemaking.glm import Fit, fit_glm

ROUNDS = 60
SETTLED = 1e-10
LARGEST = 1e7  # a shape beyond it is a Poisson


def fit_nb2(
    cells: Cells,
    terms: Sequence[str | Term],
    *,
    reference: Mapping[str, str] | None = None,
    curves: Sequence[Curve] = (),
    offset: Floats | None = None,
) -> Fit:
    """Fit an NB2 on cells of one exposure each.

    Parameters
    ----------
    cells : Cells whose weight is the number of rows, with the different rows kept (`with_distinct_rows`)
    terms, reference, curves : as in `fit_glm`
    offset : (c,) float64, log of the exposure of each cell's rows

    Returns
    -------
    Fit; its family holds α

    Raises
    ------
    ModelError
        RM495 where counts are spread no wider than a Poisson's; RM540 without convergence; those of `fit_glm`.
    """
    fit = fit_glm(cells, terms, poisson(), reference=reference, curves=curves, offset=offset)
    alpha = 0.0
    for _ in range(ROUNDS):
        found = 1 / _shape(cells, fit.fitted)
        fit = fit_glm(cells, terms, nb2(found), reference=reference, curves=curves, offset=offset)
        if abs(found - alpha) <= SETTLED * found:
            return fit
        alpha = found
    raise ModelError(problem("RM540", iterations=ROUNDS, change=abs(found - alpha)))


def _shape(cells: Cells, mean: Floats) -> float:
    """Return θ for means of the rows."""
    from scipy.optimize import brentq
    from scipy.special import psi

    rows = cells.beside.distinct
    assert rows is not None
    count, times = rows[:, 1], rows[:, 2]

    def slope(log_shape: float) -> float:
        shape = float(np.exp(log_shape))
        whole = times @ (psi(count + shape) - psi(shape))
        both = mean + shape
        cell = cells.weight * (1 - np.log1p(mean / shape)) - (cells.total + cells.weight * shape) / both
        return float(whole + cell.sum())

    low, high = np.log(1e-8), np.log(LARGEST)
    if slope(high) >= 0:
        raise ModelError(problem("RM495"))
    return float(np.exp(brentq(slope, low, high, xtol=1e-13, rtol=1e-14)))
