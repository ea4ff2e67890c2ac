"""Why did the modification change since last year? Split exactly, whatever the order in which one looks.

Seven things can move a mod: claims that left the window, claims that entered it, claims that developed, the expected
losses, the plan, records taken over or shared, and last year's mod where it limits the new one. Each combination of old
and new is modified, and every cause gets its Shapley value: the average of what it changes over all orders. The parts
add up to the change because each order's steps do.
Source: Shapley, *A value for n-person games*, 1953.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from math import factorial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.experience.losses import ClaimList, counted, rows_of
from ratemod.experience.mods import Mods, eligible
from ratemod.experience.split import split_mod
from ratemod.experience.splitter import Splitter
from ratemod.registers.shapley import weighted

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
CAUSES = ("claims_left", "claims_entered", "claims_developed", "exposure", "plan", "records_moved", "last_mod")
LEFT, ENTERED, DEVELOPED, EXPOSURE, PLAN, MOVED, LAST = range(len(CAUSES))


@dataclass(frozen=True, eq=False, slots=True)
class Movement:
    """Change of the mods of n firms that were modified in both years.

    Attributes
    ----------
    firms : names; before, after : (n,) float64
    parts : (n, 7) float64 by `CAUSES`; each row adds up to after − before
    """

    firms: tuple[str, ...]
    before: Floats
    after: Floats
    parts: Floats

    def frame(self) -> pd.DataFrame:
        """Return one row a firm as a pandas frame."""
        import pandas as pd

        columns = {"firm": self.firms, "before": self.before, "after": self.after, "change": self.after - self.before}
        return pd.DataFrame(columns | {name: self.parts[:, i] for i, name in enumerate(CAUSES)})


@dataclass(frozen=True, eq=False, slots=True)
class Pool:
    """Claims of both years in one list: rows of the year before, then those of the year after.

    Attributes
    ----------
    claims : ClaimList, firms numbered as they are compared; old : (k,) bool, rows of the year before
    stays : (k,) bool, claims that count in both years
    """

    claims: ClaimList
    old: npt.NDArray[np.bool_]
    stays: npt.NDArray[np.bool_]


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
    A claim in both windows that is worth another amount has developed; with weights by year, growing older is part of
    it. Both ends are the mods as they were given.
    """
    if before.claims.number is None or after.claims.number is None:
        raise ModelError(problem("RM620"))
    old, new = _places(before), _places(after)
    names = sorted(set(old) & set(new))
    if not names:
        raise ModelError(problem("RM620"))
    at = tuple(np.array([places[name] for name in names]) for places in (old, new))
    pool = _pool((before, after), at)
    sums = {
        has: _sums((before, after), at, pool, has) for has in product((False, True), repeat=4)
    }  # by left, entered, developed, plan
    ends = [_ends(mods, place) for mods, place in zip((before, after), at)]
    extra = [[end - own for end, own in zip(ends[i], sums[(bool(i),) * 4])] for i in (0, 1)]
    values = {
        has: _value((before, after), at, sums[has[LEFT], has[ENTERED], has[DEVELOPED], has[PLAN]], extra, has)
        for has in product((False, True), repeat=len(CAUSES))
    }
    by_set = np.stack([values[has[::-1]] for has in product((False, True), repeat=len(CAUSES))])
    parts = weighted(by_set).T / factorial(len(CAUSES))
    none, every = (values[(end,) * len(CAUSES)] for end in (False, True))
    return Movement(tuple(names), none, every, parts)


def _ends(mods: Mods, place: Integers) -> list[Any]:
    """Return primary and excess losses, claims and those that end a free record, as they modify some firms."""
    counts = mods.actual.claims, mods.actual.claims if mods.actual.lost_time is None else mods.actual.lost_time
    return [part[place] for part in (mods.parts.actual_primary, mods.parts.actual_excess, *counts)]


def _places(mods: Mods) -> dict[str, int]:
    fine = (mods.problem_of == 0) & np.isfinite(mods.parts.unbounded)
    return {name: i for i, name in enumerate(mods.exposure.firms.to_pylist()) if fine[i]}


def _pool(years: tuple[Mods, Mods], at: tuple[Integers, ...]) -> Pool:
    """Return the claims of both years that count for the firms compared."""
    rows, firms, keys = [], [], []
    for mods, places in zip(years, at):
        place = np.full(len(mods.problem_of), -1)
        place[places] = np.arange(len(places))
        _, inside = counted(mods.claims, *mods.window.of(mods.exposure.effective), slice(None))
        row = np.flatnonzero(inside & (place[np.maximum(mods.claims.firm, 0)] >= 0) & (mods.claims.incurred_fen >= 0))
        rows.append(row)
        firms.append(place[mods.claims.firm[row]])
        keys.append([f"{firm}:{_text(mods.claims.number[int(i)])}" for firm, i in zip(firms[-1], row)])
    both = set(keys[0]) & set(keys[1])
    stays = [np.array([key in both for key in part], dtype=bool) for part in keys]
    event = _events(years, rows, keys, stays)
    joined = [np.concatenate(part) for part in (firms, event, stays)]
    taken: dict[str, Any] = {
        name: np.concatenate([getattr(mods.claims, name)[row] for mods, row in zip(years, rows)])
        for name in ("event_date", "incurred_fen", "medical_only")
    }
    claims = ClaimList(firm=joined[0], event=joined[1], valued=None, number=None, **taken, **_named(years, rows))
    return Pool(claims, np.arange(len(joined[0])) < len(rows[0]), joined[2])


