"""Which columns of a rated book people see, under which header, in which look; shared by the workbook and the CSV."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.document.csv_file import amounts
from ratemod.errors import Lang, text
from ratemod.money import rounded
from ratemod.plan.op.judgement import Judgement
from ratemod.plan.op.limits import Cap
from ratemod.rating.find import name_column
from ratemod.rating.verdict import REFUSED
from ratemod.reading.added import RESULTS
from ratemod.reading.arrow import to_arrow
from ratemod.reading.units import unit_word

if TYPE_CHECKING:
    from ratemod.plan.model import Plan
    from ratemod.rating.rated import Rated

Look = Literal["text", "said", "state", "number", "whole", "money", "factor", "share", "percent", "date"]

PRICED, UNPRICED = ("rated", "referred"), ("refused", "declined")
EXPIRING = "expiring_premium_yuan"
_OWN_WORD = re.compile(r"[a-z][a-z0-9_]+")  # of the program, not of people
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


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
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
    leads : bool
        Says who a row is or what became of it: what goes on paper.
    """

    name: str
    header: str
    look: Look
    values: pa.ChunkedArray
    computed: bool = False
    leads: bool = False


def priced_view(rated: Rated, lang: Lang, states: Sequence[str] = PRICED) -> tuple[Shown, ...]:
    """Return the priced rows of some states: who it is, the result, the steps, then what else the book says.

    Row, key and name of the insured; premium, its change against the expiring one, fund, status, what bound, notes;
    the steps, a factor that an underwriter may judge first; the edition; the other columns of the book.
    """
    plan, table = rated.plan, rated.table
    result = [_amount(rated, "premium_fen", "premium_yuan", lang), *_change(rated, lang)]
    if plan.fund and "fund_fen" in table.column_names:
        result.append(_amount(rated, "fund_fen", "fund_yuan", lang))
    result.append(_result(rated, "status", "status", "state", lang))
    result += [_result(rated, name, name, "said", lang) for name in ("bounds", "notes")]
    steps = [
        Shown(
            name=name,
            header=_step_header(plan, name, lang),
            look=_step_look(plan, name),
            values=table[name],
            computed=True,
        )
        for name in sorted(plan.step_names, key=lambda name: not isinstance(plan.step(name).operation, Judgement))
        if name in table.column_names and name not in (plan.premium, plan.fund)
    ]
    edition = _result(rated, "plan", "plan", "text", lang)
    who, rest = _who_first(rated, lang)
    leading = [replace(one, leads=True) for one in (*places(rated, lang), *who, *result)]
    return _only((*leading, *steps, edition, *rest), _in(rated, states))


def refused_view(rated: Rated, lang: Lang, states: Sequence[str] = UNPRICED) -> tuple[Shown, ...]:
    """Return the rows of some states without a premium: row, status, code, reason, suggestion, who, then the rest."""
    said = [_result(rated, "status", "status", "state", lang), _result(rated, "code", "code", "text", lang)]
    said.append(_result(rated, "reason", "reason", "said", lang))
    fixes = pa.chunked_array([suggestions(rated, lang)])
    advice = Shown(name="suggestion", header=text("UI_suggestion", lang), look="said", values=fixes)
    who, rest = _who_first(rated, lang)
    leading = [replace(one, leads=True) for one in (*places(rated, lang), *said, advice, *who)]
    return _only((*leading, *rest), _in(rated, states))


def _in(rated: Rated, states: Sequence[str]) -> pa.Array:
    """Return which rows are in some states: (n,) bool."""
    status = rated.table["status"].cast(pa.string())
    return pc.is_in(status, value_set=pa.array(states)).combine_chunks()


def _change(rated: Rated, lang: Lang) -> list[Shown]:
    """Return by how much each premium differs from the expiring one that the plan holds it to, if it knows one."""
    numbers = rated.coding.inputs.numbers
    against = [step.operation.against for step in rated.plan.steps if isinstance(step.operation, Cap)]
    was = next((numbers[name] for name in (*against, EXPIRING) if name in numbers), None)
    if was is None:
        return []
    expiring = was * 10.0**rated.plan.money.decimals
    known = np.isfinite(expiring) & (expiring > 0) & (rated.verdict.status < REFUSED)
    change = np.full(len(was), np.nan)
    np.divide(rated.outputs.premium_fen, expiring, out=change, where=known)
    values = pa.chunked_array([pa.array(rounded(change - 1, 4), mask=~known)])
    header = text("UI_premium_change", lang)
    return [Shown(name="change", header=header, look="percent", values=values, computed=True)]


