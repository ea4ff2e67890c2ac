"""An insurer's own workbooks with what goes wrong in them: every row and yuan is used or named, the rest goes on.

Two insurers, four policies of 100,000, 50,000, 20,000 and 30,000 yuan; 15 % of the premium is levied: 22,500 of the
first insurer, 7,500 of the second. It pays 6,000 and 4,000 yuan for two services of 6,000 and 4,000.
"""

from __future__ import annotations

import datetime

import pandas as pd
import pytest

from ratemod.cli import main
from ratemod.vocabulary.codes.credit_code import check_character

BODIES = [f"91220101MA00000{at:02d}" for at in range(1, 5)]
CODES = [body + str(end) for body, end in zip(BODIES, check_character(BODIES))]


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def lists() -> dict[str, pd.DataFrame]:
    """Return the lists without a fault."""
    policies = [
        ("A1", CODES[0], "甲财险", "220100", "矿山", "大型", day("2026-01-01"), day("2027-01-01"), 100_000.0),
        ("A2", CODES[1], "甲财险", "220100", "建筑施工", "中型", day("2026-02-01"), day("2027-02-01"), 50_000.0),
        ("A3", CODES[2], "乙财险", "220200", "矿山", "小型", day("2026-03-01"), day("2027-03-01"), 20_000.0),
        ("A4", CODES[3], "乙财险", "220200", "烟花爆竹", "中型", day("2026-04-01"), day("2027-04-01"), 30_000.0),
    ]
    heads = [
        "保单号",
        "统一社会信用代码",
        "保险公司",
        "行政区划代码",
        "行业",
        "企业规模",
        "保险起期",
        "保险止期",
        "保费（元）",
    ]
    services = [
        ("S1", "A1", "甲财险", "隐患排查", "服务甲", day("2026-05-01"), day("2026-05-01"), 6_000.0),
        ("S2", "A2", "甲财险", "风险评估", "服务甲", day("2026-06-01"), day("2026-06-10"), 4_000.0),
        ("S3", "A4", "乙财险", "隐患排查", "服务乙", day("2026-12-01"), None, None),
    ]
    payments = [
        ("F1", day("2026-05-20"), "甲财险", 6_000.0, "S1", "隐患排查服务费"),
        ("F2", day("2026-06-20"), "甲财险", 4_000.0, "S2", "风险评估服务费"),
    ]
    return {
        "保单": pd.DataFrame(policies, columns=heads).astype(object),
        "预防服务": pd.DataFrame(
            services,
            columns=[
                "服务编号",
                "保单号",
                "保险公司",
                "服务类型",
                "服务机构",
                "计划日期",
                "服务日期",
                "服务费用（元）",
            ],
        ).astype(object),
        "预防费支付": pd.DataFrame(
            payments, columns=["付款编号", "付款日期", "保险公司", "付款金额（元）", "服务编号", "用途"]
        ).astype(object),
    }


def ask(folder, capsys, verb, given=None, *words):
    """Write the lists, run a command on the last day of 2026, and return its exit code and its lines."""
    for name, frame in (given or {}).items():
        frame.to_excel(folder / f"{name}.xlsx", index=False)
    capsys.readouterr()
    code = main(["fund", verb, "--province", str(folder), "--at", "2026-12-31", "--lang", "zh", *words])
    return code, capsys.readouterr().out.splitlines()


def numbers(lines, first):
    """Return the cells of the line that begins with a word."""
    return next(line.split()[1:] for line in lines if line.startswith(first + " "))


def said(lines, code):
    """Return what is said under a code."""
    return [line for line in lines if line.strip().startswith(code)]


def test_without_a_fault_all_rows_are_used(tmp_path, capsys):
    code, lines = ask(tmp_path, capsys, "ledger", lists())
    assert code == 0
    # opening, accrued, released, used, closing, paid, beyond
    assert numbers(lines, "甲财险")[1:] == ["0.00", "22,500.00", "0.00", "10,000.00", "12,500.00", "10,000.00", "0.00"]
    assert numbers(lines, "乙财险")[1:6] == ["0.00", "7,500.00", "0.00", "0.00", "7,500.00"]
    # rows, used, refused, twice, set aside, later, not asked for, used and left out in yuan
    assert numbers(lines, "保单") == ["4", "4", "0", "0", "0", "0", "0", "200,000.00", "0.00"]
    assert numbers(lines, "预防费支付") == ["2", "2", "0", "0", "0", "0", "0", "10,000.00", "0.00"]
    assert not any("合成数据" in line for line in lines), "an insurer's own lists are not called synthetic"


