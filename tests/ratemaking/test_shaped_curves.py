"""Splines held to a shape, and penalised ones, against the same problems solved by patsy, statsmodels and scipy."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from patsy import dmatrix
from scipy.interpolate import BSpline
from scipy.optimize import LinearConstraint, minimize

import ratemod as rm
from ratemod.errors import ModelError


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(7)
    n = 3_000
    age = rng.integers(18, 81, n).astype(float)
    heads = rng.uniform(0.3, 1.0, n)
    log = -1.0 + 0.9 * np.exp(-(age - 18) / 9) + 0.0008 * (age - 50) ** 2
    return pd.DataFrame({"age": age, "heads": heads, "claims": rng.poisson(heads * np.exp(log))})


CALL = {"total": "claims", "weight": "heads"}


def inner(rows, kind_columns):
    return np.quantile(rows.age, np.linspace(0, 1, kind_columns - 1))[1:-1]


def basis(rows, columns, x):
    """Return patsy's cubic B-splines with an intercept on the knots that `columns` columns of a shaped curve have."""
    knots = inner(rows, columns)
    formula = "bs(x, knots=knots, degree=3, include_intercept=True, lower_bound=low, upper_bound=high) - 1"
    return np.asarray(dmatrix(formula, {"x": x, "knots": knots, "low": rows.age.min(), "high": rows.age.max()}))


def slopes(rows, columns, x, order):
    """Return a derivative of the same B-splines."""
    low, high = rows.age.min(), rows.age.max()
    knots = np.concatenate([[low] * 4, inner(rows, columns), [high] * 4])
    return BSpline(knots, np.eye(columns + 1), 3).derivative(order)(x)


def log_curve(model, x):
    """Return the log mean along a covariate."""
    return np.log(model.predict(pd.DataFrame({"age": x})))


AGES = np.linspace(18, 80, 63)


def test_a_shape_that_the_data_have_anyway_changes_nothing(rows):
    """Where no bound is met the fit is that of all cubic splines on these knots."""
    model = rm.rate_model(rows, covariates={"age": "spline(4, convex)"}, **CALL)
    right = sm.GLM(rows.claims, basis(rows, 4, rows.age), family=sm.families.Poisson(), exposure=rows.heads).fit(
        tol=1e-14
    )
    assert model.fit.parameters == 5
    assert model.fit.deviance == pytest.approx(right.deviance, rel=1e-10)
    assert log_curve(model, AGES) == pytest.approx(np.asarray(basis(rows, 4, AGES) @ right.params), abs=1e-7)


@pytest.mark.parametrize(("shape", "sign"), [("decreasing, convex", -1), ("increasing, convex", 1)])
def test_a_shape_is_the_best_of_all_splines_that_have_it(rows, shape, sign):
    """The slope of a convex curve is largest on the right: bending f″ >= 0 at the knots and one slope say it all."""
    columns = 6
    model = rm.rate_model(rows, covariates={"age": f"spline({columns}, {shape})"}, **CALL)
    x = basis(rows, columns, rows.age)
    ends = np.concatenate([[18.0], inner(rows, columns), [80.0]])
    edge = 80.0 if sign < 0 else 18.0
    held = np.vstack([slopes(rows, columns, ends, 2), sign * slopes(rows, columns, np.array([edge]), 1)])

    def cost(b):
        mean = rows.heads * np.exp(x @ b)
        return float((mean - rows.claims * (x @ b)).sum() / 1000), x.T @ np.asarray(mean - rows.claims) / 1000

    found = minimize(cost, np.full(columns + 1, -1.0), jac=True, method="trust-constr",
                     constraints=LinearConstraint(held, 0, np.inf), options={"gtol": 1e-10, "xtol": 1e-12})  # fmt: skip
    mine = cost(np.linalg.lstsq(basis(rows, columns, AGES), log_curve(model, AGES), rcond=None)[0])[0]
    assert mine == pytest.approx(found.fun, abs=2e-6)
    assert log_curve(model, AGES) == pytest.approx(basis(rows, columns, AGES) @ found.x, abs=5e-3)
    steps = np.diff(log_curve(model, np.linspace(10, 95, 400)))
    assert (sign * steps >= -1e-10).all()
    assert (np.diff(steps) >= -1e-10).all()
    assert model.fit.parameters < columns + 1  # some bound holds


def test_errors_are_those_of_a_fit_without_the_columns_that_are_held_at_zero(rows):
    model = rm.rate_model(rows, covariates={"age": "spline(6, increasing)"}, **CALL)
    free = np.flatnonzero(model.fit.coefficient[1:] > 0)
    assert 0 < len(free) < 6
    x = np.column_stack([np.ones(len(rows)), model.asked.curves[0].columns(rows.age)[:, free]])
    right = sm.GLM(rows.claims, x, family=sm.families.Poisson(), exposure=rows.heads).fit(tol=1e-14)
    used = [0, *(free + 1)]
    assert model.fit.coefficient[used] == pytest.approx(right.params.to_numpy(), rel=1e-6)
    assert model.fit.standard_error[used] == pytest.approx(right.bse.to_numpy(), rel=1e-5)
    assert (np.delete(model.fit.standard_error, used) == 0).all()


