"""First and last day in one cell or under one header: read as two columns of days would be, or refused."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

import ratemod as rm
from ratemod.errors import BookError
from ratemod.rating.stream import rate_file
from ratemod.reading.read import read_table
from ratemod.vocabulary.table import column
from tests.rating.test_editions_of_rows import OLD, PLAN, WHEN, scheme, yuan

__all__ = ["scheme"]
DAYS = {name: column(name) for name in ("policy_no", "start_date", "end_date")}


def saved(path, *rows, merged=()):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    for cells in merged:
        book.active.merge_cells(cells)
    book.save(path)
    return path


@pytest.mark.parametrize("header", ["保险期间", "起止日期", "保险起止时间", "Policy period"])
@pytest.mark.parametrize(
    ("cell", "premium"),
    [
        ("2025-01-01至2026-01-01", 1000),
        ("2025/1/1 - 2026/1/1", 1000),
        ("20250101～20260101", 1000),
        ("自2025年1月1日零时起至2025年12月31日二十四时止", 1000),  # the end of the last day is the next day's beginning
        ("2025-01-01 00:00至2025-12-31 24:00", 1000),
        ("2025年1月1日0时起2026年1月1日0时止", 1000),
        ("2026-01-01至2025-01-01", None),
        ("一年", None),
        ("2025-01-01", None),
        (None, None),
    ],
)
def test_a_period_in_one_cell(scheme, tmp_path, header, cell, premium):
    path = saved(
        tmp_path / "list.xlsx", ["policy_no", "heads", header], ["P1", 10, cell], ["P2", 10, "2025-01-01至2026-01-01"]
    )
    assert yuan(rm.rate(path, OLD)) == [premium, 1000]


def test_frames_and_texts_alike(scheme, tmp_path):
    rows = [{"policy_no": "P1", "heads": 10, "起止日期": "2025-01-01至2026-01-01"}]
    assert yuan(rm.rate(rows, OLD)) == [1000]
    path = tmp_path / "list.csv"
    path.write_text("policy_no,heads,起止日期\nP1,10,2025-01-01至2026-01-01\n", encoding="utf-8")
    assert yuan(rm.rate(path, OLD)) == [1000]


def test_one_header_over_both_days(tmp_path):
    rows = [["policy_no", "保险期间", None, "备注"], [None, "起", "止", None], ["P1", "2025-01-01", "2026-01-01", "x"]]
    path = saved(tmp_path / "list.xlsx", *rows, merged=["A1:A2", "B1:C1", "D1:D2"])
    book = read_table(path, DAYS)
    assert book.table.select(list(DAYS)).to_pylist() == [
        {"policy_no": "P1", "start_date": "2025-01-01", "end_date": "2026-01-01"}
    ]


def test_days_of_their_own_go_before_the_period():
    row = {"policy_no": "P1", "start_date": "2025-02-01", "end_date": None, "保险期间": "2025-01-01至2026-01-01"}
    (read,) = read_table([row], DAYS).table.to_pylist()
    assert (read["start_date"], read["end_date"]) == ("2025-02-01", "2026-01-01")
    assert read["保险期间"] == "2025-01-01至2026-01-01"


def test_a_table_of_one_day_does_not_take_a_period():
    one = {name: DAYS[name] for name in ("policy_no", "start_date")}
    book = read_table([{"policy_no": "P1", "保险期间": "2025-01-01至2026-01-01"}], one)
    assert "start_date" not in book.table.column_names
    assert [item.header for item in book.receipt.parts[0].unused] == ["保险期间"]


STREAMED = [
    ("P1", "2025-01-01至2026-01-01", 1000),
    ("P2", "自2025年1月1日零时起至2025年12月31日二十四时止", 1000),
    ("P3", "2026-01-01至2025-01-01", None),
    ("P4", "一年", None),
]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("keep", [(), ("all",)])
def test_a_list_read_in_chunks_gives_what_it_gives_read_whole(scheme, tmp_path, ending, keep):
    numbers, periods, _ = zip(*STREAMED)
    table = pa.table({"policy_no": numbers, "heads": [10] * 4, "起止日期": periods})
    path = tmp_path / f"list.{ending}"
    pa_csv.write_csv(table, path) if ending == "csv" else pq.write_table(table, path)
    done = rate_file(path, OLD, tmp_path / "out.parquet", keep=keep, chunk=3)
    streamed = pq.read_table(tmp_path / "out.parquet")
    whole = rm.rate(path, OLD)
    assert yuan(whole) == [row[2] for row in STREAMED]
    assert streamed["premium_fen"].to_pylist() == whole.table["premium_fen"].to_pylist()
    assert streamed["status"].to_pylist() == whole.table["status"].to_pylist()
    assert ("起止日期" in streamed.column_names) == bool(keep)
    assert done.counts["rated"] == 2 and done.receipt.parts[0].unused == ()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_currency_is_heard_in_chunks_too(scheme, tmp_path, ending):
    text = PLAN.replace("[column.heads]", "[column.insured]").replace('"persons"', '"money"')
    text = text.replace('"heads"', '"insured"')
    folder = tmp_path / "own" / "1"
    folder.mkdir(parents=True)
    dated = text.replace("{rate}", "0.1").replace("{edition}", "1").replace("{dates}", "new_from = 2020-01-01")
    (folder / "plan.toml").write_text(dated.replace('"made"', '"own"').replace("{when}", WHEN), encoding="utf-8")
    days = {"start_date": ["2025-01-01"] * 2, "end_date": ["2026-01-01"] * 2}
    for currency, right in ((["人民币", "CNY"], True), (["CNY", "USD"], False)):
        table = pa.table({"policy_no": ["P1", "P2"], "insured": [10, 20], "币种": currency, **days})
        path = tmp_path / f"list.{ending}"
        pa_csv.write_csv(table, path) if ending == "csv" else pq.write_table(table, path)
        if right:
            assert rate_file(path, folder, tmp_path / "out.parquet").counts["rated"] == 2
            continue
        with pytest.raises(BookError) as whole:
            rm.rate(path, folder)
        with pytest.raises(BookError) as streamed:
            rate_file(path, folder, tmp_path / "out.parquet")
        for error in (whole, streamed):
            assert [item.code for item in error.value.problems] == ["RM325"]
