"""Lists that go to authorities and clients: Arrow tables as Excel, CSV or HTML, with headers in words.

The same tables give the same bytes. Texts are written as texts, so that no cell of a register can run as a formula.
"""

from __future__ import annotations

import csv
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from ratemod.errors import BookError, Lang, catalogue, nearest, problem, text
from ratemod.exhibits.figures import SHAPES, said, unit_of
from ratemod.exhibits.output import whole_file
from ratemod.exhibits.priced_columns import safe_cell
from ratemod.exhibits.priced_workbook import MADE, MOST_ROWS
from ratemod.exhibits.terminal import display_width, table_text
from ratemod.exhibits.worksheet import new_sheet, set_widths
from ratemod.vocabulary.labels import column_label

SUFFIXES = (".xlsx", ".csv", ".html")
WIDEST = 36  # headers wrap to two lines
ENCODING = "utf-8-sig"  # Excel reads Chinese in a CSV only with the mark


def register_label(name: str, lang: Lang) -> str:
    """Return the label of a column of a list: a report's own, else the vocabulary's."""
    code = f"UI_register_col_{name}"
    return text(code, lang) if code in catalogue() else column_label(name, lang) or name


@dataclass(frozen=True, eq=False, slots=True)
class Sheet:
    """One table of a report.

    Attributes
    ----------
    title : str
    table : pyarrow.Table
        Columns that end in ``_fen`` are shown in yuan.
    labels : mapping of column to label, for columns that the catalogue does not name
    values : mapping of column to {code: label}, for coded columns
    """

    title: str
    table: pa.Table
    labels: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def headers(self, lang: Lang) -> list[str]:
        """Return the headers in a language."""
        return [self.labels.get(name) or register_label(name, lang) for name in self.table.column_names]

    def units(self) -> list[str]:
        """Return what every column measures as `rows` give it, a key of `figures.SHAPES`; "" where it is no number."""
        found = [unit_of(name, self.table[name]) for name in self.table.column_names]
        units = ("" if name in self.values else unit for name, unit in zip(self.table.column_names, found))
        return ["yuan" if unit == "fen" else "factor" if unit == "ratio" else unit for unit in units]

    def rows(self) -> list[tuple[Any, ...]]:
        """Return the rows with fen in yuan and codes in words."""
        columns = []
        for name in self.table.column_names:
            cells = self.table[name].to_pylist()
            if name.endswith("_fen"):
                cells = [None if cell is None else cell / 100 for cell in cells]
            elif name in self.values:
                cells = [self.values[name].get(cell, cell) for cell in cells]
            columns.append(cells)
        return list(zip(*columns))


