"""The small code tables that ship with the package, and one look-up per different code of a column."""

from __future__ import annotations

import csv
import functools
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt


@functools.cache
def load_codes(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of one table of ``vocabulary/codes``."""
    text = (resources.files("ratemod") / "vocabulary" / "codes" / f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def as_texts(codes: Sequence[str | None] | npt.NDArray[Any]) -> Any:
    """Return the codes as one Arrow string array; None and NaN are null.

    Parameters
    ----------
    codes : (n,) texts, None where missing
        A list, a NumPy array of any text type, a pandas Series or an Arrow array.

    Raises
    ------
    TypeError
        When a code is a number: it may have lost its leading zeros, so its text cannot be known.
    """
    import pyarrow as pa

    if isinstance(codes, (pa.Array, pa.ChunkedArray)):
        texts = codes.cast(pa.string())
    else:
        # Arrow reads object and fixed-width text, not the text type of NumPy 2.
        plain = codes.tolist() if isinstance(codes, np.ndarray) and codes.dtype.kind not in "OU" else codes
        texts = pa.array(plain, type=pa.string(), from_pandas=True)
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts


def spread(
    codes: Sequence[str | None] | npt.NDArray[Any], answer: Callable[[str], Any], dtype: npt.DTypeLike
) -> npt.NDArray[Any]:
    """Return ``answer(code)`` for every code, asking once for each different one.

    Parameters
    ----------
    codes : (n,) texts, None where missing
    answer : function of a text, stripped and empty where missing, to a number or a text
    dtype : NumPy type of the answers

    Examples
    --------
    >>> spread(["b", None, "b "], len, "int8").tolist()
    [1, 0, 1]
    """
    coded = as_texts(codes).dictionary_encode(null_encoding="encode")
    answers = np.array([answer((code or "").strip()) for code in coded.dictionary.to_pylist()], dtype=dtype)
    found: npt.NDArray[Any] = answers[coded.indices.to_numpy()]
    return found
