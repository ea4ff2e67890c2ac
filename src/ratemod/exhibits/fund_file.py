"""Tables of the fund as files: CSV and Excel with labels for people, Parquet with names for programs; whole or not."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from ratemod.errors import Lang, catalogue, text
from ratemod.exhibits.figures import SHAPES, said, unit_of
from ratemod.exhibits.output import check_target, whole_file
from ratemod.exhibits.priced_columns import safe_text
from ratemod.exhibits.terminal import display_width, table_text
from ratemod.exhibits.worksheet import new_sheet, set_widths
from ratemod.fund.fund_table import fund_label, in_language
from ratemod.vocabulary.labels import level_label, table_label

CODED = frozenset(
    ("kind", "account", "status", "rule", "check", "sector", "size_class", "service_type", "method", "test", "moved",
     "indicator")
)  # fmt: skip
WIDEST = 60
Names = Mapping[str, Mapping[str, str]]  # column -> code -> name
NO_NAMES: Names = MappingProxyType({})
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def write_fund(
    tables: Sequence[tuple[str, pa.Table]],
    path: str | Path,
    lang: Lang,
    inputs: Sequence[Path] = (),
    names: Names = NO_NAMES,
) -> Path:
    """Write the first table to a CSV or Parquet file, or all of them to the sheets of a workbook; return the path.

    What people read has the names of insurers, brokers and service bodies; Parquet keeps their codes.

    Raises
    ------
    BookError
        Those of `check_target` and `whole_file`.
    """
    target = check_target(path, list(inputs))
    kind = target.suffix.lower()
    if kind != ".parquet":
        tables = [(name, called(in_language(table, lang), names)) for name, table in tables]
    with whole_file(target) as part:
        if kind == ".parquet":
            import pyarrow.parquet as pq

            pq.write_table(tables[0][1], part, compression="zstd")
        elif kind == ".csv":
            from pyarrow import csv

            shown = _safe(_labelled(coded(tables[0][1], lang), lang))
            with pa.OSFile(str(part), "wb") as file:
                file.write(BYTE_ORDER_MARK)
                csv.write_csv(shown, file)
        else:
            _workbook(tables, part, lang)
    return target


def _labelled(table: pa.Table, lang: Lang) -> pa.Table:
    return table.rename_columns([fund_label(name, lang) for name in table.column_names])


def value_label(value: str, lang: Lang, column: str = "") -> str:
    """Return the label of a coded value of a column, or the value where it has none.

    Examples
    --------
    >>> value_label("mining", "en", "sector"), value_label("provider_01", "en")
    ('Mining', 'provider_01')
    """
    code = f"UI_value_{value}"
    return level_label(column, value, lang) or (text(code, lang) if code in catalogue() else value)


def called(table: pa.Table, names: Names) -> pa.Table:
    """Return a table whose insurers, brokers and service bodies are called by their names, where these are known."""
    for at, column in enumerate(table.column_names):
        known = names.get(column.removeprefix("co_"))
        if known:
            said = [known.get(code, code) for code in table[column].to_pylist()]
            table = table.set_column(at, column, pa.array(said, pa.string()))
    return table


def coded(table: pa.Table, lang: Lang) -> pa.Table:
    """Return a table whose codes (`CODED`) are words for a Chinese reader; English readers get the codes."""
    if lang != "zh":
        return table
    for at, name in enumerate(table.column_names):
        if name in CODED and not pa.types.is_null(table[name].type):
            said = [None if value is None else value_label(str(value), lang, name) for value in table[name].to_pylist()]
            table = table.set_column(at, name, pa.array(said, pa.string()))
    return table


def _safe(table: pa.Table) -> pa.Table:
    """Return a table without texts that a spreadsheet could run."""
    for at, name in enumerate(table.column_names):
        column = table[name]
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_string(column.type):
            column = pa.array(
                [None if value is None else safe_text(value) for value in column.to_pylist()], pa.string()
            )
        table = table.set_column(at, name, column)
    return table


def _workbook(tables: Sequence[tuple[str, pa.Table]], part: Path, lang: Lang) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(
        str(part), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties({"created": datetime.datetime(2000, 1, 1)})  # the same tables, the same bytes
    head = book.add_format({"bold": True, "text_wrap": True, "bg_color": "#DDE6F0", "valign": "vcenter"})
    looks = {unit: book.add_format({"num_format": shape}) for unit, (_, shape) in SHAPES.items()}
    looks["date"] = book.add_format({"num_format": "yyyy-mm-dd"})
    for name, table in tables:
        sheet = new_sheet(book, sheet_name(name, lang))
        sheet.freeze_panes(1, 0)
        shown, widths = coded(table, lang), list[float]()
        units = [unit_of(name, table[name]) for name in table.column_names]
        for at, label in enumerate(_labelled(table, lang).column_names):
            sheet.write_string(0, at, label, head)
            cells = shown.column(at).slice(0, 100).to_pylist()
            widest = max(display_width(str(cell)) for cell in (label, *cells) if not isinstance(cell, float))
            widths.append(min(widest, WIDEST) + 2)
        set_widths(sheet, widths)
        for row, values in enumerate(zip(*(column.to_pylist() for column in shown.columns)), start=1):
            for at, value in enumerate(values):
                _cell(sheet, row, at, value, looks, units[at])
    book.close()


def sheet_name(name: str, lang: Lang) -> str:
    """Return what the sheet of a table is called: a part of the fund, or a shared table."""
    code = f"UI_fund_sheet_{name}"
    return text(code, lang) if code in catalogue() else table_label(name, lang)


def _cell(sheet: Any, row: int, at: int, value: Any, looks: Mapping[str, Any], unit: str) -> None:
    if isinstance(value, datetime.date):
        sheet.write_datetime(row, at, datetime.datetime(value.year, value.month, value.day), looks["date"])
    elif isinstance(value, str):
        sheet.write_string(row, at, value)
    elif value is not None:
        sheet.write_number(row, at, value, looks.get(unit))


def fund_text(table: pa.Table, lang: Lang, most: int = 20) -> str:
    """Return the first rows of a table for a terminal, amounts in yuan."""
    shown = coded(in_language(table, lang).slice(0, most), lang)
    units = {name: unit_of(name, shown[name]) for name in shown.column_names}
    columns = [[said(value, unit, lang) for value in shown[name].to_pylist()] for name, unit in units.items()]
    return table_text([shown_label(name, lang) for name in units], list(zip(*columns)), [*map(bool, units.values())])


def shown_label(name: str, lang: Lang) -> str:
    """Return the label of a column where amounts are shown in yuan."""
    label = fund_label(name, lang)
    return label.replace(", fen", ", yuan").replace("（分", "（元") if name.endswith("_fen") else label
