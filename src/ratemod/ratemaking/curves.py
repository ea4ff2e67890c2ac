"""Curves: how the logarithm of a mean runs along a number (age, hours, a share), as columns of a model.

With z = (x − first knot)/(last knot − first knot), each kind is measured from a reference value x₀, at which it is 0:
    linear          x − x₀
    log             log x − log x₀
    polynomial(k)   (x − x₀), (x − x₀)², …, (x − x₀)ᵏ
    spline(k)       z and N₁, …, N_{k−1}, the natural cubic spline of k + 1 knots (minimum, quantiles, maximum),
                    N_j = d_j − d_k,  d_j(z) = ((z − z_j)₊³ − (z − z_{k+1})₊³)/(z_{k+1} − z_j),  straight outside
    spline(k, increasing), … convex, …              k columns of `shaped_basis`, whose coefficients may not be negative
    penalised(k), penalised(k, increasing), …       the same k columns, with a penalty on what bends (`penalty`)
The span of spline(k) is that of R's `ns(x, df = k)`: the same fit and the same predictions.

Source: Hastie, Tibshirani & Friedman, *The Elements of Statistical Learning*, 2nd ed., 5.2.1 (natural cubic splines).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, nearest, problem
from ratemod.ratemaking.arrays import Floats
from ratemod.ratemaking.shaped_basis import LEAST_COLUMNS, SHAPES, Shape, held, integrals, mixture, roughness

Kind = Literal["linear", "log", "polynomial", "spline", "shaped", "penalised"]
KINDS = ("linear", "log", "polynomial(2)", "spline(4)", *(f"spline(6, {shape})" for shape in SHAPES), "penalised(12)")
MOST_DEGREES = {"polynomial": 6, "spline": 20, "shaped": 20, "penalised": 40}
OPPOSITE = ({"increasing", "decreasing"}, {"convex", "concave"})
_WRITTEN = re.compile(r"(linear|log)|(polynomial|spline|penalised)\((\d{1,3})((?:,[a-z]+)*)\)")


@dataclass(frozen=True, slots=True)
class Written:
    """What a user wrote of a covariate: its kind, its number of columns, and the shapes that it must have."""

    kind: Kind
    degrees: int
    shape: tuple[Shape, ...] = ()


@dataclass(frozen=True, slots=True)
class Curve:
    """A number as columns of a model.

    Attributes
    ----------
    name : column of the data
    kind : one of `Kind`; degrees : its number of columns
    reference : float, x₀, where the relativity is 1
    knots : of a spline, ascending, else empty
    shape : what a spline must be; its columns `held` then have coefficients >= 0
    strength : λ of the penalty λ·γ′Sγ on a penalised spline
    """

    name: str
    kind: Kind
    degrees: int
    reference: float
    knots: tuple[float, ...] = ()
    shape: tuple[Shape, ...] = ()
    strength: float = 0.0

    @property
    def held(self) -> tuple[int, ...]:
        """Return its columns whose coefficients may not be negative."""
        return held(self.degrees, self.shape)

    @property
    def penalty(self) -> Floats:
        """Return λ·S, (degrees, degrees) float64, of a penalised spline."""
        return self.strength * roughness(self.knots, self.degrees, self.shape)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of its columns."""
        if self.kind == "polynomial":
            return tuple(self.name if j == 1 else f"{self.name}^{j}" for j in range(1, self.degrees + 1))
        if self.knots:
            return tuple(f"{self.name}[spline {j}]" for j in range(1, self.degrees + 1))
        return (self.name,) if self.kind == "linear" else (f"log({self.name})",)

    def columns(self, values: npt.ArrayLike) -> Floats:
        """Return the columns of (n,) values, (n, degrees) float64.

        Examples
        --------
        >>> Curve("age", "polynomial", 2, 40.0).columns([40.0, 42.0]).tolist()
        [[0.0, 0.0], [2.0, 4.0]]
        """
        x = np.asarray(values, dtype=np.float64)
        return self._raw(x) - self._raw(np.array([self.reference]))

    def _raw(self, x: Floats) -> Floats:
        if self.kind == "log":
            return np.log(x)[:, None]
        if self.kind in ("shaped", "penalised"):
            return integrals(x, self.knots) @ mixture(self.degrees, self.shape)
        if self.kind == "spline":
            ends = np.array(self.knots)
            z, at = (x - ends[0]) / (ends[-1] - ends[0]), (ends - ends[0]) / (ends[-1] - ends[0])
            last = np.maximum(z - 1.0, 0.0) ** 3
            bends = [(np.maximum(z - knot, 0.0) ** 3 - last) / (1.0 - knot) for knot in at[:-1]]
            return np.stack([z, *(bend - bends[-1] for bend in bends[:-1])], axis=1)
        return (x - self.reference)[:, None] ** np.arange(1, self.degrees + 1)


