"""Ugly lists of policies for the levy: the base is right to the fen, or what is wrong is refused by name.

P1 pays 100,000 yuan and P2 200,000: the base is 300,000, or 100,000 where P2 is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from openpyxl import Workbook

import ratemod as rm
from ratemod.errors import BookError

H = ["保单号", "保险公司", "行业", "企业规模", "起保日期", "终保日期", "保费"]
A = ["P1", "甲财险", "矿山", "小型", "2025-01-01", "2026-01-01", 100_000]
B = ["P2", "乙财险", "建筑施工", "大型", "2025-03-01", "2026-03-01", 200_000]
A10, B20, TRADITIONAL = (
    [*A[:6], 10],
    [*B[:6], 20],
    ["保單號", "保險公司", "行業", "企業規模", "起保日期", "終保日期", "保費"],
)


def put(row: list[Any], place: int, cell: Any) -> list[Any]:
    return [*row[:place], cell, *row[place + 1 :]]


def merged(book: Workbook) -> None:
    book.active.merge_cells("B2:B3")


def hidden(book: Workbook) -> None:
    sheet = book.create_sheet("旧")
    sheet.sheet_state = "hidden"
    for row in (H, put(A, 6, 9)):
        sheet.append(row)


PERIOD = [
    [*H[:4], "保险期间", H[6]],
    [*A[:4], "2025-01-01至2025-12-31", 100_000],
    [*B[:4], "2025年3月1日零时起至2026年2月28日二十四时止", 200_000],
]
# name -> (rows of a sheet or a text, code where a policy or the list is refused, else None)
LISTS: dict[str, tuple[Any, str | None]] = {
    "plain": ([H, A, B], None),
    "unit in the header": ([put(H, 6, "保费（万元）"), A10, B20], None),
    "fen in the header": ([put(H, 6, "保费（分）"), put(A, 6, 10_000_000), put(B, 6, 20_000_000)], None),
    "unit in a line, traditional": ([["單位：萬元"], TRADITIONAL, put(A10, 2, "礦山"), B20], None),
    "unit in a row": ([H, ["", "", "", "", "", "", "万元"], A10, B20], None),
    "unit in a footer": ([H, A10, B20, ["注：金额单位均为万元"]], None),
    "units in cells": ([H, put(A, 6, "10万"), put(B, 6, "贰拾万元整")], None),
    "money marks": ([H, put(A, 6, "¥100,000.00"), put(B, 6, "200000元")], None),
    "subtotals": ([H, A, ["矿山小计", *[""] * 5, 100_000], B, ["合计", *[""] * 5, 300_000]], None),
    "numbered with a total": ([["序号", *H], [1, *A], [2, *B], ["", "合计", *[""] * 5, 300_000]], None),
    "header repeated": ([H, A, H, B], None),
    "an example": ([H, put(put(A, 0, "（示例）PX"), 6, 5), A, B], None),
    "days as numbers": ([H, put(put(A, 4, 20250101), 5, 20260101), B], None),
    "days with hours": ([H, put(put(A, 4, "2025年1月1日零时"), 5, "2025年12月31日24时"), B], None),
    "period in one cell": (PERIOD, None),
    "words in English": ([H, put(A, 2, "MINING"), put(B, 3, "Large")], None),
    "semicolons": ("\n".join(";".join(map(str, row)) for row in (H, A, B)), None),
    "other money in the header": ([put(H, 6, "保费（美元）"), A, B], "RM327"),
    "other money in a cell": ([H, put(A, 6, "$100,000"), B], "RM326"),
    "other money in a column": ([[*H, "币种"], [*A, "人民币"], [*B, "美元"]], "RM325"),
    "no unit at all": ([put(H, 6, "保费（箱）"), A, B], "RM336"),
    "two premiums": ([[*H, "保险费"], [*A, 1], [*B, 2]], "RM222"),
    "an error": ([H, A, put(B, 6, "#N/A")], "RM203"),
    "a blank premium": ([H, A, put(B, 6, None)], "RM201"),
    "a part of a fen": ([H, A, put(B, 6, 100_000.004)], "RM205"),
    "an unknown trade": ([H, A, put(B, 2, "采矿业务")], "RM202"),
    "a number that lost its end": ([H, A, put(B, 0, 9.1e17)], "RM207"),
    "no policy number": ([H, A, put(B, 0, " ")], "RM201"),
    "days beyond the calendar": ([H, A, put(B, 5, "9999-12-31")], "RM286"),
    "comma in a number": (",".join(H) + "\n" + ",".join(map(str, A[:6])) + ",100,000\n", "RM266"),
    "open quotation mark": (",".join(H) + '\n"' + ",".join(map(str, A)) + "\n", "RM267"),
}
TOUCHED: dict[str, Callable[[Workbook], None]] = {"merged insurer": merged, "hidden sheet of old": hidden}


def written(folder: Any, content: Any, touch: Callable[[Workbook], None] | None = None) -> Any:
    if isinstance(content, str):
        (folder / "list.csv").write_text(content, encoding="utf-8")
        return folder / "list.csv"
    book = Workbook()
    for row in content:
        book.active.append(row)
    if touch:
        touch(book)
    book.save(folder / "list.xlsx")
    return folder / "list.xlsx"


@pytest.mark.parametrize("name", LISTS)
def test_the_base_is_right_or_the_policy_is_named(tmp_path, name):
    content, code = LISTS[name]
    try:
        levied = rm.levy(written(tmp_path, content))
    except BookError as error:
        assert code in {item.code for item in error.problems}
        return
    assert ({item.code for item in levied.refused} or {None}) == {code}
    assert sum(levied.base_fen.tolist()) == (
        30_000_000 if code is None else 10_000_000 if "cell" not in name else 20_000_000
    )


@pytest.mark.parametrize("name", TOUCHED)
def test_what_stands_around_the_list_changes_nothing(tmp_path, name):
    rows = [H, A, put(B, 1, None) if name == "merged insurer" else B]
    levied = rm.levy(written(tmp_path, rows, TOUCHED[name]))
    assert sum(levied.base_fen.tolist()) == 30_000_000 and not levied.refused
    assert set(levied.insurer) == ({"甲财险"} if name == "merged insurer" else {"甲财险", "乙财险"})
