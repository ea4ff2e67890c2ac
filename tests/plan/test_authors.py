"""What a new author of plans gets wrong: each slip refused once, at its place, with its cause; or priced as it says."""

from __future__ import annotations

import pandas as pd
import pytest

import ratemod as rm
from ratemod.plan.check import warnings_of
from ratemod.plan.files import read_plan
from tests.own_plan import plan_text

COLUMNS = """
[constant.share]
value = "0.5"
source = "s"
[column.sector]
kind = "level"
levels = ["mine", "road", "shop"]
[column.other]
kind = "level"
levels = ["shop", "road", "mine"]
[column.heads]
kind = "number"
decimals = 0
min = 1
max = 1000
[column.start]
kind = "date"
"""
STEPS = """
[[step]]
name = "rate"
op = "lookup"
table = "rate"
[[step]]
name = "worst"
op = "last_level"
of = ["sector", "other"]
[[step]]
name = "grade"
op = "lookup"
table = "rate"
by = { sector = "worst" }
[[step]]
name = "days"
op = "days"
of = ["start", "2026-12-31"]
source = "s"
[[step]]
name = "raw"
op = "product"
of = ["rate", "grade", "heads", "share", "days"]
[[step]]
name = "premium"
op = "round"
of = "raw"
unit = "0.01"
[[rule]]
name = "large"
when = { of = "heads", above = 900 }
action = "refer"
message_en = "large"
message_zh = "大"
source = "s"
"""
RATE = "sector,value,source\nmine,3,s\nroad,2,s\nshop,1,s\n"
CASE = '[[case]]\nname = "one"\nsource = "by hand"\n[case.inputs]\nsector = "mine"\nother = "mine"\nheads = 2\n'
CASE += 'start = 2026-12-21\n[case.expect]\npremium = "90.00"\n'
BOOK = pd.DataFrame(
    {"policy_no": ["1", "2"], "sector": ["mine", "road"], "other": ["shop", "shop"], "heads": [2, 10],
     "start": pd.to_datetime(["2026-12-21", "2026-12-30"])}
)  # fmt: skip


def written(tmp_path, columns=COLUMNS, steps=STEPS, rate=RATE, case=CASE):
    place = tmp_path / "own" / "1"
    for name, text in (("plan.toml", plan_text(columns + steps)), ("tables/rate.csv", rate), ("cases/a.toml", case)):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
    return place


def step(name, more):
    """The steps, with one more line in one of them."""
    return STEPS.replace(f'name = "{name}"\n', f'name = "{name}"\n{more}\n')


def test_the_plan_itself_is_in_order_and_priced_as_by_hand(tmp_path):
    place = written(tmp_path)
    assert not rm.check_plan(place).problems and not rm.check_plan(place).warnings
    rated = rm.rate(BOOK, rm.load_plan(place))
    # mine 3 and, of mine and shop, the one that stands last, shop 1: 3 x 1 x 2 x 0.5 x 10 days; road 2, shop 1
    assert rated.table["premium_fen"].to_pylist() == [3000, 2 * 1 * 10 * 50 * 1]


