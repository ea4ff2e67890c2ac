"""A list of refused rows, mended in place, is priced as the rows that they were."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest
from openpyxl import load_workbook

import ratemod as rm
from ratemod.cli import main
from ratemod.errors import BookError
from ratemod.reading.book import Book
from ratemod.reading.corrected import corrected, merged
from ratemod.vocabulary.column import Column
from tests.own_plan import own_plan

SAID = {"Status": ["refused"], "Code": ["RM203"], "Reason": ["not a number"], "Suggestion": ["write one"]}
BATCH = Book(pa.table({"policy_no": ["P1", "P2", "P3"], "heads": ["10", "about 30", "5"]}), None)

COLUMNS = {"heads": Column("heads", "number", unit="persons"), "policy_no": Column("policy_no", "text")}


def mended(rows: list[object]) -> Book:
    from ratemod.errors import text

    told = {text(f"UI_{name.lower()}", "en"): cells * len(rows) for name, cells in SAID.items()}
    own = {"policy_no": ["P2"] * len(rows), "heads": [30] * len(rows)}
    return Book(pa.table({text("UI_row", "en"): rows, **told, **own}))


def test_the_old_verdict_is_taken_off_and_the_number_kept():
    book = corrected(mended([2]))
    assert book.table.column_names == ["policy_no", "heads"]
    assert book.rows is not None and book.rows.tolist() == [2]


def test_a_corrected_row_stands_in_the_place_of_the_one_it_was():
    whole = merged(BATCH, corrected(mended([2])), COLUMNS)
    assert whole.table["heads"].to_pylist() == ["10", "30", "5"]
    assert whole.table["policy_no"].to_pylist() == ["P1", "P2", "P3"]


@pytest.mark.parametrize("rows", [[7], [2, 2], ["x"]])
def test_a_row_that_the_list_does_not_have_is_refused(rows):
    with pytest.raises(BookError):
        merged(BATCH, corrected(mended(rows)), COLUMNS)


def test_units_of_the_two_may_differ_and_new_columns_stay():
    table = pa.table({"policy_no": ["P1", "P2"], "heads": ["1", "about 3"]})
    batch = Book(table, None, conversions={"heads": Decimal(100)})
    mine = mended([2])
    mine = replace(mine, table=mine.table.append_column("note", pa.array(["seen"])))
    whole = merged(batch, corrected(mine), COLUMNS)
    assert whole.table["heads"].to_pylist() == ["100", "30"] and not whole.conversions
    assert whole.table["note"].to_pylist() == [None, "seen"]
    assert whole.corrections and [item.code for item in whole.receipt.remarks] == ["RM304"]


PLAN = """[column.heads]
kind = "number"
label_en = "Heads"
min = 1
max = 1000
[column.why]
kind = "text"
label_en = "Reason"
label_zh = "原因"
optional = true
[column.grade]
kind = "text"
label_en = "Grade"
label_zh = "等级"
optional = true
[[step]]
name = "grade_step"
label_en = "Grade"
label_zh = "等级"
op = "product"
of = ["heads", "1"]
source = "s"
[[step]]
name = "premium"
op = "round"
of = "grade_step"
unit = "0.01"
"""


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
@pytest.mark.parametrize("reason", [True, False])
def test_columns_called_like_what_is_said_of_rows_come_back_as_themselves(tmp_path, capsys, lang, ending, reason):
    """The plan has columns under the very words of a list of refused rows, and of a step of a priced one."""
    plan = own_plan(tmp_path, PLAN)
    rows = [{"policy_no": f"P{at}", "heads": heads, "grade": "A"} for at, heads in enumerate(["5", "x", "7"])]
    rows = [row | {"why": "ours"} for row in rows] if reason else rows
    pd.DataFrame(rows).to_csv(tmp_path / "list.csv", index=False)
    base = ["rate", str(tmp_path / "list.csv"), "--plan", str(plan.folder), "--no-project", "--lang", lang]
    assert main([*base, "-o", str(tmp_path / f"p.{ending}")]) == 3
    if ending == "csv":
        mend = tmp_path / "p-refused.csv"
        mend.write_text(mend.read_text("utf-8-sig").replace('"x"', '"9"').replace(",x,", ",9,"), encoding="utf-8")
    else:
        mend = tmp_path / "p.xlsx"
        book = load_workbook(mend)
        for sheet in book.worksheets[:4]:
            for cells in sheet.iter_rows():
                for cell in cells:
                    cell.value = 9 if cell.value == "x" else cell.value
        book.save(mend)
    capsys.readouterr()
    assert main([*base, "--corrections", str(mend), "-o", str(tmp_path / "m.csv")]) == 0, capsys.readouterr().err
    merged_ = pd.read_csv(tmp_path / "m.csv", encoding="utf-8-sig")
    assert merged_.filter(regex="^(Premium|保费)").iloc[:, 0].tolist() == [5.0, 9.0, 7.0]
    assert set(merged_.filter(regex="^(Reason|原因)$").iloc[:, 0] if reason else ["ours"]) == {"ours"}
    run = [json.loads((tmp_path / f"{name}.csv.manifest.json").read_text("utf-8"))["run"] for name in ("m",)]
    assert run[0]["corrections"]
    again = rm.rate(rm.read_book(tmp_path / "m.csv", plan), plan, lang=lang)  # a priced list goes in again
    assert again.counts["rated"] == 3
