"""Sheets of a live workbook beside the policies: constants and tables, whose numbers a reviewer may change.

Numbers are yellow and free; keys, sources and formulas are locked, without a password, against a slip of the hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ratemod.document.terminal import display_width
from ratemod.errors import Lang, text
from ratemod.formulas.tables import FIRST, TableSheet, axis_headers, key_cells, points_beside
from ratemod.plan.model import Plan
from ratemod.report.priced_workbook import FORMATS

FREE = "#FFF6CC"
# What a reader may still do on a locked sheet.
OPTIONS = {"format_columns": True, "format_rows": True, "autofilter": True, "sort": True}


def free_looks(book: Any) -> dict[str, Any]:
    """Return the looks of cells that may be changed: ``free_number`` of the plan, ``open_...`` of the policies."""
    looks = {"free_number": book.add_format({"num_format": FORMATS["number"], "locked": False, "bg_color": FREE})}
    for name in ("number", "date", "text"):
        looks[f"open_{name}"] = book.add_format({"num_format": FORMATS[name], "locked": False})
    return looks


def write_constants(sheet: Any, plan: Plan, looks: Mapping[str, Any], lang: Lang) -> None:
    """Write the plan's constants with their sources; their values are free."""
    sheet.set_column(0, 0, 30)
    sheet.set_column(2, 4, 40)
    sheet.write_string(0, 0, text("UI_live_constants", lang), looks["title"])
    for at, name in enumerate(("name", "value", "label", "source")):
        sheet.write_string(FIRST - 2, at, text(f"UI_live_{name}", lang), looks["header"])
    for at, constant in enumerate(plan.constants.values(), FIRST - 1):
        sheet.write_string(at, 0, constant.name, looks["text"])
        sheet.write_number(at, 1, float(constant.value), looks["free_number"])
        sheet.write_string(at, 2, plan.label(constant.name, lang), looks["text"])
        sheet.write_string(at, 3, plan.sources[constant.source].title, looks["text"])
    sheet.freeze_panes(FIRST - 1, 0)
    sheet.protect("", OPTIONS)


def write_table(sheet: Any, where: TableSheet, plan: Plan, looks: Mapping[str, Any], lang: Lang) -> None:
    """Write one table; its numbers are free, its keys are not."""
    table = where.table
    sheet.write_string(0, 0, plan.label(table.name, lang), looks["title"])
    sheet.write_string(1, 0, table.name, looks["text"])
    source_at = len(where.columns)
    for at, header in enumerate([*where.columns, text("UI_live_source", lang), text("UI_live_remark", lang)]):
        sheet.write_string(FIRST - 2, at, header, looks["header"])
        sheet.set_column(at, at, max(12, min(40, display_width(header) + 3)))
    sheet.set_column(source_at, source_at + 1, 40)
    beside = {id(row): points for row, points in zip(table.rows, points_beside(table))}
    for line, row in enumerate(where.rows, FIRST - 1):
        cells: list[Any] = []
        dates: list[bool] = []
        for axis, key in zip(table.axes, row.keys):
            cells += key_cells(axis, key)
            dates += [axis.is_date] * len(axis_headers(axis))
        cells += [
            "none" if value is None else table.shown(name, value) for name, value in zip(table.value_names, row.values)
        ]
        for at, cell in enumerate(cells):
            is_key = at < len(dates)
            look = looks["date" if is_key and dates[at] else "number" if is_key else "free_number"]
            if isinstance(cell, Decimal):
                sheet.write_number(line, at, float(cell), look)
            elif cell is not None:
                sheet.write_string(line, at, cell, looks["text"])
        for at, point in enumerate(beside[id(row)], len(cells)):
            sheet.write_number(line, at, float(point), looks["number"])
        sheet.write_string(
            line, source_at, plan.sources[row.source].title if row.source in plan.sources else row.source
        )
        sheet.write_string(line, source_at + 1, row.note)
    sheet.freeze_panes(FIRST - 1, 0)
    sheet.protect("", OPTIONS)
