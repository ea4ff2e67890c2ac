"""One level for every row: what a step that asks a table for a level of its own stands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from ratemod.plan.interval import Range
from ratemod.plan.model import Plan
from ratemod.plan.op.base import Operation, given
from ratemod.vocabulary.column import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class OneLevel(Operation):
    """A level that the plan itself names."""

    op: ClassVar[str] = "level"
    gives: ClassVar[str] = "level"
    code: str = given("text", called="is")
    levels: tuple[Level, ...] = given("levels", (), doc="the levels that it is one of; default: itself alone")

    @property
    def place(self) -> int:
        """The place of the level among the levels; of one that is not among them the first, which check refuses."""
        codes = [level.code for level in self.levels]
        return codes.index(self.code) if self.code in codes else 0

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the place of the level."""
        return Range(Fraction(self.place), Fraction(self.place), 0, rel=0.0, raw=True)
