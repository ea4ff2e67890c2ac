"""What a worksheet says of a step is enough to work its value out: the points, the lines, the test that decided."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import ratemod as rm
from tests.own_plan import plan_text

PLAN = """[column.x]
kind = "number"
min = 0
max = 100
[column.y]
kind = "number"
min = 0
max = 100
optional = true
[column.grade]
kind = "level"
levels = ["A", "B"]
[[rule]]
name = "reads"
action = "label"
when = { any = [{ of = "y", above = 99 }, { of = "grade", is = "B" }] }
message_en = "reads"
message_zh = "读取"
source = "s"
[[step]]
name = "curve"
op = "interpolate"
table = "curve"
[[step]]
name = "loaded"
op = "product"
of = ["curve", 2]
source = "s"
when = {when}
otherwise = "curve"
[[step]]
name = "premium"
op = "round"
of = "loaded"
unit = "0.01"
"""
CURVE = "x_at,value,source\n0,1,s\n10,2,s\n20,4,s\n"


def told(folder: Path, when: str, **row: object) -> dict[str, str]:
    edition = folder / "own" / "1"
    (edition / "tables").mkdir(parents=True)
    (edition / "plan.toml").write_text(plan_text(PLAN.replace("{when}", when)), encoding="utf-8")
    (edition / "tables" / "curve.csv").write_text(CURVE, encoding="utf-8")
    rows = pd.DataFrame([{"policy_no": "1", "x": 5, "y": None, "grade": "A", **row}])
    rated = rm.rate(rows, rm.load_plan(edition), lang="en")
    sheet = rated.explain(0)
    assert sheet.text("zh") and sheet.text("en")
    return {line.name: line.text for line in sheet.lines}


@pytest.mark.parametrize(("x", "said"), [(5, "0 → 1, 10 → 2"), (15, "10 → 2, 20 → 4"), (20, "20 → 4")])
def test_an_interpolation_names_its_points(tmp_path, x, said):
    assert told(tmp_path, '{ of = "x", above = 0 }', x=x)["curve"] == f"x = {x}; {said}"


@pytest.mark.parametrize(
    ("when", "row", "said"),
    [
        ('{ of = "x", above = 7 }', {"x": 5}, "when: no (x = 5 ≤ 7) → curve"),
        ('{ of = "x", above = 7 }', {"x": 8}, "; when x = 8 > 7"),
        ('{ of = "x", at_least = 7, below = 9 }', {"x": 9}, "when: no (x = 9 ≥ 9) → curve"),
        ('{ of = "y", below = 9 }', {}, "when: no (y = none) → curve"),
        ('{ of = "x", below = "y" }', {}, "when: no (y = none) → curve"),
        ('{ of = "x", at_most = "y" }', {"y": 6}, "; when x = 5 ≤ y = 6"),
        ('{ of = "grade", is = "B" }', {}, "when: no (grade = A ≠ B) → curve"),
        ('{ of = "grade", is_not = "B" }', {"grade": "B"}, "when: no (grade = B) → curve"),
        ('{ of = "y", missing = true }', {"y": 3}, "when: no (y = 3) → curve"),
        ('{ all = [{ of = "x", above = 1 }, { of = "x", below = 4 }] }', {}, "when: no (x = 5 ≥ 4) → curve"),
        ('{ any = [{ of = "x", above = 9 }, { of = "grade", is = "A" }] }', {}, "; when grade = A"),
        ('{ any = [{ of = "x", above = 9 }, { of = "y", above = 1 }] }', {}, "when: no (x = 5 ≤ 9, y = none) → curve"),
        ('{ none = [{ of = "x", above = 9 }, { of = "grade", is = "A" }] }', {}, "when: no (grade = A) → curve"),
    ],
)
def test_a_condition_names_the_test_that_decided(tmp_path, when, row, said):
    assert told(tmp_path, when, **row)["loaded"].endswith(said)
