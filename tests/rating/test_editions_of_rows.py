"""The first days of a list against the dates of editions: they pick one, they are refused outside it, or remarked.

Two editions of a made-up scheme: 100 yuan a head, and from 2026-01-01 (renewals from 2026-06-01) 200 yuan a head.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import ratemod as rm
from ratemod.cli import main
from ratemod.errors import BookError, PlanError
from ratemod.rating.verdict import STATUS

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


def test_rows_of_two_editions_are_priced_each_by_its_own(scheme):
    rated = rm.rate(listed(("2025-06-01", "new"), ("2026-03-01", "new"), ("2026-03-02", "renewal")), scheme)
    assert [plan.partition("@")[0] for plan in rated.table["plan"].to_pylist()] == [OLD, NEW, OLD]
    assert yuan(rated) == [1000, 2000, 1000]
    assert [plan.edition for plan in rated.plans] == ["2020", "2026"]
    assert rated.counts == {"rows": 3, "rated": 3, "referred": 0, "refused": 0, "declined": 0}
    assert rated.summary(by=["plan"])["premium_fen"].tolist() == [200_000, 200_000]


DAYS = ["2019-12-31", "2020-01-01", "2025-12-31", "2026-01-01", "2026-05-31", "2026-06-01", "2027-01-01", "x", None]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(st.sampled_from(DAYS), st.sampled_from(["new", "renewal", None])), min_size=1))
@example(rows=[("2019-12-31", "new"), ("2026-01-01", "new"), ("2025-12-31", None), (None, "new"), ("2019-01-01", None)])
def test_side_by_side_is_each_part_by_its_own_edition(scheme, rows):
    """The same fen, states, reasons, bounds and explanations as of each edition alone, named; and nothing is lost."""
    good = [f"{int(day[:4]) + 1}{day[4:]}" if day and day[0] == "2" else "2030-01-01" for day, _ in rows]
    book = pa.table(
        {
            "policy_no": [f"P{at}" for at in range(len(rows))],
            "heads": pa.array([at * 7 % 1100 for at in range(len(rows))], pa.int64()),  # 0 and beyond 1000: refused
            "business": [business for _, business in rows],
            "start_date": pa.array([day for day, _ in rows], pa.string()),
            "end_date": good,
        }
    )
    begins = {"new": "2026-01-01", "renewal": "2026-06-01", None: "2026-01-01"}
    new = [bool(day and day[0] == "2" and day >= begins[business]) for day, business in rows]
    used = {edition for at, edition in enumerate(new) if rows[at][0] and "2020" <= rows[at][0] < "x"}
    if not used:
        with pytest.raises(PlanError, match="RM171"):
            rm.rate(book, scheme)
        return
    rated = rm.rate(book, scheme)
    alone = {edition: rm.rate(book, plan) for edition, plan in ((False, OLD), (True, NEW))}
    assert rated.counts["rows"] == len(rows) == sum(rated.counts[name] for name in STATUS)
    names = ("policy_no", "premium_fen", "status", "code", "reason", "bounds", "notes", "plan", "full", "h")
    whose = [at if len(used) == 2 and rows[i][0] and rows[i][0][0] == "2" else min(used) for i, at in enumerate(new)]
    for at, edition in enumerate(whose):
        own = alone[edition]
        assert [rated.table[name][at].as_py() for name in names] == [own.table[name][at].as_py() for name in names]
        assert rated.explain(at).text("en") == own.explain(at).text("en")
    assert rated.premium_fen == sum(alone[edition].table["premium_fen"][at].as_py() or 0
                                    for at, edition in enumerate(whose))  # fmt: skip
    assert rated.refused["policy_no"].to_pylist() == [
        f"P{at}" for at, edition in enumerate(whose) if alone[edition].table["premium_fen"][at].as_py() is None
    ]


def edit(scheme, edition, *pairs):
    path = Path(scheme, edition, "plan.toml")
    said = path.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in said
        said = said.replace(old, new)
    path.write_text(said, encoding="utf-8")


UNIQUE = """
[[check]]
name = "once"
kind = "unique"
of = "policy_no"
message_en = "A policy stands twice"
message_zh = "保单号重复"
source = "s"
"""


def test_checks_across_rows_see_the_whole_list(scheme):
    for edition in ("2020", "2026"):
        path = Path(scheme, edition, "plan.toml")
        path.write_text(path.read_text(encoding="utf-8") + UNIQUE, encoding="utf-8")
    book = listed(("2025-06-01", "new"), ("2026-03-01", "new"), ("2026-03-02", "new"))
    book = book.set_column(0, "policy_no", pa.array(["A", " a", "B"]))
    rated = rm.rate(book, scheme)
    assert [row["code"] for row in rated.refused.to_pylist()] == ["RM302", "RM302"]
    assert yuan(rated) == [None, None, 2000]
    assert [(item.code, item.count) for item in rated.problems] == [("RM302", 2)]


def test_what_an_edition_does_not_have_is_blank_and_named(scheme, capsys):
    edit(
        scheme, "2026",
        ('{ name = "premium", op = "round", of = "h"', '{ name = "twice", op = "product", of = ["h", "extra"], '
         'source = "s" },\n  { name = "premium", op = "round", of = "twice"'),
        ("[column.start_date]", '[column.extra]\nkind = "number"\nlabel_en = "Extra"\nlabel_zh = "系数"\n'
         'unit = "factor"\nmin = 1\nmax = 9\ndecimals = 0\n[column.start_date]'),
    )  # fmt: skip
    book = listed(("2025-06-01", "new"), ("2026-03-01", "new")).append_column("系数", pa.array([None, 3]))
    rated = rm.rate(book, scheme)
    assert yuan(rated) == [1000, 6000]
    assert rated.table["twice"].to_pylist() == [None, 6000.0]
    assert rated.table["extra"].to_pylist() == [None, 3]
    (told,) = [item for item in rated.book.receipt.remarks if item.code == "RM400"]
    assert "系数 (2026)" in told.what("zh")


def test_a_name_of_two_meanings_cannot_stand_in_one_table(scheme):
    edit(scheme, "2026", ('unit = "persons"', 'unit = "yuan"'))
    with pytest.raises(BookError) as refused:
        rm.rate(listed(("2025-06-01", "new"), ("2026-03-01", "new"), ("2026-03-02", "renewal")), scheme)
    (told,) = refused.value.problems
    assert told.code == "RM300"
    assert "made/2020 (2: 1, 3); made/2026 (1: 2)" in told.what("en")
    assert "heads" in told.what("en")
    assert "--plan made/2020; --plan made/2026" in told.fix("en")


def test_a_list_from_file_to_file_names_its_edition(scheme):
    pq.write_table(listed(("2025-06-01", "new"), ("2026-03-01", "new")), "list.parquet")
    with pytest.raises(PlanError) as refused:
        rm.rate_file("list.parquet", scheme, "out.parquet")
    (told,) = refused.value.problems
    assert (told.code, told.args["first"]) == ("RM402", OLD)


def test_what_is_said_of_one_edition_is_not_said_of_two(scheme):
    rated = rm.rate(listed(("2025-06-01", "new"), ("2026-03-01", "new")), scheme)
    with pytest.raises(BookError, match="RM403"):
        rm.compare(rated, rated)


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
    assert main(["rate", "list.csv", "--plan", "made", "-o", "two.parquet", "--lang", "zh"]) == 0
    said = capsys.readouterr().out
    assert all(f"{plan}@" in said for plan in (OLD, NEW))
    table = pq.read_table("two.parquet")
    assert [plan.partition("@")[0] for plan in table["plan"].to_pylist()] == [NEW, OLD]
    assert table["premium_fen"].to_pylist() == [200_000, 100_000]
    assert main(["rate", "list.csv", "--plan", "made", "-o", "two.xlsx", "--lang", "zh"]) == 0
    totals = pd.read_excel("two.xlsx", sheet_name="汇总", header=3, nrows=3)
    assert totals.iloc[:, 0].str.partition("@")[0].tolist() == [OLD, NEW, "合计"]
    assert totals["保费（元）"].tolist() == [1000, 2000, 3000]
    assert main(["rate", "list.csv", "--plan", "made", "-o", "live.xlsx", "--live", "--lang", "zh"]) == 1
    assert "RM403" in capsys.readouterr().err
    assert main(["explain", "list.csv", "P1", "--plan", "made", "--lang", "zh"]) == 0
    assert OLD in capsys.readouterr().out


def test_lines_of_one_policy_in_two_editions_are_rolled_up_by_none(scheme):
    rolled = '{ name = "h", op = "rollup", how = "sum", by = "business", of = "full", source = "s" },'
    for edition in ("2020", "2026"):
        path = Path(scheme, edition, "plan.toml")
        lines = path.read_text(encoding="utf-8").splitlines()
        said = ["  " + rolled if line.lstrip().startswith('{ name = "h"') else line for line in lines]
        text = "\n".join(said).replace('kind = "level"', 'kind = "text"')
        path.write_text(
            "\n".join(line for line in text.splitlines() if not line.startswith("levels =")) + "\n", "utf-8"
        )
    days = (("2025-06-01", "A"), ("2026-03-01", "A "), ("2026-03-02", "B"), ("2026-03-03", "B"), ("2025-06-02", "C"))
    rated = rm.rate(listed(*days), scheme)
    assert yuan(rated) == [None, None, 4000, 4000, 1000]
    assert rated.table["code"].to_pylist() == ["RM401", "RM401", None, None, None]


def test_a_corrected_day_picks_the_edition(scheme, tmp_path):
    pyarrow.csv.write_csv(listed(("2025-06-01", "new"), ("2026-13-01", "new")), "list.csv")
    assert main(["rate", "list.csv", "--plan", "made", "-o", "priced.csv", "--lang", "en"]) == 3
    refused = next(path for path in tmp_path.glob("priced*refused*.csv"))
    refused.write_text(refused.read_text(encoding="utf-8").replace("-13-01", "-03-01"), encoding="utf-8")
    again = ["rate", "list.csv", "--plan", "made", "--corrections", str(refused), "-o", "again.parquet"]
    assert main(again) == 0
    assert pq.read_table("again.parquet")["premium_fen"].to_pylist() == [100_000, 200_000]


RULES = """
[hazards]
source = "s"
[accidents]
source = "s"
"""
REFERRED = """
[[rule]]
name = "listed"
when = { of = "blacklisted", is = "yes" }
action = "refer"
message_en = "On the list"
message_zh = "列入名单"
source = "s"
[column.credit_code]
kind = "text"
label_en = "Code"
label_zh = "统一社会信用代码"
[column.blacklisted]
kind = "flag"
label_en = "Listed"
label_zh = "联合惩戒"
optional = true
"""


def test_registers_fill_the_rows_of_each_edition(scheme, capsys):
    for edition in ("2020", "2026"):
        path = Path(scheme, edition, "plan.toml")
        path.write_text(path.read_text(encoding="utf-8") + REFERRED, encoding="utf-8")
        path.with_name("registers.toml").write_text(RULES, encoding="utf-8")
    book = listed(("2025-06-01", "new"), ("2026-03-01", "new")).append_column("credit_code", pa.array(["A1", "b2"]))
    pyarrow.csv.write_csv(book, "list.csv")
    pyarrow.csv.write_csv(pa.table({"credit_code": ["B2", "C3"], "listed_date": ["2026-02-01"] * 2}), "black.csv")
    argv = ["rate", "list.csv", "--plan", "made", "--blacklist", "black.csv", "-o", "out.parquet", "--lang", "en"]
    assert main(argv) == 0
    table = pq.read_table("out.parquet")
    assert table["blacklisted"].to_pylist() == ["no", "yes"]
    assert table["status"].to_pylist() == ["rated", "referred"]
    said = capsys.readouterr().out
    assert said.count("1 of 2 rows of the list stand in it; 1 of its 2 rows are of nobody in the list: C3") == 1
