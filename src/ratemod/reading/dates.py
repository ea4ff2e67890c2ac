"""Dates as people type them, read as one day or refused: 2026-01-05, 2026/1/5, 2026年1月5日, serials."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

_EPOCH = date(1970, 1, 1).toordinal()
_EXCEL_EPOCH = date(1899, 12, 30).toordinal() - _EPOCH  # counts 1900-02-29, which never was, as Excel does
_SERIALS = range(18_264, 91_313)  # 1950-01-01 .. 2149-12-31
_PARTS = re.compile(r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[ t]+0{1,2}:00(?::00(?:\.0+)?)?)?$")
_COMPACT = re.compile(r"^(\d{4})(\d{2})(\d{2})$")


def excel_day(serial: float) -> int | None:
    """Return an Excel serial number as days since 1970-01-01; None outside 1950..2149 or with a time of day.

    Examples
    --------
    >>> excel_day(46023.0)  # 2026-01-01
    20454
    """
    return int(serial) + _EXCEL_EPOCH if serial == int(serial) and int(serial) in _SERIALS else None


def parse_date(text: str) -> int | None:
    """Return days since 1970-01-01, or None when the text is not exactly one day.

    Two-digit years and day-first or month-first orders are ambiguous and therefore None.

    Examples
    --------
    >>> parse_date("2026年1月1日"), parse_date("1/2/26")
    (20454, None)
    """
    folded = unicodedata.normalize("NFKC", text).strip().casefold()
    match = _PARTS.match(folded) or _COMPACT.match(folded)
    if match is None:
        try:
            return excel_day(float(folded)) if re.fullmatch(r"\d{5}(\.0+)?", folded) else None
        except ValueError:
            return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3])).toordinal() - _EPOCH
    except ValueError:
        return None
