"""Rounding over blocks, ties decided as exact arithmetic decides them.

Two facts keep this cheap. A value with few decimals lies on a grid much wider than its float error: half a grid step
decides every tie. And rounding is monotone: where a bound or cap holds, what is rounded is the bound, carried
through the steps after it, which lies on such a grid even if the value that was bounded does not. So of the rows near
a tie only those are looked at twice of which neither is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from math import inf

import numpy as np
import numpy.typing as npt

from ratemod.plan.interval import UNIT, Range, operand_range, places_of
from ratemod.plan.op.limits import Limit
from ratemod.plan.op.rounding import Power, Round
from ratemod.plan.operand import Operand
from ratemod.plan.ranges import range_where
from ratemod.rating.block import Block, Floats, largest
from ratemod.rating.compiling import Compiling, Run
from ratemod.rating.residue import side_of_tie


@dataclass(frozen=True, slots=True)
class Reach:
    """How near a tie a value can come without lying on it, in units of the rounding.

    Attributes
    ----------
    spacing : float
        Distance from a tie to the next value that is possible; 0 where any value is.
    rel, slip : float
        Error of the float, relative and absolute, twice over.
    bit : int
        The binding end under which this holds; 0 where it holds for all rows.
    """

    spacing: float
    rel: float
    slip: float
    bit: int = 0

    def fine(self, size: float, slack: float) -> bool:
        """Return whether every value within `slack` of a tie lies on it, for values up to `size`."""
        spread = self.spread(size)
        return size < 2**50 * self.spacing and spread <= slack and slack + 2 * spread < 0.5 * self.spacing

    def spread(self, size: float) -> float:
        """Return the largest float error of values up to `size`."""
        return self.rel * size + self.slip


def reach_of(operation: Round | Power, of: Range, to: Range, bit: int = 0) -> Reach:
    """Return how near its ties a rounding's operand can come, from what is known of it and of the exponent."""
    quantum = operation.unit
    unit = float(quantum)
    halves = isinstance(operation, Power) or operation.mode in ("half_up", "half_even")
    tie = places_of(quantum / 2 if halves else quantum)
    inexact = of.places is None or isinstance(operation, Power)
    spacing = 0.0 if inexact else min(10.0 ** -max(of.places or 0, tie) / unit, 1.0)
    # x^e moves by |e| times the relative error of x, and by ln x (below 710 in a float) times the error of e.
    most = float(to.size) if to.size != inf else inf
    rel = 2 * (of.rel * max(most, 1.0) + 4 * UNIT + (0.0 if to.raw else 710 * to.error_at(most)))
    return Reach(spacing, rel, 2 * of.abs / unit, bit)


