"""Lines of one policy in order, and what the line at a place has."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ratemod.plan.op.level import places
from ratemod.plan.op.ranked import Rank, Take, TakeLevel, Taken
from ratemod.rating import rational as q
from ratemod.rating.block import Block
from ratemod.rating.compiling import Compiling, Readings, Run
from ratemod.rating.groups import ranked, taken
from ratemod.rating.rational import Rational
from ratemod.rating.whole import leave, whole
from ratemod.rating.working import Here, codes_of


def _exact_rank(operation: Rank, here: Here) -> Rational:
    (of,) = here.of(operation)
    num, _ = q.over_one_denominator(of)
    inputs = here.state.inputs
    ranks = np.arange(here.n) if inputs.ranks is None else inputs.ranks
    found, ok = ranked(num, of.ok, inputs.groups[operation.group], ranks, operation.first == "largest")
    return Rational(q.integers(found), 1, ok)


def _row_taken(operation: Taken, here: Here) -> npt.NDArray[np.int64]:
    """Return the row that each row takes its value from, -1 for none."""
    rank = here.state.values[operation.rank]
    place = np.where(rank.ok, rank.num // rank.den, 0).astype(np.int64)
    return taken(place, rank.ok, here.state.inputs.groups[operation.group], operation.which)


def _exact_take(operation: Take, here: Here) -> Rational:
    (of,), row = here.of(operation), _row_taken(operation, here)
    num, den = q.over_one_denominator(of)
    return Rational(num[row], den, of.ok[row] & (row >= 0))


def _exact_take_level(operation: TakeLevel, here: Here) -> Rational:
    own = np.array(places(operation.levels, here.plan.level_columns[operation.level].codes()))
    found, row = own[codes_of(operation.level, here.state)], _row_taken(operation, here)
    found = found[row]
    return Rational(q.integers(np.maximum(found, 0)), 1, (row >= 0) & (found >= 0))


def _fill_rank(operation: Rank, compiling: Compiling) -> Run:
    of = whole(operation.of[0], compiling)

    def rank(block: Block) -> None:
        if of is None:
            leave(block, compiling.name)
            return
        values, valid = of[1](block)
        ranks = np.arange(block.inputs.n) if block.inputs.ranks is None else block.inputs.ranks
        group = block.inputs.groups[operation.group]
        found, ok = ranked(values, valid, group, ranks, operation.first == "largest")
        block.buffer(compiling.name)[:] = np.where(ok, found, np.nan)

    return rank


def _fill_take(operation: Take | TakeLevel, compiling: Compiling) -> Run:
    ordered = np.zeros(0)
    if isinstance(operation, TakeLevel):
        column = compiling.plan.level_columns[operation.level]
        ordered = np.array(places(operation.levels, column.codes()), dtype=np.float64)
        ordered[ordered < 0] = np.nan

    def take(block: Block) -> None:
        rank = block.get(operation.rank, compiling.floats)
        place = np.where(np.isnan(rank), 0, rank).astype(np.int64)
        row = taken(place, ~np.isnan(rank), block.inputs.groups[operation.group], operation.which)
        if isinstance(operation, TakeLevel):
            values = ordered[block.codes_of(operation.level, column.code_type)]
        else:
            values = np.broadcast_to(block.get(operation.of[0], compiling.floats), block.inputs.n)
        block.buffer(compiling.name)[:] = np.where(row >= 0, values[row], np.nan)

    return take


READINGS: Readings = {
    Rank: (_exact_rank, _fill_rank),
    Take: (_exact_take, _fill_take),
    TakeLevel: (_exact_take_level, _fill_take),
}
