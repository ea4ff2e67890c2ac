"""Deviance, likelihood, AIC and BIC of a fit on cells are those of the rows: statsmodels and a sum over rows agree."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize_scalar
from scipy.special import chdtrc, chdtri, fdtrc, gammaln, logsumexp

import ratemod as rm
from ratemod.errors import ModelError
from ratemod.ratemaking.cells import Factor, collapse, merge
from ratemod.ratemaking.family import gamma, poisson, tweedie
from ratemod.ratemaking.glm import fit_glm
from ratemod.ratemaking.tweedie_density import log_sums


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(11)
    n = 900
    frame = pd.DataFrame(
        {
            "sector": rng.choice(["mine", "shop", "site"], n),
            "noise": rng.choice(["u", "v", "w", "x"], n),
            "heads": rng.choice([0.25, 0.5, 1.0, 2.0], n),
            "claims": 0,
        }
    )
    rate = frame.sector.map({"mine": 0.9, "shop": 0.3, "site": 0.6})
    frame["claims"] = rng.poisson(frame.heads * rate * rng.gamma(1.5, 1 / 1.5, n))
    frame["number"] = rng.integers(1, 4, n)
    frame["amount"] = frame.number * rate * 1_000 * rng.gamma(2.0 * frame.number, 0.5 / frame.number)
    frame["losses"] = frame.claims * 700.0 * rng.gamma(2.0, 0.5, n)
    frame["known"] = rng.choice([0.5, 1.0, 1.7], n)
    return frame


def design(rows, factors):
    if not factors:
        return np.ones((len(rows), 1))
    return sm.add_constant(pd.get_dummies(rows[factors], drop_first=True).astype(float))


FACTORS = [["sector"], ["sector", "noise"]]


@pytest.mark.parametrize("factors", FACTORS)
@pytest.mark.parametrize("known", [None, "known"])
def test_poisson(rows, factors, known):
    offset = np.log(rows.heads * (rows[known] if known else 1.0))
    right = sm.GLM(rows.claims, design(rows, factors), family=sm.families.Poisson(), offset=offset).fit(tol=1e-13)
    fit = rm.rate_model(rows, total="claims", weight="heads", factors=factors, known_factor=known).fit
    assert fit.deviance == pytest.approx(right.deviance, rel=1e-10)
    assert fit.log_likelihood == pytest.approx(right.llf, rel=1e-10)
    assert fit.aic == pytest.approx(right.aic, rel=1e-10)
    assert fit.bic == pytest.approx(right.bic_llf, rel=1e-10)
    if known is None:
        assert fit.null_deviance == pytest.approx(right.null_deviance, rel=1e-10)


@pytest.mark.parametrize("factors", FACTORS)
@pytest.mark.parametrize("known", [None, "known"])
def test_gamma(rows, factors, known):
    y, offset = rows.amount / rows.number, np.log(rows[known]) if known else None
    family = sm.families.Gamma(sm.families.links.Log())
    right = sm.GLM(y, design(rows, factors), family=family, var_weights=rows.number, offset=offset).fit(tol=1e-13)
    model = rm.rate_model(rows, total="amount", weight="number", factors=factors, family="gamma", known_factor=known)
    fit = model.fit
    assert fit.deviance == pytest.approx(right.deviance, rel=1e-9)
    shape = rows.number.sum() / right.deviance  # R: dispersion = deviance / sum of the weights
    density = shape * np.log(shape * y / right.mu) - shape * y / right.mu - np.log(y) - gammaln(shape)
    assert fit.log_likelihood == pytest.approx(float((rows.number * density).sum()), rel=1e-9)
    assert fit.aic == pytest.approx(-2 * fit.log_likelihood + 2 * (len(fit.coefficient) + 1))


@pytest.mark.parametrize("power", [1.2, 1.5, 1.9])
def test_tweedie_deviance(rows, power):
    family = sm.families.Tweedie(sm.families.links.Log(), var_power=power)
    right = sm.GLM(rows.losses / rows.heads, design(rows, ["sector"]), family=family, var_weights=rows.heads).fit()
    fit = rm.rate_model(rows, total="losses", weight="heads", factors=["sector"], family="tweedie", power=power).fit
    assert fit.deviance == pytest.approx(right.deviance, rel=1e-7)
    mean = np.exp(design(rows, ["sector"]).to_numpy() @ [fit.coefficient[0], *_by_level(fit, rows)])
    y, w = rows.losses / rows.heads, rows.heads

    def log_likelihood(log_phi):
        return family.loglike(y.to_numpy(), mean, var_weights=w.to_numpy(), scale=np.exp(log_phi))

    best = minimize_scalar(lambda x: -log_likelihood(x), bounds=(0, 12), method="bounded", options={"xatol": 1e-8})
    assert fit.log_likelihood == pytest.approx(-best.fun, rel=1e-8)
    assert fit.aic == pytest.approx(2 * best.fun + 2 * (3 + 1), rel=1e-8)


def test_the_power_of_a_tweedie_is_found_again():
    """2,000 rows of a Poisson number of gammas of shape 1.5: p = (2 + a)/(1 + a) = 1.4."""
    rng = np.random.default_rng(2)
    n = 2_000
    claims = rng.poisson(0.8, n)
    losses = rng.gamma(np.maximum(1.5 * claims, 1e-9), 400.0) * (claims > 0)
    rows = pd.DataFrame({"losses": losses, "heads": 1.0, "side": rng.choice(["l", "r"], n)})
    call = {"total": "losses", "weight": "heads", "factors": ["side"], "family": "tweedie"}
    found = rm.rate_model(rows, **call).tweedie_profile(powers=(1.2, 1.4, 1.6))
    assert found.low < 1.4 < found.high and found.high - found.low < 0.1
    nearby = [rm.rate_model(rows, power=found.power + step, **call).fit.log_likelihood for step in (-0.01, 0, 0.01)]
    assert nearby[1] > max(nearby[0], nearby[2])
    ends = [rm.rate_model(rows, power=end, **call).fit.log_likelihood for end in (found.low, found.high)]
    assert ends == pytest.approx([nearby[1] - chdtri(1, 0.05) / 2] * 2, abs=0.05)


@pytest.mark.parametrize("power", [1.02, 1.1, 1.5, 1.97])
def test_the_tweedie_sum_against_adding_every_term(power):
    weight, total, phi = np.array([0.5, 1.0, 30.0]), np.array([0.2, 900.0, 5e4]), 20.0
    alpha, k = (2 - power) / (power - 1), np.arange(1.0, 300_000.0)
    for got, w, t in zip(log_sums(weight, total, phi, power), weight, total):
        y, each = t / w, phi / w
        log_z = alpha * np.log(y / (power - 1)) - (1 + alpha) * np.log(each) - np.log(2 - power)
        assert got == pytest.approx(logsumexp(k * log_z - gammaln(k + 1) - gammaln(alpha * k)) - np.log(y), rel=1e-10)


def test_sample_weights_count_rows_again(rows):
    """A row of sample weight 2 is that row twice: coefficients, deviance and likelihood; not the number of rows."""
    rows = rows.assign(again=np.where(rows.noise == "u", 2.0, 1.0))
    twice = pd.concat([rows, rows[rows.noise == "u"]])
    for family, total, weight in (("poisson", "claims", "heads"), ("gamma", "amount", "number")):
        call = {"total": total, "weight": weight, "factors": ["sector"], "family": family}
        one, other = rm.rate_model(rows, sample_weight="again", **call), rm.rate_model(twice, **call)
        assert one.fit.coefficient == pytest.approx(other.fit.coefficient, rel=1e-12)
        assert one.fit.deviance == pytest.approx(other.fit.deviance, rel=1e-10)
        assert one.fit.log_likelihood == pytest.approx(other.fit.log_likelihood, rel=1e-10)
        assert one.fit.pearson == pytest.approx(other.fit.pearson, rel=1e-10)
    losses = {"total": "losses", "weight": "heads", "factors": ["sector"], "family": "tweedie"}
    one, other = rm.rate_model(rows, sample_weight="again", **losses), rm.rate_model(twice, **losses)
    assert one.fit.log_likelihood == pytest.approx(other.fit.log_likelihood, rel=1e-8)
    with pytest.raises(ModelError, match="RM477"):
        rm.rate_model(rows, total="claims", weight="heads", family="nb2", sample_weight="again")


@pytest.mark.parametrize("family", ["poisson", "gamma", "nb2"])
def test_a_likelihood_ratio_against_statsmodels(rows, family):
    total, weight = ("amount", "number") if family == "gamma" else ("claims", "heads")
    call = {"total": total, "weight": weight, "family": family}
    large, small = (rm.rate_model(rows, factors=factors, **call) for factors in FACTORS[::-1])
    found = large.likelihood_ratio(small)
    assert found.df == 3
    offset = np.log(rows.heads)
    if family == "nb2":
        ll = [
            sm.NegativeBinomial(rows.claims, design(rows, factors), offset=offset).fit(disp=0, maxiter=300).llf
            for factors in FACTORS
        ]
        assert found.statistic == pytest.approx(2 * (ll[1] - ll[0]), rel=1e-3)
        assert found.p_value == pytest.approx(chdtrc(3, found.statistic))
    elif family == "poisson":
        ll = [
            sm.GLM(rows.claims, design(rows, f), family=sm.families.Poisson(), offset=offset).fit().llf for f in FACTORS
        ]
        assert found.statistic == pytest.approx(2 * (ll[1] - ll[0]), rel=1e-6)
    else:
        y, gammas = rows.amount / rows.number, sm.families.Gamma(sm.families.links.Log())
        fits = [sm.GLM(y, design(rows, f), family=gammas, var_weights=rows.number).fit() for f in FACTORS]
        assert found.kind == "F"
        assert found.statistic == pytest.approx((fits[0].deviance - fits[1].deviance) / 3 / fits[1].scale, rel=1e-6)
        assert found.p_value == pytest.approx(fdtrc(3, len(rows) - 6, found.statistic))


def test_models_that_are_not_nested_are_not_compared(rows):
    call = {"total": "claims", "weight": "heads"}
    one = rm.rate_model(rows, factors=["sector"], **call)
    for other in (
        rm.rate_model(rows, factors=["noise"], **call),
        rm.rate_model(rows[1:], factors=[], **call),
        rm.rate_model(rows, factors=[], family="nb2", **call),
        one,
    ):
        with pytest.raises(ModelError, match="RM476"):
            one.likelihood_ratio(other)


def test_negative_binomial(rows):
    fit = rm.rate_model(rows, total="claims", weight="heads", factors=["sector"], family="negative_binomial").fit
    mean = np.exp(design(rows, ["sector"]).to_numpy() @ [fit.coefficient[0], *_by_level(fit, rows)])
    size, count = rows.heads / fit.family.alpha, rows.claims
    chance = 1 / (1 + fit.family.alpha * mean)
    like = (
        gammaln(count + size) - gammaln(size) - gammaln(count + 1) + size * np.log(chance) + count * np.log1p(-chance)
    )
    assert fit.log_likelihood == pytest.approx(float(like.sum()), rel=1e-10)
    y, a = count / rows.heads, fit.family.alpha
    part = np.where(count > 0, count * np.log(np.where(count > 0, y, 1) / mean), 0)
    part = part - (count + size) * np.log((1 + a * y) / (1 + a * mean))
    assert fit.deviance == pytest.approx(2 * float(part.sum()), rel=1e-9)


def _by_level(fit, rows):
    """Coefficients in the order of `get_dummies`, about its own reference."""
    value = dict(zip(fit.design.names, fit.coefficient))
    level = {name: value.get(f"sector[{name}]", 0.0) for name in ("mine", "shop", "site")}
    fit.coefficient[0] += level["mine"]
    return [level["shop"] - level["mine"], level["site"] - level["mine"]]


def test_a_factor_of_noise_gains_nothing_and_a_test_agrees(rows):
    for family, total, weight in (("poisson", "claims", "heads"), ("gamma", "amount", "number")):
        both = rm.rate_model(rows, total=total, weight=weight, factors=["sector", "noise"], family=family)
        alone = rm.rate_model(rows, total=total, weight=weight, factors=["sector"], family=family)
        without = both.tests().set_index("factor")["aic_without"]["noise"]
        assert without == pytest.approx(alone.fit.aic, rel=1e-10)
        assert both.fit.aic > alone.fit.aic
        assert both.fit.deviance < alone.fit.deviance


def test_parts_of_a_history_add_up(rows):
    factors = [Factor("sector", ("mine", "shop", "site"))]
    code = rows.sector.map({"mine": 0, "shop": 1, "site": 2}).to_numpy()
    for family, total, weight, power in (
        (poisson(), rows.claims, rows.heads, None),
        (gamma(), rows.amount, rows.number, None),
        (tweedie(1.5), rows.losses, rows.heads, 1.5),
    ):
        cut = [slice(0, 200), slice(200, 500), slice(500, None)]
        whole = fit_glm(collapse(factors, [code], weight, total, power=power), ["sector"], family)
        parts = merge(collapse(factors, [code[at]], weight[at], total[at], power=power) for at in cut)
        added = fit_glm(parts, ["sector"], family)
        assert added.deviance == pytest.approx(whole.deviance, rel=1e-11)
        assert added.null_deviance == pytest.approx(whole.null_deviance, rel=1e-11)
        assert added.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-11, nan_ok=True)


def test_a_model_of_one_mean(rows):
    fit = rm.rate_model(rows, total="claims", weight="heads", factors=[]).fit
    assert np.exp(fit.coefficient[0]) == pytest.approx(rows.claims.sum() / rows.heads.sum())
    assert fit.deviance == pytest.approx(fit.null_deviance)
