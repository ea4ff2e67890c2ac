"""Every row keeps the table that it stood in; given values fill blanks and nothing else; the counts close."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook, load_workbook

import ratemod as rm
from ratemod.cli import main
from ratemod.errors import BookError
from ratemod.reading.read import read_table
from tests.cli.books import BAD, GOOD, HEADERS, PLAN, PREMIUMS_FEN
from tests.reading.test_ugly_lists import COLUMNS, HEADS, P1, P2, premiums, second, sheet_of, touched


def two_sheets(folder):
    wrong = ["P3", "矿山", "三十多", None, "2026-01-01"]
    return touched([HEADS, P1], lambda book: second(book, [HEADS, wrong, P2]))(folder)


def test_rows_of_several_sheets_say_which(tmp_path):
    book = read_table(two_sheets(tmp_path), COLUMNS)
    assert [book.place(at)[1:] for at in range(3)] == [("Sheet", 2), ("乙", 2), ("乙", 3)]
    assert book.said(range(3)) == ["Sheet!2", "乙!2", "乙!3"]
    assert book.sources().to_pylist() == ["Sheet", "乙", "乙"]
    few = book.take(np.array([2, 0]))
    assert few.said([0, 1]) == ["乙!3", "Sheet!2"]


def test_tables_side_by_side_are_told_apart_by_their_cells(tmp_path):
    book = read_table(sheet_of([[*HEADS, None, *HEADS], [*P1, None, *P2]])(tmp_path), COLUMNS)
    assert book.said(range(2)) == ["Sheet!A1!2", "Sheet!G1!2"]


@pytest.fixture
def listed(tmp_path):
    """A list on two sheets, whose rows count alike: two firms that are priced on each, one wrong on the second."""
    book = Workbook()
    for sheet, rows in ((book.active, GOOD[:2]), (book.create_sheet("乙"), (*GOOD[2:], BAD[1]))):
        for row in (["承保清单"], HEADERS, *rows, ["合计", *[None] * (len(HEADERS) - 1)]):
            sheet.append(list(row))
            for cell in sheet[sheet.max_row]:
                cell.data_type = "s" if isinstance(cell.value, str) else cell.data_type
    book.save(tmp_path / "list.xlsx")
    return tmp_path / "list.xlsx"


def test_priced_refused_and_parquet_rows_keep_their_table(listed, tmp_path, capsys):
    assert main(["rate", str(listed), "--plan", str(PLAN), "-o", str(tmp_path / "out.xlsx"), "--lang", "zh"]) == 3
    assert "  乙!5\n" in capsys.readouterr().out
    out = load_workbook(tmp_path / "out.xlsx")

    sheets = [list(sheet.iter_rows(values_only=True)) for sheet in out.worksheets]
    shown = [[row[:2] for row in rows[1:]] for rows in sheets if rows[0][:2] == ("原表", "原行号")]
    assert sorted(place for rows in shown for place in rows) == [
        ("Sheet", 3), ("Sheet", 4), ("乙", 3), ("乙", 4), ("乙", 5)
    ]  # fmt: skip
    assert sum(map(bool, shown)) == 3  # priced, referred and refused
    rated = rm.rate(rm.read_book(listed, rm.load_plan(PLAN)), rm.load_plan(PLAN), lang="zh")
    assert rated.refused.select(["table", "row"]).to_pylist() == [{"table": "乙", "row": 5}]
    assert "乙!3" in rated.explain("P003").text("zh")
    assert main(["rate", str(listed), "--plan", str(PLAN), "-o", str(tmp_path / "out.parquet")]) == 3
    table = pq.read_table(tmp_path / "out.parquet")
    assert table["source_table"].to_pylist() == ["Sheet"] * 2 + ["乙"] * 3
    assert table["source_row"].to_pylist() == [3, 4, 3, 4, 5]
    assert main(["verify", str(tmp_path / "out.parquet")]) == 0


@pytest.mark.parametrize("lang, name", [("zh", "读表回执"), ("en", "Reading")])
@pytest.mark.parametrize("live", [(), ("--live",)])
def test_the_workbook_has_the_receipt(listed, tmp_path, lang, name, live):
    main(["rate", str(listed), "--plan", str(PLAN), "-o", str(tmp_path / "out.xlsx"), "--lang", lang, *live])
    cells = list(load_workbook(tmp_path / "out.xlsx")[name].iter_rows(values_only=True))
    said = {row[0]: row[1] for row in cells if isinstance(row[1], int)}
    rows, rated, referred, refused, declined = list(said.values())[:5]
    assert rows == rated + referred + refused + declined == 5
    assert sum(list(said.values())[5:]) == 2 * 3  # of each sheet: a title, a header, a total
    headers = {row[2] for row in cells if row[2]}
    assert set(HEADERS) <= headers


def test_refused_rows_of_two_sheets_come_back_corrected(listed, tmp_path):
    out = tmp_path / "out.csv"
    assert main(["rate", str(listed), "--plan", str(PLAN), "-o", str(out), "--lang", "zh"]) == 3
    refused = tmp_path / "out-refused.csv"
    mended = refused.read_text(encoding="utf-8-sig").replace("三十多", "30")
    (tmp_path / "mended.csv").write_text(mended, encoding="utf-8")
    told = ["--corrections", str(tmp_path / "mended.csv"), "--plan", str(PLAN), "-o", str(tmp_path / "all.parquet")]
    assert main(["rate", str(listed), *told]) == 0
    table = pq.read_table(tmp_path / "all.parquet")
    assert table["source_row"].to_pylist() == [3, 4, 3, 4, 5]
    (tmp_path / "mended.csv").write_text(mended.replace("乙", "丙"), encoding="utf-8")
    assert main(["rate", str(listed), *told]) == 1


def test_several_books_are_one(tmp_path, listed):
    other = tmp_path / "other.csv"
    other.write_text(",".join(HEADERS) + "\nP9,某矿,矿山,小型,35,400000,1.2,2026-01-05,\n", encoding="utf-8")
    out = tmp_path / "out.parquet"
    assert main(["rate", str(listed), str(other), "--plan", str(PLAN), "-o", str(out)]) == 3
    table = pq.read_table(out)
    assert table["source_table"].to_pylist()[-1] == "other.csv" and table.num_rows == 6
    assert table["premium_fen"].to_pylist()[-1] == PREMIUMS_FEN["P001"]
    assert main(["verify", str(out)]) == 0


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_receipt_of_a_streamed_list_closes(tmp_path, kind):
    firms = ["P1,某矿,矿山,小型,35,400000,1.2,2026-01-05,", "合计,,,,35,,,,", "P2,某矿,矿山,小型,x,1,1,,"]
    lines = [",".join(HEADERS), *firms]
    (tmp_path / "list.csv").write_text("\n".join(["承保清单", *lines]) + "\n", encoding="utf-8")
    told = ["--receipt", str(tmp_path / "r.json"), "-o", str(tmp_path / f"out.{kind}")]
    assert main(["rate", str(tmp_path / "list.csv"), "--plan", str(PLAN), *told]) == 3
    data = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert data["records"] == data["rows"]["rows"] == 2
    assert data["left_out"] == {"total": 1, "title": 1, "head": 1}


def test_fills_fill_blanks_alone_and_are_remarked(tmp_path):
    rows = [["单位：万元"], HEADS, ["P1", "矿山", 30, 1, "2026-01-01"], ["P3", " ", 30, None, "2026-01-01"]]
    book = read_table(sheet_of(rows)(tmp_path), COLUMNS, fills={"行业": "渔业", "expiring_yuan": "4000元"})
    # P3: 210 · 30 = 6,300, held to 1.25 times 4,000 yuan: the fill says its unit, which is not that of the list
    assert premiums(book) == {"P1": Decimal(12_500), "P3": Decimal(5_000)}
    told = [item for item in book.receipt.remarks if item.code == "RM450"]
    assert [(item.args["column"], item.count) for item in told] == [("sector", 1), ("expiring_yuan", 1)]
    lacking = sheet_of([[name for name in HEADS if name != "行业"], ["P1", 30, None, "2026-01-01"]])(tmp_path)
    assert premiums(read_table(lacking, COLUMNS, fills={"sector": "矿山"})) == {"P1": Decimal(14_400)}


@pytest.mark.parametrize(
    "fills, codes", [({"行页": "渔业"}, {"RM451"}), ({"行业": "渔夜", "投保人数": "x"}, {"RM452"})]
)
def test_fills_that_mean_nothing_are_refused(tmp_path, fills, codes):
    with pytest.raises(BookError) as caught:
        read_table(sheet_of([HEADS, P1])(tmp_path), COLUMNS, fills=fills)
    assert {item.code for item in caught.value.problems} == codes and len(caught.value.problems) == len(fills)


def test_an_unreadable_cell_is_no_blank(tmp_path):
    rows = [HEADS, ["P1", "矿山", 30, "=5000*2", "2026-01-01"]]
    assert premiums(read_table(sheet_of(rows)(tmp_path), COLUMNS, fills={"上年保费": "1"})) == {"P1": None}


def test_a_bare_fill_of_a_column_in_another_unit_is_not_clear(tmp_path):
    rows = [
        [*HEADS[:3], "上年保费（万元）", HEADS[4]],
        ["P1", "矿山", 30, 1, "2026-01-01"],
        ["P2", "矿山", 30, None, "2026-01-01"],
    ]
    with pytest.raises(BookError, match="RM338"):
        read_table(sheet_of(rows)(tmp_path), COLUMNS, fills={"上年保费": "1"})
    for said in ("1万元", "10000元"):
        found = premiums(read_table(sheet_of(rows)(tmp_path), COLUMNS, fills={"上年保费": said}))
        assert found == {"P1": Decimal(12_500), "P2": Decimal(12_500)}
