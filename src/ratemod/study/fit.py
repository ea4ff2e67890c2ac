"""`fit`: a loss history in, a studied edition of a plan out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from ratemod.document.html import card
from ratemod.document.model import Document
from ratemod.errors import Lang, ModelError, Problem, default_language, nearest, once, problem
from ratemod.plan.edit import key_text
from ratemod.plan.editions import Business, load_plan
from ratemod.plan.model import Plan, Table
from ratemod.ratemaking.arrays import Floats
from ratemod.ratemaking.cells import Factor
from ratemod.ratemaking.glm import Progress
from ratemod.reading.book import Book
from ratemod.reading.read import read_book
from ratemod.rules.options import strict
from ratemod.study.assumptions import Assumptions, read_assumptions
from ratemod.study.bounds import judged, odd_claims, of_dates, of_held_out, of_history, of_rates
from ratemod.study.exposure_base import (
    ExposureBase,
    base_of,
    controls_of,
    exposure_step,
    tables_under_study,
)
from ratemod.study.held_out import HeldOut, held_out
from ratemod.study.history import History, digest_of, read_history, sources_of
from ratemod.study.losses import Adjusted, at_level, middle_of, observe, valuation_of
from ratemod.study.model import RateModel, fit_model, pool, trends_of
from ratemod.study.rates import Rates, derive_rates
from ratemod.study.said import study_lines
from ratemod.study.uncertainty import Uncertainty, uncertainty_of
from ratemod.study.year_trend import Trends


@dataclass(frozen=True, eq=False)
class Study:
    """A rate study with everything it rests on.

    Attributes
    ----------
    plan : the plan in force; assumed : every judgement
    tables : those under study, as they stand; controls : rating variables beside their axes
    history, base, trends, data, model, rates, uncertainty : the steps, in order
    held_out : the same study without the last year, judged on it; or why there is none
    warnings : what is beyond a bound and was accepted, what is odd, and a last year outside its interval
    book : what is to be priced; digests : name -> SHA-256 of every input
    """

    plan: Plan
    assumed: Assumptions
    tables: tuple[Table, ...]
    controls: tuple[str, ...]
    history: History
    base: ExposureBase
    trends: Trends
    data: Adjusted
    model: RateModel
    rates: Rates
    uncertainty: Uncertainty
    held_out: HeldOut | tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    book: Book
    digests: Mapping[str, str]

    @property
    def indicated_interval(self) -> tuple[float, float]:
        """Return the interval of the indicated change at `assumed.interval_level`."""
        low, high = self.uncertainty.around(1 + self.rates.indication.value)
        return low - 1, high - 1

    @property
    def loss_ratio_interval(self) -> tuple[float, float]:
        """Return the interval of one year's loss ratio under the new rates, whatever that year brings."""
        return self.uncertainty.around(self.rates.reached, one_year=True)

    def write(self, folder: str | Path, edition: str | None = None, extra: Mapping[str, bytes] | None = None) -> Path:
        """Write the edition, the record, the exhibits and further files; see `ratemod.study.edition.write_study`."""
        from ratemod.study.edition import write_study

        return write_study(self, Path(folder), edition, extra)

    def frames(self) -> dict[str, Any]:
        """Return the exhibits as pandas frames by name; see `ratemod.study.evidence`."""
        from ratemod.study.evidence import frames

        return frames(self)

    @strict
    def document(self, lang: Lang = "en") -> Document:
        """Return where the study lands: premium, loss ratio, the cells that move most."""
        from ratemod.study.display import document_of

        return document_of(self, lang)

    def _repr_html_(self) -> str:
        return card(self.document(default_language()))

    def __repr__(self) -> str:
        rates = self.rates
        return (
            f"<Study of {', '.join(table.name for table in self.tables)} in {self.plan.id}: "
            f"{rates.full_fen / rates.current_premium_fen - 1:+.1%} premium, loss ratio {rates.reached:.1%} "
            f"(target {rates.target:.1%})>"
        ) + "".join(f"\n  {line}" for line in study_lines(self, "en"))


