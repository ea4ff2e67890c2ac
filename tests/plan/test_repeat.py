"""Steps written once for several perils, look-ups by a level of their own, and else-if chains: as if written out."""

from __future__ import annotations

import pandas as pd
import pytest

import ratemod as rm
from ratemod.plan.save import save_edited
from ratemod.rating.exact import evaluate
from ratemod.report.live_workbook import write_live_workbook
from tests.exhibits.office import convert, needs_office
from tests.exhibits.test_live_workbook import cells
from tests.own_plan import plan_text

COLUMNS = """[column.insured]
kind = "number"
unit = "yuan"
min = 0
max = 1000000
[column.zone]
kind = "level"
levels = ["n", "s"]
[column.years]
kind = "number"
min = 0
max = 50
"""
LAST = """[[step]]
name = "premium"
op = "round"
of = "all"
unit = "0.01"
"""
REPEATED = """[list.peril]
values = ["fire", "flood", "storm"]
label_en = ["Fire", "Flood", "Storm"]
label_zh = ["火灾", "洪水", "风暴"]
[[step]]
name = "{peril}_rate"
over = "peril"
op = "lookup"
table = "rate"
by = { peril = { is = "{peril}" }, limit = 500 }
label_en = "Rate of {peril}"
label_zh = "{peril}费率"
source = "s"
[[step]]
name = "{peril}_premium"
over = "peril"
op = "product"
of = ["insured", "{peril}_rate", "merit"]
[[step]]
name = "all"
op = "sum"
of = ["{peril}_premium", "5"]
source = "s"
"""
MERIT = """[[step]]
name = "merit"
op = "choose"
cases = [
  { when = { of = "years", at_least = 10 }, then = "0.7" },
  { when = { all = [{ of = "years", at_least = 5 }, { of = "zone", is = "n" }] }, then = "half" },
  { when = { of = "zone", is = "s" }, then = "0.95" },
]
otherwise = "1"
source = "s"
[constant.half]
value = "0.8"
source = "s"
"""
RATES = """peril,zone,limit_from,limit_below,value,source
fire,n,,500,0.9,s
fire,n,500,,0.001,s
fire,s,,,0.002,s
flood,*,,,0.003,s
storm,n,,,0.004,s
storm,s,,,none,s
"""
ROWS = pd.DataFrame(
    {"no": range(6), "insured": 1000, "zone": ["n", "n", "n", "s", "n", "n"], "years": [0, 5, 12, 7, 4, 9]}
)
WANTED = [1300, 500 + 640, 500 + 560, None, 1300, 500 + 640]  # 0.008 of 1,000 × merit, and 5; no storm in the south


def written(tmp_path, body: str):
    folder = tmp_path / "own" / "1"
    (folder / "tables").mkdir(parents=True)
    (folder / "plan.toml").write_text(plan_text(body, "no"), encoding="utf-8")
    (folder / "tables" / "rate.csv").write_text(RATES, encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path):
    return written(tmp_path, COLUMNS + MERIT + REPEATED + LAST)


def test_a_step_over_perils_is_a_step_for_each(folder):
    report = rm.check_plan(folder)
    assert report.problems == ()
    plan = report.plan
    rated = rm.rate(ROWS, plan, lang="en", trace=True)
    assert [None if fen is None else fen for fen in rated.table["premium_fen"].to_pylist()] == WANTED
    exact = evaluate(plan, rated.coding.inputs).values["premium"].fractions()
    assert [None if value is None else int(value * 100) for value in exact] == WANTED
    assert plan.label("flood_rate", "zh") == "洪水费率" and plan.label("fire_rate", "en") == "Rate of Fire"
    told = rated.explain(2).text("en")
    assert ("Rate of Storm" in told and "rate[flood, *, *]" in told.replace("−", "-")) or "flood" in told
    assert "none" in rated.explain(3).text("en") or rated.table["code"].to_pylist()[3]


def test_what_ifs_of_a_repeated_plan_are_full_re_rates(folder, tmp_path):
    plan = rm.load_plan(folder)
    path = next(path for path in rm.plan.edit.paths(plan) if path.startswith("tables.rate[storm, n"))
    for changes in ({path: "0.01"}, {"constants.half": "0.5"}):
        ((name, value),) = changes.items()
        sweep = rm.what_if(ROWS, plan, grid={name: [value]})
        assert sweep.total_fen.tolist() == [rm.rate(ROWS, plan.replace(changes)).premium_fen]
    saved = save_edited(plan, {path: "0.01"}, tmp_path / "out")
    assert saved.fingerprint == plan.replace({path: "0.01"}).fingerprint
    with pytest.raises(rm.PlanError) as told:
        save_edited(plan, {"steps.merit.case_2.otherwise": "0.9"}, tmp_path / "more")
    assert {item.code for item in told.value.problems} <= {"RM435", "RM180"}


@needs_office
def test_a_repeated_plan_recalculates_in_a_workbook(folder, tmp_path):
    rated = rm.rate(ROWS, rm.load_plan(folder), lang="en", threads=1)
    write_live_workbook(rated, tmp_path / "a.xlsx", lang="en")
    (file,) = convert([tmp_path / "a.xlsx"], "xlsx", tmp_path / "made")
    names, rows = cells(file)
    assert [round(row[names.index("premium")] * 100) for row in rows] == [fen for fen in WANTED if fen is not None]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('over = "peril"', 'over = "perils"', "RM434"),
        ('{ is = "{peril}" }', '{ is = "{peril}s" }', "RM130"),
        ('{ is = "{peril}" }', "{ is = 5 }", "RM103"),
        ('{ is = "{peril}" }', '{ are = "fire" }', "RM103"),
        ('name = "{peril}_rate"', 'name = "rate"', "RM111"),
        ('"{peril}_premium", "5"', '"{perils}_premium", "5"', "RM434"),
        ('over = "peril"\n', "", "RM997"),
        ('{ is = "{peril}" }', '"{peril}"', "RM998"),
        ('values = ["fire", "flood", "storm"]', "", "RM102"),
        ('otherwise = "1"\nsource', "source", "RM436"),
        ('then = "0.95"', 'than = "0.95"', "RM101"),
        ('then = "half"', 'then = "hlaf"', "RM113"),
    ],
)
def test_what_is_wrong_in_a_repetition_or_a_choice_is_named(tmp_path, old, new, code):
    body = COLUMNS + MERIT + REPEATED + LAST
    assert old in body
    told = rm.check_plan(written(tmp_path, body.replace(old, new)))
    assert code in {item.code for item in told.problems}, told.problems
    if code in ("RM434", "RM997", "RM998", "RM130"):  # one cause, however many values the list has
        assert len({item.code for item in told.problems}) == 1 and len({item.what() for item in told.problems}) < 4
