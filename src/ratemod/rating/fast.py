"""The steps of a plan as NumPy over blocks of rows, and a note of every row that floats cannot decide.

Each step writes one float64 array. Wherever a result hangs on a comparison (a band edge, a bound, a tie in rounding)
the known float error decides whether the float is sure; rows that are not sure are marked `suspect` and done again by
`ratemod.rating.exact`. So the fen are those of exact arithmetic, always.

Only what is asked for is computed (`ratemod.rating.order`); what has finitely many values is taken from cells worked
out beforehand (`ratemod.rating.fold`); how ties are decided stands in `ratemod.rating.rounding`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from ratemod.plan.check import proofs
from ratemod.plan.graph import legal_node, rule_node, step_reads
from ratemod.plan.interval import Range
from ratemod.plan.model import Legal, Plan, Step
from ratemod.plan.operand import NOTHING
from ratemod.plan.ranges import ranges
from ratemod.plan.reads import names_in_condition
from ratemod.rating.axes import bands_of, condition_axis
from ratemod.rating.block import Block, Floats, Mask
from ratemod.rating.compiling import Compiling, Run
from ratemod.rating.conditions import Conditions, Holds
from ratemod.rating.fold import Folds
from ratemod.rating.inputs import Inputs
from ratemod.rating.op.registry import READINGS
from ratemod.rating.order import Condition, Node, Order, in_order


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


@lru_cache(maxsize=8)  # whoever prices many books under one plan compiles it once
def compile_plan(plan: Plan) -> Program:
    """Return the plan as functions over blocks; costs milliseconds and depends on nothing but the plan."""
    known = ranges(plan)
    constants = {name: float(constant.value) for name, constant in plan.constants.items()}
    bounding = tuple(step.name for step in plan.steps if step.operation.binds)
    whole = bool(plan.groups)
    bands = bands_of(plan, known)
    conditions = Conditions(plan, known, constants, bands)
    compiling = Compiling(plan, {step.name: step for step in plan.steps}, known, constants, bounding)
    folds = Folds(plan, bands, _bit_type(bounding))

    def compiled(step: Step) -> Run:
        return READINGS[type(step.operation)][1](step.operation, compiling.at(step))

    nodes: list[Node] = []
    runs: list[tuple[str, Run]] = []
    for step in plan.steps:
        condition = None if step.when is None else _condition(plan, step, conditions)
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
        plan=plan,
        known=known,
        runs=tuple(runs),
        nodes=tuple(nodes),
        bounding=bounding,
        guarded=guarded,
        rules=tuple(conditions.of(rule.when) for rule in plan.rules),
        outside=tuple((conditions.outside(item), conditions.excepted(item)) for item in guarded),
        whole=whole,
    )


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

    otherwise = step.other
    assert otherwise is not None

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
