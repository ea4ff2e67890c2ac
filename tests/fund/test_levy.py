"""The levy: by hand, its corridor for any premium, the ledger, and what is refused."""

from __future__ import annotations

import datetime
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ratemod as rm
from ratemod.errors import BookError, ModelError, PlanError
from ratemod.fund.levy import levy
from ratemod.fund.levy_rule import LevyRule, levied, read_levy_rules
from ratemod.synth.province import load_province
from tests.fund.books import DAY, policies

FLOOR = LevyRule("floor", Decimal("0.10"), Decimal("0.10"), Decimal("0.21"))
FEN = st.integers(0, 10**9)
PROVINCE = Path(__file__).parents[2] / "data" / "province"


def codes(error: pytest.ExceptionInfo[rm.RatemodError]) -> set[str]:
    return {item.code for item in error.value.problems}


@given(st.lists(FEN, min_size=1, max_size=20), st.sampled_from(["0.10", "0.15", "0.2099", "0.21"]))
def test_the_levy_is_never_below_the_floor_and_never_above_the_cap(premium, share):
    rule = LevyRule("r", Decimal(share), Decimal("0.10"), Decimal("0.21"))
    base = np.array(premium)
    found = levied(base, rule)
    assert (found * 10 >= base).all()
    assert (found[base >= 10] * 100 <= base[base >= 10] * 21).all()


def test_rounding_mode_decides_whether_the_floor_holds():
    book = policies([104, 104, 104])
    kept = levy(book, [FLOOR])
    assert kept.levy_fen.tolist() == [11, 11, 11]
    assert kept.reconcile() > 0
    plain = levy(book, [LevyRule("half_up", Decimal("0.10"), Decimal("0.10"), rounding="half_up")])
    assert plain.levy_fen.tolist() == [10, 10, 10]  # 30 fen of 312: below 31.2
    with pytest.raises(ModelError) as error:
        plain.reconcile()
    assert codes(error) == {"RM705"}
    assert {(str(item.args["where"]), str(item.args["right"])) for item in error.value.problems} == {
        ("birch", "0.32 yuan"),
        ("all", "0.32 yuan"),
    }


