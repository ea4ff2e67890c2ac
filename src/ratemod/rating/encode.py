"""From a book to coded columns, with every cell that cannot be used accounted for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.errors import BookError, Problem, nearest, problem
from ratemod.plan.model import Check, Plan
from ratemod.plan.reads import conditions_of, tests_of
from ratemod.rating.groups import together
from ratemod.rating.inputs import Groups, Inputs, Selector
from ratemod.rating.invariants import TRIED, Dating, out_of_order, outside_edition, remarks
from ratemod.reading.arrow import filled_with, to_arrow
from ratemod.reading.book import Book
from ratemod.reading.checks import ascending, codes_of, differs_within, repeats
from ratemod.reading.convert import MISSING_DATE, Coded, convert, nan_unless, value_of, words
from ratemod.reading.derive import NEEDS, derive
from ratemod.reading.identifiers import Identity, identity_of
from ratemod.reading.identifiers import keys as canonical_keys
from ratemod.reading.plain import plain
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.level_codes import Codes


@dataclass(frozen=True, eq=False, slots=True)
class Doubt:
    """Rows that something is wrong with: ``problems[which - 1]`` of every row where `which` is not 0.

    `cell` is the column whose cell is in doubt; `over` are the columns that a check across rows compares.
    """

    which: npt.NDArray[np.int32] | npt.NDArray[np.uint8]
    problems: tuple[Problem, ...]
    final: str = "refused"
    cell: str | None = None
    over: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Encoded:
    """Some rows of a book as steps read them.

    Attributes
    ----------
    inputs : Inputs
    doubts : mapping of column to Doubt
        Cells that cannot be used.
    remarks : mapping of column to Doubt
        What is worth a look, but does not keep a row from being priced.
    defaulted : mapping of (n,) bool
        Rows where a column's stated default was used.
    """

    inputs: Inputs
    doubts: Mapping[str, Doubt]
    remarks: Mapping[str, Doubt]
    defaulted: Mapping[str, npt.NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class Coding:
    """A book under a plan, ready to be coded, all of it or a few rows at a time.

    Rows are coded a block at a time while they are priced: whole columns of fresh memory cost more than the arithmetic.

    Attributes
    ----------
    table : pyarrow.Table
        The book's columns that the plan declares.
    derived : tuple of str
        Columns that the book lacks and a derivation fills.
    groups : mapping of (n,) int64
        What rows are rolled up by.
    texts : tuple of str
        Text columns that steps or conditions read.
    tested : set of str
        Those of them that a condition holds to values.
    unused : set of str
        Text columns whose cells nobody reads and in which nothing can be wrong.
    identities : mapping of column to the kind of identifier that it holds
    dating : Dating
        How first days are held against the dates of the edition.
    """

    book: Book
    plan: Plan
    table: pa.Table
    derived: tuple[str, ...]
    groups: Groups
    ranks: npt.NDArray[np.int64] | None
    texts: tuple[str, ...]
    tested: frozenset[str]
    unused: frozenset[str]
    identities: Mapping[str, Identity]
    dating: Dating = TRIED

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.table.num_rows)

    @cached_property
    def inputs(self) -> Inputs:
        """All rows, coded."""
        return self.part(slice(0, self.n))

    def part(self, rows: Selector) -> Inputs:
        """Return some rows, coded."""
        return self.code(rows).inputs

    def code(self, rows: Selector) -> Encoded:
        """Return some rows, coded, with what is wrong with them."""
        table = (
            self.table.slice(rows.start, rows.stop - rows.start)
            if isinstance(rows, slice)
            else self.table.take(to_arrow(np.asarray(rows, dtype=np.int64)))
        )
        plan, n = self.plan, table.num_rows
        coded = {
            name: convert(table[name], plan.columns[name], self.book.conversions.get(name), self.identities.get(name))
            for name in table.column_names
            if name not in self.unused
        }
        for name in self.derived:
            coded[name] = derive(plan.columns[name], coded, plan.columns, n)
        numbers: dict[str, npt.NDArray[Any]] = {}
        codes: dict[str, Codes] = {}
        defaulted: dict[str, npt.NDArray[np.bool_]] = {}
        for name, column in plan.columns.items():
            if column.kind == "text":
                continue
            found = coded.get(name)
            values = _absent(column, n) if found is None else found.values
            if column.default is not None:
                values, used = _defaults(column, values, None if found is None else found.problem_of)
                if used.any():
                    defaulted[name] = used
            if column.kind in ("level", "flag"):
                codes[name] = values
            elif column.kind == "date":
                empty = values == MISSING_DATE
                numbers[name] = nan_unless(~empty, values.astype(np.float64)) if empty.any() else values
            else:
                numbers[name] = values
        filled, texts = _texts(self, table, coded)
        doubts = {
            name: Doubt(found.problem_of, found.problems)
            for name, found in coded.items()
            if found.problem_of is not None
        }
        for name, wrong, told in out_of_order(plan, numbers):
            doubts[name] = _with(doubts.get(name), wrong, told)
        said: dict[str, Doubt] = {}
        for name, wrong, told in remarks(plan, coded, n):
            said[name] = _with(said.get(name), wrong, told)
        into = doubts if self.dating.outside == "refuse" else said
        for name, wrong, told in outside_edition(plan, coded, self.dating.business):
            into[name] = _with(into.get(name), wrong, told)
        groups = {name: array[rows] for name, array in self.groups.items()}
        ranks = None if self.ranks is None else self.ranks[rows]
        return Encoded(Inputs(n, numbers, codes, filled, texts, groups, ranks), doubts, said, defaulted)


def _with(known: Doubt | None, wrong: npt.NDArray[np.bool_], told: Problem) -> Doubt:
    """Return a column's doubts with a further one, which the rows have that had none before."""
    if known is None:
        return Doubt(wrong.astype(np.int32), (told,))
    which = known.which.astype(np.int32)
    which[wrong & (which == 0)] = len(known.problems) + 1
    return Doubt(which, (*known.problems, told))


