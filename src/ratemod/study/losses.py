"""Losses brought to what they will cost: developed, trended, capped, catastrophes set apart; exposures to match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Booleans, Dates, Floats, Integers, sums
from ratemod.ratemaking.development import Mack, cumulative_factors, development_factors, fit_tail, mack
from ratemod.ratemaking.exposure import earned_exposure, written_exposure
from ratemod.ratemaking.large_loss import cap_losses
from ratemod.study.assumptions import Assumptions
from ratemod.study.history import History
from ratemod.study.year_trend import TrendChoice

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
    months : age of the youngest year at the valuation, 12 at a year's end
    lived : share of a year's exposure that is earned by then, by the earlier years; the youngest year's factors to
        ultimate, which hold what is still to be insured, are multiplied by it
    """

    counts: Floats
    incurred: Floats
    count_factor: Floats
    incurred_factor: Floats
    count_mack: Mack | None
    incurred_mack: Mack | None
    months: int
    lived: float


@dataclass(frozen=True, eq=False)
class Observed:
    """The study's data as they are known, one row for each policy and accident year in which it earned.

    Attributes
    ----------
    years : (y,) int64 accident years; middle : (y,) float64, average day of the exposure of each, 2026.5 in its middle
    valuation : date on which the latest values stand
    policy, year : (r,) int64, row of the history and position in `years`
    earned : (r,) float64, exposure base earned, yuan at cells of 1
    count_to, amount_to : (y,) float64, factors to ultimate of what is known of each accident year
    counts : (r,) float64, claims known today, catastrophes apart
    claim : (k,) int64, position in the history of each claim counted; claim_row : (k,) int64 its row
    claim_yuan : (k,) float64, ultimate at the cost of its own year
    catastrophe_yuan : (y,) float64, as known; events : int, how many there were
    fate : (m,) int64, what became of every claim of the history: COUNTED, CATASTROPHE, WITHOUT_COST (left out of the
        counts), UNRATED (its policy is), NO_EXPOSURE
    development : Development or None
    """

    years: Integers
    middle: Floats
    valuation: np.datetime64
    policy: Integers
    year: Integers
    earned: Floats
    count_to: Floats
    amount_to: Floats
    counts: Floats
    claim: Integers
    claim_row: Integers
    claim_yuan: Floats
    catastrophe_yuan: Floats
    events: int
    fate: Integers
    development: Development | None

    @property
    def known(self) -> Floats:
        """Return the exposure that the claims known today answer to, (r,) float64: earned / count factor."""
        return self.earned / self.count_to[self.year]


@dataclass(frozen=True, eq=False)
class Adjusted(Observed):
    """The data at the level of the new rates.

    Attributes
    ----------
    ahead : (y,) float64, years from the middle of each year's exposure to the average day of loss of the new rates
    weight : (r,) float64, earned × (1 + frequency trend)^-years ahead / count development: the exposure at the new
        rates' level of frequency that the claims known today answer to; every total of claims is set against it
    capped_yuan, excess_yuan : (r,) float64, ultimate trended amounts below and above the cap
    claim_capped_yuan, claim_whole_yuan : (k,) float64, ultimate and trended, below the cap and whole
    trended_catastrophe_yuan : (y,) float64
    """

    ahead: Floats
    weight: Floats
    capped_yuan: Floats
    excess_yuan: Floats
    claim_capped_yuan: Floats
    claim_whole_yuan: Floats
    trended_catastrophe_yuan: Floats

    def by_year(self, amount: Floats) -> Floats:
        """Return yearly totals of amounts by row at ultimate and at the level of the new rates, (y,) float64.

        What the known claims cost stands against `weight`; what the whole year will cost stands against `earned`.
        """
        return sums(self.year, amount * self.earned / self.weight, len(self.years))


