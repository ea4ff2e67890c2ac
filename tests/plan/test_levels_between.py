"""Levels from one to another, and codes that begin alike, in conditions: held against what a reader does by hand."""

from __future__ import annotations

import pandas as pd
import pytest

import ratemod as rm
from ratemod.rating.exact import evaluate
from ratemod.report.live_workbook import write_live_workbook
from tests.exhibits.office import convert, needs_office
from tests.exhibits.test_live_workbook import cells
from tests.own_plan import plan_text

GRADES, CODES = ["AA", "A", "B", "C", "D"], ["0610", "0620", "0701", "0709", "1001"]
BODY = f"""[column.grade]
kind = "level"
optional = true
levels = {GRADES}
[column.code]
kind = "level"
levels = {CODES}
[column.note]
kind = "text"
optional = true
[[step]]
name = "class"
op = "classify"
table = "class"
[[step]]
name = "first"
op = "sum"
of = "1"
when = {{ WHEN }}
otherwise = "0"
[[step]]
name = "premium"
op = "round"
of = "first"
unit = "0.01"
[[rule]]
name = "ungraded"
when = {{ of = "grade", missing = true }}
action = "label"
message_en = "ungraded"
message_zh = "未评级"
source = "s"
"""
ROWS = pd.DataFrame(
    [(grade, code, note) for grade in [*GRADES, None] for code in CODES for note in ("abc", "b", None)],
    columns=["grade", "code", "note"],
)
ROWS["no"] = range(len(ROWS))
CLASSES = {"0610": "I", "0620": "II", "0701": "II", "0709": "III", "1001": "IV"}
WHENS = {
    'of = "grade", from = "A", to = "C"': lambda row: row.grade in ("A", "B", "C"),
    'of = "grade", to = "B"': lambda row: row.grade in ("AA", "A", "B"),
    'of = "grade", from = "C", is_not = "D"': lambda row: row.grade == "C",
    'of = "code", begins = "06"': lambda row: row.code[:2] == "06",
    'of = "code", begins = ["07", "1"], to = "0709"': lambda row: row.code in ("0701", "0709"),
    'of = "class", from = "II", to = "III"': lambda row: CLASSES[row.code] in ("II", "III"),
    'of = "class", begins = "I"': lambda row: CLASSES[row.code][0] == "I",
    'of = "note", begins = ["ab", "c"]': lambda row: row.note == "abc",
    'none = [{ of = "grade", from = "B" }]': lambda row: row.grade not in ("B", "C", "D"),
}


def written(tmp_path, when: str):
    folder = tmp_path / "own" / "1"
    (folder / "tables").mkdir(parents=True)
    (folder / "plan.toml").write_text(plan_text(BODY.replace("WHEN", when), "no"), encoding="utf-8")
    table = "code,value,source\n" + "".join(f"{code},{value},s\n" for code, value in CLASSES.items())
    (folder / "tables" / "class.csv").write_text(table, encoding="utf-8")
    return folder


@pytest.mark.parametrize("when", WHENS)
def test_a_span_of_levels_holds_where_a_reader_says(tmp_path, when):
    rated = rm.rate(ROWS, rm.load_plan(written(tmp_path, when)), lang="en", trace=True)
    wanted = [100 * bool(WHENS[when](row)) for row in ROWS.itertuples()]
    assert rated.outputs.premium_fen.tolist() == wanted
    exact = evaluate(rated.plan, rated.coding.inputs).values["premium"].fractions()
    assert [int(value * 100) for value in exact] == wanted
    told = [rated.explain(at).lines[1].text for at in range(len(ROWS))]
    assert all(any(sign in said for sign in (" ∈ ", " ∉ ", " = D", "none")) for said in told), told


@needs_office
def test_spans_of_levels_recalculate_in_a_workbook(tmp_path):
    plans = [rm.load_plan(written(tmp_path / f"p{at}", when)) for at, when in enumerate(WHENS)]
    books = [rm.rate(ROWS, plan, lang="en") for plan in plans]
    files = [tmp_path / f"{at}.xlsx" for at in range(len(books))]
    for book, file in zip(books, files):
        write_live_workbook(book, file, lang="en")
    for book, file in zip(books, convert(files, "xlsx", tmp_path / "made")):
        names, rows = cells(file)
        found = [round(row[names.index("premium")] * 100) for row in rows]
        assert found == book.outputs.premium_fen.tolist(), book.plan.step("first").when


@pytest.mark.parametrize(
    ("when", "code"),
    [('of = "grade", from = "E"', "RM130"), ('of = "grade", from = "C", to = "A"', "RM437"),
     ('of = "code", begins = "9"', "RM437"), ('of = "note", from = "a"', "RM116"), ('of = "no", from = "a"', "RM116"),
     ('of = "first", begins = "a"', "RM113")],
)  # fmt: skip
def test_a_span_that_means_nothing_is_refused(tmp_path, when, code):
    told = rm.check_plan(written(tmp_path, when)).problems
    assert {item.code for item in told} & {code, "RM114"}, told
