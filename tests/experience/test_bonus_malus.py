"""Bonus–malus systems: published distributions and relativities, derivatives, simulation, optimal retentions."""

from __future__ import annotations

import numpy as np
import pytest

from ratemod.errors import ModelError
from ratemod.experience.bonus_malus import (
    bonus_malus,
    distance_path,
    evolve,
    judge_system,
    premium_path,
    stationary,
    transition_matrix,
)
from ratemod.experience.optimal_relativities import optimal_relativities
from ratemod.experience.retention import optimal_retention
from tests.experience.published import assert_same

DENUIT = bonus_malus(np.ones(6), down=1, up=2)
MALAYSIA = bonus_malus([0.45, 0.55, 0.6167, 0.70, 0.75, 1.00], down=1, up=None)
BOOK = bonus_malus([0.5, 0.6, 0.75, 1.0, 1.3, 1.7], down=1, up=2)


def test_the_six_level_system_of_the_book():
    # Denuit, Maréchal, Pitrebois & Walhin 2007, section 4.4: -1/+2 with six levels at frequency 0.1.
    assert stationary(DENUIT, 0.1).round(6).tolist() == [0.782901, 0.082338, 0.090998, 0.022278, 0.016387, 0.005097]
    matrix = transition_matrix(DENUIT, 0.1)
    printed = [
        [0.791523, 0.081985, 0.088694, 0.018169, 0.015456, 0.004173],
        [0.788490, 0.066822, 0.106890, 0.017259, 0.014546, 0.005992],
        [0.788490, 0.063789, 0.073531, 0.053651, 0.013637, 0.006902],
        [0.606531, 0.245749, 0.070498, 0.020292, 0.050028, 0.006902],
        [0.606531, 0.063789, 0.252457, 0.017259, 0.034865, 0.025098],
        [0.606531, 0.063789, 0.070498, 0.199219, 0.031833, 0.028131],
    ]
    np.testing.assert_allclose(np.linalg.matrix_power(matrix, 5), printed, atol=5.01e-7)
    assert_same(
        matrix[0, [0, 2, 4, 5]],
        [0.9048374180359596, 0.09048374180359599, 0.004524187090179802, 0.00015465307026467186],
        1e-12,
    )


def test_malaysia():
    # Loss Data Analytics (open text), ch. 12, examples 4.1 to 4.6: -1/top; the book starts from all levels alike.
    assert_same(
        stationary(MALAYSIA, 0.1)[::-1],
        [
            0.09516258196404044,
            0.0861066649579777,
            0.077912532396264,
            0.0704981746460788,
            0.06378938632300607,
            0.6065306597126339,
        ],
        1e-13,
    )
    alike = np.full(6, 1 / 6)
    path = 100 * premium_path(MALAYSIA, 0.1, 20, alike)
    assert_same(
        path[1:6],
        [62.550287329855024, 59.867778292018116, 58.05789225759839, 57.05735991474435, 56.57805370124835],
        1e-13,
    )
    assert_same(path[6:], [56.57805370124835] * 15, 1e-13)
    distance = distance_path(MALAYSIA, 0.1, 5, alike)
    # printed 0.6096, 0.3941, 0.2252, 0.0958, 0: from rounded chances, so within a unit of the last digit
    np.testing.assert_allclose(distance[1:], [0.6098, 0.3943, 0.2253, 0.0959, 0], atol=5e-5)
    np.testing.assert_allclose(distance[1:], [0.6096, 0.3941, 0.2252, 0.0958, 0], atol=3e-4)


