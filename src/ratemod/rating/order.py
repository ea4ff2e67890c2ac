"""Which steps a run computes, in which order, and which of them only for the rows that their condition picks.

A step is computed when the premium, a rule, a legal range, a binding end or the reader asks for it. Steps that share
a condition which few rows meet (an experience modification of the larger firms) run on those rows alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ratemod.plan.operand import Operand
from ratemod.rating.block import Block, Floats, Mask
from ratemod.rating.compiling import Run

DENSE = 3  # where more than a third of the rows meet a condition, gathering them costs more than it saves


@dataclass(frozen=True, eq=False, slots=True)
class Condition:
    """When a step applies.

    Attributes
    ----------
    place : int
        Names the condition: steps that share one have the same.
    otherwise : name, number or "none"
        What the step is where it does not apply.
    applies : function
        Block -> rows that meet it, the others, and whether all do.
    other : function
        Block -> what the step is for the others.
    """

    place: int
    reads: tuple[str, ...]
    otherwise: Operand
    applies: Callable[[Block], tuple[Mask, Mask, bool]]
    other: Callable[[Block], Floats | float]


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """A step that can be computed: what it reads, and the functions that write its array.

    Attributes
    ----------
    run, bare : functions
        With regard to its condition; without, for rows that all meet it.
    """

    name: str
    reads: tuple[str, ...]
    run: Run
    bare: Run
    condition: Condition | None = None
    folded: bool = False

    def compute(self, block: Block) -> None:
        """Run the step and keep its values under its name."""
        self.run(block)
        self.keep(block)

    def keep(self, block: Block) -> None:
        """Note the array that was written, and in a trace the rows that the step applies to."""
        block.values[self.name] = block.buffer(self.name)
        if block.traced and self.condition is not None:
            block.applies[self.name] = self.condition.applies(block)[0]


@dataclass(frozen=True, eq=False, slots=True)
class Order:
    """What a run computes.

    Attributes
    ----------
    runs : tuple of functions
        One after another.
    shared : mapping of str to int
        Numbers of the arrays that steps write to: one is used again when nothing more reads the step before. A dozen
        arrays stay in the cache where forty would not.
    """

    runs: tuple[Run, ...]
    shared: dict[str, int]


def in_order(nodes: Sequence[Node], asked: Iterable[str]) -> Order:
    """Return what computes the steps asked for and all that these read."""
    known = {node.name: node for node in nodes}
    roots = set(asked) & known.keys()
    live, waiting = set(roots), list(roots)
    while waiting:
        more = {name for name in known[waiting.pop()].reads if name in known} - live
        live |= more
        waiting += more
    units = _units([node for node in nodes if node.name in live], roots)
    unit_of = {node.name: unit for unit in units for node in unit}
    done: list[list[Node]] = []
    seen: set[int] = set()

    def visit(unit: list[Node]) -> None:
        if id(unit) in seen:
            return
        seen.add(id(unit))
        for node in unit:
            for read in node.reads:
                if read in unit_of and unit_of[read] is not unit:
                    visit(unit_of[read])
        done.append(unit)

    for unit in units:
        visit(unit)
    runs: list[Run] = []
    for unit in done:
        others = {read for name in live if unit_of[name] is not unit for read in known[name].reads}
        runs.append(_few(unit, _seen_outside(unit, roots | others)) if _gathers(unit) else unit[0].compute)
    return Order(tuple(runs), _shared(done, roots))


def _shared(units: Sequence[Sequence[Node]], roots: set[str]) -> dict[str, int]:
    """Return a number of an array for each step: that of a step whose last reader has run, or a new one."""
    last: dict[str, int] = {}
    for at, unit in enumerate(units):
        last |= {node.name: at for node in unit} | {read: at for node in unit for read in node.reads}
    found: dict[str, int] = {}
    free: list[int] = []
    for at, unit in enumerate(units):
        for node in unit:
            found[node.name] = free.pop() if free else len(set(found.values()))
        free += [number for name, number in found.items() if last[name] == at and name not in roots]
    return found


def _gathers(unit: Sequence[Node]) -> bool:
    """Return whether a unit runs on the rows that meet a condition."""
    return unit[-1].condition is not None and not unit[-1].folded


def _seen_outside(unit: Sequence[Node], names: set[str]) -> list[Node]:
    """Return the steps of a unit that something outside reads, and those they are where they do not apply."""
    wanted = set(names)
    for node in reversed(unit):
        if node.name in wanted and node.condition is not None and isinstance(node.condition.otherwise, str):
            wanted.add(node.condition.otherwise)
    return [node for node in unit if node.name in wanted]


def _units(live: Sequence[Node], roots: set[str]) -> list[list[Node]]:
    """Return the steps in units: those of one condition together, where no step outside stands between them.

    Each step is a unit of its own, but for those of one condition, and others that only such a unit reads.
    """
    units: list[list[Node]] = []
    unit_of: dict[str, list[Node]] = {}

    def rests_on(node: Node, unit: list[Node]) -> bool:
        """Return whether a step rests on a unit by way of another one."""
        waiting = [unit_of[read] for read in node.reads if read in unit_of and unit_of[read] is not unit]
        seen: set[int] = set()
        while waiting:
            other = waiting.pop()
            if other is unit:
                return True
            if id(other) not in seen:
                seen.add(id(other))
                waiting += [unit_of[read] for member in other for read in member.reads if read in unit_of]
        return False

    for node in live:
        fits = None
        for unit in units:
            first, own = unit[0].condition, node.condition
            alike = first is not None and own is not None and first.place == own.place
            if alike and not node.folded and not unit[0].folded and not rests_on(node, unit):
                fits = unit
        if fits is None:
            fits = []
            units.append(fits)
        fits.append(node)
        unit_of[node.name] = fits
    for node in reversed(live):
        if (node.folded or node.condition is None) and node.name not in roots:
            readers = [other for other in live if node.name in other.reads]
            unit = unit_of[readers[0].name]
            conditions = [other.condition for other in readers if other.condition is not None]
            elsewhere = any(node.name in (*condition.reads, condition.otherwise) for condition in conditions)
            if _gathers(unit) and not elsewhere and all(unit_of[other.name] is unit for other in readers):
                unit.insert(0, node)
                units.remove(unit_of[node.name])
                unit_of[node.name] = unit
    return units


def _few(unit: Sequence[Node], outputs: Sequence[Node]) -> Run:
    """Return the function that computes steps of one condition for the rows that meet it."""
    condition = unit[-1].condition
    assert condition is not None

    def run(block: Block) -> None:
        applies, _, _ = condition.applies(block)
        if block.traced or np.count_nonzero(applies) * DENSE > block.inputs.n:
            for node in unit:
                node.compute(block)
            return
        rows = np.flatnonzero(applies)
        part = block.part(rows, condition.place)
        every = np.ones(len(rows), dtype=bool)
        part.masks[condition.place] = every, ~every, True
        for node in unit:
            node.bare(part)
            node.keep(part)
        if part.bits.any():
            block.bits[rows] |= part.bits
        if part.suspect.any():
            block.suspect[rows] |= part.suspect
        for node in outputs:
            assert node.condition is not None
            out = block.buffer(node.name)
            out[:] = node.condition.other(block)
            out[rows] = part.values[node.name]
            node.keep(block)

    return run
