"""Large losses and catastrophes: cap what is large, and spread what was cut off so that nothing is lost.

Each segment keeps Z of its own excess ratio and takes 1−Z of everybody's; one factor then brings the loads back to the
excess that was actually cut off:
    load_s ∝ Z_s·E_s + (1−Z_s)·(ΣE/ΣB)·B_s,   Σ load = ΣE,   B the base (capped losses, exposure or expected losses).
Z comes from the credibility estimators of `experience`.

Source: Werner & Modlin, *Basic Ratemaking*, 5th ed., ch. 6 (extraordinary losses, catastrophe loads).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.document.result import Result
from ratemod.ratemaking.arrays import Floats, fractions, non_negative, positive, same_length
from ratemod.rules.floats import go_together
from ratemod.rules.options import strict
from ratemod.rules.within import Amount


@dataclass(frozen=True, slots=True, repr=False)
class ExcessLoad(Result):
    """Excess losses spread over segments.

    Attributes
    ----------
    load : (s,) float64, unit of the losses; adds up to the excess losses
    rate : (s,) float64, load per unit of base; `overall_rate` the same for all together
    rebalance : float, the factor that restored the total
    """

    load: Floats
    rate: Floats
    overall_rate: float
    rebalance: float


def cap_losses(loss: npt.ArrayLike, cap: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Split losses at a cap into what is kept and the excess.

    Parameters
    ----------
    loss : (n,) float64 >= 0, ultimate loss of each occurrence; cap : scalar or (n,) float64 > 0, same unit

    Returns
    -------
    capped, excess : (n,) float64, adding up to the loss

    Examples
    --------
    >>> [part.tolist() for part in cap_losses([50.0, 700.0], 500.0)]
    [[50.0, 500.0], [0.0, 200.0]]
    """
    amount, top = non_negative("loss", loss), positive("cap", cap)
    go_together(loss=amount, cap=top)
    kept = np.minimum(amount, top)
    return kept, amount - kept


def spread_excess(excess: npt.ArrayLike, base: npt.ArrayLike, credibility: npt.ArrayLike) -> ExcessLoad:
    """Spread the excess losses over segments by credibility; the total is kept.

    Parameters
    ----------
    excess : (s,) float64, what was cut off in each segment
    base : (s,) float64 > 0, what the load is a rate of
    credibility : (s,) float64 in 0..1, given to the segment's own excess rate

    Returns
    -------
    ExcessLoad

    Raises
    ------
    ModelError
        RM500..RM504.

    Examples
    --------
    >>> spread_excess([100.0, 0.0], [400.0, 600.0], [0.5, 0.0]).load.round(6).tolist()
    [53.846154, 46.153846]
    """
    over, unit = non_negative("excess", excess), positive("base", base)
    z = fractions("credibility", credibility)
    same_length(excess=over, base=unit, credibility=z)
    overall = float(over.sum() / unit.sum())
    load = z * over + (1 - z) * overall * unit
    back = float(over.sum() / load.sum()) if load.sum() > 0 else 1.0
    return ExcessLoad(load * back, load * back / unit, overall, back)


@strict
def catastrophe_load(
    catastrophe_loss: npt.ArrayLike, base: npt.ArrayLike, *, prior: Amount = 0.0, prior_years: Amount = 0.0
) -> float:
    """Return the long-run catastrophe rate: catastrophe losses over the base, quiet years included.

    A few years hold one event or none, so that what they show alone is far too high or nothing. A prior rate m that is
    worth K years of this book stands beside the n years seen: (K·m·B̄ + ΣC)/((K + n)·B̄), B̄ the mean base of a year.

    Parameters
    ----------
    catastrophe_loss : (years,) float64 >= 0, trended; base : (years,) float64 > 0, exposure or non-catastrophe losses
    prior : rate known from elsewhere; prior_years : how many years of this base that knowledge is worth

    Examples
    --------
    >>> catastrophe_load([0, 0, 30, 0], [100, 100, 100, 100])
    0.075
    >>> round(catastrophe_load([0, 0, 30, 0], [100, 100, 100, 100], prior=0.01, prior_years=26), 4)
    0.0187
    """
    lost, unit = non_negative("catastrophe_loss", catastrophe_loss), positive("base", base)
    same_length(catastrophe_loss=lost, base=unit)
    share, years = float(prior), float(prior_years)
    year = unit.mean()
    return float((years * share * year + lost.sum()) / ((years + len(unit)) * year))