TEAM = '[unit.team]\nlabel_en = "team"\nlabel_zh = "班组"\n'
PART = '[[step]]\nname = "ours"\nop = "part"\nof = "premium"\namong = [3, 1]\nwhich = 1\nsource = "s"\n'
TAKE = """[[step]]
name = "place"
op = "rank"
of = "heads"
by = "sector"
first = "largest"
[[step]]
name = "first"
op = "take"
of = "heads"
by = "sector"
rank = "place"
which = 1
"""
SLIPS = {
    "a key that there is not, in a step called as its table": ({"steps": step("rate", "rounding = 2")}, ["RM101"]),
    "a key misspelt is not told again as missing": ({"steps": STEPS.replace('of = "raw"', 'off = "raw"')}, ["RM101"]),
    "no operation": ({"steps": STEPS.replace('op = "product"\n', "")}, ["RM102"]),
    "nothing multiplied": (
        {"steps": STEPS.replace('of = ["rate", "grade", "heads", "share", "days"]', "of = []")},
        ["RM023"],
    ),
    "none of no levels": ({"steps": STEPS.replace("above = 900", "is = []")}, ["RM023"]),
    "begins with nothing": (
        {"steps": STEPS.replace('of = "heads", above = 900', 'of = "sector", begins = ""')},
        ["RM023"],
    ),
    "all of nothing": ({"steps": STEPS.replace('{ of = "heads", above = 900 }', "{ all = [] }")}, ["RM023"]),
    "a name misspelt in a condition": (
        {"steps": STEPS.replace('of = "heads", above = 900', 'of = "sectr", is = "mine"')},
        ["RM113"],
    ),
    "levels of a number": ({"columns": COLUMNS.replace("max = 1000\n", 'max = 1000\nlevels = ["a"]\n')}, ["RM925"]),
    "decimals of a date": ({"columns": COLUMNS.replace('kind = "date"\n', 'kind = "date"\ndecimals = 2\n')}, ["RM925"]),
    "a step called none": (
        {"steps": STEPS.replace('name = "grade"', 'name = "none"').replace('"grade", "heads"', '"none", "heads"')},
        ["RM926"],
    ),
    "a step called as a result": (
        {"steps": STEPS.replace('name = "grade"', 'name = "status"').replace('"grade", "heads"', '"status", "heads"')},
        ["RM926"],
    ),
    "two rules of a name": ({"steps": STEPS + STEPS[STEPS.index("[[rule]]") :]}, ["RM927"]),
    "two cases of a name": ({"case": CASE + CASE}, ["RM927"]),
    "the same value twice in a list": ({"columns": COLUMNS + '[list.peril]\nvalues = ["fire", "fire"]\n'}, ["RM927"]),
    "labels for some values": (
        {"columns": COLUMNS + '[list.peril]\nvalues = ["fire", "flood"]\nlabel_en = ["Fire"]\n'},
        ["RM924"],
    ),
    "a list of nothing": (
        {"columns": COLUMNS + "[list.peril]\nvalues = []\n", "steps": step("days", 'over = "peril"')},
        ["RM023"],
    ),
    "a bound upside down": (
        {
            "steps": STEPS.replace(
                'op = "product"\nof = ["rate", "grade", "heads", "share", "days"]',
                'op = "bound"\nlow = 2\nhigh = 1\nof = "rate"\nsource = "s"',
            )
        },
        ["RM155", "RM928"],
    ),
    "a check within nothing": (
        {
            "steps": STEPS
            + '[[check]]\nname = "c"\nkind = "same"\nof = "sector"\nmessage_en = "x"\nmessage_zh = "x"\nsource = "s"\n'
        },
        ["RM102"],
    ),
    "a check of a step": (
        {
            "steps": STEPS
            + '[[check]]\nname = "c"\nkind = "unique"\nof = "raw"\nmessage_en = "x"\nmessage_zh = "x"\nsource = "s"\n'
        },
        ["RM362"],
    ),
    "a table with semicolons": ({"rate": RATE.replace(",", ";")}, ["RM929"]),
    "a header that repeats a column": ({"rate": RATE.replace("sector,value", "value,value")}, ["RM125"]),
    "a table that is not there": ({"steps": STEPS.replace('table = "rate"', 'table = "rat"')}, ["RM135", "RM159"]),
    "a level that is none, otherwise": (
        {"steps": step("worst", 'when = { of = "heads", above = 5 }\notherwise = "shp"')},
        ["RM130"],
    ),
    "a rule without words": ({"steps": STEPS.replace('message_en = "large"', 'message_en = ""')}, ["RM023"]),
    "a day that there is not": (
        {"columns": COLUMNS.replace('value = "0.5"', 'value = "2026-02-30"')},
        ["RM103"],
    ),
    "a unit that is none of itself": (
        {"columns": COLUMNS.replace("min = 1\n", 'min = 1\nunit = "team"\n') + TEAM + "words = { crew = 0 }\n"},
        ["RM021"],
    ),
    "a word of a unit that is the unit": (
        {"columns": COLUMNS.replace("min = 1\n", 'min = 1\nunit = "team"\n') + TEAM + "words = { Team = 4 }\n"},
        ["RM927"],
    ),
    "a party of a weight below zero": ({"steps": STEPS + PART.replace("[3, 1]", "[3, -1]")}, ["RM992"]),
    "a party of no weight": ({"steps": STEPS + PART.replace("[3, 1]", "[0, 0]")}, ["RM992"]),
    "the line at no place": ({"steps": STEPS + TAKE.replace("which = 1", "which = 0")}, ["RM021"]),
    "a line taken by no rank that comes later": (
        {"steps": STEPS + TAKE.replace('"place"\nwhich', '"later"\nwhich')},
        ["RM113"],
    ),
    "lines ranked by a number": ({"steps": STEPS + TAKE.replace('by = "sector"\nfirst', "by = 3\nfirst")}, ["RM362"]),
    "a legal range upside down": (
        {"steps": STEPS + '[[legal]]\nname = "law"\nof = "rate"\nlow = 3\nhigh = 2\nsource = "s"\n'},
        ["RM928"],
    ),
    "an axis that the table does not have": ({"steps": STEPS.replace("by = { sector", "by = { secto")}, ["RM165"]),
    "slices of points": (
        {
            "steps": step("rate", "").replace(
                'op = "lookup"\ntable = "rate"\n[[', 'op = "interpolate"\ntable = "rate"\n[['
            )
        },
        ["RM138"],
    ),
    "a case whose cell is no level, of which nothing is expected": (
        {"case": CASE.replace('other = "mine"', 'other = "mein"').replace("premium = ", "rate = ").replace("90", "3")},
        ["RM193"],
    ),
    "a case that expects nothing": ({"case": CASE.replace('premium = "90.00"\n', "")}, ["RM023"]),
    "a case of a row and of lines": (
        {"case": CASE.replace("[case.expect]", "[[case.lines]]\nheads = 1\n[case.expect]")},
        ["RM920"],
    ),
}


