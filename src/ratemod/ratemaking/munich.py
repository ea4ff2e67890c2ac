"""The Munich chain ladder: paid and incurred developed together, so that their ultimates come near each other.

With f, σ of each triangle (volume-weighted, as Mack), q = ΣP/ΣI by age and ρ the deviation of P/I and I/P about q
and 1/q (weighted by the denominator, as σ), standardised residuals of the factors are regressed through the origin on
those of the ratio at the age before: λ. Then, age by age,
    P' = P·[f_P + λ_P·σ_P/ρ_P·(I/P − 1/q)],   I' = I·[f_I + λ_I·σ_I/ρ_I·(P/I − q)].
The σ and ρ of the last age, where one origin is left, continue the others (`last_sigma`) or are given.

Source: Quarg & Mack, *Munich Chain Ladder*, Blätter der DGVFM 26 (2004), 597–630.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Booleans, Floats, positive
from ratemod.ratemaking.development import LastSigma, last_sigma2, need_ratios
from ratemod.ratemaking.labels import Labels, by_origin, by_step, labelled, of_origins
from ratemod.ratemaking.triangle import latest, unbroken
from ratemod.rules.options import strict
from ratemod.rules.within import Amount

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, kw_only=True, slots=True, repr=False)
class Munich:
    """Paid and incurred developed together; leading axes as in the triangles.

    Attributes
    ----------
    paid, incurred : (..., origins, ages) float64, the completed triangles
    factor, sigma : (2, ..., ages-1) float64, of paid and of incurred
    ratio : (..., ages) float64, q, paid to incurred; rho : (2, ..., ages) float64, about 1/q and about q
    slope : (2, ...) float64, λ of paid and of incurred
    latest_paid, latest_incurred, ultimate_paid, ultimate_incurred : (..., origins) float64, unit of the triangles
    labels : names of segments, origins and ages
    """

    paid: Floats
    incurred: Floats
    factor: Floats
    sigma: Floats
    ratio: Floats
    rho: Floats
    slope: Floats
    latest_paid: Floats
    latest_incurred: Floats
    ultimate_paid: Floats
    ultimate_incurred: Floats
    labels: Labels

    def frame(self) -> pd.DataFrame:
        """Return one row an origin: latest and ultimate of paid and of incurred, the ratio of the two then and now."""
        return by_origin(
            self.labels,
            latest_paid=self.latest_paid,
            latest_incurred=self.latest_incurred,
            latest_ratio=self.latest_paid / self.latest_incurred,
            ultimate_paid=self.ultimate_paid,
            ultimate_incurred=self.ultimate_incurred,
            ultimate_ratio=self.ultimate_paid / self.ultimate_incurred,
        )

    def factors(self) -> pd.DataFrame:
        """Return one row a step from age to age: factor and sigma of paid and of incurred, ratio and rho before it."""
        return by_step(
            self.labels,
            factor_paid=self.factor[0],
            factor_incurred=self.factor[1],
            sigma_paid=self.sigma[0],
            sigma_incurred=self.sigma[1],
            ratio=self.ratio[..., :-1],
            rho_paid=self.rho[0][..., :-1],
            rho_incurred=self.rho[1][..., :-1],
        )

    def __repr__(self) -> str:
        sums = f"ultimate paid {self.ultimate_paid.sum():,.8g}, incurred {self.ultimate_incurred.sum():,.8g}"
        slope = f"; λ {float(self.slope[0]):.4g} and {float(self.slope[1]):.4g}" if self.slope.ndim == 1 else ""
        return f"Munich({of_origins(self.ultimate_paid)}; {sums}{slope})"


@strict
def munich(
    paid: Any,
    incurred: Any,
    *,
    last_sigma: LastSigma = "log-linear",
    last_sigma_paid: Amount | None = None,
    last_sigma_incurred: Amount | None = None,
) -> Munich:
    """Complete a paid and an incurred triangle together.

    Parameters
    ----------
    paid, incurred : (..., origins, ages) float64 cumulative > 0, NaN where not known, known in the same cells; or
        triangles with labels (`labelled`)
    last_sigma : how σ and ρ go on to the age where one origin is left, as in `mack`
    last_sigma_paid, last_sigma_incurred : σ of the last step where it is judged

    Returns
    -------
    Munich

    Raises
    ------
    ModelError
        RM515 for gaps; RM502 for amounts that are not positive; RM828 triangles that are not known in the same cells or
        whose origins or ages have other names; RM521 for fewer than four ages, or an age before the last with a single
        ratio; RM829 for a σ or ρ of 0 before the last age, by which nothing can be divided.

    Examples
    --------
    >>> no = np.nan
    >>> paid = [[100, 150, 165, 170], [110, 168, 180, no], [90, 130, no, no], [95, no, no, no]]
    >>> incurred = [[140, 160, 170, 171], [150, 180, 184, no], [130, 145, no, no], [120, no, no, no]]
    >>> munich(paid, incurred).ultimate_paid.round(1).tolist()
    [170.0, 186.4, 135.6, 183.1]
    """
    (p, labels), (i, others) = labelled(paid), labelled(incurred)
    if p.shape != i.shape or (np.isnan(p) != np.isnan(i)).any() or named_otherwise(labels, others):
        raise ModelError(problem("RM828", paid=str(p.shape), incurred=str(i.shape)))
    seen = unbroken(p)
    positive("paid", p[seen])
    positive("incurred", i[seen])
    use = seen[..., 1:] & seen[..., :-1]
    count = use.sum(axis=-2)
    need_ratios(count)
    both = np.stack([np.where(seen, p, 1.0), np.where(seen, i, 1.0)])
    factor, sigma, residual = _weighted(both[..., 1:], both[..., :-1], use, last_sigma)
    for at, given in enumerate((last_sigma_paid, last_sigma_incurred)):
        if given is not None:
            sigma[at, ..., -1] = given
    inverse, rho, about = _weighted(both[::-1], both, seen, last_sigma)  # I/P beside paid, P/I beside incurred
    once = (use & (count > 1)[..., None, :]) & (seen.sum(axis=-2) > 1)[..., None, :-1]
    x, y = np.where(once, about[..., :-1], 0.0), np.where(once, residual, 0.0)
    slope = (x * y).sum(axis=(-2, -1)) / (x * x).sum(axis=(-2, -1))
    done = np.stack([p, i])
    begun = np.logical_or.accumulate(seen, axis=-1)
    for k in range(count.shape[-1]):
        now = done[..., k]
        pull = slope * sigma[..., k] / rho[..., k]
        next_ = now * (factor[..., k, None] + pull[..., None] * (now[::-1] / now - inverse[..., k, None]))
        new = ~seen[..., k + 1] & begun[..., k]
        done[..., k + 1] = np.where(new, next_, done[..., k + 1])
    return Munich(
        paid=done[0],
        incurred=done[1],
        factor=factor,
        sigma=sigma,
        ratio=inverse[1],
        rho=rho,
        slope=slope,
        latest_paid=latest(p),
        latest_incurred=latest(i),
        ultimate_paid=done[0][..., -1],
        ultimate_incurred=done[1][..., -1],
        labels=labels,
    )


def _weighted(then: Floats, now: Floats, use: Booleans, rule: LastSigma) -> tuple[Floats, Floats, Floats]:
    """Return the weighted ratio then/now by age, its σ, and the standardised residuals (2, ..., origins, ages)."""
    weight = np.where(use, now, 0.0)
    ratio = np.where(use, then / now, 0.0)
    mean = (weight * ratio).sum(axis=-2) / weight.sum(axis=-2)
    count = use.sum(axis=-2)
    square = (weight * (ratio - mean[..., None, :]) ** 2).sum(axis=-2) / np.maximum(count - 1, 1)
    if (square[..., :-1] <= 0).any():
        at = np.argwhere(square[..., :-1] <= 0)[0]
        raise ModelError(problem("RM829", age=int(at[-1]) + 1))
    square[..., -1] = np.where(count[..., -1] == 1, last_sigma2(square, rule), square[..., -1])
    sigma = np.sqrt(square)
    spread = np.where(sigma > 0, sigma, 1.0)[..., None, :]
    return mean, sigma, np.where(use, (ratio - mean[..., None, :]) / spread * np.sqrt(weight), 0.0)


def named_otherwise(one: Labels, other: Labels) -> bool:
    """Return whether two triangles call their origins or ages differently, where both have names."""
    pairs = ((one.origins, other.origins), (one.ages, other.ages), (one.segments, other.segments))
    return any(mine and theirs and mine != theirs for mine, theirs in pairs)
