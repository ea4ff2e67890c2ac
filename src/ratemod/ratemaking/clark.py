"""Clark's growth curves: a reserve by maximum likelihood, with its error and without a factor for every age.

Losses emerge as G(x), x the time since the average loss of an origin (its age less half the origin's length);
    loglogistic x^ω/(x^ω + θ^ω),   weibull 1 − e^−(x/θ)^ω.
An increment from one known age s to the next, t, has the mean μ = U·[G(t) − G(s)]: U one ultimate an origin (method
"ldf", origins + 2 parameters), or expected ratio × premium (method "cape_cod", 3 parameters). They maximise
Σ c·log μ − μ, the likelihood of an over-dispersed Poisson; σ² = Σ (c − μ)²/μ / (n − p). What is unpaid is
R = U·[G(until) − G(age)];
    process variance σ²·R,   parameter variance σ²·∇R' I⁻¹ ∇R,   I the observed information.

Source: Clark, *LDF Curve-Fitting and Stochastic Reserving*, CAS Forum (Fall 2003).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Floats, Integers, positive
from ratemod.ratemaking.labels import Labels, by_origin, is_number, one_triangle, with_cv
from ratemod.ratemaking.triangle import latest, newest_age, observed
from ratemod.rules.floats import in_a_row
from ratemod.rules.options import strict
from ratemod.rules.within import Factor, Unbounded

if TYPE_CHECKING:
    import pandas as pd

Growth = Literal["loglogistic", "weibull"]
STEP = 1e-3  # of the logs of ω and θ, for derivatives of fourth order


@dataclass(frozen=True, eq=False, kw_only=True, slots=True, repr=False)
class Clark:
    """A growth curve fitted to one triangle, and what it says is unpaid.

    Attributes
    ----------
    method : "ldf" or "cape_cod"; growth : the curve; until : age to which losses are followed
    omega, theta : float, of the curve, θ in the unit of the ages
    expected_ratio : float, losses per unit of premium; NaN of "ldf"
    dispersion : float, σ², unit of the triangle
    latest, ultimate, unpaid : (origins,) float64, unit of the triangle; ultimate at `until`
    grown : (origins,) float64, G at the newest age of each origin; curve : (ages,) float64, G at every age
    grown_until : float, G at `until`
    standard_error, process_error, parameter_error : (origins,) float64; total_... : of all origins together
    residual : (origins, ages) float64, (c − μ)/√(σ²μ), NaN where there is no increment
    labels : of origins and ages
    """

    method: Literal["ldf", "cape_cod"]
    growth: Growth
    until: float
    omega: float
    theta: float
    expected_ratio: float
    dispersion: float
    latest: Floats
    ultimate: Floats
    unpaid: Floats
    grown: Floats
    curve: Floats
    grown_until: float
    standard_error: Floats
    process_error: Floats
    parameter_error: Floats
    total_standard_error: float
    total_process_error: float
    total_parameter_error: float
    residual: Floats
    labels: Labels

    def frame(self) -> pd.DataFrame:
        """Return one row an origin: latest, grown, ultimate, unpaid, standard, process and parameter error, cv."""
        return by_origin(self.labels, latest=self.latest, grown=self.grown, ultimate=self.ultimate, **with_cv(self))

    def __repr__(self) -> str:
        ratio = f"; expected ratio {self.expected_ratio:.4g}" if self.method == "cape_cod" else ""
        curve = f"{self.growth} ω {self.omega:.5g} θ {self.theta:.5g}"
        sums = f"unpaid {self.unpaid.sum():,.8g}; standard error {self.total_standard_error:,.6g}"
        return f"Clark({self.method}; {curve}{ratio}; {len(self.latest)} origins; {sums})"


@strict
def clark(
    triangle: Any,
    growth: Growth = "loglogistic",
    *,
    premium: npt.ArrayLike | None = None,
    ages: npt.ArrayLike | None = None,
    origin_length: Factor | None = None,
    until: Unbounded = np.inf,
) -> Clark:
    """Fit a growth curve to one triangle: method "cape_cod" where there is a premium, "ldf" where there is none.

    Parameters
    ----------
    triangle : (origins, ages) cumulative, NaN where not known; or a triangle with labels (`labelled`)
    growth : "loglogistic" (a heavy tail) or "weibull"
    premium : (origins,) float64 > 0, on level
    ages : (ages,) rising, from the start of the origin, any unit; the triangle's own where they are numbers, else 1, 2…
    origin_length : of an origin, in that unit (the first age)
    until : age at which losses are taken to end; infinite for the curve's own end

    Returns
    -------
    Clark

    Raises
    ------
    ModelError
        RM463 a triangle of several segments; RM683 an origin without amounts; RM503 a premium or age too many; RM502 a
        premium that is not positive; RM704 ages that do not rise, or begin before an origin ends; RM691 losses that end
        before an age at which they are known; RM827 no firm maximum, fewer increments than parameters, or an origin
        whose increments do not sum to a positive amount.

    Examples
    --------
    >>> no = np.nan
    >>> square = [[100, 150, 165, 170], [110, 168, 180, no], [90, 130, no, no], [95, no, no, no]]
    >>> clark(square, "weibull").unpaid.round(1).tolist()
    [2.8, 7.9, 17.7, 65.9]
    """
    amount, labels = one_triangle(triangle)
    at, length = _ages(labels, amount.shape[1], ages, origin_length)
    base = None if premium is None else positive("premium", premium)
    if base is not None and base.shape != amount.shape[:1]:
        raise ModelError(problem("RM503", name="premium", found=base.size, first="triangle", expected=len(amount)))
    newest = float(at[newest_age(amount).max()])
    if until < newest:
        raise ModelError(problem("RM691", until=f"{until:g}", newest=f"{newest:g}"))
    evidence = _evidence(amount, np.concatenate([[0.0], at - length / 2]), growth, base)
    return _result(evidence, _best(evidence), until, until - length / 2, amount, labels)


def _ages(labels: Labels, n: int, ages: npt.ArrayLike | None, length: float | None) -> tuple[Floats, float]:
    """Return the ages and the length of an origin."""
    own = labels.ages if labels.ages and all(map(is_number, labels.ages)) else range(1, n + 1)
    at = positive("ages", [float(one) for one in own] if ages is None else ages)
    in_a_row(ages=at)
    if len(at) != n:
        raise ModelError(problem("RM503", name="ages", found=len(at), first="triangle", expected=n))
    whole = float(at[0]) if length is None else float(length)
    if (np.diff(at) <= 0).any() or at[0] < whole:
        raise ModelError(problem("RM704", ages=", ".join(f"{one:g}" for one in at), length=f"{whole:g}"))
    return at, whole


def _curve(growth: Growth, logs: Floats, x: Floats) -> Floats:
    """Return G at times x, for the logs of ω and θ."""
    omega, theta = np.exp(logs)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        power = (np.maximum(x, 0.0) / theta) ** omega
        grown = np.where(np.isinf(power), 1.0, power / (1 + power)) if growth == "loglogistic" else -np.expm1(-power)
    return np.asarray(grown, dtype=np.float64)


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class _Evidence:
    """Increments of one triangle, k of them, under a growth curve.

    Attributes
    ----------
    row, begin, end : (k,) int64, origin and places in `x` of the two ages; amount : (k,) float64
    x : (ages + 1,) float64, times since the average loss, the first is 0
    base : (origins,) premium of Cape Cod, or None
    """

    growth: Growth
    x: Floats
    row: Integers
    begin: Integers
    end: Integers
    amount: Floats
    origins: int
    base: Floats | None

    @property
    def parameters(self) -> int:
        return 2 + (self.origins if self.base is None else 1)

    def by_origin(self, part: Floats) -> Floats:
        return np.bincount(self.row, weights=part, minlength=self.origins).astype(np.float64)

    def grown(self, logs: Floats) -> Floats:
        """Return the share of the ultimate in each increment."""
        share = _curve(self.growth, logs, self.x)
        return np.asarray(share[self.end] - share[self.begin])

    def level(self, logs: Floats) -> Floats:
        """Return the ultimate of each origin, to infinity, that goes best with a curve."""
        g = self.grown(logs)
        if self.base is not None:
            return np.asarray(self.base * (self.amount.sum() / (self.base[self.row] @ g)))
        return self.by_origin(self.amount) / self.by_origin(g)

    def mean(self, logs: Floats) -> Floats:
        return self.level(logs)[self.row] * self.grown(logs)

    def lost(self, logs: Floats) -> float:
        """Return minus the likelihood, per unit of amount."""
        with np.errstate(all="ignore"):
            mean = self.mean(logs)
            value = -(self.amount @ np.log(mean) - mean.sum()) / self.amount.sum()
        return float(value) if np.isfinite(value) else 1e10


def _evidence(amount: Floats, x: Floats, growth: Growth, base: Floats | None) -> _Evidence:
    """Return the increments from each known age of an origin to the next, the first from the origin's start."""
    row, column = np.nonzero(observed(amount))
    same = np.concatenate([[False], row[1:] == row[:-1]])
    begin = np.where(same, np.concatenate([[0], column[:-1] + 1]), 0)
    before = np.where(same, amount[row, np.maximum(begin - 1, 0)], 0.0)
    step = amount[row, column] - before
    made = _Evidence(
        growth=growth, x=x, row=row, begin=begin, end=column + 1, amount=step, origins=len(amount), base=base
    )
    sums = made.by_origin(step)
    if len(step) <= made.parameters or (base is None and (sums <= 0).any()) or sums.sum() <= 0:
        raise ModelError(problem("RM827", increments=len(step), parameters=made.parameters, slope="-"))
    return made


