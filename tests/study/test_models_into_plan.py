"""Models put into a plan that stands: cells by arithmetic, the level by the sum over a book, an edition that checks."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from tests.study.small import plan_written

import ratemod as rm
from ratemod.errors import BookError, ModelError

PLAN = """
[column.use]
kind = "level"
levels = [{ code = "own", label_en = "Own goods" }, { code = "hire", label_en = "Hire" }, { code = "taxi" }]
[column.age]
kind = "number"
min = 18
max = 99
[column.years]
kind = "number"
min = 0
max = 10
decimals = 4
[[step]]
name = "rate"
op = "lookup"
table = "rate"
unit = "yuan"
[[step]]
name = "age_factor"
op = "lookup"
table = "age_factor"
[[step]]
name = "charged"
op = "product"
of = ["years", "rate", "age_factor"]
source = "own"
"""
TABLES = {
    "rate": "use,value,source\nown,100,own\nhire,150,own\ntaxi,300,own\n",
    "age_factor": "age_from,age_below,value,source\n18,25,1.50,own\n25,60,1.00,own\n60,100,1.20,own\n",
}
CASE = """
[[case]]
name = "one"
source = "by hand"
inputs = { use = "own", age = 30, years = 1 }
expect = { premium = "100.00" }
"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    folder = plan_written(tmp_path_factory.mktemp("plans"), "vans", PLAN, TABLES)
    (folder / "cases").mkdir()
    (folder / "cases" / "cases.toml").write_text(CASE, encoding="utf-8")
    return rm.load_plan(folder)


@pytest.fixture(scope="module")
def data():
    """One row a cell, so that relativities are planted exactly: use 1, 2; young 3, middle 1, old 2; cost 50 and 100."""
    use, age = ["own"] * 3 + ["hire"] * 3, [20, 40, 70] * 2
    years = np.array([10.0, 40.0, 20.0, 20.0, 80.0, 40.0])
    claims = years * 0.2 * np.array([1, 1, 1, 2, 2, 2]) * np.array([3, 1, 2] * 2)
    cost = np.array([50.0] * 3 + [100.0] * 3)
    return pd.DataFrame({"use": use, "age": age, "years": years, "claims": claims, "paid": claims * cost})


@pytest.fixture(scope="module")
def models(data):
    often = rm.rate_model(data, total="claims", weight="years", factors=["use", "age"])
    often = often.band("age", [18, 25, 60, 100], "the plan's bands")
    dear = rm.rate_model(data, total="paid", weight="claims", factors=["use"], family="gamma")
    return {"frequency": often, "severity": dear}


BOOK = pd.DataFrame(
    {"policy_no": ["a", "b", "c"], "use": ["own", "hire", "hire"], "age": [20, 33, 80], "years": [1.0, 2.0, 0.5]}
)


@pytest.fixture(scope="module")
def found(plan, models):
    return rm.with_models(plan, models, BOOK, exposure="years", target=0.5)


def test_cells_are_the_planted_ones(found):
    cells = found.frame().set_index("path")
    age = cells.filter(like="age_factor", axis=0).indicated.to_numpy()
    weight = np.array([30.0, 120.0, 60.0])
    assert age / age[1] == pytest.approx([3.0, 1.0, 2.0])
    assert weight @ age == pytest.approx(weight @ [1.5, 1.0, 1.2])  # the factors keep their average
    rate = cells.filter(like="rate[", axis=0)
    assert rate.indicated.iloc[1] / rate.indicated.iloc[0] == pytest.approx(4.0)  # frequency 2, cost 2
    assert rate.selected.iloc[1] / rate.selected.iloc[0] == pytest.approx(4.0, rel=3e-3)  # whole tenths
    current, exposure = np.array([100.0, 150.0]), np.array([70.0, 140.0])
    apart = 300 / (exposure @ current / 210)
    assert rate.indicated.iloc[2] / (exposure @ rate.indicated.to_numpy()[:2] / 210) == pytest.approx(apart)
    assert rate.reason.iloc[2] == "not in the data: its current distance kept"


