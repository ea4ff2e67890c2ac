"""One reader for every table that enters: files, folders of them and frames, to columns with a receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ratemod.errors import BookError, Problem, problem
from ratemod.reading.book import Book
from ratemod.reading.frame import arrow_table
from ratemod.reading.header import Lexicon, checked, lexicon, lost_headers, match
from ratemod.reading.numbers import parse_number
from ratemod.reading.receipt import Receipt
from ratemod.reading.sniff import EXCEL_FILES, FILES, TEXT_FILES, sniffed
from ratemod.reading.tables import frame_receipt, read_grids
from ratemod.reading.text_chunks import LINE, open_text
from ratemod.reading.workbook import workbook_grids
from ratemod.vocabulary.column import Column

__all__ = ["EXCEL_FILES", "TEXT_FILES", "read_book", "read_table"]


def read_table(
    source: Any,
    columns: Mapping[str, Column],
    *,
    header_map: Mapping[str, str] | None = None,
    sheet: str | Sequence[str] | None = None,
    fills: Mapping[str, str] | None = None,
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
        Column (by name or label) -> the value of its blank cells, or of all rows where the list lacks it.

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
        units, ragged text, copies of sheets and headers that may be meant.

    Examples
    --------
    >>> heads = Column("heads", "number", label_zh="人数", unit="persons")
    >>> book = read_table([{"人数": 30, "备注": "x"}], {"heads": heads})
    >>> book.table.column_names, [unused.header for unused in book.receipt.parts[0].unused]
    (['heads', '备注'], ['备注'])
    """
    words = lexicon(columns, header_map)
    sheets = (sheet,) if isinstance(sheet, str) else tuple(sheet or ())
    paths = _paths(source)
    if paths is None:
        book = _frame(arrow_table(source), words, None)
    else:
        book = joined(_files(paths, words, sheets, header_map), columns)
    return _filled(book, fills, words) if fills else book


read_book = read_table


def _paths(source: Any) -> list[Path] | None:
    """Return the files that a source names, None where it is a frame."""
    if isinstance(source, str | Path):
        path = Path(source)
        if not path.is_dir():
            return [path]
        found = sorted(
            file
            for file in path.rglob("*")
            if file.suffix.lower() in FILES
            and file.is_file()
            and not any(part.startswith((".", "_", "~$")) for part in file.relative_to(path).parts)
        )
        if not found:
            raise BookError(problem("RM271", file=str(path)))
        return found
    if isinstance(source, list | tuple) and source and all(isinstance(item, str | Path) for item in source):
        return [file for item in source for file in _paths(item) or ()]
    return None


def _files(
    paths: Sequence[Path], words: Lexicon, sheets: Sequence[str], header_map: Mapping[str, str] | None
) -> list[Book]:
    """Return the tables of all files; a file without such a table is named where others have one."""
    books: list[Book] = []
    problems: list[Problem] = []
    without: list[Problem] = []
    for path in paths:
        try:
            books += _file(path, words, sheets, header_map)
        except BookError as error:
            lost = all(item.code == "RM221" for item in error.problems)
            (without if lost else problems).extend(error.problems)
    if problems or not books:
        raise BookError([*problems, *without])
    lost_ones = lost_headers(words, [text for book in books for text in _texts(book)], books[0].file)
    if lost_ones:
        raise BookError(lost_ones)
    if without:
        args: dict[str, Any] = {"first": 1, "last": 1, "why_en": "such headers", "why_zh": "此类表头"}
        said = [problem("RM274", file=item.file, **args) for item in without]
        books[0] = _with_receipt(books[0], Receipt(books[0].receipt.parts, (*books[0].receipt.remarks, *said)))
    return books


def _texts(book: Book) -> list[str]:
    used = [item.header for part in book.receipt.parts for item in part.used]
    return used + [item.header for part in book.receipt.parts for item in part.unused]


def _file(path: Path, words: Lexicon, sheets: Sequence[str], header_map: Mapping[str, str] | None) -> list[Book]:
    kind = sniffed(path)
    if kind == "parquet":
        books = [_frame(_parquet(path), words, str(path))]
    elif kind == "text":
        books = [_text(path, words, header_map)]
    else:
        books = read_grids(workbook_grids(path, kind), words, sheets)
    named = {"text": TEXT_FILES, "parquet": (".parquet",)}.get(kind, EXCEL_FILES)
    if path.suffix.lower() not in named:
        told = problem("RM215", file=str(path), found=kind)
        books[0] = _with_receipt(books[0], Receipt(books[0].receipt.parts, (told, *books[0].receipt.remarks)))
    return books


