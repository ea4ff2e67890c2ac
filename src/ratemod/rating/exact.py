"""The steps of a plan in exact arithmetic: what the premium is by definition."""

from __future__ import annotations

import numpy as np

from ratemod.plan.model import Legal, Plan, Step
from ratemod.plan.operand import NOTHING
from ratemod.rating import rational as q
from ratemod.rating.inputs import Inputs
from ratemod.rating.op.registry import READINGS
from ratemod.rating.rational import Mask, Rational
from ratemod.rating.working import Exact, Here, holds, nothing


def evaluate(plan: Plan, inputs: Inputs) -> Exact:
    """Evaluate every step exactly.

    Parameters
    ----------
    plan : Plan
    inputs : Inputs, n rows
        Use for few rows: each step costs about a microsecond a row.
    """
    state = Exact(inputs)
    for name, column in plan.columns.items():
        if name in inputs.numbers:
            state.values[name] = q.from_floats(inputs.numbers[name], column.decimals)
    for name, constant in plan.constants.items():
        state.values[name] = q.constant(constant.value, inputs.n)
    for step in plan.steps:
        found = READINGS[type(step.operation)][0](step.operation, Here(plan, step.name, state))
        if step.when is not None:
            mask = holds(step.when, plan, state)
            found = q.choose(mask, found, _otherwise(step, state))
            if step.name in state.binding:
                state.binding[step.name] = np.where(mask, state.binding[step.name], 0).astype(np.int8)
        state.values[step.name] = found
    return state


def _otherwise(step: Step, state: Exact) -> Rational:
    assert step.other is not None
    return nothing(state.inputs.n) if step.other == NOTHING else state.get(step.other)


def outside_range(item: Legal, state: Exact) -> Mask:
    """Return where a value lies outside a legal range; a missing value does not."""
    value = state.get(item.of)
    outside = np.zeros(state.inputs.n, dtype=bool)
    for end, sign in ((item.low, -1), (item.high, 1)):
        if end is not None:
            limit = state.get(end)  # without its limit a value is not known to be lawful
            outside |= (q.compare(value, limit) == sign) | (value.ok & ~limit.ok)
    return outside
