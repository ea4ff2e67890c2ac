"""The steps of a plan in exact arithmetic: what the premium is by definition."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Context, Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ratemod.plan.grid import Grid, GridAxis, grid
from ratemod.plan.model import NOTHING, Combination, Condition, Legal, Operand, Plan, Step, Test
from ratemod.plan.ranges import places_of
from ratemod.plan.slices import slices
from ratemod.rating import rational as q
from ratemod.rating.calendar import days_between, months_between
from ratemod.rating.groups import rollup, share_out
from ratemod.rating.inputs import Inputs
from ratemod.rating.rational import Mask, Rational

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
    """

    inputs: Inputs
    values: dict[str, Rational] = field(default_factory=dict)
    binding: dict[str, npt.NDArray[np.int8]] = field(default_factory=dict)
    cells: dict[str, npt.NDArray[np.int32]] = field(default_factory=dict)

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
        found = _operation(plan, step, state)
        if step.when is not None:
            mask = holds(step.when, plan, state)
            found = q.choose(mask, found, _otherwise(step, state))
            if step.name in state.binding:
                state.binding[step.name] = np.where(mask, state.binding[step.name], 0).astype(np.int8)
        state.values[step.name] = found
    return state


def _otherwise(step: Step, state: Exact) -> Rational:
    if step.otherwise is None:
        return state.get(step.of[0])
    if step.otherwise == NOTHING:
        n = state.inputs.n
        return Rational(np.zeros(n, dtype=object), 1, np.zeros(n, dtype=bool))
    return state.get(step.otherwise)


def _operation(plan: Plan, step: Step, state: Exact) -> Rational:
    of = [state.get(operand) for operand in step.of] if step.op not in ("days", "months") else []
    match step.op:
        case "judgement" if not step.table:
            return _judged(step, state, of[0], state.get(step.low or Decimal(0)), state.get(step.high or Decimal(0)))
        case "lookup" | "classify" | "interpolate" | "judgement":
            return _look_up(plan, step, state)
        case "progressive":
            return _progressive(plan, step, state)
        case "product" | "sum":
            found = of[0]
            for item in of[1:]:
                found = q.multiply(found, item) if step.op == "product" else q.add(found, item)
            return found
        case "difference":
            found = of[0]
            for item in of[1:]:
                found = q.add(found, item, -1)
            return found
        case "add_percentages":
            found = q.constant(Decimal(1 - len(of)), state.inputs.n)
            for item in of:
                found = q.add(found, item)
            return found
        case "ratio":
            return q.divide(*of)
        case "largest" | "smallest":
            sign = 1 if step.op == "largest" else -1
            found = of[0]
            for item in of[1:]:
                both = q.choose(q.compare(item, found) == sign, item, found)
                found = Rational(both.num, both.den, item.ok & found.ok)
            return found
        case "bound" | "cap":
            return _bound(step, state, of[0])
        case "round":
            return q.round_to(of[0], step.quantum or Decimal(1), step.mode)
        case "power":
            return _power(step, of[0], state.get(step.exponent or Decimal(0)))
        case "days" | "months":
            return _dates(step, state)
        case "rollup" | "share_out":
            return _grouped(step, state, of[0])
    raise AssertionError(step.op)


def _bound(step: Step, state: Exact, found: Rational) -> Rational:
    """Keep within the ends, low first, and record which end held."""
    binding = np.zeros(state.inputs.n, dtype=np.int8)
    original_ok = found.ok
    for end, sign in ((step.low, -1), (step.high, 1)):
        if end is None:
            continue
        limit = state.get(end)
        if step.op == "cap":
            limit = q.multiply(limit, state.get(step.against))
        held = q.compare(found, limit) == sign
        binding[held] = sign
        found = q.choose(held, limit, found)
        if step.op == "bound":  # an end without a value leaves the step without one; a cap lets the row pass
            found = Rational(found.num, found.den, found.ok & limit.ok)
    binding[~original_ok] = 0
    state.binding[step.name] = binding
    return found


def _dates(step: Step, state: Exact) -> Rational:
    start, end = (state.inputs.numbers[str(name)] for name in step.of)
    ok = ~(np.isnan(start) | np.isnan(end))
    first, last = (np.where(ok, day, 0).astype(np.int64) for day in (start, end))
    if step.op == "days":
        return Rational(q.integers(days_between(first, last, step.inclusive)), 1, ok)
    return Rational(q.integers(months_between(first, last, step.count, step.inclusive)), 1, ok)


