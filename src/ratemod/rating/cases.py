"""Check a plan whole: its files, what can be proved of it, and its own worked cases."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa

from ratemod.book.book import Book
from ratemod.errors import BookError, PlanError, Problem, nearest, problem
from ratemod.plan.check import Proof, problems_of, proofs, warnings_of
from ratemod.plan.files import read_plan
from ratemod.plan.model import Case, Plan
from ratemod.rating import exact
from ratemod.rating.rate import rate

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
        plan, problems = read_plan(Path(folder))
    except PlanError as error:
        return CheckReport(None, error.problems, (), (), 0)
    if plan is not None and not problems:
        problems = problems_of(plan)
    if plan is None or problems:
        return CheckReport(plan, tuple(problems), (), (), 0)
    failed, passed = run_cases(plan)
    return CheckReport(plan, tuple(failed), tuple(warnings_of(plan)), tuple(proofs(plan)), passed)


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
    unknown = [name for name in case.inputs if name not in plan.columns]
    if unknown:
        return [
            _told(case, "RM113", name=name, step=case.name, nearest=nearest(name, plan.columns)) for name in unknown
        ]
    cells = {name: pa.array([_cell(value)], pa.string()) for name, value in case.inputs.items()}
    for name, column in plan.columns.items():
        if name not in cells:
            cells[name] = pa.array([None], pa.string())
            if column.derive:
                del cells[name]
    try:
        rated = rate(Book(pa.table(cells), file=case.file), plan, lang="en", threads=1)
    except BookError as error:
        return list(error.problems)
    state = exact.evaluate(plan, rated.encoded.inputs)
    row = {name: rated.table[name][0].as_py() for name in ("status", "code", "bounds")}
    problems = []
    for name, wanted in case.expect.items():
        if name not in RESULTS and name not in plan.step_names:
            problems.append(_told(case, "RM191", step=name, nearest=nearest(name, (*RESULTS, *plan.step_names))))
            continue
        if name in ("status", "code", "bounds"):
            found: Any = row[name] or ""
            fits = wanted in (found, *str(found).split(";"))
        else:
            step = {"premium": plan.premium, "fund": plan.fund or ""}.get(name, name)
            value = state.values[step].fractions()[0] if step in state.values else None
            found, fits = _compare(value, wanted)
        if not fits:
            reason = rated.table["reason"][0].as_py()
            problems.append(_told(case, "RM190", step=name, found=f"{found} {reason or ''}".strip(), wanted=wanted))
    return problems


def _compare(value: Fraction | None, wanted: str) -> tuple[str, bool]:
    """Compare an exact value with a printed number at the printed digits, rounded half-up."""
    if value is None:
        return "none", wanted == "none"
    try:
        printed = Decimal(wanted)
    except InvalidOperation:
        return str(float(value)), False
    unit = Fraction(1, 10 ** max(0, -int(printed.as_tuple().exponent)))
    size = (2 * abs(value) / unit + 1) // 2 * unit
    rounded = size if value >= 0 else -size
    return str(float(value)), rounded == Fraction(printed)


def _cell(value: object) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None or value == "" else str(value)


def _told(case: Case, code: str, **args: Any) -> Problem:
    return problem(code, file=case.file, row=case.line, **{"name": case.name, **args})
