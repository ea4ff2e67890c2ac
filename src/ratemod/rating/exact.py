"""The steps of a plan in exact arithmetic: what the premium is by definition."""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal, Overflow
from fractions import Fraction
from functools import partial, reduce
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.plan.grid import GridAxis, grid
from ratemod.plan.interval import DATES, places_of
from ratemod.plan.model import Combination, Condition, Legal, Plan, Step, Test
from ratemod.plan.op.arithmetic import (
    AddPercentages,
    Difference,
    Extreme,
    Largest,
    Product,
    Ratio,
    Smallest,
    Sum,
)
from ratemod.plan.op.base import Operation, TableOperation
from ratemod.plan.op.dates import LENGTHS, AddMonths, DatePart, Days, Earliest, Latest, Months, Term, Years
from ratemod.plan.op.judgement import Judgement
from ratemod.plan.op.level import FirstLevel, LastLevel, LevelExtreme, OneLevel, places
from ratemod.plan.op.limits import Bound, Cap
from ratemod.plan.op.lines import Rollup, ShareOut
from ratemod.plan.op.logarithm import Exponential, Logarithm
from ratemod.plan.op.look_up import Classify, Interpolate, Lookup
from ratemod.plan.op.part import Part
from ratemod.plan.op.progressive import Progressive
from ratemod.plan.op.ranked import Rank, Take, TakeLevel, Taken
from ratemod.plan.op.rounding import Power, Round
from ratemod.plan.operand import EPOCH, NOTHING, Operand
from ratemod.plan.slices import slices
from ratemod.rating import rational as q
from ratemod.rating.calendar import days_between, months_between
from ratemod.rating.groups import ranked, rollup, share_out, taken
from ratemod.rating.inputs import Inputs
from ratemod.rating.rational import Mask, Rational
from ratemod.vocabulary.level_codes import Codes

POWER_DIGITS = 60


@dataclass(frozen=True, slots=True)
class Exact:
    """Exact values of every step.

    Attributes
    ----------
    values : mapping of Rational
        Columns, constants and steps.
    binding : mapping of (n,) int8
        For each bound and cap: -1 where the low end held, +1 where the high end held, else 0.
    cells : mapping of (n,) int32
        For each look-up: the row of the table that answered, -1 for none.
    beyond : mapping of tuple of (n,) int32
        For each interpolation: the rows of its other points.
    """

    inputs: Inputs
    values: dict[str, Rational] = field(default_factory=dict)
    binding: dict[str, npt.NDArray[np.int8]] = field(default_factory=dict)
    cells: dict[str, npt.NDArray[np.int32]] = field(default_factory=dict)
    beyond: dict[str, tuple[npt.NDArray[np.int32], ...]] = field(default_factory=dict)

    def get(self, operand: Operand) -> Rational:
        """Return the values of a name, or copies of a number."""
        return q.constant(operand, self.inputs.n) if isinstance(operand, Decimal) else self.values[operand]


def evaluate(plan: Plan, inputs: Inputs) -> Exact:
    """Evaluate every step exactly.

    Parameters
    ----------
    plan : Plan
    inputs : Inputs, n rows
        Use for few rows: each step costs about a microsecond a row.
    """
    state = Exact(inputs)
    for name, column in plan.columns.items():
        if name in inputs.numbers:
            state.values[name] = q.from_floats(inputs.numbers[name], column.decimals)
    for name, constant in plan.constants.items():
        state.values[name] = q.constant(constant.value, inputs.n)
    for step in plan.steps:
        found = EXACT[type(step.operation)](step.operation, Here(plan, step.name, state))
        if step.when is not None:
            mask = holds(step.when, plan, state)
            found = q.choose(mask, found, _otherwise(step, state))
            if step.name in state.binding:
                state.binding[step.name] = np.where(mask, state.binding[step.name], 0).astype(np.int8)
        state.values[step.name] = found
    return state


@dataclass(frozen=True, slots=True)
class Here:
    """What an operation may ask while its step is worked out."""

    plan: Plan
    name: str
    state: Exact

    @property
    def n(self) -> int:
        """Rows."""
        return self.state.inputs.n

    def of(self, operation: Operation) -> list[Rational]:
        """Return the values that an operation acts on."""
        return [self.state.get(operand) for operand in operation.of]


