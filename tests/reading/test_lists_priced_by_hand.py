"""Lists of new kinds under a shipped plan: every premium is the one worked out by hand, or its row or list is refused.

A1: 1.26 ‰ of 400,000 · 30 heads = 15,120; integrity A 0.90, standardisation 2 0.90 = 12,247.20; a renewal of 9,000
    may rise to 1.25 · 9,000 = 11,250.00
A2: 0.80 ‰ · 0.96 of 500,000 · 50 heads = 19,200; one general accident 1.15 = 22,080.00
A3: 0.81 ‰ of 400,000 · 20 heads = 6,480; integrity AA 0.80, no standardisation 1.10 = 5,702.40; six months 0.60
    = 3,421.44
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import ratemod as rm
from ratemod.cli import main
from ratemod.errors import BookError
from ratemod.registers.register import read_register

PLAN = "jilin-spli/2025-04"
HEADS = [
    *["保单号", "统一社会信用代码", "企业名称", "业务类型", "保险起期", "保险止期", "行业", "企业规模", "投保人数"],
    *["每人赔偿限额", "近三年一般事故起数", "近三年较大事故起数", "近三年重大及以上事故起数", "连续无赔款年数"],
    *[
        "重大事故隐患状态",
        "隐患逾期天数",
        "安全生产标准化等级",
        "标准化证书有效期至",
        "安全生产诚信等级",
        "联合惩戒名单",
        "上年年保费",
    ],
]
YEAR, HALF, NONE = ["2026-03-01", "2027-03-01"], ["2026-03-01", "2026-09-01"], ["无", 0]
Row = list[Any]
A1: Row = ["A1", "91220101MA0Y1AAA63", "甲矿业有限公司", "续保", *YEAR, "矿山", "小型", 30, 400000, 0, 0, 0, 0, *NONE]
A1 += ["二级", "2027-12-31", "A", "否", 9000]
A2: Row = [
    "A2",
    "91000000000000078K",
    "乙建筑有限公司",
    "新保",
    *YEAR,
    "建筑施工",
    "中型",
    50,
    500000,
    1,
    0,
    0,
    0,
    *NONE,
]
A2 += ["三级", "2027-12-31", "B", "否", None]
A3: Row = [
    "A3",
    "91000000000000086E",
    "丙渔业有限公司",
    "新保",
    *HALF,
    "渔业生产",
    "小型",
    20,
    400000,
    0,
    0,
    0,
    0,
    *NONE,
]
A3 += ["无", None, "AA", "否", None]
RIGHT = {"A1": "11250.00", "A2": "22080.00", "A3": "3421.44"}


def put(key: str, head: str, value: Any, rows: list[Row] | None = None) -> list[Row]:
    """The three policies with one cell written otherwise."""
    at = HEADS.index(head)
    return [
        [value if row[0] == key and place == at else cell for place, cell in enumerate(row)]
        for row in rows or [A1, A2, A3]
    ]


def under(head: str, other: str) -> Row:
    """The headers with one of them written otherwise."""
    return [other if one == head else one for one in HEADS]


def in_wan(row: Row) -> Row:
    """A policy with its limit in 10,000 yuan."""
    return [*row[:9], row[9] / 10_000, *row[10:]]


def sheet(rows: list[Row], touch: Callable[[Any, Any], None] | None = None) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        if touch:
            touch(book, book.active)
        book.save(folder / "list.xlsx")
        return folder / "list.xlsx"

    return write


def text(rows: list[Row], encoding: str = "utf-8", sign: str = ",", end: str = ".csv") -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        held = io.StringIO()
        csv.writer(held, delimiter=sign).writerows([["" if cell is None else cell for cell in row] for row in rows])
        (folder / f"list{end}").write_bytes(held.getvalue().encode(encoding))
        return folder / f"list{end}"

    return write


def priced(place: Path, tmp_path: Path) -> tuple[int, dict[str, str], dict[str, str], list[Any]]:
    """Return the exit code, the premium of each policy, why others have none, and the tables of the receipt."""
    out, receipt = tmp_path / "out.csv", tmp_path / "receipt.json"
    code = main(
        ["rate", str(place), "--plan", PLAN, "-o", str(out), "--receipt", str(receipt), "--lang", "zh", "--no-project"]
    )
    if not out.exists():
        return code, {}, {}, []
    found = []
    for file, said in ((out, "保费（元）"), (tmp_path / "out-refused.csv", "原因")):
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = [(row["保单号"], row[said]) for row in csv.DictReader(lines)]
        assert len({key for key, _ in rows}) == len(rows)
        found.append(dict(rows))
    return code, *found, json.loads(receipt.read_text(encoding="utf-8"))["tables"]


NUMBERED = [["序号", *HEADS], *([at, *row] for at, row in enumerate([A1, A2, A3], 1)), [4], [5]]
OF_MINES, OF_BUILDERS, OF_FISHERS = (
    [None, None, said, *[None] * 5, 30] for said in ("矿山 汇总", "建筑施工 汇总", "渔业 计数")
)
SUBTOTALS = [HEADS, A1, OF_MINES, A2, OF_BUILDERS, A3, OF_FISHERS, ["汇总", *[None] * 7, 100]]
ENGLISH = [HEADS, A1, [None, None, "Mining Total", *[None] * 5, 30], A2, A3, ["Grand Total", *[None] * 7, 100]]
OTHER_UNIT = [HEADS, A1, under("每人赔偿限额", "每人赔偿限额（万元）"), in_wan(A2), in_wan(A3)]
LETTER = [["尊敬的各位领导："], [None], [None, None, *HEADS], *([None, None, *row] for row in (A1, A2, A3)),
          ["以上共3户，保费另计。"], ["2026年3月1日"]]  # fmt: skip

TRADITIONAL = """保單號,統一社會信用代碼,企業名稱,業務類型,保險起期,保險止期,行業,企業規模,投保人數,每人賠償限額,\
近三年一般事故起數,近三年較大事故起數,近三年重大及以上事故起數,連續無賠款年數,重大事故隱患狀態,隱患逾期天數,安全生產標準化等級,標準化證書有效期至,\
安全生產誠信等級,聯合懲戒名單,上年年保費
A1,91220101MA0Y1AAA63,甲礦業有限公司,續保,2026-03-01,2027-03-01,礦山,小型,30,400000,0,0,0,0,無,0,二級,2027-12-31,A,否,9000
A2,91000000000000078K,乙建築有限公司,新保,2026-03-01,2027-03-01,建築施工,中型,50,500000,1,0,0,0,無,0,三級,2027-12-31,B,否,
A3,91000000000000086E,丙漁業有限公司,新保,2026-03-01,2026-09-01,漁業生產,小型,20,400000,0,0,0,0,無,0,無,,AA,否,
"""
ON_ITS_SIDE = [list(row) for row in zip(HEADS, A1, A2, A3, strict=True)]


def raw(content: bytes, name: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return write


NUMBERS = [*(f"({at})" for at in range(1, 21)), "(21)=(20)×(1)"]
RIGHT_LISTS: dict[str, tuple[Callable[[Path], Path], int]] = {  # and how many rows are named as no records
    "plain": (sheet([HEADS, A1, A2, A3]), 0),
    "numbers that run on": (sheet(NUMBERED), 2),
    "numbers that run on, in a text": (text(NUMBERED), 2),
    "subtotals of a spreadsheet": (sheet(SUBTOTALS), 4),
    "subtotals of a spreadsheet, in a text": (text(SUBTOTALS), 4),
    "subtotals in English": (sheet(ENGLISH), 2),
    "the header again in another unit": (sheet(OTHER_UNIT), 0),
    "a letter around the list": (sheet(LETTER), 2),
    "traditional characters in Big5": (raw(TRADITIONAL.encode("big5"), "list.csv"), 0),
    "columns numbered, one by how it is reckoned": (sheet([HEADS, NUMBERS, A1, A2, A3]), 0),
    "days of a clerk": (
        sheet([HEADS, *put("A1", "保险起期", "2026年3月1号", put("A2", "保险起期", "2026年3月1號"))]),
        0,
    ),
}


@pytest.mark.parametrize("name", RIGHT_LISTS)
def test_right_to_the_fen_and_every_row_accounted_for(name, tmp_path):
    write, others = RIGHT_LISTS[name]
    code, premiums, refused, tables = priced(write(tmp_path), tmp_path)
    assert (code, premiums, refused) == (0, RIGHT, {})
    assert sum(one["records"] for one in tables) == 3
    named = ("line", "total", "section")
    assert sum(count for one in tables for what, count in one["left_out"].items() if what in named) == others


UNTIL = under("标准化证书有效期至", "Certificate valid until")
OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)


def test_a_number_alone_is_told_as_it_is_shown(tmp_path, capsys):
    priced(RIGHT_LISTS["numbers that run on"][0](tmp_path), tmp_path)
    assert "第5, 6行（4, 5）" in capsys.readouterr().out


REFUSED_LISTS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "the header again in another unit, in a text": (text(OTHER_UNIT), "RM270"),
    "a certificate in other words": (sheet([UNTIL, A1, A2, A3]), "RM265"),
    "on its side": (sheet(ON_ITS_SIDE), "RM692"),
    "on its side, in a text": (text(ON_ITS_SIDE), "RM692"),
    "on its side, in a text of tabs": (text(ON_ITS_SIDE, "gb18030", "\t", ".txt"), "RM692"),
    "UTF-16 without its mark": (raw(TRADITIONAL.encode("utf-16-le"), "list.csv"), "RM261"),
    "a workbook of WPS": (raw(OLE, "list.et"), "RM261"),
    "a document of WPS": (raw(OLE, "list.wps"), "RM261"),
    "a unit in the name of the sheet": (
        sheet([HEADS, A1, A2, A3], lambda _, one: setattr(one, "title", "清单（万元）")),
        "RM264",
    ),
    "two encodings in a file": (raw(TRADITIONAL.encode() + TRADITIONAL.encode("big5"), "list.csv"), "RM212"),
}
WHAT_TO_DO = {
    "RM692": ("转置", "Transpose"),
    "RM261": ("另存为 .xlsx", "save it as .xlsx"),
    "RM264": ("表头中写明单位", "into the header"),
}


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", [name for name, (_, why) in REFUSED_LISTS.items() if why in WHAT_TO_DO])
def test_one_sentence_says_what_to_do(name, lang, tmp_path, capsys):
    write, why = REFUSED_LISTS[name]
    assert main(["rate", str(write(tmp_path)), "--plan", PLAN, "--lang", lang, "--no-project"]) == 1
    (said,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("RM")]
    assert said.startswith(why) and WHAT_TO_DO[why][lang == "en"] in said


@pytest.mark.parametrize("name", REFUSED_LISTS)
def test_refused_by_name(name, tmp_path, capsys):
    write, why = REFUSED_LISTS[name]
    code, premiums, _, _ = priced(write(tmp_path), tmp_path)
    said = capsys.readouterr().err
    assert (code, premiums) == (1, {}) and why in said and "Traceback" not in said


def test_a_register_on_its_side_is_told_so(tmp_path, capsys):
    """Three headers are enough where no row has two."""
    rows = [["统一社会信用代码", A1[1]], ["安全生产诚信等级", "A"], ["评定日期", "2025-01-01"]]
    place = sheet(rows)(tmp_path)
    with pytest.raises(BookError, match="RM692"):
        read_register(place, "integrity")


def test_a_list_that_lacks_a_column_beside_a_sheet_that_lists_its_columns_is_no_list_on_its_side(tmp_path):
    def explained(book: Any, _: Any) -> None:
        for head in ["字段", *HEADS]:
            book.create_sheet("字段说明") if len(book.sheetnames) == 1 else None
            book["字段说明"].append([head, "请如实填写"])

    place = sheet([[head for head in HEADS if head != "投保人数"], A1[:8] + A1[9:]], explained)(tmp_path)
    with pytest.raises(BookError, match="RM301"):
        rm.rate(rm.read_book(place, rm.load_plan(PLAN)), rm.load_plan(PLAN))


def test_a_header_near_to_one_that_every_list_is_read_for_is_told_by_its_label(tmp_path):
    place = sheet([[*HEADS, "币钟"], [*A1, 1]])(tmp_path)
    said = [item.what("zh") for item in rm.read_book(place, rm.load_plan(PLAN)).skipped if item.code == "RM272"]
    assert said and "currency" not in said[0]


def test_the_header_of_a_step_says_its_unit_once(tmp_path: Path):
    out = tmp_path / "out.csv"
    assert (
        main(
            [
                "rate",
                str(sheet([HEADS, A1, A2])(tmp_path)),
                "--plan",
                PLAN,
                "-o",
                str(out),
                "--lang",
                "zh",
                "--no-project",
            ]
        )
        == 0
    )
    with out.open(encoding="utf-8-sig", newline="") as lines:
        assert {"基准费率（限额的‰）", "年基准保费（元）"} <= set(next(csv.reader(lines)))