def prepare(book: Book, plan: Plan, dating: Dating = TRIED) -> Coding:
    """Return a book ready to be coded.

    Raises
    ------
    BookError
        RM301 for every column that the plan needs and the book lacks, all at once.
    """
    table = book.table
    lacking = [
        problem(
            "RM301",
            file=book.file,
            sheet=book.sheet,
            column=column.name,
            label=column.label("zh"),
            nearest=_near(column, table.column_names, plan),
        )
        for column in plan.columns.values()
        if _lacks(column, table)
    ]
    if lacking:
        raise BookError(lacking)
    given = [name for name in plan.columns if name in table.column_names]
    derived = tuple(name for name, column in plan.columns.items() if column.derive and name not in given)
    groups = {names: together([codes_of(identifiers(table[name])) for name in names]) for names in plan.groups}
    ranks = _ranks(identifiers(table[plan.key])) if groups and plan.key in table.column_names else None
    own, (texts, tested) = table.select(given), _texts_read(plan)
    known = identities(plan)
    unused = _unused(plan, own, texts, derived, known)
    return Coding(book, plan, own, derived, groups, ranks, texts, tested, unused, known, dating)


def identities(plan: Plan) -> dict[str, Identity]:
    """Return the text columns of a plan that rows are found or compared by, and what each holds."""
    keys = {plan.key, *(name for names in plan.groups for name in names)}
    keys |= {check.of if check.kind == "unique" else check.by for check in plan.checks}
    found: dict[str, Identity] = {}
    for name, column in plan.columns.items():
        own = identity_of(column) or ("key" if name in keys and column.kind == "text" else None)
        if own:
            found[name] = own
    return found


