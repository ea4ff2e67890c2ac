"""Make the demonstration book that ships with the package: ``python tools/make_demo_book.py``.

300 invented enterprises of Jilin under Chinese headers, as an underwriter's list looks, with the mistakes that lists
have. Every name is marked 示例 (example) and no credit code is a real one. The same seed gives the same file. Expiring
premiums are the plan's own, moved up or down, so that the renewal cap has work to do.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import xlsxwriter

from ratemod.book.credit_code import make as credit_codes
from ratemod.plan.editions import load_plan
from ratemod.plan.model import Plan
from ratemod.rating.rate import rate
from ratemod.rating.rated import Rated
from ratemod.rating.read import read_book

PLAN, AT, SEED, ROWS = "jilin-spli", date(2026, 1, 1), 20260101, 300
TARGET = Path(__file__).parents[1] / "src" / "ratemod" / "demo" / "renewals.xlsx"
CITIES = ("长春", "吉林市", "四平", "辽源", "通化", "白山", "松原", "白城", "延边")
# Sector as people write it, the word in a name, its share of the list, heads of a middling enterprise.
SECTORS = (
    ("矿山", "矿业", 0.14, 60),
    ("危险化学品", "化工", 0.22, 35),
    ("烟花爆竹", "烟花经营", 0.05, 8),
    ("交通运输", "运输", 0.20, 30),
    ("建筑施工", "建筑", 0.25, 50),
    ("民用爆炸物品", "民爆", 0.03, 40),
    ("金属冶炼", "冶金", 0.06, 120),
    ("渔业生产", "渔业", 0.05, 12),
)
SIZES = ("微型", "小型", "中型", "大型")
LIMITS, LIMIT_SHARES = (400_000, 500_000, 600_000, 800_000, 1_000_000), (0.5, 0.2, 0.15, 0.1, 0.05)
HAZARDS = ("无", "整改期内", "逾期未整改", "拒不整改", "已整改验收")
STANDARDS = ("未达标", "三级", "二级", "一级")
GRADES = ("AA级", "A级", "B级", "C级", "失信")
EXPIRING = "上年保费"
Cells = list[Any]
Rows = dict[str, Cells]


def invent(random: np.random.Generator) -> Rows:
    """Return the list without mistakes: header -> cells."""
    n = ROWS
    sector = random.choice(len(SECTORS), n, p=[share for _, _, share, _ in SECTORS])
    middle = np.array([heads for _, _, _, heads in SECTORS])[sector]
    staff = np.maximum(np.rint(random.lognormal(np.log(middle), 0.9)), 3).astype(int)
    staff[5:7] = 1200, 35  # written in odd ways later, see spoil
    start = [AT + timedelta(days=int(day)) for day in random.integers(0, 180, n)]
    hazard = random.choice(HAZARDS, n, p=(0.86, 0.05, 0.04, 0.01, 0.04))
    standard = random.choice(STANDARDS, n, p=(0.45, 0.35, 0.16, 0.04))
    renewal = random.random(n) < 0.85
    heads = np.where(random.random(n) < 0.03, np.maximum(staff - 2, 1), staff)
    heads[5:7] = staff[5:7]
    limit = random.choice(LIMITS, n, p=LIMIT_SHARES)
    limit[7] = 600_000
    return {
        "保单号": [f"JL2026-{number:05d}" for number in range(1, n + 1)],
        "统一社会信用代码": credit_codes("91000000", np.arange(1, n + 1) * 7919).tolist(),
        "企业名称": [
            f"{CITIES[city]}示例{SECTORS[trade][1]}{number:03d}号有限公司"
            for number, (city, trade) in enumerate(
                zip(random.integers(0, len(CITIES), n).tolist(), sector.tolist()), start=1
            )
        ],
        "行业领域": [SECTORS[trade][0] for trade in sector],
        "规模": [SIZES[at] for at in np.digitize(staff, (10, 50, 300))],
        "业务类型": ["续保" if old else "新保" for old in renewal],
        "起保日期": start,
        "终保日期": [day.replace(year=day.year + 1) for day in start],
        "从业人员": staff.tolist(),
        "投保人数": heads.tolist(),
        "每人限额": limit.tolist(),
        "近三年一般事故起数": random.poisson(0.08, n).tolist(),
        "近三年较大事故起数": random.poisson(0.01, n).tolist(),
        "近三年重大及以上事故起数": [0] * n,
        "无赔款年数": random.integers(0, 6, n).tolist(),
        "重大隐患": hazard.tolist(),
        "逾期天数": np.where(hazard == "逾期未整改", random.integers(5, 120, n), 0).tolist(),
        "标准化等级": standard.tolist(),
        "证书有效期": [
            None if level == "未达标" else AT + timedelta(days=int(day))
            for level, day in zip(standard.tolist(), random.integers(-60, 900, n))
        ],
        "诚信等级": random.choice(GRADES, n, p=(0.05, 0.5, 0.35, 0.08, 0.02)).tolist(),
        "联合惩戒": np.where(random.random(n) < 0.01, "是", "否").tolist(),
        EXPIRING: [100_000 if old else None for old in renewal],
        "核保系数": [None] * n,
        "调整理由": [None] * n,
    }


def price(plan: Plan, rows: Mapping[str, Cells]) -> Rated:
    """Return the rows rated, every cell read as text."""
    texts = {
        header: pa.array([None if cell is None else str(cell) for cell in cells], pa.string())
        for header, cells in rows.items()
    }
    return rate(read_book(pa.table(texts), plan), plan, lang="zh", trace=True)


def expire(plan: Plan, rows: Rows, random: np.random.Generator) -> None:
    """Put in expiring premiums: the plan's own before its cap, up to about a third higher or lower."""
    before = price(plan, rows).table["annual_premium"].to_pylist()
    drift = random.lognormal(-0.05, 0.2, ROWS).tolist()
    rows[EXPIRING] = [
        None if old is None else float(round(yuan * by)) for old, yuan, by in zip(rows[EXPIRING], before, drift)
    ]


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
    random = np.random.default_rng(SEED)
    rows = invent(random)
    expire(plan, rows, random)
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
