"""Several lines under one policy: rolled up, and an amount shared out among them without losing a fen.

Rows are lines of one group where one column, or several together, say the same (`together`). What is asked of a group
is asked of whole ones (`whole_groups`). In a roll-up of ``each`` finer group one line stands for the others of its own:
a deductible of a location counts once, however many lines the location has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


Integers = npt.NDArray[Any]  # int64, or Python integers of any size
JOINED: Mapping[str, np.ufunc] = {"sum": np.add, "mean": np.add, "max": np.maximum, "min": np.minimum}


def together(codes: Sequence[Ints]) -> Ints:
    """Return one number for what several columns say together, -1 where one of them says nothing.

    Examples
    --------
    >>> together([np.array([0, 0, 1, -1]), np.array([2, 2, 2, 2])]).tolist()
    [0, 0, 1, -1]
    """
    found, *others = codes
    for more in others:
        joint = np.where((found < 0) | (more < 0), -1, found * (more.max(initial=0) + 1) + more)
        values, inverse = np.unique(joint, return_inverse=True)
        found = inverse - np.count_nonzero(values < 0)
    return found


def whole_groups(mask: Mask, groups: Mapping[tuple[str, ...], Ints]) -> Mask:
    """Return some rows and all that share a group with them, directly or by way of others.

    Parameters
    ----------
    mask : (n,) bool
    groups : by the columns that say the same, (n,) int64, -1 for none

    Examples
    --------
    >>> policy, location = np.array([0, 0, 1, 2]), np.array([5, 6, 6, 7])
    >>> whole_groups(np.array([True, False, False, False]), {("p",): policy, ("l",): location}).tolist()
    [True, True, True, False]
    """
    found, before = mask.copy(), 0
    while groups and before != (before := int(np.count_nonzero(found))):
        for lines in groups.values():
            hit = np.zeros(int(lines.max(initial=-1)) + 2, dtype=bool)
            hit[lines[found]] = True
            hit[-1] = False  # of the rows without a group
            found |= hit[lines]
    return found


def rollup(
    values: Integers, valid: Mask, group: Ints, how: str, each: Ints | None = None
) -> tuple[Integers, Integers, Mask]:
    """Return what the rows of each group come to, given to each of them.

    Parameters
    ----------
    values : (n,) int64 in the smallest unit, or Python integers over one denominator
    valid : (n,) bool
    group : (n,) int64, -1 for none
    how : "sum", "mean", "max", "min" or "count"
    each : (n,) int64, optional
        Finer groups, of which one row stands for all; they must have one value.

    Returns
    -------
    values : (n,) as given; the number of rows where they are counted
    parts : (n,) int64
        What a value is to be divided by: of a mean the number of rows, else 1.
    valid : (n,) bool
        False for every row of a group that has an invalid row: a policy with an unpriced line has no premium; and
        where rows of one finer group differ.
    """
    n = len(values)
    if not n:
        return values, np.ones(0, dtype=np.int64), valid
    valid, counted = valid & (group >= 0), np.ones(n, dtype=bool)
    if each is not None:
        _, first, own = np.unique(each, return_index=True, return_inverse=True)
        counted[:] = False
        counted[first] = True
        valid &= (each >= 0) & (values == values[first][own]).astype(bool)
    _, inverse, lines = np.unique(group, return_inverse=True, return_counts=True)
    order, starts = np.argsort(inverse, kind="stable"), np.cumsum(lines) - lines
    whole = np.logical_and.reduceat(valid[order], starts)
    count = np.add.reduceat(counted[order].astype(np.int64), starts)
    parts = np.where(whole, count if how == "mean" else 1, 1)
    if how == "count":
        return np.where(whole, count, 0)[inverse], parts[inverse], whole[inverse]
    used = valid & (counted | (how in ("max", "min")))
    found = JOINED[how].reduceat(np.where(used, values, 0)[order], starts)
    return np.where(whole, found, 0)[inverse], parts[inverse], whole[inverse]


def ranked(values: Integers, valid: Mask, group: Ints, ranks: Ints, largest: bool) -> tuple[Ints, Mask]:
    """Return the place of each row among those of its group, from 1, by its value; equal values go by `ranks`.

    Returns
    -------
    places : (n,) int64
    valid : (n,) bool
        False for every row of a group that has an invalid row.

    Examples
    --------
    >>> ranked(np.array([5, 9, 5]), np.ones(3, bool), np.zeros(3, int), np.array([2, 1, 0]), True)[0].tolist()
    [3, 1, 2]
    """
    if not len(values):
        return np.ones(0, dtype=np.int64), valid
    size = np.unique(values, return_inverse=True)[1]
    _, own, lines = np.unique(group, return_inverse=True, return_counts=True)
    order, starts = np.lexsort((ranks, -size if largest else size, own)), np.cumsum(lines) - lines
    places = np.empty(len(values), dtype=np.int64)
    places[order] = np.arange(len(values)) - starts[own[order]] + 1
    whole = np.logical_and.reduceat((valid & (group >= 0))[np.argsort(own, kind="stable")], starts)
    return places, whole[own]


def taken(places: Ints, ranked_: Mask, group: Ints, which: int) -> Ints:
    """Return for each row the row at a place of its group, -1 where there is none."""
    found = np.full(int(group.max(initial=-1)) + 2, -1, dtype=np.int64)
    rows = np.flatnonzero(ranked_ & (places == which) & (group >= 0))
    found[group[rows]] = rows
    return found[group]


def share_out(
    totals: Integers,
    weights: Integers,
    valid: Mask,
    groups: Ints,
    ranks: Ints,
) -> tuple[Ints, Mask]:
    """Divide each group's total among its rows in proportion to weights, by largest remainder.

    Ties go to the row whose key stands first, so that the result does not depend on row order.

    Returns
    -------
    parts : (n,) int64
        Sum to the group's total exactly.
    valid : (n,) bool
        False where the group's weights sum to zero, any row of it has no value, or its rows state different totals.
    """
    _, head, inverse = np.unique(groups, return_index=True, return_inverse=True)
    count = int(inverse.max(initial=-1)) + 1
    whole = np.ones(count, dtype=bool)
    alike = np.asarray(totals == totals[head][inverse], dtype=bool)
    np.logical_and.at(whole, inverse, valid & (weights >= 0) & (groups >= 0) & alike)
    weight_sum = np.zeros(count, dtype=object)
    np.add.at(weight_sum, inverse, weights.astype(object))
    whole &= (weight_sum > 0).astype(bool)
    size = np.where(whole[inverse], np.abs(totals), 0).astype(object)  # whatever its size
    product, divisor = size * weights.astype(object), np.where(whole, weight_sum, 1)[inverse]
    quota, rest = product // divisor, product % divisor
    left = size[head].copy()
    np.subtract.at(left, inverse, quota)
    order = sorted(range(len(totals)), key=lambda at: (inverse[at], -rest[at], ranks[at]))
    place = np.empty(len(totals), dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(np.bincount(inverse, minlength=count))[:-1]]) if count else np.zeros(0)
    place[order] = np.arange(len(totals))
    within = place - starts[inverse]
    parts = (quota + (within < left[inverse]).astype(np.int64)) * np.sign(totals)
    return parts.astype(totals.dtype), whole[inverse]
