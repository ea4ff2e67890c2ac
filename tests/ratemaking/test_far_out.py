"""Where digits cancel, and at the ends of what is permitted: layers far out, quantiles near 0 and 1, missing mass."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ratemod.errors import ModelError
from ratemod.experience.bonus_malus import bonus_malus
from ratemod.experience.optimal_relativities import optimal_relativities
from ratemod.ratemaking import aggregate as agg
from ratemod.ratemaking import distribution as dist
from ratemod.ratemaking import exposure
from ratemod.ratemaking import limits as lim
from ratemod.ratemaking.severity import fit_severity

SEVERITIES = {
    "lognormal": dist.lognormal(9.2, 1.6),
    "gamma": dist.gamma(0.5, 60_000),
    "weibull": dist.weibull(0.7, 900.0),
    "light weibull": dist.weibull(2.0, 9_000.0),
    "exponential": dist.exponential(1_000.0),
    "pareto": dist.pareto(2.5, 4_000.0),
    "burr": dist.burr(2.0, 1.6, 30_000),
    "inverse gaussian": dist.inverse_gaussian(20_000, 1e-4),
    "mixture": dist.mixture([dist.gamma(2.0, 100.0), dist.pareto(2.5, 4_000.0)], [0.8, 0.2]),
}
POSITIONS = [(0.0, 500.0), (10.0, 1.0), (40_000.0, 10_000.0), (40_000.0, 1.0), (200_000.0, 150_000.0), (1e6, 30e6)]


def integral(severity, low, top, order=1):
    """Integrate survival over a layer, by pieces on each of which it falls by little."""
    edges = np.unique(np.concatenate([[low], np.geomspace(max(low, top * 1e-6), top, 400), [top]]))
    edges = edges[(edges >= low) & (edges <= top)]
    node, mass = np.polynomial.legendre.leggauss(20)
    half = np.diff(edges)[:, None] / 2
    x = edges[:-1, None] + half * (node + 1)
    over = dist.survival(severity, x)
    return float(((order * (x - low) ** (order - 1) * over * half) @ mass).sum())


@pytest.mark.parametrize("name", SEVERITIES)
@pytest.mark.parametrize(("low", "width"), POSITIONS)
def test_a_layer_is_the_integral_of_survival_wherever_it_lies(name, low, width):
    severity = SEVERITIES[name]
    first, second = integral(severity, low, low + width), integral(severity, low, low + width, 2)
    try:
        layer = lim.layer(severity, [low], [width])
    except ModelError as error:  # no closed second moment
        assert name == "inverse gaussian" and error.problems[0].code == "RM543"
        return
    assert layer.per_loss[0] == pytest.approx(first, rel=2e-7, abs=1e-290)
    assert layer.variance_per_loss[0] == pytest.approx(second - first**2, rel=1e-5, abs=1e-280)
    over = dist.survival(severity, [low])[0]
    if over > 0:
        assert 0 <= layer.per_payment[0] <= width * (1 + 1e-12)
        assert layer.per_payment[0] == pytest.approx(first / over, rel=2e-7)


def test_an_exponential_has_no_memory():
    layer = lim.layer(dist.exponential(1_000.0), [40_000.0, 40_000.0], [10_000.0, np.inf])
    np.testing.assert_allclose(layer.per_payment, [1_000 * -math.expm1(-10), 1_000.0], rtol=1e-12)


@pytest.mark.parametrize("name", SEVERITIES)
def test_excess_and_limited_moments_are_two_halves(name):
    severity = SEVERITIES[name]
    at = np.array([0.0, 1.0, 500.0, 40_000.0, 2e6])
    whole = dist.mean(severity)
    np.testing.assert_allclose(dist.limited_moment(severity, at) + dist.excess_moment(severity, at), whole, rtol=1e-11)
    np.testing.assert_allclose(lim.excess_ratio(severity, at) * whole, dist.excess_moment(severity, at), rtol=1e-12)
    if name == "inverse gaussian":
        return
    square = float(dist.limited_moment(severity, np.inf, 2))
    found = dist.limited_moment(severity, at, 2) + dist.excess_moment(severity, at, 2)
    np.testing.assert_allclose(found, square, rtol=1e-10)


def test_a_burr_of_infinite_mean_has_finite_limited_moments():
    severity = dist.burr(0.8, 1.1, 100.0)  # mean infinite: 0.88 <= 1
    for top in (10.0, 1_000.0, 1e6):
        assert float(dist.limited_moment(severity, top)) == pytest.approx(integral(severity, 0.0, top), rel=1e-6)
    assert dist.mean(severity) == np.inf
    layer = lim.layer(severity, [50_000.0], [1e6]).per_loss[0]
    assert layer == pytest.approx(integral(severity, 50_000.0, 1_050_000.0), rel=1e-7)


ORACLES = {
    "lognormal": stats.lognorm(1.6, scale=math.exp(9.2)),
    "gamma": stats.gamma(0.5, scale=60_000),
    "weibull": stats.weibull_min(0.7, scale=900.0),
    "exponential": stats.expon(scale=1_000.0),
    "pareto": stats.lomax(2.5, scale=4_000.0),
    "burr": stats.burr12(1.6, 2.0, scale=30_000),
    "inverse gaussian": stats.invgauss(2.0, scale=1e4),
}


@pytest.mark.parametrize("name", ORACLES)
def test_quantiles_from_end_to_end(name):
    p = np.array([1e-18, 1e-6, 0.3, 0.5, 0.99, 1 - 1e-12])
    np.testing.assert_allclose(dist.quantile(SEVERITIES[name], p), ORACLES[name].ppf(p), rtol=1e-8)
    assert dist.quantile(SEVERITIES[name], [0.0, 1.0]).tolist() == [0.0, np.inf]


@given(st.floats(1e-15, 1 - 1e-9))
def test_the_quantile_of_a_mixture_comes_back(p):
    x = float(dist.quantile(SEVERITIES["mixture"], p))
    back = float(dist.cumulative(SEVERITIES["mixture"], x))
    assert back == pytest.approx(p, rel=1e-9)


@pytest.mark.parametrize("p", [1.5, -0.2, float("nan")])
def test_a_probability_outside_its_range_is_refused(p):
    for call in (
        lambda: dist.quantile(SEVERITIES["exponential"], [p]),
        lambda: agg.quantiles([0.5, 0.5], [p]),
        lambda: agg.tail_value_at_risk([0.5, 0.5], p),
    ):
        with pytest.raises(ModelError) as caught:
            call()
        assert caught.value.problems[0].code in ("RM500", "RM504", "RM676")


def test_parameters_are_finite_and_weights_match():
    for call in (
        lambda: dist.lognormal(math.nan, 1.0),
        lambda: dist.lognormal(math.inf, 1.0),
        lambda: dist.gamma(math.inf, 1),
    ):
        with pytest.raises(ModelError):
            call()
    with pytest.raises(ModelError):
        dist.mixture([dist.exponential(1.0)], [0.5, 0.5])


def test_a_tail_needs_all_of_the_mass():
    for call in (
        lambda g: agg.tail_value_at_risk(g, 0.9),
        lambda g: agg.stop_loss(g, [1.0]),
        lambda g: agg.insurance_charge(g, [1.0]),
    ):
        with pytest.raises(ModelError) as caught:
            call([0.5, 0.3, 0.15])
        assert caught.value.problems[0].code == "RM552"
        call([0.5, 0.3, 0.2])
    assert agg.tail_value_at_risk([0.5, 0.3, 0.2, 0.0], 1.0) == (2.0, 2.0)


def test_what_a_transform_returns_its_neighbours_take():
    g = agg.transform([0, 0.5, 0.5], agg.poisson(5), 80)
    by_recursion = agg.panjer([0, 0.5, 0.5], agg.poisson(5), 80)
    assert (g >= 0).all()
    assert agg.quantiles(g, [0.99]) == agg.quantiles(by_recursion, [0.99])
    np.testing.assert_allclose(agg.stop_loss(g, [3.0]), agg.stop_loss(by_recursion, [3.0]), rtol=1e-12)


def test_optimal_relativities_of_risks_that_are_all_but_alike():
    system = bonus_malus([1.0] * 4)
    apart = [
        np.abs(optimal_relativities(system, [0.1], [1.0], a).mean_risk - 1).max() for a in (2, 170, 172, 1_000, 1e6)
    ]
    assert all(far > near for far, near in itertools.pairwise(apart))


def test_a_claim_that_moves_nobody():
    assert bonus_malus([1.0, 2.0, 3.0], up=0).moves.tolist() == [[0, 0, 1], [0, 1, 2]]


def test_claims_that_are_all_but_equal_are_refused_by_name():
    with pytest.raises(ModelError) as caught:
        fit_severity(100 + np.arange(20) * 1e-6, "weibull")
    assert caught.value.problems[0].code == "RM547"


@pytest.mark.parametrize(
    ("start", "end", "years"),
    [
        ("2023-02-15", "2024-02-15", 1.0),
        ("2024-02-29", "2025-02-28", 1.0),
        ("2023-01-31", "2023-02-28", 1 / 12),
        ("2024-01-01", "2024-07-01", 0.5),
        ("2023-04-16", "2023-05-01", 0.5 / 12),
        ("2020-01-10", "2023-01-10", 3.0),
    ],
)
def test_whole_months_are_counted_as_the_rating_counts_them(start, end, years):
    cut = exposure.segments_from_changes([start], [end], [1], [], [], [])
    assert float(exposure.written_exposure(cut, [start], [end])[0]) == pytest.approx(years, abs=1e-15)


@given(st.integers(-3000, 20000), st.integers(1, 4000))
def test_a_longer_term_is_never_less_exposure(first, length):
    day = np.datetime64("1970-01-01") + np.array([first, first + length, first + length + 1])
    terms = [exposure.segments_from_changes([day[0]], [end], [1], [], [], []) for end in day[1:]]
    short, longer = (float(exposure.written_exposure(cut, [day[0]], [end])[0]) for cut, end in zip(terms, day[1:]))
    assert short <= longer + 1e-12
    assert short == pytest.approx(length / 365.2425, abs=3.2 / 365)
