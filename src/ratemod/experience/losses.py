"""A claims list to each firm's actual losses: windows, valuation, accidents, who takes over whose record.

Firms are coded once through Arrow; everything after that is whole-array sums by integer key. Amounts are whole fen,
so that sums are
exact and free of the order of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, Problem, problem
from ratemod.experience.split import SplitRule, split_claims

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Dates = npt.NDArray[np.datetime64]
Booleans = npt.NDArray[np.bool_]
BLOCK = 65_536
FAULTS = ("RM610", "RM611", "RM612", "RM613")


@dataclass(frozen=True, slots=True)
class Window:
    """Which years of experience count for a modification.

    Attributes
    ----------
    years : how many; lag_months : months between the end of the window and the day the mod applies from
    """

    years: int = 3
    lag_months: int = 12

    def of(self, effective: npt.ArrayLike) -> tuple[Dates, Dates]:
        """Return the first day of the window and the first day after it, (n,) datetime64[D] each.

        The day of the month is kept; in a shorter month it is the last day.

        Examples
        --------
        >>> [str(day[0]) for day in Window(3, 12).of(["2026-01-01"])]
        ['2022-01-01', '2025-01-01']
        """
        day = np.asarray(effective, dtype="datetime64[D]")
        return months_before(day, self.lag_months + 12 * self.years), months_before(day, self.lag_months)


def months_before(day: Dates, months: int) -> Dates:
    """Return the same day of the month some months earlier, the last day of a shorter month.

    Examples
    --------
    >>> months_before(np.array(["2024-03-31", "2024-02-29"], "datetime64[D]"), 12).astype(str).tolist()
    ['2023-03-31', '2023-02-28']
    """
    month = day.astype("datetime64[M]")
    offset = day - month.astype("datetime64[D]")
    earlier = month - months
    last = (earlier + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    made: Dates = np.minimum(earlier.astype("datetime64[D]") + offset, last)
    return made


@dataclass(frozen=True, eq=False, slots=True)
class ClaimList:
    """Claims as arrays, k of them.

    Attributes
    ----------
    firm : (k,) int64, place of the firm, −1 where it is not among the firms
    event_date : (k,) datetime64[D]; incurred_fen : (k,) int64
    event : (k,) int64, equal for claims of one accident
    valued : (k,) datetime64[D], the day on which the amount stood, NaT where not given
    medical_only : (k,) bool
    number : (k,) names of the claims, for worksheets
    """

    firm: Integers
    event_date: Dates
    incurred_fen: Integers
    event: Integers
    valued: Dates
    medical_only: Booleans
    number: Any


@dataclass(frozen=True, eq=False, slots=True)
class Actual:
    """Actual losses of n firms in their windows.

    Attributes
    ----------
    primary_fen, excess_fen : (n,) int64; claims : (n,) int64 counted
    problem_of : (n,) int32, 0: fine, j: problems[j − 1] refuses the firm
    problems : reasons
    unmatched : claims of no firm; outside : claims out of their firm's window
    """

    primary_fen: Integers
    excess_fen: Integers
    claims: Integers
    problem_of: npt.NDArray[np.int32]
    problems: tuple[Problem, ...]
    unmatched: int
    outside: int


def actual_losses(
    claims: ClaimList,
    rule: SplitRule,
    expected_yuan: npt.ArrayLike,
    first: Dates,
    after: Dates,
    *,
    exposed: npt.ArrayLike | None = None,
    years: Sequence[str] = (),
) -> Actual:
    """Return every firm's actual primary and excess losses.

    Parameters
    ----------
    claims : ClaimList; rule : SplitRule
    expected_yuan : (n,) float64, expected losses of each firm, for splits that depend on them
    first, after : (n,) dates, the firm's window [first, after)
    exposed : (n, y) bool, whether the firm has exposure in each calendar year of `years`; a claim in a year without
        exposure refuses the firm
    years : y calendar years as text

    Returns
    -------
    Actual. A firm with a claim that cannot be (negative, valued before it happened, in a year without exposure) is
    refused with the reason; the others are not touched.

    Notes
    -----
    Blocks of claims that fit the cache, added up by integer key: no array of the claims' length is made.

    Examples
    --------
    >>> day = np.array(["2024-05-01", "2019-01-01"], "datetime64[D]")
    >>> none = np.array(["NaT", "NaT"], "datetime64[D]")
    >>> fen = np.array([1_200_000, 100])
    >>> made = ClaimList(np.zeros(2, int), day, fen, np.arange(2), none, np.zeros(2, bool), ["a", "b"])
    >>> found = actual_losses(made, SplitRule("own", "example", 10_000.0), [0.0], *Window().of(["2026-01-01"]))
    >>> found.primary_fen.tolist(), found.excess_fen.tolist(), found.outside
    ([1000000], [200000], 1)
    """
    expected = np.asarray(expected_yuan, dtype=np.float64)
    scale = accident_scale(claims, rule)
    if len(first) and (first == first[0]).all() and (after == after[0]).all():
        first, after = first[:1], after[:1]
    sums = np.zeros((3, len(expected)), dtype=np.int64)
    faults: dict[str, list[Integers]] = {}
    unmatched = outside = 0
    in_year = None if exposed is None else np.asarray(exposed, dtype=bool)
    for start in range(0, len(claims.firm), BLOCK):
        part = slice(start, start + BLOCK)
        known, inside = counted(claims, first, after, part)
        unmatched += int(len(known) - np.count_nonzero(known))
        outside += int(np.count_nonzero(known) - np.count_nonzero(inside))
        for code, wrong in _faults(claims, part, known, inside, in_year, years):
            if wrong.any():
                faults.setdefault(code, []).append(claims.firm[part][wrong])
        rows = np.flatnonzero(inside)
        rows = start + rows[claims.incurred_fen[part][rows] >= 0]
        firm = claims.firm[rows]
        primary, excess = split_fen(claims, rule, expected, rows, scale)
        np.add.at(sums[0], firm, primary)
        np.add.at(sums[1], firm, excess)
        np.add.at(sums[2], firm, 1)
    problem_of, problems = np.zeros(len(expected), dtype=np.int32), []
    for code in FAULTS:
        if code in faults:
            hit = np.concatenate(faults[code])
            problems.append(problem(code, claims=len(hit)))
            firms = np.unique(hit)
            problem_of[firms[problem_of[firms] == 0]] = len(problems)
    return Actual(sums[0], sums[1], sums[2], problem_of, tuple(problems), unmatched, outside)


def counted(claims: ClaimList, first: Dates, after: Dates, part: slice) -> tuple[Booleans, Booleans]:
    """Return which claims of a slice have a firm, and which happened in its window (one window: the same for all)."""
    firm, day = claims.firm[part], claims.event_date[part]
    known = firm >= 0
    if len(first) == 1:
        return known, known & (day >= first[0]) & (day < after[0])
    at = np.maximum(firm, 0)
    return known, known & (day >= first[at]) & (day < after[at])


def split_fen(
    claims: ClaimList, rule: SplitRule, expected: Floats, rows: Integers, scale: Floats | None
) -> tuple[Integers, Integers]:
    """Return primary and excess of some claims in whole fen, (m,) int64 each; `scale` from `accident_scale`."""
    loss = claims.incurred_fen[rows] / 100
    if scale is not None:
        loss *= scale[rows]
    light = claims.medical_only[rows]
    primary, excess = split_claims(rule, loss, expected[claims.firm[rows]], medical_only=light if light.any() else None)
    whole = np.rint((primary + excess) * 100).astype(np.int64)
    part = np.minimum(np.rint(primary * 100).astype(np.int64), whole)
    return part, whole - part


def accident_scale(claims: ClaimList, rule: SplitRule) -> Floats | None:
    """Return what each claim is multiplied by so that the claims of one accident keep its limit, or None."""
    if rule.accident_limit is None or not len(claims.firm):
        return None
    loss = np.maximum(claims.incurred_fen, 0) / 100
    key = claims.event * (int(claims.firm.max()) + 2) + claims.firm + 1
    _, event = np.unique(key, return_inverse=True)
    total, several = np.bincount(event, loss), np.bincount(event) > 1
    held = several & (total > rule.accident_limit)
    return np.where(held, rule.accident_limit / np.maximum(total, 1e-9), 1.0)[event]


def _faults(
    claims: ClaimList, part: slice, known: Booleans, inside: Booleans, exposed: Booleans | None, years: Sequence[str]
) -> Iterator[tuple[str, Booleans]]:
    """Yield what is wrong with claims, and with which."""
    day = claims.event_date[part]
    yield "RM610", inside & (claims.incurred_fen[part] < 0)
    yield "RM611", inside & (claims.valued[part] < day)
    yield "RM612", known & np.isnat(day)
    if exposed is not None:
        place = np.searchsorted(np.array(years, "datetime64[Y]"), day.astype("datetime64[Y]"))
        safe, at = np.minimum(place, len(years) - 1), np.maximum(claims.firm[part], 0)
        yield "RM613", inside & ~((place < len(years)) & exposed[at, safe])


def carried(amount_fen: npt.ArrayLike, firm: npt.ArrayLike, successor: npt.ArrayLike, share: npt.ArrayLike) -> Integers:
    """Return amounts after mergers and splits: what a firm had goes to its successors by share, to the last fen.

    Parameters
    ----------
    amount_fen : (n,) int64; firm, successor : (m,) int64 places, one row for each part handed over
    share : (m,) float64 in 0..1; those of one firm add up to at most 1, the rest stays

    Raises
    ------
    ModelError
        RM614 shares that exceed 1 or are negative, RM615 a firm that succeeds itself or hands on what it took over.

    Examples
    --------
    >>> carried([100, 0, 7], [0, 0], [1, 2], [0.5, 0.25]).tolist()
    [25, 50, 32]
    """
    amount = np.asarray(amount_fen, dtype=np.int64)
    old, new = np.asarray(firm, dtype=np.int64), np.asarray(successor, dtype=np.int64)
    part = np.asarray(share, dtype=np.float64)
    given = np.bincount(old, part, minlength=len(amount))
    if (part < 0).any() or (given > 1 + 1e-12).any():
        raise ModelError(problem("RM614"))
    if (old == new).any() or np.isin(new, old).any():
        raise ModelError(problem("RM615"))
    order = np.lexsort((new, old))
    old, new, part = old[order], new[order], part[order]
    before = np.cumsum(part) - part
    start = before[np.searchsorted(old, old)]  # cumulative shares within a firm, so that rounded parts add up
    low, high = np.rint((before - start) * amount[old]), np.rint((before - start + part) * amount[old])
    moved = (high - low).astype(np.int64)
    made = amount.copy()
    np.subtract.at(made, old, moved)
    np.add.at(made, new, moved)
    return made
