"""Rounding of blocks, the side of a tie, and the order of steps, each alone and against exact numbers."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratemod.plan.interval import UNIT, Range
from ratemod.plan.op.rounding import Power, Round
from ratemod.plan.ranges import ranges
from ratemod.rating.block import Block
from ratemod.rating.compiling import Compiling
from ratemod.rating.inputs import Inputs
from ratemod.rating.order import Node, in_order
from ratemod.rating.residue import side_of_tie
from ratemod.rating.rounding import Reach, reach_of, whole
from tests.rating import random_plans
from tests.rating.steps import step_of


@pytest.mark.parametrize(
    "spacing, rel, slip, size, slack, fine",
    [
        (1.0, 0.0, 0.05, 10.0, 0.05, True),  # a value on the tie is seen within its error of it
        (1.0, 0.0, 0.06, 10.0, 0.05, False),  # or it is not seen
        (1.0, 0.0, 0.124, 10.0, 0.25, True),
        (1.0, 0.0, 0.13, 10.0, 0.25, False),  # the next one on the grid may be seen as near
        (1.0, 0.01, 0.0, 10.0, 0.25, True),  # an error grows with the value
        (1.0, 0.01, 0.0, 13.0, 0.25, False),
        (1.0, 0.0, 0.0, 2.0**50 - 1, 0.25, True),
        (1.0, 0.0, 0.0, 2.0**50, 0.25, False),
        (0.0, 0.0, 0.0, 1.0, 0.0, False),  # any value is possible: none is known to lie on a tie
    ],
)
def test_a_grid_decides_ties_where_it_is_wider_than_the_error(spacing, rel, slip, size, slack, fine):
    assert Reach(spacing, rel, slip).fine(size, slack) == fine


def test_the_spread_is_the_error_at_a_size():
    assert Reach(1.0, 1e-3, 0.5).spread(200.0) == pytest.approx(0.7)


def test_how_near_a_tie_a_value_can_come():
    cent, three = Decimal("0.01"), Range(Fraction(0), Fraction(9), 3, rel=UNIT, abs=1e-9, raw=True)
    one = Range(Fraction(1), Fraction(1), 0, rel=0.0, raw=True)
    halves = reach_of(Round(of=("x",), unit=cent), three, one, bit=4)
    assert (halves.spacing, halves.bit) == (pytest.approx(0.1), 4)  # thousandths, in cents
    assert halves.rel == 2 * (UNIT + 4 * UNIT) and halves.slip == pytest.approx(2e-7)
    two = Range(Fraction(0), Fraction(9), 2, raw=True)
    assert reach_of(Round(of=("x",), unit=cent), two, one).spacing == pytest.approx(0.1)  # ties are halves of a cent
    assert reach_of(Round(of=("x",), unit=cent, mode="down"), two, one).spacing == 1.0  # ties are whole cents
    assert reach_of(Round(of=("x",), unit=cent), Range(places=None), one).spacing == 0.0
    power = reach_of(
        Power(of=("x",), unit=cent, exponent=Decimal(3)), two, Range(Fraction(3), Fraction(3), 0, raw=True)
    )
    assert power.spacing == 0.0 and power.rel == 2 * (3 * UNIT + 4 * UNIT)


MODES = ("half_up", "half_even", "up", "down")
QUARTERS = st.lists(st.integers(0, 4000), min_size=1, max_size=40)


def as_asked(value: Fraction, mode: str) -> int:
    below = floor(value)
    over = value - below
    if mode == "half_even":
        return below + int(over > Fraction(1, 2) or (over == Fraction(1, 2) and below % 2 == 1))
    return {"down": below, "up": below + (over > 0), "half_up": floor(value + Fraction(1, 2))}[mode]


@pytest.mark.parametrize("mode", MODES)
@given(quarters=QUARTERS)
def test_values_on_a_grid_are_rounded_at_once(mode, quarters):
    """A quarter is a float, so that a slack of a sixteenth tells ties from all else; only half even looks at them."""
    block = Block(len(quarters))
    block.start(Inputs(len(quarters)))
    out = np.array(quarters) / 4
    near, apart = whole(block, out, mode, 1 / 16, True, 0)
    exact = [Fraction(number, 4) for number in quarters]
    if mode != "half_even":
        assert len(near) == 0 and out.tolist() == [as_asked(value, mode) for value in exact]
    else:
        ties = [at for at, value in enumerate(exact) if value.denominator == 2]
        assert near.tolist() == ties and (apart == 0).all()
        rest = np.setdiff1d(np.arange(len(exact)), near)
        assert out[rest].tolist() == [as_asked(exact[at], mode) for at in rest]


@pytest.mark.parametrize("mode", ["half_up", "up", "down"])
def test_rows_near_a_tie_are_named_with_their_distance_unless_an_end_holds_there(mode):
    tie = 2.5 if mode == "half_up" else 3.0
    values = np.array([tie, tie + 0.01, tie - 0.01, tie + 0.1, tie - 0.1, np.nan, tie + 0.001])
    block = Block(len(values))
    block.start(Inputs(len(values)))
    block.bits[6] = 2
    out = values.copy()
    near, apart = whole(block, out, mode, 0.02, False, 2)
    assert near.tolist() == [0, 1, 2] and apart == pytest.approx([0.0, 0.01, -0.01], abs=1e-12)
    assert out[[0, 1, 2, 6]].tolist() == [3.0] * 4  # as if each lay on the tie
    assert out[3] == (4.0 if mode == "up" else 3.0) and out[4] == (3.0 if mode == "up" else 2.0)
    again = values.copy()
    assert whole(block, again, mode, 0.02, False, 0)[0].tolist() == [0, 1, 2, 6]


TENTHS = st.integers(-30_000, 30_000)


@given(
    a=st.lists(TENTHS, min_size=1, max_size=20),
    b=TENTHS,
    tie=st.integers(-4000, 4000),
    op=st.sampled_from(["product", "sum", "difference", "add_percentages"]),
)
def test_integers_that_wrap_tell_the_side_of_a_tie(a, b, tie, op):
    """The sign of |value| less the tie, for numbers of which the product has far more than 64 bits."""
    wide = Decimal("123456789.123456789")
    step = step_of("x", op, of=("ratio_in", Decimal(b) / 10_000, wide))
    plan = random_plans.plan_of((step,))
    known = ranges(plan)
    compiling = Compiling(plan, {"x": step}, known, {}, ())
    n = len(a)
    block = Block(n)
    block.start(Inputs(n, {"ratio_in": np.array(a) / 10_000}))
    block.values["ratio_in"] = block.inputs.numbers["ratio_in"]
    first, second, third = [Fraction(number, 10_000) for number in a], Fraction(b, 10_000), Fraction(wide)
    exact = {
        "product": [x * second * third for x in first],
        "sum": [x + second + third for x in first],
        "difference": [x - second - third for x in first],
        "add_percentages": [x + second + third - 2 for x in first],
    }[op]
    block.values["x"] = np.array([float(value) for value in exact])
    half = Fraction(1, 200)
    near = np.array([round(abs(value) / half) + tie % 3 - 1 for value in exact], dtype=np.int64)
    sign, decided = side_of_tie(compiling, block, "x", np.arange(n), near, half, np.full(n, 1e-6))
    assert decided.all()
    wanted = [(abs(value) > t * half) - (abs(value) < t * half) for value, t in zip(exact, near.tolist())]
    assert sign.tolist() == wanted
    assert not side_of_tie(compiling, block, "x", np.arange(n), near, half, np.full(n, 1e60))[1].any()


def test_what_is_no_decimal_stays_undecided():
    steps = (step_of("third", "ratio", of=("ratio_in", Decimal(3))), step_of("x", "product", of=("third", Decimal(2))))
    plan = random_plans.plan_of(steps)
    compiling = Compiling(plan, {step.name: step for step in steps}, ranges(plan), {}, ())
    block = Block(2)
    block.start(Inputs(2, {"ratio_in": np.array([0.5, 1.0])}))
    block.values["ratio_in"] = block.inputs.numbers["ratio_in"]
    block.values["x"] = np.array([1 / 3, 2 / 3])
    _, decided = side_of_tie(
        compiling, block, "x", np.arange(2), np.array([66, 133]), Fraction(1, 200), np.full(2, 1e-9)
    )
    assert not decided.any()


def nodes_of(reads: dict[str, tuple[str, ...]], told: list[str]) -> list[Node]:
    """Steps that note when they run and take the value of the largest they read, plus one."""

    def filling(name: str):
        def fill(block: Block) -> None:
            told.append(name)
            block.buffer(name)[:] = 1 + max((block.values[read][0] for read in reads[name]), default=0.0)

        return fill

    return [Node(name, of, filling(name), filling(name)) for name, of in reads.items()]


@given(st.data())
def test_what_is_asked_for_runs_after_what_it_reads_and_nothing_else_runs(data):
    """Arrays are shared only by steps of which the one is read no more when the other is written."""
    names = [f"s{at}" for at in range(data.draw(st.integers(1, 10)))]
    reads = {name: tuple(data.draw(st.sets(st.sampled_from(names[:at] or ["none"]))) - {"none"})
             for at, name in enumerate(names)}  # fmt: skip
    asked = data.draw(st.sets(st.sampled_from(names), min_size=1))
    told: list[str] = []
    order = in_order(nodes_of(reads, told), asked)
    block = Block(3)
    block.start(Inputs(3), shared=order.shared)
    for step in order.runs:
        step(block)
    needed, waiting = set(asked), list(asked)
    while waiting:
        more = set(reads[waiting.pop()]) - needed
        needed |= more
        waiting += more
    assert sorted(told) == sorted(needed)
    assert all(told.index(read) < told.index(name) for name in needed for read in reads[name])
    depth: dict[str, int] = {}
    for name in told:
        depth[name] = 1 + max((depth[read] for read in reads[name]), default=0)
    assert {name: block.values[name][0] for name in asked} == {name: depth[name] for name in asked}
    assert set(order.shared) == needed


def test_a_chain_needs_two_arrays_however_long():
    reads = {f"s{at}": (f"s{at - 1}",) if at else () for at in range(12)}
    assert len(set(in_order(nodes_of(reads, []), ["s11"]).shared.values())) == 2
