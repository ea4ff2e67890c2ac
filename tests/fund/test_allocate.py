"""Allocation: closed form against a solver, whole visits against a mixed-integer programme, and the promised order."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.errors import BookError, ModelError
from ratemod.fund.allocate import _rest, allocate
from ratemod.fund.exact_visits import best_visits
from ratemod.fund.visits import Items, allowed, buy, by_worth, prices, upper_bound
from ratemod.fund.water_fill import water_fill
from tests.fund.books import insureds


def test_water_filling_is_the_optimum_a_solver_finds():
    from scipy.optimize import minimize

    draw = np.random.default_rng(3)
    a, b, c = draw.uniform(1, 50, 12), draw.uniform(0.2, 2, 12), draw.uniform(1, 4, 12)
    group, budget = np.repeat([0, 1], 6), np.array([9.0, 25.0])
    found = water_fill(a, b, c, group, budget, most=5.0)
    assert found.spent == pytest.approx(budget, rel=1e-10)
    limits = [{"type": "ineq", "fun": lambda y, g=g: budget[g] - y[group == g].sum()} for g in (0, 1)]
    solved = minimize(
        lambda y: -(a * -np.expm1(-b * y / c)).sum(),
        np.full(12, 1.0),
        method="SLSQP",
        bounds=[(0, 5 * cost) for cost in c],
        constraints=limits,
        options={"maxiter": 500, "ftol": 1e-13},
    )
    assert found.prevented.sum() == pytest.approx(-solved.fun, rel=1e-7)
    assert found.prevented.sum() >= -solved.fun - 1e-9
    between = (found.spend > 1e-9) & (found.spend < 5 * c - 1e-9)
    marginal = a * b / c * np.exp(-b * found.spend / c)
    assert marginal[between] == pytest.approx(found.price[group][between], rel=1e-9)
    assert (marginal[found.spend <= 1e-9] <= found.price[group][found.spend <= 1e-9] * (1 + 1e-9)).all()


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.floats(0.01, 200))
def test_water_filling_spends_the_budget_and_more_money_prevents_more(seed, money):
    draw = np.random.default_rng(seed)
    n = int(draw.integers(1, 30))
    a, b, c, most = draw.lognormal(0, 3, n), draw.uniform(0.01, 5, n), draw.uniform(0.1, 9, n), draw.uniform(0, 4, n)
    group = np.zeros(n, dtype=np.int64)
    one, more = (water_fill(a, b, c, group, [size], most=most) for size in (money, money * 1.3))
    assert one.spent[0] == pytest.approx(min(money, (c * most).sum()), rel=1e-9)
    assert more.prevented.sum() >= one.prevented.sum() * (1 - 1e-12)


def test_water_filling_refuses():
    with pytest.raises(ModelError) as error:
        water_fill([1.0], [1.0], [2.0], [0], [1.0], least=1.0)
    assert (error.value.problems[0].code, error.value.problems[0].args["missing"]) == ("RM721", 1.0)
    with pytest.raises(ModelError) as error:
        water_fill([-1.0], [np.nan], [2.0], [0], [1.0])
    assert [item.code for item in error.value.problems] == ["RM720", "RM720"]


def items(seed: int) -> tuple[Items, np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    firms, kinds, turns = int(draw.integers(2, 9)), 2, 3
    a, b = draw.lognormal(8, 1, (firms, kinds)), draw.uniform(0.3, 1.2, (firms, kinds))
    cost = draw.integers(10, 90, (firms, kinds)) * 1000
    firm, kind, turn = (axis.ravel() for axis in np.indices((firms, kinds, turns)))
    gain = a[firm, kind] * (np.exp(-b[firm, kind] * turn) - np.exp(-b[firm, kind] * (turn + 1)))
    budget, place = firm % 2, firm % 4
    found = Items(gain, cost[firm, kind], budget, firm, place, firm * kinds + kind, firm % 3 == 0)
    return found, draw.integers(0, 400_000, 2), draw.integers(1, 5, firms), draw.integers(0, 6, 4)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_the_plan_lies_under_the_exact_optimum_and_that_under_the_bound(seed):
    given_items, money, room, capacity = items(seed)
    ordered = given_items.take(by_worth(given_items))
    able = ordered.take(np.flatnonzero(allowed(ordered, room, None, capacity)))
    bought = buy(able, money)
    greedy = able.gain[bought].sum()
    bound = upper_bound(ordered, money, np.zeros(2, np.int64), prices(able, bought, 2), room, capacity).sum()
    best, _ = best_visits(ordered, money, room, capacity)
    relaxed, _ = best_visits(ordered, money, room, capacity, whole=False)
    slack = 1e-7 * max(bound, 1)
    assert greedy <= best + slack
    assert best <= relaxed + slack
    assert relaxed <= bound + slack


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 3 * 10**7), st.integers(0, 10**6), st.booleans(), st.booleans())
def test_more_money_never_prevents_less(seed, money, more, fair, tight):
    book = insureds(25, seed)
    limits = {
        "small_reserve_fen": {"i0": 2_000_000} if fair else None,
        "capacity": {"220100": 9, "222400": 7} if tight else None,
        "most_visits": 3,
    }
    one, two = (allocate(book, {"i0": size, "i1": size}, **limits) for size in (money, money + more))
    for plan in (one, two):
        assert plan.reconcile() > 0
        assert (plan.by.spent_fen <= plan.by.budget_fen).all()
        assert (plan.visits.sum(axis=1) <= np.maximum(3, plan.owed)).all()
    gained = two.by.duty_prevented + two.by.rest_prevented - one.by.duty_prevented - one.by.rest_prevented
    assert (gained >= -1e-6).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 3 * 10**7), st.integers(0, 5), st.floats(0.2, 3))
def test_looking_at_the_best_visits_first_changes_nothing(seed, money, visits, deeper):
    book = insureds(90, seed)
    budgets = {"i0": int(money), "i1": int(money / 7)}
    whole = allocate(book, budgets, most_visits=visits)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("ratemod.fund.allocate"), "SAMPLE", 4)
        patch.setattr(import_module("ratemod.fund.allocate"), "DEEPER", deeper)  # also a guess that stops too early
        quick = allocate(book, budgets, most_visits=visits)
    assert quick.frame().equals(whole.frame())
    assert np.array_equal(quick.by.bound, whole.by.bound)
    assert np.array_equal(quick.by.rest_prevented, whole.by.rest_prevented)


def test_order_of_rows_is_irrelevant():
    book = insureds(60, 5)
    turned = book.take(np.random.default_rng(1).permutation(60))
    money = {"i0": 20_000_000, "i1": 9_000_000}
    one, two = allocate(book, money), allocate(turned, money)
    key = ["policy_no", "service_type"]
    left = one.frame().astype({"service_type": str}).sort_values(key).reset_index(drop=True)
    right = two.frame().astype({"service_type": str}).sort_values(key).reset_index(drop=True)
    assert left.equals(right)
    assert one.policy_no.tolist() == book["policy_no"].to_pylist()


def test_the_fairness_floor_reaches_small_firms():
    book = insureds(80, 11)
    losses = book["annual_losses_yuan"].to_numpy() * np.where(
        np.isin(book["size_class"].to_pylist(), ["small", "micro"]), 0.01, 1
    )
    book = book.set_column(5, "annual_losses_yuan", pa.array(losses)).set_column(
        7, "outstanding", pa.array(np.zeros(80, dtype=np.int64))
    )
    money = {"i0": 6_000_000, "i1": 6_000_000}
    plain, fair = allocate(book, money), allocate(book, money, small_reserve_fen={"i0": 3_000_000, "i1": 3_000_000})
    small = np.isin(plain.size_class.astype(str), ["small", "micro"])

    def to_small(plan):
        return (plan.visits * plan.unit_fen).sum(axis=1)[small].sum()

    assert to_small(fair) >= 6_000_000 - 2 * 1_000_000 > to_small(plain)
    assert fair.gap_yuan >= 0


def test_too_little_money_for_the_duties_is_said_by_insurer():
    book = insureds(40, 2)
    plan = allocate(book, {"i0": 1_500_000, "i1": 10**10})
    statement = plan.statement().set_index("insurer")
    assert statement.loc["i0", "duties_unserved"] > 0
    unserved = plan.owed[plan.insurer == "i0"] - plan.duty[plan.insurer == "i0"]
    assert statement.loc["i0", "duties_unserved"] == unserved.sum()
    assert statement.loc["i0", "missing_fen"] > 0
    assert (plan.visits[plan.insurer == "i0"].sum(axis=1) == plan.duty[plan.insurer == "i0"]).all()
    assert statement.loc["i1", "duties_unserved"] == 0
    enough = 1_500_000 + int(statement.loc["i0", "missing_fen"])  # what all duties cost, whatever of it is there
    for less in (0, 1, 1000, enough):
        assert allocate(book, {"i0": enough - less, "i1": 0}).by.missing_fen[0] == less


def test_better_than_money_by_premium_and_close_to_the_bound():
    plan = allocate(insureds(2000, 3, 3), {"i0": 5 * 10**8, "i1": 5 * 10**8, "i2": 5 * 10**8})
    statement = plan.statement()
    assert (statement["prevented_yuan"] > statement["proportional_yuan"]).all()
    assert plan.gap < 0.01


def test_refusals():
    book = insureds(6, 1)
    with pytest.raises(BookError) as error:
        allocate(book, {"i0": 1, "ix": 1})
    assert {item.code for item in error.value.problems} == {"RM723"}
    with pytest.raises(BookError) as error:
        allocate(book, {"i0": -1, "i1": 1})
    assert error.value.problems[0].code == "RM724"
    with pytest.raises(ModelError) as error:
        allocate(book.drop_columns(["outstanding"]), {"i0": 1, "i1": 1})
    assert error.value.problems[0].code == "RM725"
    odd = book.set_column(2, "size_class", pa.array(["huge", *book["size_class"].to_pylist()[1:]]))
    plan = allocate(odd, {"i0": 10**7, "i1": 10**7})
    assert [item.code for item in plan.refused] == ["RM202"]  # a size that is none is refused at the door
    assert len(plan.policy_no) == 5
    many = Items(*(np.ones(20_001, dtype=np.int64) for _ in range(6)), np.ones(20_001, dtype=bool))
    with pytest.raises(ModelError) as error:
        best_visits(many, np.ones(1), np.ones(1))
    assert error.value.problems[0].code == "RM727"


def test_a_broken_sum_is_found():
    plan = allocate(insureds(20, 1), {"i0": 10**7, "i1": 10**7})
    plan.visits[0, 0] += 1
    with pytest.raises(ModelError) as error:
        plan.reconcile()
    assert error.value.problems[0].code == "RM705"


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(10**5, 3 * 10**6))
def test_plans_of_small_books_are_within_two_percent_of_highs(seed, visits, money):
    book = insureds(7, seed, 1)
    book = book.set_column(7, "outstanding", pa.array(np.zeros(7, dtype=np.int64)))
    plan = allocate(book, {"i0": money * 10}, most_visits=visits)
    best = _optimum(book, money * 10, visits)
    assert plan.reconcile() > 0
    assert plan.by.rest_prevented.sum() <= best * (1 + 1e-9) <= plan.by.bound.sum() * (1 + 2e-9) + 1e-6
    assert plan.by.rest_prevented.sum() >= 0.95 * best
    assert int(plan.visits.sum(axis=1).max(initial=0)) <= visits


def _optimum(book: pa.Table, money: int, visits: int, places: dict[str, int] | None = None) -> float:
    """Return the most that whole visits can prevent, by HiGHS, from the shipped catalogue."""
    from ratemod.fund.catalogue import read_catalogue

    catalogue = read_catalogue()
    size, place = (np.array(book[name].to_pylist(), dtype=object) for name in ("size_class", "division_code"))
    unit, losses = catalogue.unit_fen(size, place), book["annual_losses_yuan"].to_numpy()
    rows = [
        (losses[firm] * item.most * (np.exp(-item.rate * k) - np.exp(-item.rate * (k + 1))), unit[firm, at], firm, at)
        for firm in range(book.num_rows)
        for at, item in enumerate(catalogue.items)
        for k in range(item.most_visits)
    ]
    gain, cost, firm, kind = (np.array(column) for column in zip(*rows))
    names = sorted(set(place)) if places else ["*"]
    where = np.array([names.index(place[at]) if places else 0 for at in firm])
    given_items = Items(gain, cost.astype(np.int64), np.zeros_like(firm), firm, where, kind, np.zeros(len(firm), bool))
    capacity = np.array([places[name] for name in names]) if places else None
    return best_visits(given_items, np.array([money]), np.full(book.num_rows, visits), capacity)[0]


@pytest.mark.parametrize(
    "seed, many, visits, money, most, rooms",
    [
        (1, 25, 1, 6 * 10**6, 600_000, (15, 15)),
        (2, 25, 4, 9 * 10**6, 1_500_000, (6, 3)),
        (3, 10, 2, 2 * 10**6, 600_000, (15, 7)),
        (4, 40, 1, 4 * 10**6, 600_000, (6, 3)),
    ],
)
def test_of_a_small_book_the_plan_within_all_limits_at_once_is_the_best_there_is(
    seed, many, visits, money, most, rooms
):
    """Visits and money of an insured, money of the insurer and visits of a place, written out for HiGHS here."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    from ratemod.fund.catalogue import read_catalogue

    book = insureds(many, seed, 1)
    book = book.set_column(7, "outstanding", pa.array(np.zeros(many, dtype=np.int64)))
    division = np.array(book["division_code"].to_pylist(), dtype=object)
    places = dict(zip(sorted(set(division)), rooms))
    plan = allocate(book, {"i0": money}, most_visits=visits, most_fen=most, capacity=places)
    items, losses = read_catalogue().items, book["annual_losses_yuan"].to_numpy()
    unit = read_catalogue().unit_fen(np.array(book["size_class"].to_pylist(), dtype=object), division)
    cells = [(firm, at, k) for firm in range(many) for at, item in enumerate(items) for k in range(item.most_visits)]
    gain = [losses[f] * items[s].most * np.exp(-items[s].rate * k) * -np.expm1(-items[s].rate) for f, s, k in cells]
    cost, firm = np.array([unit[f, s] for f, s, _ in cells]), np.array([f for f, *_ in cells])
    rows = [cost, *((firm == at) * 1 for at in range(many)), *((firm == at) * cost for at in range(many))]
    rows += [(division[firm] == name) * 1 for name in places]
    ends = [money, *[visits] * many, *[most] * many, *places.values()]
    best = -milp(
        -np.array(gain),
        constraints=LinearConstraint(np.array(rows, dtype=float), -np.inf, ends),
        integrality=np.ones(len(cells)),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0},
    ).fun
    assert plan.reconcile() > 0
    assert plan.by.rest_prevented.sum() == pytest.approx(best, rel=1e-6)
    assert best <= plan.by.bound.sum() * (1 + 1e-6) and not plan.far_from_bound()
    assert plan.by.proportional.sum() <= best * (1 + 1e-6)
    assert (plan.visits * plan.unit_fen).sum(axis=1).max() <= most and plan.visits.sum(axis=1).max() <= visits
    assert all(plan.visits[division == name].sum() <= room for name, room in places.items())


