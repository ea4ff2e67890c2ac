"""What every number of a plan is called, by its path."""

from __future__ import annotations

from collections.abc import Mapping

from ratemod.errors import Lang, text
from ratemod.plan.edit import key_text, row_path
from ratemod.plan.model import Plan, Step, Table
from ratemod.rules.options import strict


@strict
def path_labels(plan: Plan, lang: Lang) -> Mapping[str, str]:
    """Return what every number of a plan is called, by path: the table and its levels, a constant, a step."""
    found: dict[str, str] = {}
    bound = {step.operation.table: dict(step.operation.by) for step in plan.steps}
    for table in plan.tables.values():
        found |= _cells(plan, table, bound.get(table.name, {}), lang)
    found |= {f"constants.{name}": plan.label(name, lang) for name in plan.constants}
    for step in plan.steps:
        found |= {f"steps.{step.name}.{key}": _step(plan, step, key, lang) for key in Step.__slots__}
    for name in ("new_from", "renewal_from", "until", "standing"):
        found[f"plan.{name}"] = text(f"UI_filing_plan_{name}", lang)
    return found


def _cells(plan: Plan, table: Table, bound: Mapping[str, str], lang: Lang) -> dict[str, str]:
    found, label = {}, plan.label(table.name, lang)
    if label == table.name:  # a table often has its step's name and no label of its own
        label = next((plan.label(step.name, lang) for step in plan.steps if step.operation.table == table.name), label)
    for row in table.rows:
        keys = [
            plan.level_label(bound.get(axis.name, axis.name), key_text(key), lang)
            for axis, key in zip(table.axes, row.keys)
        ]
        for name in table.value_names:
            tail = "" if name == "value" else f" · {name}"
            found[row_path(table, row, name)] = f"{label}: {', '.join(keys)}{tail}"
    return found


def _step(plan: Plan, step: Step, key: str, lang: Lang) -> str:
    known = key in ("low", "high", "unit", "mode", "otherwise", "of", "when", "exponent")
    said = text(f"UI_filing_key_{key}", lang) if known else key
    return f"{plan.label(step.name, lang)}: {said}"
