"""Numbers as numbers, NB2 and the steps of a model, held against statsmodels, scipy and closed forms."""

import numpy as np
import pandas as pd
import pytest

import ratemod as rm
from ratemod.errors import BookError, ModelError

from .conftest import DATA


def drawn(n=4000, seed=4):
    draw = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "use": draw.choice(["home", "work", "farm"], n),
            "age": draw.uniform(18, 80, n).round(1),
            "density": draw.lognormal(5, 1, n).round(2),
            "w": draw.uniform(0.2, 1, n),
        }
    )
    log = -1.5 + 0.02 * rows.age + 0.3 * (rows.use == "work") + 0.1 * np.log(rows.density)
    heavy = draw.gamma(2.0, 0.5, n)
    return rows.assign(n=draw.poisson(rows.w * np.exp(log)), many=draw.poisson(rows.w * np.exp(log) * heavy))


def peer(formula, rows, offset=None):
    import statsmodels.api as sm
    import statsmodels.formula.api as smf

    family = sm.families.Poisson()
    return smf.glm(formula, rows, family=family, offset=np.log(rows.w) if offset is None else offset).fit(tol=1e-13)


def test_linear_log_and_polynomial_are_those_of_statsmodels():
    rows = drawn()
    model = rm.rate_model(
        rows,
        total="n",
        weight="w",
        factors=["use"],
        reference={"use": "farm", "age": 40, "density": 1},
        covariates={"age": "polynomial(2)", "density": "log"},
    )
    want = peer("n ~ use + I(age - 40) + I((age - 40)**2) + np.log(density)", rows)
    assert model.fit.design.names == ("intercept", "use[home]", "use[work]", "age", "age^2", "log(density)")
    assert model.fit.coefficient == pytest.approx(want.params.to_numpy(), rel=1e-9, abs=1e-12)
    assert model.fit.standard_error == pytest.approx(want.bse.to_numpy(), rel=1e-7)
    assert model.fit.log_likelihood == pytest.approx(want.llf) and model.fit.aic == pytest.approx(want.aic)
    assert model.fit.deviance == pytest.approx(want.deviance)
    new = pd.DataFrame({"use": ["work", "home"], "age": [95.0, 30.0], "density": [1000.0, 7.5]})
    told = want.get_prediction(new, offset=np.zeros(2)).summary_frame(alpha=0.05)
    got = model.predictions(new, level=0.95)
    assert got["mean"].to_numpy() == pytest.approx(told["mean"].to_numpy(), rel=1e-9)
    assert got["low"].to_numpy() == pytest.approx(told["mean_ci_lower"].to_numpy(), rel=1e-7)
    curve = model.curve("age", [40.0, 60.0])
    rise = np.exp(20 * want.params.iloc[3] + 400 * want.params.iloc[4])
    assert curve["relativity"].tolist() == pytest.approx([1.0, rise])
    assert curve["log_standard_error"].iloc[0] == 0


def test_an_interaction_of_a_level_and_a_number_is_a_slope_of_each():
    rows = drawn()
    model = rm.rate_model(
        rows,
        total="n",
        weight="w",
        factors=["use"],
        covariates="age",
        interactions=[("use", "age")],
        reference={"use": "farm", "age": 0},
    )
    want = peer("n ~ use * age", rows)
    assert model.fit.coefficient == pytest.approx(want.params.to_numpy(), rel=1e-7)