def test_money_by_premium_has_no_part_of_a_visit_that_an_insured_may_not_have():
    book = pa.table({
        "policy_no": ["A", "B"], "insurer": ["x"] * 2, "size_class": ["medium", "micro"],
        "division_code": ["220100"] * 2, "premium_fen": [900, 100], "outstanding": [0, 0],
        "annual_losses_yuan": [500_000.0, 1_000.0],
    })  # fmt: skip
    plan = allocate(book, {"x": 10**7}, most_visits=1, most_fen=300_000)  # a medium firm's cheapest visit: 3,540 yuan
    # So only B is served, at most 3,000 yuan: a tenth of the money pays for its best visit (risk assessment, 3,000).
    best = max(1_000.0 * most * -np.expm1(-rate) for most, rate in ((0.06, 0.8), (0.12, 0.9), (0.15, 0.6), (0.04, 0.9)))
    assert plan.by.proportional.tolist() == pytest.approx([best])
    assert plan.reconcile() > 0


@pytest.mark.parametrize("seed", range(6))
def test_where_places_are_short_the_visits_that_help_most_are_bought(seed):
    book = insureds(30, seed, 1)
    book = book.set_column(7, "outstanding", pa.array(np.zeros(30, dtype=np.int64)))
    places = {"220100": 6, "222400": 9}
    for money in (8 * 10**6, 10**10):
        plan = allocate(book, {"i0": money}, most_visits=2, capacity=places)
        best = _optimum(book, money, 2, places)
        assert 0.95 * best <= plan.by.rest_prevented.sum() <= best * (1 + 1e-9) <= plan.by.bound.sum() * (1 + 2e-9)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 4),
    st.sampled_from([None, 700_000]),
    st.booleans(),
    st.booleans(),
)
def test_money_by_premium_is_a_plan_within_the_same_limits(seed, visits, most_fen, fair, tight):
    limits = {
        "most_fen": most_fen,
        "small_reserve_fen": {"i0": 4_000_000} if fair else None,
        "capacity": {"220100": 5, "222400": 8} if tight else None,
    }
    plan = allocate(insureds(25, seed), {"i0": 10**7, "i1": 10**9}, most_visits=visits, **limits)
    assert (plan.by.proportional <= plan.by.bound * (1 + 1e-9) + 1e-6).all()
    assert plan.reconcile() > 0


