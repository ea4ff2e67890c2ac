"""A book moved from plan to plan stands where a full re-rate of the last plan puts it, whatever the way."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rating import random_plans

from ratemod.errors import PlanError
from ratemod.plan.edit import paths
from ratemod.rating.fast import compile_plan
from ratemod.rating.run import run
from ratemod.whatif import position as module
from ratemod.whatif.engine import Engine
from ratemod.whatif.position import position
from ratemod.whatif.scenario import current_values

SLOW = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


def wanted(plan, inputs):
    out = run(compile_plan(plan), inputs, (), threads=1)
    lost = ~out.priced
    for rule, caught in zip(plan.rules, out.caught):
        if rule.action in ("refuse", "decline"):
            lost |= caught
    for outside in out.outside:
        lost |= outside
    return np.where(lost, 0, out.premium_fen), ~lost


@SLOW
@given(plan=random_plans.plans(), seed=st.integers(0, 2**32), data=st.data(), block=st.sampled_from([7, 65_536]))
def test_every_way_leads_to_the_full_re_rate(plan, seed, data, block):
    inputs = random_plans.inputs(seed, 200)
    fine = np.ones(inputs.n, dtype=bool)
    book = Engine(plan, None, inputs, wanted(plan, inputs)[0], fine)
    module.BLOCK, kept = block, module.BLOCK
    try:
        now = position(plan, inputs, fine)
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
