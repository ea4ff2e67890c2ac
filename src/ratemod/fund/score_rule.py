"""Indicators of an assessment as data: what is measured, how it scores, what it weighs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from importlib import resources
from pathlib import Path

from ratemod.errors import BookError, Problem, nearest, problem
from ratemod.fund.fund_table import check_keys, toml_rows

MEASURES = (
    "duty_met",
    "delivered",
    "in_time",
    "satisfaction",
    "rectified",
    "clean_payments",
    "settled",
    "claims_ratio",
)
KEYS = ("name", "measure", "weight", "worst", "best", "days", "source")


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator.

    Attributes
    ----------
    measure : one of `MEASURES`
    weight : Decimal, of all indicators together 1
    worst, best : float, the value that scores 0 and the one that scores 100; best below worst where less is better
    days : int, of `settled`: within how many days of the report
    """

    name: str
    measure: str
    weight: Decimal
    worst: float
    best: float
    source: str
    days: int = 180


def read_indicators(source: str | Path | None = None) -> tuple[Indicator, ...]:
    """Return the indicators of a TOML file with one ``[[indicator]]`` each; the shipped, illustrative ones without.

    Raises
    ------
    BookError
        RM702 unreadable, RM703 unknown key, RM704 missing key, RM706 a value that is not allowed, RM745 weights that
        do not add up to 1.

    Examples
    --------
    >>> sum(item.weight for item in read_indicators())
    Decimal('1.00')
    """
    if source is None:
        with resources.as_file(resources.files("ratemod") / "fund" / "data" / "scorecard.toml") as shipped:
            return read_indicators(shipped)
    found: list[Indicator] = []
    wrong: list[Problem] = []
    for at, row in enumerate(toml_rows(source, "indicator"), start=1):
        faults = check_keys(row, KEYS, tuple(key for key in KEYS if key != "days"), str(source), at)
        if not faults:
            try:
                item = Indicator(
                    str(row["name"]),
                    str(row["measure"]),
                    Decimal(row["weight"]),
                    float(row["worst"]),
                    float(row["best"]),
                    str(row["source"]),
                    int(row.get("days", 180)),
                )
                found.append(item)
                faults = [problem("RM706", file=str(source), rule=item.name, why=why) for why in _faults(item)]
            except (ValueError, TypeError, InvalidOperation) as error:
                faults = [problem("RM706", file=str(source), rule=str(row["name"]), why=str(error))]
        wrong += faults
    wrong += check_indicators(found, str(source)) if not wrong else []
    if wrong:
        raise BookError(wrong)
    return tuple(found)


def _faults(item: Indicator) -> list[str]:
    found = []
    if item.measure not in MEASURES:
        near = nearest(item.measure, MEASURES)
        found.append(f"measure = {item.measure}" + (f" ({near}?)" if near else ""))
    if item.worst == item.best:
        found.append("worst = best")
    if item.weight <= 0 or item.days < 1:
        found.append("weight > 0, days >= 1")
    return found


def check_indicators(given: list[Indicator] | tuple[Indicator, ...], file: str | None = None) -> list[Problem]:
    """Return RM745 where weights do not add up to 1, RM706 where a name stands twice."""
    whole = sum((item.weight for item in given), Decimal(0))
    found = [problem("RM745", file=file, total=str(whole))] if whole != 1 else []
    names = [item.name for item in given]
    twice = sorted({name for name in names if names.count(name) > 1})
    return found + [problem("RM706", file=file, rule=name, why="name x 2") for name in twice]