def test_the_level_is_that_of_the_books_expected_losses(found):
    """own 20: 1 · 0.2·3·50; hire 33: 2 · 0.4·1·100; hire 80: 0.5 · 0.4·2·100."""
    expected = 1 * 0.2 * 3 * 50 + 2 * 0.4 * 1 * 100 + 0.5 * 0.4 * 2 * 100
    assert found.expected_yuan == pytest.approx(expected)
    paid = rm.rate(BOOK, found.plan).table["premium_fen"].to_numpy().sum() / 100
    assert found.premium_yuan == pytest.approx(paid)
    assert paid == pytest.approx(expected / 0.5, rel=2e-3)
    assert found.reached == pytest.approx(expected / paid)


def test_the_edition_checks_and_prices(found, tmp_path):
    folder = found.write(tmp_path, edition="2", new_from=dt.date(2027, 1, 1), source="a test")
    assert not rm.check_plan(folder).problems
    new = rm.load_plan(folder)
    assert (
        rm.rate(BOOK, new).table["premium_fen"].to_numpy() == rm.rate(BOOK, found.plan).table["premium_fen"].to_numpy()
    ).all()
    assert "off-balance" in (folder / "NOTES.md").read_text(encoding="utf-8")
    with pytest.raises(FileExistsError):
        found.write(tmp_path, edition="2", new_from=dt.date(2027, 1, 1), source="a test")


def test_the_command_writes_the_same_edition(plan, data, tmp_path, capsys):
    from ratemod.cli import main

    data.to_csv(tmp_path / "data.csv", index=False)
    BOOK.to_csv(tmp_path / "book.csv", index=False)
    said = ["model", str(tmp_path / "data.csv"), "--target", "paid", "--weight", "years", "--factors", "use",
            "--family", "tweedie", "--plan", plan.folder, "--book", str(tmp_path / "book.csv"), "--exposure", "years",
            "--loss-ratio", "0.5", "--into", str(tmp_path / "out"), "--edition", "2", "--from", "2027-01-01",
            "--source", "a test"]  # fmt: skip
    assert main(said) == 0
    assert "vans" in capsys.readouterr().out
    model = rm.rate_model(data, total="paid", weight="years", factors=["use"], family="tweedie")
    made = rm.with_models(plan, model, BOOK, exposure="years", target=0.5)
    written = rm.load_plan(tmp_path / "out" / "vans" / "2").tables["rate"]
    assert [row.values for row in written.rows] == [row.values for row in made.plan.tables["rate"].rows]
    assert main(said[:-2]) == 1  # no source
    assert "RM468" in capsys.readouterr().err


def test_labels_stand_for_codes_and_rows_that_the_models_do_not_know_are_counted(plan, data):
    named = data.assign(use=data.use.map({"own": "Own goods", "hire": "Hire"}))
    model = rm.rate_model(named, total="paid", weight="years", factors=["use"], family="tweedie")
    book = BOOK.assign(use=["own", "hire", "taxi"])
    made = rm.with_models(plan, model, book, exposure="years", target=0.5, tables=["rate"])
    assert (made.priced, made.refused) == (2, 1)
    assert {cell.table for cell in made.cells} == {"rate"}


def test_a_constant_or_a_frequency_may_carry_the_level(plan, models):
    asked = {"tables": ["age_factor"], "level": "age_factor", "scale": 80.0}
    made = rm.with_models(plan, models["frequency"], BOOK, exposure="years", target=0.5, **asked)
    assert made.level == "age_factor" and made.left_out == ("use",)
    assert made.expected_yuan == pytest.approx(80 * (0.6 + 2 * 0.4 + 0.5 * 0.8))


def test_what_does_not_fit_is_named(plan, models, data):
    call = {"exposure": "years", "target": 0.5}
    with pytest.raises(ModelError, match="RM479"):
        rm.with_models(plan, rm.rate_model(data, total="claims", weight="years"), BOOK, **call)
    with pytest.raises(ModelError, match="RM485"):
        rm.with_models(plan, models, BOOK, level="rates", **call)
    odd = rm.rate_model(data.assign(use=data.use + "s"), total="claims", weight="years", factors=["use"])
    with pytest.raises(ModelError, match="RM478"):
        rm.with_models(plan, odd, BOOK, **call)
    with pytest.raises(BookError, match="RM666"):
        rm.with_models(plan, models, BOOK.drop(columns="years"), **call)
    with pytest.raises(ModelError, match="RM583"):
        rm.with_models(plan, models, BOOK, tables=["ages"], **call)
