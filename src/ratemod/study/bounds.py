"""Bounds of plausibility: what lies beyond them stops a study, unless it is accepted by name with a reason.

A bound is no test of a hypothesis. It stands where a mistyped year, a unit of another scale or a broken export is more
likely than the truth. What is only odd (a claim above its policy's limit, a claims list that differs from the last
valuation) is named and used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemod.errors import ModelError, Problem, nearest, problem
from ratemod.ratemaking.arrays import Floats
from ratemod.reading.convert import convert
from ratemod.study.assumptions import Assumptions
from ratemod.study.history import History
from ratemod.study.losses import Observed

if TYPE_CHECKING:
    from ratemod.plan.model import Plan
    from ratemod.study.held_out import HeldOut
    from ratemod.study.rates import Rates

# What each bound holds back, by the name under which it can be accepted.
BOUNDS: Mapping[str, str] = MappingProxyType(
    {
        "new_from": "the rates apply after the last valuation and no more than three years after it",
        "largest_claim": "no claim holds more than a quarter of all losses (of thirty claims or more)",
        "claims_against_valuations": "no more than a twentieth of the money differs from its last valuation",
        "valuations_left_out": "no more than a fiftieth of the past values is left out",
        "excess_share": "no more than half of the losses lies above the cap of large losses",
        "indicated_change": "the premium needed is a fifth to five times that at current rates",
        "off_balance": "the factor on the rates is 0.4 to 2.5",
    }
)
YEARS_AHEAD = 3.0
LARGEST_SHARE, LEAST_CLAIMS = 0.25, 30
CONTRADICTED = 0.05
LEFT_OUT = 0.02
EXCESS_SHARE = 0.5
CHANGE = (0.2, 5.0)
OFF_BALANCE = (0.4, 2.5)
MOST_NAMED = 8
NOTHING_LOST = ("RM970", "RM396", "RM474")  # counted once, of no claim, between the years

Stop = tuple[str, Problem]


def judged(stops: Sequence[Stop], assumed: Assumptions) -> tuple[Problem, ...]:
    """Return what is beyond its bound and was accepted, as warnings.

    Raises
    ------
    ModelError
        Everything that was not accepted; RM985 a bound that does not exist or is accepted without a reason.
    """
    wrong = [
        problem("RM985", name=name, nearest=nearest(name, BOUNDS), bounds=", ".join(BOUNDS))
        for name, why in assumed.accept.items()
        if name not in BOUNDS or not str(why).strip()
    ]
    beyond = [item for name, item in stops if name not in assumed.accept]
    if wrong or beyond:
        raise ModelError([*wrong, *beyond])
    return tuple(item for _, item in stops)


def of_dates(valuation: np.datetime64, assumed: Assumptions) -> list[Stop]:
    """Return whether the day of the new rates can be meant."""
    first = np.datetime64(assumed.new_from)
    years = float((first - valuation.astype("datetime64[D]")).astype(int)) / 365.25
    code = "RM982" if years <= 0 else "RM983" if years > YEARS_AHEAD else ""
    return [("new_from", problem(code, day=assumed.new_from, valuation=valuation))] if code else []


def of_history(history: History, seen: Observed, assumed: Assumptions) -> list[Stop]:
    """Return what is beyond its bound in a history."""
    found: list[Stop] = []
    counted = history.incurred_yuan
    whole = float(counted.sum())
    top = int(counted.argmax())
    if len(counted) >= LEAST_CLAIMS and counted[top] > LARGEST_SHARE * whole:
        number = history.claim_no[top].as_py()
        share = f"{counted[top] / whole:.0%}"
        found.append(("largest_claim", problem("RM977", claim=number, yuan=f"{counted[top]:,.2f}", share=share)))
    odd, _ = contradicted(history, seen.valuation)
    money = float(counted[odd].sum())
    if money > CONTRADICTED * whole:
        found.append(("claims_against_valuations", problem("RM978", **_named(history, odd), yuan=f"{money:,.2f}")))
    intake = history.intake.get("valuations")
    if intake is not None and len(intake.numbers):
        lost = [(why, len(rows)) for why, rows, _ in intake.left() if why.code not in NOTHING_LOST]
        rows = sum(count for _, count in lost)
        if rows > LEFT_OUT * len(intake.numbers):
            reasons = "; ".join(f"{why.code} {why.what()}" for why, _ in lost[:3])
            found.append(("valuations_left_out", problem("RM979", rows=rows, of=len(intake.numbers), why=reasons)))
    over = np.maximum(seen.claim_yuan - assumed.large_loss_yuan, 0.0)
    above = float(over.sum() / seen.claim_yuan.sum())
    if above > EXCESS_SHARE:
        cap = f"{assumed.large_loss_yuan:,.0f}"
        found.append(("excess_share", problem("RM987", cap=cap, share=f"{above:.1%}")))
    return found


def of_rates(rates: Rates) -> list[Stop]:
    """Return what is beyond its bound in a result."""
    found: list[Stop] = []
    change = rates.indication.value
    if not CHANGE[0] <= 1 + change <= CHANGE[1]:
        found.append(("indicated_change", problem("RM980", change=f"{change:+,.0%}", low=CHANGE[0], high=CHANGE[1])))
    if not OFF_BALANCE[0] <= rates.off_balance <= OFF_BALANCE[1]:
        factor = f"{rates.off_balance:.3f}"
        found.append(("off_balance", problem("RM981", factor=factor, low=OFF_BALANCE[0], high=OFF_BALANCE[1])))
    return found


def odd_claims(history: History, plan: Plan, valuation: np.datetime64, amount: str) -> tuple[Problem, ...]:
    """Return claims that are named and used: above their policy's limit, or other than their last valuation."""
    found = []
    odd, compared = contradicted(history, valuation)
    if odd.any():
        found.append(problem("RM978", **_named(history, odd), yuan=f"{history.incurred_yuan[odd].sum():,.2f}"))
    elif not compared:
        found.append(problem("RM989", valuation=valuation))
    limit = _limits(history, plan, amount)
    above = history.incurred_yuan > limit[history.claim_policy]
    if above.any():
        found.append(problem("RM974", **_named(history, above), yuan=f"{history.incurred_yuan[above].sum():,.2f}"))
    return tuple(found)


