"""What can be known of every column and step before any row is seen.

For each name: the interval its exact value lies in, how many decimal places it can have, and how far its float64
value can be from the exact one. The check uses the intervals to prove legal ranges; the fast path uses all three to
know when a float decides a comparison or a rounding surely, and when the exact path must decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from math import inf

from ratemod.plan.interval import DATES, UNIT, Range, exactly, extreme_range, operand_range, settled
from ratemod.plan.model import Plan, Step
from ratemod.plan.operand import NOTHING


def ranges(plan: Plan) -> Mapping[str, Range]:
    """Return the range of every column, constant and step of a plan (steps in order)."""
    known: dict[str, Range] = {}
    for name, column in plan.columns.items():
        if column.kind == "number":
            low = -inf if column.low is None else Fraction(column.low)
            high = inf if column.high is None else Fraction(column.high)
            known[name] = Range(low, high, column.decimals, raw=True)
        elif column.kind == "date":
            known[name] = Range(*DATES, 0, rel=0.0, raw=True)
    for name, constant in plan.constants.items():
        known[name] = exactly(constant.value)
    for step in plan.steps:
        known[step.name] = step_range(step, plan, known)
    return known


def range_where(plan: Plan, known: Mapping[str, Range], name: str, held: Range, of: str) -> Range | None:
    """Return the range of `of` in rows where step `name` lies in a narrower range; None if no decimals are won."""
    found, won = {**known, name: held}, {name}
    if held.places is None:
        return None
    names, reads = plan.step_names, plan.graph().reads
    for step in plan.steps[names.index(name) + 1 : names.index(of) + 1]:
        if not won.isdisjoint(reads[step.name]):
            narrower = step_range(step, plan, found)
            if narrower.places is not None:  # what is no decimal is known no better than before
                found[step.name] = narrower
                won.add(step.name)
    return found[of] if of in won else None


def step_range(step: Step, plan: Plan, known: Mapping[str, Range]) -> Range:
    """Return the range of one step from the ranges before it."""
    found = settled(step.operation.range(plan, known))
    if snap_places(step, plan, known) is not None:
        found = replace(found, rel=UNIT, abs=0.0, raw=True)
    if step.when is None or step.other is None or step.other == NOTHING:
        return found
    return extreme_range([found, operand_range(step.other, known)])


def snap_places(step: Step, plan: Plan, known: Mapping[str, Range]) -> int | None:
    """Return the places to which the fast path rounds a sum that may cancel, so that no error is left; None if not.

    They are those of the sum itself, whatever the step takes where its condition does not hold.
    """
    if not step.operation.cancels:
        return None
    found = settled(step.operation.range(plan, known))
    return found.places if found.abs > 0 and found.on_grid else None
