"""Beyond a bound of plausibility a study stops, unless the bound is accepted by name with a reason."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from tests.study import small

from ratemod.errors import ModelError
from ratemod.study.fit import fit

STATED = {"new_from": "2026-01-01", **small.FLAT, **small.PLAIN}


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return small.plan_folder(tmp_path_factory.mktemp("plan"))


def past(**how):
    return small.history([600, 500, 700], 2023, **how)


def with_claim(number, **cells):
    given = past()
    claims = given["claims"].reset_index(drop=True)
    for name, value in cells.items():
        claims.loc[number, name] = value
    return given | {"claims": claims}


def contradicting(share):
    given = small.with_valuations(past(), 0.3)
    claims = given["claims"].reset_index(drop=True)
    some = claims.index % round(1 / share) == 0
    return given | {"claims": claims.assign(paid_yuan=claims.paid_yuan.where(~some, claims.paid_yuan * 2))}


def half_of_the_values_blank():
    given = small.with_valuations(past(), 0.3)
    blank = np.arange(len(given["valuations"])) % 2 == 0
    return given | {"valuations": given["valuations"].assign(paid_yuan=given["valuations"].paid_yuan.where(~blank))}


DEVELOPED = {"development": "volume"}


@pytest.mark.parametrize(
    ("bound", "code", "history", "stated"),
    [
        ("new_from", "RM982", past, {"new_from": "2025-07-01"}),
        ("new_from", "RM983", past, {"new_from": "2035-01-01"}),
        ("largest_claim", "RM977", lambda: with_claim(7, paid_yuan=3e7), {"large_loss_yuan": 1e9}),
        ("claims_against_valuations", "RM978", lambda: contradicting(0.1), DEVELOPED),
        ("valuations_left_out", "RM979", half_of_the_values_blank, DEVELOPED),
        ("excess_share", "RM987", lambda: past(mean=30_000.0), {"large_loss_yuan": 5_000.0}),
        ("indicated_change", "RM980", lambda: past(mean=200_000.0), {"large_loss_yuan": 1e9}),
    ],
)
def test_each_bound_stops_and_can_be_accepted_with_a_reason(plan, bound, code, history, stated):
    given = history()
    with pytest.raises(ModelError) as error:
        fit(given, plan, **STATED | stated)
    assert code in {item.code for item in error.value.problems}
    made = fit(given, plan, **STATED | stated, accept={bound: "seen and meant"})
    assert code in {item.code for item in made.warnings}
    assert code in repr(made)


@pytest.mark.parametrize("accept", [{"largest_clam": "it is right"}, {"largest_claim": " "}])
def test_only_bounds_that_exist_are_accepted_and_only_with_a_reason(plan, accept):
    with pytest.raises(ModelError) as error:
        fit(past(), plan, **STATED, accept=accept)
    assert {item.code for item in error.value.problems} == {"RM985"}
    assert "largest_claim" in str(error.value)


def test_an_order_of_no_factor(plan):
    with pytest.raises(ModelError) as error:
        fit(past(), plan, **STATED, monotone={"trde": "increasing"})
    assert {item.code for item in error.value.problems} == {"RM988"}
    assert "trade" in str(error.value)


def test_a_few_contradictions_are_named_and_used(plan):
    made = fit(contradicting(0.02), plan, **STATED | DEVELOPED)
    (said,) = (item for item in made.warnings if item.code == "RM978")
    assert "C2023/0" in said.what("en")


def test_a_last_year_outside_its_interval_is_a_warning(plan):
    calm = fit(small.history([900, 900, 900, 900, 900], 2021), plan, **STATED)
    assert calm.held_out.year == 2025
    assert calm.held_out.inside and calm.held_out.ratio == pytest.approx(1.0, abs=0.01)
    turned = fit(small.history([900, 900, 900, 900, 1_800], 2021), plan, **STATED)
    assert not turned.held_out.inside
    assert "RM984" in {item.code for item in turned.warnings}
    assert turned.held_out.expected_yuan == pytest.approx(calm.held_out.expected_yuan, rel=0.01)


def test_too_few_years_to_hold_one_out_are_said(plan):
    made = fit(small.history([900], 2025), plan, **STATED)
    assert "RM990" in {item.code for item in made.warnings}


def test_the_held_out_study_knows_nothing_of_the_last_year(plan):
    """What the last year brought, and what later values said of earlier years, moves nothing of what was expected."""
    given = small.with_valuations(small.history([900, 950, 1_000, 1_050, 1_000], 2021), 0.3)
    stated = STATED | DEVELOPED | {"accept": {"claims_against_valuations": "a test of what is not looked at"}}
    claims, valued = given["claims"], given["valuations"]
    late = claims.event_date >= dt.date(2025, 1, 1)
    twice = given | {
        "claims": claims.assign(paid_yuan=claims.paid_yuan.where(~late, claims.paid_yuan * 1.7)),
        "valuations": valued.assign(
            paid_yuan=valued.paid_yuan.where(valued.valuation_date < dt.date(2025, 6, 1), valued.paid_yuan * 1.7)
        ),
    }
    one, other = fit(given, plan, **stated).held_out, fit(twice, plan, **stated).held_out
    assert other.expected_yuan == pytest.approx(one.expected_yuan, rel=1e-12)
    assert other.actual_yuan > 1.5 * one.actual_yuan