def _with_receipt(book: Book, receipt: Receipt) -> Book:
    return Book(book.table, book.rows, book.file, book.sheet, book.conversions, book.headers, receipt, book.part_of)


def _parquet(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path).read()
    except (pa.ArrowException, OSError):
        raise BookError(problem("RM340", file=str(path), why="Parquet")) from None


def _text(path: Path, words: Lexicon, header_map: Mapping[str, str] | None) -> Book:
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
    return Book(table.rename_columns(names), None, file, None, conversions, headers, receipt)


def joined(books: Sequence[Book], columns: Mapping[str, Column]) -> Book:
    """Return several tables as one; where their units differ, numbers are put into the unit of the column."""
    if len(books) == 1:
        return books[0]
    names = list(dict.fromkeys(name for book in books for name in book.table.column_names))
    mixed = {
        name
        for name in names
        if len({book.conversions.get(name, Decimal(1)) for book in books if name in book.table.column_names}) > 1
    }
    tables = [_scaled(book, mixed, columns) for book in books]
    arrays = {}
    for name in names:
        kinds = {
            table[name].type for table in tables if name in table.column_names and table[name].null_count < len(table)
        }
        kind = kinds.pop() if len(kinds) == 1 else pa.string()
        chunks = [
            _as(table[name], kind) if name in table.column_names else pa.chunked_array([pa.nulls(table.num_rows, kind)])
            for table in tables
        ]
        arrays[name] = pa.chunked_array([chunk for column in chunks for chunk in column.chunks], kind)
    files = list(dict.fromkeys(book.file for book in books if book.file))
    sheets = list(dict.fromkeys(book.sheet for book in books))
    rows = [np.arange(1, book.table.num_rows + 1) if book.rows is None else book.rows for book in books]
    receipt = Receipt(
        tuple(part for book in books for part in book.receipt.parts),
        tuple(item for book in books for item in book.receipt.remarks),
    )
    return Book(
        pa.table(arrays),
        np.concatenate(rows).astype(np.int64),
        ", ".join(files) or None,
        sheets[0] if len(sheets) == 1 else None,
        {name: size for book in books for name, size in book.conversions.items() if name not in mixed},
        {name: text for book in reversed(books) for name, text in book.headers.items()},
        receipt,
        np.repeat(np.arange(len(books), dtype=np.int32), [book.table.num_rows for book in books]),
    )


def _scaled(book: Book, mixed: set[str], columns: Mapping[str, Column]) -> pa.Table:
    """Return a table whose bare numbers of some columns are exact multiples in the column's own unit, as text."""
    table = book.table
    for name in mixed & set(table.column_names):
        size = book.conversions.get(name, Decimal(1))
        cells = [_times(cell, size, columns[name]) for cell in table[name].to_pylist()]
        table = table.set_column(table.column_names.index(name), name, pa.array(cells, pa.string()))
    return table


def _times(cell: Any, size: Decimal, column: Column) -> str | None:
    if cell is None:
        return None
    said = repr(cell) if isinstance(cell, float) else str(cell)
    exact = parse_number(said, column.unit, size)
    return said if exact is None else f"{exact.normalize():f}"


def _as(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Return a column in another type; numbers and days become the texts that they are shown as."""
    if column.type == kind:
        return column
    if column.null_count == len(column):
        return pa.chunked_array([pa.nulls(len(column), kind)])
    if not pa.types.is_string(kind):
        return column.cast(kind)
    from ratemod.reading.tables import shown

    return pa.chunked_array([pa.array([shown(cell) for cell in column.to_pylist()], pa.string())])


def _filled(book: Book, fills: Mapping[str, str], words: Lexicon) -> Book:
    """Return a book with constants in the blank cells of some columns."""
    from ratemod.reading.header import fold

    table, wrong = book.table, []
    for target, value in fills.items():
        name = target if target in words.columns else words.known.get(fold(target))
        if name is None:
            wrong.append(problem("RM223", header=value, column=target, nearest=None))
            continue
        if name not in table.column_names:
            table = table.append_column(name, pa.array([value] * table.num_rows, pa.string()))
            continue
        cells = [value if cell is None or cell == "" else cell for cell in _as(table[name], pa.string()).to_pylist()]
        table = table.set_column(table.column_names.index(name), name, pa.array(cells, pa.string()))
    if wrong:
        raise BookError(wrong)
    return Book(table, book.rows, book.file, book.sheet, book.conversions, book.headers, book.receipt, book.part_of)
