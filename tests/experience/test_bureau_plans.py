"""Bureaus' plans written as TOML, against what the bureaus print; and what the general form must be able to say."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.cli import main
from ratemod.errors import ModelError, PlanError
from ratemod.experience.mods import experience_mod
from ratemod.experience.movement import movement
from ratemod.experience.parameter import Setting, value_of
from ratemod.experience.plan_file import rule_named
from ratemod.experience.split import split_claims, split_mod

HEAD = 'name = "x"\nsource = "test"\n'
NO_CLAIMS = pa.table(
    {
        "credit_code": pa.array([], pa.string()),
        "event_date": pa.array([], pa.string()),
        "incurred_yuan": pa.array([], pa.float64()),
    }
)


@pytest.fixture
def plan(tmp_path):
    def made(words, **files):
        for name, text in files.items():
            (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
        path = tmp_path / "plan.toml"
        path.write_text(words if "name =" in words else HEAD + words, encoding="utf-8")
        return path

    return made


def code_of(error):
    return error.value.problems[0].code


ILLINOIS = """
split = { from = ["1998-01-01", "2013-04-01"], values = [5000, 10000] }
excess_credibility = 0.10
ballast = 52800
medical_only_share = 0.30
most = { base = 1.10, per_expected = 0.00004 }
places = 2
"""


def test_a_printed_ncci_worksheet_from_lists(plan):
    """Illinois, effective 2013-02-22: E 117,881, Ep 16,469, W .10, B 52,800; J 144,071, K 170,681, mod .84."""
    firms = pa.table(
        {
            "firm": ["A"],
            "expected_losses_yuan": [117_881.0],
            "expected_primary_losses_yuan": [16_469.0],
            "start_date": ["2013-02-22"],
        }
    )
    found = experience_mod(NO_CLAIMS, firms, plan(ILLINOIS))
    lines = dict(found.explain("A").lines)
    assert round(lines["ballast"] + 0.9 * (lines["expected"] - lines["expected_primary"])) == 144_071
    assert round(lines["expected"] + lines["ballast"]) == 170_681
    assert lines["mod"] == 0.84


def test_split_points_by_year(plan):
    """5,000 to 2012, 10,000 in 2013, 13,500 in 2014, 15,500, 16,000, 16,500 in 2017 (ICRB; NC circular C-11-15)."""
    rule = rule_named(
        plan("""split = { from = ["1998-01-01", "2013-01-01", "2014-01-01", "2015-01-01", "2016-01-01",
        "2017-01-01"], values = [5000, 10000, 13500, 15500, 16000, 16500] }""")
    )
    days = np.array(
        ["2012-12-31", "2013-01-01", "2014-06-01", "2015-12-31", "2016-01-01", "2017-03-03"], "datetime64[D]"
    )
    primary, _ = split_claims(rule, np.full(6, 50_000.0), Setting(np.zeros(6), days))
    assert primary.tolist() == [5_000, 10_000, 13_500, 15_500, 16_000, 16_500]


def test_expected_losses_from_payroll_by_class(plan):
    """Payroll 3,750,000 in class 8810 (ELR .10, D .38) and 1,925,000 in 8742 (.25, .32); claims split at 17,000."""
    path = plan(
        "split = 17000\n[class_rates]\nunit = 100\nfile = 'classes.csv'\n",
        classes="类别代码,ELR,D\n8810,.10,.38\n8742,.25,.32\n",
    )
    payroll = pa.table({"企业": ["A", "A"], "类别代码": ["8810", "8742"], "工资总额": ["375万元", "1,925,000"]})
    claims = pa.table(
        {
            "企业": ["A"] * 3,
            "出险日期": ["2023-01-01"] * 3,
            "赔款金额": [20_000, 12_000, 13_000],
            "赔案号": ["123456", "654321", "NO.6"],
        }
    )
    found = experience_mod(claims, payroll, path, effective="2026-01-01")
    assert found.parts.expected.tolist() == [8_562.5]
    assert found.parts.expected_primary.tolist() == [2_965.0]
    assert sorted(item.primary_yuan for item in found.explain("A").claims) == [12_000, 13_000, 17_000]


WASHINGTON_2007 = """
split = 5000
years_named_by = "end"
lag_months = 18
[class_rates]
unit = 1
places = 2
file = "rates.csv"
"""


def test_washington_expected_losses_of_one_class(plan):
    """Rating year 2007, class 1007 (L&I, example of the expected loss calculation): 1,011.87 and 495.82."""
    path = plan(
        WASHINGTON_2007,
        rates="class,year,elr,d\n1007,2003,0.3725,0.490\n1007,2004,0.3431,0.490\n1007,2005,0.2861,0.490\n",
    )
    hours = pa.table({"firm": ["A"] * 3, "class": ["1007"] * 3, "year": [2003, 2004, 2005], "hours": [918, 921, 1_237]})
    found = experience_mod(NO_CLAIMS, hours, path, effective="2007-01-01")
    assert found.parts.expected[0] == pytest.approx(1_011.87, abs=1e-9)
    assert found.parts.expected_primary[0] == pytest.approx(495.82, abs=1e-9)


def test_washington_expected_losses_of_two_classes(plan):
    """The garage-door firm of 2007: 28,312.29 and 13,568.93 over classes 0514 and 4904.

    The page's hours of 0514 times its rates give 12,489.07 where it prints 12,489.38: hours were rounded for print. Its
    expected losses are taken as printed there, those of 4904 from hours.
    """
    path = plan(
        WASHINGTON_2007,
        rates="class,year,elr,d\n0514,,1,.479\n4904,2003,.0298,.573\n4904,2004,.0281,.573\n4904,2005,.0236,.573\n",
    )
    hours = pa.table(
        {
            "firm": ["A"] * 6,
            "class": ["0514"] * 3 + ["4904"] * 3,
            "year": [2003, 2004, 2005] * 2,
            "hours": [12_489.38, 8_460.40, 7_284.26, 960, 960, 960],
        }
    )
    found = experience_mod(NO_CLAIMS, hours, path, effective="2007-01-01")
    assert found.parts.expected[0] == pytest.approx(28_312.29, abs=1e-9)
    assert found.parts.expected_primary[0] == pytest.approx(13_568.93, abs=1e-9)


WASHINGTON_2014 = """
split = { full_below = 20112, most = 50280, turn = 30168, largest = 266241 }
primary_credibility = 0.42
excess_credibility = 0.07
medical_only_deduction = 2610
claim_free = 0.70
claim_free_despite_medical_only = true
swing = 0.25
places = 4
lag_months = 18
[rounding]
sums = 2
"""


def test_washington_claim_free_example_of_2014(plan):
    """Medical-only claims of 916 and 2,894: Ap 284; credibilities 42 and 7 %: .7647; claim-free .7000, last year .9000.

    The deduction is what makes 2,894 count 284; the split's numbers are those of 2013 and play no part.
    """
    firms = pa.table(
        {
            "firm": ["A"],
            "expected_losses_yuan": [28_660.84],
            "expected_primary_losses_yuan": [13_877.04],
            "last_mod": [0.9],
            "start_date": ["2014-01-01"],
        }
    )
    claims = pa.table(
        {
            "firm": ["A"] * 2,
            "claim_no": ["1", "2"],
            "event_date": ["2011-01-01", "2012-06-30"],
            "incurred": [916.0, 2_894.0],
            "medical_only": [1, 1],
        }
    )
    found = experience_mod(claims, firms, plan(WASHINGTON_2014))
    parts = found.parts
    assert (parts.actual_primary[0], parts.actual_excess[0]) == (284.0, 0.0)
    credible = parts.unbounded[0] * 28_660.84
    assert credible == pytest.approx(21_916.89, abs=0.005)
    assert pytest.approx(8_167.96, abs=0.005) == 0.42 * 284 + 0.58 * 13_877.04
    assert pytest.approx(13_748.93, abs=0.005) == 0.93 * (28_660.84 - 13_877.04)
    assert round(parts.unbounded[0], 4) == 0.7647
    assert parts.mod[0] == 0.7


def test_washington_a_lost_time_claim_ends_the_free_record(plan):
    firms = pa.table(
        {
            "firm": ["A"],
            "expected_losses_yuan": [28_660.84],
            "expected_primary_losses_yuan": [13_877.04],
            "start_date": ["2014-01-01"],
        }
    )
    claims = pa.table({"firm": ["A"], "event_date": ["2011-01-01"], "incurred": [200.0], "medical_only": [0]})
    assert experience_mod(claims, firms, plan(WASHINGTON_2014)).parts.mod[0] > 0.76


def test_the_stops_of_a_california_multi_split(plan):
    """California 1995 (Vasek, CAS 2000): full below 2,000, then 9,000·L/(L + 7,000)."""
    rule = rule_named(plan("split = { full_below = 2000, most = 9000, turn = 7000 }"))
    primary, _ = split_claims(rule, [1_000.0, 2_000.0, 11_000.0, 1e12], np.zeros(4))
    assert primary.round(2).tolist() == [1_000.0, 2_000.0, 5_500.0, 9_000.0]


def test_an_ohio_rule_and_its_caps(plan):
    """OAC 4123-17-03: whole limited losses, ((TML − TLL)/TLL)·C + 1; a rise of at most 100 %: .47 may become .94."""
    path = plan("""split = inf
