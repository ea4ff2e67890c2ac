"""`experience_mod`: a claims list and an exposure list in, every firm's modification out, explained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ratemod.errors import Lang, ModelError, Problem, nearest, problem, text
from ratemod.experience.claim_account import ClaimAccount, account_of
from ratemod.experience.exposure_list import ExposureList, mark
from ratemod.experience.losses import Actual, ClaimList, Window, actual_losses, as_valued
from ratemod.experience.mod_lists import EXPOSURE, read_claims, read_exposure, successions_of
from ratemod.experience.parameter import ByState, Dated, Parameter, Setting, value_of
from ratemod.experience.plan_file import rule_named
from ratemod.experience.split import SplitParts, SplitRule, split_mod
from ratemod.experience.splitter import Splitter, parameters_of
from ratemod.experience.successions import Successions
from ratemod.money import in_fen, rounded
from ratemod.rules.options import strict

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from ratemod.experience.mod_worksheet import ModWorksheet

Floats = npt.NDArray[np.float64]
MODIFIED, NOT_ELIGIBLE, REFUSED = "modified", "not_eligible", "refused"


@dataclass(frozen=True, eq=False)
class Mods:
    """Modifications of n firms.

    Attributes
    ----------
    rule : SplitRule; window : Window
    exposure : ExposureList; claims : ClaimList
    actual : Actual, after successions, of the whole group; parts : SplitParts (NaN where a firm is refused)
    setting : Setting, what parameters depend on, after successions, of the whole group
    successions : whose record went to whom
    group : (n,) int64, equal for firms that are rated together
    problem_of, problems : which reason refuses a firm, 0 for none
    """

    rule: SplitRule
    window: Window
    exposure: ExposureList
    claims: ClaimList
    actual: Actual
    parts: SplitParts
    problem_of: npt.NDArray[np.int32]
    problems: tuple[Problem, ...]
    setting: Setting
    group: npt.NDArray[np.int64]
    successions: Successions | None = None

    @cached_property
    def status(self) -> npt.NDArray[np.str_]:
        """What became of each firm, (n,): modified, not_eligible or refused."""
        low = ~eligible(self.rule, self.exposure, self.setting)
        return np.where(self.problem_of > 0, REFUSED, np.where(low, NOT_ELIGIBLE, MODIFIED))

    @cached_property
    def splitter(self) -> Splitter:
        """The claims as the plan splits them."""
        where = setting_of(self.exposure, self.group)
        return Splitter(self.claims, self.rule, where, *self.window.of(self.exposure.effective))

    @cached_property
    def counts(self) -> dict[str, int]:
        """Firms in all and by status, claims in all and by fate.

        firms = modified + not_eligible + refused; claims = claims_counted + claims_before_window +
        claims_after_window + claims_of_no_firm + claims_refused.
        """
        found = {name: int((self.status == name).sum()) for name in (MODIFIED, NOT_ELIGIBLE, REFUSED)}
        claims = {f"claims_{name}": number for name, number in self.account.number.items()}
        return {"firms": len(self.status), **found, "claims": len(self.claims.firm), **claims}

    @cached_property
    def account(self) -> ClaimAccount:
        """Where every claim of the list went, in number and fen; `left_out` lists those that modify no firm."""
        windows = self.window.of(self.exposure.effective)
        names = tuple(str(name) for name in self.exposure.firms.to_pylist())
        fine = self.problem_of == 0
        used = fine if self.successions is None else self.successions.used(fine)
        return account_of(self.claims, *windows, ~used, names)

    def __repr__(self) -> str:
        told = self.counts
        return (
            f"Mods({self.rule.name}: {told['firms']} firms, {told['modified']} modified, {told['not_eligible']} not "
            f"eligible, {told['refused']} refused; {told['claims']} claims, {told['claims_counted']} counted, "
            f"{told['claims_before_window']} before and {told['claims_after_window']} after the window, "
            f"{told['claims_of_no_firm']} of no firm, {told['claims_refused']} of refused firms)"
        )

    @strict
    def table(self, lang: Lang = "en") -> pa.Table:
        """Return one row a firm: the parts of its mod, its status, and the reason where it was refused."""
        import pyarrow as pa

        parts, fine = self.parts, self.problem_of == 0
        reasons = [text(item.code, lang, **item.args) for item in self.problems]
        codes = [item.code for item in self.problems]
        columns = {"firm": self.exposure.firms, "claims": pa.array(self.actual.claims)}
        for name in (
            "actual_primary",
            "actual_excess",
            "expected",
            "expected_primary",
            "primary_credibility",
            "excess_credibility",
            "ballast",
            "unbounded",
            "mod",
        ):
            unit = "_yuan" if name.startswith(("actual", "expected", "ballast")) else ""
            columns[name + unit] = pa.array(getattr(parts, name), mask=~fine)
        columns["minimum_mod"] = pa.array(self.minimum, mask=~fine)
        columns["controllable_mod"] = pa.array(parts.mod - self.minimum, mask=~fine)
        yuan = self.exposure.premium_yuan / parts.mod * (parts.mod - self.minimum)
        if np.isfinite(yuan).any():
            columns["controllable_premium_yuan"] = pa.array(rounded(yuan, 2), mask=~np.isfinite(yuan))
        columns["bound"] = pa.array(np.array(["low", "", "high"])[parts.bound.astype(int) + 1].tolist())
        columns["status"] = pa.array(self.status.tolist())
        columns["code"] = pa.array([codes[k - 1] if k else None for k in self.problem_of.tolist()], pa.string())
        columns["reason"] = pa.array([reasons[k - 1] if k else None for k in self.problem_of.tolist()], pa.string())
        return pa.table(columns)

    @strict
    def frame(self, lang: Lang = "en") -> pd.DataFrame:
        """Return `table` as a pandas frame."""
        made: pd.DataFrame = self.table(lang).to_pandas()
        return made

    @cached_property
    def minimum(self) -> Floats:
        """The mod of each firm had it had no claim, within the same bounds, (n,) float64; NaN where refused."""
        fine = np.flatnonzero(np.isfinite(self.parts.unbounded))
        none = np.zeros(len(fine))
        least = split_mod(
            replace(self.rule, expected_share=1.0, d_ratio=None),
            none,
            none,
            self.parts.expected[fine],
            self.parts.expected_primary[fine],
            last_mod=self.exposure.last_mod[fine],
            where=self.setting.take(fine),
            claims=none,
            lost_time=none,
        ).mod
        made = self.parts.mod.copy()
        rated = eligible(self.rule, self.exposure, self.setting)[fine]
        made[fine] = np.where(rated, np.minimum(least, self.parts.mod[fine]), 1.0)
        return made

    def place(self, firm: str) -> int:
        """Return a firm's row.

        Raises
        ------
        ModelError
            RM618 when it is not in the list (with the nearest).
        """
        names = self.exposure.firms.to_pylist()
        if firm not in names:
            raise ModelError(problem("RM618", name=firm, nearest=nearest(firm, names)))
        return int(names.index(firm))

    def explain(self, firm: str) -> ModWorksheet:
        """Return the worksheet of one firm; see `ratemod.experience.mod_worksheet`."""
        from ratemod.experience.mod_worksheet import worksheet_of

        return worksheet_of(self, self.place(firm))


@strict
def experience_mod(
    claims: Any,
    exposure: Any,
    rule: SplitRule | str | Path = "illustrative",
    *,
    effective: date | str | None = None,
    window: Window | None = None,
    successions: Any = None,
) -> Mods:
    """Modify every firm by its own record.

    Parameters
    ----------
    claims : path or frame: credit_code, claim_no, event_date, paid and case reserve (fen or yuan); event_no,
        valuation_date,
        medical_only where there are any
    exposure : path or frame, one row a firm: credit_code, expected_losses_yuan, expected_primary_losses_yuan;
        start_date (the day the mod applies from), premium_yuan, last_mod, state and exposed_YYYY where there are any;
        or one row a firm and class: credit_code, class_code, payroll_yuan, and year and state where there are any, for
        a plan with a table of classes
    rule : SplitRule, the name of a shipped one, or a TOML file (`ratemod.experience.plan_file`)
    effective : day the mods apply from, where the exposure list has no start_date
    window : Window; default the plan's own
    successions : frame or path: from_code, to_code, share: whose record goes to whom

    Returns
    -------
    Mods: firms = modified + not_eligible + refused; a refused firm has its reason, the others are not touched

    Raises
    ------
    ModelError
        RM014 `effective` is no day; RM603, RM604 a rule that cannot be used;
        RM614, RM615 successions; RM619 a column that is missing.
    BookError
        A list that cannot be read at all.

    Source
    ------
    As each rule says; the formula is in `ratemod.experience.split`.

    Examples
    --------
    >>> import pyarrow as pa
    >>> firms = pa.table({"credit_code": ["A", "B"], "expected_losses_yuan": [90000.0, 40000.0],
    ...                   "expected_primary_losses_yuan": [40000.0, 20000.0]})
    >>> losses = pa.table({"credit_code": ["A"], "claim_no": ["C1"], "event_date": ["2024-03-01"],
    ...                    "paid_yuan": [250000.0]})
    >>> experience_mod(losses, firms, effective="2026-01-01").frame()["mod"].tolist()
    [1.204, 0.79]
    """
    chosen = rule if isinstance(rule, SplitRule) else rule_named(rule)
    frame = window or Window(chosen.years, chosen.lag_months)
    firms = _in_force(read_exposure(exposure, effective, chosen), chosen)
    several = chosen.valuation_months is not None
    listed = read_claims(claims, firms.firms, firms.states, valuations=several)
    if chosen.valuation_months is not None and len(listed.firm):
        listed = as_valued(listed, firms.effective, chosen.valuation_months)
    first, after = frame.of(firms.effective)
    group = groups_of(firms)
    where = setting_of(firms, group)
    actual = actual_losses(
        listed, chosen, where, first, after, exposed=firms.exposed, years=firms.years, exposed_back=firms.exposed_back
    )
    expected, primary = firms.expected_yuan, firms.expected_primary_yuan
    moved = None if successions is None else successions_of(successions, firms)
    problem_of, problems = _refused(firms, actual, group, moved)
    if moved is not None:
        actual, expected, primary = _succeeded(actual, firms, moved)
        problem_of, problems = _gone(problem_of, problems, expected, moved.old)
    if len(np.unique(group)) < len(group):
        actual, expected, primary = _together(actual, expected, primary, group)
    where = replace(where, expected=np.nan_to_num(expected))
    parts = _parts(chosen, firms, actual, where, primary, problem_of)
    return Mods(
        rule=chosen,
        window=frame,
        exposure=firms,
        claims=listed,
        actual=actual,
        parts=parts,
        problem_of=problem_of,
        problems=problems,
        setting=where,
        group=group,
        successions=moved,
    )


def _succeeded(actual: Actual, firms: ExposureList, moved: Successions) -> tuple[Actual, Floats, Floats]:
    """Return actual and expected losses after successions: what explains the mod moves with what modifies it."""
    own = actual.lost_time
    made = replace(
        actual,
        primary_fen=moved.amounts(actual.primary_fen),
        excess_fen=moved.amounts(actual.excess_fen),
        claims=moved.counts(actual.claims),
        lost_time=None if own is None else moved.counts(own),
    )
    whole = (in_fen(np.nan_to_num(part)) for part in (firms.expected_yuan, firms.expected_primary_yuan))
    expected, primary = (moved.amounts(part.astype(np.int64)) / 100 for part in whole)
    return made, expected, primary


def groups_of(firms: ExposureList) -> npt.NDArray[np.int64]:
    """Return a number for each firm, equal where firms of common ownership are rated together, (n,) int64."""
    n = len(firms.firms)
    if firms.group is None:
        return np.arange(n)
    coded = firms.group.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    _, place = np.unique(np.where(coded < 0, n + np.arange(n), coded), return_inverse=True)
    return np.asarray(place, dtype=np.int64)


def _together(
    actual: Actual, expected: Floats, primary: Floats, group: npt.NDArray[np.int64]
) -> tuple[Actual, Floats, Floats]:
    """Return what each firm's whole group had and what was expected of it."""

    def whole(part: Any) -> Any:
        sums = np.zeros(int(group.max()) + 1, dtype=part.dtype)
        np.add.at(sums, group, np.nan_to_num(part))
        return sums[group]

    names = ("primary_fen", "excess_fen", "claims", "lost_time")
    money = {name: whole(getattr(actual, name)) for name in names if getattr(actual, name) is not None}
    return replace(actual, **money), whole(expected), whole(primary)


