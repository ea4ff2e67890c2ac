from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.reading.join import join
from ratemod.registers.as_of import in_force, pairs, timeline
from ratemod.registers.days import NEVER, add_years, as_days, whole_years
from tests.registers.histories import years_before

firms = st.integers(-1, 3)
some_days = st.integers(-40, 40)
events = st.lists(st.tuples(firms, some_days, some_days), max_size=12)
asked = st.lists(st.tuples(firms, some_days), min_size=1, max_size=12)


def columns(rows, width):
    return [np.array([row[at] for row in rows], dtype=np.int64) for at in range(width)]


@given(events, asked)
def test_the_last_event_is_that_of_a_plain_search(held, questions):
    firm, day, _ = columns(held, 3)
    query, on = columns(questions, 2)
    found = timeline(firm, day).last(query, on)
    for (who, when), place in zip(questions, found.tolist()):
        fitting = [(d, at) for at, (f, d, _) in enumerate(held) if f == who and who >= 0 and d <= when]
        assert place == (max(fitting)[1] if fitting else -1)


@given(events, asked, st.integers(0, 30))
def test_sums_over_windows_are_those_of_a_plain_loop(held, questions, width):
    firm, day, weight = columns(held, 3)
    query, on = columns(questions, 2)
    line = timeline(firm, day)
    found = line.total(weight, line.between(query, on - width, on))
    plain = [sum(w for f, d, w in held if f == who >= 0 and when - width <= d < when) for who, when in questions]
    assert found.tolist() == plain


@given(events, asked)
def test_the_period_in_force_is_the_latest_begun_that_still_runs(held, questions):
    firm, start, end = columns(held, 3)
    query, on = columns(questions, 2)
    found = in_force(firm, start, end, query, on, 4)
    for (who, when), place in zip(questions, found.tolist()):
        fitting = [(s, at) for at, (f, s, e) in enumerate(held) if f == who and who >= 0 and s <= when < e]
        assert place == (max(fitting)[1] if fitting else -1)


@given(events, asked, st.integers(1, 6))
def test_pairs_are_all_pairs_whatever_the_block(held, questions, block):
    firm = columns(held, 3)[0]
    query = columns(questions, 2)[0]
    found = [pair for part in pairs(firm, query, 4, block) for pair in zip(part.query.tolist(), part.event.tolist())]
    plain = [(q, e) for q, who in enumerate(query) for e, own in enumerate(firm) if who == own >= 0]
    assert found == plain


def test_numbers_of_enterprises_need_no_order():
    met = join(["b", None, "a"], ["a", "z", "b", None])
    asked_for, held, count = met.asked, met.there, met.count
    assert (asked_for.tolist(), held.tolist(), count) == ([0, -1, 1], [1, -1, 0, -1], 2)


@settings(max_examples=300)
@given(st.dates(date(1990, 1, 1), date(2050, 1, 1)), st.integers(0, 12))
def test_years_back_are_those_of_the_calendar(day, years):
    assert add_years(as_days([day]), -years)[0] == as_days([years_before(day, years)])[0]


@settings(max_examples=300)
@given(st.dates(date(2015, 1, 1), date(2030, 1, 1)), st.dates(date(2015, 1, 1), date(2030, 1, 1)))
def test_whole_years_are_the_anniversaries_passed(one, other):
    start, end = min(one, other), max(one, other)
    passed = 0
    while int(add_years(as_days([start]), passed + 1)[0]) <= int(as_days([end])[0]):
        passed += 1
    assert whole_years(as_days([start]), as_days([end]))[0] == passed


def test_a_leap_day_has_its_anniversary_on_the_28th():
    leap = as_days(["2024-02-29"])
    assert whole_years(np.repeat(leap, 2), as_days(["2025-02-27", "2025-02-28"])).tolist() == [0, 1]
    assert as_days([date(9999, 12, 31)])[0] < NEVER
