"""The numbers that a rules file may hold: plain digits, finite, of a bounded length."""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation
from typing import Any

MOST_DIGITS = 50  # before the point, and as many after it

_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


# Python's own context rounds whatever is worked out to 28 digits; numbers of plans may have a hundred.
_ALL_DIGITS = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_SHORT = Context(prec=12, Emax=MAX_EMAX, Emin=MIN_EMIN)


def normal(number: Decimal) -> Decimal:
    """Return a number without the zeros at its end, and with all its other digits.

    Examples
    --------
    >>> normal(Decimal("1.50")), normal(Decimal("7" * 40 + ".0")) == Decimal("7" * 40)
    (Decimal('1.5'), True)
    """
    return number.normalize(_ALL_DIGITS)


def shifted(number: Decimal, places: int) -> Decimal:
    """Return a number with its point moved to the right, or, of negative places, to the left.

    Examples
    --------
    >>> shifted(Decimal("0.015"), 3), shifted(Decimal(15), -1), int(shifted(Decimal("0." + "7" * 40), 40)) % 100
    (Decimal('15'), Decimal('1.5'), 77)
    """
    return number.scaleb(places, _ALL_DIGITS)


def times(number: Decimal, whole: int) -> Decimal:
    """Return a whole multiple of a number.

    Examples
    --------
    >>> times(Decimal("0.05"), 3)
    Decimal('0.15')
    """
    return _ALL_DIGITS.multiply(number, Decimal(whole))


def digits(number: Decimal) -> str:
    """Return a number in all its digits; of one beyond what a plan can state twelve, and its power of ten.

    Examples
    --------
    >>> digits(Decimal("1.50")), digits(Decimal("1e3")), digits(Decimal("7" * 40)) == "7" * 40, digits(Decimal("3e99"))
    ('1.5', '1000', True, '3E+99')
    """
    if not number or abs(number.adjusted()) <= MOST_DIGITS:
        return format(normal(number), "f")
    return str(number.normalize(_SHORT))


def quotient(numerator: int, denominator: int) -> Decimal:
    """Return a fraction to twelve digits."""
    return _SHORT.divide(Decimal(numerator), Decimal(denominator))


def exact_number(value: Any) -> Decimal:
    """Return a number as it is written; a binary float as its shortest decimal.

    Raises
    ------
    ValueError
        When it is no number: neither plain digits nor a number of Python.
    OverflowError
        When it is not finite, or has more than `MOST_DIGITS` digits before or after the point.

    Examples
    --------
    >>> exact_number("0.65"), exact_number(0.1), exact_number(3)
    (Decimal('0.65'), Decimal('0.1'), Decimal('3'))
    >>> exact_number("1_0")
    Traceback (most recent call last):
    ValueError: 1_0
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError(value)
    if isinstance(value, str):
        if _PLAIN.fullmatch(value.strip()) is None:
            raise ValueError(value)
        if len(value) > 3 * MOST_DIGITS:
            raise OverflowError
        value = value.strip()
    elif isinstance(value, int):
        if abs(value) >= 10**MOST_DIGITS:  # its digits are not even counted: that alone can take minutes
            raise OverflowError
    else:
        value = repr(value) if isinstance(value, float) else value
    try:
        return bounded(Decimal(value))
    except InvalidOperation:  # an exponent beyond those of decimals
        raise OverflowError from None


def bounded(number: Decimal) -> Decimal:
    """Return a number; OverflowError when it is not finite or too long."""
    if not number.is_finite() or (number and abs(number.adjusted()) > MOST_DIGITS):
        raise OverflowError
    if -int(number.as_tuple().exponent) > MOST_DIGITS:
        raise OverflowError
    return number


def written_float(digits: str) -> Decimal:
    """Return a float of a TOML file as an exact number; what `exact_number` refuses as NaN, which its key then refuses.

    Infinity stays, for the few keys that mean something by it.

    Examples
    --------
    >>> written_float("0.10"), written_float("1e999999999999999999999")
    (Decimal('0.10'), Decimal('NaN'))
    """
    if digits.lstrip("+-") == "inf":
        return Decimal(digits)
    try:
        return exact_number(digits.replace("_", ""))
    except (ValueError, OverflowError):
        return Decimal("NaN")
