"""What is said of every step before a row is seen holds in every row, by exact arithmetic, and is not too wide."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import inf
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ratemod.plan.check import problems_of
from ratemod.plan.interval import UNIT, Range
from ratemod.plan.model import Test
from ratemod.plan.ranges import range_where, ranges, snap_places
from ratemod.rating.exact import evaluate
from ratemod.rating.fast import compile_plan
from ratemod.rating.run import run
from ratemod.vocabulary.column import Column
from tests.rating import random_plans
from tests.rating.steps import step_of


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(plan=random_plans.plans(), seed=st.integers(0, 2**32))
def test_every_exact_value_and_every_float_lies_where_it_is_said_to(plan, seed):
    inputs = random_plans.inputs(seed, 60, plan)
    state, known = evaluate(plan, inputs), ranges(plan)
    floats = run(compile_plan(plan), inputs, plan.step_names, threads=1).steps
    for name in plan.step_names:
        said = known[name]
        for exact, seen in zip(state.values[name].fractions(), floats[name]):
            if exact is None:
                continue
            assert said.low <= exact <= said.high, name
            assert said.places is None or (exact * 10**said.places).denominator == 1, name
            if np.isfinite(seen) and said.rel != inf and said.abs != inf:
                assert abs(Fraction(float(seen)) - exact) <= Fraction(said.rel) * abs(exact) + Fraction(said.abs), name


def test_columns_constants_and_steps_in_order():
    steps = (
        step_of("part", "difference", of=("limit_yuan", "prior")),
        step_of("kept", "bound", of=("part",), low=Decimal(-5), high=Decimal("7.5")),
        step_of("premium", "product", of=("kept", "k", "heads"), when=Test("sector", is_=("a",)),
                otherwise=Decimal("-9.125")),
        step_of("only", "product", of=("kept", "k"), when=Test("sector", is_=("a",)), otherwise="none"),
    )  # fmt: skip
    known = ranges(random_plans.plan_of(steps))
    heads, date = known["heads"], known["start"]
    assert (heads.low, heads.high, heads.places, heads.raw) == (0, 5000, 0, True)
    assert (date.low, date.high, date.places, date.rel) == (-25567, 109572, 0, 0.0)  # 1900-01-01 and 2269-12-31
    assert (known["k"].low, known["k"].places) == (Fraction(7, 100), 2)
    assert (known["part"].low, known["part"].high, known["part"].places) == (-(10**8), 2_000_000, 2)
    assert (known["part"].rel, known["part"].abs, known["part"].raw) == (UNIT, 0.0, True)  # rounded to its own places
    assert (known["kept"].low, known["kept"].high) == (-5, Fraction(15, 2))
    most = Fraction(15, 2) * Fraction(7, 100) * 5000
    assert (known["premium"].low, known["premium"].high, known["premium"].places) == (-5 * 350, most, 4)
    assert (known["only"].low, known["only"].high) == (Fraction(-35, 100), Fraction(525, 1000))
    assert list(known)[-4:] == ["part", "kept", "premium", "only"]


def test_a_line_may_bear_nothing_of_what_a_policy_pays():
    """So a least amount of a policy is none of its lines, and no legal range may be proved by it."""
    steps = (
        step_of("least", "bound", of=("heads",), low=Decimal(10), high=Decimal(90)),
        step_of("premium", "share_out", of=("least",), by="policy", weights="weight"),
        step_of("back", "difference", of=(Decimal(0), "least")),
        step_of("refund", "share_out", of=("back",), by="policy", weights="weight"),
    )
    known = ranges(random_plans.plan_of(steps))
    assert (known["premium"].low, known["premium"].high, known["premium"].places) == (0, 90, 2)
    assert (known["refund"].low, known["refund"].high) == (-90, 0)


def test_what_a_step_is_elsewhere_belongs_to_its_range():
    steps = (step_of("premium", "product", of=("heads", "k"), when=Test("sector", is_=("a",)), otherwise=Decimal(-7)),)
    known = ranges(random_plans.plan_of(steps))["premium"]
    assert (known.low, known.high, known.places) == (-7, 350, 2)


@pytest.mark.parametrize(
    "op, of, places",
    [
        ("sum", ("ratio_in", "limit_yuan"), 4),
        ("difference", ("limit_yuan", "heads"), 2),
        ("sum", ("heads", "heads"), None),  # whole numbers of one sign add up without error: nothing to mend
        ("product", ("ratio_in", "k"), None),
        ("add_percentages", ("ratio_in", "k"), 4),
    ],
)
def test_a_sum_that_may_cancel_is_rounded_to_its_places(op, of, places):
    plan = random_plans.plan_of((step_of("premium", op, of=of),))
    assert snap_places(plan.steps[0], plan, ranges(plan)) == places


def test_where_an_end_holds_more_may_be_known_of_what_follows():
    steps = (
        step_of("third", "ratio", of=("limit_yuan", Decimal(3))),
        step_of("capped", "cap", of=("third",), against="prior", low=Decimal("0.75"), high=Decimal("1.25")),
        step_of("twice", "product", of=("capped", Decimal("1.5"))),
        step_of("other", "product", of=("third", Decimal(2))),
        step_of("premium", "sum", of=("twice", "other")),
    )
    plan = random_plans.plan_of(steps)
    known = ranges(plan)
    held = Range(Fraction(0), Fraction(10**8), 4)
    assert known["twice"].places is None
    twice = range_where(plan, known, "capped", held, "twice")
    assert (twice.low, twice.high, twice.places) == (0, Fraction(3, 2) * 10**8, 5)
    assert range_where(plan, known, "capped", held, "capped").places == 4
    assert range_where(plan, known, "capped", held, "premium") is None  # a third is still part of it
    assert range_where(plan, known, "capped", held, "other") is None
    assert range_where(plan, known, "capped", Range(Fraction(0), Fraction(1), None), "twice") is None


def test_a_column_without_ends_may_be_anything():
    plan = replace(random_plans.plan_of(()), columns=MappingProxyType({"x": Column("x", "number", decimals=1)}))
    known = ranges(plan)["x"]
    assert (known.low, known.high, known.places) == (-inf, inf, 1)


@pytest.mark.parametrize("op, whole", [("share_out", True), ("product", False)])
def test_a_premium_is_in_whole_fen_by_rounding_or_by_sharing_out(op, whole):
    given = {"by": "policy", "weights": "weight"} if op == "share_out" else {}
    plan = random_plans.plan_of((step_of("premium", op, of=("heads",), **given),))
    assert ("RM151" not in {item.code for item in problems_of(plan)}) == whole
