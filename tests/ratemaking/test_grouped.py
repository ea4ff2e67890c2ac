"""Grouped losses, the log-logistic and the single-parameter Pareto, approximations: integrals, closed forms, scipy."""

import numpy as np
import pytest
from scipy import integrate, stats

import ratemod as rm
from ratemod.errors import ModelError
from ratemod.ratemaking import distribution as dist
from ratemod.ratemaking.approximation import approximate_quantile, approximate_survival, compound_skewness
from ratemod.ratemaking.grouped import fit_grouped, grouped, grouped_chi_square, grouped_moment, ogive
from ratemod.ratemaking.severity import fit_severity

LAWS = {"loglogistic": dist.loglogistic(2.6, 900.0), "single pareto": dist.single_pareto(2.4, 500.0)}
SCIPY = {"loglogistic": stats.fisk(2.6, scale=900.0), "single pareto": stats.pareto(2.4, scale=500.0)}


@pytest.mark.parametrize("name", LAWS)
def test_as_scipy_and_as_integrals(name):
    law, theirs, x = LAWS[name], SCIPY[name], np.array([100.0, 499.0, 500.0, 800.0, 4e3, 9e7])
    np.testing.assert_allclose(dist.survival(law, x), theirs.sf(x), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(dist.cumulative(law, x), theirs.cdf(x), rtol=1e-12)
    np.testing.assert_allclose(dist.density(law, x), theirs.pdf(x), rtol=1e-12)
    p = [1e-9, 0.3, 0.9, 1 - 1e-9]
    np.testing.assert_allclose(dist.quantile(law, p), theirs.ppf(p), rtol=1e-7)
    assert dist.mean(law) == pytest.approx(theirs.mean(), rel=1e-12)
    assert float(dist.limited_moment(law, np.inf, 2)) == pytest.approx(theirs.moment(2), rel=1e-9)
    for order in (1, 2):
        for at in (300.0, 800.0, 20_000.0):

            def below(y, order=order):
                return order * y ** (order - 1) * theirs.sf(y)

            wanted = integrate.quad(below, 0, at, epsrel=1e-11, limit=300, points=[min(500.0, at)])[0]
            assert float(dist.limited_moment(law, at, order)) == pytest.approx(wanted, rel=1e-8)
            rest = float(dist.limited_moment(law, np.inf, order)) - wanted
            assert float(dist.excess_moment(law, at, order)) == pytest.approx(rest, rel=1e-6)


def test_a_log_logistic_is_fitted():
    x = stats.fisk(2.6, scale=900.0).rvs(4000, random_state=5)
    found = fit_severity(x, "loglogistic")
    power, _, scale = stats.fisk.fit(x, floc=0)
    np.testing.assert_allclose(found.estimate, [power, scale], rtol=1e-4)
    assert found.log_likelihood == pytest.approx(stats.fisk(power, scale=scale).logpdf(x).sum(), rel=1e-9)
    assert repr(found).startswith("SeverityFit(loglogistic: power 2.6") and list(found.frame()["parameter"]) == [
        "power",
        "scale",
    ]


def test_single_parameter_pareto_with_thresholds_and_limits():
    """α is exact losses over the sum of logs, each above its own threshold: the maximum by search too."""
    draw = np.random.default_rng(3)
    below = draw.choice([200.0, 500.0], 600)
    x = below * draw.uniform(size=600) ** (-1 / 1.7)
    cut = x > 5000
    x = np.minimum(x, 5000.0)
    found = fit_severity(x, "single pareto", truncation=below, censored=cut)
    assert found.estimate[0] == pytest.approx((~cut).sum() / np.log(x / below).sum(), rel=1e-12)
    assert abs(found.estimate[0] - 1.7) < 3 * found.standard_error[0] and found.estimate[1] == 200.0

    def like(alpha):
        return (np.log(alpha) + alpha * np.log(below) - (alpha + 1) * np.log(x))[~cut].sum() + (
            alpha * np.log(below / x)
        )[cut].sum()

    at = found.estimate[0]
    assert like(at) == pytest.approx(found.log_likelihood, rel=1e-12)
    assert max(like(at * 1.001), like(at * 0.999)) < like(at)
    assert found.aic == pytest.approx(2 - 2 * like(at), rel=1e-12)


def test_the_ogive_is_a_distribution_of_pieces():
    losses = grouped([0, 10, 50, 200], [30, 50, 20])
    assert ogive(losses, [0, 5, 10, 30, 200, 999]).tolist() == [0, 0.15, 0.3, 0.55, 1, 1]
    for order in (1, 2, 3):
        for limit in (7.0, 50.0, 120.0, np.inf):
            top = min(limit, 200.0)
            wanted = integrate.quad(
                lambda y, order=order: order * y ** (order - 1) * (1 - ogive(losses, y)), 0, top, points=[10.0, 50.0]
            )[0]
            assert grouped_moment(losses, order, limit=limit) == pytest.approx(wanted, rel=1e-8)
    open_ = grouped([0, 10, np.inf], [9, 1])
    assert grouped_moment(open_, limit=10.0) == pytest.approx(0.9 * 5 + 0.1 * 10)
    assert losses.frame()["share_below"].tolist() == pytest.approx([0.3, 0.8, 1.0])


@pytest.mark.parametrize("family", ["lognormal", "gamma", "weibull", "pareto", "exponential", "loglogistic"])
def test_groups_fine_enough_are_the_losses_themselves(family):
    draw = np.random.default_rng(9)
    x = {
        "pareto": lambda: 800 * draw.pareto(2.5, 3000),
        "loglogistic": lambda: stats.fisk(2.2, scale=700).rvs(3000, random_state=9),
    }.get(family, lambda: draw.gamma(1.4, 500.0, 3000))()
    edges = np.concatenate([[0.0], np.quantile(x, np.linspace(0.002, 0.998, 400)), [np.inf]])
    counts = np.histogram(x, np.append(edges[:-1], 1e300))[0]
    by_group, one_by_one = fit_grouped(grouped(edges, counts), family), fit_severity(x, family)
    np.testing.assert_allclose(by_group.estimate, one_by_one.estimate, rtol=0.02)
    np.testing.assert_allclose(by_group.standard_error, one_by_one.standard_error, rtol=0.05)


def test_groups_above_a_threshold_and_their_chi_square():
    """Exponential in two groups above a threshold has a closed form; χ² against scipy."""
    losses = grouped([100, 200, 300, np.inf], [400, 240, 360])
    found = fit_grouped(losses, "exponential")
    q = found.estimate[0]
    chances = np.array([1 - np.exp(-100 / q), np.exp(-100 / q) - np.exp(-200 / q), np.exp(-200 / q)])
    wanted = stats.chisquare(losses.counts, 1000 * chances, ddof=1)
    assert grouped_chi_square(losses, found) == pytest.approx((wanted.statistic, wanted.pvalue), rel=1e-9)
    # a loss ends in each width of 100 with the chance p: 640 ends in 400 + 2 · 240 + 2 · 360 trials
    p = 640 / (400 + 2 * 240 + 2 * 360)
    assert q == pytest.approx(-100 / np.log(1 - p), rel=1e-7)


def test_approximations():
    """Translated gamma and lognormal are exact of their own kind; normal power inverts itself."""
    law = stats.gamma(3.0, loc=50.0, scale=20.0)
    m, v, g = (float(one) for one in law.stats("mvs"))
    x = np.array([60.0, 110.0, 300.0])
    np.testing.assert_allclose(approximate_survival(x, m, v, g, method="translated_gamma"), law.sf(x), rtol=1e-9)
    np.testing.assert_allclose(
        approximate_quantile([0.1, 0.99], m, v, g, method="translated_gamma"), law.ppf([0.1, 0.99])
    )
    law = stats.lognorm(0.7, scale=90.0)
    m, v = law.mean(), law.var()
    np.testing.assert_allclose(approximate_survival([0.0, *x], m, v, method="lognormal"), law.sf([0.0, *x]), rtol=1e-9)
    np.testing.assert_allclose(
        approximate_quantile([0.1, 0.99], m, v, method="lognormal"), law.ppf([0.1, 0.99]), rtol=1e-9
    )
    at = approximate_quantile([0.8, 0.99, 0.999], 100.0, 400.0, 0.8, method="normal_power")
    # x → survival is normal power's own inverse, exactly where the mean lies below
    back = approximate_survival(at, 100.0, 400.0, 0.8, method="normal_power")
    np.testing.assert_allclose(back, [0.2, 0.01, 0.001], rtol=1e-9)
    agg = rm.ratemaking.aggregate
    whole = agg.compound([0, 0.2, 0.5, 0.3], agg.negative_binomial(4, 1.5), 400)
    k = np.arange(400)
    mean = whole @ k
    skew = whole @ (k - mean) ** 3 / (whole @ (k - mean) ** 2) ** 1.5
    size = np.array([0, 0.2, 0.5, 0.3])
    one = [size @ np.arange(4), *(size @ (np.arange(4) - 2.1) ** r for r in (2, 3))]
    # negative binomial: mean rβ, variance rβ(1+β), third rβ(1+β)(1+2β)
    assert compound_skewness((6.0, 15.0, 60.0), tuple(one)) == pytest.approx(skew, rel=1e-9)


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("RM831", lambda: grouped([0, 10], [1, 2])),
        ("RM831", lambda: grouped([0, 10, 5], [1, 2])),
        ("RM831", lambda: grouped([-1, 10, 50], [1, 2])),
        ("RM831", lambda: grouped([0, 10, 50], [1, 2.5])),
        ("RM831", lambda: grouped([0, 10, 50], [0, 0])),
        ("RM831", lambda: grouped([], [])),
        ("RM833", lambda: grouped(["a", "b"], [1])),
        ("RM833", lambda: grouped([0, 10], ["1"])),
        ("RM501", lambda: grouped([0, 10, 50], [1, -2])),
        ("RM500", lambda: grouped([0, 10, 50], [1, np.nan])),
        ("RM832", lambda: grouped_moment(grouped([0, 10, np.inf], [9, 1]))),
        ("RM832", lambda: ogive(grouped([0, 10, np.inf], [9, 1]), 11.0)),
        ("RM544", lambda: fit_grouped(grouped([0, 10, 20, 30], [3, 2, 1]), "lognormall")),
        ("RM545", lambda: fit_grouped(grouped([0, 10, 20], [3, 0]), "lognormal")),
        ("RM830", lambda: fit_severity([1.0, 2, 3, 4, 5, 6, 7], "single pareto")),
        ("RM544", lambda: fit_severity(np.arange(1.0, 40), ("single pareto", "gamma"), truncation=0.5)),
        ("RM833", lambda: fit_severity(["1", "2", "3"], "gamma")),
        ("RM676", lambda: dist.single_pareto(1.0, 0.0)),
        ("RM676", lambda: dist.loglogistic(-1.0, 5.0)),
        ("RM703", lambda: approximate_survival([1.0], 5.0, 2.0, 0.0, method="translated_gamma")),
        ("RM703", lambda: approximate_survival([1.0], -5.0, 2.0, method="lognormal")),
        ("RM703", lambda: approximate_survival([1.0], 5.0, 2.0, 1.0, method="normal_power")),
        ("RM703", lambda: approximate_quantile([0.4], 5.0, 2.0, 1.0, method="normal_power")),
        ("RM703", lambda: compound_skewness((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))),
    ],
)
def test_refusals(code, call):
    with pytest.raises(ModelError) as caught:
        call()
    assert caught.value.problems[0].code == code
