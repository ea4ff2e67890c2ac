"""Lists as branches and brokers send them: right to the fen, or refused by name, and every row accounted for.

The plan is that of `test_ugly_lists`, with a few columns more: the discount multiplies what is charged, so 80 % of the
12,500.00 of P1 is 10,000.00.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from ratemod.errors import BookError, problem
from ratemod.reading.convert import convert
from ratemod.reading.read import read_table
from ratemod.vocabulary.column import Column
from tests.reading.test_ugly_lists import (
    BOTH,
    COLUMNS,
    HEADS,
    P1,
    P2,
    TEN,
    YES,
    csv,
    named,
    premiums,
    second,
    sheet_of,
    text_of,
    touched,
)
from tests.reading.test_ugly_lists import filled_rows as rows_of_file

MORE = {
    **COLUMNS,
    "firm_name": Column("firm_name", "text", "Firm", "企业名称", identity="name", optional=True),
    "credit_code": Column(
        "credit_code", "text", "Credit code", "统一社会信用代码", identity="credit_code", optional=True
    ),
    "end_date": Column("end_date", "date", "End", "终保日期", optional=True, covered=True),
    "discount": Column(
        "discount",
        "number",
        "Discount",
        "费率浮动",
        unit="share",
        decimals=4,
        low=Decimal(0),
        high=Decimal(1),
        optional=True,
    ),
}
CODES = ("91220101MA0Y123456", "912201017028545670")
ONE: dict[str, Any] = {"P1": None, "P2": Decimal(4_200)}  # the first row is refused, the other right


def first(cell: Any, at: int) -> list[list[Any]]:
    """The two policies with one cell of the first written otherwise."""
    return [HEADS, [*P1[:at], cell, *P1[at + 1 :]], P2]


def hidden(book: Workbook) -> None:
    book.active.column_dimensions["D"].hidden = True


def two_encodings(folder: Path) -> Path:
    path = text_of(csv([HEADS, P1]))(folder)
    path.write_bytes(path.read_bytes() + csv([P2]).encode("gb18030"))
    return path


# name -> (file, the premiums that are right; a code where the list is refused)
LISTS: dict[str, tuple[Callable[[Path], Path], Any]] = {
    "side by side, the second narrower": (
        sheet_of([[*HEADS, None, *HEADS[:3], HEADS[4]], [*P1, None, "P2", "渔业", 20, "2026-01-01"]]),
        BOTH,
    ),
    "a note between rows": (sheet_of([HEADS, P1, ["注：此户已退保另保"], P2]), BOTH),
    "a sentence between rows": (
        sheet_of([HEADS, P1, ["以下为本年新增企业，已由支公司核实，请按正常费率计算。"], P2]),
        BOTH,
    ),
    "group merged over columns of two units": (
        touched(
            [
                [None, None, "规模", None, None],
                ["保单号", "行业", "投保人数（百人）", "上年保费（万元）", "起保日期"],
                ["P1", "矿山", 0.3, 1, "2026-01-01"],
            ],
            lambda book: book.active.merge_cells("C1:D1"),
        ),
        YES,
    ),
    "sheets in yuan and in fen": (
        touched(
            [HEADS, P2],
            lambda book: second(book, [[*HEADS[:3], "上年保费（分）", HEADS[4]], ["P1", "矿山", 30, 1_000_000, P1[4]]]),
        ),
        BOTH,
    ),
    "an amount in fen in its cell": (sheet_of(first("1000000分", 3)), BOTH),
    "serial day as text": (sheet_of(first("46023", 4)), BOTH),
    "serial day with an hour": (sheet_of(first(46023.5, 4)), ONE),
    "full-width figures": (
        sheet_of([HEADS, ["P1", "矿山", "３０", "１０，０００．００", "２０２６－０１－０１"], P2]),
        BOTH,
    ),
    "negative in brackets": (sheet_of(first("(10,000)", 3)), ONE),
    "minus behind": (sheet_of(first("10000-", 3)), ONE),
    "percent as text": (sheet_of([[*HEADS, "费率浮动"], [*P1, "80%"], [*P2, None]]), {**BOTH, "P1": Decimal(10_000)}),
    "percent in the header": (
        sheet_of([[*HEADS, "费率浮动（%）"], [*P1, 80], [*P2, None]]),
        {**BOTH, "P1": Decimal(10_000)},
    ),
    "eighty of one": (sheet_of([[*HEADS, "费率浮动"], [*P1, 80], [*P2, None]]), ONE),
    "eight tenths in words": (sheet_of([[*HEADS, "费率浮动"], [*P1, "八折"], [*P2, None]]), ONE),
    "subtotals of counties": (
        sheet_of(
            [
                ["区县", *HEADS],
                ["朝阳区", *P1],
                ["朝阳区小计", "", "", 30, 10000, ""],
                ["南关区", *P2],
                ["南关区 小计", "", "", 20, "", ""],
                ["合计", "", "", 50, 10000, ""],
            ]
        ),
        BOTH,
    ),
    "subtotals under a merged county": (
        touched(
            [["区县", *HEADS], ["朝阳区", *P1], [None, "小计", "", 30, 10000, ""], ["南关区", *P2]],
            lambda book: book.active.merge_cells("A2:A3"),
        ),
        BOTH,
    ),
    "lines of signature": (
        sheet_of(
            [
                HEADS,
                P1,
                P2,
                [],
                ["复核人（签字）：", "", "", "日期：    年  月  日", ""],
                ["经办部门：责任险部", "", "联系电话：0431-88888888"],
                ["经办：王芳    复核：李强    2026年1月5日"],
                ["（公章）"],
                ["2026年1月5日"],
            ]
        ),
        BOTH,
    ),
    "the day of signature in the last column": (sheet_of([HEADS, P1, P2, [None] * 4 + ["2026年1月5日"]]), BOTH),
    "one header twice": (sheet_of([[*HEADS, "上年保费"], [*P1, 9000]]), "RM222"),
    "one column in two units": (sheet_of([[*HEADS, "上年保费（万元）"], [*P1, 1]]), "RM222"),
    "two headers of one column, the first before all others": (
        sheet_of([["Policy", *HEADS], ["X1", *P1], ["X2", *P2]]),
        "RM222",
    ),
    "a hidden column": (touched([HEADS, P1, P2], hidden), BOTH),
    "a formula kept as text": (sheet_of(first("=30", 2)), ONE),
    "a code in scientific notation": (
        sheet_of([["统一社会信用代码", *HEADS], ["9.12201E+17", *P1], [CODES[1], *P2]]),
        ONE,
    ),
    "a code as a float": (sheet_of([["统一社会信用代码", *HEADS], [912201017028545670.0, *P1], [CODES[1], *P2]]), ONE),
    "a sheet an insurer": (
        touched([HEADS, P1], lambda book: second(book, [["太保产险承保清单"], HEADS, P2], title="太保产险")),
        BOTH,
    ),
    "a page with title and header again": (sheet_of([["承保清单"], HEADS, P1, ["承保清单（续）"], HEADS, P2]), BOTH),
    "carried forward": (
        sheet_of(
            [
                HEADS,
                P1,
                ["本页小计", "", 30, 10000, ""],
                ["过次页", "", 30, 10000, ""],
                ["第1页"],
                ["承前页", "", 30, 10000, ""],
                HEADS,
                P2,
            ]
        ),
        BOTH,
    ),
    "counts, means and last year's totals": (
        sheet_of(
            [
                HEADS,
                P1,
                P2,
                ["共 2 户", "", 50, 10000, ""],
                ["平均", "", 25, 10000, ""],
                ["本年累计", "", 50, 10000, ""],
                ["上年同期", "", 40, 9000, ""],
                ["同比增长", "", "25%", "11%", ""],
                ["合计（大写）", "壹万元整"],
            ]
        ),
        BOTH,
    ),
    "a total that nobody calls so": (
        sheet_of([HEADS, P1, P2, [None, None, 50, 10000, None]]),
        {**BOTH, "None": None},
    ),
    "unit in a footnote with a star": (sheet_of([[*HEADS[:3], "上年保费*", HEADS[4]], TEN, ["*单位：万元"]]), YES),
    "units of columns in a footnote": (sheet_of([HEADS, TEN, ["注：上年保费以万元计，人数以人计"]]), YES),
    "unit at the far right of the title": (sheet_of([["承保清单", None, None, None, "单位:万元"], HEADS, TEN]), YES),
    "tables below each other, each with its unit": (
        sheet_of([["单位：元"], HEADS, P2, [], ["单位：万元"], HEADS, TEN]),
        BOTH,
    ),
    "sections with units of their own": (
        sheet_of([["一、新保（单位：元）"], HEADS, P2, ["二、续保（单位：万元）"], HEADS, TEN]),
        BOTH,
    ),
    "headers of three levels": (
        sheet_of([["承保情况表", *[None] * 4], ["基本信息", None, "投保信息", None, None], HEADS, P1, P2]),
        BOTH,
    ),
    "headers that say how to write": (
        sheet_of(
            [
                [
                    "保单号*（必填）",
                    "行业（下拉）",
                    "投保人数（整数）",
                    "上年保费（元，两位小数）",
                    "起保日期（YYYY-MM-DD）",
                ],
                P1,
                P2,
            ]
        ),
        BOTH,
    ),
    "numbered by letters": (sheet_of([HEADS, ["甲", "乙", "1", "2", "3"], P1, P2]), BOTH),
    "a column without a name": (
        sheet_of([[HEADS[0], None, *HEADS[1:]], [P1[0], None, *P1[1:]], [P2[0], None, *P2[1:]]]),
        BOTH,
    ),
    "a list on its side": (
        sheet_of([["保单号", "P1", "P2"], ["行业", "矿山", "渔业"], ["投保人数", 30, 20], ["起保日期", P1[4], P2[4]]]),
        "RM692",
    ),
    "a list in one column": (
        sheet_of([["保单号 行业 投保人数 上年保费 起保日期"], ["P1 矿山 30 1 2026-01-01"]]),
        "RM221",
    ),
    "month first": (sheet_of(first("01/13/2026", 4)), ONE),
    "day with blanks": (sheet_of(first("2026 年 1 月 1 日", 4)), BOTH),
    "a moment of no time": (sheet_of(first(datetime(2026, 1, 1), 4)), BOTH),
    "year of two figures": (sheet_of(first("26-1-1", 4)), ONE),
    "a range of heads": (sheet_of(first("30-40", 2)), ONE),
    "a sum of heads": (sheet_of(first("20+10", 2)), ONE),
    "heads with a part": (sheet_of(first("30（其中井下20）", 2)), ONE),
    "half a head": (sheet_of(first(30.5, 2)), ONE),
    "yes for heads": (sheet_of(first(True, 2)), ONE),
    "blanks between thousands": (sheet_of(first("10 000", 3)), ONE),
    "commas and points as in Europe": (sheet_of(first("10.000,00", 3)), ONE),
    "an enumeration comma": (sheet_of(first("10、000", 3)), ONE),
    "ten thousand in words": (sheet_of(first("壹万元整", 3)), BOTH),
    "exempt": (sheet_of(first("免", 3)), ONE),
    "as above": (sheet_of([HEADS, P1, ["P2", "〃", 20, "同上", "同上"]]), {"P1": Decimal(12_500), "P2": None}),
    "two levels in a cell": (sheet_of(first("矿山、渔业", 1)), ONE),
    "a text export that keeps figures texts": (text_of(csv([HEADS]) + '="P1",矿山,="30",10000,="2026-01-01"\n'), YES),
    "the same in quotation marks": (text_of(csv([HEADS]) + '"=""P1""",矿山,30,10000,2026-01-01\n'), YES),
    "a text of DOS": (text_of(csv([HEADS, P1, P2]) + "\x1a"), BOTH),
    "a text that names its delimiter": (text_of("sep=;\n" + csv([HEADS, P1, P2]).replace(",", ";")), BOTH),
    "a text of an old Macintosh": (text_of(csv([HEADS, P1, P2]).replace("\n", "\r")), BOTH),
    "a text in columns of blanks": (
        text_of("保单号   行业   投保人数   起保日期\nP1    矿山   30   2026-01-01\n"),
        "RM221",
    ),
    "a text in two encodings": (
        two_encodings,
        "RM212",
    ),
}


