"""The exponential and the natural logarithm, rounded half-up to a stated unit because they are no decimals.

Neither has a tie: e^x and ln x of a rational x are irrational, but for e^0 = 1 and ln 1 = 0 (Lindemann 1882).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import exp, inf, log
from typing import ClassVar

from ratemod.plan.interval import UNIT, Number, Range, operand_range, places_of
from ratemod.plan.model import Plan
from ratemod.plan.op.rounding import Rounding

HAIR = Fraction(1, 10**9)  # by which the ends of a range are widened, far above the error of a float
MOST_EXPONENT = 700  # e^700 is about 10^304, near the largest float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exponential(Rounding):
    """e to the power of a value."""

    op: ClassVar[str] = "exp"
    without: ClassVar[str] = "RM367"

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range of the power, from its ends."""
        of, unit = operand_range(self.of[0], known), Fraction(self.unit)
        low: Number = Fraction(exp(min(of.low, MOST_EXPONENT))) * (1 - HAIR) - unit
        high: Number = inf if of.high > MOST_EXPONENT else Fraction(exp(of.high)) * (1 + HAIR) + unit
        return Range(max(low, Fraction(0)), high, places_of(self.unit), rel=2 * UNIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logarithm(Rounding):
    """The natural logarithm of a value above zero."""

    op: ClassVar[str] = "ln"
    without: ClassVar[str] = "RM368"

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range of the logarithm, from its ends."""
        of, wide = operand_range(self.of[0], known), Fraction(self.unit) + HAIR
        low: Number = -inf if of.low <= 0 else Fraction(log(of.low)) - wide
        high: Number = inf if of.high <= 0 or of.high == inf else Fraction(log(of.high)) + wide
        return Range(low, high, places_of(self.unit), rel=2 * UNIT)
