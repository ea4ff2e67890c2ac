"""The priced book as an Excel workbook: a list for each state of its rows, summary, receipt of reading, about.

Each list begins with who it is and what became of it, and that much of it goes on paper; the rest is for the screen.
Rows for an underwriter have columns in which to decide.

Every text is written as text, so that no cell of a customer's list can run as a formula. The same input gives the
same bytes: nothing of the clock or the machine goes in. Rows are streamed to disk, so memory does not grow with them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from ratemod.document.sheet import MOST_ROWS, new_sheet, new_workbook, print_only, set_widths
from ratemod.document.terminal import display_width
from ratemod.errors import BookError, Lang, problem, text
from ratemod.plan import said as words
from ratemod.rating.target import whole_file, write_problem
from ratemod.reading.added import DECISION
from ratemod.report.priced_columns import Shown, as_day, as_number, priced_view, refused_view, state_words
from ratemod.report.receipt_sheet import write_receipt_sheet
from ratemod.report.summary_table import SummaryTable, summary_table
from ratemod.vocabulary.currency import Currency

if TYPE_CHECKING:
    from ratemod.rating.rated import Rated

MOST_COLUMNS, MOST_TEXT = 16_384, 32_767
BATCH = 2_048
EXACT = 10**15  # Excel keeps 15 digits of a number
WIDEST, NARROWEST, SAMPLE = 44, 8, 200
SAID_WIDTH, LINE, MOST_LINES = 32, 15, 27  # characters across of what wraps; points of a line; lines of a row
FORMATS = {
    "text": "@",
    "number": "General",
    "whole": "#,##0",
    "factor": "0.00####",
    "share": "0.00##%",
    "percent": "0.0%",
    "said": "@",
    "state": "@",
    "date": "yyyy-mm-dd",
}
LEFT = ("text", "said", "state", "date")
STATE_COLOURS = {"rated": "#DDEFE0", "referred": "#FCE8C5", "refused": "#F8D3D0", "declined": "#DDDDDD"}
Tick = Callable[[int, int], None]


def write_priced_workbook(
    rated: Rated,
    path: str | Path,
    *,
    lang: Lang,
    by: Sequence[str] = (),
    facts: Sequence[tuple[str, str]] = (),
    tick: Tick | None = None,
) -> None:
    """Write a rated book as an Excel workbook: four lists, summary, receipt, about.

    Parameters
    ----------
    rated : Rated
    path : str or Path
        Replaced as a whole when the workbook is complete.
    lang : "zh" or "en"
        Of sheet names, headers, statuses and the about sheet.
    by : names of the summary's columns
    facts : label and value pairs that the about sheet adds (file, digest, day, business).
    tick : called with rows done and rows in all.

    Raises
    ------
    BookError
        RM807 too many rows or columns for a sheet, RM808 a text too long for a cell, and those of `whole_file`.
    """
    from xlsxwriter.exceptions import FileCreateError

    views = {
        "rated": priced_view(rated, lang, ("rated",)),
        "referred": _with_decision(priced_view(rated, lang, ("referred",)), lang),
        "refused": refused_view(rated, lang, ("refused",)),
        "declined": refused_view(rated, lang, ("declined",)),
    }
    for shown in views.values():
        _fits(shown)
    total, done = rated.table.num_rows, 0
    with whole_file(path) as part:
        book = new_workbook(part, lang, rated.plan.id, remark=rated.plan.warning(lang), streamed=True)
        looks = _looks(book, rated.plan.money, lang)
        try:
            for name, shown in views.items():
                sheet = _sheet(book, text(f"UI_sheet_{name}", lang), rated, lang)
                sheet.set_tab_color(STATE_COLOURS[name])
                for rows in _rows(sheet, shown, looks, rated.plan.key):
                    done += rows
                    if tick:
                        tick(done, total)
            _summary(_sheet(book, text("UI_sheet_summary", lang), rated, lang, 4), rated, by, lang, looks)
            write_receipt_sheet(_sheet(book, text("UI_sheet_receipt", lang), rated, lang), rated, lang, looks)
            _about(_sheet(book, text("UI_sheet_about", lang), rated, lang), rated, facts, lang, looks)
        finally:
            try:
                book.close()
            except FileCreateError as error:  # it hides the system's own error
                cause = error.args[0] if error.args and isinstance(error.args[0], OSError) else OSError(str(error))
                raise BookError(write_problem(cause, str(path))) from error


def _with_decision(shown: Sequence[Shown], lang: Lang) -> tuple[Shown, ...]:
    """Return a list with blank columns, behind its remarks, for what an underwriter decides, who and when."""
    after = next(at for at, column in enumerate(shown) if column.name == "notes") + 1
    blank = pa.chunked_array([pa.nulls(len(shown[0].values), pa.string())])
    asked = tuple(
        Shown(name=name, header=text(f"UI_{name}", lang), look="text", values=blank, leads=True) for name in DECISION
    )
    return (*shown[:after], *asked, *shown[after:])


def _fits(shown: Sequence[Shown]) -> None:
    rows = len(shown[0].values)
    if rows + 1 > MOST_ROWS or len(shown) > MOST_COLUMNS:
        raise BookError(problem("RM807", rows=rows, columns=len(shown)))
    for column in shown:
        if pa.types.is_string(column.values.type) or pa.types.is_large_string(column.values.type):
            longest = pc.max(pc.utf8_length(column.values)).as_py() or 0
            if longest > MOST_TEXT:
                raise BookError(problem("RM808", column=column.header, length=longest))


def _looks(book: Any, money: Currency, lang: Lang) -> dict[str, Any]:
    shapes = {**FORMATS, "money": money.excel}
    looks = {
        name: book.add_format({"num_format": shape, "valign": "top", **({"indent": 1} if name in LEFT else {})})
        for name, shape in shapes.items()
    }
    looks["said"] = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top", "indent": 1})
    for state, colour in STATE_COLOURS.items():
        looks[state_words(state, lang)] = book.add_format(
            {"num_format": "@", "indent": 1, "valign": "top", "bg_color": colour}
        )
    looks["header"] = book.add_format(
        {"bold": True, "bg_color": "#DDE6F0", "bottom": 1, "text_wrap": True, "valign": "vcenter", "indent": 1}
    )
    looks["header_right"] = book.add_format(
        {"bold": True, "bg_color": "#DDE6F0", "bottom": 1, "text_wrap": True, "valign": "vcenter", "align": "right"}
    )
    looks["label"] = book.add_format({"bold": True, "bg_color": "#DDE6F0", "valign": "top"})
    looks["alarm"] = book.add_format({"bold": True, "font_color": "#B00020"})
    looks["title"] = book.add_format({"bold": True, "font_size": 14})
    looks["warning"] = book.add_format({"bold": True, "font_color": "#B00020", "text_wrap": True, "valign": "top"})
    looks["wrap"] = book.add_format({"text_wrap": True, "valign": "top"})
    looks["count"] = book.add_format({"num_format": FORMATS["whole"], "align": "left"})
    looks["total"] = book.add_format({"bold": True, "top": 1, "indent": 1})
    looks["total_money"] = book.add_format({"bold": True, "top": 1, "num_format": money.excel})
    looks["total_whole"] = book.add_format({"bold": True, "top": 1, "num_format": FORMATS["whole"]})
    return looks


def _sheet(book: Any, name: str, rated: Rated, lang: Lang, heads: int = 1) -> Any:
    return new_sheet(book, name, heads=heads, said=f"{rated.plan.id} {rated.plan.warning(lang)}")


def _rows(sheet: Any, shown: Sequence[Shown], looks: dict[str, Any], key: str | None) -> Iterator[int]:
    """Write the header and the rows; yield how many rows each batch had."""
    count, names = len(shown[0].values), [column.name for column in shown]
    beside = names.index(key) + 1 if key in names and names.index(key) < 4 else 1
    sheet.freeze_panes(1, beside)
    set_widths(sheet, [_width(column) for column in shown], keys=beside)
    print_only(sheet, lines=count + 1, columns=1 + max(at for at, column in enumerate(shown) if column.leads))
    wrapped = [at for at, column in enumerate(shown) if column.look == "said"]
    sheet.autofilter(0, 0, count, len(shown) - 1)
    sheet.set_row(0, 32)
    for at, column in enumerate(shown):
        sheet.write_string(0, at, column.header, looks["header" if column.look in LEFT else "header_right"])
    for start in range(0, count, BATCH):
        batch = [column.values.slice(start, BATCH).to_pylist() for column in shown]
        for line, cells in enumerate(zip(*batch), start=start + 1):
            if (tall := max((_lines(cells[at]) for at in wrapped), default=1)) > 1:
                sheet.set_row(line, LINE * tall)
            for at, value in enumerate(cells):
                if value is not None:
                    _write(sheet, line, at, value, shown[at].look, looks)
        yield len(batch[0])


def _write(sheet: Any, line: int, at: int, value: Any, look: str, looks: dict[str, Any]) -> None:
    """Write one cell; text always as text, and numbers that Excel cannot hold exactly as text too."""
    if look == "state":
        sheet.write_string(line, at, value, looks[value])
    elif look in ("text", "said") and isinstance(value, str):
        sheet.write_string(line, at, value, looks[look])
    elif isinstance(value, bool):
        sheet.write_boolean(line, at, value, looks[look])
    elif look == "date" and not _has_time(value) and (day := as_day(value)) is not None:
        sheet.write_datetime(line, at, day, looks[look])
    elif (number := _number(value, look)) is not None:
        sheet.write_number(line, at, number, looks[look])
    elif value == value:  # what is not a number stays empty
        sheet.write_string(line, at, str(value), looks["text"])


def _lines(said: str | None) -> int:
    """Return how many lines a text that wraps takes, as far as a row may be high."""
    return min(MOST_LINES, math.ceil((display_width(said or "") + 2) / SAID_WIDTH))


def _number(value: Any, look: str) -> float | None:
    """Return a cell's number where Excel (15 digits) holds it exactly, else None."""
    if isinstance(value, str):
        return as_number(value) if look in ("whole", "number", "money") else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not isinstance(value, int | Decimal) or not -EXACT < value < EXACT:
        return None
    return float(value)


