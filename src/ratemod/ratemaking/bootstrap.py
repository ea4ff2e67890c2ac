"""Bootstrap of reserves: the whole distribution of what is unpaid, under an over-dispersed Poisson.

The chain ladder with volume-weighted factors is the fit of increments x with mean m = α_i·β_j and variance φ·m. With
n increments, p = origins + ages − 1 parameters and Pearson residuals r = (x − m)/√|m|:
    φ = Σ r²/(n − p),   r* = r·√(n/(n − p)) drawn with replacement,   x* = m + r*·√|m|.
Each draw is developed anew by the chain ladder (parameter error), and each future increment is drawn from a gamma
distribution of its mean and variance φ·mean (process error). Draws come from one generator with a seed: the same
triangle and seed give the same numbers.

Source: England & Verrall, *Stochastic claims reserving in general insurance*, BAJ 8 (2002), 443-544, appendix 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Booleans, Floats
from ratemod.ratemaking.development import development_factors
from ratemod.ratemaking.labels import NUMBERED, Labels, by_origin, one_triangle
from ratemod.ratemaking.triangle import latest, newest_age, unbroken
from ratemod.rules.options import strict
from ratemod.rules.within import Chance, Count, Whole

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 500  # draws worked on at a time
QUANTILES = {"quantile_50": 0.5, "quantile_75": 0.75, "quantile_95": 0.95, "quantile_99_5": 0.995}


@dataclass(frozen=True, eq=False, kw_only=True, slots=True, repr=False)
class Bootstrap:
    """What is unpaid, drawn many times.

    Attributes
    ----------
    latest, unpaid : (origins,) float64, unit of the triangle; unpaid by the chain ladder itself
    factor : (ages-1,) float64, its factors
    drawn : (draws, origins) float64, unpaid of each draw
    dispersion : float, φ; seed : of the generator
    labels : of origins and ages
    """

    latest: Floats
    unpaid: Floats
    factor: Floats
    drawn: Floats
    dispersion: float
    seed: int
    labels: Labels = NUMBERED

    @property
    def ultimate(self) -> Floats:
        """Latest and unpaid, (origins,)."""
        return np.asarray(self.latest + self.unpaid)

    @property
    def standard_error(self) -> Floats:
        """Standard deviation of the draws, (origins,)."""
        return np.asarray(self.drawn.std(axis=0, ddof=1))

    @property
    def total_standard_error(self) -> float:
        """Standard deviation of the draws of all origins together."""
        return float(self.drawn.sum(axis=1).std(ddof=1))

    @strict
    def quantile(self, chance: Chance) -> float:
        """Return what all origins together stay below with a chance.

        Examples
        --------
        >>> no = np.nan
        >>> square = [[100, 150, 165, 170], [110, 168, 180, no], [90, 130, no, no], [95, no, no, no]]
        >>> found = bootstrap(square, draws=1000)
        >>> bool(found.quantile(0.5) < found.quantile(0.995))
        True
        """
        return float(np.quantile(self.drawn.sum(axis=1), chance))

    def frame(self) -> pd.DataFrame:
        """Return one row an origin: latest, ultimate, unpaid, mean, error and cv of the draws, four quantiles."""
        error = self.standard_error
        cut = np.quantile(self.drawn, list(QUANTILES.values()), axis=0)
        return by_origin(
            self.labels,
            latest=self.latest,
            ultimate=self.ultimate,
            unpaid=self.unpaid,
            mean=self.drawn.mean(axis=0),
            standard_error=error,
            cv=np.divide(error, self.unpaid, out=np.full(len(error), np.nan), where=self.unpaid != 0),
            **dict(zip(QUANTILES, cut)),
        )

    def __repr__(self) -> str:
        sums = f"unpaid {self.unpaid.sum():,.8g}; standard error {self.total_standard_error:,.6g}"
        high = f"99.5 % {self.quantile(0.995):,.6g}"
        return f"Bootstrap({len(self.drawn):,} draws, seed {self.seed}; {len(self.latest)} origins; {sums}; {high})"


@strict
def bootstrap(triangle: Any, *, draws: Count = 10_000, seed: Whole = 1) -> Bootstrap:
    """Draw what is unpaid of one triangle.

    Parameters
    ----------
    triangle : (origins, ages) cumulative, NaN where not known, each origin from its first age on; increments may be
        negative, those of an age together not; or a triangle with labels (`labelled`)
    draws : how many; seed : of the generator

    Returns
    -------
    Bootstrap
        In the unit of the triangle.

    Raises
    ------
    ModelError
        RM463 a triangle of several segments; RM515 a hole, RM683 an origin without amounts; RM518 an age without ratio;
        RM688 too few increments; RM689 draws in which an age adds up to nothing, which no factor develops.

    Examples
    --------
    >>> no = np.nan
    >>> square = [[100, 150, 165, 170], [110, 168, 180, no], [90, 130, no, no], [95, no, no, no]]
    >>> bootstrap(square).unpaid.round(1).tolist()
    [0.0, 5.5, 15.3, 63.6]
    """
    amount, labels = one_triangle(triangle)
    seen = unbroken(amount)
    if not seen[:, 0].all():
        raise ModelError(problem("RM515", wrong=int((~seen[:, 0]).sum())))
    factor = development_factors(amount).value
    parameters = amount.shape[0] + amount.shape[1] - 1
    n = int(seen.sum())
    if n <= parameters:
        raise ModelError(problem("RM688", increments=n, parameters=parameters))
    whole = _developed(amount, seen, factor)
    fitted = np.diff(_backwards(amount, seen, factor), axis=1, prepend=0.0)
    root = np.sqrt(np.abs(fitted))
    step = np.diff(np.where(seen, amount, 0.0), axis=1, prepend=0.0)
    residual = np.divide(step - fitted, root, out=np.zeros_like(root), where=root > 0)[seen]
    dispersion = float((residual**2).sum() / (n - parameters))
    pool = residual * np.sqrt(n / (n - parameters))
    random = np.random.default_rng(seed)
    parts = [
        _drawn(random, min(BLOCK, draws - at), fitted, root, seen, pool, dispersion) for at in range(0, draws, BLOCK)
    ]
    newest = latest(amount)
    return Bootstrap(
        latest=newest,
        unpaid=whole[:, -1] - newest,
        factor=factor,
        drawn=np.concatenate(parts),
        dispersion=dispersion,
        seed=seed,
        labels=labels,
    )


def _drawn(
    random: np.random.Generator,
    draws: int,
    fitted: Floats,
    root: Floats,
    seen: Booleans,
    pool: Floats,
    dispersion: float,
) -> Floats:
    """Return what is unpaid in some draws, (draws, origins)."""
    made = np.zeros((draws, *fitted.shape))
    made[:, seen] = fitted[seen] + random.choice(pool, (draws, len(pool))) * root[seen]
    total = np.cumsum(made, axis=2)
    use = seen[:, 1:]
    below = np.where(use, total[:, :, :-1], 0.0).sum(axis=1)
    if not (below > 0).all():
        raise ModelError(problem("RM689", wrong=int((below <= 0).any(axis=1).sum()), draws=draws))
    factor = np.where(use, total[:, :, 1:], 0.0).sum(axis=1) / below
    future = np.diff(_developed(total, seen, factor), axis=2)[:, ~use]
    if dispersion > 0:
        future = np.sign(future) * dispersion * random.standard_gamma(np.abs(future) / dispersion)
    unpaid = np.zeros((draws, *use.shape))
    unpaid[:, ~use] = future
    return np.asarray(unpaid.sum(axis=2))


def _developed(amount: Floats, seen: Booleans, factor: Floats) -> Floats:
    """Return amounts, (..., origins, ages), developed to the last age by factors, (..., ages-1)."""
    done = np.array(amount)
    for k in range(factor.shape[-1]):
        done[..., k + 1] = np.where(seen[..., k + 1], amount[..., k + 1], done[..., k] * factor[..., k, None])
    return done


def _backwards(amount: Floats, seen: Booleans, factor: Floats) -> Floats:
    """Return what the fit puts in the place of each known amount: the newest one, divided by the factors before it."""
    fitted = np.zeros(amount.shape)
    fitted[np.arange(len(amount)), newest_age(amount)] = latest(amount)
    for k in range(len(factor) - 1, -1, -1):
        fitted[:, k] = np.where(seen[:, k + 1], fitted[:, k + 1] / factor[k], fitted[:, k])
    return fitted
