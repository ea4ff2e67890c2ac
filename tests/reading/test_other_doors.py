"""The ugliness of lists at the other doors: shared tables, mod lists, frames, another system's premiums.

Claims of 10,000.01 yuan and 1 yuan: right to the fen, or the row refused by name, whatever the list looks like.
"""

from __future__ import annotations

import pandas as pd
import pytest
from openpyxl import Workbook

import ratemod as rm
from ratemod.errors import BookError
from ratemod.experience.mod_lists import SUCCESSION, read_claims, read_exposure, successions_of
from ratemod.reading.arrow import strings
from ratemod.reading.header import Header, lexicon
from ratemod.reading.near_headers import judged_headers
from ratemod.reading.read import read_table
from ratemod.reading.receipt import UnusedHeader
from ratemod.reading.shared_table import read_shared
from ratemod.secondopinion.second_opinion import second_opinion
from ratemod.study.history import CLAIM, _columns, _incurred
from ratemod.study.intake import intake_of
from ratemod.vocabulary.table import pick
from tests.cli.books import GOOD, HEADERS, PLAN, PREMIUMS_FEN
from tests.reading.test_ugly_lists import csv, second, sheet_of, text_of, touched

CODES = ("91220101MA0Y123456", "912201017028545670")
HEADS = ["赔案号", "保单号", "统一社会信用代码", "出险日期", "已决赔款"]
A = ["C1", "P1", CODES[0], "2025-03-01", 10000.01]
B = ["C2", "P2", CODES[0], "2025-04-01", 1]
TEN = ["C1", "P1", CODES[0], "2025-03-01", 1.000001]
TEN_B = ["C2", "P2", CODES[0], "2025-04-01", 0.0001]
WAN = [*HEADS[:4], "已决赔款（万元）"]
RIGHT = {"C1": 1_000_001, "C2": 100}


def error(book: Workbook) -> None:
    book.active["E3"] = "#N/A"
    book.active["E3"].data_type = "e"


LISTS = {
    "plain": (sheet_of([HEADS, A, B]), RIGHT),
    "unit in header": (sheet_of([WAN, TEN, TEN_B]), RIGHT),
    "unit line": (sheet_of([["赔款清单"], ["单位：万元"], HEADS, TEN, TEN_B]), RIGHT),
    "unit line in text": (text_of("单位：万元\n" + csv([HEADS, TEN, TEN_B])), RIGHT),
    "second sheet in another unit": (touched([HEADS, A], lambda book: second(book, [WAN, TEN_B])), RIGHT),
    "totals and footers": (sheet_of([HEADS, A, ["小计", None, None, None, 10000.01], B, ["制表人：张三"]]), RIGHT),
    "repeated header": (sheet_of([HEADS, A, HEADS, B]), RIGHT),
    "error cell": (touched([HEADS, A, B], error), {"C1": 1_000_001, "C2": None}),
    "formula never calculated": (sheet_of([HEADS, A, [*B[:4], "=1+0"]]), {"C1": 1_000_001, "C2": None}),
    "words for a number": (sheet_of([HEADS, A, [*B[:4], "待定"]]), {"C1": 1_000_001, "C2": None}),
    "dollars": (sheet_of([[*HEADS[:4], "已决赔款（美元）"], A, B]), "RM327"),
}


@pytest.mark.parametrize("kind", LISTS)
def test_shared_tables(kind, tmp_path):
    make, right = LISTS[kind]
    try:
        told = read_shared(make(tmp_path), "claims", ["claim_no", "policy_no", "event_date", "paid_fen"])
    except BookError as refusal:
        assert {item.code for item in refusal.problems} == {right}
        return
    paid = told.cells["paid_fen"].values
    keys = told.cells["claim_no"].values.to_pylist()
    assert {key: int(fen) if good else None for key, fen, good in zip(keys, paid, told.good)} == right
    assert len(told) == told.book.receipt.records == told.good.sum() + sum(item.count for item in told.refused)


@pytest.mark.parametrize("kind", LISTS)
def test_mod_lists(kind, tmp_path):
    make, right = LISTS[kind]
    try:
        found = read_claims(make(tmp_path), strings(CODES))
    except BookError as refusal:
        assert {item.code for item in refusal.problems} == {right}
        return
    wrong = [False] * 2 if found.wrong is None else [bool(at) for at in found.wrong]
    fen = [None if bad else int(value) for bad, value in zip(wrong, found.incurred_fen)]
    assert fen == list(right.values())


