"""The shared data of a province as the yearly disclosure needs them: usable rows as arrays, the others with reasons.

A table is a file in a folder (Parquet, CSV, Excel) or a frame. Rows with a cell that cannot be used, a second row of
one policy number and rows that name no policy of the list are set aside and counted; nothing is filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.errors import BookError, Problem, problem
from ratemod.publication.columns import DISCLOSED, NARROWER, STATED
from ratemod.reading.folder import found_in
from ratemod.reading.join import join
from ratemod.reading.shared_table import each_once, filled, read_shared
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.table import table as declared

NEEDED = ("policies",)
TOLD = ("claims", "services", "ledger")  # what is not given of these is named as not published
EXTRA = ("endorsements", "coinsurance", "payments", "enterprises", "insurers")
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Shared:
    """One table as read.

    Attributes
    ----------
    values : mapping of column to (n,) array
        Texts as Arrow strings; numbers as int64; days as int64 since 1970-01-01 (`MISSING_DATE` where empty); levels as
        int64 places in the column's levels. Amounts are in fen, under their name in fen.
    empty : mapping of column to (n,) bool, for numbers: no value was given
    rows : (n,) int64, as an editor or Excel counts
    rows_in : int
    file : str or None
    refused : tuple of Problem
    """

    noun: str
    values: Mapping[str, Any]
    empty: Mapping[str, Mask]
    rows: Ints
    rows_in: int
    file: str | None
    refused: tuple[Problem, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def amount(self, noun: str) -> Ints:
        """Return an amount in fen, 0 where none was given."""
        found: Ints = self.values.get(f"{noun}_fen", np.zeros(len(self), np.int64))
        return found

    def number(self, name: str) -> Ints:
        """Return a number, 0 where none was given."""
        found: Ints = self.values.get(name, np.zeros(len(self), np.int64))
        return found

    def take(self, keep: Mask, *told: Problem) -> Shared:
        """Return some rows, with what was said about the others."""
        refused = self.refused + told
        if keep.all():
            return replace(self, refused=refused)
        kept = pa.array(keep)
        values = {
            name: column.filter(kept) if isinstance(column, pa.Array) else column[keep]
            for name, column in self.values.items()
        }
        empty = {name: mask[keep] for name, mask in self.empty.items()}
        return replace(self, values=values, empty=empty, rows=self.rows[keep], refused=refused)


def sources(province: Any) -> dict[str, Any]:
    """Return table name -> path or frame of a folder, a mapping or a `Province`.

    Raises
    ------
    BookError
        RM916 no such folder, RM919 a table that every disclosure needs is missing.
    """
    folder = getattr(province, "folder", None) or province
    found: dict[str, Any]
    if isinstance(folder, str | Path):
        place = Path(folder)
        if not place.is_dir():
            raise BookError(problem("RM916", path=str(place)))
        found = {name: path for name, path in found_in(place).items() if name in (*NEEDED, *TOLD, *EXTRA)}
    else:
        held = getattr(folder, "held", folder)
        found = {name: held[name] for name in (*NEEDED, *TOLD, *EXTRA) if name in held}
    lost = [name for name in NEEDED if name not in found]
    if lost:
        raise BookError(problem("RM919", name=name, label=declared(name).label_zh) for name in lost)
    return found


def nothing_of(noun: str) -> Shared:
    """Return a table without rows, for a list that was not given."""
    heads = {name: pa.array([], pa.string()) for name in DISCLOSED[noun][0]}
    return read_disclosed(pa.table(heads), noun)


def read_disclosed(source: Any, noun: str) -> Shared:
    """Return one table, each thing told once.

    Raises
    ------
    BookError
        Those of `ratemod.reading.shared_table.read_shared`.
    """
    needed, more = DISCLOSED[noun]
    read = read_shared(source, noun, needed, more, narrower=NARROWER.get(noun))
    told = each_once(filled(read, *STATED.get(noun, ())))
    values: dict[str, Any] = {}
    empty: dict[str, Mask] = {}
    for name, found in told.cells.items():
        values[name], missing = _plain(found.values, told.columns[name])
        if missing is not None:
            empty[name] = missing
    return Shared(
        noun=noun, values=values, empty=empty, rows=told.rows, rows_in=len(told), file=told.book.file, refused=()
    ).take(told.good, *told.refused)


def _plain(values: Any, column: Column) -> tuple[Any, Mask | None]:
    if column.kind == "text":
        return values, None
    given = np.asarray(values)
    if column.kind != "number":
        return given.astype(np.int64), None
    if given.dtype.kind != "f":
        return given.astype(np.int64), np.zeros(len(given), bool)
    none = np.isnan(given)
    if column.decimals:
        return np.where(none, 0.0, given), none
    return np.rint(np.where(none, 0.0, given)).astype(np.int64), none


def with_place(table: Shared, name: str, into: Shared) -> tuple[Shared, Ints]:
    """Return the rows that name a row of another table, and the place of each; RM396 counts the others."""
    met = join(table[name], into[name])
    unmet = met.unmet()
    if not unmet.any():
        return table, met.place()
    at = int(np.argmax(unmet))
    money = next((values for key, values in table.values.items() if key.endswith("_fen")), None)
    told = met.lost(unmet, table.noun, into.noun, money, file=table.file, row=int(table.rows[at]))
    return table.take(~unmet, told), met.place()[~unmet]


def check_insurers(named: Mapping[str, Any], source: Any) -> None:
    """Hold the insurers that tables name against the list of insurers.

    Parameters
    ----------
    named : mapping of table to its column of insurers
    source : list of insurers

    Raises
    ------
    BookError
        RM396 for every table that names an insurer who is not in the list.
    """
    known = read_shared(source, "insurers", ("insurer",)).cells["insurer"].values
    if wrong := [told for noun, column in named.items() for told in join(column, known).told(noun, "insurers")]:
        raise BookError(wrong)


def insurer_names(source: Any) -> dict[str, str]:
    """Return insurer -> name from a list of insurers; empty without one."""
    if source is None:
        return {}
    told = read_shared(source, "insurers", ("insurer",), ("name",))
    if "name" not in told.cells:
        return {}
    codes, names = (told.cells[name].values.to_pylist() for name in ("insurer", "name"))
    return {code: name for code, name in zip(codes, names) if name}
