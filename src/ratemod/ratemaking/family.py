"""Response families of the models: variance functions, deviances, log-likelihoods; the link is always the logarithm.

Var(y) = φ·V(μ)/w with V(μ) = μ^p (p = 1 Poisson, 2 gamma, 1 < p < 2 Tweedie), or μ + αμ² for the negative binomial.
The negative binomial is the one whose counts add up: a row of exposure w has mean wμ and size w/α, so that two rows of
equal rate are together the row of their joint exposure. With all exposures 1 it is the usual NB2; "nb2" is fitted so,
exposure being an offset, with α by likelihood (`ratemod.ratemaking.nb2`).

Source: McCullagh & Nelder, 2nd ed., ch. 2; Jørgensen, *The Theory of Dispersion Models*, 1997, ch. 4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Floats
from ratemod.ratemaking.row_sums import RowSums
from ratemod.rules.options import strict
from ratemod.rules.within import Amount, Finite

ESTIMATED = ("gamma", "tweedie", "nb2")  # their likelihood has one more parameter, at its best


@dataclass(frozen=True, slots=True)
class Family:
    """A response family.

    Attributes
    ----------
    name : "poisson", "overdispersed poisson", "negative binomial", "nb2", "gamma" or "tweedie"
    power : variance power p
    alpha : coefficient of μ² in a negative binomial, else 0
    fixed_dispersion : True where φ = 1 by assumption, False where Pearson's estimate of φ is used
    """

    name: str
    power: float
    alpha: float = 0.0
    fixed_dispersion: bool = False

    def variance(self, mean: Floats) -> Floats:
        """Return V(μ)."""
        return mean**self.power + self.alpha * mean * mean

    def deviance(self, response: Floats, mean: Floats, weight: Floats) -> float:
        """Return Σ w·d(y, μ) of cells or rows as they are given."""
        y, m, p = response, mean, self.power
        log_ratio = np.log(np.where(y != 0, np.abs(y), m) / m)  # of a net recovery up to a constant
        if self.alpha > 0:
            unit = y * log_ratio - (y + 1 / self.alpha) * np.log((1 + self.alpha * y) / (1 + self.alpha * m))
        elif p == 1:
            unit = y * log_ratio - (y - m)
        elif p == 2:
            unit = (y - m) / m - log_ratio
        else:
            unit = (
                np.maximum(y, 0.0) ** (2 - p) / ((1 - p) * (2 - p))
                - y * m ** (1 - p) / (1 - p)
                + m ** (2 - p) / (2 - p)
            )
        return float(2 * (weight @ unit))

    def row_deviance(self, mean: Floats, weight: Floats, total: Floats, beside: RowSums) -> float:
        """Return the deviance of the rows behind cells.

        Parameters
        ----------
        mean, weight, total : (c,) float64, μ, Σw and Σwy of each cell
        beside : RowSums of the rows

        Returns
        -------
        float; NaN for a negative binomial whose different rows were not kept, or a Tweedie of another power
        """
        p = self.power
        if self.alpha > 0:
            if beside.distinct is None:
                return float("nan")
            w, t, count = beside.distinct.T
            y_part = (t + w / self.alpha) * np.log1p(self.alpha * t / w)
            cells = (total + weight / self.alpha) * np.log1p(self.alpha * mean) - total * np.log(mean)
            return float(2 * (beside.total_log_response - count @ y_part + cells.sum()))
        if p == 1:
            return float(2 * (beside.total_log_response - (total * np.log(mean) + total - weight * mean).sum()))
        if p == 2:
            cells = (total - weight * mean) / mean + weight * np.log(mean)
            return float(2 * (cells.sum() - beside.weight_log_response))
        if beside.power != p:
            return float("nan")
        cells = weight * mean ** (2 - p) / (2 - p) - total * mean ** (1 - p) / (1 - p)
        return float(2 * (beside.response_power / ((1 - p) * (2 - p)) + cells.sum()))

    def log_likelihood(self, mean: Floats, weight: Floats, total: Floats, beside: RowSums) -> float:
        """Return the log-likelihood of the rows behind cells, NaN where the family has none in closed form.

        Counts are w·y for the Poisson and the negative binomial. For the gamma φ is deviance/Σw, and w counts claims,
        as R reckons.
        """
        from scipy.special import gammaln

        if self.name == "poisson":
            cells = total * np.log(mean) - weight * mean
            return float(cells.sum() + beside.total_log_weight - beside.log_factorial)
        if self.alpha > 0 and beside.distinct is not None:
            w, t, count = beside.distinct.T
            rows = gammaln(t + w / self.alpha) - gammaln(w / self.alpha) - gammaln(t + 1)
            over = self.alpha * mean
            cells = total * np.log(over / (1 + over)) - weight / self.alpha * np.log1p(over)
            return float(count @ rows + cells.sum())
        if self.name == "gamma":
            phi = self.row_deviance(mean, weight, total, beside) / float(weight.sum())
            if not phi > 1e-14:  # rows that a model meets exactly: their density has no bound
                return float("inf")
            constant = float(weight.sum()) * (-np.log(phi) / phi - gammaln(1 / phi))
            cells = -(weight * np.log(mean) + total / mean) / phi
            response = beside.weight_log_response
            return float(constant + cells.sum() + response / phi - response - beside.weight_offset)
        return float("nan")

    def aic(self, log_likelihood: float, parameters: float) -> float:
        """Return Akaike's criterion of the rows; φ of gamma and Tweedie and α of NB2 cost one more parameter."""
        return -2 * log_likelihood + 2 * (parameters + (self.name in ESTIMATED))

    def bic(self, log_likelihood: float, parameters: float, rows: int) -> float:
        """Return Schwarz's criterion of the rows, parameters counted as in `aic`."""
        return -2 * log_likelihood + float(np.log(rows)) * (parameters + (self.name in ESTIMATED))


def poisson(*, overdispersed: bool = False) -> Family:
    """Return the Poisson family; overdispersed: φ by Pearson's statistic (quasi-Poisson)."""
    return Family("overdispersed poisson" if overdispersed else "poisson", 1.0, 0.0, not overdispersed)


@strict
def negative_binomial(alpha: Amount) -> Family:
    """Return the negative binomial with variance μ + αμ² at unit exposure.

    Raises
    ------
    ModelError
        RM502 when alpha is not positive.
    """
    if not alpha > 0:
        raise ModelError(problem("RM502", name="alpha", wrong=1, first=0))
    return Family("negative binomial", 1.0, float(alpha), True)


@strict
def nb2(alpha: Amount) -> Family:
    """Return the NB2, variance m + αm² of a row of mean m, whose α was found by likelihood."""
    return replace(negative_binomial(alpha), name="nb2")


def gamma() -> Family:
    """Return the gamma family (constant coefficient of variation)."""
    return Family("gamma", 2.0)


@strict
def tweedie(power: Finite) -> Family:
    """Return the Tweedie family of a compound Poisson–gamma.

    Raises
    ------
    ModelError
        RM534 when the power is not strictly between 1 and 2.
    """
    if not 1 < power < 2:
        raise ModelError(problem("RM534", power=power))
    return Family("tweedie", float(power))
