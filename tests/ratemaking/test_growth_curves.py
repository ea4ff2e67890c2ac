"""Clark and the Munich chain ladder: the papers' own figures, R's, chainladder's, a planted curve, refusals."""

import numpy as np
import pandas as pd
import pytest

import ratemod as rm
from ratemod.errors import ModelError
from ratemod.ratemaking.clark import clark
from ratemod.ratemaking.munich import munich

NO = np.nan
PAID = [
    [576, 1804, 1970, 2024, 2074, 2102, 2131],
    [866, 1948, 2162, 2232, 2284, 2348, NO],
    [1412, 3758, 4252, 4416, 4494, NO, NO],
    [2286, 5292, 5724, 5850, NO, NO, NO],
    [1868, 3778, 4648, NO, NO, NO, NO],
    [1442, 4010, NO, NO, NO, NO, NO],
    [2044, NO, NO, NO, NO, NO, NO],
]
INCURRED = [
    [978, 2104, 2134, 2144, 2174, 2182, 2174],
    [1844, 2552, 2466, 2480, 2508, 2454, NO],
    [2904, 4354, 4698, 4600, 4644, NO, NO],
    [3502, 5958, 6070, 6142, NO, NO, NO],
    [2812, 4882, 4852, NO, NO, NO, NO],
    [2642, 4406, NO, NO, NO, NO, NO],
    [5022, NO, NO, NO, NO, NO, NO],
]


@pytest.fixture
def taylor_ashe(vectors):
    """Return Taylor and Ashe's triangle; Clark prints 2,182,708 where others have 2,218,270."""
    rows = vectors("reserving_chainladder_R")["triangles"]["GenIns"]
    return np.array([[NO if cell is None else cell for cell in row] for row in rows], float)


def test_clarks_own_parameters(taylor_ashe):
    """Clark (2003): LDF ω 1.434294, θ 48.6249, σ² 65,029; Cape Cod ω 1.447634, θ 48.0205, σ² 61,577; ages in months."""
    taylor_ashe[0, 3] = 2_182_708
    months = 12 * np.arange(1, 11)
    ldf = clark(taylor_ashe, ages=months, until=240.0)
    assert (round(ldf.omega, 6), round(ldf.theta, 4), round(ldf.dispersion)) == (1.434294, 48.6249, 65_029)
    cape = clark(taylor_ashe, ages=months, premium=1e7 + 4e5 * np.arange(10), until=240.0)
    assert (round(cape.omega, 6), round(cape.theta, 4), round(cape.dispersion)) == (1.447635, 48.0205, 61_577)
    assert cape.method == "cape_cod" and ldf.method == "ldf"
    # the unit of the ages is nobody's business
    years = clark(taylor_ashe, until=20.0)
    np.testing.assert_allclose([years.unpaid, years.standard_error], [ldf.unpaid, ldf.standard_error], rtol=1e-6)


def test_clark_as_r_prints_it(taylor_ashe):
    """R ChainLadder's help of ClarkLDF(GenIns, maxage=20); its search stops short of the maximum (next test)."""
    found = clark(taylor_ashe, until=20.0)
    printed = [
        666_531,
        1_157_423,
        1_365_086,
        1_665_694,
        1_886_481,
        2_514_880,
        3_546_785,
        4_896_501,
        4_991_635,
        6_223_706,
    ]
    errors = [261_622, 375_333, 420_492, 483_350, 530_086, 653_577, 847_276, 1_113_865, 1_344_652, 2_892_103]
    np.testing.assert_allclose(found.unpaid, printed, rtol=1e-3)
    np.testing.assert_allclose(found.standard_error, errors, rtol=8e-3)
    assert found.total_standard_error == pytest.approx(4_848_938, rel=1e-3)


@pytest.mark.parametrize("growth", ["loglogistic", "weibull"])
@pytest.mark.parametrize("premium", [None, np.linspace(900.0, 1100.0, 8)])
def test_a_planted_curve_comes_back(growth, premium):
    """Amounts that lie on a curve have it as their maximum, and no dispersion."""
    x, ultimate = np.arange(1, 9) - 0.5, np.linspace(500.0, 800.0, 8) if premium is None else 0.7 * premium
    grown = 1 / (1 + (2.5 / x) ** 1.6) if growth == "loglogistic" else 1 - np.exp(-((x / 2.5) ** 1.6))
    square = np.where(np.add.outer(range(8), range(8)) < 8, np.outer(ultimate, grown), NO)
    found = clark(square, growth, premium=premium)
    np.testing.assert_allclose([found.omega, found.theta], [1.6, 2.5], rtol=1e-6)
    np.testing.assert_allclose(found.ultimate, ultimate, rtol=1e-6)
    assert found.dispersion < 1e-9 * ultimate.sum()


