"""Assessment of insurers, brokers and service bodies by weighted indicators, with what chance alone could do.

Each indicator of a year is a rate x_i of events n_i (services, duties, claims). Rates of few events are noise, so each
is drawn towards the rate of all by credibility (`ratemod.experience.buhlmann`):

    z_i = n_i / (n_i + s2 / a),   estimate = m + z_i (x_i - m),   variance = a (1 - z_i) + (1 - z_i)^2 a / sum z

with s2 the variance of one event, a firm's events of a year taken together (`ratemod.fund.indicators.measure`), and a
the variance between those assessed, averaged over years. Where a is 0 no difference can be shown, and everybody
has the rate of all. Of few firms the variance is itself uncertain: errors widen as Student's t does.
Scores are linear between `worst` and `best`, and weighted; draws from the estimates' distributions (normal, a fixed
stream) give intervals, the chance of every rank, and of each change from year to year.

Sources: Bühlmann & Gisler, *A Course in Credibility Theory*, 2005, ch. 4; Goldstein & Spiegelhalter, "League tables and
their limitations", JRSS A 159 (1996): ranks only with their uncertainty.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ratemod.errors import BookError, Lang, ModelError, Problem, Words, catalogue, once, problem
from ratemod.experience.buhlmann import between_unbiased, credibility_factor
from ratemod.fund.documents import known_insurers
from ratemod.fund.duties import Duties
from ratemod.fund.events import Events, numbers_left_out, read_policies
from ratemod.fund.fund_table import Columns, Floats, Ints, day_number, labelled, to_frame, year_of
from ratemod.fund.indicators import Measured, Sources, check_measured, measure, read_services
from ratemod.fund.journal import unknown_insurers
from ratemod.fund.ledger import FundLedger
from ratemod.fund.proof import Check, prove
from ratemod.fund.score_rule import Indicator, Whose, check_indicators, read_indicators
from ratemod.rules.options import strict
from ratemod.vocabulary.labels import column_label

if TYPE_CHECKING:
    import pandas as pd

SURE = 0.95
STREAM = 20_250_101


@dataclass(frozen=True, eq=False, slots=True)
class Scorecard:
    """Scores by whom and year, k indicators, e assessed, y years.

    Attributes
    ----------
    measured : tuple of Measured, by indicator
    own, estimate, error, z : (k, e, y) float64; own is NaN without events
    points : (k, e, y) float64, 0 to 100
    weight : (k, y) float64, of every year those of the indicators with events in it, in proportion: they add up to 1
    total : (e, y) float64, 0 to 100
    drawn : (draws, e, y) float64, totals of draws
    """

    by: str
    names: tuple[str, ...]
    years: tuple[int, ...]
    indicators: tuple[Indicator, ...]
    measured: tuple[Measured, ...]
    own: Floats
    estimate: Floats
    error: Floats
    z: Floats
    points: Floats
    weight: Floats
    total: Floats
    drawn: Floats
    refused: tuple[Problem, ...] = ()

    def ranks(self, year: int | None = None) -> pa.Table:
        """Return the chance of every rank in a year (the last by default), one row each: who, rank, chance."""
        count = self._rank_counts(self._at(year))
        e = len(self.names)
        return pa.table(
            {
                self.by: pa.array(np.repeat(np.array(self.names, dtype=object), e), pa.string()),
                "rank": pa.array(np.tile(np.arange(1, e + 1), e)),
                "chance": pa.array(count.ravel() / len(self.drawn)),
            }
        )

    def _at(self, year: int | None) -> int:
        return len(self.years) - 1 if year is None else self.years.index(year)

    def _rank_counts(self, at: int) -> Ints:
        """Return in how many draws each holds each rank, (e, e); the highest score is rank 1."""
        order = np.argsort(-self.drawn[:, :, at], axis=1, kind="stable")
        e = len(self.names)
        place = np.broadcast_to(np.arange(e), order.shape)
        return np.bincount((order * e + place).ravel(), minlength=e * e).reshape(e, e)

    def _span(self, at: int) -> tuple[Ints, Ints]:
        """Return the best and the worst rank that cannot be ruled out: whoever is surely above or below counts."""
        drawn = self.drawn[:, :, at]
        above = (drawn[:, :, None] > drawn[:, None, :]).mean(axis=0) >= SURE
        return 1 + above.sum(axis=0), len(self.names) - above.sum(axis=1)

    @property
    def table(self) -> pa.Table:
        """One row an assessed and year: score, interval, ranks not ruled out, chance to be first, change of a year."""
        rows: dict[str, list[Any]] = {name: [] for name in (
            self.by, "year", "assessed_score", "low", "high", "rank_from", "rank_to", "chance_first", "change",
            "change_low", "change_high", "moved",
        )}  # fmt: skip
        for at, year in enumerate(self.years):
            low, high = np.quantile(self.drawn[:, :, at], (0.025, 0.975), axis=0)
            best, worst = self._span(at)
            first = self._rank_counts(at)[:, 0] / len(self.drawn)
            for e, name in enumerate(self.names):
                change = self._change(e, at)
                ends = (float(self.total[e, at]), float(low[e]), float(high[e]))
                cells = (name, year, *ends, int(best[e]), int(worst[e]), float(first[e]), *change)
                for key, cell in zip(rows, cells, strict=True):
                    rows[key].append(cell)
        order = sorted(range(len(rows["year"])), key=lambda row: (rows[self.by][row], rows["year"][row]))
        return pa.table({key: [column[row] for row in order] for key, column in rows.items()})

    def _change(self, e: int, at: int) -> tuple[float | None, float | None, float | None, str | None]:
        if at == 0:
            return None, None, None, None
        apart = self.drawn[:, e, at] - self.drawn[:, e, at - 1]
        low, high = np.quantile(apart, (0.025, 0.975))
        moved = "better" if low > 0 else "worse" if high < 0 else "not_shown"
        return float(self.total[e, at] - self.total[e, at - 1]), float(low), float(high), moved

    @strict
    def frame(self, lang: Lang | None = None) -> pd.DataFrame:
        """Return `table` as pandas, with labels of a language where one is given."""
        return to_frame(self.table if lang is None else labelled(self.table, lang))

    def indicator_table(self) -> pa.Table:
        """Return one row an assessed, year and indicator, with every number that leads to the points."""
        k, e, y = self.own.shape
        axis = np.indices((e, y, k)).reshape(3, -1)
        who, year, item = axis
        parts = {
            "numerator": np.stack([one.top for one in self.measured]),
            "denominator": np.stack([one.of for one in self.measured]),
            "own": self.own,
            "z": self.z,
            "estimate": self.estimate,
            "error": self.error,
            "points": self.points,
        }
        columns: dict[str, Any] = {
            self.by: pa.array(np.array(self.names, dtype=object)[who], pa.string()),
            "year": pa.array(np.array(self.years)[year]),
            "indicator": pa.array(np.array([one.name for one in self.indicators], dtype=object)[item], pa.string()),
        }
        for name, cube in parts.items():
            column = cube[item, who, year]
            columns[name] = pa.array(column, mask=~np.isfinite(column))
        columns["weight"] = pa.array(self.weight[item, year])
        columns["contribution"] = pa.array(self.points[item, who, year] * self.weight[item, year])
        return pa.table(columns)

    def weight_table(self) -> pa.Table:
        """Return one row an indicator: its measure, weight and source."""
        return pa.table(
            {
                "indicator": [item.measure for item in self.indicators],
                "weight": [float(item.weight) for item in self.indicators],
                "source": [item.source for item in self.indicators],
                "source_zh": [item.source_zh or item.source for item in self.indicators],
            }
        )

    def reconcile(self) -> int:
        """Prove that events of all assessed are all events, that ranks share out every draw, and weights are 1.

        Raises
        ------
        ModelError
            RM705 for every sum that fails.
        """
        checks = [Check("weights", "all", round(sum(i.weight for i in self.indicators) * 10**6), 10**6, unit="count")]
        for item, found in zip(self.indicators, self.measured):
            for at, year in enumerate(self.years):
                for what, part, whole in (("top", found.top, found.whole_top), ("of", found.of, found.whole_of)):
                    left, right = round(float(part[:, at].sum()) * 1000), round(float(whole[at]) * 1000)
                    checks.append(
                        Check(
                            f"indicator_{what}",
                            "all",
                            left,
                            right,
                            of={"year": str(year), "indicator": item.name},
                            unit="count",
                        )
                    )
        parts = (self.points * self.weight[:, None]).sum(axis=0)
        for at, year in enumerate(self.years):
            count = self._rank_counts(at)
            for e, name in enumerate(self.names):
                checks += [
                    Check("draws", name, int(count[e].sum()), len(self.drawn), of={"year": str(year)}, unit="count"),
                    Check("contributions", name, round(parts[e, at] * 1e6),
                          round(self.total[e, at] * 1e6), of={"year": str(year)}, unit="count"),
                ]  # fmt: skip
            checks.append(
                Check("draws", "all", int(count[:, 0].sum()), len(self.drawn), of={"year": str(year)}, unit="count")
            )
        return prove(checks)


@strict
def scorecard(
    policies: Any,
    as_of: datetime.date,
    *,
    by: Whose = "insurer",
    services: Any = None,
    duties: Duties | None = None,
    hazards: Any = None,
    claims: Any = None,
    panel: Any = None,
    ledger: FundLedger | None = None,
    insurers: Any = None,
    indicators: Sequence[Indicator] | str | Path | None = None,
    years: Sequence[int] | None = None,
    draws: int = 4000,
) -> Scorecard:
    """Assess insurers, brokers or service bodies.

    Parameters
    ----------
    policies : path or frame
        policy_no, credit_code, insurer, start_date, end_date; broker when `by` is "broker" (what belongs to policies
        without one is nobody's).
    as_of : date, what is known
    by : "insurer", "broker" or "provider"
        Service bodies (provider) are those that services and payments name.
    services, hazards, claims, panel : path or frame, each needed by its indicators
        As `evaluate_services`; claims with policy_no, report_date and settlement_date (empty while open).
    duties, ledger : results of `duties` and `fund_ledger`
    insurers : path, frame or names, optional; who may occur
    indicators : sequence of Indicator, path of a TOML file, or None (the shipped ones, illustrative)
    years : which years, default from the first policy to `as_of`
    draws : int

    Returns
    -------
    Scorecard

    Raises
    ------
    BookError
        RM950, RM396, RM730 an unknown insurer, RM745 weights that do not add up to 1.
    ModelError
        Those of `check_measured`; RM747 fewer than two to compare; RM778 no policy had begun by the day.

    Notes
    -----
    Indicators are taken as independent of each other given what they estimate. The same input gives the same bytes: the
    stream of draws is fixed, and those assessed are in the order of their names.
    """
    given = (
        indicators
        if indicators is not None and not isinstance(indicators, str | Path)
        else read_indicators(indicators, by)
    )
    if wrong := check_indicators(tuple(given)):
        raise BookError(wrong)
    sources = replace(
        _sources(policies, as_of, by, insurers, years, services, ledger),
        duties=duties,
        hazards=hazards,
        claims=claims,
        panel=panel,
        ledger=ledger,
    )
    check_measured(given, sources)
    measured = tuple(measure(item, sources) for item in given)
    parts = [_shrunk(found) for found in measured]
    own, z, estimate, error = (np.stack([part[at] for part in parts]) for at in range(4))
    points = _points(estimate, given)
    weight = _weights(given, measured)
    total = (points * weight[:, None]).sum(axis=0)
    drawn = _draw(estimate, error, given, weight, draws)
    return Scorecard(
        by=by,
        names=sources.names,
        years=sources.years,
        indicators=tuple(given),
        measured=measured,
        own=own,
        estimate=estimate,
        error=error,
        z=z,
        points=points,
        weight=weight,
        total=total,
        drawn=drawn,
        refused=(*_told(sources, measured), *_silent(given, measured, sources.years)),
    )


def _told(sources: Sources, measured: Sequence[Measured]) -> tuple[Problem, ...]:
    """Return what was refused, repeated or set aside in every table, each once."""
    services = () if sources.services is None else sources.services.told
    others = [item for found in (sources.duties, sources.ledger) if found is not None for item in found.refused]
    return once([*sources.book.refused, *services, *(item for found in measured for item in found.told), *others])


def _sources(
    policies: Any,
    as_of: datetime.date,
    by: Whose,
    insurers: Any,
    years: Sequence[int] | None,
    services: Any,
    ledger: FundLedger | None,
) -> Sources:
    today = int(day_number(as_of) or 0)
    needed = ("policy_no", "credit_code", "insurer", "start_date", "end_date")
    book = read_policies(policies, needed, ("broker",) if by == "broker" else ())
    if by == "broker" and "broker" not in book:
        book = read_policies(policies, (*needed, "broker"))  # which says that there is none
    known = None if insurers is None else known_insurers(insurers, [])
    gone = numbers_left_out(book)
    done = None if services is None else read_services(services, book, known, today)
    if known is not None and (wrong := unknown_insurers(book, known, "policies")):
        raise BookError(wrong)
    names = _assessed(by, book, done, ledger)
    place = {name: at for at, name in enumerate(names)}
    who = np.full(len(book), -1, dtype=np.int64)
    if by != "provider":
        who = np.array([place.get(name, -1) for name in book[by].tolist()], dtype=np.int64)
    if len(names) < 2:
        raise ModelError(problem("RM747", count=len(names), by=by, label=column_label(by, "zh")))
    started = year_of(book["start_date"][book["start_date"] <= today])
    if not len(started):
        raise ModelError(problem("RM778", day=as_of.isoformat()))
    span = tuple(sorted(years)) if years else tuple(range(int(started.min()), int(year_of(np.array([today]))[0]) + 1))
    return Sources(book=book, gone=gone, who=who, names=names, years=span, today=today, by=by, services=done)


def _assessed(by: Whose, book: Columns, done: Events | None, ledger: FundLedger | None) -> tuple[str, ...]:
    """Return the names of those assessed, in order: of the policies, or the bodies of services and payments."""
    said = [book[by]] if by != "provider" else []
    if by == "provider":
        said += [] if done is None else [done.rows["provider"]]
        said += [] if ledger is None else [ledger.papers.payments["provider"]]
    return tuple(sorted({name for column in said for name in column.tolist()} - {""}))


def _shrunk(found: Measured) -> tuple[Floats, Floats, Floats, Floats]:
    """Return own rate, credibility, estimate and its standard error, each (e, y)."""
    from scipy.stats import norm, t

    many, wide = found.of.shape
    own = np.divide(found.top, found.of, out=np.full((many, wide), np.nan), where=found.of > 0)
    mean = np.divide(found.whole_top, found.whole_of, out=np.zeros(wide), where=found.whole_of > 0)
    spreads = []
    for at in range(wide):
        seen = found.of[:, at] > 0
        if seen.sum() > 1 and np.isfinite(found.spread[at]):
            spreads.append(between_unbiased(found.of[seen, at], own[seen, at], float(found.spread[at])))
    between = max(float(np.mean(spreads)), 0.0) if spreads else 0.0
    z, error = np.zeros((many, wide)), np.zeros((many, wide))
    for at in range(wide):
        within = float(found.spread[at])
        z[:, at] = credibility_factor(found.of[:, at], within / between if between > 0 else np.inf)
        whole = between / z[:, at].sum() if z[:, at].sum() > 0 else within / max(float(found.whole_of[at]), 1.0)
        widen = float(t.ppf(0.975, found.free[at]) / norm.ppf(0.975)) if found.free[at] > 0 else 1.0
        error[:, at] = np.sqrt(between * (1 - z[:, at]) + (1 - z[:, at]) ** 2 * whole) * widen
    estimate = mean + z * (np.nan_to_num(own) - mean)
    return own, z, estimate, error


def _points(values: Floats, given: Sequence[Indicator]) -> Floats:
    """Return points, 0 to 100; the axis of indicators is the third from last."""
    worst, best = (np.array([getattr(item, name) for item in given])[:, None, None] for name in ("worst", "best"))
    points: Floats = np.clip(100 * (values - worst) / (best - worst), 0, 100)
    return points


def _weights(given: Sequence[Indicator], measured: Sequence[Measured]) -> Floats:
    """Return the weights of every year, (k, y): an indicator without an event in it says nothing, good or bad."""
    plain = np.array([float(item.weight) for item in given])[:, None]
    own = np.where(np.stack([found.whole_of for found in measured]) > 0, plain, 0.0)
    whole = own.sum(axis=0)
    weight: Floats = np.where(own.all(axis=0), plain, np.divide(own, whole, out=np.zeros_like(own), where=whole > 0))
    return weight


def _silent(given: Sequence[Indicator], measured: Sequence[Measured], years: Sequence[int]) -> list[Problem]:
    """Return RM779 for every indicator that has no events in a year in which others have."""
    some = [[bool(many > 0) for many in found.whole_of] for found in measured]
    found = []
    for at, item in enumerate(given):
        others = [any(column) for column in zip(*some)]
        lost = [str(year) for year, own, there in zip(years, some[at], others) if there and not own]
        if lost:
            label = Words(f"UI_value_{item.measure}") if f"UI_value_{item.measure}" in catalogue() else item.name
            found.append(problem("RM779", name=label, years=", ".join(lost)))
    return found


def _draw(estimate: Floats, error: Floats, given: Sequence[Indicator], weight: Floats, draws: int) -> Floats:
    random = np.random.Generator(np.random.Philox(STREAM))
    drawn = np.zeros((draws, *estimate.shape[1:]))
    for at, item in enumerate(given):
        value = estimate[at] + error[at] * random.standard_normal(drawn.shape)
        drawn += weight[at] * _points(value[:, None], [item])[:, 0]
    return drawn
