"""A document as a file, whole or not at all: the ending says which renderer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from ratemod.document.arrow_table import arrow_table
from ratemod.document.csv_file import write_table
from ratemod.document.excel import write_workbook
from ratemod.document.html import page
from ratemod.document.model import Document, Section
from ratemod.document.pdf import pdf_of
from ratemod.errors import BookError, nearest, problem
from ratemod.whole_file import whole_file

SUFFIXES = (".xlsx", ".csv", ".html", ".pdf")


def write_document(documents: Document | Sequence[Document], path: str | Path) -> Path:
    """Write a document as ``.html``, ``.pdf``, ``.xlsx``, or its first table as ``.csv``; return the path.

    Parameters
    ----------
    documents : the document, or the same in several languages: a page holds them all, other media the first

    Raises
    ------
    BookError
        RM800 unknown ending, RM807 too many rows for a sheet, RM870 and RM871 of the browser that prints, and those of
        `whole_file`.
    """
    target = Path(path)
    several = [documents] if isinstance(documents, Document) else list(documents)
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        endings = " ".join(SUFFIXES)
        raise BookError(problem("RM800", path=str(path), suffixes=endings, nearest=nearest(suffix, SUFFIXES)))
    data = b""
    if suffix in (".html", ".pdf"):
        said = page(several, several[0].lang)
        data = pdf_of(said) if suffix == ".pdf" else said.encode("utf-8")
    with whole_file(target) as part:
        if suffix == ".csv":
            write_table(several[0].tables()[0], part)
        elif suffix == ".xlsx":
            write_workbook(several[0], part)
        else:
            part.write_bytes(data)
    return target


def write_frame(table: pa.Table, path: str | Path, *, sheet: str = "ratemod") -> Path:
    """Write a table of results under its own names: ``.parquet`` for programs, ``.csv`` or ``.xlsx`` for people.

    Raises
    ------
    BookError
        As `write_document`.
    """
    target = Path(path)
    if target.suffix.lower() != ".parquet":
        own = arrow_table(table, sheet, table.column_names)
        return write_document(Document(lang="en", title="", sections=(Section("", sheet, (own,)),)), target)
    import pyarrow.parquet as pq

    with whole_file(target) as part:
        pq.write_table(table, part, compression="zstd")
    return target