def _text(number: Any) -> str:
    return str(number.as_py() if hasattr(number, "as_py") else number)


def _events(years: tuple[Mods, Mods], rows: list[Integers], keys: list[list[str]], stays: list[Any]) -> list[Integers]:
    """Return accidents under one numbering: an accident of the year before is that of its claims that stayed."""
    own = [mods.claims.event[row] for mods, row in zip(years, rows)]
    later = dict(zip(keys[1], own[1].tolist()))
    same = {int(event): later[key] for key, event, stay in zip(keys[0], own[0], stays[0]) if stay}
    offset = int(own[1].max(initial=0)) + 1
    return [np.array([same.get(int(event), offset + int(event)) for event in own[0]], dtype=np.int64), own[1]]


def _named(years: tuple[Mods, Mods], rows: list[Integers]) -> dict[str, Any]:
    """Return kinds and states under one numbering."""
    made: dict[str, Any] = {}
    if any(mods.claims.kind is not None for mods in years):
        names = tuple(dict.fromkeys(name for mods in years for name in mods.claims.kinds))
        codes = []
        for mods, row in zip(years, rows):
            place = np.array([*(names.index(name) for name in mods.claims.kinds), -1])
            codes.append(place[mods.claims.kind[row]] if mods.claims.kind is not None else np.full(len(row), -1))
        made |= {"kind": np.concatenate(codes), "kinds": names}
    if any(mods.claims.state is not None for mods in years):
        states = years[1].exposure.states
        parts = []
        for mods, row in zip(years, rows):
            to = np.array([*(states.index(name) if name in states else -1 for name in mods.exposure.states), -1])
            parts.append(to[mods.claims.state[row]] if mods.claims.state is not None else np.full(len(row), -1))
        made["state"] = np.concatenate(parts)
    return made


def _sums(
    years: tuple[Mods, Mods], at: tuple[Integers, ...], pool: Pool, has: tuple[bool, ...]
) -> tuple[Floats, Floats, Integers, Integers]:
    """Return primary and excess, claims and those that end a free record, where some causes are new."""
    left, entered, developed, plan = has
    chosen = np.where(pool.stays, pool.old != developed, np.where(pool.old, not left, entered))
    mods, place = years[plan], at[plan]
    _, after = years[developed].window.of(years[developed].exposure.effective[at[developed]])
    rows = np.flatnonzero(chosen)
    claims = rows_of(pool.claims, rows)
    splitter = Splitter(claims, mods.rule, mods.setting.take(place), np.full(len(place), np.datetime64("0001")), after)
    every = np.arange(len(rows))
    n, made = len(place), np.zeros((4, len(place)), dtype=np.int64)
    if len(rows):
        primary, excess = splitter.of(every)
        for line, part in enumerate((primary, excess, np.ones(len(rows), int), splitter.ends_free_record(every))):
            np.add.at(made[line], claims.firm, part)
    _, group = np.unique(mods.group[place], return_inverse=True)
    if group.max(initial=0) + 1 < n:
        made = np.stack([np.bincount(group, part)[group].astype(np.int64) for part in made])
    return made[0] / 100, made[1] / 100, made[2], made[3]


def _value(
    years: tuple[Mods, Mods],
    at: tuple[Integers, ...],
    sums: tuple[Floats, Floats, Integers, Integers],
    extra: list[list[Any]],
    has: tuple[bool, ...],
) -> Floats:
    """Return the mods where some causes are new and the others old."""
    moved = extra[has[MOVED]]
    losses, place = years[has[EXPOSURE]], at[has[EXPOSURE]]
    rule = replace(years[has[PLAN]].rule, expected_share=1.0, d_ratio=None)
    mod = split_mod(
        rule,
        np.maximum(sums[0] + moved[0], 0.0),
        np.maximum(sums[1] + moved[1], 0.0),
        losses.parts.expected[place],
        losses.parts.expected_primary[place],
        last_mod=years[has[LAST]].exposure.last_mod[at[has[LAST]]],
        where=losses.setting.take(place),
        claims=np.maximum(sums[2] + moved[2], 0),
        lost_time=np.maximum(sums[3] + moved[3], 0),
    ).mod
    return np.where(eligible(years[has[PLAN]].rule, losses.exposure, losses.setting)[place], mod, 1.0)
