"""What else is wrong with a plan that could only partly be read, without blaming it for what the reader left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ratemod.errors import Problem
from ratemod.plan.check import problems_of
from ratemod.plan.model import Plan
from ratemod.rules.read import read_toml

# What hangs on everything having been read: what is never used, what does not follow, what a rate's cells are.
FOLLOWING = frozenset(
    {"RM102", "RM109", "RM110", "RM114", "RM135", "RM148", "RM150", "RM151", "RM155", "RM160", "RM164"}
)
# What a premium does not hang on: what is never used, papers, names of folders, the lock of an active edition.
HARMLESS = frozenset({"RM108", "RM109", "RM117", "RM118", "RM135", "RM141", "RM148", "RM149", "RM155", "RM160"})


def further_problems(plan: Plan, found: Sequence[Problem]) -> list[Problem]:
    """Return the problems of what was read, apart from those that the ones already found may have caused.

    Parameters
    ----------
    plan : Plan
        As far as it could be read.
    found : problems of reading it
    """
    read = {*plan.columns, *plan.constants, *plan.tables, *plan.step_names, *plan.sources}
    lost = set(_written(Path(plan.folder))) - read
    spoilt = {problem.file for problem in found}
    known = {(problem.code, problem.file, problem.row) for problem in found}
    return [
        problem
        for problem in problems_of(plan)
        if problem.code not in FOLLOWING
        and (problem.code, problem.file, problem.row) not in known
        and not lost & {str(value) for name, value in problem.args.items() if name != "nearest"}
        and not (problem.file in spoilt and str(problem.file).endswith(".csv"))
    ]


def may_price(found: Sequence[Problem]) -> bool:
    """Return whether nothing among the problems keeps a plan from pricing its worked cases."""
    return all(problem.code in HARMLESS for problem in found)


def _written(folder: Path) -> Iterator[str]:
    """Yield every name that the plan's file gives to something."""
    data = read_toml(folder / "plan.toml").data
    for section, part in data.items():
        yield from part if isinstance(part, dict) and section != "plan" else ()
    steps = data.get("step", ())
    for step in steps if isinstance(steps, list) else ():
        if isinstance(step, dict) and "name" in step:
            yield str(step["name"])
