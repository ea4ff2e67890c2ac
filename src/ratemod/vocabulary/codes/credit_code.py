"""Unified social credit codes (GB 32100-2015): checked and made, many at a time.

Eighteen characters of an alphabet of 31 (no I O S V Z): authority, type, six digits of region, the nine characters
of the organisation code (GB 11714, with a check character of its own) and a check character.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ratemod.errors import BookError, problem
from ratemod.vocabulary.codes.code_table import as_texts

if TYPE_CHECKING:
    import pyarrow as pa

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LENGTH = 18
HIGHEST_NUMBER = 99_999_999
_LETTERS = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)
_VALUE = np.full(256, -1, dtype=np.int32)
_VALUE[_LETTERS] = np.arange(31)
_PLAIN = np.zeros(256, dtype=np.int32)  # GB 11714: digits are themselves, A = 10 ... Z = 35
_PLAIN[48:58], _PLAIN[65:91] = np.arange(10), np.arange(10, 36)
_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION, _NONE = 1 << 10, 1 << 20
AT_ONCE = 1 << 15


def is_valid(codes: Sequence[str | None] | npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return which codes are well formed with both check characters right.

    Parameters
    ----------
    codes : (n,) texts
        As they must stand: capital letters, no blanks.

    Returns
    -------
    (n,) bool
        False where missing.

    Source
    ------
    GB 32100-2015, annex; GB 11714-1997.

    Examples
    --------
    >>> is_valid(["91350100M000100Y43", "91350100M000100Y44", None]).tolist()
    [True, False, False]
    """
    letters, fits = _letters(as_texts(codes), LENGTH)
    good = np.empty(len(letters), dtype=bool)
    for start in range(0, len(letters), AT_ONCE):  # in blocks that stay in cache
        pairs = letters[start : start + AT_ONCE].view("<u2")
        sums = sum(table.take(pairs[:, place]) for place, table in enumerate(_sums_of_pairs()))
        good[start : start + AT_ONCE] = _right_sums().take(sums, mode="clip")
    return good & fits


@functools.cache
def _right_sums() -> npt.NDArray[np.bool_]:
    """Return which pairs of sums are a right code's, the last being what cannot stand: (131072,) bool."""
    within, whole = np.divmod(np.arange(_NONE >> 3), _ORGANISATION)
    right: npt.NDArray[np.bool_] = (whole % 31 == 0) & (within % 11 == 0)
    right[-1] = False
    return right


@functools.cache
def _sums_of_pairs() -> tuple[npt.NDArray[np.int32], ...]:
    """Return what two neighbouring characters add to both sums, at each of nine places, by their bytes: (65536,) int32.

    A code is right where sum(c w) mod 31 = 0 over all eighteen, the check character with weight 1, and so within the
    organisation code mod 11; the latter counts in units of 2^10, and what cannot stand at its place is 2^20.
    """
    within = dict(zip(range(8, 17), (*_ORGANISATION_WEIGHTS, 1)))
    single = []
    for place, weight in enumerate((*_WEIGHTS, 1)):
        known = _VALUE >= 0 if not 2 <= place < 8 else (_VALUE >= 0) & (_VALUE < 10)
        plain = _PLAIN
        if place == 16:  # X is ten, and no other letter is any
            known, plain = known & ((_VALUE < 10) | (_PLAIN == 33)), np.minimum(_PLAIN, 10)
        sums = _VALUE * weight % 31 + plain * within.get(place, 0) % 11 * _ORGANISATION
        single.append(np.where(known, sums, _NONE).astype(np.int32))
    return tuple((single[at] + single[at + 1][:, None]).ravel() for at in range(0, LENGTH, 2))


def check_character(codes17: Sequence[str | None] | npt.NDArray[Any]) -> npt.NDArray[np.str_]:
    """Return the eighteenth character that belongs to each first seventeen.

    With c the place of a character in the alphabet of 31 and w = 3^i mod 31 for i = 0 ... 16, it is the character at
    (31 - sum(c w) mod 31) mod 31.

    Parameters
    ----------
    codes17 : (n,) texts of 17 characters

    Returns
    -------
    (n,) texts of one character
        Empty where the text is missing or is not 17 characters of the alphabet with digits at places 3 to 8. The
        check character of the organisation code within (place 17) is not looked at: see `is_valid`.

    Source
    ------
    GB 32100-2015, annex.

    Examples
    --------
    >>> check_character(["91350100M000100Y4", "91350100I000100Y4"]).tolist()
    ['3', '']
    """
    matrix, fits = _matrix(codes17, LENGTH - 1)
    return np.where(fits, np.array(list(ALPHABET))[_VALUE[_check(matrix)]], "")


