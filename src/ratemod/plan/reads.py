"""What steps, conditions and legal ranges read: the names behind a value."""

from __future__ import annotations

from collections.abc import Iterator

from ratemod.plan.model import NOTHING, Condition, Plan, Step, Test


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
    """Yield every name of a column, constant or step that a step reads."""
    for operand in (*step.of, step.low, step.high, step.exponent, step.otherwise):
        if isinstance(operand, str) and operand != NOTHING:
            yield operand
    for name in (step.against, step.chosen, step.reason, step.group, step.weights):
        if name:
            yield name
    for _, name in step.by:
        yield name
    if step.when is not None:
        yield from names_in_condition(step.when)


def names_in_condition(condition: Condition) -> Iterator[str]:
    """Yield every name a condition reads."""
    for test in tests_of(condition):
        yield test.of
        for operand in (test.at_least, test.above, test.at_most, test.below):
            if isinstance(operand, str):
                yield operand
