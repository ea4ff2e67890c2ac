"""A document says the same in every medium, no medium lets a text do anything, and nobody goes round the renderers."""

from __future__ import annotations

import csv
import datetime
import re
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

import ratemod
from ratemod.document.arrow_table import arrow_table
from ratemod.document.files import write_document, write_frame
from ratemod.document.html import card, page
from ratemod.document.model import (
    Beside,
    Column,
    Document,
    Drawing,
    Heading,
    Listing,
    Paragraph,
    Picture,
    Quoted,
    Section,
    Span,
    Table,
    facts,
    table,
)
from ratemod.document.terminal import document_text
from ratemod.errors import BookError

SOURCE = Path(ratemod.__file__).parent
FORMULAS = ('=HYPERLINK("http://x")', "+1+cmd|x", "-2+3", "@SUM(1)", "\t=1", "\r=1", "＝1+1", "－1+A1", "＋1", "＠x")
HOSTILE = "<script>alert(1)</script>"
DAY = datetime.date(2026, 2, 28)


def report(*blocks, lang="en", title="Report"):
    return Document(lang=lang, title=title, sections=(Section("one", "One", blocks),))


def figures():
    """A table with a column of each unit, a day, a hidden figure, a missing value, and totals."""
    return Table(
        title="Figures",
        columns=(
            Column(label="Firm", cells=["A", "B"], total="Total"),
            Column(label="Premium, yuan", cells=[123456, None], unit="fen", total=123456),
            Column(label="Share", cells=[0.125, 1.0], unit="share"),
            Column(label="Change", cells=[-0.05, float("nan")], unit="change"),
            Column(label="Day", cells=[DAY, None]),
            Column(label="Said", cells=["1,234.50", Span("×", title="left out")], unit="figure"),
            Column(label="Policies", cells=[1234, 5], unit="count", total=1239),
        ),
        has_total=True,
    )


class Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.rows, self.tags, self.inside = [], set(), False

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag):
        self.inside &= tag not in ("td", "th")

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data


def test_every_medium_says_the_same(tmp_path):
    said = Cells()
    said.feed(page([report(figures())], "en"))
    assert said.rows[1] == ["A", "1,234.56", "12.5%", "-5.00%", "2026-02-28", "1,234.50", "1,234"]
    assert said.rows[2] == ["B", "—", "100.0%", "—", "—", "×", "5"]
    assert said.rows[3] == ["Total", "1,234.56", "", "", "", "", "1,239"]
    for row in said.rows:
        assert all(cell in document_text(report(figures())) for cell in row)
    rows = list(csv.reader(write_document(report(figures()), tmp_path / "a.csv").read_text("utf-8-sig").splitlines()))
    assert rows[1] == ["A", "1234.56", "0.125", "-0.05", "2026-02-28", "1,234.50", "1234"]
    assert rows[2] == ["B", "", "1", "", "", "×", "5"]
    sheet = openpyxl.load_workbook(write_document(report(figures()), tmp_path / "a.xlsx")).worksheets[0]
    cells = {tuple(cell.value for cell in row) for row in sheet.iter_rows()}
    assert ("A", 1234.56, 0.125, -0.05, datetime.datetime(2026, 2, 28), 1234.5, 1234) in cells
    assert ("B", None, 1, None, None, "×", 5) in cells
    assert ("Total", 1234.56, None, None, None, None, 1239) in cells
    shapes = {cell.value: cell.number_format for row in sheet.iter_rows() for cell in row}
    assert shapes[1234.56] == shapes[1234.5] == "#,##0.00" and shapes[0.125] == "0.0%" and shapes[1234] == "#,##0"


