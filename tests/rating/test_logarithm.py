"""e^x and ln x: the digits of published tables, rows that floats cannot decide, and amounts beyond all belief."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from ratemod.rating.exact import evaluate
from ratemod.rating.fast import compile_plan
from ratemod.rating.inputs import Inputs
from ratemod.rating.run import run
from tests.rating.random_plans import inputs, plan_of
from tests.rating.steps import step_of


def both(op: str, values: list[float], unit: str) -> list[Decimal | None]:
    """The exact values; the fast path's are the nearest floats of the same."""
    made = inputs(0, len(values))
    given = Inputs(made.n, {**made.numbers, "ratio_in": np.array(values)})
    steps = (
        step_of("x", op, of=("ratio_in",), unit=Decimal(unit)),
        step_of("premium", "round", of=("x",), unit=Decimal("0.01")),
    )
    plan = plan_of(steps)
    exact = evaluate(plan, given).values["x"]
    assert np.array_equal(run(compile_plan(plan), given, ("x",), threads=1).steps["x"], exact.floats(), equal_nan=True)
    return [None if value is None else Decimal(value.numerator) / value.denominator for value in exact.fractions()]


def test_printed_digits():
    """Abramowitz and Stegun, Handbook of Mathematical Functions (1964): e, e^-1, ln 2, ln 10 to ten places."""
    assert both("exp", [1, -1, 0], "0.0000000001") == [Decimal("2.7182818285"), Decimal("0.3678794412"), 1]
    assert both("ln", [2, 3, 1], "0.0000000001") == [Decimal("0.6931471806"), Decimal("1.0986122887"), 0]


def test_what_is_not_above_zero_has_no_logarithm():
    assert both("ln", [0, -1, 0.5], "0.001") == [None, None, Decimal("-0.693")]


@pytest.mark.parametrize(("op", "low", "high"), [("exp", -3, 3), ("ln", 0.0001, 3)])
@pytest.mark.parametrize("unit", ["0.01", "0.000001", "0.0000000000000001"])
def test_every_place_of_the_range(op, low, high, unit):
    """Sixteen places are more than a float tells apart: exact arithmetic then decides, and both say the same."""
    found = both(op, np.round(np.linspace(low, high, 301), 4).tolist(), unit)
    assert all(value == value.quantize(Decimal(unit)) for value in found if value is not None)
