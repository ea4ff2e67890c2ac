"""From a model to a plan: its base rate as a constant, each factor as a table, exposure × all of them as the premium.

With relativities rounded to the places of a tariff, the base rate carries the off-balance, so that the rounded tariff
expects of the fitted rows what the model does:
    base = Σ w·μ / Σ w·Π r̃  over the cells, divided by the loss ratio that is aimed at where the model is of losses.
The worked cases are computed here, in exact decimals, not by the engine that prices the plan.

Source: Werner & Modlin, *Basic Ratemaking*, 5th ed., ch. 14 (base rate and off-balance).
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemod.errors import ModelError, problem
from ratemod.money import to_unit
from ratemod.ratemaking.cells import Cells
from ratemod.rules.edit import toml_text
from ratemod.rules.number import shifted
from ratemod.rules.options import strict
from ratemod.rules.within import Whole

if TYPE_CHECKING:
    from ratemod.ratemaking.rate_model import RateModel

BASE_DIGITS = 8
CASES = 3
CENT = Decimal("0.01")
RESERVED = ("policy_no", "exposure", "base_rate", "expected", "premium")


@dataclass(frozen=True, slots=True)
class _Table:
    """A table to write: its axes, and a rounded relativity for every combination of their levels."""

    name: str
    axes: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    values: dict[tuple[int, ...], Decimal]
    fitted: dict[tuple[int, ...], float]


@strict
def model_files(
    model: RateModel,
    *,
    scheme: str,
    edition: str,
    new_from: date,
    title: str,
    source: str,
    loading: Decimal | str | int = 1,
    places: Whole = 3,
) -> dict[str, str]:
    """Return the files of a plan that charges what a model expects, by path inside its folder.

    Parameters
    ----------
    model : RateModel of levels; covariates are banded first (`RateModel.band`)
    scheme, edition, new_from, title : identity of the plan
    source : what the numbers rest on, such as the title of the data
    loading : yuan of premium for each unit that the model expects: the cost of a claim (of a frequency), or 1 / loss
        ratio (of losses)
    places : decimals of the relativities

    Returns
    -------
    dict of path to text: ``plan.toml``, ``tables/*.csv``, ``cases/cases.toml``, ``NOTES.md``

    Raises
    ------
    ModelError
        RM499 a covariate that is still a curve, or a known factor; RM502 a loading that is not above zero.
    """
    curves = [item.name for item in model.fit.design.curves]
    known = [model.asked.known_factor] if model.asked.known_factor else []
    if curves or known:
        raise ModelError(problem("RM499", name=name) for name in (*curves, *known))
    times = Decimal(str(loading))
    if not times > 0:
        raise ModelError(problem("RM502", name="loading", wrong=1, first=0))
    tables = _tables(model, places)
    expected, rated = _expected(model), np.ones(len(model.cells.weight))
    for table in tables:
        at = [model.cells.position(name) for name in table.axes]
        rated *= np.array([float(table.values[tuple(row)]) for row in model.cells.codes[:, at].tolist()])
    balance = float(expected.sum() / (model.cells.weight @ rated))
    base = _significant(Decimal(balance) * times)
    files = {"plan.toml": _plan(model, tables, base, scheme, edition, new_from, title, source)}
    for table in tables:
        files[f"tables/{table.name}.csv"] = _csv(table)
    files["cases/cases.toml"] = toml_text({"case": _cases(model, tables, base)})
    files["NOTES.md"] = _notes(model, tables, title, source, balance, times, base, places)
    return files


def write_model(model: RateModel, folder: str | Path, **identity: Any) -> Path:
    """Write the files of `model_files` into ``folder/scheme/edition``, which must not be there yet, and return it.

    Raises
    ------
    ModelError
        RM499, RM502 as in `model_files`.
    FileExistsError
        When the edition is there: nothing is written over.
    """
    files = model_files(model, **identity)
    place: Path = Path(folder) / identity["scheme"] / identity["edition"]
    place.mkdir(parents=True, exist_ok=False)
    for name, content in files.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(content, encoding="utf-8")
    return place


def _expected(model: RateModel) -> Any:
    from ratemod.ratemaking.glm import predict

    cells = model.cells
    codes = np.zeros((len(cells.weight), len(model.fit.design.factors)), dtype=np.int64)
    codes[:, : cells.codes.shape[1]] = cells.codes
    mean = predict(model.fit, codes)[0]
    for fixed in model.fixed:
        mean = mean * np.array(fixed.relativity)[cells.codes[:, cells.position(fixed.factor)]]
    return cells.weight * mean


def _tables(model: RateModel, places: int) -> list[_Table]:
    plan, cells = model.fit.design, model.cells
    found = []
    columns = {key: j for j, key in enumerate(zip(plan.column_term, plan.column_levels))}
    for t, term in enumerate(plan.terms):
        shape = [len(cells.factors[cells.position(name)].levels) for name in term]
        grid = [tuple(int(code) for code in at) for at in np.ndindex(*shape)]
        log = {at: float(model.fit.coefficient[columns[t, at]]) if (t, at) in columns else 0.0 for at in grid}
        fitted = {at: float(np.exp(value)) for at, value in log.items()}
        found.append(_table(cells, term, fitted, places))
    for fixed in model.fixed:
        found.append(_table(cells, (fixed.factor,), {(i,): r for i, r in enumerate(fixed.relativity)}, places))
    return found


def _table(cells: Cells, term: tuple[str, ...], fitted: dict[tuple[int, ...], float], places: int) -> _Table:
    unit = shifted(Decimal(1), -places)
    return _Table(
        name="_x_".join(_name(cells, factor) for factor in term),
        axes=term,
        levels=tuple(cells.factors[cells.position(name)].levels for name in term),
        values={at: max(to_unit(Decimal(value), unit), unit) for at, value in fitted.items()},
        fitted=fitted,
    )


def _name(cells: Cells, factor: str) -> str:
    """Return the name of a factor's column in the plan: its own where that is a name of the format, and free."""
    plain = [_plain(other.name) for other in cells.factors]
    at = cells.position(factor)
    taken = plain.count(plain[at]) > 1 or plain[at] in RESERVED or "_x_" in plain[at]
    return plain[at] if plain[at][:1].isalpha() and not taken else f"factor_{at + 1}"


def _plain(name: str) -> str:
    return "".join(char if char.isascii() and char.isalnum() else "_" for char in name).strip("_").lower()


def _code(level: int) -> str:
    return f"level_{level + 1}"


def _significant(value: Decimal) -> Decimal:
    return to_unit(value, shifted(Decimal(1), value.adjusted() - BASE_DIGITS + 1))


def _columns(model: RateModel, tables: list[_Table]) -> dict[str, Any]:
    """Return the columns of the plan: the policy, its exposure, and a column of levels for each factor."""
    cells = model.cells
    columns: dict[str, Any] = {
        "policy_no": {"kind": "text", "label_en": "Policy number", "label_zh": "保单号"},
        "exposure": {
            "kind": "number",
            "label_en": model.asked.weight,
            "label_zh": model.asked.weight,
            "decimals": 4,
            "min": 0,
            "max": "1e9",
        },
    }
    for name in dict.fromkeys(name for table in tables for name in table.axes):
        levels = cells.factors[cells.position(name)].levels
        columns[_name(cells, name)] = {
            "kind": "level",
            "label_en": name,
            "label_zh": name,
            "levels": [{"code": _code(i), "label_en": level, "label_zh": level} for i, level in enumerate(levels)],
        }
    return columns


def _steps(tables: list[_Table]) -> list[dict[str, Any]]:
    """Return the steps of the plan: a look-up for each table, their product with exposure and base rate, rounded."""
    labels = {table.name: " × ".join(table.axes) for table in tables}
    steps: list[dict[str, Any]] = [
        {
            "name": f"{table.name}_factor",
            "op": "lookup",
            "table": table.name,
            "label_en": f"Relativity of {labels[table.name]}",
            "label_zh": f"{labels[table.name]}系数",
        }
        for table in tables
    ]
    steps.append(
        {
            "name": "expected",
            "op": "product",
            "of": ["exposure", "base_rate", *(s["name"] for s in steps)],
            "label_en": "Premium before rounding",
            "label_zh": "取整前保费",
        }
    )
    steps.append(
        {
            "name": "premium",
            "op": "round",
            "of": "expected",
            "unit": "0.01",
            "source": "model",
            "label_en": "Premium",
            "label_zh": "保费",
            "headline": True,
        }
    )
    return steps


def _plan(
    model: RateModel,
    tables: list[_Table],
    base: Decimal,
    scheme: str,
    edition: str,
    new_from: date,
    title: str,
    source: str,
) -> str:
    return toml_text(
        {
            "plan": {
                "scheme": scheme,
                "edition": edition,
                "title_en": title,
                "title_zh": title,
                "standing": "example",
                "status": "draft",
                "new_from": new_from,
                "key": "policy_no",
                "premium": "premium",
                "warning_en": "Written from a fitted model; see NOTES.md. Not a filed tariff.",
                "warning_zh": "由拟合模型生成，见 NOTES.md；并非已备案费率。",
            },
            "source": {"model": {"title": source, "confidence": "illustrative"}},
            "column": _columns(model, tables),
            "constant": {
                "base_rate": {
                    "value": format(base, "f"),
                    "label_en": "Base rate",
                    "label_zh": "基准费率",
                    "source": "model",
                }
            },
            "step": _steps(tables),
        }
    )


def _csv(table: _Table) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = table.name.split("_x_") if len(table.axes) > 1 else [table.name]
    writer.writerow([*names, "value", "source", "note"])
    for at, value in table.values.items():
        shown = ", ".join(levels[i] for levels, i in zip(table.levels, at))
        note = f"{shown}: fitted {table.fitted[at]:.6g}"
        writer.writerow([*(_code(i) for i in at), format(value, "f"), "model", note])
    return out.getvalue()


def _cases(model: RateModel, tables: list[_Table], base: Decimal) -> list[dict[str, Any]]:
    """Return the cells of most weight as worked cases."""
    cells = model.cells
    cases = []
    for place, at in enumerate(np.argsort(-cells.weight, kind="stable")[:CASES].tolist()):
        heads = to_unit(Decimal(repr(float(cells.weight[at] / max(int(cells.rows[at]), 1)))), CENT)
        inputs: dict[str, Any] = {"exposure": format(heads, "f")}
        amount = heads * base
        codes: dict[str, str] = {}
        for table in tables:
            level = tuple(int(cells.codes[at, cells.position(name)]) for name in table.axes)
            amount *= table.values[level]
            codes |= {_name(cells, name): _code(i) for name, i in zip(table.axes, level)}
        premium = to_unit(amount, CENT)
        cases.append(
            {
                "name": f"cell {place + 1} by weight",
                "source": "exposure x base rate x relativities, multiplied here in exact decimals",
                "inputs": inputs | codes,
                "expect": {"premium": format(premium, "f")},
            }
        )
    return cases


def _notes(
    model: RateModel,
    tables: list[_Table],
    title: str,
    source: str,
    balance: float,
    loading: Decimal,
    base: Decimal,
    places: int,
) -> str:
    done = model.rows.accounts
    lines = [
        f"# {title}",
        "",
        f"Written from a model of {model.asked.total} per unit of {model.asked.weight}. Source: {source}.",
        "",
        f"- {model!r}",
        f"- Rows: {done.rows:,} read, {done.used:,} used, {done.refused:,} refused ({model.asked.total} "
        f"{done.refused_total:,.6g}), {done.without_weight:,} without weight.",
        f"- Relativities are rounded to {places} decimals; off-balance of it {balance / model.base_rate:.6f} on the "
        f"model's base rate {model.base_rate:.6g}; loading {loading}; base rate of the plan {base}.",
    ]
    lines += [f"- {step.method} {step.factor}: {step.reason}" for step in model.steps]
    lines += ["", "Relativities, fitted and rounded, stand in the notes of the tables.", ""]
    return "\n".join(lines)