def write_report(path: str | Path, title: str, sheets: Sequence[Sheet], notes: Sequence[str], lang: Lang) -> None:
    """Write a report; a CSV holds its first sheet only.

    Raises
    ------
    BookError
        RM800 unknown ending, RM807 too many rows for a sheet, and those of `whole_file`.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise BookError(
            problem("RM800", path=str(path), suffixes=" ".join(SUFFIXES), nearest=nearest(suffix, SUFFIXES))
        )
    with whole_file(path) as part:
        if suffix == ".csv":
            _csv(part, sheets[0], lang)
        elif suffix == ".html":
            part.write_text(_html(title, sheets, notes, lang), encoding="utf-8")
        else:
            _workbook(part, title, sheets, notes, lang)


def sheet_text(sheet: Sheet, lang: Lang, most: int = 40) -> str:
    """Return a table as a terminal shows it, at most so many rows."""
    units = sheet.units()
    rows = [[_shown(cell, unit, lang) for cell, unit in zip(row, units)] for row in sheet.rows()[:most]]
    body = table_text(sheet.headers(lang), rows, [*map(bool, units)])
    more = sheet.table.num_rows - most
    return f"{sheet.title}\n{body}" + (f"\n{text('RM002', lang, more=more)}" if more > 0 else "")


def _shown(cell: Any, unit: str, lang: Lang) -> str:
    return "" if cell is None else said(cell, unit, lang)


def _csv(part: Path, sheet: Sheet, lang: Lang) -> None:
    with open(part, "w", encoding=ENCODING, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(sheet.headers(lang))
        for row in sheet.rows():
            writer.writerow(["" if cell is None else safe_cell(cell) for cell in row])


def _html(title: str, sheets: Sequence[Sheet], notes: Sequence[str], lang: Lang) -> str:
    style = (
        "body{font-family:'Noto Sans CJK SC','Microsoft YaHei',sans-serif;margin:2em}"
        "table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #999;padding:.3em .5em}"
        "th{background:#eee}td.n{text-align:right}"
    )
    parts = [
        f'<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>{html.escape(title)}</title>',
        f"<style>{style}</style><h1>{html.escape(title)}</h1>",
    ]
    parts += [f"<p>{html.escape(note)}</p>" for note in notes]
    for sheet in sheets:
        units = sheet.units()
        heads = "".join(f"<th>{html.escape(label)}</th>" for label in sheet.headers(lang))
        parts.append(f"<h2>{html.escape(sheet.title)}</h2><table><tr>{heads}</tr>")
        for row in sheet.rows():
            cells = (
                f"<td{' class=n' if unit else ''}>{html.escape(_shown(cell, unit, lang))}</td>"
                for cell, unit in zip(row, units)
            )
            parts.append(f"<tr>{''.join(cells)}</tr>")
        parts.append("</table>")
    return "\n".join(parts) + "</html>\n"


def _workbook(part: Path, title: str, sheets: Sequence[Sheet], notes: Sequence[str], lang: Lang) -> None:
    import xlsxwriter

    font = {"font_name": "Microsoft YaHei" if lang == "zh" else "Calibri", "font_size": 10}
    book = xlsxwriter.Workbook(
        str(part), {"strings_to_formulas": False, "strings_to_urls": False, "default_format_properties": font}
    )
    book.set_properties({"created": MADE, "title": title})
    looks = {
        unit: book.add_format({**font, "num_format": form, "align": "right"}) for unit, (_, form) in SHAPES.items()
    }
    looks["date"] = book.add_format({**font, "num_format": "yyyy-mm-dd", "align": "left"})
    head = book.add_format(
        {**font, "bold": True, "text_wrap": True, "bg_color": "#DDE7F0", "border": 1, "valign": "vcenter"}
    )
    for sheet in sheets:
        if sheet.table.num_rows + 4 > MOST_ROWS:
            book.close()
            raise BookError(problem("RM807", rows=sheet.table.num_rows, columns=sheet.table.num_columns))
        page = new_sheet(book, sheet.title, heads=len(notes) + 3, said=title)
        _page(page, title, sheet, notes, lang, looks, head)
    book.close()


def _page(
    page: Any, title: str, sheet: Sheet, notes: Sequence[str], lang: Lang, looks: Mapping[str, Any], head: Any
) -> None:
    """Write a title, the notes, headers and rows; headers stay in sight, the page is printed on one width."""
    page.write_string(0, 0, title)
    for at, note in enumerate(notes, start=1):
        page.write_string(at, 0, note)
    top, headers, units = len(notes) + 2, sheet.headers(lang), sheet.units()
    rows, wide = sheet.rows(), list[float]()
    page.set_row(top, 30)
    for column, (label, unit) in enumerate(zip(headers, units)):
        page.write_string(top, column, label, head)
        widths = [display_width(_shown(row[column], unit, lang)) for row in rows[:200]]
        wide.append(min(max([(display_width(label) + 1) // 2, *widths]) + 2, WIDEST))
    set_widths(page, wide)
    for at, row in enumerate(rows, start=top + 1):
        for column, (cell, unit) in enumerate(zip(row, units)):
            if isinstance(cell, date):
                page.write_datetime(at, column, cell, looks["date"])
            elif isinstance(cell, int | float):
                page.write_number(at, column, cell, looks[unit or "factor"])
            elif cell is not None:
                page.write_string(at, column, str(cell))
    page.freeze_panes(top + 1, 0)
    page.autofilter(top, 0, top + max(len(rows), 1), len(units) - 1)
