"""What steps, conditions and legal ranges read: the names behind a value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from ratemod.errors import text
from ratemod.plan.model import Axis, Condition, Plan, Step, Test
from ratemod.plan.operand import NOTHING, Day, Operand


def tests_of(condition: Condition) -> Iterator[Test]:
    """Yield every single test inside a condition."""
    if isinstance(condition, Test):
        yield condition
    else:
        for part in condition.parts:
            yield from tests_of(part)


def conditions_of(plan: Plan) -> Iterator[Condition]:
    """Yield every condition of a plan: of its steps, rules and legal exceptions."""
    yield from (step.when for step in plan.steps if step.when is not None)
    yield from (rule.when for rule in plan.rules)
    yield from (item.exception.when for item in plan.legal if item.exception is not None)


def names_in(step: Step) -> Iterator[str]:
    """Yield every name of a column, constant or step that a step itself names."""
    yield from step.operation.reads()
    if isinstance(step.otherwise, str) and step.otherwise != NOTHING:
        yield step.otherwise
    if step.when is not None:
        yield from names_in_condition(step.when)


def axes_read(plan: Plan, step: Step) -> list[tuple[Axis, str]]:
    """Return each axis of the table that a step reads, and the column, constant or step that it is read from."""
    table = plan.tables.get(step.operation.table)
    stated = dict(step.operation.by)
    return [] if table is None else [(axis, stated.get(axis.name, axis.name)) for axis in table.axes]


def kind_of(operand: Operand, plan: Plan) -> str | None:
    """Return what kind of value an operand is: number, date, level, flag or text; None for an unknown name."""
    if isinstance(operand, Decimal):
        return "date" if isinstance(operand, Day) else "number"
    if operand in plan.columns:
        return plan.columns[operand].kind
    if operand in plan.constants:
        return kind_of(plan.constants[operand].value, plan)
    return next((step.operation.gives for step in plan.steps if step.name == operand), None)


def kinds_in_words(**named: Sequence[str]) -> dict[str, str]:
    """Return kinds of values in words, for a message in both languages: ``kind`` and ``kind_zh``."""
    found: dict[str, str] = {}
    for name, kinds in named.items():
        found[name] = " / ".join(text(f"UI_kind_{kind}", "en") for kind in kinds)
        found[f"{name}_zh"] = " / ".join(text(f"UI_kind_{kind}", "zh") for kind in kinds)
    return found


def names_in_condition(condition: Condition) -> Iterator[str]:
    """Yield every name a condition reads."""
    for test in tests_of(condition):
        yield test.of
        yield from (end for end in test.compared.values() if isinstance(end, str))
