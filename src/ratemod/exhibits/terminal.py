"""What people read in a terminal: aligned tables, the summary of a rated book, one worksheet, a progress bar.

A Chinese character takes two columns of a terminal, so widths are counted in columns, not characters. Text from a
book may hold control characters; they are never sent to a terminal.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from ratemod.errors import Lang, Problem, text
from ratemod.exhibits import words
from ratemod.exhibits.summary_table import SummaryTable, summary_table
from ratemod.money import yuan_text

if TYPE_CHECKING:
    from ratemod.rating.rated import Rated
    from ratemod.rating.worksheet import Worksheet

MOST_PROBLEMS = 10
HIDDEN = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


def display_width(said: str) -> int:
    """Return how many terminal columns a text takes: two for a wide character, none for a combining one.

    Source: Unicode Standard Annex 11, East Asian Width.

    Examples
    --------
    >>> display_width("矿山 A1")
    7
    """
    return sum(0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
               for char in said)


def clean(said: str) -> str:
    """Return text without the control characters that could steer a terminal.

    Examples
    --------
    >>> clean("a\\x1b[31mb")
    'a�[31mb'
    """
    return "".join("\ufffd" if char in HIDDEN or unicodedata.category(char) == "Cc" else char for char in said)


def shorten(said: str, columns: int) -> str:
    """Return text cut to a number of terminal columns, with an ellipsis where it was cut."""
    if display_width(said) <= columns:
        return said
    kept = ""
    for char in said:
        if display_width(kept + char) > columns - 1:
            break
        kept += char
    return kept + "…"


def pad(said: str, columns: int, right: bool = False) -> str:
    """Return text filled with spaces to a number of terminal columns."""
    space = " " * max(columns - display_width(said), 0)
    return space + said if right else said + space


def table_text(headers: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[bool],
               total: Sequence[str] | None = None, widest: int = 48) -> str:
    """Return an aligned table; `right` says which columns hold figures."""
    body = [[shorten(clean(cell), widest) for cell in row] for row in rows]
    last = [[*total]] if total else []
    widths = [max(map(display_width, column)) for column in zip(headers, *body, *last)]
    rule = "  ".join("─" * width for width in widths)

    def line(cells: Sequence[str]) -> str:
        return "  ".join(pad(cell, width, side) for cell, width, side in zip(cells, widths, right)).rstrip()

    lines = [line(headers), rule, *map(line, body)]
    if total:
        lines += [*([rule] if body else []), line(total)]
    return "\n".join(lines)


def summary_text(table: SummaryTable) -> str:
    """Return a summary as an aligned table."""
    rows = [[_cell(value, look) for value, look in zip(row, table.looks)] for row in table.rows]
    total = [_cell(value, look) for value, look in zip(table.total, table.looks)]
    return table_text(table.headers, rows, [look != "text" for look in table.looks], total)


def _cell(value: str | int | None, look: str) -> str:
    if value is None:
        return "—"
    if isinstance(value, str):
        return value
    return yuan_text(value) if look == "fen" else f"{value:,}"


def problems_text(problems: Sequence[Problem], lang: Lang, most: int = MOST_PROBLEMS) -> str:
    """Return the problems that most rows share, first the commonest; at most `most` and then a count."""
    ordered = sorted(problems, key=lambda item: (-item.count, item.code, str(item.args)))
    lines = ["  " + clean_lines(words.problem_words(item, lang)).replace("\n", "\n  ") for item in ordered[:most]]
    if len(ordered) > most:
        lines.append("  " + text("RM002", lang, more=len(ordered) - most))
    return "\n".join(lines)


def clean_lines(said: str) -> str:
    """Return text of several lines, each without control characters."""
    return "\n".join(map(clean, said.split("\n")))


def plan_text(plan: Any, lang: Lang) -> str:
    """Return which plan priced this and how far it may be trusted: its identity is never left out."""
    lines = [f"{words.title(plan, lang)} · {words.standing(plan, lang)}", f"{text('UI_plan', lang)}  {plan.id}"]
    if plan.warning(lang):
        lines.append(f"! {plan.warning(lang)}")
    return "\n".join(lines)


def rated_text(rated: Rated, by: Sequence[str], lang: Lang, facts: Sequence[tuple[str, str]] = (),
               files: Sequence[str] = ()) -> str:
    """Return what an underwriter wants to know after a run: plan, counts, money, who pays, what went wrong, files."""
    counts, parts = rated.counts, [plan_text(rated.plan, lang)]
    parts.append("\n".join(f"{label}  {clean(value)}" for label, value in facts))
    unpriced = counts["refused"] + counts["declined"]
    priced = counts["rated"] + counts["referred"]
    lines = [text("UI_counts", lang, rows=counts["rows"], priced=priced, unpriced=unpriced)]
    if counts["referred"]:
        lines.append(text("UI_referred", lang, referred=counts["referred"]))
    if counts["declined"]:
        lines.append(text("UI_declined", lang, declined=counts["declined"], refused=counts["refused"]))
    parts.append("\n".join(lines))
    parts.append(summary_text(summary_table(rated, by, lang)))
    if rated.problems:
        parts.append(text("UI_problems", lang) + "\n" + problems_text(rated.problems, lang))
    if rated.book.skipped:
        parts.append(text("UI_skipped", lang) + "\n" + problems_text(rated.book.skipped, lang, 5))
    if files:
        parts.append(text("UI_files", lang) + "\n" + "\n".join(f"  {file}" for file in files))
    return "\n\n".join(part for part in parts if part)


def worksheet_text(worksheet: Worksheet, lang: Lang) -> str:
    """Return one premium step by step: label, figure, how it came about, what bound; sources listed below."""
    sources = list(dict.fromkeys(line.source for line in worksheet.lines if line.source))
    rows = []
    for number, line in enumerate(worksheet.lines, start=1):
        mark = f"[{sources.index(line.source) + 1}]" if line.source else ""
        bound = text(f"UI_bound_{line.bound}", lang, step="").strip() if line.bound in ("low", "high") else ""
        rows.append([str(number), line_label(line, lang), line_value(line), line_unit(line, lang),
                     text("UI_semicolon", lang).join(part for part in (line.text, bound) if part), mark])
    headers = [text(f"UI_{name}", lang) for name in ("step_number", "step", "figure", "unit", "how", "source")]
    parts = [worksheet_head(worksheet, lang)]
    given = worksheet_inputs(worksheet)
    if given:
        parts.append(text("UI_inputs", lang) + "\n" + "\n".join(f"  {clean(name)}  {clean(value)}" for name, value in given))
    parts.append(table_text(headers, rows, [True, False, True, False, False, False], widest=64))
    if sources:
        listed = (f"  [{at}] {clean(source)}" for at, source in enumerate(sources, start=1))
        parts.append(text("UI_sources", lang) + "\n" + "\n".join(listed))
    return "\n\n".join(parts)


def worksheet_head(worksheet: Worksheet, lang: Lang) -> str:
    """Return which row this is, under which plan, and how it ended."""
    lines = [f"{text('UI_key', lang)}  {clean(str(worksheet.key))}", f"{text('UI_plan', lang)}  {worksheet.plan_id}",
             f"{text('UI_status', lang)}  {text(f'UI_status_{worksheet.status}', lang)}"]
    if worksheet.reason:
        lines.append(f"{text('UI_reason', lang)}  {clean(worksheet.reason)}")
    return "\n".join(lines)


def worksheet_inputs(worksheet: Worksheet) -> list[tuple[str, str]]:
    """Return the inputs of a worksheet as label and value."""
    return [(str(name), "—" if value is None else str(value)) for name, value in dict(worksheet.inputs).items()]


def line_label(line: Any, lang: Lang) -> str:
    """Return the label of a worksheet line, falling back to its name."""
    return (line.label_zh if lang == "zh" else line.label_en) or line.name


def line_unit(line: Any, lang: Lang) -> str:
    """Return the unit of a worksheet line, in words."""
    return text(f"UI_of_{line.unit}", lang) if line.unit else ""


def line_value(line: Any) -> str:
    """Return the figure of a worksheet line: yuan with fen and separators, other numbers with their own digits."""
    if line.value is None:
        return "—"
    if line.unit == "yuan":
        exact = line.value.normalize()
        return f"{line.value:,.2f}" if -exact.as_tuple().exponent <= 2 else f"{exact:,f}"
    said = f"{line.value:,f}"
    return said.rstrip("0").rstrip(".") if "." in said else said


@contextmanager
def progress(label: str, stream: TextIO | None = None) -> Iterator[Progress]:
    """Show a bar while the block runs; nothing at all unless the stream is a terminal."""
    bar = Progress(label, stream or sys.stderr)
    bar.show(0, 0)
    try:
        yield bar
    finally:
        bar.clear()


class Progress:
    """A bar on one line of a terminal, drawn only when its percentage changes."""

    def __init__(self, label: str, stream: TextIO) -> None:
        self.label, self.stream = label, stream
        self.on = stream.isatty()
        self.drawn = ""

    def show(self, done: int, total: int) -> None:
        """Draw how far the work is; without a total only the label."""
        if not self.on:
            return
        share = 100 * done // total if total else 0
        bar = f"  [{'█' * (share // 5)}{'·' * (20 - share // 5)}] {share:3d} %" if total else " …"
        if (said := self.label + bar) != self.drawn:
            self.stream.write(f"\r\x1b[K{said}")
            self.stream.flush()
            self.drawn = said

    def clear(self) -> None:
        """Take the bar away, so that what follows starts on a clean line."""
        if self.on and self.drawn:
            self.stream.write("\r\x1b[K")
            self.stream.flush()
