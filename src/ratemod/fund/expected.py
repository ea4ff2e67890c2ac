"""Expected accidents and losses of the coming year by insured: a plain estimate from the history of a province."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from ratemod.fund.fund_table import Floats, Ints, codes_of, read_columns
from ratemod.rules.options import strict
from ratemod.rules.within import Factor

PRIOR = 2.0
TURNS = 50
PAST = ("credit_code", "sector", "size_class", "earned_head_years", "claims", "incurred_fen")


@strict
def with_expected(book: Any, panel: Any, prior: Factor = PRIOR) -> pa.Table:
    """Return a book with annual_claims and annual_losses_yuan.

    Parameters
    ----------
    book : path or frame
        credit_code, sector, size_class, heads.
    panel : path or frame
        credit_code, sector, size_class, earned_head_years, claims, incurred_fen; a policy year a row.
    prior : float
        How many expected claims the class mean counts for against the insured's own (illustrative: the variance of
        risk within a class is 1 / prior).

    Returns
    -------
    pyarrow.Table
        A row with a cell that cannot be used has neither. Claims: frequency of sector times size by minimum bias, times
        heads, times ``(prior + own claims) / (prior + expected claims)``, the mean of a gamma risk given Poisson
        claims. Losses: claims times the sector's mean incurred claim. Reported claims are not developed, so levels are
        somewhat low; an allocation needs the order of insureds, and a better model may be put in its place.

    Source
    ------
    H. Bühlmann, A. Gisler, *A Course in Credibility Theory* (2005), ch. 2 (Poisson-gamma); R. Bailey (1963).
    """
    now = read_columns(book, "policies", ("credit_code", "sector", "size_class", "heads"))
    past = read_columns(panel, "panel", PAST)
    sectors, (sector, old_sector) = codes_of(now["sector"], past["sector"])
    sizes, (size, old_size) = codes_of(now["size_class"], past["size_class"])
    exposure, claims = past["earned_head_years"], past["claims"].astype(np.float64)
    incurred = past["incurred_fen"] / 100
    by_sector, by_size = balance(old_sector, old_size, exposure, claims, len(sectors), len(sizes))
    firms, (firm, old_firm) = codes_of(now["credit_code"], past["credit_code"])
    many = np.bincount(old_firm, claims, len(firms))
    meant = np.bincount(old_firm, exposure * by_sector[old_sector] * by_size[old_size], len(firms))
    own = ((prior + many) / (prior + meant))[firm]
    annual = now["heads"] * by_sector[sector] * by_size[size] * own
    seen = np.bincount(old_sector, claims, len(sectors))
    all_of = incurred.sum() / max(claims.sum(), 1.0)
    cost = (np.bincount(old_sector, incurred, len(sectors)) + 100 * all_of) / (seen + 100)  # thin sectors: the mean
    assert now.book is not None
    kept = now.book.table
    for name, values in (("annual_claims", annual), ("annual_losses_yuan", annual * cost[sector])):
        column = np.full(kept.num_rows, np.nan)
        column[now.at] = values
        kept = kept.append_column(name, pa.array(column, from_pandas=True))
    return kept


def balance(
    sector: Ints, size: Ints, exposure: Floats, claims: Floats, sectors: int, sizes: int
) -> tuple[Floats, Floats]:
    """Return frequency by sector and relativity by size such that both margins of claims are met."""
    high, wide = np.ones(sectors), np.ones(sizes)
    for _ in range(TURNS):
        high = np.bincount(sector, claims, sectors) / np.maximum(
            np.bincount(sector, exposure * wide[size], sectors), 1e-9
        )
        wide = np.bincount(size, claims, sizes) / np.maximum(np.bincount(size, exposure * high[sector], sizes), 1e-9)
    return high, wide
