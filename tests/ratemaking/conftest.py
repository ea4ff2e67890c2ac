"""Published results beside the tests; data sets that belong to others are read from the shared reference or skipped."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from ratemod.ratemaking.cells import Factor

HERE = Path(__file__).parent
DATA = HERE.parents[2] / "shared" / "reference" / "data"


@pytest.fixture
def vectors():
    """Return a reader of `vectors/<name>.json`; every file names its source."""
    return lambda name: json.loads((HERE / "vectors" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def table():
    """Return a reader of a reference data set: factors, their codes, and a function for numeric columns."""

    def read(name, columns):
        path = DATA / f"{name}.csv"
        if not path.exists():
            pytest.skip(f"reference data {path} is not here (its licence keeps it out of this repository)")
        with path.open(encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))
        factors, codes = [], []
        for column in columns:
            levels = tuple(dict.fromkeys(row[column] for row in rows))
            factors.append(Factor(column, levels))
            codes.append(np.array([levels.index(row[column]) for row in rows]))
        return factors, codes, lambda column: np.array([float(row[column]) for row in rows])

    return read
