"""Large, medium, small and micro enterprises: the statistical classification of 2017.

A class needs **all** of its sector's lower bounds; an enterprise that misses one falls to the next class down. Micro
is what remains. Source: 统计上大中小微型企业划分办法（2017）, 国统字〔2017〕213号; bounds in
`codes/size_classes.csv`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.book.code_table import load_codes, spread

SIZES = ("micro", "small", "medium", "large")
MEASURES = ("staff", "revenue_yuan", "assets_yuan")


def size_class(
    industry_code: Sequence[str | None] | npt.NDArray[Any],
    staff: npt.ArrayLike,
    revenue_yuan: npt.ArrayLike,
    assets_yuan: npt.ArrayLike,
) -> npt.NDArray[np.int8]:
    """Return the size class of each enterprise.

    Parameters
    ----------
    industry_code : (n,) texts
        GB/T 4754-2017, at least two digits, with or without the section letter.
    staff : (n,) persons
    revenue_yuan, assets_yuan : (n,) yuan
        Only what the sector's rule uses is needed; NaN where not known.

    Returns
    -------
    (n,) int8
        Index into `SIZES`; -1 where the sector has no rule in the table, or a measure it needs is missing or
        negative.

    Source
    ------
    国统字〔2017〕213号.

    Examples
    --------
    >>> nan = float("nan")
    >>> [SIZES[at] for at in size_class(["0610", "4710"], [1000, nan], [4e8, 8e8], [nan, 7.9e8])]
    ['large', 'medium']
    """
    rows = load_codes("size_classes")
    names = sorted({row["name_zh"] for row in rows})
    prefixes = {prefix: names.index(row["name_zh"]) for row in rows for prefix in row["prefixes"].split()}

    def sector(code: str) -> int:
        digits = code.lstrip("ABCDEFGHIJKLMNOPQRSTabcdefghijklmnopqrst")
        return prefixes.get(digits[:4], prefixes.get(digits[:2], -1))

    which = spread(industry_code, sector, np.int64)
    given = {
        name: np.asarray(values, dtype=np.float64) for name, values in zip(MEASURES, (staff, revenue_yuan, assets_yuan))
    }
    found = np.full(len(which), 3, dtype=np.int8)
    found[which < 0] = -1
    for row in rows:
        mine = np.flatnonzero((which == names.index(row["name_zh"])) & (found >= 0))
        values = given[row["measure"]][mine]
        bounds = [float(row[size]) for size in ("small", "medium", "large")]
        reached = np.searchsorted(bounds, values, side="right").astype(np.int8)
        found[mine] = np.where(values >= 0, np.minimum(found[mine], reached), -1)
    return found
