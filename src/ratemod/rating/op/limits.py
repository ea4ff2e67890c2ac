"""A value kept within two ends, or within shares of another amount."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ratemod.plan.interval import extreme_range, operand_range
from ratemod.plan.op.limits import Bound, Cap
from ratemod.plan.operand import Operand
from ratemod.rating import rational as q
from ratemod.rating.block import Block, Mask
from ratemod.rating.compiling import Compiling, Readings, Run
from ratemod.rating.conditions import comparison
from ratemod.rating.rational import Rational
from ratemod.rating.working import Here


def _exact_limit(operation: Bound | Cap, here: Here) -> Rational:
    """Keep within the ends, low first, and record which end held."""
    found, state = here.state.get(operation.of[0]), here.state
    binding = np.zeros(here.n, dtype=np.int8)
    original_ok = found.ok
    for end, sign in zip(operation.ends.values(), (-1, 1)):
        if end is None:
            continue
        limit = state.get(end)
        if isinstance(operation, Cap):
            limit = q.multiply(limit, state.get(operation.against))
        held = q.compare(found, limit) == sign
        binding[held] = sign
        found = q.choose(held, limit, found)
        if isinstance(operation, Bound):  # an end without a value leaves the step without one; a cap lets the row pass
            found = Rational(found.num, found.den, found.ok & limit.ok)
    binding[~original_ok] = 0
    state.binding[here.name] = binding
    return found


def _fill_limit(operation: Bound | Cap, compiling: Compiling) -> Run:
    of, constants = operation.of[0], compiling.floats
    place = 2 * compiling.bounding.index(compiling.name)
    against = operation.against if isinstance(operation, Cap) else ""
    keep = (np.fmax, np.fmin) if against else (np.maximum, np.minimum)  # a cap against nothing lets the row pass
    known_of = operand_range(of, compiling.known)
    ends: list[tuple[Operand, Callable[..., Mask], int]] = []
    for end, reach, sign in zip(operation.ends.values(), operation.end_ranges(compiling.known), (-1, 1)):
        if end is None or reach is None:
            continue
        ends.append((end, comparison(*((reach, known_of) if sign < 0 else (known_of, reach)), or_equal=False), sign))
        known_of = extreme_range([known_of, reach])  # whichever it was: where a limit is missing, not the larger

    def limit_(block: Block) -> None:
        out, found = block.buffer(compiling.name), block.get(of, constants)
        empty = np.isnan(found) if against else None
        lows: Mask | None = None
        for end, exceeds, sign in ends:
            limit = block.get(end, constants)
            if against:
                limit = np.multiply(limit, block.get(against, constants), out=block.scratch(float))
            if sign < 0:
                lows = held = exceeds(block, limit, found)
            else:
                held = exceeds(block, found, limit)
            if not isinstance(limit, float) or held.any():
                keep[sign > 0](found, limit, out=out)
                found = out
                _mark(block, held, lows, place, sign)
        if found is not out:
            np.copyto(out, found)
        if empty is not None and np.any(empty):
            out[empty] = np.nan

    return limit_


def _mark(block: Block, held: Mask, lows: Mask | None, place: int, sign: int) -> None:
    """Note where an end holds."""
    kind = block.bits.dtype.type
    if sign > 0 and lows is not None and (lows & held).any():  # the last end that holds is the one that counts
        block.bits &= ~(held * kind(1 << place))
    block.bits |= held * kind(1 << place + (sign > 0))


READINGS: Readings = {
    Bound: (_exact_limit, _fill_limit),
    Cap: (_exact_limit, _fill_limit),
}
