"""Delimited text files as chunks of a fixed number of rows, in bounded memory, cell for cell as `read_book` reads them.

A stretch of text is cut by Arrow where every reader would cut it alike; one with odd quotation marks, cells over
several lines or rows of uneven length by Python's own `csv`, which may run on into the next stretch to finish a record.
Blank and total rows are left out and counted.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import TextIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.errors import BookError, Problem, problem
from ratemod.rating.arrow import to_arrow
from ratemod.rating.chunks import CHUNK, Part
from ratemod.reading.book import Book
from ratemod.reading.header import checked
from ratemod.reading.read import HEAD, csv_rows, encodings, is_footer, is_total, layout, no_record
from ratemod.vocabulary.column import Column

LINE = "\0line"  # no header can be this: NUL is refused
STRETCH = 1 << 22  # characters read at a time
MARK = ord('"')
MOST_TOLD = 1000  # rows left out that are named one by one


@dataclass(eq=False)
class Skipped:
    """What was left out while a file was read."""

    told: list[Problem] = field(default_factory=list)
    blanks: int = 0
    first_blank: int = 0
    last_kept: int = 0

    def problems(self, file: str, sheet_unit: str) -> tuple[Problem, ...]:
        """Return the rows left out, as `read_book` tells them."""
        found = [problem("RM233", file=file, text=sheet_unit)] if sheet_unit else []
        found += self.told
        if self.blanks and self.first_blank < self.last_kept:
            found.append(problem("RM232", file=file, row=self.first_blank, count=self.blanks))
        return tuple(found)


@dataclass(frozen=True, eq=False)
class TextChunks:
    """One delimited text file; the twin of `Chunks`.

    Attributes
    ----------
    names : mapping of header to name
    places : mapping of name to position
        Where each column stands in a row.
    width : int
        Cells of a full row.
    head : int
        Records up to the header, it included.
    lines : int
        Lines of the file: what progress is measured by.
    sheet_unit : str
        The line above the header that names a unit for all amounts, if there is one.
    """

    source: str
    encoding: str
    delimiter: str
    head: int
    width: int
    names: Mapping[str, str]
    places: Mapping[str, int]
    lines: int
    conversions: Mapping[str, Decimal]
    headers: Mapping[str, str]
    sheet_unit: str = ""
    size: int = CHUNK
    skipped: Skipped = field(default_factory=Skipped)

    @property
    def n(self) -> int:
        """Lines of the file; rows are a few less."""
        return self.lines

    @property
    def parts(self) -> tuple[Part, ...]:
        """The file itself, for its digest."""
        return (Part(Path(self.source), (self.lines,), {}),)

    def only(self, names: Sequence[str]) -> TextChunks:
        """Return the same file with fewer columns."""
        return replace(self, names={header: name for header, name in self.names.items() if name in names})

    def texts(self) -> set[str]:
        """Return the names of the columns that hold text: all."""
        return set(self.names.values())

    def kinds(self) -> dict[str, pa.DataType]:
        """Return the type of every column."""
        return dict.fromkeys(self.names.values(), pa.string())

    def skipped_rows(self) -> tuple[Problem, ...]:
        """Return the blank and total rows that were left out when the file was last read."""
        return self.skipped.problems(self.source, self.sheet_unit)

    def book(self, table: pa.Table) -> Book:
        """Return a chunk as a book; the lines that its rows begin on come along."""
        lines = np.asarray(table[LINE].chunk(0)) if LINE in table.column_names else None
        own = table.drop_columns([LINE]) if lines is not None else table
        return Book(own, lines, self.source, None, (), self.conversions, self.headers)

    def tables(self, start: int = 0, threads: bool = True) -> Iterator[pa.Table]:
        """Yield the chunks from row `start` on, each with the column `LINE`.

        Raises
        ------
        BookError
            RM340 the file is gone, RM212 it cannot be read as text any more, RM225 there are no rows.
        """
        held: list[pa.Table] = []
        rows = kept = 0
        self.skipped.__init__()  # type: ignore[misc]
        for table in self._stretches():
            kept += table.num_rows
            if start >= table.num_rows:
                start -= table.num_rows
                continue
            table, start = table.slice(start), 0
            held.append(table)
            rows += table.num_rows
            while rows >= self.size:
                whole = pa.concat_tables(held).combine_chunks()
                yield whole.slice(0, self.size)
                rows -= self.size
                held = [whole.slice(self.size)] if rows else []
        if rows:
            yield pa.concat_tables(held).combine_chunks()
        if not kept:
            raise BookError(problem("RM225", file=self.source))

    def _stretches(self) -> Iterator[pa.Table]:
        """Yield the records of one stretch of text at a time, without blank and total rows."""
        try:
            with open(self.source, encoding=self.encoding, newline="") as file:
                text = _Text(file)
                for table, lines in self._records(text):
                    yield self._wanted(table, lines)
        except OSError as error:
            raise BookError(problem("RM340", file=self.source, why=error.strerror or str(error))) from None
        except (UnicodeDecodeError, csv.Error) as error:
            raise BookError(problem("RM212", file=self.source, why=str(error))) from None

    def _records(self, text: _Text) -> Iterator[tuple[pa.Table, npt.NDArray[np.int64]]]:
        header = csv.reader(text, delimiter=self.delimiter)
        for _ in range(self.head):
            next(header)
        while text.fill():
            first = text.line
            quick = self._cut(text.rest())
            if quick is not None:
                text.used()
                yield self._sifted(quick, first)
            else:
                yield self._slowly(text)

    def _cut(self, text: str) -> pa.Table | None:
        """Return a stretch as text columns, or None where quotation marks are odd or rows uneven."""
        from pyarrow import csv as arrow

        names, data = [str(at) for at in range(self.width)], text.encode("utf-8")
        if not _clean(np.frombuffer(data, dtype=np.uint8), ord(self.delimiter)):
            return None
        try:
            return arrow.read_csv(
                pa.BufferReader(data),
                arrow.ReadOptions(use_threads=False, block_size=max(len(data), 1), column_names=names),
                arrow.ParseOptions(delimiter=self.delimiter, ignore_empty_lines=False),
                arrow.ConvertOptions(
                    check_utf8=False,
                    column_types=dict.fromkeys(names, pa.string()),
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )
        except pa.ArrowInvalid:
            return None

    def _slowly(self, text: _Text) -> tuple[pa.Table, npt.NDArray[np.int64]]:
        """Return the records of a stretch read by `csv`, and the line each begins on."""
        reader = csv.reader(text, delimiter=self.delimiter)
        rows: list[list[str]] = []
        lines: list[int] = []
        stretch = text.stretch  # a record may run on into the next one: then stop behind it
        while text.stretch == stretch and text.lines_left():
            line = text.line
            row = next(reader, [])
            if not self._left_out([cell for cell in row if cell.strip()], line):
                rows.append(row[: self.width] + [""] * (self.width - len(row)))
                lines.append(line)
        columns = [pa.array([row[at] or None for row in rows], pa.string()) for at in range(self.width)]
        names = [str(at) for at in range(self.width)]
        return pa.Table.from_arrays(columns, names=names), np.array(lines, dtype=np.int64)

    def _left_out(self, filled: Sequence[str], line: int) -> bool:
        """Return whether a row with these cells filled is blank or no record, and count it."""
        if not filled:
            self.skipped.blanks += 1
            self.skipped.first_blank = self.skipped.first_blank or line
            return True
        found = no_record(filled, self.width)
        if found is not None and len(self.skipped.told) < MOST_TOLD:
            self.skipped.told.append(problem(found[0], file=self.source, row=line, text=found[1]))
        return found is not None

    def _sifted(self, table: pa.Table, first_line: int) -> tuple[pa.Table, npt.NDArray[np.int64]]:
        """Return the rows of a stretch cut by Arrow that are records, and their lines."""
        import pyarrow.compute as pc

        first = pc.fill_null(table.column(0), "")
        lines = first_line + np.arange(table.num_rows, dtype=np.int64)
        keep = np.ones(table.num_rows, dtype=bool)
        identifiers = np.asarray(pc.match_substring_regex(first, "^[A-Za-z_-]*[0-9][0-9A-Za-z_-]*$"))
        for at in np.flatnonzero(~identifiers).tolist():
            cell = first[at].as_py()
            if cell.strip() and not is_total(cell) and not is_footer(cell):
                continue
            cells = [column[at].as_py() or "" for column in table.columns]
            keep[at] = not self._left_out([value for value in cells if value.strip()], int(lines[at]))
        return (table, lines) if keep.all() else (table.take(to_arrow(np.flatnonzero(keep))), lines[keep])

    def _wanted(self, table: pa.Table, lines: npt.NDArray[np.int64]) -> pa.Table:
        if len(lines):
            self.skipped.last_kept = int(lines[-1])
        columns = [table.column(self.places[name]) for name in self.names.values()]
        return pa.Table.from_arrays([*columns, to_arrow(lines)], names=[*self.names.values(), LINE])


def open_text(
    source: str | Path,
    columns: Mapping[str, Column],
    *,
    header_map: Mapping[str, str] | None = None,
    keep: Sequence[str] = (),
    size: int = CHUNK,
) -> TextChunks:
    """Return the chunks of a CSV, TSV or text file with the columns that a plan declares.

    Parameters
    ----------
    source : path
        UTF-8 (with or without a byte-order mark), UTF-16 (with one) or GB18030; any of the delimiters that
        `read_book` knows; the header may stand below a title.
    keep : names
        Further columns to read, by their headers; "all" reads all that have one.

    Raises
    ------
    BookError
        RM211 no such file, RM212 unreadable; those of the header.
    """
    path = Path(source)
    if not path.is_file():
        raise BookError(problem("RM211", file=str(path)))
    encoding, lines = _look(path)
    with open(path, encoding=encoding, newline="") as file:
        start = file.read(HEAD)
    at, header, delimiter = layout(start, columns, header_map)
    read = csv_rows(start, delimiter, at + 1)
    header = checked(header, columns, str(path), None, read[at][1] if read and at >= 0 else 1, header_map)
    names: dict[str, str] = {}
    places: dict[str, int] = {}
    for place, (name, text) in enumerate(zip(header.columns, header.texts)):
        label = name or text
        if not label or not (name or "all" in keep or text in keep):
            continue
        while label in places:
            label += "'"
        names[text if text not in names else label] = label
        places[label] = place
    headers = {name: text for name, text in zip(header.columns, header.texts) if name}
    return TextChunks(
        str(path),
        encoding,
        delimiter,
        at + 1,
        len(header.columns),
        names,
        places,
        lines,
        header.conversions,
        headers,
        header.sheet_unit,
        size,
    )


def _look(path: Path) -> tuple[str, int]:
    """Return the encoding and the number of lines of a text file, by reading it through once."""
    with open(path, "rb") as file:
        start = file.read(2)
        for encoding in encodings(start):
            file.seek(0)
            decode = codecs.getincrementaldecoder(encoding)()
            lines = 0
            try:
                while raw := file.read(1 << 20):
                    text = decode.decode(raw)
                    lines += text.count("\n")
                    if "\x00" in text:
                        break
                else:
                    decode.decode(b"", final=True)
                    return encoding, lines
            except UnicodeDecodeError:
                continue
    raise BookError(problem("RM212", file=str(path), why="not UTF-8, UTF-16 or GB18030 text"))


def _clean(data: npt.NDArray[np.uint8], delimiter: int) -> bool:
    """Return whether quotation marks stand where every reader takes them alike, and no line ends within a cell.

    Marks open and close in turn; one that opens follows a delimiter, a line's end or a mark, one that closes comes
    before such.
    """
    marks = np.flatnonzero(data == MARK)
    if not len(marks):
        return True
    if len(marks) % 2:
        return False
    near = np.zeros(256, dtype=bool)
    near[[delimiter, MARK, 10, 13]] = True
    before, after = marks[::2] - 1, marks[1::2] + 1
    if not near[data[before[before >= 0]]].all() or not near[data[after[after < len(data)]]].all():
        return False
    ends = np.flatnonzero((data == 10) | (data == 13))
    return not bool((np.searchsorted(marks, ends) % 2).any())


class _Text:
    """The text of a file in stretches that end at a line's end; an iterator of its lines."""

    def __init__(self, file: TextIO) -> None:
        self.file, self.line, self.stretch = file, 1, 0
        self.buffer, self.at, self.ended = "", 0, False
        self.lines, self.lines_at = io.StringIO(), (0, -1)  # what lines are read from, and up to where

    def fill(self) -> bool:
        """Read on where nothing is left; return whether there is any text."""
        while self.at >= len(self.buffer) and not self.ended:
            text = self.file.read(STRETCH)
            self.ended = not text
            self.buffer, self.at = text + self.file.readline(), 0
            self.stretch += 1
        return self.at < len(self.buffer)

    def rest(self) -> str:
        """Return what is left of the stretch."""
        return self.buffer[self.at :]

    def lines_left(self) -> bool:
        """Return whether the stretch has lines left."""
        return self.at < len(self.buffer)

    def used(self) -> None:
        """Count the rest of the stretch as read."""
        self.line += _line_ends(self.rest())
        self.at = len(self.buffer)

    def __iter__(self) -> _Text:
        return self

    def __next__(self) -> str:
        if not self.fill():
            raise StopIteration
        if self.lines_at != (self.stretch, self.at):
            self.lines = io.StringIO(self.rest(), newline="")
        line = self.lines.readline()
        self.at, self.line = self.at + len(line), self.line + 1
        self.lines_at = (self.stretch, self.at)
        return line


def _line_ends(text: str) -> int:
    """Return the lines of a text, a last one without an end included."""
    ends = text.count("\n") + text.count("\r") - text.count("\r\n")
    return ends + (not text.endswith(("\n", "\r")) and text != "")
