"""The workbook that an underwriter opens: sheets, formats, exact money, texts that cannot run."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from tests.cli.books import BAD, GOOD, HEADERS, PLAN, PREMIUMS_FEN, write_book

from ratemod.errors import BookError
from ratemod.plan.editions import load_plan
from ratemod.rating.rate import rate
from ratemod.rating.rated import Rated
from ratemod.rating.read import read_book
from ratemod.report import priced_workbook
from ratemod.report.priced_workbook import write_priced_workbook

DEMO = Path(__file__).parents[2] / "src" / "ratemod" / "demo" / "renewals.xlsx"


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Rated:
    plan = load_plan(PLAN)
    return rate(read_book(write_book(tmp_path_factory.mktemp("book") / "renewals.xlsx"), plan), plan, lang="zh")


@pytest.fixture(scope="module")
def path(rated: Rated, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("out") / "priced.xlsx"
    write_priced_workbook(rated, target, lang="zh", by=("sector", "size"), facts=(("名册", "=renewals.xlsx"),))
    return target


def column(sheet: Any, header: str) -> list[Any]:
    at = next(cell.column for cell in sheet[1] if cell.value == header)
    return [sheet.cell(line, at) for line in range(2, sheet.max_row + 1)]


def priced(book: Any, header: str) -> list[Any]:
    """A column of the rows that have a premium, whether an underwriter must see them or not."""
    return [*column(book["已定价"], header), *column(book["须人工核保"], header)]


def test_sheets_and_their_headers(path: Path) -> None:
    book = load_workbook(path)
    assert book.sheetnames == ["已定价", "须人工核保", "资料待补正", "不予承保", "汇总", "读表回执", "说明"]
    for name in book.sheetnames[:2]:
        sheet = book[name]
        assert sheet.freeze_panes is not None and sheet.auto_filter.ref.startswith("A1:")
        headers = [cell.value for cell in sheet[1]]
        assert set(HEADERS) <= set(headers)
        assert headers[0] == "原行号"


def test_english_has_no_chinese_but_the_books_own(rated: Rated, tmp_path: Path) -> None:
    write_priced_workbook(rated, tmp_path / "priced.xlsx", lang="en", by=("sector",))
    book = load_workbook(tmp_path / "priced.xlsx")
    assert book.sheetnames == [
        "Priced",
        "To an underwriter",
        "To be completed",
        "Declined",
        "Summary",
        "Reading",
        "About",
    ]
    assert "Premium (yuan)" in [cell.value for cell in book["Priced"][1]]


def test_premiums_are_exact_and_shown_to_the_fen(path: Path) -> None:
    book = load_workbook(path)
    keys = [cell.value for cell in priced(book, "保单号")]
    cells = priced(book, "保费（元）")
    assert all(cell.number_format == "#,##0.00" for cell in cells)
    found = {key: int(Decimal(repr(cell.value)) * 100) for key, cell in zip(keys, cells)}
    assert found == PREMIUMS_FEN


def test_every_row_is_on_the_sheet_of_its_state_under_its_own_number(path: Path) -> None:
    book = load_workbook(path)
    states = book.sheetnames[:4]
    rows = {state: [cell.value for cell in column(book[state], "原行号")] for state in states}
    assert rows == {"已定价": [2, 3, 4], "须人工核保": [5], "资料待补正": [6, 7], "不予承保": [8]}
    assert sum(map(len, rows.values())) == len(GOOD + BAD)
    for state in states:
        assert {cell.value for cell in column(book[state], "状态")} == {state}
    for state in states[2:]:
        sheet = book[state]
        assert all(cell.value for cell in column(sheet, "原因")) and all(cell.value for cell in column(sheet, "代码"))
    assert "矿山" in column(book["资料待补正"], "原因")[0].value and column(book["资料待补正"], "建议")[1].value


def test_who_what_and_why_come_first_and_are_what_is_printed(path: Path) -> None:
    book = load_workbook(path)
    headers = [cell.value for cell in book["已定价"][1]]
    assert headers[:8] == [
        "原行号",
        "保单号",
        "企业名称",
        "保费（元）",
        "事故预防费用（元）",
        "状态",
        "触及上下限",
        "备注",
    ]
    referred = [cell.value for cell in book["须人工核保"][1]]
    assert referred[8:12] == ["核保决定", "核定系数", "核保人", "核保日期"] and referred[12:] == headers[8:]
    for name in book.sheetnames[:4]:
        assert book[name].page_setup.paperSize == 9 and book[name].page_setup.orientation == "landscape"


def test_no_cell_is_a_formula_or_a_link(path: Path) -> None:
    book = load_workbook(path)
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", cell.coordinate
                assert cell.hyperlink is None
    names = [cell.value for cell in column(book["已定价"], "企业名称")]
    assert names[1].startswith("=HYPERLINK") and names[2].startswith("@SUM")  # kept, as text
    assert column(book["已定价"], "联系电话")[0].value == "043188001234"


def test_dates_and_numbers_are_dates_and_numbers(path: Path) -> None:
    book = load_workbook(path)
    assert all(cell.is_date and cell.number_format == "yyyy-mm-dd" for cell in priced(book, "起保日期"))
    assert [cell.value for cell in priced(book, "投保人数")] == [row[4] for row in GOOD]
    assert priced(book, "限后浮动系数")[0].value == 1.3


def test_what_bound_is_said_in_words(path: Path) -> None:
    said = [cell.value for cell in priced(load_workbook(path), "触及上下限")]
    assert said == ["限后浮动系数按上限计", None, "限后浮动系数按下限计", None]


def test_summary_adds_up(path: Path) -> None:
    sheet = load_workbook(path)["汇总"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=4)]
    at = rows[0].index("保费（元）")
    assert rows[-1][0] == "合计"
    assert sum(Decimal(repr(row[at])) for row in rows[1:-1]) == Decimal(repr(rows[-1][at]))
    assert rows[-1][at] == sum(PREMIUMS_FEN.values()) / 100
    assert rows[-1][-1] == len(BAD)


def test_about_carries_identity_warning_and_sources(path: Path, rated: Rated) -> None:
    said = [
        str(cell.value) for row in load_workbook(path)["说明"].iter_rows() for cell in row if cell.value is not None
    ]
    assert rated.plan.id in said and rated.plan.warning_zh in said
    assert any("示例" in item for item in said)
    assert "=renewals.xlsx" in said
    assert any("Invented for the tests" in item for item in said)


def test_columns_are_wide_enough_for_chinese(path: Path) -> None:
    sheet = load_workbook(path)["已定价"]
    at = next(cell for cell in sheet[1] if cell.value == "企业名称")
    assert sheet.column_dimensions[at.column_letter].width >= 2 * len("长春某某矿业有限公司")


def test_too_many_rows_are_refused_with_advice(rated: Rated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(priced_workbook, "MOST_ROWS", 3)  # a header and two rows
    with pytest.raises(BookError) as error:
        write_priced_workbook(rated, tmp_path / "priced.xlsx", lang="zh")
    assert error.value.problems[0].code == "RM807"
    assert ".parquet" in error.value.problems[0].fix("zh")
    assert not list(tmp_path.iterdir())


def test_too_long_a_text_is_refused(tmp_path: Path) -> None:
    plan = load_plan(PLAN)
    columns = dict(zip(HEADERS, ([str(cell)] for cell in GOOD[0])))
    table = pa.table({**columns, "企业名称": ["长" * 32_768]})
    with pytest.raises(BookError) as error:
        write_priced_workbook(rate(table, plan), tmp_path / "priced.xlsx", lang="zh")
    assert error.value.problems[0].code == "RM808"


def test_progress_is_told(rated: Rated, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write_priced_workbook(
        rated, tmp_path / "priced.xlsx", lang="zh", tick=lambda done, total: told.append((done, total))
    )
    assert told[-1] == (7, 7)


def test_headers_that_repeat_the_results_do_no_harm(tmp_path: Path) -> None:
    plan = load_plan(PLAN)
    columns = dict(zip(HEADERS, ([str(cell)] for cell in GOOD[0])))
    table = pa.table({**columns, "row": ["x"], "suggestion": ["y"], "保费（元）": ["z"], "=1+1": ["w"]})
    write_priced_workbook(rate(table, plan), tmp_path / "priced.xlsx", lang="zh")
    sheet = load_workbook(tmp_path / "priced.xlsx")["已定价"]
    assert [cell.value for cell in sheet[1]].count("保费（元）") == 2
    assert all(cell.data_type != "f" for cell in sheet[1])


def test_numbers_beyond_excel_stay_exact_as_text(tmp_path: Path) -> None:
    plan = load_plan(PLAN)
    columns = dict(zip(HEADERS, ([str(cell)] for cell in GOOD[0])))
    table = pa.table({**columns, "身份证": pa.array([220102199001011234], pa.int64())})
    write_priced_workbook(rate(table, plan), tmp_path / "priced.xlsx", lang="zh")
    assert column(load_workbook(tmp_path / "priced.xlsx")["已定价"], "身份证")[0].value == "220102199001011234"


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_another_spreadsheet_reads_it_and_runs_nothing(path: Path, tmp_path: Path) -> None:
    profile = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
    subprocess.run(
        [
            "soffice",
            profile,
            "--headless",
            "--convert-to",
            "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true",
            "--outdir",
            str(tmp_path),
            str(path),
        ],
        check=True,
        capture_output=True,
        timeout=180,
    )
    said = (tmp_path / "priced.csv").read_text(encoding="utf-8")
    assert "=HYPERLINK" in said and "长春某某矿业有限公司" in said
    assert "38,220.00" in said and "2026-01-05" in said


def test_the_change_on_the_expiring_premium_levels_in_words_and_what_is_printed(tmp_path: Path) -> None:
    """18,611.18 against 21,771.02 expiring is -14.5 %, by hand; codes of the program are said in words."""
    plan = load_plan("jilin-spli", at="2026-01-01")
    book = read_book(DEMO, plan)
    codes = {label: code for code, label in plan.level_labels("sector", "zh").items()}
    sector = pa.array([codes.get(str(cell), str(cell)) for cell in book.table["sector"].to_pylist()])
    place = book.table.column_names.index("sector")
    book = replace(book, table=book.table.set_column(place, "sector", sector))
    write_priced_workbook(rate(book, plan, business="renewal", lang="zh"), tmp_path / "p.xlsx", lang="zh")
    found = load_workbook(tmp_path / "p.xlsx")
    sheet = found["已定价"]
    heads = [cell.value for cell in sheet[1]]
    first = dict(zip(heads, [cell.value for cell in sheet[2]]))
    assert first["较上年变动"] == round(18_611.18 / 21_771.02 - 1, 4) and first["行业"] == "危险化学品"
    assert {cell.value for cell in column(sheet, "行业")} <= set(codes)
    new = [cell.value for cell in column(sheet, "上年年保费")].index(None)
    assert [cell.value for cell in column(sheet, "较上年变动")][new] is None
    last = get_column_letter(heads.index("备注") + 1)
    assert sheet.print_area == f"'已定价'!$A$1:${last}${sheet.max_row}"


def test_a_book_that_declines_and_refuses_colours_each_state(path: Path) -> None:
    book = load_workbook(path)
    colours = {column(book[state], "状态")[0].fill.fgColor.rgb for state in book.sheetnames[:4]}
    assert len(colours) == 4