claim_limit = { upper = [50000], values = [12500, 25000] }
expected_share = { upper = [50000], values = [0.5, 0.6] }
primary_credibility = { upper = [50000], values = [0.2, 0.4] }
swing_up = 1.0
places = 2
""")
    rule = rule_named(path)
    primary, excess = split_claims(rule, [30_000.0, 30_000.0], [40_000.0, 60_000.0])
    assert (primary.tolist(), excess.tolist()) == ([12_500.0, 25_000.0], [0.0, 0.0])
    tml, tll, c = 60_000.0, 60_000.0 * 0.6, 0.4
    found = split_mod(rule, [tml], [0.0], [60_000.0], [60_000.0])
    assert found.mod[0] == pytest.approx((tml - tll) / tll * c + 1, abs=0.005)
    assert split_mod(rule, [tml], [0.0], [60_000.0], [60_000.0], last_mod=[0.47]).mod[0] == 0.94


def test_a_delaware_rule(plan):
    """[Ap·C + E·C·L + E(1 − C)]/E, most 1.10 + .0004·E/12, and at most 40 % above last year (DCRB, Section VI)."""
    rule = rule_named(
        plan("""split = { upper = [50000], values = [10000, 42500] }
primary_credibility = { upper = [50000], values = [0.69, 0.80] }
d_ratio = { upper = [50000], values = [0.75, 0.60] }
most = { base = 1.10, per_expected = 3.3333333333333335e-5 }
swing_up = 0.40
places = 3
""")
    )
    e, ap, c, limit_charge = 60_000.0, 90_000.0, 0.80, 0.40
    found = split_mod(rule, [ap, ap], [1.0, 1.0], [e, e], [0.0, 0.0], last_mod=[np.nan, 0.9])
    assert found.unbounded[0] == pytest.approx((ap * c + e * c * limit_charge + e * (1 - c)) / e, rel=1e-14)
    assert found.mod.tolist() == [1.72, 1.26]
    capped = split_mod(rule, [9e6], [0.0], [e], [0.0]).mod[0]
    assert capped == round(1.10 + 0.0004 * e / 12, 3)


def test_new_york_caps_by_the_number_of_claims(plan):
    """(Ap + Ee)/E; with up to three claims the cap goes by their number, then by expected losses; D-ratios by size."""
    path = plan(
        """split = { upper = [10000, 100000], values = [1000, 20000, 170000] }
