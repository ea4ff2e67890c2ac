"""Lines of one policy: rolled up, and an amount shared out among them again.

Several columns together say which rows belong together (``by = ["policy", "location"]``). Roll-ups nest: of what a
location came to, ``each = "location"`` takes one value a location, however many lines it has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

from ratemod.plan.interval import UNIT, Range, operand_range
from ratemod.plan.model import Plan
from ratemod.plan.op.base import Operation, given
from ratemod.plan.operand import Operand

MOST_LINES = 10**6  # lines that one policy may have; bounds what a sum can come to
NAMED = ("text", "level", "flag", "number", "date")  # what may say that rows belong together


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines(Operation):
    """An operation over the lines of a policy."""

    carries: ClassVar[bool] = True
    without: ClassVar[str] = "RM315"
    group: tuple[str, ...] = given("operands", called="by", takes=NAMED, doc="the column, or several, of one policy")

    @property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """The columns that name the policy."""
        return {"group": self.group}

    def columns_named(self) -> Iterator[str]:
        """Yield the columns that name the policy and its parts."""
        yield from dict.fromkeys(name for names in self.groups.values() for name in names)

    def may_lack(self) -> Iterator[str]:
        """Yield all that it reads: what a line lacks is the reason of its policy."""
        return self.reads()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup(Lines):
    """What the lines of a policy come to together, given to each of them."""

    op: ClassVar[str] = "rollup"
    of: tuple[Operand, ...] = given("operand", (), doc="left out where lines are counted")
    how: str = given("text", choices=("sum", "mean", "max", "min", "count"))
    each: tuple[str, ...] = given("operands", (), takes=NAMED, doc="one value for each of these, not for each line")

    @property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """The columns that name the policy, and those that name the part of it that has one value."""
        return {"group": self.group, **({"each": (*self.group, *self.each)} if self.each else {})}

    def faults(self) -> Iterator[str]:
        """Yield RM372 where there is nothing to roll up, or something where lines are only counted."""
        if bool(self.of) == (self.how == "count"):
            yield "RM372"

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range of one line, or of as many as a policy may have."""
        if self.how == "count":
            return Range(Fraction(1), Fraction(MOST_LINES), 0, rel=0.0, raw=True)
        of = operand_range(self.of[0], known)
        if self.how == "mean":
            return Range(of.low, of.high, None, rel=4 * UNIT)
        lines = MOST_LINES if self.how == "sum" else 1
        return replace(of, low=min(of.low * lines, of.low), high=max(of.high * lines, of.high))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareOut(Lines):
    """An amount of a policy divided among its lines by weights, to the smallest unit of money, by largest remainder."""

    op: ClassVar[str] = "share_out"
    ordered: ClassVar[bool] = True
    of: tuple[Operand, ...] = given("operand")
    weights: str = given("name")

    def whole(self, smallest: Decimal) -> bool:
        """Return True: shares are whole smallest units."""
        return True

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range from nothing, which a line may bear, to the whole amount, in smallest units of money."""
        of = operand_range(self.of[0], known)
        return Range(min(of.low, Fraction(0)), max(of.high, Fraction(0)), plan.money.decimals)
