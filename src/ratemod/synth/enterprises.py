"""The enterprises of one block: sector, place, size through the years, hidden random effects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.synth import calendar, levels
from ratemod.synth.stream import BLOCK, pick, stream
from ratemod.synth.truth import Population, Truth
from ratemod.vocabulary.codes import credit_code, size_class

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SITE = 8  # consecutive enterprises that may share a site
SITES = BLOCK // SITE
# Multiplying by a number prime to 10^8 spreads running numbers over all organisation numbers without repeats.
SPREAD, NUMBERS = 61_803_399, 100_000_000


@dataclass(frozen=True, slots=True)
class Window:
    """The years of a province: `terms` policy terms are simulated, the last one as the renewals to price.

    Attributes
    ----------
    first_year : int
    years : int
        Years of history; policies start in each of them.
    """

    first_year: int
    years: int

    @property
    def terms(self) -> int:
        """Return the number of simulated policy terms: the history and the renewal year."""
        return self.years + 1

    @property
    def valuation(self) -> int:
        """Return the last day that is known, as days since 1970-01-01: 31 December of the last year."""
        return calendar.day(self.first_year + self.years, 1, 1) - 1

    def calendar_years(self) -> Ints:
        """Return the calendar year in which each term starts, (terms + 1,): one more gives the last end."""
        return self.first_year + np.arange(self.terms + 1)


@dataclass(frozen=True, slots=True)
class Enterprises:
    """One block of enterprises; n = `BLOCK`, t = terms.

    Attributes
    ----------
    number : (n,) int64, place in the province from 0
    code : (n, 18) uint8, characters of the unified social credit code (region 000000)
    sector, division : (n,) int8 codes
    industry : (n,) int16 index into all industry codes, in order
    site : (n,) int64, number of the shared site, -1 where the enterprise stands alone
    staff : (t, n) int64 persons; revenue_yuan, assets_yuan : (t, n) int64 yuan
    size : (t, n) int8 size class of each year
    insured_share : (n,) float64, share of staff insured
    starts : (t + 1, n) int32, policy anniversaries
    joined : (n,) int64, first insured term (t where never)
    closed : (n,) int32, day of closing, far in the future where none
    random_effect, severity_effect : (n,) float64, hidden, mean 1
    """

    number: Ints
    code: Bytes
    sector: Codes
    division: Codes
    industry: npt.NDArray[np.int16]
    site: Ints
    staff: Ints
    revenue_yuan: Ints
    assets_yuan: Ints
    size: Codes
    insured_share: Floats
    starts: calendar.Days
    joined: Ints
    closed: calendar.Days
    random_effect: Floats
    severity_effect: Floats


def industry_names() -> tuple[str, ...]:
    """Return all industry codes in the order of `Enterprises.industry`."""
    return tuple(code for group in levels.INDUSTRY_CODES for code in group)


def draw(truth: Truth, window: Window, seed: int, block: int) -> Enterprises:
    """Return the enterprises of one block; a whole block is always drawn, so a small province begins a large one."""
    random = stream(seed, block, "enterprise")
    people = truth.population
    number = block * BLOCK + np.arange(BLOCK, dtype=np.int64)
    sector = pick(random.random(BLOCK), np.array(people.sector_mix))
    industry = _industry(random.random(BLOCK), sector)
    division, site = _place(random, people)
    staff, revenue, assets = _through_years(random, people, window, sector)
    names = np.array(industry_names())
    size = np.stack(
        [size_class.size_class(names[industry], *numbers) for numbers in zip(staff, revenue, assets, strict=True)]
    ).astype(np.int8)
    part = np.where(random.random(BLOCK) < people.insured_fully, 1.0, random.uniform(0.6, 1.0, BLOCK))
    starts = calendar.anniversaries(random.integers(0, 365, BLOCK), window.calendar_years())
    joined = _joined(random, people, window)
    closed = starts[0].astype(np.int64) + (random.exponential(365 / people.closing_rate, BLOCK)).astype(np.int64)
    frequency, severity = truth.frequency, truth.severity
    effect = random.standard_gamma(frequency.random_effect_shape, BLOCK) / frequency.random_effect_shape
    spread = severity.enterprise_log_deviation
    medical = np.exp(spread * random.standard_normal(BLOCK) - spread**2 / 2)
    return Enterprises(
        number,
        _codes(number),
        sector,
        division,
        industry,
        site,
        staff,
        revenue,
        assets,
        size,
        part,
        starts,
        joined,
        np.minimum(closed, 2**30).astype(np.int32),
        effect,
        medical,
    )


def _industry(uniform: Floats, sector: Codes) -> npt.NDArray[np.int16]:
    """Return an industry code of each sector, all equally likely."""
    many = np.array([len(group) for group in levels.INDUSTRY_CODES])
    first = np.concatenate([[0], np.cumsum(many)[:-1]])
    code: npt.NDArray[np.int16] = (first[sector] + (uniform * many[sector]).astype(np.int64)).astype(np.int16)
    return code


def _place(random: np.random.Generator, people: Population) -> tuple[Codes, Ints]:
    """Return divisions and shared sites; all of one site lie in one division."""
    division = pick(random.random(BLOCK), np.array(people.division_mix))
    shared = random.random(BLOCK) < people.sited_share
    group = np.arange(BLOCK) // SITE
    division = np.where(shared, division[group * SITE], division).astype(np.int8)
    return division, np.where(shared, group, -1)


def _through_years(
    random: np.random.Generator, people: Population, window: Window, sector: Codes
) -> tuple[Ints, Ints, Ints]:
    """Return staff, revenue and assets, (t, n) each: a log-normal start, a sector's drift and a random walk."""
    shape = (window.terms, BLOCK)
    spread = np.array(people.staff_log_deviation)[sector] * random.standard_normal(BLOCK)
    walk = people.staff_walk_log * random.standard_normal(shape)
    walk[0] = np.array(people.staff_log_mean)[sector] + spread
    walk[1:] += np.array(people.staff_drift_log)[sector]
    staff = np.clip(np.rint(np.exp(np.cumsum(walk, axis=0))), 2, people.staff_most).astype(np.int64)
    per_head = np.array(people.revenue_per_head_yuan)[sector] * np.exp(
        people.revenue_log_deviation * random.standard_normal(BLOCK)
    )
    revenue = np.rint(staff * per_head / 1e4) * 1e4
    assets = np.rint(revenue * np.exp(0.1 + 0.5 * random.standard_normal(BLOCK)) / 1e4) * 1e4
    return staff, revenue.astype(np.int64), assets.astype(np.int64)


def _joined(random: np.random.Generator, people: Population, window: Window) -> Ints:
    """Return the first insured term; whoever has not joined by the last term stays uninsured."""
    later = random.geometric(people.joining_rate, BLOCK)
    return np.where(random.random(BLOCK) < people.first_year_share, 0, np.minimum(later, window.terms))


def _codes(number: Ints) -> Bytes:
    """Return credit codes, (n, 18) characters, in the region block 000000 that hits no real unit."""
    spread = (number * SPREAD + 1_234_567) % NUMBERS
    return characters(np.asarray(credit_code.make("91000000", spread)), 18)


def characters(words: npt.NDArray[np.str_] | npt.NDArray[np.bytes_], width: int) -> Bytes:
    """Return ASCII words of one width as characters, (n, width) uint8."""
    return np.ascontiguousarray(words.astype(f"S{width}")).view(np.uint8).reshape(len(words), width)
