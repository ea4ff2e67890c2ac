"""Another system with one planted fault: the fault is named first, with the rows that show it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook
from tests.exhibits.small_plan import small_plan
from tests.rating.steps import step_of

from ratemod.cli import main
from ratemod.document.html import page
from ratemod.errors import BookError
from ratemod.plan.editions import load_folder
from ratemod.rating.rate import rate
from ratemod.report.second_opinion_file import difference_rows, opinion_document, write_second_opinion
from ratemod.secondopinion.guess import with_steps as _with
from ratemod.secondopinion.likely_causes import _flipped
from ratemod.secondopinion.likely_slips import YEAR_DAYS, swapped_cells
from ratemod.secondopinion.second_opinion import second_opinion

PROVINCE = Path(__file__).parents[2] / "data" / "province" / "renewals.parquet"
DEMO = Path(__file__).parents[2] / "src" / "ratemod" / "demo" / "renewals.xlsx"


def opinion_page(opinion, lang, digest=""):
    return page([opinion_document(opinion, lang, digest)], lang)


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return small_plan(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def rated(plan):
    return rate(DEMO, plan, business="renewal", lang="en", threads=1)


@pytest.fixture(scope="module")
def mixed(plan):
    """Renewals of which some run for part of a year, and some bring a certificate that has expired."""
    table = pq.read_table(PROVINCE).slice(0, 500)
    start, end, expiry = (table[name].to_pylist() for name in ("start_date", "end_date", "certificate_expiry"))
    for at in range(0, 500, 3):
        end[at] = start[at] + timedelta(days=40 + at // 2)
    for at in range(1, 500, 7):
        expiry[at] = start[at] - timedelta(days=30)
    for name, values in (("end_date", end), ("certificate_expiry", expiry)):
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    return rate(table, plan, lang="en", threads=1)


def theirs(plan, book=DEMO):
    other = rate(book, plan, business="renewal", lang="en", threads=1)
    return np.where(other.verdict.status < 2, other.outputs.premium_fen / 100, np.nan)


def first(rated, plan):
    book = DEMO if rated.book.file else rated.book
    opinion = second_opinion(rated, theirs(plan, book))
    assert opinion.differs.any()
    return opinion, opinion.causes[0].guess


def test_agreement_needs_no_cause(rated, plan):
    opinion = second_opinion(rated, theirs(plan))
    assert not opinion.differs.any() and opinion.causes == ()
    assert "291 agree" in opinion.text("en")


def test_a_changed_cell_is_found_to_its_digits(rated, plan):
    path = "tables.base_rate[construction, small].value"
    opinion, guess = first(rated, plan.replace({path: "0.91"}))
    assert (guess.kind, guess.where, guess.detail) == ("cell", path, "0.84 → 0.91")
    assert len(opinion.causes) == 1 and not len(opinion.unexplained) and opinion.causes[0].broken == 0
    assert set(opinion.causes[0].rows.tolist()) == set(np.flatnonzero(opinion.differs).tolist())


def _otherwise(step, **keys):
    return replace(step, operation=replace(step.operation, **keys))


def test_another_rounding_is_found(rated, plan):
    step = plan.step(plan.premium)
    assert first(rated, _with(plan, _otherwise(step, mode="down")))[1].detail == "down"
    assert first(rated, _with(plan, _otherwise(step, unit=Decimal(1))))[1].detail == "1"


def test_a_missed_bound_and_a_missed_factor_are_found(rated, plan):
    guess = first(rated, _with(plan, _otherwise(plan.step("total_float"), low=None)))[1]
    assert (guess.kind, guess.where, guess.detail) == ("bound", "total_float", "low")
    factor = step_of("integrity_factor", "sum", of=(Decimal(1),))
    guess = first(rated, _with(plan, factor))[1]
    assert (guess.kind, guess.where) == ("left_out", "integrity_factor")


def test_the_other_side_of_a_band_edge_is_found(rated, plan):
    table = plan.tables["limit_factor"]
    guess = first(rated, _flipped(plan, table, 0, table.axes[0]))[1]
    assert (guess.kind, guess.where) == ("edge", "limit_factor.limit_yuan")


def test_a_step_rounded_on_the_way_is_found(rated, plan):
    raw = replace(plan.step("total_float"), name="raw")
    cut = step_of("total_float", "round", of=("raw",), unit=Decimal("0.01"))
    guess = first(rated, _with(plan, raw, cut))[1]
    assert (guess.kind, guess.detail) == ("rounded_step", "0.01")


def test_a_term_counted_otherwise_is_found(mixed, plan):
    step = plan.step("short_period")
    count = step_of("by_days", "days", of=plan.step("term_months").operation.of)
    by_days = step_of("short_period", "ratio", of=("by_days", YEAR_DAYS))
    assert plan.step("term_premium").operation.of == ("renewal_cap", "short_period") and step.operation.table
    opinion, guess = first(mixed, _with(plan, count, by_days))
    assert (guess.kind, guess.where, guess.detail) == ("pro_rata", "short_period", "days")
    assert not len(opinion.unexplained)
    guess = first(mixed, _with(plan, _otherwise(plan.step("term_months"), count="complete")))[1]
    assert (guess.kind, guess.where, guess.detail) == ("months", "term_months", "complete")


def test_rounding_in_another_order_is_found(mixed, plan):
    """The annual premium is rounded to whole yuan before the short-period factor, not after it."""
    raw = replace(plan.step("renewal_cap"), name="raw")
    whole = step_of("renewal_cap", "round", of=("raw",), unit=Decimal(1))
    guess = first(mixed, _with(plan, raw, whole))[1]
    assert (guess.kind, guess.where, guess.detail) == ("rounded_step", "renewal_cap", "1")


def test_a_stale_edition_is_found(plan, tmp_path):
    """The other system still prices under last year's edition, which lies beside this year's."""
    scheme = tmp_path / "jilin-spli"
    for name in ("2024-01", "2025-04"):
        shutil.copytree(plan.folder, scheme / name)
    for file, old, new in (
        ("plan.toml", 'edition = "2025-04"', 'edition = "2024-01"'),
        ("tables/base_rate.csv", "0.84", "0.79"),
        ("tables/integrity.csv", "0.80", "0.85"),
    ):
        path = scheme / "2024-01" / file
        said = path.read_text(encoding="utf-8")
        assert old in said
        path.write_text(said.replace(old, new), encoding="utf-8")
    new, stale = (load_folder(scheme / name) for name in ("2025-04", "2024-01"))
    opinion, guess = first(rate(DEMO, new, business="renewal", lang="en", threads=1), stale)
    assert (guess.kind, guess.detail) == ("edition", "2024-01")
    assert len(opinion.causes) == 1 and not len(opinion.unexplained)


def test_units_mixed_up_are_found_in_all_rows_and_in_some(rated, plan):
    yuan = theirs(plan)
    for factor in (100, 0.01):
        opinion = second_opinion(rated, np.round(yuan * factor, 2))
        guess = opinion.causes[0].guess
        assert (guess.kind, float(guess.detail)) == ("premium_unit", factor) and not len(opinion.unexplained)
    some = yuan.copy()
    slipped = np.flatnonzero(~np.isnan(yuan))[::29]
    some[slipped] = np.round(yuan[slipped] / 10000, 2)  # those typed in 万元, two decimals
    opinion = second_opinion(rated, some)
    cause = opinion.causes[0]
    assert (cause.guess.kind, cause.guess.detail, cause.partly) == ("premium_unit", "0.0001", True)
    assert set(cause.rows.tolist()) == set(slipped.tolist()) and cause.broken == 0
    assert "in some rows only" in cause.words(plan, "en") and "仅部分行" in cause.words(plan, "zh")


def test_a_limit_in_another_unit_is_found(rated, plan):
    table = rated.book.table
    limit = plan.columns["limit_yuan"]
    scaled = step_of("scaled", "product", of=("limit_yuan", Decimal("0.0001")))
    base = plan.step("base_premium")
    scaled_too = tuple("scaled" if operand == "limit_yuan" else operand for operand in base.operation.of)
    wrong = _with(plan, scaled, _otherwise(base, of=scaled_too))
    other = rate(rated.book, wrong, lang="en", threads=1)
    assert limit.unit == "yuan" and table.num_rows
    premium = np.where(other.verdict.status < 2, other.outputs.premium_fen / 100, np.nan)
    found = second_opinion(rated, premium)
    assert found.causes[0].guess.kind in ("input_unit", "premium_unit")


def test_the_credit_of_an_expired_certificate_kept_is_found(mixed, plan):
    step = plan.step("standard_credit")
    opinion, guess = first(mixed, _with(plan, replace(step, when=None, otherwise=None)))
    assert (guess.kind, guess.where) == ("condition", "standard_credit")
    expired = [at for at in range(mixed.coding.n) if "certificate" in str(mixed.table["notes"][at])]
    assert set(opinion.causes[0].rows.tolist()) <= set(expired)
    assert "Certificate expiry" in opinion.causes[0].words(plan, "en")


def test_swapped_factors_and_columns_are_found(rated, plan):
    table = plan.tables["integrity"]
    one, other = (next(at for at, row in enumerate(table.rows) if row.keys == (key,)) for key in ("AA", "C"))
    guess = first(rated, swapped_cells(plan, "integrity", one, other))[1]
    assert guess.kind == "swapped_cells" and {guess.where, guess.detail} == {
        "tables.integrity[AA].value", "tables.integrity[C].value",
    }  # fmt: skip
    general, larger = plan.step("general_accident_loading"), plan.step("larger_accident_loading")
    axes = [plan.tables[step.operation.table].axes[0].name for step in (general, larger)]
    swapped = _with(
        _with(plan, _otherwise(general, by=((axes[0], "larger_accidents"),))),
        _otherwise(larger, by=((axes[1], "general_accidents"),)),
    )
    guess = first(rated, swapped)[1]
    assert guess.kind == "swapped_columns" and {guess.where, guess.detail} == {"general_accidents", "larger_accidents"}


def test_percentages_added_in_place_of_multiplied_are_found(rated, plan):
    added = step_of("float_before_bounds", "add_percentages", of=plan.step("float_before_bounds").operation.of)
    guess = first(rated, _with(plan, added))[1]
    assert (guess.kind, guess.where) == ("added", "float_before_bounds")


def test_the_page_lists_causes_first_and_escapes(rated, plan, tmp_path):
    premium = theirs(plan.replace({"tables.base_rate[construction, small].value": "0.91"}))
    opinion = second_opinion(rated, premium)
    for lang, said in (("zh", "一个单元格不同"), ("en", "one cell differs")):
        page = opinion_page(opinion, lang, "d")
        assert page == opinion_page(opinion, lang, "d") and "<script" not in page
        assert page.index(said) < page.index('id="' + lang + '-rows"')
    rows = difference_rows(opinion)
    assert len(rows) == opinion.differs.sum() and [row[4] for row in rows] == sorted(row[4] for row in rows)
    with pytest.raises(BookError) as caught:
        write_second_opinion(opinion, tmp_path / "x.docx", "en")
    assert caught.value.problems[0].code == "RM800"


def test_two_faults_at_once_are_told_apart_and_chance_stays_unexplained(rated, plan):
    cell = plan.replace({"tables.base_rate[transport, small].value": "1.5"})
    other = theirs(_with(cell, _otherwise(plan.step("premium"), unit=Decimal(1))))
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
        plan.folder,
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
