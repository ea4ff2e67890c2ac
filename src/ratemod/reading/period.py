"""First and last day in one cell, ``2026-01-01至2027-01-01``, or under one header: 保险期间 over 起 and 止.

Where a list is read for both days, a header that means the period as a whole is understood too; its cells are cut at
the word between the days and each half is judged as any other day, its hour (零时, 二十四时) included. A cell that is
not two days goes to both columns as it is, so that the row is refused with what it says. Days that stand in columns of
their own are never replaced.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa

from ratemod.reading.book import Book
from ratemod.reading.header import PERIOD, fold, spellings
from ratemod.reading.joined import as_type
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.spelling import is_blank
from ratemod.vocabulary.table import column

ENDS = ("start_date", "end_date")
# What stands under a header that means the period as a whole.
_UNDER = (
    ("起", "自", "起始", "开始", "起始日期", "from", "start"),
    ("止", "至", "到", "终止", "结束", "截止日期", "to", "end"),
)
_DAY = r"\d{4}\s*(?:([-/.])\s*\d{1,2}\s*\{back}\s*\d{1,2}|年\s*\d{1,2}\s*月\s*\d{1,2}\s*日?)|\d{8}"
_HOUR = r"(?:[\st]*(?:\d{1,2}:\d\d(?::\d\d)?|(?:\d{1,2}|零|二十四|廿四)\s*[时時点點](?:整|\d\d分(?:\d\d秒)?)?))?"
_BETWEEN = r"起?\s*(?:至|到|~|--|[-–—―]+|to|起|\n)\s*"
_FIRST, _LAST = (_DAY.replace("{back}", group) for group in "24")
_PERIOD = re.compile(rf"(?:自|从|from)?\s*((?:{_FIRST}){_HOUR})\s*{_BETWEEN}((?:{_LAST}){_HOUR})\s*止?")


def halves(text: str) -> tuple[str, str] | None:
    """Return the two days of a period as they are written; None where it is not exactly two.

    Examples
    --------
    >>> halves("自2026年1月1日零时起至2026年12月31日二十四时止")
    ('2026年1月1日零时', '2026年12月31日二十四时')
    >>> halves("2026-01-01～2027-01-01"), halves("12个月")
    (('2026-01-01', '2027-01-01'), None)
    """
    match = _PERIOD.fullmatch(unicodedata.normalize("NFKC", text).strip().casefold())
    return (match[1].strip(), match[3].strip()) if match else None


def with_period(columns: Mapping[str, Column]) -> dict[str, Column]:
    """Return columns with the period as a whole where both its days are declared and nothing else has its names."""
    if any(name not in columns or columns[name].kind != "date" for name in ENDS) or PERIOD in columns:
        return dict(columns)
    known, period = spellings(columns), column(PERIOD)
    names = [name for name in period.names() if fold(name) not in known]
    under = {
        end: tuple(said for name in names for word in words if fold(said := name + word) not in known)
        for end, words in zip(ENDS, _UNDER)
    }
    own = {end: replace(columns[end], aliases=(*columns[end].aliases, *under[end])) for end in ENDS}
    free = replace(period, label_en="", label_zh="", aliases=tuple(names), optional=True)
    return {**columns, **own, PERIOD: free}


def in_days(book: Book, name: str) -> Book:
    """Return a book whose periods, which stand in column `name`, are cut into the first and the last day."""
    cells = [cell or "" for cell in as_type(book.table[name], pa.string()).to_pylist()]
    cut = [halves(cell) or (cell, cell) for cell in cells]
    header = book.headers.get(name, name)
    table, headers = book.table, {**book.headers}
    for at, end in enumerate(ENDS):
        if end not in table.column_names:
            table = table.append_column(end, pa.array([days[at] for days in cut], pa.string()))
            headers[end] = header
        elif any(cells):
            own = as_type(table[end], pa.string()).to_pylist()
            filled = [days[at] if is_blank(day or "") else day for day, days in zip(own, cut)]
            if filled != own:
                table = table.set_column(table.column_names.index(end), end, pa.array(filled, pa.string()))
    return replace(book, table=table, headers=headers)
