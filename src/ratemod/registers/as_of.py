"""As-of joins: what a register says about each enterprise on each day, by sorting once and searching.

An event and a question are both one whole number, enterprise first and day below it, so that one binary search finds
the last event on or before a day without ever crossing into another enterprise.
Whose a row is says `ratemod.reading.join`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.registers.days import EARLIEST, Days

Ints = npt.NDArray[np.int64]

BITS = 23  # room for every day from EARLIEST to NEVER
AT_ONCE = 1 << 17  # pairs at a time: stays near the cache, and memory does not grow with the register


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

    def latest(self, firm: Ints, spans: tuple[Ints, Ints]) -> Ints:
        """Return the register place of the last event before the end of each range of `between`, -1 where none.

        It may lie before the range; only its enterprise must be the same.
        """
        at = np.maximum(spans[1] - 1, 0)
        if not len(self.keys):
            return np.full(len(firm), -1, dtype=np.int64)
        return np.where((spans[1] > 0) & (self.keys[at] >> BITS == firm), self.order[at], -1)

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
    return (firm << BITS) + (day - EARLIEST)


def timeline(firm: Ints, day: Days) -> Timeline:
    """Return events sorted for searching; those of enterprises that nobody asks about (-1) are left out.

    Parameters
    ----------
    firm : (m,) int64
    day : (m,) days since 1970-01-01
    """
    kept = np.flatnonzero(firm >= 0)
    if len(kept) < len(firm):
        firm, day = firm[kept], day[kept]
    keys = moment(firm, day)
    if len(keys) < 2 or bool((keys[1:] >= keys[:-1]).all()):  # registers often come sorted
        return Timeline(keys, kept)
    low = int(day.min())
    order = stable_order(firm * (int(day.max()) - low + 1) + (day - low))  # the days that occur need few bits
    return Timeline(keys[order], kept[order])


def stable_order(keys: Ints) -> Ints:
    """Return the order that sorts whole numbers >= 0, equal ones as they stand, (m,) int64.

    Where key and place fit into one number, sorting those is many times faster than sorting places.

    Examples
    --------
    >>> stable_order(np.array([2, 1, 2, 1])).tolist()
    [1, 3, 0, 2]
    """
    low = int(keys.min(initial=0))
    place, size = len(keys).bit_length(), (int(keys.max(initial=0)) - low).bit_length()
    if place + size > 62:
        return np.argsort(keys, kind="stable")
    packed = np.sort(((keys - low) << place) | np.arange(len(keys)))
    ordered: Ints = packed & ((1 << place) - 1)
    return ordered


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
    return (make() for make in blocks(event_firm, query_firm, count, at_once))


def blocks(event_firm: Ints, query_firm: Ints, count: int, at_once: int = AT_ONCE) -> list[Callable[[], Pairs]]:
    """Return makers of the blocks of `pairs`, which may be called in any order and from any thread."""
    known = np.flatnonzero(event_firm >= 0)
    firm = event_firm if len(known) == len(event_firm) else event_firm[known]
    if len(firm) > 1 and bool((firm[1:] < firm[:-1]).any()):
        known = known[stable_order(firm)]
    many = np.bincount(firm, minlength=count)
    first = np.concatenate([[0], np.cumsum(many)])
    asked = np.flatnonzero((query_firm >= 0) & (many[np.maximum(query_firm, 0)] > 0 if count else False))
    counts = many[query_firm[asked]]
    ends = np.cumsum(counts)

    def make(low: int, high: int) -> Pairs:
        part, size = asked[low:high], counts[low:high]
        starts = np.cumsum(size) - size
        event = np.arange(int(size.sum())) + np.repeat(first[query_firm[part]] - starts, size)
        return Pairs(np.repeat(part, size), known[event], starts, part)

    makers: list[Callable[[], Pairs]] = []
    low = 0
    while low < len(asked):
        done = int(ends[low - 1]) if low else 0
        high = max(int(np.searchsorted(ends, done + at_once, side="right")), low + 1)
        makers.append(partial(make, low, high))
        low = high
    return makers


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
