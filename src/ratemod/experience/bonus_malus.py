"""Bonus–malus systems: levels that a firm climbs by claims and descends by claim-free years, judged before adoption.

A system is data: a relativity for every level (level 0 the best) and, for every number of claims of a year, the level
that follows. With Poisson claims of frequency λ the levels are a Markov chain; its stationary distribution π(λ) says
where firms end up, and

    mean premium  b(λ) = Σ_l π_l(λ) r_l          efficiency  η(λ) = λ b'(λ) / b(λ)     (Loimaranta's elasticity)

1 is the efficiency of a premium in proportion to risk, 0 of one that takes no notice of it.

Sources: Loimaranta, "Some asymptotic properties of bonus systems", ASTIN Bulletin 6, 1972; Lemaire, *Bonus–Malus
Systems in Automobile Insurance*, 1995; Denuit, Maréchal, Pitrebois & Walhin, *Actuarial Modelling of Claim Counts*,
2007, ch. 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ratemod.document.result import Result
from ratemod.errors import ModelError, problem
from ratemod.experience.panel import Floats, Integers, numbers, refuse, whole
from ratemod.rules.floats import in_a_row
from ratemod.rules.options import strict
from ratemod.rules.within import Amount, Whole

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class BonusMalus:
    """A bonus–malus system.

    Attributes
    ----------
    relativities : (levels,) float64, premium of each level as a factor of the base; level 0 is the best
    moves : (counts, levels) int64, the level that follows 0, 1, ... claims; the last row holds for that many or more
    start : level of a new firm
    """

    relativities: Floats
    moves: Integers
    start: int

    def frame(self) -> pd.DataFrame:
        """Return one row a level, the best first: relativity, and the level that follows 0, 1, … claims.

        Examples
        --------
        >>> bonus_malus([0.5, 1.0, 1.5]).frame()["after_0"].tolist()
        [0, 0, 1]
        """
        import pandas as pd

        after = {f"after_{claims}": row for claims, row in enumerate(self.moves)}
        return pd.DataFrame({"level": np.arange(len(self.relativities)), "relativity": self.relativities, **after})

    def __repr__(self) -> str:
        return f"BonusMalus({len(self.relativities)} levels; start {self.start})"


@dataclass(frozen=True, slots=True, repr=False)
class SystemJudgement(Result):
    """A system at one or more frequencies; arrays (frequencies, ...).

    Attributes
    ----------
    frequency : (k,) float64, claims per year
    stationary : (k, levels) share of firms at each level in the long run
    mean_premium : (k,) mean relativity in the long run
    efficiency : (k,) Loimaranta's elasticity
    variation : (k,) coefficient of variation of a firm's premium over the years, in the long run
    relative_level : (k,) (mean − least) / (most − least) relativity: 0 where all sit at the bottom
    pace : (k,) modulus of the second eigenvalue: what remains after a year of the distance to the long run
    """

    frequency: Floats
    stationary: Floats
    mean_premium: Floats
    efficiency: Floats
    variation: Floats
    relative_level: Floats
    pace: Floats


@strict
def bonus_malus(
    relativities: npt.ArrayLike,
    *,
    down: Whole = 1,
    up: Whole | None = 2,
    moves: Sequence[npt.ArrayLike] | None = None,
    start: Whole | None = None,
) -> BonusMalus:
    """Return a bonus–malus system.

    Parameters
    ----------
    relativities : (levels,) float64, positive, best level first
    down : levels descended after a claim-free year
    up : levels climbed for each claim; 0: a claim moves nobody, None: any claim leads to the worst level
    moves : instead of `down` and `up`: for 0, 1, ... claims the level that follows each level, (levels,) each
    start : level of a new firm, default the worst

    Returns
    -------
    BonusMalus

    Raises
    ------
    ModelError
        RM641, RM642, RM655; RM656 fewer than two levels, no moves, or a row of moves of another length.

    Examples
    --------
    >>> bonus_malus([0.5, 0.7, 1.0, 1.4], down=1, up=2).moves.tolist()
    [[0, 0, 1, 2], [2, 3, 3, 3], [3, 3, 3, 3]]
    """
    factors = numbers("relativities", relativities, low=float(np.nextafter(0, 1)))
    levels = factors.size
    if factors.ndim != 1 or levels < 2:
        raise ModelError(problem("RM656", found=str(factors.shape)))
    here = np.arange(levels)
    if moves is not None:
        rows = [whole(f"moves[{at}]", row, low=0, high=levels - 1) for at, row in enumerate(moves)]
        shapes = [row.shape for row in rows] or [(0,)]
        refuse(problem("RM656", found=str(shape)) for shape in shapes if shape != (levels,))
    else:
        whole("down", [down], low=1, high=levels)
        climb = levels if up is None else int(whole("up", [up], low=0, high=levels)[0])
        most = -(-(levels - 1) // climb) if climb else 1
        rows = [np.maximum(here - down, 0)] + [np.minimum(here + climb * n, levels - 1) for n in range(1, most + 1)]
    first = int(whole("start", levels - 1 if start is None else start, low=0, high=levels - 1))
    return BonusMalus(factors, np.stack(rows).astype(np.int64), first)


def transition_matrix(system: BonusMalus, frequency: npt.ArrayLike) -> Floats:
    """Return the chance of every level after every level for Poisson claims, (..., levels, levels); rows add up to 1.

    Parameters
    ----------
    system : BonusMalus; frequency : float64 of any shape, claims per year, at least 0

    Examples
    --------
    >>> transition_matrix(bonus_malus([0.5, 1.0]), 0.0).tolist()
    [[1.0, 0.0], [1.0, 0.0]]
    """
    return _spread(system, _chances(frequency, len(system.moves)))


def stationary(system: BonusMalus, frequency: npt.ArrayLike) -> Floats:
    """Return the shares of the levels in the long run, (..., levels).

    Examples
    --------
    >>> stationary(bonus_malus([1, 2, 3, 4, 5, 6.0]), 0.1).round(6).tolist()
    [0.782901, 0.082338, 0.090998, 0.022278, 0.016387, 0.005097]
    """
    matrix = transition_matrix(system, frequency)
    return _solve(matrix, np.zeros(matrix.shape[:-1]), 1.0)


def judge_system(system: BonusMalus, frequency: npt.ArrayLike) -> SystemJudgement:
    """Return how a system treats firms of each frequency in the long run (formulas: top of this module).

    Parameters
    ----------
    system : BonusMalus; frequency : (k,) or one float64 >= 0, claims a year

    Raises
    ------
    ModelError
        RM641, RM642 for frequencies that are none; RM837 for a table of them.

    Examples
    --------
    >>> found = judge_system(bonus_malus([0.5, 0.6, 0.8, 1.0, 1.3, 1.7]), [0.05, 0.2])
    >>> found.mean_premium.round(3).tolist(), found.efficiency.round(3).tolist()
    ([0.526, 0.688], [0.062, 0.425])
    """
    each = np.atleast_1d(numbers("frequency", frequency, low=0))
    in_a_row(frequency=each)
    r = system.relativities
    matrix = transition_matrix(system, each)
    pi = _solve(matrix, np.zeros((len(each), len(r))), 1.0)
    change = _spread(system, _chances_slope(each, len(system.moves)))
    slope = _solve(matrix, np.einsum("ki,kij->kj", pi, change), 0.0)  # π'(I − P) = π P', Σ π' = 0
    mean = pi @ r
    variance = np.einsum("kl,kl->k", pi, (r - mean[:, None]) ** 2)
    modulus = np.sort(np.abs(np.linalg.eigvals(matrix)), axis=-1)[:, -2]
    span = np.ptp(r)
    return SystemJudgement(
        frequency=each,
        stationary=pi,
        mean_premium=mean,
        efficiency=each * (slope @ r) / mean,
        variation=np.sqrt(variance) / mean,
        relative_level=(mean - r.min()) / span if span > 0 else np.zeros(len(each)),
        pace=modulus,
    )


@strict
def premium_path(system: BonusMalus, frequency: Amount, years: Whole, start: npt.ArrayLike | None = None) -> Floats:
    """Return the mean relativity in years 0 .. `years` of firms that begin with the shares `start`, (years + 1,).

    Parameters
    ----------
    system, frequency, years
    start : (levels,) shares, default all at the level of a new firm

    Examples
    --------
    >>> premium_path(bonus_malus([0.5, 1.0, 1.5]), 0.1, 3).round(3).tolist()
    [1.5, 1.048, 0.638, 0.638]
    """
    shares = _start(system, start)
    matrix = transition_matrix(system, frequency)
    found = [shares @ system.relativities]
    for _ in range(years):
        shares = shares @ matrix
        found.append(shares @ system.relativities)
    return np.array(found)


@strict
def distance_path(system: BonusMalus, frequency: Amount, years: Whole, start: npt.ArrayLike | None = None) -> Floats:
    """Return the total variation Σ_l |share − long-run share| after 0 .. `years` years, (years + 1,); 0 is arrival.

    Examples
    --------
    >>> distance_path(bonus_malus([0.5, 1.0, 1.5]), 0.1, 3).round(3).tolist()
    [1.81, 1.637, 0.0, 0.0]
    """
    shares, goal = _start(system, start), stationary(system, frequency)
    matrix = transition_matrix(system, frequency)
    found = [np.abs(shares - goal).sum()]
    for _ in range(years):
        shares = shares @ matrix
        found.append(np.abs(shares - goal).sum())
    return np.array(found)


def evolve(system: BonusMalus, claims: npt.ArrayLike, start: npt.ArrayLike | None = None) -> npt.NDArray[np.int8]:
    """Return the levels of firms through the years, (firms, years + 1) int8: before the first year, ... after the last.

    Parameters
    ----------
    system : BonusMalus of at most 127 levels
    claims : (firms, years) whole numbers, oldest year first; -1 for a year without insurance, in which the level stays
    start : (firms,) levels, default the level of a new firm

    Raises
    ------
    ModelError
        RM640, RM642, RM655.

    Examples
    --------
    >>> evolve(bonus_malus([0.5, 0.7, 1.0, 1.4]), [[0, 0, 1, 0], [0, -1, 2, 0]]).tolist()
    [[3, 2, 1, 3, 2], [3, 2, 2, 3, 2]]
    """
    count = whole("claims", claims, low=-1, high=2**31)
    if count.ndim != 2:
        raise ModelError(
            problem("RM640", name="claims", found=str(count.shape), first="panel", expected="(firms, years)")
        )
    levels = len(system.relativities)
    first = whole("start", np.full(len(count), system.start) if start is None else start, low=0, high=levels - 1)
    if first.shape != (len(count),):
        raise ModelError(
            problem("RM640", name="start", found=str(first.shape), first="claims", expected=f"({len(count)},)")
        )
    table = np.concatenate([system.moves, [np.arange(levels)]]).astype(np.int8)  # row -1: the level stays
    found = np.empty((count.shape[1] + 1, len(count)), dtype=np.int8)
    found[0] = first
    for year in range(count.shape[1]):
        row = np.minimum(count[:, year], len(system.moves) - 1)
        found[year + 1] = table[row, found[year]]
    return found.T


def _chances(frequency: npt.ArrayLike, counts: int) -> Floats:
    """Return Poisson chances of 0, 1, ... claims, the last of that many or more, (..., counts)."""
    mean = numbers("frequency", frequency, low=0)[..., None]
    n = np.arange(1, counts)
    ratio = np.concatenate([np.ones_like(mean), mean / n], axis=-1)
    exact = np.exp(-mean) * np.cumprod(ratio, axis=-1)[..., : counts - 1]
    return np.concatenate([exact, np.maximum(1 - exact.sum(axis=-1, keepdims=True), 0.0)], axis=-1)


def _chances_slope(frequency: Floats, counts: int) -> Floats:
    """Return the slopes in the frequency of `_chances`: p(n−1) − p(n), and p(counts − 2) for the last."""
    exact = _chances(frequency, counts)[..., : counts - 1]
    before = np.concatenate([np.zeros_like(exact[..., :1]), exact], axis=-1)
    slope: Floats = before - np.concatenate([exact, np.zeros_like(exact[..., :1])], axis=-1)
    return slope


def _spread(system: BonusMalus, chances: Floats) -> Floats:
    """Return Σ_n chance_n × the 0/1 matrix of the moves after n claims."""
    levels = len(system.relativities)
    found = np.zeros((*chances.shape[:-1], levels, levels))
    for n, row in enumerate(system.moves):
        found[..., np.arange(levels), row] += chances[..., n, None]
    return found


def _solve(matrix: Floats, right: Floats, total: float) -> Floats:
    """Return x with x(I − P) = right and Σ x = total: the last equation follows from the others and gives way to it."""
    levels = matrix.shape[-1]
    system = np.swapaxes(np.eye(levels) - matrix, -1, -2).copy()
    system[..., -1, :] = 1.0
    given = right.copy()
    given[..., -1] = total
    try:
        found: Floats = np.asarray(np.linalg.solve(system, given[..., None])[..., 0], dtype=np.float64)
    except np.linalg.LinAlgError:
        raise ModelError(problem("RM657")) from None
    return found


def _start(system: BonusMalus, start: npt.ArrayLike | None) -> Floats:
    levels = len(system.relativities)
    if start is None:
        start = np.arange(levels) == system.start
    shares = numbers("start", start, low=0, high=1)
    if shares.shape != (levels,):
        raise ModelError(
            problem("RM640", name="start", found=str(shares.shape), first="system", expected=f"({levels},)")
        )
    scaled: Floats = shares / shares.sum()
    return scaled
