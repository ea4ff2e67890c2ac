"""What is wrong across rows: keys that repeat, values that differ within one unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def codes_of(values: pa.ChunkedArray | pa.Array | npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return equal numbers for equal values, -1 for null."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "fi":
        kind, plain = pa.from_numpy_dtype(values.dtype), np.ascontiguousarray(values)
        codes = codes_of(pa.Array.from_buffers(kind, len(plain), [None, pa.py_buffer(plain)]))
        return np.where(np.isnan(plain), -1, codes)
    array = values if isinstance(values, pa.ChunkedArray | pa.Array) else pa.array(values, from_pandas=True)
    whole = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if not pa.types.is_dictionary(whole.type):
        whole = pc.dictionary_encode(whole)
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.combine_chunks()
    return _integers(whole.indices, -1)


def _integers(array: pa.Array, empty: int) -> npt.NDArray[np.int64]:
    """Return whole numbers as int64, `empty` where null, without loading pandas as Arrow's own filling does."""
    array = array.cast(pa.int64())
    end = array.offset + len(array)
    values = np.frombuffer(array.buffers()[1], dtype=np.int64, count=end)[array.offset :]
    bitmap = array.buffers()[0]
    if bitmap is None or not array.null_count:
        return values
    bits = np.unpackbits(np.frombuffer(bitmap, dtype=np.uint8), bitorder="little", count=end)[array.offset :]
    return np.where(bits, values, empty)


def ascending(values: pa.ChunkedArray | pa.Array) -> bool:
    """Return whether each text is above the one before, so that none can stand twice; far cheaper than hashing."""
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if isinstance(whole, pa.ChunkedArray) or not pa.types.is_string(whole.type) or whole.null_count:
        return False
    return len(whole) < 2 or bool(pc.all(pc.less(whole[:-1], whole[1:])).as_py())


def repeats(values: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.bool_]:
    """Return the rows whose key also stands in another row; empty keys never repeat.

    Examples
    --------
    >>> repeats(pa.array(["a", "b", "a", None, None])).tolist()
    [True, False, True, False, False]
    """
    if ascending(values):
        return np.zeros(len(values), dtype=bool)
    codes = codes_of(values)
    counts = np.bincount(codes + 1)
    return (counts[codes + 1] > 1) & (codes >= 0)


def differs_within(values: Any, by: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.bool_]:
    """Return the rows of every group in which the value is not the same throughout.

    Parameters
    ----------
    values : (n,) array; missing ones are not compared
    by : (n,) Arrow array; rows without a group are never marked

    Examples
    --------
    >>> differs_within(np.array([4.0, 4.0, 4.0, 5.0]), pa.array(["x", "x", "y", "y"])).tolist()
    [False, False, True, True]
    """
    if ascending(by):
        return np.zeros(len(by), dtype=bool)
    groups = codes_of(by)
    which = codes_of(values)
    missing = np.isnan(values) if isinstance(values, np.ndarray) and values.dtype.kind == "f" else which < 0
    used = np.flatnonzero((groups >= 0) & ~missing)
    count = int(groups.max(initial=-1)) + 1
    low, high = np.full(count, np.iinfo(np.int64).max), np.full(count, -1)
    np.minimum.at(low, groups[used], which[used])
    np.maximum.at(high, groups[used], which[used])
    differs = np.append(high > low, False)
    return differs[groups]
