"""Actuarial methods through the command line, against printed literature; what is wrong is refused by name."""

from __future__ import annotations

import math
import re

import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy import stats
from tests.experience.published import RATIOS, WEIGHTS

import ratemod as rm
from ratemod.cli import main
from ratemod.ratemaking.development import development_factors, mack
from ratemod.ratemaking.reserve import USES, reserve
from ratemod.ratemaking.severity_fits import fit_severities, goodness, read_losses
from ratemod.ratemaking.triangle_list import read_triangle

# Taylor & Ashe (1983), paid claims; as in Mack, ASTIN Bulletin 23 (1993), table 1.
PAID = [[357848, 1124788, 1735330, 2218270, 2745596, 3319994, 3466336, 3606286, 3833515, 3901463],
        [352118, 1236139, 2170033, 3353322, 3799067, 4120063, 4647867, 4914039, 5339085],
        [290507, 1292306, 2218525, 3235179, 3985995, 4132918, 4628910, 4909315],
        [310608, 1418858, 2195047, 3757447, 4029929, 4381982, 4588268],
        [443160, 1136350, 2128333, 2897821, 3402672, 3873311],
        [396132, 1333217, 2180715, 2985752, 3691712],
        [440832, 1288463, 2419861, 3483130],
        [359480, 1421128, 2864498],
        [376686, 1363294],
        [344014]]  # fmt: skip
UNPAID = [0, 95, 470, 710, 985, 1419, 2178, 3920, 4279, 4626]  # thousands, ibid., table 3
ERROR_SHARE = [None, 80, 26, 19, 27, 29, 26, 22, 23, 29]  # per cent of it, ibid.


def square(rows):
    return np.array([[*row, *[np.nan] * (len(rows[0]) - len(row))] for row in rows], dtype=float)


