"""Lines of one policy in order: the place of each by an amount, and what the line at a place says.

The governing class is the class of the line that ranks first by payroll; second and later items pay a share; the n-th
largest of a policy is what the line at place n has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Literal

from ratemod.plan.interval import Range, operand_range
from ratemod.plan.model import Plan
from ratemod.plan.op.base import given
from ratemod.plan.op.level import without_place
from ratemod.plan.op.lines import MOST_LINES, NAMED, Lines
from ratemod.plan.operand import Operand
from ratemod.vocabulary.column import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank(Lines):
    """The place of a line among those of its policy by a value; of equal ones the line whose key stands first leads."""

    op: ClassVar[str] = "rank"
    ordered: ClassVar[bool] = True
    of: tuple[Operand, ...] = given("operand")
    first: Literal["largest", "smallest"] = given("text", "largest", choices=("largest", "smallest"))

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the places that a line can have."""
        return Range(Fraction(1), Fraction(MOST_LINES), 0, rel=0.0, raw=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken(Lines):
    """What the line at a place of its policy has, given to each line; nothing where there is no such line."""

    rank: str = given("name", doc="the step that ranks the lines of the same policies")
    which: int = given("integer", 1, low=1, doc="the place; default 1")

    def faults_in(self, plan: Plan) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield RM441 where it takes by no ranking of the same lines; columns that there are not are told elsewhere."""
        if self.rank in plan.step_names:
            ranks = plan.step(self.rank).operation
            if not isinstance(ranks, Rank) or (ranks.group != self.group and {*ranks.group} <= {*plan.columns}):
                yield "RM441", {"rank": self.rank}


@dataclass(frozen=True, slots=True, kw_only=True)
class Take(Taken):
    """The number that the line at a place has."""

    op: ClassVar[str] = "take"
    of: tuple[Operand, ...] = given("operand")

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range of one line."""
        return operand_range(self.of[0], known)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeLevel(Taken):
    """The level that the line at a place has."""

    op: ClassVar[str] = "take_level"
    gives: ClassVar[str] = "level"
    carries: ClassVar[bool] = False
    level: str = given("name", called="of", takes=NAMED)
    levels: tuple[Level, ...] = given("levels", (), doc="in order; default: those of what it takes")

    def faults_in(self, plan: Plan) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield RM130 for a level of what it takes that has no place among its own."""
        yield from Taken.faults_in(self, plan)
        yield from without_place(plan, [self.level], self.levels)

    @property
    def levels_of(self) -> str:
        """What it takes."""
        return self.level

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the places of the levels."""
        return Range(Fraction(0), Fraction(max(len(self.levels) - 1, 0)), 0, rel=0.0, raw=True)
