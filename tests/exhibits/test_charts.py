"""Charts: the same bytes for the same data, real glyphs for Chinese, and data frames that say what is drawn."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from ratemod import charts
from ratemod.charts.tiles import PLACES
from ratemod.errors import BookError, ModelError

pytest.importorskip("matplotlib")
import itertools

from ratemod.charts.style import font_families, missing_glyphs


def triangle():
    values = np.array([[100.0, 150.0, 180.0], [110.0, 160.0, np.nan], [90.0, np.nan, np.nan]])
    return values, ["2023", "2024", "2025"]


def every_chart(lang):
    values, origins = triangle()
    x = np.linspace(0, 1, 5)
    four = np.array([1.0, 2.0, 3.0, 4.0])
    names = ["矿山", "危险化学品", "建筑施工", "<b>$x^2$&"] if lang == "zh" else ["mining", "chemicals", "a$b", "<b>&"]
    yield charts.waterfall(names, four, lang=lang)
    yield charts.dislocation(four, four * [0.5, 1.0, 1.2, 3.0], uncapped_yuan=four * 1.1, lang=lang)
    yield charts.fund_flow(names, four, four * 0.5, lang=lang)
    yield charts.relativities(names, four, four * 0.9, four * 1.1, four, current=four, selected=four, lang=lang)
    yield charts.actual_expected(names, four, four, four, standard_error=four / 10, lang=lang)
    yield charts.lift(four, four, four, lang=lang)
    yield charts.lorenz(x, x**2, lang=lang)
    yield charts.quintiles(four, four, lang=lang)
    yield charts.severity_fit(four, four, 1 - x[:4], 1 - x[:4], lang=lang)
    yield charts.triangle_heat_map(values, origins, ["12", "24", "36"], lang=lang)
    yield charts.triangle_heat_map(values, origins, ["12", "24", "36"], factors=False, lang=lang)
    yield charts.development_curves(values, origins, [12, 24, 36], projected=np.nan_to_num(values, nan=200), lang=lang)
    yield charts.division_tiles(["220100", "220500"], [3.0, np.nan], lang=lang)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_chart_renders_well_formed_and_titled(lang):
    if lang == "zh" and missing_glyphs(["元"]):
        pytest.skip("no Chinese font installed")
    for chart in every_chart(lang):
        drawn = chart.svg()
        root = ET.fromstring(drawn)
        assert root.attrib["role"] == "img"
        assert root[0].text == chart.title and root[1].text == chart.alt
        assert "<text" not in drawn, "letters must be outlines"
        assert len(chart.frame)


def test_same_data_same_bytes():
    one, two = (charts.waterfall(["a", "b"], [1.0, 2.0]) for _ in range(2))
    assert one.svg() == two.svg()
    assert one.png() == two.png()
    assert "20" + "26-" not in one.svg()  # no date


def test_chinese_is_drawn_with_glyphs_not_boxes():
    """Different characters must give different pictures: boxes would all look alike."""
    if len(font_families()) < 2:
        pytest.skip("no Chinese font installed")
    first, second = (charts.waterfall([name], [1.0], title="t") for name in ("矿", "危"))
    assert first.png() != second.png()
    assert missing_glyphs(["安全生产责任保险 矿山 延边朝鲜族自治州 ×—±"]) == ""


def test_a_character_without_a_font_is_refused():
    with pytest.raises(ModelError) as caught:
        charts.waterfall(["\U0001f9ff\ue123"], [1.0]).svg()
    assert caught.value.problems[0].code == "RM912"
    assert "\ue123" in caught.value.problems[0].args["characters"]


def test_settings_of_the_user_neither_leak_in_nor_out():
    import matplotlib

    plain = charts.waterfall(["a"], [1.0]).svg()
    with matplotlib.rc_context({"axes.facecolor": "red", "font.size": 30}):
        assert charts.waterfall(["a"], [1.0]).svg() == plain
        assert matplotlib.rcParams["font.size"] == 30


def test_save(tmp_path):
    chart = charts.waterfall(["a"], [1.0])
    assert chart.save(tmp_path / "a.svg").read_text(encoding="utf-8") == chart.svg()
    assert chart.save(tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    assert chart.save(tmp_path / "a.pdf").read_bytes()[:5] == b"%PDF-"
    with pytest.raises(BookError) as caught:
        chart.save(tmp_path / "a.gif")
    assert caught.value.problems[0].code == "RM800"


def test_dislocation_counts_every_policy_once_and_at_the_edge_in_the_upper_class():
    rng = np.random.default_rng(5)
    before = rng.uniform(1, 1000, 500)
    frame = charts.dislocation(before, before * rng.uniform(0.2, 2.5, 500)).frame
    assert frame["policies"].sum() == 500
    exact = charts.dislocation([100.0], [105.0]).frame
    assert exact.loc[exact["policies"] == 1, "change_from"].round(9).tolist() == [0.05]


def test_refusals():
    for call, code in [
        (lambda: charts.waterfall([], []), "RM913"),
        (lambda: charts.lift([1], [1, 2], [1]), "RM913"),
        (lambda: charts.dislocation([0.0], [1.0]), "RM914"),
        (lambda: charts.division_tiles(["220101"], [1.0]), "RM915"),
    ]:
        with pytest.raises(ModelError) as caught:
            call()
        assert caught.value.problems[0].code == code


def test_tiles_hold_every_division_once():
    from ratemod.vocabulary.codes.division import division_names

    assert set(PLACES) == set(division_names())
    assert len(set(PLACES.values())) == len(PLACES)


def test_the_palette_can_be_told_apart():
    """Neighbours of the palette differ clearly for full colour vision and in the two common deficiencies."""
    # Vienot, Brettel & Mollon (1999): linear RGB as seen without long- or middle-wave cones.
    protan = np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]])
    deutan = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
    rgb = np.array([[int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)] for code in charts.PALETTE])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    for sight in (np.eye(3), protan, deutan):
        seen = linear @ sight.T
        for one, two in itertools.pairwise(seen):
            assert np.abs(one - two).max() > 0.08
