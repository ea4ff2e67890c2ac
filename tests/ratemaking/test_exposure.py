"""Earned exposure: textbook answers, a day-by-day count, and what must add up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.errors import ModelError
from ratemod.ratemaking import exposure as ex

YEARS = ["2019-01-01", "2020-01-01", "2021-01-01"]


def day(number):
    return np.datetime64("2018-01-01") + np.asarray(number)


def test_cas_exam_5_2003_no_10(vectors):
    case = vectors("textbook_credibility_ratemaking")["earning"]
    until = np.datetime64(case["asof"]) + 1
    earned = ex.earned_exposure(
        [case["effective"]], ["2003-03-01"], [case["premium"]], ["2002-01-01", until], basis="month"
    )
    assert earned.item() == case["earned"] == 750
    assert ex.in_force([case["effective"]], ["2003-03-01"], [900.0], [case["asof"]]).tolist() == [case["inforce"]]


def test_werner_modlin_four_policies(vectors):
    case = vectors("textbook_credibility_ratemaking")["earning"]["policies_2019"]
    start = np.array([f"2019-{d}" for d in case["effective"]], "datetime64[D]")
    end = np.array([f"2020-{d}" for d in case["effective"]], "datetime64[D]")
    earned = ex.earned_exposure(start, end, np.ones(4), YEARS, basis="month")
    assert earned[:, 0].tolist() == case["earned_2019"]
    assert earned[:, 1].tolist() == case["earned_2020"] == case["unearned_end_2019"]
    assert earned[:, 0].sum() == case["earned_2019_total"]
    for i, wanted in enumerate(case["inforce_2020_01_01"]):
        assert ex.in_force(start[i : i + 1], end[i : i + 1], [1.0], ["2020-01-01"]).item() == wanted
    by_policy_year = ex.policy_period_exposure(start, start, end, np.ones(4), YEARS, "2020-12-31", basis="month")
    assert by_policy_year.tolist() == [4.0, 0.0]


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 800), st.floats(0.01, 1e6)), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_earned_equals_a_count_of_days_and_adds_up(rows):
    start, length, written = (np.array(column) for column in zip(*rows))
    begin, end = day(start), day(start + length)
    edges = ["2017-01-01", "2019-01-01", "2020-01-01", "2020-03-01", "2030-01-01"]
    earned = ex.earned_exposure(begin, end, written, edges)
    for i in range(len(rows)):
        insured = np.arange(begin[i], end[i])
        before = np.array([(insured < np.datetime64(edge)).sum() for edge in edges])
        np.testing.assert_allclose(earned[i], written[i] * np.diff(before) / length[i], rtol=1e-12)
    np.testing.assert_allclose(earned.sum(axis=1), written, rtol=1e-12)
    group = np.arange(len(rows)) % 2
    summed = ex.earned_exposure(begin, end, written, edges, group=group, groups=2)
    np.testing.assert_allclose(summed[0], earned[group == 0].sum(axis=0), rtol=1e-12, atol=1e-9)


def test_a_year_is_one_year_in_a_leap_year_too():
    whole = ex.segments_from_changes(["2024-01-01", "2023-01-01"], ["2025-01-01", "2024-01-01"], [5, 5], [], [], [])
    assert ex.written_exposure(whole, ["2024-01-01", "2023-01-01"], ["2025-01-01", "2024-01-01"]).tolist() == [5.0, 5.0]


def test_mid_term_changes_cancel_and_replace():
    cut = ex.segments_from_changes(
        ["2024-01-01"], ["2025-01-01"], [10], [0, 0, 0], ["2024-11-01", "2024-03-01", "2024-03-01"], [0, 99, 30]
    )
    assert cut.amount.tolist() == [10, 30, 0]
    assert [str(d) for d in cut.start] == ["2024-01-01", "2024-03-01", "2024-11-01"]
    heads = ex.written_exposure(cut, ["2024-01-01"], ["2025-01-01"])
    np.testing.assert_allclose(heads, [10 * 60 / 366, 30 * 245 / 366, 0], rtol=1e-13)


def test_claims_find_the_stretch_of_their_day():
    cut = ex.segments_from_changes(
        ["2024-01-01", "2024-02-01"], ["2025-01-01", "2025-02-01"], [10, 1], [0], ["2024-07-01"], [20]
    )
    row, reason = ex.match_claims(
        cut.policy,
        cut.start,
        cut.end,
        [0, 0, 1, 1, 2],
        ["2024-06-30", "2024-07-01", "2025-01-31", "2024-01-31", "2024-05-05"],
    )
    assert cut.amount[row[:3]].tolist() == [10, 20, 1]
    assert row[3:].tolist() == [-1, -1]
    assert reason.tolist() == ["", "", "", "RM509", "RM508"]
    assert ex.match_claims([], [], [], [1], ["2024-01-01"])[1].tolist() == ["RM508"]


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("RM505", lambda: ex.earned_exposure(["2024-01-01"], ["2024-01-01"], [1.0], YEARS)),
        ("RM507", lambda: ex.earned_exposure(["2024-01-01"], ["2024-01-02"], [1.0], YEARS[::-1])),
        ("RM500", lambda: ex.earned_exposure(["NaT"], ["2024-01-02"], [1.0], YEARS)),
        ("RM503", lambda: ex.earned_exposure(["2024-01-01"], ["2024-01-02"], [1.0, 2.0], YEARS)),
        ("RM506", lambda: ex.segments_from_changes(["2024-01-01"], ["2025-01-01"], [1], [0], ["2025-01-01"], [2])),
        ("RM524", lambda: ex.earned_exposure(["2024-01-01"], ["2024-01-02"], [1.0], YEARS, group=[-1])),
        ("RM506", lambda: ex.segments_from_changes(["2024-01-01"], ["2025-01-01"], [1], [-1], ["2024-03-01"], [2])),
        (
            "RM510",
            lambda: ex.match_claims(
                [1, 1], ["2024-01-01", "2024-06-01"], ["2025-01-01", "2025-01-01"], [1], ["2024-07-01"]
            ),
        ),
    ],
)
def test_refusals(code, call):
    with pytest.raises(ModelError) as caught:
        call()
    assert [item.code for item in caught.value.problems] == [code]
