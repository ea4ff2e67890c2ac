"""Parquet files as chunks of a fixed number of rows, in order, whatever their row groups are like.

Chunks are counted over all files, so that what comes out depends on the rows and their order alone. A folder is read
in the order of its paths; ``name=value`` folders become columns.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

import numpy as np
import pyarrow as pa

from ratemod.errors import BookError, Lang, Problem, catalogue, problem, text
from ratemod.reading.arrow import strings, to_arrow
from ratemod.reading.book import Book
from ratemod.reading.header import IMPLIED, Header, HeaderMap, checked, lexicon, match
from ratemod.reading.header_hours import with_header_hours
from ratemod.reading.implied import obeyed, with_implied
from ratemod.reading.receipt import Receipt
from ratemod.reading.tables import frame_receipt
from ratemod.vocabulary.column import Column

CHUNK = 131_072  # rows; measured: the speed of 262,144 in two thirds of the memory
BUFFER = 1 << 20
# What Arrow says of a Parquet file that is damaged, in its frame, in the texts of its messages or in a column.
UNREADABLE = (pa.ArrowException, OSError, ValueError, OverflowError)


@dataclass(frozen=True, slots=True)
class Part:
    """One file: its path, its rows by row group, and what its folders say."""

    path: Path
    rows: tuple[int, ...]
    given: Mapping[str, str]


class Chunked(Protocol):
    """A book in chunks, whatever kind of file it stands in: `Chunks`, or `TextChunks`."""

    @property
    def source(self) -> str:
        """The path that was asked for."""

    @property
    def names(self) -> Mapping[str, str]:
        """Header of every column to read, and its name."""

    @property
    def conversions(self) -> Mapping[str, Decimal]:
        """Units that headers name."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """The files."""

    @property
    def size(self) -> int:
        """Rows of a chunk."""

    @property
    def n(self) -> int:
        """Rows, as far as they are known before reading: what progress is measured by."""

    def only(self, names: Sequence[str]) -> Chunked:
        """Return the same with fewer columns."""

    def under(self, names: Mapping[str, str]) -> Chunked:
        """Return the same rows with the columns of these headers, read or not, each under a name."""

    def texts(self) -> set[str]:
        """Return the names of the columns that hold text."""

    def kinds(self) -> dict[str, pa.DataType]:
        """Return the type of every column."""

    def book(self, table: pa.Table) -> Book:
        """Return a chunk as a book."""

    def tables(self, start: int = 0, threads: bool = True) -> Iterator[pa.Table]:
        """Yield the chunks."""

    def receipt(self) -> Receipt:
        """Return what was read and what was not when the book was last read."""


@dataclass(frozen=True, eq=False)
class Chunks:
    """Files that hold one book.

    Attributes
    ----------
    parts : tuple of Part
    names : mapping of header to name
        The columns to read, in the order of the first file, and what they are called here.
    coded : tuple of str
        Headers to be read as dictionaries.
    schema : pyarrow.Schema
        Of all files together, by header, without dictionaries.
    size : int
        Rows of a chunk.
    columns : mapping of name to Column
        Those that the files are read for.
    implied : mapping of implied column to the name under which it is read
    """

    source: str
    parts: tuple[Part, ...]
    names: Mapping[str, str]
    coded: tuple[str, ...]
    schema: pa.Schema
    conversions: Mapping[str, Decimal] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    size: int = CHUNK
    columns: Mapping[str, Column] = field(default_factory=dict)
    implied: Mapping[str, str] = field(default_factory=dict)
    read: Receipt = field(default_factory=Receipt)

    @property
    def n(self) -> int:
        """Number of rows."""
        return sum(sum(part.rows) for part in self.parts)

    def only(self, names: Sequence[str]) -> Chunks:
        """Return the same files with fewer columns."""
        return replace(self, names={header: name for header, name in self.names.items() if name in names})

    def under(self, names: Mapping[str, str]) -> Chunks:
        """Return the same rows with the columns of these headers, read or not, each under a name."""
        return replace(self, names=dict(names), coded=())

    def texts(self) -> set[str]:
        """Return the names of the columns that hold text in every file."""
        return {name for name, kind in self.kinds().items() if _class(kind) == "text"}

    def kinds(self) -> dict[str, pa.DataType]:
        """Return the type of every column, over all files, without dictionaries."""
        return {name: self.schema.field(header).type for header, name in self.names.items()}

    def receipt(self) -> Receipt:
        """Return what was read: every row of a Parquet file is a record."""
        return replace(
            self.read, parts=tuple(replace(part, records=self.n, last_row=self.n) for part in self.read.parts)
        )

    def book(self, table: pa.Table) -> Book:
        """Return a chunk as a book."""
        book = Book(table, None, self.source, None, self.conversions, self.headers)
        return obeyed(with_header_hours(book, self.columns), self.columns, self.implied)

    def tables(self, start: int = 0, threads: bool = True) -> Iterator[pa.Table]:
        """Yield the chunks from row `start` (a multiple of `size`) on.

        Raises
        ------
        BookError
            RM340 a file is gone or cannot be read, RM341 a row group cannot be read.
        """
        held: list[pa.Table] = []
        rows = 0
        for table in self._batches(start, threads):
            held.append(table)
            rows += table.num_rows
            while rows >= self.size:
                whole = _joined(held)
                yield whole.slice(0, self.size)
                rows -= self.size
                held = [whole.slice(self.size)] if rows else []
        if rows:
            yield _joined(held)

    def _batches(self, start: int, threads: bool) -> Iterator[pa.Table]:
        before = 0
        for part in self.parts:
            if before + sum(part.rows) > start:
                yield from self._one_file(part, max(start - before, 0), threads)
            before += sum(part.rows)

    def _one_file(self, part: Part, skip: int, threads: bool) -> Iterator[pa.Table]:
        headers = [header for header in self.names if header not in part.given]
        file = opened(part.path, [header for header in self.coded if header in headers])
        with file:
            if tuple(file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)) != part.rows:
                raise BookError(problem("RM347", file=str(part.path)))
            for at, rows in enumerate(part.rows):
                if skip >= rows:
                    skip -= rows
                    continue
                try:
                    for batch in file.iter_batches(self.size, row_groups=[at], columns=headers, use_threads=threads):
                        if skip >= batch.num_rows:
                            skip -= batch.num_rows
                            continue
                        batch.validate(full=True)  # codes without a text, bytes that are no text: nothing else looks
                        yield self._named(batch.slice(skip), part)
                        skip = 0
                except UNREADABLE as error:
                    why = said(error)
                    raise BookError(problem("RM341", file=str(part.path), group=at, rows=rows, why=why)) from None

    def _named(self, batch: pa.RecordBatch, part: Part) -> pa.Table:
        def column(header: str) -> pa.Array:
            if header in part.given:
                return strings([part.given[header]]).take(to_arrow(np.zeros(batch.num_rows, dtype=np.int32)))
            at = batch.schema.get_field_index(header)
            return batch.column(at) if at >= 0 else pa.nulls(batch.num_rows)  # empty in the first file, absent here

        return pa.Table.from_arrays(list(map(column, self.names)), names=list(self.names.values()))


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    if len(tables) == 1:
        return tables[0]
    if all(table.schema.equals(tables[0].schema) for table in tables):
        return pa.concat_tables(tables)
    return pa.concat_tables([table.cast(_decoded(table.schema)) for table in tables], promote_options="permissive")


def _decoded(schema: pa.Schema) -> pa.Schema:
    """Return a schema with plain columns for dictionaries and short texts for long ones."""
    fields = []
    for field_ in schema:
        kind = field_.type.value_type if pa.types.is_dictionary(field_.type) else field_.type
        fields.append(pa.field(field_.name, pa.string() if pa.types.is_large_string(kind) else kind))
    return pa.schema(fields)


def opened(path: Path, coded: Sequence[str] = ()) -> Any:
    """Return a Parquet file open for reading.

    Raises
    ------
    BookError
        RM340 it is not there or is no Parquet file.
    """
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(
            path, read_dictionary=list(coded), buffer_size=BUFFER, pre_buffer=False, page_checksum_verification=True
        )
    except UNREADABLE as error:
        raise BookError(problem("RM340", file=str(path), why=said(error))) from None


def read_parquet(path: Path) -> pa.Table:
    """Return a Parquet file as one table, every cell of which can be read.

    Raises
    ------
    BookError
        RM340 it is not there, is no Parquet file or is damaged.
    """
    try:
        with opened(path) as file:
            table = file.read()
        table.validate(full=True)
    except UNREADABLE as error:
        raise BookError(problem("RM340", file=str(path), why=said(error))) from None
    return table


def said(error: Exception) -> str:
    """Return the first line of what a library says."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def parquet_files(source: str | Path) -> tuple[Path, ...]:
    """Return the Parquet files of a path: itself, or those below a folder in the order of their paths.

    Raises
    ------
    BookError
        RM340 nothing there, RM343 a folder without Parquet files.
    """
    path = Path(source)
    if not path.is_dir():
        return (path,)
    hidden = (".", "_")
    found = [
        file
        for file in path.rglob("*.parquet")
        if file.is_file() and not any(name.startswith(hidden) for name in file.relative_to(path).parts)
    ]
    if not found:
        raise BookError(problem("RM343", folder=str(path)))
    return tuple(sorted(found, key=lambda file: file.relative_to(path).parts))


