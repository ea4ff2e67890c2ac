"""A plan in another money: nothing that leaves the engine says yuan, and a priced list comes back."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from tests.own_plan import plan_text

import ratemod as rm
from ratemod.cli import main
from ratemod.errors import catalogue

MONEY = '[money]\nname_en = "ringgit"\nname_zh = "林吉特"'
PLAN = plan_text(
    """[column.insured]
kind = "number"
unit = "money"
label_en = "Sum insured"
label_zh = "保额"
min = 0
max = 1000000
decimals = 2
[constant.rate]
value = "0.0261"
source = "s"
[[step]]
name = "basic"
op = "product"
of = ["insured", "rate"]
unit = "money"
headline = true
[[step]]
name = "premium"
op = "round"
of = "basic"
unit = "0.01"
[[step]]
name = "fund"
op = "round"
of = "premium"
unit = "0.01"
""",
    "line",
    more='fund = "fund"\n' + MONEY,
)
ROWS = pd.DataFrame({"line": ["1", "2"], "insured": [1000.0, 28000.5]})
YUAN = re.compile(r"(?<![_a-z])yuan|元(?!格)", re.IGNORECASE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "own" / "1"
    made.mkdir(parents=True)
    (made / "plan.toml").write_text(PLAN, encoding="utf-8")
    return made


def spoken(path: Path) -> str:
    """All text of a file, of a workbook's parts too."""
    if path.suffix != ".xlsx":
        return path.read_text(encoding="utf-8-sig")
    with zipfile.ZipFile(path) as parts:
        return "\n".join(parts.read(name).decode() for name in parts.namelist() if name.endswith(".xml"))


@pytest.mark.parametrize(("lang", "name"), [("en", "ringgit"), ("zh", "林吉特")])
def test_no_output_of_a_plan_in_ringgit_says_yuan(folder, tmp_path, lang, name, capsys):
    book = tmp_path / "book.csv"
    ROWS.to_csv(book, index=False)
    said = []
    for target, more in (("a.xlsx", []), ("b.xlsx", ["--live"]), ("c.csv", [])):
        out = tmp_path / target
        assert main(["--lang", lang, "rate", str(book), "--plan", str(folder), "-o", str(out), *more]) == 0
        said += [capsys.readouterr().out, spoken(out)]
    assert main(["--lang", lang, "explain", str(book), "2", "--plan", str(folder)]) == 0
    change = ["--plan", str(folder), "--set", "constants.rate=0.03"]
    assert main(["--lang", lang, "what-if", str(book), *change]) == 0
    page, opinion = tmp_path / "panel.html", tmp_path / "opinion.html"
    grid = ["--plan", str(folder), "--grid", "constants.rate=0.02,0.03", "--panel", str(page), "--by", "line"]
    assert main(["--lang", lang, "what-if", str(book), *grid]) == 0
    theirs = tmp_path / "theirs.csv"
    ROWS.assign(theirs=[26.1, 730.0]).to_csv(theirs, index=False)
    asked = ["--plan", str(folder), "--premium", "theirs", "-o", str(opinion)]
    assert main(["--lang", lang, "second-opinion", str(theirs), *asked]) in (0, 3)
    said += [spoken(page), spoken(opinion)]
    assert main(["--lang", lang, "plans", str(folder)]) == 0
    rated = rm.rate(ROWS, rm.load_plan(folder), lang=lang)
    said += [capsys.readouterr().out, rated._repr_html_(), rated.explain("2")._repr_html_()]
    for text in said:
        assert not YUAN.search(text), YUAN.search(text)
        assert name in text
    assert rated.outputs.premium_fen.tolist() == [2610, 73081]


def test_a_priced_list_in_ringgit_comes_back(folder, tmp_path):
    plan, out = rm.load_plan(folder), tmp_path / "priced.csv"
    book = tmp_path / "book.csv"
    ROWS.to_csv(book, index=False)
    assert main(["--lang", "en", "rate", str(book), "--plan", str(folder), "-o", str(out)]) == 0
    again = rm.rate(out, plan)
    assert again.outputs.premium_fen.tolist() == [2610, 73081]
    assert "Premium (ringgit)" not in again.table.column_names


def test_a_plan_that_says_nothing_of_money_is_in_yuan_and_keeps_its_fingerprint(folder):
    ringgit = rm.load_plan(folder)
    text = PLAN.replace(MONEY, "")
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    plain = rm.load_plan(folder)
    (folder / "plan.toml").write_text(text.replace('"money"', '"yuan"'), encoding="utf-8")
    assert plain.fingerprint == rm.load_plan(folder).fingerprint != ringgit.fingerprint
    assert plain.text("UI_premium_yuan", "zh") == "保费（元）"


def test_the_money_must_have_both_names_and_no_other_key(folder):
    (folder / "plan.toml").write_text(PLAN.replace('name_zh = "林', 'symbl = "林'), encoding="utf-8")
    assert {item.code for item in rm.check_plan(folder).problems} >= {"RM101", "RM102"}


def test_what_names_the_money_names_it_in_both_languages():
    """A message that leaves the money to the plan in one language does so in the other."""
    apart = [
        code
        for code, said in catalogue().items()
        if ("{money" in said.get("en", "")) != ("{money" in said.get("zh", ""))
    ]
    assert apart == []


def test_a_premium_of_whole_ringgit_is_a_premium(folder):
    (folder / "plan.toml").write_text(PLAN.replace('of = "basic"\nunit = "0.01"', 'of = "basic"\nunit = 5'), "utf-8")
    assert not rm.check_plan(folder).problems
    assert rm.rate(ROWS, rm.load_plan(folder)).outputs.premium_fen.tolist() == [2500, 73000]