def _best(evidence: _Evidence) -> Floats:
    """Return the logs of ω and θ of the greatest likelihood, the level following from them."""
    from scipy.optimize import minimize

    def refused(slope: Floats) -> ModelError:
        steep = f"{abs(slope).max():.3g}"
        found = problem("RM827", increments=len(evidence.amount), parameters=evidence.parameters, slope=steep)
        return ModelError(found)

    def lost(logs: Floats) -> Floats:
        return np.array([evidence.lost(logs)])

    start = np.array([np.log(1.2), np.log(np.median(evidence.x[1:]))])
    settings = {"xatol": 1e-7, "fatol": 1e-14, "maxiter": 2000}
    best = np.asarray(minimize(evidence.lost, start, method="Nelder-Mead", options=settings).x, dtype=np.float64)
    for _ in range(4):
        slope, curve = _derivatives(lost, best)
        if not np.linalg.eigvalsh(curve[..., 0]).min() > 0:
            raise refused(slope)
        best = best - np.clip(np.linalg.solve(curve[..., 0], slope[:, 0]), -0.1, 0.1)
    slope, _ = _derivatives(lost, best)
    if not np.abs(slope).max() < 1e-7 or np.abs(best - start).max() > 10:
        raise refused(slope)
    return best


def _information(evidence: _Evidence, best: Floats) -> Floats:
    """Return the observed information of the log of the level of each origin (or of all), then of log ω and log θ."""
    (g1, g2), whole = _derivatives(evidence.grown, best), evidence.level(best)[evidence.row]
    mean = whole * evidence.grown(best)
    member = np.eye(evidence.origins)[evidence.row] if evidence.base is None else np.ones((len(mean), 1))
    jacobian = np.concatenate([member * mean[:, None], (whole * g1).T], axis=1)
    information = (jacobian / mean[:, None] ** 2 * evidence.amount[:, None]).T @ jacobian
    rest = 1 - evidence.amount / mean
    k = member.shape[1]
    information[:k, :k] += np.diag((member * (rest * mean)[:, None]).sum(axis=0))
    mixed = member.T @ (rest * whole * g1).T
    information[:k, k:] += mixed
    information[k:, :k] += mixed.T
    information[k:, k:] += (g2 * (rest * whole)).sum(axis=-1)
    return np.asarray(information, dtype=np.float64)


