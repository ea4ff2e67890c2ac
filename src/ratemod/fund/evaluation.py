"""The yearly evaluation of prevention services: their quality, and what they did to accidents."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ratemod.errors import BookError, Lang, ModelError, Problem, nearest, once, problem
from ratemod.fund.documents import SERVICE, known_insurers, of_book
from ratemod.fund.duties import Duties
from ratemod.fund.effect import CONTROLS, Effect, estimate_effect
from ratemod.fund.events import Events, read_events, read_policies
from ratemod.fund.fund_table import NO_DAY, Columns, day_number, labelled, to_frame, year_of
from ratemod.fund.ledger import FundLedger
from ratemod.fund.proof import Check, prove
from ratemod.fund.quality import IN_TIME_DAYS, POLICY, Quality, measure_quality, read_hazards
from ratemod.fund.service_items import DATES, service_items
from ratemod.money import yuan_text
from ratemod.reading.join import join
from ratemod.registers.complaints import Complaints, complaints_of
from ratemod.registers.working_days import WorkingDays
from ratemod.rules.options import strict
from ratemod.rules.within import Year

if TYPE_CHECKING:
    import pandas as pd

NUMBER = SERVICE[:1]
MORE = ("delivered_date", "cost_fen", "score", "hazards_found", *DATES)
NO_EFFECT = {"RM740", "RM741", "RM742", "RM743", "RM744"}


@dataclass(frozen=True, eq=False, slots=True)
class Evaluation:
    """The evaluation of one fund year.

    Attributes
    ----------
    year : int or None (all years)
    as_of : date
    evaluator : str, who evaluates; "" is the insurers themselves
    quality : Quality
    items : pyarrow.Table, as `ratemod.fund.service_items.service_items`
    effect : Effect or None
    duties : Duties or None
    ledger : FundLedger or None
    no_effect : tuple of Problem, why the effect cannot be told, where it is None
    cost_fen : int, fen
        What the services cost that the effect is estimated of: their number times the mean actual cost.
    apart_fen : mapping of insurer to int fen
        What services of the year cost that the ledger books and that cannot be used here.
    synthetic : bool, whether the data are invented, so that the report says so
    services : Events, the services evaluated, of all years; book : Columns, their policies; hazards : Columns or None
    insurer : str
        Whose report it is: everything is of its services and policies, but for the effect, which is of all insurers
        together. "" is the report of the province.
    """

    year: int | None
    as_of: datetime.date
    evaluator: str
    quality: Quality
    items: pa.Table
    effect: Effect | None
    no_effect: tuple[Problem, ...]
    duties: Duties | None
    ledger: FundLedger | None
    cost_fen: int
    apart_fen: Mapping[str, int]
    synthetic: bool
    services: Events
    book: Columns
    hazards: Columns | None
    refused: tuple[Problem, ...] = ()
    insurer: str = ""

    @property
    def insurers(self) -> tuple[str, ...]:
        """Those that have policies or services, each of which has a report of its own, by name."""
        return tuple(sorted({*self.book["insurer"].tolist(), *self.services.rows["insurer"].tolist()}))

    def of_insurer(self, name: str) -> Evaluation:
        """Return the report of one insurer; its figures are those of the province's tables by insurer.

        Raises
        ------
        BookError
            RM730 no such insurer.
        """
        if name not in self.insurers:
            near = nearest(name, self.insurers)
            raise BookError(problem("RM730", file="policies", name=name, count=1, nearest=near))
        quality = measure_quality(
            self.services,
            self.book,
            self.hazards,
            self.year,
            int(day_number(self.as_of) or 0),
            self.quality.in_time_days,
            insurer=name,
        )
        return replace(self, quality=quality, insurer=name)

    @property
    def avoided_per_million(self) -> tuple[float, float, float] | None:
        """Claims avoided per million yuan of services, with the interval of the effect (the cost is taken as known)."""
        million = max(self.cost_fen, 1) / 1e8
        found = self.effect
        if found is None:
            return None
        return found.avoided / million, found.avoided_low / million, found.avoided_high / million

    def tables(self) -> Mapping[str, pa.Table]:
        """Return every table of the evaluation by name, those by insurer of its own insurer alone."""
        return {name: self._own(table) for name, table in self._tables().items()}

    def _own(self, table: pa.Table) -> pa.Table:
        """Return the rows of the insurer whose report it is."""
        if not self.insurer or "insurer" not in table.column_names:
            return table
        return table.filter(pa.array([name == self.insurer for name in table["insurer"].to_pylist()], pa.bool_()))

    def _tables(self) -> dict[str, pa.Table]:
        found = {f"by_{name}": table for name, table in self.quality.by.items()}
        found |= {f"hazards_by_{name}": table for name, table in self.quality.hazards.items()}
        found["service_items"] = self.items
        if self.duties is not None:
            found["duties"] = self.duties.statement_table(year=self.year)
        effect = self.effect
        if effect is not None:
            found |= {"effect": effect.estimates, "doses": effect.doses, "placebos": effect.placebos}
        if self.ledger is not None:
            state = self.ledger.statement_table()
            here = [self.year in (None, year) for year in state["fund_year"].to_pylist()]
            counts = self.ledger.flag_counts(year=self.year, insurer=self.insurer)
            found |= {"ledger": state.filter(pa.array(here)), "flags": counts}
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
        if self.effect is not None:
            checks.append(Check("served_years", "all", self.effect.served, self.effect.policies, "<=", unit="count"))
        if self.ledger is not None and self.year is not None:
            booked = self.ledger.delivered_fen(self.year)
            for name in [self.insurer] if self.insurer else sorted({*booked, *self.quality.delivered_fen}):
                own = self.quality.delivered_fen.get(name, 0) + self.apart_fen.get(name, 0)
                checks.append(Check("services_ledger", name, own, booked.get(name, 0)))
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
    complaints: Any = None,
    working_days: WorkingDays | None = None,
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
        100), hazards_found, plan_date, notified_date, callback_date and archive_date where known.
    policies : path or frame
        policy_no, credit_code, insurer, sector, start_date, end_date.
    panel : path, frame or None
        Policy years with services of the year before and claims: see `ratemod.fund.effect.estimate_effect`. The effect
        is estimated on all years there: one year alone tells too little. Without it, or where it tells nothing, the
        rest is evaluated, and why is said.
    as_of : date, what is known
    year : int, optional
        The fund year whose services are looked at; a service belongs to the year of its delivery, else of its plan.
    hazards : path or frame, optional
        The register: credit_code, found_date, due_date, extended_due_date, rectified_date, refused_date.
    complaints : path or frame, optional
        The list of complaints: complaint_no, date, insurer, subject; answered_date, upheld.
    working_days : WorkingDays, optional
        Of the clock of complaints; the shipped calendar without it.
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
        RM950 a column is missing.
    ModelError
        RM777 the year has not begun on the day.

    Notes
    -----
    Set aside by name: services that stand twice, of unknown insurers or policies, RM965 that the ledger does not book;
    RM967 the ledger's that cannot be used here. RM740 to RM744, RM968: the effect cannot be told.

    Source
    ------
    吉应急规划财务联〔2020〕282号: quality and effect of services are evaluated once a year, in writing, by the insurers
    themselves or by a third party.
    """
    today = int(day_number(as_of) or 0)
    if year is not None and year > as_of.year:
        raise ModelError(problem("RM777", year=year, day=as_of.isoformat()))
    known = None if insurers is None else known_insurers(insurers, [])
    book = read_policies(policies, POLICY)
    done = read_events(services, "services", SERVICE, MORE, NUMBER)
    done = of_book(done, book, known, today)
    done, apart_fen, told = (done, {}, []) if ledger is None else _as_booked(done, ledger, year)
    zero = np.zeros(len(done.rows), dtype=np.int64)
    cost = np.where(done.rows["delivered_date"] == NO_DAY, 0, done.rows.get("cost_fen", zero))
    done = replace(done, rows=replace(done.rows, values={**done.rows.values, "cost_fen": cost}))
    register = None if hazards is None else read_hazards(hazards)
    quality = measure_quality(done, book, register, year, today, in_time_days)
    effect, why = _effect(panel, controls, permutations)
    there = done.rows["delivered_date"] != NO_DAY
    own = there & ((year is None) | (year_of(done.rows["delivered_date"]) == year))
    answered, unclear = _complaints(complaints, year or as_of.year, as_of, working_days)
    items = service_items(done.rows.take(np.flatnonzero(own)), answered, as_of)
    mean = int(cost[there].sum()) // max(int(there.sum()), 1)
    others = [item for found in (ledger, duties) if found is not None for item in found.refused]
    return Evaluation(
        year=year,
        as_of=as_of,
        evaluator=evaluator,
        quality=quality,
        items=items,
        effect=effect,
        no_effect=why,
        duties=duties,
        ledger=ledger,
        cost_fen=0 if effect is None else mean * effect.services,
        apart_fen=apart_fen,
        synthetic=synthetic,
        services=done,
        book=book,
        hazards=register,
        refused=once(
            [
                *book.refused,
                *done.told,
                *told,
                *(() if register is None else register.refused),
                *unclear,
                *(effect.refused if effect else why),
                *others,
            ]
        ),
    )


