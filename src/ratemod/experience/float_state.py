"""Float schemes: a rate that stands at a step and moves by rule from year to year, such as China's work-injury float.

A scheme has steps (factors, lowest first) and a rule: from a year's ratio of benefits to contributions, and a flag
such as "a new injury", either the step to stand at next year or a move by steps. A rule may limit how far a firm moves
in a year; an industry class may have no lower steps.

Sources: 人社部发〔2015〕71号 (steps of the work-injury float); a municipal rule quoted in notices of Huainan (bands),
as read from secondary sources. Other regions have other bands: they are data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ratemod.document.result import Result
from ratemod.errors import ModelError, problem
from ratemod.experience.panel import Floats, Integers, numbers, whole
from ratemod.rules.options import strict


@strict
@dataclass(frozen=True, slots=True)
class FloatScheme:
    """A float scheme.

    Attributes
    ----------
    factors : factor of each step, lowest first
    edges : bounds between bands of the year's ratio, upper edges included
    rule : one row a flag value (usually one row), one column a band: a step, or a move by steps
    how : "to" a step, or "by" steps
    start : step of a new firm
    most_down, most_up : steps a firm moves in one year at most
    source : where it comes from
    """

    factors: tuple[float, ...]
    edges: tuple[float, ...]
    rule: tuple[tuple[int, ...], ...]
    how: Literal["to", "by"] = "to"
    start: int = 0
    most_down: int = 127
    most_up: int = 127
    source: str = "illustrative"

    def __post_init__(self) -> None:
        """Check that the parts fit together."""
        least = 0 if self.how == "to" else -127
        rising = all(a < b for a, b in zip(self.edges, self.edges[1:]))
        right = all(len(row) == len(self.edges) + 1 for row in self.rule)
        inside = all(least <= step < len(self.factors) for row in self.rule for step in row)
        if not (rising and right and inside and self.rule and 0 <= self.start < len(self.factors)):
            raise ModelError(problem("RM662"))


@dataclass(frozen=True, slots=True, repr=False)
class FloatPath(Result):
    """Steps through the years: (firms, years + 1) int8 steps, from before the first year to after the last; factors."""

    step: npt.NDArray[np.int8]
    factor: Floats


WORK_INJURY_FACTORS = (0.5, 0.8, 1.0, 1.2, 1.5)  # classes 2 to 8; class 1 has no step below 1.0
WORK_INJURY_CLASS_1_FLOOR = 2
HUAINAN = FloatScheme(
    WORK_INJURY_FACTORS,
    (20.0, 60.0, 80.0, 120.0),
    ((0, 1, 2, 3, 4),),
    "to",
    2,
    source="municipal rule, ratio of benefits to contributions in percent; secondary source",
)
NEW_INJURY = FloatScheme(
    WORK_INJURY_FACTORS,
    (120.0, 300.0),
    ((1, 2, 2), (2, 3, 4)),
    "to",
    2,
    source="another regional rule: row 0 no new injury, row 1 a new injury; secondary source",
)
QUEENSLAND_SMALL = FloatScheme(
    (0.8, 0.9, 1.0, 1.1, 1.2),
    (0.0,),
    ((-1, 1),),
    "by",
    2,
    1,
    1,
    "WorkCover Queensland, small employers: one category a year, down without claims cost, "
    "up with; the first 500 dollars of claims are ignored",
)


def work_injury_floor(risk_class: npt.ArrayLike) -> Integers:
    """Return the lowest step of each work-injury class 1..8: class 1 does not float down.

    Examples
    --------
    >>> work_injury_floor([1, 2, 8]).tolist()
    [2, 0, 0]
    """
    return np.where(whole("risk_class", risk_class, low=1, high=8) == 1, WORK_INJURY_CLASS_1_FLOOR, 0)


def float_path(
    scheme: FloatScheme,
    ratio: npt.ArrayLike,
    *,
    flag: npt.ArrayLike | None = None,
    floor: npt.ArrayLike | None = None,
    start: npt.ArrayLike | None = None,
) -> FloatPath:
    """Return the steps of firms through the years.

    Parameters
    ----------
    scheme : FloatScheme
    ratio : (firms, years) float64, oldest first, in the unit of the edges; NaN for a year without contributions, in
        which the step stays
    flag : (firms, years) whole numbers, row of the rule; default 0
    floor : (firms,) whole numbers, lowest step open to a firm; default 0
    start : (firms,) whole numbers, step before the first year; default the scheme's

    Returns
    -------
    FloatPath

    Raises
    ------
    ModelError
        RM640, RM641, RM642, RM655.

    Examples
    --------
    >>> float_path(HUAINAN, [[10.0, 90.0, np.nan], [300.0, 60.0, 80.0]], floor=[2, 0]).factor.tolist()
    [[1.0, 1.0, 1.2, 1.2], [1.0, 1.5, 0.8, 1.0]]
    """
    given = numbers("ratio", ratio, missing=True)
    if given.ndim != 2:
        raise ModelError(
            problem("RM640", name="ratio", found=str(given.shape), first="panel", expected="(firms, years)")
        )
    firms, last = len(given), len(scheme.factors) - 1
    row = _whole_of("flag", flag, 0, len(scheme.rule) - 1, given.shape)
    low = _whole_of("floor", floor, 0, last, (firms,))
    begin = np.maximum(_whole_of("start", start, 0, last, (firms,), scheme.start), low)
    rule, edges = np.array(scheme.rule), np.array(scheme.edges)
    found = np.empty((given.shape[1] + 1, firms), dtype=np.int8)
    found[0] = begin
    for year in range(given.shape[1]):
        now = found[year].astype(np.int64)
        said = rule[row[:, year], np.searchsorted(edges, given[:, year], side="left").clip(max=len(edges))]
        move = np.clip(said - now if scheme.how == "to" else said, -scheme.most_down, scheme.most_up)
        found[year + 1] = np.where(np.isnan(given[:, year]), now, np.clip(now + move, low, last))
    return FloatPath(found.T, np.array(scheme.factors)[found.T])


def _whole_of(
    name: str, given: npt.ArrayLike | None, low: int, high: int, shape: tuple[int, ...], default: int = 0
) -> Integers:
    """Return whole numbers of the shape asked for."""
    if given is None:
        return np.full(shape, default, dtype=np.int64)
    found = whole(name, given, low=low, high=high)
    if found.shape != shape:
        raise ModelError(problem("RM640", name=name, found=str(found.shape), first="ratio", expected=str(shape)))
    return found
