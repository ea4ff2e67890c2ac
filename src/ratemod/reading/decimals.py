"""Floats put on the decimals that they stand for, so that nothing behind the door knows a tolerance.

A decimal of d places is k / 10^d with k a whole number. A float v is taken for the nearest, r = rint(v 10^d) / 10^d, if
v is the very float of r, or so near that only the noise of binary arithmetic can lie between them: within `NOISE` units
in its last place and within 1/1024 of the last decimal place. Beyond |k| = 2^53 (2^24 for floats of 32 bits, 2^11 for
those of 16) neighbouring decimals may share a float, so that none of them is known.

    0.7 + 0.1 = 0.7999999999999999 is 0.80; 0.1 × 3 × 240000 = 72000.00000000001 is 72000.00
    5004.019999996 is neither 5004.01 nor 5004.02
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

NOISE = 8
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


ESTIMATED = 15


def on_decimals(values: npt.NDArray[Any], places: int) -> tuple[Floats, Mask, Mask]:
    """Return floats on their decimals, where they are none, and where they are too long to be known.

    Parameters
    ----------
    values : (n,) float16, float32 or float64
    places : int
        Decimal places, d; from `ESTIMATED` on a model wrote the values, which are taken as the floats that they are.

    Returns
    -------
    (n,) float64
        r, the float nearest to the decimal; NaN where there is none.
    (n,) bool
        Values that are no decimal of so many places.
    (n,) bool
        Values whose last places are lost, infinite ones included.

    Examples
    --------
    >>> on_decimals(np.array([0.7 + 0.1, 0.801, 0.1]), 2)[0].tolist()
    [0.8, nan, 0.1]
    >>> on_decimals(np.array([0.1], dtype=np.float32), 2)[0].tolist()
    [0.1]
    """
    wide = values.astype(np.float64, copy=False)
    if places >= ESTIMATED:
        lost = np.isinf(wide)
        return np.where(lost, np.nan, wide), np.zeros(len(wide), dtype=bool), lost
    power = 10.0**places
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = wide * power
        whole = np.rint(scaled)
        found = whole / power
        apart = np.abs(wide - found)
        noise = NOISE * np.spacing(np.abs(found).astype(values.dtype)).astype(np.float64)
        same = found.astype(values.dtype) == values
        near = same | ((apart <= noise) & (np.abs(scaled - whole) <= 1 / 1024))
        lost = np.abs(whole) > 2.0 ** (np.finfo(values.dtype).nmant + 1)
    odd = ~near & ~lost & ~np.isnan(wide)
    return np.where(odd | lost, np.nan, found), odd, lost


def all_on_decimals(values: Floats, places: int, largest: float, scratch: Floats) -> bool:
    """Return whether every float is a decimal of so many places to the last bit; NaN counts as one.

    Parameters
    ----------
    values : (n,) float64
    largest : float
        The largest magnitude among them; -inf where there is none.
    scratch : (2, n) float64
        Working memory, used up.
    """
    power = 10.0**places
    whole, found = scratch
    with np.errstate(over="ignore", invalid="ignore"):
        if np.rint(np.float64(largest) * power) > 2.0**53:
            return False
        np.multiply(values, power, out=whole)
        np.rint(whole, out=whole)
        np.divide(whole, power, out=found)
        unequal = int(np.count_nonzero(found != values))
    return unequal == 0 or unequal == int(np.count_nonzero(np.isnan(values)))


def measured(array: pa.ChunkedArray, places: int, size: Decimal | None) -> pa.ChunkedArray:
    """Return floats that were calculated, not written, at the places of their column: so many in its own unit.

    Parameters
    ----------
    places : int
        Decimals of the column, in its own unit.
    size : Decimal or None
        What a number multiplies by to be in that unit: 10,000 of a list in 万元.

    Examples
    --------
    >>> measured(pa.chunked_array([[0.30000000000000004, 1.000001]]), 2, Decimal(10_000)).to_pylist()
    [0.3, 1.000001]
    """
    if not pa.types.is_floating(array.type):
        return array
    return pc.round(array, ndigits=places + (0 if size is None else size.adjusted()))
