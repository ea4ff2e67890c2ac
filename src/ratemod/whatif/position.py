"""Where a book stands: the value of every step for every row under one plan.

A move to another plan recomputes only the steps that rest on what differs, and only for the rows that it can touch;
everything else is where it was. The steps are those of `ratemod.rating.fast`, with the same notes of what floats cannot
decide, so the premium of every row is that of a full re-rate. What is kept costs eight bytes a row and step.

A position is the one thing in this package that changes: whoever moves it must be its only user.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.plan.graph import legal_node, table_node
from ratemod.plan.model import Axis, Plan, Table
from ratemod.plan.ranges import snap_places
from ratemod.rating.block import Block
from ratemod.rating.fast import Program, compile_plan
from ratemod.rating.groups import whole_groups
from ratemod.rating.inputs import Inputs, Selector
from ratemod.rating.refusal import lost_rows
from ratemod.rating.run import BLOCK, EXACT_AT_ONCE, Outputs, decide, keep_money, keep_verdicts, no_outputs

Rows = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]
Answers = Callable[[str, list[int]], Rows | None]
Key = tuple[tuple[str, tuple[int, ...]], ...]
MOST_GATHERED = 12
MOST_SHARE = 0.35  # with more rows than this touched, whole blocks are cheaper than gathering rows
NO_ROWS = np.zeros(0, dtype=np.intp)


@dataclass(eq=False, slots=True)
class Touched:
    """Rows that some cells touch, and what was gathered of them: name -> (age, values)."""

    rows: Rows
    values: dict[str, tuple[int, npt.NDArray[Any]]] = field(default_factory=dict)

    def of(self, name: str, age: int, whole: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the rows of an array, gathered anew only where it is of another age."""
        if name not in self.values or self.values[name][0] != age:
            self.values[name] = age, whole[self.rows]
        return self.values[name][1]


