"""Two years of a small pool, computed by hand, from lists with Chinese headers in yuan through the command line.

Three insurers. Until 2025 a tenth of the premium written is levied; from 2025 a fifth of the premium received, at most
21 %, to the fen half-up, never below a tenth (rounded up).

2024, yuan                              levy                         whose
P1  100,000.00, 60 : 40                 10,000.00                    jia 6,000.00, yi 4,000.00
P2   33,333.33 at inception              3,333.34 (3,333.333 is      yi
     -3,333.33 endorsed: 30,000.00       below a tenth), then        yi -333.34
                                         3,000.00
P3   50,000.00, cancelled, -25,000.00    5,000.00, then 2,500.00     bing 5,000.00, -2,500.00
2025
P4  three instalments of 10,000.03      2,000.006 -> 2,000.01        50 : 30 : 20 of 2,000.01, 4,000.01, 6,000.02 so far
                                        4,000.012 -> 4,000.01        jia  1,000.01 2,000.01 3,000.01
                                        6,000.018 -> 6,000.02        yi     600.00 1,200.00 1,800.01
                                                                     bing   400.00   800.00 1,200.00
P5   20,000.00 received, -5,000.00       4,000.00, then 3,000.00     yi 4,000.00, -1,000.00
P6  stands twice with two premiums: neither counts, the others do.
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
name = "2024"
until = 2025-01-01
floor = 0.10
share = 0.10
source = "made up"

[[rule]]
name = "2025"
from = 2025-01-01
base = "received"
floor = 0.10
share = 0.20
cap = 0.21
source = "made up"
"""


BODIES = [f"91220101MA00000{at:02d}" for at in range(1, 7)]
CODES = {f"P{at}": body + str(end) for at, (body, end) in enumerate(zip(BODIES, check_character(BODIES)), start=1)}


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def policy(number, insurer, sector, size, start, premium, cancelled=None):
    begin = day(start)
    end = begin.replace(year=begin.year + 1)
    return (number, CODES[number], insurer, "220100", sector, size, begin, end, premium, cancelled)


LISTS = {
    "保单": (
        [
            "保单号",
            "统一社会信用代码",
            "保险公司",
            "行政区划代码",
            "行业",
            "企业规模",
            "保险起期",
            "保险止期",
            "保费（元）",
            "退保日期",
        ],
        [
            policy("P1", "jia", "矿山", "大型", "2024-01-01", 100_000.00),
            policy("P2", "yi", "建筑施工", "中型", "2024-03-01", 33_333.33),
            policy("P3", "bing", "矿山", "大型", "2024-02-01", 50_000.00, day("2024-08-01")),
            policy("P4", "jia", "矿山", "大型", "2025-01-01", 30_000.09),
            policy("P5", "yi", "建筑施工", "中型", "2025-04-01", 40_000.00),
            policy("P6", "yi", "建筑施工", "中型", "2025-05-01", 10_000.00),
            policy("P6", "yi", "建筑施工", "中型", "2025-05-01", 90_000.00),
        ],
    ),
    "批改": (
        ["批单号", "保单号", "生效日期", "保费变化（元）"],
        [
            ("E1", "P2", day("2024-09-01"), -3_333.33),
            ("E2", "P3", day("2024-08-01"), -25_000.00),
            ("E3", "P5", day("2025-10-01"), -5_000.00),
        ],
    ),
    "保费收款": (
        ["收款编号", "保单号", "收款日期", "收款金额（元）"],
        [
            ("R1", "P4", day("2025-01-05"), 10_000.03),
            ("R2", "P4", day("2025-05-05"), 10_000.03),
            ("R3", "P4", day("2025-09-05"), 10_000.03),
            ("R4", "P5", day("2025-04-10"), 20_000.00),
            ("R5", "P5", day("2025-10-10"), -5_000.00),
        ],
    ),
    "共保份额": (
        ["保单号", "保险公司", "主承保", "共保份额%"],
        [
            ("P1", "jia", "是", 60),
            ("P1", "yi", "否", 40),
            ("P4", "jia", "是", 50),
            ("P4", "yi", "否", 30),
            ("P4", "bing", "否", 20),
        ],
    ),
    "预防服务": (
        ["服务编号", "保单号", "保险公司", "服务类型", "服务机构", "计划日期", "服务日期", "服务费用（元）"],
        [
            ("S1", "P1", "jia", "隐患排查", "B1", day("2024-05-01"), day("2024-05-01"), 4_000.00),
            ("S2", "P2", "yi", "隐患排查", "B1", day("2024-06-01"), day("2024-06-01"), 8_000.00),
            ("S3", "P4", "jia", "隐患排查", "B2", day("2025-06-01"), day("2025-06-01"), 3_000.00),
            ("S4", "P5", "yi", "隐患排查", "B2", day("2025-11-01"), None, None),
            ("S5", "P3", "bing", "隐患排查", "B2", day("2024-10-01"), day("2024-10-01"), 500.00),  # after cancellation
        ],
    ),
    "预防费支付": (
        ["付款编号", "付款日期", "保险公司", "付款金额（元）", "服务编号", "服务机构", "用途"],
        [
            ("F1", day("2024-05-10"), "jia", 2_000.00, "S1", "B1", "隐患排查服务费"),
            ("F2", day("2024-07-10"), "jia", 3_000.00, "S1", "B1", "隐患排查服务费"),
            ("F3", day("2024-08-01"), "jia", -1_000.00, "S1", "B1", "隐患排查服务费"),
            ("F4", day("2024-07-01"), "yi", 8_000.00, "S2", "B1", "隐患排查服务费"),
            ("F5", day("2025-07-01"), "jia", 3_000.00, "S3", "B2", "隐患排查服务费"),
            ("F6", day("2024-10-15"), "bing", 500.00, "S5", "B2", "隐患排查服务费"),
        ],
    ),
    "预防费预算": (
        ["保险公司", "费用年度", "预算金额（元）"],
        [
            ("jia", 2024, 6_000.00),
            ("yi", 2024, 8_000.00),
            ("bing", 2024, 2_500.00),
            ("jia", 2025, 3_150.00),  # of 15,000.05 received on its half: at most 3,150.01
            ("yi", 2025, 5_040.01),  # of 9,000.03 and 15,000.00: at most 5,040.00
            ("bing", 2025, 1_200.00),
        ],
    ),
    "保险机构": (["保险公司", "名称"], [("jia", "甲示例财险"), ("yi", "乙示例财险"), ("bing", "丙示例财险")]),
}


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    """Write the lists as workbooks, and the rules of the levy."""
    folder = tmp_path_factory.mktemp("pool")
    for name, (headers, rows) in LISTS.items():
        pd.DataFrame(rows, columns=headers).to_excel(folder / f"{name}.xlsx", index=False)
    (folder / "levy.toml").write_text(RULES, encoding="utf-8")
    return folder


