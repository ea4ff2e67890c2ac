"""Certificates, integrity grades and the punishment list against plain readings."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratemod.errors import BookError
from ratemod.registers.certificates import LEVELS, DowngradeRule, certificate_state
from ratemod.registers.days import as_days
from ratemod.registers.integrity import GRADES, blacklisted, integrity_grade
from tests.registers.histories import as_array, codes, days, register

asked_days = st.lists(st.tuples(codes, days), min_size=1, max_size=8)


@st.composite
def certificate_rows(draw):
    rows, taken = [], set()
    for _ in range(draw(st.integers(1, 6))):
        firm, issue = draw(codes), draw(days)
        if (firm, issue) in taken:
            continue
        taken.add((firm, issue))
        gone = draw(st.none() | st.integers(0, 400))
        rows.append(
            {
                "credit_code": firm,
                "standardisation": draw(st.sampled_from(LEVELS[1:])),
                "issue_date": issue,
                "expiry_date": issue + timedelta(draw(st.integers(0, 500))),
                "withdrawn_date": None if gone is None else issue + timedelta(gone),
            }
        )
    return rows


@given(certificate_rows(), asked_days)
def test_the_latest_issued_in_force_counts(rows, asked):
    keys, on = as_array(asked)
    found = certificate_state(register("certificates", rows), keys, on)
    for at, (firm, day) in enumerate(asked):
        held = [
            row
            for row in rows
            if row["credit_code"] == firm
            and row["issue_date"] <= day < row["expiry_date"]
            and (row["withdrawn_date"] is None or day < row["withdrawn_date"])
        ]
        level = max(held, key=lambda row: row["issue_date"])["standardisation"] if held else "none"
        assert LEVELS[found.level[at]] == level
        assert (found.event[at] >= 0) == bool(held)


HELD = {
    "credit_code": "A",
    "standardisation": "level_2",
    "issue_date": date(2024, 2, 29),
    "expiry_date": date(2027, 2, 28),
}
STRUCK = {
    "credit_code": "A",
    "event_date": date(2025, 5, 1),
    "deaths": 1,
    "serious_injuries": 0,
    "main_responsibility": "yes",
}


def level(on, accidents, rule=None):
    found = certificate_state(
        register("certificates", [HELD]),
        ["A"],
        as_days([on]),
        accidents=register("claims", accidents),
        downgrade=rule or DowngradeRule(),
    )
    return LEVELS[found.level[0]], int(found.downgraded_by[0])


def test_a_fatal_accident_takes_one_level_from_its_day_on():
    assert level("2025-04-30", [STRUCK]) == ("level_2", -1)
    assert level("2025-05-01", [STRUCK]) == ("level_3", 0)
    assert level("2025-05-01", [STRUCK, STRUCK | {"event_date": date(2025, 4, 1)}]) == ("level_3", 0)  # once
    assert level("2027-02-28", [STRUCK]) == ("none", -1)  # expired anyway


def test_responsibility_and_injuries_are_data_of_the_rule():
    assert level("2026-01-01", [STRUCK | {"main_responsibility": "no"}])[0] == "level_2"
    assert (
        level("2026-01-01", [STRUCK | {"main_responsibility": "no"}], DowngradeRule(main_responsibility=False))[0]
        == "level_3"
    )
    hurt = STRUCK | {"deaths": 0, "main_responsibility": "no"}
    assert level("2026-01-01", [hurt | {"serious_injuries": 1}])[0] == "level_2"
    assert level("2026-01-01", [hurt | {"serious_injuries": 2}])[0] == "level_3"
    assert level("2026-01-01", [hurt | {"serious_injuries": 2}], DowngradeRule(levels=2))[0] == "none"


def test_an_accident_before_the_issue_does_not_count():
    assert level("2026-01-01", [STRUCK | {"event_date": date(2024, 2, 29)}])[0] == "level_2"


def test_without_the_responsibility_the_rule_is_refused():
    bare = {name: value for name, value in STRUCK.items() if name != "main_responsibility"}
    with pytest.raises(BookError) as told:
        level("2026-01-01", [bare])
    assert told.value.problems[0].code == "RM244"


@st.composite
def grade_rows(draw):
    rows = draw(st.dictionaries(st.tuples(codes, days), st.sampled_from(GRADES), min_size=1, max_size=8))
    return [
        {"credit_code": firm, "effective_date": day, "integrity_grade": grade} for (firm, day), grade in rows.items()
    ]


@given(grade_rows(), asked_days)
def test_the_last_grade_on_or_before_the_day_counts(rows, asked):
    keys, on = as_array(asked)
    found = integrity_grade(register("integrity", rows), keys, on)
    for at, (firm, day) in enumerate(asked):
        held = [row for row in rows if row["credit_code"] == firm and row["effective_date"] <= day]
        expected = GRADES.index(max(held, key=lambda row: row["effective_date"])["integrity_grade"]) if held else -1
        assert found.grade[at] == expected


@given(st.lists(st.tuples(codes, days, st.none() | st.integers(0, 300)), min_size=1, max_size=6), asked_days)
def test_listed_from_the_first_day_to_the_day_before_removal(held, asked):
    rows = [
        {"credit_code": firm, "listed_date": day, "removed_date": None if n is None else day + timedelta(n)}
        for firm, day, n in held
    ]
    keys, on = as_array(asked)
    found = blacklisted(register("blacklist", rows), keys, on)
    plain = [
        any(
            row["credit_code"] == firm
            and row["listed_date"] <= day
            and (row["removed_date"] is None or day < row["removed_date"])
            for row in rows
        )
        for firm, day in asked
    ]
    assert found.listed.tolist() == plain
    assert ((found.event >= 0) == found.listed).all()


def test_nobody_is_on_an_empty_register():
    on = np.array(["2025-01-01"], dtype="datetime64[D]")
    assert not blacklisted(register("blacklist", []), ["A"], on).listed.any()
    assert integrity_grade(register("integrity", []), ["A"], on).grade.tolist() == [-1]
    assert certificate_state(register("certificates", []), ["A"], on).level.tolist() == [0]