def fill_rounded(operation: Round | Power, compiling: Compiling) -> Run:
    """Return the function that fills a `round` or `power` step."""
    quantum, constants, of = operation.unit, compiling.floats, operation.of[0]
    mode = operation.mode if isinstance(operation, Round) else "half_up"
    exponent = operation.exponent if isinstance(operation, Power) else None
    numerator, denominator = (float(part) for part in quantum.as_integer_ratio())
    signed = compiling.known[compiling.name].low < 0
    to = operand_range(Decimal(1) if exponent is None else exponent, compiling.known)
    reach = reach_of(operation, operand_range(of, compiling.known), to)

    @cache
    def reaches() -> tuple[Reach, ...]:
        held = () if mode == "half_even" else _held(of, compiling)
        return tuple(reach_of(operation, where, to, bit) for bit, where in held)

    def round_(block: Block) -> None:
        out = block.buffer(compiling.name)
        given = block.get(of, constants)
        if exponent is not None:
            raised = block.get(exponent, constants)
            np.copyto(out, np.power(given, raised, where=np.greater(given, 0), out=np.full(block.inputs.n, np.nan)))
            given = out
        np.multiply(given, denominator / numerator if numerator == 1 else denominator, out=out)
        if numerator != 1:
            np.divide(out, numerator, out=out)
        negative = np.signbit(out) if signed else None
        if signed:
            np.abs(out, out=out)
        size = largest(out, positive=True)
        slack = 0.25 * reach.spacing
        fine = reach.fine(size, slack)
        if not fine:
            slack = min(2 * reach.spread(size), 0.25)
        open_to_ends = not fine and slack < 0.25
        sure = sum(item.bit for item in reaches() if item.fine(size, slack)) if open_to_ends else 0
        near, apart = whole(block, out, mode, slack, fine, sure)
        if len(near):
            settle(block, out, near, apart)
        if numerator != 1:
            np.multiply(out, numerator, out=out)
        if denominator != 1:
            np.divide(out, denominator, out=out)
        if negative is not None:
            np.negative(out, out=out, where=negative)

    def settle(block: Block, out: Floats, near: npt.NDArray[np.intp], apart: Floats) -> None:
        """Decide rows near a tie: by their own float error if it is small enough, else, in a trace, by integers."""
        upper = out[near]
        spread = reach.rel * (upper + 1.0) + reach.slip
        sign = np.sign(apart).astype(np.int8)
        decided = (np.abs(apart) > spread) & (spread < 0.25)
        if block.traced and exponent is None and isinstance(of, str) and of not in constants:
            open_ = np.flatnonzero(~decided & (spread < 0.25))
            ties = (2 * upper[open_] - (1 if mode in ("half_up", "half_even") else 0)).astype(np.int64)
            reach_row = 2 * spread[open_] * float(quantum)
            exact_sign, sure = side_of_tie(compiling, block, of, near[open_], ties, Fraction(quantum) / 2, reach_row)
            sign[open_[sure]] = exact_sign[sure]
            decided[open_[sure]] = True
        if mode == "up":
            upper += sign > 0
        elif mode == "half_even":
            upper -= (sign < 0) | ((sign == 0) & (upper % 2 == 1))
        else:
            upper -= sign < 0
        out[near] = upper
        block.suspect[near[~decided]] = True

    return round_


def _held(of: Operand, compiling: Compiling) -> list[tuple[int, Range]]:
    """Return, for each binding end before a rounding, its bit and what is then known of what is rounded."""
    found: list[tuple[int, Range]] = []
    if of in compiling.steps:
        for place, name in enumerate(compiling.bounding):
            limit = compiling.steps[name].operation
            assert isinstance(limit, Limit)
            for end, reach in enumerate(limit.end_ranges(compiling.known)):
                where = None if reach is None else range_where(compiling.plan, compiling.known, name, reach, str(of))
                if where is not None:
                    found.append((1 << 2 * place + end, where))
    return found


def whole(
    block: Block, out: Floats, mode: str, slack: float, fine: bool, sure: int
) -> tuple[npt.NDArray[np.intp], Floats]:
    """Round non-negative values to whole numbers in place.

    Parameters
    ----------
    sure : int
        Binding ends under which a value within `slack` of a tie lies on it.

    Returns
    -------
    near : (m,) intp
        Rows within `slack` of a tie that may not lie on it, rounded as if they did.
    apart : (m,) float64
        Their float distance from the tie.
    """
    shift = {"down": 0.0, "up": 0.0}.get(mode, 0.5)
    over = block.scratch(float)
    np.add(out, shift - slack if mode == "up" else shift + slack, out=over)
    (np.ceil if mode == "up" else np.floor)(over, out=out)
    if fine and mode != "half_even":
        return np.zeros(0, dtype=np.intp), np.zeros(0)
    np.subtract(out if mode == "up" else over, over if mode == "up" else out, out=over)
    open_ = over < 2 * slack if slack < 0.25 else ~np.isnan(out)
    if sure and open_.any():
        open_ &= (block.bits & block.bits.dtype.type(sure)) == 0
    near = np.flatnonzero(open_) if open_.any() else np.zeros(0, dtype=np.intp)
    apart = over[near] - slack
    return near, -apart if mode == "up" else apart
