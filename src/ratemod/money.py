"""Money is int64 fen (分); rounding is half-up; what is divided adds up.

One rule rounds money, factors and whatever else is stated to some decimals, here and in the steps of a plan:
``half_up`` takes halves away from zero, ``up`` is away from zero, ``down`` towards it. So a refund is a charge with its
sign changed.

Largest remainder (Hamilton's method): each party gets the floor of its quota, and the fen left over go to the
largest fractional parts. Ties go to the party that stands first, so the result does not depend on anything else.
Source: Balinski & Young, *Fair Representation*, 2nd ed. 2001, ch. 3.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.rules.number import normal, shifted, times
from ratemod.rules.options import strict

Fen = npt.NDArray[np.int64]

RoundingMode = Literal["half_up", "down", "up"]

FEN_PER_YUAN = 100
ULPS = 16
AT_ONCE = 16_384


@strict
def to_unit(value: Decimal, unit: Decimal, mode: RoundingMode = "half_up") -> Decimal:
    """Return the multiple of a unit that an exact number is rounded to; halves go away from zero.

    Parameters
    ----------
    value : of any number of digits, all of which count
    mode : "half_up", "down" (towards zero) or "up" (away from it)

    Examples
    --------
    >>> to_unit(Decimal("1.2345"), Decimal("0.001")), to_unit(Decimal("-7"), Decimal("5"), "down")
    (Decimal('1.235'), Decimal('-5'))
    """
    if not value.is_finite():
        return value
    units = Fraction(value) / Fraction(unit)
    whole, rest = divmod(abs(units.numerator), units.denominator)
    whole += {"half_up": 2 * rest >= units.denominator, "up": rest > 0, "down": False}[mode]
    return times(unit, whole if units >= 0 else -whole)


def to_fen(yuan: Decimal | str | int) -> int:
    """Return an exact amount of yuan in fen, rounded half-up.

    Examples
    --------
    >>> to_fen("12.345")
    1235
    """
    return int(to_unit(shifted(Decimal(yuan), 2), Decimal(1)))


def to_yuan(fen: int) -> Decimal:
    """Return an amount in fen as exact yuan.

    Examples
    --------
    >>> to_yuan(1235)
    Decimal('12.35')
    """
    return Decimal(int(fen)) / FEN_PER_YUAN


def yuan_text(fen: int) -> str:
    """Return fen as yuan with thousands separators and two decimals.

    Examples
    --------
    >>> yuan_text(123456789)
    '1,234,567.89'
    """
    return f"{to_yuan(fen):,.2f}"


@strict
def rounded(values: npt.ArrayLike, places: int, mode: RoundingMode = "half_up") -> npt.NDArray[np.float64]:
    """Round floats that stand for decimals, halves away from zero unless told.

    Parameters
    ----------
    values : float64 of any shape, any unit
    places : decimals kept; negative: tens, hundreds
    mode : "half_up", "down" (towards zero) or "up" (away from it)

    Returns
    -------
    float64, same shape; NaN and infinities stay

    Notes
    -----
    A value within `ULPS` units of its own last place of a half, or of a whole step, is taken for it: that is what a few
    floating-point operations leave of a decimal, and nothing wider, so that halves of large amounts stay halves.

    Examples
    --------
    >>> rounded([0.845, 0.849], 2).tolist(), rounded([0.849, 1_250.0], -2, "down").tolist()
    ([0.85, 0.85], [0.0, 1200.0])
    >>> rounded([989_504_286.5, -2.5], 0).tolist(), rounded(-2.5, 0, "down").tolist()
    ([989504287.0, -3.0], -2.0)
    """
    given = np.asarray(values, dtype=np.float64)
    size = np.abs(given)
    scaled = size * 10.0**places if places >= 0 else size / 10.0**-places
    with np.errstate(invalid="ignore"):
        slack = ULPS * np.spacing(scaled)
        halves = np.rint(2 * scaled) / 2
        snapped = np.where(np.abs(scaled - halves) <= slack, halves, scaled)
        steps = {"half_up": np.floor(snapped + 0.5), "down": np.floor(snapped), "up": np.ceil(snapped)}[mode]
    result = np.copysign(steps / 10.0**places if places >= 0 else steps * 10.0**-places, given)
    return np.where(np.isfinite(given), result, given)


def in_fen(yuan: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return amounts of yuan that floats stand for as whole fen, float64; NaN stays.

    Examples
    --------
    >>> in_fen([1.005, -0.015, 0.29]).tolist()
    [101.0, -2.0, 29.0]
    """
    return rounded(np.asarray(yuan, dtype=np.float64) * FEN_PER_YUAN, 0)