def _effect(panel: Any, controls: Sequence[str], permutations: int) -> tuple[Effect | None, tuple[Problem, ...]]:
    """Return the effect of services on claims, or why it cannot be told."""
    if panel is None:
        return None, (problem("RM968"),)
    try:
        return estimate_effect(panel, controls, permutations), ()
    except ModelError as error:
        if {item.code for item in error.problems} <= NO_EFFECT:
            return None, error.problems
        raise


def _complaints(
    source: Any, year: int, as_of: datetime.date, working_days: WorkingDays | None
) -> tuple[Complaints | None, tuple[Problem, ...]]:
    """Return the complaints of a year, or why their clock cannot be told (the holidays of a year are not known)."""
    if source is None:
        return None, ()
    try:
        found = complaints_of(source, year, as_of, working_days=working_days)
    except ModelError as error:
        return None, error.problems
    return found, found.refused


def _as_booked(done: Events, ledger: FundLedger, year: int | None) -> tuple[Events, dict[str, int], list[Problem]]:
    """Return the services that the ledger books, the cost of those of the year that it books and that are not here, by
    insurer, fen, and what is said of services that only one of them has.
    """
    booked, told = ledger.papers.services, []
    unbooked = join(done.rows["service_no"], booked["service_no"]).unmet()
    if unbooked.any():
        number = str(done.rows["service_no"][int(np.argmax(unbooked))])
        told.append(problem("RM965", **done.rows.first(unbooked, "services"), service=number))
        done = done.without(unbooked, "aside", None)
    lost = join(booked["service_no"], done.rows["service_no"]).unmet() & (booked["delivered_date"] != NO_DAY)
    lost &= (year is None) | (year_of(booked["delivered_date"]) == year)
    rows = np.flatnonzero(lost)
    apart: dict[str, int] = {}
    for name, fen in zip(booked["insurer"][rows].tolist(), booked["cost_fen"][rows].tolist()):
        apart[name] = apart.get(name, 0) + fen
    if len(rows):
        service, fen = str(booked["service_no"][rows[0]]), yuan_text(sum(apart.values()))
        told.append(problem("RM967", **booked.first(rows, "services"), service=service, yuan=fen))
    return done, apart, told