def make(authority_type_region: str, organisation_numbers: npt.ArrayLike) -> npt.NDArray[np.str_]:
    """Return codes with both check characters for made-up organisations.

    Parameters
    ----------
    authority_type_region : str
        Eight characters. Use region 000000 for synthetic firms (``91000000``): no real unit has it.
    organisation_numbers : (n,) integers in 0..99,999,999
        Become the eight digits of the organisation code.

    Returns
    -------
    (n,) texts of 18 characters

    Raises
    ------
    BookError
        RM280 when the first eight characters cannot begin a code, RM281 for numbers out of range (with their count).

    Source
    ------
    GB 32100-2015, annex; GB 11714-1997.

    Examples
    --------
    >>> make("91000000", [7, 12345678]).tolist()
    ['91000000000000078K', '91000000123456788T']
    """
    problems = []
    if not _matrix([authority_type_region], 8)[1][0]:
        problems.append(problem("RM280", value=authority_type_region, length=8, alphabet=ALPHABET))
    given = np.asarray(organisation_numbers)
    whole = given.dtype.kind in "iu" or (given.size == 0)
    outside = (given < 0) | (given > HIGHEST_NUMBER) if whole else np.ones(given.shape, dtype=bool)
    if outside.any():
        worst = given[np.argmax(outside)].item()
        problems.append(problem("RM281", value=worst, high=HIGHEST_NUMBER, count=int(outside.sum())))
    if problems:
        raise BookError(problems)
    matrix = np.empty((len(given), LENGTH), dtype=np.uint8)
    matrix[:, :8] = np.frombuffer(authority_type_region.encode("ascii"), dtype=np.uint8)
    rest = given.astype(np.int32)
    for place in range(15, 7, -1):
        rest, digit = np.divmod(rest, 10)
        matrix[:, place] = digit + ord("0")
    matrix[:, 16] = _organisation_check(matrix)
    matrix[:, 17] = _check(matrix)
    return matrix.view(f"S{LENGTH}").reshape(-1).astype(f"U{LENGTH}")


def _matrix(
    codes: Sequence[str | None] | npt.NDArray[Any], width: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Return the codes as (n, width) bytes and which are of that width, the alphabet and a region in digits.

    A code that is not is a row of zeros ("0"), so that what follows needs no mask.
    """
    matrix, good = _letters(as_texts(codes), width)
    for place in range(width):
        known = _VALUE >= 0 if not 2 <= place < 8 else (_VALUE >= 0) & (_VALUE < 10)
        good &= known[matrix[:, place]]
    return np.where(good[:, None], matrix, np.uint8(ord("0"))), good


def _letters(texts: pa.Array, width: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Return texts as (n, width) bytes, a row of zeros ("0") for one of another width, and which are of that width."""
    import pyarrow as pa
    import pyarrow.compute as pc

    # Scalars taken from buffers: made from Python's own values, Arrow would load pandas.
    wide = pa.Array.from_buffers(pa.int32(), 1, [None, pa.py_buffer(np.array([width], np.int32))])[0]
    ends, zeros = np.array([0, width], np.int32), b"0" * width
    blank = pa.StringArray.from_buffers(1, pa.py_buffer(ends), pa.py_buffer(zeros))[0]
    fits = pc.and_kleene(pc.is_valid(texts), pc.equal(pc.binary_length(texts), wide))
    good = np.frombuffer(fits.cast(pa.int8()).buffers()[1] or b"", dtype=np.int8)[: len(texts)] == 1
    padded = texts if good.all() else pc.if_else(fits, texts, blank)
    size = np.int32 if pa.types.is_string(padded.type) else np.int64
    start = int(np.frombuffer(padded.buffers()[1], dtype=size)[padded.offset]) if len(padded) else 0
    letters = np.frombuffer(padded.buffers()[2] or b"", dtype=np.uint8)[start : start + len(padded) * width]
    return letters.reshape(-1, width), good


def _weighted(
    matrix: npt.NDArray[np.uint8], value: npt.NDArray[np.int32], weights: tuple[int, ...], first: int
) -> npt.NDArray[np.int32]:
    total = np.zeros(len(matrix), dtype=np.int32)
    for place, weight in enumerate(weights, start=first):
        total += (value * np.int32(weight))[matrix[:, place]]
    return total


def _check(matrix: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    found: npt.NDArray[np.uint8] = _LETTERS[-_weighted(matrix, _VALUE, _WEIGHTS, 0) % 31]
    return found


def _organisation_check(matrix: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    check = -_weighted(matrix, _PLAIN, _ORGANISATION_WEIGHTS, 8) % 11
    return np.where(check == 10, ord("X"), check + ord("0")).astype(np.uint8)
