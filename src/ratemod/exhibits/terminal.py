"""What people read in a terminal: aligned tables, the summary of a rated book, one worksheet, a progress bar.

A Chinese character takes two columns of a terminal, so widths are counted in columns, not characters. Text from a
book may hold control characters; they are never sent to a terminal.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TextIO

from ratemod.errors import Lang, Problem, text
from ratemod.exhibits import words
from ratemod.exhibits.summary_table import SummaryTable, summary_table
from ratemod.exhibits.worksheet_words import WorksheetWords
from ratemod.money import yuan_text
from ratemod.printed import beneath, clean, clean_lines

if TYPE_CHECKING:
    from ratemod.plan.model import Plan
    from ratemod.rating.rated import Rated
    from ratemod.rating.stream import Streamed
    from ratemod.rating.worksheet import Worksheet
    from ratemod.reading.receipt import Receipt

MOST_PROBLEMS, MOST_ROWS, MOST_RECEIPT, MOST_TABLES = 10, 5, 30, 3


def display_width(said: str) -> int:
    """Return how many terminal columns a text takes: two for a wide character, none for a combining one.

    Source: Unicode Standard Annex 11, East Asian Width.

    Examples
    --------
    >>> display_width("矿山 A1")
    7
    """
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in said
    )


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


def table_text(
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    right: Sequence[bool],
    total: Sequence[str] | None = None,
    widest: int = 48,
) -> str:
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
    """Return problems one by one, the commonest first; at most `most` and then a count."""
    ordered = sorted(problems, key=lambda item: (-item.count, item.code, str(item.args)))
    return _listed([words.problem_words(item, lang) for item in ordered[:most]], len(ordered) - most, lang)


def unpriced_text(rated: Rated, lang: Lang, most: int = MOST_PROBLEMS) -> str:
    """Return why rows were not priced, the commonest reason first, each with the first rows it touches."""
    said = []
    for item in rated.problems[:most]:
        rows = rows_of(rated, item, MOST_ROWS)
        place = _places_text(rated, rows, item.count > len(rows), lang)
        said.append(words.problem_words(replace(item, file=None), lang, place))
    return _listed(said, len(rated.problems) - most, lang)


def referred_text(rated: Rated, lang: Lang, most: int = MOST_PROBLEMS) -> str:
    """Return why rows are priced but must be seen, or are worth a look: each remark with the first rows it touches."""
    import numpy as np

    verdict = rated.verdict
    rows_of_note: dict[Any, Any] = {}
    if not verdict.notes:
        return ""
    for at, notes in enumerate(verdict.notes, start=1):
        for item in notes:
            if item.code != "RM330":  # a stated default used: said in the row
                rows_of_note.setdefault(item.what(lang), []).append(at)
    said = []
    for what, held in rows_of_note.items():
        rows = np.flatnonzero(np.isin(verdict.note_of, held) & (verdict.status < 2))
        if len(rows):
            places = rated.book.said(rows[:MOST_ROWS].tolist())
            place = _places_text(rated, places, len(rows) > MOST_ROWS, lang)
            said.append((-len(rows), f"{what} (×{len(rows):,}; {place})"))
    return _listed([line for _, line in sorted(said)[:most]], len(said) - most, lang)


def _places_text(rated: Rated, places: Sequence[str], more: bool, lang: Lang) -> str:
    """Return the numbers of rows, with their tables where there are several."""
    said = ", ".join(places)
    if rated.book.origins:
        return f"{said} …" if more else said
    return text("UI_rows_more" if more else "UI_rows", lang, rows=said)


def _listed(said: Sequence[str], more: int, lang: Lang) -> str:
    lines = ["  " + clean_lines(item).replace("\n", "\n  ") for item in said]
    if more > 0:
        lines.append("  " + text("RM002", lang, more=more))
    return "\n".join(lines)


def rows_of(rated: Rated, item: Problem, most: int) -> list[str]:
    """Return the original numbers of the first rows that a problem touches, at most `most`, as people look them up."""
    import numpy as np

    verdict = rated.verdict
    held = [
        at
        for at, reasons in enumerate(verdict.reasons, start=1)
        if any(item.code == other.code and item.args == other.args for other in reasons)
    ]
    rows = np.flatnonzero(np.isin(verdict.reason_of, held))[:most]
    return rated.book.said(rows.tolist())


def plan_text(plan: Plan, lang: Lang) -> str:
    """Return which plan priced this and how far it may be trusted: its identity is never left out."""
    lines = [f"{words.title(plan, lang)} · {words.standing(plan, lang)}", f"{text('UI_plan', lang)}  {plan.id}"]
    if plan.warning(lang):
        lines.append(f"! {plan.warning(lang)}")
    return "\n".join(lines)


def rated_text(
    rated: Rated, by: Sequence[str], lang: Lang, facts: Sequence[tuple[str, str]] = (), files: Sequence[str] = ()
) -> str:
    """Return what an underwriter wants to know after a run: plan, counts, money, who pays, what went wrong, files."""
    parts = [plan_text(plan, lang) for plan in rated.plans]
    parts += [_pairs(facts, ""), _counts(rated.counts, lang)]
    if rated.parts:
        parts.append(summary_text(summary_table(rated, ("plan",), lang)))
    parts.append(summary_text(summary_table(rated, by, lang)))
    if rated.problems:
        parts.append(text("UI_problems", lang) + "\n" + unpriced_text(rated, lang))
    if referred := referred_text(rated, lang):
        parts.append(text("UI_to_be_seen", lang) + "\n" + referred)
    if files:
        parts.append(text("UI_files", lang) + "\n" + "\n".join(f"  {file}" for file in files))
    return "\n\n".join(part for part in parts if part)


def streamed_text(done: Streamed, lang: Lang, facts: Sequence[tuple[str, str]], files: Sequence[str]) -> str:
    """Return the same of a run from file to file."""
    counts, parts = done.counts, [plan_text(done.plan, lang), _pairs(facts, "")]
    parts.append(_counts(counts, lang))
    parts.append(summary_text(summary_table(done, done.by, lang)))
    ordered = sorted(done.tally.problems.items(), key=lambda item: (-item[1], item[0]))
    if ordered:
        said = [
            text("UI_problem_rows", lang, number=code, what=clean(what), count=count) + (f"\n  {fix}" if fix else "")
            for (code, what, fix), count in ordered[:MOST_PROBLEMS]
        ]
        parts.append(text("UI_problems", lang) + "\n" + _listed(said, len(ordered) - MOST_PROBLEMS, lang))
    parts.append(text("UI_files", lang) + "\n" + "\n".join(f"  {file}" for file in files))
    return "\n\n".join(part for part in parts if part)


def receipt_text(receipt: Receipt, lang: Lang) -> str:
    """Return what was read and what was not, in few lines: of many tables those of which there is something to say."""
    spoken = {(item.file, item.sheet) for item in receipt.remarks}
    parts = receipt.parts
    if len(parts) > MOST_TABLES:
        parts = tuple(part for part in parts if (part.file, part.sheet) in spoken or (part.file, None) in spoken)
    lines = replace(receipt, parts=parts).lines(lang)
    if len(parts) < len(receipt.parts):
        records = sum(part.records for part in receipt.parts if part not in parts)
        more = len(receipt.parts) - len(parts)
        lines.insert(len(lines) - len(receipt.remarks), text("UI_read_whole", lang, tables=more, records=records))
    return (
        text("UI_skipped", lang) + "\n" + _listed(lines[:MOST_RECEIPT], len(lines) - MOST_RECEIPT, lang)
        if lines
        else ""
    )


def _counts(counts: Mapping[str, int], lang: Lang) -> str:
    unpriced = counts["refused"] + counts["declined"]
    priced = counts["rated"] + counts["referred"]
    lines = [text("UI_counts", lang, rows=counts["rows"], priced=priced, unpriced=unpriced)]
    if counts["referred"]:
        lines.append(text("UI_referred", lang, referred=counts["referred"]))
    if counts["declined"]:
        lines.append(text("UI_declined", lang, declined=counts["declined"], refused=counts["refused"]))
    return "\n".join(lines)


def worksheet_text(worksheet: Worksheet, lang: Lang, plan: Plan | None = None) -> str:
    """Return one premium step by step: label and figure, below it how the figure came about and from which source.

    With the plan, level codes and constants too are put in words.
    """
    said = WorksheetWords(worksheet, lang, plan)
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
    parts = [_pairs(said.facts(), ""), "\n".join(steps)]
    if given := said.inputs():
        parts.insert(1, text("UI_inputs", lang) + "\n" + _pairs(given, "  "))
    if sources:
        listed = (f"  [{at}] {clean(source)}" for at, source in enumerate(sources, start=1))
        parts.append(text("UI_sources", lang) + "\n" + "\n".join(listed))
    return "\n\n".join(parts)


def _pairs(pairs: Sequence[tuple[str, str]], indent: str) -> str:
    """Return labels and values in two columns."""
    wide = max((display_width(label) for label, _ in pairs), default=0)
    return "\n".join(f"{indent}{pad(clean(label), wide)}  {clean(value)}" for label, value in pairs)


@contextmanager
def progress(label: str, stream: TextIO | None = None) -> Iterator[Progress]:
    """Show a bar while the block runs; nothing at all unless the stream is a terminal."""
    bar = Progress(label, beneath(stream or sys.stderr))
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
