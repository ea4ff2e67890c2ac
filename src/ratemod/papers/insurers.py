"""Papers about insurers: complaints, the fund, services owed, the evaluation, assessments of insurers and brokers.

Evaluation and assessments have exact figures of small groups, which nobody protected: they go to offices. What may be
published of them stands in the yearly disclosure.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import pyarrow as pa

from ratemod.document.model import Document, Paragraph, Section
from ratemod.errors import Lang, text
from ratemod.fund.evaluation import Evaluation
from ratemod.fund.evaluation_document import evaluation_document, told_table
from ratemod.fund.fund_document import called, sheet_name
from ratemod.fund.ledger import FundLedger
from ratemod.fund.of_folder import duties_of, scorecard_of
from ratemod.fund.scorecard_document import scorecard_document
from ratemod.papers.paper import Names, Paper, listed_paper
from ratemod.reading.folder import Folder
from ratemod.registers.complaints import complaints_of
from ratemod.rules.options import strict


def complaints_paper(lists: Folder, year: int, day: dt.date, names: Names) -> Paper:
    """Return the numbers of complaints of the year, which are published, and the register behind them as data."""
    found = complaints_of(lists.table("complaints"), year, day)
    tables = {"complaints_by_insurer": found.by("insurer"), "complaints_by_subject": found.by("subject")}
    return listed_paper("complaints", tables, names=names, refused=found.refused, public=True)


def complaint_clock_paper(lists: Folder, year: int, day: dt.date, names: Names) -> Paper:
    """Return every complaint of the year with its clock in working days."""
    found = complaints_of(lists.table("complaints"), year, day)
    return listed_paper("complaint_clock", {"complaint_list": found.table}, names=names, refused=found.refused)


def fund_paper(found: FundLedger, year: int, names: Names) -> Paper:
    """Return each insurer's fund in the year, and what looks wrong in its use."""
    statement = found.statement_table()
    statement = statement.filter(pa.array([own == year for own in statement["fund_year"].to_pylist()]))
    return _fund("fund", {"statement": statement, "rules": found.flag_counts(), "flags": found.flags}, names,
                 found.refused)  # fmt: skip


def duties_paper(lists: Folder, year: int, day: dt.date, names: Names) -> Paper:
    """Return what each insurer owed in the year, and who was not served."""
    found = duties_of(lists, day)
    found.reconcile()
    tables = {"statement": found.statement_table(year=year), "unserved": found.unserved_table()}
    return _fund("duties", tables, names, found.refused)


def evaluation_paper(found: Evaluation, names: Names) -> Paper:
    """Return the written report on the services of the year."""
    return Paper(
        "evaluation", False, lambda lang: evaluation_document(found, lang, names), dict(found.tables()), found.refused
    )


@strict
def assessment_paper(
    lists: Folder, day: dt.date, by: Literal["insurer", "broker"], synthetic: bool, names: Names
) -> Paper:
    """Return the assessment of insurers or of brokers."""
    found = scorecard_of(lists, day, by=by)
    found.reconcile()
    data = {"scores": found.table, "indicators": found.indicator_table(), "weights": found.weight_table()}
    return Paper(
        f"assessment_{by}", False, lambda lang: scorecard_document(found, lang, synthetic, names), data, found.refused
    )


def _fund(name: str, tables: dict[str, pa.Table], names: Names, refused: tuple[object, ...]) -> Paper:
    def document(lang: Lang) -> Document:
        sections = tuple(
            Section(part, sheet_name(part, lang), (told_table(called(table, names), table.column_names, lang),))
            for part, table in tables.items()
        )
        head = (Paragraph(text("UI_fund_illustrative", lang)),)
        return Document(lang=lang, title=text(f"UI_paper_{name}", lang), head=head, sections=sections)

    return Paper(name, False, document, tables, tuple(refused))  # type: ignore[arg-type]