def _three_places():
    return pa.table({
        "policy_no": ["A", "B", "C"], "insurer": ["x", "x", "y"], "size_class": ["medium", "small", "small"],
        "division_code": ["220100", "222400", "220100"], "premium_fen": [300, 100, 100], "outstanding": [1, 1, 1],
        "annual_losses_yuan": [50_000.0, 90_000.0, 10_000.0],
    })  # fmt: skip


@pytest.mark.parametrize(
    "limits, said",
    [
        ({"capacity": {"220100": 4}}, {("RM791", "222400")}),
        ({"capacity": {"220100": 4, "222400": 1, "220109": 2}}, {("RM790", "220109")}),
        ({"capacity": {220100: 4, "222400": 1}}, {("RM790", "220100 (int)"), ("RM791", "220100")}),
        ({"capacity": {("x", "220100"): 1, ("x", "222400"): 1}}, {("RM791", "y 220100")}),
        ({"capacity": {("x", "220100"): 1, ("x", "222400"): 1, ("y", "220100"): -1}}, {("RM724", "-1")}),
        ({"capacity": {("x", "220100"): 1, "222400": 1}}, {("RM790", "222400"), ("RM791", "x 222400, y 220100")}),
        ({"small_reserve_fen": {"z": 5}}, {("RM790", "z")}),
        ({"small_reserve_fen": {"x": -5}}, {("RM724", "-5")}),
    ],
)
def test_a_limit_of_nobody_or_of_less_than_nothing_is_refused(limits, said):
    with pytest.raises(BookError) as error:
        allocate(_three_places(), {"x": 10**7, "y": 10**7}, **limits)
    args = ("key", "keys", "value")
    found = {(item.code, next(str(item.args[a]) for a in args if a in item.args)) for item in error.value.problems}
    assert found == said


