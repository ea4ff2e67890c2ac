"""One policy, explained: every step in exact numbers, the cell that gave it, its source, and what bound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemod.errors import Lang
from ratemod.plan.edit import row_path
from ratemod.plan.model import Plan, Step, plain
from ratemod.plan.op.arithmetic import Arithmetic
from ratemod.plan.op.judgement import Judgement
from ratemod.plan.op.limits import Cap, Limit
from ratemod.plan.op.lines import Rollup
from ratemod.plan.op.progressive import Progressive
from ratemod.plan.op.rounding import Round, Rounding
from ratemod.plan.operand import Operand
from ratemod.plan.reads import axes_read
from ratemod.plan.slices import slices
from ratemod.rating import exact
from ratemod.rating.verdict import STATUS, say, shown
from ratemod.rules.options import strict

if TYPE_CHECKING:
    import pandas as pd

    from ratemod.rating.rated import Rated

DIGITS = 12  # significant digits shown of a value that is no short decimal


@dataclass(frozen=True, slots=True)
class Line:
    """One step of the worksheet.

    Attributes
    ----------
    value : Decimal or None
        Exact, or cut to 12 significant digits (then `exact` is False); None where the step has no value.
    text : str
        How it came about, such as ``base × scale = 400000 × 2.1``.
    cell : str
        Path of the table cell used, empty for other operations.
    source : str
        Title of the source.
    bound : "low", "high" or ""
        Which end held.
    level : str
        Of a step that classifies: the level's code; `value` is then its place among the levels.
    """

    name: str
    label_en: str
    label_zh: str
    op: str
    value: Decimal | None
    exact: bool
    text: str
    cell: str
    source: str
    bound: str
    unit: str | None
    level: str = ""


@dataclass(frozen=True, slots=True)
class Worksheet:
    """The explanation of one policy."""

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

    @strict
    def text(self, lang: Lang | None = None) -> str:
        """Return the worksheet as an underwriter reads it in a terminal, by default in the language of its book."""
        from ratemod.exhibits.terminal import worksheet_text

        return worksheet_text(self, lang or self.lang, self.plan)

    def _repr_html_(self) -> str:
        from ratemod.exhibits.worksheet_html import worksheet_html

        return worksheet_html(self, self.lang, self.plan)

    def frame(self) -> pd.DataFrame:
        """Return the lines as a pandas frame."""
        import pandas as pd

        return pd.DataFrame([{name: getattr(line, name) for name in Line.__slots__} for line in self.lines])


def worksheet(rated: Rated, at: int) -> Worksheet:
    """Return the worksheet of the row at a position, evaluated by exact arithmetic."""
    plan, verdict = rated.plan, rated.verdict
    inputs = rated.coding
    rows, own = np.array([at], dtype=np.intp), 0
    for step in plan.steps:
        if step.operation.group:
            groups = inputs.groups[step.operation.group]
            rows = np.flatnonzero(groups == groups[at])
            own = int(np.flatnonzero(rows == at)[0])
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
    )


def _until_stuck(plan: Plan, state: exact.Exact, own: int) -> Iterator[Step]:
    """Yield the steps of a row that has no premium up to the first that has no value and none is meant."""
    for step in plan.steps:
        idle = step.when is not None and not exact.holds(step.when, plan, state)[own]
        if not state.values[step.name].ok[own] and not idle:
            return
        yield step


def _inputs(rated: Rated, state: exact.Exact, at: int, own: int) -> tuple[tuple[str, str, str, str], ...]:
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


def decimal_of(value: Fraction | None) -> tuple[Decimal | None, bool]:
    """Return a fraction as a decimal, and whether it is exact; at most `DIGITS` significant digits if not."""
    if value is None:
        return None, True
    den, twos, fives = value.denominator, 0, 0
    while den % 2 == 0:
        den, twos = den // 2, twos + 1
    while den % 5 == 0:
        den, fives = den // 5, fives + 1
    places = max(twos, fives)
    if den == 1 and places <= DIGITS:
        return Decimal(value.numerator * 10**places // value.denominator).scaleb(-places), True
    return Decimal(f"{float(value):.{DIGITS}g}"), False


def _line(plan: Plan, step: Step, state: exact.Exact, own: int) -> Line:
    value, is_exact = decimal_of(state.values[step.name].fractions()[own])
    sources = [plan.sources[step.source].title] if step.source in plan.sources else []
    cell = ""
    if step.name in state.cells and state.cells[step.name][own] >= 0:
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
        _text(plan, step, state, own),
        cell,
        "; ".join(dict.fromkeys(sources)),
        bound,
        step.unit,
        shown(plan, step.name, state, own) if step.operation.levels else "",
    )


def _text(plan: Plan, step: Step, state: exact.Exact, own: int) -> str:
    """Return how a step came about, in names and in numbers."""
    operation = step.operation
    if step.when is not None and not exact.holds(step.when, plan, state)[own]:
        return f"when: no → {plain(step.other)}"

    def number(operand: Operand) -> str:
        if isinstance(operand, Decimal):
            return str(plain(operand))
        return shown(plan, operand, state, own) if operand in plan.level_columns else _short(state, operand, own)

    if isinstance(operation, Arithmetic) and operation.sign:
        sign = f" {operation.sign} "
        return f"{sign.join(str(plain(part)) for part in operation.of)} = {sign.join(map(number, operation.of))}"
    if operation.table:
        found = ", ".join(f"{name} = {number(name)}" for _, name in axes_read(plan, step))
        if isinstance(operation, Judgement):
            return found + _choice(plan, operation, step, state, own)
        return found + _slice(plan, step, state, own) if isinstance(operation, Progressive) else found
    if isinstance(operation, Rollup):
        values = state.get(operation.of[0]).fractions()
        lines = [exact.plain_text(values[at]) for at in _lines_of(operation, state, own)]
        return f"{operation.how}({', '.join(lines)})"
    parts: list[Any] = [f"{operation.op}({', '.join(map(number, operation.of))}"]
    if isinstance(operation, Judgement) and number(operation.chosen):
        parts.append(f"chosen {number(operation.chosen)}")
    if isinstance(operation, Limit | Judgement):
        parts += [f"{key} {number(end)}" for key, end in operation.ends.items() if end is not None]
    if isinstance(operation, Cap):
        parts.append(f"× {number(operation.against)}")
    if isinstance(operation, Rounding):
        parts.append(f"to {plain(operation.unit)} {operation.mode if isinstance(operation, Round) else 'half_up'}")
    return ", ".join(parts) + ")"


def _choice(plan: Plan, operation: Judgement, step: Step, state: exact.Exact, own: int) -> str:
    """Return the range of a choice, and what was chosen in it."""
    ends = [exact.plain_text(end.fractions()[own]) for end in exact.permitted(operation, step.name, plan, state)]
    chosen = exact.plain_text(state.values[operation.chosen].fractions()[own])
    made = f", {operation.chosen} = {chosen}" if chosen else ""
    return f"{made}; {' … '.join(ends)}"


def _lines_of(operation: Rollup, state: exact.Exact, own: int) -> list[int]:
    """Return the rows of the policy that a row belongs to."""
    groups = state.inputs.groups[operation.group]
    return np.flatnonzero(groups == groups[own]).tolist()


def _slice(plan: Plan, step: Step, state: exact.Exact, own: int) -> str:
    """Return the slices below and the slice reached of a sum over slices, in numbers."""
    assert isinstance(step.operation, Progressive)
    found = slices(step.operation, plan.tables[step.operation.table], plan.level_columns)
    axis = found.grid.axes[-1]
    x, value = (state.values[name].fractions()[own] for name in (axis.bound, step.name))
    if x is None or value is None:
        return ""
    row = int(state.cells[step.name][own])
    for at, start, base, rate in zip(found.row_of, found.start, found.base, found.rate):
        if at != row or start is None or base is None or rate is None:
            continue
        if Fraction(base) + Fraction(rate) * (x - Fraction(start)) == value:
            return f"; {plain(base)} + {plain(rate)} × ({_short(state, axis.bound, own)} - {plain(start)})"
    return ""


def _short(state: exact.Exact, name: str, own: int) -> str:
    value, _ = decimal_of(state.values[name].fractions()[own])
    return "" if value is None else str(plain(value))
