"""Where a book stands: the value of every step for every row under one plan.

A move to another plan recomputes only the steps that rest on what differs, and only for the rows that it can touch;
everything else is where it was. The steps are those of `ratemod.rating.fast`, with the same notes of what floats cannot
decide, so the premium of every row is that of a full re-rate. What is kept costs eight bytes a row and step.

A position is the one thing in this package that changes: whoever moves it must be its only user.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.plan.model import Operand, Plan, Step
from ratemod.plan.ranges import SUMS, snap_places
from ratemod.plan.reads import names_in, names_in_condition
from ratemod.rating.block import Block
from ratemod.rating.fast import Program, compile_plan
from ratemod.rating.inputs import Inputs, Selector
from ratemod.rating.run import BLOCK, MOST_YUAN, Outputs, run

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
    inputs : coded columns of n rows; fine : (n,) bool, rows that no cell and no check across rows refuses
    live : names of the steps that a premium or a refusal rests on; only they are kept
    values : step -> (n,) float64; applies : conditional step -> (n,) bool; bits : (n,) as `Outputs.bits`
    lost : (n,) bool, rows that are not fine, or that a rule or a legal range leaves without a premium
    doubts : steps run together -> rows that floats could not decide in them
    ages : step -> how often it was computed; gathered : rows by name of the cells that touch them, with what was
        gathered of them and its age, so that rows touched again are not gathered again
    premium_fen : (n,) int64, 0 where not priced; priced : (n,) bool
    """

    plan: Plan
    program: Program
    inputs: Inputs
    fine: Mask
    live: frozenset[str]
    values: dict[str, npt.NDArray[np.float64]]
    applies: dict[str, Mask]
    bits: npt.NDArray[np.signedinteger]
    lost: Mask
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
        steps, cells, limits = self._differing(plan)
        touched = None if cells is None or limits else self._touched(cells, answers)
        names = downstream(plan, steps) & self.live
        refusals = limits or _refusals_rest_on(plan, names)
        if refusals:  # a row that is refused no more takes its premium from what is kept
            names |= {plan.premium}
        program = compile_plan(plan)
        if touched is not None and _snapped_otherwise(self, plan, program, names):
            touched = None
        if names and (touched is None or len(touched.rows)):
            if refusals:
                _refuse(self, program, None if touched is None else touched.rows)
            _rerun(self, program, names, touched)
        self.plan, self.program = plan, program
        return NO_ROWS if not names else None if touched is None else touched.rows

    def _differing(self, plan: Plan) -> tuple[set[str], Key | None, bool]:
        """Return what differs: steps, the cells of look-ups if they alone do, and whether a limit that refuses does."""
        old = self.plan
        constants = {name for name, item in plan.constants.items() if item.value != old.constants[name].value}
        steps = {b.name for a, b in zip(old.steps, plan.steps) if a is not b and a != b}
        steps |= {step.name for step in plan.steps if constants and constants.intersection(names_in(step))}
        whole = bool(steps)
        cells: list[tuple[str, tuple[int, ...]]] = []
        for name in plan.tables:
            changed = changed_rows(old, plan, name)
            if changed and changed_rows(self.home, old, name) is None:  # `answers` knows the rows of the first table
                changed = None
            readers = {step.name for step in plan.steps if step.table == name} if changed != [] else set()
            steps |= readers
            if readers and changed is not None:
                cells.append((name, tuple(changed)))
            whole |= bool(readers) and changed is None
        return steps, None if whole else tuple(cells), not constants.isdisjoint(_looked_at(plan))

    def _touched(self, cells: Key, answers: Answers) -> Touched | None:
        """Return the rows that some cells touch, None for all; the same cells are looked for once."""
        if cells not in self.gathered:
            parts = [answers(name, list(changed)) for name, changed in cells]
            rows = (
                None
                if any(part is None for part in parts)
                else union([part for part in parts if part is not None], self.inputs.n)
            )
            if rows is None:
                return None
            if len(self.gathered) >= MOST_GATHERED:
                self.gathered.pop(next(iter(self.gathered)))
            self.gathered[cells] = Touched(rows)
        self.gathered[cells] = found = self.gathered.pop(cells)  # the last used stays longest
        return found


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


