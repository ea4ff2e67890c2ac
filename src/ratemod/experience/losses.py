"""A claims list to each firm's actual losses: windows, valuation, accidents, who takes over whose record.

Firms are coded once through Arrow; everything after that is whole-array sums by integer key. Amounts are whole fen,
so that sums are
exact and free of the order of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    row : (m,) int64, claims that counted; claim_primary_fen, claim_excess_fen : (m,) int64
    problem_of : (n,) int32, 0: fine, j: problems[j − 1] refuses the firm
    problems : reasons
    unmatched : claims of no firm; outside : claims out of their firm's window
    """

    primary_fen: Integers
    excess_fen: Integers
    claims: Integers
    row: Integers
    claim_primary_fen: Integers
    claim_excess_fen: Integers
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
    refused
    with the reason; the others are not touched.

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
    n = len(expected)
    known = claims.firm >= 0
    at = np.maximum(claims.firm, 0)
    inside = known & (claims.event_date >= first[at]) & (claims.event_date < after[at])
    faults = [
        ("RM610", inside & (claims.incurred_fen < 0)),
        ("RM611", inside & (claims.valued < claims.event_date)),
        ("RM612", inside & np.isnat(claims.event_date)),
    ]
    faults.append(("RM612", known & np.isnat(claims.event_date)))
    if exposed is not None:
        faults.append(("RM613", inside & ~_in_exposed_year(claims, at, np.asarray(exposed, dtype=bool), years)))
    problem_of, problems = np.zeros(n, dtype=np.int32), []
    for code, wrong in faults:
        if wrong.any():
            problems.append(problem(code, claims=int(wrong.sum())))
            firms = np.unique(claims.firm[wrong])
            problem_of[firms[problem_of[firms] == 0]] = len(problems)
    row = np.flatnonzero(inside & (claims.incurred_fen >= 0))
    firm = claims.firm[row]
    primary, excess = _split(claims, row, rule, expected)
    return Actual(
        _sum(firm, primary, n),
        _sum(firm, excess, n),
        np.bincount(firm, minlength=n),
        row,
        primary,
        excess,
        problem_of,
        tuple(problems),
        int((~known).sum()),
        int((known & ~inside).sum()),
    )


def _in_exposed_year(claims: ClaimList, at: Integers, exposed: Booleans, years: Sequence[str]) -> Booleans:
    year = claims.event_date.astype("datetime64[Y]")
    place = np.searchsorted(np.array(years, "datetime64[Y]"), year)
    safe = np.minimum(place, len(years) - 1)
    return np.asarray((place < len(years)) & exposed[at, safe])


def _split(claims: ClaimList, row: Integers, rule: SplitRule, expected: Floats) -> tuple[Integers, Integers]:
    """Return primary and excess of the counted claims in fen; several claims of one accident within its limit."""
    loss = claims.incurred_fen[row] / 100
    if rule.accident_limit is not None and len(row):
        _, event = np.unique(claims.event[row] * (int(claims.firm.max()) + 1) + claims.firm[row], return_inverse=True)
        total = np.bincount(event, loss)
        several = np.bincount(event) > 1
        scale = np.where(several & (total > rule.accident_limit), rule.accident_limit / np.maximum(total, 1e-9), 1.0)
        loss = loss * scale[event]
    primary, excess = split_claims(rule, loss, expected[claims.firm[row]], medical_only=claims.medical_only[row])
    whole = np.rint((primary + excess) * 100).astype(np.int64)
    part = np.minimum(np.rint(primary * 100).astype(np.int64), whole)
    return part, whole - part


def _sum(firm: Integers, amount: Integers, n: int) -> Integers:
    """Return exact sums by firm: below 2⁵³ fen a float64 holds every integer."""
    return np.rint(np.bincount(firm, amount.astype(np.float64), minlength=n)).astype(np.int64)


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
