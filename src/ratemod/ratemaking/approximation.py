"""Approximations of total losses by their first moments: normal, normal power, translated gamma, lognormal.

With mean m, standard deviation s, skewness g, z = Φ⁻¹(p):
    normal m + s·z;   normal power m + s·(z + g·(z² − 1)/6), for losses above the mean;
    translated gamma m − 2s/g + Gamma(4/g², s·g/2);   lognormal by m and s.

Source: Daykin, Pentikäinen & Pesonen, *Practical Risk Theory for Actuaries* (1994), section 4.2; Klugman, Panjer &
Willmot, *Loss Models*, 5th ed., section 9.3.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Floats, finite, fractions, non_negative
from ratemod.rules.options import strict
from ratemod.rules.within import Factor, Finite

Approximation = Literal["normal", "normal_power", "translated_gamma", "lognormal"]


@strict
def approximate_survival(
    x: npt.ArrayLike, mean: Finite, variance: Factor, skewness: Finite = 0.0, *, method: Approximation = "normal"
) -> Floats:
    """Return P(S > x) of total losses S by an approximation.

    Parameters
    ----------
    x : amounts, unit of the losses
    mean, variance, skewness : of the total; skewness counts in "normal_power" and "translated_gamma"
    method : "normal", "normal_power", "translated_gamma" or "lognormal"

    Returns
    -------
    float64, shape of x

    Raises
    ------
    ModelError
        RM703 a method that needs a positive skewness or mean without one; normal power below the mean, where it fails.

    Examples
    --------
    >>> approximate_survival([3500.0], 2800.0, 600467.0).round(4).tolist()
    [0.1832]
    """
    from scipy.special import gammaincc, ndtr

    at, s = finite("x", x), float(variance) ** 0.5
    _check(method, float(mean), float(skewness), bool((at < mean).any()))
    if method == "normal":
        return np.asarray(ndtr((mean - at) / s))
    if method == "normal_power":
        y = (at - mean) / s
        root = np.sqrt(9 / skewness**2 + 1 + 6 * y / skewness) - 3 / skewness if skewness else y
        return np.asarray(ndtr(-root))
    if method == "translated_gamma":
        over = np.maximum(at - (mean - 2 * s / skewness), 0.0)
        return np.asarray(gammaincc(4 / skewness**2, over / (s * skewness / 2)))
    sigma2 = np.log1p(variance / mean**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (np.log(np.maximum(at, 0.0)) - np.log(mean) + sigma2 / 2) / sigma2**0.5
    return np.asarray(ndtr(-z))


@strict
def approximate_quantile(
    level: npt.ArrayLike, mean: Finite, variance: Factor, skewness: Finite = 0.0, *, method: Approximation = "normal"
) -> Floats:
    """Return the amount that total losses stay below with probability `level`, by an approximation.

    Parameters, methods and refusals as in `approximate_survival`; normal power from the median on.

    Examples
    --------
    >>> approximate_quantile([0.95], 10.0, 25.0, 1.0, method="normal_power").round(3).tolist()
    [19.646]
    """
    from scipy.special import gammaincinv, ndtri

    p, s = fractions("level", level), float(variance) ** 0.5
    z = ndtri(p)
    _check(method, float(mean), float(skewness), bool((p < 0.5).any()))
    if method == "normal":
        return np.asarray(mean + s * z)
    if method == "normal_power":
        return np.asarray(mean + s * (z + skewness * (z**2 - 1) / 6))
    if method == "translated_gamma":
        return np.asarray(mean - 2 * s / skewness + s * skewness / 2 * gammaincinv(4 / skewness**2, p))
    sigma2 = np.log1p(variance / mean**2)
    return np.asarray(np.exp(np.log(mean) - sigma2 / 2 + sigma2**0.5 * z))


@strict
def compound_skewness(count: tuple[float, float, float], size: tuple[float, float, float]) -> float:
    """Return the skewness of a total from mean, variance and third central moment of the count and of one size.

    κ3(S) = E N·κ3(X) + 3·Var N·E X·Var X + κ3(N)·(E X)³, over Var(S)^1.5 with Var S = E N·Var X + Var N·(E X)².

    Examples
    --------
    >>> round(compound_skewness((4.0, 4.0, 4.0), (1.0, 0.0, 0.0)), 6)
    0.5
    """
    (n, n2, n3), (x, x2, x3) = (finite(name, part) for name, part in (("count", count), ("size", size)))
    variance = non_negative("variance", [n * x2 + n2 * x**2])[0]
    if not variance > 0:
        raise ModelError(problem("RM703", method="skewness", mean=float(n * x), skewness=0.0))
    return float((n * x3 + 3 * n2 * x * x2 + n3 * x**3) / variance**1.5)


def _check(method: str, mean: float, skewness: float, low: bool) -> None:
    """Refuse moments that a method has no distribution of."""
    bad = {
        "translated_gamma": skewness <= 0,
        "lognormal": mean <= 0,
        "normal_power": skewness < 0 or low,
    }
    if bad.get(method, False):
        raise ModelError(problem("RM703", method=method, mean=mean, skewness=skewness))
