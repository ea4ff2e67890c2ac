"""Triangles of counts, paid or incurred amounts, for every segment of the business at once.

`values[s, i, j]` is the cumulative amount of segment s, origin i at age j, NaN where the valuation date has not yet
reached that age. All methods take the last two axes as (origin, age) and run over whatever stands before them.
A reserving study belongs to chainladder-python: `to_chainladder` and `from_chainladder` are the bridge, no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Booleans, Dates, Floats, Integers, finite, same_length
from ratemod.ratemaking.exposure import days
from ratemod.ratemaking.labels import Labels, names
from ratemod.rules.floats import whole_numbers
from ratemod.rules.options import strict
from ratemod.rules.within import Count

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, repr=False)
class Triangle:
    """Cumulative amounts by segment, origin period and age.

    Attributes
    ----------
    values : (segments, origins, ages) float64, the caller's unit (claims, yuan, fen); NaN = not yet observed
    segments : names of the segments
    origin_start : (origins,) datetime64[D], first day of each accident (policy, report) period
    origin_months, age_months : months in an origin period and between two ages; age j is (j+1)·age_months
    """

    values: Floats
    segments: tuple[str, ...]
    origin_start: Dates
    origin_months: int = 12
    age_months: int = 12

    @property
    def ages(self) -> npt.NDArray[np.int64]:
        """Ages in months at the end of each column, (ages,) int64."""
        return (np.arange(self.values.shape[-1], dtype=np.int64) + 1) * self.age_months

    @property
    def labels(self) -> Labels:
        """Names of segments, of origins (their year, or first month) and of ages (months)."""
        unit = "Y" if self.origin_months % 12 == 0 else "M"
        starts = [str(one) for one in self.origin_start.astype(f"datetime64[{unit}]")]
        return Labels(segments=self.segments, origins=names(starts), ages=names(self.ages.tolist()))

    def frame(self) -> pd.DataFrame:
        """Return one row a segment and origin, one column an age; NaN where not yet observed.

        Examples
        --------
        >>> start = np.array(["2022-01-01", "2023-01-01"], dtype="datetime64[D]")
        >>> Triangle(np.array([[[5.0, 7.0], [6.0, np.nan]]]), ("all",), start).frame().columns.tolist()
        ['segment', 'origin', '12', '24']
        """
        return triangle_frame(self.values, self.labels)

    def __repr__(self) -> str:
        segments, origins, ages = self.values.shape
        grain = f"{origins} origins of {self.origin_months} months, {ages} ages of {self.age_months} months"
        return f"Triangle({segments} segments, {grain}; {int((~np.isnan(self.values)).sum())} cells known)"


def triangle_frame(values: Floats, labels: Labels) -> pd.DataFrame:
    """Return a triangle of (segments, origins, ages) with one row a segment and origin, one column an age."""
    import pandas as pd

    segments, origins, ages = values.shape
    held = {
        "segment": np.repeat(np.array(labels.segments, dtype=object), origins),
        "origin": list(labels.origins) * segments,
    }
    cells = values.reshape(-1, ages)
    return pd.DataFrame(held | {name: cells[:, at] for at, name in enumerate(labels.ages)})


@strict
def triangle_of_transactions(
    segment: npt.ArrayLike,
    accident_date: npt.ArrayLike,
    booked_date: npt.ArrayLike,
    amount: npt.ArrayLike,
    *,
    segments: tuple[str, ...],
    first_origin: date | str,
    origins: Count,
    valuation: date | str,
    origin_months: Count = 12,
    age_months: Count = 12,
) -> Triangle:
    """Sum payments, reserve changes or reports into cumulative triangles.

    Parameters
    ----------
    segment : (n,) int codes into `segments`
    accident_date, booked_date : (n,) dates; what is booked after `valuation` is not yet known and stays out
    amount : (n,) float, incremental: a payment, a change of the incurred amount, or 1 for a reported claim
    first_origin : first day of the first origin period, the first of a month
    origins : number of origin periods
    valuation : last day that is known; ages end only on or before it
    origin_months, age_months : grain; origin_months is a multiple of age_months

    Returns
    -------
    Triangle

    Raises
    ------
    ModelError
        RM514 for rows outside the origins or booked before the accident; RM516 for a grain that does not fit, or
        a valuation date that leaves an age half observed; RM524 for codes out of range; RM014 for no day; RM500,
        RM503, RM655.

    Examples
    --------
    >>> made = triangle_of_transactions([0, 0], ["2022-03-01", "2022-03-01"], ["2022-05-01", "2023-05-01"], [5.0, 2.0],
    ...     segments=("all",), first_origin="2022-01-01", origins=2, valuation="2023-12-31")
    >>> made.values.tolist()
    [[[5.0, 7.0], [0.0, nan]]]
    """
    code, value = whole_numbers("segment", segment), finite("amount", amount)
    happened, booked = days("accident_date", accident_date), days("booked_date", booked_date)
    same_length(segment=code, accident_date=happened, booked_date=booked, amount=value)
    if ((code < 0) | (code >= len(segments))).any():
        raise ModelError(problem("RM524", name="segment", levels=len(segments)))
    first = np.datetime64(first_origin, "D")
    start = first.astype("datetime64[M]").astype(np.int64)
    end = np.datetime64(valuation, "D") + np.timedelta64(1, "D")
    known_months = int(end.astype("datetime64[M]").astype(np.int64) - start)
    if (
        origin_months % age_months
        or origin_months < 1
        or first != first.astype("datetime64[M]")
        or end != end.astype("datetime64[M]")
        or known_months % age_months
        or known_months < age_months
    ):
        raise ModelError(problem("RM516", origin_months=origin_months, age_months=age_months, valuation=valuation))
    month = happened.astype("datetime64[M]").astype(np.int64) - start
    origin = month // origin_months
    age = (booked.astype("datetime64[M]").astype(np.int64) - start - origin * origin_months) // age_months
    wrong = (origin < 0) | (origin >= origins) | (booked < happened)
    if wrong.any():
        raise ModelError(problem("RM514", wrong=int(wrong.sum()), first=int(np.flatnonzero(wrong)[0])))
    ages = known_months // age_months
    use = booked < end
    shape = (len(segments), origins, ages)
    key = np.ravel_multi_index((code[use], origin[use], age[use]), shape)
    sums = np.bincount(key, value[use], minlength=int(np.prod(shape))).reshape(shape)
    started = np.arange(origins)[:, None] * origin_months + (np.arange(ages) + 1) * age_months
    total = np.where(started <= known_months, sums.cumsum(axis=2), np.nan)
    starts = (first.astype("datetime64[M]") + np.arange(origins) * origin_months).astype("datetime64[D]")
    return Triangle(
        values=total, segments=segments, origin_start=starts, origin_months=origin_months, age_months=age_months
    )


def observed(values: Floats) -> Booleans:
    """Return which cells are observed, at least one of every origin; ages may begin late, or be missing in between.

    Raises
    ------
    ModelError
        RM683 for an origin without any amount; RM834 for what has no origins and ages.

    Examples
    --------
    >>> observed(np.array([[1.0, np.nan, 3.0]])).tolist()
    [[True, False, True]]
    """
    if values.ndim < 2 or not values.size:
        raise ModelError(problem("RM834", shapes=f"triangle {values.shape}"))
    seen = ~np.isnan(values)
    empty = ~seen.any(axis=-1)
    if empty.any():
        raise ModelError(problem("RM683", wrong=int(empty.sum()), first=int(np.argwhere(empty)[0][-1]) + 1))
    return seen


def holes(values: Floats) -> Booleans:
    """Return which cells are missing between an origin's first and newest amount.

    Examples
    --------
    >>> holes(np.array([[1.0, np.nan, 3.0, np.nan]])).tolist()
    [[False, True, False, False]]
    """
    seen = ~np.isnan(values)
    return ~seen & np.logical_or.accumulate(seen, axis=-1) & later(seen)


def later(seen: Booleans) -> Booleans:
    """Return whether an origin has an amount at an age or after it."""
    return np.flip(np.logical_or.accumulate(np.flip(seen, -1), axis=-1), -1)


def unbroken(values: Floats) -> Booleans:
    """Return which cells are observed, of every origin one run of ages.

    Raises
    ------
    ModelError
        RM515 when an origin has a hole between ages; those of `observed`.
    """
    seen = observed(values)
    wrong = int(holes(values).sum())
    if wrong:
        raise ModelError(problem("RM515", wrong=wrong))
    return seen


def newest_age(values: Floats) -> Integers:
    """Return the place of the newest observed age of every origin, (..., origins) int64.

    Raises
    ------
    ModelError
        Those of `observed`.

    Examples
    --------
    >>> newest_age(np.array([[1.0, 2.0], [3.0, np.nan]])).tolist()
    [1, 0]
    """
    return np.asarray(values.shape[-1] - 1 - np.argmax(np.flip(observed(values), -1), axis=-1), dtype=np.int64)


def latest(values: Floats) -> Floats:
    """Return the newest observed amount of every origin, (..., origins).

    Examples
    --------
    >>> latest(np.array([[1.0, 2.0], [3.0, np.nan]])).tolist()
    [2.0, 3.0]
    """
    return np.take_along_axis(values, newest_age(values)[..., None], axis=-1)[..., 0]


def incremental(values: Floats) -> Floats:
    """Return the amounts added in each age, NaN where not observed.

    Examples
    --------
    >>> incremental(np.array([[1.0, 3.0], [3.0, np.nan]])).tolist()
    [[1.0, 2.0], [3.0, nan]]
    """
    return np.diff(values, axis=-1, prepend=0.0)


def to_chainladder(triangle: Triangle, column: str = "amount") -> Any:
    """Return a `chainladder.Triangle` with one index row a segment (needs chainladder-python)."""
    import chainladder
    import pandas

    seg, org, age = np.nonzero(~np.isnan(triangle.values))
    month = triangle.origin_start.astype("datetime64[M]")
    valued = (month[org] + triangle.ages[age]).astype("datetime64[D]") - np.timedelta64(1, "D")
    frame = pandas.DataFrame(
        {
            "segment": np.array(triangle.segments)[seg],
            "origin": triangle.origin_start[org],
            "valuation": valued,
            column: triangle.values[seg, org, age],
        }
    )
    return chainladder.Triangle(
        frame, origin="origin", development="valuation", index="segment", columns=[column], cumulative=True
    )


def from_chainladder(source: Any, column: str | None = None) -> Triangle:
    """Return one column of a cumulative `chainladder.Triangle`.

    Cells after its valuation date, and cells before the first diagonal that holds anything, are not observed (NaN).

    Raises
    ------
    ModelError
        RM517 when the triangle is not cumulative.
    """
    if not source.is_cumulative:
        raise ModelError(problem("RM517"))
    picked = source if column is None else source[column]
    months = {"Y": 12, "S": 6, "2Q": 6, "Q": 3, "M": 1}
    dense = picked.set_backend("numpy")
    values = np.array(dense.values[:, 0], dtype=np.float64)
    starts = dense.origin.to_timestamp(how="s").to_numpy().astype("datetime64[D]")
    size, step = months[dense.origin_grain], months[dense.development_grain]
    end = np.datetime64(dense.valuation_date, "D") + np.timedelta64(1, "D")
    known = end.astype("datetime64[M]").astype(np.int64) - starts.astype("datetime64[M]").astype(np.int64)
    ages = (np.arange(values.shape[-1]) + 1) * step
    left = known[:, None] - ages[None, :]  # months from a cell's valuation to the newest one
    filled = (np.nan_to_num(values) != 0).any(axis=0) & (left >= 0)
    oldest = left[filled].max(initial=0)
    values = np.where((left >= 0) & (left <= oldest), np.nan_to_num(values), np.nan)
    segments = tuple(" / ".join(str(part) for part in row) for row in dense.index.to_numpy())
    return Triangle(values=values, segments=segments, origin_start=starts, origin_months=size, age_months=step)
