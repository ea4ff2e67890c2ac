"""The few ways in which rows differ where a plan only asks for a level, a band or a condition.

A level column has its levels. A number that is only compared with numbers of the plan (edges of bands, limits in
conditions) has the intervals between them. A condition holds or does not. Each numbers its cases, so that whatever
depends on a few of them can be worked out once a plan and taken by row (`ratemod.rating.fold`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import ceil, floor

import numpy as np
import numpy.typing as npt

from ratemod.plan.grid import GridAxis, grid
from ratemod.plan.interval import Range
from ratemod.plan.model import Plan, Step
from ratemod.plan.reads import conditions_of, tests_of
from ratemod.rating.block import Block, Slots

FEW_MARKS = 8  # up to here, comparing with each mark is cheaper than a search or a table
MOST_MARKS = 1000
TABLE = 1 << 14  # whole numbers of a narrow range find their case by one take


@dataclass(frozen=True, eq=False, slots=True)
class Axis:
    """Cases that rows fall into.

    Attributes
    ----------
    key : hashable
    size : int
        Number of cases; where a value can be missing, the last case is that.
    reads : tuple of str
        Columns and steps it looks at.
    slots : function
        Block -> (n,) uint16, the case of every row.
    stand : function
        Makes a block of cells look like rows of the cases given.
    """

    key: Hashable
    size: int
    reads: tuple[str, ...]
    slots: Callable[[Block], Slots]
    stand: Callable[[Block, Slots], None]


@dataclass(frozen=True, eq=False)
class Bands:
    """A number with few decimals, cut at every number of the plan that it is compared with.

    Attributes
    ----------
    marks : tuple of int
        Ascending, as multiples of 10^-places; a value is in case k when it has reached k of them.
    raw : bool
        Its floats are the nearest to their decimals; others are compared half a grid step lower.
    """

    name: str
    places: int
    marks: tuple[int, ...]
    raw: bool

    @property
    def size(self) -> int:
        """Number of cases, that of a missing value included."""
        return len(self.marks) + 2

    def mark(self, number: Decimal, or_equal: bool) -> int:
        """Return k such that ``value >= number`` (or ``>``) exactly where the case is above k; -1 if not marked."""
        wanted = reached(number, self.places, or_equal)
        return self.marks.index(wanted) if wanted in self.marks else -1

    def slots(self, block: Block) -> Slots:
        """Return the case of every row of a block."""
        if self.name not in block.slots:
            block.slots[self.name], block.gaps[self.name] = self._slots(block)
        return block.slots[self.name]

    def above(self, block: Block, mark: int, below: bool = False) -> npt.NDArray[np.bool_]:
        """Return where a value has reached a mark, or has not; False where it is missing."""
        slots = self.slots(block)
        mask: npt.NDArray[np.bool_] = slots <= mark if below else slots > mark
        if block.gaps[self.name] and not below:
            mask &= slots != self.size - 1
        return mask

    def missing(self, block: Block) -> npt.NDArray[np.bool_]:
        """Return where there is no value."""
        slots = self.slots(block)
        return slots == self.size - 1 if block.gaps[self.name] else np.zeros(block.inputs.n, dtype=bool)

    def _slots(self, block: Block) -> tuple[Slots, bool]:
        values = block.inputs.numbers.get(self.name)
        if values is None:
            values = block.values[self.name]
        whole = values.dtype.kind in "iu"
        gaps = not whole and bool(np.isnan(np.maximum.reduce(values, initial=-np.inf)))
        missing = np.isnan(values) if gaps else None
        edges = self.whole_edges if whole else self.edges
        if len(edges) <= FEW_MARKS:
            found = np.greater_equal(values, edges[0]).view(np.uint8)
            for edge in edges[1:]:
                found += np.greater_equal(values, edge).view(np.uint8)
            slots = found.astype(np.uint16)
        elif self.table is not None and (whole or self.raw):
            at = block.scratch(int)
            np.copyto(at, values, casting="unsafe")
            at -= self.marks[0] - 1
            slots = np.take(self.table, at, mode="clip")
        else:
            slots = np.searchsorted(np.array(edges), values, side="right").astype(np.uint16)
        if missing is not None:
            if len(edges) > FEW_MARKS:
                slots[missing] = 0
            slots += missing * np.uint16(self.size - 1)
        return slots, gaps

    @cached_property
    def edges(self) -> list[float]:
        """The marks as floats to compare with."""
        scale: int = 10**self.places
        half = 0.0 if self.raw else 0.5 / scale
        return [mark / scale - half for mark in self.marks]  # int / int is correctly rounded in Python

    @cached_property
    def whole_edges(self) -> list[int]:
        """The marks as whole numbers to compare whole numbers with."""
        scale: int = 10**self.places
        return [-(-mark // scale) for mark in self.marks]

    @cached_property
    def table(self) -> Slots | None:
        """The case of every whole number from just below the first mark to the last, unless they are far apart."""
        if self.places or self.marks[-1] - self.marks[0] > TABLE:
            return None
        numbers = np.arange(self.marks[0] - 1, self.marks[-1] + 1)
        return np.searchsorted(np.array(self.marks), numbers, side="right").astype(np.uint16)

    def axis(self) -> Axis:
        """Return the cases as an axis."""
        stands = [*(mark / 10**self.places for mark in (self.marks[0] - 1, *self.marks)), np.nan]

        def stand(block: Block, slots: Slots) -> None:
            block.values[self.name] = np.array(stands)[slots]

        return Axis(self.name, self.size, (self.name,), self.slots, stand)


def reached(number: Decimal, places: int, or_equal: bool) -> int:
    """Return the least multiple of 10^-places that is ``>= number``, or ``> number``."""
    scaled = Fraction(number) * Fraction(10**places)
    return ceil(scaled) if or_equal else floor(scaled) + 1


def bands_of(plan: Plan, known: Mapping[str, Range]) -> dict[str, Bands]:
    """Return, by name, every column and step that is compared with numbers of the plan on a grid of its own."""
    marks: dict[str, set[int]] = {}
    for name, number, or_equal in _comparisons(plan):
        reach = known.get(name, Range())
        if name not in plan.constants and reach.places is not None and (reach.raw or reach.on_grid):
            marks.setdefault(name, set()).add(reached(number, reach.places, or_equal))
    return {
        name: Bands(name, known[name].places or 0, tuple(sorted(found)), known[name].raw)
        for name, found in marks.items()
        if len(found) <= MOST_MARKS
    }


def _comparisons(plan: Plan) -> Iterator[tuple[str, Decimal, bool]]:
    """Yield each comparison of a name with a number of the plan: name, number, whether equality reaches it."""
    for step in plan.steps:
        for axis in axes_of_table(plan, step) if step.operation.by_cell else ():
            for mark in axis.marks if axis.axis.kind in ("band", "number") else ():
                if axis.axis.kind == "number":
                    yield axis.bound, Decimal(mark), True
                    yield axis.bound, Decimal(mark), False
                else:
                    yield axis.bound, Decimal(mark), axis.side == "right"
    for condition in conditions_of(plan):
        for test in tests_of(condition):
            for key, end in test.compared.items():
                number = number_of(end, plan)
                if number is not None:
                    yield test.of, number, key in ("at_least", "below")


def number_of(operand: str | Decimal | None, plan: Plan) -> Decimal | None:
    """Return the number that an operand is, itself or as a constant; None for a column or step."""
    if isinstance(operand, str):
        return plan.constants[operand].value if operand in plan.constants else None
    return operand


def axes_of_table(plan: Plan, step: Step) -> tuple[GridAxis, ...]:
    """Return the axes of the table that a step reads; none where it reads no table."""
    table = plan.tables.get(step.operation.table)
    found = None if table is None else grid(table, step.operation.by, plan.level_columns)
    return () if found is None else found.axes


def level_axis(name: str, levels: int) -> Axis:
    """Return a level column's cases: its levels, and none of them."""
    kind = np.int16 if levels < 2**15 else np.int32

    def slots(block: Block) -> Slots:
        if ("level", name) not in block.slots:
            codes = block.codes_of(name, kind)
            unsigned = np.uint16 if codes.itemsize == 2 else np.uint32
            found = codes.view(unsigned)  # -1 read without its sign is the largest number
            lost = codes.min(initial=0) < 0
            block.slots["level", name] = np.minimum(found, unsigned(levels)) if lost else found
        return block.slots["level", name]

    def stand(block: Block, slots: Slots) -> None:
        codes = np.where(slots == levels, -1, slots.astype(kind)).astype(kind)
        block.inputs.codes[name] = codes  # type: ignore[index]

    return Axis(name, levels + 1, (), slots, stand)


def condition_axis(place: int, reads: tuple[str, ...], applies: Callable[[Block], object]) -> Axis:
    """Return the two cases of a condition: it does not hold, it holds."""

    def slots(block: Block) -> Slots:
        applies(block)
        return block.masks[place][0].astype(np.uint16)

    def stand(block: Block, slots: Slots) -> None:
        mask = slots.astype(bool)
        block.masks[place] = mask, ~mask, bool(mask.all())

    return Axis(("when", place), 2, reads, slots, stand)