@dataclass(eq=False)
class Position:
    """A book under a plan, every step kept.

    Attributes
    ----------
    plan : Plan; program : what was compiled last, with the ranges of every step
    inputs : coded columns of n rows; barred : (n,) bool, rows that a cell or a check across rows refuses
    live : what the results of a row rest on (`Graph.live`); only these steps are kept
    values : step -> (n,) float64; applies : conditional step -> (n,) bool
    out : Outputs of n rows without regard to refusals; outside, excepted : by legal range of the plan
    doubts : steps and verdicts run together -> rows that floats could not decide in them
    ages : step -> how often it was computed; gathered : rows by name of the cells that touch them, with what was
        gathered of them and its age, so that rows touched again are not gathered again
    premium_fen : (n,) int64, 0 where not priced; priced : (n,) bool
    """

    plan: Plan
    program: Program
    inputs: Inputs
    barred: Mask
    live: frozenset[str]
    values: dict[str, npt.NDArray[np.float64]]
    applies: dict[str, Mask]
    out: Outputs
    outside: dict[str, Mask]
    excepted: dict[str, Mask]
    premium_fen: npt.NDArray[np.int64]
    priced: Mask
    doubts: dict[frozenset[str], Rows] = field(default_factory=dict)
    ages: dict[str, int] = field(default_factory=dict)
    gathered: dict[Key, Touched] = field(default_factory=dict)

    home: Plan = field(init=False)

    def __post_init__(self) -> None:
        """Keep the plan that the book was first priced under."""
        self.home = self.plan

    def move(self, plan: Plan, answers: Answers) -> Rows | None:
        """Move the book to another plan.

        Parameters
        ----------
        plan : Plan that differs in cells, constants and steps, with the same steps by name
        answers : (table, rows of it) -> rows of the book whose look-ups they answer, in order, or None for all

        Returns
        -------
        (m,) intp, the rows that were priced again, or None for all
        """
        changed = plan.graph().differing(self.plan)
        names = plan.graph().downstream(changed) & self.live
        touched = self._touched(plan, changed & self.live, answers)
        program = compile_plan(plan)
        if touched is not None and _snapped_otherwise(self, plan, program, names):
            touched = None
        if names and (touched is None or len(touched.rows)):
            _rerun(self, program, names, touched)
        self.plan, self.program = plan, program
        return NO_ROWS if not names else None if touched is None else touched.rows

    def outputs(self, program: Program) -> Outputs:
        """Return the outputs as a program fills them in: with the legal ranges that it guards."""
        names = [item.name for item in program.guarded]
        outside, excepted = (tuple(held[name] for name in names) for held in (self.outside, self.excepted))
        return replace(self.out, outside=outside, excepted=excepted)

    def _touched(self, plan: Plan, changed: frozenset[str], answers: Answers) -> Touched | None:
        """Return the rows that changed cells touch, None for all; the same cells are looked for once."""
        key = changed_cells(self.plan, plan, changed)
        if key is None or self._astray(plan, changed):
            return None
        if key not in self.gathered:
            parts = [answers(name, list(rows)) for name, rows in key]
            known = [part for part in parts if part is not None]
            found = union(known, self.inputs.n) if len(known) == len(parts) else None
            if found is None:
                return None
            if len(self.gathered) >= MOST_GATHERED:
                self.gathered.pop(next(iter(self.gathered)))
            self.gathered[key] = Touched(found)
        self.gathered[key] = gathered = self.gathered.pop(key)  # the last used stays longest
        return gathered

    def _astray(self, plan: Plan, changed: frozenset[str]) -> bool:
        """Whether some changed table may now answer other rows than under the first plan, which `answers` knows."""
        graph = self.home.graph()
        moved = self.plan.graph().differing(self.home) | plan.graph().differing(self.home)
        tables = {name: table for name, table in self.home.tables.items() if table_node(name) in changed}
        axes = {step.bound(axis.name) for step in self.home.steps for axis in _axes(tables.get(step.operation.table))}
        rows_differ = any(changed_rows(self.home, self.plan, name) is None for name in tables)
        return rows_differ or not moved.isdisjoint(graph.upstream(axes))


def _axes(table: Table | None) -> tuple[Axis, ...]:
    return () if table is None else table.axes


def changed_cells(old: Plan, new: Plan, nodes: Collection[str]) -> Key | None:
    """Return the rows of tables that differ, by table; None where a constant, a step or a table's keys do."""
    found: list[tuple[str, tuple[int, ...]]] = []
    for node in sorted(nodes):
        name = node.removeprefix(table_node(""))
        rows = changed_rows(old, new, name) if node != name else None
        if rows is None:
            return None
        found += [(name, tuple(rows))] if rows else []
    return tuple(found)


def changed_rows(old: Plan, new: Plan, table: str) -> list[int] | None:
    """Return which rows of a table have other numbers, none if it is the same, None if its rows are others."""
    a, b = old.tables[table], new.tables[table]
    if a is b:
        return []
    if len(a.rows) != len(b.rows):
        return None
    found = [at for at, (x, y) in enumerate(zip(a.rows, b.rows)) if x is not y and x != y]
    if a.axes != b.axes or any(a.rows[at].keys != b.rows[at].keys for at in found):
        return None
    return [at for at in found if a.rows[at].values != b.rows[at].values]


def union(parts: list[Rows], n: int) -> Rows | None:
    """Return several lists of rows as one in order; None, for all, when they are a large share of n."""
    if len(parts) == 1:
        return parts[0] if len(parts[0]) <= MOST_SHARE * n else None
    size = sum(map(len, parts))
    if size < n // 200:
        return np.unique(np.concatenate(parts)) if parts else NO_ROWS
    hit = np.zeros(n, dtype=bool)
    for part in parts:
        hit[part] = True
    rows = np.flatnonzero(hit)
    return rows if len(rows) <= MOST_SHARE * n else None


