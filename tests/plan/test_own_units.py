"""A plan says its own units: lists state them, outputs name them, and no word of another unit passes."""

from __future__ import annotations

import pandas as pd
import pytest

import ratemod as rm
from ratemod.cli import main
from tests.own_plan import plan_text

BODY = """[unit.mu]
label_en = "mu"
label_zh = "亩"
words = { "公顷" = 15, "万亩" = 10000 }
[column.area]
kind = "number"
unit = "mu"
label_en = "Area"
label_zh = "面积"
decimals = 2
min = 0
max = 1000000
[[step]]
name = "charged"
op = "product"
of = ["area", "0.5"]
unit = "mu"
source = "s"
headline = true
[[step]]
name = "premium"
op = "round"
of = "charged"
unit = "0.01"
"""


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "own" / "1"
    made.mkdir(parents=True)
    (made / "plan.toml").write_text(plan_text(BODY, "no"), encoding="utf-8")
    return made


@pytest.mark.parametrize(
    ("header", "cell", "fen"),
    [("面积", "12", 600), ("面积（亩）", 12, 600), ("面积（公顷）", 2, 1500), ("Area (mu)", 12, 600),
     ("面积", "3公顷", 2250),
     ("面积（万亩）", "0.02", 10000), ("面积", "7 亩", 350)],
)  # fmt: skip
def test_a_list_states_the_unit_of_the_plan(folder, tmp_path, header, cell, fen):
    book = tmp_path / "book.csv"
    pd.DataFrame({"no": ["1"], header: [cell]}).to_csv(book, index=False)
    assert rm.rate(book, rm.load_plan(folder)).outputs.premium_fen.tolist() == [fen]


def test_another_unit_is_refused_and_outputs_name_the_own_one(folder, tmp_path, capsys):
    plan = rm.load_plan(folder)
    rated = rm.rate(pd.DataFrame({"no": ["1", "2"], "area": ["5平方米", "4"]}), plan, lang="en")
    assert rated.table["status"].to_pylist() == ["refused", "rated"]
    assert "mu" in rated.explain("2").text("en") and "亩" in rated.explain("2").text("zh")
    assert main(["--lang", "zh", "plans", str(folder)]) == 0
    assert "1000000 亩" in capsys.readouterr().out


def test_a_unit_that_is_not_declared_is_refused_with_those_that_are(folder):
    text = plan_text(BODY.replace('unit = "mu"', 'unit = "mo"', 1), "no")
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    (told,) = [item for item in rm.check_plan(folder).problems if item.code == "RM104"]
    assert "mu" in told.what("en")


def test_the_unit_is_in_the_fingerprint(folder):
    before = rm.load_plan(folder).fingerprint
    (folder / "plan.toml").write_text(plan_text(BODY.replace("15", "16"), "no"), encoding="utf-8")
    assert rm.load_plan(folder).fingerprint != before
