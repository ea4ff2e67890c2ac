"""The fund of a folder of lists: levy, ledger, duties, evaluation and assessment, each from the lists that it needs."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ratemod.errors import BookError, problem
from ratemod.rules.options import strict

if TYPE_CHECKING:
    from ratemod.fund.duties import Duties
    from ratemod.fund.evaluation import Evaluation
    from ratemod.fund.ledger import FundLedger
    from ratemod.fund.levy import Levy
    from ratemod.fund.score_rule import Indicator
    from ratemod.fund.scorecard import Scorecard
    from ratemod.reading.folder import Folder
    from ratemod.registers.working_days import WorkingDays


def levy_of(lists: Folder, rules: Path | None, day: datetime.date | None, **more: Any) -> Levy:
    """Return the levy of the lists: policies, endorsements, receipts, shares of co-insurers, and insurers."""
    from ratemod.fund.levy import levy

    events = {name: lists.get(name) for name in ("endorsements", "receipts", "coinsurance", "insurers")}
    return levy(lists.table("policies"), rules, **events, as_of=day, **more)


def day_of(tables: Folder, at: datetime.date | None) -> datetime.date:
    """Return the day of the state: the one given, else the last day on which claims were valued.

    Raises
    ------
    BookError
        RM956 none is given, and the folder has no valuations.
    """
    from ratemod.reading.shared_table import read_shared

    if at is not None:
        return at
    if "valuations" not in tables:
        raise BookError(problem("RM956", path=str(tables.path)))
    valued = read_shared(tables.table("valuations"), "valuations", ("valuation_date",))
    days = valued.cells["valuation_date"].values[valued.good]
    if not len(days):
        raise BookError(problem("RM956", path=str(tables.path)))
    return datetime.date(1970, 1, 1) + datetime.timedelta(days=int(days.max()))


def names_of(tables: Folder) -> dict[str, dict[str, str]]:
    """Return column -> code -> name, of insurers, brokers and service bodies, where the folder has their lists."""
    from ratemod.reading.shared_table import read_shared

    found: dict[str, dict[str, str]] = {}
    for noun, column in (("insurers", "insurer"), ("brokers", "broker"), ("service_bodies", "provider")):
        if noun in tables:
            told = read_shared(tables.table(noun), noun, (column,), ("name",))
            names = told.cells["name"].values.to_pylist() if "name" in told.cells else []
            codes = told.cells[column].values.to_pylist()
            found[column] = {code: name for code, name in zip(codes, names) if code and name}
    return found


def ledger_of(
    lists: Folder,
    day: datetime.date,
    *,
    rules: Path | None = None,
    levy_rules: Path | None = None,
    kept: Path | None = None,
) -> FundLedger:
    """Return the ledger of the lists on a day."""
    from ratemod.fund.ledger import fund_ledger

    return fund_ledger(
        levy_of(lists, levy_rules, day),
        lists.table("policies"),
        lists.table("services"),
        lists.table("fund_payments" if "fund_payments" in lists or "ledger" not in lists else "ledger"),
        day,
        budgets=lists.get("budgets"),
        contracts=lists.get("contracts"),
        parties=lists.get("parties"),
        bodies=lists.get("service_bodies"),
        insurers=lists.get("insurers"),
        kept=kept or lists.get("ledger"),
        rules=rules,
    )


def duties_of(lists: Folder, day: datetime.date, rules: Path | None = None) -> Duties:
    """Return the services owed on a day, with what they may cost by the shipped catalogue."""
    from ratemod.fund.catalogue import read_catalogue
    from ratemod.fund.duties import duties
    from ratemod.fund.duty_rule import read_duty_rules

    return duties(
        lists.table("policies"), lists.table("services"), day, read_duty_rules(rules), catalogue=read_catalogue()
    )


def evaluation_of(
    lists: Folder,
    day: datetime.date,
    *,
    year: int | None = None,
    rules: Path | None = None,
    evaluator: str = "",
    permutations: int = 99,
    duties: Duties | None = None,
    ledger: FundLedger | None = None,
    working_days: WorkingDays | None = None,
    synthetic: bool = False,
) -> Evaluation:
    """Return the evaluation of a fund year, by default that of the day; duties and ledger where they are known."""
    from ratemod.fund.evaluation import evaluate_services

    return evaluate_services(
        lists.table("services"),
        lists.table("policies"),
        lists.get("panel"),
        day,
        year=year or day.year,
        hazards=lists.get("hazards"),
        complaints=lists.get("complaints"),
        working_days=working_days,
        duties=duties_of(lists, day) if duties is None else duties,
        ledger=ledger_of(lists, day, rules=rules) if ledger is None else ledger,
        insurers=lists.get("insurers"),
        evaluator=evaluator,
        permutations=permutations,
        synthetic=synthetic,
    )


@strict
def scorecard_of(
    lists: Folder,
    day: datetime.date,
    *,
    by: Literal["insurer", "broker", "provider"] = "insurer",
    rules: Path | None = None,
    indicators: Sequence[Indicator] | Path | None = None,
    duties: Duties | None = None,
    ledger: FundLedger | None = None,
) -> Scorecard:
    """Return the assessment of insurers, brokers or service bodies on a day; duties and ledger where they are known."""
    from ratemod.fund.scorecard import scorecard

    return scorecard(
        lists.table("policies"),
        day,
        by=by,
        services=lists.table("services"),
        duties=duties_of(lists, day) if duties is None else duties,
        hazards=lists.get("hazards"),
        claims=lists.get("claims"),
        panel=lists.get("panel"),
        ledger=ledger_of(lists, day, rules=rules) if ledger is None else ledger,
        insurers=lists.get("insurers"),
        indicators=indicators,
    )