most_by_claims = [1.0, 1.3, 1.6, 1.9]
most = { upper = [100000], values = [2.5, 3.5] }
places = 2
[class_rates]
file = "d.csv"
""",
        d="class,elr,d,expected_from\n8810,1,.2,0\n8810,1,.4,10000\n8810,1,.7,100000\n",
    )
    payroll = pa.table({"firm": ["A", "B"], "class": ["8810"] * 2, "payroll": [2_000_000.0, 20_000_000.0]})
    claims = pa.table(
        {"firm": ["A"] * 2 + ["B"] * 5, "event_date": ["2023-05-05"] * 7, "incurred": [90_000.0] * 2 + [900_000.0] * 5}
    )
    found = experience_mod(claims, payroll, path, effective="2026-01-01")
    assert found.parts.expected.tolist() == [20_000.0, 200_000.0]
    assert found.parts.expected_primary.tolist() == [8_000.0, 140_000.0]
    assert found.parts.mod.tolist() == [1.6, 3.5]


def test_new_south_wales_blend_and_caps(plan):
    """T(1 − S) + E·S, at most 1.5·T below 50,000 of tariff premium, 2·T below 150,000 (Insurance Premiums Orders)."""
    rule = rule_named(
        plan("""split = inf
loss_factor = 1.8
primary_credibility = { at = [30000, 500000], values = [0.1, 0.9] }
most = { upper = [50000, 150000], values = [1.5, 2.0, 4.0] }
""")
    )
    t = np.array([40_000.0, 100_000.0])
    primary, _ = split_claims(rule, [100_000.0, 400_000.0], t)
    assert primary.tolist() == [180_000.0, 720_000.0]
    s = np.interp(t, [30_000, 500_000], [0.1, 0.9])
    found = split_mod(rule, primary, [0.0, 0.0], t, t)
    np.testing.assert_allclose(found.unbounded, 1 - s + s * primary / t, rtol=1e-14)
    assert found.mod.tolist() == [found.unbounded[0], 2.0]


def test_saskatchewan_participation_and_slopes(plan):
    """41.5 % plus 1 % for each 1,500 of premium above 21,000: 57.5 % at 45,000; −30 % at most, +200 % at most."""
    participation = value_of(
        rule_named(
            plan(
                "split = inf\n"
                "debit_share = { base = 0.275, per_expected = 6.666666666666667e-6, least = 0.415, most = 1 }"
            )
        ).debit_share,
        np.array([21_000.0, 45_000.0]),
    )
    assert participation.tolist() == pytest.approx([0.415, 0.575], abs=1e-12)
    rule = rule_named(
        plan("""split = inf
