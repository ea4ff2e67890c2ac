"""A worksheet as it is printed: the one place where a sheet of any workbook is made, so that each has its paper.

A4 across, one page wide, header repeated on every page, page numbers below; A3 where the columns would be too small on
A4. What is too wide even for A3 is scaled as far as a person can read, and the columns that name a row are repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ratemod.errors import Lang

A3, A4 = 8, 9
PAGE = {A4: 240, A3: 340}  # the most characters across that are still legible on a sheet
SCALE = 60  # per cent; below, nobody reads it
MOST_NAME = 31  # characters that Excel allows in the name of a sheet
_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")

MOST_ROWS = 1_048_576
MADE = datetime(2000, 1, 1)  # not the clock: the same content must give the same bytes
FONTS: Mapping[Lang, str] = {"zh": "Microsoft YaHei", "en": "Calibri"}


def new_workbook(part: Path, lang: Lang, title: str, *, remark: str = "", streamed: bool = False) -> Any:
    """Return a new workbook, in which every text stays text, so that no cell of anybody's list can run as a formula.

    Parameters
    ----------
    title, remark : properties of the file
    streamed : rows are written in order and leave the memory
    """
    import xlsxwriter

    options = {"constant_memory": streamed, "strings_to_formulas": False, "strings_to_urls": False}
    font = {"font_name": FONTS[lang], "font_size": 10}
    book = xlsxwriter.Workbook(str(part), {**options, "default_format_properties": font})
    book.set_properties({"created": MADE, "title": title, "comments": remark})
    return book


def new_sheet(book: Any, name: str, *, heads: int = 1, said: str = "") -> Any:
    """Return a new sheet of an open workbook, with its paper.

    Parameters
    ----------
    book : xlsxwriter.Workbook
    name : str
    heads : int
        Rows at the top that hold title and header; they are repeated on every page.
    said : str
        What stands at the foot of every page beside the page number; without it, the name of the sheet.
    """
    from ratemod.document.written_sheet import WrittenSheet

    sheet = book.add_worksheet(sheet_name(name, book.sheetnames), WrittenSheet)
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0, heads - 1)
    sheet.set_footer(f"&L&8{(said or name)[:180].replace('&', '&&')}&R&8&P / &N")
    return sheet


def sheet_name(name: str, taken: Iterable[str] = ()) -> str:
    """Return a name that Excel takes and that no other sheet has.

    Examples
    --------
    >>> sheet_name("a/b"), sheet_name("Long", ["long"])
    ('a_b', 'Long 2')
    """
    plain = _FORBIDDEN.sub("_", name).strip("' ") or "–"
    used = {one.lower() for one in taken}
    found, at = plain[:MOST_NAME], 1
    while found.lower() in used:
        at += 1
        end = f" {at}"
        found = plain[: MOST_NAME - len(end)] + end
    return found


def set_widths(sheet: Any, widths: Sequence[float], *, keys: int = 1) -> None:
    """Set the widths of columns, in characters, and with them the paper.

    Parameters
    ----------
    sheet : worksheet that `new_sheet` made
    widths : width of each column
    keys : int
        Columns at the left that name a row.
    """
    for at, width in enumerate(widths):
        sheet.set_column(at, at, width)
    across = sum(widths)
    sheet.set_paper(A4 if across <= PAGE[A4] else A3)
    if across > PAGE[A3]:
        sheet.set_print_scale(SCALE)
        sheet.repeat_columns(0, keys - 1)


def print_only(sheet: Any, *, lines: int, columns: int) -> None:
    """Print only the first lines and columns of a sheet, on A4: the others are for the screen."""
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    sheet.print_area(0, 0, lines - 1, columns - 1)
