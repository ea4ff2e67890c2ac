"""Aggregate losses of a large insured: discretise the severity, then Panjer's recursion or a Fourier transform.

With severity probabilities f on 0, h, 2h … and N in the (a, b, 0) class (p_n = (a + b/n)·p_{n−1}),
    g_0 = P_N(f_0),   g_s = Σ_{j=1..s} (a + b·j/s)·f_j·g_{s−j} / (1 − a·f_0);
by transform, g = FFT⁻¹(P_N(FFT(f))), on a grid long enough that what lies beyond it does not wrap round (tilting by
e^(−θs) shrinks what would). Two roads to one number: `compound` can walk both and refuses to answer when they part.

Source: Panjer, ASTIN 12 (1981); Klugman, Panjer & Willmot, 5th ed., ch. 9; Grübel & Hermesmeier, ASTIN 29 (1999).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Floats, finite, fractions, non_negative, positive
from ratemod.ratemaking.distribution import Severity, limited_moment, survival
from ratemod.rules.options import strict
from ratemod.rules.within import Amount, Chance, Count, Factor, Share

Method = Literal["rounding", "unbiased", "lower", "upper"]
AGREE = 1e-10
LOST = 1e-6
ROUNDING = 1e-12  # of a Fourier transform of probabilities
LOG_SMALLEST = -700.0


@dataclass(frozen=True, slots=True)
class Frequency:
    """A claim-count distribution.

    Attributes
    ----------
    name : "poisson", "binomial", "negative binomial" or "empirical"
    parameters : (λ,), (m, q), (r, β) with mean rβ and variance rβ(1+β), or the probabilities of 0, 1, 2 …
    """

    name: str
    parameters: tuple[float, ...]


@strict
def poisson(mean: Factor) -> Frequency:
    """Return a Poisson count."""
    return Frequency("poisson", (float(mean),))


@strict
def binomial(trials: Count, probability: Chance) -> Frequency:
    """Return a binomial count; `probability` strictly between 0 and 1."""
    return Frequency("binomial", (float(trials), float(probability)))


@strict
def negative_binomial(size: Factor, beta: Factor) -> Frequency:
    """Return a negative binomial count with mean size·beta; size 1 is the geometric."""
    return Frequency("negative binomial", (float(size), float(beta)))


def empirical(probabilities: npt.ArrayLike) -> Frequency:
    """Return a count with stated probabilities of 0, 1, 2 …

    Raises
    ------
    ModelError
        RM548 when they do not sum to 1.
    """
    p = _distribution("frequency", probabilities)
    return Frequency("empirical", tuple(p.tolist()))


@strict
def discretise(severity: Severity, step: float, count: int, method: Method = "unbiased") -> Floats:
    """Put a severity on the grid 0, step, …, step·count.

    Parameters
    ----------
    severity : Severity; step : unit of the losses
    count : number of steps
    method : "rounding" puts mass at the nearest point, "unbiased" keeps limited expected values at the points (mean
        included), "lower" rounds losses up and "upper" down (their distribution functions bound the true one)

    Returns
    -------
    (count + 1,) float64; "rounding" and "upper" give nothing at the last point

    Source
    ------
    Loss Models, 9.6.3 and 9.6.5; compared with R actuar's `discretize`.

    Examples
    --------
    >>> from ratemod.ratemaking.distribution import exponential
    >>> discretise(exponential(1.0), 1.0, 3, "lower").round(4).tolist()
    [0.0, 0.6321, 0.2325, 0.0855]
    """
    h = float(positive("step", [step])[0])
    if count < 1:
        raise ModelError(problem("RM502", name="count", wrong=1, first=0))
    grid = h * np.arange(count + 1)
    out = np.zeros(count + 1)
    if method == "rounding":
        left = survival(severity, grid - h / 2)
        out[:-1] = (left - survival(severity, grid + h / 2))[:-1]
        out[0] = 1 - survival(severity, h / 2)
    elif method == "unbiased":
        # Second differences of a concave function: what is below zero is rounding, in the last bits.
        limited = limited_moment(severity, grid) / h
        out[0] = 1 - (limited[1] - limited[0])
        out[1:-1] = 2 * limited[1:-1] - limited[:-2] - limited[2:]
        out[-1] = limited[-1] - limited[-2] - survival(severity, grid[-1])
        out = np.maximum(out, 0.0)
    else:
        jump = survival(severity, grid[:-1]) - survival(severity, grid[1:])
        out[slice(1, None) if method == "lower" else slice(None, -1)] = jump
    return out


@strict
def panjer(severity: npt.ArrayLike, frequency: Frequency, points: Count) -> Floats:
    """Return the aggregate probabilities of 0, h, …, (points−1)·h by Panjer's recursion.

    Parameters
    ----------
    severity : (m,) float64, probabilities of 0, h, 2h …, at most 1 in sum (what is missing lies beyond the grid)
    frequency : Frequency; points : length of the answer

    Raises
    ------
    ModelError
        RM548 for probabilities; RM549 for an empirical count, which has no (a, b, 0) form; RM550 when P(0) underflows.

    Examples
    --------
    >>> panjer([0.0, 0.25, 0.25, 0.25, 0.25], negative_binomial(1.0, 4.0), 4).round(6).tolist()
    [0.2, 0.04, 0.048, 0.0576]
    """
    f = _distribution("severity", severity, whole=False)
    a, b = _panjer_class(frequency)
    log_first = float(_log_generating(frequency, f[:1].astype(np.complex128))[0].real)
    if log_first < LOG_SMALLEST:
        raise ModelError(problem("RM550", log_probability=round(log_first, 1)))
    g = np.zeros(points)
    g[0] = np.exp(log_first)
    weighted, width = np.arange(len(f)) * f, len(f) - 1
    for s in range(1, points):
        top = min(s, width)
        back = g[s - top : s][::-1]
        g[s] = (a * (f[1 : top + 1] @ back) + b / s * (weighted[1 : top + 1] @ back)) / (1 - a * f[0])
    return g


@strict
def transform(severity: npt.ArrayLike, frequency: Frequency, points: Count, *, tilt: Amount | None = None) -> Floats:
    """Return the same probabilities by fast Fourier transform.

    Parameters
    ----------
    severity, frequency, points : as in `panjer`; any frequency
    tilt : total exponential tilt θ·n over the grid; default 20, so that at most e^−20 of what lies beyond wraps round,
        or 0 where nothing can lie beyond

    Examples
    --------
    >>> transform([0.0, 0.25, 0.25, 0.25, 0.25], negative_binomial(1.0, 4.0), 4).round(6).tolist()
    [0.2, 0.04, 0.048, 0.0576]
    """
    f = _distribution("severity", severity, whole=False)
    size = 2 ** int(np.ceil(np.log2(2 * max(points, len(f)))))
    rate = (_default_tilt(frequency, len(f) - 1, size) if tilt is None else float(tilt)) / size
    padded = np.zeros(size)
    padded[: len(f)] = f
    shrink = np.exp(-rate * np.arange(size))
    inside = np.fft.rfft(padded * shrink)
    g = np.fft.irfft(np.exp(_log_generating(frequency, inside)), size) / shrink
    return np.maximum(np.asarray(g[:points], dtype=np.float64), 0.0)  # what is below zero is rounding


@strict
def compound(severity: npt.ArrayLike, frequency: Frequency, points: Count) -> Floats:
    """Return the aggregate probabilities, by both methods where both apply, if they agree.

    Raises
    ------
    ModelError
        RM551 when Panjer and Fourier differ by more than 1e-10 anywhere; RM552 when the grid leaves out more than 1e-6
        of the probability.

    Examples
    --------
    >>> compound([0.0, 1.0], poisson(2.0), 30).sum().round(9).item()
    1.0
    """
    by_transform = transform(severity, frequency, points)
    g = by_transform if frequency.name == "empirical" else panjer(severity, frequency, points)
    _all_mass(g)
    apart = float(np.abs(g - by_transform).max())
    if apart > AGREE:
        raise ModelError(problem("RM551", apart=apart))
    return np.maximum(g, 0.0)


@strict
def quantiles(probabilities: npt.ArrayLike, level: npt.ArrayLike, step: Factor = 1.0) -> Floats:
    """Return the smallest grid value whose distribution function reaches each level.

    Parameters
    ----------
    probabilities : (m,) float64, of 0, step, 2·step …; level : float array, each in 0..1; step : unit of the losses

    Raises
    ------
    ModelError
        RM552 for one that lies beyond the grid; RM548.

    Examples
    --------
    >>> quantiles([0.5, 0.3, 0.2], [0.5, 0.75]).tolist()
    [0.0, 1.0]
    """
    total = np.cumsum(_distribution("probabilities", probabilities, whole=False))
    at = np.searchsorted(total, fractions("level", level) - 1e-14, side="left")
    if (at >= len(total)).any():
        raise ModelError(problem("RM552", lost=float(1 - total[-1]), points=len(total)))
    return np.asarray(at * step, dtype=np.float64)


@strict
def tail_value_at_risk(probabilities: npt.ArrayLike, level: Share, step: Factor = 1.0) -> tuple[float, float]:
    """Return TVaR (the mean of the worst 1−level of the probability) and the mean beyond the quantile, E[S | S > VaR].

    The two differ where the quantile carries probability of its own; R actuar prints the second under the first's name.
    At level 1 both are the largest loss that can happen.

    Raises
    ------
    ModelError
        RM552 when the grid leaves out more than 1e-6 of the probability: what lies
        beyond it is what a tail value is made of.

    Examples
    --------
    >>> tail_value_at_risk([0.5, 0.3, 0.2], 0.75)
    (1.8, 2.0)
    """
    g = _all_mass(probabilities)
    x = step * np.arange(len(g))
    if level == 1:
        most = float(x[g > 0].max())
        return most, most
    var = float(quantiles(g, [level], step)[0])
    above = x > var
    beyond, mass = float(g[above] @ x[above]), float(g[above].sum())
    tail = (beyond + var * (1 - level - mass)) / (1 - level)
    return tail, beyond / mass if mass > 0 else var


@strict
def stop_loss(probabilities: npt.ArrayLike, retention: npt.ArrayLike, step: Factor = 1.0) -> Floats:
    """Return E[(S − d)+] for each retention d, (k,) float64 in the unit of `step`.

    Raises
    ------
    ModelError
        RM552 when the grid leaves out more than 1e-6 of the probability; RM500, RM501, RM548.

    Examples
    --------
    >>> stop_loss([0.5, 0.3, 0.2], [0.0, 1.0]).round(6).tolist()
    [0.7, 0.2]
    """
    g = _all_mass(probabilities)
    d = np.atleast_1d(non_negative("retention", retention))
    x = step * np.arange(len(g))
    return np.array([np.maximum(x - one, 0) @ g for one in d])


@strict
def insurance_charge(
    probabilities: npt.ArrayLike, entry_ratio: npt.ArrayLike, step: Factor = 1.0
) -> tuple[Floats, Floats]:
    """Return Table M charges φ(r) = E[(S − rE)+]/E and savings ψ(r) = φ(r) + r − 1.

    Raises
    ------
    ModelError
        RM552 when the grid leaves out more than 1e-6 of the probability; RM500, RM501, RM548.

    Examples
    --------
    >>> [part.round(6).tolist() for part in insurance_charge([0.5, 0.0, 0.5], [1.0])]
    [[0.5], [0.5]]
    """
    g, r = _all_mass(probabilities), non_negative("entry_ratio", entry_ratio)
    expected = float(step * np.arange(len(g)) @ g)
    charge = stop_loss(g, r * expected, step) / positive("expected loss", [expected])[0]
    return charge, charge + r - 1


def moments(
    frequency_mean: npt.ArrayLike,
    frequency_variance: npt.ArrayLike,
    severity_mean: npt.ArrayLike,
    severity_variance: npt.ArrayLike,
) -> tuple[Floats, Floats]:
    """Return mean and variance of a sum of N independent claims: E[N]E[X], E[N]Var[X] + Var[N]E[X]².

    Examples
    --------
    >>> [float(part) for part in moments(2.0, 2.0, 10.0, 100.0)]
    [20.0, 400.0]
    """
    n, vn, x, vx = (
        finite(name, part)
        for name, part in (
            ("frequency_mean", frequency_mean),
            ("frequency_variance", frequency_variance),
            ("severity_mean", severity_mean),
            ("severity_variance", severity_variance),
        )
    )
    return n * x, n * vx + vn * x * x


def _all_mass(probabilities: npt.ArrayLike) -> Floats:
    """Return probabilities of which the grid leaves out next to nothing, or refuse (RM552)."""
    g = _distribution("probabilities", probabilities, whole=False)
    if 1 - g.sum() > LOST:
        raise ModelError(problem("RM552", lost=float(1 - g.sum()), points=len(g)))
    return g


def _distribution(name: str, values: npt.ArrayLike, *, whole: bool = True) -> Floats:
    """Return probabilities, non-negative and summing to 1 (or, unless `whole`, to less).

    What a transform leaves below zero in the last bits is zero.
    """
    p = finite(name, values)
    p = non_negative(name, np.where((p < 0) & (p > -ROUNDING), 0.0, p))
    total = float(p.sum())
    if total > 1 + 1e-9 or (whole and total < 1 - 1e-9) or total <= 0:
        raise ModelError(problem("RM548", name=name, total=round(total, 9)))
    return p


def _default_tilt(frequency: Frequency, width: int, size: int) -> float:
    """Return 0 where the largest possible loss fits on the grid, else 20: tilting costs digits at the far end."""
    most = {"empirical": len(frequency.parameters) - 1.0, "binomial": frequency.parameters[0]}
    return 0.0 if most.get(frequency.name, np.inf) * width < size else 20.0


def _panjer_class(frequency: Frequency) -> tuple[float, float]:
    """Return a and b."""
    p = frequency.parameters
    match frequency.name:
        case "poisson":
            return 0.0, p[0]
        case "binomial":
            odds = p[1] / (1 - p[1])
            return -odds, (p[0] + 1) * odds
        case "negative binomial":
            back = p[1] / (1 + p[1])
            return back, (p[0] - 1) * back
        case _:
            raise ModelError(problem("RM549", name=frequency.name))


def _log_generating(frequency: Frequency, z: npt.NDArray[np.complex128]) -> npt.NDArray[np.complex128]:
    """Return the logarithm of the probability generating function."""
    p = frequency.parameters
    match frequency.name:
        case "poisson":
            return np.asarray(p[0] * (z - 1))
        case "binomial":
            return np.asarray(p[0] * np.log1p(p[1] * (z - 1)))
        case "negative binomial":
            return np.asarray(-p[0] * np.log1p(-p[1] * (z - 1)))
        case _:
            with np.errstate(divide="ignore"):
                return np.asarray(np.log(np.polynomial.polynomial.polyval(z, p)))
