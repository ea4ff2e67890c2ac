"""A paper of the year: the clause that asks for it, the document, and its data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import pyarrow as pa

from ratemod.document.arrow_table import Values
from ratemod.document.model import Block, Document, Paragraph, Section, Table, joined
from ratemod.errors import Lang, Problem, catalogue, text
from ratemod.report.register_table import register_table
from ratemod.rules.options import strict
from ratemod.vocabulary.codes.division import division_name
from ratemod.vocabulary.labels import level_label

CODED = ("sector", "subject", "gap", "insured", "state")
Names = Mapping[str, Mapping[str, str]]  # column -> code -> name
NO_DATA: Mapping[str, pa.Table] = MappingProxyType({})


@dataclass(frozen=True, eq=False, slots=True)
class Paper:
    """One paper.

    Attributes
    ----------
    name : its file; ``UI_paper_<name>`` is its title, ``UI_paper_clause_<name>`` the clause that asks for it
    public : whether it may be published; the others name enterprises and go to the offices that they concern
    document : function of a language to the Document
    data : mapping of name to table, for programs; a package for each recipient where it goes to several
    refused : tuple of Problem, rows that were set aside
    parts : mapping of a name to the Document of its own, such as one an insurer, which goes to each alone
    """

    name: str
    public: bool
    document: Callable[[Lang], Document]
    data: Mapping[str, pa.Table] = field(default_factory=dict)
    refused: tuple[Problem, ...] = ()
    parts: Mapping[str, Callable[[Lang], Document]] = field(default_factory=dict)


def listed_paper(
    name: str,
    tables: Mapping[str, pa.Table],
    *,
    names: Names,
    notes: Callable[[Lang], tuple[str, ...]] = lambda lang: (),
    data: Mapping[str, pa.Table] = NO_DATA,
    refused: tuple[Problem, ...] = (),
    public: bool = False,
) -> Paper:
    """Return a paper that is lists: each of `tables` is a section called ``UI_paper_table_<its name>``."""

    def document(lang: Lang) -> Document:
        title = text(f"UI_paper_{name}", lang)
        head: tuple[Block, ...] = tuple(Paragraph(note) for note in notes(lang))
        sections = []
        for at, (called, table) in enumerate(tables.items(), 1):
            said = text(f"UI_paper_table_{called}", lang)
            sections.append(Section(f"list-{at}", said, (paper_table(said, table, lang, names),)))
        return Document(lang=lang, title=title, head=joined(head), sections=tuple(sections))

    return Paper(name=name, public=public, document=document, data={**tables, **data}, refused=refused)


@strict
def paper_table(title: str, table: pa.Table, lang: Lang, names: Names) -> Table:
    """Return a list in words: levels, divisions and insurers by their names."""
    values: Values = {
        column: {
            code: said
            for code in table[column].unique().to_pylist()
            if code is not None and (said := _word(column, code, lang, names))
        }
        for column in table.column_names
        if column in CODED or column in names or column == "division_code"
    }
    return register_table(title, table, lang, values=values)


def _word(column: str, code: str, lang: Lang, names: Names) -> str | None:
    if column == "division_code":
        found: str = division_name([code], lang).tolist()[0]
        return f"{found} {code}" if found else code
    if column in names:
        return names[column].get(code)
    comma = text("UI_register_comma", lang)
    return comma.join(_level(column, part, lang) for part in code.split("+"))


def _level(column: str, code: str, lang: Lang) -> str:
    said = f"UI_paper_{column}_{code}"
    if said in catalogue():
        return text(said, lang)
    return level_label({"subject": "complaint_subject"}.get(column, column), code, lang) or code


def packages(name: str, table: pa.Table) -> dict[str, pa.Table]:
    """Return the rows of each recipient: the emergency department of a division, the department of a sector."""
    found = {}
    for column in ("division_code", "sector"):
        for code in sorted(filter(None, table[column].unique().to_pylist())):
            mine = pa.array([own == code for own in table[column].to_pylist()], pa.bool_())
            found[f"{name}-{column.removesuffix('_code')}-{code}"] = table.filter(mine)
    return found
