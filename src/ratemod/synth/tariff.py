"""The premiums that were charged: a plausible tariff that is a little wrong, as tariffs are."""

from __future__ import annotations

import numpy as np

from ratemod.synth import severity
from ratemod.synth.calendar import day
from ratemod.synth.claims import Claims
from ratemod.synth.enterprises import Codes, Enterprises, Floats, Ints, Window
from ratemod.synth.levels import MERITS
from ratemod.synth.terms import Terms
from ratemod.synth.truth import Market, Truth

CLAIM_FREE_TERMS = 3


def loss_cost_yuan(truth: Truth, firms: Enterprises, terms: Terms) -> Floats:
    """Return the tariff's expected loss per head-year, (t, n) yuan: right on average, wrong by sector and size."""
    market = truth.market
    one = severity.expected_loss_yuan(truth.severity, firms.sector, firms.size, terms.heads, terms.limit_yuan, 1.0)
    error = (
        np.array(market.tariff_sector_error_log)[firms.sector]
        + np.array(market.tariff_size_error_log)[firms.size]
        + np.array(truth.frequency.size_effect_log)[firms.size]
    )
    base = np.array(truth.frequency.claims_per_1000_heads)[firms.sector] / 1000
    cost: Floats = base * np.exp(error) * one * market.tariff_modifier
    return cost


def rate_level(market: Market, window: Window, terms: Terms) -> Floats:
    """Return the level of the tariff at the start of each term, (t, n): the product of all changes in force."""
    level = np.ones(terms.start.shape)
    for year, month, of_month, factor in market.rate_changes:
        level = np.where(terms.start >= day(window.first_year + year, month, of_month), level * factor, level)
    return level


def claims_known(claims: Claims, terms: Terms) -> Ints:
    """Return the claims of each term that are reported before the term ends, (t, n) int64."""
    seen = claims.report_day < terms.end.ravel()[claims.cell]
    counts = np.bincount(claims.cell[seen], minlength=terms.active.size)
    return counts.reshape(terms.active.shape)


def merits(known: Ints, joined: Ints) -> Codes:
    """Return the merit class of each term, (t, n) int8 index into `levels.MERITS`."""
    many = len(known)
    merit = np.full(known.shape, 1, dtype=np.int8)
    for t in range(1, many):
        merit[t][known[t - 1] > 0] = 0
        if t >= CLAIM_FREE_TERMS:
            clean = known[t - CLAIM_FREE_TERMS : t].sum(axis=0) == 0
            merit[t][clean & (t - joined >= CLAIM_FREE_TERMS)] = len(MERITS) - 1
    return merit


def premium_fen(
    truth: Truth, window: Window, firms: Enterprises, terms: Terms, certificate: Codes, hazard: Codes, merit: Codes
) -> Ints:
    """Return the annual premium at inception, (t, n) int64 fen."""
    market = truth.market
    rate = loss_cost_yuan(truth, firms, terms) / market.target_loss_ratio * rate_level(market, window, terms)
    rate *= np.array(market.insurer_factor)[terms.insurer] * np.array(market.merit)[merit]
    rate *= np.array(market.standardisation_credit)[certificate] * np.array(market.hazard_loading)[hazard]
    premium = np.maximum(rate * terms.heads, market.minimum_premium_yuan)
    fen: Ints = np.rint(premium * 100).astype(np.int64)
    return fen


def change_fen(premium: Ints, terms: Terms) -> tuple[Ints, Ints]:
    """Return what a headcount change adds and what a cancellation gives back, by days, (t, n) int64 fen each."""
    length = terms.end - terms.start
    share = (terms.heads_after - terms.heads) / terms.heads * (terms.end - terms.change_day) / length
    added = np.rint(premium * share).astype(np.int64)
    left = (terms.end - terms.cover_end) / length
    refund = -np.rint(premium * terms.heads_after / terms.heads * left).astype(np.int64)
    return added, refund
