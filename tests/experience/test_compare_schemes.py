"""Schemes calibrated and judged on one province: what must hold whatever the scheme."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import ratemod as rm
from ratemod.cli import main
from ratemod.errors import ModelError
from ratemod.experience.compare_schemes import SIZES, compare_schemes
from ratemod.experience.firm_years import FirmYears, firm_years
from ratemod.experience.methods import SCHEMES
from ratemod.experience.plan_file import plan_text, rule_named
from ratemod.experience.split import split_mod

PROVINCE = Path(__file__).parents[2] / "data" / "province"


@pytest.fixture(scope="module")
def province():
    return rm.synthesize(enterprises=16_000, years=5, seed=12)


@pytest.fixture(scope="module")
def history(province):
    return firm_years(province.table("panel"), province.table("claims"))


@pytest.fixture(scope="module")
def found(history):
    return compare_schemes(history)


def test_all_schemes_are_judged_on_the_same_firms(found):
    frame = found.frame()
    assert frame.scheme.tolist() == list(SCHEMES)
    assert {len(item.mod) for item in found.results} == {found.firms}
    assert len(found.quintiles()) == 5 * len(SCHEMES)


def test_mods_are_bounded_and_revenue_neutral(found, history):
    last = history.expecting(4).between(4, 5)
    for item in found.results:
        assert item.mod.min() >= 0.6 and item.mod.max() <= 2.0
    rated = history.expecting(4).between(1, 4)
    e = last.expected[(last.expected[:, 0] > 0) & (rated.expected.sum(axis=1) > 0), 0]
    for item in found.results:
        assert item.mod @ e / e.sum() == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("name", ["split", "poisson_gamma", "age_weights"])
def test_the_quintile_test_flattens(found, name):
    item = found.of(name)
    assert item.all.before[-1] > 1.4 * item.all.before[0], "there is something to tell apart"
    assert item.all.spread_after < 0.35 * item.all.spread_before
    assert item.all.efficiency > 0
    assert item.gini > 0.1


def test_the_planted_shape_comes_back_without_the_truth(found):
    """Shape 2 is planted; here classes are only sector and size, so some of their spread is taken for the firms'."""
    assert found.of("poisson_gamma").fitted.parameters["shape"] == pytest.approx(2.0, rel=0.2)


def test_one_claim_moves_small_firms_within_bounds_and_large_ones_too(found):
    for item in found.results:
        assert (item.one_claim >= -1e-12).all()
        assert item.one_claim.max() <= 1.4
    for name in ("split", "poisson_gamma", "age_weights", "buhlmann_straub"):
        small, medium, large = found.of(name).one_claim
        assert small > medium > large > 0, SIZES


def test_counting_schemes_do_not_tell_large_firms_apart(found):
    """A large firm has claims every year: claim-free years and bonus levels say nothing about it."""
    for name in ("merit", "bonus_malus"):
        assert found.of(name).one_claim[2] < found.of("age_weights").one_claim[2]
        assert found.of(name).by_size[2].efficiency < found.of("split").by_size[2].efficiency


def drawn(theta_shape, seed=3, firms=20_000):
    rng = np.random.default_rng(seed)
    theta = np.ones(firms) if theta_shape is None else rng.gamma(theta_shape, 1 / theta_shape, firms)
    size = rng.lognormal(0.0, 1.0, firms)[:, None] * np.ones((firms, 5))
    claims = rng.poisson(0.3 * size * theta[:, None])
    loss = claims * 20_000.0
    zero = np.zeros((firms, 5))
    names = pa.array([str(i) for i in range(firms)])
    return FirmYears(
        names,
        tuple(range(5)),
        size,
        np.zeros(firms, int),
        claims,
        loss,
        {10_000.0: loss / 2, 20_000.0: loss},
        zero,
        zero,
        500_000.0,
        0,
    )


def test_where_nothing_differs_no_scheme_does_harm():
    found = compare_schemes(drawn(None))
    assert all(abs(item.all.efficiency) < 0.01 for item in found.results)
    assert found.of("poisson_gamma").all.spread_after < 0.01


