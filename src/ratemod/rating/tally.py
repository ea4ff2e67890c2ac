"""Counts and sums of a priced chunk; those of chunks add up to those of the book, in whole numbers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.rating.rated import Rated
from ratemod.rating.summary import exact_sums
from ratemod.rating.verdict import REFUSED, STATUS
from ratemod.reading.arrow import filled_with

MOST = 1000  # different problems told apart; the others are counted by their code
Cells = dict[tuple[str, ...], tuple[int, int, int, int]]


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts and sums of some rows.

    Attributes
    ----------
    status : tuple of int
        Rows by `STATUS`.
    premium_fen, fund_fen : int
        Sums of the priced rows.
    insurers : mapping of (name,) to (priced, unpriced, premium fen, fund fen)
    groups : the same by the columns of `by`
    problems : mapping of (code, text, advice) to rows
    """

    status: tuple[int, ...] = (0, 0, 0, 0)
    premium_fen: int = 0
    fund_fen: int = 0
    insurers: Cells = field(default_factory=dict)
    groups: Cells = field(default_factory=dict)
    problems: Mapping[tuple[str, str, str], int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(self.status)

    @property
    def counts(self) -> dict[str, int]:
        """Rows in all and by status."""
        return {"rows": self.rows, **dict(zip(STATUS, self.status))}

    def plus(self, other: Tally) -> Tally:
        """Return the tally of both."""
        problems = dict(self.problems)
        for key, count in other.problems.items():
            own = key if key in problems or len(problems) < MOST else (key[0], "", "")
            problems[own] = problems.get(own, 0) + count
        return Tally(
            tuple(a + b for a, b in zip(self.status, other.status)),
            self.premium_fen + other.premium_fen,
            self.fund_fen + other.fund_fen,
            _added(self.insurers, other.insurers),
            _added(self.groups, other.groups),
            problems,
        )

    def to_json(self) -> str:
        """Return the tally as text that `from_json` reads."""
        cells = [[[list(key), list(value)] for key, value in part.items()] for part in (self.insurers, self.groups)]
        problems = [[list(key), count] for key, count in self.problems.items()]
        return json.dumps([self.status, self.premium_fen, self.fund_fen, *cells, problems], ensure_ascii=False)

    @staticmethod
    def from_json(said: str) -> Tally:
        """Return the tally that `to_json` wrote."""
        status, premium, fund, insurers, groups, problems = json.loads(said)
        one: Cells = {tuple(key): tuple(value) for key, value in insurers}
        two: Cells = {tuple(key): tuple(value) for key, value in groups}
        return Tally(tuple(status), premium, fund, one, two, {tuple(key): count for key, count in problems})


def _added(one: Cells, other: Cells) -> Cells:
    sums = dict(one)
    for key, value in other.items():
        before = sums.get(key, (0, 0, 0, 0))
        sums[key] = tuple(a + b for a, b in zip(before, value))  # type: ignore[assignment]
    return sums


def tally(rated: Rated, by: Sequence[str] = ()) -> Tally:
    """Return the tally of a priced chunk.

    Parameters
    ----------
    by : names of level or flag columns
    """
    table, codes, names = rated.book.table, [], []
    for name in by:
        column, found = rated.plan.columns[name], rated.level_codes(name)
        codes.append(np.where(found < 0, len(column.levels), found).astype(np.int64))
        names.append((*column.codes(), ""))
    insurers: Cells = {}
    if "insurer" in table.column_names:
        own, said = text_codes(table["insurer"])
        insurers = _cells(rated, [own], [said])
    problems = {
        (item.code, item.what(rated.lang), item.fix(rated.lang) or ""): item.count or 0 for item in rated.problems
    }
    counts = tuple(rated.counts[name] for name in STATUS)
    groups = _cells(rated, codes, names) if by else {}
    return Tally(counts, rated.premium_fen, rated.fund_fen or 0, insurers, groups, problems)


def text_codes(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Return a code a row and the texts; an empty cell reads ""."""
    array = column.combine_chunks()
    array = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
    if not pa.types.is_dictionary(array.type):
        array = array.cast(pa.string()).dictionary_encode()
    said = [value or "" for value in array.dictionary.to_pylist()] + [""]
    names = tuple(dict.fromkeys(said))
    place = np.array([names.index(value) for value in said], dtype=np.int64)
    codes = filled_with(array.indices, len(said) - 1)
    return place[codes], names


def _cells(rated: Rated, codes: Iterable[npt.NDArray[np.int64]], names: Sequence[Sequence[str]]) -> Cells:
    index = np.zeros(rated.coding.n, dtype=np.int64)
    for code, known in zip(codes, names):
        index = index * len(known) + code
    size = int(np.prod([len(known) for known in names], dtype=np.int64))
    priced = rated.verdict.status < REFUSED
    counts = np.bincount(index[priced], minlength=size)
    others = np.bincount(index[~priced], minlength=size)
    premium = exact_sums(rated.outputs.premium_fen, index, priced, size)
    fund: Any = np.zeros(size, dtype=np.int64)
    if rated.outputs.fund_fen is not None:
        fund = exact_sums(rated.outputs.fund_fen, index, priced, size)
    found: Cells = {}
    for at in np.flatnonzero(counts + others).tolist():
        places = np.unravel_index(at, [len(known) for known in names])
        key = tuple(known[int(place)] for known, place in zip(names, places))
        found[key] = (int(counts[at]), int(others[at]), int(premium[at]), int(fund[at]))
    return found
