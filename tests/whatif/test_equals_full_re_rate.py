"""What stands on a what-if equals a full re-rate of the book: random plans with rules, law, fund and roll-ups."""

from __future__ import annotations

import itertools
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from tests.rating import random_plans, written_plans

from ratemod.errors import ModelError, PlanError
from ratemod.plan.edit import paths
from ratemod.rating.rate import rate
from ratemod.whatif.attribution import attribute
from ratemod.whatif.engine import engine
from ratemod.whatif.live import live
from ratemod.whatif.panel import panel
from ratemod.whatif.scenario import apply, current_values
from ratemod.whatif.solve import MEASURES, solve, unknown
from ratemod.whatif.sweep import what_if

DRAWN = (Phase.explicit, Phase.reuse, Phase.generate)  # a plan of many steps takes long to make smaller
SLOW = settings(max_examples=40, deadline=None, phases=DRAWN, suppress_health_check=list(HealthCheck))


def full(book, plan):
    """The premium of every row, 0 where it has none: priced from nothing."""
    rated = rate(book, plan, lang="en", trace=False)
    return np.where(rated.verdict.status < 2, rated.outputs.premium_fen, 0)


@st.composite
def changes(draw, plan):
    """Some numbers of a plan, multiplied; never one that the law fixes."""
    now = current_values(plan)
    free = sorted(path for path in paths(plan) if path in now)
    chosen = draw(st.lists(st.sampled_from(free), min_size=1, max_size=3, unique=True))
    made = {path: f"*{draw(st.sampled_from(['0.9', '1.5', '0.1', '2', '-1']))}" for path in chosen}
    if draw(st.booleans()):
        made["constants.most"] = draw(st.sampled_from(["0", "20", "5000"]))
    try:
        apply(plan, made)
    except PlanError:
        assume(False)
    return made


def under(plan, seed, n):
    """A list for a plan of either kind: built, or read from what is written."""
    return (
        random_plans.frame(seed, n)
        if "limit_yuan" in plan.columns
        else written_plans.frame(written_plans.rows(seed, n))
    )


ANY_PLAN = st.one_of(random_plans.plans(), written_plans.written_plans().map(written_plans.read))


@SLOW
@given(plan=ANY_PLAN, seed=st.integers(0, 2**32), data=st.data())
def test_what_if_sweep_live_and_panel_are_full_re_rates(plan, seed, data):
    book = under(plan, seed, 60)
    base = engine(book, plan)
    assert (base.premium_fen == full(book, plan)).all()
    wanted = [data.draw(changes(plan)) for _ in range(2)]
    premiums = [full(book, apply(plan, item)) for item in wanted]
    found = what_if(book, plan, wanted, by=["sector"] if "sector" in plan.columns else [], base=base)
    for item, premium, total, segments in zip(wanted, premiums, found.total_fen, found.segment_fen, strict=True):
        assert (base.price(item).whole(base) == premium).all()
        assert total == premium.sum() == segments.sum()
    path, value = next(iter(wanted[0].items()))
    sliders = {path: [value, "*1"]}
    totals = [int(full(book, apply(plan, {path: at})).sum()) for at in sliders[path]]
    moving = live(book, plan, sliders, base=base)
    assert [moving.move({path: at}).total_fen for at in sliders[path]] == totals
    page = panel(book, plan, sliders, base=base).data
    at_value = page["sliders"][0]["values"].index(value)
    assert int(page["positions"][at_value]["total"]) == totals[0]


@SLOW
@given(plan=ANY_PLAN, seed=st.integers(0, 2**32), data=st.data())
def test_parts_of_an_attribution_add_up_to_what_two_full_re_rates_differ_by(plan, seed, data):
    book = under(plan, seed, 40)
    causes = data.draw(changes(plan))
    found = attribute(book, plan, causes)
    before, after = full(book, plan), full(book, apply(plan, causes))
    assert (found.parts_fen.sum(axis=0) == found.change_fen).all()
    counted = found.change_fen != 0
    assert (found.change_fen[counted] == (after - before)[counted]).all()
    assert not found.parts_fen[:, (before == 0) | (after == 0)].any()


def measured(name, before, after, per_unit):
    """A measure of two full re-rates; loss ratios are of expected losses of 1,000."""
    if name == "premium_yuan":
        return int(after.sum()) / per_unit
    if name == "premium_change":
        return float(Fraction(int(after.sum()), max(int(before.sum()), 1)) - 1)
    if name == "loss_ratio":
        return 1000 * per_unit / max(int(after.sum()), 1)
    rises = [Fraction(int(new), int(old)) - 1 for old, new in zip(before, after) if old > 0 and new > 0]
    if name == "largest_rise":
        return float(max([Fraction(0), *rises]))
    return sum(rise > Fraction(1, 4) for rise in rises) / max(int((before > 0).sum()), 1)