def open_chunks(
    source: str | Path,
    columns: Mapping[str, Column],
    *,
    header_map: HeaderMap | None = None,
    keep: Sequence[str] = (),
    few: Sequence[str] = (),
    stale: Collection[str] = (),
    size: int = CHUNK,
) -> Chunks:
    """Return the chunks of a Parquet file or folder, with the columns that a plan declares.

    Parameters
    ----------
    source : path of a file, or of a folder of files
    columns : mapping of name to Column
    header_map : mapping, optional
        Header in the file -> declared column.
    keep : names
        Further columns to read, by their headers; "all" reads all.
    few : names
        Text columns with few different values, to be read as dictionaries.
    stale : names
        Steps, which priced rows that come back hold too: "all" does not mean them, nor their results.

    Raises
    ------
    BookError
        RM340, RM343 as `parquet_files`; RM342 for every column whose type changes between the files; RM225 no rows;
        those of the header.
    """
    root = Path(source)
    parts, schemas = [], []
    for path in parquet_files(source):
        with opened(path) as file:
            rows = tuple(file.metadata.row_group(at).num_rows for at in range(file.num_row_groups))
            schemas.append(file.schema_arrow)
        parts.append(Part(path, rows, _folders(path, root)))
    texts = [*schemas[0].names, *(name for name in parts[0].given if name not in schemas[0].names)]
    words = lexicon(with_implied(columns), header_map)
    header = checked(match(texts, words), words.columns, str(source), None, 1)
    besides = {name: text for name, text in zip(header.columns, texts) if name in IMPLIED and name not in columns}
    receipt, conversions = frame_receipt(header, words, str(source), 0)
    if not sum(sum(part.rows) for part in parts):
        raise BookError(problem("RM225", file=str(source)))
    whole, ours = "all" in keep, {*header.added, *(stale if header.added else ())}
    names = {
        text: text if name in besides else name or text
        for name, text in zip(header.columns, texts)
        if name or text in keep or (whole and text not in ours)
    }
    wrong = [
        item
        for part, schema in zip(parts, schemas)
        for item in _changes(
            part, schema, parts[0], schemas[0], dict.fromkeys([*names, *_headers(match(schema.names, words)).values()])
        )
    ]
    if wrong:
        raise BookError(wrong)
    given = [pa.field(name, pa.string()) for name in parts[0].given]
    schema = pa.unify_schemas(
        [pa.schema([*(field_ for field_ in _decoded(one) if field_.name in names), *given]) for one in schemas],
        promote_options="permissive",
    )
    coded = tuple(text for text, name in names.items() if _is_coded(text, name, columns, few, schemas[0]))
    return Chunks(
        source=str(source),
        parts=tuple(parts),
        names=names,
        coded=coded,
        schema=schema,
        conversions=conversions,
        headers={name: text for name, text in _headers(header).items() if name not in besides},
        size=size,
        columns=words.columns,
        implied={str(name): text for name, text in besides.items()},
        read=receipt,
    )


