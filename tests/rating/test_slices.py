"""Sums slice by slice: against a sum over the table's rows, on every path, at every edge; and where they refuse."""

from __future__ import annotations

import itertools
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ratemod.plan.interval import Range
from ratemod.plan.model import Axis, Band, Row, Table
from ratemod.plan.slices import slices
from ratemod.rating.exact import evaluate
from ratemod.rating.fast import compile_plan
from ratemod.rating.inputs import Inputs
from ratemod.rating.run import run
from tests.rating import random_plans
from tests.rating.steps import step_of


def by_hand(table: Table, sector: str, x: Fraction) -> Fraction | None:
    """The definition: rate × width of every slice up to x; nothing outside a line of slices."""
    line = [(row.keys[1], row.values[0]) for row in table.rows if row.keys[0] == sector]
    bands = [band for band, _ in line]
    tops = [band.high for band in bands]
    if not line or x < min(Fraction(band.low) for band in bands):
        return None
    if None not in tops and x > max(map(Fraction, tops)):
        return None
    total = Fraction(0)
    for band, rate in line:
        top = x if band.high is None else min(x, Fraction(band.high))
        total += Fraction(rate) * max(Fraction(0), top - Fraction(band.low))
    return total


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    tables=random_plans.tables(), seed=st.integers(0, 2**32), of=st.sampled_from(["ratio_in", "heads", "sum", "third"])
)
def test_a_sum_over_slices_is_rate_times_width(tables, seed, of):
    inputs = random_plans.inputs(seed, 120)
    edges = [
        float(end) for row in tables["sliced"].rows for end in (row.keys[1].low, row.keys[1].high) if end is not None
    ]
    rng = np.random.default_rng(seed)
    inputs.numbers["heads"][:40] = rng.choice([edge for edge in edges if edge >= 0 and edge == int(edge)] or [0.0], 40)
    inputs.numbers["ratio_in"][:40] = rng.choice([edge for edge in edges if abs(edge) <= 3] or [0.0], 40)
    steps = (
        step_of("sum", "sum", of=("heads", "ratio_in", "k")),
        step_of("third", "ratio", of=("heads", Decimal(3))),
        step_of("due", "progressive", table="sliced", by=(("x", of),)),
        step_of("premium", "round", of=("due",), unit=Decimal("0.01")),
    )
    plan = random_plans.plan_of(steps, tables)
    state = evaluate(plan, inputs)
    found = run(compile_plan(plan), inputs, plan.step_names, threads=1)
    sectors = [("abcd"[code] if code >= 0 else "") for code in inputs.codes["sector"]]
    for at, (x, value) in enumerate(zip(state.values[of].fractions(), state.values["due"].fractions())):
        assert value == (None if x is None else by_hand(tables["sliced"], sectors[at], x)), (sectors[at], x)
    exact = [0 if value is None else int(value * 100) for value in state.values["premium"].fractions()]
    assert found.premium_fen.tolist() == exact
    np.testing.assert_allclose(found.steps["due"], state.values["due"].floats(), rtol=1e-9, atol=1e-9)


def test_an_amount_that_floats_put_beside_the_first_slice_is_decided_exactly():
    """0.3·h by way of h / 3 lies, as a float, now below and now above the decimal at which the slices begin or end."""
    inputs = Inputs(60, {"heads": np.arange(1.0, 61.0)})
    steps = (
        step_of("third", "ratio", of=("heads", Decimal(3))),
        step_of("x", "product", of=("third", Decimal("0.9"))),
        step_of("due", "progressive", table="t"),
        step_of("premium", "round", of=("due",), unit=Decimal("0.01")),
    )
    for heads in range(1, 60):
        band = Band(heads * Decimal("0.3"), heads * Decimal("0.3") + Decimal("0.6"))
        table = Table("t", (Axis("x", "band"),), ("value",), (Row((band,), (Decimal(7),), "s"),))
        plan = random_plans.plan_of(steps, {"t": table})
        found = run(compile_plan(plan), inputs, (), threads=1)
        state = evaluate(plan, inputs)
        assert found.priced.tolist() == state.values["premium"].ok.tolist()
        assert np.flatnonzero(found.priced).tolist() == [at for at in (heads - 1, heads, heads + 1) if at < 60]


