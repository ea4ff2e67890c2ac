"""A worksheet in one language: as text for a terminal, and as a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ratemod.document.model import Document, Heading, Paragraph, facts, joined, listed, table
from ratemod.document.terminal import display_width, pad, pairs_text
from ratemod.errors import Lang, catalogue, text
from ratemod.printed import clean
from ratemod.rules.options import strict

if TYPE_CHECKING:
    from ratemod.plan.model import Plan
    from ratemod.rating.words import Part
    from ratemod.rating.worksheet import Line, Worksheet


@dataclass(frozen=True, slots=True)
class WorksheetWords:
    """A worksheet and its language; its plan names levels and constants."""

    worksheet: Worksheet
    lang: Lang

    @property
    def plan(self) -> Plan:
        """The plan that the row was priced under."""
        return self.worksheet.plan

    def facts(self) -> list[tuple[str, str]]:
        """Return the head as label and value: plan, warning, row, status, reason, notes, money."""
        sheet, lang, said_as = self.worksheet, self.lang, self.plan.money.said
        money = [("premium_yuan", sheet.premium_fen), ("fund_yuan", sheet.fund_fen)]
        said = [
            (text("UI_title", lang), sheet.title_zh if lang == "zh" else sheet.title_en),
            (text("UI_plan", lang), sheet.plan_id),
            (text("UI_warning", lang), sheet.warning_zh if lang == "zh" else sheet.warning_en),
            (text("UI_key", lang), sheet.key),
            (text("UI_row", lang), sheet.place),
            (text("UI_status", lang), text(f"UI_status_{sheet.status}", lang)),
            (text("UI_reason", lang), sheet.reason_zh if lang == "zh" else sheet.reason_en),
            (text("UI_notes", lang), sheet.notes_zh if lang == "zh" else sheet.notes_en),
            *((text(f"UI_{name}", lang, money=self.money()), said_as(fen)) for name, fen in money if fen is not None),
        ]
        return [(label, value) for label, value in said if value]

    def inputs(self) -> list[tuple[str, str]]:
        """Return the inputs as label and value, levels by their labels; empty ones only where there is no premium."""
        return [
            (zh if self.lang == "zh" else en, self.level(name, value) or "—")
            for name, en, zh, value in self.worksheet.inputs
            if value or not self.is_priced()
        ]

    def lines(self) -> list[tuple[int, Line]]:
        """Return the steps that apply, with their numbers; of a row without a premium all steps."""
        numbered = enumerate(self.worksheet.lines, start=1)
        return [(at, line) for at, line in numbered if line.value is not None or not self.is_priced()]

    def left_out(self) -> str:
        """Return how many steps do not apply and are not shown, or an empty string."""
        count = len(self.worksheet.lines) - len(self.lines())
        return text("UI_left_out", self.lang, count=count) if count else ""

    def is_priced(self) -> bool:
        """Return whether the row has a premium."""
        return self.worksheet.premium_fen is not None

    def sources(self) -> list[str]:
        """Return every source once, in the order of the steps."""
        return list(dict.fromkeys(line.source for _, line in self.lines() if line.source))

    def label(self, line: Line) -> str:
        """Return the label of a line."""
        return line.label_zh if self.lang == "zh" else line.label_en

    def level(self, name: str, value: str) -> str:
        """Return the label of a level code of a column, or the value as it is."""
        return self.plan.level_label(name, value, self.lang)

    def called(self, name: str) -> str:
        """Return what a column, constant or step is called, or the name as it is."""
        for column, en, zh, _ in self.worksheet.inputs:
            if column == name:
                return zh if self.lang == "zh" else en
        for line in self.worksheet.lines:
            if line.name == name:
                return self.label(line)
        return self.plan.label(name, self.lang)

    def how(self, line: Line) -> str:
        """Return how a line came about, in words, and the table cell that it was read from."""
        said = "".join(self.part(part) for part in line.how)
        cell = line.cell.removeprefix("tables.").removesuffix(".value")
        return f"{said}  ← {cell}" if cell and line.value is not None else said

    def part(self, part: Part) -> str:
        """Return one part of how a line came about, in this language."""
        if part.kind == "value":
            return self.level(part.of, part.said)
        return {"name": self.called, "word": self.word}.get(part.kind, str)(part.said)

    def word(self, name: str) -> str:
        """Return a word of the calculation in this language."""
        return text(f"UI_word_{name}", self.lang) if f"UI_word_{name}" in catalogue() else name

    def bound(self, line: Line) -> str:
        """Return which end held, or an empty string."""
        return text(f"UI_held_{line.bound}", self.lang) if line.bound else ""

    def unit(self, line: Line) -> str:
        """Return the unit of a line, or an empty string."""
        unit = "yuan" if self.is_money(line) else line.unit
        return self.plan.unit_label(unit, self.lang) if unit else ""

    def money(self) -> str:
        """Return what the plan's money is called."""
        return self.plan.money.name(self.lang)

    def figure(self, line: Line) -> str:
        """Return the figure: amounts with the decimals of their money, other numbers with their own digits."""
        if line.value is None:
            return "—"
        if line.level:
            return self.level(line.name, line.level)
        said = f"{line.value:,f}"
        said = said.rstrip("0").rstrip(".") if "." in said else said
        decimals = self.plan.money.decimals
        if self.is_money(line) and len(said.partition(".")[2]) <= decimals:
            said = f"{line.value:,.{decimals}f}"
        return said if line.exact else f"≈ {said}"

    def is_money(self, line: Line) -> bool:
        """Return whether a line is in money; the premium and the fund always are."""
        return line.unit == "yuan" or line.name in (self.plan.premium, self.plan.fund)


