"""What a new edition changes, number by number: in words, with how far, why, and on whose authority."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from ratemod.errors import Lang, text
from ratemod.plan.edit import key_text, numbers, row_path
from ratemod.plan.model import Plan, Step, Table

KINDS = ("plan", "constants", "tables", "steps", "rule", "check", "legal", "columns")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs between two editions.

    Attributes
    ----------
    path : str
        As `plan.edit` writes it.
    kind : str
        One of `KINDS`.
    old, new : str
        Empty where an edition does not have it.
    source : str
        Name of the source in the edition that has it, or empty.
    note : str
        What the row says of itself.
    """

    path: str
    kind: str
    old: str
    new: str
    source: str
    note: str

    @property
    def table(self) -> str:
        """Name of the table that a cell stands in, or empty."""
        return self.path.removeprefix("tables.").partition("[")[0] if self.kind == "tables" else ""

    @property
    def ratio(self) -> float | None:
        """Relative change, or None where there is none to tell."""
        try:
            old, new = Decimal(self.old), Decimal(self.new)
        except InvalidOperation:
            return None
        return float(new / old) - 1 if old and old.is_finite() and new.is_finite() else None


def changes_between(before: Plan, after: Plan) -> tuple[Change, ...]:
    """Return everything that differs between two plans, by kind, in the order of the plans."""
    old, new = numbers(before), numbers(after)
    said = {True: _said_of(after), False: _said_of(before)}
    found = []
    for path in [*old, *(path for path in new if path not in old)]:
        if old.get(path) != new.get(path):
            held = said[path in new]
            source, note = held.get(path) or held.get(_owner(path), ("", ""))
            found.append(Change(path, path.partition(".")[0], old.get(path, ""), new.get(path, ""), source, note))
    return tuple(sorted(found, key=lambda change: KINDS.index(change.kind)))


def _owner(path: str) -> str:
    """Return the path of the step, rule, check or legal range that a path belongs to."""
    return path.rpartition(".")[0]


def _said_of(plan: Plan) -> dict[str, tuple[str, str]]:
    """Return source and note of every number, by path."""
    found: dict[str, tuple[str, str]] = {}
    for table in plan.tables.values():
        for row in table.rows:
            found |= {row_path(table, row, name): (row.source, row.note) for name in table.value_names}
    found |= {f"constants.{name}": (constant.source, "") for name, constant in plan.constants.items()}
    found |= {f"steps.{step.name}": (step.source, step.note) for step in plan.steps}
    for section, parts in (("rule", plan.rules), ("check", plan.checks), ("legal", plan.legal)):
        found |= {f"{section}.{part.name}": (part.source, "") for part in parts}
    return found


def level_words(plan: Plan, name: str, code: str, lang: Lang) -> str:
    """Return the label of a level code of a column, or the code as it is."""
    column = plan.columns.get(name)
    for level in column.levels if column else ():
        if level.code == code:
            return (level.label_zh if lang == "zh" else level.label_en) or code
    return code


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
            level_words(plan, bound.get(axis.name, axis.name), key_text(key), lang)
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
