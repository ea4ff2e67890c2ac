"""Arrow columns from NumPy arrays without detours: fixed-width text, dates, levels, numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.synth.calendar import NO_DATE, Days
from ratemod.synth.enterprises import Bytes

Table = Any  # pyarrow.Table; pyarrow is imported where it is used


def digits(values: npt.NDArray[np.integer[Any]], width: int) -> Bytes:
    """Return whole numbers as decimal characters with leading zeros, (n, width) uint8.

    Examples
    --------
    >>> digits(np.array([7, 42]), 3).tobytes()
    b'007042'
    """
    found = np.empty((len(values), width), dtype=np.uint8)
    rest = np.asarray(values, dtype=np.int64)
    for place in range(width - 1, -1, -1):
        rest, digit = np.divmod(rest, 10)
        found[:, place] = digit + 48
    return found


def text(*parts: Bytes | str) -> Any:
    """Return a string column of fixed-width pieces: (n, w) characters or a constant each."""
    import pyarrow as pa

    n = next(len(part) for part in parts if not isinstance(part, str))
    whole = np.concatenate(
        [
            np.broadcast_to(np.frombuffer(part.encode(), np.uint8), (n, len(part))) if isinstance(part, str) else part
            for part in parts
        ],
        axis=1,
    )
    offsets = np.arange(n + 1, dtype=np.int32) * np.int32(whole.shape[1])
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(whole)))


def nullable_text(words: Bytes, missing: npt.NDArray[np.bool_]) -> Any:
    """Return a string column of fixed-width words, null where missing."""
    import pyarrow as pa

    width = np.where(missing, 0, words.shape[1])
    offsets = np.concatenate([[0], np.cumsum(width)]).astype(np.int32)
    valid = np.packbits(~missing, bitorder="little")
    data = np.ascontiguousarray(words[~missing])
    return pa.StringArray.from_buffers(len(words), pa.py_buffer(offsets), pa.py_buffer(data), pa.py_buffer(valid))


def level(codes: npt.NDArray[Any], names: Sequence[str]) -> Any:
    """Return a dictionary column of level codes; a negative code is null."""
    import pyarrow as pa

    index: npt.NDArray[Any] = np.asarray(codes, dtype=np.int8 if len(names) < 128 else np.int16)
    return pa.DictionaryArray.from_arrays(_column(index, index < 0), pa.array(list(names)))


def date(days: Days, missing: npt.NDArray[np.bool_] | None = None) -> Any:
    """Return a date column of days since 1970-01-01; `NO_DATE` is null."""
    import pyarrow as pa

    days = np.asarray(days, dtype=np.int32)
    gone = days == NO_DATE if missing is None else missing | (days == NO_DATE)
    return _column(days, gone).cast(pa.date32())


def number(values: npt.NDArray[Any], missing: npt.NDArray[np.bool_] | None = None) -> Any:
    """Return a number column of the array's own type."""
    return _column(values, missing)


def table(columns: Mapping[str, Any]) -> Table:
    """Return an Arrow table of named columns."""
    import pyarrow as pa

    return pa.table(dict(columns))


def _column(values: npt.NDArray[Any], missing: npt.NDArray[np.bool_] | None = None) -> Any:
    """Return a primitive Arrow array that shares the values' memory."""
    import pyarrow as pa

    values = np.ascontiguousarray(values)
    kind = pa.from_numpy_dtype(values.dtype)
    if missing is None or not missing.any():
        return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])
    valid = np.packbits(~missing, bitorder="little")
    values = np.where(missing, 0, values).astype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [pa.py_buffer(valid), pa.py_buffer(values)])
