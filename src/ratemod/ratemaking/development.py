"""Loss development: age-to-age factors, tails by curve, and Mack's standard errors.

With C(i,k) cumulative and F = C(i,k+1)/C(i,k): volume f = ΣC(k+1)/ΣC(k); simple f = mean F; medial f = mean of F
without the highest and the lowest; geometric f = exp(mean log F). Mack (1993, 1999), weights C^α (α = 1 volume,
0 simple, 2 least squares):
    σ²_k = Σ C^α (F − f_k)² / (n_k − 1),      se²(f_k) = σ²_k / ΣC^α,
    se²(C_k+1) = f²·se²(C_k) + C_k^(2−α)·σ²_k + C_k²·se²(f_k).
The last σ has no degree of freedom left: "mack" takes min(σ⁴_{n−2}/σ²_{n−3}, σ²_{n−3}, σ²_{n−2}), "log-linear"
continues a straight line through log σ. They differ; neither is a fact.

A tail is one step more of the same recursion, with a factor, a standard error and a σ that come from elsewhere.

Source: Mack, ASTIN 23 (1993) and 29 (1999); Sherman, PCAS 71 (1984) for the inverse power curve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Booleans, Floats, Integers, finite, non_negative, positive, same_length
from ratemod.ratemaking.labels import NUMBERED, Labels, by_origin, by_step, in_order, labelled, of_origins, with_cv
from ratemod.ratemaking.triangle import later, latest, observed
from ratemod.rules.options import strict
from ratemod.rules.within import Amount, Factor

if TYPE_CHECKING:
    import pandas as pd

Average = Literal["volume", "simple", "medial", "geometric"]
Curve = Literal["exponential", "inverse_power"]
LastSigma = Literal["mack", "log-linear"]
Alpha = Literal[0, 1, 2]


@dataclass(frozen=True, eq=False, kw_only=True, slots=True, repr=False)
class Factors:
    """Age-to-age factors.

    Attributes
    ----------
    value : (..., ages-1) float64
    ratios_used : (..., ages-1) int64, how many origins made each factor
    labels : names of segments and ages
    """

    value: Floats
    ratios_used: Integers
    labels: Labels = NUMBERED

    def frame(self) -> pd.DataFrame:
        """Return one row a step from age to age: factor, ratios_used; segment where there are several."""
        return by_step(self.labels, factor=self.value, ratios_used=self.ratios_used)

    def __repr__(self) -> str:
        *lead, steps = self.value.shape
        each = f" of {int(np.prod(lead))} segments" if lead else f": {', '.join(f'{one:.4g}' for one in self.value)}"
        return f"Factors({steps} from age to age{each})"


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Tail:
    """A tail factor from a curve through the factors, with the regression behind it.

    Attributes
    ----------
    factor : float, product of the curve's factors from the last age to `last_step`
    curve : its name; intercept, slope : of log(f − 1) on the age (exponential) or on its log (inverse power)
    r_squared : float
    """

    factor: float
    curve: Curve
    intercept: float
    slope: float
    r_squared: float

    def frame(self) -> pd.DataFrame:
        """Return the tail and its regression as one row."""
        import pandas as pd

        names = ("curve", "factor", "intercept", "slope", "r_squared")
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def __repr__(self) -> str:
        return f"Tail({self.factor:.6g} by {self.curve}; R² {self.r_squared:.4f})"


@dataclass(frozen=True, eq=False, kw_only=True, slots=True, repr=False)
class Mack:
    """Chain ladder with Mack's standard errors; leading axes as in the triangle.

    Attributes
    ----------
    factor, factor_se, sigma : (..., ages-1) float64
    full : (..., origins, ages) float64, the completed triangle, before any tail
    ultimate, unpaid, standard_error : (..., origins) float64, unit of the triangle
    process_error, parameter_error : (..., origins) float64, the two roots whose squares add to standard_error²
    total_standard_error : (...) float64, all origins together, parameters being shared
    tail, tail_se, tail_sigma : float, what was said of the tail
    labels : names of segments, origins and ages
    """

    factor: Floats
    factor_se: Floats
    sigma: Floats
    full: Floats
    ultimate: Floats
    unpaid: Floats
    standard_error: Floats
    process_error: Floats
    parameter_error: Floats
    total_standard_error: Floats
    tail: float = 1.0
    tail_se: float = 0.0
    tail_sigma: float = 0.0
    labels: Labels = NUMBERED

    def frame(self) -> pd.DataFrame:
        """Return one row an origin: latest, ultimate, unpaid, standard_error, process_error, parameter_error, cv.

        Examples
        --------
        >>> no = np.nan
        >>> square = [[100, 150, 165, 170], [110, 168, 180, no], [90, 130, no, no], [95, no, no, no]]
        >>> mack(square).frame()["unpaid"].round(1).tolist()
        [0.0, 5.5, 15.3, 63.6]
        """
        return by_origin(self.labels, latest=self.ultimate - self.unpaid, ultimate=self.ultimate, **with_cv(self))

    def factors(self) -> pd.DataFrame:
        """Return one row a step from age to age: factor, its standard_error, sigma."""
        return by_step(self.labels, factor=self.factor, standard_error=self.factor_se, sigma=self.sigma)

    def __repr__(self) -> str:
        error = f"; standard error {float(self.total_standard_error):,.6g}" if self.ultimate.ndim == 1 else ""
        tail = f"; tail {self.tail:g}" if self.tail != 1 else ""
        sums = f"ultimate {self.ultimate.sum():,.8g}; unpaid {self.unpaid.sum():,.8g}"
        return f"Mack({of_origins(self.ultimate)}; {sums}{error}{tail})"


@strict
def development_factors(
    values: Any, average: Average = "volume", *, periods: int | None = None, exclude: int = 1
) -> Factors:
    """Return age-to-age factors of every segment.

    Parameters
    ----------
    values : (..., origins, ages) float64 cumulative, NaN where unobserved; or a triangle with labels (see `labelled`)
    average : "volume", "simple", "medial" or "geometric"
    periods : use only the newest so many ratios of each age (None: all)
    exclude : medial only: how many highest and lowest ratios to leave out; an age with no more than 2·exclude ratios
        keeps them all (see `ratios_used`)

    Returns
    -------
    Factors. Ratios from a zero count in a volume average and cannot count in the others.

    Raises
    ------
    ModelError
        RM683 an origin without amounts; RM502 for ratios that are not positive (geometric); RM518 with every segment
        and age that has no ratio to average; RM687 `periods` of origins that do not rise.

    Examples
    --------
    >>> development_factors([[100, 150], [200, np.nan]]).value.tolist()
    [1.5]
    """
    amount, labels = labelled(values)
    if periods is not None:
        in_order(labels.origins)
    now, then = amount[..., :-1], amount[..., 1:]
    seen = observed(amount)
    use = _newest(seen[..., 1:] & seen[..., :-1], periods)
    if average != "volume":
        use = use & (now != 0)
    base = np.where(use, now, 0.0).sum(axis=-2)
    count = use.sum(axis=-2)
    bad = (count == 0) | (base == 0) if average == "volume" else count == 0
    if bad.any():
        raise ModelError(
            problem("RM518", segment=str([int(i) for i in at[:-1]]), age=int(at[-1]) + 1) for at in np.argwhere(bad)
        )
    if average == "volume":
        mean = np.where(use, then, 0.0).sum(axis=-2) / base
        return Factors(value=mean, ratios_used=count, labels=labels)
    ratio = np.divide(then, now, out=np.full(now.shape, np.nan), where=use)
    if average == "geometric":
        positive("ratios", ratio[use])
        mean = np.exp(np.nansum(np.log(ratio), axis=-2) / count)
        return Factors(value=mean, ratios_used=count, labels=labels)
    if average == "medial":
        ranked = np.sort(ratio, axis=-2)
        place = np.arange(ratio.shape[-2])[:, None]
        enough = count > 2 * exclude
        low = np.where(enough, exclude, 0)[..., None, :]
        high = np.where(enough, count - exclude, count)[..., None, :]
        keep = (place >= low) & (place < high)
        ratio, count = np.where(keep, ranked, np.nan), keep.sum(axis=-2)
    return Factors(value=np.nansum(ratio, axis=-2) / count, ratios_used=count, labels=labels)


@strict
def cumulative_factors(factors: npt.ArrayLike, tail: Factor = 1.0) -> Floats:
    """Return factors from every age to ultimate, (..., ages); the last is the tail.

    Examples
    --------
    >>> cumulative_factors([2.0, 1.5], tail=1.1).round(4).tolist()
    [3.3, 1.65, 1.1]
    """
    steps = np.atleast_1d(positive("factors", factors))
    last = np.full((*steps.shape[:-1], 1), float(tail))
    return np.flip(np.cumprod(np.flip(np.concatenate([steps, last], axis=-1), -1), axis=-1), -1)


@strict
def fit_tail(age: npt.ArrayLike, factor: npt.ArrayLike, curve: Curve = "exponential", *, last_step: int = 100) -> Tail:
    """Continue development beyond the triangle by a curve.

    Parameters
    ----------
    age : (k,) 1-based numbers of the ages that the factors start from; leave out those that the curve should not see
    factor : (k,) float, age-to-age factors, all > 1
    curve : "exponential" f = 1 + e^(a + b·age), or "inverse_power" f = 1 + e^a · age^b (Sherman)
    last_step : how many further ages the tail multiplies

    Returns
    -------
    Tail

    Raises
    ------
    ModelError
        RM519 when a factor is not above 1 or fewer than two ages are given; RM520 when the curve does not fall fast
        enough for its product to end.

    Examples
    --------
    >>> fit_tail([1, 2, 3], [1.4, 1.2, 1.1]).factor.__round__(4)
    1.1034
    """
    at, f = positive("age", age), finite("factor", factor)
    same_length(age=at, factor=f)
    if len(np.unique(at)) < 2 or (f <= 1).any():
        raise ModelError(problem("RM519", wrong=int((f <= 1).sum()), points=len(np.unique(at))))
    x, y = at if curve == "exponential" else np.log(at), np.log(f - 1)
    slope = float(((x - x.mean()) @ (y - y.mean())) / ((x - x.mean()) @ (x - x.mean())))
    if slope >= (0 if curve == "exponential" else -1):
        raise ModelError(problem("RM520", curve=curve, slope=round(slope, 4)))
    intercept = float(y.mean() - slope * x.mean())
    further = at.max() + 1 + np.arange(last_step)
    beyond = np.exp(intercept + slope * (further if curve == "exponential" else np.log(further)))
    spread = float((y - y.mean()) @ (y - y.mean()))
    rest = y - intercept - slope * x
    return Tail(
        factor=float(np.prod(1 + beyond)),
        curve=curve,
        intercept=intercept,
        slope=slope,
        r_squared=1 - float(rest @ rest) / spread if spread else 1.0,
    )


@strict
def mack(
    values: Any,
    *,
    alpha: Alpha = 1,
    last_sigma: LastSigma = "mack",
    tail: Factor = 1.0,
    tail_se: Amount = 0.0,
    tail_sigma: Amount = 0.0,
) -> Mack:
    """Complete triangles by chain ladder and give Mack's standard errors.

    Parameters
    ----------
    values : (..., origins, ages) float64 cumulative >= 0, NaN where unobserved; or a triangle with labels (`labelled`)
    alpha : 1 volume-weighted, 0 simple average, 2 least squares through the origin
    last_sigma : how to get σ where only one ratio is left
    tail : factor from the last age to ultimate
    tail_se, tail_sigma : its standard error and σ, both 0 where the tail is taken as known

    Returns
    -------
    Mack

    Raises
    ------
    ModelError
        RM501 for negative amounts; RM683 an origin without amounts; RM684 for an amount after 0, which no ratio makes;
        RM521 for fewer than four ages or for an age before the last with a single ratio, or fewer than two positive σ
        to continue.

    Notes
    -----
    A hole takes the two ratios beside it out of the averages; what is unpaid is reckoned from the newest amount. A
    newest amount of 0 stays 0, with no error, as the method has it.

    Examples
    --------
    >>> no = np.nan
    >>> square = [[100, 150, 165, 170], [110, 168, 180, no], [90, 130, no, no], [95, no, no, no]]
    >>> mack(square).standard_error.round(2).tolist()
    [0.0, 3.02, 4.35, 6.95]
    """
    amount, labels = labelled(values)
    seen = observed(amount)
    non_negative("triangle", amount[seen])
    use = seen[..., 1:] & seen[..., :-1]
    sprung = use & (amount[..., :-1] == 0) & (amount[..., 1:] > 0)
    if sprung.any():
        raise ModelError(problem("RM684", wrong=int(sprung.sum()), age=int(np.argwhere(sprung)[0][-1]) + 1))
    use &= amount[..., :-1] > 0
    now = np.where(use, amount[..., :-1], 1.0)
    ratio = np.where(use, amount[..., 1:], 1.0) / now
    weight = np.where(use, now**alpha, 0.0)
    total, count = weight.sum(axis=-2), use.sum(axis=-2)
    need_ratios(count)
    factor = (weight * ratio).sum(axis=-2) / total
    squares = (weight * (ratio - factor[..., None, :]) ** 2).sum(axis=-2)
    sigma2 = squares / np.maximum(count - 1, 1)
    alone = count[..., -1] == 1
    sigma2[..., -1] = np.where(alone, last_sigma2(sigma2, last_sigma), sigma2[..., -1])
    return _errors(amount, seen, factor, sigma2, total, alpha, (tail, tail_se, tail_sigma), labels)


def need_ratios(count: Integers) -> None:
    """Check that ratios, counted by age (..., ages-1), give a σ: three ages or more, two ratios at each but the last.

    Raises
    ------
    ModelError
        RM521.
    """
    if count.shape[-1] < 3 or (count[..., :-1] < 2).any() or (count[..., -1] < 1).any():
        raise ModelError(problem("RM521"))


def _newest(use: Booleans, periods: int | None) -> Booleans:
    """Keep the last `periods` usable origins of each age."""
    if periods is None:
        return use
    newer = np.flip(np.cumsum(np.flip(use, -2), axis=-2), -2)
    return use & (newer <= periods)


@strict
def last_sigma2(sigma2: Floats, rule: LastSigma) -> Floats:
    """Return the missing last σ² by Mack's minimum or by a straight line through log σ."""
    if rule == "mack":
        near, far = sigma2[..., -2], sigma2[..., -3]
        steep = np.divide(near**2, far, out=np.zeros_like(near), where=far > 0)
        return np.minimum(steep, np.minimum(far, near))
    known = sigma2[..., :-1]
    use = (known > 0).astype(np.float64)
    if (use.sum(axis=-1) < 2).any():
        raise ModelError(problem("RM521"))
    y = np.log(np.where(known > 0, known, 1.0)) / 2
    x = np.arange(y.shape[-1], dtype=np.float64)
    mean_x = (use * x).sum(axis=-1, keepdims=True) / use.sum(axis=-1, keepdims=True)
    mean_y = (use * y).sum(axis=-1) / use.sum(axis=-1)
    slope = (use * y * (x - mean_x)).sum(axis=-1) / (use * (x - mean_x) ** 2).sum(axis=-1)
    return np.asarray(np.exp(2 * (mean_y + slope * (y.shape[-1] - mean_x[..., 0]))), dtype=np.float64)