def charged(book: Any) -> dict[str, Decimal | None]:
    """Price by hand what was read, with the discount where there is one."""
    found = premiums(book)
    for name in MORE.keys() - COLUMNS.keys():
        if name not in book.table.column_names:
            continue
        coded = convert(book.table[name], MORE[name], book.conversions.get(name))
        for at, key in enumerate(book.table["policy_no"].to_pylist()):
            amount = found[str(key)]
            if coded.problem_of is not None and coded.problem_of[at]:
                found[str(key)] = None
            elif name == "discount" and amount is not None and coded.values[at] == coded.values[at]:
                found[str(key)] = amount * Decimal(str(float(coded.values[at])))
    return found


def read(path: Path) -> Any:
    """Read the list; what the engine needs and the list lacks is refused as the engine does."""
    book = read_table(path, MORE)
    if not {"policy_no", "sector", "heads", "start_date"} <= set(book.table.column_names):
        raise BookError(problem("RM301", column="heads", label="投保人数"))
    return book


@pytest.mark.parametrize("kind", LISTS)
def test_right_or_refused_by_name(kind, tmp_path):
    make, right = LISTS[kind]
    path = make(tmp_path)
    try:
        book = read(path)
    except BookError as refusal:
        assert {item.code for item in refusal.problems} == {right}, str(refusal)
        return
    assert charged(book) == right, str(book.receipt)
    assert book.receipt.records == book.table.num_rows == len(right)
    text = path.suffix == ".csv" and path.read_bytes().replace(b"\r", b"\n").strip(b"\x1a").splitlines()
    rows = sum(map(bool, text)) if text else rows_of_file(path)
    beside = 1 if kind.startswith("side by side") else 0  # two records and two headers stand in one row each
    assert named(book) + book.receipt.records == rows + 2 * beside
