"""Letters: what they say, whom they go to, templates of one's own, names of files, amounts in capitals."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ratemod as rm
from ratemod.cli import main
from ratemod.fund.duty_rule import read_duty_rules
from ratemod.letters.capitals import DIGITS, capitals
from ratemod.letters.letter import Letter, letter_of
from ratemod.letters.terms import read_terms
from ratemod.rating.rated import Rated
from ratemod.reading.numerals import numeral
from ratemod.vocabulary.currency import Currency
from tests.cli.books import BAD, GOOD, PLAN, PREMIUMS_FEN, write_book

DEMO = Path(__file__).parents[2] / "src" / "ratemod" / "demo" / "renewals.xlsx"
QUOTED = ("P001", "P002", "P003")


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_book(tmp_path / "list.xlsx")


def words(book: Path, *more: str) -> list[str]:
    return ["quote", str(book), "--plan", str(PLAN), "--no-project", *more]


@pytest.mark.parametrize(
    "fen, said",
    [
        (0, "零元整"),
        (5, "伍分"),
        (50, "伍角整"),
        (100, "壹元整"),
        (105, "壹元零伍分"),
        (140_950, "壹仟肆佰零玖元伍角整"),
        (600_714, "陆仟零柒元壹角肆分"),
        (10_700_053, "壹拾万柒仟元伍角叁分"),
        (10_000_00, "壹万元整"),
        (10_010_00, "壹万零壹拾元整"),
        (100_000_001_00, "壹亿零壹元整"),
        (102_000_000_00, "壹亿零贰佰万元整"),
        (-100, "负壹元整"),
        (123_450_000_000_000, "壹万贰仟叁佰肆拾伍亿元整"),
        (100_000_000_000_100, "壹万亿零壹元整"),
    ],
)
def test_amounts_in_capitals_as_the_central_bank_prints_them(fen: int, said: str) -> None:
    assert capitals(fen) == said


def read_back(said: str) -> int:
    """A number in capitals, split at its largest unit first: 贰万亿零叁 = 贰万 times 亿 and 叁."""
    for name, unit in (("亿", 10**8), ("万", 10**4), ("仟", 1000), ("佰", 100), ("拾", 10)):
        high, found, low = said.rpartition(name)
        if found:
            return read_back(high) * unit + read_back(low)
    return sum(DIGITS.index(digit) for digit in said)


@given(st.integers(1, 10**13))
def test_capitals_read_back_as_the_amount(yuan: int) -> None:
    said = capitals(yuan * 100)
    assert said.endswith("元整") and not re.search("零零|零元.+|零[万亿]", said)
    assert read_back(said.removesuffix("元整")) == yuan
    assert yuan >= 10**12 or numeral(said.removesuffix("元整")) == yuan
    assert set(said) <= set(DIGITS + "拾佰仟万亿元整")


def test_a_quote_for_each_insured_and_an_opinion_where_an_underwriter_must_see_it(book, capsys):
    assert main([*words(book, "-o", "out", "--lang", "zh"), "--date", "2026-11-30"]) == 3
    files = sorted(path.name for path in Path("out").iterdir())
    assert len(files) == len(GOOD) and not list(Path().glob(".out*"))
    said = capsys.readouterr().out
    assert f"报价单{len(QUOTED)}份，核保意见书1份" in said and f"{len(BAD)}行没有函件" in said
    assert "RM202" in said and "第6行" in said and "第8行" in said  # why, with the rows
    for key in QUOTED:
        (page,) = (path.read_text("utf-8") for path in Path("out").glob(f"{key} *.html"))
        amount = PREMIUMS_FEN[key]
        assert f"{amount / 100:,.2f}" in page and capitals(amount) in page and "2026-11-30" in page
        assert "仅供测试的虚构费率" in page and "<script" not in page and "报价单" in page
    (opinion,) = (path.read_text("utf-8") for path in Path("out").glob("*.html") if path.name[:4] not in QUOTED)
    assert "核保意见书" in opinion and "逐步计算" in opinion


def test_what_a_list_says_cannot_run(book, tmp_path):
    assert main([*words(book, "-o", "one.html", "--only", "P002", "--lang", "zh")]) == 0
    page = Path("one.html").read_text("utf-8")
    name = next(row[1] for row in GOOD if row[0] == "P002")
    assert str(name).startswith("=") and "&#34;" in page and str(name) not in page


def test_rows_are_called_by_number_name_part_or_line(book, capsys):
    name = str(GOOD[0][1])
    for called in ("P001", name, name[:6], "#2", "第2行", f" {name} "):
        Path("x.html").unlink(missing_ok=True)
        assert main([*words(book, "-o", "x.html", "--only", called, "--lang", "en")]) == 0, capsys.readouterr().err
        assert "P001" in Path("x.html").read_text("utf-8")
    assert main([*words(book, "-o", "y.html", "--only", "P0O1", "--lang", "en")]) == 1
    assert "RM321" in (err := capsys.readouterr().err) and "P001" in err
    assert main([*words(book, "-o", "y.html", "--only", "公司", "--lang", "en")]) == 1
    assert "RM319" in capsys.readouterr().err and not Path("y.html").exists()


def test_templates_and_terms_of_ones_own(book, capsys):
    Path("own").mkdir()
    Path("own/quote.html").write_text(
        "<p>{{ letter.insurer }}|{{ letter.premium }}|{{ letter.special[0] }}</p>", "utf-8"
    )
    Path("t.toml").write_text('[zh]\ninsurer = "甲<公司>"\nspecial = ["特约"]\n', "utf-8")
    more = ("--templates", "own", "--terms", "t.toml", "--lang", "zh", "--only", "P001")
    assert main([*words(book, "-o", "x.html"), *more]) == 0
    assert f"<p>甲&lt;公司&gt;|{PREMIUMS_FEN['P001'] / 100:,.2f}|特约</p>" in Path("x.html").read_text("utf-8")
    for template, why in (
        ("{{ letter.premum }}", "premum"),
        ("{% if %}", "1"),
        ("{{ letter.__class__.__mro__ }}", "unsafe"),
        ("{{ 1 // 0 }}", "zero"),
    ):
        Path("own/quote.html").write_text(template, "utf-8")
        assert main([*words(book, "-o", "z.html"), *more]) == 1
        assert "RM815" in (err := capsys.readouterr().err) and why in err and str(Path("own/quote.html")) in err
        assert not Path("z.html").exists()
    Path("t.toml").write_text('[zh]\ninsuer = "甲"\nspecial = 3\n', "utf-8")
    assert main([*words(book, "-o", "z.html"), *more]) == 1
    err = capsys.readouterr().err
    assert "insurer" in err and "special" in err


def test_a_folder_with_something_in_it_and_other_endings_are_refused(book, capsys):
    Path("out").mkdir()
    Path("out/old.html").write_text("old")
    assert main(words(book, "-o", "out", "--lang", "en")) == 1 and "RM816" in capsys.readouterr().err
    assert [path.name for path in Path("out").iterdir()] == ["old.html"]
    assert main(words(book, "-o", "out.docx", "--lang", "en")) == 1 and "RM800" in capsys.readouterr().err


def test_no_letter_is_written_where_none_is_due(book, capsys):
    assert main(words(book, "-o", "out", "--only", str(BAD[0][0]), "--lang", "en")) == 3
    assert "No row asked for" in capsys.readouterr().out and not Path("out").exists()


def test_the_same_list_gives_the_same_letters(book):
    for name in ("a.html", "b.html"):
        main(words(book, "-o", name, "--lang", "en"))
    assert Path("a.html").read_bytes() == Path("b.html").read_bytes()


@pytest.fixture(scope="module")
def rated() -> Rated:
    return rm.rate(DEMO, rm.load_plan("jilin-spli", at="2026-01-01"), business="renewal", lang="zh")


def letter(rated: Rated, at: int, **more: Any) -> Letter:
    return letter_of(rated, at, "quote", read_terms("zh"), read_duty_rules(), lang="zh", **more)


def test_at_most_five_lines_make_the_premium_and_none_says_times_one(rated):
    plan, most = rated.plan, 0
    for at in range(60):
        if rated.verdict.status[at]:
            continue
        said = letter(rated, at)
        values = {line.name: line.value for line in rated.explain(at).lines}
        heads = [step.name for step in plan.steps if step.headline and values[step.name] not in (None, 1)]
        heads = [name for name in heads if name not in (plan.premium, plan.fund)]
        assert 1 <= len(said.lines) <= 5 and said.lines[0][0] == plan.label(heads[0], "zh")
        assert said.lines[-1] == (plan.label(plan.premium, "zh"), said.premium, "元")
        assert not {label for label, figure, _ in said.lines if figure == "1"}
        most = max(most, len(heads))
    assert most > 4, "some have more than there is room for"


def test_services_are_owed_to_large_and_medium_insureds_of_the_eight_sectors(rated):
    """The notice: large and medium ones at least once a year; of small ones no source says how often."""
    sizes = rated.book.table["size_class"].to_pylist()
    medium, small = sizes.index("中型"), sizes.index("小型")
    (said,) = letter(rated, medium).services
    assert "不少于1次" in said and "风险辨识评估" in said and letter(rated, small).services == ()


def test_remarks_are_those_of_the_row(rated):
    at = int(np.flatnonzero(rated.verdict.status == 1)[0])
    which = rated.verdict.notes[rated.verdict.note_of[at] - 1]
    assert letter(rated, at).notes == tuple(item.what("zh") for item in which) != ()


def test_only_yuan_are_said_in_capitals(rated):
    other = replace(rated.plan, money=Currency(name_en="ringgit", name_zh="林吉特", symbol="RM", decimals=2))
    abroad = rm.rate(DEMO, other, business="renewal", lang="zh")
    assert letter(rated, 0).premium_in_capitals == capitals(int(rated.outputs.premium_fen[0]))
    priced = int(np.flatnonzero(abroad.verdict.status == 0)[0])
    assert letter(abroad, priced).premium_in_capitals == "" and "林吉特" in letter(abroad, priced).fund


@pytest.mark.parametrize(("wanted", "quotes", "opinions"), [("quote", 3, 0), ("opinion", 0, 4)])
def test_one_kind_of_letter_alone(book, capsys, wanted, quotes, opinions):
    """A quote is never written before an underwriter has seen the row; an opinion may be of any row with a premium."""
    assert main(words(book, "-o", "out", "--letter", wanted, "--lang", "en")) == 3
    assert f"{quotes} quote(s), {opinions} opinion(s)" in capsys.readouterr().out


def test_letters_do_not_overwrite_the_list(book, capsys):
    page = book.with_suffix(".html")
    page.write_text("<table><tr><td>x</td></tr></table>")
    assert main(["quote", str(page), "--plan", str(PLAN), "--no-project", "-o", str(page), "--lang", "en"]) == 1
    assert "RM803" in capsys.readouterr().err


@pytest.mark.parametrize("ending", [".html", ".xlsx"])
def test_a_worksheet_is_written_too(book, ending, capsys):
    words = ["explain", str(book), "#2", "--plan", str(PLAN), "--no-project", "--lang", "zh", "-o"]
    assert main([*words, f"e{ending}"]) == 0 and Path(f"e{ending}").stat().st_size > 1000
    assert "38,220.00" in capsys.readouterr().out
    assert main([*words, "e.docx"]) == 1 and "RM800" in capsys.readouterr().err
    assert main([*words, str(book)]) == 1 and "RM803" in capsys.readouterr().err
