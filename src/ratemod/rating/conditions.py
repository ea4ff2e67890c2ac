"""Comparisons and conditions over blocks, compiled once a plan: what floats can decide is known before any row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from ratemod.plan.interval import UNIT, Range, operand_range
from ratemod.plan.model import Condition, Legal, Plan, Test
from ratemod.plan.operand import Operand
from ratemod.rating.axes import Bands, number_of
from ratemod.rating.block import Block, Floats, Mask, largest
from ratemod.rating.working import level_test, named_test, order_test

Number = Floats | float
Compare = Callable[[Block, Number, Number], Mask]
Holds = Callable[[Block], Mask]


def comparison(known_x: Range, known_y: Range, or_equal: bool) -> Compare:
    """Return the function that says where x > y (or x >= y) by exact arithmetic.

    Rows that floats cannot decide become suspect. Near equality x is no larger than y, so that the error of either
    is taken at the size of the one that is smaller, or fixed.
    """
    if known_x.raw and known_y.raw:
        return lambda _, x, y: np.greater_equal(x, y) if or_equal else np.greater(x, y)
    if known_x.on_grid and known_y.on_grid:
        half = (-0.5 if or_equal else 0.5) * 10.0 ** -max(known_x.places or 0, known_y.places or 0)
        return lambda block, x, y: np.greater(apart(block, x, y), half)
    rel, least = known_x.rel + known_y.rel + 8 * UNIT, known_x.abs + known_y.abs
    positive_x, positive_y = known_x.low >= 0, known_y.low >= 0

    def exceeds(block: Block, x: Number, y: Number) -> Mask:
        size = largest(x, positive_x) if isinstance(x, float) else largest(y, positive_y)
        slack = (rel * size if rel else 0.0) + least
        if isinstance(y, float):
            sure, maybe = np.greater(x, y + slack), np.greater_equal(x, y - slack)
        elif isinstance(x, float):
            sure, maybe = np.less(y, x - slack), np.less_equal(y, x + slack)
        else:
            by = apart(block, x, y)
            sure, maybe = np.greater(by, slack), np.greater_equal(by, -slack)
        if np.count_nonzero(sure) != np.count_nonzero(maybe):
            block.suspect |= maybe != sure
        return maybe if or_equal else sure

    return exceeds


def apart(block: Block, x: Number, y: Number) -> Floats:
    """Return x - y in the block's own memory."""
    found: Floats = np.subtract(x, y, out=block.scratch(float, 1))
    return found


class Conditions:
    """The conditions of a plan, each test of them compiled once and decided once a block."""

    def __init__(
        self, plan: Plan, known: Mapping[str, Range], constants: Mapping[str, float], bands: Mapping[str, Bands]
    ) -> None:
        self.plan, self.known, self.constants, self.bands = plan, known, constants, bands
        self.tests: dict[Test, Holds] = {}

    def of(self, condition: Condition) -> Holds:
        """Return the function that says where a condition holds; the fast twin of `working.holds`.

        What it returns serves every condition of the block that asks the same: it must not be written to.
        """
        if isinstance(condition, Test):
            if condition not in self.tests:
                self.tests[condition] = self._test(condition)
            return self.tests[condition]
        parts = [self.of(part) for part in condition.parts]
        every, none = condition.how == "all", condition.how == "none"

        def combined(block: Block) -> Mask:
            found = parts[0](block)
            for part in parts[1:]:
                found = found & part(block) if every else found | part(block)
            return ~found if none else found

        return combined

    def _test(self, test: Test) -> Holds:
        plan, column = self.plan, self.plan.columns.get(test.of)
        parts: list[Holds] = []
        if column is not None and column.kind not in ("number", "date"):
            parts.append(lambda block: named_test(test, plan, block.inputs))
        elif test.names_levels:  # a step that classifies
            kind = plan.level_columns[test.of].code_type
            parts.append(lambda block: level_test(test, plan, block.codes_of(test.of, kind)))
        levels = plan.level_columns
        if test.compared and test.of in levels and levels[test.of].codes():
            of = partial(lambda block, name: block.codes_of(name, levels[name].code_type))
            parts.append(lambda block: order_test(test, plan, partial(of, block)))
        else:
            for key, end in test.compared.items():
                parts.append(self._compared(test.of, end, key in ("at_most", "below"), key in ("at_least", "at_most")))
        if test.missing is not None and (column is None or column.kind in ("number", "date")):
            parts.append(lambda block: np.isnan(block.column(test.of, self.constants)) == test.missing)

        def tested(block: Block) -> Mask:
            if tested not in block.tests:
                found = parts[0](block) if parts else np.ones(block.inputs.n, dtype=bool)
                for part in parts[1:]:
                    found = found & part(block)
                block.tests[tested] = found
            return block.tests[tested]

        return tested

    def _compared(self, name: str, end: Operand, flip: bool, or_equal: bool) -> Holds:
        """Return where a name lies above an end, or below it where `flip` is given."""
        bands, number = self.bands.get(name), number_of(end, self.plan)
        mark = -1 if bands is None or number is None else bands.mark(number, or_equal != flip)
        if bands is not None and mark >= 0:
            return lambda block: bands.above(block, mark, below=flip)
        own, other = operand_range(name, self.known), operand_range(end, self.known)
        compare = comparison(other if flip else own, own if flip else other, or_equal)

        def compared(block: Block) -> Mask:
            value, limit = block.get(name, self.constants), block.get(end, self.constants)
            found = compare(block, limit, value) if flip else compare(block, value, limit)
            return found if isinstance(found, np.ndarray) else np.full(block.inputs.n, found)

        return compared

    def _unlimited(self, name: str, end: Operand, block: Block) -> Mask:
        value, limit = block.column(name, self.constants), block.get(end, self.constants)
        return np.isnan(limit) & ~np.isnan(value)

    def excepted(self, item: Legal) -> Holds:
        """Return where the exception of a legal range holds; nowhere without one."""
        if item.exception is not None:
            return self.of(item.exception.when)
        return lambda block: np.zeros(block.inputs.n, dtype=bool)

    def outside(self, item: Legal) -> Holds:
        """Return where a value lies outside a legal range; a missing value does not."""
        parts: list[Holds] = []
        for end, low in ((item.low, True), (item.high, False)):
            if end is not None:
                parts.append(self._compared(item.of, end, low, or_equal=False))
                if number_of(end, self.plan) is None:  # without its limit a value is not known to be lawful
                    parts.append(partial(self._unlimited, item.of, end))

        def outside(block: Block) -> Mask:
            found = np.zeros(block.inputs.n, dtype=bool)
            for part in parts:
                found |= part(block)
            return found

        return outside