@pytest.mark.parametrize("kind", ["text", "dictionary", "list", "binary", "span", "label", "mixed"])
@pytest.mark.parametrize("said", FORMULAS)
def test_no_spreadsheet_runs_a_cell_of_whatever_type(said, kind, tmp_path):
    cells = {
        "dictionary": pa.array([said]).dictionary_encode(),
        "list": pa.array([[said]]),
        "binary": pa.array([said.encode()]),
    }.get(kind, pa.array([said]))
    own = arrow_table(pa.table({"x": cells}), "T", [said if kind == "label" else "x"])
    if kind == "span":
        own = table("T", ["x"], [[Span(said, "strong")]], [True])
    elif kind == "mixed":
        own = table("T", ["x"], [[1], [DAY], [said]], [""])
    with open(write_document(report(own), tmp_path / "a.csv"), encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == own.n + 1 and not [cell for row in rows for cell in row if cell[0] in "=+-@\t\r＝＋－＠"]
    write_document(report(own, Paragraph(said), facts(said, [(said, said)]), Listing((said,))), tmp_path / "a.xlsx")
    for sheet in openpyxl.load_workbook(tmp_path / "a.xlsx"):
        assert "f" not in {cell.data_type for row in sheet.iter_rows() for cell in row}


def test_a_signed_number_comes_out_as_it_is(tmp_path):
    own = table("T", ["x", "y"], [[-5, "-5"], [Decimal("-0.50"), "+1.5"]], ["number", ""])
    rows = list(csv.reader(write_document(report(own), tmp_path / "a.csv").read_text("utf-8-sig").splitlines()))
    assert rows[1:] == [["-5", "-5"], ["-0.50", "+1.5"]]


def test_html_escapes_every_text_of_every_block():
    h, drawing = HOSTILE, Drawing(HOSTILE, HOSTILE + "x", "<svg/>")
    looks = (Span(h, "strong"), Span(h, "below"), Span(h, "good"), Span(h, lang="en"), Span(h, title=h), h)
    blocks = (
        Heading(h), Paragraph(looks, "soft"), facts(h, [(h, h)]), Listing((h,)), table(h, [h], [[h]], [""], total=[h]),
        Picture(drawing), Beside(((Paragraph(h),),)), Quoted((Paragraph(h),), "zh"),
    )  # fmt: skip
    for said in (page([report(*blocks, title=h)], "en"), card(report(*blocks, title=h))):
        tags = Cells()
        tags.feed(said)
        assert "script" not in tags.tags and said.count("&lt;script&gt;") >= 18
        assert "http" not in said.replace("http://www.w3.org", "")


def test_many_rows_are_counted_on_a_screen_and_kept_in_a_file(tmp_path):
    own = table("T", ["x"], [[at] for at in range(30)], ["count"], most=10)
    assert "and 20 more" in card(report(own)) and "20" in document_text(report(own)).splitlines()[-1]
    assert len(write_document(report(own), tmp_path / "a.csv").read_text("utf-8-sig").splitlines()) == 31


def test_the_same_document_gives_the_same_bytes(tmp_path):
    for ending in ("xlsx", "csv", "html"):
        one, two = (write_document(report(figures()), tmp_path / f"{name}.{ending}") for name in "ab")
        assert one.read_bytes() == two.read_bytes()


def test_an_unknown_ending_is_refused(tmp_path):
    for write in (write_document, write_frame):
        given = report(figures()) if write is write_document else pa.table({"x": [1]})
        with pytest.raises(BookError) as refused:
            write(given, tmp_path / "a.xlsm")
        assert refused.value.problems[0].code == "RM800" and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("made", "makers"),
    [
        (r"<!doctype html>", {"document/html.py"}),
        (r"xlsxwriter\.Workbook\(", {"document/sheet.py"}),
        (r"to_html\(|to_excel\(", set()),
        (r"base64", {"document/html.py"}),
        # The others write what programs read back (tables of plans and studies) or lists that are messy on purpose.
        (r"csv\.writer\(|csv\.write_csv\(|\.to_csv\(", {"document/csv_file.py", "plan/save.py", "plan/write.py",
         "ratemaking/model_plan.py", "study/edition.py", "synth/mess.py"}),
    ],
)  # fmt: skip
def test_one_file_makes_each_medium(made, makers):
    users = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py")
             if re.search(made, path.read_text(encoding="utf-8"))}  # fmt: skip
    assert users == makers
