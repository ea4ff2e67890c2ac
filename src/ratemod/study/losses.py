"""Losses brought to what they will cost: developed, trended, capped, catastrophes set apart; exposures to match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Booleans, Dates, Floats, Integers, sums
from ratemod.ratemaking.development import Mack, cumulative_factors, development_factors, fit_tail, mack
from ratemod.ratemaking.exposure import earned_exposure, written_exposure
from ratemod.ratemaking.large_loss import cap_losses
from ratemod.ratemaking.trend import Trend, fit_trend
from ratemod.study.assumptions import Assumptions
from ratemod.study.history import History

# What became of a claim that the history could use.
COUNTED, CATASTROPHE, WITHOUT_COST, UNRATED, NO_EXPOSURE = range(5)


@dataclass(frozen=True, eq=False)
class Development:
    """Counts and incurred amounts by accident year and age, and the factors to ultimate.

    Attributes
    ----------
    counts, incurred : (years, ages) float64, cumulative, NaN where not yet known
    count_factor, incurred_factor : (ages,) float64, to ultimate
    count_mack, incurred_mack : Mack, or None where the triangle is too small
    """

    counts: Floats
    incurred: Floats
    count_factor: Floats
    incurred_factor: Floats
    count_mack: Mack | None
    incurred_mack: Mack | None


@dataclass(frozen=True, eq=False)
class Adjusted:
    """The study's data, one row for each policy and accident year in which it earned.

    Attributes
    ----------
    years : (y,) int64 accident years
    valuation : date on which the latest values stand
    policy, year : (r,) int64, row of the history and position in `years`
    earned : (r,) float64, exposure base earned, yuan at cells of 1
    weight : (r,) float64, earned × (1 + frequency trend)^-years ahead / count development: the exposure at the new
        rates' level of frequency that the claims known today answer to; every total of claims is set against it
    counts : (r,) float64, claims known today, catastrophes apart
    capped_yuan, excess_yuan : (r,) float64, ultimate trended amounts below and above the cap
    claim_row : (k,) int64 row of each claim counted; claim_yuan : (k,) float64 its capped amount
    claim_whole_yuan : (k,) float64, before the cap
    catastrophe_yuan : (y,) float64, trended
    fate : (m,) int64, what became of every claim of the history: COUNTED, CATASTROPHE, WITHOUT_COST (left out of the
        counts), UNRATED (its policy is), NO_EXPOSURE
    development : Development or None
    frequency_trend, severity_trend : yearly rates used, with the fits and the words why
    """

    years: Integers
    valuation: np.datetime64
    policy: Integers
    year: Integers
    earned: Floats
    weight: Floats
    counts: Floats
    capped_yuan: Floats
    excess_yuan: Floats
    claim_row: Integers
    claim_yuan: Floats
    claim_whole_yuan: Floats
    catastrophe_yuan: Floats
    fate: Integers
    development: Development | None
    trends: Mapping[str, TrendChoice]

    def by_year(self, amount: Floats) -> Floats:
        """Return yearly totals of amounts by row at ultimate and at the level of the new rates, (y,) float64.

        What the known claims cost stands against `weight`; what the whole year will cost stands against `earned`.
        """
        return sums(self.year, amount * self.earned / self.weight, len(self.years))


@dataclass(frozen=True, slots=True)
class TrendChoice:
    """A yearly trend, the fit behind it (None where it could not be fitted), and why it was chosen."""

    rate: float
    fit: Trend | None
    why: str


def adjust(history: History, base_yuan: Floats, good: Booleans, assumed: Assumptions) -> Adjusted:
    """Bring a history to the level of the new rates.

    Parameters
    ----------
    history : History; base_yuan : (n,) exposure base of a full term; good : (n,) bool, policies to use
    assumed : Assumptions

    Raises
    ------
    ModelError
        RM589 no past values and no word that losses are ultimate; RM590 values not a year apart; RM576 nothing left.
    """
    valuation = _valuation(history)
    years = np.arange(_year(history.start.min()), _year(valuation) + 1)
    edges = np.array([f"{year}-01-01" for year in [*years, years[-1] + 1]], "datetime64[D]")
    earned = _earned(history, base_yuan, good, edges, valuation)
    policy, year = np.nonzero(earned > 0)
    used = good[history.claim_policy]
    struck = _catastrophes(history, assumed.catastrophe_policies)
    claim_year = _years(history.claim_date) - years[0]
    development = _development(history, used & ~struck, claim_year, years, valuation, assumed)
    ages = years[-1] - years  # position of the latest age of each accident year
    count_to, amount_to = _to_ultimate(development, ages)
    exposure = earned.sum(axis=0)
    plain = used & ~struck & (history.incurred_yuan > 0)
    if not plain.any():
        raise ModelError(problem("RM576"))
    known = sums(claim_year[plain], np.ones(int(plain.sum())), len(years))
    amounts = sums(claim_year[plain], history.incurred_yuan[plain], len(years)) * amount_to
    trends = _trends(years, known * count_to, amounts, exposure, assumed)
    ahead = _ahead(years, assumed)
    known_share = (1 + trends["frequency"].rate) ** -ahead / count_to
    severity = (1 + trends["severity"].rate) ** ahead * amount_to / count_to
    place = np.full(earned.shape, -1, dtype=np.int64)
    place[policy, year] = np.arange(len(policy))
    at = np.flatnonzero(plain)
    row = place[history.claim_policy[at], claim_year[at]]
    fate = np.select([~used, struck, history.incurred_yuan <= 0], [UNRATED, CATASTROPHE, WITHOUT_COST], COUNTED)
    fate[at[row < 0]] = NO_EXPOSURE
    at, row = at[row >= 0], row[row >= 0]
    whole = history.incurred_yuan[at] * severity[claim_year[at]]
    capped, excess = cap_losses(whole, assumed.large_loss_yuan)
    lost = used & struck
    struck_yuan = history.incurred_yuan[lost] * ((1 + trends["severity"].rate) ** ahead)[claim_year[lost]]
    rows = len(policy)
    return Adjusted(
        years,
        valuation,
        policy,
        year,
        earned[policy, year],
        earned[policy, year] * known_share[year],
        sums(row, np.ones(len(row)), rows),
        sums(row, capped, rows),
        sums(row, excess, rows),
        row,
        capped,
        whole,
        sums(claim_year[lost], struck_yuan, len(years)),
        fate.astype(np.int64),
        development,
        trends,
    )


def _valuation(history: History) -> np.datetime64:
    """Return the day on which the latest values stand: the last valuation, else the last day anything is known of."""
    if len(history.valued_date):
        return np.datetime64(history.valued_date.max())
    return np.datetime64(max(history.claim_date.max(), history.start.max()))


def _year(day: np.datetime64) -> int:
    return int(day.astype("datetime64[Y]").astype(int)) + 1970


def _years(days: Dates) -> Integers:
    return days.astype("datetime64[Y]").astype(np.int64) + 1970


def _ahead(years: Integers, assumed: Assumptions) -> Floats:
    """Return years from the middle of each accident year to the average loss date of the new rates.

    Policies written evenly over `rates_years` with terms of a year have their middle (rates_years + 1)/2 later.
    """
    first = np.datetime64(assumed.new_from)
    start = _year(first) + float((first - first.astype("datetime64[Y]")).astype(int)) / 365.25
    return np.asarray(start + (assumed.rates_years + 1) / 2 - (years + 0.5), dtype=np.float64)


def _earned(history: History, base_yuan: Floats, good: Booleans, edges: Dates, valuation: np.datetime64) -> Floats:
    """Return the exposure base earned by policy and accident year up to the valuation, (n, years) float64.

    The base is that of a year; the length of a term is reckoned in years of its own days.
    """
    cut = history.segments
    share = written_exposure(cut, history.start, history.end)
    written = share * np.where(good, np.nan_to_num(base_yuan), 0.0)[cut.policy]
    stop = np.append(edges[edges <= valuation], valuation + 1)
    known = np.unique(np.minimum(stop, valuation + 1))
    earned = earned_exposure(cut.start, cut.end, written, known, group=cut.policy, groups=len(history.start))
    whole = np.zeros((len(history.start), len(edges) - 1))
    whole[:, : earned.shape[1]] = earned
    return whole


def _catastrophes(history: History, policies: int) -> Booleans:
    """Return which claims belong to an event that struck at least so many policies."""
    pairs = np.unique(np.stack([history.claim_event, history.claim_policy]), axis=1)
    codes, counts = np.unique(pairs[0], return_counts=True)
    return np.asarray(np.isin(history.claim_event, codes[counts >= max(policies, 2)]))


def _development(
    history: History,
    used: Booleans,
    claim_year: Integers,
    years: Integers,
    valuation: np.datetime64,
    assumed: Assumptions,
) -> Development | None:
    """Return triangles and factors, or None where losses are taken as ultimate."""
    if assumed.development == "none":
        return None
    if not len(history.valued_date):
        raise ModelError(problem("RM589"))
    keep = used[history.valued_claim]
    claim, when, value = history.valued_claim[keep], history.valued_date[keep], history.valued_yuan[keep]
    months = when.astype("datetime64[M]").astype(np.int64)
    last = int(valuation.astype("datetime64[M]").astype(int))
    if ((last - months) % 12).any():
        raise ModelError(problem("RM590", dates=", ".join(str(day) for day in np.unique(when)[:6])))
    n = len(years)
    age = (_years(when) - years[0]) - claim_year[claim]
    inside = (age >= 0) & (claim_year[claim] >= 0)
    key = claim_year[claim][inside] * n + age[inside]
    cell = np.arange(n)[:, None] + np.arange(n)[None, :] < n
    counts, incurred = (
        np.where(cell, sums(key, part, n * n).reshape(n, n), np.nan)
        for part in (np.ones(int(inside.sum())), value[inside])
    )
    return Development(
        counts, incurred, _factors(counts, assumed), _factors(incurred, assumed), _mack(counts), _mack(incurred)
    )


def _factors(triangle: Floats, assumed: Assumptions) -> Floats:
    """Return factors to ultimate from each age, with a tail where asked for."""
    if triangle.shape[1] < 2:
        return np.ones(1)
    steps = development_factors(triangle, assumed.development).value  # type: ignore[arg-type]
    tail = 1.0
    if assumed.tail != "none":
        grows = steps > 1
        tail = fit_tail(np.arange(1.0, len(steps) + 1)[grows], steps[grows], assumed.tail).factor  # type: ignore[arg-type]
    return cumulative_factors(steps, tail)


def _mack(triangle: Floats) -> Mack | None:
    """Return Mack's model where every origin has begun with something, else None."""
    try:
        return mack(triangle)
    except ModelError:  # too few years, or one that began with nothing: the factors need no standard errors
        return None


