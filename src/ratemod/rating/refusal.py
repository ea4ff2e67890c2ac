"""Which rows end without a premium: one definition for the verdict of a book and for every what-if."""

from __future__ import annotations

from ratemod.plan.graph import REFUSING
from ratemod.plan.model import Plan
from ratemod.rating.groups import whole_groups
from ratemod.rating.inputs import Groups, Selector
from ratemod.rating.rational import Mask
from ratemod.rating.run import Outputs


def lost_rows(plan: Plan, out: Outputs, barred: Mask, groups: Groups, rows: Selector) -> Mask:
    """Return which of some rows end without a premium.

    Parameters
    ----------
    plan : Plan
    out : Outputs of n rows
    barred : (m,) bool, rows that a cell or a check across rows refuses, whatever the numbers of the plan are
    groups : columns -> (m,) int64, the policy of every line; `rows` then hold whole policies
    rows : m of the n rows

    Returns
    -------
    (m,) bool
        Barred, caught by a rule that refuses or declines, outside the law without its exception, without a premium
        that can be held and is not below zero, or a line of a policy that has such a line.
    """
    lost = barred | ~out.priced[rows] | below_zero(out)[rows]
    for rule, caught in zip(plan.rules, out.caught, strict=True):
        if rule.action in REFUSING:
            lost |= caught[rows]
    for outside, excepted in zip(out.outside, out.excepted, strict=True):
        lost |= outside[rows] & ~excepted[rows]
    return lost | other_lines(lost, groups)


def below_zero(out: Outputs) -> Mask:
    """Return the rows whose premium is below zero, (n,) bool."""
    below: Mask = out.premium_fen < 0  # 0 where there is none
    return below


def other_lines(lost: Mask, groups: Groups) -> Mask:
    """Return the other lines of policies that have a line without a premium, (n,) bool."""
    return whole_groups(lost, groups) & ~lost
