"""The priced book as CSV or Parquet.

CSV is for people: UTF-8 with a byte-order mark, so that Excel shows Chinese without an import dialogue; amounts in
yuan with two decimals; labels as headers; text that a spreadsheet could run gets an apostrophe in front. The rows
without a premium go to a second file beside it, always written, so that an old one never stands beside a new result.
Parquet is for programs: the table as it is, with its own names and amounts in fen.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.errors import Lang
from ratemod.exhibits.output import refused_path
from ratemod.exhibits.priced_columns import DANGEROUS, SIGNED_NUMBER, Shown, priced_view, refused_view, safe_text
from ratemod.rating.manifest import digest, write_set
from ratemod.reading.arrow import to_arrow
from ratemod.reading.plain import plain
from ratemod.whole_file import file_set

if TYPE_CHECKING:
    from ratemod.rating.rated import Rated

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


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


def write_priced_parquet(
    rated: Rated, path: str | Path, *, source: str | Path | Sequence[Path] | None = None
) -> Path:
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
    with pa.OSFile(str(part), "wb") as file:
        file.write(BYTE_ORDER_MARK)
        file.write(headers(shown))
        file.write(body(shown))


def headers(shown: tuple[Shown, ...]) -> pa.Buffer:
    """Return the header line."""
    return _lines([pa.array([safe_text(column.header)]) for column in shown])


def body(shown: tuple[Shown, ...]) -> pa.Buffer:
    """Return the rows as lines."""
    return _lines([printed(column.values, column.look, column.computed) for column in shown])


def _lines(columns: list[pa.Array | pa.ChunkedArray]) -> pa.Buffer:
    from pyarrow import csv

    sink = pa.BufferOutputStream()
    names = [f"c{at}" for at in range(len(columns))]  # headers may repeat; they go in as a row of their own
    csv.write_csv(pa.table(columns, names=names), sink, csv.WriteOptions(include_header=False))
    return sink.getvalue()


def printed(array: pa.ChunkedArray | pa.Array, look: str = "text", exact: bool = False) -> pa.ChunkedArray:
    """Return a column of any type as it is printed in a CSV: numbers plainly, all else as text that nothing runs.

    Parameters
    ----------
    look : str
        ``fen`` is printed as exact yuan.
    exact : bool
        The floats stand for decimals of at most 15 digits, as computed ones do.
    """
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    if look == "fen":
        return pa.chunked_array([yuan_decimals(chunk) for chunk in chunks], pa.decimal128(20, 2))
    kind = array.type
    if pa.types.is_floating(kind):
        digits = _decimal_digits if exact else _digits
        told = [pa.array(map(digits, chunk.to_pylist()), pa.string()) for chunk in chunks]
        return pa.chunked_array(told, pa.string())
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_boolean(kind) or pa.types.is_date32(kind):
        return pa.chunked_array(chunks, kind)
    if pa.types.is_timestamp(kind) and kind.tz is None:
        return pa.chunked_array([_day_or_moment(chunk) for chunk in chunks], pa.string())
    return pa.chunked_array([_disarmed(chunk) for chunk in chunks], pa.string())


def _day_or_moment(chunk: pa.Array) -> pa.Array:
    """Return moments as text, a midnight as its day alone: as lists write days."""
    days = chunk.cast(pa.date32(), safe=False)
    is_day = pc.equal(days.cast(chunk.type), chunk)
    moments = pc.utf8_rtrim(pc.replace_substring_regex(chunk.cast(pa.string()), r"(\.\d*?)0+$", r"\1"), ".")
    return pc.if_else(is_day, days.cast(pa.string()), moments)


def _disarmed(chunk: pa.Array) -> pa.Array:
    """Return what is not known to be a number as text, with an apostrophe where a spreadsheet could run it."""
    texts = chunk.cast(chunk.type.value_type) if pa.types.is_dictionary(chunk.type) else chunk
    if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
        found = plain(texts)
        texts = found.cells
        if found.refused is not None and found.refused.any():
            texts = pa.array([None if cell is None else _said(cell) for cell in chunk.to_pylist()], pa.string())
    texts = texts.cast(pa.string())
    runs = pc.and_not(
        pc.match_substring_regex(texts, DANGEROUS), pc.match_substring_regex(texts, f"^{SIGNED_NUMBER}$")
    )
    return pc.if_else(runs, pc.binary_join_element_wise("'", texts, ""), texts)


def _said(cell: Any) -> str:
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)


def _decimal_digits(value: float | None) -> str | None:
    return _digits(None if value is None else float(f"{value:.15g}"))


def _digits(value: float | None) -> str | None:
    """Return a float in its shortest digits, never with an exponent; nothing for what is not a number."""
    if value is None or value != value:
        return None
    said = repr(float(value))
    if "e" in said:
        from decimal import Decimal

        said = format(Decimal(said), "f")
    return said.removesuffix(".0")


def yuan_decimals(fen: pa.Array) -> pa.Array:
    """Return amounts in fen as exact yuan: int64 (n,) becomes decimal128(20, 2) (n,), the very same digits.

    Examples
    --------
    >>> yuan_decimals(pa.array([123456, None, -5])).to_pylist()
    [Decimal('1234.56'), None, Decimal('-0.05')]
    """
    low = np.asarray(fen.fill_null(0), dtype=np.int64)
    wide = np.empty((len(low), 2), dtype="<i8")
    wide[:, 0], wide[:, 1] = low, low >> 63
    mask = pc.is_valid(fen)
    whole = pa.Array.from_buffers(pa.decimal128(20, 2), len(low), [None, pa.py_buffer(wide.tobytes())])
    return pc.if_else(mask, whole, pa.scalar(None, pa.decimal128(20, 2)))
