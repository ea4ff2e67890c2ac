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
from dataclasses import dataclass, field
from decimal import Decimal
from math import inf

import numpy as np
import numpy.typing as npt

from ratemod.plan.check import proofs
from ratemod.plan.grid import Grid, GridAxis, grid
from ratemod.plan.model import NOTHING, Combination, Condition, Legal, Operand, Plan, Step, Test
from ratemod.plan.ranges import UNIT, Range, bound_ranges, operand_range, places_of, ranges
from ratemod.rating.calendar import days_between, months_between
from ratemod.rating.exact import named_test
from ratemod.rating.groups import rollup, share_out
from ratemod.rating.inputs import Inputs

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
COARSE = 4  # decimal places up to which a bound's grid is far wider than any rounding slack in use
FINE = 2e-6  # the widest slack for which that is so
LOOK_UP_TABLE = 1 << 16  # whole numbers up to here find their band by one take instead of a search


@dataclass(eq=False)
class Block:
    """Working memory of one thread, used again for every block of rows.

    Attributes
    ----------
    values : mapping of (n,) float64
        Columns and steps of the current block.
    suspect : (n,) bool
        Rows that the exact path must decide.
    bits : (n,) int64
        Two bits a bounding step: its low end held, its high end held.
    sure : mapping of (n,) bool
        For bounding steps: rows whose value is a bound, on a grid.
    """

    size: int
    buffers: dict[str, Floats] = field(default_factory=dict)
    values: dict[str, Floats] = field(default_factory=dict)
    sure: dict[str, Mask] = field(default_factory=dict)
    slots: dict[tuple[str, int], npt.NDArray[np.intp]] = field(default_factory=dict)
    inputs: Inputs = field(default_factory=lambda: Inputs(0))
    suspect: Mask = field(default_factory=lambda: np.zeros(0, dtype=bool))
    bits: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def start(self, inputs: Inputs) -> None:
        """Begin a block."""
        self.inputs = inputs
        self.values = dict(inputs.numbers)
        self.sure.clear()
        self.slots.clear()
        self.suspect = np.zeros(inputs.n, dtype=bool)
        self.bits = np.zeros(inputs.n, dtype=np.int64)

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
            return _look_up(plan, step, known, constants)
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


def largest(values: Floats | float) -> float:
    """Return the largest absolute value, missing ones apart."""
    if isinstance(values, float):
        return abs(values)
    return max(float(np.fmax.reduce(values, initial=0.0)), -float(np.fmin.reduce(values, initial=0.0)))


def exceeds(block: Block, x: Floats | float, known_x: Range, y: Floats | float, known_y: Range, or_equal: bool) -> Mask:
    """Return where x > y (or x >= y) by exact arithmetic; rows that floats cannot decide become suspect."""
    if known_x.raw and known_y.raw:
        return np.greater_equal(x, y) if or_equal else np.greater(x, y)
    if known_x.on_grid and known_y.on_grid:
        half = 0.5 * 10.0 ** -max(known_x.places or 0, known_y.places or 0)
        return np.greater(np.subtract(x, y), -half if or_equal else half)
    slack = known_x.error_at(largest(x)) + known_y.error_at(largest(y))
    apart = np.subtract(x, y)
    sure, maybe = apart > slack, apart >= -slack
    block.suspect |= maybe & ~sure
    return maybe if or_equal else sure


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
    if item.low is not None:
        outside |= exceeds(block, float(item.low), operand_range(item.low, known), value, reach, or_equal=False)
    if item.high is not None:
        outside |= exceeds(block, value, reach, float(item.high), operand_range(item.high, known), or_equal=False)
    return outside


def _look_up(plan: Plan, step: Step, known: Mapping[str, Range], constants: Mapping[str, float]) -> Run:
    table = plan.tables[step.table]
    found = grid(table, step.by, plan.columns)
    assert found is not None
    finders = [_finder(plan, axis, known, constants) for axis in found.axes if axis.axis.kind != "point"]
    shape = [axis.size for axis in found.axes]
    strides = [int(np.prod(shape[at + 1 :], dtype=np.int64)) for at in range(len(finders))]
    cells = {
        name: np.ascontiguousarray(found.values(table.column(name))).ravel()
        for name in {step.column, *(("low", "high") if step.op == "judgement" else ())}
    }

    def index_of(block: Block) -> npt.NDArray[np.intp]:
        index = np.zeros(block.inputs.n, dtype=np.intp)
        for finder, stride in zip(finders, strides):
            slots = finder(block)
            index += slots * stride if stride != 1 else slots
        return index

    if step.op == "interpolate":
        return _interpolate(step, found, cells[step.column], index_of, known, constants)

    def look_up(block: Block) -> None:
        index = index_of(block)
        out = block.buffer(step.name)
        np.take(cells[step.column], index, out=out, mode="clip")
        if step.op == "judgement":
            chosen = block.values[step.chosen]
            given = ~np.isnan(chosen)
            low, high = (np.take(cells[name], index, mode="clip") for name in ("low", "high"))
            fine = (chosen >= low) & (chosen <= high) & block.inputs.filled[step.reason]
            np.copyto(out, np.where(fine, chosen, np.nan), where=given)

    return look_up


