"""Maximum likelihood: closed forms, scipy's own fits, and coverage under truncation and censoring."""

import numpy as np
import pytest
from scipy import stats

from ratemod.errors import ModelError
from ratemod.ratemaking import distribution as dist
from ratemod.ratemaking.severity import fit_severity, product_limit, quantile_plot

RNG = np.random.default_rng(20)
LOSSES = RNG.lognormal(10.0, 1.3, 400)


def test_lognormal_has_a_closed_form():
    fit = fit_severity(LOSSES, "lognormal")
    logs = np.log(LOSSES)
    np.testing.assert_allclose(fit.estimate, [logs.mean(), logs.std()], rtol=1e-9)
    np.testing.assert_allclose(fit.standard_error, logs.std() / np.sqrt([400, 800]), rtol=1e-4)
    like = stats.lognorm.logpdf(LOSSES, logs.std(), scale=np.exp(logs.mean())).sum()
    assert fit.log_likelihood == pytest.approx(like, rel=1e-12)
    assert fit.aic == pytest.approx(4 - 2 * like) and fit.bic == pytest.approx(2 * np.log(400) - 2 * like)


def test_exponential_under_truncation_and_censoring_has_a_closed_form():
    floor = np.where(np.arange(400) % 2, 500.0, 2000.0)
    x = floor + RNG.exponential(9000.0, 400)
    cut = x > 15000.0
    x = np.minimum(x, 15000.0)
    keep = x > floor
    fit = fit_severity(x[keep], "exponential", truncation=floor[keep], censored=cut[keep])
    mean = (x - floor)[keep].sum() / (~cut[keep]).sum()
    assert fit.estimate.item() == pytest.approx(mean, rel=1e-9)
    assert fit.standard_error.item() == pytest.approx(mean / np.sqrt((~cut[keep]).sum()), rel=1e-5)


@pytest.mark.parametrize(
    ("family", "law", "names"),
    [
        ("gamma", stats.gamma, ("a", "scale")),
        ("weibull", stats.weibull_min, ("c", "scale")),
        ("pareto", stats.lomax, ("c", "scale")),
    ],
)
def test_as_scipy(family, law, names):
    cut = LOSSES > 60_000
    x = np.minimum(LOSSES, 60_000.0)
    fit = fit_severity(x, family, censored=cut)
    data = stats.CensoredData(uncensored=x[~cut], right=x[cut])
    shape, _, scale = law.fit(data, floc=0)
    ours, theirs = fit.estimate, np.array([shape, scale])
    like = [law.logpdf(x[~cut], a, scale=b).sum() + law.logsf(x[cut], a, scale=b).sum() for a, b in (ours, theirs)]
    assert fit.log_likelihood == pytest.approx(like[0], rel=1e-11)
    assert like[0] >= like[1] - 1e-7
    np.testing.assert_allclose(ours, theirs, rtol=2e-3)


@pytest.mark.parametrize(
    ("family", "truth"),
    [
        ("lognormal", dist.lognormal(10.0, 1.3)),
        ("gamma", dist.gamma(1.7, 20_000.0)),
        ("weibull", dist.weibull(0.8, 30_000.0)),
        ("pareto", dist.pareto(2.5, 60_000.0)),
    ],
)
def test_planted_severity_is_found_when_cut_at_both_ends(family, truth):
    rng = np.random.default_rng(3)
    x = dist.quantile(truth, rng.uniform(size=8000))
    x = x[x > 4000.0]
    cut = x > 80_000.0
    fit = fit_severity(np.minimum(x, 80_000.0), family, truncation=4000.0, censored=cut)
    wanted = np.array(truth.components[0].parameters)
    assert (np.abs(fit.estimate - wanted) < 4 * fit.standard_error).all()
    assert (fit.standard_error < 0.5 * np.abs(wanted)).all()
    assert (fit.claims, fit.censored) == (len(x), cut.sum())


def test_mixture_is_found_and_beats_its_parts():
    rng = np.random.default_rng(9)
    small, large = rng.gamma(3.0, 1000.0, 3000), rng.lognormal(12.0, 0.8, 1000)
    x = rng.permutation(np.concatenate([small, large]))
    fit = fit_severity(x, ("gamma", "lognormal"))
    assert fit.names == ("gamma 1 shape", "gamma 1 scale", "lognormal 2 mu", "lognormal 2 sigma", "weight 1")
    truth = np.array([3.0, 1000.0, 12.0, 0.8, 0.75])
    assert (np.abs(fit.estimate - truth) < 4 * fit.standard_error).all()
    assert fit.aic < min(fit_severity(x, "gamma").aic, fit_severity(x, "lognormal").aic) - 100


def test_units_do_not_matter():
    yuan, fen = fit_severity(LOSSES, "pareto"), fit_severity(LOSSES * 100, "pareto")
    np.testing.assert_allclose(fen.estimate, yuan.estimate * [1, 100], rtol=1e-7)
    assert fen.log_likelihood == pytest.approx(yuan.log_likelihood - 400 * np.log(100), rel=1e-10)


def test_product_limit_and_quantiles():
    at, after = product_limit([3.0, 5.0, 5.0, 8.0], truncation=[0.0, 4.0, 0.0, 6.0])
    assert at.tolist() == [3, 5, 8]
    np.testing.assert_allclose(after, [1 / 2, 0, 0])
    fit = fit_severity(LOSSES, "lognormal")
    observed, expected = quantile_plot(fit, LOSSES)
    assert np.corrcoef(np.log(observed), np.log(expected))[0, 1] > 0.99


@pytest.mark.parametrize(
    ("codes", "call"),
    [
        ({"RM544"}, lambda: fit_severity([1.0, 2.0], "lognormall")),
        ({"RM545"}, lambda: fit_severity([5.0] * 50, "gamma")),
        ({"RM545"}, lambda: fit_severity(LOSSES[:9], "gamma")),
        ({"RM546"}, lambda: fit_severity(LOSSES, "gamma", truncation=float(LOSSES.min()))),
        ({"RM547"}, lambda: fit_severity(np.linspace(1.0, 2.0, 60), "pareto")),
        ({"RM502"}, lambda: fit_severity([0.0, 1.0], "gamma")),
    ],
)
def test_refusals(codes, call):
    with pytest.raises(ModelError) as caught:
        call()
    assert {item.code for item in caught.value.problems} == codes
