"""Which columns of a rated book people see, under which header, in which look; shared by the workbook and the CSV."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.errors import Lang, catalogue, text

if TYPE_CHECKING:
    from ratemod.plan.model import Plan
    from ratemod.rating.rated import Rated

Look = Literal["text", "number", "whole", "money", "fen", "factor", "share", "date"]

RESULTS = ("premium_fen", "fund_fen", "status", "code", "reason", "bounds", "notes", "plan")
PRICED = ("rated", "referred")
# What a spreadsheet may take for the start of a formula; the full-width forms count in East Asian settings.
FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"
_PLAIN_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,14})?")
_STEP_LOOKS: Mapping[str, Look] = {
    "yuan": "money", "factor": "factor", "share": "share", "per_mille": "factor",
    "persons": "whole", "days": "whole", "months": "whole", "count": "whole",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One column as people see it: its name in the table, its header, its look."""

    name: str
    header: str
    look: Look


def row_numbers(rated: Rated) -> pa.Array:
    """Return the original row number of every row: (n,) int64, 1-based, as the file or sheet counts."""
    rows = rated.book.rows
    return pa.array(np.arange(1, rated.table.num_rows + 1) if rows is None else rows, pa.int64())


def is_priced(rated: Rated) -> pa.Array:
    """Return which rows have a premium: (n,) bool."""
    status = rated.table["status"].cast(pa.string())
    return pc.is_in(status, value_set=pa.array(PRICED))


def priced_view(rated: Rated, lang: Lang) -> tuple[pa.Table, tuple[Shown, ...]]:
    """Return the priced rows and their columns: the book's own, then the result, then its steps."""
    plan, table = rated.plan, rated.table
    own = _book_columns(rated, lang)
    steps = [Shown(name, _header(plan, name, lang), _STEP_LOOKS.get(plan.step(name).unit or "", "number"))
             for name in plan.step_names
             if name in table.column_names and name not in (plan.premium, plan.fund)]
    result = [Shown("premium_fen", text("UI_premium_yuan", lang), "fen")]
    if "fund_fen" in table.column_names and plan.fund:
        result.append(Shown("fund_fen", text("UI_fund_yuan", lang), "fen"))
    result.append(Shown("status", text("UI_status", lang), "text"))
    trail = [Shown(name, text(f"UI_{name}", lang), "text") for name in ("bounds", "notes", "plan")
             if name in table.column_names]
    number = Shown("row", text("UI_row", lang), "whole")
    shown = (number, *own, *result, *steps, *trail)
    picked = _with_words(table.append_column("row", row_numbers(rated)), rated, lang).filter(is_priced(rated))
    return picked.select([column.name for column in shown]), shown


def refused_view(rated: Rated, lang: Lang) -> tuple[pa.Table, tuple[Shown, ...]]:
    """Return the rows without a premium: original row, status, code, reason, suggestion, then the book's columns."""
    table = _with_words(rated.table.append_column("row", row_numbers(rated)), rated, lang)
    table = table.filter(pc.invert(is_priced(rated)))
    fixes = suggestions(rated, lang)
    given = zip(table["code"].to_pylist(), table["reason"].to_pylist())
    mended = [fixes.get((code, reason)) or plain_fix(code, lang) for code, reason in given]
    table = table.append_column("suggestion", pa.array(mended, pa.string()))
    lead = [Shown("row", text("UI_row", lang), "whole"),
            *(Shown(name, text(f"UI_{name}", lang), "text") for name in ("status", "code", "reason", "suggestion"))]
    shown = (*lead, *_book_columns(rated, lang))
    return table.select([column.name for column in shown]), shown


def suggestions(rated: Rated, lang: Lang) -> dict[tuple[str, str], str]:
    """Return how to mend each refusal, by its code and reason."""
    return {(item.code, item.what(lang)): item.fix(lang) for item in rated.problems if item.code in catalogue()}


def plain_fix(code: str | None, lang: Lang) -> str | None:
    """Return the advice of a code where it needs no particulars."""
    advice = catalogue().get(code or "", {}).get(f"fix_{lang}", "")
    return advice if advice and "{" not in advice else None


def bounds_words(bounds: str, plan: Plan, lang: Lang) -> str:
    """Return recorded bounds in words: ``"cap:low"`` becomes the step's label and which end held."""
    said = []
    for part in bounds.split(";"):
        name, _, end = part.partition(":")
        said.append(text(f"UI_bound_{end}", lang, step=plan.label(name, lang)) if end in ("low", "high") else part)
    return text("UI_semicolon", lang).join(said)


def _with_words(table: pa.Table, rated: Rated, lang: Lang) -> pa.Table:
    """Put the words people read for statuses and bounds; only distinct values are looked up."""
    words: dict[str, Any] = {
        "status": lambda value: text(f"UI_status_{value}", lang),
        "bounds": lambda value: bounds_words(value, rated.plan, lang),
    }
    for name, say in words.items():
        if name in table.column_names:
            coded = table[name].combine_chunks().cast(pa.string()).dictionary_encode()
            said = pa.array([say(value) for value in coded.dictionary.to_pylist()], pa.string())
            decoded = pa.DictionaryArray.from_arrays(coded.indices, said)
            table = table.set_column(table.column_names.index(name), name, decoded)
    return table


def _book_columns(rated: Rated, lang: Lang) -> list[Shown]:
    computed = {*RESULTS, *rated.plan.step_names}
    return [Shown(name, _book_header(rated, name, lang), _book_look(rated, name))
            for name in rated.table.column_names if name not in computed or name in rated.book.table.column_names]


def _book_header(rated: Rated, name: str, lang: Lang) -> str:
    column = rated.plan.columns.get(name)
    header = column.label(lang) if column else name
    unit = rated.book.conversions.get(name)  # the cells stand as they were read, so the header must say in what
    return f"{header}（{unit}）" if unit else header


def _book_look(rated: Rated, name: str) -> Look:
    column = rated.plan.columns.get(name)
    kind = rated.table.schema.field(name).type
    if column is not None and column.kind == "number":
        plain = column.decimals == 0 and name not in rated.book.conversions and column.unit in ("yuan", "persons")
        return "whole" if plain else "number"
    if pa.types.is_temporal(kind) or (column is not None and column.kind == "date"):
        return "date"
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return "number" if numeric else "text"


def _header(plan: Plan, name: str, lang: Lang) -> str:
    header, unit = plan.label(name, lang), plan.step(name).unit
    if unit in ("yuan", "per_mille"):
        return header + text(f"UI_unit_{unit}", lang)
    return header


def safe_text(value: str) -> str:
    """Return text that no spreadsheet runs when it opens a CSV: an apostrophe goes before a formula's start.

    Source: OWASP, "CSV Injection".

    Examples
    --------
    >>> safe_text("=1+1"), safe_text("张三")
    ("'=1+1", '张三')
    """
    return f"'{value}" if value[:1] and value[0] in FORMULA_STARTS else value


def as_number(value: str) -> float | None:
    """Return a plainly written number of at most 15 digits, which a spreadsheet holds exactly; else None.

    Examples
    --------
    >>> as_number("35"), as_number("0035"), as_number("1,200人")
    (35.0, None, None)
    """
    if not _PLAIN_NUMBER.fullmatch(value) or sum(map(str.isdigit, value)) > 15:
        return None
    return float(value)


def as_day(value: Any) -> date | None:
    """Return a date that Excel can hold (1900-03-01 or later), from a date or ISO text; else None."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            return None
    plain = date(value.year, value.month, value.day) if isinstance(value, date) else None
    return plain if plain is not None and plain >= date(1900, 3, 1) else None
