"""The coded columns that steps read: numbers as float64, levels as small integers, texts only as far as needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ratemod.vocabulary.level_codes import Codes

Selector = slice | npt.NDArray[np.intp]
Groups = Mapping[tuple[str, ...], npt.NDArray[np.int64]]  # by the columns that make rows one group
Name = TypeVar("Name")


@dataclass(frozen=True, eq=False, slots=True)
class Inputs:
    """Coded columns of n rows.

    Attributes
    ----------
    numbers : mapping of (n,) float64 or whole numbers
        Number columns, and dates as days since 1970-01-01; NaN where missing. Each stands for the decimal nearest
        to it with the declared number of places.
    codes : mapping of (n,) int16, int32 where a column has more levels than that tells apart
        Level and flag columns: index into the column's levels, -1 where missing or refused.
    filled : mapping of (n,) bool
        Text columns: whether there is any text.
    texts : mapping of (n,) object
        Text columns that a condition tests.
    groups : mapping of (n,) int64
        Columns that rows are rolled up by, several together: equal number, same group; -1 where one is missing.
    ranks : (n,) int64 or None
        Order of the row keys, to break ties without regard to row order.
    """

    n: int
    numbers: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    codes: Mapping[str, Codes] = field(default_factory=dict)
    filled: Mapping[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    texts: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    groups: Groups = field(default_factory=dict)
    ranks: npt.NDArray[np.int64] | None = None

    def part(self, rows: Selector) -> Inputs:
        """Return the chosen rows; a slice shares memory."""
        n = len(range(*rows.indices(self.n))) if isinstance(rows, slice) else len(rows)
        numbers = {name: array[rows] for name, array in self.numbers.items()}
        codes = {name: array[rows] for name, array in self.codes.items()}
        filled = {name: array[rows] for name, array in self.filled.items()}
        texts = {name: array[rows] for name, array in self.texts.items()}
        groups = {name: array[rows] for name, array in self.groups.items()}
        return Inputs(n, numbers, codes, filled, texts, groups, None if self.ranks is None else self.ranks[rows])

    def gathered(self, rows: npt.NDArray[np.intp]) -> Inputs:
        """Return the chosen rows, every column gathered only when it is first read."""
        return Inputs(
            len(rows),
            Gathered(self.numbers, rows),
            Gathered(self.codes, rows),
            Gathered(self.filled, rows),
            Gathered(self.texts, rows),
            Gathered(self.groups, rows),
            None if self.ranks is None else self.ranks[rows],
        )

    @staticmethod
    def joined(parts: Sequence[Inputs]) -> Inputs:
        """Return the rows of several parts of one book, one after another."""

        def whole(of: Callable[[Inputs], Mapping[Name, npt.NDArray[Any]]]) -> dict[Name, npt.NDArray[Any]]:
            return {name: np.concatenate([of(part)[name] for part in parts]) for name in of(parts[0])}

        ranks = [part.ranks for part in parts if part.ranks is not None]
        return Inputs(
            sum(part.n for part in parts),
            whole(lambda part: part.numbers),
            whole(lambda part: part.codes),
            whole(lambda part: part.filled),
            whole(lambda part: part.texts),
            whole(lambda part: part.groups),
            np.concatenate(ranks) if ranks else None,
        )


class Gathered(Mapping[Name, npt.NDArray[Any]]):
    """Some rows of columns, each column taken when it is first read."""

    def __init__(self, whole: Mapping[Name, npt.NDArray[Any]], rows: npt.NDArray[np.intp]) -> None:
        self.whole, self.rows = whole, rows
        self.taken: dict[Name, npt.NDArray[Any]] = {}

    def __getitem__(self, name: Name) -> npt.NDArray[Any]:
        if name not in self.taken:
            self.taken[name] = np.take(self.whole[name], self.rows, mode="clip")
        return self.taken[name]

    def __contains__(self, name: object) -> bool:
        return name in self.whole

    def __iter__(self) -> Iterator[Name]:
        return iter(self.whole)

    def __len__(self) -> int:
        return len(self.whole)
