"""All papers of a year from one folder: those that its lists allow, and for the others what is missing."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ratemod.errors import BookError, Problem, RatemodError, problem
from ratemod.fund.ledger import FundLedger
from ratemod.fund.of_folder import evaluation_of, ledger_of, names_of
from ratemod.fund.proof import Check
from ratemod.papers.enterprises import coverage_of, insured_paper, participation_paper, refusals_paper
from ratemod.papers.insurers import (
    assessment_paper,
    complaint_clock_paper,
    complaints_paper,
    duties_paper,
    evaluation_paper,
    fund_paper,
)
from ratemod.papers.paper import Paper
from ratemod.publication.disclosure import Disclosure, disclosure
from ratemod.publication.files import figures_table, fund_table, service_table, sources_table
from ratemod.publication.page import disclosure_document
from ratemod.reading.folder import Folder, open_folder
from ratemod.registers.participation import Coverage
from ratemod.registers.register import Register, read_register
from ratemod.registers.rules import ParticipationRule
from ratemod.rules.options import strict
from ratemod.study.history import is_synthetic
from ratemod.vocabulary.codes.industry import SECTORS
from ratemod.vocabulary.table import table

# Every paper in order, with the lists that it needs.
NEEDS: dict[str, tuple[str, ...]] = {
    "disclosure": ("policies", "claims", "services", "ledger"),
    "participation": ("enterprises", "policies"),
    "insured": ("enterprises", "policies"),
    "refusals": ("enterprises", "policies", "hazards"),
    "complaints": ("complaints",),
    "complaint_clock": ("complaints",),
    "fund": ("policies", "services", "ledger"),
    "duties": ("policies", "services"),
    "evaluation": ("policies", "services", "panel", "ledger"),
    "assessment_insurer": ("policies", "services", "ledger"),
    "assessment_broker": ("policies", "services", "ledger", "brokers"),
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
    checks : tuple of Check
        The same figure in two papers, both sides.
    told : Disclosure or None
    synthetic : bool
    """

    year: int
    day: dt.date
    papers: tuple[Paper, ...]
    absent: tuple[Absent, ...]
    checks: tuple[Check, ...]
    told: Disclosure | None
    synthetic: bool


@strict
def year_of_papers(
    folder: str | Path,
    year: int,
    *,
    at: dt.date | None = None,
    rule: ParticipationRule | None = None,
    register: str | Path | None = None,
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

    Raises
    ------
    BookError
        RM916, RM955 the folder; RM766 none of its lists makes a paper.

    Source
    ------
    吉应急规划财务联〔2020〕282号; which clause asks for which paper stands beside it in the table of contents.
    """
    lists = open_folder(folder)
    day = at or dt.date(year, 12, 31)
    chosen = rule or ParticipationRule(sectors=SECTORS)
    synthetic = is_synthetic(folder)
    names = names_of(lists)
    found: list[Paper] = []
    absent: list[Absent] = []

    @contextlib.contextmanager
    def tried(name: str) -> Iterator[None]:
        try:
            yield
        except RatemodError as error:
            absent.append(Absent(name, error.problems))

    def make(name: str, build: Callable[[], Paper]) -> None:
        lost = [noun for noun in NEEDS[name] if noun not in lists]
        if lost:
            said = [(noun, table(noun).label_zh) for noun in lost]
            absent.append(
                Absent(
                    name, tuple(problem("RM954", path=str(lists.path), name=noun, label=label) for noun, label in said)
                )
            )
            return
        with tried(name):
            found.append(build())

    told: list[Disclosure] = []
    covered: list[Coverage] = []
    kept: list[FundLedger] = []

    def published() -> Paper:
        told.append(disclosure(lists.path, year, rule=chosen, register=register))
        tables = {"figures": figures_table, "fund": fund_table, "service": service_table, "sources": sources_table}
        data = {name: of(told[0]) for name, of in tables.items()}
        refused = tuple(item for _, item in told[0].refused)
        return Paper("disclosure", True, lambda lang: disclosure_document(told[0], lang), data, refused)

    def participation() -> Paper:
        covered.append(coverage_of(lists, year, chosen))
        return participation_paper(covered[0], year, chosen, names)

    def fund() -> Paper:
        kept.append(ledger_of(lists, day))
        kept[0].reconcile()
        return fund_paper(kept[0], year, names)

    def evaluation() -> Paper:
        return evaluation_paper(evaluation_of(lists, day, year=year, synthetic=synthetic), names)

    def held(noun: str) -> Register:
        return read_register(lists.table(noun), noun)

    make("disclosure", published)
    make("participation", participation)
    make("insured", lambda: insured_paper(held("enterprises"), held("policies"), day, names))
    make("refusals", lambda: refusals_paper(held("enterprises"), held("policies"), held("hazards"), day, names))
    make("complaints", lambda: complaints_paper(lists, year, day, names))
    make("complaint_clock", lambda: complaint_clock_paper(lists, year, day, names))
    make("fund", fund)
    make("duties", lambda: duties_paper(lists, year, day, names))
    make("evaluation", evaluation)
    make("assessment_insurer", lambda: assessment_paper(lists, day, "insurer", synthetic, names))
    make("assessment_broker", lambda: assessment_paper(lists, day, "broker", synthetic, names))
    if not found:
        raise BookError([problem("RM766", path=str(lists.path)), *(item for one in absent for item in one.problems)])
    checks = _checks(lists, year, told, covered, kept)
    return YearOfPapers(year, day, tuple(found), tuple(absent), checks, told[0] if told else None, synthetic)


def _checks(
    lists: Folder, year: int, told: list[Disclosure], covered: list[Coverage], kept: list[FundLedger]
) -> tuple[Check, ...]:
    """Return the figures that two papers have, each from both."""
    checks: list[Check] = []
    if told and covered and "participation" in told[0].subjects:
        tables = told[0].subjects["participation"].tables
        if ("state",) in {(dim,) for face in tables.faces for dim in face}:
            flags = {"insured": covered[0].in_full, "uninsured": covered[0].uninsured}
            for name, flag in flags.items():
                own = int(tables.values["enterprises"][tables.at(state=tables.levels["state"].index(name))])
                checks.append(Check("disclosure = participation", name, own, int(np.asarray(flag).sum())))
    if told and kept:
        rows = [row for row in kept[0].statement_table().to_pylist() if row["fund_year"] == year]
        for line in told[0].fund:
            mine = [row for row in rows if line.insurer in ("", row["insurer"])]
            for name in ("accrued_fen", "released_fen", "used_fen"):
                checks.append(Check(f"disclosure = fund: {name}", line.insurer or "all", getattr(line, name),
                                    sum(row[name] for row in mine)))  # fmt: skip
    return tuple(checks)
