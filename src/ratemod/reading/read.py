"""Files and frames to a `Book`: the header found, blank and total rows left out, every row's place kept."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ratemod.errors import BookError, problem
from ratemod.reading.book import Book
from ratemod.reading.frame import arrow_table
from ratemod.reading.header import Header, checked, find, match, spellings
from ratemod.vocabulary.column import Column

TEXT_FILES = (".csv", ".tsv", ".txt")
EXCEL_FILES = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
TOTALS = frozenset({"合计", "总计", "小计", "共计", "累计", "total", "subtotal", "sum", "grandtotal"})
DELIMITERS = (",", "\t", ";", "|")
HEAD = 200_000  # characters among which the header must stand
_FOOTER = re.compile(
    r"(制表|填表|填报|审核|复核|经办|负责人|联系人|备注|说明|注)[^:：]{0,8}[:：]|(notes?|prepared by|remarks?)\b", re.I
)
Rows = list[list[Any]]


def read_book(
    source: Any, columns: Mapping[str, Column], *, header_map: Mapping[str, str] | None = None, sheet: str | None = None
) -> Book:
    """Read a list of enterprises.

    Parameters
    ----------
    source : path (csv, tsv, txt, xlsx, xls, ods, parquet), any frame with the Arrow PyCapsule interface, or rows as
        dictionaries
    columns : mapping of name to Column
        What the plan declares; headers, labels and aliases are understood.
    header_map : mapping, optional
        Header in the file -> declared column.
    sheet : str, optional
        Sheet of a workbook; needed only where several sheets look alike.

    Returns
    -------
    Book
        Cells are not judged here; `ratemod.reading.convert` does that.

    Raises
    ------
    BookError
        RM211 no such file, RM212 unreadable, RM213 unknown kind, RM214 no such sheet, RM215 several sheets fit,
        RM221 no header found, RM222 two headers for one column, RM223/RM224 a wrong header map, RM225 no rows,
        RM226 two columns of one name.
    """
    if isinstance(source, str | Path):
        path = Path(source)
        if not path.is_file():
            raise BookError(problem("RM211", file=str(path)))
        if path.suffix.lower() == ".parquet":
            return _frame(_parquet(path), columns, header_map, str(path))
        if path.suffix.lower() in TEXT_FILES:
            return _text_file(path, columns, header_map)
        if path.suffix.lower() in EXCEL_FILES:
            return _workbook(path, columns, header_map, sheet)
        raise BookError(problem("RM213", file=str(path), kind=path.suffix or "?"))
    return _frame(arrow_table(source), columns, header_map, None)


def _parquet(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        raise BookError(problem("RM212", file=str(path), why=str(error).splitlines()[0])) from None


def _frame(
    table: pa.Table, columns: Mapping[str, Column], header_map: Mapping[str, str] | None, file: str | None
) -> Book:
    header = match(table.column_names, columns, spellings(columns), header_map)
    header = checked(header, columns, file or "frame", None, 1, header_map)
    if table.num_rows == 0:
        raise BookError(problem("RM225", file=file))
    names = [name or text for name, text in zip(header.columns, header.texts)]
    return Book(table.rename_columns(names), None, file, None, (), header.conversions, _headers(header))


def _headers(header: Header) -> dict[str, str]:
    return {name: text for name, text in zip(header.columns, header.texts) if name}


def layout(head: str, columns: Mapping[str, Column], header_map: Mapping[str, str] | None) -> tuple[int, Header, str]:
    """Return which record of a text's start is the header (from 0), what it says, and the delimiter."""
    best: tuple[int, Header, str] | None = None
    for delimiter in DELIMITERS:
        rows = [row for row, _ in csv_rows(head, delimiter, 60)]
        at, header = find(rows, columns, header_map)
        if best is None or header.matches > best[1].matches:
            best = (at, header, delimiter)
    assert best is not None
    return best


def _text_file(path: Path, columns: Mapping[str, Column], header_map: Mapping[str, str] | None) -> Book:
    content = _decoded(path)
    at, header, delimiter = layout(content[:HEAD], columns, header_map)
    try:
        read = list(csv_rows(content, delimiter))
    except csv.Error as error:
        raise BookError(problem("RM212", file=str(path), why=str(error))) from None
    header = checked(header, columns, str(path), None, read[at][1] if read and at >= 0 else 1, header_map)
    return _book([row for row, _ in read], [line for _, line in read], at, header, columns, str(path), None)


def csv_rows(content: str, delimiter: str, most: int | None = None) -> list[tuple[list[str], int]]:
    """Return the rows of a delimited text and the line each begins on; of `most` rows as many as can be read."""
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter)
    found, line = [], 1
    try:
        for row in reader:
            found.append((row, line))
            line = reader.line_num + 1
            if most is not None and len(found) >= most:
                break
    except csv.Error:
        if most is None:
            raise
    return found