def among(some: Rows, rows: Rows) -> Mask:
    """Return which of some rows are in a list of rows; both in order."""
    at = np.minimum(np.searchsorted(rows, some), max(len(rows) - 1, 0))
    return rows[at] == some if len(rows) else np.zeros(len(some), dtype=bool)


def position(plan: Plan, inputs: Inputs, barred: Mask) -> Position:
    """Return a book under a plan, every step that a result rests on computed and kept."""
    numbers = {name: array.astype(np.float64, copy=False) for name, array in inputs.numbers.items()}
    inputs = Inputs(inputs.n, numbers, inputs.codes, inputs.filled, inputs.texts, inputs.groups, inputs.ranks)
    program, live, n = compile_plan(plan), plan.graph().live, inputs.n
    made = Position(
        plan=plan,
        program=program,
        inputs=inputs,
        barred=barred,
        live=live,
        values={name: np.empty(n) for name in plan.step_names if name in live},
        applies={step.name: np.empty(n, dtype=bool) for step in plan.steps if step.when and step.name in live},
        out=replace(no_outputs(program, n), bits=np.zeros(n, dtype=program.bit_type)),
        outside={item.name: np.zeros(n, dtype=bool) for item in plan.legal},
        excepted={item.name: np.zeros(n, dtype=bool) for item in plan.legal},
        premium_fen=np.zeros(n, dtype=np.int64),
        priced=np.zeros(n, dtype=bool),
    )
    _rerun(made, program, live, None)
    return made


def _snapped_otherwise(held: Position, plan: Plan, program: Program, names: Collection[str]) -> bool:
    """Whether sums of some steps lie on another grid under the new plan: what is kept of them is then of no use."""
    old = {step.name: step for step in held.plan.steps}
    return any(
        snap_places(step, plan, program.known) != snap_places(old[step.name], held.plan, held.program.known)
        for step in plan.steps
        if step.name in names and (step.operation.cancels or old[step.name].operation.cancels)
    )


def _rerun(held: Position, program: Program, names: frozenset[str], touched: Touched | None) -> None:
    """Run some steps, rules and legal ranges again for some rows, None for all, and keep what they give."""
    plan, graph = program.plan, program.plan.graph()
    steps = names & held.values.keys()
    kept = _needed(program, names)
    money = {name for name in (plan.premium, plan.fund) if name is not None}
    kept |= money - steps if money & steps else set()
    wanted = set(chain.from_iterable(graph.reads[name] for name in (*names, *kept)))
    kept |= (wanted & held.values.keys()) - steps
    for name in steps:
        held.ages[name] = held.ages.get(name, 0) + 1
    clear = sum(3 << 2 * at for at, name in enumerate(program.bounding) if name in steps)
    rows = None if touched is None else touched.rows
    inputs = _columns(held.inputs, wanted, touched)
    values, applies, out = held.values, held.applies, held.outputs(program)
    for item in plan.legal:  # what the plan now proves holds everywhere
        if legal_node(item.name) in names and item not in program.guarded:
            held.outside[item.name][:] = False
    if touched is not None:
        values = {name: touched.of(name, held.ages.get(name, 0), values[name]) for name in kept}
        applies = {
            name: touched.of(f"{name} applies", held.ages.get(name, 0), applies[name])
            for name in kept
            if name in applies
        }
    suspect = np.zeros(inputs.n, dtype=bool)
    size = max(inputs.n, 1) if program.whole else BLOCK
    parts = [slice(start, min(start + size, inputs.n)) for start in range(0, inputs.n, size)]

    def work(part: slice) -> None:
        chosen: Selector = part if rows is None else rows[part]
        block = Block(part.stop - part.start)
        block.start(inputs.part(part), program.bit_type)
        block.traced = True  # what ties hang on is kept
        block.values |= {name: values[name][part] for name in kept}
        block.applies |= {name: applies[name][part] for name in kept if name in applies}
        block.bits[:] = held.out.bits[chosen] & ~np.asarray(clear).astype(block.bits.dtype)
        if rows is None:  # steps write where they are kept
            block.buffers |= {name: held.values[name][part] for name in steps}
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            for name, step in program.runs:
                if name in steps:
                    step(block)
                    block.values[name] = block.buffer(name)
            keep_verdicts(program, out, block, chosen, names)
        for name in steps:
            if rows is not None:
                held.values[name][chosen] = block.values[name]
            if name in held.applies and name in block.applies:
                held.applies[name][chosen] = block.applies[name]
        if money & steps:
            keep_money(program, out, block, chosen)
        else:
            held.out.bits[chosen] = block.bits
        suspect[part] = block.suspect
        _settle(held, plan, out, chosen)

    if len(parts) == 1:
        work(parts[0])
    else:
        with ThreadPoolExecutor(min(os.cpu_count() or 1, len(parts))) as pool:
            list(pool.map(work, parts))
    due = _doubted(held, program, names, rows, suspect)
    if len(due):
        decide(program, held.inputs.part(due), due, out, len(due) if program.whole else EXACT_AT_ONCE)
        _settle(held, plan, out, due)