def test_a_spline_spans_the_natural_splines_of_its_knots():
    from scipy.interpolate import CubicSpline

    rows = drawn()
    model = rm.rate_model(rows, total="n", weight="w", covariates={"age": "spline(4)"})
    knots = np.quantile(rows.age, [0, 0.25, 0.5, 0.75, 1])
    assert model.fit.design.curves[0].knots == pytest.approx(knots)
    # Another basis of the same space: the natural cubic interpolants of the unit vectors at the knots.
    basis = np.column_stack([CubicSpline(knots, unit, bc_type="natural")(rows.age) for unit in np.eye(5)[1:]])
    frame = rows.assign(**{f"s{j}": basis[:, j] for j in range(4)})
    want = peer("n ~ s0 + s1 + s2 + s3", frame)
    assert model.fit.deviance == pytest.approx(want.deviance, rel=1e-12)
    ages = np.array([18.0, 33.3, 61.0])
    at = pd.DataFrame({f"s{j}": CubicSpline(knots, np.eye(5)[j + 1], bc_type="natural")(ages) for j in range(4)})
    assert model.predict({"age": ages}) == pytest.approx(want.predict(at, offset=np.zeros(3)).to_numpy(), rel=1e-8)
    log = np.log(model.predict({"age": [90.0, 100.0, 110.0]}))
    assert log[2] - log[1] == pytest.approx(log[1] - log[0])  # straight beyond its ends


def test_a_number_beyond_one_block_is_fitted_in_flat_memory(monkeypatch):
    from ratemod.ratemaking import model_matrix

    rows = drawn(1000)
    whole = rm.rate_model(rows, total="n", weight="w", factors=["use"], covariates=["age", "density"])
    monkeypatch.setattr(model_matrix, "BLOCK", 64)
    parts = rm.rate_model(rows, total="n", weight="w", factors=["use"], covariates=["age", "density"])
    assert parts.fit.coefficient == pytest.approx(whole.fit.coefficient, rel=1e-10)
    assert parts.predict(rows) == pytest.approx(whole.predict(rows), rel=1e-12)


def test_faults_of_covariates_are_named():
    rows = drawn(200)
    call = {"total": "n", "weight": "w"}
    with pytest.raises(ModelError, match=r"RM482.*did you mean 'linear'"):
        rm.rate_model(rows, covariates={"age": "liner"}, **call)
    with pytest.raises(ModelError, match="RM483 flag has 2 different"):
        rm.rate_model(rows.assign(flag=np.arange(200) % 2), covariates={"flag": "spline(3)"}, **call)
    with pytest.raises(ModelError, match="RM484 use"):
        rm.rate_model(rows, factors=["use"], covariates=["use"], **call)
    with pytest.raises(ModelError, match=r"RM487.*density"):
        rm.rate_model(rows, covariates={"density": "log"}, reference={"density": 0}, **call)
    bare = rows.assign(density=rows.density.where(rows.density > 60, 0))
    holes = rm.rate_model(bare, covariates={"density": "log"}, **call)
    assert set(holes.refused.code) == {"RM494"} and holes.rows.accounts.refused == (rows.density <= 60).sum()


def test_nb2_is_that_of_statsmodels():
    import statsmodels.api as sm

    rows = drawn()
    model = rm.rate_model(
        rows,
        total="many",
        weight="w",
        factors=["use"],
        covariates=["age"],
        family="nb2",
        reference={"use": "farm", "age": 0},
    )
    x = sm.add_constant(pd.get_dummies(rows.use, dtype=float)[["home", "work"]].assign(age=rows.age))
    want = sm.NegativeBinomial(rows.many, x, offset=np.log(rows.w)).fit(disp=0, maxiter=500, gtol=1e-10)
    assert model.fit.coefficient == pytest.approx(want.params.to_numpy()[:4], rel=1e-5)
    assert model.fit.family.alpha == pytest.approx(want.params["alpha"], rel=1e-5)
    assert model.fit.log_likelihood == pytest.approx(want.llf, rel=1e-10)
    assert model.fit.aic == pytest.approx(want.aic, rel=1e-9)
    family = sm.families.NegativeBinomial(alpha=model.fit.family.alpha)
    at = sm.GLM(rows.many, x, family=family, offset=np.log(rows.w)).fit()
    assert model.fit.standard_error == pytest.approx(np.sqrt(np.diag(at.cov_params())), rel=1e-6)  # as glm.nb: α held
    assert model.cells.weight.sum() == pytest.approx(rows.w.sum())
    assert set(model.tests()["factor"]) == {"use", "age"}
    with pytest.raises(ModelError, match="RM495"):
        rm.rate_model(rows.assign(many=np.arange(len(rows)) % 2), total="many", weight="w", family="nb2")


