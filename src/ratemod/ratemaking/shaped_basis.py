"""Cubic splines whose slope is a sum of quadratic B-splines: curves that rise, fall or bend one way, or are smooth.

On z in [0, 1] with knots at the ends and at quantiles, B_1 … B_k are the quadratic B-splines, f′ = Σ c_i B_i, so that
    rises       f′ = Σ γ_i B_i,                    γ ≥ 0          falls     the negative of it
    convex      f′ = γ_1 + Σ_{j≥2} γ_j I_j,        γ_2, … ≥ 0     I_j = Σ_{i≥j} B_i goes from 0 to 1
    concave     f′ = γ_1 − Σ_{j≥2} γ_j I_j,        γ_2, … ≥ 0
    both        as convex or concave, I_j − 1 for I_j where the slope is least on the right, with γ_1 ≥ 0 as well;
each of these columns is what it says, so that a sum of them with γ ≥ 0 is too, and f is their integral. Outside the
knots f runs on straight. The roughness that a penalty holds down is ∫ f″² dz = γ′Sγ.

Source: Ramsay, Statistical Science 3 (1988) (monotone splines); Meyer, Annals of Applied Statistics 2 (2008) (shape
restricted regression splines); Wood, *Generalized Additive Models*, 2nd ed., 5.3 (penalties).
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np

from ratemod.ratemaking.arrays import Floats
from ratemod.rules.options import strict

Shape = Literal["increasing", "decreasing", "convex", "concave"]
SHAPES: tuple[Shape, ...] = get_args(Shape)
LEAST_COLUMNS = 3


def integrals(x: Floats, knots: tuple[float, ...]) -> Floats:
    """Return ∫ B_i from the first knot to x, (n, k) float64 of x (n,), in units of the knots' range."""
    from scipy.interpolate import BSpline

    slope = _slopes(knots)
    z = (x - knots[0]) / (knots[-1] - knots[0])
    inside = np.clip(z, 0.0, 1.0)
    area: Floats = BSpline.antiderivative(slope)(inside) + (z - inside)[:, None] * slope(inside)
    return area


@strict
def mixture(columns: int, shape: tuple[Shape, ...]) -> Floats:
    """Return the B-splines in the slope of every column, (k, k) float64, one column a column of the model.

    Examples
    --------
    >>> mixture(3, ("decreasing", "convex")).tolist()  # the slope is -1 throughout, or -1 left of a place and 0 right
    [[-1.0, -1.0, -1.0], [-1.0, 0.0, -1.0], [-1.0, 0.0, 0.0]]
    """
    made = np.eye(columns)
    falls, rises = "decreasing" in shape, "increasing" in shape
    if "convex" in shape or "concave" in shape:
        later = np.tril(np.ones((columns, columns)))  # column j: 1 from B-spline j on
        way = 1.0 if "convex" in shape else -1.0
        from_right = falls if "convex" in shape else rises
        made = way * (later - 1.0 if from_right else later)
        made[:, 0] = 1.0
    if falls:
        made[:, 0 if ("convex" in shape or "concave" in shape) else slice(None)] *= -1.0
    return made


@strict
def held(columns: int, shape: tuple[Shape, ...]) -> tuple[int, ...]:
    """Return the columns whose coefficients may not be negative."""
    bends = "convex" in shape or "concave" in shape
    runs = "increasing" in shape or "decreasing" in shape
    return tuple(range(0 if runs else 1, columns)) if bends or runs else ()


@strict
def roughness(knots: tuple[float, ...], columns: int, shape: tuple[Shape, ...]) -> Floats:
    """Return S of ∫ f″² dz = γ′Sγ, (k, k) float64: exact by two Gauss points between knots."""
    slope = _slopes(knots)
    z = (np.array(knots) - knots[0]) / (knots[-1] - knots[0])
    middle, half = (z[1:] + z[:-1]) / 2, (z[1:] - z[:-1]) / 2
    at = np.concatenate([middle - half / np.sqrt(3), middle + half / np.sqrt(3)])
    bend = slope.derivative()(at) @ mixture(columns, shape)
    found: Floats = bend.T @ (bend * np.tile(half, 2)[:, None])
    return found


def _slopes(knots: tuple[float, ...]) -> Any:
    from scipy.interpolate import BSpline

    z = (np.array(knots) - knots[0]) / (knots[-1] - knots[0])
    whole = np.concatenate([[0.0, 0.0], z, [1.0, 1.0]])
    return BSpline(whole, np.eye(len(whole) - 3), 2)