def position(plan: Plan, inputs: Inputs, fine: Mask) -> Position:
    """Return a book under a plan, every step that a premium or a refusal rests on computed and kept."""
    numbers = {name: array.astype(np.float64, copy=False) for name, array in inputs.numbers.items()}
    inputs = Inputs(inputs.n, numbers, inputs.codes, inputs.filled, inputs.texts, inputs.groups, inputs.ranks)
    program, live, n = compile_plan(plan), _live(plan), inputs.n
    made = Position(
        plan,
        program,
        inputs,
        fine,
        live,
        {name: np.empty(n) for name in plan.step_names if name in live},
        {step.name: np.empty(n, dtype=bool) for step in plan.steps if step.when is not None and step.name in live},
        np.zeros(n, dtype=program.bit_type),
        ~fine,
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=bool),
    )
    _refuse(made, program, None)
    _rerun(made, program, live, None)
    return made


def reads(plan: Plan, step: Step) -> Iterator[str]:
    """Yield every name that a step reads, those of its table's axes too."""
    yield from names_in(step)
    if step.table:
        bound = dict(step.by)
        yield from (bound.get(axis.name, axis.name) for axis in plan.tables[step.table].axes)


def downstream(plan: Plan, first: Collection[str]) -> frozenset[str]:
    """Return some steps and every step that rests on one of them.

    Examples
    --------
    >>> from ratemod.plan.editions import load_plan
    >>> sorted(downstream(load_plan("jilin-spli/2025-04"), ["minimum_premium"]))
    ['fund', 'fund_before_rounding', 'minimum_premium', 'premium']
    """
    found = set(first)
    if found:
        for step in plan.steps:
            if step.name not in found and not found.isdisjoint(reads(plan, step)):
                found.add(step.name)
    return frozenset(found)


def _upstream(plan: Plan, first: Collection[str]) -> frozenset[str]:
    found = set(first)
    for step in reversed(plan.steps):
        if step.name in found:
            found |= set(reads(plan, step))
    return frozenset(found)


def _live(plan: Plan) -> frozenset[str]:
    """Return the steps that a premium, or a row's being refused, rests on."""
    wanted = {plan.premium} | _looked_at(plan)
    if plan.fund is not None and not _fund_follows(plan):
        wanted.add(plan.fund)
    return _upstream(plan, wanted) & frozenset(plan.step_names)


def _at_most_one(limit: Operand | None) -> bool:
    return isinstance(limit, Decimal) and limit <= 1


def _fund_follows(plan: Plan) -> bool:
    """Whether the fund is a lawful share of the premium, rounded: then it can be held whenever the premium can."""
    shares = {item.of for item in plan.legal if item.of in plan.constants and _at_most_one(item.high)}
    steps = {step.name: step for step in plan.steps}
    name = str(plan.fund)
    while name != plan.premium:
        step = steps.get(name)
        if step is None or step.when is not None or step.op not in ("product", "round"):
            return False
        rest = [operand for operand in step.of if operand not in shares]
        if len(rest) != 1 or not isinstance(rest[0], str):
            return False
        name = rest[0]
    return True


def _refusals_rest_on(plan: Plan, names: frozenset[str]) -> bool:
    """Whether a rule that refuses, or a legal range, looks at some of these steps."""
    return not names.isdisjoint(_looked_at(plan))


def _looked_at(plan: Plan) -> set[str]:
    """Return the names that rules which refuse, and legal ranges, look at."""
    looks = set().union(*(item.reads for item in plan.legal))
    for rule in plan.rules:
        looks |= set(names_in_condition(rule.when)) if rule.action in ("refuse", "decline") else set()
    return looks


def _refuse(held: Position, program: Program, rows: Rows | None) -> None:
    """Note which rows a rule or a legal range leaves without a premium, by pricing them in full."""
    chosen: Selector = slice(0, held.inputs.n) if rows is None else rows
    out = run(program, held.inputs if rows is None else held.inputs.part(rows), ())
    held.lost[chosen] = ~held.fine[chosen] | _refused(program.plan, out)


def _refused(plan: Plan, out: Outputs) -> Mask:
    caught = [mask for rule, mask in zip(plan.rules, out.caught) if rule.action in ("refuse", "decline")]
    return np.asarray(np.logical_or.reduce([np.zeros(len(out.priced), dtype=bool), *caught, *out.outside]))


def _snapped_otherwise(held: Position, plan: Plan, program: Program, names: Collection[str]) -> bool:
    """Whether sums of some steps lie on another grid under the new plan: what is kept of them is then of no use."""
    old = {step.name: step for step in held.plan.steps}
    return any(
        snap_places(step, plan, program.known) != snap_places(old[step.name], held.plan, held.program.known)
        for step in plan.steps
        if step.name in names and (step.op in SUMS or old[step.name].op in SUMS)
    )


