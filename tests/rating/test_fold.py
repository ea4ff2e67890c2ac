"""Folded steps, conditions on few rows and known ties change what is computed, never what comes out."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ratemod.plan.model import Combination, Test
from ratemod.rating import rounding
from ratemod.rating.axes import Bands, reached
from ratemod.rating.block import Block
from ratemod.rating.exact import evaluate, holds
from ratemod.rating.fast import compile_plan
from ratemod.rating.inputs import Inputs
from ratemod.rating.run import binding_bits, run
from tests.rating import random_plans
from tests.rating.steps import step_of

SLOW = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(plan=random_plans.plans(), seed=st.integers(0, 2**32))
def test_what_is_asked_for_does_not_change_what_comes_out(plan, seed):
    inputs = random_plans.inputs(seed, 200, plan)
    program = compile_plan(plan)
    bare, traced = run(program, inputs, (), threads=1), run(program, inputs, plan.step_names, threads=1)
    assert (bare.premium_fen == traced.premium_fen).all() and (bare.bits == traced.bits).all()
    one = run(program, inputs, plan.step_names[2:3], threads=1)
    name = plan.step_names[2]
    # Where a step that is not asked for is in doubt, its row is decided exactly only in the traced run: the nearest
    # float, which may be a neighbour of what floats gave.
    np.testing.assert_allclose(one.steps[name], traced.steps[name], rtol=2.0**-50, atol=0)
    if one.suspects == traced.suspects:
        assert np.array_equal(one.steps[name], traced.steps[name], equal_nan=True)


@SLOW
@given(plan=random_plans.plans(), seed=st.integers(0, 2**32), block=st.sampled_from([1, 7, 64]))
def test_a_second_look_and_blocks_leave_every_float_as_it_was(plan, seed, block):
    inputs = random_plans.inputs(seed, 100, plan)
    program = compile_plan(plan)
    whole = run(program, inputs, plan.step_names, threads=1)
    split = run(program, inputs, plan.step_names, threads=1, block=block)
    if whole.suspects == split.suspects == 0:  # exact arithmetic gives the nearest float, which may be another
        for name in plan.step_names:
            assert np.array_equal(whole.steps[name], split.steps[name], equal_nan=True), name
    traced = Block(100)
    program.run(traced, inputs, traced=True)
    for name in plan.step_names if whole.suspects == 0 else ():
        assert np.array_equal(whole.steps[name], traced.values[name], equal_nan=True), name


@settings(deadline=None)  # a busy machine may take its time
@given(
    marks=st.lists(st.tuples(st.integers(-400, 400), st.booleans()), min_size=1, max_size=30),
    places=st.integers(0, 2),
    raw=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_cases_of_a_number_are_its_comparisons(marks, places, raw, seed):
    numbers = [(Decimal(number) / 8, or_equal) for number, or_equal in marks]
    ends = tuple(sorted({reached(number, places, or_equal) for number, or_equal in numbers}))
    bands = Bands("x", places, ends, raw)
    rng = np.random.default_rng(seed)
    whole = rng.integers(-60 * 10**places, 60 * 10**places, 200)
    values = np.where(rng.random(200) < 0.1, np.nan, whole / 10**places + (0 if raw else 1e-9))
    blocks = [Block(200), Block(200)]
    blocks[0].start(Inputs(200, {"x": values}))
    blocks[1].start(Inputs(200, {"x": whole // 10**places}))
    for block, given_values in zip(blocks, (values, whole // 10**places * 10**places)):
        missing = np.isnan(values) if block is blocks[0] else np.zeros(200, dtype=bool)
        exact = [Decimal(int(n)) / 10**places for n in (whole if block is blocks[0] else given_values)]
        assert (bands.missing(block) == missing).all()
        for number, or_equal in numbers:
            at = bands.mark(number, or_equal)
            wanted = np.array([(value >= number if or_equal else value > number) for value in exact])
            assert (bands.above(block, at) == (wanted & ~missing)).all()
            assert (bands.above(block, at, below=True) == (~wanted & ~missing)).all()


@pytest.mark.parametrize("few", [True, False])
def test_steps_of_one_condition_run_on_the_rows_that_meet_it(few):
    limit = Decimal(900 if few else 2)
    when = Test("heads", at_least=limit)
    steps = (
        step_of("part", "difference", of=("limit_yuan", "prior"), when=when, otherwise="none"),
        step_of("twice", "sum", of=("part", "part", "limit_yuan"), when=when, otherwise="heads"),
        step_of("kept", "bound", of=("twice",), low=Decimal(-5), high=Decimal(700_000), when=when),
        step_of("after", "product", of=("kept", "k")),
        step_of("again", "sum", of=("part", "after"), when=when, otherwise=Decimal(1)),
        step_of("premium", "round", of=("again",), unit=Decimal("0.01")),
    )
    plan = random_plans.plan_of(steps)
    inputs, program = random_plans.inputs(9, 2000), compile_plan(plan)
    found, state = run(program, inputs, plan.step_names, threads=1), evaluate(plan, inputs)
    share = holds(when, plan, state).mean()
    assert 0 < share < 1 / 3 if few else share > 1 / 3
    assert (found.bits == binding_bits(program, state)).all() and found.bits.any()
    for name in plan.step_names:
        np.testing.assert_allclose(found.steps[name], state.values[name].floats(), rtol=1e-12)


@pytest.mark.parametrize("quantum", ["0.25", "0.07", "0.3", "0.05"])
@pytest.mark.parametrize("mode", ["half_up", "half_even", "up", "down"])
def test_units_that_do_not_divide_the_grid_round_exactly(quantum, mode):
    steps = (
        step_of("tenths", "round", of=("ratio_in",), unit=Decimal("0.1")),
        step_of("premium", "round", of=("tenths",), unit=Decimal(quantum), mode=mode),
    )
    plan, inputs = random_plans.plan_of(steps), random_plans.inputs(3, 2000)
    found = run(compile_plan(plan), inputs, ("premium",), threads=1).steps["premium"]
    np.testing.assert_allclose(found, evaluate(plan, inputs).values["premium"].floats(), rtol=1e-12)


def test_ties_made_by_a_cap_need_no_second_look(monkeypatch):
    """A third has no grid, but where a cap holds the premium is the cap, of four places: half of them ties."""
    steps = (
        step_of("third", "ratio", of=("limit_yuan", Decimal(3))),
        step_of("capped", "cap", of=("third",), against="prior", low=Decimal("0.75"), high=Decimal("1.25")),
        step_of("premium", "round", of=("capped",), unit=Decimal("0.01")),
    )
    plan, inputs = random_plans.plan_of(steps), random_plans.inputs(3, 4000)
    looked = []
    whole = rounding.whole

    def watch(*given):
        near, apart = whole(*given)
        looked.append(len(near))
        return near, apart

    monkeypatch.setattr(rounding, "whole", watch)
    found = run(compile_plan(plan), inputs, (), threads=1)
    exact = evaluate(plan, inputs).values
    ties = sum(value is not None and (value * 1000).denominator == 1 for value in exact["capped"].fractions())
    assert ties > 500 and sum(looked) < 20
    assert found.premium_fen.tolist() == [
        0 if value is None else int(value * 100) for value in exact["premium"].fractions()
    ]


def test_a_condition_is_an_axis_of_its_own():
    when = Combination("any", (Test("sector", is_=("a",)), Test("end", above="start")))
    steps = (
        step_of("factor", "product", of=("k", Decimal("1.5")), when=when, otherwise=Decimal(1)),
        step_of("premium", "product", of=("factor", "heads")),
        step_of("rounded", "round", of=("premium",), unit=Decimal("0.01")),
    )
    plan, inputs = random_plans.plan_of(steps), random_plans.inputs(4, 1000)
    program = compile_plan(plan)
    node = next(node for node in program.nodes if node.name == "factor")
    assert node.folded
    found = run(program, inputs, ("factor",), threads=1).steps["factor"]
    np.testing.assert_allclose(found, evaluate(plan, inputs).values["factor"].floats(), rtol=1e-15)
