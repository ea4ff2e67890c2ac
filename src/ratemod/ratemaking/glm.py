"""Generalised linear models with a log link, fitted on cells with the inference of the rows.

Iteratively reweighted least squares: W = w·μ²/V(μ), z = η − o + (y − μ)/μ, b = (X'WX)⁻¹X'Wz, halving any step that
raises the deviance; η = Xb + o, with o a known log multiplier of a cell's mean. Curves may be penalised or held to a
shape (`penalty`). Dispersion φ = Pearson statistic of the
rows/(rows − p); covariance φ·(X'WX)⁻¹. Deviance, likelihood and AIC are those of the rows (`row_sums`).

Source: McCullagh & Nelder, 2nd ed., 2.5; Goldburd, Khare, Tevet & Guller, CAS Monograph 5 (ratemaking use).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Floats
from ratemod.ratemaking.cells import Cells
from ratemod.ratemaking.curves import Curve
from ratemod.ratemaking.design import Design, Term, design, faults
from ratemod.ratemaking.family import Family, negative_binomial, poisson
from ratemod.ratemaking.model_matrix import ModelMatrix, model_matrix
from ratemod.ratemaking.penalty import feasible_step, without_held
from ratemod.rules.floats import whole_numbers
from ratemod.rules.options import strict
from ratemod.rules.within import Chance, Count

Progress = Callable[[int, float], None]
CONVERGED = 1e-12
HALVINGS = 30


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted model.

    Attributes
    ----------
    design, family : what was fitted
    coefficient, standard_error : (p,) float64, of log μ
    covariance : (p, p) float64
    dispersion : float
    deviance, null_deviance, pearson : float, of the rows; null is the model of one mean
    parameters : float, p, less what stays at its bound, effective where curves are penalised
    residual_df : int, rows − parameters, rounded; cell_df : int, cells − p
    log_likelihood, aic, bic : float, of the rows, comparable between models of the same rows; NaN where there is no
        likelihood (quasi-Poisson), for a Tweedie until `model_tests.tweedie_likelihood` has found its φ, or for a
        negative binomial on cells that do not know their different rows
    fitted : (c,) float64, μ of each cell, response per unit of weight, its known multiplier included
    iterations : int
    """

    design: Design
    family: Family
    coefficient: Floats
    standard_error: Floats
    covariance: Floats
    dispersion: float
    deviance: float
    null_deviance: float
    pearson: float
    parameters: float
    residual_df: int
    cell_df: int
    log_likelihood: float
    aic: float
    bic: float
    fitted: Floats
    iterations: int


@dataclass(frozen=True, slots=True)
class TermTest:
    """A type III test: what the model loses without one term.

    Attributes
    ----------
    term : the term; df : its columns, or what it has of effective parameters
    statistic : deviance difference/φ (χ² on df) or that divided by df (F on df and the residual df)
    kind : "chi2" where φ is fixed, else "F"; p_value : float
    aic_without : float
    """

    term: Term
    df: int
    statistic: float
    kind: str
    p_value: float
    aic_without: float


@strict
def fit_glm(
    cells: Cells,
    terms: Sequence[str | Term],
    family: Family,
    *,
    reference: Mapping[str, str] | None = None,
    curves: Sequence[Curve] = (),
    offset: Floats | None = None,
    max_iterations: Count = 50,
    progress: Progress | None = None,
) -> Fit:
    """Fit a model on cells.

    Parameters
    ----------
    cells : Cells; weight = exposure (frequency, pure premium) or claims (severity)
    terms : factor names, and tuples of names for interactions
    family : from `ratemod.ratemaking.family`
    reference : reference level by factor; default the level with the most weight
    curves : of the factors whose levels are numbers, and are fitted as such
    offset : (c,) float64, known log multiplier of each cell's mean, or None
    max_iterations : of the reweighting
    progress : called with the iteration and the deviance, or None

    Returns
    -------
    Fit

    Raises
    ------
    ModelError
        RM481, RM527, RM532, RM562 for the terms; RM535..RM538 for the data (RM537: aliased columns); RM539 for a gamma
        with cells of no loss; RM540 when it does not converge, as under a separation that no single level shows.

    Examples
    --------
    >>> from ratemod.ratemaking.cells import Factor, collapse
    >>> cells = collapse([Factor("size", ("small", "large"))], [[0, 1, 1]], [10.0, 10.0, 10.0], [1.0, 2.0, 4.0])
    >>> np.exp(fit_glm(cells, ["size"], poisson(), reference={"size": "small"}).coefficient).round(6).tolist()
    [0.1, 3.0]
    """
    plan = design(cells, terms, reference, curves)
    return _fit(plan, cells, family, offset, max_iterations, progress)


