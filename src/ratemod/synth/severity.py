"""What one claim costs, and its exact expected value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.synth.enterprises import Codes, Floats, Ints
from ratemod.synth.stream import pick
from ratemod.synth.truth import Severity

MINOR, DISABILITY, DEATH = range(3)
FULL_DEATHS_FROM_HEADS = 10


@dataclass(frozen=True, slots=True)
class Accidents:
    """What accidents did, one row each.

    Attributes
    ----------
    kind : (k,) int8, minor, disability or death
    deaths, serious_injuries, minor_injuries : (k,) int64
    disability_grade : (k,) int8, 1 (worst) to 10, 0 where nobody is disabled
    loss_fen : (k,) int64, what is paid in the end
    """

    kind: Codes
    deaths: Ints
    serious_injuries: Ints
    minor_injuries: Ints
    disability_grade: Codes
    loss_fen: Ints


def draw(
    truth: Severity,
    random: np.random.Generator,
    sector: Codes,
    size: Codes,
    heads: Ints,
    limit_yuan: Ints,
    medical_index: Floats,
) -> Accidents:
    """Draw accidents, one per row.

    Parameters
    ----------
    sector, size : (k,) int8
    heads : (k,) int64, insured heads of the policy
    limit_yuan : (k,) int64, per person
    medical_index : (k,) float64, level of medical cost: inflation times the enterprise's own effect
    """
    many = len(sector)
    death, disabled = chances(truth, sector, size)
    u = random.random(many)
    kind = np.where(u < death, DEATH, np.where(u < death + disabled, DISABILITY, MINOR)).astype(np.int8)
    killed = np.where(heads >= FULL_DEATHS_FROM_HEADS, pick(random.random(many), np.array(truth.deaths_mix)) + 1, 1)
    deaths = np.where(kind == DEATH, killed, 0).astype(np.int64)
    second = random.random(many) < np.where(kind == DISABILITY, truth.further_disabled, truth.further_minor)
    second &= heads > 1
    victims = np.where(kind == DEATH, 0, 1 + second)
    grade = np.where(kind == DISABILITY, pick(random.random(many), np.array(truth.grade_mix)) + 1, 0).astype(np.int8)
    serious = np.where((grade > 0) & (grade <= truth.serious_grade), victims, 0)
    share = np.concatenate([[0.0], truth.grade_share])[grade]
    median = np.where(kind == DISABILITY, truth.medical_serious_yuan, truth.medical_minor_yuan) * medical_index
    cap = truth.medical_limit_share * limit_yuan
    medical = np.zeros(many)
    for victim in range(2):
        cost = median * np.exp(truth.medical_log_deviation * random.standard_normal(many))
        medical += np.minimum(cost, cap) * (victims > victim)
    other = truth.third_party_least_yuan * (1 - random.random(many)) ** (-1 / truth.third_party_tail)
    other = np.minimum(other, truth.third_party_cap * limit_yuan) * (random.random(many) < truth.third_party_chance)
    loss = (deaths + share * victims) * limit_yuan + medical + other
    minor = victims - serious
    return Accidents(
        kind, deaths, serious.astype(np.int64), minor.astype(np.int64), grade, np.rint(loss * 100).astype(np.int64)
    )


def chances(truth: Severity, sector: Codes, size: Codes) -> tuple[Floats, Floats]:
    """Return the chances that an accident kills and that it disables."""
    tilt = np.array(truth.size_tilt)[size]
    return np.array(truth.death_chance)[sector] * tilt, np.array(truth.disability_chance)[sector] * tilt


def expected_loss_yuan(
    truth: Severity, sector: Codes, size: Codes, heads: Ints, limit_yuan: Ints, medical_index: Floats | float
) -> Floats:
    """Return the exact mean of `draw`'s loss in yuan; arguments of any one shape.

    Limited expected values of the log-normal and of the Pareto: Klugman, Panjer & Willmot, *Loss Models*, app. A.
    """
    death, disabled = chances(truth, sector, size)
    pmf = np.array(truth.deaths_mix) / np.sum(truth.deaths_mix)
    deaths = np.where(heads >= FULL_DEATHS_FROM_HEADS, pmf @ np.arange(1, len(pmf) + 1), 1.0)
    more = heads > 1
    cap = truth.medical_limit_share * limit_yuan
    serious = limited_lognormal(truth.medical_serious_yuan * medical_index, truth.medical_log_deviation, cap)
    light = limited_lognormal(truth.medical_minor_yuan * medical_index, truth.medical_log_deviation, cap)
    grades = np.array(truth.grade_mix) / np.sum(truth.grade_mix)
    share = float(grades @ np.array(truth.grade_share))
    least, tail = truth.third_party_least_yuan, truth.third_party_tail
    other = limited_pareto(least, tail, truth.third_party_cap * limit_yuan)
    mean: Floats = (
        death * deaths * limit_yuan
        + disabled * (1 + truth.further_disabled * more) * (share * limit_yuan + serious)
        + (1 - death - disabled) * (1 + truth.further_minor * more) * light
        + truth.third_party_chance * other
    )
    return mean


def limited_lognormal(median: Floats | float, deviation: float, cap: npt.NDArray[Any]) -> Floats:
    """Return E[min(X, cap)] of a log-normal with a median and a log standard deviation."""
    from scipy.special import ndtr

    z = np.log(cap / median) / deviation
    mean: Floats = median * np.exp(deviation**2 / 2) * ndtr(z - deviation) + cap * ndtr(-z)
    return mean


def limited_pareto(least: float, tail: float, cap: npt.NDArray[Any]) -> Floats:
    """Return E[min(X, cap)] of a Pareto from `least` on with index `tail` above 1; `cap` >= `least`."""
    mean: Floats = least * (1 + (1 - (least / cap) ** (tail - 1)) / (tail - 1))
    return mean
