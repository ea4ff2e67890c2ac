"""Another system with one planted fault: the fault is named first, with the rows that show it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from openpyxl import load_workbook

from ratemod.cli import main
from ratemod.errors import BookError
from ratemod.exhibits.likely_causes import _flipped, _with
from ratemod.exhibits.second_opinion import second_opinion, write_second_opinion
from ratemod.plan.editions import load_plan
from ratemod.rating.rate import rate

DEMO = Path(__file__).parents[2] / "src" / "ratemod" / "demo" / "renewals.xlsx"


@pytest.fixture(scope="module")
def plan():
    return load_plan("jilin-spli/2025-04")


@pytest.fixture(scope="module")
def rated(plan):
    return rate(DEMO, plan, business="renewal", lang="en", threads=1)


def theirs(plan):
    other = rate(DEMO, plan, business="renewal", lang="en", threads=1)
    return np.where(other.verdict.status < 2, other.outputs.premium_fen / 100, np.nan)


def first(rated, plan):
    opinion = second_opinion(rated, theirs(plan))
    assert opinion.differs.any()
    return opinion, opinion.causes[0].guess


def test_agreement_needs_no_cause(rated, plan):
    opinion = second_opinion(rated, theirs(plan))
    assert not opinion.differs.any() and opinion.causes == ()
    assert "286 agree" in opinion.text("en")


def test_a_changed_cell_is_found_to_its_digits(rated, plan):
    path = "tables.base_rate[construction, small].value"
    opinion, guess = first(rated, plan.replace({path: "0.91"}))
    assert (guess.kind, guess.where, guess.detail) == ("cell", path, "0.84 → 0.91")
    assert len(opinion.causes) == 1 and not len(opinion.unexplained) and opinion.causes[0].broken == 0
    assert set(opinion.causes[0].rows.tolist()) == set(np.flatnonzero(opinion.differs).tolist())


def test_another_rounding_is_found(rated, plan):
    step = plan.step(plan.premium)
    assert first(rated, _with(plan, replace(step, mode="down")))[1].detail == "down"
    assert first(rated, _with(plan, replace(step, quantum=Decimal(1))))[1].detail == "1"


def test_a_missed_bound_and_a_missed_factor_are_found(rated, plan):
    guess = first(rated, _with(plan, replace(plan.step("total_float"), low=None)))[1]
    assert (guess.kind, guess.where, guess.detail) == ("bound", "total_float", "low")
    factor = replace(plan.step("integrity_factor"), op="sum", of=(Decimal(1),), table="")
    guess = first(rated, _with(plan, factor))[1]
    assert (guess.kind, guess.where) == ("left_out", "integrity_factor")


def test_the_other_side_of_a_band_edge_is_found(rated, plan):
    table = plan.tables["limit_factor"]
    guess = first(rated, _flipped(plan, table, 0, table.axes[0]))[1]
    assert (guess.kind, guess.where) == ("edge", "limit_factor.limit_yuan")


def test_a_step_rounded_on_the_way_is_found(rated, plan):
    raw = replace(plan.step("total_float"), name="raw")
    cut = replace(raw, name="total_float", op="round", of=("raw",), quantum=Decimal("0.01"), low=None, high=None)
    guess = first(rated, _with(plan, raw, cut))[1]
    assert (guess.kind, guess.detail) == ("rounded_step", "0.01")


def test_two_faults_at_once_are_told_apart_and_chance_stays_unexplained(rated, plan):
    cell = plan.replace({"tables.base_rate[transport, small].value": "1.5"})
    other = theirs(_with(cell, replace(plan.step("premium"), quantum=Decimal(1))))
    other[np.flatnonzero(~np.isnan(other))[:2]] += 777.77
    opinion = second_opinion(rated, other)
    assert {cause.guess.kind for cause in opinion.causes[:2]} == {"cell", "rounding"}
    assert len(opinion.unexplained) >= 2
    assert opinion.cause_of()[opinion.unexplained].tolist() == [0] * len(opinion.unexplained)


def test_refusals(rated):
    for premium, code in (("上年年保", "RM891"), ("名称", "RM891"), (np.zeros(3), "RM893"), ("name", "RM892")):
        with pytest.raises(BookError) as caught:
            second_opinion(rated, premium)
        assert caught.value.problems[0].code == code


def test_the_command_and_its_workbook_run_no_formula(tmp_path, capsys, plan):
    book = load_workbook(DEMO)
    sheet = book.active
    at = sheet.max_column + 1
    sheet.cell(1, at).value = "=核心系统保费"
    keys = [cell.value for cell in sheet[1]]
    premium = theirs(plan.replace({"tables.base_rate[construction, small].value": "0.91"}))
    for line, value in enumerate(premium.tolist(), 2):
        sheet.cell(line, at).value = None if np.isnan(value) else value
    sheet.cell(2, keys.index("保单号") + 1).value = '=HYPERLINK("http://x")'
    sheet.cell(2, keys.index("保单号") + 1).data_type = "s"
    sheet.cell(1, at).data_type = "s"
    book.save(tmp_path / "book.xlsx")
    out = tmp_path / "out.xlsx"
    words = [
        "second-opinion",
        str(tmp_path / "book.xlsx"),
        "--plan",
        "jilin-spli",
        "--at",
        "2026-01-01",
        "--lang",
        "zh",
    ]
    words += ["--business", "renewal", "--premium", "=核心系统保费", "-o", str(out)]
    assert main(words) == 3
    said = capsys.readouterr().out
    assert "一个单元格不同" in said and "0.84 → 0.91" in said and "示例" in said
    cells = [cell for sheet in load_workbook(out) for row in sheet.iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    rated = rate(DEMO, plan, business="renewal", lang="en", threads=1)
    opinion = second_opinion(rated, premium)
    for name in ("a", "b"):
        write_second_opinion(opinion, tmp_path / f"{name}.xlsx", "en", "d")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
