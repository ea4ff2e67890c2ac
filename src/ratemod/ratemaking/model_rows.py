"""Rows of any table as a model needs them: levels as codes, numbers as numbers, and what could not be used.

Every row that came in is used, refused with a reason, or without weight; each with its weight and total.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ratemod.errors import BookError, Problem, nearest, problem
from ratemod.ratemaking.arrays import Booleans, Floats, Integers
from ratemod.ratemaking.cells import Factor
from ratemod.reading.header import HeaderMap
from ratemod.reading.rows import is_sum
from ratemod.reading.text_levels import level_name, text_levels
from ratemod.rules.options import strict
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.measure import ANY

if TYPE_CHECKING:
    import pandas as pd

    from ratemod.reading.book import Book

MISSING = "(missing)"
Missing = Literal["refuse", "level"]
Recoveries = Literal["refuse", "net"]
Fault = tuple[int, str, Any, str]  # row as its table counts, column, what stands there, code of the reason


@dataclass(frozen=True, slots=True)
class Accounts:
    """What became of the rows.

    Attributes
    ----------
    rows, used, refused, without_weight : int; rows = used + refused + without_weight
    refused_weight, refused_total : float, of the refused rows, as far as they can be read
    by_column : (column, rows refused because of it), a row under each of its faults
    recoveries, recovered : rows in use whose total is negative, and their sum
    """

    rows: int
    used: int
    refused: int
    without_weight: int
    refused_weight: float
    refused_total: float
    by_column: tuple[tuple[str, int], ...]
    recoveries: int = 0
    recovered: float = 0.0


@dataclass(frozen=True, eq=False)
class ModelRows:
    """Rows that can be used.

    Attributes
    ----------
    factors, codes : of the columns of levels; numbers : of all others, by name, (n,) float64
    kept : (n,) int64, positions of the rows among those read
    faults : (row, column, what stands there, code of the reason) of every fault; rows as their table counts, a frame
        from 1; places : their positions among the rows read
    accounts : Accounts
    """

    factors: tuple[Factor, ...]
    codes: tuple[Integers, ...]
    numbers: Mapping[str, Floats]
    kept: Integers
    faults: tuple[Fault, ...]
    places: tuple[int, ...]
    accounts: Accounts

    def refused(self) -> pd.DataFrame:
        """Return one row a fault: row (as its table counts), column, value, code, reason."""
        import pandas as pd

        said = {code: problem(code).what() for *_, code in self.faults}
        return pd.DataFrame(
            [(*fault, said[fault[-1]]) for fault in self.faults],
            columns=["row", "column", "value", "code", "reason"],
        )


@strict
def read_rows(
    data: Any,
    *,
    levels: Sequence[str],
    amounts: Sequence[str] = (),
    positive: Sequence[str] = (),
    numbers: Sequence[str] = (),
    missing: Missing = "refuse",
    recoveries: Recoveries = "refuse",
    header_map: HeaderMap | None = None,
) -> ModelRows:
    """Read the columns of a model; the first two of `amounts` are total and weight.

    Parameters
    ----------
    data : any frame or path
    levels : columns whose different values are levels
    amounts : columns of numbers that may not be negative; positive : above zero; numbers : any number
    missing : "refuse" rows without a level, or take them as a level of their own, ``(missing)``
    recoveries : "refuse" rows whose total is negative, or take them ("net")
    header_map : header in the file -> name

    Raises
    ------
    BookError
        When the table cannot be read; RM666 a column that it lacks; RM565 when no row can be used.

    Examples
    --------
    >>> rows = read_rows({"size": ["s", None], "n": [1, 2], "w": [1.0, 1.0]}, levels=["size"], amounts=["n", "w"])
    >>> rows.accounts.refused, rows.accounts.refused_total, rows.faults
    (1, 2.0, ((2, 'size', None, 'RM490'),))
    """
    wanted = [Column(name, "text") for name in levels]
    wanted += [Column(name, "number", measure=ANY) for name in dict.fromkeys((*amounts, *positive, *numbers))]
    book = _book(data, wanted, header_map)
    refused = _Refused(book)
    coded = [_coded(book.table[name], missing) for name in levels]
    for name, (at, names) in zip(levels, coded):
        refused.add(name, at < 0, "RM490")
        refused.add(name, np.isin(at, [code for code, said in enumerate(names) if is_sum(said)]), "RM693")
    values = dict[str, Floats]()
    for name in dict.fromkeys((*amounts, *positive, *numbers)):
        found, empty = _numbers(book.table[name], book.conversions.get(name))
        refused.add(name, empty, "RM490")
        refused.add(name, ~empty & ~np.isfinite(found), "RM491")
        if name in amounts and not (recoveries == "net" and name == amounts[0]):
            refused.add(name, found < 0, "RM492")
        if name in positive:
            refused.add(name, found <= 0, "RM494")
        values[name] = found
    none = np.zeros(book.table.num_rows)
    total, weight = (values[name] for name in amounts[:2]) if amounts else (none, none + 1)
    if amounts:
        refused.add(amounts[1], ~refused.rows & (weight == 0) & (total != 0), "RM493")
    light = ~refused.rows & (weight == 0)
    kept = np.flatnonzero(~refused.rows & ~light)
    faults = [fault for _, fault in refused.faults]
    by_row = sorted(refused.faults, key=lambda placed: placed[0])
    if not len(kept):
        raise BookError(none_usable(faults) or [problem("RM496", rows=book.table.num_rows)])
    used = [_in_use(name, at[kept], names) for name, (at, names) in zip(levels, coded)]
    return ModelRows(
        factors=tuple(factor for factor, _ in used),
        codes=tuple(code for _, code in used),
        numbers={name: found[kept] for name, found in values.items()},
        kept=kept,
        faults=tuple(fault for _, fault in by_row),
        places=tuple(at for at, _ in by_row),
        accounts=_accounts(refused.rows, light, total, weight if amounts else none, faults),
    )


class _Refused:
    """Rows of a table that cannot be used, (n,) bool, and each fault at the place of its row."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.rows = np.zeros(book.table.num_rows, dtype=np.bool_)
        self.faults: list[tuple[int, Fault]] = []

    def add(self, name: str, lost: Booleans, code: str) -> None:
        """Refuse rows because of what stands in a column."""
        at = np.flatnonzero(lost)
        self.rows[at] = True
        cells = self.book.table[name].take(at).to_pylist() if len(at) else []
        self.faults += [(int(i), (int(self.book.numbers[i]), name, cell, code)) for i, cell in zip(at, cells)]


