"""Money by Python's own decimals: what is rounded, what is divided, and what is refused rather than cut off."""

import ast
import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ratemod as rm
from ratemod import money
from ratemod.errors import ModelError
from ratemod.money import apportion, rounded, to_fen, to_unit, to_yuan, yuan_text
from ratemod.rating.rational import constant, from_floats, round_to


@pytest.mark.parametrize("amount", [100.9, float("nan"), float("inf"), 1e30, Decimal("0.5"), "many", None, 2**64])
def test_what_is_no_whole_number_of_fen_is_refused(amount):
    with pytest.raises(ModelError, match="RM498 1 amount"):
        apportion(amount, [1, 1])
    with pytest.raises(ModelError, match="RM498 2 amount"):
        apportion(np.array([amount, 3, amount], dtype=object), [1, 1])


@pytest.mark.parametrize("amount", [101, 101.0, Decimal(101), np.int32(101), np.uint8(101)])
def test_whole_amounts_of_any_type_are_divided(amount):
    assert apportion(amount, [1, 1]).tolist() == [51, 50]


@pytest.mark.parametrize("amount, taken", [(2**63 - 1, True), (2**63, False), (-(2**63) + 1, True), (-(2**63), False)])
def test_an_amount_fills_the_signed_word_and_no_more(amount, taken):
    amounts = np.array([amount], dtype=object)
    if taken:
        assert int(apportion(amounts, [1, 2]).sum()) == amount
    else:
        with pytest.raises(ModelError, match="RM498"):
            apportion(amounts, [1, 2])


def hamilton(total: int, weights: list[Fraction]) -> list[int]:
    """The method of largest remainder as Balinski & Young write it, party by party."""
    quotas = [abs(total) * weight / sum(weights) for weight in weights]
    parts = [int(quota) for quota in quotas]
    by_remainder = sorted(range(len(parts)), key=lambda party: (parts[party] - quotas[party], party))
    for party in by_remainder[: abs(total) - sum(parts)]:
        parts[party] += 1
    return [part if total >= 0 else -part for part in parts]


WEIGHTS = st.lists(st.integers(0, 40), min_size=1, max_size=12).filter(sum)


@given(totals=st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=5), weights=WEIGHTS)
def test_amounts_are_divided_by_largest_remainder(totals, weights):
    """Parties up to eight are compared in pairs, more are sorted; ties go to the first either way."""
    found = apportion(np.array(totals), weights)
    assert found.tolist() == [hamilton(total, [Fraction(weight) for weight in weights]) for total in totals]


@given(total=st.integers(0, 2**62), weights=st.lists(st.integers(0, 2**62), min_size=2, max_size=4).filter(sum))
def test_amounts_and_weights_as_large_as_a_word_do_not_overflow(total, weights):
    assert apportion(np.array([total]), weights).tolist() == [hamilton(total, [Fraction(weight) for weight in weights])]


def test_every_row_may_have_its_own_weights_and_each_kind_of_number():
    exact = np.array([[Decimal("0.1"), Decimal("0.25")], [Decimal(3), Decimal("1E+1")]], dtype=object)
    assert apportion(np.array([7, 13]), exact).tolist() == [[2, 5], [3, 10]]
    assert apportion(np.array([7, 13]), np.array([[0.1, 0.25], [3.0, 10.0]])).tolist() == [[2, 5], [3, 10]]
    assert apportion(np.array([5]), np.array([2**64 - 1, 1], dtype=np.uint64)).tolist() == [[5, 0]]
    assert apportion(10, np.array([[1, 1], [1, 4]])).tolist() == [5, 5]


def test_blocks_leave_no_seam(monkeypatch):
    monkeypatch.setattr(money, "AT_ONCE", 3)
    totals, weights = np.arange(1, 12), np.arange(1, 23).reshape(11, 2)
    wanted = [hamilton(int(total), [Fraction(int(w)) for w in row]) for total, row in zip(totals, weights)]
    assert apportion(totals, weights).tolist() == wanted
    one = [hamilton(100, [Fraction(int(w)) for w in row]) for row in weights]
    assert apportion(np.array([100]), weights).tolist() == one


@pytest.mark.parametrize(
    "weights", [[1, -1], [3, -1], [0, 0], [0.0, 0.0], [1.0, float("nan")], [float("inf"), 1.0], [[1, 1], [0, 0]]]
)
def test_weights_that_divide_nothing_are_refused(weights):
    with pytest.raises(ModelError, match="RM011"):
        apportion(np.array([10, 10]), np.array(weights))


