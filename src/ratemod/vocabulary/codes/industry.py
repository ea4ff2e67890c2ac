"""The eight high-risk sectors, from a GB/T 4754-2017 industry code.

The mapping is by longest prefix (`codes/sectors.csv`); its `confidence` says how each row is known. ``listed``: the
code and its sector stand in the project's notes on the standard. ``checked``: the title was first noted from memory
and then found the same in several public copies of the 2017 edition (251, 311, 312, 314, 50, 5162); the sector
follows from the title. ``choice``: the code fits two sectors and the note says which was taken. None of this was read
in the standard itself, and no authority publishes such a mapping.

Left out, so that a firm there must state its sector: coal processing (252), rolling of steel (313) and of other
metals (325), alloys (324), the rest of pipelines (571), and trade in fireworks (within 5199 and 5299, which are far
wider). A code says what a firm makes, not what licence it holds, so a stated sector always comes first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.vocabulary.codes.code_table import load_codes, spread

SECTORS = (
    "mining",
    "hazardous_chemicals",
    "fireworks",
    "transport",
    "construction",
    "civil_explosives",
    "metal_smelting",
    "fishery",
)
# The first division of each section A, B, C ... T of GB/T 4754-2017.
_SECTION_STARTS = (1, 6, 13, 44, 47, 51, 53, 61, 63, 66, 70, 71, 73, 76, 80, 83, 84, 86, 91, 97)
_LAST_DIVISION = 97
# Divisions in which some classes are left out of the table (above), so that a code says nothing against a sector.
_OPEN_DIVISIONS = frozenset({"25", "31", "32", "51", "52", "57"})
_CODE = re.compile(r"([A-T]?)([0-9]{2,4})")


def sector_of(industry_code: Sequence[str | None] | npt.NDArray[Any]) -> npt.NDArray[np.int8]:
    """Return the sector of each industry code.

    Parameters
    ----------
    industry_code : (n,) texts
        GB/T 4754-2017, two to four digits, with or without the section letter.

    Returns
    -------
    (n,) int8
        Index into `SECTORS`; -1 where the code is none of the eight, missing, too short to tell, or not well formed.

    Raises
    ------
    TypeError
        When the codes are numbers: ``0610`` read as 610 would be another industry.

    Source
    ------
    GB/T 4754-2017; the sectors are those of the Jilin notice 2020-282 and of the national measures of 2025, article 2.

    Examples
    --------
    >>> [SECTORS[at] for at in sector_of(["0610", "B0911", "5435"])]
    ['mining', 'mining', 'transport']
    """
    prefixes = {row["prefix"]: SECTORS.index(row["sector"]) for row in load_codes("sectors")}
    return spread(industry_code, lambda code: longest(prefixes, industry_digits(code)), np.int8)


def in_no_sector(industry_code: Sequence[str | None] | npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return where a code is of a division that has no part in any of the eight sectors: (n,) bool.

    Examples
    --------
    >>> in_no_sector(["4111", "0610", "2521", None]).tolist()
    [True, False, False, False]
    """
    divisions = {row["prefix"][:2] for row in load_codes("sectors")} | _OPEN_DIVISIONS
    found = spread(industry_code, lambda code: int(industry_digits(code)[:2] not in {"", *divisions}), np.int8)
    return np.asarray(found == 1, dtype=np.bool_)


def industry_digits(code: str) -> str:
    """Return the digits of an industry code; empty unless it is two to four digits under the right section letter.

    Examples
    --------
    >>> [industry_digits(code) for code in ("0610", "B0610", "b0610", "A0610", "06101", "6")]
    ['0610', '0610', '0610', '', '', '']
    """
    match = _CODE.fullmatch(code.upper())
    if not match:
        return ""
    letter, digits = match.groups()
    if not 1 <= int(digits[:2]) <= _LAST_DIVISION:
        return ""
    section = sum(int(digits[:2]) >= start for start in _SECTION_STARTS)
    return digits if not letter or ord(letter) - ord("A") + 1 == section else ""


def longest(prefixes: dict[str, int], digits: str) -> int:
    """Return the number of the longest of `prefixes` that `digits` begins with, or -1.

    Examples
    --------
    >>> longest({"59": 1, "591": 2}, "5910"), longest({"59": 1}, "60")
    (2, -1)
    """
    return next((prefixes[digits[:n]] for n in range(len(digits), 1, -1) if digits[:n] in prefixes), -1)
