"""A comparison with another system as a workbook or a page: what it comes to, the rows, what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ratemod.errors import Lang, text
from ratemod.exhibits import words
from ratemod.exhibits.output import check_target, whole_file
from ratemod.exhibits.page import Article, Html, Section, facts, joined, page, paragraph, table
from ratemod.exhibits.priced_workbook import MADE
from ratemod.exhibits.second_opinion import Cause, SecondOpinion, keys_of
from ratemod.exhibits.worksheet import new_sheet
from ratemod.money import yuan_text

SUFFIXES = (".xlsx", ".html")
SHOWN, MOST_ROWS = 5, 2000
HEADS = ("row", "key", "ours", "theirs", "apart", "cause")
CAUSE_HEADS = ("number", "cause", "explained", "contradicted", "money_apart", "policies")


def write_second_opinion(opinion: SecondOpinion, path: str | Path, lang: Lang, digest: str = "") -> None:
    """Write a comparison as ``.xlsx`` or ``.html``; every text is written as text, the same input gives the same bytes.

    Raises
    ------
    BookError
        RM800 unknown ending, and as `exhibits.output.whole_file`.
    """
    target = check_target(path, suffixes=SUFFIXES)
    with whole_file(target) as part:
        if target.suffix.lower() == ".html":
            part.write_text(opinion_html(opinion, lang, digest), encoding="utf-8")
        else:
            _workbook(opinion, part, lang, digest)


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
        "total_ours": yuan_text(int(ours[both].sum())),
        "total_theirs": yuan_text(int(opinion.other_fen[both].sum())),
        "total_apart": yuan_text(int((opinion.other_fen - ours)[both].sum())),
        "no_cause": f"{len(opinion.unexplained):,}",
    }
    pairs = [(rated.plan.text(f"UI_opinion_of_{name}", lang), said) for name, said in figures.items()]
    return pairs + [(text("UI_opinion_unread", lang), item.line(lang)) for item in opinion.unread]


def cause_rows(opinion: SecondOpinion, lang: Lang) -> list[list[str]]:
    """Return the causes in order: number, sentence, rows explained, rows contradicted, yuan, the first policies."""
    return [[f"{at}", *_cause(opinion, cause, lang)] for at, cause in enumerate(opinion.causes, 1)]


def _cause(opinion: SecondOpinion, cause: Cause, lang: Lang) -> list[str]:
    rated, keys = opinion.rated, keys_of(opinion.rated)
    apart = int((opinion.other_fen - rated.outputs.premium_fen)[cause.rows].sum())
    shown = text("UI_list_comma", lang).join(keys[at] for at in cause.rows[:SHOWN].tolist())
    return [cause.words(rated.plan, lang), f"{len(cause.rows):,}", f"{cause.broken:,}", yuan_text(apart), shown]


def about_pairs(opinion: SecondOpinion, lang: Lang, digest: str) -> list[tuple[str, str]]:
    """Return what the comparison rests on."""
    plan = opinion.rated.plan
    pairs = [(text("UI_plan", lang), plan.id), (text("UI_standing", lang), words.standing(plan, lang))]
    pairs += [(text("UI_book", lang), opinion.rated.book.file)] if opinion.rated.book.file else []
    return [*pairs, *([(text("UI_digest", lang), digest)] if digest else [])]


def opinion_html(opinion: SecondOpinion, lang: Lang, digest: str = "") -> str:
    """Return a comparison as a page; at most so many rows, the workbook has all."""
    title = text("UI_opinion_title", lang)
    rows = difference_rows(opinion)
    causes = [""] + [cause.words(opinion.rated.plan, lang) for cause in opinion.causes]
    body = [
        [row, key, yuan_text(ours), yuan_text(theirs), yuan_text(theirs - ours), causes[at]]
        for row, key, ours, theirs, at in rows[:MOST_ROWS]
    ]
    heads = [opinion.rated.plan.text(f"UI_opinion_{name}", lang) for name in HEADS]
    listed = table(text("UI_opinion_sheet", lang), heads, body, [True, False, True, True, True, False], look="rows")
    if len(rows) > MOST_ROWS:
        listed = joined(listed, paragraph(text("RM002", lang, more=len(rows) - MOST_ROWS)))
    sections = (
        Section("causes", text("UI_opinion_causes", lang), _causes_html(opinion, lang)),
        Section("rows", text("UI_opinion_sheet", lang), listed),
        Section(
            "about",
            text("UI_sheet_about", lang),
            facts(text("UI_sheet_about", lang), about_pairs(opinion, lang, digest)),
        ),
    )
    warning = opinion.rated.plan.warning(lang)
    head = joined(paragraph(warning, "alarm") if warning else "", facts(title, summary_pairs(opinion, lang)))
    return page([Article(lang, title, head, text("UI_opinion_contents", lang), sections)], lang)


def _causes_html(opinion: SecondOpinion, lang: Lang) -> Html:
    if not opinion.causes:
        return paragraph(text("UI_opinion_none", lang))
    heads = [opinion.rated.plan.text(f"UI_opinion_{name}", lang) for name in CAUSE_HEADS]
    causes = text("UI_opinion_causes", lang)
    return table(causes, heads, cause_rows(opinion, lang), [True, False, True, True, True, False])


def _workbook(opinion: SecondOpinion, part: Path, lang: Lang, digest: str) -> None:
    import xlsxwriter

    plan = opinion.rated.plan
    font = {"font_name": "Microsoft YaHei" if lang == "zh" else "Calibri", "font_size": 10}
    book = xlsxwriter.Workbook(
        str(part), {"strings_to_formulas": False, "strings_to_urls": False, "default_format_properties": font}
    )
    book.set_properties({"created": MADE, "title": plan.id, "comments": plan.warning(lang)})
    looks = {
        "head": book.add_format({**font, "bold": True, "bg_color": "#DDE6F0", "text_wrap": True, "valign": "vcenter"}),
        "money": book.add_format({**font, "num_format": "#,##0.00"}),
        "wrap": book.add_format({**font, "text_wrap": True, "valign": "top"}),
        "top": book.add_format({**font, "valign": "top"}),
        "sum": book.add_format({**font, "num_format": "#,##0.00", "valign": "top"}),
        "title": book.add_format({**font, "bold": True, "font_size": 14}),
        "alarm": book.add_format({**font, "bold": True, "font_color": "#B00020"}),
    }
    _summary_sheet(new_sheet(book, text("UI_opinion_summary", lang), said=plan.id), opinion, looks, lang)
    _rows_sheet(new_sheet(book, text("UI_opinion_sheet", lang), said=plan.id), opinion, looks, lang)
    about = new_sheet(book, text("UI_sheet_about", lang), said=plan.id)
    about.set_column(0, 0, 24)
    about.set_column(1, 1, 90)
    for line, (label, said) in enumerate(about_pairs(opinion, lang, digest)):
        about.write_string(line, 0, label)
        about.write_string(line, 1, said, looks["wrap"])
    book.close()


def _summary_sheet(sheet: Any, opinion: SecondOpinion, looks: Mapping[str, Any], lang: Lang) -> None:
    for at, width in enumerate((24, 70, 12, 14, 18, 60)):
        sheet.set_column(at, at, width)
    sheet.write_string(0, 0, text("UI_opinion_title", lang), looks["title"])
    sheet.write_string(1, 0, opinion.rated.plan.warning(lang), looks["alarm"])
    pairs = summary_pairs(opinion, lang)
    for line, (label, said) in enumerate(pairs, 3):
        sheet.write_string(line, 0, label)
        sheet.write_string(line, 1, said)
    line = len(pairs) + 4
    sheet.write_string(line, 0, text("UI_opinion_causes", lang), looks["title"])
    if not opinion.causes:
        sheet.write_string(line + 1, 0, text("UI_opinion_none", lang))
    for at, name in enumerate(CAUSE_HEADS if opinion.causes else ()):
        sheet.write_string(line + 1, at, opinion.rated.plan.text(f"UI_opinion_{name}", lang), looks["head"])
    for row, cells in enumerate(cause_rows(opinion, lang), line + 2):
        for at, said in enumerate(cells):
            if at in (1, 5):
                sheet.write_string(row, at, said, looks["wrap"])
            else:
                sheet.write_number(row, at, float(said.replace(",", "")), looks["sum" if at == 4 else "top"])


def _rows_sheet(sheet: Any, opinion: SecondOpinion, looks: Mapping[str, Any], lang: Lang) -> None:
    said = [""] + [cause.words(opinion.rated.plan, lang) for cause in opinion.causes]
    for at, name in enumerate(HEADS):
        sheet.write_string(0, at, opinion.rated.plan.text(f"UI_opinion_{name}", lang), looks["head"])
    for at, width in enumerate((10, 22, 16, 16, 16, 80)):
        sheet.set_column(at, at, width)
    rows = difference_rows(opinion)
    for line, (row, key, ours, theirs, cause) in enumerate(rows, 1):
        if row.isdecimal():
            sheet.write_number(line, 0, int(row))
        else:
            sheet.write_string(line, 0, row)
        sheet.write_string(line, 1, key)
        for at, fen in enumerate((ours, theirs, theirs - ours), 2):
            sheet.write_number(line, at, fen / 100, looks["money"])
        sheet.write_string(line, 5, said[cause])
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(len(rows), 1), len(HEADS) - 1)
