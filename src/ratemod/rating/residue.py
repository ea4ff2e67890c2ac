"""Which side of a tie a value lies on, decided by integers that are allowed to wrap.

Every value that is a decimal of P places is an integer N times 10^-P. N may have fifty digits, but 64-bit integers
that wrap around give N modulo 2^64 exactly, at the speed of a multiplication. A float already says that the value lies
within a hair of the tie T; if N and T are known to differ by less than 2^63, then ``N - T`` modulo 2^64, read as a
signed integer, *is* their difference. So the sign is exact, without one wide integer.

Values that are no decimals (a ratio, an interpolation) stay undecided and go to `ratemod.rating.exact`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import partial, reduce
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.plan.interval import places_of
from ratemod.plan.model import Step
from ratemod.plan.op.arithmetic import AddPercentages, Difference, Product, Sum
from ratemod.plan.op.base import Operation
from ratemod.plan.op.limits import Bound, Cap
from ratemod.plan.operand import NOTHING, Operand
from ratemod.rating.block import Block, Mask
from ratemod.rating.compiling import Compiling
from ratemod.rules.number import shifted

Ints = npt.NDArray[np.int64]
MOST_PLACES = 60
MOST_DEPTH = 100  # steps behind a value that are followed; what rests on more goes to exact arithmetic


@dataclass(frozen=True, eq=False, slots=True)
class Residue:
    """Numerators modulo 2^64 over 10^places, row by row; `decided` is False where there is none.

    Whole values carry no places, so that a factor of 1.00 does not widen what must be told apart.
    """

    num: Ints
    places: Ints
    decided: Mask


def side_of_tie(
    compiling: Compiling,
    block: Block,
    of: str,
    rows: npt.NDArray[np.intp],
    ties: Ints,
    half_unit: Fraction,
    reach: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.int8], Mask]:
    """Return the sign of ``|value| - ties × half_unit`` for some rows of a block, and where it is decided.

    Parameters
    ----------
    of : str
        Step or column whose value is near the ties.
    rows : (m,) intp
    ties : (m,) int64
        Ties as multiples of half a rounding unit.
    half_unit : Fraction
        A decimal.
    reach : (m,) float64
        How far each value can be from its tie; the sign is decided only if that is less than 2^62 numerators.
    """
    value = _residue(compiling, block, of, rows, MOST_DEPTH)
    least = next(places for places in range(MOST_PLACES) if (half_unit * 10**places).denominator == 1)
    places = np.maximum(value.places, least)
    num = _aligned(value, places)
    num = np.where(np.signbit(block.values[of][rows]), -num, num)
    unit = _wrapped(int(half_unit * 10**least)) * POWERS[places - least]
    return np.sign(num - ties * unit).astype(np.int8), value.decided & (reach * FLOAT_POWERS[places] < 2.0**62)


def _wrapped(number: int) -> np.int64:
    """Return an integer modulo 2^64 as int64."""
    return np.int64((number + 2**63) % 2**64 - 2**63)


POWERS = np.array([_wrapped(10**places) for places in range(MOST_PLACES)])
FLOAT_POWERS = 10.0 ** np.arange(MOST_PLACES)


def _aligned(value: Residue, places: Ints) -> Ints:
    shifted: Ints = value.num * POWERS[places - value.places]
    return shifted


def _exact_number(number: Decimal, n: int) -> Residue:
    places = places_of(number)
    num = np.full(n, _wrapped(int(shifted(number, places))))
    return Residue(num, np.full(n, places), np.ones(n, dtype=bool))


def _operand(compiling: Compiling, block: Block, operand: Operand, rows: npt.NDArray[np.intp], depth: int) -> Residue:
    number = operand if isinstance(operand, Decimal) else compiling.constant(operand)
    return _residue(compiling, block, str(operand), rows, depth) if number is None else _exact_number(number, len(rows))


def _residue(compiling: Compiling, block: Block, name: str, rows: npt.NDArray[np.intp], depth: int) -> Residue:
    known = compiling.known[name]
    if known.on_grid:
        values = block.values[name][rows]
        missing = np.isnan(values)
        values = np.where(missing, 0.0, values)
        whole = np.rint(values)
        if not known.places or (values == whole).all():
            return Residue(whole.astype(np.int64), np.zeros(len(rows), dtype=np.int64), ~missing)
        places = np.where(np.abs(values - whole) <= known.error_at(float(known.size)), 0, known.places or 0)
        return Residue(np.rint(values * FLOAT_POWERS[places]).astype(np.int64), places, ~missing)
    if name not in compiling.steps or not depth:
        return _undecided(len(rows))
    step = compiling.steps[name]
    if step.when is None:
        return _operation(compiling, block, step, rows, depth - 1)
    other = step.other
    assert other is not None
    applies = block.applies[name][rows]
    pieces = []
    if applies.any():
        pieces.append((applies, _operation(compiling, block, step, rows[applies], depth - 1)))
    if other != NOTHING and not applies.all():
        pieces.append((~applies, _operand(compiling, block, other, rows[~applies], depth - 1)))
    return _assembled(len(rows), pieces)


def _assembled(n: int, pieces: Sequence[tuple[Mask, Residue]]) -> Residue:
    """Put residues of some rows each together; rows of no piece stay undecided."""
    if len(pieces) == 1 and pieces[0][0].all():
        return pieces[0][1]
    whole = _undecided(n)
    for mask, part in pieces:
        whole.num[mask], whole.places[mask], whole.decided[mask] = part.num, part.places, part.decided
    return whole


def _operation(compiling: Compiling, block: Block, step: Step, rows: npt.NDArray[np.intp], depth: int) -> Residue:
    known, near = RESIDUES.get(type(step.operation)), Near(compiling, block, step.name, rows, depth)
    return _undecided(len(rows)) if known is None else known(step.operation, near)


@dataclass(frozen=True, eq=False, slots=True)
class Near:
    """The rows near a tie, and what an operation may ask of them."""

    compiling: Compiling
    block: Block
    name: str
    rows: npt.NDArray[np.intp]
    depth: int

    def of(self, operands: Sequence[Operand]) -> list[Residue]:
        """Return the residues of some operands."""
        return [_operand(self.compiling, self.block, operand, self.rows, self.depth) for operand in operands]


def _limit(operation: Bound | Cap, near: Near) -> Residue:
    """Return a bound or cap: of the rows where an end holds the end alone, which is all that most ties need."""
    bits = near.block.bits[near.rows] >> 2 * near.compiling.bounding.index(near.name)
    low, high = operation.ends.values()
    pieces = []
    for end, mask in ((high, (bits & 2) != 0), (low, (bits & 3) == 1), (operation.of[0], (bits & 3) == 0)):
        if end is None or not mask.any():
            continue
        against = [operation.against] if isinstance(operation, Cap) and end is not operation.of[0] else []
        few = replace(near, rows=near.rows[mask])
        pieces.append((mask, reduce(_product, few.of([end, *against]))))
    return _assembled(len(near.rows), pieces)


def _percentages(operation: AddPercentages, near: Near) -> Residue:
    return reduce(_sum, [*near.of(operation.of), _exact_number(Decimal(1 - len(operation.of)), len(near.rows))])


def _product(a: Residue, b: Residue) -> Residue:
    places = a.places + b.places
    fits = places < MOST_PLACES
    return Residue(a.num * b.num, np.where(fits, places, 0), a.decided & b.decided & fits)


def _sum(a: Residue, b: Residue, sign: int = 1) -> Residue:
    places = np.maximum(a.places, b.places)
    return Residue(_aligned(a, places) + sign * _aligned(b, places), places, a.decided & b.decided)


def _undecided(n: int) -> Residue:
    return Residue(np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=bool))


# Operations whose values are decimals because those of what they read are; of the others nothing is decided here.
RESIDUES: Mapping[type[Operation], Callable[[Any, Near], Residue]] = MappingProxyType(
    {
        Product: lambda operation, near: reduce(_product, near.of(operation.of)),
        Sum: lambda operation, near: reduce(_sum, near.of(operation.of)),
        Difference: lambda operation, near: reduce(partial(_sum, sign=-1), near.of(operation.of)),
        AddPercentages: _percentages,
        Bound: _limit,
        Cap: _limit,
    }
)
