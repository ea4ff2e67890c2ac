"""Headers of real lists: units above, below and over the table, and lines that are no rows."""

from decimal import Decimal

import pytest
from openpyxl import Workbook

from ratemod.reading.blocks import _over
from ratemod.reading.grid import Grid
from ratemod.reading.header import lexicon
from ratemod.reading.read import read_book
from ratemod.reading.tables import read_grids
from ratemod.vocabulary.column import Column

COLUMNS = {
    "name": Column("name", "text", label_zh="单位名称"),
    "heads": Column("heads", "number", label_zh="人数", unit="persons", decimals=0),
    "limit_yuan": Column("limit_yuan", "number", label_zh="每人赔偿限额", unit="yuan", decimals=2),
    "premium_yuan": Column("premium_yuan", "number", label_zh="保费", unit="yuan", decimals=2),
}
TEN_THOUSAND = Decimal(10_000)


@pytest.mark.parametrize(
    ("rows", "at", "units"),
    [
        ([["单位名称", "人数", "每人赔偿限额（万元）", "保费"]], 0, {"limit_yuan": TEN_THOUSAND}),
        ([["", "", "限额（万元）", ""], ["单位名称", "人数", "每人赔偿限额", "保费"]], 1, {"limit_yuan": TEN_THOUSAND}),
        ([["单位名称", "人数", "每人赔偿限额", "保费"], ["", "人", "（万元）", "元"]], 0, {"limit_yuan": TEN_THOUSAND}),
        ([["清单　　单位：万元"], ["单位名称", "人数", "每人赔偿限额", "保费（元）"]], 1, {"limit_yuan": TEN_THOUSAND}),
        ([["填报单位：某公司"], ["单位名称", "人数", "每人赔偿限额", "保费"]], 1, {}),
        # 甲 numbers the column, as statistical forms do: a row in which every figure is a unit is no record
        ([["单位名称", "人数", "每人赔偿限额", "保费"], ["甲", "人", "万元", "元"]], 0, {"limit_yuan": TEN_THOUSAND}),
        ([["单位名称", "人数", "每人赔偿限额", "保费"], ["", 3, "万元", ""]], 0, {}),
    ],
)
def test_units_around_the_header(rows, at, units):
    grid = Grid("list", None, [*rows, ["甲", "3", "40", "500"]], range(1, 9))
    (book,) = read_grids([grid], lexicon(COLUMNS))
    assert (book.receipt.parts[0].header_row, dict(book.conversions)) == (at + 1, units)
    assert len(book.receipt.parts[0].used) == 4


def test_footers_are_named_and_left_out(tmp_path):
    book = Workbook()
    sheet = book.active
    heads = ["单位名称", "人数", "每人赔偿限额", "保费", "备注"]
    for row in (
        ["承保清单"],
        ["（金额单位：万元）"],
        heads,
        ["甲", 3, 40, 0.05, ""],
        ["合计", 3, None, 0.05],
        ["制表人：张三", None, "审核：李四"],
        ["注：本表一式两份"],
    ):
        sheet.append(row)
    book.save(tmp_path / "list.xlsx")
    read = read_book(tmp_path / "list.xlsx", COLUMNS)
    assert read.table.num_rows == 1 and read.rows.tolist() == [4]
    assert [item.code for item in read.skipped] == ["RM272", "RM233", "RM231", "RM234"]
    assert read.receipt.left_out == {"total": 1, "line": 2, "title": 2, "head": 1}
    assert dict(read.conversions) == {"limit_yuan": TEN_THOUSAND, "premium_yuan": TEN_THOUSAND}


def test_a_firm_whose_name_begins_like_a_footer_stays(tmp_path):
    file = tmp_path / "list.csv"
    file.write_text("单位名称,人数,每人赔偿限额,保费,备注\n注册安全公司,,,,\n", encoding="utf-8")
    assert read_book(file, COLUMNS).table.num_rows == 1


@pytest.mark.parametrize(
    ("above", "below", "over"),
    [
        (
            ["从业人员", "", ""],
            ["一线", "管理", "其他"],
            ["从业人员"] * 3,
        ),  # written once, over the first of its columns
        (
            ["名称", "赔偿限额（元）", ""],
            ["名称", "限额", "死亡赔偿限额"],
            ["名称", "赔偿限额（元）", "赔偿限额（元）"],
        ),
        (
            ["", "人数", ""],
            ["名称", "人数合计", "一线"],
            ["", "人数", ""],
        ),  # the column below says it itself: a title of its own
    ],
)
def test_a_level_above_that_is_not_merged_holds_up_to_the_next(above, below, over):
    grid = Grid("list", None, [above, below], range(1, 3))
    assert [_over(grid, 0, place) for place in range(3)] == over
