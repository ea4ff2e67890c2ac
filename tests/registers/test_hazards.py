from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ratemod.registers.days import as_days
from ratemod.registers.hazards import STATES, HazardRule, days_by_state, hazard_state
from tests.registers.histories import as_array, codes, days, hazard_rows, hazards_of, register

BASE = {
    "credit_code": "A",
    "grade": "major",
    "found_date": date(2024, 1, 10),
    "notified_date": date(2024, 1, 12),
    "due_date": date(2024, 2, 29),
}


def states(rows, *on):
    found = hazard_state(register("hazards", rows), ["A"] * len(on), np.array(on, dtype="datetime64[D]"))
    return [(STATES[state], int(late)) for state, late in zip(found.state, found.overdue_days)]


def test_found_from_midnight_and_due_inclusive_over_a_leap_day():
    on = [date(2024, 1, 9), date(2024, 1, 10), date(2024, 2, 29), date(2024, 3, 1), date(2024, 3, 31)]
    assert states([BASE], *on) == [("none", 0), ("open", 0), ("open", 0), ("overdue", 1), ("overdue", 31)]


def test_an_extension_moves_the_due_date_from_the_day_it_is_granted():
    row = BASE | {"extended_due_date": date(2024, 3, 30), "extension_granted_date": date(2024, 3, 5)}
    on = [date(2024, 3, 4), date(2024, 3, 5), date(2024, 3, 30), date(2024, 3, 31)]
    assert states([row], *on) == [("overdue", 4), ("open", 0), ("open", 0), ("overdue", 1)]
    undated = BASE | {"extended_due_date": date(2024, 3, 30)}
    assert states([undated], date(2024, 3, 4)) == [("open", 0)]


def test_rectification_stops_the_days_and_verification_ends_the_state():
    row = BASE | {"rectified_date": date(2024, 3, 10), "verified_date": date(2024, 3, 20)}
    on = [
        date(2024, 3, 9),
        date(2024, 3, 10),
        date(2024, 3, 19),
        date(2024, 3, 20),
        date(2025, 3, 20),
        date(2025, 3, 21),
    ]
    assert states([row], *on) == [
        ("overdue", 9),
        ("open", 0),
        ("open", 0),
        ("verified", 0),
        ("verified", 0),
        ("none", 0),
    ]


def test_refusal_stays_until_verified_and_counts_its_days():
    row = BASE | {"refused_date": date(2024, 2, 20), "verified_date": date(2024, 4, 1)}
    assert states([row], date(2024, 2, 19), date(2024, 2, 20), date(2024, 3, 31), date(2024, 4, 1)) == [
        ("open", 0),
        ("refused", 0),
        ("refused", 31),
        ("verified", 0),
    ]


def test_without_written_notice_nothing_is_overdue():
    row = BASE | {"notified_date": None}
    assert states([row], date(2025, 1, 1)) == [("open", 0)]


def test_the_rule_says_which_grades_count_and_for_how_long():
    general = register("hazards", [BASE | {"grade": "general"}])
    on = as_days(["2024-02-01"])
    assert STATES[hazard_state(general, ["A"], on).state[0]] == "none"
    assert STATES[hazard_state(general, ["A"], on, rule=HazardRule(grades=("general",))).state[0]] == "open"


def test_what_is_not_yet_known_does_not_count():
    held = register("hazards", [BASE | {"verified_date": date(2024, 3, 5)}])
    on = as_days(["2024-03-10"])
    assert STATES[hazard_state(held, ["A"], on).state[0]] == "verified"
    early = hazard_state(held, ["A"], on, known_on="2024-03-01")
    assert (STATES[early.state[0]], early.overdue_days.tolist()) == ("overdue", [10])
    assert STATES[hazard_state(held, ["A"], on, known_on="2024-01-09").state[0]] == "none"


@given(hazard_rows(), st.lists(st.tuples(codes, days), min_size=1, max_size=8))
def test_every_day_is_as_a_plain_reading_of_the_rows_says(rows, asked):
    keys, on = as_array(asked)
    found = hazard_state(register("hazards", rows), keys, on)
    for at, (firm, day) in enumerate(asked):
        told = (STATES[found.state[at]], found.overdue_days[at], found.pending[at], found.repeats[at])
        assert told == hazards_of(rows, firm, day)
        if told[0] != "none":
            deciding = rows[found.event[at]]
            assert deciding["credit_code"] == firm
            assert hazards_of([deciding], firm, day)[0] == told[0]
        else:
            assert found.event[at] == -1


@given(hazard_rows(), codes, days, st.integers(1, 400))
def test_days_by_state_are_the_days_counted_one_by_one(rows, firm, start, length):
    held = register("hazards", rows)
    end = start + timedelta(length)
    parts = days_by_state(held, [firm], as_days([start]), as_days([end]), thresholds=(31, 91))
    assert parts.days.sum() == length
    assert (parts.days > 0).all()

    def band(told):
        return told[0], 0 if told[1] == 0 else 1 + (told[1] >= 31) + (told[1] >= 91)

    plain = [band(hazards_of(rows, firm, start + timedelta(at))) for at in range(length)]
    cut = [
        band((STATES[state], late))
        for state, late, many in zip(parts.state, parts.overdue_days, parts.days)
        for _ in range(many)
    ]
    assert cut == plain
