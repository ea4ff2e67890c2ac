"""Delimited text files as chunks of a fixed number of rows, in bounded memory, cell for cell as `read_book` reads them.

A stretch of text is cut by Arrow where every reader would cut it alike; one with odd quotation marks, cells over
several lines or rows of uneven length by Python's own `csv`, which may run on into the next stretch to finish a record.
Blank and total rows are left out and counted.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.errors import BookError, Problem, cause, problem
from ratemod.reading.arrow import to_arrow, truths
from ratemod.reading.blocks import Block, blocks, check_upright
from ratemod.reading.book import Book
from ratemod.reading.chunks import CHUNK, Part
from ratemod.reading.examples import example_rows
from ratemod.reading.grid import Grid
from ratemod.reading.header import IMPLIED, Header, HeaderMap, Lexicon, checked, lexicon, lost_headers, match
from ratemod.reading.header_hours import with_header_hours
from ratemod.reading.implied import obeyed, with_implied
from ratemod.reading.near_headers import judged_headers
from ratemod.reading.receipt import LeftOut, ReadPart, Receipt, UnusedHeader, UsedHeader, listed
from ratemod.reading.rows import Judge, fate, is_blank, is_total, judge_of, near_needed
from ratemod.reading.tables import above, settled
from ratemod.reading.units import Unit, stated, statements
from ratemod.vocabulary.column import Column

LINE = "\0line"  # no header can be this: NUL is refused
STRETCH = 1 << 22  # characters read at a time
MARK = ord('"')
DELIMITERS = (",", "\t", ";", "|")
HEAD = 200_000  # characters among which the header must stand
TAIL = 40_000  # characters at the end among which a line may state the units
KEPT = '="'  # how a cell begins that is to stay a text in a spreadsheet
_KEPT = re.compile('^="([^"]*)"$')
DOS_END = "\x1a"
BLANKS = (b" ", b"\t", b"\xc2\xa0", b"\xe3\x80\x80", b"\xef\xbb\xbf", b"\xe2\x80\x8b")  # a cell may consist of


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
    part, remarks
        What the receipt says before the records are read.
    heard : frozenset of str
        Lines that state units and were obeyed, or are clear.
    implied : mapping of implied column to the name under which it is read
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
    words: Lexicon
    header: Header
    judge: Judge
    part: ReadPart
    remarks: tuple[Problem, ...]
    heard: frozenset[str] = frozenset()
    implied: Mapping[str, str] = field(default_factory=dict)
    size: int = CHUNK
    reading: _Reading = field(default_factory=lambda: _Reading())

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

    def under(self, names: Mapping[str, str]) -> TextChunks:
        """Return the same rows with the columns of these headers, read or not, each under a name."""
        places = {name: self.header.texts.index(header) for header, name in names.items()}
        return replace(self, names=dict(names), places=places, reading=_Reading())

    def texts(self) -> set[str]:
        """Return the names of the columns that hold text: all."""
        return set(self.names.values())

    def kinds(self) -> dict[str, pa.DataType]:
        """Return the type of every column."""
        return dict.fromkeys(self.names.values(), pa.string())

    def receipt(self) -> Receipt:
        """Return what was read and what was not when the file was last read."""
        read = self.reading
        part = replace(
            self.part,
            records=read.kept,
            first_row=read.first_kept,
            last_row=read.last_kept,
            left_out={**read.left_out.counts, **self.part.left_out},
        )
        remarks = [*self.remarks, *read.left_out.remarks(self.source, None, read.last_kept)]
        if read.short:
            args: dict[str, Any] = {"rows": listed(read.short), "count": read.shorts}
            remarks.append(problem("RM277", file=self.source, row=read.short[0], **args))
        return Receipt((part,), tuple(remarks))

    def book(self, table: pa.Table) -> Book:
        """Return a chunk as a book; the lines that its rows begin on come along."""
        lines = np.asarray(table[LINE].chunk(0)) if LINE in table.column_names else None
        own = table.drop_columns([LINE]) if lines is not None else table
        book = Book(own, lines, self.source, None, self.conversions, self.headers)
        return obeyed(with_header_hours(book, self.words.columns), self.words.columns, self.implied)

    def tables(self, start: int = 0, threads: bool = True) -> Iterator[pa.Table]:
        """Yield the chunks from row `start` on, each with the column `LINE`.

        Raises
        ------
        BookError
            RM340 the file is gone, RM212 it cannot be read as text any more, RM225 there are no rows, RM266 rows with
            more cells than headers, RM267 a quotation mark left open, RM270 another table, RM264 units not clear.
        """
        held: list[pa.Table] = []
        rows = kept = 0
        self.reading.begin()
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
            raise BookError(problem("RM340", file=self.source, why=cause(error))) from None
        except UnicodeDecodeError:
            raise BookError(problem("RM340", file=self.source, why="UTF-8, GB18030")) from None

    def _records(self, text: _Text) -> Iterator[tuple[pa.Table, npt.NDArray[np.int64]]]:
        header = csv.reader(text, delimiter=self.delimiter, strict=True)
        for _ in range(self.head):
            self._record(header, text)
        while text.fill():
            first = text.line
            quick, blanks = self._cut(text.rest())
            if quick is not None:
                text.used()
                yield self._sifted(quick, first, blanks)
            else:
                yield self._slowly(text)

    def _cut(self, text: str) -> tuple[pa.Table | None, bool]:
        """Return a stretch as text columns, or None where quotation marks are odd or rows uneven, and whether a cell
        may begin with a blank.
        """
        from pyarrow import csv as arrow

        names, data = [str(at) for at in range(self.width)], text.encode("utf-8")
        if not _clean(np.frombuffer(data, dtype=np.uint8), ord(self.delimiter)):
            return None, False
        before = (self.delimiter.encode(), b"\n", b"\r", b'"')
        blanks = data.startswith(BLANKS) or any(mark + blank in data for mark in before for blank in BLANKS)
        try:
            table = arrow.read_csv(
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
            return None, False
        return _kept_as_text(table) if KEPT in text else table, blanks

    def _slowly(self, text: _Text) -> tuple[pa.Table, npt.NDArray[np.int64]]:
        """Return the records of a stretch read by `csv`, and the line each begins on."""
        reader = csv.reader(text, delimiter=self.delimiter, strict=True)
        rows: list[list[str]] = []
        lines: list[int] = []
        longer: list[Problem] = []
        stretch = text.stretch  # a record may run on into the next one: then stop behind it
        while text.stretch == stretch and text.lines_left():
            line = text.line
            try:
                row = self._record(reader, text)
                if self._left_out(row, line):
                    continue
            except BookError as error:
                raise BookError([*longer, *error.problems]) from None
            if any(not is_blank(cell) for cell in row[self.width :]):
                args: dict[str, Any] = {"cells": len(row), "headers": self.width, "text": self.delimiter.join(row)[:80]}
                longer.append(problem("RM266", file=self.source, row=line, **args))
                continue
            if len(row) < self.width:
                self.reading.shorter(line)
            rows.append(row[: self.width] + [""] * (self.width - len(row)))
            lines.append(line)
        if longer:
            raise BookError(longer)
        columns = [pa.array([row[at] or None for row in rows], pa.string()) for at in range(self.width)]
        names = [str(at) for at in range(self.width)]
        return pa.Table.from_arrays(columns, names=names), np.array(lines, dtype=np.int64)

    def _record(self, reader: Iterator[list[str]], text: _Text) -> list[str]:
        """Return the next record; one that swallowed whole rows is refused with the line where it begins."""
        line = text.line
        try:
            row = next(reader, [])
        except csv.Error:
            raise BookError(problem("RM267", file=self.source, row=line)) from None
        if text.line > line + 1:
            inner = (part for cell in row for part in re.split(r"\r\n|\r|\n", cell)[1:])
            if any(part.count(self.delimiter) >= max(self.width - 1, 3) for part in inner):
                raise BookError(problem("RM267", file=self.source, row=line))
        return cells(row)

    def _left_out(self, row: Sequence[str], line: int) -> bool:
        """Return whether a row is no record, and count it."""
        if self._begins_table(row):
            header = match(row, self.words)
            if header.columns[: self.width] != self.header.columns or not header.in_units_of(self.header):
                raise BookError(problem("RM270", file=self.source, row=line, line=self.part.header_row))
            self.reading.left_out.add("header", line)
            return True
        what, said = fate(row[: self.width], self.judge)
        if what == "record":
            return False
        self.reading.left_out.add(what, line, said)
        lines = statements(row) if what != "blank" else []
        odd = [item for item in lines if item.text not in self.heard]
        if odd:
            free = [name for name in self.headers if self.words.columns[name].kind == "number"]
            settled({}, [(name, item) for item in odd for name in free], Header((), ()), self.words, self.source, None)
        return True

    def _begins_table(self, row: Sequence[str]) -> bool:
        """Return whether a row is a row of headers."""
        spots = [row[at] for at in self._spots() if at < len(row)]
        if not any(cell in self.reading.raw(self) for cell in spots):
            return False
        return len({name for name in match(row, self.words).columns if name}) >= min(2, len(self.words.columns))

    def _spots(self) -> list[int]:
        """Return the columns by which a row of headers is known: up to four of those declared."""
        places = [at for at, name in enumerate(self.header.columns) if name]
        return places[:: max(len(places) // 4, 1)][:5]

    def _sifted(self, table: pa.Table, first_line: int, blanks: bool) -> tuple[pa.Table, npt.NDArray[np.int64]]:
        """Return the rows of a stretch cut by Arrow that are records, and their lines."""
        import pyarrow.compute as pc

        lines = first_line + np.arange(table.num_rows, dtype=np.int64)
        doubtful = np.zeros(table.num_rows, dtype=bool)
        raw = pa.array(sorted(self.reading.raw(self)), pa.string())
        for at in self._spots():
            doubtful |= np.asarray(pc.is_in(table.column(at), value_set=raw))
        for at in self.judge.needed or range(self.width):
            column = table.column(at)
            if column.null_count:
                doubtful |= np.asarray(pc.is_null(column))
            if blanks:
                doubtful |= truths(pc.match_substring_regex(column, r"^[\s\x{a0}\x{3000}\x{200b}\x{feff}]"))
        keep = np.ones(table.num_rows, dtype=bool)
        for at in np.flatnonzero(doubtful).tolist():
            cells = [column[at].as_py() or "" for column in table.columns]
            keep[at] = not self._left_out(cells, int(lines[at]))
        if not self.judge.needed:
            for at in np.flatnonzero(keep & ~doubtful).tolist():
                if is_total(table.column(0)[at].as_py()):
                    keep[at] = not self._left_out(
                        [column[at].as_py() or "" for column in table.columns], int(lines[at])
                    )
        return (table, lines) if keep.all() else (table.take(to_arrow(np.flatnonzero(keep))), lines[keep])

    def _wanted(self, table: pa.Table, lines: npt.NDArray[np.int64]) -> pa.Table:
        named = [table.column(place) for place, text in enumerate(self.header.texts) if text]
        examples = example_rows(named, table.num_rows)
        if examples.any():
            for line in lines[examples].tolist():
                self.reading.left_out.add("example", line)
            table, lines = table.take(to_arrow(np.flatnonzero(~examples))), lines[~examples]
        self.reading.keep(lines)
        columns = [table.column(self.places[name]) for name in self.names.values()]
        return pa.Table.from_arrays([*columns, to_arrow(lines)], names=[*self.names.values(), LINE])


@dataclass(eq=False)
class _Reading:
    """What is found out while a file is read."""

    left_out: LeftOut = field(default_factory=LeftOut)
    kept: int = 0
    first_kept: int = 0
    last_kept: int = 0
    shorts: int = 0
    short: list[int] = field(default_factory=list)
    spelled: frozenset[str] = frozenset()

    def begin(self) -> None:
        """Forget what an earlier reading found."""
        self.left_out, self.kept, self.first_kept, self.last_kept = LeftOut(), 0, 0, 0
        self.shorts, self.short = 0, []

    def keep(self, lines: npt.NDArray[np.int64]) -> None:
        """Count records."""
        if len(lines):
            self.kept += len(lines)
            self.first_kept = self.first_kept or int(lines[0])
            self.last_kept = int(lines[-1])

    def shorter(self, line: int) -> None:
        """Count a record with fewer cells than there are headers."""
        self.shorts += 1
        if len(self.short) <= 12:
            self.short.append(line)

    def raw(self, chunks: TextChunks) -> frozenset[str]:
        """Return the texts by which a row of headers is known."""
        if not self.spelled:
            names = {name for column in chunks.words.columns.values() for name in column.names()}
            self.spelled = frozenset(names | {text for text in chunks.header.texts if text})
        return self.spelled


def open_text(
    source: str | Path,
    columns: Mapping[str, Column],
    *,
    header_map: HeaderMap | None = None,
    keep: Sequence[str] = (),
    size: int = CHUNK,
) -> TextChunks:
    """Return the chunks of a CSV, TSV or text file with the columns that are declared.

    Parameters
    ----------
    source : path
        UTF-8 (with or without a byte-order mark), UTF-16 (with one), GB18030 or Big5; with commas, tabs, semicolons or
        bars; the header may stand below a title.
    keep : names
        Further columns to read, by their headers; "all" reads all that have one.

    Raises
    ------
    BookError
        RM211 no such file, RM212 unreadable, RM221 to RM224 and RM264, RM265 of the header.
    """
    path = Path(source)
    if not path.is_file():
        raise BookError(problem("RM211", file=str(path)))
    words = lexicon(with_implied(columns), header_map)
    encoding, lines, tail, start, (block, delimiter, head) = _look(path, words)
    if block is None or not set(near_needed(words.columns)) <= block.names:
        read = csv_rows(start, delimiter, 300)
        grid = Grid(str(path), None, [row for row, _ in read], [line for _, line in read])
        check_upright(grid, [block] if block else [], words)
    header = block.header if block else Header((), ())
    row = block.grid.lines[block.at] if block else 1
    header = checked(header, words.columns, str(path), None, row)
    lost = lost_headers(words, header.texts, str(path))
    if lost:
        raise BookError(lost)
    assert block is not None
    ending = [] if len(start) < HEAD and tail in start[: len(start) // 2] else _last_rows(tail, delimiter)
    units, remarks, heard = _text_units(block, ending, words)
    names: dict[str, str] = {}
    implied: dict[str, str] = {}
    places: dict[str, int] = {}
    for place, (name, text) in enumerate(zip(header.columns, header.texts)):
        if not (name or "all" in keep or (text and text in keep)):
            continue
        own = name if name not in IMPLIED or name in columns else None
        label = own or text or f"column {place + 1}"
        while label in places:
            label += "'"
        if name in IMPLIED and name not in columns:
            implied[name] = label
        names[text if text and text not in names else label] = label
        places[label] = place
    used = [
        UsedHeader(text, name, str(at), units[name].text if name in units else "", _size(units.get(name)))
        for at, (name, text) in enumerate(zip(header.columns, header.texts), 1)
        if name
    ]
    spare = [
        UnusedHeader(text, str(at))
        for at, (name, text) in enumerate(zip(header.columns, header.texts), 1)
        if not name and text
    ]
    unused, said = judged_headers(spare, header, words, str(path), None, row)
    return TextChunks(
        source=str(path),
        encoding=encoding,
        delimiter=delimiter,
        head=head,
        width=len(header.columns),
        names=names,
        places=places,
        lines=lines,
        conversions={name: unit.size for name, unit in units.items() if unit.size is not None and unit.size != 1},
        headers={name: text for name, text in zip(header.columns, header.texts) if name in places},
        implied=implied,
        words=words,
        header=header,
        judge=judge_of(header, words),
        part=ReadPart(
            file=str(path),
            sheet=None,
            header_row=row,
            first_row=0,
            last_row=0,
            used=tuple(used),
            unused=tuple(unused),
            records=0,
            left_out=above(block, (block,)),
        ),
        remarks=(*said, *remarks),
        heard=heard,
        size=size,
    )


def _size(unit: Unit | None) -> Decimal:
    return unit.size if unit is not None and unit.size is not None else Decimal(1)


def _layout(file: str, head: str, words: Lexicon) -> tuple[Block | None, str, int]:
    """Return the table at a text's start, the delimiter, and how many records stand before its rows."""
    best: tuple[Block | None, str, int] = (None, ",", 0)
    needed = set(near_needed(words.columns))
    for delimiter in DELIMITERS:
        read = csv_rows(head, delimiter, 300)
        grid = Grid(file, None, [row for row, _ in read], [line for _, line in read])
        found = blocks(grid, words)
        whole = [block for block in found if needed <= block.names] or found
        if whole and (best[0] is None or len(whole[0].names) > len(best[0].names)):
            best = (whole[0], delimiter, whole[0].first)
    return best


