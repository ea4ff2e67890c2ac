"""Models on cells: R's published fits, the row-level fit, named faults, and coverage over repeated samples."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.errors import ModelError
from ratemod.ratemaking import family as fam
from ratemod.ratemaking.cells import Factor, by_level, collapse, fold_offset, merge, merge_levels, thin_levels
from ratemod.ratemaking.glm import fit_glm, fit_negative_binomial, predict, type_iii

A, B, C = Factor("a", ("a0", "a1", "a2")), Factor("b", ("b0", "b1")), Factor("c", ("c0", "c1", "c2", "c3"))


def as_r(fit):
    """Return coefficients and standard errors by R's column names."""
    names = [n.replace("[", "").replace("]", "").replace("intercept", "(Intercept)") for n in fit.design.names]
    return dict(zip(names, fit.coefficient)), dict(zip(names, fit.standard_error))


def agree(fit, want, *, coefficient=1e-8):
    b, s = as_r(fit)
    assert set(b) == set(want["coef"])
    for name, value in want["coef"].items():
        assert b[name] == pytest.approx(value, abs=coefficient)
    for name, value in want["se"].items():
        assert s[name] == pytest.approx(value, rel=1e-7, abs=1e-8)
    assert fit.deviance == pytest.approx(want["deviance"], rel=1e-9)
    assert fit.null_deviance == pytest.approx(want["null.deviance"], rel=1e-9)
    assert fit.residual_df == fit.cell_df == want["df.residual"]
    assert fit.pearson == pytest.approx(want["pearson"], rel=1e-7)
    if want["aic"] != "NA":
        assert fit.aic == pytest.approx(want["aic"], rel=1e-12)
    else:
        assert np.isnan(fit.aic)


def first_levels(factors):
    return {factor.name: factor.levels[0] for factor in factors}


def test_mass_insurance(vectors, table):
    factors, codes, column = table("mass_insurance", ["District", "Group", "Age"])
    cells = collapse(factors, codes, column("Holders"), column("Claims"))
    fit = fit_glm(cells, ["District", "Group", "Age"], fam.poisson(), reference=first_levels(factors))
    agree(fit, vectors("glm_R")["mass_insurance_poisson"])


@pytest.mark.parametrize(
    ("case", "total", "family"),
    [("sweden77_freq_poisson", "Claims", fam.poisson()), ("sweden77_pp_tweedie15", "Payment", fam.tweedie(1.5))],
)
def test_sweden_1977(vectors, table, case, total, family):
    names = ["Kilometres", "Zone", "Bonus", "Make"]
    factors, codes, column = table("swedish_motor_1977_motorins", names)
    cells = collapse(factors, codes, column("Insured"), column(total), power=1.5)
    sums = vectors("glm_R")["sweden77_totals"]
    assert cells.weight.sum() == pytest.approx(sums["Insured"], rel=1e-12)
    assert cells.total.sum() == sums[total]
    fit = fit_glm(cells, names, family, reference=first_levels(factors))
    agree(fit, vectors("glm_R")[case])
    want = vectors("glm_R")[case]["dispersion"]
    assert fit.dispersion == pytest.approx(want, rel=1e-7)


def test_ohlsson_johansson(vectors, table):
    """References are the levels with the most exposure: found here, the same as R's by hand."""
    names = ["zon", "mcklass", "va", "bk"]
    factors, codes, column = table("ohlsson_mccase_tariff_cells", names)
    want = vectors("glm_R")
    often = collapse(factors, codes, column("duration"), column("antskad"))
    fit = fit_glm(often, names, fam.poisson())
    agree(fit, want["ohlsson_freq_poisson"])
    reference = {factor.name: factor.levels[i] for factor, i in zip(factors, fit.design.reference)}
    dear = collapse(factors, codes, column("antskad"), column("skadkost"))
    fit = fit_glm(dear, names, fam.gamma(), reference=reference)
    # R stops on the deviance, which leaves its coefficients about 1e-7 short where scoring converges slowly.
    agree(fit, want["ohlsson_sev_gamma"], coefficient=2e-7)
    score = fit.design.matrix(dear.codes).T @ (dear.weight * (dear.total / dear.weight / fit.fitted - 1))
    assert np.abs(score).max() < 1e-9
    assert fit.dispersion == pytest.approx(want["ohlsson_sev_gamma"]["dispersion"], rel=1e-7)