def _coded(column: Any, missing: Missing) -> tuple[Integers, list[str]]:
    """Return the level of every row, -1 where none, and the levels; empty cells a level of their own where asked."""
    at, names = text_levels(column, spellings=True)
    if missing == "level" and (at < 0).any():
        return np.where(at < 0, len(names), at), [*names, MISSING]
    return at, names


def _in_use(name: str, at: Integers, names: Sequence[str]) -> tuple[Factor, Integers]:
    """Return the factor of the levels that some row has, and the code of every row among them."""
    used, code = np.unique(at, return_inverse=True)
    return Factor(name, tuple(names[i] for i in used)), code.astype(np.int64)


def _accounts(refused: Booleans, light: Booleans, total: Floats, weight: Floats, faults: Sequence[Fault]) -> Accounts:
    """Return what became of the rows, in number, weight and total."""
    back = total[~refused & ~light]
    back = back[back < 0]
    return Accounts(
        rows=len(refused),
        used=int((~refused & ~light).sum()),
        refused=int(refused.sum()),
        without_weight=int(light.sum()),
        refused_weight=_sum(weight[refused]),
        refused_total=_sum(total[refused]),
        by_column=tuple(Counter(fault[1] for fault in faults).items()),
        recoveries=len(back),
        recovered=float(back.sum()),
    )


def column_levels(data: Any, name: str) -> tuple[Integers, list[str]]:
    """Return the level of every row of one column, -1 where empty, and the levels; `text_levels` of any table.

    Raises
    ------
    BookError
        RM666 a column that the table lacks.
    """
    return text_levels(_book(data, [Column(name, "text")], None).table[name])


def number_of_rows(data: Any, header_map: HeaderMap | None) -> int:
    """Return the number of rows of a table of which no column is needed."""
    if hasattr(data, "__len__") and hasattr(data, "columns"):
        return len(data)
    return int(_book(data, (), header_map).table.num_rows)


def number_factor(name: str, values: Floats) -> tuple[Factor, Integers]:
    """Return different numbers as the levels of a factor, and the code of each.

    Examples
    --------
    >>> number_factor("age", np.array([30.0, 18.5, 30.0]))
    (Factor(name='age', levels=('18.5', '30')), array([1, 0, 1]))
    """
    different, code = np.unique(values, return_inverse=True)
    return Factor(name, tuple(level_name(value) for value in different.tolist())), code.astype(np.int64)


def none_usable(faults: Sequence[Fault]) -> list[Problem]:
    """Return one refusal a column, RM565, with its rows."""
    named = dict.fromkeys(fault[1] for fault in faults)
    found = []
    for name in named:
        mine = [fault for fault in faults if fault[1] == name]
        first, _, value, _ = min(mine, key=lambda fault: fault[0])
        said = "" if value is None else value
        found.append(problem("RM565", column=name, wrong=len(mine), first=first, value=said))
    return found


def _sum(values: Floats) -> float:
    return float(values[np.isfinite(values)].sum())


def _book(data: Any, columns: Sequence[Column], header_map: HeaderMap | None) -> Book:
    from ratemod.reading.read import read_book

    book = read_book(data, {column.name: column for column in columns}, header_map=header_map)
    missing = [column.name for column in columns if column.name not in book.table.column_names]
    if missing:
        raise BookError(problem("RM666", name=name, nearest=nearest(name, book.table.column_names)) for name in missing)
    return book


def _numbers(array: Any, size: Decimal | None) -> tuple[Floats, Booleans]:
    """Return numbers as float64, NaN where there is none, and which cells are empty; `size` is that of their unit."""
    import pyarrow as pa

    from ratemod.reading.numbers import parse_number

    if pa.types.is_floating(array.type) or pa.types.is_integer(array.type) or pa.types.is_decimal(array.type):
        found = np.array(array.cast(pa.float64()).to_numpy(), dtype=np.float64)
        return found * float(size or 1), np.isnan(found)
    at, names = text_levels(array)
    blank = np.array([not name.strip() for name in names] + [True])
    read = [parse_number(name, ANY, size) for name in names]
    value = np.array([np.nan if one is None else float(one) for one in read] + [np.nan])
    return value[at], blank[at]
