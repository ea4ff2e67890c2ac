"""Documents in a terminal: aligned tables, texts, labels and values; and a progress bar.

A Chinese character takes two columns of a terminal, so widths are counted in columns, not characters. Text from a
book may hold control characters; they are never sent to a terminal.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TextIO

from ratemod.document.figures import said as figure
from ratemod.document.model import (
    Beside,
    Block,
    Document,
    Facts,
    Heading,
    Listing,
    Paragraph,
    Picture,
    Quoted,
    Table,
    plain,
)
from ratemod.document.problems import problem_words
from ratemod.errors import Lang, Problem, of_each, text
from ratemod.printed import beneath, clean, clean_lines
from ratemod.reading.receipt import Receipt

MOST_PROBLEMS, MOST_RECEIPT, MOST_TABLES = 10, 30, 3


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


def document_text(document: Document) -> str:
    """Return a document as lines: its title, its head, its sections."""
    parts = [clean(document.title), *(_block(block, document.lang) for block in document.head)]
    for section in document.sections:
        parts += [clean(section.title), *(_block(block, document.lang) for block in section.blocks)]
    return "\n\n".join(part for part in parts if part)


def _block(block: Block, lang: Lang) -> str:
    match block:
        case Heading(said) | Paragraph(said):
            return clean_lines(plain(said))
        case Facts(title, pairs):
            body = pairs_text([(label, plain(value)) for label, value in pairs], "  " if title else "")
            return f"{clean(title)}\n{body}" if title else body
        case Listing(items):
            return listed([plain(item) for item in items], 0, lang)
        case Table():
            return "\n".join(part for part in (clean(block.title), grid_text(block, lang)) if part)
        case Picture(chart):
            return clean(chart.alt)
        case Beside(parts):
            return "\n\n".join(_block(one, lang) for part in parts for one in part)
        case Quoted(blocks):
            return "\n\n".join(_block(one, lang) for one in blocks)


def grid_text(table: Table, lang: Lang) -> str:
    """Return a table as aligned columns, its first rows and how many more there are."""
    n = table.n if table.most is None else min(table.n, table.most)
    columns = [[_said(value, column.unit, lang) for value in column.cells[:n]] for column in table.columns]
    total = [_said(column.total, column.unit, lang) if column.total is not None else "" for column in table.columns]
    right = [bool(column.unit) for column in table.columns]
    heads = [clean(plain(column.label)) for column in table.columns]
    body = table_text(heads, list(zip(*columns)), right, total if table.has_total else None)
    return f"{body}\n{text('RM002', lang, more=table.n - n)}" if table.n > n else body


def _said(value: Any, unit: str, lang: Lang) -> str:
    return plain(value) if isinstance(value, str | tuple) or hasattr(value, "said") else figure(value, unit, lang)


def problems_text(problems: Sequence[Problem], lang: Lang, most: int = MOST_PROBLEMS) -> str:
    """Return problems one by one, the commonest first, of many at least one of each kind; then how many more."""
    ordered = sorted(problems, key=lambda item: (-item.count, item.code, str(item.args)))
    return listed([problem_words(item, lang) for item in of_each(ordered, most)], len(ordered) - most, lang)


def listed(said: Sequence[str], more: int, lang: Lang) -> str:
    """Return texts one below the other, and how many more there are."""
    lines = ["  " + clean_lines(item).replace("\n", "\n  ") for item in said]
    if more > 0:
        lines.append("  " + text("RM002", lang, more=more))
    return "\n".join(lines)


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
        text("UI_skipped", lang) + "\n" + listed(lines[:MOST_RECEIPT], len(lines) - MOST_RECEIPT, lang) if lines else ""
    )


def pairs_text(pairs: Sequence[tuple[str, str]], indent: str) -> str:
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
