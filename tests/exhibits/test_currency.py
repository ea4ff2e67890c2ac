"""A plan in another money: nothing that leaves the engine says yuan, and a priced list comes back."""

from __future__ import annotations

import re
import zipfile
from html import escape as html_escape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.exhibits.office import convert, needs_office
from tests.exhibits.test_live_workbook import cells
from tests.own_plan import plan_text

import ratemod as rm
from ratemod.cli import main
from ratemod.errors import catalogue
from ratemod.rating.exact import evaluate
from ratemod.registers.movement import Movement
from ratemod.report.filing import filing
from ratemod.report.filing_document import filing_html
from ratemod.report.live_workbook import write_live_workbook
from ratemod.report.priced_csv import write_priced_csv
from ratemod.report.priced_workbook import write_priced_workbook
from ratemod.whatif.solve import unknown

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


@pytest.mark.parametrize("decimals", [0, 2, 3])
@pytest.mark.parametrize(("lang", "name"), [("en", "ringgit"), ("zh", "林吉特")])
def test_a_filing_and_a_movement_state_amounts_as_the_money_has_them(folder, tmp_path, lang, name, decimals):
    """Amounts have as many decimals as the money, and no yuan anywhere."""
    unit = f"{1 / 10**decimals:.{decimals}f}"
    text = PLAN.replace('zh = "林吉特"', f'zh = "林吉特"\ndecimals = {decimals}')
    text = text.replace('unit = "0.01"', f'unit = "{unit}"')
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    old = rm.load_plan(folder)
    new = old.replace({"constants.rate": "0.0361"})
    wanted = [f"{amount:,.{decimals}f}" for amount in (1000 * 0.0261, 28000 * 0.0261, 1000 * 0.0361, 28000 * 0.0361)]
    rows = ROWS.assign(insured=[1000, 28000])
    made = filing(rm.read_book(rows, new), new, old)
    page = filing_html(made, lang)
    assert all(check.holds for check in made.checks)
    assert not YUAN.search(page), YUAN.search(page)
    assert name in page and all(f">{amount}<" in page for amount in wanted)
    moved = Movement(
        keys=("k",), plan=new, groups=(), before_fen=np.array([12345]), after_fen=np.array([22345]),
        parts_fen=np.zeros((0, 1), np.int64), priced=np.ones(1, bool),
    ).words("k", lang)  # fmt: skip
    assert name in moved and f"{12345 / 10**decimals:,.{decimals}f}" in moved and not YUAN.search(moved)


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


SHARED = """[column.insured]
kind = "number"
unit = "money"
min = 0
max = 1000000
decimals = 3
[column.weight]
kind = "number"
min = 1
max = 9
[constant.rate]
value = "0.1"
source = "s"
[[step]]
name = "basic"
op = "product"
of = ["insured", "rate"]
unit = "money"
headline = true
[[step]]
name = "whole"
op = "round"
of = "basic"
unit = "{smallest}"
source = "s"
[[step]]
name = "total"
op = "rollup"
how = "sum"
by = "policy"
of = "whole"
[[step]]
name = "premium"
op = "share_out"
of = "total"
by = "policy"
weights = "weight"
[[step]]
name = "fund"
op = "part"
of = "premium"
among = [1, 2]
which = 1
source = "s"
[column.policy]
kind = "text"
"""
LINES = pd.DataFrame({"line": ["1", "2"], "policy": "P", "insured": [1234.5, 1000.25], "weight": [1, 2]})
# basic 123.45 and 100.025: rounded, added, shared out 1 : 2, and a third of each share the fund
MONEYS = {
    "yen": ("日元", "¥", 0, [74, 149], [25, 50], "¥223", '"¥"#,##0'),  # 123 + 100 = 223; 74⅓, 148⅔
    "dinar": ("第纳尔", "KD", 3, [74492, 148983], [24831, 49661], "KD 223.475", '"KD "#,##0.000'),
}