def csv_rows(content: str, delimiter: str, most: int) -> list[tuple[list[str], int]]:
    """Return the first rows of a delimited text and the line each begins on, as many as can be read."""
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter)
    found, line = [], 1
    try:
        for row in reader:
            found.append((cells(row), line))
            line = reader.line_num + 1
            if len(found) >= most:
                break
    except csv.Error:
        pass
    return found


def cells(row: list[str]) -> list[str]:
    """Return the cells of a line of text without what keeps them texts, `="0411"`,.

    Examples
    --------
    >>> cells(['="0411"', "a", '=B1&"x"'])
    ['0411', 'a', '=B1&"x"']
    """
    return [_KEPT.sub(r"\1", cell) if cell.startswith("=") else cell for cell in row]


def _kept_as_text(table: pa.Table) -> pa.Table:
    """Return columns of a text as `cells` returns the cells of a line."""
    import pyarrow.compute as pc

    plain = [pc.replace_substring_regex(column, _KEPT.pattern, r"\1") for column in table.columns]
    return pa.Table.from_arrays(plain, names=table.column_names)


def _last_rows(tail: str, delimiter: str) -> list[list[str]]:
    """Return the last lines of a text that are too short for records."""
    return [[cell for cell in line.split(delimiter) if not is_blank(cell)] for line in tail.splitlines()[-30:]]


