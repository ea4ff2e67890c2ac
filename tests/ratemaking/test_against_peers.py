"""Random triangles, panels with holes and censored samples: chainladder, statsmodels, scipy and definitions, live."""

import numpy as np
import pandas as pd
import pytest

import ratemod as rm

NO = np.nan


def triangle_of(seed, origins=7, late=0):
    """Return a random cumulative triangle; the first `late` origins lack their first age."""
    draw = np.random.default_rng(seed)
    growth = 1 + np.sort(draw.uniform(0.01, 0.9, origins - 1))[::-1] * draw.uniform(0.7, 1.3, (origins, origins - 1))
    full = draw.uniform(500, 2000, (origins, 1)) * np.cumprod(np.hstack([np.ones((origins, 1)), growth]), axis=1)
    full[np.add.outer(range(origins), range(origins)) >= origins] = NO
    full[:late, 0] = NO
    return full


def peer(square):
    """Return the triangle as chainladder holds it."""
    chainladder = pytest.importorskip("chainladder")
    n = len(square)
    rows = [(f"{2010 + i}", f"{2010 + i + k}", square[i, k]) for i in range(n) for k in range(n) if square[i, k] > 0]
    frame = pd.DataFrame(rows, columns=["origin", "valuation", "paid"])
    return chainladder, chainladder.Triangle(
        frame, origin="origin", development="valuation", columns=["paid"], cumulative=True
    )


@pytest.mark.parametrize("seed", [1])
def test_reserves_as_chainladder(seed):
    square = triangle_of(seed)
    chainladder, theirs = peer(square)
    premium = np.linspace(3000.0, 5000.0, 7)
    sold = theirs.latest_diagonal * 0 + premium.reshape(1, 1, 7, 1)
    developed = chainladder.Development(sigma_interpolation="mack").fit_transform(theirs)

    def unpaid(method, **more):
        return rm.ratemaking.reserve(square, method, base=premium, **more).unpaid

    def said(estimator):
        return np.nan_to_num(estimator.fit(developed, sample_weight=sold).ibnr_.values[0, 0, :, 0])

    near = {"rtol": 1e-9, "atol": 1e-8}
    ours = unpaid("bornhuetter_ferguson", expected_ratio=0.7)
    np.testing.assert_allclose(ours, said(chainladder.BornhuetterFerguson(apriori=0.7)), **near)
    ours = unpaid("benktander", expected_ratio=0.7, iterations=3)
    np.testing.assert_allclose(ours, said(chainladder.Benktander(apriori=0.7, n_iters=3)), **near)
    np.testing.assert_allclose(unpaid("cape_cod"), said(chainladder.CapeCod(trend=0, decay=1)), **near)
    found, mack = rm.ratemaking.mack(square), chainladder.MackChainladder().fit(developed)
    errors = mack.mack_std_err_.values[0, 0, :, -1]
    np.testing.assert_allclose(found.standard_error, np.nan_to_num(errors), **near)
    np.testing.assert_allclose(found.total_standard_error, mack.total_mack_std_err_.to_numpy().item(), rtol=1e-9)


@pytest.mark.parametrize("seed", [3, 4])
def test_factors_of_books_that_begin_late_are_their_definition(seed):
    square = triangle_of(seed, late=2)
    found = rm.ratemaking.development_factors(square).value
    pair = [(square[:, k], square[:, k + 1]) for k in range(6)]
    for at, (now, then) in enumerate(pair):
        both = ~np.isnan(now) & ~np.isnan(then)
        assert found[at] == pytest.approx(then[both].sum() / now[both].sum(), rel=1e-12)


