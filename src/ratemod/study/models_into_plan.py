"""From fitted models to a plan that stands already: their relativities in its tables, their level in its rates.

Frequency × severity, or a model of the pure premium, of factors that are columns of the plan. Every term goes to the
first table whose axes hold its factors; r is the product of the terms of a table:
    cell (factors)   r · Σ w·current / Σ w·r      the table keeps its average over the data's exposure w
    cell (rates)     r · (base rate of the models) · f
where f, the off-balance, is solved through the rating itself: the premium of a book under the new cells, no cap on
renewals in force, is its expected losses Σ exposure · Π mean over the target loss ratio. A constant may carry f instead
of a table of rates. Cells whose level the data lack keep their current distance from their table's average.

Source: Werner & Modlin, *Basic Ratemaking*, 5th ed., ch. 14 (base rate, off-balance).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemod.errors import BookError, ModelError, nearest, problem
from ratemod.money import to_unit
from ratemod.plan.edit import row_path
from ratemod.plan.model import ANY, Band, Plan, Row, Source, Table
from ratemod.plan.op.look_up import Lookup
from ratemod.plan.write import edition_files
from ratemod.ratemaking.arrays import Booleans, Floats
from ratemod.ratemaking.model_steps import band_names
from ratemod.ratemaking.rate_model import RateModel
from ratemod.rating.cases import recomputed
from ratemod.rating.rate import rate
from ratemod.reading.book import Book
from ratemod.reading.convert import convert
from ratemod.reading.read import read_book
from ratemod.rules.number import shifted
from ratemod.rules.options import strict
from ratemod.rules.within import Amount, Chance
from ratemod.study.balance import WIDEST
from ratemod.study.caps import uncapped
from ratemod.study.exposure_base import RATE_UNITS, column_of, with_cells
from ratemod.vocabulary.column import Column
from ratemod.whole_file import whole_folder

if TYPE_CHECKING:
    import pandas as pd

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelCell:
    """One cell: its path, current value, what the models say of it (before the off-balance), what stands, and why."""

    path: str
    table: str
    row: int
    current: Decimal
    indicated: float
    selected: Decimal
    reason: str


@dataclass(frozen=True, eq=False)
class ModelledPlan:
    """A plan with the numbers of models in it.

    Attributes
    ----------
    plan : with the new numbers; before : as it was; models : by name
    cells : every cell of the tables that were changed; level : the table or constant that carries the level
    factor : the off-balance f on it; expected_yuan, premium_yuan : of the book's priced rows, no cap in force
    target, reached : loss ratios; left_out : terms of the models that no table holds
    priced, refused : rows of the book
    """

    plan: Plan
    before: Plan
    models: Mapping[str, RateModel]
    cells: tuple[ModelCell, ...]
    level: str
    factor: float
    expected_yuan: float
    premium_yuan: float
    target: float
    reached: float
    left_out: tuple[str, ...]
    priced: int
    refused: int

    def frame(self) -> pd.DataFrame:
        """Return one row a cell: path, current, indicated, selected, reason."""
        import pandas as pd

        return pd.DataFrame(
            [
                (cell.path, float(cell.current), cell.indicated, float(cell.selected), cell.reason)
                for cell in self.cells
            ],
            columns=["path", "current", "indicated", "selected", "reason"],
        )

    def files(self, *, edition: str, new_from: date, source: str) -> dict[str, str]:
        """Return the files of the edition by path inside its folder; see `ratemod.plan.write.edition_files`."""
        name = f"models_{edition}".replace("-", "_").replace(".", "_").lower()
        constants = dict(self.plan.constants)
        if self.level in constants:
            constants[self.level] = replace(constants[self.level], source=name)
        new = replace(self.plan, edition=edition, constants=MappingProxyType(constants))
        notes: dict[str, dict[int, str]] = {}
        for cell in self.cells:
            said = f"current {cell.current:f}; indicated {cell.indicated:.6g}; {cell.reason}"
            notes.setdefault(cell.table, {})[cell.row] = said
        cases = [replace(case, expect=recomputed(new, case), source=f"inputs as in edition {self.before.edition}; "
                         "expected values computed in exact arithmetic") for case in new.cases]  # fmt: skip
        return edition_files(
            new,
            edition=edition,
            new_from=new_from,
            source=Source(name, source, "derived", new_from),
            notes=self._notes(edition, source),
            cases=cases,
            reasons=notes,
            constants=[self.level] if self.level in self.plan.constants else [],
        )

    def write(self, folder: str | Path, *, edition: str, new_from: date, source: str) -> Path:
        """Write the edition into ``folder/scheme/edition``, which must not be there yet, and return it.

        Raises
        ------
        FileExistsError
            When the edition is there: nothing is written over.
        """
        files = self.files(edition=edition, new_from=new_from, source=source)
        target: Path = Path(folder) / self.plan.scheme / edition
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            raise FileExistsError(target)
        with whole_folder(target) as part:
            for name, content in files.items():
                (part / name).parent.mkdir(parents=True, exist_ok=True)
                (part / name).write_text(content, encoding="utf-8", newline="")
        return target

    def _notes(self, edition: str, source: str) -> str:
        lines = [
            f"# {self.plan.scheme} {edition}: edition from fitted models",
            "",
            f"Made from {self.before.id}. {source}.",
        ]
        lines += ["", *(f"- {name}: {model!r}" for name, model in self.models.items())]
        lines += [
            f"- Expected losses of the book {self.expected_yuan:,.2f}, premium {self.premium_yuan:,.2f}: loss ratio "
            f"{self.reached:.4%} (target {self.target:.4%}); {self.priced:,} rows priced, {self.refused:,} not.",
            f"- The level stands in {self.level}; off-balance factor {self.factor:.6f}.",
        ]
        lines += (
            [f"- In no table, and so only taken into account: {', '.join(self.left_out)}."] if self.left_out else []
        )
        lines += ["", "| cell | current | indicated | selected | reason |", "|---|---|---|---|---|"]
        lines += [f"| {c.path} | {c.current:f} | {c.indicated:.6g} | {c.selected:f} | {c.reason} |" for c in self.cells]
        return "\n".join(lines) + "\n"

    def __repr__(self) -> str:
        return (
            f"<{self.plan.id} from {' × '.join(self.models)}: {len(self.cells)} cells, loss ratio {self.reached:.2%} "
            f"(target {self.target:.2%}), off-balance {self.factor:.4f} on {self.level}; {self.priced:,} rows priced, "
            f"{self.refused:,} not>"
        )


@strict
def with_models(
    plan: Plan,
    models: RateModel | Mapping[str, RateModel],
    book: Any,
    *,
    exposure: str,
    target: Chance,
    tables: Sequence[str] = (),
    level: str = "",
    columns: Mapping[str, str] | None = None,
    scale: Amount = 1.0,
) -> ModelledPlan:
    """Put fitted models into a plan.

    Parameters
    ----------
    plan : Plan read from a folder
    models : a model of the pure premium, or several whose product it is; their factors are columns of the plan, their
        levels its codes or labels
    book : what will be priced, as `rate` takes it; with every factor of the models
    exposure : column of the book in the unit of the models' exposure (years insured, heads)
    target : loss ratio aimed at
    tables : to be changed; default all whose axes are factors of the models
    level : table or constant that carries the level; default the first changed table that holds rates
    columns : factor of the models -> column of the plan, where their names differ
    scale : yuan that one unit of the models' product stands for: the cost of a claim where only a frequency is given

    Raises
    ------
    ModelError
        RM478 levels that the plan's column lacks; RM479 a table or model that does not fit the other; RM485 no level;
        RM592 no row can be priced; RM593 a target out of reach; PlanError where a cell leaves its permitted values.
    BookError
        Where the book lacks the exposure or a factor.

    Examples
    --------
    `docs/how-to/motor-tariff.md` goes from data to an edition.
    """
    named = {"pure premium": models} if isinstance(models, RateModel) else dict(models)
    called = dict(columns or {})
    wanted, carrier, left_out = _wanted(plan, named, called, tables, level, scale)
    rows = book if isinstance(book, Book) else read_book(book, plan.columns)
    expected, usable = _expected(plan, rows, named, called, exposure, scale)
    awaited = _Awaited(book=rows, expected=expected, usable=usable)
    free = uncapped(plan)

    def miss(factor: float) -> float:
        paid, losses, _ = awaited.premium(_with_factor(free, wanted, carrier, factor)[0])
        return paid * target / losses - 1

    factor = _solved(miss, target)
    landed, values = _with_factor(free, wanted, carrier, factor, rounded=True)
    paid, losses, priced = awaited.premium(landed)
    cells = _landed(wanted, values)
    changes = {cell.path: cell.selected for cell in cells}
    if carrier not in plan.tables:
        changes[f"constants.{carrier}"] = landed.constants[carrier].value
    return ModelledPlan(
        plan=replace(plan.replace(changes), overlay=()),
        before=plan,
        models=MappingProxyType(named),
        cells=cells,
        level=carrier,
        factor=factor,
        expected_yuan=losses,
        premium_yuan=paid,
        target=target,
        reached=losses / paid,
        left_out=left_out,
        priced=priced,
        refused=rows.table.num_rows - priced,
    )


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class _Wanted:
    """What models say of one table, row by row: relativities, None where they know nothing; cells before factor f."""

    table: Table
    relative: list[float | None]
    cells: list[float | None]


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class _Awaited:
    """A book of n rows: the losses expected of each, (n,) yuan, and whether the models know it, (n,)."""

    book: Book
    expected: Floats
    usable: Booleans

    def premium(self, plan: Plan) -> tuple[float, float, int]:
        """Return premium and expected losses of the rows that a plan prices, in yuan, and how many they are."""
        rated = rate(self.book, plan, lang="en", trace=False)
        priced = self.usable & (rated.verdict.status < 2)
        if not priced.any():
            raise ModelError([problem("RM592"), *rated.problems[:10]])
        return (
            float(rated.outputs.premium_fen[priced].sum()) / 10**plan.money.decimals,
            float(self.expected[priced].sum()),
            int(priced.sum()),
        )


def _wanted(
    plan: Plan,
    models: Mapping[str, RateModel],
    called: Mapping[str, str],
    names: Sequence[str],
    level: str,
    scale: float,
) -> tuple[tuple[_Wanted, ...], str, tuple[str, ...]]:
    """Return what models say of the tables that hold their terms, what carries the level, terms that none holds."""
    terms = {
        (name, term): tuple(called.get(factor, factor) for factor in term)
        for name, model in models.items()
        for term in _terms(model)
    }
    tables = _tables(plan, names, {factor for term in terms.values() for factor in term})
    held = _placed(plan, tables, terms)
    chosen = tuple(table for table in tables if held[table.name])
    carrier = _carrier(plan, chosen, level)
    base = float(np.prod([model.base_rate for model in models.values()])) * scale
    wanted = []
    for table in chosen:
        of = held[table.name]
        relative = [_relativity(plan, table, row, of, models, called) for row in table.rows]
        top = base if table.name == carrier else None
        cells = _cells(plan, table, relative, of, models, called, top)
        wanted.append(_Wanted(table=table, relative=relative, cells=cells))
    placed = {key for of in held.values() for key in of}
    return tuple(wanted), carrier, tuple(":".join(key[1]) for key in terms if key not in placed)


def _with_factor(
    plan: Plan, wanted: Sequence[_Wanted], carrier: str, factor: float, *, rounded: bool = False
) -> tuple[Plan, list[list[Decimal]]]:
    """Return a plan with the cells of models, those of the carrier times f, and all values of each table."""
    values = []
    for one in wanted:
        own = factor if one.table.name == carrier else 1.0
        unit = shifted(Decimal(1), -_places(one.table) - 1)
        made = [None if cell is None else Decimal(repr(cell * own)) for cell in one.cells]
        at = one.table.value_names.index("value")
        values.append([
            row.values[at] or Decimal(0) if cell is None else to_unit(cell, unit) if rounded else cell
            for row, cell in zip(one.table.rows, made)
        ])  # fmt: skip
    new = with_cells(plan, [one.table for one in wanted], values)
    return (new if carrier in plan.tables else _with_constant(new, carrier, factor)), values


def _landed(wanted: Sequence[_Wanted], values: Sequence[Sequence[Decimal]]) -> tuple[ModelCell, ...]:
    """Return every cell that is offered, with what the models say of it and what stands."""
    found = []
    for one, selected in zip(wanted, values):
        at = one.table.value_names.index("value")
        for i, (row, value, cell) in enumerate(zip(one.table.rows, selected, one.cells)):
            current = row.values[at]
            if cell is None or current is None:
                continue
            known = one.relative[i] is not None
            made = ModelCell(
                path=row_path(one.table, row),
                table=one.table.name,
                row=i,
                current=current,
                indicated=cell,
                selected=value,
                reason="as fitted" if known else "not in the data: its current distance kept",
            )
            found.append(made)
    return tuple(found)


def _terms(model: RateModel) -> list[Key]:
    """Return the terms of levels of a model, those that were set among them."""
    plan = model.fit.design
    fitted = [term for term in plan.terms if all(plan.curve(name) is None for name in term)]
    return [*fitted, *((fixed.factor,) for fixed in model.fixed)]


def _tables(plan: Plan, names: Sequence[str], known: set[str]) -> tuple[Table, ...]:
    """Return the tables to change."""
    unknown = [
        problem("RM583", name=name, nearest=nearest(name, plan.tables)) for name in names if name not in plan.tables
    ]
    if unknown:
        raise ModelError(unknown)
    found = []
    for name in names or plan.tables:
        table = plan.tables[name]
        columns = {column_of(plan, table, axis) for axis in table.axes}
        looked_up = any(isinstance(step.operation, Lookup) and step.operation.table == name for step in plan.steps)
        if columns <= known and looked_up and "value" in table.value_names:
            found.append(table)
        elif names:
            raise ModelError(
                problem("RM479", table=name, axes=", ".join(sorted(columns)), factors=", ".join(sorted(known)) or "-")
            )
    if not found:
        axes = "; ".join(", ".join(column_of(plan, t, axis) for axis in t.axes) for t in plan.tables.values())
        raise ModelError(
            problem("RM479", table=", ".join(plan.tables), axes=axes, factors=", ".join(sorted(known)) or "-")
        )
    return tuple(found)


def _carrier(plan: Plan, chosen: Sequence[Table], level: str) -> str:
    """Return the table or constant that carries the level."""
    units = {step.operation.table: step.unit for step in plan.steps if isinstance(step.operation, Lookup)}
    rates = [table.name for table in chosen if (table.unit or units.get(table.name)) in RATE_UNITS]
    able = [*(table.name for table in chosen), *plan.constants]
    if level not in able if level else not rates:
        raise ModelError(problem("RM485", name=level or "-", able=", ".join(able), nearest=nearest(level, able)))
    return level or rates[0]


def _placed(
    plan: Plan, chosen: Sequence[Table], terms: Mapping[tuple[str, Key], Key]
) -> dict[str, list[tuple[str, Key]]]:
    """Return the terms of each table: those of its axes that no table before it holds."""
    held: dict[str, list[tuple[str, Key]]] = {table.name: [] for table in chosen}
    for key, columns in terms.items():
        for table in chosen:
            if set(columns) <= {column_of(plan, table, axis) for axis in table.axes}:
                held[table.name].append(key)
                break
    return held


def _relativity(
    plan: Plan,
    table: Table,
    row: Row,
    held: Sequence[tuple[str, Key]],
    models: Mapping[str, RateModel],
    called: Mapping[str, str],
) -> float | None:
    """Return what the models say of one row of a table, None where they know nothing of it."""
    keys = {column_of(plan, table, axis): key for axis, key in zip(table.axes, row.keys)}
    found = 1.0
    for name, term in held:
        model = models[name]
        levels = [
            _level(plan, model, factor, called.get(factor, factor), keys[called.get(factor, factor)]) for factor in term
        ]
        if any(at is None for at in levels):
            return None
        found *= _of_term(model, term, tuple(at for at in levels if at is not None))
    return found if held else None


def _level(plan: Plan, model: RateModel, factor: str, column: str, key: object) -> int | None:
    """Return the place of a table's key among a factor's levels, by code, label or band; None where there is none."""
    levels = model.cells.factors[model.cells.position(factor)].levels
    if key is ANY:
        return None
    if isinstance(key, Band):
        for at, level in enumerate(levels):
            ends = level.strip("[)").split(", ")
            if len(ends) != 2:
                continue
            low, high = (float(end) for end in ends)
            same_low = key.low is None or float(key.low) == low
            if same_low and (key.high is None or float(key.high) == high) and level == band_names([low, high])[0]:
                return at
        return None
    labels = [plan.level_label(column, str(key), lang) for lang in ("en", "zh")]
    return next((levels.index(name) for name in (str(key), *labels) if name in levels), None)


def _of_term(model: RateModel, term: Key, at: tuple[int, ...]) -> float:
    for fixed in model.fixed:
        if (fixed.factor,) == term:
            return float(fixed.relativity[at[0]])
    plan = model.fit.design
    t = plan.terms.index(term)
    for j, key in enumerate(zip(plan.column_term, plan.column_levels)):
        if key == (t, at):
            return float(np.exp(model.fit.coefficient[j]))
    return 1.0


def _cells(
    plan: Plan,
    table: Table,
    relative: Sequence[float | None],
    held: Sequence[tuple[str, Key]],
    models: Mapping[str, RateModel],
    called: Mapping[str, str],
    base: float | None,
) -> list[float | None]:
    """Return the value of every row before the off-balance, None where nothing is offered."""
    at = table.value_names.index("value")
    now = [None if not row.offered or row.values[at] is None else float(row.values[at] or 0) for row in table.rows]
    weight = _weights(plan, table, held, models, called) if held else [1.0] * len(now)
    known = [i for i, value in enumerate(relative) if value is not None and now[i] is not None and weight[i] > 0]
    mass = sum(weight[i] for i in known)
    current = sum(weight[i] * (now[i] or 0.0) for i in known) / mass if mass else 1.0
    fitted = sum(weight[i] * (relative[i] or 0.0) for i in known) / mass if mass else 1.0
    top = current / fitted if base is None else base
    return [
        None
        if value is None
        else (relative[i] or 0.0) * top
        if relative[i] is not None
        else value / current * fitted * top
        for i, value in enumerate(now)
    ]


def _weights(
    plan: Plan,
    table: Table,
    held: Sequence[tuple[str, Key]],
    models: Mapping[str, RateModel],
    called: Mapping[str, str],
) -> list[float]:
    """Return the exposure of each row of a table in the data of the first model that says something of it."""
    name = held[0][0]
    model = models[name]
    factors = list(dict.fromkeys(factor for other, term in held if other == name for factor in term))
    codes = model.cells.codes[:, [model.cells.position(factor) for factor in factors]]
    mass: dict[tuple[int, ...], float] = {}
    for code, weight in zip(map(tuple, codes.tolist()), model.cells.weight.tolist()):
        mass[code] = mass.get(code, 0.0) + weight
    found = []
    for row in table.rows:
        keys = {column_of(plan, table, axis): key for axis, key in zip(table.axes, row.keys)}
        at = tuple(_level(plan, model, f, called.get(f, f), keys[called.get(f, f)]) for f in factors)
        found.append(mass.get(at, 0.0))  # type: ignore[arg-type]
    return found


def _expected(
    plan: Plan, book: Book, models: Mapping[str, RateModel], called: Mapping[str, str], exposure: str, scale: float
) -> tuple[Floats, Booleans]:
    """Return the expected losses of every row of a book in yuan, and which rows the models know."""
    import pandas as pd

    names = book.table.column_names
    needed = {called.get(f, f) for model in models.values() for f in _columns(model)}
    lacking = [name for name in (exposure, *sorted(needed)) if name not in names]
    if lacking:
        raise BookError(problem("RM666", name=name, nearest=nearest(name, names)) for name in lacking)
    amount = plan.columns.get(exposure, Column(exposure, "number"))
    held = np.asarray(convert(book.table[exposure], amount, book.conversions.get(exposure)).values, dtype=np.float64)
    usable = np.isfinite(held) & (held >= 0)
    mean = np.full(len(held), scale)
    for model in models.values():
        frame = {factor: _said(plan, book, model, factor, called.get(factor, factor)) for factor in _columns(model)}
        found = model.predictions(pd.DataFrame(frame, index=range(len(held))))
        mean *= found["mean"].to_numpy()
    usable &= np.isfinite(mean)
    return np.where(usable, np.nan_to_num(held) * np.nan_to_num(mean), 0.0), usable


def _columns(model: RateModel) -> list[str]:
    """Return the factors and covariates that a model reads."""
    named = [name for term in model.fit.design.terms for name in term] + [fixed.factor for fixed in model.fixed]
    return list(dict.fromkeys(named))


def _said(plan: Plan, book: Book, model: RateModel, factor: str, column: str) -> list[Any]:
    """Return what a model calls the levels of a column of the book; numbers as they are."""
    spec = plan.columns.get(column)
    if spec is None:
        return list(book.table[column].to_pylist())
    values = np.asarray(convert(book.table[column], spec, book.conversions.get(column)).values)
    codes = spec.codes()
    if not codes:
        return list(values.tolist())
    levels = model.cells.factors[model.cells.position(factor)].levels
    names = [next((name for name in (code, *(plan.level_label(column, code, lang) for lang in ("en", "zh")))
                   if name in levels), code) for code in codes]  # fmt: skip
    odd = [level for level in levels if level not in names]
    if odd:
        raise ModelError(
            problem("RM478", factor=factor, level=level, column=column, nearest=nearest(level, codes)) for level in odd
        )
    return [names[int(at)] if at >= 0 else None for at in values]


def _with_constant(plan: Plan, name: str, factor: float) -> Plan:
    constant = plan.constants[name]
    value = Decimal(repr(float(constant.value or 0) * factor))
    places = max(0, -int(value.adjusted()) + 7)
    made = replace(constant, value=to_unit(value, shifted(Decimal(1), -places)))
    return replace(plan, constants=MappingProxyType({**plan.constants, name: made}))


def _places(table: Table) -> int:
    numbers = [row.values[table.value_names.index("value")] for row in table.rows]
    return max((max(0, -int(number.as_tuple().exponent)) for number in numbers if number is not None), default=2)


def _solved(miss: Callable[[float], float], target: float) -> float:
    """Return the factor at which a book's premium meets its target."""
    from scipy.optimize import brentq

    first = 1.0
    for _ in range(20):  # premium moves almost in proportion, so that a few steps bring it near
        off = miss(first) + 1
        first /= off
        if abs(off - 1) < 1e-9:
            return first
    low, high = first / WIDEST, first * WIDEST
    least, most = miss(low), miss(high)
    if least > 0 or most < 0:
        low_, high_ = (f"{target / (1 + off):.2%}" for off in (most, least))
        raise ModelError(problem("RM593", target=f"{target:.2%}", least=low_, most=high_))
    return float(np.exp(brentq(lambda x: miss(float(np.exp(x))), np.log(low), np.log(high), xtol=1e-9)))
