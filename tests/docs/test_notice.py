"""Every command of the page on the notice runs on an insurer's own workbooks and gives what is computed by hand."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

from ratemod.cli import main
from tests.fund.test_papers_accounted import CODES, INDICATOR, day, lists, numbers

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "notice.md").read_text(encoding="utf-8")
COMMANDS = list(dict.fromkeys(re.findall(r"`ratemod ([^`]*(?:FOLDER)[^`]*)`", PAGE)))
RULES = """
[[duty]]
edition = "made up"
sector = "mining"
size_classes = ["small", "large"]
times_a_year = 2
accepted = ["hazard_inspection"]
source = "made up"
"""


def given() -> dict[str, pd.DataFrame]:
    found = lists()
    policies = found["保单"]
    policies["投保人数（人）"], policies["每人赔偿限额（元）"] = [100, 50, 20, 30], [400_000] * 4
    policies["约定年服务次数"], policies["约定服务项目"] = (
        [0, 1, None, 1],
        ["隐患排查", "宣传教育培训", None, "风险评估"],
    )
    policies["安全生产诚信等级"], policies["联合惩戒名单"], policies["重大事故隐患状态"] = "A", "否", "无"
    for grade in ("一般", "较大", "重大及以上"):
        policies[f"近三年{grade}事故起数"] = 0
    found["预防服务"].loc[1, "服务机构"] = "服务乙"
    firms = zip(
        [*CODES, "91220101MA0000005X"], ["矿山", "建筑施工", "矿山", "烟花爆竹", "金属冶炼"], [120, 50, 20, 30, 60]
    )
    heads = ["统一社会信用代码", "行政区划代码", "行业", "从业人员（人）"]
    found["企业名录"] = pd.DataFrame([(code, "220100", *own) for code, *own in firms], columns=heads)
    hazards = [
        ("H1", CODES[0], "重大", day("2026-05-01"), day("2026-06-01"), day("2026-05-20"), None),
        ("H2", CODES[1], "重大", day("2026-06-10"), day("2026-07-10"), None, day("2026-08-01")),
    ]
    heads = ["隐患编号", "统一社会信用代码", "隐患等级", "发现日期", "整改期限", "整改完成日期", "拒不整改认定日期"]
    found["隐患"] = pd.DataFrame(hazards, columns=heads)
    heads = ["投诉编号", "受理日期", "保险公司", "投诉事项", "答复日期"]
    found["投诉举报"] = pd.DataFrame([("K1", day("2026-03-02"), "甲财险", "理赔", day("2026-03-13"))], columns=heads)
    heads = ["赔案号", "保单号", "出险日期", "事故原因", "死亡人数", "重伤人数", "已付赔款（元）", "未决赔款（元）"]
    found["赔案"] = pd.DataFrame([("C1", "A1", day("2026-05-01"), "坍塌", 0, 1, 10_000, 5_000)], columns=heads)
    bodies = [("服务甲", "服务甲", "安评乙级"), ("服务乙", "服务乙", None)]
    found["服务机构"] = pd.DataFrame(bodies, columns=["服务机构", "名称", "资质"])
    found["保险公司"] = pd.DataFrame([("甲财险", "甲财险"), ("乙财险", "乙财险")], columns=["保险公司", "名称"])
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("notice")
    (place / "lists").mkdir()
    for name, frame in given().items():
        frame.astype(object).to_excel(place / "lists" / f"{name}.xlsx", index=False)
    (place / "rules.toml").write_text(RULES, encoding="utf-8")
    card = "".join(INDICATOR.format(name=name) for name in ("duty_met", "clean_payments"))
    (place / "card.toml").write_text(card, encoding="utf-8")
    return place


def of(folder, command, capsys):
    """Run a command of the page in Chinese; return its lines."""
    words = command.replace("RULES", "rules.toml").replace("CARD", "card.toml")
    words = [
        word.replace("FOLDER", str(folder / "lists")) if "FOLDER" in word
        else str(folder / word) if word in ("rules.toml", "card.toml", "OUT", "OUT.xlsx", "OUT.html")
        else str(folder / f"each{len(list(folder.glob('each*')))}") if word == "EACH"
        else word
        for word in shlex.split(words)
    ]  # fmt: skip
    code = main([*words, "--lang", "zh"])
    told = capsys.readouterr()
    assert code in (0, 3) and not told.err, told.err
    return told.out.splitlines()


SAID = {  # by the beginning of a command, words that its answer holds
    "registers coverage": ["应投保 5 户：未投保 1 户，未全期投保 3 户，未足员投保 1 户，限额不足 0 户；足额投保 0 户"],
    "report year": ["拒不整改重大隐患企业报告", "企业投保证明清单（截至日）", "投诉举报登记簿（工作日时限）"],
    "fund duties": [],
    "fund evaluate": ["计划服务3次，完成2次，占应完成的100.0%，实际成本10,000.00元。", "拒不整改1项"],
    "fund scorecard": ["得分"],
    "fund subsidy": ["财政预算10,000.00元"],
    "data check": ["200,000.00"],
    "report disclosure": ["未公布（未提供该清单）：预防费台账。", "20.00"],
    "fund levy": [],
    "fund ledger": [],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_of_the_page_run_on_an_insurers_own_workbooks(folder, command, capsys):
    lines = of(folder, command, capsys)
    kind = " ".join(command.split()[:2])
    for words in SAID[kind]:
        assert any(words in line for line in lines), (words, lines)
    if kind == "fund levy":
        assert [numbers(lines, name)[5] for name in ("甲财险", "乙财险")] == ["22,500.00", "7,500.00"]
    if kind == "fund duties" and "RULES" not in command:
        assert numbers(lines, "甲财险") == ["2", "2", "0", "0", "0", "0"], "owed, met"
        assert numbers(lines, "乙财险") == ["1", "0", "0", "0", "1", "0"], "owed, not yet due"
        (line,) = [line for line in lines if line.startswith("依规定应受服务的")]
        assert [int(many) for many in re.findall(r"([0-9]+)张", line)] == [3, 1, 1, 0, 0], "A1 promises 0, A2 training"
    if kind == "fund duties" and "RULES" in command:  # a promise of 1 a year still binds A2 and A4
        assert [numbers(lines, name)[0] for name in ("甲财险", "乙财险")] == ["3", "3"]
    if kind == "fund ledger":
        assert numbers(lines, "服务机构有资质") == ["2", "1", "4,000.00"]
        assert numbers(lines, "甲财险")[1:6] == ["0.00", "22,500.00", "0.00", "10,000.00", "12,500.00"]


def test_every_clause_with_a_command_is_walked():
    rows = [line for line in PAGE.splitlines() if line.startswith("| I")]
    assert len(rows) == 17 and all("`ratemod" in row for row in rows) and len(COMMANDS) == 14
