"""A premium as it stands after each thing that moved it: what a waterfall draws.

The way back from the premium is followed through steps that carry an amount on: rounding, bounds, caps, sums, products.
A product moves the amount factor by factor, and a bounded float is taken apart into its own factors and what its bound
took back. So the last level is the premium, and each level differs from the one before by one named cause.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ratemod.errors import Lang
from ratemod.plan.model import Plan, Step
from ratemod.plan.op.arithmetic import Product
from ratemod.plan.op.limits import Bound
from ratemod.plan.op.rounding import Round
from ratemod.plan.operand import Operand
from ratemod.rules.options import strict

if TYPE_CHECKING:
    from ratemod.rating.worksheet import Worksheet

LEAST_YUAN = 0.005  # less than half a fen is no level of its own


@strict
def premium_levels(worksheet: Worksheet, lang: Lang) -> tuple[list[str], list[float]]:
    """Return what moved a premium, and the premium after each, in yuan.

    Parameters
    ----------
    worksheet : Worksheet
        Of a policy that has a premium.

    Returns
    -------
    (labels, levels) : (k,) texts, (k,) float, yuan; the first is where it starts, the last is the premium

    Examples
    --------
    >>> import ratemod as rm
    >>> rated = rm.rate(rm.synthesize(enterprises=200, years=2, seed=1).renewals, "jilin-spli/2025-04", lang="en")
    >>> labels, levels = premium_levels(rated.explain(0), "en")
    >>> labels[0], round(levels[-1] * 100) == int(rated.outputs.premium_fen[0])
    ('Base premium, a year', True)
    """
    plan = worksheet.plan
    values = {line.name: float(line.value) for line in worksheet.lines if line.value is not None}
    labels: list[str] = []
    levels: list[float] = []
    for name, level in _levels(plan, plan.premium, values):
        if not levels or abs(level - levels[-1]) >= LEAST_YUAN:
            labels.append(plan.label(name, lang))
            levels.append(level)
    premium = values[plan.premium]
    if abs(levels[-1] - premium) >= LEAST_YUAN:
        labels.append(plan.label(plan.premium, lang))
        levels.append(premium)
    levels[-1] = premium
    return labels, levels


def _levels(plan: Plan, name: str, values: dict[str, float]) -> Iterator[tuple[str, float]]:
    """Yield names and levels up to a step that is an amount."""
    step = plan.step(name)
    operation = step.operation
    carried = [operand for operand in operation.of if _is_amount(plan, operand)]
    if operation.carries and len(carried) >= 1 and isinstance(carried[0], str) and carried[0] in values:
        yield from _levels(plan, carried[0], values)
    elif isinstance(operation, Product) and len(carried) == 1 and isinstance(carried[0], str) and carried[0] in values:
        yield from _levels(plan, carried[0], values)
        level = values[carried[0]]
        for operand in operation.of:
            if operand != carried[0]:
                for named, factor in _factors(plan, operand, values):
                    level *= factor
                    yield named, level
    yield name, values[name]


def _factors(plan: Plan, operand: Operand, values: dict[str, float]) -> Iterator[tuple[str, float]]:
    """Yield the factors that make up an operand, and last what its bound did to their product."""
    if not isinstance(operand, str) or operand not in values:
        value = plan.constants[operand].value if isinstance(operand, str) and operand in plan.constants else operand
        if not isinstance(value, str):
            yield str(operand), float(value)
        return
    step, rest = plan.step(operand), values[operand]
    inside = _product_inside(plan, step, values)
    for part in inside.operation.of if inside is not None else ():
        if isinstance(part, str) and values.get(part):
            yield part, values[part]
            rest /= values[part]
    yield operand, rest


def _product_inside(plan: Plan, step: Step, values: dict[str, float]) -> Step | None:
    """Return the product that a step is, or bounds; None where it is no product of steps."""
    operation = step.operation
    first = operation.of[0] if isinstance(operation, Bound | Round) else None
    if isinstance(first, str) and first in values:
        return _product_inside(plan, plan.step(first), values)
    named = all(isinstance(part, str) and part in values for part in operation.of)
    return step if isinstance(operation, Product) and named and len(operation.of) > 1 else None


def _is_amount(plan: Plan, operand: Operand) -> bool:
    """Return whether an operand is a step in yuan, or one that carries such a step on."""
    if not isinstance(operand, str) or operand not in plan.step_names:
        return False
    step = plan.step(operand)
    return step.unit == "yuan" or (step.operation.carries and any(_is_amount(plan, part) for part in step.operation.of))
