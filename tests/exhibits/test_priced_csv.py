"""CSV for people and Parquet for programs."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.cli.books import BAD, HEADERS, PLAN, PREMIUMS_FEN, write_book

from ratemod.document.csv_file import FORMULA_STARTS, _digits, amounts, printed, safe_text
from ratemod.plan.editions import load_plan
from ratemod.rating.rate import rate
from ratemod.rating.rated import Rated
from ratemod.rating.read import read_book
from ratemod.report.priced_columns import as_number, priced_view
from ratemod.report.priced_csv import write_priced_csv, write_priced_parquet


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Rated:
    plan = load_plan(PLAN)
    return rate(read_book(write_book(tmp_path_factory.mktemp("book") / "renewals.xlsx"), plan), plan, lang="zh")


def read(path: Path) -> list[dict[str, str]]:
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_two_files_hold_every_row(rated: Rated, tmp_path: Path) -> None:
    priced, refused = write_priced_csv(rated, tmp_path / "priced.csv", lang="zh")
    rows = read(priced)
    assert {row["保单号"]: Decimal(row["保费（元）"]) * 100 for row in rows} == PREMIUMS_FEN
    assert all(len(row["保费（元）"].partition(".")[2]) == 2 for row in rows)
    assert [row["保单号"] for row in read(refused)] == [row[0] for row in BAD]
    assert [row["原行号"] for row in read(refused)] == ["6", "7", "8"]
    assert refused.name == "priced-refused.csv"


@pytest.mark.parametrize(
    ("label", "header"),
    [("每单元", "每单元（元）"), ("保费（每人元）", "保费（每人元）"), ("保费（单元）附", "保费（单元）附（元）")],
)
def test_a_step_says_its_unit_once_and_a_word_that_ends_like_one_is_none(rated: Rated, label: str, header: str) -> None:
    steps = tuple(replace(step, label_zh=label) if step.unit == "yuan" else step for step in rated.plan.steps)
    given = replace(rated, plan=replace(rated.plan, steps=steps))
    assert header in [one.header for one in priced_view(given, "zh") if one.computed]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_midnight_is_its_day_as_lists_write_it(unit: str) -> None:
    moments = [datetime(2026, 3, 4), datetime(2026, 3, 4, 10, 30), datetime(2026, 3, 4, 0, 0, 10), None]
    told = printed(pa.array(moments, pa.timestamp(unit))).to_pylist()
    assert told == ["2026-03-04", "2026-03-04 10:30:00", "2026-03-04 00:00:10", None]


def test_a_signed_number_runs_nothing_and_stays_one() -> None:
    cells = ["-5", "+1.25", "-5\n", "-1+1", "+1|x", "--5", "-", "=1", "-1.", "\t-5", "＝1"]
    told = printed(pa.array(cells)).to_pylist()
    assert told == [safe_text(cell) for cell in cells]
    assert told[:2] == cells[:2] and all(cell.startswith("'") for cell in told[2:])


def test_nothing_in_it_starts_a_formula(rated: Rated, tmp_path: Path) -> None:
    for path in write_priced_csv(rated, tmp_path / "priced.csv", lang="zh"):
        for row in read(path):
            for name, cell in row.items():
                if cell and cell[0] in FORMULA_STARTS:
                    Decimal(cell)  # only a number may start with a sign
                assert name in HEADERS or name[0] not in FORMULA_STARTS
    assert read(tmp_path / "priced.csv")[1]["企业名称"].startswith("'=HYPERLINK")


def test_parquet_is_the_table_and_always_the_same(rated: Rated, tmp_path: Path) -> None:
    written = set()
    for number in range(5):
        target = write_priced_parquet(rated, tmp_path / f"{number}.parquet")
        written.add(target.read_bytes())
    assert len(written) == 1
    found = pq.read_table(target)
    assert found.column_names == ["source_row", *rated.table.column_names]  # where each row stood in its list
    for name in rated.table.column_names:
        assert found[name].to_pylist() == rated.table[name].to_pylist(), name


@example("-0")
@example("-1+1")
@given(st.text())
def test_safe_text_never_starts_a_formula_and_can_be_undone(said: str) -> None:
    """A plain number with its sign runs nothing."""
    safe = safe_text(said)
    number = said[1:].replace(".", "", 1).isdigit() and said.isascii() and said[0] in "+-"
    assert number or not safe or safe[0] not in FORMULA_STARTS
    assert safe in (said, f"'{said}")


@given(st.lists(st.one_of(st.none(), st.text(max_size=8))))
def test_columns_are_made_safe_as_single_texts_are(said: list[str | None]) -> None:
    shown = printed(pa.chunked_array([pa.array(said, pa.string())]), "text").to_pylist()
    assert shown == [None if item is None else safe_text(item) for item in said]


@given(st.lists(st.one_of(st.none(), st.integers(-(2**62), 2**62))))
def test_fen_become_the_very_same_yuan(fen: list[int | None]) -> None:
    found = amounts(pa.array(fen, pa.int64())).to_pylist()
    assert found == [None if item is None else Decimal(item) / 100 for item in fen]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_keep_every_digit_without_an_exponent(value: float) -> None:
    said = _digits(value)
    assert said is not None and float(said) == value and "e" not in said


@given(st.text(alphabet="0123456789.-,E+ ", max_size=20))
def test_only_plain_numbers_become_numbers(said: str) -> None:
    number = as_number(said)
    if number is not None:
        assert Decimal(said) == Decimal(repr(number))
        assert not said.startswith("0") or said[1:2] in ("", ".")
