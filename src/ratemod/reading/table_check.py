"""Whether shared tables conform: a verdict on every row, every table and every join, and the rows to send back.

rows in = usable + refused + standing twice
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ratemod.errors import BookError, Lang, Problem, problem, text
from ratemod.reading.folder import found_in, meant_by, table_named
from ratemod.reading.identifiers import misbuilt
from ratemod.reading.join import join
from ratemod.reading.read import read_book
from ratemod.reading.shared_table import TableRows, each_once, read_shared
from ratemod.rules.options import strict
from ratemod.vocabulary.table import Table, table


@dataclass(frozen=True, eq=False, slots=True)
class Verdict:
    """What is to be said of one table.

    Attributes
    ----------
    rows : TableRows, each thing once
    lacking : tuple of Problem, columns that the standard requires and the list does not have
    strays : tuple of Problem, values that name what the joined table does not have, codes not built as their kind is
    """

    rows: TableRows
    lacking: tuple[Problem, ...]
    strays: tuple[Problem, ...]

    @property
    def table(self) -> Table:
        """Return which table it is."""
        return self.rows.table

    @property
    def counts(self) -> dict[str, int]:
        """Return rows in, usable, refused and standing twice."""
        many, good, bad = len(self.rows), int(self.rows.good.sum()), int(self.rows.bad.sum())
        return {"rows": many, "usable": good, "refused": bad, "twice": many - good - bad}

    @property
    def conforms(self) -> bool:
        """Return whether nothing is wrong."""
        return not (self.lacking or self.strays or self.rows.refused)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return all that is wrong."""
        return (*self.lacking, *self.rows.refused, *self.strays)

    def totals_fen(self) -> dict[str, int]:
        """Return the sum of each amount over the usable rows, fen."""
        found = {}
        for noun in self.table.amounts:
            if f"{noun}_fen" in self.rows.cells:
                values = np.asarray(self.rows.cells[f"{noun}_fen"].values)[self.rows.good]
                found[noun] = sum(map(int, values[np.isfinite(values)].tolist()))
        return found

    @strict
    def refused_table(self, lang: Lang) -> pa.Table:
        """Return the rows to send back, under their own headers, with their reasons and how to mend them."""
        kept = np.flatnonzero(~self.rows.good)
        why: dict[int, list[Problem]] = {int(row): [] for row in kept}
        for item, rows in zip(self.rows.refused, self.rows.where, strict=True):
            for row in rows.tolist():
                why[row].append(item)
        given = self.rows.book.table.take(pa.array(kept))
        names = [self.rows.book.headers.get(name, name) for name in given.column_names]
        columns = [part.cast(pa.string()) for part in given.columns]
        texts = {
            "UI_data_row": [str(self.rows.rows[row]) for row in kept],
            "UI_data_reasons": ["; ".join(item.what(lang) for item in why[int(row)]) for row in kept],
            "UI_data_fix": ["; ".join(dict.fromkeys(item.fix(lang) for item in why[int(row)])) for row in kept],
        }
        more = {text(code, lang): pa.array(cells, pa.string()) for code, cells in texts.items()}
        return pa.table(dict(zip(names, columns)) | more)


def check_tables(path: str | Path, name: str | None = None) -> tuple[Verdict, ...]:
    """Return the verdict on a file, or on every table of a folder with their joins.

    Parameters
    ----------
    path : file or folder
    name : which table a file is, where its name does not say

    Raises
    ------
    BookError
        RM952 no such table, RM957 the file's name does not say which table it is, RM958 no table in the folder; those
        of `read_shared`.
    """
    place = Path(path)
    if place.is_dir():
        files = found_in(place)
        if not files:
            raise BookError(problem("RM958", path=str(place)))
    else:
        noun = table_named(name).name if name else meant_by(place.stem)
        if noun is None:
            raise BookError(problem("RM957", file=str(place), nearest=None))
        files = {table(noun).name: place}
    read = {noun: _read(file, noun) for noun, file in files.items()}
    tables = {noun: rows for noun, (rows, _) in read.items()}
    return tuple(Verdict(rows, lacking, (*_strays(rows, tables), *_misbuilt(rows))) for rows, lacking in read.values())


def headers_of(source: Any, noun: str) -> dict[str, str]:
    """Return column -> header of a list, in its order; a header that means no column of the table stands for itself."""
    book = read_book(source, table(noun).columns, shared=noun)
    return {name: book.headers.get(name, name) for name in book.table.column_names}


def _read(source: Any, noun: str) -> tuple[TableRows, tuple[Problem, ...]]:
    declared = table(noun)
    fields = [declared.in_fen(name) for name in declared.fields()]
    needed = [declared.in_fen(name) for name in declared.required if name not in declared.open]
    lacking: tuple[Problem, ...] = ()
    try:
        rows = read_shared(source, noun, needed, fields)
    except BookError as error:
        if {item.code for item in error.problems} != {"RM950"}:
            raise
        lacking = tuple(error.problems)
        lost = {item.args["name"] for item in lacking}
        rows = read_shared(source, noun, [name for name in needed if name not in lost], fields)
    return each_once(rows), lacking


def _misbuilt(rows: TableRows) -> Iterator[Problem]:
    """Yield a problem for each column with codes that break the rule by which their kind is built."""
    for name, cells in rows.cells.items():
        if (column := rows.table.columns.get(name)) is None:
            continue
        for code, broken in misbuilt(column, cells.values):
            wrong = broken & np.array([bool(value) for value in cells.values.to_pylist()])  # what is empty is not asked
            if not wrong.any():
                continue
            file, sheet, row = rows.book.place(int(np.argmax(wrong)))
            told: dict[str, Any] = {"column": name, "label": column.label("zh"), "count": int(wrong.sum())}
            yield problem(code, file=file, sheet=sheet, row=row, **told)


def _strays(rows: TableRows, tables: Mapping[str, TableRows]) -> tuple[Problem, ...]:
    """Return a problem for each join that does not find all its values in the other table."""
    found = []
    for name, noun in rows.table.joins.items():
        other = tables.get(noun)
        key = table(noun).keys[0]
        if other is None or name not in rows.cells or key not in other.cells:
            continue
        met = join(rows.cells[name].values, other.cells[key].values)
        lost = met.unmet() & (met.asked >= 0)  # an empty cell is judged where the column is required
        if lost.any():
            file, sheet, row = rows.book.place(int(np.argmax(lost)))
            found.append(met.lost(lost, rows.table.name, noun, rows.money_fen(), file=file, sheet=sheet, row=row))
    return tuple(found)