def ask(pool, table, *words):
    """Return a table of the ledger at the end of 2025."""
    out = pool / f"{table}.parquet"
    given = ["--province", str(pool), "--at", "2025-12-31", "--levy-rules", str(pool / "levy.toml")]
    assert main(["fund", "ledger", *given, "--lang", "zh", "--sql", f"SELECT * FROM {table}", "--out", str(out)]) == 0
    return pq.read_table(out).to_pandas()


def test_levy_of_policies_and_of_shares(pool, capsys):
    out = pool / "levy.xlsx"
    given = ["--province", str(pool), "--rules", str(pool / "levy.toml"), "--out", str(out), "--lang", "zh"]
    assert main(["fund", "levy", *given]) == 3  # P6 stands in two ways
    assert "P6" in capsys.readouterr().out
    sheets = pd.read_excel(out, sheet_name=None, engine="calamine")
    levy = sheets["逐单计提"].set_index("保单号")["预防费（分）"].to_dict()
    assert levy == {"P1": 1_000_000, "P2": 300_000, "P3": 250_000, "P4": 600_002, "P5": 300_000}
    borne = sheets["共保分摊"].set_index("保险公司")["按共保份额预防费（分）"].to_dict()
    assert borne == {
        "甲示例财险": 600_000 + 300_001,
        "乙示例财险": 400_000 + 300_000 + 180_001 + 300_000,
        "丙示例财险": 250_000 + 120_000,
    }
    premium = sheets["共保分摊"].set_index("保险公司")["按共保份额计提基数（分）"].to_dict()
    assert sum(premium.values()) == 10_000_000 + 3_000_000 + 2_500_000 + 3_000_009 + 1_500_000
    assert premium["丙示例财险"] == 2_500_000 + 600_002  # a fifth of 30,000.09


def test_two_years_of_the_ledger(pool):
    state = ask(pool, "statement").set_index(["insurer", "fund_year"])
    columns = ["opening_fen", "accrued_fen", "released_fen", "used_fen", "closing_fen", "paid_fen"]
    expected = {
        ("jia", 2024): [0, 600_000, 0, 400_000, 200_000, 400_000],
        ("yi", 2024): [0, 733_334, 33_334, 800_000, -100_000, 800_000],
        ("bing", 2024): [0, 500_000, 250_000, 50_000, 200_000, 50_000],
        ("jia", 2025): [200_000, 300_001, 0, 300_000, 200_001, 300_000],
        ("yi", 2025): [-100_000, 580_001, 100_000, 0, 380_001, 0],
        ("bing", 2025): [200_000, 120_000, 0, 0, 320_000, 0],
    }
    assert {key: state.loc[key, columns].tolist() for key in expected} == expected
    assert len(state) == len(expected)


def test_what_the_ledger_flags(pool, capsys):
    flags = ask(pool, "flags")
    assert set(zip(flags["rule"], flags["service_no"])) >= {("within_term", "S5")}
    assert "within_term" not in set(flags["rule"][flags["service_no"] != "S5"])
    given = ["--province", str(pool), "--at", "2025-12-31", "--levy-rules", str(pool / "levy.toml"), "--lang", "en"]
    capsys.readouterr()
    assert main(["fund", "ledger", *given]) == 3
    said = capsys.readouterr().out
    over = [line for line in said.splitlines() if "RM757" in line]
    assert len(over) == 1 and "5,040.01" in over[0] and "5,040.00" in over[0]


def test_duties_of_the_pool(pool):
    out = pool / "duties.parquet"
    given = ["--province", str(pool), "--at", "2025-12-31", "--out", str(out), "--lang", "zh"]
    assert main(["fund", "duties", *given]) == 3
    book = pd.read_excel(pool / "保单.xlsx").drop_duplicates("保单号", keep=False)
    assert sorted(book["保单号"]) == ["P1", "P2", "P3", "P4", "P5"]