def test_autocollision_quasi_poisson(vectors, table):
    factors, codes, column = table("auto_collision_uk_mildenhall", ["Age", "Vehicle_Use"])
    claims = column("Claim_Count")
    cells = collapse(factors, codes, claims, claims * column("Severity"))
    fit = fit_glm(
        cells,
        ["Age", "Vehicle_Use"],
        fam.poisson(overdispersed=True),
        reference={"Age": "A", "Vehicle_Use": "Business"},
    )
    agree(fit, vectors("glm_R")["autocollision_sev_poisson_minbias"])


def sample(seed, rows=3000, offsets=False):
    """Return rows of a small planted book."""
    rng = np.random.default_rng(seed)
    codes = [rng.integers(0, len(f.levels), rows) for f in (A, B, C)]
    weight = rng.uniform(0.2, 5.0, rows)
    effect = np.array([0, 0.4, -0.3])[codes[0]] + np.array([0, 0.5])[codes[1]] + np.array([0, -0.2, 0.1, 0.3])[codes[2]]
    offset = rng.normal(0, 0.3, rows) if offsets else np.zeros(rows)
    return rng, codes, weight, np.exp(-0.5 + effect), offset


def dummies(codes):
    columns = [np.ones(len(codes[0]))]
    for factor, code in zip((A, B, C), codes):
        columns += [(code == i).astype(float) for i in range(1, len(factor.levels))]
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("name", ["poisson", "quasi", "gamma", "tweedie", "negative binomial"])
@pytest.mark.parametrize("offsets", [False, True])
def test_cells_equal_rows_in_statsmodels(name, offsets):
    sm = pytest.importorskip("statsmodels.api")
    rng, codes, w, mean, offset = sample(11, offsets=offsets)
    if name == "negative binomial" and offsets:
        offset = np.zeros_like(offset)
    mean = mean * np.exp(offset)
    kinds = {
        "poisson": (fam.poisson(), sm.families.Poisson(), 1.0),
        "quasi": (fam.poisson(overdispersed=True), sm.families.Poisson(), "X2"),
        "gamma": (fam.gamma(), sm.families.Gamma(sm.families.links.Log()), "X2"),
        "tweedie": (fam.tweedie(1.6), sm.families.Tweedie(sm.families.links.Log(), var_power=1.6), "X2"),
        "negative binomial": (fam.negative_binomial(0.7), sm.families.NegativeBinomial(alpha=0.7), 1.0),
    }
    ours, theirs, scale = kinds[name]
    if name == "gamma":
        y = rng.gamma(2.0 * w, mean / (2.0 * w))
    elif name == "tweedie":
        y = np.array([rng.gamma(1.5, m, n).sum() for n, m in zip(rng.poisson(w * 0.8), mean)]) / w
    else:
        y = rng.poisson(w * mean * rng.gamma(2.0, 0.5, len(w))) / w
    x = dummies(codes)
    rows = sm.GLM(y, x, family=theirs, var_weights=w, offset=offset).fit(tol=1e-14, maxiter=200, scale=scale)
    folded = fold_offset(w, w * y, offset, ours.power)
    cells = collapse([A, B, C], codes, *folded)
    fit = fit_glm(cells, ["a", "b", "c"], ours, reference={"a": "a0", "b": "b0", "c": "c0"})
    np.testing.assert_allclose(fit.coefficient, rows.params, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(fit.standard_error, rows.bse, rtol=1e-6)
    np.testing.assert_allclose(fit.pearson, rows.pearson_chi2, rtol=1e-7)
    assert fit.residual_df == rows.df_resid
    assert len(cells.weight) == 24


def test_type_iii_is_the_row_level_likelihood_ratio():
    sm = pytest.importorskip("statsmodels.api")
    rng, codes, w, mean, _ = sample(5)
    count = rng.poisson(w * mean)
    cells = collapse([A, B, C], codes, w, count)
    fit = fit_glm(cells, ["a", "b", "c"], fam.poisson())
    x = dummies(codes)
    full = sm.GLM(count, x, family=sm.families.Poisson(), exposure=w).fit(tol=1e-13)
    for test, drop in zip(type_iii(cells, fit), ([1, 2], [3], [4, 5, 6])):
        less = sm.GLM(count, np.delete(x, drop, axis=1), family=sm.families.Poisson(), exposure=w).fit(tol=1e-13)
        assert test.statistic == pytest.approx(less.deviance - full.deviance, rel=1e-9)
        assert (test.df, test.kind) == (len(drop), "chi2")
        assert test.aic_without - fit.aic == pytest.approx(less.aic - full.aic, rel=1e-8)


def test_interactions_and_their_main_effects():
    rng, codes, w, mean, _ = sample(6)
    cells = collapse([A, B, C], codes, w, rng.poisson(w * mean))
    fit = fit_glm(cells, ["a", "b", ("a", "b"), "c"], fam.poisson(), reference={"a": "a0", "b": "b0"})
    assert "a[a1]:b[b1]" in fit.design.names
    saturated = by_level(merge_to_one(cells), "ab")
    np.testing.assert_allclose(fit_margin(cells, fit), saturated.total, rtol=1e-10)
    assert [test.term for test in type_iii(cells, fit)] == [("a", "b"), ("c",)]


def merge_to_one(cells):
    """Return cells of one factor for every combination of a and b."""
    both = Factor("ab", tuple(f"{a}{b}" for a in A.levels for b in B.levels))
    return collapse([both], [cells.codes[:, 0] * 2 + cells.codes[:, 1]], cells.weight, cells.total)


def fit_margin(cells, fit):
    return np.bincount(cells.codes[:, 0] * 2 + cells.codes[:, 1], fit.fitted * cells.weight)


@given(st.integers(0, 10**6), st.lists(st.integers(1, 299), max_size=4))
@settings(max_examples=30, deadline=None)
def test_batches_and_order_do_not_matter(seed, cuts):
    rng, codes, w, mean, _ = sample(seed, rows=300)
    total = rng.poisson(w * mean).astype(float)
    whole = collapse([A, B, C], codes, w, total)
    order = rng.permutation(300)
    bounds = [0, *sorted(cuts), 300]
    parts = [
        collapse([A, B, C], [c[order[i:j]] for c in codes], w[order[i:j]], total[order[i:j]])
        for i, j in pairwise(bounds)
        if j > i
    ]
    again = merge(parts)
    np.testing.assert_array_equal(again.codes, whole.codes)
    np.testing.assert_array_equal(again.rows, whole.rows)
    for name in ("weight", "total", "square"):
        np.testing.assert_allclose(getattr(again, name), getattr(whole, name), rtol=1e-12)


def test_sparse_keys_give_the_same_cells():
    wide = [Factor(f"f{i}", tuple(str(k) for k in range(300))) for i in range(3)]
    rng = np.random.default_rng(3)
    codes = [rng.integers(0, 3, 500) for _ in wide]
    narrow = [Factor(f.name, f.levels[:3]) for f in wide]
    w, t = rng.uniform(1, 2, 500), rng.uniform(0, 1, 500)
    big, small = collapse(wide, codes, w, t), collapse(narrow, codes, w, t)
    np.testing.assert_array_equal(big.codes, small.codes)
    np.testing.assert_array_equal(big.total, small.total)


def test_merging_thin_levels_keeps_sums_and_a_record():
    _, codes, w, mean, _ = sample(8, rows=200)
    cells = collapse([A, B, C], codes, w, w * mean)
    assert thin_levels(cells, "c", weight=float(by_level(cells, "c").weight.min()) + 1e-9) != ()
    merged = merge_levels(cells, "c", {"c3": "c2"}, "under 100 head-years")
    assert merged.factors[2].levels == ("c0", "c1", "c2")
    assert merged.total.sum() == pytest.approx(cells.total.sum(), rel=1e-13)
    assert merged.rows.sum() == cells.rows.sum()
    record = merged.merges[0]
    assert (record.level, record.into, record.weight) == ("c3", "c2", pytest.approx(by_level(cells, "c").weight[3]))
    assert merge([merged, merged]).merges == merged.merges


def test_negative_binomial_alpha_is_found():
    rng = np.random.default_rng(2)
    codes = [rng.integers(0, 3, 20000), rng.integers(0, 2, 20000)]
    w = rng.uniform(0.5, 2, 20000)
    rate = np.exp(np.array([0, 0.5, -0.5])[codes[0]])
    count = rng.negative_binomial(w / 0.8, 1 / (1 + 0.8 * rate))
    fit = fit_negative_binomial(collapse([A, B], codes, w, count), ["a"], reference={"a": "a0"})
    assert fit.family.alpha == pytest.approx(0.8, abs=0.06)
    assert fit.pearson == pytest.approx(fit.residual_df, rel=1e-9)
    assert np.abs(fit.coefficient[1:] - [0.5, -0.5]).max() < 4 * fit.standard_error.max()


def test_coverage_of_planted_relativities():
    """Nominal 95 % over 400 samples: with 3 x 400 dependent-free draws a miss of 2.5 points is beyond four sigma."""
    rng = np.random.default_rng(77)
    w = np.full(6, 400.0)
    codes = [np.repeat(np.arange(3), 2), np.tile(np.arange(2), 3)]
    truth = np.array([-2.0, 0.4, -0.3, 0.5])
    mean = np.exp(truth[0] + np.array([0, 0.4, -0.3])[codes[0]] + np.array([0, 0.5])[codes[1]])
    hits = []
    for _ in range(400):
        cells = collapse([A, B], codes, w, rng.poisson(w * mean))
        fit = fit_glm(cells, ["a", "b"], fam.poisson(), reference={"a": "a0", "b": "b0"})
        hits.append(np.abs(fit.coefficient - truth) <= 1.959964 * fit.standard_error)
    assert abs(np.mean(hits) - 0.95) < 0.025


def test_prediction_and_its_error():
    _, codes, w, mean, _ = sample(9)
    cells = collapse([A, B, C], codes, w, w * mean)
    fit = fit_glm(cells, ["a", "b", "c"], fam.tweedie(1.5), reference={"a": "a0", "b": "b0", "c": "c0"})
    got, error = predict(fit, [[0, 0, 0], [1, 1, 3]])
    np.testing.assert_allclose(got, np.exp([-0.5, -0.5 + 0.4 + 0.5 + 0.3]), rtol=1e-8)
    assert error[0] == pytest.approx(fit.standard_error[0])


def test_progress_reports_a_falling_deviance():
    seen = []
    rng, codes, w, mean, _ = sample(10)
    cells = collapse([A, B, C], codes, w, rng.poisson(w * mean))
    fit_glm(cells, ["a"], fam.poisson(), progress=lambda i, d: seen.append((i, d)))
    assert [i for i, _ in seen] == list(range(1, len(seen) + 1))
    assert seen[-1][1] <= seen[0][1] + 1e-9


def cells_of(weight, total):
    grid = np.indices((3, 2)).reshape(2, -1)
    return collapse([A, B], list(grid), weight, total)


def test_a_row_for_every_level_has_relativities_but_no_dispersion():
    """Claims 4 on 10 against 9 on 30: ratio 4/3 of the rates, variance of its log 1/4 + 1/9 (two Poisson counts)."""
    cells = collapse([Factor("size", ("small", "large"))], [[0, 1]], [10.0, 30.0], [4.0, 9.0])
    fit = fit_glm(cells, ["size"], fam.poisson())
    assert np.exp(fit.coefficient[1]) == pytest.approx(4 / 3, rel=1e-12)
    assert fit.standard_error[1] == pytest.approx(np.sqrt(1 / 4 + 1 / 9), rel=1e-10)
    assert fit.residual_df == 0


FULL = np.full(6, 5.0)
OVERDISPERSED = fam.poisson(overdispersed=True)


@pytest.mark.parametrize(
    ("codes", "call"),
    [
        ({"RM536"}, lambda: fit_glm(cells_of(FULL, [1, 2, 0, 0, 3, 4]), ["a", "b"], fam.poisson())),
        (
            {"RM535", "RM538"},
            lambda: fit_glm(cells_of([5, 5, 0, 0, 5, 5], [1, 2, 0, 0, 3, 4]), ["a", "b"], OVERDISPERSED),
        ),
        (
            {"RM537"},
            lambda: fit_glm(
                collapse([A, Factor("twin", A.levels)], [[0, 0, 1, 1, 2, 2]] * 2, FULL, FULL),
                ["a", "twin"],
                fam.poisson(),
            ),
        ),
        ({"RM538"}, lambda: fit_glm(collapse([A], [[0, 1, 2]], [1.0] * 3, [1.0] * 3), ["a"], OVERDISPERSED)),
        ({"RM539"}, lambda: fit_glm(cells_of(FULL, [1, 2, 0, 1, 3, 4]), ["a", "b"], fam.gamma())),
        ({"RM540"}, lambda: fit_glm(cells_of(FULL, [1, 2, 5, 1, 3, 4]), ["a", "b"], fam.poisson(), max_iterations=1)),
        (
            {"RM540"},
            lambda: fit_glm(
                collapse(
                    [Factor("a", ("a0", "a1")), B], [[0, 0, 0, 1, 1], [0, 0, 1, 1, 1]], [10.0] * 5, [3, 2, 0, 4, 5]
                ),
                ["a", "b"],
                fam.poisson(),
            ),
        ),
        ({"RM541"}, lambda: fit_negative_binomial(cells_of(FULL * 100, FULL * 10), ["a"])),
        ({"RM527"}, lambda: fit_glm(cells_of(FULL, FULL), ["aa"], fam.poisson())),
        ({"RM532"}, lambda: fit_glm(cells_of(FULL, FULL), ["a"], fam.poisson(), reference={"a": "a9"})),
        ({"RM562"}, lambda: fit_glm(cells_of(FULL, FULL), ["a", "a"], fam.poisson())),
        ({"RM534"}, lambda: fam.tweedie(2.0)),
        ({"RM502"}, lambda: fam.negative_binomial(0.0)),
        ({"RM501"}, lambda: cells_of(FULL, [1, 2, -3, 4, 5, 6])),
        ({"RM528"}, lambda: cells_of([0, 5, 5, 5, 5, 5], FULL)),
        ({"RM524"}, lambda: collapse([A], [[0, 3]], [1.0, 1.0], [1.0, 1.0])),
        ({"RM503"}, lambda: collapse([A], [[0, 1, 1]], [1.0, 1.0], [1.0, 1.0])),
        ({"RM529"}, lambda: collapse([Factor(str(i), ("x",) * 2000) for i in range(6)], [[0]] * 6, [1.0], [1.0])),
        ({"RM530"}, lambda: merge([])),
        ({"RM531", "RM532"}, lambda: merge_levels(cells_of(FULL, FULL), "a", {"a9": "a0"}, " ")),
        ({"RM533"}, lambda: merge_levels(cells_of(FULL, FULL), "a", {"a2": "a1", "a1": "a0"}, "thin")),
    ],
)
def test_named_faults(codes, call):
    with pytest.raises(ModelError) as caught:
        call()
    assert {item.code for item in caught.value.problems} == codes
    for item in caught.value.problems:
        assert "{" not in item.line("en") and "{" not in item.line("zh")
