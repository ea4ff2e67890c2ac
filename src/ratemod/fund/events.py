"""Events of policies: each counted once, joined to its policy or set aside by name, and every row and fen told.

An event (an endorsement, a receipt, a service, a payment) is one by its number; where it has none, by all that its
row says. A row that stands twice counts once; rows of one number that differ contradict each other, and none of them
counts.
What is left is joined to policies: an event of no policy, of a policy that was refused, or of a day outside the term is
set aside with its reason, and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.errors import Problem, problem
from ratemod.fund.fund_table import NO_DAY, Bools, Columns, Ints, Texts, read_columns
from ratemod.fund.proof import Check
from ratemod.reading.join import join
from ratemod.vocabulary.table import table as declared

# Headers of a running number, which makes rows differ that say the same.
COUNTERS = ("序号", "行号", "编号", "no", "no.", "#", "index", "row")
AMOUNTS = ("amount_fen", "premium_change_fen", "cost_fen", "premium_fen")


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the rows of one table, in rows and fen: ``read = used + repeated + aside + later + other``.

    Attributes
    ----------
    table : str
    rows_in, refused : int, rows given, and those with a cell that cannot be used (their fen are not known)
    repeated, aside, later, other : int
        Rows that stand twice, that meet no policy or term, that are not known yet, that are of another kind.
    fen, repeated_fen, aside_fen, later_fen, other_fen : int, fen of rows that were read, and of each kind
    refused_fen : int, fen of the rows refused, as far as they can be read
    amounts : bool, whether an amount was read at all
    """

    table: str
    rows_in: int
    refused: int
    fen: int
    repeated: int = 0
    repeated_fen: int = 0
    aside: int = 0
    aside_fen: int = 0
    later: int = 0
    later_fen: int = 0
    other: int = 0
    other_fen: int = 0
    refused_fen: int = 0
    amounts: bool = True

    @property
    def used(self) -> int:
        """Rows that count."""
        return self.rows_in - self.refused - self.repeated - self.aside - self.later - self.other

    @property
    def used_fen(self) -> int:
        """Fen that count."""
        return self.fen - self.repeated_fen - self.aside_fen - self.later_fen - self.other_fen

    def check(self, rows: int, fen: int) -> list[Check]:
        """Return that what is used elsewhere is all that was read, less what was left out by name."""
        return [
            Check("rows_read", "all", rows, self.used, of={"table": self.table}, unit="count"),
            Check("fen_read", "all", fen, self.used_fen, of={"table": self.table}),
        ]


@dataclass(frozen=True, eq=False, slots=True)
class Events:
    """Rows of a table of events that count.

    Attributes
    ----------
    rows : Columns
    tally : Tally
    told : tuple of Problem, whatever was refused, repeated or set aside
    place : (n,) int64, row of the policy; empty before `of_policies`
    """

    rows: Columns
    tally: Tally
    told: tuple[Problem, ...]
    place: Ints

    def checks(self) -> list[Check]:
        """Return that the rows that count are all that were read, less what was left out by name."""
        return self.tally.check(len(self.rows), int(_amount(self.rows).sum()))

    def without(self, out: Bools, kind: str, told: Problem | None) -> Events:
        """Return the events less some rows, counted as `kind`: repeated, aside, later or other."""
        if not out.any():
            return self
        amount = _amount(self.rows)[out].sum()
        counts = {kind: getattr(self.tally, kind) + int(out.sum())}
        counts[f"{kind}_fen"] = getattr(self.tally, f"{kind}_fen") + int(amount)
        kept = np.flatnonzero(~out)
        return Events(
            self.rows.take(kept),
            replace(self.tally, **counts),
            self.told if told is None else (*self.told, told),
            self.place[kept] if len(self.place) else self.place,
        )

    def first(self, rows: Bools) -> dict[str, Any]:
        """Return where the first of some rows stands, and how many there are, for a problem."""
        table = self.tally.table
        return {**self.rows.first(rows, table), "table": table, "table_zh": declared(table).label("zh")}


def read_events(
    source: Any,
    table: str,
    needed: Sequence[str],
    more: Sequence[str] = (),
    number: Sequence[str] = (),
    stated: Sequence[str] = (),
) -> Events:
    """Return the events of a file or frame, each once.

    Parameters
    ----------
    source : path, frame or None
        None, or a list with headers and no row yet: nothing has happened.
    table : which shared table it is
    needed, more, stated : names of columns, as `read_columns`
    number : names that together say which event it is, the event's own number last; () where it has none

    Returns
    -------
    Events
        Told: the refused rows; RM750 rows that stand twice; RM751 rows of one number that differ.

    Examples
    --------
    >>> import datetime
    >>> day = datetime.date(2026, 5, 1)
    >>> twice = pa.table({"policy_no": ["A", "A"], "effective_date": [day] * 2, "premium_change_fen": [-5, -5]})
    >>> found = read_events(twice, "endorsements", ("policy_no", "effective_date", "premium_change_fen"))
    >>> len(found.rows), found.tally.repeated, found.tally.used_fen, [item.code for item in found.told]
    (1, 1, -5, ['RM750'])
    """
    given = pa.table({}) if source is None else source
    rows = read_columns(given, table, needed, tuple(dict.fromkeys((*more, *number))), stated)
    return _each_once(
        _events(rows, table), [name for name in number if name in rows] if number and number[-1] in rows else []
    )


