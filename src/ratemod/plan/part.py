"""Part of a plan: one step and only what it needs, so that past policies can be rated without what they never knew."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from ratemod.errors import PlanError, nearest, problem
from ratemod.plan.graph import table_node
from ratemod.plan.model import Plan, Step
from ratemod.plan.op.rounding import Round

RESULT = "premium_of_part"


def part_of(plan: Plan, step: str) -> Plan:
    """Return a plan whose premium is one step of another, rounded to the smallest unit, without rules and fund.

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
    if step not in plan.step_names:
        raise PlanError(problem("RM188", name=step, nearest=nearest(step, plan.step_names)))
    names = plan.graph().upstream([step])
    rounded = Round(of=(step,), unit=plan.money.smallest)
    premium = Step(RESULT, rounded, label_en="Premium of the part", label_zh="部分保费")
    return replace(
        plan,
        key=None,
        premium=RESULT,
        fund=None,
        columns=MappingProxyType({name: column for name, column in plan.columns.items() if name in names}),
        tables=MappingProxyType({name: table for name, table in plan.tables.items() if table_node(name) in names}),
        steps=(*(item for item in plan.steps if item.name in names), premium),
        rules=(),
        checks=(),
        legal=(),
        cases=(),
    )
