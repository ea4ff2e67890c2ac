"""From pure premiums to selected cells: indicated values, choices with reasons, off-balance through the rating."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from ratemod.errors import ModelError, nearest, problem
from ratemod.money import to_unit
from ratemod.plan.edit import key_text, row_path
from ratemod.plan.model import ANY, Plan, Table
from ratemod.ratemaking.arrays import sums
from ratemod.ratemaking.indication import Indication, Loadings, indicated_change, permissible_ratio
from ratemod.ratemaking.large_loss import ExcessLoad, catastrophe_load, spread_excess
from ratemod.rating.rate import rate
from ratemod.reading.book import Book
from ratemod.rules.number import shifted
from ratemod.study.assumptions import Assumptions
from ratemod.study.balance import Market, balance, market_of, premium_of
from ratemod.study.caps import Recovery, recovery, uncapped
from ratemod.study.exposure_base import ExposureBase, with_cells
from ratemod.study.losses import Adjusted
from ratemod.study.model import FULL_CLAIMS, RateModel, cell_index

OWN_EXPENSES = (("commission_share", "commission"), ("fund_share", "prevention fund"))


@dataclass(frozen=True, slots=True)
class RateCell:
    """One cell of a table under study.

    Attributes
    ----------
    path : its path in the plan; table : its table; row : its position in the table
    current, indicated, balanced : float; indicated stands on the study alone, balanced on the whole book's target
    selected : Decimal, what the edition holds; reason : why
    exposure, claims : float, of the history in this cell
    """

    path: str
    table: str
    row: int
    current: Decimal
    indicated: float
    balanced: float
    selected: Decimal
    reason: str
    exposure: float
    claims: float


@dataclass(frozen=True, eq=False)
class Rates:
    """What the study proposes, and where it lands.

    Attributes
    ----------
    plan : the current plan with the selected cells
    cells : every cell of the tables under study
    excess : ExcessLoad by level of the first axis; catastrophe : share of the capped losses
    loadings, target : what premium must carry, and the loss ratio aimed at
    indication : the change of the book's premium, line by line
    off_balance : factor on the rates that the book's bounds and credits ask for (and its caps where so assumed)
    expected_yuan : expected losses of the book's priced rows
    full_fen : premium of the book under the selected cells, no cap on renewals in force; premium_fen : what it pays in
        the first year, caps in force; current_premium_fen : under the plan as it stands, no cap in force
    reached : loss ratio of the book under the selected cells: of the full premium, or of the first year's where caps
        are paid for by the rates
    recovery : the years until the caps withhold nothing
    market : the book with its expected losses
    """

    plan: Plan
    cells: tuple[RateCell, ...]
    excess: ExcessLoad
    catastrophe: float
    loadings: Loadings
    target: float
    indication: Indication
    off_balance: float
    expected_yuan: float
    full_fen: int
    premium_fen: int
    current_premium_fen: int
    reached: float
    recovery: tuple[Recovery, ...]
    market: Market


def loadings_of(plan: Plan, assumed: Assumptions) -> Loadings:
    """Return what premium carries beside losses: the plan's own constants, then what is assumed."""
    own = {label: float(plan.constants[name].value) for name, label in OWN_EXPENSES if name in plan.constants}
    most = {
        label: float(high)
        for name, label in OWN_EXPENSES
        for item in plan.legal
        if item.of == name and (high := plan.legal_ends(item)[1]) is not None
    }
    return Loadings({**own, **assumed.expenses}, assumed.profit, most)


