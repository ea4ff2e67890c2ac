"""Regression credibility (Hachemeister) at the barycentre: a firm's own level and trend, each as far as it is credible.

Every firm has a weighted regression of its values on a design (by default level and trend in time). Hachemeister's
original model weighs intercept and slope by one matrix and can give a trend outside the firm's and the collective's;
with the design made orthogonal under the collective's weights (the intercept sits at the barycentre of time) each
coefficient has a Bühlmann–Straub credibility of its own:

    z_ik = w_ik / (w_ik + s²/a_k),     w_ik = Σ_t w_it x_tk²,     s² = Σ_it w_it (X_it − fitted)² / Σ_i (T_i − p)

with a_k the unbiased between variance of coefficient k under the weights w_ik. A design of a constant alone is
Bühlmann–Straub.

Sources: Hachemeister, "Credibility for regression models with application to trend", 1975; Bühlmann & Gisler,
"Credibility in the regression case revisited", ASTIN Bulletin 27, 1997; the numbers agree with R's actuar
3.3.2 (`adj.intercept`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, Problem, problem
from ratemod.experience.buhlmann import between_unbiased
from ratemod.experience.panel import BLOCK, Floats, first, named, numbers, row_names, same_shape

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class TrendCredibility:
    """Regression credibility.

    Attributes
    ----------
    basis : (p, p) float64, upper triangular R; the orthogonal design is design · R⁻¹. With level and trend the first
        coefficient is the level at the barycentre, the second the trend times the spread of time.
    collective : (p,) float64, coefficients of the collective in that basis
    own : (firms, p) float64, coefficients of each firm; NaN where its periods are too few for a regression
    z : (firms, p) float64, credibility of each coefficient, 0..1
    coefficients : (firms, p) float64, the credibility estimates
    within : variance at weight 1 around a firm's line; between : (p,) variances of coefficients between firms
    warnings : between variances that came out negative
    firms : their names, where the values came as a frame with an index
    """

    basis: Floats
    collective: Floats
    own: Floats
    z: Floats
    coefficients: Floats
    within: float
    between: Floats
    warnings: tuple[Problem, ...] = ()
    firms: tuple[str, ...] = ()

    def frame(self) -> pd.DataFrame:
        """Return one row a firm: firm, then own, z and estimate of each coefficient: own_1, z_1, estimate_1, ..."""
        import pandas as pd

        held = {"own": self.own, "z": self.z, "estimate": self.coefficients}
        each = {f"{name}_{at + 1}": part[:, at] for at in range(self.z.shape[1]) for name, part in held.items()}
        return pd.DataFrame({"firm": named(self.firms, len(self.z)), **each})

    def __repr__(self) -> str:
        mean, between = (", ".join(f"{one:.6g}" for one in part) for part in (self.collective, self.between))
        noted = f"; {', '.join(one.code for one in self.warnings)}" if self.warnings else ""
        variances = f"within {self.within:.6g}, between {between}"
        return f"TrendCredibility({len(self.z):,} firms; collective {mean}; {variances}{noted})"


def hachemeister(
    values: npt.ArrayLike, weights: npt.ArrayLike, design: npt.ArrayLike | None = None
) -> TrendCredibility:
    """Return regression credibility with the intercept at the barycentre.

    Parameters
    ----------
    values, weights : (firms, periods) float64 as for `buhlmann_straub`
    design : (periods, p) float64, default a constant and the period number 1, 2, ...

    Returns
    -------
    TrendCredibility

    Raises
    ------
    ModelError
        RM640 to RM643 faults of the arrays; RM650 a design without full rank; RM948, RM645 too few periods or firms.

    Examples
    --------
    >>> found = hachemeister([[1, 2, 3.3], [2, 2.2, 2.1], [3, 5.1, 6.9]], np.ones((3, 3)))
    >>> premium_at(found, [1, 4]).round(2).tolist()
    [4.4, 2.22, 8.88]
    """
    array, mass = numbers("values", values, missing=True), numbers("weights", weights, low=0, missing=True)
    same_shape(values=array, weights=mass)
    if array.ndim != 2:
        raise ModelError(
            problem("RM640", name="values", found=str(array.shape), first="panel", expected="(firms, periods)")
        )
    seen = np.isfinite(array) & (mass > 0)
    bare = np.isfinite(array) & ~seen & (array != 0)
    if bare.any():
        raise ModelError(problem("RM643", wrong=int(bare.sum()), firm=first(bare) // array.shape[1]))
    array, mass = np.where(seen, array, 0.0), np.where(seen, mass, 0.0)
    raw = _design(design, array.shape[1])
    basis = _basis(raw, mass)
    orthogonal: Floats = np.linalg.solve(basis.T, raw.T).T.astype(np.float64)
    own, leverage, square = _regressions(array, mass, orthogonal)
    return replace(_credibility(basis, own, leverage, square, seen.sum(axis=1)), firms=row_names(values))


def premium_at(found: TrendCredibility, at: npt.ArrayLike) -> Floats:
    """Return the credibility estimate of every firm at a row of the design, (firms,).

    Parameters
    ----------
    found : TrendCredibility
    at : (p,) float64, such as [1, 13] for the thirteenth period

    Raises
    ------
    ModelError
        RM640 for a row of another length than the design's; RM641.

    Examples
    --------
    >>> flat = hachemeister([[1, 2], [2, 2], [4, 5.0]], np.ones((3, 2)), np.ones((2, 1)))
    >>> premium_at(flat, [1]).round(3).tolist()
    [1.575, 2.043, 4.382]
    """
    row = numbers("at", at)
    size = found.basis.shape[:1]
    if row.shape != size:
        raise ModelError(problem("RM640", name="at", found=str(row.shape), first="design", expected=str(size)))
    return found.coefficients @ np.linalg.solve(found.basis.T, row)


def natural_coefficients(found: TrendCredibility) -> Floats:
    """Return the estimates in the design's own terms, (firms, p): with the default, value at period 0 and trend."""
    estimate: Floats = np.linalg.solve(found.basis, found.coefficients.T).T.astype(np.float64)
    return estimate


