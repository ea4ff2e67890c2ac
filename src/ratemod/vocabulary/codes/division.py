"""Jilin's prefectures and the two county-level cities that the notice of 2020 lists apart (`codes/divisions.csv`).

The Changbai Mountain committee has no code in GB/T 2260; its key here, ``22CBS``, is this project's own. Other
counties are not named, but their codes lead to their prefecture.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.vocabulary.codes.code_table import load_codes, spread

_CODE = re.compile(r"([1-8][0-9]{5})(?:[0-9]{3}){0,2}")


def is_division_code(code: str) -> bool:
    """Return whether a text is built as a code of GB/T 2260, or of a town or village below one, or is a key known here.

    Which codes exist is not asked: the standard changes every year, and no list of it is shipped.

    Examples
    --------
    >>> [is_division_code(code) for code in ("220581", "220581001", "22CBS", "20581", "长春市", "")]
    [True, True, True, False, False, False]
    """
    return _CODE.fullmatch(code) is not None or code in division_names()


def division_names(lang: str = "zh") -> dict[str, str]:
    """Return code -> name of every division known.

    Examples
    --------
    >>> division_names("en")["220100"]
    'Changchun'
    """
    return {row["code"]: row[f"name_{lang}"] for row in load_codes("divisions")}


def division_name(codes: Sequence[str | None] | npt.NDArray[Any], lang: str = "zh") -> npt.NDArray[np.str_]:
    """Return the name of each division; empty where it is not in the table.

    Parameters
    ----------
    codes : (n,) texts
        Six digits, nine or twelve of which the first six count, or the key ``22CBS``.
    lang : "zh" or "en"

    Returns
    -------
    (n,) texts

    Source
    ------
    GB/T 2260 as copied in `codes/divisions.csv`, with the source of each row.

    Examples
    --------
    >>> division_name(["220581", "220100000000", "220102", None], "en").tolist()
    ['Meihekou', 'Changchun', '', '']
    """
    names = division_names(lang)
    return spread(codes, lambda code: names.get(_six(code, names), ""), np.str_)


def prefecture_of(codes: Sequence[str | None] | npt.NDArray[Any]) -> npt.NDArray[np.str_]:
    """Return the prefecture of each division code; empty where it is not in Jilin.

    Parameters
    ----------
    codes : (n,) texts
        Six digits, nine or twelve of which the first six count, or the key ``22CBS``, which is its own prefecture. A
        county not in the table belongs where its first four digits say: of a withdrawn code the old prefecture.

    Returns
    -------
    (n,) texts of six characters at most

    Examples
    --------
    >>> prefecture_of(["220184", "220102000000", "110000"]).tolist()
    ['220100', '220100', '']
    """
    own = {row["code"]: row["prefecture"] for row in load_codes("divisions")}

    def one(code: str) -> str:
        six = _six(code, own)
        return own.get(six) or own.get(six[:4] + "00", "")

    return spread(codes, one, "U6")


def _six(code: str, own: Mapping[str, str]) -> str:
    """Return the code itself if it is a key, its first six digits if it is six, nine or twelve, else nothing."""
    match = _CODE.fullmatch(code)
    return code if code in own else match[1] if match else ""