def derive_rates(
    plan: Plan,
    tables: Sequence[Table],
    base: ExposureBase,
    data: Adjusted,
    model: RateModel,
    book: Book,
    controls: Sequence[str],
    assumed: Assumptions,
    chosen: Mapping[str, tuple[str, str]],
) -> Rates:
    """Turn a model into cells that bring a book to its target loss ratio.

    Parameters
    ----------
    plan : the current plan; tables : those under study, rates first
    base, data, model : of the history
    book : what is to be priced (the renewals); controls : rating variables of the model beside the axes
    chosen : path of a cell -> (value, reason) where the analyst departs from the study

    Raises
    ------
    ModelError
        RM591 a choice for no cell, RM531 a choice without a reason, RM592 no row of the book can be priced, RM593 the
        target cannot be reached (with what can be), RM594 a selected value outside the table's permitted values.
    """
    axes = len(tables[0].axes)
    excess = excess_load(data, base, model, axes)
    cat = catastrophe_of(data, assumed)
    loadings = loadings_of(plan, assumed)
    target = permissible_ratio(loadings) * (1 - assumed.fixed_expense_share)
    indicated = [_indicated(plan, table, t, tables, base, model, excess, cat, target) for t, table in enumerate(tables)]
    picks = _picks(tables, chosen)
    market = market_of(book, plan, tables, base, model, controls, axes, excess, cat)
    frame = uncapped(plan)
    now = rate(book, frame, lang="en", trace=False)
    priced = market.usable & (now.verdict.status < 2)
    if not priced.any():
        raise ModelError([problem("RM592"), *now.problems[:10]])
    current_fen = int(now.outputs.premium_fen[priced].sum())
    lines = indicated_change(
        float(market.expected[priced].sum()),
        current_fen / 100,
        loadings,
        fixed_expense=assumed.fixed_expense_share * float(market.expected[priced].sum()) / target,
    )
    open_rates = [value is not None and row_path(tables[0], row) not in picks
                  for row, value in zip(tables[0].rows, indicated[0])]  # fmt: skip
    factor = 1.0  # where every rate is chosen, nothing is left to balance: where it lands is said
    if any(open_rates):
        factor = balance(frame if assumed.caps == "apart" else plan, tables, indicated, picks, market, target)
    cells = _cells(tables, indicated, picks, factor, base, data, assumed)
    values = [[cell.selected for cell in cells if cell.table == table.name] for table in tables]
    new = _with_selected(plan, tables, values)
    premium, _ = premium_of(new, market)
    full, expected = premium_of(uncapped(new), market)
    return Rates(
        plan=new,
        cells=cells,
        excess=excess,
        catastrophe=cat,
        loadings=loadings,
        target=target,
        indication=lines,
        off_balance=factor,
        expected_yuan=expected,
        full_fen=full,
        premium_fen=premium,
        current_premium_fen=current_fen,
        reached=expected * 100 / (full if assumed.caps == "apart" else premium),
        recovery=recovery(new, book, market.usable),
        market=market,
    )


def excess_load(data: Adjusted, base: ExposureBase, model: RateModel, axes: int) -> ExcessLoad:
    """Return the load for amounts above the cap, by level of the first axis."""
    first = base.codes[0][data.policy]
    levels = len(base.factors[0].levels)
    rows = [code[data.policy] for code in base.codes]
    expected = sums(first, model.predict(base.factors, rows, axes) * data.weight, levels)
    claims = sums(first, data.counts, levels)
    return spread_excess(
        sums(first, data.excess_yuan, levels),
        np.maximum(expected, 1e-9),
        np.minimum(1.0, np.sqrt(claims / FULL_CLAIMS)),
    )


def catastrophe_of(data: Adjusted, assumed: Assumptions) -> float:
    """Return the catastrophe load: what years have seen, beside what many more years are known to bring."""
    capped = data.by_year(data.capped_yuan)
    used = capped > 0
    return catastrophe_load(
        data.trended_catastrophe_yuan[used],
        capped[used],
        prior=assumed.catastrophe_prior,
        prior_years=assumed.catastrophe_prior_years,
    )


def _indicated(
    plan: Plan,
    table: Table,
    t: int,
    tables: Sequence[Table],
    base: ExposureBase,
    model: RateModel,
    excess: ExcessLoad,
    cat: float,
    target: float,
) -> list[float | None]:
    """Return the indicated value of every row of a table, None where a row answers any level."""
    names = [axis.name for axis in table.axes]
    effects = [model.effects[name] for name in names]
    at = table.value_names.index("value")
    places = [_places(table, row.keys, [e.factor.levels for e in effects]) for row in table.rows]
    scale = [_scale(model, other) for other in tables[1:]]
    found: list[float | None] = []
    for row, place in zip(table.rows, places):
        if place is None or not row.offered or row.values[at] is None:
            found.append(None)
            continue
        value = float(np.prod([effect.used[i] for effect, i in zip(effects, place)]))
        if t:
            found.append(value * scale[t - 1])
            continue
        cell = cell_index([e.factor for e in effects], [np.array([i]) for i in place])[0]
        value *= model.level * float(model.cell_factor[cell]) * (1 + float(excess.rate[place[0]])) * (1 + cat) / target
        found.append(value / float(np.prod(scale)))
    return found


