"""The different values of a column as levels, in an order that people expect."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.reading.checks import codes_of


def text_levels(column: pa.Array | pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return the place of every cell among the levels, -1 where empty, and the levels.

    Parameters
    ----------
    column : (n,) text, numbers, or dictionary

    Returns
    -------
    (n,) int64, and the levels as text, without blanks around it: numbers in the order of numbers (10 after 9), an
    ordered dictionary in its own order, all else by text. A text of blanks is empty.

    Examples
    --------
    >>> text_levels(pa.array(["10", "9 ", None, "9", " "]))
    (array([ 1,  0, -1,  0, -1]), ['9', '10'])
    """
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if not pa.types.is_dictionary(whole.type):
        whole = pc.dictionary_encode(whole)
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.combine_chunks()
    codes = codes_of(whole)
    used = np.unique(codes[codes >= 0])
    values = whole.dictionary.to_pylist()
    kept = [int(at) for at in used] if whole.type.ordered else sorted(used.tolist(), key=_order(values))
    names = {at: level_name(values[at]).strip() for at in kept}
    levels = list(dict.fromkeys(name for name in names.values() if name))
    number = {name: at for at, name in enumerate(levels)}
    place = np.full(len(values) + 1, -1, dtype=np.int64)
    place[kept] = [number.get(names[at], -1) for at in kept]
    return place[codes], levels


def _order(values: list[Any]) -> Any:
    try:
        number = [float(value) if str(value).strip() else 0.0 for value in values]  # a blank is no level
    except (TypeError, ValueError):
        return lambda at: str(values[at])
    return lambda at: number[at]


def level_name(value: Any) -> str:
    """Return the name of the level that a value is.

    Examples
    --------
    >>> level_name(1.0), level_name(1), level_name("01")
    ('1', '1', '01')
    """
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
