"""Co-insurance and pools: published allocations, sums in every direction, refusals."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.errors import BookError, ModelError
from ratemod.fund.co_insurance import co_insure
from ratemod.fund.levy import levy
from ratemod.fund.pool import compare_pool, euler_sd, euler_tvar, euler_tvar_normal, euler_var_normal
from ratemod.money import apportion
from ratemod.synth.province import load_province
from tests.fund.books import DAY

MEAN, COV = [10.0, 20.0, 30.0], [[4.0, 1.0, 0.0], [1.0, 9.0, 3.0], [0.0, 3.0, 16.0]]


@pytest.mark.parametrize(
    ("votes", "seats", "result"),
    [
        # Hamilton's method: the textbook case of six parties, and the Alabama paradox as the house grows by one.
        ([47000, 16000, 15900, 12000, 6000, 3100], 10, [5, 2, 1, 1, 1, 0]),
        ([1500, 1500, 900, 500, 500, 200], 25, [7, 7, 4, 3, 3, 1]),
        ([1500, 1500, 900, 500, 500, 200], 26, [8, 8, 5, 2, 2, 1]),
    ],
)
def test_largest_remainder_as_published(votes, seats, result):
    assert apportion(seats, votes).tolist() == result


def test_euler_contributions_as_recomputed():
    # allocation.json: Tasche (2007) and Panjer (2002), recomputed to sixteen digits
    assert euler_sd(COV) == pytest.approx([0.8219949365267865, 2.137186834969645, 3.1235807588017885], rel=1e-13)
    assert euler_sd(COV).sum() == pytest.approx(6.082762530298219, rel=1e-14)
    assert euler_var_normal(MEAN, COV, 0.99) == pytest.approx(
        [11.912246173061426, 24.971840049959706, 37.26653545763342], rel=1e-12
    )
    assert euler_tvar_normal(MEAN, COV, 0.99) == pytest.approx(
        [12.19079259388344, 25.696060744096943, 38.32501185675707], rel=1e-12
    )


def test_simulated_tail_agrees_with_the_normal_formula():
    sample = np.random.default_rng(7).multivariate_normal(MEAN, COV, 400_000)
    found = euler_tvar(sample, 0.99)
    total = np.sort(sample.sum(axis=1))[-4000:].mean()
    assert found.sum() == pytest.approx(total, rel=1e-12)
    assert found == pytest.approx(euler_tvar_normal(MEAN, COV, 0.99), rel=0.01)


def test_pool_side_by_side():
    sample = np.random.default_rng(7).multivariate_normal(MEAN, COV, 2000)
    found = compare_pool(
        1_000_003, ["a", "b", "c"], premium_fen=[5, 3, 2], expected_yuan=MEAN, losses_yuan=sample, duties=[4, 0, 1]
    )
    assert list(found.parts_fen) == ["premium", "expected", "sd", "tvar", "duties"]
    assert all(parts.sum() == 1_000_003 for parts in found.parts_fen.values())
    assert found.parts_fen["duties"].tolist() == [800_002, 0, 200_001]
    frame = found.frame()
    assert frame.groupby("method", observed=True)["gain_fen"].sum().eq(0).all()
    assert found.reconcile() == 10
    with pytest.raises(ModelError) as error:
        compare_pool(1, ["a", "b"], premium_fen=[1, 1], covariance=[[1.0, -2.0], [-2.0, 9.0]])
    assert error.value.problems[0].code == "RM714"


def book(amounts: list[int]) -> pa.Table:
    day = [DAY + datetime.timedelta(days=20 * at) for at in range(len(amounts))]
    return pa.table(
        {
            "policy_no": ["A"] * len(amounts),
            "insurer": ["x"] * len(amounts),
            "date": day,
            "premium_fen": amounts,
            "levy_fen": [value // 7 for value in amounts],
        }
    )


@settings(max_examples=60)
@given(
    st.lists(st.integers(-(10**8), 10**8), min_size=1, max_size=12),
    st.lists(st.integers(1, 50), min_size=2, max_size=6),
)
def test_shares_add_up_by_movement_month_policy_and_insurer(amounts, weights):
    percent = apportion(100_000_000, weights) / 1_000_000
    names = ["x", *(f"y{at}" for at in range(1, len(weights)))]
    shares = pa.table(
        {
            "policy_no": ["A"] * len(weights),
            "insurer": names,
            "leader": ["yes"] + ["no"] * (len(weights) - 1),
            "share_percent": percent,
        }
    )
    found = co_insure(book(amounts), shares, names)
    assert found.reconcile() > 0
    # by insurer: the quota of the whole policy, whatever the instalments
    whole = apportion(sum(amounts), np.sort(np.rint(percent[1:] * 1e6).astype(np.int64))[::-1].tolist() or [1])
    assert found.amounts["premium_fen"].sum() == sum(amounts)
    assert len(whole) == max(len(weights) - 1, 1)
    for name, share in zip(names, percent):
        mine = found.amounts["premium_fen"][found.insurer == name].sum()
        assert abs(mine - sum(amounts) * share / 100) < 1


def test_a_wrong_part_is_found():
    found = co_insure(
        book([100, 50]),
        pa.table(
            {"policy_no": ["A", "A"], "insurer": ["x", "y"], "leader": ["yes", "no"], "share_percent": [60.0, 40.0]}
        ),
        ["x", "y"],
    )
    found.amounts["premium_fen"][0] += 1
    with pytest.raises(ModelError) as error:
        found.reconcile()
    assert {item.code for item in error.value.problems} == {"RM705"}


def test_bad_shares_are_refused_at_once():
    shares = pa.table(
        {
            "policy_no": ["A", "A", "B", "B"],
            "insurer": ["x", "x", "x", "zz"],
            "leader": ["yes", "no", "no", "no"],
            "share_percent": [60.0, 39.0, 101.0, -1.0],
        }
    )
    with pytest.raises(BookError) as error:
        co_insure(book([100]), shares, ["x", "y"])
    assert {item.code for item in error.value.problems} == {"RM715", "RM716", "RM717", "RM396", "RM719"}


def test_the_shipped_province_divides_to_the_fen():
    province = load_province(Path(__file__).parents[2] / "data" / "province")
    levied = levy(province.table("policies"), endorsements=province.table("endorsements")).movement_table()
    moved = levied.rename_columns([{"amount_fen": "premium_fen"}.get(name, name) for name in levied.column_names])
    found = co_insure(moved, province.table("coinsurance"), province.table("insurers")["insurer"].to_pylist())
    assert found.reconcile() > 0
    assert len(found.movement) > moved.num_rows
    months = found.by_month()
    assert months["levy_fen"].sum() == sum(levied["levy_fen"].to_pylist())
