"""Published schemes and peers' examples, encoded by the documented format alone, to the last printed digit."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

import ratemod as rm
from ratemod.rating.cases import check_plan
from ratemod.report.live_workbook import write_live_workbook
from tests.exhibits.office import convert, needs_office
from tests.exhibits.test_live_workbook import case_book, cells

SCHEMES = sorted(path.parent for path in (Path(__file__).parent / "schemes").glob("*/*/plan.toml"))


@pytest.mark.parametrize("folder", SCHEMES, ids=lambda folder: folder.parent.name)
def test_a_scheme_gives_the_printed_figures(folder):
    report = check_plan(folder)
    assert report.problems == ()
    assert report.passed >= 2
    assert {item.code for item in report.warnings} <= {"RM163"}


def test_the_page_says_which_schemes_are_held_to_figures_that_somebody_printed():
    """Of a published tariff or law, of a program's own tests, or worked out here: as the sources of the cases say."""
    page = (Path(rm.__file__).parents[2] / "docs" / "how-to" / "write-a-plan.md").read_text(encoding="utf-8")
    told = dict(
        re.findall(r"^- \*\*(Published|Programs|Own figures)\*\*(.+?)(?=^- |\Z)", page, re.MULTILINE | re.DOTALL)
    )
    held = {kind: set(re.findall(r"`([a-z0-9-]+)`", text)) for kind, text in told.items()}
    plans = {folder.parent.name: rm.load_plan(folder) for folder in SCHEMES}
    printed = {name for name, plan in plans.items() if any(case.source.startswith("printed") for case in plan.cases)}
    assert held["Published"] == printed and len(printed) >= 10
    assert set().union(*held.values()) == set(plans) and sum(map(len, held.values())) == len(plans)


def test_several_classes_under_one_policy_make_one_premium():
    """Manual premiums add up; mod, schedule, discount, constant and minimum are the policy's."""
    plan = rm.load_plan(Path(__file__).parent / "schemes" / "workers-compensation" / "policy")
    book = pd.DataFrame(
        {"line": ["1", "2", "3", "4"], "policy_no": ["P1", "P1", "P1", "P2"],
         "class_code": ["8810", "8825", "8824", "8810"],
         "payroll": [35000, 75000, 500000, 10000], "mod": ["0.95"] * 3 + ["1.00"], "carrier": "A"}
    )  # fmt: skip
    rated = rm.rate(book, plan)
    frame = rated.to_pandas()
    # 172 + 2,078 + 19,950 = 22,200; × 0.95 = 21,090; less 11,090 × 9.1% = 1,009; + 220; + 610,000 × 0.02% = 122
    assert frame["manual"].tolist() == [172, 2078, 19950, 49]
    assert frame["policy_premium"].tolist() == [20423] * 3 + [310.2]  # the minimum: 0.49 × 180 + 220, and 2
    assert frame["premium_fen"].groupby(frame["policy_no"]).sum().tolist() == [2042300, 31020]
    assert rated.table["bounds"].to_pylist() == [None, None, None, "at_least:low"]


@needs_office
def test_every_scheme_recalculates_to_the_fen_in_excel(tmp_path):
    rated = [rm.rate(case_book(plan), plan, lang="en", threads=1) for plan in map(rm.load_plan, SCHEMES)]
    files = [tmp_path / f"{at}.xlsx" for at in range(len(rated))]
    for book, file in zip(rated, files):
        write_live_workbook(book, file, lang="en")
    seen = 0
    for book, file in zip(rated, convert(files, "xlsx", tmp_path)):
        names, rows = cells(file)
        wanted = book.outputs.premium_fen[book.verdict.status < 2].tolist()
        assert [round(row[names.index(book.plan.premium)] * 100) for row in rows] == wanted, book.plan
        assert [row[-1] for row in rows] == [0.0] * len(rows)
        seen += len(rows)
    assert seen > 40


def test_every_scheme_streams_and_explains(tmp_path):
    """Parquet to Parquet gives the same fen; every priced row is explained in both languages."""
    import pyarrow.parquet as pq

    for at, plan in enumerate(map(rm.load_plan, SCHEMES)):
        book = case_book(plan)
        rated = rm.rate(book, plan, lang="en", threads=1)
        if plan.groups:
            continue  # lines of one policy are not streamed
        pq.write_table(book.table, tmp_path / f"{at}.parquet")
        rm.rate_file(tmp_path / f"{at}.parquet", plan, tmp_path / f"{at}-out.parquet", trace=True)
        out = pq.read_table(tmp_path / f"{at}-out.parquet")
        assert out["premium_fen"].to_pylist() == rated.table["premium_fen"].to_pylist()
        if plan.key:
            keys = book.table[plan.key].to_pylist()
            assert all(rated.explain(key).text(lang) for key in keys for lang in ("en", "zh"))
