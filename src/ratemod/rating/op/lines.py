"""Lines of one policy rolled up, and an amount shared out among them."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from ratemod.plan.op.lines import Rollup, ShareOut
from ratemod.rating import rational as q
from ratemod.rating.block import Block
from ratemod.rating.compiling import Compiling, Readings, Run
from ratemod.rating.groups import rollup, share_out
from ratemod.rating.rational import Rational
from ratemod.rating.whole import in_smallest, leave, whole
from ratemod.rating.working import Here, smallest_units

MOST_SUM = 2.0**62  # of lines, as whole numbers of their last decimal


def _exact_rollup(operation: Rollup, here: Here) -> Rational:
    (of,) = here.of(operation) or [q.constant(Decimal(1), here.n)]
    num, den = q.over_one_denominator(of)
    groups = here.state.inputs.groups
    lines = {part: groups[names] for part, names in operation.groups.items()}
    found, parts, ok = rollup(num, of.ok, how=operation.how, **lines)
    return Rational(found, den if operation.how != "mean" else den * parts.astype(object), ok)


def _exact_share_out(operation: ShareOut, here: Here) -> Rational:
    of, weights, inputs = here.state.get(operation.of[0]), here.state.get(operation.weights), here.state.inputs
    fen = smallest_units(of, here)
    ranks = np.arange(here.n) if inputs.ranks is None else inputs.ranks
    weight, _ = q.over_one_denominator(weights)
    parts, ok = share_out(fen.num, weight, fen.ok & weights.ok, inputs.groups[operation.group], ranks)
    return Rational(parts, here.plan.money.per_unit, ok)


def _fill_rollup(operation: Rollup, compiling: Compiling) -> Run:
    of = whole(operation.of[0] if operation.of else Decimal(1), compiling)

    def rolled(block: Block) -> None:
        if of is None:  # no decimals that a float holds: only exact arithmetic can join them
            leave(block, compiling.name)
            return
        places, whole = of
        values, valid = whole(block)
        lines = {part: block.inputs.groups[names] for part, names in operation.groups.items()}
        if operation.how in ("sum", "mean") and np.abs(values, dtype=np.float64).sum() >= MOST_SUM:
            block.suspect[:] = True
        found, parts, ok = rollup(values, valid, how=operation.how, **lines)
        block.buffer(compiling.name)[:] = np.where(ok, found / 10.0**places / parts, np.nan)

    return rolled


def _fill_share_out(operation: ShareOut, compiling: Compiling) -> Run:
    of, by = whole(operation.of[0], compiling), whole(operation.weights, compiling)

    money = compiling.plan.money

    def shared(block: Block) -> None:
        if of is None or by is None:
            leave(block, compiling.name)
            return
        (places, whole), (_, weigh) = of, by
        (values, valid), (weights, weighed) = whole(block), weigh(block)
        ranks = np.arange(block.inputs.n) if block.inputs.ranks is None else block.inputs.ranks
        groups = block.inputs.groups[operation.group]
        found, ok = share_out(in_smallest(values, places, money.decimals), weights, valid & weighed, groups, ranks)
        block.buffer(compiling.name)[:] = np.where(ok, found / money.per_unit, np.nan)

    return shared


READINGS: Readings = {
    Rollup: (_exact_rollup, _fill_rollup),
    ShareOut: (_exact_share_out, _fill_share_out),
}
