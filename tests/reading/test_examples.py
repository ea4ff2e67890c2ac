"""The example row of a template is named as skipped wherever it was left; a firm of such a name is not lost."""

from __future__ import annotations

import openpyxl
import pyarrow as pa
import pytest

import ratemod as rm
from ratemod.cli import main
from ratemod.reading.convert import convert
from ratemod.reading.read import read_table
from ratemod.vocabulary.column import Column
from tests.own_plan import own_plan

COLUMNS = {
    "policy_no": Column("policy_no", "text", "Policy", "保单号"),
    "name": Column("name", "text", "Name", "企业名称", optional=True),
    "heads": Column("heads", "number", "Heads", "投保人数", unit="persons"),
}
PLAN = "hunan-construction"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_template_that_is_filled_in_below_its_example_prices_what_was_filled_in(tmp_path, lang):
    place = tmp_path / "list.xlsx"
    assert main(["data", "template", PLAN, "-o", str(place), "--lang", lang]) == 0
    book = openpyxl.load_workbook(place)
    sheet = book.worksheets[0]
    shown = [cell.value for cell in sheet[2]]
    sheet.append(["GD-1", *shown[1:]])
    book.save(place)
    read = rm.read_book(place, rm.load_plan(PLAN))
    assert read.table["policy_no"].to_pylist() == ["GD-1"] and read.rows.tolist() == [3]
    assert read.receipt.left_out["example"] == 1
    assert [item.code for item in read.receipt.remarks if item.code == "RM323"] == ["RM323"]
    assert rm.rate(read, rm.load_plan(PLAN)).counts["rated"] == 1


def test_a_level_without_a_label_is_offered_under_its_code(tmp_path):
    body = """[column.kind_of_site]
kind = "level"
levels = [{ code = "pit", label_zh = "矿井" }, { code = "quarry" }]
[column.heads]
from = "heads"
[[step]]
name = "premium"
op = "round"
of = "heads"
unit = "0.01"
source = "s"
[[rule]]
name = "quarries"
when = { of = "kind_of_site", is = "quarry" }
action = "refer"
message_en = "a quarry"
message_zh = "采石场"
source = "s"
"""
    plan = own_plan(tmp_path, body)
    assert plan.level_labels("kind_of_site", "zh") == {"pit": "矿井", "quarry": "quarry"}
    place = tmp_path / "list.xlsx"
    assert main(["data", "template", plan.folder, "-o", str(place), "--lang", "zh"]) == 0
    offered = [rule.formula1 for rule in openpyxl.load_workbook(place).worksheets[0].data_validations.dataValidation]
    assert '"矿井,quarry"' in offered


MARKS = ["示例", "（示例）", "示例：P0", "例：P0", "样例", "Example", "example: P0", "填写示例"]


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("further", ["P2,乙厂,20\n", 'P2,"乙\n厂",20\n'])  # cut by Arrow, and by Python's csv
def test_the_mark_in_a_text_list(tmp_path, mark, further):
    place = tmp_path / "list.csv"
    place.write_text(f"保单号,企业名称,投保人数\n{mark},甲厂,10\n{further}", encoding="utf-8")
    read = read_table(place, COLUMNS)
    assert read.table["policy_no"].to_pylist() == ["P2"]
    assert read.receipt.left_out["example"] == 1 and read.receipt.parts[0].records == 1


@pytest.mark.parametrize("name", ["示例有限公司", "合计", "例外科技有限公司", "Example Mining Ltd", "样例厂"])
def test_a_firm_of_such_a_name_is_a_firm(tmp_path, name):
    rows = [["企业名称", "保单号", "投保人数"], [name, "P1", 10]]
    text, book = tmp_path / "list.csv", openpyxl.Workbook()
    text.write_text("".join(",".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "list.xlsx")
    for place in (text, tmp_path / "list.xlsx"):
        assert read_table(place, COLUMNS).table["name"].to_pylist() == [name]


def test_the_mark_alone_is_one_in_the_first_column_only(tmp_path):
    place = tmp_path / "list.csv"
    place.write_text("保单号,企业名称,投保人数\nP1,示例,10\nP2,示例：甲厂,10\n", encoding="utf-8")
    assert read_table(place, COLUMNS).table["policy_no"].to_pylist() == ["P1"]


def test_in_a_frame_the_example_is_refused_where_it_stands():
    coded = convert(pa.array(["示例：P0", "P1"]), COLUMNS["policy_no"])
    assert [item.code for item in coded.problems] == ["RM324"] and coded.problem_of.tolist() == [1, 0]