def _settle(held: Position, plan: Plan, out: Outputs, rows: Selector) -> None:
    """Note which of some rows end without a premium; of a policy of several lines all are among them."""
    groups = {name: lines[rows] for name, lines in held.inputs.groups.items()}
    priced = ~lost_rows(plan, out, held.barred[rows], groups, rows)
    held.priced[rows] = priced
    held.premium_fen[rows] = np.where(priced, out.premium_fen[rows], 0)


def _needed(program: Program, names: frozenset[str]) -> set[str]:
    """Return the steps whose kept values some nodes read, ties to their last digit included."""
    reads = program.plan.graph().reads
    steps = set(program.plan.step_names)
    found: set[str] = set()
    waiting = [name for node in names for name in reads[node]]
    while waiting:
        name = waiting.pop()
        if name in steps and name not in names and name not in found:
            found.add(name)
            waiting += [] if program.known[name].on_grid else reads[name]
    return found


def _columns(inputs: Inputs, names: Collection[str], touched: Touched | None) -> Inputs:
    """Return only some columns, of all rows or of the touched."""

    def chosen(kind: str, held: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        return {
            name: array if touched is None else touched.of(f"{kind} {name}", 0, array)
            for name, array in held.items()
            if name in names
        }

    ranks = inputs.ranks
    return Inputs(
        inputs.n if touched is None else len(touched.rows),
        chosen("number", inputs.numbers),
        chosen("code", inputs.codes),
        chosen("filled", inputs.filled),
        chosen("text", inputs.texts),
        {
            columns: lines if touched is None else touched.of(f"group {columns}", 0, lines)
            for columns, lines in inputs.groups.items()
            if any(name in names for name in columns)
        },
        ranks if ranks is None or touched is None else touched.of("ranks", 0, ranks),
    )


def _doubted(held: Position, program: Program, names: frozenset[str], rows: Rows | None, suspect: Mask) -> Rows:
    """Return the rows that exact arithmetic must decide: what floats could not, here or in an earlier move."""
    found = np.flatnonzero(suspect) if rows is None else rows[suspect]
    for nodes, doubted in list(held.doubts.items()):  # a doubt ends only where all that raised it ran again
        if nodes <= names:
            held.doubts[nodes] = NO_ROWS if rows is None else doubted[~among(doubted, rows)]
    held.doubts[names] = np.union1d(held.doubts.get(names, NO_ROWS), found).astype(np.intp)
    every = np.unique(np.concatenate(list(held.doubts.values())))
    due = every if rows is None else every[among(every, rows)]
    if program.whole and len(due):  # a group is decided as a whole
        due = np.flatnonzero(whole_groups(np.isin(np.arange(held.inputs.n), due), held.inputs.groups))
    return due
