"""What is given as an array: numbers, truths and shapes, refused by name where they are none or do not go together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem


def floats(name: str, values: Any) -> npt.NDArray[np.float64]:
    """Return `values` as float64; missing values are NaN.

    Raises
    ------
    ModelError
        RM833 for texts, also those that look like numbers, days, and rows of unequal length.

    Examples
    --------
    >>> floats("losses", [1, None]).tolist()
    [1.0, nan]
    """
    try:
        given = np.asarray(values)
        if given.dtype.kind == "O":
            odd = [one for one in given.ravel().tolist() if isinstance(one, str | bytes | complex)]
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
