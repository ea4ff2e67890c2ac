"""Interval arithmetic against all pairs of numbers in the intervals: nothing lies outside, and the ends are reached."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import inf

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ratemod.plan.interval import (
    UNIT,
    UNKNOWN,
    Range,
    bounded_range,
    exactly,
    extreme_range,
    folded,
    negated,
    operand_range,
    places_of,
    product_range,
    ratio_range,
    settled,
    sum_range,
)

ENDS = st.tuples(st.integers(-30, 30), st.integers(-30, 30)).map(sorted)
PLACES = st.integers(0, 2)


def numbers(ends: list[int], places: int) -> list[Fraction]:
    """Every decimal of so many places between two ends of that unit."""
    return [Fraction(number, 10**places) for number in range(ends[0], ends[1] + 1)]


def of(ends: list[int], places: int, **known) -> Range:
    return Range(Fraction(ends[0], 10**places), Fraction(ends[1], 10**places), places, **known)


@given(a=ENDS, b=ENDS, places_a=PLACES, places_b=PLACES)
def test_ends_and_places_of_arithmetic(a, b, places_a, places_b):
    left, right = of(a, places_a), of(b, places_b)
    pairs = list(product(numbers(a, places_a), numbers(b, places_b)))
    for join, wanted in ((product_range, [x * y for x, y in pairs]), (sum_range, [x + y for x, y in pairs])):
        found = join(left, right)
        assert (found.low, found.high) == (min(wanted), max(wanted))
        assert all((value * 10**found.places).denominator == 1 for value in wanted)
    assert product_range(left, right).places == places_a + places_b
    assert sum_range(left, right).places == max(places_a, places_b)
    if not b[0] <= 0 <= b[1]:
        found = ratio_range(left, right)
        wanted = [x / y for x, y in pairs]
        assert (found.low, found.high) == (min(wanted), max(wanted))
    assert (negated(left).low, negated(left).high) == (-left.high, -left.low)
    assert left.size == max(abs(left.low), abs(left.high))


@given(a=ENDS, b=ENDS, places_a=PLACES, places_b=PLACES)
def test_ends_of_the_largest_the_smallest_and_either(a, b, places_a, places_b):
    left, right = of(a, places_a), of(b, places_b, raw=True)
    pairs = list(product(numbers(a, places_a), numbers(b, places_b)))
    for pick in (max, min):
        found = extreme_range([left, right], pick)
        assert (found.low, found.high) == (min(map(pick, pairs)), max(map(pick, pairs)))
    either = extreme_range([left, right])
    assert (either.low, either.high) == (min(map(min, pairs)), max(map(max, pairs)))
    assert either.places == max(places_a, places_b) and not either.raw


def test_a_value_kept_within_ends():
    value = Range(Fraction(-5), Fraction(50), 2)
    low, high = Range(Fraction(1), Fraction(2), 1), Range(Fraction(9), Fraction(10), 3)
    found = bounded_range(value, low, high)
    assert (found.low, found.high, found.places) == (1, 10, 3)
    assert bounded_range(value, None, None) is value
    assert (bounded_range(value, low, None).low, bounded_range(value, low, None).high) == (1, 50)
    assert (bounded_range(value, None, high).low, bounded_range(value, None, high).high) == (-5, 10)


@pytest.mark.parametrize("number, places", [("100", 2), ("8", 3), ("0.4", 1), ("0.01", 0), ("3", None), ("12", None)])
def test_a_decimal_stays_one_when_divided_by_twos_and_fives_alone(number, places):
    found = ratio_range(Range(Fraction(1), Fraction(7), 2), exactly(Decimal(number)))
    assert found.places == (None if places is None else 2 + places)


def test_a_divisor_that_may_be_as_small_as_one_likes_leaves_no_end():
    of_zero, plain = Range(Fraction(0), Fraction(3), 0), Range(Fraction(1), Fraction(2), 0)
    assert (ratio_range(plain, of_zero).low, ratio_range(plain, of_zero).high) == (0, inf)
    assert (ratio_range(negated(plain), of_zero).low, ratio_range(negated(plain), of_zero).high) == (-inf, inf)
    assert ratio_range(plain, Range(Fraction(1), inf, 0)).high == inf
    assert ratio_range(plain, of_zero).abs == 0.0
    assert ratio_range(Range(Fraction(1), Fraction(2), 0, abs=1e-9), of_zero).abs == inf


def test_zero_times_what_has_no_end_is_zero():
    found = product_range(Range(Fraction(0), Fraction(0), 0), Range(-inf, inf, 0))
    assert (found.low, found.high) == (0, 0)
    assert product_range(Range(Fraction(0), inf, 0), Range(Fraction(2), Fraction(3), 0)).high == inf


MILD = st.floats(1e-16, 1e-6)


WIDE = ENDS.filter(any)  # errors are small beside the interval, as bounds of first order suppose


@given(a=WIDE, b=WIDE, rel_a=MILD, rel_b=MILD, abs_a=MILD, abs_b=MILD)
# the bound itself is a sum of floats, which must not be rounded down (found by make fuzz)
@example([0, 1], [0, 1], 9.648392714799292e-07, 5.041261400974677e-07, 1.8828349209316013e-07, 4.872628744996891e-07)
def test_errors_of_floats_carry_through_arithmetic(a, b, rel_a, rel_b, abs_a, abs_b):
    """With each value off by its whole bound, in either direction, the result is off by no more than its own."""
    left, right = of(a, 0, rel=rel_a, abs=abs_a), of(b, 0, rel=rel_b, abs=abs_b)
    for x, y in product((a[0], a[1]), (b[0], b[1])):
        for one, other in product((-1, 1), (-1, 1)):
            off_x = x + one * Fraction(left.error_at(abs(x)))
            off_y = y + other * Fraction(right.error_at(abs(y)))
            pairs = [(product_range, x * y, off_x * off_y), (sum_range, x + y, off_x + off_y)]
            if not b[0] <= 0 <= b[1]:
                pairs.append((ratio_range, Fraction(x) / y, off_x / off_y))
            for join, exact, seen in pairs:
                found = join(left, right)
                assert abs(seen - exact) <= Fraction(found.rel) * abs(exact) + Fraction(found.abs)


def test_a_sum_of_one_sign_keeps_its_relative_error_and_one_of_two_does_not():
    up, down = Range(Fraction(1), Fraction(2), 0, rel=1e-9), Range(Fraction(-2), Fraction(-1), 0, rel=1e-8)
    assert sum_range(up, up).abs == 0.0 and sum_range(up, up).rel == pytest.approx(1e-9, rel=1e-6)
    assert sum_range(down, down).abs == 0.0 and sum_range(down, down).rel == pytest.approx(1e-8, rel=1e-6)
    mixed = sum_range(up, down)
    assert mixed.rel == 2 * UNIT and mixed.abs == pytest.approx(2 * (2e-9 + 2e-8))
    zero = Range(Fraction(0), Fraction(2), 0, rel=1e-9)
    assert sum_range(zero, zero).abs == 0.0 and sum_range(negated(zero), negated(zero)).abs == 0.0


def test_an_absolute_error_is_a_relative_one_where_zero_is_far():
    far = settled(Range(Fraction(-8), Fraction(-4), 2, rel=1e-9, abs=2e-6))
    assert far.abs == 0.0 and far.rel == pytest.approx(1e-9 + 0.5e-6)
    near = Range(Fraction(-8), Fraction(4), 2, rel=1e-9, abs=2e-6)
    assert settled(near) is near and settled(Range(Fraction(1), Fraction(2), abs=inf)).abs == inf


@pytest.mark.parametrize(
    "known, on_grid",
    [
        (Range(Fraction(0), Fraction(2**50 - 1), 0, rel=0.0), True),
        (Range(Fraction(0), Fraction(2**50), 0, rel=0.0), False),
        (Range(Fraction(0), Fraction(2**50 - 1, 100), 2, rel=0.0), True),
        (Range(Fraction(0), Fraction(100), 2, rel=0.0, abs=0.000499), True),
        (Range(Fraction(0), Fraction(100), 2, rel=0.0, abs=0.0005), False),
        (Range(Fraction(0), Fraction(100), 2, rel=0.000005, abs=0.0), False),
        (Range(Fraction(0), Fraction(100), None, rel=0.0), False),
        (Range(Fraction(0), inf, 2, rel=0.0), False),
        (UNKNOWN, False),
    ],
)
def test_rounding_gives_a_float_its_decimal_back_where_its_error_is_a_twentieth_of_the_grid(known, on_grid):
    assert known.on_grid == on_grid


@pytest.mark.parametrize("number, places", [("1", 0), ("1.50", 1), ("0.05", 2), ("1E+3", 0), ("1E-7", 7), ("0", 0)])
def test_places_of_a_number(number, places):
    assert places_of(Decimal(number)) == places
    assert exactly(Decimal(number)).places == places and exactly(Decimal(number)).raw


def test_of_a_name_that_is_not_known_nothing_is():
    known = {"x": Range(Fraction(1), Fraction(2), 0)}
    assert operand_range("x", known) is known["x"] and operand_range("y", known) is UNKNOWN
    assert operand_range(Decimal("0.5"), known).low == Fraction(1, 2)
    assert folded([], sum_range) is UNKNOWN
    assert folded([known["x"]] * 3, sum_range).high == 6
