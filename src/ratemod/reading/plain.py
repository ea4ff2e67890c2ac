"""Any Arrow column as one of the few types that cells are converted from, or refused cell by cell with its type named.

| the column holds | it becomes |
|---|---|
| text of any layout (large, view), also as bytes | text; bytes that are not UTF-8 are refused |
| whole numbers, floats of 16, 32 and 64 bits, decimals of any width | as they are |
| true and false, days, moments of any unit (with a time zone: as written there) | as they are |
| a dictionary, a run-end encoding | what its values become; a dictionary of texts stays one |
| whole days of pandas periods | days |
| durations, times of day, lists, records, unions, intervals, other extensions and whatever else | refused |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Mask = npt.NDArray[np.bool_]
TRANSPARENT = ("arrow.bool8", "arrow.json")  # extensions whose storage means the same


@dataclass(frozen=True, eq=False, slots=True)
class Plain:
    """A column in one of the types that cells are converted from.

    Attributes
    ----------
    cells : (n,) Arrow array of text, numbers, truth values, days or moments, or a dictionary of text
        Null where refused.
    refused : (n,) bool or None
        Cells that hold something of which no value can be made; None where there are none.
    kind : str
        The type they came in.
    """

    cells: pa.Array
    refused: Mask | None
    kind: str


def plain(array: pa.ChunkedArray | pa.Array) -> Plain:
    """Return a column in one of the types that cells are converted from.

    Examples
    --------
    >>> plain(pa.array([b"mine", b"\\xff"])).cells.to_pylist(), plain(pa.array([[1]])).refused.tolist()
    (['mine', None], [True])
    """
    whole = one_chunk(array)
    kind = str(whole.type)
    while True:
        held = whole.type
        if isinstance(held, pa.BaseExtensionType):
            if held.extension_name == "pandas.period" and held.freq == "D":
                whole = whole.storage.cast(pa.int32()).view(pa.date32())
            elif held.extension_name in TRANSPARENT:
                whole = whole.storage
            else:
                return Plain(pa.nulls(len(whole), pa.string()), valid(whole.storage), kind)
        elif pa.types.is_run_end_encoded(held):
            whole = pc.run_end_decode(whole)
        elif pa.types.is_dictionary(held) and not _is_text(held.value_type):
            whole = _spread(whole)
        else:
            break
    if pa.types.is_null(held):
        return Plain(whole.cast(pa.string()), None, kind)
    if pa.types.is_string_view(held):
        whole = whole.cast(pa.large_string())
    elif _is_bytes(held):
        return _decoded(whole, kind)
    if _is_text(whole.type) or pa.types.is_dictionary(held):
        return _valid_text(whole, kind)
    if not _is_value(held):
        return Plain(pa.nulls(len(whole), pa.string()), valid(whole), kind)
    if pa.types.is_decimal(held) and held.bit_width < 128:
        whole = whole.cast(pa.decimal128(38, held.scale))
    return Plain(whole, None, kind)


def one_chunk(array: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return a column in one piece; combining copies even where there is one chunk, so that is left alone."""
    whole = array
    if isinstance(array, pa.ChunkedArray):
        whole = array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0) if whole.num_chunks else pa.array([], whole.type)
    return whole


def valid(whole: pa.Array) -> Mask:
    """Return where an array is not null, from its bitmap: asking Arrow for it would load pandas."""
    bitmap = whole.buffers()[0] if not pa.types.is_union(whole.type) and not pa.types.is_null(whole.type) else None
    if bitmap is None:
        return np.ones(len(whole), dtype=bool)
    bits = np.unpackbits(np.frombuffer(bitmap, dtype=np.uint8), bitorder="little", count=whole.offset + len(whole))
    return bits[whole.offset :].view(bool)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def _is_value(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_date(kind)
        or pa.types.is_timestamp(kind)
    )


def _spread(coded: pa.DictionaryArray) -> pa.Array:
    """Return a dictionary's values row by row; of texts in views a dictionary of plain texts."""
    if pa.types.is_string_view(coded.type.value_type):
        texts = coded.dictionary.cast(pa.large_string())
        return pa.DictionaryArray.from_arrays(coded.indices, texts)
    return coded.dictionary.take(coded.indices)


def _decoded(whole: pa.Array, kind: str) -> Plain:
    """Return bytes as the UTF-8 text that they are, refused where they are none."""
    binary = whole.cast(pa.large_binary())
    try:
        return Plain(binary.cast(pa.large_string()), None, kind)
    except pa.ArrowInvalid:
        texts = [None if cell is None else _text(cell) for cell in binary.to_pylist()]
    cells = pa.array(texts, pa.large_string())
    return Plain(cells, valid(whole) & ~valid(cells), kind)


def _text(cell: bytes) -> str | None:
    try:
        return cell.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _valid_text(whole: pa.Array, kind: str) -> Plain:
    """Return text as it is where its bytes are UTF-8, as nobody else promises."""
    texts = whole.dictionary if pa.types.is_dictionary(whole.type) else whole
    if not _is_text(texts.type):
        return Plain(whole, None, kind)
    if _is_ascii(texts):
        return Plain(whole, None, kind)
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        if texts is not whole:
            return plain(texts.view(_bytes_of(texts.type)).take(whole.indices))
        return _decoded(whole.view(_bytes_of(whole.type)), kind)
    return Plain(whole, None, kind)


def _is_ascii(texts: pa.Array) -> bool:
    """Return whether texts follow each other in their bytes, all of them ASCII: a tenth of the cost of a whole look."""
    size = np.int32 if pa.types.is_string(texts.type) else np.int64
    held = texts.buffers()[2]
    ends: npt.NDArray[Any] = np.frombuffer(texts.buffers()[1] or b"", dtype=size)[
        texts.offset : texts.offset + len(texts) + 1
    ]
    if held is None or len(ends) < 2 or ends[0] < 0 or ends[-1] > held.size or (ends[1:] < ends[:-1]).any():
        return False
    return bool(np.frombuffer(held, dtype=np.uint8)[ends[0] : ends[-1]].max(initial=0) < 128)


def _bytes_of(kind: pa.DataType) -> pa.DataType:
    return pa.binary() if pa.types.is_string(kind) else pa.large_binary()
