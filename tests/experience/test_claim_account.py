"""Every claim of a list is accounted for, in number and fen; what was not paid is not known to be nothing."""

import random
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ratemod as rm
from ratemod import money
from ratemod.errors import ModelError, nearest_of
from ratemod.experience.split import SplitRule, rounded
from ratemod.experience.split_rules import ncci

OWN, OTHER = "91220101MA000000A1", "91220101MA000000B2"
FIRMS = pd.DataFrame(
    {
        "credit_code": [OWN, OTHER],
        "expected_losses_yuan": [90_000.0, 40_000.0],
        "expected_primary_losses_yuan": [40_000.0, 20_000.0],
    }
)
# Window of a mod from 2026-01-01: 2022-01-01 to 2024-12-31.
PLACES = {
    "claims_counted": (OWN, "2024-12-31", 100.0),
    "claims_before_window": (OWN, "2021-12-31", 100.0),
    "claims_after_window": (OWN, "2025-01-01", 100.0),
    "claims_of_no_firm": ("91220101MA000000A7", "2024-12-31", 100.0),
    "claims_refused": (OTHER, "2035-01-01", -1.0),
}


def listed(rows):
    return pd.DataFrame(
        [(code, f"C{at}", day, yuan) for at, (code, day, yuan) in enumerate(rows)],
        columns=["credit_code", "claim_no", "event_date", "paid_yuan"],
    )


@settings(max_examples=25)
@given(st.lists(st.sampled_from(sorted(PLACES)), min_size=1, max_size=12))
def test_rows_and_money_add_up_whatever_the_list_holds(fates):
    claims = listed([PLACES[fate] for fate in fates])
    mods = rm.experience_mod(claims, FIRMS, effective="2026-01-01")
    for fate in PLACES:
        assert mods.counts[fate] == fates.count(fate)
    assert mods.counts["claims"] == len(fates)
    assert sum(mods.account.fen.values()) == round(claims.paid_yuan.sum() * 100)
    assert len(mods.account.left_out()) == len(fates) - fates.count("claims_counted")


def test_a_mistyped_code_is_named_with_the_firm_that_it_is_near():
    mods = rm.experience_mod(listed([PLACES["claims_of_no_firm"]]), FIRMS, effective="2026-01-01")
    row = mods.account.left_out().iloc[0]
    assert (row.claim_no, row.credit_code, row.nearest_firm) == ("C0", "91220101MA000000A7", OWN)
    assert row.incurred_yuan == 100.0
    assert "1 of no firm" in repr(mods) and len(repr(mods)) < 400


@pytest.mark.parametrize(
    "amounts",
    [
        {"paid_yuan": np.nan, "case_reserve_yuan": 0.0},
        {"paid_yuan": np.nan, "case_reserve_yuan": 5_000.0},
        {"paid_fen": np.nan, "case_reserve_fen": 0},
        {"paid_yuan": np.nan, "incurred_yuan": np.nan},
        {"paid_fen": 100, "paid_yuan": 250_000.0},
        {"paid_yuan": 100.0, "case_reserve_yuan": 50.0, "incurred_yuan": 151.0},
        {"paid_yuan": 100.0, "case_reserve_fen": 1, "case_reserve_yuan": 50.0},
    ],
)
def test_unknown_or_contradictory_amounts_refuse_the_firm_and_no_other(amounts):
    claims = pd.DataFrame(
        {"credit_code": [OWN], "claim_no": ["C"], "event_date": ["2024-03-01"]} | {k: [v] for k, v in amounts.items()}
    )
    frame = rm.experience_mod(claims, FIRMS, effective="2026-01-01").frame().set_index("firm")
    assert frame["status"].to_dict() == {OWN: "refused", OTHER: "modified"}
    assert frame.loc[OWN, "code"] in ("RM630", "RM671")


@pytest.mark.parametrize(
    "amounts",
    [
        {"paid_yuan": 250_000.0, "case_reserve_yuan": np.nan},
        {"paid_fen": 25_000_000, "paid_yuan": 250_000.0},
        {"paid_yuan": 200_000.0, "case_reserve_yuan": 50_000.0, "incurred_yuan": 250_000.0},
        {"paid_yuan": np.nan, "incurred_yuan": 250_000.0},
    ],
)
def test_a_closed_claim_has_no_reserve_and_two_units_may_agree(amounts):
    claims = pd.DataFrame(
        {"credit_code": [OWN], "claim_no": ["C"], "event_date": ["2024-03-01"]} | {k: [v] for k, v in amounts.items()}
    )
    assert rm.experience_mod(claims, FIRMS, effective="2026-01-01").frame()["mod"].tolist() == [1.204, 0.79]


def test_halves_of_large_amounts_go_up_and_decimals_stay_decimals():
    assert rounded(np.array([989_504_286.5, 600_000_000.5, 600_000_000.49, 1_250.5]), 0).tolist() == [
        989_504_287.0,
        600_000_001.0,
        600_000_000.0,
        1_251.0,
    ]


