"""Jilin's prefectures and the two county-level cities that the notice of 2020 lists apart (`codes/divisions.csv`).

The Changbai Mountain committee has no code in GB/T 2260; its key here, ``22CBS``, is this project's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.book.code_table import load_codes


def division_names(lang: str = "zh") -> dict[str, str]:
    """Return code -> name of every division known.

    Examples
    --------
    >>> division_names("en")["220100"]
    'Changchun'
    """
    return {row["code"]: row[f"name_{lang}"] for row in load_codes("divisions")}


def prefecture_of(codes: Sequence[str | None] | npt.NDArray[Any]) -> npt.NDArray[np.str_]:
    """Return the prefecture of each division code (six or twelve digits); empty where it is not in Jilin.

    Examples
    --------
    >>> prefecture_of(["220184", "220102000000", "110000"]).tolist()
    ['220100', '220100', '']
    """
    own = {row["code"]: row["prefecture"] for row in load_codes("divisions")}

    def one(code: str) -> str:
        return own.get(code) or own.get(code[:6]) or own.get(code[:4] + "00", "")

    texts = np.array(["" if code is None else str(code) for code in codes], dtype=str)
    unique, inverse = np.unique(texts, return_inverse=True)
    return np.array([one(code) for code in unique.tolist()], dtype="U6")[inverse]
