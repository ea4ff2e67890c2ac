"""Scenarios kept beside their plan: ``EDITION/scenarios/NAME.toml``, with the CSV files of their new tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ratemod.errors import PlanError, nearest, problem
from ratemod.plan.model import Plan
from ratemod.rules.opened import opened
from ratemod.whatif.new_table import is_table
from ratemod.whatif.scenario import Scenario, read_scenario
from ratemod.whole_file import whole_file


def save(given: Scenario, path: str | Path | None = None) -> Path:
    """Write a scenario, and the rows of its new tables as CSV files beside it.

    Parameters
    ----------
    path : the file, by default ``scenarios/NAME.toml`` in the folder of the scenario's plan

    Raises
    ------
    PlanError
        RM875 no path and no plan, RM867 a name that no file can have, RM869 a file that exists.
    """
    if path is None and not given.folder:
        raise PlanError(problem("RM875", name=given.name))
    bad = not given.name.strip() or given.name[0] == "." or any(mark in given.name for mark in '/\\:*?"<>|\n')
    if path is None and bad:
        raise PlanError(problem("RM867", name=given.name))
    target = Path(given.folder) / "scenarios" / f"{given.name}.toml" if path is None else Path(path)
    files: dict[Path, str] = {}
    changes = []
    for change, value in given.changes:
        how = is_table(change)
        if how:
            beside = target.with_name(f"{target.stem}.{change.split('.')[1]}.csv")
            files[beside] = opened(Path(value), str(value)) if how == "file" else value
            change, value = f"tables.{change.split('.')[1]}.file", beside.name
        changes.append((change, value))
    files[target] = replace(given, changes=tuple(sorted(changes))).toml()
    if there := [problem("RM869", path=str(file)) for file in files if file.exists()]:
        raise PlanError(there)
    target.parent.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        with whole_file(file) as temporary:
            Path(temporary).write_text(content, encoding="utf-8", newline="")
    return target


def saved(plan: Plan) -> tuple[str, ...]:
    """Return the names of the scenarios beside a plan, in order."""
    return tuple(sorted(path.stem for path in (Path(plan.folder) / "scenarios").glob("*.toml"))) if plan.folder else ()


def find(plan: Plan, given: str | Path) -> Scenario:
    """Return the scenario of a file, or the one saved beside a plan under a name.

    Raises
    ------
    PlanError
        RM868 neither (with the nearest), and those of `read_scenario`.
    """
    if Path(given).suffix == ".toml" or Path(given).is_file():
        return read_scenario(given)
    names = saved(plan)
    if str(given) not in names:
        raise PlanError(
            problem(
                "RM868",
                plan=plan.id,
                name=str(given),
                saved=", ".join(names) or "–",
                nearest=nearest(str(given), names),
            )
        )
    return read_scenario(Path(plan.folder) / "scenarios" / f"{given}.toml")