@pytest.mark.parametrize("money", MONEYS)
def test_money_of_no_or_three_decimals_is_whole_smallest_units_everywhere(tmp_path, money):
    name_zh, symbol, decimals, premium, fund, said, excel = MONEYS[money]
    smallest = "1" if not decimals else "0." + "0" * (decimals - 1) + "1"
    made = tmp_path / "own" / "1"
    made.mkdir(parents=True)
    own = f'[money]\nname_en = "{money}"\nname_zh = "{name_zh}"\nsymbol = "{symbol}"\ndecimals = {decimals}'
    text = plan_text(SHARED.replace("{smallest}", smallest), "line", more='fund = "fund"\n' + own)
    (made / "plan.toml").write_text(text, encoding="utf-8")
    rated = rm.rate(LINES, rm.load_plan(made), lang="en", trace=True)
    assert rated.outputs.premium_fen.tolist() == premium and rated.outputs.fund_fen.tolist() == fund
    state = evaluate(rated.plan, rated.coding.inputs)
    assert [rated.plan.money.count(value) for value in state.values["premium"].fractions()] == premium
    assert f"premium {said} {money}" in repr(rated) and said in rated._repr_html_()
    sheet = rated.explain("1").text()
    assert rated.plan.money.said(premium[0]) in sheet
    out = tmp_path / "a.xlsx"
    write_priced_workbook(rated, out, lang="en")
    spoken_ = spoken(out)
    assert html_escape(excel) in spoken_ and "#,##0.00<" not in spoken_ and not YUAN.search(spoken_)
    csv, _ = write_priced_csv(rated, tmp_path / "a.csv", lang="en")
    shown = pd.read_csv(csv, dtype=str)
    assert shown[f"Premium ({money})"].tolist() == [f"{count / 10**decimals:.{decimals}f}" for count in premium]
    sweep = rm.what_if(LINES, rated.plan, grid={"constants.rate": ["0.1", "0.2"]})
    again = rm.rate(LINES, rated.plan.replace({"constants.rate": "0.2"}))
    assert sweep.total_fen.tolist() == [sum(premium), again.premium_fen]
    target = {"premium_yuan": again.premium_fen / 10**decimals}
    assert rm.solve(LINES, rated.plan, [unknown("constants.rate", "0", "1")], target).total_fen == again.premium_fen


@needs_office
@pytest.mark.parametrize("money", MONEYS)
def test_such_money_recalculates_in_a_live_workbook(tmp_path, money):
    _, _, decimals, premium, *_ = MONEYS[money]
    smallest = "1" if not decimals else "0." + "0" * (decimals - 1) + "1"
    made = tmp_path / "own" / "1"
    made.mkdir(parents=True)
    own = f'[money]\nname_en = "x"\nname_zh = "某"\ndecimals = {decimals}'
    text = plan_text(SHARED.replace("{smallest}", smallest), "line", more='fund = "fund"\n' + own)
    (made / "plan.toml").write_text(text, encoding="utf-8")
    rated = rm.rate(LINES, rm.load_plan(made), lang="en", threads=1)
    write_live_workbook(rated, tmp_path / "a.xlsx", lang="en")
    (file,) = convert([tmp_path / "a.xlsx"], "xlsx", tmp_path / "out")
    names, rows = cells(file)
    assert [round(row[names.index("premium")] * 10**decimals) for row in rows] == premium
    assert [row[-1] for row in rows] == [0, 0]


def test_a_premium_finer_than_its_money_is_refused(folder):
    text = PLAN.replace(MONEY, MONEY + "\ndecimals = 0")
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    told = [item for item in rm.check_plan(folder).problems if item.code == "RM151"]
    assert len(told) == 2 and "unit is 1 or a multiple" in told[0].what("en")
    (folder / "plan.toml").write_text(text.replace("decimals = 0", "decimals = 7"), encoding="utf-8")
    assert "money.decimals" in {item.args.get("key") for item in rm.check_plan(folder).problems}


def test_what_counts_in_hundredths_refuses_other_money(tmp_path):
    made = tmp_path / "own" / "1"
    made.mkdir(parents=True)
    own = '[money]\nname_en = "yen"\nname_zh = "日元"\ndecimals = 0'
    text = plan_text(SHARED.replace("{smallest}", "1"), "line", more='fund = "fund"\n' + own)
    (made / "plan.toml").write_text(text, encoding="utf-8")
    rated = rm.rate(LINES, rm.load_plan(made))
    with pytest.raises(rm.ModelError) as told:
        rm.levy(rated)
    assert [item.code for item in told.value.problems] == ["RM430"]
