"""The fund's verbs on the shipped province, from levy to subsidy, and their files."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ratemod.cli import main

PROVINCE = str(Path(__file__).parents[2] / "data" / "province")


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        (["levy"], "核对"),
        (["duties"], "未获服务"),
        (["allocate", "--most-visits", "3"], "每百万元预计减少事故"),
        (["subsidy", "--budget", "100000"], "示意"),
        (["ledger"], "超预算支付"),
    ],
)
def test_verbs_write_whole_files(verb, said, tmp_path, capsys):
    files = [tmp_path / f"out.{kind}" for kind in ("csv", "xlsx", "parquet")]
    for file in files if verb == ["levy"] else files[:1]:
        assert main(["fund", *verb, "--province", PROVINCE, "--out", str(file), "--lang", "zh"]) == 0
        assert said in capsys.readouterr().out
        assert file.stat().st_size > 1000
    assert sorted(os.listdir(tmp_path)) == sorted(file.name for file in tmp_path.iterdir())
    assert files[0].read_text(encoding="utf-8-sig").splitlines()[0].count('"') >= 8
    if verb == ["levy"]:
        table = pq.read_table(files[2])
        assert {"policy_no", "levy_fen", "ledger_fen"} <= set(table.column_names)
        assert table["levy_fen"].to_pylist() == table["ledger_fen"].to_pylist()


def test_workbook_has_labels_and_the_same_bytes_each_time(tmp_path):
    from python_calamine import CalamineWorkbook

    one, two = tmp_path / "one.xlsx", tmp_path / "two.xlsx"
    for file in (one, two):
        assert main(["fund", "duties", "--province", PROVINCE, "--out", str(file), "--lang", "zh"]) == 0
    assert one.read_bytes() == two.read_bytes()
    rows = CalamineWorkbook.from_path(one).get_sheet_by_name("未服务单位").to_python()
    assert rows[0][:2] == ["统一社会信用代码", "保险公司"]
    assert len(rows[1][0]) == 18


def test_a_missing_province_is_named(capsys):
    assert main(["fund", "levy", "--province", "nowhere", "--lang", "en"]) == 1
    assert "RM916" in capsys.readouterr().err


def test_the_ledger_answers_in_sql_and_refuses_one_that_does_not_balance(tmp_path, capsys):
    ask = "SELECT fund_year, sum(accrued_fen - released_fen)::BIGINT AS levy_fen FROM statement GROUP BY 1 ORDER BY 1"
    out = tmp_path / "answer.csv"
    assert main(["fund", "ledger", "--province", PROVINCE, "--sql", ask, "--out", str(out), "--lang", "en"]) == 0
    assert "2025" in capsys.readouterr().out
    assert len(out.read_text(encoding="utf-8-sig").splitlines()) == 6
    kept = pq.read_table(Path(PROVINCE) / "ledger.parquet").to_pandas()
    kept.loc[4, "amount_fen"] += 1
    kept.to_csv(tmp_path / "kept.csv", index=False)
    assert main(["fund", "ledger", "--province", PROVINCE, "--kept", str(tmp_path / "kept.csv"), "--lang", "en"]) == 1
    assert "Fund as kept" in capsys.readouterr().err
