"""What can be known of every column and step before any row is seen.

For each name: the interval its exact value lies in, how many decimal places it can have, and how far its float64
value can be from the exact one. The check uses the intervals to prove legal ranges; the fast path uses all three to
know when a float decides a comparison or a rounding surely, and when the exact path must decide.

Error model: ``|float - exact| <= rel·|exact| + abs`` (Higham, *Accuracy and Stability of Numerical Algorithms*,
2nd ed. 2002, ch. 2-3, first-order bounds with a safety factor of 2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import inf

from ratemod.plan.model import NOTHING, Operand, Plan, Step
from ratemod.plan.reads import names_in
from ratemod.plan.slices import along, slices

UNIT = 2.0**-53
MOST_LINES = 10**6  # lines that one policy may have; bounds what a rollup can sum to
MOST_INVERSE_PLACES = 12
SUMS = ("sum", "difference", "add_percentages")
Number = Fraction | float  # a float only for an infinite end
_DATES = (Fraction(-25567), Fraction(109572))  # 1900-01-01 .. 2269-12-31


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
    return max(0, -int(number.normalize().as_tuple().exponent))


def exactly(number: Decimal) -> Range:
    """Return the range of a plan number."""
    value = Fraction(number)
    return Range(value, value, places_of(number), raw=True)


def ranges(plan: Plan) -> Mapping[str, Range]:
    """Return the range of every column, constant and step of a plan (steps in order)."""
    known: dict[str, Range] = {}
    for name, column in plan.columns.items():
        if column.kind == "number":
            low = -inf if column.low is None else Fraction(column.low)
            high = inf if column.high is None else Fraction(column.high)
            known[name] = Range(low, high, column.decimals, raw=True)
        elif column.kind == "date":
            known[name] = Range(*_DATES, 0, rel=0.0, raw=True)
    for name, constant in plan.constants.items():
        known[name] = exactly(constant.value)
    for step in plan.steps:
        known[step.name] = step_range(step, plan, known)
    return known


def range_where(plan: Plan, known: Mapping[str, Range], name: str, held: Range, of: str) -> Range | None:
    """Return the range of `of` in rows where step `name` lies in a narrower range; None if no decimals are won."""
    found, won = {**known, name: held}, {name}
    if held.places is None:
        return None
    names = plan.step_names
    for step in plan.steps[names.index(name) + 1 : names.index(of) + 1]:
        if not won.isdisjoint(names_in(step)):
            narrower = step_range(step, plan, found)
            if narrower.places is not None:  # what is no decimal is known no better than before
                found[step.name] = narrower
                won.add(step.name)
    return found[of] if of in won else None


def operand_range(operand: Operand, known: Mapping[str, Range]) -> Range:
    """Return the range of a name or number; nothing is known of an unknown name."""
    return exactly(operand) if isinstance(operand, Decimal) else known.get(operand, UNKNOWN)


def step_range(step: Step, plan: Plan, known: Mapping[str, Range]) -> Range:
    """Return the range of one step from the ranges before it."""
    found = settled(_of_operation(step, plan, known))
    if snap_places(step, plan, known) is not None:
        found = replace(found, rel=UNIT, abs=0.0, raw=True)
    if step.when is None or step.otherwise == NOTHING:
        return found
    other = step.of[0] if step.otherwise is None and step.of else step.otherwise
    return found if other is None else extreme_range([found, operand_range(other, known)])


def snap_places(step: Step, plan: Plan, known: Mapping[str, Range]) -> int | None:
    """Return the places to which the fast path rounds a sum that may cancel, so that no error is left; None if not.

    They are those of the sum itself, whatever the step takes where its condition does not hold.
    """
    if step.op not in SUMS:
        return None
    found = settled(_of_operation(step, plan, known))
    return found.places if found.abs > 0 and found.on_grid else None


def settled(of: Range) -> Range:
    """Return the range with its absolute error as a relative one, where the value cannot come near zero."""
    least = max(of.low, -of.high, Fraction(0))
    return replace(of, rel=of.rel + of.abs / float(least), abs=0.0) if least and of.abs not in (0.0, inf) else of


def _of_operation(step: Step, plan: Plan, known: Mapping[str, Range]) -> Range:
    of = [operand_range(operand, known) for operand in step.of]
    match step.op:
        case "judgement" if not step.table:
            return judged_range(step, known)
        case "lookup" | "classify" | "judgement" | "interpolate":
            return _cells(step, plan, known)
        case "progressive":
            return _progressive(step, plan, known)
        case "product":
            return _fold(of, product_range)
        case "sum":
            return _fold(of, sum_range)
        case "difference":
            return _fold([of[0], *(negated(item) for item in of[1:])], sum_range)
        case "add_percentages":
            return _fold([*of, exactly(Decimal(1 - len(of)))], sum_range)
        case "ratio":
            return ratio_range(*of) if len(of) == 2 else UNKNOWN
        case "largest":
            return extreme_range(of, max)
        case "smallest":
            return extreme_range(of, min)
        case "bound":
            return bounded_range(of[0], *bound_ranges(step, known))
        case "cap":
            return extreme_range([bounded_range(of[0], *bound_ranges(step, known)), of[0]])
        case "round":
            return _rounded(step.quantum or Decimal(1), of[0])
        case "power":
            return _power(step, of[0], operand_range(step.exponent or Decimal(1), known))
        case "days":
            return Range(_DATES[0] - _DATES[1], _DATES[1] - _DATES[0] + 1, 0, rel=0.0, raw=True)
        case "months":
            return Range(Fraction(-5000), Fraction(5000), 0, rel=0.0, raw=True)
        case "rollup":
            lines = MOST_LINES if step.how == "sum" else 1
            return replace(of[0], low=min(of[0].low * lines, of[0].low), high=max(of[0].high * lines, of[0].high))
        case "share_out":
            return Range(of[0].low, of[0].high, 2)
    return UNKNOWN


def bound_ranges(step: Step, known: Mapping[str, Range]) -> tuple[Range | None, Range | None]:
    """Return the ranges of the two ends of a bound or cap, None for an end it does not have."""
    ends = [None if end is None else operand_range(end, known) for end in (step.low, step.high)]
    if step.op == "cap":
        against = operand_range(step.against, known)
        ends = [None if end is None else product_range(end, against) for end in ends]
    return ends[0], ends[1]


def _cells(step: Step, plan: Plan, known: Mapping[str, Range]) -> Range:
    table = plan.tables.get(step.table)
    if table is None or step.column not in table.value_names:
        return UNKNOWN
    numbers = [value for value in table.column(step.column) if value is not None]
    if step.op == "judgement":
        numbers += [
            value
            for name in ("low", "high")
            if name in table.value_names
            for value in table.column(name)
            if value is not None
        ]
    if not numbers:
        return UNKNOWN
    low, high, places = Fraction(min(numbers)), Fraction(max(numbers)), max(map(places_of, numbers))
    if step.op == "interpolate":
        at = next((at for at, axis in enumerate(table.axes) if axis.kind == "point"), None)
        points = sorted({key for row in table.rows if at is not None and isinstance(key := row.keys[at], Decimal)})
        gap = min((b - a for a, b in pairwise(points)), default=Decimal(1))
        of = (
            known.get(dict(step.by).get(table.axes[at].name, table.axes[at].name), UNKNOWN)
            if at is not None
            else UNKNOWN
        )
        reach = float(max(map(abs, points), default=Decimal(0)))
        steepest = float(high - low) / float(gap)
        if step.beyond == "extend" and points:
            if of.size == inf:
                return UNKNOWN
            reach = 2 * max(reach, float(of.size))
            beyond = max(of.high - Fraction(points[-1]), Fraction(points[0]) - of.low, Fraction(0))
            further = Fraction(beyond)
            rise = (high - low) / Fraction(gap) * further
            low, high = low - rise, high + rise
        slack = float(max(abs(low), abs(high))) * 64 * UNIT + steepest * (of.error_at(reach) + 8 * UNIT * reach)
        return Range(low, high, None, rel=0.0, abs=slack)
    if step.op == "judgement":
        places = max(places, known[step.chosen].places or 0) if step.chosen in known else places
    return Range(low, high, places, raw=True)


def _progressive(step: Step, plan: Plan, known: Mapping[str, Range]) -> Range:
    """Return the range of a sum over slices: it is linear between edges, so its ends lie on edges or on x's own."""
    table = plan.tables.get(step.table)
    at = None if table is None else along(step, table)
    if table is None or at is None or step.column not in table.value_names:
        return UNKNOWN
    x = known.get(dict(step.by).get(table.axes[at].name, table.axes[at].name), UNKNOWN)
    found, ends = slices(step, table, plan.level_columns), []
    marks = found.marks
    for cell, (start, base, rate) in enumerate(zip(found.start, found.base, found.rate)):
        if start is None or base is None or rate is None:
            continue
        slot = cell % (len(marks) + 2)
        to = Fraction(marks[slot]) if slot < len(marks) else inf
        for end in (max(Fraction(start), x.low), min(to, x.high)):
            if Fraction(start) <= end <= to:
                width = end - Fraction(start)
                ends.append(Fraction(base) + _times(Fraction(rate), width) if width != inf else _sign(rate) * inf)
    rates = [rate for rate in found.rate if rate is not None]
    if not ends or not rates:
        return UNKNOWN
    low, high = min(ends), max(ends)
    bases = [base for base in found.base if base is not None]
    starts = [start for start in found.start if start is not None]
    fine = None if x.places is None else max(map(places_of, rates)) + max(x.places, *map(places_of, starts))
    places = None if fine is None else max(fine, *map(places_of, bases))
    steepest, reach = float(max(map(abs, rates))), x.size
    if reach == inf or max(-low, high) == inf:
        return Range(low, high, places, rel=0.0, abs=inf)
    slack = steepest * (x.error_at(float(reach)) + 4 * UNIT * float(reach))
    return Range(low, high, places, rel=0.0, abs=2 * slack + 8 * UNIT * float(max(-low, high)))


