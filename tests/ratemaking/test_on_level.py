"""Parallelogram factors against printed ones, and against re-rating a dense set of policies."""

import numpy as np
import pytest

from ratemod.errors import ModelError
from ratemod.ratemaking.exposure import earned_exposure
from ratemod.ratemaking.on_level import cumulative_levels, on_level_premium, parallelogram


def januaries(first, last):
    return [f"{year}-01-01" for year in range(first, last + 2)]


def test_published_parallelograms(vectors):
    changes = None
    for case in vectors("ratemaking")["parallelogram"]["cases"]:
        changes = changes if case["changes"] == "same" else case["changes"]
        date, change = zip(*changes)
        made = parallelogram(date, change, januaries(2010, 2014), term_months=case["term_months"])
        np.testing.assert_allclose(made.factor, case["olf"], rtol=1e-12)
        np.testing.assert_allclose(made.factor * made.average_level, made.current_level, rtol=1e-15)


def test_daily_calendar(vectors):
    """Dates and changes as in chainladder-python's test_parallelogram.py (MPL-2.0), figures to six decimals."""
    data = vectors("ratemaking")["parallelogram"]
    date, change = ["2010-07-01", "2011-01-01", "2012-07-01", "2013-04-01"], [0.035, 0.05, 0.10, -0.01]
    made = parallelogram(date, change, januaries(2006, 2015), basis="day")
    assert made.factor.round(6).tolist() == data["daily_variants"]["olf"]
    slanted = parallelogram(["2017-07-01"], [0.2], januaries(2017, 2017), basis="day")
    np.testing.assert_allclose(slanted.factor, data["diag_daily"]["olf"], rtol=1e-12)
    np.testing.assert_allclose(slanted.factor, 1.2 / (1 + 0.2 * (184 / 365) ** 2 / 2), rtol=1e-14)
    upright = parallelogram(["2017-07-01"], [0.2], januaries(2017, 2017), basis="day", in_force_changes=[True])
    np.testing.assert_allclose(upright.factor, data["vertical_line"]["olf"], rtol=1e-12)


def test_other_terms_of_the_same_source():
    """chainladder-python test_policy_length: 24-month policies, and 6-month ones with three changes."""
    assert parallelogram(["2010-07-01"], [0.2], januaries(2010, 2014), term_months=24).factor.round(6).tolist() == [
        1.185185,
        1.090909,
        1.010526,
        1,
        1,
    ]
    made = parallelogram(
        ["2010-07-01", "2011-10-01", "2012-04-01"], [0.35, 0.149, -0.095], januaries(2010, 2014), term_months=6
    )
    assert made.factor.round(6).tolist() == [1.290842, 1.030251, 0.958285, 1, 1]


@pytest.mark.parametrize("by_law", [[False, False], [True, False], [False, True], [True, True]])
def test_equals_policies_written_every_day(by_law):
    """A policy a day, each rated by its own date: calendar-year averages approach the parallelogram."""
    date, change = np.array(["2021-04-01", "2022-03-01"], "datetime64[D]"), np.array([0.3, -0.2])
    inception = np.arange(np.datetime64("2019-01-01"), np.datetime64("2024-01-01"))
    edges = np.array(januaries(2021, 2022), "datetime64[D]")
    _, level = cumulative_levels(date, change)
    every_day = np.arange(edges[0], edges[-1] + 1)
    earned = earned_exposure(inception, inception + 365, np.full(len(inception), 365.0), every_day)
    step = 1 + change
    days = np.arange(edges[0], edges[-1])
    rate = np.ones((len(inception), len(days)))
    for d, s, law in zip(date, step, by_law):
        rate *= np.where((days[None, :] if law else inception[:, None]) >= d, s, 1.0)
    average = np.add.reduceat((earned * rate).sum(axis=0), [0, 365]) / np.add.reduceat(earned.sum(axis=0), [0, 365])
    made = parallelogram(date, change, edges, basis="day", in_force_changes=by_law)
    np.testing.assert_allclose(made.factor, level[-1] / average, rtol=2e-3)


def test_policy_years_and_single_policies():
    made = parallelogram(["2010-07-01"], [0.1], januaries(2010, 2011), period="policy")
    np.testing.assert_allclose(made.factor, [1.1 / 1.05, 1.0], rtol=1e-14)
    moved = on_level_premium(["2010-06-30", "2010-07-01"], [[100.0, 50.0], [110.0, 55.0]], ["2010-07-01"], [0.1])
    np.testing.assert_allclose(moved, [[110, 55], [110, 55]], rtol=1e-14)


def test_no_change_is_one_and_refusals():
    assert parallelogram([], [], januaries(2020, 2021)).factor.tolist() == [1.0, 1.0]
    for code, args in [("RM511", (["2011-01-01", "2010-01-01"], [0.1, 0.1])), ("RM512", (["2011-01-01"], [-1.0]))]:
        with pytest.raises(ModelError) as caught:
            parallelogram(*args, januaries(2010, 2011))
        assert caught.value.problems[0].code == code
    with pytest.raises(ModelError, match="RM513"):
        parallelogram(["2011-01-01"], [0.1], januaries(2010, 2011), period="policy", in_force_changes=[True])
