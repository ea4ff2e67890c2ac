"""Large, medium, small and micro enterprises: the statistical classification of 2017.

The notes to the table say: large, medium and small enterprises must meet the lower bounds of **all** measures listed
for their industry, otherwise they fall by a class; a micro enterprise need meet only one of its measures. We read
"fall by a class" as repeated until all bounds are met, as the National Bureau of Statistics answers: the class of an
enterprise is the lowest of the classes that its measures reach one by one, and micro is what misses a lower bound of
small. A mine with a staff of 5 and the revenue of a large firm is micro.

Sources: 统计上大中小微型企业划分办法（2017）, 国统字〔2017〕213号; answer of the Bureau of 2024-05-24,
stats.gov.cn/hd/lyzx/zxgk/202405/t20240524_1953570.html. Bounds, half-open from below, in `codes/size_classes.csv`:
read in secondary copies that agree with each other (the Bureau's own table was not at hand).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.vocabulary.codes.code_table import load_codes, spread
from ratemod.vocabulary.codes.industry import industry_digits, longest

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
        GB/T 4754-2017, at least two digits, with or without the section letter. Division 59 needs three (handling
        591 and storage differ), and so does 70.
    staff : (n,) persons
    revenue_yuan, assets_yuan : (n,) yuan
        Only what the sector's rule uses is needed; NaN where not known. Any of the three may be one number for all.

    Returns
    -------
    (n,) int8
        Index into `SIZES`; -1 where the industry has no rule (railways, finance, education, health, public bodies),
        the code does not tell it, or a measure that the rule names is missing or negative. A firm that one measure
        already makes micro is not classed without the others: a gap in the data stays visible.

    Raises
    ------
    TypeError
        When the codes are numbers: ``0412`` read as 412 would be another industry.

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
    which = spread(industry_code, lambda code: longest(prefixes, industry_digits(code)), np.int8)
    found = np.where(which < 0, -1, len(SIZES) - 1).astype(np.int8)
    given = {
        name: np.broadcast_to(np.asarray(values, dtype=np.float64), which.shape)
        for name, values in zip(MEASURES, (staff, revenue_yuan, assets_yuan))
    }
    own = {at: np.flatnonzero(which == at) for at in np.unique(which).tolist()}
    for row in rows:
        mine = own.get(names.index(row["name_zh"]))
        if mine is None:
            continue
        values = given[row["measure"]][mine]
        bounds = [float(row[size]) for size in SIZES[1:]]
        reached = np.searchsorted(bounds, values, side="right").astype(np.int8)
        # NaN fails the comparison; once -1, always -1.
        found[mine] = np.where(values >= 0, np.minimum(found[mine], reached), -1)
    return found
