"""A look-up whose value is a level: read, priced on both paths, tested by conditions, explained, edited, in Excel."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ratemod as rm
from ratemod.errors import PlanError
from ratemod.plan.model import Axis, Band, Row, Table
from ratemod.plan.model import Test as When
from ratemod.rating.cases import check_plan
from ratemod.rating.exact import evaluate
from ratemod.rating.fast import compile_plan
from ratemod.rating.inputs import Inputs
from ratemod.rating.run import run
from ratemod.vocabulary.column import Level
from tests.exhibits.office import convert, needs_office
from tests.exhibits.test_live_workbook import cells, write_plan
from tests.plan import small_plan
from tests.rating import random_plans
from tests.rating.steps import step_of

STEPS = """[[step]]
name = "risk"
op = "classify"
table = "risk"
{levels}
[[step]]
name = "risk_factor"
op = "lookup"
table = "risk_factor"
[[step]]
name = "extra"
op = "sum"
of = ["1.5"]
source = "own"
when = {{ of = "risk", is = ["C"] }}
otherwise = "1"
[[step]]
name = "raw"
"""
RISK = "sector,heads_from,heads_below,value,source\nmining,,100,C,own\nmining,100,,B,own\ntransport,,,A,own\n"
FACTOR = "risk,value,source\nA,0.5,own\nB,1,own\nC,2,own\n"
LEVELS = 'levels = [{ code = "A", label_zh = "一类" }, { code = "B" }, { code = "C", label_en = "worst" }]'
BOOK = pd.DataFrame(
    {"policy_no": ["a", "b", "c"], "sector": ["mining", "mining", "transport"], "heads": [10, 100, 10],
     "limit_yuan": 400000}
)  # fmt: skip


def folder(tmp_path, levels=LEVELS, risk=RISK, factor=FACTOR, steps=STEPS):
    plan = small_plan.PLAN.replace('[[step]]\nname = "raw"\n', steps.format(levels=levels)).replace(
        '"float", "0.001"', '"float", "risk_factor", "extra", "0.001"'
    )
    made = small_plan.write(tmp_path, plan=plan, cases="")
    (made / "tables" / "risk.csv").write_text(risk, encoding="utf-8")
    (made / "tables" / "risk_factor.csv").write_text(factor, encoding="utf-8")
    return made


def test_a_case_states_the_level_it_expects(tmp_path):
    made = folder(tmp_path)
    case = """[[case]]
