"""From a triangle to what is unpaid, by a named method: development factors, a tail, ultimates, errors.

The methods are those of `development`, `ultimate`, `clark`, `munich` and `bootstrap`; here they are put together for
one triangle with its labels, or for every segment of one. An option that a method does not use is refused, for whoever
gives it expects it to matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, Problem, nearest, problem
from ratemod.ratemaking.arrays import Floats, Integers
from ratemod.ratemaking.bootstrap import QUANTILES, Bootstrap, bootstrap
from ratemod.ratemaking.clark import Clark, Growth, clark
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
from ratemod.ratemaking.labels import Labels, by_origin, by_step, in_order, labelled, numbered, one_triangle
from ratemod.ratemaking.munich import Munich, munich, named_otherwise
from ratemod.ratemaking.triangle import latest, newest_age, observed
from ratemod.ratemaking.triangle_list import TriangleTable, age_of
from ratemod.ratemaking.ultimate import Ultimate, benktander, bornhuetter_ferguson, cape_cod, chain_ladder
from ratemod.rules.floats import floats
from ratemod.rules.options import strict
from ratemod.rules.within import Amount, Count, Factor, Rate, Share, Unbounded, Whole

if TYPE_CHECKING:
    import pandas as pd

Method = Literal[
    "mack", "chain_ladder", "bornhuetter_ferguson", "benktander", "cape_cod", "clark", "munich", "bootstrap"
]
Behind = Mack | Clark | Munich | Bootstrap | Ultimate
AVERAGING = frozenset({"average", "periods", "tail", "tail_curve", "tail_ages"})
# What each method uses.
USES: Mapping[str, frozenset[str]] = {
    "mack": frozenset({"alpha", "last_sigma", "tail", "tail_curve", "tail_ages", "tail_se", "tail_sigma"}),
    "chain_ladder": AVERAGING,
    "bornhuetter_ferguson": AVERAGING | {"base", "expected_ratio"},
    "benktander": AVERAGING | {"base", "expected_ratio", "iterations"},
    "cape_cod": AVERAGING | {"base", "decay", "trend"},
    "clark": frozenset({"base", "growth", "until"}),
    "munich": frozenset({"incurred", "last_sigma"}),
    "bootstrap": frozenset({"draws", "seed"}),
}
NEEDS: Mapping[str, tuple[str, ...]] = {
    "bornhuetter_ferguson": ("base", "expected_ratio"),
    "benktander": ("base", "expected_ratio"),
    "cape_cod": ("base",),
    "munich": ("incurred",),
}


@dataclass(frozen=True, eq=False, kw_only=True, slots=True, repr=False)
class Reserve:
    """What a method makes of one triangle.

    Attributes
    ----------
    method : its name; labels : of origins and ages
    age : (origins,) int64, place of the newest known age of each origin
    factor, ratios_used : (ages-1,) from age to age; to_ultimate : (ages,) float64, the last is the tail
    latest, ultimate, unpaid : (origins,) float64, unit of the triangle
    expected_ratio : (origins,) float64 per unit of base; NaN where the method has none
    behind : what the method itself returns, with all that it knows: Mack, Clark, Munich, Bootstrap or Ultimate
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
    behind: Behind
    curve: Tail | None = None

    @property
    def standard_error(self) -> Floats | None:
        """Of what is unpaid by origin, (origins,); None where the method has none."""
        return getattr(self.behind, "standard_error", None)

    @property
    def total_standard_error(self) -> float | None:
        """Of what is unpaid of all origins together; None where the method has none."""
        found = getattr(self.behind, "total_standard_error", None)
        return None if found is None else float(found)

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
        if self.standard_error is not None:
            errors = self.behind.frame()
            names = ("standard_error", "cv", *QUANTILES)
            columns |= {name: errors[name].to_numpy() for name in names if name in errors}
        if not np.isnan(self.expected_ratio).all():
            columns["expected_ratio"] = self.expected_ratio
        return by_origin(self.labels, **columns)

    def factors(self) -> pd.DataFrame:
        """Return one row a step from age to age: factor, ratios_used, to_ultimate; of Mack standard_error and sigma."""
        columns: dict[str, Any] = {"factor": self.factor, "ratios_used": self.ratios_used}
        if isinstance(self.behind, Mack):
            columns |= {"standard_error": self.behind.factor_se, "sigma": self.behind.sigma}
        return by_step(self.labels, **columns, to_ultimate=self.to_ultimate[:-1])

    def __repr__(self) -> str:
        error = "" if self.total_standard_error is None else f"; standard error {self.total_standard_error:,.6g}"
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
    growth: Growth | None = None,
    until: Unbounded | None = None,
    incurred: Any = None,
    draws: Count | None = None,
    seed: Whole | None = None,
) -> Reserve:
    """Return ultimates and what is unpaid of one triangle by one method.

    Parameters
    ----------
    triangle : (origins, ages) cumulative, NaN where not known, or anything that `labelled` takes with one segment
    method : "mack", "chain_ladder", "bornhuetter_ferguson", "benktander", "cape_cod", "clark", "munich", "bootstrap"
    average, periods : of the factors, as in `development_factors` (of the chain ladder and what expects losses)
    alpha, last_sigma, tail_se, tail_sigma : of Mack
    tail : factor after the last age; or tail_curve : a curve that continues the factors, of the steps that begin at
        `tail_ages` (all)
    base : (origins,) premium or exposure, of the methods that expect losses; expected_ratio : losses per unit of it
    iterations, decay, trend : as in `benktander` and `cape_cod`; growth, until : as in `clark`, whose `premium` is base
    incurred : of Munich: the incurred triangle of the paid one; draws, seed : as in `bootstrap`

    Returns
    -------
    Reserve
        Amounts in the unit of the triangle.

    Raises
    ------
    ModelError
        RM461 an option that the method does not use, RM462 one that it needs, RM463 a triangle of several segments,
        RM464 no such age, RM687 origins whose order matters and that do not rise; those of the methods.

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
    given = {"average": average, "periods": periods, "alpha": alpha, "last_sigma": last_sigma, "tail": tail,
             "tail_curve": tail_curve, "tail_ages": tail_ages, "tail_se": tail_se, "tail_sigma": tail_sigma,
             "base": base, "expected_ratio": expected_ratio, "iterations": iterations, "decay": decay, "trend": trend,
             "growth": growth, "until": until, "incurred": incurred, "draws": draws, "seed": seed}  # fmt: skip
    said = {name: value for name, value in given.items() if value is not None}
    _refuse_options(method, said)
    amount, labels = one_triangle(triangle)
    if {"decay", "trend", "periods"} & set(said):
        in_order(labels.origins)
    steps, used, curve, last, behind = _found(method, amount, labels, said)
    known, age = latest(amount), newest_age(amount)
    to_ultimate = cumulative_factors(steps, last)
    made = behind or _ultimate(method, known, to_ultimate[age], said)
    ultimate = made.ultimate_paid if isinstance(made, Munich) else made.ultimate
    ratio = np.full(known.shape, getattr(made, "expected_ratio", np.nan))
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
        behind=made,
        curve=curve,
    )


def _found(
    method: Method, amount: Floats, labels: Labels, said: Mapping[str, Any]
) -> tuple[Floats, Integers, Tail | None, float, Mack | Clark | Munich | Bootstrap | None]:
    """Return the steps from age to age, ratios behind them, the tail and its curve, and the result of a method."""
    seen = observed(amount)
    used = (seen[:, 1:] & seen[:, :-1]).sum(axis=0)
    if method == "clark":
        numbers = [age for name in labels.ages if (age := age_of(name)) is not None]
        ages = numbers if numbers and len(numbers) == len(labels.ages) else None
        more = {name: said[name] for name in ("growth", "until") if name in said}
        grown = clark(amount, premium=said.get("base"), ages=ages, **more)
        return grown.curve[1:] / grown.curve[:-1], used, None, grown.grown_until / float(grown.curve[-1]), grown
    if method == "munich":
        incurred, others = one_triangle(said["incurred"])
        if named_otherwise(labels, others):
            raise ModelError(problem("RM828", paid=str(amount.shape), incurred=str(incurred.shape)))
        both = munich(amount, incurred, last_sigma=said.get("last_sigma", "log-linear"))
        return both.factor[0], used, None, 1.0, both
    if method == "bootstrap":
        drawn = bootstrap(amount, **{name: said[name] for name in ("draws", "seed") if name in said})
        return drawn.factor, used, None, 1.0, drawn
    if method == "mack":
        options = {name: said[name] for name in ("alpha", "last_sigma") if name in said}
        steps = mack(amount, **options).factor
        curve, last = _tail(labels, steps, said)
        more = {name: said[name] for name in ("tail_se", "tail_sigma") if name in said}
        return steps, used, curve, last, mack(amount, **options, tail=last, **more)
    found = development_factors(amount, said.get("average", "volume"), periods=said.get("periods"))
    return found.value, found.ratios_used, *_tail(labels, found.value, said), None


def _tail(labels: Labels, steps: Floats, said: Mapping[str, Any]) -> tuple[Tail | None, float]:
    """Return the curve of the tail, where one is asked for, and the tail's factor."""
    if "tail_curve" not in said:
        return None, float(said.get("tail", 1.0))
    curve = _curve(labels, steps, said["tail_curve"], said.get("tail_ages"))
    return curve, curve.factor