def _refused(
    firms: ExposureList, actual: Actual, group: npt.NDArray[np.int64], moved: Successions | None
) -> tuple[npt.NDArray[np.int32], tuple[Problem, ...]]:
    """Return the first reason that refuses each firm: its exposure, its claims, what it takes over, its group."""
    found = firms.problem_of.copy()
    later = (found == 0) & (actual.problem_of > 0)
    found[later] = actual.problem_of[later] + len(firms.problems)
    problems = [*firms.problems, *actual.problems]
    if moved is not None:
        places = np.arange(len(found))
        mark(found, problems, "RM680", np.isin(places, moved.new[found[moved.old] > 0]))
        apart = firms.effective[moved.old] != firms.effective[moved.new]
        mark(found, problems, "RM681", np.isin(places, moved.new[apart]))
    mark(found, problems, "RM632", np.isin(group, group[found > 0]))
    return found, tuple(problems)


def _gone(
    problem_of: npt.NDArray[np.int32], problems: tuple[Problem, ...], expected: Floats, old: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int32], tuple[Problem, ...]]:
    """Refuse firms whose whole record went to others: nothing is left to modify."""
    found, told = problem_of.copy(), list(problems)
    left = np.zeros(len(found), dtype=bool)
    left[old] = np.nan_to_num(expected)[old] <= 0
    mark(found, told, "RM631", left)
    return found, tuple(told)


