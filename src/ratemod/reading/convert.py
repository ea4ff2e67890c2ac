"""One column's cells in their normal form, with a problem for every cell that has none.

What is accepted becomes, before anything else sees it, the declared decimal (`decimals`), a day of the calendar
(`dates`), a level's code, or text without what cannot be seen; an identifier its canonical form (`identifiers`). The
verdict on a cell depends on what it says alone: not on its type (`plain`), nor on the other cells of its column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.errors import Problem, nearest_of, problem
from ratemod.reading.arrow import to_arrow
from ratemod.reading.dates import FIRST_DAY, LAST_DAY, excel_day, parse_date
from ratemod.reading.decimals import all_on_decimals, on_decimals
from ratemod.reading.examples import example_cells
from ratemod.reading.identifiers import (
    Identity,
    formulas,
    identity_of,
    keys,
    lost_digits,
    plainly_written,
    unreadable,
    wrong_codes,
)
from ratemod.reading.numbers import parse_number
from ratemod.reading.plain import one_chunk, plain, valid
from ratemod.rules.options import strict
from ratemod.vocabulary.column import Column, Level
from ratemod.vocabulary.currency import other_money
from ratemod.vocabulary.spelling import is_blank, one_name, same_level, visible

MISSING_DATE = -(2**31)
AT_ONCE = 65_536
LONGEST_SHOWN = 60
MOST_LEVELS = 12  # that a message lists
EACH = ("每人", "人均", "per_person", "per person", "per head")  # what the name of an amount a head holds


@dataclass(frozen=True, eq=False, slots=True)
class Coded:
    """A converted column.

    Attributes
    ----------
    values : (n,) float64 or whole numbers, level codes, or int32 days; a pyarrow string array for text
        NaN, -1 or `MISSING_DATE` where missing or refused, null in text.
    problem_of : (n,) int32 or None
        0 where a cell is fine, k where it has ``problems[k - 1]``; None where every cell is fine.
    problems : tuple of Problem
        Each kind of wrong cell once.
    """

    values: Any
    problem_of: npt.NDArray[np.int32] | None
    problems: tuple[Problem, ...]


@dataclass(eq=False)
class Refusals:
    """Problems found so far in one column."""

    column: Column
    found: dict[tuple[Any, ...], Problem] = field(default_factory=dict)
    places: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def number(self, code: str, **args: Any) -> int:
        """Return the number of a problem, new or known."""
        if isinstance(args.get("value"), str) and len(args["value"]) > LONGEST_SHOWN:
            args["value"] = args["value"][:LONGEST_SHOWN] + "…"
        key = (code, *args.values())
        if key not in self.places:
            told = problem(code, column=self.column.name, label=self.column.label("zh"), **args)
            self.found[key] = told
            self.places[key] = len(self.found)
        return self.places[key]


@strict
def convert(
    array: pa.ChunkedArray | pa.Array,
    column: Column,
    hint: Decimal | None = None,
    identity: Identity | None = None,
) -> Coded:
    """Return a column's cells as the engine computes with them.

    Parameters
    ----------
    array : Arrow array of any type
    column : Column
        What is declared: levels, range, decimals.
    hint : Decimal, optional
        What a bare number multiplies by, from the header.
    identity : "key", "credit_code" or "industry_code", optional
        What rows are found or joined by; default: what the column's name says.

    Returns
    -------
    Coded
        Codes: RM201 empty, RM202 unknown level, RM203 not a number, RM204 outside the range, RM205 too many decimals,
        RM206 not a date, RM207 an identifier spoilt by a spreadsheet, RM282 a type of which nothing can be made,
        RM283 a number too long to be held exactly, RM285 no industry code, RM286 a day outside the calendar.
    """
    found, refusals = plain(array), Refusals(column)
    coded = _converted(found.cells, refusals, hint, identity or identity_of(column))
    if found.refused is None or not found.refused.any():
        return coded
    which = np.zeros(len(found.cells), dtype=np.int32) if coded.problem_of is None else coded.problem_of.copy()
    which[found.refused] = refusals.number("RM282", kind=found.kind)
    return _coded(coded.values, which, refusals)


def value_of(text: str, column: Column) -> tuple[Any, Problem | None]:
    """Return what a cell with this text means in a column, and what is wrong with it: the door for values of a plan.

    Returns
    -------
    object
        A float, a code, days since 1970-01-01 or a text.
    Problem or None

    Examples
    --------
    >>> value_of("1,000", Column("heads", "number", high=Decimal(500)))[1].code
    'RM204'
    """
    coded = convert(pa.array([text], pa.string()), column)
    value = coded.values[0]
    return (
        value.as_py() if isinstance(value, pa.Scalar) else value.item(),
        None if coded.problem_of is None else coded.problems[coded.problem_of[0] - 1],
    )


def _converted(whole: pa.Array, refusals: Refusals, hint: Decimal | None, identity: Identity | None) -> Coded:
    column = refusals.column
    if pa.types.is_float16(whole.type) and column.kind != "number":  # which not every version can tell apart
        whole = whole.cast(pa.float32())
    kind = whole.type
    if column.kind != "date" and (pa.types.is_date(kind) or pa.types.is_timestamp(kind)):
        whole = _days_as_text(whole)
    if column.kind == "text":
        return _text(whole, refusals, identity)
    if column.kind == "number" and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return _numeric(whole, refusals, hint)
    if column.kind == "date" and (pa.types.is_date(kind) or pa.types.is_timestamp(kind)):
        return _days(whole, refusals)
    return _by_unique(whole, refusals, hint)


def _raw(whole: pa.Array) -> npt.NDArray[Any]:
    """Return a numeric array without nulls as it lies in memory."""
    kind = np.float16 if pa.types.is_float16(whole.type) else whole.type.to_pandas_dtype()
    return np.frombuffer(whole.buffers()[1], dtype=kind, count=len(whole) + whole.offset)[whole.offset :]


def nan_unless(valid: npt.NDArray[np.bool_], values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return values with NaN where they are not valid, by setting all bits there: a fifth of the cost of `numpy.where`.

    Examples
    --------
    >>> nan_unless(np.array([True, False]), np.array([1.5, 2.5])).tolist()
    [1.5, nan]
    """
    bits = valid.view(np.int8).astype(np.int64)
    bits -= 1
    bits |= values.view(np.int64)
    return bits.view(np.float64)


