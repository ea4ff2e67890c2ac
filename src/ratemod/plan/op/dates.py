"""Days, months and years between dates, a date some months on, the earlier or later of dates, the year of one.

Years are those of ISDA's actual/actual: each day is 1/365 or 1/366, as the calendar year is long in which it lies
(2006 ISDA Definitions, 4.16 (b)). So the parts of a term that is split at any day add up to the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal

from ratemod.plan import key
from ratemod.plan.interval import DATES, UNIT, Range
from ratemod.plan.model import Plan
from ratemod.plan.op.arithmetic import Largest, Smallest
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


LENGTHS = 365 * 366  # a day of either year is a whole number of this part of a year


@dataclass(frozen=True, slots=True, kw_only=True)
class Years(Term):
    """Years from one date to another, each day by the length of its own year."""

    op: ClassVar[str] = "years"

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the years that two dates can be apart."""
        return Range(Fraction(-371), Fraction(371), None, rel=2 * UNIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddMonths(Operation):
    """The same day some months on, the last of a month that has no such day; then days more. Both may be negative."""

    op: ClassVar[str] = "add_months"
    gives: ClassVar[str] = "date"
    without: ClassVar[str] = "RM439"
    of: tuple[Operand, ...] = given("operand", takes=key.DATES)
    months: Operand = given("operand", doc="whole months on")
    days: Operand = given("operand", Decimal(0), doc="whole days more; default none")

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the days that there are."""
        return Range(*DATES, 0, rel=0.0, raw=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Earliest(Smallest):
    """The earliest of the dates; none where one of them has none."""

    op: ClassVar[str] = "earliest"
    gives: ClassVar[str] = "date"
    factor: ClassVar[bool] = False
    of: tuple[Operand, ...] = given("operands", takes=key.DATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest(Largest):
    """The latest of the dates; none where one of them has none."""

    op: ClassVar[str] = "latest"
    gives: ClassVar[str] = "date"
    factor: ClassVar[bool] = False
    of: tuple[Operand, ...] = given("operands", takes=key.DATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatePart(Operation):
    """The year, the month (1 to 12) or the day of the month of a date."""

    op: ClassVar[str] = "date_part"
    of: tuple[Operand, ...] = given("operand", takes=key.DATES)
    which: Literal["year", "month", "day"] = given("text", choices=("year", "month", "day"))

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return what a year, a month or a day can be."""
        low, high = {"year": (1900, 2269), "month": (1, 12), "day": (1, 31)}[self.which]
        return Range(Fraction(low), Fraction(high), 0, rel=0.0, raw=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Months(Term):
    """Started or complete months from one date to another."""

    op: ClassVar[str] = "months"
    count: Literal["started", "complete"] = given("text", "started", choices=("started", "complete"))

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the months that two dates can be apart."""
        return Range(Fraction(-5000), Fraction(5000), 0, rel=0.0, raw=True)
