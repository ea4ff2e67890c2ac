"""Bühlmann and Bühlmann–Straub credibility: how far a firm's own mean may move its premium.

A firm i seen for T_i periods with weights w_it (heads, payroll, expected losses) and values X_it (losses per unit of
weight) has the premium  z_i·X̄_i + (1 − z_i)·m,  z_i = w_i / (w_i + K),  K = within / between.  Estimated are

    within   s² = Σ_it w_it (X_it − X̄_i)² / Σ_i (T_i − 1)
    between  a  = w/(w² − Σ w_i²) · [Σ_i w_i (X̄_i − X̄)² − (I − 1)·s²]         unbiased, with X̄ weighted by w_i
             a  = Σ_i z_i (X̄_i − m)² / (I − 1)                                 iterative (Bichsel–Straub)
    mean     m  = Σ z_i X̄_i / Σ z_i

with I firms that have any weight. The within variance is taken around means known beforehand (two passes): one pass
over squares loses every digit when the values are large beside their spread.

Sources: Bühlmann & Straub, "Glaubwürdigkeit für Schadensätze", 1970; Bühlmann & Gisler, *A Course in Credibility
Theory*, 2005, ch. 4; the numbers agree with R's actuar 3.3.2 (`cm`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, Problem, problem
from ratemod.experience.panel import (
    BLOCK,
    Floats,
    Integers,
    first,
    named,
    numbers,
    refuse,
    row_names,
    same_shape,
    whole,
)
from ratemod.rules.options import strict
from ratemod.rules.within import Amount, Finite, Unbounded

if TYPE_CHECKING:
    import pandas as pd

Estimator = Literal["unbiased", "iterative"]
TOLERANCE, MOST_ROUNDS = 1e-13, 200


@dataclass(frozen=True, eq=False, kw_only=True, slots=True, repr=False)
class Credibility:
    """Structure parameters and what they make of every firm.

    Attributes
    ----------
    collective : mean of the collective, unit of the values
    within, between : variances within a firm (at weight 1) and between firms
    k : within / between, unit of the weights; infinite when nothing differs between firms
    z : (firms,) float64, credibility of the own mean, 0..1
    firm_mean : (firms,) float64, own weighted mean; NaN for a firm without weight
    weight : (firms,) float64, total weight
    premium : (firms,) float64, the credibility estimate; the collective for a firm without weight
    warnings : what an actuary must know before use, such as a between variance that came out negative
    firms : their names, where the values came as a frame with an index
    """

    collective: float
    within: float
    between: float
    k: float
    z: Floats
    firm_mean: Floats
    weight: Floats
    premium: Floats
    warnings: tuple[Problem, ...] = ()
    firms: tuple[str, ...] = ()

    def frame(self) -> pd.DataFrame:
        """Return one row a firm: firm, weight, own mean, z, premium."""
        import pandas as pd

        held = {"weight": self.weight, "own": self.firm_mean, "z": self.z, "premium": self.premium}
        return pd.DataFrame({"firm": named(self.firms, len(self.z)), **held})

    def __repr__(self) -> str:
        variances = f"within {self.within:.6g}, between {self.between:.6g}, k {self.k:.6g}"
        noted = f"; {', '.join(one.code for one in self.warnings)}" if self.warnings else ""
        return f"Credibility({len(self.z):,} firms; collective {self.collective:.6g}; {variances}{noted})"


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class FirmSums:
    """What the estimators need of each firm: (firms,) weight, mean, weighted square deviations, periods seen."""

    weight: Floats
    mean: Floats
    square: Floats
    periods: Integers


def buhlmann(values: npt.ArrayLike) -> Credibility:
    """Return Bühlmann's credibility: every period counts alike.

    Parameters
    ----------
    values : (firms, periods) float64, NaN for a missing period

    Returns
    -------
    Credibility; `weight` is the number of periods seen

    Raises
    ------
    ModelError
        As `buhlmann_straub`.

    Source
    ------
    Bühlmann, "Experience rating and credibility", ASTIN Bulletin 4, 1967.

    Examples
    --------
    >>> found = buhlmann([[0, 1, 0], [2, 1, 2]])
    >>> round(found.k, 6), found.z.round(6).tolist(), found.premium.round(6).tolist()
    (0.428571, [0.875, 0.875], [0.416667, 1.583333])
    """
    array = _panel(values)
    found = from_sums(firm_sums(array, np.isfinite(array).astype(np.float64)))
    return replace(found, firms=row_names(values))


@strict
def buhlmann_straub(values: npt.ArrayLike, weights: npt.ArrayLike, *, estimator: Estimator = "unbiased") -> Credibility:
    """Return Bühlmann–Straub credibility.

    Parameters
    ----------
    values : (firms, periods) float64, losses per unit of weight; NaN for a missing period
    weights : (firms, periods) float64, at least 0; 0 or NaN for a missing period
    estimator : of the between variance: "unbiased" or "iterative"

    Returns
    -------
    Credibility

    Raises
    ------
    ModelError
        RM640, RM641, RM642 faults of the arrays; RM643 a value other than zero beside no weight; RM644 no firm seen
        twice; RM645 fewer than two firms with weight; RM012 an unknown estimator.

    Examples
    --------
    >>> found = buhlmann_straub([[1.0, 3.0], [5.0, np.nan]], [[1.0, 1.0], [2.0, 0.0]])
    >>> round(found.within, 6), round(found.between, 6), found.premium.round(6).tolist()
    (2.0, 3.5, [2.333333, 4.666667])
    """
    array, mass = _panel(values), numbers("weights", weights, low=0, missing=True)
    same_shape(values=array, weights=mass)
    return replace(from_sums(firm_sums(array, mass), estimator=estimator), firms=row_names(values))


@strict
def buhlmann_straub_flat(
    code: npt.ArrayLike, value: npt.ArrayLike, weight: npt.ArrayLike, size: int, *, estimator: Estimator = "unbiased"
) -> Credibility:
    """Return Bühlmann–Straub credibility of firms, or sectors, given as one row a period.

    Parameters
    ----------
    code : (rows,) integer, 0..size−1: which firm (sector, class) a row belongs to
    value : (rows,) float64, losses per unit of weight; NaN for a missing period
    weight : (rows,) float64, at least 0
    size : how many firms there are, also those without rows
    estimator : "unbiased" or "iterative"

    Returns
    -------
    Credibility; arrays (size,)

    Raises
    ------
    ModelError
        As `buhlmann_straub`.

    Examples
    --------
    >>> buhlmann_straub_flat([0, 1, 0], [1.0, 5.0, 3.0], [1.0, 2.0, 1.0], 2).premium.round(6).tolist()
    [2.333333, 4.666667]
    """
    return from_sums(flat_sums(code, value, weight, size), estimator=estimator)


@strict
def from_sums(sums: FirmSums, *, estimator: Estimator = "unbiased") -> Credibility:
    """Return credibility from what each firm's periods sum up to (see `FirmSums`)."""
    seen = sums.weight > 0
    freedom = int(np.maximum(sums.periods[seen] - 1, 0).sum())
    firms = int(seen.sum())
    refuse([problem("RM645", firms=firms)] if firms < 2 else [problem("RM644")] if freedom == 0 else [])
    within = float(sums.square[seen].sum()) / freedom
    weight, mean = sums.weight[seen], sums.mean[seen]
    between, warnings = between_kept(weight, mean, within)
    if estimator == "iterative" and between > 0:
        between, settled = _iterate(weight, mean, within, between)
        if not settled:
            warnings.append(problem("RM647", rounds=MOST_ROUNDS))
    return with_parameters(sums, within, between, warnings=tuple(warnings))


