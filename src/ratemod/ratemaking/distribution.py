"""Loss severities in closed form: density, survival, limited moments, quantiles; single or mixed.

A severity is a weighted list of components, usually one. With S the survival function,
    limited expected value E[min(X, d)] = ∫₀ᵈ S(x) dx,   E[min(X, d)²] = 2∫₀ᵈ x·S(x) dx,
    excess moment E[(X − d)+] = ∫_d^∞ S(x) dx,   E[X² − d²; X > d] = 2∫_d^∞ x·S(x) dx,
both kept in closed form, because far out a difference of limited moments has no digits left.
Parametrisation (scale θ): lognormal (μ, σ); gamma (shape, θ); weibull (shape, θ); exponential (θ); pareto (shape α, θ),
the Lomax form S = (θ/(x+θ))^α; burr (α, γ, θ), S = (1 + (x/θ)^γ)^−α; loglogistic (γ, θ), a burr of α = 1; single pareto
(α, θ), S = (θ/x)^α from the threshold θ on; inverse gaussian (mean, dispersion φ = 1/λ).

Source: Klugman, Panjer & Willmot, *Loss Models*, 5th ed., app. A.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Floats, finite, fractions, positive
from ratemod.rules.floats import floats
from ratemod.rules.options import strict
from ratemod.rules.within import Factor, Finite

BISECTIONS = 100  # of an interval of log x that the components' own quantiles span: to the last bits


@dataclass(frozen=True, slots=True)
class Component:
    """One closed-form distribution: its name and its parameters in the order of the module docstring."""

    name: str
    parameters: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Severity:
    """A distribution of loss sizes: components and their weights, which sum to 1."""

    components: tuple[Component, ...]
    weights: tuple[float, ...] = (1.0,)


@strict
def lognormal(mu: Finite, sigma: Factor) -> Severity:
    """Return the distribution of e^N, N normal with mean `mu` and standard deviation `sigma`."""
    return Severity((Component("lognormal", (float(mu), float(sigma))),))


@strict
def gamma(shape: Factor, scale: Factor) -> Severity:
    """Return a gamma distribution with mean shape·scale."""
    return _of("gamma", shape, scale)


@strict
def pareto(shape: Factor, scale: Factor) -> Severity:
    """Return a Pareto (Lomax) distribution; its mean is infinite for shape <= 1."""
    return _of("pareto", shape, scale)


@strict
def weibull(shape: Factor, scale: Factor) -> Severity:
    """Return a Weibull distribution, S = exp(−(x/scale)^shape)."""
    return _of("weibull", shape, scale)


@strict
def exponential(mean: Factor) -> Severity:
    """Return an exponential distribution."""
    return _of("exponential", mean)


@strict
def burr(shape: Factor, power: Factor, scale: Factor) -> Severity:
    """Return a Burr (XII) distribution."""
    return _of("burr", shape, power, scale)


@strict
def loglogistic(power: Factor, scale: Factor) -> Severity:
    """Return a log-logistic distribution, S = 1/(1 + (x/scale)^power); its mean is infinite for power <= 1."""
    return _of("loglogistic", power, scale)


@strict
def single_pareto(shape: Factor, threshold: Factor) -> Severity:
    """Return the single-parameter Pareto, S = (threshold/x)^shape above a threshold that all losses exceed."""
    return _of("single pareto", shape, threshold)


@strict
def inverse_gaussian(mean: Factor, dispersion: Factor) -> Severity:
    """Return an inverse Gaussian distribution with variance dispersion·mean³."""
    return _of("inverse gaussian", mean, dispersion)


def mixture(parts: Sequence[Severity], weights: Sequence[float]) -> Severity:
    """Return a mixture.

    Raises
    ------
    ModelError
        RM542 when weights are not positive, not one for each part, or do not sum to 1 within 1e-9.

    Examples
    --------
    >>> round(mean(mixture([exponential(10.0), exponential(100.0)], [0.9, 0.1])), 6)
    19.0
    """
    given = np.atleast_1d(finite("weights", weights))
    if given.ndim > 1 or len(parts) != len(given) or len(given) == 0 or given.min() <= 0 or abs(given.sum() - 1) > 1e-9:
        raise ModelError(problem("RM542", total=round(float(given.sum()), 9)))
    return Severity(
        tuple(one for part in parts for one in part.components),
        tuple(w * inner for part, w in zip(parts, weights) for inner in part.weights),
    )


def survival(severity: Severity, x: npt.ArrayLike) -> Floats:
    """Return P(X > x), shape of x.

    Examples
    --------
    >>> survival(exponential(1000.0), [0.0, 1000.0]).round(4).tolist()
    [1.0, 0.3679]
    """
    at = _amounts("x", x)
    return _mixed(severity, lambda one: np.exp(log_survival(one, np.maximum(at, 0.0))))


def density(severity: Severity, x: npt.ArrayLike) -> Floats:
    """Return the density at x, per unit of x; 0 below 0."""
    at = _amounts("x", x)
    beyond = np.where(at > 0, at, np.finfo(np.float64).tiny)  # at 0 as next to it
    return np.where(at >= 0, _mixed(severity, lambda one: np.exp(log_density(one, beyond))), 0.0)


def limited_moment(severity: Severity, limit: npt.ArrayLike, order: int = 1) -> Floats:
    """Return E[min(X, limit)^order], order 1 or 2; an infinite limit gives the moment itself (inf where there is none).

    Parameters
    ----------
    severity : Severity
    limit : float array >= 0, unit of the losses; np.inf allowed

    Returns
    -------
    float64, shape of `limit`, unit^order

    Raises
    ------
    ModelError
        RM543 where no closed form is kept (second moment of the inverse Gaussian; Burr with αγ <= order).

    Source
    ------
    Loss Models, app. A; checked against R actuar.

    Examples
    --------
    >>> limited_moment(pareto(2.0, 3000.0), [1000.0, np.inf]).round(6).tolist()
    [750.0, 3000.0]
    """
    at = np.maximum(_amounts("limit", limit), 0.0)
    if order not in (1, 2):
        raise ModelError(problem("RM543", name="any", order=order))
    return _mixed(severity, lambda one: _limited(one, at, order))


def mean(severity: Severity) -> float:
    """Return E[X], infinite where it is."""
    return float(limited_moment(severity, np.inf))


def excess_moment(severity: Severity, deductible: npt.ArrayLike, order: int = 1) -> Floats:
    """Return what lies above a deductible: E[(X − d)+] for order 1, E[X² − d²; X > d] for order 2.

    Parameters
    ----------
    severity : Severity
    deductible : float array >= 0, unit of the losses
    order : 1 or 2

    Returns
    -------
    float64, shape of `deductible`, unit^order; infinite where the moment is

    Raises
    ------
    ModelError
        RM543 where no closed form is kept.

    Source
    ------
    Loss Models, app. A, the upper tails of the same incomplete functions.

    Examples
    --------
    >>> excess_moment(exponential(1000.0), [0.0, 40_000.0]).tolist()
    [1000.0, 4.248354255291589e-15]
    """
    at = np.maximum(_amounts("deductible", deductible), 0.0)
    if order not in (1, 2):
        raise ModelError(problem("RM543", name="any", order=order))
    return _mixed(severity, lambda one: _excess(one, at, order))


def quantile(severity: Severity, probability: npt.ArrayLike) -> Floats:
    """Return the x with P(X <= x) = probability: 0 at 0, infinite at 1.

    Parameters
    ----------
    severity : Severity
    probability : float array, each in 0..1

    Returns
    -------
    float64, shape of `probability`, unit of the losses. One component is inverted in closed form; a mixture by
    bisection on log x between the quantiles of its components, on whichever tail is the smaller.

    Raises
    ------
    ModelError
        RM500, RM504 for a probability that is missing or outside 0..1.

    Examples
    --------
    >>> quantile(exponential(1.0), [0.5, 1e-18, 1.0]).round(20).tolist()
    [0.6931471805599453, 1e-18, inf]
    """
    p = fractions("probability", probability)
    each = [np.asarray(_quantile(one, p), dtype=np.float64) for one in severity.components]
    low, high = np.minimum.reduce(each), np.maximum.reduce(each)
    inner = (p > 0) & (p < 1) & (low < high)
    if inner.any():
        left, right, wanted = np.log(low[inner]), np.log(high[inner]), p[inner]
        for _ in range(BISECTIONS):
            middle = (left + right) / 2
            x = np.exp(middle)
            enough = np.where(wanted < 0.5, cumulative(severity, x) >= wanted, survival(severity, x) <= 1 - wanted)
            left, right = np.where(enough, left, middle), np.where(enough, middle, right)
        low = np.array(low)
        low[inner] = np.exp((left + right) / 2)
    return np.asarray(low, dtype=np.float64)


def cumulative(severity: Severity, x: npt.ArrayLike) -> Floats:
    """Return P(X <= x), shape of x, with all its digits also where it is next to nothing.

    Examples
    --------
    >>> cumulative(exponential(1.0), [1e-18, 1.0]).round(20).tolist()
    [1e-18, 0.6321205588285577]
    """
    at = np.maximum(_amounts("x", x), 0.0)
    return _mixed(severity, lambda one: _cumulative(one, at))


def log_density(one: Component, x: Floats) -> Floats:
    """Return the log density of one component at x > 0."""
    from scipy.special import gammaln

    one = _as_burr(one)
    a = one.parameters
    match one.name:
        case "lognormal":
            value = -(((np.log(x) - a[0]) / a[1]) ** 2) / 2 - np.log(x * a[1]) - np.log(2 * np.pi) / 2
        case "gamma":
            value = (a[0] - 1) * np.log(x / a[1]) - x / a[1] - np.log(a[1]) - gammaln(a[0])
        case "weibull":
            value = np.log(a[0] / a[1]) + (a[0] - 1) * np.log(x / a[1]) - (x / a[1]) ** a[0]
        case "exponential":
            value = -x / a[0] - np.log(a[0])
        case "pareto":
            value = np.log(a[0] / a[1]) - (a[0] + 1) * np.log1p(x / a[1])
        case "single pareto":
            value = np.where(x >= a[1], np.log(a[0] / a[1]) - (a[0] + 1) * np.log(x / a[1]), -np.inf)
        case "burr":
            value = (
                np.log(a[0] * a[1] / a[2]) + (a[1] - 1) * np.log(x / a[2]) - (a[0] + 1) * np.log1p((x / a[2]) ** a[1])
            )
        case _:
            value = -np.log(2 * np.pi * a[1] * x**3) / 2 - (x / a[0] - 1) ** 2 / (2 * a[1] * x)
    return np.asarray(value, dtype=np.float64)


def log_survival(one: Component, x: Floats) -> Floats:
    """Return log P(X > x) of one component at x >= 0."""
    from scipy.special import gammaincc, log_ndtr

    one = _as_burr(one)
    a = one.parameters
    with np.errstate(divide="ignore", invalid="ignore"):
        match one.name:
            case "lognormal":
                value = log_ndtr((a[0] - np.log(x)) / a[1])
            case "gamma":
                value = np.log(gammaincc(a[0], x / a[1]))
            case "weibull":
                value = -((x / a[1]) ** a[0])
            case "exponential":
                value = -x / a[0]
            case "pareto":
                value = -a[0] * np.log1p(x / a[1])
            case "single pareto":
                value = -a[0] * np.maximum(np.log(x / a[1]), 0.0)
            case "burr":
                value = -a[0] * np.log1p((x / a[2]) ** a[1])
            case _:
                left, right = _inverse_gaussian(a, x)
                value = np.where(x > 0, np.log1p(-np.minimum(left + right, 1.0)), 0.0)
    return np.asarray(value, dtype=np.float64)


def _amounts(name: str, values: npt.ArrayLike) -> Floats:
    """Return amounts, none missing; they may be infinite."""
    at = floats(name, values)
    if np.isnan(at).any():
        raise ModelError(problem("RM500", name=name, wrong=int(np.isnan(at).sum()), first=int(np.argmax(np.isnan(at)))))
    return at


def _of(name: str, *parameters: float) -> Severity:
    """Return a single component with positive parameters."""
    positive(name, parameters)
    return Severity((Component(name, tuple(float(value) for value in parameters)),))


def _mixed(severity: Severity, of: Callable[[Component], Floats]) -> Floats:
    """Return the weighted sum of a function of each component."""
    parts = [weight * of(one) for one, weight in zip(severity.components, severity.weights)]
    return np.asarray(sum(parts[1:], parts[0]), dtype=np.float64)


def _limited(one: Component, d: Floats, k: int) -> Floats:
    """Return E[min(X, d)^k] of one component."""
    from scipy.special import beta, betainc, gammainc, gammaln, hyp2f1, ndtr

    one = _as_burr(one)
    a = one.parameters
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        beyond = np.where(np.isinf(d), 0.0, d**k * np.exp(log_survival(one, d)))
        match one.name:
            case "lognormal":
                below = _lognormal_moment(a, k) * ndtr((np.log(d) - a[0] - k * a[1] ** 2) / a[1])
            case "gamma":
                below = a[1] ** k * np.exp(gammaln(a[0] + k) - gammaln(a[0])) * gammainc(a[0] + k, d / a[1])
            case "weibull" | "exponential":
                shape, scale = a if one.name == "weibull" else (1.0, a[0])
                below = scale**k * np.exp(gammaln(1 + k / shape)) * gammainc(1 + k / shape, (d / scale) ** shape)
            case "pareto":
                return _pareto_limited(a, d, k)
            case "single pareto":
                over = np.maximum(np.log(d / a[1]), 0.0)
                grown = over if a[0] == k else np.expm1((k - a[0]) * over) / (k - a[0])
                return np.asarray(np.minimum(d, a[1]) ** k + k * a[1] ** k * grown)
            case "burr" if a[0] * a[1] > k:
                u = 1 / (1 + (d / a[2]) ** a[1])
                p, q = 1 + k / a[1], a[0] - k / a[1]
                below = a[2] ** k * a[0] * beta(p, q) * betainc(p, q, 1 - u)
            case "burr":  # the moment is infinite, the limited one is not: k∫₀ᵈ x^(k−1) S dx
                series = d**k * hyp2f1(a[0], k / a[1], 1 + k / a[1], -((d / a[2]) ** a[1]))
                return np.where(np.isinf(d), np.inf, series)
            case "inverse gaussian" if k == 1:
                left, right = _inverse_gaussian(a, d)
                below = a[0] * (left - right)
            case _:
                raise ModelError(problem("RM543", name=one.name, order=k))
    return np.asarray(below + beyond, dtype=np.float64)


def _excess(one: Component, d: Floats, k: int) -> Floats:
    """Return E[X^k − d^k; X > d] of one component."""
    from scipy.special import beta, betaincc, gammaincc, gammaln, ndtr

    one = _as_burr(one)
    a = one.parameters
    with np.errstate(invalid="ignore", over="ignore", divide="ignore", under="ignore"):
        over = np.exp(log_survival(one, d))
        match one.name:
            case "lognormal":
                above = _lognormal_moment(a, k) * ndtr((a[0] + k * a[1] ** 2 - np.log(d)) / a[1])
            case "gamma":
                above = a[1] ** k * np.exp(gammaln(a[0] + k) - gammaln(a[0])) * gammaincc(a[0] + k, d / a[1])
            case "exponential":
                return np.where(np.isinf(d), 0.0, over * (a[0] if k == 1 else 2 * a[0] * (d + a[0])))
            case "weibull":
                above = a[1] ** k * np.exp(gammaln(1 + k / a[0])) * gammaincc(1 + k / a[0], (d / a[1]) ** a[0])
            case "pareto":
                if a[0] <= k:
                    return np.full(d.shape, np.inf)
                first = over * (d + a[1]) / (a[0] - 1)
                tail = first if k == 1 else 2 * first * (d * (a[0] - 1) + a[1]) / (a[0] - 2)
                return np.where(np.isinf(d), 0.0, tail)
            case "single pareto":
                if a[0] <= k:
                    return np.full(d.shape, np.inf)
                begun = np.maximum(d, a[1])
                tail = k * begun**k * np.exp(log_survival(one, begun)) / (a[0] - k)
                return np.where(np.isinf(d), 0.0, np.maximum(a[1] ** k - d**k, 0.0) + tail)
            case "burr":
                if a[0] * a[1] <= k:
                    return np.full(d.shape, np.inf)
                power = (d / a[2]) ** a[1]
                p, q = 1 + k / a[1], a[0] - k / a[1]
                above = a[2] ** k * a[0] * beta(p, q) * betaincc(p, q, power / (1 + power))
            case "inverse gaussian" if k == 1:
                _, right = _inverse_gaussian(a, d)
                above = a[0] * (ndtr(-np.sqrt(1 / (a[1] * d)) * (d / a[0] - 1)) + right)
            case _:
                raise ModelError(problem("RM543", name=one.name, order=k))
    tail = np.where(np.isinf(d), 0.0, above - d**k * over)
    return np.maximum(tail, 0.0)


def _as_burr(one: Component) -> Component:
    """Return a log-logistic as the burr that it is; others as they are."""
    return Component("burr", (1.0, *one.parameters)) if one.name == "loglogistic" else one


def _lognormal_moment(a: tuple[float, ...], k: int) -> float:
    """Return E[X^k] of a lognormal."""
    return float(np.exp(k * a[0] + (k * a[1]) ** 2 / 2))


def _cumulative(one: Component, x: Floats) -> Floats:
    """Return P(X <= x) of one component, from below."""
    from scipy.special import gammainc, ndtr

    a = one.parameters
    with np.errstate(divide="ignore", invalid="ignore"):
        match one.name:
            case "lognormal":
                value = ndtr((np.log(x) - a[0]) / a[1])
            case "gamma":
                value = gammainc(a[0], x / a[1])
            case "inverse gaussian":
                left, right = _inverse_gaussian(a, x)
                value = np.where(x > 0, left + right, 0.0)
            case _:
                value = -np.expm1(log_survival(one, x))
    return np.asarray(value, dtype=np.float64)


def _quantile(one: Component, p: Floats) -> Floats:
    """Return the quantile of one component."""
    from scipy.special import gammaincinv, ndtri
    from scipy.stats import invgauss

    one = _as_burr(one)
    a = one.parameters
    with np.errstate(divide="ignore", over="ignore"):
        hazard = -np.log1p(-p)  # the cumulative hazard at the quantile
        match one.name:
            case "lognormal":
                value = np.exp(a[0] + a[1] * ndtri(p))
            case "gamma":
                value = a[1] * gammaincinv(a[0], p)
            case "weibull":
                value = a[1] * hazard ** (1 / a[0])
            case "exponential":
                value = a[0] * hazard
            case "pareto":
                value = a[1] * np.expm1(hazard / a[0])
            case "single pareto":
                value = np.where(p > 0, a[1] * np.exp(hazard / a[0]), 0.0)
            case "burr":
                value = a[2] * np.expm1(hazard / a[0]) ** (1 / a[1])
            case _:
                value = invgauss.ppf(p, a[0] * a[1], scale=1 / a[1])
    return np.asarray(value, dtype=np.float64)


def _pareto_limited(a: tuple[float, ...], d: Floats, k: int) -> Floats:
    """Return k∫₀ᵈ x^(k−1)·(θ/(x+θ))^α dx, valid for every α > 0."""
    alpha, theta = a
    ratio = 1 + d / theta

    def power(exponent: float) -> Floats:
        logs = np.log(ratio)
        return np.asarray(logs if exponent == -1 else np.expm1((exponent + 1) * logs) / (exponent + 1))

    if k == 1:
        return np.asarray(theta * power(-alpha))
    finite = np.asarray(2 * theta**2 * (power(1 - alpha) - power(-alpha)))
    if alpha > 2:
        return np.where(np.isinf(d), 2 * theta**2 / ((alpha - 1) * (alpha - 2)), finite)
    return np.where(np.isinf(d), np.inf, finite)


def _inverse_gaussian(a: tuple[float, ...], x: Floats) -> tuple[Floats, Floats]:
    """Return Φ(z) and e^(2λ/μ)·Φ(−y), the two terms of the inverse Gaussian distribution function."""
    from scipy.special import log_ndtr, ndtr

    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(1 / (a[1] * x))
        z = np.where(np.isinf(x), np.inf, root * (x / a[0] - 1))
        y = np.where(np.isinf(x), np.inf, root * (x / a[0] + 1))
    return ndtr(z), np.exp(2 / (a[0] * a[1]) + log_ndtr(-y))
