"""A value by band of a measure: the short tables that merit, float and split plans are made of.

Whether an end belongs to its band is part of the table, because published ones differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.rules.floats import floats

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bands:
    """A value by band of a measure.

    Attributes
    ----------
    upper : ascending upper ends of all bands but the last, in the unit of the measure
    values : one more than `upper`
    upper_inclusive : whether an end belongs to the band below it
    source : where the table is from
    """

    upper: tuple[float, ...]
    values: tuple[float, ...]
    upper_inclusive: bool = True
    source: str = ""

    def __post_init__(self) -> None:
        """Check that the bands ascend and that each has a value."""
        if len(self.values) != len(self.upper) + 1 or any(a >= b for a, b in zip(self.upper, self.upper[1:])):
            raise ModelError(problem("RM601", ends=len(self.upper), values=len(self.values)))

    def of(self, measure: npt.ArrayLike) -> Floats:
        """Return the value of each measure, (n,) float64.

        Raises
        ------
        ModelError
            RM600 a measure that is negative or missing.

        Examples
        --------
        >>> Bands((10.0, 20.0), (-40.0, -35.0, 0.0)).of([10, 10.01, 25]).tolist()
        [-40.0, -35.0, 0.0]
        """
        return np.asarray(self.values)[self.place(measure)]

    def place(self, measure: npt.ArrayLike) -> Integers:
        """Return the band of each measure, (n,) int64 from 0."""
        x = floats("measure", measure)
        if not (np.isfinite(x) & (x >= 0)).all():
            raise ModelError(problem("RM600"))
        ends = np.asarray(self.upper, dtype=np.float64)
        place = np.searchsorted(ends, x, "left") if self.upper_inclusive else np.searchsorted(ends, x, "right")
        return np.asarray(place, dtype=np.int64)

    def interpolated(self, measure: npt.ArrayLike, at: npt.ArrayLike) -> Floats:
        """Return values linear between the points `at`, one for each band, and flat beyond them.

        Bands step; a firm just past an end pays a jump. Interpolated, the same table has no jumps.

        Examples
        --------
        >>> Bands((0.5, 1.0), (0.8, 1.0, 1.3)).interpolated([0.25, 0.5, 2.0], [0.25, 0.75, 1.25]).tolist()
        [0.8, 0.9, 1.3]
        """
        points = np.asarray(at, dtype=np.float64)
        if len(points) != len(self.values) or (np.diff(points) <= 0).any():
            raise ModelError(problem("RM601", ends=len(points), values=len(self.values)))
        self.place(measure)
        return np.asarray(np.interp(np.asarray(measure, dtype=np.float64), points, np.asarray(self.values)))
