"""Arithmetic of several values: product, sum, difference, ratio, largest, smallest, percentages added."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from ratemod.plan.interval import (
    UNKNOWN,
    Number,
    Range,
    exactly,
    extreme_range,
    folded,
    negated,
    operand_range,
    product_range,
    ratio_range,
    sum_range,
)
from ratemod.plan.model import Plan
from ratemod.plan.op.base import Operation, given
from ratemod.plan.operand import Operand


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic(Operation):
    """An operation on several values.

    Class attributes
    ----------------
    sign : what stands between the values in a worksheet, empty where the operation's name stands before them
    """

    sign: ClassVar[str] = ""
    of: tuple[Operand, ...] = given("operands")

    def ranges(self, known: Mapping[str, Range]) -> list[Range]:
        """Return the range of each value."""
        return [operand_range(operand, known) for operand in self.of]


@dataclass(frozen=True, slots=True, kw_only=True)
class Product(Arithmetic):
    """The values multiplied."""

    op: ClassVar[str] = "product"
    sign: ClassVar[str] = "×"
    factor: ClassVar[bool] = True

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range of the product."""
        return folded(self.ranges(known), product_range)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum(Arithmetic):
    """The values added."""

    op: ClassVar[str] = "sum"
    sign: ClassVar[str] = "+"
    carries: ClassVar[bool] = True
    cancels: ClassVar[bool] = True

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range of the sum."""
        return folded(self.ranges(known), sum_range)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference(Arithmetic):
    """The first value less the others."""

    op: ClassVar[str] = "difference"
    sign: ClassVar[str] = "-"
    carries: ClassVar[bool] = True
    cancels: ClassVar[bool] = True

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range of the difference."""
        first, *rest = self.ranges(known)
        return folded([first, *map(negated, rest)], sum_range)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio(Arithmetic):
    """The first value divided by the second."""

    op: ClassVar[str] = "ratio"
    sign: ClassVar[str] = "/"
    factor: ClassVar[bool] = True
    of: tuple[Operand, ...] = given("operands", count=2)

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range of the quotient."""
        return ratio_range(*self.ranges(known)) if len(self.of) == 2 else UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Extreme(Arithmetic):
    """The largest or the smallest of the values; none where one of them has none."""

    factor: ClassVar[bool] = True
    pick: ClassVar[Callable[..., Number]]

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range of the largest or smallest."""
        return extreme_range(self.ranges(known), type(self).pick)


@dataclass(frozen=True, slots=True, kw_only=True)
class Largest(Extreme):
    """The largest of the values."""

    op: ClassVar[str] = "largest"
    pick: ClassVar[Callable[..., Number]] = max


@dataclass(frozen=True, slots=True, kw_only=True)
class Smallest(Extreme):
    """The smallest of the values."""

    op: ClassVar[str] = "smallest"
    pick: ClassVar[Callable[..., Number]] = min


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPercentages(Arithmetic):
    """Factors whose percentages are added: 1.10 and 0.95 make 1.05."""

    op: ClassVar[str] = "add_percentages"
    cancels: ClassVar[bool] = True
    factor: ClassVar[bool] = True

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range of 1 and the percentages."""
        return folded([*self.ranges(known), exactly(Decimal(1 - len(self.of)))], sum_range)
