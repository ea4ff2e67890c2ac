"""Every worksheet that leaves the engine has its paper: A4 or A3 across, header on every page, page number below."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from tests.exhibits.test_disclosure_whole import province

import ratemod as rm
from ratemod.cli import main
from ratemod.document.sheet import new_sheet, set_widths
from ratemod.report.live_workbook import write_live_workbook
from ratemod.report.plan_workbook import export_plan
from ratemod.report.priced_workbook import write_priced_workbook

SOURCE = Path(rm.__file__).parent
MAKER = SOURCE / "document" / "sheet.py"
SETTERS = r"add_worksheet|set_paper|set_landscape|set_portrait|fit_to_pages|repeat_rows|set_footer|set_print_scale"
PLAN = ["--plan", "jilin-spli", "--at", "2025-06-01"]
DEMO = str(SOURCE / "demo" / "renewals.xlsx")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paper")
    rm.synthesize(60, 2, seed=3, first_year=2024, out=folder / "province")
    (folder / "few").mkdir()
    for name, table in province(2).items():
        table.to_parquet(folder / "few" / f"{name}.parquet", index=False)
    return folder


def without_paper(path):
    """Return what is wrong with the sheets of a workbook that can be seen."""
    found = []
    for sheet in openpyxl.load_workbook(path).worksheets:
        setup = sheet.page_setup
        fits = sheet.sheet_properties.pageSetUpPr and sheet.sheet_properties.pageSetUpPr.fitToPage
        good = (setup.paperSize, setup.orientation) in ((8, "landscape"), (9, "landscape"))
        good &= bool(sheet.print_title_rows) and "&P" in str(sheet.oddFooter.right.text)
        if sheet.sheet_state == "visible" and not (good and (fits or (setup.scale == 60 and sheet.print_title_cols))):
            found.append((path.name, sheet.title, setup.paperSize, setup.orientation, sheet.print_title_rows, fits))
    return found


def test_one_file_makes_sheets_and_sets_their_paper():
    others = [path for path in SOURCE.rglob("*.py") if path != MAKER]
    assert [path.name for path in others if re.search(SETTERS, path.read_text(encoding="utf-8"))] == []
    assert re.search(SETTERS, MAKER.read_text(encoding="utf-8"))


@pytest.mark.parametrize("verb", ["levy", "duties", "subsidy", "ledger", "scorecard"])
def test_workbooks_of_the_fund(place, verb):
    target = place / f"{verb}.xlsx"
    more = ["--budget", "10000"] if verb == "subsidy" else []
    given = ["--province", str(place / "province"), "--out", str(target), "--lang", "zh"]
    assert main(["fund", verb, *given, *more]) in (0, 3)
    assert without_paper(target) == []
    names = [sheet.title for sheet in openpyxl.load_workbook(target).worksheets]
    assert not [name for name in names if name.isascii()]  # a Chinese workbook calls its sheets in Chinese
    said = {cell for sheet in openpyxl.load_workbook(target).worksheets for row in sheet.values for cell in row}
    assert not {"until_2025", "from_2025", "small_clean", "no_bonus"} & said


def test_workbooks_of_registers_disclosure_lists_and_plans(place):
    given = place / "province"
    lists = ["--enterprises", str(given / "enterprises.parquet"), "--policies", str(given / "policies.parquet")]
    term = ["--from", "2025-01-01", "--until", "2026-01-01"]
    assert main(["registers", "coverage", *PLAN, *lists, *term, "-o", str(place / "gap.xlsx"), "--lang", "zh"]) in (
        0,
        3,
    )
    assert main(["report", "disclosure", str(place / "few"), "--year", "2025", "-o", str(place / "told.xlsx")]) == 0
    assert main(["data", "template", "policies", "-o", str(place / "list.xlsx")]) == 0
    plan = rm.load_plan("jilin-spli", at="2025-06-01")
    export_plan(plan, place / "plan.xlsx", "zh")
    rated = rm.rate(DEMO, plan)
    write_priced_workbook(rated, place / "priced.xlsx", lang="zh")
    write_live_workbook(rated, place / "live.xlsx", lang="zh")
    made = ("gap", "told", "list", "plan", "priced", "live")
    assert [wrong for name in made for wrong in without_paper(place / f"{name}.xlsx")] == []


def test_wide_tables_take_larger_paper_and_the_widest_repeat_their_keys(tmp_path):
    book = xlsxwriter.Workbook(str(tmp_path / "wide.xlsx"))
    for columns in (3, 20, 60):
        sheet = new_sheet(book, f"{columns} & more", heads=2)
        set_widths(sheet, [14.0] * columns, keys=2)
    book.close()
    narrow, wide, widest = openpyxl.load_workbook(tmp_path / "wide.xlsx").worksheets
    assert [sheet.page_setup.paperSize for sheet in (narrow, wide, widest)] == [9, 8, 8]
    assert wide.print_title_rows == "$1:$2" and wide.print_title_cols is None
    assert widest.print_title_cols == "$A:$B" and widest.page_setup.scale == 60
    assert without_paper(tmp_path / "wide.xlsx") == []