def test_with_known_structure_exact_credibility_wins():
    """Poisson claims of equal size with gamma risks: nothing beats (a + N)/(a + E), and all find about the same."""
    found = compare_schemes(drawn(1.5), least=0.01, most=100.0)
    best = found.of("poisson_gamma")
    assert best.fitted.parameters["shape"] == pytest.approx(1.5, rel=0.06)
    assert best.all.efficiency >= max(item.all.efficiency for item in found.results) - 0.003
    assert found.of("buhlmann_straub").all.efficiency == pytest.approx(best.all.efficiency, abs=0.01)
    assert found.of("age_weights").fitted.parameters["weights"].min() > 0.85


def test_lists_as_people_keep_them(tmp_path):
    firms = [f"9131{i:04d}" for i in range(60)]
    rng = np.random.default_rng(1)
    terms = [(i, firm, year) for i, firm in enumerate(firms) for year in range(2021, 2026)]
    policies = pd.DataFrame(
        [
            {"统一社会信用代码": firm, "年度": year, "人数": 100, "行业": "矿山" if i % 2 else "化工"}
            for i, firm, year in terms
        ]
    )
    claims = pd.DataFrame(
        [
            {"企业": firm, "赔案号": f"{firm}-{year}", "出险日期": f"{year}年6月1日", "已付赔款（万元）": "3.5"}
            for i, firm, year in terms
            if rng.random() < 0.3 + i / 100
        ]
    )
    claims.loc[0, "已付赔款（万元）"] = "若干"
    policies.to_csv(tmp_path / "p.csv", index=False, encoding="gb18030")
    claims.to_csv(tmp_path / "c.csv", index=False, encoding="utf-8-sig")
    found = compare_schemes(tmp_path / "p.csv", tmp_path / "c.csv", schemes=["merit", "buhlmann_straub"])
    assert (found.firms, found.set_aside) == (60, 1)


def test_the_calibrated_plan_is_a_file_that_gives_the_same_mods(found, history, tmp_path):
    item, record = found.of("split"), history.expecting(4).between(1, 4)
    told = {key: float(value) for key, value in item.fitted.parameters.items() if isinstance(value, float)}
    told |= {"off_balance": item.off_balance, "least": 0.6, "most": 2.0, "claim_limit": found.limit}
    (tmp_path / "plan.toml").write_text(plan_text("own", 'a "history"', told), encoding="utf-8")
    rule = rule_named(tmp_path / "plan.toml")
    last = history.expecting(4).between(4, 5)
    rated = (last.expected[:, 0] > 0) & (record.expected.sum(axis=1) > 0)
    primary, loss = record.primary[told["split"]].sum(axis=1)[rated], record.loss.sum(axis=1)[rated]
    e = record.expected.sum(axis=1)[rated]
    made = split_mod(rule, primary, np.maximum(loss - primary, 0), e, e).mod
    np.testing.assert_allclose(made, item.mod, rtol=1e-9)


@pytest.mark.parametrize("change, code", [({"schemes": ["merits"]}, "RM648"), ({"window": 4}, "RM621")])
def test_refusals(history, change, code):
    with pytest.raises(ModelError) as error:
        compare_schemes(history, **change)
    assert error.value.problems[0].code == code


def test_the_command(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    words = ["mods", str(PROVINCE / "claims.parquet"), "--exposure", str(PROVINCE / "panel.parquet"), "--judge"]
    assert main([*words, "--lang", "zh", "-o", str(tmp_path / "judged.html")]) == 0
    told = capsys.readouterr().out
    assert "分割经验法" in told and "效率" in told
    page = (tmp_path / "judged.html").read_text(encoding="utf-8")
    assert page.count("data:image/svg+xml") == 2 * len(SCHEMES)
    plan = tmp_path / "plan.toml"
    assert main([*words, "-o", str(tmp_path / "judged.csv"), "--plan", str(plan)]) == 0
    assert (
        main(
            [
                "mods",
                str(PROVINCE / "claims.parquet"),
                "--exposure",
                str(PROVINCE / "renewals.parquet"),
                "--rule",
                str(plan),
                "-o",
                str(tmp_path / "mods.csv"),
            ]
        )
        == 3
    )
    assert len(pd.read_csv(tmp_path / "judged.csv")) == len(SCHEMES)