year_weights = [0.5, 0.33, 0.17]
credit_share = 0.3003
debit_share = 0.6666666666666666
least = 0.70
most = 3.0
""")
    )
    found = split_mod(rule, [500.0, 1_500.0, 1e6, 0.0], [0.0] * 4, [1_000.0] * 4, [1_000.0] * 4).mod
    assert found.tolist() == pytest.approx([1 - 0.5 * 0.3003, 1 + 0.5 / 1.5, 3.0, 0.70])


def test_years_count_by_weight(plan):
    """New Zealand's weights: the latest year whole, the one before .7, the oldest .4; payroll by year likewise."""
    path = plan("split = inf\nyear_weights = [1.0, 0.7, 0.4]\n[class_rates]\nclass = [{ code = 'a', loss_rate = 1 }]\n")
    payroll = pa.table({"firm": ["A"] * 4, "class": ["a"] * 4, "year": [2021, 2022, 2023, 2024], "payroll": [1e6] * 4})
    claims = pa.table(
        {
            "firm": ["A"] * 4,
            "incurred": [1_000.0] * 4,
            "event_date": ["2021-12-31", "2022-01-01", "2023-12-31", "2024-12-31"],
        }
    )
    found = experience_mod(claims, payroll, path, effective="2026-01-01")
    assert found.parts.actual_primary[0] == 1_000 + 700 + 400
    assert found.parts.expected[0] == pytest.approx(10_000 * 2.1)
    assert (found.exposure.outside, found.actual.outside) == (1, 1)


INTERSTATE = """
split = { by_state = { IL = 5000, WI = { from = ["2000-01-01", "2020-10-01"], values = [16500, 17000] } } }
claim_limit = { by_state = { IL = 200000, WI = 249500 } }
excess_credibility = { by_state = { IL = 0.10, WI = { upper = [50000], values = [0.06, 0.2] } } }
ballast = { by_state = { IL = 50000, WI = 60000 } }
[class_rates]
unit = 100
class = [
  { code = "8810", state = "IL", loss_rate = 0.2, d_ratio = 0.3 },
  { code = "8810", state = "WI", loss_rate = 0.1, d_ratio = 0.4 },
]
"""


def test_firms_of_several_states(plan):
    """W and B are means weighted by the expected losses in each state; claims keep the split and limit of theirs."""
    payroll = pa.table({"firm": ["A", "A"], "class": ["8810"] * 2, "state": ["IL", "WI"], "payroll": [3e7, 2e7]})
    claims = pa.table(
        {
            "firm": ["A", "A"],
            "state": ["IL", "WI"],
            "event_date": ["2019-01-01"] * 2,
            "incurred": [300_000.0, 300_000.0],
        }
    )
    found = experience_mod(claims, payroll, plan(INTERSTATE), effective="2021-01-01").parts
    assert found.expected[0] == 60_000 + 20_000
    assert found.expected_primary[0] == 18_000 + 8_000
    assert found.actual_primary[0] == 5_000 + 17_000
    assert found.actual_excess[0] == 195_000 + 232_500
    assert found.excess_credibility[0] == pytest.approx(0.75 * 0.10 + 0.25 * 0.2)
    assert found.ballast[0] == pytest.approx(52_500)


