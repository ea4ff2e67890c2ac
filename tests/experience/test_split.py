"""Split experience rating against what bureaus print."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.errors import ModelError, PlanError
from ratemod.experience.bands import Bands
from ratemod.experience.judge import judge, off_balance, sensitivity
from ratemod.experience.plan_file import rule_named
from ratemod.experience.split import SplitRule, split_claims, split_mod, value_of
from ratemod.experience.split_rules import (
    california,
    delaware,
    illustrative,
    ncci,
    ncci_ballast,
    ncci_weight,
    washington,
)


def test_a_real_ncci_worksheet():
    """Illinois, effective 2013-02-22: E 117,881, Ep 16,469, no losses, W .10, B 52,800: mod .84."""
    rule = ncci(5_000.0, 9.0, excess_credibility=0.10, ballast=52_800.0)
    parts = split_mod(rule, [0.0], [0.0], [117_881.0], [16_469.0])
    stabilising = (1 - 0.10) * (117_881 - 16_469) + 52_800
    assert round(stabilising) == 144_071
    assert (117_881 + 52_800) == 170_681
    assert float(parts.mod[0]) == 0.84
    assert float(parts.unbounded[0]) == pytest.approx(0.844093953046912, abs=1e-15)


def test_derived_w_and_b_at_spot_values():
    """Closed form derived from the published Florida 2015 table, G = 11.90."""
    e = np.array([5_000, 25_000, 100_000, 250_000, 1e6, 5e6, 25e6, 100e6])
    w = [
        0.04833101529902643,
        0.07408660351826793,
        0.11138030343970269,
        0.17243629556724457,
        0.3719866989590896,
        0.6417863751416794,
        0.7619007613506468,
        0.7900963752506628,
    ]
    b = [
        29750.0,
        29750.0,
        37462.38345795255,
        53790.69407347192,
        129504.22976604881,
        529700.5189354535,
        2529740.0906018117,
        10029747.522031415,
    ]
    np.testing.assert_allclose(value_of(ncci_weight(11.90), e), w, rtol=1e-12)
    np.testing.assert_allclose(value_of(ncci_ballast(11.90), e), b, rtol=1e-12)


def test_expected_losses_and_split_of_an_example():
    """Payroll 3,750,000 at ELR .10 and D .38; 1,925,000 at .25 and .32; a claim of 20,000 at split 17,000."""
    expected = np.array([3_750_000 / 100 * 0.1, 1_925_000 / 100 * 0.25])
    assert expected.tolist() == [3750.0, 4812.5]
    assert (expected * [0.38, 0.32]).tolist() == [1425.0, 1540.0]
    primary, excess = split_claims(ncci(17_000.0, 9.0), [20_000.0], [0.0])
    assert (primary.tolist(), excess.tolist()) == ([17_000.0], [3_000.0])


@pytest.mark.parametrize(
    "claim, primary, excess", [(4_000, 4_000, 0), (12_000, 10_000, 2_000), (50_000, 10_000, 40_000)]
)
def test_split_point_10000(claim, primary, excess):
    found = split_claims(ncci(10_000.0, 9.0), [claim], [0.0])
    assert (found[0][0], found[1][0]) == (primary, excess)


@pytest.mark.parametrize(
    "expected, most", [(2500, 1.2005025125628142), (10_000, 1.5020100502512563), (100_000, 5.120100502512564)]
)
def test_ncci_maximum(expected, most):
    assert value_of(ncci(10_000.0, 9.95).most, np.array([float(expected)]))[0] == pytest.approx(most, abs=1e-14)


def test_medical_only_claims_enter_at_thirty_per_cent_before_the_split():
    primary, excess = split_claims(ncci(1_000.0, 9.0), [10_000.0], [0.0], medical_only=[True])
    assert (primary[0], excess[0]) == (1_000.0, 2_000.0)


@pytest.mark.parametrize(
    "gross, light, primary, excess",
    [
        (200, True, 0, 0),
        (2500, True, 40, 0),
        (2500, False, 2500, 0),
        (25_000, True, 21_502, 1_038),
        (25_000, False, 22_785, 2_215),
        (100_000, False, 38_627, 61_373),
        (2_000_000, False, 45_163, 221_078),
    ],
)
def test_washingtons_table_of_primary_losses_2013(gross, light, primary, excess):
    found = split_claims(washington(0.5, 0.1), [gross], [0.0], medical_only=[light])
    assert (round(found[0][0]), round(found[1][0])) == (primary, excess)


def test_washington_claim_free_and_swing():
    rule = washington(0.5, 0.1, Bands((100_000.0,), (0.9, 0.6), False))
    parts = split_mod(
        rule, [0.0, 0.0, 80_000.0], [0.0] * 3, [50_000.0] * 3, [30_000.0] * 3, last_mod=[np.nan, 1.0, 1.0]
    )
    plain = 0.5 * 30_000 / 50_000 + 0.9 * 20_000 / 50_000 + 0.1 * 0
    assert parts.mod[0] == pytest.approx(min(plain, 0.9))
    assert parts.mod[1] == pytest.approx(max(0.75, min(plain, 0.9)))
    assert (parts.mod[2], parts.bound[2]) == (1.25, 1)


def test_delaware_formula_is_the_general_one():
    """[Ap·C + E·C·L + E·(1 − C)]/E, L the excess share."""
    e, ep, ap, c = 80_000.0, 30_000.0, 45_000.0, 0.8
    found = split_mod(delaware(c, 60_000.0), [ap], [10_000.0], [e], [ep]).unbounded[0]
    assert found == pytest.approx((ap * c + e * c * (e - ep) / e + e * (1 - c)) / e, rel=1e-14)


def test_californias_simplified_formula():
    rule = california(Bands((10_000.0,), (4_500.0, 75_000.0), False))
    primary, _ = split_claims(rule, [5_250.0, 100_250.0], [5_000.0, 50_000.0])
    assert primary.tolist() == [4_500.0, 75_000.0]
    assert split_mod(rule, [6_000.0], [1.0], [20_000.0], [8_000.0]).mod[0] == 0.9


def test_a_firm_at_exactly_the_least_expected_losses_is_rated():
    rule = SplitRule("own", "example", 1_000.0, 0.5, 1.0, 20_000.0, eligible_from=10_000.0)
    made = split_mod(rule, [0.0] * 2, [0.0] * 2, [10_000.0, 9_999.99], [4_000.0] * 2).mod
    plain = (0.5 * 6_000 + 20_000) / 30_000
    assert made.tolist() == [pytest.approx(plain, abs=0.005), 1.0]


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), -0.01])
def test_a_claim_that_is_no_amount_is_refused(amount):
    with pytest.raises(ModelError, match="RM600"):
        split_claims(SplitRule("own", "example", 1_000.0), [5.0, amount], [0.0, 0.0])


def test_impossible_amounts_are_refused():
    rule = illustrative()
    for bad in (([-1.0], [0.0], [1.0], [1.0]), ([0.0], [0.0], [10.0], [11.0]), ([0.0], [0.0], [0.0], [0.0])):
        with pytest.raises(ModelError):
            split_mod(rule, *bad)


amounts = st.floats(0, 1e7)


@settings(deadline=None)
@given(st.floats(1e4, 1e7), st.floats(0, 1), amounts, amounts, st.floats(0, 1e6))
def test_more_losses_never_lower_a_mod(expected, share, primary, excess, more):
    rule = illustrative()
    low = split_mod(rule, [primary], [excess], [expected], [expected * share]).mod[0]
    assert split_mod(rule, [primary + more], [excess], [expected], [expected * share]).mod[0] >= low
    assert split_mod(rule, [primary], [excess + more], [expected], [expected * share]).mod[0] >= low


@settings(deadline=None)
@given(st.lists(amounts, min_size=1, max_size=30))
def test_primary_and_excess_add_up_to_what_counts(losses):
    rule = SplitRule("own", "example", 60_000.0, claim_limit=500_000.0)
    primary, excess = split_claims(rule, losses, np.zeros(len(losses)))
    np.testing.assert_allclose(primary + excess, np.minimum(losses, 500_000.0), rtol=1e-12, atol=1e-9)
    assert (primary <= 60_000.0).all()


def test_a_small_firm_is_not_ruined_and_a_large_one_feels_its_claim():
    effect = sensitivity(illustrative(), [25_000.0, 100_000.0, 1_000_000.0], 0.43, 150_000.0)
    assert (np.diff(effect) < 0).all()
    assert effect[0] <= 0.9
    assert effect[2] > 0.02


@settings(deadline=None)  # scipy is imported on first use
@given(st.lists(st.floats(0.2, 5), min_size=2, max_size=50), st.floats(0.9, 1.1))
def test_off_balance_holds_with_caps_in_force(mods, target):
    m = np.array(mods)
    factor = off_balance(m, np.ones(len(m)), least=0.5, most=2.0, target=target)
    assert np.clip(factor * m, 0.5, 2.0).mean() == pytest.approx(target, abs=1e-9)


def test_off_balance_says_what_caps_allow():
    with pytest.raises(ModelError) as error:
        off_balance([1.0, 1.0], [1.0, 1.0], least=0.9, most=1.1, target=1.5)
    assert error.value.problems[0].code == "RM622"


def test_judge_of_no_scheme_is_nought():
    rng = np.random.default_rng(3)
    found = judge(np.ones(1000), np.full(1000, 2.0), rng.poisson(2.0, 1000))
    assert found.efficiency == pytest.approx(0.0, abs=1e-12)


def test_rules_from_a_file(tmp_path):
    path = tmp_path / "rule.toml"
    path.write_text(
        'name = "city"\nsource = "minutes"\nsplit = 50000\nballast = 80000\nplaces = 2\n'
        "excess_credibility = { upper = [100000], values = [0.05, 0.2] }\n"
    )
    rule = rule_named(path)
    assert value_of(rule.excess_credibility, np.array([1.0, 100_000.0])).tolist() == [0.05, 0.2]
    path.write_text('name = "city"\nsource = "minutes"\nsplit = 50000\nbalast = 1\n')
    with pytest.raises(PlanError) as error:
        rule_named(path)
    assert [item.args["nearest"] for item in error.value.problems if item.code == "RM101"] == ["ballast"]
    with pytest.raises(ModelError):
        rule_named("illustrativ")
