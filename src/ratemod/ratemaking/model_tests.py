"""Models against each other: likelihood ratio of nested models, and the power of a Tweedie by its profile.

    ratio    2(ℓ₁ − ℓ₀) ~ χ²(p₁ − p₀) where the dispersion is known, or a shape was found with each model;
             F = (D₀ − D₁)/(p₁ − p₀)/φ₁ on p₁ − p₀ and n − p₁ where it is estimated
    profile  ℓ(p) with coefficients and φ at their best for each p; the interval holds 2(ℓ(p̂) − ℓ(p)) < χ²(1)

Source: McCullagh & Nelder, 2nd ed., 2.3, 6.5; Dunn & Smyth, Statistics and Computing 15 (2005) (Tweedie profile).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.cells import Cells
from ratemod.ratemaking.glm import Fit
from ratemod.ratemaking.tweedie_density import MOST_TERMS, likeliest, most_terms

if TYPE_CHECKING:
    import pandas as pd

    from ratemod.ratemaking.rate_model import RateModel

POWERS = (1.05, 1.95)
SLACK = 1e-7


@dataclass(frozen=True, slots=True)
class RatioTest:
    """What a larger model gains over a smaller one.

    Attributes
    ----------
    df : int, parameters more; statistic : float; kind : "chi2" or "F"; p_value : float
    """

    df: int
    statistic: float
    kind: str
    p_value: float


@dataclass(frozen=True, eq=False)
class PowerProfile:
    """The likelihood of a Tweedie along its power.

    Attributes
    ----------
    power : float, the likeliest; low, high : the interval at `level`, cut off at 1.05 and 1.95
    frame : power and log_likelihood of every power that was tried, in order
    """

    power: float
    low: float
    high: float
    level: float
    frame: pd.DataFrame


def likelihood_ratio(model: RateModel, smaller: RateModel) -> RatioTest:
    """Test a model against one that is nested in it, on the same rows.

    Raises
    ------
    ModelError
        RM476 when they are not of the same rows and family, or the smaller one has terms or steps that the other lacks.
    """
    from scipy.special import chdtrc, fdtrc

    why = _not_nested(model, smaller)
    if why:
        raise ModelError(problem("RM476", why=why))
    one, less = model.fit, smaller.fit
    df = round(one.parameters - less.parameters)
    if model.asked.family == "nb2":
        statistic = max(2 * (one.log_likelihood - less.log_likelihood), 0.0)
        return RatioTest(df, statistic, "chi2", float(chdtrc(df, statistic)))
    drop = max(less.deviance - one.deviance, 0.0)
    if one.family.fixed_dispersion:
        return RatioTest(df, drop, "chi2", float(chdtrc(df, drop)))
    statistic = drop / df / one.dispersion
    return RatioTest(df, statistic, "F", float(fdtrc(df, one.residual_df, statistic)))


def _not_nested(model: RateModel, smaller: RateModel) -> str:
    """Return why one is not nested in the other, or nothing."""
    for name in ("total", "weight", "known_factor", "family", "power", "sample_weight"):
        mine, other = getattr(model.asked, name), getattr(smaller.asked, name)
        if mine != other:
            return f"{name}: {mine!r}, {other!r}"
    if not np.array_equal(model.rows.kept, smaller.rows.kept) or any(
        not np.array_equal(model.rows.numbers[name], smaller.rows.numbers[name])
        for name in (model.asked.total, model.asked.weight)
    ):
        return f"{model.rows.accounts.used:,} rows, {smaller.rows.accounts.used:,} other rows"
    lacking = [
        term for term in smaller.fit.design.terms if not any(set(term) <= set(o) for o in model.fit.design.terms)
    ]
    if lacking:
        return ", ".join(":".join(term) for term in lacking)
    if smaller.steps[: len(model.steps)] != model.steps and model.steps:
        return ", ".join(f"{step.method} {step.factor}" for step in model.steps)
    if model.asked.family == "negative_binomial":
        return "negative_binomial"
    bent = [curve.name for curve in model.fit.design.curves if curve.kind == "penalised"]
    if bent:
        return ", ".join(bent)
    if round(model.fit.parameters - smaller.fit.parameters) < 1:
        return f"{model.fit.parameters:g} ≤ {smaller.fit.parameters:g}"
    return "" if smaller.fit.deviance >= model.fit.deviance * (1 - SLACK) or model.asked.family == "nb2" else "deviance"


def tweedie_likelihood(fit: Fit, cells: Cells) -> Fit:
    """Return a Tweedie's fit with log-likelihood, AIC and BIC at the φ of the largest likelihood."""
    rows, power = cells.beside.distinct, fit.family.power
    if rows is None or not len(rows):
        return fit
    if not most_terms(rows, fit.dispersion, power) < MOST_TERMS:  # met by every row, the likelihood has no bound
        return fit
    mean = fit.fitted
    tilt = float(
        np.sum(cells.total * mean ** (1 - power) / (1 - power) - cells.weight * mean ** (2 - power) / (2 - power))
    )
    found, _ = likeliest(rows, tilt, fit.dispersion, power)
    return replace(
        fit,
        log_likelihood=found,
        aic=fit.family.aic(found, fit.parameters),
        bic=fit.family.bic(found, fit.parameters, int(cells.rows.sum())),
    )


def tweedie_profile(log_likelihood: Callable[[float], float], powers: Sequence[float], level: float) -> PowerProfile:
    """Find the power of the largest likelihood, and the interval about it.

    Parameters
    ----------
    log_likelihood : power -> ℓ at the best coefficients and φ
    powers : of a first look, ascending, between 1.05 and 1.95; level : of the interval
    """
    import pandas as pd
    from scipy.optimize import brentq, minimize_scalar
    from scipy.special import chdtri

    seen: dict[float, float] = {}

    def at(power: float) -> float:
        return seen.setdefault(power, log_likelihood(power))

    tried = sorted({float(power) for power in powers})
    best = int(np.argmax([at(power) for power in tried]))
    ends = (tried[max(best - 1, 0)], tried[min(best + 1, len(tried) - 1)])
    minimize_scalar(lambda power: -at(float(power)), bounds=ends, method="bounded", options={"xatol": 5e-4})
    top = max(seen, key=lambda power: seen[power])
    cut = seen[top] - float(chdtri(1, 1 - level)) / 2
    low, high = POWERS
    if at(low) < cut:
        low = float(brentq(lambda power: at(float(power)) - cut, low, top, xtol=5e-4))
    if at(high) < cut:
        high = float(brentq(lambda power: at(float(power)) - cut, top, high, xtol=5e-4))
    frame = pd.DataFrame(sorted(seen.items()), columns=["power", "log_likelihood"])
    return PowerProfile(power=top, low=low, high=high, level=level, frame=frame)
