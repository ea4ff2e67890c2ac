"""Lists as clerks keep them: hours in headers, branch names between rows, examples in brackets, false second causes."""

from __future__ import annotations

import zipfile
from datetime import date, datetime

import pyarrow as pa
import pytest
from openpyxl import Workbook

import ratemod as rm
from ratemod.errors import BookError
from ratemod.fund.fund_table import read_columns
from ratemod.reading.convert import convert
from ratemod.reading.examples import example_cells
from ratemod.reading.header_hours import header_hour
from ratemod.reading.read import read_table
from ratemod.reading.sniff import sniffed
from ratemod.reading.text_chunks import open_text
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.spelling import simplified
from ratemod.vocabulary.table import table
from tests.own_plan import own_plan
from tests.reading.test_ugly_lists import COLUMNS, HEADS, P1, P2, premiums, sheet_of, touched

CODED = COLUMNS | {"policy_no": Column("policy_no", "text", "Policy", "保单号", identity="number")}
END = Column("end_date", "date", "End", "保险止期（不含当日）", aliases=("止期",))
COUNTED = Column("end_date", "date", "End", "止期", covered=True)
NEW_YEAR = date(2026, 1, 1).toordinal() - date(1970, 1, 1).toordinal()


@pytest.mark.parametrize("cell", [datetime(2025, 12, 31), "2025-12-31", "2025/12/31 00:00:00", 46022, "46022"])
@pytest.mark.parametrize(
    ("header", "later"),
    [
        ("止期（24时）", 1),
        ("止期\n(当日二十四时止)", 1),
        ("止期（含当日）", 1),
        ("止期24时", 1),
        ("End (inclusive)", 1),
        ("止期（零时）", 0),
        ("止期（不含当日）", 0),
        ("End (exclusive)", 0),
        ("止期", 0),
    ],
)
def test_the_hour_of_a_header_is_that_of_its_days(header, later, cell):
    book = read_table([{header: cell}], {"end_date": END})
    assert convert(book.table["end_date"], END).values.tolist() == [NEW_YEAR - 1 + later]
    mapped = read_table([{"到期" + header: cell}], {"end_date": END}, header_map={"到期" + header: "止期"})
    assert convert(mapped.table["end_date"], END).values.tolist() == [NEW_YEAR - 1 + later]
    counted = read_table([{header: cell}], {"end_date": COUNTED}) if "零" in header or later else None
    if counted is not None:  # a plan that counts the last day: 24时 leaves it, 零时 takes it off
        assert convert(counted.table["end_date"], COUNTED).values.tolist() == [NEW_YEAR - 2 + later]


def test_an_hour_in_the_cell_goes_before_that_of_the_header():
    book = read_table([{"止期（24时）": "2026-01-01零时"}], {"end_date": END})
    assert convert(book.table["end_date"], END).values.tolist() == [NEW_YEAR]


def test_tables_of_one_list_keep_the_hours_of_their_own_headers(tmp_path):
    book = Workbook()
    for row in (["保单号", "止期（24时）"], ["P1", "2025-12-31"]):
        book.active.append(row)
    for row in (["保单号", "止期"], ["P2", "2026-01-01"]):
        (book["乙"] if "乙" in book.sheetnames else book.create_sheet("乙")).append(row)
    book.save(tmp_path / "list.xlsx")
    read = read_table(tmp_path / "list.xlsx", {"policy_no": COLUMNS["policy_no"], "end_date": END})
    assert convert(read.table["end_date"], END).values.tolist() == [NEW_YEAR, NEW_YEAR]


def test_the_hour_of_a_header_holds_in_chunks_too(tmp_path):
    (tmp_path / "list.csv").write_text("保单号,止期（24时）\nP1,2025-12-31\nP2,20251231\n", encoding="utf-8")
    chunks = open_text(tmp_path / "list.csv", {"policy_no": COLUMNS["policy_no"], "end_date": END}, size=1)
    days = [convert(chunks.book(table).table["end_date"], END).values for table in chunks.tables()]
    assert [day for part in days for day in part.tolist()] == [NEW_YEAR, NEW_YEAR]


def test_a_header_is_not_mapped_to_an_hour():
    with pytest.raises(BookError, match="RM223"):
        read_table([{"到期": "2025-12-31"}], {"end_date": END}, header_map={"到期": "止期（24时）"})
    assert header_hour("保险止期（不含当日）", END) is None


@pytest.mark.parametrize("time", [(23, 59), (23, 59, 59), (23, 59, 59, 999_000)])
def test_the_last_minute_of_a_day_is_its_end(time):
    moments = pa.chunked_array([pa.array([datetime(2025, 12, 31, *time)])])
    assert convert(moments, END).values.tolist() == [NEW_YEAR]
    assert convert(moments, COUNTED).values.tolist() == [NEW_YEAR - 1]
    assert convert(pa.chunked_array([pa.array([datetime(2025, 12, 31, 23, 58)])]), END).problem_of.all()


@pytest.mark.parametrize("line", ["长春分公司", "★ 延边支公司 ★", "其中：建筑类"])
def test_words_alone_under_a_code_are_a_line(tmp_path, line):
    book = read_table(sheet_of([HEADS, [line], P1, P2])(tmp_path), CODED)
    assert set(premiums(book)) == {"P1", "P2"} and book.receipt.left_out["line"] == 1
    assert any(line in item.what("zh") for item in book.skipped)


@pytest.mark.parametrize("cells", [["P3"], ["PAZY三", None, 3], [None, "矿山", 3]])
def test_what_may_be_a_policy_stays_a_record(tmp_path, cells):
    book = read_table(sheet_of([HEADS, cells, P1, P2])(tmp_path), CODED)
    assert book.table.num_rows == 3


