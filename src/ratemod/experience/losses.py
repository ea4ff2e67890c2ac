"""A claims list to each firm's actual losses: windows, valuation, accidents, who takes over whose record.

Firms are coded once through Arrow; everything after that is whole-array sums by integer key. Amounts are whole fen,
so that sums are
exact and free of the order of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.document.result import Result
from ratemod.errors import ModelError, Problem, problem
from ratemod.experience.parameter import Setting
from ratemod.experience.split import SplitRule
from ratemod.experience.splitter import Splitter, months_before, years_back
from ratemod.rules.floats import floats, in_a_row, truths
from ratemod.rules.options import strict
from ratemod.rules.within import Count, Whole

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Dates = npt.NDArray[np.datetime64]
Booleans = npt.NDArray[np.bool_]
BLOCK = 65_536
NOT_A_DAY = -(2**63)
FAULTS = ("RM610", "RM611", "RM612", "RM613")


@strict
@dataclass(frozen=True, slots=True)
class Window:
    """Which years of experience count for a modification.

    Attributes
    ----------
    years : how many; lag_months : months between the end of the window and the day the mod applies from
    """

    years: Count = 3
    lag_months: Whole = 12

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


@dataclass(frozen=True, eq=False, slots=True)
class ClaimList:
    """Claims as arrays, k of them.

    Attributes
    ----------
    firm : (k,) int64, place of the firm, −1 where it is not among the firms
    event_date : (k,) datetime64[D]; incurred_fen : (k,) int64
    event : (k,) int64, equal for claims of one accident
    valued : (k,) datetime64[D], the day on which the amount stood, NaT where not given; None: nowhere
    medical_only : (k,) bool
    number : (k,) names of the claims, for worksheets
    kind : (k,) int64 place among `kinds`, −1 for none, or None; kinds : names
    state : (k,) int64 place among the states of the exposure list, −1 for none, or None
    code : (k,) text, the code of the firm as the list has it, or None
    wrong : (k,) int32, 0: fine, j: problems[j − 1] is wrong with the claim, or None: all fine; problems : reasons
    """

    firm: Integers
    event_date: Dates
    incurred_fen: Integers
    event: Integers
    valued: Dates | None
    medical_only: Booleans
    number: Any
    kind: Integers | None = None
    kinds: tuple[str, ...] = ()
    state: Integers | None = None
    wrong: npt.NDArray[np.int32] | None = None
    problems: tuple[Problem, ...] = ()
    code: Any = None


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Actual(Result):
    """Actual losses of n firms in their windows.

    Attributes
    ----------
    primary_fen, excess_fen : (n,) int64; claims, lost_time : (n,) int64 counted, all and those that end a free record
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
    lost_time: Integers | None = None