def _text_units(
    block: Block, ending: Sequence[Sequence[str]], words: Lexicon
) -> tuple[dict[str, Unit], list[Problem], frozenset[str]]:
    """Return the unit of every column, what is said of lines obeyed, and those lines."""
    columns = words.columns
    free = [
        columns[name]
        for name in sorted(block.names)
        if columns[name].kind == "number" and name not in block.header.units
    ]
    lines = [row for row in block.grid.rows[: block.top] if sum(not is_blank(cell) for cell in row) <= 4]
    lines += [row for row in ending if 0 < len(row) <= 2]
    said = [item for row in lines for item in statements(row)]
    units, unclear = stated(said, free)
    found, remarks = settled(units, unclear, block.header, words, block.grid.file, None)
    quiet = {item.text for item in said}
    return found, remarks, frozenset(quiet)


def _look(path: Path, words: Lexicon) -> tuple[str, int, str, str, tuple[Block | None, str, int]]:
    """Return the encoding, the number of lines, the end and the start of a text, and its layout.

    Of the encodings in which it can be read it is the first in which there is a table: what is Big5 is GB18030 of other
    signs as well, and only the headers tell them apart.
    """
    first = None
    with open(path, "rb") as file:
        known = encodings(file.read(2))
    for encoding in known:
        if (ends := _read_through(path, encoding)) is None:
            continue
        with open(path, encoding=encoding, newline="") as text:
            start = text.read(HEAD)
        found = (encoding, *ends, start, _layout(str(path), start, words))
        if found[-1][0] is not None:
            return found
        first = first or found
    if first is None:
        raise BookError(problem("RM212", file=str(path), why="UTF-8, UTF-16, GB18030, Big5"))
    return first


def _read_through(path: Path, encoding: str) -> tuple[int, str] | None:
    """Return the number of lines and the end of a text, None where it is not in an encoding, by reading it once."""
    decode = codecs.getincrementaldecoder(encoding)()
    lines, tail = 0, ""
    with open(path, "rb") as file:
        try:
            while raw := file.read(1 << 20):
                text = decode.decode(raw)
                lines += text.count("\n")
                if "\x00" in text:
                    return None
                tail = (tail + text)[-TAIL:]
            decode.decode(b"", final=True)
        except UnicodeDecodeError:
            return None
    return lines, tail


def encodings(start: bytes) -> tuple[str, ...]:
    """Return the encodings to try for a text that begins with these two bytes."""
    return ("utf-16",) if start in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030", "big5hkscs")


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
            self.buffer, self.at = (text + self.file.readline()).removesuffix(DOS_END), 0
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
