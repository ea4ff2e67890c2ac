"""Hunger for bonus: which claims a firm under a bonus–malus system had better pay itself.

A claim costs premium for years. Let V_l be the least discounted cost of all years to come for a firm about to pay the
premium of level l, and W_n the least cost of the rest of a year in which n claims are reported. With s left of the
year, Poisson claims of frequency λ and sizes X,

    dW_n/ds = λ · E[min(X, W_{n+1} − W_n)],     W_n(0) = β · V_{level after n claims},     V_l = premium · r_l + W_0(1)

so a claim is kept where it is below W_{n+1} − W_n: the optimal retention. The value iteration contracts by β.

Sources: Lemaire, "Driver versus company: optimal behaviour of the policyholder", 1976; De Pril, "Optimal claim
decisions for a bonus–malus system: a continuous approach", ASTIN Bulletin 10, 1979.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ratemod.document.result import Result
from ratemod.errors import ModelError, problem
from ratemod.experience.bonus_malus import BonusMalus
from ratemod.experience.panel import Floats, numbers
from ratemod.rules.options import strict
from ratemod.rules.within import Amount, Factor, Share

STEPS, MOST_ROUNDS = 8, 5_000


@dataclass(frozen=True, slots=True, repr=False)
class Retention(Result):
    """Optimal retentions.

    Attributes
    ----------
    cost : (levels,) float64, yuan: discounted cost of premiums and kept claims from the start of a year at each level
    at_start : (levels,) float64, yuan: a first claim at the start of the year is kept when it is smaller
    at_end : (levels,) float64, yuan: the same on the last day of the year
    """

    cost: Floats
    at_start: Floats
    at_end: Floats


@strict
def optimal_retention(
    system: BonusMalus,
    frequency: Amount,
    premium_yuan: Factor,
    limited_mean: Callable[[Floats], Floats],
    discount: Share = 0.95,
) -> Retention:
    """Return the claims that a firm does best to pay itself.

    Parameters
    ----------
    system : BonusMalus
    frequency : claims per year, all of them, reported or not
    premium_yuan : base premium, yuan a year
    limited_mean : E[min(X, d)] of the claim size, yuan, for an array of d, yuan
    discount : β, value today of a yuan in a year, below 1

    Returns
    -------
    Retention

    Raises
    ------
    ModelError
        RM641, RM642; RM658 when the iteration does not settle.

    Examples
    --------
    >>> from ratemod.experience.bonus_malus import bonus_malus
    >>> exponential = lambda d: 20_000 * -np.expm1(-d / 20_000)
    >>> optimal_retention(bonus_malus([0.5, 0.7, 1.0, 1.4]), 0.1, 10_000, exponential).at_end.round(0).tolist()
    [7267.0, 15493.0, 13172.0, 8226.0]
    """
    numbers("discount", discount, low=0, high=float(np.nextafter(1, 0)))
    premium = premium_yuan * system.relativities
    cost = premium / (1 - discount)
    for _ in range(MOST_ROUNDS):
        end = discount * cost[system.moves]
        start = _year(end, frequency, limited_mean)
        found = premium + start[0]
        settled = np.abs(found - cost).max() <= 1e-11 * max(float(np.abs(found).max()), 1.0)
        cost = found
        if settled:
            return Retention(cost, np.maximum(start[1] - start[0], 0), np.maximum(end[1] - end[0], 0))
    raise ModelError(problem("RM658", rounds=MOST_ROUNDS))


def _year(end: Floats, frequency: float, limited_mean: Callable[[Floats], Floats]) -> Floats:
    """Return the cost at the start of the year, (counts, levels), from that at its end (Runge–Kutta, fourth order)."""

    def slope(at: Floats) -> Floats:
        gap = np.zeros_like(at)
        gap[:-1] = np.maximum(at[1:] - at[:-1], 0.0)
        return frequency * limited_mean(gap)

    step, at = 1 / STEPS, end
    for _ in range(STEPS):
        one = slope(at)
        two = slope(at + step / 2 * one)
        three = slope(at + step / 2 * two)
        at = at + step / 6 * (one + 2 * two + 2 * three + slope(at + step * three))
    return at
