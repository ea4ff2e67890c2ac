"""A book moved from plan to plan stands where a full re-rate of the last plan puts it, whatever the way."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rating import random_plans
from tests.rating.steps import step_of

from ratemod.errors import PlanError
from ratemod.plan.edit import paths
from ratemod.plan.model import Axis, Band, Row, Rule, Table, Test
from ratemod.rating.fast import compile_plan
from ratemod.rating.refusal import lost_rows
from ratemod.rating.run import run
from ratemod.whatif import position as module
from ratemod.whatif.engine import Engine
from ratemod.whatif.position import position
from ratemod.whatif.scenario import current_values

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def wanted(plan, inputs):
    out = run(compile_plan(plan), inputs, (), threads=1)
    lost = lost_rows(plan, out, np.zeros(inputs.n, dtype=bool), inputs.groups, slice(None))
    return np.where(lost, 0, out.premium_fen), ~lost


@SLOW
@given(plan=random_plans.plans(), seed=st.integers(0, 2**32), data=st.data(), block=st.sampled_from([7, 65_536]))
def test_every_way_leads_to_the_full_re_rate(plan, seed, data, block):
    inputs = random_plans.inputs(seed, 200, plan)
    barred = np.zeros(inputs.n, dtype=bool)
    book = Engine(plan, None, inputs, wanted(plan, inputs)[0], barred)
    module.BLOCK, kept = block, module.BLOCK
    try:
        now = position(plan, inputs, barred)
        free = [path for path in paths(plan) if path in current_values(plan)]
        for _ in range(data.draw(st.integers(1, 4))):
            chosen = data.draw(st.lists(st.sampled_from(free), max_size=3, unique=True)) if free else []
            factor = data.draw(st.sampled_from(["1", "0.9", "1.5", "1.0001", "-1"]))
            try:
                changed = plan.replace({path: current_values(plan)[path] * Decimal(factor) for path in chosen})
            except PlanError:
                continue
            rows = now.move(changed, book.answers)
            premium, priced = wanted(changed, inputs)
            assert (now.premium_fen == premium).all()
            assert (now.priced == priced).all()
            assert rows is None or len(rows) <= inputs.n
    finally:
        module.BLOCK = kept


def refusing(when, *steps, tables=None):
    """A plan of 100 yuan a head that refuses what meets a condition, and 10, 300 and 900 heads."""
    charged = step_of("charged", "product", of=("heads", Decimal(100)))
    premium = step_of("premium", "round", of=("charged",), unit=Decimal("0.01"))
    plan = random_plans.plan_of((*steps, charged, premium), tables, Decimal(500))
    rule = Rule("too_large", when, "refuse", "", "", "s")
    inputs = random_plans.inputs(0, 3)
    inputs.numbers["heads"][:] = [10, 300, 900]
    return replace(plan, rules=(rule,)), inputs


def moved(plan, inputs, changes):
    barred = np.zeros(inputs.n, dtype=bool)
    book = Engine(plan, None, inputs, wanted(plan, inputs)[0], barred)
    now = position(plan, inputs, barred)
    found = []
    for change in changes:
        now.move(plan.replace(change), book.answers)
        found.append(int(now.premium_fen.sum()))
    return found


def test_a_constant_that_only_a_rule_reads_is_a_number_of_the_plan_as_any_other():
    plan, inputs = refusing(Test("heads", above="k"))
    changes = [{"constants.k": most} for most in ("200", "2000", "500")]
    assert moved(plan, inputs, changes) == [100_000, 12_100_000, 3_100_000]


def test_a_table_that_only_the_step_of_a_rule_reads_is_one_too():
    rows = [(None, 100, 1), (100, 500, 4), (500, None, 9)]
    bands = tuple(Row((Band(*(e and Decimal(e) for e in (a, b))),), (Decimal(v),), "s") for a, b, v in rows)
    tables = {"score": Table("score", (Axis("heads", "band"),), ("value",), bands)}
    plan, inputs = refusing(Test("score", above=Decimal(5)), step_of("score", "lookup", table="score"), tables=tables)
    changes = [{"tables.score[100..500].value": points} for points in ("7", "4")]
    assert moved(plan, inputs, changes) == [100_000, 3_100_000]


def test_a_doubt_stays_until_all_that_raised_it_ran_again():
    """A hair below the number of heads, which no float can tell; later moves run only what stands after it."""
    steps = (
        step_of("near", "product", of=("heads", Decimal("0." + "9" * 19))),
        step_of("dear", "product", of=("heads", Decimal(100)), when=Test("near", at_least="heads"), otherwise="heads"),
        step_of("charged", "product", of=("dear", "k")),
        step_of("premium", "round", of=("charged",), unit=Decimal("0.01")),
    )
    plan, inputs = random_plans.plan_of(steps, k=Decimal(1)), random_plans.inputs(0, 3)
    inputs.numbers["heads"][:] = [10, 300, 900]
    assert moved(plan, inputs, [{"constants.k": k} for k in ("1", "2", "3", "2")]) == [121000, 242000, 363000, 242000]


def test_a_table_answers_other_rows_once_another_has_moved():
    """Heads make a score, the score makes a rate: moved one after the other, the second table answers other rows."""

    def bands(name, axis, edges, values):
        ends = [None, *edges, None]
        rows = tuple(
            Row((Band(*(end and Decimal(end) for end in pair)),), (Decimal(value),), "s")
            for pair, value in zip(pairwise(ends), values)
        )
        return Table(name, (Axis(axis, "band"),), ("value",), rows)

    tables = {
        "score": bands("score", "heads", ("100", "500"), ("1", "4", "9")),
        "rate": bands("rate", "score", ("3", "7"), ("10", "20", "30")),
    }
    steps = (
        step_of("score", "lookup", table="score"),
        step_of("rate", "lookup", table="rate"),
        step_of("premium", "round", of=("rate",), unit=Decimal("0.01")),
    )
    plan, inputs = random_plans.plan_of(steps, tables), random_plans.inputs(0, 30)
    inputs.numbers["heads"][:] = [10] * 28 + [300, 900]
    first = {"tables.score[100..500].value": "8"}
    both = {**first, "tables.rate[7..].value": "50"}
    assert moved(plan, inputs, [first, both, {}]) == [34_000, 38_000, 33_000]


def test_a_fund_that_cannot_be_held_leaves_no_premium_whatever_moved():
    steps = (
        step_of("charged", "product", of=("heads", Decimal(100))),
        step_of("premium", "round", of=("charged",), unit=Decimal("0.01")),
        step_of("fund_raw", "product", of=("premium", "k")),
        step_of("fund", "round", of=("fund_raw",), unit=Decimal("0.01")),
    )
    plan, inputs = random_plans.plan_of(steps, k=Decimal(1)), random_plans.inputs(0, 3)
    inputs.numbers["heads"][:] = [10, 300, 900]
    # 10^13 yuan at most: 90,000 yuan of premium allow a factor of 1.1e8, 30,000 of 3.3e8.
    changes = [{"constants.k": k} for k in ("1", "200000000", "2000000000", "1")]
    assert moved(plan, inputs, changes) == [12_100_000, 3_100_000, 100_000, 12_100_000]
