"""Sheets of a live workbook beside the policies: constants and tables, whose numbers a reviewer may change.

Numbers are yellow and free; keys, sources and formulas are locked, without a password, against a slip of the hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ratemod.document.terminal import display_width
from ratemod.errors import Lang, text
from ratemod.formulas.tables import FIRST, TableSheet, axis_headers, key_cells, letters, points_beside, quoted
from ratemod.plan.model import Plan
from ratemod.report.priced_workbook import FORMATS

FREE = "#FFF6CC"
WORDS_FIRST = 2  # first row of words on their sheet
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
    level_axes = [axis for axis in table.axes if axis.kind == "level" and axis.name in plan.level_columns]
    beside_heads = [plan.label(axis.name, lang) for axis in level_axes]
    heads = [*where.columns, text("UI_live_source", lang), text("UI_live_remark", lang), *beside_heads]
    for at, header in enumerate(heads):
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
        for at, axis in enumerate(level_axes, source_at + 2):
            key = str(row.keys[table.axes.index(axis)])
            sheet.write_string(line, at, plan.level_label(axis.name, key, lang), looks["text"])
    sheet.freeze_panes(FIRST - 1, 0)
    sheet.protect("", OPTIONS)


def spoken_levels(plan: Plan, name: str, lang: Lang) -> Mapping[str, str]:
    """Return what the level codes of an input column are called, where that tells them apart; else nothing."""
    labels = plan.columns[name].level_labels(lang)
    plain = {label.casefold() for label in labels.values()}
    wild = any(set("*?~") & set(label) for label in labels.values())
    return {} if wild or len(plain) < len(labels) or all(code == label for code, label in labels.items()) else labels


def word_ranges(words: Mapping[str, Mapping[str, str]], sheet: str) -> dict[str, tuple[str, str]]:
    """Return where the labels and the codes of each column stand on the sheet of words, as absolute references."""
    found = {}
    for at, (name, labels) in enumerate(words.items()):
        last = WORDS_FIRST + len(labels) - 1
        said, code = (f"{quoted(sheet)}!${letters(2 * at + part)}${WORDS_FIRST}:${letters(2 * at + part)}${last}"
                      for part in (0, 1))  # fmt: skip
        found[name] = said, code
    return found


def write_words(
    sheet: Any, words: Mapping[str, Mapping[str, str]], plan: Plan, looks: Mapping[str, Any], lang: Lang
) -> None:
    """Write what levels are called beside their codes, which the formulas read."""
    for at, (name, labels) in enumerate(words.items()):
        sheet.write_string(0, 2 * at, plan.label(name, lang), looks["header"])
        sheet.write_string(0, 2 * at + 1, name, looks["header"])
        sheet.set_column(2 * at, 2 * at + 1, max(12, *(display_width(said) + 2 for said in labels.values())))
        for line, (code, said) in enumerate(labels.items(), WORDS_FIRST - 1):
            sheet.write_string(line, 2 * at, said, looks["text"])
            sheet.write_string(line, 2 * at + 1, code, looks["text"])
    sheet.protect("", OPTIONS)