@dataclass(frozen=True, eq=False, kw_only=True, slots=True, repr=False)
class Reserves:
    """What a method makes of every segment of a triangle.

    Attributes
    ----------
    table : TriangleTable, all segments; found : segment -> its Reserve, in their order
    refused : why the other segments have no answer, one RM473 each
    """

    table: TriangleTable
    found: Mapping[str, Reserve]
    refused: tuple[Problem, ...] = ()

    def frame(self) -> pd.DataFrame:
        """Return the rows of every segment's `Reserve.frame`, the segment first."""
        import pandas as pd

        parts = []
        for name, one in self.found.items():
            rows = one.frame()
            rows.insert(0, "segment", name)
            parts.append(rows)
        return pd.concat(parts, ignore_index=True)

    def __repr__(self) -> str:
        unpaid = sum(float(one.unpaid.sum()) for one in self.found.values())
        none = f"; {len(self.refused)} without an answer" if self.refused else ""
        return f"Reserves({len(self.found)} segments; unpaid {unpaid:,.8g}{none})"


@strict
def reserves(triangle: Any, method: Method = "mack", **options: Any) -> Reserves:
    """Return what is unpaid of every segment of a triangle; the trouble of one is named, the others are answered.

    Parameters
    ----------
    triangle : what `read_triangle` read, or anything that `labelled` takes
    method, options : as in `reserve`; `base` (segments, origins), where the triangle has none of its own; `incurred` a
        triangle with the same segments

    Raises
    ------
    ModelError
        When no segment has an answer, with the reason of each.

    Examples
    --------
    >>> no = np.nan
    >>> square = [[100, 150, 165, 170], [110, 168, 180, no], [90, 130, no, no], [95, no, no, no]]
    >>> reserves([square, np.multiply(square, -1)], "mack")
    Reserves(1 segments; unpaid 84.3421; 1 without an answer)
    """
    table = _as_table(triangle)
    if "base" in options:
        base = floats("base", options.pop("base"))
        if base.size != np.prod(table.values.shape[:2]):
            raise ModelError(problem("RM834", shapes=f"base {base.shape}, triangle {table.values.shape}"))
        table, uses_base = replace(table, base=base.reshape(table.values.shape[:2])), True
    else:  # what the list has beside the triangle serves the methods that use it
        uses_base = table.base is not None and "base" in USES.get(method, ())
    other = None if "incurred" not in options else _as_table(options.pop("incurred"))
    found: dict[str, Reserve] = {}
    refused: list[Problem] = []
    for at, name in enumerate(table.labels.segments):
        one = table.segment(at)
        own: dict[str, Any] = {"base": one.base[0]} if uses_base and one.base is not None else {}
        try:
            if other is not None:
                own["incurred"] = _segment_named(other, name)
            found[name] = reserve(one, method, **options, **own)
        except ModelError as error:
            if len(table.labels.segments) == 1:
                raise
            refused += [
                problem("RM473", segment=name, why=item.line(), why_zh=item.line("zh")) for item in error.problems
            ]
    if not found:
        raise ModelError(refused)
    return Reserves(table=table, found=found, refused=tuple(refused))