@strict
def worksheet_text(worksheet: Worksheet, lang: Lang) -> str:
    """Return one premium step by step: label and figure, below it how the figure came about and from which source."""
    said = WorksheetWords(worksheet, lang)
    sources, lines = said.sources(), said.lines()
    wide = (
        max((display_width(said.label(line)) for _, line in lines), default=0),
        max((display_width(said.figure(line)) for _, line in lines), default=0),
    )
    steps = [text("UI_steps", lang)]
    for number, line in lines:
        label, figure = said.label(line), said.figure(line)
        ends = (said.unit(line), f"◄ {held}" if (held := said.bound(line)) else "")
        head = f"  {number:>3}  {pad(clean(label), wide[0])}  {pad(figure, wide[1], right=True)}"
        steps.append("  ".join((head, *(part for part in ends if part))))
        mark = f"[{sources.index(line.source) + 1}]" if line.source else ""
        if how := "  ".join(part for part in (said.how(line), mark) if part):
            steps.append(f"         {clean(how)}")
    if more := said.left_out():
        steps.append(f"       {more}")
    parts = [pairs_text(said.facts(), ""), "\n".join(steps)]
    if given := said.inputs():
        parts.insert(1, text("UI_inputs", lang) + "\n" + pairs_text(given, "  "))
    if sources:
        named = (f"  [{at}] {clean(source)}" for at, source in enumerate(sources, start=1))
        parts.append(text("UI_sources", lang) + "\n" + "\n".join(named))
    return "\n\n".join(parts)


@strict
def worksheet_document(worksheet: Worksheet, lang: Lang) -> Document:
    """Return one premium step by step, with its inputs and sources."""
    said = WorksheetWords(worksheet, lang)
    sources, rows = said.sources(), []
    for _, line in said.lines():
        how = text("UI_semicolon", lang).join(part for part in (said.how(line), said.bound(line)) if part)
        mark = f"[{sources.index(line.source) + 1}]" if line.source else ""
        rows.append([said.label(line), said.figure(line), said.unit(line), how, mark])
    heads = [text(f"UI_{name}", lang) for name in ("step", "figure", "unit", "how", "source")]
    steps = table(text("UI_steps", lang), heads, rows, [False, True, False, False, False])
    more, inputs = said.left_out(), said.inputs()
    head = joined(
        facts("", said.facts()),
        steps,
        Paragraph(more, "soft") if more else None,
        facts(text("UI_inputs", lang), inputs) if inputs else None,
        Heading(text("UI_sources", lang)) if sources else None,
        listed(sources, ordered=True),
    )
    return Document(lang=lang, title="", head=head)
