"""When two spellings are the same: the one rule for levels, words and blanks, on both sides of every comparison."""

from __future__ import annotations

import re
import unicodedata

BLANKS = frozenset({"", "-", "—", "--", "——", "无数据", "n/a", "na", "nan", "null", "none", "nat", "<na>", "/", "\\"})
_INVISIBLE = re.compile("[\\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]+")
_HYPHENS = re.compile("[\u2010-\u2015\u2043\u2212\ufe58\ufe63\uff0d]")


def visible(text: str) -> str:
    """Return a text without what cannot be seen at its ends and without zero-width characters inside.

    Examples
    --------
    >>> visible(" P1\\u200b ")
    'P1'
    """
    if text.isascii():
        return text.strip()
    return "".join(char for char in text if char.isspace() or not _INVISIBLE.match(char)).strip()


def folded(text: str) -> str:
    """Return what all spellings of one word have in common: width, case, blanks and hyphens do not count.

    Examples
    --------
    >>> folded(" Ａ 级") == folded("a级"), folded("Class 1 ") == folded("class 1")
    (True, True)
    """
    return _HYPHENS.sub("-", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))).casefold()


def is_blank(text: str) -> bool:
    """Return whether a cell says that there is nothing: empty, ``/``, ``-``, 无数据, n/a.

    Examples
    --------
    >>> is_blank(" — "), is_blank("0")
    (True, False)
    """
    return folded(text) in BLANKS
