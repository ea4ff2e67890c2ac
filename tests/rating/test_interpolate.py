"""Values between points: on one axis and on two, against the definition worked out by fractions and by hand."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ratemod as rm
from ratemod.errors import PlanError
from tests.own_plan import plan_text

PLAN = """[column.limit]
kind = "number"
min = 0
max = 10
decimals = 2
[column.deductible]
kind = "number"
min = 0
max = 100
decimals = 1
[[step]]
name = "factor"
op = "interpolate"
table = "curve"
by = { limit_millions = "limit" }
beyond = "BEYOND"
[[step]]
name = "raw"
op = "product"
of = ["factor", 1000]
source = "s"
[[step]]
name = "premium"
op = "round"
of = "raw"
unit = "0.01"
source = "s"
"""
POINTS = {(1, 0): "1.00", (1, 10): "0.80", (1, 50): "0.40", (3, 0): "1.60", (3, 10): "1.40", (3, 50): "1.30"}


def plan_of(folder: Path, beyond: str, points: dict[tuple[int, int], str] = POINTS) -> Path:
    place = folder / "own" / "1"
    (place / "tables").mkdir(parents=True)
    (place / "plan.toml").write_text(plan_text(PLAN.replace("BEYOND", beyond)), encoding="utf-8")
    lines = [f"{limit},{less},{value},s," for (limit, less), value in points.items()]
    head = "limit_millions_at,deductible_at,value,source,note"
    (place / "tables" / "curve.csv").write_text("\n".join([head, *lines]), encoding="utf-8")
    return place


def by_hand(x: Fraction, y: Fraction, beyond: str) -> Fraction | None:
    """Bilinear: the four corners' values, each by its area; the same lines beyond the ends where they go on."""
    xs, ys = [1, 3], [0, 10, 50]
    if beyond == "refuse" and not (xs[0] <= x <= xs[-1] and ys[0] <= y <= ys[-1]):
        return None
    if beyond != "extend":
        x, y = min(max(x, Fraction(1)), Fraction(3)), min(max(y, Fraction(0)), Fraction(50))
    below, above = (0, 10) if y < 10 else (10, 50)
    s, t = (x - 1) / 2, (y - below) / (above - below)
    corner = {key: Fraction(value) for key, value in POINTS.items()}
    low = corner[1, below] * (1 - t) + corner[1, above] * t
    return low * (1 - s) + (corner[3, below] * (1 - t) + corner[3, above] * t) * s


@pytest.mark.parametrize("beyond", ["refuse", "flat", "extend"])
def test_between_the_points_of_two_axes_a_value_is_bilinear(tmp_path, beyond):
    rng = np.random.default_rng(1)
    limits, less = rng.integers(0, 501, 400) / 100, rng.choice([0, 10, 50, 5.5, 70, 33.3, 99.9], 400)
    book = pd.DataFrame({"policy_no": [f"P{at}" for at in range(400)], "limit": limits, "deductible": less})
    rated = rm.rate(book, plan_of(tmp_path, beyond))
    wanted = [by_hand(Fraction(round(x * 100), 100), Fraction(round(y * 10), 10), beyond) for x, y in zip(limits, less)]
    assert rated.outputs.priced.tolist() == [value is not None for value in wanted]
    half_up = [
        0 if value is None else int(abs(value) * 100000 + Fraction(1, 2)) * (1 if value > 0 else -1) for value in wanted
    ]
    assert np.where(rated.outputs.priced, rated.outputs.premium_fen, 0).tolist() == half_up


def test_the_worksheet_shows_the_four_points_and_on_a_point_that_alone(tmp_path):
    book = pd.DataFrame({"policy_no": ["A", "B", "C"], "limit": [2, 3, 2], "deductible": [5, 10, 10]})
    rated = rm.rate(book, plan_of(tmp_path, "refuse"))
    told = [next(line for line in rated.explain(key).lines if line.name == "factor").text for key in "ABC"]
    assert "(1, 0) → 1, (1, 10) → 0.8, (3, 0) → 1.6, (3, 10) → 1.4" in told[0]
    assert told[1].endswith("; (3, 10) → 1.4")
    assert told[2].endswith("; (1, 10) → 0.8, (3, 10) → 1.4")
    assert rated.outputs.premium_fen.tolist() == [120000, 140000, 110000]  # (1 + 0.8 + 1.6 + 1.4) / 4; 1.4; 1.1


def test_a_grid_with_a_hole_is_refused_with_the_cell(tmp_path):
    with pytest.raises(PlanError) as error:
        rm.load_plan(plan_of(tmp_path, "refuse", {key: POINTS[key] for key in list(POINTS)[:-1]}))
    assert [item.code for item in error.value.problems] == ["RM134"]
    assert error.value.problems[0].args["cell"] == "limit=3, deductible=50"


def test_a_point_that_is_not_offered_refuses_only_what_rests_on_it(tmp_path):
    book = pd.DataFrame({"policy_no": ["A", "B", "C"], "limit": [2, 1, 2], "deductible": [5, 50, 11]})
    rated = rm.rate(book, plan_of(tmp_path, "refuse", POINTS | {(3, 50): "none"}))
    assert rated.outputs.priced.tolist() == [True, True, False]
    assert rated.outputs.premium_fen[:2].tolist() == [120000, 40000]