def observe(
    history: History, base_yuan: Floats, good: Booleans, assumed: Assumptions, valuation: np.datetime64 | None = None
) -> Observed:
    """Return what a history shows, developed to ultimate and nothing else.

    Parameters
    ----------
    history : History; base_yuan : (n,) exposure base of a full term; good : (n,) bool, policies to use
    assumed : Assumptions
    valuation : day on which the latest values stand; default the last one that the history knows

    Raises
    ------
    ModelError
        RM589 no past values and no word that losses are ultimate; RM576 nothing left;
        RM986 too few claims to measure development by.
    """
    valuation = valuation_of(history) if valuation is None else valuation
    years = np.arange(year_of(history.start.min()), year_of(valuation) + 1)
    edges = np.array([f"{year}-01-01" for year in [*years, years[-1] + 1]], "datetime64[D]")
    earned = _earned(history, base_yuan, good, edges, valuation)
    policy, year = np.nonzero(earned > 0)
    used = good[history.claim_policy]
    struck = _catastrophes(history, assumed.catastrophe_policies)
    claim_year = _years(history.claim_date) - years[0]
    lived = _lived(history, base_yuan, good, years, valuation)
    development = _development(history, used & ~struck, claim_year, years, valuation, lived, assumed)
    ages = years[-1] - years  # position of the latest age of each accident year
    count_to, amount_to = _to_ultimate(development, ages)
    plain = used & ~struck & (history.incurred_yuan > 0)
    if not plain.any():
        raise ModelError(problem("RM576"))
    place = np.full(earned.shape, -1, dtype=np.int64)
    place[policy, year] = np.arange(len(policy))
    at = np.flatnonzero(plain)
    row = place[history.claim_policy[at], claim_year[at]]
    fate = np.select([~used, struck, history.incurred_yuan <= 0], [UNRATED, CATASTROPHE, WITHOUT_COST], COUNTED)
    fate[at[row < 0]] = NO_EXPOSURE
    at, row = at[row >= 0], row[row >= 0]
    lost = used & struck
    return Observed(
        years=years,
        middle=_middles(history, base_yuan, good, years, valuation),
        valuation=valuation,
        policy=policy,
        year=year,
        earned=earned[policy, year],
        count_to=count_to,
        amount_to=amount_to,
        counts=sums(row, np.ones(len(row)), len(policy)),
        claim=at,
        claim_row=row,
        claim_yuan=history.incurred_yuan[at] * (amount_to / count_to)[claim_year[at]],
        catastrophe_yuan=sums(claim_year[lost], history.incurred_yuan[lost], len(years)),
        events=len(np.unique(history.claim_event[lost])),
        fate=fate.astype(np.int64),
        development=development,
    )


def at_level(seen: Observed, trends: Mapping[str, TrendChoice], middle: float, cap: float) -> Adjusted:
    """Return the data at the level of losses whose average day is `middle`, a year as 2027.0; `cap` in yuan."""
    ahead = np.asarray(middle - seen.middle, dtype=np.float64)
    frequency, severity = ((1 + trends[name].rate) ** ahead for name in ("frequency", "severity"))
    whole = seen.claim_yuan * severity[seen.year[seen.claim_row]]
    capped, excess = cap_losses(whole, cap)
    rows = len(seen.policy)
    return Adjusted(
        **{item.name: getattr(seen, item.name) for item in fields(Observed)},
        ahead=ahead,
        weight=seen.known / frequency[seen.year],
        capped_yuan=sums(seen.claim_row, capped, rows),
        excess_yuan=sums(seen.claim_row, excess, rows),
        claim_capped_yuan=capped,
        claim_whole_yuan=whole,
        trended_catastrophe_yuan=seen.catastrophe_yuan * frequency * severity,
    )


def middle_of(assumed: Assumptions) -> float:
    """Return the average day of loss of the new rates, as a year with a fraction.

    Policies written evenly over `rates_years` with terms of a year have their middle (rates_years + 1)/2 later.
    """
    first = np.datetime64(assumed.new_from)
    start = year_of(first) + float((first - first.astype("datetime64[Y]")).astype(int)) / 365.25
    return start + (assumed.rates_years + 1) / 2


def valuation_of(history: History) -> np.datetime64:
    """Return the day on which the latest values stand: the last valuation, else the last day anything is known of."""
    if len(history.valued_date):
        return np.datetime64(history.valued_date.max())
    return np.datetime64(max(history.claim_date.max(), history.start.max()))


def year_of(day: np.datetime64) -> int:
    """Return the calendar year of a day."""
    return int(day.astype("datetime64[Y]").astype(int)) + 1970


def _years(days: Dates) -> Integers:
    return days.astype("datetime64[Y]").astype(np.int64) + 1970


def _earned(history: History, base_yuan: Floats, good: Booleans, edges: Dates, valuation: np.datetime64) -> Floats:
    """Return the exposure base earned by policy and accident year up to the valuation, (n, years) float64.

    The base is that of a year; the length of a term is reckoned in years of its own days.
    """
    stop = np.append(edges[edges <= valuation], valuation + 1)
    earned = _earned_between(history, base_yuan, good, np.unique(np.minimum(stop, valuation + 1)))
    whole = np.zeros((len(history.start), len(edges) - 1))
    whole[:, : earned.shape[1]] = earned
    return whole


