"""Generalised linear models with a log link, fitted on cells with the inference of the rows.

Iteratively reweighted least squares: W = w·μ²/V(μ), z = η + (y − μ)/μ, b = (X'WX)⁻¹X'Wz, halving any step that raises
the deviance. Dispersion φ = Pearson statistic of the rows/(rows − p); covariance φ·(X'WX)⁻¹. `deviance` is that of the
cells; the deviance of the rows exceeds it by a constant that no model on these factors changes, so all tests agree.

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
from ratemod.ratemaking.design import Design, Term, design, faults
from ratemod.ratemaking.family import Family, negative_binomial, poisson

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
    residual_df : int, rows − p; cell_df : int, cells − p
    log_likelihood, aic, bic : float, of the rows, comparable between models of the same rows; NaN where there is no
        likelihood in closed form (quasi-Poisson, Tweedie), or for a negative binomial on cells that do not know their
        different rows
    fitted : (c,) float64, μ of each cell, response per unit of weight
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
    term : the term; df : its columns
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


def fit_glm(
    cells: Cells,
    terms: Sequence[str | Term],
    family: Family,
    *,
    reference: Mapping[str, str] | None = None,
    max_iterations: int = 50,
    progress: Progress | None = None,
) -> Fit:
    """Fit a model on cells.

    Parameters
    ----------
    cells : Cells; weight = exposure (frequency, pure premium) or claims (severity)
    terms : factor names, and tuples of names for interactions
    family : from `ratemod.ratemaking.family`
    reference : reference level by factor; default the level with the most weight
    max_iterations : of the reweighting
    progress : called with the iteration and the deviance, or None

    Returns
    -------
    Fit

    Raises
    ------
    ModelError
        RM527, RM532, RM562 for the terms; RM535..RM538 for the data (see `design.faults`); RM539 for a gamma
        with cells of no loss; RM540 when it does not converge, as under a separation that no single level shows.

    Examples
    --------
    >>> from ratemod.ratemaking.cells import Factor, collapse
    >>> cells = collapse([Factor("size", ("small", "large"))], [[0, 1, 1]], [10.0, 10.0, 10.0], [1.0, 2.0, 4.0])
    >>> np.exp(fit_glm(cells, ["size"], poisson(), reference={"size": "small"}).coefficient).round(6).tolist()
    [0.1, 3.0]
    """
    plan = design(cells, terms, reference)
    return _fit(plan, cells, family, max_iterations, progress)


def fit_negative_binomial(
    cells: Cells,
    terms: Sequence[str | Term],
    *,
    reference: Mapping[str, str] | None = None,
    max_iterations: int = 50,
    progress: Progress | None = None,
) -> Fit:
    """Fit a negative binomial whose α makes Pearson's statistic of the rows equal to its degrees of freedom.

    Raises
    ------
    ModelError
        RM541 when the data are no more dispersed than a Poisson; and those of `fit_glm`.
    """
    from scipy.optimize import brentq

    now = fit_glm(cells, terms, poisson(), reference=reference, max_iterations=max_iterations, progress=progress)
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
        now = _fit(now.design, cells, negative_binomial(found), max_iterations, progress)
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
    """
    x = fit.design.matrix(np.asarray(codes, dtype=np.int64))
    return np.exp(x @ fit.coefficient), np.sqrt(np.einsum("ij,jk,ik->i", x, fit.covariance, x))


def type_iii(cells: Cells, fit: Fit) -> list[TermTest]:
    """Test each term against the model without it; a term inside an interaction of the model is not tested by itself.

    Parameters
    ----------
    cells : the cells that were fitted; fit : the full model

    Returns
    -------
    list of TermTest, in the order of the terms
    """
    from scipy.special import chdtrc, fdtrc

    plan = fit.design
    reference = {factor.name: factor.levels[code] for factor, code in zip(plan.factors, plan.reference)}
    tests = []
    for t, term in enumerate(plan.terms):
        if any(set(term) < set(other) for other in plan.terms):
            continue
        fewer = design(cells, [other for other in plan.terms if other != term], reference)
        less = _fit(fewer, cells, fit.family, 50, None)
        df = plan.column_term.count(t)
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


def _fit(plan: Design, cells: Cells, family: Family, max_iterations: int, progress: Progress | None) -> Fit:
    """Fit a laid-out design."""
    x, w = plan.matrix(cells.codes), cells.weight
    y = cells.total / w
    wrong = faults(plan, cells, x, zero_total_separates=family.power < 2)
    if family.power >= 2 and (y <= 0).any():
        wrong.append(problem("RM539", wrong=int((y <= 0).sum())))
    if wrong:
        raise ModelError(wrong)
    b, iterations = _reweight(x, y, w, family, max_iterations, progress)
    mean = np.exp(x @ b)
    information = x.T @ (x * (w * mean * mean / family.variance(mean))[:, None])
    pearson = _pearson(cells, mean, family)
    df = int(cells.rows.sum()) - x.shape[1]
    phi = 1.0 if family.fixed_dispersion else pearson / df
    covariance: Floats = np.asarray(phi * np.linalg.inv(information), dtype=np.float64)
    level = np.full(len(y), float(cells.total.sum() / w.sum()))
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
        residual_df=df,
        cell_df=len(y) - x.shape[1],
        log_likelihood=log_likelihood,
        aic=family.aic(log_likelihood, x.shape[1]),
        bic=family.bic(log_likelihood, x.shape[1], int(cells.rows.sum())),
        fitted=mean,
        iterations=iterations,
    )


def _reweight(
    x: Floats, y: Floats, w: Floats, family: Family, max_iterations: int, progress: Progress | None
) -> tuple[Floats, int]:
    """Return the coefficients and the number of iterations."""
    b = np.zeros(x.shape[1])
    b[0] = np.log(w @ y / w.sum())
    deviance, change = family.deviance(y, np.exp(x @ b), w), np.inf
    for iteration in range(1, max_iterations + 1):
        eta = x @ b
        mean = np.exp(eta)
        weighted = x * (w * mean * mean / family.variance(mean))[:, None]
        try:
            step = np.linalg.solve(weighted.T @ x, weighted.T @ ((y - mean) / mean))
        except np.linalg.LinAlgError:
            break
        for _ in range(HALVINGS):
            with np.errstate(over="ignore", invalid="ignore"):
                trial = family.deviance(y, np.exp(x @ (b + step)), w)
            if trial <= deviance * (1 + 1e-10) + 1e-10:
                break
            step = step / 2
        b, change, deviance = b + step, float(np.abs(x @ step).max()), trial
        if progress is not None:
            progress(iteration, deviance)
        if change < CONVERGED * max(1.0, float(np.abs(eta).max())) * 10:
            return b, iteration
    raise ModelError(problem("RM540", iterations=max_iterations, change=change))


def _pearson(cells: Cells, mean: Floats, family: Family) -> float:
    """Return Pearson's statistic of the rows from the sums of the cells.

    Written about the cell mean, Σw(y−ȳ)² + w(ȳ−μ)², because Σwy² − 2μΣwy + μ²Σw cancels badly.
    """
    average = cells.total / cells.weight
    within = np.maximum(cells.square - cells.total * average, 0.0)
    return float(np.sum((within + cells.weight * (average - mean) ** 2) / family.variance(mean)))
