"""Money that a run keeps: of the premium and of the fund, decided by floats or exactly, within what can be believed."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from ratemod.rating.exact import evaluate
from ratemod.rating.fast import compile_plan
from ratemod.rating.run import decide, run
from tests.rating import random_plans
from tests.rating.steps import step_of

CENT = Decimal("0.01")


def plan_with(premium: Decimal, fund: Decimal, unit: Decimal = CENT):
    steps = (
        step_of("due", "product", of=("limit_yuan", premium)),
        step_of("premium", "round", of=("due",), unit=unit),
        step_of("set_aside", "product", of=("premium", fund)),
        step_of("fund", "round", of=("set_aside",), unit=unit),
    )
    return random_plans.plan_of(steps)


def by_hand(limits, premium: Decimal, fund: Decimal) -> list[tuple[int, int]]:
    """Premium and fund in fen by Python's decimals, rounded half up."""
    found = []
    for limit in limits.tolist():
        due = (Decimal(repr(limit)) * premium).quantize(CENT, "ROUND_HALF_UP")
        found.append((int(due * 100), int((due * fund).quantize(CENT, "ROUND_HALF_UP") * 100)))
    return found


@pytest.mark.parametrize("exactly", [False, True])
def test_premium_and_fund_are_each_their_own(exactly):
    premium, fund = Decimal("0.0375"), Decimal("0.15")
    plan, inputs = plan_with(premium, fund), random_plans.inputs(5, 300)
    program = compile_plan(plan)
    out = run(program, inputs, (), threads=1)
    if exactly:
        out.premium_fen[:], out.fund_fen[:] = -1, -1
        decide(program, inputs, np.arange(300), out, 64)
    wanted = by_hand(inputs.numbers["limit_yuan"], premium, fund)
    assert list(zip(out.premium_fen.tolist(), out.fund_fen.tolist())) == wanted


@pytest.mark.parametrize("exactly", [False, True])
@pytest.mark.parametrize("unit", [CENT, Decimal(100_000)])
@pytest.mark.parametrize("premium, fund", [("1E+8", "0.1"), ("-1E+8", "0.1"), ("100", "1E+6"), ("100", "-1E+6")])
def test_amounts_beyond_ten_million_million_yuan_are_no_price(exactly, premium, fund, unit):
    """Whichever of the two it is, and on either side of zero; at 10^13 itself there is one."""
    plan, inputs = plan_with(Decimal(premium), Decimal(fund), unit), random_plans.inputs(6, 300)
    inputs.numbers["limit_yuan"][:] = np.arange(300) * 1000.0
    inputs.numbers["limit_yuan"][:3] = [100_000.0, 101_000.0, 99_000.0]
    program = compile_plan(plan)
    out = run(program, inputs, (), threads=1)
    if exactly:
        out.priced[:] = False
        decide(program, inputs, np.arange(300), out, 64)
    within = np.abs(inputs.numbers["limit_yuan"]) * 10**8 <= 10**13
    assert out.priced.tolist() == within.tolist() and within[0] and not within[1] and within[2]
    assert (out.premium_fen[~within] == 0).all() and (out.fund_fen[~within] == 0).all()
    state = evaluate(plan, inputs)
    assert state.values["fund"].ok.all()
