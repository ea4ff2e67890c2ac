"""One column's cells as codes and floats, with a problem for every cell that cannot be used."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.errors import Problem, nearest, problem
from ratemod.reading.dates import excel_day, parse_date
from ratemod.reading.numbers import parse_number
from ratemod.vocabulary.column import Column

MISSING_DATE = -(2**31)
AT_ONCE = 65_536
BLANKS = frozenset({"", "-", "—", "--", "无数据", "n/a", "na", "nan", "null", "none", "/", "\\"})


@dataclass(frozen=True, eq=False, slots=True)
class Coded:
    """A converted column.

    Attributes
    ----------
    values : (n,) float64 or whole numbers, int16 codes, or int32 days; a pyarrow string array for text
        NaN, -1 or `MISSING_DATE` where missing or refused.
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
    found: list[Problem] = field(default_factory=list)

    def number(self, code: str, **args: Any) -> int:
        """Return the number of a problem, new or known."""
        told = problem(code, column=self.column.name, label=self.column.label("zh"), **args)
        if told not in self.found:
            self.found.append(told)
        return self.found.index(told) + 1


def convert(array: pa.ChunkedArray | pa.Array, column: Column, hint: Decimal | None = None) -> Coded:
    """Return a column's cells as the engine computes with them.

    Parameters
    ----------
    array : Arrow array of any of the types that files and frames give
    column : Column
        What is declared: levels, range, decimals.
    hint : Decimal, optional
        What a bare number multiplies by, from the header.

    Returns
    -------
    Coded
        Codes: RM201 empty, RM202 unknown level, RM203 not a number, RM204 outside the range, RM205 too many decimals,
        RM206 not a date, RM207 an identifier spoilt by a spreadsheet.
    """
    whole = array
    if isinstance(array, pa.ChunkedArray):  # combining copies even where there is one chunk
        whole = array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0) if whole.num_chunks else pa.array([], whole.type)
    if pa.types.is_null(whole.type):
        whole = whole.cast(pa.string())
    refusals = Refusals(column)
    if column.kind == "text":
        return _text(whole, refusals)
    numeric = pa.types.is_integer(whole.type) or pa.types.is_floating(whole.type)
    if column.kind == "number" and numeric:
        if (
            pa.types.is_integer(whole.type)
            and not whole.null_count
            and hint is None
            and _all_within(_raw(whole), column)
        ):
            return Coded(_raw(whole), None, ())
        return _within(_floats(whole) if hint is None else _floats(whole) * float(hint), refusals)
    if column.kind == "date" and (pa.types.is_date(whole.type) or pa.types.is_timestamp(whole.type)):
        return _days(whole, refusals)
    return _by_unique(whole, refusals, hint)


def _raw(whole: pa.Array) -> npt.NDArray[Any]:
    """Return a numeric array without nulls as it lies in memory."""
    kind = whole.type.to_pandas_dtype()
    return np.frombuffer(whole.buffers()[1], dtype=kind, count=len(whole) + whole.offset)[whole.offset :]


def _floats(whole: pa.Array) -> npt.NDArray[np.float64]:
    """Return a numeric array as float64 with NaN for null, without going through pandas."""
    values = _raw(whole).astype(np.float64, copy=False)
    return nan_unless(_valid(whole), values) if whole.null_count else values


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


def _integers(whole: pa.Array) -> npt.NDArray[np.int64]:
    """Return an array of days or ticks as int64, 0 where null."""
    values = np.asarray(_raw(whole.cast(pa.int64())))
    return np.where(_valid(whole), values, 0) if whole.null_count else values


def _valid(whole: pa.Array) -> npt.NDArray[np.bool_]:
    """Return where an array is not null, from its bitmap: asking Arrow for it would load pandas."""
    bitmap = whole.buffers()[0]
    if bitmap is None:
        return np.ones(len(whole), dtype=bool)
    bits = np.unpackbits(np.frombuffer(bitmap, dtype=np.uint8), bitorder="little", count=whole.offset + len(whole))
    return bits[whole.offset :].view(bool)


def _coded(values: Any, which: npt.NDArray[np.int32] | None, refusals: Refusals) -> Coded:
    return Coded(values, which if which is not None and which.any() else None, tuple(refusals.found))


def _needed(column: Column) -> bool:
    return not column.optional and column.default is None


def _all_within(values: npt.NDArray[Any], column: Column) -> bool:
    """Return whether every whole number lies in the permitted range."""
    if not len(values):
        return True
    low, high = int(values.min()), int(values.max())
    return (column.low is None or low >= column.low) and (column.high is None or high <= column.high)


