from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratemod.errors import ModelError
from ratemod.registers.accident_record import accident_record
from ratemod.registers.days import as_days
from ratemod.vocabulary.codes.accident import GRADES, accident_grade
from tests.registers.histories import as_array, codes, days, register, years_before

CLAIM = {"credit_code": "A", "event_date": date(2023, 1, 1), "deaths": 1, "serious_injuries": 0}
POLICY = {"credit_code": "A", "start_date": date(2023, 1, 1), "end_date": date(2024, 1, 1), "premium_fen": 36500}


@st.composite
def claim_rows(draw):
    rows = []
    for at in range(draw(st.integers(1, 8))):
        rows.append(
            {
                "claim_no": f"C{at}",
                "event_no": draw(st.sampled_from(("E1", "E2", "E3", None))),
                "credit_code": draw(codes),
                "event_date": draw(days),
                "deaths": draw(st.integers(0, 12)),
                "serious_injuries": draw(st.integers(0, 60)),
                "direct_loss_yuan": draw(st.sampled_from((0, 9_999_999, 10_000_000))),
                "paid_fen": draw(st.integers(0, 10**9)),
                "case_reserve_fen": draw(st.integers(0, 10**9)),
            }
        )
    for row in rows:  # claims of one accident have one day
        first = next(other for other in rows if other["event_no"] == row["event_no"])
        if row["event_no"] is not None:
            row["event_date"] = first["event_date"]
    return rows


@given(claim_rows(), st.lists(st.tuples(codes, days), min_size=1, max_size=6), st.integers(1, 3))
def test_the_record_is_that_of_a_plain_loop(rows, asked, years):
    keys, on = as_array(asked)
    found = accident_record(register("claims", rows), keys, on, years=years)
    for at, (firm, day) in enumerate(asked):
        held = [
            row for row in rows if row["credit_code"] == firm and years_before(day, years) <= row["event_date"] < day
        ]
        assert found.claims[at] == len(held)
        assert found.deaths[at] == sum(row["deaths"] for row in held)
        assert found.serious_injuries[at] == sum(row["serious_injuries"] for row in held)
        assert found.incurred_fen[at] == sum(row["paid_fen"] + row["case_reserve_fen"] for row in held)
        worst: dict[str, int] = {}
        for row in held:
            if row["deaths"] or row["serious_injuries"]:
                grade = int(accident_grade([row["deaths"]], [row["serious_injuries"]], [row["direct_loss_yuan"]])[0])
                event = row["event_no"] or row["claim_no"]
                worst[event] = max(worst.get(event, 0), grade)
        assert found.accidents[at].tolist() == [list(worst.values()).count(grade) for grade in range(len(GRADES))]
        before = [row["event_date"] for row in rows if row["credit_code"] == firm and row["event_date"] < day]
        assert (found.last[at] >= 0) == bool(before)
        if before:
            assert rows[found.last[at]]["event_date"] == max(before)


def test_the_window_begins_on_the_same_day_and_ends_the_day_before():
    held = register("claims", [CLAIM])
    on = as_days(["2023-01-01", "2023-01-02", "2026-01-01", "2026-01-02"])
    assert accident_record(held, ["A"] * 4, on).deaths.tolist() == [0, 1, 1, 0]


def test_an_accident_without_casualties_is_a_claim_only():
    held = register("claims", [CLAIM | {"deaths": 0}])
    on = as_days(["2023-06-01"])
    assert accident_record(held, ["A"], on).accidents.sum() == 0
    assert accident_record(held, ["A"], on, needs_casualty=False).accidents.tolist() == [[1, 0, 0, 0]]
    assert accident_record(held, ["A"], on).claims.tolist() == [1]


def test_the_authority_grades_the_whole_accident():
    held = register("claims", [CLAIM | {"accident_grade": "major"}])
    assert accident_record(held, ["A"], as_days(["2023-06-01"])).accidents.tolist() == [[0, 0, 1, 0]]