def _coded(values: Any, which: npt.NDArray[np.int32] | None, refusals: Refusals) -> Coded:
    """Return a converted column; problems that no row has are not told."""
    if which is None or not which.any():
        return Coded(values, None, ())
    told = tuple(refusals.found.values())
    used = np.bincount(which, minlength=len(told) + 1)[1:] > 0
    place = np.concatenate([[0], np.cumsum(used)]).astype(np.int32)
    return Coded(values, place[which], tuple(item for item, kept in zip(told, used.tolist()) if kept))


def _needed(column: Column) -> bool:
    return not column.optional and column.default is None


def _numeric(whole: pa.Array, refusals: Refusals, hint: Decimal | None) -> Coded:
    """Convert whole numbers and floats."""
    column, raw = refusals.column, _raw(whole)
    if pa.types.is_integer(whole.type):
        if hint is None and not whole.null_count and _all_within(raw, column):
            return Coded(raw, None, ())
        raw = raw.astype(np.float64)
    values = raw if hint is None else raw.astype(np.float64) * float(hint)
    if whole.null_count:
        known = valid(whole)
        wide = values.dtype == np.float64
        values = nan_unless(known, values) if wide else np.where(known, values, values.dtype.type(np.nan))
    return _within(values, refusals)


def _all_within(values: npt.NDArray[Any], column: Column) -> bool:
    """Return whether every whole number lies in the permitted range, and can be held exactly."""
    if not len(values):
        return True
    low, high = int(values.min()), int(values.max())
    most = 2**53 // 10**column.decimals
    if max(-low, high) > most:
        return False
    return (column.low is None or low >= column.low) and (column.high is None or high <= column.high)


