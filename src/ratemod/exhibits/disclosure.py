"""The yearly public disclosure of a province: what may be published of its shared data, and proof of the sums.

吉应急规划财务联〔2020〕282号 asks emergency departments and insurers to publish a summary at least once a year and
names no form. Nothing about a single enterprise can be told from this one: see `linked_suppression`. Insurers are the
subject of the publication, not protected by it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.errors import BookError, Lang, ModelError, Problem, problem
from ratemod.exhibits.disclosure_data import insurer_names, sources
from ratemod.exhibits.disclosure_fund import FundLine, fund_lines
from ratemod.exhibits.disclosure_service import ServiceLine, service_lines
from ratemod.exhibits.disclosure_subjects import (
    BY_CAUSE,
    BY_INSURER,
    BY_PLACE,
    BY_STATE,
    ENTRIES,
    STATES,
    Facts,
    casualties,
    claims,
    deaths,
    delivered_days,
    divisions_of,
    insurance,
    read_facts,
    services,
)
from ratemod.exhibits.linked_suppression import protect_linked
from ratemod.exhibits.linked_tables import Face, Key, LinkedTables, tabulate
from ratemod.exhibits.suppression import LEAST_UNITS
from ratemod.fund.proof import Check, prove
from ratemod.registers.participation import coverage
from ratemod.registers.register import read_register
from ratemod.registers.rules import ParticipationRule
from ratemod.study.history import digest_of, is_synthetic
from ratemod.vocabulary.codes.industry import SECTORS

Mask = npt.NDArray[np.bool_]
MOST_UNSAFE, MOST_HIDDEN = 0.35, 0.60
Make = Callable[..., LinkedTables]
SUBJECTS: tuple[tuple[Make, tuple[Face, ...]], ...] = (
    (insurance, (BY_PLACE, BY_INSURER)),
    (claims, (BY_PLACE, BY_INSURER, BY_CAUSE)),
    (casualties, (("sector",), ("cause",))),
    (services, (BY_PLACE, BY_INSURER)),
)


@dataclass(frozen=True, eq=False, slots=True)
class Subject:
    """The linked tables of one subject and which cells stay out.

    Attributes
    ----------
    tables : LinkedTables
    hidden : (n,) bool
    left_out : tuple of Face
        Breakdowns of which too much would stay out; their totals are published.
    """

    tables: LinkedTables
    hidden: Mask
    left_out: tuple[Face, ...]

    @property
    def share_hidden(self) -> float:
        """Share of the cells and totals that are not empty and stay out."""
        some = self.tables.contributors > 0
        return float(self.hidden.sum() / some.sum()) if some.any() else 0.0


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
        Paid in the year on claims of any year; None without a table of payments.
    deaths : int or None
        In the accidents of the year; None where too few enterprises had any.
    insurer_names : mapping of insurer to name
    tables : mapping of noun to (rows read, rows used, SHA-256)
    checks : tuple of Check
        Sums of the source tables beside those published; all hold.
    refused : tuple of (table, Problem)
    synthetic : bool
    least_units : int
    """

    year: int
    subjects: Mapping[str, Subject]
    fund: tuple[FundLine, ...]
    service: tuple[ServiceLine, ...]
    paid_in_year_fen: int | None
    deaths: int | None
    insurer_names: Mapping[str, str]
    tables: Mapping[str, tuple[int, int, str]]
    checks: tuple[Check, ...]
    refused: tuple[tuple[str, Problem], ...]
    synthetic: bool
    least_units: int

    def write(self, path: str | Path, lang: Lang = "en") -> list[Path]:
        """Write a page (``.html``), a workbook (``.xlsx``) or a folder of CSV and Parquet; return the files written.

        Raises
        ------
        BookError
            Those of `ratemod.exhibits.disclosure_files.check_disclosure_target`.
        """
        from ratemod.exhibits.disclosure_files import write_disclosure

        return write_disclosure(self, path, lang)