def _rerun(held: Position, program: Program, names: frozenset[str], touched: Touched | None) -> None:
    """Run some steps again for some rows, None for all, and keep what they give."""
    plan = program.plan
    steps = {step.name: step for step in plan.steps}
    kept = _needed(plan, program, names)
    wanted = set(chain.from_iterable(reads(plan, steps[name]) for name in (*names, *kept)))
    kept |= {name for name in wanted if name in held.values} - names
    for name in names:
        held.ages[name] = held.ages.get(name, 0) + 1
    clear = sum(3 << 2 * at for at, name in enumerate(program.bounding) if name in names)
    rows = None if touched is None else touched.rows
    inputs = _columns(held.inputs, wanted, touched)
    values, applies = held.values, held.applies
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
        block.bits[:] = held.bits[chosen] & ~np.asarray(clear).astype(block.bits.dtype)
        if rows is None:  # steps write where they are kept
            block.buffers |= {name: held.values[name][part] for name in names}
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            for name, step in program.runs:
                if name in names:
                    step(block)
                    block.values[name] = block.buffer(name)
        _keep(held, names, block, plan, chosen, rows is not None)
        suspect[part] = block.suspect

    if len(parts) == 1:
        work(parts[0])
    else:
        with ThreadPoolExecutor(min(os.cpu_count() or 1, len(parts))) as pool:
            list(pool.map(work, parts))
    _decide(held, program, names, rows, suspect)


def _needed(plan: Plan, program: Program, names: frozenset[str]) -> set[str]:
    """Return the steps whose kept values some steps read, ties to their last digit included."""
    steps = {step.name: step for step in plan.steps}
    found: set[str] = set()
    waiting = [name for step in names for name in reads(plan, steps[step])]
    while waiting:
        name = waiting.pop()
        if name in steps and name not in names and name not in found:
            found.add(name)
            waiting += [] if program.known[name].on_grid else reads(plan, steps[name])
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
        chosen("group", inputs.groups),
        ranks if ranks is None or touched is None else touched.of("ranks", 0, ranks),
    )


def _keep(held: Position, names: frozenset[str], block: Block, plan: Plan, chosen: Selector, scattered: bool) -> None:
    for name in names:
        if scattered:
            held.values[name][chosen] = block.values[name]
        if name in held.applies and name in block.applies:
            held.applies[name][chosen] = block.applies[name]
    held.bits[chosen] = block.bits
    lost = held.lost[chosen]
    for name in (plan.premium, *((plan.fund,) if plan.fund in held.live else ())):
        value = block.values[str(name)] if name in block.values else held.values[str(name)][chosen]
        lost = lost | ~((value <= MOST_YUAN) & (value >= -MOST_YUAN))
    fen = block.values[plan.premium] * 100.0
    np.copyto(fen, 0.0, where=lost)
    held.premium_fen[chosen] = np.rint(fen, out=fen)
    held.priced[chosen] = ~lost


def _decide(held: Position, program: Program, names: frozenset[str], rows: Rows | None, suspect: Mask) -> None:
    """Let exact arithmetic decide what floats could not, here or in an earlier move."""
    plan = program.plan
    found = np.flatnonzero(suspect) if rows is None else rows[suspect]
    for steps, doubted in list(held.doubts.items()):  # a doubt ends only where all the steps that raised it ran again
        if steps <= names:
            held.doubts[steps] = NO_ROWS if rows is None else doubted[~among(doubted, rows)]
    held.doubts[names] = np.union1d(held.doubts.get(names, NO_ROWS), found).astype(np.intp)
    every = np.unique(np.concatenate(list(held.doubts.values())))
    due = every if rows is None else every[among(every, rows)]
    if not len(due):
        return
    if program.whole:  # a group is decided as a whole
        for groups in held.inputs.groups.values():
            due = np.flatnonzero(np.isin(groups, groups[due]) | np.isin(np.arange(held.inputs.n), due))
    out = run(program, held.inputs.part(due), ())
    lost = ~out.priced | ~held.fine[due] | _refused(plan, out)
    held.premium_fen[due] = np.where(lost, 0, out.premium_fen)
    held.priced[due] = ~lost
    held.bits[due] = out.bits
