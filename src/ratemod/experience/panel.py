"""A panel of firms: what every method asks of its arrays, with checks that name the array and the fault.

A panel is (firms, periods): a missing period is NaN in `values` (or weight 0), never zero. A value that stands
beside no weight is a fault of the data, not a missing period, and is said so.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, Problem, problem
from ratemod.rules.floats import floats, whole_numbers

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

BLOCK = 32_768  # firms worked on at a time: the block's arrays stay in the processor's cache


def refuse(found: Iterable[Problem]) -> None:
    """Raise ModelError with all problems, if there are any."""
    problems = tuple(found)
    if problems:
        raise ModelError(problems)


def numbers(
    name: str, values: npt.ArrayLike, *, low: float = -np.inf, high: float = np.inf, missing: bool = False
) -> Floats:
    """Return `values` as float64, each within low..high; NaN passes where `missing` is permitted.

    Raises
    ------
    ModelError
        RM833 for what is no number; RM641 when a value is infinite, or missing where it may not be; RM642 when one is
        out of range.

    Examples
    --------
    >>> numbers("weights", [1, 2], low=0).tolist()
    [1.0, 2.0]
    """
    array = floats(name, values)
    wrong = np.isinf(array) if missing else ~np.isfinite(array)
    if wrong.any():
        raise ModelError(problem("RM641", name=name, wrong=int(wrong.sum()), first=first(wrong)))
    outside = (array < low) | (array > high)
    if outside.any():
        raise ModelError(_outside(name, outside, low, high))
    return array


def row_names(values: object) -> tuple[str, ...]:
    """Return what a frame's index calls its firms; none where it only numbers them, or there is no index.

    Examples
    --------
    >>> import pandas as pd
    >>> row_names(pd.DataFrame({1: [1.0, 2.0]}, index=["mine", "quarry"]))
    ('mine', 'quarry')
    """
    index = getattr(values, "index", None) if hasattr(values, "iloc") else None
    if index is None or type(index).__name__ == "RangeIndex":
        return ()
    return tuple(str(name) for name in index)


def named(firms: tuple[str, ...], n: int) -> list[str] | list[int]:
    """Return names of firms, or their numbers from 1 where they have none."""
    return list(firms) if len(firms) == n else list(range(1, n + 1))


def whole(name: str, values: npt.ArrayLike, *, low: int, high: int) -> Integers:
    """Return whole numbers as int64, each within low..high.

    Raises
    ------
    ModelError
        RM833, RM655 for what is no whole number; RM642 when one is out of range.
    """
    given = whole_numbers(name, values)
    outside = (given < low) | (given > high)
    if outside.any():
        raise ModelError(_outside(name, outside, low, high))
    return given


def same_shape(**arrays: npt.NDArray[np.generic]) -> None:
    """Check that all arrays have the first one's shape.

    Raises
    ------
    ModelError
        RM640 for every array of another shape.
    """
    head, *rest = arrays
    expected = arrays[head].shape
    refuse(
        problem("RM640", name=name, found=str(arrays[name].shape), first=head, expected=str(expected))
        for name in rest
        if arrays[name].shape != expected
    )


def _outside(name: str, wrong: Booleans, low: float, high: float) -> Problem:
    return problem("RM642", name=name, wrong=int(wrong.sum()), first=first(wrong), low=low, high=high)


def first(wrong: Booleans) -> int:
    """Return the flat position of the first True, counted from 0."""
    return int(np.flatnonzero(wrong)[0])
