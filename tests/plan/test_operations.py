"""An operation is one thing: every reading knows every one, and whatever operand stands in it is priced or refused."""

from __future__ import annotations

import itertools
import re
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

import ratemod as rm
from ratemod.errors import catalogue
from ratemod.formulas.formula import FORMULAS
from ratemod.plan.model import plain
from ratemod.plan.op.registry import EVERY, OPERATIONS
from ratemod.rating.op.registry import READINGS
from ratemod.rating.why import WHY
from ratemod.rating.words import WORDS
from tests.own_plan import plan_text
from tests.plan import small_plan

SOURCE = Path(rm.__file__).parent


@pytest.mark.parametrize("readings", [READINGS, FORMULAS], ids=["exact and block", "formulas"])
def test_every_reading_knows_every_operation(readings):
    assert set(readings) == set(EVERY) == set(OPERATIONS.values())


def test_what_an_operation_comes_to_stands_in_the_file_of_its_own_name():
    for kind in EVERY:
        family = import_module(kind.__module__.replace("plan.op", "rating.op"))
        assert family.READINGS[kind] == READINGS[kind]


def test_nothing_outside_the_operations_compares_their_names():
    compared = re.compile(r"\.op\s*(==|!=|in\b|not in\b)|match \S+\.op\b")
    found = [
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if "plan/op/" not in path.as_posix() and compared.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


UNSAID = {"of", "table", "column", "unit", "mode", "low", "high"}


@pytest.mark.parametrize("op", OPERATIONS)
def test_every_operation_key_and_choice_has_a_word_in_both_languages(op):
    keys = OPERATIONS[op].keys()
    said = {op, *keys.keys() - UNSAID, *(choice for key in keys.values() for choice in key.choices)}
    said -= {name for name, key in keys.items() if key.kind in ("names", "levels")}
    assert {name for name in said if f"UI_word_{name}" not in catalogue()} == set()


@pytest.mark.parametrize("op", OPERATIONS)
def test_every_operation_is_told_and_has_a_reason_for_no_value(op):
    classes = OPERATIONS[op].__mro__
    assert any(kind in WORDS for kind in classes) and any(kind in WHY for kind in classes)
    assert OPERATIONS[op].without in catalogue()


HEAD = plan_text(
    """[column.a]
kind = "number"
min = 0
max = 100
decimals = 1
[column.b]
kind = "number"
min = 1
max = 9
optional = true
[column.day]
kind = "date"
[column.grade]
kind = "level"
levels = ["A", "B"]
[column.listed]
kind = "flag"
[constant.five]
value = 5
source = "s"
[constant.start]
value = 2026-01-01
source = "s"
[[step]]
name = "before"
op = "sum"
of = ["a", 1]
source = "s"
[[rule]]
name = "uses"
action = "label"
message_en = "reads every column"
message_zh = "读取各列"
source = "s"
[rule.when]
any = [
  { of = "a", above = "five" }, { of = "b", missing = true }, { of = "day", below = "start" },
  { of = "grade", is = "A" }, { of = "listed", is = "yes" },
]
""",
    "line",
)
KINDS = {
    "number": ('"a"', '"b"', '"five"', "2", '"0.85"', '"before"'),
    "date": ('"day"', '"start"', "2026-12-31"),
    "other": ('"grade"', '"listed"', '"line"'),
}
ROWS = [
    {"line": "1", "a": 1.5, "b": 2, "day": "2026-03-01", "grade": "A", "listed": "yes"},
    {"line": "2", "a": 0, "b": None, "day": "2027-03-01", "grade": "B", "listed": "no"},
]
GIVEN = {
    "cap": 'against = "b"\nlow = "0.5"\n',
    "bound": "low = 0\n",
    "round": 'unit = "0.1"\n',
    "power": 'unit = "0.1"\nexponent = 2\n',
    "exp": 'unit = "0.001"\n',
    "ln": 'unit = "0.001"\n',
    "judgement": 'chosen = "b"\nlow = 1\nhigh = 9\n',
    "part": "among = [1, 2]\nwhich = 1\n",
    "add_months": "months = 1\n",
    "date_part": 'which = "year"\n',
    "rank": 'by = "line"\n',
    "take": 'by = "line"\nrank = "placed"\n',
    "rollup": 'by = "line"\nhow = "sum"\n',
    "share_out": 'by = "line"\nweights = "five"\n',
}


def written() -> list[tuple[str, str, str]]:
    """Every operation without a table, with every operand in every key that takes one: what is wanted, the step."""
    found = []
    for op, kind in OPERATIONS.items():
        keys = kind.keys()
        taking = {name: key for name, key in keys.items() if key.kind in ("operand", "operands")}
        asked = {name: key for name, key in taking.items() if key.takes[0] in ("number", "date")}
        for (name, key), (what, operands) in itertools.product(asked.items(), KINDS.items()):
            for operand in operands if "table" not in keys or op == "judgement" else ():
                fit = {"number": "2", "date": '"day"'}[key.takes[0]]
                many = f"[{operand}, {fit}]" if key.kind == "operands" else operand
                lines = [line for line in GIVEN.get(op, "").splitlines() if not line.startswith(f"{name} =")]
                if name != "of":
                    lines.append('of = "day"' if keys["of"].takes[0] == "date" else "of = 2")
                step = "\n".join([f'op = "{op}"', f"{name} = {many}", *lines])
                found.append((what if what == key.takes[0] else "refused", f"{op}.{name}.{operand}", step))
    return found


@pytest.mark.parametrize(("wanted", "name", "step"), written(), ids=[name for _, name, _ in written()])
def test_every_operand_is_priced_alike_or_refused_by_check(wanted, name, step, tmp_path):
    folder = tmp_path / "own" / "1"
    folder.mkdir(parents=True)
    (op,) = re.findall(r'^op = "(\w+)"', step)
    last = '[[step]]\nname = "premium"\nop = "round"\nof = "n"\nunit = "0.01"\n'
    if OPERATIONS[op].gives == "date":
        last = '[[step]]\nname = "m"\nop = "days"\nof = ["start", "n"]\n' + last.replace('"n"', '"m"')
    placed = '[[step]]\nname = "placed"\nop = "rank"\nof = "a"\nby = "line"\n' if op == "take" else ""
    text = f'{HEAD}{placed}[[step]]\nname = "n"\nsource = "s"\n{step}\n{last}'
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    problems = {item.code for item in rm.check_plan(folder).problems}
    if wanted == "refused":
        assert problems & {"RM361", "RM362"}, problems
        return
    if problems == {"RM928"} and op == "judgement":  # two numbers of the plan that do not ascend
        return
    assert not problems
    plan, rows = rm.load_plan(folder), pd.DataFrame(ROWS)
    bare, traced = (rm.rate(rows, plan, lang="en", trace=trace) for trace in (False, True))
    assert bare.outputs.premium_fen.tolist() == traced.outputs.premium_fen.tolist()
    for at in range(len(rows)):
        sheet = traced.explain(at)
        priced = sheet.premium_fen is not None
        assert (bare.outputs.premium_fen[at] if priced else None) == sheet.premium_fen
        if priced:
            assert sheet.lines[-1].value * 100 == sheet.premium_fen
            told = next(line.text for line in sheet.lines if line.name == "n")
            assert all(value in told for value in _values(step, ROWS[at])), told


def _values(step: str, row: dict[str, object]) -> list[str]:
    """What stood behind each operand of a step in a row, as a worksheet shows it; nothing of what is empty or text."""
    known = {**{name: value for name, value in row.items() if name in ("a", "b", "day")}}
    known |= {"five": 5, "start": "2026-01-01", "before": float(str(row["a"])) + 1}
    named = [known[name] for name in re.findall(r'"(\w+)"', step) if name in known]
    stated = re.findall(r"(?<![\w.-])\d{4}-\d\d-\d\d|(?<![\w.-])\d+(?:\.\d+)?(?![\w.-])", step)
    values = [str(value) for value in [*named, *stated] if value]
    return [value if "-" in value else str(plain(Decimal(value))) for value in values]


def test_small_plan_is_still_in_order(tmp_path):
    assert not rm.check_plan(small_plan.write(tmp_path)).problems


LINES = """[[step]]
name = "all"
op = "rollup"
of = "before"
by = "line"
how = "sum"
[[step]]
name = "premium"
op = "round"
of = "all"
unit = "0.01"
"""
CASE = """[[case]]
name = "two lines"
source = "by hand"
[[case.lines]]
line = "P"
a = 1
day = 2026-03-01
grade = "A"
listed = "no"
[[case.lines]]
line = "P"
a = 2
day = 2026-03-01
grade = "A"
listed = "no"
[case.expect]
premium = "{}"
"""


BY_LINE = """[[case.expect_lines]]
before = "{}"
[[case.expect_lines]]
before = "{}"
premium = "5.00"
"""


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        (BY_LINE.format("2.0", "3.0"), []),
        (BY_LINE.format("2.0", "2.0"), ["RM190"]),
        (BY_LINE.format("3.0", "3.0").replace("before", "befor"), ["RM191", "RM191"]),
        ('[[case.expect_lines]]\nbefore = "2.0"\n', ["RM371"]),
    ],
)
def test_a_case_says_what_is_expected_of_every_line(tmp_path, more, codes):
    folder = tmp_path / "own" / "1"
    (folder / "cases").mkdir(parents=True)
    (folder / "plan.toml").write_text(HEAD + LINES, encoding="utf-8")
    (folder / "cases" / "two.toml").write_text(CASE.format("5.00") + more, encoding="utf-8")
    assert [item.code for item in rm.check_plan(folder).problems] == codes


