"""Read a plan folder into a `Plan`, collecting every problem on the way."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ratemod.errors import PlanError, Problem, nearest, problem
from ratemod.plan import keys
from ratemod.plan.csv_table import day_number, read_rows
from ratemod.plan.expand import expand_experience
from ratemod.plan.model import (
    NOTHING,
    Case,
    Check,
    Combination,
    Condition,
    Constant,
    Legal,
    LegalException,
    Operand,
    Plan,
    Rule,
    Source,
    Step,
    Table,
    Test,
)
from ratemod.plan.toml_lines import Place, line_of, lines_of
from ratemod.vocabulary.column import FLAG_LEVELS, Column, Level

SECTIONS = ("plan", "source", "constant", "column", "table", "step", "rule", "check", "legal")


@dataclass
class Reading:
    """One TOML file being read: its data, the line of each key, and the problems found so far."""

    file: str
    data: Mapping[str, Any]
    lines: Mapping[Place, int]
    problems: list[Problem] = field(default_factory=list)

    def note(self, code: str, *place: str | int, **args: Any) -> None:
        """Record a problem at a place of the file."""
        self.problems.append(problem(code, file=self.file, row=line_of(self.lines, *place), **args))

    def take(self, given: object, allowed: Mapping[str, keys.Key], *place: str | int) -> dict[str, Any]:
        """Return the values of one section, converted; unknown, missing and unfit keys are recorded."""
        if not isinstance(given, Mapping):
            self.note("RM103", *place, key=".".join(map(str, place)), wanted="table")
            return {}
        taken: dict[str, Any] = {}
        for name, value in given.items():
            if name not in allowed:
                self.note("RM101", *place, name, key=name, section=_shown(place), nearest=nearest(name, allowed))
            else:
                taken[name] = self.convert(value, allowed[name], *place, name)
        for name, key in allowed.items():
            if key.required and name not in given:
                self.note("RM102", *place, key=name, section=_shown(place))
                taken[name] = "" if key.kind == "text" else None
        return {name: value for name, value in taken.items() if value is not None}

    def convert(self, value: Any, key: keys.Key, *place: str | int) -> Any:
        """Return one value as its kind, or None with a problem recorded."""
        try:
            converted = _CONVERT[key.kind](self, value, place)
        except (TypeError, ValueError, InvalidOperation, AttributeError):
            self.note("RM103", *place, key=place[-1], wanted=key.kind)
            return None
        if key.choices and converted not in key.choices:
            self.note(
                "RM104",
                *place,
                key=place[-1],
                value=value,
                choices=", ".join(key.choices),
                nearest=nearest(str(value), key.choices),
            )
            return None
        return converted

    def condition(self, given: Any, *place: str | int) -> Condition:
        """Return a condition; ValueError when it is not one."""
        for how in ("all", "any", "none"):
            if how in given:
                if len(given) > 1:
                    self.note("RM105", *place, key=how)
                return Combination(how, tuple(self.condition(part, *place) for part in given[how]))
        taken = self.take(given, keys.TEST, *place)
        if len(taken) < 2:
            self.note("RM106", *place)
        return Test(**{"is_" if name == "is" else name: value for name, value in taken.items()})


def _shown(place: tuple[str | int, ...]) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in place)


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise TypeError
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError
    return number


def _operand(value: Any) -> Operand:
    if isinstance(value, date):
        return day_number(value)
    try:
        return _number(value)
    except InvalidOperation:
        return str(value)


def _kind(*kinds: type) -> Any:
    def check(_: Reading, value: Any, __: tuple[str | int, ...]) -> Any:
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise TypeError
        return value

    return check


def _texts(_: Reading, value: Any, __: tuple[str | int, ...]) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else (str(value),)


def _levels(reading: Reading, value: Any, place: tuple[str | int, ...]) -> tuple[Level, ...]:
    levels = []
    for item in value:
        taken = reading.take({"code": item} if isinstance(item, str) else item, keys.LEVEL, *place)
        levels.append(Level(**taken))
    return tuple(levels)


def _exception(reading: Reading, value: Any, place: tuple[str | int, ...]) -> LegalException | None:
    taken = reading.take(value, keys.EXCEPTION, *place)
    return LegalException(**taken) if len(taken) == 4 else None


_CONVERT: Mapping[str, Any] = MappingProxyType(
    {
        "text": _kind(str),
        "flag": _kind(bool),
        "integer": _kind(int),
        "date": _kind(date),
        "number": lambda _, value, __: _number(value),
        "operand": lambda _, value, __: _operand(value),
        "operands": lambda _, value, __: (
            tuple(_operand(item) for item in value) if isinstance(value, list) else (_operand(value),)
        ),
        "names": lambda _, value, __: tuple((str(axis), str(name)) for axis, name in value.items()),
        "texts": _texts,
        "condition": lambda reading, value, place: reading.condition(value, *place),
        "levels": _levels,
        "exception": _exception,
    }
)


def read_toml(path: Path, shown: str) -> Reading:
    """Return a TOML file with exact decimals; PlanError RM100 when it is missing, RM107 when it is not TOML."""
    try:
        content = path.read_text(encoding="utf-8-sig")
        data = tomllib.loads(content, parse_float=Decimal)
    except FileNotFoundError:
        raise PlanError(problem("RM100", file=shown)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PlanError(problem("RM107", file=shown, why=str(error))) from None
    return Reading(shown, data, lines_of(content))


def read_plan(folder: Path, shown: str = "") -> tuple[Plan | None, list[Problem]]:
    """Read a plan folder.

    Parameters
    ----------
    folder : Path
        Holds ``plan.toml``.
    shown : str
        How the folder is called in messages; default its path.

    Returns
    -------
    plan : Plan or None
        None when the identity itself cannot be read.
    problems : list of Problem
        What the files say wrongly in themselves; `ratemod.plan.check` adds what does not fit together.

    Raises
    ------
    PlanError
        RM100 when there is no plan.toml, RM107 when it is not TOML.
    """
    shown = shown or str(folder)
    reading = read_toml(folder / "plan.toml", f"{shown}/plan.toml")
    data = reading.data
    for name in data:
        if name not in SECTIONS:
            reading.note("RM101", name, key=name, section="plan.toml", nearest=nearest(name, SECTIONS))
    identity = reading.take(data.get("plan", {}), keys.PLAN, "plan")
    sources = {name: Source(name, **taken) for name, taken in _named(reading, "source", keys.SOURCE)}
    constants = {
        name: Constant(name, **taken) for name, taken in _named(reading, "constant", keys.CONSTANT) if "value" in taken
    }
    columns = {name: _column(name, taken) for name, taken in _named(reading, "column", keys.COLUMN) if "kind" in taken}
    steps = tuple(step for index, given in enumerate(data.get("step", ())) for step in _steps(reading, given, index))
    tables = _tables(reading, folder, shown, columns, steps)
    steps = tuple(_classified(step, tables) for step in steps)
    rules = tuple(Rule(**taken) for taken in _listed(reading, "rule", keys.RULE))
    checks = tuple(Check(**taken) for taken in _listed(reading, "check", keys.CHECK))
    legal = tuple(Legal(**taken) for taken in _listed(reading, "legal", keys.LEGAL))
    cases = _cases(folder, shown, reading.problems)
    if "new_from" not in identity:
        return None, reading.problems
    return Plan(
        scheme=identity["scheme"],
        edition=identity["edition"],
        title_en=identity["title_en"],
        title_zh=identity["title_zh"],
        standing=identity.get("standing", ""),
        status=identity.get("status", ""),
        new_from=identity["new_from"],
        renewal_from=identity.get("renewal_from", identity["new_from"]),
        until=identity.get("until"),
        key=identity.get("key"),
        premium=identity["premium"],
        fund=identity.get("fund"),
        warning_en=identity.get("warning_en", ""),
        warning_zh=identity.get("warning_zh", ""),
        sources=MappingProxyType(sources),
        columns=MappingProxyType(columns),
        constants=MappingProxyType(constants),
        tables=MappingProxyType(tables),
        steps=steps,
        rules=rules,
        checks=checks,
        legal=legal,
        cases=cases,
        folder=str(folder),
    ), reading.problems


def _named(reading: Reading, section: str, allowed: Mapping[str, keys.Key]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (name, reading.take(given, allowed, section, name)) for name, given in reading.data.get(section, {}).items()
    ]


def _listed(reading: Reading, section: str, allowed: Mapping[str, keys.Key]) -> list[dict[str, Any]]:
    taken = [reading.take(given, allowed, section, index) for index, given in enumerate(reading.data.get(section, ()))]
    wanted = {name for name, key in allowed.items() if key.required}
    return [item for item in taken if wanted <= set(item)]


def _column(name: str, taken: dict[str, Any]) -> Column:
    given = {{"min": "low", "max": "high"}.get(key, key): value for key, value in taken.items()}
    if given["kind"] == "flag":
        given["levels"] = FLAG_LEVELS
    return Column(name, **given)


def _steps(reading: Reading, given: Mapping[str, Any], index: int) -> tuple[Step, ...]:
    op = given.get("op", "")
    method = given.get("method", "")
    if op == "experience":
        if method not in keys.EXPERIENCE:
            reading.note(
                "RM104",
                "step",
                index,
                "method",
                key="method",
                value=method,
                choices=", ".join(keys.EXPERIENCE),
                nearest=nearest(str(method), keys.EXPERIENCE),
            )
            return ()
        own = {"method": keys.Key("text", True), **keys.EXPERIENCE[method]}
    elif op in keys.OPERATIONS:
        own = dict(keys.OPERATIONS[op])
    else:
        known = (*keys.OPERATIONS, "experience")
        reading.note(
            "RM104", "step", index, "op", key="op", value=op, choices=", ".join(known), nearest=nearest(str(op), known)
        )
        return ()
    taken = reading.take(given, {**keys.STEP, **own}, "step", index)
    if any(key.required and name not in taken for name, key in own.items()):
        return ()
    taken["line"] = line_of(reading.lines, "step", index) or 0
    if op == "experience":
        operands = {name: taken.pop(name) for name in keys.EXPERIENCE[method]}
        taken.pop("method")
        return expand_experience(Step(**taken), method, operands)
    if op in ("round", "power"):
        taken["quantum"] = taken.pop("unit")
    if op in ("rollup", "share_out"):
        taken["group"] = taken.pop("by")
    if "of" in taken and not isinstance(taken["of"], tuple):
        taken["of"] = (taken["of"],)
    return (Step(**taken),)


def _tables(
    reading: Reading, folder: Path, shown: str, columns: Mapping[str, Column], steps: tuple[Step, ...]
) -> dict[str, Table]:
    declared = dict(_named(reading, "table", keys.TABLE))
    files = {path.stem: f"tables/{path.name}" for path in sorted((folder / "tables").glob("*.csv"))}
    for name, taken in declared.items():
        files[name] = taken.get("file", f"tables/{name}.csv")
    axis_names: dict[str, dict[str, str]] = {}
    coded: dict[str, dict[str, list[str]]] = {}
    for step in steps:
        if step.table:
            axis_names.setdefault(step.table, {}).update(dict(step.by))
        if step.op == "classify":
            levels = coded.setdefault(step.table, {}).setdefault(step.column, [])
            levels += [level.code for level in step.levels if level.code not in levels]
    tables = {}
    for name, file in files.items():
        taken = declared.get(name, {})
        axes, value_names, rows = read_rows(
            folder / file,
            f"{shown}/{file}",
            taken.get("values", ()),
            columns,
            axis_names.get(name, {}),
            frozenset(step.name for step in steps if step.op != "classify"),
            reading.problems,
            coded.get(name, {}),
        )
        tables[name] = Table(
            name,
            axes,
            value_names,
            rows,
            taken.get("unit"),
            taken.get("label_en", ""),
            taken.get("label_zh", ""),
            taken.get("min"),
            taken.get("max"),
            f"{shown}/{file}",
            tuple((column, tuple(codes)) for column, codes in coded.get(name, {}).items()),
        )
    return tables


def _classified(step: Step, tables: Mapping[str, Table]) -> Step:
    """Return a `classify` step with its levels, those of its table where it states none."""
    if step.op != "classify" or step.table not in tables:
        return step
    codes = tables[step.table].codes(step.column)
    said = {level.code: level for level in step.levels}
    levels = tuple(said.get(code, Level(code)) for code in codes)
    other = step.otherwise
    return replace(step, levels=levels, otherwise=Decimal(codes.index(other)) if other in codes else other)


def _cases(folder: Path, shown: str, problems: list[Problem]) -> tuple[Case, ...]:
    cases = []
    for path in sorted((folder / "cases").glob("*.toml")):
        name = f"{shown}/cases/{path.name}"
        try:
            reading = read_toml(path, name)
        except PlanError as error:
            problems.extend(error.problems)
            continue
        for index, given in enumerate(reading.data.get("case", ())):
            own = {key: value for key, value in given.items() if key not in ("inputs", "expect")}
            taken = reading.take(own, keys.CASE, "case", index)
            for part in ("inputs", "expect"):
                if not isinstance(given.get(part), Mapping):
                    reading.note("RM102", "case", index, key=part, section="case")
            expect = {key: str(value) for key, value in dict(given.get("expect", {})).items()}
            cases.append(
                Case(
                    taken.get("name", ""),
                    taken.get("source", ""),
                    MappingProxyType(dict(given.get("inputs", {}))),
                    MappingProxyType(expect),
                    name,
                    line_of(reading.lines, "case", index) or 0,
                )
            )
        problems.extend(reading.problems)
    return tuple(cases)


__all__ = ["NOTHING", "read_plan", "read_toml"]