def _design(design: npt.ArrayLike | None, periods: int) -> Floats:
    if design is None:
        return np.stack([np.ones(periods), np.arange(1.0, periods + 1)], axis=1)
    given = numbers("design", design)
    if given.ndim != 2 or len(given) != periods:
        raise ModelError(
            problem("RM640", name="design", found=str(given.shape), first="values", expected=f"({periods}, p)")
        )
    return given


def _basis(design: Floats, mass: Floats) -> Floats:
    """Return R of the design under the collective's weights, diagonal positive."""
    share = mass.sum(axis=0) / mass.sum() if mass.sum() > 0 else mass.sum(axis=0)
    basis: Floats = np.asarray(np.linalg.qr(design * np.sqrt(share)[:, None], mode="r"), dtype=np.float64)
    size = np.abs(np.diag(basis))
    if len(basis) < design.shape[1] or size.min() <= 1e-12 * size.max():
        raise ModelError(problem("RM650", columns=design.shape[1]))
    upright: Floats = basis * np.sign(np.diag(basis))[:, None]
    return upright


def _regressions(values: Floats, mass: Floats, design: Floats) -> tuple[Floats, Floats, Floats]:
    """Return (firms, p) coefficients and weights of coefficients, and (firms,) weighted squares of residuals."""
    size, width = len(values), design.shape[1]
    own, leverage, square = np.empty((size, width)), np.empty((size, width)), np.empty(size)
    products = np.einsum("tj,tk->tjk", design, design).reshape(len(design), -1)
    for start in range(0, size, BLOCK):
        at = slice(start, start + BLOCK)
        normal = (mass[at] @ products).reshape(-1, width, width)
        right = (mass[at] * values[at]) @ design
        leverage[at] = np.einsum("ijj->ij", normal)
        enough = np.count_nonzero(mass[at], axis=1) >= width
        found = np.full((len(right), width), np.nan)
        found[enough] = np.linalg.solve(normal[enough], right[enough][..., None])[..., 0]
        own[at] = found
        away = values[at] - np.nan_to_num(found) @ design.T
        square[at] = np.where(enough, np.einsum("ij,ij,ij->i", mass[at], away, away), 0.0)
    return own, leverage, square


def _credibility(
    basis: Floats, own: Floats, leverage: Floats, square: Floats, periods: npt.NDArray[np.intp]
) -> TrendCredibility:
    """Return the estimates, coefficient by coefficient."""
    fitted = np.isfinite(own[:, 0])
    width = own.shape[1]
    freedom = int(np.maximum(periods[fitted] - width, 0).sum())
    if fitted.sum() < 2:
        raise ModelError(problem("RM645", firms=int(fitted.sum())))
    if freedom == 0:
        raise ModelError(problem("RM948", columns=width))
    within = float(square[fitted].sum()) / freedom
    collective, between, z = np.empty(width), np.empty(width), np.zeros_like(own)
    warnings: list[Problem] = []
    for k in range(width):
        weight, mean = leverage[fitted, k], own[fitted, k]
        between[k] = between_unbiased(weight, mean, within)
        if between[k] <= 0:
            if between[k] < 0:
                warnings.append(problem("RM672", component=k + 1, estimate=f"{between[k]:.6g}"))
            between[k] = 0.0
        else:
            z[fitted, k] = weight / (weight + within / between[k])
        by = z[fitted, k] if between[k] > 0 else weight
        collective[k] = by @ mean / by.sum()
    known = np.where(fitted[:, None], own, collective)
    return TrendCredibility(
        basis=basis,
        collective=collective,
        own=own,
        z=z,
        coefficients=collective + z * (known - collective),
        within=within,
        between=between,
        warnings=tuple(warnings),
    )
