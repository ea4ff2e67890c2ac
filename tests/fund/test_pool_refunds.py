"""Three years of a small pool by hand, from workbooks: instalments across years, co-insurers who change with the
renewal, a cancellation whose refund is paid in the next year, a deficit carried twice, a payment and a refund after the
year's end.

16 % of the premium received is levied, to the fen half-up by policy, borne by shares.

yuan                                      levy so far              whose
Q1  4,000.00 in July 2024,                640.00                   jia 70 %, yi 30 %:  448.00, 192.00
    4,000.00 in January 2025,             1,280.00                                     448.00, 192.00
    4,000.01 in April 2025                1,920.00 (1,920.0016)                        448.00, 192.00
Q2  renews Q1: 9,999.99 in July 2025      1,600.00 (1,599.9984)    jia, bing by halves: 800.00, 800.00
    cancelled 1 December 2025, -5,000.00
    repaid 15 January 2026                800.00 (799.9984)                           -400.00, -400.00
Q3  3,333.35 in February 2025             533.34 (533.336)         yi
Services: T1 of yi, 1,000.00, November 2024; T2 of yi, 200.00, December 2025; T3 of bing, 300.00, October 2025.
Paid: T1 at once; for T2 250.00 in December 2025, of which 50.00 come back in January 2026; T3 in February 2026.
"""

from __future__ import annotations

import datetime

import pandas as pd
import pyarrow.parquet as pq
import pytest

from ratemod.cli import main
from ratemod.vocabulary.codes.credit_code import check_character

RULES = """
[[rule]]
name = "received"
base = "received"
accrues = "shares"
floor = 0.10
share = 0.16
cap = 0.21
source = "made up"
"""
BODIES = ["91220101MA0000001A", "91220101MA0000001C"]
CODES = [body[:17] + str(check_character([body[:17]])[0]) for body in BODIES]


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def policy(number, code, insurer, start, end, premium, cancelled=None):
    return (number, code, insurer, "220100", "矿山", "中型", day(start), day(end), premium, cancelled)


LISTS = {
    "保单": (
        "保单号 统一社会信用代码 保险公司 行政区划代码 行业 企业规模 保险起期 保险止期 保费（元） 退保日期",
        [
            policy("Q1", CODES[0], "jia", "2024-07-01", "2025-07-01", 12_000.01),
            policy("Q2", CODES[0], "jia", "2025-07-01", "2026-07-01", 9_999.99, day("2025-12-01")),
            policy("Q3", CODES[1], "yi", "2025-02-01", "2026-02-01", 3_333.35),
        ],
    ),
    "批改": ("批单号 保单号 生效日期 保费变化（元）", [("E1", "Q2", day("2025-12-01"), -5_000.00)]),
    "保费收款": (
        "收款编号 保单号 收款日期 收款金额（元）",
        [
            ("R1", "Q1", day("2024-07-10"), 4_000.00),
            ("R2", "Q1", day("2025-01-10"), 4_000.00),
            ("R3", "Q1", day("2025-04-10"), 4_000.01),
            ("R4", "Q2", day("2025-07-05"), 9_999.99),
            ("R5", "Q2", day("2026-01-15"), -5_000.00),
            ("R6", "Q3", day("2025-02-03"), 3_333.35),
        ],
    ),
    "共保份额": (
        "保单号 保险公司 主承保 共保份额%",
        [("Q1", "jia", "是", 70), ("Q1", "yi", "否", 30), ("Q2", "jia", "是", 50), ("Q2", "bing", "否", 50)],
    ),
    "预防服务": (
        "服务编号 保单号 保险公司 服务类型 服务机构 计划日期 服务日期 服务费用（元）",
        [
            ("T1", "Q1", "yi", "隐患排查", "B1", day("2024-10-20"), day("2024-11-01"), 1_000.00),
            ("T2", "Q3", "yi", "隐患排查", "B1", day("2025-12-10"), day("2025-12-20"), 200.00),
            ("T3", "Q2", "bing", "隐患排查", "B2", day("2025-09-15"), day("2025-10-01"), 300.00),
        ],
    ),
    "预防费支付": (
        "付款编号 付款日期 保险公司 付款金额（元） 服务编号 用途",
        [
            ("G1", day("2024-11-20"), "yi", 1_000.00, "T1", "隐患排查服务费"),
            ("G2", day("2025-12-28"), "yi", 250.00, "T2", "隐患排查服务费"),
            ("G3", day("2026-01-20"), "yi", -50.00, "T2", "隐患排查服务费退回"),
            ("G4", day("2026-02-10"), "bing", 300.00, "T3", "隐患排查服务费"),
        ],
    ),
}


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pool")
    for name, (heads, rows) in LISTS.items():
        pd.DataFrame(rows, columns=heads.split()).to_excel(folder / f"{name}.xlsx", index=False)
    (folder / "levy.toml").write_text(RULES, encoding="utf-8")
    return folder