def setting_of(firms: ExposureList, group: npt.NDArray[np.int64]) -> Setting:
    """Return what the plan's parameters depend on, firm by firm; the expected losses are those of the whole group."""
    expected = np.maximum(np.nan_to_num(firms.expected_yuan), 0.0)
    if len(group):
        expected = np.bincount(group, expected).astype(np.float64)[group]
    return Setting(expected, firms.effective, firms.states, None, firms.shares)


def eligible(rule: SplitRule, firms: ExposureList, where: Setting) -> npt.NDArray[np.bool_]:
    """Return which firms are large enough to be rated, (n,) bool."""
    enough = where.expected >= rule.eligible_from if rule.eligible_from > 0 else np.ones(len(firms.firms), bool)
    enough &= where.expected > 0
    asked: list[tuple[Parameter | None, Floats | None, str]] = [
        (rule.eligible_latest_premium, firms.latest_premium_yuan, "latest_premium_yuan"),
        (rule.eligible_average_premium, firms.average_premium_yuan, "average_premium_yuan"),
    ]
    asked = [item for item in asked if item[0] is not None]
    given = [item for item in asked if item[1] is not None]
    if asked and not given:
        raise ModelError(problem("RM619", name=asked[0][2], label=EXPOSURE[asked[0][2]].label_zh))
    if not given:
        return enough
    reached = np.zeros(len(enough), dtype=bool)
    for least, premium, _ in given:
        reached |= np.nan_to_num(premium) >= value_of(least, where)  # type: ignore[arg-type]
    return enough & reached


