"""Off-balance through the rating itself: the factor at which a book, bounds and caps in force, meets its target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from ratemod.errors import ModelError, problem
from ratemod.money import rounded
from ratemod.plan.edit import row_path
from ratemod.plan.model import Plan, Table
from ratemod.ratemaking.arrays import Booleans, Floats, sums
from ratemod.ratemaking.exposure import segments_from_changes, written_exposure
from ratemod.ratemaking.large_loss import ExcessLoad
from ratemod.rating.rate import rate
from ratemod.reading.book import Book
from ratemod.reading.convert import MISSING_DATE, convert
from ratemod.study.exposure_base import ExposureBase, base_of, with_cells
from ratemod.study.history import POLICY
from ratemod.study.model import RateModel

WIDEST = 64.0


@dataclass(frozen=True, eq=False)
class Market:
    """The book to price.

    Attributes
    ----------
    book : Book
    expected : (n,) float64 yuan, all losses; capped : (n,) those below the cap of large ones
    usable : (n,) bool, rows that count
    shares : factor -> (levels,) float64, of the capped losses by level, for the factors that the book has
    """

    book: Book
    expected: Floats
    capped: Floats
    usable: Booleans
    shares: Mapping[str, Floats]


def market_of(
    book: Book,
    plan: Plan,
    tables: Sequence[Table],
    base: ExposureBase,
    model: RateModel,
    controls: Sequence[str],
    axes: int,
    excess: ExcessLoad,
    cat: float,
) -> Market:
    """Return the book with its expected losses for the terms that are to be insured."""
    here = [name for name in controls if name in book.table.column_names]
    of_book = base_of(book, plan, tables, base.step, here)
    kept = [(factor, code) for factor, code in zip(of_book.factors, of_book.codes)]
    safe = [np.maximum(code, 0) for _, code in kept]
    pure = model.predict([factor for factor, _ in kept], safe, axes)
    capped = np.where(of_book.good, np.nan_to_num(of_book.yuan) * pure * _years_of(book), 0.0)
    shares = {
        factor.name: sums(code, capped, len(factor.levels)) / max(float(capped.sum()), 1e-300)
        for (factor, _), code in zip(kept, safe)
    }
    loaded = capped * (1 + excess.rate[safe[0]]) * (1 + cat)
    return Market(book=book, expected=loaded, capped=capped, usable=of_book.good, shares=shares)


def _years_of(book: Book) -> Floats:
    """Return the length of each policy of a book in years, by the dates that the book has; 1 where it has none."""
    dates = [POLICY[name] for name in ("start_date", "end_date") if name in book.table.column_names]
    if len(dates) < 2:
        return np.ones(book.table.num_rows)
    start, end = (np.asarray(convert(book.table[column.name], column).values).astype(np.int64) for column in dates)
    good = (start != MISSING_DATE) & (end != MISSING_DATE) & (end > start)
    first, last = (np.where(good, day, other).astype("datetime64[D]") for day, other in ((start, 0), (end, 365)))
    cut = segments_from_changes(first, last, np.ones(len(start)), [], np.zeros(0, "datetime64[D]"), [])
    return written_exposure(cut, first, last)


def filled(
    table: Table,
    indicated: Sequence[float | None],
    picks: Mapping[str, tuple[Decimal, str]],
    factor: float,
    first: bool,
) -> list[Decimal]:
    """Return a table's values at an off-balance factor; only the rates (the first table) move with it."""
    at = table.value_names.index("value")
    values: list[Decimal] = []
    for row, value in zip(table.rows, indicated):
        path = row_path(table, row)
        if path in picks:
            values.append(picks[path][0])
        elif value is None:
            values.append(row.values[at] or Decimal(0))
        else:
            values.append(Decimal(repr(float(rounded(value * (factor if first else 1.0), 9)))))
    return values


def balance(
    plan: Plan,
    tables: Sequence[Table],
    indicated: Sequence[Sequence[float | None]],
    picks: Mapping[str, tuple[Decimal, str]],
    market: Market,
    target: float,
) -> float:
    """Return the factor on the rates that brings the book's own premium under this plan to the target."""
    from scipy.optimize import brentq

    def miss(log_factor: float) -> float:
        values = [
            filled(table, cells, picks, float(np.exp(log_factor)), t == 0)
            for t, (table, cells) in enumerate(zip(tables, indicated))
        ]
        premium, expected = premium_of(with_cells(plan, tables, values), market)
        return premium * target / 100 / expected - 1

    low, high = -np.log(WIDEST), np.log(WIDEST)
    least, most = miss(low), miss(high)
    if least > 0 or most < 0:
        raise ModelError(
            problem(
                "RM593", target=f"{target:.2%}", least=f"{target / (1 + most):.2%}", most=f"{target / (1 + least):.2%}"
            )
        )
    return float(np.exp(brentq(miss, low, high, xtol=1e-7)))


def premium_of(plan: Plan, market: Market) -> tuple[int, float]:
    """Return the premium in fen and the expected losses in yuan of the book's priced rows."""
    rated = rate(market.book, plan, lang="en", trace=False)
    priced = market.usable & (rated.verdict.status < 2)
    return int(rated.outputs.premium_fen[priced].sum()), float(market.expected[priced].sum())
