"""Lists that go to authorities and clients, with headers in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pyarrow as pa

from ratemod.document.arrow_table import NO_VALUES, Values, arrow_table
from ratemod.document.model import Document, Paragraph, Section, Table
from ratemod.errors import Lang, catalogue, text
from ratemod.vocabulary.labels import column_label

NO_LABELS: Mapping[str, str] = MappingProxyType({})


def register_label(name: str, lang: Lang) -> str:
    """Return the label of a column of a list: a report's own, else the vocabulary's."""
    code = f"UI_register_col_{name}"
    return text(code, lang) if code in catalogue() else column_label(name, lang) or name


def register_table(
    title: str, table: pa.Table, lang: Lang, labels: Mapping[str, str] = NO_LABELS, values: Values = NO_VALUES
) -> Table:
    """Return a list as a table; `labels` are of columns that the catalogue does not name, `values` of coded columns."""
    said = [labels.get(name) or register_label(name, lang) for name in table.column_names]
    return arrow_table(table, title, said, values=values)


def register_document(title: str, tables: tuple[Table, ...], notes: tuple[str, ...], lang: Lang) -> Document:
    """Return a report: its notes, a section a list."""
    sections = tuple(Section(f"table-{at}", one.title, (one,)) for at, one in enumerate(tables, 1))
    return Document(lang=lang, title=title, head=tuple(Paragraph(note) for note in notes if note), sections=sections)
