"""Does the model hold? Actual against expected, lift, Lorenz and Gini, quantile residuals, and a later year.

Gini: order by prediction, plot the share of losses against the share of exposure, G = 1 − 2·area. Predictions alike in
eleven digits are one step of every curve: neither the order of the rows nor the last bit of a rate decides a rank. Its
standard error is a delete-a-group jackknife, se² = (g−1)/g·Σ(G_(−j) − Ḡ)².
Quantile residual: Φ⁻¹ of the distribution function at the response, drawn evenly within the jump where it is a count;
standard normal whatever the family, if the model is right.

Source: Frees, Meyers & Cummings, JASA 106 (2011); Dunn & Smyth, JCGS 5 (1996); CAS Monograph 5, ch. 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.document.result import Result
from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Floats, non_negative, positive, same_length, sums
from ratemod.ratemaking.cells import Cells
from ratemod.ratemaking.design import Term
from ratemod.ratemaking.family import Family
from ratemod.ratemaking.glm import Fit, fit_glm, predict
from ratemod.rules.options import strict
from ratemod.rules.within import Chance, Count, Factor, Whole

RANK_DIGITS = 11


@dataclass(frozen=True, slots=True)
class ActualExpected:
    """One level: exposure, actual and expected total, their ratio and its standard error under the model."""

    level: str
    weight: float
    actual: float
    expected: float
    ratio: float
    standard_error: float


@dataclass(frozen=True, slots=True, repr=False)
class Lift(Result):
    """Bands of equal exposure in order of prediction: (bands,) exposure, mean prediction, mean actual."""

    weight: Floats
    predicted: Floats
    actual: Floats


@dataclass(frozen=True, slots=True)
class Gini:
    """Gini of the ordered Lorenz curve with its jackknife standard error and normal interval."""

    value: float
    standard_error: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class OutOfTime:
    """A fit on earlier cells judged on later ones.

    Attributes
    ----------
    fit : Fit on the earlier cells
    actual_expected : float, total ratio; deviance, null_deviance : float, of the later cells, null = one common mean
        of the earlier ones; gini : float
    """

    fit: Fit
    actual_expected: float
    deviance: float
    null_deviance: float
    gini: float


def actual_expected(cells: Cells, fit: Fit, factor: str) -> tuple[ActualExpected, ...]:
    """Return actual against expected by level of a factor, in the model or not.

    Parameters
    ----------
    cells : Cells on the factors of the fit (other years may be judged); fit : Fit; factor : name

    Returns
    -------
    one row for each level that has exposure

    Examples
    --------
    >>> from ratemod.ratemaking.cells import Factor, collapse
    >>> from ratemod.ratemaking.family import poisson
    >>> cells = collapse([Factor("size", ("small", "large"))], [[0, 1, 1]], [10.0, 10.0, 10.0], [1.0, 2.0, 4.0])
    >>> [round(row.ratio, 4) for row in actual_expected(cells, fit_glm(cells, [], poisson()), "size")]
    [0.4286, 1.2857]
    """
    at = cells.position(factor)
    mean, _ = predict(fit, cells.codes)
    size = len(cells.factors[at].levels)
    code = cells.codes[:, at]
    columns = (cells.weight, cells.total, cells.weight * mean, cells.weight * fit.family.variance(mean))
    weight, actual, expected, spread = (sums(code, column, size) for column in columns)
    error = np.sqrt(fit.dispersion * spread)
    return tuple(
        ActualExpected(
            level,
            float(weight[i]),
            float(actual[i]),
            float(expected[i]),
            float(actual[i] / expected[i]),
            float(error[i] / expected[i]),
        )
        for i, level in enumerate(cells.factors[at].levels)
        if weight[i] > 0
    )


def cell_residuals(cells: Cells, fit: Fit) -> Floats:
    """Return standardised Pearson residuals of the cells, (ȳ − μ)/√(φ·V(μ)/w), (c,) float64."""
    mean, _ = predict(fit, cells.codes)
    return (cells.total / cells.weight - mean) / np.sqrt(fit.dispersion * fit.family.variance(mean) / cells.weight)


@strict
def lift(predicted: npt.ArrayLike, actual: npt.ArrayLike, weight: npt.ArrayLike, bands: Count = 10) -> Lift:
    """Return a lift chart: rows in order of prediction, cut into bands of equal exposure.

    Parameters
    ----------
    predicted : (n,) float64, per unit of weight; actual : (n,) float64, totals; weight : (n,) float64 > 0
    bands : number of bands; what lies across an edge is divided in proportion

    Examples
    --------
    >>> lift([1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 5.0, 3.0], [1.0, 1.0, 1.0, 1.0], 2).actual.tolist()
    [1.0, 4.0]
    """
    p, a, w = _rows(predicted, actual, weight)
    if len(p) < bands:
        raise ModelError(problem("RM560", bands=bands))
    names, place = np.unique(p, return_inverse=True)
    exposure = np.concatenate([[0.0], np.cumsum(sums(place, w, len(names)))])
    edges = np.linspace(0.0, exposure[-1], bands + 1)
    width = np.diff(edges)
    predicted_mean, actual_mean = (
        np.diff(np.interp(edges, exposure, np.concatenate([[0.0], np.cumsum(sums(place, part, len(names)))]))) / width
        for part in (p * w, a)
    )
    return Lift(weight=width, predicted=predicted_mean, actual=actual_mean)


def lorenz(predicted: npt.ArrayLike, actual: npt.ArrayLike, weight: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return cumulative shares of exposure and of losses in order of prediction, both from 0 to 1.

    Examples
    --------
    >>> [part.tolist() for part in lorenz([1.0, 2.0], [1.0, 3.0], [1.0, 1.0])]
    [[0.0, 0.5, 1.0], [0.0, 0.25, 1.0]]
    """
    p, a, w = _rows(predicted, actual, weight)
    names, place = np.unique(p, return_inverse=True)
    return _curve(sums(place, w, len(names)), sums(place, a, len(names)))


