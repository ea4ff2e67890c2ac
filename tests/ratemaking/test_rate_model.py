"""`rate_model`: published fits straight from files and frames, and what it refuses."""

import numpy as np
import pandas as pd
import pytest

import ratemod as rm
from ratemod.errors import BookError, ModelError

from .conftest import DATA


def path(name):
    found = DATA / f"{name}.csv"
    if not found.exists():
        pytest.skip(f"reference data {found.name} is not here (its licence keeps it out of this repository)")
    return found


def agree(model, want):
    named = {"(Intercept)" if n == "intercept" else n.replace("[", "").replace("]", "") for n in model.fit.design.names}
    assert named == set(want["coef"])
    table = model.coefficients()
    for name, row in zip(table.index, table.itertuples()):
        name = "(Intercept)" if name == "intercept" else name.replace("[", "").replace("]", "")
        assert row.coefficient == pytest.approx(want["coef"][name], abs=1e-8)
        assert row.standard_error == pytest.approx(want["se"][name], rel=1e-7, abs=1e-8)


def test_a_file_as_it_lies_gives_what_r_gives(vectors):
    factors = ["Kilometres", "Zone", "Bonus", "Make"]
    first = dict.fromkeys(factors, "1")
    file = path("swedish_motor_1977_motorins")
    model = rm.rate_model(file, total="Claims", weight="Insured", factors=factors, reference=first)
    agree(model, vectors("glm_R")["sweden77_freq_poisson"])
    pure = rm.rate_model(file, total="Payment", weight="Insured", factors=factors, reference=first, family="tweedie")
    agree(pure, vectors("glm_R")["sweden77_pp_tweedie15"])


def test_statsmodels_agrees_on_a_frame_with_an_offset():
    import statsmodels.api as sm
    import statsmodels.formula.api as smf

    draw = np.random.default_rng(5)
    n = 4000
    frame = pd.DataFrame(
        {
            "sector": draw.choice(["mine", "shop", "port"], n),
            "size": draw.integers(8, 12, n),
            "heads": draw.integers(1, 90, n).astype(float),
            "limit_factor": draw.uniform(0.8, 1.4, n),
        }
    )
    mean = frame["heads"] * frame["limit_factor"] * np.where(frame["sector"] == "mine", 0.04, 0.02)
    frame["claims"] = draw.poisson(mean)
    model = rm.rate_model(
        frame,
        total="claims",
        weight="heads",
        factors=["sector", "size"],
        known_factor="limit_factor",
        reference={"sector": "mine", "size": "8"},
    )
    assert model.cells.factors[1].levels == ("8", "9", "10", "11")
    offset = np.log(frame["heads"] * frame["limit_factor"])
    peer = smf.glm("claims ~ C(sector) + C(size)", frame, family=sm.families.Poisson(), offset=offset).fit(tol=1e-14)
    mine = model.coefficients()
    assert mine["coefficient"]["sector[shop]"] == pytest.approx(peer.params["C(sector)[T.shop]"], abs=1e-9)
    assert mine["standard_error"]["size[11]"] == pytest.approx(peer.bse["C(size)[T.11]"], rel=1e-7)
    assert mine["p_value"]["size[10]"] == pytest.approx(peer.pvalues["C(size)[T.10]"], rel=1e-6)
    shown = model.frame()
    assert shown[shown["factor"] == "size"]["total"].sum() == frame["claims"].sum()
    assert set(model.tests()["factor"]) == {"sector", "size"}
    cell = pd.DataFrame({"sector": ["shop"], "size": [9]})
    assert model.predict(cell)[0] == pytest.approx(
        np.exp(peer.params["Intercept"] + peer.params["C(sector)[T.shop]"] + peer.params["C(size)[T.9]"])
    )


def test_unknown_levels_and_empty_cells_are_refused():
    rows = pd.DataFrame({"行业": ["矿山", "渔业"] * 2, "人数": ["1,200", "300", "800", "310"], "赔案": [5, 1, 3, 2]})
    model = rm.rate_model(rows, total="赔案", weight="人数", factors=["行业"])
    assert model.base_rate == pytest.approx(8 / 2000)
    with pytest.raises(BookError, match=r"RM564.*渔业"):
        model.predict(pd.DataFrame({"行业": ["渔业生"]}))
    with pytest.raises(BookError, match="RM565"):
        model.predict(pd.DataFrame({"行业": ["渔业", None]}))
    with pytest.raises(BookError, match=r"RM565 4 row\(s\).*first at row 1"):
        rm.rate_model(rows.assign(人数=["many", "", "-5", None]), total="赔案", weight="人数", factors=["行业"])
    with pytest.raises(BookError, match="RM666"):
        rm.rate_model(rows, total="赔案", weight="heads", factors=["行业"])
    with pytest.raises(ModelError, match=r"RM012.*did you mean 'poisson'"):
        rm.rate_model(rows, total="赔案", weight="人数", factors=["行业"], family="poison")
    with pytest.raises(ModelError, match=r"RM566.*known_factor") as refusal:
        rm.rate_model(rows, total="赔案", weight="人数", factors=["行业"], family="negative_binomial", known_factor="k")
    assert "did you mean" not in str(refusal.value)
    one = rm.rate_model(rows, total="赔案", weight="人数", factors="行业")
    assert one.frame().factor.unique().tolist() == ["行业"]


def test_display_is_escaped():
    rows = pd.DataFrame({"sector": ["<script>", "shop"] * 2, "heads": [10, 20, 11, 19], "claims": [4, 2, 3, 3]})
    shown = rm.rate_model(rows, total="claims", weight="heads", factors=["sector"])._repr_html_()
    assert "<script>" not in shown and "&lt;script&gt;" in shown
