"""Dates that steps work out, held against the calendar of pandas; a term split at a day, actual days of a year."""

from __future__ import annotations

import datetime

import pandas as pd
import pytest

import ratemod as rm
from ratemod.rating.exact import evaluate
from ratemod.report.live_workbook import write_live_workbook
from tests.exhibits.office import convert, needs_office
from tests.exhibits.test_live_workbook import cells
from tests.own_plan import own_plan, plan_text

BODY = """[column.start]
kind = "date"
[column.end]
kind = "date"
optional = true
[column.months]
kind = "number"
decimals = 1
min = -600
max = 99999
[constant.change]
value = 2026-07-01
source = "s"
[[step]]
name = "anniversary"
op = "add_months"
of = "start"
months = 12
source = "s"
[[step]]
name = "later"
op = "add_months"
of = "start"
months = "months"
days = -1
[[step]]
name = "split"
op = "earliest"
of = ["end", "change"]
[[step]]
name = "last"
op = "latest"
of = ["end", "start", 2026-03-01]
source = "s"
[[step]]
name = "before"
op = "days"
of = ["start", "split"]
[[step]]
name = "year_days"
op = "days"
of = ["start", "anniversary"]
[[step]]
name = "year"
op = "date_part"
of = "later"
which = "year"
[[step]]
name = "month"
op = "date_part"
of = "later"
which = "month"
[[step]]
name = "day"
op = "date_part"
of = "last"
which = "day"
[[step]]
name = "raw"
op = "sum"
of = ["before", "year_days", "year", "month", "day"]
[[step]]
name = "extra"
op = "sum"
of = ["raw", "0.5"]
when = { of = "split", below = "change" }
otherwise = "raw"
source = "s"
[[step]]
name = "premium"
op = "round"
of = "extra"
unit = "0.01"
"""
STARTS = ["2024-01-31", "2024-02-29", "2025-12-15", "2026-06-30", "2026-01-01", "1999-12-31", "2024-03-31"]
ENDS = ["2025-01-30", "2025-02-28", "2026-12-14", "2026-07-01", "2026-06-30", "2030-01-01", "2026-07-02"]
MONTHS = [1, 12, -1, 600, 13, 2, 11]


def wanted() -> list[int]:
    found = []
    for start, end, months in zip(map(pd.Timestamp, STARTS), map(pd.Timestamp, ENDS), MONTHS):
        later = start + pd.DateOffset(months=months) - pd.Timedelta(days=1)
        split, last = min(end, pd.Timestamp(2026, 7, 1)), max(end, start, pd.Timestamp(2026, 3, 1))
        year = (start + pd.DateOffset(months=12) - start).days
        raw = (split - start).days + year + later.year + later.month + last.day
        found.append(100 * raw + 50 * (split < pd.Timestamp(2026, 7, 1)))
    return found


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "own" / "1"
    place.mkdir(parents=True)
    (place / "plan.toml").write_text(plan_text(BODY, "no"), encoding="utf-8")
    return place


def frame() -> pd.DataFrame:
    return pd.DataFrame({"no": range(len(STARTS)), "start": STARTS, "end": ENDS, "months": MONTHS})


def test_dates_are_those_of_the_calendar(folder):
    plan = rm.load_plan(folder)
    rated = rm.rate(frame(), plan, lang="en", trace=True)
    assert rated.outputs.premium_fen.tolist() == wanted()
    exact = evaluate(plan, rated.coding.inputs).values["premium"].fractions()
    assert [int(value * 100) for value in exact] == wanted()
    assert rated.table["anniversary"].to_pylist()[1] == datetime.date(2025, 2, 28)
    said = rated.explain(0).text("en")
    assert "2025-01-31" in said and "2024-02-28" in said
    sweep = rm.what_if(frame(), plan, grid={"constants.change": ["20000", "20700"]})
    again = [rm.rate(frame(), plan.replace({"constants.change": value})).premium_fen for value in ("20000", "20700")]
    assert sweep.total_fen.tolist() == again


def test_a_date_that_is_none_is_refused_by_name(folder):
    rows = frame().assign(months=[1.5, 99999, 1, 1, 1, 1, 1], end=[*ENDS[:2], None, *ENDS[3:]])
    rated = rm.rate(rows, rm.load_plan(folder), lang="en")
    assert rated.table["code"].to_pylist()[:3] == ["RM439", "RM439", "RM311"]


@needs_office
def test_dates_recalculate_in_a_workbook(folder, tmp_path):
    rated = rm.rate(frame(), rm.load_plan(folder), lang="en", threads=1)
    write_live_workbook(rated, tmp_path / "a.xlsx", lang="en")
    (file,) = convert([tmp_path / "a.xlsx"], "xlsx", tmp_path / "made")
    names, rows = cells(file)
    assert [round(row[names.index("premium")] * 100) for row in rows] == wanted()
    assert [row[-1] for row in rows] == [0.0] * len(rows)


def test_a_case_expects_a_date_and_a_number_is_no_date(folder):
    (folder / "cases").mkdir()
    case = """[[case]]
name = "a"
source = "s"
[case.inputs]
start = 2024-01-31
end = 2025-01-30
months = 1
[case.expect]
anniversary = DATE
"""
    (folder / "cases" / "a.toml").write_text(case.replace("DATE", "2025-01-31"), encoding="utf-8")
    assert rm.check_plan(folder).passed == 1
    (folder / "cases" / "a.toml").write_text(case.replace("DATE", "2025-02-01"), encoding="utf-8")
    assert [item.code for item in rm.check_plan(folder).problems] == ["RM190"]
    text = plan_text(BODY.replace('of = ["end", "change"]', 'of = ["end", 5]'), "no")
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    assert "RM361" in {item.code for item in rm.check_plan(folder).problems}


@pytest.mark.parametrize(
    ("start", "end", "fen"),
    [  # 100 yuan a year; a day of 2023 or 2025 is 1/365, one of 2024 is 1/366
        ("2024-01-01", "2025-01-01", 10000),
        ("2023-11-01", "2024-05-01", 4977),  # ISDA's own example: 61/365 + 121/366 = 0.49772438
        ("2023-07-01", "2024-07-01", 10014),  # 184/365 + 182/366 = 1.00137734
        ("2024-02-28", "2024-03-01", 55),  # 2/366 = 0.00546
        ("2025-02-28", "2025-03-01", 27),  # 1/365 = 0.00274
    ],
)
def test_years_count_each_day_by_its_own_year(tmp_path, start, end, fen):
    body = """[column.start]
kind = "date"
[column.end]
kind = "date"
[[step]]
name = "term"
op = "years"
of = ["start", "end"]
[[step]]
name = "raw"
op = "product"
of = ["term", 100]
[[step]]
name = "premium"
op = "round"
of = "raw"
unit = "0.01"
source = "s"
"""
    book = pd.DataFrame({"policy_no": ["1"], "start": [start], "end": [end]})
    rated = rm.rate(book, own_plan(tmp_path, body))
    assert rated.outputs.premium_fen.tolist() == [fen]
