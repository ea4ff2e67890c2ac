"""What an underwriter reads in a terminal after a run: plan, counts, money, who pays, what went wrong, files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ratemod.document.problems import problem_words
from ratemod.document.terminal import MOST_PROBLEMS, listed, pairs_text, table_text
from ratemod.errors import Lang, Problem, text
from ratemod.plan.said import plan_text
from ratemod.printed import clean
from ratemod.report.summary_table import SummaryTable, summary_table

if TYPE_CHECKING:
    from ratemod.rating.rated import Rated
    from ratemod.rating.stream import Streamed

MOST_ROWS = 5


def summary_text(table: SummaryTable) -> str:
    """Return a summary as an aligned table."""
    rows = [[_cell(value) for value in row] for row in table.rows]
    total = [_cell(value) for value in table.total]
    return table_text(table.headers, rows, [look != "text" for look in table.looks], total)


def _cell(value: str | int | Decimal | None) -> str:
    if value is None:
        return "—"
    if isinstance(value, str):
        return value
    return f"{value:,}"


def unpriced_text(rated: Rated, lang: Lang, most: int = MOST_PROBLEMS) -> str:
    """Return why rows were not priced, the commonest reason first, each with the first rows it touches."""
    said = []
    for item in rated.problems[:most]:
        rows = rows_of(rated, item, MOST_ROWS)
        place = _places_text(rated, rows, item.count > len(rows), lang)
        said.append(problem_words(replace(item, file=None), lang, place))
    return listed(said, len(rated.problems) - most, lang)


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
    return listed([line for _, line in sorted(said)[:most]], len(said) - most, lang)


def _places_text(rated: Rated, places: Sequence[str], more: bool, lang: Lang) -> str:
    """Return the numbers of rows, with their tables where there are several."""
    said = ", ".join(places)
    if rated.book.origins:
        return f"{said} …" if more else said
    return text("UI_rows_more" if more else "UI_rows", lang, rows=said)


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


def seen_text(rated: Rated, lang: Lang) -> str:
    """Return what is to be seen of a book's rows, under its headings: why some have no premium, remarks of others."""
    said = {"UI_problems": unpriced_text(rated, lang), "UI_to_be_seen": referred_text(rated, lang)}
    return "\n\n".join(f"{text(head, lang)}\n{lines}" for head, lines in said.items() if lines)


def rated_text(
    rated: Rated, by: Sequence[str], lang: Lang, facts: Sequence[tuple[str, str]] = (), files: Sequence[str] = ()
) -> str:
    """Return what an underwriter wants to know after a run: plan, counts, money, who pays, what went wrong, files."""
    parts = [plan_text(plan, lang) for plan in rated.plans]
    parts += [pairs_text(facts, ""), _counts(rated.counts, lang)]
    if rated.parts:
        parts.append(summary_text(summary_table(rated, ("plan",), lang)))
    parts.append(summary_text(summary_table(rated, by, lang)))
    parts.append(seen_text(rated, lang))
    if files:
        parts.append(text("UI_files", lang) + "\n" + "\n".join(f"  {file}" for file in files))
    return "\n\n".join(part for part in parts if part)


def streamed_text(done: Streamed, lang: Lang, facts: Sequence[tuple[str, str]], files: Sequence[str]) -> str:
    """Return the same of a run from file to file."""
    counts, parts = done.counts, [plan_text(done.plan, lang), pairs_text(facts, "")]
    parts.append(_counts(counts, lang))
    parts.append(summary_text(summary_table(done, done.by, lang)))
    ordered = sorted(done.tally.problems.items(), key=lambda item: (-item[1], item[0]))
    if ordered:
        said = [
            text("UI_problem_rows", lang, number=code, what=clean(what), count=count) + (f"\n  {fix}" if fix else "")
            for (code, what, fix), count in ordered[:MOST_PROBLEMS]
        ]
        parts.append(text("UI_problems", lang) + "\n" + listed(said, len(ordered) - MOST_PROBLEMS, lang))
    parts.append(text("UI_files", lang) + "\n" + "\n".join(f"  {file}" for file in files))
    return "\n\n".join(part for part in parts if part)


def _counts(counts: Mapping[str, int], lang: Lang) -> str:
    unpriced = counts["refused"] + counts["declined"]
    priced = counts["rated"] + counts["referred"]
    lines = [text("UI_counts", lang, rows=counts["rows"], priced=priced, unpriced=unpriced)]
    if counts["referred"]:
        lines.append(text("UI_referred", lang, referred=counts["referred"]))
    if counts["declined"]:
        lines.append(text("UI_declined", lang, declined=counts["declined"], refused=counts["refused"]))
    return "\n".join(lines)
