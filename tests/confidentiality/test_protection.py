"""Nothing left out of linked tables can be computed from all of them together."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from ratemod.confidentiality.linked_tables import forest, tabulate
from ratemod.confidentiality.protection import bounds_of, protect
from ratemod.confidentiality.system import block_of, system_of
from ratemod.confidentiality.unsafe import PROTECTION
from ratemod.errors import ModelError

FACES = [("sector", "division"), ("sector", "insurer")]


def tables_of(rng, many, shape=(4, 5, 3), faces=FACES, firms=None):
    names = ("sector", "division", "insurer")
    places = [rng.choice(size, many, p=rng.dirichlet(np.full(size, 1.0))) for size in shape]
    firm = np.arange(many) if firms is None else rng.integers(0, firms, many)
    dims = {
        name: (place, [f"{name}{at}" for at in range(size)])
        for name, place, size in zip(names, places, shape, strict=True)
    }
    money = rng.lognormal(9, 1.2, many).astype(np.int64)
    measures = {"enterprises": np.ones(many, np.int64), "paid_fen": money}
    return tabulate("random", dims, faces, firm, measures), dims, firm, measures


class Attacker:
    """Our own attack: every cell sector × division × insurer is unknown, every published figure is an equation."""

    def __init__(self, tables, hidden, measure, known=()):
        self.dims = list(tables.levels)
        self.shape = tuple(len(tables.levels[dim]) for dim in self.dims)
        self.rows = {key: self.row(key) for key in tables.keys}
        told = [at for at in range(len(tables.keys)) if not hidden[at] or at in known]
        self.equations = np.array([self.rows[tables.keys[at]] for at in told])
        self.sides = np.array([float(tables.values[measure][at]) for at in told])
        # what everybody knows: a cell that is left out is not empty, so a count in it is at least 1
        floor = [
            at
            for at in range(len(tables.keys))
            if hidden[at]
            and len(tables.keys[at]) == 2
            and not measure.endswith("_fen")
            and tables.values[measure][at] > 0
        ]
        self.least = np.array([self.rows[tables.keys[at]] for at in floor]).reshape(len(floor), self.equations.shape[1])

    def row(self, key):
        chosen = dict(key)
        return np.array(
            [
                float(all(place[self.dims.index(dim)] == level for dim, level in chosen.items()))
                for place in itertools.product(*(range(size) for size in self.shape))
            ]
        )

    def interval(self, key):
        scale = max(self.sides.max(), 1.0)
        ends = []
        for sign in (1, -1):
            found = linprog(
                sign * self.rows[key],
                A_eq=self.equations,
                b_eq=self.sides / scale,
                A_ub=-self.least if len(self.least) else None,
                b_ub=np.full(len(self.least), -1 / scale) if len(self.least) else None,
                bounds=(0, None),
            )
            assert found.status in (0, 3), found.message
            ends.append(sign * found.fun * scale if found.status == 0 else np.inf)
        return ends[0], ends[1]


def protected(tables):
    """The cells to leave out; None where the tables cannot be protected."""
    pattern = protect(system_of([block_of(tables)]))
    return None if pattern.stuck else pattern.hidden


def assert_wide(tables, measure, at, low, high):
    value = float(tables.values[measure][at])
    system = system_of([block_of(tables)])
    floor = system.floor[list(tables.values).index(measure) * len(tables.keys) + at]
    slack = 1e-4 * max(1.0, value)
    if value == 0:
        return
    assert low <= max(value * (1 - PROTECTION), floor) + slack and high >= value * (1 + PROTECTION) - slack
    if not measure.endswith("_fen"):
        assert high - low >= 2 - slack


def recovered_by_subtraction(tables, hidden):
    """Whoever subtracts what is known from a total, again and again."""
    unknown = set(np.flatnonzero(hidden).tolist())
    while True:
        found = {
            next(iter(lost))
            for total, cells in tables.relations
            if len(lost := unknown & {total, *cells.tolist()}) == 1
        }
        if not found:
            return set(np.flatnonzero(hidden).tolist()) - unknown
        unknown -= found


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([40, 120, 400]), st.booleans())
def test_an_attack_on_all_tables_at_once_finds_no_unsafe_cell(seed, many, repeated):
    tables, *_ = tables_of(np.random.default_rng(seed), many, firms=many // 2 if repeated else None)
    hidden = protected(tables)
    if hidden is None:
        return
    assert (hidden >= tables.unsafe).all() and not hidden[-1]
    assert not hidden[tables.contributors == 0].any(), "an empty cell is always published"
    assert not recovered_by_subtraction(tables, hidden)
    for measure in tables.values:
        attacker = Attacker(tables, hidden, measure)
        for at in np.flatnonzero(tables.unsafe):
            assert_wide(tables, measure, at, *attacker.interval(tables.keys[at]))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_nobody_who_stands_alone_in_a_cell_finds_his_neighbour(seed):
    tables, *_ = tables_of(np.random.default_rng(seed), 60)
    hidden = protected(tables)
    if hidden is None:
        return
    alone = np.flatnonzero(tables.lone >= 0)
    for knows in alone:
        attacker = Attacker(tables, hidden, "paid_fen", known=(int(knows),))
        for at in np.flatnonzero(tables.unsafe):
            beside = any({int(knows), int(at)} <= set(cells.tolist()) for _, cells in tables.relations)
            if beside and tables.lone[at] != tables.lone[knows]:
                assert_wide(tables, "paid_fen", at, *attacker.interval(tables.keys[at]))


def test_tables_protected_one_by_one_would_give_a_cell_away():
    """Why they are protected together: each table alone is safe, the other tells the row that this one hides behind."""
    units = {
        ("s0", "d0", "i0"): 2,
        ("s0", "d1", "i0"): 30,
        ("s1", "d0", "i0"): 40,
        ("s1", "d1", "i1"): 50,
        ("s0", "d1", "i1"): 20,
        ("s1", "d0", "i1"): 60,
    }
    rows = [place for place, many in units.items() for _ in range(many)]
    dims = {
        dim: ([int(row[at][1]) for row in rows], [f"{dim[0]}0", f"{dim[0]}1"])
        for at, dim in enumerate(("sector", "division", "insurer"))
    }
    tables = tabulate("t", dims, FACES, range(len(rows)), {"enterprises": np.ones(len(rows), int)})
    alone = np.zeros(len(tables.keys), bool)
    at = tables.at(sector=0, division=0)
    # Left out in its own table with its row total as the complement; the table by insurer tells that total.
    for cell in (at, tables.at(sector=0), tables.at(sector=1, division=0), tables.at(sector=1)):
        alone[cell] = True
    assert at in recovered_by_subtraction(tables, alone)
    low, high = Attacker(tables, alone, "enterprises").interval(tables.keys[at])
    assert (low, high) == pytest.approx((2, 2))
    hidden = protected(tables)
    low, high = Attacker(tables, hidden, "enterprises").interval(tables.keys[at])
    assert high - low >= 2


def test_our_bounds_are_those_of_the_attack_on_the_inner_cells():
    """The tables close no ring, so bounds over the published cells alone are exact."""
    rng = np.random.default_rng(5)
    tables, *_ = tables_of(rng, 150)
    system, hidden = system_of([block_of(tables)]), protected(tables)
    attacker = Attacker(tables, hidden, "paid_fen")
    for at in np.flatnonzero(hidden):
        low, high = attacker.interval(tables.keys[at])
        figure = len(tables.keys) + int(at)  # the second measure
        assert bounds_of(system, hidden, figure) == pytest.approx((low, high), rel=1e-6, abs=1e-3)


def test_sums_contributors_and_dominance():
    found = tabulate(
        "t",
        {"sector": ([0, 0, 0, 0, 1, 1, 1], ["a", "b"]), "division": ([0, 0, 0, 1, 0, 0, 0], ["x", "y"])},
        [("sector", "division")],
        [1, 1, 2, 3, 1, 4, 5],
        {"paid_fen": [50, 40, 5, 7, 10, 10, 10]},
    )
    at = found.at(sector=0, division=0)
    assert found.values["paid_fen"][at] == 95 and found.contributors[at] == 2 and found.unsafe[at]
    assert found.contributors[-1] == 5 and found.values["paid_fen"][-1] == 132
    safe = found.at(sector=1, division=0)
    assert not found.unsafe[safe] and found.lone[safe] == -1
    assert found.unsafe[found.at(sector=0)], "90 of 102 are one enterprise's, the next has 7: 5 < 0.1 x 90"
    assert found.lone[found.at(sector=0, division=1)] == 3


def test_refusals():
    with pytest.raises(ModelError) as caught:
        forest([("a", "b"), ("b", "c"), ("c", "a")])
    assert caught.value.problems[0].code == "RM896"
    with pytest.raises(ModelError) as caught:
        tabulate("t", {"sector": ([0], ["a"])}, [("sector",)], [0], {"paid_fen": [-1]})
    assert caught.value.problems[0].code == "RM894"
    lonely = tabulate("t", {"sector": ([0, 1], ["a", "b"])}, [("sector",)], [0, 1], {"paid_fen": [5, 6]})
    assert protected(lonely) is None
