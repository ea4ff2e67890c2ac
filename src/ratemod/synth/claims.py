"""Claims of one block: how many are expected, which happen, when they are reported, paid and closed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratemod.synth import severity
from ratemod.synth.calendar import Days
from ratemod.synth.enterprises import SITES, Codes, Enterprises, Floats, Ints, Window
from ratemod.synth.stream import pick, stream
from ratemod.synth.terms import Terms
from ratemod.synth.truth import Market, Truth
from ratemod.vocabulary.codes import accident

# Causes by sector. Construction: falls 48.2 %, struck 16.7 %, collapse 16.1 %, lifting 9.5 % (housing works 2015 H1,
# secondary source); all others are assumptions. Order of `levels.CAUSES`.
CAUSE_MIX = np.array(
    [
        [10, 15, 25, 4, 12, 14, 4, 2, 4, 4, 2, 4],
        [10, 8, 2, 4, 14, 10, 5, 14, 14, 12, 1, 6],
        [10, 8, 2, 2, 20, 5, 3, 25, 20, 1, 0, 4],
        [6, 4, 1, 4, 72, 4, 1, 3, 1, 1, 1, 2],
        [48.2, 16.7, 16.1, 9.5, 2, 3, 2, 0.5, 0.5, 0.5, 0.2, 0.8],
        [8, 10, 3, 5, 10, 20, 4, 10, 25, 2, 0, 3],
        [12, 14, 4, 14, 8, 24, 4, 6, 6, 4, 0, 4],
        [10, 6, 1, 4, 8, 14, 3, 2, 0, 2, 44, 6],
    ]
)


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims, one row each, by enterprise and event day.

    Attributes
    ----------
    cell : (k,) int64, term * n + place of the enterprise
    event_day, report_day, settle_day : (k,) int32 days
    cause : (k,) int8
    accidents : what happened, (k,)
    site_event : (k,) int64, number of the catastrophe in the block, -1 for an accident of one policy alone
    grade : (k,) int8, accident grade of the whole event
    direct_loss_yuan : (k,) int64
    """

    cell: Ints
    event_day: Days
    report_day: Days
    settle_day: Days
    cause: Codes
    accidents: severity.Accidents
    site_event: Ints
    grade: Codes
    direct_loss_yuan: Ints


def medical_index(truth: Truth, firms: Enterprises, terms: Terms) -> Floats:
    """Return the level of medical cost, (t, n): inflation by term times the enterprise's own effect."""
    years = np.arange(len(terms.active))[:, None]
    level: Floats = np.exp(truth.severity.medical_trend_log * years) * firms.severity_effect
    return level


def frequency(
    truth: Truth,
    firms: Enterprises,
    certificate: Codes,
    integrity: Codes,
    blacklisted: Codes,
    hazard: Codes,
    service_factor: Floats,
) -> Floats:
    """Return the true claims per head-year, (t, n): the product of every effect and the hidden random effect."""
    plan = truth.frequency
    years = np.arange(len(certificate))[:, None]
    log = (
        np.array(plan.size_effect_log)[firms.size]
        + np.array(plan.division_effect_log)[firms.division]
        + np.array(plan.standardisation_effect_log)[certificate]
        + np.array(plan.integrity_effect_log)[integrity]
        + plan.blacklist_effect_log * blacklisted
        + np.array(plan.hazard_effect_log)[hazard]
        + plan.trend_log * years
    )
    base = np.array(plan.claims_per_1000_heads)[firms.sector] / 1000
    rate: Floats = base * np.exp(log) * firms.random_effect * service_factor
    return rate


def draw(truth: Truth, window: Window, seed: int, block: int, firms: Enterprises, terms: Terms, mean: Floats) -> Claims:
    """Draw the claims of one block.

    Parameters
    ----------
    mean : (t, n) float64, expected claims of each term, catastrophes apart
    """
    count = stream(seed, block, "claim_count").poisson(mean)
    random = stream(seed, block, "claim")
    cell = np.repeat(np.arange(mean.size), count.ravel())
    event = _event_days(random, terms, cell)
    site_event = np.full(len(cell), -1, dtype=np.int64)
    struck, when, number, extra = _catastrophes(truth, window, stream(seed, block, "catastrophe"), block, firms, terms)
    cell = np.concatenate([cell, struck])
    event = np.concatenate([event, when])
    site_event = np.concatenate([site_event, number])
    firm = cell % mean.shape[1]
    order = np.lexsort((event, firm))
    cell, event, site_event, firm = cell[order], event[order], site_event[order], firm[order]
    killed = np.concatenate([np.zeros(int(count.sum()), dtype=np.int64), extra])[order]
    sector, size = firms.sector[firm], firms.size.ravel()[cell]
    index = medical_index(truth, firms, terms).ravel()[cell]
    limit = terms.limit_yuan.ravel()[cell]
    done = severity.draw(truth.severity, random, sector, size, terms.heads.ravel()[cell], limit, index)
    done = _with_deaths(done, site_event >= 0, killed, limit)
    cause = pick(random.random(len(cell)), CAUSE_MIX[sector])
    loss = np.rint(done.loss_fen / 100 * (1 + truth.market.claim_expense_share)).astype(np.int64)
    report, settle = _lags(random, truth.market, event, done.kind, terms.insurer.ravel()[cell])
    return Claims(cell, event, report, settle, cause, done, site_event, _grades(done, site_event, loss), loss)


