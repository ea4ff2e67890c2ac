"""Blank forms: made without replacing anything, filled in as far as people do, and read as what they filled in."""

from __future__ import annotations

from dataclasses import replace

import openpyxl
import pandas as pd
import pytest

import ratemod as rm
from ratemod.cli import main
from ratemod.errors import BookError
from ratemod.fund.fund_table import read_columns
from ratemod.publication.data import read_disclosed
from ratemod.reading.convert import convert
from ratemod.reading.read import read_table
from ratemod.reading.shared_table import read_shared
from ratemod.reading.table_check import check_tables
from ratemod.registers.complaints import complaints_of
from ratemod.registers.derive import derive_columns, read_registers
from ratemod.registers.register import read_register
from ratemod.vocabulary.table import column as word
from ratemod.vocabulary.table import table

CODE = "91220101MA0Y1AAA63"
CLAIMS = {
    "赔案号": ["C1", "C2"],
    "保单号": ["P1", "P1"],
    "统一社会信用代码": [CODE, CODE],
    "出险日期": ["2025-03-01", "2025-04-01"],
    "事故原因": ["坍塌", "坍塌"],
    "死亡人数（人）": [0, 0],
    "重伤人数（人）": [1, 0],
    "已付赔款（元）": ["100.01", "200.02"],
    "未决赔款（元）": ["0", "50"],
}
POLICIES = {
    "保单号": ["P1", "P2"],
    "统一社会信用代码": [CODE, CODE],
    "保险公司": ["A", "A"],
    "行政区划代码": ["220100", "220100"],
    "行业": ["矿山", "矿山"],
    "保险起期": ["2025-03-01", "2025-03-01"],
    "投保人数（人）": [30, 30],
}


def form(tmp_path, name, rows):
    """Fill some columns of the template of a table, and leave the others as they are."""
    place = tmp_path / f"{name}.xlsx"
    assert main(["data", "template", name, "-o", str(place), "--lang", "zh"]) == 0
    book = openpyxl.load_workbook(place)
    sheet = book.worksheets[0]
    heads = [cell.value for cell in sheet[1]]
    assert set(rows) <= set(heads), set(rows) - set(heads)
    sheet.delete_rows(2)
    for at in range(len(next(iter(rows.values())))):
        sheet.append([rows[head][at] if head in rows else None for head in heads])
    book.save(place)
    return place


def test_a_column_that_nobody_fills_counts_as_absent_at_every_door(tmp_path):
    """Losses, days of reports and settlements of a form of claims: nobody gives them, so none is missing in a row."""
    place = form(tmp_path, "赔案", CLAIMS)
    more = ("direct_loss_fen", "report_date", "settlement_date", "event_no")
    for source in (place, pd.read_excel(place, dtype=str, engine="openpyxl")):
        read = read_shared(source, "claims", ["claim_no"], more)
        assert not set(more) & set(read.cells) and read.good.tolist() == [True, True]
        assert list(read_columns(source, "claims", ("claim_no",), more, more).values) == ["claim_no"]
        assert not read_register(source, "claims").has("settlement_date")
    (verdict,) = check_tables(place)
    assert verdict.conforms and verdict.totals_fen() == {"paid": 30_003, "case_reserve": 5_000}


def test_a_column_that_somebody_fills_is_there_in_every_row(tmp_path):
    """A premium is published: of a form on which one of two rows has it the other is refused; without any none is."""
    half = read_disclosed(form(tmp_path, "保单", POLICIES | {"保费（元）": ["1,000.10", None]}), "policies")
    assert half.amount("premium").tolist() == [100_010]
    assert [(item.code, item.row) for item in half.refused] == [("RM201", 3)]
    (tmp_path / "b").mkdir()
    bare = read_disclosed(form(tmp_path / "b", "保单", POLICIES), "policies")
    assert bare.refused == () and bare.amount("premium").tolist() == [0, 0]


def test_a_needed_column_that_is_blank_throughout_is_named_once():
    blank = {"保单号": ["P1", "P2", "P3"], "信用代码": [None, "", " "], "起保日期": ["2025-03-01"] * 3}
    told = read_shared(blank, "policies", ["policy_no", "credit_code", "start_date"])
    assert [(item.code, item.row, item.count) for item in told.refused] == [("RM201", 1, 3)]
    plan = rm.load_plan("hunan-construction")
    book = pd.DataFrame({head: [None] * 3 for head in (column.label("zh") for column in plan.columns.values())})
    rated = rm.rate(book.assign(保单号=["P1", "P2", "P3"]), plan)
    assert all(item.count == 3 for item in rated.problems if item.code == "RM201")


def test_a_word_that_is_a_level_is_no_blank():
    """``none`` is a state of hazards, and a word for nothing elsewhere."""
    columns = {"hazard_state": word("hazard_state"), "heads": word("heads")}
    columns = {name: replace(one, optional=True) for name, one in columns.items()}
    book = read_table({"hazard_state": ["none", "none"], "heads": ["none", "/"]}, columns, shared="policies")
    assert book.table.column_names == ["hazard_state"]


