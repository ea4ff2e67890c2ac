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
from math import inf

import numpy as np
import numpy.typing as npt

from ratemod.plan.check import proofs
from ratemod.plan.model import NOTHING, Legal, Plan, Step
from ratemod.plan.ranges import UNIT, Range, bound_ranges, operand_range, ranges
from ratemod.rating.block import Block, Floats, Mask, exceeds, holds, largest
from ratemod.rating.calendar import days_between, months_between
from ratemod.rating.groups import rollup, share_out
from ratemod.rating.inputs import Inputs
from ratemod.rating.look_up import compile_look_up

COARSE = 4  # decimal places up to which a bound's grid is far wider than any rounding slack in use
FINE = 2e-6  # the widest slack for which that is so


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

    def run(self, block: Block, inputs: Inputs) -> None:
        """Evaluate every step for a block of rows."""
        block.start(inputs)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            for name, run in self.runs:
                run(block)
                block.values[name] = block.buffer(name)


def compile_plan(plan: Plan) -> Program:
    """Return the plan as functions over blocks; costs milliseconds and depends on nothing but the plan."""
    known = ranges(plan)
    constants = {name: float(constant.value) for name, constant in plan.constants.items()}
    bounding = tuple(step.name for step in plan.steps if step.op in ("bound", "cap"))
    runs = []
    for step in plan.steps:
        run = _compile(plan, step, known, constants, bounding)
        runs.append(
            (step.name, run if step.when is None else _conditional(plan, step, run, known, constants, bounding))
        )
    whole = any(step.op in ("rollup", "share_out") for step in plan.steps)
    proved = {proof.name for proof in proofs(plan) if proof.proved}
    guarded = tuple(item for item in plan.legal if item.name not in proved)
    return Program(plan, known, tuple(runs), bounding, constants, guarded, whole)


def _compile(
    plan: Plan, step: Step, known: Mapping[str, Range], constants: Mapping[str, float], bounding: tuple[str, ...]
) -> Run:
    match step.op:
        case "lookup" | "judgement" | "interpolate":
            return compile_look_up(plan, step, known, constants)
        case "product" | "sum" | "difference" | "largest" | "smallest":
            return _chain(step, constants)
        case "add_percentages":
            return _percentages(step, constants)
        case "ratio":
            return _ratio(step, constants)
        case "bound" | "cap":
            return _bound(step, known, constants, bounding)
        case "round" | "power":
            return _round(step, known, constants)
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
    bits = ~np.int64(3 << 2 * bounding.index(step.name)) if step.name in bounding else None

    def conditional(block: Block) -> None:
        suspect = block.suspect.copy()
        run(block)
        applies = holds(when, plan, block, known, constants)
        out = block.buffer(step.name)
        block.suspect &= applies | suspect  # what the step itself doubted does not matter where it does not apply
        block.suspect |= suspect
        other: Floats | float = np.nan if otherwise == NOTHING else block.get(otherwise, constants)
        np.copyto(out, other, where=~applies)
        if bits is not None:
            np.bitwise_and(block.bits, bits, out=block.bits, where=~applies)
            if step.name in block.sure:
                block.sure[step.name] &= applies

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
        sure = block.sure.get(of)
        sure = np.zeros(block.inputs.n, dtype=bool) if sure is None else sure.copy()
        known_out = known_of
        for end, reach, sign in ends:
            limit = block.get(end, constants)
            if step.op == "cap":
                limit = np.multiply(limit, block.values[step.against])
                limit[np.isnan(limit)] = sign * inf
            if sign < 0:
                held = exceeds(block, limit, reach, out, known_out, or_equal=False)
                np.maximum(out, limit, out=out)
            else:
                held = exceeds(block, out, known_out, limit, reach, or_equal=False)
                np.minimum(out, limit, out=out)
                block.bits[held] &= ~np.int64(1 << place)
            block.bits[held] |= np.int64(1 << (place + (sign > 0)))
            coarse = reach.on_grid and (reach.places or 0) <= COARSE
            sure = sure | held if coarse else sure & ~held
            known_out = Range(
                known_out.low,
                known_out.high,
                None,
                max(known_out.rel, reach.rel),
                max(known_out.abs, reach.abs),
                known_out.raw and reach.raw,
            )
        block.sure[step.name] = sure

    return bound