def _earned_between(history: History, base_yuan: Floats, good: Booleans, edges: Dates) -> Floats:
    """Return the exposure base earned by policy between edges, (n, edges - 1) float64."""
    cut = history.segments
    share = written_exposure(cut, history.start, history.end)
    written = share * np.where(good, np.nan_to_num(base_yuan), 0.0)[cut.policy]
    return earned_exposure(cut.start, cut.end, written, edges, group=cut.policy, groups=len(history.start))


def _middles(history: History, base_yuan: Floats, good: Booleans, years: Integers, valuation: np.datetime64) -> Floats:
    """Return the average day of the exposure of each year, by months; the year's middle where it has none."""
    months = np.arange(f"{years[0]}-01", f"{years[-1] + 1}-02", dtype="datetime64[M]").astype("datetime64[D]")
    edges = np.unique(np.minimum(months, valuation.astype("datetime64[D]") + 1))
    earned = _earned_between(history, base_yuan, good, edges).sum(axis=0)
    day = edges[:-1].astype(np.float64) + np.diff(edges).astype(np.float64) / 2
    year = _years(edges[:-1])
    first = np.array([f"{at}-01-01" for at in [*years, years[-1] + 1]], "datetime64[D]").astype(np.float64)
    at = year - years[0]
    mass = sums(at, earned, len(years))
    mean = np.divide(sums(at, earned * (day - first[at]), len(years)), mass, out=np.diff(first) / 2, where=mass > 0)
    return np.asarray(years + mean / np.diff(first), dtype=np.float64)


def _lived(history: History, base_yuan: Floats, good: Booleans, years: Integers, valuation: np.datetime64) -> float:
    """Return the share of a year's exposure that is earned by the valuation's day of the year, by the earlier years."""
    after = valuation.astype("datetime64[D]") + 1
    months = (after.astype("datetime64[M]") - after.astype("datetime64[Y]")).astype(np.int64)
    if after == after.astype("datetime64[Y]").astype("datetime64[D]") or len(years) < 2:
        return 1.0
    days = after - after.astype("datetime64[M]").astype("datetime64[D]")
    cut = [
        np.datetime64(f"{year}-01", "M") + step
        for year in years[:-1].tolist()
        for step in (np.timedelta64(0, "M"), np.timedelta64(int(months), "M"))
    ]
    edges = np.array([day.astype("datetime64[D]") for day in cut])
    edges[1::2] += days
    edges = np.append(edges, np.datetime64(f"{years[-1]}-01-01"))
    part = _earned_between(history, base_yuan, good, edges).sum(axis=0)
    whole = float(part.sum())
    return float(part[::2].sum()) / whole if whole > 0 and part[::2].sum() > 0 else 1.0


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
    lived: float,
    assumed: Assumptions,
) -> Development | None:
    """Return triangles and factors, or None where losses are taken as ultimate."""
    if assumed.development == "none":
        return None
    if not len(history.valued_date):
        raise ModelError(problem("RM589"))
    keep = used[history.valued_claim]
    claim, when, value = history.valued_claim[keep], history.valued_date[keep], history.valued_yuan[keep]
    last = int(valuation.astype("datetime64[M]").astype(int))
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
        counts=counts,
        incurred=incurred,
        count_factor=_factors(counts, years, assumed),
        incurred_factor=_factors(incurred, years, assumed),
        count_mack=_mack(counts),
        incurred_mack=_mack(incurred),
        months=last % 12 + 1,
        lived=lived,
    )


def _factors(triangle: Floats, years: Integers, assumed: Assumptions) -> Floats:
    """Return factors to ultimate from each age, with a tail where asked for."""
    if triangle.shape[1] < 2:
        return np.ones(1)
    try:
        steps = development_factors(triangle, assumed.development).value  # type: ignore[arg-type]
    except ModelError as error:
        ages = sorted({int(item.args["age"]) for item in error.problems if "age" in item.args})
        raise ModelError(
            problem("RM986", ages=", ".join(f"{12 * age}" for age in ages), first=int(years[0]), last=int(years[-1]))
        ) from error
    tail = 1.0
    if assumed.tail != "none":
        grows = steps > 1
        tail = fit_tail(np.arange(1.0, len(steps) + 1)[grows], steps[grows], assumed.tail).factor
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
    earned = np.where(ages == 0, development.lived, 1.0)
    return development.count_factor[ages] * earned, development.incurred_factor[ages] * earned