def actual_losses(
    claims: ClaimList,
    rule: SplitRule,
    expected_yuan: npt.ArrayLike | Setting,
    first: Dates,
    after: Dates,
    *,
    exposed: npt.ArrayLike | None = None,
    years: Sequence[str] = (),
    exposed_back: npt.ArrayLike | None = None,
) -> Actual:
    """Return every firm's actual primary and excess losses.

    Parameters
    ----------
    claims : ClaimList; rule : SplitRule
    expected_yuan : (n,) float64, expected losses of each firm, or their Setting, for parameters that depend on them
    first, after : (n,) dates, the firm's window [first, after)
    exposed : (n, y) bool, whether the firm has exposure in each calendar year of `years`; a claim in a year without
        exposure refuses the firm
    years : y calendar years as text
    exposed_back : (n, y) bool, the same by years back from the end of the window

    Returns
    -------
    Actual. A firm with a claim that cannot be (negative, valued before it happened, in a year without exposure) is
    refused with the reason; the others are not touched.

    Raises
    ------
    ModelError
        RM833..RM835, RM837 for arrays of no such shape; RM524 for a claim of a firm that is not there.

    Notes
    -----
    Blocks of claims that fit the cache, added up by integer key: no array of the claims' length is made, unless
    accidents or years of kinds have limits.

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
    where = expected_yuan if isinstance(expected_yuan, Setting) else Setting(floats("expected_yuan", expected_yuan))
    in_a_row(expected_yuan=where.expected, first=first, after=after)
    n = len(where.expected)
    if claims.firm.max(initial=-1) >= n:
        raise ModelError(problem("RM524", name="firm", levels=n))
    splitter = Splitter(claims, rule, where, first, after)
    if len(first) and (first == first[0]).all() and (after == after[0]).all():
        first, after = first[:1], after[:1]
    sums = np.zeros((4, n), dtype=np.int64)
    faults: dict[str, list[Integers]] = {}
    unmatched = outside = 0
    quick = splitter.is_plain and len(first) == 1 and claims.valued is None and exposed is None and exposed_back is None
    in_year = None if exposed is None else _by_year("exposed", exposed, n, len(years))
    in_back = None if exposed_back is None else _by_year("exposed_back", exposed_back, n, None)
    for start in range(0, len(claims.firm), BLOCK):
        part = slice(start, start + BLOCK)
        if quick and (rows := _quick(claims, part, first[0], after[0])) is not None:
            outside += min(BLOCK, len(claims.firm) - start) - len(rows)
            _add_plain(sums, claims, splitter, part, rows)
            continue
        known, inside = counted(claims, first, after, part)
        unmatched += int(len(known) - np.count_nonzero(known))
        outside += int(np.count_nonzero(known) - np.count_nonzero(inside))
        for code, wrong in _faults(claims, part, known, inside, in_year, years, in_back, after):
            if wrong.any():
                faults.setdefault(code, []).append(claims.firm[part][wrong])
        rows = np.flatnonzero(inside)
        fen = claims.incurred_fen[part].take(rows)
        if not len(rows):
            continue
        if fen.min() < 0:
            rows, fen = rows[fen >= 0], fen[fen >= 0]
        firm = claims.firm[part].take(rows)
        primary, excess = splitter.plain(fen) if splitter.is_plain else splitter.of(start + rows)
        np.add.at(sums[0], firm, primary)
        np.add.at(sums[1], firm, excess)
        np.add.at(sums[2], firm, 1)
        if not splitter.is_plain:
            np.add.at(sums[3], firm, splitter.ends_free_record(start + rows).astype(np.int64))
    problem_of, problems = _unusable(claims, n)
    for code in FAULTS:
        if code in faults:
            hit = np.concatenate(faults[code])
            problems.append(problem(code, claims=len(hit)))
            firms = np.unique(hit)
            problem_of[firms[problem_of[firms] == 0]] = len(problems)
    lost_time = sums[2] if splitter.is_plain else sums[3]
    return Actual(sums[0], sums[1], sums[2], problem_of, tuple(problems), unmatched, outside, lost_time)


def _quick(claims: ClaimList, part: slice, first: np.datetime64, after: np.datetime64) -> Integers | None:
    """Return the claims of a slice that are in the one window, or None where any of the slice needs a closer look."""
    day = claims.event_date[part].astype("datetime64[D]", copy=False).view(np.int64)
    if claims.firm[part].min() < 0 or claims.incurred_fen[part].min() < 0 or day.min() == NOT_A_DAY:
        return None
    since = (day - first.astype(np.int64)).view(np.uint64)
    return np.flatnonzero(since < np.uint64(max(int((after - first).astype(np.int64)), 0)))


def _add_plain(sums: Integers, claims: ClaimList, splitter: Splitter, part: slice, rows: Integers) -> None:
    firm = claims.firm[part].take(rows)
    primary, excess = splitter.plain(claims.incurred_fen[part].take(rows))
    np.add.at(sums[0], firm, primary)
    np.add.at(sums[1], firm, excess)
    np.add.at(sums[2], firm, 1)


def rows_of(claims: ClaimList, rows: Integers) -> ClaimList:
    """Return some claims of a list."""
    names = ("firm", "event_date", "incurred_fen", "event", "valued", "medical_only", "kind", "state", "wrong")
    kept = {name: part[rows] for name in names if (part := getattr(claims, name)) is not None}
    if claims.number is not None:
        kept["number"] = (
            claims.number.take(rows) if hasattr(claims.number, "take") else [claims.number[i] for i in rows]
        )
    if claims.code is not None:
        kept["code"] = claims.code.take(rows)
    return replace(claims, **kept)


def as_valued(claims: ClaimList, effective: Dates, months: int) -> ClaimList:
    """Return claims as they stood some months before their firm's mod applies: of each the latest valuation by then.

    Raises
    ------
    ModelError
        RM619 the list has no valuation dates or no numbers.

    Notes
    -----
    A claim that was not valued by then is not known yet. Claims of no firm stay, to be counted.
    """
    if claims.valued is None or claims.number is None:
        name, label = ("valuation_date", "评估日") if claims.valued is None else ("claim_no", "赔案号")
        raise ModelError(problem("RM619", name=name, label=label))
    due = months_before(effective, months)[np.maximum(claims.firm, 0)]
    names = claims.number.to_pylist() if hasattr(claims.number, "to_pylist") else list(claims.number)
    _, number = np.unique(np.array([str(name) for name in names]), return_inverse=True)
    known = np.flatnonzero((claims.firm >= 0) & (claims.valued <= due))
    order = known[np.lexsort((claims.valued[known], number[known], claims.firm[known]))]
    last = np.ones(len(order), dtype=bool)
    last[:-1] = (claims.firm[order[1:]] != claims.firm[order[:-1]]) | (number[order[1:]] != number[order[:-1]])
    undated = (claims.firm >= 0) & np.isnat(claims.valued)
    kept = rows_of(claims, np.sort(np.concatenate([order[last], np.flatnonzero((claims.firm < 0) | undated)])))
    if not undated.any():
        return kept
    wrong = np.zeros(len(kept.firm), dtype=np.int32) if kept.wrong is None else kept.wrong.copy()
    blank = np.isnat(np.asarray(kept.valued, dtype="datetime64[D]"))
    wrong[(wrong == 0) & (kept.firm >= 0) & blank] = len(kept.problems) + 1
    return replace(kept, wrong=wrong, problems=(*kept.problems, problem("RM633")))


def _unusable(claims: ClaimList, n: int) -> tuple[npt.NDArray[np.int32], list[Problem]]:
    """Return the firms refused for claims that could not be read, whenever they happened, and the reasons."""
    problem_of = np.zeros(n, dtype=np.int32)
    if claims.wrong is not None:
        rows = np.flatnonzero((claims.wrong > 0) & (claims.firm >= 0))[::-1]
        problem_of[claims.firm[rows]] = claims.wrong[rows]
    return problem_of, list(claims.problems)


def counted(claims: ClaimList, first: Dates, after: Dates, part: slice) -> tuple[Booleans, Booleans]:
    """Return which claims of a slice have a firm, and which happened in its window (one window: the same for all)."""
    firm, day = claims.firm[part], claims.event_date[part]
    known = firm >= 0
    if len(first) == 1:
        since = day.astype("datetime64[D]", copy=False).view(np.int64) - first[0].astype(np.int64)  # NaT: far off
        inside = since.view(np.uint64) < np.uint64(max((after[0] - first[0]).astype(np.int64), 0))
        return known, inside if known.all() else known & inside
    at = np.maximum(firm, 0)
    return known, known & (day >= first[at]) & (day < after[at])


def _faults(
    claims: ClaimList,
    part: slice,
    known: Booleans,
    inside: Booleans,
    exposed: Booleans | None,
    years: Sequence[str],
    exposed_back: Booleans | None,
    after: Dates,
) -> Iterator[tuple[str, Booleans]]:
    """Yield what is wrong with claims, and with which."""
    day = claims.event_date[part]
    below = claims.incurred_fen[part] < 0
    if below.any():
        yield "RM610", known & below
    if claims.valued is not None:
        yield "RM611", inside & (claims.valued[part] < day)
    yield "RM612", known & np.isnat(day)
    if exposed is not None:
        place = np.searchsorted(np.array(years, "datetime64[Y]"), day.astype("datetime64[Y]"))
        safe, at = np.minimum(place, len(years) - 1), np.maximum(claims.firm[part], 0)
        yield "RM613", inside & ~((place < len(years)) & exposed[at, safe])
    if exposed_back is not None and len(exposed_back):
        at = np.maximum(claims.firm[part], 0)
        back = years_back(day, after[0] if len(after) == 1 else after[at], exposed_back.shape[1])
        yield "RM613", inside & ~exposed_back[at, np.clip(back, 0, exposed_back.shape[1] - 1)]


def _by_year(name: str, values: npt.ArrayLike, firms: int, years: int | None) -> Booleans:
    """Return truths by firm and year."""
    given = truths(name, values)
    if given.ndim != 2 or len(given) != firms or years not in (None, given.shape[1]):
        said = f"{name} {given.shape}, expected_yuan ({firms},)" + (f", years ({years},)" if years is not None else "")
        raise ModelError(problem("RM834", shapes=said))
    return given
