"""The different values of a column as levels, in an order that people expect."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.reading.checks import codes_of
from ratemod.vocabulary.spelling import one_name, same_level, visible


def text_levels(
    column: pa.Array | pa.ChunkedArray, *, spellings: bool = False
) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return the place of every cell among the levels, -1 where empty, and the levels.

    Parameters
    ----------
    column : (n,) text, numbers, or dictionary
    spellings : whether texts that mean the same level (width, case, blanks, script) are one, under the shortest;
        those of an ordered dictionary are what their owner says

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
    if spellings and not whole.type.ordered:
        first: dict[str, str] = {}
        for name in sorted(filter(None, names.values()), key=len):
            first.setdefault(same_level(name), visible(name))
        names = {at: first.get(same_level(name), "") for at, name in names.items()}
    levels = list(dict.fromkeys(name for name in names.values() if name))
    number = {name: at for at, name in enumerate(levels)}
    place = np.full(len(values) + 1, -1, dtype=np.int64)
    place[kept] = [number.get(names[at], -1) for at in kept]
    return place[codes], levels


def one_spelling(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return names in the first of the spellings that differ in width, script and blanks alone; others as they are.

    Examples
    --------
    >>> one_spelling(pa.array(["Jia", "Jia ", " ", None])).to_pylist()
    ['Jia', 'Jia', None, None]
    """
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    coded = whole if pa.types.is_dictionary(whole.type) else pc.dictionary_encode(whole)
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    if not (pa.types.is_string(coded.type.value_type) or pa.types.is_large_string(coded.type.value_type)):
        return whole
    first: dict[str, str] = {}
    given = coded.dictionary.to_pylist()
    names = [name and (first.setdefault(one_name(name), visible(name)) or None) for name in given]
    return whole if names == given else pa.array(names, pa.string()).take(coded.indices)


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
