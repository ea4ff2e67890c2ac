"""What may be levied: share, floor, cap and base by sector and date, as data; and exact rounding of shares."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from ratemod.errors import BookError, PlanError, Problem, nearest, problem
from ratemod.fund.fund_table import FAR, Ints, Texts, day_number
from ratemod.plan.op.rounding import Round
from ratemod.rules.options import strict
from ratemod.rules.read import read_rules
from ratemod.rules.shape import Key, keys_of

if TYPE_CHECKING:
    from ratemod.plan.model import Plan

Rounding = Literal["corridor", "half_up", "up", "down"]


@strict
@dataclass(frozen=True, slots=True)
class LevyRule:
    """The levy of one sector (or all, ``*``) for policies that start within a time.

    Attributes
    ----------
    share, floor, cap : Decimal, share of the base; no cap where None
    base : "written", "received" or "earned" premium
    rounding : "corridor", "half_up", "up" or "down"
        To the fen. ``corridor`` rounds half-up, then lifts to the floor and lowers to the cap; where no whole fen lies
        between the two (a base of a few fen), the floor holds.
    unit : "policy" or "movement"
        ``policy``: what has been levied after each movement is the rounded levy of the premium so far, so that refunds
        and instalments add up to the fen. ``movement``: every movement is rounded by itself, a refund as the mirror
        of a charge.
    accrues : "shares" or "leader"
        Who sets the levy of a co-insured policy aside: every co-insurer its share, or the insurer of the policy all.
    start, until : date or None
        First day, and the first day that no longer belongs to it, of the policies' start.
    """

    name: str
    share: Decimal
    floor: Decimal = Decimal(0)
    cap: Decimal | None = None
    base: Literal["written", "received", "earned"] = "written"
    sector: str = "*"
    rounding: Rounding = "corridor"
    unit: Literal["policy", "movement"] = "policy"
    accrues: Literal["shares", "leader"] = "shares"
    start: datetime.date | None = None
    until: datetime.date | None = None
    source: str = ""


KEYS = keys_of(LevyRule, **{"from": Key(datetime.date, field="start"), "source": Key(str, True)})


def read_levy_rules(source: str | Path | None = None) -> tuple[LevyRule, ...]:
    """Return the rules of a TOML file with one ``[[rule]]`` each; the shipped ones without a file.

    Raises
    ------
    PlanError
        What is wrong with the file, all at once: unknown and missing keys, values of another type or out of range.
    BookError
        RM707 rules that claim the same policies.
    """
    file = read_rules(source, "fund/data/levy_rules.toml")
    file.sections(("rule",))
    rules = file.records(LevyRule, "rule", KEYS, least=1, faults=_faults)
    file.settle()
    check_rules(rules, file.shown)
    return rules


def check_rules(rules: Sequence[LevyRule], file: str | None = None) -> None:
    """Check that every rule can be applied and that no two rules claim the same policy.

    Raises
    ------
    BookError
        RM706 for every rule that contradicts itself, RM707 for every pair that overlaps.
    """
    wrong: list[Problem] = []
    for rule in rules:
        wrong += [problem("RM706", file=file, rule=rule.name, why=why) for why in _faults(rule)]
    for at, one in enumerate(rules):
        for other in rules[at + 1 :]:
            if one.sector == other.sector and _from(one) < _until(other) and _from(other) < _until(one):
                wrong.append(problem("RM707", file=file, one=one.name, other=other.name, sector=one.sector))
    if wrong:
        raise BookError(wrong)


def _faults(rule: LevyRule) -> list[str]:
    cap = rule.cap if rule.cap is not None else Decimal(1)
    found = []
    if not 0 <= rule.floor <= rule.share <= cap <= 1:
        found.append(f"0 <= floor {rule.floor} <= share {rule.share} <= cap {cap} <= 1")
    if any(-int(value.as_tuple().exponent) > 6 for value in (rule.floor, rule.share, cap)):
        found.append("more than 6 decimals")
    if rule.rounding == "corridor" and rule.unit == "movement":
        found.append("rounding = 'corridor', unit = 'movement'")
    if _from(rule) >= _until(rule):
        found.append(f"from {rule.start} >= until {rule.until}")
    return found


def _from(rule: LevyRule) -> int:
    return -int(FAR) if rule.start is None else int(day_number(rule.start) or 0)


def _until(rule: LevyRule) -> int:
    return int(FAR) if rule.until is None else int(day_number(rule.until) or 0)


def plan_rules(plan: Plan) -> tuple[LevyRule, ...]:
    """Return the levy that a plan's constant ``fund_share`` states, its legal corridor, and its own rounding.

    Raises
    ------
    PlanError
        RM708 when the plan has no constant ``fund_share``.
    """
    held = plan.constants.get("fund_share")
    if held is None:
        raise PlanError(problem("RM708", plan=plan.id, nearest=nearest("fund_share", plan.constants)))
    ends = [plan.legal_ends(item) for item in plan.legal if item.of == "fund_share"]
    floor = max((low for low, _ in ends if low is not None), default=Decimal(0))
    cap = min((high for _, high in ends if high is not None), default=None)
    operation = plan.step(plan.fund).operation if plan.fund else None
    mode = operation.mode if isinstance(operation, Round) else "corridor"
    rounding: Rounding = "half_up"
    if mode == "up":
        rounding = "up"
    elif mode == "down":
        rounding = "down"
    elif mode == "corridor":
        rounding = "corridor"
    return (LevyRule("fund_share", held.value, floor, cap, rounding=rounding, source=f"{plan.id}: {held.source}"),)


def rule_of(rules: Sequence[LevyRule], sector: Texts, start: Ints) -> Ints:
    """Return the place of each policy's rule, (n,) int64; -1 where none fits; a sector's own goes first."""
    found = np.full(len(start), -1, dtype=np.int64)
    for own in (False, True):
        for at, rule in enumerate(rules):
            if (rule.sector != "*") is own:
                fits = (start >= _from(rule)) & (start < _until(rule))
                found[fits & (sector == rule.sector) if own else fits] = at
    return found


def share_of(amount_fen: Ints, share: Decimal, rounding: str) -> Ints:
    """Return a share of amounts to the fen, exact, a refund as the mirror of a charge.

    Examples
    --------
    >>> share_of(np.array([105, -105]), Decimal("0.10"), "up").tolist()
    [11, -11]
    """
    whole = 10 ** max(-int(share.as_tuple().exponent), 0)
    part = int(share * whole)
    product = np.abs(amount_fen) * part
    if rounding == "up":
        size = -(-product // whole)
    elif rounding == "down":
        size = product // whole
    else:
        size = (2 * product + whole) // (2 * whole)
    signed: Ints = np.sign(amount_fen) * size
    return signed


def levied(base_fen: Ints, rule: LevyRule) -> Ints:
    """Return the levy of amounts under one rule, (n,) int64 fen.

    Examples
    --------
    >>> rule = LevyRule("a", Decimal("0.10"), Decimal("0.10"), Decimal("0.21"))
    >>> levied(np.array([104, 105, 1]), rule).tolist()
    [11, 11, 1]
    """
    if rule.rounding != "corridor":
        return share_of(base_fen, rule.share, rule.rounding)
    levy = share_of(base_fen, rule.share, "half_up")
    if rule.cap is not None:
        levy = np.minimum(levy, share_of(base_fen, rule.cap, "down"))
    lifted: Ints = np.maximum(levy, share_of(base_fen, rule.floor, "up"))
    return lifted
