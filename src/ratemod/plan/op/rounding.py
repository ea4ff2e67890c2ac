"""Rounding to a unit, and a power, which is rounded because it is no decimal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import inf
from typing import ClassVar

from ratemod.plan.interval import UNIT, Range, operand_range, places_of
from ratemod.plan.model import Plan
from ratemod.plan.op.base import Operation, given
from ratemod.plan.operand import Operand


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounding(Operation):
    """An operation that gives multiples of a unit."""

    of: tuple[Operand, ...] = given("operand")
    unit: Decimal = given("number")

    def faults(self) -> Iterator[str]:
        """Yield RM154 where the unit is not above zero."""
        if self.unit <= 0:
            yield "RM154"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round(Rounding):
    """A value rounded to a multiple of a unit; half_up and up are away from zero, down is towards zero."""

    op: ClassVar[str] = "round"
    passes: ClassVar[bool] = True
    carries: ClassVar[bool] = True
    mode: str = given("text", "half_up", choices=("half_up", "up", "down", "half_even"))

    def whole(self, smallest: Decimal) -> bool:
        """Return whether the unit is the smallest of money or a multiple of it."""
        return self.unit % smallest == 0

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range widened to multiples of the unit."""
        of, unit = operand_range(self.of[0], known), Fraction(self.unit)
        low = of.low if of.low == -inf else Fraction(of.low) // unit * unit
        high = of.high if of.high == inf else -(-Fraction(of.high) // unit) * unit
        return Range(low, high, places_of(self.unit), rel=UNIT, raw=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Power(Rounding):
    """A value above zero to a power, rounded half-up to a multiple of a unit."""

    op: ClassVar[str] = "power"
    exponent: Operand = given("operand")

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range of the power, from its corners."""
        of, exponent = operand_range(self.of[0], known), operand_range(self.exponent, known)
        nothing_known = Range(Fraction(0), inf, places_of(self.unit))
        if of.low <= 0 or of.high == inf or exponent.size == inf:
            return nothing_known
        try:
            ends = sorted(
                Fraction(float(end) ** float(to)) for end in (of.low, of.high) for to in (exponent.low, exponent.high)
            )
        except OverflowError:
            return nothing_known
        unit = Fraction(self.unit)
        return Range(ends[0] - unit, ends[-1] * (1 + Fraction(1, 10**9)) + unit, places_of(self.unit), rel=2 * UNIT)
