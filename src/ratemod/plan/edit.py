"""Change a plan: small overlays on a frozen plan, and the difference between two plans in words.

A path names one number: ``tables.NAME[key, key].value``, ``constants.NAME``, ``steps.NAME.low`` (or any
other of `step_numbers`). Keys stand in the table's order; a band is written ``from..below`` (an open end stays empty).
The cost is that of copying what changes, never of reading the plan again. The legal range cannot be edited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace as copy
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from ratemod.errors import PlanError, Problem, nearest, problem, text
from ratemod.plan.graph import node_of
from ratemod.plan.model import ANY, AxisKey, Band, Plan, Row, Step, Table, plain

_CELL = re.compile(r"^tables\.(?P<table>[^.\[]+)\[(?P<keys>.*)\](?:\.(?P<column>\w+))?$")


def key_text(key: AxisKey) -> str:
    """Return an axis key as it is written in a path."""
    if isinstance(key, Band):
        return f"{'' if key.low is None else plain(key.low)}..{'' if key.high is None else plain(key.high)}"
    return plain(key) if isinstance(key, Decimal) else ("*" if key is ANY else str(key))


def row_path(table: Table, row: Row, column: str = "value") -> str:
    """Return the path of one cell."""
    return f"tables.{table.name}[{', '.join(map(key_text, row.keys))}].{column}"


def replace(plan: Plan, changes: Mapping[str, Any]) -> Plan:
    """Return a new plan with some numbers changed.

    Parameters
    ----------
    plan : Plan
    changes : mapping of path to number
        Numbers as text, int or Decimal (floats are read as their shortest text).

    Raises
    ------
    PlanError
        RM180 a path that names nothing (with the nearest), RM181 not a number, RM182 outside the table's permitted
        values, RM183 the legal range, RM184 a constant that would leave its legal range, RM381 a rounding unit that is
        none. All at once.

    Examples
    --------
    >>> from ratemod.plan.editions import load_plan
    >>> plan = load_plan("work-injury")
    >>> plan.replace({"tables.no_such[1].value": "2"})
    Traceback (most recent call last):
    ...
    ratemod.errors.PlanError: ...
    """
    problems: list[Problem] = []
    tables, constants, steps = dict(plan.tables), dict(plan.constants), list(plan.steps)
    fixed = plan.graph().fixed
    done = []
    cells: dict[str, dict[tuple[int, str], Decimal]] = {}
    for path, value in changes.items():
        cell = _CELL.match(path)
        codes = _codes(tables, cell)
        number = _level(path, value, codes, problems) if codes else _number(path, value, problems)
        if number is None:
            continue
        parts = path.split(".")
        if node_of(path) in fixed:
            problems.append(problem("RM183", path=path))
        elif cell:
            _find_cell(plan, cells, path, cell, number, problems)
        elif parts[0] == "constants" and len(parts) == 2 and parts[1] in constants:
            constants[parts[1]] = copy(constants[parts[1]], value=number)
            _lawful(plan, parts[1], number, path, problems)
        elif parts[-1] == "unit" and not _whole_unit(plan, node_of(path), number):
            problems.append(problem("RM381", path=path, value=plain(number), smallest=plan.money.smallest))
        elif parts[0] == "steps" and len(parts) >= 3 and _edit_step(steps, ".".join(parts[1:-1]), parts[-1], number):
            pass
        elif parts[0] == "legal":
            problems.append(problem("RM183", path=path))
        else:
            problems.append(problem("RM180", path=path, nearest=nearest(path, paths(plan))))
        done.append((path, codes[int(number)] if codes else plain(number)))
    if problems:
        raise PlanError(problems)
    for name, numbers in cells.items():
        tables[name] = _edited(tables[name], numbers)
    overlay = tuple(sorted({**dict(plan.overlay), **dict(done)}.items()))
    return copy(
        plan,
        tables=MappingProxyType(tables),
        constants=MappingProxyType(constants),
        steps=tuple(steps),
        overlay=overlay,
    )


def paths(plan: Plan) -> Iterator[str]:
    """Yield the path of every number that `replace` can change."""
    fixed = plan.graph().fixed
    return (path for path in all_numbers(plan) if node_of(path) not in fixed)


@lru_cache(maxsize=8)
def all_numbers(plan: Plan) -> Mapping[str, Decimal | None]:
    """Return every number of a plan by its path, those that the law fixes too; None for a cell that holds none."""
    found: dict[str, Decimal | None] = {}
    for table in plan.tables.values():
        columns = [(at, name) for at, name in enumerate(table.value_names) if not table.codes(name)]
        for row in table.rows:
            found |= {row_path(table, row, name): row.values[at] for at, name in columns}
    found |= {f"constants.{name}": constant.value for name, constant in plan.constants.items()}
    for step in plan.steps:
        found |= {f"steps.{step.name}.{name}": number for name, number in step_numbers(step).items()}
    return MappingProxyType(found)


def differences(before: Plan, after: Plan, lang: str = "en") -> list[str]:
    """Return what differs between two plans, one line each, in words; empty when they price alike."""
    old, new = numbers(before), numbers(after)
    lines = []
    for path in [*old, *(path for path in new if path not in old)]:
        if path not in new:
            lines.append(text("RM185", lang, path=path, old=old[path]))  # type: ignore[arg-type]
        elif path not in old:
            lines.append(text("RM186", lang, path=path, new=new[path]))  # type: ignore[arg-type]
        elif old[path] != new[path]:
            lines.append(text("RM187", lang, path=path, old=old[path], new=new[path]))  # type: ignore[arg-type]
    return lines


def numbers(plan: Plan) -> dict[str, str]:
    """Return everything that makes a plan this plan, path by path, as text."""
    found = {
        "plan.new_from": str(plan.new_from),
        "plan.renewal_from": str(plan.renewal_from),
        "plan.until": str(plan.until or ""),
        "plan.standing": plan.standing,
    }
    for column in plan.columns.values():
        for key, value in plain(column).items():
            if key not in ("name", "label_en", "label_zh", "aliases") and value not in (None, [], False, 0, ""):
                found[f"columns.{column.name}.{key}"] = str(value)
    for name, constant in plan.constants.items():
        found[f"constants.{name}"] = plain(constant.value)
    for table in plan.tables.values():
        for row in table.rows:
            for column_name, number in zip(table.value_names, row.values):
                said = number if number is None else table.shown(column_name, number)
                found[row_path(table, row, column_name)] = str(plain(said))
    for step in plan.steps:
        skip = {"name", "label_en", "label_zh", "note", "headline", "source"}
        found |= {f"steps.{step.name}.{key}": str(value) for key, value in step.stated().items() if key not in skip}
    for section, parts in (("rule", plan.rules), ("check", plan.checks), ("legal", plan.legal)):
        for part in parts:
            found |= {
                f"{section}.{part.name}.{key}": _words(value) for key, value in plain(part).items() if key != "name"
            }
    return found


def _words(value: Any) -> str:
    """Return a condition or any other part of a plan as words, without what is not said."""
    if isinstance(value, dict):
        said = {key: _words(item) for key, item in value.items()}
        return ", ".join(f"{key.rstrip('_')} {item}" for key, item in said.items() if item)
    if isinstance(value, list):
        return " / ".join(filter(None, map(_words, value)))
    return "" if value is None else str(value)


def _codes(tables: Mapping[str, Table], cell: re.Match[str] | None) -> tuple[str, ...]:
    """Return the levels that a cell may hold, nothing for a cell that holds a number."""
    return tables[cell["table"]].codes(cell["column"] or "value") if cell and cell["table"] in tables else ()


def _level(path: str, value: Any, codes: tuple[str, ...], problems: list[Problem]) -> Decimal | None:
    if value in codes:
        return Decimal(codes.index(value))
    problems.append(problem("RM192", path=path, value=value, nearest=nearest(str(value), codes)))
    return None


def _number(path: str, value: Any, problems: list[Problem]) -> Decimal | None:
    number = exact_number(value)
    if number is None:
        problems.append(problem("RM181", path=path, value=value))
    return number


def exact_number(value: Any) -> Decimal | None:
    """Return a number, or a text that is one (per cent too), exactly; None for anything else.

    Examples
    --------
    >>> exact_number("3%"), exact_number(0.1), exact_number("much"), exact_number(True)
    (Decimal('0.03'), Decimal('0.1'), None, None)
    """
    if isinstance(value, bool):
        return None
    said = str(value).strip()
    try:
        number = Decimal(said.removesuffix("%"))
    except InvalidOperation:
        return None
    return None if not number.is_finite() else number / 100 if said.endswith("%") else number


def _find_cell(
    plan: Plan,
    cells: dict[str, dict[tuple[int, str], Decimal]],
    path: str,
    cell: re.Match[str],
    number: Decimal,
    problems: list[Problem],
) -> None:
    """Note the new number of one cell of a table: row and column."""
    table = plan.tables.get(cell["table"])
    keys = tuple(key.strip() for key in cell["keys"].split(","))
    column = cell["column"] or "value"
    at = _row_numbers(table).get(keys) if table is not None and column in table.value_names else None
    if table is None or at is None:
        problems.append(problem("RM180", path=path, nearest=nearest(path, paths(plan))))
        return
    if (table.low is not None and number < table.low) or (table.high is not None and number > table.high):
        problems.append(problem("RM182", path=path, value=number, low=table.low, high=table.high))
    cells.setdefault(table.name, {})[at, column] = number


@lru_cache(maxsize=256)
def _row_numbers(table: Table) -> Mapping[tuple[str, ...], int]:
    """Return the number of the row of every key; of rows with equal keys the first."""
    return {tuple(map(key_text, row.keys)): at for at, row in reversed(list(enumerate(table.rows)))}


def _edited(table: Table, numbers: Mapping[tuple[int, str], Decimal]) -> Table:
    rows = list(table.rows)
    for (at, column), number in numbers.items():
        row = rows[at]
        values = tuple(number if name == column else old for name, old in zip(table.value_names, row.values))
        rows[at] = copy(row, values=values)
    return copy(table, rows=tuple(rows))


def step_numbers(step: Step) -> dict[str, Decimal]:
    """Return, by key, every single number that a plan states for a step and `replace` can change."""
    found = step.operation.numbers()
    if isinstance(step.otherwise, Decimal) and step.operation.gives == "number":
        found["otherwise"] = step.otherwise
    return found


def _edit_step(steps: list[Step], name: str, key: str, number: Decimal) -> bool:
    for at, step in enumerate(steps):
        if step.name == name and key in step_numbers(step):
            own = key in step.operation.numbers()
            changed = step.operation.changed(**{key: number}) if own else step.operation
            steps[at] = copy(step, operation=changed, otherwise=step.otherwise if own else number)
            return True
    return False


def _whole_unit(plan: Plan, step: str, unit: Decimal) -> bool:
    """Whether a step can be rounded to a unit: a premium and a fund in smallest units, so that they can be held."""
    return unit > 0 and (step not in (plan.premium, plan.fund) or unit % plan.money.smallest == 0)


def _lawful(plan: Plan, name: str, number: Decimal, path: str, problems: list[Problem]) -> None:
    for item in plan.legal:
        low, high = plan.legal_ends(item)
        if item.of == name and ((low is not None and number < low) or (high is not None and number > high)):
            problems.append(problem("RM184", path=path, value=number, legal=item.name))
