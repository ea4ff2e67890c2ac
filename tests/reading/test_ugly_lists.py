"""Ugly lists of every kind turned into files: right to the fen, or refused by name, and every row accounted for.

The plan's one line is 480 yuan a head (210 in fishery), a year, held to 1.25 times the expiring premium where one is
given: P1 has 30 heads and an expiring premium of 10,000 yuan, so 14,400.00 is held to 12,500.00.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from ratemod.errors import BookError
from ratemod.reading.convert import convert
from ratemod.reading.read import read_table
from ratemod.vocabulary.column import Column, Level

SECTORS = (Level("mining", "Mining", "矿山"), Level("fishery", "Fishery", "渔业"))
COLUMNS = {
    "policy_no": Column("policy_no", "text", "Policy", "保单号"),
    "sector": Column("sector", "level", "Sector", "行业", levels=SECTORS),
    "heads": Column("heads", "number", "Heads", "投保人数", unit="persons", low=Decimal(1)),
    "expiring_yuan": Column(
        "expiring_yuan",
        "number",
        "Expiring premium",
        "上年保费",
        unit="yuan",
        decimals=2,
        low=Decimal(0),
        optional=True,
    ),
    "start_date": Column("start_date", "date", "Start", "起保日期"),
}
HEADS = ["保单号", "行业", "投保人数", "上年保费", "起保日期"]
P1: list[Any] = ["P1", "矿山", 30, 10000, "2026-01-01"]
P2: list[Any] = ["P2", "渔业", 20, None, "2026-01-01"]
TEN = ["P1", "矿山", 30, 1, "2026-01-01"]  # in 万元


def premiums(book: Any) -> dict[str, Decimal | None]:
    """Price by hand what was read: None where a cell is refused."""
    coded = {
        name: convert(book.table[name], COLUMNS[name], book.conversions.get(name))
        for name in COLUMNS
        if name in book.table.column_names
    }
    found: dict[str, Decimal | None] = {}
    for at, key in enumerate(book.table["policy_no"].to_pylist()):
        wrong = any(item.problem_of is not None and item.problem_of[at] for item in coded.values())
        rate = Decimal(480) if coded["sector"].values[at] == 0 else Decimal(210)
        charged = None if wrong else rate * int(coded["heads"].values[at])
        last = float(coded["expiring_yuan"].values[at]) if "expiring_yuan" in coded else float("nan")
        if charged is not None and last == last:
            charged = min(charged, Decimal(str(last)) * Decimal("1.25"))
        found[str(key)] = charged
    return found


def sheet_of(rows: list[list[Any]]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        book = Workbook()
        for row in rows:
            book.active.append(row)
        book.save(folder / "list.xlsx")
        return folder / "list.xlsx"

    return make


def text_of(content: str, name: str = "list.csv", encoding: str = "utf-8") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content.encode(encoding))
        return folder / name

    return make


def spoilt(name: str, part: str, content: str) -> Callable[[Path], Path]:
    """A zipped file of which one packed part is spoilt, as a disk or a mailer spoils it; its directory is whole."""

    def make(folder: Path) -> Path:
        path = folder / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/workbook.xml" if name.endswith("x") else "content.xml", "<a/>")
            archive.writestr(part, content)
        data = bytearray(path.read_bytes())
        at = data.find(part.encode()) + len(part)
        data[at : at + 4] = b"\xff" * 4  # no method of deflate begins so
        path.write_bytes(bytes(data))
        return path

    return make


def touched(rows: list[list[Any]], touch: Callable[[Workbook], None]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        book = Workbook()
        for row in rows:
            book.active.append(row)
        touch(book)
        book.save(folder / "list.xlsx")
        return folder / "list.xlsx"

    return make


def second(book: Workbook, rows: list[list[Any]], state: str = "visible", title: str = "乙") -> None:
    sheet = book.create_sheet(title)
    sheet.sheet_state = state
    for row in rows:
        sheet.append(row)


def unit_header(text: str) -> list[list[Any]]:
    return [[text if name == "上年保费" else name for name in HEADS], TEN]


def csv(rows: list[list[Any]]) -> str:
    return "".join(",".join("" if cell is None else str(cell) for cell in row) + "\n" for row in rows)


YES, BOTH = {"P1": Decimal(12_500)}, {"P1": Decimal(12_500), "P2": Decimal(4_200)}
H5 = ",".join(HEADS)
# name -> (file, the premiums that are right; a code where the list is refused)
UGLY: dict[str, tuple[Callable[[Path], Path], Any]] = {
    "plain": (sheet_of([HEADS, P1, P2]), BOTH),
    "title above": (sheet_of([["2026年承保清单"], [], HEADS, P1, P2]), BOTH),
    "stars and blanks in headers": (
        sheet_of([["*保单号", "行 业", "投保人数*", "上年\n保费", " 起保日期"], P1, P2]),
        BOTH,
    ),
    "full-width headers in traditional characters": (sheet_of([["保單號", *HEADS[1:]], P1]), YES),
    **{
        f"unit in header {text}": (sheet_of(unit_header(text)), YES)
        for text in (
            "上年保费（万元）",
            "上年保费(单位：万元)",
            "上年保费/万元",
            "上年保费（万元/年）",
            "上年保费【万元】",
            "上年保费 万元",
            "上年保费：万元",
            "上年保费（人民币万元）",
            "上年保费（萬元）",
            "上年保费(RMB 10,000)",
            "上年保费（万）",
            "上年保费(10k yuan)",
        )
    },
    **{
        f"unit in line {text}": (sheet_of([[text], HEADS, TEN]), YES)
        for text in (
            "单位：万元",
            "单位：人、万元",
            "单位：人民币万元",
            "金额：万元",
            "（金额单位：万元）",
            "清单    单位：万元",
            "單位：萬元",
            "以万元为单位",
            "金额均以万元列示",
            "货币单位:万元",
            "币种：人民币  单位：万元",
            "Unit: RMB 10,000",
        )
    },
    **{
        f"unit in line below {text}": (sheet_of([HEADS, TEN, [text]]), YES)
        for text in ("注：除特别注明外，金额单位均为万元", "注：以上金额单位为万元", "说明：单位：万元")
    },
    "numbered headers": (sheet_of([["1.保单号", "（2）行业", "3、投保人数", "④上年保费", "5)起保日期"], P1]), YES),
    "headers in two languages": (
        sheet_of(
            [
                [
                    "保单号 Policy No.",
                    "行业\nSector",
                    "Heads 投保人数",
                    "上年保费（万元）/Expiring premium",
                    "起保日期",
                ],
                TEN,
            ]
        ),
        YES,
    ),
    "two languages, two units": (sheet_of(unit_header("上年保费（元） Expiring premium (CNY 10,000)")), "RM265"),
    "levels in traditional characters": (sheet_of([HEADS, ["P1", "礦山", *P1[2:]], ["P2", "漁業", *P2[2:]]]), BOTH),
    "header on row 9": (sheet_of([["甲"], ["乙"], [], ["制表：丙"], [], ["2026年"], ["单位：元"], [], HEADS, P1]), YES),
    "side by side with another table": (
        sheet_of([[*HEADS, None, "费率表", "费率"], [*P1, None, "矿山", 0.01], [*P2, None, "渔业", 0.02]]),
        BOTH,
    ),
    "total behind": (sheet_of([HEADS, P1, P2, ["", "", 50, 10000, "合计"]]), BOTH),
    "total before": (sheet_of([HEADS, ["合计", "", 50, 10000, ""], P1, P2]), BOTH),
    "unit line is no unit": (sheet_of([["填报单位：百万元素公司"], HEADS, P1]), YES),
    "dollars in header": (sheet_of(unit_header("上年保费（美元）")), "RM327"),
    "dollars in line": (sheet_of([["单位：美元"], HEADS, P1]), "RM327"),
    "two units in one line": (sheet_of([["单位：元、万元"], HEADS, P1]), "RM264"),
    "per head for a total": (sheet_of(unit_header("上年保费（万元/人）")), "RM264"),
    "persons for money": (sheet_of(unit_header("上年保费（人）")), "RM336"),  # clear, and no unit of money
    "tons for money": (sheet_of(unit_header("上年保费（万吨）")), "RM336"),
    "units row": (sheet_of([HEADS, [None, None, "人", "万元", None], TEN]), YES),
    "units row with hints": (sheet_of([HEADS, ["必填", "下拉选择", "人", "万元", "年/月/日"], TEN]), YES),
    "numbering row": (sheet_of([HEADS, [1, 2, 3, 4, 5], P1]), YES),
    "own unit before the line's": (sheet_of([["单位：元"], *unit_header("上年保费（万元）")]), YES),
    "group header with unit": (
        touched(
            [
                [None, None, None, "金额（万元）", None, None],
                [*HEADS[:3], "每人限额", *HEADS[3:]],
                ["P1", "矿山", 30, 40, 1, "2026-01-01"],
            ],
            lambda book: book.active.merge_cells("D1:E1"),
        ),
        YES,
    ),
    "header merged over two rows": (
        touched(
            [["保单号", "行业", "投保人数", "上年", "起保日期"], [None, None, None, "保费", None], P1],
            lambda book: [book.active.merge_cells(f"{at}1:{at}2") for at in "ABCE"],
        ),
        YES,
    ),
    "two sheets": (touched([HEADS, P1], lambda book: second(book, [HEADS, P2])), BOTH),
    "second sheet narrower": (
        touched([HEADS, P1], lambda book: second(book, [[*HEADS[:3], "起保日期"], ["P2", "渔业", 20, "2026-01-01"]])),
        BOTH,
    ),
    "second sheet in another unit": (
        touched([HEADS, P2], lambda book: second(book, unit_header("上年保费（万元）"))),
        BOTH,
    ),
    "hidden sheet with old rows": (touched([HEADS, P1, P2], lambda book: second(book, [HEADS, P1], "hidden")), BOTH),
    "copy of a sheet": (touched([HEADS, P1, P2], lambda book: second(book, [HEADS, P1, P2])), "RM269"),
    "notes on a second sheet": (touched([HEADS, P1], lambda book: second(book, [["填表说明"], ["逐户填写"]])), YES),
    "two tables below each other": (sheet_of([["一、新保"], HEADS, P1, [], ["二、续保"], HEADS, P2]), BOTH),
    "second table in another order": (
        sheet_of(
            [
                HEADS,
                P1,
                [],
                ["行业", "保单号", "上年保费", "投保人数", "起保日期"],
                ["渔业", "P2", None, 20, "2026-01-01"],
            ]
        ),
        BOTH,
    ),
    "side by side": (sheet_of([[*HEADS, None, *HEADS], [*P1, None, *P2]]), BOTH),
    "header repeated for a page": (sheet_of([HEADS, P1, HEADS, P2]), BOTH),
    "subtotals and totals": (
        sheet_of([HEADS, P1, ["矿山小计", None, 30], P2, ["总计：2家", None, 50], ["合计", "", 50, 10000]]),
        BOTH,
    ),
    "number and total": (sheet_of([["序号", *HEADS], [1, *P1], [2, *P2], [3, "合计", None, 50, 10000, None]]), BOTH),
    "section lines": (sheet_of([HEADS, ["一、矿山"], P1, ["（二）渔业"], P2]), BOTH),
    "footers": (sheet_of([HEADS, P1, P2, ["制表人：张三", None, "审核：李四"], ["第 1 页 共 1 页"]]), BOTH),
    "a firm called total": (sheet_of([HEADS, ["合计", *P1[1:]]]), {"合计": Decimal(12_500)}),
    "error cell": (
        touched(
            [HEADS, ["P1", "矿山", 30, "#N/A", "2026-01-01"], P2],
            lambda book: setattr(book.active["D2"], "data_type", "e"),
        ),
        {"P1": None, "P2": Decimal(4_200)},
    ),
    "formula never calculated": (
        sheet_of([HEADS, ["P1", "矿山", 30, "=5000*2", "2026-01-01"], P2]),
        {"P1": None, "P2": Decimal(4_200)},
    ),
    "merged downwards": (
        touched(
            [HEADS, P1, ["P2", None, 30, None, "2026-01-01"]],
            lambda book: [book.active.merge_cells("B2:B3"), book.active.merge_cells("D2:D3")],
        ),
        {"P1": Decimal(12_500), "P2": Decimal(12_500)},
    ),
    "merged across": (
        touched(
            [[*HEADS[:2], "上年保费", "投保人数", "起保日期"], ["P1", "矿山", 30, None, "2026-01-01"]],
            lambda book: book.active.merge_cells("C2:D2"),
        ),
        {"P1": None},
    ),
    "far cell": (touched([HEADS, P1], lambda book: book.active.cell(1_048_576, 16_384, "x")), "RM263"),
    "near optional header": (sheet_of([[*HEADS[:3], "上年年保费", "起保日期"], P1]), "RM265"),
    "unknown optional header": (sheet_of([[*HEADS[:3], "核保意见", "起保日期"], P1]), {"P1": Decimal(14_400)}),
    "twice the same header": (sheet_of([[*HEADS, "投保人数"], [*P1, 31]]), "RM222"),
    "longer row": (text_of(f"{H5}\nP1,矿山,30,10,000,2026-01-01\n"), "RM266"),
    "open quote": (text_of(f'{H5},备注\nP1,矿山,30,10000,2026-01-01,"他说\nP2,渔业,20,,2026-01-01,x\n'), "RM267"),
    "quote closed far below": (
        text_of(f'{H5},备注\nP1,矿山,30,10000,2026-01-01,"甲\nP2,渔业,20,,2026-01-01,乙\nP3,渔业,20,,2026-01-01,丙"\n'),
        "RM267",
    ),
    "semicolons in GB18030": (text_of(csv([HEADS, P1, P2]).replace(",", ";"), "list.txt", "gb18030"), BOTH),
    "UTF-16 with tabs": (text_of(csv([HEADS, P1, P2]).replace(",", "\t"), "list.tsv", "utf-16"), BOTH),
    "unit line in text": (text_of("单位：万元\n" + csv([HEADS, TEN])), YES),
    "unit footer in text": (text_of(csv([HEADS, TEN]) + "注：金额单位均为万元\n"), YES),
    "repeated header in text": (text_of(csv([HEADS, P1, HEADS, P2])), BOTH),
    "other table in text": (text_of(csv([HEADS, P1, [HEADS[0], HEADS[1], HEADS[3], HEADS[2], HEADS[4]], P2])), "RM270"),
    "text named workbook": (text_of(csv([HEADS, P1]), "list.xlsx"), YES),
    "web page in one file": (text_of("MIME-Version: 1.0\n\n<html><table>保单号</table></html>", "list.xls"), "RM261"),
    "web page named workbook": (text_of("<html><table><tr><td>保单号</td></tr></table></html>", "list.xls"), "RM261"),
    "empty": (text_of(""), "RM260"),
    "PDF named workbook": (text_of("%PDF-1.7 x", "list.xlsx"), "RM261"),
    "spoilt part of a workbook": (spoilt("list.xlsx", "xl/_rels/workbook.xml.rels", "<a/>"), "RM261"),
    "spoilt kind of a workbook": (spoilt("list.ods", "mimetype", "application/vnd.oasis.opendocument"), "RM261"),
    "damaged workbook": (text_of("PK\x03\x04 broken", "list.xlsx"), "RM261"),
}


def test_there_are_many_kinds():
    assert len(UGLY) >= 60


UNREAD = {"hidden sheet with old rows", "notes on a second sheet", "side by side"}


def named(book: Any) -> int:
    """Rows that the receipt names as no records, blank ones aside."""
    return sum(count for fate, count in book.receipt.left_out.items() if fate != "blank")


def filled_rows(path: Path) -> int:
    """Rows of a file with anything in them, as openpyxl and `csv` count them."""
    if path.read_bytes()[:2] == b"PK":
        sheets = load_workbook(path).worksheets
        rows = [row for sheet in sheets for row in sheet.iter_rows(values_only=True)]
        merged = [range_ for sheet in sheets for range_ in sheet.merged_cells.ranges]
        assert len(sheets) == 1 or not merged
        return sum(any(cell not in (None, "") for cell in row) for row in rows)
    data = path.read_bytes()
    code = "utf-16" if data[:2] == b"\xff\xfe" else "gb18030" if path.suffix == ".txt" else "utf-8-sig"
    return sum(bool(line.strip(" ,;\t\r")) for line in data.decode(code).split("\n"))


@pytest.mark.parametrize("kind", UGLY)
def test_right_or_refused_by_name(kind, tmp_path):
    make, right = UGLY[kind]
    path = make(tmp_path)
    try:
        book = read_table(path, COLUMNS)
    except BookError as refusal:
        assert {item.code for item in refusal.problems} == {right}, str(refusal)
        for lang in ("en", "zh"):
            assert all(item.line(lang) for item in refusal.problems)
        return
    assert premiums(book) == right, str(book.receipt)
    assert book.receipt.records == book.table.num_rows == len(right)
    assert book.receipt.data()["records"] == len(right)
    if kind not in UNREAD:  # every row that is not blank is a record or named, by a count that this reader did not make
        assert named(book) + book.receipt.records == filled_rows(path)


@pytest.mark.parametrize("line", ["单位：万元", "金额单位：万元"])
@pytest.mark.parametrize("foot", [["合计", None, 30, 1], ["注：一式两份"], ["制表：张三"]])
@pytest.mark.parametrize("above", [[["清单"]], [["清单"], []], []])
@pytest.mark.parametrize("repeat", [False, True])
def test_kinds_together(tmp_path, line, foot, above, repeat):
    rows = [*above, [line], HEADS, TEN, *([HEADS] if repeat else []), ["P2", "渔业", 20, None, "2026-01-01"], foot]
    for path in (sheet_of(rows)(tmp_path), text_of(csv(rows))(tmp_path)):
        book = read_table(path, COLUMNS)
        assert premiums(book) == BOTH, str(book.receipt)
        assert named(book) + book.receipt.records == filled_rows(path)


def test_a_folder_is_one_book(tmp_path):
    sheet_of([HEADS, P1])(tmp_path)
    text_of(csv([HEADS, P2]))(tmp_path)
    book = read_table(tmp_path, COLUMNS)
    assert premiums(book) == BOTH
    assert [book.place(at)[2] for at in (0, 1)] == [2, 2]
    assert {book.place(at)[0] for at in (0, 1)} == {str(tmp_path / "list.csv"), str(tmp_path / "list.xlsx")}


def test_a_sheet_is_chosen_by_name(tmp_path):
    path = touched([HEADS, P1], lambda book: second(book, [HEADS, P2]))(tmp_path)
    assert premiums(read_table(path, COLUMNS, sheet="乙")) == {"P2": Decimal(4_200)}
    assert premiums(read_table(path, COLUMNS, sheet=["Sheet", "乙"])) == BOTH


def test_a_header_is_mapped_by_label_or_set_aside(tmp_path):
    path = sheet_of([[*HEADS[:3], "上年年保费（万元）", "起保日期"], TEN])(tmp_path)
    assert premiums(read_table(path, COLUMNS, header_map={"上年年保费": "上年保费"})) == YES
    aside = read_table(path, COLUMNS, header_map={"上年年保费（万元）": "-"})
    assert premiums(aside) == {"P1": Decimal(14_400)}


def test_hidden_rows_are_named(tmp_path):
    def hide(book: Workbook) -> None:
        book.active.row_dimensions[3].hidden = True

    book = read_table(touched([HEADS, P1, P2], hide)(tmp_path), COLUMNS)
    assert premiums(book) == BOTH and "RM275" in {item.code for item in book.receipt.remarks}


CELLS = {  # a spelling in the column of heads, of money or of days, and whether it is the value of P1
    "heads": {
        "30": 1,
        " 30人 ": 1,
        "３０": 1,
        "+30": 1,
        "3e1": 1,
        "1_0": 0,
        "0x1E": 0,
        "30,": 0,
        "(30)": 0,
        "٣٠": 0,
        "三十": 30,
        "inf": 0,
    },
    "expiring_yuan": {
        "￥1万": 1,
        "¥10,000.00": 1,
        "10000.": 1,
        "1万/人": 0,
        "1.0.0": 0,
        "10,00,0": 0,
        "1w": 0,
        "10,000元/年": 0,
    },
    "start_date": {
        "2026.1.1": 1,
        "2026年1月1日零时": 1,
        "20260101": 1,
        "26.1.1": 0,
        "1/1/2026": 0,
        "2026-02-30": 0,
        "2026-1": 0,
    },
}


@pytest.mark.parametrize(
    "column, cell, right", [(name, *item) for name, said in CELLS.items() for item in said.items()]
)
def test_a_cell_is_its_value_or_refused(tmp_path, column, cell, right):
    row = [cell if name == column else value for name, value in zip(COLUMNS, P1)]
    assert premiums(read_table(sheet_of([HEADS, row])(tmp_path), COLUMNS)) == (YES if right else {"P1": None})
