"""Why did the modification change since last year? Split exactly, whatever the order in which one looks.

Five things can move a mod: claims that left the window, claims that entered it, claims that developed, the expected
losses, and the plan. Each of
the 2⁵ combinations of old and new is modified, and every cause gets its Shapley value: the average of what it
changes over all
orders. The parts add up to the change because each order's steps do.
Source: Shapley, *A value for n-person games*, 1953.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import factorial

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.experience.losses import counted
from ratemod.experience.mods import Mods
from ratemod.experience.split import SplitParts, split_claims, split_mod

Floats = npt.NDArray[np.float64]
CAUSES = ("claims_left", "claims_entered", "claims_developed", "exposure", "plan")


@dataclass(frozen=True, eq=False, slots=True)
class Movement:
    """Change of the mods of n firms that were modified in both years.

    Attributes
    ----------
    firms : names; before, after : (n,) float64
    parts : (n, 5) float64 by `CAUSES`; each row adds up to after − before
    """

    firms: tuple[str, ...]
    before: Floats
    after: Floats
    parts: Floats

    def frame(self) -> object:
        """Return one row a firm as a pandas frame."""
        import pandas as pd

        columns = {"firm": self.firms, "before": self.before, "after": self.after, "change": self.after - self.before}
        return pd.DataFrame(columns | {name: self.parts[:, i] for i, name in enumerate(CAUSES)})


def movement(before: Mods, after: Mods) -> Movement:
    """Split the change of every firm's modification by cause.

    Parameters
    ----------
    before, after : Mods of two years; claims are matched by their numbers

    Raises
    ------
    ModelError
        RM620 when no firm was modified in both, or the claims have no numbers.

    Notes
    -----
    A claim in both windows that is worth another amount has developed. The swing against last year's mod is left out
    of both sides.
    """
    if before.claims.number is None or after.claims.number is None:
        raise ModelError(problem("RM620"))
    old, new = _places(before), _places(after)
    names = sorted(set(old) & set(new))
    if not names:
        raise ModelError(problem("RM620"))
    at_old, at_new = (np.array([places[name] for name in names]) for places in (old, new))
    sums = _claim_sums(before, after, at_old, at_new)
    exposures = [
        (mods.parts.expected[at], mods.parts.expected_primary[at]) for mods, at in ((before, at_old), (after, at_new))
    ]
    values = {}
    for size in range(len(CAUSES) + 1):
        for chosen in combinations(range(len(CAUSES)), size):
            values[chosen] = _value(chosen, sums, exposures, before, after)
    parts = np.stack([_shapley(cause, values) for cause in range(len(CAUSES))], axis=1)
    return Movement(tuple(names), values[()], values[tuple(range(len(CAUSES)))], parts)


def _places(mods: Mods) -> dict[str, int]:
    fine = mods.problem_of == 0
    return {name: i for i, name in enumerate(mods.exposure.firms.to_pylist()) if fine[i]}


def _claim_sums(
    before: Mods, after: Mods, at_old: npt.NDArray[np.int64], at_new: npt.NDArray[np.int64]
) -> dict[tuple[bool, bool, bool, bool], tuple[Floats, Floats]]:
    """Return primary and excess of every firm by (left already, entered already, developed already, plan already)."""
    groups = {"left": {}, "entered": {}, "stayed": {}}  # type: ignore[var-annotated]
    rows = [_by_number(mods, at) for mods, at in ((before, at_old), (after, at_new))]
    for number in rows[0].keys() | rows[1].keys():
        kind = "stayed" if number in rows[0] and number in rows[1] else "left" if number in rows[0] else "entered"
        groups[kind][number] = (rows[0].get(number), rows[1].get(number))
    found = {}
    for plan_new in (False, True):
        mods = after if plan_new else before
        expected = (after.parts.expected[at_new], before.parts.expected[at_old])[0 if plan_new else 1]
        for left in (False, True):
            for entered in (False, True):
                for developed in (False, True):
                    chosen = [item[0] for item in groups["left"].values() if not left]
                    chosen += [item[1] for item in groups["entered"].values() if entered]
                    chosen += [item[1 if developed else 0] for item in groups["stayed"].values()]
                    found[left, entered, developed, plan_new] = _sums(mods, chosen, expected)
    return found


def _by_number(mods: Mods, at: npt.NDArray[np.int64]) -> dict[str, tuple[int, float, bool]]:
    """Return (place among the firms compared, loss, medical only) of each counted claim, by firm and number."""
    place = np.full(len(mods.problem_of), -1)
    place[at] = np.arange(len(at))
    numbers = mods.claims.number
    found = {}
    first, after = mods.window.of(mods.exposure.effective)
    _, inside = counted(mods.claims, first, after, slice(None))
    for row in np.flatnonzero(inside):
        firm = place[mods.claims.firm[row]]
        if firm >= 0:
            number = numbers[int(row)]
            key = f"{firm}:{getattr(number, 'as_py', lambda n=number: n)()}"
            found[key] = (int(firm), mods.claims.incurred_fen[row] / 100, bool(mods.claims.medical_only[row]))
    return found


def _sums(mods: Mods, claims: list[tuple[int, float, bool]], expected: Floats) -> tuple[Floats, Floats]:
    if not claims:
        return np.zeros(len(expected)), np.zeros(len(expected))
    firm, loss, light = (np.array(part) for part in zip(*claims))
    primary, excess = split_claims(mods.rule, loss, expected[firm], medical_only=light)
    return tuple(np.bincount(firm, part, minlength=len(expected)) for part in (primary, excess))  # type: ignore[return-value]


def _value(
    chosen: tuple[int, ...],
    sums: dict[tuple[bool, bool, bool, bool], tuple[Floats, Floats]],
    exposures: list[tuple[Floats, Floats]],
    before: Mods,
    after: Mods,
) -> Floats:
    """Return the mods where the chosen causes are new and the others old."""
    has = [cause in chosen for cause in range(len(CAUSES))]
    primary, excess = sums[has[0], has[1], has[2], has[4]]
    expected, expected_primary = exposures[has[3]]
    parts: SplitParts = split_mod((after if has[4] else before).rule, primary, excess, expected, expected_primary)
    return parts.mod


def _shapley(cause: int, values: dict[tuple[int, ...], Floats]) -> Floats:
    n, total = len(CAUSES), np.zeros_like(values[()])
    for chosen, value in values.items():
        if cause not in chosen:
            weight = factorial(len(chosen)) * factorial(n - len(chosen) - 1) / factorial(n)
            total += weight * (values[tuple(sorted((*chosen, cause)))] - value)
    return total
