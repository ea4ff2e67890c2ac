"""The priced book as CSV or Parquet.

CSV is for people: UTF-8 with a byte-order mark, so that Excel shows Chinese without an import dialogue; amounts in
yuan with two decimals; labels as headers; text that a spreadsheet could run gets an apostrophe in front. The rows
without a premium go to a second file beside it, always written, so that an old one never stands beside a new result.
Parquet is for programs: the table as it is, with its own names and amounts in fen.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ratemod.document import csv_file
from ratemod.errors import Lang
from ratemod.rating.manifest import digest, write_set
from ratemod.rating.target import refused_path
from ratemod.reading.arrow import to_arrow
from ratemod.report.priced_columns import Shown, priced_view, refused_view
from ratemod.whole_file import file_set

if TYPE_CHECKING:
    from ratemod.rating.rated import Rated


def write_priced_csv(
    rated: Rated, path: str | Path, *, lang: Lang, source: str | Path | Sequence[Path] | None = None
) -> tuple[Path, Path]:
    """Write the priced rows to `path` and the rows without a premium beside it; return both paths.

    With the `source` that was priced, a manifest stands beside them, which `ratemod verify` holds them to: the three
    files are one set.

    Raises
    ------
    BookError
        Those of `whole_file`.
    """
    priced, refused = Path(path), refused_path(Path(path))
    with file_set() as files:
        parts = [files.new(refused), files.new(priced)]
        for view, part in zip((refused_view, priced_view), parts):
            _write(view(rated, lang), part)
        if source is not None:
            others = {"refused": {"name": refused.name, "sha256": digest(parts[0])}}
            write_set(rated, source, files, priced, parts[1], others)
    return priced, refused


def write_priced_parquet(rated: Rated, path: str | Path, *, source: str | Path | Sequence[Path] | None = None) -> Path:
    """Write the whole table, priced or not, as Parquet, with a manifest where its `source` is given; return the path.

    Where the book was read from a list, ``source_row`` (and ``source_table``, of several) say where each row stood.

    Raises
    ------
    BookError
        Those of `whole_file`.
    """
    import pyarrow.parquet as pq

    target = Path(path)
    with file_set() as files:
        part = files.new(target)
        pq.write_table(_one_name_a_code(_placed(rated)), part, compression="zstd")
        if source is not None:
            write_set(rated, source, files, target, part)
    return target


def _placed(rated: Rated) -> pa.Table:
    """Return the whole table, before it where each row stood: ``source_table`` and ``source_row``, if in a file."""
    book, table = rated.book, rated.table
    if book.rows is None:
        return table
    sources = book.sources()
    head = {} if sources is None else {"source_table": sources.dictionary_encode()}
    head["source_row"] = to_arrow(book.numbers.astype(np.int64))
    return pa.table(
        {name: values for name, values in head.items() if name not in table.column_names}
        | dict(zip(table.column_names, table.columns))
    )


def _one_name_a_code(table: pa.Table) -> pa.Table:
    """Return a table whose dictionaries name each value once; of others Parquet's bytes are not the same each time."""
    for at, name in enumerate(table.column_names):
        column = table[name]
        if pa.types.is_dictionary(column.type):
            names = [chunk.dictionary.to_pylist() for chunk in column.chunks]
            if any(len(set(own)) < len(own) for own in names):
                table = table.set_column(at, name, column.cast(column.type.value_type).dictionary_encode())
    return table


def _write(shown: tuple[Shown, ...], part: Path) -> None:
    csv_file.write_columns(part, [column.header for column in shown], printed(shown))


def headers(shown: tuple[Shown, ...]) -> pa.Buffer:
    """Return the header line."""
    return csv_file.header([column.header for column in shown])


def body(shown: tuple[Shown, ...]) -> pa.Buffer:
    """Return the rows as lines."""
    return csv_file.lines(printed(shown))


def printed(shown: tuple[Shown, ...]) -> list[pa.ChunkedArray]:
    """Return the columns as they are printed."""
    return [csv_file.printed(column.values, "text", column.computed) for column in shown]
