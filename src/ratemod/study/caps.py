"""Caps on renewals are transitional: the rates are made without them, and what they withhold has a schedule of its own.

A step that holds a premium against last year's (``cap``) lets the change in over several years. Rates that make up for
it would be too high for new business at once, and for everybody when the caps let go. So the caps are opened while the
rates are balanced; then the book is renewed at the new rates, year after year, each year's premium the next one's
expiring one, until nothing is withheld any more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from ratemod.money import rounded
from ratemod.plan.model import Plan
from ratemod.plan.op.arithmetic import Sum
from ratemod.plan.op.limits import Cap
from ratemod.ratemaking.arrays import Booleans
from ratemod.rating.rate import rate
from ratemod.rating.rated import Rated
from ratemod.reading.book import Book

MOST_YEARS = 5
NOTHING = 1e-3


@dataclass(frozen=True, slots=True)
class Recovery:
    """One year of the book at the new rates: what it pays, and what the caps withhold of the full premium (or add)."""

    year: int
    premium_fen: int
    full_fen: int

    @property
    def withheld_fen(self) -> int:
        """Return the full premium less what is paid."""
        return self.full_fen - self.premium_fen


def caps_of(plan: Plan) -> dict[str, Cap]:
    """Return the steps that hold a premium against another one, by name."""
    return {step.name: step.operation for step in plan.steps if isinstance(step.operation, Cap)}


def uncapped(plan: Plan) -> Plan:
    """Return the plan with its caps open: what they hold passes as it is; bounds and minimums stay."""
    steps = tuple(
        replace(step, operation=Sum(of=step.operation.of), when=None, otherwise=None)
        if isinstance(step.operation, Cap)
        else step
        for step in plan.steps
    )
    return replace(plan, steps=steps)


def recovery(plan: Plan, book: Book, usable: Booleans) -> tuple[Recovery, ...]:
    """Return year after year what a book pays under the caps, until they withhold nothing; empty without caps.

    Parameters
    ----------
    plan : with the new rates; book : what is priced; usable : (n,) rows that count
    """
    steps = caps_of(plan)
    if not steps:
        return ()
    full = rate(book, uncapped(plan), lang="en", trace=False)
    priced = usable & (full.verdict.status < 2)
    whole = int(full.outputs.premium_fen[priced].sum())
    found: list[Recovery] = []
    for year in range(1, MOST_YEARS + 1):
        rated = rate(book, plan, lang="en", trace=tuple(steps))
        here = priced & (rated.verdict.status < 2)
        found.append(Recovery(year, int(rated.outputs.premium_fen[here].sum()), whole))
        if abs(found[-1].withheld_fen) <= NOTHING * whole:
            break
        book = _renewed(book, steps, rated)
    return tuple(found)


def _renewed(book: Book, steps: dict[str, Cap], rated: Rated) -> Book:
    """Return the book a year later: what each policy paid is what it expires with."""
    table, conversions = book.table, dict(book.conversions)
    for step, cap in steps.items():
        paid = np.asarray(rated.outputs.steps[step], dtype=np.float64)
        name = cap.against
        values = pa.array(rounded(paid, 2), from_pandas=True)
        if name in table.column_names:
            table = table.set_column(table.column_names.index(name), name, values)
        else:
            table = table.append_column(name, values)
        conversions.pop(name, None)
    return replace(book, table=table, conversions=conversions)
