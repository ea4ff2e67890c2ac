"""NumPy arrays as Arrow arrays, without a copy and without loading pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def fresh(n: int, kind: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return an array that is not filled, from Arrow's pool: it keeps pages, which cost more to get than to fill."""
    dtype = np.dtype(kind)
    return np.frombuffer(pa.allocate_buffer(n * dtype.itemsize, resizable=False), dtype=dtype, count=n)


def to_arrow(values: npt.NDArray[Any], valid: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Return a float64, int64, int32 or int8 array as Arrow; rows that are not valid are null."""
    types = {
        "f8": pa.float64(),
        "i8": pa.int64(),
        "i4": pa.int32(),
        "i2": pa.int16(),
        "i1": pa.int8(),
        "u1": pa.uint8(),
    }
    data = np.ascontiguousarray(values)
    kind = types[data.dtype.str[1:]]
    bitmap, nulls = _bitmap(len(data), valid)
    return pa.Array.from_buffers(kind, len(data), [bitmap, pa.py_buffer(data)], null_count=nulls)


def strings(texts: Sequence[str], valid: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Return texts as an Arrow array, null where not valid; `pyarrow.array` would load pandas first.

    Examples
    --------
    >>> strings(["矿山", "", "a"], np.array([True, False, True])).to_pylist()
    ['矿山', None, 'a']
    """
    n = len(texts)
    joined = np.frombuffer(("\0".join(texts) + "\0").encode("utf-8") if n else b"", np.uint8)
    ends = np.flatnonzero(joined == 0)
    offsets = np.zeros(n + 1, dtype=np.int32)
    if len(ends) == n:
        offsets[1:] = ends - np.arange(n)
        data = pa.py_buffer(np.delete(joined, ends))
    else:  # a text that holds the sign which parts them
        encoded = [text.encode("utf-8") for text in texts]
        np.cumsum(list(map(len, encoded)), out=offsets[1:])
        data = pa.py_buffer(b"".join(encoded))
    bitmap, nulls = _bitmap(n, valid)
    return pa.Array.from_buffers(pa.string(), n, [bitmap, pa.py_buffer(offsets), data], null_count=nulls)


def filled_strings(texts: Sequence[str]) -> pa.Array:
    """Return texts as an Arrow array, null where they are empty."""
    array = strings(texts)
    ends = np.frombuffer(array.buffers()[1], dtype=np.int32)
    bitmap, nulls = _bitmap(len(texts), ends[1:] > ends[:-1])
    return pa.Array.from_buffers(array.type, len(texts), [bitmap, *array.buffers()[1:]], null_count=nulls)


def _bitmap(n: int, valid: npt.NDArray[np.bool_] | None) -> tuple[pa.Buffer | None, int]:
    """Return Arrow's bits of the rows that are valid, and how many are not; no bits where all are."""
    nulls = 0 if valid is None else n - int(np.count_nonzero(valid))
    return (pa.py_buffer(np.packbits(valid, bitorder="little")), nulls) if valid is not None and nulls else (None, 0)


def from_arrow(array: pa.Array) -> npt.NDArray[np.int64]:
    """Return an integer Arrow array without nulls as int64."""
    whole = array.cast(pa.int64())
    return np.frombuffer(whole.buffers()[1], dtype=np.int64, count=len(whole) + whole.offset)[whole.offset :]


def filled_with(array: pa.Array, empty: int) -> npt.NDArray[np.int64]:
    """Return an integer Arrow array as int64, `empty` where null; Arrow's own filling would load pandas."""
    values = from_arrow(array)
    bitmap = array.buffers()[0]
    if bitmap is None or not array.null_count:
        return values
    bits = np.unpackbits(np.frombuffer(bitmap, dtype=np.uint8), bitorder="little", count=array.offset + len(array))
    return np.where(bits[array.offset :], values, empty)


def truths(array: pa.Array) -> npt.NDArray[np.bool_]:
    """Return truth values, False where null, (n,) bool; without pandas, as `filled_with`."""
    one = whole(array) if isinstance(array, pa.ChunkedArray) else array
    return np.asarray(filled_with(one.cast(pa.int8()), 0) == 1)


def dictionary(codes: npt.NDArray[Any], names: tuple[str, ...], valid: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Return integer codes as an Arrow dictionary of strings."""
    return pa.DictionaryArray.from_arrays(to_arrow(codes, valid), strings(names))


def whole(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array."""
    if column.num_chunks == 1:  # combining copies even then
        return column.chunk(0)
    found = column.combine_chunks()
    if isinstance(found, pa.ChunkedArray):
        return found.chunk(0) if found.num_chunks else pa.array([], found.type)
    return found