def _ends(column: Column) -> tuple[float, float]:
    """Return the permitted range as floats."""
    return (
        -np.inf if column.low is None else float(column.low),
        np.inf if column.high is None else float(column.high),
    )


def _within(values: npt.NDArray[Any], refusals: Refusals) -> Coded:
    """Put floats on their decimals; check range and presence."""
    column = refusals.column
    low, high = _ends(column)
    which = np.zeros(len(values), dtype=np.int32)
    found = values if values.dtype == np.float64 else values.astype(np.float64)
    scratch = np.empty((2, min(len(values), AT_ONCE)))
    for start in range(0, len(values), AT_ONCE):  # in blocks that stay in cache: most books have nothing wrong
        part = values[start : start + AT_ONCE]
        rows = slice(start, start + len(part))
        least, most = _extremes(part)
        plain_floats = part.dtype == np.float64
        if not (plain_floats and all_on_decimals(part, column.decimals, max(-least, most), scratch[:, : len(part)])):
            snapped, odd, lost = on_decimals(part, column.decimals)
            if found is values:
                found = values.copy()
            found[rows] = snapped
            for at in np.flatnonzero(odd | lost).tolist():
                which[start + at] = _odd_number(part[at].item(), bool(lost[at]), refusals)
            least, most = _extremes(found[rows])
        part = found[rows]
        if not (least >= low and most <= high):
            if found is values:
                found = values.copy()
                part = found[rows]
            for at in np.flatnonzero((part < low) | (part > high)).tolist():
                which[start + at] = _outside(f"{part[at]:.15g}", refusals)
                part[at] = np.nan
        if _needed(column):
            none = np.flatnonzero(np.isnan(part) & (which[rows] == 0))
            if len(none):
                which[none + start] = refusals.number("RM201")
    return _coded(found, which, refusals)


