"""Insured terms of one block: who is covered by whom, from when to when, for how many heads, up to which limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratemod.synth.calendar import Days, day
from ratemod.synth.enterprises import Codes, Enterprises, Flags, Floats, Ints, Window
from ratemod.synth.stream import BLOCK, pick, stream
from ratemod.synth.truth import Market, Truth

YEAR = 365.0


@dataclass(frozen=True, slots=True)
class Terms:
    """Policy terms, (t, n) each; the last term is the renewal year.

    Attributes
    ----------
    active : bool, a policy starts
    renewal : int8, 0 new business, 1 renewal
    start, end : int32 days; cover runs from `start` to the day before `end`
    cover_end : int32 days, earlier than `end` where the enterprise closed: the only lawful cancellation
    heads : int64, insured at inception
    change_day : int32 days, of the mid-term headcount change; `cover_end` where none
    heads_after : int64, insured after that day
    head_years : float64, exposure of the whole term
    limit_yuan : int64, per person
    insurer : int8
    coinsurers : int8, number of followers, 0 where one insurer bears all
    """

    active: Flags
    renewal: Codes
    start: Days
    end: Days
    cover_end: Days
    heads: Ints
    change_day: Days
    heads_after: Ints
    head_years: Floats
    limit_yuan: Ints
    insurer: Codes
    coinsurers: Codes


def draw(truth: Truth, window: Window, seed: int, block: int, firms: Enterprises) -> Terms:
    """Draw the terms of one block."""
    random = stream(seed, block, "term")
    shape = (window.terms, BLOCK)
    term = np.arange(window.terms)[:, None]
    start, end = firms.starts[:-1], firms.starts[1:]
    active = (term >= firms.joined) & (firms.closed > start)
    cover_end = np.minimum(end, np.maximum(firms.closed, start + 1)).astype(np.int32)
    heads = np.maximum(1, np.rint(firms.staff * firms.insured_share)).astype(np.int64)
    changed = random.random(shape) < truth.market.headcount_changes
    share = random.random(shape)
    when = start + 1 + (share * (end - start - 2)).astype(np.int32)
    changed &= when < cover_end
    change_day = np.where(changed, when, cover_end).astype(np.int32)
    after = np.maximum(1, np.rint(heads * random.uniform(0.7, 1.4, shape))).astype(np.int64)
    after = np.where(changed, after, heads)
    head_years = (heads * (change_day - start) + after * (cover_end - change_day)) / YEAR
    limit = _limits(random, truth.market, firms, start)
    insurer = _insurers(stream(seed, block, "insurer"), truth.market, firms, shape)
    shared = random.random(shape) < np.array(truth.market.coinsured)[firms.size]
    followers = np.where(shared, random.integers(1, 4, shape), 0).astype(np.int8)
    renewal = (term > firms.joined).astype(np.int8)
    return Terms(
        active, renewal, start, end, cover_end, heads, change_day, after, head_years * active, limit, insurer, followers
    )


def _limits(random: np.random.Generator, market: Market, firms: Enterprises, start: Days) -> Ints:
    """Return the limit of each term, (t, n) yuan: an enterprise keeps its choice, lifted to the legal least."""
    choice = pick(random.random(BLOCK), np.array(market.limit_mix)[firms.size[0]])
    limit = np.array(market.limits_yuan)[choice][None, :].repeat(len(start), axis=0)
    least = np.where(start >= day(2025, 3, 29), market.limit_least_from_2025_yuan, 0)
    lifted: Ints = np.maximum(limit, least).astype(np.int64)
    return lifted


def _insurers(random: np.random.Generator, market: Market, firms: Enterprises, shape: tuple[int, int]) -> Codes:
    """Return the insurer of each term, (t, n): chosen by appetite, kept at most renewals."""
    weight = np.array(market.appetite).T[firms.sector]
    insurer = np.empty(shape, dtype=np.int8)
    insurer[0] = pick(random.random(BLOCK), weight)
    for t in range(1, shape[0]):
        moves = random.random(BLOCK) < market.switching_rate
        insurer[t] = np.where(moves, pick(random.random(BLOCK), weight), insurer[t - 1])
    return insurer
