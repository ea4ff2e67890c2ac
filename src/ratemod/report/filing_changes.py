"""What a new edition changes, number by number: in words, with how far, why, and on whose authority."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from ratemod.plan.edit import numbers, row_path
from ratemod.plan.model import Plan

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
