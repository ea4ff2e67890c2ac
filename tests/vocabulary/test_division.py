"""Jilin's divisions: names, prefectures, and what is not in the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ratemod as rm
from ratemod.reading.table_check import check_tables
from ratemod.vocabulary.codes.code_table import load_codes
from ratemod.vocabulary.codes.division import division_name, division_names, prefecture_of

PROVINCE = Path(__file__).parents[2] / "data" / "province"
PREFECTURES = ["220100", "220200", "220300", "220400", "220500", "220600", "220700", "220800", "222400"]


def test_the_nine_prefectures_the_two_cities_and_the_committee():
    assert list(division_names()) == [*PREFECTURES, "220184", "220581", "22CBS"]
    assert division_name(["220200", "222400", "22CBS"]).tolist() == ["吉林市", "延边朝鲜族自治州", "长白山管委会"]
    assert division_name(["220200", "222400"], "en").tolist() == ["Jilin City", "Yanbian"]


def test_only_the_committee_has_a_key_of_the_project_and_it_says_so():
    rows = load_codes("divisions")
    own = [row["code"] for row in rows if row["standard"] != "GB/T 2260"]
    assert own == ["22CBS"] and "own key" in rows[-1]["standard"]
    assert all(row["source"] and row["name_en"] and row["name_zh"] for row in rows)


@pytest.mark.parametrize(
    ("code", "prefecture"),
    [
        ("220184", "220100"),
        ("220581", "220500"),
        ("220581000000", "220500"),
        ("220102", "220100"),
        (" 222401 ", "222400"),
        ("22CBS", "22CBS"),
        *((code, code) for code in PREFECTURES),
        *((code, "") for code in (None, "", "2201", "220000", "220900", "310000", "2201001", "22CBS1", "二二〇一〇〇")),
    ],
)
def test_a_code_leads_to_its_prefecture(code, prefecture):
    assert prefecture_of([code]).tolist() == [prefecture]


def test_a_county_not_in_the_table_has_a_prefecture_and_no_name():
    assert division_name(["220102", None, "310000"]).tolist() == ["", "", ""]
    assert division_name([]).tolist() == [] and prefecture_of([]).tolist() == []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.none(), st.sampled_from(list(division_names())), st.text("0122345678", max_size=7))))
def test_a_column_is_its_rows_one_by_one(codes):
    assert prefecture_of(codes).tolist() == [prefecture_of([code])[0] for code in codes]
    named = division_name(np.array(codes, dtype=object))
    assert named.tolist() == [division_names().get(code or "", "") for code in codes]


@pytest.mark.parametrize(
    "code, right",
    [
        ("220100", True),
        ("２２０１００ ", True),
        ("220102001", True),
        ("220100000000", True),
        ("22cbs", True),
        ("20100", False),
        ("2201000", False),
        ("920100", False),
        ("长春市", False),
        (None, True),
    ],
)
def test_what_is_not_built_as_a_division_code_is_remarked_and_checked(code, right, tmp_path):
    """Priced all the same, since a scheme may have keys of its own; a shared table with such a code is told."""
    rows = pq.read_table(PROVINCE / "renewals.parquet").slice(0, 2)
    at = rows.column_names.index("division_code")
    rated = rm.rate(
        rows.set_column(at, "division_code", pa.array(["220100", code])), rm.load_plan("jilin-spli/2025-04")
    )
    assert rated.counts["refused"] == 0
    told = [item.code for notes in rated.verdict.notes for item in notes]
    assert ("RM917" in told) is not right
    rows = pq.read_table(PROVINCE / "policies.parquet").slice(0, 2)
    at = rows.column_names.index("division_code")
    pq.write_table(rows.set_column(at, "division_code", pa.array(["220100", code])), tmp_path / "policies.parquet")
    (verdict,) = check_tables(tmp_path)
    assert [item.count for item in verdict.problems if item.code == "RM917"] == ([] if right else [1])