@strict
def with_parameters(
    sums: FirmSums,
    within: Amount,
    between: Amount,
    collective: Finite | None = None,
    *,
    warnings: tuple[Problem, ...] = (),
) -> Credibility:
    """Return credibility under given variances (and collective mean): last year's structure, this year's firms."""
    k = within / between if between > 0 else np.inf
    z = credibility_factor(sums.weight, k)
    own = np.where(sums.weight > 0, sums.mean, 0.0)
    if collective is None:
        by = z if between > 0 else sums.weight
        collective = float(by @ own / by.sum())
    premium = np.where(sums.weight > 0, collective + z * (own - collective), collective)
    return Credibility(
        collective=collective,
        within=within,
        between=between,
        k=float(k),
        z=z,
        firm_mean=np.where(sums.weight > 0, sums.mean, np.nan),
        weight=sums.weight,
        premium=premium,
        warnings=warnings,
    )


@strict
def credibility_factor(weight: npt.ArrayLike, k: Unbounded) -> Floats:
    """Return z = weight / (weight + k), 0 for a firm without weight.

    Examples
    --------
    >>> credibility_factor([0.0, 10.0, 30.0], 10.0).tolist()
    [0.0, 0.5, 0.75]
    """
    mass = numbers("weight", weight, low=0)
    if np.isinf(k):
        return np.zeros_like(mass)
    return np.divide(mass, mass + k, out=np.zeros_like(mass), where=mass > 0)


def between_unbiased(weight: Floats, mean: Floats, within: float) -> float:
    """Return the unbiased estimate of the between variance; it may come out negative."""
    total = weight.sum()
    share = weight / total
    spread = share @ (mean - share @ mean) ** 2
    return float((spread - (len(weight) - 1) * within / total) / (1 - share @ share))


