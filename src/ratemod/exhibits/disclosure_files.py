"""The yearly disclosure as files: page, workbook, and a folder of CSV and Parquet for programs; whole or not at all."""

from __future__ import annotations

import os
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from ratemod.errors import BookError, Lang, problem, text
from ratemod.exhibits.disclosure import Disclosure
from ratemod.exhibits.disclosure_fund import FUND_MEASURES
from ratemod.exhibits.disclosure_page import (
    SERVICE_MEASURES,
    disclosure_page,
    fund_cells,
    key_figures,
    left_out,
    matrix_of,
    service_cells,
)
from ratemod.exhibits.disclosure_publication import Subject
from ratemod.exhibits.disclosure_words import (
    figure,
    level_label,
    measure_label,
    published,
)
from ratemod.exhibits.frame_file import write_frame
from ratemod.exhibits.output import check_target, whole_file
from ratemod.exhibits.worksheet import new_sheet
from ratemod.version import version

DIMENSIONS = ("sector", "division", "insurer", "cause", "state")
CREATED = datetime(2020, 1, 1)
STATUS = ("published", "none", "suppressed")


def check_disclosure_target(path: str | Path, inputs: Path | None = None) -> Path:
    """Return the output path when it can be written; a path without an ending is a folder.

    Raises
    ------
    BookError
        RM800 to RM804; RM803 also when the folder is that of the sources.
    """
    target = Path(path)
    if target.suffix.lower() in (".html", ".xlsx"):
        twin = target.with_suffix(".xlsx")
        check_target(twin if not twin.exists() or target.suffix.lower() == ".xlsx" else target.parent / "unused.xlsx")
        if target.is_dir():
            raise BookError(problem("RM804", path=str(target)))
        return target
    if target.suffix:
        raise BookError(problem("RM800", path=str(path), suffixes=".html .xlsx", nearest=None))
    if inputs is not None and os.path.realpath(target) == os.path.realpath(inputs):
        raise BookError(problem("RM803", path=str(target)))
    if target.exists() and not target.is_dir():
        raise BookError(problem("RM922", path=str(target)))
    if not target.exists() and not target.parent.is_dir():
        raise BookError(problem("RM801", folder=str(target.parent)))
    return target


def write_disclosure(told: Disclosure, path: str | Path, lang: Lang) -> list[Path]:
    """Write a disclosure as the path says; return the files written.

    Raises
    ------
    BookError
        Those of `check_disclosure_target` and `whole_file`.
    """
    target = check_disclosure_target(path)
    if target.suffix.lower() == ".html":
        with whole_file(target) as part:
            part.write_text(disclosure_page(told, lang), encoding="utf-8")
        return [target]
    if target.suffix.lower() == ".xlsx":
        with whole_file(target) as part:
            _workbook(told, part, lang)
        return [target]
    target.mkdir(exist_ok=True)
    tables = {"figures": figures_table(told), "fund": fund_table(told), "service": service_table(told)}
    tables["sources"] = sources_table(told)
    return [
        write_frame(table, target / f"{name}{suffix}")
        for name, table in tables.items()
        for suffix in (".csv", ".parquet")
    ]


def figures_table(told: Disclosure) -> pa.Table:
    """Return every published figure, one a row.

    Returns
    -------
    pyarrow.Table
        ``year``, ``subject``, ``breakdown``, the level of each dimension (null where not broken down), their labels,
        ``measure``, ``unit`` (count, 10000 yuan), ``value`` (decimal, null where left out) and ``status``: published,
        none, suppressed. Which of the suppressed figures were unsafe themselves is not said.
    """
    rows: list[dict[str, Any]] = []
    for name, subject in told.subjects.items():
        tables = subject.tables
        for at, key in enumerate(tables.keys):
            codes = {dim: tables.levels[dim][level] for dim, level in key}
            labels = {
                lang: " × ".join(level_label(told, dim, code, lang) for dim, code in codes.items())
                or text("UI_disclosure_total", lang)
                for lang in ("en", "zh")
            }
            for measure, values in tables.values.items():
                money = measure.endswith("_fen")
                whole = int(values[at])
                value = Decimal(published(whole)).scaleb(-2) if money else Decimal(whole)
                status = _status(subject, at)
                rows.append(
                    {"year": told.year, "subject": name, "breakdown": " × ".join(codes) or "total"}
                    | {dim: codes.get(dim) for dim in DIMENSIONS}
                    | {"label_en": labels["en"], "label_zh": labels["zh"], "measure": measure.removesuffix("_fen")}
                    | {"unit": "10000 yuan" if money else "count", "status": status}
                    | {"value": None if status == "suppressed" else value}
                )
    texts = ("subject", "breakdown", *DIMENSIONS, "label_en", "label_zh", "measure", "unit")
    fields = [("year", pa.int32()), *((name, pa.string()) for name in texts)]
    fields += [("value", pa.decimal128(18, 2)), ("status", pa.string())]
    return _table(rows, fields)


