"""Limits: a value kept within two ends, or within shares of another amount."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from ratemod.plan.interval import Range, bounded_range, extreme_range, operand_range, product_range
from ratemod.plan.model import Plan
from ratemod.plan.op.base import Operation, given
from ratemod.plan.operand import Operand


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit(Operation):
    """An operation that keeps a value within ends, and notes which end held."""

    passes: ClassVar[bool] = True
    carries: ClassVar[bool] = True
    binds: ClassVar[bool] = True
    of: tuple[Operand, ...] = given("operand")
    low: Operand | None = given("operand", None)
    high: Operand | None = given("operand", None)

    @property
    def ends(self) -> dict[str, Operand | None]:
        """The ends by key, the low one first."""
        return {"low": self.low, "high": self.high}

    def end_ranges(self, known: Mapping[str, Range]) -> tuple[Range | None, Range | None]:
        """Return the ranges of the two ends, None for an end that is open."""
        low, high = (None if end is None else operand_range(end, known) for end in self.ends.values())
        return low, high

    def faults(self) -> Iterator[str]:
        """Yield RM153 where both ends are open, RM928 where the low one stands above the high one."""
        if all(end is None for end in self.ends.values()):
            yield "RM153"
        if upside_down(*self.ends.values()):
            yield "RM928"


def upside_down(*ends: Operand | None) -> bool:
    """Return whether numbers that should ascend, where the plan states them, do not."""
    stated = [end for end in ends if isinstance(end, Decimal)]
    return stated != sorted(stated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound(Limit):
    """A value kept within two ends; an end without a value leaves the step without one."""

    op: ClassVar[str] = "bound"
    factor: ClassVar[bool] = True

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range within the ends."""
        return bounded_range(operand_range(self.of[0], known), *self.end_ranges(known))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap(Limit):
    """A value kept within shares of another amount, which its ends are; rows without that amount pass."""

    op: ClassVar[str] = "cap"
    against: str = given("name")

    def may_lack(self) -> Iterator[str]:
        """Yield the other amount."""
        yield self.against

    def end_ranges(self, known: Mapping[str, Range]) -> tuple[Range | None, Range | None]:
        """Return the ranges of the two ends in money."""
        against = operand_range(self.against, known)
        low, high = (
            None if end is None else product_range(operand_range(end, known), against) for end in self.ends.values()
        )
        return low, high

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range within the ends, or that of the value where there is nothing to compare with."""
        of = operand_range(self.of[0], known)
        return extreme_range([bounded_range(of, *self.end_ranges(known)), of])
