"""The model of a study by arithmetic: levels put together, distances from a complement, cells, the balance."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from tests.study import small

from ratemod.plan.edit import row_path
from ratemod.ratemaking.cells import Factor
from ratemod.study.balance import filled
from ratemod.study.fit import fit
from ratemod.study.model import between_variance, cell_index, fit_model, pool


def test_cells_are_numbered_with_the_last_factor_fastest():
    factors = [Factor("a", ("x", "y")), Factor("b", ("p", "q", "r"))]
    assert cell_index(factors, [np.array([0, 0, 1, 1]), np.array([0, 2, 0, 2])]).tolist() == [0, 2, 3, 5]


def test_the_variance_between_levels_is_that_of_paule_and_mandel():
    """Two levels at ±d with one error: d²·2/(s² + τ²) = 0.92…, as long as neither counts as beyond two errors."""
    huber = 0.9205367
    for distance, error in ((0.5, 0.1), (0.3, 0.2)):
        found = between_variance(np.array([distance, -distance]), np.array([error, error]))
        assert found == pytest.approx(2 * distance**2 / huber - error**2, rel=1e-9)
    assert between_variance(np.array([0.1, -0.1]), np.array([0.2, 0.2])) == 0.0
    assert between_variance(np.array([0.5, -0.5]), np.array([0.1, 0.0])) == 0.0  # one level with an error is no spread
    assert between_variance(np.array([7.0]), np.array([0.1])) == 0.0


def test_only_what_lies_within_two_errors_counts_in_full():
    """Nine levels at the mean and one far out: the far one counts as 4 wherever it is, by 9·0.92… < 4 no spread."""
    for far in (3.0, 30.0):
        assert between_variance(np.array([0.0] * 9 + [far]), np.full(10, 0.1)) < 0.1 * far**2


COUNTS = np.array([50.0, 40.0, 3.0, 60.0])


def pooled(current, least_claims=10, least_firms=2, firm=None):
    n = len(COUNTS)
    seen = SimpleNamespace(policy=np.arange(4 * n), known=np.ones(4 * n), counts=np.repeat(COUNTS / 4, 4))
    code = np.repeat(np.arange(n), 4)
    assumed = SimpleNamespace(least_claims=least_claims, least_firms=least_firms)
    factor = Factor("trade", ("a", "b", "c", "d"))
    firm = np.arange(4 * n) if firm is None else firm
    return pool(seen, [factor], [code], current, firm, assumed)


def test_a_thin_level_is_fitted_with_the_level_whose_rate_is_nearest():
    """By the logarithm of the current rates: 1.9 lies nearer to 3.0 than to 1.0, as 1.9² > 3."""
    found = pooled({"trade": np.array([1.0, 3.0, 1.9, 9.0])})
    assert found.level_of["trade"].tolist() == [0, 1, 1, 3]
    assert found.left[0].levels == ("a", "b", "d") and found.rows[0].tolist() == [0] * 4 + [1] * 8 + [2] * 4
    assert [(merge.level, merge.into, merge.rows) for merge in found.merges] == [("c", "b", 4)]
    assert pooled({"trade": np.array([1.0, 3.0, 1.7, 9.0])}).level_of["trade"].tolist() == [0, 1, 0, 3]
    assert pooled({}).level_of["trade"].tolist() == [0, 1, 1, 3]  # without rates, the next in the plan's order
    assert pooled({}, least_claims=3).merges == () and pooled({}, least_claims=3).terms == ["trade"]


def test_few_firms_are_as_thin_as_few_claims_and_one_level_is_left_of_thin_ones():
    firm = np.arange(16)
    firm[12:] = 12  # all policies of the last level are one firm's
    found = pooled({"trade": np.array([1.0, 3.0, 4.0, 1.1])}, least_claims=1, firm=firm)
    assert found.level_of["trade"].tolist() == [0, 1, 2, 0]
    assert found.merges[0].reason.startswith("fewer than 2 firms")
    none = pooled({}, least_claims=1000)
    assert none.level_of["trade"].tolist() == [0, 0, 0, 0] and none.terms == []


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    plan = small.plan_folder(tmp_path_factory.mktemp("plan"))
    return fit(
        small.history([1_200, 900, 1_500, 1_100], 2022), plan, new_from="2026-01-01", **small.FLAT, **small.PLAIN
    )


def test_expected_losses_of_all_cells_are_the_losses_seen(study):
    data, model, base = study.data, study.model, study.base
    axes = len(study.tables[0].axes)
    pure = model.predict(base.factors, [code[data.policy] for code in base.codes], axes)
    assert (pure * data.weight).sum() == pytest.approx(data.capped_yuan.sum(), rel=1e-9)
    index = cell_index(base.factors[:axes], [code[data.policy] for code in base.codes[:axes]])
    main = pure * data.weight / model.cell_factor[index]
    assert (model.cell_factor[index] * main).sum() == pytest.approx(main.sum(), rel=1e-9)


def test_only_rates_move_with_the_off_balance_and_a_choice_never(study):
    table = study.tables[0]
    path = row_path(table, table.rows[0])
    plain = [float(value) for value in filled(table, [2.0, 3.0], {}, 1.5, True)]
    assert plain == [3.0, 4.5]
    assert [float(value) for value in filled(table, [2.0, None], {}, 1.5, False)] == [2.0, 20.0]
    chosen = {path: (table.rows[0].values[0], "as it is")}
    assert [float(value) for value in filled(table, [2.0, 3.0], chosen, 1.5, True)] == [20.0, 4.5]


def test_factors_of_cells_leave_the_losses_of_the_whole_as_they_were():
    """Four cells whose losses are no product of two factors, over three uneven years, twelve firms a cell."""
    a, b, year, firm = (axis.ravel() for axis in np.indices((2, 2, 3, 12)))
    claims = np.array([[9.0, 2.0], [3.0, 8.0]])[a, b] * np.array([1.0, 1.4, 0.7])[year] * (1 + firm % 3)
    weight = 1_000.0 * np.array([[1.0, 4.0], [2.0, 1.0]])[a, b]
    rows = np.arange(len(a))
    factors = (Factor("a", ("x", "y")), Factor("b", ("p", "q")))
    data = SimpleNamespace(
        policy=rows, year=year, years=np.arange(2022, 2025), weight=weight, counts=claims, capped_yuan=claims * 500.0
    )
    assumed = SimpleNamespace(
        model="frequency-severity", complement="none", monotone={}, least_claims=1, least_firms=1, tweedie_power=1.5
    )
    seen = SimpleNamespace(policy=rows, known=weight, counts=claims)
    firms = (a * 2 + b) * 12 + firm
    held = pool(seen, factors, (a, b), {}, firms, assumed)
    model = fit_model(data, held, 2, {}, firms, assumed)
    index = cell_index(factors, (a, b))
    assert np.ptp(model.cell_factor) > 0.1 and model.cell_credibility is not None
    expected = model.predict(factors, (a, b), 2) * weight
    assert expected.sum() == pytest.approx(data.capped_yuan.sum(), rel=1e-9)
    main = expected / model.cell_factor[index]
    assert main @ model.cell_factor[index] == pytest.approx(main.sum(), rel=1e-9)
    for effect in model.effects.values():  # each around an exposure-weighted geometric mean of 1
        assert np.log(effect.fitted) @ effect.weight == pytest.approx(0.0, abs=1e-6 * effect.weight.sum())
