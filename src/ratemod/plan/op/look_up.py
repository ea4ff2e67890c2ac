"""Values read from a table: a number, a level, a number between points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import inf
from typing import ClassVar

from ratemod.plan.interval import UNIT, UNKNOWN, Range, places_of
from ratemod.plan.model import Plan, Table
from ratemod.plan.op.base import TableOperation, given
from ratemod.vocabulary.column import Level


def cells_range(table: Table | None, columns: Iterable[str]) -> Range:
    """Return the range of the numbers in some value columns of a table."""
    wanted = () if table is None else [name for name in columns if name in table.value_names]
    numbers = [value for name in wanted for value in table.column(name) if value is not None] if table else []
    if not numbers:
        return UNKNOWN
    return Range(Fraction(min(numbers)), Fraction(max(numbers)), max(map(places_of, numbers)), raw=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup(TableOperation):
    """The number in a cell of a table."""

    op: ClassVar[str] = "lookup"
    by_cell: ClassVar[bool] = True
    factor: ClassVar[bool] = True

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range of the table's numbers."""
        return cells_range(plan.tables.get(self.table), [self.column])


@dataclass(frozen=True, slots=True, kw_only=True)
class Classify(TableOperation):
    """The level in a cell of a table."""

    op: ClassVar[str] = "classify"
    gives: ClassVar[str] = "level"
    by_cell: ClassVar[bool] = True
    levels: tuple[Level, ...] = given("levels", (), doc="in order; default: as they appear in the table")

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range of the levels' places."""
        return cells_range(plan.tables.get(self.table), [self.column])


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpolate(TableOperation):
    """A number linear, along each axis of points, between the two that it lies between."""

    op: ClassVar[str] = "interpolate"
    factor: ClassVar[bool] = True
    between: ClassVar[bool] = True
    beyond: str = given("text", "refuse", choices=("refuse", "flat", "extend"))

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range between the points, and beyond them where the lines go on; no decimals are known.

        Along each axis in turn; what lies on the lines of those before spans `low` to `high`, with the error `slack`.
        """
        table = plan.tables.get(self.table)
        cells = cells_range(table, [self.column])
        if table is None or cells is UNKNOWN:
            return UNKNOWN
        low, high, slack = Fraction(cells.low), Fraction(cells.high), 0.0
        for at, axis in enumerate(table.axes):
            if axis.kind != "point":
                continue
            points = sorted({key for row in table.rows if isinstance(key := row.keys[at], Decimal)})
            gap = Fraction(min((b - a for a, b in pairwise(points)), default=Decimal(1)))
            of = known.get(self.bound(table)[axis.name], UNKNOWN)
            reach, further = float(max(map(abs, points), default=Decimal(0))), Fraction(0)
            if self.beyond == "extend" and points:
                if of.size == inf:
                    return UNKNOWN
                reach = 2 * max(reach, float(of.size))
                further = Fraction(max(of.high - Fraction(points[-1]), Fraction(points[0]) - of.low, Fraction(0))) / gap
            steepest, rise = float((high - low) / gap), (high - low) * further
            low, high = low - rise, high + rise
            slack *= 1 + 2 * float(1 + further)
            slack += float(max(abs(low), abs(high))) * 64 * UNIT + steepest * (of.error_at(reach) + 8 * UNIT * reach)
        return Range(low, high, None, rel=0.0, abs=slack)