def _who_first(rated: Rated, lang: Lang) -> tuple[list[Shown], list[Shown]]:
    """Return the book's columns that say who a row is, key and name, and all others."""
    shown = _book_columns(rated, lang)
    leading = [name for name in (rated.plan.key, name_column(rated)) if name is not None]
    who = [one for name in leading for one in shown if one.name == name]
    return who, [one for one in shown if one.name not in leading]


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
    numbers = pa.chunked_array([to_arrow(book.numbers.astype(np.int64))])
    row = Shown(name="row", header=text("UI_row", lang), look="whole", values=numbers)
    sources = book.sources()
    if sources is None:
        return [row]
    tables = pa.chunked_array([sources])
    return [Shown(name="table", header=text("UI_table_of_row", lang), look="text", values=tables), row]


def _result(rated: Rated, name: str, label: str, look: Look, lang: Lang) -> Shown:
    values = rated.table[name]
    if name == "status":
        values = _words(values, lambda value: state_words(value, lang))
    elif name == "bounds":
        values = _words(values, lambda value: bounds_words(value, rated.plan, lang))
    return Shown(name=name, header=rated.plan.text(f"UI_{label}", lang), look=look, values=values)


def _amount(rated: Rated, name: str, label: str, lang: Lang) -> Shown:
    values = pa.chunked_array([amounts(chunk, rated.plan.money.decimals) for chunk in rated.table[name].chunks])
    return Shown(name=name, header=rated.plan.text(f"UI_{label}", lang), look="money", values=values)


def _words(values: pa.ChunkedArray, say: Callable[[str], str]) -> pa.ChunkedArray:
    """Return the words people read for codes; only distinct values are looked up."""
    coded = values.cast(pa.string()).combine_chunks().dictionary_encode()
    said = pa.array([say(value) for value in coded.dictionary.to_pylist()], pa.string())
    return pa.chunked_array([said.take(coded.indices)])


def state_words(state: str, lang: Lang) -> str:
    """Return what one of the four states of a row is called."""
    return text(f"UI_status_{state}", lang)


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
        Shown(
            name=name,
            header=_book_header(rated, name, lang),
            look=_book_look(rated, name),
            values=_book_cells(rated, name, lang),
        )
        for name in rated.table.column_names
        if name not in computed
    ]


def _book_cells(rated: Rated, name: str, lang: Lang) -> pa.ChunkedArray:
    """Return the cells as they were read, the program's own words for levels in those of people."""
    values, labels = rated.table[name], rated.plan.level_labels(name, lang) if name in rated.plan.columns else {}
    labels = {code: label for code, label in labels.items() if _OWN_WORD.fullmatch(code) and label != code}
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if not labels or not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return values
    return _words(values, lambda value: labels.get(value, value))


def _book_header(rated: Rated, name: str, lang: Lang) -> str:
    column = rated.plan.columns.get(name)
    header = column.label(lang) if column else name
    size = rated.book.conversions.get(name)  # the cells stand as they were read, so the header must say in what
    if column is None or size is None:
        return header
    unit = unit_word(size, column, lang)
    return f"{header} ({unit})" if lang == "en" else f"{header}（{unit}）"


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
        sign = plan.text(f"UI_unit_{unit}", lang)
        return header if _says(header, sign.strip(" ()（）")) else header + sign
    own = plan.units.get(unit or "")
    return header if own is None else f"{header}（{own.label(lang)}）"


def _says(header: str, unit: str) -> bool:
    """Return whether a header ends with a unit: a word of it in brackets, as 单元 is no amount in yuan."""
    bare = header.rstrip(")）")
    return bare.endswith(unit) and (bare != header or not unit[-1].isalpha())


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
