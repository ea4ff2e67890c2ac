"""A unit is obeyed or refused wherever a list states it: over a column, in names, remarks, margins and cell formats.

The figure is 1 and the amount 10,000 yuan, or the list is refused (RM264, RM265); 1 yuan is wrong.
"""

from __future__ import annotations

from decimal import Decimal

import openpyxl
import pytest
from openpyxl.comments import Comment

from ratemod.errors import BookError
from ratemod.reading.convert import convert
from ratemod.reading.read import read_table
from ratemod.reading.sheet_xml import shown_multiple
from ratemod.vocabulary.column import Column

COLUMNS = {
    "policy_no": Column("policy_no", "text", "Policy", "保单号"),
    "heads": Column("heads", "number", "Heads", "投保人数", unit="persons"),
    "premium": Column("premium", "number", "Premium", "保费", unit="yuan", decimals=2),
    "start_date": Column("start_date", "date", "Start", "起保日期"),
}
HEADS = ["保单号", "投保人数", "保费", "起保日期"]
ROW = ["P1", 30, 1, "2026-01-01"]


def amount(path):
    """Return the premium of the only row, None where the list is refused for its unit."""
    try:
        book = read_table(path, COLUMNS)
    except BookError as refusal:
        assert {item.code for item in refusal.problems} <= {"RM264", "RM265"}
        return None
    return Decimal(str(convert(book.table["premium"], COLUMNS["premium"], book.conversions.get("premium")).values[0]))


def saved(tmp_path, rows, touch=lambda sheet: None, title="list"):
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    touch(book.active)
    book.save(tmp_path / "list.xlsx")
    return tmp_path / "list.xlsx"


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("said", ["单位：万元", "金额单位：人民币 万元", "（万元）", "以万元计", "計量單位：萬圓"])
def test_a_line_over_any_column(tmp_path, said, place):
    found = amount(saved(tmp_path, [[None] * place + [said], HEADS, ROW]))
    assert found in (None, 10_000)
    assert found == 10_000 or place == 1 or "位" not in said


@pytest.mark.parametrize(
    "said",
    [
        "单位：人／万元",
        "单位：w",
        "RMB in ten thousands",
        "Currency: RMB; unit: 10 thousand",
        "单位：百百元",
        "W元",
        "本表单位为：万元",
    ],
)
def test_a_line_that_is_not_understood_is_refused(tmp_path, said):
    assert amount(saved(tmp_path, [[said], HEADS, ROW])) in (None, 10_000)


@pytest.mark.parametrize(
    "said", ["投保单位：吉林某矿业有限公司", "填报单位：安监局", "单位：某集团公司", "币种：人民币", "单位：人、元"]
)
def test_other_lines_are_no_units(tmp_path, said):
    assert amount(saved(tmp_path, [[said], HEADS, ROW])) == 1


def comment(sheet):
    sheet["C1"].comment = Comment("单位：万元", "x")


def margin(sheet):
    sheet.oddHeader.right.text = "单位：万元"


def suffix(sheet):
    sheet["C2"].number_format = '0.00"万元"'


@pytest.mark.parametrize("touch", [comment, margin, suffix])
def test_what_the_sheet_shows_beside_its_cells(tmp_path, touch):
    assert amount(saved(tmp_path, [HEADS, ROW], touch)) == 10_000


def test_the_name_of_the_sheet(tmp_path):
    assert amount(saved(tmp_path, [HEADS, ROW], title="清单（万元）")) in (None, 10_000)
    assert amount(saved(tmp_path, [HEADS, ROW], title="投保单位清单")) == 1


@pytest.mark.parametrize(
    ("code", "shown"),
    [('#,##0"万"', "万"), ("0.0千元", "千元"), ('0!.0,"万"', ""), ('0"人"', ""), ("0,", ""), ("0.00%", "")],
)
def test_a_format_that_scales_shows_what_the_cell_holds(code, shown):
    assert shown_multiple(code) == shown


@pytest.mark.parametrize("header", ["保费×10000", "保费（x10000）", "保费（¥万）"])
def test_a_multiple_beside_the_header(tmp_path, header):
    columns = {**COLUMNS, "premium": Column("premium", "number", "Premium", "保费金额", unit="yuan", optional=True)}
    path = saved(tmp_path, [[header.replace("保费", "保费金额") if one == "保费" else one for one in HEADS], ROW])
    with pytest.raises(BookError) as refusal:
        read_table(path, columns)
    assert refusal.value.problems[0].code in ("RM265", "RM336")


@pytest.mark.parametrize(("alias", "size"), [("管线长度（千米）", 1000), ("管线长度（米）", None)])
def test_the_unit_in_an_alias_of_the_plan(alias, size):
    length = Column("length", "number", "Length", "长度", aliases=(alias,), unit="metres")
    assert read_table([{alias: 6}], {"length": length}).conversions.get("length") == size


def test_an_alias_in_another_currency_is_refused():
    money = Column("limit", "number", "Limit", "保额", aliases=("保额（美元）",), unit="yuan")
    with pytest.raises(BookError, match="RM327"):
        read_table([{"保额（美元）": 1}], {"limit": money})


@pytest.mark.parametrize("target, size", [("保费", 1), ("保费（万元）", 10_000), (None, None)])
def test_a_unit_of_another_measure_is_told_as_that_until_the_user_says_what_the_header_means(target, size):
    rows = [dict(zip(HEADS, ROW)) | {"保费（吨）": 1}]
    rows[0].pop("保费")
    if target is None:
        with pytest.raises(BookError) as refusal:
            read_table(rows, COLUMNS)
        (told,) = refusal.value.problems
        assert (told.code, told.args["header"], told.args["unit"]) == ("RM336", "保费（吨）", "吨")
    else:
        book = read_table(rows, COLUMNS, header_map={"保费（吨）": target})
        assert book.conversions.get("premium", 1) == size and book.table["premium"].to_pylist() == [1]
