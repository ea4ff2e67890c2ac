"""Read a plan folder into a `Plan`, collecting every problem on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ratemod.errors import PlanError, Problem, nearest, once, problem
from ratemod.plan import keys, repeat
from ratemod.plan.csv_table import read_rows
from ratemod.plan.expand import Pinned, expand_choice, expand_experience, expand_pinned
from ratemod.plan.level_file import levels_from
from ratemod.plan.model import (
    Case,
    Check,
    Combination,
    Constant,
    Legal,
    LegalException,
    Plan,
    Rule,
    Source,
    Step,
    Table,
    Test,
)
from ratemod.plan.op.dates import Term
from ratemod.plan.op.level import FirstLevel, OneLevel
from ratemod.plan.op.look_up import Classify
from ratemod.plan.op.registry import OPERATIONS
from ratemod.plan.operand import NOTHING, Day
from ratemod.plan.reads import kinds_in_words
from ratemod.plan.repeat import Values, repeated
from ratemod.rules.lines import Place
from ratemod.rules.number import exact_number
from ratemod.rules.printed import is_printed, printed_number
from ratemod.rules.read import NOTHING as UNFIT
from ratemod.rules.read import TomlFile, read_toml
from ratemod.rules.shape import Key, Keys, Kinds, list_of, table_of
from ratemod.vocabulary.column import FLAG_LEVELS, Column, Level
from ratemod.vocabulary.currency import YUAN, Currency
from ratemod.vocabulary.measure import Measure
from ratemod.vocabulary.table import column as word_column

SECTIONS = ("plan", "money", "unit", "list", "source", "constant", "column", "table", "step", "rule", "check", "legal")


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")  # no name is written so
_BRACED = re.compile(r"\{(\w+)\}")


def _value(file: TomlFile, value: Any, place: Place) -> Any:
    """Return an exact number, or a day; what is printed with a sign as it is, for its unit says what it comes to."""
    if isinstance(value, str) and is_printed(value):
        return value
    day = isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value))
    return _operand(file, value, place) if day else file.fit(value, Decimal, *place)


def _constant(name: str, value: Decimal | str, unit: str | None = None, **given: Any) -> Constant:
    return Constant(name, printed_number(value, unit) if isinstance(value, str) else value, unit=unit, **given)


def _unit(file: TomlFile, value: Any, place: Place) -> Any:
    """Return a unit; the plan's own money goes by the name of the first."""
    return "yuan" if value == "money" else file.fit(value, str, *place)


