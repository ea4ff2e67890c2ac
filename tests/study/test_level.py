"""The level of a study against plain sums: trend, count development and limits reach what the book must carry."""

from __future__ import annotations

import pytest
from tests.study import small

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


def test_yearly_losses_of_the_exhibits_are_those_of_the_chain_ladder(plan):
    past = small.with_valuations(small.history([900, 1_100, 1_000, 1_300, 1_200], 2021), 0.4)
    made = fit(past, plan, new_from="2026-01-01", **small.FLAT, **{**small.PLAIN, "development": "volume"})
    frames = made.frames()
    own = frames["years"].capped_ultimate_trended_yuan + frames["years"].excess_yuan
    assert own.to_numpy() == pytest.approx(frames["mack"].ultimate.to_numpy(), rel=1e-9)
    assert own.sum() / 5 == pytest.approx(made.rates.expected_yuan, rel=0.02)