def _sign(number: Decimal) -> int:
    return (number > 0) - (number < 0)


def judged_range(step: Step, known: Mapping[str, Range]) -> Range:
    """Return the range of a judgement whose ends are operands: what stands unless chosen, or anything within them."""
    of, low, high = (operand_range(end, known) for end in (step.of[0], step.low or Decimal(0), step.high or Decimal(0)))
    chosen = operand_range(step.chosen, known)
    within = Range(max(low.low, chosen.low), min(high.high, chosen.high), chosen.places, raw=chosen.raw)
    return of if within.low > within.high else extreme_range([of, within])


def _times(x: Number, y: Number) -> Number:
    return Fraction(0) if x == 0 or y == 0 else x * y


def _slack(error: float, size: Number) -> float:
    return 0.0 if error == 0 else error * float(size)


def product_range(a: Range, b: Range) -> Range:
    """Return the range of a product."""
    places = None if a.places is None or b.places is None else a.places + b.places
    ends = [_times(x, y) for x in (a.low, a.high) for y in (b.low, b.high)]
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
        return Range(low, high, places, rel=max(a.rel, b.rel) + 2 * UNIT, abs=a.abs + b.abs)
    return Range(
        low, high, places, rel=2 * UNIT, abs=a.abs + b.abs + 2 * (_slack(a.rel, a.size) + _slack(b.rel, b.size))
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
    ends = [_times(x, Fraction(1) / Fraction(y)) for x in (a.low, a.high) for y in (b.low, b.high)]
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


def extreme_range(of: list[Range], pick: Callable[..., Number] | None = None) -> Range:
    """Return the range of the largest (`max`), the smallest (`min`) or any (None) of several values."""
    places = None if any(item.places is None for item in of) else max(item.places or 0 for item in of)
    low = (max if pick is max else min)(item.low for item in of)
    high = (min if pick is min else max)(item.high for item in of)
    return Range(low, high, places, max(i.rel for i in of), max(i.abs for i in of), all(i.raw for i in of))


def bounded_range(of: Range, low: Range | None, high: Range | None) -> Range:
    """Return the range of a value kept within two others."""
    found = of if low is None else extreme_range([of, low], max)
    return found if high is None else extreme_range([found, high], min)


def _rounded(quantum: Decimal, of: Range) -> Range:
    unit = Fraction(quantum)
    low = of.low if of.low == -inf else Fraction(of.low) // unit * unit
    high = of.high if of.high == inf else -(-Fraction(of.high) // unit) * unit
    return Range(low, high, places_of(quantum), rel=UNIT, raw=True)


def _power(step: Step, of: Range, exponent: Range) -> Range:
    quantum = step.quantum or Decimal(1)
    if of.low <= 0 or of.high == inf or exponent.size == inf:
        return Range(Fraction(0), inf, places_of(quantum))
    try:
        ends = sorted(
            Fraction(float(end) ** float(to)) for end in (of.low, of.high) for to in (exponent.low, exponent.high)
        )
    except OverflowError:
        return Range(Fraction(0), inf, places_of(quantum))
    return Range(
        ends[0] - Fraction(quantum),
        ends[-1] * (1 + Fraction(1, 10**9)) + Fraction(quantum),
        places_of(quantum),
        rel=2 * UNIT,
    )


def _fold(of: list[Range], join: Callable[[Range, Range], Range]) -> Range:
    found = of[0] if of else UNKNOWN
    for item in of[1:]:
        found = join(found, item)
    return found
