"""An amount summed slice by slice, each slice at its own rate, as taxes and premium discounts are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import inf
from typing import ClassVar

from ratemod.plan.interval import UNIT, UNKNOWN, Number, Range, places_of, times
from ratemod.plan.model import Plan
from ratemod.plan.op.base import TableOperation, given
from ratemod.plan.slices import along, slices


@dataclass(frozen=True, slots=True, kw_only=True)
class Progressive(TableOperation):
    """The sum over the slices of a banded axis of rate × width."""

    op: ClassVar[str] = "progressive"
    along: str = given("text", "", doc="the banded axis to sum along, where the table has several")

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range of the sum: it is linear between edges, so its ends lie on edges or on x's own."""
        table = plan.tables.get(self.table)
        at = None if table is None else along(self.along, table)
        if table is None or at is None or self.column not in table.value_names:
            return UNKNOWN
        x = known.get(self.bound(table)[table.axes[at].name], UNKNOWN)
        found, ends = slices(self, table, plan.level_columns), []
        marks = found.marks
        for cell, (start, base, rate) in enumerate(zip(found.start, found.base, found.rate)):
            if start is None or base is None or rate is None:
                continue
            slot = cell % (len(marks) + 2)
            to: Number = Fraction(marks[slot]) if slot < len(marks) else inf
            for end in (max(Fraction(start), x.low), min(to, x.high)):
                if Fraction(start) <= end <= to:
                    width = end - Fraction(start)
                    ends.append(Fraction(base) + times(Fraction(rate), width) if width != inf else _sign(rate) * inf)
        rates = [rate for rate in found.rate if rate is not None]
        if not ends or not rates:
            return UNKNOWN
        low, high = min(ends), max(ends)
        bases = [base for base in found.base if base is not None]
        starts = [start for start in found.start if start is not None]
        fine = None if x.places is None else max(map(places_of, rates)) + max(x.places, *map(places_of, starts))
        places = None if fine is None else max(fine, *map(places_of, bases))
        steepest, reach = float(max(map(abs, rates))), x.size
        if reach == inf or max(-low, high) == inf:
            return Range(low, high, places, rel=0.0, abs=inf)
        slack = steepest * (x.error_at(float(reach)) + 4 * UNIT * float(reach))
        return Range(low, high, places, rel=0.0, abs=2 * slack + 8 * UNIT * float(max(-low, high)))


def _sign(number: Decimal) -> int:
    return (number > 0) - (number < 0)
