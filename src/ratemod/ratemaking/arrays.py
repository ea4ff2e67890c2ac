"""What every method asks of its arrays: types, and checks that name the array and the fault.

A missing, infinite or negative number is never read as zero: the caller hears which array, how many, and where first.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.rules.floats import floats, in_a_row

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Dates = npt.NDArray[np.datetime64]
Booleans = npt.NDArray[np.bool_]


def finite(name: str, values: npt.ArrayLike) -> Floats:
    """Return `values` as float64, all finite.

    Raises
    ------
    ModelError
        RM833 for what is no number; RM500 when a value is missing or not finite.

    Examples
    --------
    >>> finite("losses", [1, 2]).tolist()
    [1.0, 2.0]
    """
    array = floats(name, values)
    wrong = ~np.isfinite(array)
    if wrong.any():
        raise ModelError(problem("RM500", name=name, wrong=int(wrong.sum()), first=_first(wrong)))
    return array


def non_negative(name: str, values: npt.ArrayLike) -> Floats:
    """Return `values` as float64, all finite and at least zero.

    Raises
    ------
    ModelError
        RM500 when a value is missing or not finite; RM501 when one is negative.
    """
    array = finite(name, values)
    if (array < 0).any():
        raise ModelError(problem("RM501", name=name, wrong=int((array < 0).sum()), first=_first(array < 0)))
    return array


def positive(name: str, values: npt.ArrayLike) -> Floats:
    """Return `values` as float64, all finite and above zero.

    Raises
    ------
    ModelError
        RM500 when a value is missing or not finite; RM502 when one is zero or negative.
    """
    array = finite(name, values)
    if (array <= 0).any():
        raise ModelError(problem("RM502", name=name, wrong=int((array <= 0).sum()), first=_first(array <= 0)))
    return array


def fractions(name: str, values: npt.ArrayLike) -> Floats:
    """Return `values` as float64, each between 0 and 1 (credibilities, shares).

    Raises
    ------
    ModelError
        RM500 when a value is missing or not finite; RM504 when one lies outside 0..1.
    """
    array = finite(name, values)
    wrong = (array < 0) | (array > 1)
    if wrong.any():
        raise ModelError(problem("RM504", name=name, wrong=int(wrong.sum()), first=_first(wrong)))
    return array


def same_length(**arrays: npt.NDArray[np.generic]) -> None:
    """Check that all arrays are lists of the first one's length.

    Raises
    ------
    ModelError
        RM837 for every array that is no list; RM503 for every one of another length.
    """
    in_a_row(**arrays)
    first, size = next((name, len(one)) for name, one in arrays.items())
    wrong = {name: len(one) for name, one in arrays.items() if len(one) != size}
    if wrong:
        raise ModelError(
            problem("RM503", name=name, found=found, first=first, expected=size) for name, found in wrong.items()
        )


def sums(code: Integers, amount: npt.NDArray[np.generic], size: int) -> Floats:
    """Return sums of `amount` by code 0..size-1, (size,) float64.

    Examples
    --------
    >>> sums(np.array([0, 2, 0]), np.array([1.0, 2.0, 3.0]), 3).tolist()
    [4.0, 0.0, 2.0]
    """
    return np.bincount(code, np.asarray(amount, dtype=np.float64), minlength=size).astype(np.float64, copy=False)


def _first(wrong: Booleans) -> int:
    """Return the flat position of the first True, counted from 0."""
    return int(np.flatnonzero(wrong)[0])
