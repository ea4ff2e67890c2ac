"""Poisson–gamma: claim counts of firms whose hidden risk is gamma distributed, and what they will be next year.

Given the risk Θ of a firm, its N claims are Poisson with mean Θ·E, E what its class expects; over all firms Θ is
gamma with shape a and rate b (a = b: mean 1). After N claims Θ is gamma with shape a + N and rate b + E, so

    modification  = (a + N) / (b + E)            exact credibility, Z = E / (b + E)
    next year     ~ negative binomial with size a + N and success chance (b + E) / (b + E + e), e expected next year

Without a law of Θ, the mean and the variance of the risks are enough (semiparametric): within a firm the variance of a
Poisson count is its mean, so one period does.
    μ = ΣN/ΣE,   s² = μ,   a = [Σ E (N/E − μ)² − (n − 1) μ] / (E. − ΣE²/E.)

Sources: Bühlmann & Gisler, *A Course in Credibility Theory*, 2005, ch. 2; Denuit, Maréchal, Pitrebois & Walhin,
*Actuarial Modelling of Claim Counts*, 2007, ch. 3; Klugman, Panjer & Willmot, *Loss Models*, semiparametric estimation.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.experience.buhlmann import Credibility, FirmSums, between_kept, with_parameters
from ratemod.experience.panel import Floats, Integers, first, numbers, same_shape, whole
from ratemod.rules.floats import in_a_row
from ratemod.rules.options import strict
from ratemod.rules.within import Chance, Factor, Whole

MOST_CLAIMS = 2**31
MOST_SHAPE = 1e9  # beyond, the chance of success rounds to 1
MOST_CHANCES = 10**8  # numbers of one answer, 800 MB


@strict
def posterior_mean(claims: npt.ArrayLike, expected: npt.ArrayLike, shape: Factor, rate: Factor | None = None) -> Floats:
    """Return (a + N) / (b + E), the estimate of each firm's risk: its experience modification where a = b.

    Parameters
    ----------
    claims : (n,) whole numbers of the window
    expected : (n,) float64, expected claims of the window (or exposure, where `rate` is in that unit), at least 0
    shape : a; rate : b, default a

    Returns
    -------
    (n,) float64

    Raises
    ------
    ModelError
        RM640, RM641, RM642, RM655.

    Examples
    --------
    >>> posterior_mean([10], [5.0], 3.0).tolist(), posterior_mean([0, 3], [1.0, 1.0], 2.0).round(4).tolist()
    ([1.625], [0.6667, 1.6667])
    """
    count, mean, a, b = _checked(claims, expected, shape, rate)
    return (a + count) / (b + mean)


def semiparametric_poisson(claims: npt.ArrayLike, exposure: npt.ArrayLike) -> Credibility:
    """Return the credibility of claim frequencies from one sum of claims and exposure a firm.

    Parameters
    ----------
    claims : (n,) whole numbers of all periods together
    exposure : (n,) float64, expected claims or units of exposure, at least 0; a firm without has no claims

    Returns
    -------
    Credibility
        Of the frequency, claims per unit of exposure.

    Raises
    ------
    ModelError
        RM640, RM641, RM642, RM655; RM643 claims without exposure; RM645 fewer than two firms; RM652 no claims at all.

    Formula
    -------
    As at the top of this module. Source: Klugman, Panjer & Willmot, *Loss Models*.

    Examples
    --------
    >>> found = semiparametric_poisson([0] * 1563 + [1] * 271 + [2] * 32 + [3] * 7 + [4] * 2, [1.0] * 1875)
    >>> round(found.collective, 3), round(found.between, 3), round(float(found.z[0]), 2)
    (0.194, 0.032, 0.14)
    """
    count, mass = whole("claims", claims, low=0, high=MOST_CLAIMS), numbers("exposure", exposure, low=0)
    in_a_row(claims=count)
    same_shape(claims=count, exposure=mass)
    bare = (mass == 0) & (count > 0)
    if bare.any():
        raise ModelError(problem("RM643", wrong=int(bare.sum()), firm=first(bare)))
    seen = mass > 0
    if seen.sum() < 2:
        raise ModelError(problem("RM645", firms=int(seen.sum())))
    if not count.any():
        raise ModelError(problem("RM652"))
    mean = np.divide(count, mass, out=np.zeros(len(mass)), where=seen)
    frequency = float(count.sum() / mass.sum())
    between, warnings = between_kept(mass[seen], mean[seen], frequency)
    sums = FirmSums(weight=mass, mean=mean, square=np.zeros(len(mass)), periods=seen.astype(np.int64))
    return with_parameters(sums, frequency, between, warnings=tuple(warnings))


@strict
def predictive_chances(
    claims: npt.ArrayLike,
    expected: npt.ArrayLike,
    next_expected: npt.ArrayLike,
    shape: Factor,
    most: Whole,
    rate: Factor | None = None,
) -> Floats:
    """Return the chance of 0, 1, ... `most` claims next year, (n, most + 1).

    Parameters
    ----------
    claims, expected, shape, rate : as `posterior_mean`
    next_expected : (n,) float64, expected claims of next year, at least 0
    most : the largest count shown; rows add up to less than 1 by the chance of more

    Raises
    ------
    ModelError
        As `posterior_mean`; RM642 also a shape above 1e9 or a mean above 2^31; RM838 more than 10^8 chances.

    Examples
    --------
    >>> predictive_chances([0], [1.0], [0.5], 2.0, 2).round(4).tolist()
    [[0.7347, 0.2099, 0.045]]
    """
    from scipy.stats import nbinom

    size, chance = _predictive(claims, expected, next_expected, shape, rate)
    cells = len(size) * (int(most) + 1)
    if cells > MOST_CHANCES:
        raise ModelError(problem("RM838", name="predictive_chances", cells=cells, most=MOST_CHANCES))
    found: Floats = np.asarray(nbinom.pmf(np.arange(most + 1), size[:, None], chance[:, None]), dtype=np.float64)
    return found


@strict
def predictive_quantile(
    claims: npt.ArrayLike,
    expected: npt.ArrayLike,
    next_expected: npt.ArrayLike,
    shape: Factor,
    probability: Chance,
    rate: Factor | None = None,
) -> Integers:
    """Return the least count that next year's claims do not exceed with the probability given, (n,) int64.

    Examples
    --------
    >>> predictive_quantile([0, 6], [1.0, 1.0], [1.0, 1.0], 2.0, 0.95).tolist()
    [3, 6]
    """
    from scipy.stats import nbinom

    size, chance = _predictive(claims, expected, next_expected, shape, rate)
    return np.asarray(nbinom.ppf(probability, size, chance)).astype(np.int64)


def shape_by_likelihood(claims: npt.ArrayLike, expected: npt.ArrayLike) -> float:
    """Return the shape a (= rate) of the risks by maximum likelihood; infinite where the firms show no differences.

    Each firm's total claims are negative binomial with mean E and size a. Every term that depends on a count alone is
    summed over distinct counts, so a million firms cost one logarithm each a step.

    Parameters
    ----------
    claims : (n,) whole numbers; expected : (n,) float64, at least 0

    Returns
    -------
    float; 1/a is the variance of the firms' risks

    Raises
    ------
    ModelError
        RM640, RM641, RM642, RM655; RM651 claims of a firm that expects none; RM652 no claims at all.

    Source
    ------
    Denuit et al. 2007, section 2.5.

    Examples
    --------
    >>> round(shape_by_likelihood([0, 0, 5, 1, 0, 9, 0, 1], [2.0] * 8), 3)
    0.363
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import gammaln

    count, mean, _, _ = _checked(claims, expected, 1.0, None)
    impossible = (mean == 0) & (count > 0)
    if impossible.any():
        raise ModelError(problem("RM651", wrong=int(impossible.sum()), firm=int(np.flatnonzero(impossible)[0])))
    if not count.any():
        raise ModelError(problem("RM652"))
    distinct, often = np.unique(count, return_counts=True)

    def lost(log_shape: float) -> float:
        a = np.exp(log_shape)
        own = often @ (gammaln(a + distinct) - gammaln(a) - distinct * log_shape)
        return -float(own - (a + count) @ np.log1p(mean / a))

    found = minimize_scalar(lost, bounds=(np.log(1e-3), np.log(1e7)), method="bounded", options={"xatol": 1e-9})
    flat = float(mean.sum())  # the limit a = ∞: Poisson, in the same terms
    return np.inf if found.fun >= flat - 1e-9 * abs(flat) or found.x > np.log(9e6) else float(np.exp(found.x))


def _predictive(
    claims: npt.ArrayLike, expected: npt.ArrayLike, next_expected: npt.ArrayLike, shape: float, rate: float | None
) -> tuple[Floats, Floats]:
    """Return size and success chance of next year's negative binomial."""
    count, mean, a, b = _checked(claims, expected, shape, rate)
    coming = numbers("next_expected", next_expected, low=0)
    same_shape(expected=mean, next_expected=coming)
    in_a_row(claims=count)
    numbers("shape", a, high=MOST_SHAPE)
    size: Floats = (a + count).astype(np.float64)
    numbers("next_expected * (shape + claims) / (rate + expected)", coming * size / (b + mean), high=MOST_CLAIMS)
    return size, (b + mean) / (b + mean + coming)


def _checked(
    claims: npt.ArrayLike, expected: npt.ArrayLike, shape: float, rate: float | None
) -> tuple[Integers, Floats, float, float]:
    count, mean = whole("claims", claims, low=0, high=MOST_CLAIMS), numbers("expected", expected, low=0)
    same_shape(claims=count, expected=mean)
    a = float(shape)
    return count, mean, a, a if rate is None else float(rate)
