"""How claims become known: payments over time and case reserves at year ends, so that triangles develop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratemod.synth.calendar import Days
from ratemod.synth.claims import Claims
from ratemod.synth.enterprises import Codes, Ints, Window
from ratemod.synth.stream import stream
from ratemod.synth.truth import Truth

# What is paid before settlement and when, by kind: share of the loss, share of the time to settlement. Minor claims
# are paid at once; the law asks for advance payment after deaths.
ADVANCE_SHARE = np.array([0.0, 0.30, 0.40])
ADVANCE_TIME = np.array([0.0, 0.35, 0.15])
RESERVE_UNIT_FEN = 10_000


@dataclass(frozen=True, slots=True)
class Payments:
    """Payments, one row each, by claim and day: claim (m,) int64 place, day (m,) int32, amount_fen (m,) int64."""

    claim: Ints
    day: Days
    amount_fen: Ints


@dataclass(frozen=True, slots=True)
class Valuations:
    """Claims at year ends, by claim and valuation.

    Attributes
    ----------
    claim : (m,) int64, place of the claim
    day : (m,) int32, valuation day
    paid_fen, case_reserve_fen : (m,) int64, cumulative paid; reserve still held
    """

    claim: Ints
    day: Days
    paid_fen: Ints
    case_reserve_fen: Ints


def payments(claims: Claims) -> Payments:
    """Return all payments of all claims, future ones included; they add up to each claim's loss."""
    loss, kind = claims.accidents.loss_fen, claims.accidents.kind
    advance = (loss * ADVANCE_SHARE[kind]).astype(np.int64)
    wait = (claims.settle_day - claims.report_day) * ADVANCE_TIME[kind]
    early = claims.report_day + np.ceil(wait).astype(np.int32)
    place = np.arange(len(loss))
    has = advance > 0
    claim = np.concatenate([place[has], place])
    day = np.concatenate([early[has], claims.settle_day])
    amount = np.concatenate([advance[has], loss - advance])
    order = np.lexsort((day, claim))
    return Payments(claim[order], day[order].astype(np.int32), amount[order])


def year_ends(window: Window) -> Days:
    """Return the valuation days: 31 December of each year of history."""
    first = np.array(window.first_year + 1 + np.arange(window.years) - 1970).astype("M8[Y]")
    return (first.astype("M8[D]").astype(np.int64) - 1).astype(np.int32)


def valuations(truth: Truth, window: Window, seed: int, block: int, claims: Claims, insurer: Codes) -> Valuations:
    """Return every claim at every year end from its report on.

    A case reserve is what is still to be paid, with an unbiased error of its own; the late insurer first holds only
    a part of it.

    Parameters
    ----------
    insurer : (k,) int8, insurer of each claim
    """
    market, ends = truth.market, year_ends(window)
    random = stream(seed, block, "development")
    spread = market.reserve_log_deviation
    error = np.exp(spread * random.standard_normal(len(claims.cell)) - spread**2 / 2)
    first = np.searchsorted(ends, claims.report_day)
    claim = np.repeat(np.arange(len(first)), np.maximum(len(ends) - first, 0))
    start = np.cumsum(np.maximum(len(ends) - first, 0)) - np.maximum(len(ends) - first, 0)
    age = np.arange(len(claim)) - start[claim]
    day = ends[first[claim] + age]
    loss, kind = claims.accidents.loss_fen[claim], claims.accidents.kind[claim]
    settle, report = claims.settle_day[claim], claims.report_day[claim]
    advance = (loss * ADVANCE_SHARE[kind]).astype(np.int64)
    early = report + np.ceil((settle - report) * ADVANCE_TIME[kind]).astype(np.int32)
    closed = settle <= day
    paid = np.where(closed, loss, np.where(early <= day, advance, 0))
    slow = np.concatenate([market.late_reserve_share, [1.0]])
    held = np.where(insurer[claim] == market.late_insurer, slow[np.minimum(age, len(slow) - 1)], 1.0)
    reserve = np.rint((loss - paid) * error[claim] * held / RESERVE_UNIT_FEN).astype(np.int64) * RESERVE_UNIT_FEN
    return Valuations(claim, day.astype(np.int32), paid, np.where(closed, 0, reserve))
