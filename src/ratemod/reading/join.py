"""Rows of one table held against the keys of another: what each meets, and what met nothing on either side.

Keys are compared in canonical form, so that "A", "a " and "Ａ" are one. Where several rows are sought by one key,
`place` is the row that stands first, and `repeated` names them all.

    rows that ask = rows that meet + rows that meet nothing
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.errors import BookError, Lang, Problem, nearest, problem, text
from ratemod.money import yuan_text
from ratemod.reading.arrow import filled_with
from ratemod.reading.identifiers import keys as canonical_keys
from ratemod.rules.options import strict
from ratemod.vocabulary.table import tables

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
FEW, MOST_KNOWN = 5, 2000  # keys that a message names; keys that a slip is sought among


@dataclass(frozen=True, slots=True)
class Meeting:
    """What two tables are to each other: rows of a list that ask, rows of a table that are asked for.

    Attributes
    ----------
    table : name of the table that is asked for
    asked, unmet : rows of the list, and those that met nothing
    there, idle : rows of the table, and those that nobody asked for
    idle_keys : the first different keys of the latter
    idle_fen : their money, None where the table has none
    """

    table: str
    asked: int
    unmet: int
    there: int
    idle: int
    idle_keys: tuple[str, ...]
    idle_fen: int | None

    @strict
    def said(self, lang: Lang) -> str:
        """Return it in one sentence."""
        called = _called(table=self.table)["table_zh" if lang == "zh" else "table"]
        line = text("UI_join_met", lang, table=called, asked=self.asked, met=self.asked - self.unmet)
        if not self.idle:
            return line
        money = "" if self.idle_fen is None else text("UI_join_money", lang, yuan=yuan_text(self.idle_fen))
        keys = ", ".join(self.idle_keys) or "–"
        return line + text("UI_join_idle", lang, idle=self.idle, there=self.there, keys=keys, money=money)


@dataclass(frozen=True, eq=False, slots=True)
class Join:
    """n rows that ask and m rows that are there.

    Attributes
    ----------
    asked : (n,) int64, number of each row's key, -1 where it has none
    there : (m,) int64, number of each row's key, -1 where it has none or nobody asks for it
    count : int, different keys that are asked for
    asked_keys, there_keys : Arrow texts, (n,) and (m,), as they were given
    """

    asked: Ints
    there: Ints
    count: int
    asked_keys: pa.Array
    there_keys: pa.Array

    def place(self) -> Ints:
        """Return the row that each asking row meets, the first of several, (n,) int64; -1 where it meets none."""
        first = np.full(self.count + 1, -1, dtype=np.int64)
        rows = np.flatnonzero(self.there >= 0)[::-1]
        first[self.there[rows]] = rows
        return first[self.asked]

    def unmet(self) -> Mask:
        """Return the asking rows that meet nothing, (n,) bool; those without a key are among them."""
        return ~self._occurs(self.there)[self.asked]

    def idle(self) -> Mask:
        """Return the rows there that nobody asks for, (m,) bool."""
        return self.there < 0

    def repeated(self) -> Mask:
        """Return the rows there that are asked for by a key that another row there has too, (m,) bool."""
        many = np.bincount(self.there + 1, minlength=self.count + 1)
        return (many[self.there + 1] > 1) & (self.there >= 0)

    def one(self, table: str, into: str) -> Ints:
        """Return `place`, where every asking row must meet exactly one.

        Raises
        ------
        BookError
            RM396 rows that meet nothing, RM397 several rows of one key.
        """
        if wrong := [*self.told(table, into), *self.twice(table, into)]:
            raise BookError(wrong)
        return self.place()

    def meeting(self, table: str, there_fen: Ints | None = None) -> Meeting:
        """Return what is to be said of both sides; `there_fen` is the money of the rows there, (m,) int64."""
        idle = np.flatnonzero(self.idle())
        return Meeting(
            table=table,
            asked=len(self.asked),
            unmet=int(self.unmet().sum()),
            there=len(self.there),
            idle=len(idle),
            idle_keys=tuple(_first(self.there_keys, idle[:MOST_KNOWN])),
            idle_fen=None if there_fen is None else int(there_fen[idle].sum()),
        )

    def _occurs(self, numbers: Ints) -> Mask:
        found = np.zeros(self.count + 1, dtype=bool)
        found[numbers] = True
        found[-1] = False  # rows without a key
        return found

    def told(self, table: str, into: str, fen: Ints | None = None, **place: Any) -> tuple[Problem, ...]:
        """Return RM396 where asking rows meet nothing; empty where all meet.

        Parameters
        ----------
        table, into : names of shared tables, or what the tables are called
        fen : (n,) int64, the money of the asking rows, optional
        place : file, sheet and row of the first of them, optional
        """
        unmet = self.unmet()
        if not unmet.any():
            return ()
        return (self.lost(unmet, table, into, fen, **place),)

    def lost(self, unmet: Mask, table: str, into: str, fen: Ints | None = None, **place: Any) -> Problem:
        """Return RM396 about some asking rows: how many of how many, the first keys, their money."""
        rows = np.flatnonzero(unmet)
        names = _first(self.asked_keys, rows[:MOST_KNOWN])
        near = nearest(names[0], _first(self.there_keys, range(len(self.there)), MOST_KNOWN)) if names else None
        money = "" if fen is None else yuan_text(int(fen[rows].sum()))
        return problem(
            "RM396",
            count=len(rows),
            rows=len(self.asked),
            keys=", ".join(names) or "–",
            money=text("UI_join_money", "en", yuan=money) if money else "",
            money_zh=text("UI_join_money", "zh", yuan=money) if money else "",
            nearest=near,
            **place,
            **_called(table=table, into=into),
        )

    def twice(self, table: str, into: str) -> tuple[Problem, ...]:
        """Return RM397 where a key that is asked for stands in several rows; empty where each stands once."""
        rows = np.flatnonzero(self.repeated())
        if not len(rows):
            return ()
        return (problem("RM397", count=len(rows), keys=", ".join(_first(self.there_keys, rows[:MOST_KNOWN])),
                        **_called(table=table, into=into)),)  # fmt: skip


def join(asked: Any, there: Any) -> Join:
    """Return rows of one table held against the keys of another.

    Parameters
    ----------
    asked, there : (n,) and (m,) texts, Arrow or any sequence; of a dictionary only the different keys are compared

    Examples
    --------
    >>> met = join(["b", "a", "b", " B", "x", ""], ["A", "c", "b", "b"])
    >>> met.asked.tolist(), met.there.tolist(), met.count
    ([0, 1, 0, 0, 2, -1], [1, -1, 0, 0], 3)
    >>> met.place().tolist(), met.unmet().tolist()
    ([2, 0, 2, 2, -1, -1], [False, False, False, False, True, True])
    >>> met.idle().tolist(), met.repeated().tolist()
    ([False, True, False, False], [False, False, True, True])
    """
    left, right = texts(asked), texts(there)
    coded = left if pa.types.is_dictionary(left.type) else pc.dictionary_encode(left)
    names, numbers = canonical_keys(coded.dictionary), filled_with(coded.indices, -1)
    if names is not coded.dictionary:  # "A", "a" and "A " are one
        names, numbers = _as_one(names, numbers)
    if pa.types.is_dictionary(right.type):
        known = np.append(_among(canonical_keys(right.dictionary), names), -1)
        return Join(numbers, known[filled_with(right.indices, -1)], len(names), left, right)
    return Join(numbers, _among(canonical_keys(right), names), len(names), left, right)


def _as_one(names: pa.Array, numbers: Ints) -> tuple[pa.Array, Ints]:
    """Return different canonical names, and the number of each row among them, -1 where it has none."""
    coded = pc.dictionary_encode(names)
    return coded.dictionary, np.append(filled_with(coded.indices, -1), -1)[numbers]


def _among(values: pa.Array, names: pa.Array) -> Ints:
    return filled_with(pc.index_in(values, value_set=names, skip_nulls=True), -1)


def texts(values: Any) -> pa.Array:
    """Return keys as one Arrow array of texts, or of a dictionary of them."""
    array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, pa.string())
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks() if array.num_chunks != 1 else array.chunk(0)
    known = pa.types.is_dictionary(array.type) or pa.types.is_string(array.type)
    return array if known else array.cast(pa.string())


def _first(keys: pa.Array, rows: Iterable[int], most: int = FEW) -> list[str]:
    """Return the first different keys of some rows that have one."""

    def said() -> Iterator[str]:
        seen = {""}
        for row in rows:
            key = keys[int(row)].as_py() or ""
            if key.strip() and key not in seen:
                seen.add(key)
                yield key

    return list(itertools.islice(said(), most))


def _called(**names: str) -> dict[str, Any]:
    """Return what tables are called in both languages."""
    said = {}
    for role, name in names.items():
        declared = tables().get(name)
        said[role] = declared.label_en if declared else name
        said[f"{role}_zh"] = declared.label_zh if declared else name
    return said
