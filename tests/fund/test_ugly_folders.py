"""Folders of insurers as they come: what is wrong is named, nothing is owed by silence, nobody is accused of it.

The lists are those of `test_papers_accounted`: A1 and A2 of the first insurer, 100,000 and 50,000 yuan, A3 and A4 of
the second, 20,000 and 30,000; 15 % is levied; S1 cost 6,000, S2 4,000, both of the first insurer and both paid.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from ratemod.cli import main
from tests.fund.test_papers_accounted import HAZARDS, INDICATOR, ask, day, lists, numbers, said


def more(frame: pd.DataFrame, *rows: tuple) -> pd.DataFrame:
    return pd.concat([frame, pd.DataFrame(rows, columns=frame.columns)]).astype(object)


def test_whose_levy_is_not_the_whole_is_not_told_to_have_overspent(tmp_path, capsys):
    """A1 stands in two ways and counts in neither: 7,500 of A2 are no bound for the 10,000 that were paid."""
    given = lists()
    given["保单"] = more(given["保单"], (*given["保单"].iloc[0, :8], 90_000.0))
    code, lines = ask(tmp_path, capsys, "ledger", given)
    assert code == 3 and numbers(lines, "甲财险")[2] == "7,500.00"
    assert numbers(lines, "甲财险")[-1] == "—" and numbers(lines, "不超预算") == ["0", "0", "0.00"]
    assert "甲财险有2张保单（可读出的保费共190,000.00元）" in (line := said(lines, "RM772")[0]) and "2026年起" in line
    given["预防费预算"] = pd.DataFrame({"保险公司": ["甲财险"], "费用年度": [2026], "预算金额（元）": [9_000.0]})
    code, lines = ask(tmp_path, capsys, "ledger", given)
    assert numbers(lines, "不超预算")[:2] == ["2", "1"] and not said(lines, "RM772"), "a budget that was given is one"


def test_a_policy_of_nobody_knows_whom_leaves_every_levy_open(tmp_path, capsys):
    given = lists()
    given["保单"].loc[2, "保险公司"] = None
    code, lines = ask(tmp_path, capsys, "ledger", given)
    assert code == 3 and "不明保险公司有1张保单（可读出的保费共20,000.00元）" in said(lines, "RM772")[0]
    assert {numbers(lines, name)[-1] for name in ("甲财险", "乙财险")} == {"—"}


def test_a_policy_cancelled_without_a_refund_is_told(tmp_path, capsys):
    given = lists()
    given["保单"]["退保日期"] = [day("2026-07-01"), day("2026-08-01"), day("2027-02-01"), day("2027-04-01")]
    heads = ["批单号", "保单号", "生效日期", "保费变化（元）"]
    given["批改"] = pd.DataFrame([("E1", "A2", day("2026-08-01"), -20_000.0)], columns=heads)
    code, lines = ask(tmp_path, capsys, "levy", given)
    assert code == 3 and numbers(lines, "甲财险")[5] == "19,500.00", "15 % of 100,000 and of 30,000"
    (line,) = said(lines, "RM773")  # A2 was refunded, A3 ends after the day, A4 on the last day of its term
    assert "“A1”" in line and "100,000.00元" in line and "保单.xlsx[Sheet1]:2" in line and "×" not in line
    given["保单"]["退保日期"] = [day("2025-12-01"), None, None, None]  # before it began
    given.pop("批改")
    (tmp_path / "批改.xlsx").unlink()
    code, lines = ask(tmp_path, capsys, "levy", given)
    assert code == 3 and said(lines, "RM240") and numbers(lines, "甲财险")[5] == "7,500.00"
    assert numbers(lines, "保单") == ["4", "3", "1", "0", "0", "0", "0", "100,000.00", "100,000.00"]


def test_budgets_of_every_year_are_in_the_ledger_or_later(tmp_path, capsys):
    given = lists()
    rows = [("甲财险", 2025, 30_000.0), ("甲财险", 2026, 20_000.0), ("甲财险", 2027, 1_000.0)]
    given["预防费预算"] = pd.DataFrame(rows, columns=["保险公司", "费用年度", "预算金额（元）"])
    out = tmp_path / "booked.xlsx"
    code, lines = ask(tmp_path, capsys, "ledger", given, "--out", str(out))
    assert numbers(lines, "预防费预算") == ["3", "2", "0", "0", "0", "1", "0", "50,000.00", "1,000.00"]
    state = pd.read_excel(out, sheet_name="汇总表", engine="calamine").set_index(["保险公司", "费用年度"])
    budgets = {year: state.loc[("甲财险", year), "预算（分）"] for year in (2025, 2026)}
    assert budgets == {2025: 3_000_000, 2026: 2_000_000}
    assert code == 0, "that of 2027 is not known yet"


def test_who_is_paid_is_in_the_list_of_service_bodies_with_a_qualification(tmp_path, capsys):
    given = lists()
    given["预防费支付"] = more(given["预防费支付"], ("F3", day("2026-07-01"), "甲财险", 100.0, None, "安全培训"))
    given["预防费支付"]["服务机构"] = [None, "服务乙 ", "服务丙"]  # F1 is of S1: 服务甲
    _, lines = ask(tmp_path, capsys, "ledger", given)
    assert numbers(lines, "服务机构有资质") == ["0", "0", "0.00"], "without a list nothing is looked at"
    assert numbers(lines, "服务机构无关联") == ["0", "0", "0.00"], "nor without a list of who is who"
    heads = ["服务机构", "名称", "资质"]
    rows = [("服务甲", "服务甲", None), ("服务乙", "服务乙", "安评乙级")]
    given["服务机构"] = pd.DataFrame(rows, columns=heads)
    out = tmp_path / "booked.xlsx"
    _, lines = ask(tmp_path, capsys, "ledger", given, "--out", str(out))
    assert numbers(lines, "服务机构有资质") == ["3", "2", "6,100.00"]
    flags = pd.read_excel(out, sheet_name="疑点", engine="calamine").query("规则 == '服务机构有资质'")
    assert flags["付款编号"].tolist() == ["F1", "F3"]
    assert flags["检查"].unique().tolist() == ["服务机构清单中无此机构或无资质"]
    given["服务机构"]["资质"] = None
    _, lines = ask(tmp_path, capsys, "ledger", given)
    assert numbers(lines, "服务机构有资质") == ["0", "0", "0.00"], "a list without qualifications tells nothing of them"


INSUREDS = pd.DataFrame({
    "保单号": ["A"], "统一社会信用代码": [""], "保险公司": ["甲"], "行业": ["矿山"], "企业规模": ["中型"],
    "行政区划代码": ["220102"], "保费（元）": [50_000], "年预期损失": [90_000.5], "保险起期": ["2026-01-01"],
})  # fmt: skip


def test_budgets_of_several_years_are_allocated_one_at_a_time(tmp_path, capsys):
    INSUREDS.to_excel(tmp_path / "待服务投保单位.xlsx", index=False)
    rows = [("甲", 2026, 20_000), ("甲", 2027, 30_000), ("甲", 2027, 30_000)]
    heads = ["保险公司", "费用年度", "预算金额（元）"]
    pd.DataFrame(rows, columns=heads).to_excel(tmp_path / "预防费预算.xlsx", index=False)
    words = ["fund", "allocate", "--province", str(tmp_path), "--lang", "zh"]
    assert main(words) == 1 and "2026, 2027" in (err := capsys.readouterr().err) and "RM774" in err
    assert main([*words, "--year", "2028"]) == 1 and "RM774" in capsys.readouterr().err
    assert main([*words, "--year", "2026"]) == 3, "RM750 a budget that stands twice is one"
    assert numbers(capsys.readouterr().out.splitlines(), "甲")[0] == "20,000.00"
    assert main([*words, "--year", "2027"]) == 3
    assert numbers(capsys.readouterr().out.splitlines(), "甲")[0] == "30,000.00"


def test_a_year_without_a_list_of_budgets_is_refused():
    from ratemod.errors import ModelError
    from ratemod.fund.allocate import allocate

    with pytest.raises(ModelError) as error:
        allocate(INSUREDS, {"甲": 100}, year=2026)
    assert error.value.problems[0].code == "RM775"


def test_shares_that_do_not_add_up_are_told_with_their_row(tmp_path, capsys):
    given = lists()
    rows = [("A1", "甲财险", "是", 60.0), ("A1", "乙财险", "否", 39.9), ("A2", "甲财险", "是", 100.0)]
    given["共保份额"] = pd.DataFrame(rows, columns=["保单号", "保险公司", "主承保", "共保份额%"])
    code, lines = ask(tmp_path, capsys, "levy", given)
    assert code == 3 and "99.9%" in (line := said(lines, "RM715")[0]) and "共保份额.xlsx[Sheet1]:2" in line


def test_a_year_before_the_first_paper_is_empty_and_one_that_has_not_begun_is_refused(tmp_path, capsys):
    code, lines = ask(tmp_path, capsys, "evaluate", lists(), "--year", "2025")
    assert code == 3 and any(line.startswith("计划服务0次，完成0次") for line in lines)
    assert main(["fund", "evaluate", "--province", str(tmp_path), "--at", "2026-12-31", "--year", "2027"]) == 1
    assert "RM777" in capsys.readouterr().err
    words = ["report", "year", str(tmp_path), "--year", "2025", "-o", str(tmp_path / "papers"), "--lang", "zh"]
    assert main(words) == 3 and "RM778" in capsys.readouterr().out, "nobody can be assessed before a policy began"


def test_a_hazard_that_stands_twice_is_one(tmp_path, capsys):
    given = lists()
    again = HAZARDS.iloc[[1]].assign(统一社会信用代码=HAZARDS.iloc[0]["统一社会信用代码"])
    given["隐患"] = pd.concat([HAZARDS, HAZARDS.iloc[[0]], again])
    code, lines = ask(tmp_path, capsys, "evaluate", given, "--year", "2026")
    assert code == 3 and any(line.startswith("发现隐患1项") for line in lines)
    assert "×2" in said(lines, "RM751")[0] and said(lines, "RM750"), "H2 is of two enterprises: of neither"


CARD = "".join(INDICATOR.format(name=name) for name in ("duty_met", "clean_payments"))


def test_an_indicator_without_events_is_nobodys_fault(tmp_path, capsys):
    """Nothing was paid: the second indicator, half of the weight, was 0 points of 50 for both insurers."""
    given = lists()
    given["预防服务"].loc[2, "服务日期"] = day("2026-12-15")
    given["保单"].loc[3, "保险止期"] = day("2026-12-31")  # due on 30 December, met
    given["预防费支付"] = given["预防费支付"].iloc[:0]
    (tmp_path / "card.toml").write_text(CARD, encoding="utf-8")
    words = ("--indicators", str(tmp_path / "card.toml"))
    code, lines = ask(tmp_path, capsys, "scorecard", given, *words)
    assert code == 3 and {numbers(lines, name)[0] for name in ("甲财险", "乙财险")} == {"100.0"}
    assert "2026" in (line := said(lines, "RM779")[0]) and "无疑点支付" in line


def test_a_corrected_payment_leaves_a_trail(tmp_path, capsys):
    """F1 of 60,000 was a slip for 6,000: F3 stands in its place from 1 July on; F4 corrects F3's purpose in 2027."""
    given = lists()
    given["预防费支付"].loc[0, "付款金额（元）"] = 60_000.0
    rows = [
        ("F3", day("2026-05-20"), "甲财险", 6_000.0, "S1", "隐患排查"),
        ("F4", day("2026-05-20"), "甲财险", 6_000.0, "S1", "隐患排查服务费"),
    ]
    given["预防费支付"] = more(given["预防费支付"], *rows)
    given["预防费支付"]["更正原付款编号"] = [None, None, "F1", "F3"]
    given["预防费支付"]["录入日期"] = [day("2026-05-21"), None, day("2026-07-01"), day("2027-02-01")]
    given["预防费支付"]["录入人"] = ["张三", None, "李四", "王五"]
    out = tmp_path / "booked.xlsx"
    code, lines = ask(tmp_path, capsys, "ledger", given, "--out", str(out))
    assert code == 0 and numbers(lines, "甲财险")[6] == "10,000.00"
    assert numbers(lines, "预防费支付") == ["4", "2", "0", "0", "0", "1", "1", "10,000.00", "66,000.00"]
    (trail,) = pd.read_excel(out, sheet_name="更正记录", engine="calamine").to_dict("records")
    assert [trail[name] for name in ("更正原付款编号", "原金额（分）", "付款编号", "录入人")] == [
        "F1",
        6_000_000,
        "F3",
        "李四",
    ]
    assert str(trail["录入日期"])[:10] == "2026-07-01"
    words = ["fund", "ledger", "--province", str(tmp_path), "--lang", "zh", "--at"]
    assert main([*words, "2026-06-30"]) == 0
    assert numbers(capsys.readouterr().out.splitlines(), "甲财险")[6] == "64,000.00", "as it was known"
    assert main([*words, "2027-03-01"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert any("2笔付款已更正" in line for line in told), "F3 was corrected too, and F4 stands"
    assert numbers(told, "预防费支付") == ["4", "2", "0", "0", "0", "0", "2", "10,000.00", "66,000.00"]


CORRECTED = [
    (["F9", None], "RM780", 2),  # of no payment
    (["F3", None], "RM780", 2),  # of itself
    (["F4", "F3"], "RM780", 2),  # of one another
    (["F1", "F1"], "RM781", 1),
]


@pytest.mark.parametrize(("corrects", "code", "used"), CORRECTED)
def test_a_correction_of_nothing_or_by_several_is_set_aside(tmp_path, capsys, corrects, code, used):
    given = lists()
    rows = [(f"F{at}", day("2026-05-20"), "甲财险", 6_000.0 + at, "S1", "隐患排查") for at in (3, 4)]
    given["预防费支付"] = more(given["预防费支付"], *rows[: sum(one is not None for one in corrects)])
    given["预防费支付"]["更正原付款编号"] = [None, None, *(one for one in corrects if one)]
    done, lines = ask(tmp_path, capsys, "ledger", given)
    assert done == 3 and corrects[0] in said(lines, code)[0]
    assert numbers(lines, "预防费支付")[1] == str(used)


def test_a_correction_in_a_list_without_numbers_is_set_aside(tmp_path, capsys):
    """No payment has a number, so the second row corrects none: 4,000 must not count beside what it was to replace."""
    given = lists()
    given["预防费支付"] = given["预防费支付"].drop(columns="付款编号").assign(更正原付款编号=[None, "F1"])
    code, lines = ask(tmp_path, capsys, "ledger", given)
    assert code == 3 and "F1" in said(lines, "RM780")[0]
    assert numbers(lines, "预防费支付")[:5] == ["2", "1", "0", "0", "1"] and numbers(lines, "甲财险")[6] == "6,000.00"


def test_a_budget_of_no_year_beside_others_of_a_year_is_refused():
    from ratemod.fund.case import read_budgets

    given = pd.DataFrame({"insurer": ["甲", "乙"], "fund_year": [2026, None], "amount_fen": [100, 200]})
    money, told = read_budgets(given)
    assert money == {"甲": 100} and len(told) == 1, "the other is of no year that anybody can tell"
    assert read_budgets(given.drop(columns="fund_year")) == ({"甲": 100, "乙": 200}, ())


def test_insureds_that_cannot_be_served_are_told_with_their_row():
    from ratemod.fund.allocate import allocate
    from ratemod.fund.catalogue import read_catalogue

    given = pd.concat([INSUREDS, INSUREDS.assign(保单号="B", 行政区划代码="220103")])
    one_place = replace(read_catalogue(), travel_fen={"220102": 0})  # nobody travels to 220103
    found = allocate(given, {"甲": 2_000_000}, catalogue=one_place)
    (told,) = [item for item in found.refused if item.code == "RM722"]
    assert (told.row, told.args["policy"], told.count) == (2, "B", 1) and "insureds" in told.where()
