"""Triangles: R ChainLadder's values of RAA and Taylor-Ashe, and properties that hold for any triangle."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.errors import ModelError
from ratemod.ratemaking import development as dev
from ratemod.ratemaking import triangle as tri
from ratemod.ratemaking import ultimate as ult

no = np.nan


def load(vectors, name):
    data = vectors("reserving_chainladder_R")["triangles"][name]
    return np.array([[np.nan if cell is None else cell for cell in row] for row in data])


@pytest.mark.parametrize(
    ("case", "alpha", "rule"),
    [
        ("RAA_loglinear", 1, "log-linear"),
        ("RAA_Mack", 1, "mack"),
        ("GenIns_loglinear", 1, "log-linear"),
        ("GenIns_Mack", 1, "mack"),
        ("GenIns_simple", 0, "mack"),
        ("RAA_simple", 0, "mack"),
    ],
)
def test_mack_as_r_chainladder(vectors, case, alpha, rule):
    want = vectors("reserving_chainladder_R")[case]
    made = dev.mack(load(vectors, case.split("_")[0]), alpha=alpha, last_sigma=rule)
    close = {"rtol": 1e-12}
    np.testing.assert_allclose(made.factor, want["f"][:-1], **close)
    np.testing.assert_allclose(made.factor_se, want["f.se"], **close)
    np.testing.assert_allclose(made.sigma, want["sigma"], **close)
    rows = want["byOrigin"]
    np.testing.assert_allclose(made.ultimate, [row["Ultimate"] for row in rows], **close)
    np.testing.assert_allclose(made.unpaid, [row["IBNR"] for row in rows], rtol=1e-11)
    np.testing.assert_allclose(made.standard_error, [row["Mack.S.E"] for row in rows], **close)
    np.testing.assert_allclose(made.total_standard_error, want["Total.Mack.S.E"], **close)
    np.testing.assert_allclose(made.unpaid.sum(), want["Totals"]["IBNR:"], **close)
    average = "volume" if alpha == 1 else "simple"
    np.testing.assert_allclose(
        dev.development_factors(load(vectors, case.split("_")[0]), average).value, want["f"][:-1], **close
    )


def test_segments_run_at_once(vectors):
    both = np.stack([load(vectors, "RAA"), load(vectors, "GenIns")])
    made = dev.mack(both)
    for i, name in enumerate(["RAA_Mack", "GenIns_Mack"]):
        want = vectors("reserving_chainladder_R")[name]["Total.Mack.S.E"]
        np.testing.assert_allclose(made.total_standard_error[i], want, rtol=1e-12)


def test_expected_loss_methods(vectors):
    data = vectors("reserving_bf_capecod")
    raa = load(vectors, "RAA")
    cdf = dev.cumulative_factors(dev.development_factors(raa).value)[::-1]
    np.testing.assert_allclose(cdf, data["bf_raa"]["cdf"], rtol=1e-12)
    known, premium = tri.latest(raa), np.full(10, 40000.0)
    bf = ult.bornhuetter_ferguson(known, cdf, premium, 0.7)
    np.testing.assert_allclose(bf.unreported, data["bf_raa"]["ibnr"], rtol=1e-11, atol=1e-9)
    np.testing.assert_allclose(bf.unreported.sum(), data["bf_raa"]["total"], rtol=1e-12)
    cape = ult.cape_cod(known, cdf, premium)
    np.testing.assert_allclose(cape.expected_ratio, data["capecod_raa"]["elr"], rtol=1e-12)
    np.testing.assert_allclose(cape.unreported, data["capecod_raa"]["ibnr"], rtol=1e-11, atol=1e-9)
    twice = ult.benktander(known, cdf, premium, 0.7)
    np.testing.assert_allclose(twice.unreported, data["benktander_raa_n2"]["ibnr"], rtol=1e-11, atol=1e-9)
    ladder = ult.chain_ladder(known, cdf)
    many = ult.benktander(known, cdf, premium, 0.7, iterations=2000)
    np.testing.assert_allclose(many.ultimate, ladder.ultimate, rtol=1e-10)
    np.testing.assert_allclose(ult.cape_cod(known, cdf, premium, decay=0.0).ultimate, ladder.ultimate, rtol=1e-12)


def test_cape_cod_trend_moves_each_origin():
    made = ult.cape_cod([100.0, 110.0, 121.0], [1.0, 1.0, 1.0], [100.0] * 3, trend=0.10)
    np.testing.assert_allclose(made.expected_ratio, [1.0, 1.1, 1.21], rtol=1e-13)


@given(st.lists(st.floats(1.01, 3.0), min_size=3, max_size=6), st.lists(st.floats(1, 1e6), min_size=8, max_size=8))
@settings(max_examples=50, deadline=None)
def test_an_exact_pattern_is_recovered_by_every_average(factors, starts):
    size = len(factors) + 1
    growth = np.concatenate([[1.0], np.cumprod(factors)])
    full = np.array(starts[:size])[:, None] * growth
    seen = np.where(np.add.outer(np.arange(size), np.arange(size)) < size, full, np.nan)
    for average in ("volume", "simple", "medial"):
        for periods in (None, 2):
            made = dev.development_factors(seen, average, periods=periods)
            np.testing.assert_allclose(made.value, factors, rtol=1e-10)
    np.testing.assert_allclose(tri.latest(seen) * dev.cumulative_factors(factors)[::-1], full[:, -1], rtol=1e-10)


def test_medial_and_latest_periods():
    values = np.array([[1.0, 2.0], [1.0, 4.0], [1.0, 3.0], [1.0, 9.0], [1.0, np.nan]])
    assert dev.development_factors(values, "medial").value.tolist() == [3.5]
    assert dev.development_factors(values, "simple", periods=2).value.tolist() == [6.0]
    made = dev.development_factors(values, "medial", periods=2)
    assert (made.value.tolist(), made.ratios_used.tolist()) == ([6.0], [2])


@pytest.mark.parametrize(
    ("curve", "at"), [("exponential", lambda t: np.exp(-0.3 - 0.7 * t)), ("inverse_power", lambda t: 0.9 * t**-2.5)]
)
def test_tail_recovers_its_own_curve(curve, at):
    age = np.arange(1, 8)
    tail = dev.fit_tail(age, 1 + at(age), curve, last_step=60)
    np.testing.assert_allclose(tail.factor, np.prod(1 + at(np.arange(8.0, 68.0))), rtol=1e-10)
    np.testing.assert_allclose(tail.r_squared, 1, rtol=1e-10)


def test_transactions_to_triangle():
    made = tri.triangle_of_transactions(
        [0, 0, 1, 0, 1],
        ["2021-02-03", "2021-12-31", "2022-01-01", "2022-06-01", "2023-03-01"],
        ["2021-02-03", "2023-01-01", "2022-01-01", "2024-01-01", "2023-12-31"],
        [1.0, 2.0, 4.0, 8.0, 16.0],
        segments=("a", "b"),
        first_origin="2021-01-01",
        origins=3,
        valuation="2023-12-31",
    )
    n = np.nan
    np.testing.assert_array_equal(made.values, [[[1, 1, 3], [0, 0, n], [0, n, n]], [[0, 0, 0], [4, 4, n], [16, n, n]]])
    assert made.ages.tolist() == [12, 24, 36]
    np.testing.assert_array_equal(tri.incremental(made.values)[0, 0], [1, 0, 2])
    quarters = tri.triangle_of_transactions(
        [0],
        ["2022-01-15"],
        ["2022-08-01"],
        [1.0],
        segments=("a",),
        first_origin="2022-01-01",
        origins=2,
        valuation="2023-06-30",
        origin_months=12,
        age_months=3,
    )
    np.testing.assert_array_equal(quarters.values[0], [[0, 0, 1, 1, 1, 1], [0, 0, n, n, n, n]])


def test_chainladder_round_trip(vectors):
    pytest.importorskip("chainladder", reason="chainladder-python is not installed")
    starts = np.array([f"{1981 + i}-01-01" for i in range(10)], "datetime64[D]")
    made = tri.Triangle(np.stack([load(vectors, "RAA"), load(vectors, "GenIns")]), ("raa", "genins"), starts)
    sent = tri.to_chainladder(made)
    back = tri.from_chainladder(sent)
    order = [back.segments.index(name) for name in made.segments]
    np.testing.assert_array_equal(back.values[order], made.values)
    np.testing.assert_array_equal(back.origin_start, made.origin_start)
    with pytest.raises(ModelError, match="RM517"):
        tri.from_chainladder(sent.cum_to_incr())


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("RM521", lambda: dev.mack([[1.0, np.nan, 2.0]] * 4)),
        ("RM515", lambda: tri.unbroken(np.array([[1.0, np.nan, 2.0]]))),
        ("RM683", lambda: dev.mack([[np.nan, np.nan], [1.0, 2.0]])),
        ("RM684", lambda: dev.mack([[0.0, 2.0, 3.0, 4.0]] * 4)),
        ("RM501", lambda: dev.mack([[-1.0, 2.0, 3.0, 4.0]] * 4)),
        ("RM685", lambda: dev.mack(pd.DataFrame([[1.0, 2.0]] * 2, index=[2020, 2020], columns=[12, 24]))),
        ("RM685", lambda: dev.mack(pd.DataFrame([[1.0, 2.0]] * 2, index=[2020, 2021], columns=[12, 12]))),
        ("RM686", lambda: dev.mack(pd.DataFrame([[1.0, 2.0]] * 2, index=[2020, 2021], columns=[24, 12]))),
        (
            "RM687",
            lambda: dev.development_factors(
                pd.DataFrame([[1.0, 2.0]] * 2, index=[2021, 2020], columns=[12, 24]), periods=1
            ),
        ),
        ("RM519", lambda: dev.fit_tail([1, 1], [1.2, 1.1])),
        ("RM518", lambda: dev.development_factors([[[0.0, 5.0], [0.0, np.nan]]])),
        ("RM521", lambda: dev.mack(np.where(np.add.outer(np.arange(4), np.arange(4)) < 4, 0.0, np.nan))),
        ("RM521", lambda: dev.mack([[1.0, 2.0, 3.0], [1.0, 2.0, np.nan], [1.0, np.nan, np.nan]])),
        # Ratios by age: 3, 1 and 1; 3, 3 and none.
        ("RM521", lambda: dev.mack([[1.0, 2.0, 3.0, 4.0], *[[1.0, 2.0, np.nan, np.nan]] * 2])),
        ("RM521", lambda: dev.mack([[1.0, 2.0, 3.0, np.nan]] * 3)),
        ("RM519", lambda: dev.fit_tail([1, 2], [1.2, 1.0])),
        ("RM520", lambda: dev.fit_tail([1, 2, 3], [1.2, 1.15, 1.12], "inverse_power")),
        ("RM676", lambda: ult.benktander([1.0], [1.0], [1.0], 0.5, iterations=0)),
        ("RM523", lambda: ult.cape_cod([1.0], [1.0], [0.0])),
        (
            "RM514",
            lambda: tri.triangle_of_transactions(
                [0],
                ["2020-12-31"],
                ["2021-01-01"],
                [1.0],
                segments=("a",),
                first_origin="2021-01-01",
                origins=1,
                valuation="2021-12-31",
            ),
        ),
        (
            "RM516",
            lambda: tri.triangle_of_transactions(
                [0],
                ["2021-12-31"],
                ["2021-12-31"],
                [1.0],
                segments=("a",),
                first_origin="2021-01-01",
                origins=1,
                valuation="2021-12-30",
            ),
        ),
    ],
)
def test_refusals(code, call):
    with pytest.raises(ModelError) as caught:
        call()
    assert {item.code for item in caught.value.problems} == {code}


def test_books_that_begin_late_lack_the_upper_left_corner():
    """As XYZ Insurer in Friedland, *Estimating Unpaid Claims Using Basic Techniques*: the newest diagonals only."""
    square = np.array([[100.0, 150, 165, 170], [110, 168, 180, no], [90, 130, no, no], [95, no, no, no]])
    late = square.copy()
    late[0, :2] = no
    late[1, 0] = no
    found = dev.development_factors(late).value
    assert found.tolist() == pytest.approx([130 / 90, 180 / 168, 170 / 165])
    assert tri.latest(late).tolist() == [170, 180, 130, 95]
    more = [[92, 131, 150, no], [97, 140, no, no], [99, 150, no, no]]
    cut = dev.mack(np.vstack([late, more]))
    assert np.isnan(cut.full[0, :2]).all() and cut.ultimate[0] == 170
    assert cut.unpaid[0] == 0 and (cut.unpaid[1:] > 0).all()
    assert cut.standard_error[0] == 0 and (cut.standard_error[2:] > 0).all()
    assert np.sqrt((cut.standard_error**2).sum()) < cut.total_standard_error < cut.standard_error.sum()
    with pytest.raises(ModelError, match="RM683"):
        tri.latest(np.array([[no, no], [1.0, 2.0]]))


def written_out(square, alpha=1):
    """Mack's errors one origin at a time: each step a regression of the known pairs (statsmodels), his sums."""
    ages = square.shape[1]
    f, s2, e2 = [], [], []
    for k in range(ages - 1):
        use = ~np.isnan(square[:, k]) & ~np.isnan(square[:, k + 1]) & (square[:, k] > 0)
        x, y = square[use, k], square[use, k + 1]
        fit = sm.WLS(y, x, weights=x ** (alpha - 2)).fit()
        f.append(fit.params[0])
        s2.append(fit.scale if len(x) > 1 else min(s2[-1] ** 2 / s2[-2], s2[-1], s2[-2]))
        e2.append(s2[-1] / (x**alpha).sum())
    ultimate, error, process = [], [], 0.0
    newest = [int(np.flatnonzero(~np.isnan(row)).max()) for row in square]
    for row, age in zip(square, newest):
        c, own, shared = row[age], 0.0, 0.0
        for k in range(age, ages - 1):
            own = own * f[k] ** 2 + c ** (2 - alpha) * s2[k]
            shared = shared * f[k] ** 2 + c**2 * e2[k]
            c *= f[k]
        ultimate.append(c)
        error.append(np.sqrt(own + shared))
        process += own
    # All origins together: those still open at an age move by one factor, (Σ C)² · se²(f) a step.
    all_shared = 0.0
    running = [row[age] for row, age in zip(square, newest)]
    for k in range(ages - 1):
        still = [at for at, age in enumerate(newest) if age <= k]
        all_shared = all_shared * f[k] ** 2 + sum(running[at] for at in still) ** 2 * e2[k]
        for at in still:
            running[at] *= f[k]
    return np.array(ultimate), np.array(error), np.sqrt(process + all_shared)


