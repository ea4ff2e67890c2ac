"""Lines of one policy: rolled up, and an amount shared out among them again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from ratemod.plan.interval import Range, operand_range
from ratemod.plan.model import Plan
from ratemod.plan.op.base import Operation, given
from ratemod.plan.operand import Operand

MOST_LINES = 10**6  # lines that one policy may have; bounds what a sum can come to


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines(Operation):
    """An operation over the lines of a policy."""

    carries: ClassVar[bool] = True
    without: ClassVar[str] = "RM315"
    of: tuple[Operand, ...] = given("operand")
    group: str = given("name", called="by", takes=("text", "level", "flag", "number", "date"))

    def columns_named(self) -> Iterator[str]:
        """Yield the column that names the policy."""
        yield self.group

    def may_lack(self) -> Iterator[str]:
        """Yield all that it reads: what a line lacks is the reason of its policy."""
        return self.reads()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup(Lines):
    """The sum, the largest or the least of the lines of a policy, given to each of them."""

    op: ClassVar[str] = "rollup"
    how: str = given("text", choices=("sum", "max", "min"))

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range of one line, or of as many as a policy may have."""
        of = operand_range(self.of[0], known)
        lines = MOST_LINES if self.how == "sum" else 1
        return replace(of, low=min(of.low * lines, of.low), high=max(of.high * lines, of.high))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareOut(Lines):
    """An amount of a policy divided among its lines by weights, to the fen, by largest remainder."""

    op: ClassVar[str] = "share_out"
    weights: str = given("name")

    @property
    def whole_fen(self) -> bool:
        """Always: shares are fen."""
        return True

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range of the amount, in fen."""
        of = operand_range(self.of[0], known)
        return Range(of.low, of.high, 2)
