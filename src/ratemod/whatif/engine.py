"""Price many scenarios of one book: code it once, and price again only the rows that a scenario can touch.

A cell of a table touches the rows whose look-up it answers; those are found once for each table. A constant, a
step's bound or a step
switched off touches every row. Where rows are rolled up or shared out in groups, a touched row touches its group.
The touched rows go
through the same compiled steps as `rate`, with the same exact decisions, so every premium is that of a full re-rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.plan.model import Plan, Table
from ratemod.plan.part import part_of
from ratemod.rating.fast import compile_plan
from ratemod.rating.inputs import Inputs
from ratemod.rating.rate import rate
from ratemod.rating.rated import Rated
from ratemod.rating.run import run
from ratemod.whatif.scenario import Scenario, apply

Fen = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int64]
ALL, TOUCHED, NONE = "all rows", "touched rows", "no row"


@dataclass(frozen=True, eq=False)
class Outcome:
    """One scenario priced.

    Attributes
    ----------
    plan : the plan of the scenario
    rows : (m,) int64, rows that were priced again
    premium_fen : (m,) int64, their premiums, 0 where not priced; priced : (m,) bool
    how : "all rows", "touched rows" or "no row"
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
    inputs : its coded columns; premium_fen : (n,) int64, 0 where not priced; fine : (n,) bool, rows without any doubt
    """

    plan: Plan
    rated: Rated
    inputs: Inputs
    premium_fen: Fen
    fine: npt.NDArray[np.bool_]
    places: dict[str, npt.NDArray[np.int32]] = field(default_factory=dict, repr=False)
    held: dict[tuple[Any, ...], tuple[Rows, Inputs]] = field(default_factory=dict, repr=False)

    def price(self, given: Scenario | Mapping[str, Any]) -> Outcome:
        """Price one scenario, exactly; its sums are those of a full re-rate."""
        plan = apply(self.plan, given)
        key, rows = self._touched(plan)
        if rows is not None and not len(rows):
            return Outcome(plan, rows, np.zeros(0, np.int64), np.zeros(0, bool), NONE, int(self.premium_fen.sum()))
        how = ALL if rows is None else TOUCHED
        chosen, inputs = self._inputs(key, rows)
        premium, priced = _priced(plan, inputs)
        priced &= self.fine[chosen]
        premium = np.where(priced, premium, 0)
        total = int(self.premium_fen.sum()) + int(premium.sum()) - int(self.premium_fen[chosen].sum())
        return Outcome(plan, chosen, premium, priced, how, total)

    def _inputs(self, key: tuple[Any, ...], rows: Rows | None) -> tuple[Rows, Inputs]:
        """Return the rows to price and their columns; the same rows are gathered once."""
        if rows is None:
            return np.arange(self.inputs.n), self.inputs
        if key not in self.held:
            if len(self.held) >= 16:
                self.held.pop(next(iter(self.held)))
            self.held[key] = (rows, self.inputs.part(rows))
        return self.held[key]

    def _touched(self, plan: Plan) -> tuple[tuple[Any, ...], Rows | None]:
        """Return which rows a plan prices otherwise than the base can, None for all, and what names them."""
        if plan.steps != self.plan.steps or any(
            plan.constants[name].value != item.value for name, item in self.plan.constants.items()
        ):
            return (), None
        key: list[Any] = []
        hit = np.zeros(self.inputs.n, dtype=bool)
        for name, table in plan.tables.items():
            old = self.plan.tables[name]
            if table is old:
                continue
            changed = [i for i, (a, b) in enumerate(zip(old.rows, table.rows)) if a.values != b.values]
            if changed:
                key.append((name, *changed))
                hit |= self._answers(name, changed)
        rows = np.flatnonzero(hit)
        for groups in self.inputs.groups.values():
            rows = np.flatnonzero(np.isin(groups, groups[rows]) | hit)
        if len(rows) > 0.8 * self.inputs.n:
            return (), None
        return tuple(key), rows

    def _answers(self, table: str, changed: list[int]) -> npt.NDArray[np.bool_]:
        """Return the rows of the book whose look-ups some rows of a table answer, in any step that reads it."""
        found = np.zeros(self.inputs.n, dtype=bool)
        for step in self.plan.steps:
            if step.table != table:
                continue
            if step.op != "lookup":
                return np.ones(self.inputs.n, dtype=bool)
            if step.name not in self.places:
                self.places[step.name] = _places(self.plan, step.name, self.plan.tables[table], self.inputs)
            found |= np.isin(self.places[step.name], changed)
        return found


def engine(book: Any, plan: Plan, **how: Any) -> Engine:
    """Return a book ready for scenarios.

    Parameters
    ----------
    book : whatever `rate` takes; plan : Plan; how : options of `rate`
    """
    rated = rate(book, plan, trace=False, lang="en", **how)
    priced = rated.verdict.status < 2
    return Engine(plan, rated, rated.coding.inputs, np.where(priced, rated.outputs.premium_fen, 0), _fine(rated))


def _fine(rated: Rated) -> npt.NDArray[np.bool_]:
    """Return the rows that no cell and no check across rows refuses, whatever the plan's numbers are."""
    own = _refusals(rated.plan, rated.outputs)
    return np.asarray((rated.verdict.status < 2) | own)


def _refusals(plan: Plan, out: Any) -> npt.NDArray[np.bool_]:
    """Return the rows that the plan's numbers leave without a premium: no value, a rule, the legal range."""
    lost = ~out.priced
    for rule, caught in zip(plan.rules, out.caught):
        if rule.action in ("refuse", "decline"):
            lost |= caught
    for outside in out.outside:
        lost |= outside
    return np.asarray(lost)


def _priced(plan: Plan, inputs: Inputs) -> tuple[Fen, npt.NDArray[np.bool_]]:
    out = run(compile_plan(plan), inputs, ())
    return out.premium_fen, ~_refusals(plan, out)


def _places(plan: Plan, step: str, table: Table, inputs: Inputs) -> npt.NDArray[np.int32]:
    """Return which row of a table answers each row of the book, (n,) int32, −1 for none: a look-up of row numbers."""
    at = table.value_names.index("value") if "value" in table.value_names else 0
    numbered = [
        replace(row, values=tuple(Decimal(i) if k == at else value for k, value in enumerate(row.values)))
        for i, row in enumerate(table.rows)
    ]
    numbers = replace(table, rows=tuple(numbered), low=None, high=None)
    part = part_of(replace(plan, tables=MappingProxyType({**plan.tables, table.name: numbers})), step)
    given = replace(
        part.steps[[item.name for item in part.steps].index(step)],
        when=None,
        otherwise=None,
        column=table.value_names[at],
    )
    part = replace(part, steps=tuple(given if item.name == step else item for item in part.steps))
    found = run(compile_plan(part), inputs, (step,)).steps[step]
    return np.where(np.isnan(found), -1, found).astype(np.int32)
