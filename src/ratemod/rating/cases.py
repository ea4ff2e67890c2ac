"""Check a plan whole: its files, what can be proved of it, and its own worked cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa

from ratemod.errors import BookError, PlanError, Problem, nearest, problem
from ratemod.plan.check import Proof, problems_of, proofs, warnings_of
from ratemod.plan.editions import edition_folder
from ratemod.plan.files import read_plan
from ratemod.plan.interval import places_of
from ratemod.plan.model import Case, Plan
from ratemod.plan.partly import further_problems, may_price
from ratemod.rating import exact, working
from ratemod.rating.rate import rate
from ratemod.rating.rational import nearest_float, rounded
from ratemod.rating.verdict import say
from ratemod.rating.why import shown
from ratemod.reading.book import Book
from ratemod.rules.number import exact_number, shifted

RESULTS = ("premium", "fund", "status", "code", "bounds")


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `check_plan` found.

    Attributes
    ----------
    plan : Plan or None
        None when it could not be read.
    problems : tuple of Problem
        Must be mended; includes failed cases.
    warnings : tuple of Problem
        Worth a look.
    proofs : tuple of Proof
        For each legal range, whether the plan alone proves it.
    passed : int
        Cases that hold.
    """

    plan: Plan | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    proofs: tuple[Proof, ...]
    passed: int


def check_plan(folder: Path | str) -> CheckReport:
    """Check one edition's folder and report everything at once.

    Parameters
    ----------
    folder : path of an edition

    Returns
    -------
    CheckReport
        Nothing is raised for a bad plan.
    """
    try:
        plan, unread = read_plan(edition_folder(folder))
    except PlanError as error:
        return CheckReport(None, error.problems, (), (), 0)
    problems = [*unread, *further_problems(plan, unread)] if unread else problems_of(plan)
    if not may_price(problems):
        return CheckReport(plan, tuple(problems), (), (), 0)
    failed, passed = run_cases(plan)
    return CheckReport(plan, (*problems, *failed), tuple(warnings_of(plan)), tuple(proofs(plan)), passed)


def run_cases(plan: Plan) -> tuple[list[Problem], int]:
    """Return what the plan's cases expected in vain, and how many cases hold."""
    problems: list[Problem] = []
    passed = 0
    for case in plan.cases:
        found = _run(plan, case)
        problems += found
        passed += not found
    return problems, passed


def _run(plan: Plan, case: Case) -> list[Problem]:
    unknown = [name for row in case.rows for name in row if name not in plan.columns]
    if unknown:
        return [
            _told(case, "RM113", name=name, step=case.name, nearest=nearest(name, plan.columns)) for name in unknown
        ]
    if case.expect_lines and len(case.expect_lines) != len(case.rows):
        return [_told(case, "RM371", found=len(case.expect_lines), wanted=len(case.rows))]
    try:
        rows, state = _rated(plan, case)
    except BookError as error:
        return list(error.problems)
    if unread := list(_unread(case, rows)):
        return unread
    asked = [(0, case.expect, case.name)]
    asked += [(at, expect, f"{case.name}, {at + 1}") for at, expect in enumerate(case.expect_lines)]
    found = [item for at, expect, name in asked for item in _differences(plan, case, name, expect, rows[at], state, at)]
    return [*found, *_totals(plan, case, state)]


def _unread(case: Case, rows: list[dict[str, Any]]) -> Iterator[Problem]:
    """Yield why a row of a case cannot be read, where the case expects neither that nor a value that is none."""
    lines = (*case.expect_lines, *({} for _ in rows))
    for at, row in enumerate(rows):
        expect = {**(case.expect if at == 0 else {}), **lines[at]}
        if row["barred"] and not {"status", "code"} & expect.keys() and "none" not in expect.values():
            name = case.name if len(rows) == 1 else f"{case.name}, {at + 1}"
            yield _told(case, "RM193", name=name, why=row["reason"], why_zh=row["reason_zh"])


def _totals(plan: Plan, case: Case, state: working.Exact) -> Iterator[Problem]:
    """Yield what the lines of a policy come to together other than was expected."""
    for name, wanted in case.expect_total.items():
        if name not in ("premium", "fund", *plan.step_names) or _is_said(name, plan):
            yield _told(case, "RM191", step=name, nearest=nearest(name, ("premium", "fund", *plan.step_names)))
            continue
        values = [_value(plan, state, name, at) for at in range(len(case.rows))]
        total = None if None in values else sum((value for value in values if value is not None), Fraction(0))
        found, fits = _compare(plan, name, total, wanted)
        if not fits:
            yield _told(case, "RM190", name=f"{case.name}, Σ", step=name, found=found, found_zh=found, wanted=wanted)


