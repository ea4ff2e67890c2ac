"""Lines in order: the governing class, items after the first at a share, the second largest; held against pandas."""

from __future__ import annotations

import pandas as pd
import pytest

import ratemod as rm
from ratemod.errors import PlanError
from ratemod.rating.exact import evaluate
from ratemod.report.live_workbook import write_live_workbook
from tests.exhibits.office import convert, needs_office
from tests.exhibits.test_live_workbook import cells
from tests.own_plan import plan_text

BODY = """[column.policy]
kind = "text"
[column.class]
kind = "level"
levels = ["mine", "shop", "office"]
[column.payroll]
kind = "number"
decimals = 1
min = 0
max = 1000000
[[step]]
name = "place"
op = "rank"
of = "payroll"
by = "policy"
[[step]]
name = "governing"
op = "take_level"
of = "class"
by = "policy"
rank = "place"
label_en = "Governing class"
[[step]]
name = "lines"
op = "rollup"
how = "count"
by = "policy"
[[step]]
name = "second"
op = "take"
of = "payroll"
by = "policy"
rank = "place"
which = 2
when = { of = "lines", at_least = 2 }
otherwise = "0"
source = "s"
[[step]]
name = "rate"
op = "lookup"
table = "rate"
by = { class = "governing" }
[[step]]
name = "share"
op = "choose"
cases = [{ when = { of = "place", at_most = 1 }, then = "1" }]
otherwise = "0.5"
source = "s"
[[step]]
name = "own"
op = "product"
of = ["payroll", "rate", "share"]
[[step]]
name = "all"
op = "sum"
of = ["own", "second"]
[[step]]
name = "premium"
op = "round"
of = "all"
unit = "0.01"
"""
ROWS = pd.DataFrame(
    [("1", "A", "shop", 100.5), ("2", "A", "mine", 900), ("3", "A", "office", 100.5), ("4", "B", "office", 7),
     ("6", "C", "office", 50), ("5", "C", "mine", 50)],
    columns=["no", "policy", "class", "payroll"],
)  # fmt: skip
RATES = {"mine": 3, "shop": 2, "office": 1}


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "own" / "1"
    (place / "tables").mkdir(parents=True)
    (place / "plan.toml").write_text(plan_text(BODY, "no"), encoding="utf-8")
    rates = "".join(f"{name},{rate},s\n" for name, rate in RATES.items())
    (place / "tables" / "rate.csv").write_text("class,value,source\n" + rates, encoding="utf-8")
    return place


def wanted() -> list[int]:
    rows = ROWS.sort_values(["policy", "payroll", "no"], ascending=[True, False, True])
    rows["place"] = rows.groupby("policy").cumcount() + 1
    first = rows[rows["place"] == 1].set_index("policy")["class"].map(RATES)
    second = rows[rows["place"] == 2].set_index("policy")["payroll"]
    share = rows["place"].map(lambda place: 1 if place == 1 else 0.5)
    rows["all"] = rows["payroll"] * rows["policy"].map(first) * share
    return ((rows["all"] + rows["policy"].map(second).fillna(0)).sort_index() * 100).round().astype(int).tolist()


def test_lines_are_ranked_as_pandas_does(folder):
    plan = rm.load_plan(folder)
    rated = rm.rate(ROWS, plan, lang="en", trace=True)
    assert rated.outputs.premium_fen.tolist() == wanted()
    exact = evaluate(plan, rated.coding.inputs).values["premium"].fractions()
    assert [int(value * 100) for value in exact] == wanted()
    assert rated.table["governing"].to_pylist() == ["mine"] * 3 + ["office"] + ["mine"] * 2
    told = rated.explain("1").text("en")
    assert "Governing class" in told and "class = mine" in told and "largest 100.5, 900, 100.5" in told
    changes = {"tables.rate[mine].value": "4"}
    sweep = rm.what_if(ROWS, plan, grid={name: [value] for name, value in changes.items()})
    assert sweep.total_fen.tolist() == [rm.rate(ROWS, plan.replace(changes)).premium_fen]


def test_a_place_that_no_line_has_is_refused_by_name(folder):
    text = plan_text(BODY, "no").replace('when = { of = "lines", at_least = 2 }\notherwise = "0"\nsource = "s"\n', "")
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    rated = rm.rate(ROWS, rm.load_plan(folder), lang="en")
    assert rated.table["code"].to_pylist() == [None] * 3 + ["RM442"] + [None] * 2
    text = plan_text(BODY, "no").replace('rank = "place"', 'rank = "lines"', 1)
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    assert "RM441" in {item.code for item in rm.check_plan(folder).problems}


@needs_office
def test_ranks_recalculate_in_a_workbook(folder, tmp_path):
    rated = rm.rate(ROWS, rm.load_plan(folder), lang="en", threads=1)
    write_live_workbook(rated, tmp_path / "a.xlsx", lang="en")
    (file,) = convert([tmp_path / "a.xlsx"], "xlsx", tmp_path / "made")
    names, rows = cells(file)
    assert [round(row[names.index("premium")] * 100) for row in rows] == wanted()


def test_levels_that_a_step_states_are_counted_in_its_own_order_and_name_all_that_it_takes(folder):
    """Stated back to front they are the same classes at the same rates; one left out is refused."""
    stated = 'rank = "place"\nlevels = {}\nlabel_en = "Governing class"'
    for levels in ('["office", "shop", "mine"]', '["shop", "office", "other", "mine"]'):
        body = BODY.replace('rank = "place"\nlabel_en = "Governing class"', stated.format(levels))
        (folder / "plan.toml").write_text(plan_text(body, "no"), encoding="utf-8")
        plan = rm.load_plan(folder)
        rated = rm.rate(ROWS, plan, lang="en", trace=True)
        assert rated.outputs.premium_fen.tolist() == wanted()
        exact = evaluate(plan, rated.coding.inputs).values["premium"].fractions()
        assert [int(value * 100) for value in exact] == wanted()
    body = BODY.replace('rank = "place"\nlabel_en = "Governing class"', stated.format('["office", "mines"]'))
    (folder / "plan.toml").write_text(plan_text(body, "no"), encoding="utf-8")
    with pytest.raises(PlanError) as caught:
        rm.load_plan(folder)
    assert ("RM130", "mine") in [(item.code, item.args.get("value")) for item in caught.value.problems]
