"""One level for every row; the first or last of several."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from ratemod.plan.op.level import FirstLevel, LastLevel, LevelExtreme, OneLevel
from ratemod.rating import rational as q
from ratemod.rating.block import Block
from ratemod.rating.compiling import Compiling, Readings, Run
from ratemod.rating.rational import Rational
from ratemod.rating.working import Here, codes_of


def _exact_level(operation: OneLevel, here: Here) -> Rational:
    return q.constant(Decimal(operation.place), here.n)


def _exact_level_extreme(operation: LevelExtreme, here: Here) -> Rational:
    found, ok = None, np.ones(here.n, dtype=bool)
    for name in map(str, operation.of):
        places = np.array(operation.places(here.plan.level_columns[name].codes()))[codes_of(name, here.state)]
        ok &= places >= 0
        pick = np.maximum if isinstance(operation, LastLevel) else np.minimum
        found = places if found is None else pick(found, places)
    assert found is not None
    return Rational(q.integers(np.where(ok, found, 0)), 1, ok)


def _fill_level(operation: OneLevel, compiling: Compiling) -> Run:
    return lambda block: block.buffer(compiling.name).fill(operation.place)


def _fill_level_extreme(operation: LevelExtreme, compiling: Compiling) -> Run:
    columns = [compiling.plan.level_columns[str(name)] for name in operation.of]
    places = [np.array(operation.places(column.codes()), dtype=np.float64) for column in columns]
    pick = np.maximum if isinstance(operation, LastLevel) else np.minimum

    def extreme(block: Block) -> None:
        out, missing = block.buffer(compiling.name), np.zeros(block.inputs.n, dtype=bool)
        for at, (column, place) in enumerate(zip(columns, places)):
            found = place[block.codes_of(column.name, column.code_type)]
            missing |= found < 0
            out[:] = pick(out, found) if at else found
        out[missing] = np.nan

    return extreme


READINGS: Readings = {
    OneLevel: (_exact_level, _fill_level),
    FirstLevel: (_exact_level_extreme, _fill_level_extreme),
    LastLevel: (_exact_level_extreme, _fill_level_extreme),
}
