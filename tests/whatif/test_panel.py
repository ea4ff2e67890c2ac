"""The panel is opened in a real browser: a slider moves, and the total is that of a full re-rate."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.own_plan import own_plan

from ratemod.cli import main
from ratemod.errors import ModelError
from ratemod.money import yuan_text
from ratemod.plan.editions import load_plan
from ratemod.rating.rate import rate
from ratemod.whatif.incentive import incentive, retained
from ratemod.whatif.live import live
from ratemod.whatif.panel import panel
from ratemod.whatif.scenario import apply

BOOK = Path(__file__).parents[2] / "data" / "province" / "renewals.parquet"
REFUSED = "tables.hazard_loading[refused, ..31].value"
BASE = "tables.base_rate"


@pytest.fixture(scope="module")
def made():
    book = pq.read_table(BOOK).slice(0, 600)
    plan = load_plan("jilin-spli/2025-04")
    return (
        book,
        plan,
        panel(
            book,
            plan,
            {REFUSED: ["1.50", "1.80"], BASE: ["*1", "*1.05", "*1.10"]},
            lang="zh",
            labels={REFUSED: "拒不整改系数"},
        ),
    )


def test_every_position_is_a_full_re_rate(made):
    book, plan, shown = made
    for position, (one, other) in zip(
        shown.data["positions"], [(a, b) for a in ("1.50", "1.80") for b in ("*1", "*1.05", "*1.10")]
    ):
        rated = rate(book, apply(plan, {REFUSED: one, BASE: other}), lang="en", trace=False)
        assert int(position["total"]) == rated.premium_fen == sum(map(int, position["segments"]))
        assert sum(position["bands"]) == (rated.verdict.status < 2).sum()


def test_the_same_panel_is_the_same_bytes_and_names_no_network(made):
    _, _, shown = made
    page = shown.html()
    assert page == shown.html()
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page
    assert "srcdoc" in shown._repr_html_()


def test_a_hostile_key_stays_text(made):
    book, plan, _ = made
    names = book["policy_no"].to_pylist()
    names[0] = "</script><script>alert(1)</script>"
    import pyarrow as pa

    hostile = book.set_column(book.column_names.index("policy_no"), "policy_no", pa.array(names))
    page = panel(hostile, plan, {BASE: ["*1", "*1.5"]}).html()
    assert "<script>alert" not in page


def test_too_many_positions_are_refused(made):
    book, plan, _ = made
    with pytest.raises(ModelError):
        panel(book, plan, {BASE: [f"*{1 + i / 10000}" for i in range(5000)]})
    with pytest.raises(ModelError):
        panel(book, plan, {})


def browser():
    selenium = pytest.importorskip("selenium", reason="selenium is not installed")
    assert selenium
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("no chromium with its driver")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(word)
    return webdriver.Chrome(options=options, service=Service(driver))


def test_a_slider_moves_the_total_to_the_re_rated_value(made, tmp_path):
    book, plan, shown = made
    path = shown.save(tmp_path / "panel.html")
    window = browser()
    try:
        window.get(path.as_uri())
        total = window.find_element("id", "total")
        assert total.text == yuan_text(rate(book, plan, lang="en", trace=False).premium_fen)
        window.execute_script(
            "const s = document.getElementById('slider-1'); s.value = 2;s.dispatchEvent(new Event('input'));"
        )
        moved = rate(book, apply(plan, {REFUSED: "1.50", BASE: "*1.10"}), lang="en", trace=False).premium_fen
        assert total.text == yuan_text(moved)
        assert "拒不整改系数" in window.find_element("id", "sliders").text
        assert "矿山" in window.find_element("id", "segments").text
    finally:
        window.quit()


def test_incentives_by_segment(made):
    book, plan, _ = made
    found = incentive(book, plan, costs_yuan={"rectify": 3000.0})
    table = found.table
    assert set(table.action) == {"rectify", "certify", "claim_free"}
    for name, saving in zip(("rectify", "certify", "claim_free"), found.found.saving_fen):
        assert table[table.action == name].saving_fen.sum() == saving[found.found.priced & (saving > 0)].sum()
    rectify = table[table.action == "rectify"]
    assert (rectify.pays_for <= rectify.firms_that_save).all()
    with pytest.raises(ModelError):
        incentive(book, plan, costs_yuan={"rectifi": 1.0})
    with pytest.raises(ModelError):
        retained([0.1], 0.5)


def test_risk_of_the_loss_ratio_is_seeded_and_holds_both_parts():
    from ratemod.study.fit import fit
    from ratemod.whatif.uncertainty import loss_ratio_risk

    study = fit(BOOK.parent, "jilin-spli/2025-04", new_from="2026-01-01")
    one, again = loss_ratio_risk(study, draws=400, seed=7), loss_ratio_risk(study, draws=400, seed=7)
    assert (one.loss_ratio == again.loss_ratio).all()
    assert one.loss_ratio.mean() == pytest.approx(study.rates.reached, rel=0.05)
    assert one.loss_ratio.std() > one.parameter_only.std() > 0
    assert "EXAMPLE RATES" in study._repr_html_() or "示例费率" in study._repr_html_()


WORDS = [str(BOOK), "--plan", "jilin-spli/2025-04", "--lang", "en"]


def test_the_commands(tmp_path, capsys):
    assert main(["what-if", *WORDS, "--set", f"{REFUSED}=1.80", "--by", "sector"]) == 0
    assert "1.8" in capsys.readouterr().out
    page = tmp_path / "panel.html"
    assert main(["what-if", *WORDS, "--grid", f"{REFUSED}=1.50,1.80", "--panel", str(page)]) == 0
    assert page.exists()
    scene = tmp_path / "s.toml"
    scene.write_text(f'name = "s"\n[changes]\n"{REFUSED}" = "1.7"\n')
    assert main(["what-if", *WORDS, "--set", f"{REFUSED}=1.80", "--panel", str(tmp_path / "none.html")]) == 2
    assert main(["what-if", *WORDS, "--scenario", str(scene)]) == 0
    assert main(["compare", *WORDS, "--with", "jilin-spli/2025-04", "--by", "sector"]) == 0
    assert "0 dearer" in capsys.readouterr().out
    assert main(["solve", *WORDS, "--find", "tables.base_rate=0.8..1.4:0.001", "--target", "premium_change=0.02"]) == 0
    assert "tables.base_rate = 1." in capsys.readouterr().out
    assert main(["solve", *WORDS, "--find", "tables.base_rate", "--target", "premium_change=0.02"]) == 1
    assert main(["what-if", *WORDS, "--set", "tables.base_rat=*2"]) == 1
    assert "tables.base_rate" in capsys.readouterr().err


def test_the_plan_as_it_stands_is_always_a_position_with_names_and_segments_of_the_plan(made):
    book, plan, _ = made
    page = panel(
        book, plan, {REFUSED: ["1.40", "2.10"], BASE: ["*0.95", "*1.05"], "steps.renewal_cap.on": [False]}, lang="zh"
    ).data
    assert [item["values"] for item in page["sliders"]] == [
        ["1.40", "1.5", "2.10"],
        ["*0.95", "*1", "*1.05"],
        ["true", "false"],
    ]
    assert [item["values"][item["at"]] for item in page["sliders"]] == ["1.5", "*1", "true"]
    assert page["sliders"][0]["label"] == "重大隐患系数 [拒不整改、..31]"
    assert all("." not in item["label"].split(" [")[0] for item in page["sliders"])
    sectors = set(book["sector"].to_pylist())
    assert len(page["segments"]) == len(sectors) and all(page["segments"])
    for values in ("1.5", 1.5, {"1.5": 1}):  # a text is no list of its letters
        with pytest.raises(ModelError) as error:
            panel(book, plan, {REFUSED: values})
        assert error.value.problems[0].code == "RM382"


def test_a_page_with_fewer_positions_keeps_the_plan_and_where_one_stands(made):
    from ratemod.whatif.sliders import thinned

    _, plan, _ = made
    sliders = {REFUSED: tuple(f"1.{at:02}" for at in range(100)), BASE: tuple(f"*1.{at:02}" for at in range(50))}
    for most in (4096, 100, 9, 4, 1):
        found = thinned(plan, sliders, {REFUSED: "1.33", BASE: "*1.44"}, most)
        assert {"1.33", "1.50"} <= set(found[REFUSED]) and {"*1.44", "*1.00"} <= set(found[BASE])
        assert len(found[REFUSED]) * len(found[BASE]) <= max(most, 4)
        assert all([value for value in sliders[path] if value in given] == list(given) for path, given in found.items())


NO_LEVELS = """
[column.heads]
kind = "number"
min = 1
max = 100
[constant.rate]
value = "2"
source = "s"
[[step]]
name = "charge"
op = "product"
of = ["heads", "rate"]
[[step]]
name = "premium"
op = "round"
of = "charge"
unit = "0.01"
"""


def test_of_a_plan_without_a_column_of_levels_the_book_is_one_segment(tmp_path, capsys, monkeypatch):
    """3 and 5 heads at 2 are 16.00, at 3 they are 24.00."""
    plan, sliders = own_plan(tmp_path, NO_LEVELS), {"constants.rate": ["2", "3"]}
    book = pd.DataFrame({"policy_no": ["A", "B"], "heads": [3, 5]})
    moving, shown = live(book, plan, sliders), panel(book, plan, sliders)
    assert moving.move({"constants.rate": "3"}).segments["premium_after_fen"].tolist() == [2400]
    assert moving.by == shown.by and [item["segments"] for item in shown.data["positions"]] == [["1600"], ["2400"]]
    book.to_csv(tmp_path / "book.csv", index=False)
    monkeypatch.chdir(tmp_path)
    asked = ["what-if", "book.csv", "--plan", "own/1", "--grid", "constants.rate=2,3", "--panel", "page.html"]
    assert main(["--lang", "en", *asked]) == 0
    assert (tmp_path / "page.html").exists() and "24.00" in capsys.readouterr().out


def test_segments_are_the_first_levels_where_a_plan_has_no_sectors(tmp_path):
    levels = '[column.zone]\nkind = "level"\nlevels = [{ code = "east" }, { code = "west" }]\n'
    closed = '[[rule]]\nname = "closed"\nwhen = { of = "zone", is = "west" }\naction = "label"\n'
    closed += 'message_en = "Far"\nmessage_zh = "偏远"\nsource = "s"\n'
    plan = own_plan(tmp_path, levels + NO_LEVELS + closed)
    book = pd.DataFrame({"policy_no": ["A", "B", "C"], "heads": [3, 5, 1], "zone": ["west", "east", "west"]})
    moving = live(book, plan, {"constants.rate": ["2", "3"]})
    assert moving.view.segments.set_index("zone")["premium_after_fen"].to_dict() == {"east": 1000, "west": 800}
