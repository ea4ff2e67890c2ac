"""Why a step has no value for a row.

First what is empty; then what the operation itself says, in `WHY`, keyed by class and looked up from the class upwards,
which ends in the message that every operation names (`Operation.without`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import numpy as np

from ratemod.errors import Problem, problem
from ratemod.plan.grid import grid
from ratemod.plan.model import Plan, Step, plain
from ratemod.plan.op.arithmetic import Ratio
from ratemod.plan.op.base import Operation, TableOperation
from ratemod.plan.op.judgement import Judgement
from ratemod.plan.op.lines import Lines, ShareOut
from ratemod.plan.op.ranked import Taken
from ratemod.plan.reads import kind_of, names_in
from ratemod.rating import working
from ratemod.rating.op.judgement import permitted
from ratemod.rules.number import digits


def why(plan: Plan, step: Step, state: working.Exact, at: int) -> Problem:
    """Return why a step has no value for one row."""
    operation = step.operation
    may_lack = set(operation.may_lack())
    for name in names_in(step):
        if name not in may_lack and _empty(name, state, at):
            return _needs(plan, step, name)
    asked = (WHY[kind] for kind in type(operation).__mro__ if kind in WHY)
    return next(told for ask in asked if (told := ask(plan, step, operation, state, at)) is not None)


def _needs(plan: Plan, step: Step, name: str) -> Problem:
    """Return that a step lacks what it needs: a cell, or a step that does not apply to the row ("none" otherwise)."""
    whole = step.name.partition(".case_")[0]
    if name.startswith(f"{whole}.case_"):  # a choice, written out
        return stuck(plan, "RM973", whole)
    code = "RM972" if name in plan.step_names else "RM311"
    return stuck(plan, code, step.name, needs=name, needs_label=plan.label(name, "zh"))


def stuck(plan: Plan, code: str, step: str, **args: Any) -> Problem:
    """Return a problem of a step."""
    return problem(code, step=step, label=plan.label(step, "zh"), **args)


def _operation(plan: Plan, step: Step, operation: Operation, state: working.Exact, at: int) -> Problem:
    of = [shown(plan, name, state, at) if isinstance(name, str) else str(plain(name)) for name in operation.of]
    return stuck(plan, operation.without, step.name, value=", ".join(of))


def _divided(plan: Plan, step: Step, operation: Ratio, state: working.Exact, at: int) -> Problem | None:
    divisor = operation.of[1]
    said = divisor if isinstance(divisor, str) else str(plain(divisor))
    return stuck(plan, "RM312", step.name, needs=said, needs_label=plan.label(said, "zh"))


def _cell(plan: Plan, step: Step, operation: TableOperation, state: working.Exact, at: int) -> Problem | None:
    """Return which axis is empty, or that the cell is not offered or not there."""
    if not operation.table:
        return None
    table = plan.tables[operation.table]
    found = grid(table, operation.by, plan.level_columns)
    assert found is not None
    for axis in found.axes:
        if _empty(axis.bound, state, at):
            return stuck(plan, "RM311", step.name, needs=axis.bound, needs_label=plan.label(axis.bound, "zh"))
    chosen = state.cells.get(step.name)
    if chosen is not None and chosen[at] >= 0 and not table.rows[int(chosen[at])].offered:
        note = table.rows[int(chosen[at])].note
        return stuck(plan, "RM318", step.name, table=table.name, note=f": {note}" if note else "")
    cell = ", ".join(f"{axis.bound}={shown(plan, axis.bound, state, at)}" for axis in found.axes)
    return stuck(plan, "RM310", step.name, table=table.name, cell=cell)


def _not_chosen(plan: Plan, step: Step, operation: Judgement, state: working.Exact, at: int) -> Problem | None:
    """Return why a choice gives no value: outside its range, without a reason, or not made; None without a range."""
    ends = permitted(operation, step.name, plan, state)
    low, high = (end.fractions()[at] for end in ends)
    if low is None or high is None:
        return None
    chosen = state.values[operation.chosen].fractions()[at]
    said = {
        "chosen": operation.chosen,
        "chosen_label": plan.label(operation.chosen, "zh"),
        "reason": operation.reason,
        "reason_label": plan.label(operation.reason, "zh"),
        "low": working.plain_text(low),
        "high": working.plain_text(high),
        "value": working.plain_text(chosen),
    }
    if chosen is None:
        return stuck(plan, "RM365", step.name, **said)
    return stuck(plan, "RM366" if low <= chosen <= high else "RM313", step.name, **said)


def _rolled(plan: Plan, step: Step, operation: Lines, state: working.Exact, at: int) -> Problem | None:
    """Return that nothing says which policy the row is of, or that lines of one part differ; else None."""
    for names in operation.groups.values():
        if state.inputs.groups[names][at] < 0:
            said = {"needs": ", ".join(names), "needs_label": "、".join(plan.label(name, "zh") for name in names)}
            return stuck(plan, "RM311", step.name, **said)
    if "each" not in operation.groups:
        return None
    policy, part = (state.inputs.groups[names] for names in operation.groups.values())
    values = [state.get(of).fractions() for of in operation.of]
    for own in np.unique(part[policy == policy[at]]):
        if len({(*(value[row] for value in values),) for row in np.flatnonzero(part == own).tolist()}) > 1:
            said = {"of": str(operation.of[0]), "of_label": plan.label(str(operation.of[0]), "zh")}
            each, each_label = ([plan.label(n, lang) for n in operation.groups["each"]] for lang in ("en", "zh"))
            return stuck(plan, "RM373", step.name, each=", ".join(each), each_label="、".join(each_label), **said)
    return None


def _not_shared(plan: Plan, step: Step, operation: ShareOut, state: working.Exact, at: int) -> Problem | None:
    """Return that lines of the policy state different amounts, or that the weights divide nothing; else None."""
    told = _rolled(plan, step, operation, state, at)
    lines = np.flatnonzero(state.inputs.groups[operation.group] == state.inputs.groups[operation.group][at]).tolist()
    amounts = [state.get(operation.of[0]).fraction(row) for row in lines]
    weights = [state.get(operation.weights).fraction(row) for row in lines]
    if told is not None or None in amounts or None in weights:
        return told
    known = [weight for weight in weights if weight is not None]
    if min(known) < 0 or sum(known) == 0:
        return stuck(plan, "RM369", step.name)
    values, of = ", ".join(working.plain_text(amount) for amount in dict.fromkeys(amounts)), str(operation.of[0])
    return stuck(plan, "RM445", step.name, of=of, of_label=plan.label(of, "zh"), values=values)


def _no_line(plan: Plan, step: Step, operation: Taken, state: working.Exact, at: int) -> Problem | None:
    """Return that no line of the policy ranks there; that something is missing otherwise."""
    told = _rolled(plan, step, operation, state, at)
    ranked = state.values[operation.rank]
    if told is None and ranked.ok[at]:
        policy = state.inputs.groups[operation.group]
        lines = int(np.count_nonzero(policy == policy[at]))
        if lines < operation.which:
            return stuck(plan, "RM442", step.name, lines=lines, which=operation.which)
    return told


def _empty(name: str, state: working.Exact, at: int) -> bool:
    if name in state.values:
        return not bool(state.values[name].ok[at])
    return name in state.inputs.codes and bool(state.inputs.codes[name][at] < 0)


def shown(plan: Plan, name: str, state: working.Exact, at: int) -> str:
    """Return the value of a column or step of one row as text."""
    if name in state.inputs.codes or name in plan.level_columns.keys() - plan.columns.keys():
        code = int(working.codes_of(name, state)[at])
        return plan.level_columns[name].codes()[code] if code >= 0 else ""
    value = state.values[name].fraction(at)
    if value is None:
        return ""
    if kind_of(name, plan) == "date":
        return str(np.datetime64(int(value), "D"))
    return digits(Decimal(value.numerator) / Decimal(value.denominator))


Why = Callable[[Plan, Step, Any, working.Exact, int], Problem | None]
WHY: Mapping[type[Operation], Why] = MappingProxyType(
    {
        Operation: _operation,
        TableOperation: _cell,
        Judgement: _not_chosen,
        Ratio: _divided,
        Lines: _rolled,
        ShareOut: _not_shared,
        Taken: _no_line,
    }
)
