"""Which columns of a rated book people see, under which header, in which look; shared by the workbook and the CSV."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.document.csv_file import amounts
from ratemod.errors import Lang, text
from ratemod.reading.arrow import to_arrow

if TYPE_CHECKING:
    from ratemod.plan.model import Plan
    from ratemod.rating.rated import Rated

Look = Literal["text", "number", "whole", "money", "factor", "share", "date"]

RESULTS = ("premium_fen", "fund_fen", "status", "code", "reason", "bounds", "notes", "plan")
PRICED = ("rated", "referred")
# What a spreadsheet may take for the start of a formula; the full-width forms count in East Asian settings.
_PLAIN_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,14})?")
_STEP_LOOKS: Mapping[str, Look] = {
    "yuan": "money",
    "factor": "factor",
    "share": "share",
    "percent": "factor",
    "per_mille": "factor",
    "persons": "whole",
    "days": "whole",
    "months": "whole",
    "count": "whole",
}


@dataclass(frozen=True, eq=False, slots=True)
class Shown:
    """One column as people see it.

    Attributes
    ----------
    name : str
        As in the rated table.
    header : str
    look : Look
    values : (n,) pyarrow.ChunkedArray
        Dictionaries are decoded.
    computed : bool
        Floats that stand for decimals of at most 15 digits.
    """

    name: str
    header: str
    look: Look
    values: pa.ChunkedArray
    computed: bool = False


def is_priced(rated: Rated) -> pa.Array:
    """Return which rows have a premium: (n,) bool."""
    status = rated.table["status"].cast(pa.string())
    return pc.is_in(status, value_set=pa.array(PRICED)).combine_chunks()


def priced_view(rated: Rated, lang: Lang) -> tuple[Shown, ...]:
    """Return the priced rows: original row, the book's own columns, the result, then the steps and remarks."""
    plan, table, rows = rated.plan, rated.table, is_priced(rated)
    result = [_amount(rated, "premium_fen", "premium_yuan", lang)]
    if plan.fund and "fund_fen" in table.column_names:
        result.append(_amount(rated, "fund_fen", "fund_yuan", lang))
    result.append(_result(rated, "status", "status", "text", lang))
    steps = [
        Shown(name, _step_header(plan, name, lang), _step_look(plan, name), table[name], computed=True)
        for name in plan.step_names
        if name in table.column_names and name not in (plan.premium, plan.fund)
    ]
    remarks = [_result(rated, name, name, "text", lang) for name in ("bounds", "notes", "plan")]
    return _only((*places(rated, lang), *_book_columns(rated, lang), *result, *steps, *remarks), rows)


def refused_view(rated: Rated, lang: Lang) -> tuple[Shown, ...]:
    """Return the rows without a premium: original row, status, code, reason, suggestion, then the book's columns."""
    said = [_result(rated, name, name, "text", lang) for name in ("status", "code", "reason")]
    fixes = pa.chunked_array([suggestions(rated, lang)])
    advice = Shown("suggestion", text("UI_suggestion", lang), "text", fixes)
    shown = (*places(rated, lang), *said, advice, *_book_columns(rated, lang))
    return _only(shown, pc.invert(is_priced(rated)))


def suggestions(rated: Rated, lang: Lang) -> pa.Array:
    """Return how to mend each row: (n,) dictionary of string, null where nothing is wrong or there is no advice."""
    verdict = rated.verdict
    between = text("UI_semicolon", lang)
    fixes = [
        between.join(dict.fromkeys(fix for item in reasons if (fix := item.fix(lang)))) or None
        for reasons in verdict.reasons
    ]
    n = rated.table.num_rows
    which = verdict.reason_of if len(verdict.reason_of) == n else np.zeros(n, dtype=np.int32)
    return pa.array([None, *fixes], pa.string()).take(pa.array(which, pa.int32()))


def _only(shown: tuple[Shown, ...], rows: pa.Array) -> tuple[Shown, ...]:
    """Return the chosen rows of every column, dictionaries decoded."""
    kept = []
    for column in shown:
        values = column.values.filter(rows)
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        kept.append(replace(column, values=values))
    return tuple(kept)


def places(rated: Rated, lang: Lang) -> list[Shown]:
    """Return where each row stood: its table where the book was read from several, and the number of its row."""
    book = rated.book
    row = Shown("row", text("UI_row", lang), "whole", pa.chunked_array([to_arrow(book.numbers.astype(np.int64))]))
    sources = book.sources()
    if sources is None:
        return [row]
    return [Shown("table", text("UI_table_of_row", lang), "text", pa.chunked_array([sources])), row]


def _result(rated: Rated, name: str, label: str, look: Look, lang: Lang) -> Shown:
    values = rated.table[name]
    if name == "status":
        values = _words(values, lambda value: text(f"UI_status_{value}", lang))
    elif name == "bounds":
        values = _words(values, lambda value: bounds_words(value, rated.plan, lang))
    return Shown(name, rated.plan.text(f"UI_{label}", lang), look, values)


def _amount(rated: Rated, name: str, label: str, lang: Lang) -> Shown:
    values = pa.chunked_array([amounts(chunk, rated.plan.money.decimals) for chunk in rated.table[name].chunks])
    return Shown(name, rated.plan.text(f"UI_{label}", lang), "money", values)


def _words(values: pa.ChunkedArray, say: Callable[[str], str]) -> pa.ChunkedArray:
    """Return the words people read for codes; only distinct values are looked up."""
    coded = values.cast(pa.string()).combine_chunks().dictionary_encode()
    said = pa.array([say(value) for value in coded.dictionary.to_pylist()], pa.string())
    return pa.chunked_array([said.take(coded.indices)])


def bounds_words(bounds: str, plan: Plan, lang: Lang) -> str:
    """Return recorded bounds in words: ``"cap:low"`` becomes the step's label and which end held."""
    said = []
    for part in bounds.split(";"):
        name, _, end = part.partition(":")
        said.append(text(f"UI_bound_{end}", lang, step=plan.label(name, lang)) if end in ("low", "high") else part)
    return text("UI_semicolon", lang).join(said)


def _book_columns(rated: Rated, lang: Lang) -> list[Shown]:
    computed = {*RESULTS, *rated.plan.step_names}
    return [
        Shown(name, _book_header(rated, name, lang), _book_look(rated, name), rated.table[name])
        for name in rated.table.column_names
        if name not in computed
    ]


def _book_header(rated: Rated, name: str, lang: Lang) -> str:
    column = rated.plan.columns.get(name)
    header = column.label(lang) if column else name
    unit = rated.book.conversions.get(name)  # the cells stand as they were read, so the header must say in what
    return f"{header}（{unit}）" if unit else header


def _book_look(rated: Rated, name: str) -> Look:
    column = rated.plan.columns.get(name)
    kind = rated.table.schema.field(name).type
    if column is not None and column.kind == "number":
        if name in rated.book.conversions or column.unit not in ("yuan", "persons"):
            return "number"
        return "whole" if column.decimals == 0 else "money"
    if pa.types.is_temporal(kind) or (column is not None and column.kind == "date"):
        return "date"
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return "number" if numeric else "text"


def _step_look(plan: Plan, name: str) -> Look:
    return _STEP_LOOKS.get(plan.step(name).unit or "", "number")


def _step_header(plan: Plan, name: str, lang: Lang) -> str:
    header, unit = plan.label(name, lang), plan.step(name).unit
    if unit in ("yuan", "percent", "per_mille"):
        return header + plan.text(f"UI_unit_{unit}", lang)
    own = plan.units.get(unit or "")
    return header if own is None else f"{header}（{own.label(lang)}）"


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
