"""Numbers as tariffs print them: exact in the unit of their place, and refused where they could mean two things."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ratemod as rm
from ratemod.rules.printed import printed_number
from tests.own_plan import plan_text

PLAN = """[column.grade]
kind = "level"
levels = ["A", "B"]
[constant.share]
value = {constant}
{unit}
source = "s"
[table.rate]
{table}
[[step]]
name = "rate"
op = "lookup"
table = "rate"
[[step]]
name = "raw"
op = "product"
of = ["rate", "share", 100000]
source = "s"
[[step]]
name = "premium"
op = "round"
of = "raw"
unit = "0.01"
"""


def written(tmp_path, constant='"5%"', unit='unit = "share"', table='unit = "factor"', cells=("2.5‰", "3/8")):
    folder = tmp_path / "own" / "1"
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    text = plan_text(PLAN.format(constant=constant, unit=unit, table=table))
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    rows = "".join(f"{grade},{cell},s\n" for grade, cell in zip("AB", cells))
    (folder / "tables" / "rate.csv").write_text(f"grade,value,source\n{rows}", encoding="utf-8")
    return folder


def codes(folder) -> set[str]:
    return {item.code for item in rm.check_plan(folder).problems}


@pytest.mark.parametrize(
    ("unit", "table", "fen"),
    [
        ('unit = "share"', 'unit = "factor"', 1250),  # 0.05 × 0.0025 × 100,000
        ('unit = "percent"', 'unit = "factor"', 125000),  # 5 × 0.0025
        ('unit = "share"', 'unit = "per_mille"', 1250000),  # 0.05 × 2.5
        ('unit = "share"', 'unit = "percent"', 125000),  # 0.05 × 0.25
    ],
)
def test_a_sign_is_worth_what_the_unit_of_its_place_says(unit, table, fen, tmp_path):
    folder = written(tmp_path, unit=unit, table=table)
    assert codes(folder) == set()
    rated = rm.rate(pd.DataFrame({"policy_no": [1, 2], "grade": ["A", "B"]}), rm.load_plan(folder))
    assert rated.outputs.premium_fen[0] == fen


def test_a_fraction_is_exact_whatever_the_unit(tmp_path):
    folder = written(tmp_path, constant='"1/8"', unit="", table="", cells=("1", " 3 / 8 "))
    assert codes(folder) == set()
    assert rm.load_plan(folder).constants["share"].value == Decimal("0.125")
    assert rm.load_plan(folder).tables["rate"].column("value") == (1, Decimal("0.375"))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"unit": ""}, {"RM374"}),
        ({"unit": 'unit = "persons"'}, {"RM374"}),
        ({"table": ""}, {"RM374"}),
        ({"table": 'unit = "money"'}, {"RM374"}),
        ({"constant": '"1/3"'}, {"RM375"}),
        ({"cells": ("1/3", "1")}, {"RM375"}),
        ({"cells": ("5%%", "1")}, {"RM132"}),
        ({"cells": ("1/0", "1")}, {"RM132"}),
        ({"cells": ("5 percent", "1")}, {"RM132"}),
        ({"constant": '"1/0"'}, {"RM103"}),
        ({"constant": '"%"'}, {"RM103"}),
        ({"constant": '"1,5%"'}, {"RM103"}),
    ],
)
def test_what_could_mean_two_things_is_refused_with_its_line(given, wanted, tmp_path):
    found = rm.check_plan(written(tmp_path, **given)).problems
    assert {item.code for item in found} >= wanted
    assert all(item.row and item.file for item in found if item.code in wanted)


@pytest.mark.parametrize("said", ["5%", "2.5‰", "3/8"])
def test_a_number_with_a_sign_among_operands_is_told_as_one(said, tmp_path):
    folder = written(tmp_path)
    text = (folder / "plan.toml").read_text(encoding="utf-8")
    (folder / "plan.toml").write_text(text.replace('"share", ', f'"share", "{said}", ', 1), encoding="utf-8")
    assert [(item.code, item.args["name"]) for item in rm.check_plan(folder).problems] == [("RM969", said)]


def test_an_edition_that_is_edited_keeps_the_other_signs(tmp_path):
    plan = rm.load_plan(written(tmp_path))
    changed = plan.replace({"tables.rate[A].value": "0.003", "constants.share": "0.06"})
    assert changed.tables["rate"].column("value") == (Decimal("0.003"), Decimal("0.375"))
    assert changed.constants["share"].value == Decimal("0.06")


@given(
    number=st.decimals(-1000, 1000, places=4),
    below=st.sampled_from([None, 2, 4, 5, 8, 40]),
    sign=st.sampled_from(["", "%", "‰", " %"]),
    unit=st.sampled_from([("share", 1), ("percent", 100), ("per_mille", 1000)]),
)
def test_what_is_printed_is_read_to_the_last_digit(number, below, sign, unit):
    said = f"{number:f}" + (f"/{below}" if below else "") + sign
    wanted = Fraction(number) / (below or 1)
    if sign:
        wanted *= Fraction(unit[1], {"%": 100, "‰": 1000}[sign.strip()])
    assert Fraction(printed_number(said, unit[0])) == wanted


def test_a_table_without_a_unit_is_told_of_once_however_many_cells_have_a_sign(tmp_path):
    found = rm.check_plan(written(tmp_path, table="", cells=("5%", "7%"))).problems
    assert [(item.code, item.count, item.row) for item in found] == [("RM374", 2, 2)]
