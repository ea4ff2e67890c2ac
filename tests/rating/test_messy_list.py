"""Thirty thousand rows of Excel with two hundred errors of twenty kinds: exactly those refused, each for its reason."""

from __future__ import annotations

import numpy as np
import pytest
import xlsxwriter

import ratemod as rm
from tests.rating import renewals

# kind -> (what is done to a row, the code it must be refused with, the column it touches)
MISTAKES = {
    "unknown sector": ({"sector": "矿上"}, "RM202", "行业"),
    "unknown size": ({"size_class": "特大"}, "RM202", "企业规模"),
    "unknown level of certificate": ({"standardisation": "四级"}, "RM202", "安全生产标准化等级"),
    "unknown hazard state": ({"hazard_state": "不详"}, "RM202", "重大事故隐患状态"),
    "unknown integrity grade": ({"integrity_grade": "E级"}, "RM202", "安全生产诚信等级"),
    "unclear flag": ({"blacklisted": "可能"}, "RM202", "联合惩戒名单"),
    "no heads": ({"heads": None}, "RM201", "投保人数"),
    "heads in words": ({"heads": "约30"}, "RM203", "投保人数"),
    "half a head": ({"heads": 12.5}, "RM205", "投保人数"),
    "negative heads": ({"heads": -4}, "RM204", "投保人数"),
    "no sector": ({"sector": ""}, "RM201", "行业"),
    "limit below the law": ({"limit_yuan": 30}, "RM303", "40万元"),
    "limit in fen": ({"limit_yuan": 40_000_000}, "RM204", "每人赔偿限额"),
    "impossible date": ({"start_date": "2026-02-30"}, "RM206", "保险起期"),
    "two-digit year": ({"end_date": "1/2/27"}, "RM206", "保险止期"),
    "ends before it starts": ({"start_date": "2026-05-02", "end_date": "2026-05-01"}, "RM287", "止期"),
    "longer than a year": ({"start_date": "2026-01-01", "end_date": "2027-06-01"}, "RM303", "超过一年"),
    "renewal without expiring premium": ({"expiring_premium_yuan": None}, "RM303", "上年年保费"),
    "judgement without a reason": ({"schedule_factor": 0.95, "schedule_reason": None}, "RM366", "理由"),
    "judgement outside the range": ({"schedule_factor": 0.5, "schedule_reason": "关系"}, "RM313", "超出"),
}


@pytest.fixture(scope="module")
def messy(tmp_path_factory):
    rows = renewals.rows(30_000, seed=7)
    rng = np.random.default_rng(8)
    chosen = rng.choice(len(rows), 200, replace=False)
    planted = {}
    for at, (kind, where) in enumerate(zip(list(MISTAKES) * 10, chosen)):
        rows[where] |= MISTAKES[kind][0]
        planted[rows[where]["policy_no"]] = list(MISTAKES)[at % 20]
    path = tmp_path_factory.mktemp("messy") / "续保清单.xlsx"
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    sheet = book.add_worksheet("清单")
    sheet.write(0, 0, "2026年安责险续保清单")
    sheet.write_row(2, 0, renewals.HEADERS.values())
    line = 3
    for number, row in enumerate(rows):
        if number % 5000 == 4999:
            line += 1  # a blank row
        for place, name in enumerate(renewals.HEADERS):
            if row[name] is not None:
                sheet.write(line, place, row[name])
        line += 1
    sheet.write(line + 1, 0, "合计")
    sheet.write(line + 1, 8, sum(row["heads"] for row in rows if isinstance(row["heads"], int)))
    book.close()
    plan = rm.load_plan("jilin-spli", at="2026-01-01")
    return rm.rate(rm.read_book(path, plan), plan, lang="zh"), planted


def test_exactly_the_planted_rows_are_refused(messy):
    rated, planted = messy
    assert rated.counts["rows"] == 30_000 and len(planted) == 200
    refused = set(rated.refused["policy_no"].to_pylist())
    assert refused == set(planted)
    assert rated.counts["rated"] + rated.counts["referred"] == 29_800


def test_each_is_refused_for_its_own_reason(messy):
    rated, planted = messy
    for row in rated.refused.to_pylist():
        _, code, word = MISTAKES[planted[row["policy_no"]]]
        assert row["code"] == code and word in row["reason"], (planted[row["policy_no"]], row["code"], row["reason"])


def test_near_matches_are_offered_and_equal_mistakes_are_one_line(messy):
    rated, _ = messy
    item = next(item for item in rated.problems if item.args.get("value") == "矿上")
    assert item.count == 10 and "矿山" in item.what("zh")
    assert len(rated.problems) < 60


def test_row_numbers_are_those_of_the_sheet(messy):
    rated, _ = messy
    numbers = dict(zip(rated.refused["policy_no"].to_pylist(), rated.refused["row"].to_pylist()))
    for key, row in numbers.items():
        at = int(key[6:])
        assert row == at + 4 + (at + 1) // 5000  # three rows above the data; a blank row before every 5,000th


def test_blank_and_total_rows_are_told_and_left_out(messy):
    rated, _ = messy
    assert {item.code for item in rated.book.skipped} == {"RM231", "RM232"}


def test_strict_stops_before_pricing(messy):
    rated, _ = messy
    with pytest.raises(rm.BookError) as error:
        rm.rate(rated.book, rated.plan, strict=True)
    codes = {item.code for item in error.value.problems}
    assert {"RM320", "RM201", "RM202", "RM203", "RM204", "RM205", "RM206"} <= codes
    assert sum(item.count for item in error.value.problems[1:]) >= 140
