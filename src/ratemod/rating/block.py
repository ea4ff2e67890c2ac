"""Working memory of one thread, and comparisons that know what floats can decide."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ratemod.plan.model import Combination, Condition, Legal, Operand, Plan, Test
from ratemod.plan.ranges import UNIT, Range, operand_range
from ratemod.rating.exact import named_test
from ratemod.rating.inputs import Inputs

if TYPE_CHECKING:
    from ratemod.rating.axes import Bands

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Slots = npt.NDArray[np.uint16]


class Values(dict[str, Floats]):
    """Columns and steps of a block by name; a column becomes floats when it is first read."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.block = block

    def __missing__(self, name: str) -> Floats:
        self[name] = found = self.block.column_of(name)
        return found


@dataclass(eq=False)
class Block:
    """Working memory of one thread, used again for every block of rows.

    Attributes
    ----------
    values : mapping of (n,) float64
        Columns and steps of the current block.
    suspect : (n,) bool
        Rows that the exact path must decide.
    bits : (n,) int16 or int64
        Two bits a bounding step: its low end held, its high end held.
    applies : mapping of (n,) bool
        For conditional steps: rows that meet the condition.
    slots, gaps, masks
        Cases of every row on an axis, whether any is missing, conditions: found once a block.
    within : (Block, rows) or None
        The block that this one is part of.
    traced : bool
        Every step is computed, each by its own function, so that ties can be decided from the steps before them.
    """

    size: int
    buffers: dict[Hashable, npt.NDArray[Any]] = field(default_factory=dict)
    values: Values = field(init=False)
    applies: dict[str, Mask] = field(default_factory=dict)
    slots: dict[Hashable, npt.NDArray[Any]] = field(default_factory=dict)
    gaps: dict[str, bool] = field(default_factory=dict)
    masks: dict[int, tuple[Mask, Mask, bool]] = field(default_factory=dict)
    inputs: Inputs = field(default_factory=lambda: Inputs(0))
    bands: Mapping[str, Bands] = field(default_factory=dict)
    suspect: Mask = field(default_factory=lambda: np.zeros(0, dtype=bool))
    bits: npt.NDArray[Any] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    within: tuple[Block, npt.NDArray[np.intp]] | None = None
    inner: dict[int, Block] = field(default_factory=dict)
    traced: bool = False

    def __post_init__(self) -> None:
        self.values = Values(self)

    def start(self, inputs: Inputs, bits: npt.DTypeLike = np.int64, bands: Mapping[str, Bands] | None = None) -> None:
        """Begin a block."""
        self.release()
        self.inputs, self.bands = inputs, bands or {}
        self.suspect = np.zeros(inputs.n, dtype=bool)
        self.bits = np.zeros(inputs.n, dtype=bits)

    def release(self) -> None:
        """Let go of the block's inputs; the buffers stay."""
        self.inputs, self.within, self.traced = Inputs(0), None, False
        for held in (self.values, self.applies, self.slots, self.gaps, self.masks):
            held.clear()
        for block in self.inner.values():
            block.release()

    def part(self, rows: npt.NDArray[np.intp], place: int) -> Block:
        """Return a block of some of the rows, whose columns and steps are gathered as they are read."""
        block = self.inner.setdefault(place, Block(self.size))
        block.start(self.inputs.gathered(rows), self.bits.dtype, self.bands)
        block.within = self, rows
        return block

    def column_of(self, name: str) -> Floats:
        """Return a column as floats, or a step of the block that this is part of."""
        if name in self.inputs.numbers:
            return self.floats(name, self.inputs.numbers[name])
        if self.within is None:
            raise KeyError(name)
        whole, rows = self.within
        return np.take(whole.values[name], rows, out=self.buffer(name), mode="clip")

    def floats(self, name: str, array: npt.NDArray[Any]) -> Floats:
        """Return a column as float64: itself, or a copy in a buffer of this thread."""
        if array.dtype == np.float64:
            return array
        out = self.buffer(name)
        np.copyto(out, array)
        return out

    def buffer(self, name: Hashable, kind: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
        """Return the array a step writes to."""
        if name not in self.buffers:
            self.buffers[name] = np.empty(self.size, dtype=kind)
        return self.buffers[name][: self.inputs.n]

    def get(self, operand: Operand, constants: Mapping[str, float]) -> Floats | float:
        """Return the values of a name, or a number."""
        if isinstance(operand, Decimal):
            return float(operand)
        return constants[operand] if operand in constants else self.values[operand]

    def column(self, name: str, constants: Mapping[str, float]) -> Floats:
        """Return the values of a name as an array, a constant repeated."""
        return np.full(self.inputs.n, constants[name]) if name in constants else self.values[name]


def largest(values: Floats | float, known: Range) -> float:
    """Return the largest absolute value, missing ones apart."""
    if isinstance(values, float):
        return abs(values)
    top = float(np.fmax.reduce(values, initial=0.0))
    return top if known.low >= 0 else max(top, -float(np.fmin.reduce(values, initial=0.0)))


def exceeds(block: Block, x: Floats | float, known_x: Range, y: Floats | float, known_y: Range, or_equal: bool) -> Mask:
    """Return where x > y (or x >= y) by exact arithmetic; rows that floats cannot decide become suspect."""
    if known_x.raw and known_y.raw:
        return np.greater_equal(x, y) if or_equal else np.greater(x, y)
    if known_x.on_grid and known_y.on_grid:
        half = 0.5 * 10.0 ** -max(known_x.places or 0, known_y.places or 0)
        return np.greater(np.subtract(x, y), -half if or_equal else half)
    if isinstance(x, float) and isinstance(y, float):
        x = np.full(block.inputs.n, x)
    # Only near the other side does an error matter: there, x is no larger than y, and the reverse.
    size = largest(x, known_x) if isinstance(x, float) else largest(y, known_y)
    slack = known_x.error_at(size) + known_y.error_at(size) + 8 * UNIT * size
    if isinstance(y, float):
        sure, maybe = np.greater(x, y + slack), np.greater_equal(x, y - slack)
    elif isinstance(x, float):
        sure, maybe = np.less(y, x - slack), np.less_equal(y, x + slack)
    else:
        apart = np.subtract(x, y, out=block.buffer(("scratch", "apart")))
        sure, maybe = apart > slack, apart >= -slack
    if np.count_nonzero(sure) != np.count_nonzero(maybe):
        block.suspect |= maybe != sure
    return maybe if or_equal else sure


def holds(
    condition: Condition, plan: Plan, block: Block, known: Mapping[str, Range], constants: Mapping[str, float]
) -> Mask:
    """Return where a condition holds; the fast twin of `exact.holds`."""
    if isinstance(condition, Combination):
        masks = [holds(part, plan, block, known, constants) for part in condition.parts]
        found = masks[0]
        for mask in masks[1:]:
            found = found & mask if condition.how == "all" else found | mask
        return ~found if condition.how == "none" else found
    return _test(condition, plan, block, known, constants)


def _test(test: Test, plan: Plan, block: Block, known: Mapping[str, Range], constants: Mapping[str, float]) -> Mask:
    mask = named_test(test, plan, block.inputs)
    bands = block.bands.get(test.of)
    for end, flip, or_equal in (
        (test.at_least, False, True),
        (test.above, False, False),
        (test.at_most, True, True),
        (test.below, True, False),
    ):
        if end is None:
            continue
        mark = -1
        if bands is not None:
            number = plan.constants[end].value if isinstance(end, str) and end in plan.constants else end
            mark = bands.mark(number, or_equal != flip) if isinstance(number, Decimal) else -1
        if bands is not None and mark >= 0:
            mask &= bands.above(block, mark, below=flip)
            continue
        value, limit = block.get(test.of, constants), block.get(end, constants)
        known_value, known_limit = operand_range(test.of, known), operand_range(end, known)
        if flip:
            mask &= exceeds(block, limit, known_limit, value, known_value, or_equal)
        else:
            mask &= exceeds(block, value, known_value, limit, known_limit, or_equal)
    if test.missing is not None and (test.of in block.inputs.numbers or test.of in block.values):
        mask &= np.isnan(block.values[test.of]) == test.missing
    return mask


def outside_range(item: Legal, block: Block, known: Mapping[str, Range], constants: Mapping[str, float]) -> Mask:
    """Return where a value lies outside a legal range; a missing value does not."""
    value, reach = block.get(item.of, constants), operand_range(item.of, known)
    outside = np.zeros(block.inputs.n, dtype=bool)
    if item.low is not None:
        outside |= exceeds(block, float(item.low), operand_range(item.low, known), value, reach, or_equal=False)
    if item.high is not None:
        outside |= exceeds(block, value, reach, float(item.high), operand_range(item.high, known), or_equal=False)
    return outside
