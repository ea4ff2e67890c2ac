"""Divisor methods, estates and the Shapley value: the Talmud's own table, definitions tried, refusals."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, permutations
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.errors import ModelError
from ratemod.fund.sharing import divide_by_divisor, divide_estate, shapley

DIVISOR = {
    "adams": lambda s: s,
    "dean": lambda s: 2 * s * (s + 1) / (2 * s + 1),
    "huntington": lambda s: sqrt(s * (s + 1)),
    "sainte_lague": lambda s: s + 0.5,
    "dhondt": lambda s: s + 1,
}


@pytest.mark.parametrize("method", DIVISOR)
@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=6, unique=True), st.integers(0, 60))
@settings(max_examples=30, deadline=None)
def test_units_go_one_by_one_to_the_greatest_quotient(method, weights, units):
    """The definition, unit by unit; no two quotients of different whole numbers below 10,000 are as near as floats."""
    held = [0] * len(weights)
    for _ in range(units):
        quotient = [w / DIVISOR[method](s) if DIVISOR[method](s) else 1e9 + w for w, s in zip(weights, held)]
        near = [at for at, one in enumerate(quotient) if one >= max(quotient) * (1 - 1e-13)]
        held[max(near, key=lambda at: weights[at])] += 1
    assert divide_by_divisor(units, weights, method).tolist() == held


def test_no_unit_is_lost_when_there_is_more():
    """Alabama: largest remainder takes a seat from 500 when 25 seats become 26; divisors never do."""
    weights = [1500, 1500, 900, 500, 500, 200]
    for method in DIVISOR:
        rows = [divide_by_divisor(units, weights, method) for units in range(60)]
        assert all((later >= earlier).all() for earlier, later in pairwise(rows))
    assert divide_by_divisor(10**12, [1, 2], "dhondt").sum() == 10**12
    assert divide_by_divisor(3, [5, 0], "adams").tolist() == [3, 0]


def test_the_talmuds_table():
    """Three widows with 100, 200 and 300 (Kethubot 93a), as Aumann and Maschler read it."""
    found = [divide_estate(estate, [100, 200, 300], "talmud").tolist() for estate in (100, 200, 300)]
    assert found == [[34, 33, 33], [50, 75, 75], [50, 100, 150]]
    assert divide_estate(100, [100, 50], "talmud").tolist() == [75, 25]  # the contested garment


@given(st.lists(st.integers(0, 500), min_size=2, max_size=4), st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_estates(claims, share):
    estate = int(share * sum(claims))
    for rule in ("proportional", "equal_awards", "equal_losses", "talmud", "random_arrival"):
        parts = divide_estate(estate, claims, rule)
        assert parts.sum() == estate and (parts >= 0).all() and (parts <= claims).all()
    arrival = np.zeros(len(claims))
    orders = list(permutations(range(len(claims))))
    for order in orders:
        left = estate
        for at in order:
            arrival[at] += min(claims[at], left) / len(orders)
            left -= min(claims[at], left)
    assert np.abs(divide_estate(estate, claims, "random_arrival") - arrival).max() < 1
    awards, losses = divide_estate(estate, claims, "equal_awards"), divide_estate(estate, claims, "equal_losses")
    below = awards < np.array(claims) - 1
    assert not below.any() or np.ptp(awards[below]) <= 1
    some = losses > 1
    assert not some.any() or np.ptp((np.array(claims) - losses)[some]) <= 1


def test_shapley_over_all_orders():
    worth = {frozenset(): 0, frozenset("a"): 12, frozenset("b"): 6, frozenset("c"): 0, frozenset("ab"): 30,
             frozenset("ac"): 18, frozenset("bc"): 9, frozenset("abc"): 45}  # fmt: skip
    orders = list(permutations("abc"))
    wanted = {name: Fraction(0) for name in "abc"}
    for order in orders:
        for at, name in enumerate(order):
            wanted[name] += Fraction(worth[frozenset(order[: at + 1])] - worth[frozenset(order[:at])], len(orders))
    assert shapley("abc", worth.__getitem__) == wanted
    assert sum(shapley(range(5), lambda them: sqrt(len(them))).values()) == pytest.approx(sqrt(5))


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("RM011", lambda: divide_by_divisor(5, [1, -1], "adams")),
        ("RM011", lambda: divide_by_divisor(5, [0, 0], "adams")),
        ("RM011", lambda: divide_by_divisor(5, [], "adams")),
        ("RM011", lambda: divide_by_divisor(5, [1.0, np.inf], "adams")),
        ("RM011", lambda: divide_by_divisor(5, ["1", "2"], "adams")),
        ("RM011", lambda: divide_by_divisor(5, [None, 2], "adams")),
        ("RM676", lambda: divide_by_divisor(-5, [1, 2], "adams")),
        ("RM676", lambda: divide_by_divisor(1.5, [1, 2], "adams")),
        ("RM700", lambda: divide_estate(5, [1, 2], "talmud")),
        ("RM700", lambda: divide_estate(1, [1.5, 2], "talmud")),
        ("RM700", lambda: divide_estate(1, [-1, 2], "talmud")),
        ("RM701", lambda: divide_estate(5, [1] * 17, "random_arrival")),
        ("RM701", lambda: shapley([], len)),
        ("RM702", lambda: shapley("aa", len)),
        ("RM702", lambda: shapley("ab", lambda them: float("nan"))),
        ("RM702", lambda: shapley("ab", lambda them: "1x")),
    ],
)
def test_refusals(code, call):
    with pytest.raises(ModelError) as caught:
        call()
    assert caught.value.problems[0].code == code


def test_a_misspelt_rule_names_the_one_that_is_meant():
    with pytest.raises(ModelError, match="sainte_lague"):
        divide_by_divisor(5, [1, 2], "sainte_laguee")
    with pytest.raises(ModelError, match="equal_awards"):
        divide_estate(5, [3, 4], "equal_award")