def _has_time(value: Any) -> bool:
    return isinstance(value, datetime) and value.time() != datetime.min.time()


def _width(column: Shown) -> float:
    """Return a column width for the header (on two lines) and the first rows; a Chinese character takes two."""
    header = max(display_width(column.header) / 2 + 4, max(map(display_width, column.header.split()), default=0) + 3)
    sample = column.values.slice(0, SAMPLE).to_pylist()
    widest = max((display_width(_sample(value, column.look)) for value in sample), default=0)
    return max(NARROWEST, min(SAID_WIDTH if column.look == "said" else WIDEST, max(header, widest * 1.05 + 2)))


def _sample(value: Any, look: str) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        if look == "money":
            return f"{value:,.2f}"
        return f"{value:,.0f}" if look == "whole" else f"{value:.6g}"
    return str(value.date() if isinstance(value, datetime) and not _has_time(value) else value)


def _summary(sheet: Any, rated: Rated, by: Sequence[str], lang: Lang, looks: dict[str, Any]) -> None:
    tables = [summary_table(rated, names, lang) for names in ([("plan",)] if rated.parts else []) + [tuple(by)]]
    widths: dict[int, int] = {}
    for table in tables:
        for at, head in enumerate(table.headers):
            said = [display_width(head), *(display_width(str(row[at])) for row in table.rows)]
            widths[at] = max(widths.get(at, 0), max(said) + 4)
    for at, width in widths.items():
        sheet.set_column(at, at, max(12, min(WIDEST, width)))
    sheet.write_string(0, 0, words.title(rated.plan, lang), looks["title"])
    sheet.write_string(1, 0, rated.plan.warning(lang), looks["alarm"])
    sheet.freeze_panes(4, 0)
    top = 3
    for table in tables:
        _totals(sheet, table, top, looks)
        top += len(table.rows) + 3


