"""Trend, large losses, indication, minimum bias, selection: exam answers, exhibits and invariants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.errors import ModelError, catalogue
from ratemod.ratemaking import indication as ind
from ratemod.ratemaking import large_loss as large
from ratemod.ratemaking import selection as sel
from ratemod.ratemaking import trend as tr
from ratemod.ratemaking.cells import Factor, collapse
from ratemod.ratemaking.family import poisson
from ratemod.ratemaking.glm import fit_glm
from ratemod.ratemaking.minimum_bias import minimum_bias

shares = st.lists(st.tuples(st.floats(0, 1e6), st.floats(1, 1e6), st.floats(0.01, 1)), min_size=1, max_size=8)


def test_trend_as_statsmodels():
    sm = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(5)
    t, w = np.arange(2018, 2025, dtype=float), rng.uniform(1, 9, 7)
    y = np.exp(3 + 0.04 * (t - 2018) + rng.normal(0, 0.05, 7))
    made = tr.fit_trend(t, y, w)
    want = sm.WLS(np.log(y), sm.add_constant(t - 2018), weights=w).fit()
    assert made.log_slope == pytest.approx(want.params[1], rel=1e-9)
    assert made.log_slope_se == pytest.approx(want.bse[1], rel=1e-9)
    assert [np.log1p(made.rate_low), np.log1p(made.rate_high)] == pytest.approx(list(want.conf_int()[1]), rel=1e-8)
    assert made.r_squared == pytest.approx(want.rsquared, rel=1e-9)
    np.testing.assert_allclose(np.log(made.fitted), want.fittedvalues, rtol=1e-10)


def test_exact_trends_multiply():
    t = np.arange(5.0)
    often, dear = tr.fit_trend(t, 0.1 * 0.97**t), tr.fit_trend(t, 5e4 * 1.06**t)
    assert often.rate == pytest.approx(-0.03, rel=1e-10)
    both = tr.fit_trend(t, 0.1 * 0.97**t * 5e4 * 1.06**t)
    assert tr.loss_cost_trend(often, dear) == pytest.approx(both.rate, rel=1e-10)
    years = tr.average_loss_date(2027.0, 1.0, 1.0) - 2023.5
    assert tr.trend_factor(0.06, 2023.5, 2023.5 + years) == pytest.approx(1.06**4.5)


@given(shares)
@settings(max_examples=60, deadline=None)
def test_spread_excess_keeps_the_total(rows):
    excess, base, z = (np.array(column) for column in zip(*rows))
    made = large.spread_excess(excess, base, z * 0.99)
    assert made.load.sum() == pytest.approx(excess.sum(), rel=1e-10, abs=1e-9)
    assert (made.load >= 0).all()
    own = large.spread_excess(excess, base, np.ones(len(base)))
    np.testing.assert_allclose(own.load, excess, rtol=1e-12)
    shared = large.spread_excess(excess, base, np.zeros(len(base)))
    np.testing.assert_allclose(shared.rate, np.full(len(base), shared.overall_rate), rtol=1e-9, atol=1e-300)


def test_capping_loses_nothing():
    kept, over = large.cap_losses([1.0, 5.0, 9.0], [5.0, 5.0, 2.0])
    assert (kept.tolist(), over.tolist()) == ([1, 5, 2], [0, 0, 7])
    assert large.catastrophe_load([0, 50, 0, 0], [100, 100, 200, 100]) == 0.1


def test_indications_of_the_exams(vectors):
    first, second, third = vectors("textbook_credibility_ratemaking")["indication"]
    rate = ind.indicated_rate(
        first["frequency"] * first["severity"],
        1,
        ind.Loadings({"v": first["V"]}, first["Q"]),
        fixed_per_exposure=first["fixed"],
    )
    assert rate.value == pytest.approx(first["rate_exact"], rel=1e-13)
    change = ind.indicated_change(
        second["loss_ratio"], 1, ind.Loadings({"v": second["V"]}, second["Q"]), fixed_expense=second["fixed_ratio"]
    )
    assert 1 + change.value == pytest.approx(second["ICF"], rel=1e-13)
    change = ind.indicated_change(
        third["losses"],
        third["on_level_premium"],
        ind.Loadings({"v": third["V"]}, third["Q"]),
        fixed_expense=third["fixed"],
    )
    lines = {line.name: line.value for line in change.lines}
    assert change.value == pytest.approx(third["change_exact"], rel=1e-12)
    assert lines["required premium"] == pytest.approx(third["required_premium_printed"], abs=0.005)
    assert lines["target loss ratio"] == pytest.approx(third["target_LR_printed"], abs=0.0005)
    assert lines["loss ratio"] / lines["target loss ratio"] - 1 == pytest.approx(change.value, rel=1e-12)
    recalled = vectors("ratemaking")["wm_indication_recalled"]
    pure = recalled["pure_premium"]
    assert ind.indicated_rate(
        pure["L_EL"], 1, ind.Loadings({"v": pure["V"]}, pure["Q"]), fixed_per_exposure=pure["F"]
    ).value == pytest.approx(pure["rate"], rel=1e-13)
    ratio = recalled["loss_ratio"]
    assert ind.indicated_change(
        ratio["LR"], 1, ind.Loadings({"v": ratio["V"]}, ratio["Q"]), fixed_expense=ratio["F"]
    ).value == pytest.approx(ratio["change"], rel=1e-12)


def test_the_lines_lead_to_the_answer():
    loadings = ind.Loadings({"commission": 0.05, "prevention fund": 0.1, "tax": 0.06}, 0.04, {"commission": 0.05})
    change = ind.indicated_change(900.0, 1000.0, loadings, fixed_expense=30.0)
    value = {line.name: line.value for line in change.lines}
    assert value["permissible ratio"] == pytest.approx(1 - 0.05 - 0.1 - 0.06 - 0.04)
    assert change.lines[-1].value == change.value
    spent = value["required premium"] * (1 - value["permissible ratio"]) + 900 + 30
    assert spent == pytest.approx(value["required premium"], rel=1e-13)


def test_minimum_bias_of_werner_modlin(vectors):
    case = vectors("ratemaking")["wm_minbias_recalled"]
    cost, units = np.array(case["loss_cost"]), np.array(case["exposure"])
    once = minimum_bias(cost, units, base=case["base"], start=[[1, 1], case["start_territory"]], iterations=1)
    np.testing.assert_allclose(once.relativities, case["iter1"], rtol=1e-12)
    done = minimum_bias(cost, units, base=case["base"])
    gender, territory = done.relativities
    assert gender[0] / gender[1] == pytest.approx(case["converged_gender_rel"], rel=1e-9)
    assert territory[0] / territory[1] == pytest.approx(case["converged_territory_rel"], rel=1e-9)
    shown, base = sel.rebase(gender, done.base, reference=1)
    shown, base = sel.rebase(territory, base, reference=1)
    assert base == pytest.approx(case["rebased_base"], rel=1e-9)
    assert shown[1] == 1
    one_way = case["one_way"]
    by_gender, by_territory = ((units * cost).sum(axis=a) / units.sum(axis=a) for a in (1, 0))
    np.testing.assert_allclose(by_gender, [one_way["male"], one_way["female"]], rtol=1e-12)
    np.testing.assert_allclose(by_territory, [one_way["urban"], one_way["rural"]], rtol=1e-12)


def test_amount_of_insurance_by_territory(vectors):
    data = vectors("textbook_credibility_ratemaking")["wm_aoi_territory"]
    rows = data["rows"]
    amount, terr = Factor("aoi", ("Low", "Medium", "High")), Factor("terr", ("1", "2", "3"))
    codes = [[amount.levels.index(row[0]) for row in rows], [row[1] - 1 for row in rows]]
    units, loss = np.array([row[2] for row in rows], float), np.array([row[3] for row in rows])
    want = data["computed_here_not_published"]["min_bias_multiplicative(exposure weights)"]
    fit = fit_glm(
        collapse([amount, terr], codes, units, loss),
        ["aoi", "terr"],
        poisson(overdispersed=True),
        reference={"aoi": "Medium", "terr": "1"},
    )
    value = dict(zip(fit.design.names, np.exp(fit.coefficient)))
    assert value["intercept"] == pytest.approx(want["base(Medium,terr1)"], rel=1e-9)
    for name, wanted in [("aoi", want["aoi"]), ("terr", want["terr"])]:
        for level, relativity in wanted.items():
            assert value.get(f"{name}[{level}]", 1.0) == pytest.approx(relativity, rel=1e-9)
    table = np.zeros((2, 3, 3))
    for a, t, w, y in zip(*codes, units, loss):
        table[:, a, t] = w, y / w
    done = minimum_bias(table[1], table[0])
    assert done.relativities[0][2] / done.relativities[0][1] == pytest.approx(want["aoi"]["High"], rel=1e-9)
    one_way = collapse([amount], codes[:1], units, loss)
    cost = one_way.total / one_way.weight
    printed = data["printed_univariate"]
    np.testing.assert_allclose(cost, printed["loss_per_exposure"], atol=5e-4)
    np.testing.assert_allclose(cost / cost[1], printed["relativity"], atol=5e-4)


def test_minimum_bias_is_the_poisson_model(vectors, table):
    factors, codes, column = table("auto_collision_uk_mildenhall", ["Age", "Vehicle_Use"])
    shape = tuple(len(factor.levels) for factor in factors)
    weight, cost = np.zeros(shape), np.zeros(shape)
    weight[tuple(codes)], cost[tuple(codes)] = column("Claim_Count"), column("Severity")
    done = minimum_bias(cost, weight)
    want = vectors("glm_R")["autocollision_sev_poisson_minbias"]["coef"]
    for factor, part, base in zip(factors, done.relativities, ("A", "Business")):
        logs = np.log(part / part[factor.levels.index(base)])
        for level, value in zip(factor.levels, logs):
            assert value == pytest.approx(want.get(f"{factor.name}{level}", 0.0), abs=1e-9)


def test_boor_off_balance(vectors):
    case = vectors("ratemaking")["boor_buhlmann_offbalance"]
    exposure = 25 * 1.2 ** np.arange(15)
    z = exposure / (exposure + case["K"])
    np.testing.assert_allclose(z, case["Z"], rtol=1e-12)
    losses = np.array(case["losses"])
    assert losses.sum() / exposure.sum() == pytest.approx(case["overall_rate"], rel=1e-12)
    made = sel.off_balance_complement(losses, exposure, z, case["overall_rate"])
    np.testing.assert_allclose(made.credibility_rate, case["cred_rate"], rtol=1e-12)
    assert made.factor == pytest.approx(case["offbalance_factor_F"], rel=1e-11)
    np.testing.assert_allclose(made.final_rate, case["final_rate"], rtol=1e-12)
    for name, got in [("r", made.credibility_rate), ("final", made.final_rate)]:
        printed = case["printed"][name]
        np.testing.assert_allclose(got[: len(printed)], printed, atol=0.5)
    assert made.final_rate @ exposure == pytest.approx(losses.sum(), rel=1e-12)


@given(st.lists(st.tuples(st.floats(0.1, 9), st.floats(0.1, 9), st.floats(0.1, 9)), min_size=1, max_size=9))
@settings(max_examples=40, deadline=None)
def test_rebasing_and_balance(rows):
    current, selected, weight = (np.array(column) for column in zip(*rows))
    factor = sel.off_balance(current, selected, weight)
    assert factor * (selected @ weight) == pytest.approx(current @ weight, rel=1e-12)
    averaged, base = sel.rebase(selected, 100.0, weight=weight)
    assert averaged @ weight / weight.sum() == pytest.approx(1, rel=1e-12)
    np.testing.assert_allclose(averaged * base, selected * 100, rtol=1e-12)


def test_selections_keep_order_and_reasons():
    made = sel.select(["a", "b"], [1.0, 2.0], [1.1, 2.2], {"b": (2.0, "one large loss")})
    assert [(row.cell, row.selected, row.reason) for row in made] == [
        ("a", 1.1, "as indicated"),
        ("b", 2.0, "one large loss"),
    ]


@pytest.mark.parametrize(
    ("codes", "call"),
    [
        ({"RM525"}, lambda: tr.fit_trend([1, 2], [1, 2])),
        ({"RM502"}, lambda: tr.fit_trend([1, 2, 3], [1, 0, 2])),
        ({"RM504"}, lambda: large.spread_excess([5.0], [1.0], [1.2])),
        (
            {"RM554", "RM555"},
            lambda: ind.permissible_ratio(ind.Loadings({"commission": 0.9}, 0.2, {"commission": 0.05})),
        ),
        ({"RM501"}, lambda: ind.permissible_ratio(ind.Loadings({"commission": -0.1}))),
        ({"RM531", "RM532"}, lambda: sel.select(["mine"], [1.0], [1.0], {"mines": (1.0, "")})),
        ({"RM556"}, lambda: sel.rebase([1.0], 1.0)),
        ({"RM557"}, lambda: sel.off_balance_complement([1.0], [1.0], [1.0], 1.0)),
        ({"RM558"}, lambda: minimum_bias([[0.0, 0.0], [1.0, 2.0]], [[1.0, 1.0], [1.0, 1.0]])),
    ],
)
def test_refusals(codes, call):
    with pytest.raises(ModelError) as caught:
        call()
    assert {item.code for item in caught.value.problems} == codes


def test_every_message_has_both_languages():
    ours = {code: texts for code, texts in catalogue().items() if code.startswith("RM5")}
    assert len(ours) > 50
    for texts in ours.values():
        assert texts["en"] and texts["zh"] and ("fix_en" in texts) == ("fix_zh" in texts)