def test_optimal_relativities():
    # Loss Data Analytics, table 12.6 (-1/+1, seven levels, frequencies 0.1, 0.3, 0.5, gamma 1.5), recomputed with two
    # independent quadratures; the printed figures agree to a quarter of a percentage point.
    found = optimal_relativities(bonus_malus(np.ones(7), up=1), [0.1, 0.3, 0.5], [0.6, 0.3, 0.1], 1.5)
    near = {"rtol": 1e-7}
    np.testing.assert_allclose(
        found.share[::-1],
        [
            0.03285330003219429,
            0.022038451261652287,
            0.01981833072928459,
            0.02380359186358868,
            0.04016913574321558,
            0.10383174447727413,
            0.7574854458928176,
        ],
        **near,
    )
    np.testing.assert_allclose(
        found.by_money[::-1],
        [
            2.2862964437710347,
            1.8925317113441071,
            1.6079962352928405,
            1.3702905836080816,
            1.1464019552709936,
            0.9112392589255732,
            0.6174763053066256,
        ],
        **near,
    )
    np.testing.assert_allclose(
        found.balanced[::-1],
        [
            2.349230784428936,
            1.9622656144572939,
            1.6856549243448915,
            1.45956160067842,
            1.2563557465372954,
            1.0625719314160047,
            0.8589334981828192,
        ],
        **near,
    )
    np.testing.assert_allclose(
        found.mean_risk[::-1],
        [
            2.446064221014873,
            2.1008002253569877,
            1.8598357147523605,
            1.6679064083203692,
            1.4747482642798375,
            1.2127584826349358,
            0.8074308799778677,
        ],
        **near,
    )
    np.testing.assert_allclose(100 * found.share[::-1], [3.28, 2.21, 2.0, 2.38, 4.02, 10.38, 75.74], atol=0.02)
    assert_same([found.share @ found.mean_risk, found.share @ found.balanced], [1, 1], 1e-9)
    assert_same(found.share @ found.by_money, 0.7897013420019685, 1e-7)


def test_the_long_run_is_the_eigenvector_and_the_elasticity_a_derivative():
    frequency = np.array([0.01, 0.1, 0.5, 1.5])
    found, matrix = judge_system(BOOK, frequency), transition_matrix(BOOK, frequency)
    assert_same(np.einsum("ki,kij->kj", found.stationary, matrix), found.stationary, 1e-10)
    assert_same(matrix.sum(axis=-1), np.ones((4, 6)), 1e-14)
    step = 1e-5
    up, down = judge_system(BOOK, frequency + step).mean_premium, judge_system(BOOK, frequency - step).mean_premium
    np.testing.assert_allclose(found.efficiency, frequency * (up - down) / (2 * step) / found.mean_premium, rtol=1e-5)
    assert (np.diff(found.mean_premium) > 0).all() and (found.mean_premium <= 1.7).all()
    distance = distance_path(BOOK, 0.1, 60)
    assert (distance[60] / distance[20]) ** (1 / 40) == pytest.approx(found.pace[1], rel=0.02)


def test_a_flat_system_has_no_efficiency_and_a_proportional_one_has_one():
    flat = judge_system(bonus_malus(np.ones(4)), [0.1, 0.4])
    np.testing.assert_allclose(flat.efficiency, 0, atol=1e-14)
    assert flat.relative_level.tolist() == [0, 0]
    tiny = judge_system(bonus_malus([1e-9, 1.0], down=1, up=1), [0.01])  # premium ~ chance of a claim ~ frequency
    assert tiny.efficiency[0] == pytest.approx(0.995, abs=1e-3)


def test_firms_walk_as_the_matrix_says():
    draw = np.random.default_rng(8)
    levels = evolve(BOOK, draw.poisson(0.3, (200_000, 12)))
    share = np.bincount(levels[:, 12], minlength=6) / 200_000
    exact = np.linalg.matrix_power(transition_matrix(BOOK, 0.3), 12)[BOOK.start]
    np.testing.assert_allclose(share, exact, atol=0.005)
    assert BOOK.relativities[levels].mean(axis=0) == pytest.approx(premium_path(BOOK, 0.3, 12), abs=0.005)


