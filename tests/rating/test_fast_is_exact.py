"""The fast path gives the fen, and everything else, of exact arithmetic."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ratemod.plan.model import Plan, Test
from ratemod.rating.exact import evaluate, holds, outside_range
from ratemod.rating.fast import compile_plan
from ratemod.rating.inputs import Inputs
from ratemod.rating.run import binding_bits, run
from ratemod.vocabulary.column import Column
from tests.rating import random_plans
from tests.rating.steps import step_of

SLOW = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(plan=random_plans.plans(), seed=st.integers(0, 2**32))
def test_fast_path_equals_exact_arithmetic_on_random_plans(plan, seed):
    inputs = random_plans.inputs(seed, 300, plan)
    program = compile_plan(plan)
    found = run(program, inputs, plan.step_names, threads=1)
    headlines = tuple(step.name for step in plan.steps if step.headline)
    state = evaluate(plan, inputs)
    amounts = [state.values[name].fractions() for name in (plan.premium, plan.fund) if name is not None]
    priced = [all(amount is not None and abs(amount) <= plan.money.most for amount in row) for row in zip(*amounts)]
    for out in (found, run(program, inputs, headlines, threads=1)):  # every step kept, and as few as may be
        assert out.priced.tolist() == priced
        for fen, amount in zip((out.premium_fen, out.fund_fen), amounts):
            assert fen[out.priced].tolist() == [int(value * 100) for value, held in zip(amount, priced) if held]
            assert not fen[~out.priced].any()
        assert (out.bits == binding_bits(program, state)).all()
        for rule, caught in zip(plan.rules, out.caught, strict=True):
            assert (caught == holds(rule.when, plan, state)).all(), rule
        proved = [item for item in plan.legal if item not in program.guarded]
        assert not any(outside_range(item, state).any() for item in proved)
        for item, outside, excepted in zip(program.guarded, out.outside, out.excepted, strict=True):
            assert (outside == outside_range(item, state)).all(), item
            assert (excepted == (item.exception is not None and holds(item.exception.when, plan, state))).all(), item
    for name in plan.step_names:
        exact = state.values[name].floats()
        assert np.array_equal(np.isnan(exact), np.isnan(found.steps[name])), name
        np.testing.assert_allclose(found.steps[name], exact, rtol=1e-9, atol=1e-9, err_msg=name)


@SLOW
@given(
    plan=random_plans.plans(),
    seed=st.integers(0, 2**32),
    block=st.sampled_from([1, 7, 64, 1000]),
    threads=st.sampled_from([1, 2, 3]),
)
def test_blocks_threads_and_row_order_do_not_matter(plan, seed, block, threads):
    inputs = random_plans.inputs(seed, 130, plan)
    program = compile_plan(plan)
    whole = run(program, inputs, (), threads=1)
    split = run(program, inputs, (), threads=threads, block=block)
    assert (whole.premium_fen == split.premium_fen).all() and (whole.bits == split.bits).all()
    order = np.random.default_rng(seed).permutation(130)
    mixed = run(program, inputs.part(order), (), threads=1)
    assert (mixed.premium_fen == whole.premium_fen[order]).all() and (mixed.priced == whole.priced[order]).all()


@given(
    values=st.lists(st.integers(-(10**7), 10**7), min_size=1, max_size=50), unit=st.sampled_from(["0.01", "0.05", "1"])
)
def test_rounding_is_half_away_from_zero(values, unit):
    from decimal import ROUND_HALF_UP, Decimal

    from ratemod.rating.rational import from_floats, round_to

    given_values = [Decimal(value) / 1000 for value in values]
    found = round_to(from_floats(np.array([float(value) for value in given_values]), 3), Decimal(unit), "half_up")
    wanted = [(value / Decimal(unit)).quantize(Decimal(1), ROUND_HALF_UP) * Decimal(unit) for value in given_values]
    assert found.fractions() == [Fraction(value) for value in wanted]


@pytest.mark.parametrize("op", ["difference", "sum", "add_percentages"])
def test_a_sum_that_may_cancel_keeps_its_own_places_under_a_condition(op):
    """A sum put back on its grid: on its own places, not on those of what stands in where it does not apply."""
    third = step_of("third", "ratio", of=(Decimal(1), Decimal(3)))  # no decimal
    summed = step_of("summed", op, of=("ratio_in", "k"), when=Test("heads", above=Decimal(20)), otherwise="third")
    premium = step_of("premium", "round", of=("summed",), unit=Decimal("0.01"))
    plan = random_plans.plan_of((third, summed, premium))
    inputs = random_plans.inputs(5, 500)
    found = run(compile_plan(plan), inputs, plan.step_names, threads=1)
    state = evaluate(plan, inputs)
    np.testing.assert_allclose(found.steps["summed"], state.values["summed"].floats(), rtol=1e-12)


@pytest.mark.parametrize("places", [0, 1, 2, 3, 4, 6])
def test_what_is_shared_out_is_first_rounded_half_up_to_the_fen(places):
    """The total of a policy may have more places than two; ties of it go up on both paths."""
    rng = np.random.default_rng(places)
    limit = 10**places
    value = rng.integers(-1000 * limit, 10**5 * limit, 300) / limit
    value[:100] = np.round(np.trunc(value[:100]) + rng.choice([0.005, 0.125, 0.995, -0.005], 100), places)
    columns = {
        "g": Column("g", "text"),
        "v": Column("v", "number", decimals=places, low=Decimal(-(10**6)), high=Decimal(10**6)),
        "w": Column("w", "number", decimals=0, low=Decimal(0), high=Decimal(9)),
    }
    total = step_of("total", "rollup", of=("v",), by="g", how="max")
    plan = random_plans.plan_of((total, step_of("premium", "share_out", of=("total",), by="g", weights="w")))
    plan = Plan(**{**{name: getattr(plan, name) for name in plan.__dataclass_fields__}, "columns": columns})
    inputs = Inputs(
        300,
        {"v": value, "w": rng.integers(1, 9, 300).astype(float)},
        groups={("g",): np.sort(rng.integers(0, 150, 300))},
        filled={"g": np.ones(300, bool)},
    )
    exact = [int(share * 100) for share in evaluate(plan, inputs).values["premium"].fractions()]
    assert run(compile_plan(plan), inputs, (), threads=1).premium_fen.tolist() == exact


def test_ties_of_amounts_so_large_that_floats_slip_past_them():
    """Ninety thousand million yuan in ten-thousandths: a float is as far from its decimal as that from a tie."""
    rng = np.random.default_rng(3)
    limit, heads = rng.integers(190_000_000, 200_000_001, 400_000), rng.integers(4_500, 5_001, 400_000)
    ties = np.flatnonzero(limit * heads * 907 % 100 == 50)[:3000]
    made = random_plans.inputs(0, len(ties))
    inputs = Inputs(made.n, {**made.numbers, "limit_yuan": limit[ties] / 100, "heads": heads[ties].astype(float)})
    raw = step_of("raw", "product", of=("limit_yuan", "heads", Decimal("9.07")))
    plan = random_plans.plan_of((raw, step_of("premium", "round", of=("raw",), unit=Decimal("0.01"))))
    wanted = (limit[ties].astype(object) * heads[ties] * 907 + 50) // 100  # half up, in integers
    assert run(compile_plan(plan), inputs, (), threads=1).premium_fen.tolist() == wanted.tolist()