def test_the_sum_is_exact_where_28_digits_are_not_enough():
    """Bases are summed without rounding, however many digits they have."""
    cuts = [Decimal(at) + Decimal("0.000000000001") for at in range(0, 40, 10)]
    rows = tuple(
        Row((Band(a, b),), (Decimal("1.000000000000000003"),), "s") for a, b in itertools.pairwise([*cuts, None])
    )
    table = Table("fine", (Axis("x", "band"),), ("value",), rows)
    plan = random_plans.plan_of((step_of("due", "progressive", table="fine", by=(("x", "heads"),)),), {"fine": table})
    state = evaluate(plan, Inputs(1, {"heads": np.array([35.0])}))
    wanted = (35 - Fraction(cuts[0])) * Fraction(Decimal("1.000000000000000003"))
    assert state.values["due"].fractions() == [wanted]


@pytest.mark.parametrize(
    ("rows", "axes", "code"),
    [
        ("x_from,x_below,value,source\n,10,1,s\n10,,2,s\n", "", "RM173"),
        ("x_from,x_below,value,source\n0,10,none,s\n10,,2,s\n", "", "RM173"),
        ("x_from,x_below,value,source\n0,10,1,s\n20,,2,s\n", "", "RM134"),
        ("x,value,source\n1,1,s\n", "", "RM169"),
        ("x_from,x_below,y_from,y_below,value,source\n0,,0,,1,s\n", "", "RM169"),
        ("x_from,x_below,y_from,y_below,value,source\n0,,0,,1,s\n", 'along = "y"\n', ""),
    ],
)
def test_a_table_that_cannot_be_summed_is_found_by_the_check(tmp_path, rows, axes, code):
    from ratemod.rating.cases import check_plan

    folder = tmp_path / "slices" / "1"
    (folder / "tables").mkdir(parents=True)
    (folder / "tables" / "due.csv").write_text(rows)
    (folder / "plan.toml").write_text(
        f"""
[plan]
scheme = "slices"
edition = "1"
title_en = "t"
title_zh = "t"
standing = "example"
status = "draft"
new_from = 2026-01-01
premium = "premium"
warning_en = "w"
warning_zh = "w"
[source.s]
title = "s"
confidence = "illustrative"
[column.x]
kind = "number"
min = 0
max = 100
[column.y]
kind = "number"
min = 0
max = 100
[[step]]
name = "both"
op = "sum"
of = ["x", "y"]
[[step]]
name = "due"
op = "progressive"
table = "due"
{axes}
[[step]]
name = "premium"
op = "round"
of = "due"
unit = "0.01"
"""
    )
    report = check_plan(folder)
    found = {problem.code for problem in report.problems}
    assert code in found if code else not found, report.problems


def test_nothing_is_summed_across_a_gap():
    rows = [(0, 10, "1"), (20, 30, "2"), (30, 40, "3")]
    keyed = tuple(Row((Band(Decimal(low), Decimal(high)),), (Decimal(rate),), "s") for low, high, rate in rows)
    table = Table("sliced", (Axis("x", "band"),), ("value",), keyed)
    operation = step_of("due", "progressive", table="sliced", by=(("x", "heads"),)).operation
    found = slices(operation, table, {})
    assert found.rate == (None, Decimal(1), None, None, None, None, None)


def test_the_range_of_a_sum_over_slices_is_that_of_its_edges():
    rows = tuple(
        Row((band,), (rate,), "s")
        for band, rate in ((Band(Decimal(0), Decimal(10)), Decimal(2)), (Band(Decimal(10), Decimal(20)), Decimal(-1)))
    )
    of = step_of("due", "progressive", table="t", by=(("x", "x"),))
    for low, high, wanted in ((0, 20, (0, 20)), (3, 12, (6, 20))):
        plan = random_plans.plan_of((of,), {"t": Table("t", (Axis("x", "band"),), ("value",), rows)})
        known = {"x": Range(Fraction(low), Fraction(high), 0)}
        found = of.operation.range(plan, known)
        assert (found.low, found.high) == wanted


def test_a_part_of_a_date_is_a_year_a_month_or_a_day():
    ends = {"year": (1900, 2269), "month": (1, 12), "day": (1, 31)}
    for which, wanted in ends.items():
        step = step_of("part", "date_part", of=("start",), which=which)
        found = step.operation.range(random_plans.plan_of((step,)), {})
        assert (found.low, found.high, found.places) == (*wanted, 0)
