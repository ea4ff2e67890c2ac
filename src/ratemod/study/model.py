"""The model of a study: pure premium per unit of exposure for every cell, thin levels leaning on a complement.

Main effects come from a generalised linear model on cells (overdispersed Poisson frequency × gamma severity, or
Tweedie). A level's effect, in log distance from the exposure-weighted average, is drawn to the same distance in the
current table by z = τ²/(τ² + s²), where s is its standard error (by firm, honest with few) and τ² the variance of true
distances (Paule–Mandel, with those beyond two standard errors counted as two). What the main effects miss in a cell is
added by Bühlmann–Straub on yearly actual/expected ratios. A level with few claims or firms is fitted together with the
level whose current rate is nearest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ratemod.experience.buhlmann import Credibility, buhlmann_straub
from ratemod.ratemaking.arrays import Floats, Integers, sums
from ratemod.ratemaking.cells import Cells, Factor, Merge, collapse, merge_levels, thin_levels
from ratemod.ratemaking.cluster import honest_covariance
from ratemod.ratemaking.family import gamma, poisson, tweedie
from ratemod.ratemaking.glm import Fit, Progress, fit_glm
from ratemod.ratemaking.relativities import Adjustment, monotone, shrink
from ratemod.study.assumptions import Assumptions
from ratemod.study.losses import Adjusted, Observed
from ratemod.study.year_trend import Trends, judge_trends, term_of

FULL_CLAIMS = 1082.0
HUBER, HUBER_EXPECTED = 2.0, 0.9205367  # E[min(Z², 4)], Z standard normal
NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, eq=False)
class Effect:
    """One factor's relativities: as fitted, and as used after credibility and order.

    Attributes
    ----------
    factor : Factor
    fitted, low, high : (levels,) float64, to an exposure-weighted geometric mean of 1; low and high at 95 %; NaN for a
        level that was fitted together with another: it has no number of its own
    merged_into : (levels,) the level that stands for each in the fit, "" for its own
    credibility : (levels,) float64; NaN where none was used
    complement : (levels,) float64; NaN where none was used
    used : (levels,) float64
    weight : (levels,) float64, exposure; claims : (levels,) float64
    adjustments : what was moved, and how
    """

    factor: Factor
    fitted: Floats
    low: Floats
    high: Floats
    merged_into: tuple[str, ...]
    credibility: Floats
    complement: Floats
    used: Floats
    weight: Floats
    claims: Floats
    adjustments: tuple[Adjustment, ...]


@dataclass(frozen=True, eq=False)
class RateModel:
    """A fitted study.

    Attributes
    ----------
    fits : name -> Fit: "frequency" and "severity", or "pure premium"
    cells : name -> Cells the fit used
    effects : factor -> Effect, for axes and controls
    level : pure premium (yuan per yuan of exposure base) where every effect is 1
    cell_factor : (cells of the axes) float64, Bühlmann–Straub factor beside the main effects
    cell_credibility : Credibility behind it
    merges : levels put together before the fit
    level_of : factor -> (levels,) int64, the level that stands for each level in the fit
    """

    fits: Mapping[str, Fit]
    cells: Mapping[str, Cells]
    effects: Mapping[str, Effect]
    level: float
    cell_factor: Floats
    cell_credibility: Credibility | None
    merges: tuple[Merge, ...]
    level_of: Mapping[str, Integers]

    def predict(self, factors: Sequence[Factor], codes: Sequence[Integers], axes: int) -> Floats:
        """Return the pure premium of rows per yuan of exposure base, (n,) float64; `axes` factors come first."""
        value = np.full(len(codes[0]), self.level)
        for factor, code in zip(factors, codes):
            value *= self.effects[factor.name].used[code]
        return value * self.cell_factor[cell_index(factors[:axes], codes[:axes])]


def cell_index(factors: Sequence[Factor], codes: Sequence[Integers]) -> Integers:
    """Return one mixed-radix index a row over the factors, the last fastest."""
    index = np.zeros(len(codes[0]), dtype=np.int64)
    for factor, code in zip(factors, codes):
        index = index * len(factor.levels) + code
    return index


@dataclass(frozen=True, eq=False)
class Pooled:
    """The factors as they are fitted, thin levels put together.

    Attributes
    ----------
    factors, codes : every factor of the study and the level of every row
    left, rows : the levels that stay, and the position of every row among them
    level_of : factor -> (levels,) int64, the level that stands for each
    merges : the record
    """

    factors: tuple[Factor, ...]
    codes: tuple[Integers, ...]
    left: tuple[Factor, ...]
    rows: tuple[Integers, ...]
    level_of: Mapping[str, Integers]
    merges: tuple[Merge, ...]

    @property
    def terms(self) -> list[str]:
        """Return the factors that have something to tell apart."""
        return [factor.name for factor in self.left if len(factor.levels) > 1]


def pool(
    seen: Observed,
    factors: Sequence[Factor],
    codes: Sequence[Integers],
    current: Mapping[str, Floats],
    firm: Integers,
    assumed: Assumptions,
) -> Pooled:
    """Put levels together that have too few claims or firms to stand alone.

    Parameters
    ----------
    seen : Observed; factors, codes : k of each, codes (n,) of the history's policies
    current : axis -> (levels,) relativity of the current table, the measure of nearness
    firm : (n,) int64, which policies are of one enterprise
    """
    rows = [code[seen.policy] for code in codes]
    counted = collapse(factors, rows, seen.known, seen.counts)
    level_of, merges = _merged(counted, factors, rows, firm[seen.policy], current, assumed)
    kept = [np.unique(level_of[factor.name]) for factor in factors]
    return Pooled(
        factors=tuple(factors),
        codes=tuple(rows),
        left=tuple(Factor(f.name, tuple(f.levels[i] for i in stay)) for f, stay in zip(factors, kept)),
        rows=tuple(np.searchsorted(stay, level_of[f.name][row]) for f, stay, row in zip(factors, kept, rows)),
        level_of=level_of,
        merges=merges,
    )


def trends_of(seen: Observed, pooled: Pooled, firm: Integers, assumed: Assumptions) -> Trends:
    """Return the trends of the data, on amounts below the cap."""
    amounts = sums(seen.claim_row, np.minimum(seen.claim_yuan, assumed.large_loss_yuan), len(seen.policy))
    return judge_trends(
        pooled.left,
        pooled.rows,
        seen.year,
        seen.years,
        seen.middle,
        seen.known,
        seen.counts,
        amounts,
        firm[seen.policy],
        assumed,
    )


def fit_model(
    data: Adjusted,
    pooled: Pooled,
    axes: int,
    current: Mapping[str, Floats],
    firm: Integers,
    assumed: Assumptions,
    progress: Progress | None = None,
) -> RateModel:
    """Fit frequency and severity (or the pure premium), then lean on complements.

    Parameters
    ----------
    data : Adjusted; pooled : Pooled, whose first `axes` factors are the tables'
    current : axis -> (levels,) relativity of the current table, the complement
    firm : (n,) int64, which policies are of one enterprise; standard errors take them together
    assumed : Assumptions; progress : called with iteration and deviance

    Raises
    ------
    ModelError
        As `fit_glm` does: empty, separated or aliased levels, no convergence.
    """
    counted = collapse(pooled.factors, pooled.codes, data.weight, data.counts)
    fits, cells = _fits(data, pooled.left, pooled.rows, pooled.terms, firm[data.policy], assumed, progress)
    effects = {}
    level = sum(float(fit.coefficient[0]) for fit in fits.values())
    for factor, small in zip(pooled.factors, pooled.left):
        stay, to = np.unique(pooled.level_of[factor.name]), pooled.level_of[factor.name]
        made, shift = _effect(factor, small, stay, to, fits, counted, current.get(factor.name), assumed)
        effects[factor.name] = made
        level += shift
    model = RateModel(
        fits=fits,
        cells=cells,
        effects=effects,
        level=float(np.exp(level)),
        cell_factor=np.ones(_size(pooled.factors[:axes])),
        cell_credibility=None,
        merges=pooled.merges,
        level_of=pooled.level_of,
    )
    return _balanced(model, data, pooled.factors, pooled.codes, axes)


def _size(factors: Sequence[Factor]) -> int:
    return int(np.prod([len(factor.levels) for factor in factors], dtype=np.int64))


def _merged(
    counted: Cells,
    factors: Sequence[Factor],
    rows: Sequence[Integers],
    firm: Integers,
    current: Mapping[str, Floats],
    assumed: Assumptions,
) -> tuple[dict[str, Integers], tuple[Merge, ...]]:
    """Return which level stands for each level in the fit, and the record of merged ones."""
    level_of: dict[str, Integers] = {}
    merges: list[Merge] = []
    least, firms = max(assumed.least_claims, 1), assumed.least_firms
    for factor, row in zip(factors, rows):
        thin = dict.fromkeys(thin_levels(counted, factor.name, total=float(least)), f"fewer than {least} claims")
        known = np.unique(np.stack([row, firm]), axis=1)[0]
        many = np.bincount(known, minlength=len(factor.levels))
        thin |= {
            level: f"fewer than {firms} firms"
            for level, count in zip(factor.levels, many)
            if count < firms and level not in thin
        }
        to = np.arange(len(factor.levels))
        big = [i for i, level in enumerate(factor.levels) if level not in thin]
        if thin and big:
            now = current.get(factor.name)
            place = np.arange(len(to), dtype=np.float64) if now is None else np.log(now)
            into = {
                level: factor.levels[min(big, key=lambda j, i=i: (abs(place[j] - place[i]), j))]  # type: ignore[misc]
                for i, level in enumerate(factor.levels)
                if level in thin
            }
            how = "nearest current rate" if now is not None else "next level in the plan's order"
            for why in dict.fromkeys(thin.values()):
                part = {level: into[level] for level in thin if thin[level] == why}
                merges += merge_levels(counted, factor.name, part, f"{why}; {how}").merges
            to = np.array([factor.levels.index(into.get(level, level)) for level in factor.levels])
        elif thin:
            to = np.zeros(len(factor.levels), dtype=np.int64)
            why = f"fewer than {least} claims or {firms} firms in every level"
            merges += [Merge(factor.name, level, factor.levels[0], 0, 0.0, why) for level in factor.levels[1:]]
        level_of[factor.name] = to.astype(np.int64)
    return level_of, tuple(dict.fromkeys(merges))


def _fits(
    data: Adjusted,
    factors: Sequence[Factor],
    rows: Sequence[Integers],
    terms: Sequence[str],
    firm: Integers,
    assumed: Assumptions,
    progress: Progress | None,
) -> tuple[dict[str, Fit], dict[str, Cells]]:
    """Return the fitted models, their standard errors by firm, and the cells they used."""
    if assumed.model == "tweedie":
        whole = collapse(factors, rows, data.weight, data.capped_yuan, power=assumed.tweedie_power)
        pure = fit_glm(whole, terms, tweedie(assumed.tweedie_power), progress=progress)
        return {"pure premium": _by_firm(pure, rows, data.weight, data.capped_yuan, firm)}, {"pure premium": whole}
    with_claims = data.counts > 0
    severity = collapse(
        factors, [row[with_claims] for row in rows], data.counts[with_claims], data.capped_yuan[with_claims]
    )
    cells = {"frequency": collapse(factors, rows, data.weight, data.counts), "severity": severity}
    reference = _references(cells["frequency"], terms)
    often = fit_glm(cells["frequency"], terms, poisson(overdispersed=True), reference=reference, progress=progress)
    dear = fit_glm(severity, terms, gamma(), reference=reference, progress=progress)
    return {
        "frequency": _by_firm(often, rows, data.weight, data.counts, firm),
        "severity": _by_firm(
            dear,
            [row[with_claims] for row in rows],
            data.counts[with_claims],
            data.capped_yuan[with_claims],
            firm[with_claims],
        ),
    }, cells


def _by_firm(fit: Fit, rows: Sequence[Integers], weight: Floats, total: Floats, firm: Integers) -> Fit:
    """Return the fit with standard errors that take a firm's years together."""
    covariance = honest_covariance(fit, rows, weight, total, firm)
    return replace(fit, covariance=covariance, standard_error=np.sqrt(np.diag(covariance)))


