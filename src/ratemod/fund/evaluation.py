"""The yearly evaluation of prevention services: their quality, and what they did to accidents."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ratemod.errors import BookError, Lang, Problem
from ratemod.fund.documents import SERVICE, known_insurers
from ratemod.fund.duties import Duties
from ratemod.fund.effect import CONTROLS, Effect, estimate_effect
from ratemod.fund.fund_table import NO_DAY, day_number, labelled, read_columns, to_frame
from ratemod.fund.journal import unknown_insurers
from ratemod.fund.ledger import FundLedger
from ratemod.fund.proof import Check, prove
from ratemod.fund.quality import IN_TIME_DAYS, Quality, measure_quality
from ratemod.rules.options import strict
from ratemod.rules.within import Year

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, slots=True)
class Evaluation:
    """The evaluation of one fund year.

    Attributes
    ----------
    year : int or None (all years)
    as_of : date
    evaluator : str, who evaluates; "" is the insurers themselves
    quality : Quality
    effect : Effect
    duties : Duties or None
    ledger : FundLedger or None
    cost_fen : int, fen
        What the services cost that the effect is estimated of: their number times the mean actual cost.
    synthetic : bool, whether the data are invented, so that the report says so
    """

    year: int | None
    as_of: datetime.date
    evaluator: str
    quality: Quality
    effect: Effect
    duties: Duties | None
    ledger: FundLedger | None
    cost_fen: int
    synthetic: bool
    refused: tuple[Problem, ...] = ()

    @property
    def avoided_per_million(self) -> tuple[float, float, float]:
        """Claims avoided per million yuan of services, with the interval of the effect (the cost is taken as known)."""
        million = max(self.cost_fen, 1) / 1e8
        found = self.effect
        return found.avoided / million, found.avoided_low / million, found.avoided_high / million

    def tables(self) -> Mapping[str, pa.Table]:
        """Return every table of the evaluation by name."""
        found = {f"by_{name}": table for name, table in self.quality.by.items()}
        found |= {f"hazards_by_{name}": table for name, table in self.quality.hazards.items()}
        if self.duties is not None:
            found["duties"] = self.duties.statement_table(year=self.year)
        effect = self.effect
        found |= {"effect": effect.estimates, "doses": effect.doses, "placebos": effect.placebos}
        if self.ledger is not None:
            state = self.ledger.statement_table()
            here = [self.year in (None, year) for year in state["fund_year"].to_pylist()]
            found |= {"ledger": state.filter(pa.array(here)), "flags": self.ledger.flag_counts()}
        return found

    @strict
    def frame(self, name: str = "by_insurer", lang: Lang | None = None) -> pd.DataFrame:
        """Return one table (see `tables`) as pandas, with labels of a language where one is given."""
        table = self.tables()[name]
        return to_frame(table if lang is None else labelled(table, lang))

    @strict
    def report(self, path: Any, lang: Lang = "zh") -> Any:
        """Write the report as HTML (one file, nothing else needed), xlsx, csv or parquet; return the path."""
        from ratemod.fund.evaluation_document import write_evaluation

        return write_evaluation(self, path, lang)

    def reconcile(self) -> int:
        """Prove that tables add up to the whole, that costs are those of the ledger, and that duties have one state.

        Raises
        ------
        ModelError
            RM705 for every sum that fails.
        """
        checks = self.quality.checks()
        effect = self.effect
        checks.append(Check("served <= policy years", "all", effect.served, effect.policies, "<="))
        if self.ledger is not None and self.year is not None:
            booked = self.ledger.delivered_fen(self.year)
            for name in sorted({*booked, *self.quality.delivered_fen}):
                own = self.quality.delivered_fen.get(name, 0)
                checks.append(Check("cost of services = ledger", name, own, booked.get(name, 0)))
        return prove(checks) + (0 if self.duties is None else self.duties.reconcile())


@strict
def evaluate_services(
    services: Any,
    policies: Any,
    panel: Any,
    as_of: datetime.date,
    *,
    year: Year | None = None,
    hazards: Any = None,
    duties: Duties | None = None,
    ledger: FundLedger | None = None,
    insurers: Any = None,
    evaluator: str = "",
    controls: Sequence[str] = CONTROLS,
    in_time_days: int = IN_TIME_DAYS,
    permutations: int = 99,
    synthetic: bool = False,
) -> Evaluation:
    """Evaluate the services of a fund year: quality and effect.

    Parameters
    ----------
    services : path or frame
        service_no, policy_no, insurer, service_type, provider, planned_date; delivered_date, cost_fen, score (0 to
        100) and hazards_found where known.
    policies : path or frame
        policy_no, credit_code, insurer, sector, start_date, end_date.
    panel : path or frame
        Policy years with services of the year before and claims: see `ratemod.fund.effect.estimate_effect`. The effect
        is estimated on all years there: one year alone tells too little.
    as_of : date, what is known
    year : int, optional
        The fund year whose services are looked at; a service belongs to the year of its delivery, else of its plan.
    hazards : path or frame, optional
        The register: credit_code, found_date, due_date, extended_due_date, rectified_date, refused_date.
    duties, ledger : optional
        Results of `duties` and `fund_ledger` that the report shows and reconciles with.
    insurers : path, frame or names, optional; who may occur
    evaluator : str
        The third party, or "" for a self-evaluation.
    controls, permutations : as in `estimate_effect`
    synthetic : bool
        The data are invented; every page says so.

    Returns
    -------
    Evaluation

    Raises
    ------
    BookError
        RM950, RM396 a service of an unknown policy, RM730 an unknown insurer.
    ModelError
        RM740 to RM744: the effect cannot be told.

    Source
    ------
    吉应急规划财务联〔2020〕282号: quality and effect of services are evaluated once a year, in writing, by the insurers
    themselves or by a third party.
    """
    today = int(day_number(as_of) or 0)
    done = read_columns(services, "services", SERVICE, ("delivered_date", "cost_fen", "score", "hazards_found"))
    if insurers is not None:
        known = known_insurers(insurers, [])
        if wrong := unknown_insurers(done, known, "services"):
            raise BookError(wrong)
    n = len(done)
    day = done.get("delivered_date", np.full(n, NO_DAY))
    cost = done.get("cost_fen", np.zeros(n, dtype=np.int64))
    values = {**done.values, "delivered_date": np.where(day > today, NO_DAY, day), "cost_fen": cost}
    kept = np.flatnonzero(done["planned_date"] <= today)
    known_now = type(done)({name: column[kept] for name, column in values.items()}, done.refused, done.rows_in)
    quality = measure_quality(known_now, policies, hazards, year, today, in_time_days)
    effect = estimate_effect(panel, controls, permutations)
    there = known_now["delivered_date"] != NO_DAY
    mean = int(known_now["cost_fen"][there].sum()) // max(int(there.sum()), 1)
    return Evaluation(
        year, as_of, evaluator, quality, effect, duties, ledger, mean * effect.services, synthetic,
        (*done.refused, *effect.refused),
    )  # fmt: skip