def _errors(
    amount: Floats,
    seen: Booleans,
    factor: Floats,
    sigma2: Floats,
    total: Floats,
    alpha: int,
    tail: tuple[float, float, float],
    labels: Labels,
) -> Mack:
    """Run the recursion of the module docstring along the ages."""
    full, factor_var = amount.copy(), sigma2 / total
    process, parameter = np.zeros(amount.shape[:-1]), np.zeros(amount.shape[:-1])
    together = np.zeros(amount.shape[:-2])
    begun, known = np.logical_or.accumulate(seen, axis=-1), later(seen)
    for k in range(factor.shape[-1]):
        f, start = factor[..., k, None], full[..., k]
        full[..., k + 1] = np.where(~seen[..., k + 1] & begun[..., k], start * f, full[..., k + 1])
        new = ~known[..., k + 1]
        process = np.where(new, process * f**2 + start ** (2 - alpha) * sigma2[..., k, None], 0.0)
        parameter = np.where(new, parameter * f**2 + start**2 * factor_var[..., k, None], 0.0)
        base = np.where(new, start, 0.0).sum(axis=-1)
        together = together * factor[..., k] ** 2 + base**2 * factor_var[..., k]
    last, (f_tail, se_tail, sigma_tail) = full[..., -1], tail
    process = process * f_tail**2 + last ** (2 - alpha) * sigma_tail**2
    parameter = parameter * f_tail**2 + last**2 * se_tail**2
    together = together * f_tail**2 + last.sum(axis=-1) ** 2 * se_tail**2
    ultimate = last * f_tail
    return Mack(
        factor=factor,
        factor_se=np.sqrt(factor_var),
        sigma=np.sqrt(sigma2),
        full=full,
        ultimate=ultimate,
        unpaid=ultimate - latest(amount),
        standard_error=np.sqrt(process + parameter),
        process_error=np.sqrt(process),
        parameter_error=np.sqrt(parameter),
        total_standard_error=np.sqrt(process.sum(axis=-1) + together),
        tail=f_tail,
        tail_se=se_tail,
        tail_sigma=sigma_tail,
        labels=labels,
    )
