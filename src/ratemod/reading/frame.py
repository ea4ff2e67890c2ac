"""Whatever holds rows in memory, as an Arrow table: frames, dictionaries, lists of dictionaries, records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa

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
        return _plain(source)
    if hasattr(source, "collect") and not hasattr(source, "__arrow_c_stream__"):  # a polars LazyFrame
        source = source.collect()
    twice = _twice([str(name) for name in getattr(source, "columns", ())])
    if twice:
        raise BookError(problem("RM226", name=twice))
    if hasattr(source, "__arrow_c_stream__"):
        try:
            return _plain(pa.table(source))
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            if not hasattr(source, "items"):
                raise
            return pa.table({str(name): _array(list(cells)) for name, cells in source.items()})
    columns = _columns(source)
    if columns is None:
        raise BookError(problem("RM213", file=None, kind=type(source).__name__))
    return pa.table({name: _array(cells) for name, cells in columns.items()})


def _plain(table: pa.Table) -> pa.Table:
    """Return a table without string views, which Arrow can hold but not yet take rows of or compare."""
    for at, field in enumerate(table.schema):
        kind = field.type
        if pa.types.is_dictionary(kind) and pa.types.is_string_view(kind.value_type):
            kind = pa.dictionary(kind.index_type, pa.large_string())
        elif pa.types.is_string_view(kind):
            kind = pa.large_string()
        else:
            continue
        table = table.set_column(at, field.name, _cast(table.column(at), kind))
    return table


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if not pa.types.is_dictionary(kind):
        return column.cast(kind)
    chunks = [
        pa.DictionaryArray.from_arrays(chunk.indices, chunk.dictionary.cast(kind.value_type)) for chunk in column.chunks
    ]
    return pa.chunked_array(chunks, kind)


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
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        return pa.array([_shown(cell) for cell in cells], pa.string())


def _shown(cell: Any) -> str | None:
    if cell is None or cell != cell:  # not a number, not a time
        return None
    if isinstance(cell, bool | np.bool_):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime) and cell.time() == datetime.min.time():
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell)