def _as_table(triangle: Any) -> TriangleTable:
    """Return a triangle with its segments, numbered from 1 where they have no names."""
    if isinstance(triangle, TriangleTable):
        return triangle
    amount, labels = labelled(triangle)
    values = amount[None] if amount.ndim == 2 else amount
    if values.ndim != 3:
        raise ModelError(problem("RM834", shapes=f"triangle {amount.shape}"))
    segments, origins, ages = (
        tuple(str(name) for name in numbered(held, size))
        for held, size in zip((labels.segments, labels.origins, labels.ages), values.shape)
    )
    return TriangleTable(values=values, labels=Labels(segments=segments, origins=origins, ages=ages))


def _segment_named(table: TriangleTable, name: str) -> TriangleTable:
    if name not in table.labels.segments:
        near = nearest(name, table.labels.segments)
        raise ModelError(problem("RM699", segment=name, nearest=near))
    return table.segment(table.labels.segments.index(name))


def _refuse_options(method: Method, said: Mapping[str, Any]) -> None:
    """Refuse options that the method does not use, those that it lacks, and tails that contradict each other."""
    wrong = [problem("RM461", option=name, method=method) for name in said if name not in USES[method]]
    wrong += [problem("RM462", option=name, method=method) for name in NEEDS.get(method, ()) if name not in said]
    if "tail" in said and "tail_curve" in said:
        wrong.append(problem("RM461", option="tail", method=f"tail_curve={said['tail_curve']}"))
    if "tail_ages" in said and "tail_curve" not in said:
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
