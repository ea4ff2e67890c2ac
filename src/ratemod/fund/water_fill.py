"""Continuous spending: the closed form of concave allocation, one dual root per budget."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, Problem, problem
from ratemod.fund.fund_table import Floats, Ints

TURNS = 200


@dataclass(frozen=True, eq=False, slots=True)
class Filled:
    """A continuous allocation.

    Attributes
    ----------
    spend : (n,) float64, in the unit of the budgets
    price : (g,) float64
        What one more unit of money would prevent, by budget; 0 where the budget buys everything.
    prevented : (n,) float64
    spent : (g,) float64
    """

    spend: Floats
    price: Floats
    prevented: Floats
    spent: Floats


def water_fill(
    gain: npt.ArrayLike,
    rate: npt.ArrayLike,
    cost: npt.ArrayLike,
    group: npt.ArrayLike,
    budget: npt.ArrayLike,
    *,
    least: npt.ArrayLike = 0.0,
    most: npt.ArrayLike = np.inf,
) -> Filled:
    """Spend budgets where they prevent most: maximise ``sum a (1 - exp(-b x))`` with ``sum c x = B`` in each group.

    Parameters
    ----------
    gain : (n,) float64, a > 0, what any number of visits can prevent
    rate : (n,) float64, b > 0, per visit
    cost : (n,) float64, c > 0, of one visit
    group : (n,) int64, 0..g-1, whose budget pays
    budget : (g,) float64 >= 0
    least, most : scalar or (n,) float64, visits

    Returns
    -------
    Filled
        ``spend = c x`` with ``x = clip(log(a b / (c price)) / b, least, most)``: every visit that is neither at its
        least nor at its most prevents the same per unit of money (the Karush-Kuhn-Tucker conditions). The spend of a
        group is piecewise linear in log price, so that Newton's steps, kept in a bracket, find the root in few turns.

    Raises
    ------
    ModelError
        RM720 when an input is not positive and finite; RM721 when a budget cannot pay the least visits (how much is
        missing, by group).

    Source
    ------
    S. Boyd, L. Vandenberghe, *Convex Optimization* (2004), example 5.2 (water-filling).

    Examples
    --------
    >>> water_fill([2.0, 1.0], [1.0, 1.0], [1.0, 1.0], [0, 0], [1.0]).spend.round(4).tolist()
    [0.8466, 0.1534]
    """
    a, b, c, low, high = (
        np.asarray(np.broadcast_to(np.asarray(value, np.float64), np.shape(gain)))
        for value in (gain, rate, cost, least, most)
    )
    whose, money = np.asarray(group, dtype=np.int64), np.asarray(budget, dtype=np.float64)
    _check(a, b, c, low, high, money)
    size = len(money)
    floor, ceiling = low * c, high * c
    need = np.bincount(whose, floor, size)
    if (short := need > money * (1 + 1e-12)).any():
        raise ModelError(
            problem("RM721", group=int(at), missing=float(need[at] - money[at])) for at in np.flatnonzero(short)
        )
    log_ratio, scale = np.log(a * b / c), c / b
    root = _root(log_ratio, scale, floor, ceiling, whose, money)
    with np.errstate(invalid="ignore"):
        spend = np.clip(scale * (log_ratio - root[whose]), floor, ceiling)
    spent = np.bincount(whose, spend, size).astype(np.float64)
    return Filled(spend, np.exp(root), a * -np.expm1(-spend / scale), spent)


def _root(log_ratio: Floats, scale: Floats, floor: Floats, ceiling: Floats, whose: Ints, money: Floats) -> Floats:
    """Return the logarithm of the price of each group; -inf where everything is bought."""
    size = len(money)
    everything = np.bincount(whose, ceiling, size) <= money
    high = np.full(size, -np.inf)
    np.maximum.at(high, whose, log_ratio - floor / scale)  # nobody buys more than the least
    high[~np.isfinite(high)] = 0.0
    low = high - 1.0
    root, step = high.copy(), np.ones(size)
    done = everything.copy()
    bracketed = np.zeros(size, dtype=bool)
    for _ in range(TURNS):
        wish = scale * (log_ratio - root[whose])
        spend = np.minimum(np.maximum(wish, floor), ceiling)
        over = np.bincount(whose, spend, size) - money
        slope = np.bincount(whose, scale * ((wish > floor) & (wish < ceiling)), size)
        done |= np.abs(over) <= 1e-12 * np.maximum(money, 1e-300)
        if done.all():
            break
        low, bracketed = np.where(over >= 0, root, low), bracketed | (over >= 0)
        high = np.where(over <= 0, root, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = root + over / slope
        step = np.where(bracketed, step, step * 2)
        inside = np.where(bracketed, (newton > low) & (newton < high), newton < high) & np.isfinite(newton)
        other = np.where(bracketed, (low + high) / 2, root - step)
        root = np.where(done, root, np.where(inside, newton, other))
    return np.where(everything, -np.inf, root)


def _check(a: Floats, b: Floats, c: Floats, low: Floats, high: Floats, money: Floats) -> None:
    wrong: list[Problem] = []
    for name, value in (("gain", a), ("rate", b), ("cost", c)):
        if not (np.isfinite(value) & (value > 0)).all():
            wrong.append(problem("RM720", name=name))
    if not ((low >= 0) & (low <= high) & np.isfinite(low)).all():
        wrong.append(problem("RM720", name="least, most"))
    if not (np.isfinite(money) & (money >= 0)).all():
        wrong.append(problem("RM720", name="budget"))
    if wrong:
        raise ModelError(wrong)
