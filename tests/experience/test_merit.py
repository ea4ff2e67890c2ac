"""Merit schemes and floats: printed tables and examples, rules year by year, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.errors import ModelError
from ratemod.experience.bands import Bands
from ratemod.experience.float_state import (
    HUAINAN,
    NEW_INJURY,
    QUEENSLAND_SMALL,
    WORK_INJURY_FACTORS,
    FloatScheme,
    float_path,
    work_injury_floor,
)
from ratemod.experience.merit import (
    ILLUSTRATIVE_ACCIDENTS,
    ILLUSTRATIVE_LOSS_RATIO,
    JAPAN,
    accident_factor,
    claim_free_years,
    german_rebate_cent,
    german_supplement,
    japan_rate,
    japan_ratio_percent,
)
from tests.experience.published import assert_same


def test_japan_by_its_annex():
    # Annex table 3 of the rules under the act on collecting labour insurance premiums; upper edges belong to the band.
    rates = japan_rate([60, 60, 60, 12, 12, 62], [8, 10, 10.01, 80, 85.01, 151])
    assert_same(rates, [36.24, 36.24, 39.21, 12.0, 12.57, 86.56], 1e-12)
    for scheme, bands in JAPAN.items():
        most = int(scheme[2:])
        assert bands.values == tuple(range(-most, most + 1, 5)) and len(set(bands.values)) == len(bands.values)
        assert {75.0, 85.0, 150.0} <= set(bands.upper)
    assert JAPAN["pm45"].upper[-1] == 160 and JAPAN["pm40"].upper[:3] == (10, 20, 30)
    assert JAPAN["pm35"].of([85, 85.1, 110, 110.1]).tolist() == [0, 5, 10, 15]
    assert JAPAN["pm30"].of([50, 50.1, 130, 130.1]).tolist() == [-15, -10, 15, 20]
    assert_same(japan_ratio_percent([63.0], [100.0], 0.63), [100.0])


def test_the_german_leaflet():
    # BG ETEM leaflet: pay × class × 0.00282 for three lines, rebate 18 % less own burden 529.89. The leaflet prints the
    # net as 11,794.99, which does not follow from its own lines; the arithmetic gives 11,794.79.
    lines = [round(pay * grade * 0.00282 * 100) for pay, grade in ((447497, 9.4), (67862, 1.0), (67862, 8.8))]
    assert lines == [1_186_225, 19_137, 168_406] and sum(lines) == 1_373_768
    rebate = german_rebate_cent([1_373_768] * 3, [52_989, 0, 300_000], [0, 105_978, 0])
    assert rebate.tolist() == [194_289, 194_289, 0]
    assert german_rebate_cent([1_373_768], [0], [0]).tolist() == [247_278]
    assert 1_373_768 - rebate[0] == 1_179_479
    assert german_rebate_cent([100_000] * 3, [0] * 3, [0] * 3, [6, 12, 18]).tolist() == [6_000, 12_000, 18_000]


def test_a_supplement_leaves_the_average_firm_alone():
    bands = Bands((50.0, 150.0), (-0.10, 0.0, 0.30))
    assert german_supplement([10.0, 20.0], [100.0, 200.0], bands).tolist() == [0.0, 0.0]
    assert german_supplement([0.0, 10.0, 90.0], [100.0, 100.0, 100.0], bands).tolist() == [-0.1, -0.1, 0.3]


def test_claim_free_years_by_hand():
    claims = [[0, 0, 0, 0], [3, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0], [0, 0, -1, 0], [-1, -1, -1, -1]]
    assert claim_free_years(claims).tolist() == [4, 3, 0, 2, 1, 0]


def test_accidents_by_hand():
    # worst grade 1.2 (larger), two further at 0.05; capped at 1.5; clean years 1.0, 0.95, 0.9, 0.85
    found = accident_factor([1, 3, -1, -1, -1, 0], [3, 1, 0, 0, 0, 9], [0, 0, 0, 2, 9, 0])
    assert_same(found, [1.3, 1.5, 1.0, 0.9, 0.85, 1.5], 1e-12)
    assert "illustrative" in ILLUSTRATIVE_ACCIDENTS.source and "illustrative" in ILLUSTRATIVE_LOSS_RATIO.source


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 5), min_size=1, max_size=20), st.booleans())
def test_bands_are_a_plain_loop(ratios, inclusive):
    bands = Bands((0.5, 1.0, 2.0), (0.8, 1.0, 1.2, 1.5), inclusive)

    def slow(x):
        for edge, value in zip(bands.upper, bands.values):
            if x < edge or (inclusive and x == edge):
                return value
        return bands.values[-1]

    ratios = [*ratios, 0.5, 1.0, 2.0]
    assert bands.of(ratios).tolist() == [slow(x) for x in ratios]


def test_the_grid_of_the_work_injury_notice():
    # 人社部发〔2015〕71号: base rates of classes 1 to 8 and their floats, in percent of payroll.
    base = [0.2, 0.4, 0.7, 0.9, 1.1, 1.3, 1.6, 1.9]
    grid = {
        1: [0.2, 0.24, 0.3],
        2: [0.2, 0.32, 0.4, 0.48, 0.6],
        3: [0.35, 0.56, 0.7, 0.84, 1.05],
        4: [0.45, 0.72, 0.9, 1.08, 1.35],
        5: [0.55, 0.88, 1.1, 1.32, 1.65],
        6: [0.65, 1.04, 1.3, 1.56, 1.95],
        7: [0.8, 1.28, 1.6, 1.92, 2.4],
        8: [0.95, 1.52, 1.9, 2.28, 2.85],
    }
    for risk_class, printed in grid.items():
        open_steps = np.array(WORK_INJURY_FACTORS)[work_injury_floor([risk_class])[0] :]
        assert_same(base[risk_class - 1] * open_steps, printed, 1e-12)


def test_the_huainan_rule_year_by_year():
    ratio = [[20.0, 20.01, 60.0, 60.01, 80.0], [80.01, 120.0, 120.01, np.nan, 0.0]]
    found = float_path(HUAINAN, ratio)
    assert found.step.tolist() == [[2, 0, 1, 1, 2, 2], [2, 3, 3, 4, 4, 0]]
    assert found.factor[0].tolist() == [1.0, 0.5, 0.8, 0.8, 1.0, 1.0]
    assert float_path(HUAINAN, [[0.0, 150.0]], floor=work_injury_floor([1])).factor.tolist() == [[1.0, 1.0, 1.5]]


def test_the_rule_by_new_injuries():
    ratio, injured = [[120.0, 121.0, 120.0, 300.0, 301.0]], [[0, 0, 1, 1, 1]]
    assert float_path(NEW_INJURY, ratio, flag=injured).factor.tolist() == [[1.0, 0.8, 1.0, 1.0, 1.2, 1.5]]


def test_queensland_moves_one_category_a_year():
    # WorkCover Queensland: categories at 80, 90, 100, 110, 120 % of the industry rate, start in the middle.
    claims = np.maximum(np.array([[0.0, 0.0, 0.0, 9000.0, 400.0]]) - 500, 0)
    assert float_path(QUEENSLAND_SMALL, claims).factor.tolist() == [[1.0, 0.9, 0.8, 0.8, 0.9, 0.8]]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_floats_are_a_plain_loop_over_firms(seed):
    draw = np.random.default_rng(seed)
    scheme = FloatScheme((0.7, 0.85, 1.0, 1.2, 1.5), (20.0, 60.0, 80.0), ((0, 1, 2, 4), (1, 2, 3, 4)), "to", 2, 1, 2)
    ratio, flag = draw.choice([0.0, 20.0, 40.0, 70.0, 200.0, np.nan], (30, 6)), draw.integers(0, 2, (30, 6))
    floor, start = draw.integers(0, 3, 30), draw.integers(0, 5, 30)
    found = float_path(scheme, ratio, flag=flag, floor=floor, start=start)
    for firm in range(30):
        step = max(start[firm], floor[firm])
        for year in range(6):
            if not np.isnan(ratio[firm, year]):
                band = sum(ratio[firm, year] > edge for edge in scheme.edges)
                goal = scheme.rule[flag[firm, year]][band]
                step = max(floor[firm], min(step + 2, max(step - 1, goal)))
            assert found.step[firm, year + 1] == step
    order = draw.permutation(30)
    again = float_path(scheme, ratio[order], flag=flag[order], floor=floor[order], start=start[order])
    assert (again.step == found.step[order]).all()


@pytest.mark.parametrize(
    "wrong, code",
    [
        (lambda: accident_factor([-1], [2], [0]), "RM661"),
        (lambda: accident_factor([4], [2], [0]), "RM642"),
        (lambda: japan_rate([0.5], [10.0]), "RM642"),
        (lambda: japan_rate([60.0], [10.0], "pm20"), "RM012"),
        (lambda: german_supplement([0.0], [1.0], ILLUSTRATIVE_LOSS_RATIO), "RM652"),
        (lambda: FloatScheme((1.0, 1.2), (0.5,), ((0, 2),)), "RM662"),
        (lambda: FloatScheme((1.0, 1.2), (0.5,), ((0,),)), "RM662"),
        (lambda: float_path(HUAINAN, [[np.inf]]), "RM641"),
        (lambda: float_path(HUAINAN, [[1.0]], start=[5]), "RM642"),
        (lambda: float_path(HUAINAN, [[1.0]], floor=[0, 0]), "RM640"),
        (lambda: float_path(HUAINAN, [1.0]), "RM640"),
    ],
)
def test_refusals(wrong, code):
    with pytest.raises(ModelError) as raised:
        wrong()
    assert [item.code for item in raised.value.problems] == [code]
