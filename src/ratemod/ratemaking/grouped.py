"""Losses of which only the group is known: the ogive, its moments, and distributions fitted to groups.

With edges c_0 < ... < c_k and n_j of n losses in (c_(j−1), c_j], the ogive joins the shares below each edge by straight
lines, so that losses are spread evenly within a group:
    E[X^r] = Σ n_j/n · (c_j^(r+1) − c_(j−1)^(r+1)) / ((r + 1)(c_j − c_(j−1))).
A distribution is fitted by max Σ n_j·log(S(c_(j−1)) − S(c_j)) − n·log S(c_0); χ² = Σ (n_j − e_j)²/e_j over the groups.

Source: Klugman, Panjer & Willmot, *Loss Models*, 5th ed., sections 14.2, 11.3.1 and 15.4.3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, nearest, problem
from ratemod.ratemaking.arrays import Floats, Integers, non_negative
from ratemod.ratemaking.distribution import Severity, survival
from ratemod.ratemaking.severity import PARAMETERS, SeverityFit, fitted, severity_of
from ratemod.rules.floats import floats
from ratemod.rules.options import strict
from ratemod.rules.within import Whole

if TYPE_CHECKING:
    import pandas as pd

MOST_TO_START = 2000


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Grouped:
    """Losses by group.

    Attributes
    ----------
    edges : (k+1,) float64, yuan, rising from 0 or a threshold; the last may be infinite
    counts : (k,) int64, losses above the lower and up to the upper edge
    """

    edges: Floats
    counts: Integers

    def frame(self) -> pd.DataFrame:
        """Return one row a group: above, up_to, losses, share, share_below (of its upper edge)."""
        import pandas as pd

        share = self.counts / self.counts.sum()
        held = {"above": self.edges[:-1], "up_to": self.edges[1:], "losses": self.counts, "share": share}
        return pd.DataFrame({**held, "share_below": np.cumsum(share)})

    def __repr__(self) -> str:
        return f"Grouped({int(self.counts.sum()):,} losses in {len(self.counts)} groups)"


def grouped(edges: npt.ArrayLike, counts: npt.ArrayLike) -> Grouped:
    """Return losses by group.

    Parameters
    ----------
    edges : (k+1,), yuan, rising from 0 or a threshold; the last may be infinite
    counts : (k,) whole numbers >= 0

    Raises
    ------
    ModelError
        RM831 where they are not; RM500 for a count that is missing.

    Examples
    --------
    >>> grouped([0, 10, 100], [3, 1])
    Grouped(4 losses in 2 groups)
    """
    number = non_negative("counts", counts)
    at = floats("edges", edges)
    good = at.ndim == number.ndim == 1 and len(at) == len(number) + 1 and len(number) > 0
    if not good or not (np.diff(at) > 0).all() or at[0] < 0 or (number % 1 > 0).any() or not number.sum() > 0:
        raise ModelError(problem("RM831", edges=at.size, counts=number.size))
    return Grouped(at, number.astype(np.int64))


def ogive(losses: Grouped, x: npt.ArrayLike) -> Floats:
    """Return the share of losses up to x, shape of x: straight between edges, 0 below the first, 1 above the last.

    Raises
    ------
    ModelError
        RM832 within a group that has no upper edge and is not empty.

    Examples
    --------
    >>> ogive(grouped([0, 10, 100], [3, 1]), [5, 10, 55]).tolist()
    [0.375, 0.75, 0.875]
    """
    at, below = non_negative("x", x), np.concatenate([[0.0], np.cumsum(losses.counts)]) / losses.counts.sum()
    edges = losses.edges
    if np.isinf(edges[-1]):
        if losses.counts[-1] and (at > edges[-2]).any():
            raise ModelError(problem("RM832", lost=int(losses.counts[-1])))
        edges, below = edges[:-1], below[:-1]
    return np.asarray(np.interp(at, edges, below))


@strict
def grouped_moment(losses: Grouped, order: Whole = 1, *, limit: float = np.inf) -> float:
    """Return E[min(X, limit)^order] of the ogive, unit^order.

    Raises
    ------
    ModelError
        RM832 where the limit cuts into, or lies above, a group that has no upper edge and is not empty.

    Examples
    --------
    >>> grouped_moment(grouped([0, 10, 100], [3, 1])), grouped_moment(grouped([0, 10, 100], [3, 1]), limit=10.0)
    (17.5, 6.25)
    """
    low, high = losses.edges[:-1], losses.edges[1:]
    lost = np.isinf(high) & (losses.counts > 0) & (low < limit)
    if lost.any():
        raise ModelError(problem("RM832", lost=int(losses.counts[lost].sum())))
    known = np.isfinite(high)
    low, high, count = low[known], high[known], losses.counts[known]
    begin, end = np.minimum(low, limit), np.minimum(high, limit)
    within = (end ** (order + 1) - begin ** (order + 1)) / ((order + 1) * (high - low))
    over = (high - np.clip(limit, low, high)) / (high - low) * end**order
    held = losses.counts[~known].sum() * (0.0 if np.isinf(limit) else float(limit) ** order)
    return float(((count * (within + over)).sum() + held) / losses.counts.sum())


def fit_grouped(losses: Grouped, family: str) -> SeverityFit:
    """Fit a distribution to groups by maximum likelihood; a first edge above 0 is a threshold of all losses.

    Parameters
    ----------
    losses : Grouped
    family : a name of `PARAMETERS`

    Returns
    -------
    SeverityFit
        Its log-likelihood is that of the groups, so AIC compares families on the same groups alone.

    Raises
    ------
    ModelError
        RM544 an unknown family; RM545 fewer groups with losses than parameters and one; RM547 no firm maximum.

    Examples
    --------
    >>> fit_grouped(grouped([0, 10, 20, np.inf], [50, 25, 25]), "exponential").estimate.round(3).tolist()
    [14.427]
    """
    if family not in PARAMETERS:
        known = ", ".join(PARAMETERS)
        raise ModelError(problem("RM544", name=family, known=known, nearest=nearest(family, PARAMETERS)))
    filled, n = int((losses.counts > 0).sum()), int(losses.counts.sum())
    if filled <= len(PARAMETERS[family]):
        raise ModelError(problem("RM545", claims=filled, need=len(PARAMETERS[family]) + 1))
    top = np.where(np.isinf(losses.edges[1:]), 2 * losses.edges[:-1], losses.edges[1:])
    middle = (losses.edges[:-1] + top) / 2
    many = np.maximum(np.ceil(losses.counts / max(n / MOST_TO_START, 1)), losses.counts > 0).astype(np.int64)
    sample = np.repeat(middle, many)
    scale = float(np.median(sample))
    objective = _objective(losses, scale, family)
    return fitted(objective, objective, np.sort(sample / scale), (family,), scale, n, 0, 0.0)


def grouped_chi_square(losses: Grouped, fit: SeverityFit) -> tuple[float, float]:
    """Return χ² and its p-value: groups − 1 − parameters degrees of freedom, NaN where none are left.

    Examples
    --------
    >>> by_group = grouped([0, 10, 20, np.inf], [50, 25, 25])
    >>> [round(one, 4) for one in grouped_chi_square(by_group, fit_grouped(by_group, "exponential"))]
    [0.0, 1.0]
    """
    from scipy.special import chdtrc

    expected = losses.counts.sum() * _chances(losses.edges, fit.severity)
    value = float(((losses.counts - expected) ** 2 / expected).sum())
    freedom = len(losses.counts) - 1 - len(fit.estimate)
    return value, float(chdtrc(freedom, value)) if freedom > 0 else float("nan")


def _chances(edges: Floats, severity: Severity) -> Floats:
    """Return the chance of each group, given a loss above the first edge."""
    above = np.where(np.isinf(edges), 0.0, survival(severity, np.where(np.isinf(edges), 0.0, edges)))
    return np.asarray(-np.diff(above) / above[0])


def _objective(losses: Grouped, scale: float, family: str) -> Callable[[Floats], float]:
    """Return the mean negative log-likelihood as a function of unconstrained parameters."""
    edges, filled = losses.edges / scale, losses.counts > 0
    share = losses.counts[filled] / losses.counts.sum()

    def value(theta: Floats) -> float:
        with np.errstate(all="ignore"):
            like = float(share @ np.log(_chances(edges, severity_of(theta, (family,)))[filled]))
        return -like if np.isfinite(like) else 1e10

    return value