@given(whole=st.integers(-(10**12), 10**12), decimals=st.integers(0, 6), places=st.integers(-3, 4))
def test_floats_that_stand_for_decimals_are_rounded_as_the_decimals_are(whole, decimals, places):
    exact = Decimal(whole).scaleb(-decimals)
    unit = Decimal(1).scaleb(-places)
    steps = exact / unit
    size = abs(steps)
    wanted = {"half_up": int(size + Decimal("0.5")), "down": int(size), "up": int(size) + (size != int(size))}
    for mode, count in wanted.items():
        number = (Decimal(count) * unit).copy_sign(exact)
        assert rounded(float(exact), places, mode).item() == float(number), mode
        assert to_unit(exact, unit, mode) == number, mode
        step = round_to(from_floats(np.array([float(exact)]), decimals), unit, mode)  # as a step of a plan rounds
        assert step.fractions() == [Fraction(number)], mode


@given(
    whole=st.integers(-(10**45), 10**45),
    decimals=st.integers(0, 45),
    count=st.integers(1, 10**30),
    places=st.integers(0, 40),
)
def test_every_digit_of_an_exact_number_counts(whole, decimals, count, places):
    exact, unit = Decimal(f"{whole}E-{decimals}"), Decimal(f"{count}E-{places}")
    size = abs(Fraction(exact)) / Fraction(unit)
    wanted = {"half_up": math.floor(size + Fraction(1, 2)), "down": math.floor(size), "up": math.ceil(size)}
    for mode, steps in wanted.items():
        number = Fraction(unit) * steps * (-1 if whole < 0 else 1)
        assert Fraction(to_unit(exact, unit, mode)) == number, mode
        assert round_to(constant(exact, 1), unit, mode).fractions() == [number], mode


ELSEWHERE = {  # modules that round what is no money and no factor, and why
    "charts": "places on a picture",
    "document": "widths of a page",
    "report/study_charts.py": "which points are drawn",
    "study/evidence.py": "which points are drawn",
    "fund/allocation.py": "counts of a check",
    "fund/scorecard.py": "counts of a check",
    "ratemaking": "digits of a message; places on a lattice of probabilities; digits shown in a notebook",
    "whatif/rate_risk.py": "digits shown in a notebook",
    "experience/scheme_fits.py": "digits shown of a fit",
    "experience/compare_schemes.py": "equal mods told apart from unequal ones",
    "secondopinion/likely_causes.py": "a guess at another's number",
    "reading/decimals.py": "the decimal that a float stands for",
    "synth": "numbers that are made up",
}
ROUNDERS = {"round", "quantize", "to_integral_value"}
MOVERS = {"scaleb", "normalize"}  # of decimals, beyond 28 digits they round


def test_money_and_factors_are_rounded_in_one_place():
    """Nobody else rounds to decimals: not by Python's halves to even, not by NumPy's, not yuan to fen by hand."""
    source, found = Path(rm.__file__).parent, set()
    for path in source.rglob("*.py"):
        place = path.relative_to(source).as_posix()
        if place == "money.py" or any(place.startswith(known) for known in ELSEWHERE):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            name = getattr(called, "attr", getattr(called, "id", ""))
            by_hand = name == "rint" and " * 100)" in ast.unparse(node)
            if name in ROUNDERS or by_hand:
                found.add((place, ast.unparse(node)))
    assert found == set()


def test_the_point_of_decimals_is_moved_in_one_place():
    source, found = Path(rm.__file__).parent, set()
    for path in source.rglob("*.py"):
        place = path.relative_to(source).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if place != "rules/number.py" else ():
            named = isinstance(node, ast.Attribute) and node.attr in MOVERS
            if named and ast.unparse(node.value) != "unicodedata":
                found.add((place, ast.unparse(node)))
    assert found == set()


def test_a_hair_is_taken_for_a_half_and_more_than_a_hair_is_not():
    """Sixteen units in the last place are the hair."""
    assert rounded(2.5 - 16 * np.spacing(2.5), 0).item() == 3.0
    assert rounded(2.5 - 17 * np.spacing(2.5), 0).item() == 2.0
    assert rounded(3.0 - 4 * np.spacing(3.0), 0, "down").item() == 3.0
    assert rounded(3.0 + 4 * np.spacing(3.0), 0, "up").item() == 3.0


def test_what_is_no_number_stays_as_it_is():
    found = rounded([float("nan"), float("inf"), -float("inf"), 0.125], 2)
    assert np.isnan(found[0]) and found[1:].tolist() == [np.inf, -np.inf, 0.13]
    assert rounded(-0.125, 2).item() == -0.13 and rounded(-15.0, -1).item() == -20.0  # a refund as the charge


@given(fen=st.integers(-(10**15), 10**15))
def test_fen_and_yuan_are_one_amount(fen):
    assert to_fen(to_yuan(fen)) == fen and to_yuan(fen) * 100 == fen
    assert yuan_text(fen).replace(",", "") == f"{Decimal(fen) / 100:.2f}"


@pytest.mark.parametrize(
    "yuan, fen", [("0.005", 1), ("-0.005", -1), ("0.0049", 0), (3, 300), (Decimal("1E+3"), 100_000)]
)
def test_yuan_are_rounded_half_up(yuan, fen):
    assert to_fen(yuan) == fen
