"""Results of credibility and layers as an actuary reads them: a frame with the firms' names, a line to print."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import ratemod as rm
from ratemod.errors import ModelError
from tests.experience.published import RATIOS, WEIGHTS

STATES = ["one", "two", "three", "four", "five"]


def test_frames_keep_the_names_of_firms():
    values, weights = pd.DataFrame(RATIOS, index=STATES), pd.DataFrame(WEIGHTS, index=STATES)
    for found in (rm.experience.buhlmann_straub(values, weights), rm.experience.buhlmann(values)):
        frame = found.frame()
        assert frame["firm"].tolist() == STATES
        np.testing.assert_allclose(found.collective + frame["z"] * (frame["own"] - found.collective), frame["premium"])
        assert len(repr(found)) < 150 and repr(found).startswith("Credibility(5 firms; collective 16")
    line = rm.experience.hachemeister(values, weights)
    assert line.frame()["firm"].tolist() == STATES and repr(line).startswith("TrendCredibility(5 firms; collective ")
    np.testing.assert_allclose(line.frame()[["estimate_1", "estimate_2"]], line.coefficients)
    assert rm.experience.buhlmann(RATIOS).frame()["firm"].tolist() == [1, 2, 3, 4, 5]


def test_a_hierarchy_prints_its_levels():
    found = rm.experience.hierarchical(RATIOS, WEIGHTS, [[0, 1, 0, 1, 1]])
    frame = found.frame()
    assert frame["level"].tolist() == [1, 1, 2, 2, 2, 2, 2]
    assert repr(found).startswith("Hierarchy(5 in 2; collective 1742.22; within 1.3912e+08, between 87263.7, 13414.8")
    np.testing.assert_allclose(frame.loc[frame["level"] == 2, "premium"], found.firms.premium)


def test_a_layer_prints_its_amounts():
    law = rm.ratemaking.distribution.exponential(1000.0)
    found = rm.ratemaking.layer(law, [0.0, 1000.0], [1000.0, np.inf])
    assert repr(found) == "Layer(per loss 632.121, 367.879; per payment 632.121, 1,000)"
    assert found.frame()["per_payment"].tolist() == pytest.approx([632.12055883, 1000.0])


def odd_calls():
    ones, no = np.ones((4, 4)), np.nan
    experience, ratemaking = rm.experience, rm.ratemaking
    law, agg = ratemaking.distribution, ratemaking.aggregate
    yield "RM833", lambda: experience.buhlmann([["1", "2"], ["3", "4"]])
    yield "RM833", lambda: experience.buhlmann_straub(ones, [["a"] * 4] * 4)
    yield "RM833", lambda: experience.posterior_mean([[1, 2], [3]], [1.0], 2.0)
    yield "RM833", lambda: experience.split_claims(experience.illustrative(), ["4"], [0.0])
    yield "RM833", lambda: experience.judge(["1"], [1.0], [1.0])
    yield "RM833", lambda: law.survival(law.exponential(1.0), ["1"])
    yield "RM833", lambda: agg.panjer([1 + 2j], agg.poisson(1.0), 3)
    yield "RM833", lambda: ratemaking.mack([["1", "2"]])
    yield "RM833", lambda: ratemaking.fit_severity([10**400, 1, 2], "gamma")
    yield "RM500", lambda: law.limited_moment(law.exponential(1.0), [no])
    yield "RM500", lambda: law.density(law.exponential(1.0), no)
    yield "RM500", lambda: ratemaking.mack(np.full((4, 4), np.inf))
    yield (
        "RM500",
        lambda: ratemaking.earned_exposure(["2020-01-01"], ["2021-01-01"], [no], ["2020-01-01", "2021-01-01"]),
    )
    yield "RM834", lambda: ratemaking.mack([1.0, 2.0])
    yield "RM834", lambda: ratemaking.mack([])
    yield "RM834", lambda: ratemaking.chain_ladder([1.0, 2.0], [1.0, 2.0, 3.0])
    yield "RM834", lambda: ratemaking.bornhuetter_ferguson([1.0, 2.0], [1.0, 2.0], [1.0] * 3, 0.5)
    yield "RM834", lambda: experience.japan_rate([1.0, 2.0], [1.0, 2.0, 3.0])
    yield "RM834", lambda: experience.split_mod(experience.illustrative(), [1.0] * 3, [1.0] * 2, [1.0] * 3, [1.0] * 3)
    yield "RM834", lambda: experience.claim_free_years([0, 1])
    yield "RM834", lambda: ratemaking.minimum_bias(np.ones((2, 3)), np.ones((3, 2)))
    yield "RM834", lambda: ratemaking.fit_severity(np.arange(1.0, 30), "gamma", truncation=[0.1, 0.2])
    yield "RM835", lambda: ratemaking.product_limit([1.0, 2.0], censored=[0, 2])
    yield "RM833", lambda: ratemaking.product_limit([1.0, 2.0], censored=["no", "no"])
    yield "RM836", lambda: ratemaking.parallelogram(["1", "2"], [0.1, 0.1], ["2020-01-01", "2021-01-01"])
    yield "RM836", lambda: ratemaking.parallelogram([3.5], [0.1], ["2020-01-01", "2021-01-01"])
    yield "RM503", lambda: ratemaking.cape_cod([1.0, 2.0], [1.0, 2.0], [1.0])
    yield "RM837", lambda: ratemaking.fit_trend(5, [1.0, 2.0, 3.0])
    yield "RM503", lambda: ratemaking.fit_trend([5], [1.0, 2.0, 3.0])


@pytest.mark.parametrize(("code", "call"), list(odd_calls()))
def test_odd_arrays_are_refused_by_name(code, call):
    with pytest.raises(ModelError) as caught:
        call()
    assert caught.value.problems[0].code == code
    assert "None" not in caught.value.problems[0].line("zh")


def test_a_density_at_its_edge():
    law = rm.ratemaking.distribution
    assert law.density(law.lognormal(0.0, 1.0), [-1.0, 0.0]).tolist() == [0.0, 0.0]
    assert law.density(law.exponential(4.0), [-1.0, 0.0]).tolist() == [0.0, 0.25]
    assert law.density(law.pareto(3.0, 6.0), 0.0) == pytest.approx(0.5)


# What methods take, or hand to each other: no results of their own.
TAKEN = {"ClaimAccount", "ClaimList", "Evidence", "FirmSums", "FirmYears", "Level", "Pool", "SchemeResult", "Setting",
         "Successions", "Fit"}  # fmt: skip


@pytest.mark.parametrize("package", ["experience", "ratemaking"])
def test_every_result_that_holds_arrays_has_a_frame_and_a_line(package):
    face = getattr(rm, package)
    for name in face.__all__:
        found = getattr(face, name)
        if not dataclasses.is_dataclass(found) or name in TAKEN:
            continue
        arrays = [one for one in dataclasses.fields(found) if str(one.type) in ("Floats", "Integers", "Dates")]
        assert not arrays or (hasattr(found, "frame") and "__create_fn__" not in found.__repr__.__qualname__), name
        assert not arrays or not found.__dataclass_params__.repr or "__repr__" in vars(found), name


def test_what_goes_by_row_is_a_frame_and_the_rest_a_line():
    system = rm.experience.bonus_malus([0.5, 0.6, 0.8, 1.0, 1.3, 1.7])
    judged = rm.experience.judge_system(system, [0.05, 0.2])
    frame = judged.frame()
    assert frame["mean_premium"].tolist() == judged.mean_premium.tolist()
    assert frame.filter(like="stationary").sum(axis=1).tolist() == pytest.approx([1.0, 1.0])
    said = repr(judged)
    assert said.startswith("SystemJudgement(frequency 0.05, 0.2; stationary (2 × 6) from") and "\n" not in said
    trend = rm.ratemaking.fit_trend([1.0, 2, 3, 4], [100.0, 103, 106, 110])
    assert f"rate {trend.rate:.5g}" in repr(trend) and len(repr(trend)) < 260
    levels = rm.experience.bonus_malus([0.5, 1.0, 1.5]).frame()
    assert levels["after_0"].tolist() == [0, 0, 1] and levels["after_1"].tolist() == [2, 2, 2]
