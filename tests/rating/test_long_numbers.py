"""Plans state up to fifty digits on either side of the point: none of them is lost, in prices, files or words."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ratemod as rm
from ratemod.money import apportion
from ratemod.rating.exact import evaluate
from tests.own_plan import own_plan

BELOW_HALF = "0.00" + "4" + "9" * 40  # below half a fen by 1e-43: 28 digits would say half
STEPS = """
[column.kind]
kind = "level"
levels = [{{ code = "a", label_en = "A", label_zh = "甲" }}]
[column.heads]
kind = "number"
min = 0
max = 10
decimals = 0
[[step]]
name = "rate"
op = "lookup"
table = "rate"
by = {{ kind = "kind" }}
[[step]]
name = "amount"
op = "{op}"
of = {of}
source = "s"
[[step]]
name = "premium"
op = "round"
of = "amount"
unit = "0.01"
"""


def long_plan(folder: Path, rate: str, op: str = "product", of: str = '["rate", "heads"]') -> rm.Plan:
    return own_plan(folder, STEPS.format(op=op, of=of), tables={"rate": f"kind,value,source\na,{rate},s\n"})


BOOK = pd.DataFrame({"policy_no": ["P1"], "kind": ["a"], "heads": [1]})


@pytest.mark.parametrize(
    "rate, op, of",
    [
        (BELOW_HALF, "product", '["rate", "heads"]'),
        ("1", "product", f'["{BELOW_HALF}", "heads"]'),
        ("-1", "sum", f'["{BELOW_HALF}", "rate", "heads"]'),
    ],
)
def test_the_last_of_forty_digits_decides_the_fen(tmp_path, rate, op, of):
    plan = long_plan(tmp_path, rate, op, of)
    rated = rm.rate(BOOK, plan, lang="en")
    assert rated.table["premium_fen"].to_pylist() == [0]
    amount = evaluate(plan, rated.coding.inputs).values["amount"].fraction(0)
    assert amount == Decimal(BELOW_HALF) and rated.explain("P1") is not None


def test_plans_that_differ_in_the_fortieth_digit_are_two_and_are_written_as_they_are(tmp_path):
    plans = [long_plan(tmp_path / name, rate) for name, rate in (("1", BELOW_HALF), ("2", BELOW_HALF[:-1] + "8"))]
    assert plans[0].fingerprint != plans[1].fingerprint
    changed = plans[0].replace({"tables.rate[a].value": BELOW_HALF[:-1] + "8"})
    assert evaluate(changed, rm.rate(BOOK, changed).coding.inputs).values["rate"].fraction(0) == Decimal(
        BELOW_HALF[:-1] + "8"
    )


def test_weights_of_forty_digits_are_told_apart():
    """One fen goes to the larger of two weights, which differ in the fortieth digit."""
    low, high = Decimal("1." + "0" * 39 + "1"), Decimal("1." + "0" * 39 + "2")
    shares = apportion(np.array([1]), np.array([[low, high]], dtype=object))
    assert np.asarray(shares).ravel().tolist() == [0, 1]


def test_a_number_of_a_million_digits_is_not_written_out_in_a_reason(tmp_path):
    """e to the power of 2,000 has 869 digits before the point: a reason names it by its power of ten."""
    body = """
[column.heads]
kind = "number"
min = 0
max = 9999999
decimals = 0
[[step]]
name = "huge"
op = "exp"
of = "heads"
unit = "1"
source = "s"
[[step]]
name = "minus"
op = "difference"
of = ["1", "huge"]
source = "s"
[[step]]
name = "nothing"
op = "ln"
of = "minus"
unit = "0.01"
source = "s"
[[step]]
name = "premium"
op = "round"
of = "nothing"
unit = "0.01"
"""
    rated = rm.rate([{"policy_no": "P1", "heads": 2000}], own_plan(tmp_path, body), lang="en")
    (reason,) = rated.table["reason"].to_pylist()
    assert len(reason) < 400 and "E+868" in reason