def _totals(sheet: Any, table: SummaryTable, top: int, looks: dict[str, Any]) -> None:
    for at, head in enumerate(table.headers):
        sheet.write_string(top, at, head, looks["header" if table.looks[at] == "text" else "header_right"])
    for line, row in enumerate((*table.rows, table.total), start=top + 1):
        last = line == top + 1 + len(table.rows)
        for at, value in enumerate(row):
            look = table.looks[at]
            style = looks[f"total_{look}" if last and f"total_{look}" in looks else "total" if last else look]
            if value is None:
                sheet.write_blank(line, at, None, style)
            elif isinstance(value, str):
                sheet.write_string(line, at, value, style)
            else:
                sheet.write_number(line, at, float(value), style)


def _about(sheet: Any, rated: Rated, facts: Sequence[tuple[str, str]], lang: Lang, looks: dict[str, Any]) -> None:
    plan = rated.plan
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 100)
    lines: list[tuple[str, str | int, str]] = [
        *((text("UI_plan", lang), one.id, "wrap") for one in rated.plans),
        (text("UI_title", lang), words.title(plan, lang), "wrap"),
        (text("UI_standing", lang), words.standing(plan, lang), "wrap"),
        (text("UI_warning", lang), plan.warning(lang), "warning"),
        (text("UI_in_force", lang), words.period(plan, lang), "wrap"),
        *((label, value, "wrap") for label, value in facts),
        *((text(f"UI_count_{name}", lang), count, "whole") for name, count in rated.counts.items()),
        (text("UI_money", lang), plan.text("UI_money_note", lang), "wrap"),
        (text("UI_paper", lang), text("UI_paper_note", lang), "wrap"),
    ]
    for line, (label, value, style) in enumerate(lines):
        sheet.write_string(line, 0, label, looks["label"])
        if isinstance(value, int):
            sheet.write_number(line, 1, value, looks["count"])
        else:
            sheet.write_string(line, 1, value, looks[style])
    line = len(lines) + 1
    sheet.write_string(line, 0, text("UI_sources", lang), looks["header"])
    sheet.write_blank(line, 1, None, looks["header"])
    for offset, source in enumerate(plan.sources.values(), start=1):
        sheet.write_string(line + offset, 0, source.name, looks["wrap"])
        sheet.write_string(line + offset, 1, words.source_words(source, lang), looks["wrap"])
