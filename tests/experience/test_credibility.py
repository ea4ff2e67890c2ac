"""One frame in, one row a firm out: the same numbers as the methods, refusals firm by firm."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import ratemod as rm
from ratemod.errors import BookError, ModelError
from ratemod.experience.hachemeister import hachemeister, premium_at
from ratemod.experience.hierarchical import hierarchical
from ratemod.experience.poisson_gamma import posterior_mean, shape_by_likelihood
from tests.experience.published import RATIOS, WEIGHTS, assert_same


@pytest.fixture
def rows():
    state, quarter = np.divmod(np.arange(60), 12)
    frame = pd.DataFrame(
        {
            "firm": [f"s{at + 1}" for at in state],
            "period": quarter + 1,
            "value": RATIOS.ravel(),
            "weight": WEIGHTS.ravel(),
            "cohort": np.array([0, 1, 0, 1, 1])[state],
        }
    )
    return frame.sample(frac=1, random_state=4)


def test_every_method_is_its_function(rows):
    found = rm.credibility(rows)
    assert_same(
        found["estimate"], [2055.16535006492, 1523.70627801246, 1793.44360368128, 1442.966549016, 1603.28540446174]
    )
    assert_same(found.attrs["collective"], 1683.71343704728)
    assert found["firm"].tolist() == ["s1", "s2", "s3", "s4", "s5"] and (found["periods"] == 12).all()
    assert_same(
        rm.credibility(rows, "buhlmann")["estimate"],
        [2044.04099261019, 1518.58774379501, 1814.23433077897, 1375.98732898101, 1602.23293716815],
    )
    assert_same(rm.credibility(rows, "buhlmann_straub_iterative").attrs["between"], 64366.5071360614, 1e-12)
    nested = rm.credibility(rows, "hierarchical", levels=["cohort"])
    assert_same(nested["estimate"], hierarchical(RATIOS, WEIGHTS, [[0, 1, 0, 1, 1]]).firms.premium)
    assert_same(rm.credibility(rows, "hachemeister")["estimate"], premium_at(hachemeister(RATIOS, WEIGHTS), [1, 13]))
    for frame in (found, nested):
        assert_same(frame["z"] * frame["own"] + (1 - frame["z"]) * frame["complement"], frame["estimate"], 1e-12)


def test_counts():
    draw = np.random.default_rng(1)
    expected = draw.gamma(2.0, 0.5, (300, 3))
    claims = draw.poisson(draw.gamma(2.0, 0.5, (300, 1)) * expected)
    frame = pd.DataFrame(
        {
            "firm": np.repeat([f"{at:03d}" for at in range(300)], 3),
            "period": np.tile([1, 2, 3], 300),
            "value": claims.ravel(),
            "weight": expected.ravel(),
        }
    )
    found = rm.credibility(frame, "poisson_gamma")
    shape = shape_by_likelihood(claims.sum(axis=1), expected.sum(axis=1))
    assert_same(found["estimate"], posterior_mean(claims.sum(axis=1), expected.sum(axis=1), shape), 1e-12)
    assert_same(found["z"] * found["own"] + 1 - found["z"], found["estimate"], 1e-12)


def test_a_bad_firm_is_refused_and_the_others_stand(rows):
    good = rm.credibility(rows)
    bad = pd.DataFrame(
        [
            {"firm": "twice", "period": 1, "value": 1.0, "weight": 1.0},
            {"firm": "twice", "period": 1, "value": 2.0, "weight": 1.0},
            {"firm": "bare", "period": 1, "value": 5.0, "weight": 0.0},
            {"firm": "minus", "period": 1, "value": 5.0, "weight": -1.0},
            {"firm": "nothing", "period": 3, "value": np.nan, "weight": 0.0},
        ]
    )
    found = rm.credibility(pd.concat([rows, bad]), lang="en").set_index("firm")
    assert found["code"].to_dict() == {
        "bare": "RM665",
        "minus": "RM664",
        "nothing": "",
        "s1": "",
        "s2": "",
        "s3": "",
        "s4": "",
        "s5": "",
        "twice": "RM654",
    }
    assert found.loc["twice", "reason"] == "the firm has two rows for one period"
    assert found.loc[["bare", "minus", "twice"], "estimate"].isna().all()
    assert_same(found.loc[good["firm"], "estimate"], good["estimate"])
    assert found.loc["nothing", "estimate"] == good.attrs["collective"] and found.loc["nothing", "z"] == 0
    assert "两行" in rm.credibility(pd.concat([rows, bad]), lang="zh").set_index("firm").loc["twice", "reason"]


def test_files_with_their_own_headers(rows, tmp_path):
    path = tmp_path / "经验.csv"
    named = rows.rename(columns={"firm": "企业", "period": "季度", "value": "案均赔款", "weight": "赔案数"})
    named.to_csv(path, index=False, encoding="gb18030")
    found = rm.credibility(path, firm="企业", period="季度", value="案均赔款", weight="赔案数")
    assert_same(found["estimate"], rm.credibility(rows)["estimate"])


def test_periods_are_numbers_where_they_can_be(rows):
    found = rm.credibility(rows, "hachemeister")["estimate"]
    as_text = rows.assign(period=rows["period"].astype(str))  # "10" sorts before "9"
    assert_same(rm.credibility(as_text, "hachemeister")["estimate"], found, 1e-12)
    gap = rows[rows["period"] != 6]
    time = np.delete(np.arange(1.0, 13.0), 5)
    kept = np.delete(RATIOS, 5, axis=1), np.delete(WEIGHTS, 5, axis=1)
    exact = premium_at(hachemeister(*kept, np.stack([np.ones(11), time], axis=1)), [1, 13])
    assert_same(rm.credibility(gap, "hachemeister")["estimate"], exact, 1e-10)
    months = rows.assign(period=pd.to_datetime("2020-01-01") + pd.to_timedelta(rows["period"] * 90, unit="D"))
    assert_same(rm.credibility(months, "hachemeister")["estimate"], found, 1e-12)


def test_counts_must_be_counts(rows):
    rows = rows.assign(value=np.where(rows["firm"] == "s2", 0.5, np.arange(60) % 7))
    found = rm.credibility(rows, "poisson_gamma").set_index("firm")
    assert found.loc["s2", "code"] == "RM664" and np.isfinite(found["estimate"].drop("s2")).all()


def test_levels_of_a_firm_must_agree(rows):
    rows = rows.copy()
    rows.loc[(rows["firm"] == "s5") & (rows["period"] == 3), "cohort"] = 0
    found = rm.credibility(rows, "hierarchical", levels=["cohort"]).set_index("firm")
    assert found.loc["s5", "code"] == "RM668" and (found["code"] == "").sum() == 4


@pytest.mark.parametrize(
    "change, more, code",
    [
        (lambda f: f, {"method": "bühlmann"}, "RM012"),
        (lambda f: f, {"method": "hierarchical"}, "RM663"),
        (lambda f: f.drop(columns="weight"), {}, "RM666"),
        (lambda f: f.assign(firm=f["firm"].where(f["firm"] != "s3")), {}, "RM667"),
        (lambda f: f[f["period"] == 1], {}, "RM644"),
    ],
)
def test_refusals(rows, change, more, code):
    with pytest.raises(ModelError) as raised:
        rm.credibility(change(rows), **more)
    assert [item.code for item in raised.value.problems] == [code]


def test_cells_that_are_no_numbers_refuse_their_firm_alone(rows):
    texts = rows.astype({"value": str})
    texts.loc[texts.firm == "s2", "value"] = ["many", *texts[texts.firm == "s2"].value.iloc[1:]]
    found = rm.credibility(texts).set_index("firm")
    assert found["code"].to_dict() == {"s1": "", "s2": "RM203", "s3": "", "s4": "", "s5": ""}
    rest = rm.credibility(rows[rows.firm != "s2"])
    assert np.isnan(found.loc["s2", "estimate"])
    assert_same(found.loc[rest["firm"], "estimate"], rest["estimate"])


def test_the_standard_of_frequency_alone_is_that_of_the_normal_distribution(rows):
    """(1.959964 / 0.05)^2 = 1,536.6 claims; with a variation of 2, five times as many."""
    counts = rows.assign(weight=rows.weight / rows.weight.max() * 10)
    found = rm.credibility(counts, "limited_fluctuation")
    assert_same(found.attrs["full"], (1.9599639845400545 / 0.05) ** 2)
    assert_same(rm.credibility(counts, "limited_fluctuation", variation=2.0).attrs["full"], 5 * found.attrs["full"])


def test_a_firm_without_expected_claims_has_no_experience_of_its_own():
    rows = pd.DataFrame({"firm": list("aabbcc"), "period": [1, 2] * 3, "value": [3, 4, 0, 0, 5, 1.0],
                         "weight": [4, 4, 0, 0, 4, 4.0]})  # fmt: skip
    with np.errstate(all="raise"):
        found = rm.credibility(rows, "poisson_gamma").set_index("firm")
    assert np.isnan(found.own["b"]) and found.own["a"] == pytest.approx(7 / 8)


def test_a_category_without_a_row_is_no_firm_and_large_whole_numbers_are_numbers(rows):
    named = rows.assign(firm=pd.Categorical(rows.firm, categories=["s9", *sorted(set(rows.firm))]))
    assert rm.credibility(named)["firm"].tolist() == sorted(set(rows.firm))
    large = rows.assign(value=(rows.value.round() + 2**54).astype("int64"))
    assert np.isfinite(rm.credibility(large)["estimate"]).all()
    with pytest.raises(BookError) as raised:
        rm.credibility(rows["value"])
    assert raised.value.problems[0].code == "RM213"


def test_a_weight_without_a_value_is_named_and_counts_as_not_seen(rows):
    blank = rows.copy()
    blank.loc[blank.index[0], "value"] = np.nan
    found = rm.credibility(blank)
    assert [line[:5] for line in found.attrs["warnings_in"]["zh"]] == ["RM949"]
    assert_same(found["estimate"], rm.credibility(rows.drop(index=rows.index[0]))["estimate"])
    assert rm.credibility(rows).attrs["warnings"] == []


def test_a_regression_needs_more_periods_than_columns(rows):
    short = rows[rows.period.isin(sorted(set(rows.period))[:2])]
    with pytest.raises(ModelError) as raised:
        rm.credibility(short, "hachemeister")
    assert raised.value.problems[0].args["columns"] == 2


@pytest.mark.parametrize("method", ["poisson_gamma", "semiparametric_poisson"])
def test_blank_claims_are_not_none(method):
    counts = pd.DataFrame({"firm": list("aabbcc"), "period": [1, 2] * 3, "value": [9, 7, 3, 5, 0, np.nan],
                           "weight": [2.0, 2, 3, 3, 1, 40]})  # fmt: skip
    found = rm.credibility(counts, method)
    without = rm.credibility(counts[:-1], method)
    pd.testing.assert_frame_equal(found, without, check_exact=False)
    assert found.attrs["warnings"] and not [line for line in without.attrs["warnings"] if "RM949" in line]


def test_sums_are_no_firms_and_spellings_of_one_name_are_one_firm(rows):
    apart = rows.assign(firm=[f" {firm}" if at % 2 else firm for at, firm in enumerate(rows.firm)])
    pd.testing.assert_frame_equal(rm.credibility(apart), rm.credibility(rows))
    sums = pd.DataFrame(
        {"firm": ["合计", "s1小计"], "period": [1, 1], "value": [2.0, 2.0], "weight": [9.0, 9.0], "cohort": 0}
    )
    found = rm.credibility(pd.concat([rows, sums])).set_index("firm")
    assert found.code[["合计", "s1小计"]].tolist() == ["RM693", "RM693"]
    firms = rows.firm.unique()
    same = rm.credibility(rows).set_index("firm")
    assert found.estimate[firms].tolist() == pytest.approx(same.estimate[firms].tolist(), rel=1e-12)
    of_all_periods = rows.assign(period=rows.period.astype(object)).replace({"period": {1: "小计"}})
    with pytest.raises((BookError, ModelError), match="RM693"):
        rm.credibility(of_all_periods.assign(period=of_all_periods.period.astype(str)))
