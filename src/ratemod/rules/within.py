"""Numbers that an argument may be: a hint that says between what, which `ratemod.rules.options.strict` holds.

>>> from typing import Annotated
>>> str(Within(0, 1, open_low=True, open_high=True)), str(Within(1, whole=True)), str(Within())
('0 < x < 1', '1 <= x, whole', 'a number')
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from numbers import Integral, Real
from typing import Annotated, Any


@dataclass(frozen=True, slots=True)
class Within:
    """A range of numbers.

    Attributes
    ----------
    low, high : ends; none where infinite
    open_low, open_high : whether the end itself is left out
    whole : whole numbers only
    exact : decimals and whole numbers only, no binary fraction
    finite : False where infinity is a number too, as of a limit that there is not
    """

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    whole: bool = False
    exact: bool = False
    finite: bool = True

    def holds(self, value: Any) -> bool:
        """Return whether a value is such a number; a truth value, a text and nan never are."""
        if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):
            return False
        kinds: Any = (Integral,) if self.whole else (Integral, Decimal) if self.exact else (Real, Decimal)
        if not isinstance(value, kinds):
            return False
        if value.is_nan() if isinstance(value, Decimal) else math.isnan(value):
            return False
        if self.finite and math.isinf(value):
            return False
        above = value > self.low if self.open_low else value >= self.low
        return bool(above and (value < self.high if self.open_high else value <= self.high))

    def __str__(self) -> str:
        low = "" if math.isinf(self.low) else f"{self.low:g} {'<' if self.open_low else '<='} "
        high = "" if math.isinf(self.high) else f" {'<' if self.open_high else '<='} {self.high:g}"
        kind = ", whole" if self.whole else ", exact" if self.exact else ""
        return f"{low}x{high}{kind}" if low or high else f"a number{kind}"


WIDEST = {int: Within(whole=True), float: Within(finite=False), Decimal: Within(exact=True)}

Chance = Annotated[float, Within(0, 1, open_low=True, open_high=True)]  # a level of confidence, a quantile
Share = Annotated[float, Within(0, 1)]
Factor = Annotated[float, Within(0, open_low=True)]  # above 0, finite
Limit = Annotated[float, Within(0, open_low=True, finite=False)]  # above 0; infinite: there is none
Amount = Annotated[float, Within(0)]
Unbounded = Annotated[float, Within(0, finite=False)]
Finite = Annotated[float, Within()]
Rate = Annotated[float, Within(-1, open_low=True)]  # of change: 1 + rate is a factor
Count = Annotated[int, Within(1, whole=True)]
Year = Annotated[int, Within(1900, 2199, whole=True)]  # of days that lists may hold
Whole = Annotated[int, Within(0, whole=True)]  # 0, 1, 2: years, steps, a seed, fen