def _power(step: Step, of: Rational, exponent: Rational) -> Rational:
    context = Context(prec=POWER_DIGITS)
    quantum = step.quantum or Decimal(1)
    found, ok = np.zeros(len(of.num), dtype=object), of.ok & (of.num > 0).astype(bool) & exponent.ok
    unit = Fraction(quantum)
    for at, (value, to) in enumerate(zip(of.fractions(), exponent.fractions())):
        if value is not None and to is not None and ok[at]:
            base = context.divide(Decimal(value.numerator), Decimal(value.denominator))
            raised = Fraction(context.power(base, context.divide(Decimal(to.numerator), Decimal(to.denominator))))
            found[at] = int((2 * raised / unit + 1) // 2)
    return Rational(found * unit.numerator, unit.denominator, ok)


def _grouped(step: Step, state: Exact, of: Rational) -> Rational:
    groups = state.inputs.groups[step.group]
    if step.op == "rollup":
        num, ok = rollup(of.num.astype(np.int64), of.ok, groups, step.how)
        return Rational(num.astype(object), of.den, ok)
    weights = state.get(step.weights)
    fen = q.round_to(q.multiply(of, q.constant(Decimal(100), state.inputs.n)), Decimal(1), "half_up")
    ranks = state.inputs.ranks
    parts, ok = share_out(
        fen.num.astype(np.int64),
        weights.num.astype(np.int64),
        fen.ok & weights.ok,
        groups,
        np.arange(state.inputs.n) if ranks is None else ranks,
    )
    return Rational(parts.astype(object), 100, ok)


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


def codes_of(name: str, state: Exact) -> npt.NDArray[np.int16]:
    """Return the codes of a level column or of a step that classifies, -1 where there is none."""
    if name in state.inputs.codes:
        return state.inputs.codes[name]
    value = state.values[name]
    return np.where(value.ok, value.num // value.den, -1).astype(np.int16)


def _test(test: Test, plan: Plan, state: Exact) -> Mask:
    mask = named_test(test, plan, state.inputs)
    if (test.is_ or test.is_not) and test.of in state.values:
        mask &= level_test(test, plan, codes_of(test.of, state))
    for end, wanted in ((test.at_least, (0, 1)), (test.above, (1,)), (test.at_most, (0, -1)), (test.below, (-1,))):
        if end is not None:
            value, limit = state.get(test.of), state.get(end)
            mask &= np.isin(q.compare(value, limit), wanted) & value.ok & limit.ok
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
        if test.missing is not None:
            mask &= inputs.filled[name] != test.missing
    return mask


def level_test(test: Test, plan: Plan, codes: npt.NDArray[np.int16]) -> Mask:
    """Return where a level is, or is not, one of those named; shared with the fast path."""
    known, mask = plan.level_columns[test.of].codes(), np.ones(len(codes), dtype=bool)
    if test.is_:
        mask &= any_of(codes, [known.index(value) for value in test.is_])
    if test.is_not:
        mask &= (codes >= 0) & ~any_of(codes, [known.index(value) for value in test.is_not])
    return mask


def any_of(codes: npt.NDArray[np.int16], wanted: list[int]) -> Mask:
    """Return where a code is one of a few; each comparison is far cheaper than a search."""
    found: Mask = codes == wanted[0]
    for code in wanted[1:]:
        found |= codes == code
    return found


def _look_up(plan: Plan, step: Step, state: Exact) -> Rational:
    table = plan.tables[step.table]
    found = grid(table, step.by, plan.level_columns)
    assert found is not None
    slots = [axis_slots(axis, state) for axis in found.axes if axis.axis.kind != "point"]
    if step.op == "interpolate":
        return _interpolate(step, table.column(step.column), found, slots, state)
    rows = found.row_of[tuple(slots)] if slots else np.full(state.inputs.n, found.row_of[()], dtype=np.int32)
    state.cells[step.name] = rows
    value = cell_values(table.column(step.column), rows)
    if step.op != "judgement":
        return value
    low, high = (cell_values(table.column(name), rows) for name in ("low", "high"))
    return _judged(step, state, value, low, high)


def _judged(step: Step, state: Exact, value: Rational, low: Rational, high: Rational) -> Rational:
    """Return what was chosen where it may be and its reason is given, and the value where nothing was chosen."""
    chosen = state.values[step.chosen]
    inside = (q.compare(chosen, low) >= 0) & (q.compare(chosen, high) <= 0)
    if step.reason:
        inside &= state.inputs.filled[step.reason]
    given = Rational(chosen.num, chosen.den, chosen.ok & inside & low.ok & high.ok)
    return q.choose(chosen.ok, given, value)


def _progressive(plan: Plan, step: Step, state: Exact) -> Rational:
    """Return the sum over slices: all below the amount's own, and its own as far as it is reached."""
    found, n = slices(step, plan.tables[step.table], plan.level_columns), state.inputs.n
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
    state.cells[step.name] = np.where(rated[cell], found.row_of[cell], -1).astype(np.int32)
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


def _interpolate(
    step: Step, per_row: tuple[Decimal | None, ...], found: Grid, slots: list[npt.NDArray[np.intp]], state: Exact
) -> Rational:
    """Return values linear between the two nearest points: v0 + (x - x0)·(v1 - v0)/(x1 - x0)."""
    axis, n = found.axes[-1], state.inputs.n
    x = state.values[axis.bound]
    points = [q.constant(Decimal(mark), n) for mark in axis.marks]
    signs = [q.compare(x, point) for point in points]
    reached = sum((sign >= 0).astype(np.intp) for sign in signs)
    left = np.clip(reached - 1, 0, len(points) - 1)
    right = np.clip(reached, 0, len(points) - 1)
    if step.beyond == "extend":  # the first and the last line go on
        left = np.clip(reached - 1, 0, max(len(points) - 2, 0))
        right = np.minimum(left + 1, len(points) - 1)
    rows_left, rows_right = (found.row_of[(*slots, at)] for at in (left, right))
    state.cells[step.name] = rows_left
    v0, v1 = cell_values(per_row, rows_left), cell_values(per_row, rows_right)
    x0, x1 = (cell_values(tuple(Decimal(mark) for mark in axis.marks), at.astype(np.int32)) for at in (left, right))
    between = left != right
    run = q.choose(between, q.add(x1, x0, -1), q.constant(Decimal(1), n))
    slope = q.divide(q.add(v1, v0, -1), run)
    value = q.add(v0, q.multiply(q.add(x, x0, -1), slope))
    value = q.choose(between, value, v0)
    inside = np.ones(n, dtype=bool)
    if step.beyond == "refuse" and points:
        inside = (q.compare(x, points[0]) >= 0) & (q.compare(x, points[-1]) <= 0)
    return Rational(value.num, value.den, value.ok & x.ok & inside)
