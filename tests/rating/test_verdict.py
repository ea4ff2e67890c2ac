"""Combinations of problems are numbered alike, whether they fit one small number a row or not."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.errors import problem
from ratemod.plan.model import Test
from ratemod.rating import verdict
from ratemod.rating.encode import Doubt
from ratemod.rating.rate import rate
from tests.rating import random_plans
from tests.rating.steps import step_of

PROBLEMS = tuple(problem("RM303", name=str(number), message_en="en", message_zh="中") for number in range(18))


@settings(deadline=None)  # a busy machine may take its time
@given(kinds=st.lists(st.integers(1, 3), min_size=1, max_size=6), n=st.integers(1, 300), seed=st.integers(0, 2**32))
def test_few_and_many_combinations_are_numbered_alike(kinds, n, seed):
    rng = np.random.default_rng(seed)
    doubts = [
        Doubt(np.where(rng.random(n) < 0.2, rng.integers(0, kind + 1, n), 0).astype(np.int32), PROBLEMS[at : at + kind])
        for at, kind in zip(range(0, 18, 3), kinds)
    ]
    which_of, combinations = verdict._combine(doubts)
    for row in range(n):
        told = tuple(doubt.problems[doubt.which[row] - 1] for doubt in doubts if doubt.which[row])
        assert told == (combinations[which_of[row] - 1] if which_of[row] else ())
    kept, verdict.FEW = verdict.FEW, 0
    try:
        if which_of.any():
            slow_of, slow = verdict._combine(doubts)
            assert (slow_of == which_of).all() and slow == combinations
    finally:
        verdict.FEW = kept


def test_a_step_that_is_empty_by_its_condition_is_not_blamed():
    """Only sector a has an extra; what leaves the row without a premium is the step that divides by nothing."""
    steps = (
        step_of("extra", "product", of=("heads", "k"), when=Test("sector", is_=("a",)), otherwise="none"),
        step_of("weighed", "ratio", of=("heads", "ratio_in")),
        step_of("premium", "round", of=("weighed",), unit=Decimal("0.01")),
    )
    book = random_plans.frame(0, 3)
    book["heads"], book["sector"], book["ratio_in"] = [10, 10, 10], ["b", "b", "a"], [0.0, 2.0, 0.0]
    rated = rate(book, random_plans.plan_of(steps), lang="en")
    assert rated.table["code"].to_pylist() == ["RM312", None, "RM312"]
    assert all("weighed" in reason for reason in rated.table["reason"].to_pylist() if reason)