def _round(step: Step, known: Mapping[str, Range], constants: Mapping[str, float]) -> Run:
    assert step.quantum is not None
    quantum, mode = step.quantum, "half_up" if step.op == "power" else step.mode
    numerator, denominator = (float(part) for part in quantum.as_integer_ratio())
    reach, own = operand_range(step.of[0], known), known[step.name]
    spacing = 10.0 ** -(reach.places or 0) / float(quantum)
    steady = reach.on_grid and step.op == "round"
    exponent = float(step.exponent or 1)

    def round_(block: Block) -> None:
        out = block.buffer(step.name)
        given = block.get(step.of[0], constants)
        if step.op == "power":
            np.copyto(out, np.power(given, exponent, where=np.greater(given, 0), out=np.full(block.inputs.n, np.nan)))
            given = out
        np.multiply(given, denominator / numerator if numerator == 1 else denominator, out=out)
        if numerator != 1:
            np.divide(out, numerator, out=out)
        negative = own.low < 0 and np.signbit(out)
        if own.low < 0:
            np.abs(out, out=out)
        if steady:
            slack = 0.25 * min(spacing, 1.0)
        else:
            size = largest(out)
            spread = (reach.rel * max(exponent, 1.0) * 4 + 8 * UNIT) * size
            slack = 4 * (spread + reach.abs * denominator / numerator)
        _whole(block, out, mode, slack, None if steady else block.sure.get(str(step.of[0])), steady)
        np.multiply(out, numerator, out=out)
        np.divide(out, denominator, out=out)
        if own.low < 0:
            np.negative(out, out=out, where=negative)

    return round_


def _whole(block: Block, out: Floats, mode: str, slack: float, sure: Mask | None, steady: bool) -> None:
    """Round non-negative values to whole numbers in place; what lies within `slack` of a tie becomes suspect."""
    if mode == "down":
        np.add(out, slack, out=out)
    elif mode == "up":
        np.add(out, 1.0 - slack, out=out)
    else:
        np.add(out, 0.5 + slack, out=out)
    floor = np.floor(out)
    if not steady or mode == "half_even":
        near = (out - floor) < 2 * slack if mode != "up" else (floor + 1.0 - out) < 2 * slack
        if mode != "half_even" and sure is not None and slack < FINE:
            near &= ~sure
        if slack >= 0.25:
            near[:] = True
        block.suspect |= near
    np.copyto(out, floor)


def _dates(step: Step) -> Run:
    first, last = (str(name) for name in step.of)

    def dates(block: Block) -> None:
        out = block.buffer(step.name)
        start, end = block.values[first], block.values[last]
        missing = np.isnan(start) | np.isnan(end)
        a, b = (np.where(missing, 0, day).astype(np.int64) for day in (start, end))
        if step.op == "days":
            out[:] = days_between(a, b, step.inclusive)
        else:
            out[:] = months_between(a, b, step.count, step.inclusive)
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
        values, valid = whole(block.values[of], places if step.op == "rollup" else 2)
        if step.op == "rollup":
            found, valid = rollup(values, valid, groups, step.how)
            scale = places
        else:
            weights, weighed = whole(block.values[step.weights], weight_places)
            ranks = block.inputs.ranks
            found, valid = share_out(
                values, weights, valid & weighed, groups, np.arange(block.inputs.n) if ranks is None else ranks
            )
            scale = 2
        block.buffer(step.name)[:] = np.where(valid, found / 10.0**scale, np.nan)

    return grouped
