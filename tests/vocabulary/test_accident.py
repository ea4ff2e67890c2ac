"""Accident grades of order 493 against the article read criterion by criterion."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.vocabulary.codes.accident import GRADES, accident_grade
from ratemod.vocabulary.labels import level_label

BOUNDS = {"deaths": (3, 10, 30), "injuries": (10, 50, 100), "loss": (10_000_000, 50_000_000, 100_000_000)}


def reference(*values):
    if any(not value >= 0 for value in values):
        return -1
    return max(sum(value >= bound for bound in bounds) for value, bounds in zip(values, BOUNDS.values()))


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("at", range(3))
def test_the_bound_is_included_in_the_worse_grade(place, at):
    bound = list(BOUNDS.values())[place][at]
    for value, wanted in ((bound, at + 1), (math.nextafter(bound, 0), at)):
        values = [0.0, 0.0, 0.0]
        values[place] = value
        assert accident_grade(*([value] for value in values))[0] == wanted


number = st.one_of(st.integers(-1, 120).map(float), st.floats(-1, 2e8), st.just(float("nan")))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(number, number, number), max_size=30))
def test_the_worst_criterion_wins(rows):
    columns = [list(column) for column in zip(*rows)] or [[], [], []]
    found = accident_grade(*columns)
    assert found.dtype == np.int8 and found.tolist() == [reference(*row) for row in rows]


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("wrong", [float("nan"), -1.0, -0.01])
def test_a_missing_criterion_hides_even_the_worst_of_the_others(place, wrong):
    values = [30.0, 100.0, 1e8]
    values[place] = wrong
    assert accident_grade(*([value] for value in values))[0] == -1


def test_grades_rise_with_their_labels():
    assert {grade: level_label("accident_grade", grade, "zh") for grade in GRADES} == {
        "general": "一般事故",
        "larger": "较大事故",
        "major": "重大事故",
        "extraordinary": "特别重大事故",
    }