def disclosure(
    province: Any, year: int, *, rule: ParticipationRule | None = None, least_units: int = LEAST_UNITS
) -> Disclosure:
    """Return what may be published of a year.

    Parameters
    ----------
    province : folder, mapping of table name to path or frame, or Province
        ``policies``, ``claims``, ``services``, ``ledger``; where there are any ``endorsements``, ``coinsurance``,
        ``payments``, ``enterprises`` (for participation), ``insurers`` (names).
    year : int
        Policies that began, accidents that happened, services and entries of the fund of this calendar year.
    rule : ParticipationRule, optional
        Who must insure; the eight sectors without it.
    least_units : int
        A cell with fewer enterprises stays out.

    Raises
    ------
    BookError
        RM916, RM950, RM919 what is missing; RM921 no policy began in the year; those of the readers and of `co_insure`.
    ModelError
        RM705 a sum does not hold; RM897 the tables cannot be published safely.

    Source
    ------
    吉应急规划财务联〔2020〕282号 (what is shared and published); Hundepool et al. (2012) as in `linked_suppression`.

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
    subjects: dict[str, Subject] = {}
    for make, faces in SUBJECTS:
        found = _protected(functools.partial(make, facts, least=least_units), faces, least_units)
        if found is not None:
            subjects[found.tables.name] = found
    refused = [(noun, item) for noun, table in facts.tables.items() for item in table.refused]
    counts = {noun: (table.rows_in, len(table)) for noun, table in facts.tables.items()}
    if "insurance" not in subjects:
        raise ModelError(problem("RM897", table="insurance"))
    if "enterprises" in given:
        subject, told, rows = _participation(facts, given, rule, least_units, subjects["insurance"])
        if subject is not None:
            subjects["participation"] = subject
        refused += [("enterprises", item) for item in told]
        counts["enterprises"] = rows
    lines = fund_lines(facts, subjects["insurance"], subjects.get("services"))
    paid = _paid_in_year(facts)
    return Disclosure(
        year,
        subjects,
        lines,
        service_lines(facts, subjects.get("services"), least_units),
        paid,
        deaths(facts, least_units),
        insurer_names(given.get("insurers")),
        {noun: (*rows, digest_of(given[noun])) for noun, rows in counts.items()},
        _reconciled(facts, subjects),
        tuple(refused),
        is_synthetic(province),
        least_units,
    )


def _protected(
    make: Callable[[tuple[Face, ...]], LinkedTables],
    faces: tuple[Face, ...],
    least: int,
    also: Callable[[LinkedTables], Mask] | None = None,
) -> Subject | None:
    """Return a subject with breakdowns that keep most of their cells; None without records or with too few.

    A breakdown that loses too much is published by its two totals; totals that cannot be protected not at all.
    """
    left: list[Face] = []
    while True:
        kept = [face for face in faces if face not in left]
        kept += [(dim,) for face in left if len(face) > 1 for dim in face if (dim,) not in left]
        tables = make(tuple(dict.fromkeys(kept)))
        if tables.unsafe[-1] or not tables.contributors.any():
            return None
        pairs = [face for face in tables.faces if len(face) > 1]
        thin = [face for face in pairs if _share(tables, face, tables.unsafe) > MOST_UNSAFE]
        if not thin:
            try:
                hidden = protect_linked(tables, also=None if also is None else also(tables), least_units=least)
            except ModelError:  # RM897: with one breakdown fewer, perhaps
                thin = pairs or list(tables.faces)
            else:
                thin = [face for face in pairs if _share(tables, face, hidden) > MOST_HIDDEN]
                if not thin:
                    return Subject(tables, hidden, tuple(left))
        left.append(max(thin, key=lambda face: (_share(tables, face, tables.unsafe), face)))


def _share(tables: LinkedTables, face: Face, which: Mask) -> float:
    """Return the share of the cells of a face that are not empty and are among `which`."""
    cells = tables.inner(face)
    some = tables.contributors[cells] > 0
    return float(which[cells][some].sum() / max(int(some.sum()), 1))


def _participation(
    facts: Facts, given: Mapping[str, Any], rule: ParticipationRule | None, least: int, insured: Subject
) -> tuple[Subject | None, tuple[Problem, ...], tuple[int, int]]:
    """Return obliged enterprises by state and sector, and by state and division."""
    enterprises = read_register(given["enterprises"], "enterprises")
    policies = read_register(given["policies"], "policies")
    changes = read_register(given["endorsements"], "endorsements") if "endorsements" in given else None
    chosen = ParticipationRule(sectors=SECTORS) if rule is None else rule
    period = (f"{facts.year}-01-01", f"{facts.year + 1}-01-01")
    found = coverage(enterprises, policies, period, chosen, endorsements=changes)
    rows = np.flatnonzero(found.judged)
    state = np.select([found.in_full, found.uninsured], [0, 2], 1)[rows]
    place = enterprises.codes("sector").take(rows)
    sector = np.array([SECTORS.index(name) for name in place.to_pylist()], np.int64)
    divisions, division = divisions_of(enterprises.values["division_code"].take(rows))
    dimensions = {"state": (state, STATES), "sector": (sector, SECTORS), "division": (division, divisions)}
    firm, one = enterprises.firm[rows], {"enterprises": np.ones(len(rows), np.int64)}

    def make(faces: tuple[Face, ...]) -> LinkedTables:
        kept = {dim: column for dim, column in dimensions.items() if any(dim in face for face in faces)}
        return tabulate("participation", kept, faces, firm, one, least_units=least)

    def also(tables: LinkedTables) -> Mask:
        return np.array([_left_out_by(insured, tables, key) for key in tables.keys], bool)

    read = len(enterprises) + sum(item.count for item in enterprises.refused)
    subject = _protected(make, BY_STATE, least, also) if len(rows) else None
    return subject, enterprises.refused, (read, len(enterprises))


def _left_out_by(insured: Subject, tables: LinkedTables, key: Key) -> bool:
    """Return whether the tables of insurance leave out this total of a sector or division: both count enterprises."""
    if len(key) != 1:
        return False
    dim, level = key[0]
    names = insured.tables.levels.get(dim, ())
    name = tables.levels[dim][level]
    place = ((dim, names.index(name)),) if name in names else ()
    return bool(place in insured.tables.keys and insured.hidden[insured.tables.keys.index(place)])


def _paid_in_year(facts: Facts) -> int | None:
    if "payments" not in facts.tables:
        return None
    table = facts.tables["payments"]
    return int(table.amount("amount")[facts.within(table["payment_date"])].sum())


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
        if name in subjects:
            tables = subjects[name].tables
            checks.append(Check(f"{name}.{measure}", "all", int(tables.values[measure][-1]), total))
            for at, (whole, cells) in enumerate(tables.relations):
                parts = int(tables.values[measure][cells].sum())
                checks.append(Check(f"{name}.{measure}", f"total {at}", parts, int(tables.values[measure][whole])))
    prove(checks)
    return tuple(check for check in checks if check.where == "all")
