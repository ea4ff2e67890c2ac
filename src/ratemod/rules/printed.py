"""Numbers as tariffs print them: ``5%``, ``2.5‰``, ``3/8``; exact, and refused where they could mean two things.

A sign says what share a number is, and the unit of its place in what shares are held: ``5%`` is 0.05 of a factor or a
share, 5 of per cent and 50 of per mille. Where no such unit is stated nobody can tell whether a later step divides
by a hundred, so the sign is refused there. A fraction must be a decimal: 3/8 is, 1/3 is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from ratemod.errors import PlanError, problem
from ratemod.rules.number import MOST_DIGITS, bounded, exact_number, shifted

WHOLES: Mapping[str, int] = {"factor": 1, "share": 1, "percent": 100, "per_mille": 1000}  # what one whole is in a unit
SIGNS: Mapping[str, int] = {"%": 100, "％": 100, "‰": 1000}
_PRINTED = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:\s*/\s*(0*[1-9]\d*))?\s*([%％‰]?)", re.ASCII)
MOST_LETTERS = 40  # of a number with a sign; longer ones mean nothing


def is_printed(said: str) -> bool:
    """Return whether a text is a number with a sign or a fraction."""
    found = _PRINTED.fullmatch(said.strip())
    return found is not None and bool(found[2] or found[3]) and len(said) <= MOST_LETTERS


def printed_number(said: str, unit: str | None = None) -> Decimal:
    """Return a number as a plan's file prints it, in the unit of its place.

    Raises
    ------
    PlanError
        RM374 a sign where no unit of shares is stated, RM375 a fraction that is no decimal.
    ValueError, OverflowError
        As `exact_number`.

    Examples
    --------
    >>> printed_number("5%", "share"), printed_number("2.5‰", "per_mille"), printed_number("3/8"), printed_number("1.2")
    (Decimal('0.05'), Decimal('2.5'), Decimal('0.375'), Decimal('1.2'))
    """
    found = _PRINTED.fullmatch(said.strip())
    if found is None or not is_printed(said):
        return exact_number(said)
    top, below, sign = exact_number(found[1]), int(found[2] or 1), found[3]
    if sign and unit not in WHOLES:
        raise PlanError(problem("RM374", value=said, units=", ".join(WHOLES)))
    number = Fraction(top) / below * Fraction(WHOLES[unit or ""] if sign else 1, SIGNS.get(sign, 1))
    places = next((at for at in range(MOST_DIGITS + 1) if (number * 10**at).denominator == 1), None)
    if places is None:
        raise PlanError(problem("RM375", value=said))
    return bounded(shifted(Decimal(int(number * 10**places)), -places))