def ask(pool, table, at):
    out = pool / f"{table}.parquet"
    words = ["--province", str(pool), "--at", at, "--levy-rules", str(pool / "levy.toml"), "--lang", "zh"]
    assert main(["fund", "ledger", *words, "--sql", f"SELECT * FROM {table}", "--out", str(out)]) == 0
    return pq.read_table(out).to_pandas()


COLUMNS = ["opening_fen", "accrued_fen", "released_fen", "used_fen", "closing_fen", "paid_fen", "payable_fen"]


def test_three_years_by_hand(pool):
    state = ask(pool, "statement", "2026-12-31").set_index(["insurer", "fund_year"])
    expected = {
        ("jia", 2024): [0, 448_00, 0, 0, 448_00, 0, 0],
        ("jia", 2025): [448_00, 1_696_00, 0, 0, 2_144_00, 0, 0],
        ("jia", 2026): [2_144_00, 0, 400_00, 0, 1_744_00, 0, 0],
        ("yi", 2024): [0, 192_00, 0, 1_000_00, -808_00, 1_000_00, 0],
        ("yi", 2025): [-808_00, 917_34, 0, 200_00, -90_66, 250_00, -50_00],
        ("yi", 2026): [-90_66, 0, 0, 0, -90_66, -50_00, 0],
        ("bing", 2024): [0, 0, 0, 0, 0, 0, 0],
        ("bing", 2025): [0, 800_00, 0, 300_00, 500_00, 0, 300_00],
        ("bing", 2026): [500_00, 0, 400_00, 0, 100_00, 300_00, 0],
    }
    assert {key: state.loc[key, COLUMNS].tolist() for key in expected} == expected
    assert len(state) == len(expected)


def test_the_year_as_it_was_known_when_it_ended(pool):
    """On 31 December 2025 neither the repaid premium nor the returned 50.00 are known: T2 is paid above its cost."""
    state = ask(pool, "statement", "2025-12-31").set_index(["insurer", "fund_year"])
    assert state.loc[("bing", 2025), COLUMNS].tolist() == [0, 800_00, 0, 300_00, 500_00, 0, 300_00]
    assert state.loc[("yi", 2025), "closing_fen"] == -90_66
    above = [(row.payment_no, row.apart_fen) for row in ask(pool, "flags", "2025-12-31").itertuples()
             if row.rule == "actual_cost"]  # fmt: skip
    assert above == [("G2", 50_00)]
    later = ask(pool, "flags", "2026-12-31")
    assert "actual_cost" not in set(later["rule"]), "what came back is taken off"
    # 192.00 had been set aside when 1,000.00 were paid; in 2025 nothing was left beside the deficit but 109.34. T3 was
    # used in 2025, when 800.00 were there: that it is paid in 2026 is no overrun of 2026.
    over = later[later["rule"] == "within_budget"].set_index("payment_no")["apart_fen"]
    assert over.to_dict() == {"G1": 808_00, "G2": 250_00 - 109_34}
    state = ask(pool, "statement", "2026-12-31").set_index(["insurer", "fund_year"])["beyond_fen"]
    assert state[state > 0].to_dict() == {("yi", 2024): 808_00, ("yi", 2025): 200_00 - 109_34}
