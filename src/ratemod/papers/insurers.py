"""Papers about insurers: complaints, the fund, services owed, the evaluation; assessments, of brokers and bodies too.

Evaluation and assessments have exact figures of small groups, which nobody protected: they go to offices. What may be
published of them stands in the yearly disclosure.
"""

from __future__ import annotations

import functools
from typing import Literal

import pyarrow as pa

from ratemod.document.model import Document, Paragraph, Section
from ratemod.errors import Lang, Problem, text
from ratemod.fund.evaluation import Evaluation
from ratemod.fund.evaluation_document import evaluation_document, told_table
from ratemod.fund.fund_document import called, sheet_name
from ratemod.fund.of_folder import evaluation_of, scorecard_of
from ratemod.fund.scorecard_document import scorecard_document
from ratemod.papers.inputs import YearInputs
from ratemod.papers.paper import Names, Paper, listed_paper
from ratemod.publication.files import figures_table, fund_table, service_table, sources_table
from ratemod.publication.page import disclosure_document
from ratemod.rules.options import strict


def disclosure_paper(given: YearInputs) -> Paper:
    """Return what may be published of the year."""
    told = given.disclosure
    tables = {"figures": figures_table, "fund": fund_table, "service": service_table, "sources": sources_table}
    return Paper(
        name="disclosure",
        public=True,
        document=lambda lang: disclosure_document(told, lang),
        data={name: of(told) for name, of in tables.items()},
        refused=tuple(item for _, item in told.refused),
    )


def complaints_paper(given: YearInputs) -> Paper:
    """Return the numbers of complaints of the year, which are published."""
    found = given.complaints
    tables = {"complaints_by_insurer": found.by("insurer"), "complaints_by_subject": found.by("subject")}
    return listed_paper("complaints", tables, names=given.names, refused=found.refused, public=True)


def complaint_clock_paper(given: YearInputs) -> Paper:
    """Return every complaint of the year with its clock in working days."""
    found = given.complaints
    return listed_paper("complaint_clock", {"complaint_list": found.table}, names=given.names, refused=found.refused)


def fund_paper(given: YearInputs) -> Paper:
    """Return each insurer's fund in the year, and what looks wrong in its use."""
    found = given.ledger
    found.reconcile()
    statement = found.statement_table()
    statement = statement.filter(pa.array([own == given.year for own in statement["fund_year"].to_pylist()]))
    tables = {"statement": statement, "rules": found.flag_counts(given.year), "flags": found.flags_of(given.year)}
    return _fund("fund", tables, given.names, found.refused)


def duties_paper(given: YearInputs) -> Paper:
    """Return what each insurer owed in the year, and who was not served."""
    found = given.duties
    found.reconcile()
    tables = {"statement": found.statement_table(year=given.year), "unserved": found.unserved_table()}
    return _fund("duties", tables, given.names, found.refused)


def evaluation_paper(given: YearInputs) -> Paper:
    """Return the written report on the services of the year."""
    found = evaluation_of(
        given.lists,
        given.day,
        year=given.year,
        duties=given.duties,
        ledger=given.ledger,
        working_days=given.working_days,
        synthetic=given.synthetic,
    )
    parts = {name: found.of_insurer(name) for name in found.insurers}
    return Paper(
        name="evaluation",
        public=False,
        document=lambda lang: evaluation_document(found, lang, given.names),
        data=dict(found.tables()),
        refused=found.refused,
        parts={
            given.names.get("insurer", {}).get(name, name): functools.partial(_evaluation, part, given.names)
            for name, part in parts.items()
        },
    )


def _evaluation(found: Evaluation, names: Names, lang: Lang) -> Document:
    return evaluation_document(found, lang, names)


@strict
def assessment_paper(given: YearInputs, by: Literal["insurer", "broker", "provider"]) -> Paper:
    """Return the assessment of insurers, of brokers or of service bodies."""
    indicators = None if by == "provider" else given.indicators  # service bodies have indicators of their own
    found = scorecard_of(given.lists, given.day, by=by, indicators=indicators, duties=given.duties, ledger=given.ledger)
    found.reconcile()
    return Paper(
        name=f"assessment_{by}",
        public=False,
        document=lambda lang: scorecard_document(found, lang, given.synthetic, given.names),
        data={"scores": found.table, "indicators": found.indicator_table(), "weights": found.weight_table()},
        refused=found.refused,
    )


def _fund(name: str, tables: dict[str, pa.Table], names: Names, refused: tuple[Problem, ...]) -> Paper:
    def document(lang: Lang) -> Document:
        sections = tuple(
            Section(part, sheet_name(part, lang), (told_table(called(table, names), table.column_names, lang),))
            for part, table in tables.items()
        )
        head = (Paragraph(text("UI_fund_illustrative", lang)),)
        return Document(lang=lang, title=text(f"UI_paper_{name}", lang), head=head, sections=sections)

    return Paper(name=name, public=False, document=document, data=tables, refused=refused)
