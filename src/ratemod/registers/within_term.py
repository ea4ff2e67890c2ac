"""Hazard loadings that start, escalate and fall off within the term, to the day.

Two rules can be had from one plan. Next policy year: the state on the first day of a policy rates the whole of it;
that is what `derive_columns` does. Within the term: the policy is rated in every state that it passes through, and
each premium counts for its days. Both use the plan's own schedule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.errors import Lang, ModelError, problem
from ratemod.plan.model import Band, Plan
from ratemod.rating.rate import rate
from ratemod.reading.book import Book
from ratemod.registers.as_of import Ints
from ratemod.registers.coded_book import coded_column, with_columns
from ratemod.registers.controllable import is_priced
from ratemod.registers.hazards import STATES, HazardRule, HazardSegments, days_by_state
from ratemod.registers.register import Register
from ratemod.registers.shapley import Fen
from ratemod.rules.options import strict

STATE, OVERDUE = "hazard_state", "hazard_overdue_days"


@dataclass(frozen=True, eq=False, slots=True)
class WithinTerm:
    """Premiums with the hazard loading pro rata by days.

    Attributes
    ----------
    premium_fen : (n,) int64, sum over segments of premium × days / days of the term, rounded half-up once
    priced : (n,) bool; False where any segment has no premium: then the figure is 0
    segments : HazardSegments
    segment_fen : (s,) int64, the premium of the whole term in the state of each segment
    """

    premium_fen: Fen
    priced: npt.NDArray[np.bool_]
    segments: HazardSegments
    segment_fen: Ints


def thresholds(plan: Plan, column: str = OVERDUE) -> tuple[int, ...]:
    """Return the days overdue at which any table of the plan changes, ascending.

    Examples
    --------
    >>> from ratemod.plan.editions import load_plan
    >>> thresholds(load_plan("jilin-spli/2025-04"))
    (31, 91)
    """
    found = set()
    for table in plan.tables.values():
        for place, axis in enumerate(table.axes):
            if axis.name == column:
                bands = [key for row in table.rows if isinstance(key := row.keys[place], Band)]
                ends = [end for band in bands for end in (band.low, band.high)]
                found |= {int(end) for end in ends if end is not None and end > 0}
    return tuple(sorted(found))


@strict
def within_term(
    book: Book,
    plan: Plan,
    hazards: Register,
    *,
    rule: HazardRule | None = None,
    lang: Lang = "en",
    escalates_at: Sequence[int] | None = None,
) -> WithinTerm:
    """Price a book with its hazard loadings pro rata by the days in each state.

    Parameters
    ----------
    book : Book with ``credit_code``, ``start_date``, ``end_date``
    plan : Plan with the columns ``hazard_state`` and ``hazard_overdue_days``
    hazards : Register of ``hazards``
    rule : HazardRule, optional
    escalates_at : days overdue at which the loading changes, optional
        Default: the bands of the plan's tables.

    Raises
    ------
    ModelError
        RM255 the plan adds lines up to policies, which cannot be cut into segments.

    Formula
    -------
    premium = sum of P(state of segment) × days of segment / days of term, half-up to the fen. A register known
    only up to a day tells nothing later: price at the end of the term for the final figure.
    """
    if plan.groups:
        raise ModelError(problem("RM255", plan=plan.id))
    starts, ends = (np.asarray(coded_column(book, plan, name)).astype(np.int64) for name in ("start_date", "end_date"))
    cuts = thresholds(plan) if escalates_at is None else tuple(escalates_at)
    parts = days_by_state(hazards, book.table["credit_code"], starts, ends, thresholds=cuts, rule=rule)
    own = np.array([plan.columns[STATE].codes().index(name) for name in STATES], dtype=np.int16)
    columns = {STATE: own[parts.state], OVERDUE: parts.overdue_days.astype(np.float64)}
    cut = Book(book.table.take(pa.array(parts.query)), conversions=book.conversions)
    rated = rate(with_columns(_apart(cut, plan), plan, columns), plan, lang=lang, trace=())
    n, good = book.table.num_rows, is_priced(rated)
    whole = rated.outputs.premium_fen.astype(np.int64)
    term = np.maximum(ends - starts, 1)
    priced = (np.bincount(parts.query, ~good, n) == 0) & (np.bincount(parts.query, minlength=n) > 0)
    weighed = np.zeros(n, dtype=np.int64)
    np.add.at(weighed, parts.query, np.where(good, whole * parts.days, 0))
    premium = (2 * weighed + term) // (2 * term)
    return WithinTerm(np.where(priced, premium, 0), priced, parts, np.where(good, whole, 0))


def _apart(book: Book, plan: Plan) -> Book:
    """Return a book whose unique columns are running numbers: the segments of a policy are not repeated policies."""
    table: Any = book.table
    numbers = pa.array([str(at) for at in range(table.num_rows)], pa.string())
    for check in plan.checks:
        if check.kind == "unique" and check.of in table.column_names:
            table = table.set_column(table.column_names.index(check.of), check.of, numbers)
    return Book(table, conversions=book.conversions)
