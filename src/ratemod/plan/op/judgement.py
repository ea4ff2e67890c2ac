"""A value that an underwriter chooses within a range: from a table, or between two values of the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from ratemod.plan.interval import Range, extreme_range, operand_range
from ratemod.plan.model import Plan, Table
from ratemod.plan.op.base import TableOperation, given
from ratemod.plan.op.limits import upside_down
from ratemod.plan.op.look_up import cells_range
from ratemod.plan.operand import Operand

CELLS = ("low", "high", "value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement(TableOperation):
    """What was chosen within its range, with a reason where one is asked for; what stands where nothing was chosen."""

    op: ClassVar[str] = "judgement"
    factor: ClassVar[bool] = True
    chosen: str = given("name", doc="an optional number column")
    reason: str = given(
        "name",
        "",
        takes=("text",),
        doc="a text column that must then be filled; leave out where the scheme asks for no reason",
    )
    table: str = given("text", "", doc="a table with columns low, high and, where a value stands unless chosen, value")
    by: tuple[tuple[str, str], ...] = given("names", ())
    column: str = given("text", "value")
    of: tuple[Operand, ...] = given("operand", (), doc="without a table: the value when nothing is chosen")
    low: Operand | None = given("operand", None, doc="without a table: the least that may be chosen")
    high: Operand | None = given("operand", None, doc="without a table: the most that may be chosen")

    @property
    def ends(self) -> dict[str, Operand | None]:
        """The ends by key, where it states them itself."""
        return {"low": self.low, "high": self.high}

    def value_columns(self, table: Table) -> Sequence[str]:
        """Return the ends of the range; a value that stands unless chosen may be lacking."""
        return ("low", "high")

    def columns_named(self) -> Iterator[str]:
        """Yield what was chosen and why: only a row can say it."""
        yield self.chosen
        if self.reason:
            yield self.reason

    def faults(self) -> Iterator[str]:
        """Yield RM168 where it has neither a table alone nor both ends alone, RM928 where these do not ascend."""
        free = self.low is not None and self.high is not None
        if free == bool(self.table) or (self.table and (self.of or self.low is not None or self.high is not None)):
            yield "RM168"
        if upside_down(self.low, *self.of, self.high):
            yield "RM928"

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the range of what stands unless chosen, and of what may be chosen."""
        chosen = operand_range(self.chosen, known)
        if self.table:
            cells = cells_range(plan.tables.get(self.table), CELLS)
            places = None if cells.places is None else max(cells.places, chosen.places or 0)
            return replace(cells, places=places)
        low, high = (operand_range(end, known) for end in (self.low or "", self.high or ""))
        within = Range(max(low.low, chosen.low), min(high.high, chosen.high), chosen.places, raw=chosen.raw)
        stands = [operand_range(operand, known) for operand in self.of]
        if within.low > within.high:
            return stands[0] if stands else within
        return extreme_range([*stands, within])
