"""Optimal relativities of a bonus–malus system (Norberg): what each level should pay, given who ends up there.

Firms belong to classes k with share w_k and expected frequency λ_k, and have a hidden risk Θ, gamma with mean 1 and
shape a. In the long run a firm stands at level l with chance π_l(λ_k Θ). The relativity nearest to the risk in mean
square is

    r_l = Σ_k w_k ∫ θ π_l(λ_k θ) dF(θ) / Σ_k w_k ∫ π_l(λ_k θ) dF(θ) = E[Θ | level l]

Where the premium is λ_k·r_l, what counts is the error in money, (λΘ − λ r)²: every class then weighs with λ_k². Those
relativities need not average 1; the balanced ones do, by a Lagrange term.

Sources: Norberg, "A credibility theory for automobile bonus systems", 1976; Pitrebois, Denuit & Walhin, "Setting a
bonus–malus scale in the presence of other rating factors", 2003; *Loss Data Analytics* (open text), ch. 12.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.document.result import Result
from ratemod.experience.bonus_malus import BonusMalus, stationary
from ratemod.experience.panel import Floats, numbers, same_shape
from ratemod.rules.options import strict
from ratemod.rules.within import Factor

NODES = 120  # of the quadrature; π_l(λθ) is smooth, so that these give eight digits in the published example


@dataclass(frozen=True, slots=True, repr=False)
class OptimalRelativities(Result):
    """Relativities (levels,) by three criteria, and the share of firms at each level in the long run.

    Attributes
    ----------
    share : share of firms; mean_risk : E[Θ | level], averaging 1
    by_money : least mean square error of the premium; balanced : the same among those that average 1
    """

    share: Floats
    mean_risk: Floats
    by_money: Floats
    balanced: Floats


@strict
def optimal_relativities(
    system: BonusMalus, frequency: npt.ArrayLike, weight: npt.ArrayLike, shape: Factor
) -> OptimalRelativities:
    """Return the optimal relativities of a system's levels.

    Parameters
    ----------
    system : BonusMalus (its own relativities are not used)
    frequency, weight : (classes,) float64, expected claims per year and share of firms; weights are scaled to 1
    shape : a of the hidden risk; 1/a is its variance

    Returns
    -------
    OptimalRelativities

    Raises
    ------
    ModelError
        RM640, RM641, RM642.

    Examples
    --------
    >>> from ratemod.experience.bonus_malus import bonus_malus
    >>> found = optimal_relativities(bonus_malus([1, 1, 1, 1.0]), [0.1], [1.0], 1.5)
    >>> found.mean_risk.round(3).tolist(), round(float(found.share @ found.mean_risk), 9)
    ([0.855, 1.455, 1.542, 2.131], 1.0)
    """
    each, w = numbers("frequency", frequency, low=0), numbers("weight", weight, low=0)
    same_shape(frequency=each, weight=w)
    a = float(shape)
    w = w / w.sum()
    theta, mass = _gamma_quadrature(a)
    at = stationary(system, each[:, None] * theta)  # (classes, nodes, levels)
    share = np.einsum("k,t,ktl->l", w, mass, at)
    risk = np.einsum("k,t,ktl->l", w, mass * theta, at)
    money = np.einsum("k,t,ktl->l", w * each**2, mass, at)
    money_risk = np.einsum("k,t,ktl->l", w * each**2, mass * theta, at)
    by_money = money_risk / money
    push = (1 - share @ by_money) / (share @ (share / money))
    return OptimalRelativities(share, risk / share, by_money, by_money + push * share / money)


def _gamma_quadrature(shape: float) -> tuple[Floats, Floats]:
    """Return nodes and probabilities of Gauss's quadrature for a gamma of mean 1, by the eigenvectors of its Jacobi
    matrix (Golub & Welsch 1969): the probabilities come out normalised, so that no gamma function can overflow.
    """
    from scipy.linalg import eigh_tridiagonal

    i = np.arange(NODES, dtype=np.float64)
    node, vector = eigh_tridiagonal(2 * i + shape, np.sqrt(i[1:] * (i[1:] + shape - 1)))
    return np.asarray(np.maximum(node, 0.0) / shape), np.asarray(vector[0] ** 2)
