"""The edition of a scheme that a list is priced under, where no day and no edition was named: that of its rows.

A row belongs to the edition in force on its first day for its kind of business (the latest to start). One list is
priced under one edition, so that its totals, its checks across rows and its workbook have one meaning; where rows
belong to several, none is guessed: they are named, with what to run for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ratemod.errors import BookError, PlanError, problem
from ratemod.plan.editions import Business, choose, editions_of, load_plan
from ratemod.plan.model import Plan
from ratemod.rating.invariants import first_day, renewals
from ratemod.reading.book import Book
from ratemod.reading.convert import MISSING_DATE, convert
from ratemod.reading.receipt import listed
from ratemod.rules.options import strict
from ratemod.vocabulary.column import Column

FEW = 8  # rows that a refusal names of each edition
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, eq=False, slots=True)
class Choice:
    """A list and the edition that it is priced under."""

    book: Book
    plan: Plan


def by_rows(name: str | Path, at: date | None) -> bool:
    """Return whether rows pick the edition: a scheme of several was named, and no day."""
    return at is None and len(editions_of(name)) > 1


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
        RM300 where rows belong to several editions.
    """
    if not isinstance(plan, Plan) and not by_rows(plan, at):
        plan = load_plan(plan, at, business)
    if isinstance(plan, Plan):
        return Choice(read(plan.columns), plan)
    editions = [load_plan(folder) for folder in editions_of(plan)]
    known = read({name: column for one in editions for name, column in one.columns.items()})
    chosen = edition_of(known, editions, business, str(plan))
    alike = all(one.columns == chosen.columns for one in editions)
    return Choice(known if alike else read(chosen.columns), chosen)


def edition_of(book: Book, editions: list[Plan], business: Business, name: str) -> Plan:
    """Return the one edition that all rows with a first day belong to, of those in force on any such day."""
    which = belongs(book, editions, business)
    found = np.unique(which[which >= 0])
    if len(found) == 1:
        return editions[int(found[0])]
    if not len(found):
        raise PlanError(problem("RM171", name=name, editions=", ".join(plan.edition for plan in editions)))
    said, runs = [], []
    for at in found.tolist():
        rows = np.flatnonzero(which == at)
        said.append(f"{name}/{editions[at].edition} ({len(rows)}: {listed(book.said(rows[: FEW + 1].tolist()), FEW)})")
        runs.append(f"--plan {name}/{editions[at].edition}")
    told = problem("RM300", file=book.file, sheet=book.sheet, editions="; ".join(said), runs="; ".join(runs))
    raise BookError(told)


@strict
def belongs(book: Book, editions: list[Plan], business: Business) -> npt.NDArray[np.int64]:
    """Return the place of each row's edition, -1 where it has no day or none is in force: (n,) int64."""
    n = book.table.num_rows
    newest = editions[-1]
    name = first_day(newest)
    which = np.full(n, -1, dtype=np.int64)
    if name is None or name not in book.table.column_names:
        return which
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
    return which