def test_complaints_on_a_form_without_answers(tmp_path):
    rows = {"投诉编号": ["1"], "受理日期": ["2025-09-26"], "保险公司": ["A"], "投诉事项": ["理赔"]}
    rows |= {"答复日期": [None], "是否成立": [None]}
    found = complaints_of(rows, 2025, pd.Timestamp("2025-12-31").date())
    assert found.table["state"].to_pylist() == ["overdue"] and found.table["upheld"].to_pylist() == [False]


def test_an_expiring_premium_that_the_book_leaves_blank_throughout_is_that_of_the_register():
    plan = rm.load_plan("jilin-spli/2025-04")
    policies = {"保单号": ["P0"], "统一社会信用代码": [CODE], "保险起期": ["2025-03-01"], "保险止期": ["2026-03-01"]}
    registers = read_registers(policies=pd.DataFrame(policies | {"保费（元）": ["5,000.05"]}))
    for stated, right in ((None, 5000.05), ("10", None)):
        given = {"保单号": ["P1"], "统一社会信用代码": [CODE], "保险起期": ["2026-03-01"], "上年年保费": [stated]}
        found = derive_columns(read_table(pd.DataFrame(given), plan.columns), plan, registers).book
        assert right is None or found.table["expiring_premium_yuan"].to_pylist() == [right]
        assert right is not None or found.table["expiring_premium_yuan"].to_pylist() == ["10"]


def test_the_nearest_level_is_named_as_its_reader_calls_it():
    """``minning`` is a slip of an English label; whoever reads Chinese is told the Chinese one."""
    column = table("policies").columns["sector"]
    (told,) = convert(pd.array(["minning"]).__arrow_array__(), column).problems
    mining = next(level for level in column.levels if level.code == "mining")
    assert f"“{mining.label_zh}”" in told.what("zh") and f"'{mining.label_en}'" in told.what("en")
    assert "minning" in told.what("zh") and "minning" in told.what("en")


def test_the_sheet_that_explains_a_template_is_not_remarked(tmp_path):
    place = form(tmp_path, "赔案", CLAIMS)
    assert len(openpyxl.load_workbook(place).sheetnames) == 2
    assert [item.code for item in read_shared(place, "claims", ["claim_no"]).book.skipped if item.code == "RM274"] == []
    book = openpyxl.load_workbook(place)
    book.create_sheet("备忘").append(["请尽快填写"])
    book.save(place)
    told = read_shared(place, "claims", ["claim_no"]).book.skipped
    assert [item.sheet for item in told if item.code == "RM274"] == ["备忘"]


def test_a_template_replaces_nothing_and_editions_have_their_own(tmp_path, capsys):
    out = tmp_path / "lists"
    assert main(["data", "template", "jilin-spli/2020-11", "jilin-spli/2025-04", "-o", str(out), "--lang", "zh"]) == 0
    made = sorted(out.iterdir())
    assert len(made) == 2 and ["2020-11" in file.name for file in made] == [True, False]
    made[0].write_bytes(b"filled in by hand")
    capsys.readouterr()
    for target in (out, made[0]):
        assert main(["data", "template", "jilin-spli/2020-11", "-o", str(target), "--lang", "zh"]) == 1
        assert "RM698" in capsys.readouterr().err
    assert made[0].read_bytes() == b"filled in by hand"


def test_a_folder_is_made_for_good_names_alone(tmp_path, capsys):
    out = tmp_path / "lists"
    assert main(["data", "template", "保单", "polcies", "jilin-spl", "-o", str(out), "--lang", "en"]) == 1
    said = capsys.readouterr().err
    assert "'policies'" in said and "'jilin-spli'" in said and not out.exists()
    assert main(["data", "template", "保单", "赔案", "-o", str(tmp_path / "one.xlsx"), "--lang", "en"]) == 1
    assert "RM697" in capsys.readouterr().err and not (tmp_path / "one.xlsx").exists()
    assert main(["data", "template", "保单", "policies", "-o", str(out), "--lang", "en"]) == 0
    assert len(list(out.iterdir())) == 1


def test_names_of_tables_are_asked_for_in_one_way(tmp_path, capsys):
    (tmp_path / "x.csv").write_text("保单号\nP1\n", encoding="utf-8")
    for asked in (["tables", "保但"], ["check", str(tmp_path / "x.csv"), "--table", "保但"]):
        assert main(["data", *asked, "--lang", "zh"]) == 1
        assert "RM952" in (said := capsys.readouterr().err) and "“保单”" in said
    with pytest.raises(BookError, match="RM952"):
        check_tables(tmp_path / "x.csv", "保但")
    assert check_tables(tmp_path / "x.csv", "保单")[0].table.name == "policies"


def test_the_example_of_a_ledger_is_a_payment(tmp_path):
    place = tmp_path / "ledger.xlsx"
    assert main(["data", "template", "ledger", "-o", str(place), "--lang", "zh"]) == 0
    sheet = openpyxl.load_workbook(place).worksheets[0]
    assert dict(zip((cell.value for cell in sheet[1]), (cell.value for cell in sheet[2])))["分录类别"] == "支付"
