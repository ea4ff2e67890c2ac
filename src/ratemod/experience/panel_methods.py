"""The credibility methods that take a panel of firms and periods: each gives every firm's parts, and the structure.

Nothing is estimated here; each function asks the method of its own module and lays its parts side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ratemod.errors import Problem, problem
from ratemod.experience.buhlmann import Credibility, buhlmann, buhlmann_straub, credibility_factor, firm_sums
from ratemod.experience.hachemeister import hachemeister, premium_at
from ratemod.experience.hierarchical import Estimator, hierarchical
from ratemod.experience.limited_fluctuation import base_standard, partial_credibility, standard_pure_premium
from ratemod.experience.panel import Floats, Integers, refuse
from ratemod.experience.poisson_gamma import posterior_mean, semiparametric_poisson, shape_by_likelihood
from ratemod.rules.options import strict


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """A table as a panel of the firms that can be used.

    Attributes
    ----------
    names : all firms, ascending; periods : ascending
    value, weight : (kept firms, periods) float64, NaN where a firm has no row
    kept : positions of those firms in `names`
    levels : (kept firms,) codes by level
    refused : position of a firm -> why
    blank : rows with a weight and no value, whose periods count as not seen
    """

    names: Sequence[str]
    periods: Sequence[Any]
    value: Floats
    weight: Floats
    kept: Integers
    levels: tuple[Integers, ...]
    refused: Mapping[int, Problem]
    blank: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """What a method gives a firm: own estimate, what it is pulled towards, credibility, estimate; structure."""

    own: Floats
    complement: Floats
    z: Floats
    estimate: Floats
    structure: Mapping[str, Any]
    warnings: tuple[Problem, ...] = ()


def by_buhlmann(panel: Panel) -> Parts:
    """Bühlmann: every period counts alike; weights only say whether it was seen."""
    return _of(buhlmann(np.where(panel.weight > 0, panel.value, np.nan)))


def by_buhlmann_straub(panel: Panel) -> Parts:
    """Bühlmann–Straub with the unbiased between variance."""
    return _of(buhlmann_straub(panel.value, panel.weight))


def by_buhlmann_straub_iterative(panel: Panel) -> Parts:
    """Bühlmann–Straub with the iterative between variance (Bichsel–Straub)."""
    return _of(buhlmann_straub(panel.value, panel.weight, estimator="iterative"))


def _of(found: Credibility) -> Parts:
    structure = {"collective": found.collective, "within": found.within, "between": found.between, "k": found.k}
    return Parts(
        own=found.firm_mean,
        complement=np.full(len(found.z), found.collective),
        z=found.z,
        estimate=found.premium,
        structure=structure,
        warnings=found.warnings,
    )


@strict
def by_hierarchy(panel: Panel, estimator: Estimator = "buhlmann_gisler") -> Parts:
    """Jewell's hierarchy of levels; the complement of a firm is the estimate of the level above it."""
    found = hierarchical(panel.value, panel.weight, panel.levels, estimator=estimator)
    structure = {
        "collective": found.collective,
        "within": found.within,
        "between": [level.between for level in found.levels],
    }
    return Parts(
        own=found.firms.mean,
        complement=found.levels[-2].premium[found.firms.parent],
        z=found.firms.z,
        estimate=found.firms.premium,
        structure=structure,
        warnings=found.warnings,
    )


def by_hierarchy_ohlsson(panel: Panel) -> Parts:
    """The hierarchy with Ohlsson's estimate of each level, pooled over parents."""
    return by_hierarchy(panel, "ohlsson")


def by_hierarchy_iterative(panel: Panel) -> Parts:
    """The hierarchy with each level's variance repeated until it gives itself back."""
    return by_hierarchy(panel, "iterative")


def by_semiparametric_poisson(panel: Panel) -> Parts:
    """Frequencies with the Poisson's own variance within a firm: values are claims, weights exposure."""
    return _of(semiparametric_poisson(*_counted(panel)))


def by_hachemeister(panel: Panel) -> Parts:
    """Regression on time: the estimate of the period after the last."""
    time = np.arange(1.0, len(panel.periods) + 1)
    if panel.periods and isinstance(panel.periods[0], float):
        time = np.array(panel.periods) - panel.periods[0] + 1
    found = hachemeister(panel.value, panel.weight, np.stack([np.ones_like(time), time], axis=1))
    coming = [1.0, time[-1] + 1]
    at = np.linalg.solve(found.basis.T, coming)
    structure = {"collective": found.collective.tolist(), "within": found.within, "between": found.between.tolist()}
    return Parts(
        own=found.own @ at,
        complement=np.full(len(found.z), found.collective @ at),
        z=found.z[:, 0],
        estimate=premium_at(found, coming),
        structure=structure,
        warnings=found.warnings,
    )


def by_poisson_gamma(panel: Panel) -> Parts:
    """Poisson–gamma: values are claims, weights expected claims."""
    claims, expected = _counted(panel)
    shape = shape_by_likelihood(claims, expected)
    own = np.divide(claims, expected, out=np.full(len(claims), np.nan), where=expected > 0)
    flat = np.ones(len(claims))
    return Parts(
        own=own,
        complement=flat,
        z=credibility_factor(expected, shape),
        estimate=flat if np.isinf(shape) else posterior_mean(claims, expected, shape),
        structure={"collective": 1.0, "shape": shape},
    )


def _counted(panel: Panel) -> tuple[Floats, Floats]:
    """Return claims and weights of all periods of each firm in which claims are known: blank is not none."""
    known = np.isfinite(panel.value)
    return np.nansum(panel.value, axis=1), np.where(known, np.nan_to_num(panel.weight), 0.0).sum(axis=1)


def by_limited_fluctuation(
    panel: Panel,
    *,
    full: float | None = None,
    probability: float | None = None,
    within: float | None = None,
    variation: float | None = None,
    variance_to_mean: float | None = None,
) -> Parts:
    """Limited fluctuation: weights are claims, `full` of them are fully credible; the complement is the mean of all.

    Without `full` it is the standard of `probability` (0.95) and `within` (0.05), for frequency times severity where
    `variation` is given.
    """
    if full is not None and (
        given := [
            name
            for name, value in (
                ("probability", probability),
                ("within", within),
                ("variation", variation),
                ("variance_to_mean", variance_to_mean),
            )
            if value is not None
        ]
    ):
        refuse(problem("RM461", option=name, method=f"full={full:g}") for name in given)
    if full is None:
        base = base_standard(0.95 if probability is None else probability, 0.05 if within is None else within)
        full = standard_pure_premium(base, variation or 0.0, 1.0 if variance_to_mean is None else variance_to_mean)
    sums = firm_sums(panel.value, np.nan_to_num(panel.weight))
    z = partial_credibility(sums.weight, full)
    if not sums.weight.sum() > 0:
        refuse([problem("RM645", firms=0)])
    collective = float(sums.weight @ sums.mean / sums.weight.sum())
    return Parts(
        own=np.where(sums.weight > 0, sums.mean, np.nan),
        complement=np.full(len(z), collective),
        z=z,
        estimate=collective + z * (sums.mean - collective),
        structure={"collective": collective, "full": float(full)},
    )
