"""The shared tables as a standard: templates that read back, verdicts on rows and joins, a package others can check."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

import ratemod as rm
from ratemod.cli import main
from ratemod.reading.table_check import check_tables
from ratemod.vocabulary.data_package import field
from ratemod.vocabulary.table import tables

PROVINCE = Path(__file__).parents[2] / "data" / "province"
DAY = datetime.date(2026, 1, 1)


def test_the_shipped_province_conforms():
    verdicts = check_tables(PROVINCE)
    assert {one.table.name for one in verdicts} >= {"policies", "claims", "services", "ledger", "hazards"}
    assert [one.table.name for one in verdicts if not one.conforms] == []
    for one in verdicts:
        counts = one.counts
        assert counts["rows"] == counts["usable"] == pq.read_metadata(PROVINCE / f"{one.table.name}.parquet").num_rows


def test_the_shipped_province_is_valid_by_frictionless(tmp_path, monkeypatch):
    Package = pytest.importorskip("frictionless").Package

    assert main(["data", "package", str(PROVINCE), "-o", str(tmp_path / "datapackage.json"), "--lang", "en"]) == 0
    made = json.loads((tmp_path / "datapackage.json").read_text(encoding="utf-8"))
    for one in made["resources"]:  # the library reads Parquet with a further library only; the cells are the same
        pc.write_csv(pq.read_table(PROVINCE / one["path"]), tmp_path / f"{one['name']}.csv")
        one |= {"path": f"{one['name']}.csv", "format": "csv"}
    assert sum(len(one["schema"].get("foreignKeys", ())) for one in made["resources"]) >= 10
    (tmp_path / "datapackage.json").write_text(json.dumps(made), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    report = Package("datapackage.json").validate()
    assert report.valid, report.flatten(["name", "rowNumber", "fieldName", "type", "message"])[:5]


def test_a_package_of_ones_own_names_a_stray_and_a_wrong_word(tmp_path, monkeypatch):
    Package = pytest.importorskip("frictionless").Package

    (tmp_path / "保险公司.csv").write_text("保险公司,名称\nx,示例\n", encoding="utf-8")
    (tmp_path / "共保.csv").write_text("保单号,保险公司,主承保,共保份额%\nA,x,是,60\nA,y,不详,40\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["data", "package", ".", "--lang", "zh"]) == 0
    found = Package("datapackage.json").validate().flatten(["rowNumber", "type"])
    assert sorted(found) == [[3, "constraint-error"], [3, "foreign-key"]]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", [name for name in tables() if name not in ("variables", "renewals")])
def test_the_example_row_of_a_template_reads_back(tmp_path, name, lang):
    place = tmp_path / "list.xlsx"
    assert main(["data", "template", name, "-o", str(place), "--lang", lang]) == 0
    (untouched,) = check_tables(place, name)
    assert untouched.counts["rows"] == 0
    unmarked(place)
    (verdict,) = check_tables(place, name)
    assert verdict.problems == () and verdict.counts["usable"] == 1
    assert len(verdict.rows.cells) == len(verdict.table.fields())
    sheets = openpyxl.load_workbook(place)
    first, explained = sheets.worksheets
    assert all(cell.comment is not None for cell in first[1])
    assert explained.max_row == 1 + len(verdict.table.fields())


def unmarked(place: Path) -> None:
    """Write over the marks of an example, as a person would."""
    book = openpyxl.load_workbook(place)
    for cell in book.worksheets[0][2]:
        if isinstance(cell.value, str):
            cell.value = re.sub("^(示例|example)(：|: )?", "", cell.value) or "A1"
    book.save(place)


def test_a_template_of_a_plan_is_a_list_to_be_priced(tmp_path):
    place = tmp_path / "list.xlsx"
    assert main(["data", "template", "jilin-spli/2025-04", "-o", str(place), "--lang", "zh"]) == 0
    plan = rm.load_plan("jilin-spli/2025-04")
    unmarked(place)
    book = rm.read_book(place, plan)
    assert set(plan.columns) <= set(book.table.column_names)
    assert rm.rate(book, plan).refused.num_rows == 0


def folder(place: Path) -> Path:
    pd.DataFrame(
        {
            "保单号": ["A", "B", "C", "C"],
            "统一社会信用代码": ["F1", "F2", "F3", "F3"],
            "保险公司": ["x"] * 4,
            "行政区划代码": ["220100"] * 4,
            "行业": ["矿山", "矿山业", "建筑施工", "建筑施工"],
            "保险起期": [DAY] * 4,
            "保险止期": [datetime.date(2027, 1, 1)] * 4,
            "投保人数": [10] * 4,
            "每人限额": [400_000] * 4,
            "保费": [1000.01, 2000, 3000, 3000],
            "备注": ["", "请核", "", ""],
        }
    ).to_csv(place / "保单.csv", index=False, encoding="utf-8-sig")
    pd.DataFrame({"赔案号": ["K1", "K2"], "评估日": [DAY, DAY], "已付赔款": [1, 2], "未决赔款": [0, 0]}).to_excel(
        place / "赔案评估.xlsx", index=False
    )
    pd.DataFrame(
        {
            "保单号": ["A", "Z"],
            "赔案号": ["K1", "K3"],
            "出险日期": [DAY, DAY],
            "事故原因": ["坠落", "触电"],
            "死亡人数": [0, 0],
            "重伤人数": [0, 0],
            "已付赔款": [1, 2],
            "未决赔款": [0, 0],
        }
    ).to_csv(place / "claims.csv", index=False)
    return place


def test_every_row_and_every_join_gets_its_verdict(tmp_path):
    verdicts = {one.table.name: one for one in check_tables(folder(tmp_path))}
    policies = verdicts["policies"]
    assert policies.counts == {"rows": 4, "usable": 2, "refused": 1, "twice": 1}
    assert [item.code for item in policies.problems] == ["RM202", "RM242", "RM284"]  # made-up codes
    assert policies.totals_fen() == {"premium": 400_001}
    (stray,) = verdicts["claims"].strays
    assert (stray.code, stray.args["keys"], stray.count, stray.args["rows"]) == ("RM396", "Z", 1, 2)
    assert stray.args["money"] == ", 2.00 yuan"
    (stray,) = verdicts["valuations"].strays
    assert (stray.args["keys"], stray.args["into"]) == ("K2", "Claims")


def test_the_rows_to_send_back_have_their_headers_and_reasons(tmp_path, capsys):
    back = tmp_path / "back.xlsx"
    assert main(["data", "check", str(folder(tmp_path)), "--refused", str(back), "--lang", "zh"]) == 3
    rows = pd.read_excel(back, sheet_name="保单", dtype=str, engine="openpyxl")
    assert rows["保单号"].tolist() == ["B", "C"] and rows["备注"].tolist()[0] == "请核"
    assert rows["原行号"].tolist() == ["3", "5"]
    assert "“矿山业”" in rows["原因"][0] and "“矿山”" in rows["原因"][0]
    assert "不符合" in capsys.readouterr().out


def test_a_file_that_does_not_say_what_it_is_must_be_told(tmp_path, capsys):
    folder(tmp_path)
    (tmp_path / "保单.csv").rename(tmp_path / "list.csv")
    assert main(["data", "check", str(tmp_path / "list.csv"), "--lang", "en"]) == 1
    assert "RM957" in capsys.readouterr().err
    assert main(["data", "check", str(tmp_path / "list.csv"), "--table", "polices", "--lang", "en"]) == 1
    assert "did you mean 'policies'" in capsys.readouterr().err
    assert main(["data", "check", str(tmp_path / "list.csv"), "--table", "policies", "--lang", "en"]) == 3


def test_a_list_that_lacks_required_columns_is_told_them_all(tmp_path, capsys):
    pd.DataFrame({"保单号": ["A"]}).to_csv(tmp_path / "policies.csv", index=False)
    assert main(["data", "check", str(tmp_path), "--lang", "en"]) == 1
    (verdict,) = check_tables(tmp_path)
    assert {item.args["name"] for item in verdict.lacking} >= {"credit_code", "premium_fen", "heads"}


@pytest.mark.parametrize("name", sorted(tables()))
def test_a_column_that_a_table_needs_is_required_in_its_schema(name):
    declared = tables()[name]
    for column in declared.columns.values():
        needed = declared.noun(column.name) in declared.required and declared.noun(column.name) not in declared.open
        limits = field(declared, column, column.name, "en").get("constraints", {})
        assert limits.get("required", False) is needed
