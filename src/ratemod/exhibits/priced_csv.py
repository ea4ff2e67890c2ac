"""The priced book as CSV or Parquet.

CSV is for people: UTF-8 with a byte-order mark, so that Excel shows Chinese without an import dialogue; amounts in
yuan with two decimals; labels as headers; text that a spreadsheet could run gets an apostrophe in front. The rows
without a premium go to a second file beside it, always written, so that an old one never stands beside a new result.
Parquet is for programs: the table as it is, with its own names and amounts in fen.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.errors import Lang
from ratemod.exhibits.output import refused_path
from ratemod.exhibits.priced_columns import FORMULA_STARTS, Shown, priced_view, refused_view, safe_text
from ratemod.rating.manifest import digest, write_set
from ratemod.whole_file import file_set

if TYPE_CHECKING:
    from ratemod.rating.rated import Rated

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DANGEROUS = f"^[{FORMULA_STARTS.replace('-', '')}-]"


def write_priced_csv(
    rated: Rated, path: str | Path, *, lang: Lang, source: str | Path | None = None
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
            write_set(rated, Path(source), files, priced, parts[1], others)
    return priced, refused


def write_priced_parquet(rated: Rated, path: str | Path, *, source: str | Path | None = None) -> Path:
    """Write the whole table, priced or not, as Parquet, with a manifest where its `source` is given; return the path.

    Raises
    ------
    BookError
        Those of `whole_file`.
    """
    import pyarrow.parquet as pq

    target = Path(path)
    with file_set() as files:
        part = files.new(target)
        pq.write_table(_one_name_a_code(rated.table), part, compression="zstd")
        if source is not None:
            write_set(rated, Path(source), files, target, part)
    return target


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
    return _lines([_printed(column.values, column.look) for column in shown])


def _lines(columns: list[pa.Array | pa.ChunkedArray]) -> pa.Buffer:
    from pyarrow import csv

    sink = pa.BufferOutputStream()
    names = [f"c{at}" for at in range(len(columns))]  # headers may repeat; they go in as a row of their own
    csv.write_csv(pa.table(columns, names=names), sink, csv.WriteOptions(include_header=False))
    return sink.getvalue()


def _printed(array: pa.ChunkedArray, look: str) -> pa.ChunkedArray:
    """Return a column as it is printed: fen as exact yuan, whole floats without a point, risky text made safe."""
    kind = array.type
    if look == "fen":
        return pa.chunked_array([yuan_decimals(chunk) for chunk in array.chunks], pa.decimal128(20, 2))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        risky = pc.match_substring_regex(array, DANGEROUS)
        return pc.if_else(risky, pc.binary_join_element_wise("'", array.cast(pa.string()), ""), array.cast(pa.string()))
    if pa.types.is_floating(kind):
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, kind), array)
        return pa.chunked_array(
            [pa.array(map(_digits, chunk.to_pylist()), pa.string()) for chunk in array.chunks], pa.string()
        )
    return array


def _digits(value: float | None) -> str | None:
    """Return a float in its shortest digits, never with an exponent."""
    if value is None:
        return None
    said = repr(value)
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
