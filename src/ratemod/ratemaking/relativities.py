"""Relativities of a fitted model, and the two adjustments that thin data need: monotone order and credibility.

Monotone: the weighted least-squares curve of log relativities that only rises (or falls), by pooling adjacent
violators; a size curve must not zigzag. Credibility: log relativity z·own + (1−z)·complement, with z from the caller,
or from the variance between levels τ² against the squared standard error s²: z = τ²/(τ² + s²). Every moved level leaves
a record.

Source: Barlow, Bartholomew, Bremner & Brunk (1972) on isotonic regression; Bühlmann & Gisler (2005), ch. 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Floats, finite, fractions, non_negative, positive, same_length
from ratemod.ratemaking.cells import Cells
from ratemod.ratemaking.design import margins
from ratemod.ratemaking.glm import Fit, half_width
from ratemod.rules.options import strict
from ratemod.rules.within import Amount, Chance


@dataclass(frozen=True, slots=True)
class Relativity:
    """One level of one term.

    Attributes
    ----------
    term : factor name, or names joined by ":"; level : level name(s), joined likewise
    value, low, high : float, e^b and its interval (all 1 for the reference)
    log_value, log_standard_error : float
    weight, total : float, exposure and losses of the level in the cells
    is_reference : bool
    """

    term: str
    level: str
    value: float
    low: float
    high: float
    log_value: float
    log_standard_error: float
    weight: float
    total: float
    is_reference: bool


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A record of a relativity that was moved."""

    level: str
    before: float
    after: float
    method: str
    detail: str


@strict
def relativities(fit: Fit, cells: Cells, level: Chance = 0.95) -> tuple[Relativity, ...]:
    """Return every relativity of the levels of a fit with its interval (`glm.half_width`); curves have none.

    Examples
    --------
    >>> from ratemod.ratemaking.cells import Factor, collapse
    >>> from ratemod.ratemaking.family import poisson
    >>> from ratemod.ratemaking.glm import fit_glm
    >>> cells = collapse([Factor("size", ("small", "large"))], [[0, 1, 1]], [10.0, 10.0, 10.0], [1.0, 2.0, 4.0])
    >>> [round(row.value, 4) for row in relativities(fit_glm(cells, ["size"], poisson()), cells)]
    [0.3333, 1.0]
    """
    half, plan, rows = half_width(fit, level), fit.design, []
    columns = {key: j for j, key in enumerate(zip(plan.column_term, plan.column_levels))}
    for t, term in enumerate(plan.terms):
        if any(plan.curve(name) is not None for name in term):
            continue
        places = plan.places(t)
        weight, total = margins(plan, cells, t)
        for levels in np.ndindex(weight.shape):
            j = columns.get((t, levels))
            if j is None and len(places) > 1:
                continue
            b, s = (0.0, 0.0) if j is None else (float(fit.coefficient[j]), float(fit.standard_error[j]))
            rows.append(
                Relativity(
                    ":".join(term),
                    ":".join(plan.factors[at].levels[code] for at, code in zip(places, levels)),
                    float(np.exp(b)),
                    float(np.exp(b - half * s)),
                    float(np.exp(b + half * s)),
                    b,
                    s,
                    float(weight[levels]),
                    float(total[levels]),
                    j is None,
                )
            )
    return tuple(rows)


@strict
def monotone(
    levels: Sequence[str],
    relativity: npt.ArrayLike,
    weight: npt.ArrayLike,
    *,
    direction: Literal["increasing", "decreasing"],
) -> tuple[Floats, tuple[Adjustment, ...]]:
    """Return the closest relativities in order, and what was moved.

    Parameters
    ----------
    levels : n names, in their natural order
    relativity : (n,) float64 > 0; weight : (n,) float64 > 0, such as exposure or 1/standard error²
    direction : which way they must go

    Returns
    -------
    (n,) float64, and one Adjustment for each level that moved

    Examples
    --------
    >>> monotone(["s", "m", "l"], [1.0, 4.0, 1.0], [1.0, 1.0, 1.0], direction="increasing")[0].round(6).tolist()
    [1.0, 2.0, 2.0]
    """
    from scipy.optimize import isotonic_regression

    value, share = positive("relativity", relativity), positive("weight", weight)
    same_length(levels=np.array(list(levels)), relativity=value, weight=share)
    pooled = np.exp(isotonic_regression(np.log(value), weights=share, increasing=direction == "increasing").x)
    after = np.where(np.isclose(pooled, value, rtol=1e-12, atol=0), value, pooled)
    return after, moved(levels, value, after, "monotone", [direction] * len(value))


@strict
def shrink(
    levels: Sequence[str],
    log_relativity: npt.ArrayLike,
    complement: npt.ArrayLike,
    *,
    credibility: npt.ArrayLike | None = None,
    log_standard_error: npt.ArrayLike | None = None,
    between_variance: Amount | None = None,
) -> tuple[Floats, Floats, tuple[Adjustment, ...]]:
    """Return relativities drawn towards a complement, the credibilities used, and what was moved.

    Parameters
    ----------
    levels : n names
    log_relativity : (n,) float64; complement : scalar or (n,) float64 > 0, a relativity (the province, a national
    class) credibility : (n,) in 0..1; or else `log_standard_error` (n,) and `between_variance` of log relativities

    Raises
    ------
    ModelError
        RM559 unless exactly one way to a credibility is given; RM500..RM504.

    Examples
    --------
    >>> shrink(["mine"], [np.log(4.0)], 1.0, credibility=[0.5])[0].round(6).tolist()
    [2.0]
    """
    own = finite("log_relativity", log_relativity)
    other = np.log(positive("complement", complement))
    other = np.full(own.shape, other) if other.ndim == 0 else other
    if (credibility is None) == (log_standard_error is None or between_variance is None):
        raise ModelError(problem("RM559"))
    if credibility is not None:
        z = fractions("credibility", credibility)
    else:
        tau2 = float(non_negative("between_variance", [between_variance or 0.0])[0])
        noise = positive("log_standard_error", np.asarray(log_standard_error, dtype=np.float64)) ** 2
        z = tau2 / (tau2 + noise)
    same_length(levels=np.array(list(levels)), log_relativity=own, complement=other, credibility=z)
    after = np.exp(z * own + (1 - z) * other)
    detail = [f"z={zi:.6g}, complement={np.exp(ci):.6g}" for zi, ci in zip(z, other)]
    return after, z, moved(levels, np.exp(own), after, "credibility", detail)


def moved(
    levels: Sequence[str], before: Floats, after: Floats, method: str, detail: Sequence[str]
) -> tuple[Adjustment, ...]:
    """Return a record of the levels whose relativity changed."""
    return tuple(
        Adjustment(level, float(a), float(b), method, why)
        for level, a, b, why in zip(levels, before, after, detail)
        if a != b
    )
