"""The live panel: every position of its sliders is a full re-rate, moved by hand or by its widgets."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ratemod.errors import ModelError, PlanError
from ratemod.money import yuan_text
from ratemod.plan.editions import load_plan
from ratemod.rating.rate import rate
from ratemod.whatif.dislocation import compare
from ratemod.whatif.engine import ALL, CELLS, NONE, TOUCHED, engine
from ratemod.whatif.live import ladder, live
from ratemod.whatif.scenario import apply
from ratemod.whatif.sweep import what_if
from ratemod.whatif.tally import EDGES

PROVINCE = Path(__file__).parents[2] / "data" / "province"
REFUSED = "tables.hazard_loading[refused, 91..].value"
LEVEL_1 = "tables.standard_credit[level_1].value"
BASE = "tables.base_rate"
CAP = "steps.renewal_cap.high"
SLIDERS = {
    REFUSED: ladder("1.50", "2.40", "0.10"),
    LEVEL_1: ("0.85", "0.90", "0.80"),
    BASE: ladder("0.90", "1.10", "0.05", times=True),
    CAP: ("1.25", "1.10", "1.40"),
    "steps.claim_free_credit.on": ("true", "false"),
}


@pytest.fixture(scope="module")
def plan():
    return load_plan("jilin-spli/2025-04")


@pytest.fixture(scope="module")
def book():
    return pq.read_table(PROVINCE / "renewals.parquet")


@pytest.fixture(scope="module")
def base(book, plan):
    return engine(book, plan)


@pytest.fixture(scope="module")
def before(book, plan):
    return rate(book, plan, lang="en", trace=False)


def agrees(view, before, book, plan):
    """Hold every figure of a view to a full re-rate of its plan."""
    found = compare(before, rate(book, apply(plan, view.at), lang="en", trace=False))
    facts = found.totals
    assert view.total_fen == facts["premium_after_fen"]
    assert view.base_fen == facts["premium_before_fen"]
    assert (view.dearer, view.cheaper, view.above_25) == (facts["dearer"], facts["cheaper"], facts["above_25_percent"])
    assert view.largest_rise == facts["largest_rise"]
    assert view.bands.policies.tolist() == found.bands(EDGES).policies.tolist()
    assert view.segments.premium_after_fen.tolist() == found.by("sector").premium_after_fen.tolist()
    moved = found.movers(8)
    moved = moved[moved.change_fen != 0]
    assert view.movers.change_fen.tolist() == moved.change_fen.tolist()
    assert view.movers.policy_no.tolist() == moved.policy_no.tolist()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_move_is_a_full_re_rate_to_the_fen(book, plan, base, before, data):
    panel = live(book, plan, SLIDERS, base=base)
    assert panel.view.total_fen == base.total_fen
    for _ in range(4):
        path = data.draw(st.sampled_from(sorted(SLIDERS)))
        view = panel.move({path: data.draw(st.sampled_from(SLIDERS[path]))})
        if data.draw(st.booleans()):  # somebody else uses the same engine in between
            base.price({BASE: "*1.01"})
    agrees(view, before, book, plan)


def test_only_what_the_moved_slider_touches_is_priced_again(book, plan, base):
    panel = live(book, plan, SLIDERS, base=base)
    states, days = book["hazard_state"].to_pylist(), book["hazard_overdue_days"].to_pylist()
    refused = sum(state == "refused" and late >= 91 for state, late in zip(states, days))
    assert panel.view.how == NONE
    assert panel.move({BASE: "*1.05"}).how == ALL
    view = panel.move({REFUSED: "2.40"})
    assert (view.how, view.rows) == (ALL, refused), "the other slider stays moved, and costs nothing"
    panel.move({BASE: "*1.00"})
    assert panel.view.how == TOUCHED


def test_the_widgets_move_the_panel(book, plan, base, before):
    pytest.importorskip("ipywidgets")
    panel = live(book, plan, SLIDERS, base=base, lang="zh", labels={REFUSED: "拒不整改系数"})
    box = panel.widget()
    sliders, back, shown = box.children[0].children, box.children[1], box.children[2]
    assert sliders[0].description == "拒不整改系数"
    assert yuan_text(base.total_fen) in shown.value and "示例费率" in shown.value and "矿山" in shown.value
    sliders[2].value = "*1.10"
    sliders[0].value = "2.40"
    agrees(panel.view, before, book, plan)
    assert yuan_text(panel.view.total_fen) in shown.value
    assert (
        panel.view.total_fen
        == rate(book, apply(plan, {BASE: "*1.10", REFUSED: "2.40"}), lang="en", trace=False).premium_fen
    )
    back.click()
    assert panel.view.total_fen == base.total_fen and sliders[0].value == "1.80"
    bundle = panel._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle and yuan_text(base.total_fen) in bundle["text/html"]


def test_without_ipywidgets_it_says_what_to_install(book, plan, base, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    panel = live(book, plan, {BASE: ("*1", "*1.05")}, base=base)
    with pytest.raises(ModelError) as error:
        panel.widget()
    assert error.value.problems[0].code == "RM858"
    assert "application/vnd.jupyter.widget-view+json" not in panel._repr_mimebundle_()


def test_wrong_moves_are_refused_with_what_there_is(book, plan, base):
    panel = live(book, plan, SLIDERS, base=base)
    with pytest.raises(ModelError) as error:
        panel.move({"tables.base_rat": "*1.05", REFUSED: "9"})
    assert [item.code for item in error.value.problems] == ["RM859", "RM860"]
    assert BASE in str(error.value)
    with pytest.raises(PlanError):
        live(book, plan, {"tables.hazard_loadin": ["*1"]}, base=base)
    with pytest.raises(ModelError):
        live(book, plan, {}, base=base)
    with pytest.raises(ModelError):
        ladder("1", "1", "0.1")


def test_the_page_of_a_panel_starts_where_the_panel_does(book, plan, base):
    panel = live(book, plan, {REFUSED: SLIDERS[REFUSED], BASE: SLIDERS[BASE]}, base=base)
    page = panel.page(most=20)
    assert len(page.data["positions"]) <= 20
    assert [given["values"][given["at"]] for given in page.data["sliders"]] == ["1.80", "*1.00"]


def test_a_book_of_like_policies_collapses_to_its_cells_and_stays_exact(plan, book, monkeypatch):
    from ratemod.whatif import cells

    monkeypatch.setattr(cells, "LEAST", 100)
    few = book.slice(0, 60)
    wide = pa.concat_tables([few] * 40)
    wide = wide.set_column(0, "policy_no", pa.array([f"P{i}" for i in range(len(wide))]))
    wide = wide.drop_columns(["credit_code"]).append_column(
        "credit_code", pa.array([f"C{i}" for i in range(len(wide))])
    )
    made = engine(wide, plan)
    assert made.cells is not None and len(made.cells.first) <= 60
    before = rate(wide, plan, lang="en", trace=False)
    panel = live(wide, plan, SLIDERS, base=made)
    view = panel.move({BASE: "*1.10", CAP: "1.40"})
    assert view.how == CELLS
    found = compare(before, rate(wide, apply(plan, view.at), lang="en", trace=False))
    assert view.total_fen == found.totals["premium_after_fen"]
    assert view.bands.policies.tolist() == found.bands(EDGES).policies.tolist()
    assert view.segments.premium_after_fen.tolist() == found.by("sector").premium_after_fen.tolist()
    sweep = what_if(wide, plan, grid={BASE: ["*1", "*1.10"], REFUSED: ["1.80", "2.40"]}, by=["sector"], base=made)
    for item, total in zip(sweep.scenarios, sweep.total_fen):
        assert total == rate(wide, apply(plan, item), lang="en", trace=False).premium_fen
    whole = made.price({BASE: "*1.10", CAP: "1.40"}).whole(made)
    assert (whole == compare_fen(wide, apply(plan, view.at))).all()


def compare_fen(book, plan):
    rated = rate(book, plan, lang="en", trace=False)
    return np.where(rated.verdict.status < 2, rated.outputs.premium_fen, 0)
