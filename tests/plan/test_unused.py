"""What stands in a plan's folder and nothing uses is told, each once and where it stands; what is used is not."""

from __future__ import annotations

import pytest

from ratemod.rating.cases import check_plan
from tests.own_plan import plan_text

USED = """[list.peril]
values = ["fire", "flood"]
[unit.mu]
label_en = "mu"
label_zh = "亩"
[column.grade]
kind = "level"
levels_file = "levels/grades.csv"
[column.area]
kind = "number"
unit = "mu"
min = 0
max = 10
decimals = 0
[table.rate]
values = ["net"]
[[step]]
name = "{peril}_rate"
over = "peril"
op = "lookup"
table = "rate"
by = { peril = { is = "{peril}" } }
[[step]]
name = "net_rate"
op = "lookup"
table = "rate"
by = { peril = { is = "fire" } }
column = "net"
headline = true
[[step]]
name = "whole"
op = "sum"
of = ["{peril}_rate"]
[[step]]
name = "before_rounding"
op = "product"
of = ["whole", "area"]
[[step]]
name = "premium"
op = "round"
of = "before_rounding"
unit = "0.01"
"""
FILES = {
    "tables/rate.csv": "peril,grade,value,net,source\nfire,*,1,0.9,s\nflood,*,2,1.9,s\n",
    "levels/grades.csv": "code\nA\nB\n",
    "cases/one.toml": '[[case]]\nname = "one"\nsource = "s"\ninputs = { policy_no = "1", grade = "A", area = 2 }\n'
    'expect = { premium = "6.00" }\n',
    "NOTES.md": "notes",
    "sources/scan.pdf": "a scan of the tariff",
}


def remarks(folder, text=USED, **more):
    place = folder / "own" / "1"
    for name, content in {"plan.toml": plan_text(text), **FILES, **more}.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(content, encoding="utf-8")
    report = check_plan(place)
    assert not report.problems and report.passed == 1
    lines = plan_text(text).splitlines()
    told = {}
    for item in report.warnings:
        at = item.file.replace("\\", "/").partition("own/1/")[2]
        where = lines[item.row - 1] if at == "plan.toml" else at
        told[where] = (item.code, item.args.get("name") or item.args.get("nearest"))
    return told


def test_what_is_used_is_not_told(tmp_path):
    assert remarks(tmp_path) == {}


@pytest.mark.parametrize(
    "was, now, told",
    [
        ("[unit.mu]", '[list.cover]\nvalues = ["a"]\n[unit.mu]', {"[list.cover]": ("RM902", "cover")}),
        ('unit = "mu"\n', "", {"[unit.mu]": ("RM902", "mu")}),
        ('column = "net"\n', "", {"tables/rate.csv": ("RM902", "net")}),
        ("headline = true\n", "", {"[[step]]": ("RM918", "net_rate")}),
        ("[list", '[source.t]\ntitle = "t"\nconfidence = "illustrative"\n[list', {"[source.t]": ("RM150", "t")}),
    ],
)
def test_what_nothing_uses_is_told_where_it_stands(tmp_path, was, now, told):
    assert remarks(tmp_path, USED.replace(was, now, 1)) == told


@pytest.mark.parametrize(
    "name, near",
    [
        ("case/two.toml", "cases"),
        ("cases/two.tml", None),
        ("cases/2024/two.toml", None),
        ("tables/rate.xlsx", None),
        ("levels/grade.csv", None),
        ("register.toml", "registers.toml"),
    ],
)
def test_a_file_that_nothing_reads_is_told(tmp_path, name, near):
    assert remarks(tmp_path, **{name: "x"}) == {name: ("RM959", near)}


CLOSED = """[column.state]
kind = "level"
levels = ["open", "shut", "moved", "sold"]
optional = true
[[rule]]
name = "closed"
when = { of = "state", WHEN }
action = "refer"
message_en = "closed"
message_zh = "停办"
source = "s"
"""


@pytest.mark.parametrize(
    "when, alike",
    [
        ('is = "shut"', "open, moved, sold"),
        ('is_not = ["shut", "open"]', "moved, sold"),
        ('from = "moved"', "open, shut"),
        ('begins = "s"', "open, moved"),
        ('is = ["shut", "moved", "sold"]', ""),
        ('at_least = "state"', ""),
    ],
)
def test_levels_that_no_table_step_or_condition_tells_apart_are_told(tmp_path, when, alike):
    told = remarks(tmp_path, USED + CLOSED.replace("WHEN", when))
    assert told == ({"[column.state]": ("RM696", "state")} if alike else {})
    assert [item.args["levels"] for item in check_plan(tmp_path / "own" / "1").warnings] == [alike][: bool(alike)]


def test_levels_of_a_check_and_of_the_vocabulary_are_not_told(tmp_path):
    text = USED + CLOSED.replace("WHEN", 'is = "shut"')
    check = '[[check]]\nname = "one"\nkind = "same"\nof = "state"\nby = "policy_no"\nmessage_en = "two"\n'
    assert remarks(tmp_path / "check", text + check + 'message_zh = "不一"\nsource = "s"\n') == {}
    word = text.replace('kind = "level"\nlevels = ["open"', 'from = "sector"\nlevels = ["open"')
    assert remarks(tmp_path / "word", word) == {}
