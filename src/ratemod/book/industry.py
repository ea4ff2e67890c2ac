"""The eight high-risk sectors, from a GB/T 4754-2017 industry code.

The mapping is by longest prefix (`codes/sectors.csv`). It follows the industry titles of the standard; codes that
could not be confirmed in a copy of the standard (oil refining, wholesale of oil, iron and steel 31x, decoration 50)
are left out: a firm there must state its sector. A code says what a firm makes, not what licence it holds, so a stated sector
always comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.book.code_table import load_codes, spread

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
SECTOR_LABELS_ZH = ("矿山", "危险化学品", "烟花爆竹", "交通运输", "建筑施工", "民用爆炸物品", "金属冶炼", "渔业生产")


def sector_of(industry_code: Sequence[str | None] | npt.NDArray[Any]) -> npt.NDArray[np.int8]:
    """Return the sector of each industry code.

    Parameters
    ----------
    industry_code : (n,) texts
        GB/T 4754-2017, two to four digits, with or without the section letter.

    Returns
    -------
    (n,) int8
        Index into `SECTORS`; -1 where the code is none of the eight, or missing.

    Source
    ------
    GB/T 4754-2017; the sectors are those of the Jilin notice 2020-282 and of the national measures of 2025, article 2.

    Examples
    --------
    >>> [SECTORS[at] for at in sector_of(["0610", "B0911", "5435"])]
    ['mining', 'mining', 'transport']
    """
    prefixes = {row["prefix"]: SECTORS.index(row["sector"]) for row in load_codes("sectors")}

    def one(code: str) -> int:
        digits = code.lstrip("ABCDEFGHIJKLMNOPQRSTabcdefghijklmnopqrst")
        for length in range(min(len(digits), 4), 1, -1):
            if digits[:length] in prefixes:
                return prefixes[digits[:length]]
        return -1

    return spread(industry_code, one, np.int8)