def _references(cells: Cells, terms: Sequence[str]) -> dict[str, str]:
    """Return the level with the most claims of each factor, one reference for frequency and severity."""
    found = {}
    for name in terms:
        at = cells.position(name)
        total = sums(cells.codes[:, at], cells.total, len(cells.factors[at].levels))
        found[name] = cells.factors[at].levels[int(total.argmax())]
    return found


def _effect(
    factor: Factor,
    small: Factor,
    stay: Integers,
    level_of: Integers,
    fits: Mapping[str, Fit],
    counted: Cells,
    current: Floats | None,
    assumed: Assumptions,
) -> tuple[Effect, float]:
    """Return a factor's effect around its exposure-weighted mean, and the shift of the level that this makes."""
    at = counted.position(factor.name)
    weight, claims = (sums(counted.codes[:, at], part, len(factor.levels)) for part in (counted.weight, counted.total))
    merged = sums(np.searchsorted(stay, level_of), weight, len(stay))
    share = merged / merged.sum()
    centre = np.eye(len(stay)) - share
    log_effect, variance, shift = np.zeros(len(stay)), np.zeros(len(stay)), 0.0
    for fit in fits.values():
        beta, covariance = term_of(fit, fit.covariance, factor.name, len(stay))
        log_effect += centre @ beta
        variance += np.diag(centre @ covariance @ centre.T)
        shift += float(share @ beta)
    error = np.sqrt(np.maximum(variance, 0.0))
    used, z, comp = np.exp(log_effect), np.full(len(stay), np.nan), np.full(len(stay), np.nan)
    moved: tuple[Adjustment, ...] = ()
    if current is not None and assumed.complement == "current" and len(stay) > 1:
        now = np.log(
            np.array(
                [np.average(current[level_of == i], weights=np.maximum(weight[level_of == i], 1e-12)) for i in stay]
            )
        )
        comp = np.exp(now - share @ now)
        spread = between_variance(log_effect - np.log(comp), error)
        used, z, moved = shrink(
            small.levels, log_effect, comp, log_standard_error=np.maximum(error, 1e-12), between_variance=spread
        )
    if factor.name in assumed.monotone and len(stay) > 1:
        used, more = monotone(
            small.levels, used, 1 / np.maximum(error, 1e-6) ** 2, direction=assumed.monotone[factor.name]
        )
        moved = (*moved, *more)
    to = np.searchsorted(stay, level_of)
    # A merged level keeps its current distance from the level that stands for it.
    inside = np.ones(len(factor.levels)) if current is None else current / current[level_of]
    half, own = NORMAL_95 * error, level_of == np.arange(len(level_of))
    return Effect(
        factor=factor,
        fitted=np.where(own, np.exp(log_effect)[to], np.nan),
        low=np.where(own, np.exp(log_effect - half)[to], np.nan),
        high=np.where(own, np.exp(log_effect + half)[to], np.nan),
        merged_into=tuple("" if alone else factor.levels[i] for alone, i in zip(own, level_of)),
        credibility=z[to],
        complement=comp[to],
        used=used[to] * inside,
        weight=weight,
        claims=claims,
        adjustments=tuple(moved),
    ), shift


