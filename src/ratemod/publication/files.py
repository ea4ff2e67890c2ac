"""The yearly disclosure as files: page, workbook, and a folder of CSV and Parquet for programs; whole or not at all."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ratemod.document.files import write_document, write_frame
from ratemod.errors import BookError, Lang, problem, text
from ratemod.publication.fund import FUND_MEASURES
from ratemod.publication.page import SERVICE_MEASURES, disclosure_document
from ratemod.publication.words import level_label, published, rounded_rows
from ratemod.publication.year import Subject
from ratemod.rating.target import check_folder, check_target
from ratemod.rules.number import shifted

if TYPE_CHECKING:
    from ratemod.publication.disclosure import Disclosure

DIMENSIONS = ("sector", "division", "insurer", "cause", "state", "injury")
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
    return check_folder(target)


def write_disclosure(told: Disclosure, path: str | Path, lang: Lang) -> list[Path]:
    """Write a disclosure as the path says; return the files written.

    Raises
    ------
    BookError
        Those of `check_disclosure_target` and `whole_file`.
    """
    target = check_disclosure_target(path)
    if target.suffix:
        other: Lang = "en" if lang == "zh" else "zh"
        return [write_document([disclosure_document(told, one) for one in (lang, other)], target)]
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
                value = shifted(Decimal(published(whole)), -2) if money else Decimal(whole)
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
            name.replace("_fen", "_10000_yuan"): None if amount is None else shifted(Decimal(published(amount)), -2)
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
    """Return the source tables with rows, to the nearest ten, and digests."""
    rows = [
        {
            "table": noun,
            "rows_read": rounded_rows(read),
            "rows_used": rounded_rows(used),
            "sha256": digest,
            "synthetic": told.synthetic,
        }
        for noun, (read, used, digest) in told.tables.items()
    ]
    fields = [("table", pa.string()), ("rows_read", pa.int64()), ("rows_used", pa.int64()), ("sha256", pa.string())]
    return _table(rows, [*fields, ("synthetic", pa.bool_())])
