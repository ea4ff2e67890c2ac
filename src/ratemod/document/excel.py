"""A document as a workbook: a sheet a section, the blocks of a section below each other.

Every text is written as text, so that no cell of anybody's list can run as a formula. The same document gives the same
bytes: nothing of the clock or the machine goes in. Rows are streamed to disk, so memory does not grow with them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from ratemod.document.figures import SHAPES
from ratemod.document.html import said_of
from ratemod.document.model import (
    FIGURE,
    Beside,
    Block,
    Blocks,
    Document,
    Facts,
    Heading,
    Listing,
    Paragraph,
    Picture,
    Quoted,
    Section,
    Table,
    plain,
)
from ratemod.document.sheet import MOST_ROWS, new_sheet, new_workbook, set_widths
from ratemod.document.terminal import display_width
from ratemod.errors import BookError, Lang, problem, text

WIDEST, NARROWEST, SAMPLE = 60, 6, 200
LINE = 15  # points
_NUMBER = re.compile(r"[-+]?\d[\d,]*(\.\d+)?%?")


def write_workbook(document: Document, part: Path) -> None:
    """Write a document as a workbook.

    Raises
    ------
    BookError
        RM807 a table has more rows than a sheet.
    """
    for one in document.tables():
        if one.n + len(document.head) + 8 > MOST_ROWS:
            raise BookError(problem("RM807", rows=one.n, columns=len(one.columns)))
    book = new_workbook(part, document.lang, document.title, streamed=True)
    looks = _looks(book)
    sections = document.sections or (Section("", document.title or text("UI_table", document.lang), ()),)
    for at, section in enumerate(sections):
        kept = [block for block in document.head if at == 0 or isinstance(block, Paragraph)]
        _Sheet(book, looks, document, section, (*kept, *section.blocks)).write()
    book.close()


class _Sheet:
    """One sheet, written from its top to its bottom."""

    def __init__(
        self, book: Any, looks: Mapping[str, Any], document: Document, section: Section, blocks: Blocks
    ) -> None:
        self.looks, self.lang, self.title = looks, document.lang, document.title
        self.blocks = _flat(blocks)
        self.tables = [block for block in self.blocks if isinstance(block, Table)]
        self.lone = len(self.tables) == 1 and isinstance(self.blocks[-1], Table)
        self.line = 0
        self.widths = _widths(self.blocks, self.lang)
        heads = self._above() + 1 if self.lone else 1
        self.sheet = new_sheet(book, section.title, heads=heads, said=document.title or section.title)
        set_widths(self.sheet, self.widths)

    def _above(self) -> int:
        """Return the rows above the header of the only table."""
        above = sum(1 if isinstance(block, Paragraph | Heading) else 3 for block in self.blocks[:-1])
        return above + (1 if self.title else 0) + (1 if above or self.title else 0)

    def write(self) -> None:
        """Write the title and the blocks."""
        if self.title:
            self._text(self.title, "title")
        for block in self.blocks:
            self._block(block)

    def _text(self, said: str, look: str) -> None:
        across = int(sum(self.widths))
        lines = sum(max(1, math.ceil(display_width(part) / max(across, 40))) for part in said.split("\n"))
        if lines > 1 and len(self.widths) > 1:
            self.sheet.set_row(self.line, LINE * lines)
            self.sheet.merge_range(self.line, 0, self.line, len(self.widths) - 1, said, self.looks[look])
        else:
            self.sheet.write_string(self.line, 0, said, self.looks[look if lines > 1 else f"{look}_line"])
        self.line += 1

    def _block(self, block: Block) -> None:
        match block:
            case Heading(said):
                self.line += 1
                self._text(plain(said), "title")
            case Paragraph(said, look):
                self._text(plain(said), "alarm" if look == "alarm" else "wrap")
            case Facts(title, pairs):
                self._caption(title)
                for label, value in pairs:
                    self.sheet.write_string(self.line, 0, label, self.looks["label"])
                    self._value(1, plain(value), FIGURE, "")
                    self.line += 1
            case Listing(items):
                for item in items:
                    self._text(plain(item), "wrap")
            case Table():
                self._table(block)
            case Picture(chart):
                self._text(chart.alt, "wrap")

    def _caption(self, title: str) -> None:
        self.line += 1 if self.line else 0
        if title:
            self._text(title, "title")

    def _table(self, block: Table) -> None:
        self._caption("" if self.lone else block.title)
        top = self.line
        self.sheet.set_row(top, 2 * LINE)
        for at, column in enumerate(block.columns):
            look = self.looks["head_right" if column.unit else "head"]
            self.sheet.write_string(top, at, plain(column.label), look)
        for row in zip(*(column.cells for column in block.columns)):
            self.line += 1
            for at, value in enumerate(row):
                self._value(at, value, block.columns[at].unit, "")
        if self.lone:
            self.sheet.freeze_panes(top + 1, 0)
            self.sheet.autofilter(top, 0, max(self.line, top + 1), len(block.columns) - 1)
        if block.has_total:
            self.line += 1
            for at, column in enumerate(block.columns):
                self._value(at, column.total, column.unit, "total_")
        self.line += 1

    def _value(self, at: int, value: Any, unit: str, total: str) -> None:
        """Write one cell: a number by its unit, a day as a day, anything else as text."""
        sheet, looks = self.sheet, self.looks
        if value is None or value != value:
            if total:
                sheet.write_blank(self.line, at, None, looks["total_"])
            return
        if unit == FIGURE and isinstance(value, str) and _NUMBER.fullmatch(value):
            number, shape = figure_number(value)
            sheet.write_number(self.line, at, number, looks.get(f"{total}{shape}") or looks[f"{total}factor"])
        elif isinstance(value, date):
            day = value if isinstance(value, datetime) else datetime.combine(value, time())
            sheet.write_datetime(self.line, at, day, looks["date"])
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            number = value / 100 if unit == "fen" else value
            sheet.write_number(self.line, at, number, looks[f"{total}{unit or 'factor'}"])
        else:
            said = plain(said_of(value, unit, self.lang))
            sheet.write_string(self.line, at, said, looks[f"{total}{FIGURE}" if unit else total or "text"])


def figure_number(said: str) -> tuple[float, str]:
    """Return the number that a figure says, and the format that says it so.

    Examples
    --------
    >>> figure_number("1,234.50"), figure_number("-5.0%")
    ((1234.5, '#,##0.00'), (-0.05, '0.0%'))
    """
    digits = said.replace(",", "").rstrip("%")
    places = len(digits.partition(".")[2])
    shape = ("0" if said.endswith("%") else "#,##0") + ("." + "0" * places if places else "")
    if said.endswith("%"):
        return float(digits) / 100, shape + "%"
    return float(digits), shape


def _flat(blocks: Blocks) -> list[Block]:
    found: list[Block] = []
    for block in blocks:
        if isinstance(block, Beside):
            found += [inner for part in block.parts for inner in _flat(part)]
        elif isinstance(block, Quoted):
            found += _flat(block.blocks)
        else:
            found.append(block)
    return found


def _widths(blocks: Sequence[Block], lang: Lang) -> list[float]:
    """Return the width of each column that its tables and facts need; headers may take two lines."""
    found: list[float] = []

    def least(at: int, width: float) -> None:
        found.extend([NARROWEST] * (at + 1 - len(found)))
        found[at] = max(found[at], min(width, WIDEST))

    for block in blocks:
        if isinstance(block, Table):
            for at, column in enumerate(block.columns):
                said = [plain(said_of(cell, column.unit, lang)) for cell in (*column.cells[:SAMPLE], column.total)]
                label = (display_width(plain(column.label)) + 1) // 2
                least(at, max([label, *map(display_width, said)]) + 2)
        elif isinstance(block, Facts):
            for name, value in block.pairs:
                least(0, display_width(name) + 2)
                least(1, display_width(plain(value)) + 2)
    return found or [WIDEST * 2]


def _looks(book: Any) -> dict[str, Any]:
    """Return the formats by name; those of a row of totals begin with ``total_``."""
    shapes = {unit: shape for unit, (_, shape) in SHAPES.items()} | {FIGURE: "@", "date": "yyyy-mm-dd"}
    shapes |= {shape: shape for shape in _figure_shapes()}
    looks = {name: book.add_format({"num_format": shape, "align": "right"}) for name, shape in shapes.items()}
    above = {"bold": True, "top": 1}
    looks |= {
        f"total_{name}": book.add_format({"num_format": shape, "align": "right", **above})
        for name, shape in shapes.items()
    }
    head = {"bold": True, "text_wrap": True, "bg_color": "#DDE6F0", "bottom": 1, "valign": "vcenter"}
    named: dict[str, dict[str, Any]] = {
        "text": {"valign": "top"},
        "total_": above,
        "head": head,
        "head_right": {**head, "align": "right"},
        "label": {"valign": "top"},
        "title": {"bold": True, "font_size": 12, "text_wrap": True, "valign": "top"},
        "alarm": {"bold": True, "font_color": "#B00020", "text_wrap": True, "valign": "top"},
        "wrap": {"text_wrap": True, "valign": "top"},
    }
    looks |= {name: book.add_format(look) for name, look in named.items()}
    lines = {f"{name}_line": {**named[name], "text_wrap": False} for name in ("title", "alarm", "wrap")}
    return looks | {name: book.add_format(look) for name, look in lines.items()}


def _figure_shapes() -> list[str]:
    tails = ["", *("." + "0" * places for places in range(1, 7))]
    return [*(f"#,##0{tail}" for tail in tails), *(f"0{tail}%" for tail in tails)]
