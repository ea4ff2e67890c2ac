"""Shapley splits, the controllable premium, the movement of a premium, and loadings within the term."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ratemod as rm
from ratemod.errors import BookError, ModelError, PlanError
from ratemod.registers.controllable import controllable_premium
from ratemod.registers.movement import premium_movement
from ratemod.registers.register import read_register
from ratemod.registers.rules import Action, Change, Group, load_rules, rules_from
from ratemod.registers.shapley import shapley_fen
from ratemod.registers.within_term import thresholds, within_term
from tests.own_plan import own_plan
from tests.rating.steps import step_of

PROVINCE = rm.load_province(Path(__file__).parents[2] / "data" / "province")
PLAN = rm.load_plan("jilin-spli/2025-04")


@pytest.fixture(scope="module")
def book():
    return rm.read_book(PROVINCE.table("renewals").slice(0, 300), PLAN)


@given(st.integers(1, 4).flatmap(lambda k: st.lists(st.integers(-(10**9), 10**9), min_size=2**k, max_size=2**k)))
def test_shares_are_averages_over_all_orders_within_a_fen_and_add_up(values):
    k = len(values).bit_length() - 1
    found = shapley_fen(np.array(values, dtype=np.int64).reshape(-1, 1)).ravel().tolist()
    assert sum(found) == values[-1] - values[0]
    exact = [Fraction(0)] * k
    orders = list(permutations(range(k)))
    for order in orders:
        taken = 0
        for cause in order:
            exact[cause] += Fraction(values[taken | 1 << cause] - values[taken], len(orders))
            taken |= 1 << cause
    assert all(abs(share - whole) < 1 for share, whole in zip(found, exact))


def test_a_cause_that_changes_nothing_gets_nothing_and_equal_causes_get_the_same():
    values = np.array([[100], [90], [100], [90], [90], [80], [90], [80]], dtype=np.int64)  # cause 1 does nothing
    assert shapley_fen(values).ravel().tolist() == [-10, 0, -10]


def test_the_controllable_premium_adds_up_and_is_reached_by_pricing_the_book_so(book):
    found = controllable_premium(book, PLAN)
    assert found.priced.all()
    assert (found.premium_fen - found.saving_fen.sum(axis=0) == found.least_fen).all()
    assert (found.saving_fen >= 0).all()
    assert (found.premium_fen == rm.rate(book, PLAN).outputs.premium_fen).all()
    table = book.table
    best = {
        "hazard_state": "verified",
        "hazard_overdue_days": "0",
        "standardisation": "level_1",
        "general_accidents": "0",
        "certificate_expiry": "2030-01-01",
        "larger_accidents": "0",
        "major_accidents": "0",
        "claim_free_years": "4",
        "actual_primary_losses_yuan": "0",
        "actual_excess_losses_yuan": "0",
    }
    for name, value in best.items():
        at = table.column_names.index(name)
        table = table.set_column(at, name, [[value] * table.num_rows])
    assert (rm.rate(table, PLAN).outputs.premium_fen == found.least_fen).all()


def test_one_enterprise_in_words(book):
    found = controllable_premium(book, PLAN)
    said = found.words(found.keys[0], "zh")
    assert "现保费" in said and "整改全部重大隐患" in said
    floored = int(np.flatnonzero(found.saving_fen.sum(axis=0) == 0)[0])
    assert "nothing" in found.words(found.keys[floored], "en")
    with pytest.raises(BookError):
        found.words("no such policy")


def test_a_row_without_a_premium_is_not_compared(book):
    limits = book.table["limit_yuan"].to_numpy().copy()
    limits[3] = 100_000
    at = book.table.column_names.index("limit_yuan")
    low = replace(book, table=book.table.set_column(at, "limit_yuan", [limits]))
    found = controllable_premium(low, PLAN)
    assert np.flatnonzero(~found.priced).tolist() == [3]
    assert found.table()["premium_fen"][3].as_py() is None
    assert found.premium_fen[3] == found.saving_fen[:, 3].sum() == 0
    with pytest.raises(BookError) as told:
        found.words(found.keys[3])
    assert told.value.problems[0].code == "RM250"


@pytest.fixture(scope="module")
def years():
    before = PROVINCE.table("renewals").slice(0, 200)
    random = np.random.default_rng(3)
    after = before
    for name in ("heads", "hazard_state", "standardisation", "claim_free_years", "expiring_premium_yuan", "staff"):
        values = after[name].take(random.permutation(200)) if name not in ("expiring_premium_yuan",) else after[name]
        after = after.set_column(after.column_names.index(name), name, values)
    return before, after.take(random.permutation(200))


def test_the_parts_of_a_movement_are_the_whole_to_the_fen(years):
    before, after = (rm.read_book(table, PLAN) for table in years)
    edited = PLAN.replace({"tables.integrity[A].value": "0.95"})
    found = premium_movement((before, PLAN), (after, edited))
    assert found.priced.all()
    assert (found.before_fen + found.parts_fen.sum(axis=0) == found.after_fen).all()
    own = dict(zip(after.table["credit_code"].to_pylist(), rm.rate(after, edited).outputs.premium_fen.tolist()))
    assert [own[key] for key in found.keys] == found.after_fen.tolist()
    was = dict(zip(before.table["credit_code"].to_pylist(), rm.rate(before, PLAN).outputs.premium_fen.tolist()))
    assert [was[key] for key in found.keys] == found.before_fen.tolist()
    parts = {group.name: part for group, part in zip(found.groups, found.parts_fen)}
    assert (parts["rate"] != 0).any()
    assert (parts["integrity"] == 0).all()  # nothing but the table of that factor changed
    at = found.keys.index(found.keys[np.argmax(parts["rate"])])
    alone = premium_movement((before, PLAN), (after, edited), key=found.keys[at])
    assert alone.keys == (found.keys[at],) and alone.accounts == ()
    assert alone.before_fen.tolist() == [found.before_fen[at]] and alone.after_fen.tolist() == [found.after_fen[at]]
    assert alone.parts_fen[:, 0].tolist() == found.parts_fen[:, at].tolist()
    with pytest.raises(BookError) as caught:
        premium_movement((before, PLAN), (after, edited), key=found.keys[at][:-1] + "-")
    assert [(item.code, item.args["nearest"]) for item in caught.value.problems] == [("RM321", found.keys[at])]


def test_the_order_of_groups_changes_no_more_than_a_fen(years):
    before, after = (rm.read_book(table, PLAN) for table in years)
    groups = load_rules(PLAN).groups
    one = premium_movement((before, PLAN), (after, PLAN), groups=groups)
    other = premium_movement((before, PLAN), (after, PLAN), groups=groups[::-1])
    assert (np.abs(one.parts_fen - other.parts_fen[::-1]) <= 1).all()


def test_every_row_and_fen_of_both_books_is_accounted_for(years):
    """One enterprise twice this year, fifty left, one without a code, one whose limit this year is not offered."""
    before, after = years
    twice = after.slice(0, 1).set_column(after.column_names.index("policy_no"), "policy_no", [["other"]])
    after = pa.concat_tables([after.slice(0, 150), twice])
    codes, limits = after["credit_code"].to_pylist(), after["limit_yuan"].to_pylist()
    codes[7], limits[9] = None, 100_000
    after = after.set_column(after.column_names.index("credit_code"), "credit_code", [codes])
    after = after.set_column(after.column_names.index("limit_yuan"), "limit_yuan", [limits])
    books = [rm.read_book(table, PLAN) for table in (before, after)]
    found = premium_movement((books[0], PLAN), (books[1], PLAN))
    rows = {one.fate: one.rows for one in found.accounts}
    assert rows == {
        "compared": (147, 147), "unpriced": (1, 1), "alone": (51, 0), "repeated": (1, 2), "unidentified": (0, 1)
    }  # fmt: skip
    money = [pc.sum(rm.rate(book, PLAN).table["premium_fen"]).as_py() for book in books]
    assert [sum(one.fen[year] for one in found.accounts) for year in (0, 1)] == money
    compared = next(one for one in found.accounts if one.fate == "compared")
    assert compared.fen == (found.before_fen.sum(), found.after_fen.sum())
    assert len(found.keys) == 148 and found.priced.sum() == 147


def test_an_action_moves_the_stated_default_of_a_column_that_the_list_lacks(tmp_path):
    """Nothing is said of certificates: 1.00 by default, 0.90 with one, so a tenth of 480 x 30 can be saved."""
    body = """[column.heads]
