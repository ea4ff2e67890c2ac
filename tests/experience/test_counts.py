"""Poisson–gamma and age weights: published number, exact identities, recovery of planted parameters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import nbinom

import ratemod as rm
from ratemod.errors import ModelError
from ratemod.experience.age_weights import _likelihood, age_weighted_modification, estimate_age_weights
from ratemod.experience.buhlmann import credibility_factor
from ratemod.experience.poisson_gamma import (
    posterior_mean,
    predictive_chances,
    predictive_quantile,
    shape_by_likelihood,
)
from tests.experience.published import assert_same


def test_poisson_gamma_is_actuar():
    # actuar 3.3.2, cm("bayes", likelihood = "poisson", shape = 3, rate = 3) on 5, 3, 0, 1, 1.
    assert_same(posterior_mean([10], [5.0], 3.0, 3.0), [1.625])
    assert_same(credibility_factor([5.0], 3.0), [0.625])


def test_the_modification_is_exact_credibility():
    claims, expected = np.array([0, 1, 4, 30]), np.array([0.2, 1.5, 1.0, 40.0])
    z = credibility_factor(expected, 2.5)
    assert_same(posterior_mean(claims, expected, 2.5), z * claims / expected + 1 - z)


def test_the_predictive_distribution_is_a_distribution_with_the_right_mean():
    claims, expected, coming = np.array([0, 3, 7]), np.array([0.5, 2.0, 1.0]), np.array([0.4, 1.0, 2.0])
    chances = predictive_chances(claims, expected, coming, 1.5, 200)
    assert_same(chances.sum(axis=1), np.ones(3), 1e-12)
    assert_same(chances @ np.arange(201), coming * posterior_mean(claims, expected, 1.5), 1e-10)
    top = predictive_quantile(claims, expected, coming, 1.5, 0.9)
    below = np.cumsum(chances, axis=1)
    for firm, count in enumerate(top):
        assert below[firm, count] >= 0.9 and (count == 0 or below[firm, count - 1] < 0.9)


def test_the_planted_shape_comes_back():
    draw = np.random.default_rng(2)
    expected = draw.lognormal(-1.0, 1.0, 200_000)
    claims = draw.poisson(draw.gamma(2.0, 0.5, 200_000) * expected)
    assert shape_by_likelihood(claims, expected) == pytest.approx(2.0, rel=0.03)
    # the likelihood itself, written with scipy, is no better a little to either side
    best = shape_by_likelihood(claims[:3000], expected[:3000])
    at = [nbinom.logpmf(claims[:3000], a, a / (a + expected[:3000])).sum() for a in (best * 0.99, best, best * 1.01)]
    assert at[1] > at[0] and at[1] > at[2]


def test_the_random_effect_of_the_synthetic_province_comes_back():
    # claims of the insured terms beside what the truth expects without the firm's own effect (planted shape: 2)
    terms = rm.synthesize(16_384, 5, seed=7).table("truth_terms")
    _, firm = np.unique(terms["credit_code"].to_numpy(zero_copy_only=False), return_inverse=True)
    effect, expected = terms["random_effect"].to_numpy(), terms["expected_claims"].to_numpy()
    by_class = np.bincount(firm, expected / effect)
    claims = np.bincount(firm, terms["claims"].to_numpy()).astype(np.int64)
    assert shape_by_likelihood(claims, by_class) == pytest.approx(2.0, rel=0.1)
    own = np.zeros(len(claims))
    own[firm] = effect
    error = [((guess - own) ** 2).mean() for guess in (posterior_mean(claims, by_class, 2.0), np.ones(len(claims)))]
    assert error[0] < 0.95 * error[1]


def test_firms_without_differences_have_an_infinite_shape():
    assert shape_by_likelihood([1, 2, 1, 2], [1.5, 1.5, 1.5, 1.5]) == np.inf


def test_all_weights_one_is_the_negative_multinomial():
    draw = np.random.default_rng(3)
    expected = draw.gamma(2.0, 0.5, (50, 4))
    claims = draw.poisson(draw.gamma(2.0, 0.5, 50)[:, None] * expected)
    found, _, _ = _likelihood(1.7, np.ones(3), claims, expected)
    total, mean = claims.sum(axis=1), expected.sum(axis=1)
    from scipy.special import gammaln

    joint = nbinom.logpmf(total, 1.7, 1.7 / (1.7 + mean)) + gammaln(total + 1)
    joint += (claims * np.log(expected / mean[:, None]) - gammaln(claims + 1)).sum(axis=1)
    assert_same(found, joint.sum(), 1e-12)
    assert_same(age_weighted_modification(claims, expected, 1.7, np.ones(4)), posterior_mean(total, mean, 1.7), 1e-12)


def test_slopes_of_the_likelihood():
    draw = np.random.default_rng(4)
    expected = draw.gamma(2.0, 0.5, (40, 5))
    claims = draw.poisson(expected * draw.gamma(2.0, 0.5, (40, 1)))
    at = np.array([1.3, 1.0, 0.7, 0.4])
    _, by_a, by_weight = _likelihood(at[0], at[1:], claims, expected)
    slope = approx_fprime(at, lambda p: _likelihood(p[0], p[1:], claims, expected)[0], 1e-7)
    np.testing.assert_allclose([by_a, *by_weight], slope, rtol=1e-4)


def test_fading_weights_are_found_and_help():
    # counts drawn from the model itself: the planted shape and weights come back
    draw = np.random.default_rng(5)
    firms, years, shape, weights = 15_000, 5, 1.5, np.array([1.0, 0.6, 0.3, 0.1])
    expected = draw.gamma(4.0, 0.5, (firms, years))
    claims = np.zeros((firms, years), dtype=np.int64)
    for year in range(years):
        back = min(year, 4)
        size = shape + claims[:, year - back : year][:, ::-1] @ weights[:back]
        rate = shape + expected[:, year - back : year][:, ::-1] @ weights[:back]
        claims[:, year] = draw.poisson(draw.gamma(size) / rate * expected[:, year])
    found = estimate_age_weights(claims, expected)
    assert found.shape == pytest.approx(1.5, rel=0.05)
    np.testing.assert_allclose(found.weights, weights, atol=0.08)
    assert found.log_likelihood > found.static_log_likelihood + 50 and not found.warnings
    assert (np.diff(found.weights) <= 0).all()


def test_a_constant_risk_keeps_all_years():
    draw = np.random.default_rng(6)
    claims = draw.poisson(draw.gamma(2.0, 0.5, (8_000, 1)) * np.ones((8_000, 5)))
    found = estimate_age_weights(claims, np.ones((8_000, 5)))
    assert found.weights.min() > 0.85 and found.shape == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize("kind", [list, lambda rows: np.array(rows, object)])
def test_age_weights_of_firms_without_differences(kind):
    found = estimate_age_weights(kind([[1, 1, 1]] * 5), kind([[1.0, 1.0, 1.0]] * 5))
    assert found.shape == np.inf and found.weights.tolist() == [1.0, 1.0]
    assert_same(found.log_likelihood, -15.0)  # of 15 Poisson counts of 1 with mean 1: log e^-1 each
    assert [item.code for item in found.warnings] == ["RM646"]


def test_years_uninsured_say_nothing():
    claims, expected = np.array([[1, 0, 2]]), np.array([[1.0, 0.0, 1.5]])
    found, *_ = _likelihood(2.0, np.ones(2), claims, expected)
    short, *_ = _likelihood(2.0, np.ones(1), claims[:, [0, 2]], expected[:, [0, 2]])
    assert_same(found, short)


@pytest.mark.parametrize(
    "wrong, code",
    [
        (lambda: shape_by_likelihood([0, 0], [1.0, 1.0]), "RM652"),
        (lambda: shape_by_likelihood([0, 1], [1.0, 0.0]), "RM651"),
        (lambda: posterior_mean([0.5], [1.0], 1.0), "RM655"),
        (lambda: posterior_mean([-1], [1.0], 1.0), "RM642"),
        (lambda: posterior_mean([1], [1.0], 0.0), "RM676"),
        (lambda: posterior_mean([1, 2], [1.0], 1.0), "RM640"),
        (lambda: estimate_age_weights([[0, 1]], [[1.0, 0.0]]), "RM651"),
        (lambda: estimate_age_weights([0, 1], [1.0, 1.0]), "RM640"),
        (lambda: estimate_age_weights([[0, 1], [0, 0]], [[1.0, 1.0], [0.0, 0.0]]), "RM645"),
        (lambda: predictive_chances([0], [1.0], [0.5], 2.0, 10**9), "RM838"),
        (lambda: predictive_chances([0] * 200, [1.0] * 200, [0.5] * 200, 2.0, 10**6), "RM838"),
        (lambda: predictive_chances([0], [1.0], [0.5], 1e12, 3), "RM642"),
        (lambda: predictive_quantile([0], [1.0], [1e30], 2.0, 0.95), "RM642"),
        (lambda: predictive_quantile([0], [1.0], [1e300], 2.0, 0.95), "RM839"),
        (lambda: predictive_quantile([0], [1.0], [1.0], 1.0, 1.0), "RM676"),
    ],
)
def test_refusals(wrong, code):
    with pytest.raises(ModelError) as raised:
        wrong()
    assert [item.code for item in raised.value.problems] == [code]