@strict
def fit(
    history: Any,
    plan: Plan | str | Path,
    assumptions: Assumptions | Mapping[str, Any] | None = None,
    *,
    book: Any = None,
    chosen: Mapping[str, tuple[str, str]] | None = None,
    at: date | str | None = None,
    business: Business = "renewal",
    progress: Progress | None = None,
    **stated: Any,
) -> Study:
    """Derive the tables of a plan from a loss history.

    Parameters
    ----------
    history : folder, Province or mapping of tables
        ``policies``, ``claims``, and where there are any ``endorsements``, ``valuations``, ``variables``.
    plan : the plan in force, or what `load_plan` takes
    assumptions : Assumptions or a mapping of them; or state them by keyword (``new_from="2026-01-01"``)
    book : what will be priced; default the history's ``renewals``
    chosen : path of a cell -> (value, reason)
    progress : called with iteration and deviance of each model

    Returns
    -------
    Study

    Raises
    ------
    ModelError, BookError, PlanError
        With every problem found in one part at once; see `ratemod.study.history`, `losses`, `model`, `rates`.

    Examples
    --------
    >>> import ratemod as rm
    >>> province = rm.synthesize(enterprises=1500, years=4, seed=3)
    >>> study = rm.fit(province, "jilin-spli/2025-04", new_from="2026-01-01")
    >>> round(study.rates.reached, 2) == round(study.rates.target, 2)
    True
    """
    assumed = (
        assumptions if isinstance(assumptions, Assumptions) else read_assumptions({**(assumptions or {}), **stated})
    )
    current = plan if isinstance(plan, Plan) else load_plan(plan, at, business)
    current.money.need_hundredths()
    tables = tables_under_study(current, assumed.tables)
    sources = sources_of(history)
    to_price = _to_price(book, sources, current)
    past = read_history(history, current, assumed.amount)
    step = exposure_step(current, tables, past.book.table.column_names, assumed.exposure_step)
    controls = controls_of(current, tables, past.book, assumed.controls)
    base = base_of(past.book, current, tables, step, controls)
    if not base.good.any():
        raise ModelError(problem("RM575"))
    now = current_relativities(tables, base)
    stops = of_dates(valuation_of(past), assumed)
    seen = observe(past, base.yuan, base.good, assumed)
    stops += of_history(past, seen, assumed)
    warned = judged(stops, assumed)
    _need_factors(assumed.monotone, base.factors)
    codes = [np.maximum(code, 0) for code in base.codes]
    pooled = pool(seen, base.factors, codes, now, past.firm, assumed)
    trends = trends_of(seen, pooled, past.firm, assumed)
    data = at_level(seen, trends.of, middle_of(assumed), assumed.large_loss_yuan)
    model = fit_model(data, pooled, len(tables[0].axes), now, past.firm, assumed, progress)
    rates = derive_rates(current, tables, base, data, model, to_price, controls, assumed, chosen or {})
    warned += judged(of_rates(rates), assumed)
    before = held_out(past, base.yuan, base.good, base.factors, codes, len(tables[0].axes), now, seen, assumed)
    sure = uncertainty_of(
        data,
        model,
        trends,
        rates.market.shares,
        float(rates.market.capped.sum()),
        rates.excess.overall_rate,
        rates.catastrophe,
        assumed.interval_level,
    )
    digests = dict(past.digests)
    if book is not None and not isinstance(book, Book):
        digests["book"] = digest_of(book)
    return Study(
        plan=current,
        assumed=assumed,
        tables=tables,
        controls=controls,
        history=past,
        base=base,
        trends=trends,
        data=data,
        model=model,
        rates=rates,
        uncertainty=sure,
        held_out=before,
        warnings=once((*warned, *odd_claims(past, current, seen.valuation, assumed.amount), *of_held_out(before))),
        book=to_price,
        digests=digests,
    )


def _to_price(book: Any, sources: Mapping[str, Any], plan: Plan) -> Book:
    """Return what is to be priced, the history's renewals where no book is given."""
    if book is None and "renewals" not in sources:
        raise ModelError(problem("RM595"))
    given = sources["renewals"] if book is None else book
    return given if isinstance(given, Book) else read_book(given, plan.columns, shared="renewals")


def _need_factors(names: Iterable[str], factors: Sequence[Factor]) -> None:
    """Refuse names of no factor."""
    known = [factor.name for factor in factors]
    odd = [problem("RM988", name=name, nearest=nearest(name, known)) for name in names if name not in known]
    if odd:
        raise ModelError(odd)


def current_relativities(tables: tuple[Table, ...], base: ExposureBase) -> dict[str, Floats]:
    """Return for every axis the current table's geometric mean by level: the complement of thin levels."""
    factors = {factor.name: factor for factor in base.factors}
    return {axis.name: _means(table, k, factors[axis.name]) for table in tables for k, axis in enumerate(table.axes)}


def _means(table: Table, k: int, factor: Factor) -> Floats:
    at = table.value_names.index("value")
    logs: dict[str, list[float]] = {level: [] for level in factor.levels}
    for row in table.rows:
        value = row.values[at]
        if value is not None and value > 0:
            for level in factor.levels if key_text(row.keys[k]) == "*" else (key_text(row.keys[k]),):
                logs[level].append(float(np.log(float(value))))
    return np.array([np.exp(np.mean(found)) if found else 1.0 for found in logs.values()])
