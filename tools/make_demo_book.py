"""Make the demonstration book that ships with the package: ``python tools/make_demo_book.py``.

The first 300 renewals of the synthetic province in ``data/province``, under Chinese headers, as an underwriter's list
looks, with the mistakes that lists have. Every name is marked 示例 (example) and no credit code is a real one. The same
province gives the same file.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from ratemod.plan.editions import load_plan
from ratemod.plan.model import Plan
from ratemod.rating.rate import rate
from ratemod.rating.rated import Rated
from ratemod.rating.read import read_book

PLAN, AT, ROWS = "jilin-spli", date(2026, 1, 1), 300
TARGET = Path(__file__).parents[1] / "src" / "ratemod" / "demo" / "renewals.xlsx"
PROVINCE = Path(__file__).parents[1] / "data" / "province" / "renewals.parquet"
EXPIRING = "上年保费"
Cells = list[Any]
Rows = dict[str, Cells]


# Header in the list -> column of the province's renewal book.
HEADERS = {
    "保单号": "policy_no",
    "统一社会信用代码": "credit_code",
    "企业名称": "name",
    "行业领域": "sector",
    "规模": "size_class",
    "业务类型": "business",
    "起保日期": "start_date",
    "终保日期": "end_date",
    "从业人员": "staff",
    "投保人数": "heads",
    "每人限额": "limit_yuan",
    "近三年一般事故起数": "general_accidents",
    "近三年较大事故起数": "larger_accidents",
    "近三年重大及以上事故起数": "major_accidents",
    "无赔款年数": "claim_free_years",
    "重大隐患": "hazard_state",
    "逾期天数": "hazard_overdue_days",
    "标准化等级": "standardisation",
    "证书有效期": "certificate_expiry",
    "诚信等级": "integrity_grade",
    "联合惩戒": "blacklisted",
    "期望损失": "expected_losses_yuan",
    "期望初级损失": "expected_primary_losses_yuan",
    "实际初级损失": "actual_primary_losses_yuan",
    "实际超额损失": "actual_excess_losses_yuan",
    EXPIRING: "expiring_premium_yuan",
}


def renewals(plan: Plan) -> Rows:
    """Return the first renewals of the shipped province, in the words of a Chinese list: header -> cells."""
    table = pq.ParquetFile(PROVINCE).read().slice(0, ROWS)
    rows: Rows = {}
    for header, name in HEADERS.items():
        labels = {level.code: level.label_zh for level in plan.columns[name].levels}
        rows[header] = [labels.get(cell, cell) for cell in table[name].to_pylist()]
    rows["保单号"] = [f"JL2026-{number:05d}" for number in range(1, ROWS + 1)]
    rows["核保系数"], rows["调整理由"] = [None] * ROWS, [None] * ROWS
    for at in (5, 6):  # written in odd ways later, see spoil
        rows["从业人员"][at] = rows["投保人数"][at] = (1200, 35)[at - 5]
    rows["每人限额"][7] = 600_000
    return rows


def price(plan: Plan, rows: Mapping[str, Cells]) -> Rated:
    """Return the rows rated, every cell read as text."""
    texts = {
        header: pa.array([None if cell is None else str(cell) for cell in cells], pa.string())
        for header, cells in rows.items()
    }
    return rate(read_book(pa.table(texts), plan), plan, lang="zh", trace=True)


def judge(rows: Rows) -> None:
    """Put in a few factors chosen by underwriters, with their reasons."""
    for at, factor, reason in (
        (11, 0.95, "现场查勘：安全管理良好"),
        (58, 1.05, "现场查勘：用电线路老化"),
        (190, 0.9, "连续两年隐患整改及时"),
    ):
        rows["核保系数"][at], rows["调整理由"][at] = factor, reason


def spoil(rows: Rows) -> None:
    """Put in what lists have: mistakes, and odd ways of writing that are understood all the same."""
    understood = ((5, "投保人数", "1,200"), (6, "投保人数", "３５人"), (7, "每人限额", "60万元"))
    mistakes = (
        (16, "行业领域", "危险化学"),
        (17, "行业领域", "水产加工"),
        (48, "投保人数", "三十几"),
        (77, "投保人数", -5),
        (78, "投保人数", None),
        (101, "每人限额", 300_000),
        (131, "每人限额", "见附表"),
        (160, "终保日期", date(2025, 12, 31)),
        (202, "保单号", rows["保单号"][201]),
        (225, EXPIRING, None),
        (250, "规模", None),
        (271, "诚信等级", "E级"),
        (288, "核保系数", 0.8),
    )
    rows["业务类型"][225] = "续保"
    for at, header, value in understood + mistakes:
        rows[header][at] = value


def write(rows: Mapping[str, Cells], path: Path) -> None:
    """Write the list as a workbook; the same rows give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"created": datetime(2000, 1, 1), "title": "示例名册（虚构）"})
        bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
        sheet = book.add_worksheet("续保名册（虚构）")
        sheet.freeze_panes(1, 1)
        for at, (header, cells) in enumerate(rows.items()):
            sheet.write_string(0, at, header, bold)
            wide = max(len(str(cell or "").encode("gb18030")) for cell in cells[:50])
            sheet.set_column(at, at, max(10, 2 * len(header) + 2, wide + 2))
            for line, cell in enumerate(cells, start=1):
                if isinstance(cell, date):
                    sheet.write_datetime(line, at, cell, day)
                elif isinstance(cell, str):
                    sheet.write_string(line, at, cell)
                elif cell is not None:
                    sheet.write_number(line, at, cell)


def main() -> int:
    """Make the book and say how it prices."""
    plan = load_plan(PLAN, AT, "renewal")
    rows = renewals(plan)
    judge(rows)
    sound = price(plan, rows).counts
    spoil(rows)
    write(rows, TARGET)
    found = rate(read_book(TARGET, plan), plan, lang="zh")
    print(f"{TARGET}: {dict(found.counts)}; before the mistakes {dict(sound)}")
    for item in found.problems:
        print(" ", item.line("zh"))
    return 0 if sound["refused"] == 0 and 10 <= found.counts["refused"] <= 20 else 1


if __name__ == "__main__":
    sys.exit(main())