def test_capacity_of_a_division_is_divided_by_premium_and_a_row_left_out_makes_no_slip_of_it():
    book = _three_places()
    plan = allocate(book, {"x": 10**7, "y": 10**7}, capacity={"220100": 4, "222400": 0})
    # 4 visits for premiums of 300 and 100: 3 for x, 1 for y; none in the other place, where B's duty stays unserved.
    assert plan.visits.sum(axis=1).tolist() == [3, 0, 1] and plan.by.without_capacity.tolist() == [1, 0]
    broke = book.set_column(6, "annual_losses_yuan", pa.array([50_000.0, -1.0, 10_000.0]))
    plan = allocate(broke, {"x": 10**7, "y": 10**7}, capacity={"220100": 4, "222400": 0})
    assert plan.refused and plan.policy_no.tolist() == ["A", "C"]


def test_no_visit_of_a_firm_is_bought_before_the_one_it_rests_on():
    gain, cost = np.array([50.0, 30.0, 20.0, 1.0]), np.array([500, 100, 200, 50], dtype=np.int64)
    one, firm = np.zeros(4, dtype=np.int64), np.array([0, 0, 1, 1])
    items = Items(gain=gain, cost_fen=cost, budget=one, firm=firm, place=one, option=firm, small=np.array([True] * 4))
    money = np.array([260], dtype=np.int64)
    for reserve, kept in ((0, 0), (260, 250)):
        chosen, used = _rest(items, money, np.array([reserve], dtype=np.int64))
        assert chosen.tolist() == [False, False, True, True] and used.tolist() == [kept]
