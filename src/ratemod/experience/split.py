"""Split experience rating: frequency counts fully, severity in part. One formula; bureaus differ in its parameters.

    mod = (C·Ap + (1 − C)·Ep + W·Ae + (1 − W)·Ee + B)/(E + B)
with A actual and E expected losses, p primary and e excess, C and W their credibilities and B the ballast. NCCI: C =
1. California since 2019: C = 1, W = 0, B = 0. Delaware and Pennsylvania: W = 0, B = 0. Washington: C and W, B = 0.
Plans that look at whole losses (New South Wales, Ohio) have a split beyond any claim.
Source: NCCI, *ABCs of Experience Rating*; WCIRB, DCRB, Washington L&I (WAC 296-17-855 to -890), as cited at each
rule in `split_rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from ratemod import money
from ratemod.document.result import Result
from ratemod.errors import ModelError, problem
from ratemod.experience.class_rates import ClassRates
from ratemod.experience.panel import whole
from ratemod.experience.parameter import Floats, Integers, Parameter, Setting, value_of
from ratemod.money import RoundingMode
from ratemod.rules.floats import floats, go_together, in_a_row, truths
from ratemod.rules.options import strict

Stage = Literal["claims", "expected", "expected_primary", "credibility", "ballast", "sums", "bounds"]


@dataclass(frozen=True, slots=True)
class SmoothSplit:
    """A split without a kink: full below `full_below`, then most·x/(x + turn), claims cut at `largest`.

    Source: Washington L&I, WAC 296-17-875 (a table of it every year); California until 2016 with another table.
    """

    full_below: float
    most: float
    turn: float
    largest: float = np.inf


@dataclass(frozen=True, eq=False, slots=True)
class Kind:
    """How claims of one kind enter: medical only, disease, death, employers' liability, third-party recovery.

    Attributes
    ----------
    share : share at which they enter; deduction : taken off first
    value : what each counts instead of its amount (an average death), or None
    limit : most that one counts, or None
    year_limit, year_limit_of_expected : most that all of a firm's in one year count: an amount plus a share of its
        expected losses of a year; None: no such limit
    lost_time : whether such a claim ends a claim-free record
    """

    share: Parameter = 1.0
    deduction: Parameter = 0.0
    value: Parameter | None = None
    limit: Parameter | None = None
    year_limit: Parameter | None = None
    year_limit_of_expected: float = 0.0
    lost_time: bool = True


@strict
@dataclass(frozen=True, eq=False, slots=True)
class SplitRule:
    """A split plan. A `Parameter` is a number, or depends on expected losses (yuan), date or state.

    Attributes
    ----------
    name, source : str
    split : Parameter or SmoothSplit, the split point
    excess_credibility : W; primary_credibility : C; ballast : B
    claim_limit : most that one claim counts, or None; accident_limit : most that one accident's claims count, or None
    accident_primary_limit : most that the primary parts of one accident's several claims count, or None
    medical_only_share : share at which claims without disability enter; medical_only_deduction : taken off them first
    deduction : taken off every claim first
    least, most : bounds of the mod, or None
    most_by_claims : bounds from above for 0, 1, 2, … claims, where a plan has them; more claims: `most`
    swing, swing_up, swing_down : most that a mod may move from last year's, as a share, both ways or one, or None
    claim_free : mod of a firm without claims where that is lower than its own, or None
    claim_free_despite_medical_only : whether claims without disability leave the record free
    eligible_from : expected losses from which a firm is rated; below it the mod is 1 and the status says so
    eligible_latest_premium, eligible_average_premium : premium of the latest two years, or a year on average, of which
        one must be reached, or None
    places, mode : decimals of the mod and how it is rounded (half_up, down, up), or None
    rounding : decimals by stage, of `Stage`; negative: tens, hundreds
    kinds : how claims of each kind enter
    d_ratio : expected primary share of the expected losses where it goes by size, or None: of the list or the classes
    expected_share : share of the expected losses that counts (limited losses); loss_factor : on every claim
    off_balance : factor on the mod before its bounds, so that mods are revenue neutral
    debit_share, credit_share : share of the distance from 1 that counts, above and below
    year_weights : weights of years of experience, latest first; empty: all 1
    years, lag_months : window: how many years, ending how many months before the mod applies
    valuation_months : claims count as they were valued so many months before the mod applies: of several valuations of
        one claim the latest by then; None: the list has one row a claim, as it is to count
    class_rates : expected losses by class of work, or None: the exposure list has them
    years_named_by : "start" or "end": which end of a policy year gives it its number, in payroll lists
    new_firm_mod : mod of a firm with expected losses of 0 and no claims, or None: it is refused
    """

    name: str
    source: str
    split: Parameter | SmoothSplit
    excess_credibility: Parameter = 0.0
    primary_credibility: Parameter = 1.0
    ballast: Parameter = 0.0
    claim_limit: Parameter | None = None
    accident_limit: Parameter | None = None
    medical_only_share: Parameter = 1.0
    medical_only_deduction: Parameter = 0.0
    deduction: Parameter = 0.0
    least: Parameter | None = None
    most: Parameter | None = None
    swing: float | None = None
    claim_free: Parameter | None = None
    eligible_from: float = 0.0
    places: int | None = None
    mode: RoundingMode = "half_up"
    swing_up: float | None = None
    swing_down: float | None = None
    most_by_claims: tuple[Parameter, ...] = ()
    accident_primary_limit: Parameter | None = None
    claim_free_despite_medical_only: bool = False
    eligible_latest_premium: Parameter | None = None
    eligible_average_premium: Parameter | None = None
    rounding: Mapping[Stage, int] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    d_ratio: Parameter | None = None
    expected_share: Parameter = 1.0
    loss_factor: Parameter = 1.0
    off_balance: Parameter = 1.0
    debit_share: Parameter = 1.0
    credit_share: Parameter = 1.0
    year_weights: tuple[float, ...] = ()
    years: int = 3
    lag_months: int = 12
    valuation_months: int | None = None
    class_rates: ClassRates | None = None
    new_firm_mod: float | None = None
    years_named_by: Literal["start", "end"] = "start"


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class SplitParts(Result):
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


@strict
def rounded(values: Floats, places: int | None, mode: RoundingMode = "half_up") -> Floats:
    """Round as `money.rounded`; None leaves the values alone."""
    return values if places is None else money.rounded(values, places, mode)


def split_claims(
    rule: SplitRule,
    loss: npt.ArrayLike,
    expected: npt.ArrayLike | Setting,
    *,
    medical_only: npt.ArrayLike | None = None,
    kind: npt.ArrayLike | None = None,
) -> tuple[Floats, Floats]:
    """Split claims into primary and excess.

    Parameters
    ----------
    rule : SplitRule
    loss : (k,) float64 >= 0, incurred, yuan
    expected : (k,) float64, expected losses of each claim's firm, yuan, or their Setting; only parameters that
        depend on them read it
    medical_only : (k,) bool
    kind : (k,) place among `rule.kinds`, −1 for none

    Returns
    -------
    primary, excess : (k,) float64, adding up to the claim as it counts

    Raises
    ------
    ModelError
        RM600 a negative or missing amount; RM835, RM641, RM642 and RM834 for truths and kinds that are none.

    Examples
    --------
    >>> rule = SplitRule("own", "example", 10_000.0)
    >>> [part.tolist() for part in split_claims(rule, [4_000, 12_000, 50_000], [0, 0, 0])]
    [[4000.0, 10000.0, 10000.0], [0.0, 2000.0, 40000.0]]
    """
    where = expected if isinstance(expected, Setting) else Setting(floats("expected", expected))
    amount = floats("loss", loss)
    if not (np.isfinite(amount) & (amount >= 0)).all():
        raise ModelError(problem("RM600"))
    amount = np.maximum(amount * _at(rule.loss_factor, where) - _at(rule.deduction, where), 0.0)
    if medical_only is not None:
        light = truths("medical_only", medical_only)
        go_together(loss=amount, medical_only=light)
        reduced = np.maximum(amount - _at(rule.medical_only_deduction, where), 0.0)
        amount = np.where(light, reduced * _at(rule.medical_only_share, where), amount)
    if kind is not None:
        place = whole("kind", kind, low=-1, high=len(rule.kinds) - 1)
        go_together(loss=amount, kind=place)
        amount = _as_kinds(rule, amount, where, place)
    if rule.claim_limit is not None:
        amount = np.minimum(amount, _at(rule.claim_limit, where))
    if isinstance(rule.split, SmoothSplit):
        shape = rule.split
        amount = np.minimum(amount, shape.largest)
        primary = np.where(amount <= shape.full_below, amount, shape.most * amount / (amount + shape.turn))
    else:
        primary = np.minimum(amount, _at(rule.split, where))
    if "claims" in rule.rounding:
        places = rule.rounding["claims"]
        primary, amount = rounded(primary, places), rounded(amount, places)
    return primary, amount - primary


def _at(parameter: Parameter, where: Setting) -> Floats | float:
    """Return a parameter for each claim; a plain number stays one."""
    return float(parameter) if isinstance(parameter, int | float) else value_of(parameter, where)


def _as_kinds(rule: SplitRule, amount: Floats, where: Setting, kind: Integers) -> Floats:
    """Return amounts as claims of their kinds enter."""
    made = amount.copy()
    for at, how in enumerate(rule.kinds.values()):
        rows = np.flatnonzero(kind == at)
        if not len(rows):
            continue
        of = where.take(rows)
        own = made[rows] if how.value is None else np.broadcast_to(_at(how.value, of), rows.shape)
        own = np.maximum(own - _at(how.deduction, of), 0.0) * _at(how.share, of)
        made[rows] = own if how.limit is None else np.minimum(own, _at(how.limit, of))
    return made


def split_mod(
    rule: SplitRule,
    actual_primary: npt.ArrayLike,
    actual_excess: npt.ArrayLike,
    expected: npt.ArrayLike,
    expected_primary: npt.ArrayLike,
    *,
    last_mod: npt.ArrayLike | None = None,
    where: Setting | None = None,
    claims: npt.ArrayLike | None = None,
    lost_time: npt.ArrayLike | None = None,
) -> SplitParts:
    """Return the mods of n firms.

    Parameters
    ----------
    rule : SplitRule
    actual_primary, actual_excess : (n,) float64 >= 0, yuan
    expected, expected_primary : (n,) float64, yuan; 0 <= expected primary <= expected
    last_mod : (n,) float64, last year's mod, for the swing; NaN: a firm without one
    where : Setting, for parameters by date or state; its expected losses are those given here
    claims, lost_time : (n,) counts of claims, of all and of those that end a free record; default: losses tell

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
    named = {"actual_primary": actual_primary, "actual_excess": actual_excess, "expected": expected,
             "expected_primary": expected_primary}  # fmt: skip
    ap, ae, e, ep = (floats(name, part) for name, part in named.items())
    go_together(**dict(zip(named, (ap, ae, e, ep))))
    in_a_row(**{name: np.atleast_1d(part) for name, part in zip(named, (ap, ae, e, ep))})
    setting = Setting(e) if where is None else where
    e, ep = _expected(rule, e, ep, setting)
    if not all(part.min(initial=0) >= 0 and part.max(initial=0) < np.inf for part in (ap, ae, e, ep)):  # NaN: false
        raise ModelError(problem("RM600"))
    wrong = (ep > e * (1 + 1e-12)) | (e <= 0)
    if wrong.any():
        raise ModelError(problem("RM602", firms=int(wrong.sum()), first=int(np.flatnonzero(wrong)[0])))
    c, w, b = (value_of(part, setting) for part in (rule.primary_credibility, rule.excess_credibility, rule.ballast))
    c, w = (rounded(part, rule.rounding.get("credibility")) for part in (c, w))
    b = rounded(b, rule.rounding.get("ballast"))
    sums = rule.rounding.get("sums")
    first, *above = (rounded(part, sums) for part in (c * ap, (1 - c) * ep, w * ae, (1 - w) * (e - ep), b))
    plain = sum(above, first) / (rounded(e, sums) + rounded(b, sums))
    mod = plain
    if rule.debit_share != 1.0 or rule.credit_share != 1.0:
        share = np.where(mod > 1, value_of(rule.debit_share, setting), value_of(rule.credit_share, setting))
        mod = 1 + share * (mod - 1)
    if rule.off_balance != 1.0:
        mod = mod * value_of(rule.off_balance, setting)
    if rule.claim_free is not None:
        free = (ap == 0) & (ae == 0) if lost_time is None else np.asarray(lost_time) == 0
        mod = np.where(free, np.minimum(mod, value_of(rule.claim_free, setting)), mod)
    mod, bound = _bounded(rule, mod, setting, last_mod, claims)
    mod = rounded(mod, rule.places, rule.mode)
    if rule.eligible_from > 0:
        mod = np.where(e < rule.eligible_from, 1.0, mod)
    return SplitParts(ap, ae, e, ep, c, w, b, plain, mod, bound)


