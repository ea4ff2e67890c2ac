"""What an underwriter chose within its range."""

from __future__ import annotations

import numpy as np

from ratemod.plan.interval import operand_range
from ratemod.plan.model import Plan
from ratemod.plan.op.judgement import Judgement
from ratemod.rating import rational as q
from ratemod.rating.block import Block
from ratemod.rating.compiling import Compiling, Readings, Run
from ratemod.rating.conditions import comparison
from ratemod.rating.look_up import fill_from_cells
from ratemod.rating.op.look_up import cell
from ratemod.rating.rational import Rational
from ratemod.rating.working import Exact, Here, nothing


def permitted(operation: Judgement, name: str, plan: Plan, state: Exact) -> tuple[Rational, Rational]:
    """Return the least and the most that may be chosen in a judgement step."""
    if operation.table:
        values = cell(operation, Here(plan, name, state))
        return values("low"), values("high")
    low, high = (state.get(end) for end in (operation.low, operation.high) if end is not None)
    return low, high


def _exact_judgement(operation: Judgement, here: Here) -> Rational:
    """Return what was chosen where it may be and its reason is given, and what stands where nothing was chosen."""
    state = here.state
    low, high = permitted(operation, here.name, here.plan, state)
    if operation.table:
        value = cell(operation, here)(operation.column)
    else:
        value = state.get(operation.of[0]) if operation.of else nothing(here.n)
    chosen = state.values[operation.chosen]
    inside = (q.compare(chosen, low) >= 0) & (q.compare(chosen, high) <= 0)
    if operation.reason:
        inside &= state.inputs.filled[operation.reason]
    given = Rational(chosen.num, chosen.den, chosen.ok & inside & low.ok & high.ok)
    return q.choose(chosen.ok, given, value)


def _fill_judgement(operation: Judgement, compiling: Compiling) -> Run:
    """Return the function that fills a `judgement` step."""
    return _judged_in_cells(operation, compiling) if operation.table else _judged_between(operation, compiling)


def _judged_in_cells(operation: Judgement, compiling: Compiling) -> Run:
    _, index_of, cells = fill_from_cells(operation, compiling, {operation.column, "low", "high"})

    def judged(block: Block) -> None:
        index, out = index_of(block), block.buffer(compiling.name)
        np.take(cells[operation.column], index, out=out, mode="clip")
        chosen = block.values[operation.chosen]
        given = np.flatnonzero(chosen == chosen)  # not NaN
        if not len(given):
            return
        chosen, index = chosen[given], index[given]
        low, high = (np.take(cells[name], index, mode="clip") for name in ("low", "high"))
        fine = (chosen >= low) & (chosen <= high)
        if operation.reason:
            fine &= block.inputs.filled[operation.reason][given]
        out[given] = np.where(fine, chosen, np.nan)

    return judged


def _judged_between(operation: Judgement, compiling: Compiling) -> Run:
    low, high = operation.low, operation.high
    assert low is not None and high is not None
    reach, least, most = (operand_range(end, compiling.known) for end in (operation.chosen, low, high))
    reaches, within = comparison(reach, least, or_equal=True), comparison(most, reach, or_equal=True)
    floats = compiling.floats

    def judged(block: Block) -> None:
        out = block.buffer(compiling.name)
        out[:] = block.get(operation.of[0], floats) if operation.of else np.nan
        chosen = block.values[operation.chosen]
        given = ~np.isnan(chosen)
        if not given.any():
            return
        before, block.suspect = block.suspect, np.zeros(block.inputs.n, dtype=bool)
        fine = reaches(block, chosen, block.get(low, floats))
        fine &= within(block, block.get(high, floats), chosen)
        block.suspect = before | block.suspect & given
        if operation.reason:
            fine &= block.inputs.filled[operation.reason]
        np.copyto(out, np.where(fine, chosen, np.nan), where=given)

    return judged


READINGS: Readings = {
    Judgement: (_exact_judgement, _fill_judgement),
}
