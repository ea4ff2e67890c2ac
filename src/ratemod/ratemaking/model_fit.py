"""The fit behind a rate model: what was asked of a table's rows, the cells that are fitted, and how each family is.

Nothing here knows the model a user holds (`rate_model`): parts go out, which that one keeps with its steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ratemod.errors import ModelError, nearest, problem
from ratemod.ratemaking import family as families
from ratemod.ratemaking.arrays import Floats, Integers
from ratemod.ratemaking.cells import Cells, collapse, fold_offset, without
from ratemod.ratemaking.curves import Curve, curve, written
from ratemod.ratemaking.design import Term
from ratemod.ratemaking.glm import Fit, fit_glm, fit_negative_binomial
from ratemod.ratemaking.model_rows import (
    Missing,
    ModelRows,
    Recoveries,
    number_factor,
    read_rows,
)
from ratemod.ratemaking.model_steps import (
    ROUNDS,
    Fixed,
    credible_values,
)
from ratemod.ratemaking.model_tests import (
    tweedie_likelihood,
)
from ratemod.ratemaking.nb2 import fit_nb2
from ratemod.ratemaking.penalty import log_volume, penalty_of, with_strengths
from ratemod.ratemaking.row_sums import with_distinct_rows
from ratemod.reading.header import HeaderMap
from ratemod.reading.text_levels import level_name

FamilyName = Literal["poisson", "overdispersed_poisson", "negative_binomial", "nb2", "gamma", "tweedie"]
NETTED = ("overdispersed_poisson", "tweedie")
WEIGHTED = ("poisson", "overdispersed_poisson", "gamma", "tweedie")
SETTLED_TOGETHER = 1e-8  # of log relativities of several credible factors
EXPOSURE = "(exposure)"  # of the rows of a cell, where a family needs it row by row
KEY_LEVELS = 50  # a column of more different values than this, and than half the rows, names the rows


@dataclass(frozen=True, eq=False)
class Asked:
    """What a model was asked for.

    Attributes
    ----------
    total, weight, known_factor : columns; terms : of the fit, in order
    family : name; power : of "tweedie"
    reference : level by factor; curves : of the covariates; kinds : what was written of each
    missing, recoveries, header_map : how the table is read
    sample_weight : column, or None; credible : factors whose relativities are drawn to their mean
    """

    total: str
    weight: str
    known_factor: str | None
    terms: tuple[Term, ...]
    family: FamilyName
    power: float
    reference: Mapping[str, str]
    curves: tuple[Curve, ...]
    kinds: Mapping[str, str]
    missing: Missing
    recoveries: Recoveries
    header_map: HeaderMap | None
    sample_weight: str | None
    credible: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Fitted:
    """Parts of a model.

    Attributes
    ----------
    cells : what was fitted, weighted as the rows; fitted : the cells of the fit itself, which differ for "nb2"
    fit : Fit; asked : with references, curves and their strengths; fixed : relativities that were set
    """

    cells: Cells
    fitted: Cells
    fit: Fit
    asked: Asked
    fixed: tuple[Fixed, ...]


def fitted_rows(data: Any, asked: Asked) -> tuple[Fitted, ModelRows]:
    """Return the parts of a model of a table, and its rows."""
    kinds = asked.kinds
    names = [term[0] for term in asked.terms if len(term) == 1 and term[0] not in kinds]
    known = [asked.known_factor] if asked.known_factor else []
    times = [asked.sample_weight] if asked.sample_weight else []
    rows = read_rows(
        data,
        levels=[*names, *asked.credible],
        amounts=[asked.total, asked.weight],
        positive=[*known, *times, *(name for name, kind in kinds.items() if written(name, kind).kind == "log")],
        numbers=list(kinds),
        missing=asked.missing,
        recoveries=asked.recoveries,
        header_map=asked.header_map,
    )
    used = rows.accounts.used
    keys = [
        problem("RM480", column=factor.name, levels=len(factor.levels), rows=used)
        for factor in rows.factors
        if len(factor.levels) > max(KEY_LEVELS, used // 2)
    ]
    if keys:
        raise ModelError(keys)
    laid = replace(asked, **_references(asked, rows, names))
    cells = _collapsed(rows, laid, [rows.numbers[name] for name in known])
    smooth = _smoothed(cells, laid)
    return fitted_cells(cells, smooth, _credible(cells, smooth)), rows


def _credible(cells: Cells, asked: Asked) -> tuple[Fixed, ...]:
    """Return the relativities of the credible factors, one after the other until none moves."""
    now = {name: np.ones(len(cells.factors[cells.position(name)].levels)) for name in asked.credible}
    for _ in range(ROUNDS):
        moved = 0.0
        for name in now:

            def refit(values: Floats, name: str = name) -> Fit:
                held = {**now, name: values}
                return fit_of(cells, asked, [set_relativities(other, "credible", held[other]) for other in held])

            values, _ = credible_values(cells, name, refit, None)
            moved = max(moved, float(np.abs(np.log(values / now[name])).max()))
            now[name] = values
        if moved <= SETTLED_TOGETHER or len(now) < 2:
            return tuple(set_relativities(name, "credible", values) for name, values in now.items())
    raise ModelError(problem("RM540", iterations=ROUNDS, change=moved))


def _smoothed(cells: Cells, asked: Asked) -> Asked:
    """Return what was asked with the strength of every penalised curve: of counts that of a Poisson model, and of all
    models that without the credible factors.
    """
    if not any(item.kind == "penalised" for item in asked.curves):
        return asked
    for name in asked.credible:
        cells = without(cells, name)
    family = "poisson" if asked.family in ("negative_binomial", "nb2") else asked.family

    def tried(curves: tuple[Curve, ...]) -> tuple[float, float, float]:
        fit = fit_of(cells, replace(asked, family=family, curves=curves), ())
        cost, penalty = (
            fit.family.deviance(cells.total / cells.weight, fit.fitted, cells.weight),
            penalty_of(fit.design),
        )
        if penalty is not None:
            cost += float(fit.coefficient @ penalty @ fit.coefficient)
        return cost, log_volume(fit.covariance, fit.dispersion), fit.dispersion

    mean = np.full(1, float(cells.total.sum() / cells.weight.sum()))
    held = float(cells.weight.sum() * (mean**2 / _chosen(family, asked.power).variance(mean))[0])
    return replace(asked, curves=with_strengths(asked.curves, held, tried))


def _references(asked: Asked, rows: ModelRows, names: Sequence[str]) -> dict[str, Any]:
    """Return the references of the factors as names of levels, and the curves with theirs."""
    given = dict(asked.reference)
    wrong = [
        problem("RM527", name=name, nearest=nearest(name, [*names, *asked.kinds]))
        for name in given
        if name not in names and name not in asked.kinds
    ]
    curves, weight = [], rows.numbers[asked.weight]
    for name, kind in asked.kinds.items():
        value = given.pop(name, None)
        try:
            at = None if value is None else float(value)
        except (TypeError, ValueError):
            at = float("nan")
        if at is not None and not (np.isfinite(at) and (at > 0 or written(name, kind).kind != "log")):
            wrong.append(problem("RM487", column=name, value=repr(value)))
            continue
        curves.append(curve(name, kind, rows.numbers[name], weight, at))
    if wrong:
        raise ModelError(wrong)
    return {"reference": {name: level_name(level) for name, level in given.items()}, "curves": tuple(curves)}


def _collapsed(rows: ModelRows, asked: Asked, known: Sequence[Floats]) -> Cells:
    factors, codes = list(rows.factors), list(rows.codes)
    for item in asked.curves:
        factor, code = number_factor(item.name, rows.numbers[item.name])
        factors.append(factor)
        codes.append(code)
    loss, exposure = rows.numbers[asked.total], rows.numbers[asked.weight]
    times = rows.numbers[asked.sample_weight] if asked.sample_weight else None
    if asked.family == "nb2":
        factor, code = number_factor(EXPOSURE, exposure * known[0] if known else exposure)
        one = np.ones(len(loss))
        cells = collapse([*factors, factor], [*codes, code], one, loss)
        return replace(cells, beside=with_distinct_rows(cells.beside, one, loss))
    power, offset = {"gamma": 2.0, "tweedie": asked.power}.get(asked.family, 1.0), None
    if known:
        offset = np.log(known[0])
        exposure, loss = fold_offset(exposure, loss, offset, power)
    net = asked.recoveries == "net"
    cells = collapse(
        factors,
        codes,
        exposure,
        loss,
        power=power if 1 < power < 2 else None,
        offset=offset,
        times=times,
        recoveries=net,
    )
    if asked.family == "negative_binomial":
        return replace(cells, beside=with_distinct_rows(cells.beside, exposure, loss))
    if asked.family == "tweedie" and not known and not (loss < 0).any():
        paid = np.where(loss > 0, exposure, 0.0)
        return replace(cells, beside=with_distinct_rows(cells.beside, paid, loss, times))
    return cells


def set_relativities(factor: str, method: str, values: Floats) -> Fixed:
    """Return relativities as set by a method."""
    return Fixed(factor=factor, method=method, relativity=tuple(float(value) for value in values))


def fit_of(fitted: Cells, asked: Asked, fixed: Sequence[Fixed]) -> Fit:
    """Return the fit of what was asked beside relativities that were set."""
    offset = known_offset(fitted, fixed)
    held = {item.factor for item in fixed}
    terms = [term for term in asked.terms if not held & set(term)]
    reference = {name: level for name, level in asked.reference.items() if name not in held}
    if asked.family == "negative_binomial":
        return fit_negative_binomial(fitted, terms, reference=reference, curves=asked.curves, offset=offset)
    if asked.family == "nb2":
        return fit_nb2(fitted, terms, reference=reference, curves=asked.curves, offset=offset)
    chosen = _chosen(asked.family, asked.power)
    return fit_glm(fitted, terms, chosen, reference=reference, curves=asked.curves, offset=offset)


def fitted_cells(fitted: Cells, asked: Asked, fixed: tuple[Fixed, ...]) -> Fitted:
    """Return the parts of a model of cells, with relativities set beside those that are fitted."""
    found, cells = fit_of(fitted, asked, fixed), fitted
    if asked.family == "tweedie":
        found = tweedie_likelihood(found, fitted)
    if asked.family == "nb2":
        at = fitted.position(EXPOSURE)
        each = np.array([float(level) for level in fitted.factors[at].levels])[fitted.codes[:, at]]
        cells = without(replace(fitted, weight=fitted.weight * each), EXPOSURE)
    return Fitted(cells=cells, fitted=fitted, fit=found, asked=asked, fixed=fixed)


def known_offset(fitted: Cells, fixed: Sequence[Fixed]) -> Floats | None:
    """Return the known log multiplier of each cell: its exposure for "nb2", and what was set; None where it is 0."""
    names = [factor.name for factor in fitted.factors]
    known = [np.log(item.relativity)[_codes(fitted, item.factor)] for item in fixed]
    if EXPOSURE in names:
        each = np.log(np.array([float(level) for level in fitted.factors[names.index(EXPOSURE)].levels]))
        known.append(each[_codes(fitted, EXPOSURE)])
    return np.sum(known, axis=0) if known else None


def _codes(cells: Cells, name: str) -> Integers:
    return cells.codes[:, cells.position(name)]


def kinds_of(covariates: Mapping[str, str] | Sequence[str]) -> dict[str, str]:
    """Return what each covariate is fitted as; what is written wrongly is refused."""
    kinds = dict(covariates) if isinstance(covariates, Mapping) else dict.fromkeys(covariates, "linear")
    for name, kind in kinds.items():
        written(name, kind)
    return kinds


def _chosen(family: FamilyName, power: float) -> families.Family:
    if family == "gamma":
        return families.gamma()
    if family == "tweedie":
        return families.tweedie(power)
    return families.poisson(overdispersed=family == "overdispersed_poisson")


def check_family(
    family: str, power: float, known_factor: str | None, sample_weight: str | None, recoveries: str
) -> None:
    """Refuse what a family does not take."""
    if family == "negative_binomial" and known_factor:
        raise ModelError(problem("RM566", family=family, known_factor=known_factor))
    if sample_weight and family in ("negative_binomial", "nb2"):
        raise ModelError(problem("RM477", option="sample_weight", family=family, families=", ".join(WEIGHTED)))
    if recoveries == "net" and family not in NETTED:
        raise ModelError(problem("RM477", option="recoveries", family=family, families=", ".join(NETTED)))
    if family == "tweedie":
        families.tweedie(power)
