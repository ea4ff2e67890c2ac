"""Nothing that is left out can be computed from what is published."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from ratemod.errors import ModelError
from ratemod.exhibits.suppression import PROTECTION, dominated, interval, protect, with_totals


def attack(table, suppressed):
    """An attacker of our own: every equation of the published table, solved for each hidden cell."""
    rows, columns = table.shape
    hidden = np.argwhere(suppressed)
    number = {tuple(at): k for k, at in enumerate(hidden.tolist())}
    equations, sides = [], []
    for lines in (
        [[(r, c) for c in range(columns)] for r in range(rows)],
        [[(r, c) for r in range(rows)] for c in range(columns)],
    ):
        for line in lines:
            row, side = np.zeros(len(hidden)), 0.0
            for at in line:
                sign = -1.0 if at == line[-1] else 1.0
                if at in number:
                    row[number[at]] += sign
                else:
                    side -= sign * table[at]
            equations.append(row)
            sides.append(side)
    found = {}
    for at, k in number.items():
        aim = np.zeros(len(hidden))
        aim[k] = 1
        ends = [linprog(sign * aim, A_eq=equations, b_eq=sides, bounds=(0, None)) for sign in (1, -1)]
        found[at] = (ends[0].fun, -ends[1].fun if ends[1].status == 0 else np.inf)
    return found


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_no_table_gives_away_an_unsafe_cell(data):
    rows, columns = data.draw(st.integers(3, 6)), data.draw(st.integers(3, 6))
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    units = rng.poisson(rng.choice([1.0, 4.0, 20.0], (rows, columns)))
    money = units * rng.lognormal(8, 1, (rows, columns))
    try:
        found = protect(units, {"money": money})
    except ModelError as error:
        assert error.problems[0].code == "RM895"
        return
    count = with_totals(units)
    small = (count > 0) & (count < 3)
    small[-1, -1] = False
    assert (found.suppressed >= small).all() and not found.suppressed[-1, -1]
    for name, table in (("units", count), ("money", with_totals(money))):
        for at, (low, high) in attack(table, found.suppressed).items():
            if small[at]:
                assert low <= table[at] * (1 - PROTECTION) * (1 + 1e-5) and high >= table[at] * (1 + PROTECTION) * (
                    1 - 1e-5
                )
                assert name == "money" or high - low >= 2 - 1e-6


def test_leaving_out_the_small_cells_alone_would_give_them_away():
    """The attack works: without complementary suppression it finds the value."""
    units = np.array([[2, 30, 40], [50, 60, 70], [80, 90, 100]])
    alone = np.zeros((4, 4), bool)
    alone[0, 0] = True
    assert attack(with_totals(units), alone)[(0, 0)] == pytest.approx((2, 2))
    found = protect(units, {})
    assert found.suppressed.sum() == 4
    low, high = attack(with_totals(units), found.suppressed)[(0, 0)]
    assert low == pytest.approx(0) and high > 20


def test_our_audit_and_the_attack_agree():
    rng = np.random.default_rng(2)
    table = with_totals(rng.integers(0, 50, (4, 5)))
    hidden = rng.random(table.shape) < 0.4
    hidden[-1, -1] = False
    for at, ends in attack(table, hidden).items():
        assert interval(table, hidden, at) == pytest.approx(ends, abs=1e-6)


def test_small_totals_are_protected_too():
    units = np.array([[1, 1, 0], [50, 60, 70], [80, 90, 100]])
    found = protect(units, {"money": units * 7.0})
    assert found.suppressed[0, -1], "a total of two enterprises"
    low, high = attack(with_totals(units), found.suppressed)[(0, 3)]
    assert high - low >= 2


def test_a_list_of_totals_hides_the_small_one_behind_another():
    units = np.array([[2], [9], [40]])
    found = protect(units, {})
    assert found.suppressed[:, 0].tolist() == [True, True, False, False]


def test_dominated_cells():
    assert dominated([10.0, 0.0], [10.0, 0.0], [0.0, 0.0]).tolist() == [True, False]


def test_refusals():
    with pytest.raises(ModelError) as caught:
        protect([[1]], {})
    assert caught.value.problems[0].code == "RM895"
    with pytest.raises(ModelError) as caught:
        protect([[5]], {"money": [[-1.0]]})
    assert caught.value.problems[0].code == "RM894"
