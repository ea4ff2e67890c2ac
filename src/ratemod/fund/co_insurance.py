"""Co-insurance: premium, levy and duties divided between leader and followers, whole by policy, month and insurer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ratemod.errors import BookError, Lang, Problem, problem
from ratemod.fund.fund_table import (
    Columns,
    Ints,
    Texts,
    codes_of,
    day_column,
    labelled,
    names_column,
    read_columns,
    to_frame,
)
from ratemod.fund.proof import Check, prove
from ratemod.money import apportion
from ratemod.reading.join import join
from ratemod.rules.options import strict

if TYPE_CHECKING:
    import pandas as pd

AMOUNTS = ("premium_fen", "levy_fen", "duty_fen")
WHOLE = 100_000_000  # shares are held in millionths of a per cent
LEADS = ("no", "yes")


@dataclass(frozen=True, eq=False, slots=True)
class CoInsured:
    """Amounts divided among co-insurers, one row a movement and insurer.

    Attributes
    ----------
    policy_no, insurer : (n,) texts
    leader : (n,) bool
    day : (n,) int64, days since 1970-01-01
    movement : (n,) int64, row of the movement that was divided
    amounts : mapping of amount column to (n,) int64 fen
    given : mapping of amount column to (m,) int64 fen
        What was divided, one a movement, with its policy and day in `given_policy`, `given_day`.
    """

    policy_no: Texts
    insurer: Texts
    leader: np.ndarray[Any, np.dtype[np.bool_]]
    day: Ints
    movement: Ints
    amounts: dict[str, Ints]
    given: dict[str, Ints]
    given_policy: Texts
    given_day: Ints
    refused: tuple[Problem, ...] = ()

    @property
    def table(self) -> pa.Table:
        """One row a movement and insurer."""
        columns = {
            "policy_no": pa.array(self.policy_no),
            "insurer": pa.array(self.insurer),
            "leader": names_column(self.leader.astype(np.int64), LEADS),
            "date": day_column(self.day),
        }
        return pa.table(columns | {name: pa.array(column) for name, column in self.amounts.items()})

    @strict
    def frame(self, lang: Lang | None = None) -> pd.DataFrame:
        """Return `table` as pandas, with labels of a language where one is given."""
        return to_frame(self.table if lang is None else labelled(self.table, lang))

    @strict
    def by_month(self, lang: Lang | None = None) -> pd.DataFrame:
        """Return the amounts by insurer and month."""
        table = self.table
        month = pa.array(self.day.astype("datetime64[D]").astype("datetime64[M]").astype(str))
        added = table.append_column("month", month).group_by(["insurer", "month"], use_threads=False)
        sums = added.aggregate([(name, "sum") for name in self.amounts]).sort_by(
            [("insurer", "ascending"), ("month", "ascending")]
        )
        sums = sums.rename_columns([name.removesuffix("_sum") for name in sums.column_names])
        return to_frame(sums if lang is None else labelled(sums, lang))

    def reconcile(self) -> int:
        """Prove that parts add up to wholes by movement, policy, month and in all; return how many sums were proved.

        Raises
        ------
        ModelError
            RM705 for every sum that fails.
        """
        checks: list[Check] = []
        month, given_month = (_month(days) for days in (self.day, self.given_day))
        _, (policy, given_policy) = codes_of(self.policy_no, self.given_policy)
        labels = {
            "movement": (self.movement, np.arange(len(self.given_day))),
            "month": (month, given_month),
            "policy": (policy, given_policy),
        }
        for name, parts in self.amounts.items():
            whole = self.given[name]
            checks.append(Check("co_insurers_whole", "all", int(parts.sum()), int(whole.sum()), of={"column": name}))
            for kind, (group, given) in labels.items():
                size = int(max(group.max(initial=0), given.max(initial=0))) + 1
                left, right = (np.zeros(size, dtype=np.int64) for _ in range(2))
                np.add.at(left, group, parts)
                np.add.at(right, given, whole)
                checks += [
                    Check(f"co_insurers_{kind}", str(at), int(left[at]), int(right[at]), of={"column": name})
                    for at in np.flatnonzero(left != right)
                ]
                checks.append(
                    Check(
                        f"co_insurers_{kind}_apart",
                        "all",
                        int((left != right).sum()),
                        0,
                        of={"column": name},
                        unit="count",
                    )
                )
        return prove(checks)


def _month(days: Ints) -> Ints:
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) - np.datetime64("1900-01", "M").astype(
        np.int64
    )


def co_insure(movements: Any, shares: Any, insurers: Collection[str] | None = None) -> CoInsured:
    """Divide premium, levy and duty cost of co-insured policies between leader and followers.

    Parameters
    ----------
    movements : path or frame
        policy_no, insurer, date and any of premium_fen, levy_fen, duty_fen (int64 fen, refunds negative). A policy may
        have several movements (instalments, endorsements, months).
    shares : path or frame
        policy_no, insurer, leader (yes, no), share_percent; a policy without shares stays whole with its insurer.
    insurers : collection of str, optional
        Who may appear; without it everyone who appears in `movements`.

    Returns
    -------
    CoInsured
        After each movement an insurer has the largest-remainder part of all movements so far; the movement's part is
        the difference. So parts add up to the fen by movement, and by policy each insurer has its exact quota.

    Raises
    ------
    BookError
        RM715 shares of a policy do not sum to 100 %, RM716 not exactly one leader, RM717 an insurer twice in a
        policy, RM719 a share that is not positive, RM396 an unknown insurer, RM398 a policy whose own insurer is none
        of its co-insurers; all at once.

    Source
    ------
    Hamilton's method (Balinski & Young 2001), `ratemod.money.apportion`.

    Examples
    --------
    >>> import pyarrow as pa, datetime
    >>> day = datetime.date(2026, 1, 1)
    >>> moved = pa.table({"policy_no": ["A"], "insurer": ["x"], "date": [day], "premium_fen": [100]})
    >>> parts = pa.table({"policy_no": ["A"] * 3, "insurer": ["x", "y", "z"], "leader": ["yes", "no", "no"],
    ...                   "share_percent": [33.4, 33.3, 33.3]})
    >>> co_insure(moved, parts, ["x", "y", "z"]).amounts["premium_fen"].tolist()
    [34, 33, 33]
    """
    moved = read_columns(movements, "movements", ("policy_no", "insurer", "date"), AMOUNTS)
    given = read_columns(shares, "coinsurance", ("policy_no", "insurer", "leader", "share_percent"))
    if given.refused:
        raise BookError(given.refused)
    names, (alone, part) = codes_of(moved["insurer"], given["insurer"])
    policies, (policy, owner) = codes_of(moved["policy_no"], given["policy_no"])
    weight, leads = _weights(given), given["leader"] == "yes"
    known = join(given["insurer"], sorted(set(moved["insurer"]) if insurers is None else set(insurers)))
    if wrong := [*known.told("coinsurance", "insurers"), *share_faults(moved, given)]:
        raise BookError(wrong)
    who, share, lead = _dense(len(policies), owner, part, weight, leads)
    single = share.sum(axis=1) == 0
    row = np.arange(len(policy))
    insurer = np.where(single[policy][:, None] & (np.arange(who.shape[1]) == 0), alone[row][:, None], who[policy])
    weights = np.where(single[policy][:, None], (np.arange(who.shape[1]) == 0) * WHOLE, share[policy])
    leader = np.where(single[policy][:, None], True, lead[policy])
    kept = weights > 0
    at = np.nonzero(kept)[0]
    order = np.lexsort((row, moved["date"], policy))
    amounts = {name: _split(moved[name], policy, order, weights)[kept] for name in AMOUNTS if name in moved}
    text = np.asarray(names, dtype=object)
    return CoInsured(
        policy_no=moved["policy_no"][at],
        insurer=text[insurer[kept]],
        leader=leader[kept],
        day=moved["date"][at],
        movement=at,
        amounts=amounts,
        given={name: moved[name] for name in amounts},
        given_policy=moved["policy_no"],
        given_day=moved["date"],
        refused=moved.refused,
    )


def _split(amount: Ints, policy: Ints, order: Ints, weights: Ints) -> Ints:
    """Return the parts of every movement, (n, k): the quota after it less the quota before it."""
    ordered, group = amount[order], policy[order]
    running = np.cumsum(ordered)
    first = np.ones(len(group), dtype=bool)
    first[1:] = group[1:] != group[:-1]
    begins = np.maximum.accumulate(np.where(first, np.arange(len(group)), 0))
    so_far = running - (running - ordered)[begins]
    own = weights[order]
    parts = apportion(so_far, own)
    again = ~first
    if again.any():
        parts[again] -= apportion((so_far - ordered)[again], own[again])
    placed = np.empty_like(parts)
    placed[order] = parts
    return placed


def _dense(size: int, owner: Ints, part: Ints, weight: Ints, leads: Any) -> tuple[Ints, Ints, Any]:
    """Return insurers, weights and leaders by policy, (policies, most insurers): the leader first, then by share."""
    order = np.lexsort((part, -weight, ~leads, owner))
    owner, part, weight, leads = owner[order], part[order], weight[order], leads[order]
    count = np.bincount(owner, minlength=size)
    place = np.arange(len(owner)) - (np.cumsum(count) - count)[owner]
    most = max(int(count.max(initial=0)), 1)
    who, share, lead = np.zeros((size, most), np.int64), np.zeros((size, most), np.int64), np.zeros((size, most), bool)
    who[owner, place], share[owner, place], lead[owner, place] = part, weight, leads
    return who, share, lead


def _weights(given: Columns) -> Ints:
    weight: Ints = np.rint(given["share_percent"] * (WHOLE // 100)).astype(np.int64)
    return weight


def share_faults(whose: Columns, given: Columns) -> list[Problem]:
    """Return what is wrong with the shares of single policies, each with its ``policy``.

    Parameters
    ----------
    whose : Columns, policy_no and insurer of policies or of their movements
    given : Columns, policy_no, insurer, leader, share_percent

    Returns
    -------
    list of Problem
        RM715, RM716, RM717, RM719, RM398, as `co_insure`.
    """
    names, (alone, part) = codes_of(whose["insurer"], given["insurer"])
    policies, (policy, owner) = codes_of(whose["policy_no"], given["policy_no"])
    weight, leads = _weights(given), given["leader"] == "yes"
    size, shared = len(policies), np.zeros(len(policies), dtype=bool)
    shared[owner] = True
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, owner, weight)
    leaders = np.bincount(owner, weights=leads, minlength=size)

    def fault(code: str, at: int | np.integer[Any], **said: Any) -> Problem:
        place = given.first(given["policy_no"] == policies[int(at)], "coinsurance") | {"count": 1}
        return problem(code, **place, policy=policies[int(at)], **said)

    wrong = [
        fault("RM715", at, total=f"{total[at] / (WHOLE // 100):g}") for at in np.flatnonzero(shared & (total != WHOLE))
    ]
    wrong += [fault("RM716", at, leaders=int(leaders[at])) for at in np.flatnonzero(shared & (leaders != 1))]
    pair = owner * len(names) + part
    values, count = np.unique(pair, return_counts=True)
    wrong += [fault("RM717", at // len(names), insurer=names[at % len(names)]) for at in values[count > 1].tolist()]
    wrong += [fault("RM719", owner[at], insurer=names[part[at]]) for at in np.flatnonzero(weight <= 0)]
    bears = (owner * len(names) + part)[weight > 0]
    divided = np.isin(policy, owner[weight > 0])
    stranger = divided & ~np.isin(policy * len(names) + alone, bears)
    pairs = sorted(set(zip(policy[stranger].tolist(), alone[stranger].tolist())))
    return [
        *wrong,
        *(fault("RM398", at, insurer=names[own]) for at, own in pairs),
    ]
