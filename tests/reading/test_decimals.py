"""Floats on their decimals, held against exact fractions: what is noise, what is another number, what is lost."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratemod.reading.decimals import all_on_decimals, on_decimals

PLAIN = st.tuples(st.integers(-(10**14), 10**14), st.integers(0, 8))


def steps(value: float, ulps: int) -> float:
    """A float so many neighbours away."""
    for _ in range(abs(ulps)):
        value = math.nextafter(value, math.copysign(math.inf, ulps))
    return value


@given(PLAIN, st.integers(-20, 20))
def test_a_float_is_a_decimal_if_noise_alone_lies_between(drawn: tuple[int, int], ulps: int) -> None:
    count, places = drawn
    decimal = float(Fraction(count, 10**places))
    value = steps(decimal, ulps)
    off = abs(Fraction(value) - Fraction(count, 10**places)) * 10**places
    far = abs(ulps) > 9 or off > Fraction(1, 1000)
    near = ulps == 0 or (abs(ulps) < 8 and off < Fraction(1, 1050))
    found, odd, lost = on_decimals(np.array([value]), places)
    assert not lost[0]
    if near:
        assert found[0] == decimal and not odd[0]
    if far and off < Fraction(1, 2):
        assert odd[0] and math.isnan(found[0])


def test_the_last_neighbour_that_is_noise() -> None:
    values = np.array([steps(0.8, 8), steps(0.8, 9), steps(0.8, -8), steps(0.8, -9)])
    assert on_decimals(values, 2)[1].tolist() == [False, True, False, True]


def test_neighbours_of_large_amounts_are_other_numbers() -> None:
    """At 2^41 fen neighbours are 2^-18 yuan apart, 1/2621 of a fen: two are noise, four another number."""
    amount = 2.0**41 / 100
    assert on_decimals(np.array([steps(amount, 2), steps(amount, 4)]), 2)[1].tolist() == [False, True]


def test_beyond_two_to_the_53_nothing_is_known() -> None:
    values = np.array([2.0**53, 2.0**53 + 2, -(2.0**53) - 2, math.inf])
    assert on_decimals(values, 0)[2].tolist() == [False, True, True, True]
    scratch = np.empty((2, 1))
    known = [all_on_decimals(values[at : at + 1], 0, abs(values[at]), scratch) for at in range(3)]
    assert known == [True, False, False]


@pytest.mark.parametrize("places, found", [(14, math.nan), (15, 0.1234567890123456), (17, 0.1234567890123456)])
def test_what_a_model_wrote_stays_the_float_that_it_is(places: int, found: float) -> None:
    assert on_decimals(np.array([0.1234567890123456]), places)[0] == pytest.approx([found], rel=0, abs=0, nan_ok=True)


def test_blanks_are_no_reason_to_look_again() -> None:
    scratch = np.empty((2, 3))
    assert all_on_decimals(np.array([0.25, math.nan, 1.5]), 2, 1.5, scratch)
    assert not all_on_decimals(np.array([0.25, math.nan, 1.005]), 2, 1.005, scratch)
