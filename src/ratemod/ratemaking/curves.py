"""Curves: how the logarithm of a mean runs along a number (age, hours, a share), as columns of a model.

With z = (x − first knot)/(last knot − first knot), each kind is measured from a reference value x₀, at which it is 0:
    linear          x − x₀
    log             log x − log x₀
    polynomial(k)   (x − x₀), (x − x₀)², …, (x − x₀)ᵏ
    spline(k)       z and N₁, …, N_{k−1}, the natural cubic spline of k + 1 knots (minimum, quantiles, maximum),
                    N_j = d_j − d_k,  d_j(z) = ((z − z_j)₊³ − (z − z_{k+1})₊³)/(z_{k+1} − z_j),  straight outside
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

Kind = Literal["linear", "log", "polynomial", "spline"]
KINDS = ("linear", "log", "polynomial(2)", "spline(4)")
MOST_DEGREES = {"polynomial": 6, "spline": 20}
_WRITTEN = re.compile(r"(linear|log)|(polynomial|spline)\((\d{1,3})\)")


@dataclass(frozen=True, slots=True)
class Curve:
    """A number as columns of a model.

    Attributes
    ----------
    name : column of the data
    kind : "linear", "log", "polynomial" or "spline"; degrees : its number of columns
    reference : float, x₀, where the relativity is 1
    knots : of a spline, ascending, else empty
    """

    name: str
    kind: Kind
    degrees: int
    reference: float
    knots: tuple[float, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of its columns."""
        if self.kind == "polynomial":
            return tuple(self.name if j == 1 else f"{self.name}^{j}" for j in range(1, self.degrees + 1))
        if self.kind == "spline":
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
        if self.kind == "spline":
            ends = np.array(self.knots)
            z, at = (x - ends[0]) / (ends[-1] - ends[0]), (ends - ends[0]) / (ends[-1] - ends[0])
            last = np.maximum(z - 1.0, 0.0) ** 3
            bends = [(np.maximum(z - knot, 0.0) ** 3 - last) / (1.0 - knot) for knot in at[:-1]]
            return np.stack([z, *(bend - bends[-1] for bend in bends[:-1])], axis=1)
        return (x - self.reference)[:, None] ** np.arange(1, self.degrees + 1)


def written(name: str, kind: str) -> tuple[Kind, int]:
    """Return kind and degrees of what a user writes: "linear", "log", "polynomial(2)", "spline(4)".

    Raises
    ------
    ModelError
        RM482 for anything else.

    Examples
    --------
    >>> written("age", "spline(4)")
    ('spline', 4)
    """
    found = _WRITTEN.fullmatch(str(kind).replace(" ", ""))
    if found and found[1]:
        return ("linear" if found[1] == "linear" else "log"), 1
    if found and 1 < int(found[3]) <= MOST_DEGREES[found[2]]:
        return ("spline" if found[2] == "spline" else "polynomial"), int(found[3])
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
    kind_, degrees = written(name, kind)
    different = len(np.unique(values))
    knots: tuple[float, ...] = ()
    if kind_ == "spline":
        shares = np.linspace(0.0, 1.0, degrees + 1)
        found = np.unique(np.quantile(values, shares))
        if len(found) <= degrees:  # many rows of one value: quantiles of the different values
            found = np.unique(np.quantile(np.unique(values), shares))
        knots = tuple(float(x) for x in found)
    if different <= degrees or (knots and len(knots) <= degrees):
        raise ModelError(problem("RM483", column=name, kind=kind, different=different))
    if reference is None:
        mean = np.average(np.log(values) if kind_ == "log" else values, weights=weight)
        reference = float(np.exp(mean) if kind_ == "log" else mean)
    return Curve(name=name, kind=kind_, degrees=degrees, reference=reference, knots=knots)