def test_states_classes_and_dates_that_the_plan_does_not_know(plan):
    payroll = pa.table(
        {
            "firm": ["A", "B", "C", "D"],
            "class": ["8810", "8810", "8811", "8810"],
            "state": ["IL", "TX", "WI", "WI"],
            "payroll": [3e7] * 4,
            "start_date": ["2021-01-01", "2021-01-01", "2021-01-01", "1999-12-31"],
        }
    )
    found = experience_mod(NO_CLAIMS, payroll, plan(INTERSTATE)).frame()
    assert found.status.tolist() == ["modified", "refused", "refused", "refused"]
    assert found.code.tolist()[1:] == ["RM626", "RM626", "RM624"]
    listed = pa.table(
        {
            "firm": ["A", "B"],
            "expected_losses_yuan": [1e5] * 2,
            "expected_primary_losses_yuan": [4e4] * 2,
            "state": ["WI", "TX"],
        }
    )
    second = experience_mod(NO_CLAIMS, listed, plan(INTERSTATE), effective="2021-01-01").frame()
    assert second.code.tolist()[1] == "RM623"
    with pytest.raises(ModelError) as error:
        experience_mod(NO_CLAIMS, listed.drop(["state"]), plan(INTERSTATE), effective="2021-01-01")
    assert code_of(error) == "RM619"


def test_one_accident_several_claims(plan):
    """Claims of one accident: in all at most twice the limit, their primary parts at most twice the split point."""
    path = plan("split = 10000\nclaim_limit = 100000\naccident_limit = 200000\naccident_primary_limit = 20000\n")
    firms = pa.table({"firm": ["A"], "expected_losses_yuan": [1e5], "expected_primary_losses_yuan": [4e4]})
    claims = pa.table(
        {
            "firm": ["A"] * 4,
            "claim_no": list("1234"),
            "event_no": ["E", "E", "E", "F"],
            "event_date": ["2023-01-01"] * 4,
            "incurred": [100_000.0] * 4,
        }
    )
    found = experience_mod(claims, firms, path, effective="2026-01-01")
    parts = {item.number: (item.primary_yuan, item.excess_yuan) for item in found.explain("A").claims}
    assert sum(sum(parts[name]) for name in "123") == pytest.approx(200_000, abs=0.02)
    assert sum(parts[name][0] for name in "123") == pytest.approx(20_000, abs=0.02)
    assert parts["4"] == (10_000.0, 90_000.0)


def test_kinds_of_claims(plan):
    """Disease: a firm's of one year at most 30,000 + 120 % of a year's expected losses; a death at a set value."""
    path = plan("""split = 10000
claim_limit = 100000
[kinds.disease]
year_limit = 30000
year_limit_of_expected = 1.2
[kinds.death]
value = 80000
[kinds.third_party]
share = 0.25
[kinds.medical]
share = { from = ["2000-01-01", "2010-01-01"], values = [1.0, 0.3] }
lost_time = false
""")
    firms = pa.table({"firm": ["A"], "expected_losses_yuan": [75_000.0], "expected_primary_losses_yuan": [4e4]})
    claims = pa.table(
        {
            "firm": ["A"] * 6,
            "claim_no": list("123456"),
            "event_date": ["2023-01-01"] * 6,
            "kind": ["disease", "disease", "death", "third_party", "medical", None],
            "incurred": [90_000.0, 90_000.0, 5.0, 40_000.0, 20_000.0, 20_000.0],
        }
    )
    found = experience_mod(claims, firms, path, effective="2026-01-01")
    whole = {item.number: item.primary_yuan + item.excess_yuan for item in found.explain("A").claims}
    assert whole == {"1": 30_000.0, "2": 30_000.0, "3": 80_000.0, "4": 10_000.0, "5": 6_000.0, "6": 20_000.0}
    assert found.actual.lost_time.tolist() == [5]


def test_eligibility_by_premium_of_two_years_or_on_average(plan):
    """New York and NCCI: 10,000 in the latest 24 months, or 5,000 a year on average."""
    path = plan("split = 10000\neligible_latest_premium = 10000\neligible_average_premium = 5000\n")
    firms = pa.table(
        {
            "firm": list("ABC"),
            "expected_losses_yuan": [1e5] * 3,
            "expected_primary_losses_yuan": [4e4] * 3,
            "latest_premium_yuan": [10_000.0, 9e3, 9e3],
            "average_premium_yuan": [4_500, 5_000, 4_999],
        }
    )
    found = experience_mod(NO_CLAIMS, firms, path, effective="2026-01-01").frame()
    assert found.status.tolist() == ["modified", "modified", "not_eligible"]
    assert found["mod"].tolist() == [0.6, 0.6, 1.0]


