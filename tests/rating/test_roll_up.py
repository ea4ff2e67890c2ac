"""What the lines of a policy come to, held against pandas; nested roll-ups, and what is refused and why."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest

import ratemod as rm
from tests.own_plan import own_plan, plan_text

HEAD = plan_text(
    """[column.policy]
kind = "text"
[column.location]
kind = "text"
optional = true
[column.amount]
kind = "number"
min = 0
max = 1000
decimals = 2
[[step]]
name = "half"
op = "ratio"
of = ["amount", 2]
source = "s"
""",
    "line",
)
LAST = '[[step]]\nname = "premium"\nop = "round"\nof = "rolled"\nunit = "0.01"\n'
LINES = pd.DataFrame(
    {
        "line": [f"{at}" for at in range(7)],
        "policy": ["A", "A", "A", "A", "B", "B", "C"],
        "location": ["1", "1", "2", "3", "1", "1", "2"],
        "amount": [10.0, 12.0, 7.0, 0.01, 5.0, 8.0, 3.0],
    }
)


def plan_of(tmp_path, *steps: str) -> rm.Plan:
    folder = tmp_path / "own" / "1"
    folder.mkdir(parents=True, exist_ok=True)
    made = "".join(f"[[step]]\n{step}\n" for step in steps)
    (folder / "plan.toml").write_text(HEAD + made + LAST, encoding="utf-8")
    return rm.load_plan(folder)


def roll_up(name: str, how: str, by: str, more: str = 'of = "half"') -> str:
    return f'name = "{name}"\nop = "rollup"\nhow = "{how}"\nby = {by}\n{more}'


@pytest.mark.parametrize("how", ["sum", "mean", "max", "min"])
@pytest.mark.parametrize("by", [["policy"], ["policy", "location"], ["location"]])
def test_a_roll_up_is_what_pandas_says(how, by, tmp_path):
    plan = plan_of(tmp_path, roll_up("rolled", how, str(by).replace("'", '"')))
    rated = rm.rate(LINES, plan)
    halves = LINES.assign(amount=LINES["amount"] / 2)
    assert rated.to_pandas()["premium"].astype(float).tolist() == pytest.approx(
        (halves.groupby(by)["amount"].transform(how) + 1e-9).round(2).tolist()
    )


def test_lines_are_counted_and_so_are_parts(tmp_path):
    plan = plan_of(
        tmp_path,
        roll_up("lines", "count", '"policy"', ""),
        roll_up("locations", "count", '"policy"', 'each = "location"'),
        'name = "rolled"\nop = "sum"\nof = ["lines", "locations"]',
    )
    assert rm.rate(LINES, plan).outputs.premium_fen.tolist() == [700, 700, 700, 700, 300, 300, 200]


def test_each_location_counts_once_however_many_lines_it_has(tmp_path):
    plan = plan_of(
        tmp_path,
        roll_up("at_location", "max", '["policy", "location"]', 'of = "amount"'),
        roll_up("rolled", "sum", '"policy"', 'of = "at_location"\neach = "location"'),
    )
    rated = rm.rate(LINES, plan, lang="en")
    assert rated.outputs.premium_fen.tolist() == [1901, 1901, 1901, 1901, 800, 800, 300]
    assert rated.explain("3").lines[-2].text == "sum(12, 7, 0.01), each location"


def test_a_mean_is_a_fraction_until_it_is_rounded(tmp_path):
    """0.01 + 0.02 + 0.04 over three lines is 0.0233…, and 300 of them are 7.00 exactly."""
    lines = LINES[:3].assign(amount=[0.01, 0.02, 0.04])
    plan = plan_of(
        tmp_path,
        roll_up("mean", "mean", '"policy"', 'of = "amount"'),
        'name = "rolled"\nop = "product"\nof = ["mean", 300]\nsource = "s"',
    )
    rated = rm.rate(lines, plan, trace=True)
    assert rated.outputs.premium_fen.tolist() == [700, 700, 700]
    assert rated.explain("0").lines[1].value == Decimal("0.0233333333333")


def test_parts_that_differ_and_lines_of_no_part_are_refused_by_name(tmp_path):
    plan = plan_of(tmp_path, roll_up("rolled", "sum", '"policy"', 'of = "amount"\neach = "location"'))
    rated = rm.rate(LINES.assign(location=["1", "1", "2", "3", "1", None, "2"]), plan, lang="en")
    table = rated.table.to_pydict()
    assert table["code"][:6] == ["RM373"] * 4 + ["RM315", "RM311"]
    assert "lines of one policy, location differ in 'amount'" in table["reason"][0]
    assert table["status"][6] == "rated" and rated.outputs.premium_fen[6] == 300


@pytest.mark.parametrize(
    ("step", "codes"),
    [
        (roll_up("rolled", "count", '"policy"'), {"RM372"}),
        (roll_up("rolled", "mean", '"policy"', ""), {"RM372"}),
        (roll_up("rolled", "sum", '["policy", "half"]'), {"RM362"}),
        (roll_up("rolled", "sum", '["policy", 2]'), {"RM362"}),
        (roll_up("rolled", "sum", '"policy"', 'of = "half"\neach = "locaton"'), {"RM113"}),
        (roll_up("rolled", "median", '"policy"'), {"RM104"}),
    ],
)
def test_what_cannot_be_rolled_up_is_refused_by_check(step, codes, tmp_path):
    folder = tmp_path / "own" / "1"
    folder.mkdir(parents=True)
    (folder / "plan.toml").write_text(f"{HEAD}[[step]]\n{step}\n{LAST}", encoding="utf-8")
    found = {item.code for item in rm.check_plan(folder).problems}
    assert codes <= found and found <= codes | {"RM118"}


def test_lines_of_one_policy_that_state_different_amounts_are_not_shared_out(tmp_path):
    """One of the amounts would be charged, and nobody could say which."""
    body = """[column.policy]
kind = "text"
[column.amount]
kind = "number"
decimals = 2
min = 0
max = 1000
[column.weight]
kind = "number"
decimals = 0
min = 0
max = 9
[[step]]
name = "premium"
op = "share_out"
of = "amount"
by = "policy"
weights = "weight"
"""
    book = pd.DataFrame(
        {
            "policy_no": ["1", "2", "3", "4", "5", "6"],
            "policy": ["A", "A", "B", "B", "C", "C"],
            "amount": [100, 100, 100, 101, 7, 7],
            "weight": [1, 2, 1, 2, 0, 0],
        }
    )
    rated = rm.rate(book, own_plan(tmp_path, body))
    assert rated.table["premium_fen"].to_pylist() == [3333, 6667, None, None, None, None]
    assert rated.table["code"].to_pylist() == [None, None, "RM445", "RM445", "RM369", "RM369"]
    assert "100, 101" in rated.table["reason"][2].as_py()
