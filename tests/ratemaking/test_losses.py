"""Severities, limits and aggregate losses against R actuar, exam answers and Monograph examples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from ratemod.errors import ModelError
from ratemod.ratemaking import aggregate as agg
from ratemod.ratemaking import distribution as dist
from ratemod.ratemaking import limits as lim

ACTUAR = {
    "lognormal_mu9.2_s1.6": dist.lognormal(9.2, 1.6),
    "pareto_a1.1_s10000": dist.pareto(1.1, 10000),
    "gamma_a0.5_s60000": dist.gamma(0.5, 60000),
    "burr_a2_g1.2_s30000": dist.burr(2, 1.2, 30000),
    "invgauss_mu20000_phi1e-4": dist.inverse_gaussian(20000, 1e-4),
}
OTHERS = {
    "weibull": dist.weibull(0.7, 900.0),
    "exponential": dist.exponential(500.0),
    "mixture": dist.mixture([dist.gamma(2.0, 100.0), dist.pareto(2.5, 4000.0)], [0.8, 0.2]),
    "pareto 1": dist.pareto(1.0, 300.0),
    "pareto 2": dist.pareto(2.0, 300.0),
}


@pytest.mark.parametrize("name", ACTUAR)
def test_actuar_limits(vectors, name):
    want, severity = vectors("severity_aggregate_actuar")["lev"][name], ACTUAR[name]
    at = np.array(want["limits"], dtype=float)
    np.testing.assert_allclose(dist.limited_moment(severity, at), want["lev"], rtol=1e-12)
    np.testing.assert_allclose(lim.increased_limit_factors(severity, at, 100_000), want["ilf_base100k"], rtol=1e-12)
    np.testing.assert_allclose(lim.loss_elimination_ratio(severity, at), want["LER"], rtol=1e-12)
    np.testing.assert_allclose(lim.excess_ratio(severity, at), want["excess_ratio"], rtol=1e-11, atol=1e-14)
    if "mean" in want:
        assert dist.mean(severity) == pytest.approx(want["mean"], rel=1e-12)
    if "lev2" in want:
        np.testing.assert_allclose(dist.limited_moment(severity, at, 2), want["lev2"], rtol=1e-12)


@pytest.mark.parametrize("name", [*ACTUAR, *OTHERS])
def test_closed_forms_are_the_integrals_of_survival(name):
    severity = {**ACTUAR, **OTHERS}[name]
    for top in (300.0, 40_000.0):
        first = integrate.quad(lambda x: float(dist.survival(severity, x)), 0, top, limit=500, epsabs=0, epsrel=1e-12)[
            0
        ]
        assert float(dist.limited_moment(severity, top)) == pytest.approx(first, rel=1e-10)
        mass = integrate.quad(
            lambda x: float(dist.density(severity, x)), 1.0, top, limit=500, epsabs=1e-14, points=[min(200.0, top / 2)]
        )[0]
        cut = dist.survival(severity, [1.0, top])
        assert float(cut[0] - cut[1]) == pytest.approx(mass, rel=1e-7, abs=1e-12)
        if name == "invgauss_mu20000_phi1e-4":
            continue
        second = integrate.quad(
            lambda x: 2 * x * float(dist.survival(severity, x)), 0, top, limit=500, epsabs=0, epsrel=1e-12
        )[0]
        assert float(dist.limited_moment(severity, top, 2)) == pytest.approx(second, rel=1e-9)


def test_moments_without_limit_and_quantiles():
    assert dist.mean(dist.pareto(1.0, 5.0)) == np.inf
    assert float(dist.limited_moment(dist.pareto(2.0, 5.0), np.inf, 2)) == np.inf
    assert float(dist.limited_moment(dist.pareto(3.0, 2.0), np.inf, 2)) == pytest.approx(4.0)
    for severity in {**ACTUAR, **OTHERS}.values():
        p = np.array([0.01, 0.5, 0.99])
        np.testing.assert_allclose(1 - dist.survival(severity, dist.quantile(severity, p)), p, rtol=1e-10)


def test_exam_deductibles_limits_and_trend(vectors):
    book = vectors("textbook_severity_aggregate")
    one = book["lda_3_4_1"]
    made = lim.layer(dist.exponential(one["inputs"]["exp_mean"]), [one["inputs"]["deductible"]], [np.inf])
    assert made.variance_per_loss.item() == pytest.approx(one["exact"]["var_YL"], rel=1e-12)
    ratio = book["lda_3_4_3"]
    now = -np.log(1 - ratio["inputs"]["LER_now"])
    then = lim.loss_elimination_ratio(dist.exponential(1.0), [now * ratio["inputs"]["deductible_ratio"]])
    assert then.item() == pytest.approx(ratio["exact"]["LER_next"], rel=1e-12)
    case = book["lda_3_4_5"]
    layers = [lim.layer(dist.exponential(1000.0), [100.0], [500.0], trend=t) for t in (1.0, 1.05)]
    np.testing.assert_allclose([x.per_loss.item() for x in layers], case["exact"]["E_YL"], rtol=1e-12)
    np.testing.assert_allclose([x.per_payment.item() for x in layers], case["exact"]["E_YP"], rtol=1e-12)
    growth = layers[1].per_payment.item() / layers[0].per_payment.item() - 1
    assert growth == pytest.approx(case["exact"]["increase"], rel=1e-10)
    split = book["lda_10_4_4"]
    made = lim.split_by_layer(split["inputs"]["claims"], split["inputs"]["cuts"])
    assert made.T.tolist() == split["printed"]["per_claim"]
    assert made.sum(axis=0).tolist() == split["printed"]["totals"]


def test_bahnemann_monograph_example(vectors):
    case = vectors("textbook_severity_aggregate")["bahnemann_6_3_6_4"]
    given, severity = case["inputs"], dist.lognormal(*case["inputs"]["lognormal"])
    at, base, alae = np.array(given["limits"]), given["limits"][0], given["alae_per_claim"]
    np.testing.assert_allclose(dist.limited_moment(severity, at), case["LEV"], rtol=1e-12)
    fixed = lim.increased_limit_factors(severity, at, base, expense_per_claim=alae)
    np.testing.assert_allclose(fixed, case["ILF_fixed_alae"], rtol=1e-12)
    alone = lim.increased_limit_factors(severity, at, base)
    np.testing.assert_allclose(alone, case["ILF_proportional_alae"], rtol=1e-12)
    premium = (
        (dist.limited_moment(severity, at) + alae)
        * given["frequency"]
        * given["exposure"]
        / (1 - given["variable_expense"])
    )
    np.testing.assert_allclose(premium, case["premium"], rtol=1e-12)
    np.testing.assert_allclose(np.diff(premium, prepend=0.0), case["layer_premium"], rtol=1e-11)
    assert lim.inconsistent_limits(at, fixed).tolist() == []


def test_panjer_and_fourier_on_actuar(vectors):
    data = vectors("severity_aggregate_actuar")
    poi, bin_ = data["panjer_poisson10"], data["panjer_binom"]
    for case, count in ((poi, agg.poisson(poi["lambda"])), (bin_, agg.binomial(bin_["size"], bin_["prob"]))):
        points = len(case["pmf"])
        for method in (agg.panjer, agg.transform):
            np.testing.assert_allclose(method(case["severity"], count, points), case["pmf"], rtol=1e-8, atol=1e-13)
        np.testing.assert_allclose(agg.panjer(case["severity"], count, points), case["pmf"], rtol=1e-12, atol=1e-15)
        g = agg.compound(case["severity"], count, 300)
        assert g @ np.arange(300) == pytest.approx(case["mean"], rel=1e-12)
    g = agg.compound(poi["severity"], agg.poisson(10), 300)
    np.testing.assert_allclose(np.cumsum(g)[:61], poi["cdf"], rtol=1e-12)
    levels = [float(key.strip().rstrip("%")) / 100 for key in poi["quantile"]]
    assert agg.quantiles(g, levels).tolist() == list(poi["quantile"].values())
    for key, want in poi["TVaR"].items():
        tail, beyond = agg.tail_value_at_risk(g, float(key.rstrip("%")) / 100)
        assert beyond == pytest.approx(want, rel=1e-12)
        assert tail <= beyond


@pytest.mark.parametrize("name", ["kpw_9_5", "bahnemann_4_4", "kpw_9_34"])
def test_textbook_aggregates(vectors, name):
    case = vectors("textbook_severity_aggregate")[name]
    given = {
        "kpw_9_5": (
            agg.empirical([0.05, 0.1, 0.15, 0.2, 0.25, 0.15, 0.06, 0.03, 0.01]),
            [0, 0.15, 0.2, 0.25, 0.125, 0.075, 0.05, 0.05, 0.05, 0.025, 0.025],
        ),
        "bahnemann_4_4": (agg.poisson(1.75), [0, 0.2, 0.4, 0.2, 0.15, 0.05]),
        "kpw_9_34": (agg.poisson(5), [0, 0.8, 0, 0, 0, 0.16, 0, 0, 0, 0, 0.04]),
    }
    count, severity = given[name]
    g = agg.compound(severity, count, 200)
    np.testing.assert_allclose(g[: len(case["pmf"])], case["pmf"], rtol=1e-9, atol=1e-12)
    x = np.arange(200)
    assert g @ x == pytest.approx(case["mean"], rel=1e-12)
    assert g @ x**2 - (g @ x) ** 2 == pytest.approx(case["var"], rel=1e-11)
    if name == "kpw_9_5":
        got = agg.stop_loss(g, 25.0 * np.arange(8), 25.0)
        np.testing.assert_allclose(got, case["stop_loss_premium_units25_d0_to_7"], rtol=1e-12)


def test_table_m(vectors):
    case = vectors("textbook_severity_aggregate")["table_M_kpw_9_34"]
    g = agg.compound([0, 0.8, 0, 0, 0, 0.16, 0, 0, 0, 0, 0.04], agg.poisson(5), 200)
    r = np.array([row["r"] for row in case["rows"]])
    charge, savings = agg.insurance_charge(g, r)
    np.testing.assert_allclose(charge, [row["charge"] for row in case["rows"]], rtol=1e-11)
    np.testing.assert_allclose(savings, [row["savings"] for row in case["rows"]], rtol=1e-11, atol=1e-13)


def test_exam_aggregate_answers(vectors):
    book = vectors("textbook_severity_aggregate")
    geometric = agg.negative_binomial(1, book["lda_5_4_1"]["inputs"]["geometric_mean"])
    g = agg.panjer([0, 0.25, 0.25, 0.25, 0.25], geometric, 4)
    np.testing.assert_allclose(g, book["lda_5_4_1"]["printed"]["f"], rtol=1e-12)
    assert g.sum() == pytest.approx(book["lda_5_4_1"]["printed"]["F3"], rel=1e-12)
    case = book["lda_5_3_6"]
    g = agg.compound([0, 0.2, 0.3, 0, 0.5], agg.negative_binomial(1, 2), 400)
    np.testing.assert_allclose(agg.stop_loss(g, [5, 10, 15], 5.0), case["exact"]["stop_loss"], rtol=1e-9)
    assert 28 - agg.stop_loss(g, [15], 5.0).item() == pytest.approx(case["printed"]["E_S_min_15"], abs=5e-4)
    case = book["lda_5_2_1"]
    people, top, q = (np.array(column) for column in zip(*case["inputs"]["groups"]))
    mean, variance = agg.moments(people * q, people * q * (1 - q), top / 2, top**2 / 12)
    assert mean.sum() == pytest.approx(case["exact"]["mean"], rel=1e-12)
    assert variance.sum() == pytest.approx(case["exact"]["var"], rel=1e-12)
    mean, variance = agg.moments(people * q, people * q * (1 - q), top, 0.0)
    assert (mean.sum(), variance.sum()) == (
        pytest.approx(case["printed"]["fixed_mean"]),
        pytest.approx(case["printed"]["fixed_var"]),
    )


def test_discretisation_as_actuar(vectors):
    case = vectors("severity_aggregate_actuar")["discretise_gamma2_1000"]
    severity = dist.gamma(2, 1000)
    for method in ("rounding", "unbiased", "upper", "lower"):
        got = agg.discretise(severity, case["step"], 5, method)
        want = case[method]
        np.testing.assert_allclose(got[: len(want)], want, rtol=1e-11)
        assert not got[len(want) :].any()


@given(st.floats(0.2, 30), st.floats(0.3, 4.0), st.sampled_from(["poisson", "binomial", "negative binomial"]))
@settings(max_examples=40, deadline=None)
def test_panjer_equals_fourier(mean, shape, name):
    count = {
        "poisson": agg.poisson(mean),
        "binomial": agg.binomial(int(mean) + 1, 0.4),
        "negative binomial": agg.negative_binomial(mean, 0.8),
    }[name]
    f = agg.discretise(dist.gamma(shape, 3.0 / shape), 0.5, 80)
    a, b = agg.panjer(f, count, 700), agg.transform(f, count, 700)
    assert np.abs(a - b).max() < 1e-10


def test_victims_share_an_accident_limit():
    """One victim: the lesser limit. No accident limit: persons add up. Both limits: simulation."""
    severity = dist.lognormal(12.0, 1.0)
    one = lim.accident_loss(severity, [0, 1.0], 800_000.0, [400_000.0, np.inf], steps=4000)
    np.testing.assert_allclose(one, dist.limited_moment(severity, [400_000.0, 800_000.0]), rtol=2e-7)
    victims = np.array([0, 0.6, 0.2, 0.1, 0.1])
    free = lim.accident_loss(severity, victims, 800_000.0, [np.inf, 3_200_000.0])
    np.testing.assert_allclose(free, victims @ np.arange(5) * dist.limited_moment(severity, 800_000.0), rtol=1e-10)
    rng = np.random.default_rng(4)
    number = rng.choice(5, 200_000, p=victims)
    who = np.repeat(np.arange(200_000), number)
    person = np.minimum(rng.lognormal(12.0, 1.0, number.sum()), 800_000.0)
    paid = np.minimum(np.bincount(who, person, minlength=200_000), 1_000_000.0)
    got = lim.accident_loss(severity, victims, 800_000.0, [1_000_000.0]).item()
    assert abs(got - paid.mean()) < 4 * paid.std() / np.sqrt(200_000)
    assert got < free[0]


def test_rising_marginal_prices_are_found():
    assert lim.inconsistent_limits([1, 2, 4, 8], [1.0, 1.5, 2.0, 3.5]).tolist() == [8]


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("RM553", lambda: lim.loss_elimination_ratio(dist.pareto(0.9, 10.0), [5.0])),
        ("RM543", lambda: dist.limited_moment(dist.inverse_gaussian(1.0, 1.0), [1.0], 2)),
        ("RM542", lambda: dist.mixture([dist.exponential(1.0)], [0.9])),
        ("RM676", lambda: dist.gamma(-1.0, 1.0)),
        ("RM548", lambda: agg.panjer([0.9, 0.9], agg.poisson(1.0), 3)),
        ("RM548", lambda: agg.empirical([0.5, 0.4])),
        ("RM549", lambda: agg.panjer([0, 1.0], agg.empirical([0.5, 0.5]), 3)),
        ("RM550", lambda: agg.panjer([0, 1.0], agg.poisson(800.0), 3)),
        ("RM552", lambda: agg.compound([0, 1.0], agg.poisson(20.0), 10)),
        ("RM552", lambda: agg.quantiles([0.5, 0.2], [0.9])),
        ("RM548", lambda: lim.accident_loss(dist.exponential(1.0), [0.5, 0.4], 1.0, [1.0])),
    ],
)
def test_refusals(code, call):
    with pytest.raises(ModelError) as caught:
        call()
    assert caught.value.problems[0].code == code