@settings(SLOW, max_examples=15)
@given(plan=ANY_PLAN, seed=st.integers(0, 2**32), data=st.data())
def test_solve_finds_what_full_re_rates_at_every_number_find(plan, seed, data):
    """On a grid of 13 numbers: the one that comes closest to the target, or next to where the measure crosses it."""
    book = under(plan, seed, 30)
    now = current_values(plan)
    path = data.draw(st.sampled_from([*(f"tables.{name}" for name in sorted(plan.tables)), *sorted(now)]))
    low = (Decimal(now[path]) if path in now else Decimal(1)).quantize(Decimal("0.1")) - Decimal("0.6")
    grid = [low + Decimal(at) / 10 for at in range(13)]
    changed = [{path: f"{value:f}" if path in now else f"*{value:f}"} for value in grid]
    try:
        plans = [apply(plan, change) for change in changed]
    except PlanError:
        assume(False)
    before, premiums = full(book, plan), [full(book, made) for made in plans]
    name = data.draw(st.sampled_from(MEASURES))
    values = [measured(name, before, premium, plan.money.per_unit) for premium in premiums]
    goal = data.draw(st.sampled_from([*values, (values[3] + values[8]) / 2, max(values) * 1.01 + 1]))
    crossed = [{a, b} for a, b in itertools.pairwise(values) if min(a, b) <= goal <= max(a, b)]
    wanted = unknown(path, grid[0], grid[-1], "0.1")
    try:
        found = solve(book, plan, wanted, {name: goal}, losses_yuan=1000)
    except ModelError as error:
        assert [item.code for item in error.problems] == ["RM850"] and not crossed
        return
    at = grid.index(found.values[path])
    assert crossed and found.total_fen == premiums[at].sum()
    assert found.reached[name] == pytest.approx(values[at], rel=1e-12, abs=1e-12)
    missed = abs(values[at] - goal)
    assert any(missed <= min(abs(value - goal) for value in pair) + 1e-12 for pair in crossed)
    if values in (sorted(values), sorted(values, reverse=True)):
        assert missed <= min(abs(value - goal) for value in values) + 1e-12


def test_a_premium_that_falls_below_zero_is_refused_in_a_what_if_and_one_that_rises_above_it_is_priced():
    """As in a full re-rate: a sign that the numbers of the plan decide bars no row for good."""
    steps = (
        random_plans.step_of("less", "difference", of=("heads", "most")),
        random_plans.step_of("premium", "round", of=("less",), unit=Decimal("0.01")),
    )
    plan, book = random_plans.plan_of(steps), random_plans.frame(0, 30)
    book["heads"] = [500, 1500] * 15
    base = engine(book, plan)
    for most, premiums in (("1000", (0, 50_000)), ("200", (30_000, 130_000)), ("2000", (0, 0))):
        moved = base.price({"constants.most": most}).whole(base)
        assert (moved == full(book, apply(plan, {"constants.most": most}))).all()
        assert set(zip(moved[::2], moved[1::2])) <= {premiums, (0, premiums[1]), (premiums[0], 0), (0, 0)}
        assert moved.max() == max(premiums)


def test_a_policy_refused_in_one_mixture_of_causes_has_no_part():
    """Priced before and after, but not with the dearer rate alone: no order of the causes gives such a policy parts."""
    steps = (
        random_plans.step_of("charged", "product", of=("heads", "k")),
        random_plans.step_of("premium", "round", of=("charged",), unit=Decimal("0.01")),
    )
    rule = random_plans.Rule("large", random_plans.Test("charged", above="most"), "refuse", "", "", "s")
    plan = random_plans.replace(random_plans.plan_of(steps, k=Decimal(10)), rules=(rule,))
    book = random_plans.frame(0, 30)
    book["heads"], book["sector"] = 90, "a"
    # 90 heads: 900 yuan and at most 1,000; 1,800 and 2,000 with both; 1,800 and 1,000, refused, with the rate alone.
    found = attribute(book, plan, {"constants.k": "20", "constants.most": "2000"})
    assert full(book, apply(plan, {"constants.k": "20", "constants.most": "2000"})).max() == 180_000
    assert not found.parts_fen.any() and not found.change_fen.any()


def test_a_target_between_the_bounds_alone_is_found():
    """30 policies of 90 k yuan, refused above 1,000: 2,700 at k = 1, 29,700 at k = 11, nothing at k = 20."""
    steps = (
        random_plans.step_of("charged", "product", of=("heads", "k")),
        random_plans.step_of("premium", "round", of=("charged",), unit=Decimal("0.01")),
    )
    rule = random_plans.Rule("large", random_plans.Test("charged", above="most"), "refuse", "", "", "s")
    plan = random_plans.replace(random_plans.plan_of(steps, k=Decimal(10)), rules=(rule,))
    book = random_plans.frame(0, 30).assign(heads=90, sector="a")
    found = solve(book, plan, unknown("constants.k", 1, 20, 1), {"premium_yuan": 29_700})
    assert found.values == {"constants.k": 11} and found.total_fen == 2_970_000
    with pytest.raises(ModelError) as error:
        solve(book, plan, unknown("constants.k", 1, 20, 1), {"premium_yuan": 30_000})
    assert (error.value.problems[0].code, error.value.problems[0].args["most"]) == ("RM850", "29700")
    # Priced to k = 11 alone, a sixteenth of the way to 161: a target in it is found wherever bounds are so near.
    found = solve(book, plan, unknown("constants.k", 1, 161, 1), {"premium_yuan": 13_500})
    assert found.values == {"constants.k": 5} and found.total_fen == 1_350_000
    with pytest.raises(ModelError) as error:
        solve(book, plan, unknown("constants.k", 1, 161, 1), {"premium_yuan": 30_000})
    assert error.value.problems[0].args["tried"] == 17


def test_bounds_without_a_whole_step_between_them_are_refused():
    with pytest.raises(ModelError) as error:
        unknown("constants.k", "0.0011", "0.0019", "0.001")
    assert [item.code for item in error.value.problems] == ["RM847"]
