"""The indicated rate and rate change, with every line of the derivation.

With L loss and loss expense, F fixed expense (per exposure, or as a ratio to premium), V the variable expense ratios
together (commission, prevention fund, taxes, other) and Q profit:
    rate = (L + F)/(1 − V − Q),        rate change = (loss ratio + fixed ratio)/(1 − V − Q) − 1.
Source: Werner & Modlin, *Basic Ratemaking*, 5th ed., ch. 7–8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import non_negative
from ratemod.rules.options import strict
from ratemod.rules.within import Amount, Factor


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a derivation: a name, how it was got, its value."""

    name: str
    formula: str
    value: float


@strict
@dataclass(frozen=True, slots=True)
class Loadings:
    """Ratios to gross premium.

    Attributes
    ----------
    variable : name -> ratio: commission, prevention fund, tax, other
    profit : underwriting profit
    maximum : name -> highest ratio allowed, such as a regulated commission
    """

    variable: Mapping[str, float]
    profit: float = 0.0
    maximum: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Indication:
    """An indicated rate or change and the lines that lead to it, last line the answer."""

    value: float
    lines: tuple[Line, ...]


def permissible_ratio(loadings: Loadings) -> float:
    """Return 1 − V − Q, the share of premium left for losses and fixed expenses.

    Raises
    ------
    ModelError
        RM554 when nothing is left; RM555 for each loading over its maximum; RM501.

    Examples
    --------
    >>> round(permissible_ratio(Loadings({"commission": 0.05, "prevention fund": 0.10}, 0.05)), 6)
    0.8
    """
    for name, ratio in loadings.variable.items():
        non_negative(name, [ratio])
    found = [
        problem("RM555", name=name, ratio=ratio, maximum=loadings.maximum[name])
        for name, ratio in loadings.variable.items()
        if ratio > loadings.maximum.get(name, ratio)
    ]
    left = 1 - sum(loadings.variable.values()) - loadings.profit
    if left <= 0:
        found.append(problem("RM554", left=round(left, 6)))
    if found:
        raise ModelError(found)
    return left


@strict
def indicated_rate(
    losses: Amount, exposure: Factor, loadings: Loadings, *, fixed_per_exposure: Amount = 0.0
) -> Indication:
    """Return the gross rate per unit of exposure (pure premium method).

    Parameters
    ----------
    losses : ultimate, trended losses and loss expenses, yuan
    exposure : units of exposure (heads, 10⁴ yuan of payroll …)
    loadings : Loadings; fixed_per_exposure : yuan a unit of exposure

    Returns
    -------
    Indication

    Examples
    --------
    >>> round(indicated_rate(25.0, 1.0, Loadings({"variable": 0.20}, 0.05), fixed_per_exposure=10.0).value, 2)
    46.67
    """
    loss, units = float(losses), float(exposure)
    fixed = float(fixed_per_exposure)
    left = permissible_ratio(loadings)
    pure = float(loss / units)
    rate = (pure + float(fixed)) / left
    lines = (
        Line("losses", "given", float(loss)),
        Line("exposure", "given", float(units)),
        Line("pure premium", "losses / exposure", pure),
        Line("fixed expense", "given", float(fixed)),
        *_loading_lines(loadings, left),
        Line("indicated rate", "(pure premium + fixed expense) / permissible ratio", rate),
    )
    return Indication(rate, lines)


@strict
def indicated_change(
    losses: Amount, on_level_premium: Factor, loadings: Loadings, *, fixed_expense: Amount = 0.0
) -> Indication:
    """Return the indicated rate change (loss ratio method).

    Parameters
    ----------
    losses : ultimate, trended losses and loss expenses, yuan
    on_level_premium : premium at the current rate level, yuan
    loadings : Loadings; fixed_expense : yuan

    Returns
    -------
    Indication; value +0.10 for +10 %. The lines hold the required premium and the target loss ratio too.

    Examples
    --------
    >>> given = indicated_change(300_000, 500_000, Loadings({"variable": 0.23}, 0.05), fixed_expense=21_000)
    >>> round(given.value, 3), {line.name: round(line.value, 3) for line in given.lines}["required premium"]
    (-0.108, 445833.333)
    """
    loss, premium = float(losses), float(on_level_premium)
    fixed = float(fixed_expense)
    left = permissible_ratio(loadings)
    required = (loss + fixed) / left
    if required <= 0:
        raise ModelError(problem("RM502", name="losses + fixed expense", wrong=1, first=0))
    change = required / premium - 1
    lines = (
        Line("losses", "given", loss),
        Line("on-level premium", "given", premium),
        Line("loss ratio", "losses / on-level premium", loss / premium),
        Line("fixed expense", "given", fixed),
        *_loading_lines(loadings, left),
        Line("required premium", "(losses + fixed expense) / permissible ratio", required),
        Line("target loss ratio", "permissible ratio - fixed expense / required premium", left - fixed / required),
        Line("indicated change", "required premium / on-level premium - 1", change),
    )
    return Indication(change, lines)


def _loading_lines(loadings: Loadings, left: float) -> tuple[Line, ...]:
    """Return one line a loading, and what they leave."""
    return (
        *(Line(name, "ratio to premium", ratio) for name, ratio in loadings.variable.items()),
        Line("profit", "ratio to premium", loadings.profit),
        Line("permissible ratio", "1 - variable loadings - profit", left),
    )