def test_clarks_maximum_is_not_beaten(taylor_ashe):
    """The likelihood written out here anew, at what was found and all around it."""
    found = clark(taylor_ashe)
    x = np.concatenate([[0.0], np.arange(10) + 0.5])

    def likelihood(omega, theta):
        total = 0.0
        for row in taylor_ashe:
            c = np.diff(row[~np.isnan(row)], prepend=0.0)
            g = np.diff(x**omega / (x**omega + theta**omega))[: len(c)]
            mean = c.sum() / g.sum() * g
            total += (c * np.log(mean) - mean).sum()
        return total

    best = likelihood(found.omega, found.theta)
    moves = [(1.001, 1), (0.999, 1), (1, 1.001), (1, 0.999), (1.001, 0.999), (0.999, 1.001)]
    assert all(likelihood(found.omega * a, found.theta * b) < best for a, b in moves)


def test_clarks_parameter_error_by_differences(taylor_ashe):
    """The observed information of ultimates, ω and θ themselves, by differences of the likelihood written out anew."""
    found = clark(taylor_ashe, until=20.0)
    x, (row, column) = np.concatenate([[0.0], np.arange(10) + 0.5]), np.nonzero(~np.isnan(taylor_ashe))
    c = np.diff(taylor_ashe, axis=1, prepend=0.0)[row, column]

    def grown(at, p):
        return at ** p[10] / (at ** p[10] + p[11] ** p[10])

    def likelihood(p):
        g = grown(x, p)
        mean = p[row] * (g[column + 1] - g[column])
        return (c * np.log(mean) - mean).sum()

    def left(p):
        return p[:10] * (grown(19.5, p) - grown(np.arange(9.5, 0, -1), p))

    p = np.array([*np.ones(10), found.omega, found.theta])
    p[:10] = found.unpaid / left(p)
    step = np.diag(p * 1e-4)
    signs = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
    second = np.array([[sum(a * b * likelihood(p + a * s + b * t) for a, b in signs) for t in step] for s in step])
    size = np.outer(np.diag(step), np.diag(step))
    slope = np.array([(left(p + s) - left(p - s)) / (2 * s.sum()) for s in step]).T
    wanted = found.dispersion * np.diag(slope @ np.linalg.inv(-second / (4 * size)) @ slope.T)
    np.testing.assert_allclose(found.parameter_error, wanted**0.5, rtol=2e-5)


def test_what_clark_shows(taylor_ashe):
    named = pd.DataFrame(taylor_ashe, index=range(2011, 2021), columns=range(12, 132, 12))
    found = rm.ratemaking.clark(named, premium=1e7 + 4e5 * np.arange(10))
    assert found.frame()["origin"].tolist() == [str(year) for year in range(2011, 2021)]
    assert found.theta == pytest.approx(12 * clark(taylor_ashe, premium=1e7 + 4e5 * np.arange(10)).theta, rel=1e-6)
    assert repr(found).startswith("Clark(cape_cod; loglogistic ω 1.4488") and len(repr(found)) < 200
    assert np.nansum(found.residual**2) == pytest.approx(55 - 3, rel=1e-9)


def test_munich_as_quarg_and_mack():
    """Section 3.3 of the paper as R prints it: last σ 0.1 as judged there."""
    found = munich(PAID, INCURRED, last_sigma_paid=0.1, last_sigma_incurred=0.1)
    paid = [2131, 2382.512, 4597.066, 6119.269, 4937.412, 4655.543, 7548.518]
    incurred = [2174, 2443.520, 4628.803, 6175.985, 4950.330, 4665.171, 7649.759]
    np.testing.assert_allclose(found.ultimate_paid, paid, rtol=0, atol=5.01e-4)
    np.testing.assert_allclose(found.ultimate_incurred, incurred, rtol=0, atol=5.01e-4)
    q = [0.5325822, 0.8488621, 0.9275964, 0.9450735, 0.9491744, 0.9598792, 0.9802208]
    np.testing.assert_allclose(found.ratio, q, rtol=0, atol=5.01e-8)
    rho = [14.9430129, 4.9899464, 2.1665565, 1.6186098, 1.7910011, 0.2359799, 0.1966189]
    np.testing.assert_allclose(found.rho[0], rho, rtol=0, atol=5.01e-8)
    assert (round(float(found.slope[0]), 3), round(float(found.slope[1]), 4)) == (0.636, 0.4362)
    assert repr(found) == "Munich(7 origins; ultimate paid 32,371.32, incurred 32,687.567; λ 0.636 and 0.4362)"