def read_policies(source: Any, needed: Sequence[str], more: Sequence[str] = ()) -> Columns:
    """Return the policies of a file or frame, each once; the numbers of those set aside are among `left_out`.

    Returns
    -------
    Columns
        Refused: rows that cannot be used; RM750 a row that stands twice and counts once; RM751 rows of one number that
        differ, of which none counts, and what belongs to the policy is set aside with it (`of_policies`).

    Examples
    --------
    >>> book = pa.table({"policy_no": ["A", "B", "B", "C", "C"], "premium_fen": [1, 2, 2, 3, 4]})
    >>> found = read_policies(book, ("policy_no", "premium_fen"))
    >>> found["policy_no"].tolist(), sorted(numbers_left_out(found)), [item.code for item in found.refused]
    (['A', 'B'], ['C'], ['RM751', 'RM750'])
    """
    return policies_once(source, needed, more).rows


def policies_once(source: Any, needed: Sequence[str], more: Sequence[str] = ()) -> Events:
    """Return the policies of `read_policies` with what became of the other rows."""
    found = _each_once(_events(read_columns(source, "policies", needed, more), "policies"), ("policy_no",))
    return replace(found, rows=replace(found.rows, refused=found.told))


def _events(rows: Columns, table: str) -> Events:
    tally = Tally(
        table=table,
        rows_in=rows.rows_in,
        refused=rows.rows_in - len(rows),
        fen=int(_amount(rows).sum()),
        amounts=any(name in rows for name in AMOUNTS),
        refused_fen=next((int(rows.left_out[name].sum()) for name in AMOUNTS if name in rows.left_out), 0),
    )
    return Events(rows, tally, rows.refused, np.zeros(0, np.int64))


def _amount(rows: Columns) -> Ints:
    return next((rows[name] for name in AMOUNTS if name in rows), np.zeros(len(rows), dtype=np.int64))


def tally_table(found: Iterable[Tally]) -> pa.Table:
    """Return what became of the rows of some tables and of their money, one row a table that holds any.

    ``rows_in = used + refused + repeated + aside + later + other``; amounts of refused rows as far as they can be read.
    """
    rows = [one for one in found if one.rows_in]
    labels = [declared(one.table) for one in rows]
    used = [one.used_fen if one.amounts else None for one in rows]
    out = [one.fen - one.used_fen + one.refused_fen if one.amounts else None for one in rows]
    return pa.table(
        {
            "list": pa.array([label.label_en for label in labels], pa.string()),
            "list_zh": pa.array([label.label_zh for label in labels], pa.string()),
            "rows_in": pa.array([one.rows_in for one in rows], pa.int64()),
        }
        | {
            f"rows_{name}": pa.array([getattr(one, name) for one in rows], pa.int64())
            for name in ("used", "refused", "repeated", "aside", "later", "other")
        }
        | {"rows_used_fen": pa.array(used, pa.int64()), "rows_out_fen": pa.array(out, pa.int64())}
    )


def _each_once(found: Events, number: Sequence[str]) -> Events:
    rows = found.rows
    if not len(rows):
        return found
    key = _alike([rows[name] for name in number], len(rows))
    named = rows[number[-1]] != "" if number else np.zeros(len(rows), dtype=bool)
    if named.all() and len(np.unique(key)) == len(rows):
        return found
    said = _alike(rows.values.values(), len(rows))  # of a number: what is declared
    full = _alike(_contents(rows), len(rows))  # without one: everything in the row
    again = _repeats(np.where(named, said, full + len(rows)))
    least, most = np.full(len(rows), len(rows)), np.full(len(rows), -1)
    np.minimum.at(least, key[named], said[named])
    np.maximum.at(most, key[named], said[named])
    differ = named & (least[key] < most[key])
    if differ.any():
        at = int(np.argmax(differ))
        told = problem("RM751", **found.first(differ), key=str(rows[number[-1]][at]))
        aside = {
            name: np.append(rows.left_out.get(name, column[:0]), column[differ]) for name, column in rows.values.items()
        }
        found, again = found.without(differ, "aside", told), again[~differ]
        found = replace(found, rows=replace(found.rows, left_out=aside))
    if again.any():
        told = problem("RM750", **found.first(again))
        found = found.without(again, "repeated", told)
    return found


