"""From a book to coded columns, with every cell that cannot be used accounted for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.book.book import Book
from ratemod.book.checks import codes_of, differs_within, repeats
from ratemod.book.column import Column
from ratemod.book.convert import MISSING_DATE, Coded, convert
from ratemod.book.derive import derive
from ratemod.errors import BookError, Problem, nearest, problem
from ratemod.plan.model import Plan, names_in, names_in_condition
from ratemod.rating.inputs import Inputs


@dataclass(frozen=True, eq=False, slots=True)
class Doubt:
    """Rows that something is wrong with: ``problems[which - 1]`` of every row where `which` is not 0."""

    which: npt.NDArray[np.int32]
    problems: tuple[Problem, ...]
    final: str = "refused"


@dataclass(frozen=True, eq=False, slots=True)
class Encoded:
    """A book as steps read it.

    Attributes
    ----------
    inputs : Inputs
    doubts : tuple of Doubt
        Rows that must not be priced, by column or check.
    defaulted : mapping of (n,) bool
        Rows where a column's stated default was used.
    derived : tuple of str
        Columns that the book lacked and a derivation filled.
    """

    inputs: Inputs
    doubts: tuple[Doubt, ...]
    defaulted: Mapping[str, npt.NDArray[np.bool_]]
    derived: tuple[str, ...]


def encode(book: Book, plan: Plan) -> Encoded:
    """Return the coded columns of a book.

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
        if _lacks(column, table, plan)
    ]
    if lacking:
        raise BookError(lacking)
    coded = {
        name: convert(table[name], column, book.conversions.get(name))
        for name, column in plan.columns.items()
        if name in table.column_names
    }
    derived = _derive(plan, coded, table.num_rows)
    numbers: dict[str, npt.NDArray[np.float64]] = {}
    codes: dict[str, npt.NDArray[np.int16]] = {}
    defaulted: dict[str, npt.NDArray[np.bool_]] = {}
    doubts = [Doubt(found.problem_of, found.problems) for found in coded.values() if found.problem_of is not None]
    for name, column in plan.columns.items():
        if column.kind == "text":
            continue
        found = coded.get(name)
        values = _absent(column, table.num_rows) if found is None else found.values
        if column.default is not None:
            values, used = _defaults(column, values, None if found is None else found.problem_of)
            if used.any():
                defaulted[name] = used
        if column.kind in ("level", "flag"):
            codes[name] = values
        elif column.kind == "date":
            numbers[name] = np.where(values == MISSING_DATE, np.nan, values.astype(np.float64))
        else:
            numbers[name] = values
    filled, texts = _texts(plan, coded, table.num_rows)
    groups = {step.group: codes_of(table[step.group]) for step in plan.steps if step.group}
    ranks = _ranks(table[plan.key]) if groups and plan.key in table.column_names else None
    inputs = Inputs(table.num_rows, numbers, codes, filled, texts, groups, ranks)
    doubts += list(_checks(plan, table, inputs))
    return Encoded(inputs, tuple(doubts), defaulted, derived)


def _near(column: Column, headers: list[str], plan: Plan) -> str | None:
    """Return the header that comes nearest to a column's names, among those that mean no column."""
    free = [header for header in headers if header not in plan.columns]
    return next((near for name in column.names() if (near := nearest(name, free))), None)


def _lacks(column: Column, table: pa.Table, plan: Plan) -> bool:
    if column.name in table.column_names or column.optional or column.default is not None:
        return False
    return not column.derive


def _derive(plan: Plan, coded: dict[str, Coded], n: int) -> tuple[str, ...]:
    """Fill the columns that the book lacks from others, in place."""
    derived = []
    for name, column in plan.columns.items():
        if name in coded or not column.derive:
            continue
        coded[name] = derive(column, coded, plan.columns, n)
        derived.append(name)
    return tuple(derived)


def _absent(column: Column, n: int) -> npt.NDArray[Any]:
    if column.kind in ("level", "flag"):
        return np.full(n, -1, dtype=np.int16)
    if column.kind == "date":
        return np.full(n, MISSING_DATE, dtype=np.int32)
    return np.full(n, np.nan)


def _defaults(
    column: Column,
    values: npt.NDArray[Any],
    problem_of: npt.NDArray[np.int32] | None,
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Return values with the stated default where a cell is empty (not where it is wrong), and where that was."""
    assert column.default is not None
    if column.kind in ("level", "flag"):
        empty, default = values == -1, column.codes().index(column.default)
    elif column.kind == "date":
        empty, default = values == MISSING_DATE, int(np.datetime64(column.default, "D").astype(int))
    else:
        empty, default = np.isnan(values), float(Decimal(column.default))  # type: ignore[assignment]
    if problem_of is not None:
        empty &= problem_of == 0
    return np.where(empty, np.asarray(default, dtype=values.dtype), values), empty


def _texts(
    plan: Plan,
    coded: Mapping[str, Coded],
    n: int,
) -> tuple[dict[str, npt.NDArray[np.bool_]], dict[str, npt.NDArray[Any]]]:
    used = {name for step in plan.steps for name in names_in(step)}
    used |= {name for rule in plan.rules for name in names_in_condition(rule.when)}
    used |= {name for item in plan.legal if item.exception for name in names_in_condition(item.exception.when)}
    filled, texts = {}, {}
    for name in used:
        if name in plan.columns and plan.columns[name].kind == "text":
            values = coded[name].values.to_pylist() if name in coded else [None] * n
            texts[name] = np.array(["" if value is None else value.strip() for value in values], dtype=object)
            filled[name] = texts[name] != ""
    return filled, texts


def _ranks(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    keys = np.array([str(value) for value in column.to_pylist()])
    order = np.argsort(keys, kind="stable")
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[order] = np.arange(len(keys))
    return ranks


def _checks(plan: Plan, table: pa.Table, inputs: Inputs) -> Iterator[Doubt]:
    """Yield the rows that break a rule across rows."""
    for check in plan.checks:
        if check.of not in table.column_names:
            continue
        if check.kind == "unique":
            broken = repeats(table[check.of])
        elif check.by in table.column_names:
            broken = differs_within(_values(check.of, table, inputs), table[check.by])
        else:
            continue
        if broken.any():
            told = problem("RM302", name=check.name, message_en=check.message_en, message_zh=check.message_zh)
            yield Doubt(broken.astype(np.int32), (told,))


def _values(name: str, table: pa.Table, inputs: Inputs) -> Any:
    if name in inputs.numbers:
        return inputs.numbers[name]
    return inputs.codes[name] if name in inputs.codes else table[name]
