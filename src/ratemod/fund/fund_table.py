"""Columns in, tables out: what every part of the fund asks of frames and files, and gives back.

A row with a cell that cannot be used is refused with its problem and left out; the others go on.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.errors import Lang, Problem, catalogue, text
from ratemod.reading.book import Book
from ratemod.reading.shared_table import filled, read_shared
from ratemod.rules.options import strict
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.labels import column_label

if TYPE_CHECKING:
    import pandas as pd

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

EPOCH = datetime.date(1970, 1, 1)
NO_DAY = np.int64(-(2**31))
FAR = np.int64(2**31 - 1)


@dataclass(frozen=True, eq=False, slots=True)
class Columns:
    """Columns of a table as arrays, refused rows left out.

    Attributes
    ----------
    values : mapping of name to (n,) array
        Texts as objects, numbers as int64 (or float64), days as int64 since 1970-01-01 with `NO_DAY` where empty.
    refused : tuple of Problem
        What was wrong with the rows left out, with row and count.
    rows_in : int
        Rows given; ``rows_in = n + rows refused``.
    left_out : mapping of name to (rows refused,) array
        What could be read of the rows refused.
    book : Book or None, everything that was given, under the headers that were not read too
    at : (n,) int64, row of `book`
    blank : mapping of name to (n,) bool
        Where nothing stands in an optional number that is filled elsewhere.
    """

    values: Mapping[str, npt.NDArray[Any]]
    refused: tuple[Problem, ...]
    rows_in: int
    left_out: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    book: Book | None = None
    at: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    blank: Mapping[str, Bools] = field(default_factory=dict)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self.values[name]

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))

    def get(self, name: str, otherwise: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a column, or what stands for it where it was not given."""
        return self.values.get(name, otherwise)

    def first(self, which: npt.NDArray[Any], table: str) -> dict[str, Any]:
        """Return where the first of some rows (their places, or a mask) stands, and how many, for a problem."""
        rows = np.flatnonzero(which) if which.dtype == bool else which
        file, sheet, row = (None, None, None) if self.book is None else self.book.place(int(self.at[rows[0]]))
        return {"file": file or table, "sheet": sheet, "row": row, "count": len(rows)}

    def take(self, rows: npt.NDArray[Any]) -> Columns:
        """Return some rows."""
        kept = {name: column[rows] for name, column in self.values.items()}
        blank = {name: column[rows] for name, column in self.blank.items()}
        return replace(self, values=kept, at=self.at[rows] if len(self.at) else self.at, blank=blank)

    def empty(self, name: str) -> Bools:
        """Return where nothing stands in an optional number, (n,) bool."""
        return self.blank.get(name, np.full(len(self), name not in self.values))


def read_columns(
    source: Any, noun: str, needed: Sequence[str], optional: Sequence[str] = (), stated: Sequence[str] = ()
) -> Columns:
    """Return the columns of a file or frame.

    Parameters
    ----------
    source : path or any frame with the Arrow PyCapsule interface
    noun : which shared table it is
    needed, optional : names of its columns
        A needed column must be there and filled; an optional one may be absent or empty (text "", number 0, no day).
        Levels and flags are texts: their codes.
    stated : names of optional columns that, where some row fills them, every row must

    Raises
    ------
    BookError
        RM950 for every needed column that is missing; those of `read_book`.
    """
    told = read_shared(source, noun, needed, optional)
    names = [name for name in (*needed, *optional) if name in told.cells]
    told = filled(told, *(name for name in stated if name in names))
    values = {name: _plain(told.cells[name].values, told.columns[name]) for name in names}
    at = np.flatnonzero(told.good)
    return Columns(
        values={name: column[at] for name, column in values.items()},
        refused=told.refused,
        rows_in=len(told),
        left_out={name: column[told.bad] for name, column in values.items()},
        book=told.book,
        at=at,
        blank={
            name: told.blank(name)[at] for name in names if name in optional and told.columns[name].kind == "number"
        },
    )


