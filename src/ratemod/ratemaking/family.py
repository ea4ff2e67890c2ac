"""Response families of the models: variance functions, deviances, log-likelihoods; the link is always the logarithm.

Var(y) = φ·V(μ)/w with V(μ) = μ^p (p = 1 Poisson, 2 gamma, 1 < p < 2 Tweedie), or μ + αμ² for the negative binomial.
The negative binomial is the one whose counts add up: a row of exposure w has mean wμ and size w/α, so that two rows of
equal rate are together the row of their joint exposure. With all exposures 1 it is the usual NB2.

Source: McCullagh & Nelder, 2nd ed., ch. 2; Jørgensen, *The Theory of Dispersion Models*, 1997, ch. 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Floats


@dataclass(frozen=True, slots=True)
class Family:
    """A response family.

    Attributes
    ----------
    name : "poisson", "overdispersed poisson", "negative binomial", "gamma" or "tweedie"
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
        """Return Σ w·d(y, μ)."""
        y, m, p = response, mean, self.power
        log_ratio = np.log(np.where(y > 0, y, m) / m)
        if self.alpha > 0:
            unit = y * log_ratio - (y + 1 / self.alpha) * np.log((1 + self.alpha * y) / (1 + self.alpha * m))
        elif p == 1:
            unit = y * log_ratio - (y - m)
        elif p == 2:
            unit = (y - m) / m - log_ratio
        else:
            unit = y ** (2 - p) / ((1 - p) * (2 - p)) - y * m ** (1 - p) / (1 - p) + m ** (2 - p) / (2 - p)
        return float(2 * (weight @ unit))

    def aic(self, response: Floats, mean: Floats, weight: Floats, parameters: int) -> float:
        """Return Akaike's criterion of the cells, NaN where the family has no likelihood in closed form.

        Counts are w·y for the Poisson and the negative binomial. For the gamma φ is deviance/Σw, which costs one more
        parameter, and w counts claims, as R reckons.
        """
        from scipy.special import gammaln

        count, expected = weight * response, weight * mean
        if self.name == "poisson":
            log_like = count * np.log(expected) - expected - gammaln(count + 1)
        elif self.name == "negative binomial":
            size, q = weight / self.alpha, 1 / (1 + self.alpha * mean)
            log_like = (
                gammaln(count + size) - gammaln(size) - gammaln(count + 1) + size * np.log(q) + count * np.log1p(-q)
            )
        elif self.name == "gamma":
            phi = self.deviance(response, mean, weight) / weight.sum()
            density = (
                np.log(response / (mean * phi)) / phi - np.log(response) - response / (mean * phi) - gammaln(1 / phi)
            )
            log_like, parameters = weight * density, parameters + 1
        else:
            return float("nan")
        return float(-2 * log_like.sum() + 2 * parameters)


def poisson(*, overdispersed: bool = False) -> Family:
    """Return the Poisson family; overdispersed: φ by Pearson's statistic (quasi-Poisson)."""
    return Family("overdispersed poisson" if overdispersed else "poisson", 1.0, 0.0, not overdispersed)


def negative_binomial(alpha: float) -> Family:
    """Return the negative binomial with variance μ + αμ² at unit exposure.

    Raises
    ------
    ModelError
        RM502 when alpha is not positive.
    """
    if not alpha > 0:
        raise ModelError(problem("RM502", name="alpha", wrong=1, first=0))
    return Family("negative binomial", 1.0, float(alpha), True)


def gamma() -> Family:
    """Return the gamma family (constant coefficient of variation)."""
    return Family("gamma", 2.0)


def tweedie(power: float) -> Family:
    """Return the Tweedie family of a compound Poisson–gamma.

    Raises
    ------
    ModelError
        RM534 when the power is not strictly between 1 and 2.
    """
    if not 1 < power < 2:
        raise ModelError(problem("RM534", power=power))
    return Family("tweedie", float(power))