def _in_force(firms: ExposureList, rule: SplitRule) -> ExposureList:
    """Refuse firms for whose date or state the plan has no values; the others are not touched."""
    found, problems = firms.problem_of.copy(), list(firms.problems)
    deep = parameters_of(rule)
    days = [part.first_days[0] for part in deep if isinstance(part, Dated)]
    if days:
        mark(found, problems, "RM624", firms.effective < np.datetime64(max(days), "D"), first=max(days))
    by_state = [part for part in deep if isinstance(part, ByState) and part.other is None]
    if by_state and firms.shares is None:
        raise ModelError(problem("RM619", name="state", label=EXPOSURE["state"].label_zh))
    for at, name in enumerate(firms.states):
        if any(name not in part.parameters for part in by_state):
            mark(found, problems, "RM623", firms.shares[:, at] > 0, name=name)  # type: ignore[index]
    return replace(firms, problem_of=found, problems=tuple(problems))


def _parts(
    rule: SplitRule,
    firms: ExposureList,
    actual: Actual,
    where: Setting,
    primary: Floats,
    problem_of: npt.NDArray[np.int32],
) -> SplitParts:
    """Return the parts, computed for the firms that can be and NaN for the others; new firms have their stated mod."""
    fine = (problem_of == 0) & (where.expected > 0)
    made = split_mod(
        rule,
        actual.primary_fen[fine] / 100,
        actual.excess_fen[fine] / 100,
        where.expected[fine],
        np.minimum(primary[fine], where.expected[fine]),
        last_mod=firms.last_mod[fine],
        where=where.take(fine),
        claims=actual.claims[fine],
        lost_time=None if actual.lost_time is None else actual.lost_time[fine],
    )
    rated = eligible(rule, firms, where)[fine]
    made = replace(made, mod=np.where(rated, made.mod, 1.0))
    whole: dict[str, Any] = {}
    for name in SplitParts.__dataclass_fields__:
        values = getattr(made, name)
        column = np.zeros(len(fine), values.dtype) if name == "bound" else np.full(len(fine), np.nan)
        column[fine] = values
        whole[name] = column
    if rule.new_firm_mod is not None:
        whole["mod"][(problem_of == 0) & (where.expected <= 0)] = rule.new_firm_mod
    return SplitParts(**whole)