def stepped(n=2000):
    draw = np.random.default_rng(8)
    size, ring = draw.integers(1, 9, n), draw.choice(["in", "out"], n)
    rows = pd.DataFrame({"size": size, "ring": ring, "w": draw.uniform(1, 9, n)})
    return rows.assign(n=draw.poisson(0.3 * rows.w * (1 + 0.1 * rows["size"])))


def test_steps_fit_what_rows_so_prepared_fit():
    rows = stepped()
    model = rm.rate_model(rows, total="n", weight="w", factors=["size", "ring"], reference={"ring": "in"})
    banded = model.band("size", [1, 3, 6, 9], "three classes of the tariff")
    want = peer("n ~ C(cut) + ring", rows.assign(cut=np.digitize(rows["size"], [3, 6])))
    assert banded.fit.deviance == pytest.approx(want.deviance)
    assert banded.predict(pd.DataFrame({"size": [2], "ring": ["out"]})) == pytest.approx(
        banded.predict(pd.DataFrame({"size": [1], "ring": ["out"]}))
    )
    merged = banded.merge("size", {"[6, 9)": "[3, 6)"}, "thin")
    assert merged.predict(pd.DataFrame({"size": [8], "ring": ["in"]})) == pytest.approx(
        merged.predict(pd.DataFrame({"size": [3], "ring": ["in"]}))
    )
    again = merged.again(rows)
    assert again.fit.coefficient.tolist() == merged.fit.coefficient.tolist()
    with pytest.raises(ModelError, match="RM488"):
        model.band("size", [1, 3, 6], "too short")
    with pytest.raises(ModelError, match="RM531"):
        model.band("size", [1, 9], " ")
    with pytest.raises(ModelError, match=r"RM486.*did you mean 'size'"):
        model.merge("sise", {"1": "2"}, "x")


def test_relativities_that_are_set_are_an_offset_of_the_others():
    rows = stepped()
    model = rm.rate_model(rows, total="n", weight="w", factors=["size", "ring"], reference={"ring": "in", "size": "1"})
    chosen = {str(j): 1 + 0.1 * j for j in range(1, 9)}
    held = model.restrict("size", chosen, "as filed")
    want = peer("n ~ ring", rows, offset=np.log(rows.w * rows["size"].astype(str).map(chosen)))
    assert held.fit.coefficient == pytest.approx(want.params.to_numpy(), rel=1e-9)
    assert held.fit.deviance == pytest.approx(want.deviance)
    assert held.fit.null_deviance == pytest.approx(want.null_deviance)
    assert (held.predict(rows) * rows.w).sum() == pytest.approx(rows.n.sum())
    up = model.monotone("size", "increasing", "more heads, more harm")
    shown = up.frame()
    assert shown[shown.factor == "size"].relativity.is_monotonic_increasing and "size set (monotone)" in repr(up)
    flat = model.smooth("size", "no jumps", strength=1e9).frame()
    log = np.log(flat[flat.factor == "size"].relativity.to_numpy())
    assert np.abs(np.diff(log, 2)).max() < 1e-6
    assert model.smooth("size", "as it is", strength=0.0).fit.deviance == pytest.approx(model.fit.deviance)
    with pytest.raises(ModelError, match="RM497"):
        model.restrict("size", {"1": 1.0}, "half")


