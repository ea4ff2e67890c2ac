"""What a book comes to while it moves: totals, segments, bands of change, movers; only moved rows are counted again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.plan.model import Plan
from ratemod.rating.run import BLOCK
from ratemod.rules.options import strict
from ratemod.rules.within import Count
from ratemod.whatif.engine import Engine
from ratemod.whatif.position import Rows

Fen = npt.NDArray[np.int64]
EDGES = (-0.25, -0.1, -0.05, -0.005, 0.005, 0.05, 0.1, 0.25)
MUCH = 0.25


@dataclass(frozen=True, eq=False, slots=True)
class Counts:
    """Sums over some rows; they add up and subtract.

    Attributes
    ----------
    total_fen : premium; dearer, cheaper, above_25 : policies priced before and after
    bands : (b,) int64, policies by band of relative change; segment_fen : (g,) int64, premium by segment
    """

    total_fen: int
    dearer: int
    cheaper: int
    above_25: int
    bands: Fen
    segment_fen: Fen

    def plus(self, other: Counts, sign: int = 1) -> Counts:
        """Return the sum, or the difference, of two counts."""
        return Counts(
            self.total_fen + sign * other.total_fen,
            self.dearer + sign * other.dearer,
            self.cheaper + sign * other.cheaper,
            self.above_25 + sign * other.above_25,
            self.bands + sign * other.bands,
            self.segment_fen + sign * other.segment_fen,
        )


@dataclass(eq=False)
class Tally:
    """A book's premiums as they stand, beside what they were.

    Attributes
    ----------
    base_fen, now_fen : (u,) int64, premiums of units, 0 where not priced
    rise : (u,) float64, relative change, -inf where not priced in both
    segment : (u,) of the segment; size : segments
    unit_cell, weight : of a collapsed book, the cell of a unit and how many policies it stands for; None otherwise
    edges : of the bands, a band is [from, below)
    plan : the plan under which the book was counted last
    """

    base_fen: Fen
    now_fen: Fen
    rise: npt.NDArray[np.float64]
    segment: npt.NDArray[np.int64]
    size: int
    unit_cell: npt.NDArray[np.int64] | None
    weight: Fen | None
    edges: tuple[float, ...]
    counts: Counts
    plan: Plan

    def follow(self, base: Engine, plan: Plan) -> Rows | None:
        """Move the engine's book to a plan and count it; return the rows (or cells) priced again, None for all."""
        with base.lock:
            mine = not base.held or base.held[0].plan is self.plan
            now, rows = base.stand(plan)
            self.update(now.premium_fen, rows if mine else None)
        self.plan = plan
        return rows

    def update(self, premium_fen: Fen, rows: Rows | None) -> None:
        """Take over the premiums of a position of which some rows were priced again, None for all."""
        if self.unit_cell is not None:  # few units: all of them
            self.now_fen[:] = premium_fen[self.unit_cell]
            self.counts = self._count(slice(0, len(self.now_fen)))
        elif rows is None:
            self._whole(premium_fen)
        elif len(rows):
            before = self._count(rows)
            self.now_fen[rows] = premium_fen[rows]
            self.counts = self.counts.plus(before, -1).plus(self._count(rows))

    @property
    def largest_rise(self) -> float:
        """Largest relative rise, 0 where nothing rises."""
        return float(self.rise.max(initial=0.0))

    @property
    def policies(self) -> int:
        """Policies priced before and after."""
        return int(self.counts.bands.sum())

    @strict
    def movers(self, most: Count, rows: Rows | None = None) -> npt.NDArray[np.intp]:
        """Return the units that move most in money, the first of equal ones first; `rows` are all that moved."""
        whole = rows is None or self.unit_cell is not None
        found = np.zeros(0, dtype=np.intp)
        moved = np.zeros(0, dtype=np.int64)
        least = 0
        for start in range(0, len(self.now_fen) if whole else len(rows), BLOCK):  # type: ignore[arg-type]
            part = slice(start, start + BLOCK)
            units = part if whole else rows[part]  # type: ignore[index]
            size = np.abs(self.now_fen[units] - self.base_fen[units])
            size[np.isneginf(self.rise[units])] = 0
            if size.max(initial=0) <= least:
                continue
            if least == 0 and len(size) > 4 * most:
                least = max(int(np.partition(size, -2 * most)[-2 * most]) - 1, 0)
            at = np.flatnonzero(size > least)
            size = size[at]
            at = at + start if whole else units[at]  # type: ignore[index]
            found, moved = np.concatenate([found, at]), np.concatenate([moved, size])
            first = np.argsort(-moved, kind="stable")[:most]
            found, moved = found[first], moved[first]
            least = int(moved[-1]) if len(moved) == most else 0
        return found

    def _whole(self, premium_fen: Fen) -> None:
        parts = [slice(start, start + BLOCK) for start in range(0, len(self.now_fen), BLOCK)]

        def work(part: slice) -> Counts:
            self.now_fen[part] = premium_fen[part]
            return self._count(part)

        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            found = list(pool.map(work, parts))
        self.counts = found[0]
        for item in found[1:]:
            self.counts = self.counts.plus(item)

    def _count(self, rows: slice | Rows) -> Counts:
        """Count some units as they stand, and note their change."""
        old, new, weight = self.base_fen[rows], self.now_fen[rows], None
        if self.weight is not None:
            weight = self.weight[rows]
        with np.errstate(divide="ignore", invalid="ignore"):
            rise = new / old
        rise -= 1.0
        rise[(old <= 0) | (new <= 0)] = -np.inf
        self.rise[rows] = rise

        def policies(where: npt.NDArray[np.bool_]) -> int:
            return int(np.count_nonzero(where)) if weight is None else int(weight[where].sum())

        both = policies(rise >= -1.0)
        reached = [both, *(policies(rise >= edge) for edge in self.edges), 0]
        bands = np.array(reached[:-1], dtype=np.int64) - np.array(reached[1:], dtype=np.int64)
        dearer = policies(rise > 0)
        fen = new if weight is None else new * weight
        return Counts(
            int(fen.sum()),
            dearer,
            both - policies(rise >= 0),
            policies(rise > MUCH),
            bands,
            sums(fen, self.segment[rows], self.size),
        )


