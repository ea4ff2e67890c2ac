"""The fund's verbs on a user's own folder: its own names, words and units, and only the tables that a verb needs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ratemod.cli import main

PROVINCE = Path(__file__).parents[2] / "data" / "province"
RENEWALS = {
    "policy_no": "保单号", "credit_code": "统一社会信用代码", "insurer": "承保公司", "division_code": "行政区划代码",
    "business": "业务类型", "start_date": "保险起期", "end_date": "保险止期", "sector": "所属行业",
    "size_class": "企业规模", "heads": "投保人数", "limit_yuan": "每人限额（万元）", "general_accidents": "一般事故",
    "larger_accidents": "较大事故", "major_accidents": "重大及以上事故", "claim_free_years": "连续无赔款年数",
    "hazard_state": "重大隐患", "hazard_overdue_days": "逾期天数", "standardisation": "标准化等级",
    "certificate_expiry": "证书有效期", "integrity_grade": "诚信等级", "blacklisted": "黑名单",
}  # fmt: skip
PANEL = {
    "policy_no": "保单号", "credit_code": "统一社会信用代码", "year": "年度", "insurer": "保险公司",
    "sector": "行业", "size_class": "规模", "earned_head_years": "已赚人年", "claims": "赔案数",
    "incurred_fen": "已发生赔款（元）",
}  # fmt: skip


def words_of(name: str) -> dict[str, str]:
    from ratemod.vocabulary.table import column, words

    return {level.code: level.label_zh for level in column(name).levels} if name in words() else {}


def said(frame: pd.DataFrame, headers: dict[str, str]) -> pd.DataFrame:
    frame = frame[list(headers)].astype(object)
    for name in frame.columns:
        if words_of(name):
            frame[name] = frame[name].map(words_of(name))
    for name, part in (("limit_yuan", 10_000), ("incurred_fen", 100)):
        if name in frame:
            frame[name] = frame[name] / part
    return frame.rename(columns=headers)


def read(name: str) -> pd.DataFrame:
    return pd.read_parquet(PROVINCE / f"{name}.parquet")


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    place = tmp_path_factory.mktemp("own")
    renewals = read("renewals").query("business == 'new'").iloc[:300].drop_duplicates("credit_code")
    said(renewals, RENEWALS).to_excel(place / "续保清单.xlsx", index=False)
    said(read("panel").iloc[:1500], PANEL).to_csv(place / "保单年度面板.csv", index=False, encoding="gb18030")
    plain = place / "plain"
    plain.mkdir()
    renewals[list(RENEWALS)].to_parquet(plain / "renewals.parquet")
    read("panel").iloc[:1500].to_parquet(plain / "panel.parquet")
    return place


@pytest.mark.parametrize("verb", [["allocate", "--most-visits", "2"], ["subsidy", "--budget", "50000"]])
def test_chinese_lists_give_the_same_file_as_the_plain_ones(own, tmp_path, capsys, verb):
    files = []
    for folder, file in ((own, tmp_path / "a.csv"), (own / "plain", tmp_path / "b.csv")):
        assert main(["fund", *verb, "--province", str(folder), "--out", str(file), "--lang", "zh"]) in (0, 3)
        capsys.readouterr()
        files.append(file.read_bytes())
    assert files[0] == files[1] and files[0].count(b"\n") > 5


def test_a_row_that_cannot_be_priced_is_said(own, tmp_path, capsys):
    folder = tmp_path / "f"
    folder.mkdir()
    frame = pd.read_parquet(own / "plain" / "renewals.parquet")
    frame["heads"] = frame["heads"].astype(object)
    frame.loc[frame.index[3], "heads"] = "约40"
    frame.astype(str).replace("None", "").to_csv(folder / "续保名册.csv", index=False)
    assert main(["fund", "subsidy", "--budget", "50000", "--province", str(folder), "--lang", "zh"]) == 3
    assert "约40" in capsys.readouterr().out


def test_insureds_and_budgets_are_enough(tmp_path, capsys):
    pd.DataFrame({
        "保单号": ["A", "B"], "统一社会信用代码": ["", ""], "保险公司": ["甲", "甲"], "行业": ["矿山", "渔业"],
        "企业规模": ["中型", "小型"], "行政区划代码": ["220102", "220102"], "保费（元）": [50000, 8000],
        "年预期损失": [90000.5, 4000], "保险起期": ["2026-01-01"] * 2,
    }).to_excel(tmp_path / "待服务投保单位.xlsx", index=False)  # fmt: skip
    pd.DataFrame({"保险公司": ["甲"], "费用年度": [2026], "预算金额（万元）": [2]}).to_csv(
        tmp_path / "预防费预算.csv", index=False
    )
    assert main(["fund", "allocate", "--province", str(tmp_path), "--lang", "zh"]) == 0
    assert "20,000.00" in capsys.readouterr().out


def test_what_is_missing_is_named(tmp_path, capsys):
    assert main(["fund", "allocate", "--province", str(tmp_path), "--lang", "zh"]) == 1
    assert "年度" in capsys.readouterr().err
