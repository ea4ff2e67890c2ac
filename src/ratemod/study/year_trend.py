"""The trend of a study: the year beside the rating factors, its slope drawn towards a prior by its own error.

Claims of the years differ for two reasons: the book changes (other trades, worse hazards) and the world does. So the
year stands in the frequency and in the severity model as a factor of its own, next to every rating factor; what is left
to it are the effects β_y. With c the weights of a straight line through time (c·t = 1, c·1 = 0; least squares by claim
counts), the trend of the pure premium is
    b = c·(β^frequency + β^severity),   s² = c'(V^frequency + V^severity)c + ω²·c'c,
where ω² is the variance between years that sampling does not explain (by moments, at least 0). It is not tested and
then used whole or dropped: it is drawn to its prior m by z = τ²/(τ² + s²), with τ the prior's spread,
    b* = z·b + (1 − z)·m,   variance of what remains unknown z·s²,
and both parts keep the same z, so that a rise of one is never used without the fall of the other. m is 0, a rate that
is stated, or the growth of an external index.

Source: Bühlmann & Gisler (2005), ch. 3 (credibility with a prior); Werner & Modlin, ch. 6; Goldburd et al., CAS
Monograph 5, 9.2 (trend within the model).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ratemod.errors import ModelError
from ratemod.ratemaking.arrays import Floats, Integers, sums
from ratemod.ratemaking.cells import Factor, collapse
from ratemod.ratemaking.cluster import honest_covariance
from ratemod.ratemaking.family import Family, gamma, poisson
from ratemod.ratemaking.glm import Fit, fit_glm
from ratemod.study.assumptions import Assumptions

YEAR = "accident year"
PARTS = ("frequency", "severity")


@dataclass(frozen=True, slots=True)
class TrendChoice:
    """A yearly trend.

    Attributes
    ----------
    rate : what is used, +0.03 for +3 %
    fitted, error : the slope of the log beside the rating factors and its standard error; NaN where there is none
    weight : z that the slope was given; NaN where it was not used
    why : in words
    """

    rate: float
    fitted: float
    error: float
    weight: float
    why: str


@dataclass(frozen=True, slots=True)
class Trends:
    """The trends of frequency and severity with what stays unknown of them together.

    Attributes
    ----------
    of : "frequency" and "severity" -> TrendChoice
    error : standard error of the yearly log trend of the pure premium after all
    between_years : ω, standard deviation of a year beside its trend
    """

    of: Mapping[str, TrendChoice]
    error: float
    between_years: float


@dataclass(frozen=True, eq=False)
class YearEffects:
    """The effects of the years beside the rating factors: log effect (y,), covariance (y, y), claims of each."""

    frequency: Floats
    severity: Floats
    frequency_covariance: Floats
    severity_covariance: Floats
    time: Floats
    claims: Floats


def judge_trends(
    factors: Sequence[Factor],
    rows: Sequence[Integers],
    year: Integers,
    years: Integers,
    middle: Floats,
    weight: Floats,
    counts: Floats,
    amounts: Floats,
    firm: Integers,
    assumed: Assumptions,
) -> Trends:
    """Return the trends to use.

    Parameters
    ----------
    factors, rows : the model's factors, and the level of every row
    year : (r,) position in `years`, (y,) accident years and the average day of the exposure of each
    weight, counts, amounts : (r,) exposure that the known claims answer to, claims, ultimate capped amounts
    firm : (r,) which rows are of one enterprise; assumed : Assumptions
    """
    stated = {"frequency": assumed.frequency_trend, "severity": assumed.severity_trend}
    open_ = [name for name in PARTS if stated[name] is None]
    effects, why = _year_effects(factors, rows, year, years, middle, weight, counts, amounts, firm)
    prior, prior_words = prior_of(assumed)
    found = {
        name: TrendChoice(rate, np.nan, np.nan, np.nan, assumed.reasons.get(f"{name}_trend", "stated by the analyst"))
        for name, rate in stated.items()
        if rate is not None
    }
    if effects is None:
        rate = float(np.expm1(prior))
        for name in open_:  # what is expected of both goes to one of them
            found[name] = TrendChoice(rate if name == open_[-1] else 0.0, np.nan, np.nan, 0.0, f"{why}: {prior_words}")
        error = assumed.trend_spread if open_ else 0.0
        return Trends({name: found[name] for name in PARTS}, error, 0.0)
    line = _line(effects.time, effects.claims)
    beta = {"frequency": effects.frequency, "severity": effects.severity}
    spread = {"frequency": effects.frequency_covariance, "severity": effects.severity_covariance}
    judged = open_ or list(PARTS)
    together, covariance = sum(beta[name] for name in judged), sum(spread[name] for name in judged)
    between = _between_years(np.asarray(together), np.asarray(covariance), effects)
    error = float(np.sqrt(line @ covariance @ line + between * (line @ line)))
    z = assumed.trend_spread**2 / (assumed.trend_spread**2 + error**2) if open_ else 0.0
    for name in PARTS:
        slope = float(line @ beta[name])
        own = float(np.sqrt(line @ spread[name] @ line))
        if name in found:
            found[name] = TrendChoice(found[name].rate, slope, own, np.nan, found[name].why)
            continue
        drawn = z * slope + ((1 - z) * prior if name == open_[-1] else 0.0)
        said = f"fitted beside the rating factors, weight {z:.2f}; the rest {prior_words}"
        found[name] = TrendChoice(float(np.expm1(drawn)), slope, own, z, said)
    return Trends({name: found[name] for name in PARTS}, float(np.sqrt(z)) * error, float(np.sqrt(between)))


def prior_of(assumed: Assumptions) -> tuple[float, str]:
    """Return the log trend of the pure premium that is expected before any claim is seen, and its words.

    Examples
    --------
    >>> from datetime import date
    >>> index = {"2022": 100.0, "2023": 103.0, "2024": 106.09}
    >>> round(prior_of(Assumptions(date(2026, 1, 1), trend_index=index))[0], 6) == round(float(np.log(1.03)), 6)
    True
    """
    if assumed.trend_index:
        time = np.array([float(year) for year in assumed.trend_index])
        level = np.log(np.array(list(assumed.trend_index.values()), dtype=np.float64))
        growth = float(_line(time, np.ones(len(time))) @ level) if len(time) > 1 else 0.0
        return growth, f"the growth of the index, {np.expm1(growth):+.1%} a year"
    return float(np.log1p(assumed.trend_prior)), f"the prior, {assumed.trend_prior:+.1%} a year"


def _line(time: Floats, weight: Floats) -> Floats:
    """Return c: the least-squares slope of values v at these times is c·v."""
    away = time - weight @ time / weight.sum()
    made: Floats = weight * away / (weight @ away**2)
    return made


def _between_years(effect: Floats, covariance: Floats, found: YearEffects) -> float:
    """Return the variance of years about their line that sampling does not explain, by moments, at least 0."""
    n, weight = len(effect), found.claims / found.claims.sum()
    if n < 3:
        return 0.0
    design = np.stack([np.ones(n), found.time - weight @ found.time], axis=1)
    hat = design @ np.linalg.solve((design * weight[:, None]).T @ design, (design * weight[:, None]).T)
    rest = np.eye(n) - hat
    left = rest @ effect
    sampling = float(weight @ np.diag(rest @ covariance @ rest.T))
    return max(0.0, (float(weight @ left**2) - sampling) / float(weight @ np.diag(rest @ rest.T)))


def _year_effects(
    factors: Sequence[Factor],
    rows: Sequence[Integers],
    year: Integers,
    years: Integers,
    middle: Floats,
    weight: Floats,
    counts: Floats,
    amounts: Floats,
    firm: Integers,
) -> tuple[YearEffects | None, str]:
    """Return the effects of the years that have claims, or None and why there are none."""
    claims = sums(year, counts, len(years))
    seen = np.flatnonzero(claims > 0)
    if len(seen) < 3:
        return None, "fewer than three years with claims"
    inside = np.isin(year, seen)
    # Years come first in the design, so that their columns are found by the factor's name.
    with_year = [Factor(YEAR, tuple(str(years[i]) for i in seen)), *factors]
    coded = [np.searchsorted(seen, year[inside]), *(row[inside] for row in rows)]
    terms = [factor.name for factor in with_year if len(factor.levels) > 1]
    paid = counts[inside] > 0
    try:
        often = _effects(with_year, coded, terms, weight[inside], counts[inside], firm[inside],
                         poisson(overdispersed=True))  # fmt: skip
        dear = _effects(with_year, [code[paid] for code in coded], terms, counts[inside][paid], amounts[inside][paid],
                        firm[inside][paid], gamma())  # fmt: skip
    except ModelError as error:
        return None, f"no model with the year could be fitted ({error.problems[0].code})"
    time = middle[seen]
    return YearEffects(
        frequency=often[0],
        severity=dear[0],
        frequency_covariance=often[1],
        severity_covariance=dear[1],
        time=time,
        claims=claims[seen],
    ), ""


def _effects(
    factors: Sequence[Factor],
    rows: Sequence[Integers],
    terms: Sequence[str],
    weight: Floats,
    total: Floats,
    firm: Integers,
    family: Family,
) -> tuple[Floats, Floats]:
    """Return log effect and covariance of every year, the reference 0."""
    usable = [name for name in terms if name == YEAR or _varies(factors, rows, name, total)]
    fit = fit_glm(collapse(factors, rows, weight, total), usable, family)
    return term_of(fit, honest_covariance(fit, rows, weight, total, firm), YEAR, len(factors[0].levels))


def _varies(factors: Sequence[Factor], rows: Sequence[Integers], name: str, total: Floats) -> bool:
    at = [factor.name for factor in factors].index(name)
    return bool((sums(rows[at], total, len(factors[at].levels)) > 0).all())


def term_of(fit: Fit, covariance: Floats, name: str, levels: int) -> tuple[Floats, Floats]:
    """Return coefficients and covariance of a main effect's levels, (levels,) and (levels, levels), the reference 0."""
    beta, spread = np.zeros(levels), np.zeros((levels, levels))
    for t, term in enumerate(fit.design.terms):
        if term == (name,):
            columns = [
                (j, codes[0])
                for j, (owner, codes) in enumerate(zip(fit.design.column_term, fit.design.column_levels))
                if owner == t
            ]
            at, code = [j for j, _ in columns], [c for _, c in columns]
            beta[code] = fit.coefficient[at]
            spread[np.ix_(code, code)] = covariance[np.ix_(at, at)]
    return beta, spread
