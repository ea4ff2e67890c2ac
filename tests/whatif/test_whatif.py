"""What-ifs: every scenario is a full re-rate to the fen, every part adds up, every target is reached or refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ratemod.errors import BookError, ModelError, PlanError
from ratemod.plan.editions import load_plan
from ratemod.rating.rate import rate
from ratemod.whatif.attribution import attribute
from ratemod.whatif.dislocation import compare
from ratemod.whatif.engine import ALL, NONE, TOUCHED, engine
from ratemod.whatif.scenario import apply, current_values, read_scenario, scenario, together, words
from ratemod.whatif.solve import off_balance, solve, unknown
from ratemod.whatif.sweep import grid_of, what_if

PROVINCE = Path(__file__).parents[2] / "data" / "province"
OPEN = "tables.hazard_loading[open, ..].value"
REFUSED = "tables.hazard_loading[refused, ..31].value"
MINING = "tables.base_rate[mining, small].value"


@pytest.fixture(scope="module")
def plan():
    return load_plan("jilin-spli/2025-04")


@pytest.fixture(scope="module")
def book():
    return pq.read_table(PROVINCE / "renewals.parquet")


@pytest.fixture(scope="module")
def base(book, plan):
    return engine(book, plan)


def full(book, plan):
    rated = rate(book, plan, trace=False, lang="en")
    return np.where(rated.verdict.status < 2, rated.outputs.premium_fen, 0)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_scenario_is_a_full_re_rate_to_the_fen(book, plan, base, data):
    numbers = {
        path: value
        for path, value in current_values(plan).items()
        if not path.startswith(("constants.fund", "constants.commission"))
    }
    paths = data.draw(st.lists(st.sampled_from(sorted(numbers)), min_size=1, max_size=4, unique=True))
    changes = {path: f"*{data.draw(st.sampled_from(['0.9', '1.07', '1.5', '1.000001']))}" for path in paths}
    try:
        changed = apply(plan, changes)
    except PlanError:
        return
    outcome = base.price(changes)
    wanted = full(book, changed)
    assert (outcome.whole(base) == wanted).all()
    assert outcome.total_fen == wanted.sum()


def test_only_touched_rows_are_priced_again(base, book):
    states = book["hazard_state"].to_pylist()
    outcome = base.price({OPEN: "1.10"})
    assert outcome.how == TOUCHED
    assert len(outcome.rows) == sum(state == "open" for state in states)
    assert base.price({OPEN: "1.05"}).how == NONE
    assert base.price({"constants.no_certificate": "1.2"}).how == ALL


def test_steps_can_be_switched_off(base, book, plan):
    free = apply(plan, {"steps.renewal_cap.on": False})
    rated = rate(book, free, lang="en")
    steps = rated.outputs.steps
    assert (steps["renewal_cap"] == steps["annual_premium"]).all()
    assert base.price({"steps.renewal_cap.on": "false"}).total_fen == rated.premium_fen
    assert (
        rate(book, apply(plan, {"steps.claim_free_credit.on": False}), lang="en").outputs.steps["claim_free_credit"]
        == 1
    ).all()


def test_scenarios_are_checked_named_and_kept(tmp_path, plan):
    one = scenario("dearer refusals", {REFUSED: "1.60"}, note="minutes of 5 May", plan=plan)
    path = tmp_path / "dearer.toml"
    path.write_text(one.toml(), encoding="utf-8")
    assert read_scenario(path).changes == one.changes
    assert "1.6" in words(plan, one)[0]
    both = together("both", [one, scenario("x", {REFUSED: "1.70", OPEN: "1.06"})])
    assert dict(both.changes)[REFUSED] == "1.70"
    with pytest.raises(PlanError) as error:
        scenario("wrong", {"tables.hazard_loadin": "*1.1", "steps.nothing.on": False, MINING: "much"}, plan=plan)
    assert {item.code for item in error.value.problems} >= {"RM840"}
    with pytest.raises(PlanError):
        scenario("unlawful", {"constants.fund_share": "0.30"}, plan=plan)
    with pytest.raises(PlanError):
        read_scenario(tmp_path / "none.toml")


def test_a_sweep_is_exact_and_says_how_it_was_priced(base, book, plan):
    found = what_if(book, plan, grid={OPEN: ["1.05", "1.20"], MINING: ["1.26", "1.40"]}, by=["sector"], base=base)
    assert found.how == (NONE, TOUCHED, TOUCHED, TOUCHED)
    for item, total, segments in zip(found.scenarios, found.total_fen, found.segment_fen):
        wanted = full(book, apply(plan, item))
        assert total == wanted.sum() == segments.sum()
    mining = found.segments.index("mining")
    sectors = np.array(book["sector"].to_pylist())
    assert found.segment_fen[3][mining] == full(book, apply(plan, found.scenarios[3]))[sectors == "mining"].sum()
    assert found.frame().shape[0] == 4
    assert "rows touched" in found.html("en") and "触及行数" in found.html("zh")
    with pytest.raises(ModelError):
        what_if(book, plan)
    assert len(grid_of({"a": [1, 2], "b": [1, 2, 3]})) == 6


def test_dislocation_adds_up(book, plan):
    changes = {"tables.base_rate": "*1.10", REFUSED: "2.0"}
    before = rate(book, plan, lang="en", trace=("annual_premium",))
    after = rate(book, apply(plan, changes), lang="en", trace=("annual_premium",))
    found = compare(before, after, uncapped="annual_premium")
    totals = found.totals
    assert totals["cheaper"] + totals["dearer"] + totals["unchanged"] == totals["policies"]
    bands = found.bands()
    assert bands.policies.sum() == bands.policies_uncapped.sum() == totals["policies"]
    assert bands.premium_after_fen.sum() == totals["premium_after_fen"] == after.premium_fen
    for names in (["sector"], ["sector", "size_class"], ["standardisation"]):
        frame = found.by(*names)
        assert frame.premium_before_fen.sum() == totals["premium_before_fen"]
        assert frame.dearer.sum() == totals["dearer"]
    movers = found.movers(5)
    assert (movers.change_fen.abs().diff().dropna() <= 0).all()
    held = found.bounds().set_index("bound")
    assert held.loc["renewal_cap:high", "after"] > held.loc["renewal_cap:high", "before"]
    assert "yuan" in found._repr_html_()
    assert len(found.differences("zh")) == 33


def test_only_the_same_rows_can_be_compared(book, plan):
    one, other = rate(book, plan, lang="en"), rate(book.slice(1), plan, lang="en")
    with pytest.raises(BookError):
        compare(one, other)
    with pytest.raises(BookError):
        compare(one, rate(book, plan, lang="en", trace=()), uncapped="annual_premium")


def test_attribution_adds_up_for_every_policy_whatever_the_order(book, plan, base):
    changes = {
        "tables.base_rate": "*1.08",
        REFUSED: "1.9",
        "steps.renewal_cap.high": "1.15",
        "constants.no_certificate": "1.2",
    }
    found = attribute(book, plan, changes, base=base)
    assert (found.parts_fen.sum(axis=0) == found.change_fen).all()
    assert found.causes == (
        "tables.base_rate",
        "tables.hazard_loading",
        "steps.renewal_cap.high",
        "constants.no_certificate",
    )
    turned = attribute(book, plan, dict(reversed(changes.items())), base=base)
    same = [turned.causes.index(name) for name in found.causes]
    assert np.abs(turned.parts_fen[same] - found.parts_fen).max() <= 1, "only the fen of largest remainder may differ"
    assert (found.totals().change_fen.sum()) == found.change_fen.sum()
    assert found.by("sector").change_fen.sum() == found.change_fen.sum()
    with pytest.raises(ModelError):
        attribute(book, plan, [], base=base)


def test_solve_reaches_a_premium_with_caps_in_force(book, plan, base):
    now = base.premium_fen.sum() / 100
    found = off_balance(book, plan, "base_rate", now * 1.03, base=base)
    assert found.reached["premium_yuan"] == pytest.approx(now * 1.03, rel=2e-4)
    assert full(book, apply(plan, found.scenario)).sum() == found.total_fen
    factor = found.values["tables.base_rate"]
    missed = [
        abs(base.price({"tables.base_rate": f"*{factor + step}"}).total_fen / 100 - now * 1.03)
        for step in (Decimal("-0.0001"), Decimal(0), Decimal("0.0001"))
    ]
    assert min(missed) == missed[1], "no number on the grid comes closer"


def test_solve_two_numbers_for_two_targets(book, plan, base):
    wanted = [
        unknown("tables.base_rate", "0.8", "1.3", "0.0001"),
        unknown("steps.renewal_cap.high", "1.02", "1.40", "0.0001"),
    ]
    found = solve(book, plan, wanted, {"premium_change": 0.04, "largest_rise": 0.30}, base=base)
    assert found.reached["premium_change"] == pytest.approx(0.04, abs=1e-4)
    assert found.reached["largest_rise"] == pytest.approx(0.30, rel=2e-3)
    assert full(book, apply(plan, found.scenario)).sum() == found.total_fen


@pytest.mark.parametrize(
    "change, target, code",
    [
        (unknown("tables.base_rate", "0.9", "1.1"), {"premium_change": 5.0}, "RM850"),
        (unknown("tables.base_rate", "0.9", "1.1"), {"premium": 5.0}, "RM848"),
        (unknown("tables.base_rate", "0.9", "1.1"), {"loss_ratio": 0.5}, "RM851"),
        ([unknown("tables.base_rate", "0.9", "1.1"), unknown(REFUSED, "1", "2")], {"premium_change": 0.0}, "RM849"),
        (
            [unknown("tables.base_rate", "0.9", "1.1"), unknown("tables.limit_factor", "0.9", "1.1")],
            {"premium_change": 0.01, "premium_yuan": 7e7},
            "RM852",
        ),
    ],
)
def test_what_cannot_be_solved_is_refused_and_says_why(book, plan, base, change, target, code):
    with pytest.raises(ModelError) as error:
        solve(book, plan, change, target, base=base)
    assert error.value.problems[0].code == code


def test_bounds_of_an_unknown():
    with pytest.raises(ModelError):
        unknown("tables.base_rate", "1", "1")


def test_numbers_as_text_are_read_or_refused_by_name(base, book, plan):
    rate_level = unknown("tables.base_rate", "0.8", "1.5", "0.0001")
    as_text, as_number = (solve(book, plan, rate_level, {"premium_change": goal}, base=base) for goal in ("3%", 0.03))
    assert as_text.values == as_number.values and as_text.target == {"premium_change": 0.03}
    for wrong in ("much", "", None, True, float("nan")):
        with pytest.raises(ModelError) as error:
            solve(book, plan, rate_level, {"premium_change": wrong}, base=base)
        assert [item.code for item in error.value.problems] == ["RM383"]
    with pytest.raises(ModelError) as error:
        unknown("tables.base_rate", "low", "high")
    assert [item.code for item in error.value.problems] == ["RM383", "RM383"]


def test_every_number_that_can_be_changed_can_be_multiplied(plan):
    """One list of what may be edited: what `replace` knows, a scenario knows, and the law's own numbers neither."""
    from ratemod.plan.edit import paths

    now = current_values(plan)
    for path in paths(plan):
        if path in now:
            try:
                assert apply(plan, {path: "*1"}).fingerprint == plan.fingerprint
            except PlanError as error:
                assert {item.code for item in error.problems} == {"RM184"}
    for unit in ("0", "-0.01", "0.001"):
        with pytest.raises(PlanError) as error:
            plan.replace({"steps.premium.unit": unit})
        assert [item.code for item in error.value.problems] == ["RM381"]
    assert plan.replace({"steps.premium.unit": "1"}).step("premium").operation.unit == 1
