"""Dates as people type them, read as one day or refused: 2026-01-05, 2026/1/5, 2026年1月5日, 20260105, serials.

A day may carry the hour at which it begins or ends, which says which day is meant: 零时 and 0:00 are its beginning,
24时, 24:00 and 23:59 its end, that is the beginning of the next. A column of last days that are covered (`covered`)
means the day before that beginning; all others mean the day that begins then.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime

_EPOCH = date(1970, 1, 1).toordinal()
_EXCEL_EPOCH = date(1899, 12, 30).toordinal() - _EPOCH  # counts 1900-02-29, which never was, as Excel does
_SERIALS = range(18_264, 91_313)  # 1950-01-01 .. 2149-12-31
FIRST_DAY, LAST_DAY = date(1900, 1, 1).toordinal() - _EPOCH, date(2199, 12, 31).toordinal() - _EPOCH
_PARTS = re.compile(
    r"([0-9]{4})\s*(?:([-/.])\s*([0-9]{1,2})\s*\2\s*([0-9]{1,2})|年\s*([0-9]{1,2})\s*月\s*([0-9]{1,2})\s*[日号號]?)"
)
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_BEGINS = re.compile(r"(t|\s)?\s*(0{1,2}:00(:00(\.0+)?)?|(0{1,2}|零)\s*[时點点時](整)?|0{1,2}时00分)\s*起?止?")
_ENDS = re.compile(
    r"(t|\s)?\s*(24:00(:00)?|23:59(:59)?|(24|二十四|廿四)\s*[时點点時](整)?|23\s*[时時]59分(59秒)?)\s*起?止?"
)


def excel_day(serial: float) -> int | None:
    """Return an Excel serial number as days since 1970-01-01; None outside 1950..2149 or with a time of day.

    Examples
    --------
    >>> excel_day(46023.0)  # 2026-01-01
    20454
    """
    if not _SERIALS.start <= serial < _SERIALS.stop:  # also what is not a number
        return None
    return int(serial) + _EXCEL_EPOCH if serial == int(serial) else None


def parse_date(text: str, covered: bool = False) -> int | None:
    """Return days since 1970-01-01, or None when the text is not exactly one day.

    Two-digit years and day-first or month-first orders are ambiguous and therefore None.

    Parameters
    ----------
    text : str
    covered : bool
        The column names the last day that is covered, so that an hour of 24 leaves the day and one of 0 takes one off.

    Examples
    --------
    >>> parse_date("2026年1月1日"), parse_date("1/2/26")
    (20454, None)
    >>> parse_date("2025-12-31二十四时"), parse_date("2026年1月1日零时", covered=True)
    (20454, 20453)
    """
    folded = unicodedata.normalize("NFKC", text).strip().casefold()
    match = _PARTS.match(folded) or _COMPACT.match(folded)
    if match is None:
        return excel_day(float(folded)) if re.fullmatch(r"[0-9]{5}(\.0+)?", folded) else None
    year, month, day = (int(part) for part in match.groups() if part and part.isdigit())
    hour = folded[match.end() :].strip()
    begins, ends = _BEGINS.fullmatch(hour), _ENDS.fullmatch(hour)
    if hour and not begins and not ends:
        return None
    try:
        found = date(year, month, day).toordinal() - _EPOCH
    except ValueError:
        return None
    said = begins is not None and ":" not in hour  # 0:00 is what a spreadsheet adds to any day
    return found + (0 if covered else 1) if ends else found - (covered and said)


def day_of(value: date | datetime) -> int:
    """Return a day as days since 1970-01-01."""
    return value.toordinal() - _EPOCH
