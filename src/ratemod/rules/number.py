"""The numbers that a rules file may hold: plain digits, finite, of a bounded length."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

MOST_DIGITS = 50  # before the point, and as many after it

_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


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