def _result(evidence: _Evidence, best: Floats, until: float, end: float, amount: Floats, labels: Labels) -> Clark:
    """Return what is unpaid until an age, `end` of the curve's own time, and its errors."""
    c, mean, whole, base = evidence.amount, evidence.mean(best), evidence.level(best), evidence.base
    dispersion = float(((c - mean) ** 2 / mean).sum() / (len(c) - evidence.parameters))
    covariance = dispersion * np.linalg.inv(_information(evidence, best))
    known = evidence.x[newest_age(amount) + 1]

    def left(logs: Floats) -> Floats:
        ends = _curve(evidence.growth, logs, np.full(1, end)), _curve(evidence.growth, logs, known)
        return np.maximum(ends[0] - ends[1], 0.0)

    unpaid = whole * left(best)
    own = np.diag(unpaid) if base is None else unpaid[:, None]
    gradient = np.concatenate([own, (whole * _derivatives(left, best)[0]).T], axis=1)
    parameter = np.sqrt(np.einsum("ij,jk,ik->i", gradient, covariance, gradient))
    process, together = np.sqrt(dispersion * unpaid), gradient.sum(axis=0)
    total = float(np.sqrt(together @ covariance @ together)), float(np.sqrt(dispersion * unpaid.sum()))
    residual = np.full(amount.shape, np.nan)
    residual[evidence.row, evidence.end - 1] = (c - mean) / np.sqrt(dispersion * mean)
    return Clark(
        method="ldf" if base is None else "cape_cod",
        growth=evidence.growth,
        until=float(until),
        omega=float(np.exp(best[0])),
        theta=float(np.exp(best[1])),
        expected_ratio=float("nan") if base is None else float(whole[0] / base[0]),
        dispersion=dispersion,
        latest=latest(amount),
        ultimate=latest(amount) + unpaid,
        unpaid=unpaid,
        grown=_curve(evidence.growth, best, known),
        curve=_curve(evidence.growth, best, evidence.x[1:]),
        grown_until=float(_curve(evidence.growth, best, np.full(1, end))[0]),
        standard_error=np.hypot(process, parameter),
        process_error=process,
        parameter_error=parameter,
        total_standard_error=float(np.hypot(*total)),
        total_process_error=total[1],
        total_parameter_error=total[0],
        residual=residual,
        labels=labels,
    )


def _derivatives(function: Callable[[Floats], Floats], at: Floats) -> tuple[Floats, Floats]:
    """Return first (2, n) and second (2, 2, n) derivatives by differences of fourth order."""
    move, weights = np.eye(2) * STEP, ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))

    def slope(direction: Floats, base: Floats) -> Floats:
        return np.asarray(sum(w * function(base + k * direction) for k, w in weights) / STEP)

    first = np.stack([slope(row, at) for row in move])
    second = np.stack(
        [np.stack([sum(w * slope(b, at + k * a) for k, w in weights) / STEP for b in move]) for a in move]
    )
    return first, second
