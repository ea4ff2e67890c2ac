"""Coefficients that are penalised or may not be negative, in the steps of a fit and in its covariance.

A penalised fit minimises deviance + b′Pb, P holding λ·S of every penalised curve: each step solves
(X′WX + P)·step = X′v − Pb, V = φ·(X′WX + P)⁻¹ (Bayesian), and it has p − tr((X′WX + P)⁻¹P) effective parameters. λ
is that of the largest marginal likelihood by Laplace (REML), curve after curve: the least of
    (deviance + b′Pb)/φ + log|X′WX + P| − (k − 1)·log λ,     φ that of the fit that bends most, k columns of the curve.
Coefficients J that may not be negative: of the free step's b_J = u the nearest b_J ≥ 0 in the metric M⁻¹, M the block
of (X′WX + P)⁻¹, by non-negative least squares; the others follow. What stays at 0 is no parameter, and V is that of
the others: V − V_A V_AA⁻¹ V_A′.

Source: Wood, *Generalized Additive Models*, 2nd ed., 6.1, 6.2.6 (penalised likelihood, REML); Lawson & Hanson, *Solving
Least Squares Problems*, ch. 23 (non-negative least squares).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ratemod.ratemaking.arrays import Floats, Integers
from ratemod.ratemaking.cross_product import CrossProduct
from ratemod.ratemaking.curves import Curve
from ratemod.ratemaking.design import Design

WIDEST = 18.0  # of log λ around the data's own weight
GRID = 10
ZERO = 1e-12


def penalty_of(plan: Design) -> Floats | None:
    """Return P of a design, (p, p) float64, or None where nothing is penalised."""
    found = None
    for curve, columns in _main_columns(plan):
        if curve.strength > 0:
            found = np.zeros((len(plan.column_term),) * 2) if found is None else found
            found[np.ix_(columns, columns)] += curve.penalty
    return found


def held_columns(plan: Design) -> Integers:
    """Return the columns whose coefficients may not be negative."""
    parts = [columns[list(curve.held)] for curve, columns in _main_columns(plan) if curve.held]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def feasible_step(step: Floats, b: Floats, cross: CrossProduct, columns: Integers) -> Floats:
    """Return the step to the nearest coefficients that are not negative where they may not be."""
    free = b[columns] + step[columns]
    if not len(columns) or (free >= 0).all():
        return step
    from scipy.optimize import nnls

    unit = np.zeros((len(b), len(columns)))
    unit[columns, np.arange(len(columns))] = 1.0
    through = np.column_stack([cross.solve(unit[:, j]) for j in range(len(columns))])
    block = through[columns]
    metric = np.linalg.inv((block + block.T) / 2)
    root = np.linalg.cholesky((metric + metric.T) / 2).T
    found = nnls(root, root @ free)[0]
    made: Floats = step + through @ (metric @ (found - free))
    made[columns] = found - b[columns]
    return made


def without_held(covariance: Floats, b: Floats, columns: Integers) -> tuple[Floats, int]:
    """Return the covariance of a fit whose coefficients at 0 are held there, and how many these are."""
    at = columns[np.abs(b[columns]) <= ZERO]
    if not len(at):
        return covariance, 0
    part = covariance[:, at]
    found = covariance - part @ np.linalg.solve(covariance[np.ix_(at, at)], part.T)
    found[at, :] = 0.0
    found[:, at] = 0.0
    return (found + found.T) / 2, len(at)


def with_strengths(
    curves: Sequence[Curve], weight: float, fit: Callable[[tuple[Curve, ...]], tuple[float, float, float]]
) -> tuple[Curve, ...]:
    """Return the curves, each penalised one with the λ that the data ask for.

    Parameters
    ----------
    curves : Curves; weight : information of the data, Σ w·μ²/V(μ), about which λ is sought
    fit : curves -> deviance + b′Pb, log|X′WX + P|, dispersion
    """
    from scipy.optimize import minimize_scalar

    bent = [at for at, curve in enumerate(curves) if curve.kind == "penalised"]
    now = list(curves)
    middle = float(np.log(weight))
    for at in bent:
        now[at] = replace(now[at], strength=float(np.exp(middle - WIDEST)))
    if not bent:
        return tuple(now)
    phi = fit(tuple(now))[2]
    for at in bent * (1 + (len(bent) > 1)):

        def criterion(log_strength: float, at: int = at) -> float:
            tried = [*now[:at], replace(now[at], strength=float(np.exp(log_strength))), *now[at + 1 :]]
            cost, volume, _ = fit(tuple(tried))
            return cost / phi + volume - (now[at].degrees - 1) * log_strength

        grid = middle + np.linspace(-WIDEST, WIDEST / 3, GRID)
        best = int(np.argmin([criterion(float(value)) for value in grid]))
        ends = (float(grid[max(best - 1, 0)]), float(grid[min(best + 1, GRID - 1)]))
        found = float(minimize_scalar(criterion, bounds=ends, method="bounded", options={"xatol": 0.02}).x)
        now[at] = replace(now[at], strength=float(np.exp(found)))
    return tuple(now)


def log_volume(covariance: Floats, dispersion: float) -> float:
    """Return log|X′WX + P| of a fit from its covariance, of the coefficients that are not held at 0."""
    free = np.flatnonzero(np.diag(covariance) > 0)
    return -float(np.linalg.slogdet(covariance[np.ix_(free, free)] / dispersion)[1])


def _main_columns(plan: Design) -> list[tuple[Curve, Integers]]:
    owner = np.array(plan.column_term)
    found = []
    for curve in plan.curves:
        if (curve.name,) in plan.terms:
            found.append((curve, np.flatnonzero(owner == plan.terms.index((curve.name,)))))
    return found
