"""The papers of a year as files: what may be published and what goes to offices apart, and a table of contents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ratemod.document.files import write_document, write_frame
from ratemod.document.model import Document, Facts, Paragraph, Section, Span, facts, joined, table
from ratemod.document.problems import problem_words
from ratemod.errors import BookError, Lang, problem, text
from ratemod.papers.paper import Paper
from ratemod.papers.year import YearOfPapers
from ratemod.rating.target import check_folder, file_name
from ratemod.rules.options import strict
from ratemod.version import VERSION

PUBLIC, OFFICES = "public", "offices"
SUFFIXES = (".html", ".xlsx", ".pdf")


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What stands above an official paper; what is empty is a line to fill in by hand.

    Attributes
    ----------
    number : 文号
    office : who drew it up
    signed : who signs it
    """

    number: str = ""
    office: str = ""
    signed: str = ""

    @strict
    def block(self, made: YearOfPapers, lang: Lang) -> Facts:
        """Return the header block of a paper."""
        blank = "＿＿＿＿＿＿"
        pairs = [(name, getattr(self, name) or blank) for name in ("number", "office", "signed")]
        labels = [(text(f"UI_paper_head_{name}", lang), said) for name, said in pairs]
        return facts(text("UI_paper_head", lang), [*labels, (text("UI_paper_head_day", lang), made.day.isoformat())])


def check_year_target(path: str | Path) -> Path:
    """Return the folder to write to: a new one, or one that a year was written to before.

    Raises
    ------
    BookError
        Those of `check_folder`; RM767 it holds other things.
    """
    target = check_folder(path)
    own = {"index.html", "index.xlsx", "index.pdf", PUBLIC, OFFICES}
    others = sorted(item.name for item in target.iterdir() if item.name not in own) if target.exists() else []
    if others:
        raise BookError(problem("RM767", path=str(target), name=others[0]))
    return target


@strict
def write_year(
    made: YearOfPapers, path: str | Path, lang: Lang, head: Letterhead = Letterhead(), *, pdf: bool = False
) -> list[Path]:
    """Write every paper as page, workbook, data and, where a browser prints, PDF; return the files written.

    Raises
    ------
    BookError
        Those of `check_year_target`, `write_document` and `write_frame`.
    """
    target = check_year_target(path)
    target.mkdir(exist_ok=True)
    suffixes = [suffix for suffix in SUFFIXES if pdf or suffix != ".pdf"]
    written: list[Path] = []
    for paper in made.papers:
        place = target / (PUBLIC if paper.public else OFFICES)
        place.mkdir(exist_ok=True)
        documents = [_headed(made, paper, head, one) for one in _languages(lang)]
        written += [write_document(documents, place / f"{paper.name}{suffix}") for suffix in suffixes]
        if paper.data or paper.parts:
            (place / paper.name).mkdir(exist_ok=True)
        taken: set[str] = set()
        for name, document in paper.parts.items():
            own, stem = replace(paper, document=document), file_name(name, taken)
            documents = [_headed(made, own, head, one) for one in _languages(lang)]
            written += [write_document(documents, place / paper.name / f"{stem}{suffix}") for suffix in suffixes]
        if paper.data:
            for name, data in paper.data.items():
                written.append(write_frame(data, place / paper.name / f"{name}.csv"))
    contents = [contents_document(made, one, suffixes) for one in _languages(lang)]
    return [write_document(contents, target / f"index{suffix}") for suffix in suffixes] + written


def _languages(lang: Lang) -> tuple[Lang, Lang]:
    return (lang, "en" if lang == "zh" else "zh")


def _headed(made: YearOfPapers, paper: Paper, head: Letterhead, lang: Lang) -> Document:
    """Return a paper with its header block, a word on data that are invented, and on rows that could not be used."""
    document = paper.document(lang)
    mark = None
    if made.synthetic and not paper.name.startswith(("disclosure", "evaluation", "assessment")):  # they say so
        mark = Paragraph(text("UI_disclosure_synthetic", lang), "alarm")
    clause = Paragraph(text(f"UI_paper_clause_{paper.name}", lang), "soft")
    rows = 0 if paper.name == "disclosure" else sum(item.count for item in paper.refused)  # which says so itself
    aside = Paragraph(text("UI_paper_set_aside", lang, rows=rows), "alarm") if rows else None
    return replace(document, head=joined(head.block(made, lang), mark, clause, aside, document.head))


@strict
def contents_document(made: YearOfPapers, lang: Lang, suffixes: Sequence[str]) -> Document:
    """Return the table of contents: each clause with its paper, what could not be made, figures held together."""
    rows = []
    for paper in made.papers:
        place = f"{PUBLIC if paper.public else OFFICES}/{paper.name}"
        files = " ".join(f"{place}{suffix}" for suffix in suffixes)
        rows.append(
            [
                text(f"UI_paper_{paper.name}", lang),
                text(f"UI_paper_clause_{paper.name}", lang),
                text(f"UI_paper_for_{'public' if paper.public else 'offices'}", lang),
                Span(files + (f" {place}/" if paper.data else ""), "code"),
                sum(item.count for item in paper.refused),
            ]
        )
    heads = [text(f"UI_paper_contents_{name}", lang) for name in ("paper", "clause", "for", "files", "refused")]
    title = text("UI_paper_contents", lang, year=made.year)
    sections = [Section("papers", title, (table(title, heads, rows, ["", "", "", "", "count"]),))]
    if made.absent:
        said = text("UI_paper_absent", lang)
        lost = [
            [text(f"UI_paper_{one.name}", lang), "\n".join(problem_words(item, lang) for item in one.problems[:5])]
            for one in made.absent
        ]
        heads = [text("UI_paper_contents_paper", lang), text("UI_paper_contents_why", lang)]
        sections.append(Section("absent", said, (table(said, heads, lost, ["", ""]),)))
    if made.checks:
        said = text("UI_paper_checks", lang)
        lines = [[*check.cells(lang, made.names), text(f"UI_paper_holds_{check.holds}", lang)] for check in made.checks]
        heads = [text(f"UI_paper_check_{name}", lang) for name in ("what", "where", "other", "left", "right", "holds")]
        sections.append(Section("checks", said, (table(said, heads, lines, ["", "", "", True, True, ""]),)))
    sections.append(Section("made", text("UI_paper_made", lang), (Paragraph(f"ratemod {VERSION}", "soft"),)))
    head = joined(
        Paragraph(text("UI_disclosure_synthetic", lang), "alarm") if made.synthetic else None,
        Paragraph(text("UI_paper_lead", lang, year=made.year, day=made.day.isoformat())),
    )
    return Document(lang=lang, title=title, head=head, sections=tuple(sections))
