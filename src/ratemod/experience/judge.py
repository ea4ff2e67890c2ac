"""Does a scheme tell good from bad? The tests that bureaus put their plans to, for any scheme that gives mods.

A scheme is a vector of mods; what it rests on does not matter here. Ratios are actual to expected losses of the
period *after* the
experience.
Source: Dorweiler, *A survey of risk credibility in experience rating*, PCAS 21 (1934); Meyers, *An analysis of
experience rating*, PCAS 72
(1985) (efficiency); Venter, *Experience rating – equity and predictive accuracy*, 1987 (quintile test).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.document.result import Result
from ratemod.errors import ModelError, problem
from ratemod.experience.panel import numbers, same_shape
from ratemod.experience.split import SplitRule, split_claims, split_mod
from ratemod.rules.floats import floats, in_a_row
from ratemod.rules.options import strict
from ratemod.rules.within import Amount, Factor, Limit, Share

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Judgement(Result):
    """A scheme judged on the period after.

    Attributes
    ----------
    before, after : (g,) float64, loss ratio of groups of ascending mod, to expected and to modified losses, overall 1
    mod : (g,) float64, mean mod of the groups
    spread_before, spread_after : float, weighted variance of the group ratios: after should be near 0, before not
    efficiency : share of the squared error of the loss ratios that the mods take away; negative: worse than no mods
    """

    before: Floats
    after: Floats
    mod: Floats
    spread_before: float
    spread_after: float
    efficiency: float


def judge(mod: npt.ArrayLike, next_expected: npt.ArrayLike, next_actual: npt.ArrayLike, groups: int = 5) -> Judgement:
    """Judge a scheme by quantile groups and by efficiency.

    Parameters
    ----------
    mod : (n,) float64 > 0; next_expected, next_actual : (n,) float64, yuan, of the period after
    groups : of equal expected losses, in order of the mods; equal mods stay together as far as they can

    Raises
    ------
    ModelError
        RM600 amounts that cannot be, RM621 nothing expected or no losses.

    Examples
    --------
    >>> found = judge([0.5, 0.5, 1.5, 1.5], [1.0] * 4, [0.5, 0.5, 1.5, 1.5], groups=2)
    >>> found.before.tolist(), found.after.tolist(), round(found.efficiency, 6)
    ([0.5, 1.5], [1.0, 1.0], 1.0)
    """
    named = {"mod": mod, "next_expected": next_expected, "next_actual": next_actual}
    m, e, x = (np.atleast_1d(floats(name, part)) for name, part in named.items())
    same_shape(mod=m, next_expected=e, next_actual=x)
    if not all((np.isfinite(part) & (part >= 0)).all() for part in (m, e, x)) or not (m > 0).all():
        raise ModelError(problem("RM600"))
    if e.sum() <= 0 or x.sum() <= 0:
        raise ModelError(problem("RM621", why="0"))
    m = m * e.sum() / (m @ e)
    x = x * e.sum() / x.sum()
    order = np.argsort(m, kind="stable")
    place = np.minimum((np.cumsum(e[order]) - e[order] / 2) / e.sum() * groups, groups - 1e-9).astype(np.int64)
    group = np.empty(len(m), dtype=np.int64)
    group[order] = place
    awaited, modified, actual = (
        np.bincount(group, part, minlength=groups).astype(np.float64) for part in (e, e * m, x)
    )
    awaited, modified = np.maximum(awaited, 1e-300), np.maximum(modified, 1e-300)
    before, after = actual / awaited, actual / modified
    ratio = np.divide(x, e, out=np.zeros_like(x), where=e > 0)
    spread = float(e @ (ratio - 1) ** 2)
    return Judgement(
        before,
        after,
        modified / awaited,
        _spread(before, awaited),
        _spread(after, modified),
        1 - float(e @ (ratio - m) ** 2) / spread if spread > 0 else float("nan"),
    )


def _spread(ratio: Floats, weight: Floats) -> float:
    mean = float(weight @ ratio / weight.sum())
    return float(weight @ (ratio - mean) ** 2 / weight.sum())


@strict
def sensitivity(rule: SplitRule, expected: npt.ArrayLike, d_ratio: Share, claim_yuan: Factor) -> Floats:
    """Return what one claim more adds to the mod of a firm whose record was as expected, by size, (n,) float64.

    Parameters
    ----------
    rule : SplitRule; expected : (n,) float64, expected losses, yuan; d_ratio : expected primary share
    claim_yuan : the claim

    Examples
    --------
    >>> from ratemod.experience.split_rules import illustrative
    >>> sensitivity(illustrative(), [30_000.0, 300_000.0], 0.43, 100_000.0).round(3).tolist()
    [0.6, 0.152]
    """
    e = floats("expected", expected)
    in_a_row(expected=e)
    primary, excess = split_claims(rule, np.full(len(e), claim_yuan), e)
    own, rest = e * d_ratio, e * (1 - d_ratio)
    return split_mod(rule, own + primary, rest + excess, e, own).mod - split_mod(rule, own, rest, e, own).mod


@strict
def off_balance(
    mod: npt.ArrayLike,
    weight: npt.ArrayLike,
    *,
    least: Amount | None = None,
    most: Limit | None = None,
    target: Factor = 1.0,
) -> float:
    """Return the factor on mods, taken before their bounds, that makes the bounded ones average to a target.

    Parameters
    ----------
    mod : (n,) float64, unbounded; weight : (n,) float64, expected losses or premium
    least, most : bounds in force on factor × mod; target : weighted average wanted

    Raises
    ------
    ModelError
        RM622 when the bounds do not let the average reach the target.

    Examples
    --------
    >>> round(off_balance([0.8, 1.0, 3.0], [1.0, 1.0, 1.0], most=1.5), 4)
    0.8333
    """
    from scipy.optimize import brentq

    m, w = np.atleast_1d(numbers("mod", mod, low=0)), np.atleast_1d(numbers("weight", weight, low=0))
    same_shape(mod=m, weight=w)

    def miss(log_factor: float) -> float:
        bounded = (
            np.clip(np.exp(log_factor) * m, least, most) if (least, most) != (None, None) else np.exp(log_factor) * m
        )
        return float(w @ bounded / w.sum()) - target

    if miss(-20) > 0 or miss(20) < 0:
        raise ModelError(problem("RM622", least=f"{miss(-20) + target:.4f}", most=f"{miss(20) + target:.4f}"))
    return float(np.exp(brentq(miss, -20, 20, xtol=1e-12)))
