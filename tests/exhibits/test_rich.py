"""Results show themselves: labels of the language, names escaped, the plan's warning always there, and short."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import ratemod as rm
from ratemod.whatif.scenario import apply

PROVINCE = Path(__file__).parents[2] / "data" / "province"
CHANGES = {"tables.hazard_loading[refused, 91..].value": "2.4", "tables.base_rate": "*1.03"}
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def made():
    plan = rm.load_plan("jilin-spli/2025-04")
    book = pq.read_table(PROVINCE / "renewals.parquet").slice(0, 900)
    keys = book["policy_no"].to_pylist()
    dearest = rm.compare(rm.rate(book, plan, lang="en"), rm.rate(book, apply(plan, CHANGES), lang="en")).movers(1)
    keys[keys.index(dearest.policy_no[0])] = HOSTILE
    book = book.set_column(book.column_names.index("policy_no"), "policy_no", pa.array(keys))
    return plan, book


def shown(plan, book, lang):
    before = rm.rate(book, plan, lang=lang, trace=["annual_premium"])
    after = rm.rate(book, apply(plan, CHANGES), lang=lang, trace=["annual_premium"])
    yield before._repr_html_()
    yield rm.compare(before, after).html(lang)
    yield rm.what_if(book, plan, [CHANGES]).html(lang)
    yield rm.attribute(book, plan, CHANGES).html(lang)
    yield rm.solve(book, plan, rm.unknown("tables.base_rate", "0.8", "1.4"), {"premium_change": 0.02}).html(lang)
    panel = rm.live(book, plan, {"tables.base_rate": rm.ladder("0.9", "1.1", "0.1", times=True)}, lang=lang)
    panel.move({"tables.base_rate": "*1.1"})
    yield panel._repr_html_()


@pytest.mark.parametrize("lang, warning, before", [("en", "EXAMPLE RATES", "before"), ("zh", "示例费率", "变动前")])
def test_every_result_shows_itself_in_its_language(made, lang, warning, before):
    plan, book = made
    pages = list(shown(plan, book, lang))
    for page in pages:
        assert warning in page
        assert "<script" not in page and "http" not in page
        assert page.count("<tr>") < 70, "fits a screen"
        assert ("premium_before_fen" not in page) and ("policies_uncapped" not in page)
    assert before in pages[1] and before in pages[-1]
    assert "&lt;script&gt;" in pages[1], "the largest mover has a hostile name"


def test_a_plan_shows_itself(monkeypatch):
    plan = rm.load_plan("jilin-spli/2025-04")
    for lang, said in (("zh_CN.UTF-8", "示例费率"), ("C.UTF-8", "EXAMPLE RATES")):
        monkeypatch.setenv("LC_ALL", lang)
        assert said in plan._repr_html_()
