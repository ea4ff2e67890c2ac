"""The shipped province is what the code makes, and its renewals, dirty ones too, come out of pricing as they should."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

import ratemod as rm
from ratemod.synth.calibration import calibration
from ratemod.synth.mess import KINDS, messy
from ratemod.synth.province import TABLES, Province, load_province, synthesize

SHIPPED = Path(__file__).parents[2] / "data" / "province"
PLAN = "jilin-spli/2025-04"
# A plan declares the credit code as plain text, so pricing does not look at its check character.
PRICED_KINDS = tuple(name for name in KINDS if name != "wrong_check_character")


@pytest.fixture(scope="module")
def shipped() -> Province:
    return load_province(SHIPPED)


def test_shipped_tables_are_what_the_code_makes(shipped: Province) -> None:
    made = synthesize(3000, 5, seed=2026, first_year=2021)
    for name in TABLES:
        assert made.table(name).schema.equals(shipped.table(name).schema), name
        pd.testing.assert_frame_equal(made.table(name).to_pandas(), shipped.table(name).to_pandas(), rtol=1e-9)


def test_shipped_tables_are_small_and_described() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 4e6
    text = (SHIPPED / "README.md").read_text(encoding="utf-8")
    assert all(f"| {name} |" in text for name in TABLES)


def test_shipped_province_is_calibrated(shipped: Province) -> None:
    report = calibration(shipped)
    assert report.holds, report.text()


def test_every_renewal_has_a_premium_near_the_expiring_one(shipped: Province) -> None:
    rated = rm.rate(rm.read_book(SHIPPED / "renewals.parquet", rm.load_plan(PLAN)), rm.load_plan(PLAN))
    assert rated.counts["refused"] == rated.counts["declined"] == 0
    assert rated.counts["rows"] == shipped.renewals.num_rows
    both = rated.to_pandas().dropna(subset=["expiring_premium_yuan"])
    assert 0.7 < both["premium_fen"].sum() / 100 / both["expiring_premium_yuan"].sum() < 1.4


def test_planted_errors_are_refused_and_nothing_else_is(shipped: Province, tmp_path: Path) -> None:
    plan = rm.load_plan(PLAN)
    header, rows, key = messy(shipped.renewals, 10 * len(PRICED_KINDS), seed=77, kinds=PRICED_KINDS)
    path = tmp_path / "dirty.csv"
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    book = rm.read_book(path, plan)
    rated = rm.rate(book, plan).to_pandas().set_index(pd.Index(book.rows, name="line"))
    clean = rm.rate(rm.read_book(shipped.renewals, plan), plan).to_pandas().set_index("policy_no")
    wrong = {line for item in key if item.outcome == "refuse" for line in (item.line, item.partner_line) if line}
    free = {item.line for item in key if item.outcome == "either"}
    refused = set(rated.index[rated["status"] == "refused"])
    assert refused - free == wrong
    assert rated.loc[sorted(refused), "code"].notna().all()
    skipped = {item.line for item in key if item.outcome == "skip"}
    assert set(rated.index) == set(range(2, len(rows) + 2)) - skipped
    priced = rated[rated["status"] != "refused"]
    assert (priced["premium_fen"].to_numpy() == clean.loc[priced["policy_no"], "premium_fen"].to_numpy()).all(), (
        "what is understood costs what the clean row costs"
    )
