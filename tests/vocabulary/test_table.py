"""The vocabulary: every column and table declared once, words that mean one thing, amounts in either unit."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from ratemod.errors import BookError
from ratemod.fund.fund_table import read_columns
from ratemod.reading.header import fold
from ratemod.reading.shared_table import each_once, read_shared
from ratemod.vocabulary.codes.accident import GRADES
from ratemod.vocabulary.codes.industry import SECTORS
from ratemod.vocabulary.codes.size_class import SIZES
from ratemod.vocabulary.table import column, table, tables, words

LEVELS = [
    (one.name, word, place)
    for one in words().values()
    for place, level in enumerate(one.levels)
    for word in level.names()
]


@pytest.mark.parametrize("name", tables())
def test_a_header_means_one_column_of_a_table(name):
    meant: dict[str, str] = {}
    for one in table(name).columns.values():
        for header in one.names():
            assert meant.setdefault(fold(header), one.name) == one.name, header


@pytest.mark.parametrize("name", tables())
def test_what_a_table_says_of_its_columns_holds(name):
    one = table(name)
    named = [*one.required, *one.keys, *one.once, *one.joins, *(day for pair in one.order for day in pair)]
    assert set(named) <= set(one.fields())
    assert set(one.joins.values()) <= set(tables())
    assert {one.columns[day].kind for pair in one.order for day in pair} <= {"date"}


def test_a_file_name_means_one_table():
    meant: dict[str, str] = {}
    for one in tables().values():
        for name in one.names():
            assert meant.setdefault(fold(name), one.name) == one.name, name


def test_levels_stand_in_the_order_of_the_codes_of_the_state():
    assert column("sector").codes() == (*SECTORS, "other")
    assert column("size_class").codes() == SIZES
    assert column("accident_grade").codes() == GRADES


@pytest.mark.parametrize(("name", "word", "place"), LEVELS)
def test_every_word_of_a_level_means_it_in_any_case_and_width(name, word, place):
    from ratemod.reading.convert import convert

    wide = "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in word)
    said = pa.array([word, f" {word} ", word.upper(), word.lower(), wide])
    told = convert(said, column(name))
    assert told.problem_of is None and np.asarray(told.values).tolist() == [place] * 5


@pytest.mark.parametrize("said", ["特大", "lage", "?", "no"])
def test_an_unknown_word_refuses_its_row(said):
    told = read_shared({"policy_no": ["A", "B"], "size_class": [said, "大型"]}, "policies", ["policy_no", "size_class"])
    assert told.good.tolist() == [False, True]
    assert [item.code for item in told.refused] == ["RM202"]


@pytest.mark.parametrize(
    ("yes", "no"), [("是", "否"), ("Y", "N"), (True, False), ("true", "FALSE"), (1, 0), ("有", "无"), ("√", "×")]
)
def test_flags_say_yes_and_no_in_many_ways(yes, no):
    shares = {"policy_no": ["A", "A"], "insurer": ["x", "y"], "leader": [yes, no], "share_percent": [60, 40]}
    assert read_columns(pa.table(shares), "coinsurance", tuple(shares))["leader"].tolist() == ["yes", "no"]


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("premium_fen", 100_001),
        ("保费（分）", "100,001"),
        ("保险费分", 100_001),
        ("保费（元）", 1000.01),
        ("保费", "1,000.01元"),
        ("premium", "1000.01"),
        ("签单保费(万元)", "0.100001"),
    ],
)
def test_an_amount_is_read_in_the_unit_of_its_header(header, cell):
    told = read_columns({"保单号": ["A"], header: [cell]}, "policies", ("policy_no", "premium_fen"))
    assert told["premium_fen"].tolist() == [100_001]


@pytest.mark.parametrize(("one", "other"), [("60%", "40%"), ("60％", "百分之四十"), ("600‰", "40"), (60, 40)])
@pytest.mark.parametrize("header", ["共保份额%", "份额（%）", "份额"])
def test_a_share_is_in_per_cent_with_its_sign_and_without(header, one, other):
    shares = {"保单号": ["A", "A"], "保险公司": ["x", "y"], "主承保": ["是", "否"], header: [str(one), str(other)]}
    told = read_columns(shares, "coinsurance", ("policy_no", "insurer", "leader", "share_percent"))
    assert told["share_percent"].tolist() == [60, 40]


def test_every_column_in_per_cent_or_per_mille_says_so_to_the_reader():
    columns = {column.name: column for one in tables().values() for column in one.columns.values()}
    signed = {
        name: sign
        for name, column in columns.items()
        for sign, words in (("percent", ("%", "％", "percent")), ("per_mille", ("‰", "per_mille")))
        if column.kind == "number" and any(word in said for word in words for said in (name, *column.names()))
    }
    assert signed and {name: columns[name].unit for name in signed} == signed


def test_yuan_and_fen_that_differ_refuse_the_row():
    both = {"保单号": ["A", "B", "C"], "保费（元）": [1.0, 2.0, None], "保费（分）": [100, 201, 300]}
    told = read_columns(both, "policies", ("policy_no", "premium_fen"))
    assert told["premium_fen"].tolist() == [100, 300]
    assert [(item.code, item.row, item.args["yuan"], item.args["fen"]) for item in told.refused] == [
        ("RM953", 2, "2.00", "201")
    ]


EMPTY = {"policy_no": [], "start_date": []}


@pytest.mark.parametrize(
    "source",
    [pa.table({}), pd.DataFrame(), pl.DataFrame(), pd.DataFrame(EMPTY), pl.DataFrame(EMPTY), pa.table(EMPTY)],
    ids=["arrow", "pandas", "polars", "pandas with headers", "polars with headers", "arrow with headers"],
)
def test_a_table_without_rows_is_an_empty_list(source):
    told = read_shared(source, "policies", ["policy_no", "start_date"], ["premium_fen"])
    assert len(told) == 0 and told.refused == ()


def test_a_file_with_headers_alone_is_an_empty_list(tmp_path):
    (tmp_path / "a.csv").write_text("保单号,保险起期\n", encoding="utf-8-sig")
    assert len(read_shared(tmp_path / "a.csv", "policies", ["policy_no", "start_date"])) == 0


def test_a_missing_column_is_named_with_its_near_match():
    with pytest.raises(BookError) as told:
        read_shared({"保单号": ["A"], "保险起始": ["2026-01-01"]}, "policies", ["policy_no", "start_date"])
    (item,) = told.value.problems
    assert (item.code, item.args["name"], item.args["nearest"]) == ("RM950", "start_date", "保险起始")


def test_a_thing_told_twice_counts_once_and_told_otherwise_not_at_all():
    rows = {"service_no": ["S1", "S1", "S2", "S2", ""], "policy_no": ["A", "A", "A", "B", "A"]}
    told = each_once(read_shared(pa.table(rows), "services", ["policy_no"], ["service_no"]))
    assert told.good.tolist() == [True, False, False, False, True]
    assert told.bad.tolist() == [False, False, True, True, False]
    assert [(item.code, item.count) for item in told.refused] == [("RM241", 2), ("RM242", 1)]


def test_every_row_is_good_bad_or_twice_and_dates_stand_in_order():
    day = datetime.date(2026, 1, 1)
    rows = {"policy_no": ["A", "B"], "start_date": [day, day], "end_date": [day, day - datetime.timedelta(1)]}
    told = read_shared(pa.table(rows), "policies", list(rows))
    assert told.good.tolist() == [True, False] and [item.code for item in told.refused] == ["RM240"]