@pytest.mark.parametrize("kind", ["spline(5, concave)", "spline(5, increasing)", "penalised(8, decreasing)"])
def test_a_curve_has_its_shape_also_beyond_the_data(rows, kind):
    curve = rm.rate_model(rows, covariates={"age": kind}, **CALL).curve("age", np.linspace(0, 110, 300))
    steps = np.diff(np.log(curve.relativity))
    if "concave" in kind:
        assert (np.diff(steps) <= 1e-10).all()
    else:
        assert ((1 if "increasing" in kind else -1) * steps >= -1e-12).all()


@pytest.fixture(scope="module")
def smooth(rows):
    return rm.rate_model(rows, covariates={"age": "penalised(10)"}, **CALL)


def roughness(rows, columns):
    """Return ∫ f″² over the range, f″ by the B-splines' second derivative on a fine grid, in units of the range."""
    low, high = rows.age.min(), rows.age.max()
    grid = np.linspace(low, high, 20_001)
    bend = slopes(rows, columns, grid, 2) * (high - low) ** 2
    return bend.T @ bend / 20_000


def test_a_penalised_curve_is_the_least_of_deviance_and_roughness(rows, smooth):
    strength = smooth.asked.curves[0].strength
    x, s = basis(rows, 10, rows.age), strength * roughness(rows, 10)

    def cost(b):
        mean = rows.heads * np.exp(x @ b)
        return float((mean - rows.claims * (x @ b)).sum() + b @ s @ b / 2), x.T @ np.asarray(mean - rows.claims) + s @ b

    found = minimize(cost, np.full(11, -1.0), jac=True, method="BFGS", options={"gtol": 1e-7})
    assert log_curve(smooth, AGES) == pytest.approx(basis(rows, 10, AGES) @ found.x, abs=2e-4)
    mean = rows.heads * np.exp(x @ found.x)
    information = x.T @ (x * np.asarray(mean)[:, None])
    assert smooth.fit.parameters == pytest.approx(np.trace(np.linalg.solve(information + s, information)), rel=1e-3)
    errors = np.sqrt(np.diag(basis(rows, 10, AGES) @ np.linalg.inv(information + s) @ basis(rows, 10, AGES).T))
    stated = smooth.predictions(pd.DataFrame({"age": AGES})).log_standard_error
    assert stated.to_numpy() == pytest.approx(errors, rel=5e-3)


def test_the_strength_is_that_of_the_largest_marginal_likelihood(rows, smooth):
    """REML written out with patsy's columns, all of them: a strength a third lower or higher is less likely."""
    x, bare = basis(rows, 10, rows.age), roughness(rows, 10)

    def criterion(strength):
        s, b = strength * bare, np.full(11, -1.0)
        for _ in range(40):
            mean = np.asarray(rows.heads) * np.exp(x @ b)
            b = b + np.linalg.solve(x.T @ (x * mean[:, None]) + s, x.T @ (rows.claims.to_numpy() - mean) - s @ b)
        mean = np.asarray(rows.heads) * np.exp(x @ b)
        penalised = 2 * (mean.sum() - rows.claims @ np.log(mean)) + b @ s @ b
        return penalised + np.linalg.slogdet(x.T @ (x * mean[:, None]) + s)[1] - 9 * np.log(strength)

    best = smooth.asked.curves[0].strength
    assert criterion(best) < min(criterion(best / 1.3), criterion(best * 1.3))


def test_a_line_needs_no_more_than_a_line():
    """Counts on a straight line: the penalty leaves about two parameters, and the line's own slope."""
    x = np.arange(200.0)
    rows = pd.DataFrame({"age": x, "heads": 50.0, "claims": np.round(50 * np.exp(-1 + 0.004 * x))})
    model = rm.rate_model(rows, covariates={"age": "penalised(15)"}, **CALL)
    assert model.fit.parameters < 2.6
    assert np.diff(log_curve(model, x)).mean() == pytest.approx(0.004, rel=0.02)


def test_shapes_on_the_command_line_and_in_an_interaction(rows, tmp_path, capsys):
    from ratemod.cli import main

    rows.to_csv(tmp_path / "rows.csv", index=False)
    said = ["model", str(tmp_path / "rows.csv"), "--target", "claims", "--weight", "heads"]
    assert main([*said, "--covariates", "age:spline(5, decreasing, convex)"]) == 0
    assert "age" in capsys.readouterr().out
    for kind in ("spline(5, rising)", "spline(5, increasing, decreasing)", "penalised(2)", "polynomial(3, convex)"):
        with pytest.raises(ModelError, match="RM482"):
            rm.rate_model(rows, covariates={"age": kind}, **CALL)
    with pytest.raises(ModelError, match="RM475"):
        rm.rate_model(
            rows.assign(sex=np.where(rows.age % 2 == 0, "f", "m")),
            covariates={"age": "penalised(8)"}, interactions=[("sex", "age")], **CALL,
        )  # fmt: skip
