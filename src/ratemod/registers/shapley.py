"""The Shapley value in whole fen: a total split among causes, whatever order they are taken in."""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy as np
import numpy.typing as npt

Fen = npt.NDArray[np.int64]

MOST = 8  # 256 re-ratings


def weighted(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return every cause's Shapley value times k!, exactly for integers.

    Parameters
    ----------
    values : (2**k, n) int64 or float64, by the set of causes at work: bit i of the row number says whether cause i is

    Returns
    -------
    (k, n), of the same kind

    Examples
    --------
    >>> weighted(np.array([[100], [80], [90], [75]])).ravel().tolist()
    [-35, -15]
    """
    k = (len(values) - 1).bit_length()
    parts = np.zeros((k, *values.shape[1:]), dtype=values.dtype)
    for cause in range(k):
        for rest in range(len(values)):
            if not rest >> cause & 1:
                size = rest.bit_count()
                parts[cause] += factorial(size) * factorial(k - size - 1) * (values[rest | 1 << cause] - values[rest])
    return parts


def shapley_fen(values: Fen) -> Fen:
    """Split a change among k causes, exactly.

    Parameters
    ----------
    values : (2**k, n) int64 fen
        Premium with each set of causes at work: bit i of the row number says whether cause i is.

    Returns
    -------
    (k, n) int64 fen
        Sums over causes to ``values[-1] - values[0]``, always.

    Formula
    -------
    share of i = sum over sets S without i of |S|! (k - |S| - 1)! / k! × (v(S with i) - v(S)), a fraction with the
    denominator k!; whole fen by largest remainder, ties to the cause that stands first.

    Source
    ------
    Shapley (1953), A value for n-person games; largest remainder as in `ratemod.money`.

    Examples
    --------
    >>> shapley_fen(np.array([[100], [80], [90], [75]])).ravel().tolist()  # -20 and -10 alone, -25 together
    [-17, -8]
    """
    parts = weighted(values)
    k = len(parts)
    whole = factorial(k)
    floor = parts // whole
    left = (values[-1] - values[0]) - floor.sum(axis=0)
    order = np.argsort(-(parts - floor * whole), axis=0, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(k).reshape(-1, *[1] * (values.ndim - 1)) + np.zeros_like(order), axis=0)
    split: Fen = floor + (rank < left)
    return split
