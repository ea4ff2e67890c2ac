"""A plan's numbers to Excel and back: what was edited comes back, nothing else can."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook

from ratemod.cli import main
from ratemod.errors import BookError, PlanError
from ratemod.plan.edit import differences
from ratemod.plan.editions import load_folder, load_plan, shipped
from ratemod.plan.save import save_edited
from ratemod.report.plan_workbook import HIDDEN, export_plan, import_plan, layout


@pytest.fixture
def plan():
    return load_plan("jilin-spli", at="2026-01-01")


@pytest.fixture
def book(plan, tmp_path):
    export_plan(plan, tmp_path / "plan.xlsx", "en")
    return load_workbook(tmp_path / "plan.xlsx")


def codes(call):
    with pytest.raises((PlanError, BookError)) as caught:
        call()
    return sorted({item.code for item in caught.value.problems})


@pytest.mark.parametrize("place", list(shipped()), ids=lambda place: f"{place.parent.name}-{place.name}")
def test_untouched_it_changes_nothing(place, tmp_path):
    plan = load_plan(place)
    export_plan(plan, tmp_path / "plan.xlsx", "zh")
    edited = import_plan(plan, tmp_path / "plan.xlsx")
    assert edited.changes == {} and edited.plan is plan
    export_plan(plan, tmp_path / "again.xlsx", "zh")
    assert (tmp_path / "again.xlsx").read_bytes() == (tmp_path / "plan.xlsx").read_bytes()


def test_every_number_stands_once_and_only_numbers_are_free(plan, book):
    paths = [cell.path for rows in layout(plan).values() for row in rows for cell in row if cell.path]
    assert len(paths) == len(set(paths))
    free = sum(not cell.protection.locked for sheet in book for row in sheet.iter_rows() for cell in row)
    assert free == len(paths) > 100
    assert all(sheet.protection.sheet for sheet in book)
    assert book[HIDDEN].sheet_state == "veryHidden"


def test_edits_come_back_exactly_and_are_written_and_nothing_else(plan, book, tmp_path):
    book["base_rate"]["C3"] = 1.45
    book["constants"]["B3"] = 1.15
    steps = book["steps"]
    at = next(row for row in steps.iter_rows(min_row=3) if (row[0].value, row[1].value) == ("total_float", "low"))
    at[2].value = "0.72"  # typed as text
    book.save(tmp_path / "edited.xlsx")
    edited = import_plan(plan, tmp_path / "edited.xlsx")
    row = plan.tables["base_rate"].rows[0]
    wanted = {f"tables.base_rate[{row.keys[0]}, {row.keys[1]}].value": "1.45", "steps.total_float.low": "0.72"}
    wanted[f"constants.{next(iter(plan.constants))}"] = "1.15"
    assert dict(edited.changes) == wanted
    assert len(differences(plan, edited.plan)) == 3
    saved = save_edited(plan, edited.changes, tmp_path / "new")
    assert saved.fingerprint == edited.plan.fingerprint
    assert differences(plan, load_folder(tmp_path / "new/jilin-spli/2025-04")) == differences(plan, edited.plan)
    for file in sorted(Path(plan.folder).rglob("*.*")):
        one = file.read_text(encoding="utf-8").splitlines()
        other = (
            (tmp_path / "new/jilin-spli/2025-04" / file.relative_to(plan.folder))
            .read_text(encoding="utf-8")
            .splitlines()
        )
        apart = sum(a != b for a, b in zip(one, other)) + abs(len(one) - len(other))
        assert apart == {"plan.toml": 2, "base_rate.csv": 1}.get(file.name, 0), file
    assert codes(lambda: save_edited(plan, edited.changes, tmp_path / "new")) == ["RM888"]


def test_keys_structure_and_other_plans_are_refused(plan, book, tmp_path):
    def saved(name):
        book.save(tmp_path / name)
        return tmp_path / name

    sheet = book["base_rate"]
    sheet["A3"], sheet["C4"] = "mine", "=1+1"
    sheet["H9"] = "hidden remark"
    assert codes(lambda: import_plan(plan, saved("a.xlsx"))) == ["RM886", "RM887"]
    del book["base_rate"]
    assert codes(lambda: import_plan(plan, saved("b.xlsx"))) == ["RM885"]
    other = load_plan("jilin-spli/2020-11")
    assert codes(lambda: import_plan(other, tmp_path / "plan.xlsx")) == ["RM884"]
    assert codes(lambda: import_plan(plan, Path(__file__))) == ["RM883"]
    assert codes(lambda: import_plan(plan, tmp_path / "none.xlsx")) == ["RM883"]


def test_a_deleted_row_is_seen_whatever_the_numbers(plan, book, tmp_path):
    book["base_rate"].delete_rows(4)
    book.save(tmp_path / "edited.xlsx")
    assert "RM886" in codes(lambda: import_plan(plan, tmp_path / "edited.xlsx"))


def test_what_the_law_or_the_table_forbids_is_refused(plan, book, tmp_path):
    share = next(row for row in book["constants"].iter_rows(min_row=3) if row[0].value == "fund_share")
    share[1].value = 7
    book.save(tmp_path / "edited.xlsx")
    lawful = any(item.of == "fund_share" for item in plan.legal)
    assert lawful and codes(lambda: import_plan(plan, tmp_path / "edited.xlsx")) == ["RM184"]


def test_the_command(plan, tmp_path, capsys):
    file, folder = tmp_path / "plan.xlsx", tmp_path / "new"
    assert main(["plans", "jilin-spli/2025-04", "--export", str(file), "--lang", "zh"]) == 0
    assert main(["plans", "jilin-spli/2025-04", "--import", str(file), "--lang", "en"]) == 0
    assert "nothing was changed" in capsys.readouterr().out
    book = load_workbook(file)
    book["base_rate"]["C3"] = float(Decimal("1.45"))
    book.save(file)
    assert main(["plans", "jilin-spli/2025-04", "--import", str(file), "-o", str(folder), "--lang", "en"]) == 0
    out = capsys.readouterr().out
    assert "1.45" in out and str(folder) in out
    assert load_folder(folder / "jilin-spli/2025-04").tables["base_rate"].rows[0].values == (Decimal("1.45"),)
    assert main(["plans", "--export", str(file), "--lang", "en"]) == 1
