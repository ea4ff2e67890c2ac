"""On-level factors: past premium at today's rate level.

Parallelogram: policies of term T are written evenly, so the share of the exposure earned over a period [a, b] that was
written on or after date d is [G(b−d) − G(a−d)] / (b−a), where G(x) = 0 for x ≤ 0, x²/2T for x ≤ T and x − T/2 beyond.
With cumulative levels L₀, L₁ … and shares w, factor = L_last / Σ w·L. Policy years use the share written, not earned; a
change by law that reaches policies in force is a vertical line: the share of the period after d.

Where writings are not even, `on_level_premium` takes each policy's own inception date instead: exact, given the
policies. Source: Werner & Modlin, *Basic Ratemaking*, 5th ed., ch. 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ratemod.document.result import Result
from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Booleans, Dates, Floats, finite, positive, same_length
from ratemod.ratemaking.exposure import Basis, clock, days, period_bounds
from ratemod.rules.floats import in_a_row, truths
from ratemod.rules.options import strict

Period = Literal["calendar", "policy"]


@dataclass(frozen=True, slots=True, repr=False)
class OnLevel(Result):
    """On-level factors with the levels that made them; the level before the first change is 1.

    Attributes
    ----------
    factor : (k,) float64, multiplies the premium of each period: current_level / average_level
    average_level : (k,) float64
    current_level : float, after the last change
    """

    factor: Floats
    average_level: Floats
    current_level: float


def cumulative_levels(change_date: npt.ArrayLike, change: npt.ArrayLike) -> tuple[Dates, Floats]:
    """Return change dates and the rate level before the first and after each change (the first is 1).

    Raises
    ------
    ModelError
        RM511 when dates do not increase, RM512 when a change is −100 % or lower.

    Examples
    --------
    >>> cumulative_levels(["2010-07-01", "2011-01-01"], [0.05, 0.10])[1].round(4).tolist()
    [1.0, 1.05, 1.155]
    """
    when, step = days("change_date", change_date), finite("change", change)
    in_a_row(change_date=when, change=step)
    if len(when) != len(step) or (when[1:] <= when[:-1]).any():
        raise ModelError(problem("RM511"))
    if (step <= -1).any():
        raise ModelError(problem("RM512", value=float(step.min())))
    return when, np.concatenate([[1.0], np.cumprod(1 + step)])


@strict
def parallelogram(
    change_date: npt.ArrayLike,
    change: npt.ArrayLike,
    period_edges: npt.ArrayLike,
    *,
    term_months: float = 12,
    period: Period = "calendar",
    in_force_changes: Sequence[bool] | None = None,
    basis: Basis = "month",
) -> OnLevel:
    """Return on-level factors by the parallelogram method.

    Parameters
    ----------
    change_date : (c,) increasing dates; change : (c,) float, +0.05 for +5 %
    period_edges : (k+1,) increasing dates, usually 1 January
    term_months : policy term in months
    period : "calendar" (earned) or "policy" (written) years
    in_force_changes : (c,) bool, True where a change also reaches policies in force; default none does
    basis : "month" reckons by months (1 July is the middle of the year); "day" by days, a term of twelve months being
        as many days as the twelve months that end with the period

    Returns
    -------
    OnLevel

    Raises
    ------
    ModelError
        RM507, RM511, RM512; RM513 for in-force changes by policy year; RM502 when the term is not positive.

    Examples
    --------
    >>> parallelogram(["2010-07-01", "2011-01-01", "2012-04-01"], [0.05, 0.10, -0.01],
    ...               ["2011-01-01", "2012-01-01"]).factor.round(4).tolist()
    [1.0431]
    """
    when, level = cumulative_levels(change_date, change)
    reaches = np.zeros(len(when), bool) if in_force_changes is None else truths("in_force_changes", in_force_changes)
    same_length(change_date=when, in_force_changes=reaches)
    if period == "policy" and reaches.any():
        raise ModelError(problem("RM513"))
    edges = period_bounds(period_edges)
    term = positive("term_months", [term_months]) / 12 * _year_before(edges[1:], basis)
    marks, cut = clock(edges, basis), clock(when, basis)
    ratio = level[1:] / level[:-1]
    average = np.array(
        [_average_level(cut, ratio, reaches, marks[j], marks[j + 1], term[j], period) for j in range(len(term))]
    )
    return OnLevel(level[-1] / average, average, float(level[-1]))


def on_level_premium(
    inception: npt.ArrayLike, premium: npt.ArrayLike, change_date: npt.ArrayLike, change: npt.ArrayLike
) -> Floats:
    """Return each policy's premium at the last rate level, by its own inception date.

    Parameters
    ----------
    inception : (n,) dates; premium : (n,) or (n, k) float64, any unit (written, or earned by period)

    Returns
    -------
    float64 of the shape of `premium`

    Examples
    --------
    >>> on_level_premium(["2010-01-01", "2010-07-01"], [100.0, 105.0], ["2010-07-01"], [0.05]).tolist()
    [105.0, 105.0]
    """
    when, level = cumulative_levels(change_date, change)
    begun, amount = days("inception", inception), finite("premium", premium)
    same_length(inception=begun, premium=amount[..., 0] if amount.ndim == 2 else amount)
    at = level[np.searchsorted(when, begun, side="right")]
    factor = level[-1] / at
    moved: Floats = amount * (factor if amount.ndim == 1 else factor[:, None])
    return moved


def _earned(x: Floats, term: float) -> Floats:
    """Return G(x): the area earned in a time x after a change, for evenly written policies."""
    grown: Floats = np.where(x <= 0, 0.0, np.where(x <= term, x * x / (2 * term), x - term / 2))
    return grown


def _average_level(
    when: Floats, ratio: Floats, reaches: Booleans, left: float, right: float, term: float, period: Period
) -> float:
    """Return the average rate level of one period.

    What is written at w and earned at t stands at Π(ordinary changes dated <= w) × Π(in-force changes dated <= t). The
    second product is constant between in-force dates, so the period is cut there and each piece averaged by itself.
    """
    inside = when[reaches & (when > left) & (when < right)]
    cuts = np.concatenate([[left], inside, [right]])
    own = when[~reaches]
    level = np.concatenate([[1.0], np.cumprod(ratio[~reaches])])
    low, high = cuts[:-1, None], cuts[1:, None]
    if period == "policy":
        after = np.clip(high - own, 0, high - low)
    else:
        after = _earned(high - own, term) - _earned(low - own, term)
    area = -np.diff(np.concatenate([high - low, after, 0 * low], axis=1), axis=1)
    by_law = np.array([ratio[reaches & (when <= cut)].prod() for cut in cuts[:-1]])
    return float(np.sum((area @ level) * by_law) / (right - left))


def _year_before(edges: Dates, basis: Basis) -> Floats:
    """Return the length of the twelve months that end at each date, on the clock of `basis`."""
    if basis == "month":
        return np.full(len(edges), 12.0)
    month = edges.astype("datetime64[M]")
    into = edges - month.astype("datetime64[D]")
    length = edges - ((month - np.timedelta64(12, "M")).astype("datetime64[D]") + into)
    years: Floats = length.astype(np.int64).astype(np.float64)
    return years