def _otherwise(step: Step, state: Exact) -> Rational:
    assert step.other is not None
    return _nothing(state.inputs.n) if step.other == NOTHING else state.get(step.other)


def _nothing(n: int) -> Rational:
    return Rational(np.zeros(n, dtype=object), 1, np.zeros(n, dtype=bool))


def _product(operation: Product, here: Here) -> Rational:
    return reduce(q.multiply, here.of(operation))


def _sum(operation: Sum, here: Here) -> Rational:
    return reduce(q.add, here.of(operation))


def _difference(operation: Difference, here: Here) -> Rational:
    return reduce(partial(q.add, sign=-1), here.of(operation))


def _percentages(operation: AddPercentages, here: Here) -> Rational:
    return reduce(q.add, here.of(operation), q.constant(Decimal(1 - len(operation.of)), here.n))


def _ratio(operation: Ratio, here: Here) -> Rational:
    return q.divide(*here.of(operation))


def _extreme(operation: Extreme, here: Here, sign: int) -> Rational:
    found, *rest = here.of(operation)
    for item in rest:
        both = q.choose(q.compare(item, found) == sign, item, found)
        found = Rational(both.num, both.den, item.ok & found.ok)
    return found


def _limit(operation: Bound | Cap, here: Here) -> Rational:
    """Keep within the ends, low first, and record which end held."""
    found, state = here.state.get(operation.of[0]), here.state
    binding = np.zeros(here.n, dtype=np.int8)
    original_ok = found.ok
    for end, sign in zip(operation.ends.values(), (-1, 1)):
        if end is None:
            continue
        limit = state.get(end)
        if isinstance(operation, Cap):
            limit = q.multiply(limit, state.get(operation.against))
        held = q.compare(found, limit) == sign
        binding[held] = sign
        found = q.choose(held, limit, found)
        if isinstance(operation, Bound):  # an end without a value leaves the step without one; a cap lets the row pass
            found = Rational(found.num, found.den, found.ok & limit.ok)
    binding[~original_ok] = 0
    state.binding[here.name] = binding
    return found


def _round(operation: Round, here: Here) -> Rational:
    return q.round_to(here.state.get(operation.of[0]), operation.unit, operation.mode)


def _no_decimal(raised: Callable[..., Decimal], unit: Decimal, of: Sequence[Rational], ok: Mask) -> Rational:
    """Return what is no decimal, worked out to `POWER_DIGITS` digits and rounded half-up; none beyond all decimals."""
    context, ok = Context(prec=POWER_DIGITS), ok.copy()
    num, den = np.zeros(len(ok), dtype=object), np.ones(len(ok), dtype=object)
    for at in np.flatnonzero(ok).tolist():
        values = [value.fraction(at) or Fraction(0) for value in of]
        try:
            near = raised(context, *(context.divide(Decimal(x.numerator), Decimal(x.denominator)) for x in values))
        except Overflow:
            ok[at] = False
            continue
        num[at], den[at] = near.as_integer_ratio()
    return q.round_to(Rational(num, den, ok), unit, "half_up")


def _power(operation: Power, here: Here) -> Rational:
    of, exponent = here.state.get(operation.of[0]), here.state.get(operation.exponent)
    ok = of.ok & (of.num > 0).astype(bool) & exponent.ok
    return _no_decimal(Context.power, operation.unit, (of, exponent), ok)


def _exponential(operation: Exponential, here: Here) -> Rational:
    (of,) = here.of(operation)
    return _no_decimal(Context.exp, operation.unit, (of,), of.ok)


def _logarithm(operation: Logarithm, here: Here) -> Rational:
    (of,) = here.of(operation)
    return _no_decimal(Context.ln, operation.unit, (of,), of.ok & (of.num > 0).astype(bool))