@pytest.mark.parametrize(("expected", "codes"), [("5.00", []), ("2.00", ["RM190"])])  # (1 + 1) + (2 + 1)
def test_a_case_of_two_lines_is_one_policy(tmp_path, expected, codes):
    folder = tmp_path / "own" / "1"
    (folder / "cases").mkdir(parents=True)
    (folder / "plan.toml").write_text(HEAD + LINES, encoding="utf-8")
    (folder / "cases" / "two.toml").write_text(CASE.format(expected), encoding="utf-8")
    assert [item.code for item in rm.check_plan(folder).problems] == codes


TOTAL = """[[step]]
name = "premium"
op = "round"
of = "before"
unit = "0.01"
"""


@pytest.mark.parametrize(
    ("expected", "codes"),
    [("[case.expect]\npremium = 2.5\n[case.expect_total]\npremium = 6\nbefore = 6", []),
     ("[case.expect]\npremium = 3\n", ["RM190"]), ("[case.expect]\nbefore = 3\n", []),
     ("[case.expect]\npremium = 2.50\n[case.expect_total]\npremium = 7\n", ["RM190"]),
     ("[case.expect]\npremium = 2.5\n[case.expect_total]\npremum = 6\n", ["RM191"]),
     ("[case.expect]\npremium = 2.5\n[case.expect_all]\npremium = 6\n", ["RM101"])],
)  # fmt: skip
def test_a_case_of_lines_expects_totals_and_a_premium_to_the_fen(tmp_path, expected, codes):
    """a + 1 of 1.5 and 2.5 is 2.50 and 3.50, together 6.00; a premium of 2.50 is not 3, a step printed as 3 may be."""
    folder = tmp_path / "own" / "1"
    (folder / "cases").mkdir(parents=True)
    (folder / "plan.toml").write_text(HEAD + TOTAL, encoding="utf-8")
    line = '[[case.lines]]\nline = "{}"\na = {}\nday = 2026-03-01\ngrade = "A"\nlisted = "no"\n'
    case = '[[case]]\nname = "two"\nsource = "by hand"\n' + line.format("P", 1.5) + line.format("Q", 2.5)
    (folder / "cases" / "a.toml").write_text(case + expected, encoding="utf-8")
    assert [item.code for item in rm.check_plan(folder).problems] == codes


@pytest.mark.parametrize(
    "op", ["years", "add_months", "date_part", "exp", "ln", "part", "rank", "take", "rollup", "share_out", "last_level"]
)
def test_an_operation_stands_in_four_files_and_in_a_fifth_where_it_has_words_or_a_reason_of_its_own(op):
    kind = OPERATIONS[op]
    named = re.compile(rf"from ratemod\.plan\.op\.\w+ import (\([^)]*|[^\n]*)\b{kind.__name__}\b")
    files = [path for path in SOURCE.rglob("*.py") if named.search(path.read_text(encoding="utf-8"))]
    assert len(files) + 1 <= 4 + (kind in WORDS) + (kind in WHY), files
