"""Rows as they come: recoveries, blanks around levels, thousands of thin levels, predictions of rows that cannot be."""

import numpy as np
import pandas as pd
import pytest

import ratemod as rm
from ratemod.errors import BookError, ModelError


def net_losses():
    rng = np.random.default_rng(5)
    n = 400
    rows = pd.DataFrame({"use": rng.choice(["a", "b", "c"], n), "heads": rng.uniform(1, 3, n)})
    rows["net"] = np.round(rows.heads * rng.gamma(1.0, 100, n) - np.where(rng.uniform(size=n) < 0.1, 250, 0), 2)
    return rows


@pytest.mark.parametrize("family", ["overdispersed_poisson", "tweedie"])
def test_recoveries_are_refused_unless_they_are_to_be_netted(family):
    rows = net_losses()
    call = {"total": "net", "weight": "heads", "factors": ["use"], "family": family}
    strict = rm.rate_model(rows, **call)
    back = rows.net < 0
    assert strict.rows.accounts.refused == back.sum()
    assert strict.rows.accounts.refused_total == pytest.approx(rows.net[back].sum())
    model = rm.rate_model(rows, recoveries="net", **call)
    assert (model.rows.accounts.used, model.rows.accounts.recoveries) == (len(rows), back.sum())
    assert "recoveries netted" in repr(model)
    by_use = rows.groupby("use")[["net", "heads"]].sum()  # with one factor the means are the levels' own
    expected = model.predict(pd.DataFrame({"use": by_use.index}))
    assert expected == pytest.approx((by_use.net / by_use.heads).to_numpy(), rel=1e-10)
    mean = model.predict(rows)
    pearson = (rows.heads * (rows.net / rows.heads - mean) ** 2 / mean**model.fit.family.power).sum()
    assert model.fit.dispersion == pytest.approx(pearson / (len(rows) - 3), rel=1e-10)
    assert np.isnan(model.fit.deviance)


def test_recoveries_and_families_that_do_not_take_them():
    for family in ("poisson", "gamma", "nb2", "negative_binomial"):
        with pytest.raises(ModelError, match="RM477"):
            rm.rate_model(net_losses(), total="net", weight="heads", family=family, recoveries="net")
    rows = net_losses().assign(net=lambda r: np.where(r.use == "a", -5.0, 5.0))
    with pytest.raises(ModelError, match="RM536"):
        rm.rate_model(rows, total="net", weight="heads", factors=["use"], family="tweedie", recoveries="net")


def test_blanks_around_a_level_are_no_level_and_a_cell_of_blanks_is_empty():
    rows = pd.DataFrame({"use": ["a", "a ", " b", "b", "", "  ", None], "n": [1, 2, 3, 4, 5, 6, 7], "w": 1.0})
    model = rm.rate_model(rows, total="n", weight="w", factors=["use"])
    assert model.frame().set_index("level").total.to_dict() == {"a": 3.0, "b": 7.0}
    assert model.rows.accounts.refused == 3 and model.rows.accounts.refused_total == 18
    kept = rm.rate_model(rows, total="n", weight="w", factors=["use"], missing="level")
    assert kept.frame().set_index("level").total.to_dict() == {"a": 3.0, "b": 7.0, "(missing)": 18.0}


def test_no_loss_at_all_is_refused_also_without_factors():
    with pytest.raises(ModelError, match="RM536"):
        rm.rate_model({"n": [0, 0], "w": [1.0, 2.0]}, total="n", weight="w")


def places(levels, seed=3):
    rng = np.random.default_rng(seed)
    n = levels * 12
    place = rng.integers(0, levels, n)
    true = rng.gamma(4.0, 0.25, levels)
    rows = pd.DataFrame({"place": place, "size": rng.choice(["s", "l"], n), "heads": rng.uniform(0.5, 1.5, n)})
    rows["claims"] = rng.poisson(rows.heads * 0.2 * true[place] * np.where(rows["size"] == "l", 2.0, 1.0))
    return rows, true


def test_thousands_of_levels_some_without_a_claim_are_drawn_to_their_mean():
    """Ohlsson's u_j = z·ū + 1 − z, z = h/(h + φ/τ²), reckoned once more from the model's own other part."""
    rows, true = places(1_500)
    silent = rows.groupby("place").claims.sum() == 0
    assert silent.sum() > 5
    call = {"total": "claims", "weight": "heads", "factors": ["size"]}
    with pytest.raises(ModelError, match="RM536") as caught:
        rm.rate_model(rows, **{**call, "factors": ["size", "place"]})
    assert len(caught.value.problems) == 1 and f"({silent.sum()})" in str(caught.value)  # said once, not for each level
    model = rm.rate_model(rows, credible=["place"], **call)
    found = model.frame().query("factor == 'place'").set_index("level").relativity
    found.index = found.index.astype(int)
    found = found.sort_index()
    flat = (
        model.base_rate
        * rows["size"].map(model.frame().query("factor == 'size'").set_index("level").relativity)
        * rows.heads
    )
    mass, claims = flat.groupby(rows.place).sum(), rows.groupby("place").claims.sum()
    level = float(((found - 1) * mass).sum())  # the mean stays that of the whole
    z = (found - 1) / (claims / mass - 1)
    tau2 = (z / (1 - z) / mass)[(claims / mass - 1).abs() > 0.2]
    assert tau2.std() / tau2.mean() < 0.05 and 0.15 < tau2.mean() < 0.35  # planted 1/4
    assert abs(level) < 0.03 * mass.sum()
    assert np.corrcoef(found, true[found.index])[0, 1] > 0.55
    assert found[silent].max() < 1
    assert (model.predict(rows) * rows.heads).sum() == pytest.approx(rows.claims.sum(), rel=1e-9)