def _within(values: npt.NDArray[np.float64], refusals: Refusals) -> Coded:
    """Check range, decimals and presence of numbers."""
    column = refusals.column
    low, high = (np.inf * sign if end is None else float(end) for end, sign in ((column.low, -1), (column.high, 1)))
    wrong: list[npt.NDArray[np.intp]] = []
    missing: list[npt.NDArray[np.intp]] = []
    scratch = np.empty((2, min(len(values), AT_ONCE)))
    for start in range(0, len(values), AT_ONCE):  # in blocks that stay in cache: most books have nothing wrong
        part = values[start : start + AT_ONCE]
        if _fine(part, low, high, column, scratch[:, : len(part)]):
            if _needed(column):
                missing.append(np.flatnonzero(np.isnan(part)) + start)
            continue
        outside = ~((part >= low) & (part <= high))
        scaled = part if column.decimals == 0 else part * 10.0**column.decimals
        apart = np.abs(scaled - np.rint(scaled))
        odd = outside | (apart > 1e-6)
        if odd.any():
            empty = np.isnan(part)
            odd &= ~empty & (outside | (apart > np.maximum(1e-6, np.abs(scaled) * 1e-15)))
            wrong.append(np.flatnonzero(odd) + start)
            missing.append(np.flatnonzero(empty) + start)
    rows = np.concatenate([np.zeros(0, dtype=np.intp), *wrong])
    none = np.concatenate([np.zeros(0, dtype=np.intp), *missing])
    if not len(rows) and not (len(none) and _needed(column)):
        return Coded(values, None, ())
    which = np.zeros(len(values), dtype=np.int32)
    if len(rows):
        unique, inverse = np.unique(values[rows], return_inverse=True)
        which[rows] = np.array([_range_problem(float(value), refusals) for value in unique], dtype=np.int32)[inverse]
        values = values.copy()
        values[rows] = np.nan
    if len(none) and _needed(column):
        which[none] = refusals.number("RM201")
    return _coded(values, which, refusals)


def _fine(
    part: npt.NDArray[np.float64], low: float, high: float, column: Column, scratch: npt.NDArray[np.float64]
) -> bool:
    """Return whether no number of a block is outside the range or has too many decimals: by extremes alone."""
    with np.errstate(invalid="ignore"):
        if np.fmin.reduce(part, initial=np.inf) < low or np.fmax.reduce(part, initial=-np.inf) > high:
            return False
        scaled, rounded = scratch
        np.multiply(part, 10.0**column.decimals, out=scaled)
        np.rint(scaled, out=rounded)
        np.subtract(scaled, rounded, out=scaled)
        return bool(np.fmax.reduce(scaled, initial=0.0) <= 1e-6 and np.fmin.reduce(scaled, initial=0.0) >= -1e-6)


def _range_problem(value: float, refusals: Refusals) -> int:
    column = refusals.column
    if (column.low is not None and value < column.low) or (column.high is not None and value > column.high):
        return refusals.number("RM204", value=f"{value:.15g}", low=column.low, high=column.high)
    return refusals.number("RM205", value=f"{value:.15g}", decimals=column.decimals)


def _days(whole: pa.Array, refusals: Refusals) -> Coded:
    """Convert Arrow dates and midnight timestamps."""
    if pa.types.is_date32(whole.type) and (not whole.null_count or not _needed(refusals.column)):
        days = _raw(whole.cast(pa.int32()))
        if whole.null_count:
            empty = _valid(whole).view(np.int8).astype(np.int32)
            empty -= 1
            days = (days & ~empty) | (empty & np.int32(MISSING_DATE))
        return Coded(days, None, ())
    missing = ~_valid(whole)
    if pa.types.is_timestamp(whole.type) and whole.type.tz is not None:
        import pyarrow.compute as pc

        whole = pc.local_timestamp(whole)  # the day where the moment was written, not in Greenwich
    if pa.types.is_timestamp(whole.type):
        ticks = _integers(whole.cast(pa.timestamp("us", tz=whole.type.tz)).cast(pa.int64()))
        days, rest = np.divmod(ticks, 86_400_000_000)
    else:
        days = ticks = _integers(whole.cast(pa.date32()).cast(pa.int32()))
        rest = np.zeros(len(whole), dtype=np.int64)
    which = np.zeros(len(whole), dtype=np.int32)
    odd = np.flatnonzero((rest != 0) & ~missing)
    if len(odd):  # each moment by its own name, so that a message does not depend on which rows were read together
        _, first, inverse = np.unique(ticks[odd], return_index=True, return_inverse=True)
        numbers = [refusals.number("RM206", value=str(whole[int(odd[at])])) for at in first.tolist()]
        which[odd] = np.array(numbers, dtype=np.int32)[inverse]
    if missing.any() and _needed(refusals.column):
        which[missing] = refusals.number("RM201")
    values = np.where(missing | (which > 0), MISSING_DATE, days).astype(np.int32)
    return _coded(values, which, refusals)


