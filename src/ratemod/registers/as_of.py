"""As-of joins: what a register says about each enterprise on each day, by sorting once and searching.

An event and a question are both one whole number, enterprise first and day below it, so that one binary search finds
the last event on or before a day without ever crossing into another enterprise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.registers.days import EARLIEST, NEVER, Days

Ints = npt.NDArray[np.int64]

BITS = 23  # room for every day from EARLIEST to NEVER
AT_ONCE = 1 << 20  # pairs at a time: stays near the cache, and memory does not grow with the register


def firm_numbers(asked: Any, registered: Any) -> tuple[Ints, Ints, int]:
    """Return numbers for enterprises: equal credit code, equal number.

    Parameters
    ----------
    asked : (n,) texts, the credit codes of the book
    registered : (m,) texts, those of the register

    Returns
    -------
    asked : (n,) int64, -1 where empty
    registered : (m,) int64, -1 where the book does not have the enterprise
    count : int, number of enterprises of the book

    Examples
    --------
    >>> [part.tolist() for part in firm_numbers(["b", "a", "b"], ["a", "c", "b"])[:2]]
    [[0, 1, 0], [1, -1, 0]]
    """
    coded = pc.dictionary_encode(_texts(asked))
    names = coded.dictionary
    found = pc.index_in(_texts(registered), value_set=names)
    return _whole(coded.indices), _whole(found), len(names)


def _texts(values: Any) -> pa.Array:
    array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(list(values), pa.string())
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks() if array.num_chunks != 1 else array.chunk(0)
    return array.cast(pa.string()) if not pa.types.is_string(array.type) else array


def _whole(indices: pa.Array) -> Ints:
    return np.asarray(indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)


@dataclass(frozen=True, eq=False, slots=True)
class Timeline:
    """Events of many enterprises, in order of enterprise and day.

    Attributes
    ----------
    keys : (m,) int64, enterprise and day as one number, ascending
    order : (m,) int64, place of each event in the register; events of one day keep the register's order
    """

    keys: Ints
    order: Ints

    def last(self, firm: Ints, day: Days) -> Ints:
        """Return the register place of the last event on or before each day, (n,) int64; -1 where there is none."""
        at = np.searchsorted(self.keys, moment(firm, day), side="right") - 1
        own = (at >= 0) & (firm >= 0)
        own &= (self.keys[np.maximum(at, 0)] >> BITS) == firm if len(self.keys) else False
        return np.where(own, self.order[np.maximum(at, 0)] if len(self.order) else -1, -1)

    def between(self, firm: Ints, low: Days, high: Days) -> tuple[Ints, Ints]:
        """Return the range of sorted events with low <= day < high, as two (n,) int64 arrays of places."""
        return (
            np.searchsorted(self.keys, moment(firm, low), side="left"),
            np.searchsorted(self.keys, moment(firm, np.maximum(low, high)), side="left"),
        )

    def total(self, weights: npt.NDArray[Any], spans: tuple[Ints, Ints]) -> Ints:
        """Return sums of whole-number weights over ranges of events, exact, (n,) int64.

        Parameters
        ----------
        weights : (m,) whole numbers, in the register's order
        """
        sums = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(weights[self.order], dtype=np.int64)])
        summed: Ints = sums[spans[1]] - sums[spans[0]]
        return summed


def moment(firm: Ints, day: Days) -> Ints:
    """Return enterprise and day as one number that sorts as the pair does."""
    return (firm << BITS) + (np.clip(day, EARLIEST, NEVER) - EARLIEST)


def timeline(firm: Ints, day: Days) -> Timeline:
    """Return events sorted for searching; those of enterprises that nobody asks about (-1) are left out.

    Parameters
    ----------
    firm : (m,) int64
    day : (m,) days since 1970-01-01
    """
    keys = moment(firm, day)
    kept = np.flatnonzero(firm >= 0)
    if len(kept) < len(keys):
        keys = keys[kept]
    if len(keys) < 2 or bool((keys[1:] >= keys[:-1]).all()):  # registers often come sorted
        return Timeline(keys, kept)
    order = np.argsort(keys, kind="stable")
    return Timeline(keys[order], kept[order])


@dataclass(frozen=True, eq=False, slots=True)
class Pairs:
    """Some questions, each with every event of its enterprise.

    Attributes
    ----------
    query : (k,) int64, place of the question
    event : (k,) int64, place of the event in the register
    starts : (q,) int64, where each question with any event begins
    asked : (q,) int64, those questions
    """

    query: Ints
    event: Ints
    starts: Ints
    asked: Ints

    def highest(self, values: npt.NDArray[Any], out: npt.NDArray[Any]) -> None:
        """Write the largest of `values` (k,) of each question into `out` (n,); others stay as they are."""
        if len(self.asked):
            out[self.asked] = np.maximum.reduceat(values, self.starts)

    def sums(self, values: npt.NDArray[Any], out: npt.NDArray[Any]) -> None:
        """Write the sum of `values` (k,) of each question into `out` (n,)."""
        if len(self.asked):
            out[self.asked] = np.add.reduceat(values.astype(np.int64), self.starts)


def pairs(event_firm: Ints, query_firm: Ints, count: int, at_once: int = AT_ONCE) -> Iterator[Pairs]:
    """Yield questions with all events of their enterprises, about `at_once` pairs at a time.

    Parameters
    ----------
    event_firm : (m,) int64, -1 where nobody asks
    query_firm : (n,) int64, -1 where unknown
    count : int, number of enterprises
    """
    known = np.flatnonzero(event_firm >= 0)
    firm = event_firm[known]
    if len(firm) > 1 and bool((firm[1:] < firm[:-1]).any()):
        known = known[np.argsort(firm, kind="stable")]
    many = np.bincount(event_firm[known], minlength=count)
    first = np.concatenate([[0], np.cumsum(many)])
    asked = np.flatnonzero((query_firm >= 0) & (many[np.maximum(query_firm, 0)] > 0 if count else False))
    counts = many[query_firm[asked]]
    ends = np.cumsum(counts)
    low = 0
    while low < len(asked):
        done = int(ends[low - 1]) if low else 0
        high = max(int(np.searchsorted(ends, done + at_once, side="right")), low + 1)
        part, size = asked[low:high], counts[low:high]
        starts = np.cumsum(size) - size
        event = np.arange(int(size.sum())) + np.repeat(first[query_firm[part]] - starts, size)
        yield Pairs(np.repeat(part, size), known[event], starts, part)
        low = high


def in_force(event_firm: Ints, start: Days, end: Days, query_firm: Ints, day: Days, count: int) -> Ints:
    """Return the period in force on each day: the latest begun with start <= day < end; -1 where there is none.

    Parameters
    ----------
    event_firm : (m,) int64
    start, end : (m,) days; the end day is not in force
    query_firm, day : (n,)
    count : int, number of enterprises

    Returns
    -------
    (n,) int64, place in the register; of two that begin on one day, the one that stands later
    """
    line = timeline(event_firm, start)
    found = line.last(query_firm, day)
    over = (found >= 0) & (end[np.maximum(found, 0)] <= day) if len(end) else found >= 0
    again = np.flatnonzero(over)  # the latest is over: an older one may still run
    if len(again):
        found[again] = -1
        best = np.full(len(again), -1, dtype=np.int64)
        place = np.empty(len(event_firm), dtype=np.int64)
        place[line.order] = np.arange(len(line.order))
        for pair in pairs(event_firm, query_firm[again], count):
            on = day[again][pair.query]
            runs = (start[pair.event] <= on) & (on < end[pair.event])
            pair.highest(np.where(runs, place[pair.event], -1), best)
        found[again] = np.where(best >= 0, line.order[np.maximum(best, 0)], -1)
    return found
