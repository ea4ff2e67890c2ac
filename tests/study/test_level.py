"""The level of a study against plain sums: trend, count development and limits reach what the book must carry."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.study import small

from ratemod.errors import ModelError
from ratemod.study.fit import fit

COUNTS = [1_800, 1_500, 1_200, 900]


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return small.plan_folder(tmp_path_factory.mktemp("plan"))


@pytest.mark.parametrize("yearly", [-0.25, -0.05, 0.0, 0.15])
def test_a_stated_trend_of_frequency_reaches_the_level(plan, yearly):
    """A known claim of year y stands for (1 + f)^(2027 - y - 1/2) claims of the new terms, whose middle is 2027.

    On equal exposures the model weighs the years by what they are known to hold, so that the expected losses of one
    year's exposure are the sum of the claims over the sum of their shares, sum n / sum (1 + f)^-(2026.5 - y).
    """
    made = fit(
        small.history(COUNTS, 2022),
        plan,
        new_from="2026-01-01",
        frequency_trend=yearly,
        severity_trend=0.0,
        **small.PLAIN,
    )
    shares = [(1 + yearly) ** -(2026.5 - year) for year in range(2022, 2026)]
    assert made.rates.expected_yuan == pytest.approx(sum(COUNTS) * 10_000 / sum(shares), rel=1e-6)


def test_a_stated_trend_of_the_mean_cost_reaches_the_level(plan):
    made = fit(
        small.history(COUNTS, 2022),
        plan,
        new_from="2026-01-01",
        frequency_trend=0.0,
        severity_trend=0.08,
        **small.PLAIN,
    )
    plain = sum(n * 10_000 * 1.08 ** (2026.5 - year) for n, year in zip(COUNTS, range(2022, 2026))) / 4
    assert made.rates.expected_yuan == pytest.approx(plain, rel=1e-6)


@pytest.mark.parametrize("late", [0.25, 0.5])
def test_claims_still_to_be_reported_reach_the_level(plan, late):
    """1,200 claims a year, a share of each year's reported one year later: the last year is known in part only."""
    past = small.with_valuations(small.history([1_200] * 5, 2021), late)
    made = fit(past, plan, new_from="2026-01-01", **small.FLAT, **{**small.PLAIN, "development": "volume"})
    assert len(past["claims"]) == 5 * 1_200 - 1_200 * late
    assert made.rates.expected_yuan == pytest.approx(12_000_000, rel=2e-3)


HALF_YEARS = [dt.date(year, 6, 30) for year in range(2020, 2026)]
QUARTERS = [dt.date(y, m, d) for y in range(2020, 2026) for m, d in ((3, 31), (6, 30), (9, 30), (12, 31))]


@pytest.mark.parametrize("days", [HALF_YEARS, [day for day in QUARTERS if day <= HALF_YEARS[-1]]])
@pytest.mark.parametrize("late", [0.0, 0.3])
def test_a_valuation_in_the_middle_of_a_year_counts_half_of_its_exposure_and_half_of_its_claims(plan, days, late):
    """240 claims of 10,000 yuan in every year: the half year that is known must not be developed to a whole one."""
    past = small.known_at(small.history([240] * 6, 2020), days, late)
    made = fit(past, plan, new_from="2026-01-01", **small.FLAT, **{**small.PLAIN, "development": "volume"})
    assert made.rates.expected_yuan == pytest.approx(2_400_000, rel=5e-3)
    frames = made.frames()
    assert frames["development"].age_months.tolist() == [6, 18, 30, 42, 54, 66]
    own = frames["years"].capped_ultimate_trended_yuan + frames["years"].excess_yuan
    assert own.to_numpy() == pytest.approx(frames["mack"].ultimate.to_numpy(), rel=1e-9)
    assert made.held_out.ratio == pytest.approx(1.0, abs=0.05)
    assert made.data.middle[-1] == pytest.approx(2025.25, abs=0.005)


def test_a_trend_over_half_a_year_runs_from_its_own_middle(plan):
    """+10 % of the mean cost a year: the half year stands a quarter of a year nearer, that is 1.1^0.25 = +2.4 %."""
    past = small.known_at(small.history([240] * 6, 2020), HALF_YEARS)
    trends = {"frequency_trend": 0.0, "severity_trend": 0.10}
    made = fit(past, plan, new_from="2026-01-01", **trends, **{**small.PLAIN, "development": "none"})
    middles = [2020.5, 2021.5, 2022.5, 2023.5, 2024.5, 2025 + 181 / 365 / 2]
    shares = [1, 1, 1, 1, 1, 181 / 365]
    plain = sum(s * 2_400_000 * 1.1 ** (2027.0 - m) for s, m in zip(shares, middles)) / sum(shares)
    assert made.rates.expected_yuan == pytest.approx(plain, rel=5e-3)


def test_values_between_the_years_of_valuation_are_set_aside_and_lose_nothing(plan):
    quarters = small.known_at(small.history([240] * 6, 2020), QUARTERS, 0.3)
    years = small.known_at(small.history([240] * 6, 2020), QUARTERS[3::4], 0.3)
    asked = {**small.FLAT, **small.PLAIN, "development": "volume", "new_from": "2026-01-01"}
    one, other = fit(quarters, plan, **asked), fit(years, plan, **asked)
    assert one.rates.expected_yuan == other.rates.expected_yuan
    (left,) = [row for row in one.history.refused if row.problem.code == "RM474"]
    assert len(left.rows) == len(quarters["valuations"]) - len(years["valuations"])


def test_values_on_days_of_their_own_are_refused(plan):
    past = small.known_at(small.history([240] * 6, 2020), QUARTERS[3::4])
    days = past["valuations"].valuation_date
    past["valuations"] = past["valuations"].assign(
        valuation_date=[dt.date(day.year, 3 + day.year % 9, 1) if day.year < 2025 else day for day in days]
    )
    with pytest.raises(ModelError, match="RM590"):
        fit(past, plan, new_from="2026-01-01", **small.FLAT, **{**small.PLAIN, "development": "volume"})


def test_yearly_losses_of_the_exhibits_are_those_of_the_chain_ladder(plan):
    past = small.with_valuations(small.history([900, 1_100, 1_000, 1_300, 1_200], 2021), 0.4)
    made = fit(past, plan, new_from="2026-01-01", **small.FLAT, **{**small.PLAIN, "development": "volume"})
    frames = made.frames()
    own = frames["years"].capped_ultimate_trended_yuan + frames["years"].excess_yuan
    assert own.to_numpy() == pytest.approx(frames["mack"].ultimate.to_numpy(), rel=1e-9)
    assert own.sum() / 5 == pytest.approx(made.rates.expected_yuan, rel=0.02)