def test_a_service_delivered_before_its_plan_is_used(tmp_path, capsys):
    given = lists()
    given["预防服务"].loc[1, "计划日期"] = day("2027-01-15")  # planned after the day, delivered before it
    code, lines = ask(tmp_path, capsys, "ledger", given)
    assert (code, numbers(lines, "甲财险")[4]) == (0, "10,000.00")
    assert numbers(lines, "仅用于服务") == ["2", "0", "0.00"]


def test_what_is_booked_to_another_insurer_is_told(tmp_path, capsys):
    given = lists()
    given["预防服务"].loc[1, "保险公司"] = "乙财险"
    code, lines = ask(tmp_path, capsys, "ledger", given)
    assert code == 3
    (served,), (paid,) = said(lines, "RM961"), said(lines, "RM962")
    assert "乙财险" in served and "甲财险" in served and "4,000.00元" in served and "预防服务.xlsx[Sheet1]:3" in served
    assert "首笔F2" in paid and "4,000.00元" in paid


def test_payments_of_rows_that_cannot_be_used_accuse_nobody(tmp_path, capsys):
    given = lists()
    given["预防服务"].loc[1, "服务日期"] = "2026-06-31"
    given["预防费支付"].loc[0, "保险公司"] = "甲财产险"
    code, lines = ask(tmp_path, capsys, "ledger", given)
    assert code == 3
    assert "4,000.00元" in said(lines, "RM963")[0] and len(said(lines, "RM206")) == 1
    assert numbers(lines, "仅用于服务")[1] == "0"
    assert "甲财险" in said(lines, "RM730")[0]
    assert numbers(lines, "预防费支付") == ["2", "1", "0", "0", "1", "0", "0", "4,000.00", "6,000.00"]
    assert numbers(lines, "预防服务") == ["3", "2", "1", "0", "0", "0", "0", "6,000.00", "4,000.00"]


def test_a_budget_that_cannot_be_read_is_not_nothing(tmp_path, capsys):
    given = lists()
    rows = [("甲财险", 2026, None), ("乙财险", 2026, 5_000.0), ("乙财险", 2026, 5_000.0), ("丁财险", 2026, 10.0)]
    given["预防费预算"] = pd.DataFrame(rows, columns=["保险公司", "费用年度", "预算金额（元）"]).astype(object)
    code, lines = ask(tmp_path, capsys, "ledger", given)
    assert code == 3 and numbers(lines, "甲财险")[-1] == "—" and numbers(lines, "不超预算")[1] == "0"
    assert "10,000.00元" in said(lines, "RM964")[0]
    assert numbers(lines, "预防费预算") == ["4", "1", "1", "1", "1", "0", "0", "5,000.00", "5,010.00"]


SHARES = '[[rule]]\nname = "r"\naccrues = "shares"\nfloor = 0.10\nshare = 0.15\nsource = "made up"\n'


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([("A1", "甲财险", "是", 60), ("A1", "乙财险", "否", 30)], "RM715"),
        ([("A1", "甲财险", "是", 0.6), ("A1", "乙财险", "否", 0.4)], "RM715"),
        ([("A1", "乙财险", "是", 60), ("A1", "丙财险", "否", 40)], "RM398"),
        ([("A1", "甲财险", "否", 60), ("A1", "乙财险", "否", 40)], "RM716"),
    ],
)
def test_wrong_shares_are_told_whoever_sets_the_levy_aside(tmp_path, capsys, rows, code):
    given = lists()
    given["共保份额"] = pd.DataFrame(rows, columns=["保单号", "保险公司", "主承保", "共保份额%"]).astype(object)
    done, lines = ask(tmp_path, capsys, "levy", given)
    assert done == 3 and "A1" in said(lines, code)[0]
    assert numbers(lines, "甲财险")[5] == "22,500.00", "by the rule the leader sets aside the whole, and that is said"
    assert any("主承保人全额计提" in line for line in lines)
    (tmp_path / "rules.toml").write_text(SHARES, encoding="utf-8")
    done, lines = ask(tmp_path, capsys, "levy", None, "--rules", str(tmp_path / "rules.toml"))
    assert done == 3 and said(lines, code) and "A1" in said(lines, "RM762")[0]
    assert numbers(lines, "甲财险")[5] == "7,500.00", "who bears A1 cannot be told; A2 is levied"
    assert numbers(lines, "保单") == ["4", "3", "0", "0", "1", "0", "0", "100,000.00", "100,000.00"]


