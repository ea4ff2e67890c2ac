"""The worse and the better of grades, by the order of the plan: held against Python's own order."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest

import ratemod as rm
from ratemod.rating.exact import evaluate
from ratemod.report.live_workbook import write_live_workbook
from tests.exhibits.office import convert, needs_office
from tests.exhibits.test_live_workbook import cells
from tests.own_plan import plan_text

ORDER = ["AA", "A", "B", "C"]
BODY = """[column.fire]
kind = "level"
levels = ["AA", "A", "B", "C"]
[column.water]
kind = "level"
levels = ["C", "A", "B"]
[[step]]
name = "worse"
op = "last_level"
of = ["fire", "water"]
[[step]]
name = "better"
op = "first_level"
of = ["water", "fire"]
levels = ["AA", "A", "B", "C"]
[[step]]
name = "loaded"
op = "lookup"
table = "factor"
by = { grade = "worse" }
[[step]]
name = "lowered"
op = "lookup"
table = "factor"
by = { grade = "better" }
[[step]]
name = "both"
op = "sum"
of = ["loaded", "lowered"]
[[step]]
name = "premium"
op = "round"
of = "both"
unit = "0.01"
"""
FACTORS = {"AA": 1, "A": 20, "B": 300, "C": 4000}
ROWS = pd.DataFrame(itertools.product(ORDER, ["C", "A", "B"]), columns=["fire", "water"])
ROWS["no"] = range(len(ROWS))


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "own" / "1"
    (place / "tables").mkdir(parents=True)
    (place / "plan.toml").write_text(plan_text(BODY, "no"), encoding="utf-8")
    rows = "".join(f"{grade},{factor},s\n" for grade, factor in FACTORS.items())
    (place / "tables" / "factor.csv").write_text("grade,value,source\n" + rows, encoding="utf-8")
    return place


def wanted() -> list[int]:
    pairs = [sorted([row.fire, row.water], key=ORDER.index) for row in ROWS.itertuples()]
    return [100 * (FACTORS[worse] + FACTORS[better]) for better, worse in pairs]


def test_grades_are_ordered_as_the_plan_says(folder):
    rated = rm.rate(ROWS, rm.load_plan(folder), lang="en", trace=True)
    assert rated.outputs.premium_fen.tolist() == wanted()
    exact = evaluate(rated.plan, rated.coding.inputs).values["premium"].fractions()
    assert [int(value * 100) for value in exact] == wanted()
    assert "last of the levels(AA, C)" in rated.explain(0).text("en")


def test_a_grade_that_the_order_lacks_is_refused(folder):
    fewer = BODY.replace('levels = ["AA", "A", "B", "C"]\n[[step]]', 'levels = ["A", "B", "C"]\n[[step]]')
    text = plan_text(fewer, "no")
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    assert "RM130" in {item.code for item in rm.check_plan(folder).problems}


@needs_office
def test_grades_recalculate_in_a_workbook(folder, tmp_path):
    rated = rm.rate(ROWS, rm.load_plan(folder), lang="en", threads=1)
    write_live_workbook(rated, tmp_path / "a.xlsx", lang="en")
    (file,) = convert([tmp_path / "a.xlsx"], "xlsx", tmp_path / "made")
    names, rows = cells(file)
    assert [round(row[names.index("premium")] * 100) for row in rows] == wanted()