def _table(rows: list[dict[str, Any]], fields: list[tuple[str, pa.DataType]]) -> pa.Table:
    return pa.table({name: pa.array([row.get(name) for row in rows], kind) for name, kind in fields})


def _status(subject: Subject, cell: int) -> str:
    if subject.hidden[cell]:
        return "suppressed"
    return "published" if subject.tables.contributors[cell] else "none"


def fund_table(told: Disclosure) -> pa.Table:
    """Return the fund of every insurer in 10,000 yuan; ``insurer`` is ``total`` for all together."""
    rows = []
    for line in told.fund:
        amounts = {name: line.published(name) for name in FUND_MEASURES}
        figures = {
            name.replace("_fen", "_10000_yuan"): None if amount is None else Decimal(published(amount)).scaleb(-2)
            for name, amount in amounts.items()
        }
        status = "partly" if 0 < len(line.left_out) < len(amounts) else "suppressed" if line.left_out else "published"
        rows.append({"year": told.year, "insurer": line.insurer or "total", "status": status} | figures)
    names = [name.replace("_fen", "_10000_yuan") for name in FUND_MEASURES]
    money = [(name, pa.decimal128(18, 2)) for name in names]
    return _table(rows, [("year", pa.int32()), ("insurer", pa.string()), *money, ("status", pa.string())])


def service_table(told: Disclosure) -> pa.Table:
    """Return the service indicators of every insurer."""
    rows = []
    for line in told.service:
        values = {name: None if line.hidden else getattr(line, name) for name in SERVICE_MEASURES}
        status = "suppressed" if line.hidden else "published"
        rows.append({"year": told.year, "insurer": line.insurer or "total", "status": status} | values)
    kinds = [(name, pa.int64() if name == "planned" else pa.float64()) for name in SERVICE_MEASURES]
    return _table(rows, [("year", pa.int32()), ("insurer", pa.string()), *kinds, ("status", pa.string())])


def sources_table(told: Disclosure) -> pa.Table:
    """Return the source tables with rows and digests."""
    rows = [
        {"table": noun, "rows_read": read, "rows_used": used, "sha256": digest, "synthetic": told.synthetic}
        for noun, (read, used, digest) in told.tables.items()
    ]
    fields = [("table", pa.string()), ("rows_read", pa.int64()), ("rows_used", pa.int64()), ("sha256", pa.string())]
    return _table(rows, [*fields, ("synthetic", pa.bool_())])