@pytest.mark.parametrize("alpha", [0, 1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_holes_leave_out_the_ratios_beside_them_and_nothing_else(alpha, seed):
    rng = np.random.default_rng(seed)
    square = np.cumprod(1 + rng.gamma(2.0, 0.3, (8, 7)) / np.arange(1, 8) ** 1.5, axis=1) * 1000
    square[np.add.outer(np.arange(8), np.arange(7)) > 7] = no
    for origin, age in ((0, 2), (1, 3), (2, 1), (3, 0)):
        square[origin, age] = no
    made = dev.mack(square, alpha=alpha)
    ultimate, error, together = written_out(square, alpha)
    np.testing.assert_allclose(made.ultimate, ultimate, rtol=1e-12)
    np.testing.assert_allclose(made.standard_error, error, rtol=1e-9)
    assert made.total_standard_error == pytest.approx(together, rel=1e-9)
    assert tri.holes(square).sum() == 3 and tri.latest(square)[1] == square[1, 6]
    average = "volume" if alpha == 1 else "simple" if alpha == 0 else None
    if average:
        np.testing.assert_allclose(dev.development_factors(square, average).value, made.factor, rtol=1e-12)


def test_an_origin_that_stays_at_nothing_says_nothing_of_the_factors():
    rows = [[100.0, 150, 165, 170], [110, 168, 180, no], [90, 130, no, no], [95, no, no, no]]
    alone = dev.mack([*rows[:2], [91, 141, 150, no], *rows[2:]])
    with_none = dev.mack([*rows[:2], [91, 141, 150, no], [0, 0, no, no], *rows[2:]])
    assert with_none.factor.tolist() == alone.factor.tolist()
    assert with_none.ultimate.tolist() == [*alone.ultimate[:3], 0.0, *alone.ultimate[3:]]
    assert with_none.total_standard_error == alone.total_standard_error


def test_the_first_column_names_origins_where_the_index_only_counts():
    rows = [[100.0, 150, 165, 170], [110, 168, 180, no], [90, 130, no, no], [95, no, no, no]]
    named = pd.DataFrame(rows, columns=[12, 24, 36, 48], index=[2020, 2021, 2022, 2023])
    plain = dev.mack(named.reset_index(names="AY"))
    pd.testing.assert_frame_equal(plain.factors(), dev.mack(named).factors())
    pd.testing.assert_frame_equal(plain.frame(), dev.mack(named).frame())


def test_late_corner_changes_only_the_ratios_it_takes_away():
    rows = [[10.0, 20, 30, 33, 34], [11, 23, 31, 35, no], [12, 22, 33, no, no], [13, 27, no, no, no], [9] + [no] * 4]
    full = np.array(rows)
    late = full.copy()
    late[0, 0] = no  # the first year's books begin at the second age
    one, other = dev.mack(full), dev.mack(late)
    assert one.factor[1:].tolist() == other.factor[1:].tolist()
    assert other.factor[0] == pytest.approx((23 + 22 + 27) / (11 + 12 + 13))
    ratios, weight = np.array([23 / 11, 22 / 12, 27 / 13]), np.array([11, 12, 13])
    sigma2 = (weight * (ratios - other.factor[0]) ** 2).sum() / 2
    assert other.sigma[0] == pytest.approx(np.sqrt(sigma2))


def test_geometric_average():
    found = dev.development_factors([[100, 200], [100, 50], [10, no]], "geometric")
    assert found.value.tolist() == pytest.approx([1.0])
