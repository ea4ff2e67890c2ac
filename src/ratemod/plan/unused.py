"""What stands in a plan and nothing uses: no premium is wrong by it, but somebody meant something by it.

Unused columns, constants and tables are problems, and the check tells them; these are worth a look.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ratemod.errors import Problem, nearest, problem
from ratemod.plan.level_file import level_files
from ratemod.plan.model import Plan, Test
from ratemod.plan.op.base import TableOperation
from ratemod.plan.reads import axes_read, conditions_of, tests_of
from ratemod.rules.lines import line_of
from ratemod.rules.read import TomlFile, read_toml

FOLDERS = {"tables": ".csv", "cases": ".toml", "levels": ".csv", "scenarios": ""}
FILES = ("plan.toml", "plan.lock", "registers.toml")
FEW = 5  # levels that one remark names
DATA = (".toml", ".csv", ".xlsx", ".xls")


def unused(plan: Plan) -> Iterator[Problem]:
    """Yield a remark for all of a plan and its folder that nothing uses.

    These are sources, lists, units, steps, value columns, levels and files.
    """
    sources = _sources_named(plan)
    yield from (_told(plan, "RM150", "source", name) for name in plan.sources if name not in sources)
    measures = {item.unit for part in (plan.columns, plan.constants, plan.tables) for item in part.values()}
    measures |= {step.unit for step in plan.steps}
    yield from (_told(plan, "RM902", "unit", name) for name in plan.units if name not in measures)
    yield from _steps(plan)
    yield from _value_columns(plan)
    if plan.folder:
        file = read_toml(Path(plan.folder) / "plan.toml")
        yield from _levels(plan, file)
        yield from _lists(plan, file)
        yield from _files(plan, file)


def owned_sources(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the name and the source of everything that must have one."""
    yield from ((rule.name, rule.source) for rule in plan.rules)
    yield from ((check.name, check.source) for check in plan.checks)
    yield from ((item.name, item.source) for item in plan.legal)
    yield from ((constant.name, constant.source) for constant in plan.constants.values())


def _sources_named(plan: Plan) -> set[str]:
    used = {row.source for table in plan.tables.values() for row in table.rows}
    used |= {source for _, source in owned_sources(plan)} | {step.source for step in plan.steps}
    used |= {item.exception.source for item in plan.legal if item.exception}
    return used | {name for column in plan.columns.values() for name in (column.source, column.default_source) if name}


def _told(plan: Plan, code: str, section: str, name: str, **said: Any) -> Problem:
    return problem(code, file=f"{plan.folder}/plan.toml", row=line_of(plan.lines, section, name), name=name, **said)


def _steps(plan: Plan) -> Iterator[Problem]:
    """Yield the steps that nothing rests on, no case expects, and that are not written with the premium."""
    graph = plan.graph()
    used = {*graph.read_by(), *graph.results}
    used |= {
        name for case in plan.cases for part in (case.expect, *case.expect_lines, case.expect_total) for name in part
    }
    for step in plan.steps:
        if step.name not in used and not step.headline:
            yield problem("RM918", file=f"{plan.folder}/plan.toml", row=step.line, name=step.name)


def _value_columns(plan: Plan) -> Iterator[Problem]:
    read: dict[str, set[str]] = {}
    for step in plan.steps:
        operation = step.operation
        if isinstance(operation, TableOperation) and operation.table in plan.tables:
            own = (*operation.value_columns(plan.tables[operation.table]), operation.column)
            read.setdefault(operation.table, set()).update(own)
    for name, columns in read.items():
        for column in plan.tables[name].value_names:
            if column not in columns:
                yield problem("RM902", file=plan.tables[name].file, row=1, name=column)


def _levels(plan: Plan, file: TomlFile) -> Iterator[Problem]:
    """Yield the levels of a column of the plan's own that nothing tells apart: of those a table reads, cells tell."""
    words = {name for name, said in file.named("column").items() if "from" in said}  # of the vocabulary
    read = {name for step in plan.steps for _, name in axes_read(plan, step)}
    read |= {operand for step in plan.steps for _, _, operand in step.operation.operands() if isinstance(operand, str)}
    read |= {name for step in plan.steps for name in [step.otherwise] if isinstance(name, str)}
    read |= {name for check in plan.checks for name in (check.of, check.by)}
    tests = [test for condition in conditions_of(plan) for test in tests_of(condition)]
    read |= {name for test in tests if test.compared for name in (test.of, *map(str, test.compared.values()))}
    for column in plan.columns.values():
        if column.kind == "level" and column.name not in words | read:
            named = {code for test in tests if test.of == column.name for code in _named(test, column.codes())}
            alike = [code for code in column.codes() if code not in named]
            if len(alike) > 1:
                said = ", ".join(alike[:FEW]) + (f" … ({len(alike)})" if len(alike) > FEW else "")
                yield _told(plan, "RM696", "column", column.name, levels=said)


def _named(test: Test, codes: Sequence[str]) -> set[str]:
    """Return the levels that a test names, one by one or as between two."""
    between = test.within(codes) if test.first is not None or test.last is not None or test.begins else ()
    return {*test.is_, *test.is_not, *between}


def _lists(plan: Plan, file: TomlFile) -> Iterator[Problem]:
    said = json.dumps(file.tables("step"), default=str)
    for name in file.named("list"):  # a step over it says so and, to have names that differ, {name} too
        if f"{{{name}}}" not in said:
            yield _told(plan, "RM902", "list", name)


def _files(plan: Plan, file: TomlFile) -> Iterator[Problem]:
    """Yield the files that lie where a plan's files lie, or look like one, and are not read."""
    folder = Path(plan.folder)
    held = file.data
    read = {Path(table.file).resolve() for table in plan.tables.values()}
    read |= {(folder / name).resolve() for name in (*FILES, *level_files(held).values())}
    read |= {path.resolve() for path in (folder / "cases").glob("*.toml")}
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder).parts
        near = nearest(place[0], FOLDERS if len(place) > 1 else FILES)
        meant = place[0] in FOLDERS if len(place) > 1 else path.suffix.lower() in DATA
        hidden = any(part.startswith(".") for part in place)
        if path.is_dir() or hidden or path.suffix == ".md" or place[0] == "scenarios" or path.resolve() in read:
            continue
        if meant or near:
            yield problem("RM959", file=str(path), nearest=None if place[0] in FOLDERS else near)