def identifiers(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return a column that rows are found or compared by in its canonical form: (n,) text, null where empty."""
    return canonical_keys(plain(column).cells)


def gather(
    parts: Sequence[tuple[int, Encoded]],
    plan: Plan,
    n: int,
) -> tuple[list[Doubt], list[Doubt], dict[str, npt.NDArray[np.bool_]]]:
    """Return the doubts, the remarks and the defaults used of a whole book from those of its parts.

    Parameters
    ----------
    parts : sequence of (first row, Encoded), in any order
    """
    ordered = sorted(parts, key=lambda part: part[0])
    doubts = _gathered([(start, encoded.doubts) for start, encoded in ordered], plan, n, "refused")
    said = _gathered([(start, encoded.remarks) for start, encoded in ordered], plan, n, "label")
    defaulted: dict[str, npt.NDArray[np.bool_]] = {}
    for start, encoded in ordered:
        for name, used in encoded.defaulted.items():
            defaulted.setdefault(name, np.zeros(n, dtype=bool))[start : start + len(used)] = used
    return doubts, said, {name: defaulted[name] for name in plan.columns if name in defaulted}


def _gathered(parts: Sequence[tuple[int, Mapping[str, Doubt]]], plan: Plan, n: int, final: str) -> list[Doubt]:
    which: dict[str, npt.NDArray[np.int32]] = {}
    numbers: dict[str, dict[str, int]] = {}
    told: dict[str, list[Problem]] = {}
    for start, found in parts:
        for name, doubt in found.items():
            known = numbers.setdefault(name, {})
            place = np.zeros(len(doubt.problems) + 1, dtype=np.int32)
            for at, item in enumerate(doubt.problems, 1):
                key = repr((item.code, sorted(item.args.items(), key=lambda pair: pair[0])))
                if key not in known:
                    known[key] = len(known) + 1
                    told.setdefault(name, []).append(item)
                place[at] = known[key]
            whole = which.setdefault(name, np.zeros(n, dtype=np.int32))
            whole[start : start + len(doubt.which)] = place[doubt.which]
    return [Doubt(which[name], tuple(told[name]), final, name) for name in plan.columns if name in which]


def _near(column: Column, headers: list[str], plan: Plan) -> str | None:
    """Return the header that comes nearest to a column's names, among those that mean no column."""
    free = [header for header in headers if header not in plan.columns]
    return next((near for name in column.names() if (near := nearest(name, free))), None)


def _lacks(column: Column, table: pa.Table) -> bool:
    if column.name in table.column_names or column.optional or column.default is not None:
        return False
    return not column.derive


def _absent(column: Column, n: int) -> npt.NDArray[Any]:
    if column.kind in ("level", "flag"):
        return np.full(n, -1, dtype=column.code_type)
    if column.kind == "date":
        return np.full(n, MISSING_DATE, dtype=np.int32)
    return np.broadcast_to(np.array(np.nan), n)  # one number seen n times


def _defaults(
    column: Column,
    values: npt.NDArray[Any],
    problem_of: npt.NDArray[np.int32] | None,
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Return values with the stated default where a cell is empty (not where it is wrong), and where that was."""
    assert column.default is not None
    default, _ = value_of(column.default, column)  # through the door that every cell goes through
    if column.kind in ("level", "flag"):
        empty = values == -1
    else:
        empty = values == MISSING_DATE if column.kind == "date" else np.isnan(values)
    if problem_of is not None:
        empty &= problem_of == 0
    return np.where(empty, np.asarray(default, dtype=values.dtype), values), empty


def _texts(
    coding: Coding, table: pa.Table, coded: Mapping[str, Coded]
) -> tuple[dict[str, npt.NDArray[np.bool_]], dict[str, npt.NDArray[Any]]]:
    n = table.num_rows
    filled: dict[str, npt.NDArray[np.bool_]] = {}
    texts: dict[str, npt.NDArray[Any]] = {}
    for name in coding.texts:
        if name not in coded and name not in table.column_names:
            texts |= {name: np.full(n, "", dtype=object)} if name in coding.tested else {}
            filled[name] = np.zeros(n, dtype=bool)
            continue
        array = coded[name].values
        if not pa.types.is_dictionary(array.type):
            array = array.dictionary_encode()
        unique = np.array([value or "" for value in array.dictionary.to_pylist()] + [""], dtype=object)
        place = filled_with(array.indices, len(unique) - 1)
        filled[name] = (unique != "").take(place)
        if name in coding.tested:
            texts[name] = unique[place]
    return filled, texts


def _texts_read(plan: Plan) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the text columns that steps or conditions read, and those that a condition holds to values."""
    used = plan.graph().read_by("step", "rule", "legal")
    conditions = conditions_of(plan)
    tested = {test.of for condition in conditions for test in tests_of(condition) if test.names_levels}
    texts = tuple(name for name, column in plan.columns.items() if column.kind == "text" and name in used)
    return texts, frozenset(name for name in texts if name in tested)


def _unused(
    plan: Plan, table: pa.Table, texts: Sequence[str], derived: Sequence[str], known: Mapping[str, Identity]
) -> frozenset[str]:
    """Return the text columns that may be empty and that nobody reads: in these nothing can be wrong."""
    needed = {*texts, *known, *(name for column in derived for name in NEEDS[plan.columns[column].derive or ""])}
    return frozenset(
        name
        for name in table.column_names
        if plan.columns[name].kind == "text" and plan.columns[name].optional and name not in needed
    )


def _ranks(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    keys = np.array([str(value) for value in column.to_pylist()])
    order = np.argsort(keys, kind="stable")
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[order] = np.arange(len(keys))
    return ranks


def checked(coding: Coding) -> Iterator[Doubt]:
    """Yield the rows that break a rule across rows."""
    table, plan = coding.book.table, coding.plan
    for check in plan.checks:
        if check.of not in table.column_names:
            continue
        if check.kind == "unique":
            broken = repeats(identifiers(table[check.of]))
        elif check.by in table.column_names:
            by = identifiers(table[check.by])
            if ascending(by):
                continue
            broken = differs_within(_values(check.of, coding), by)
        else:
            continue
        if broken.any():
            yield broken_check(check, broken.astype(np.int32))


def broken_check(check: Check, which: npt.NDArray[np.int32]) -> Doubt:
    """Return the doubt of rows that break a check across rows."""
    told = problem("RM302", name=check.name, message_en=check.message_en, message_zh=check.message_zh)
    over = (check.of,) if check.kind == "unique" else (check.of, check.by)
    return Doubt(which, (told,), over=over)


def _values(name: str, coding: Coding) -> Any:
    inputs = coding.inputs
    if name in inputs.numbers:
        return inputs.numbers[name]
    return inputs.codes[name] if name in inputs.codes else words(plain(coding.book.table[name]).cells)