def printed(path, rows, heads, origin="事故年度"):
    lines = [",".join([origin, *heads])]
    for at, row in enumerate(rows):
        lines.append(",".join([str(2001 + at), *map(str, row), *[""] * (len(heads) - len(row))]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def run(capsys, *words):
    code = main([*map(str, words), "--lang", "en"])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


AGES = [str(12 * age) for age in range(1, 11)]


def test_macks_own_example(tmp_path, capsys):
    path = printed(tmp_path / "paid.csv", PAID, AGES)
    code, out, _ = run(capsys, "triangle", path, "-o", tmp_path / "unpaid.parquet")
    assert code == 0 and "18,680,855.61" in out and "2,447,094.86" in out
    found = pq.read_table(tmp_path / "unpaid.parquet").to_pandas()
    assert (found["unpaid"] / 1000).round().tolist() == UNPAID
    shares = [None if math.isnan(cv) else round(100 * cv) for cv in found["cv"]]
    assert shares == ERROR_SHARE
    assert found["origin"].tolist() == [str(2001 + at) for at in range(10)]


@pytest.mark.parametrize("kind", ["months", "workbook", "list", "incremental", "unit"])
def test_one_triangle_however_it_is_written(tmp_path, capsys, kind):
    rows, heads, more = PAID, AGES, []
    if kind == "incremental":
        rows, more = [np.diff(row, prepend=0).tolist() for row in PAID], ["--incremental"]
    if kind == "unit":
        rows = [[cell / 10000 for cell in row] for row in PAID]
    if kind == "months":
        heads = [f"{age}个月" for age in AGES]
    path = printed(tmp_path / "t.csv", rows, heads)
    if kind == "unit":
        said = (tmp_path / "t.csv").read_text(encoding="utf-8")
        (tmp_path / "t.csv").write_text("单位：万元\n" + said, encoding="utf-8")
    if kind == "workbook":
        frame = pd.DataFrame(square(PAID), columns=[12 * age for age in range(1, 11)])
        frame.insert(0, "accident_year", range(2001, 2011))
        path = str(tmp_path / "t.xlsx")
        frame.to_excel(path, index=False)
    if kind == "list":
        cells = [(2001 + at, age, cell) for at, row in enumerate(PAID) for age, cell in zip(AGES, row)]
        path = str(tmp_path / "l.csv")
        pd.DataFrame(cells[::-1], columns=["origin", "dev", "amount"]).to_csv(path, index=False)
    code, out, err = run(capsys, "triangle", path, *more)
    assert code == 0 and "18,680,855.61" in out and "2,447,094.86" in out, err


# Mack, ASTIN Bulletin 29 (1999), mortgage guarantee: the triangle, and f, s.e.(f) and σ of his table 1.
MORTGAGE = [[58046, 127970, 476599, 1027692, 1360489, 1647310, 1819179, 1906852, 1950105],
            [24492, 141767, 984288, 2142656, 2961978, 3683940, 4048898, 4115760],
            [32848, 274682, 1522637, 3203427, 4445927, 5158781, 5342585],
            [21439, 529828, 2900301, 4999019, 6460112, 6853904],
            [40397, 763394, 2920745, 4989572, 5648563],
            [90748, 951994, 4210640, 5866482],
            [62096, 868480, 1954797],
            [24983, 284441],
            [13121]]  # fmt: skip
FACTORS = [11.10, 4.092, 1.708, 1.276, 1.139, 1.069, 1.026, 1.023]
SIGMA = [1337, 988.5, 440.1, 207, 164.2, 74.60, 35.49, 16.89]


def test_a_tail_is_one_step_more_of_macks_recursion():
    """Table 1 printed, and his tail (1.05, s.e. 0.02, σ 71) by the recursion written out for one origin at a time."""
    values = square(MORTGAGE)
    plain, made = mack(values), mack(values, tail=1.05, tail_se=0.02, tail_sigma=71)
    assert np.allclose(made.factor, FACTORS, rtol=1e-3)
    assert np.allclose(made.sigma, SIGMA, rtol=1e-3)
    f = [*made.factor, 1.05]
    s2 = [*made.sigma**2, 71.0**2]
    e2 = [*made.factor_se**2, 0.02**2]
    for origin in range(9):
        known = 8 - origin
        c, variance = MORTGAGE[origin][known], 0.0
        for k in range(known, 9):
            variance = f[k] ** 2 * variance + c * s2[k] + c**2 * e2[k]
            c *= f[k]
        assert made.ultimate[origin] == pytest.approx(c, rel=1e-12)
        assert made.standard_error[origin] == pytest.approx(math.sqrt(variance), rel=1e-12)
    assert np.allclose(made.ultimate, 1.05 * plain.ultimate)
    known_tail = mack(values, tail=1.05)
    assert np.allclose(known_tail.standard_error, 1.05 * plain.standard_error)
    assert known_tail.total_standard_error == pytest.approx(1.05 * plain.total_standard_error)


def test_segments_each_have_their_answer_and_one_without_is_named(tmp_path, capsys):
    frame = pd.DataFrame(square(PAID), columns=AGES).assign(origin=range(10), segment="long")
    short = pd.DataFrame({"origin": [0, 1], "12": [5.0, 6.0], "24": [7.0, np.nan], "segment": "short"})
    path = tmp_path / "two.csv"
    pd.concat([frame, short]).to_csv(path, index=False)
    code, out, err = run(capsys, "triangle", path, "-o", tmp_path / "two.xlsx")
    assert code == 3 and "18,680,855.61" in out and "RM521" in out and "short" in out, err
    assert len(openpyxl.load_workbook(tmp_path / "two.xlsx").sheetnames) == 3


def test_expected_losses_from_the_column_of_premium(tmp_path, capsys):
    path = tmp_path / "t.csv"
    frame = pd.DataFrame(square(PAID), columns=AGES).assign(origin=range(10), premium=7_000_000)
    frame.to_csv(path, index=False)
    code, out, _ = run(capsys, "triangle", path, "--method", "bornhuetter_ferguson", "--expected-ratio", 0.7)
    factor = development_factors(square(PAID)).value
    unreported = 1 - 1 / np.append(np.cumprod(factor[::-1])[::-1], 1.0)
    assert code == 0 and f"{(unreported * 4_900_000).sum():,.2f}" in out
    code, _, err = run(capsys, "triangle", path, "--method", "cape_cod", "--expected-ratio", 0.7)
    assert code == 1 and "RM461" in err
    code, _, err = run(capsys, "triangle", printed(tmp_path / "bare.csv", PAID, AGES), "--method", "cape_cod")
    assert code == 1 and "RM462" in err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("事故年度,12,24", "事故年度,12,30"), "RM455"),
        (lambda text: text.replace("\n2002,", "\n2001,"), "RM456"),
        (lambda text: text.replace("5339085,", "abc,"), "RM203"),
        (lambda text: text.replace("\n2002,", "\n,"), "RM458"),
        (lambda text: text.replace("1363294,,", "1363294,0,"), "RM460"),
        (lambda text: text.replace("12,24,36", "a,b,c").replace(",48,60,72,84,96,108,120", ",d,e,f,g,h,i,j"), "RM454"),
    ],
)
def test_a_triangle_with_a_fault_is_refused(tmp_path, capsys, change, said):
    path = tmp_path / "t.csv"
    printed(path, PAID, AGES)
    before = path.read_text(encoding="utf-8")
    path.write_text(change(before), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != before
    code, out, err = run(capsys, "triangle", path)
    assert code == 1 and said in err, out + err


def test_a_cell_that_is_no_number_is_told_once_with_its_place(tmp_path, capsys):
    path = tmp_path / "t.csv"
    printed(path, PAID, AGES)
    path.write_text(path.read_text(encoding="utf-8").replace("5339085,", "abc,"), encoding="utf-8")
    code, _, err = run(capsys, "triangle", path)
    assert code == 1 and re.findall(r"^RM\d{3}", err, flags=re.M) == ["RM203"] and f"{path}:" in err


@pytest.mark.parametrize("method", sorted(USES))
def test_an_option_of_another_method_is_refused(method):
    options = {"average": "simple", "alpha": 1, "tail_se": 0.1, "expected_ratio": 0.5, "iterations": 2, "decay": 0.5}
    for name, value in options.items():
        if name not in USES[method]:
            with pytest.raises(rm.ModelError, match="RM461"):
                reserve(square(PAID), method, **{name: value})


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_labels_of_a_frame_stay(kind):
    frame = pd.DataFrame(square(PAID), index=[f"y{at}" for at in range(10)], columns=AGES)
    if kind == "polars":
        import polars as pl

        frame = pl.from_pandas(frame.rename_axis("origin").reset_index())
    made = mack(frame)
    assert made.frame()["origin"].tolist() == [f"y{at}" for at in range(10)]
    assert made.factors()["step"].tolist()[0] == "12-24"
    assert development_factors(frame).frame()["step"].tolist()[-1] == "108-120"
    assert len(repr(made)) < 120


# Hachemeister (1975), five states by twelve quarters; Bühlmann–Straub as actuar prints it (`cm`).
ESTIMATES = [2055.165, 1523.706, 1793.444, 1442.967, 1603.285]


def test_hachemeisters_states(tmp_path, capsys):
    rows = [(f"state {i + 1}", t + 1, RATIOS[i, t], WEIGHTS[i, t]) for i in range(5) for t in range(12)]
    path = tmp_path / "states.csv"
    pd.DataFrame(rows, columns=["企业", "期间", "赔付率", "权重"]).to_csv(path, index=False)
    code, out, _ = run(capsys, "credibility", path, "-o", tmp_path / "z.parquet")
    found = pq.read_table(tmp_path / "z.parquet").to_pandas()
    assert code == 0 and "1,683.71" in out
    assert np.allclose(found["estimate"], ESTIMATES, atol=5e-4)
    code, out, _ = run(capsys, "credibility", path, "--method", "limited_fluctuation", "--full", 200000,
                       "-o", tmp_path / "l.parquet")  # fmt: skip
    found = pq.read_table(tmp_path / "l.parquet").to_pandas()
    assert code == 0 and np.allclose(found["z"], np.sqrt(WEIGHTS.sum(axis=1) / 200000))
    mean = (RATIOS * WEIGHTS).sum() / WEIGHTS.sum()
    assert np.allclose(found["estimate"], mean + found["z"] * (found["own"] - mean))


def test_the_usual_standard_of_full_credibility():
    """1,082 claims at 90 % within 5 % for the frequency (Longley-Cook 1962)."""
    claims = [100, 170.55, 900, 900]
    rows = {"firm": ["a", "a", "b", "b"], "period": [1, 2, 1, 2], "value": [1.0, 2, 3, 4], "weight": claims}
    found = rm.credibility(pd.DataFrame(rows), "limited_fluctuation", probability=0.9, within=0.05)
    assert found.attrs["full"] == pytest.approx(1082.2, abs=0.05)
    assert found["z"].round(3).tolist() == [0.5, 1.0]
    with pytest.raises(rm.ModelError, match="RM461"):
        rm.credibility(pd.DataFrame(rows), full=1082)
    with pytest.raises(rm.ModelError, match="RM461"):
        rm.credibility(pd.DataFrame(rows), levels=["firm"])


def test_the_registry_is_what_is_offered():
    import typing

    from ratemod.commands import credibility as command
    from ratemod.experience.credibility import Method
    from ratemod.experience.methods import METHODS, PANELS

    assert set(typing.get_args(Method)) == set(PANELS) == set(command.METHODS)
    assert len({one.name for one in METHODS}) == len(METHODS)


def test_fits_are_judged_as_scipy_judges_them():
    loss = stats.lognorm(1.1, scale=math.exp(10)).rvs(400, random_state=4)
    found = fit_severities(read_losses({"loss": loss}), ["lognormal", "exponential"])
    assert found.frame()["family"].tolist() == ["lognormal", "exponential"]
    mu, sigma = np.log(loss).mean(), np.log(loss).std()
    assert np.allclose(found.best.estimate, [mu, sigma], rtol=1e-6)
    model = stats.lognorm(sigma, scale=math.exp(mu))
    assert found.kolmogorov[0] == pytest.approx(stats.kstest(loss, model.cdf).statistic, rel=1e-5)
    rank, F = np.arange(1, 401), np.sort(model.cdf(loss))
    assert found.anderson[0] == pytest.approx(-400 - ((2 * rank - 1) * np.log(F * (1 - F[::-1]))).sum() / 400, rel=1e-5)
    held = np.histogram(F, np.linspace(0, 1, 21))[0]
    chi = stats.chisquare(held, ddof=2)
    assert (found.chi_square[0], found.p_value[0]) == pytest.approx((chi.statistic, chi.pvalue), rel=1e-5)


def test_fits_above_a_deductible_are_judged_above_it():
    """An exponential above d is the same exponential from d on, so that every statistic stays."""
    loss = stats.expon(scale=1000).rvs(300, random_state=1)
    plain = fit_severities(read_losses({"loss": loss}), ["exponential"])
    above = fit_severities(read_losses({"loss": loss + 500, "deductible": [500.0] * 300}), ["exponential"])
    assert goodness(above.best, read_losses({"loss": loss + 500, "deductible": [500.0] * 300})) == pytest.approx(
        (plain.kolmogorov[0], plain.anderson[0], plain.chi_square[0], plain.p_value[0]), rel=1e-6
    )


def test_layers_and_limits_on_the_command_line(tmp_path, capsys):
    loss = stats.expon(scale=1000).rvs(200, random_state=2)
    path = tmp_path / "l.csv"
    pd.DataFrame({"损失金额": [*loss, 0.0]}).to_csv(path, index=False)
    words = ["severity", path, "--families", "exponential", "--layer", "500..1500", "--layer", "1500..", "--limits",
             "1000,2000", "--base-limit", "1000"]  # fmt: skip
    code, out, _ = run(capsys, *words)
    m = loss.mean()
    assert code == 3 and "RM466" in out
    assert f"{m * (math.exp(-500 / m) - math.exp(-1500 / m)):,.2f}" in out
    assert f"{m * math.exp(-1500 / m):,.2f}" in out
    assert f"{(1 - math.exp(-2000 / m)) / (1 - math.exp(-1000 / m)):.6g}" in out
    wrong = (("--layer", "9..3", "RM857"), ("--limits", "5", "RM468"), ("--families", "gama", "RM544"))
    for name, value, said in wrong:
        code, _, err = run(capsys, "severity", path, name, value)
        assert code == 1 and said in err


def test_where_no_family_fits_the_rows_that_are_lost_are_told_first(tmp_path, capsys):
    path = tmp_path / "l.csv"
    path.write_text("损失金额\n5\nmany\nx\n", encoding="utf-8")
    code, _, err = run(capsys, "severity", path)
    told = re.findall(r"^RM\d{3}", err, flags=re.M)
    assert code == 1 and told[:2] == ["RM203", "RM203"] and "RM472" in told and f"{path}:3" in err


def test_rows_that_a_model_cannot_use_are_called_by_their_line(tmp_path, capsys):
    path = tmp_path / "m.csv"
    path.write_text(
        "矿山用工表,,\n\nsector,heads,claims\nmine,100,6\nshop,400,4\nmine,many,7\nshop,250,3\n", encoding="utf-8"
    )
    out = tmp_path / "model.xlsx"
    words = ["model", path, "--target", "claims", "--weight", "heads", "--factors", "sector", "-o", out]
    code, said, err = run(capsys, *words)
    assert code == 3 and "6" in [
        str(cell.value) for sheet in openpyxl.load_workbook(out) for row in sheet for cell in row
    ], said + err


def test_a_tariff_becomes_a_plan_that_checks(tmp_path, capsys):
    path = tmp_path / "m.csv"
    path.write_text("sector,heads,claims\nmine,100,6\nshop,400,4\nmine,150,7\nshop,250,3\n,10,1\n", encoding="utf-8")
    words = ["model", path, "--target", "claims", "--weight", "heads", "--factors", "sector"]
    words += ["--reference", "sector=shop"]
    identity = ["--scheme", "a-line", "--edition", "2026-01", "--from", "2026-01-01", "--title", "A", "--source", "s"]
    code, out, _ = run(capsys, *words, "-o", tmp_path / "m.html", "--into", tmp_path / "plans", *identity)
    assert code == 3 and f"{(13 / 250) / (7 / 650):.6g}" in out and "RM490" in out
    page = (tmp_path / "m.html").read_text(encoding="utf-8")
    assert 'lang="zh-CN"' in page and 'lang="en"' in page
    assert run(capsys, "check", tmp_path / "plans" / "a-line" / "2026-01")[0] == 0
    assert "RM471" in run(capsys, *words, "--into", tmp_path / "plans", *identity)[2]
    for more in (["--into", tmp_path / "x"], identity[:2]):
        code, _, err = run(capsys, *words, *more)
        assert code == 1 and "RM468" in err


def test_a_triangle_says_what_it_is():
    found = read_triangle({"AY": [2022, 2023], "dev 1": [100.0, 110.0], "dev 2": [150.0, None]})
    assert repr(found) == "TriangleTable(1 segments, 2 origins, 2 ages)"
    assert reserve(found, "chain_ladder").frame()["age"].tolist() == ["dev 2", "dev 1"]
