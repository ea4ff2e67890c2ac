"""``ratemod registers`` and the register options of ``rate`` and ``explain``, as people call them."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

from ratemod.cli import main

DATA = Path(__file__).parents[2] / "data" / "province"
PLAN = ["--plan", "jilin-spli", "--at", "2026-01-01"]
NOUNS = ("hazards", "claims", "certificates", "integrity", "blacklist", "policies")
GIVEN = [word for noun in NOUNS for word in (f"--{noun}", str(DATA / f"{noun}.parquet"))]
BOOK = str(DATA / "renewals.parquet")


def test_the_authoritys_list_in_three_formats(tmp_path, capsys):
    made = {}
    for suffix in ("xlsx", "csv", "html"):
        for turn in range(2):
            target = tmp_path / f"list{turn}.{suffix}"
            command = ["registers", "authority-report", BOOK, *PLAN, *GIVEN, "-o", str(target), "--lang", "zh"]
            assert main(command) == 0
            made.setdefault(suffix, []).append(target.read_bytes())
    assert all(first == second for first, second in made.values())  # the same input, the same bytes
    assert "名单与已适用的上浮一致" in capsys.readouterr().out
    rows = list(csv.reader(made["csv"][0].decode("utf-8-sig").splitlines()))
    assert rows[0][:4] == ["行政区划代码", "行政区划", "行业", "统一社会信用代码"]
    sheets = openpyxl.load_workbook(tmp_path / "list0.xlsx")
    assert sheets.sheetnames == ["名单", "按地区和行业"]
    page = sheets["名单"]
    assert page["A1"].value == "拒不整改重大事故隐患投保单位名单"
    assert sum(1 for row in page.iter_rows(min_row=8, values_only=True) if row[0]) == len(rows) - 1 == 92
    assert made["html"][0].decode().count("<tr>") == len(rows) + 48 + 1


def test_a_list_that_does_not_agree_with_the_loadings_ends_with_code_3(tmp_path, capsys):
    import pyarrow.parquet as pq

    rows = pq.read_table(DATA / "hazards.parquet").to_pylist()
    firms = set(pq.read_table(BOOK)["credit_code"].to_pylist())
    refusing = [row for row in rows if row["refused_date"] and row["grade"] == "major" and row["credit_code"] in firms]
    wrong = dict(refusing[-1], hazard_id="wrong", due_date=refusing[-1]["found_date"].replace(year=2001))
    pq.write_table(pa.Table.from_pylist([*rows, wrong]), tmp_path / "hazards.parquet")
    command = ["registers", "authority-report", BOOK, *PLAN, "--lang", "en"]
    assert main([*command, "--hazards", str(tmp_path / "hazards.parquet")]) == 3
    out = capsys.readouterr().out
    assert "do NOT agree" in out and "RM240" in out and "RM248" in out
    assert main(command) == 1
    assert "--hazards" in capsys.readouterr().err


def test_the_coverage_gap(tmp_path, capsys):
    target = tmp_path / "gap.xlsx"
    files = [
        word
        for noun in ("enterprises", "policies", "endorsements")
        for word in (f"--{noun}", str(DATA / f"{noun}.parquet"))
    ]
    command = ["registers", "coverage", *PLAN, *files, "--from", "2025-01-01", "--until", "2026-01-01"]
    assert main([*command, "-o", str(target), "--lang", "zh"]) == 0
    assert "应投保 2892 户：未投保 203 户" in capsys.readouterr().out
    assert openpyxl.load_workbook(target).sheetnames == ["缺口明细", "按地区和行业"]
    assert main([*command[:-1], "2025-01-01", "--lang", "en"]) == 1
    assert "RM254" in capsys.readouterr().err


def test_controllable_for_one_firm_and_for_a_book(tmp_path, capsys):
    command = ["registers", "controllable", BOOK, *PLAN, *GIVEN, "--lang", "zh"]
    assert main([*command, "--key", "AZ20260400000108"]) == 0
    out = capsys.readouterr().out
    assert "现保费 410,920.14 元" in out and "标准化一级证书：41,092.01 元" in out
    assert main([*command, "-o", str(tmp_path / "out.csv")]) == 0
    rows = list(csv.reader((tmp_path / "out.csv").read_text("utf-8-sig").splitlines()))
    assert rows[0][0] == "保单号" and len(rows) == 2715
    assert main([*command, "-o", str(tmp_path / "out.doc")]) == 1
    assert "RM800" in capsys.readouterr().err


@pytest.mark.parametrize("report", ["authority-report", "controllable", "movement"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_rows_that_cannot_be_priced_are_named_with_their_reason(report, lang, tmp_path, capsys):
    """Of three renewals one has an optional cell that cannot be read: a blank there would have been priced."""
    import pyarrow.parquet as pq

    rows = pq.read_table(BOOK).slice(0, 3).to_pandas()
    rows.to_csv(tmp_path / "good.csv", index=False)
    rows["certificate_expiry"] = ["#REF!", *rows["certificate_expiry"].astype(str).replace("None", "")[1:]]
    rows.to_csv(tmp_path / "book.csv", index=False)
    command = ["registers", report, str(tmp_path / "book.csv"), *PLAN, "--lang", lang]
    if report == "authority-report":
        command += ["--hazards", str(DATA / "hazards.parquet")]
    for before in ("good.csv", "book.csv") if report == "movement" else ("",):
        more = ["--before", str(tmp_path / before)] if before else []
        assert main([*command, *more]) == 3
        out = capsys.readouterr().out
        assert "RM206" in out and "#REF!" in out and ("未定价原因" in out or "Why rows were not priced" in out)
    if report == "movement":  # the year before is held to the same
        command[2] = str(tmp_path / "good.csv")
        assert main([*command, "--before", str(tmp_path / "book.csv")]) == 3
        out = capsys.readouterr().out
        assert "RM206" in out and ("已比较：上年 2 行" in out or "Compared: last year 2 rows" in out)
        assert "18,611.18" in out  # the money of this year that has nothing to be compared with


def test_movement_between_two_years(tmp_path, capsys):
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(DATA / "policies.parquet")
    pq.write_table(table.filter(pc.equal(pc.year(table["start_date"]), 2025)), tmp_path / "2025.parquet")
    command = [
        "registers",
        "movement",
        BOOK,
        *PLAN,
        *GIVEN,
        "--before",
        str(tmp_path / "2025.parquet"),
        "--plan-before",
        "jilin-spli/2020-11",
        "--lang",
        "en",
    ]
    assert main([*command, "--key", "910000007600165908"]) == 0
    assert "from 424,781.88 to 410,920.14 yuan, -13,861.74 yuan" in capsys.readouterr().out
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "Compared: last year 2,517 rows" in out and "to compare: last year 135 rows" in out


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_rate_and_explain_use_registers_and_show_the_evidence(capsys, lang):
    assert main(["rate", BOOK, *PLAN, *GIVEN, "--lang", lang]) == 0
    out = capsys.readouterr().out
    assert "75,528,788.37" in out and "RM247" in out
    assert main(["explain", BOOK, *PLAN, "AZ20260400000108", *GIVEN, "--lang", lang]) == 0
    out = capsys.readouterr().out
    assert ("登记依据" if lang == "zh" else "Evidence from registers") in out
    assert "2024-08-01" in out


def test_without_registers_nothing_changes(capsys):
    assert main(["rate", BOOK, *PLAN, "--lang", "en"]) == 0
    out = capsys.readouterr().out
    assert "75,487,696.35" in out and "Filled from registers" not in out


def test_every_report_has_help_in_both_languages(capsys):
    for lang in ("zh", "en"):
        for report in ("authority-report", "coverage", "controllable", "movement"):
            assert main(["registers", report, "--help", "--lang", lang]) == 0
            assert report in capsys.readouterr().out
