"""Bühlmann and Bühlmann–Straub: published numbers, properties, refusals, recovery."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.errors import ModelError
from ratemod.experience.buhlmann import buhlmann, buhlmann_straub, buhlmann_straub_flat
from tests.experience.published import RATIOS, WEIGHTS, assert_same

TIGHT = 1e-12


def test_buhlmann_is_actuar():
    found = buhlmann(RATIOS)
    assert_same(
        found.premium, [2044.04099261019, 1518.58774379501, 1814.23433077897, 1375.98732898101, 1602.23293716815]
    )
    assert_same([found.between, found.within], [72310.0246212122, 46040.4712121212])
    assert_same(found.z, [0.949614305087673] * 5)
    assert_same(found.collective, 1671.01666666667)


def test_buhlmann_straub_is_actuar():
    found = buhlmann_straub(RATIOS, WEIGHTS)
    assert_same(found.premium, [2055.16535006492, 1523.70627801246, 1793.44360368128, 1442.966549016, 1603.28540446174])
    assert_same([found.between, found.within], [89638.7262327551, 139120025.925285])
    assert_same(
        found.z, [0.984740401933337, 0.927635217974918, 0.898475355206511, 0.727909209400669, 0.958791149399359]
    )
    assert_same(
        found.firm_mean, [2060.92139184264, 1511.22412666499, 1805.84273753185, 1352.97591522158, 1599.82860703406]
    )
    assert_same(found.weight, [100155, 19895, 13735, 4152, 36110])
    assert_same(found.collective, 1683.71343704728)


def test_the_iterative_estimator_is_actuar():
    found = buhlmann_straub(RATIOS, WEIGHTS, estimator="iterative")
    assert_same(found.between, 64366.5071360614, TIGHT)
    assert_same(
        found.premium, [2053.06255347788, 1528.63464793864, 1789.94176814741, 1467.9772557754, 1604.85862321239], TIGHT
    )
    assert_same(
        found.z, [0.978875590825733, 0.902006874199337, 0.864033579429104, 0.657651630602369, 0.943525074706313], TIGHT
    )
    assert_same(found.collective, 1688.89496971034, TIGHT)


def test_textbook_answers():
    # Loss Data Analytics (open text), ch. 9, examples 6.1 and 6.2.
    found = buhlmann([[0, 1, 0], [2, 1, 2]])
    assert_same([found.within, found.between, found.k], [1 / 3, 7 / 9, 3 / 7])
    assert_same(found.premium, [5 / 12, 19 / 12])
    none = buhlmann([[3, 0, 0], [3, 0, 3]])
    assert (none.within, none.between, none.k) == (3.0, 0.0, np.inf)
    assert none.z.tolist() == [0.0, 0.0] and none.premium.tolist() == [1.5, 1.5]
    assert [item.code for item in none.warnings] == ["RM646"] and none.warnings[0].args["estimate"] == "-0.5"


def test_missing_periods_and_firms_without_weight():
    values, weights = RATIOS.copy(), WEIGHTS.copy()
    values[1, 3:] = np.nan
    values = np.vstack([values, np.full(12, np.nan)])
    weights = np.vstack([weights, np.zeros(12)])
    found = buhlmann_straub(values, weights)
    # the estimators written out, firm by firm
    parts = [(values[i][np.isfinite(values[i])], weights[i][np.isfinite(values[i])]) for i in range(5)]
    means = np.array([np.average(x, weights=w) for x, w in parts])
    total = np.array([w.sum() for _, w in parts])
    within = sum((w * (x - m) ** 2).sum() for (x, w), m in zip(parts, means)) / sum(len(x) - 1 for x, _ in parts)
    grand = np.average(means, weights=total)
    between = total.sum() / (total.sum() ** 2 - (total**2).sum()) * ((total * (means - grand) ** 2).sum() - 4 * within)
    z = total / (total + within / between)
    assert_same([found.within, found.between], [within, between], 1e-11)
    assert_same(found.premium[:5], z * means + (1 - z) * np.average(means, weights=z), 1e-11)
    assert found.z[5] == 0 and found.premium[5] == found.collective and np.isnan(found.firm_mean[5])


def test_a_large_offset_costs_no_digits():
    noise = np.random.default_rng(3).normal(size=(50, 6)) + np.arange(50)[:, None] / 10
    small, large = buhlmann(noise), buhlmann(noise + 2.0**30)
    assert_same([large.within, large.between], [small.within, small.between], 1e-6)


@pytest.mark.parametrize(
    "change, code",
    [
        (lambda v, w: (v, w[:, 1:]), "RM640"),
        (lambda v, w: (v, -w), "RM642"),
        (lambda v, w: (np.where(v > 2500, np.inf, v), w), "RM641"),
        (lambda v, w: (v, np.where(w > 9000, 0, w)), "RM643"),
        (lambda v, w: (v, np.where(w > 9000, np.nan, w)), "RM643"),
        (lambda v, w: (v[:, :1], w[:, :1]), "RM644"),
        (lambda v, w: (v[:1], w[:1]), "RM645"),
        (lambda v, w: (v[0], w[0]), "RM640"),
    ],
)
def test_refusals(change, code):
    with pytest.raises(ModelError) as raised:
        buhlmann_straub(*change(RATIOS, WEIGHTS))
    assert [item.code for item in raised.value.problems] == [code]


def test_an_estimate_that_does_not_settle_says_so(monkeypatch):
    monkeypatch.setattr(import_module("ratemod.experience.buhlmann"), "MOST_ROUNDS", 1)
    found = buhlmann_straub(RATIOS, WEIGHTS, estimator="iterative")
    assert [item.code for item in found.warnings] == ["RM647"]


def test_an_unknown_estimator_is_refused_with_the_nearest():
    with pytest.raises(ModelError, match="did you mean 'iterative'"):
        buhlmann_straub(RATIOS, WEIGHTS, estimator="iterativ")


panels = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed))


@settings(max_examples=40, deadline=None)
@given(panels, st.integers(2, 30), st.integers(2, 6), st.sampled_from(["unbiased", "iterative"]))
def test_credibility_is_a_share_and_grows_with_weight(draw, firms, periods, estimator):
    weights = draw.gamma(2.0, 50.0, (firms, periods))
    values = draw.gamma(2.0, 1.0, firms)[:, None] + draw.normal(size=(firms, periods)) / np.sqrt(weights)
    values[draw.random(values.shape) < 0.1] = np.nan
    values[:2] = np.nan_to_num(values[:2], nan=1.0)
    found = buhlmann_straub(values, weights, estimator=estimator)
    assert ((found.z >= 0) & (found.z <= 1)).all() and found.between >= 0
    rank = np.argsort(found.weight)
    assert (np.diff(found.z[rank]) >= 0).all()
    own = np.where(np.isnan(found.firm_mean), found.collective, found.firm_mean)
    low, high = np.minimum(own, found.collective), np.maximum(own, found.collective)
    assert (found.premium >= low - 1e-12).all() and (found.premium <= high + 1e-12).all()
    # balance: premiums weighted as the observations give back the observed total (when K is finite)
    if np.isfinite(found.k):
        assert_same(
            (found.weight * found.premium).sum(), np.nansum(np.where(np.isnan(values), 0, weights) * values), 1e-9
        )


@settings(max_examples=25, deadline=None)
@given(panels)
def test_order_scale_and_layout_change_nothing(draw):
    weights = draw.gamma(2.0, 50.0, (20, 4))
    values = draw.gamma(2.0, 1.0, (20, 1)) + draw.normal(size=(20, 4)) / np.sqrt(weights)
    found, order = buhlmann_straub(values, weights), draw.permutation(20)
    assert_same(buhlmann_straub(values[order], weights[order]).premium, found.premium[order], 1e-10)
    assert_same(buhlmann_straub(values * 8, weights).premium, found.premium * 8, 1e-10)
    assert_same(buhlmann_straub(values, weights * 4).z, found.z, 1e-9)
    code = np.repeat(np.arange(20), 4)
    mix = draw.permutation(80)
    flat = buhlmann_straub_flat(code[mix], values.ravel()[mix], weights.ravel()[mix], 20)
    assert_same(flat.premium, found.premium, 1e-10)


def test_blocks_change_no_digit(monkeypatch):
    draw = np.random.default_rng(5)
    weights = draw.gamma(2.0, 50.0, (1000, 5))
    values = draw.gamma(2.0, 1.0, (1000, 1)) + draw.normal(size=(1000, 5))
    whole = buhlmann_straub(values, weights)
    monkeypatch.setattr(import_module("ratemod.experience.buhlmann"), "BLOCK", 7)
    assert buhlmann_straub(values, weights).premium.tobytes() == whole.premium.tobytes()


@pytest.mark.parametrize("estimator", ["unbiased", "iterative"])
def test_planted_variances_come_back(estimator):
    draw = np.random.default_rng(11)
    weights = draw.lognormal(2.0, 1.0, (20_000, 5))
    risk = draw.gamma(2.0, 0.5, 20_000)  # mean 1, variance 0.5
    values = risk[:, None] + draw.normal(size=weights.shape) * np.sqrt(6.0 / weights)
    found = buhlmann_straub(values, weights, estimator=estimator)
    assert found.within == pytest.approx(6.0, rel=0.02)
    assert found.between == pytest.approx(0.5, rel=0.05)
    assert found.collective == pytest.approx(1.0, rel=0.01)
    own = np.average(values, axis=1, weights=weights)
    error = [((guess - risk) ** 2).mean() for guess in (found.premium, own, np.full(20_000, found.collective))]
    assert error[0] < 0.9 * min(error[1:])
