"""Schemes calibrated on a history: each learns from a period and the year after it, then rates any later record.

A fitted scheme is a function from a record (`FirmYears`) to modifications before bounds, so that all can be judged
alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.experience.age_weights import age_weighted_modification, estimate_age_weights
from ratemod.experience.bonus_malus import bonus_malus, evolve
from ratemod.experience.buhlmann import buhlmann_straub
from ratemod.experience.calibrate import Evidence, choose_split
from ratemod.experience.firm_years import FirmYears
from ratemod.experience.merit import claim_free_years
from ratemod.experience.poisson_gamma import posterior_mean, shape_by_likelihood
from ratemod.experience.split import split_mod

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
RATIO_ENDS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True, eq=False, slots=True)
class FittedScheme:
    """A calibrated scheme.

    Attributes
    ----------
    name : str
    mod : function of a record, giving (n,) float64 before bounds
    parameters : what was estimated, for the record
    """

    name: str
    mod: Callable[[FirmYears], Floats]
    parameters: dict[str, object]


def relative(group: Integers, groups: int, past: FirmYears, then: FirmYears) -> Floats:
    """Return next year's loss ratio of groups of firms relative to all, shrunk towards 1 where a group is thin.

    Notes
    -----
    A group's ratio has the credibility n/(n + 50) of its n claims next year.
    """
    e, x, n = (np.bincount(group, part[:, 0], minlength=groups) for part in (then.expected, then.loss, then.claims))
    whole = x.sum() / e.sum()
    ratio = np.divide(x, e * whole, out=np.ones(groups), where=e > 0)
    z = n / (n + 50.0)
    return np.asarray(z * ratio + 1 - z, dtype=np.float64)


def _rising(values: Floats, weight: Floats) -> Floats:
    """Return the nearest rising values (pool adjacent violators): more claims must not cost less."""
    blocks: list[list[float]] = []
    for value, mass in zip(values, np.maximum(weight, 1e-9)):
        blocks.append([float(value), float(mass), 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            value_b, mass_b, many = blocks.pop()
            value_a, mass_a, before = blocks.pop()
            mass = mass_a + mass_b
            blocks.append([(value_a * mass_a + value_b * mass_b) / mass, mass, before + many])
    return np.concatenate([np.full(int(many), value) for value, _, many in blocks])


def _table(place: Callable[[FirmYears], Integers], groups: int, past: FirmYears, then: FirmYears) -> Floats:
    group = place(past)
    weight = np.bincount(group, then.expected[:, 0], minlength=groups).astype(np.float64)
    return _rising(relative(group, groups, past, then), weight)


def fit_merit(past: FirmYears, then: FirmYears) -> FittedScheme:
    """Merit table: a factor by claim-free years at the end of the record."""
    years = past.claims.shape[1]

    def place(record: FirmYears) -> Integers:
        return np.asarray(years - claim_free_years(record.claims), dtype=np.int64)

    factors = _table(place, years + 1, past, then)
    return FittedScheme("merit", lambda record: factors[place(record)], {"by_claim_free_years": factors[::-1].round(4)})


def fit_bands(past: FirmYears, then: FirmYears) -> FittedScheme:
    """Loss-ratio bands, interpolated: a factor by actual over expected losses of the record."""

    def ratio(record: FirmYears) -> Floats:
        e = record.expected.sum(axis=1)
        made: Floats = np.divide(record.loss.sum(axis=1), e, out=np.zeros(len(e)), where=e > 0)
        return made

    def place(record: FirmYears) -> Integers:
        return np.searchsorted(np.array(RATIO_ENDS), ratio(record), "left").astype(np.int64)

    factors = _table(place, len(RATIO_ENDS) + 1, past, then)
    points = np.array([0.0, *((np.array(RATIO_ENDS[:-1]) + np.array(RATIO_ENDS[1:])) / 2), RATIO_ENDS[-1] * 1.5])
    return FittedScheme(
        "loss_ratio_bands",
        lambda record: np.interp(ratio(record), points, factors),
        {"at_ratio": points, "factor": factors.round(4)},
    )


def fit_bonus_malus(past: FirmYears, then: FirmYears) -> FittedScheme:
    """Bonus–malus levels: one down without claims, two up for each; what levels cost is calibrated."""
    system = bonus_malus([0.7, 0.8, 0.9, 1.0, 1.2, 1.5], down=1, up=2, start=3)

    def place(record: FirmYears) -> Integers:
        counted = np.where(record.exposure > 0, record.claims, -1)
        return evolve(system, counted)[:, -1].astype(np.int64)

    factors = _table(place, len(system.relativities), past, then)
    return FittedScheme("bonus_malus", lambda record: factors[place(record)], {"by_level": factors.round(4)})


def fit_split(past: FirmYears, then: FirmYears) -> FittedScheme:
    """Split rating: primary and excess losses with a credibility each, at the split that predicts best."""

    def evidence(split: float) -> Evidence:
        primary, loss = past.primary[split].sum(axis=1), past.loss.sum(axis=1)
        e = past.expected.sum(axis=1)
        share = primary.sum() / loss.sum()
        return Evidence(e, share * e, primary, np.maximum(loss - primary, 0), then.expected[:, 0], then.loss[:, 0])

    fit, tried = choose_split(tuple(past.primary), evidence)
    rule = fit.rule()
    share = float(past.primary[fit.split].sum() / past.loss.sum())

    def mod(record: FirmYears) -> Floats:
        primary, loss, e = record.primary[fit.split].sum(axis=1), record.loss.sum(axis=1), record.expected.sum(axis=1)
        made, seen = np.ones(len(e)), e > 0
        excess = np.maximum(loss - primary, 0)[seen]
        made[seen] = split_mod(rule, primary[seen], excess, e[seen], share * e[seen]).mod
        return made

    told = {"split": fit.split, "k_primary": fit.k_primary, "k_excess": fit.k_excess, "d_ratio": share}
    return FittedScheme("split", mod, told | {"efficiency_by_split": {at.split: at.efficiency for at in tried}})


def fit_buhlmann_straub(past: FirmYears, then: FirmYears) -> FittedScheme:
    """Bühlmann–Straub credibility of actual over expected losses, K from the record's own years."""
    e = np.concatenate([past.expected, then.expected[:, :1]], axis=1)
    x = np.concatenate([past.loss, then.loss[:, :1]], axis=1)
    ratio = np.divide(x, e, out=np.full(e.shape, np.nan), where=e > 0)
    found = buhlmann_straub(ratio, e)
    k = found.k

    def mod(record: FirmYears) -> Floats:
        own, awaited = record.loss.sum(axis=1), record.expected.sum(axis=1)
        if not np.isfinite(k):
            return np.ones(len(own))
        return np.asarray((own + k * found.collective) / (awaited + k) / found.collective, dtype=np.float64)

    return FittedScheme("buhlmann_straub", mod, {"k": k, "collective": found.collective})


