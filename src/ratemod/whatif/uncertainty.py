"""How sure is the loss ratio? Parameter risk of the fitted relativities and process risk of the claims, by simulation.

Each draw takes coefficients from the normal distribution of the study's estimates, then a year's claims: counts from
a negative binomial with the
model's overdispersion, amounts from a gamma with the model's dispersion. Seeded; the same seed gives the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.rules.options import strict
from ratemod.rules.within import Count, Whole
from ratemod.study.evidence import expected_rows
from ratemod.study.fit import Study

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Risk:
    """Simulated years of a book.

    Attributes
    ----------
    loss_ratio : (draws,) float64, both risks; parameter_only : (draws,) float64, mean losses under drawn parameters
    premium_yuan : float; expected_yuan : float; seed : int
    """

    loss_ratio: Floats
    parameter_only: Floats
    premium_yuan: float
    expected_yuan: float
    seed: int

    def quantiles(self, at: tuple[float, ...] = (0.05, 0.25, 0.5, 0.75, 0.95)) -> dict[float, tuple[float, float]]:
        """Return quantiles of the loss ratio: with parameter risk only, and with process risk as well."""
        return {p: (float(np.quantile(self.parameter_only, p)), float(np.quantile(self.loss_ratio, p))) for p in at}


@strict
def loss_ratio_risk(study: Study, *, draws: Count = 1000, seed: Whole) -> Risk:
    """Simulate the loss ratio of the study's book under its selected rates.

    Parameters
    ----------
    study : Study with frequency and severity models
    draws, seed : of the simulation

    Returns
    -------
    Risk

    Raises
    ------
    ModelError
        RM855 for a study without frequency and severity.

    Notes
    -----
    Relativities act on the history's mix of cells, scaled to the book's expected losses; catastrophes and the excess
    over the large-loss
    cap enter at their mean.
    """
    fits, cells = study.model.fits, study.model.cells
    if set(fits) != {"frequency", "severity"} or draws < 2:
        raise ModelError(problem("RM855"))
    rng = np.random.default_rng(seed)
    often, dear = fits["frequency"], fits["severity"]
    matrix = often.design.matrix(cells["frequency"].codes)
    count_mean = np.exp(matrix @ often.coefficient) * cells["frequency"].weight
    amount_mean = np.exp(dear.design.matrix(cells["frequency"].codes) @ dear.coefficient)
    base = float(count_mean @ amount_mean)
    beta = rng.multivariate_normal(often.coefficient, often.covariance, draws)
    gamma = rng.multivariate_normal(dear.coefficient, dear.covariance, draws)
    years = max(float(study.data.earned.sum()) / max(_book_exposure(study), 1e-9), 1e-9)
    known, whole = np.empty(draws), np.empty(draws)
    phi = max(often.dispersion, 1.0)
    for at in range(draws):
        counts = np.exp(matrix @ beta[at]) * cells["frequency"].weight / years
        amount = np.exp(dear.design.matrix(cells["frequency"].codes) @ gamma[at])
        known[at] = float(counts @ amount) * years / base
        drawn = rng.poisson(counts) if phi <= 1.0001 else rng.negative_binomial(counts / (phi - 1), 1 / phi)
        shape = np.maximum(drawn, 1e-12) / dear.dispersion
        whole[at] = float((rng.gamma(shape, 1.0) * dear.dispersion * amount)[drawn > 0].sum()) * years / base
    premium = study.rates.premium_fen / 100
    scale = study.rates.expected_yuan / premium
    return Risk(scale * whole, scale * known, premium, study.rates.expected_yuan, seed)


def _book_exposure(study: Study) -> float:
    """Return a year of the book in the history's exposure base: its expected losses over the history's rate of loss."""
    expected = expected_rows(study)
    return float(study.rates.expected_yuan / (expected.sum() / study.data.earned.sum()))
