"""Limited fluctuation ("classical") credibility: how many claims make a record fully credible.

A record is fully credible when, with a chance P, it lies within ±k of what is expected. By the normal approximation
that takes  λ0 = (y/k)²  claims, y the (1 + P)/2 quantile of the standard normal, times the dispersion of what is
measured:

    frequency       λ0 · Var N / E N                (1 for Poisson claims)
    severity        λ0 · CV²
    pure premium    λ0 · (Var N / E N + CV²)

With n claims, n < n_full, the partial credibility is Z = √(n / n_full).

Source: Longley-Cook, "An introduction to credibility theory", 1962; *Loss Data Analytics* (open text), ch. 9.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ratemod.experience.panel import Floats, numbers
from ratemod.rules.options import strict
from ratemod.rules.within import Amount, Chance, Factor


@strict
def base_standard(probability: Chance = 0.95, within: Factor = 0.05, *, quantile: Factor | None = None) -> float:
    """Return λ0 = (y/k)², claims for full credibility of a Poisson frequency.

    Parameters
    ----------
    probability : P, chance of lying within ±`within`
    within : k, relative distance
    quantile : y, where a rule prints a rounded one (1.645, 1.96); else it is computed from P

    Examples
    --------
    >>> round(base_standard(0.90, 0.05), 2), round(base_standard(0.95, 0.05, quantile=1.96), 2)
    (1082.22, 1536.64)
    """
    if quantile is None:
        from scipy.special import ndtri

        quantile = float(ndtri((1 + probability) / 2))
    return (quantile / within) ** 2


@strict
def standard_frequency(base: Factor, variance_to_mean: Amount = 1.0) -> float:
    """Return claims for full credibility of the frequency; `variance_to_mean` of the counts, 1 for Poisson.

    Examples
    --------
    >>> round(standard_frequency(1536.64, 2.0), 2)
    3073.28
    """
    return base * variance_to_mean


@strict
def standard_severity(base: Factor, variation: Amount) -> float:
    """Return claims for full credibility of the severity; `variation` is its coefficient of variation.

    Examples
    --------
    >>> round(standard_severity(1536.64, 3**0.5), 2)
    4609.92
    """
    return base * float(numbers("variation", variation, low=0)) ** 2


@strict
def standard_pure_premium(base: Factor, variation: Amount, variance_to_mean: Amount = 1.0) -> float:
    """Return claims for full credibility of the pure premium (losses per exposure).

    Examples
    --------
    >>> round(standard_pure_premium(1536.64, 3**0.5), 2)
    6146.56
    """
    return standard_frequency(base, variance_to_mean) + standard_severity(base, variation)


@strict
def partial_credibility(claims: npt.ArrayLike, full: Factor) -> Floats:
    """Return Z = min(1, √(claims / full)).

    Parameters
    ----------
    claims : (n,) float64, claims (or exposures, premium, where `full` is in that unit), at least 0
    full : what makes it fully credible, positive

    Returns
    -------
    (n,) float64, 0..1

    Raises
    ------
    ModelError
        RM641, RM642.

    Examples
    --------
    >>> partial_credibility([0, 1000, 9000], 6147).round(2).tolist()
    [0.0, 0.4, 1.0]
    """
    return np.minimum(np.sqrt(numbers("claims", claims, low=0) / full), 1.0)
