"""Every planted parameter of claim frequency is found again, within its sampling error, from the tables alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ratemod.synth import levels
from ratemod.synth.province import Province
from ratemod.synth.truth import Truth

PLAN = Truth().frequency
FACTORS = {
    "sector": (levels.SECTORS, [np.log(rate / 1000) for rate in PLAN.claims_per_1000_heads]),
    "size_class": (levels.SIZES, PLAN.size_effect_log),
    "division_code": (levels.DIVISIONS, PLAN.division_effect_log),
    "standardisation": (levels.STANDARDISATION, PLAN.standardisation_effect_log),
    "integrity_grade": (levels.INTEGRITY, PLAN.integrity_effect_log),
    "blacklisted": (levels.YES_NO, (0.0, PLAN.blacklist_effect_log)),
    "hazard_state": (levels.HAZARD_STATES, PLAN.hazard_effect_log),
}
BASE = {
    "size_class": "small",
    "division_code": "220200",
    "standardisation": "none",
    "integrity_grade": "A",
    "blacklisted": "no",
    "hazard_state": "none",
}


@pytest.fixture(scope="session")
def terms(province: Province) -> pd.DataFrame:
    return province.table("truth_terms").to_pandas()


def design(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return the 0/1 design (sector levels as intercepts), the true log effects and their names."""
    columns, truth, names = [], [], []
    for factor, (codes, effects) in FACTORS.items():
        for code, effect in zip(codes, effects, strict=True):
            if code != BASE.get(factor):
                columns.append((frame[factor] == code).to_numpy(float))
                truth.append(effect)
                names.append(f"{factor}={code}")
    columns.append((frame["year"] - frame["year"].min()).to_numpy(float))
    return np.column_stack(columns), np.array([*truth, PLAN.trend_log]), [*names, "trend"]


def test_every_effect_on_frequency(terms: pd.DataFrame) -> None:
    import statsmodels.api as sm

    known = terms["random_effect"] * terms["service_factor"] * terms["head_years"]
    keys = [*FACTORS, "year"]
    cells = terms.assign(known=known).groupby(keys, observed=True)[["claims", "known"]].sum().reset_index()
    cells = cells[cells["known"] > 0]
    x, truth, names = design(cells)
    fit = sm.GLM(cells["claims"], x, family=sm.families.Poisson(), offset=np.log(cells["known"])).fit()
    z = pd.Series((fit.params.to_numpy() - truth) / fit.bse.to_numpy(), names)
    assert z.abs().max() < 4, z[z.abs() > 3]
    assert 0.4 < (z**2).mean() < 1.9
    assert fit.bse.max() < 0.25, "an effect with so wide an error is not tested at all"


def test_spread_of_the_random_effect(terms: pd.DataFrame) -> None:
    # The first term: no services yet, so the mean does not depend on the random effect.
    first = terms.sort_values("year").groupby("credit_code").first()
    mean = first["expected_claims"] / first["random_effect"]
    parts = (first["claims"] - mean) ** 2 - first["claims"]
    weight = (mean**2).sum()
    variance = parts.sum() / weight
    error = np.sqrt(((parts - variance * mean**2) ** 2).sum()) / weight
    assert error < 0.1
    assert abs(variance - 1 / PLAN.random_effect_shape) < 3.5 * error


def test_random_effects_are_gamma_with_mean_one(province: Province) -> None:
    from scipy import stats

    effect = province.table("truth_enterprises").column("random_effect").to_numpy()
    shape = PLAN.random_effect_shape
    assert stats.kstest(effect, stats.gamma(shape, scale=1 / shape).cdf).pvalue > 1e-3


def test_a_naive_comparison_of_services_has_the_wrong_sign(terms: pd.DataFrame) -> None:
    x = terms[terms["size_class"] == "small"]
    served = x["services_before"] > 0
    mean = x["expected_claims"] / x["random_effect"] / x["service_factor"]
    rate = [x.loc[which, "claims"].sum() / mean[which].sum() for which in (served, ~served)]
    assert rate[0] > 1.1 * rate[1], "riskier enterprises get more services, so services seem to harm"


def test_service_effect_within_enterprises(terms: pd.DataFrame) -> None:
    from scipy import optimize

    # Given an enterprise's total, its claims are multinomial over the years: the random effect cancels
    # (Hausman, Hall & Griliches 1984). Services of one term act on the next.
    firm, _ = pd.factorize(terms["credit_code"])
    claims = terms["claims"].to_numpy(float)
    base = (terms["expected_claims"] / terms["random_effect"] / terms["service_factor"]).to_numpy()
    count = terms["services_before"].to_numpy(float)
    total = np.bincount(firm, claims)

    def loss(parameters: np.ndarray) -> float:
        most, rate = parameters
        weight = base * (1 - most * -np.expm1(-rate * count))
        whole = np.bincount(firm, weight)
        return float(-(claims * np.log(weight)).sum() + (total * np.log(whole)).sum())

    fit = optimize.minimize(loss, [0.2, 1.0], method="L-BFGS-B", bounds=[(0.01, 0.9), (0.05, 5.0)])
    step = 1e-3
    eye = np.eye(2) * step
    hessian = np.array(
        [
            [
                (loss(fit.x + a + b) - loss(fit.x + a - b) - loss(fit.x - a + b) + loss(fit.x - a - b)) / (4 * step**2)
                for b in eye
            ]
            for a in eye
        ]
    )
    miss = fit.x - np.array([PLAN.service_effect_most, PLAN.service_effect_rate])
    assert miss @ hessian @ miss < 13.8  # chi-square with 2 degrees of freedom, 0.1 %
    assert np.sqrt(np.linalg.inv(hessian)[0, 0]) < 0.08


def test_counts_are_poisson_about_their_means(terms: pd.DataFrame) -> None:
    chi = (terms["claims"] - terms["expected_claims"]) ** 2 / terms["expected_claims"]
    error = chi.std() / np.sqrt(len(chi))
    assert abs(chi.mean() - 1) < 4 * error
