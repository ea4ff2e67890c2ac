"""The small code tables that ship with the package."""

from __future__ import annotations

import csv
import functools
from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt


@functools.cache
def load_codes(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of one table of ``book/codes``."""
    text = (resources.files("ratemod") / "book" / "codes" / f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def spread(codes: Sequence[str | None] | npt.NDArray[Any], answer: Any, dtype: type[np.generic]) -> npt.NDArray[Any]:
    """Return ``answer(code)`` for every code, asking once for each different one.

    Parameters
    ----------
    codes : (n,) texts, None where missing
    answer : function of a text (empty where missing) to a number
    """
    texts = np.array(["" if code is None else str(code).strip() for code in codes], dtype=str)
    unique, inverse = np.unique(texts, return_inverse=True)
    return np.array([answer(code) for code in unique.tolist()], dtype=dtype)[inverse]