@pytest.mark.parametrize("kind", LISTS)
def test_histories(kind, tmp_path):
    make, right = LISTS[kind]
    try:
        book = read_table(make(tmp_path), CLAIM)
    except BookError as refusal:
        assert {item.code for item in refusal.problems} == {right}
        return
    found = intake_of("claims", book)
    yuan = _incurred(_columns(book, CLAIM, found), found)
    assert [round(one * 100) if good else None for one, good in zip(yuan, found.good)] == list(right.values())
    assert found.good.sum() + sum(len(rows) for _, rows, _ in found.left()) == book.receipt.records


def test_a_share_of_a_succession_is_read_or_refused(tmp_path):
    sizes = {"expected_losses_yuan": [9.0, 9.0], "expected_primary_losses_yuan": [1, 1]}
    firms = read_exposure(pd.DataFrame({"credit_code": CODES, **sizes}), "2026-01-01")
    names = [column.label_zh for column in SUCCESSION.values()]
    assert successions_of(sheet_of([names, [*CODES, 0.5]])(tmp_path), firms).share.tolist() == [0.5]
    for heads, share in ((names, "一半"), ([*names[:2], names[2] + "（%）"], 50)):
        with pytest.raises(BookError):
            successions_of(sheet_of([heads, [*CODES, share]])(tmp_path), firms)


def test_a_problem_of_a_second_sheet_says_the_sheet(tmp_path):
    path = touched([HEADS, A], lambda book: second(book, [HEADS, [*B[:4], "待定"]]))(tmp_path)
    (told,) = read_shared(path, "claims", ["claim_no", "paid_fen"]).refused
    assert (told.sheet, told.row) == ("乙", 2)


def test_a_multiple_in_a_header_of_a_model_is_obeyed_and_what_is_no_unit_is_refused():
    """Until models took units both were refused; 1.5 and 2 of 万元 are 15,000 and 20,000 yuan."""
    rest = {"行业": ["矿山", "渔业"], "人年": [3, 4]}
    for header in ("赔款（万元）", "赔款（万）"):
        model = rm.rate_model(pd.DataFrame({**rest, header: [1.5, 2]}), total="赔款", weight="人年", factors=["行业"])
        assert model.frame().set_index("level").total.to_dict() == {"矿山": 15_000.0, "渔业": 20_000.0}
    with pytest.raises(BookError) as caught:
        rm.rate_model(pd.DataFrame({**rest, "赔款（箱）": [1.5, 2]}), total="赔款", weight="人年", factors=["行业"])
    assert {item.code for item in caught.value.problems} == {"RM336"}


@pytest.mark.parametrize("header, size", [("对方保费（万元）", 10_000), ("对方保费", 1), ("对方保费（元）", 1)])
def test_another_systems_premium_is_read_in_its_unit(header, size, tmp_path):
    plan = rm.load_plan(PLAN)
    theirs = [PREMIUMS_FEN[row[0]] / 100 / size for row in GOOD]
    rows = [[*HEADERS, header], *([*row, premium] for row, premium in zip(GOOD, theirs))]
    rows[2][-1] = "未出单"
    rows = [[str(cell).lstrip("=@") if isinstance(cell, str) else cell for cell in row] for row in rows]
    rated = rm.rate(rm.read_book(sheet_of(rows)(tmp_path), plan), plan)
    opinion = second_opinion(rated, header)
    assert opinion.given.sum() == 3 and not opinion.differs.any()
    (unread,) = opinion.unread
    assert (unread.row, unread.count) == (3, 1) and "未出单" in opinion.text("zh")


def test_a_header_that_is_another_business_word_is_no_slip():
    columns = pick("endorsements", ("policy_no",), ("amount_after",))
    header = Header(("policy_no",), ("保单号",))
    assert judged_headers([UnusedHeader("变更后人数", "F")], header, lexicon(columns), None, None, 1)[0]
    label = columns["amount_after"].label_zh
    with pytest.raises(BookError) as caught:
        judged_headers([UnusedHeader(label + label[-1], "F")], header, lexicon(columns), None, None, 1)
    assert caught.value.problems[0].code == "RM265"


def test_a_list_is_read_for_a_plan_by_its_name(tmp_path):
    path = sheet_of([HEADERS, GOOD[0]])(tmp_path)
    assert rm.read_book(path, PLAN).table == rm.read_book(path, rm.load_plan(PLAN)).table