def _plain(values: Any, column: Column) -> npt.NDArray[Any]:
    if column.kind == "text":
        plain: Texts = np.asarray(values.to_numpy(zero_copy_only=False), dtype=object)
        return plain
    if column.kind in ("level", "flag"):
        codes: Texts = np.array([*column.codes(), ""], dtype=object)[np.asarray(values)]
        return codes
    if column.kind == "date":
        return np.asarray(values, dtype=np.int64)
    if column.decimals:
        return np.asarray(values, dtype=np.float64)
    given = np.asarray(values)
    return (np.rint(np.nan_to_num(given)) if given.dtype.kind == "f" else given).astype(np.int64)


def codes_of(*columns: npt.NDArray[Any]) -> tuple[tuple[str, ...], tuple[Ints, ...]]:
    """Return the sorted names of several text columns together, and each column as codes into them.

    Examples
    --------
    >>> names, (left, right) = codes_of(np.array(["b", "a"], object), np.array(["b", "c"], object))
    >>> names, left.tolist(), right.tolist()
    (('a', 'b', 'c'), [1, 0], [1, 2])
    """
    import pyarrow.compute as pc

    joined = pa.concat_arrays([pa.array(column, pa.string()) for column in columns])
    coded = pc.dictionary_encode(joined)
    names = np.asarray(coded.dictionary.to_pylist(), dtype=object)
    order = np.argsort(names, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    index = (
        place[np.asarray(coded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)]
        if len(joined)
        else (np.zeros(0, dtype=np.int64))
    )
    ends = np.cumsum([0, *(len(column) for column in columns)])
    return tuple(names[order].tolist()), tuple(index[low:high] for low, high in itertools.pairwise(ends))


def day_number(day: datetime.date | str | None) -> int | None:
    """Return a day as days since 1970-01-01; None stays None."""
    if day is None:
        return None
    return ((datetime.date.fromisoformat(day) if isinstance(day, str) else day) - EPOCH).days


def year_of(day: Ints) -> Ints:
    """Return the calendar year of days since 1970-01-01.

    Examples
    --------
    >>> year_of(np.array([0, 365, 20088])).tolist()
    [1970, 1971, 2024]
    """
    year: Ints = day.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + EPOCH.year
    return year


def day_column(days: npt.NDArray[Any]) -> pa.Array:
    """Return days as an Arrow date column, null where there is none."""
    return pa.array(days.astype(np.int32), pa.int32(), mask=days == NO_DAY).cast(pa.date32())


def names_column(codes: Ints, names: Sequence[str]) -> pa.Array:
    """Return codes as a dictionary column, null where negative."""
    return pa.DictionaryArray.from_arrays(
        pa.array(codes.astype(np.int32), mask=codes < 0), pa.array(list(names), pa.string())
    )


def fund_label(name: str, lang: Lang) -> str:
    """Return the label of a column; a column that a question in SQL made up keeps its name."""
    code = f"UI_fund_{name}"
    return text(code, lang) if code in catalogue() else column_label(name, lang) or name


@strict
def labelled(table: pa.Table, lang: Lang) -> pa.Table:
    """Return a table whose headers are the labels of a language."""
    table = in_language(table, lang)
    return table.rename_columns([fund_label(name, lang) for name in table.column_names])


@strict
def in_language(table: pa.Table, lang: Lang) -> pa.Table:
    """Return a table that says in one language what it holds in both: of `source` and `source_zh`, one column.

    Examples
    --------
    >>> in_language(pa.table({"source": ["notice"], "source_zh": ["通知"]}), "zh").to_pydict()
    {'source': ['通知']}
    """
    for name in [name for name in table.column_names if f"{name}_zh" in table.column_names]:
        if lang == "zh":
            table = table.set_column(table.column_names.index(name), name, table[f"{name}_zh"])
        table = table.drop_columns([f"{name}_zh"])
    return table


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return a table as a pandas frame."""
    frame: pd.DataFrame = table.to_pandas()
    return frame
