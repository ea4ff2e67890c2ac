"""The exact values of a plan's steps while they are worked out, and what operations and conditions ask of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.plan.grid import GridAxis
from ratemod.plan.interval import places_of
from ratemod.plan.model import Combination, Condition, Plan, Test
from ratemod.plan.op.base import Operation
from ratemod.plan.operand import Operand
from ratemod.rating import rational as q
from ratemod.rating.inputs import Inputs
from ratemod.rating.rational import Mask, Rational
from ratemod.rules.number import digits, quotient, shifted
from ratemod.vocabulary.level_codes import Codes


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


def nothing(n: int) -> Rational:
    """Return a value for no row."""
    return Rational(np.zeros(n, dtype=object), 1, np.zeros(n, dtype=bool))


def smallest_units(amount: Rational, here: Here) -> Rational:
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


def plain_text(value: Fraction | None) -> str:
    """Return an exact value as text, at most twelve digits of one that is no short decimal.

    Examples
    --------
    >>> plain_text(Fraction(1, 3)), plain_text(Fraction(10**6)), plain_text(Fraction(-7 * 10**4_000))
    ('0.333333333333', '1000000', '-7E+4000')
    """
    return "" if value is None else digits(quotient(value.numerator, value.denominator))


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
    num = np.array([0 if value is None else int(shifted(value, places)) for value in per_row] + [0], dtype=object)
    ok = np.array([value is not None for value in per_row] + [False])
    return Rational(num[rows], 10**places, ok[rows])


Value = Callable[[Any, Here], Rational]