def test_rounding_at_every_stage(plan):
    path = plan("""split = 10000
excess_credibility = 0.128
ballast = 12345
mode = "down"
places = 2
[rounding]
claims = 0
expected = 0
expected_primary = 0
credibility = 2
ballast = -3
sums = 0
""")
    rule = rule_named(path)
    primary, excess = split_claims(rule, [9_999.5, 10_000.4], [0.0, 0.0])
    assert (primary.tolist(), excess.tolist()) == ([10_000.0, 10_000.0], [0.0, 0.0])
    found = split_mod(rule, [10_000.0], [5_001.0], [50_000.4], [20_000.6])
    assert (found.expected[0], found.expected_primary[0]) == (50_000.0, 20_001.0)
    assert (found.excess_credibility[0], found.ballast[0]) == (0.13, 12_000.0)
    assert found.unbounded[0] == (10_000 + 650 + 26_099 + 12_000) / 62_000
    assert found.mod[0] == np.floor(found.unbounded[0] * 100) / 100


def test_a_surcharge_that_only_adds(plan):
    """All-risk adjustment of Massachusetts: never below 1, at most 1.25 (from September 2007; 1.49 before)."""
    rule = rule_named(
        plan("""split = 5000
excess_credibility = 0.5
least = 1.0
most = { from = ["1990-01-01", "2007-09-01"], values = [1.49, 1.25] }
""")
    )
    days = np.array(["2007-08-31", "2007-09-01", "2007-09-01"], "datetime64[D]")
    e = np.full(3, 10_000.0)
    found = split_mod(rule, [20_000.0, 20_000.0, 0.0], [9e4, 9e4, 0.0], e, e / 2, where=Setting(e, days))
    assert found.mod.tolist() == [1.49, 1.25, 1.0]


def test_tables_in_files_step_or_are_interpolated(plan):
    words = 'split = 10000\nballast = { file = "b.csv"%s }\n'
    table = "期望损失下限（万元）,取值\n0,10000\n10,20000\n"
    e = np.array([0.0, 50_000.0, 100_000.0, 1e6])
    assert value_of(rule_named(plan(words % "", b=table)).ballast, e).tolist() == [1e4, 1e4, 2e4, 2e4]
    curve = rule_named(plan(words % ", interpolate = true", b=table)).ballast
    assert value_of(curve, e).tolist() == [1e4, 1.5e4, 2e4, 2e4]


def test_firms_of_common_ownership_share_one_mod(plan):
    firms = pa.table(
        {
            "firm": list("ABC"),
            "expected_losses_yuan": [1e5, 3e5, 1e5],
            "集团": ["G", "G", None],
            "expected_primary_losses_yuan": [4e4, 12e4, 4e4],
        }
    )
    claims = pa.table({"firm": ["A", "C"], "event_date": ["2023-01-01"] * 2, "incurred": [50_000.0] * 2})
    found = experience_mod(claims, firms, plan("split = 10000\nballast = 50000\n"), effective="2026-01-01")
    assert found.parts.expected.tolist() == [4e5, 4e5, 1e5]
    assert found.parts.mod[0] == found.parts.mod[1] == (10_000 + 240_000 + 50_000) / 450_000
    assert found.parts.mod[2] == (10_000 + 60_000 + 50_000) / 150_000
    assert [item.number for item in found.explain("B").claims] == ["1"]
    bad = pa.table({"firm": ["A"], "event_date": ["2023-01-01"], "incurred": [-1.0]})
    frame = experience_mod(bad, firms, plan("split = 10000\n"), effective="2026-01-01").frame()
    assert frame.code.tolist()[:2] == ["RM610", "RM632"]
    assert frame.status.tolist()[2] == "modified"


def test_new_firms_where_the_plan_says_so(plan):
    firms = pa.table({"firm": ["A"], "expected_losses_yuan": [0.0], "expected_primary_losses_yuan": [0.0]})
    strict = experience_mod(NO_CLAIMS, firms, plan("split = 10000\n"), effective="2026-01-01").frame()
    assert strict.code[0] == "RM617"
    mild = experience_mod(NO_CLAIMS, firms, plan("split = 10000\nnew_firm_mod = 1.0\n"), effective="2026-01-01").frame()
    assert (mild.status[0], mild["mod"][0]) == ("not_eligible", 1.0)


