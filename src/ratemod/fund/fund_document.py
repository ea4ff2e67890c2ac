"""Tables of the fund, for people: labels, words for codes, names of insurers; Parquet keeps names and codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa

from ratemod.document.arrow_table import NO_UNITS, arrow_table
from ratemod.document.files import write_document, write_frame
from ratemod.document.model import Document, Section, Table
from ratemod.document.terminal import grid_text
from ratemod.errors import Lang, catalogue, text
from ratemod.fund.fund_table import fund_label, in_language
from ratemod.rating.target import check_target
from ratemod.rules.options import strict
from ratemod.vocabulary.labels import level_label, table_label

CODED = frozenset(
    ("kind", "account", "status", "rule", "check", "sector", "size_class", "service_type", "method", "test", "moved",
     "indicator", "item", "finding")
)  # fmt: skip
Names = Mapping[str, Mapping[str, str]]  # column -> code -> name
NO_NAMES: Names = MappingProxyType({})
MOST_ROWS = 20


@strict
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
        Those of `check_target` and `write_document`.
    """
    target = check_target(path, list(inputs))
    if target.suffix.lower() == ".parquet":
        return write_frame(tables[0][1], target)
    sections = []
    for name, table in tables:
        said = sheet_name(name, lang)
        own = coded(called(in_language(table, lang), names), lang)
        labels = [fund_label(column, lang) for column in own.column_names]
        fen = {column: "count" for column in own.column_names if column.endswith("_fen")}  # as their label says
        sections.append(Section(name, said, (arrow_table(own, said, labels, units=fen),)))
    return write_document(Document(lang=lang, title="", sections=tuple(sections)), target)


def value_label(value: str, lang: Lang, column: str = "") -> str:
    """Return the label of a coded value of a column, or the value where it has none.

    Examples
    --------
    >>> value_label("mining", "en", "sector"), value_label("provider_01", "en")
    ('Mining', 'provider_01')
    >>> value_label("price", "zh", "rule"), value_label("price", "zh", "check")
    ('接近目录价格', '偏离目录价格')
    """
    said = (code for code in (f"UI_value_{column}_{value}", f"UI_value_{value}") if code in catalogue())
    return level_label(column, value, lang) or next((text(code, lang) for code in said), value)


def called(table: pa.Table, names: Names) -> pa.Table:
    """Return a table whose insurers, brokers and service bodies are called by their names, where these are known."""
    for at, column in enumerate(table.column_names):
        known = names.get(column.removeprefix("co_"))
        if known:
            said = [known.get(code, code) for code in table[column].to_pylist()]
            table = table.set_column(at, column, pa.array(said, pa.string()))
    return table


@strict
def coded(table: pa.Table, lang: Lang) -> pa.Table:
    """Return a table whose codes (`CODED`) are words for a Chinese reader; English readers get the codes."""
    if lang != "zh":
        return table
    for at, name in enumerate(table.column_names):
        if name in CODED and not pa.types.is_null(table[name].type):
            said = [None if value is None else value_label(str(value), lang, name) for value in table[name].to_pylist()]
            table = table.set_column(at, name, pa.array(said, pa.string()))
    return table


def sheet_name(name: str, lang: Lang) -> str:
    """Return what the sheet of a table is called: a part of the fund, or a shared table."""
    code = f"UI_fund_sheet_{name}"
    return text(code, lang) if code in catalogue() else table_label(name, lang)


def fund_table_of(
    table: pa.Table, lang: Lang, title: str = "", *, units: Mapping[str, str] = NO_UNITS, most: int | None = None
) -> Table:
    """Return a table as people read it: amounts in yuan, codes in words; `units` as `arrow_table`."""
    own = coded(in_language(table, lang), lang)
    labels = [shown_label(name, lang) for name in own.column_names]
    return arrow_table(own, title, labels, units=units, most=most)


@strict
def fund_text(table: pa.Table, lang: Lang, most: int = MOST_ROWS) -> str:
    """Return the first rows of a table for a terminal."""
    return grid_text(fund_table_of(table.slice(0, most), lang), lang)


def shown_label(name: str, lang: Lang) -> str:
    """Return the label of a column where amounts are shown in yuan."""
    label = fund_label(name, lang)
    return label.replace(", fen", ", yuan").replace("（分", "（元") if name.endswith("_fen") else label
