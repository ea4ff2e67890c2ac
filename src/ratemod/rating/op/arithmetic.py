"""Product, sum, difference, ratio, largest, smallest, percentages added."""

from __future__ import annotations

from decimal import Decimal
from functools import partial, reduce

import numpy as np

from ratemod.plan.op.arithmetic import (
    AddPercentages,
    Arithmetic,
    Difference,
    Extreme,
    Largest,
    Product,
    Ratio,
    Smallest,
    Sum,
)
from ratemod.plan.ranges import snap_places
from ratemod.rating import rational as q
from ratemod.rating.block import Block
from ratemod.rating.compiling import Compiling, Fill, Readings, Run
from ratemod.rating.rational import Rational
from ratemod.rating.working import Here


def _exact_product(operation: Product, here: Here) -> Rational:
    return reduce(q.multiply, here.of(operation))


def _exact_sum(operation: Sum, here: Here) -> Rational:
    return reduce(q.add, here.of(operation))


def _exact_difference(operation: Difference, here: Here) -> Rational:
    return reduce(partial(q.add, sign=-1), here.of(operation))


def _exact_percentages(operation: AddPercentages, here: Here) -> Rational:
    return reduce(q.add, here.of(operation), q.constant(Decimal(1 - len(operation.of)), here.n))


def _exact_ratio(operation: Ratio, here: Here) -> Rational:
    return q.divide(*here.of(operation))


def exact_extreme(operation: Extreme, here: Here, sign: int) -> Rational:
    """Return the largest (sign 1) or smallest (-1) of several values; none where one of them has none."""
    found, *rest = here.of(operation)
    for item in rest:
        both = q.choose(q.compare(item, found) == sign, item, found)
        found = Rational(both.num, both.den, item.ok & found.ok)
    return found


def chain(ufunc: np.ufunc) -> Fill:
    """Return what fills a step with its values joined one after another."""

    def compile_(operation: Arithmetic, compiling: Compiling) -> Run:
        (first, *rest), constants = operation.of, compiling.floats

        def chain(block: Block) -> None:
            out = block.buffer(compiling.name)
            if not rest:
                out[:] = block.get(first, constants)
                return
            ufunc(block.get(first, constants), block.get(rest[0], constants), out=out)
            for operand in rest[1:]:
                ufunc(out, block.get(operand, constants), out=out)

        return snapped(compiling, chain)

    return compile_


def _fill_percentages(operation: AddPercentages, compiling: Compiling) -> Run:
    def add(block: Block) -> None:
        out = block.buffer(compiling.name)
        out[:] = 1.0 - len(operation.of)
        for operand in operation.of:
            np.add(out, block.get(operand, compiling.floats), out=out)

    return snapped(compiling, add)


def snapped(compiling: Compiling, run: Run) -> Run:
    """Put sums that may cancel back on their grid, where `ranges` counts on it: the float nearest to the decimal."""
    assert compiling.step is not None
    places, name = snap_places(compiling.step, compiling.plan, compiling.known), compiling.name
    if places is None:
        return run
    scale = 10.0**places

    def snapped(block: Block) -> None:
        run(block)
        out = block.buffer(name)
        np.multiply(out, scale, out=out)
        np.rint(out, out=out)
        np.divide(out, scale, out=out)

    return snapped


def _fill_ratio(operation: Ratio, compiling: Compiling) -> Run:
    top, below = operation.of

    def divide(block: Block) -> None:
        out = block.buffer(compiling.name)
        divisor = block.get(below, compiling.floats)
        np.divide(block.get(top, compiling.floats), divisor, out=out)
        zero = np.equal(divisor, 0)
        if np.any(zero):
            np.copyto(out, np.nan, where=zero)

    return divide


READINGS: Readings = {
    Product: (_exact_product, chain(np.multiply)),
    Sum: (_exact_sum, chain(np.add)),
    Difference: (_exact_difference, chain(np.subtract)),
    Ratio: (_exact_ratio, _fill_ratio),
    Largest: (partial(exact_extreme, sign=1), chain(np.maximum)),
    Smallest: (partial(exact_extreme, sign=-1), chain(np.minimum)),
    AddPercentages: (_exact_percentages, _fill_percentages),
}
