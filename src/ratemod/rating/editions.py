"""The editions of a scheme that a list is priced under, where no day and no edition was named: those of its rows.

A row belongs to the edition in force on its first day for its kind of business (the latest to start). Where rows belong
to several, each is priced under its own, side by side (`ratemod.rating.side_by_side`); a row that begins in none goes
with the first of those that others belong to, or the last where it begins after it, and is held to its dates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ratemod.errors import BookError, PlanError, Problem, problem
from ratemod.plan.editions import Business, choose, editions_of, load_plan
from ratemod.plan.model import Plan
from ratemod.rating.invariants import first_day, renewals
from ratemod.rating.union import apart, side_by_side
from ratemod.reading.book import Book
from ratemod.reading.convert import MISSING_DATE, convert
from ratemod.reading.receipt import listed
from ratemod.rules.options import strict
from ratemod.vocabulary.column import Column

FEW = 8  # rows that a refusal names of each edition
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, eq=False, slots=True)
class Portion:
    """The rows of a list that belong to one edition.

    Attributes
    ----------
    plan : Plan
    book : Book, the whole list, read by the columns of the edition
    rows : (k,) int64, ascending, its rows
    """

    plan: Plan
    book: Book
    rows: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Choice:
    """A list and what it is priced under: one edition, or, with `portions`, each row under its own.

    Attributes
    ----------
    book : Book, the whole list
    plan : Plan, the one edition; of several, what they show between them (`side_by_side`)
    portions : tuple of Portion, oldest edition first; empty for one edition
    """

    book: Book
    plan: Plan
    portions: tuple[Portion, ...] = ()


def by_rows(name: str | Path, at: date | None) -> bool:
    """Return whether rows pick the edition: a scheme of several was named, and no day."""
    return at is None and len(editions_of(name)) > 1


@strict
def load_one(name: str | Path, at: date | str | None, business: Business) -> Plan:
    """Return the one edition that a list which is never in memory as a whole is priced under.

    Raises
    ------
    PlanError
        As `load_plan`; RM402 a scheme of several editions without a day.
    """
    if at is not None or not by_rows(name, None):
        return load_plan(name, at, business)
    editions = [folder.name for folder in editions_of(name)]
    raise PlanError(problem("RM402", name=str(name), editions=", ".join(editions), first=f"{name}/{editions[0]}"))


@strict
def read_under(
    plan: Plan | str | Path, read: Callable[[Mapping[str, Column]], Book], at: date | None, business: Business
) -> Choice:
    """Return a list read under the plan that a name, a day and the rows of the list pick.

    Parameters
    ----------
    plan : a plan in hand, or what `load_plan` takes
    read : function
        Reads the list by the columns that it is given.
    at : day, optional
        Names the edition, whatever the rows say.
    business : "new" or "renewal"
        Of rows that do not say it.

    Raises
    ------
    PlanError
        As `load_plan`; RM171 where no row begins within an edition.
    BookError
        RM300 where rows belong to several editions that cannot stand in one table.
    """
    if not isinstance(plan, Plan) and not by_rows(plan, at):
        plan = load_plan(plan, at, business)
    if isinstance(plan, Plan):
        return Choice(read(plan.columns), plan)
    editions = [load_plan(folder) for folder in editions_of(plan)]
    known = read({name: column for one in editions for name, column in one.columns.items()})
    which, before = belongs(known, editions, business)
    found = np.unique(which[which >= 0]).tolist()
    if not found:
        raise PlanError(problem("RM171", name=str(plan), editions=", ".join(one.edition for one in editions)))
    if len(found) == 1:
        chosen = editions[found[0]]
        return Choice(known if _alike(editions) else read(chosen.columns), chosen)
    used = [editions[at] for at in found]
    if (why := apart(used)) is not None:
        raise BookError(_several(known, used, which, found, str(plan), why))
    which = np.where(which >= 0, which, np.where(before, found[0], found[-1]))
    portions = []
    for at, one in zip(found, used):
        book = known if _alike(editions) else read(one.columns)
        if not np.array_equal(book.numbers, known.numbers):
            raise BookError(_several(known, used, which, found, str(plan), "rows"))
        portions.append(Portion(one, book, np.flatnonzero(which == at)))
    return Choice(known, side_by_side(used), tuple(portions))


def _alike(editions: list[Plan]) -> bool:
    return all(one.columns == editions[0].columns for one in editions)


def _several(
    book: Book, used: list[Plan], which: npt.NDArray[np.int64], found: list[int], name: str, why: str
) -> Problem:
    """Return RM300: the rows of each edition, what the editions do not agree in, and what to run for each."""
    said, runs = [], []
    for at, plan in zip(found, used):
        rows = np.flatnonzero(which == at)
        said.append(f"{name}/{plan.edition} ({len(rows)}: {listed(book.said(rows[: FEW + 1].tolist()), FEW)})")
        runs.append(f"--plan {name}/{plan.edition}")
    return problem("RM300", file=book.file, sheet=book.sheet, editions="; ".join(said), runs="; ".join(runs), why=why)


@strict
def belongs(
    book: Book, editions: list[Plan], business: Business
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return the place of each row's edition, -1 where it has no day or none is in force, and who begins before all.

    Returns
    -------
    which : (n,) int64
    before : (n,) bool, without a day or before the first day of every edition
    """
    n = book.table.num_rows
    newest = editions[-1]
    name = first_day(newest)
    which = np.full(n, -1, dtype=np.int64)
    if name is None or name not in book.table.column_names:
        return which, np.ones(n, dtype=bool)
    coded = {
        column: convert(book.table[column], newest.columns[column], book.conversions.get(column))
        for column in (name, "business")
        if column in newest.columns and column in book.table.column_names
    }
    days, renewed = coded[name].values, renewals(newest, coded, n, business)
    for kind, rows in (("new", ~renewed), ("renewal", renewed)):
        for day in np.unique(days[rows & (days != MISSING_DATE)]).tolist():
            plan = choose(editions, EPOCH + timedelta(days=int(day)), kind)  # type: ignore[arg-type]
            if plan is not None:
                which[rows & (days == day)] = editions.index(plan)
    first = min(min(plan.new_from, plan.renewal_from) for plan in editions)
    return which, days < (first - EPOCH).days