def written(name: str, kind: str) -> Written:
    """Return what a user writes: "linear", "log", "polynomial(2)", "spline(4)", "penalised(12, increasing, concave)".

    Raises
    ------
    ModelError
        RM482 for anything else.

    Examples
    --------
    >>> written("age", "spline(4)").kind, written("age", "spline(5, increasing)").shape
    ('spline', ('increasing',))
    """
    found = _WRITTEN.fullmatch(str(kind).replace(" ", ""))
    if found and found[1]:
        return Written("linear" if found[1] == "linear" else "log", 1)
    if found:
        degrees, words = int(found[3]), [word for word in found[4].split(",") if word]
        shape = tuple(word for word in SHAPES if word in words)
        kind_: Kind = "shaped" if shape and found[2] == "spline" else found[2]  # type: ignore[assignment]
        plain = kind_ in ("polynomial", "spline")
        known = len(words) == len(shape) and not any(pair <= set(shape) for pair in OPPOSITE)
        if (
            (2 if plain else LEAST_COLUMNS) <= degrees <= MOST_DEGREES[kind_]
            and known
            and not (shape and kind_ == "polynomial")
        ):
            return Written(kind_, degrees, shape)
    raise ModelError(problem("RM482", column=name, kind=kind, nearest=nearest(str(kind), KINDS)))


def curve(name: str, kind: str, values: Floats, weight: Floats, reference: float | None = None) -> Curve:
    """Lay out a curve on data.

    Parameters
    ----------
    name : column; kind : as in `written`
    values, weight : (n,) float64, of the rows used; the knots are quantiles of the values, where these coincide those
        of the different values
    reference : x₀; default the mean by weight (of log x for "log")

    Raises
    ------
    ModelError
        RM482 an unknown kind, RM483 too few different values for so many columns.

    Examples
    --------
    >>> curve("age", "linear", np.array([20.0, 40.0]), np.array([1.0, 3.0])).reference
    35.0
    """
    asked = written(name, kind)
    kind_, degrees = asked.kind, asked.degrees
    different = len(np.unique(values))
    knots: tuple[float, ...] = ()
    wanted = {"spline": degrees + 1, "shaped": degrees - 1, "penalised": degrees - 1}.get(kind_, 0)
    if wanted:
        shares = np.linspace(0.0, 1.0, wanted)
        found = np.unique(np.quantile(values, shares))
        if len(found) < wanted:  # many rows of one value: quantiles of the different values
            found = np.unique(np.quantile(np.unique(values), shares))
        knots = tuple(float(x) for x in found)
    if different <= degrees or len(knots) < wanted:
        raise ModelError(problem("RM483", column=name, kind=kind, different=different))
    if reference is None:
        mean = np.average(np.log(values) if kind_ == "log" else values, weights=weight)
        reference = float(np.exp(mean) if kind_ == "log" else mean)
    return Curve(name=name, kind=kind_, degrees=degrees, reference=reference, knots=knots, shape=asked.shape)