def between_variance(distance: Floats, error: Floats) -> float:
    """Return the variance of true distances from their complement, at least 0, less moved by a few wild ones.

    τ² solves Σ min(u², c²) = (k − 1)·E[min(Z², c²)] with u² = (d − d̄)²/(s² + τ²), Z standard normal and c = 2
    (Paule & Mandel 1982, with Huber's bound): a level far from all others counts as one at two standard errors.
    The mean d̄ is not bounded: one wild level among five or fewer still sets the variance.

    Examples
    --------
    >>> between_variance(np.array([0.5, -0.5]), np.array([0.1, 0.1])).__round__(3)
    0.533
    >>> calm = between_variance(np.array([0.1, -0.1, 0.05, -0.05, 0.0]), np.full(5, 0.1))
    >>> far = np.array([0.1, -0.1, 0.05, -0.05, 0.1, -0.1, 0.05, -0.05, 0.0, 3.0])
    >>> wild = between_variance(far, np.full(10, 0.1))
    >>> calm, wild < float(far.var(ddof=1)) / 4
    (0.0, True)
    """
    from scipy.optimize import brentq

    known = error > 0
    d, s2 = distance[known], error[known] ** 2
    if len(d) < 2:
        return 0.0

    def beyond(variance: float) -> float:
        w = 1 / (s2 + variance)
        u2 = (d - w @ d / w.sum()) ** 2 * w
        return float(np.minimum(u2, HUBER**2).sum() - (len(d) - 1) * HUBER_EXPECTED)

    most = float(np.ptp(d)) ** 2 + float(s2.max())
    if beyond(0.0) <= 0 or beyond(4 * most) >= 0:
        return 0.0
    return float(brentq(beyond, 0.0, 4 * most, xtol=1e-12))


def _balanced(
    model: RateModel, data: Adjusted, factors: Sequence[Factor], codes: Sequence[Integers], axes: int
) -> RateModel:
    """Return the model with cell factors by Bühlmann–Straub, balanced to the capped losses as a whole."""
    rows = list(codes)
    expected = model.predict(factors, rows, axes) * data.weight
    level = float(data.capped_yuan.sum() / expected.sum())
    expected *= level
    size, years = _size(factors[:axes]), len(data.years)
    key = cell_index(factors[:axes], rows[:axes]) * years + data.year
    awaited = sums(key, expected, size * years).reshape(size, years)
    actual = sums(key, data.capped_yuan, size * years).reshape(size, years)
    ratio = np.divide(actual, awaited, out=np.full_like(actual, np.nan), where=awaited > 0)
    if (awaited.sum(axis=1) > 0).sum() < 2 or years < 2:
        return replace(model, level=model.level * level)
    found = buhlmann_straub(ratio, awaited)
    factor = np.asarray(found.premium, dtype=np.float64)
    mean = float(factor @ awaited.sum(axis=1) / awaited.sum())
    return replace(model, level=model.level * level, cell_factor=factor / mean, cell_credibility=found)
