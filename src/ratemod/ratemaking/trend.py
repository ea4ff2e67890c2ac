"""Loss trend: log-linear regression of frequency, severity or loss cost on time, with standard errors.

log y = a + b·t + ε, weights w (exposure or claim counts): b̂ = Σw(t−t̄)(log y − ȳ)/Σw(t−t̄)², se²(b̂) = s²/Σw(t−t̄)² with s²
the weighted residual sum over n − 2. Annual trend = e^b − 1; its interval is that of b, exponentiated (Student's t).
Trend moves each period's average date of loss to the average date of loss of the new policies.

Source: Werner & Modlin, *Basic Ratemaking*, 5th ed., ch. 6 and app.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.document.result import Result
from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Floats, finite, positive, same_length
from ratemod.rules.options import strict
from ratemod.rules.within import Amount, Chance, Factor, Finite, Rate


@dataclass(frozen=True, slots=True, repr=False)
class Trend(Result):
    """A fitted annual trend.

    Attributes
    ----------
    rate, rate_low, rate_high : float, annual change and its interval, +0.03 for +3 %
    log_slope, log_slope_se, log_intercept : float, of log y on time in years
    r_squared : float; residual_df : int; level : float, of the interval
    fitted : (n,) float64, unit of y
    """

    rate: float
    rate_low: float
    rate_high: float
    log_slope: float
    log_slope_se: float
    log_intercept: float
    r_squared: float
    residual_df: int
    level: float
    fitted: Floats


@strict
def fit_trend(
    time: npt.ArrayLike, value: npt.ArrayLike, weight: npt.ArrayLike | None = None, *, level: Chance = 0.95
) -> Trend:
    """Fit a log-linear trend.

    Parameters
    ----------
    time : (n,) float, years (the middle of each period)
    value : (n,) float > 0, frequency, severity or loss cost, on-level and developed
    weight : (n,) float > 0, or None for equal weights
    level : of the interval

    Returns
    -------
    Trend

    Raises
    ------
    ModelError
        RM502 for values that have no logarithm; RM525 for fewer than three points or a single date; RM500, RM503.

    Examples
    --------
    >>> fit_trend([2020, 2021, 2022, 2023], [100, 106, 109, 117]).rate.__round__(4)
    0.0512
    """
    from scipy.special import stdtrit

    t, y = finite("time", time), np.log(positive("value", value))
    w = np.ones(t.size) if weight is None else positive("weight", weight)
    same_length(time=t, value=y, weight=w)
    if len(t) < 3 or np.ptp(t) == 0:
        raise ModelError(problem("RM525", points=len(t)))
    mean_t, mean_y = w @ t / w.sum(), w @ y / w.sum()
    spread = float(w @ (t - mean_t) ** 2)
    slope = float(w @ ((t - mean_t) * (y - mean_y)) / spread)
    intercept = float(mean_y - slope * mean_t)
    rest = y - intercept - slope * t
    df = len(t) - 2
    error = float(np.sqrt(w @ rest**2 / df / spread))
    half = float(stdtrit(df, (1 + level) / 2)) * error
    varied = float(w @ (y - mean_y) ** 2)
    explained = 1 - float(w @ rest**2) / varied if varied else 1.0
    return Trend(
        float(np.expm1(slope)),
        float(np.expm1(slope - half)),
        float(np.expm1(slope + half)),
        slope,
        error,
        intercept,
        explained,
        df,
        level,
        np.exp(intercept + slope * t),
    )


@strict
def trend_factor(rate: Rate, from_time: npt.ArrayLike, to_time: npt.ArrayLike) -> Floats:
    """Return (1 + rate)^(years between two average loss dates).

    Examples
    --------
    >>> trend_factor(0.05, 2020.5, [2022.5]).round(4).tolist()
    [1.1025]
    """
    years = np.asarray(finite("to_time", to_time) - finite("from_time", from_time))
    grown: Floats = (1 + float(rate)) ** years
    return grown


def loss_cost_trend(frequency: Trend, severity: Trend) -> float:
    """Return the loss-cost trend that two separate trends make: (1 + f)(1 + s) − 1."""
    return (1 + frequency.rate) * (1 + severity.rate) - 1


@strict
def average_loss_date(start: Finite, years: Factor, term_years: Amount) -> float:
    """Return the average date of loss of policies written evenly from `start` over `years`: start + (years + term)/2.

    Examples
    --------
    >>> average_loss_date(2025.0, 1.0, 1.0)
    2026.0
    """
    return start + (years + term_years) / 2
