"""Validation measures and adjusted relativities: by hand, by brute force, by simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ratemod import ratemaking as rel
from ratemod.errors import ModelError
from ratemod.ratemaking import family as fam
from ratemod.ratemaking import validation as val
from ratemod.ratemaking.cells import Factor, collapse
from ratemod.ratemaking.glm import fit_glm

A, B = Factor("a", ("a0", "a1", "a2")), Factor("b", ("b0", "b1"))


def book(seed=1, rows=4000):
    rng = np.random.default_rng(seed)
    codes = [rng.integers(0, 3, rows), rng.integers(0, 2, rows)]
    w = rng.uniform(1, 3, rows)
    mean = np.exp(np.array([-1, -0.5, 0.5])[codes[0]] + np.array([0, 0.3])[codes[1]])
    return rng, codes, w, mean


def test_actual_expected_balances_in_the_model_and_shows_what_is_left_out():
    rng, codes, w, mean = book()
    cells = collapse([A, B], codes, w, rng.poisson(w * mean))
    fit = fit_glm(cells, ["a"], fam.poisson())
    assert [row.ratio for row in val.actual_expected(cells, fit, "a")] == pytest.approx([1, 1, 1], rel=1e-9)
    left_out = val.actual_expected(cells, fit, "b")
    assert all(abs(row.ratio - 1) > 3 * row.standard_error for row in left_out)
    full = fit_glm(cells, ["a", "b"], fam.poisson())
    assert np.abs(val.cell_residuals(cells, full)).max() < 4
    assert sum(row.expected for row in left_out) == pytest.approx(cells.total.sum(), rel=1e-10)


def test_gini_by_hand_and_by_pairs():
    rng, _, w, mean = book(2, 300)
    actual = rng.poisson(w * mean).astype(float)
    got = val.gini(mean, actual, w, seed=1)
    p, q = np.unique(mean), [mean == m for m in np.unique(mean)]
    x, y = np.cumsum([w[i].sum() for i in q]) / w.sum(), np.cumsum([actual[i].sum() for i in q]) / actual.sum()
    area = np.trapezoid(np.r_[0, y], np.r_[0, x])
    assert len(p) == 6 and got.value == pytest.approx(1 - 2 * area, rel=1e-12)
    order = rng.permutation(300)
    assert val.gini(mean[order], actual[order], w[order], seed=1).value == pytest.approx(got.value, rel=1e-12)
    assert val.gini(np.ones(300), actual, w, seed=1).value == pytest.approx(0, abs=1e-12)


def test_gini_interval_covers():
    """Truth from a very large sample; 100 small samples; nominal 95 %."""
    _, _, w, mean = book(3, 400_000)
    truth = val.gini(mean, w * mean, w, seed=1, groups=2).value
    hits = 0
    for seed in range(100):
        draw, _, w, mean = book(100 + seed, 2000)
        made = val.gini(mean, draw.poisson(w * mean), w, seed=seed)
        hits += made.low <= truth <= made.high
    assert hits >= 88


@given(st.integers(0, 10**6), st.integers(2, 10))
@settings(max_examples=30, deadline=None)
def test_lift_bands_hold_everything(seed, bands):
    rng, _, w, mean = book(seed, 200)
    actual = rng.poisson(w * mean).astype(float)
    made = val.lift(mean, actual, w, bands)
    assert (made.weight @ made.actual) == pytest.approx(actual.sum(), rel=1e-12)
    assert made.weight.sum() == pytest.approx(w.sum(), rel=1e-12)
    assert (np.diff(made.predicted) >= -1e-12).all()
    assert np.abs(made.weight / w.sum() - 1 / bands).max() <= 2 * w.max() / w.sum()


@pytest.mark.parametrize("name", ["poisson", "negative binomial", "gamma"])
def test_quantile_residuals_are_normal_when_the_model_is_right(name):
    rng, _, w, mean = book(5)
    kinds = {
        "poisson": (fam.poisson(), rng.poisson(w * mean), 1.0),
        "negative binomial": (fam.negative_binomial(0.6), rng.negative_binomial(w / 0.6, 1 / (1 + 0.6 * mean)), 1.0),
        "gamma": (fam.gamma(), w * rng.gamma(w / 0.4, 0.4 * mean / w), 0.4),
    }
    family, total, phi = kinds[name]
    total = total.astype(float)
    got = val.quantile_residuals(total, mean, w, family, dispersion=phi, seed=2)
    assert stats.kstest(got, "norm").pvalue > 0.01
    wrong = val.quantile_residuals(total, mean * 1.3, w, family, dispersion=phi, seed=2)
    assert stats.kstest(wrong, "norm").pvalue < 1e-6


def test_gamma_residual_uses_the_total_of_its_weight():
    """w claims of mean μ and dispersion φ sum to a gamma of shape w/φ and mean wμ."""
    got = val.quantile_residuals([10.0], [4.0], [3.0], fam.gamma(), dispersion=0.5, seed=1)
    assert got.item() == pytest.approx(stats.norm.ppf(stats.gamma.cdf(10.0, 6.0, scale=2.0)), rel=1e-10)


def test_out_of_time():
    rng, codes, w, mean = book(6)
    first, later = (collapse([A, B], codes, w, rng.poisson(w * mean * g)) for g in (1.0, 1.2))
    made = val.out_of_time(first, later, ["a", "b"], fam.poisson())
    assert made.actual_expected == pytest.approx(1.2, abs=0.05)
    assert made.deviance < made.null_deviance
    assert made.gini > 0.2
    with pytest.raises(ModelError, match="RM530"):
        val.out_of_time(first, collapse([A], codes[:1], w, w), ["a"], fam.poisson())


def test_relativity_table():
    rng, codes, w, mean = book(7)
    cells = collapse([A, B], codes, w, rng.poisson(w * mean))
    fit = fit_glm(cells, ["a", "b"], fam.poisson(), reference={"a": "a0", "b": "b0"})
    rows = rel.relativities(fit, cells)
    assert [(row.level, row.is_reference) for row in rows] == [
        ("a0", True),
        ("a1", False),
        ("a2", False),
        ("b0", True),
        ("b1", False),
    ]
    assert sum(row.total for row in rows[:3]) == cells.total.sum()
    assert rows[2].low < np.exp(1.5) < rows[2].high
    assert rows[2].high / rows[2].value == pytest.approx(np.exp(1.959963984540054 * rows[2].log_standard_error))


@given(st.lists(st.tuples(st.floats(0.1, 9), st.floats(0.1, 9)), min_size=1, max_size=9))
@settings(max_examples=60, deadline=None)
def test_monotone_is_ordered_and_keeps_the_weighted_log_mean(rows):
    value, weight = (np.array(column) for column in zip(*rows))
    names = [str(i) for i in range(len(rows))]
    for direction, sign in (("increasing", 1), ("decreasing", -1)):
        made, record = rel.monotone(names, value, weight, direction=direction)
        assert (sign * np.diff(made) >= -1e-9 * made[1:]).all()
        assert np.log(made) @ weight == pytest.approx(np.log(value) @ weight, rel=1e-9, abs=1e-9)
        assert {item.level for item in record} == {n for n, a, b in zip(names, made, value) if a != b}


def test_shrinkage():
    made, z, record = rel.shrink(
        ["x", "y"], [np.log(3.0), 0.0], 1.0, log_standard_error=[0.5, 0.1], between_variance=0.25
    )
    assert z.tolist() == pytest.approx([0.5, 0.25 / 0.26])
    assert made.tolist() == pytest.approx([np.sqrt(3.0), 1.0])
    assert [item.level for item in record] == ["x"] and "z=0.5" in record[0].detail
    same, _, none = rel.shrink(["x"], [0.7], 2.0, credibility=[1.0])
    assert same.tolist() == [np.exp(0.7)] and none == ()


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("RM559", lambda: rel.shrink(["x"], [0.1], 1.0)),
        ("RM560", lambda: val.lift([1.0], [1.0], [1.0], 2)),
        ("RM560", lambda: val.gini([1.0], [1.0], [1.0], seed=1)),
        ("RM561", lambda: val.quantile_residuals([1.0], [1.0], [1.0], fam.tweedie(1.5), seed=1)),
        ("RM503", lambda: rel.monotone(["x"], [1.0, 2.0], [1.0, 1.0], direction="increasing")),
    ],
)
def test_refusals(code, call):
    with pytest.raises(ModelError) as caught:
        call()
    assert caught.value.problems[0].code == code
