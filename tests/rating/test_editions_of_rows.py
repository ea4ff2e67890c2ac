"""The first days of a list against the dates of editions: they pick one, they are refused outside it, or remarked.

Two editions of a made-up scheme: 100 yuan a head, and from 2026-01-01 (renewals from 2026-06-01) 200 yuan a head.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import ratemod as rm
from ratemod.cli import main
from ratemod.errors import BookError, PlanError

PLAN = """step = [
  { name = "term", op = "days", of = ["start_date", "end_date"] },
  { name = "part", op = "ratio", of = ["term", "365"], source = "s" },
  { name = "full", op = "product", of = ["heads", "{rate}", "part"], source = "s" },
  { name = "h", op = "cap", of = "full", against = "full", low = "0", high = "1", source = "s", when = {when} },
  { name = "premium", op = "round", of = "h", unit = "0.01" },
]
[plan]
scheme = "made"
edition = "{edition}"
title_en = "Made"
title_zh = "虚构"
standing = "example"
status = "draft"
{dates}
key = "policy_no"
premium = "premium"
warning_en = "Made up."
warning_zh = "虚构。"
[source]
s = { title = "made up", confidence = "illustrative" }
[column.policy_no]
kind = "text"
label_en = "Policy"
label_zh = "保单号"
[column.heads]
kind = "number"
label_en = "Heads"
label_zh = "人数"
unit = "persons"
min = 1
max = 1000
[column.business]
kind = "level"
label_en = "Business"
label_zh = "业务类型"
optional = true
levels = [{ code = "new", label_zh = "新保" }, { code = "renewal", label_zh = "续保" }]
[column.start_date]
kind = "date"
label_en = "Start"
label_zh = "起保日期"
[column.end_date]
kind = "date"
label_en = "End"
label_zh = "终保日期"
"""
WHEN = '{ of = "business", is = "renewal" }'
OLD, NEW = "made/2020", "made/2026"


@pytest.fixture
def scheme(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for edition, rate, dates in (
        ("2020", "100", "new_from = 2020-01-01"),
        ("2026", "200", "new_from = 2026-01-01\nrenewal_from = 2026-06-01"),
    ):
        folder = tmp_path / "made" / edition
        folder.mkdir(parents=True)
        text = (
            PLAN.replace("{rate}", rate).replace("{edition}", edition).replace("{dates}", dates).replace("{when}", WHEN)
        )
        (folder / "plan.toml").write_text(text, encoding="utf-8")
        (folder / "NOTES.md").write_text("Made up.\n", encoding="utf-8")
    return "made"


def listed(*rows):
    """Rows as (start, business), ten heads each."""
    return pa.table(
        {
            "policy_no": [f"P{at}" for at in range(len(rows))],
            "heads": [10] * len(rows),
            "business": [business for _, business in rows],
            "start_date": [start for start, _ in rows],
            "end_date": [f"{int(start[:4]) + 1}{start[4:]}" for start, _ in rows],
        }
    )


def yuan(rated):
    return [fen and fen // 100 for fen in rated.table["premium_fen"].to_pylist()]


@pytest.mark.parametrize(
    ("rows", "plan", "premium"),
    [
        ([("2025-12-31", "new"), ("2026-05-31", "renewal")], OLD, 1000),
        ([("2026-01-01", "new"), ("2026-06-01", "renewal"), ("2027-01-01", None)], NEW, 2000),
        ([("2026-03-01", "新保"), ("2026-07-01", "续保")], NEW, 2000),
    ],
)
def test_rows_pick_their_edition_by_day_and_business(scheme, rows, plan, premium):
    rated = rm.rate(listed(*rows), scheme)
    assert rated.plan.edition == plan.partition("/")[2]
    assert yuan(rated) == [premium] * len(rows)


def test_the_kind_of_business_of_silent_rows_is_the_given_one(scheme):
    silent = listed(("2026-03-01", None)).drop_columns(["business"])
    assert rm.rate(silent, scheme).plan.edition == "2026"
    assert rm.rate(silent, scheme, business="renewal").plan.edition == "2020"


def test_rows_of_two_editions_are_named_with_what_to_run(scheme):
    with pytest.raises(BookError) as refused:
        rm.rate(listed(("2025-06-01", "new"), ("2026-03-01", "new"), ("2026-03-02", "renewal")), scheme)
    (told,) = refused.value.problems
    assert told.code == "RM300"
    assert "made/2020 (2: 1, 3); made/2026 (1: 2)" in told.what("en")
    assert "--plan made/2020; --plan made/2026" in told.fix("en")


def test_a_row_before_every_edition_is_refused_under_that_of_the_others(scheme):
    rated = rm.rate(listed(("2019-12-31", "new"), ("2025-01-01", "new"), ("2025-13-01", "new")), scheme)
    assert rated.plan.edition == "2020"
    assert yuan(rated) == [None, 1000, None]
    assert rated.table["code"].to_pylist()[0] == "RM290"


def test_without_a_day_in_any_edition_none_is_guessed(scheme):
    with pytest.raises(PlanError, match="RM171"):
        rm.rate(listed(("2019-12-31", "new")), scheme)


@pytest.mark.parametrize("how", [{"plan": OLD}, {"plan": "made", "at": "2025-12-01"}])
def test_a_named_edition_refuses_rows_outside_its_dates_or_remarks_on_request(scheme, how):
    path = Path(scheme, "2020", "plan.toml")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("from = 2020-01-01", "from = 2020-01-01\nuntil = 2026-01-01"), encoding="utf-8")
    book = listed(("2019-12-31", "new"), ("2025-12-31", "new"), ("2026-01-01", "new"))
    rated = rm.rate(book, **how)
    assert yuan(rated) == [None, 1000, None]
    assert [row["code"] for row in rated.refused.to_pylist()] == ["RM290", "RM290"]
    seen = rm.rate(book, **how, outside_dates="remark")
    assert yuan(seen) == [1002, 1000, 1000]  # 366 days of 365 in the leap year
    assert [bool(note) for note in seen.table["notes"].to_pylist()] == [True, False, True]
    tried = rm.rate(book, rm.load_plan(OLD))  # a plan in hand is tried: what it would charge
    assert yuan(tried) == [1002, 1000, 1000]


@pytest.mark.parametrize("target", ["out.parquet", "out.csv"])
def test_a_streamed_list_is_held_to_the_same_dates(scheme, target, tmp_path, monkeypatch):
    monkeypatch.setattr("ratemod.commands.rate.LARGE", 0)
    pyarrow.csv.write_csv(listed(("2025-06-01", "new"), ("2019-06-01", "new")), "list.csv")
    assert main(["rate", "list.csv", "--plan", OLD, "-o", target]) == 3
    assert main(["rate", "list.csv", "--plan", OLD, "-o", target, "--outside-dates", "remark"]) == 0


def test_the_command_prices_by_the_rows_and_says_the_edition(scheme, capsys):
    pyarrow.csv.write_csv(listed(("2026-03-01", "new"), ("2026-09-01", "renewal")), "list.csv")
    assert main(["rate", "list.csv", "--plan", "made", "-o", "out.parquet", "--lang", "en"]) == 0
    assert "made/2026" in capsys.readouterr().out
    assert {plan.partition("@")[0] for plan in pq.read_table("out.parquet")["plan"].to_pylist()} == {NEW}
    pyarrow.csv.write_csv(listed(("2026-03-01", "new"), ("2025-09-01", "renewal")), "list.csv")
    assert main(["rate", "list.csv", "--plan", "made", "-o", "two.parquet", "--lang", "zh"]) == 1
    assert "RM300" in capsys.readouterr().err
