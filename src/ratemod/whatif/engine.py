"""Price many scenarios of one book: code it once, keep every step, and recompute only what a scenario touches.

A cell of a table touches the rows whose look-up it answers; those are found once for each table. A constant, a step's
bound or a step switched off touches every row. Of those rows only the steps that rest on the change are computed again
(`ratemod.whatif.position`), by the same compiled steps as `rate` and with the same exact decisions, so every premium is
that of a full re-rate. Where a plan reads so few columns that many rows are alike, the book collapses to its rating
cells: rows that no step can tell apart are priced once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from threading import Lock
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.plan.model import Plan, Table
from ratemod.plan.op.look_up import Lookup
from ratemod.plan.part import part_of
from ratemod.rating.fast import compile_plan
from ratemod.rating.groups import whole_groups
from ratemod.rating.inputs import Inputs
from ratemod.rating.rate import rate
from ratemod.rating.rated import Rated
from ratemod.rating.run import run
from ratemod.rating.verdict import REFUSED
from ratemod.whatif.cells import Cells, cells_of
from ratemod.whatif.position import MOST_SHARE, NO_ROWS, Position, Rows, changed_cells, position, union
from ratemod.whatif.scenario import Scenario, apply
from ratemod.whatif.waiting import applies_from, start_column, waiting_for

Fen = npt.NDArray[np.int64]
ALL, TOUCHED, NONE, CELLS = "all rows", "touched rows", "no row", "rating cells"


@dataclass(frozen=True, eq=False)
class Outcome:
    """One scenario priced.

    Attributes
    ----------
    plan : the plan of the scenario
    rows : (m,) intp, rows that may be priced otherwise than the base
    premium_fen : (m,) int64, their premiums, 0 where not priced; priced : (m,) bool
    how : "all rows", "touched rows", "no row", or "rating cells" where the book collapsed to them
    total_fen : premium of the whole book
    """

    plan: Plan
    rows: Rows
    premium_fen: Fen
    priced: npt.NDArray[np.bool_]
    how: str
    total_fen: int

    def whole(self, base: Engine) -> Fen:
        """Return the premium of every row of the book, (n,) int64."""
        made = base.premium_fen.copy()
        made[self.rows] = self.premium_fen
        return made


@dataclass(frozen=True, eq=False)
class Engine:
    """A book under a plan, ready for scenarios.

    Attributes
    ----------
    plan : Plan; rated : the book priced under it
    inputs : its coded columns, one row a policy
    premium_fen : (n,) int64, 0 where not priced
    barred : (n,) bool, rows that a cell or a check across rows refuses, whatever the plan's numbers are
    cells : the rating cells that the book collapses to, or None
    """

    plan: Plan
    rated: Rated
    inputs: Inputs
    premium_fen: Fen
    barred: npt.NDArray[np.bool_]
    cells: Cells | None = None
    lock: Lock = field(default_factory=Lock, repr=False)
    places: dict[str, tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]] = field(default_factory=dict, repr=False)
    held: list[Position] = field(default_factory=list, repr=False)

    @cached_property
    def total_fen(self) -> int:
        """Premium of the book under its own plan, fen."""
        return int(self.premium_fen.sum())

    @property
    def n(self) -> int:
        """Policies."""
        return self.inputs.n

    def price(self, given: Scenario | Mapping[str, Any]) -> Outcome:
        """Price one scenario, exactly; its sums are those of a full re-rate.

        Policies that start before the day of a scenario keep their premium.
        """
        plan = apply(self.plan, given)
        found = self._priced(plan)
        if not applies_from(plan) or not len(found.rows):
            return found
        moves = ~waiting_for(self.rated, plan, start_column(plan))[found.rows]
        rows, premium = found.rows[moves], found.premium_fen[moves]
        total = self.total_fen + int(premium.sum()) - int(self.premium_fen[rows].sum())
        return replace(found, rows=rows, premium_fen=premium, priced=found.priced[moves], total_fen=total)

    def _priced(self, plan: Plan) -> Outcome:
        with self.lock:
            rows = self.touched(plan)
            if rows is not None and not len(rows):
                return Outcome(plan, NO_ROWS, np.zeros(0, np.int64), np.zeros(0, bool), NONE, self.total_fen)
            now, _ = self.stand(plan)
            how = ALL if rows is None else TOUCHED
            if self.cells is None:
                rows = np.arange(self.n) if rows is None else rows
                premium, priced = now.premium_fen[rows], now.priced[rows]
            else:
                hit = np.ones(self.n, bool) if rows is None else np.isin(self.cells.cell, rows)
                rows, how = np.flatnonzero(hit), CELLS
                premium, priced = now.premium_fen[self.cells.cell[rows]], now.priced[self.cells.cell[rows]]
        total = self.total_fen + int(premium.sum()) - int(self.premium_fen[rows].sum())
        return Outcome(plan, rows, premium, priced, how, total)

    def stand(self, plan: Plan) -> tuple[Position, Rows | None]:
        """Move the kept book to a plan; return it, and the rows (or cells) that were priced again, None for all.

        The position is shared: what is to be kept of it must be copied before the next call.
        """
        if not self.held:
            at = slice(None) if self.cells is None else self.cells.first
            inputs = self.inputs if self.cells is None else self.inputs.part(self.cells.first)
            self.held.append(position(self.plan, inputs, self.barred[at]))
        now = self.held.pop()  # a move that fails leaves nothing behind
        rows = now.move(plan, self.answers)
        self.held.append(now)
        return now, rows

    def touched(self, plan: Plan) -> Rows | None:
        """Return which rows (or cells) a plan can price otherwise than the base, None for all."""
        cells = changed_cells(self.plan, plan, plan.graph().differing(self.plan) & self.plan.graph().live)
        if cells is None:
            return None
        parts: list[Rows] = []
        for table, changed in cells:
            found = self.answers(table, list(changed))
            if found is None:
                return None
            parts.append(found)
        return union(parts, self.inputs.n if self.cells is None else len(self.cells.first)) if parts else NO_ROWS

    def answers(self, table: str, changed: list[int]) -> Rows | None:
        """Return the rows of the book whose look-ups some rows of a table answer, in any step that reads it."""
        parts: list[Rows] = []
        for step in self.plan.steps:
            if step.operation.table != table:
                continue
            if not isinstance(step.operation, Lookup):
                return None
            if step.name not in self.places:
                inputs = self.inputs if self.cells is None else self.inputs.part(self.cells.first)
                self.places[step.name] = _places(self.plan, step.name, self.plan.tables[table], inputs)
            order, ends = self.places[step.name]
            if sum(int(ends[at + 1] - ends[at]) for at in changed) > MOST_SHARE * len(order):
                return None
            parts += [order[ends[at] : ends[at + 1]].astype(np.intp) for at in changed]
        n = self.inputs.n if self.cells is None else len(self.cells.first)
        rows = union(parts, n) if parts else NO_ROWS
        if rows is not None and self.cells is None and self.inputs.groups:  # rolled up together, priced together
            rows = np.flatnonzero(whole_groups(np.isin(np.arange(n), rows), self.inputs.groups))
        return rows


def engine(book: Any, plan: Plan, *, collapse: bool = True, **how: Any) -> Engine:
    """Return a book ready for scenarios.

    Parameters
    ----------
    book : whatever `rate` takes; plan : Plan
    collapse : price rows that no step can tell apart once, where there are many
    how : options of `rate`
    """
    rated = rate(book, plan, trace=False, lang="en", **how)
    priced, barred = rated.verdict.status < REFUSED, rated.verdict.barred
    inputs = rated.coding.inputs
    cells = cells_of(plan, inputs, barred) if collapse else None
    return Engine(plan, rated, inputs, np.where(priced, rated.outputs.premium_fen, 0), barred, cells)


def _places(plan: Plan, step: str, table: Table, inputs: Inputs) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Return which rows of the book each row of a table answers, found by a look-up of row numbers.

    Returns
    -------
    order : (n,) int32, rows of the book by the table's row that answers them, in order within each
    ends : (rows + 1,) int64, row i answers ``order[ends[i]:ends[i + 1]]``
    """
    at = table.value_names.index("value") if "value" in table.value_names else 0
    numbered = [
        replace(row, values=tuple(Decimal(i) if k == at else value for k, value in enumerate(row.values)))
        for i, row in enumerate(table.rows)
    ]
    numbers = replace(table, rows=tuple(numbered), low=None, high=None)
    part = part_of(replace(plan, tables=MappingProxyType({**plan.tables, table.name: numbers})), step)
    read = part.step(step)
    numbering = read.operation.changed(column=table.value_names[at])
    given = replace(read, operation=numbering, when=None, otherwise=None)
    part = replace(part, steps=tuple(given if item.name == step else item for item in part.steps))
    found = run(compile_plan(part), inputs, (step,)).steps[step]
    small = np.int16 if len(table.rows) < 2**15 else np.int32  # sixteen bits sort at once
    number: npt.NDArray[np.signedinteger[Any]] = np.where(np.isnan(found), -1, found).astype(small)
    order = np.argsort(number, kind="stable").astype(np.int32)
    counts = np.bincount(number[number >= 0], minlength=len(table.rows))
    return order, int((number < 0).sum()) + np.concatenate(([0], np.cumsum(counts)))
