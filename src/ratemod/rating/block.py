"""Working memory of one thread, and comparisons that know what floats can decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.plan.model import Combination, Condition, Legal, Operand, Plan, Test
from ratemod.plan.ranges import Range, operand_range
from ratemod.rating.exact import level_test, named_test
from ratemod.rating.inputs import Inputs

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


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
    """

    size: int
    buffers: dict[str, Floats] = field(default_factory=dict)
    values: dict[str, Floats] = field(default_factory=dict)
    applies: dict[str, Mask] = field(default_factory=dict)
    slots: dict[tuple[str, int], npt.NDArray[np.intp]] = field(default_factory=dict)
    masks: dict[int, tuple[Mask, Mask, bool]] = field(default_factory=dict)
    inputs: Inputs = field(default_factory=lambda: Inputs(0))
    suspect: Mask = field(default_factory=lambda: np.zeros(0, dtype=bool))
    bits: npt.NDArray[Any] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def start(self, inputs: Inputs, bits: npt.DTypeLike = np.int64) -> None:
        """Begin a block."""
        self.inputs = inputs
        self.values = {name: self.floats(name, array) for name, array in inputs.numbers.items()}
        self.applies.clear()
        self.slots.clear()
        self.masks.clear()
        self.suspect = np.zeros(inputs.n, dtype=bool)
        self.bits = np.zeros(inputs.n, dtype=bits)

    def release(self) -> None:
        """Let go of the block's inputs; the buffers stay."""
        self.inputs = Inputs(0)
        self.values = {}
        self.applies.clear()
        self.slots.clear()
        self.masks.clear()

    def floats(self, name: str, array: npt.NDArray[Any]) -> Floats:
        """Return a column as float64: itself, or a copy in a buffer of this thread."""
        if array.dtype == np.float64:
            return array
        out = self.buffer(name)
        np.copyto(out, array)
        return out

    def buffer(self, name: str) -> Floats:
        """Return the array a step writes to."""
        if name not in self.buffers:
            self.buffers[name] = np.empty(self.size)
        return self.buffers[name][: self.inputs.n]

    def get(self, operand: Operand, constants: Mapping[str, float]) -> Floats | float:
        """Return the values of a name, or a number."""
        if isinstance(operand, Decimal):
            return float(operand)
        return self.values[operand] if operand in self.values else constants[operand]

    def column(self, name: str, constants: Mapping[str, float]) -> Floats:
        """Return the values of a name as an array, a constant repeated."""
        return self.values[name] if name in self.values else np.full(self.inputs.n, constants[name])


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
    slack = known_x.error_at(largest(x, known_x)) + known_y.error_at(largest(y, known_y))
    apart = np.subtract(x, y)
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
        found: Mask = (np.logical_and if condition.how == "all" else np.logical_or).reduce(masks)
        return ~found if condition.how == "none" else found
    return _test(condition, plan, block, known, constants)


def _test(test: Test, plan: Plan, block: Block, known: Mapping[str, Range], constants: Mapping[str, float]) -> Mask:
    mask = named_test(test, plan, block.inputs)
    if (test.is_ or test.is_not) and test.of in block.values:
        place = block.values[test.of]
        mask &= level_test(test, plan, np.where(np.isnan(place), -1, place).astype(np.int16))
    for end, flip, or_equal in (
        (test.at_least, False, True),
        (test.above, False, False),
        (test.at_most, True, True),
        (test.below, True, False),
    ):
        if end is None:
            continue
        value, limit = block.get(test.of, constants), block.get(end, constants)
        known_value, known_limit = operand_range(test.of, known), operand_range(end, known)
        if flip:
            mask &= exceeds(block, limit, known_limit, value, known_value, or_equal)
        else:
            mask &= exceeds(block, value, known_value, limit, known_limit, or_equal)
    if test.missing is not None and test.of in block.values:
        mask &= np.isnan(block.values[test.of]) == test.missing
    return mask


def outside_range(item: Legal, block: Block, known: Mapping[str, Range], constants: Mapping[str, float]) -> Mask:
    """Return where a value lies outside a legal range; a missing value does not."""
    value, reach = block.get(item.of, constants), operand_range(item.of, known)
    outside = np.zeros(block.inputs.n, dtype=bool)
    for end, above in ((item.low, False), (item.high, True)):
        if end is None:
            continue
        limit, limit_reach = block.get(end, constants), operand_range(end, known)
        if above:
            outside |= exceeds(block, value, reach, limit, limit_reach, or_equal=False)
        else:
            outside |= exceeds(block, limit, limit_reach, value, reach, or_equal=False)
        outside |= np.isnan(limit) & ~np.isnan(value)  # without its limit a value is not known to be lawful
    return outside
