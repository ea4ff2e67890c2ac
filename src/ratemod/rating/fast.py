"""The steps of a plan as NumPy over blocks of rows, and a note of every row that floats cannot decide.

Each step writes one float64 array. Wherever a result hangs on a comparison (a band edge, a bound, a tie in rounding)
the known float error decides whether the float is sure; rows that are not sure are marked `suspect` and done again by
`ratemod.rating.exact`. So the fen are those of exact arithmetic, always.

Only what is asked for is computed (`ratemod.rating.order`); what has finitely many values is taken from cells worked
out beforehand (`ratemod.rating.fold`); how ties are decided stands in `ratemod.rating.rounding`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.plan.check import proofs
from ratemod.plan.graph import legal_node, rule_node, step_reads
from ratemod.plan.model import NOTHING, Legal, Plan, Step
from ratemod.plan.ranges import Range, bound_ranges, extreme_range, operand_range, range_where, ranges, snap_places
from ratemod.plan.reads import names_in_condition
from ratemod.rating.axes import bands_of, condition_axis
from ratemod.rating.block import Block, Floats, Mask
from ratemod.rating.calendar import months_of, packed
from ratemod.rating.conditions import Conditions, Holds, comparison
from ratemod.rating.fast_more import compile_judged, compile_progressive, in_fen
from ratemod.rating.fold import Folds, condition_operand
from ratemod.rating.groups import rollup, share_out
from ratemod.rating.inputs import Inputs
from ratemod.rating.look_up import compile_look_up
from ratemod.rating.order import Condition, Node, Order, in_order
from ratemod.rating.residue import Context
from ratemod.rating.rounding import compile_round

Run = Callable[[Block], None]


@dataclass(frozen=True, eq=False, slots=True)
class Program:
    """A compiled plan.

    Attributes
    ----------
    runs : tuple of (name, function)
        Each step's own function, in the order of the plan, for blocks that hold what it reads.
    nodes : tuple of Node
        What can be computed, in the order of the plan: steps, folded or not, and products of folded factors.
    bounding : tuple of str
        Names of bounds and caps, in the order of their bits.
    guarded : tuple of Legal
        Legal ranges that the plan alone does not prove.
    rules, outside : tuple of functions
        Block -> rows that each rule catches; rows outside each guarded range, and rows its exception is for.
    whole : bool
        The plan rolls lines up, so that the book must be one block.
    """

    plan: Plan
    known: Mapping[str, Range]
    runs: tuple[tuple[str, Run], ...]
    nodes: tuple[Node, ...]
    bounding: tuple[str, ...]
    guarded: tuple[Legal, ...]
    rules: tuple[Holds, ...]
    outside: tuple[tuple[Holds, Holds], ...]
    whole: bool
    orders: dict[frozenset[str], Order] = field(default_factory=dict)

    @property
    def bit_type(self) -> type[np.signedinteger[Any]]:
        """The smallest type that holds two bits for every bound and cap."""
        return _bit_type(self.bounding)

    def run(self, block: Block, inputs: Inputs, wanted: tuple[str, ...] = (), traced: bool = False) -> None:
        """Evaluate, for a block of rows, what the premium, the rules and the wanted steps rest on.

        A block that is `traced` keeps every step, and so can decide ties by what stands before them.
        """
        asked = frozenset(self.plan.step_names if traced else wanted)
        if asked not in self.orders:
            self.orders[asked] = in_order(self.nodes, asked | self._always())
        order = self.orders[asked]
        block.start(inputs, self.bit_type, order.shared)
        block.traced = traced
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            for run in order.runs:
                run(block)

    def _always(self) -> frozenset[str]:
        """Return the steps that every run needs: the premium and the fund, binding ends, what rules and law look at."""
        plan = self.plan
        names = {plan.premium, plan.fund or plan.premium, *self.bounding}
        reads = plan.graph().reads
        nodes = [*(legal_node(item.name) for item in self.guarded), *(rule_node(rule.name) for rule in plan.rules)]
        return frozenset(names.union(*(reads[node] for node in nodes)))


def _bit_type(bounding: tuple[str, ...]) -> type[np.signedinteger[Any]]:
    return np.int16 if len(bounding) < 8 else np.int64


def compile_plan(plan: Plan) -> Program:
    """Return the plan as functions over blocks; costs milliseconds and depends on nothing but the plan."""
    known = ranges(plan)
    constants = {name: float(constant.value) for name, constant in plan.constants.items()}
    bounding = tuple(step.name for step in plan.steps if step.op in ("bound", "cap"))
    whole = any(step.op in ("rollup", "share_out") for step in plan.steps)
    bands = bands_of(plan, known)
    conditions = Conditions(plan, known, constants, bands)
    context = Context(
        {step.name: step for step in plan.steps},
        known,
        {name: constant.value for name, constant in plan.constants.items()},
        bounding,
    )
    folds = Folds(plan, bands, _bit_type(bounding))
    nodes: list[Node] = []
    runs: list[tuple[str, Run]] = []
    for step in plan.steps:
        condition = None if step.when is None else _condition(plan, step, conditions)
        compiled = partial(_compile, plan, context=context, constants=constants)
        bare = compiled(step)
        run = _conditional(step, condition, bare, bounding)
        runs.append((step.name, run))
        axis = None if condition is None else condition_axis(condition.place, condition.reads, condition.applies)
        if whole:  # rows of a group stand and fall together: such a plan is only traced
            nodes.append(Node(step.name, plan.graph().reads[step.name], run, bare))
            continue
        fold = folds.step(step, run, axis)
        if fold is not None:
            take = fold.run(step.name)
            nodes.append(Node(step.name, fold.reads, take, take, condition, folded=True))
            continue
        merged, parts = folds.factors(step, compiled)
        nodes += [Node(name, part.reads, part.run(name), part.run(name), folded=True) for name, part in parts.items()]
        if merged is not step:
            bare = compiled(merged)
            run = _conditional(step, condition, bare, bounding)
        nodes.append(Node(step.name, step_reads(plan, merged), run, bare, condition))
    proved = {proof.name for proof in proofs(plan, known) if proof.proved}
    guarded = tuple(item for item in plan.legal if item.name not in proved)
    return Program(
        plan,
        known,
        tuple(runs),
        tuple(nodes),
        bounding,
        guarded,
        tuple(conditions.of(rule.when) for rule in plan.rules),
        tuple((conditions.outside(item), conditions.excepted(item)) for item in guarded),
        whole,
    )


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
            return compile_round(step, context, constants, _held(plan, step, context))
        case "days" | "months":
            return _dates(step)
        case "rollup" | "share_out":
            return _grouped(step, known)
    raise AssertionError(step.op)


def _held(plan: Plan, step: Step, context: Context) -> list[tuple[int, Range]]:
    """Return, for each binding end before a rounding, its bit and what is then known of what is rounded."""
    found: list[tuple[int, Range]] = []
    of = step.of[0]
    if of in context.steps:
        for place, name in enumerate(context.bounding):
            for end, reach in enumerate(bound_ranges(context.steps[name], context.known)):
                where = None if reach is None else range_where(plan, context.known, name, reach, str(of))
                if where is not None:
                    found.append((1 << 2 * place + end, where))
    return found


def _condition(plan: Plan, step: Step, conditions: Conditions) -> Condition:
    """Return a step's condition; steps that share one decide it once a block."""
    assert step.when is not None
    when, constants, holds = step.when, conditions.constants, conditions.of(step.when)
    place = next(at for at, other in enumerate(plan.steps) if other.when == when)

    def applies(block: Block) -> tuple[Mask, Mask, bool]:
        if place not in block.masks:
            found = holds(block)  # may doubt rows of its own
            block.masks[place] = found, ~found, bool(found.all())
        return block.masks[place]

    otherwise = condition_operand(step)

    def other(block: Block) -> Floats | float:
        return np.nan if otherwise == NOTHING else block.get(otherwise, constants)

    return Condition(place, tuple(names_in_condition(when)), otherwise, applies, other)


