"""One thing that another system may do differently, as a plan of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from ratemod.plan.model import Plan, Step

Kind = Literal[
    "rounding", "rounded_step", "bound", "left_out", "edge", "cell", "swapped_cells", "edition", "premium_unit",
    "input_unit", "swapped_columns", "condition", "never", "added", "end_day", "months", "pro_rata",
]  # fmt: skip
# Guesses that may hold for some rows only; of the others a part of the rows would agree by chance.
SOME_ROWS = frozenset({"edition", "premium_unit", "input_unit", "swapped_columns", "condition", "never", "bound"})


@dataclass(frozen=True, eq=False, slots=True)
class Guess:
    """One thing that may have been done differently.

    Attributes
    ----------
    kind : str
    where : str
        Step, column, ``table.axis`` or path of a cell.
    detail : str
        What was done instead: a mode, a unit, an end, a number.
    plan : Plan
    """

    kind: Kind
    where: str
    detail: str
    plan: Plan


def with_steps(plan: Plan, *steps: Step) -> Plan:
    """Return a plan with one step replaced by the given ones, the last of which bears its name."""
    name = steps[-1].name
    found = [new for old in plan.steps for new in (steps if old.name == name else (old,))]
    return replace(plan, steps=tuple(found))