def test_a_cell_merged_across_the_table_is_a_line(tmp_path):
    make = touched([HEADS, ["吉林2024年"], P1, P2], lambda book: book.active.merge_cells("A2:E2"))
    book = read_table(make(tmp_path), COLUMNS)
    assert set(premiums(book)) == {"P1", "P2"} and book.receipt.left_out["line"] == 1


def test_an_example_in_brackets_is_one():
    marked = ["（示例）P1", "P1（示例）", "【样例】P1", "(example) P1", "(例)P1"]
    others = ["示例矿业有限公司", "甲（例外）公司", "P1"]
    assert example_cells(pa.array(marked + others)).tolist() == [True] * 5 + [False] * 3


def test_a_table_that_lacks_a_column_of_the_others_is_named(tmp_path):
    book = Workbook()
    for row in (HEADS, P1):
        book.active.append(row)
    narrow = book.create_sheet("乙")
    for row in (HEADS, P2):
        narrow.append(row[:3] + row[4:])
    book.save(tmp_path / "list.xlsx")
    read = read_table(tmp_path / "list.xlsx", COLUMNS)
    (said,) = (item for item in read.skipped if item.code == "RM332")
    assert said.sheet == "乙" and "上年保费" in said.what("zh")


def test_an_amount_in_fen_is_not_missing_where_it_is_in_yuan(tmp_path):
    book = Workbook()
    book.active.title = "甲"
    for name, head, cell in (("甲", "签单保费（分）", 100_000), ("乙", "签单保费（元）", 1000), ("丙", "备用", "x")):
        sheet = book[name] if name == "甲" else book.create_sheet(name)
        sheet.append(["保单号", "保险公司", "保险起期", head])
        for at in (1, 2):
            sheet.append([f"{name}{at}", "某公司", "2025-01-01", cell])
    book.save(tmp_path / "list.xlsx")
    names = ("policy_no", "insurer", "start_date", "premium_fen", "premium_yuan")
    read = read_table(tmp_path / "list.xlsx", {name: table("policies").columns[name] for name in names})
    assert [item.sheet for item in read.skipped if item.code == "RM332"] == ["丙"]
    told = read_columns(tmp_path / "list.xlsx", "policies", ("policy_no", "start_date"), ("premium_fen",))
    assert told["premium_fen"].tolist()[:4] == [100_000] * 4


def test_files_of_a_folder_that_are_no_lists_are_named(tmp_path):
    (tmp_path / "lists").mkdir()
    sheet_of([HEADS, P1])(tmp_path / "lists")
    (tmp_path / "lists" / "吉林.et").write_bytes(b"x")
    (tmp_path / "lists" / "~$list.xlsx").write_bytes(b"x")
    (said,) = (item for item in read_table(tmp_path / "lists", COLUMNS).skipped if item.code == "RM333")
    assert "吉林.et" in said.what("zh") and "~$" not in said.what("zh")


def test_an_archive_is_to_be_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "lists.xlsx", "w") as archive:
        archive.writestr("a/list.csv", "x")
    with pytest.raises(BookError, match="RM331"):
        sniffed(tmp_path / "lists.xlsx")


def test_text_in_two_bytes_without_its_mark_is_named(tmp_path):
    (tmp_path / "list.csv").write_bytes("保单号,行业\nP1,矿山\n".encode("utf-16-le"))
    with pytest.raises(BookError, match="UTF-16"):
        sniffed(tmp_path / "list.csv")


def test_headers_of_every_kind_are_understood_in_traditional_characters():
    pairs = {"標準化證書有效期至": "标准化证书有效期至", "不含當日": "不含当日", "聯合懲戒名單": "联合惩戒名单"}
    assert {simplified(old): new for old, new in pairs.items()} == {new: new for new in pairs.values()}


PLAN = """[column.firm]
kind = "text"
[column.heads]
kind = "number"
unit = "persons"
min = 0
max = 9
[column.limit]
kind = "number"
unit = "yuan"
min = 0
max = 9
[column.last]
kind = "number"
unit = "yuan"
min = 0
max = 9
optional = true
[[step]]
name = "premium"
op = "round"
of = "heads"
unit = "0.01"
[[rule]]
name = "last_missing"
when = { of = "last", missing = true }
action = "refuse"
message_en = "last year's premium is missing"
message_zh = "缺上年保费"
source = "s"
[[check]]
name = "one_limit"
kind = "same"
of = "limit"
by = "firm"
message_en = "one firm, two limits"
message_zh = "限额不一致"
source = "s"
"""


def test_a_cell_that_cannot_be_read_is_the_only_cause_told(tmp_path):
    plan = own_plan(tmp_path, PLAN)
    rows = [
        {"policy_no": "P1", "firm": "9.12E+17", "heads": 1, "limit": 4, "last": 5},
        {"policy_no": "P2", "firm": "9.12E+17", "heads": 1, "limit": 5, "last": "约5"},
        {"policy_no": "P3", "firm": "甲", "heads": 1, "limit": 5, "last": None},
        {"policy_no": "P4", "firm": "乙", "heads": 1, "limit": 5, "last": 5},
        {"policy_no": "P5", "firm": "乙", "heads": 1, "limit": 6, "last": 5},
    ]
    rated = rm.rate(rows, plan)
    codes = [[item.code for item in rated.verdict.reasons[at - 1]] for at in rated.verdict.reason_of.tolist()]
    assert codes == [["RM207"], ["RM207", "RM203"], ["RM303"], ["RM302"], ["RM302"]]
