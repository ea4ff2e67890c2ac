"""What holds for every row under every plan: dates in order, and nothing in a row that contradicts the rest of it.

A plan need not say that a term ends after it begins. Wherever a step counts the days or months between two columns,
the second day does not come before the first; nor do they fall together, unless the step counts the last day or the
second column begins another term. What a row states and what follows from its other columns are held against each
other; a difference is remarked, since the statement comes first. Its first day is held against the dates of the
edition: a row outside is refused where the edition was named for the list, and remarked where a plan in hand is tried.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ratemod.errors import Problem, problem
from ratemod.plan.editions import Business
from ratemod.plan.model import Plan
from ratemod.plan.op.dates import Term
from ratemod.reading.convert import MISSING_DATE, Coded
from ratemod.reading.dates import LAST_DAY
from ratemod.reading.derive import NEEDS, derive
from ratemod.reading.identifiers import misbuilt
from ratemod.rules.options import strict
from ratemod.vocabulary.column import Column

Mask = npt.NDArray[np.bool_]
OutsideDates = Literal["refuse", "remark"]


@dataclass(frozen=True, slots=True)
class Dating:
    """How the first day of a row is held against the dates of the edition.

    Attributes
    ----------
    outside : "refuse" or "remark"
    business : "new" or "renewal"
        The kind of business of rows that do not say it.
    """

    outside: OutsideDates = "remark"
    business: Business = "new"


TRIED = Dating()  # a plan in hand, tried on a list


@dataclass(frozen=True, slots=True)
class Order:
    """Two columns of days of which the second comes after the first."""

    first: str
    last: str
    together: bool


@functools.cache
def orders(plan: Plan) -> tuple[Order, ...]:
    """Return the columns of days that a plan counts between, in every row."""
    dates = {name for name, column in plan.columns.items() if column.kind == "date"}
    counted = [
        step.operation
        for step in plan.steps
        if isinstance(step.operation, Term) and step.when is None and set(step.operation.of) <= dates
    ]
    begins = {term.of[0] for term in counted}
    return tuple(Order(str(term.of[0]), str(term.of[1]), term.inclusive or term.of[1] in begins) for term in counted)


def out_of_order(plan: Plan, numbers: Mapping[str, npt.NDArray[Any]]) -> Iterator[tuple[str, Mask, Problem]]:
    """Yield the rows whose days are not in order, under the column of the later day."""
    for order in orders(plan):
        first, last = numbers[order.first], numbers[order.last]
        known = (first != MISSING_DATE) & (last != MISSING_DATE)
        wrong = known & ((last < first) if order.together else (last <= first))
        if wrong.any():
            first_of, last_of = plan.columns[order.first], plan.columns[order.last]
            told = problem(
                "RM287",
                column=order.last,
                label=last_of.label("zh"),
                first=order.first,
                first_label=first_of.label("zh"),
            )
            yield order.last, wrong, told


def remarks(plan: Plan, coded: Mapping[str, Coded], n: int) -> Iterator[tuple[str, Mask, Problem]]:
    """Yield rows with something to look at, which does not keep them from being priced."""
    for name, found in coded.items():
        column = plan.columns[name]
        for code, wrong in misbuilt(column, found.values):
            yield name, wrong, problem(code, column=name, label=column.label("zh"))
        if column.derive and column.codes() and all(need in coded for need in NEEDS[column.derive][:1]):
            wrong = _contradicts(column, found, coded, plan.columns, n)
            if wrong.any():
                needs = [need for need in NEEDS[column.derive] if need in coded]
                told = problem(
                    "RM289",
                    column=name,
                    label=column.label("zh"),
                    needs=", ".join(needs),
                    needs_label="、".join(plan.columns[need].label("zh") for need in needs),
                )
                yield name, wrong, told


def _contradicts(
    column: Column, stated: Coded, coded: Mapping[str, Coded], columns: Mapping[str, Column], n: int
) -> Mask:
    follows = derive(column, coded, columns, n).values
    wrong: Mask = (follows >= 0) & (stated.values >= 0) & (follows != stated.values)
    if column.derive == "sector_from_industry_code":
        from ratemod.vocabulary.codes.industry import in_no_sector  # its table is read by what few books need

        wrong |= (stated.values >= 0) & in_no_sector(coded["industry_code"].values.to_pylist())
    return wrong


def first_day(plan: Plan) -> str | None:
    """Return the column of the day on which a row begins; None where the plan has none."""
    name = next((order.first for order in reversed(orders(plan))), "start_date")
    return name if name in plan.columns and plan.columns[name].kind == "date" else None


@strict
def outside_edition(plan: Plan, coded: Mapping[str, Coded], business: Business) -> Iterator[tuple[str, Mask, Problem]]:
    """Yield the rows that begin outside the dates of the edition, each kind of business by its own."""
    name = first_day(plan)
    if name is None or name not in coded:
        return
    days = coded[name].values
    new_from, renewal_from = (int(np.datetime64(day, "D").astype(int)) for day in (plan.new_from, plan.renewal_from))
    until = LAST_DAY + 1 if plan.until is None else int(np.datetime64(plan.until, "D").astype(int))
    if len(days) and days.min() >= max(new_from, renewal_from) and days.max() < until:
        return
    renewed = renewals(plan, coded, len(days), business)
    outside = (days < np.where(renewed, renewal_from, new_from)) | (days >= until)
    outside &= days != MISSING_DATE
    if outside.any():
        yield (
            name,
            outside,
            problem(
                "RM290",
                column=name,
                label=plan.columns[name].label("zh"),
                plan=plan.id,
                new_from=plan.new_from,
                renewal_from=plan.renewal_from,
                until=plan.until or "…",
            ),
        )


@strict
def renewals(plan: Plan, coded: Mapping[str, Coded], n: int, business: Business) -> Mask:
    """Return which rows are renewals: those that say so, and where `business` says so those that say nothing."""
    column = plan.columns.get("business")
    silent = business == "renewal"
    if column is None or "business" not in coded or "renewal" not in column.codes():
        return np.full(n, silent)
    said = coded["business"].values
    found: Mask = (said == column.codes().index("renewal")) | ((said < 0) & silent)
    return found