@pytest.mark.parametrize(
    "words, told",
    [
        ("split = 1\nbalast = 2\n", "ballast"),
        ("ballast = 2\n", "split"),
        ("split = { uper = [1], values = [1, 2] }\n", "upper"),
        ("split = 1\n[kinds.x]\nshar = 1\n", "share"),
        ("split = 1\nmode = 'halfup'\n", "half_up"),
        ("split = 1\nyears = 3\nyear_weights = [1, 2]\n", "year_weights"),
        ("split = 1\n[rounding]\nclaim = 0\n", "claims"),
        ("split = 1\nballast = { full_below = 1, most = 2, turn = 3 }\n", "split only"),
        ("split = true\n", "true"),
        ("split = 1\nyear_weights = '123'\n", "a list"),
        ("split = 1\nyears = 2.9\n", "2.9"),
        ("split = 1\nclaim_free_despite_medical_only = 'no'\n", "true or false"),
        ("split = { from = ['last year'], values = [1] }\n", "a day"),
        ("split = { at = [2, 1], values = [1, 2] }\n", "2"),
        ("split = nan\n", "not finite"),
        ("split = { by_state = { IL = 1, WI = [2] } }\n", "by_state.WI"),
        ("split = { formula = 'ncci_wieght', average_cost_per_case = 11.9 }\n", "ncci_weight"),
        ("split = 1\n[class_rates]\nclass = [{ code = 'a', loss_rate = -1 }]\n", "loss_rate"),
        ("split = 1\nkinds = ['x']\n", "a table"),
    ],
)
def test_a_plan_file_is_checked(plan, words, told):
    path = plan(words)
    with pytest.raises(PlanError) as error:
        rule_named(path)
    first = error.value.problems[0]
    assert told in first.line("en") and first.file == str(path)
    assert first.line("zh") != first.line("en")


def test_all_faults_of_a_plan_file_come_at_once(plan):
    with pytest.raises(PlanError) as error:
        rule_named(plan("split = true\nmode = 'halfup'\nplaces = '3'\n[rounding]\nclaim = 0\n"))
    assert [(item.code, item.row) for item in error.value.problems] == [
        ("RM103", 3),
        ("RM104", 4),
        ("RM103", 5),
        ("RM104", 7),
    ]


def test_a_class_that_stands_twice(plan):
    with pytest.raises(PlanError) as error:
        rule_named(plan("split = 1\n[class_rates]\nfile = 'c.csv'\n", c="class,elr\n1,2\n1,3\n"))
    assert code_of(error) == "RM625"


BUSY = """split = { upper = [80000], values = [10000, 20000] }
excess_credibility = 0.3
ballast = 30000
accident_limit = 60000
accident_primary_limit = 25000
year_weights = [1.0, 0.8, 0.5]
swing = 0.25
least = 0.5
most = 2.5
places = 2
[kinds.disease]
year_limit = 15000
"""


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_movement_is_exact_whatever_the_plan_has(tmp_path_factory, seed):
    """Accidents, kinds, weights, a swing, groups, successions: the parts still add up to the printed mods' change."""
    rng = np.random.default_rng(seed)
    path = tmp_path_factory.mktemp("plan") / "plan.toml"
    path.write_text(HEAD + BUSY)

    def claims():
        return pa.table(
            {
                "firm": rng.choice(list("ABCDE"), 30),
                "claim_no": [str(i) for i in range(30)],
                "event_no": rng.choice(list("uvwxyz"), 30),
                "kind": rng.choice(["disease", "injury"], 30),
                "event_date": (np.datetime64("2021-01-01") + rng.integers(0, 1700, 30)).astype(str),
                "incurred": rng.integers(1, 80_000, 30).astype(float),
            }
        )

    def firms():
        e = rng.integers(50_000, 120_000, 5).astype(float)
        return pa.table(
            {
                "firm": list("ABCDE"),
                "expected_losses_yuan": e,
                "expected_primary_losses_yuan": e / 4,
                "last_mod": rng.uniform(0.7, 1.4, 5).round(2),
                "group": ["G", "G", None, None, None],
            }
        )

    moved = pa.table({"from_code": ["C"], "to_code": ["D"], "share": [0.5]})
    before = experience_mod(claims(), firms(), path, effective="2025-01-01")
    after = experience_mod(claims(), firms(), path, effective="2026-01-01", successions=moved)
    found = movement(before, after)
    at = [before.place(name) for name in found.firms]
    assert found.before.tolist() == before.parts.mod[at].tolist()
    assert found.after.tolist() == after.parts.mod[at].tolist()
    np.testing.assert_allclose(found.parts.sum(axis=1), found.after - found.before, atol=1e-12)