def test_a_table_of_moves_is_the_same_as_its_rule():
    table = bonus_malus(BOOK.relativities, moves=BOOK.moves)
    claims = np.random.default_rng(3).poisson(0.5, (500, 8))
    assert (evolve(table, claims) == evolve(BOOK, claims)).all()
    slow = []
    for row in claims:
        level = 5
        for count in row:
            level = max(level - 1, 0) if count == 0 else min(level + 2 * count, 5)
        slow.append(level)
    assert evolve(BOOK, claims)[:, -1].tolist() == slow


def exponential(mean):
    return lambda d: mean * -np.expm1(-d / mean)


def test_retentions_are_a_fine_step_program():
    # the same problem with a claim possible in each of 2,000 small steps of the year
    found = optimal_retention(BOOK, 0.3, 10_000.0, exponential(15_000.0), 0.9)
    end = 0.9 * found.cost[BOOK.moves]
    rest = end.copy()
    for _ in range(2_000):
        gap = np.maximum(np.vstack([rest[1:] - rest[:-1], np.zeros((1, 6))]), 0)
        rest = rest + 0.3 / 2_000 * exponential(15_000.0)(gap)
    np.testing.assert_allclose(10_000 * BOOK.relativities + rest[0], found.cost, rtol=1e-4)
    np.testing.assert_allclose(found.at_end, end[1] - end[0], rtol=1e-9)
    np.testing.assert_allclose(found.at_start, rest[1] - rest[0], rtol=1e-3)


def test_hunger_for_bonus():
    found = optimal_retention(BOOK, 0.1, 10_000.0, exponential(20_000.0))
    assert (found.at_end > 0).all() and (np.diff(found.cost) > 0).all()
    flat = optimal_retention(bonus_malus(np.ones(4)), 0.1, 10_000.0, exponential(20_000.0))
    np.testing.assert_allclose(flat.at_end, 0, atol=1e-6)
    np.testing.assert_allclose(flat.cost, 200_000, rtol=1e-9)
    # one who reports everything pays more than one who keeps small claims, never less
    pi_cost = np.linalg.solve(np.eye(6) - 0.95 * transition_matrix(BOOK, 0.1), 10_000 * BOOK.relativities)
    assert (found.cost < pi_cost).all()
    steeper = optimal_retention(bonus_malus(BOOK.relativities**2), 0.1, 10_000.0, exponential(20_000.0))
    assert steeper.at_end[5] > found.at_end[5]


def test_an_iteration_that_does_not_settle_says_so(monkeypatch):
    monkeypatch.setattr("ratemod.experience.retention.MOST_ROUNDS", 3)
    with pytest.raises(ModelError, match="RM658"):
        optimal_retention(BOOK, 0.1, 1.0, exponential(1.0))


@pytest.mark.parametrize(
    "wrong, code",
    [
        (lambda: bonus_malus([1.0]), "RM656"),
        (lambda: bonus_malus([1.0, 2.0], moves=[[0, 0, 0]]), "RM656"),
        (lambda: bonus_malus([1.0, 2.0], moves=[[0, 2]]), "RM642"),
        (lambda: bonus_malus([1.0, 0.0]), "RM642"),
        (lambda: bonus_malus([1.0, 2.0], start=2), "RM642"),
        (lambda: stationary(BOOK, -0.1), "RM642"),
        (lambda: stationary(bonus_malus([1.0, 2.0], moves=[[0, 1]]), 0.1), "RM657"),
        (lambda: evolve(BOOK, [[0.5]]), "RM655"),
        (lambda: evolve(BOOK, [0]), "RM640"),
        (lambda: evolve(BOOK, [[0]], start=[0, 1]), "RM640"),
        (lambda: premium_path(BOOK, 0.1, 2, [1.0]), "RM640"),
        (lambda: optimal_retention(BOOK, 0.1, 1.0, exponential(1.0), 1.0), "RM642"),
        (lambda: optimal_relativities(BOOK, [0.1, 0.2], [1.0], 1.0), "RM640"),
    ],
)
def test_refusals(wrong, code):
    with pytest.raises(ModelError) as raised:
        wrong()
    assert [item.code for item in raised.value.problems] == [code]
