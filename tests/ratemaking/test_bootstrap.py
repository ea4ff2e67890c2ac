"""The bootstrap against the closed form of the same model, by statsmodels; and one door for every reserving method."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from tests.cli.test_methods import AGES, PAID, printed, run, square

from ratemod.errors import ModelError
from ratemod.ratemaking import bootstrap, clark, munich, reserve, reserves
from ratemod.ratemaking.triangle_list import read_triangle

NO = np.nan


def closed_form(values):
    """Return dispersion, what is unpaid, its errors: a Poisson model of increments, delta method."""
    step = np.diff(values, axis=1, prepend=0.0)

    def design(row, column):
        made = np.zeros((len(row), sum(values.shape) - 1))
        made[np.arange(len(row)), row] = 1
        later = column > 0
        made[np.flatnonzero(later), values.shape[0] + column[later] - 1] = 1
        return made

    row, column = np.nonzero(~np.isnan(values))
    fit = sm.GLM(step[row, column], design(row, column), family=sm.families.Poisson()).fit(scale="X2", tol=1e-12)
    row, column = np.nonzero(np.isnan(values))
    future = design(row, column)
    mean = np.exp(future @ fit.params)
    slope = mean[:, None] * future
    spread = slope @ fit.cov_params() @ slope.T
    own = [(row == at) * 1.0 for at in range(len(values))]
    error = [np.sqrt(fit.scale * (mean @ one) + one @ spread @ one) for one in (*own, np.ones(len(mean)))]
    return fit.scale, np.array([mean @ one for one in own]), np.array(error[:-1]), error[-1]


def test_taylor_and_ashe_as_the_closed_form_and_the_paper():
    """England & Verrall (2002): φ 52,601, chain ladder 18,680,856, error in all 16 % of it."""
    found = bootstrap(square(PAID), draws=4000)
    scale, unpaid, error, whole = closed_form(square(PAID))
    assert found.dispersion == pytest.approx(scale, rel=1e-8) == pytest.approx(52_601, abs=1)
    np.testing.assert_allclose(found.unpaid, unpaid, rtol=1e-7, atol=1e-6)
    np.testing.assert_allclose(found.standard_error[1:], error[1:], rtol=0.08)
    assert found.total_standard_error == pytest.approx(whole, rel=0.05)
    assert round(found.total_standard_error / found.unpaid.sum(), 2) == 0.16
    np.testing.assert_allclose(found.drawn.mean(axis=0)[3:], unpaid[3:], rtol=0.04)


def test_draws_are_those_of_the_seed_and_no_error_is_left_where_nothing_varies():
    first, again, other = (bootstrap(square(PAID), draws=20, seed=seed) for seed in (7, 7, 8))
    assert (first.drawn == again.drawn).all() and (first.drawn != other.drawn).any()
    exact = [[4.0, 6.0, 7.0, 8.0], [8.0, 12.0, 14.0, NO], [2.0, 3.0, NO, NO], [4.0, NO, NO, NO]]
    found = bootstrap(exact, draws=50)
    np.testing.assert_allclose(found.drawn, np.tile(found.unpaid, (50, 1)), rtol=1e-9, atol=1e-12)


def test_negative_increments_are_drawn_with_their_sign():
    values = np.array(square(PAID))
    values[:3, 7] = values[:3, 6] * [0.99, 0.98, 0.995]  # recoveries at one age
    found = bootstrap(values, draws=2000)
    assert (np.diff(values, axis=1)[:3, 6] < 0).all()
    np.testing.assert_allclose(found.drawn.mean(axis=0)[4:], found.unpaid[4:], rtol=0.08)


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("RM515", [[1.0, NO, 3.0], [1.0, 2.0, NO], [1.0, NO, NO]]),
        ("RM515", [[NO, 2.0, 3.0], [1.0, 2.0, NO], [1.0, NO, NO]]),
        ("RM688", [[1.0, 2.0], [1.0, NO]]),
        ("RM689", [[1.0, 2.0, 2.5, 3], [0.0, 90.0, 91, NO], [0.0, 0.5, NO, NO], [1.0, NO, NO, NO]]),
        ("RM518", np.zeros((4, 4))),
        ("RM463", np.ones((2, 4, 4))),
        ("RM683", [[1.0, 2.0, 3.0], [NO, NO, NO]]),
    ],
)
def test_what_cannot_be_drawn_is_refused(code, values):
    with pytest.raises(ModelError) as caught:
        bootstrap(values)
    assert caught.value.problems[0].code == code


def test_each_method_is_the_function_of_its_name():
    paid = pd.DataFrame(square(PAID), columns=AGES, index=range(2001, 2011))
    incurred = paid * np.linspace(1.6, 1.02, 10) * np.random.default_rng(1).uniform(0.97, 1.03, (10, 10))
    drawn = reserve(paid, "bootstrap", draws=100, seed=3)
    assert drawn.total_standard_error == bootstrap(paid, draws=100, seed=3).total_standard_error
    assert {"standard_error", "quantile_99_5"} <= set(drawn.frame())
    both = reserve(paid, "munich", incurred=incurred)
    assert both.ultimate.tolist() == munich(paid, incurred).ultimate_paid.tolist()
    curve = reserve(paid, "clark", growth="weibull", base=[1.3e7] * 10, until=240.0)
    direct = clark(paid, "weibull", premium=[1.3e7] * 10, until=240.0)
    np.testing.assert_allclose(curve.unpaid, direct.unpaid, rtol=1e-9)
    assert direct.until == 240.0
    assert curve.total_standard_error == direct.total_standard_error
    # the factor to ultimate is that of the curve: grown at the end over grown at the age
    np.testing.assert_allclose(curve.to_ultimate[curve.age], direct.grown_until / direct.grown, rtol=1e-12)
    assert len(repr(drawn)) < 200 and len(repr(drawn.behind)) < 200


def test_the_trouble_of_one_segment_is_named_and_the_others_are_answered():
    fine = square(PAID)
    made = reserves(np.stack([fine, -fine, 2 * fine]), "mack")
    assert list(made.found) == ["1", "3"] and [item.args["segment"] for item in made.refused] == ["2"]
    assert made.found["3"].unpaid.sum() == pytest.approx(2 * made.found["1"].unpaid.sum())
    assert made.frame()["segment"].value_counts().to_dict() == {"1": 10, "3": 10}
    with pytest.raises(ModelError) as caught:
        reserves(np.stack([-fine, -fine]))
    assert [item.code for item in caught.value.problems] == ["RM473"] * 2
    own = reserves(np.stack([fine, fine]), "cape_cod", base=np.full((2, 10), 1.3e7)).found["2"]
    assert own.unpaid.tolist() == reserve(fine, "cape_cod", base=[1.3e7] * 10).unpaid.tolist()
    for odd, code in (
        ({"base": [1.0]}, "RM834"),
        ({"base": np.full((2, 10), 1.0)}, "RM473"),
        ({"growth": "x"}, "RM012"),
    ):
        with pytest.raises(ModelError) as caught:
            reserves(np.stack([fine, fine]), "mack", **odd)
        assert caught.value.problems[0].code in (code, "RM473"), odd


@pytest.mark.parametrize(
    ("method", "more", "shown"),
    [
        ("bootstrap", ["--draws", "200", "--seed", "3"], "99.5 % stay below"),
        ("clark", ["--growth", "weibull"], "ω of the curve"),
        ("munich", ["--incurred", "incurred.csv"], "λ of paid"),
    ],
)
def test_methods_through_the_command_line(tmp_path, capsys, monkeypatch, method, more, shown):
    monkeypatch.chdir(tmp_path)
    path = printed(tmp_path / "paid.csv", PAID, AGES)
    rng = np.random.default_rng(1)
    incurred = [[x * (1.6 - 0.06 * k) * rng.uniform(0.97, 1.03) for k, x in enumerate(row)] for row in PAID]
    printed(tmp_path / "incurred.csv", incurred, AGES)
    code, out, err = run(capsys, "triangle", path, "--method", method, *more, "-o", tmp_path / "made.csv")
    assert code == 0 and shown in out, out + err
    options = {"bootstrap": {"draws": 200, "seed": 3}, "clark": {"growth": "weibull"},
               "munich": {"incurred": read_triangle(tmp_path / "incurred.csv")}}[method]  # fmt: skip
    direct = reserves(read_triangle(tmp_path / "paid.csv"), method, **options).frame()
    assert f"{direct['unpaid'].sum():,.2f}" in out
    code, _, err = run(capsys, "triangle", path, "--method", "mack", *more)
    assert code == 1 and "RM461" in err


def test_a_hole_and_an_origin_without_payments_are_said(tmp_path, capsys):
    rows = [[*row] for row in PAID]
    rows[2][2] = ""
    rows[9][0] = 0
    path = printed(tmp_path / "paid.csv", rows, AGES)
    code, out, _ = run(capsys, "triangle", path)
    assert code == 0 and "1 amount(s) between known ones are missing" in out
    assert "1 origin(s) have nothing yet" in out
    path = printed(tmp_path / "blank.csv", [*PAID, []], AGES)
    code, out, _ = run(capsys, "triangle", path)
    assert code == 0 and "Origins without any amount are left out: 2011." in out
