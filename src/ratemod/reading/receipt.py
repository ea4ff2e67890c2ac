"""The receipt of reading: what was read, under which headers and in which units, and what was not."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from ratemod.errors import Lang, Problem, default_language, problem, text
from ratemod.reading.added import added
from ratemod.rules.options import strict

MOST = 12  # rows, texts or headers that a line names before it only counts
# What becomes of a row below a header that is no record, and the message that says so.
FATES = {"blank": "RM232", "total": "RM231", "line": "RM234", "header": "RM276", "example": "RM323"}


@dataclass(frozen=True, slots=True)
class UsedHeader:
    """A header that is understood: the column it means, where it stands, and the unit of its bare numbers."""

    header: str
    column: str
    place: str
    unit: str = ""
    size: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class UnusedHeader:
    """A header that means no column, and the column whose name comes nearest, with its label in Chinese."""

    header: str
    place: str
    nearest: str | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class ReadPart:
    """One table that was read.

    Attributes
    ----------
    file, sheet : str or None
    header_row, first_row, last_row : int
        As the file counts; the rows are those of the first and the last record.
    used : tuple of UsedHeader
    unused : tuple of UnusedHeader
    records : int
        Rows read.
    left_out : mapping of fate to count
        Rows that are no records: ``blank``, ``total``, ``line`` (titles, sections, footers), ``header`` (repeated),
        ``example`` (of a template), and what stands before the records: ``title`` and ``head``.
    """

    file: str | None
    sheet: str | None
    header_row: int
    first_row: int
    last_row: int
    used: tuple[UsedHeader, ...]
    unused: tuple[UnusedHeader, ...]
    records: int
    left_out: Mapping[str, int] = field(default_factory=dict)

    def place(self) -> str:
        """Return the file and sheet as one text."""
        return f"{self.file or 'frame'}[{self.sheet}]" if self.sheet else self.file or "frame"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was read and what was not.

    Attributes
    ----------
    parts : tuple of ReadPart
        The tables read, in their order.
    remarks : tuple of Problem
        All that a reader of the list should know: rows left out, headers not used, tables not read, hidden rows,
        cells that cannot be read. None of it stopped the reading.
    """

    parts: tuple[ReadPart, ...] = ()
    remarks: tuple[Problem, ...] = ()

    def without_folders(self) -> Receipt:
        """Return the receipt with files named below the folder that they share: what a result keeps of its lists, so
        that it does not depend on where they lay.
        """
        files = [*(part.file for part in self.parts), *(item.file for item in self.remarks)]
        named = [file for file in files if file]
        if not named:
            return self
        shared = os.path.commonpath([os.path.dirname(os.path.abspath(name)) for name in named])

        def below(name: str | None) -> str | None:
            return name and os.path.relpath(os.path.abspath(name), shared)

        return Receipt(
            parts=tuple(replace(part, file=below(part.file)) for part in self.parts),
            remarks=tuple(replace(item, file=below(item.file)) for item in self.remarks),
        )

    @property
    def records(self) -> int:
        """Rows read, of all tables."""
        return sum(part.records for part in self.parts)

    @property
    def left_out(self) -> Mapping[str, int]:
        """Rows that are no records by fate, of all tables."""
        return dict(sum((Counter(part.left_out) for part in self.parts), Counter[str]()))

    @strict
    def lines(self, lang: Lang | None = None) -> list[str]:
        """Return the receipt as lines of text: a line a table, then the remarks."""
        lang = lang or default_language()
        said = []
        for part in self.parts:
            item = problem(
                "RM273", place=part.place(), header=part.header_row, records=part.records, columns=len(part.used)
            )
            said.append(item.what(lang))
            units = [f"{used.header or used.column} ×{used.size:,f}" for used in part.used if used.size != 1]
            if units:
                said.append("  " + text("UI_receipt_units", lang, units=", ".join(units)))
        return said + [item.line(lang) for item in self.remarks]

    def data(self) -> dict[str, Any]:
        """Return the receipt as plain data, as JSON takes it."""
        return {
            "tables": [_part_data(part) for part in self.parts],
            "records": self.records,
            "left_out": dict(self.left_out),
            "remarks": [
                {
                    "code": item.code,
                    "file": item.file,
                    "sheet": item.sheet,
                    "row": item.row,
                    "count": item.count,
                    "en": item.what("en"),
                    "zh": item.what("zh"),
                }
                for item in self.remarks
            ],
        }

    def __str__(self) -> str:
        return "\n".join(self.lines())


def _part_data(part: ReadPart) -> dict[str, Any]:
    return {
        "file": part.file,
        "sheet": part.sheet,
        "header_row": part.header_row,
        "first_row": part.first_row,
        "last_row": part.last_row,
        "records": part.records,
        "left_out": dict(part.left_out),
        "columns": [
            {
                "header": used.header,
                "place": used.place,
                "column": used.column,
                "unit": used.unit,
                "size": str(used.size),
            }
            for used in part.used
        ],
        "unused_headers": [
            {"header": unused.header, "place": unused.place, "nearest": unused.nearest} for unused in part.unused
        ],
    }


def unused_said(unused: Sequence[UnusedHeader], file: str | None, sheet: str | None, row: int) -> Problem | None:
    """Return the remark that lists the headers of a table that were not used, None where all were.

    What this program itself wrote beside the columns of a list that comes back is nobody's question.
    """
    ours = added([item.header for item in unused])
    unused = [item for at, item in enumerate(unused) if at not in ours]
    if not unused:
        return None
    english = [f"{item.header or item.place}" + (f" (~{item.nearest})" if item.nearest else "") for item in unused]
    chinese = [f"{item.header or item.place}" + (f"（近似“{item.label}”）" if item.label else "") for item in unused]
    args = {"headers": listed(english, 40), "headers_zh": listed(chinese, 40)}
    return problem("RM272", file=file, sheet=sheet, row=row, count=len(unused), **args)


def listed(items: Sequence[object], most: int = MOST) -> str:
    """Return the first items and an ellipsis where there are more.

    Examples
    --------
    >>> listed([1, 2, 3], most=2)
    '1, 2, …'
    """
    return ", ".join(map(str, items[:most])) + (", …" if len(items) > most else "")


@dataclass(eq=False)
class LeftOut:
    """Rows that are no records, gathered while a table is read."""

    counts: Counter[str] = field(default_factory=Counter)
    rows: dict[str, list[int]] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)

    def add(self, fate: str, line: int, said: str = "") -> None:
        """Count one row."""
        self.counts[fate] += 1
        rows, texts = self.rows.setdefault(fate, []), self.texts.setdefault(fate, [])
        if len(rows) <= MOST:
            rows.append(line)
        if said and said not in texts and len(texts) <= MOST:
            texts.append(said)

    def remarks(self, file: str | None, sheet: str | None, last_record: int) -> list[Problem]:
        """Return a remark for each fate; blank rows behind the last record are no matter."""
        found = []
        for fate, code in FATES.items():
            rows = self.rows.get(fate, [])
            if not rows or (fate == "blank" and rows[0] > last_record):
                continue
            args = {"text": listed(self.texts[fate], 4), "rows": listed(rows)}
            found.append(problem(code, file=file, sheet=sheet, row=rows[0], count=self.counts[fate], **args))
        return found
