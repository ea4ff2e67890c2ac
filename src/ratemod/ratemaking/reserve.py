"""From a triangle to what is unpaid, by a named method: development factors, a tail, ultimates, errors of Mack.

The methods are those of `development` and `ultimate`; here they are put together for one triangle with its labels. An
option that a method does not use is refused, for whoever gives it expects it to matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, nearest, problem
from ratemod.ratemaking.arrays import Floats, Integers
from ratemod.ratemaking.development import (
    Alpha,
    Average,
    Curve,
    LastSigma,
    Mack,
    Tail,
    cumulative_factors,
    development_factors,
    fit_tail,
    mack,
)
from ratemod.ratemaking.labels import Labels, by_origin, by_step, in_order, numbered, one_triangle
from ratemod.ratemaking.triangle import latest, observed
from ratemod.ratemaking.ultimate import Ultimate, benktander, bornhuetter_ferguson, cape_cod, chain_ladder
from ratemod.rules.options import strict
from ratemod.rules.within import Amount, Count, Factor, Rate, Share

if TYPE_CHECKING:
    import pandas as pd

Method = Literal["mack", "chain_ladder", "bornhuetter_ferguson", "benktander", "cape_cod"]
AVERAGING = frozenset({"average", "periods"})
# What each method uses beside a tail.
USES: Mapping[str, frozenset[str]] = {
    "mack": frozenset({"alpha", "last_sigma", "tail_se", "tail_sigma"}),
    "chain_ladder": AVERAGING,
    "bornhuetter_ferguson": AVERAGING | {"base", "expected_ratio"},
    "benktander": AVERAGING | {"base", "expected_ratio", "iterations"},
    "cape_cod": AVERAGING | {"base", "decay", "trend"},
}
NEEDS: Mapping[str, tuple[str, ...]] = {
    "bornhuetter_ferguson": ("base", "expected_ratio"),
    "benktander": ("base", "expected_ratio"),
    "cape_cod": ("base",),
}


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Reserve:
    """What a method makes of one triangle.

    Attributes
    ----------
    method : its name; labels : of origins and ages
    age : (origins,) int64, place of the newest known age of each origin
    factor, ratios_used : (ages-1,) from age to age; to_ultimate : (ages,) float64, the last is the tail
    latest, ultimate, unpaid : (origins,) float64, unit of the triangle
    expected_ratio : (origins,) float64 per unit of base; NaN where the method has none
    mack : errors, of the method "mack" alone
    curve : the tail's curve, where it was fitted
    """

    method: Method
    labels: Labels
    age: Integers
    factor: Floats
    ratios_used: Integers
    to_ultimate: Floats
    latest: Floats
    ultimate: Floats
    unpaid: Floats
    expected_ratio: Floats
    mack: Mack | None = None
    curve: Tail | None = None

    def frame(self) -> pd.DataFrame:
        """Return one row an origin: latest, age, to_ultimate, ultimate, unpaid; errors or expected ratio."""
        ages = np.array(numbered(self.labels.ages, len(self.to_ultimate)), dtype=object)
        columns: dict[str, Any] = {
            "latest": self.latest,
            "age": ages[self.age],
            "to_ultimate": self.to_ultimate[self.age],
            "ultimate": self.ultimate,
            "unpaid": self.unpaid,
        }
        if self.mack is not None:
            errors = self.mack.frame()
            columns |= {name: errors[name].to_numpy() for name in ("standard_error", "cv")}
        elif not np.isnan(self.expected_ratio).all():
            columns["expected_ratio"] = self.expected_ratio
        return by_origin(self.labels, **columns)

    def factors(self) -> pd.DataFrame:
        """Return one row a step from age to age: factor, ratios_used, to_ultimate; of Mack standard_error and sigma."""
        columns: dict[str, Any] = {"factor": self.factor, "ratios_used": self.ratios_used}
        if self.mack is not None:
            columns |= {"standard_error": self.mack.factor_se, "sigma": self.mack.sigma}
        return by_step(self.labels, **columns, to_ultimate=self.to_ultimate[:-1])

    def __repr__(self) -> str:
        error = f"; standard error {float(self.mack.total_standard_error):,.6g}" if self.mack else ""
        tail = f"; tail {self.to_ultimate[-1]:g}" if self.to_ultimate[-1] != 1 else ""
        sums = f"latest {self.latest.sum():,.8g}; ultimate {self.ultimate.sum():,.8g}; unpaid {self.unpaid.sum():,.8g}"
        return f"Reserve({self.method}; {len(self.latest)} origins; {sums}{error}{tail})"


@strict
def reserve(
    triangle: Any,
    method: Method = "mack",
    *,
    average: Average | None = None,
    periods: Count | None = None,
    alpha: Alpha | None = None,
    last_sigma: LastSigma | None = None,
    tail: Factor | None = None,
    tail_curve: Curve | None = None,
    tail_ages: Sequence[str] | None = None,
    tail_se: Amount | None = None,
    tail_sigma: Amount | None = None,
    base: npt.ArrayLike | None = None,
    expected_ratio: Amount | None = None,
    iterations: Count | None = None,
    decay: Share | None = None,
    trend: Rate | None = None,
) -> Reserve:
    """Return ultimates and what is unpaid of one triangle by one method.

    Parameters
    ----------
    triangle : (origins, ages) cumulative, NaN where not known, or anything that `labelled` takes with one segment
    method : "mack", "chain_ladder", "bornhuetter_ferguson", "benktander" or "cape_cod"
    average, periods : of the factors, as in `development_factors` (not of Mack)
    alpha, last_sigma, tail_se, tail_sigma : of Mack
    tail : factor after the last age; or tail_curve : a curve that continues the factors, of the steps that begin at
        `tail_ages` (all)
    base : (origins,) premium or exposure, of the methods that expect losses; expected_ratio : losses per unit of it
    iterations, decay, trend : as in `benktander` and `cape_cod`

    Returns
    -------
    Reserve
        Amounts in the unit of the triangle.

    Raises
    ------
    ModelError
        RM461 an option that the method does not use, RM462 one that it needs, RM463 a triangle of several segments,
        RM464 no such age; those of the methods.

    Formula
    -------
    unpaid = ultimate - latest; of Mack and the chain ladder ultimate = latest × to_ultimate at the origin's age; the
    others as in `ratemod.ratemaking.ultimate`. Source: Mack (1993), ASTIN Bulletin 23(2), for the errors.

    Examples
    --------
    >>> no = np.nan
    >>> square = [[100, 150, 165, 170], [110, 168, 180, no], [90, 130, no, no], [95, no, no, no]]
    >>> reserve(square, "cape_cod", base=[200.0] * 4).unpaid.round(2).tolist()
    [0.0, 4.88, 17.49, 66.54]
    """
    given = {"average": average, "periods": periods, "alpha": alpha, "last_sigma": last_sigma, "tail_se": tail_se,
             "tail_sigma": tail_sigma, "base": base, "expected_ratio": expected_ratio, "iterations": iterations,
             "decay": decay, "trend": trend}  # fmt: skip
    said = {name: value for name, value in given.items() if value is not None}
    _refuse_options(method, said, tail, tail_curve, tail_ages)
    amount, labels = one_triangle(triangle)
    if {"decay", "trend"} & set(said):
        in_order(labels.origins)
    seen = observed(amount)
    used = (seen[:, 1:] & seen[:, :-1]).sum(axis=0)
    errors = None
    if method == "mack":
        options: dict[str, Any] = {name: said[name] for name in ("alpha", "last_sigma") if name in said}
        errors = mack(amount, **options)
        steps = errors.factor
    else:
        found = development_factors(amount, average or "volume", periods=periods)
        steps, used = found.value, found.ratios_used
    curve = _curve(labels, steps, tail_curve, tail_ages) if tail_curve else None
    last = curve.factor if curve else 1.0 if tail is None else float(tail)
    if errors is not None:
        errors = mack(amount, **options, tail=last, tail_se=tail_se or 0.0, tail_sigma=tail_sigma or 0.0)
    to_ultimate = cumulative_factors(steps, last)
    age = (amount.shape[1] - 1 - np.argmax(seen[:, ::-1], axis=1)).astype(np.int64)
    known, developed = latest(amount), to_ultimate[age]
    made = _ultimate(method, known, developed, said) if errors is None else None
    ultimate = errors.ultimate if errors is not None else made.ultimate if made is not None else known
    ratio = made.expected_ratio if made is not None else np.full(known.shape, np.nan)
    return Reserve(
        method=method,
        labels=labels,
        age=age,
        factor=steps,
        ratios_used=used.astype(np.int64),
        to_ultimate=to_ultimate,
        latest=known,
        ultimate=ultimate,
        unpaid=ultimate - known,
        expected_ratio=ratio,
        mack=errors,
        curve=curve,
    )


def _refuse_options(
    method: Method, said: Mapping[str, Any], tail: float | None, curve: Curve | None, ages: Sequence[str] | None
) -> None:
    """Refuse options that the method does not use, those that it lacks, and tails that contradict each other."""
    wrong = [problem("RM461", option=name, method=method) for name in said if name not in USES[method]]
    wrong += [problem("RM462", option=name, method=method) for name in NEEDS.get(method, ()) if name not in said]
    if tail is not None and curve is not None:
        wrong.append(problem("RM461", option="tail", method=f"tail_curve={curve}"))
    if ages is not None and curve is None:
        wrong.append(problem("RM462", option="tail_curve", method="tail_ages"))
    if wrong:
        raise ModelError(wrong)


def _ultimate(method: Method, known: Floats, developed: Floats, said: Mapping[str, Any]) -> Ultimate:
    if method == "chain_ladder":
        return chain_ladder(known, developed)
    base = said["base"]
    if method == "cape_cod":
        more = {name: said[name] for name in ("decay", "trend") if name in said}
        return cape_cod(known, developed, base, **more)
    if method == "benktander":
        more = {name: said[name] for name in ("iterations",) if name in said}
        return benktander(known, developed, base, said["expected_ratio"], **more)
    return bornhuetter_ferguson(known, developed, base, said["expected_ratio"])


def _curve(labels: Labels, steps: Floats, curve: Curve, ages: Sequence[str] | None) -> Tail:
    """Return the curve through the factors of all steps, or of those that begin at some ages."""
    known = [str(name) for name in numbered(labels.ages, len(steps) + 1)][:-1]
    wanted = known if ages is None else [str(name) for name in ages]
    odd = [problem("RM464", age=name, known=", ".join(known), nearest=nearest(name, known))
           for name in wanted if name not in known]  # fmt: skip
    if odd:
        raise ModelError(odd)
    at = np.array([known.index(name) for name in wanted], dtype=np.int64)
    return fit_tail(at + 1, steps[at], curve)