def _finder(
    plan: Plan, axis: GridAxis, known: Mapping[str, Range], constants: Mapping[str, float]
) -> Callable[[Block], npt.NDArray[np.intp]]:
    """Return the function that finds the slot of every row on one axis, once a block."""
    last = axis.size - 1
    key = (axis.bound, hash((axis.marks, axis.axis.kind, axis.axis.closed)))
    marks = np.array([float(mark) for mark in axis.marks]) if axis.axis.kind != "level" else np.zeros(0)
    reach = known.get(axis.bound, Range())
    column = plan.columns.get(axis.bound)
    table = None
    if (
        axis.axis.kind == "band"
        and column is not None
        and column.kind == "number"
        and column.decimals == 0
        and column.low is not None
        and column.high is not None
        and 0 <= column.low <= column.high <= LOOK_UP_TABLE
    ):
        table = np.searchsorted(marks, np.arange(int(column.high) + 1), side=axis.side)  # type: ignore[call-overload]

    def find(block: Block) -> npt.NDArray[np.intp]:
        if key in block.slots:
            return block.slots[key]
        if axis.axis.kind == "level":  # -1 read without its sign is the largest number, and lands in the last slot
            codes = block.inputs.codes[axis.bound].view(np.uint16)
            slots = np.minimum(codes, np.uint16(last)).astype(np.intp)
        else:
            value = block.column(axis.bound, constants)
            if table is not None:
                slots = np.take(table, value.astype(np.intp), mode="clip")
            elif axis.axis.kind == "band":
                slots = _bands(block, value, marks, axis, reach)
            else:
                at = np.searchsorted(marks, value)
                clipped = np.minimum(at, len(marks) - 1)
                slots = np.where(marks[clipped] == value, clipped, axis.size - 2)
                if not reach.raw:
                    block.suspect |= ~np.isnan(value)
            missing = np.isnan(value)
            if missing.any():
                slots = np.where(missing, last, slots)
        block.slots[key] = slots
        return slots

    return find


def _bands(block: Block, value: Floats, marks: Floats, axis: GridAxis, reach: Range) -> npt.NDArray[np.intp]:
    if reach.raw:
        return np.searchsorted(marks, value, side=axis.side)  # type: ignore[call-overload, no-any-return]
    if reach.on_grid:
        places = max([reach.places or 0, *(places_of(Decimal(mark)) for mark in axis.marks)])
        half = 0.5 * 10.0**-places
        return np.searchsorted(marks + (-half if axis.side == "right" else half), value)
    slack = reach.error_at(largest(value))
    low, high = np.searchsorted(marks, value - slack), np.searchsorted(marks, value + slack, side="right")
    block.suspect |= low != high
    return high


def _interpolate(
    step: Step,
    found: Grid,
    cells: Floats,
    index_of: Callable[[Block], npt.NDArray[np.intp]],
    known: Mapping[str, Range], constants: Mapping[str, float],
) -> Run:
    axis = found.axes[-1]
    points = np.array([float(mark) for mark in axis.marks])
    reach = known.get(axis.bound, Range())

    def interpolate(block: Block) -> None:
        out, x = block.buffer(step.name), block.column(axis.bound, constants)
        base = index_of(block)
        right = np.minimum(np.searchsorted(points, x, side="right"), len(points) - 1)
        left = np.maximum(right - 1, 0)
        at_end = x >= points[-1]
        left = np.where(at_end, len(points) - 1, left)
        before = x < points[0]
        right = np.where(before, 0, np.where(at_end, left, right))
        v0, v1 = np.take(cells, base + left, mode="clip"), np.take(cells, base + right, mode="clip")
        run = np.where(left == right, 1.0, points[right] - points[left])
        np.copyto(out, v0 + np.where(left == right, 0.0, (x - points[left]) * ((v1 - v0) / run)))
        out[np.isnan(x)] = np.nan
        if step.beyond == "refuse":
            ends = exceeds(block, x, reach, float(points[-1]), Range(raw=reach.raw, rel=0.0), or_equal=False)
            starts = exceeds(block, float(points[0]), Range(raw=reach.raw, rel=0.0), x, reach, or_equal=False)
            out[ends | starts] = np.nan

    return interpolate