def of_held_out(found: HeldOut | tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Return a warning where the last year was outside its interval, or why it could not be judged."""
    if isinstance(found, tuple):
        return (problem("RM990", why="; ".join(f"{item.code} {item.what()}" for item in found[:2])),)
    if found.inside:
        return ()
    return (
        problem(
            "RM984",
            year=found.year,
            ratio=f"{found.ratio:.2f}",
            low=f"{found.low_yuan:,.0f}",
            high=f"{found.high_yuan:,.0f}",
            actual=f"{found.actual_yuan:,.0f}",
        ),
    )


def contradicted(history: History, valuation: np.datetime64) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], bool]:
    """Return which claims differ from their value of the last valuation, and whether the two can be compared at all.

    Where most differ, the list stands on another day than the last valuation; then none is named.
    """
    none = np.zeros(len(history.incurred_yuan), dtype=bool)
    last = history.valued_date == valuation
    if not last.any():
        return none, not len(history.valued_date)
    claim, yuan = history.valued_claim[last], history.valued_yuan[last]
    apart = np.abs(history.incurred_yuan[claim] - yuan) > 1.0
    if apart.mean() > 0.5:
        return none, False
    none[claim[apart]] = True
    return none, True


def _named(history: History, which: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> dict[str, Any]:
    at = np.flatnonzero(which)
    first = [str(history.claim_no[int(i)].as_py()) for i in at[:MOST_NAMED]]
    return {"claims": len(at), "numbers": ", ".join(first) + (" …" if len(at) > MOST_NAMED else "")}


def _limits(history: History, plan: Plan, amount: str) -> Floats:
    """Return the sum insured of each policy, limit a person × persons; infinite where the plan knows no such limit."""
    table = history.book.table
    found = []
    for name in ("limit_yuan", amount):
        if name not in plan.columns or name not in table.column_names:
            return np.full(table.num_rows, np.inf)
        column = convert(table[name], plan.columns[name], history.book.conversions.get(name))
        found.append(np.nan_to_num(np.asarray(column.values).astype(np.float64), nan=np.inf))
    return found[0] * found[1]