def _expected(rule: SplitRule, e: Floats, ep: Floats, where: Setting) -> tuple[Floats, Floats]:
    """Return expected and expected primary losses as the plan takes them."""
    if rule.d_ratio is not None:
        ep = e * value_of(rule.d_ratio, where)
    if rule.expected_share != 1.0:
        share = value_of(rule.expected_share, where)
        e, ep = e * share, ep * share
    return rounded(e, rule.rounding.get("expected")), rounded(ep, rule.rounding.get("expected_primary"))


def _bounded(
    rule: SplitRule, mod: Floats, where: Setting, last_mod: npt.ArrayLike | None, claims: npt.ArrayLike | None
) -> tuple[Floats, npt.NDArray[np.int8]]:
    """Return the mod within bounds and swing, and which end held."""
    bound = np.zeros(len(mod), dtype=np.int8)
    places = rule.rounding.get("bounds")
    ends = []
    up, down = (rule.swing if part is None else part for part in (rule.swing_up, rule.swing_down))
    if last_mod is not None and (up is not None or down is not None):
        last = floats("last_mod", last_mod)
        low, high = (None if part is None else last * (1 + sign * part) for part, sign in ((down, -1), (up, 1)))
        ends.append((_open(low, -np.inf, mod, places), _open(high, np.inf, mod, places)))
    floor = None if rule.least is None else value_of(rule.least, where)
    ceiling = None if rule.most is None else value_of(rule.most, where)
    ends.append((_open(floor, -np.inf, mod, places), _most(rule, _open(ceiling, np.inf, mod, None), where, claims)))
    for low, high in ends:
        bound[mod > high] = 1
        bound[mod < low] = -1
        mod = np.clip(mod, low, high)
    return mod, bound


def _open(end: Floats | None, otherwise: float, mod: Floats, places: int | None) -> Floats:
    """Return a bound, open where there is none."""
    if end is None:
        return np.broadcast_to(np.float64(otherwise), mod.shape)
    if not np.isnan(end).any() and places is None:
        return end
    return rounded(np.where(np.isnan(end), otherwise, end), places)


def _most(rule: SplitRule, ceiling: Floats, where: Setting, claims: npt.ArrayLike | None) -> Floats:
    """Return the bound from above, by the number of claims where the plan has one."""
    if rule.most_by_claims and claims is not None:
        count = np.asarray(claims)
        for at, most in enumerate(rule.most_by_claims):
            ceiling = np.where(count == at, value_of(most, where), ceiling)
    return rounded(ceiling, rule.rounding.get("bounds"))