def _workbook(told: Disclosure, part: Path, lang: Lang) -> None:
    """Write a sheet of key figures and notes, one for each cross table or list of totals, and the sources."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(part), {"strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": CREATED, "title": text("UI_disclosure_title", lang, year=told.year)})
    looks = {
        "title": book.add_format({"bold": True, "font_size": 14}),
        "alarm": book.add_format({"bold": True, "font_color": "#7A1F00"}),
        "head": book.add_format({"bold": True, "bottom": 2, "text_wrap": True, "align": "center", "valign": "bottom"}),
        "cell": book.add_format({"align": "right"}),
        "count": book.add_format({"num_format": "#,##0"}),
        "money": book.add_format({"num_format": "#,##0.00"}),
        "total": book.add_format({"bold": True, "top": 1}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
    }
    _front(book, looks, told, lang)
    for name, subject in told.subjects.items():
        sheet = new_sheet(book, text(f"UI_disclosure_{name}", lang))
        _subject_sheet(sheet, looks, told, subject, lang)
    _lines_sheet(book, looks, told, lang)
    book.close()


def _front(book: Any, looks: dict[str, Any], told: Disclosure, lang: Lang) -> None:
    sheet = new_sheet(book, text("UI_disclosure_key", lang))
    sheet.set_column(0, 0, 52)
    sheet.set_column(1, 1, 18)
    sheet.write_string(0, 0, text("UI_disclosure_title", lang, year=told.year), looks["title"])
    row = 1
    if told.synthetic:
        sheet.write_string(row, 0, text("UI_disclosure_synthetic", lang), looks["alarm"])
        row += 1
    row += 1
    for label, said in key_figures(told, lang):
        sheet.write_string(row, 0, label)
        _cell(sheet, row, 1, said, looks)
        row += 1
    notes = [text("UI_disclosure_lead", lang, year=told.year)]
    notes += text("UI_disclosure_rules", lang, least=told.least_units).split("\n") + left_out(told, lang)
    notes += [text("UI_disclosure_reconciled", lang, count=len(told.checks)), f"ratemod {version()}"]
    for note in notes:
        row += 1
        sheet.merge_range(row, 0, row, 5, note, looks["wrap"])
        sheet.set_row(row, 15 * (1 + len(note.encode()) // 130))


def _cell(sheet: Any, row: int, column: int, said: str, looks: dict[str, Any]) -> None:
    """Write a figure as a number, anything else as text: no cell can run as a formula."""
    plain = said.replace(",", "")
    share = plain.endswith("%")
    try:
        number = float(plain.removesuffix("%"))
    except ValueError:
        sheet.write_string(row, column, said, looks["cell"])
        return
    if share:
        sheet.write_string(row, column, said, looks["cell"])
    else:
        sheet.write_number(row, column, number, looks["money" if "." in plain else "count"])


def _block(sheet: Any, looks: dict[str, Any], row: int, title: str, heads: list[str], lines: list[list[str]]) -> int:
    """Write a titled table, its last line set apart; return the next free row."""
    sheet.write_string(row, 0, title, looks["title"])
    for at, head in enumerate(heads):
        sheet.write_string(row + 1, at, head, looks["head"])
    for down, line in enumerate(lines, row + 2):
        sheet.write_string(down, 0, line[0])
        for at, said in enumerate(line[1:], 1):
            _cell(sheet, down, at, said, looks)
    return row + len(lines) + 4


def _subject_sheet(sheet: Any, looks: dict[str, Any], told: Disclosure, subject: Subject, lang: Lang) -> None:
    tables, row = subject.tables, 0
    all_of = text("UI_disclosure_total", lang)
    measures = list(tables.values)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 14, 13)
    last = len(tables.keys) - 1
    for dim in dict.fromkeys(dim for face in tables.faces for dim in face):
        name = text(f"UI_dimension_{dim}", lang)
        lines = [
            [level_label(told, dim, code, lang), *(figure(subject, int(cell), item) for item in measures)]
            for code, cell in zip(tables.levels[dim], tables.inner((dim,)), strict=True)
        ]
        lines.append([all_of, *(figure(subject, last, item) for item in measures)])
        title = text("UI_disclosure_by", lang, what=text(f"UI_disclosure_{tables.name}", lang), dim=name)
        row = _block(sheet, looks, row, title, [name, *(measure_label(item, lang) for item in measures)], lines)
    for face in tables.faces:
        if len(face) == 2:
            across, down = face
            for item in measures:
                cells = matrix_of(subject, (down, across), item)
                labels = [*(level_label(told, down, code, lang) for code in tables.levels[down]), all_of]
                heads = [text(f"UI_dimension_{down}", lang)]
                heads += [*(level_label(told, across, code, lang) for code in tables.levels[across]), all_of]
                title = f"{measure_label(item, lang)}: {heads[0]} × {text(f'UI_dimension_{across}', lang)}"
                lines = [[label, *line] for label, line in zip(labels, cells, strict=True)]
                row = _block(sheet, looks, row, title, heads, lines)


def _lines_sheet(book: Any, looks: dict[str, Any], told: Disclosure, lang: Lang) -> None:
    sheet = new_sheet(book, text("UI_disclosure_fund", lang))
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 8, 15)
    insurer, all_of = text("UI_dimension_insurer", lang), text("UI_disclosure_total", lang)

    def label(code: str) -> str:
        return level_label(told, "insurer", code, lang) if code else all_of

    lines = [
        [
            label(line.insurer),
            *fund_cells(line),
        ]
        for line in told.fund
    ]
    heads = [insurer, *(measure_label(name, lang) for name in FUND_MEASURES)]
    row = _block(sheet, looks, 0, text("UI_disclosure_fund", lang), heads, lines)
    if told.service:
        heads = [insurer, *(measure_label(name, lang) for name in SERVICE_MEASURES)]
        lines = [[label(line.insurer), *service_cells(line)] for line in told.service]
        row = _block(sheet, looks, row, text("UI_disclosure_evaluation", lang), heads, lines)
    heads = [text(f"UI_disclosure_{name}", lang) for name in ("table", "rows_in", "rows_used")]
    rows = [[noun, f"{read:,}", f"{used:,}"] for noun, (read, used, _) in told.tables.items()]
    row = _block(sheet, looks, row, text("UI_disclosure_sources", lang), heads, rows)
    for noun, (_, _, digest) in told.tables.items():
        sheet.write_string(row, 0, noun)
        sheet.write_string(row, 1, digest)
        row += 1