def _places(table: Table, keys: Sequence[object], levels: Sequence[tuple[str, ...]]) -> tuple[int, ...] | None:
    texts = [key_text(key) for key in keys]  # type: ignore[arg-type]
    if any(key is ANY and axis.kind == "level" for key, axis in zip(keys, table.axes)):
        return None
    return tuple(known.index(text) for known, text in zip(levels, texts))


def _scale(model: RateModel, table: Table) -> float:
    """Return what keeps a table of factors at its current average: Σ w·current / Σ w·used, of its first axis."""
    effect = model.effects[table.axes[0].name]
    at = table.value_names.index("value")
    now = {key_text(row.keys[0]): float(row.values[at] or 1) for row in table.rows}
    current = np.array([now.get(level, now.get("*", 1.0)) for level in effect.factor.levels])
    return float(effect.weight @ current / (effect.weight @ effect.used))


def _picks(tables: Sequence[Table], chosen: Mapping[str, tuple[str, str]]) -> dict[str, tuple[Decimal, str]]:
    known = [row_path(table, row) for table in tables for row in table.rows]
    found = [problem("RM591", path=path, nearest=nearest(path, known)) for path in chosen if path not in known]
    found += [problem("RM531", cell=path) for path, (_, reason) in chosen.items() if not reason.strip()]
    found += [
        problem("RM571", name=path, value=value, why=">= 0")
        for path, (value, _) in chosen.items()
        if not value.replace(".", "", 1).isdigit()
    ]
    if found:
        raise ModelError(found)
    return {path: (Decimal(value), reason) for path, (value, reason) in chosen.items()}


def _with_selected(plan: Plan, tables: Sequence[Table], values: Sequence[Sequence[Decimal]]) -> Plan:
    """Return the plan with new cells; the tables keep their permitted values."""
    from types import MappingProxyType

    free = with_cells(plan, tables, values)
    kept = {
        name: replace(table, low=plan.tables[name].low, high=plan.tables[name].high)
        for name, table in free.tables.items()
    }
    return replace(free, tables=MappingProxyType(kept))


def _cells(
    tables: Sequence[Table],
    indicated: Sequence[Sequence[float | None]],
    picks: Mapping[str, tuple[Decimal, str]],
    factor: float,
    base: ExposureBase,
    data: Adjusted,
    assumed: Assumptions,
) -> tuple[RateCell, ...]:
    """Return every cell with its current, indicated, balanced and selected value."""
    found, wrong, start = [], [], 0
    for t, (table, values) in enumerate(zip(tables, indicated)):
        at = table.value_names.index("value")
        own = slice(start, start + len(table.axes))
        start += len(table.axes)
        factors = base.factors[own]
        index = cell_index(factors, [code[data.policy] for code in base.codes[own]])
        size = int(np.prod([len(item.levels) for item in factors]))
        exposure, claims = sums(index, data.earned, size), sums(index, data.counts, size)
        places = _decimals(table, at) + 1 if assumed.decimals is None else assumed.decimals
        for i, (row, value) in enumerate(zip(table.rows, values)):
            path, current = row_path(table, row), row.values[at]
            if current is None:
                continue
            place = _places(table, row.keys, [item.levels for item in factors])
            cell = None if place is None else int(cell_index(factors, [np.array([p]) for p in place])[0])
            balanced = float(current) if value is None else value * (factor if t == 0 else 1.0)
            selected = to_unit(Decimal(repr(balanced)), shifted(Decimal(1), -places))
            reason = "as indicated, off-balanced, rounded" if value is not None else "not studied: kept"
            if path in picks:
                selected, reason = picks[path]
            elif value is None:
                selected = current
            if (table.low is not None and selected < table.low) or (table.high is not None and selected > table.high):
                wrong.append(problem("RM594", path=path, value=selected, low=table.low, high=table.high))
            found.append(
                RateCell(
                    path,
                    table.name,
                    i,
                    current,
                    float(current) if value is None else value,
                    balanced,
                    selected,
                    reason,
                    0.0 if cell is None else float(exposure[cell]),
                    0.0 if cell is None else float(claims[cell]),
                )
            )
    if wrong:
        raise ModelError(wrong)
    return tuple(found)


def _decimals(table: Table, at: int) -> int:
    numbers = [row.values[at] for row in table.rows]
    return max((max(0, -int(number.as_tuple().exponent)) for number in numbers if number is not None), default=2)