def _term(operation: Term, here: Here) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Mask]:
    """Return both ends as days since 1970-01-01, and where both are known."""
    start, end = here.of(operation)
    first, last = ((day.num // day.den).astype(np.int64) for day in (start, end))
    return first, last, start.ok & end.ok


def _days(operation: Days, here: Here) -> Rational:
    first, last, ok = _term(operation, here)
    return Rational(q.integers(days_between(first, last, operation.inclusive)), 1, ok)


def _months(operation: Months, here: Here) -> Rational:
    first, last, ok = _term(operation, here)
    return Rational(q.integers(months_between(first, last, operation.count, operation.inclusive)), 1, ok)


def _years(operation: Years, here: Here) -> Rational:
    first, last, ok = _term(operation, here)
    ends = (np.where(ok, end, 0) + later for end, later in ((last, int(operation.inclusive)), (first, 0)))
    end, start = ([_year(int(day)) for day in days] for days in ends)
    found = [a - b for a, b in zip(end, start)]
    return Rational(np.array([int(one * LENGTHS) for one in found], dtype=object), LENGTHS, ok)


def _year(day: int) -> Fraction:
    """Return a day as a year with the part of it that is over, by the calendar of the standard library."""
    when = date.fromordinal(day + EPOCH)
    return when.year + Fraction(when.timetuple().tm_yday - 1, 366 if isleap(when.year) else 365)


def _add_months(operation: AddMonths, here: Here) -> Rational:
    """Return each date by the calendar of the standard library, one at a time."""
    of, months, days = (here.state.get(operand) for operand in (operation.of[0], operation.months, operation.days))
    found, ok = np.zeros(here.n, dtype=object), np.zeros(here.n, dtype=bool)
    for at in range(here.n):
        given = [value.fraction(at) for value in (of, months, days)]
        later = None if None in given else _later(*(part for part in given if part is not None))
        if later is not None:
            found[at], ok[at] = later, True
    return Rational(found, 1, ok)


def _later(day: Fraction, months: Fraction, more: Fraction) -> int | None:
    """Return the day some whole months and days on; None where there is no such day."""
    if months.denominator != 1 or more.denominator != 1:
        return None
    start = date.fromordinal(int(day) + EPOCH)
    year, month = divmod(12 * start.year + start.month - 1 + int(months), 12)
    if not 1 <= year <= 9999:
        return None
    same = date(year, month + 1, min(start.day, monthrange(year, month + 1)[1])).toordinal() - EPOCH + int(more)
    return same if DATES[0] <= same <= DATES[1] else None


def _date_part(operation: DatePart, here: Here) -> Rational:
    (of,) = here.of(operation)
    days = (of.num // of.den).tolist()
    parts = [getattr(date.fromordinal(int(day) + EPOCH), operation.which) for day in days]
    return Rational(np.array(parts, dtype=object), 1, of.ok)


def _rollup(operation: Rollup, here: Here) -> Rational:
    (of,) = here.of(operation) or [q.constant(Decimal(1), here.n)]
    num, den = q.over_one_denominator(of)
    groups = here.state.inputs.groups
    lines = {part: groups[names] for part, names in operation.groups.items()}
    found, parts, ok = rollup(num, of.ok, how=operation.how, **lines)
    return Rational(found, den if operation.how != "mean" else den * parts.astype(object), ok)


def _rank(operation: Rank, here: Here) -> Rational:
    (of,) = here.of(operation)
    num, _ = q.over_one_denominator(of)
    inputs = here.state.inputs
    ranks = np.arange(here.n) if inputs.ranks is None else inputs.ranks
    found, ok = ranked(num, of.ok, inputs.groups[operation.group], ranks, operation.first == "largest")
    return Rational(q.integers(found), 1, ok)


def _row_taken(operation: Taken, here: Here) -> npt.NDArray[np.int64]:
    """Return the row that each row takes its value from, -1 for none."""
    rank = here.state.values[operation.rank]
    place = np.where(rank.ok, rank.num // rank.den, 0).astype(np.int64)
    return taken(place, rank.ok, here.state.inputs.groups[operation.group], operation.which)


def _take(operation: Take, here: Here) -> Rational:
    (of,), row = here.of(operation), _row_taken(operation, here)
    num, den = q.over_one_denominator(of)
    return Rational(num[row], den, of.ok[row] & (row >= 0))


def _take_level(operation: TakeLevel, here: Here) -> Rational:
    own = np.array(places(operation.levels, here.plan.level_columns[operation.level].codes()))
    found, row = own[codes_of(operation.level, here.state)], _row_taken(operation, here)
    found = found[row]
    return Rational(q.integers(np.maximum(found, 0)), 1, (row >= 0) & (found >= 0))


def _share_out(operation: ShareOut, here: Here) -> Rational:
    of, weights, inputs = here.state.get(operation.of[0]), here.state.get(operation.weights), here.state.inputs
    fen = _smallest_units(of, here)
    ranks = np.arange(here.n) if inputs.ranks is None else inputs.ranks
    weight, _ = q.over_one_denominator(weights)
    parts, ok = share_out(fen.num, weight, fen.ok & weights.ok, inputs.groups[operation.group], ranks)
    return Rational(parts, here.plan.money.per_unit, ok)


def _part(operation: Part, here: Here) -> Rational:
    of, state = here.state.get(operation.of[0]), here.state
    fen = _smallest_units(of, here)
    weights = [state.get(weight).fractions() for weight in operation.among]
    found, ok = np.zeros(here.n, dtype=object), fen.ok.copy()
    for at in range(here.n):
        shares = [weight[at] for weight in weights]
        asked = [share for share in shares if share is not None and share >= 0]
        ok[at] &= len(asked) == len(shares) and sum(asked) > 0
        if ok[at]:
            quotas = [abs(int(fen.num[at])) * share / sum(asked) for share in asked]
            left = abs(int(fen.num[at])) - sum(int(quota) for quota in quotas)
            first = sorted(range(len(quotas)), key=lambda party: (-(quotas[party] % 1), party))[:left]
            size = int(quotas[operation.which - 1]) + (operation.which - 1 in first)
            found[at] = -size if fen.num[at] < 0 else size
    return Rational(found, here.plan.money.per_unit, ok)


def _smallest_units(amount: Rational, here: Here) -> Rational:
    """Return amounts of money as whole smallest units, rounded half-up."""
    per_unit = q.constant(Decimal(here.plan.money.per_unit), here.n)
    return q.round_to(q.multiply(amount, per_unit), Decimal(1), "half_up")


def holds(condition: Condition, plan: Plan, state: Exact) -> Mask:
    """Return where a condition holds; a comparison with a missing value does not hold."""
    if isinstance(condition, Combination):
        masks = [holds(part, plan, state) for part in condition.parts]
        if condition.how == "all":
            return np.asarray(np.logical_and.reduce(masks))
        found = np.asarray(np.logical_or.reduce(masks))
        return ~found if condition.how == "none" else found
    return _test(condition, plan, state)


def outside_range(item: Legal, state: Exact) -> Mask:
    """Return where a value lies outside a legal range; a missing value does not."""
    value = state.get(item.of)
    outside = np.zeros(state.inputs.n, dtype=bool)
    for end, sign in ((item.low, -1), (item.high, 1)):
        if end is not None:
            limit = state.get(end)  # without its limit a value is not known to be lawful
            outside |= (q.compare(value, limit) == sign) | (value.ok & ~limit.ok)
    return outside


def codes_of(name: str, state: Exact) -> Codes:
    """Return the codes of a level column or of a step that classifies, -1 where there is none."""
    if name in state.inputs.codes:
        return state.inputs.codes[name]
    value = state.values[name]
    return np.where(value.ok, value.num // value.den, -1).astype(np.int32)


def _test(test: Test, plan: Plan, state: Exact) -> Mask:
    mask = named_test(test, plan, state.inputs)
    if test.names_levels and test.of in state.values:
        mask &= level_test(test, plan, codes_of(test.of, state))
    if test.compared and test.of in plan.level_columns and plan.level_columns[test.of].codes():
        return mask & order_test(test, plan, lambda name: codes_of(name, state))
    for key, end in test.compared.items():
        value, limit = state.get(test.of), state.get(end)
        mask &= np.isin(q.compare(value, limit), COMPARED[key]) & value.ok & limit.ok
    if test.missing is not None and test.of in state.values:
        mask &= state.values[test.of].ok != test.missing
    return mask


def named_test(test: Test, plan: Plan, inputs: Inputs) -> Mask:
    """Return where the level, text and missing tests of one `Test` hold; shared with the fast path."""
    mask = np.ones(inputs.n, dtype=bool)
    name = test.of
    if name in inputs.codes:
        codes = inputs.codes[name]
        mask &= level_test(test, plan, codes)
        if test.missing is not None:
            mask &= (codes < 0) == test.missing
    elif name in inputs.filled:
        if test.is_:
            mask &= np.isin(inputs.texts[name], test.is_)
        if test.is_not:
            mask &= inputs.filled[name] & ~np.isin(inputs.texts[name], test.is_not)
        if test.begins:
            mask &= np.array([text.startswith(test.begins) for text in inputs.texts[name]], dtype=bool)
        if test.missing is not None:
            mask &= inputs.filled[name] != test.missing
    return mask


COMPARED: Mapping[str, tuple[int, ...]] = MappingProxyType(  # the signs of a value less what it is compared with
    {"at_least": (0, 1), "above": (1,), "at_most": (0, -1), "below": (-1,)}
)


def order_test(test: Test, plan: Plan, codes_of: Callable[[str], Codes]) -> Mask:
    """Return where a level stands as it should beside another, in the order of its own levels; shared likewise."""
    place = plan.level_columns[test.of].place
    own = codes_of(test.of)
    mask: Mask = own >= 0
    for key, end in test.compared.items():
        places = np.array([*(place[code] for code in plan.level_columns[str(end)].codes()), -1])
        limit = places[codes_of(str(end))]
        mask &= (limit >= 0) & np.isin(np.sign(own - limit), COMPARED[key])
    return mask


def level_test(test: Test, plan: Plan, codes: Codes) -> Mask:
    """Return where a level is, or is not, one of those named; shared with the fast path."""
    place, mask = plan.level_columns[test.of].place, np.ones(len(codes), dtype=bool)
    if test.is_:
        mask &= any_of(codes, [place[value] for value in test.is_])
    if test.is_not:
        mask &= (codes >= 0) & ~any_of(codes, [place[value] for value in test.is_not])
    if test.first is not None or test.last is not None or test.begins:
        inside = np.zeros(len(place) + 1, dtype=bool)  # the last for what is no level, -1
        inside[[place[code] for code in test.within(plan.level_columns[test.of].codes())]] = True
        mask &= inside[codes]
    return mask


def any_of(codes: Codes, wanted: list[int]) -> Mask:
    """Return where a code is one of a few; each comparison is far cheaper than a search."""
    found: Mask = codes == wanted[0]
    for code in wanted[1:]:
        found |= codes == code
    return found


def _cell(operation: TableOperation, here: Here) -> Callable[[str], Rational]:
    """Return what gives a value column by the row of the table that answers, which is noted."""
    table, state = here.plan.tables[operation.table], here.state
    found = grid(table, operation.by, here.plan.level_columns)
    assert found is not None
    slots = tuple(axis_slots(axis, state) for axis in found.axes)
    rows = found.row_of[slots] if slots else np.full(here.n, found.row_of[()], dtype=np.int32)
    state.cells[here.name] = rows

    def values(column: str) -> Rational:
        return cell_values(table.column(column), rows) if column in table.value_names else _nothing(here.n)

    return values


def _level(operation: OneLevel, here: Here) -> Rational:
    return q.constant(Decimal(operation.place), here.n)


def _level_extreme(operation: LevelExtreme, here: Here) -> Rational:
    found, ok = None, np.ones(here.n, dtype=bool)
    for name in map(str, operation.of):
        places = np.array(operation.places(here.plan.level_columns[name].codes()))[codes_of(name, here.state)]
        ok &= places >= 0
        pick = np.maximum if isinstance(operation, LastLevel) else np.minimum
        found = places if found is None else pick(found, places)
    assert found is not None
    return Rational(q.integers(np.where(ok, found, 0)), 1, ok)


def _look_up(operation: Lookup | Classify, here: Here) -> Rational:
    return _cell(operation, here)(operation.column)


def permitted(operation: Judgement, name: str, plan: Plan, state: Exact) -> tuple[Rational, Rational]:
    """Return the least and the most that may be chosen in a judgement step."""
    if operation.table:
        values = _cell(operation, Here(plan, name, state))
        return values("low"), values("high")
    low, high = (state.get(end) for end in (operation.low, operation.high) if end is not None)
    return low, high


def plain_text(value: Fraction | None) -> str:
    """Return an exact value as text, at most twelve digits of one that is no short decimal."""
    return "" if value is None else f"{Context(prec=12).divide(value.numerator, value.denominator).normalize():f}"


def _judgement(operation: Judgement, here: Here) -> Rational:
    """Return what was chosen where it may be and its reason is given, and what stands where nothing was chosen."""
    state = here.state
    low, high = permitted(operation, here.name, here.plan, state)
    if operation.table:
        value = _cell(operation, here)(operation.column)
    else:
        value = state.get(operation.of[0]) if operation.of else _nothing(here.n)
    chosen = state.values[operation.chosen]
    inside = (q.compare(chosen, low) >= 0) & (q.compare(chosen, high) <= 0)
    if operation.reason:
        inside &= state.inputs.filled[operation.reason]
    given = Rational(chosen.num, chosen.den, chosen.ok & inside & low.ok & high.ok)
    return q.choose(chosen.ok, given, value)


def _progressive(operation: Progressive, here: Here) -> Rational:
    """Return the sum over slices: all below the amount's own, and its own as far as it is reached."""
    state, n = here.state, here.n
    found = slices(operation, here.plan.tables[operation.table], here.plan.level_columns)
    slots = [axis_slots(axis, state) for axis in found.grid.axes[:-1]]
    x, last = state.values[found.grid.axes[-1].bound], found.grid.axes[-1].size - 1
    signs = [q.compare(x, q.constant(mark, n)) for mark in found.marks]
    cells = []
    for reached in (0, 1):  # on an edge the upper slice, and the lower one where there is no upper
        slot = sum(((sign >= reached).astype(np.intp) for sign in signs), np.zeros(n, np.intp))
        place = (*slots, np.where(x.ok, slot, last))
        cells.append(np.ravel_multi_index(place, found.grid.row_of.shape).astype(np.int32))
    rated = np.array([rate is not None for rate in found.rate])
    cell = np.where(rated[cells[0]], cells[0], cells[1]).astype(np.int32)
    state.cells[here.name] = np.where(rated[cell], found.row_of[cell], -1).astype(np.int32)
    start, base, rate = (cell_values(part, cell) for part in (found.start, found.base, found.rate))
    return q.add(base, q.multiply(rate, q.add(x, start, -1)))


def axis_slots(axis: GridAxis, state: Exact) -> npt.NDArray[np.intp]:
    """Return the slot of every row on one axis."""
    if axis.axis.kind == "level":
        codes = codes_of(axis.bound, state).astype(np.intp)
        return np.where(codes < 0, axis.size - 1, codes)
    value = state.values[axis.bound]
    marks = [q.constant(Decimal(mark), state.inputs.n) for mark in axis.marks]
    signs = [q.compare(value, mark) for mark in marks]
    if axis.axis.kind == "band":
        wanted = 0 if axis.side == "right" else 1
        slots = sum((sign >= wanted).astype(np.intp) for sign in signs) if marks else np.zeros(state.inputs.n, np.intp)
    else:
        slots = np.full(state.inputs.n, axis.size - 2, dtype=np.intp)
        for at, sign in enumerate(signs):
            slots[sign == 0] = at
    return np.where(value.ok, slots, axis.size - 1)


def cell_values(per_row: tuple[Decimal | None, ...], rows: npt.NDArray[np.int32]) -> Rational:
    """Return one number per row from table rows; -1 has none."""
    places = max((places_of(value) for value in per_row if value is not None), default=0)
    num = np.array([0 if value is None else int(value.scaleb(places)) for value in per_row] + [0], dtype=object)
    ok = np.array([value is not None for value in per_row] + [False])
    return Rational(num[rows], 10**places, ok[rows])


def _interpolate(operation: Interpolate, here: Here) -> Rational:
    """Return values linear between the two nearest points of each axis in turn: v0 + (x - x0)·(v1 - v0)/(x1 - x0)."""
    table, state, n = here.plan.tables[operation.table], here.state, here.n
    found = grid(table, operation.by, here.plan.level_columns)
    assert found is not None
    slots = [axis_slots(axis, state) for axis in found.axes if axis.axis.kind != "point"]
    per_row, corners = table.column(operation.column), []
    axes = [axis for axis in found.axes if axis.axis.kind == "point"]

    def along(slots: list[npt.NDArray[np.intp]], axes: Sequence[GridAxis]) -> Rational:
        if not axes:
            corners.append(found.row_of[tuple(slots)])
            return cell_values(per_row, corners[-1])
        x, (axis, *further) = state.values[axes[0].bound], axes
        left, right = _points_beside(x, axis, operation.beyond == "extend")
        v0, v1 = along([*slots, left], further), along([*slots, right], further)
        x0, x1 = (cell_values(tuple(map(Decimal, axis.marks)), at.astype(np.int32)) for at in (left, right))
        between = left != right
        run = q.choose(between, q.add(x1, x0, -1), q.constant(Decimal(1), n))
        value = q.add(v0, q.multiply(q.add(x, x0, -1), q.divide(q.add(v1, v0, -1), run)))
        return q.choose(between, value, v0)

    value = along(slots, axes)
    state.cells[here.name], state.beyond[here.name] = corners[0], tuple(corners[1:])
    inside = np.ones(n, dtype=bool)
    for axis in axes:
        x = state.values[axis.bound]
        inside &= x.ok
        if operation.beyond == "refuse":
            inside &= q.compare(x, q.constant(Decimal(axis.marks[0]), n)) >= 0
            inside &= q.compare(x, q.constant(Decimal(axis.marks[-1]), n)) <= 0
    return Rational(value.num, value.den, value.ok & inside)


def _points_beside(x: Rational, axis: GridAxis, extend: bool) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the places of the points on both sides of a value: the same where it lies on one, or beyond the ends.

    Where the lines are to go on, what lies beyond an end lies between the two points next to it.
    """
    last, n = len(axis.marks) - 1, len(x.ok)
    signs = [q.compare(x, q.constant(Decimal(mark), n)) for mark in axis.marks]
    passed = sum((sign >= 0).astype(np.intp) for sign in signs)
    on = sum((sign == 0).astype(np.intp) for sign in signs) > 0
    left = np.clip(passed - 1, 0, last)
    right = np.where(on, left, np.clip(passed, 0, last))
    if extend and last:
        left = np.where(on, left, np.clip(passed - 1, 0, last - 1))
        right = np.where(on, left, left + 1)
    return left, right


Value = Callable[[Any, Here], Rational]
EXACT: Mapping[type[Operation], Value] = MappingProxyType(
    {
        Lookup: _look_up,
        Classify: _look_up,
        OneLevel: _level,
        FirstLevel: _level_extreme,
        LastLevel: _level_extreme,
        Interpolate: _interpolate,
        Progressive: _progressive,
        Judgement: _judgement,
        Product: _product,
        Sum: _sum,
        Difference: _difference,
        Ratio: _ratio,
        Largest: partial(_extreme, sign=1),
        Latest: partial(_extreme, sign=1),
        Smallest: partial(_extreme, sign=-1),
        Earliest: partial(_extreme, sign=-1),
        AddPercentages: _percentages,
        Bound: _limit,
        Cap: _limit,
        Round: _round,
        Power: _power,
        Exponential: _exponential,
        Logarithm: _logarithm,
        Days: _days,
        Months: _months,
        Years: _years,
        AddMonths: _add_months,
        DatePart: _date_part,
        Rollup: _rollup,
        Rank: _rank,
        Take: _take,
        TakeLevel: _take_level,
        ShareOut: _share_out,
        Part: _part,
    }
)
