"""Which policies a new edition, or a scenario with a day, does not reach yet."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt

from ratemod.errors import BookError, PlanError, nearest, problem
from ratemod.plan.model import Plan
from ratemod.rating.rated import Rated


def applies_from(plan: Plan) -> str | None:
    """Return the day from which a scenario changed a plan, or None."""
    return dict(plan.overlay).get("plan.from")


def start_column(plan: Plan) -> str:
    """Return the column that holds the day a policy starts.

    Raises
    ------
    PlanError
        RM876 for a plan without ``start_date``.
    """
    column = plan.columns.get("start_date")
    if column is None or column.kind != "date":
        raise PlanError(problem("RM876", wanted="start_date"))
    return column.name


def waiting_for(rated: Rated, plan: Plan, start: str) -> npt.NDArray[np.bool_]:
    """Return the policies that start before a plan applies to their business, (n,) bool.

    A level column with the code ``renewal`` says which policies are renewals; without one all are new business. A
    policy without a start is not waiting.
    """
    inputs = rated.coding.inputs
    if start not in inputs.numbers:
        days = [name for name, column in rated.plan.columns.items() if column.kind == "date"]
        raise BookError(problem("RM322", name=start, nearest=nearest(start, days)))
    new, renewal = ((day - date(1970, 1, 1)).days for day in (plan.new_from, plan.renewal_from))
    from_day = np.full(inputs.n, new)
    for name, column in rated.plan.columns.items():
        if column.kind == "level" and "renewal" in column.codes():
            from_day = np.where(inputs.codes[name] == column.codes().index("renewal"), renewal, new)
    with np.errstate(invalid="ignore"):
        return np.asarray(inputs.numbers[start] < from_day)
