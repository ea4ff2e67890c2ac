"""A plan written from a model is in order, agrees with its own cases, and charges what the model expects."""

import re
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ratemod as rm
from ratemod.errors import ModelError

from .conftest import DATA

MOTOR = Path(__file__).parents[2] / "docs" / "how-to" / "motor-tariff.md"
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "model-a-line.md"
IDENTITY = {"scheme": "mines", "edition": "2026", "new_from": date(2026, 1, 1), "title": "Mines", "source": "drawn"}


def drawn():
    draw = np.random.default_rng(2)
    rows = pd.DataFrame(
        {
            "矿种": draw.choice(["煤", "金属", "石料"], 3000),
            "size": draw.integers(1, 5, 3000),
            "premium": draw.choice(["a", "b"], 3000),
            "fte": draw.uniform(1, 90, 3000).round(2),
        }
    )
    mean = rows.fte * 0.03 * (1 + 0.2 * rows["size"]) * np.where(rows["矿种"] == "煤", 2, 1)
    return rows.assign(injuries=draw.poisson(mean))


def test_a_plan_of_a_model_checks_and_charges_what_it_expects(tmp_path):
    from ratemod.cli import main

    rows = drawn()
    model = rm.rate_model(
        rows, total="injuries", weight="fte", factors=["矿种", "size", "premium"], interactions=[("矿种", "size")]
    )
    model = model.shrink("premium", "too thin to believe whole", between_variance=0.01)
    folder = model.write(tmp_path, **IDENTITY, loading="12000", places=4)
    assert main(["check", str(folder)]) == 0
    plan = rm.load_plan(folder)
    book = rows.drop(columns="injuries").rename(columns={"premium": "factor_3"})
    rated = rm.rate(book.assign(policy_no=[f"P{i}" for i in range(len(book))]), plan)
    charged = np.array(rated.table["premium_fen"].to_pylist()) / 100
    wanted = model.predict(rows) * rows.fte * 12_000
    assert charged.sum() == pytest.approx(wanted.sum(), rel=1e-6)
    assert charged == pytest.approx(wanted.to_numpy(), rel=3e-4)
    notes = (folder / "NOTES.md").read_text(encoding="utf-8")
    assert "3,000 read, 3,000 used, 0 refused" in notes and "shrink premium: too thin to believe whole" in notes
    with pytest.raises(FileExistsError):
        model.write(tmp_path, **IDENTITY)


def test_a_curve_is_banded_before_it_is_a_table(tmp_path):
    model = rm.rate_model(drawn(), total="injuries", weight="fte", covariates=["size"])
    with pytest.raises(ModelError, match="RM499 size"):
        model.write(tmp_path, **IDENTITY)
    assert model.band("size", [1, 3, 5], "two classes").write(tmp_path, **IDENTITY).is_dir()


def test_the_how_to_runs_on_the_injuries_of_mines(tmp_path, monkeypatch):
    file = DATA / "usMSHA1316.csv.gz"
    if not file.exists():
        pytest.skip(f"reference data {file.name} is not here (its licence keeps it out of this repository)")
    monkeypatch.chdir(tmp_path)
    _, *blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.S | re.M)
    known = {"pd": pd, "np": np, "rows": pd.read_csv(file, keep_default_na=False)}
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), known)
    assert known["rated"].table.num_rows > 10_000 and not len(known["rated"].refused)
    assert known["premium"] == pytest.approx(known["expected"], rel=0.005)
    assert 0.8 < known["judged"].actual_expected < 1.2


def test_the_motor_how_to_runs_on_the_belgian_policies(tmp_path, monkeypatch):
    """Every tenth policy, so that it takes seconds; whatever the page says of its drawn data holds of them too."""
    file = DATA / "beMTPL97.csv.gz"
    if not file.exists():
        pytest.skip(f"reference data {file.name} is not here (its licence keeps it out of this repository)")
    monkeypatch.chdir(tmp_path)
    first, *blocks = re.findall(r"^```python\n(.*?)^```", MOTOR.read_text(encoding="utf-8"), re.S | re.M)
    assert "beMTPL97" in first
    known = {"pd": pd, "np": np, "rows": pd.read_csv(file)[::10].reset_index(drop=True)}
    for block in blocks:
        exec(compile(block, MOTOR.name, "exec"), known)
    assert known["landed"].refused == 0 and not known["rm"].check_plan(known["edition"]).problems
    curve = known["often"].curve("bm", [0, 22])  # the best and the worst of the Belgian scale
    assert 2 < curve.relativity.iloc[1] < 5
