"""Standard errors that know that rows belong together: a firm's years share whatever the model does not see of it.

Sandwich: V = B (Σ_g s_g s_gᵀ) B · c, with B = (XᵀWX)⁻¹,
s_g = Σ_{i in g} x_i w_i (y_i − μ_i) μ_i/V(μ_i) the score of one cluster, and
c = G/(G−1) · (n−1)/(n−p) the usual small-sample factor.
Source: Liang & Zeger, Biometrika 73 (1986); Cameron & Miller, J. Human Resources 50 (2015).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Floats, Integers, finite, non_negative, same_length
from ratemod.ratemaking.glm import Fit

BLOCK = 65_536


def cluster_covariance(fit: Fit, codes: Sequence[Integers], weight: npt.ArrayLike, total: npt.ArrayLike,
                       cluster: npt.ArrayLike) -> Floats:
    """Return the cluster-robust covariance of a fit's coefficients.

    Parameters
    ----------
    fit : Fit on the cells of these rows
    codes : one (n,) int64 a factor of the fit's design
    weight, total : (n,) float64, as they went into the cells
    cluster : (n,) int64 >= 0, which rows belong together

    Returns
    -------
    (p, p) float64

    Raises
    ------
    ModelError
        RM500, RM501, RM503; RM563 for fewer than two clusters.

    Examples
    --------
    >>> from ratemod.ratemaking.cells import Factor, collapse
    >>> from ratemod.ratemaking.family import poisson
    >>> from ratemod.ratemaking.glm import fit_glm
    >>> size, w, t = np.array([0, 1, 1, 0]), np.ones(4), np.array([1.0, 2, 4, 3])
    >>> fit = fit_glm(collapse([Factor("size", ("small", "large"))], [size], w, t), ["size"], poisson())
    >>> cluster_covariance(fit, [size], w, t, np.arange(4)).shape
    (2, 2)
    """
    w, t, group = non_negative("weight", weight), finite("total", total), np.asarray(cluster, dtype=np.int64)
    same_length(weight=w, total=t, cluster=group)
    used = w > 0
    names, place = np.unique(group[used], return_inverse=True)
    if len(names) < 2:
        raise ModelError(problem("RM563", clusters=len(names)))
    table = np.stack([np.asarray(code, dtype=np.int64)[used] for code in codes], axis=1)
    w, t, p = w[used], t[used], len(fit.coefficient)
    bread = np.zeros((p, p))
    scores = np.zeros((len(names), p))
    for start in range(0, len(w), BLOCK):
        part = slice(start, start + BLOCK)
        matrix = fit.design.matrix(table[part])
        mean = np.exp(matrix @ fit.coefficient)
        slope = mean / fit.family.variance(mean)
        bread += matrix.T @ (matrix * (w[part] * mean * slope)[:, None])
        pulled = (t[part] - w[part] * mean) * slope
        for j in range(p):
            scores[:, j] += np.bincount(place[part], matrix[:, j] * pulled, minlength=len(names))
    inverse = np.linalg.inv(bread)
    n, g = len(w), len(names)
    made: Floats = inverse @ (scores.T @ scores) @ inverse * (g / (g - 1)) * ((n - 1) / max(n - p, 1))
    return made