def tally(base: Engine, segment: npt.NDArray[np.int64], size: int, edges: Sequence[float] = EDGES) -> Tally:
    """Return the count of a book as it stands under its own plan.

    Parameters
    ----------
    base : Engine of n policies
    segment : (n,) int64, the segment of every policy; size : segments
    edges : bands of relative change
    """
    cell = weight = None
    first = np.arange(0)
    if base.cells is not None:
        pair = base.cells.cell.astype(np.int64) * size + segment
        _, first, weight = np.unique(pair, return_index=True, return_counts=True)
        cell = base.cells.cell[first].astype(np.int64)
        segment = segment[first]
    old = base.premium_fen if cell is None else base.premium_fen[first]
    empty = Counts(0, 0, 0, 0, np.zeros(len(edges) + 1, np.int64), np.zeros(size, np.int64))
    made = Tally(old, old.copy(), np.empty(len(old)), segment, size, cell, weight, tuple(edges), empty, base.plan)
    made._whole(old) if cell is None else made.update(base.premium_fen[base.cells.first], None)  # type: ignore[union-attr]
    return made


def sums(fen: Fen, place: npt.NDArray[np.int64], size: int) -> Fen:
    """Return exact sums of signed fen by place, (size,) int64.

    Examples
    --------
    >>> sums(np.array([2**52 + 1, 1, -5]), np.array([0, 0, 1]), 2).tolist()
    [4503599627370498, -5]
    """
    if not len(fen):
        return np.zeros(size, dtype=np.int64)
    if max(int(fen.max()), -int(fen.min())) * len(fen) < 2**53:
        return np.bincount(place, fen.astype(np.float64), minlength=size).astype(np.int64)
    high = fen >> 31
    low = np.bincount(place, (fen - (high << 31)).astype(np.float64), minlength=size)
    return np.bincount(place, high.astype(np.float64), minlength=size).astype(np.int64) * 2**31 + low.astype(np.int64)