@strict
def gini(
    predicted: npt.ArrayLike,
    actual: npt.ArrayLike,
    weight: npt.ArrayLike,
    *,
    seed: Whole,
    groups: Count = 50,
    level: Chance = 0.95,
) -> Gini:
    """Return the Gini index of a prediction with its uncertainty.

    Parameters
    ----------
    predicted, actual, weight : (n,) float64, as in `lift`
    seed : of the random division of the rows into jackknife groups; groups : how many; level : of the interval

    Examples
    --------
    >>> gini([1.0, 1.0, 2.0, 2.0], [0.0, 0.0, 1.0, 1.0], [1.0] * 4, seed=1, groups=2).value
    0.5
    """
    from scipy.special import ndtri

    p, a, w = _rows(predicted, actual, weight)
    if len(p) < 2 * groups:
        raise ModelError(problem("RM560", bands=groups))
    names, place = np.unique(p, return_inverse=True)
    part = np.random.default_rng(seed).permutation(len(p)) % groups
    whole_w, whole_a = (sums(place, column, len(names)) for column in (w, a))
    value = _area(*_curve(whole_w, whole_a))
    without = np.empty(groups)
    for g in range(groups):
        hit = part == g
        less_w, less_a = (sums(place[hit], column[hit], len(names)) for column in (w, a))
        without[g] = _area(*_curve(whole_w - less_w, whole_a - less_a))
    error = float(np.sqrt((groups - 1) / groups * np.sum((without - without.mean()) ** 2)))
    half = float(ndtri((1 + level) / 2)) * error
    return Gini(value=value, standard_error=error, low=value - half, high=value + half)


@strict
def quantile_residuals(
    total: npt.ArrayLike,
    mean: npt.ArrayLike,
    weight: npt.ArrayLike,
    family: Family,
    *,
    dispersion: Factor = 1.0,
    seed: Whole,
) -> Floats:
    """Return randomised quantile residuals of rows or cells.

    Parameters
    ----------
    total : (n,) float64, counts, or amounts for the gamma; mean : (n,) float64, fitted, per unit of weight
    weight : (n,) float64 > 0; family : Poisson, negative binomial or gamma; dispersion : φ of the gamma
    seed : of the draws within jumps

    Returns
    -------
    (n,) float64, standard normal under the model

    Raises
    ------
    ModelError
        RM561 for a family without a distribution of its own.

    Examples
    --------
    >>> from ratemod.ratemaking.family import gamma
    >>> quantile_residuals([0.6931471805599453], [1.0], [1.0], gamma(), seed=1).round(9).tolist() == [0.0]
    True
    """
    from scipy.special import betainc, gammainc, ndtri, pdtr

    t, m, w = non_negative("total", total), positive("mean", mean), positive("weight", weight)
    same_length(total=t, mean=m, weight=w)
    if family.name == "gamma":
        return np.asarray(ndtri(gammainc(w / dispersion, t / (m * dispersion))))
    if family.name == "poisson":
        below, upto = np.where(t > 0, pdtr(np.maximum(t - 1, 0), w * m), 0.0), np.asarray(pdtr(t, w * m))
    elif family.name == "negative binomial":
        size, p = w / family.alpha, 1 / (1 + family.alpha * m)
        below = np.where(t > 0, betainc(size, np.maximum(t, 1), p), 0.0)
        upto = betainc(size, t + 1, p)
    else:
        raise ModelError(problem("RM561", name=family.name))
    draw = np.random.default_rng(seed).uniform(size=len(t))
    return np.asarray(ndtri(below + draw * (upto - below)))


def out_of_time(earlier: Cells, later: Cells, terms: Sequence[str | Term], family: Family) -> OutOfTime:
    """Fit on earlier years, judge on later ones.

    Parameters
    ----------
    earlier, later : Cells of the same factors

    Raises
    ------
    ModelError
        RM530 when the factors differ; those of `fit_glm`.
    """
    if earlier.factors != later.factors:
        raise ModelError(problem("RM530"))
    fit = fit_glm(earlier, terms, family)
    mean, _ = predict(fit, later.codes)
    response = later.total / later.weight
    flat = np.full(len(mean), earlier.total.sum() / earlier.weight.sum())
    return OutOfTime(
        fit=fit,
        actual_expected=float(later.total.sum() / (later.weight @ mean)),
        deviance=family.deviance(response, mean, later.weight),
        null_deviance=family.deviance(response, flat, later.weight),
        gini=_area(*lorenz(mean, later.total, later.weight)),
    )


def _rows(predicted: npt.ArrayLike, actual: npt.ArrayLike, weight: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return the three arrays, checked."""
    p, a, w = positive("predicted", predicted), non_negative("actual", actual), positive("weight", weight)
    same_length(predicted=p, actual=a, weight=w)
    positive("total actual", [a.sum()])
    unit = 10.0 ** (np.floor(np.log10(p)) - RANK_DIGITS + 1)
    return np.round(p / unit) * unit, a, w


def _curve(weight: Floats, actual: Floats) -> tuple[Floats, Floats]:
    """Return the Lorenz curve of sums in order of prediction."""
    x, y = np.concatenate([[0.0], np.cumsum(weight)]), np.concatenate([[0.0], np.cumsum(actual)])
    return x / x[-1], y / y[-1]


def _area(x: Floats, y: Floats) -> float:
    """Return 1 − 2·(area under the curve)."""
    return float(1 - np.sum(np.diff(x) * (y[1:] + y[:-1])))