def _to_ultimate(development: Development | None, ages: Integers) -> tuple[Floats, Floats]:
    if development is None:
        return np.ones(len(ages)), np.ones(len(ages))
    return development.count_factor[ages], development.incurred_factor[ages]


def _trends(
    years: Integers, counts: Floats, amounts: Floats, exposure: Floats, assumed: Assumptions
) -> dict[str, TrendChoice]:
    """Return the trends to use: as stated, or fitted where they are significant."""
    whole = (exposure > 0) & (counts > 0) & (amounts > 0)
    time = years[whole] + 0.5
    chosen = {}
    for name, value, weight, stated in (
        ("frequency", counts / np.maximum(exposure, 1e-300), counts, assumed.frequency_trend),
        ("severity", amounts / np.maximum(counts, 1e-300), counts, assumed.severity_trend),
    ):
        fit = fit_trend(time, value[whole], weight[whole]) if len(time) >= 3 else None
        if stated is not None:
            chosen[name] = TrendChoice(stated, fit, assumed.reasons.get(f"{name}_trend", "stated by the analyst"))
        elif fit is not None and (fit.rate_low > 0 or fit.rate_high < 0):
            chosen[name] = TrendChoice(fit.rate, fit, "fitted: significant at 95 %")
        else:
            why = "fewer than three years: no trend" if fit is None else "fitted trend not significant at 95 %: none"
            chosen[name] = TrendChoice(0.0, fit, why)
    return chosen
