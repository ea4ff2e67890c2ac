"""Size classes, accident grades, sectors, credit codes, divisions: every bound, both sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratemod.vocabulary.codes.accident import GRADES, accident_grade
from ratemod.vocabulary.codes.code_table import load_codes
from ratemod.vocabulary.codes.credit_code import ALPHABET, is_valid, make
from ratemod.vocabulary.codes.division import division_names, prefecture_of
from ratemod.vocabulary.codes.industry import SECTORS, sector_of
from ratemod.vocabulary.codes.size_class import SIZES, size_class

HUGE = 1e12


@pytest.mark.parametrize("row", load_codes("size_classes"), ids=lambda row: f"{row['name_zh']}-{row['measure']}")
@pytest.mark.parametrize("size", ["small", "medium", "large"])
def test_each_bound_of_the_size_classes_is_a_lower_bound(row, size):
    code = row["prefixes"].split()[0]
    for value, wanted in ((float(row[size]), size), (float(row[size]) - 1, SIZES[SIZES.index(size) - 1])):
        given_values = {"staff": HUGE, "revenue_yuan": HUGE, "assets_yuan": HUGE, row["measure"]: value}
        found = size_class([code], *([given_values[name]] for name in ("staff", "revenue_yuan", "assets_yuan")))
        assert SIZES[found[0]] == wanted


def test_size_needs_all_bounds_and_refuses_what_it_cannot_know():
    nan = float("nan")
    found = size_class(
        ["0610", "0610", "0610", "4710", "9999", None, "B0610"],
        [1000, 299, nan, nan, 5, 5, 300],
        [4e8, 4e8, 4e8, 8e8, 1e6, 1e6, 2e7],
        [nan, nan, nan, 8e8, 1e6, 1e6, nan],
    )
    assert found.tolist() == [3, 1, -1, 3, -1, -1, 2]
    assert size_class(["0610"], [-1], [1e9], [nan]).tolist() == [-1]


@pytest.mark.parametrize(
    ("deaths", "injured", "loss", "grade"),
    [
        (0, 0, 0, "general"),
        (2, 9, 9_999_999.99, "general"),
        (3, 0, 0, "larger"),
        (0, 10, 0, "larger"),
        (0, 0, 10_000_000, "larger"),
        (9, 49, 49_999_999, "larger"),
        (10, 0, 0, "major"),
        (0, 50, 0, "major"),
        (0, 0, 50_000_000, "major"),
        (29, 99, 99_999_999, "major"),
        (30, 0, 0, "extraordinary"),
        (0, 100, 0, "extraordinary"),
        (0, 0, 100_000_000, "extraordinary"),
        (1, 0, 100_000_000, "extraordinary"),
    ],
)
def test_accident_grades_at_every_bound(deaths, injured, loss, grade):
    assert GRADES[accident_grade([deaths], [injured], [loss])[0]] == grade


def test_an_accident_with_a_missing_number_has_no_grade():
    assert accident_grade([float("nan"), -1, 1], [0, 0, 0], [0, 0, 0]).tolist() == [-1, -1, 0]


def test_sectors_follow_the_longest_prefix():
    codes = [
        "0610",
        "2613",
        "2671",
        "2672",
        "5435",
        "5411",
        "4710",
        "3211",
        "0412",
        "0541",
        "5941",
        "C2614",
        "2012",
        "",
        None,
    ]
    wanted = [
        "mining",
        "hazardous_chemicals",
        "civil_explosives",
        "fireworks",
        "transport",
        "transport",
        "construction",
        "metal_smelting",
        "fishery",
        "fishery",
        "hazardous_chemicals",
        "hazardous_chemicals",
        None,
        None,
        None,
    ]
    assert [None if at < 0 else SECTORS[at] for at in sector_of(codes)] == wanted


def test_known_credit_codes():
    assert is_valid(["91350100M000100Y43"]).all()
    assert not is_valid(
        ["91350100M000100Y4", "91350100M000100Y431", "91350100I000100Y43", "", None, "九1350100M000100Y43"]
    ).any()


@given(st.integers(0, 99_999_999), st.integers(0, 17), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_always_caught(number, place, letter):
    code = str(make("91000000", [number])[0])
    assert is_valid([code])[0] and len(code) == 18
    changed = code[:place] + letter + code[place + 1 :]
    assert is_valid([changed])[0] == (changed == code)


def test_divisions():
    assert prefecture_of(["220581", "220502", "22CBS", "222401", "310000", None]).tolist() == [
        "220500",
        "220500",
        "22CBS",
        "222400",
        "",
        "",
    ]
    assert division_names()["222400"] == "延边朝鲜族自治州" and len(division_names("en")) == 12


def test_a_million_codes_are_one_look_per_different_code():
    codes = np.tile(np.array(["0610", "2613", "9999"]), 100_000)
    assert sector_of(codes).sum() == (0 + 1 - 1) * 100_000
