"""A second opinion accounts for every row: both, only ours, only theirs, neither, with the money; only all is 0."""

from __future__ import annotations

from openpyxl import load_workbook
from tests.cli.books import BAD, GOOD, PLAN, PREMIUMS_FEN, write_book

from ratemod.cli import main


def opinion_of(tmp_path, rows, theirs, capsys) -> tuple[int, str]:
    path = write_book(tmp_path / "list.xlsx", rows)
    book = load_workbook(path)
    sheet = book.active
    at = sheet.max_column + 1
    sheet.cell(1, at).value = "对方保费"
    for line, value in enumerate(theirs, start=2):
        sheet.cell(line, at).value = value
    for row in sheet.iter_rows():
        for cell in row:
            cell.data_type = "s" if isinstance(cell.value, str) else cell.data_type
    book.save(path)
    code = main(["second-opinion", str(path), "--plan", str(PLAN), "--premium", "对方保费", "--lang", "en"])
    return code, capsys.readouterr().out


def test_all_rows_alike_is_0_and_anything_else_is_3(tmp_path, capsys):
    ours = [PREMIUMS_FEN[row[0]] / 100 for row in GOOD]
    assert opinion_of(tmp_path, GOOD, ours, capsys)[0] == 0
    assert opinion_of(tmp_path, GOOD, [*ours[:3], None], capsys)[0] == 3  # they charge nothing for one of ours
    code, said = opinion_of(tmp_path, (*GOOD, *BAD[:2]), [None, *ours[1:], 250, None], capsys)
    assert code == 3
    assert "only ours: 1, 38,220.00 yuan; only theirs: 1, 250.00 yuan; neither: 1" in said
