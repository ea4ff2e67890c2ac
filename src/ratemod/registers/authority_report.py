"""The list of insureds that refuse to rectify a major hazard, for the emergency department and the industry regulator.

One line a policy and refused hazard, by division and sector. The list is held against the priced book: every policy on
it was priced in the state ``refused`` and loaded, every loaded policy is on it; what does not agree is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.errors import BookError, problem
from ratemod.rating.rated import Rated
from ratemod.registers.as_of import Ints, pairs
from ratemod.registers.coded_book import coded_column
from ratemod.registers.columns import HAZARD_GRADES
from ratemod.registers.controllable import is_priced, row_keys
from ratemod.registers.days import NEVER, Days
from ratemod.registers.hazards import HazardRule, hazard_state
from ratemod.registers.register import Register
from ratemod.vocabulary.codes.division import division_name, prefecture_of

STATE, LOADING, REFUSED = "hazard_state", "hazard_loading", "refused"
DATES = ("found_date", "notified_date", "due_date", "extended_due_date", "refused_date")
COLUMNS = (
    "division_code",
    "division",
    "sector",
    "credit_code",
    "name",
    "insurer",
    "policy_no",
    "start_date",
    "hazard_id",
    *DATES,
    "overdue_days",
    "hazard_loading",
    "premium_fen",
    "register_row",
)


@dataclass(frozen=True, eq=False, slots=True)
class AuthorityReport:
    """The list and its reconciliation.

    Attributes
    ----------
    lines : pyarrow.Table
        Columns `COLUMNS`: sorted by division, sector, credit code, policy and hazard; the same input gives the same
        lines. ``hazard_loading`` is the factor applied, null where the policy has no premium.
    totals : pyarrow.Table
        ``division_code``, ``division``, ``sector``, ``insureds``, ``policies``, ``hazards``.
    insureds, policies, hazards : int
        On the list.
    loaded, unpriced : int
        Policies of the list that carry the loading, and that have no premium.
    missing, unfounded : tuple of str
        Keys of policies refused by the register but not priced so, and priced as refused without a register row.
    """

    lines: pa.Table
    totals: pa.Table
    insureds: int
    policies: int
    hazards: int
    loaded: int
    unpriced: int
    missing: tuple[str, ...]
    unfounded: tuple[str, ...]

    @property
    def balanced(self) -> bool:
        """Whether the list and the loadings applied are the same policies."""
        return not self.missing and not self.unfounded and self.policies == self.loaded + self.unpriced


def authority_report(
    rated: Rated, hazards: Register, *, rule: HazardRule | None = None, at: str = "start_date", loading: str = LOADING
) -> AuthorityReport:
    """Return who refuses to rectify, as of each policy's day, beside what was loaded.

    Parameters
    ----------
    rated : Rated, priced with the step `loading` among its traced steps
    hazards : Register of ``hazards``
    rule : HazardRule, optional
    at : the plan's date column that says as of when
    loading : the plan's step that carries the loading

    Raises
    ------
    BookError
        RM301 the book lacks the credit code or the date; RM253 the loading was not kept as a column.

    Source
    ------
    吉应急规划财务联〔2020〕282号, part 3 (2): who refuses to rectify a major hazard is reported to the local emergency
    department and the industry regulator. The notice prescribes no form; these columns are the evidence that the
    registers hold.
    """
    book, plan, chosen = rated.book, rated.one_edition().plan, rule or HazardRule()
    lacking = [
        problem("RM301", file=book.file, column=name, label=plan.label(name, "zh"))
        for name in ("credit_code", at)
        if name not in book.table.column_names
    ]
    if loading not in rated.outputs.steps:
        lacking.append(problem("RM253", step=loading))
    if lacking:
        raise BookError(lacking)
    day = np.asarray(coded_column(book, plan, at)).astype(np.int64)
    keys = book.table["credit_code"]
    told = hazard_state(hazards, keys, day, rule=chosen).state == 3
    codes = plan.columns[STATE].codes()
    priced_so = rated.coding.inputs.codes[STATE] == codes.index(REFUSED)
    factor, priced = rated.outputs.steps[loading], is_priced(rated)
    loaded = told & priced & (factor > 1)
    row, event = _refused(hazards, keys, day, np.flatnonzero(told), chosen)
    lines = _lines(rated, hazards, row, event, day, factor)
    names = np.array(row_keys(book, plan), dtype=object)
    totals = (
        lines.group_by(["division_code", "division", "sector"], use_threads=False)
        .aggregate([("credit_code", "count_distinct"), ("policy_no", "count_distinct"), ("hazard_id", "count")])
        .rename_columns(["division_code", "division", "sector", "insureds", "policies", "hazards"])
    )
    return AuthorityReport(
        lines=lines,
        totals=totals,
        insureds=len(pc.unique(lines["credit_code"])),
        policies=int(told.sum()),
        hazards=len(row),
        loaded=int(loaded.sum()),
        unpriced=int((told & ~priced).sum()),
        missing=tuple(names[told & ~priced_so]),
        unfounded=tuple(names[priced_so & ~told]),
    )


def _refused(
    hazards: Register, keys: Any, day: Days, rows: npt.NDArray[np.intp], rule: HazardRule
) -> tuple[Ints, Ints]:
    """Return every pair of a policy row and a hazard refused and not yet verified on its day."""
    met = hazards.met(keys)
    firm, own, count = met.asked, met.there, met.count
    grades = [level.code for level in HAZARD_GRADES]
    counted = np.isin(hazards.values["grade"], [grades.index(grade) for grade in rule.grades])
    found: list[tuple[Ints, Ints]] = []
    for pair in pairs(np.where(counted, own, -1), firm[rows], count):
        on = day[rows][pair.query]
        held = (hazards.dates("found_date")[pair.event] <= on) & (hazards.dates("refused_date")[pair.event] <= on)
        held &= hazards.dates("verified_date")[pair.event] > on
        found.append((rows[pair.query[held]], pair.event[held]))
    if not found:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    return np.concatenate([part[0] for part in found]), np.concatenate([part[1] for part in found])


def _lines(
    rated: Rated, hazards: Register, row: Ints, event: Ints, day: Days, factor: npt.NDArray[np.float64]
) -> pa.Table:
    book, plan = rated.book, rated.plan
    place = pa.array(row)

    def held(name: str) -> pa.Array:
        if name not in book.table.column_names:
            return pa.nulls(len(row), pa.string())
        return pc.cast(book.table[name].take(place), pa.string()).combine_chunks()

    dates = {name: hazards.dates(name)[event] for name in DATES}
    due = np.where(dates["extended_due_date"] < NEVER, dates["extended_due_date"], dates["due_date"])
    late = np.where(due < NEVER, np.maximum(day[row] - due, 0), 0)
    priced = is_priced(rated)[row]
    numbers = (
        hazards.values["hazard_id"].take(pa.array(event))
        if hazards.has("hazard_id")
        else pa.nulls(len(row), pa.string())
    )
    codes = held("division_code")
    columns: Mapping[str, Any] = {
        "division_code": codes,
        "division": pa.array(division_name(codes.to_pylist(), "zh").tolist(), pa.string()),
        "sector": _sector(rated, row),
        "credit_code": held("credit_code"),
        "name": held("name"),
        "insurer": held("insurer"),
        "policy_no": held(plan.key or "policy_no"),
        "start_date": date_column(day[row]),
        "hazard_id": numbers.combine_chunks() if isinstance(numbers, pa.ChunkedArray) else numbers,
        **{name: date_column(values) for name, values in dates.items()},
        "overdue_days": pa.array(late),
        "hazard_loading": pa.array(factor[row], mask=~priced | np.isnan(factor[row])),
        "premium_fen": pa.array(rated.outputs.premium_fen[row].astype(np.int64), mask=~priced),
        "register_row": pa.array(hazards.rows[event]),
    }
    order = [
        (name, "ascending")
        for name in ("division_code", "sector", "credit_code", "policy_no", "hazard_id", "register_row")
    ]
    return pa.table(dict(columns)).select(COLUMNS).sort_by(order)


def _sector(rated: Rated, row: Ints) -> pa.Array:
    """Return the sector as the plan codes it, whether the book names it or an industry code leads to it."""
    codes = rated.coding.inputs.codes.get("sector")
    if codes is None:
        return pa.nulls(len(row), pa.string())
    names = np.array([*rated.plan.columns["sector"].codes(), ""], dtype=object)
    return pa.array(names[codes[row]].tolist(), pa.string())


def date_column(days: Days) -> pa.Array:
    """Return days as Arrow dates, null where there is none."""
    none = days >= NEVER
    return pa.array(np.where(none, 0, days).astype(np.int32), pa.int32(), mask=none).cast(pa.date32())


def prefectures(report: AuthorityReport) -> list[str]:
    """Return the prefecture of each line of a report, for the insurer that reports to one city at a time."""
    found: list[str] = prefecture_of(report.lines["division_code"].to_pylist()).tolist()
    return found