def test_a_list_in_parts_is_read_as_one(tmp_path, capsys):
    """Two insurers' files, each with its own headers and units: 万元 and 分."""
    given = lists()
    policies = given.pop("保单")
    first = policies.iloc[:2].rename(
        columns={"保费（元）": "保费（万元）", "保险公司": "承保公司", "保险起期": "起保日期"}
    )
    first["保费（万元）"] = first["保费（万元）"].astype(float) / 10_000
    first.to_excel(tmp_path / "保单_甲财险.xlsx", index=False)
    other = policies.iloc[2:].rename(columns={"保费（元）": "保费（分）", "企业规模": "规模"})
    other["保费（分）"] = (other["保费（分）"].astype(float) * 100).astype(int)
    other.to_csv(tmp_path / "保单-乙.csv", index=False, encoding="gb18030")
    policies.to_excel(tmp_path / "续保计划.xlsx", index=False)
    code, lines = ask(tmp_path, capsys, "ledger", given)
    assert code == 0 and numbers(lines, "保单") == ["4", "4", "0", "0", "0", "0", "0", "200,000.00", "0.00"]
    assert any("续保计划.xlsx" in line for line in said(lines, "RM966")), "a file that is no list by its name is named"
    policies.to_excel(tmp_path / "保单.xlsx", index=False)
    assert main(["fund", "levy", "--province", str(tmp_path), "--at", "2026-12-31", "--lang", "zh"]) == 1
    assert "RM955" in capsys.readouterr().err, "which of them are parts is not said"


def test_lists_given_one_by_one_stand_alone(tmp_path, capsys):
    """Nothing is added to a user's lists from the synthetic province: what is missing is named."""
    for name, frame in lists().items():
        frame.to_excel(tmp_path / f"{name}.xlsx", index=False)
    given = {"policies": "保单", "services": "预防服务", "fund-payments": "预防费支付"}
    words = [word for name, file in given.items() for word in (f"--{name}", str(tmp_path / f"{file}.xlsx"))]
    assert main(["fund", "ledger", *words, "--at", "2026-12-31", "--lang", "zh"]) == 0
    assert numbers(capsys.readouterr().out.splitlines(), "甲财险")[2] == "22,500.00"
    assert main(["fund", "ledger", *words[2:], "--at", "2026-12-31", "--lang", "zh"]) == 1
    assert "RM954" in (err := capsys.readouterr().err) and "保单" in err


HAZARDS = pd.DataFrame(
    {
        "隐患编号": ["H1", "H2"],
        "统一社会信用代码": CODES[:2],
        "隐患等级": ["重大", "一般"],
        "发现日期": [day("2026-05-01")] * 2,
        "整改期限": [day("2026-06-01"), day("2027-06-01")],
        "整改完成日期": [day("2026-05-20"), None],
    }
)


def test_the_evaluation_is_of_the_services_that_the_ledger_books(tmp_path, capsys):
    """A small insurer has no policy years to estimate an effect on: its services are evaluated all the same."""
    given = lists() | {"隐患": HAZARDS}
    given["预防服务"]["满意度"] = [88.5, 0, None]  # a score of 0 is one
    given["预防服务"] = pd.concat([given["预防服务"], given["预防服务"].iloc[[0]]])  # S1 twice
    given["保单"].loc[1, "企业规模"] = "不详"  # what S2 may cost cannot be told: the ledger sets it aside
    code, lines = ask(tmp_path, capsys, "evaluate", given, "--year", "2026")
    assert code == 3 and len(said(lines, "RM750")) == 1
    assert numbers(lines, "甲财险") == ["1", "1", "0", "100.0%", "0", "88.5", "6,000.00"]
    assert "S2" in said(lines, "RM965")[0] and "4,000.00元" in said(lines, "RM963")[0]
    assert any("按期整改率100.0%" in line for line in lines), "what is not due yet is not counted"
    assert any("效果无法判断" in line for line in lines)


