"""Standard errors that know that rows belong together: a firm's years share whatever the model does not see of it.

Sandwich: V = B (Σ_g s_g s_gᵀ) B · c, with B = (XᵀWX)⁻¹,
s_g = Σ_{i in g} x_i w_i (y_i − μ_i) μ_i/V(μ_i) the score of one cluster, and
c = G/(G−1) · (n−1)/(n−p) the usual small-sample factor.

The sandwich of a level that rests on few clusters is far too small (with one cluster its score is zero, whatever the
level). Beside it stands what a model with one random effect for each cluster expects,
    W = B (φ·XᵀWX + σ²·Σ_g m_g m_gᵀ) B,   m_g = Σ_{i in g} x_i h_i,   h_i = w_i μ_i²/V(μ_i),   φ of counts at least 1,
    σ² = max(0, (Σ_g U_g² − φ·Σh) / Σ_g (Σ_{i in g} h_i)²),   U_g the score of the intercept,
whose σ² all clusters estimate together. `honest_covariance` is the larger of the two in every direction: with
W = LLᵀ and L⁻¹VL⁻ᵀ = QΛQᵀ it is LQ·max(Λ, 1)·QᵀLᵀ, whatever the coding of the levels.
Source: Liang & Zeger, Biometrika 73 (1986); Cameron & Miller, J. Human Resources 50 (2015), VI (few clusters).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Floats, Integers, finite, non_negative, same_length
from ratemod.ratemaking.glm import Fit

BLOCK = 65_536


def cluster_covariance(
    fit: Fit, codes: Sequence[Integers], weight: npt.ArrayLike, total: npt.ArrayLike, cluster: npt.ArrayLike
) -> Floats:
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
    bread, scores, _, _, _, rows = _pieces(fit, codes, weight, total, cluster)
    return _sandwich(bread, scores, rows)


def honest_covariance(
    fit: Fit, codes: Sequence[Integers], weight: npt.ArrayLike, total: npt.ArrayLike, cluster: npt.ArrayLike
) -> Floats:
    """Return the larger of the sandwich and of a model with a random effect for each cluster, in every direction.

    Parameters
    ----------
    fit, codes, weight, total, cluster : as for `cluster_covariance`

    Returns
    -------
    (p, p) float64

    Raises
    ------
    ModelError
        As `cluster_covariance` does.

    Examples
    --------
    >>> from ratemod.ratemaking.cells import Factor, collapse
    >>> from ratemod.ratemaking.family import poisson
    >>> from ratemod.ratemaking.glm import fit_glm
    >>> size, w, t = np.array([0, 0, 1, 1]), np.ones(4), np.array([3.0, 3.0, 2.0, 2.0])
    >>> fit = fit_glm(collapse([Factor("size", ("small", "large"))], [size], w, t), ["size"], poisson())
    >>> one_firm_a_level = np.array([0, 0, 1, 1])
    >>> plain = cluster_covariance(fit, [size], w, t, one_firm_a_level)[1, 1]
    >>> honest = honest_covariance(fit, [size], w, t, one_firm_a_level)[1, 1]
    >>> bool(plain < 1e-12), round(float(honest), 3)
    (True, 0.417)
    """
    bread, scores, mass, pull, size, rows = _pieces(fit, codes, weight, total, cluster)
    # Counts vary at least as a Poisson does, however calm they look; no dispersion at all has no root.
    dispersion = max(fit.dispersion, 1.0 if "poisson" in fit.family.name else 1e-12)
    spread = max(0.0, float((pull @ pull - dispersion * size.sum()) / (size @ size)))
    inverse = np.linalg.inv(bread)
    expected = inverse @ (dispersion * bread + spread * (mass.T @ mass)) @ inverse
    root = np.linalg.cholesky((expected + expected.T) / 2)
    back = np.linalg.inv(root)
    found = back @ _sandwich(bread, scores, rows) @ back.T
    value, vector = np.linalg.eigh((found + found.T) / 2)
    made: Floats = (root @ vector * np.maximum(value, 1.0)) @ (root @ vector).T
    return made


def _sandwich(bread: Floats, scores: Floats, rows: int) -> Floats:
    inverse = np.linalg.inv(bread)
    g, p = scores.shape
    made: Floats = inverse @ (scores.T @ scores) @ inverse * (g / (g - 1)) * ((rows - 1) / max(rows - p, 1))
    return made


def _pieces(
    fit: Fit, codes: Sequence[Integers], weight: npt.ArrayLike, total: npt.ArrayLike, cluster: npt.ArrayLike
) -> tuple[Floats, Floats, Floats, Floats, Floats, int]:
    """Return XᵀWX, the clusters' scores and masses (g, p), their score and mass of the intercept (g,), and the rows."""
    w, t, group = non_negative("weight", weight), finite("total", total), np.asarray(cluster, dtype=np.int64)
    same_length(weight=w, total=t, cluster=group)
    used = w > 0
    names, place = np.unique(group[used], return_inverse=True)
    if len(names) < 2:
        raise ModelError(problem("RM563", clusters=len(names)))
    table = np.stack([np.asarray(code, dtype=np.int64)[used] for code in codes], axis=1)
    w, t, p = w[used], t[used], len(fit.coefficient)
    bread = np.zeros((p, p))
    scores, mass = np.zeros((len(names), p)), np.zeros((len(names), p))
    pull, size = np.zeros(len(names)), np.zeros(len(names))
    for start in range(0, len(w), BLOCK):
        part = slice(start, start + BLOCK)
        matrix = fit.design.matrix(table[part])
        mean = np.exp(matrix @ fit.coefficient)
        slope = mean / fit.family.variance(mean)
        held = w[part] * mean * slope
        bread += matrix.T @ (matrix * held[:, None])
        pulled = (t[part] - w[part] * mean) * slope
        here = place[part]
        pull += np.bincount(here, pulled, minlength=len(names))
        size += np.bincount(here, held, minlength=len(names))
        for j in range(p):
            scores[:, j] += np.bincount(here, matrix[:, j] * pulled, minlength=len(names))
            mass[:, j] += np.bincount(here, matrix[:, j] * held, minlength=len(names))
    return bread, scores, mass, pull, size, len(w)