def test_munich_as_chainladder():
    """Its σ and ρ of the last step continue by a straight line through the logs, as ours do unless told otherwise."""
    chainladder = pytest.importorskip("chainladder")
    sample = chainladder.load_sample("mcl")
    theirs = chainladder.MunichAdjustment(("paid", "incurred")).fit(chainladder.Development().fit_transform(sample))
    full = theirs.munich_full_triangle_
    found = munich(np.array(sample["paid"].values[0, 0]), np.array(sample["incurred"].values[0, 0]))
    np.testing.assert_allclose(found.ultimate_paid, full[0, 0, 0, :, -1], rtol=1e-9)
    np.testing.assert_allclose(found.ultimate_incurred, full[1, 0, 0, :, -1], rtol=1e-9)


def test_munich_of_many_segments_and_names():
    both = munich(np.stack([PAID, np.multiply(PAID, 3)]), np.stack([INCURRED, np.multiply(INCURRED, 3)]))
    np.testing.assert_allclose(both.ultimate_paid[1], 3 * both.ultimate_paid[0], rtol=1e-12)
    named = [pd.DataFrame(one, index=range(2014, 2021)) for one in (PAID, INCURRED)]
    frame = munich(*named).frame()
    assert frame["origin"].tolist() == [str(year) for year in range(2014, 2021)]
    assert (frame["ultimate_ratio"] > frame["latest_ratio"]).iloc[1:].all()
    with pytest.raises(ModelError, match="RM828"):
        munich(named[0], named[1].set_axis(range(2013, 2020)))


HOLE = np.array(PAID, float)
HOLE[1, 2] = NO


def test_a_hole_joins_two_increments_of_clark():
    """The likelihood of what is left, written out: with parameters free, no other curve is more likely."""
    found = clark(HOLE)
    x = np.arange(1, 8) - 0.5
    grown = np.concatenate([[0.0], x**found.omega / (x**found.omega + found.theta**found.omega)])

    def likelihood(omega, theta):
        g = np.concatenate([[0.0], x**omega / (x**omega + theta**omega)])
        total = 0.0
        for row in HOLE:
            at = np.flatnonzero(~np.isnan(row))
            places = np.concatenate([[0], at + 1])
            share, c = np.diff(g[places]), np.diff(row[at], prepend=0.0)
            mean = c.sum() * share / share.sum()
            total += c @ np.log(mean) - mean.sum()
        return total

    best = likelihood(found.omega, found.theta)
    for omega, theta in ((1.001, 1.0), (0.999, 1.0), (1.0, 1.001), (1.0, 0.999)):
        assert likelihood(found.omega * omega, found.theta * theta) < best
    newest = np.array([np.flatnonzero(~np.isnan(row)).max() for row in HOLE])
    level = np.array([row[at] for row, at in zip(HOLE, newest)]) / grown[newest + 1]
    np.testing.assert_allclose(found.unpaid, level * (1 - grown[newest + 1]), rtol=1e-9)


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("RM463", lambda: clark(np.ones((2, 4, 4)))),
        ("RM691", lambda: clark(PAID, until=5.0)),
        ("RM503", lambda: clark(PAID, premium=[1.0, 2.0])),
        ("RM502", lambda: clark(PAID, premium=[0.0] * 7)),
        ("RM503", lambda: clark(PAID, ages=[1, 2])),
        ("RM704", lambda: clark(PAID, ages=[1, 2, 3, 4, 5, 7, 6])),
        ("RM704", lambda: clark(PAID, ages=range(9, 93, 12), origin_length=12.0)),
        ("RM827", lambda: clark([[1.0, 2.0], [1.0, NO]])),
        ("RM827", lambda: clark(np.zeros((7, 7)))),
        ("RM827", lambda: clark([[9.0, 9.0, 9.0, 9.0, 9.0]] * 4)),
        ("RM833", lambda: clark([["1", "2"], ["3", "4"]])),
        ("RM500", lambda: clark(np.array(PAID) * np.inf)),
        ("RM833", lambda: munich(PAID, [[1, 2], [3]])),
        ("RM828", lambda: munich(PAID, HOLE)),
        ("RM828", lambda: munich(PAID, INCURRED[:5])),
        ("RM515", lambda: munich(HOLE, HOLE)),
        ("RM502", lambda: munich(np.multiply(PAID, -1), INCURRED)),
        ("RM521", lambda: munich([[1.0, 2.0], [1.0, NO]], [[1.0, 2.0], [1.0, NO]])),
        ("RM829", lambda: munich(PAID, PAID)),
    ],
)
def test_refusals(code, call):
    with pytest.raises(ModelError) as caught:
        call()
    assert caught.value.problems[0].code == code