def test_credibility_of_a_factor_draws_to_the_mean_as_far_as_chance_goes():
    draw = np.random.default_rng(3)
    levels, each = 60, 8
    truth = draw.gamma(25.0, 1 / 25.0, levels)
    code = np.repeat(np.arange(levels), each)
    rows = pd.DataFrame({"firm": code, "w": draw.uniform(5, 20, levels * each)})
    rows["n"] = draw.poisson(0.3 * rows.w * truth[code])
    model = rm.rate_model(rows, total="n", weight="w", factors=["firm"])
    drawn_in = model.shrink("firm", "eight years a firm")
    u = np.array(drawn_in.fixed[0].relativity)
    held, total = rows.groupby("firm").w.sum().to_numpy() * drawn_in.base_rate, rows.groupby("firm").n.sum().to_numpy()
    own = total / held
    between = (held @ (own - held @ own / held.sum()) ** 2 - (levels - 1)) / (held.sum() - held @ held / held.sum())
    assert u == pytest.approx(1 + between * held / (between * held + 1) * (own - 1), rel=1e-8)
    assert np.abs(u / u.mean() - truth).mean() < np.abs(own / own.mean() - truth).mean()
    assert model.shrink("firm", "none", between_variance=0.0).fixed[0].relativity == (1.0,) * levels


def test_the_injuries_of_mines_are_those_of_statsmodels():
    file = DATA / "usMSHA1316.csv.gz"
    if not file.exists():
        pytest.skip(f"reference data {file.name} is not here (its licence keeps it out of this repository)")
    rows = pd.read_csv(file, keep_default_na=False).assign(w=lambda d: d.EMP_HRS_TOTAL / 2000)
    model = rm.rate_model(
        rows.replace({"MINE_STATUS": {"": None}}),
        total="NUM_INJURIES",
        weight="w",
        factors=["COMMODITY", "MINE_STATUS"],
        covariates={"PCT_HRS_UNDERGROUND": "spline(3)"},
    )
    done = model.rows.accounts
    assert done.refused == 19 and done.used + done.without_weight == 53_746 - 19
    kept = rows[(rows.w > 0) & (rows.MINE_STATUS != "")]
    bent = model.fit.design.curves[0].columns(kept.PCT_HRS_UNDERGROUND)
    frame = kept.assign(**{f"s{j}": bent[:, j] for j in range(3)})
    want = peer("NUM_INJURIES ~ C(COMMODITY) + C(MINE_STATUS) + s0 + s1 + s2", frame)
    assert model.fit.deviance == pytest.approx(want.deviance, rel=1e-10)
    assert model.fit.coefficient[-3:] == pytest.approx(want.params.to_numpy()[-3:], rel=1e-6)


def test_a_model_is_judged_on_rows_that_it_has_not_seen():
    rows = drawn(6000).assign(year=np.arange(6000) % 3, band=lambda d: np.where(d.age < 50, "young", "old"))
    first, last = rows[rows.year < 2], rows[rows.year == 2].reset_index(drop=True)
    model = rm.rate_model(first, total="n", weight="w", factors=["use"], covariates=["age"])
    judged = model.validate(last)
    expected = model.predict(last) * last.w
    assert judged.actual_expected == pytest.approx(last.n.sum() / expected.sum())
    by = judged.by("band").set_index("level")
    for name, part in last.assign(e=expected).groupby("band"):
        assert by.ratio[name] == pytest.approx(part.n.sum() / part.e.sum()) and by.rows[name] == len(part)
        half = 1.959963984540054 * np.sqrt(max(part.e.sum(), ((part.n - part.e) ** 2).sum())) / part.e.sum()
        assert by.high[name] - by.ratio[name] == pytest.approx(half)
    flat = rm.rate_model(first, total="n", weight="w").validate(last)
    both = judged.double_lift(flat, 5)
    assert (both.weight * both.actual).sum() == pytest.approx(last.n.sum())
    assert np.abs(both.predicted - both.actual).sum() < np.abs(both.other - both.actual).sum()
    told = judged.gini(seed=1)
    assert told.low < told.value < told.high and told.value > 0.05
    assert (judged.calibration(5).weight * judged.calibration(5).predicted).sum() == pytest.approx(expected.sum())
    holes = last.astype({"n": object}).assign(n=lambda d: d.n.where(d.index > 3, None))
    assert model.validate(holes).accounts.refused == 4 and "4 refused" in repr(model.validate(holes))
    with pytest.raises(BookError, match="RM564"):
        model.validate(last.assign(use="boat"))