def fit_poisson_gamma(past: FirmYears, then: FirmYears) -> FittedScheme:
    """Poisson–gamma: claims over expected claims with a gamma risk."""
    shape = shape_by_likelihood(past.claims.sum(axis=1), past.expected_claims.sum(axis=1))

    def mod(record: FirmYears) -> Floats:
        n, e = record.claims.sum(axis=1), record.expected_claims.sum(axis=1)
        return posterior_mean(n, e, shape) if np.isfinite(shape) else np.ones(len(n))

    return FittedScheme("poisson_gamma", mod, {"shape": shape})


def fit_age_weights(past: FirmYears, then: FirmYears) -> FittedScheme:
    """Poisson–gamma with age weights: recent years count more."""
    counts = np.concatenate([past.claims, then.claims[:, :1]], axis=1)
    expected = np.concatenate([past.expected_claims, then.expected_claims[:, :1]], axis=1)
    found = estimate_age_weights(counts, expected, ages=past.claims.shape[1])

    def mod(record: FirmYears) -> Floats:
        if not np.isfinite(found.shape):
            return np.ones(len(record.claims))
        return age_weighted_modification(record.claims, record.expected_claims, found.shape, found.weights)

    return FittedScheme("age_weights", mod, {"shape": found.shape, "weights": found.weights.round(4)})
