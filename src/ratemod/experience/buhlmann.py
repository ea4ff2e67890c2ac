"""Bühlmann and Bühlmann–Straub credibility: how far a firm's own record may be believed.

X_it with weight w_it has mean θ_i given the firm, variance σ²/w_it, and θ_i varies between firms with variance a:
    premium_i = z_i·X̄_i + (1 − z_i)·m,     z_i = w_i/(w_i + σ²/a),     m = Σ z_i X̄_i / Σ z_i.
σ² is estimated within firms, a between them: unbiased, or by the iterative pseudo-estimator (Bichsel–Straub). A
negative a means that the data show no difference between firms: it is set to 0, every z is 0, and the result says so.

Source: Bühlmann & Gisler, *A Course in Credibility Theory*, 2005, ch. 4; R actuar, `cm`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem

Floats = npt.NDArray[np.float64]
Estimator = Literal["unbiased", "iterative"]
NO_DIFFERENCE = "between_variance_not_positive"


@dataclass(frozen=True, eq=False, slots=True)
class Credibility:
    """Credibility of n firms.

    Attributes
    ----------
    collective : float, m; within : float, σ²; between : float, a; k : float, σ²/a (inf where a is 0)
    weight, mean : (n,) float64, Σw and X̄ of each firm (NaN where it has no weight)
    z, premium : (n,) float64; a firm without weight has z 0 and the collective premium
    warnings : codes, such as ``between_variance_not_positive``
    """

    collective: float
    within: float
    between: float
    k: float
    weight: Floats
    mean: Floats
    z: Floats
    premium: Floats
    warnings: tuple[str, ...]


def buhlmann_straub(values: npt.ArrayLike, weights: npt.ArrayLike, *, estimator: Estimator = "unbiased") -> Credibility:
    """Return Bühlmann–Straub credibilities.

    Parameters
    ----------
    values : (n, t) float64, observed ratios (claims per head, actual/expected); NaN where a period is missing
    weights : (n, t) float64 >= 0, their volumes; a weight of 0 is a missing period
    estimator : "unbiased" or "iterative"

    Returns
    -------
    Credibility

    Raises
    ------
    ModelError
        RM640 shapes that differ, RM641 negative or infinite weights, RM642 too few firms or periods to estimate.

    Examples
    --------
    >>> found = buhlmann_straub([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    >>> found.z.round(4).tolist()
    [0.9259, 0.9259]
    """
    x, w = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    if x.shape != w.shape or x.ndim != 2:
        raise ModelError(problem("RM640", values=str(x.shape), weights=str(w.shape)))
    if not (np.isfinite(w) & (w >= 0)).all():
        raise ModelError(problem("RM641"))
    seen = ~np.isnan(x) & (w > 0)
    x, w = np.where(seen, x, 0.0), np.where(seen, w, 0.0)
    weight = w.sum(axis=1)
    has = weight > 0
    mean = np.divide((w * x).sum(axis=1), weight, out=np.full(len(weight), np.nan), where=has)
    freedom = int((seen.sum(axis=1)[has] - 1).sum())
    if has.sum() < 2 or freedom < 1:
        raise ModelError(problem("RM642", firms=int(has.sum()), freedom=freedom))
    within = float((w * np.where(seen, x - np.where(has, mean, 0.0)[:, None], 0.0) ** 2).sum() / freedom)
    between = _unbiased(mean[has], weight[has], within)
    if estimator == "iterative" and between > 0:
        between = _iterative(mean[has], weight[has], within, between)
    warnings = () if between > 0 else (NO_DIFFERENCE,)
    k = within / between if between > 0 else float("inf")
    z = weight / (weight + k) if between > 0 else np.zeros(len(weight))
    share = z[has] if between > 0 and z.sum() > 0 else weight[has]
    collective = float(share @ mean[has] / share.sum())
    premium = np.where(has, z * np.where(has, mean, 0.0) + (1 - z) * collective, collective)
    return Credibility(collective, within, between, k, weight, mean, z, premium, warnings)


def _unbiased(mean: Floats, weight: Floats, within: float) -> float:
    total = weight.sum()
    overall = weight @ mean / total
    spread = float(weight @ (mean - overall) ** 2)
    return max(0.0, float(total / (total**2 - weight @ weight) * (spread - (len(mean) - 1) * within)))


def _iterative(mean: Floats, weight: Floats, within: float, start: float) -> float:
    """Return a = Σ z_i (X̄_i − m)²/(n − 1), solved by iteration from the unbiased value."""
    a = start
    for _ in range(1000):
        z = weight / (weight + within / a)
        overall = z @ mean / z.sum()
        new = float(z @ (mean - overall) ** 2 / (len(mean) - 1))
        if abs(new - a) <= 1e-14 * max(a, 1e-300):
            return new
        if new <= 0:
            return 0.0
        a = new
    return a
