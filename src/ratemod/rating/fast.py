"""The steps of a plan as NumPy over blocks of rows, and a note of every row that floats cannot decide.

Each step writes one float64 array. Wherever a result hangs on a comparison (a band edge, a bound, a tie in rounding)
the known float error decides whether the float is sure; rows that are not sure are marked `suspect` and done again by
`ratemod.rating.exact`. So the fen are those of exact arithmetic, always.

Rounding rests on two facts. A value with few decimals lies on a grid much wider than its float error: half a grid
step decides every tie. And rounding is monotone: where a bound or cap holds, the rounded value is the rounded
bound, which lies on such a grid, so ties made by caps need no second look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.plan.check import proofs
from ratemod.plan.model import NOTHING, Legal, Plan, Step
from ratemod.plan.ranges import UNIT, Range, bound_ranges, operand_range, ranges, snap_places
from ratemod.rating.block import Block, Floats, Mask, exceeds, holds, largest
from ratemod.rating.calendar import days_between, months_between
from ratemod.rating.fast_more import compile_judged, compile_progressive, in_fen
from ratemod.rating.groups import rollup, share_out
from ratemod.rating.inputs import Inputs
from ratemod.rating.look_up import compile_look_up
from ratemod.rating.residue import Context, side_of_tie

ABSOLUTE = Range(low=Fraction(0))
Run = Callable[[Block], None]


@dataclass(frozen=True, eq=False, slots=True)
class Program:
    """A compiled plan.

    Attributes
    ----------
    runs : tuple of (name, function)
        Each function writes the values of its step into the block.
    bounding : tuple of str
        Names of bounds and caps, in the order of their bits.
    guarded : tuple of Legal
        Legal ranges that the plan alone does not prove.
    whole : bool
        The plan rolls lines up, so that the book must be one block.
    """

    plan: Plan
    known: Mapping[str, Range]
    runs: tuple[tuple[str, Run], ...]
    bounding: tuple[str, ...]
    constants: Mapping[str, float]
    guarded: tuple[Legal, ...]
    whole: bool

    @property
    def bit_type(self) -> type[np.signedinteger[Any]]:
        """The smallest type that holds two bits for every bound and cap."""
        return np.int16 if len(self.bounding) < 8 else np.int64

    def run(self, block: Block, inputs: Inputs) -> None:
        """Evaluate every step for a block of rows."""
        block.start(inputs, self.bit_type)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            for name, run in self.runs:
                run(block)
                block.values[name] = block.buffer(name)


def compile_plan(plan: Plan) -> Program:
    """Return the plan as functions over blocks; costs milliseconds and depends on nothing but the plan."""
    known = ranges(plan)
    constants = {name: float(constant.value) for name, constant in plan.constants.items()}
    bounding = tuple(step.name for step in plan.steps if step.op in ("bound", "cap"))
    context = Context(
        {step.name: step for step in plan.steps},
        known,
        {name: constant.value for name, constant in plan.constants.items()},
        bounding,
    )
    runs = []
    for step in plan.steps:
        run = _compile(plan, step, context, constants)
        runs.append(
            (step.name, run if step.when is None else _conditional(plan, step, run, known, constants, bounding))
        )
    whole = any(step.op in ("rollup", "share_out") for step in plan.steps)
    proved = {proof.name for proof in proofs(plan) if proof.proved}
    guarded = tuple(item for item in plan.legal if item.name not in proved)
    return Program(plan, known, tuple(runs), bounding, constants, guarded, whole)


def _compile(plan: Plan, step: Step, context: Context, constants: Mapping[str, float]) -> Run:
    known = context.known
    match step.op:
        case "judgement" if not step.table:
            return compile_judged(step, known, constants)
        case "lookup" | "classify" | "judgement" | "interpolate":
            return compile_look_up(plan, step, known, constants)
        case "progressive":
            return compile_progressive(plan, step, known, constants)
        case "product" | "sum" | "difference" | "largest" | "smallest":
            return _snapped(plan, step, _chain(step, constants), known)
        case "add_percentages":
            return _snapped(plan, step, _percentages(step, constants), known)
        case "ratio":
            return _ratio(step, constants)
        case "bound" | "cap":
            return _bound(step, known, constants, context.bounding)
        case "round" | "power":
            return _round(step, context, constants)
        case "days" | "months":
            return _dates(step)
        case "rollup" | "share_out":
            return _grouped(step, known)
    raise AssertionError(step.op)


def _conditional(
    plan: Plan,
    step: Step,
    run: Run,
    known: Mapping[str, Range],
    constants: Mapping[str, float],
    bounding: tuple[str, ...],
) -> Run:
    assert step.when is not None
    when, otherwise = step.when, step.of[0] if step.otherwise is None else step.otherwise
    bits = 3 << 2 * bounding.index(step.name) if step.name in bounding else None
    place = next(at for at, other in enumerate(plan.steps) if other.when == when)  # several steps share a condition

    def conditional(block: Block) -> None:
        before, block.suspect = block.suspect, np.zeros(block.inputs.n, dtype=bool)
        run(block)
        doubted, block.suspect = block.suspect, before
        if place not in block.masks:
            found = holds(when, plan, block, known, constants)  # may doubt rows of its own
            block.masks[place] = found, ~found, bool(found.all())
        applies, others, every = block.masks[place]
        block.suspect |= doubted & applies  # what the step doubted does not matter where it does not apply
        block.applies[step.name] = applies
        if every:
            return
        out = block.buffer(step.name)
        other: Floats | float = np.nan if otherwise == NOTHING else block.get(otherwise, constants)
        np.copyto(out, other, where=others)
        if bits is not None:
            block.bits &= ~(others * block.bits.dtype.type(bits))

    return conditional


def _chain(step: Step, constants: Mapping[str, float]) -> Run:
    ufunc = {
        "product": np.multiply,
        "sum": np.add,
        "difference": np.subtract,
        "largest": np.maximum,
        "smallest": np.minimum,
    }[step.op]
    first, rest = step.of[0], step.of[1:]

    def chain(block: Block) -> None:
        out = block.buffer(step.name)
        if not rest:
            out[:] = block.get(first, constants)
            return
        ufunc(block.get(first, constants), block.get(rest[0], constants), out=out)
        for operand in rest[1:]:
            ufunc(out, block.get(operand, constants), out=out)

    return chain


def _snapped(plan: Plan, step: Step, run: Run, known: Mapping[str, Range]) -> Run:
    """Put sums that may cancel back on their grid, where `ranges` counts on it: the float nearest to the decimal."""
    places = snap_places(step, plan, known)
    if places is None:
        return run
    scale = 10.0**places

    def snapped(block: Block) -> None:
        run(block)
        out = block.buffer(step.name)
        np.multiply(out, scale, out=out)
        np.rint(out, out=out)
        np.divide(out, scale, out=out)

    return snapped


def _percentages(step: Step, constants: Mapping[str, float]) -> Run:
    def add(block: Block) -> None:
        out = block.buffer(step.name)
        out[:] = 1.0 - len(step.of)
        for operand in step.of:
            np.add(out, block.get(operand, constants), out=out)

    return add


def _ratio(step: Step, constants: Mapping[str, float]) -> Run:
    top, below = step.of

    def divide(block: Block) -> None:
        out = block.buffer(step.name)
        divisor = block.get(below, constants)
        np.divide(block.get(top, constants), divisor, out=out)
        zero = np.equal(divisor, 0)
        if np.any(zero):
            np.copyto(out, np.nan, where=zero)

    return divide


def _bound(step: Step, known: Mapping[str, Range], constants: Mapping[str, float], bounding: tuple[str, ...]) -> Run:
    of = str(step.of[0])
    place = 2 * bounding.index(step.name)
    known_of = operand_range(step.of[0], known)
    ends = [
        (end, reach, sign)
        for end, reach, sign in zip((step.low, step.high), bound_ranges(step, known), (-1, 1))
        if end is not None and reach is not None
    ]

    def bound(block: Block) -> None:
        out = block.buffer(step.name)
        np.copyto(out, block.get(of, constants))
        empty = np.isnan(out) if step.op == "cap" else None
        known_out = known_of
        lows: Mask | None = None
        for end, reach, sign in ends:
            limit = block.get(end, constants)
            if step.op == "cap":
                limit = np.multiply(limit, block.values[step.against])
            if sign < 0:
                lows = held = exceeds(block, limit, reach, out, known_out, or_equal=False)
            else:
                held = exceeds(block, out, known_out, limit, reach, or_equal=False)
                if lows is not None and (lows & held).any():  # the last end that holds is the one that counts
                    block.bits &= ~(held * block.bits.dtype.type(1 << place))
            KEEP[step.op, sign](out, limit, out=out)
            block.bits |= held * block.bits.dtype.type(1 << (place + (sign > 0)))
            known_out = Range(
                known_out.low,
                known_out.high,
                None,
                max(known_out.rel, reach.rel),
                max(known_out.abs, reach.abs),
                known_out.raw and reach.raw,
            )

        if empty is not None and empty.any():
            out[empty] = np.nan

    return bound


# A bound without a value leaves the step without one; a cap against nothing lets the row pass.
KEEP = {("bound", -1): np.maximum, ("bound", 1): np.minimum, ("cap", -1): np.fmax, ("cap", 1): np.fmin}


def _round(step: Step, context: Context, constants: Mapping[str, float]) -> Run:
    assert step.quantum is not None
    quantum, mode = step.quantum, "half_up" if step.op == "power" else step.mode
    numerator, denominator = (float(part) for part in quantum.as_integer_ratio())
    reach, own = operand_range(step.of[0], context.known), context.known[step.name]
    spacing = None if reach.places is None or step.op == "power" else 10.0**-reach.places / float(quantum)
    exponent = step.exponent or Decimal(1)
    to = operand_range(exponent, context.known)
    # x^e moves by |e| times the relative error of x, and by ln x (below 710 in a float) times the error of e.
    most = float(to.size) if to.size != inf else inf
    rel = 2 * (reach.rel * max(most, 1.0) + 4 * UNIT + (0.0 if to.raw else 710 * to.error_at(most)))
    slip = 2 * reach.abs * denominator / numerator

    def round_(block: Block) -> None:
        out = block.buffer(step.name)
        given = block.get(step.of[0], constants)
        if step.op == "power":
            raised = block.get(exponent, constants)
            np.copyto(out, np.power(given, raised, where=np.greater(given, 0), out=np.full(block.inputs.n, np.nan)))
            given = out
        np.multiply(given, denominator / numerator if numerator == 1 else denominator, out=out)
        if numerator != 1:
            np.divide(out, numerator, out=out)
        negative = own.low < 0 and np.signbit(out)
        if own.low < 0:
            np.abs(out, out=out)
        size = largest(out, ABSOLUTE)
        spread = rel * size + slip
        fine = spacing is not None and size < 2**50 * spacing and spread < 0.1 * min(spacing, 1.0)
        slack = 0.25 * min(spacing or 1.0, 1.0) if fine else min(2 * spread, 0.25)
        near, apart = _whole(out, mode, slack, fine)
        if len(near):
            _settle(block, out, near, apart)
        np.multiply(out, numerator, out=out)
        np.divide(out, denominator, out=out)
        if own.low < 0:
            np.negative(out, out=out, where=negative)

    def _settle(block: Block, out: Floats, near: npt.NDArray[np.intp], apart: Floats) -> None:
        """Decide rows near a tie: by their own float error if it is small enough, else by exact integers."""
        upper = out[near]
        spread = rel * (upper + 1.0) + slip
        sign = np.sign(apart).astype(np.int8)
        decided = (np.abs(apart) > spread) & (spread < 0.25)
        if step.op == "round" and isinstance(step.of[0], str) and step.of[0] not in constants:
            open_ = np.flatnonzero(~decided & (spread < 0.25))
            ties = (2 * upper[open_] - (1 if mode in ("half_up", "half_even") else 0)).astype(np.int64)
            reach_row = 2 * spread[open_] * float(quantum)
            exact_sign, sure = side_of_tie(
                context, block, step.of[0], near[open_], ties, Fraction(quantum) / 2, reach_row
            )
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


def _whole(out: Floats, mode: str, slack: float, fine: bool) -> tuple[npt.NDArray[np.intp], Floats]:
    """Round non-negative values to whole numbers in place.

    Returns
    -------
    near : (m,) intp
        Rows within `slack` of a tie, rounded as if the tie were reached.
    apart : (m,) float64
        Their float distance from the tie.
    """
    shift = {"down": 0.0, "up": 0.0}.get(mode, 0.5)
    np.add(out, shift - slack if mode == "up" else shift + slack, out=out)
    floor = np.floor(out) if mode != "up" else np.ceil(out)
    near, apart = np.zeros(0, dtype=np.intp), np.zeros(0)
    if not fine or mode == "half_even":
        over = np.subtract(out, floor)
        if mode == "up":
            np.negative(over, out=over)
        near = np.flatnonzero(over < 2 * slack) if slack < 0.25 else np.flatnonzero(~np.isnan(out))
        apart = over[near] - slack
        if mode == "up":
            np.negative(apart, out=apart)
    np.copyto(out, floor)
    return near, apart


def _dates(step: Step) -> Run:
    first, last = (str(name) for name in step.of)

    def dates(block: Block) -> None:
        out = block.buffer(step.name)
        start, end = block.values[first], block.values[last]
        np.add(start, end, out=out)
        missing = np.isnan(out)
        some = bool(missing.any())
        a, b = ((np.where(missing, 0, day) if some else day).astype(np.int64) for day in (start, end))
        if step.op == "days":
            out[:] = days_between(a, b, step.inclusive)
        else:
            out[:] = months_between(a, b, step.count, step.inclusive)
        if some:
            out[missing] = np.nan

    return dates


def _grouped(step: Step, known: Mapping[str, Range]) -> Run:
    of, places = str(step.of[0]), operand_range(step.of[0], known).places or 0
    weight_places = operand_range(step.weights, known).places or 0 if step.weights else 0

    def whole(values: Floats, scale: int) -> tuple[npt.NDArray[np.int64], Mask]:
        valid = ~np.isnan(values)
        return np.rint(np.where(valid, values, 0) * 10.0**scale).astype(np.int64), valid

    def grouped(block: Block) -> None:
        groups = block.inputs.groups[step.group]
        values, valid = whole(block.values[of], places)
        if step.op == "rollup":
            found, valid = rollup(values, valid, groups, step.how)
            scale = places
        else:
            values = in_fen(values, places)
            weights, weighed = whole(block.values[step.weights], weight_places)
            ranks = block.inputs.ranks
            found, valid = share_out(
                values, weights, valid & weighed, groups, np.arange(block.inputs.n) if ranks is None else ranks
            )
            scale = 2
        block.buffer(step.name)[:] = np.where(valid, found / 10.0**scale, np.nan)

    return grouped
