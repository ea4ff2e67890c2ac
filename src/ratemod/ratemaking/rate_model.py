"""`rate_model`: a table of rows or cells in, relativities with intervals out, for any data set and any variables.

The model is that of `glm`: log link, fitted on cells, with the inference of the rows; numbers are fitted as numbers on
cells of their different values (`curves`). This is the way in for one who has a frame or a file rather than arrays, and
wants a tariff rather than coefficients. The methods that give another model (`merge`, `band`, `restrict`,
`monotone`, `smooth`, `shrink`) are those of `model_steps`, each with a reason in the record.

Source: Ohlsson & Johansson, *Non-Life Insurance Pricing with Generalized Linear Models*, ch. 2; Werner & Modlin, *Basic
Ratemaking*, ch. 10.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ratemod.document.html import card
from ratemod.document.model import Document, Paragraph
from ratemod.errors import BookError, ModelError, Problem, nearest, problem
from ratemod.plan.frame_table import frame_table
from ratemod.ratemaking.arrays import Floats, sums
from ratemod.ratemaking.cells import Cells, merge_levels, regroup
from ratemod.ratemaking.curves import written
from ratemod.ratemaking.glm import Fit, half_width, predict, type_iii
from ratemod.ratemaking.model_fit import (
    Asked,
    FamilyName,
    Fitted,
    check_family,
    fit_of,
    fitted_cells,
    fitted_rows,
    kinds_of,
    known_offset,
    set_relativities,
)
from ratemod.ratemaking.model_plan import write_model
from ratemod.ratemaking.model_rows import (
    Fault,
    Missing,
    ModelRows,
    Recoveries,
    none_usable,
    number_factor,
    number_of_rows,
    read_rows,
)
from ratemod.ratemaking.model_steps import (
    Fixed,
    Step,
    band_names,
    bands_of,
    credible_values,
    given,
    moved_from,
    ordered,
    regrouped,
    smoothed,
)
from ratemod.ratemaking.model_tests import (
    POWERS,
    PowerProfile,
    RatioTest,
    likelihood_ratio,
    tweedie_likelihood,
    tweedie_profile,
)
from ratemod.ratemaking.model_validation import Validation
from ratemod.ratemaking.relativities import Adjustment, Relativity, relativities
from ratemod.reading.header import HeaderMap
from ratemod.rules.options import strict
from ratemod.rules.within import Amount, Chance

if TYPE_CHECKING:
    import pandas as pd

GRID_OF_POWERS = (1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9)


@dataclass(frozen=True, eq=False)
class RateModel:
    """A fitted model and the cells behind it.

    Attributes
    ----------
    cells : what was fitted; its weight and total are those of the rows unless a known factor was folded in
    fit : coefficients, standard errors, dispersion, deviance and AIC (of the rows)
    asked : Asked; rows : ModelRows of the data, with `rows.accounts`
    fitted : the cells of the fit itself: `cells`, but for "nb2" rows by their exposure
    first : Asked, before any step
    fixed : relativities that were set rather than fitted; steps : what was done with the model, in order
    """

    cells: Cells
    fit: Fit
    asked: Asked
    rows: ModelRows
    fitted: Cells
    first: Asked
    fixed: tuple[Fixed, ...] = ()
    steps: tuple[Step, ...] = ()

    @property
    def base_rate(self) -> float:
        """Mean per unit of weight where every factor is at its reference."""
        return float(np.exp(self.fit.coefficient[0]))

    @property
    def refused(self) -> pd.DataFrame:
        """One row a fault of the rows that could not be used: row (from 1), column, value, code, reason."""
        return self.rows.refused()

    @strict
    def frame(self, level: Chance = 0.95) -> pd.DataFrame:
        """Return one row a level: relativity with interval, standard error, weight, total and its one-way rate.

        Relativities that were set rather than fitted have no interval; curves have a frame of their own (`curve`).

        Examples
        --------
        >>> import pandas as pd
        >>> rows = pd.DataFrame({"sector": ["mine", "shop"], "heads": [10, 20], "claims": [4, 2]})
        >>> rows = pd.concat([rows, rows])
        >>> rate_model(rows, total="claims", weight="heads", factors=["sector"]).frame()["relativity"].round(9).tolist()
        [4.0, 1.0]
        """
        import pandas as pd

        found = pd.DataFrame(
            [
                (
                    row.term,
                    row.level,
                    row.weight,
                    row.total,
                    row.value,
                    row.low,
                    row.high,
                    row.log_standard_error,
                    row.is_reference,
                )
                for row in (*relativities(self.fit, self.cells, level), *self._fixed_rows())
            ],
            columns=[
                "factor",
                "level",
                "weight",
                "total",
                "relativity",
                "low",
                "high",
                "log_standard_error",
                "is_reference",
            ],
        )
        found.insert(4, "rate", found["total"] / found["weight"].where(found["weight"] > 0))
        return found

    def _fixed_rows(self) -> list[Relativity]:
        found, nan = [], float("nan")
        for fixed in self.fixed:
            at = self.cells.position(fixed.factor)
            levels = self.cells.factors[at].levels
            code = self.cells.codes[:, at]
            weight, total = (sums(code, x, len(levels)) for x in (self.cells.weight, self.cells.total))
            found += [
                Relativity(fixed.factor, level, value, nan, nan, float(np.log(value)), nan, w, t, False)
                for level, value, w, t in zip(levels, fixed.relativity, weight.tolist(), total.tolist())
            ]
        return found

    @strict
    def curve(self, name: str, at: Sequence[float] | None = None, level: Chance = 0.95) -> pd.DataFrame:
        """Return the curve of a covariate: value, relativity to its reference value, low, high.

        Parameters
        ----------
        name : a covariate
        at : values; default 101 from the smallest to the largest
        level : of the interval, from the covariance of the curve's coefficients

        Raises
        ------
        ModelError
            RM486 when the model has no such covariate.

        Examples
        --------
        >>> rows = {"age": [20.0, 30.0, 40.0, 60.0], "claims": [4, 2, 2, 1], "years": [10.0] * 4}
        >>> model = rate_model(rows, total="claims", weight="years", covariates=["age"], reference={"age": 30})
        >>> model.curve("age", [30, 40])["relativity"].round(4).tolist()
        [1.0, 0.7115]
        """
        import pandas as pd

        plan = self.fit.design
        found = plan.curve(name)
        if found is None or (name,) not in plan.terms:
            known = [item.name for item in plan.curves]
            raise ModelError(
                problem(
                    "RM486",
                    name=name,
                    what="no covariate of this model",
                    needed="a covariate",
                    factors=", ".join(known) or "-",
                    nearest=nearest(name, known),
                )
            )
        values = self.rows.numbers[name]
        x = np.linspace(values.min(), values.max(), 101) if at is None else np.asarray(at, dtype=np.float64)
        columns = np.flatnonzero(np.array(plan.column_term) == plan.terms.index((name,)))
        basis = found.columns(x)
        log = basis @ self.fit.coefficient[columns]
        error = np.sqrt(np.einsum("ij,jk,ik->i", basis, self.fit.covariance[np.ix_(columns, columns)], basis))
        half = half_width(self.fit, level) * error
        return pd.DataFrame(
            {
                "value": x,
                "relativity": np.exp(log),
                "low": np.exp(log - half),
                "high": np.exp(log + half),
                "log_standard_error": error,
            }
        )

    def coefficients(self) -> pd.DataFrame:
        """Return the coefficients of log mean with standard errors, z or t values and p-values."""
        import pandas as pd
        from scipy.special import ndtr, stdtr

        with np.errstate(invalid="ignore"):  # what a bound holds at 0 has no error
            statistic = self.fit.coefficient / self.fit.standard_error
        tail = -np.abs(statistic)
        p = 2 * (ndtr(tail) if self.fit.family.fixed_dispersion else stdtr(self.fit.residual_df, tail))
        return pd.DataFrame(
            {
                "coefficient": self.fit.coefficient,
                "standard_error": self.fit.standard_error,
                "statistic": statistic,
                "p_value": p,
            },
            index=pd.Index(self.fit.design.names, name="term"),
        )

    def tests(self) -> pd.DataFrame:
        """Return a type III test of every term that no interaction contains."""
        import pandas as pd

        found = type_iii(self.fitted, self.fit, known_offset(self.fitted, self.fixed))
        return pd.DataFrame(
            {
                "factor": [":".join(test.term) for test in found],
                "df": [test.df for test in found],
                "statistic": [test.statistic for test in found],
                "kind": [test.kind for test in found],
                "p_value": [test.p_value for test in found],
                "aic_without": [test.aic_without for test in found],
            }
        )

    def predict(self, data: Any, *, header_map: HeaderMap | None = None) -> Floats:
        """Return the mean per unit of weight of every row of a table, (n,) float64.

        Raises
        ------
        BookError
            RM564 with every level that the model does not know: it is never taken for the reference; RM565 with rows
            that have no level or number.
        """
        return self._means(data, header_map)[0]

    @strict
    def predictions(
        self,
        data: Any,
        *,
        level: Chance = 0.95,
        exposure: str | None = None,
        header_map: HeaderMap | None = None,
    ) -> Any:
        """Return mean, low, high, standard error of log mean, code and reason by row; polars for polars, else pandas.

        Rows that cannot be used stay in it, without a mean, with the code and the reason.

        Parameters
        ----------
        data : as in `predict`; level : of the interval of the mean (not of an outcome)
        exposure : column of exposure, in the unit of the weight: then `expected` = mean × exposure stands there too

        Raises
        ------
        BookError
            When the table cannot be read.
        """
        rows, n = self._read(data, header_map, [exposure] if exposure else [])
        at, placed = np.arange(n), list[tuple[int, Fault]]()
        mean, error = np.full(n, self.base_rate), np.full(n, float(self.fit.standard_error[0]))
        if rows is not None:
            mean, error = np.full(n, np.nan), np.full(n, np.nan)
            at, (mean[rows.kept], error[rows.kept], unknown) = rows.kept, self._scored(rows)
            placed = [*zip(rows.places, rows.faults), *((int(rows.kept[fault[0]]), fault) for fault in unknown)]
            lost = [place for place, _ in placed]
            mean[lost], error[lost] = np.nan, np.nan
        half = half_width(self.fit, level) * error
        columns: dict[str, Any] = {
            "mean": mean, "low": mean * np.exp(-half), "high": mean * np.exp(half), "log_standard_error": error,
        }  # fmt: skip
        if exposure and rows is not None:
            columns["expected"] = np.full(n, np.nan)
            columns["expected"][at] = mean[at] * rows.numbers[exposure]
        first: dict[int, tuple[str, str]] = {}
        for place, (_, column, value, code) in placed:
            first.setdefault(place, (code, f"{column}: {'' if value is None else value}"))
        columns["code"] = [first[row][0] if row in first else "" for row in range(n)]
        columns["reason"] = [first[row][1] if row in first else "" for row in range(n)]
        if type(data).__module__.partition(".")[0] == "polars":
            import polars as pl

            return pl.DataFrame(columns)
        import pandas as pd

        return pd.DataFrame(columns, index=data.index if isinstance(data, pd.DataFrame) else None)

    def _read(
        self, data: Any, header_map: HeaderMap | None, exposure: Sequence[str] = ()
    ) -> tuple[ModelRows | None, int]:
        """Return the rows that the model can read, None where it needs no column, and how many came in."""
        plan = self.fit.design
        used = {name for term in plan.terms for name in term} | {fixed.factor for fixed in self.fixed}
        named = [factor.name for factor in plan.factors if factor.name in used and plan.curve(factor.name) is None]
        bent = [item.name for item in plan.curves if item.name in used]
        logs = [item.name for item in plan.curves if item.kind == "log"]
        if not named and not bent and not exposure:
            return None, number_of_rows(data, header_map)
        rows = read_rows(
            data,
            levels=named,
            amounts=[*exposure, *exposure],
            positive=[n for n in bent if n in logs],
            numbers=bent,
            missing=self.asked.missing,
            header_map=header_map,
        )
        return rows, rows.accounts.rows

    def _means(self, data: Any, header_map: HeaderMap | None) -> tuple[Floats, Floats]:
        rows, n = self._read(data, header_map)
        if rows is None:
            return np.full(n, self.base_rate), np.full(n, float(self.fit.standard_error[0]))
        return self._means_of(rows, none_usable(rows.faults))

    def _means_of(self, rows: ModelRows, wrong: list[Problem]) -> tuple[Floats, Floats]:
        """Return the means of rows that were read and the standard errors of their logarithms; all must be known."""
        mean, error, unknown = self._scored(rows)
        levels = {factor.name: factor.levels for factor in self.fit.design.factors}
        wrong += [
            problem("RM564", column=name, value=value, nearest=nearest(value, levels[name]))
            for name, value in dict.fromkeys((name, value) for _, name, value, _ in unknown)
        ]
        if wrong:
            raise BookError(wrong)
        return mean, error

    def _scored(self, rows: ModelRows) -> tuple[Floats, Floats, list[Fault]]:
        """Return means and errors of rows that were read, and the rows of levels that the model does not know."""
        plan, unknown = self.fit.design, list[Fault]()
        codes = np.zeros((len(rows.kept), len(plan.factors)), dtype=np.int64)
        factors, log = list(plan.factors), np.zeros(len(rows.kept))
        for factor, code in zip(rows.factors, rows.codes):
            at = self.cells.position(factor.name)
            known = {level: place for place, level in enumerate(plan.factors[at].levels)}
            names = [regrouped(self.steps, factor.name, name) for name in factor.levels]
            place = np.array([known.get(name, -1) for name in names], dtype=np.int64)[code]
            unknown += [(int(row), factor.name, names[code[row]], "RM564") for row in np.flatnonzero(place < 0)]
            codes[:, at] = np.maximum(place, 0)
        for fixed in self.fixed:
            log += np.log(fixed.relativity)[codes[:, self.cells.position(fixed.factor)]]
        for item in plan.curves:
            if item.name in rows.numbers:
                at = self.cells.position(item.name)
                factors[at], codes[:, at] = number_factor(item.name, rows.numbers[item.name])
        mean, error = predict(replace(self.fit, design=replace(plan, factors=tuple(factors))), codes)
        return mean * np.exp(log), error, unknown

    def validate(self, data: Any, *, header_map: HeaderMap | None = None) -> Validation:
        """Judge the model on rows, such as those of a year that it has not seen.

        Parameters
        ----------
        data : a table with the columns of the model, total and weight included; rows that cannot be used are counted

        Returns
        -------
        Validation: actual against expected by any column, calibration, Gini with interval, double lift

        Raises
        ------
        BookError
            RM564 with levels that the model does not know.

        Examples
        --------
        >>> rows = {"size": ["s", "l", "l"], "heads": [10, 10, 10], "claims": [1, 2, 4], "year": [1, 1, 2]}
        >>> model = rate_model(rows, total="claims", weight="heads", factors=["size"])
        >>> model.validate(rows).by("year")["ratio"].round(4).tolist()
        [0.75, 1.3333]
        """
        asked, plan = self.asked, self.fit.design
        used = {name for term in plan.terms for name in term} | {fixed.factor for fixed in self.fixed}
        bent = [item.name for item in plan.curves if item.name in used]
        known = [asked.known_factor] if asked.known_factor else []
        rows = read_rows(
            data,
            levels=[factor.name for factor in plan.factors if factor.name in used and factor.name not in bent],
            amounts=[asked.total, asked.weight],
            positive=[*known, *(item.name for item in plan.curves if item.name in bent and item.kind == "log")],
            numbers=bent,
            missing=asked.missing,
            header_map=header_map,
        )
        mean = self._means_of(rows, [])[0]
        for name in known:
            mean = mean * rows.numbers[name]
        weight, family = rows.numbers[asked.weight], self.fit.family
        each = weight if family.name != "nb2" else np.ones(len(weight))
        variance = self.fit.dispersion * each * family.variance(weight * mean / each)
        return Validation(
            data=data,
            kept=rows.kept,
            mean=mean,
            weight=weight,
            total=rows.numbers[asked.total],
            variance=variance,
            accounts=rows.accounts,
        )

    def likelihood_ratio(self, smaller: RateModel) -> RatioTest:
        """Test this model against one nested in it, on the same rows: see `model_tests.likelihood_ratio`.

        Raises
        ------
        ModelError
            RM476 when the other is not nested in this one.

        Examples
        --------
        >>> rows = {"size": ["s", "l", "l", "s"], "heads": [10, 10, 10, 10], "claims": [1, 2, 4, 2]}
        >>> call = {"total": "claims", "weight": "heads"}
        >>> test = rate_model(rows, factors=["size"], **call).likelihood_ratio(rate_model(rows, **call))
        >>> test.df, round(test.statistic, 4)
        (1, 1.0194)
        """
        return likelihood_ratio(self, smaller)

    @strict
    def tweedie_profile(self, powers: Sequence[float] = GRID_OF_POWERS, level: Chance = 0.95) -> PowerProfile:
        """Find the likeliest power of a Tweedie of these terms, and its interval.

        Parameters
        ----------
        powers : of a first look, ascending, from 1.05 to 1.95; level : of the interval

        Raises
        ------
        ModelError
            RM477 for another family, a known factor, or netted recoveries; RM534 for powers outside.
        """
        if self.fitted.beside.distinct is None or self.asked.family != "tweedie":
            raise ModelError(problem("RM477", option="tweedie_profile", family=self.asked.family, families="tweedie"))
        wrong = [problem("RM534", power=power) for power in powers if not POWERS[0] <= power <= POWERS[1]]
        if wrong or len(powers) < 3:
            raise ModelError(wrong or [problem("RM534", power=list(powers))])

        def best(power: float) -> float:
            fit = fit_of(self.fitted, replace(self.asked, power=power), self.fixed)
            return tweedie_likelihood(fit, self.fitted).log_likelihood

        return tweedie_profile(best, powers, level)

    def merge(self, factor: str, into: Mapping[str, str], reason: str) -> RateModel:
        """Put levels of a factor into others (level -> level that takes it over) and fit again.

        Raises
        ------
        ModelError
            RM486 no factor with levels of its own; those of `cells.merge_levels`.
        """
        self._free(factor)
        cells = merge_levels(self.fitted, factor, into, reason)
        return self._after("merge", factor, {"into": dict(into)}, reason, cells=cells)

    def band(self, factor: str, edges: Sequence[float], reason: str) -> RateModel:
        """Cut a factor of numbers, or a covariate, into the bands [a, b) between edges, and fit again as levels.

        Raises
        ------
        ModelError
            RM486 no numbers; RM488 edges that do not ascend, or leave values out.
        """
        self._free(factor, covariate=True)
        levels = self.fitted.factors[self.fitted.position(factor)].levels
        place, names = bands_of(factor, levels, edges), band_names(edges)
        used, code = np.unique(place, return_inverse=True)
        cells = regroup(self.fitted, factor, [names[at] for at in used], code.astype(np.int64))
        return self._after("band", factor, {"edges": [float(edge) for edge in edges]}, reason, cells=cells)

    def restrict(self, factor: str, relativity: Mapping[str, float], reason: str) -> RateModel:
        """Set the relativities of a factor, level by level, and fit the others again.

        Raises
        ------
        ModelError
            RM486 no factor with levels of its own; RM532, RM497, RM502 for the relativities.
        """
        self._free(factor)
        values = given(self.fitted, factor, relativity)
        return self._after("restrict", factor, {"relativity": dict(relativity)}, reason, relativity=values)

    @strict
    def monotone(self, factor: str, direction: Literal["increasing", "decreasing"], reason: str) -> RateModel:
        """Set the relativities of a factor to the closest that only rise or fall with its levels; others fit again.

        Raises
        ------
        ModelError
            RM486 no factor with levels of its own.
        """
        self._free(factor)
        values, moved = ordered(self.fitted, self.fit, factor, direction)
        return self._after("monotone", factor, {"direction": direction}, reason, relativity=values, moved=moved)

    @strict
    def smooth(self, factor: str, reason: str, strength: Amount = 1.0) -> RateModel:
        """Smooth the relativities of a factor along its levels (Whittaker-Henderson), and fit the others again.

        Raises
        ------
        ModelError
            RM486 no factor with levels of its own; RM501 a negative strength.
        """
        self._free(factor)
        values, moved = smoothed(self.fitted, self.fit, factor, strength)
        return self._after("smooth", factor, {"strength": strength}, reason, relativity=values, moved=moved)

    @strict
    def shrink(self, factor: str, reason: str, between_variance: Amount | None = None) -> RateModel:
        """Draw the relativities of a factor to their mean by credibility, the others fitted beside them (Ohlsson).

        Raises
        ------
        ModelError
            RM486 no factor with levels of its own; RM540 when it does not settle.
        """
        self._free(factor)

        def refit(values: Floats) -> Fit:
            return fit_of(self.fitted, self.asked, (*self.fixed, set_relativities(factor, "shrink", values)))

        values, how = credible_values(self.fitted, factor, refit, between_variance)
        moved = moved_from(self.fitted, self.fit, factor, values, how)
        arguments = {"between_variance": between_variance}
        return self._after("shrink", factor, arguments, reason, relativity=values, moved=moved)

    def again(self, data: Any) -> RateModel:
        """Return the same model with the same steps on other data.

        Raises
        ------
        BookError, ModelError
            As `rate_model` and the steps do: a step that names a level which the data lack is refused.
        """
        model = _model(*fitted_rows(data, self.first), self.first)
        for step in self.steps:
            model = getattr(model, step.method)(step.factor, **step.arguments, reason=step.reason)
        return model

    def _free(self, factor: str, *, covariate: bool = False) -> None:
        """Refuse a factor that is not one, is set already, or is part of an interaction."""
        terms = self.fit.design.terms
        names = [name for term in terms for name in term if covariate or self.fit.design.curve(name) is None]
        what = "no factor of this model"
        if factor in [fixed.factor for fixed in self.fixed]:
            what = "set already"
        elif factor in names and any(factor in term and len(term) > 1 for term in terms):
            what = "part of an interaction"
        elif factor in names:
            return
        known = list(dict.fromkeys(names))
        near = nearest(factor, known)
        raise ModelError(
            problem(
                "RM486",
                name=factor,
                what=what,
                needed="a factor of levels of its own",
                factors=", ".join(known),
                nearest=near,
            )
        )

    def _after(
        self,
        method: str,
        factor: str,
        arguments: Mapping[str, Any],
        reason: str,
        *,
        cells: Cells | None = None,
        relativity: Floats | None = None,
        moved: tuple[Adjustment, ...] = (),
    ) -> RateModel:
        """Return the model of other cells, or of relativities set, with one more step in its record."""
        if not reason.strip():
            raise ModelError(problem("RM531", cell=factor))
        asked, fitted = self.asked, self.fitted if cells is None else cells
        if method == "band":
            asked = replace(asked, curves=tuple(item for item in asked.curves if item.name != factor))
        levels = fitted.factors[fitted.position(factor)].levels
        kept = {name: at for name, at in asked.reference.items() if name != factor or at in levels}
        asked = replace(asked, reference=kept)
        fixed = self.fixed if relativity is None else (*self.fixed, set_relativities(factor, method, relativity))
        step = Step(method=method, factor=factor, arguments=arguments, reason=reason, moved=moved)
        return replace(_model(fitted_cells(fitted, asked, fixed), self.rows, self.first), steps=(*self.steps, step))

    def write(self, folder: str | Path, **identity: Any) -> Path:
        """Write a plan that charges what the model expects; see `model_plan.model_files` for its identity.

        Returns
        -------
        the folder of the edition, which `rm.load_plan` and `ratemod check` take

        Raises
        ------
        ModelError
            RM499 a covariate that is still a curve, or a known factor.
        FileExistsError
            When the edition is there.
        """
        return write_model(self, folder, **identity)

    def __repr__(self) -> str:
        fit, done = self.fit, self.rows.accounts
        terms = ", ".join(":".join(term) for term in fit.design.terms) or "no factors"
        parts = [fit.family.name, terms, *(f"{fixed.factor} set ({fixed.method})" for fixed in self.fixed)]
        parts += [f"base rate {self.base_rate:.6g}", f"dispersion {fit.dispersion:.4g}"]
        parts += [f"alpha {fit.family.alpha:.6g}"] if fit.family.alpha else []
        parts += [f"{fit.parameters:.2f} effective parameters"] if fit.parameters % 1 else []
        parts += [f"deviance {fit.deviance:.4f} on {fit.residual_df} df"]
        parts += [f"AIC {fit.aic:.2f}"] if np.isfinite(fit.aic) else []
        parts += [f"{done.used:,} of {done.rows:,} rows"]
        if done.recoveries:
            parts += [f"{done.recoveries:,} recoveries netted ({done.recovered:,.6g})"]
        if done.without_weight:
            parts += [f"{done.without_weight:,} without weight"]
        if done.refused:
            why = ", ".join(f"{name} {count:,}" for name, count in done.by_column)
            parts += [f"{done.refused:,} refused with {self.asked.total} {done.refused_total:,.6g} ({why})"]
        return f"RateModel({'; '.join(parts)})"

    def _repr_html_(self) -> str:
        frame = frame_table(self.frame().round(4), "en", most=None)
        return card(Document(lang="en", title="", head=(Paragraph(repr(self)), frame)))


@strict
def rate_model(
    data: Any,
    *,
    total: str,
    weight: str,
    factors: Sequence[str] = (),
    covariates: Mapping[str, str] | Sequence[str] = (),
    family: FamilyName = "poisson",
    power: float = 1.5,
    interactions: Sequence[tuple[str, ...]] = (),
    reference: Mapping[str, Any] | None = None,
    known_factor: str | None = None,
    sample_weight: str | None = None,
    credible: Sequence[str] = (),
    missing: Missing = "refuse",
    recoveries: Recoveries = "refuse",
    header_map: HeaderMap | None = None,
) -> RateModel:
    """Fit a multiplicative tariff to a table.

    Parameters
    ----------
    data : any frame with the Arrow interface, or a path (csv, xlsx, parquet); one row a policy, a cell or a claim
    total : column of claims (frequency), claim amounts (severity), or losses (pure premium)
    weight : column of exposure (frequency, pure premium) or of claims (severity); rows without weight may have no total
    factors : columns whose different values are levels: in the order of an ordered categorical or Enum, else of numbers
        or of text
    covariates : columns fitted as numbers: names (linear), or name -> "linear", "log", "polynomial(2)", "spline(4)",
        "spline(6, increasing)" (or decreasing, convex, concave, or two of them), "penalised(12)" (a smooth curve, as
        bent as the data ask for; it takes the same words)
    family : "poisson", "overdispersed_poisson" (dispersion by Pearson), "negative_binomial" (rows of one rate add up to
        the row of their joint exposure, α by moments), "nb2" (exposure as offset and θ by likelihood: R's `glm.nb`,
        statsmodels' NegativeBinomial), "gamma", or "tweedie"
    power : variance power of "tweedie", between 1 and 2
    interactions : tuples of factors or covariates; a column named only here enters as a factor too
    reference : reference level by factor, default the level with the most weight; of a covariate the value where its
        relativity is 1, default its mean
    known_factor : column of known multipliers of the mean; its logarithm is the offset (not for "negative_binomial")
    sample_weight : column of what each row counts beside the others (not for "negative_binomial" and "nb2")
    credible : further factors, perhaps of thousands of levels, some without any loss: their relativities are drawn to
        their mean by credibility (`model_steps`, "shrink"), and have no interval
    missing : "refuse" rows without a level, or take them as the level ``(missing)``
    recoveries : "refuse" rows whose total is negative, or "net" them (for "overdispersed_poisson" and "tweedie", which
        have then no deviance of rows)
    header_map : header in the file -> name above

    Returns
    -------
    RateModel. Rows that cannot be used are in its `refused`, counted in its repr; the rest is fitted.

    Raises
    ------
    BookError
        When the table cannot be read; RM565 when no row can be used.
    ModelError
        RM475, RM482 to RM484, RM487 of covariates; RM480 a column that names the rows; RM566 a known factor of a
        negative binomial; RM477 what a family does not take; those of `fit_glm`.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"size": ["small", "large", "large"], "heads": [10, 10, 10], "claims": [1, 2, 4]})
    >>> model = rate_model(rows, total="claims", weight="heads", factors=["size"], reference={"size": "small"})
    >>> round(model.base_rate, 9), model.predict(pd.DataFrame({"size": ["large"]})).round(9).tolist()
    (0.1, [0.3])
    """
    check_family(family, power, known_factor, sample_weight, recoveries)
    kinds = kinds_of(covariates)
    together = [name for term in interactions for name in term if name not in kinds]
    names = list(dict.fromkeys((*factors, *together)))
    twice = [problem("RM484", column=name, first="factors", second="covariates") for name in factors if name in kinds]
    every = [*factors, *credible]
    twice += [problem("RM562", name=name) for name in dict.fromkeys(every) if every.count(name) > 1]
    twice += [
        problem("RM484", column=name, first="credible", second="covariates" if name in kinds else "interactions")
        for name in credible
        if name in kinds or name in together
    ]
    bent = [name for name, kind in kinds.items() if written(name, kind).kind in ("shaped", "penalised")]
    twice += [
        problem("RM475", term=":".join(term), column=name) for term in interactions for name in term if name in bent
    ]
    if twice:
        raise ModelError(twice)
    terms = (*((name,) for name in (*names, *kinds)), *(tuple(term) for term in interactions))
    asked = Asked(
        total=total,
        weight=weight,
        known_factor=known_factor,
        terms=terms,
        family=family,
        power=power,
        reference=dict(reference or {}),
        curves=(),
        kinds=kinds,
        missing=missing,
        recoveries=recoveries,
        header_map=header_map,
        sample_weight=sample_weight,
        credible=tuple(credible),
    )
    return _model(*fitted_rows(data, asked), asked)


def _model(parts: Fitted, rows: ModelRows, first: Asked) -> RateModel:
    return RateModel(
        cells=parts.cells,
        fit=parts.fit,
        asked=parts.asked,
        rows=rows,
        fitted=parts.fitted,
        first=first,
        fixed=parts.fixed,
    )
