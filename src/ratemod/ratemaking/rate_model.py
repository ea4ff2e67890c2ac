"""`rate_model`: a table of rows or cells in, relativities with intervals out, for any data set and any factors.

The model is that of `glm`: log link, fitted on cells, with the inference of the rows. This is the way in for one who
has a frame or a file rather than arrays, and wants a tariff rather than coefficients.

Source: Ohlsson & Johansson, *Non-Life Insurance Pricing with Generalized Linear Models*, ch. 2; Werner & Modlin, *Basic
Ratemaking*, ch. 10.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ratemod.errors import BookError, ModelError, nearest, problem
from ratemod.ratemaking import family as families
from ratemod.ratemaking.arrays import Floats, positive
from ratemod.ratemaking.cells import Cells, Factor, collapse, fold_offset
from ratemod.ratemaking.glm import Fit, fit_glm, fit_negative_binomial, predict, type_iii
from ratemod.ratemaking.relativities import relativities
from ratemod.ratemaking.row_sums import with_distinct_rows
from ratemod.reading.text_levels import text_levels
from ratemod.rules.options import strict
from ratemod.vocabulary.column import Column

if TYPE_CHECKING:
    import pandas as pd

    from ratemod.reading.book import Book

FamilyName = Literal["poisson", "overdispersed_poisson", "negative_binomial", "gamma", "tweedie"]
DIGITS = 15


@dataclass(frozen=True, eq=False)
class RateModel:
    """A fitted model and the cells behind it.

    Attributes
    ----------
    cells : what was fitted; its weight and total are those of the rows unless a known factor was folded in
    fit : coefficients, standard errors, dispersion, deviance and AIC (of the rows)
    """

    cells: Cells
    fit: Fit

    @property
    def base_rate(self) -> float:
        """Mean per unit of weight where every factor is at its reference."""
        return float(np.exp(self.fit.coefficient[0]))

    def frame(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row a level: relativity with interval, standard error, weight, total and its one-way rate.

        Examples
        --------
        >>> import pandas as pd
        >>> rows = pd.DataFrame({"sector": ["mine", "shop"], "heads": [10, 20], "claims": [4, 2]})
        >>> rows = pd.concat([rows, rows])
        >>> rate_model(rows, total="claims", weight="heads", factors=["sector"]).frame()["relativity"].round(9).tolist()
        [4.0, 1.0]
        """
        import pandas as pd

        rows = relativities(self.fit, self.cells, level)
        found = pd.DataFrame(
            {
                "factor": [row.term for row in rows],
                "level": [row.level for row in rows],
                "weight": [row.weight for row in rows],
                "total": [row.total for row in rows],
                "relativity": [row.value for row in rows],
                "low": [row.low for row in rows],
                "high": [row.high for row in rows],
                "log_standard_error": [row.log_standard_error for row in rows],
                "is_reference": [row.is_reference for row in rows],
            }
        )
        found.insert(4, "rate", found["total"] / found["weight"].where(found["weight"] > 0))
        return found

    def coefficients(self) -> pd.DataFrame:
        """Return the coefficients of log mean with standard errors, z or t values and p-values."""
        import pandas as pd
        from scipy.special import ndtr, stdtr

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

        found = type_iii(self.cells, self.fit)
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

    def predict(self, data: Any, *, header_map: Mapping[str, str] | None = None) -> Floats:
        """Return the mean per unit of weight of every row of a table, (n,) float64.

        Raises
        ------
        BookError
            RM564 with every level that the model does not know: it is never taken for the reference.
        """
        book = _book(data, [Column(factor.name, "text") for factor in self.cells.factors], header_map)
        codes, unknown = [], []
        for factor in self.cells.factors:
            at, names = text_levels(book.table[factor.name])
            places = {name: place for place, name in enumerate(factor.levels)}
            known = np.array([places.get(name, -1) for name in names] + [-1], dtype=np.int64)
            codes.append(known[at])
            unknown += [
                problem("RM564", column=factor.name, value=name, nearest=nearest(name, factor.levels))
                for name in names
                if name not in places
            ]
            if (at < 0).any():
                unknown.append(_empty(factor.name, at < 0))
        if unknown:
            raise BookError(unknown)
        return predict(self.fit, np.stack(codes, axis=1))[0]

    def __repr__(self) -> str:
        fit = self.fit
        return (
            f"RateModel({fit.family.name}; {', '.join(':'.join(term) for term in fit.design.terms)}; "
            f"base rate {self.base_rate:.6g}; dispersion {fit.dispersion:.4g}; deviance {fit.deviance:.4f} on "
            f"{fit.residual_df} df)"
        )

    def _repr_html_(self) -> str:
        import html

        return f"<p>{html.escape(repr(self))}</p>{self.frame().round(4).to_html(index=False)}"


