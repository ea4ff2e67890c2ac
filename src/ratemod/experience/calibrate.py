"""Where a plan's numbers come from: expected loss rates, D-ratios, credibilities, ballast and split, out of a history.

With primary and excess losses each believed in their own measure,
    mod = 1 + z_p·(Ap − Ep)/E + z_x·(Ae − Ee)/E,    z_p = E/(E + K_p),  z_x = E/(E + K_x),
which is the split formula with B = K_p and W = (E + K_p)/(E + K_x). K_p and K_x are those whose mods come closest to
the *next*
period's loss ratios, weighted by expected losses.
Source: Mahler, *Credibility and shifting risk parameters*, PCAS 85 (1998); Gillam, *Parametrizing the workers
compensation experience
rating plan*, PCAS 79 (1992).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.experience.panel import numbers, same_shape, whole
from ratemod.experience.parameter import Share
from ratemod.experience.split import SplitRule
from ratemod.rules.floats import in_a_row

Floats = npt.NDArray[np.float64]
HUGE = 1e12


@dataclass(frozen=True, eq=False, slots=True)
class Evidence:
    """What a period said of n firms, and what the next one brought; yuan.

    Attributes
    ----------
    expected, expected_primary, actual_primary, actual_excess : (n,) float64, of the experience period
    next_expected, next_actual : (n,) float64, of the period that the mods are for
    """

    expected: Floats
    expected_primary: Floats
    actual_primary: Floats
    actual_excess: Floats
    next_expected: Floats
    next_actual: Floats


@dataclass(frozen=True, slots=True)
class SplitFit:
    """Estimated credibilities.

    Attributes
    ----------
    split : float, yuan
    k_primary, k_excess : float, yuan; infinite where that part predicts nothing
    efficiency : share of the squared error of the next period's loss ratios that the mods take away
    """

    split: float
    k_primary: float
    k_excess: float
    efficiency: float

    def rule(self, **more: object) -> SplitRule:
        """Return the split plan of this fit; further parameters as in `SplitRule`.

        Examples
        --------
        >>> SplitFit(50_000.0, 60_000.0, 600_000.0, 0.1).rule(places=3).ballast
        60000.0
        """
        kp, kx = min(self.k_primary, HUGE), min(self.k_excess, HUGE)

        return SplitRule("calibrated", "calibrated on a history", self.split, Share(kp, kx), 1.0, kp, **more)  # type: ignore[arg-type]


def loss_rates(
    group: npt.ArrayLike, exposure: npt.ArrayLike, loss: npt.ArrayLike, primary: npt.ArrayLike, groups: int
) -> tuple[Floats, Floats]:
    """Return expected loss rates and D-ratios by group: Σ loss/Σ exposure and Σ primary/Σ loss, (groups,) float64.

    A group without exposure has rate NaN; one without losses takes the D-ratio of all.

    Parameters
    ----------
    group : (n,) whole numbers 0..groups-1; exposure, loss, primary : (n,) float64

    Raises
    ------
    ModelError
        RM640..RM642, RM655, RM837 for what is no such list.

    Examples
    --------
    >>> [part.tolist() for part in loss_rates([0, 0, 1], [10, 10, 5], [40, 0, 20], [10, 0, 20], 2)]
    [[2.0, 4.0], [0.25, 1.0]]
    """
    code = whole("group", group, low=0, high=groups - 1)
    given = {"exposure": exposure, "loss": loss, "primary": primary}
    read = {name: numbers(name, part) for name, part in given.items()}
    in_a_row(group=code)
    same_shape(group=code, **read)
    e, x, p = (np.bincount(code, part, minlength=groups) for part in read.values())
    rate = np.divide(x, e, out=np.full(groups, np.nan), where=e > 0)
    overall = float(p.sum() / x.sum()) if x.sum() > 0 else 1.0
    return rate, np.divide(p, x, out=np.full(groups, overall), where=x > 0)


def fit_credibilities(evidence: Evidence, split: float) -> SplitFit:
    """Estimate K of primary and excess losses by what predicts the next period best.

    Parameters
    ----------
    evidence : Evidence with primary losses at this split; split : float, for the record

    Raises
    ------
    ModelError
        RM621 when there is nothing to learn from.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> theta = rng.gamma(2.0, 0.5, 50_000)
    >>> one = np.full(50_000, 4.0)
    >>> first, then = rng.poisson(4 * theta) * 1.0, rng.poisson(4 * theta) * 1.0
    >>> found = fit_credibilities(Evidence(one, one, first, 0 * one, one, then), 1.0)
    >>> 1.8 < found.k_primary < 2.2
    True
    """
    from scipy.optimize import minimize

    used = (evidence.expected > 0) & (evidence.next_expected > 0)
    if used.sum() < 10 or evidence.next_actual[used].sum() <= 0:
        raise ModelError(problem("RM621", why=f"{int(used.sum())} firms"))
    e, ep = evidence.expected[used], evidence.expected_primary[used]
    xp, xe = (evidence.actual_primary[used] - ep) / e, (evidence.actual_excess[used] - (e - ep)) / e
    weight, ratio = evidence.next_expected[used], evidence.next_actual[used] / evidence.next_expected[used]
    ratio = ratio * weight.sum() / (ratio @ weight)  # the level is not the mods' business

    def miss(logs: Floats) -> float:
        kp, kx = np.exp(logs)
        return float(weight @ (ratio - 1 - xp * e / (e + kp) - xe * e / (e + kx)) ** 2)

    scale = float(np.log(np.average(e, weights=weight)))
    found = min(
        (
            minimize(
                miss,
                [scale + a, scale + b],
                method="Nelder-Mead",
                bounds=[(-5, 40), (-5, 40)],
                options={"xatol": 1e-5, "fatol": 1e-9, "maxiter": 2000},
            )
            for a, b in ((0.0, 2.0), (2.0, 6.0))
        ),
        key=lambda tried: tried.fun,
    )
    nothing = float(weight @ (ratio - 1) ** 2)
    kp, kx = (float(np.exp(v)) if v < 30 else float("inf") for v in found.x)
    return SplitFit(split, kp, kx, 1 - float(found.fun) / nothing)


def choose_split(
    points: Sequence[float], evidence_at: Callable[[float], Evidence]
) -> tuple[SplitFit, tuple[SplitFit, ...]]:
    """Return the fit at the split point that predicts best, and all of them.

    Parameters
    ----------
    points : split points, yuan; evidence_at : the evidence with primary losses at a split

    Raises
    ------
    ModelError
        RM621 without points.
    """
    if not points:
        raise ModelError(problem("RM621", why="0 split points"))
    fits = tuple(fit_credibilities(evidence_at(point), point) for point in points)
    return max(fits, key=lambda fit: fit.efficiency), fits
