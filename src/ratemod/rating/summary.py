"""Totals of a priced book by sector, size, insurer or any other column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ratemod.errors import BookError, nearest, problem
from ratemod.money import rounded
from ratemod.rating.verdict import REFUSED

if TYPE_CHECKING:
    import pandas as pd

    from ratemod.plan.model import Plan
    from ratemod.rating.rated import Rated

SECTORS = ("sector", "industry", "industry_class", "risk_class")
SIZES = ("size", "size_class", "scale", "headcount_class")
MOST_LEVELS = 40

Cells = dict[tuple[str, ...], tuple[int, int, int, int]]
"""Priced and unpriced rows, premium and fund in fen, by the values of some columns."""


def default_by(plan: Plan) -> tuple[str, ...]:
    """Return the columns to summarise by when nobody chose: sector and size, or the plan's first level columns."""
    levels = [
        name for name, column in plan.columns.items() if column.kind == "level" and len(column.levels) <= MOST_LEVELS
    ]
    wanted = [next((name for name in names if name in levels), None) for names in (SECTORS, SIZES)]
    found = tuple(name for name in wanted if name)
    return found or tuple(levels[:2])


def totals(rated: Rated, by: Sequence[str]) -> Cells:
    """Return the totals by columns, in the plan's order of levels; see `Rated.summary`."""
    if not by:
        priced = rated.counts["rated"] + rated.counts["referred"]
        return {(): (priced, rated.counts["rows"] - priced, rated.premium_fen, rated.fund_fen or 0)}
    codes, names = zip(*(_codes(rated, name) for name in by))
    return cells(rated, codes, names)


def cells(rated: Rated, codes: Sequence[npt.NDArray[np.int64]], names: Sequence[Sequence[str]]) -> Cells:
    """Return the totals by codes of which every row has one each, in the order of their names."""
    index = np.zeros(rated.coding.n, dtype=np.int64)
    for code, known in zip(codes, names):
        index = index * len(known) + code
    size = int(np.prod([len(known) for known in names], dtype=np.int64))
    priced = rated.verdict.status < REFUSED
    counts, others = np.bincount(index[priced], minlength=size), np.bincount(index[~priced], minlength=size)
    fund = rated.outputs.fund_fen
    sums = [
        np.zeros(size, dtype=np.int64) if fen is None else exact_sums(fen, index, priced, size)
        for fen in (rated.outputs.premium_fen, fund)
    ]
    seen = np.flatnonzero(counts + others)
    places: list[list[str]] = []
    rest = seen
    for known in reversed(names):
        rest, place = np.divmod(rest, len(known))
        places.insert(0, [known[at] for at in place.tolist()])
    return dict(zip(zip(*places), zip(*(array[seen].tolist() for array in (counts, others, *sums)))))


def exact_sums(
    fen: npt.NDArray[np.int64],
    index: npt.NDArray[np.int64],
    priced: npt.NDArray[np.bool_],
    cells: int,
) -> npt.NDArray[np.int64]:
    """Return exact sums of fen: two halves of 31 bits, each exact in the float sums of bincount."""
    chosen, where = fen[priced], index[priced]
    low = np.bincount(where, weights=(chosen & 0x7FFFFFFF).astype(np.float64), minlength=cells)
    high = np.bincount(where, weights=(chosen >> 31).astype(np.float64), minlength=cells)
    return high.astype(np.int64) * 2**31 + low.astype(np.int64)


def _codes(rated: Rated, name: str) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Return a code per row and the names of the codes, in the plan's order for levels."""
    column = rated.plan.columns.get(name)
    if column is not None and column.kind in ("level", "flag"):
        codes = rated.level_codes(name).astype(np.int64)
        return np.where(codes < 0, len(column.levels), codes), (*column.codes(), "")
    if name not in rated.table.column_names:
        raise BookError(problem("RM322", name=name, nearest=nearest(name, rated.table.column_names)))
    values = np.array(["" if value is None else str(value) for value in rated.table[name].to_pylist()])
    names, codes = np.unique(values, return_inverse=True)
    return codes.astype(np.int64), tuple(names.tolist())


def codes_by(rated: Rated, by: Sequence[str]) -> tuple[npt.NDArray[np.int64], list[tuple[str, ...]]]:
    """Return one index a row over the values of some columns, the last fastest, and each column's values.

    Raises
    ------
    BookError
        RM322 for a column that the book does not have.
    """
    index, labels = np.zeros(rated.coding.n, dtype=np.int64), []
    for name in by:
        code, names = _codes(rated, name)
        index = index * len(names) + code
        labels.append(names)
    return index, labels


def frame_of(plan: Plan, by: Sequence[str], found: Cells) -> pd.DataFrame:
    """Return totals as a frame; without a fund where the plan has none."""
    import pandas as pd

    columns: dict[str, Any] = {name: [key[at] for key in found] for at, name in enumerate(by)}
    for at, name in enumerate(("policies", "unpriced", "premium_fen", "fund_fen")):
        if name != "fund_fen" or plan.fund is not None:
            columns[name] = np.array([values[at] for values in found.values()], dtype=np.int64)
    frame = pd.DataFrame(columns)
    frame["mean_premium_fen"] = rounded(frame["premium_fen"] / frame["policies"].where(frame["policies"] > 0), 0)
    return frame
