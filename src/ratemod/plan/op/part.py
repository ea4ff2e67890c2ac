"""The part of an amount that one of several parties bears: an amount divided within a row, to the smallest unit
of money (the fen).

Subsidy of centre, province and county; co-insurers; taxes; instalments. The parts add up to the amount, which is first
rounded half-up to that unit: largest remainder (Hamilton's method; Balinski & Young 2001), ties to the party named
first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

from ratemod.plan.interval import UNIT, Range, operand_range
from ratemod.plan.model import Plan
from ratemod.plan.op.base import Operation, given
from ratemod.plan.operand import Operand


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Operation):
    """What one party bears of an amount that is divided among several by their weights."""

    op: ClassVar[str] = "part"
    without: ClassVar[str] = "RM369"
    of: tuple[Operand, ...] = given("operand")
    among: tuple[Operand, ...] = given("operands", doc="the weight of each party, in the order that settles ties")
    which: int = given("integer", doc="the party whose part this is: its place in among, from 1")

    def whole(self, smallest: Decimal) -> bool:
        """Return True: parts are whole smallest units."""
        return True

    def faults(self) -> Iterator[str]:
        """Yield RM370 where there is no such party, RM992 where the weights that the plan states divide nothing."""
        if not 1 <= self.which <= len(self.among):
            yield "RM370"
        stated = [weight for weight in self.among if isinstance(weight, Decimal)]
        if any(weight < 0 for weight in stated) or (len(stated) == len(self.among) and not any(stated)):
            yield "RM992"

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range between nothing and the whole amount, in smallest units of money."""
        of, money = operand_range(self.of[0], known), plan.money
        one, none = Fraction(money.smallest), Fraction(0)
        return Range(min(of.low - one, none), max(of.high + one, none), money.decimals, rel=UNIT, raw=True)