@settings(max_examples=40)
@given(st.lists(FEN, min_size=1, max_size=8), st.data())
def test_instalments_and_refunds_add_up_to_the_levy_of_the_whole(premium, data):
    changes = [data.draw(st.integers(-value, 10**6)) for value in premium]
    book = policies(premium)
    endorsed = pa.table(
        {
            "policy_no": book["policy_no"],
            "effective_date": [datetime.date(2026, 5, 1)] * len(premium),
            "premium_change_fen": changes,
        }
    )
    found = levy(book, [FLOOR], endorsements=endorsed)
    assert found.levy_fen.tolist() == levied(np.array(premium) + np.array(changes), FLOOR).tolist()
    assert (found.levy_fen * 10 >= found.base_fen).all()
    received = LevyRule("r", Decimal("0.15"), Decimal("0.10"), base="received")
    paid = pa.table(
        {
            "policy_no": pa.concat_arrays([book["policy_no"].combine_chunks()] * 2),
            "date": [DAY] * len(premium) + [datetime.date(2026, 7, 1)] * len(premium),
            "amount_fen": [value // 3 for value in premium] + [value - value // 3 for value in premium],
        }
    )
    parts = levy(book, [received], receipts=paid)
    assert parts.levy_fen.tolist() == levy(book, [LevyRule("w", Decimal("0.15"), Decimal("0.10"))]).levy_fen.tolist()
    parts.reconcile()


def test_earned_base_counts_days():
    earned = LevyRule("e", Decimal("0.20"), base="earned")
    found = levy(policies([36500]), [earned], as_of=datetime.date(2026, 3, 14))  # 73 of 365 days
    assert found.base_fen.tolist() == [7300]
    assert found.total_fen == 1460
    found.reconcile()


def test_the_shipped_ledger_reconciles_and_a_changed_entry_is_named():
    province = load_province(PROVINCE)
    ledger = province.table("ledger")
    found = levy(province.table("policies"), endorsements=province.table("endorsements"), ledger=ledger)
    assert found.reconcile() > 20
    amount = ledger["amount_fen"].to_pylist()
    at = ledger["kind"].to_pylist().index("accrual")
    amount[at] += 1
    changed = ledger.set_column(ledger.column_names.index("amount_fen"), "amount_fen", pa.array(amount))
    with pytest.raises(ModelError) as error:
        levy(province.table("policies"), endorsements=province.table("endorsements"), ledger=changed).reconcile()
    assert ledger["policy_no"][at].as_py() in {item.args["where"] for item in error.value.problems}


def test_a_rated_book_is_levied_as_its_plan_says():
    rated = rm.rate(load_province(PROVINCE).renewals, rm.load_plan("jilin-spli", at="2026-01-01"))
    found = rm.levy(rated)
    assert found.total_fen == rated.fund_fen
    assert found.reconcile() > 0
    assert found.rules[0].cap == Decimal("0.21")


def test_order_of_rows_is_irrelevant():
    book = policies([105, 999, 12345], ["a", "b", "a"])
    turned = book.take([2, 0, 1])
    assert levy(book, [FLOOR]).statement().equals(levy(turned, [FLOOR]).statement())


def test_what_cannot_be_levied_is_said():
    book = policies([100, 200])
    other = LevyRule("other", Decimal("0.1"), sector="fishery")
    with pytest.raises(ModelError) as error:
        levy(book, [other])
    assert {"RM711", "RM713"} == codes(error)
    with pytest.raises(ModelError) as error:
        levy(
            book,
            [
                LevyRule("r", Decimal("0.1"), base="received"),
                LevyRule("e", Decimal("0.1"), base="earned", sector="mining"),
            ],
        )
    assert codes(error) == {"RM710"}
    stray = pa.table({"policy_no": ["nobody"], "effective_date": [DAY], "premium_change_fen": [1]})
    found = levy(book, [FLOOR], endorsements=stray)  # an endorsement of no policy is set aside; the others are levied
    assert [item.code for item in found.refused] == ["RM396"]
    assert found.levy_fen.tolist() == [10, 20]
    over = pa.table({"policy_no": ["P000"], "effective_date": [DAY], "premium_change_fen": [-101]})
    found = levy(book, [FLOOR], endorsements=over)
    assert [item.code for item in found.refused] == ["RM712"]
    assert found.policy_no.tolist() == ["P001"]
    found = levy(pa.concat_tables([book, book.slice(0, 1)]), [FLOOR])  # a row that stands twice counts once
    assert [item.code for item in found.refused] == ["RM750"]
    assert found.levy_fen.tolist() == [10, 20]
    change = pa.table({"policy_no": ["P000", "P001"], "effective_date": [DAY] * 2, "premium_change_fen": [-10, -20]})
    found = levy(pa.concat_tables([book, policies([300])]), [FLOOR], endorsements=change)  # P000 says 100 and 300
    assert [item.code for item in found.refused] == ["RM751", "RM753"]
    assert found.table.select(["policy_no", "levy_fen"]).to_pylist() == [{"policy_no": "P001", "levy_fen": 18}]
    with pytest.raises(BookError) as error:
        levy(book.drop_columns(["insurer", "sector"]), [FLOOR])
    assert codes(error) == {"RM950"}


def test_bad_rules_are_refused_together(tmp_path):
    with pytest.raises(BookError) as error:
        levy(
            policies([1]),
            [LevyRule("a", Decimal("0.3"), Decimal("0.1"), Decimal("0.2")), LevyRule("b", Decimal("0.1"))],
        )
    assert codes(error) == {"RM706", "RM707"}
    file = tmp_path / "rules.toml"
    file.write_text('[[rule]]\nname = "a"\nshare = 0.1\nfloors = 1\n', encoding="utf-8")
    with pytest.raises(PlanError) as error:
        read_levy_rules(file)
    assert codes(error) == {"RM101", "RM102"}
    file.write_text("x = 1", encoding="utf-8")
    with pytest.raises(PlanError) as error:
        read_levy_rules(file)
    assert codes(error) == {"RM101", "RM102"}


def test_chinese_headers_and_labels(tmp_path):
    file = tmp_path / "保单.csv"
    file.write_text(
        "保单号,保险公司,行业领域,起保日期,保费（分）\nA1,白桦,mining,2026-01-01,1050\n", encoding="gb18030"
    )
    found = levy(file, [FLOOR])
    assert found.total_fen == 105
    assert "预防费（分）" in found.frame("zh").columns


@pytest.mark.parametrize(
    "bad",
    [
        [("B", "pine", "lead", 60.0), ("B", "oak", "no", 40.0)],  # no level of a leader
        [("B", "pine", "yes", 60.0), ("B", "oak", "no", None)],  # half of it cannot be read
        [("B", "pine", "yes", 60.0), ("B", "oak", "no", 40.0), ("B", "oak", "no", 30.0)],  # two shares of one
    ],
)
def test_who_bears_a_policy_with_an_unusable_share_is_not_guessed(bad):
    start = datetime.date(2026, 1, 1)
    book = {"policy_no": ["A", "B", "C"], "insurer": ["pine"] * 3, "sector": ["mining"] * 3}
    book |= {"start_date": [start] * 3, "premium_fen": [1_000, 10_000, 100_000]}
    rows = [("A", "pine", "yes", 50.0), ("A", "oak", "no", 50.0), *bad]
    names = ("policy_no", "insurer", "leader", "share_percent")
    shares = {name: list(column) for name, column in zip(names, zip(*rows))}
    ten = LevyRule("ten", Decimal("0.10"))
    found = levy(pa.table(book), [ten], coinsurance=pa.table(shares))
    assert found.policy_no.tolist() == ["A", "C"] and "RM762" in [item.code for item in found.refused]
    borne = {row["insurer"]: row["share_levy_fen"] for row in found.share_table().to_pylist()}
    assert borne == {"oak": 50, "pine": 10_050}  # of B not a fen: neither its insurer's alone, nor by what is left
    found.reconcile()
    led = levy(pa.table(book), [replace(ten, accrues="leader")], coinsurance=pa.table(shares))
    assert led.total_fen == 11_100  # where the insurer of the policy sets all aside, the shares do not matter
