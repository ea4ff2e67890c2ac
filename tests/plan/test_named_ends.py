"""Ends that are worked out: legal ranges by sector, judgements between steps, exponents from a table."""

from __future__ import annotations

import pandas as pd
import pytest

import ratemod as rm
from ratemod.errors import PlanError
from ratemod.plan.edit import paths
from ratemod.rating.cases import check_plan
from tests.plan import small_plan
from tests.plan.small_plan import PLAN

LAWFUL = PLAN.replace(
    """[[legal]]
name = "float_range"
of = "float"
low = "0.7"
high = "1.3"
""",
    """[[legal]]
name = "float_range"
of = "float"
low = "least"
high = "1.3"
""",
).replace(
    """[[step]]
name = "raw"
""",
    """[[step]]
name = "least"
op = "lookup"
table = "least"
[[step]]
name = "raw"
""",
)
CHOSEN = (
    PLAN.replace(
        """[[step]]
name = "raw"
""",
        """[[step]]
name = "low_end"
op = "lookup"
table = "least"
[[step]]
name = "uw"
op = "judgement"
chosen = "uw_factor"
of = "1"
low = "low_end"
high = "1.3"
source = "own"
[[step]]
name = "raw"
""",
    )
    .replace(
        '[[step]]\nname = "rate"',
        '[column.uw_factor]\nkind = "number"\ndecimals = 2\nmin = 0\nmax = 9\noptional = true\n[[step]]\nname = "rate"',
        1,
    )
    .replace('"heads", "float", "0.001"', '"heads", "float", "uw", "0.001"')
)
BOOK = pd.DataFrame(
    {"policy_no": ["a", "b", "c"], "sector": ["mining", "transport", "transport"], "heads": [2000, 2000, 10],
     "limit_yuan": 100000}
)  # fmt: skip


def folder(tmp_path, plan, least="sector,value,source\nmining,0.8,own\ntransport,0.9,own\n"):
    made = small_plan.write(tmp_path, plan=plan, cases="")
    (made / "tables" / "least.csv").write_text(least, encoding="utf-8")
    return made


def test_a_legal_range_may_come_from_a_table(tmp_path):
    made = folder(tmp_path, LAWFUL)
    report = check_plan(made)
    assert not report.problems and not {proof.name: proof.proved for proof in report.proofs}["float_range"]
    rated = rm.rate(BOOK, rm.load_plan(made))
    assert rated.table["status"].to_pylist() == ["rated", "refused", "rated"]  # 0.8 is lawful in mining alone
    assert rated.table["code"].to_pylist() == [None, "RM316", None]
    assert "0.9" in rated.table["reason"][1].as_py()


def test_a_legal_range_whose_end_is_a_step_is_guarded_row_by_row(tmp_path):
    made = folder(tmp_path, LAWFUL, "sector,value,source\nmining,0.8,own\ntransport,0.75,own\n")
    assert not {proof.name: proof.proved for proof in check_plan(made).proofs}["float_range"]  # a step may lack a value
    named = folder(tmp_path / "named", LAWFUL.replace('low = "least"', 'low = "share"'))
    assert {proof.name: proof.proved for proof in check_plan(named).proofs}["float_range"]


def test_a_value_without_its_legal_end_is_refused(tmp_path):
    made = folder(tmp_path, LAWFUL, "sector,value,source\nmining,0.8,own\n")
    rated = rm.rate(BOOK, rm.load_plan(made))
    assert rated.table["code"].to_pylist() == [None, "RM316", "RM316"]


def test_what_a_legal_range_rests_on_is_not_edited(tmp_path):
    plan = rm.load_plan(folder(tmp_path, LAWFUL))
    with pytest.raises(PlanError, match="RM183"):
        plan.replace({"tables.least[mining].value": "0.5"})
    assert not [path for path in paths(plan) if "least" in path]


@pytest.mark.parametrize(
    ("chosen", "sector", "fen", "code"),
    [(None, "mining", 25000000, None), (0.8, "mining", 20000000, None), (0.79, "mining", 0, "RM313"),
     (0.85, "transport", 0, "RM313"), (1.3, "transport", 15600000, None), (1.31, "transport", 0, "RM313")],
)  # fmt: skip
def test_a_judgement_lies_between_its_own_ends(tmp_path, chosen, sector, fen, code):
    plan = rm.load_plan(folder(tmp_path, CHOSEN))
    book = BOOK[:1].assign(sector=sector, heads=50, limit_yuan=2000000, uw_factor=chosen)
    rated = rm.rate(book, plan)
    assert rated.table["premium_fen"].to_pylist() == [fen or None]
    assert rated.table["code"].to_pylist() == [code]
    said = rated.explain("a").text("en")
    assert "low 0.8" in said or sector != "mining"
    assert (f"{chosen}" in said) == (chosen is not None)  # of a refused choice the reason names the value
    told = rated.explain("a").text("zh")
    assert ("核保裁量(1, " in told) == (code is None)  # where it is refused the worksheet stops


def test_a_judgement_is_of_a_table_or_of_operands_but_not_both_or_neither(tmp_path):
    for keys in ('of = "1"\n', 'table = "rate"\nof = "1"\nlow = "0"\nhigh = "2"\n', ""):
        plan = CHOSEN.replace('of = "1"\nlow = "low_end"\nhigh = "1.3"\n', keys)
        assert "RM168" in {problem.code for problem in check_plan(folder(tmp_path / str(len(keys)), plan)).problems}


def test_an_exponent_may_be_a_name(tmp_path):
    plan = PLAN.replace(
        """[[step]]
name = "raw"
""",
        """[[step]]
name = "alpha"
op = "lookup"
table = "least"
[[step]]
name = "size"
op = "power"
of = "heads"
exponent = "alpha"
unit = "0.0001"
[[step]]
name = "raw"
""",
    ).replace('"heads", "float", "0.001"', '"size", "float", "0.001"')
    made = folder(tmp_path, plan, "sector,value,source\nmining,0.5,own\ntransport,-0.25,own\n")
    found = rm.rate(BOOK.assign(heads=[400, 16, 2]), rm.load_plan(made), trace=True).to_pandas()["size"]
    assert found.tolist() == [20.0, 0.5, 0.8409]