@pytest.mark.parametrize("seed", [5, 6, 7])
def test_buhlmann_straub_by_its_definition(seed):
    """Loops of plain Python over a panel with holes; the estimators as Bühlmann and Gisler write them (section 4.8)."""
    draw = np.random.default_rng(seed)
    weight = draw.gamma(2.0, 50.0, (9, 6)) * (draw.uniform(size=(9, 6)) > 0.25)
    value = np.where(weight > 0, draw.normal(100, 15, (9, 1)) + draw.normal(0, 60, (9, 6)) / 5, NO)
    found = rm.experience.buhlmann_straub(value, weight)
    rows = [[(w, x) for w, x in zip(a, b) if w > 0] for a, b in zip(weight, value)]
    total = [sum(w for w, _ in row) for row in rows]
    mean = [sum(w * x for w, x in row) / t for row, t in zip(rows, total)]
    inner = sum(w * (x - m) ** 2 for row, m in zip(rows, mean) for w, x in row) / sum(len(row) - 1 for row in rows)
    whole = sum(total)
    centre = sum(t * m for t, m in zip(total, mean)) / whole
    spread = sum(t * (m - centre) ** 2 for t, m in zip(total, mean)) - (len(rows) - 1) * inner
    between = max(spread / (whole - sum(t * t for t in total) / whole), 0.0)
    z = [t / (t + inner / between) for t in total]
    collective = sum(a * m for a, m in zip(z, mean)) / sum(z)
    np.testing.assert_allclose(
        [found.within, found.between, found.collective], [inner, between, collective], rtol=1e-10
    )
    np.testing.assert_allclose(found.premium, [a * m + (1 - a) * collective for a, m in zip(z, mean)], rtol=1e-10)


@pytest.mark.parametrize("seed", [8, 9])
def test_product_limit_as_statsmodels(seed):
    """Left truncation and censoring together: every loss enters at its own threshold."""
    survival = pytest.importorskip("statsmodels.duration.survfunc")
    draw = np.random.default_rng(seed)
    below = draw.choice([0.0, 100.0, 250.0], 300)
    loss = np.round(below + draw.exponential(400.0, 300) + 1)
    cut = draw.uniform(size=300) < 0.3
    at, after = rm.ratemaking.product_limit(loss, truncation=below, censored=cut)
    theirs = survival.SurvfuncRight(loss, ~cut, entry=below)
    np.testing.assert_allclose(at, theirs.surv_times, rtol=0)
    np.testing.assert_allclose(after, theirs.surv_prob, rtol=1e-10)


@pytest.mark.parametrize("seed", [10, 11])
def test_poisson_gamma_as_statsmodels(seed):
    """The shape by likelihood is 1/α of the negative binomial with an offset and a mean of 1."""
    from scipy import optimize, stats

    draw = np.random.default_rng(seed)
    expected = draw.uniform(0.5, 6.0, 400)
    claims = draw.poisson(expected * draw.gamma(1.8, 1 / 1.8, 400))
    shape = rm.experience.shape_by_likelihood(claims, expected)

    def lost(log_shape):
        r = np.exp(log_shape)
        return -stats.nbinom(r, r / (r + expected)).logpmf(claims).sum()

    best = optimize.minimize_scalar(lost, bounds=(-3, 5), method="bounded", options={"xatol": 1e-9})
    assert shape == pytest.approx(np.exp(best.x), rel=1e-5)
    mean = rm.experience.posterior_mean(claims, expected, shape)
    np.testing.assert_allclose(mean, (shape + claims) / (shape + expected), rtol=1e-12)


@pytest.mark.parametrize("seed", [12, 13])
def test_aggregates_and_table_m_by_convolution(seed):
    """The compound by plain powers of the severity, its quantiles, and charges with their identity."""
    draw = np.random.default_rng(seed)
    severity, agg = draw.dirichlet(np.ones(6)), rm.ratemaking.aggregate
    counts = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
    power, wanted = np.array([1.0]), np.zeros(40)
    for chance in counts:
        wanted[: len(power)] += chance * power
        power = np.convolve(power, severity)
    for found in (
        agg.compound(severity, agg.empirical(counts), 40),
        agg.transform(severity, agg.empirical(counts), 40),
    ):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-14)
    ratio, k = np.array([0.0, 0.4, 1.0, 1.7]), np.arange(40)
    charge, savings = agg.insurance_charge(wanted / wanted.sum(), ratio)
    mean = wanted @ k / wanted.sum()
    direct = [np.maximum(k - r * mean, 0) @ wanted / wanted.sum() / mean for r in ratio]
    np.testing.assert_allclose(charge, direct, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(savings, charge + ratio - 1, rtol=0, atol=1e-12)
