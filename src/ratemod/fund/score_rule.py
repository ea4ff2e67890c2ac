"""Indicators of an assessment as data: what is measured, how it scores, what it weighs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

from ratemod.errors import PlanError, Problem, problem
from ratemod.rules.options import strict
from ratemod.rules.read import read_rules
from ratemod.rules.shape import Key, keys_of

Whose = Literal["insurer", "broker", "provider"]
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


@strict
@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator.

    Attributes
    ----------
    measure : one of `MEASURES`
    weight : Decimal, of all indicators together 1
    worst, best : float, the value that scores 0 and the one that scores 100; best below worst where less is better
    days : int, of `settled`: within how many days of the report
    source_zh : the source in Chinese; without it, as it stands
    """

    name: str
    measure: str
    weight: Decimal
    worst: float
    best: float
    source: str
    days: int = 180
    source_zh: str = ""


KEYS = keys_of(
    Indicator, measure=Key(str, True, choices=MEASURES), weight=Key(Decimal, True, low=0), days=Key(int, low=1)
)


@strict
def read_indicators(source: str | Path | None = None, by: Whose = "insurer") -> tuple[Indicator, ...]:
    """Return the indicators of a TOML file with one ``[[indicator]]`` each; the shipped, illustrative ones without.

    Without a file `by` says for whom they are: service bodies (provider) have their own.

    Raises
    ------
    PlanError
        What is wrong with the file, all at once: unknown and missing keys, values of another type or out of range.
        RM745 weights that do not add up to 1.

    Examples
    --------
    >>> sum(item.weight for item in read_indicators())
    Decimal('1.00')
    """
    file = read_rules(source, f"fund/data/scorecard{'_bodies' if by == 'provider' else ''}.toml")
    file.sections(("indicator",))
    found = file.records(Indicator, "indicator", KEYS, least=1, faults=_faults)
    file.settle()
    if wrong := check_indicators(found, file.shown):
        raise PlanError(wrong)
    return found


def _faults(item: Indicator) -> list[str]:
    found = ["worst = best"] if item.worst == item.best else []
    return [*found, "weight > 0"] if item.weight <= 0 else found


def check_indicators(given: list[Indicator] | tuple[Indicator, ...], file: str | None = None) -> list[Problem]:
    """Return RM745 where weights do not add up to 1, RM706 where a name stands twice."""
    whole = sum((item.weight for item in given), Decimal(0))
    found = [problem("RM745", file=file, total=str(whole))] if whole != 1 else []
    names = [item.name for item in given]
    twice = sorted({name for name in names if names.count(name) > 1})
    return found + [problem("RM706", file=file, rule=name, why="name x 2") for name in twice]
