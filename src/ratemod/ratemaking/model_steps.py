"""What is done with a fitted model before it becomes a tariff: levels grouped, relativities set, each with its reason.

Setting (restricting) the relativities r_j of a factor takes its term out and puts log r_j beside the linear predictor;
the other terms are fitted again, so that the whole balances. Every way to new relativities ends so:
    monotone   the closest curve that only rises or falls (`relativities.monotone`)
    smooth     Whittaker-Henderson, (W + λ·D'D)·s = W·b: b log relativities, W their weights of mean 1, D second
               differences along the levels
    shrink     u_j = z_j·ū_j + (1 − z_j), z_j = h_j/(h_j + φ/τ²), ū_j = Σ h·y/γ / h_j with γ the mean but for u_j and
               h = w·γ²/V(γ); the other terms are fitted again with log u_j beside them, until nothing moves;
               the level of γ is that at which the fit balances, Σ h_j(1 − z_j)(ū_j − 1) = 0.
               τ² = max(0, (Σ h_j(ū_j − ū)² − (J − 1)φ)/(Σh_j − Σh_j²/Σh_j))

Source: Ohlsson, "Combining generalized linear models and credibility models in practice", Scandinavian Actuarial
Journal 2008:4; Whittaker (1923), Henderson (1924).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from ratemod.errors import ModelError, nearest, problem
from ratemod.ratemaking.arrays import Floats, Integers, non_negative, positive, sums
from ratemod.ratemaking.cells import Cells
from ratemod.ratemaking.glm import Fit
from ratemod.ratemaking.relativities import Adjustment, monotone, moved, relativities
from ratemod.reading.text_levels import level_name
from ratemod.rules.options import strict

ROUNDS = 200
SETTLED = 1e-10


@dataclass(frozen=True, slots=True)
class Fixed:
    """Relativities of a factor that were set.

    Attributes
    ----------
    factor : name; method : how they were found
    relativity : one float > 0 for each level of the factor, in order
    """

    factor: str
    method: str
    relativity: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Step:
    """One thing that was done with a model.

    Attributes
    ----------
    method : name of the method of `RateModel`; factor : what it was done to
    arguments : what else it was given, so that it can be done again on other data
    reason : why; moved : what changed by it, one Adjustment a level
    """

    method: str
    factor: str
    arguments: Mapping[str, Any]
    reason: str
    moved: tuple[Adjustment, ...] = field(default=())


def band_names(edges: Sequence[float]) -> tuple[str, ...]:
    """Return the names of bands between edges.

    Examples
    --------
    >>> band_names([0, 20, 50.5])
    ('[0, 20)', '[20, 50.5)')
    """
    shown = [level_name(float(edge)) for edge in edges]
    return tuple(f"[{low}, {high})" for low, high in pairwise(shown))


def bands_of(factor: str, levels: Sequence[str], edges: Sequence[float]) -> Integers:
    """Return the band of every level, which are numbers: the lower edge belongs to a band.

    Raises
    ------
    ModelError
        RM488 edges that do not ascend, and values outside them; RM486 levels that are no numbers.

    Examples
    --------
    >>> bands_of("age", ["18", "20", "49"], [0, 20, 50]).tolist()
    [0, 1, 1]
    """
    ends = np.asarray(edges, dtype=np.float64)
    try:
        values = np.array([float(level) for level in levels])
    except ValueError:
        raise ModelError(
            problem("RM486", name=factor, what="no number", needed="numbers to cut into bands", factors=factor)
        ) from None
    if len(ends) < 2 or not (np.diff(ends) > 0).all():
        raise ModelError(problem("RM488", factor=factor, value=list(edges)))
    found = np.searchsorted(ends, values, side="right") - 1
    outside = (found < 0) | (found >= len(ends) - 1)
    if outside.any():
        raise ModelError(problem("RM488", factor=factor, value=levels[at]) for at in np.flatnonzero(outside).tolist())
    return found.astype(np.int64)


def regrouped(steps: Sequence[Step], factor: str, level: str) -> str:
    """Return the level that a value of new data belongs to, after what was merged and banded."""
    for step in steps:
        if step.factor != factor:
            continue
        if step.method == "merge":
            level = step.arguments["into"].get(level, level)
        elif step.method == "band":
            try:
                at = bands_of(factor, [level], step.arguments["edges"])
            except ModelError:
                return level
            level = band_names(step.arguments["edges"])[int(at[0])]
    return level


def given(cells: Cells, factor: str, relativity: Mapping[str, float]) -> Floats:
    """Return relativities in the order of the levels.

    Raises
    ------
    ModelError
        RM532 levels that the factor lacks, RM497 levels without a relativity, RM502 what is not above zero.
    """
    levels = cells.factors[cells.position(factor)].levels
    wrong = [
        problem("RM532", factor=factor, level=level, nearest=nearest(str(level), levels))
        for level in relativity
        if level not in levels
    ]
    wrong += [problem("RM497", factor=factor, level=level) for level in levels if level not in relativity]
    if wrong:
        raise ModelError(wrong)
    return positive(factor, [relativity[level] for level in levels])


@strict
def ordered(
    cells: Cells, fit: Fit, factor: str, direction: Literal["increasing", "decreasing"]
) -> tuple[Floats, tuple[Adjustment, ...]]:
    """Return the closest relativities of a factor that only rise or fall, and what moved."""
    levels, log = _log_relativities(cells, fit, factor)
    return monotone(levels, np.exp(log), _held(cells, fit, factor), direction=direction)


def smoothed(cells: Cells, fit: Fit, factor: str, strength: float) -> tuple[Floats, tuple[Adjustment, ...]]:
    """Return Whittaker-Henderson relativities of a factor, and what moved; strength : λ >= 0."""
    penalty = float(non_negative("strength", [strength])[0])
    levels, log = _log_relativities(cells, fit, factor)
    weight = _held(cells, fit, factor)
    weight = weight / weight.mean()
    bend = np.diff(np.eye(len(levels)), 2, axis=0)
    after = np.exp(np.linalg.solve(np.diag(weight) + penalty * bend.T @ bend, weight * log))
    return after, moved(levels, np.exp(log), after, "smooth", [f"strength={strength:.6g}"] * len(levels))


def credible_values(
    cells: Cells, factor: str, refit: Callable[[Floats], Fit], between_variance: float | None
) -> tuple[Floats, list[str]]:
    """Return relativities of a factor about a mean of 1 by credibility, and z and τ² of every level in words.

    Parameters
    ----------
    cells : of the model
    refit : relativities -> Fit of the other terms with these set
    between_variance : τ², or None to estimate it

    Raises
    ------
    ModelError
        RM540 when it does not settle; those of `refit`.
    """
    at = cells.position(factor)
    code, size = cells.codes[:, at], len(cells.factors[at].levels)
    y, now = cells.total / cells.weight, np.ones(size)
    for _ in range(ROUNDS):
        rest = refit(now)
        mean = rest.fitted / now[code]
        for _ in range(ROUNDS):  # the common level of the means, at which Σ h_j(1 − z_j)(ū_j − 1) = 0
            held = cells.weight * mean * mean / rest.family.variance(mean)
            mass = sums(code, held, size)
            own = sums(code, held * y / mean, size) / mass
            tau2 = _between(own, mass, rest.dispersion) if between_variance is None else between_variance
            z = tau2 * mass / (tau2 * mass + rest.dispersion)
            level = float((mass * (1 - z)) @ own / (mass @ (1 - z)))
            mean = mean * level
            if abs(level - 1) <= SETTLED / 100:
                break
        new = z * own + (1 - z)
        if np.abs(new - now).max() <= SETTLED:
            return new, [f"z={share:.6g}, tau2={tau2:.6g}" for share in z]
        now = new
    raise ModelError(problem("RM540", iterations=ROUNDS, change=float(np.abs(new - now).max())))


def moved_from(cells: Cells, fit: Fit, factor: str, values: Floats, how: Sequence[str]) -> tuple[Adjustment, ...]:
    """Return what credibility moved from the relativities of a fit, these about a mean of 1 by information."""
    levels, log = _log_relativities(cells, fit, factor)
    free = np.exp(log - np.average(log, weights=_held(cells, fit, factor)))
    return moved(levels, free, values, "shrink", how)


def _between(own: Floats, mass: Floats, dispersion: float) -> float:
    whole = float(mass.sum())
    spread = float(mass @ (own - mass @ own / whole) ** 2) - (len(own) - 1) * dispersion
    return max(0.0, spread / (whole - float(mass @ mass) / whole))


def _log_relativities(cells: Cells, fit: Fit, factor: str) -> tuple[list[str], Floats]:
    rows = [row for row in relativities(fit, cells) if row.term == factor]
    return [row.level for row in rows], np.array([row.log_value for row in rows])


def _held(cells: Cells, fit: Fit, factor: str) -> Floats:
    """Return the information h of every level of a factor."""
    at = cells.position(factor)
    held = cells.weight * fit.fitted * fit.fitted / fit.family.variance(fit.fitted)
    return sums(cells.codes[:, at], held, len(cells.factors[at].levels))
