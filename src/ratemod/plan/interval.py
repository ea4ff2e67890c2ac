"""An interval that a value lies in, with its decimals and float error, and what becomes of them in arithmetic.

Error model: ``|float - exact| <= rel·|exact| + abs`` (Higham, *Accuracy and Stability of Numerical Algorithms*,
2nd ed. 2002, ch. 2-3, first-order bounds with a safety factor of 2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from math import inf, nextafter

from ratemod.plan.operand import Operand
from ratemod.rules.number import normal

UNIT = 2.0**-53
MOST_INVERSE_PLACES = 12
Number = Fraction | float  # a float only for an infinite end
DATES = (Fraction(-25567), Fraction(109572))  # 1900-01-01 .. 2269-12-31


@dataclass(frozen=True, slots=True)
class Range:
    """Interval, decimal places and float error of a value.

    Attributes
    ----------
    low, high : Fraction, or an infinite float where nothing is known
    places : int or None
        Most decimal places; None where the value need not be a decimal.
    rel, abs : float
        Error bound of the float64 value; infinite where none is known.
    raw : bool
        The float is the one nearest to the exact decimal, so equal decimals are equal floats.
    """

    low: Number = -inf
    high: Number = inf
    places: int | None = None
    rel: float = UNIT
    abs: float = 0.0
    raw: bool = False

    @property
    def size(self) -> Number:
        """Largest absolute value."""
        ends: list[Number] = [self.low, -self.low, self.high, -self.high]
        return max(ends)

    def error_at(self, size: float) -> float:
        """Return the error bound of a float no larger than `size`."""
        return (self.rel * size if self.rel else 0.0) + self.abs

    @property
    def on_grid(self) -> bool:
        """Whether rounding the float to `places` decimals recovers the exact value."""
        if self.places is None or self.size == inf:
            return False
        return self.size * 10**self.places < 2**50 and self.error_at(float(self.size)) * 10.0**self.places < 0.05


UNKNOWN = Range(rel=inf)


def places_of(number: Decimal) -> int:
    """Return the decimal places of an exact number."""
    return max(0, -int(normal(number).as_tuple().exponent))


def exactly(number: Decimal) -> Range:
    """Return the range of a plan number."""
    value = Fraction(number)
    return Range(value, value, places_of(number), raw=True)


def operand_range(operand: Operand, known: Mapping[str, Range]) -> Range:
    """Return the range of a name or number; nothing is known of an unknown name."""
    return exactly(operand) if isinstance(operand, Decimal) else known.get(operand, UNKNOWN)


def settled(of: Range) -> Range:
    """Return the range with its absolute error as a relative one, where the value cannot come near zero."""
    least = max(of.low, -of.high, Fraction(0))
    return replace(of, rel=of.rel + of.abs / float(least), abs=0.0) if least and of.abs not in (0.0, inf) else of


def times(x: Number, y: Number) -> Number:
    """Return a product in which zero outweighs infinity."""
    return Fraction(0) if x == 0 or y == 0 else x * y


def _slack(error: float, size: Number) -> float:
    return 0.0 if error == 0 else error * float(size)


def _both(one: float, other: float) -> float:
    """Return the sum of two bounds, which is a bound itself: rounded up."""
    return nextafter(one + other, inf) if one and other else one + other


def product_range(a: Range, b: Range) -> Range:
    """Return the range of a product."""
    places = None if a.places is None or b.places is None else a.places + b.places
    ends = [times(x, y) for x in (a.low, a.high) for y in (b.low, b.high)]
    return Range(
        min(ends),
        max(ends),
        places,
        rel=a.rel + b.rel + 2 * UNIT,
        abs=2 * (_slack(a.abs, b.size) + _slack(b.abs, a.size)),
    )


def sum_range(a: Range, b: Range) -> Range:
    """Return the range of a sum; where signs may differ the error is taken as absolute, for it may cancel."""
    places = None if a.places is None or b.places is None else max(a.places, b.places)
    low, high = a.low + b.low, a.high + b.high
    if (a.low >= 0 and b.low >= 0) or (a.high <= 0 and b.high <= 0):
        return Range(low, high, places, rel=max(a.rel, b.rel) + 2 * UNIT, abs=_both(a.abs, b.abs))
    return Range(
        low,
        high,
        places,
        rel=2 * UNIT,
        abs=_both(_both(a.abs, b.abs), 2 * (_slack(a.rel, a.size) + _slack(b.rel, b.size))),
    )


def negated(a: Range) -> Range:
    """Return the range of the opposite number."""
    return replace(a, low=-a.high, high=-a.low)


def ratio_range(a: Range, b: Range) -> Range:
    """Return the range of a quotient; a divisor of zero refuses the row, so it may be as small as one likes."""
    rel = a.rel + b.rel + 3 * UNIT
    if b.low <= 0 <= b.high or b.size == inf:
        low, high = (Fraction(0), inf) if a.low >= 0 and b.low >= 0 else (-inf, inf)
        return Range(low, high, None, rel=rel, abs=inf if a.abs or b.abs else 0.0)
    ends = [times(x, Fraction(1) / Fraction(y)) for x in (a.low, a.high) for y in (b.low, b.high)]
    least, widest = min(abs(float(b.low)), abs(float(b.high))), max(-min(ends), max(ends))
    more = _places_of_inverse(Fraction(b.low)) if b.low == b.high else None
    places = None if a.places is None or more is None else a.places + more
    return Range(min(ends), max(ends), places, rel=rel, abs=2 * (a.abs / least + _slack(b.abs, widest) / least))


def _places_of_inverse(number: Fraction) -> int | None:
    """Return the decimal places of 1 / number, None where it is no decimal: 2 for 100, none for 12."""
    for places in range(MOST_INVERSE_PLACES + 1):
        if (10**places / number).denominator == 1:
            return places
    return None


def extreme_range(of: Sequence[Range], pick: Callable[..., Number] | None = None) -> Range:
    """Return the range of the largest (`max`), the smallest (`min`) or any (None) of several values."""
    places = None if any(item.places is None for item in of) else max(item.places or 0 for item in of)
    low = (max if pick is max else min)(item.low for item in of)
    high = (min if pick is min else max)(item.high for item in of)
    return Range(low, high, places, max(i.rel for i in of), max(i.abs for i in of), all(i.raw for i in of))


def bounded_range(of: Range, low: Range | None, high: Range | None) -> Range:
    """Return the range of a value kept within two others."""
    found = of if low is None else extreme_range([of, low], max)
    return found if high is None else extreme_range([found, high], min)


def folded(of: Sequence[Range], join: Callable[[Range, Range], Range]) -> Range:
    """Return the range of several values joined one after another."""
    found = of[0] if of else UNKNOWN
    for item in of[1:]:
        found = join(found, item)
    return found
