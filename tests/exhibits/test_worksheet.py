"""One premium explained: in the terminal and as HTML."""

from __future__ import annotations

from html.parser import HTMLParser

import pyarrow as pa
import pytest
from tests.cli.books import GOOD, HEADERS, PLAN

from ratemod.document.html import card
from ratemod.errors import Lang
from ratemod.plan.editions import load_plan
from ratemod.rating.rate import rate
from ratemod.rating.worksheet import Worksheet
from ratemod.rating.worksheet_words import worksheet_text

ATTACK = "<script>alert('x')</script>\x1b[2J"


@pytest.fixture(scope="module")
def sheet() -> Worksheet:
    columns = dict(zip(HEADERS, ([str(cell)] for cell in GOOD[0])))
    return rate(pa.table({**columns, "保单号": [ATTACK]}), load_plan(PLAN)).explain(0)


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "zh",
            (
                "基准费率",
                "限后浮动系数",
                "按上限计",
                "矿山",
                "38,220.00",
                "3,822.00",
                "仅供测试的虚构费率。",
                "事故预防费用比例",
            ),
        ),
        (
            "en",
            ("Base rate", "Float within bounds", "high end held", "Mines", "38,220.00", "3,822.00", "Invented rates"),
        ),
    ],
)
def test_an_underwriter_finds_every_step(sheet: Worksheet, lang: Lang, words: tuple[str, ...]) -> None:
    said = worksheet_text(sheet, lang)
    for word in (*words, "base_rate[mining]", "Invented for the tests", sheet.plan_id):
        assert word in said
    assert "\x1b" not in said


def test_chinese_worksheet_has_no_english_names(sheet: Worksheet) -> None:
    steps = worksheet_text(sheet, "zh").split("逐步计算")[1].split("依据")[0]
    for word in (
        "size_factor ",
        "loss_factor",
        "limit_yuan",
        "raw_premium",
        "fund_share",
        "half_up",
        "bound(",
        "round(",
    ):
        assert word not in steps


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_html_escapes_what_comes_from_the_book(sheet: Worksheet, lang: Lang) -> None:
    said = card(sheet.document(lang))
    tags = Tags()
    tags.feed(said)
    assert "script" not in tags.seen and {"table", "tr", "td"} <= tags.seen
    assert "&lt;script&gt;" in said
    assert "38,220.00" in said
    assert sheet._repr_html_()


def test_steps_that_do_not_apply_are_counted_not_shown() -> None:
    """The experience modification of the Jilin example applies to large enterprises only."""
    plan = load_plan("jilin-spli", "2026-01-01")
    case = plan.cases[0]
    cells = {name: pa.array([None if name not in case.inputs else str(case.inputs[name])]) for name in plan.columns}
    found = rate(pa.table(cells), plan).explain(0)
    left_out = [line for line in found.lines if line.value is None]
    if not left_out:
        pytest.skip("every step of the first case applies")
    said = worksheet_text(found, "zh")
    assert f"另有{len(left_out)}步不适用" in said
    assert left_out[0].label_zh not in said.split("逐步计算")[1].split("依据")[0].replace("限幅前", "")