def alike(found: Events, number: str) -> Events:
    """Return the events, told RM771 of those that say under another number what an earlier one says.

    Both count: two of a kind on one day may be right, and which of them is wrong no list can tell.

    Examples
    --------
    >>> twice = pa.table({"service_no": ["S1", "S2"], "policy_no": ["A", "A"], "service_type": ["training"] * 2})
    >>> read = read_events(twice, "services", ("policy_no", "service_type"), number=("service_no",))
    >>> found = alike(read, "service_no")
    >>> len(found.rows), [item.code for item in found.told]
    (2, ['RM771'])
    """
    rows = found.rows
    if number not in rows or not len(rows):
        return found
    again = _repeats(_alike((column for name, column in rows.values.items() if name != number), len(rows)))
    if not again.any():
        return found
    told = problem("RM771", **found.first(again), key=str(rows[number][int(np.argmax(again))]))
    return replace(found, told=(*found.told, told))


def _repeats(code: Ints) -> Bools:
    """Return which rows are not the first of their code."""
    again = np.ones(len(code), dtype=bool)
    again[np.unique(code, return_index=True)[1]] = False
    return again


def _alike(columns: Iterable[npt.NDArray[Any] | pa.ChunkedArray], many: int) -> Ints:
    """Return one code for all rows that agree in every column, (n,) int64."""
    import pyarrow.compute as pc

    code = np.zeros(many, dtype=np.int64)
    for column in columns:
        given = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else pa.array(column)
        coded = pc.dictionary_encode(given, null_encoding="encode")
        own = np.asarray(coded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
        code = np.unique(code * (own.max(initial=0) + 1) + own, return_inverse=True)[1].astype(np.int64)
    return code


def _contents(rows: Columns) -> list[Any]:
    """Return every column of the rows as given, read by us or not, but for running numbers."""
    if rows.book is None:
        return list(rows.values.values())
    table = rows.book.table.take(pa.array(rows.at))
    names = table.column_names
    return [table.column(at) for at, name in enumerate(names) if name.strip().casefold() not in COUNTERS]


def meeting(found: Events, keys: Texts, into: str, name: str, gone: Iterable[str] = ()) -> Events:
    """Return events with the place of what they belong to; those that meet nothing are set aside.

    Parameters
    ----------
    found : Events
    keys : (m,) texts, each once
    into : table of the keys; name : column of the key
    gone : keys that were given and refused

    Returns
    -------
    Events
        Told: RM396 no such key, RM753 it was refused.
    """
    met = join(found.rows[name], keys)
    unmet = met.unmet()
    found = replace(found, place=met.place())
    if not unmet.any():
        return found
    refused = unmet & ~join(found.rows[name], list(gone)).unmet()
    fen = _amount(found.rows) if any(amount in found.rows for amount in AMOUNTS) else None
    told = []
    if refused.any():
        key = str(found.rows[name][int(np.argmax(refused))])
        told.append(problem("RM753", **found.first(refused), key=key, into=into, into_zh=declared(into).label_zh))
    if (stray := unmet & ~refused).any():
        place = {name: found.first(stray)[name] for name in ("file", "sheet", "row")}
        told.append(met.lost(stray, found.tally.table, into, fen, **place))
    return replace(found.without(unmet, "aside", None), told=(*found.told, *told))


def of_policies(
    found: Events, book: Columns, gone: Iterable[str] = (), day: str = "", end: Ints | None = None
) -> Events:
    """Return events with the place of their policy; those that meet none, or not within its term, are set aside.

    Parameters
    ----------
    found : Events
    book : Columns
        policy_no, each once; start_date where a day is named.
    gone : policy numbers that were given and refused
    day : name of the day that must lie within the term, "" where any day will do
    end : (policies,) int64 days, first day after the term; None where it is not known

    Returns
    -------
    Events
        Told: those of `meeting`; RM754 outside the term.
    """
    found = meeting(found, book["policy_no"], "policies", "policy_no", gone)
    if not day or not len(found.rows):
        return found
    when, start = found.rows[day], book["start_date"][found.place]
    out = (when != NO_DAY) & (when < start)
    if end is not None:
        out |= (when != NO_DAY) & (when >= end[found.place])
    if not out.any():
        return found
    at = int(np.argmax(out))
    told = problem(
        "RM754",
        **found.first(out),
        label=declared(found.tally.table).columns[day].label_zh,
        name=day,
        policy=str(found.rows["policy_no"][at]),
        day=_iso(when[at]),
        start=_iso(start[at]),
        end="" if end is None else _iso(end[found.place][at]),
    )
    return found.without(out, "aside", told)


def term_end(book: Columns) -> Ints:
    """Return the first day after each policy's term, which a cancellation ends, (policies,) int64 days."""
    ended = book.get("cancelled_date", np.full(len(book), NO_DAY))
    end: Ints = np.where(ended == NO_DAY, book["end_date"], np.minimum(ended, book["end_date"]))
    return end


def _iso(day: Any) -> str:
    return str(np.datetime64(int(day), "D"))


def numbers_left_out(book: Columns) -> frozenset[str]:
    """Return the policy numbers of the rows of a book that were refused."""
    return frozenset(map(str, book.left_out.get("policy_no", ()))) - {""} - set(book["policy_no"].tolist())