def between_kept(weight: Floats, mean: Floats, within: float) -> tuple[float, list[Problem]]:
    """Return the unbiased between variance, 0 with a warning (RM646) where it is negative or rounding alone."""
    found = between_unbiased(weight, mean, within)
    rounding = (8 * np.finfo(np.float64).eps * np.abs(mean).max()) ** 2
    if found == 0 or found > rounding:
        return found, []
    return 0.0, [problem("RM646", estimate=f"{found:.6g}")]


def firm_sums(values: Floats, weights: Floats) -> FirmSums:
    """Return the sums of every firm of a (firms, periods) panel, block by block.

    Each firm's sums come from its own row only, so neither the order of firms nor the blocks change a digit.
    """
    size = len(values)
    weight, mean, square = np.empty(size), np.empty(size), np.empty(size)
    periods = np.empty(size, dtype=np.int64)
    for start in range(0, size, BLOCK):
        at = slice(start, start + BLOCK)
        value, mass = values[at], weights[at]
        given = np.isfinite(value)
        seen = given & (mass > 0)
        bare = given & ~(mass > 0) & (value != 0)
        if bare.any():
            raise ModelError(problem("RM643", wrong=int(bare.sum()), firm=start + first(bare) // values.shape[1]))
        if not seen.all():
            value, mass = np.where(seen, value, 0.0), np.where(seen, mass, 0.0)
        weight[at] = np.einsum("ij->i", mass)
        total = np.einsum("ij,ij->i", mass, value)
        mean[at] = np.divide(total, weight[at], out=np.zeros_like(total), where=weight[at] > 0)
        away = value - mean[at, None]
        square[at] = np.einsum("ij,ij,ij->i", mass, away, away)
        periods[at] = np.count_nonzero(seen, axis=1)
    return FirmSums(weight=weight, mean=mean, square=square, periods=periods)


def flat_sums(code: npt.ArrayLike, value: npt.ArrayLike, weight: npt.ArrayLike, size: int) -> FirmSums:
    """Return the sums of every firm from one row a period (arguments as `buhlmann_straub_flat`).

    Examples
    --------
    >>> flat_sums([0, 0, 1], [1.0, 3.0, 5.0], [1.0, 1.0, 2.0], 2).mean.tolist()
    [2.0, 5.0]
    """
    amount, mass = numbers("value", value, missing=True), numbers("weight", weight, low=0, missing=True)
    at = whole("code", code, low=0, high=size - 1)
    same_shape(value=amount, weight=mass, code=at)
    given = np.isfinite(amount)
    seen = given & (mass > 0)
    bare = given & ~seen & (amount != 0)
    if bare.any():
        raise ModelError(problem("RM643", wrong=int(bare.sum()), firm=int(at[first(bare)])))
    if not seen.all():
        at, amount, mass = at[seen], amount[seen], mass[seen]
    total: Floats = np.bincount(at, mass, minlength=size).astype(np.float64, copy=False)
    mean = np.divide(np.bincount(at, mass * amount, minlength=size), total, out=np.zeros(size), where=total > 0)
    square: Floats = np.bincount(at, mass * (amount - mean[at]) ** 2, minlength=size).astype(np.float64, copy=False)
    periods = np.bincount(at, minlength=size).astype(np.int64, copy=False)
    return FirmSums(weight=total, mean=mean, square=square, periods=periods)


def _panel(values: npt.ArrayLike) -> Floats:
    """Return a (firms, periods) array without infinities."""
    array = numbers("values", values, missing=True)
    if array.ndim != 2:
        raise ModelError(
            problem("RM640", name="values", found=str(array.shape), first="panel", expected="(firms, periods)")
        )
    return array


def _iterate(weight: Floats, mean: Floats, within: float, between: float) -> tuple[float, bool]:
    """Return the fixed point of the iterative estimator, and whether it settled.

    Plain rounds close in slowly where credibilities are low; every pair of rounds is extrapolated (Aitken), so that a
    dozen rounds do.
    """
    if np.ptp(weight) <= 1e-8 * weight.max():
        return between, True  # equal weights: both estimators are one

    def again(a: float) -> float:
        z = weight / (weight + within / a)
        return float(z @ (mean - z @ mean / z.sum()) ** 2 / (len(weight) - 1))

    for _ in range(MOST_ROUNDS):
        once = again(between)
        if once <= 0 or abs(once - between) <= TOLERANCE * between:
            return max(once, 0.0), True
        twice = again(once)
        bend = twice - 2 * once + between
        leap = between - (once - between) ** 2 / bend if bend != 0 else twice
        between = leap if leap > 0 else twice
    return between, False
