"""Sectors from industry codes: the table, its honesty, and codes that are none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.vocabulary.codes.code_table import load_codes
from ratemod.vocabulary.codes.industry import SECTORS, industry_digits, sector_of

ROWS = load_codes("sectors")


def name(code):
    at = sector_of([code])[0]
    return None if at < 0 else SECTORS[at]


@pytest.mark.parametrize(
    ("code", "sector"),
    [
        *((code, "mining") for code in ("0610", "0722", "0890", "0939", "1099", "1190", "1200", "06")),
        *((code, "hazardous_chemicals") for code in ("2511", "2614", "2632", "2645", "2659", "2669", "5162", "5169")),
        *((code, "hazardous_chemicals") for code in ("5265", "5266", "5941", "5942", "5949", "5720")),
        ("2671", "civil_explosives"),
        ("2672", "fireworks"),
        *((code, "metal_smelting") for code in ("3110", "3120", "3140", "3211", "3229", "3239")),
        *((code, "construction") for code in ("4710", "4813", "4910", "5011")),
        *((code, "transport") for code in ("5320", "5411", "5435", "5523", "5612", "5821")),
        *((code, "fishery") for code in ("0411", "0412", "0421", "0422", "0541")),
    ],
)
def test_the_codes_of_each_sector(code, sector):
    assert name(code) == sector


@pytest.mark.parametrize(
    "code", ["2521", "2524", "3130", "3240", "3251", "5710", "5199", "5299", "5910", "0511", "2681"]
)
def test_codes_that_are_not_clearly_one_of_the_eight_are_left_to_the_firm(code):
    assert name(code) is None


@pytest.mark.parametrize("code", ["26", "267", "25", "31", "59", "57"])
def test_a_code_too_short_to_tell_has_no_sector(code):
    assert name(code) is None


@pytest.mark.parametrize(
    "code",
    [None, "", "6", "06100", "A0610", "BB0610", "0610B", "06 10", "０６１０", "0610.0", "nan"],
)
def test_a_code_that_is_not_well_formed_has_no_sector(code):
    assert name(code) is None


def test_a_number_is_refused_for_it_may_have_lost_its_zero():
    with pytest.raises(TypeError):
        sector_of([610])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.from_regex(r"[A-Ta-t]?[0-9]{1,5}", fullmatch=True)), max_size=40))
def test_the_longest_prefix_wins_row_by_row(codes):
    def plain(code):
        best = -1
        for row in sorted(ROWS, key=lambda row: len(row["prefix"])):
            if industry_digits(code or "").startswith(row["prefix"]):
                best = SECTORS.index(row["sector"])
        return best

    found = sector_of(codes)
    assert found.dtype == np.int8 and found.tolist() == [plain(code) for code in codes]


def test_letters_must_fit_their_divisions():
    starts = dict(
        zip("ABCDEFGHIJKLMNOPQRST", (1, 6, 13, 44, 47, 51, 53, 61, 63, 66, 70, 71, 73, 76, 80, 83, 84, 86, 91, 97))
    )
    for division in range(1, 98):
        digits = f"{division:02d}"
        own = max(letter for letter, start in starts.items() if start <= division)
        assert [letter for letter in starts if industry_digits(letter + digits)] == [own]


def test_the_table_says_how_each_row_is_known():
    assert {row["confidence"] for row in ROWS} == {"listed", "checked", "choice"}
    assert {row["prefix"] for row in ROWS if row["confidence"] == "checked"} == {
        "251",
        "311",
        "312",
        "314",
        "50",
        "5162",
    }
    assert all(row["source"] and row["note"] and row["sector"] in SECTORS for row in ROWS)
    assert len({row["prefix"] for row in ROWS}) == len(ROWS)
    assert {row["sector"] for row in ROWS} == set(SECTORS) and len(SECTORS) == 8
