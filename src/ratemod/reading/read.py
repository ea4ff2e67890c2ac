"""One reader for every table that enters: files, folders of them and frames, to columns with a receipt."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ratemod.errors import BookError, Problem, problem
from ratemod.reading.book import Book, remarked, under_own_headers
from ratemod.reading.chunks import read_parquet
from ratemod.reading.fills import filled
from ratemod.reading.frame import arrow_table, with_printable_moments
from ratemod.reading.header import IMPLIED, HeaderMap, Lexicon, checked, lexicon, lost_headers, match
from ratemod.reading.header_hours import with_header_hours
from ratemod.reading.implied import obeyed, with_implied
from ratemod.reading.joined import joined
from ratemod.reading.near_headers import held_against_blanks
from ratemod.reading.receipt import listed
from ratemod.reading.sniff import EXCEL_FILES, FILES, TEXT_FILES, sniffed
from ratemod.reading.spoken import heard, said_of
from ratemod.reading.tables import ALL_SHEETS, frame_receipt, read_grids
from ratemod.reading.text_chunks import LINE, open_text
from ratemod.reading.told import tell
from ratemod.reading.unfilled import without_unfilled
from ratemod.reading.void_rows import refuse_void_rows
from ratemod.vocabulary.column import Column

__all__ = ["EXCEL_FILES", "TEXT_FILES", "read_book", "read_table"]


def read_table(
    source: Any,
    columns: Mapping[str, Column],
    *,
    header_map: HeaderMap | None = None,
    sheet: str | Sequence[str] | None = None,
    fills: Mapping[str, str] | None = None,
    shared: str | None = None,
    needed: Collection[str] = (),
) -> Book:
    """Read any table as declared columns, and say what was read and what was not.

    Parameters
    ----------
    source : path (csv, tsv, txt, xlsx, xlsm, xlsb, xls, ods, parquet), a folder of such files, several paths, any frame
        with the Arrow PyCapsule interface, or rows as dictionaries
        Every sheet, and every table in a sheet, that has the columns needed is read; visible sheets before hidden ones.
    columns : mapping of name to Column
        What is declared; names, labels and aliases are understood as headers, with units beside them.
    header_map : mapping, optional
        Header in the file -> declared column, by name or label; ``-`` sets a header aside.
    sheet : str or several, optional
        Sheets of a workbook; ``all`` takes hidden ones too.
    fills : mapping, optional
        Column (by name or label) -> the value of its blank cells, or of all rows where the list lacks it; see
        `ratemod.reading.fills`.
    shared : str, optional
        Which shared table it is: without a map a file is read as `ratemod.reading.spoken` says of it, and an optional
        column that is blank throughout, as a form has it, is as good as absent.
    needed : names of optional columns of which that does not hold

    Returns
    -------
    Book
        Raw values by column, where each row stood, and the `receipt`. Cells are not judged here;
        `ratemod.reading.convert` does that.

    Raises
    ------
    BookError
        RM211 no such file, RM213 unknown kind, RM214 no such sheet, RM221 no header found, RM222 two headers for one
        column, RM223/RM224 a wrong header map, RM225 no rows, RM226 two columns of one name, RM260 to RM271 of files,
        units, ragged text, copies of sheets and headers that may be meant, RM451 and RM452 of fills,
        RM694 rows that the list says are void.

    Examples
    --------
    >>> heads = Column("heads", "number", label_zh="人数", unit="persons")
    >>> book = read_table([{"人数": 30, "备注": "x"}], {"heads": heads})
    >>> book.table.column_names, [unused.header for unused in book.receipt.parts[0].unused]
    (['heads', '备注'], ['备注'])
    """
    paths = _paths(source)
    asked = said_of(shared, columns) if shared and header_map is None and paths is not None else None
    header_map = asked or header_map
    words = lexicon(with_implied(columns), header_map)
    sheets = (sheet,) if isinstance(sheet, str) else tuple(sheet or ())
    if paths is None:
        book = with_header_hours(held_against_blanks(_frame(arrow_table(source), words, None), words), columns)
    else:
        books = _files(paths, words, sheets, header_map)
        heard([text for book in books for text in _texts(book)], columns)
        book = joined([with_header_hours(one, columns) for one in books], columns)
        book = remarked(book, _passed_over(source))
        book = remarked(book, _as_asked(book, words)) if asked else book
    book = refuse_void_rows(book, words)
    implied = {name: name for name in IMPLIED if name not in columns}
    book = under_own_headers(obeyed(book, words.columns, implied), implied)
    book = filled(book, fills, columns) if fills else book
    book = without_unfilled(book, columns, needed) if shared else book
    tell(book.receipt)
    return book


read_book = read_table


def _paths(source: Any) -> list[Path] | None:
    """Return the files that a source names, None where it is a frame."""
    if isinstance(source, str | Path):
        path = Path(source)
        if not path.is_dir():
            return [path]
        found = sorted(file for file in path.rglob("*") if file.suffix.lower() in FILES and _open(file, path))
        if not found:
            raise BookError(problem("RM271", file=str(path)))
        return found
    if isinstance(source, list | tuple) and source and all(isinstance(item, str | Path) for item in source):
        return [file for item in source for file in _paths(item) or ()]
    return None


def _open(file: Path, folder: Path) -> bool:
    """Return whether a file is one that people put into a folder, and not what a program keeps there."""
    return file.is_file() and not any(part.startswith((".", "_", "~$")) for part in file.relative_to(folder).parts)


def _passed_over(source: Any) -> list[Problem]:
    """Return a remark for every folder that holds files which are no lists by their names."""
    sources = [source] if isinstance(source, str | Path) else source
    said = []
    for folder in (Path(item) for item in sources if Path(item).is_dir()):
        others = sorted(
            str(file.relative_to(folder))
            for file in folder.rglob("*")
            if file.suffix.lower() not in FILES and _open(file, folder)
        )
        if others:
            said.append(problem("RM333", file=str(folder), files=listed(others), count=len(others)))
    return said


def _files(paths: Sequence[Path], words: Lexicon, sheets: Sequence[str], header_map: HeaderMap | None) -> list[Book]:
    """Return the tables of all files; a file without such a table is named where others have one."""
    books: list[Book] = []
    problems: list[Problem] = []
    without: list[Problem] = []
    workbooks = [path for path in paths if path.suffix.lower() in EXCEL_FILES]
    for path in paths:
        try:  # beside workbooks, sheets are of them alone
            read = _file(path, words, sheets if path in workbooks or not workbooks else (), header_map)
            books += [held_against_blanks(book, words) for book in read]
        except BookError as error:
            lost = all(item.code == "RM221" for item in error.problems)
            (without if lost else problems).extend(error.problems)
    if problems or not books:
        raise BookError([*problems, *without])
    lost_ones = lost_headers(words, [text for book in books for text in _texts(book)], books[0].file)
    if lost_ones:
        raise BookError(lost_ones)
    if without:
        args: dict[str, Any] = {"first": 1, "last": 1, "why_en": "lacks such headers", "why_zh": "缺少此类表头"}
        said = [problem("RM274", file=item.file, **args) for item in without]
        books[0] = remarked(books[0], said)
    return books


def _as_asked(book: Book, words: Lexicon) -> list[Problem]:
    """Return what was read as the user says of shared tables."""
    used = [item for part in book.receipt.parts for item in part.used if words.maps(item.header, item.column)]
    pairs = dict.fromkeys(f"{item.header} → {item.column}" for item in used)
    return [problem("RM306", file=book.file, pairs=", ".join(pairs))] if pairs else []


def _texts(book: Book) -> list[str]:
    used = [item.header for part in book.receipt.parts for item in part.used]
    return used + [item.header for part in book.receipt.parts for item in part.unused]


def _file(path: Path, words: Lexicon, sheets: Sequence[str], header_map: HeaderMap | None) -> list[Book]:
    kind = sniffed(path)
    if kind in ("parquet", "text") and not set(sheets) <= set(ALL_SHEETS):
        raise BookError(problem("RM214", file=str(path), sheet=sheets[0], sheets="–"))
    if kind == "parquet":
        books = [_frame(read_parquet(path), words, str(path))]
    elif kind == "text":
        books = [_text(path, words, header_map)]
    else:
        from ratemod.reading.workbook import workbook_grids

        books = read_grids(workbook_grids(path, kind), words, sheets)
    named = {"text": TEXT_FILES, "parquet": (".parquet",)}.get(kind, EXCEL_FILES)
    if path.suffix.lower() not in named:
        told = problem("RM215", file=str(path), found=kind, found_zh="文本" if kind == "text" else kind)
        books[0] = remarked(books[0], [told])
    return books


def _text(path: Path, words: Lexicon, header_map: HeaderMap | None) -> Book:
    chunks = open_text(path, words.columns, header_map=header_map, keep=("all",), size=1 << 40)
    (table,) = chunks.tables()
    lines = np.asarray(table[LINE].combine_chunks())
    table = table.drop_columns([LINE])
    bare = [
        name
        for name, place in chunks.places.items()
        if not chunks.header.texts[place] and table[name].null_count == table.num_rows
    ]
    return Book(table.drop_columns(bare), lines, str(path), None, chunks.conversions, chunks.headers, chunks.receipt())


def _frame(table: pa.Table, words: Lexicon, file: str | None) -> Book:
    header = checked(match(table.column_names, words), words.columns, file or "frame", None, 1)
    if table.num_rows == 0:
        raise BookError(problem("RM225", file=file))
    receipt, conversions = frame_receipt(header, words, file, table.num_rows)
    names = [name or text for name, text in zip(header.columns, header.texts)]
    headers = {name: text for name, text in zip(header.columns, header.texts) if name}
    table = with_printable_moments(table, [at for at, name in enumerate(header.columns) if not name])
    return Book(table.rename_columns(names), None, file, None, conversions, headers, receipt)