@strict
def fit_negative_binomial(
    cells: Cells,
    terms: Sequence[str | Term],
    *,
    reference: Mapping[str, str] | None = None,
    curves: Sequence[Curve] = (),
    offset: Floats | None = None,
    max_iterations: Count = 50,
    progress: Progress | None = None,
) -> Fit:
    """Fit a negative binomial whose α makes Pearson's statistic of the rows equal to its degrees of freedom.

    Raises
    ------
    ModelError
        RM541 when the data are no more dispersed than a Poisson; and those of `fit_glm`.
    """
    from scipy.optimize import brentq

    plan = design(cells, terms, reference, curves)
    now = _fit(plan, cells, poisson(), offset, max_iterations, progress)
    if now.pearson <= now.residual_df:
        raise ModelError(problem("RM541", pearson=round(now.pearson, 2), df=now.residual_df))
    alpha = 0.0
    for _ in range(max_iterations):
        fitted, df = now.fitted, now.residual_df

        def excess(value: float, mean: Floats = fitted, free: int = df) -> float:
            return _pearson(cells, mean, replace(poisson(), alpha=value)) - free

        if excess(0.0) <= 0:
            raise ModelError(problem("RM541", pearson=round(excess(0.0) + df, 2), df=df))
        top = 1.0 / float(fitted.mean())
        while excess(top) > 0:
            top *= 4
        found = float(brentq(excess, 0.0, top, xtol=1e-14, rtol=1e-13))
        now = _fit(plan, cells, negative_binomial(found), offset, max_iterations, progress)
        if abs(found - alpha) <= 1e-10 * found:
            return now
        alpha = found
    raise ModelError(problem("RM540", iterations=max_iterations, change=abs(found - alpha)))