def test_two_credible_factors_settle_and_a_level_that_is_new_is_refused():
    rows, _ = places(40)
    rows["month"] = np.arange(len(rows)) % 12
    call = {"total": "claims", "weight": "heads", "factors": ["size"], "credible": ["place", "month"]}
    model = rm.rate_model(rows, **call)
    assert {fixed.factor for fixed in model.fixed} == {"place", "month"}
    again = model.again(rows.sample(frac=1, random_state=1))
    assert again.frame().relativity.to_numpy() == pytest.approx(model.frame().relativity.to_numpy(), rel=1e-6)
    with pytest.raises(BookError, match="RM564"):
        model.predict(rows.assign(place=999))
    with pytest.raises(ModelError, match="RM484"):
        rm.rate_model(rows, **call, covariates=["month"])


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_rows_that_cannot_be_predicted_come_back_with_their_reason(kind):
    rows = pd.DataFrame({"use": ["a", "b", "a", "b"], "n": [1, 4, 2, 3], "w": [1.0, 1.0, 2.0, 1.0]})
    model = rm.rate_model(rows, total="n", weight="w", factors=["use"])
    new = pd.DataFrame({"use": ["b", None, "z", "a"], "heads": [2.0, 1.0, 1.0, None]})
    frame = new if kind == "pandas" else __import__("polars").from_pandas(new)
    found = model.predictions(frame)
    assert list(found["code"]) == ["", "RM490", "RM564", ""]
    means = np.array(found["mean"].to_list(), dtype=float)
    assert np.isnan(means).tolist() == [False, True, True, False]
    assert means[[0, 3]] == pytest.approx([3.5, 1.0])
    priced = model.predictions(frame, exposure="heads")
    assert list(priced["code"]) == ["", "RM490", "RM564", "RM490"]
    assert np.array(priced["expected"].to_list(), dtype=float)[0] == pytest.approx(7.0)


def test_sums_among_the_rows_are_refused_by_name_and_counted():
    rows = pd.DataFrame(
        {
            "use": ["mine", "mine", "mine subtotal", "plant", "合计", "average"],
            "heads": [100.0, 200, 300, 50, 350, 10],
            "losses": [5000.0, 9000, 14000, 1000, 15000, 600],
        }
    )
    model = rm.rate_model(rows, total="losses", weight="heads", factors=["use"], family="overdispersed_poisson")
    assert model.rows.refused()[["row", "value", "code"]].to_numpy().tolist() == [
        [3, "mine subtotal", "RM693"],
        [5, "合计", "RM693"],
    ]
    accounts = model.rows.accounts
    assert (accounts.rows, accounts.used, accounts.refused, accounts.refused_total) == (6, 4, 2, 29_000)
    assert model.predict(pd.DataFrame({"use": ["mine"]})) == pytest.approx([14_000 / 300])


def test_spellings_of_one_level_are_one_and_those_that_an_owner_orders_are_apart():
    said = ["矿山", "礦山", " 矿 山", "矿山\u200b", "化工", "化工"]
    rows = pd.DataFrame({"use": said, "n": [1, 2, 3, 6, 5, 5], "w": 1.0})
    model = rm.rate_model(rows, total="n", weight="w", factors=["use"])
    shown = model.frame()
    assert sorted(shown.level) == ["化工", "矿山"]
    assert model.predict(pd.DataFrame({"use": ["矿山"]})) == pytest.approx([3.0])  # (1 + 2 + 3 + 6) / 4
    ordered = rows.assign(use=pd.Categorical(["a", "A", "a", "A", "a", "A"], ["a", "A"], ordered=True))
    assert rm.rate_model(ordered, total="n", weight="w", factors=["use"]).frame().level.tolist() == ["a", "A"]


def test_a_fit_that_meets_every_row_has_no_likelihood():
    rows = pd.DataFrame({"use": ["a", "a", "b", "c"], "n": [2.0, 2, 3, 2], "w": 1.0})
    model = rm.rate_model(rows, total="n", weight="w", factors=["use"], family="tweedie")
    assert np.isnan(model.fit.log_likelihood) and model.fit.deviance == pytest.approx(0, abs=1e-12)
    assert model.predict(pd.DataFrame({"use": ["b"]})) == pytest.approx([3.0])
