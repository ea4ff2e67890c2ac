"""Levels: one for every row, on which a look-up by a level of its own stands; the worse or better of several grades."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from ratemod.errors import nearest
from ratemod.plan.interval import Range
from ratemod.plan.model import Plan
from ratemod.plan.op.base import Operation, given
from ratemod.plan.operand import Operand
from ratemod.vocabulary.column import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class OneLevel(Operation):
    """A level that the plan itself names."""

    op: ClassVar[str] = "level"
    gives: ClassVar[str] = "level"
    code: str = given("text", called="is")
    levels: tuple[Level, ...] = given("levels", (), doc="the levels that it is one of; default: itself alone")

    @property
    def place(self) -> int:
        """The place of the level among the levels; of one that is not among them the first, which check refuses."""
        codes = [level.code for level in self.levels]
        return codes.index(self.code) if self.code in codes else 0

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the place of the level."""
        return Range(Fraction(self.place), Fraction(self.place), 0, rel=0.0, raw=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelExtreme(Operation):
    """One of several levels by their order in the plan; none where one of them has none."""

    gives: ClassVar[str] = "level"
    of: tuple[Operand, ...] = given("operands", takes=("level", "flag"))
    levels: tuple[Level, ...] = given("levels", (), doc="in order; default: those of the first of them")

    @property
    def levels_of(self) -> str:
        """The first of them."""
        return str(self.of[0])

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the places of the levels."""
        return Range(Fraction(0), Fraction(max(len(self.levels) - 1, 0)), 0, rel=0.0, raw=True)

    def faults_in(self, plan: Plan) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield RM130 for the first level of each operand that has no place among its own."""
        return without_place(plan, map(str, self.of), self.levels)

    def places(self, codes: Sequence[str]) -> list[int]:
        """Return the place of each of some codes among the levels, and -1 last, for no level."""
        return places(self.levels, codes)


def places(levels: Sequence[Level], codes: Sequence[str]) -> list[int]:
    """Return the place of each of some codes among levels, and -1 last, for no level."""
    place = {level.code: at for at, level in enumerate(levels)}
    return [*(place.get(code, -1) for code in codes), -1]


def without_place(plan: Plan, names: Iterable[str], levels: Sequence[Level]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield RM130 for the first level of each column or step that has no place among some levels."""
    known = [level.code for level in levels]
    for name in names:
        codes = plan.level_columns[name].codes() if name in plan.level_columns else ()
        for code in [code for code in codes if code not in known][:1]:
            yield "RM130", {"value": code, "nearest": nearest(code, known)}


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstLevel(LevelExtreme):
    """The level that stands first."""

    op: ClassVar[str] = "first_level"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastLevel(LevelExtreme):
    """The level that stands last: the worse of two grades, where the best stands first."""

    op: ClassVar[str] = "last_level"
