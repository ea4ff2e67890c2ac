"""Split experience rating: frequency counts fully, severity in part. One formula; bureaus differ in its parameters.

    mod = (C·Ap + (1 − C)·Ep + W·Ae + (1 − W)·Ee + B)/(E + B)
with A actual and E expected losses, p primary and e excess, C and W their credibilities and B the ballast. NCCI: C =
1. California since
2019: C = 1, W = 0, B = 0. Delaware and Pennsylvania: W = 0, B = 0. Washington: C and W, B = 0.
Source: NCCI, *ABCs of Experience Rating*; WCIRB, DCRB, Washington L&I (WAC 296-17-855 to -890), as cited at each
rule in `split_rules`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.experience.bands import Bands

Floats = npt.NDArray[np.float64]
Parameter = float | Bands | Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class SmoothSplit:
    """A split without a kink: full below `full_below`, then most·x/(x + turn), claims cut at `largest`.

    Source: Washington L&I, WAC 296-17-875 (a table of it every year).
    """

    full_below: float
    most: float
    turn: float
    largest: float


@dataclass(frozen=True, eq=False, slots=True)
class SplitRule:
    """A split plan. A `Parameter` is a number, `Bands` by expected losses, or a function of the expected losses (yuan).

    Attributes
    ----------
    name, source : str
    split : Parameter or SmoothSplit, the split point
    excess_credibility : W; primary_credibility : C; ballast : B
    claim_limit : most that one claim counts, or None; accident_limit : most that one accident's claims count, or None
    medical_only_share : share at which claims without disability enter; medical_only_deduction : taken off them first
    deduction : taken off every claim first
    least, most : bounds of the mod, or None
    swing : most that a mod may move from last year's, as a share, or None
    claim_free : mod of a firm without claims where that is lower than its own, or None
    eligible_from : expected losses from which a firm is rated; below it the mod is 1 and the status says so
    places : decimals of the mod, rounded half-up, or None
    """

    name: str
    source: str
    split: Parameter | SmoothSplit
    excess_credibility: Parameter = 0.0
    primary_credibility: Parameter = 1.0
    ballast: Parameter = 0.0
    claim_limit: float | None = None
    accident_limit: float | None = None
    medical_only_share: float = 1.0
    medical_only_deduction: float = 0.0
    deduction: float = 0.0
    least: Parameter | None = None
    most: Parameter | None = None
    swing: float | None = None
    claim_free: Parameter | None = None
    eligible_from: float = 0.0
    places: int | None = None


@dataclass(frozen=True, eq=False, slots=True)
class SplitParts:
    """What a mod is made of, (n,) float64 each; `bound` is 1 where an upper end held, −1 a lower one."""

    actual_primary: Floats
    actual_excess: Floats
    expected: Floats
    expected_primary: Floats
    primary_credibility: Floats
    excess_credibility: Floats
    ballast: Floats
    unbounded: Floats
    mod: Floats
    bound: npt.NDArray[np.int8]


def value_of(parameter: Parameter, expected: Floats) -> Floats:
    """Return a parameter at each firm's expected losses, (n,) float64.

    Examples
    --------
    >>> value_of(Bands((10_000.0,), (0.05, 0.10)), np.array([5_000.0, 20_000.0])).tolist()
    [0.05, 0.1]
    """
    if isinstance(parameter, Bands):
        return parameter.of(expected)
    if callable(parameter):
        return np.asarray(parameter(expected), dtype=np.float64)
    return np.full(len(expected), float(parameter))


def split_claims(
    rule: SplitRule, loss: npt.ArrayLike, expected: npt.ArrayLike, *, medical_only: npt.ArrayLike | None = None
) -> tuple[Floats, Floats]:
    """Split claims into primary and excess.

    Parameters
    ----------
    rule : SplitRule
    loss : (k,) float64 >= 0, incurred, yuan
    expected : (k,) float64, expected losses of each claim's firm, yuan; only a split that depends on them reads it
    medical_only : (k,) bool

    Returns
    -------
    primary, excess : (k,) float64, adding up to the claim as it counts

    Raises
    ------
    ModelError
        RM600 a negative or missing amount.

    Examples
    --------
    >>> rule = SplitRule("own", "example", 10_000.0)
    >>> [part.tolist() for part in split_claims(rule, [4_000, 12_000, 50_000], [0, 0, 0])]
    [[4000.0, 10000.0, 10000.0], [0.0, 2000.0, 40000.0]]
    """
    amount = np.asarray(loss, dtype=np.float64)
    if not (np.isfinite(amount) & (amount >= 0)).all():
        raise ModelError(problem("RM600"))
    amount = np.maximum(amount - rule.deduction, 0.0)
    if medical_only is not None:
        light = np.asarray(medical_only, dtype=bool)
        reduced = np.maximum(amount - rule.medical_only_deduction, 0.0) * rule.medical_only_share
        amount = np.where(light, reduced, amount)
    if rule.claim_limit is not None:
        amount = np.minimum(amount, rule.claim_limit)
    if isinstance(rule.split, SmoothSplit):
        shape = rule.split
        amount = np.minimum(amount, shape.largest)
        primary = np.where(amount <= shape.full_below, amount, shape.most * amount / (amount + shape.turn))
    else:
        primary = np.minimum(amount, value_of(rule.split, np.asarray(expected, dtype=np.float64)))
    return primary, amount - primary


def split_mod(
    rule: SplitRule,
    actual_primary: npt.ArrayLike,
    actual_excess: npt.ArrayLike,
    expected: npt.ArrayLike,
    expected_primary: npt.ArrayLike,
    *,
    last_mod: npt.ArrayLike | None = None,
) -> SplitParts:
    """Return the mods of n firms.

    Parameters
    ----------
    rule : SplitRule
    actual_primary, actual_excess : (n,) float64 >= 0, yuan
    expected, expected_primary : (n,) float64, yuan; 0 <= expected primary <= expected
    last_mod : (n,) float64, last year's mod, for the swing; NaN: a firm without one

    Returns
    -------
    SplitParts

    Raises
    ------
    ModelError
        RM600 a negative or missing amount, RM602 expected primary losses above the expected ones or no expected losses.

    Examples
    --------
    >>> ncci = SplitRule("NCCI form", "example", 5_000.0, excess_credibility=0.10, ballast=52_800.0, places=2)
    >>> float(split_mod(ncci, [0.0], [0.0], [117_881.0], [16_469.0]).mod[0])
    0.84
    """
    ap, ae, e, ep = (
        np.asarray(part, dtype=np.float64) for part in (actual_primary, actual_excess, expected, expected_primary)
    )
    if not all((np.isfinite(part) & (part >= 0)).all() for part in (ap, ae, e, ep)):
        raise ModelError(problem("RM600"))
    wrong = (ep > e * (1 + 1e-12)) | (e <= 0)
    if wrong.any():
        raise ModelError(problem("RM602", firms=int(wrong.sum()), first=int(np.flatnonzero(wrong)[0])))
    c, w, b = (value_of(part, e) for part in (rule.primary_credibility, rule.excess_credibility, rule.ballast))
    plain = (c * ap + (1 - c) * ep + w * ae + (1 - w) * (e - ep) + b) / (e + b)
    mod = plain
    if rule.claim_free is not None:
        free = (ap == 0) & (ae == 0)
        mod = np.where(free, np.minimum(mod, value_of(rule.claim_free, e)), mod)
    mod, bound = _bounded(rule, mod, e, last_mod)
    if rule.places is not None:
        mod = np.floor(mod * 10**rule.places + 0.5 + 1e-9) / 10**rule.places
    if rule.eligible_from > 0:
        mod = np.where(e < rule.eligible_from, 1.0, mod)
    return SplitParts(ap, ae, e, ep, c, w, b, plain, mod, bound)


def _bounded(
    rule: SplitRule, mod: Floats, expected: Floats, last_mod: npt.ArrayLike | None
) -> tuple[Floats, npt.NDArray[np.int8]]:
    """Return the mod within bounds and swing, and which end held."""
    bound = np.zeros(len(mod), dtype=np.int8)
    ends = []
    if rule.swing is not None and last_mod is not None:
        last = np.asarray(last_mod, dtype=np.float64)
        ends.append(
            (
                np.where(np.isnan(last), -np.inf, last * (1 - rule.swing)),
                np.where(np.isnan(last), np.inf, last * (1 + rule.swing)),
            )
        )
    low = np.full(len(mod), -np.inf) if rule.least is None else value_of(rule.least, expected)
    high = np.full(len(mod), np.inf) if rule.most is None else value_of(rule.most, expected)
    for floor, ceiling in [*ends, (low, high)]:
        bound = np.where(mod > ceiling, 1, np.where(mod < floor, -1, bound)).astype(np.int8)
        mod = np.clip(mod, floor, ceiling)
    return mod, bound