kind = "number"
min = 1
max = 1000
[column.grade]
kind = "level"
levels = ["none", "one"]
default = "none"
default_source = "s"
[[step]]
name = "off"
op = "choose"
cases = [{ when = { of = "grade", is = "one" }, then = "0.9" }]
otherwise = "1"
source = "s"
[[step]]
name = "raw"
op = "product"
of = ["heads", "480", "off"]
source = "s"
[[step]]
name = "premium"
op = "round"
of = "raw"
unit = "0.01"
source = "s"
"""
    plan = own_plan(tmp_path, body)
    action = Action("certify", "certify", "达标", (Change("grade", from_=("none",), to="one"),))
    book = rm.read_book([{"policy_no": "P1", "heads": 30}], plan)
    found = controllable_premium(book, plan, actions=(action,))
    assert (found.premium_fen.tolist(), found.least_fen.tolist()) == ([1_440_000], [1_296_000])


def test_too_many_groups_or_none_are_refused(book):
    with pytest.raises(ModelError) as told:
        controllable_premium(book, PLAN, actions=())
    assert told.value.problems[0].code == "RM251"
    groups = [Group(f"g{at}", "", "", ("*",) if at == 0 else ()) for at in range(9)]
    with pytest.raises(ModelError):
        premium_movement((book, PLAN), (book, PLAN), groups=groups)


def test_nothing_to_compare_is_refused(years):
    before, _ = years
    with pytest.raises(BookError) as told:
        premium_movement((rm.read_book(before.slice(0, 5), PLAN), PLAN), (rm.read_book(before.slice(9, 5), PLAN), PLAN))
    assert told.value.problems[0].code == "RM252"


HAZARD = {
    "credit_code": "",
    "grade": "major",
    "found_date": "2026-03-01",
    "notified_date": "2026-03-01",
    "due_date": "2026-04-30",
    "verified_date": None,
}


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 299), st.integers(-30, 300), st.none() | st.integers(0, 300))
def test_within_the_term_every_day_costs_what_its_state_costs(book, at, shift, verified):
    import pyarrow as pa

    one = rm.read_book(book.table.slice(at, 1), PLAN)
    start = one.table["start_date"].to_numpy()[0]
    found = start + np.timedelta64(shift, "D")
    row = {
        "credit_code": one.table["credit_code"][0].as_py(),
        "grade": "major",
        "found_date": str(found),
        "notified_date": str(found),
        "due_date": str(found + np.timedelta64(20, "D")),
        "verified_date": None if verified is None else str(found + np.timedelta64(verified, "D")),
    }
    held = read_register(pa.Table.from_pylist([row]), "hazards")
    priced = within_term(one, PLAN, held)
    length = int((one.table["end_date"].to_numpy()[0] - start).astype(int))
    daily = Fraction(0)
    prices: dict[tuple[str, int], int] = {}
    for day in range(length):
        past = day - shift
        if past < 0:
            state = ("none", 0)
        elif verified is not None and past >= verified:
            state = ("verified", 0) if past - verified <= 365 else ("none", 0)
        else:
            state = ("overdue", past - 20) if past > 20 else ("open", 0)
        band = (state[0], sum(state[1] >= cut for cut in thresholds(PLAN)))
        if band not in prices:
            table = one.table
            for name, value in (("hazard_state", state[0]), ("hazard_overdue_days", str(state[1]))):
                table = table.set_column(table.column_names.index(name), name, [[value]])
            prices[band] = int(rm.rate(table, PLAN).outputs.premium_fen[0])
        daily += Fraction(prices[band], length)
    expected = int(Decimal(daily.numerator * 2 + daily.denominator) // (2 * daily.denominator))
    assert priced.premium_fen.tolist() == [expected]


def test_a_plan_that_adds_lines_up_cannot_be_cut(book):
    step = step_of("rolled", "rollup", of=("heads",), by="credit_code", how="sum")
    with pytest.raises(ModelError) as told:
        within_term(book, replace(PLAN, steps=(step, *PLAN.steps)), read_register(PROVINCE.table("hazards"), "hazards"))
    assert told.value.problems[0].code == "RM255"


def test_rules_name_everything_that_is_wrong_with_them():
    given_rules = {
        "hazard": {},
        "hazards": {"grade": ["major"], "source": "nobody"},
        "action": [
            {
                "name": "a",
                "label_en": "a",
                "label_zh": "a",
                "source": "own",
                "changes": [{"column": "hazard_stat", "to": "none"}, {"column": "hazard_state", "to": "gone"}],
            }
        ],
        "group": [{"name": "g", "label_en": "g", "label_zh": "g", "columns": ["heads", "heads", "limit"]}],
    }
    with pytest.raises(PlanError) as told:
        rules_from(given_rules, PLAN)
    said = "\n".join(item.line("en") for item in told.value.problems)
    for part in (
        "unknown key 'hazard'",
        "did you mean 'hazards'",
        "unknown key 'grade' in [hazards]",
        "'nobody'",
        "'hazard_stat' is not a column",
        "'gone' is not a level of 'hazard_state'",
        "'heads' stands in two groups",
        "'limit' is not a column",
        "'limit_yuan' stands in no group",
    ):
        assert part in said, part
    with pytest.raises(PlanError) as none:
        load_rules(rm.load_plan("work-injury"))
    assert none.value.problems[0].code == "RM245"


def test_both_editions_of_the_jilin_example_have_whole_rules():
    for edition in ("2020-11", "2025-04"):
        rules = load_rules(rm.load_plan(f"jilin-spli/{edition}"))
        assert len(rules.actions) == 3 and len(rules.groups) == 7 and rules.downgrade and rules.participation
