"""The yearly disclosure as a document, for the public."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ratemod.charts import division_tiles, fund_flow
from ratemod.document.model import (
    Block,
    Blocks,
    Document,
    Facts,
    Paragraph,
    Picture,
    Said,
    Section,
    Span,
    Table,
    facts,
    joined,
    table,
)
from ratemod.errors import Lang, text
from ratemod.publication.fund import FUND_MEASURES, FundLine
from ratemod.publication.service import ServiceLine
from ratemod.publication.subjects import ELSEWHERE
from ratemod.publication.words import (
    EMPTY,
    SUPPRESSED,
    amount_text,
    figure,
    level_label,
    measure_label,
    published,
    rounded_rows,
)
from ratemod.publication.year import Subject
from ratemod.version import VERSION
from ratemod.vocabulary.labels import table_label

if TYPE_CHECKING:
    from ratemod.publication.disclosure import Disclosure

ORDER = ("insurance", "claims", "casualties", "services")
SERVICE_MEASURES = ("planned", "delivered_share", "served_share", "days_late", "score", "hazards_found")


def disclosure_document(told: Disclosure, lang: Lang) -> Document:
    """Return the yearly disclosure; its charts are drawn when it is shown."""
    head = [Paragraph(text("UI_disclosure_synthetic", lang), "alarm")] if told.synthetic else []
    head.append(Paragraph(text("UI_disclosure_lead", lang, year=told.year)))
    sections = [Section("key", text("UI_disclosure_key", lang), (_key(told, lang),))]
    for name in ORDER:
        if name in told.subjects:
            body = _subject(told, told.subjects[name], lang)
            sections.append(Section(name, text(f"UI_disclosure_{name}", lang), body))
        if name == "services":
            if told.fund:
                sections.append(Section("fund", text("UI_disclosure_fund", lang), _fund(told, lang)))
            if told.service:
                sections.append(Section("evaluation", text("UI_disclosure_evaluation", lang), _evaluation(told, lang)))
    if "participation" in told.subjects:
        sections.append(Section("participation", text("UI_disclosure_participation", lang), _participation(told, lang)))
    sections.append(Section("cross", text("UI_disclosure_cross", lang), _cross(told, lang)))
    sections.append(Section("protection", text("UI_disclosure_protection", lang), _protection(told, lang)))
    sections.append(Section("sources", text("UI_disclosure_sources", lang), _sources(told, lang)))
    title = text("UI_disclosure_title", lang, year=told.year)
    return Document(lang=lang, title=title, head=tuple(head), sections=tuple(sections))


def key_figures(told: Disclosure, lang: Lang) -> list[tuple[str, str]]:
    """Return the totals of the year as label and figure."""
    found = []
    for name in ORDER:
        if name in told.subjects:
            subject = told.subjects[name]
            last = len(subject.tables.keys) - 1
            found += [(measure_label(item, lang), figure(subject, last, item)) for item in subject.tables.values]
        if name == "claims" and told.paid_in_year_fen is not None:
            found.append((text("UI_disclosure_paid_in_year", lang), amount_text(told.paid_in_year_fen)))
        if name == "claims" and told.nobody_hurt:
            found.append((measure_label("claims", lang), "0"))
        if name == "casualties" and "claims" not in told.absent:
            found.append(
                (text("UI_disclosure_deaths", lang), SUPPRESSED if told.deaths is None else f"{told.deaths:,}")
            )
    return found


def _key(told: Disclosure, lang: Lang) -> Facts:
    return facts(text("UI_disclosure_key", lang), [(label, said) for label, said in key_figures(told, lang)])


def _said(said: str, lang: Lang) -> Said:
    """Return a figure for the page; one left out says so to those who hear the page."""
    if said != SUPPRESSED:
        return said
    return Span(SUPPRESSED, title=text("UI_disclosure_suppressed", lang))


def _subject(told: Disclosure, subject: Subject, lang: Lang) -> Blocks:
    """Return the totals of a subject by each of its dimensions."""
    tables = subject.tables
    parts: list[Block | None] = [Paragraph(text(f"UI_disclosure_note_{tables.name}", lang), "soft")]
    what = text(f"UI_disclosure_{tables.name}", lang)
    measures = list(tables.values)
    for dim in dict.fromkeys(dim for face in tables.faces for dim in face):
        rows = []
        for at, cell in enumerate(tables.inner((dim,))):
            label = level_label(told, dim, tables.levels[dim][at], lang)
            rows.append([label, *(_said(figure(subject, int(cell), item), lang) for item in measures)])
        last = len(tables.keys) - 1
        total = [text("UI_disclosure_total", lang), *(_said(figure(subject, last, item), lang) for item in measures)]
        name = text(f"UI_dimension_{dim}", lang)
        heads = [_first_upper(name), *(measure_label(item, lang) for item in measures)]
        caption = text("UI_disclosure_by", lang, what=what, dim=name)
        parts.append(table(caption, heads, rows, [False, *[True] * len(measures)], total=total, look="tight"))
        if dim == "division" and tables.name == "insurance":
            parts.append(_tiles(told, subject, "premium_fen", lang))
    return joined(*parts)


def _first_upper(said: str) -> str:
    return said[:1].upper() + said[1:]


def _tiles(told: Disclosure, subject: Subject, measure: str, lang: Lang) -> Picture | None:
    """Return a measure on the tile chart of Jilin; nothing where no division of Jilin is published."""
    tables = subject.tables
    codes, values = [], []
    for code, cell in zip(tables.levels["division"], tables.inner(("division",)), strict=True):
        if code != ELSEWHERE:
            codes.append(code)
            figure_ = published(int(tables.values[measure][cell])) / 100
            values.append(float("nan") if subject.hidden[cell] else figure_)
    if not codes or all(np.isnan(values)):
        return None
    said = text("UI_disclosure_by", lang, what=measure_label(measure, lang), dim=text("UI_dimension_division", lang))
    return Picture(
        division_tiles(codes, values, title=said, unit=text("UI_disclosure_unit_short", lang), digits=0, lang=lang)
    )


def _fund(told: Disclosure, lang: Lang) -> Blocks:
    names = FUND_MEASURES
    rows, drawn = [], []
    for line in told.fund:
        label = level_label(told, "insurer", line.insurer, lang) if line.insurer else text("UI_disclosure_total", lang)
        rows.append([label, *(_said(item, lang) for item in fund_cells(line))])
        if line.insurer and not {"accrued_fen", "used_fen"} & line.left_out:
            drawn.append((label, published(line.accrued_fen) * 100, published(line.used_fen) * 100))
    heads = [_first_upper(text("UI_dimension_insurer", lang)), *(measure_label(name, lang) for name in names)]
    caption = text(
        "UI_disclosure_by", lang, what=text("UI_disclosure_fund", lang), dim=text("UI_dimension_insurer", lang)
    )
    parts: list[Block | None] = [Paragraph(text("UI_disclosure_note_fund", lang), "soft")]
    parts.append(table(caption, heads, rows[:-1], [False, *[True] * len(names)], total=rows[-1], look="tight"))
    if drawn:
        labels, accrued, used = zip(*drawn, strict=True)
        parts.append(Picture(fund_flow(labels, accrued, used, lang=lang)))
    return joined(*parts)


def fund_cells(line: FundLine) -> list[str]:
    """Return the fund of an insurer as published, in the order of `FUND_MEASURES`."""
    amounts = [line.published(name) for name in FUND_MEASURES]
    return [SUPPRESSED if amount is None else amount_text(amount) for amount in amounts]


def service_cells(line: ServiceLine) -> list[str]:
    """Return the indicators of an insurer as published, in the order of `SERVICE_MEASURES`."""
    if line.hidden:
        return [SUPPRESSED] * len(SERVICE_MEASURES)
    means = [EMPTY if value is None else f"{value:.2f}" for value in (line.days_late, line.score, line.hazards_found)]
    return [f"{line.planned:,}", f"{line.delivered_share:.1%}", f"{line.served_share:.1%}", *means]


def _evaluation(told: Disclosure, lang: Lang) -> Blocks:
    rows = []
    for line in told.service:
        label = level_label(told, "insurer", line.insurer, lang) if line.insurer else text("UI_disclosure_total", lang)
        rows.append([label, *(_said(item, lang) for item in service_cells(line))])
    heads = [
        _first_upper(text("UI_dimension_insurer", lang)),
        *(measure_label(name, lang) for name in SERVICE_MEASURES),
    ]
    total = None if told.service[-1].insurer else rows.pop()
    caption = text("UI_disclosure_evaluation", lang)
    return joined(
        Paragraph(text("UI_disclosure_note_evaluation", lang), "soft"),
        table(caption, heads, rows, [False, *[True] * len(SERVICE_MEASURES)], total=total, look="tight"),
    )


def _participation(told: Disclosure, lang: Lang) -> Blocks:
    subject = told.subjects["participation"]
    parts: list[Block | None] = [Paragraph(text("UI_disclosure_note_participation", lang), "soft")]
    faces = [face for face in subject.tables.faces if len(face) == 2]
    parts += [_matrix(told, subject, face[::-1], "enterprises", lang) for face in faces]
    parts += [] if faces else _subject(told, subject, lang)
    return joined(*parts)


def _cross(told: Disclosure, lang: Lang) -> Blocks:
    parts: list[Block | None] = [Paragraph(text("UI_disclosure_note_cross", lang), "soft")]
    for name in ORDER:
        subject = told.subjects.get(name)
        for face in subject.tables.faces if subject else ():
            if subject and len(face) == 2:
                parts += [_matrix(told, subject, face[::-1], item, lang) for item in subject.tables.values]
    return joined(*parts)


def matrix_of(subject: Subject, face: tuple[str, str], measure: str) -> list[list[str]]:
    """Return the figures of a cross table, rows and columns with their totals last."""
    tables = subject.tables
    place = {frozenset(key): at for at, key in enumerate(tables.keys)}
    rows: Sequence[int | None] = [*range(len(tables.levels[face[0]])), None]
    columns: Sequence[int | None] = [*range(len(tables.levels[face[1]])), None]
    return [
        [
            figure(
                subject,
                place[frozenset((dim, at) for dim, at in ((face[0], row), (face[1], column)) if at is not None)],
                measure,
            )
            for column in columns
        ]
        for row in rows
    ]


def _matrix(told: Disclosure, subject: Subject, face: tuple[str, ...], measure: str, lang: Lang) -> Table:
    down, across = face
    levels = subject.tables.levels
    all_of = text("UI_disclosure_total", lang)
    cells = matrix_of(subject, (down, across), measure)
    labels = [*(level_label(told, down, code, lang) for code in levels[down]), all_of]
    rows = [[label, *(_said(item, lang) for item in line)] for label, line in zip(labels, cells, strict=True)]
    name = text(f"UI_dimension_{down}", lang)
    heads = [_first_upper(name), *(level_label(told, across, code, lang) for code in levels[across]), all_of]
    code = "UI_disclosure_by" if across == "state" else "UI_disclosure_cross_caption"
    words = {"what": measure_label(measure, lang), "dim": name, "rows": name}
    return table(
        text(code, lang, **words), heads, rows[:-1], [False, *[True] * (len(heads) - 1)], total=rows[-1], look="tight"
    )


def left_out(told: Disclosure, lang: Lang) -> list[str]:
    """Return what is not published, in words: lists that were not given, and breakdowns."""
    found = [text("UI_disclosure_absent", lang, list=table_label(noun, lang)) for noun in told.absent]
    for name, subject in told.subjects.items():
        if subject.left_out:
            said = [" × ".join(text(f"UI_dimension_{dim}", lang) for dim in face) for face in subject.left_out]
            what = text(f"UI_disclosure_{name}", lang)
            comma = text("UI_register_comma", lang)
            found.append(text("UI_disclosure_left_out", lang, subject=what, tables=comma.join(said)))
    return found


def _protection(told: Disclosure, lang: Lang) -> Blocks:
    rules = text("UI_disclosure_rules", lang, least=told.least_units).split("\n")
    rows = [
        [
            text(f"UI_disclosure_{name}", lang),
            f"{int((subject.tables.contributors > 0).sum()):,}",
            f"{int(subject.hidden.sum()):,}",
            f"{subject.share_hidden:.0%}",
        ]
        for name, subject in told.subjects.items()
    ]
    heads = [text("UI_disclosure_subject", lang), text("UI_disclosure_cells", lang), SUPPRESSED]
    heads.append(text("UI_disclosure_share_hidden", lang))
    caption = text("UI_disclosure_share_hidden", lang)
    parts = [Paragraph(item) for item in (*rules, *left_out(told, lang))]
    return joined(*parts, table(caption, heads, rows, [False, True, True, True]))


def _sources(told: Disclosure, lang: Lang) -> Blocks:
    rows = [
        [noun, *(f"{rounded_rows(many):,}" for many in (read, used)), digest]
        for noun, (read, used, digest) in told.tables.items()
    ]
    names = ("table", "rows_in", "rows_used", "digest")
    heads = [text(f"UI_disclosure_{name}", lang) for name in names]
    caption, right = text("UI_disclosure_sources", lang), [False, True, True, False]
    parts: list[Block] = [table(caption, heads, rows, right, look="digests")]
    parts.append(Paragraph(text("UI_disclosure_reconciled", lang, count=len(told.checks))))
    if told.refused:
        # A reason names rows, policies and enterprises: it is for those who keep the data, not for the public.
        lines = [[noun, item.code, f"{item.count:,}"] for noun, item in told.refused[:50]]
        heads = [text("UI_disclosure_table", lang), text("UI_disclosure_reason", lang), "n"]
        parts.append(table(text("UI_disclosure_refused", lang), heads, lines, [False, False, True]))
    else:
        parts.append(Paragraph(text("UI_disclosure_none_refused", lang)))
    parts.append(Paragraph(f"ratemod {VERSION}", "soft"))
    return joined(*parts)
