"""The likelihood of a Tweedie of power 1 < p < 2, a Poisson number of gamma amounts, and with it φ and p.

A row of weight w and response y = t/w > 0 has, with φ_i = φ/w and α = (2 − p)/(p − 1),
    log f = −log y + log Σ_k exp(k·log z − log k! − log Γ(kα)) + (y·μ^(1−p)/(1 − p) − μ^(2−p)/(2 − p))/φ_i,
    log z = α·log y − α·log(p − 1) − (1 + α)·log φ_i − log(2 − p),
and for y = 0 the last part alone. The terms of the sum rise to about k = y^(2−p)/(φ_i(2 − p)) and fall after it; ten
standard deviations about it are added. φ is that of the largest likelihood, the mean μ held: it does not depend on φ.
(`scipy.special.log_wright_bessel` is the same sum; it was found off by 10⁻⁵ of itself for p near 1.)

Source: Dunn & Smyth, Statistics and Computing 15 (2005), 267–280.
"""

from __future__ import annotations

import numpy as np

from ratemod.ratemaking.arrays import Floats

DEVIATIONS, MARGIN = 10.0, 12.0
MOST_TERMS = 1e7  # of one sum; a dispersion of rounding errors alone asks for far more
BLOCK = 2_000_000  # terms at once


def most_terms(rows: Floats, dispersion: float, power: float) -> float:
    """Return how many terms the longest of the sums is of about; `rows` as those of `likeliest`."""
    weight, total = rows[:, 0], rows[:, 1]
    with np.errstate(divide="ignore"):
        top = (total / weight) ** (2 - power) * weight / (dispersion * (2 - power))
    return float(np.max(DEVIATIONS * np.sqrt(top)))


def log_sums(weight: Floats, total: Floats, dispersion: float, power: float) -> Floats:
    """Return −log y + log Σ of rows with a total, (n,) float64.

    Examples
    --------
    >>> log_sums(np.array([1.0]), np.array([1500.0]), 125.0, 1.5).round(6).tolist()
    [-8.084112]
    """
    from scipy.special import gammaln

    y, each = total / weight, dispersion / weight
    alpha = (2 - power) / (power - 1)
    log_z = alpha * (np.log(y) - np.log(power - 1)) - (1 + alpha) * np.log(each) - np.log(2 - power)
    top = y ** (2 - power) / (each * (2 - power))
    half = np.ceil(DEVIATIONS * np.sqrt(top / (1 + alpha)) + MARGIN)
    low = np.maximum(1.0, np.floor(top - half))
    terms = (top + half - low + 2).astype(np.int64)
    found = np.empty(len(y))
    order = np.argsort(terms, kind="stable")
    start = 0
    while start < len(order):
        wide = int(terms[order[start]]) * 2  # rows of up to twice the terms go together
        stop = int(np.searchsorted(terms[order], wide, side="right"))
        stop = min(stop, start + max(1, BLOCK // wide))
        at = order[start:stop]
        k = low[at][:, None] + np.arange(int(terms[at].max()))
        part = k * log_z[at][:, None] - gammaln(k + 1) - gammaln(k * alpha)
        most = part.max(axis=1)
        found[at] = most + np.log(np.exp(part - most[:, None]).sum(axis=1))
        start = stop
    return found - np.log(y)


def likeliest(rows: Floats, tilt: float, start: float, power: float) -> tuple[float, float]:
    """Return the largest log-likelihood and the φ that gives it.

    Parameters
    ----------
    rows : (u, 3) float64, the different (w, t) with t > 0 and how many rows have each
    tilt : Σ over all rows of w·(y·μ^(1−p)/(1 − p) − μ^(2−p)/(2 − p)); start : φ near which to look
    """
    from scipy.optimize import minimize_scalar

    w, t, count = rows.T

    def less(log_dispersion: float) -> float:
        phi = float(np.exp(log_dispersion))
        return -float(count @ log_sums(w, t, phi, power)) - tilt / phi

    middle = float(np.log(start))
    found = minimize_scalar(less, bracket=(middle - 0.5, middle + 0.5), method="brent", options={"xtol": 1e-6})
    return -float(found.fun), float(np.exp(found.x))
