"""All papers of a year from one folder: those that its lists allow, and for the others what is missing."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ratemod.errors import BookError, Problem, RatemodError, problem
from ratemod.fund.of_folder import names_of
from ratemod.fund.score_rule import read_indicators
from ratemod.papers.enterprises import insured_paper, participation_paper, refusals_paper
from ratemod.papers.inputs import YearInputs
from ratemod.papers.insurers import (
    assessment_paper,
    complaint_clock_paper,
    complaints_paper,
    disclosure_paper,
    duties_paper,
    evaluation_paper,
    fund_paper,
)
from ratemod.papers.paper import Names, Paper
from ratemod.papers.shared_figures import SharedFigure, shared_figures
from ratemod.publication.disclosure import Disclosure
from ratemod.reading.folder import Folder, open_folder
from ratemod.registers.rules import ParticipationRule
from ratemod.registers.working_days import WorkingDays
from ratemod.rules.options import strict
from ratemod.rules.within import Year
from ratemod.study.history import is_synthetic
from ratemod.vocabulary.codes.industry import SECTORS
from ratemod.vocabulary.table import table

Build = Callable[[YearInputs], Paper]
PAID = "fund_payments|ledger"  # either
# Every paper in order, with the lists that it needs.
PAPERS: dict[str, tuple[Build, tuple[str, ...]]] = {
    "disclosure": (disclosure_paper, ("policies",)),
    "participation": (participation_paper, ("enterprises", "policies")),
    "insured": (insured_paper, ("enterprises", "policies")),
    "refusals": (refusals_paper, ("enterprises", "policies", "hazards")),
    "complaints": (complaints_paper, ("complaints",)),
    "complaint_clock": (complaint_clock_paper, ("complaints",)),
    "fund": (fund_paper, ("policies", "services", PAID)),
    "duties": (duties_paper, ("policies", "services")),
    "evaluation": (evaluation_paper, ("policies", "services", PAID)),
    "assessment_insurer": (functools.partial(assessment_paper, by="insurer"), ("policies", "services", PAID)),
    "assessment_broker": (functools.partial(assessment_paper, by="broker"), ("policies", "services", PAID, "brokers")),
    "assessment_provider": (
        functools.partial(assessment_paper, by="provider"),
        ("policies", "services", PAID, "service_bodies"),
    ),
}


@dataclass(frozen=True, slots=True)
class Absent:
    """A paper that could not be made, and why."""

    name: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, eq=False, slots=True)
class YearOfPapers:
    """The papers of a year.

    Attributes
    ----------
    year : int
    day : date, as known on which day
    papers : tuple of Paper, absent : tuple of Absent
    checks : tuple of SharedFigure
    told : Disclosure or None
    synthetic : bool
    names : mapping of column to code to name
    """

    year: int
    day: dt.date
    papers: tuple[Paper, ...]
    absent: tuple[Absent, ...]
    checks: tuple[SharedFigure, ...]
    told: Disclosure | None
    synthetic: bool
    names: Names


@strict
def year_of_papers(
    folder: str | Path,
    year: Year,
    *,
    at: dt.date | None = None,
    rule: ParticipationRule | None = None,
    register: str | Path | None = None,
    working_days: WorkingDays | None = None,
    indicators: str | Path | None = None,
) -> YearOfPapers:
    """Make every paper of a year.

    Parameters
    ----------
    folder : lists as `ratemod.reading.folder.open_folder` finds them
    year : int
    at : date, what is known; by default the last day of the year
    rule : ParticipationRule, optional
        Who must insure; the eight sectors without it.
    register : path, optional
        Register of publications, see `ratemod.publication.disclosure.disclosure`.
    working_days : WorkingDays, optional
        Of the clock of complaints (`ratemod.registers.working_days.read_working_days`); the shipped calendar without.
    indicators : path of a TOML file, optional
        By which insurers and brokers are assessed; the shipped ones, illustrative, without.

    Raises
    ------
    BookError
        RM916, RM955 the folder; RM766 none of its lists makes a paper; those of indicators that are none.

    Source
    ------
    吉应急规划财务联〔2020〕282号; which clause asks for which paper stands beside it in the table of contents.
    """
    lists = open_folder(folder)
    given = YearInputs(
        lists=lists,
        year=year,
        day=at or dt.date(year, 12, 31),
        rule=rule or ParticipationRule(sectors=SECTORS),
        register=register,
        synthetic=is_synthetic(folder),
        names=names_of(lists),
        working_days=working_days,
        indicators=None if indicators is None else read_indicators(indicators),
    )
    found: list[Paper] = []
    absent: list[Absent] = []
    for name, (build, needs) in PAPERS.items():
        lost = _lost(lists, needs)
        try:
            if not lost:
                found.append(build(given))
        except RatemodError as error:
            lost = error.problems
        if lost:
            absent.append(Absent(name=name, problems=lost))
    if not found:
        raise BookError([problem("RM766", path=str(lists.path)), *(item for one in absent for item in one.problems)])
    made = {paper.name for paper in found}
    return YearOfPapers(
        year=year,
        day=given.day,
        papers=tuple(found),
        absent=tuple(absent),
        checks=shared_figures(given, made),
        told=given.disclosure if "disclosure" in made else None,
        synthetic=given.synthetic,
        names=given.names,
    )


def _lost(lists: Folder, needs: tuple[str, ...]) -> tuple[Problem, ...]:
    """Return RM954 for every list that a paper needs and the folder lacks."""
    return tuple(
        problem("RM954", path=str(lists.path), name=nouns[0], label=table(nouns[0]).label_zh)
        for nouns in (need.split("|") for need in needs)
        if not any(noun in lists for noun in nouns)
    )