def _text(whole: pa.Array, refusals: Refusals) -> Coded:
    if pa.types.is_dictionary(whole.type):
        whole = whole.cast(whole.type.value_type)
    if pa.types.is_floating(whole.type):
        values = _floats(whole)
        spoilt = np.abs(values) >= 1e15  # a spreadsheet keeps 15 digits: a longer identifier has lost its end
        which = np.zeros(len(values), dtype=np.int32)
        if spoilt.any():
            which[spoilt] = refusals.number("RM207")
        texts = [
            None if np.isnan(value) else f"{value:.0f}" if value == int(value) else repr(value)
            for value in values.tolist()
        ]
        return _coded(pa.array(texts, pa.string()), which, refusals)
    return _coded(whole.cast(pa.string()), None, refusals)


def _by_unique(whole: pa.Array, refusals: Refusals, hint: Decimal | None) -> Coded:
    """Convert each different value once, in plain Python, and spread the result."""
    coded = whole if pa.types.is_dictionary(whole.type) else pc.dictionary_encode(whole, null_encoding="mask")
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
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
        else np.where(_valid(coded.indices), _raw(coded.indices), len(values))
    )
    kind = np.int16 if column.codes() else np.int32 if column.kind == "date" else np.float64
    spread = np.array([*values, none], dtype=kind).take(index)
    if not which_of.any():
        return Coded(spread, None, ())
    which = which_of[index]
    return _coded(spread, which, refusals)


Converted = tuple[list[Any], list[int | None]]  # a value, and 0 or the number of its problem, None for an empty cell


def _levels(values: Sequence[Any], refusals: Refusals, _: Decimal | None) -> Converted:
    known = {_fold(name): code for code, level in enumerate(refusals.column.levels) for name in level.names()}
    names = [name for level in refusals.column.levels for name in level.names()]
    codes: list[Any] = []
    numbers: list[int | None] = []
    for value in values:
        text = _plain(value)
        code = known.get(_fold(text), -1)
        empty = code < 0 and _fold(text) in BLANKS
        codes.append(code)
        numbers.append(
            0 if code >= 0 else None if empty else refusals.number("RM202", value=text, nearest=nearest(text, names))
        )
    return codes, numbers


def _plain(value: Any) -> str:
    """Return a cell as text; whole floats lose their .0, as Excel shows them."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    return f"{value:.0f}" if isinstance(value, float) and value == int(value) else str(value)


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


def _numbers(values: Sequence[Any], refusals: Refusals, hint: Decimal | None) -> Converted:
    column = refusals.column
    found: list[Any] = []
    numbers: list[int | None] = []
    for value in values:
        exact: Decimal | None
        if isinstance(value, str):
            exact = None if _fold(value) in BLANKS else parse_number(value, column.unit, hint)
            if exact is None:
                found.append(np.nan)
                numbers.append(None if _fold(value) in BLANKS else refusals.number("RM203", value=value))
                continue
        elif value is None or isinstance(value, bool):
            found.append(np.nan)
            numbers.append(None if value is None else refusals.number("RM203", value=str(value)))
            continue
        else:
            exact = Decimal(str(value)) * (hint or 1)
        number = 0
        if (column.low is not None and exact < column.low) or (column.high is not None and exact > column.high):
            number = refusals.number("RM204", value=str(value), low=column.low, high=column.high)
        elif -int(exact.normalize().as_tuple().exponent) > column.decimals:
            number = refusals.number("RM205", value=str(value), decimals=column.decimals)
        found.append(np.nan if number else float(exact))
        numbers.append(number)
    return found, numbers


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
    found: list[Any] = []
    numbers: list[int | None] = []
    for value in values:
        if isinstance(value, int | float) and not isinstance(value, bool):
            day = parse_date(str(value)) if 19_000_101 <= value <= 22_001_231 else excel_day(float(value))
        else:
            day = parse_date(str(value)) if value is not None else None
        empty = day is None and (value is None or _fold(str(value)) in BLANKS)
        found.append(MISSING_DATE if day is None else day)
        numbers.append(0 if day is not None else None if empty else refusals.number("RM206", value=str(value)))
    return found, numbers


_CONVERTERS: dict[str, Callable[[Sequence[Any], Refusals, Decimal | None], Converted]] = {
    "level": _levels,
    "number": _numbers,
    "date": _dates,
}
