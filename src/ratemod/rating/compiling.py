"""What is known of a plan while its steps are compiled into functions over blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from ratemod.plan.interval import Range
from ratemod.plan.model import Plan, Step
from ratemod.plan.op.base import Operation
from ratemod.plan.operand import Operand
from ratemod.rating.block import Block
from ratemod.rating.working import Value

Run = Callable[[Block], None]
Fill = Callable[[Any, "Compiling"], Run]
Readings = Mapping[type[Operation], tuple[Value, Fill]]


@dataclass(frozen=True, eq=False, slots=True)
class Compiling:
    """A plan that is being compiled.

    Attributes
    ----------
    steps : mapping of Step
    known : mapping of Range
    floats : mapping of float
        The constants.
    bounding : tuple of str
        Steps that note which end held, in the order of their bits.
    step : Step or None
        The step in hand, which may be a part of a step of the plan.
    """

    plan: Plan
    steps: Mapping[str, Step]
    known: Mapping[str, Range]
    floats: Mapping[str, float]
    bounding: tuple[str, ...]
    step: Step | None = None

    def at(self, step: Step) -> Compiling:
        """Return the same with a step in hand."""
        return replace(self, step=step)

    @property
    def name(self) -> str:
        """The name of the step in hand."""
        assert self.step is not None
        return self.step.name

    def constant(self, operand: Operand) -> Decimal | None:
        """Return the number of a constant, None of anything else."""
        found = self.plan.constants.get(str(operand))
        return None if found is None else found.value
