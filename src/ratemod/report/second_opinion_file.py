"""A comparison with another system as a document: what it comes to, the rows, what it rests on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ratemod.document.files import write_document
from ratemod.document.model import Document, Paragraph, Section, Table, facts, joined, table
from ratemod.errors import Lang, text
from ratemod.plan import said as words
from ratemod.plan.frame_table import money_cells
from ratemod.rating.target import check_target
from ratemod.secondopinion.second_opinion import Cause, SecondOpinion, keys_of

SUFFIXES = (".xlsx", ".html", ".pdf")
SHOWN, MOST_ROWS = 5, 2000
HEADS = ("row", "key", "ours", "theirs", "apart", "cause")
CAUSE_HEADS = ("number", "cause", "explained", "contradicted", "money_apart", "policies")


def write_second_opinion(opinion: SecondOpinion, path: str | Path, lang: Lang, digest: str = "") -> None:
    """Write a comparison as ``.xlsx``, ``.html`` or ``.pdf``.

    Raises
    ------
    BookError
        Those of `check_target` and `write_document`.
    """
    target = check_target(path, suffixes=SUFFIXES)
    write_document(opinion_document(opinion, lang, digest), target)


def difference_rows(opinion: SecondOpinion) -> list[tuple[str, str, int, int, int]]:
    """Return the rows that differ, by cause, then size: row in the file, key, ours and theirs in fen, the cause."""
    rated, cause_of = opinion.rated, opinion.cause_of()
    keys, ours, theirs = keys_of(rated), rated.outputs.premium_fen, opinion.other_fen
    at = np.flatnonzero(opinion.differs)
    last = len(opinion.causes) + 1
    rank = np.where(cause_of[at] > 0, cause_of[at], last)
    order = at[np.lexsort((at, -np.abs(theirs - ours)[at], rank))]
    rows = rated.book.said(order.tolist())
    return [(row, keys[i], int(ours[i]), int(theirs[i]), int(cause_of[i])) for row, i in zip(rows, order.tolist())]


def summary_pairs(opinion: SecondOpinion, lang: Lang) -> list[tuple[str, str]]:
    """Return what the comparison comes to, as labels and values."""
    rated = opinion.rated
    priced, ours = rated.verdict.status < 2, rated.outputs.premium_fen
    both = priced & opinion.given
    figures = {
        "both": f"{int(both.sum()):,}",
        "same": f"{int((both & ~opinion.differs).sum()):,}",
        "differ": f"{int(opinion.differs.sum()):,}",
        "only_ours": f"{int((priced & ~opinion.given).sum()):,}",
        "only_theirs": f"{int((opinion.given & ~priced).sum()):,}",
        "total_ours": rated.plan.money.shown(int(ours[both].sum())),
        "total_theirs": rated.plan.money.shown(int(opinion.other_fen[both].sum())),
        "total_apart": rated.plan.money.shown(int((opinion.other_fen - ours)[both].sum())),
        "no_cause": f"{len(opinion.unexplained):,}",
    }
    pairs = [(rated.plan.text(f"UI_opinion_of_{name}", lang), said) for name, said in figures.items()]
    return pairs + [(text("UI_opinion_unread", lang), item.line(lang)) for item in opinion.unread]


def cause_rows(opinion: SecondOpinion, lang: Lang) -> list[list[str]]:
    """Return the causes in order: number, sentence, rows explained, rows contradicted, yuan, the first policies."""
    return [[f"{at}", *_cause_row(opinion, cause, lang)] for at, cause in enumerate(opinion.causes, 1)]


def _cause_row(opinion: SecondOpinion, cause: Cause, lang: Lang) -> list[str]:
    rated, keys = opinion.rated, keys_of(opinion.rated)
    apart = int((opinion.other_fen - rated.outputs.premium_fen)[cause.rows].sum())
    shown = text("UI_list_comma", lang).join(keys[at] for at in cause.rows[:SHOWN].tolist())
    money = rated.plan.money.shown(apart)
    return [cause.words(rated.plan, lang), f"{len(cause.rows):,}", f"{cause.broken:,}", money, shown]


def about_pairs(opinion: SecondOpinion, lang: Lang, digest: str) -> list[tuple[str, str]]:
    """Return what the comparison rests on."""
    plan = opinion.rated.plan
    pairs = [(text("UI_plan", lang), plan.id), (text("UI_standing", lang), words.standing(plan, lang))]
    pairs += [(text("UI_book", lang), opinion.rated.book.file)] if opinion.rated.book.file else []
    return [*pairs, *([(text("UI_digest", lang), digest)] if digest else [])]


def opinion_document(opinion: SecondOpinion, lang: Lang, digest: str = "") -> Document:
    """Return a comparison; a page shows so many rows, the workbook has all."""
    plan, title = opinion.rated.plan, text("UI_opinion_title", lang)
    causes = [""] + [cause.words(plan, lang) for cause in opinion.causes]
    rows, unit = [], "fen"
    for row, key, ours, theirs, at in difference_rows(opinion):
        amounts, unit = money_cells([ours, theirs, theirs - ours], plan.money)
        rows.append([int(row) if row.isdecimal() else row, key, *amounts, causes[at]])
    heads = [plan.text(f"UI_opinion_{name}", lang) for name in HEADS]
    units = ["label", "", unit, unit, unit, ""]
    listed = table(text("UI_opinion_sheet", lang), heads, rows, units, look="rows", most=MOST_ROWS)
    about = facts(text("UI_sheet_about", lang), about_pairs(opinion, lang, digest))
    warning = plan.warning(lang)
    return Document(
        lang=lang,
        title=title,
        head=joined(Paragraph(warning, "alarm") if warning else None, facts(title, summary_pairs(opinion, lang))),
        sections=(
            Section("causes", text("UI_opinion_causes", lang), (_causes(opinion, lang),)),
            Section("rows", text("UI_opinion_sheet", lang), (listed,)),
            Section("about", text("UI_sheet_about", lang), (about,)),
        ),
    )


def _causes(opinion: SecondOpinion, lang: Lang) -> Paragraph | Table:
    if not opinion.causes:
        return Paragraph(text("UI_opinion_none", lang))
    heads = [opinion.rated.plan.text(f"UI_opinion_{name}", lang) for name in CAUSE_HEADS]
    rows = cause_rows(opinion, lang)
    return table(text("UI_opinion_causes", lang), heads, rows, [True, False, True, True, True, False])
