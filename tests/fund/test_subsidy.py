"""Subsidies by hand, within any budget, to the fen."""

from __future__ import annotations

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
    assert found.reconcile() == 5


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