def _conditional(step: Step, condition: Condition | None, run: Run, bounding: tuple[str, ...]) -> Run:
    if condition is None:
        return run
    bits = 3 << 2 * bounding.index(step.name) if step.name in bounding else None

    def conditional(block: Block) -> None:
        before, block.suspect = block.suspect, np.zeros(block.inputs.n, dtype=bool)
        run(block)
        doubted, block.suspect = block.suspect, before
        applies, others, every = condition.applies(block)
        block.applies[step.name] = applies
        if every:
            block.suspect |= doubted
            return
        block.suspect |= doubted & applies  # what the step doubted does not matter where it does not apply
        out, other = block.buffer(step.name), condition.other(block)
        if bits is None or (others & (out != other)).any():  # a cap or bound mostly leaves a row what it was
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
    ends = []
    for end, reach, sign in zip((step.low, step.high), bound_ranges(step, known), (-1, 1)):
        if end is None or reach is None:
            continue
        ends.append((end, comparison(*((reach, known_of) if sign < 0 else (known_of, reach)), or_equal=False), sign))
        known_of = extreme_range([known_of, reach])  # whichever it was: where a limit is missing, not the larger

    def bound(block: Block) -> None:
        out, found = block.buffer(step.name), block.get(of, constants)
        empty = np.isnan(found) if step.op == "cap" else None
        lows: Mask | None = None
        for end, exceeds, sign in ends:
            limit = block.get(end, constants)
            if step.op == "cap":
                limit = np.multiply(limit, block.values[step.against], out=block.scratch(float))
            if sign < 0:
                lows = held = exceeds(block, limit, found)
            else:
                held = exceeds(block, found, limit)
            if not isinstance(limit, float) or held.any():
                KEEP[step.op, sign](found, limit, out=out)
                found = out
                _mark(block, held, lows, place, sign)
        if found is not out:
            np.copyto(out, found)
        if empty is not None and empty.any():
            out[empty] = np.nan

    return bound


def _mark(block: Block, held: Mask, lows: Mask | None, place: int, sign: int) -> None:
    """Note where an end holds."""
    kind = block.bits.dtype.type
    if sign > 0 and lows is not None and (lows & held).any():  # the last end that holds is the one that counts
        block.bits &= ~(held * kind(1 << place))
    block.bits |= held * kind(1 << place + (sign > 0))


# A bound without a value leaves the step without one; a cap against nothing lets the row pass.
KEEP = {("bound", -1): np.maximum, ("bound", 1): np.minimum, ("cap", -1): np.fmax, ("cap", 1): np.fmin}


def _dates(step: Step) -> Run:
    first, last = (str(name) for name in step.of)

    def dates(block: Block) -> None:
        out = block.buffer(step.name)
        start, end = block.values[first], block.values[last]
        np.add(start, end, out=out)
        missing = np.isnan(out) if np.isnan(np.maximum.reduce(out, initial=0.0)) else None
        if missing is not None:
            start, end = (np.where(missing, 0, day) for day in (start, end))
        if step.op == "days":
            np.subtract(end, start, out=out)
            out += int(step.inclusive)
        else:
            days = block.scratch(int)
            np.copyto(days, start, casting="unsafe")
            begun = packed(days)
            np.copyto(days, end, casting="unsafe")
            np.copyto(out, months_of(begun, packed(days, int(step.inclusive)), step.count))
        if missing is not None:
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
