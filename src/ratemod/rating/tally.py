"""Counts and sums of a priced chunk; those of chunks add up to those of the book, in whole numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.rating.rated import Rated
from ratemod.rating.summary import Cells, cells, totals
from ratemod.rating.verdict import STATUS
from ratemod.reading.arrow import filled_with

MOST = 1000  # different problems told apart; the others are counted by their code


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
    table = rated.book.table
    insurers: Cells = {}
    if "insurer" in table.column_names:
        own, said = text_codes(table["insurer"])
        insurers = cells(rated, [own], [said])
    problems = {
        (item.code, item.what(rated.lang), item.fix(rated.lang) or ""): item.count or 0 for item in rated.problems
    }
    counts = tuple(rated.counts[name] for name in STATUS)
    return Tally(counts, rated.premium_fen, rated.fund_fen or 0, insurers, totals(rated, by), problems)


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
