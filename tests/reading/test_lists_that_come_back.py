"""Lists that this program wrote, own columns named like results, and cells that are errors, through every door."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import ratemod as rm
from ratemod.errors import BookError
from ratemod.reading.added import RESULTS
from ratemod.reading.convert import convert
from ratemod.reading.frame import arrow_table
from ratemod.reading.identifiers import unreadable
from ratemod.reading.read import read_table
from ratemod.reading.units import size_of, unit_word
from ratemod.report.priced_csv import write_priced_csv, write_priced_parquet
from ratemod.vocabulary.column import Column
from tests.own_plan import own_plan

PLAN = """[column.heads]
label_en = "Insured heads"
label_zh = "投保人数"
unit = "persons"
kind = "number"
min = 0
max = 1000
[[step]]
name = "charged"
op = "product"
of = ["heads", "480"]
source = "s"
[[step]]
name = "premium"
op = "round"
of = "charged"
unit = "0.01"
"""


@pytest.fixture
def plan(tmp_path: Path) -> rm.Plan:
    return own_plan(tmp_path, PLAN)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_priced_list_comes_back_without_its_old_results(tmp_path, plan, lang):
    first = rm.rate([{"policy_no": "P1", "heads": 30}, {"policy_no": "P2", "heads": "x"}], plan, lang=lang)
    write_priced_csv(first, tmp_path / "first.csv", lang=lang)
    write_priced_csv(rm.rate(tmp_path / "first.csv", plan, lang=lang), tmp_path / "second.csv", lang=lang)
    one, two = ((tmp_path / name).read_text(encoding="utf-8-sig") for name in ("first.csv", "second.csv"))
    assert two.splitlines()[0] == one.splitlines()[0]
    assert two == one


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_this_program_wrote_beside_a_list_is_not_named_as_unused(tmp_path, plan, lang):
    rows = [{"policy_no": "P1", "heads": 30, "Colour": "red"}, {"policy_no": "P2", "heads": "x", "Colour": "blue"}]
    first = rm.rate(rows, plan, lang=lang)
    write_priced_csv(first, tmp_path / "out.csv", lang=lang)
    for name in ("out.csv", "out-refused.csv"):
        said = [item for item in rm.read_book(tmp_path / name, plan).receipt.remarks if item.code == "RM272"]
        assert [item.args["headers"] for item in said] in ([], ["Colour"])


@pytest.mark.parametrize(
    "unit, size, zh, en",
    [
        ("yuan", "10000", "万元", "10000 yuan"),
        ("yuan", "100", "百元", None),
        ("yuan", "0.1", "角", None),
        ("yuan", "0.01", "分", "fen"),
        ("persons", "10000", "万人", "10000 persons"),
        ("share", "0.01", "%", "%"),
        ("tonnes", "10000", "万吨", "10000 t"),
    ],
)
def test_a_unit_is_written_in_a_word_that_is_read_again(unit, size, zh, en):
    column = Column("c", "number", unit=unit)
    for lang, word in (("zh", zh), ("en", en)):
        assert unit_word(Decimal(size), column, lang) == (word or size)
        assert word is None or size_of(word, column) == Decimal(size)


@pytest.mark.parametrize("lang, header", [("zh", "投保人数（万人）"), ("en", "Insured heads (10000 persons)")])
def test_a_header_says_the_unit_in_words(tmp_path, plan, lang, header):
    (tmp_path / "list.csv").write_text("policy_no,heads（万人）\nP1,0.003\n", encoding="utf-8")
    for name in ("list.csv", "priced.csv"):
        rated = rm.rate(tmp_path / name, plan, lang=lang)
        assert rated.table["premium_fen"].to_pylist() == [1_440_000]
        write_priced_csv(rated, tmp_path / "priced.csv", lang=lang)
        assert header in (tmp_path / "priced.csv").read_text(encoding="utf-8-sig").splitlines()[0]


def test_own_columns_named_like_results_stay_in_streams(tmp_path, plan):
    own = {"policy_no": ["P1"], "heads": [30], "status": ["cancelled"], "plan": ["mine"], "notes": ["see 7"]}
    pq.write_table(pa.table(own), tmp_path / "own.parquet")
    rm.rate_file(tmp_path / "own.parquet", plan, tmp_path / "out.parquet", keep=["all"])
    (row,) = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row[f"{name}'"] for name in ("status", "plan", "notes")] == ["cancelled", "mine", "see 7"]
    assert row["status"] == "rated" and row["premium_fen"] == 1_440_000


def test_priced_parquet_comes_back_without_its_old_results(tmp_path):
    jilin = rm.load_plan("jilin-spli/2025-04")
    pq.write_table(
        pa.Table.from_pylist([MINE | {"status": "open"}, MINE | {"policy_no": "A2"}]), tmp_path / "a.parquet"
    )
    first = rm.rate(tmp_path / "a.parquet", jilin)
    assert [item.code for item in first.book.receipt.remarks if item.code == "RM335"] == ["RM335"]
    write_priced_parquet(first, tmp_path / "first.parquet")
    again = rm.rate(tmp_path / "first.parquet", jilin)
    assert again.table["premium_fen"].to_pylist() == first.table["premium_fen"].to_pylist() == [2_404_534] * 2
    assert again.table.column_names == first.table.column_names and again.table["status'"].to_pylist() == ["open", None]
    rm.rate_file(tmp_path / "first.parquet", jilin, tmp_path / "second.parquet", keep=["all"])
    own = [name for name in pq.read_schema(tmp_path / "second.parquet").names if name not in RESULTS]
    assert [name for name in own if name.endswith("'")] == ["status'"] and own.count("total_float") == 1


def test_priced_rows_without_what_they_were_priced_from_are_refused_once(tmp_path):
    pq.write_table(pa.Table.from_pylist([MINE]), tmp_path / "a.parquet")
    rm.rate_file(tmp_path / "a.parquet", "jilin-spli/2025-04", tmp_path / "out.parquet")
    for read in (rm.rate, lambda path, plan: rm.rate_file(path, plan, tmp_path / "again.parquet")):
        with pytest.raises(BookError) as caught:
            read(tmp_path / "out.parquet", "jilin-spli/2025-04")
        assert [item.code for item in caught.value.problems] == ["RM334"]


def test_a_premium_of_priced_rows_is_one_where_a_table_asks_for_it():
    columns = {"premium_fen": Column("premium_fen", "number"), "policy_no": Column("policy_no", "text")}
    priced = dict.fromkeys(RESULTS, "x") | {"policy_no": "P1", "premium_fen": 500}
    assert read_table([priced], columns).table["premium_fen"].to_pylist() == [500]


@pytest.mark.parametrize("said", ["#N/A", "#REF!", "#DIV/0!", "=A1&B1", "########"])
def test_an_error_is_no_identifier(plan, said):
    (row,) = rm.rate([{"policy_no": said, "heads": 30}], plan).table.to_pylist()
    assert (row["premium_fen"], row["code"]) == (None, "RM294")


@pytest.mark.parametrize("coded", [False, True])
def test_an_error_is_no_text_either(coded):
    said = pa.array(["采购#3设备", "#REF!", None, "a = b", "=VLOOKUP(A1)", "#REF!"])
    column = Column("purpose", "text", "Purpose", "用途", optional=True)
    found = convert(said.dictionary_encode() if coded else said, column)
    assert found.problem_of is not None
    assert found.problem_of.tolist() == [0, 1, 0, 0, 0, 1]  # what begins with = may be a name; identifiers cannot
    assert [(item.code, item.args["value"]) for item in found.problems] == [("RM294", "#REF!")]


def test_codes_with_signs_are_identifiers():
    assert not unreadable(pa.array(["P#1", "A=B", "N/A", None, "#12"])).any()


def test_a_type_of_polars_alone_is_read():
    frame = pl.DataFrame({"heads": [30]}).with_columns(pl.col("heads").cast(pl.Int128))
    assert arrow_table(frame).to_pydict() == {"heads": [30]}


def test_a_sheet_of_a_text_is_refused(tmp_path):
    (tmp_path / "list.csv").write_text("heads\n30\n", encoding="utf-8")
    columns = {"heads": Column("heads", "number")}
    with pytest.raises(BookError, match="RM214"):
        read_table(tmp_path / "list.csv", columns, sheet="六月")
    assert read_table(tmp_path / "list.csv", columns, sheet="all").table.num_rows == 1


MINE = {"policy_no": "A1", "credit_code": "91220101MA0Y1AAA63", "business": "new", "start_date": "2026-03-01",
        "end_date": "2027-03-01", "sector": "mining", "size_class": "small", "heads": 62, "limit_yuan": 400000,
        "general_accidents": 0, "larger_accidents": 0, "major_accidents": 0, "claim_free_years": 3,
        "hazard_state": "none", "hazard_overdue_days": 0, "standardisation": "level_2",
        "certificate_expiry": "2027-12-31", "integrity_grade": "A", "blacklisted": "no"}  # fmt: skip


@pytest.mark.parametrize(("code", "said"), [("0610", None), ("4111", "RM289"), ("2521", None), ("9999", "RM285")])
def test_a_sector_and_an_industry_code_that_has_no_part_in_it(code, said):
    rated = rm.rate([{**MINE, "industry_code": code}], "jilin-spli/2025-04", lang="en")
    (row,) = rated.table.to_pylist()
    told = f"{row['code'] or ''} {row['notes'] or ''}"
    assert (said in told) if said else not told.strip()
