"""The sums that prove the fund are said in the reader's language, amounts in yuan."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ratemod.errors import ModelError, catalogue, render
from ratemod.fund.proof import Check, prove
from ratemod.fund.quality import COUNTS, HAZARD_COUNTS

SRC = Path(__file__).parents[2] / "src" / "ratemod"
OF = {
    "column": "premium_fen",
    "table": "fund_payments",
    "state": "delivered",
    "year": "2025",
    "indicator": "satisfaction",
    "subject": "claims",
    "measure": "assessed_fen",
}


def told(check: Check, lang) -> str:
    with pytest.raises(ModelError) as raised:
        prove([check])
    return render(raised.value.problems, lang)


@pytest.mark.parametrize("code", sorted(code for code in catalogue() if code.startswith("UI_sum_")))
def test_every_sum_is_said_in_chinese(code):
    if code in ("UI_sum_all", "UI_sum_yuan"):
        return
    said = told(Check(code.removeprefix("UI_sum_"), "all", 123_456, 100_000, of=OF), "zh")
    assert not re.findall("[A-Za-z_]+", said.removeprefix("RM705")), said
    assert "全部" in said and "1234.56元" in said.replace(",", "") and "234.56元" in said


def test_amounts_are_in_yuan_and_counts_are_whole():
    assert "1.00 yuan = 0.99 yuan fails by 0.01 yuan" in told(Check("accruals", "x", 100, 99), "en")
    assert "at x: 100 = 99 fails by 1." in told(Check("draws", "x", 100, 99, of=OF, unit="count"), "en")


def test_every_sum_that_is_checked_has_a_name():
    files = [*(SRC / "fund").glob("*.py"), *(SRC / "publication").glob("*.py")]
    used = {name for file in files for name in re.findall(r'\bCheck\(\s*f?"([^"]*)"', file.read_text(encoding="utf-8"))}
    names = {code.removeprefix("UI_sum_") for code in catalogue() if code.startswith("UI_sum_")}
    open_ = [re.sub(r"\{\w+\}", r"\\w+", name) for name in used]
    assert len(used) > 50 and all(any(re.fullmatch(one, name) for name in names) for one in open_)


@pytest.mark.parametrize("name", [*COUNTS, *HAZARD_COUNTS])
@pytest.mark.parametrize("column", ["insurer", "service_type", "sector", "provider", "broker"])
def test_states_of_services_are_said(name, column):
    said = told(Check("services_by", "all", 1, 2, of={"column": column, "state": name}, unit="count"), "zh")
    assert not re.findall("[A-Za-z_]+", said.removeprefix("RM705")), said
