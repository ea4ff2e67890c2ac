"""What is wrong across rows: keys that repeat, values that differ within one unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def codes_of(values: pa.ChunkedArray | pa.Array | npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return equal numbers for equal values, -1 for null."""
    array = values if isinstance(values, pa.ChunkedArray | pa.Array) else pa.array(values, from_pandas=True)
    whole = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if not pa.types.is_dictionary(whole.type):
        whole = pc.dictionary_encode(whole)
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.combine_chunks()
    indices = whole.indices.cast(pa.int64()).fill_null(-1)
    return np.frombuffer(indices.buffers()[1], dtype=np.int64, count=len(indices) + indices.offset)[indices.offset :]


def repeats(values: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.bool_]:
    """Return the rows whose key also stands in another row; empty keys never repeat.

    Examples
    --------
    >>> repeats(pa.array(["a", "b", "a", None, None])).tolist()
    [True, False, True, False, False]
    """
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
