"""What deviance and likelihood of the rows hold beside the cells: sums over all rows that no model changes.

With t = wy the total of a row (claims, yuan) and w its weight:
    Poisson   deviance 2Σ[t·log(t/w) − t·log μ − t + wμ],  log-likelihood Σ[t·log w + t·log μ − wμ − log t!]
    gamma     deviance 2Σ w[(y − μ)/μ − log y + log μ],  log-likelihood with φ = deviance/Σw, whose rows need Σ w·log y
    Tweedie   deviance with Σ w·y^(2−p)
so that with Σt·log(t/w), Σt·log w, Σlog t!, Σw·log y and Σw·y^(2−p) kept, both are exact from cells of any factors. The
negative binomial's depend on α row by row, a Tweedie's likelihood on φ and p: the rows are kept as their different
(w, t), of a Tweedie those with a total, where that is asked for. Sample weights count a row so often in every sum.

Source: McCullagh & Nelder, *Generalized Linear Models*, 2nd ed., 2.3; compared with statsmodels on the rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ratemod.ratemaking.arrays import Floats


@dataclass(frozen=True, slots=True)
class RowSums:
    """Sums over the rows with weight.

    Attributes
    ----------
    total_log_response : Σ t·log(t/w), over rows with t > 0
    total_log_weight : Σ t·log w
    log_factorial : Σ log Γ(t + 1)
    weight_log_response : Σ w·log(t/w), minus infinity where a row has no total
    weight_offset : Σ w·o of the known log multipliers o that were folded in, 0 where there are none
    power : p of `response_power`, or None
    response_power : Σ w·(t/w)^(2−p)
    distinct : (u, 3) float64, the different (w, t) and how many rows have each, or None where that was not asked for
    """

    total_log_response: float
    total_log_weight: float
    log_factorial: float
    weight_log_response: float
    weight_offset: float
    power: float | None
    response_power: float
    distinct: Floats | None = None

    def __add__(self, other: RowSums) -> RowSums:
        same_power = self.power == other.power
        both = None
        if self.distinct is not None and other.distinct is not None:
            both = _distinct(np.concatenate([self.distinct, other.distinct]))
        return RowSums(
            total_log_response=self.total_log_response + other.total_log_response,
            total_log_weight=self.total_log_weight + other.total_log_weight,
            log_factorial=self.log_factorial + other.log_factorial,
            weight_log_response=self.weight_log_response + other.weight_log_response,
            weight_offset=self.weight_offset + other.weight_offset,
            power=self.power if same_power else None,
            response_power=self.response_power + other.response_power if same_power else float("nan"),
            distinct=both,
        )


def row_sums(
    weight: Floats,
    total: Floats,
    *,
    power: float | None = None,
    offset: npt.ArrayLike | None = None,
    times: Floats | None = None,
) -> RowSums:
    """Return the sums of rows.

    Parameters
    ----------
    weight, total : (n,) float64 >= 0; rows of no weight are not counted
    power : p of a Tweedie model to come, or None
    offset : (n,) float64, log multipliers already folded in, or None
    times : (n,) float64, sample weights, or None

    Examples
    --------
    >>> row_sums(np.array([2.0, 1.0]), np.array([2.0, 3.0])).total_log_response
    3.295836866004329
    """
    from scipy.special import gammaln, xlogy

    kept = weight > 0
    w, t = weight[kept], total[kept]
    y, each = t / w, np.ones(len(w)) if times is None else times[kept]
    with np.errstate(divide="ignore", invalid="ignore"):
        log_response = float((each * w) @ np.log(y)) if (t > 0).all() else -np.inf
        return RowSums(
            total_log_response=float(each @ xlogy(t, y)),
            total_log_weight=float(each @ xlogy(t, w)),
            log_factorial=float(each @ gammaln(t + 1)),
            weight_log_response=log_response,
            weight_offset=0.0 if offset is None else float((each * w) @ np.asarray(offset, dtype=np.float64)[kept]),
            power=power,
            response_power=float("nan") if power is None else float((each * w) @ y ** (2 - power)),
        )


def with_distinct_rows(sums: RowSums, weight: Floats, total: Floats, times: Floats | None = None) -> RowSums:
    """Return sums that also know the different rows, as some likelihoods need them.

    Parameters
    ----------
    sums : of the same rows; weight, total, times : (n,) float64, those of the rows to know
    """
    kept = weight > 0
    each = np.ones(int(kept.sum())) if times is None else times[kept]
    rows = np.stack([weight[kept], total[kept], each], axis=1)
    return replace(sums, distinct=_distinct(rows))


def _distinct(rows: Floats) -> Floats:
    """Return the different (w, t) of rows (w, t, count), with their counts added."""
    pairs, place = np.unique(rows[:, :2], axis=0, return_inverse=True)
    return np.column_stack([pairs, np.bincount(place.ravel(), rows[:, 2], minlength=len(pairs))])
