"""What is compared with what: levels by their order with another column's, dates with dates, and never across."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import ratemod as rm
from ratemod.errors import PlanError
from tests.own_plan import plan_text

PLAN = """[column.declared]
kind = "level"
levels = ["A", "B", "C", "D"]
[column.industry]
kind = "level"
levels = ["D", "B", "A"]
optional = true
[column.heads]
kind = "number"
min = 0
max = 100
[column.start]
kind = "date"
[[step]]
name = "load"
op = "product"
of = [1.5]
when = WHEN
otherwise = 1
source = "s"
[[step]]
name = "anniversary"
op = "add_months"
of = "start"
months = 12
source = "s"
[[step]]
name = "season"
op = "lookup"
table = "season"
by = { day = "anniversary" }
[[step]]
name = "raw"
op = "product"
of = ["load", "season", "heads"]
[[step]]
name = "premium"
op = "round"
of = "raw"
unit = "0.01"
source = "s"
[[rule]]
name = "reads"
when = { any = [{ of = "declared", is = "A" }, { of = "industry", is = "A" }] }
action = "label"
message_en = "reads every column"
message_zh = "读取各列"
source = "s"
"""
SEASON = "day_from,day_below,value,source,note\n,2027-03-01,1,s,\n2027-03-01,,2,s,\n"
BOOK = pd.DataFrame(
    {
        "policy_no": ["1", "2", "3", "4", "5"],
        "declared": ["A", "B", "C", "D", "B"],
        "industry": ["B", "B", "B", "A", None],
        "heads": [10, 10, 10, 10, 10],
        "start": ["2026-02-28", "2026-03-01", "2026-02-27", "2026-03-02", "2026-02-28"],
    }
)


def plan_of(folder: Path, when: str, season: str = SEASON) -> Path:
    place = folder / "own" / "1"
    (place / "tables").mkdir(parents=True)
    (place / "plan.toml").write_text(plan_text(PLAN.replace("WHEN", when)), encoding="utf-8")
    (place / "tables" / "season.csv").write_text(season, encoding="utf-8")
    return place


@pytest.mark.parametrize(
    ("when", "loaded"),
    [  # A < B < C < D whatever the order of the other column; the fifth line has nothing to be compared with
        ('{ of = "declared", at_least = "industry" }', [False, True, True, True, False]),
        ('{ of = "declared", above = "industry" }', [False, False, True, True, False]),
        ('{ of = "declared", at_most = "industry" }', [True, True, False, False, False]),
        ('{ of = "declared", below = "industry" }', [True, False, False, False, False]),
        ('{ of = "declared", equals = "industry" }', [False, True, False, False, False]),
        ('{ of = "heads", equals = 10 }', [True] * 5),
        ('{ of = "start", equals = 2026-02-28 }', [True, False, False, False, True]),
        ('{ of = "anniversary2", equals = 2026-02-28 }', None),
    ],
)
def test_a_level_is_compared_with_another_by_the_order_of_its_own(tmp_path, when, loaded):
    if loaded is None:
        with pytest.raises(PlanError, match="RM113"):
            rm.load_plan(plan_of(tmp_path, when))
        return
    rated = rm.rate(BOOK, plan_of(tmp_path, when))
    season = [1, 2, 1, 2, 1]  # one year on: 2027-02-28, 03-01, 02-27, 03-02, 02-28
    wanted = [1000 * part * (3 if loads else 2) // 2 for part, loads in zip(season, loaded)]
    assert rated.outputs.premium_fen.tolist() == wanted


def test_the_worksheet_says_which_levels_were_compared(tmp_path):
    rated = rm.rate(BOOK, plan_of(tmp_path, '{ of = "declared", at_least = "industry" }'))
    said = {key: next(line.text for line in rated.explain(key).lines if line.name == "load") for key in "235"}
    assert "declared = B ≥ industry = B" in said["2"] and "declared = C ≥ industry = B" in said["3"]
    assert "industry = none" in said["5"]


@pytest.mark.parametrize(
    ("when", "codes", "said"),
    [
        ('{ of = "declared", at_least = "B" }', ["RM443"], 'from = "B"'),
        ('{ of = "heads", above = "declared" }', ["RM444"], "'heads', a number, with 'declared', a level"),
        ('{ of = "heads", below = 2026-01-01 }', ["RM444"], "'heads', a number, with '2026-01-01', a date"),
        ('{ of = "start", at_most = "heads" }', ["RM444"], "'start', a date, with 'heads', a number"),
        ('{ of = "policy_no", equals = "policy_no" }', ["RM444"], "a text"),
        ('{ of = "industry", at_least = "declared" }', ["RM130"], "'C'"),
        ('{ of = "heads", equals = 3, at_most = 4 }', ["RM105"], "equals"),
    ],
)
def test_what_cannot_be_compared_is_named_once(tmp_path, when, codes, said):
    with pytest.raises(PlanError) as error:
        rm.load_plan(plan_of(tmp_path, when))
    found = [item for item in error.value.problems if item.code != "RM155"]  # columns that nothing reads then
    assert [item.code for item in found] == codes
    assert said in str(error.value) and found[0].row


def test_a_legal_range_holds_numbers_and_dates_alone(tmp_path):
    place = plan_of(tmp_path, '{ of = "heads", above = 1 }')
    more = '[[legal]]\nname = "odd"\nof = "declared"\nlow = 1\nsource = "s"\n[[legal]]\nname = "mixed"\nof = "heads"\n'
    more += 'high = 2026-01-01\nsource = "s"\nexception = { when = { of = "nothing", above = 1 }, label_en = "x", '
    more += 'label_zh = "x", source = "s" }\n'
    (place / "plan.toml").write_text((place / "plan.toml").read_text("utf-8") + more, encoding="utf-8")
    with pytest.raises(PlanError) as error:
        rm.load_plan(place)
    assert sorted(item.code for item in error.value.problems) == ["RM113", "RM361", "RM444"]


def test_an_axis_is_of_dates_where_what_it_is_read_from_is(tmp_path):
    with pytest.raises(PlanError) as error:
        rm.load_plan(plan_of(tmp_path, '{ of = "heads", above = 1 }', SEASON.replace("2027-03-01", "400")))
    assert {item.code for item in error.value.problems} == {"RM131"}
