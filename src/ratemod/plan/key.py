"""What may stand behind a key of an operation: a key of a rules file, and which kinds of value it takes."""

from __future__ import annotations

from dataclasses import dataclass

from ratemod.rules.shape import Key

NUMBERS = ("number",)
DATES = ("date",)


@dataclass(frozen=True, slots=True)
class OperationKey(Key):
    """What may stand behind one key of an operation.

    Attributes
    ----------
    takes : tuple of str
        Of operands and names: the kinds of value that may stand behind them ("number", "date", "level", "text", ...).
    count : int or None
        Of operands: how many there must be.
    """

    takes: tuple[str, ...] = NUMBERS
    count: int | None = None