def _decoded(path: Path) -> str:
    """Return the text of a file in UTF-8 (with or without BOM), UTF-16 (with BOM) or GB18030."""
    raw = path.read_bytes()
    for encoding in encodings(raw[:2]):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise BookError(problem("RM212", file=str(path), why="not UTF-8, UTF-16 or GB18030 text"))


def encodings(start: bytes) -> tuple[str, ...]:
    """Return the encodings to try for a text that begins with these two bytes."""
    return ("utf-16",) if start in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")


def _workbook(
    path: Path, columns: Mapping[str, Column], header_map: Mapping[str, str] | None, sheet: str | None
) -> Book:
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_path(path)
        names = book.sheet_names
        if sheet is not None and sheet not in names:
            raise BookError(problem("RM214", file=str(path), sheet=sheet, sheets=", ".join(names)))
        sheets = {
            name: book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            for name in ([sheet] if sheet else names)
        }
    except (python_calamine.CalamineError, OSError) as error:
        raise BookError(problem("RM212", file=str(path), why=str(error))) from None
    found = {name: find(rows, columns, header_map) for name, rows in sheets.items()}
    most = max((header.matches for _, header in found.values()), default=0)
    fitting = [name for name, (_, header) in found.items() if header.matches == most and most]
    if len(fitting) > 1:
        raise BookError(problem("RM215", file=str(path), sheets=", ".join(fitting)))
    name = fitting[0] if fitting else next(iter(sheets), "")
    at, header = found.get(name, (-1, Header((), (), {})))
    header = checked(header, columns, str(path), name, at + 1, header_map)
    rows = sheets[name]
    return _book(rows, list(range(1, len(rows) + 1)), at, header, columns, str(path), name)


def _book(
    rows: Rows,
    lines: Sequence[int],
    at: int,
    header: Header,
    columns: Mapping[str, Column],
    file: str,
    sheet: str | None,
) -> Book:
    width = len(header.columns)
    kept: Rows = []
    numbers: list[int] = []
    blank: list[int] = []
    skipped = [problem("RM233", file=file, sheet=sheet, text=header.sheet_unit)] if header.sheet_unit else []
    for row, line in zip(rows[at + 1 :], lines[at + 1 :]):
        filled = [cell for cell in row if cell is not None and str(cell).strip() != ""]
        if not filled:
            blank.append(line)
        elif said := no_record(filled, width):
            code, cell = said
            skipped.append(problem(code, file=file, sheet=sheet, row=line, text=cell))
        else:
            kept.append([*row, *[None] * (width - len(row))])
            numbers.append(line)
    if not kept:
        raise BookError(problem("RM225", file=file, sheet=sheet))
    if blank and blank[0] < numbers[-1]:
        skipped.append(problem("RM232", file=file, sheet=sheet, row=blank[0], count=len(blank)))
    names, arrays = [], []
    for place, (name, text) in enumerate(zip(header.columns, header.texts)):
        cells = [row[place] for row in kept]
        label = name or text
        if not label and all(cell in (None, "") for cell in cells):
            continue
        label = label or f"column {place + 1}"
        while label in names:
            label += "'"
        names.append(label)
        arrays.append(_array(cells, columns.get(name or "")))
    table = pa.table(dict(zip(names, arrays)))
    return Book(
        table, np.array(numbers, dtype=np.int64), file, sheet, tuple(skipped), header.conversions, _headers(header)
    )


def no_record(filled: Sequence[Any], width: int) -> tuple[str, str] | None:
    """Return the code and the text of a row that is no record, by the cells filled in it: a total, or a footer."""
    if is_total(filled[0]):
        return "RM231", str(filled[0])
    if len(filled) <= 2 and width > 4 and is_footer(filled[0]):
        return "RM234", " ".join(map(str, filled))
    return None


def is_total(cell: Any) -> bool:
    """Return whether a row that begins with this cell is a total."""
    first = unicodedata.normalize("NFKC", str(cell)).casefold()
    return "".join(first.split()).rstrip(":") in TOTALS


def is_footer(cell: Any) -> bool:
    """Return whether a row with little but this cell is a footer."""
    return _FOOTER.match(str(cell).strip()) is not None


def _array(cells: Sequence[Any], column: Column | None) -> pa.Array:
    """Return cells as numbers where all are, as days where all are, else as text."""
    given = [cell for cell in cells if cell is not None and cell != ""]
    if given and all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in given):
        return pa.array([None if cell in (None, "") else float(cell) for cell in cells], pa.float64())
    if given and all(isinstance(cell, date) for cell in given):
        stamps = [
            datetime(cell.year, cell.month, cell.day) if not isinstance(cell, datetime) else cell for cell in given
        ]
        it = iter(stamps)
        return pa.array([None if cell in (None, "") else next(it) for cell in cells], pa.timestamp("us"))
    return pa.array([_shown(cell, column) for cell in cells], pa.string())


def _shown(cell: Any, column: Column | None) -> str | None:
    """Return one cell of a mixed column as text."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.0f}" if cell == int(cell) and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime) and (cell.hour, cell.minute, cell.second) == (0, 0, 0):
        return cell.date().isoformat()
    return str(cell)
