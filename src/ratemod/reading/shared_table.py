"""A shared table as read: its cells converted, amounts in fen, and which rows cannot be used and why.

    amount in fen = amount in yuan · 100, exact; where a row gives both and they differ, the row is refused

A list without rows is a table in which nothing has happened yet. Every row that came in is used, refused with a
reason, or counted as a row that stands twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.errors import BookError, Problem, nearest, problem
from ratemod.money import in_fen
from ratemod.reading.book import Book
from ratemod.reading.checks import ascending, codes_of
from ratemod.reading.convert import MISSING_DATE, Coded, convert
from ratemod.reading.read import read_book
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.table import Table, table

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class TableRows:
    """The rows of a shared table, n of them.

    Attributes
    ----------
    table : Table
        As declared.
    book : Book
        All that came in, under the headers that were not read too, with its receipt.
    columns : mapping of name to Column
        Those that the list has; an amount stands under its name in fen.
    cells : mapping of name to Coded
        Converted columns: texts trimmed, "" where empty; amounts as float64 fen, NaN where empty.
    good : (n,) bool
        Rows that can be used.
    bad : (n,) bool
        Rows that are refused; a row that is neither stands twice.
    refused : tuple of Problem
        Why, each kind once with its first row and its count.
    where : tuple of int64 arrays, which rows each of `refused` is about, from 0
    """

    table: Table
    book: Book
    columns: Mapping[str, Column]
    cells: Mapping[str, Coded]
    good: Flags
    bad: Flags
    refused: tuple[Problem, ...]
    where: tuple[npt.NDArray[np.int64], ...]

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """Row of each in its table, as an editor or Excel counts: (n,); a frame counts from 1."""
        return self.book.numbers

    def money_fen(self) -> npt.NDArray[np.int64] | None:
        """Return the first amount that the list has, (n,) int64 fen, 0 where empty; None where it has none."""
        name = next((name for noun in self.table.amounts if (name := f"{noun}_fen") in self.cells), None)
        return None if name is None else np.rint(np.nan_to_num(self.cells[name].values)).astype(np.int64)

    def blank(self, name: str) -> Flags:
        """Return in which rows nothing stands in a column, (n,) bool."""
        values, kind = self.cells[name].values, self.columns[name].kind
        if kind in ("level", "flag"):
            return np.asarray(values < 0, dtype=bool)
        return np.asarray(values == MISSING_DATE, dtype=bool) if kind == "date" else _blank(values)

    def __len__(self) -> int:
        """Return how many rows came in."""
        return int(self.book.table.num_rows)


def read_shared(
    source: Any,
    noun: str,
    needed: Sequence[str],
    more: Sequence[str] = (),
    *,
    narrower: Mapping[str, Sequence[str]] | None = None,
) -> TableRows:
    """Read columns of a shared table.

    Parameters
    ----------
    source : path (xlsx, csv, parquet ...) or any frame
        Headers and words in Chinese or English; further columns are let be.
    noun : str
        Which table it is; see `ratemod.vocabulary.table.tables`.
    needed, more : names of columns, an amount as ``premium_fen``
        A needed column must be there and filled; a further one may be absent or empty, and one that is empty throughout
        counts as absent.
    narrower : mapping of level column to the codes that may stand there, optional

    Returns
    -------
    TableRows
        Row problems: RM201 to RM207 a cell that cannot be used, RM240 dates in the wrong order, RM243 two values from
        one day on, RM953 yuan and fen that differ.

    Raises
    ------
    BookError
        RM950 for every needed column that is missing, and what `ratemod.reading.read.read_book` raises.

    Examples
    --------
    >>> told = read_shared({"保单号": ["A"], "企业规模": ["大型"], "保费（元）": ["1,000.01"]}, "policies",
    ...                    ["policy_no", "size_class", "premium_fen"])
    >>> told.cells["premium_fen"].values.tolist(), told.cells["size_class"].values.tolist()
    ([100001.0], [3])
    """
    declared = table(noun)
    wanted = dict.fromkeys((*needed, *more, *declared.keys))
    columns = {
        one.name: _asked(one, name in needed and len(declared.read_as(name)) == 1, (narrower or {}).get(name))
        for name in wanted
        if declared.noun(name) in declared.fields()
        for one in declared.read_as(name)
    }
    others = {one.name: replace(one, optional=True) for field in declared.fields() for one in _ways(declared, field)}
    book = _book(source, others | columns, noun, {one.name for name in needed for one in declared.read_as(name)})
    there = book.table.column_names
    lacking = [name for name in needed if not any(one.name in there for one in declared.read_as(name))]
    if lacking:
        raise BookError(lacks(noun, name, book.file, there) for name in lacking)
    return _judged(declared, book, {name: one for name, one in columns.items() if name in there}, tuple(needed))


def _ways(declared: Table, field: str) -> tuple[Column, ...]:
    return declared.read_as(declared.in_fen(field))


def _asked(one: Column, needed: bool, codes: Sequence[str] | None) -> Column:
    levels = one.levels if codes is None else tuple(level for level in one.levels if level.code in codes)
    return replace(one, optional=not needed, levels=levels)


def lacks(noun: str, name: str, file: str | None, there: Sequence[str] = ()) -> Problem:
    """Return the problem of a column that a list does not have, with the header that is nearest to it."""
    declared = table(noun)
    one = declared.read_as(name)[-1]
    return problem(
        "RM950",
        file=file,
        table=declared.label_en,
        table_zh=declared.label_zh,
        name=name,
        label=one.label_zh,
        nearest=nearest(one.label_zh, there) or nearest(name, there),
    )


def _book(source: Any, columns: Mapping[str, Column], noun: str, needed: Collection[str]) -> Book:
    """Read the list; one without rows is read as one in which nothing has happened yet."""
    try:
        return read_book(source, columns, shared=noun, needed=needed)
    except BookError as error:
        codes = {item.code for item in error.problems}
        bare = codes == {"RM221"} and _length(source) == 0
        if codes != {"RM225"} and not bare:
            raise
        file = error.problems[0].file
        return Book(pa.table({name: pa.array([], pa.string()) for name in columns}), None, file)


def _length(source: Any) -> int:
    rows = getattr(source, "num_rows", None)
    try:
        return int(len(source) if rows is None else rows)
    except TypeError:
        return -1


def _judged(declared: Table, book: Book, columns: dict[str, Column], needed: tuple[str, ...]) -> TableRows:
    """Convert the cells and say which rows cannot be used."""
    n = book.table.num_rows
    good, told, where = np.ones(n, dtype=bool), [], []

    def refuse(which: Flags, code: str, **args: Any) -> None:
        nonlocal good
        at = np.flatnonzero(which)
        if len(at):
            told.append(_told(book, code, at, **args))
            where.append(at)
            good = good & ~which

    cells = {name: _converted(book.table[name], one, book.conversions.get(name)) for name, one in columns.items()}
    for coded in cells.values():
        for place, item in enumerate(coded.problems, start=1):
            if coded.problem_of is not None:
                refuse(coded.problem_of == place, item.code, **item.args)
    for noun in declared.amounts:
        if f"{noun}_fen" in cells or f"{noun}_yuan" in cells:
            _in_fen(noun, columns, cells, good, refuse)
    for name in needed:
        if columns[name].kind == "text" or declared.noun(name) in declared.amounts:
            refuse(_blank(cells[name].values) & good, "RM201", column=name, label=columns[name].label("zh"))
    for first, second in declared.order:
        if first in cells and second in cells:
            one, two = cells[first].values, cells[second].values
            wrong = (one != MISSING_DATE) & (two != MISSING_DATE) & (two < one)
            refuse(wrong, "RM240", **_both(columns, first=first, second=second))
    if declared.once and all(name in cells for name in declared.once):
        day, value = declared.once
        firm = codes_of(cells["credit_code"].values)
        clash = _clash(firm, cells[day].values, cells[value].values, good)
        labels = _both(columns, day=day, value=value)
        refuse(clash, "RM243", day=labels["day_en"], day_zh=labels["day_zh"], value=labels["value_en"],
               value_zh=labels["value_zh"])  # fmt: skip
    return TableRows(
        table=declared,
        book=book,
        columns=columns,
        cells=cells,
        good=good,
        bad=~good,
        refused=tuple(told),
        where=tuple(where),
    )


def _told(book: Book, code: str, at: npt.NDArray[np.intp], **args: Any) -> Problem:
    """Return a problem of some rows, at the place of the first."""
    file, sheet, row = book.place(int(at[0]))
    return problem(code, file=file, sheet=sheet, row=row, count=len(at), **args)


def filled(told: TableRows, *names: str) -> TableRows:
    """Return the rows without those in which one of some columns is empty though the list has it: RM201."""
    for name in (name for name in names if name in told.cells):
        at = np.flatnonzero(told.blank(name) & told.good)
        if len(at):
            blank = np.isin(np.arange(len(told)), at)
            label = {"column": name, "label": told.columns[name].label("zh")}
            told = replace(
                told,
                good=told.good & ~blank,
                bad=told.bad | blank,
                refused=(*told.refused, _told(told.book, "RM201", at, **label)),
                where=(*told.where, at),
            )
    return told


def each_once(told: TableRows) -> TableRows:
    """Return the rows with each thing told once: the first of rows that agree throughout; those that differ refused.

    Returns
    -------
    TableRows
        With RM241 for rows of one key that differ, and RM242 for rows that stand twice, which are counted and left out.
    """
    keys = tuple(name for name in told.table.keys if name in told.cells)
    if not keys or keys[0] != told.table.keys[0]:
        return told
    differ, again = _repeated(told.cells, keys)
    again = again & told.good
    found, where = [], []
    label = {"column": keys[0], "label": told.columns[keys[0]].label("zh")}
    for which, code, said in ((differ, "RM241", label), (again, "RM242", {})):
        at = np.flatnonzero(which)
        if len(at):
            found.append(_told(told.book, code, at, **said))
            where.append(at)
    return replace(
        told,
        good=told.good & ~differ & ~again,
        bad=told.bad | differ,
        refused=(*told.refused, *found),
        where=(*told.where, *where),
    )


def _both(columns: Mapping[str, Column], **names: str) -> dict[str, str]:
    return {f"{end}_{lang}": columns[name].label(lang) for end, name in names.items() for lang in ("en", "zh")}


def _converted(array: Any, one: Column, hint: Any) -> Coded:
    coded = convert(array, one, hint)
    if one.kind == "text":
        values = coded.values
        if pa.types.is_dictionary(values.type):
            values = values.cast(pa.string())
        return replace(coded, values=pc.utf8_trim_whitespace(values.fill_null("")))
    return coded


def _in_fen(noun: str, columns: dict[str, Column], cells: dict[str, Coded], good: Flags, refuse: Any) -> None:
    """Put an amount under its name in fen, from whichever unit a row gives."""
    fen, yuan = f"{noun}_fen", f"{noun}_yuan"
    label = columns[yuan if yuan in columns else fen].label("zh")
    given = np.asarray(cells[fen].values, dtype=np.float64) if fen in cells else None
    if yuan in cells:
        other = in_fen(cells[yuan].values)
        if given is not None:
            apart = good & np.isfinite(given) & np.isfinite(other) & (given != other)
            if apart.any():
                first = int(np.argmax(apart))
                both = {"fen": f"{given[first]:.0f}", "yuan": f"{other[first] / 100:.2f}"}
                refuse(apart, "RM953", column=noun, label=label, **both)
            other = np.where(np.isfinite(given), given, other)
        given = other
        columns.setdefault(fen, replace(columns.pop(yuan), decimals=0))  # whole fen, whichever unit was written
        cells.pop(yuan)
    assert given is not None
    cells[fen] = Coded(given, None, ())


def _blank(values: Any) -> Flags:
    if isinstance(values, np.ndarray):
        return np.asarray(np.isnan(values), dtype=bool)
    return np.asarray(pc.equal(values, ""), dtype=bool)


def _repeated(cells: Mapping[str, Coded], keys: Sequence[str]) -> tuple[Flags, Flags]:
    """Return the rows whose key also names a different row, and the later of rows that are equal throughout."""
    ids = cells[keys[0]].values
    none = np.zeros(len(ids), dtype=bool)
    if len(keys) == 1 and isinstance(ids, pa.Array) and ascending(ids):
        return none, none
    codes, empty = np.zeros(len(ids), dtype=np.int64), none.copy()
    for name in keys:
        values = cells[name].values
        if isinstance(values, pa.Array):
            empty |= _blank(values)
        part = codes_of(values)
        codes = np.unique(codes * (int(part.max(initial=0)) + 2) + part + 1, return_inverse=True)[1].astype(np.int64)
    many = np.bincount(codes)[codes] if len(codes) else codes
    some = np.flatnonzero((many > 1) & ~empty)
    if not len(some):
        return none, none
    parts = [codes_of(_taken(found.values, some)) for found in cells.values()]
    _, same = np.unique(np.stack(parts, axis=1), axis=0, return_inverse=True)
    same = np.asarray(same).ravel()
    own = codes[some]
    order = np.lexsort((np.arange(len(some)), same, own))
    new_id = np.concatenate([[True], own[order][1:] != own[order][:-1]])
    new_row = new_id | np.concatenate([[True], same[order][1:] != same[order][:-1]])
    kinds = np.bincount(np.cumsum(new_id) - 1, weights=new_row)  # different rows under each key
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