def _differences(
    plan: Plan, case: Case, called: str, expect: Mapping[str, str], row: dict[str, Any], state: working.Exact, at: int
) -> Iterator[Problem]:
    """Yield what was expected of one row in vain."""
    for name, wanted in expect.items():
        if name not in RESULTS and name not in plan.step_names:
            yield _told(case, "RM191", step=name, nearest=nearest(name, (*RESULTS, *plan.step_names)))
            continue
        if name in ("status", "code", "bounds"):
            found: Any = row[name] or ""
            fits = wanted in (found, *str(found).split(";"))
        elif _is_said(name, plan):
            found = shown(plan, name, state, at)
            fits = wanted == (found or "none")
        else:
            found, fits = _compare(plan, name, _value(plan, state, name, at), wanted)
        if not fits:
            said = {key: f"{found} {row[why]}".strip() for key, why in (("found", "reason"), ("found_zh", "reason_zh"))}
            yield _told(case, "RM190", name=called, step=name, wanted=wanted, **said)


def _is_said(name: str, plan: Plan) -> bool:
    """Return whether a result is a level or a date, which is compared as it is written."""
    return name in plan.level_columns or (name in plan.step_names and plan.step(name).operation.gives == "date")


def _rated(plan: Plan, case: Case) -> tuple[list[dict[str, Any]], working.Exact]:
    """Return what the engine says of each row (status, code, bounds, reason), and every step's exact values."""
    rows = case.rows
    given = {name for row in rows for name in row}
    cells = {}
    for name, column in plan.columns.items():
        if name in given:
            cells[name] = pa.array([_cell(row[name]) if name in row else None for row in rows], pa.string())
        elif name == plan.key:  # a case names its row by its own name
            cells[name] = pa.array([f"{case.name} {at}" for at in range(len(rows))], pa.string())
        elif not column.derive:
            cells[name] = pa.nulls(len(rows), pa.string())
    rated = rate(Book(pa.table(cells), file=case.file), plan, lang="en", threads=1)
    said = rated.table.select(["status", "code", "bounds"]).to_pylist()
    verdict = rated.verdict
    for at, row in enumerate(said):
        why = verdict.reasons[verdict.reason_of[at] - 1] if verdict.reasons and verdict.reason_of[at] else ()
        row |= {"reason": say(why, "en"), "reason_zh": say(why, "zh"), "barred": bool(verdict.barred[at])}
    return said, exact.evaluate(plan, rated.coding.inputs)


def _value(plan: Plan, state: working.Exact, name: str, at: int = 0) -> Fraction | None:
    step = _step(plan, name)
    return state.values[step].fraction(at) if step in state.values else None


def _step(plan: Plan, name: str) -> str:
    """Return the step that a case means: one of the name, else the plan's premium or fund."""
    results = {"premium": plan.premium, "fund": plan.fund or ""}
    return name if name in plan.step_names else results.get(name, name)


def recomputed(plan: Plan, case: Case) -> dict[str, str]:
    """Return what a case would have to expect under a plan, at the digits that it prints now.

    Raises
    ------
    BookError
        When the plan cannot read the case's inputs.
    """
    (row, *_), state = _rated(plan, case)
    found = {}
    for name, wanted in case.expect.items():
        if name in ("status", "code", "bounds"):
            found[name] = row[name] or ""
            continue
        if _is_said(name, plan):
            found[name] = shown(plan, name, state, 0) or "none"
            continue
        value = _value(plan, state, name)
        found[name] = "none" if value is None else _printed(value, _unit(plan, name, _number(wanted)))
    return found


def _printed(value: Fraction, unit: Decimal) -> str:
    whole = int(rounded(value, unit) / Fraction(unit))
    return f"{shifted(Decimal(whole), -places_of(unit)):.{places_of(unit)}f}"


def _compare(plan: Plan, name: str, value: Fraction | None, wanted: str) -> tuple[str, bool]:
    """Return an exact value to be shown, and whether it is the printed number when rounded to its last digit."""
    if value is None:
        return "none", wanted == "none"
    printed = _number(wanted)
    fits = printed is not None and rounded(value, _unit(plan, name, printed)) == Fraction(printed)
    return str(nearest_float(value)), fits


def _number(printed: str) -> Decimal | None:
    try:
        return exact_number(printed)
    except (ValueError, OverflowError):
        return None


def _unit(plan: Plan, name: str, printed: Decimal | None) -> Decimal:
    """Return the unit of a printed number's last digit; of the premium and the fund the smallest of money at least."""
    smallest = plan.money.smallest
    if printed is None:
        return smallest
    own = shifted(Decimal(1), min(0, int(printed.as_tuple().exponent)))
    return min(own, smallest) if _step(plan, name) in (plan.premium, plan.fund) else own


def _cell(value: object) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None or value == "" else str(value)


def _told(case: Case, code: str, **args: Any) -> Problem:
    return problem(code, file=case.file, row=case.line, **{"name": case.name, **args})
