"""Which experience plan? Schemes calibrated on one history and judged on the year after, all alike.

A scheme learns from earlier years, rates the record before the last year with bounds in force and revenue neutral, and
is judged on the last year, which it has not seen: quintile test, efficiency, Gini, and what one claim does to firms
of each size.
Source: as `ratemod.experience.judge`; Lorenz curves ordered by the mod: Frees, Meyers & Cummings, 2011.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, nearest, problem
from ratemod.experience.firm_years import FirmYears, firm_years
from ratemod.experience.judge import Judgement, judge, off_balance
from ratemod.experience.methods import SCHEMES
from ratemod.experience.scheme_fits import FittedScheme
from ratemod.rules.options import strict
from ratemod.rules.within import Amount, Count, Factor, Limit

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
SIZES = ("small", "medium", "large")


@dataclass(frozen=True, eq=False, slots=True)
class SchemeResult:
    """One scheme, judged.

    Attributes
    ----------
    fitted : FittedScheme; off_balance : factor that makes the bounded mods revenue neutral
    mod : (n,) float64, bounded, of the firms judged
    all, by_size : Judgement of all firms and of small, medium and large ones (each a third of the expected losses)
    gini : of losses to expected losses in order of the mods
    lorenz : (2, 201) cumulative shares of expected losses and of losses, for a picture
    one_claim : by size, what one claim of `claim_yuan` more adds to the mod, the median firm of each size
    at_bound : share of expected losses at a bound
    """

    fitted: FittedScheme
    off_balance: float
    mod: Floats
    all: Judgement
    by_size: tuple[Judgement, ...]
    gini: float
    lorenz: Floats
    one_claim: Floats
    at_bound: float


@dataclass(frozen=True, eq=False, slots=True)
class SchemeComparison:
    """Schemes beside each other.

    Attributes
    ----------
    results : SchemeResult, in the order asked for
    firms : how many were judged; years : calendar years, the last one judged on
    size_ends : (2,) yearly expected losses that end small and medium firms, yuan
    claim_yuan : the claim of `one_claim`; least, most : bounds of the mods
    limit : most that one claim counts, yuan
    set_aside : rows of the lists that could not be used
    """

    results: tuple[SchemeResult, ...]
    firms: int
    years: tuple[int, ...]
    size_ends: Floats
    claim_yuan: float
    least: float
    most: float
    limit: float
    set_aside: int

    def frame(self) -> pd.DataFrame:
        """Return one row a scheme, the measures as columns."""
        import pandas as pd

        rows = []
        for item in self.results:
            row: dict[str, Any] = {
                "scheme": item.fitted.name,
                "spread_before": item.all.spread_before,
                "spread_after": item.all.spread_after,
                "efficiency": item.all.efficiency,
                "gini": item.gini,
                "lift": item.all.before[-1] / max(item.all.before[0], 1e-12),
            }
            row |= {f"efficiency_{size}": part.efficiency for size, part in zip(SIZES, item.by_size)}
            row |= {f"one_claim_{size}": float(part) for size, part in zip(SIZES, item.one_claim)}
            rows.append(row | {"off_balance": item.off_balance, "at_bound": item.at_bound})
        return pd.DataFrame(rows)

    def quintiles(self) -> pd.DataFrame:
        """Return one row a scheme and fifth of ascending mods: mean mod, loss ratio before and after."""
        import pandas as pd

        parts = [
            pd.DataFrame(
                {
                    "scheme": item.fitted.name,
                    "group": np.arange(1, len(item.all.mod) + 1),
                    "mod": item.all.mod,
                    "before": item.all.before,
                    "after": item.all.after,
                }
            )
            for item in self.results
        ]
        return pd.concat(parts, ignore_index=True)

    def of(self, name: str) -> SchemeResult:
        """Return a scheme's result.

        Raises
        ------
        ModelError
            RM648 a scheme that was not compared.
        """
        for item in self.results:
            if item.fitted.name == name:
                return item
        known = ", ".join(item.fitted.name for item in self.results)
        raise ModelError(problem("RM648", name="scheme", value=name, known=known))


@strict
def compare_schemes(
    policies: Any,
    claims: Any = None,
    *,
    schemes: Sequence[str] = tuple(SCHEMES),
    window: Count = 3,
    least: Amount = 0.6,
    most: Limit = 2.0,
    claim_yuan: Factor = 100_000.0,
    limit: Limit = 500_000.0,
) -> SchemeComparison:
    """Calibrate schemes on a history and judge them on its last year.

    Parameters
    ----------
    policies, claims : the history, as `firm_years` takes it; or a FirmYears alone
    schemes : names of `SCHEMES`
    window : years of record that a mod rests on; the history needs two more
    least, most : bounds of the mods; the off-balance is solved with them in force
    claim_yuan : the claim whose effect is shown; limit : most that one claim counts

    Returns
    -------
    SchemeComparison

    Raises
    ------
    ModelError
        RM621 too few years or nothing to learn from, RM648 an unknown scheme.

    Notes
    -----
    Years 1 to T−2 teach: the record is their last `window` years, the year T−1 its outcome. Years T−window to T−1 are
    then rated and year T judges. Class rates come from years 1 to T−1.

    Examples
    --------
    >>> import ratemod as rm
    >>> province = rm.synthesize(enterprises=4_000, years=5, seed=3)
    >>> found = compare_schemes(province.table("panel"), province.table("claims"), schemes=["merit", "split"])
    >>> found.frame()["scheme"].tolist(), found.years
    (['merit', 'split'], (2021, 2022, 2023, 2024, 2025))
    """
    for name in schemes:
        if name not in SCHEMES:
            hint = nearest(name, SCHEMES)
            raise ModelError(problem("RM648", name="scheme", value=name, known=hint or ", ".join(SCHEMES)))
    history = policies if isinstance(policies, FirmYears) else firm_years(policies, claims, limit=limit)
    count = len(history.years)
    if count < window + 2:
        raise ModelError(problem("RM621", why=f"{count} years for a window of {window}"))
    history = history.expecting(count - 1)
    past, then = history.between(count - 2 - window, count - 2), history.between(count - 2, count - 1)
    record, last = history.between(count - 1 - window, count - 1), history.between(count - 1, count)
    judged = np.flatnonzero((last.expected[:, 0] > 0) & (record.expected.sum(axis=1) > 0))
    if len(judged) < 10 or last.loss[judged].sum() <= 0 or past.loss.sum() <= 0:
        raise ModelError(problem("RM621", why=f"{len(judged)} firms"))
    size, ends = _sizes(record.expected.sum(axis=1)[judged] / window)
    results = [
        _judged(SCHEMES[name](past, then), record, last, judged, size, (least, most, claim_yuan)) for name in schemes
    ]
    return SchemeComparison(
        tuple(results), len(judged), history.years, ends, claim_yuan, least, most, history.limit, history.set_aside
    )


def _sizes(yearly: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return small 0, medium 1, large 2, each with a third of the expected losses, and where they end."""
    order = np.argsort(yearly, kind="stable")
    share = np.cumsum(yearly[order]) / yearly.sum()
    size = np.empty(len(yearly), dtype=np.int64)
    size[order] = np.minimum((share * 3 - 1e-9).astype(np.int64), 2)
    return size, np.array([yearly[size == at].max(initial=0.0) for at in (0, 1)])


