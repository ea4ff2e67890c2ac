"""What is given as an array: numbers, truths and shapes, refused by name where they are none or do not go together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem

BEYOND = 1e100  # squares and cubes of what is not beyond are finite, and so are their sums


def floats(name: str, values: Any) -> npt.NDArray[np.float64]:
    """Return `values` as float64; missing values are NaN.

    Raises
    ------
    ModelError
        RM833 for texts, also those that look like numbers, days, and rows of unequal length; RM839 finite numbers
        beyond 1e100, whose squares would turn into infinities and nan further on.

    Examples
    --------
    >>> floats("losses", [1, None]).tolist()
    [1.0, nan]
    """
    array = _numbers(name, values)
    size = np.abs(array)
    wrong = (size > BEYOND) & (size < np.inf)
    if wrong.any():
        raise ModelError(problem("RM839", name=name, wrong=int(wrong.sum()), first=int(np.flatnonzero(wrong)[0])))
    return array


def _numbers(name: str, values: Any) -> npt.NDArray[np.float64]:
    try:
        given = np.asarray(values)
        if given.dtype.kind == "O":
            cells = [np.nan if type(one).__name__ == "NAType" else one for one in given.ravel().tolist()]
            given = np.fromiter(cells, object, len(cells)).reshape(given.shape)
            odd = [one for one in cells if isinstance(one, str | bytes | complex)]
        else:
            odd = given.ravel()[:1].tolist() if given.dtype.kind not in "biuf" else []
        if not odd:
            return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        odd = [values]
    raise ModelError(problem("RM833", name=name, value=str(odd[0])[:40]))


def truths(name: str, values: Any) -> npt.NDArray[np.bool_]:
    """Return `values` as bool: truth values, or the numbers 0 and 1.

    Raises
    ------
    ModelError
        RM835 for anything else: the text "no" is no truth value, and would count as one.

    Examples
    --------
    >>> truths("censored", [0, True]).tolist()
    [False, True]
    """
    given = floats(name, values)
    wrong = (given != 0) & (given != 1)
    if wrong.any():
        raise ModelError(problem("RM835", name=name, value=f"{given[wrong].flat[0]:g}"))
    return np.asarray(given == 1)


def whole_numbers(name: str, values: Any) -> npt.NDArray[np.int64]:
    """Return `values` as int64: counts, codes of segments, positions of policies; integers keep every digit.

    Raises
    ------
    ModelError
        RM833 for what is no number, RM655 where one is missing, has a fraction or more than 63 bits: as a code, 1.7
        would count as 1.

    Examples
    --------
    >>> whole_numbers("group", [0, 2.0]).tolist()
    [0, 2]
    """
    try:
        given = np.asarray(values)
    except ValueError:  # rows of unequal length
        given = _numbers(name, values)
    if given.dtype.kind not in "iu":
        given = _numbers(name, given)
        broken = (given != np.floor(given)) | ~(np.abs(given) < 2.0**63)
    else:
        broken = given > np.iinfo(np.int64).max
    if broken.any():
        raise ModelError(problem("RM655", name=name, wrong=int(broken.sum()), first=int(np.flatnonzero(broken)[0])))
    return given.astype(np.int64, copy=False)


def in_a_row(**arrays: Any) -> None:
    """Check that each array has one axis: a list of values, neither one alone nor a table.

    Raises
    ------
    ModelError
        RM837 for every one that has not.
    """
    wrong = {name: np.shape(one) for name, one in arrays.items() if np.ndim(one) != 1}
    if wrong:
        raise ModelError(problem("RM837", name=name, shape=str(shape)) for name, shape in wrong.items())


def go_together(**arrays: Any) -> None:
    """Check that arrays may stand beside each other: every axis of one length, or of length 1.

    Raises
    ------
    ModelError
        RM834, with the shape of each.
    """
    try:
        np.broadcast_shapes(*(np.shape(one) for one in arrays.values()))
    except ValueError:
        said = ", ".join(f"{name} {np.shape(one)}" for name, one in arrays.items())
        raise ModelError(problem("RM834", shapes=said)) from None