@pytest.mark.parametrize("what", SLIPS)
def test_a_slip_is_refused_for_its_cause_alone(what, tmp_path):
    parts, codes = SLIPS[what]
    report = rm.check_plan(written(tmp_path, **parts))
    assert sorted(item.code for item in report.problems) == codes, [str(item) for item in report.problems]
    assert all(item.file for item in report.problems)


@pytest.mark.parametrize(
    ("other", "graded"),
    [
        ('"road"', 2),  # one of its levels
        ('"other"', 1),  # shop, although it stands first in that column and last in the step
        ('"none"', None),
    ],
)
def test_what_a_level_is_otherwise_counts_in_its_own_order(other, graded, tmp_path):
    place = written(
        tmp_path, steps=step("worst", f'when = {{ of = "heads", below = 5 }}\notherwise = {other}'), case=""
    )
    rated = rm.rate(BOOK, rm.load_plan(place))
    premiums = [3000, None if graded is None else 2 * graded * 10 * 50]
    assert rated.table["premium_fen"].to_pylist() == premiums
    assert rm.rate(BOOK, rm.load_plan(place), trace=False).table["premium_fen"].to_pylist() == premiums
    if graded:
        assert [float(line.value) for line in rated.explain("2").lines if line.name == "grade"] == [graded]


def test_a_case_tells_its_refusal_in_the_language_of_the_reader(tmp_path):
    (found,) = rm.check_plan(written(tmp_path, case=CASE.replace('"mine"', '"mein"', 1))).problems
    english, chinese = found.what("en"), found.what("zh")
    assert "is not a level" in english and "mein" in chinese and "level" not in chinese


@pytest.mark.parametrize(
    ("when", "name"),
    [
        ('{ of = "heads", above = 1000 }', "heads"),
        ('{ of = "heads", at_least = 1000 }', ""),
        ('{ of = "heads", above = 10, below = 10 }', "heads"),
        ('{ all = [{ of = "heads", at_most = 10 }, { all = [{ of = "heads", at_least = 11 }] }] }', "heads"),
        ('{ any = [{ of = "heads", above = 1000 }, { of = "sector", is = "mine" }] }', ""),
        ('{ any = [{ of = "heads", above = 1000 }, { of = "heads", below = 1 }] }', "heads"),
        ('{ all = [{ of = "sector", is = "mine" }, { of = "sector", is = ["road", "shop"] }] }', "sector"),
        ('{ all = [{ of = "sector", from = "road" }, { of = "sector", is_not = ["road", "shop"] }] }', "sector"),
        ('{ none = [{ of = "heads", above = 1000 }] }', ""),
        ('{ of = "sector", missing = true }', "sector"),
        ('{ of = "rate", above = 3 }', "rate"),
        ('{ of = "start", above = 2026-01-01 }', ""),
    ],
)
def test_a_condition_that_no_row_can_meet_is_remarked(when, name, tmp_path):
    place = written(tmp_path, steps=STEPS.replace('{ of = "heads", above = 900 }', when))
    plan, problems = read_plan(place)
    assert not problems
    assert [item.args["of"] for item in warnings_of(plan) if item.code == "RM923"] == ([name] if name else [])


def test_a_table_may_say_what_two_general_rows_would_disagree_about(tmp_path):
    """A row for all of a and one for all of b cross at (a, b): refused, unless a third row says what holds there."""
    crossing = "sector,other,value,source\nmine,*,3,s\n*,shop,2,s\nroad,*,1,s\nshop,*,1,s\n"
    assert {item.code for item in rm.check_plan(written(tmp_path, rate=crossing, case="")).problems} == {"RM133"}
    settled = crossing + "mine,shop,5,s\nroad,shop,4,s\nshop,shop,4,s\n"
    place = written(
        tmp_path, rate=settled, case="", steps=STEPS.replace("by = { sector", 'by = { other = "sector", sector')
    )
    assert not rm.check_plan(place).problems
    rated = rm.rate(BOOK, rm.load_plan(place))
    assert rated.explain("1").lines[0].value == 5


def test_numbers_and_days_may_stand_in_by_as_text_too(tmp_path):
    bands = "start_from,start_below,heads_from,heads_below,value,source\n,2026-06-01,,,1,s\n2026-06-01,,,50.5,7,s\n"
    bands += "2026-06-01,,50.5,,9,s\n"
    steps = STEPS.replace('by = { sector = "worst" }', "")
    steps = steps.replace('table = "rate"', 'table = "rate"\nby = { start = 2026-07-01, heads = "50.5" }\nsource = "s"')
    place = written(tmp_path, rate=bands, steps=steps, case="")
    assert not [item for item in rm.check_plan(place).problems if item.code != "RM155"]
