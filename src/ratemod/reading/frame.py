"""Whatever holds rows in memory, as an Arrow table: frames, dictionaries, lists of dictionaries, records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.errors import BookError, problem


def arrow_table(source: Any) -> pa.Table:
    """Return rows in memory as an Arrow table; cells of a column that are of several kinds become text.

    Parameters
    ----------
    source : any frame with the Arrow PyCapsule interface, a dictionary of columns, one dictionary or a list of
        dictionaries of cells, or a NumPy record array

    Raises
    ------
    BookError
        RM213 nothing that holds rows, RM226 two columns of one name.

    Examples
    --------
    >>> arrow_table([{"sector": "mining", "heads": 10}, {"sector": "fishery"}]).to_pydict()
    {'sector': ['mining', 'fishery'], 'heads': [10, None]}
    """
    if isinstance(source, pa.Table):
        return _without_views(source)
    if hasattr(source, "collect") and not hasattr(source, "__arrow_c_stream__"):  # a polars LazyFrame
        source = source.collect()
    twice = _twice([str(name) for name in getattr(source, "columns", ())])
    if twice:
        raise BookError(problem("RM226", name=twice))
    if isinstance(source, pa.RecordBatch):
        return pa.Table.from_batches([source])
    if type(source).__module__.partition(".")[0] == "pandas" and hasattr(source, "columns"):
        return _pandas(source)
    if hasattr(source, "__arrow_c_stream__"):
        try:
            return _without_views(pa.table(source))
        except pa.ArrowException:  # a type of the frame's own, such as 128-bit numbers of polars
            if not hasattr(source, "iter_columns"):
                raise BookError(problem("RM213", file=None, kind=type(source).__name__)) from None
            source = {column.name: column.to_list() for column in source.iter_columns()}
    columns = _columns(source)
    if columns is None:
        raise BookError(problem("RM213", file=None, kind=type(source).__name__))
    return pa.table({name: _array(cells) for name, cells in columns.items()})


def with_printable_moments(table: pa.Table, places: Iterable[int]) -> pa.Table:
    """Return a table whose columns at some places hold no moment that only Arrow can hold: these columns become text.

    Examples
    --------
    >>> days = pa.table({"day": pa.array([0, 10**8], pa.int32()).cast(pa.date32())})
    >>> with_printable_moments(days, [0])["day"].to_pylist()
    ['1970-01-01', '<value out of range: 100000000>']
    """
    for at in places:
        column, kind = table.column(at), table.schema.field(at).type
        if pa.types.is_date(kind) or pa.types.is_timestamp(kind) or pa.types.is_duration(kind):
            bare = column.cast(pa.int64()) if pa.types.is_duration(kind) else column
            try:
                for end in pc.min_max(bare).values():
                    end.cast(kind).as_py()
            except (OverflowError, LookupError, ValueError):  # beyond the years 1 to 9999; a zone that no one knows
                bare = column.cast(pa.timestamp(kind.unit)) if pa.types.is_timestamp(kind) else bare
                table = table.set_column(at, table.field(at).name, bare.cast(pa.string()))
    return table


def _without_views(table: pa.Table) -> pa.Table:
    """Return a table without views of text and bytes, which Arrow can hold but not yet take rows of or compare."""
    for at, field in enumerate(table.schema):
        held = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if pa.types.is_string_view(held) or pa.types.is_binary_view(held):
            chunks = [_without_view(chunk) for chunk in table.column(at).chunks]
            table = table.set_column(at, field.name, pa.chunked_array(chunks, None if chunks else pa.large_string()))
    return table


def _without_view(array: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(array.type):
        inside = _without_view(array.dictionary)
        return pa.DictionaryArray.from_arrays(array.indices, inside, ordered=array.type.ordered)
    return array.cast(pa.large_string() if pa.types.is_string_view(array.type) else pa.large_binary())


def _pandas(frame: Any) -> pa.Table:
    """Return a pandas frame with its named index, column by column, so that one odd column spoils no other."""
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    names = [str(name) for name in frame.columns]
    return pa.Table.from_arrays([_series(frame.iloc[:, at]) for at in range(len(names))], names=names)


def _series(series: Any) -> pa.Array | pa.ChunkedArray:
    """Return a pandas column as Arrow takes it; sparse ones filled in, periods, intervals as text, others by cell."""
    kind = type(series.dtype).__name__
    if kind == "IntervalDtype":
        series, kind = series.astype("category").cat.as_ordered(), "CategoricalDtype"
    if kind == "CategoricalDtype" and type(series.cat.categories.dtype).__name__ == "IntervalDtype":
        series = series.cat.rename_categories([str(interval) for interval in series.cat.categories])  # "(20, 50]"
    if kind == "SparseDtype":
        series = series.sparse.to_dense()
    elif kind == "PeriodDtype":
        return _array([None if cell != cell else str(cell) for cell in series.tolist()])
    try:
        found = pa.array(series, from_pandas=True)
    except (pa.ArrowException, OverflowError, TypeError, ValueError, NotImplementedError):
        return _array(series.tolist())
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) and found.num_chunks > 1 else found


def _twice(names: Sequence[str]) -> str | None:
    return next((name for at, name in enumerate(names) if name in names[:at]), None)


def _columns(source: Any) -> dict[str, list[Any]] | None:
    """Return a dictionary or list of rows as columns, None where it is neither."""
    if isinstance(source, np.ndarray) and source.dtype.names:
        return {name: source[name].tolist() for name in source.dtype.names}
    if isinstance(source, Mapping):
        if not all(_is_column(cells) for cells in source.values()):
            return {str(name): [cell] for name, cell in source.items()}
        columns = {str(name): list(cells) for name, cells in source.items()}
        return columns if len({len(cells) for cells in columns.values()}) == 1 else None
    if not isinstance(source, list | tuple) or not source or not all(isinstance(row, Mapping) for row in source):
        return None
    names = dict.fromkeys(str(name) for row in source for name in row)
    return {name: [row.get(name) for row in source] for name in names}


def _is_column(cells: Any) -> bool:
    return isinstance(cells, Iterable) and not isinstance(cells, str | bytes | Mapping)


def _array(cells: list[Any]) -> pa.Array:
    """Return cells as Arrow takes them, else each as text."""
    try:
        return pa.array(cells, from_pandas=True)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return pa.array([_shown(cell) for cell in cells], pa.string())


def _shown(cell: Any) -> str | None:
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(cell, float | np.floating):
        if np.isnan(cell):
            return None
        return str(int(cell)) if float(cell).is_integer() else str(cell)
    if isinstance(cell, bool | np.bool_):
        return "yes" if cell else "no"
    if isinstance(cell, datetime) and cell.time() == datetime.min.time():
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell)
