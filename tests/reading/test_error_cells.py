"""An error is no blank, whatever the format of the workbook and however its cells are addressed."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import zipfile

import pytest
from openpyxl import Workbook

import ratemod as rm
from ratemod.reading.error_cells import error_cells
from tests.rating.test_editions_of_rows import OLD, scheme, yuan

__all__ = ["scheme"]
HEADERS = ["policy_no", "heads", "business", "start_date", "end_date"]
GOOD = ["P1", 10, "new", "2025-01-01", "2026-01-01"]


def cell(value, more=""):
    kind = "float" if isinstance(value, int) else "string"
    number = f' office:value="{value}"' if kind == "float" else ""
    return f'<table:table-cell office:value-type="{kind}"{number}{more}><text:p>{value}</text:p></table:table-cell>'


def written_ods(path, rows):
    spaces = {
        "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
        "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
        "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
        "calcext": "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0",
    }
    named = " ".join(f'xmlns:{name}="{space}"' for name, space in spaces.items())
    body = "".join(f"<table:table-row>{''.join(row)}</table:table-row>" for row in rows)
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {named}><office:body><office:spreadsheet>'
        f'<table:table table:name="A">{body}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", '<?xml version="1.0"?><manifest:manifest/>')
    return path


def error(times=1):
    more = f' table:number-columns-repeated="{times}"'
    more += ' office:value-type="string" calcext:value-type="error"'
    return f"<table:table-cell{more}><text:p>#N/A</text:p></table:table-cell>"


def test_an_error_of_an_optional_column_of_ods_is_refused_with_its_text(scheme, tmp_path):
    rows = [
        map(cell, HEADERS),
        map(cell, GOOD),
        [cell("P2"), cell(10), error(), cell("2025-01-01"), cell("2026-01-01")],
    ]
    rated = rm.rate(written_ods(tmp_path / "list.ods", rows), OLD)
    assert yuan(rated) == [1000, None]
    assert "#N/A" in rated.refused["reason"][0].as_py()


def test_errors_repeated_in_a_row_of_ods_count_by_place(tmp_path):
    path = written_ods(tmp_path / "list.ods", [[cell("a")], [cell("b"), error(2), cell(1), error()]])
    assert error_cells(path, "ods") == {"A": {(1, 1): "#N/A", (1, 2): "#N/A", (1, 4): "#N/A"}}


def record(kind, body):
    return struct.pack("<HH", kind, len(body)) + body


def test_records_of_xls(tmp_path):
    name = "表".encode("utf-16-le")
    begins = record(0x0809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0))
    sheet = lambda at: record(0x0085, struct.pack("<IBBBB", at, 0, 0, 1, 1) + name)  # noqa: E731
    head = len(begins) + len(sheet(0)) + 4
    stream = begins + sheet(head) + record(0x000A, b"")
    stream += begins + begins + record(0x000A, b"")  # a chart within the sheet
    stream += record(0x0205, struct.pack("<HHHBB", 3, 2, 0, 42, 1)) + record(
        0x0205, struct.pack("<HHHBB", 4, 2, 0, 1, 0)
    )
    stream += record(0x0006, struct.pack("<HHH", 5, 1, 0) + b"\x02\x00\x07\x00\x00\x00\xff\xff" + bytes(8))
    (tmp_path / "list.xls").write_bytes(stream + record(0x000A, b""))
    assert error_cells(tmp_path / "list.xls", "xls") == {"表": {(3, 2): "#N/A", (5, 1): "#DIV/0!"}}


def test_records_of_xlsb(tmp_path):
    def short(kind, body):
        return bytes([kind]) + bytes([len(body)]) + body

    def text(said):
        return struct.pack("<I", len(said)) + said.encode("utf-16-le")

    sheets = bytes([156 & 0x7F | 0x80, 156 >> 7]) + bytes([len(body := bytes(8) + text("rId1") + text("A"))]) + body
    cells = short(0, struct.pack("<I", 6)) + short(3, struct.pack("<IIB", 2, 0, 42))
    cells += short(0, struct.pack("<I", 7)) + short(2, bytes(12)) + short(11, struct.pack("<IIB", 4, 0, 7))
    with zipfile.ZipFile(tmp_path / "list.xlsb", "w") as archive:
        archive.writestr("xl/workbook.bin", sheets)
        archive.writestr("xl/_rels/workbook.bin.rels", '<R><r Id="rId1" Target="worksheets/sheet1.bin"/></R>')
        archive.writestr("xl/worksheets/sheet1.bin", cells)
    assert error_cells(tmp_path / "list.xlsb", "xlsb") == {"A": {(6, 2): "#N/A", (7, 4): "#DIV/0!"}}


@pytest.mark.parametrize("ending", ["xls", "ods"])
def test_workbooks_of_a_spreadsheet_program(scheme, tmp_path, ending):
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not installed")
    book = Workbook()
    for row in (HEADERS, GOOD, ["P2", 10, "=NA()", "2025-01-01", "2026-01-01"]):
        book.active.append(row)
    book.save(tmp_path / "list.xlsx")
    home = f"-env:UserInstallation=file://{tmp_path}/home"
    command = [
        office,
        home,
        "--headless",
        "--convert-to",
        ending,
        "--outdir",
        str(tmp_path),
        str(tmp_path / "list.xlsx"),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert yuan(rm.rate(tmp_path / f"list.{ending}", OLD)) == [1000, None]


def test_cells_of_xlsx_without_addresses(scheme, tmp_path):
    book = Workbook()
    for row in (HEADERS, GOOD, ["P2", 10, "#N/A", "2025-01-01", "2026-01-01"]):
        book.active.append(row)
    book.active["C3"].data_type = "e"
    book.save(tmp_path / "full.xlsx")
    path = tmp_path / "list.xlsx"
    with zipfile.ZipFile(tmp_path / "full.xlsx") as full, zipfile.ZipFile(path, "w") as bare:
        for name in full.namelist():
            data = full.read(name)
            if "sheet1" in name:
                data = re.sub(rb'(<(?:c|row)\b[^>]*?) r="[^"]*"', rb"\1", data)
                assert b' r="' not in data
            bare.writestr(name, data)
    rated = rm.rate(path, OLD)
    assert yuan(rated) == [1000, None]
    assert "#N/A" in rated.refused["reason"][0].as_py()


@pytest.mark.parametrize(("rows", "columns"), [(1, 20_000_000), (1_048_576, 16_384)])
def test_an_error_that_a_few_bytes_repeat_for_ever_is_refused(tmp_path, rows, columns):
    spaces = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
        for short, long in (("office", "office"), ("table", "table"), ("text", "text"))
    )
    cell = f'<table:table-cell table:number-columns-repeated="{columns}" office:value-type="error"/>'
    row = f'<table:table-row table:number-rows-repeated="{rows}">{cell}</table:table-row>'
    with zipfile.ZipFile(tmp_path / "list.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        sheet = f'<table:table table:name="S">{row}</table:table>'
        archive.writestr("content.xml", f"<office:x {spaces}>{sheet}</office:x>")
    with pytest.raises(ValueError, match=str(rows * columns)):
        error_cells(tmp_path / "list.ods", "ods")
    with pytest.raises(rm.BookError):
        rm.read_book(tmp_path / "list.ods", "jilin-spli/2025-04")
