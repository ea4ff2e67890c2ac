"""Events: each once, joined to its policy or set aside, every row and fen told."""

from __future__ import annotations

import datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.fund.events import numbers_left_out, of_policies, read_events
from ratemod.fund.fund_table import read_columns

DAY = datetime.date(2026, 1, 1)
NEEDED = ("policy_no", "date", "amount_fen")


def listed(*rows: tuple[str, ...]) -> pa.Table:
    names = ("receipt_no", "policy_no", "date", "amount_fen", "remark")
    return pa.table({name: [row[at] for row in rows] for at, name in enumerate(names)})


def receipts(source):
    return read_events(source, "receipts", NEEDED, (), ("policy_no", "receipt_no"))


def test_a_number_tells_which_event_it_is_and_else_the_whole_row():
    found = receipts(
        listed(
            ("1", "A", "2026-01-01", "5", ""),
            ("1", "A", "2026-01-01", "5", "copied"),  # of a number: what it says of the receipt is the same
            ("1", "B", "2026-01-01", "7", ""),  # number 1 of another policy
            ("2", "A", "2026-01-02", "5", ""),
            ("2", "A", "2026-01-03", "5", ""),  # two days of one number: neither counts
            ("", "A", "2026-02-01", "9", ""),
            ("", "A", "2026-02-01", "9", ""),  # alike in everything
            ("", "A", "2026-02-01", "9", "second half"),  # another row
        )
    )
    assert found.rows["amount_fen"].tolist() == [5, 7, 9, 9]
    assert {item.code: (item.row, item.count) for item in found.told} == {"RM750": (2, 2), "RM751": (4, 2)}
    tally = found.tally
    assert (tally.rows_in, tally.repeated, tally.aside, tally.used) == (8, 2, 2, 4)
    assert (tally.fen, tally.repeated_fen, tally.aside_fen, tally.used_fen) == (54, 14, 10, 30)


def test_a_running_number_does_not_make_two_events_of_one():
    rows = {"序号": [1, 2], "保单号": ["A", "A"], "日期": [DAY, DAY], "金额（分）": [3, 3]}
    assert len(receipts(pa.table(rows)).rows) == 1


def test_an_event_meets_its_policy_within_the_term_or_is_set_aside_with_its_reason():
    book = read_columns(
        pa.table(
            {
                "policy_no": ["A", "B", "C"],
                "start_date": ["2026-01-01", "x", "2026-01-01"],
                "premium_fen": ["1", "2", "3"],
            }
        ),
        "policies",
        ("policy_no", "start_date", "premium_fen"),
    )
    given_rows = listed(
        ("", "A", "2025-12-31", "1", ""),
        ("", "A", "2026-01-01", "2", ""),
        ("", "B", "2026-03-01", "4", ""),
        ("", "Z", "2026-03-01", "8", ""),
        ("", "C", "2026-03-01", "16", ""),
    )
    found = of_policies(receipts(given_rows), book, numbers_left_out(book), "date")
    assert found.rows["amount_fen"].tolist() == [2, 16]
    assert found.place.tolist() == [0, 1]
    assert {item.code: item.row for item in found.told} == {"RM754": 1, "RM753": 3, "RM396": 4}
    assert all(check.holds for check in found.checks())


@pytest.mark.parametrize("source", [None, pa.table({"policy_no": [], "date": [], "amount_fen": []})])
def test_an_empty_list_is_an_empty_list(source):
    assert len(receipts(source).rows) == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 3), st.integers(1, 3)), min_size=1, max_size=12))
def test_against_a_set_of_rows(rows):
    table = pa.table(
        {
            "policy_no": [row[0] for row in rows],
            "date": [DAY + datetime.timedelta(days=row[1]) for row in rows],
            "amount_fen": [row[2] for row in rows],
        }
    )
    assert sum(receipts(table).rows["amount_fen"]) == sum(row[2] for row in set(rows))