def _operand(file: TomlFile, value: Any, place: Place) -> Any:
    """Return a name or an exact number; a day as its number."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        found = file.fit(value, date, *place)
        return found if found is UNFIT else Day.of(found)
    if isinstance(value, str):
        try:
            return exact_number(value)
        except ValueError:
            return value
        except OverflowError:
            pass
    if isinstance(value, date):
        found = file.fit(value, date, *place)
        return found if found is UNFIT else Day.of(found)
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        return file.fit(value, Decimal, *place)
    return file.unfit(value, "operand", *place)


def _operands(file: TomlFile, value: Any, place: Place) -> Any:
    return file.fit(value if isinstance(value, list) else [value], list_of(_operand), *place)


def _names(file: TomlFile, value: Any, place: Place) -> Any:
    found = file.fit(value, table_of(_name_or_value), *place)
    return found if found is UNFIT else tuple(found.items())


def _name_or_value(file: TomlFile, value: Any, place: Place) -> Any:
    """Return what an axis is read from: a name, a number, a day, or a level written ``{ is = "fire" }``."""
    if not isinstance(value, Mapping):
        return _operand(file, value, place)
    code = file.fit(value.get("is"), str, *place) if list(value) == ["is"] else file.unfit(value, "operand", *place)
    return code if code is UNFIT else Pinned(code)


def _cases_of_choice(file: TomlFile, value: Any, place: Place) -> Any:
    return file.fit(value, list_of(_case_of_choice), *place)


def _case_of_choice(file: TomlFile, value: Any, place: Place) -> Any:
    return file.record(lambda when, then: (when, then), value, keys.CASE_OF_CHOICE, *place) or UNFIT


def _levels(file: TomlFile, value: Any, place: Place) -> Any:
    return file.fit([value] if isinstance(value, str) else value, list_of(_level), *place)


def _level(file: TomlFile, value: Any, place: Place) -> Any:
    return file.record(Level, {"code": value} if isinstance(value, str) else value, keys.LEVEL, *place) or UNFIT


def _exception(file: TomlFile, value: Any, place: Place) -> Any:
    return file.record(LegalException, value, keys.EXCEPTION, *place) or UNFIT


FIELDS = {"is": "is_", "from": "first", "to": "last"}  # words that Python keeps to itself


def _condition(file: TomlFile, given: Any, place: Place) -> Any:
    """Return a condition: a test, or several that must hold together."""
    if not isinstance(given, Mapping):
        return file.unfit(given, "condition", *place)
    for how in ("all", "any", "none"):
        if how in given:
            if len(given) > 1:
                file.note("RM105", *place, key=how)
            parts = file.value(given[how], Key(list_of(_condition), filled=True), *place, how)
            return UNFIT if parts is UNFIT else Combination(how, parts)
    before = len(file.problems)
    taken = file.take(given, keys.TEST, *place)
    if len(file.problems) > before:
        return UNFIT
    if len(taken) < 2:
        file.note("RM106", *place)
        return UNFIT
    if "equals" in taken:
        if {"at_least", "at_most"} & set(taken):
            file.note("RM105", *place, "equals", key="equals")
            return UNFIT
        taken["at_least"] = taken["at_most"] = taken.pop("equals")
    return Test(**{FIELDS.get(name, name): value for name, value in taken.items()})


def _cell(file: TomlFile, value: Any, place: Place) -> Any:
    """Return a value of a worked case, as a cell of a list holds it."""
    if isinstance(value, Mapping | list):
        return file.unfit(value, "operand", *place)
    return value


def _sizes(file: TomlFile, value: Any, place: Place) -> Any:
    found = file.fit(value, Mapping[str, Decimal], *place)
    for word, size in () if found is UNFIT else found.items():
        if size <= 0:
            file.note("RM021", *place, word, key=word, value=size, bounds="> 0")
    return found if found is UNFIT else tuple(found.items())


@dataclass(frozen=True, slots=True)
class Allowed:
    """The units that a plan has beside those that everybody has."""

    units: tuple[str, ...]

    def of(self, allowed: Keys) -> dict[str, Key]:
        """Return keys that take the plan's own units too."""
        return {
            name: replace(key, choices=(*key.choices, *self.units)) if key.kind == "unit" else key
            for name, key in allowed.items()
        }


KINDS: Kinds = MappingProxyType(
    {
        "text": lambda file, value, place: file.fit(value, str, *place),
        "unit": _unit,
        "flag": lambda file, value, place: file.fit(value, bool, *place),
        "integer": lambda file, value, place: file.fit(value, int, *place),
        "date": lambda file, value, place: file.fit(value, date, *place),
        "number": lambda file, value, place: file.fit(value, Decimal, *place),
        "texts": lambda file, value, place: file.fit(value, tuple[str, ...], *place),
        "value": _value,
        "name": lambda file, value, place: file.fit(value, str, *place),
        "operand": _operand,
        "operands": _operands,
        "names": _names,
        "cases": _cases_of_choice,
        "sizes": _sizes,
        "condition": _condition,
        "levels": _levels,
        "exception": _exception,
        "cells": lambda file, value, place: file.fit(value, table_of(_cell), *place),
        "lines": lambda file, value, place: file.fit(value, list_of(table_of(_cell)), *place),
    }
)


