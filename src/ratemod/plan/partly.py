"""What else is wrong with a plan that could only partly be read, without blaming it for what the reader left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ratemod.errors import Problem
from ratemod.plan.check import problems_of
from ratemod.plan.model import Plan
from ratemod.plan.repeat import Values, every_name, repeated
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
    lost = set(_lost(plan))
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


def _lost(plan: Plan) -> Iterator[str]:
    """Yield every name that the plan's file gives to something which could not be read."""
    file = read_toml(Path(plan.folder) / "plan.toml")
    read = {"column": plan.columns, "constant": plan.constants, "source": plan.sources, "table": plan.tables}
    for section, part in file.data.items():  # one whose own name is misspelt is lost with all that it names
        yield from part.keys() - read.get(section, {}).keys() if isinstance(part, dict) and section != "plan" else ()
    lists = {name: Values(name, tuple(one["values"])) for name, one in file.named("list").items() if _listed(one)}
    steps = [*file.tables("step"), *(step for _, step in repeated(file.tables("step"), lists))]
    said = [str(step["name"]) for step in steps if isinstance(step, dict) and "name" in step]
    named = {name for one in said for name in (one, *every_name(one, lists))}
    yield from named - set(plan.step_names)


def _listed(one: Any) -> bool:
    values = one.get("values") if isinstance(one, dict) else None
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
