"""A history as arrays of firms by years: what every scheme is calibrated and judged on.

Expected losses are those of the firm's class: the mean loss per unit of exposure over the years that a scheme may know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.errors import ModelError, problem
from ratemod.experience.mod_lists import cells_of, read_claims
from ratemod.rules.options import strict
from ratemod.rules.within import Limit
from ratemod.vocabulary.table import pick, table

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
SPLITS = (10_000.0, 30_000.0, 60_000.0, 120_000.0, 250_000.0)
PANEL = pick("firm_years", (), table("firm_years").fields())


@dataclass(frozen=True, eq=False, slots=True)
class FirmYears:
    """Firms by years, oldest year first.

    Attributes
    ----------
    firms : names; years : calendar years
    exposure : (n, y) float64; cell : (n,) int64, class of each firm
    claims : (n, y) int64; loss : (n, y) float64, yuan, each claim at most `limit`
    primary : by split point, (n, y) float64, yuan
    expected, expected_claims : (n, y) float64, yuan and counts, by class; zeros until `expecting`
    limit : most that one claim counts, yuan
    set_aside : rows of the lists that could not be used: of no firm, of no year in the list, unreadable
    """

    firms: pa.Array
    years: tuple[int, ...]
    exposure: Floats
    cell: Integers
    claims: Integers
    loss: Floats
    primary: dict[float, Floats]
    expected: Floats
    expected_claims: Floats
    limit: float
    set_aside: int

    def between(self, first: int, last: int) -> FirmYears:
        """Return years first to last, counted from 0, `last` not among them."""
        cut = slice(first, last)
        arrays = {name: getattr(self, name)[:, cut] for name in (
            "exposure", "claims", "loss", "expected", "expected_claims")}  # fmt: skip
        return replace(
            self, years=self.years[cut], primary={at: part[:, cut] for at, part in self.primary.items()}, **arrays
        )

    def expecting(self, known: int) -> FirmYears:
        """Return the same with expectations by class, from the first `known` years only.

        A class of n claims has the credibility n/(n + 50); the rest is the mean of all classes.
        """
        cells = int(self.cell.max()) + 1
        units, loss, count = (
            np.bincount(self.cell, part[:, :known].sum(axis=1), minlength=cells)
            for part in (self.exposure, self.loss, self.claims)
        )
        z = count / (count + 50.0)
        rates = []
        for part in (loss, count):
            own = np.divide(part, units, out=np.zeros(cells), where=units > 0)
            rates.append(z * own + (1 - z) * part.sum() / units.sum())
        return replace(
            self,
            expected=self.exposure * rates[0][self.cell, None],
            expected_claims=self.exposure * rates[1][self.cell, None],
        )

    def with_claim(self, amount: float) -> FirmYears:
        """Return the same with one more claim for every firm, in the latest year in which it was insured."""
        insured = self.exposure > 0
        last = insured & (np.cumsum(insured[:, ::-1], axis=1)[:, ::-1] == 1)
        held = min(amount, self.limit)
        return replace(
            self,
            claims=self.claims + last,
            loss=self.loss + held * last,
            primary={at: part + min(held, at) * last for at, part in self.primary.items()},
        )


@strict
def firm_years(policies: Any, claims: Any, *, limit: Limit = 500_000.0, splits: Sequence[float] = SPLITS) -> FirmYears:
    """Read a history.

    Parameters
    ----------
    policies : path or frame, one row a policy year: credit_code, year, earned_head_years; sector and size_class make
        the classes, where there are any
    claims : path or frame as `experience_mod` takes it: credit_code, event_date, paid and case reserve
    limit : most that one claim counts, yuan; splits : split points to try, yuan

    Raises
    ------
    ModelError
        RM619 a column that is missing, RM621 fewer than three years.

    Examples
    --------
    >>> terms = pa.table({"credit_code": ["A"] * 3, "year": [2022, 2023, 2024], "heads": [10.0, 12.0, 12.0]})
    >>> losses = pa.table({"credit_code": ["A"], "event_date": ["2023-05-01"], "paid_yuan": [9e5]})
    >>> found = firm_years(terms, losses)
    >>> found.claims.tolist(), found.loss.tolist(), found.primary[60_000.0].tolist()
    ([[0, 1, 0]], [[0.0, 500000.0, 0.0]], [[0.0, 60000.0, 0.0]])
    """
    from ratemod.reading.read import read_book

    book = read_book(policies, PANEL, shared="firm_years")
    for name in ("credit_code", "year", "earned_head_years"):
        if name not in book.table.column_names:
            raise ModelError(problem("RM619", name=name, label=PANEL[name].label_zh))
    wrong = np.zeros(book.table.num_rows, dtype=np.int32)
    given = [name for name in PANEL if name in book.table.column_names]
    columns = {name: cells_of(book, PANEL[name], wrong, []) for name in given}
    coded = columns["credit_code"].dictionary_encode()
    firm = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    good = (wrong == 0) & (firm >= 0) & (columns["year"] > 0) & (columns["earned_head_years"] > 0)
    years = tuple(int(year) for year in np.unique(columns["year"][good]))
    if len(years) < 3:
        raise ModelError(problem("RM621", why=f"{len(years)} years"))
    n, y = len(coded.dictionary), len(years)
    when = np.searchsorted(np.array(years), np.nan_to_num(columns["year"]).astype(np.int64))
    exposure = _grid(firm[good], when[good], columns["earned_head_years"][good], n, y)
    listed = read_claims(claims, coded.dictionary)
    year = listed.event_date.astype("datetime64[Y]").astype(np.int64) + 1970
    fine = (listed.firm >= 0) & np.isin(year, years) & (listed.incurred_fen >= 0)
    if listed.wrong is not None:
        fine &= listed.wrong == 0
    owner, at = listed.firm[fine], np.searchsorted(np.array(years), year[fine])
    insured = exposure[owner, at] > 0
    owner, at, amount = owner[insured], at[insured], np.minimum(listed.incurred_fen[fine][insured] / 100, limit)
    return FirmYears(
        coded.dictionary,
        years,
        exposure,
        _cells(columns, firm, n),
        _grid(owner, at, np.ones(len(owner)), n, y).astype(np.int64),
        _grid(owner, at, amount, n, y),
        {split: _grid(owner, at, np.minimum(amount, split), n, y) for split in splits},
        np.zeros((n, y)),
        np.zeros((n, y)),
        limit,
        int((~good).sum() + len(listed.firm) - len(owner)),
    )


def _grid(row: Integers, column: Integers, value: Floats, n: int, y: int) -> Floats:
    return np.bincount(row * y + column, value, minlength=n * y).astype(np.float64).reshape(n, y)


def _cells(columns: dict[str, Any], firm: Integers, n: int) -> Integers:
    """Return the class of each firm: that of its latest row."""
    key = np.zeros(len(firm), dtype=np.int64)
    for name in ("sector", "size_class"):
        if name in columns:
            coded = columns[name].dictionary_encode()
            place = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64) + 1
            key = key * (len(coded.dictionary) + 1) + place
    order = np.argsort(np.nan_to_num(columns["year"]), kind="stable")
    order = order[firm[order] >= 0]
    cell = np.zeros(n, dtype=np.int64)
    cell[firm[order]] = key[order]
    return np.asarray(np.unique(cell, return_inverse=True)[1], dtype=np.int64)