def test_claim_free_years_are_complete_and_at_most_those_insured():
    insured = register("policies", [POLICY | {"start_date": date(2020, 3, 1), "end_date": date(2021, 3, 1)}])
    held = register("claims", [CLAIM])
    on = as_days(["2022-12-31", "2024-01-01", "2024-01-02", "2026-01-02"])
    found = accident_record(held, ["A"] * 4, on, policies=insured)
    assert found.claim_free_years.tolist() == [2, 0, 1, 3]
    assert accident_record(held, ["B"], on[:1], policies=insured).claim_free_years.tolist() == [0]
    assert accident_record(held, ["A"], on[:1]).claim_free_years.tolist() == [-1]


def test_premium_earns_by_the_day_and_the_loss_ratio_follows():
    held = register("claims", [CLAIM | {"paid_fen": 5000, "case_reserve_fen": 2300}])
    insured = register("policies", [POLICY])
    found = accident_record(held, ["A"] * 2, as_days(["2023-04-11", "2026-01-01"]), policies=insured)
    assert found.earned_premium_fen.tolist() == [10000, 36500]
    assert found.loss_ratio.tolist() == [0.73, 7300 / 36500]
    none = accident_record(held, ["B"], as_days(["2023-04-11"]), policies=insured)
    assert np.isnan(none.loss_ratio).all()


@given(
    st.integers(1, 10**10),
    days,
    st.integers(1, 366),
    st.lists(st.integers(1, 900), min_size=1, max_size=4, unique=True),
)
def test_earned_premium_of_windows_side_by_side_adds_up(premium, start, length, cuts):
    insured = register(
        "policies",
        [{"credit_code": "A", "start_date": start, "end_date": start + timedelta(length), "premium_fen": premium}],
    )
    claims = register("claims", [])
    far = as_days([start + timedelta(1000)])
    whole = accident_record(claims, ["A"], far, policies=insured, years=10).earned_premium_fen[0]
    assert whole == premium
    # what is earned by a day never falls and never passes the premium
    on = as_days([start + timedelta(cut) for cut in sorted(cuts)])
    earned = accident_record(claims, ["A"] * len(on), on, policies=insured, years=10).earned_premium_fen
    assert (np.diff(earned) >= 0).all()
    assert earned.max() <= premium


def test_a_cancelled_policy_earns_no_longer():
    insured = register("policies", [POLICY | {"cancelled_date": date(2023, 1, 11)}])
    found = accident_record(register("claims", []), ["A"], as_days(["2024-01-01"]), policies=insured)
    assert found.earned_premium_fen.tolist() == [1000]


def test_development_multiplies_by_age_and_rounds_half_up():
    rows = [CLAIM | {"paid_fen": 101}, CLAIM | {"event_date": date(2024, 6, 1), "paid_fen": 101}]
    held = register("claims", rows)
    found = accident_record(held, ["A"], as_days(["2025-01-01"]), development=(1.5, 1.25), valued_on="2024-12-31")
    assert found.incurred_fen.tolist() == [126 + 152]  # 101 × 1.25 = 126.25, 101 × 1.5 = 151.5
    with pytest.raises(ModelError) as told:
        accident_record(held, ["A"], as_days(["2025-01-01"]), development=(1.5,))
    assert told.value.problems[0].code == "RM258"


def test_a_late_report_is_not_known():
    held = register("claims", [CLAIM | {"report_date": date(2023, 9, 1)}])
    on = as_days(["2023-12-01"])
    assert accident_record(held, ["A"], on, known_on="2023-08-31").claims.tolist() == [0]
    assert accident_record(held, ["A"], on, known_on="2023-09-01").claims.tolist() == [1]


def test_the_evidence_of_a_count_is_the_accident_that_counts():
    rows = [CLAIM, CLAIM | {"event_date": date(2023, 3, 1), "deaths": 0}]
    found = accident_record(register("claims", rows), ["A"], as_days(["2023-06-01"]))
    assert found.last.tolist() == [1]
    assert found.last_by_grade.tolist() == [[0, -1, -1, -1]]
