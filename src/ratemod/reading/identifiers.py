"""Identifiers in one canonical form: the same code however it is written, and no code where it cannot be one.

Width, case, blanks, zero-width characters and the kind of hyphen do not tell codes apart. Where a rule is known (credit
code, industry code) a code must keep it; what a spreadsheet did to a number (1.0E+15, 411 for 0411) is refused, with
what it was before where that is known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.reading.arrow import filled_with, truths
from ratemod.vocabulary.codes.credit_code import is_valid
from ratemod.vocabulary.codes.division import is_division_code
from ratemod.vocabulary.codes.industry import industry_digits
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.spelling import folded

Identity = Literal["key", "credit_code", "industry_code"]
IDENTITIES: dict[str, Identity] = {"credit_code": "credit_code", "industry_code": "industry_code"}
KEYS = frozenset({"policy_no", "claim_no", "contract_no", "endorsement_no", "receipt_no", "service_no", "payment_no"})
_ERROR = "^(#(N/A|REF!|NAME\\?|VALUE!|DIV/0!|NULL!|NUM!|SPILL!|CALC!|GETTING_DATA)|#+|\u21d0.+)$"
_FORMULA = "^=.+$"
Mask = npt.NDArray[np.bool_]
_HYPHENED = "^-+$|^-*([0-9A-HJ-NP-RTUWXY]-*){18}$"  # no identifier, and what may be a credit code in parts
_CREDIT_CODE = re.compile("[0-9A-HJ-NP-RTUWXY]{18}")
_SPOILT = r"^\s*[0-9](\.[0-9]+[eE][+]?|[eE][+])[0-9]{1,3}\s*$"


def identity_of(column: Column) -> Identity | None:
    """Return what kind of identifier a column holds, None where its texts are words.

    Examples
    --------
    >>> identity_of(Column("credit_code", "text")), identity_of(Column("firm_name", "text"))
    ('credit_code', None)
    >>> identity_of(Column("area", "text", identity="division_code"))
    'key'
    """
    if column.kind != "text" or column.identity == "name":
        return None
    if column.identity is not None:
        return IDENTITIES.get(column.identity, "key")
    if column.name.endswith("credit_code"):
        return "credit_code"
    if column.name.endswith("industry_code"):
        return "industry_code"
    return "key" if column.name in KEYS or column.name.endswith(("_no", "_id", "_key")) else None


def canonical(text: str) -> str:
    """Return the one form of an identifier; a credit code has no hyphens, however it is parted to be read.

    Examples
    --------
    >>> canonical(" ｐ1\u200b-Ａ "), canonical("p1‐a"), canonical("91-350100M000100Y-43")
    ('P1-A', 'P1-A', '91350100M000100Y43')
    """
    if text.isascii() and text.isalnum():
        return text.upper()
    code = folded(text).upper()
    joined = code.replace("-", "")
    parted = joined != code and _CREDIT_CODE.fullmatch(joined) is not None and bool(is_valid([joined])[0])
    return joined if parted else code


def keys(cells: pa.Array) -> pa.Array:
    """Return identifiers in canonical form, null where there is none: (n,) text or numbers to (n,) text.

    Examples
    --------
    >>> keys(pa.array(["p1", "P1\u200b", "  ", None])).to_pylist()
    ['P1', 'P1', None, None]
    """
    if pa.types.is_dictionary(cells.type):
        return keys(cells.dictionary).take(cells.indices)
    if plainly_written(cells):
        return cells
    if pa.types.is_floating(cells.type) or pa.types.is_decimal(cells.type):
        return _forms(cells, _digits)
    text = cells if _is_text(cells) else cells.cast(pa.string())
    return _forms(text, canonical)


def _forms(cells: pa.Array, form: Callable[[Any], str]) -> pa.Array:
    """Return the form of each cell, asked for once a value; null where nothing is left but a stroke."""
    coded = cells.dictionary_encode()
    forms = [form(value) if value is not None else "" for value in coded.dictionary.to_pylist()]
    return pa.array([one if one.strip("-/\\\u2014") else None for one in forms], pa.string()).take(coded.indices)


def _digits(value: Any) -> str:
    """Return a number as the digits of an identifier."""
    if value != value:
        return ""
    whole = isinstance(value, float) and value.is_integer()
    return canonical(f"{value:.0f}" if whole else str(value))


def _is_text(cells: pa.Array) -> bool:
    return bool(pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type))


_PLAIN = bytes([*range(ord("0"), ord("9") + 1), *range(ord("A"), ord("Z") + 1), ord("-"), ord("_")])


def plainly_written(cells: pa.Array) -> bool:
    """Return whether every cell is a text in its own canonical form, by its bytes: cheap for a million rows.

    None of them is empty, spoilt, an error or an example: what these are known by cannot stand in such a text.
    """
    if not pa.types.is_string(cells.type) or cells.null_count:
        return False
    ends, data = _bytes(cells)
    if len(ends) < 2 or (ends[1:] - ends[:-1]).min() < 3 or data.translate(None, _PLAIN):  # the shortest may be strokes
        return False
    return not (b"-" in data and pc.any(pc.match_substring_regex(cells, _HYPHENED)).as_py())


def _bytes(cells: pa.Array) -> tuple[npt.NDArray[Any], bytes]:
    """Return where each text ends, and the bytes of all: a look for one of them costs nothing beside an expression."""
    size = np.int32 if pa.types.is_string(cells.type) else np.int64
    ends = np.frombuffer(cells.buffers()[1] or b"", dtype=size)[cells.offset : cells.offset + len(cells) + 1]
    said = cells.buffers()[2]
    return ends, said.slice(ends[0], ends[-1] - ends[0]).to_pybytes() if said is not None and len(ends) else b""


def texts_that_match(cells: pa.Array, expression: str, signs: tuple[str, ...]) -> Mask:
    """Return which texts match an expression that none can match without one of the signs: (n,) bool."""
    _, data = _bytes(cells)
    foreign = not data.isascii()  # of plain letters none of the other signs need be looked for
    if not any(_holds(data, sign.encode("utf-8")) for sign in signs if foreign or sign.isascii()):
        return np.zeros(len(cells), dtype=bool)
    return truths(pc.match_substring_regex(cells, expression))


def _holds(data: bytes, sign: bytes) -> bool:
    """Return whether a sign stands in bytes; a look for each of its own first is far cheaper than one for all."""
    return all(bytes((one,)) in data for one in sign) and sign in data


def by_value(cells: pa.DictionaryArray, judged: Mask) -> Mask:
    """Return what is judged of each value of a dictionary for every row, False where null: (n,) bool."""
    if not judged.any():
        return np.zeros(len(cells), dtype=bool)
    return np.append(judged, False)[filled_with(cells.indices, len(cells.dictionary))]


def lost_digits(cells: pa.Array) -> Mask:
    """Return where an identifier was turned into a number that lost its end: (n,) bool.

    A spreadsheet keeps 15 digits; a text such as 9.1220101E+17 shows that one did.
    """
    if pa.types.is_floating(cells.type):
        values = np.array([np.nan if value is None else value for value in cells.to_pylist()], dtype=np.float64)
        with np.errstate(invalid="ignore"):
            long: Mask = np.abs(values) >= 1e15
        return long
    if pa.types.is_dictionary(cells.type):
        return by_value(cells, lost_digits(cells.dictionary))
    if not _is_text(cells):
        return np.zeros(len(cells), dtype=bool)
    return texts_that_match(cells, _SPOILT, (".", "+"))


def unreadable(codes: pa.Array) -> Mask:
    """Return where a text is an error of a spreadsheet, or a formula of a workbook without a value: (n,) bool."""
    if pa.types.is_dictionary(codes.type):
        return by_value(codes, unreadable(codes.dictionary))
    return texts_that_match(codes, _ERROR, ("#", "\u21d0"))


def formulas(codes: pa.Array) -> Mask:
    """Return where an identifier is written as a formula, which a name may be and an identifier cannot: (n,) bool."""
    if pa.types.is_dictionary(codes.type):
        return by_value(codes, formulas(codes.dictionary))
    return texts_that_match(codes, _FORMULA, ("=",))


def wrong_codes(codes: pa.Array) -> dict[int, tuple[str, str | None]]:
    """Return the rows whose canonical industry code cannot be one, the code and what it was before: 0411 for 411.

    Three bare digits may be a group (411) or a class that lost its zero (0411): only a letter or a fourth digit tells.
    """
    coded = codes.dictionary_encode()
    said: dict[int, tuple[str, str | None]] = {}
    for at, code in enumerate(coded.dictionary.to_pylist()):
        if industry_digits(code) and not re.fullmatch("[1-9][0-9]{2}", code):
            continue
        padded = f"0{code}"
        said[at] = (code, padded if re.fullmatch("[1-9]([0-9]{2})?", code) and industry_digits(padded) else None)
    if not said:
        return {}
    places = filled_with(coded.indices, -1)
    return {int(row): said[int(places[row])] for row in np.flatnonzero(np.isin(places, list(said)))}


def not_credit_codes(codes: pa.Array) -> Mask:
    """Return where a canonical credit code breaks the rule of its check characters; missing ones do not: (n,) bool."""
    wrong: Mask = ~is_valid(codes)
    return wrong & truths(codes.is_valid()) if codes.null_count else wrong


def not_division_codes(codes: pa.Array) -> Mask:
    """Return where a canonical division code is not built as one; missing ones are not asked: (n,) bool."""
    coded = codes.dictionary_encode()
    known = [not code or is_division_code(code) for code in coded.dictionary.to_pylist()]
    return by_value(coded, ~np.array(known, dtype=bool))


def misbuilt(column: Column, codes: pa.Array) -> Iterator[tuple[str, Mask]]:
    """Yield the problem of canonical codes that break the rule by which their kind is built, and where, (n,) bool."""
    if identity_of(column) == "credit_code" and (wrong := not_credit_codes(codes)).any():
        yield "RM284", wrong
    if column.identity == "division_code" and (wrong := not_division_codes(codes)).any():
        yield "RM917", wrong
