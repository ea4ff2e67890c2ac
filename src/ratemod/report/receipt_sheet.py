"""The receipt of reading as a sheet of a workbook: what was read, what every header means, what was left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ratemod.errors import Lang, text

if TYPE_CHECKING:
    from ratemod.rating.rated import Rated
    from ratemod.reading.receipt import Receipt

HEADS = ("table", "place", "header", "column", "unit")


def write_receipt_sheet(sheet: Any, rated: Rated, lang: Lang, looks: dict[str, Any]) -> None:
    """Write what was read into an empty sheet of an open workbook.

    Parameters
    ----------
    sheet : xlsxwriter worksheet
    rated : Rated
        Whose book has the receipt; the counts close over its rows.
    looks : formats ``header``, ``wrap`` and ``count``
    """
    for at, width in enumerate((44, 12, 30, 30, 24)):
        sheet.set_column(at, at, width)
    receipt = rated.book.receipt.without_folders()
    line = _lines(sheet, 0, text("UI_sheet_receipt", lang), receipt.lines(lang), looks)
    line = _counts(sheet, line + 1, rated, lang, looks)
    for at, name in enumerate(HEADS):
        sheet.write_string(line + 1, at, text(f"UI_receipt_{name}", lang), looks["header"])
    for row, cells in enumerate(_headers(rated, receipt, lang), line + 2):
        for at, said in enumerate(cells):
            sheet.write_string(row, at, said, looks["wrap"])


def _lines(sheet: Any, line: int, title: str, said: Iterable[str], looks: dict[str, Any]) -> int:
    sheet.write_string(line, 0, title, looks["header"])
    for at in range(1, len(HEADS)):
        sheet.write_blank(line, at, None, looks["header"])
    below = line + 1
    for item in said:
        sheet.merge_range(below, 0, below, len(HEADS) - 1, item, looks["wrap"])
        below += 1
    return below


def _counts(sheet: Any, line: int, rated: Rated, lang: Lang, looks: dict[str, Any]) -> int:
    """Write what became of the rows: those priced and not, and those named as no records."""
    said = {f"UI_count_{name}": count for name, count in rated.counts.items()}
    said |= {f"UI_fate_{name}": count for name, count in rated.book.receipt.left_out.items()}
    for at, (label, count) in enumerate(said.items(), line):
        sheet.write_string(at, 0, text(label, lang), looks["wrap"])
        sheet.write_number(at, 1, count, looks["count"])
    return line + len(said)


def _headers(rated: Rated, receipt: Receipt, lang: Lang) -> Iterable[tuple[str, str, str, str, str]]:
    """Yield every header: its table, its place, itself, the column that it means, the unit of its bare numbers."""
    columns = rated.plan.columns
    for part in receipt.parts:
        for used in part.used:
            label = columns[used.column].label(lang) if used.column in columns else used.column
            size = f"{used.unit} ×{used.size:,f}".strip() if used.size != 1 else used.unit
            yield part.place(), used.place, used.header, label, size
        for spare in part.unused:
            near = text("UI_receipt_near", lang, near=spare.nearest) if spare.nearest else ""
            yield part.place(), spare.place, spare.header, text("UI_receipt_unused", lang), near
