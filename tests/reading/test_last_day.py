"""Whether the last day is covered is said by the plan's count of days, in its page, and by an hour of 24."""

from __future__ import annotations

from pathlib import Path

import pytest

import ratemod as rm
from ratemod.commands.plans import needs
from tests.own_plan import own_plan

PLAN = """[column.start_date]
kind = "date"
[column.end_date]
kind = "date"
label_zh = "止日"
[[step]]
name = "term"
op = "days"
of = ["start_date", "end_date"]
inclusive = INCLUSIVE
[[step]]
name = "premium"
op = "round"
of = "term"
unit = "0.01"
"""


def plan(tmp_path: Path, inclusive: bool) -> rm.Plan:
    return own_plan(tmp_path, PLAN.replace("INCLUSIVE", str(inclusive).lower()))


@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize("end", ["2026-12-31 24时", "2026年12月31日二十四时止", "2026-12-31 24:00", "2027-01-01零时"])
def test_the_hour_says_the_same_day_under_either_count(tmp_path, inclusive, end):
    rows = [{"policy_no": "P1", "start_date": "2026-01-01", "end_date": end}]
    assert rm.rate(rows, plan(tmp_path, inclusive)).table["premium_fen"].to_pylist() == [36_500]


@pytest.mark.parametrize(
    ("inclusive", "zh", "en"), [(True, "含当日", "still covered"), (False, "不含当日", "no longer")]
)
def test_the_page_of_the_plan_says_it(tmp_path, inclusive, zh, en):
    read = plan(tmp_path, inclusive)
    (line,) = (text for text in needs(read, "zh").splitlines() if "止日" in text)
    assert zh in line and ("不含" in line) is not inclusive
    assert en in needs(read, "en")
    assert "不含" in rm.load_plan("jilin-spli/2025-04").columns["end_date"].label("zh")