def test_a_picture_and_a_page_of_one_firm(tmp_path, plan, capsys):
    words = "企业,期望损失,期望初级损失,起期,保费\nA&B,100000,40000,2026-01-01,5000\n"
    (tmp_path / "firms.csv").write_text(words, encoding="gb18030")
    rows = "".join(f"A&B,C{i},2024-0{i % 9 + 1}-01,{9000 + i}\n" for i in range(20))
    (tmp_path / "claims.csv").write_text("企业,赔案号,出险日期,已付赔款\n" + rows, encoding="utf-8-sig")
    words = [
        "mods",
        str(tmp_path / "claims.csv"),
        "--exposure",
        str(tmp_path / "firms.csv"),
        "--lang",
        "zh",
        "--rule",
        str(plan("split = 10000\nmost = 2.0\n")),
    ]
    assert main([*words, "--explain", "A&B", "-o", str(tmp_path / "a.svg")]) == 0
    picture = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "A&amp;B" in picture and "其余9件赔案" in picture and "限幅与取整" in picture
    assert main([*words, "--explain", "A&B", "-o", str(tmp_path / "a.html")]) == 0
    assert main([*words, "-o", str(tmp_path / "all.csv")]) == 0
    assert "controllable_premium_yuan" in (tmp_path / "all.csv").read_text(encoding="utf-8-sig")
    assert main([*words, "--effective", "2026-01-01", "--explain", "A&B", "-o", str(tmp_path / "a.xlsx")]) == 1
    (tmp_path / "last.csv").write_text("企业,期望损失,期望初级损失,起期\nA&B,90000,40000,2025-01-01\n")
    assert (
        main(
            [
                *words,
                "--last-claims",
                str(tmp_path / "claims.csv"),
                "--last-exposure",
                str(tmp_path / "last.csv"),
                "-o",
                str(tmp_path / "why.csv"),
            ]
        )
        == 0
    )
    assert "进入经验期的赔案" in capsys.readouterr().out


def test_each_messy_claim_refuses_its_own_firm(plan):
    firms = pa.table(
        {
            "firm": list("ABCDEFG"),
            "expected_losses_yuan": [1e5] * 7,
            "start_date": ["2026-01-01"] * 7,
            "expected_primary_losses_yuan": [4e4] * 7,
        }
    )
    claims = pa.table(
        {
            "firm": ["A", "B", "C", "D", "D", "E", "F", "Q"],
            "claim_no": ["1", "2", "3", "4", "4", "5", "6", "7"],
            "event_date": [
                "2024-02-30",
                "2024-01-01",
                "2024-01-01",
                "2023-01-01",
                "2023-01-01",
                None,
                "2024-01-01",
                "x",
            ],
            "valuation_date": [None, "2023-01-01", *["2025-01-01"] * 6],
            "paid_yuan": ["1", "2", "三万多", "4", "4", "5", None, "6"],
        }
    )
    found = experience_mod(claims, firms, plan("split = 10000\n")).frame("zh")
    assert found.code.tolist()[:6] == ["RM206", "RM611", "RM203", "RM629", "RM612", "RM630"]
    assert found.status.tolist()[6] == "modified"


def test_claims_count_as_valued_on_the_day_that_the_plan_says(plan):
    """Valued 18 months after the last year began, six months before the mod applies: later news waits for next year."""
    firms = pa.table({"firm": ["A", "B"], "expected_losses_yuan": [1e5] * 2, "expected_primary_losses_yuan": [4e4] * 2})
    claims = pa.table(
        {
            "firm": ["A", "A", "A", "A", "B", "B", "B"],
            "claim_no": ["1", "1", "1", "2", "4", "3", "3"],
            "event_date": ["2023-05-05"] * 7,
            "incurred": [1_000.0, 2_000.0, 9_000.0, 500.0, 70.0, 5.0, 6.0],
            "valuation_date": ["2024-07-01", "2025-07-01", "2025-07-02", "2025-12-31", *["2025-01-01"] * 3],
        }
    )
    found = experience_mod(claims, firms, plan("split = 10000\nvaluation_months = 6\n"), effective="2026-01-01")
    assert [(item.number, item.incurred_yuan) for item in found.explain("A").claims] == [("1", 2_000.0)]
    assert found.frame().code[1] == "RM629"
    undated = claims.set_column(4, "valuation_date", pa.array([None] * 7, pa.string()))
    asked = plan("split = 10000\nvaluation_months = 6\n")
    blank = experience_mod(undated.slice(3, 1), firms, asked, effective="2026-01-01")
    assert (blank.frame().code[0], blank.frame().status[1]) == ("RM633", "modified")
    with pytest.raises(ModelError) as error:
        experience_mod(
            claims.drop(["valuation_date"]), firms, plan("split = 1\nvaluation_months = 6\n"), effective="2026-01-01"
        )
    assert code_of(error) == "RM619"
