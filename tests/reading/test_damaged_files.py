"""Damaged lists are read as they were or refused with a code, in bounded memory and time; `make fuzz` draws others."""

from __future__ import annotations

import datetime as dt
import io
import time
import zipfile
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.comments import Comment

from ratemod.errors import BookError
from ratemod.reading.chunks import open_chunks
from ratemod.reading.convert import convert
from ratemod.reading.read import read_table
from ratemod.reading.sheet_xml import TooWide, WorkbookParts, sheet_facts
from tests.damage import bounded, damaged, damaged_workbook
from tests.reading.test_ugly_lists import COLUMNS, HEADS

SEEDS = st.integers(0, 2**32)
NOTHING = WorkbookParts({}, frozenset(), False, False, frozenset(), {})


@pytest.fixture(scope="module")
def workbook():
    book = Workbook()
    sheet = book.active
    sheet.append([*HEADS, "备注"])
    for at in range(12):
        last = 10000.5 + at if at % 3 else None
        sheet.append([f"P{at}", "矿山" if at % 2 else "渔业", 30 + at, last, dt.date(2026, 1, 1 + at)])
    sheet["A2"].comment = Comment("备注", "x")
    sheet["F2"], sheet["F3"] = "=1+1", "#N/A"
    sheet.merge_cells("F4:F6")
    sheet.row_dimensions[9].hidden = sheet.column_dimensions["G"].hidden = True
    sheet["C4"].number_format = '0"万元"'
    other = book.create_sheet("另")
    other.append(["x", 1])
    other.sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def parquet_of(**options):
    rows = range(50)
    table = {
        "保单号": [f"P{at}" for at in rows],
        "行业": pa.array(["矿山", "渔业"] * 25).dictionary_encode(),
        "投保人数": [1 + at for at in rows],
        "上年保费": [1.5 * at for at in rows],
        "起保日期": [dt.date(2026, 1, 1)] * 50,
    }
    out = io.BytesIO()
    pq.write_table(pa.table(table), out, **options)
    return out.getvalue()


PARQUET = [
    parquet_of(),
    parquet_of(compression="zstd", row_group_size=20),
    parquet_of(compression="none", use_dictionary=False),
    parquet_of(compression="gzip", data_page_version="2.0"),
    parquet_of(write_page_checksum=True),
]


@pytest.fixture(scope="module")
def whole(workbook, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "list.xlsx"
    path.write_bytes(workbook)
    return read_table(path, COLUMNS).table


def read_or_refused(path):
    """A list, each declared cell of it read as what it is; None where it is refused with a code."""
    try:
        with bounded():
            book = read_table(path, COLUMNS)
            for name in COLUMNS.keys() & set(book.table.column_names):
                convert(book.table[name], COLUMNS[name], book.conversions.get(name))
            return book.table
    except BookError as error:
        assert all(problem.code.startswith("RM") for problem in error.problems) and error.problems
        return None


@settings(max_examples=200)
@given(seed=SEEDS)
def test_bytes_of_a_workbook(seed, workbook, whole, tmp_path_factory):
    """Every part of a workbook has a check sum: what is read at all is what was written."""
    path = tmp_path_factory.getbasetemp() / "list.xlsx"
    path.write_bytes(damaged(Random(seed), workbook))
    found = read_or_refused(path)
    assert found is None or found.equals(whole)


@settings(max_examples=150)
@given(seed=SEEDS)
def test_xml_of_a_workbook(seed, workbook, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "list.xlsx"
    path.write_bytes(damaged_workbook(Random(seed), workbook))
    read_or_refused(path)


@settings(max_examples=300)
@given(seed=SEEDS)
def test_bytes_of_a_parquet_file(seed, tmp_path_factory):
    draw, path = Random(seed), tmp_path_factory.getbasetemp() / "list.parquet"
    path.write_bytes(damaged(draw, draw.choice(PARQUET)))
    read_or_refused(path)
    try:
        with bounded():
            for table in open_chunks(path, COLUMNS, keep=("all",), few=("policy_no",), size=16).tables():
                for name in COLUMNS.keys() & set(table.column_names):
                    convert(table[name], COLUMNS[name], None)
    except BookError as error:
        assert error.problems


def sheet(*rows):
    return b"<worksheet><sheetData>" + b"".join(rows) + b"</sheetData><pageMargins/></worksheet>"


@pytest.mark.parametrize(
    ("far", "cells"),
    [
        ("C2147483648", b'<row r="1"><c r="C2147483648"/></row><row r="2"><c r="A2"/></row>'),
        ("ZZZ100000", b'<row r="1"><c r="ZZZ1"/><c r="A1"/></row><row r="100000"><c r="A100000"/></row>'),
        ("XFD1048576", b'<row r="1"><c s="1" r="XFD1048576"/></row><row r="2"><c r="A2"/></row>'),
        ("C99999999", b"<row r='99999999'><c/><c/><c/></row><row r='2'><c r='a2'/></row>"),
    ],
)
def test_a_cell_far_out_is_seen_wherever_it_stands(far, cells):
    with pytest.raises(TooWide, match=f"^{far}$"):
        sheet_facts(sheet(cells), NOTHING, {})


def test_rows_and_columns_reached_are_those_of_all_cells():
    """Up to 60 million cells: XFC (16,383 columns) times 3,662 rows are 59,994,546, one row more 60,010,929."""
    cell = b'<c r="XFC%d"/>'
    for rows, fits in ((3662, True), (3663, False)):
        for data in (b'<row r="1"><c r="A1"/>' + cell % rows + b"</row>", b"<row r='1'>" + cell % rows + b"</row>"):
            found = None
            try:
                sheet_facts(sheet(data), NOTHING, {})
            except TooWide as far:
                found = str(far)
            assert found == (None if fits else f"XFC{rows}")


def test_searching_cells_that_never_end_is_linear():
    def seconds(cells):
        data = sheet(b'<row r="1">' + b'<c r="A1" t="e"/>' * cells + b"</row>")
        start = time.process_time()
        sheet_facts(data, NOTHING, {})
        return time.process_time() - start

    seconds(100)
    assert seconds(8000) < 12 * max(seconds(1000), 0.002)  # 64 times where each looks through all that follow


def test_bytes_that_are_no_text_are_refused_at_both_doors(tmp_path):
    texts = pa.array([b"P1", b"\xff\xfe"]).cast(pa.binary())
    raw = pa.Array.from_buffers(pa.string(), 2, texts.buffers())
    path = tmp_path / "list.parquet"
    pq.write_table(
        pa.table({"保单号": raw, "投保人数": [1, 2], "行业": ["矿山"] * 2, "起保日期": ["2026-01-01"] * 2}), path
    )
    with pytest.raises(BookError) as caught:
        read_table(path, COLUMNS)
    assert [item.code for item in caught.value.problems] == ["RM340"]
    with pytest.raises(BookError) as caught:
        list(open_chunks(path, COLUMNS).tables())
    assert [item.code for item in caught.value.problems] == ["RM341"]


def test_a_workbook_without_its_main_part_is_refused(tmp_path, workbook):
    archive, path = zipfile.ZipFile(io.BytesIO(workbook)), tmp_path / "list.xlsx"
    with zipfile.ZipFile(path, "w") as packed:
        for name in archive.namelist():
            if name != "xl/_rels/workbook.xml.rels":
                packed.writestr(name, archive.read(name))
    assert read_or_refused(path) is None
