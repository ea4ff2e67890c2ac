"""Run a compiled plan over coded columns: blocks on all cores, then the exact path where floats cannot decide."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.plan.graph import legal_node, rule_node
from ratemod.rating import exact, working
from ratemod.rating.block import Block
from ratemod.rating.fast import Program
from ratemod.rating.groups import whole_groups
from ratemod.rating.inputs import Groups, Inputs, Selector
from ratemod.rating.rational import Rational
from ratemod.reading.arrow import fresh

BLOCK = 65_536
EXACT_AT_ONCE = 20_000  # rows that the exact path takes at a time, to bound its memory


@dataclass(frozen=True, eq=False, slots=True)
class Outputs:
    """What the steps gave for n rows.

    Attributes
    ----------
    steps : mapping of (n,) float64
        The steps asked for; the nearest float to each exact value for rows decided exactly.
    premium_fen, fund_fen : (n,) int64, smallest units of the plan's money
        0 where `priced` is False.
    priced : (n,) bool
    bits : (n,) int16 or int64
        Two bits a bounding step: low end held, high end held.
    caught : tuple of (n,) bool
        For each rule of the plan, the rows it catches.
    outside, excepted : tuple of (n,) bool
        For each legal range that must be guarded, the rows outside it, and the rows its exception is for.
    suspects : int
        Rows that the exact path decided.
    """

    steps: dict[str, npt.NDArray[np.float64]]
    premium_fen: npt.NDArray[np.int64]
    fund_fen: npt.NDArray[np.int64] | None
    priced: npt.NDArray[np.bool_]
    bits: npt.NDArray[Any]
    caught: tuple[npt.NDArray[np.bool_], ...]
    outside: tuple[npt.NDArray[np.bool_], ...]
    excepted: tuple[npt.NDArray[np.bool_], ...]
    suspects: int = 0


def no_outputs(program: Program, n: int, wanted: tuple[str, ...] = ()) -> Outputs:
    """Return the outputs of n rows, to be filled in."""
    plan = program.plan
    return Outputs(
        {name: fresh(n, np.float64) for name in wanted},
        fresh(n, np.int64),
        None if plan.fund is None else fresh(n, np.int64),
        fresh(n, np.bool_),
        fresh(n, program.bit_type),
        tuple(np.zeros(n, dtype=bool) for _ in plan.rules),
        tuple(np.zeros(n, dtype=bool) for _ in program.guarded),
        tuple(np.zeros(n, dtype=bool) for _ in program.guarded),
    )


@dataclass(frozen=True, eq=False, slots=True)
class Source:
    """Rows that are coded when they are asked for."""

    n: int
    groups: Groups
    part: Callable[[Selector], Inputs]


def run(
    program: Program,
    inputs: Inputs | Source,
    wanted: tuple[str, ...],
    threads: int | None = None,
    block: int = BLOCK,
    memory: list[Block] | None = None,
) -> Outputs:
    """Return the outputs of a plan for coded columns.

    Parameters
    ----------
    program : Program
    inputs : Inputs, or a Source of n rows
    wanted : names of the steps to keep
    threads : int, optional
        Default: all cores. The result does not depend on it, nor on `block`.
    memory : list of Block, optional
        Working memory of the same block size to take from and to put back.
    """
    n = inputs.n
    out = no_outputs(program, n, wanted)
    open_: list[tuple[npt.NDArray[np.intp], Inputs]] = []
    size = max(n, 1) if program.whole else block
    parts = [slice(start, min(start + size, n)) for start in range(0, n, size)]
    workers = min(threads or os.cpu_count() or 1, max(len(parts), 1))

    shared = [] if memory is None else memory
    length = min(size, max(n, 1)) if memory is None else max(size, 1)

    def work(mine: list[slice]) -> None:
        own = _take(shared, length)
        for rows in mine:
            program.run(own, inputs.part(rows), wanted, traced=program.whole)
            _keep(program, out, own, rows)
            if own.suspect.any():
                few = np.flatnonzero(own.suspect)
                open_.append((few + rows.start, own.inputs.part(few)))
        own.release()
        shared.append(own)

    if workers == 1:
        work(parts)
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(work, [parts[at::workers] for at in range(workers)]))
    if not open_:
        return out
    rows = np.concatenate([few for few, _ in open_])
    if program.whole:  # a group is decided as a whole
        suspect = np.isin(np.arange(n), rows)
        rows = np.flatnonzero(whole_groups(suspect, inputs.groups))
        decide(program, inputs.part(rows), rows, out, len(rows))
    else:
        part = Inputs.joined([few for _, few in open_])
        left = _trace(program, part, rows, out)
        rows = rows[left]
        decide(program, part.part(left), rows, out, EXACT_AT_ONCE)
    return replace(out, suspects=len(rows))


def _trace(program: Program, part: Inputs, rows: npt.NDArray[np.intp], out: Outputs) -> npt.NDArray[np.intp]:
    """Look again, step by step, at rows that may be ties; return the few that are left for exact arithmetic."""
    left = []
    for chunk in _chunks(np.arange(len(rows)), BLOCK):
        memory = Block(len(chunk))
        program.run(memory, part.part(chunk), traced=True)
        _keep(program, out, memory, rows[chunk])
        left.append(chunk[memory.suspect])
    return np.concatenate(left)


def _take(memory: list[Block], size: int) -> Block:
    """Return working memory that is free and large enough, or new."""
    with suppress(IndexError):
        found = memory.pop()  # one operation of a list: safe among threads
        if found.size >= size:
            return found
    return Block(size)


def _keep(program: Program, out: Outputs, memory: Block, rows: Selector) -> None:
    for name, array in out.steps.items():
        array[rows] = memory.values[name]
    keep_verdicts(program, out, memory, rows, program.plan.graph().kinds)
    keep_money(program, out, memory, rows)


def keep_verdicts(program: Program, out: Outputs, memory: Block, rows: Selector, nodes: Collection[str]) -> None:
    """Note for some rows, the rows of a block, what those rules and legal ranges say that are among some nodes."""
    for rule, holds, caught in zip(program.plan.rules, program.rules, out.caught, strict=True):
        if rule_node(rule.name) in nodes:
            caught[rows] = holds(memory)
    guards = zip(program.guarded, program.outside, out.outside, out.excepted, strict=True)
    for item, (lies_outside, is_excepted), outside, excepted in guards:
        if legal_node(item.name) in nodes:
            outside[rows] = lies_outside(memory)
            excepted[rows] = is_excepted(memory)


def keep_money(program: Program, out: Outputs, memory: Block, rows: Selector) -> None:
    """Note for some rows, the rows of a block, the premium and the fund in smallest units, and the ends that held."""
    plan = program.plan
    premium = memory.values[plan.premium]
    money = plan.money
    priced = np.less_equal(premium, money.most)
    priced &= np.greater_equal(premium, -money.most)
    if plan.fund is not None and out.fund_fen is not None:
        fund = memory.values[plan.fund]
        priced &= np.abs(fund) <= money.most
        out.fund_fen[rows] = _fen(fund, priced, memory, money.per_unit)
    out.premium_fen[rows] = _fen(premium, priced, memory, money.per_unit)
    out.priced[rows] = priced
    out.bits[rows] = memory.bits


def _fen(
    amount: npt.NDArray[np.float64], valid: npt.NDArray[np.bool_], memory: Block, per_unit: int
) -> npt.NDArray[np.float64] | npt.NDArray[np.int64]:
    """Return as whole smallest units amounts already rounded to them; 0 where there is none."""
    fen = memory.scratch(float)
    np.multiply(amount, per_unit, out=fen)
    np.rint(fen, out=fen)
    return fen if valid.all() else np.where(valid, fen, 0.0)


def decide(program: Program, part: Inputs, rows: npt.NDArray[np.intp], out: Outputs, size: int) -> None:
    """Replace the outputs of some rows, whose columns are given, by the exact ones."""
    plan = program.plan
    for at in _chunks(np.arange(len(rows)), size):
        state, chunk = exact.evaluate(plan, part.part(at)), rows[at]
        for name, array in out.steps.items():
            array[chunk] = state.values[name].floats()
        premium = state.values[plan.premium]
        priced = premium.ok & within(premium, plan.money.most)
        if plan.fund is not None and out.fund_fen is not None:
            fund = state.values[plan.fund]
            priced &= fund.ok & within(fund, plan.money.most)
            out.fund_fen[chunk] = np.where(priced, fund.num * plan.money.per_unit // fund.den, 0).astype(np.int64)
        out.premium_fen[chunk] = np.where(priced, premium.num * plan.money.per_unit // premium.den, 0).astype(np.int64)
        out.priced[chunk] = priced
        out.bits[chunk] = binding_bits(program, state)
        for rule, caught in zip(plan.rules, out.caught):
            caught[chunk] = working.holds(rule.when, plan, state)
        for item, outside, excepted in zip(program.guarded, out.outside, out.excepted):
            outside[chunk] = exact.outside_range(item, state)
            excepted[chunk] = item.exception is not None and working.holds(item.exception.when, plan, state)


def within(amount: Rational, most: int) -> npt.NDArray[np.bool_]:
    """Return where an exact amount can be held in smallest units."""
    return np.asarray(abs(amount.num) <= most * amount.den, dtype=bool)


def binding_bits(program: Program, state: working.Exact) -> npt.NDArray[np.int64]:
    """Return the exact path's binding ends as the bits of the fast path."""
    bits = np.zeros(state.inputs.n, dtype=np.int64)
    for at, name in enumerate(program.bounding):
        binding = state.binding[name]
        bits |= (binding == -1).astype(np.int64) << 2 * at | (binding == 1).astype(np.int64) << 2 * at + 1
    return bits


def _chunks(rows: npt.NDArray[np.intp], size: int) -> Iterator[npt.NDArray[np.intp]]:
    for start in range(0, len(rows), max(size, 1)):
        yield rows[start : start + size]
