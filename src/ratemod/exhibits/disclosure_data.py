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
import pyarrow.compute as pc

from ratemod.errors import BookError, Problem, nearest, problem
from ratemod.exhibits.disclosure_columns import DISCLOSED
from ratemod.reading.convert import MISSING_DATE, convert
from ratemod.reading.read import read_book
from ratemod.vocabulary.column import Column

NEEDED = ("policies", "claims", "services", "ledger")
EXTRA = ("endorsements", "coinsurance", "payments", "enterprises", "insurers")
SUFFIXES = (".parquet", ".csv", ".xlsx", ".xls", ".txt", ".tsv")
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
        RM919 no such folder, or tables that every disclosure needs are missing.
    """
    folder = getattr(province, "folder", None) or province
    if isinstance(folder, str | Path):
        place = Path(folder)
        if not place.is_dir():
            raise BookError(problem("RM916", path=str(place)))
        found: dict[str, Any] = {}
        for name in (*NEEDED, *EXTRA):
            files = [place / f"{name}{suffix}" for suffix in SUFFIXES if (place / f"{name}{suffix}").exists()]
            if files:
                found[name] = files[0]
    else:
        held = getattr(folder, "held", folder)
        found = {name: held[name] for name in (*NEEDED, *EXTRA) if name in held}
    lost = [name for name in NEEDED if name not in found]
    if lost:
        raise BookError(problem("RM919", name=name) for name in lost)
    return found


def read_shared(source: Any, noun: str) -> Shared:
    """Read one table.

    Raises
    ------
    BookError
        RM917 a column is missing, and those of `read_book`.
    """
    columns = DISCLOSED[noun]
    book = read_book(source, columns)
    there = book.table.column_names
    lost = [name for name, column in columns.items() if not column.optional and name not in there]
    if lost:
        raise BookError(
            problem(
                "RM917",
                file=book.file,
                table=noun,
                name=name,
                label=columns[name].label("zh"),
                nearest=nearest(name, there),
            )
            for name in lost
        )
    count = book.table.num_rows
    rows = np.arange(1, count + 1) if book.rows is None else np.asarray(book.rows, np.int64)
    good, told = np.ones(count, bool), []
    values: dict[str, Any] = {}
    empty: dict[str, Mask] = {}
    for name in (name for name in columns if name in there):
        coded = convert(book.table[name], columns[name], book.conversions.get(name))
        for at, item in enumerate(coded.problems, 1):
            bad = np.asarray(coded.problem_of) == at
            told.append(replace(item, file=book.file, row=int(rows[np.argmax(bad)]), count=int(bad.sum())))
            good &= ~bad
        values[name], missing = _plain(coded.values, columns[name])
        if missing is not None:
            empty[name] = missing
        if columns[name].kind in ("text", "level", "date") and not columns[name].optional:
            blank = _blank(values[name], columns[name]) & good
            if blank.any():
                told.append(
                    problem(
                        "RM201",
                        file=book.file,
                        row=int(rows[np.argmax(blank)]),
                        count=int(blank.sum()),
                        column=name,
                        label=columns[name].label("zh"),
                    )
                )
                good &= ~blank
    for name in [name for name in values if name.endswith("_yuan")]:
        fen = values.pop(name)
        empty[name.replace("_yuan", "_fen")] = empty.pop(name)
        values.setdefault(name.replace("_yuan", "_fen"), fen)
    return Shared(noun, values, empty, rows, count, book.file, ()).take(good, *told)


def _plain(values: Any, column: Column) -> tuple[Any, Mask | None]:
    if column.kind == "text":
        return pc.utf8_trim_whitespace(values.fill_null("")), None
    if column.kind in ("date", "level"):
        return np.asarray(values).astype(np.int64), None
    given = np.asarray(values)
    if given.dtype.kind != "f":
        return given.astype(np.int64), np.zeros(len(given), bool)
    scale = 100 if column.name.endswith("_yuan") else 1
    none = np.isnan(given)
    return np.rint(np.where(none, 0.0, given) * scale).astype(np.int64), none


def _blank(values: Any, column: Column) -> Mask:
    if column.kind == "text":
        return np.asarray(pc.equal(values, ""), dtype=bool)
    return np.asarray(values == (MISSING_DATE if column.kind == "date" else -1), bool)


def each_once(table: Shared, name: str) -> Shared:
    """Return a table with the first row of every number; RM918 counts the others."""
    codes = table[name].dictionary_encode().indices.to_numpy(zero_copy_only=False)
    first = np.zeros(len(table), bool)
    first[np.unique(codes, return_index=True)[1]] = True
    if first.all():
        return table
    row, again = int(table.rows[np.argmin(first)]), int((~first).sum())
    return table.take(first, problem("RM918", file=table.file, row=row, count=again, table=table.noun, name=name))


def with_place(table: Shared, name: str, into: pa.Array, code: str = "RM920") -> tuple[Shared, Ints]:
    """Return the rows that name a known key, and the place of each; RM920 counts the others."""
    found = pc.index_in(table[name], value_set=into).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    known = found >= 0
    if known.all():
        return table, found
    lost = int(np.argmin(known))
    told = problem(
        code,
        file=table.file,
        row=int(table.rows[lost]),
        count=int((~known).sum()),
        table=table.noun,
        name=name,
        key=str(table[name][lost]),
    )
    return table.take(known, told), found[known]


def insurer_names(source: Any) -> dict[str, str]:
    """Return insurer -> name from a list of insurers; empty without one."""
    if source is None:
        return {}
    columns = {
        "insurer": Column("insurer", "text", "Insurer", "保险公司", ("保险机构",)),
        "name": Column("name", "text", "Name", "名称", ("公司名称",)),
    }
    book = read_book(source, columns)
    if not {"insurer", "name"} <= set(book.table.column_names):
        return {}
    return dict(zip(*(book.table[name].cast(pa.string()).to_pylist() for name in ("insurer", "name"))))