def _extremes(values: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the least and the largest number, inf and -inf where there is none."""
    with np.errstate(invalid="ignore"):
        return float(np.fmin.reduce(values, initial=np.inf)), float(np.fmax.reduce(values, initial=-np.inf))


def _odd_number(value: float, lost: bool, refusals: Refusals) -> int:
    """Return the number of the problem of a float that is no declared decimal."""
    column, shown = refusals.column, f"{value:.15g}"
    if not np.isfinite(value) and column.low is None and column.high is None:
        return refusals.number("RM203", value=shown)
    low, high = _ends(column)
    if not low <= value <= high:
        return _outside(shown, refusals)
    if lost:
        return refusals.number("RM283", value=shown)
    return refusals.number("RM205", value=repr(value), decimals=column.decimals)


def _outside(shown: str, refusals: Refusals) -> int:
    return refusals.number("RM204", value=shown, low=refusals.column.low, high=refusals.column.high)


def _days(whole: pa.Array, refusals: Refusals) -> Coded:
    """Convert Arrow dates, and timestamps at the beginning or, as 23:59, at the end of a day."""
    missing = ~valid(whole)
    if pa.types.is_date32(whole.type) and len(whole) and not (missing.any() and _needed(refusals.column)):
        days = _raw(whole.view(pa.int32()))
        known = np.where(missing, np.int32(FIRST_DAY), days) if whole.null_count else days
        if known.min() >= FIRST_DAY and known.max() <= LAST_DAY:  # most columns: nothing beyond the calendar
            return Coded(np.where(missing, np.int32(MISSING_DATE), days) if whole.null_count else days, None, ())
    if pa.types.is_timestamp(whole.type) and whole.type.tz is not None:
        whole = _local(whole)
    ticks = _raw(whole.view(pa.int32() if pa.types.is_date32(whole.type) else pa.int64()))
    if pa.types.is_date32(whole.type):
        days, odd = ticks.astype(np.int64), np.zeros(len(whole), dtype=bool)
    else:
        a_day = 86_400 * {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[_unit(whole.type)]
        days, rest = np.divmod(ticks.astype(np.int64), a_day)
        minute = a_day // 1_440  # the last minute of a day is its end, as in `ratemod.reading.dates`
        ends = (rest == a_day - minute) | (rest >= a_day - minute // 60)
        odd = (rest != 0) & ~ends
        days += ends & (not refusals.column.covered)
    which = np.zeros(len(whole), dtype=np.int32)
    far = (days < FIRST_DAY) | (days > LAST_DAY)
    wrong = np.flatnonzero((odd | far) & ~missing)
    if len(wrong):  # each moment by its own name, so that a message does not depend on which rows were read together
        _, first, inverse = np.unique(ticks[wrong], return_index=True, return_inverse=True)
        numbers = [
            refusals.number("RM286" if far[at] else "RM206", value=_moment(whole[at], int(days[at])))
            for at in wrong[first].tolist()
        ]
        which[wrong] = np.array(numbers, dtype=np.int32)[inverse]
    if missing.any() and _needed(refusals.column):
        which[missing] = refusals.number("RM201")
    values = np.where(missing | (which > 0), MISSING_DATE, days).astype(np.int32)
    return _coded(values, which, refusals)


def _unit(kind: pa.DataType) -> str:
    return "ms" if pa.types.is_date(kind) else str(kind.unit)


def _local(whole: pa.Array) -> pa.Array:
    """Return moments of a time zone as the clock showed where they were written, not in Greenwich."""
    try:
        return pc.local_timestamp(whole)
    except pa.ArrowInvalid:  # a zone that this machine does not know: its moments are refused unless they are midnight
        return whole.cast(pa.timestamp(whole.type.unit))


def _moment(value: pa.Scalar, days: int) -> str:
    """Return a moment as text; one beyond Python's calendar by its days since 1970."""
    try:
        return str(value)
    except (ValueError, OverflowError):
        return f"1970-01-01 {days:+d} d"


def _days_as_text(whole: pa.Array) -> pa.Array:
    """Return days and moments as people write them."""
    if not pa.types.is_date32(whole.type):
        whole = whole.view(pa.timestamp(_unit(whole.type)))
    return pc.replace_substring_regex(whole.cast(pa.string()), " 00:00:00(\\.0+)?$", "")


def _text(whole: pa.Array, refusals: Refusals, identity: Identity | None) -> Coded:
    """Convert text: an identifier to its canonical form, words to what can be seen of them; an error is neither."""
    if identity and identity != "industry_code" and plainly_written(whole):
        return Coded(whole, None, ())
    which = np.zeros(len(whole), dtype=np.int32)
    texts = keys(whole) if identity else words(whole)
    if refusals.column.identity == "name":
        texts = _names(texts)
    if pa.types.is_floating(whole.type) or identity:
        spoilt = lost_digits(whole)
        if spoilt.any():
            which[spoilt] = refusals.number("RM207")
    for at in np.flatnonzero(unreadable(texts) | formulas(texts) if identity else unreadable(texts)).tolist():
        which[at] = which[at] or refusals.number("RM294", value=texts[at].as_py())
    for at in np.flatnonzero(example_cells(texts, alone=False)).tolist():
        which[at] = which[at] or refusals.number("RM324", value=texts[at].as_py())
    if identity == "industry_code":
        for at, (code, near) in wrong_codes(texts).items():
            which[at] = which[at] or refusals.number("RM285", value=code, nearest=near)
    if texts.null_count and _needed(refusals.column):
        empty = ~valid(texts) & (which == 0)
        if empty.any():
            which[empty] = refusals.number("RM201")
    return _coded(texts, which, refusals)


def words(whole: pa.Array) -> pa.Array:
    """Return texts without what cannot be seen, null where nothing is left or only a stroke for nothing.

    A dictionary of texts stays one.
    """
    if pa.types.is_dictionary(whole.type):
        texts = words(whole.dictionary)
        return whole if texts is whole.dictionary else pa.DictionaryArray.from_arrays(whole.indices, texts)
    if pa.types.is_string(whole.type) or pa.types.is_large_string(whole.type):
        trimmed = pc.binary_length(pc.utf8_trim_whitespace(whole))
        least = to_arrow(np.array([4]))[0].cast(trimmed.type)  # a plain number would load pandas
        short = pc.or_(pc.not_equal(trimmed, pc.binary_length(whole)), pc.less(trimmed, least))
        odd = pc.or_(short, pc.match_substring_regex(whole, "[\u200b-\u200f\u2060\ufeff\u00ad]"))
        if not pc.any(odd).as_py():
            return whole
    coded = whole.dictionary_encode()
    seen = [visible(_plain(value)) for value in coded.dictionary.to_pylist()]
    return pa.array([one if one.strip("-—/\\") else None for one in seen], pa.string()).take(coded.indices)


def _names(texts: pa.Array) -> pa.Array:
    """Return names in their one form; a dictionary of texts stays one."""
    coded = texts if pa.types.is_dictionary(texts.type) else texts.dictionary_encode()
    said = coded.dictionary.to_pylist()
    forms = [None if name is None else one_name(name) for name in said]
    if forms == said:
        return texts
    found = pa.array(forms, pa.string()).take(coded.indices)
    return found.dictionary_encode() if pa.types.is_dictionary(texts.type) else found


def _by_unique(whole: pa.Array, refusals: Refusals, hint: Decimal | None) -> Coded:
    """Convert each different value once, in plain Python, and spread the result."""
    coded = whole if pa.types.is_dictionary(whole.type) else one_chunk(pc.dictionary_encode(whole))
    column = refusals.column
    plain = _plainly_written(coded.dictionary, column) if column.kind == "number" and hint is None else None
    if plain is not None:
        values, numbers = plain
    else:
        one = _CONVERTERS["level" if column.kind == "flag" else column.kind]
        values, numbers = one(coded.dictionary.to_pylist(), refusals, hint)
    none = -1 if column.codes() else MISSING_DATE if column.kind == "date" else np.nan
    empty = refusals.number("RM201") if _needed(column) and (coded.null_count or None in numbers) else 0
    which_of = np.array([empty if number is None else number for number in numbers] + [empty], dtype=np.int32)
    index = (
        _raw(coded.indices)
        if not coded.null_count
        else np.where(valid(coded.indices), _raw(coded.indices), len(values))
    )
    kind = column.code_type if column.codes() else np.int32 if column.kind == "date" else np.float64
    spread = np.array([*values, none], dtype=kind).take(index)
    if not which_of.any():
        return Coded(spread, None, ())
    which = which_of[index]
    return _coded(spread, which, refusals)


Converted = tuple[list[Any], list[int | None]]  # a value, and 0 or the number of its problem, None for an empty cell


def _levels(values: Sequence[Any], refusals: Refusals, _: Decimal | None) -> Converted:
    column = refusals.column
    codes: list[Any] = []
    numbers: list[int | None] = []
    spelled: dict[str, Level] = {}
    for value in values:
        text = _plain(value)
        code = column.spellings.get(same_level(text), -1)
        codes.append(code)
        if code >= 0:
            numbers.append(0)
        elif is_blank(text):
            numbers.append(None)
        else:
            if not spelled:
                spelled = {name: level for level in column.levels for name in level.names()}
                near = nearest_of(spelled)
                said = {end: _shown(column, lang) for end, lang in (("levels", "en"), ("levels_zh", "zh"))}
            numbers.append(refusals.number("RM202", value=text, nearest=spelled.get(near(text) or ""), **said))
    return codes, numbers


def _shown(column: Column, lang: str) -> str:
    labels = [level.label(lang) for level in column.levels[:MOST_LEVELS]]
    return " / ".join(labels) + (" …" if len(column.levels) > MOST_LEVELS else "")


def _plain(value: Any) -> str:
    """Return a cell as text; whole floats lose their .0, as Excel shows them."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value != value:
        return ""
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)


def _numbers(values: Sequence[Any], refusals: Refusals, hint: Decimal | None) -> Converted:
    column = refusals.column
    low, high = _ends(column)
    each = any(mark in name.casefold() for name in column.names() for mark in EACH)
    parsed = [_exact(value, column, hint, each) for value in values]
    floats = np.array([np.nan if exact is None else float(exact) for exact in parsed])
    found, odd, lost = on_decimals(floats, column.decimals)
    found[(found < low) | (found > high)] = np.nan
    numbers: list[int | None] = []
    for at, (value, exact) in enumerate(zip(values, parsed)):
        if found[at] == found[at]:
            numbers.append(0)
        elif value is None or (isinstance(value, str) and is_blank(value)):
            numbers.append(None)
        elif exact is None:
            numbers.append(_no_number(_plain(value), refusals))
        elif not (lost[at] or odd[at]) or not low <= exact <= high:
            numbers.append(_outside(str(value), refusals))
        elif lost[at]:
            numbers.append(refusals.number("RM283", value=str(value)))
        else:
            numbers.append(refusals.number("RM205", value=str(value), decimals=column.decimals))
    return found.tolist(), numbers


def _no_number(said: str, refusals: Refusals) -> int:
    column = refusals.column
    if column.unit in ("yuan", "fen") and other_money(said, column.money):
        return refusals.number("RM326", value=said, money_en=column.money.name_en, money_zh=column.money.name_zh)
    return refusals.number("RM203", value=said)


def _exact(value: Any, column: Column, hint: Decimal | None, each: bool) -> Decimal | None:
    """Return the exact number that a cell means, None where it means none."""
    if isinstance(value, str):
        return None if is_blank(value) else parse_number(value, column.measured, hint, each, column.money)
    if value is None or isinstance(value, bool):
        return None
    exact = Decimal(value)
    return exact * (hint or 1) if exact.is_finite() else None


def _plainly_written(texts: pa.Array, column: Column) -> Converted | None:
    """Return many texts as numbers where all are plainly written and in range; else None.

    With at most 15 digits two different decimals are two different floats, so that floats decide what is in range.
    """
    if len(texts) < 256 or not pa.types.is_string(texts.type) or texts.null_count or column.decimals >= 15:
        return None
    places = rf"(\.[0-9]{{1,{column.decimals}}})?" if column.decimals else ""
    pattern = rf"^[0-9]{{1,{15 - column.decimals}}}{places}$"
    if not pc.all(pc.match_substring_regex(texts, pattern)).as_py():
        return None
    values = _raw(pc.cast(texts, pa.float64()))
    low, high = float(values.min()), float(values.max())
    if (column.low is not None and low < float(column.low)) or (column.high is not None and high > float(column.high)):
        return None
    return values.tolist(), [0] * len(values)


def _dates(values: Sequence[Any], refusals: Refusals, _: Decimal | None) -> Converted:
    covered = bool(refusals.column.covered)
    found: list[Any] = []
    numbers: list[int | None] = []
    for value in values:
        text = _plain(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and not 19_000_101 <= value <= 22_001_231:
            day = excel_day(float(value))
        else:
            day = parse_date(text, covered)
        found.append(MISSING_DATE if day is None or not FIRST_DAY <= day <= LAST_DAY else day)
        if day is None:
            numbers.append(None if is_blank(text) else refusals.number("RM206", value=text))
        else:
            numbers.append(0 if found[-1] == day else refusals.number("RM286", value=text))
    return found, numbers


_CONVERTERS: dict[str, Callable[[Sequence[Any], Refusals, Decimal | None], Converted]] = {
    "level": _levels,
    "number": _numbers,
    "date": _dates,
}