def read_plan(folder: Path, shown: str = "") -> tuple[Plan, list[Problem]]:
    """Read a plan folder.

    Parameters
    ----------
    folder : Path
        Holds ``plan.toml``.
    shown : str
        How the folder is called in messages; default its path.

    Returns
    -------
    plan : Plan
        As far as it could be read: what is faulty in itself is left out. To be used only where nothing was found.
    problems : list of Problem
        What the files say wrongly in themselves; `ratemod.plan.check` adds what does not fit together.

    Raises
    ------
    PlanError
        RM100 when there is no plan.toml; those of `read_toml` when it cannot be opened or is no TOML.
    """
    shown = shown or str(folder)
    if not (folder / "plan.toml").exists():
        raise PlanError(problem("RM100", file=f"{shown}/plan.toml"))
    file = read_toml(folder / "plan.toml", f"{shown}/plan.toml", KINDS, folder.parent)
    file.sections(SECTIONS)
    units = _records(file, "unit", _measure, keys.MEASURE)
    known = Allowed(tuple(file.named("unit")))
    sources = _records(file, "source", Source, keys.SOURCE)
    constants = _records(file, "constant", _constant, known.of(keys.CONSTANT))
    column = partial(_column, file=file, folder=folder, units=units)
    columns = _records(file, "column", column, known.of(keys.COLUMN), known.of(keys.COLUMN_FROM))
    lists = _records(file, "list", _list, keys.LIST)
    given_steps = repeated(file.tables("step"), lists)
    steps = tuple(step for index, given in given_steps for step in _steps(file, given, index, known, lists))
    tables = _tables(file, folder, shown, columns, constants, steps, known)
    money = _money(file)
    columns = {name: replace(one, money=money) for name, one in columns.items()}
    return Plan(
        **_identity(file, folder, steps),
        sources=MappingProxyType(sources),
        columns=MappingProxyType(_covered(columns, steps)),
        constants=MappingProxyType(constants),
        tables=MappingProxyType(tables),
        steps=_pinned(file, tuple(_classified(step, tables) for step in steps), tables, columns),
        rules=file.records(Rule, "rule", keys.RULE),
        checks=file.records(Check, "check", keys.CHECK),
        legal=file.records(Legal, "legal", keys.LEGAL),
        cases=_cases(folder, shown, file.problems),
        folder=str(folder),
        money=money,
        units=MappingProxyType(units),
    ), list(once(file.problems))


def _covered(columns: Mapping[str, Column], steps: Sequence[Step]) -> dict[str, Column]:
    """Return the columns; the days that steps count to know whether the count takes them in."""
    last: dict[str, bool] = {}
    for term in (step.operation for step in steps if isinstance(step.operation, Term)):
        for name in map(str, term.of[1:]):
            last[name] = term.inclusive and last.get(name, True)
    return {
        name: replace(column, covered=last[name]) if column.kind == "date" and name in last else column
        for name, column in columns.items()
    }


def _identity(file: TomlFile, folder: Path, steps: tuple[Step, ...]) -> dict[str, Any]:
    """Return what a plan says of itself; where that cannot be read, what lets the rest of the file be checked."""
    taken = file.take(file.data.get("plan", {}), keys.PLAN, "plan")
    stand_in = {
        "scheme": folder.parent.name,
        "edition": folder.name,
        "title_en": "",
        "title_zh": "",
        "standing": "",
        "status": "",
        "new_from": date.min,
        "until": None,
        "key": None,
        "premium": steps[-1].name if steps else "",
        "fund": None,
        "warning_en": "",
        "warning_zh": "",
    }
    said = {**stand_in, **taken}
    return {"renewal_from": said["new_from"], **said}


def _money(file: TomlFile) -> Currency:
    """Return the plan's money: yuan where it says nothing."""
    return (file.record(Currency, file.data["money"], keys.MONEY, "money") if "money" in file.data else None) or YUAN


def _records(file: TomlFile, section: str, shape: Any, allowed: Keys, of_word: Keys | None = None) -> dict[str, Any]:
    """Return the tables ``[section.X]`` that are in order, by X; those that are a word have keys of their own."""
    found = {}
    for name, given in file.named(section).items():
        taken = of_word if of_word is not None and isinstance(given, Mapping) and "from" in given else allowed
        made = file.record(partial(shape, name), given, taken, section, name)
        if made is not None:
            found[name] = made
    return found


def _measure(name: str, **given: Any) -> Measure:
    """Return a unit; none of its words is its own name."""
    made = Measure(name, **given)
    own = {said.casefold() for said in (name, made.label_en, made.label_zh)}
    for word, _ in made.words:
        if word.casefold() in own:
            raise PlanError(problem("RM927", name=word, section=f"[unit.{name}]"))
    return made