def test_what_aq_9010_asks_to_be_on_record(tmp_path, capsys):
    """By hand, of the first insurer's services S1 (1 May, two hazards) and S2 (10 June, none).

    Plan: S1 on the day before, S2 the day after it was served. Notice: of S1 alone it is due. Call-back: S1 only, S2's
    stands before the service. Archive: S2's is not known yet on 31 December. Complaints: 12 and 9 working days in March
    2026; one of 25 December without an answer, 4 working days old, is due in neither.
    """
    given = lists()
    services = given["预防服务"]
    services["服务方案日期"] = [day("2026-04-30"), day("2026-06-11"), None]
    services["发现隐患数"] = [2, 0, None]
    services["书面通知日期"] = [day("2026-05-02"), None, None]
    services["回访日期"] = [day("2026-05-09"), day("2026-06-09"), None]
    services["归档日期"] = [day("2026-06-01"), day("2027-01-04"), None]
    heads = ["投诉编号", "投诉日期", "保险公司", "投诉事项", "答复日期", "是否属实"]
    rows = [
        ("K1", day("2026-03-02"), "甲财险", "理赔", day("2026-03-18"), "是"),
        ("K2", day("2026-03-02"), "甲财险", "预防服务", day("2026-03-13"), "否"),
        ("K3", day("2026-12-25"), "甲财险", "预防服务", None, None),
    ]
    given["投诉举报"] = pd.DataFrame(rows, columns=heads).astype(object)
    out = tmp_path / "evaluation.xlsx"
    ask(tmp_path, capsys, "evaluate", given, "--year", "2026", "--out", str(out))
    table = pd.read_excel(out, sheet_name="留痕事项", engine="calamine").set_index("留痕事项（AQ 9010-2019）")
    assert table[["应有", "已有"]].T.to_dict("list") == {
        "服务前有方案": [2, 1],
        "隐患书面告知": [1, 1],
        "服务后回访": [2, 1],
        "资料归档": [2, 1],
        "投诉10个工作日内答复": [2, 1],
        "投诉30个工作日内答复": [2, 2],
    }
    # With a week of March off, as a user's own calendar has it, K1 was answered within 7 working days.
    own = tmp_path / "holidays.toml"
    own.write_text('[[year]]\nyear = 2026\noff = ["2026-03-09/2026-03-13"]\nworked = []\nsource = "made up"\n', "utf-8")
    ask(tmp_path, capsys, "evaluate", None, "--year", "2026", "--out", str(out), "--holidays", str(own))
    table = pd.read_excel(out, sheet_name="留痕事项", engine="calamine").set_index("留痕事项（AQ 9010-2019）")
    assert table.loc["投诉10个工作日内答复", ["应有", "已有"]].tolist() == [2, 2]


INDICATOR = """
[[indicator]]
name = "{name}"
measure = "{name}"
weight = 0.5
worst = 0
best = 1
source = "made up"
"""


def test_what_the_duties_and_the_ledger_set_aside_is_told_in_the_scorecard(tmp_path, capsys):
    given = lists()
    given["保单"].loc[1, "企业规模"] = "不详"
    (tmp_path / "card.toml").write_text(
        "".join(INDICATOR.format(name=name) for name in ("duty_met", "clean_payments")),
        encoding="utf-8",
    )
    code, lines = ask(tmp_path, capsys, "scorecard", given, "--indicators", str(tmp_path / "card.toml"))
    assert code == 3 and "不详" in said(lines, "RM202")[0]


def test_a_policy_of_an_unknown_insurer_is_named_with_its_row(tmp_path, capsys):
    known = pd.DataFrame({"保险公司": ["甲财险", "乙财险"]})
    given = lists() | {"保险公司": known}
    given["保单"].loc[[1, 3], "保险公司"] = "甲财产险"
    for name, frame in given.items():
        frame.to_excel(tmp_path / f"{name}.xlsx", index=False)
    assert main(["fund", "levy", "--province", str(tmp_path), "--at", "2026-12-31", "--lang", "zh"]) == 1
    (line,) = said(capsys.readouterr().err.splitlines(), "RM730")
    assert "保单.xlsx[Sheet1]:3" in line and "×2" in line and "甲财险" in line
