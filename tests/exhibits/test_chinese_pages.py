"""A page asked for in Chinese is in Chinese: no English sentence, and what counts is a whole number."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from tests.exhibits.test_disclosure_whole import province

import ratemod as rm
from ratemod.cli import main
from ratemod.errors import catalogue
from ratemod.fund.fund_table import in_language
from ratemod.fund.levy_rule import read_levy_rules
from ratemod.fund.score_rule import read_indicators
from ratemod.fund.subsidy import read_subsidy_rules
from ratemod.fund.use_rule import read_use_rules

DATA = Path(__file__).parents[2] / "data" / "province"
WORD = r"[A-Za-z][A-Za-z'’-]*"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    rm.synthesize(60, 2, seed=6, first_year=2024, out=folder / "province")
    (folder / "few").mkdir()
    for name, table in province(2).items():
        table.to_parquet(folder / "few" / f"{name}.parquet", index=False)
    return folder


def english(page: str) -> list[str]:
    """Return runs of three English words and more outside code and what is marked as English."""
    page = re.sub(r"<(style|script|code)\b.*?</\1>", "", page, flags=re.S)
    page = re.sub(r'<(article|div|section|span)\b[^>]*\blang="en"[^>]*>.*?</\1>', "", page, flags=re.S)
    said = html.unescape(re.sub("<[^>]+>", "\n", page))
    return re.findall(rf"{WORD}(?:[ ,]+{WORD}){{2,}}", said)


def written(place: Path, name: str) -> list[str]:
    given = place / "province"
    plan = ["--plan", "jilin-spli", "--at", "2025-06-01"]
    lists = ["--enterprises", str(given / "enterprises.parquet"), "--policies", str(given / "policies.parquet")]
    return {
        "scorecard": ["fund", "scorecard", "--province", str(given), "--report"],
        "evaluate": ["fund", "evaluate", "--province", str(DATA), "--permutations", "2", "--report"],
        "coverage": ["registers", "coverage", *plan, *lists, "--from", "2025-01-01", "--until", "2026-01-01", "-o"],
        "disclosure": ["report", "disclosure", str(place / "few"), "--year", "2025", "-o"],
    }[name]


@pytest.mark.parametrize("name", ["scorecard", "evaluate", "coverage", "disclosure"])
def test_a_chinese_page_holds_no_english_and_no_count_with_decimals(place, name):
    target = place / f"{name}.html"
    assert main([*written(place, name), str(target), "--lang", "zh"]) in (0, 3)
    page = target.read_text(encoding="utf-8")
    assert english(page) == []
    assert re.findall(r">\d[\d,]*\.000<", page) == []


def test_every_shipped_rule_has_words_and_every_printed_source_is_chinese():
    rules = (*read_levy_rules(), *read_subsidy_rules(), *read_use_rules().uses)
    assert [rule.name for rule in rules if f"UI_value_{rule.name}" not in catalogue()] == []
    printed = (*read_indicators(), *read_use_rules().uses)
    assert [rule.name for rule in printed if not rule.source_zh or english(rule.source_zh)] == []


def test_one_language_of_what_stands_in_two():
    import pyarrow as pa

    table = pa.table({"source": ["notice"], "source_zh": ["通知"], "n": [1]})
    assert in_language(table, "en").to_pydict() == {"source": ["notice"], "n": [1]}
    assert in_language(table, "zh").to_pydict() == {"source": ["通知"], "n": [1]}
