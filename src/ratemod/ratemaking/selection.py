"""From indicated to selected: a reason for every departure, a base, and an off-balance on averages.

Off-balance factor = Σ w·current / Σ w·selected: times the base rate it leaves the average rate where it was. Boor's
form charges an imbalance of credibility-weighted rates to the complement alone, where credibility is low:
    r = Z·L + (1−Z)·M,   F = (Σ losses − Σ r·e)/(M·Σ e(1−Z)),   final = r + F·(1−Z)·M.
The off-balance with bounds and caps in force needs the rating path itself and lives elsewhere.

Source: Werner & Modlin, ch. 14; Boor, "Rebalancing the Off-Balance Factor with the Complement of Credibility",
Variance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.document.result import Result
from ratemod.errors import ModelError, nearest, problem
from ratemod.ratemaking.arrays import Floats, finite, fractions, non_negative, positive, same_length
from ratemod.rules.floats import in_a_row
from ratemod.rules.options import strict
from ratemod.rules.within import Factor, Whole


@dataclass(frozen=True, slots=True)
class Selection:
    """What was chosen for one cell.

    Attributes
    ----------
    cell : its name; current, indicated, selected : float, relativity or rate
    reason : why; "as indicated" where nothing was changed
    """

    cell: str
    current: float
    indicated: float
    selected: float
    reason: str


@dataclass(frozen=True, slots=True, repr=False)
class OffBalance(Result):
    """Boor's off-balance with the complement of credibility.

    Attributes
    ----------
    credibility_rate, final_rate : (n,) float64, yuan a unit of exposure; factor : float, F
    """

    credibility_rate: Floats
    final_rate: Floats
    factor: float


def select(
    cells: Sequence[str],
    current: npt.ArrayLike,
    indicated: npt.ArrayLike,
    chosen: Mapping[str, tuple[float, str]] | None = None,
) -> tuple[Selection, ...]:
    """Record a choice for every cell.

    Parameters
    ----------
    cells : n names; current, indicated : (n,) float64 > 0
    chosen : cell -> (value, reason) where the choice differs from the indication

    Returns
    -------
    n Selections, in order

    Raises
    ------
    ModelError
        RM531 for a choice without a reason; RM532 for a cell that is not there; RM502.

    Examples
    --------
    >>> select(["mine", "trade"], [2.0, 1.0], [2.4, 1.0], {"mine": (2.2, "half way, thin data")})[0].selected
    2.2
    """
    now, asked = positive("current", current), positive("indicated", indicated)
    names = list(cells)
    same_length(cells=np.array(names), current=now, indicated=asked)
    picks = dict(chosen or {})
    found = [
        problem("RM532", factor="cells", level=name, nearest=nearest(name, names))
        for name in picks
        if name not in names
    ]
    found += [problem("RM531", cell=name) for name, (_, reason) in picks.items() if not reason.strip()]
    if found:
        raise ModelError(found)
    for name, (value, _) in picks.items():
        positive(name, [value])
    return tuple(
        Selection(name, float(a), float(b), *picks.get(name, (float(b), "as indicated")))
        for name, a, b in zip(names, now, asked)
    )


@strict
def rebase(
    relativity: npt.ArrayLike, base_rate: Factor, *, reference: Whole | None = None, weight: npt.ArrayLike | None = None
) -> tuple[Floats, float]:
    """Restate relativities on another base; no product of the two changes.

    Parameters
    ----------
    relativity : (n,) float64 > 0; base_rate : float
    reference : position that becomes 1, or None for a weighted average of 1
    weight : (n,) float64 >= 0, needed where there is no reference

    Raises
    ------
    ModelError
        RM556 unless exactly one of `reference` and `weight` is given; RM524 for a reference that is not there; RM502;
        RM837.

    Examples
    --------
    >>> [part if isinstance(part, float) else part.tolist() for part in rebase([1.0, 2.0], 100.0, reference=1)]
    [[0.5, 1.0], 200.0]
    """
    value = positive("relativity", relativity)
    if (reference is None) == (weight is None):
        raise ModelError(problem("RM556"))
    in_a_row(relativity=value)
    if reference is not None:
        if reference >= len(value):
            raise ModelError(problem("RM524", name="reference", levels=len(value)))
        unit = float(value[reference])
    else:
        share = non_negative("weight", weight if weight is not None else [])
        same_length(relativity=value, weight=share)
        unit = float(value @ share / positive("total weight", [share.sum()])[0])
    return value / unit, float(base_rate) * unit


def off_balance(current: npt.ArrayLike, selected: npt.ArrayLike, weight: npt.ArrayLike) -> float:
    """Return the factor on the base rate that keeps the average: Σ w·current / Σ w·selected.

    Parameters
    ----------
    current, selected : (n,) float64 > 0, products of all relativities of each cell; weight : (n,) exposure x base

    Examples
    --------
    >>> off_balance([1.0, 1.0], [1.0, 1.5], [1.0, 1.0])
    0.8
    """
    now, new, share = positive("current", current), positive("selected", selected), non_negative("weight", weight)
    same_length(current=now, selected=new, weight=share)
    return float(now @ share / positive("selected premium", [new @ share])[0])


@strict
def off_balance_complement(
    losses: npt.ArrayLike, exposure: npt.ArrayLike, credibility: npt.ArrayLike, complement: Factor
) -> OffBalance:
    """Return credibility-weighted rates, balanced to the losses through the complement (Boor).

    Parameters
    ----------
    losses : (n,) float64, yuan; exposure : (n,) float64 > 0; credibility : (n,) in 0..1
    complement : float > 0, rate that the rest of the credibility goes to

    Raises
    ------
    ModelError
        RM557 when every credibility is 1, so that no complement can carry the balance.

    Examples
    --------
    >>> off_balance_complement([150.0, 30.0], [1.0, 1.0], [0.5, 0.5], 80.0).final_rate.tolist()
    [120.0, 60.0]
    """
    loss, units, z = finite("losses", losses), positive("exposure", exposure), fractions("credibility", credibility)
    same_length(losses=loss, exposure=units, credibility=z)
    other = float(complement)
    spare = float(units @ (1 - z)) * other
    if spare <= 0:
        raise ModelError(problem("RM557"))
    rate = z * loss / units + (1 - z) * other
    factor = float(loss.sum() - rate @ units) / spare
    return OffBalance(rate, rate + factor * (1 - z) * other, factor)