def _event_days(random: np.random.Generator, terms: Terms, cell: Ints) -> Days:
    """Return days of events: in proportion to the heads before and after a mid-term change, else uniform."""
    start, change, end = (dates.ravel()[cell] for dates in (terms.start, terms.change_day, terms.cover_end))
    first = (terms.heads.ravel()[cell] * (change - start)).astype(np.float64)
    second = (terms.heads_after.ravel()[cell] * (end - change)).astype(np.float64)
    early = random.random(len(cell)) * (first + second) < first
    low, high = np.where(early, start, change), np.where(early, change, end)
    days: Days = (low + np.floor(random.random(len(cell)) * (high - low))).astype(np.int32)
    return days


def _catastrophes(
    truth: Truth, window: Window, random: np.random.Generator, block: int, firms: Enterprises, terms: Terms
) -> tuple[Ints, Days, Ints, Ints]:
    """Return struck cells, event days, event numbers and deaths of accidents that hit several policies of a site.

    Rare by design, so a loop over events (not over rows) is cheap.
    """
    many, n = terms.active.shape
    sited = np.where(firms.site >= 0, firms.site, SITES)
    mean = np.stack([np.bincount(sited, terms.head_years[t], SITES + 1)[:SITES] for t in range(many)])
    count = random.poisson(mean * truth.severity.catastrophes_per_100000_heads / 1e5)
    if block == 0 and window.years > 2:
        members = np.bincount(sited[terms.active[2]], terms.heads[2][terms.active[2]] >= 10, SITES + 1)[:SITES]
        count[2, int(members.argmax())] += truth.severity.scheduled_catastrophes
    struck, when, number, killed = [], [], [], []
    for event, (t, site) in enumerate(np.repeat(np.argwhere(count), count[count > 0], axis=0)):
        firm = np.flatnonzero((sited == site) & terms.active[t])
        day = int(terms.start[t, firm].max() if len(firm) else 0) + int(random.integers(0, 60))
        firm = firm[(terms.start[t, firm] <= day) & (day < terms.cover_end[t, firm])][:6]
        deaths = 1 + random.poisson(truth.severity.catastrophe_deaths, len(firm))
        struck.append(t * n + firm)
        when.append(np.full(len(firm), day, dtype=np.int32))
        number.append(np.full(len(firm), event))
        killed.append(np.minimum(deaths, terms.heads[t, firm]))
    if not struck:
        return np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.int64)
    return np.concatenate(struck), np.concatenate(when), np.concatenate(number), np.concatenate(killed)


def _with_deaths(done: severity.Accidents, site: np.ndarray, killed: Ints, limit: Ints) -> severity.Accidents:
    """Return accidents in which the policies of a struck site lose the given number of people."""
    paid = np.where(site, killed * limit * 100, done.loss_fen)
    return severity.Accidents(
        np.where(site, severity.DEATH, done.kind).astype(np.int8),
        np.where(site, killed, done.deaths),
        np.where(site, 0, done.serious_injuries),
        np.where(site, 0, done.minor_injuries),
        np.where(site, 0, done.disability_grade).astype(np.int8),
        paid.astype(np.int64),
    )


def _lags(random: np.random.Generator, market: Market, event: Days, kind: Codes, insurer: Codes) -> tuple[Days, Days]:
    """Return report and settlement days; one insurer is late at both."""
    late = insurer == market.late_insurer
    wait = market.report_lag_days * np.exp(market.report_log_deviation * random.standard_normal(len(event)))
    report = event + np.floor(np.minimum(wait * np.where(late, market.late_report_factor, 1.0), 2000.0))
    wait = np.array(market.settle_lag_days)[kind] * np.exp(
        market.settle_log_deviation * random.standard_normal(len(event))
    )
    settle = report + 1 + np.floor(np.minimum(wait * np.where(late, market.late_settle_factor, 1.0), 3000.0))
    return report.astype(np.int32), settle.astype(np.int32)


def _grades(done: severity.Accidents, site_event: Ints, loss_yuan: Ints) -> Codes:
    """Return the accident grade of each claim's whole event."""
    together = site_event >= 0
    event = np.where(together, site_event, np.arange(len(site_event)) + site_event.max(initial=-1) + 1)
    sums = [
        np.bincount(event, part)[event].astype(np.int64) for part in (done.deaths, done.serious_injuries, loss_yuan)
    ]
    grade: Codes = np.asarray(accident.accident_grade(*sums)).astype(np.int8)
    return grade
