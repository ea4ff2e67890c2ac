"""One policy, explained: every step in exact numbers, the cell that gave it, its source, and what bound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from ratemod.document.html import card
from ratemod.document.model import Document
from ratemod.errors import Lang
from ratemod.plan.edit import row_path
from ratemod.plan.model import Plan, Step
from ratemod.rating import exact, working
from ratemod.rating.groups import whole_groups
from ratemod.rating.verdict import STATUS, say
from ratemod.rating.why import shown
from ratemod.rating.words import Part, Telling, decimal_of, words
from ratemod.rules.options import strict

if TYPE_CHECKING:
    import pandas as pd

    from ratemod.rating.rated import Rated

FRAMED = (
    "name", "label_en", "label_zh", "op", "value", "exact", "text", "cell", "source", "bound", "unit", "level"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One step of the worksheet.

    Attributes
    ----------
    value : Decimal or None
        Exact, or cut to 12 significant digits (then `exact` is False); None where the step has no value.
    how : tuple of Part
        How it came about, in typed parts; `text` joins them: ``base × scale = 400000 × 2.1``.
    cell : str
        Path of the table cell used, empty for other operations.
    source : str
        Title of the source.
    bound : "low", "high" or ""
        Which end held.
    level : str
        Of a step that gives a level: its code, `value` is then its place among the levels; of a date: the date.
    """

    name: str
    label_en: str
    label_zh: str
    op: str
    value: Decimal | None
    exact: bool
    how: tuple[Part, ...]
    cell: str
    source: str
    bound: str
    unit: str | None
    level: str = ""

    @property
    def text(self) -> str:
        """How it came about, in the names of the plan."""
        return "".join(part.said for part in self.how)


@dataclass(frozen=True, slots=True)
class Worksheet:
    """The explanation of one policy; `place` is its table and row where the book was read from several tables."""

    plan_id: str
    title_en: str
    title_zh: str
    warning_en: str
    warning_zh: str
    key: str
    status: str
    reason_en: str
    reason_zh: str
    notes_en: str
    notes_zh: str
    inputs: tuple[tuple[str, str, str, str], ...]
    lines: tuple[Line, ...]
    premium_fen: int | None
    fund_fen: int | None
    plan: Plan
    lang: Lang
    place: str = ""

    @strict
    def text(self, lang: Lang | None = None) -> str:
        """Return the worksheet as an underwriter reads it in a terminal, by default in the language of its book."""
        from ratemod.rating.worksheet_words import worksheet_text

        return worksheet_text(self, lang or self.lang)

    @strict
    def document(self, lang: Lang | None = None) -> Document:
        """Return the worksheet as a document, by default in the language of its book."""
        from ratemod.rating.worksheet_words import worksheet_document

        return worksheet_document(self, lang or self.lang)

    def _repr_html_(self) -> str:
        return card(self.document())

    def frame(self) -> pd.DataFrame:
        """Return the lines as a pandas frame."""
        import pandas as pd

        return pd.DataFrame([{name: getattr(line, name) for name in FRAMED} for line in self.lines])


def worksheet(rated: Rated, at: int) -> Worksheet:
    """Return the worksheet of the row at a position, evaluated by exact arithmetic."""
    plan, verdict = rated.plan, rated.verdict
    inputs = rated.coding
    rows = np.flatnonzero(whole_groups(np.arange(inputs.n) == at, inputs.groups))
    own = int(np.searchsorted(rows, at))
    state = exact.evaluate(plan, inputs.part(rows))
    priced = verdict.status[at] < 2
    worked = plan.steps if priced else _until_stuck(plan, state, own)
    lines = tuple(_line(plan, step, state, own) for step in worked)
    reasons = verdict.reasons[verdict.reason_of[at] - 1] if verdict.reasons and verdict.reason_of[at] else ()
    notes = verdict.notes[verdict.note_of[at] - 1] if verdict.notes and verdict.note_of[at] else ()
    table = rated.book.table
    key = str(table[plan.key][at].as_py()) if plan.key in table.column_names else str(at)
    fund = rated.outputs.fund_fen
    return Worksheet(
        plan.id,
        plan.title_en,
        plan.title_zh,
        plan.warning_en,
        plan.warning_zh,
        key,
        STATUS[verdict.status[at]],
        say(reasons, "en"),
        say(reasons, "zh"),
        say(notes, "en"),
        say(notes, "zh"),
        _inputs(rated, state, at, own),
        lines,
        int(rated.outputs.premium_fen[at]) if priced else None,
        int(fund[at]) if priced and fund is not None else None,
        plan,
        rated.lang,
        rated.book.said([at])[0] if rated.book.origins else "",
    )


def _until_stuck(plan: Plan, state: working.Exact, own: int) -> Iterator[Step]:
    """Yield the steps of a row that has no premium up to the first that has no value and none is meant."""
    for step in plan.steps:
        idle = step.when is not None and not working.holds(step.when, plan, state)[own]
        if not state.values[step.name].ok[own] and not idle:
            return
        yield step


def _inputs(rated: Rated, state: working.Exact, at: int, own: int) -> tuple[tuple[str, str, str, str], ...]:
    found = []
    for name, column in rated.plan.columns.items():
        if column.kind == "text" and name not in rated.book.table.column_names:
            continue
        if column.kind == "text":
            raw = rated.book.table[name][at].as_py()
            value = "" if raw is None else str(raw)
        else:
            value = shown(rated.plan, name, state, own)
        found.append((name, column.label("en"), column.label("zh"), value))
    return tuple(found)


def _line(plan: Plan, step: Step, state: working.Exact, own: int) -> Line:
    value, is_exact = decimal_of(state.values[step.name].fractions()[own])
    sources = [plan.sources[step.source].title] if step.source in plan.sources else []
    cell, applies = "", step.when is None or bool(working.holds(step.when, plan, state)[own])
    if applies and step.name in state.cells and state.cells[step.name][own] >= 0:
        table = plan.tables[step.operation.table]
        row = table.rows[int(state.cells[step.name][own])]
        cell = row_path(table, row, step.operation.column)
        sources = [plan.sources[row.source].title, *sources] if row.source in plan.sources else sources
    binding = state.binding.get(step.name)
    bound = "" if binding is None else {-1: "low", 0: "", 1: "high"}[int(binding[own])]
    return Line(
        step.name,
        step.label_en or step.name,
        step.label_zh or step.name,
        step.operation.op,
        value,
        is_exact,
        tuple(words(Telling(plan, step, state, own))),
        cell,
        "; ".join(dict.fromkeys(sources)),
        bound,
        step.unit,
        shown(plan, step.name, state, own) if step.operation.gives != "number" else "",
    )