def _list(name: str, values: tuple[str, ...], **labels: tuple[str, ...]) -> Values:
    """Return a list; its values differ, and where it has labels each has its own."""
    twice = next((value for value in values if values.count(value) > 1), None)
    if twice is not None:
        raise PlanError(problem("RM927", name=twice, section=f"[list.{name}]"))
    for key, given in labels.items():
        if len(given) != len(values):
            raise PlanError(problem("RM924", name=name, key=key, found=len(given), wanted=len(values)))
    return Values(name, values, **labels)


OF_KIND = {  # which kinds of column each of these keys says something of
    **dict.fromkeys(("unit", "decimals", "min", "max"), ("number",)),
    **dict.fromkeys(("levels", "levels_file", "only"), ("level", "flag")),
}


def _column(name: str, file: TomlFile, folder: Path, units: Mapping[str, Measure], **given: Any) -> Column:
    given["measure"] = units.get(given.get("unit", ""))
    renamed = {{"min": "low", "max": "high"}.get(key, key): value for key, value in given.items()}
    word, only, levels = renamed.pop("from", None), renamed.pop("only", None), renamed.pop("levels_file", None)
    kind = renamed.get("kind") or word_column(word, name).kind
    idle = next((key for key in given if key in OF_KIND and kind not in OF_KIND[key]), None)
    if idle is not None:
        words: dict[str, Any] = kinds_in_words(kind=(kind,), wanted=OF_KIND[idle])
        raise PlanError(problem("RM925", name=name, key=idle, **words))
    if levels is not None:
        if "levels" in renamed:
            raise PlanError(problem("RM431", name=name))
        shown = f"{file.shown.rpartition('/')[0]}/{levels}"
        renamed["levels"] = levels_from(folder / levels, shown, folder.parent)
    if word is None:
        if renamed["kind"] == "flag":
            renamed["levels"] = FLAG_LEVELS
        return Column(name, **renamed)
    base = word_column(word, name)
    if "aliases" in renamed:  # its own beside those that everybody uses
        renamed["aliases"] = tuple(dict.fromkeys((*base.aliases, *renamed["aliases"])))
    if only is not None:
        unknown = [code for code in only if code not in base.codes()]
        if unknown:
            near, known = nearest(unknown[0], base.codes()), ", ".join(base.codes())
            raise PlanError(problem("RM104", key="only", value=unknown[0], choices=known, nearest=near))
        renamed["levels"] = tuple(level for level in base.levels if level.code in only)
    return replace(base, **{"source": None, **renamed})