def predict(fit: Fit, codes: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return means per unit of weight, and the standard errors of their logarithms, at level codes.

    Parameters
    ----------
    fit : Fit; codes : (n, k) int, a level of every factor of the cells

    Returns
    -------
    mean, log_standard_error : (n,) float64

    Raises
    ------
    ModelError
        RM655, RM834 for codes that are no such table; RM524 for one out of range.

    Examples
    --------
    >>> from ratemod.ratemaking.cells import Factor, collapse
    >>> from ratemod.ratemaking.family import poisson
    >>> cells = collapse([Factor("size", ("s", "l"))], [[0, 1]], [10.0, 10.0], [1.0, 3.0])
    >>> [part.round(4).tolist() for part in predict(fit_glm(cells, ["size"], poisson()), [[1]])]
    [[0.3], [0.5774]]
    """
    code, factors = whole_numbers("codes", codes), fit.design.factors
    if code.ndim != 2 or code.shape[1] != len(factors):
        raise ModelError(problem("RM834", shapes=f"codes {code.shape}, factors ({len(factors)},)"))
    outside = ((code < 0) | (code >= [len(factor.levels) for factor in factors])).any(axis=0)
    if outside.any():
        wrong = [factors[at] for at in np.flatnonzero(outside)]
        raise ModelError(problem("RM524", name=factor.name, levels=len(factor.levels)) for factor in wrong)
    x = model_matrix(fit.design, code)
    return np.exp(x.times(fit.coefficient)), np.sqrt(x.variance(fit.covariance))


@strict
def half_width(fit: Fit, level: Chance) -> float:
    """Return the half-width of an interval in standard errors: normal where φ is fixed, Student's t where not."""
    from scipy.special import ndtri, stdtrit

    p = (1 + level) / 2
    return float(ndtri(p) if fit.family.fixed_dispersion else stdtrit(fit.residual_df, p))


def type_iii(cells: Cells, fit: Fit, offset: Floats | None = None) -> list[TermTest]:
    """Test each term against the model without it; a term inside an interaction of the model is not tested by itself.

    Parameters
    ----------
    cells : the cells that were fitted; fit : the full model; offset : (c,), as it was fitted with

    Returns
    -------
    list of TermTest, in the order of the terms
    """
    from scipy.special import chdtrc, fdtrc

    plan = fit.design
    reference = {factor.name: factor.levels[code] for factor, code in zip(plan.factors, plan.reference)}
    tests = []
    for term in plan.terms:
        if any(set(term) < set(other) for other in plan.terms):
            continue
        fewer = design(cells, [other for other in plan.terms if other != term], reference, plan.curves)
        less = _fit(fewer, cells, fit.family, offset, 50, None)
        df = max(round(fit.parameters - less.parameters), 1)
        drop = max(_cell_deviance(cells, less) - _cell_deviance(cells, fit), 0.0)
        if fit.family.fixed_dispersion:
            kind, statistic, p_value = "chi2", drop, float(chdtrc(df, drop))
        else:
            kind, statistic = "F", drop / df / fit.dispersion
            p_value = float(fdtrc(df, fit.residual_df, statistic))
        tests.append(TermTest(term, df, statistic, kind, p_value, less.aic))
    return tests


def _cell_deviance(cells: Cells, fit: Fit) -> float:
    """Return the deviance of the cells: between models of the same cells it differs as that of the rows does."""
    return fit.family.deviance(cells.total / cells.weight, fit.fitted, cells.weight)


def _fit(
    plan: Design, cells: Cells, family: Family, offset: Floats | None, max_iterations: int, progress: Progress | None
) -> Fit:
    """Fit a laid-out design."""
    w = cells.weight
    y = cells.total / w
    wrong = faults(plan, cells, zero_total_separates=family.power < 2, spare=int(not family.fixed_dispersion))
    if family.power >= 2 and (y <= 0).any():
        wrong.append(problem("RM539", wrong=int((y <= 0).sum())))
    x = model_matrix(plan, cells.codes)
    empty = {item.args["name"] for item in wrong if item.code == "RM535"}
    wrong += [problem("RM537", name=name) for name in _aliased(x, w) if name not in empty]
    if wrong:
        raise ModelError(wrong)
    known = np.zeros(len(w)) if offset is None else offset
    b, iterations = _reweight(x, y, w, known, family, max_iterations, progress)
    mean = np.exp(x.times(b) + known)
    pearson = _pearson(cells, mean, family)
    covariance, bound = without_held(x.cross(w * mean * mean / family.variance(mean)).inverse(), b, x.held)
    parameters = float(x.width - bound)
    if x.penalty is not None:
        parameters -= float(np.sum(covariance * x.penalty))
    rows = int(cells.rows.sum())
    phi = 1.0 if family.fixed_dispersion else pearson / (rows - parameters)
    covariance = phi * covariance
    level = np.full(len(y), float(cells.total.sum() / w.sum()))
    if offset is not None:
        one = model_matrix(design(cells, []), cells.codes)
        level = np.exp(_reweight(one, y, w, known, family, max_iterations, None)[0][0] + known)
    log_likelihood = family.log_likelihood(mean, w, cells.total, cells.beside)
    return Fit(
        design=plan,
        family=family,
        coefficient=b,
        standard_error=np.sqrt(np.diag(covariance)),
        covariance=covariance,
        dispersion=phi,
        deviance=family.row_deviance(mean, w, cells.total, cells.beside),
        null_deviance=family.row_deviance(level, w, cells.total, cells.beside),
        pearson=pearson,
        parameters=parameters,
        residual_df=rows - round(parameters),
        cell_df=len(y) - x.width,
        log_likelihood=log_likelihood,
        aic=family.aic(log_likelihood, parameters),
        bic=family.bic(log_likelihood, parameters, rows),
        fitted=mean,
        iterations=iterations,
    )


def _aliased(x: ModelMatrix, weight: Floats) -> list[str]:
    """Return the columns that other columns determine."""
    lost = x.cross(weight).aliased()
    names = x.plan.names if lost else ()
    return [names[j] for j in lost]


def _reweight(
    x: ModelMatrix,
    y: Floats,
    w: Floats,
    known: Floats,
    family: Family,
    max_iterations: int,
    progress: Progress | None,
) -> tuple[Floats, int]:
    """Return the coefficients and the number of iterations."""
    b = np.zeros(x.width)
    b[0] = np.log(w @ y / (w @ np.exp(known)))
    eta = x.times(b) + known
    deviance, change = family.deviance(y, np.exp(eta), w) + x.cost(b), np.inf
    for iteration in range(1, max_iterations + 1):
        mean = np.exp(eta)
        held = w * mean * mean / family.variance(mean)
        try:
            cross = x.cross(held)
            step = feasible_step(cross.solve(x.scores(held * (y - mean) / mean) - x.pull(b)), b, cross, x.held)
        except np.linalg.LinAlgError:
            break
        move = x.times(step)
        for _ in range(HALVINGS):
            with np.errstate(over="ignore", invalid="ignore"):
                trial = family.deviance(y, np.exp(eta + move), w) + x.cost(b + step)
            if trial <= deviance * (1 + 1e-10) + 1e-10:
                break
            step, move = step / 2, move / 2
        largest = float(np.abs(eta).max())
        b, eta, change, deviance = b + step, eta + move, float(np.abs(move).max()), trial
        if progress is not None:
            progress(iteration, deviance)
        if change < CONVERGED * max(1.0, largest) * 10:
            return b, iteration
    raise ModelError(problem("RM540", iterations=max_iterations, change=change))


def _pearson(cells: Cells, mean: Floats, family: Family) -> float:
    """Return Pearson's statistic of the rows from the sums of the cells.

    Written about the cell mean, Σw(y−ȳ)² + w(ȳ−μ)², because Σwy² − 2μΣwy + μ²Σw cancels badly.
    """
    average = cells.total / cells.weight
    within = np.maximum(cells.square - cells.total * average, 0.0)
    return float(np.sum((within + cells.weight * (average - mean) ** 2) / family.variance(mean)))
