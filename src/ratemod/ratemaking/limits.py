"""Limits, deductibles and layers: increased limits factors, loss elimination, accidents with several victims.

With LEV(x) = E[min(X, x)]: ILF(l) = (LEV(l) + ε)/(LEV(b) + ε), ε the expense of a claim, the same at every limit;
loss elimination ratio of a deductible d is LEV(d)/E[X]; the layer l above d costs LEV(d + l) − LEV(d) a loss, and that
over S(d) a payment. Under trend t, LEV_t(x) = t·LEV(x/t). Where that difference would lose its digits the same integral
∫ S(x) dx is taken over the layer itself, or as a difference of excess moments.

Work-safety liability has two limits at once: l for each person and L for the accident. An accident with N victims pays
min(Σ_{i=1..N} min(X_i, l), L), so what a limit is worth depends on how many are hurt together; the sum is found on a
grid.

Source: Bahnemann, *Distributions for Actuaries*, CAS Monograph 2, ch. 5–6; Miccolis, PCAS 64 (1977).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.aggregate import Frequency, discretise, transform
from ratemod.ratemaking.arrays import Floats, non_negative, positive, same_length
from ratemod.ratemaking.distribution import Severity, excess_moment, limited_moment, mean, survival
from ratemod.rules.floats import floats, in_a_row
from ratemod.rules.options import strict
from ratemod.rules.within import Amount, Count, Factor, Limit

if TYPE_CHECKING:
    import pandas as pd

NODES = 64
FLAT = 1e-6  # how far survival may fall within a layer that is integrated


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Layer:
    """What a layer pays.

    Attributes
    ----------
    per_loss, per_payment : float64, mean for each loss, and for each loss that reaches the layer
    variance_per_loss : float64, unit²
    """

    per_loss: Floats
    per_payment: Floats
    variance_per_loss: Floats

    def frame(self) -> pd.DataFrame:
        """Return one row a layer: per_loss, per_payment, variance_per_loss."""
        import pandas as pd

        names = ("per_loss", "per_payment", "variance_per_loss")
        return pd.DataFrame({name: np.ravel(getattr(self, name)) for name in names})

    def __repr__(self) -> str:
        loss, payment = (
            ", ".join(f"{one:,.6g}" for one in np.ravel(part)[:4]) for part in (self.per_loss, self.per_payment)
        )
        more = f", ... {self.per_loss.size} layers" if self.per_loss.size > 4 else ""
        return f"Layer(per loss {loss}{more}; per payment {payment}{more})"


@strict
def increased_limit_factors(
    severity: Severity, limits: npt.ArrayLike, base_limit: Factor, *, expense_per_claim: Amount = 0.0
) -> Floats:
    """Return increased limits factors.

    Parameters
    ----------
    severity : Severity; limits : (k,) float64 > 0; base_limit : float > 0, unit of the severity
    expense_per_claim : claim expense outside the limit, the same at every limit

    Returns
    -------
    (k,) float64, 1 at the base limit

    Examples
    --------
    >>> from ratemod.ratemaking.distribution import lognormal
    >>> increased_limit_factors(lognormal(9.2, 1.6), [50_000, 100_000, 250_000], 100_000).round(6).tolist()
    [0.768332, 1.0, 1.259933]
    """
    at = positive("limits", limits)
    fixed = float(expense_per_claim)
    base = float(limited_moment(severity, [base_limit])[0]) + fixed
    factors: Floats = (limited_moment(severity, at) + fixed) / base
    return factors


def inconsistent_limits(limits: npt.ArrayLike, factors: npt.ArrayLike) -> Floats:
    """Return the limits at which the price of a further yuan rises, which no severity can justify (Miccolis).

    Parameters
    ----------
    limits : (k,) increasing; factors : (k,) float64

    Examples
    --------
    >>> inconsistent_limits([100, 200, 300, 400], [1.0, 1.3, 1.4, 1.6]).tolist()
    [400.0]
    """
    at, factor = positive("limits", limits), positive("factors", factors)
    same_length(limits=at, factors=factor)
    slope = np.diff(factor) / np.diff(at)
    wrong = (np.diff(slope) > 1e-12) | (slope[1:] < 0)
    return at[2:][wrong]


def loss_elimination_ratio(severity: Severity, deductible: npt.ArrayLike) -> Floats:
    """Return the share of losses that a deductible takes away, LEV(d)/E[X].

    Raises
    ------
    ModelError
        RM553 when the mean is infinite.

    Examples
    --------
    >>> from ratemod.ratemaking.distribution import exponential
    >>> loss_elimination_ratio(exponential(1000.0), [1203.9728]).round(4).tolist()
    [0.7]
    """
    whole = mean(severity)
    if not np.isfinite(whole):
        raise ModelError(problem("RM553"))
    share: Floats = limited_moment(severity, non_negative("deductible", deductible)) / whole
    return share


def excess_ratio(severity: Severity, limit: npt.ArrayLike) -> Floats:
    """Return the share of losses above a limit, 1 − LEV(l)/E[X]; see `loss_elimination_ratio`.

    Examples
    --------
    >>> from ratemod.ratemaking.distribution import exponential
    >>> excess_ratio(exponential(1000.0), [1203.9728]).round(4).tolist()
    [0.3]
    """
    whole = mean(severity)
    if not np.isfinite(whole):
        raise ModelError(problem("RM553"))
    share: Floats = excess_moment(severity, non_negative("limit", limit)) / whole
    return share


@strict
def layer(severity: Severity, deductible: npt.ArrayLike, limit: npt.ArrayLike, *, trend: Factor = 1.0) -> Layer:
    """Return the cost of a layer of `limit` above `deductible`, losses first multiplied by `trend`.

    Parameters
    ----------
    severity : Severity; deductible, limit : float arrays of one shape, unit of the severity; limit may be np.inf
    trend : factor > 0

    Returns
    -------
    Layer; `per_payment` is NaN where the chance of a payment is below the smallest float

    Raises
    ------
    ModelError
        RM500, RM501, RM502; RM543 for a wide layer of a severity without a closed second moment.

    Source
    ------
    Klugman, Panjer & Willmot, 5th ed., theorems 8.3, 8.5 and 8.7.

    Examples
    --------
    >>> from ratemod.ratemaking.distribution import exponential
    >>> layer(exponential(1000.0), [100.0], [500.0]).per_loss.round(3).tolist()
    [356.026]
    """
    factor = float(trend)
    low = non_negative("deductible", deductible)
    width = floats("limit", limit)
    if not (width > 0).all():
        raise ModelError(problem("RM502", name="limit", wrong=int((~(width > 0)).sum()), first=0))
    low, width = np.broadcast_arrays(np.atleast_1d(low / factor), np.atleast_1d(width / factor))
    first, second = factor * _layer_moment(severity, low, width, 1), factor**2 * _layer_moment(severity, low, width, 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        per_payment = first / survival(severity, low)
    return Layer(first, per_payment, np.maximum(second - first**2, 0.0))


def _layer_moment(severity: Severity, low: Floats, width: Floats, order: int) -> Floats:
    """Return E[min((X − low)+, width)^order] = order·∫ y^(order−1)·S(low + y) dy over 0 < y < width.

    Each layer by the way that keeps its digits: a narrow one by Gauss–Legendre over the layer, where S changes little;
    one that begins among the bulk of losses by limited moments; one far out by excess moments.
    """
    top = low + width
    at_low, at_top = survival(severity, low), survival(severity, top)
    narrow = (low > 0) & (width <= low) & (at_top >= FLAT * at_low)
    out = np.zeros(low.shape)
    if narrow.any():
        node, mass = np.polynomial.legendre.leggauss(NODES)
        y = width[narrow, None] * (node + 1) / 2
        over = survival(severity, low[narrow, None] + y)
        out[narrow] = order * (y ** (order - 1) * over) @ mass * width[narrow] / 2
    wide = ~narrow
    if wide.any():
        bottom, upper, over = low[wide], top[wide], at_low[wide]
        between = _between(severity, bottom, upper, over, 1)
        out[wide] = between if order == 1 else _between(severity, bottom, upper, over, 2) - 2 * bottom * between
    return out


def _between(severity: Severity, low: Floats, top: Floats, at_low: Floats, order: int) -> Floats:
    """Return order·∫ x^(order−1)·S(x) dx from low to top: by limited moments where most losses lie above `low`, else by
    excess moments.
    """
    from_above = at_low < 0.5
    out = np.empty(low.shape)
    if (~from_above).any():
        d, t = low[~from_above], top[~from_above]
        out[~from_above] = limited_moment(severity, t, order) - limited_moment(severity, d, order)
    if from_above.any():
        d, t = low[from_above], top[from_above]
        rest, beyond = excess_moment(severity, d, order), excess_moment(severity, t, order)
        with np.errstate(invalid="ignore"):
            difference = rest - beyond
        lost = ~np.isfinite(difference) & np.isfinite(t)  # an infinite moment, but a finite layer
        if lost.any():
            difference[lost] = limited_moment(severity, t[lost], order) - limited_moment(severity, d[lost], order)
        out[from_above] = np.where(np.isinf(rest) & np.isinf(t), np.inf, difference)
    return out


def split_by_layer(loss: npt.ArrayLike, attachment: npt.ArrayLike) -> Floats:
    """Split single losses among layers.

    Parameters
    ----------
    loss : (n,) float64; attachment : (k,) increasing attachment points above 0

    Returns
    -------
    (n, k + 1) float64; rows add up to the losses

    Examples
    --------
    >>> split_by_layer([50.0, 4000.0], [100.0, 3000.0]).tolist()
    [[50.0, 0.0, 0.0], [100.0, 2900.0, 1000.0]]
    """
    amount, begin = np.ravel(non_negative("loss", loss)), np.ravel(positive("attachment", attachment))
    points = np.concatenate([[0.0], begin, [np.inf]])
    return np.diff(np.minimum(amount[:, None], points), axis=1)


@strict
def accident_loss(
    severity: Severity,
    victims: npt.ArrayLike,
    person_limit: Limit,
    accident_limit: npt.ArrayLike,
    *,
    steps: Count = 1000,
) -> Floats:
    """Return the mean loss of an accident under a limit for each person and one for the accident.

    Parameters
    ----------
    severity : Severity of one victim's loss
    victims : (m,) float64, probabilities of 0, 1, 2 … victims in an accident
    person_limit : float > 0, same unit
    accident_limit : (k,) float64 > 0, np.inf for none
    steps : grid points to one person limit; the grid keeps the mean of min(X, l) exactly, and what the accident limit
        cuts off converges with the square of the step

    Returns
    -------
    (k,) float64, mean payment an accident

    Raises
    ------
    ModelError
        RM548 when `victims` is not a distribution; RM502.

    Examples
    --------
    >>> from ratemod.ratemaking.distribution import exponential
    >>> accident_loss(exponential(1.0), [0.0, 0.5, 0.5], 50.0, [np.inf]).round(6).tolist()
    [1.5]
    """
    cap = float(person_limit)
    tops = floats("accident_limit", accident_limit)
    if not (tops > 0).all():
        raise ModelError(problem("RM502", name="accident_limit", wrong=int((~(tops > 0)).sum()), first=0))
    count = non_negative("victims", victims)
    in_a_row(accident_limit=tops, victims=count)
    one = discretise(severity, cap / steps, steps)
    one[-1] += float(survival(severity, cap))
    points = (len(count) - 1) * steps + 1
    total = transform(one, Frequency("empirical", tuple(_summing(count))), points, tilt=0.0)
    x = np.arange(points) * cap / steps
    return np.array([np.minimum(x, top) @ total for top in tops])


def _summing(probabilities: Floats) -> list[float]:
    """Return probabilities that sum to 1, or refuse."""
    if abs(probabilities.sum() - 1) > 1e-9:
        raise ModelError(problem("RM548", name="victims", total=round(float(probabilities.sum()), 9)))
    return [float(value) for value in probabilities]
