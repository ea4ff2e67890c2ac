"""Prevention services of one block: planned, delivered, by whom, at what cost; riskier enterprises get more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratemod.synth.calendar import NO_DATE, Days
from ratemod.synth.enterprises import Codes, Enterprises, Floats, Ints
from ratemod.synth.levels import PROVIDERS
from ratemod.synth.stream import pick, stream
from ratemod.synth.terms import Terms
from ratemod.synth.truth import Frequency, Truth

INSPECTION = 3
MEDIUM = 2


@dataclass(frozen=True, slots=True)
class Services:
    """Services planned, one row each, by enterprise and term.

    Attributes
    ----------
    cell : (m,) int64, term * n + place of the enterprise
    kind, provider : (m,) int8
    planned, delivered : (m,) int32 days, `NO_DATE` where not delivered
    cost_fen : (m,) int64
    score : (m,) int64, satisfaction 0 to 100
    hazards_found : (m,) int64
    """

    cell: Ints
    kind: Codes
    provider: Codes
    planned: Days
    delivered: Days
    cost_fen: Ints
    score: Ints
    hazards_found: Ints


def draw(truth: Truth, seed: int, block: int, firms: Enterprises, terms: Terms) -> Services:
    """Draw services: by size, an insurer's campaigns of the year and, the confounding, by hidden risk."""
    random, plan = stream(seed, block, "service"), truth.prevention
    shape = terms.active.shape
    campaign = np.array(plan.service_programme)
    term = np.arange(shape[0])[:, None] % campaign.shape[1]
    mean = np.array(plan.services_per_term)[firms.size] * campaign[terms.insurer, term]
    mean = np.minimum(mean * firms.random_effect**plan.service_selection, 8.0)
    count = random.poisson(mean)
    # The notice: at least one service a year for large and medium insureds. One in twenty is missed.
    owed = (firms.size >= MEDIUM) & (random.random(shape) < plan.duty_met)
    count = np.where(terms.active, np.maximum(count, owed), 0)
    cell = _by_enterprise(count)
    many = len(cell)
    start, cover = terms.start.ravel()[cell], (terms.cover_end - terms.start).ravel()[cell]
    planned = start + (random.random(many) * cover * 0.85).astype(np.int32)
    lag = random.integers(0, 25, many)
    done = (random.random(many) < plan.service_delivered) & (planned + lag < start + cover)
    delivered = np.where(done, planned + lag, NO_DATE)
    kind = pick(random.random(many), np.array(plan.service_mix))
    cost = np.array(plan.service_cost_yuan)[kind] * np.array(plan.service_size_factor)[firms.size.ravel()[cell]]
    cost_fen = np.rint(cost * np.exp(0.25 * random.standard_normal(many))).astype(np.int64) * 100
    provider = random.integers(0, len(PROVIDERS), many).astype(np.int8)
    score = np.clip(np.rint(86 - 0.6 * provider + 7 * random.standard_normal(many)), 20, 100).astype(np.int64)
    found = np.where(kind == INSPECTION, random.poisson(0.8, many), 0)
    return Services(cell, kind, provider, planned.astype(np.int32), delivered.astype(np.int32), cost_fen, score, found)


def _by_enterprise(count: Ints) -> Ints:
    """Return the cells (term * n + enterprise) repeated by count, ordered by enterprise and then by term."""
    terms, n = count.shape
    cells = (np.arange(terms)[None, :] * n + np.arange(n)[:, None]).ravel()
    return np.repeat(cells, count.T.ravel())


def before(services: Services, terms: Terms) -> Ints:
    """Return how many services were delivered in the term before each term, (t, n) int64."""
    shape = terms.active.shape
    done = services.cell[services.delivered > NO_DATE]
    delivered = np.bincount(done, minlength=shape[0] * shape[1]).reshape(shape)
    earlier = np.zeros(shape, dtype=np.int64)
    earlier[1:] = delivered[:-1]
    return earlier


def effect(frequency: Frequency, count: Ints) -> Floats:
    """Return the true factor on claim frequency of services received: 1 - most (1 - exp(-rate x)).

    Examples
    --------
    >>> effect(Frequency(), np.array([0, 1, 2])).round(3).tolist()
    [1.0, 0.842, 0.755]
    """
    factor: Floats = 1 - frequency.service_effect_most * -np.expm1(-frequency.service_effect_rate * count)
    return factor
