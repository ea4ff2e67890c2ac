"""Single losses from a list, the families that may describe them, and how well each does.

    KS = sup |S_n − S*|,   S_n the product-limit survival, S* = S(x)/S(d) the fitted one above the common threshold d
    A² = −n − 1/n Σ (2i − 1) [ln F*(x_i) + ln S*(x_(n+1−i))]                    of losses none of which is cut
    χ² = Σ (O_j − n/g)²/(n/g) over g groups that the fit expects to be alike, with g − 1 − p degrees of freedom

Parameters were estimated from the same losses, so KS and A² rank families and have no p-value here; that of χ² is an
approximation. Source: Klugman, Panjer & Willmot, *Loss Models*, 5th ed., ch. 15.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemod.errors import BookError, ModelError, Problem, nearest, problem
from ratemod.ratemaking.arrays import Booleans, Floats
from ratemod.ratemaking.distribution import mean, survival
from ratemod.ratemaking.limits import excess_ratio, increased_limit_factors, layer, loss_elimination_ratio
from ratemod.ratemaking.severity import PARAMETERS, SINGLE, SeverityFit, fit_severity, product_limit
from ratemod.reading.convert import convert
from ratemod.reading.header import HeaderMap
from ratemod.reading.read import read_table
from ratemod.rules.options import strict
from ratemod.rules.within import Amount, Factor
from ratemod.vocabulary.table import table

if TYPE_CHECKING:
    import pandas as pd

EXPECTED = 5  # claims that a group of χ² expects at least
GROUPS = 20


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Losses:
    """Single losses, ground up.

    Attributes
    ----------
    loss : (n,) float64, yuan; truncation : (n,) float64, unknown at or below it; censored : (n,) bool, cut at its limit
    rows : of the list; refused : faults of the rows that are left out, each with its rows
    """

    loss: Floats
    truncation: Floats
    censored: Booleans
    rows: int
    refused: tuple[Problem, ...] = ()

    def frame(self) -> pd.DataFrame:
        """Return one row a loss: loss, truncation, censored."""
        import pandas as pd

        return pd.DataFrame({"loss": self.loss, "truncation": self.truncation, "censored": self.censored})

    def __repr__(self) -> str:
        cut = f"; {int(self.censored.sum()):,} cut at a limit" if self.censored.any() else ""
        return f"Losses({len(self.loss):,} of {self.rows:,} rows; {self.loss.sum():,.8g} yuan{cut})"


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class SeverityFits:
    """Families fitted to the same losses, the one with the least AIC first.

    Attributes
    ----------
    fits : SeverityFit; kolmogorov, anderson, chi_square, p_value : (fits,) float64, NaN where there is none
    failed : family -> why it could not be fitted
    """

    fits: tuple[SeverityFit, ...]
    kolmogorov: Floats
    anderson: Floats
    chi_square: Floats
    p_value: Floats
    failed: tuple[tuple[str, Problem], ...] = ()

    @property
    def best(self) -> SeverityFit:
        """The fit with the least AIC."""
        return self.fits[0]

    @property
    def claims(self) -> int:
        """Losses that were fitted."""
        return self.best.claims

    @property
    def censored(self) -> int:
        """Those of them that were cut at a limit."""
        return self.best.censored

    def frame(self) -> pd.DataFrame:
        """Return one row a family: log_likelihood, aic, bic and goodness of fit."""
        import pandas as pd

        return pd.DataFrame(
            {
                "family": [one.family for one in self.fits],
                "log_likelihood": [one.log_likelihood for one in self.fits],
                "aic": [one.aic for one in self.fits],
                "bic": [one.bic for one in self.fits],
                "kolmogorov": self.kolmogorov,
                "anderson": self.anderson,
                "chi_square": self.chi_square,
                "p_value": self.p_value,
            }
        )

    def parameters(self) -> pd.DataFrame:
        """Return one row a parameter: family, parameter, estimate, standard_error."""
        import pandas as pd

        return pd.DataFrame(
            [
                (one.family, name, float(value), float(error))
                for one in self.fits
                for name, value, error in zip(one.names, one.estimate, one.standard_error)
            ],
            columns=["family", "parameter", "estimate", "standard_error"],
        )

    def __repr__(self) -> str:
        said = ", ".join(f"{one.family} AIC {one.aic:.2f}" for one in self.fits)
        return f"SeverityFits({self.claims:,} losses; {said})"


@strict
def read_losses(
    source: Any, *, header_map: HeaderMap | None = None, sheet: str | Sequence[str] | None = None
) -> Losses:
    """Read single losses from a file or a frame, by the words of the shared table "losses".

    Rows with a cell that is blank or unreadable, or a loss not above its deductible, are left out with their reasons.

    Raises
    ------
    BookError
        When the table cannot be read; RM465 a list without losses, or with none that can be used.

    Examples
    --------
    >>> read_losses({"loss": [100.0, 250.0, 0.0], "censored": ["no", "yes", "no"]})
    Losses(2 of 3 rows; 350 yuan; 1 cut at a limit)
    """
    columns = table("losses").columns
    book = read_table(source, columns, header_map=header_map, sheet=sheet)
    if "loss_yuan" not in book.table.column_names:
        raise BookError(problem("RM465"))
    n = book.table.num_rows
    refused: list[Problem] = []
    bad = np.zeros(n, dtype=bool)
    held: dict[str, Any] = {}
    for name in (name for name in columns if name in book.table.column_names):
        coded = convert(book.table[name], columns[name], book.conversions.get(name))
        held[name] = np.asarray(coded.values)
        refused += book.placed(coded.problem_of, coded.problems)
        if coded.problem_of is not None:
            bad |= coded.problem_of > 0
    loss = held["loss_yuan"].astype(np.float64)
    below = held.get("deductible_yuan", np.zeros(n)).astype(np.float64)
    cut = held["censored"] == 1 if "censored" in held else np.zeros(n, dtype=bool)
    for code, wrong in (("RM466", ~bad & ~(loss > 0)), ("RM467", ~bad & (loss > 0) & (loss <= below))):
        if wrong.any():
            rows = np.flatnonzero(wrong)
            refused.append(problem(code, n=len(rows), rows=", ".join(book.said(rows[:5].tolist()))))
            bad |= wrong
    if bad.all():
        raise BookError([problem("RM465"), *refused])
    return Losses(loss[~bad], below[~bad], cut[~bad], n, tuple(refused))


def fit_severities(losses: Losses, families: Sequence[str] = tuple(PARAMETERS)) -> SeverityFits:
    """Fit several families to the same losses and say how well each does.

    Parameters
    ----------
    losses : Losses, as `read_losses` returns them
    families : names as `fit_severity` takes them, no mixtures; "single pareto" is tried where it is named

    Returns
    -------
    SeverityFits
        By maximum likelihood, as `fit_severity`; the least AIC first.

    Raises
    ------
    ModelError
        RM544 an unknown family; when no family can be fitted, why, after the rows that were left out of the losses.

    Examples
    --------
    >>> losses = read_losses({"loss": [12.0, 18, 25, 33, 41, 56, 70, 95, 130, 210]})
    >>> fit_severities(losses, ["exponential", "lognormal"]).frame()["family"].tolist()
    ['exponential', 'lognormal']
    """
    known = (*PARAMETERS, SINGLE)
    odd = [problem("RM544", name=name, known=", ".join(known), nearest=nearest(name, known))
           for name in families if name not in known]  # fmt: skip
    if odd:
        raise ModelError(odd)
    fits, failed = [], []
    for name in dict.fromkeys(families):
        try:
            fits.append(fit_severity(losses.loss, name, truncation=losses.truncation, censored=losses.censored))
        except ModelError as error:
            for item in error.problems:
                failed.append((name, problem("RM472", family=name, why=item.line(), why_zh=item.line("zh"))))
    if not fits:
        raise ModelError([*losses.refused, *(item for _, item in failed)])
    fits.sort(key=lambda one: one.aic)
    good = [goodness(one, losses) for one in fits]
    kolmogorov, anderson, chi_square, p_value = np.array(good, dtype=np.float64).T
    return SeverityFits(
        fits=tuple(fits),
        kolmogorov=kolmogorov,
        anderson=anderson,
        chi_square=chi_square,
        p_value=p_value,
        failed=tuple(failed),
    )


def goodness(fit: SeverityFit, losses: Losses) -> tuple[float, float, float, float]:
    """Return KS, A², χ² and the p-value of χ²; NaN where thresholds differ, and but for KS where a loss was cut."""
    nan = float("nan")
    low = float(losses.truncation[0])
    if (losses.truncation != low).any():
        return nan, nan, nan, nan
    whole = float(survival(fit.severity, low)) if low > 0 else 1.0
    at, after = product_limit(losses.loss, truncation=low, censored=losses.censored)
    fitted, before = survival(fit.severity, at) / whole, np.concatenate([[1.0], after[:-1]])
    distance = float(np.maximum(np.abs(fitted - after), np.abs(fitted - before)).max())
    if losses.censored.any():
        return distance, nan, nan, nan
    above = survival(fit.severity, np.sort(losses.loss)) / whole
    n = len(above)
    with np.errstate(divide="ignore"):
        square = -n - float(((2 * np.arange(n) + 1) * (np.log1p(-above) + np.log(above[::-1]))).mean())
    groups, p = min(GROUPS, n // EXPECTED), len(fit.estimate)
    if groups - 1 - p < 1:
        return distance, square, nan, nan
    from scipy.special import chdtrc

    held = np.bincount(np.minimum(((1 - above) * groups).astype(np.int64), groups - 1), minlength=groups)
    chi = float(((held - n / groups) ** 2).sum() / (n / groups))
    return distance, square, chi, float(chdtrc(groups - 1 - p, chi))


@strict
def layer_table(fit: SeverityFit, layers: Sequence[tuple[float, float]], *, trend: Factor = 1.0) -> pd.DataFrame:
    """Return one row a layer (deductible, width; np.inf for none): mean a loss and a payment; where the mean is finite,
    the share of losses below the layer and above it.

    Raises
    ------
    ModelError
        As `layer` does.
    """
    import pandas as pd

    low, width = (np.array(part, dtype=np.float64) for part in zip(*layers)) if layers else (np.zeros(0), np.zeros(0))
    if not len(low):
        return pd.DataFrame()
    with np.errstate(invalid="ignore"):  # a layer without an end
        made = layer(fit.severity, low, width, trend=trend)
    means = {"per_loss": made.per_loss, "per_payment": made.per_payment}
    found = pd.DataFrame({"deductible": low, "limit": width, **means})
    if np.isfinite(mean(fit.severity)):
        top = (low + width) / trend
        below = loss_elimination_ratio(fit.severity, low / trend)
        above = np.where(np.isfinite(top), excess_ratio(fit.severity, np.where(np.isfinite(top), top, 0.0)), 0.0)
        found = found.assign(loss_elimination=below, excess=above)
    return found


@strict
def limit_table(
    fit: SeverityFit, limits: Sequence[float], base_limit: Factor, *, expense_per_claim: Amount = 0.0
) -> pd.DataFrame:
    """Return one row a limit: its increased limits factor on the base limit."""
    import pandas as pd

    if not limits:
        return pd.DataFrame()
    factors = increased_limit_factors(fit.severity, list(limits), base_limit, expense_per_claim=expense_per_claim)
    return pd.DataFrame({"limit": [float(one) for one in limits], "increased_limit_factor": factors})
