"""Totals of a priced book by sector, size, insurer or any other column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def summarise(rated: Rated, by: tuple[str, ...]) -> pd.DataFrame:
    """Return policies, premium and fund by columns; see `Rated.summary`."""
    import pandas as pd

    codes, labels = zip(*(_codes(rated, name) for name in by)) if by else ((), ())
    index = np.zeros(rated.coding.n, dtype=np.int64)
    for code, names in zip(codes, labels):
        index = index * len(names) + code
    cells = int(np.prod([len(names) for names in labels], dtype=np.int64)) if by else 1
    priced = rated.verdict.status < REFUSED
    columns: dict[str, Any] = {
        "policies": np.bincount(index[priced], minlength=cells),
        "unpriced": np.bincount(index[~priced], minlength=cells),
    }
    columns["premium_fen"] = exact_sums(rated.outputs.premium_fen, index, priced, cells)
    if rated.outputs.fund_fen is not None:
        columns["fund_fen"] = exact_sums(rated.outputs.fund_fen, index, priced, cells)
    frame = pd.DataFrame(columns)
    frame["mean_premium_fen"] = rounded(frame["premium_fen"] / frame["policies"].where(frame["policies"] > 0), 0)
    places = np.unravel_index(np.arange(cells), [len(names) for names in labels]) if by else ()
    for at, (name, names, place) in enumerate(zip(by, labels, places)):
        frame.insert(at, name, np.array(names, dtype=object)[place])
    seen = (frame["policies"] + frame["unpriced"]) > 0
    return frame[seen].reset_index(drop=True)


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
    inputs, column = rated.coding.inputs, rated.plan.columns.get(name)
    if column is not None and name in inputs.codes:
        codes = inputs.codes[name].astype(np.int64)
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


def frame_of(
    plan: Plan, by: tuple[str, ...], groups: Mapping[tuple[str, ...], tuple[int, int, int, int]]
) -> pd.DataFrame:
    """Return the totals of groups as `summarise` does; levels in the plan's order."""
    import pandas as pd

    orders = [(*plan.columns[name].codes(), "") for name in by]
    keys = sorted(groups, key=lambda key: [order.index(part) for order, part in zip(orders, key)])
    columns: dict[str, Any] = {name: [key[at] for key in keys] for at, name in enumerate(by)}
    for at, name in enumerate(("policies", "unpriced", "premium_fen", "fund_fen")):
        if name != "fund_fen" or plan.fund is not None:
            columns[name] = [groups[key][at] for key in keys]
    frame = pd.DataFrame(columns)
    frame["mean_premium_fen"] = rounded(frame["premium_fen"] / frame["policies"].where(frame["policies"] > 0), 0)
    return frame
