"""The yearly public disclosure of a province: what may be published of its shared data, and proof of the sums.

吉应急规划财务联〔2020〕282号 asks emergency departments and insurers to publish a summary at least once a year and
names no form. Nothing about a single enterprise can be told from this one: see `ratemod.confidentiality`. Insurers are
the subject of the publication, not protected by it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ratemod.confidentiality.figures import Figure
from ratemod.confidentiality.protection import bounds_of, exposed
from ratemod.confidentiality.publications import editions, published_of, read_publications, write_publications
from ratemod.confidentiality.system import Block, Mask, System
from ratemod.confidentiality.unsafe import LEAST_UNITS
from ratemod.errors import BookError, Lang, ModelError, Problem, problem
from ratemod.fund.proof import Check, Unit, prove
from ratemod.publication.columns import ENTRIES
from ratemod.publication.data import insurer_names, sources
from ratemod.publication.fund import FundLine, fund_year
from ratemod.publication.participation import read_registers
from ratemod.publication.service import ServiceLine
from ratemod.publication.subjects import Facts, delivered_days, read_facts
from ratemod.publication.year import CHAINED, Subject, publication
from ratemod.registers.rules import ParticipationRule
from ratemod.rules.options import strict
from ratemod.rules.within import Year
from ratemod.study.history import digest_of, is_synthetic


@dataclass(frozen=True, eq=False, slots=True)
class Disclosure:
    """A year that may be published.

    Attributes
    ----------
    year : int
    subjects : mapping of name to Subject
        ``insurance``, ``claims``, ``casualties``, ``services``, ``participation``; a subject without records is absent.
    fund : tuple of FundLine, service : tuple of ServiceLine
    paid_in_year_fen : int or None
        Paid in the year on claims of any year; None without a table of payments, or where it is unsafe.
    insurer_names : mapping of insurer to name
    tables : mapping of noun to (rows read, rows used, SHA-256)
    checks : tuple of Check
        Sums of the source tables beside those published; all hold.
    refused : tuple of (table, Problem)
    synthetic : bool
    least_units : int
    absent : tuple of nouns, the lists that were not given, of which nothing is published
    nobody_hurt : bool, there is a list of claims, all of it usable, and none of the year in it
    system : System, hidden : (cells,) bool
        All figures of the publication and of earlier years' funds, and which cells stay out.
    """

    year: int
    subjects: Mapping[str, Subject]
    fund: tuple[FundLine, ...]
    service: tuple[ServiceLine, ...]
    paid_in_year_fen: int | None
    insurer_names: Mapping[str, str]
    tables: Mapping[str, tuple[int, int, str]]
    checks: tuple[Check, ...]
    refused: tuple[tuple[str, Problem], ...]
    synthetic: bool
    least_units: int
    absent: tuple[str, ...]
    nobody_hurt: bool
    system: System
    hidden: Mask

    @property
    def deaths(self) -> int | None:
        """Deaths in the accidents of the year; None where that is not published."""
        if self.nobody_hurt:
            return 0
        found = self.subjects.get("casualties")
        if found is None or ("injury",) not in found.tables.faces:
            return None
        cell = found.tables.at(injury=0)
        return None if found.hidden[cell] else int(found.tables.values["casualties"][cell])

    def bounds(self, subject: str, measure: str, **levels: str) -> tuple[float, float]:
        """Return what a reader of the whole publication can tell of a figure: its least and greatest value.

        Parameters
        ----------
        subject : str, of `subjects`, or ``fund``, ``service``
        measure : str, fen where it ends in ``_fen``
        levels : level of each dimension, in the order of the breakdown: ``sector="mining", division="220100"``

        Raises
        ------
        ModelError
            RM423 no such figure is in the publication.
        """
        name = Figure(self.year, subject, measure, tuple(levels.items()))
        if name not in self.system.figures:
            raise ModelError(problem("RM423", subject=subject, measure=measure, levels=" ".join(levels.values())))
        return bounds_of(self.system, self.hidden, self.system.figures.index(name))

    def record(self, register: str | Path, day: str | dt.date) -> Path:
        """Add this publication to a register, which is made where there is none.

        Parameters
        ----------
        register : path
        day : ISO date, of publication

        Raises
        ------
        BookError
            RM426 no date; those of `read_publications` and `write_publications`.
        """
        digests = {noun: digest for noun, (_, _, digest) in self.tables.items()}
        own = published_of(self.system, self.hidden, self.year, day, digests)
        return write_publications(register, [*read_publications(register), own])

    def write(self, path: str | Path, lang: Lang = "en") -> list[Path]:
        """Write a page (``.html``), a workbook (``.xlsx``) or a folder of CSV and Parquet; return the files written.

        Raises
        ------
        BookError
            Those of `ratemod.publication.files.check_disclosure_target`.
        """
        from ratemod.publication.files import write_disclosure

        return write_disclosure(self, path, lang)


@strict
def disclosure(
    province: Any,
    year: Year,
    *,
    rule: ParticipationRule | None = None,
    least_units: int = LEAST_UNITS,
    register: str | Path | None = None,
) -> Disclosure:
    """Return what may be published of a year.

    Parameters
    ----------
    province : folder, mapping of table name to path or frame, or Province
        ``policies``; ``claims``, ``services`` and ``ledger``, of which nothing is published where they are not given (a
        list without rows is one); where there are any ``endorsements``, ``coinsurance``,
        ``payments``, ``enterprises`` (for participation), ``insurers`` (names).
    year : int
        Policies that began, accidents that happened, services and entries of the fund of this calendar year.
    rule : ParticipationRule, optional
        Who must insure; the eight sectors without it.
    least_units : int
        A cell with fewer enterprises stays out.
    register : path, optional
        Register of publications (`Disclosure.record`): the year is protected beside the earlier years and editions in
        it. Without one, earlier years count as published from the same tables, and this one as not published before.

    Raises
    ------
    BookError
        RM424, RM425 the register; RM916, RM950, RM919 what is missing; RM921 no policy began in the year; those of the
        readers and of `co_insure`.
    ModelError
        RM705 a sum does not hold; RM897 the tables cannot be published safely; RM422 the attack on the whole finds an
        unsafe figure, which would be a fault of this project; RM420, RM421 beside an earlier edition.

    Source
    ------
    吉应急规划财务联〔2020〕282号 (what is shared and published); Hundepool et al. (2012) as in `protection`.

    Examples
    --------
    >>> told = disclosure("data/province", 2025)
    >>> round(told.subjects["insurance"].share_hidden, 2) < 0.25, told.synthetic
    (True, True)
    """
    given = sources(province)
    facts = read_facts(given, year)
    if not facts.within(facts.tables["policies"]["start_date"]).any():
        raise BookError(problem("RM921", year=year, file=facts.tables["policies"].file))
    registers = read_registers(given)
    refused = [(noun, item) for noun, table in facts.tables.items() for item in table.refused]
    counts = {noun: (read.rows_in, len(read)) for noun, read in facts.tables.items() if noun not in facts.absent}
    if registers is not None:
        people = registers.enterprises
        refused += [("enterprises", item) for item in people.refused]
        counts["enterprises"] = (len(people) + sum(item.count for item in people.refused), len(people))
    past = None if register is None else read_publications(register)
    earlier: list[Block] = []
    for before in _years_before(facts):
        of_year = facts.of_year(before)
        if past is None:
            with contextlib.suppress(ModelError):  # RM897: nothing was published of that year
                earlier += publication(of_year, registers, rule, least_units, earlier, {}, CHAINED).earlier()
        elif held := editions(past, before):
            earlier += fund_year(of_year, least_units).blocks(functools.partial(_was_published, held, before))
    made = publication(facts, registers, rule, least_units, earlier, editions(past or (), year))
    open_still = exposed(made.system, made.hidden, least_units=least_units)
    if open_still:
        raise ModelError(
            problem("RM422", count=len(open_still), subject=figure.subject, measure=figure.measure)
            for figure, _, _ in open_still[:1]
        )
    return Disclosure(
        year=year,
        subjects=made.subjects,
        fund=made.fund,
        service=made.service,
        paid_in_year_fen=made.paid_in_year_fen,
        insurer_names=insurer_names(given.get("insurers")),
        tables={noun: (*rows, digest_of(given[noun])) for noun, rows in counts.items()},
        checks=_reconciled(facts, made.subjects),
        refused=tuple(refused),
        synthetic=is_synthetic(province),
        least_units=least_units,
        absent=facts.absent,
        nobody_hurt=_nobody_hurt(facts),
        system=made.system,
        hidden=made.hidden,
    )


def _nobody_hurt(facts: Facts) -> bool:
    """Return whether the list of claims, of which every row could be used, has none of the year."""
    table = facts.tables["claims"]
    whole = "claims" not in facts.absent and len(table) == table.rows_in
    return whole and not facts.within(table["event_date"]).any()


def _was_published(held: Mapping[Figure, int | None], year: int, measure: str, insurer: str) -> bool:
    key = (("insurer", insurer),) if insurer else ()
    return held.get(Figure(year, "fund", measure, key)) is not None


def _years_before(facts: Facts) -> list[int]:
    """Return the earlier years in which policies began: for all we know, they were published too."""
    days = facts.tables["policies"]["start_date"]
    begun = np.unique(days[days < facts.first].astype("datetime64[D]").astype("datetime64[Y]"))
    return [int(year) + 1970 for year in begun.astype(int)]


def _reconciled(facts: Facts, subjects: Mapping[str, Subject]) -> tuple[Check, ...]:
    """Prove that the published totals are those of the source tables.

    Raises
    ------
    ModelError
        RM705 for every sum that fails.
    """
    policies, ledger, claim, service = (facts.tables[noun] for noun in ("policies", "ledger", "claims", "services"))
    begun = facts.within(policies["start_date"])
    premium = int(policies.amount("premium")[begun].sum())
    if "endorsements" in facts.tables:
        own = begun[facts.place["endorsements"]]
        premium += int(facts.tables["endorsements"].amount("premium_change")[own].sum())
    hit = facts.within(claim["event_date"])
    dated = facts.within(ledger["date"])
    booked = {
        kind: int(ledger.amount("amount")[dated & (ledger["kind"] == at)].sum()) for at, kind in enumerate(ENTRIES)
    }
    done = facts.within(delivered_days(service))
    sums = {
        ("insurance", "enterprises"): len(np.unique(facts.firm[begun])),
        ("insurance", "premium_fen"): premium,
        ("insurance", "accrued_fen"): booked["accrual"],
        ("claims", "claims"): int(hit.sum()),
        ("claims", "paid_fen"): int(claim.amount("paid")[hit].sum()),
        ("claims", "assessed_fen"): int((claim.amount("paid") + claim.amount("case_reserve"))[hit].sum()),
        ("casualties", "casualties"): int((claim.number("deaths") + claim.number("serious_injuries"))[hit].sum()),
        ("services", "services"): int(done.sum()),
        ("services", "cost_fen"): int(service.amount("cost")[done].sum()),
        ("services", "used_fen"): booked["payment"],
    }
    checks = []
    for (name, measure), total in sums.items():
        if name in subjects and measure in subjects[name].tables.values:
            tables, of = subjects[name].tables, {"subject": name, "measure": measure}
            unit: Unit = "fen" if measure.endswith("_fen") else "count"
            checks.append(Check("published", "all", int(tables.values[measure][-1]), total, of=of, unit=unit))
            for at, (whole, cells) in enumerate(tables.relations):
                parts = int(tables.values[measure][cells].sum())
                checks.append(
                    Check("published_parts", str(at), parts, int(tables.values[measure][whole]), of=of, unit=unit)
                )
    prove(checks)
    return tuple(check for check in checks if check.where == "all")