@strict
def rate_model(
    data: Any,
    *,
    total: str,
    weight: str,
    factors: Sequence[str],
    family: FamilyName = "poisson",
    power: float = 1.5,
    interactions: Sequence[tuple[str, ...]] = (),
    reference: Mapping[str, str] | None = None,
    known_factor: str | None = None,
    header_map: Mapping[str, str] | None = None,
) -> RateModel:
    """Fit a multiplicative tariff to a table.

    Parameters
    ----------
    data : any frame with the Arrow interface, or a path (csv, xlsx, parquet); one row a policy, a cell or a claim
    total : column of claims (frequency), claim amounts (severity), or losses (pure premium)
    weight : column of exposure (frequency, pure premium) or of claims (severity); rows without weight may have no total
    factors : columns whose different values are levels, in order (numbers as numbers)
    family : "poisson", "overdispersed_poisson" (dispersion by Pearson), "negative_binomial", "gamma", or "tweedie"
    power : variance power of "tweedie", between 1 and 2
    interactions : tuples of factors
    reference : reference level by factor; default the level with the most weight
    known_factor : column of known multipliers of the mean; its logarithm is the offset (not for "negative_binomial")
    header_map : header in the file -> name above

    Returns
    -------
    RateModel

    Raises
    ------
    BookError
        When the table cannot be read; RM565 with rows whose numbers or levels cannot be used.
    ModelError
        RM566 a known factor of a negative binomial; those of `fit_glm`.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"size": ["small", "large", "large"], "heads": [10, 10, 10], "claims": [1, 2, 4]})
    >>> model = rate_model(rows, total="claims", weight="heads", factors=["size"], reference={"size": "small"})
    >>> round(model.base_rate, 9), model.predict(pd.DataFrame({"size": ["large"]})).round(9).tolist()
    (0.1, [0.3])
    """
    _check_family(family, power, known_factor)
    amounts = [_number(name) for name in (total, weight, *([known_factor] if known_factor else []))]
    book = _book(data, [*(Column(name, "text") for name in factors), *amounts], header_map)
    cells = _cells(book, factors, amounts, family, _power(family, power))
    terms: list[str | tuple[str, ...]] = [*factors, *interactions]
    if family == "negative_binomial":
        return RateModel(cells, fit_negative_binomial(cells, terms, reference=reference))
    return RateModel(cells, fit_glm(cells, terms, _chosen(family, power), reference=reference))


def _chosen(family: FamilyName, power: float) -> families.Family:
    if family == "gamma":
        return families.gamma()
    if family == "tweedie":
        return families.tweedie(power)
    return families.poisson(overdispersed=family == "overdispersed_poisson")


def _check_family(family: str, power: float, known_factor: str | None) -> None:
    if family == "negative_binomial" and known_factor:
        raise ModelError(problem("RM566", family=family, known_factor=known_factor))
    if family == "tweedie":
        families.tweedie(power)


def _power(family: str, power: float) -> float:
    return {"gamma": 2.0, "tweedie": power}.get(family, 1.0)


def _number(name: str) -> Column:
    return Column(name, "number", decimals=DIGITS, low=Decimal(0))


def _book(data: Any, columns: Sequence[Column], header_map: Mapping[str, str] | None) -> Book:
    from ratemod.reading.read import read_book

    book = read_book(data, {column.name: column for column in columns}, header_map=header_map)
    missing = [column.name for column in columns if column.name not in book.table.column_names]
    if missing:
        raise BookError(
            problem("RM666", name=name, nearest=nearest(name, book.table.column_names)) for name in missing
        )
    return book


def _cells(book: Book, factors: Sequence[str], amounts: Sequence[Column], family: str, power: float) -> Cells:
    wrong, codes, named = [], [], []
    for name in factors:
        at, levels = text_levels(book.table[name])
        codes.append(at)
        named.append(Factor(name, tuple(levels)))
        if (at < 0).any():
            wrong.append(_empty(name, at < 0))
    numbers = []
    for column in amounts:
        values = _amount(book.table[column.name], column)
        numbers.append(values)
        if not np.isfinite(values).all():
            wrong.append(_empty(column.name, ~np.isfinite(values)))
    if wrong:
        raise BookError(wrong)
    loss, exposure = numbers[0], numbers[1]
    offset = None
    if len(numbers) == 3:
        offset = np.log(positive(amounts[2].name, numbers[2]))
        exposure, loss = fold_offset(exposure, loss, offset, power)
    cells = collapse(named, codes, exposure, loss, power=power if 1 < power < 2 else None, offset=offset)
    if family == "negative_binomial":
        cells = replace(cells, beside=with_distinct_rows(cells.beside, exposure, loss))
    return cells


def _empty(name: str, lost: npt.NDArray[np.bool_]) -> Any:
    rows = np.flatnonzero(lost)
    return problem("RM565", column=name, wrong=len(rows), first=int(rows[0]) + 1)


def _amount(array: Any, column: Column) -> Floats:
    """Return numbers as float64, NaN where a cell is empty or cannot be read."""
    import pyarrow as pa

    if pa.types.is_floating(array.type) or pa.types.is_integer(array.type):
        values: Floats = array.cast(pa.float64()).to_numpy().astype(np.float64)
        return np.where(values < 0, np.nan, values)
    from ratemod.reading.convert import convert

    return np.asarray(convert(array, column).values, dtype=np.float64)
