"""Unified social credit codes (GB 32100-2015): checked and made, many at a time.

Eighteen characters of an alphabet of 31 (no I O S V Z): authority, type, six digits of region, the nine characters
of the organisation code (GB 11714, with a check character of its own) and a check character.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = np.array([pow(3, at, 31) for at in range(17)])
_ORGANISATION_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])
_VALUE = np.full(256, -1, dtype=np.int64)
_VALUE[np.frombuffer(ALPHABET.encode(), dtype=np.uint8)] = np.arange(31)
_LETTERS = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)
_PLAIN = np.full(256, -1, dtype=np.int64)  # GB 11714: digits are themselves, A = 10 ... Z = 35
_PLAIN[48:58], _PLAIN[65:91] = np.arange(10), np.arange(10, 36)


def is_valid(codes: Sequence[str | None] | npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return which codes are well formed with both check characters right.

    Parameters
    ----------
    codes : (n,) texts

    Returns
    -------
    (n,) bool

    Source
    ------
    GB 32100-2015, annex; GB 11714-1997.

    Examples
    --------
    >>> is_valid(["91350100M000100Y43", "91350100M000100Y44", None]).tolist()
    [True, False, False]
    """
    texts = np.array(["" if code is None else str(code) for code in codes], dtype="U19")
    letters = texts.view(np.uint32).reshape(len(texts), 19) if len(texts) else np.zeros((0, 19), np.uint32)
    fits = (letters[:, :18] < 128).all(axis=1) & (letters[:, 18] == 0)
    matrix = np.where(fits[:, None], letters[:, :18], 48).astype(np.uint8)
    fits &= (_VALUE[matrix] >= 0).all(axis=1) & (_PLAIN[matrix[:, 2:8]] < 10).all(axis=1)
    fits &= matrix[:, 17] == _check(matrix[:, :17])
    fits &= matrix[:, 16] == _organisation_check(matrix[:, 8:16])
    return np.asarray(fits)


def make(prefix: str, numbers: npt.ArrayLike) -> npt.NDArray[np.str_]:
    """Return codes with both check characters for made-up organisations.

    Parameters
    ----------
    prefix : str
        Authority, type and region: eight characters. Use region 000000 for synthetic firms: no real unit has it.
    numbers : (n,) integers in 0..99,999,999
        Become the eight digits of the organisation code.

    Examples
    --------
    >>> bool(is_valid(make("91000000", [7])).all())
    True
    """
    found = np.asarray(numbers, dtype=np.int64)
    digits = (found[:, None] // 10 ** np.arange(7, -1, -1)) % 10 + 48
    head = np.broadcast_to(np.frombuffer(prefix.encode("ascii"), dtype=np.uint8), (len(found), 8))
    body = np.concatenate([head, digits.astype(np.uint8)], axis=1)
    body = np.concatenate([body, _organisation_check(body[:, 8:16])[:, None]], axis=1)
    whole = np.concatenate([body, _check(body)[:, None]], axis=1)
    return np.ascontiguousarray(whole).view("S18").reshape(-1).astype("U18")


def _check(matrix: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(_LETTERS[(31 - (_VALUE[matrix] * _WEIGHTS).sum(axis=1) % 31) % 31])


def _organisation_check(matrix: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    check = (11 - (_PLAIN[matrix] * _ORGANISATION_WEIGHTS).sum(axis=1) % 11) % 11
    return np.where(check == 10, ord("X"), check + 48).astype(np.uint8)
