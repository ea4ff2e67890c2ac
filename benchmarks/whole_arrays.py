"""A plan as plain NumPy over whole columns, as an actuary who knows NumPy would write it; floats, ties by a hair."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np

from benchmarks.peers import HAIR
from ratemod.plan.grid import grid
from ratemod.plan.model import Combination, Condition, Plan, Step, Test
from ratemod.plan.operand import NOTHING
from ratemod.rating.calendar import months_between
from ratemod.rating.inputs import Inputs

Array = Any


def numpy_rater(plan: Plan) -> Callable[[Inputs], Array]:
    """Return a function from coded columns to premium_fen, (n,) int64, 0 where refused; every step, no caching."""
    constants = {name: float(item.value) for name, item in plan.constants.items()}

    def rate(inputs: Inputs) -> Array:
        values: dict[str, Array] = {name: np.asarray(array, dtype=np.float64) for name, array in inputs.numbers.items()}

        def get(operand: str | Decimal) -> Array:
            if isinstance(operand, Decimal):
                return float(operand)
            return values[operand] if operand in values else constants[operand]

        for step in plan.steps:
            with np.errstate(divide="ignore", invalid="ignore"):
                found = _step(plan, step, get, values, inputs)
            if step.when is not None:
                other = step.other
                found = np.where(
                    _holds(plan, step.when, get, inputs), found, np.nan if other == NOTHING else get(other)
                )
            values[step.name] = found
        lost = np.isnan(values[plan.premium])
        for rule in plan.rules:
            if rule.action in ("refuse", "decline"):
                lost |= _holds(plan, rule.when, get, inputs)
        return np.where(lost, 0, np.rint(np.where(lost, 0, values[plan.premium]) * 100)).astype(np.int64)

    return rate


def _step(plan: Plan, step: Step, get: Callable[[Any], Array], values: dict[str, Array], inputs: Inputs) -> Array:
    match step.operation.op:
        case "lookup":
            return _look_up(plan, step, step.operation.column, get, inputs)
        case "judgement":
            chosen = values[step.operation.chosen]
            low, high, own = (
                _look_up(plan, step, name, get, inputs) for name in ("low", "high", step.operation.column)
            )
            fine = (chosen >= low) & (chosen <= high) & inputs.filled[step.operation.reason]
            return np.where(np.isnan(chosen), own, np.where(fine, chosen, np.nan))
        case "product":
            return _fold(np.multiply, step, get)
        case "sum":
            return _fold(np.add, step, get)
        case "difference":
            return _fold(np.subtract, step, get)
        case "largest":
            return _fold(np.maximum, step, get)
        case "ratio":
            return get(step.operation.of[0]) / get(step.operation.of[1])
        case "bound":
            return np.clip(
                get(step.operation.of[0]),
                -np.inf if step.operation.low is None else get(step.operation.low),
                np.inf if step.operation.high is None else get(step.operation.high),
            )
        case "cap":
            against = values[step.operation.against]
            value = get(step.operation.of[0])
            found = value if step.operation.low is None else np.fmax(value, get(step.operation.low) * against)
            found = found if step.operation.high is None else np.fmin(found, get(step.operation.high) * against)
            return np.where(np.isnan(value), np.nan, found)
        case "round":
            scale = 1 / float(step.operation.unit or 1)
            hair = {"half_up": 0.5 + HAIR, "down": HAIR}[step.operation.mode]
            return np.floor(get(step.operation.of[0]) * scale + hair) / scale
        case "months":
            start, end = values[step.operation.of[0]], values[step.operation.of[1]]
            days = start.astype(np.int64), end.astype(np.int64)
            return months_between(*days, step.operation.count, step.operation.inclusive).astype(float)
    raise NotImplementedError(step.operation.op)


def _fold(ufunc: Any, step: Step, get: Callable[[Any], Array]) -> Array:
    found = get(step.operation.of[0])
    for operand in step.operation.of[1:]:
        found = ufunc(found, get(operand))
    return found


def _look_up(plan: Plan, step: Step, column: str, get: Callable[[Any], Array], inputs: Inputs) -> Array:
    table = plan.tables[step.operation.table]
    found = grid(table, step.operation.by, plan.columns)
    assert found is not None
    slots = []
    for axis in found.axes:
        if axis.axis.kind == "level":
            codes = inputs.codes[axis.bound]
            slots.append(np.where(codes < 0, axis.size - 1, codes))
        else:
            value = get(axis.bound)
            at = np.searchsorted(np.array([float(mark) for mark in axis.marks]), value, side=axis.side)
            slots.append(np.where(np.isnan(value), axis.size - 1, at))
    return found.values(table.column(column))[tuple(slots)]


def _holds(plan: Plan, condition: Condition, get: Callable[[Any], Array], inputs: Inputs) -> Array:
    if isinstance(condition, Combination):
        parts = [_holds(plan, part, get, inputs) for part in condition.parts]
        found = (np.logical_and if condition.how == "all" else np.logical_or).reduce(parts)
        return ~found if condition.how == "none" else found
    return _test(plan, condition, get, inputs)


def _test(plan: Plan, test: Test, get: Callable[[Any], Array], inputs: Inputs) -> Array:
    mask = np.ones(inputs.n, dtype=bool)
    if test.is_ or test.is_not:
        codes, names = inputs.codes[test.of], plan.columns[test.of].codes()
        for levels, wanted in ((test.is_, True), (test.is_not, False)):
            if levels:
                mask &= np.isin(codes, [names.index(level) for level in levels]) == wanted
    for end, ufunc in (
        (test.at_least, np.greater_equal),
        (test.above, np.greater),
        (test.at_most, np.less_equal),
        (test.below, np.less),
    ):
        if end is not None:
            mask &= ufunc(get(test.of), get(end))
    if test.missing is not None:
        mask &= np.isnan(get(test.of)) == test.missing
    return mask