name = "n"
source = "s"
[case.inputs]
policy_no = "1"
sector = "mining"
heads = 10
limit_yuan = 400000
[case.expect]
risk = "C"
premium = "30000.00"
"""
    (made / "cases" / "cases.toml").write_text(case)
    assert check_plan(made).problems == () and check_plan(made).passed == 1
    (made / "cases" / "cases.toml").write_text(case.replace('risk = "C"', 'risk = "B"'))
    assert [(item.code, item.args["found"]) for item in check_plan(made).problems] == [("RM190", "C")]


@pytest.mark.parametrize("levels", [LEVELS, 'levels = ["C", "B", "A"]', ""])
def test_a_table_gives_a_level_by_which_others_are_read(tmp_path, levels):
    made = folder(tmp_path, levels)
    assert check_plan(made).problems == ()
    rated = rm.rate(BOOK, rm.load_plan(made))
    assert rated.table["risk"].to_pylist() == ["C", "B", "A"]
    assert rated.table["premium_fen"].to_pylist() == [3000000, 9000000, 240000]
    lines = {line.name: line for line in rated.explain("a").lines}
    assert lines["risk"].level == "C" and "risk = C" in lines["risk_factor"].text
    said = rated.explain("c").text("zh")
    assert ("一类" in said) == (levels == LEVELS)


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"risk": RISK.replace(",C,own", ",D,own")}, "RM130"),
        ({"factor": FACTOR.replace("B,1", "b,1")}, "RM130"),
        ({"levels": "", "factor": FACTOR.replace("B,1", "b,1")}, "RM130"),
        ({"steps": STEPS.replace('is = ["C"]', 'is = ["D"]')}, "RM130"),
        ({"steps": STEPS.replace('of = "risk", is = ["C"]', 'of = "risk", above = 1')}, "RM444"),
        ({"steps": STEPS.replace('of = ["1.5"]', 'of = ["1.5", "risk"]')}, "RM361"),
        ({"steps": STEPS.replace('op = "classify"', 'op = "lookup"').replace("{levels}", "")}, "RM132"),
    ],
)
def test_a_level_that_is_none_is_found_with_its_place(tmp_path, parts, code):
    found = [problem for problem in check_plan(folder(tmp_path, **parts)).problems if problem.code == code]
    assert found and found[0].row


def test_a_row_without_a_class_is_refused_with_its_cell(tmp_path):
    plan = rm.load_plan(folder(tmp_path, risk="\n".join(RISK.split("\n")[:3]) + "\n"))
    rated = rm.rate(BOOK, plan)
    assert rated.table["code"].to_pylist() == [None, None, "RM310"]
    assert "transport" in rated.table["reason"][2].as_py() and rated.table["risk"].to_pylist()[2] is None


def test_a_class_is_edited_by_its_code(tmp_path):
    plan = rm.load_plan(folder(tmp_path))
    other = plan.replace({"tables.risk[transport, ..].value": "B"})
    assert rm.rate(BOOK, other).table["premium_fen"].to_pylist() == [3000000, 9000000, 480000]
    from ratemod.plan.edit import differences

    assert differences(plan, other) == [line for line in differences(plan, other) if "A" in line and "B" in line] != []
    with pytest.raises(PlanError, match=r"RM192.*"):
        plan.replace({"tables.risk[transport, ..].value": "Z"})


def class_plan(cuts, picks):
    """Bands of a step's value to a class, a class and a sector to a class, a factor by class, conditions on both."""
    ends = [*cuts, None]
    bands = tuple(Row((Band(a, b),), (Decimal(pick),), "s") for a, b, pick in zip([None, *cuts], ends, picks))
    coded = (("value", ("low", "mid", "high")),)
    tables = {
        "size": Table("size", (Axis("twice", "band"),), ("value",), bands, coded=coded),
        "both": Table(
            "both", (Axis("size", "level"), Axis("sector", "level")), ("value",),
            tuple(Row((size, sector), (Decimal((at + len(sector)) % 3),), "s")
                  for at, size in enumerate(("low", "mid", "high")) for sector in "abc"),
            coded=(("value", ("x", "y", "z")),),
        ),
        "factor": Table("factor", (Axis("both", "level"),), ("value",),
                        tuple(Row((code,), (value,), "s") for code, value in
                              (("x", Decimal("1.25")), ("y", Decimal("0.75")), ("z", Decimal("2.5"))))),
    }  # fmt: skip
    steps = (
        step_of("twice", "product", of=("heads", Decimal("0.5"))),
        step_of("size", "classify", table="size", levels=tuple(map(Level, coded[0][1]))),
        step_of("both", "classify", table="both", levels=tuple(map(Level, "xyz"))),
        step_of("factor", "lookup", table="factor"),
        step_of("big", "sum", of=("factor", Decimal(1)), when=When("size", is_=("high", "mid")), otherwise="factor"),
        step_of("none", "sum", of=(Decimal(7),), when=When("both", missing=True), otherwise=Decimal(3)),
        step_of("not_x", "sum", of=("none", "k"), when=When("both", is_not=("x",)), otherwise="none"),
        step_of("raw", "product", of=("limit_yuan", "big", Decimal("0.0013"))),
        step_of("premium", "round", of=("raw",), unit=Decimal("0.01")),
    )
    return random_plans.plan_of(steps, tables)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    cuts=st.sets(st.integers(1, 300), min_size=3, max_size=3),
    picks=st.lists(st.integers(0, 2), min_size=4, max_size=4),
    seed=st.integers(0, 2**32),
)
def test_classes_are_the_same_on_both_paths(cuts, picks, seed):
    plan, inputs = class_plan([Decimal(cut) for cut in sorted(cuts)], picks), random_plans.inputs(seed, 200)
    state, found = evaluate(plan, inputs), run(compile_plan(plan), inputs, plan.step_names, threads=1)
    for name in plan.step_names:
        np.testing.assert_allclose(found.steps[name], state.values[name].floats(), rtol=1e-12, err_msg=name)
    exact = [0 if value is None else int(value * 100) for value in state.values["premium"].fractions()]
    assert found.premium_fen.tolist() == exact
    heads = inputs.numbers["heads"] / 2
    wanted = np.array([*picks, np.nan])[
        np.where(np.isnan(heads), 4, np.searchsorted(sorted(cuts), heads, side="right"))
    ]
    np.testing.assert_array_equal(found.steps["size"], wanted)


@needs_office
def test_classes_recalculate_in_excel(tmp_path):
    plan, inputs = class_plan([Decimal(1), Decimal(20), Decimal(100)], [0, 2, 1, 0]), random_plans.inputs(3, 80)
    write_plan(plan, inputs, tmp_path / "classes.xlsx")
    names, rows = cells(convert([tmp_path / "classes.xlsx"], "xlsx", tmp_path)[0])
    state = evaluate(plan, inputs)
    for step in plan.steps:
        codes = plan.level_columns[step.name].codes() if step.operation.levels else ()
        for wanted, row in zip(state.values[step.name].fractions(), rows):
            found = row[names.index(step.name)]
            if wanted is None:
                assert found == "" or (isinstance(found, str) and found.startswith("#")), (step.name, found)
            elif codes:
                assert found == codes[int(wanted)]
            else:
                assert found == pytest.approx(float(wanted), rel=1e-9)


def test_a_stream_and_a_file_carry_the_levels(tmp_path):
    import pyarrow.parquet as pq

    plan = rm.load_plan(folder(tmp_path))
    BOOK.to_parquet(tmp_path / "in.parquet")
    rm.rate_file(tmp_path / "in.parquet", plan, tmp_path / "out.parquet", trace=True)
    assert pq.read_table(tmp_path / "out.parquet")["risk"].to_pylist() == ["C", "B", "A"]
    rated = rm.rate(BOOK, plan)
    assert isinstance(rated.coding.inputs, Inputs) and rated.to_pandas()["risk"].tolist() == ["C", "B", "A"]
