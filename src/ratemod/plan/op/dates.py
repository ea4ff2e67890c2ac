"""Days and months between two dates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal

from ratemod.plan import key
from ratemod.plan.interval import DATES, Range
from ratemod.plan.model import Plan
from ratemod.plan.op.base import Operation, given
from ratemod.plan.operand import Operand


@dataclass(frozen=True, slots=True, kw_only=True)
class Term(Operation):
    """An operation that counts from one date to another."""

    of: tuple[Operand, ...] = given("operands", takes=key.DATES, count=2)
    inclusive: bool = given("flag", False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Days(Term):
    """Days from one date to another."""

    op: ClassVar[str] = "days"

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the days that two dates can be apart."""
        return Range(DATES[0] - DATES[1], DATES[1] - DATES[0] + 1, 0, rel=0.0, raw=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Months(Term):
    """Started or complete months from one date to another."""

    op: ClassVar[str] = "months"
    count: Literal["started", "complete"] = given("text", "started", choices=("started", "complete"))

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the months that two dates can be apart."""
        return Range(Fraction(-5000), Fraction(5000), 0, rel=0.0, raw=True)
