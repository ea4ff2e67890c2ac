"""A model judged on rows that it may not have seen: actual against expected by any column, lift, double lift, Gini.

Expected is w·μ of every row. Calibration in bands of equal exposure, in order of prediction, shows the means beside
each other; the double lift orders rows by the ratio of two models' predictions, so that the bands are where they
disagree: the better model is nearer to what happened. The interval of a ratio of a level is that of the model's
variance, φ·Σ w·V(μ), or of the rows' own spread where that is larger, Σ(t − wμ)².

Source: Goldburd, Khare, Tevet & Guller, CAS Monograph 5, 2nd ed., ch. 7; Frees, Meyers & Cummings, JASA 106 (2011).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemod.ratemaking.arrays import Floats, sums
from ratemod.ratemaking.model_rows import MISSING, Accounts, column_levels
from ratemod.ratemaking.validation import Gini, gini, lift
from ratemod.rules.options import strict
from ratemod.rules.within import Chance, Count, Whole

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Validation:
    """Rows with what a model expected of them.

    Attributes
    ----------
    data : the table, any of whose columns can be asked for; kept : (n,) rows of it that are judged
    mean, weight, total, variance : (n,) float64; mean per unit of weight, variance of the total under the model
    accounts : Accounts of the rows
    """

    data: Any
    kept: Any
    mean: Floats
    weight: Floats
    total: Floats
    variance: Floats
    accounts: Accounts

    @property
    def actual_expected(self) -> float:
        """Total over what was expected."""
        return float(self.total.sum() / (self.weight @ self.mean))

    @strict
    def by(self, column: str, level: Chance = 0.95) -> pd.DataFrame:
        """Return actual against expected by the values of any column, in the model or not.

        Returns
        -------
        level, rows, weight, actual, expected, ratio, low, high; rows without a value stand under ``(missing)``
        """
        import pandas as pd
        from scipy.special import ndtri

        at, names = column_levels(self.data, column)
        at, names = np.where(at < 0, len(names), at)[self.kept], [*names, MISSING]
        weight, actual, expected, model, own = (
            sums(at, values, len(names))
            for values in (
                self.weight,
                self.total,
                self.weight * self.mean,
                self.variance,
                (self.total - self.weight * self.mean) ** 2,
            )
        )
        rows = np.bincount(at, minlength=len(names))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = actual / expected
            half = float(ndtri((1 + level) / 2)) * np.sqrt(np.maximum(model, own)) / expected
        found = pd.DataFrame(
            {
                "level": names,
                "rows": rows,
                "weight": weight,
                "actual": actual,
                "expected": expected,
                "ratio": ratio,
                "low": np.maximum(ratio - half, 0.0),
                "high": ratio + half,
            }
        )
        return found[found["rows"] > 0].reset_index(drop=True)

    @strict
    def calibration(self, bands: Count = 10) -> pd.DataFrame:
        """Return bands of equal exposure in order of prediction: weight, predicted and actual mean, their ratio."""
        import pandas as pd

        found = lift(self.mean, self.total, self.weight, bands)
        return pd.DataFrame(
            {
                "band": np.arange(1, bands + 1),
                "weight": found.weight,
                "predicted": found.predicted,
                "actual": found.actual,
                "ratio": found.actual / found.predicted,
            }
        )

    @strict
    def gini(self, *, seed: Whole, groups: Count = 50, level: Chance = 0.95) -> Gini:
        """Return the Gini index of the prediction with its interval; see `validation.gini`."""
        return gini(self.mean, self.total, self.weight, seed=seed, groups=groups, level=level)

    @strict
    def double_lift(self, other: Validation, bands: Count = 10) -> pd.DataFrame:
        """Return bands of equal exposure in order of this model's mean over another's, and what each says of them.

        Parameters
        ----------
        other : of another model on the same rows

        Returns
        -------
        band, weight, actual, predicted, other: means per unit of weight
        """
        import pandas as pd

        both = np.isin(self.kept, other.kept)
        mine, theirs = self.mean[both], other.mean[np.isin(other.kept, self.kept)]
        weight, total = self.weight[both], self.total[both]
        order = mine / theirs
        parts = [lift(order, amount, weight, bands) for amount in (total, mine * weight, theirs * weight)]
        return pd.DataFrame(
            {
                "band": np.arange(1, bands + 1),
                "weight": parts[0].weight,
                "actual": parts[0].actual,
                "predicted": parts[1].actual,
                "other": parts[2].actual,
            }
        )

    def __repr__(self) -> str:
        done = self.accounts
        return (
            f"Validation(actual/expected {self.actual_expected:.4f}; {done.used:,} of {done.rows:,} rows, "
            f"{done.refused:,} refused with {done.refused_total:,.6g}, {done.without_weight:,} without weight)"
        )
