"""First and last day in one cell or under one header: read as two columns of days would be, or refused."""

from __future__ import annotations

import pytest
from openpyxl import Workbook

import ratemod as rm
from ratemod.reading.read import read_table
from ratemod.vocabulary.table import column
from tests.rating.test_editions_of_rows import OLD, scheme, yuan

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