def _steps(file: TomlFile, given: Any, index: int, known: Allowed, lists: Collection[str] = ()) -> tuple[Step, ...]:
    if not isinstance(given, Mapping):
        file.unfit(given, "table", "step", index)
        return ()
    op, method = (file.fit(given.get(name, ""), str, "step", index, name) for name in ("op", "method"))
    if UNFIT in (op, method):
        return ()
    if "op" not in given:
        file.take({}, {"op": keys.STEP["op"]}, "step", index)
        return ()
    if op == "experience":
        if method not in keys.EXPERIENCE:
            file.note(
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
        own = {"method": Key("text", True), **keys.EXPERIENCE[method]}
    elif op == "choose":
        own = dict(keys.CHOICE)
    elif op in keys.OPERATIONS:
        own = dict(keys.OPERATIONS[op])
    else:
        all_ = (*keys.OPERATIONS, "experience", "choose")
        file.note(
            "RM104", "step", index, "op", key="op", value=op, choices=", ".join(all_), nearest=nearest(str(op), all_)
        )
        return ()
    before = len(file.problems)
    for name in _braced(given):
        code = "RM997" if name in lists else "RM434"
        file.note(code, "step", index, name=name, nearest=None if name in lists else nearest(name, lists))
    taken = file.take(given, {**known.of(keys.STEP), **own}, "step", index)
    if len(file.problems) > before:
        return ()
    operands = {name: taken.pop(name) for name in own if name in taken}
    taken.pop("op")
    for name in taken.pop("over", ()):  # a list that there is has been repeated over; one that is faulty is told
        if name not in file.named("list"):
            file.note("RM434", "step", index, "over", name=name, nearest=nearest(name, lists))
        return ()
    taken["line"] = file.line("step", index) or 0
    if op == "experience":
        return expand_experience(method, operands, **taken)
    if op == "choose":
        return _choice(file, index, operands["cases"], taken)
    pinned: tuple[Step, ...] = ()
    if "by" in operands and own["by"].kind == "names":
        pinned, operands["by"] = expand_pinned(operands["by"], taken["name"], taken["line"], taken.get("source", ""))
    return (*pinned, Step(operation=OPERATIONS[op].made(operands), **taken))


def _braced(step: Mapping[str, Any]) -> list[str]:
    """Return the names in braces that a repeated step still has: of lists that it is not over, or of no list."""
    over = step.get("over", ())  # of a list that there is not; told as that
    said = {key: value for key, value in step.items() if key not in (*repeat.LABELS, "note", "source")}
    return [] if over else list(dict.fromkeys(_BRACED.findall(json.dumps(said, default=str, ensure_ascii=False))))


def _choice(file: TomlFile, index: int, cases: Any, taken: dict[str, Any]) -> tuple[Step, ...]:
    """Return the steps of an else-if chain, which says what stands where none of its cases holds."""
    if "when" in taken or "otherwise" not in taken or not cases:
        file.note("RM436", "step", index, step=taken["name"])
        return ()
    return expand_choice(cases, **taken)


def _tables(
    file: TomlFile,
    folder: Path,
    shown: str,
    columns: Mapping[str, Column],
    constants: Mapping[str, Constant],
    steps: tuple[Step, ...],
    known: Allowed,
) -> dict[str, Table]:
    declared = _records(file, "table", lambda name, **taken: taken, known.of(keys.TABLE))
    places = {path.stem: f"tables/{path.name}" for path in sorted((folder / "tables").glob("*.csv"))}
    for name, taken in declared.items():
        places[name] = taken.get("file", f"tables/{name}.csv")
    axis_names: dict[str, dict[str, str]] = {}
    levels_of_their_own = {step.name for step in steps if isinstance(step.operation, OneLevel)}
    coded: dict[str, dict[str, dict[str, int]]] = {}
    for step in steps:
        operation = step.operation
        if operation.table:
            own = {axis: name for axis, name in operation.by if name not in levels_of_their_own}
            axis_names.setdefault(operation.table, {}).update(own)
        if isinstance(operation, Classify):
            levels = coded.setdefault(operation.table, {}).setdefault(operation.column, {})
            for level in operation.levels:
                levels.setdefault(level.code, len(levels))
    kinds = {name: "date" if isinstance(constant.value, Day) else "number" for name, constant in constants.items()}
    kinds |= {step.name: step.operation.gives for step in steps}
    tables = {}
    for name, place in places.items():
        taken = declared.get(name, {})
        axes, value_names, rows = read_rows(
            folder / place,
            f"{shown}/{place}",
            taken.get("values", ()),
            columns,
            axis_names.get(name, {}),
            kinds,
            file.problems,
            coded.get(name, {}),
            within=folder.parent,
            unit=taken.get("unit"),
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
            f"{shown}/{place}",
            tuple((column, tuple(codes)) for column, codes in coded.get(name, {}).items()),
        )
    return tables


def _classified(step: Step, tables: Mapping[str, Table]) -> Step:
    """Return a `classify` step with its levels, those of its table where it states none."""
    operation = step.operation
    if not isinstance(operation, Classify) or operation.table not in tables:
        return step
    codes = tables[operation.table].codes(operation.column)
    said = {level.code: level for level in operation.levels}
    return replace(step, operation=replace(operation, levels=tuple(said.get(code, Level(code)) for code in codes)))


def _pinned(
    file: TomlFile, steps: Sequence[Step], tables: Mapping[str, Table], columns: Mapping[str, Column]
) -> tuple[Step, ...]:
    """Return the steps, those that give a level with its levels: of the axis asked by it, of what it is taken from."""
    asked: dict[str, tuple[str, list[str]]] = {}
    for step in steps:
        table = tables.get(step.operation.table)
        for axis, name in () if table is None else step.operation.by:
            assert table is not None
            at = next((at for at, item in enumerate(table.axes) if item.name == axis), None)
            keys_of = [] if at is None else [key for row in table.rows if isinstance(key := row.keys[at], str)]
            asked[name] = axis, list(dict.fromkeys(keys_of))
    found: list[Step] = []
    levels: dict[str, tuple[Level, ...]] = dict.fromkeys((*file.named("constant"), *(step.name for step in steps)), ())
    levels |= {name: tuple(column.levels) for name, column in columns.items()}
    for step in steps:
        operation = step.operation
        if operation.levels_of and not operation.levels:
            step = replace(step, operation=operation.changed(levels=levels.get(operation.levels_of, ())))
        if isinstance(operation, OneLevel) and not operation.levels:
            axis, codes = asked.get(step.name, (step.name, [operation.code]))
            if codes and operation.code not in codes:
                told = problem("RM130", column=axis, value=operation.code, nearest=nearest(operation.code, codes))
                file.problems.append(replace(told, file=file.shown, row=step.line))
            step = replace(step, operation=replace(operation, levels=tuple(map(Level, codes or [operation.code]))))
        levels[step.name] = step.operation.levels
        found += _with_other_level(file, step, levels)
    return tuple(found)


def _with_other_level(file: TomlFile, step: Step, known: Mapping[str, Sequence[Level]]) -> tuple[Step, ...]:
    """Return a step that gives a level; what it is otherwise goes before it, as a step of the same levels.

    So a level that `otherwise` states, and one that stands elsewhere in another order, count in the step's own order.

    Parameters
    ----------
    known : the levels of every column, constant and step, of most none
    """
    own, other = step.operation.levels, step.otherwise
    if not own or not isinstance(other, str) or other == NOTHING:
        return (step,)
    codes = [level.code for level in own]
    if other not in codes and other in known and not known[other]:  # of another kind, which the check tells
        return (step,)
    if other not in codes and other not in known:
        told = problem("RM130", column=step.name, value=other, nearest=nearest(other, [*codes, *known]))
        file.problems.append(replace(told, file=file.shown, row=step.line))
    named = other not in codes and other in known
    operation = FirstLevel(of=(other,), levels=own) if named else OneLevel(code=other, levels=own)
    full, labels = f"{step.name}.otherwise", (step.label_en or step.name, step.label_zh or step.name)
    before = Step(full, operation, label_en=f"{labels[0]}, otherwise", label_zh=f"{labels[1]}（否则）", line=step.line)
    return before, replace(step, otherwise=full)


def _cases(folder: Path, shown: str, problems: list[Problem]) -> tuple[Case, ...]:
    cases: list[Case] = []
    for path in sorted((folder / "cases").glob("*.toml")):
        name = f"{shown}/cases/{path.name}"
        try:
            file = read_toml(path, name, KINDS, folder.parent)
        except PlanError as error:
            problems.extend(error.problems)
            continue
        file.sections(("case",))
        for index, given in enumerate(file.tables("case")):
            if isinstance(given, Mapping) and ("inputs" in given) == ("lines" in given):
                file.note("RM920", "case", index, one="inputs", other="lines")
            made = file.record(_case, given, keys.CASE, "case", index, file=name, line=file.line("case", index) or 0)
            cases += [] if made is None else [made]
        problems.extend(file.problems)
    return tuple(cases)


def _case(
    expect: Mapping[str, Any],
    expect_lines: Sequence[Mapping[str, Any]] = (),
    expect_total: Mapping[str, Any] = MappingProxyType({}),
    **given: Any,
) -> Case:
    lines, total = tuple(map(_expected, expect_lines)), _expected(expect_total)
    if not any((expect, total, *lines)):
        raise PlanError(problem("RM023", key="expect"))
    return Case(expect=_expected(expect), expect_lines=lines, expect_total=total, **given)


def _expected(values: Mapping[str, Any]) -> Mapping[str, str]:
    return MappingProxyType({key: str(value) for key, value in values.items()})


__all__ = ["read_plan", "read_toml"]