@given(st.integers(-(10**12), 10**12), st.integers(-3, 6))
def test_rounding_is_that_of_decimals(units, places):
    from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal

    exact = Decimal(units) / 2 / 10 ** Decimal(places)  # a whole step or a half, as a decimal
    step = Decimal(1).scaleb(-places)
    up = (exact / step).to_integral_value(ROUND_HALF_UP) * step
    given_float = float(exact)
    assert money.rounded([given_float], places)[0] == pytest.approx(float(up), rel=1e-15)
    down = (exact / step).to_integral_value(ROUND_DOWN) * step
    ceiling = (exact / step).to_integral_value(ROUND_UP) * step
    assert money.rounded([given_float], places, "down")[0] == pytest.approx(float(down), rel=1e-15)
    assert money.rounded([given_float], places, "up")[0] == pytest.approx(float(ceiling), rel=1e-15)


def test_the_weighting_value_has_two_decimals_as_the_states_print_it():
    # E = 2,925,742.55, G = 11.90: the closed form gives W = 0.564933, the table of a state holds 0.56.
    rule = ncci(15_500, 11.90)
    primary, excess = 84 * 15_500 + 4_638.07, 83 * 253_000 + 291_058.57
    from ratemod.experience.split import split_mod

    parts = split_mod(rule, [primary], [excess], [2_925_742.55], [1_127_551.92])
    e, ep, b = 2_925_742.55, 1_127_551.92, float(parts.ballast[0])
    by_hand = (primary + 0.56 * excess + 0.44 * (e - ep) + b) / (e + b)
    assert parts.excess_credibility[0] == 0.56
    assert parts.mod[0] == pytest.approx(round(by_hand, 2)) == pytest.approx(4.42)


def test_all_fractional_counts_are_named_as_such():
    rows = pd.DataFrame({"firm": list("aabb"), "period": [1, 2] * 2, "value": [1.25, 2, 0.5, 1], "weight": 1.0})
    with pytest.raises(ModelError) as caught:
        rm.credibility(rows, "poisson_gamma")
    assert {item.code for item in caught.value.problems} == {"RM664"}


def test_firms_that_differ_in_level_alone_are_told_so():
    rng = np.random.default_rng(3)
    rows = pd.DataFrame(
        [(f"f{i}", t, 100 + 10 * i + 3 * t + rng.normal(), 10.0) for i in range(6) for t in range(1, 13)],
        columns=["firm", "period", "value", "weight"],
    )
    found = rm.credibility(rows, "hachemeister", lang="en")
    told = " ".join(found.attrs["warnings"])
    if "RM672" in told:
        assert "coefficient 2" in told and "collective mean" not in told
    assert found.estimate.max() - found.estimate.min() > 40


def test_a_mod_of_a_firm_at_exactly_the_least_size():
    rule = SplitRule("own", "example", 60_000.0, eligible_from=40_000.0)
    frame = rm.experience_mod(listed([PLACES["claims_counted"]]), FIRMS, rule, effective="2026-01-01").frame()
    assert frame["status"].tolist() == ["modified", "modified"]
    above = SplitRule("own", "example", 60_000.0, eligible_from=np.nextafter(40_000.0, 50_000.0))
    frame = rm.experience_mod(listed([PLACES["claims_counted"]]), FIRMS, above, effective="2026-01-01").frame()
    assert frame["status"].tolist() == ["modified", "not_eligible"]


def test_the_window_ends_before_the_day_after_it_firm_by_firm():
    firms = FIRMS.assign(start_date=["2026-01-01", "2026-07-01"])
    claims = listed(
        [(OWN, "2024-12-31", 1.0), (OWN, "2025-01-01", 1.0), (OTHER, "2025-06-30", 1.0), (OTHER, "2025-07-01", 1.0)]
    )
    mods = rm.experience_mod(claims, firms)
    assert mods.actual.claims.tolist() == [1, 1]
    assert mods.counts["claims_after_window"] == 2


def test_the_least_mod_takes_the_share_of_expected_losses_once():
    rule = SplitRule("own", "example", 60_000.0, 0.2, ballast=10_000.0, expected_share=0.8, d_ratio=0.5)
    mods = rm.experience_mod(listed([(OWN, "2024-03-01", 80_000.0)]), FIRMS, rule, effective="2026-01-01")
    e = 90_000.0 * 0.8
    ep = 90_000.0 * 0.5 * 0.8
    assert mods.minimum[0] == pytest.approx((0.8 * (e - ep) + 10_000) / (e + 10_000))


def test_a_slip_of_one_of_thousands_of_codes_is_told_without_looking_at_all_of_them():
    """A sign in the place of another, one left out, one written twice."""
    draw = random.Random(1)
    codes = [f"912201{draw.randrange(4):02d}{draw.randrange(10**10):010d}" for _ in range(4000)]
    spent = {}
    for name, firms in (("few", codes[:1000]), ("many", codes)):
        near, start = nearest_of(firms), time.process_time()
        for at in (5, 250, 499, 777, 990):
            code = firms[at]
            for place in (3, 9, 13):
                slips = (
                    code[:place] + "X" + code[place + 1 :],
                    code[:place] + code[place + 1 :],
                    code[:place] + code[place] + code[place:],
                )
                assert [near(slip) for slip in slips] == [code] * 3
        spent[name] = time.process_time() - start
    assert spent["many"] < 2.5 * max(spent["few"], 0.05)  # four times as many are not four times the work
