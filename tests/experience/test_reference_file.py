"""Every entry of the shared reference on experience rating, read from the file itself; skipped where it is absent."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ratemod.experience import (
    JAPAN,
    Bands,
    Dated,
    FloatScheme,
    Line,
    Setting,
    SplitRule,
    float_path,
    german_rebate_cent,
    japan_rate,
    ncci,
    ncci_ballast,
    ncci_weight,
    split_claims,
    split_mod,
    value_of,
    washington,
)

FILE = Path(__file__).parents[3] / "shared" / "reference" / "vectors" / "experience_rating.json"
FILES = [FILE, *(folder / "shared" / "reference" / "vectors" / FILE.name for folder in Path(__file__).parents)]


@pytest.fixture(scope="module")
def said():
    for path in FILES:
        if path.is_file():
            return json.loads(path.read_text(encoding="utf-8"))
    pytest.skip("the shared reference is not beside this checkout")


def test_the_ncci_worksheet(said):
    given, printed = said["ncci_worksheet_IL_2013"]["inputs"], said["ncci_worksheet_IL_2013"]["printed"]
    rule = ncci(5_000.0, 9.0, excess_credibility=given["W"], ballast=float(given["B"]))
    found = split_mod(rule, [given["Ap"]], [given["Ae"]], [given["E"]], [given["Ep"]])
    assert found.mod[0] == printed["mod"]
    assert found.unbounded[0] == pytest.approx(said["ncci_worksheet_IL_2013"]["unrounded_mod"], abs=1e-15)
    rest = (1 - given["W"]) * given["Ee"]
    assert [round(rest + given["B"]), round(given["W"] * given["Ee"]), given["E"] + given["B"]] == [
        printed["stabilizing_value"],
        printed["A*C"],
        printed["K"],
    ]


def test_ncci_w_and_b_and_their_exceptions(said):
    """Spot values to the last digit. Two of 77 printed breakpoints round the other way: the form is derived."""
    entry = said["ncci_W_B_formula"]
    for spot in entry["spot_values_G_11.90"]:
        e = np.array([float(spot["E"])])
        assert value_of(ncci_weight(11.90), e)[0] == pytest.approx(spot["W"], rel=1e-12)
        assert value_of(ncci_ballast(11.90), e)[0] == pytest.approx(spot["B"], rel=1e-12)
    for at, printed, ours in entry["exceptions"]:
        found = value_of(ncci_weight(11.90), np.array([at]))[0]
        assert found == pytest.approx(ours, rel=1e-12)
        assert abs(found - printed) < 0.0051


def test_ncci_parameters(said):
    entry = said["ncci_parameters"]
    history = entry["split_history"]
    years = [year.removeprefix("<=") for year in history]
    split = Dated(("1990-01-01", *(f"{year}-01-01" for year in years[1:])), tuple(map(float, history.values())))
    days = np.array([f"{year}-06-01" for year in years], "datetime64[D]")
    assert value_of(split, Setting(np.zeros(len(days)), days)).tolist() == list(history.values())
    for claim, (primary, excess) in entry["split_10000_examples"].items():
        found = split_claims(SplitRule("x", "y", 10_000.0), [float(claim)], [0.0])
        assert (found[0][0], found[1][0]) == (primary, excess)
    for example in entry["max_mod_examples_computed"]:
        cap = Line(1.10, 0.0004 / example["G"])
        assert value_of(cap, np.array([float(example["E"])]))[0] == pytest.approx(example["max"], abs=1e-12)
    wisconsin = SplitRule(
        "x", "y", float(entry["WI_2020_10"]["split"]), claim_limit=float(entry["WI_2020_10"]["per_claim_limit"])
    )
    assert [part[0] for part in split_claims(wisconsin, [400_000.0], [0.0])] == [17_000.0, 232_500.0]


def test_washingtons_primary_losses(said):
    entry = said["washington_LI"]["primary_loss_2013"]
    for example in entry["examples"]:
        primary, excess = split_claims(
            washington(0.5, 0.1), [float(example["gross"])], [0.0], medical_only=[example["deduction"] > 0]
        )
        assert (round(primary[0]), round(excess[0])) == (example["primary"], example["excess"])
    assert round(primary[0]) == entry["max_primary"] and round(excess[0]) == entry["max_excess"]


def test_saskatchewan(said):
    table = said["saskatchewan_WCB"]["standard(<21,000 over 3y)"]["time_loss_claims->adj"]
    bands = Bands((0.0, 2.0, 3.0, 4.0), (-0.25, 0.0, 0.25, 0.5, 0.75))
    assert bands.of([0, 1, 2, 3, 4, 5]).tolist() == list(table.values())
    example = said["saskatchewan_WCB"]["advanced"]["participation_example"]
    share = Line(0.415 - 21_000 * 0.01 / 1_500, 0.01 / 1_500, 0.415, 1.0)
    assert value_of(share, np.array([float(example["premium"])]))[0] == pytest.approx(example["factor"], abs=1e-12)


def test_new_zealand_and_queensland(said):
    entry = said["nz_acc_2020"]
    low, high = entry["range"]
    weights = tuple(entry["year_weights"])
    rule = SplitRule("nz", "acc.co.nz 2021", np.inf, year_weights=weights, least=1 + low, most=1 + high)
    assert split_mod(rule, [0.0, 9e9], [0.0, 0.0], [1.0, 1.0], [1.0, 1.0]).mod.tolist() == [0.5, 2.0]
    assert "500" in said["queensland_small"]["rule"]
    small = SplitRule("qld", "worksafe.qld.gov.au", np.inf, deduction=500.0)
    first = split_claims(small, [400.0, 900.0], [0.0, 0.0])[0]
    assert first.tolist() == [0.0, 400.0]


def test_ontario_moves_by_bands(said):
    """Bands of 5 %, at most three a year: as recalled there, not found in print."""
    assert said["wsib_ontario"]["six_year_window"]
    steps = tuple(1.05 ** (at - 10) for at in range(21))
    ontario = FloatScheme(steps, (50.0, 150.0), ((-6, 0, 6),), "by", 10, 3, 3, "recalled")
    path = float_path(ontario, np.array([[0.0, 100.0, 400.0]]))
    assert path.step[0].tolist() == [10, 7, 7, 10]
    assert path.factor[0][1] == pytest.approx(1.05**-3)


def test_japan_band_by_band(said):
    entry = said["japan_merit"]
    for name, bands in JAPAN.items():
        table = entry[f"table_{name}"]
        assert list(bands.upper) == [edge for edge, _ in table[:-1]]
        assert list(bands.values) == [value for _, value in table]
    for example in entry["computed_examples(not printed)"]:
        found = japan_rate([float(example["rate_per_mille"])], [float(example["ratio"])])[0]
        assert found == pytest.approx(example["merit_per_mille"], abs=1e-9)


def test_germany(said):
    entry = said["germany"]["bg_etem"]
    lines = [round(pay * grade * entry["beitragsfuss"] * 100) for pay, grade, _ in entry["lines"]]
    assert lines == [round(100 * due) for _, _, due in entry["lines"]]
    assert sum(lines) == round(100 * entry["sum"])
    rebate = german_rebate_cent([sum(lines)], [round(100 * entry["eigenbelastung"])], [0])[0]
    assert rebate == round(100 * entry["rebate_net"])
    assert sum(lines) - rebate == round(100 * entry["net_arithmetic"])


def test_chinas_grid(said):
    entry = said["china"]
    for level, row in entry["grid_pct"].items():
        factors = entry["levels"]["class1" if level == "1" else "class2-8"]
        assert [round(entry["base_rates_pct"][level] * factor, 4) for factor in factors] == row
    huainan = entry["local_rule_huainan(ratio of benefits to contributions %)"]
    bands = Bands(tuple(edge for edge, _ in huainan[:-1]), tuple(value for _, value in huainan))
    assert bands.of([20, 20.01, 60, 80, 120, 120.01]).tolist() == [0.5, 0.8, 0.8, 1.0, 1.2, 1.5]


def test_a_forms_level_entries_are_parameters(said):
    """Delaware, Pennsylvania, New York, California and Ohio are quoted as formulas; `test_bureau_plans` writes each."""
    for name in ("dcrb_delaware", "pcrb_old", "nycirb_2022_10_01", "wcirb_california", "ohio_bwc"):
        assert said[name]
    old = SplitRule("pcrb", "secondary", float(said["pcrb_old"]["split"]), primary_credibility=0.5, swing=0.25)
    assert split_mod(old, [9e6], [0.0], [1e5], [5e4], last_mod=[0.8]).mod[0] == 1.0
