"""Which side of a tie a value lies on, decided by integers that are allowed to wrap.

Every value that is a decimal of P places is an integer N times 10^-P. N may have fifty digits, but 64-bit integers
that wrap around give N modulo 2^64 exactly, at the speed of a multiplication. A float already says that the value lies
within a hair of the tie T; if N and T are known to differ by less than 2^63, then ``N - T`` modulo 2^64, read as a
signed integer, *is* their difference. So the sign is exact, without one wide integer.

Values that are no decimals (a ratio, an interpolation) stay undecided and go to `ratemod.rating.exact`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ratemod.plan.model import NOTHING, Operand, Step
from ratemod.plan.ranges import Range, places_of
from ratemod.rating.block import Block, Mask

Ints = npt.NDArray[np.int64]
MOST_PLACES = 60


@dataclass(frozen=True, eq=False, slots=True)
class Context:
    """What a compiled plan knows of its steps."""

    steps: Mapping[str, Step]
    known: Mapping[str, Range]
    constants: Mapping[str, Decimal]
    bounding: tuple[str, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Residue:
    """Numerators modulo 2^64 over 10^places, row by row; `decided` is False where there is none.

    Whole values carry no places, so that a factor of 1.00 does not widen what must be told apart.
    """

    num: Ints
    places: Ints
    decided: Mask


def side_of_tie(
    context: Context,
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
    value = _residue(context, block, of, rows)
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
    num = np.full(n, _wrapped(int(number.scaleb(places))))
    return Residue(num, np.full(n, places), np.ones(n, dtype=bool))


def _operand(context: Context, block: Block, operand: Operand, rows: npt.NDArray[np.intp]) -> Residue:
    number = operand if isinstance(operand, Decimal) else context.constants.get(operand)
    return _residue(context, block, str(operand), rows) if number is None else _exact_number(number, len(rows))


def _residue(context: Context, block: Block, name: str, rows: npt.NDArray[np.intp]) -> Residue:
    known = context.known[name]
    if known.on_grid:
        values = block.values[name][rows]
        missing = np.isnan(values)
        values = np.where(missing, 0.0, values)
        whole = np.rint(values)
        if not known.places or (values == whole).all():
            return Residue(whole.astype(np.int64), np.zeros(len(rows), dtype=np.int64), ~missing)
        places = np.where(np.abs(values - whole) <= known.error_at(float(known.size)), 0, known.places or 0)
        return Residue(np.rint(values * FLOAT_POWERS[places]).astype(np.int64), places, ~missing)
    if name not in context.steps:
        return _undecided(len(rows))
    step = context.steps[name]
    if step.when is None:
        return _operation(context, block, step, rows)
    other = step.of[0] if step.otherwise is None else step.otherwise
    applies = block.applies[name][rows]
    pieces = []
    if applies.any():
        pieces.append((applies, _operation(context, block, step, rows[applies])))
    if other != NOTHING and not applies.all():
        pieces.append((~applies, _operand(context, block, other, rows[~applies])))
    return _assembled(len(rows), pieces)


def _assembled(n: int, pieces: Sequence[tuple[Mask, Residue]]) -> Residue:
    """Put residues of some rows each together; rows of no piece stay undecided."""
    if len(pieces) == 1 and pieces[0][0].all():
        return pieces[0][1]
    whole = _undecided(n)
    for mask, part in pieces:
        whole.num[mask], whole.places[mask], whole.decided[mask] = part.num, part.places, part.decided
    return whole


def _bounded(context: Context, block: Block, step: Step, rows: npt.NDArray[np.intp]) -> Residue:
    """Return a bound or cap: of the rows where an end holds the end alone, which is all that most ties need."""
    bits = block.bits[rows] >> 2 * context.bounding.index(step.name)
    pieces = []
    for end, mask in ((step.high, (bits & 2) != 0), (step.low, (bits & 3) == 1), (step.of[0], (bits & 3) == 0)):
        if end is None or not mask.any():
            continue
        part = _operand(context, block, end, rows[mask])
        if step.op == "cap" and end is not step.of[0]:
            part = _product(part, _operand(context, block, step.against, rows[mask]))
        pieces.append((mask, part))
    return _assembled(len(rows), pieces)


def _operation(context: Context, block: Block, step: Step, rows: npt.NDArray[np.intp]) -> Residue:
    if step.op not in ("product", "sum", "difference", "add_percentages", "bound", "cap"):
        return _undecided(len(rows))
    if step.op in ("bound", "cap"):
        return _bounded(context, block, step, rows)
    found = _operand(context, block, step.of[0], rows)
    for operand in step.of[1:]:
        item = _operand(context, block, operand, rows)
        if step.op == "product":
            found = _product(found, item)
        else:
            found = _sum(found, item, -1 if step.op == "difference" else 1)
    if step.op == "add_percentages":
        found = _sum(found, _exact_number(Decimal(len(step.of) - 1), len(rows)), -1)
    return found


def _product(a: Residue, b: Residue) -> Residue:
    places = a.places + b.places
    fits = places < MOST_PLACES
    return Residue(a.num * b.num, np.where(fits, places, 0), a.decided & b.decided & fits)


def _sum(a: Residue, b: Residue, sign: int) -> Residue:
    places = np.maximum(a.places, b.places)
    return Residue(_aligned(a, places) + sign * _aligned(b, places), places, a.decided & b.decided)


def _undecided(n: int) -> Residue:
    return Residue(np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=bool))
