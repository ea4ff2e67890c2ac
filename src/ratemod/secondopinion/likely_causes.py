"""What another system may have done differently, each as a plan of its own: the engine itself tests every guess.

A guess changes one thing: how a step is rounded, a bound left out, a factor left out, the side of a band's edge that an
exact value falls on, one cell of a table. It is right for a row when the changed plan gives the other system's fen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import combinations
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from ratemod.plan.edit import row_path
from ratemod.plan.grid import grid
from ratemod.plan.interval import places_of
from ratemod.plan.model import Axis, Plan, Step, Table
from ratemod.plan.op.arithmetic import Sum
from ratemod.plan.op.base import Operation, TableOperation
from ratemod.plan.op.judgement import Judgement
from ratemod.plan.op.limits import Limit
from ratemod.plan.op.look_up import Lookup
from ratemod.plan.op.rounding import Round
from ratemod.plan.ranges import ranges
from ratemod.rating.working import Exact, axis_slots
from ratemod.secondopinion.guess import Guess, with_steps
from ratemod.secondopinion.likely_slips import slips, swapped_cells

MODES = ("half_even", "down", "up")
UNITS = (Decimal("0.1"), Decimal(1), Decimal(10))
ONE = Sum(of=(Decimal(1),))
STEP_UNITS = (Decimal("0.01"), Decimal("0.001"), Decimal("0.0001"), Decimal(1))
CELL_PLACES = (1, 2, 3, 4, 5, 6)


def guesses(plan: Plan) -> Iterator[Guess]:
    """Yield every guess about a plan that needs no data; cells are guessed by `cell_guesses`.

    Of guesses that explain the same rows the first is taken, so that plain ones come first.
    """
    final = plan.step(plan.premium)
    rounding = final.operation
    if isinstance(rounding, Round):
        others = [(mode, replace(rounding, mode=mode)) for mode in MODES if mode != rounding.mode]
        others += [(f"{unit}", replace(rounding, unit=unit)) for unit in UNITS]
        for said, other in others:
            yield Guess("rounding", final.name, said, with_steps(plan, replace(final, operation=other)))
    known = ranges(plan)
    for step in plan.steps:
        yield from _bounds(plan, step)
        operation = step.operation
        if isinstance(operation, TableOperation) and operation.table and operation.factor and step.name != plan.premium:
            omitted = replace(step, operation=ONE)
            yield Guess("left_out", step.name, "1", with_steps(plan, omitted))
        if operation.gives == "number" and not operation.groups and step.name != plan.premium:
            places = known[step.name].places
            for unit in STEP_UNITS:
                if places is not None and places <= places_of(unit):
                    continue  # every value is a multiple of the unit already
                yield Guess("rounded_step", step.name, f"{unit}", _rounded(plan, step, unit))
    for table in plan.tables.values():
        for at, axis in enumerate(table.axes):
            if axis.kind == "band":
                yield Guess("edge", f"{table.name}.{axis.name}", "", _flipped(plan, table, at, axis))
    yield from slips(plan)


def _bounds(plan: Plan, step: Step) -> Iterator[Guess]:
    limit = step.operation
    if not isinstance(limit, Limit):
        return
    stated = [key for key, end in limit.ends.items() if end is not None]
    for key in stated:
        other: Operation = Sum(of=limit.of) if len(stated) == 1 else limit.changed(**{key: None})
        yield Guess("bound", step.name, key, with_steps(plan, replace(step, operation=other)))


def _rounded(plan: Plan, step: Step, unit: Decimal) -> Plan:
    raw = replace(step, name=f"{step.name}.unrounded", headline=False)
    blank = Step(step.name, Round(of=(raw.name,), unit=unit), unit=step.unit)
    return with_steps(plan, raw, blank)


def _flipped(plan: Plan, table: Table, at: int, axis: Axis) -> Plan:
    other: Literal["low", "high"] = "high" if axis.closed == "low" else "low"
    axes = (*table.axes[:at], replace(axis, closed=other), *table.axes[at + 1 :])
    return replace(plan, tables=MappingProxyType({**plan.tables, table.name: replace(table, axes=axes)}))


def cell_guesses(
    plan: Plan, state: Exact, ours_fen: npt.NDArray[np.int64], theirs_fen: npt.NDArray[np.int64]
) -> Iterator[Guess]:
    """Yield guesses about single cells: where rows of a cell differ by one ratio, the cell times that ratio.

    Parameters
    ----------
    plan : Plan
    state : Exact
        The rows in exact arithmetic, n of them.
    ours_fen, theirs_fen : (n,) int64
        Ours above zero.
    """
    for step in plan.steps:
        operation = step.operation
        if not isinstance(operation, Lookup | Judgement) or not operation.table or operation.column != "value":
            continue
        table = plan.tables[operation.table]
        if operation.column not in table.value_names:
            continue
        found = grid(table, operation.by, plan.level_columns)
        if found is None:
            continue
        implied: dict[int, float] = {}
        slots = tuple(axis_slots(axis, state) for axis in found.axes)
        rows = found.row_of[slots] if slots else np.full(len(ours_fen), found.row_of[()])
        for at in np.unique(rows[(rows >= 0) & (ours_fen != theirs_fen)]).tolist():
            value = table.rows[at].values[table.value_names.index("value")]
            mine = (rows == at) & (ours_fen != theirs_fen) & (ours_fen > 0)
            if value is None or not value or not mine.any():
                continue
            # Large premiums tell the ratio best; the middle one is not led astray by other causes.
            best = np.argsort(-ours_fen[mine], kind="stable")[:25]
            implied[at] = float(value) * float(np.median(theirs_fen[mine][best] / ours_fen[mine][best]))
            yield from _cells(plan, table, at, Decimal(repr(implied[at])), value)
        yield from _swapped(plan, table, implied)


def _swapped(plan: Plan, table: Table, implied: dict[int, float]) -> Iterator[Guess]:
    """Yield pairs of cells each of which seems to hold something nearer to the other's value than to its own."""
    column = [float("nan") if value is None else float(value) for value in table.column("value")]

    def leans(one: int, other: int) -> bool:
        return abs(implied[one] - column[other]) < abs(implied[one] - column[one])

    for one, other in combinations(implied, 2):
        if leans(one, other) and leans(other, one):
            paths = [row_path(table, table.rows[at]) for at in (one, other)]
            yield Guess("swapped_cells", paths[0], paths[1], swapped_cells(plan, table.name, one, other))


def _cells(plan: Plan, table: Table, at: int, guess: Decimal, value: Decimal) -> Iterator[Guess]:
    path, seen = row_path(table, table.rows[at]), {value}
    for places in CELL_PLACES:
        number = round(guess, places)
        if number not in seen and number > 0:
            seen.add(number)
            row = table.rows[at]
            values = tuple(number if name == "value" else old for name, old in zip(table.value_names, row.values))
            rows = (*table.rows[:at], replace(row, values=values), *table.rows[at + 1 :])
            changed = replace(plan, tables=MappingProxyType({**plan.tables, table.name: replace(table, rows=rows)}))
            yield Guess("cell", path, f"{value:f} → {number:f}", changed)
