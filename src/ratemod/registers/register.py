"""One register as read: its usable rows as arrays, and every row that contradicts itself or another, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.errors import BookError, Problem, problem
from ratemod.reading.book import Book
from ratemod.reading.checks import ascending, codes_of
from ratemod.reading.convert import MISSING_DATE, Coded, convert
from ratemod.reading.read import read_book
from ratemod.registers.columns import IDENTITY, IN_ORDER, ONE_A_DAY, REGISTERS
from ratemod.registers.days import NEVER, Days, later
from ratemod.vocabulary.column import Column

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Register:
    """A register of events, one row an event.

    Attributes
    ----------
    noun : str
        ``hazards``, ``certificates``, ``integrity``, ``blacklist``, ``claims``, ``policies``, ``enterprises`` ...
    file : str or None
    rows : (m,) int64
        Row in the file of each usable row, as an editor or Excel counts (a frame counts from 1).
    names : Arrow strings
        Credit codes, each once.
    firm : (m,) int64
        Place in `names` of each row's enterprise.
    values : mapping of column to (m,) array
        Dates as int32 days (`NEVER` where empty), levels as int16 codes, numbers, texts as Arrow strings.
    refused : tuple of Problem
        Rows left out, each kind once with its first row and how many.
    doubtful : Arrow strings
        Credit codes of the refused rows: nothing certain can be said about these enterprises.
    """

    noun: str
    file: str | None
    rows: npt.NDArray[np.int64]
    names: pa.Array
    firm: npt.NDArray[np.int64]
    values: Mapping[str, Any]
    refused: tuple[Problem, ...]
    doubtful: pa.Array

    def __len__(self) -> int:
        """Return the number of usable rows."""
        return len(self.rows)

    @property
    def keys(self) -> pa.Array:
        """Credit code of each row, (m,) Arrow strings."""
        return self.names.take(pa.array(self.firm))

    def has(self, name: str) -> bool:
        """Return whether the file has a column."""
        return name in self.values

    def dates(self, name: str) -> Days:
        """Return a date column as (m,) int32 days, `NEVER` where empty or not in the file."""
        if name not in self.values:
            return np.broadcast_to(np.int32(NEVER), len(self.rows))
        return np.asarray(self.values[name])

    def number(self, name: str) -> npt.NDArray[Any]:
        """Return a number column, (m,) int64, 0 where empty or not in the file."""
        if name not in self.values:
            return np.zeros(len(self.rows), dtype=np.int64)
        values = np.asarray(self.values[name])
        if values.dtype == np.int64:
            return values
        return np.rint(np.nan_to_num(values)).astype(np.int64) if values.dtype.kind == "f" else values.astype(np.int64)


def read_register(source: Any, noun: str) -> Register:
    """Read a register from a file or a frame.

    Parameters
    ----------
    source : path (csv, xlsx, parquet ...), any frame, or a `Register`, which is returned as it is
    noun : one of `ratemod.registers.columns.REGISTERS`
        Chinese and English headers are understood.

    Returns
    -------
    Register
        Row problems are in `refused`: RM201 to RM207 a cell that cannot be used; RM240 dates in the wrong order; RM241
        rows of one number that differ; RM242 a row that stands twice (one is kept); RM243 two values from one day on.

    Raises
    ------
    BookError
        RM244 for every column that is needed and missing, and what `ratemod.reading.read.read_book` raises.

    Examples
    --------
    >>> import pyarrow as pa
    >>> rows = {"信用代码": ["A"], "列入日期": ["2024-05-01"], "移出日期": ["2024-04-01"]}
    >>> told = read_register(pa.table(rows), "blacklist")
    >>> len(told), [item.code for item in told.refused]
    (0, ['RM240'])
    """
    if isinstance(source, Register):
        return source
    columns = REGISTERS[noun]
    book = read_book(source, columns)
    lacking = [
        problem("RM244", file=book.file, sheet=book.sheet, column=column.name, label=column.label("zh"), noun=noun)
        for column in columns.values()
        if not column.optional and column.name not in book.table.column_names
    ]
    if lacking:
        raise BookError(lacking)
    given = [column for column in columns.values() if column.name in book.table.column_names]
    coded = {
        column.name: convert(book.table[column.name], column, book.conversions.get(column.name)) for column in given
    }
    return _usable(noun, book, columns, coded)


def _usable(noun: str, book: Book, columns: Mapping[str, Column], coded: Mapping[str, Coded]) -> Register:
    """Leave out the rows that cannot be used, and say why."""
    n = book.table.num_rows
    rows = np.arange(1, n + 1, dtype=np.int64) if book.rows is None else book.rows
    bad = np.zeros(n, dtype=bool)
    told: list[Problem] = []

    def refuse(which: Flags, code: str, **args: Any) -> None:
        nonlocal bad
        if which.any():
            first = int(rows[int(np.argmax(which))])
            count = int(np.count_nonzero(which))
            told.append(problem(code, file=book.file, sheet=book.sheet, row=first, count=count, **args))
            bad = bad | which

    keys = pc.dictionary_encode(coded["credit_code"].values)
    names = pc.utf8_trim_whitespace(keys.dictionary)
    firm = np.asarray(keys.indices.fill_null(len(names)).to_numpy(zero_copy_only=False), dtype=np.int64)
    empty = np.append(np.asarray(pc.equal(names, ""), dtype=bool), True)[firm]
    refuse(empty, "RM201", column="credit_code", label=columns["credit_code"].label("zh"))
    for found in coded.values():
        for place, item in enumerate(found.problems, start=1):
            if found.problem_of is not None:
                refuse(found.problem_of == place, item.code, **item.args)
    for first, second in IN_ORDER.get(noun, ()):
        if first in coded and second in coded:
            one, two = coded[first].values, coded[second].values
            wrong = (one != MISSING_DATE) & (two != MISSING_DATE) & (two < one)
            labels = {
                f"{end}_{lang}": columns[name].label(lang)
                for end, name in (("first", first), ("second", second))
                for lang in ("en", "zh")
            }
            refuse(wrong, "RM240", **labels)
    kept = np.ones(n, dtype=bool)
    if (name := IDENTITY.get(noun)) in coded and name is not None:
        differ, again = _repeated(coded, name)
        refuse(differ, "RM241", column=name, label=columns[name].label("zh"))
        if again.any():
            first_row, count = int(rows[int(np.argmax(again))]), int(np.count_nonzero(again))
            told.append(problem("RM242", file=book.file, sheet=book.sheet, row=first_row, count=count))
            kept &= ~again
    if noun in ONE_A_DAY:
        day, value = ONE_A_DAY[noun]
        clash = _clash(firm, coded[day].values, coded[value].values, ~bad & kept)
        refuse(
            clash,
            "RM243",
            day=columns[day].label("en"),
            day_zh=columns[day].label("zh"),
            value=columns[value].label("en"),
            value_zh=columns[value].label("zh"),
        )
    doubtful = names.take(pa.array(np.unique(firm[bad & ~empty])))
    good = kept & ~bad
    values = {
        name: later(found.values) if columns[name].kind == "date" else found.values
        for name, found in coded.items()
        if name != "credit_code"
    }
    if not good.all():
        chosen = pa.array(good)
        firm = firm[good]
        values = {
            name: array.filter(chosen) if isinstance(array, pa.Array) else array[good] for name, array in values.items()
        }
        rows = rows[good]
    return Register(noun, book.file, rows, names, firm, values, tuple(told), doubtful)


def _repeated(coded: Mapping[str, Coded], name: str) -> tuple[Flags, Flags]:
    """Return the rows whose number also names a different row, and the later of rows that are equal throughout."""
    ids = coded[name].values
    n = len(ids)
    none = np.zeros(n, dtype=bool)
    if ascending(ids):
        return none, none
    codes = codes_of(ids)
    many = np.bincount(codes + 1)[codes + 1]
    some = np.flatnonzero((many > 1) & (codes >= 0))
    if not len(some):
        return none, none
    parts = [codes_of(_taken(found.values, some)) for found in coded.values()]
    _, same = np.unique(np.stack(parts, axis=1), axis=0, return_inverse=True)
    same = np.asarray(same).ravel()
    own = codes[some]
    order = np.lexsort((np.arange(len(some)), same, own))
    new_id = np.concatenate([[True], own[order][1:] != own[order][:-1]])
    new_row = new_id | np.concatenate([[True], same[order][1:] != same[order][:-1]])
    kinds = np.bincount(np.cumsum(new_id) - 1, weights=new_row)  # different rows under each number
    differs = (kinds > 1)[np.cumsum(new_id) - 1]
    differ, again = none.copy(), none.copy()
    differ[some[order[differs]]] = True
    again[some[order[~differs & ~new_row]]] = True
    return differ, again


def _taken(values: Any, rows: npt.NDArray[np.intp]) -> Any:
    return values.take(pa.array(rows)) if isinstance(values, pa.Array) else values[rows]


def _clash(firm: npt.NDArray[np.int64], day: npt.NDArray[Any], value: npt.NDArray[Any], used: Flags) -> Flags:
    """Return the rows of one enterprise and one day that give different values."""
    rows = np.flatnonzero(used)
    order = rows[np.lexsort((value[rows], day[rows], firm[rows]))]
    group = np.ones(len(order), dtype=bool)
    group[1:] = (firm[order][1:] != firm[order][:-1]) | (day[order][1:] != day[order][:-1])
    number = np.cumsum(group) - 1
    starts = np.flatnonzero(group)
    clash = np.zeros(len(firm), dtype=bool)
    if len(starts):
        ends = np.append(starts[1:], len(order)) - 1
        clash[order] = (value[order][starts] != value[order][ends])[number]
    return clash
