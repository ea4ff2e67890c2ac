"""Limited fluctuation, hierarchical and regression credibility: published numbers, limits, recovery."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np
import pandas as pd
import pytest

import ratemod as rm
from ratemod.errors import ModelError
from ratemod.experience.buhlmann import buhlmann_straub, firm_sums, with_parameters
from ratemod.experience.hachemeister import hachemeister, natural_coefficients, premium_at
from ratemod.experience.hierarchical import hierarchical
from ratemod.experience.limited_fluctuation import (
    base_standard,
    partial_credibility,
    standard_frequency,
    standard_pure_premium,
    standard_severity,
)
from ratemod.experience.poisson_gamma import semiparametric_poisson
from tests.experience.published import RATIOS, WEIGHTS, assert_same


def test_full_standards_of_the_textbook():
    # Loss Data Analytics (open text), ch. 9, examples 2.1 to 2.7, with y = 1.96 as printed there.
    base, pareto = base_standard(0.95, 0.05, quantile=1.96), 3**0.5
    assert ceil(standard_frequency(base)) == 1537
    assert ceil(standard_frequency(base, 2.0)) == 3074  # negative binomial, beta = 1
    assert ceil(standard_frequency(base, 0.75)) == 1153  # binomial, q = 0.25
    assert ceil(standard_frequency(base) / 0.2) == 7684  # exposures at a frequency of 0.2
    assert ceil(standard_severity(base, pareto)) == 4610  # Pareto, alpha = 3
    assert ceil(standard_pure_premium(base, pareto)) == 6147
    assert round(float(partial_credibility(1000, 6147)), 2) == 0.4


@pytest.mark.parametrize(
    "probability, within, exact, claims",
    [
        (0.90, 0.05, 1082.2173816381653, 1083),
        (0.95, 0.05, 1536.5835282776497, 1537),
        (0.99, 0.05, 2653.9586404084853, 2654),
        (0.90, 0.03, 3006.1593934393477, 3007),
        (0.95, 0.025, 6146.334113110599, 6147),
        (0.90, 0.1, 270.5543454095413, 271),
        (0.99, 0.025, 10615.834561633941, 10616),
    ],
)
def test_full_standards_by_chance_and_distance(probability, within, exact, claims):
    found = base_standard(probability, within)
    assert_same(found, exact)
    assert ceil(found) == claims
    assert_same(standard_severity(base_standard(0.9, 0.05), 10**0.5), 10822.173816381654)
    assert_same(partial_credibility(300, 1082), 0.5265589476245514)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: base_standard(1.0),
        lambda: base_standard(within=0.0),
        lambda: partial_credibility(-1, 100),
        lambda: partial_credibility(1, 0),
    ],
)
def test_impossible_standards_are_refused(wrong):
    with pytest.raises(ModelError, match=r"RM64[12]|RM676"):
        wrong()


def test_a_fleet_with_known_structure():
    # Loss Data Analytics, ch. 9, example 4.2: EPV 0.5, VHM 0.05; 5, 4, 4 claims of 9, 12, 15 vehicles.
    vehicles = np.array([[9.0, 12.0, 15.0]])
    found = with_parameters(firm_sums(np.array([[5, 4, 4]]) / vehicles, vehicles), 0.5, 0.05, 0.5)
    assert_same([found.k, found.z[0], found.premium[0], 18 * found.premium[0]], [10, 18 / 23, 9 / 23, 162 / 23])
    assert round(18 * found.premium[0], 2) == 7.04


def test_hierarchical_is_actuar():
    found = hierarchical(RATIOS, WEIGHTS, [[0, 1, 0, 1, 1]])
    cohort, state = found.levels
    assert_same(cohort.premium, [1941.67540918957, 1542.76483703831])
    assert_same(
        state.premium, [2049.73255576947, 1522.03164985961, 1864.2800556045, 1488.50434744548, 1587.09672081502]
    )
    assert_same(cohort.mean, [1962.44962008994, 1524.93955217584])
    assert_same(cohort.weight, [1.47595464115954, 1.72012920025616])
    assert_same(
        [cohort.between, state.between, found.within], [87263.6957567749, 13414.8431355335, 139120025.925285], 1e-12
    )
    assert_same(cohort.z, [0.905670170501132, 0.917961901584146])
    assert_same(
        state.z, [0.906170121422641, 0.657346868009541, 0.569784519736897, 0.285899140336717, 0.7768831919099], 1e-12
    )
    assert_same(found.collective, 1742.22012311394)


def simulated(seed, sectors, regions, firms, spread):
    """Return a nested portfolio: variances 0.4 between sectors, 0.2 between regions, 0.1 between firms, 2 within."""
    draw = np.random.default_rng(seed)
    sector = np.repeat(np.arange(sectors), regions * firms)
    region = np.tile(np.repeat(np.arange(regions), firms), sectors)
    node = sector * regions + region
    level = 5 + draw.normal(size=sectors)[sector] * spread[0] ** 0.5
    level = level + draw.normal(size=sectors * regions)[node] * spread[1] ** 0.5
    level = level + draw.normal(size=len(sector)) * spread[2] ** 0.5
    weights = draw.gamma(4.0, 5.0, (len(sector), 5))
    return level[:, None] + draw.normal(size=weights.shape) * np.sqrt(2 / weights), weights, sector, region, level


def test_planted_variances_of_three_levels_come_back():
    values, weights, sector, region, level = simulated(4, 60, 12, 12, (0.4, 0.2, 0.1))
    found = hierarchical(values, weights, [sector, region])
    assert [item.between for item in found.levels] == pytest.approx([0.4, 0.2, 0.1], rel=0.25)
    assert found.levels[2].between == pytest.approx(0.1, rel=0.05) and found.within == pytest.approx(2.0, rel=0.02)
    assert [len(item.mean) for item in found.levels] == [60, 720, 8640]
    flat = buhlmann_straub(values, weights)
    assert ((found.firms.premium - level) ** 2).mean() < 0.95 * ((flat.premium - level) ** 2).mean()


def test_hierarchy_does_not_care_for_order_or_codes():
    values, weights, sector, region, _ = simulated(7, 8, 4, 5, (0.4, 0.2, 0.1))
    found = hierarchical(values, weights, [sector, region])
    order = np.random.default_rng(1).permutation(len(sector))
    mixed = hierarchical(values[order], weights[order], [900 - sector[order], region[order] * 17])
    assert_same(mixed.firms.premium, found.firms.premium[order], 1e-10)


def test_a_level_without_differences_steps_aside():
    values, weights, sector, region, _ = simulated(9, 40, 6, 10, (0.4, 0.0, 0.1))
    alone = np.zeros_like(region)
    plain = hierarchical(values, weights, [sector])
    values = values - np.repeat([plain.firms.mean[(sector == s)].mean() for s in range(40)], 60)[:, None]
    found = hierarchical(values, weights, [sector])  # every sector has the same mean of firms
    assert found.levels[0].between < 0.01
    with pytest.raises(ModelError, match="RM649"):
        hierarchical(values, weights, [sector, alone])  # one region a sector: nothing to compare


def test_firms_of_equal_means_take_the_regions_premium():
    values = np.array([[1.0, 3.0], [3.0, 1.0], [7.0, 9.0], [9.0, 7.0]])
    found = hierarchical(values, np.ones((4, 2)), [[0, 0, 1, 1]])
    assert found.firms.between == 0 and "RM673" in [item.code for item in found.warnings]
    assert_same(found.firms.premium, found.levels[0].premium[found.firms.parent])
    pooled = buhlmann_straub(values.reshape(2, 4), np.ones((2, 4)))
    assert_same(
        found.levels[0].z, found.levels[0].weight / (found.levels[0].weight + found.within / found.levels[0].between)
    )
    assert found.collective == pooled.collective == 5.0


def test_regression_is_actuar():
    found = hachemeister(RATIOS, WEIGHTS)
    assert_same(
        premium_at(found, [1, 13]),
        [2456.51916294288, 1651.00524598797, 2071.25239559069, 1596.98707577867, 1697.87120582908],
        1e-12,
    )
    assert_same(found.collective, [1675.00631028299, 117.096539528302], 1e-12)
    assert_same(
        found.own.T,
        [
            [2062.45703556632, 1509.28058536887, 1813.40907656197, 1356.75158086592, 1598.78533916379],
            [216.966507446002, 59.6025789119166, 150.598945059109, 96.697449515576, 41.2928803077406],
        ],
        1e-12,
    )
    assert_same(found.between, [93782.965098603, 8045.75257855075], 1e-12)
    assert_same(found.within, 49870186.9174741, 1e-12)
    assert_same(
        found.z.T,
        [
            [0.994718653480918, 0.973967401848523, 0.962727233390608, 0.886466965052856, 0.985487551527246],
            [0.941253091734167, 0.762965891310447, 0.688489051617274, 0.408016393577089, 0.85589352949386],
        ],
        1e-12,
    )


def test_a_constant_alone_is_buhlmann_straub():
    found, plain = hachemeister(RATIOS, WEIGHTS, np.ones((12, 1))), buhlmann_straub(RATIOS, WEIGHTS)
    assert_same(premium_at(found, [1]), plain.premium, 1e-12)
    assert_same([found.within, found.between[0]], [plain.within, plain.between], 1e-12)


def test_where_time_starts_does_not_matter():
    found = hachemeister(RATIOS, WEIGHTS)
    moved = hachemeister(RATIOS, WEIGHTS, np.stack([np.ones(12), np.arange(2014.0, 2026.0)], axis=1))
    assert_same(premium_at(moved, [1, 2026]), premium_at(found, [1, 13]), 1e-9)
    assert_same(natural_coefficients(moved)[:, 1], natural_coefficients(found)[:, 1], 1e-8)


def test_planted_trends_come_back_and_short_records_get_the_collective():
    draw = np.random.default_rng(21)
    weights = draw.gamma(4.0, 5.0, (4000, 8))
    level, trend = 10 + draw.normal(size=4000), 0.5 + 0.3 * draw.normal(size=4000)
    time = np.arange(1.0, 9.0)
    truth = level[:, None] + trend[:, None] * (time - 4.5)
    values = truth + draw.normal(size=weights.shape) * np.sqrt(4 / weights)
    values[0, 1:] = np.nan
    found = hachemeister(values, weights)
    slope = natural_coefficients(found)[:, 1]
    assert slope.mean() == pytest.approx(0.5, abs=0.02) and found.within == pytest.approx(4.0, rel=0.05)
    assert found.between[1] / found.basis[1, 1] ** 2 == pytest.approx(0.09, rel=0.1)
    assert found.z[0].tolist() == [0.0, 0.0] and np.isnan(found.own[0]).all()
    assert_same(found.coefficients[0], found.collective)
    next_year = level + trend * 4.5
    own = np.linalg.solve(found.basis.T, [1.0, 9.0])
    kept = np.arange(1, 4000)
    assert ((premium_at(found, [1, 9]) - next_year)[kept] ** 2).mean() < (
        (found.own @ own - next_year)[kept] ** 2
    ).mean()


@pytest.mark.parametrize(
    "wrong, code",
    [
        (lambda: hachemeister(RATIOS, WEIGHTS, np.ones((12, 2))), "RM650"),
        (lambda: hachemeister(RATIOS, WEIGHTS, np.ones((3, 1))), "RM640"),
        (lambda: hachemeister(RATIOS[:, :2], WEIGHTS[:, :2]), "RM948"),
        (lambda: hachemeister(RATIOS[:1], WEIGHTS[:1]), "RM645"),
        (lambda: hachemeister(RATIOS, WEIGHTS * (WEIGHTS < 9000)), "RM643"),
        (lambda: hierarchical(RATIOS, WEIGHTS, [[0, 1]]), "RM640"),
        (lambda: hierarchical(RATIOS, WEIGHTS, [[0, 1, 0, 1, -1]]), "RM642"),
    ],
)
def test_refusals(wrong, code):
    with pytest.raises(ModelError) as raised:
        wrong()
    assert [item.code for item in raised.value.problems] == [code]


def test_hachemeisters_states_in_two_cohorts():
    """`cm(~cohort + cohort:state, ..., method = "iterative")` as R's actuar prints it in its vignette "credibility".

    All digits printed there; held against a public transcript of the vignette's output.
    """
    found = hierarchical(RATIOS, WEIGHTS, [[0, 1, 0, 1, 1]], estimator="iterative")
    cohort, state = found.levels
    assert [round(found.collective), round(found.within)] == [1746, 139_120_026]
    assert [round(level.between) for level in found.levels] == [88981, 10952]
    assert cohort.mean.round().tolist() == [1967, 1528] and cohort.weight.round(3).tolist() == [1.407, 1.596]
    assert cohort.z.round(4).tolist() == [0.9196, 0.9284] and cohort.premium.round().tolist() == [1949, 1543]
    assert state.mean.round().tolist() == [2061, 1511, 1806, 1353, 1600]
    assert state.z.round(4).tolist() == [0.8874, 0.6103, 0.5195, 0.2463, 0.7398]
    assert state.premium.round().tolist() == [2048, 1524, 1875, 1497, 1585]


def test_ohlsson_pools_numerators_and_denominators_over_parents():
    found = hierarchical(RATIOS, WEIGHTS, [[0, 1, 0, 1, 1]], estimator="ohlsson")
    top, below = 0.0, 0.0
    for rows in ([0, 2], [1, 3, 4]):
        w = WEIGHTS[rows].sum(axis=1)
        x = (RATIOS[rows] * WEIGHTS[rows]).sum(axis=1) / w
        top += w @ (x - w @ x / w.sum()) ** 2 - (len(rows) - 1) * found.within
        below += w.sum() - w @ w / w.sum()
    assert found.firms.between == pytest.approx(top / below, rel=1e-12)


def test_no_estimator_of_a_hierarchy_is_far_from_planted_variances():
    values, weights, sector, region, _ = simulated(4, 60, 12, 12, (0.4, 0.2, 0.1))
    for estimator in ("ohlsson", "iterative"):
        found = hierarchical(values, weights, [sector, region], estimator=estimator)
        assert [item.between for item in found.levels] == pytest.approx([0.4, 0.2, 0.1], rel=0.25)


def test_semiparametric_poisson_by_hand():
    """With one unit of exposure each, between = variance of the counts - their mean; else the sums, in fractions."""
    counts = [0] * 1563 + [1] * 271 + [2] * 32 + [3] * 7 + [4] * 2
    found = semiparametric_poisson(counts, [1.0] * 1875)
    mean, between = Fraction(364, 1875), (494 - Fraction(364**2, 1875)) / 1874 - Fraction(364, 1875)
    assert_same([found.collective, found.between], [float(mean), float(between)], 1e-12)
    assert_same(found.premium[-1], float(mean + between / (between + mean) * (4 - mean)), 1e-12)
    claims, exposure = [9, 1, 30], [10, 25, 50]
    mean = Fraction(40, 85)
    spread = sum(e * (Fraction(n, e) - mean) ** 2 for n, e in zip(claims, exposure))
    between = (spread - 2 * mean) / (85 - Fraction(10**2 + 25**2 + 50**2, 85))
    z = [e / (e + mean / between) for e in exposure]
    found = semiparametric_poisson(claims, exposure)
    assert_same([found.within, found.between, *found.z], [float(one) for one in (mean, between, *z)], 1e-12)
    middle = sum(own * Fraction(n, e) for own, n, e in zip(z, claims, exposure)) / sum(z)
    assert_same(found.premium[2], float(middle + z[2] * (Fraction(30, 50) - middle)), 1e-12)


def test_semiparametric_poisson_of_a_panel():
    draw = np.random.default_rng(5)
    exposure = draw.uniform(0.5, 20, 4000)
    claims = draw.poisson(exposure * draw.gamma(2.0, 0.05, 4000))
    found = semiparametric_poisson(claims, exposure)
    assert found.collective == pytest.approx(0.1, rel=0.05) and found.between == pytest.approx(2 * 0.05**2, rel=0.15)
    rows = pd.DataFrame({"firm": np.arange(4000), "period": 1, "value": claims, "weight": exposure})
    panel = rm.credibility(rows, "semiparametric_poisson")
    assert_same(panel["estimate"], found.premium[panel["firm"].astype(int)], 1e-12)
    for odd, code in (([[0, 0], [1.0, 2.0]], "RM652"), ([[1], [1.0]], "RM645"), ([[1, 1], [0.0, 2.0]], "RM643")):
        with pytest.raises(ModelError) as caught:
            semiparametric_poisson(*odd)
        assert caught.value.problems[0].code == code
