"""One register as read: its usable rows as arrays, and every row that contradicts itself or another, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.errors import Problem
from ratemod.reading.join import Join, Meeting, join
from ratemod.reading.shared_table import each_once, read_shared
from ratemod.registers.columns import READ
from ratemod.registers.days import NEVER, Days, later
from ratemod.vocabulary.table import table


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

    def money_fen(self) -> npt.NDArray[np.int64] | None:
        """Return the first amount that the rows have, (m,) int64 fen; None where they have none."""
        name = next((name for noun in table(self.noun).amounts if (name := f"{noun}_fen") in self.values), None)
        return None if name is None else self.number(name)

    def met(self, asked: Any) -> Join:
        """Return the rows of another table, by their credit codes, held against those of the register."""
        return join(asked, pa.DictionaryArray.from_arrays(pa.array(self.firm), self.names))

    def has(self, name: str) -> bool:
        """Return whether the file has a column."""
        return name in self.values

    def codes(self, name: str) -> pa.Array:
        """Return a level column as the codes of its levels, (m,) Arrow strings, null where empty or not in the file."""
        places = self.values.get(name, np.full(len(self.rows), -1))
        names = pa.array(table(self.noun).columns[name].codes(), pa.string())
        return names.take(pa.array(places, pa.int32(), mask=places < 0))

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


def meeting_of(register: Register, asked: Any) -> Meeting:
    """Return what the rows of a list, by their credit codes, and those of a register are to each other."""
    return register.met(asked).meeting(register.noun, register.money_fen())


def read_register(source: Any, noun: str) -> Register:
    """Read a register from a file or a frame.

    Parameters
    ----------
    source : path (csv, xlsx, parquet ...), any frame, or a `Register`, which is returned as it is
    noun : one of `ratemod.registers.columns.READ`
        Chinese and English headers are understood.

    Returns
    -------
    Register
        Row problems are in `refused`: RM201 to RM207 a cell that cannot be used; RM240 dates in the wrong order; RM241
        rows of one number that differ; RM242 a row that stands twice (one is kept); RM243 two values from one day on.

    Raises
    ------
    BookError
        RM950 for every column that is needed and missing, and what `ratemod.reading.read.read_book` raises.

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
    told = each_once(read_shared(source, noun, *READ[noun]))
    keys = pc.dictionary_encode(told.cells["credit_code"].values)
    firm = np.asarray(keys.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
    good, names = told.good, keys.dictionary
    named = np.append(np.asarray(pc.not_equal(names, ""), dtype=bool), False)[firm]
    doubtful = names.take(pa.array(np.unique(firm[told.bad & named])))
    chosen = pa.array(good)
    values = {}
    for name, found in told.cells.items():
        if name != "credit_code":
            array = later(found.values) if told.columns[name].kind == "date" else found.values
            values[name] = array if good.all() else array.filter(chosen) if isinstance(array, pa.Array) else array[good]
    return Register(
        noun=noun,
        file=told.book.file,
        rows=told.rows[good],
        names=names,
        firm=firm[good],
        values=values,
        refused=told.refused,
        doubtful=doubtful,
    )
