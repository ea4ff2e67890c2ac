"""An amount divided among parties within a row: to the fen, adding up, by every path."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from ratemod.rating.exact import evaluate
from ratemod.rating.fast import compile_plan
from ratemod.rating.inputs import Inputs
from ratemod.rating.run import run
from tests.exhibits.office import convert, needs_office
from tests.exhibits.test_live_workbook import compare, write_plan
from tests.rating.random_plans import inputs, plan_of
from tests.rating.steps import step_of


def parted(among: tuple[Decimal | str, ...], amounts: list[float]) -> list[list[float | None]]:
    """The part of each party, row by row; the last is the premium."""
    made = inputs(1, len(amounts))
    given = Inputs(made.n, {**made.numbers, "limit_yuan": np.array(amounts), "weight": np.arange(made.n) * 1.0})
    names = [f"p{at}" for at in range(1, len(among))] + ["premium"]
    steps = [step_of(name, "part", of=("limit_yuan",), among=among, which=at) for at, name in enumerate(names, start=1)]
    plan = plan_of(tuple(steps))
    state, fast = evaluate(plan, given), run(compile_plan(plan), given, tuple(names), threads=1)
    exact = [state.values[name].floats() for name in names]
    assert all(np.array_equal(fast.steps[name], part, equal_nan=True) for name, part in zip(names, exact))
    return [[None if np.isnan(part) else part for part in row] for row in zip(*(part.tolist() for part in exact))]


def test_three_instalments_and_a_subsidy_by_hand():
    # 100.00 in three: 33.34 + 33.33 + 33.33. 0.05 at 35 : 25 : 40 per cent: 1.75, 1.25, 2.00 fen, so 2 + 1 + 2.
    assert parted((Decimal(1),) * 3, [100.00, 0.02]) == [[33.34, 33.33, 33.33], [0.01, 0.01, 0.0]]
    assert parted((Decimal("0.35"), Decimal("0.25"), Decimal("0.40")), [0.05]) == [[0.02, 0.01, 0.02]]


def test_weights_of_the_row_and_none_above_zero():
    rows = parted(("weight", "weight"), [0.03, 0.03])
    assert rows == [[None, None], [0.02, 0.01]]  # the first row's weights are zero


@pytest.mark.parametrize("seed", range(3))
def test_parts_always_add_up(seed):
    rng = np.random.default_rng(seed)
    amounts = (rng.integers(0, 2 * 10**8, 200) / 100).tolist()
    among = (*(Decimal(int(weight)) / 1000 for weight in rng.integers(0, 1000, 5)), Decimal(1))
    for amount, row in zip(amounts, parted(among, amounts)):
        assert sum(round(part * 100) for part in row) == round(amount * 100)


@needs_office
def test_the_workbook_divides_alike(tmp_path):
    made = inputs(2, 40)
    among = (Decimal("0.35"), "weight", Decimal(1) / 8)
    steps = (
        step_of("first", "part", of=("limit_yuan",), among=among, which=1),
        step_of("premium", "part", of=("limit_yuan",), among=among, which=3),
    )
    plan = plan_of(steps)
    write_plan(plan, made, tmp_path / "part.xlsx")
    assert compare(plan, made, convert([tmp_path / "part.xlsx"], "xlsx", tmp_path)[0]) == 40
