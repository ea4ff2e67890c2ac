"""Options of the form NAME=VALUE, and the columns that figures are summed by: once, known, before any work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ratemod
from ratemod.cli import main

DEMO = str(Path(ratemod.__file__).parent / "demo" / "renewals.xlsx")
PLAN = ["--plan", "jilin-spli/2025-04", "--business", "renewal"]
TWICE = ["tables.base_rate=*1.05", "tables.base_rate=*1.10"]


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        (["what-if", DEMO, *PLAN, "--set", TWICE[0], "--set", TWICE[1]], {"RM413": 1}),  # the last one counted, unsaid
        (["what-if", DEMO, *PLAN, "--grid", TWICE[0], "--grid", TWICE[1]], {"RM413": 1}),
        (["what-if", DEMO, *PLAN, "--set", "tables.base_rate="], {"RM857": 1}),
        (["what-if", DEMO, *PLAN, "--grid", "tables.base_rate=*1.0,abc"], {"RM841": 1}),  # not once a cell
        (["what-if", DEMO, *PLAN, "--set", TWICE[0], "--by", "行业类别"], {"RM813": 1}),
        (["compare", DEMO, *PLAN, "--with", "jilin-spli/2020-11", "--by", "secter"], {"RM813": 1}),
        (["solve", DEMO, *PLAN, "--find", "steps.x=1..2", "--target", "a=1", "--target", "a=2"], {"RM413": 1}),
        (["solve", DEMO, *PLAN, "--find", "tables.base_rate", "--target", "premium_yuan=1"], {"RM857": 1}),
    ],
)
def test_what_an_option_says_twice_or_not_at_all_is_refused_once(command, codes, capsys):
    assert main(command) == 1
    said = "".join(capsys.readouterr())
    assert {code: said.count(code) for code in codes} == codes and "Traceback" not in said
    assert not said.replace(DEMO, "").count("Largest moves")


@pytest.mark.parametrize(
    "command",
    [
        ["what-if", "--set", TWICE[0]],
        ["what-if", "--grid", TWICE[0]],
        ["compare", "--with", "jilin-spli/2020-11"],
        ["solve", "--find", "tables.base_rate=0.8..1.4", "--target", "premium_change=0.02"],
    ],
)
def test_rows_without_a_premium_are_accounted_for(command, capsys):
    book = ratemod.read_book(DEMO, plan := ratemod.load_plan("jilin-spli/2025-04"))
    table = ratemod.rate(book, plan).table
    unpriced = table.filter(table["premium_fen"].is_null())
    reasons, codes = set(unpriced["reason"].to_pylist()), set(unpriced["code"].to_pylist())
    assert main(["--lang", "en", command[0], DEMO, *PLAN, *command[1:]]) == 3
    under_the_plan, _, _ = capsys.readouterr().out.partition(" more\n")
    *shown, more = re.findall(r"^  (RM\d+|\.\.\. and \d+$)", under_the_plan, re.MULTILINE)
    assert len(shown) + int(more.split()[2]) == len(reasons) and set(shown) <= codes


def test_columns_go_by_name_label_or_alias_and_the_near_one_is_named(capsys):
    main(["--lang", "zh", "what-if", DEMO, *PLAN, "--set", TWICE[0], "--by", "行业类别"])
    assert "行业" in (said := "".join(capsys.readouterr())) and "sector" not in said.split("可选")[0]
    assert main(["--lang", "zh", "what-if", DEMO, *PLAN, "--set", TWICE[0], "--by", "行业领域"]) == 3
