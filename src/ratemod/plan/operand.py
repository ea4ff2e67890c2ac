"""What may stand where a step, condition or legal range takes a value: a name, a number, a date."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

EPOCH = date(1970, 1, 1).toordinal()
NOTHING = "none"  # `otherwise = "none"`: the step is empty for rows outside its condition


class Day(Decimal):
    """A date that a plan states: its number of days since 1970-01-01, which knows that it is a date.

    Examples
    --------
    >>> Day.of(date(1970, 1, 2)), Day.of(date(2026, 12, 31)).isoformat()
    (Decimal('1'), '2026-12-31')
    """

    __slots__ = ()

    @classmethod
    def of(cls, day: date) -> Day:
        """Return the day number of a date."""
        return cls(day.toordinal() - EPOCH)

    def isoformat(self) -> str:
        """Return the date as it is written."""
        return date.fromordinal(int(self) + EPOCH).isoformat()


Operand = str | Decimal  # a name of a column, constant or earlier step; or an exact number, which may be a Day
