"""Several lines under one policy: roll up, and share out again without losing a fen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


Integers = npt.NDArray[Any]  # int64, or Python integers of any size
JOINED: Mapping[str, np.ufunc] = {"sum": np.add, "max": np.maximum, "min": np.minimum}


def rollup(
    values: Integers, valid: npt.NDArray[np.bool_], groups: Ints, how: str
) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """Return the sum, max or min over each group, given to each of its rows.

    Parameters
    ----------
    values : (n,) int64 in the smallest unit, or Python integers over one denominator
    valid : (n,) bool
    groups : (n,) int64, -1 for none
    how : "sum", "max" or "min"

    Returns
    -------
    values : (n,) as given
    valid : (n,) bool
        False for every row of a group that has an invalid row: a policy with an unpriced line has no premium.
    """
    if not len(values):
        return values, valid
    _, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.argsort(inverse, kind="stable")
    starts = np.cumsum(counts) - counts
    found = JOINED[how].reduceat(np.where(valid, values, 0)[order], starts)
    whole = np.logical_and.reduceat((valid & (groups >= 0))[order], starts)
    return np.where(whole, found, 0)[inverse], whole[inverse]


def share_out(
    totals: Integers,
    weights: Integers,
    valid: npt.NDArray[np.bool_],
    groups: Ints,
    ranks: Ints,
) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Divide each group's total among its rows in proportion to weights, by largest remainder.

    Ties go to the row whose key stands first, so that the result does not depend on row order.

    Returns
    -------
    parts : (n,) int64
        Sum to the group's total exactly.
    valid : (n,) bool
        False where the group's weights sum to zero or any row of it has no value.
    """
    _, inverse = np.unique(groups, return_inverse=True)
    count = int(inverse.max(initial=-1)) + 1
    whole = np.ones(count, dtype=bool)
    np.logical_and.at(whole, inverse, valid & (weights >= 0) & (groups >= 0))
    weight_sum = np.zeros(count, dtype=object)
    np.add.at(weight_sum, inverse, weights.astype(object))
    whole &= (weight_sum > 0).astype(bool)
    divisor = np.where(whole, weight_sum, 1)[inverse]
    product = np.abs(totals).astype(object) * weights.astype(object)
    quota, rest = product // divisor, product % divisor
    left = np.zeros(count, dtype=np.int64)
    first = np.zeros(count, dtype=np.int64)
    first[inverse] = np.abs(totals)
    np.subtract.at(left, inverse, quota.astype(np.int64))
    left += first
    order = sorted(range(len(totals)), key=lambda at: (inverse[at], -rest[at], ranks[at]))
    place = np.empty(len(totals), dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(np.bincount(inverse, minlength=count))[:-1]]) if count else np.zeros(0)
    place[order] = np.arange(len(totals))
    within = place - starts[inverse]
    parts = quota.astype(np.int64) + (within < left[inverse])
    valid_rows = whole[inverse]
    return np.where(valid_rows, parts * np.sign(totals), 0), valid_rows