def _headers(header: Header) -> dict[str, str]:
    return {name: text for name, text in zip(header.columns, header.texts) if name}


def _folders(path: Path, root: Path) -> dict[str, str]:
    """Return what ``name=value`` folders between the root and the file say."""
    if path == root:
        return {}
    pairs = [part.partition("=") for part in path.relative_to(root).parts[:-1]]
    return {name: unquote(value) for name, mark, value in pairs if mark}


def _changes(
    part: Part, schema: pa.Schema, first: Part, wanted: pa.Schema, headers: Iterable[str]
) -> Iterator[Problem]:
    """Yield the columns that are of another kind in a file than in the first, or are in one of the two alone."""
    for header in headers:
        found, known = _kind_in(header, part, schema), _kind_in(header, first, wanted)
        if found != known and "null" not in (found, known):
            kinds: dict[str, Any] = {"found": _kind_said(found, "en"), "found_zh": _kind_said(found, "zh")}
            kinds |= {"known": _kind_said(known, "en"), "known_zh": _kind_said(known, "zh")}
            yield problem("RM342", file=str(part.path), column=header, first=str(first.path), **kinds)


def _kind_in(header: str, part: Part, schema: pa.Schema) -> str:
    if header in part.given:
        return "text"
    return _class(schema.field(header).type) if header in schema.names else "absent"


def _kind_said(kind: str, lang: Lang) -> str:
    """Return a kind of column in words; a type that people have no word for as Arrow calls it."""
    return text(f"UI_kind_{kind}", lang) if f"UI_kind_{kind}" in catalogue() else kind


def _class(kind: pa.DataType) -> str:
    """Return what a type is to the rater, which takes a number of any width."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "text"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return "number"
    return "null" if pa.types.is_null(kind) else str(kind)


def _is_coded(text: str, name: str, columns: Mapping[str, Column], few: Sequence[str], schema: pa.Schema) -> bool:
    if text not in schema.names or _class(schema.field(text).type) != "text":
        return False
    return name == "insurer" or name in few or (name in columns and columns[name].kind in ("level", "flag"))
