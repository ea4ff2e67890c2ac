"""`experience_mod`: a claims list and an exposure list in, every firm's modification out, explained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ratemod.errors import Lang, ModelError, Problem, nearest, problem, text
from ratemod.experience.losses import Actual, ClaimList, Window, actual_losses, carried
from ratemod.experience.mod_lists import ExposureList, read_claims, read_exposure, successions_of
from ratemod.experience.split import SplitParts, SplitRule, split_mod
from ratemod.experience.split_rules import rule_named

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
    actual : Actual, after successions; parts : SplitParts (NaN where a firm is refused)
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

    @cached_property
    def status(self) -> npt.NDArray[np.str_]:
        """What became of each firm, (n,): modified, not_eligible or refused."""
        low = self.exposure.expected_yuan < self.rule.eligible_from
        return np.where(self.problem_of > 0, REFUSED, np.where(low, NOT_ELIGIBLE, MODIFIED))

    @cached_property
    def counts(self) -> dict[str, int]:
        """Firms in all and by status; firms = modified + not_eligible + refused."""
        found = {name: int((self.status == name).sum()) for name in (MODIFIED, NOT_ELIGIBLE, REFUSED)}
        return {"firms": len(self.status), **found}

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
        columns["bound"] = pa.array(np.array(["low", "", "high"])[parts.bound.astype(int) + 1].tolist())
        columns["status"] = pa.array(self.status.tolist())
        columns["code"] = pa.array([codes[k - 1] if k else None for k in self.problem_of.tolist()], pa.string())
        columns["reason"] = pa.array([reasons[k - 1] if k else None for k in self.problem_of.tolist()], pa.string())
        return pa.table(columns)

    def frame(self, lang: Lang = "en") -> pd.DataFrame:
        """Return `table` as a pandas frame."""
        made: pd.DataFrame = self.table(lang).to_pandas()
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


def experience_mod(
    claims: Any,
    exposure: Any,
    rule: SplitRule | str | Path = "illustrative",
    *,
    effective: Any = None,
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
        start_date (the
        day the mod applies from), premium_yuan, last_mod and exposed_YYYY where there are any
    rule : SplitRule, the name of a shipped one, or a TOML file
    effective : day the mods apply from, where the exposure list has no start_date
    window : Window; default three years ending a year before
    successions : frame or path: from_code, to_code, share: whose record goes to whom

    Returns
    -------
    Mods: firms = modified + not_eligible + refused; a refused firm has its reason, the others are not touched

    Raises
    ------
    ModelError
        RM603, RM604 a rule that cannot be used, RM614, RM615 successions, RM619 a column that is missing.
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
    frame = window or Window()
    firms = read_exposure(exposure, effective)
    listed = read_claims(claims, firms)
    first, after = frame.of(firms.effective)
    actual = actual_losses(
        listed, chosen, np.nan_to_num(firms.expected_yuan), first, after, exposed=firms.exposed, years=firms.years
    )
    expected, primary = firms.expected_yuan, firms.expected_primary_yuan
    if successions is not None:
        actual, expected, primary = _succeeded(actual, firms, successions_of(successions, firms))
    problem_of, problems = _refused(firms, actual)
    parts = _parts(chosen, actual, expected, primary, firms.last_mod, problem_of)
    return Mods(chosen, frame, firms, listed, actual, parts, problem_of, problems)


def _succeeded(actual: Actual, firms: ExposureList, moved: tuple[Any, Any, Any]) -> tuple[Actual, Floats, Floats]:
    """Return actual and expected losses after successions: what explains the mod moves with what modifies it."""
    money = [carried(part, *moved) for part in (actual.primary_fen, actual.excess_fen)]
    awaited = [
        carried(np.rint(np.nan_to_num(part) * 100), *moved) / 100
        for part in (firms.expected_yuan, firms.expected_primary_yuan)
    ]
    return replace(actual, primary_fen=money[0], excess_fen=money[1]), awaited[0], awaited[1]


def _refused(firms: ExposureList, actual: Actual) -> tuple[npt.NDArray[np.int32], tuple[Problem, ...]]:
    """Return the first reason that refuses each firm: those of its exposure, then those of its claims."""
    found = firms.problem_of.copy()
    later = (found == 0) & (actual.problem_of > 0)
    found[later] = actual.problem_of[later] + len(firms.problems)
    return found, (*firms.problems, *actual.problems)


def _parts(
    rule: SplitRule,
    actual: Actual,
    expected: Floats,
    primary: Floats,
    last_mod: Floats,
    problem_of: npt.NDArray[np.int32],
) -> SplitParts:
    """Return the parts, computed for the firms that can be and NaN for the others."""
    fine = (problem_of == 0) & (np.nan_to_num(expected) > 0)
    made = split_mod(
        rule,
        actual.primary_fen[fine] / 100,
        actual.excess_fen[fine] / 100,
        expected[fine],
        np.minimum(primary[fine], expected[fine]),
        last_mod=last_mod[fine],
    )
    whole: dict[str, Any] = {}
    for name in SplitParts.__dataclass_fields__:
        values = getattr(made, name)
        column = np.zeros(len(fine), values.dtype) if name == "bound" else np.full(len(fine), np.nan)
        column[fine] = values
        whole[name] = column
    return SplitParts(**whole)