def apportion(total_fen: npt.ArrayLike, weights: npt.ArrayLike) -> Fen:
    """Divide amounts among parties in proportion to weights, by largest remainder.

    Parameters
    ----------
    total_fen : (n,) or scalar int64, fen, may be negative (refunds mirror charges)
    weights : (k,) or (n, k) int64, or Decimals in an object array; >= 0, a positive sum in every row.
        Integers are used exactly; floats are first scaled to 1/2^40 of the row's sum.

    Returns
    -------
    (n, k) int64, fen ((k,) for a scalar total); every row sums to its total, always.

    Raises
    ------
    ModelError
        RM011 when a weight is negative or not finite, or a row of weights sums to zero; RM498 when an amount is no
        whole number of fen.

    Source
    ------
    Balinski & Young (2001), Hamilton's method; ties to the first party.

    Examples
    --------
    >>> apportion(100, [1, 1, 1]).tolist()
    [34, 33, 33]
    >>> apportion([-100, 7], [[1, 1, 1], [1, 2, 4]]).tolist()
    [[-34, -33, -33], [1, 2, 4]]
    """
    total = np.atleast_1d(_whole_fen(total_fen))
    share = np.atleast_2d(_whole_weights(np.asarray(weights)))
    size = np.abs(total)
    most = int(share.max(initial=0))  # bounded before anything is added or multiplied
    if most * max(share.shape[1], int(size.max(initial=0))) >= 2**62:
        size, share = size.astype(object), share.astype(object)
    whole = share.sum(axis=1)
    if (share < 0).any() or (whole <= 0).any():
        raise ModelError(problem("RM011"))
    part: Fen = np.empty((len(size) if len(share) == 1 else len(share), share.shape[1]), dtype=np.int64)
    for low in range(0, len(part), AT_ONCE):  # in blocks that stay in cache
        rows = slice(low, low + AT_ONCE)
        mine = slice(None) if len(share) == 1 else rows
        part[rows] = _parts(size if len(size) == 1 else size[rows], share[mine], whole[mine])
    part *= np.sign(total)[:, None]
    return part[0] if np.ndim(total_fen) == 0 else part


def _whole_fen(amounts: npt.ArrayLike) -> Fen:
    """Return amounts as int64, refusing whatever that would change."""
    given = np.asarray(amounts)
    if given.dtype.kind == "i":
        return given.astype(np.int64, copy=False)
    wrong = [amount for amount in given.ravel().tolist() if not _is_whole(amount)]
    if wrong:
        raise ModelError(problem("RM498", amount=wrong[0], wrong=len(wrong)))
    return np.array([int(amount) for amount in given.ravel().tolist()], dtype=np.int64).reshape(given.shape)


def _is_whole(amount: Any) -> bool:
    try:
        exact = Decimal(amount)
    except (ArithmeticError, TypeError, ValueError):
        return False
    return exact.is_finite() and exact == exact.to_integral_value() and abs(exact) < 2**63


def _parts(size: npt.NDArray[Any], share: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Fen:
    """Return the parts of amounts without sign, (n, k)."""
    product = size[:, None] * share
    quota = product // (whole[0] if len(whole) == 1 else whole[:, None])  # one divisor is quicker than a column
    rest = product - quota * whole[:, None]
    left = (size - quota.sum(axis=1)).astype(np.int64)
    parts: Fen = quota.astype(np.int64) + (_ranks(rest) < left[:, None])
    return parts


def _ranks(rest: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return the place of each number of a row, the largest first, equals in order of columns."""
    parties = rest.shape[1]
    if parties > 8:
        order = np.argsort(-rest, axis=1, kind="stable")
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.arange(parties)[None, :].repeat(len(rest), 0), axis=1)
        return rank
    place = np.zeros((parties, len(rest)), dtype=np.int64)  # few parties: comparing pairs is quicker than sorting rows
    column = np.ascontiguousarray(rest.T)
    for one in range(parties):
        for other in range(one + 1, parties):
            behind = column[other] > column[one]
            place[one] += behind
            place[other] += ~behind
    return place.T


def _whole_weights(weights: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return weights as integers: exact for integers and Decimals, scaled for floats."""
    if weights.dtype.kind in "iu":
        return weights.astype(object if weights.dtype == np.uint64 else np.int64)
    if weights.dtype == object:
        places = max((-int(normal(Decimal(w)).as_tuple().exponent) for w in weights.flat), default=0)
        scaled = [int(shifted(Decimal(w), max(places, 0))) for w in weights.flat]
        return np.array(scaled, dtype=object).reshape(weights.shape)
    if not np.isfinite(weights).all():
        raise ModelError(problem("RM011"))
    rows = np.atleast_2d(weights)
    top = rows.sum(axis=1, keepdims=True)
    if (top <= 0).any():
        raise ModelError(problem("RM011"))
    whole: Fen = np.rint(rows / top * 2.0**40).astype(np.int64)
    return whole.reshape(weights.shape)
