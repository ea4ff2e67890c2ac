"""Part of a plan: one step and only what it needs, so that past policies can be rated without what they never knew."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

from ratemod.errors import PlanError, nearest, problem
from ratemod.plan.model import Plan, Step
from ratemod.plan.reads import names_in

RESULT = "premium_of_part"


def needed(plan: Plan, step: str) -> frozenset[str]:
    """Return every column, constant and step that a step rests on, itself included.

    Raises
    ------
    PlanError
        RM188 when the plan has no such step.

    Examples
    --------
    >>> from ratemod.plan.editions import load_plan
    >>> sorted(needed(load_plan("jilin-spli/2025-04"), "headcount_scale"))
    ['headcount_scale', 'heads']
    """
    steps = {item.name: item for item in plan.steps}
    if step not in steps:
        raise PlanError(problem("RM188", name=step, nearest=nearest(step, plan.step_names)))
    found: set[str] = set()
    waiting = [step]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        if name in steps:
            waiting += [*names_in(steps[name]), *_axes(plan, steps[name])]
        elif name in plan.columns and plan.columns[name].derive:
            waiting += _derived_from(plan, name)
    return frozenset(found)


def part_of(plan: Plan, step: str) -> Plan:
    """Return a plan whose premium is one step of another, rounded to the fen, without rules, checks and fund.

    Parameters
    ----------
    plan : Plan
    step : name of the step to price

    Raises
    ------
    PlanError
        RM188 when the plan has no such step.

    Examples
    --------
    >>> from ratemod.plan.editions import load_plan
    >>> part_of(load_plan("jilin-spli/2025-04"), "base_premium").step_names[-1]
    'premium_of_part'
    """
    names = needed(plan, step)
    steps = [item for item in plan.steps if item.name in names]
    steps.append(
        Step(RESULT, "round", of=(step,), quantum=Decimal("0.01"), label_en="Premium of the part", label_zh="部分保费")
    )
    used = {item.table for item in steps if item.table}
    return replace(
        plan,
        key=None,
        premium=RESULT,
        fund=None,
        columns=MappingProxyType({name: column for name, column in plan.columns.items() if name in names}),
        tables=MappingProxyType({name: table for name, table in plan.tables.items() if name in used}),
        steps=tuple(steps),
        rules=(),
        checks=(),
        legal=(),
        cases=(),
    )


def _axes(plan: Plan, step: Step) -> list[str]:
    """Return the columns and steps that the axes of a step's table are read from."""
    if not step.table:
        return []
    bound = dict(step.by)
    return [bound.get(axis.name, axis.name) for axis in plan.tables[step.table].axes]


def _derived_from(plan: Plan, name: str) -> list[str]:
    """Return the declared columns from which a missing column may be derived."""
    from ratemod.reading.derive import NEEDS

    return [other for other in NEEDS.get(plan.columns[name].derive or "", ()) if other in plan.columns]
