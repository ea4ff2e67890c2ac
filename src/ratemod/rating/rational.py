"""Exact numbers, many at a time: an array of integer numerators over one or many integer denominators.

This is the definition of a premium: integers only, nothing rounded except where a step says so. The fast path calls
on it for the rows that floats cannot decide; the worksheet uses it for the row it explains.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import inf, lcm
from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[Any]  # object dtype: Python integers of any size
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Rational:
    """Exact values.

    Attributes
    ----------
    num : (n,) object array of int
    den : int or (n,) object array of int, always > 0
    ok : (n,) bool
        False where there is no value; `num` is then 0.
    """

    num: Integers
    den: Any
    ok: Mask

    def fractions(self) -> list[Fraction | None]:
        """Return the values as fractions, None where there is none."""
        den = np.broadcast_to(np.array(self.den, dtype=object), self.num.shape)
        return [Fraction(int(n), int(d)) if ok else None for n, d, ok in zip(self.num, den, self.ok)]

    def fraction(self, at: int) -> Fraction | None:
        """Return one value as a fraction, None where there is none."""
        den = self.den if isinstance(self.den, int) else np.broadcast_to(self.den, self.num.shape)[at]
        return Fraction(int(self.num[at]), int(den)) if self.ok[at] else None

    def floats(self) -> npt.NDArray[np.float64]:
        """Return the nearest float64 of each value, NaN where there is none."""
        try:
            exact = self.num / self.den if len(self.num) else np.zeros(0)  # int / int is correctly rounded in Python
        except OverflowError:
            exact = np.array([nearest_float(value or Fraction(0)) for value in self.fractions()])
        return np.where(self.ok, exact.astype(np.float64), np.nan)


def nearest_float(value: Fraction) -> float:
    """Return the float nearest to a value, an infinite one beyond the largest."""
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return inf if value > 0 else -inf


def integers(values: npt.ArrayLike) -> Integers:
    """Return an array of Python integers."""
    return np.asarray(values, dtype=np.int64).astype(object)


def from_floats(values: npt.NDArray[Any], places: int) -> Rational:
    """Return floats that stand for decimals of at most `places` places, exactly; NaN is no value."""
    ok = ~np.isnan(values)
    scaled = np.rint(np.where(ok, values, 0.0) * 10.0**places)
    return Rational(integers(scaled), 10**places, ok)


def constant(value: Decimal, n: int) -> Rational:
    """Return n copies of an exact number."""
    whole = Fraction(value)
    return Rational(np.full(n, whole.numerator, dtype=object), whole.denominator, np.ones(n, dtype=bool))


def multiply(a: Rational, b: Rational) -> Rational:
    """Return a × b."""
    return Rational(a.num * b.num, a.den * b.den, a.ok & b.ok)


def add(a: Rational, b: Rational, sign: int = 1) -> Rational:
    """Return a + sign × b."""
    ok = a.ok & b.ok
    if isinstance(a.den, int) and isinstance(b.den, int):
        if a.den == b.den:
            return Rational(a.num + sign * b.num, a.den, ok)
        big, small = max(a.den, b.den), min(a.den, b.den)
        if big % small == 0:
            return Rational(a.num * (big // a.den) + sign * b.num * (big // b.den), big, ok)
    return Rational(a.num * b.den + sign * b.num * a.den, a.den * b.den, ok)


def divide(a: Rational, b: Rational) -> Rational:
    """Return a / b; no value where b is zero."""
    nonzero = b.num != 0
    top = np.where(nonzero, b.num, 1)
    sign = np.where(top < 0, -1, 1)
    return Rational(a.num * b.den * sign, a.den * (top * sign), a.ok & b.ok & nonzero.astype(bool))


def over_one_denominator(a: Rational) -> tuple[Integers, int]:
    """Return the values as numerators over one denominator: the least that all of them share."""
    if isinstance(a.den, int):
        return a.num, a.den
    den = lcm(*(int(d) for d in a.den[a.ok]))
    return np.where(a.ok, a.num * den // np.where(a.ok, a.den, 1), 0), den


def compare(a: Rational, b: Rational) -> Integers:
    """Return the sign of a - b as int8 (0 where either has no value)."""
    left, right = a.num * b.den, b.num * a.den
    sign = (left > right).astype(np.int8) - (left < right).astype(np.int8)
    return np.where(a.ok & b.ok, sign, 0)


def choose(mask: Mask, a: Rational, b: Rational) -> Rational:
    """Return a where the mask holds, else b."""
    ok = np.where(mask, a.ok, b.ok)
    if isinstance(a.den, int) and isinstance(b.den, int) and a.den == b.den:
        return Rational(np.where(mask, a.num, b.num), a.den, ok)
    den_a, den_b = (np.broadcast_to(np.array(x.den, dtype=object), x.num.shape) for x in (a, b))
    return Rational(np.where(mask, a.num, b.num), np.where(mask, den_a, den_b), ok)


def round_to(a: Rational, quantum: Decimal, mode: str) -> Rational:
    """Return a rounded to a multiple of `quantum`; half_up and up are away from zero, down is towards zero."""
    unit = Fraction(quantum)
    size = abs(a.num) * unit.denominator
    den = a.den * unit.numerator
    whole, rest = size // den, size % den
    if mode == "half_up":
        more = 2 * rest >= den
    elif mode == "up":
        more = rest > 0
    elif mode == "down":
        more = np.zeros(len(a.num), dtype=bool)
    else:
        more = (2 * rest > den) | ((2 * rest == den) & (whole % 2 == 1))
    count = whole + more.astype(np.int64).astype(object)
    signed = np.where(a.num < 0, -count, count)
    return Rational(signed * unit.numerator, unit.denominator, a.ok)


def rounded(value: Fraction, quantum: Decimal) -> Fraction:
    """Return one value rounded half-up, as `round_to` rounds many."""
    one = Rational(np.array([value.numerator], dtype=object), value.denominator, np.ones(1, dtype=bool))
    return round_to(one, quantum, "half_up").fraction(0) or Fraction(0)
