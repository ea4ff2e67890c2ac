"""Poisson regression with an effect of every firm: the firm's own total is given, so that its hidden risk cancels.

Given a firm's total Y_i over its years its counts are multinomial with chances  p_it = exp(eta_it) / sum_t exp(eta_it),
whatever its risk is; the estimates are those of a Poisson regression with one dummy a firm. With effects of years among
the columns this is a difference in differences: a firm against itself, less what the others did meanwhile.

Sources: Hausman, Hall & Griliches, "Econometric models for count data", Econometrica 52 (1984); Wooldridge,
"Distribution-free estimation of some nonlinear panel data models", J. Econometrics 90 (1999): consistent for any counts
with the right mean, with errors that take a firm's years together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ratemod.errors import ModelError, problem
from ratemod.fund.fund_table import Floats, Ints

MOST_STEPS, TOLERANCE, DEPENDENT = 60, 1e-10, 1e-9


@dataclass(frozen=True, eq=False, slots=True)
class ConditionalFit:
    """Coefficients with errors that take a firm's years together.

    Attributes
    ----------
    names : of the columns that were kept
    beta, error : (k,) float64, log rates
        The error is nan where no two firms differ in what they tell, so that there is nothing to judge it by.
    covariance : (k, k) float64
    firms : how many firms tell something (with claims and at least two years)
    """

    names: tuple[str, ...]
    beta: Floats
    error: Floats
    covariance: Floats
    firms: int

    def of(self, name: str) -> tuple[float, float]:
        """Return a coefficient and its standard error."""
        at = self.names.index(name)
        return float(self.beta[at]), float(self.error[at])


def conditional_poisson(
    claims: Ints,
    design: Floats,
    offset: Floats,
    firm: Ints,
    names: tuple[str, ...],
    wanted: int,
) -> ConditionalFit:
    """Fit claims on a design with an effect of every firm.

    Parameters
    ----------
    claims : (n,) whole numbers
    design : (n, k) float64; the last `wanted` columns are those the question is about
    offset : (n,) float64, log exposure
    firm : (n,) int64 codes
    names : of the columns

    Raises
    ------
    ModelError
        RM740 no firm tells anything; RM741 not converged; RM742 a wanted column is a combination of the others.

    Notes
    -----
    Other columns that are combinations of those before them are left out.

    Examples
    --------
    >>> y, served = np.array([2, 1, 3, 1, 1, 0]), np.array([[0.0], [1.0], [0.0], [1.0], [0.0], [1.0]])
    >>> fit = conditional_poisson(y, served, np.zeros(6), np.array([0, 0, 1, 1, 2, 2]), ("served",), 1)
    >>> round(float(np.exp(fit.beta[0])), 4)  # 2 claims with, 6 without
    0.3333
    """
    from scipy.sparse import csr_array

    order = np.argsort(firm, kind="stable")
    y, x, off, who = claims[order].astype(np.float64), design[order], offset[order], firm[order]
    total, years = np.bincount(who, y), np.bincount(who)
    tells = (total > 0) & (years > 1)
    rows = tells[who]
    if not rows.any():
        raise ModelError(problem("RM740"))
    y, x, off, who = y[rows], x[rows], off[rows], who[rows]
    starts = np.flatnonzero(np.concatenate([[True], who[1:] != who[:-1]]))
    size = np.diff([*starts, len(who)])
    group = np.repeat(np.arange(len(starts)), size)

    def sums(weights: Floats) -> Any:
        """Return the matrix that adds a firm's years, each with a weight."""
        return csr_array((weights, np.arange(len(y)), [*starts, len(y)]), shape=(len(starts), len(y)))

    whole = np.add.reduceat(y, starts)
    within = x - ((sums(np.ones(len(y))) @ x) / size[:, None])[group]
    within[:, np.abs(within).max(axis=0) <= 1e-12 * np.abs(x).max(axis=0)] = 0.0  # what only differs by rounding
    kept = _independent(within, names, wanted)
    x = np.ascontiguousarray(x[:, kept])
    events = sums(y) @ x
    beta = np.zeros(x.shape[1])
    value, chance = _value(beta, y, x, off, starts, group, whole)
    for _ in range(MOST_STEPS):
        score, hessian = _slopes(events, x, chance, sums, group, whole)
        step = np.linalg.lstsq(hessian, score.sum(axis=0), rcond=None)[0]
        if float(np.abs(score.sum(axis=0) @ step)) < TOLERANCE:
            break
        length = 1.0
        while length > 1e-6:
            new, guess = _value(beta + length * step, y, x, off, starts, group, whole)
            if new >= value - 1e-12:
                break
            length /= 2
        beta, value, chance = beta + length * step, new, guess
    else:
        raise ModelError(problem("RM741", steps=MOST_STEPS))
    score, hessian = _slopes(events, x, chance, sums, group, whole)
    inverse = np.linalg.pinv(hessian, hermitian=True)  # a level without claims runs away, and tells nothing of the rest
    many = len(starts)
    covariance = inverse @ (score.T @ score) @ inverse * (many / max(many - 1, 1))
    spread = np.diag(covariance)
    error = np.sqrt(np.where(spread > 1e-12 * np.diag(inverse), spread, np.nan))  # nothing but what was not settled
    return ConditionalFit(tuple(names[at] for at in kept), beta, error, covariance, many)


def _independent(within: Floats, names: tuple[str, ...], wanted: int) -> list[int]:
    """Return the columns that are no combination of those before them; the wanted ones must be among them."""
    kept = spanning(within)
    if lost := [names[at] for at in range(within.shape[1] - wanted, within.shape[1]) if at not in kept]:
        raise ModelError(problem("RM742", names=", ".join(lost)))
    return kept


def spanning(design: Floats) -> list[int]:
    """Return the columns that are no combination of those before them.

    Examples
    --------
    >>> spanning(np.array([[1.0, 2.0, 0.0], [1.0, 2.0, 1.0], [1.0, 2.0, 3.0]]))
    [0, 2]
    """
    scale = np.sqrt((design**2).sum(axis=0))
    corner = np.abs(np.diag(np.linalg.qr(design / np.where(scale > 0, scale, 1.0), mode="r")))
    corner = np.concatenate([corner, np.zeros(design.shape[1] - len(corner))])
    return list(np.flatnonzero((corner > np.sqrt(DEPENDENT)) & (scale > 0)).tolist())


def _value(
    beta: Floats, y: Floats, x: Floats, off: Floats, starts: Ints, group: Ints, whole: Floats
) -> tuple[float, Floats]:
    """Return the log-likelihood and the chance of each year within its firm."""
    eta = x @ beta + off
    top = np.maximum.reduceat(eta, starts)
    part = np.exp(eta - top[group])
    sums = np.add.reduceat(part, starts)
    return float(y @ eta - whole @ (np.log(sums) + top)), part / sums[group]


def _slopes(
    events: Floats, x: Floats, chance: Floats, sums: Callable[[Floats], Any], group: Ints, whole: Floats
) -> tuple[Floats, Floats]:
    """Return the score by firm, (firms, k), and the information, (k, k)."""
    mean = sums(chance) @ x
    weight = (whole[group] * chance)[:, None]
    return events - whole[:, None] * mean, x.T @ (weight * x) - mean.T @ (whole[:, None] * mean)
