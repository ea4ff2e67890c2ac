"""Planted relativities come back within their intervals, as often as the intervals promise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import ratemod as rm
from ratemod.ratemaking.cells import Factor, collapse
from ratemod.ratemaking.cluster import cluster_covariance
from ratemod.ratemaking.family import poisson
from ratemod.ratemaking.glm import fit_glm
from ratemod.synth.truth import Truth

SEEDS = range(12)
FACTORS = ("sector", "size_class", "standardisation", "integrity_grade", "hazard_state", "blacklisted")


def fitted(seed):
    # Services go to the riskier firms; their effect has a chapter of its own and is planted as none here.
    none = replace(Truth(), frequency=replace(Truth().frequency, service_effect_most=0.0))
    panel = rm.synthesize(enterprises=4000, years=5, seed=seed, planted=none).table("panel").to_pandas()
    panel = panel[panel.earned_head_years > 0]
    factors, codes = [], []
    for name in FACTORS:
        levels = tuple(panel[name].cat.categories)
        factors.append(Factor(name, levels))
        codes.append(panel[name].cat.codes.to_numpy().astype(np.int64))
    factors.append(Factor("year", tuple(map(str, sorted(panel.year.unique())))))
    codes.append((panel.year - panel.year.min()).to_numpy().astype(np.int64))
    weight, counts = panel.earned_head_years.to_numpy(), panel.claims.to_numpy().astype(float)
    cells = collapse(factors, codes, weight, counts)
    reference = {
        "sector": "construction",
        "size_class": "small",
        "standardisation": "none",
        "integrity_grade": "A",
        "hazard_state": "none",
        "blacklisted": "no",
    }
    fit = fit_glm(cells, [factor.name for factor in factors], poisson(overdispersed=True), reference=reference)
    firm = panel.credit_code.astype("category").cat.codes.to_numpy().astype(np.int64)
    error = np.sqrt(np.diag(cluster_covariance(fit, codes, weight, counts, firm)))
    return dict(zip(fit.design.names, zip(fit.coefficient, error)))


def planted():
    frequency = Truth().frequency
    sector = np.log(np.array(frequency.claims_per_1000_heads))
    sector = sector - sector[4]
    from ratemod.synth import levels as lv

    truth = {f"sector[{name}]": value for name, value in zip(lv.SECTORS, sector)}
    truth |= {f"size_class[{name}]": value for name, value in zip(lv.SIZES, frequency.size_effect_log)}
    truth |= {f"hazard_state[{name}]": value for name, value in zip(lv.HAZARD_STATES, frequency.hazard_effect_log)}
    standard = frequency.standardisation_effect_log
    truth |= {f"standardisation[{name}]": value for name, value in zip(lv.STANDARDISATION, standard)}
    return truth


@pytest.fixture(scope="module")
def seeds():
    return [fitted(seed) for seed in SEEDS]


def test_coverage_is_near_nominal(seeds):
    """With a firm's years taken together, 95 % intervals hold the truth about 95 times in 100."""
    truth, hits = planted(), []
    for found in seeds:
        for name, value in truth.items():
            if name in found and found[name][1] < 1:
                estimate, error = found[name]
                hits.append(abs(estimate - value) <= 1.96 * error)
    assert len(hits) > 150
    assert 0.89 <= np.mean(hits) <= 0.99


def test_estimates_are_unbiased_over_seeds(seeds):
    truth = planted()
    for name in (
        "size_class[micro]",
        "size_class[medium]",
        "hazard_state[overdue]",
        "sector[mining]",
        "standardisation[level_2]",
    ):
        estimates = np.array([found[name][0] for found in seeds])
        error = estimates.std(ddof=1) / np.sqrt(len(estimates))
        assert abs(estimates.mean() - truth[name]) < 4 * error, name


def test_cluster_errors_are_those_of_statsmodels():
    import statsmodels.api as sm

    rng = np.random.default_rng(5)
    n = 3000
    firm = rng.integers(0, 400, n)
    size, ring = rng.integers(0, 3, n), rng.integers(0, 2, n)
    weight = rng.uniform(0.5, 2, n)
    counts = rng.poisson(weight * np.exp(-1 + 0.4 * size - 0.3 * ring) * rng.gamma(2, 0.5, 400)[firm]).astype(float)
    factors = [Factor("size", ("a", "b", "c")), Factor("ring", ("in", "out"))]
    fit = fit_glm(
        collapse(factors, [size, ring], weight, counts),
        ["size", "ring"],
        poisson(),
        reference={"size": "a", "ring": "in"},
    )
    ours = np.sqrt(np.diag(cluster_covariance(fit, [size, ring], weight, counts, firm)))
    matrix = fit.design.matrix(np.stack([size, ring], axis=1))
    model = sm.GLM(counts, matrix, family=sm.families.Poisson(), exposure=weight)
    theirs = model.fit(cov_type="cluster", cov_kwds={"groups": firm}, tol=1e-14)
    np.testing.assert_allclose(fit.coefficient, theirs.params, rtol=1e-8)
    np.testing.assert_allclose(ours, theirs.bse, rtol=1e-6)
