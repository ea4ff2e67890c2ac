"""A small book with Chinese headers, dangerous texts and known mistakes, for the tests of what the user sees."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from openpyxl import Workbook

PLAN = Path(__file__).parent / "plans" / "tiny"
HEADERS = ("保单号", "企业名称", "行业", "规模", "投保人数", "每人限额", "事故系数", "起保日期", "联系电话")
GOOD: tuple[tuple[Any, ...], ...] = (
    ("P001", "长春某某矿业有限公司", "矿山", "小型", 35, 400000, 1.2, date(2026, 1, 5), "043188001234"),
    (
        "P002",
        '=HYPERLINK("http://example.invalid","x")',
        "矿山",
        "大型",
        120,
        600000,
        1,
        date(2026, 2, 1),
        "+86 431 8800",
    ),
    ("P003", "@SUM(A1:A9)", "交通运输", "小型", 7, 400000, 0.3, date(2026, 3, 1), "-1+2"),
    ("P004", "吉林<b>运输</b>集团 & 分公司", "交通运输", "大型", 9000, 600000, 1, date(2026, 3, 9), "0431"),
)
# One mistake a row: an unknown sector (near a known one), no number, a sector that is not offered.
BAD: tuple[tuple[Any, ...], ...] = (
    ("P005", "某某矿业", "矿山业", "小型", 35, 400000, 1, date(2026, 1, 5), ""),
    ("P006", "某某客运", "交通运输", "小型", "三十多", 400000, 1, date(2026, 1, 5), ""),
    ("P007", "某某花炮", "烟花爆竹", "小型", 10, 400000, 1, date(2026, 1, 5), ""),
)
# 0.0021 × 1.30 × 400000 × 35; 0.0021 × 0.9 × 600000 × 120; 0.0009 × 0.70 × 400000 × 7; 0.0009 × 0.9 × 600000 × 9000
PREMIUMS_FEN = {"P001": 3_822_000, "P002": 13_608_000, "P003": 176_400, "P004": 437_400_000}


def write_book(path: Path, rows: tuple[tuple[Any, ...], ...] = GOOD + BAD) -> Path:
    """Write rows under the Chinese headers; text that looks like a formula is stored as text."""
    workbook = Workbook()
    sheet = workbook.active
    for line, cells in enumerate((HEADERS, *rows), start=1):
        for at, value in enumerate(cells, start=1):
            cell = sheet.cell(line, at, value)
            if isinstance(value, str):
                cell.data_type = "s"
    workbook.save(path)
    return path
