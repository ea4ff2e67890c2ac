"""Find the change that reaches a target, bounds, caps and rounding in force; refuse what cannot be, and say why.

A premium in fen is a step function of a rate, so a target is reached when no number at the stated step comes closer.
One unknown is found by bisection over whole steps, between two numbers on either side of the target. Where a measure
does not move one way (a rule refuses what became too dear), the two may lie between the bounds: some numbers there are
tried before a target is called out of reach, and what is found is next to a place where the measure crosses it. Several
are found by Newton's method on steps, from several starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise, product
from typing import Any

import numpy as np

from ratemod.document.html import card
from ratemod.document.model import Document
from ratemod.errors import Lang, ModelError, default_language, nearest, problem
from ratemod.money import to_unit
from ratemod.plan.edit import exact_number
from ratemod.plan.model import Plan
from ratemod.rules.options import strict
from ratemod.rules.within import Amount, Factor
from ratemod.whatif.engine import Engine, Outcome, engine
from ratemod.whatif.scenario import Scenario, apply, numbers_of, scenario, words

MOST_STARTS = 9
PROBES = 16  # parts of the way from low to high at whose ends the measure is tried before a target is out of reach
ONE = Decimal(1)
MEASURES = ("premium_yuan", "premium_change", "loss_ratio", "largest_rise", "share_above_25")


@dataclass(frozen=True, slots=True)
class Unknown:
    """A number to find: a path of the plan, or a table to scale as a whole.

    Attributes
    ----------
    path : as in a scenario; a table's path is multiplied
    low, high : Decimal, where to look; step : Decimal, smallest difference
    """

    path: str
    low: Decimal
    high: Decimal
    step: Decimal = Decimal("0.001")


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Solution:
    """What reaches the target.

    Attributes
    ----------
    values : path -> number
    scenario : the change; target, reached : measure -> value
    total_fen : premium of the book; priced : how many times the book was priced; plan : before the change
    """

    values: Mapping[str, Decimal]
    scenario: Scenario
    target: Mapping[str, float]
    reached: Mapping[str, float]
    total_fen: int
    priced: int
    plan: Plan

    def __repr__(self) -> str:
        values = ", ".join(f"{path} = {value:f}" for path, value in self.values.items())
        reached = ", ".join(f"{name} {value:.6g}" for name, value in self.reached.items())
        return f"<Solution {values}: {reached}; premium {self.plan.money.named(self.total_fen)}>"

    @strict
    def words(self, lang: Lang = "en") -> list[str]:
        """Return the change that was found, one line a number."""
        return words(self.plan, self.scenario, lang)

    @strict
    def document(self, lang: Lang | None = None) -> Document:
        """Return the answer."""
        from ratemod.whatif.display import solution_document

        return solution_document(self, lang or default_language())

    @strict
    def html(self, lang: Lang | None = None) -> str:
        """Return the same as HTML that fits a screen."""
        return card(self.document(lang))

    def _repr_html_(self) -> str:
        return self.html()


def unknown(path: str, low: Any, high: Any, step: Any = "0.001") -> Unknown:
    """Return an unknown.

    Raises
    ------
    ModelError
        RM383 no number, RM847 bounds that leave nothing to look for.

    Examples
    --------
    >>> unknown("tables.base_rate", "0.5", "2").high
    Decimal('2')
    """
    made = Unknown(path, *numbers_of({"low": low, "high": high, "step": step}))
    if made.low < made.high and made.step > 0:
        _ends(made)
        return made
    raise ModelError(problem("RM847", path=path, low=made.low, high=made.high))


@strict
def solve(
    book: Any,
    plan: Plan,
    change: Unknown | Sequence[Unknown],
    target: Mapping[str, float | str],
    *,
    losses_yuan: Amount | None = None,
    base: Engine | None = None,
) -> Solution:
    """Find the number (or numbers) that bring a book to its target.

    Parameters
    ----------
    book : whatever `rate` takes; plan : Plan
    change : one Unknown, or several for as many targets
    target : measure -> value, a number or one as text ("3%"): ``premium_yuan``, ``premium_change`` (0.05 for +5 %),
        ``loss_ratio`` (needs `losses_yuan`), ``largest_rise`` (0 where nobody rises), ``share_above_25``
    losses_yuan : expected losses of the book
    base : an engine of the same book and plan

    Returns
    -------
    Solution

    Raises
    ------
    ModelError
        RM848 an unknown measure, RM849 more unknowns than targets (under-determined) or fewer, RM850 a target out of
        reach (with what can be reached), RM851 a loss ratio without losses, RM852 unknowns that the targets cannot tell
        apart, RM862 several targets that were not reached together (with what comes nearest), RM383 no number.
    """
    wanted = [change] if isinstance(change, Unknown) else list(change)
    goals = {name: exact_number(value) for name, value in target.items()}
    losses = exact_number(losses_yuan or 0)
    wrong = [problem("RM848", name=name, nearest=nearest(name, MEASURES)) for name in target if name not in MEASURES]
    if len(wanted) != len(target):
        wrong.append(problem("RM849", unknowns=len(wanted), targets=len(target)))
    wrong += [problem("RM383", name=name, value=target[name]) for name, goal in goals.items() if goal is None]
    if losses is None:
        wrong.append(problem("RM383", name="losses_yuan", value=losses_yuan))
    elif "loss_ratio" in target and not losses > 0:
        wrong.append(problem("RM851"))
    if wrong:
        raise ModelError(wrong)
    made = base or engine(book, plan)
    for item in wanted:
        apply(plan, {item.path: _value(item, item.low)})
    seen: dict[tuple[Decimal, ...], Outcome] = {}

    def measures(values: Sequence[Decimal]) -> list[float]:
        key = tuple(values)
        if key not in seen:
            seen[key] = made.price({item.path: _value(item, value) for item, value in zip(wanted, values)})
        return [measure(name, made, seen[key], float(losses or 0)) for name in target]

    aims = {name: float(goal) for name, goal in goals.items() if goal is not None}
    values = (
        _one(wanted[0], lambda v: measures([v])[0], *next((goal, name) for name, goal in aims.items()))
        if len(wanted) == 1
        else _several(wanted, measures, list(aims.values()), list(aims))
    )
    outcome = seen[tuple(values)]
    reached = dict(zip(target, measures(values)))
    pairs = {item.path: _value(item, value) for item, value in zip(wanted, values)}
    return Solution(
        {item.path: value for item, value in zip(wanted, values)},
        scenario("solution", pairs, plan=plan),
        aims,
        reached,
        outcome.total_fen,
        len(seen),
        plan,
    )


def measure(name: str, base: Engine, outcome: Outcome, losses_yuan: float | None) -> float:
    """Return one measure of a priced scenario."""
    if name == "premium_yuan":
        return outcome.total_fen / base.plan.money.per_unit
    start = max(int(base.premium_fen.sum()), 1)
    if name == "premium_change":
        return outcome.total_fen / start - 1
    if name == "loss_ratio":
        return float(losses_yuan or 0.0) * base.plan.money.per_unit / max(outcome.total_fen, 1)
    old, new = base.premium_fen[outcome.rows], outcome.premium_fen
    both = (old > 0) & (new > 0)
    rise = new[both] / old[both] - 1
    if name == "largest_rise":
        return float(rise.max(initial=0.0))
    return float((rise > 0.25).sum()) / max(int((base.premium_fen > 0).sum()), 1)


@strict
def off_balance(
    book: Any,
    plan: Plan,
    table: str,
    target_premium_yuan: Factor,
    *,
    low: Any = "0.1",
    high: Any = "10",
    step: Any = "0.0001",
    base: Engine | None = None,
) -> Solution:
    """Return the factor on a table's cells that brings the book's premium to a target, caps and bounds in force."""
    wanted = unknown(f"tables.{table}", low, high, step)
    return solve(book, plan, wanted, {"premium_yuan": target_premium_yuan}, base=base)


def _value(item: Unknown, value: Decimal) -> str:
    whole = item.path.startswith("tables.") and "[" not in item.path
    return f"*{value:f}" if whole else f"{value:f}"


def _one(item: Unknown, of: Callable[[Decimal], float], goal: float, name: str) -> list[Decimal]:
    """Return the number on the grid of steps whose measure comes closest, by bisection."""
    low, high = _ends(item)
    tried = {at: of(at * item.step) for at in (low, high)}
    if (between := _crossing(tried, goal)) is None:
        inner = {to_unit(low + (high - low) * part / PROBES, ONE) for part in range(1, PROBES)}
        tried |= {at: of(at * item.step) for at in sorted(inner)}
        between = _crossing(tried, goal)
    if between is None:
        least, most = (f"{end(tried.values()):.6g}" for end in (min, max))
        target = f"{goal:.6g}"
        raise ModelError(problem("RM850", measure=name, target=target, tried=len(tried), least=least, most=most))
    low, high = between
    rising = tried[high] >= tried[low]
    while high - low > 1:
        middle = to_unit((low + high) / 2, ONE)
        tried[middle] = of(middle * item.step)
        if (tried[middle] <= goal) == rising:
            low = middle
        else:
            high = middle
    return [min(tried, key=lambda at: (abs(tried[at] - goal), at)) * item.step]


def _ends(item: Unknown) -> tuple[Decimal, Decimal]:
    """Return the first and the last whole step within the bounds; raises RM847 where there is none."""
    low = to_unit(item.low / item.step, ONE, "up" if item.low > 0 else "down")  # inwards
    high = to_unit(item.high / item.step, ONE, "down" if item.high > 0 else "up")
    if low > high:
        raise ModelError(problem("RM847", path=item.path, low=item.low, high=item.high))
    return low, high


def _crossing(tried: Mapping[Decimal, float], goal: float) -> tuple[Decimal, Decimal] | None:
    """Return the first two neighbours among the numbers tried whose measures the goal lies between."""
    for low, high in pairwise(sorted(tried)):
        if min(tried[low], tried[high]) <= goal <= max(tried[low], tried[high]):
            return low, high
    return None


def _several(
    items: Sequence[Unknown],
    of: Callable[[Sequence[Decimal]], list[float]],
    goals: Sequence[float],
    names: Sequence[str],
) -> list[Decimal]:
    """Return numbers that reach all targets within a few steps: Newton on steps from several starts."""
    scale = np.array([max(abs(goal), 1e-3) for goal in goals])
    best: list[Decimal] = []
    missed, told_apart = np.inf, False
    for shares in _starts(len(items)):
        start = [_rounded(item.low + (item.high - item.low) * share, item.step) for item, share in zip(items, shares)]
        found, miss, apart = _newton(items, of, np.array(goals, dtype=np.float64), scale, start)
        told_apart |= apart
        if miss < missed:
            best, missed = found, miss
        if missed <= 1e-3:
            return best
    if not told_apart:
        raise ModelError(problem("RM852", paths=", ".join(item.path for item in items)))
    reached = dict(zip(names, of(best)))
    said = ", ".join(f"{name} {value:.6g}" for name, value in reached.items())
    wanted = ", ".join(f"{name} {goal:.6g}" for name, goal in zip(names, goals))
    at = ", ".join(f"{item.path} = {value:f}" for item, value in zip(items, best))
    raise ModelError(problem("RM862", target=wanted, reached=said, at=at))


def _starts(unknowns: int) -> list[tuple[Decimal, ...]]:
    """Return where to start, as shares of the way from low to high: the middle, then a grid around it."""
    rungs = [Decimal(share) for share in ("0.5", "0.2", "0.8")]
    return list(product(rungs, repeat=unknowns))[:MOST_STARTS]


def _newton(
    items: Sequence[Unknown],
    of: Callable[[Sequence[Decimal]], list[float]],
    goals: np.ndarray[Any, np.dtype[np.float64]],
    scale: np.ndarray[Any, np.dtype[np.float64]],
    now: list[Decimal],
) -> tuple[list[Decimal], float, bool]:
    """Return the best numbers of a Newton search, how far they miss, and whether the targets told them apart."""
    best, missed, told_apart = list(now), np.inf, False
    for _ in range(25):
        here = np.array(of(now))
        miss = float(np.abs((here - goals) / scale).max())
        if miss < missed:
            best, missed = list(now), miss
        if missed <= 1e-6:
            break
        slopes = np.empty((len(goals), len(items)))
        for j, item in enumerate(items):
            width = max(item.step, _rounded((item.high - item.low) / 200, item.step))
            moved = list(now)
            moved[j] = moved[j] + width if moved[j] + width <= item.high else moved[j] - width
            slopes[:, j] = (np.array(of(moved)) - here) / float(moved[j] - now[j])
        if np.linalg.matrix_rank(slopes / scale[:, None], tol=1e-10) < len(items):
            break
        told_apart = True
        go = np.linalg.solve(slopes, goals - here)
        new = [
            min(max(_rounded(now[j] + Decimal(repr(float(go[j]))), item.step), item.low), item.high)
            for j, item in enumerate(items)
        ]
        if new == now:
            break
        now = new
    return best, missed, told_apart or missed <= 1e-3


def _rounded(value: Decimal, step: Decimal) -> Decimal:
    """Return the number on the grid of steps next to a value."""
    return to_unit(value, step)
