"""Subsidies by hand, within any budget, to the fen."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratemod.errors import BookError, ModelError, PlanError
from ratemod.fund.subsidy import SubsidyRule, read_subsidy_rules, subsidise

RULE = SubsidyRule("small", ("small", "micro"), Decimal("0.20"), 5000)


def book(premium: list[int], **other: list[object]) -> pa.Table:
    n = len(premium)
    columns: dict[str, object] = {
        "policy_no": [f"P{at:03d}" for at in range(n)],
        "insurer": ["x"] * n,
        "sector": ["mining"] * n,
        "size_class": ["small"] * n,
        "premium_fen": premium,
        "general_accidents": [0] * n,
        "larger_accidents": [0] * n,
        "major_accidents": [0] * n,
        "integrity_grade": ["A"] * n,
        "blacklisted": ["no"] * n,
        "hazard_state": ["none"] * n,
    }
    return pa.table(columns | other)


def test_by_hand():
    found = subsidise(
        book(
            [10_004, 100_000, 10_000, 10_000, 10_000],
            size_class=["small", "micro", "large", "small", "small"],
            blacklisted=["no", "no", "no", "yes", "no"],
            general_accidents=[0, 0, 0, 0, 1],
        ),
        10**6,
        [RULE],
    )
    assert found.granted_fen.tolist() == [2000, 5000, 0, 0, 0]
    assert found.rule.tolist() == [0, 0, -1, -1, -1]
    assert found.frame("zh")["企业自付（分）"].tolist() == [8004, 95_000, 10_000, 10_000, 10_000]
    assert found.reconcile() == 7


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30), st.integers(0, 10**5), st.integers(0, 10**4))
def test_any_budget_is_spent_to_the_fen_and_never_exceeded(premium, budget, more):
    table = book(premium)
    one, two = subsidise(table, budget, [RULE]), subsidise(table, budget + more, [RULE])
    one.reconcile()
    assert one.granted_fen.sum() == min(budget, one.entitled_fen.sum())
    assert two.granted_fen.sum() >= one.granted_fen.sum()
    turned = subsidise(table.take(np.arange(len(premium))[::-1]), budget, [RULE])
    assert turned.granted_fen[::-1].tolist() == one.granted_fen.tolist()
    assert (one.statement()["cut_fen"].sum()) == one.entitled_fen.sum() - one.granted_fen.sum()


def test_refusals(tmp_path):
    for budget in (-1, float("nan"), float("inf"), 1.5, "100", True):  # nan passed as money without end
        with pytest.raises(ModelError) as wrong:
            subsidise(book([1]), budget, [RULE])
        assert wrong.value.problems[0].code == "RM676"
    found = subsidise(book([-1, 10_000]), 1_000_000, [RULE])  # a negative premium is refused by its row
    assert [item.code for item in found.refused] == ["RM204"]
    assert len(found.policy_no) == 1
    with pytest.raises(BookError) as error:
        subsidise(book([1]).drop_columns(["hazard_state"]), 1, [RULE])
    assert error.value.problems[0].code == "RM950"
    file = tmp_path / "rules.toml"
    file.write_text('[[subsidy]]\nname = "a"\nsize_classes = ["huge"]\nshare = 0.1\ncap_yuan = 1\nsource = "s"\n')
    with pytest.raises(PlanError) as error:
        read_subsidy_rules(file)
    assert error.value.problems[0].code == "RM104"
    assert len(read_subsidy_rules()) == 2


def test_a_broken_grant_is_found():
    found = subsidise(book([10_000]), 10**6, [RULE])
    found.granted_fen[0] += 1
    with pytest.raises(ModelError):
        found.reconcile()


D = datetime.date


def year_of_subsidies(**rule: str):
    """Return subsidies of 2026 of four policies of two firms, one cancelled after 90 of 365 days."""
    table = book(
        [1_000_003, 500_000, 800_000, 700_000],
        credit_code=["F1", "F1", "F2", "F2"],
        division_code=["220102", "220102", "220202", "220202"],
        start_date=[D(2026, 1, 1), D(2026, 3, 1), D(2026, 1, 1), D(2025, 6, 1)],
        end_date=[D(2027, 1, 1), D(2027, 3, 1), D(2027, 1, 1), D(2026, 6, 1)],
        cancelled_date=[D(2026, 4, 1), None, D(2027, 1, 1), None],
    )
    given = SubsidyRule("small", ("small",), Decimal("0.10"), 120_000, **rule)
    return table, given


def test_a_cancelled_policy_gives_back_the_days_that_are_left():
    """By hand: a tenth of 10,000.03 is 1,000.00 yuan; of 365 days 275 are left, 753.42 yuan of 1,000.00."""
    table, rule = year_of_subsidies()
    found = subsidise(table, 10**9, [rule], year=2026)
    assert found.granted_fen.tolist() == [100_000, 50_000, 80_000], "the policy of 2025 is of another budget year"
    assert found.clawback_fen.tolist() == [75_342, 0, 0], "who leaves when the term ends gives nothing back"
    assert (found.rows.used, found.rows.other, found.rows.other_fen) == (3, 1, 700_000)
    assert found.county_table().to_pylist() == [
        {"division_code": "220102", "firms": 1, "policies": 2, "granted_fen": 150_000, "clawback_fen": 75_342,
         "to_pay_fen": 74_658},
        {"division_code": "220202", "firms": 1, "policies": 1, "granted_fen": 80_000, "clawback_fen": 0,
         "to_pay_fen": 80_000},
    ]  # fmt: skip
    assert found.payment_table()["policy_no"].to_pylist() == ["P000", "P001", "P002"]
    assert found.reconcile() == 7
    before = subsidise(table, 10**9, [rule], year=2026, as_of=D(2026, 3, 31))
    assert before.clawback_fen.tolist() == [0, 0, 0]
    for how, claimed in (("whole", 100_000), ("none", 0)):
        other = subsidise(table, 10**9, [year_of_subsidies(on_cancellation=how)[1]], year=2026)
        assert other.clawback_fen.tolist() == [claimed, 0, 0]


def test_a_cap_of_a_firm_is_shared_by_its_policies():
    """By hand: F1 is entitled to 1,500.00 yuan and capped at 1,200.00, two thirds and a third of it."""
    table, rule = year_of_subsidies(cap_for="firm")
    found = subsidise(table, 10**9, [rule], year=2026)
    assert found.entitled_fen.tolist() == [80_000, 40_000, 80_000]
    assert found.reconcile() == 7
    found.entitled_fen[1] += 1
    with pytest.raises(ModelError):
        found.reconcile()
    with pytest.raises(BookError) as error:
        subsidise(table.drop_columns(["credit_code"]), 10**9, [rule])
    assert [item.code for item in error.value.problems] == ["RM950"]
    with pytest.raises(BookError) as error:
        subsidise(table.drop_columns(["end_date"]), 10**9, [rule])
    assert error.value.problems[0].args["name"] == "end_date"
