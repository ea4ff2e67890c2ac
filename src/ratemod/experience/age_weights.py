"""Negative multinomial with age weights: recent years say more about next year than old ones.

With a risk that never changes, the counts of a firm's years together are negative multinomial, and every past claim
counts alike. Risks do change. Here a claim of k years ago counts ω_k, the latest year 1 ≥ ω_2 ≥ ω_3 ≥ ... ≥ 0:

    modification of year t  =  A_t / B_t,     A_t = a + Σ_k ω_k N_{t−k},     B_t = a + Σ_k ω_k E_{t−k}
    N_t given the past      ~  negative binomial with size A_t and mean E_t·A_t/B_t

All ω = 1 is the negative multinomial itself; falling ω lets the record fade, as in the models for series of counts
whose gamma risk is discounted from year to year. Shape a and weights are estimated by maximum likelihood of each year
given those before it.

Sources: Harvey & Fernandes, "Time series models for count or qualitative observations", 1989 (discounted gamma);
Pinquet, Guillén & Bolancé, "Allowance for the age of claims in bonus–malus systems", ASTIN Bulletin 31, 2001.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.document.result import Result
from ratemod.errors import ModelError, Problem, problem
from ratemod.experience.panel import Floats, Integers, numbers, same_shape, whole
from ratemod.experience.poisson_gamma import MOST_CLAIMS
from ratemod.rules.floats import in_a_row
from ratemod.rules.options import strict
from ratemod.rules.within import Count, Factor


@dataclass(frozen=True, slots=True, repr=False)
class AgeWeights(Result):
    """Estimated weights of past years.

    Attributes
    ----------
    shape : a; 1/a is the variance of the firms' risks; infinite where the firms show no differences: then no record
        moves a premium, and the weights stay 1
    weights : (ages,) float64, of the latest year (always 1), the year before, ...
    log_likelihood : at the estimate; static_log_likelihood : with all weights 1 and the best shape for that
    warnings : RM653 where the optimiser did not settle, or ended at the least shape; RM646 no differences between firms
    """

    shape: float
    weights: Floats
    log_likelihood: float
    static_log_likelihood: float
    warnings: tuple[Problem, ...] = ()


@strict
def estimate_age_weights(claims: npt.ArrayLike, expected: npt.ArrayLike, *, ages: Count | None = None) -> AgeWeights:
    """Return shape and age weights by maximum likelihood.

    Parameters
    ----------
    claims : (firms, years) whole numbers, oldest year first
    expected : (firms, years) float64, expected claims by class, at least 0; 0 where a firm was not insured
    ages : how many past years count; default all

    Returns
    -------
    AgeWeights

    Raises
    ------
    ModelError
        RM640, RM641, RM642, RM655 faults of the arrays; RM645 fewer than two firms that expect claims; RM651 claims in
        a firm year that expects none; RM652 no claims.

    Examples
    --------
    >>> draw = np.random.default_rng(1)
    >>> risk = draw.gamma(2.0, 0.5, 4000)
    >>> found = estimate_age_weights(draw.poisson(risk[:, None] * np.ones((4000, 4))), np.ones((4000, 4)))
    >>> bool(found.weights.min() > 0.8), 1.7 < found.shape < 2.3
    (True, True)
    """
    from scipy.optimize import minimize
    from scipy.special import gammaln

    count, mean = _panel(claims, expected)
    firms = int((mean > 0).any(axis=1).sum())
    if firms < 2:
        raise ModelError(problem("RM645", firms=firms))
    span = max(1, min(ages or count.shape[1] - 1, count.shape[1] - 1))

    def lost(at: Floats, free: bool) -> tuple[float, Floats]:
        ratios = at[1:] if free else np.ones(span - 1)
        weights = np.concatenate([[1.0], np.cumprod(ratios)])
        value, by_shape, by_weight = _likelihood(float(np.exp(at[0])), weights, count, mean)
        slope = np.array([by_shape * np.exp(at[0])])
        if free:
            # ω_k is a product of ratios: a ratio moves every later weight in proportion.
            tail = np.cumsum((by_weight * weights)[:0:-1])[::-1]
            slope = np.concatenate([slope, tail / np.maximum(ratios, 1e-12)])
        return -value / len(count), -slope / len(count)

    limits = (np.log(1e-3), np.log(1e6))
    static = minimize(lost, np.zeros(1), args=(False,), jac=True, method="L-BFGS-B", bounds=[limits])
    start = np.concatenate([static.x, np.full(span - 1, 0.9)])
    best = minimize(
        lost,
        start,
        args=(True,),
        jac=True,
        method="L-BFGS-B",
        bounds=[limits] + [(1e-6, 1.0)] * (span - 1),
        options={"maxiter": 200, "ftol": 1e-14},
    )
    hit = count > 0  # the limit a = infinity: Poisson counts
    flat = float(count[hit] @ np.log(mean[hit]) - gammaln(count[hit] + 1.0).sum() - mean.sum())
    if -float(best.fun) * len(count) <= flat + 1e-9 * abs(flat):
        return AgeWeights(np.inf, np.ones(span), flat, flat, (problem("RM646", estimate="0"),))
    short = [str(best.message)] if not best.success else ["shape <= 0.001"] if best.x[0] <= limits[0] else []
    warnings = tuple(problem("RM653", why=why) for why in short)
    return AgeWeights(
        float(np.exp(best.x[0])),
        np.concatenate([[1.0], np.cumprod(best.x[1:])]),
        -float(best.fun) * len(count),
        -float(static.fun) * len(count),
        warnings,
    )


@strict
def age_weighted_modification(
    claims: npt.ArrayLike, expected: npt.ArrayLike, shape: Factor, weights: npt.ArrayLike
) -> Floats:
    """Return next year's modification A / B of every firm, (firms,).

    Parameters
    ----------
    claims, expected : (firms, years) as `estimate_age_weights`, oldest year first
    shape : a
    weights : (ages,) float64, 0..1, of the latest year first; older years than given do not count

    Examples
    --------
    >>> age_weighted_modification([[0, 0, 2], [2, 0, 0]], np.ones((2, 3)), 2.0, [1.0, 0.5, 0.25]).round(4).tolist()
    [1.0667, 0.6667]
    """
    count, mean = _panel(claims, expected, any_claims=False)
    fade = numbers("weights", weights, low=0, high=1)
    in_a_row(weights=fade)
    fade = fade[: count.shape[1]]
    a = float(numbers("shape", shape, low=float(np.nextafter(0, 1))))
    recent = count[:, ::-1][:, : len(fade)], mean[:, ::-1][:, : len(fade)]
    return (a + recent[0] @ fade) / (a + recent[1] @ fade)


def _likelihood(a: float, weights: Floats, count: Integers, mean: Floats) -> tuple[float, float, Floats]:
    """Return the log-likelihood of each year given those before it, its slope in a and in the weights."""
    from scipy.special import digamma, gammaln

    total, by_a, by_weight = 0.0, 0.0, np.zeros(len(weights))
    for year in range(count.shape[1]):
        back = min(year, len(weights))
        past = count[:, year - back : year][:, ::-1], mean[:, year - back : year][:, ::-1]
        size, rate = a + past[0] @ weights[:back], a + past[1] @ weights[:back]
        n, coming = count[:, year], mean[:, year]
        more = np.log1p(coming / rate)
        hit = n > 0
        total += float(
            -(size @ more)
            - n[hit] @ np.log(rate[hit] + coming[hit])
            + (
                gammaln(size[hit] + n[hit]) - gammaln(size[hit]) + n[hit] * np.log(coming[hit]) - gammaln(n[hit] + 1.0)
            ).sum()
        )
        by_size = -more
        by_size[hit] += digamma(size[hit] + n[hit]) - digamma(size[hit])
        by_rate = size / rate - (size + n) / (rate + coming)
        by_a += float(by_size.sum() + by_rate.sum())
        by_weight[:back] += by_size @ past[0] + by_rate @ past[1]
    return total, by_a, by_weight


def _panel(claims: npt.ArrayLike, expected: npt.ArrayLike, *, any_claims: bool = True) -> tuple[Integers, Floats]:
    count, mean = whole("claims", claims, low=0, high=MOST_CLAIMS), numbers("expected", expected, low=0)
    same_shape(claims=count, expected=mean)
    if count.ndim != 2:
        raise ModelError(
            problem("RM640", name="claims", found=str(count.shape), first="panel", expected="(firms, years)")
        )
    impossible = (mean == 0) & (count > 0)
    if impossible.any():
        raise ModelError(problem("RM651", wrong=int(impossible.sum()), firm=int(np.flatnonzero(impossible.any(1))[0])))
    if any_claims and not count.any():
        raise ModelError(problem("RM652"))
    return count, mean
