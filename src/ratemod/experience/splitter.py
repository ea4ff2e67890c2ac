"""Claims of a list split into primary and excess, in whole fen: accidents and kinds with limits, years with weights."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ratemod.experience.parameter import Setting, parts_of, value_of
from ratemod.experience.split import SmoothSplit, SplitRule, split_claims
from ratemod.money import FEN_PER_YUAN, in_fen

if TYPE_CHECKING:
    from ratemod.experience.losses import ClaimList

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Dates = npt.NDArray[np.datetime64]
Booleans = npt.NDArray[np.bool_]


def months_before(day: Dates, months: int) -> Dates:
    """Return the same day of the month some months earlier, the last day of a shorter month.

    Examples
    --------
    >>> months_before(np.array(["2024-03-31", "2024-02-29"], "datetime64[D]"), 12).astype(str).tolist()
    ['2023-03-31', '2023-02-28']
    """
    month = day.astype("datetime64[M]")
    offset = day - month.astype("datetime64[D]")
    earlier = month - months
    last = (earlier + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    made: Dates = np.minimum(earlier.astype("datetime64[D]") + offset, last)
    return made


def years_back(day: Dates, after: Any, years: int) -> Integers:
    """Return in which year before the end of the window a day lies: 0 the last one, at most `years`.

    Examples
    --------
    >>> day = np.array(["2024-12-31", "2023-12-31", "2021-01-01"], "datetime64[D]")
    >>> years_back(day, np.datetime64("2025-01-01"), 3).tolist()
    [0, 1, 3]
    """
    end = np.asarray(after, dtype="datetime64[D]")
    back = np.zeros(len(day), dtype=np.int64)
    for year in range(1, years + 1):
        back += day < months_before(end, 12 * year)
    return back


class Splitter:
    """Splits the claims of a list under one plan; what needs all claims at once (accidents, years) is found once.

    Attributes
    ----------
    claims : ClaimList; rule : SplitRule; where : Setting of the n firms; first, after : (n,) dates, their windows
    """

    def __init__(self, claims: ClaimList, rule: SplitRule, where: Setting, first: Dates, after: Dates) -> None:
        self.claims, self.rule, self.where, self.first, self.after = claims, rule, where, first, after

    @cached_property
    def is_plain(self) -> bool:
        """Whether a claim's parts follow from its amount alone, so that whole fen need no detour."""
        rule = self.rule
        limits = (rule.split, 0.0 if rule.claim_limit is None else rule.claim_limit)
        return (
            all(isinstance(part, int | float) for part in limits)
            and rule.accident_limit is None
            and rule.accident_primary_limit is None
            and (rule.deduction, rule.loss_factor) == (0.0, 1.0)
            and not (rule.kinds or rule.year_weights or "claims" in rule.rounding)
            and not self.claims.medical_only.any()
        )

    def plain(self, fen: Integers) -> tuple[Integers, Integers]:
        """Return primary and excess of amounts in whole fen, where `is_plain`."""
        most, limit = self.rule.split, self.rule.claim_limit
        held = fen if limit is None else np.minimum(fen, _fen(float(limit)))  # type: ignore[arg-type]
        primary = np.minimum(held, _fen(float(most)))  # type: ignore[arg-type]
        return primary, held - primary

    def of(self, rows: Integers) -> tuple[Integers, Integers]:
        """Return primary and excess of some claims in whole fen, (m,) int64 each."""
        claims, rule = self.claims, self.rule
        loss = claims.incurred_fen[rows] / 100
        for scale in (self.accident_scale, self.kind_scale):
            if scale is not None:
                loss = loss * scale[rows]
        where = self.setting(rows)
        primary, excess = split_claims(rule, loss, where, medical_only=self._light(rows), kind=self._kind(rows))
        if self.primary_scale is not None:
            total, primary = primary + excess, primary * self.primary_scale[rows]
            excess = total - primary
        if rule.year_weights:
            firm = claims.firm[rows]
            back = years_back(claims.event_date[rows], self.after[firm], len(rule.year_weights))
            weight = np.array([*rule.year_weights, 0.0])[back]
            primary, excess = primary * weight, excess * weight
        whole = in_fen(primary + excess).astype(np.int64)
        part = np.minimum(in_fen(primary).astype(np.int64), whole)
        return part, whole - part

    def setting(self, rows: Integers) -> Setting:
        """Return what parameters depend on, for claims."""
        firm = self.claims.firm[rows]
        made = self.where.take(firm)
        if self.where.states:
            state = (
                self.where.shares[firm].argmax(axis=1) if self.where.shares is not None else np.zeros(len(rows), int)
            )
            if self.claims.state is not None:
                own = self.claims.state[rows]
                state = np.where(own < 0, state, own)
            made = replace(made, state=state, shares=None)
        return made

    def ends_free_record(self, rows: Integers) -> Booleans:
        """Return which claims end a claim-free record."""
        ends = np.ones(len(rows), dtype=bool)
        if self.rule.claim_free_despite_medical_only:
            ends &= ~self.claims.medical_only[rows]
        kind = self._kind(rows)
        if kind is not None:
            counts = np.array([*(how.lost_time for how in self.rule.kinds.values()), True])
            ends &= counts[kind]
        return ends

    def _light(self, rows: Integers) -> Booleans | None:
        light = self.claims.medical_only[rows]
        return light if light.any() else None

    def _kind(self, rows: Integers) -> Integers | None:
        return None if self._kinds is None else self._kinds[rows]

    @cached_property
    def _kinds(self) -> Integers | None:
        """Each claim's place among the plan's kinds, −1 for none."""
        if not self.rule.kinds or self.claims.kind is None:
            return None
        names = list(self.rule.kinds)
        place = np.array([*(names.index(name) if name in names else -1 for name in self.claims.kinds), -1])
        return np.asarray(place[self.claims.kind], dtype=np.int64)

    @cached_property
    def _inside(self) -> Booleans:
        """Which claims happened in their firm's window."""
        at = np.maximum(self.claims.firm, 0)
        day = self.claims.event_date
        return (self.claims.firm >= 0) & (day >= self.first[at]) & (day < self.after[at])

    @cached_property
    def _accidents(self) -> tuple[Integers, Integers]:
        """Rows of claims that share an accident with another of their firm, and which accident, from 0."""
        claims = self.claims
        key = claims.event * (int(claims.firm.max(initial=0)) + 2) + claims.firm + 1
        _, accident, count = np.unique(key, return_inverse=True, return_counts=True)
        rows = np.flatnonzero((count[accident] > 1) & (claims.firm >= 0))
        _, accident = np.unique(accident[rows], return_inverse=True)
        return rows, accident

    @cached_property
    def accident_scale(self) -> Floats | None:
        """What each claim is multiplied by so that the claims of one accident keep its limit, or None."""
        if self.rule.accident_limit is None or not len(self.claims.firm):
            return None
        rows, accident = self._accidents
        loss = np.maximum(self.claims.incurred_fen[rows], 0) / 100
        return self._scale(rows, accident, loss, value_of(self.rule.accident_limit, self.setting(rows)))

    @cached_property
    def primary_scale(self) -> Floats | None:
        """What primary parts are multiplied by so that those of one accident keep their limit, or None."""
        if self.rule.accident_primary_limit is None or not len(self.claims.firm):
            return None
        rows, accident = self._accidents
        loss = np.maximum(self.claims.incurred_fen[rows], 0) / 100
        if self.accident_scale is not None:
            loss = loss * self.accident_scale[rows]
        where = self.setting(rows)
        primary, _ = split_claims(self.rule, loss, where, medical_only=self._light(rows), kind=self._kind(rows))
        return self._scale(rows, accident, primary, value_of(self.rule.accident_primary_limit, where))

    @cached_property
    def kind_scale(self) -> Floats | None:
        """What claims of kinds with a limit a year are multiplied by so that a firm's of one year keep it, or None."""
        limited = [(at, how) for at, how in enumerate(self.rule.kinds.values()) if how.year_limit is not None]
        if not limited or self._kinds is None:
            return None
        scale = np.ones(len(self.claims.firm))
        for at, how in limited:
            rows = np.flatnonzero((self._kinds == at) & self._inside & (self.claims.incurred_fen >= 0))
            firm = self.claims.firm[rows]
            back = years_back(self.claims.event_date[rows], self.after[firm], self.rule.years)
            _, group = np.unique(firm * (self.rule.years + 1) + back, return_inverse=True)
            most = value_of(how.year_limit, self.setting(rows))  # type: ignore[arg-type]
            most = most + how.year_limit_of_expected * self.where.expected[firm] / self.rule.years
            scale = scale * self._scale(rows, group, self.claims.incurred_fen[rows] / 100, most)
        return scale

    def _scale(self, rows: Integers, group: Integers, amount: Floats, most: Floats) -> Floats:
        """Return 1 but for the rows of groups above their limit."""
        scale = np.ones(len(self.claims.firm))
        if len(rows):
            total = np.bincount(group, amount)[group]
            scale[rows] = np.where(total > most, most / np.maximum(total, 1e-9), 1.0)
        return scale


def _fen(yuan: float) -> int:
    return int(in_fen(min(yuan, 2.0**62 / FEN_PER_YUAN)))


def depends_on(rule: SplitRule, kind: type) -> bool:
    """Whether a plan has a parameter of a kind: one by date, or by state.

    Examples
    --------
    >>> from ratemod.experience.parameter import ByState
    >>> depends_on(SplitRule("x", "y", ByState({"IL": 1.0})), ByState)
    True
    """
    return any(isinstance(part, kind) for part in parameters_of(rule))


def parameters_of(rule: SplitRule) -> list[object]:
    """Return all parameters of a plan, those inside others too."""
    given = [value for name in rule.__dataclass_fields__ if not isinstance(value := getattr(rule, name), SmoothSplit)]
    given += [*rule.most_by_claims]
    given += [getattr(how, name) for how in rule.kinds.values() for name in how.__dataclass_fields__]
    return [deep for value in given for deep in parts_of(value)]