def _judged(
    fitted: FittedScheme,
    record: FirmYears,
    last: FirmYears,
    judged: npt.NDArray[np.int64],
    size: npt.NDArray[np.int64],
    told: tuple[float, float, float],
) -> SchemeResult:
    """Return one scheme's result."""
    least, most, claim_yuan = told
    e, x = last.expected[judged, 0], last.loss[judged, 0]
    plain = fitted.mod(record)[judged]
    factor = off_balance(plain, e, least=least, most=most)
    mod = np.clip(factor * plain, least, most)
    more = np.clip(factor * fitted.mod(record.with_claim(claim_yuan))[judged], least, most)
    parts = []
    for at in range(len(SIZES)):
        own = size == at
        parts.append(judge(mod[own], e[own], x[own]))
    curve = lorenz(mod, x, e)
    shares = np.linspace(0, 1, 201)
    return SchemeResult(
        fitted,
        factor,
        mod,
        judge(mod, e, x),
        tuple(parts),
        float(1 - 2 * np.trapezoid(curve[1], curve[0])),
        np.stack([shares, np.interp(shares, curve[0], curve[1])]),
        np.array([np.median((more - mod)[size == at]) for at in range(len(SIZES))]),
        float(e[(mod <= least) | (mod >= most)].sum() / e.sum()),
    )


def lorenz(mod: Floats, loss: Floats, expected: Floats) -> Floats:
    """Return cumulative shares of expected losses and of losses in order of the mods, (2, k); equal mods together.

    Examples
    --------
    >>> lorenz(np.array([1.0, 0.5]), np.array([3.0, 1.0]), np.array([1.0, 1.0])).tolist()
    [[0.0, 0.5, 1.0], [0.0, 0.25, 1.0]]
    """
    names, place = np.unique(np.round(mod, 9), return_inverse=True)
    sums = [np.bincount(place, part, minlength=len(names)) for part in (expected, loss)]
    return np.stack([np.concatenate([[0.0], np.cumsum(part) / part.sum()]) for part in sums])
