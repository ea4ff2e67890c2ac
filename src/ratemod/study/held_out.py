"""A year that the study has not seen: the same study on all years but the last, and what then came.

The history is cut back to what was known a year before its last valuation: policies begun by then, claims at their
values of that day, valuations up to it. Trends, pooling, models, loads and their uncertainty are found again on that
alone, for losses whose average day is the middle of the last year; its exposure, as it then came to be, gives what was
to be expected. What came is the year's claims at ultimate, catastrophes apart. The interval is that of one year's
losses, with what is still open of the year itself.

Source: Werner & Modlin, ch. 8 (retrospective test of an indication).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ratemod.errors import ModelError, Problem, problem
from ratemod.ratemaking.arrays import Booleans, Floats, Integers, sums
from ratemod.ratemaking.cells import Factor
from ratemod.study.assumptions import Assumptions
from ratemod.study.history import History
from ratemod.study.losses import Observed, at_level, observe
from ratemod.study.model import fit_model, pool, trends_of
from ratemod.study.uncertainty import uncertainty_of

LEAST_YEARS = 3


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What a study without the last year expected of it, and what came; catastrophes apart.

    Attributes
    ----------
    year : accident year
    expected_yuan, low_yuan, high_yuan : what was expected, with its interval
    actual_yuan : what came, at ultimate
    """

    year: int
    expected_yuan: float
    low_yuan: float
    high_yuan: float
    actual_yuan: float

    @property
    def ratio(self) -> float:
        """Return actual over expected."""
        return self.actual_yuan / self.expected_yuan

    @property
    def inside(self) -> bool:
        """Return whether what came lies within the interval."""
        return self.low_yuan <= self.actual_yuan <= self.high_yuan


def held_out(
    history: History,
    base_yuan: Floats,
    good: Booleans,
    factors: Sequence[Factor],
    codes: Sequence[Integers],
    axes: int,
    current: Mapping[str, Floats],
    seen: Observed,
    assumed: Assumptions,
) -> HeldOut | tuple[Problem, ...]:
    """Return the study of all years but the last, judged on the last; or why there is none.

    Parameters
    ----------
    history, base_yuan, good : as for `observe`; factors, codes, current : as for `pool`; `axes` of them are the tables'
    seen : the whole history as observed; assumed : Assumptions
    """
    if len(seen.years) < LEAST_YEARS:
        return (problem("RM996", years=len(seen.years), least=LEAST_YEARS),)
    at = len(seen.years) - 1
    last = int(seen.years[at])
    day = seen.valuation - np.timedelta64(365, "D")
    if len(history.valued_date):
        before = history.valued_date[history.valued_date <= day + np.timedelta64(1, "D")]
        day = before.max() if len(before) else day
    else:
        day = np.datetime64(f"{last - 1}-12-31")
    try:
        cut, kept = as_known(history, day)
        then = observe(cut, base_yuan, good & kept, assumed, day)
        pooled = pool(then, factors, codes, current, history.firm, assumed)
        trends = trends_of(then, pooled, history.firm, assumed)
        data = at_level(then, trends.of, float(seen.middle[at]), assumed.large_loss_yuan)
        model = fit_model(data, pooled, axes, current, history.firm, assumed)
    except ModelError as error:
        return error.problems
    rows = seen.year == at
    exposure = seen.earned[rows]
    own = [code[seen.policy[rows]] for code in codes]
    capped = model.predict(factors, own, axes) * exposure
    whole = float(data.capped_yuan.sum())
    excess = float(data.excess_yuan.sum()) / whole if whole else 0.0
    shares = {f.name: sums(code, capped, len(f.levels)) / float(capped.sum()) for f, code in zip(factors, own)}
    expected = float(capped.sum()) * (1 + excess)
    sure = uncertainty_of(data, model, trends, shares, float(capped.sum()), excess, 0.0, assumed.interval_level)
    still_open = 0.0
    if seen.development is not None and seen.development.incurred_mack is not None:
        mack = seen.development.incurred_mack
        still_open = float(mack.standard_error[at] / mack.ultimate[at])
    sure = replace(sure, parts={**sure.parts, "still open": still_open})
    low, high = sure.around(expected, one_year=True)
    of_year = seen.year[seen.claim_row] == at
    actual = float(seen.claim_yuan[of_year].sum() * seen.count_to[at])
    return HeldOut(year=last, expected_yuan=expected, low_yuan=low, high_yuan=high, actual_yuan=actual)


def as_known(history: History, day: np.datetime64) -> tuple[History, Booleans]:
    """Return a history as it stood on a day, and which policies had begun; without valuations claims are ultimate."""
    keep = history.claim_date <= day
    incurred = history.incurred_yuan
    early = history.valued_date <= day
    claim, when, yuan = history.valued_claim[early], history.valued_date[early], history.valued_yuan[early]
    if len(history.valued_date):
        order = np.argsort(when, kind="stable")
        incurred = np.full(len(keep), np.nan)
        incurred[claim[order]] = yuan[order]
        keep = keep & ~np.isnan(incurred)
    place = np.cumsum(keep) - 1
    held = keep[claim]
    known = replace(
        history,
        claim_policy=history.claim_policy[keep],
        claim_event=history.claim_event[keep],
        claim_date=history.claim_date[keep],
        incurred_yuan=incurred[keep],
        valued_claim=place[claim[held]],
        valued_date=when[held],
        valued_yuan=yuan[held],
    )
    return known, history.start <= day
