"""Seeded books under a plan's columns: coded for compute, as frames and Parquet for everything else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from ratemod.plan.model import Plan
from ratemod.rating.inputs import Inputs
from ratemod.vocabulary.codes.credit_code import HIGHEST_NUMBER, make

START = 20_454  # 2026-01-01 as days since 1970-01-01


def book_columns(plan: Plan, n: int, seed: int = 1) -> dict[str, Any]:
    """Return believable columns for the Jilin example plan: floats, level codes, day numbers, texts.

    Parameters
    ----------
    plan : Plan
        Its level columns say how many codes there are.
    n : int
    seed : int
    """
    rng = np.random.default_rng(seed)
    size = rng.choice(4, n, p=[0.45, 0.38, 0.13, 0.04])
    heads = np.minimum(np.exp(rng.normal(np.array([1.8, 3.6, 5.6, 7.2])[size], 0.7)).astype(int) + 1, 30000)
    start = START + rng.integers(0, 365, n)
    short = rng.random(n) < 0.1
    renewal = rng.random(n) < 0.7
    hazard = rng.choice(5, n, p=[0.86, 0.06, 0.03, 0.01, 0.04])
    expected = np.round(heads * rng.lognormal(5.0, 0.6, n), 2)
    rated = expected >= 20_000
    primary = np.round(expected * 0.45, 2)
    found: dict[str, Any] = {
        "business": renewal.astype(np.int16),
        "start_date": start,
        "end_date": start + np.where(short, rng.integers(20, 300, n), 365),
        "sector": rng.choice(8, n, p=[0.06, 0.17, 0.01, 0.26, 0.36, 0.01, 0.05, 0.08]).astype(np.int16),
        "size_class": size.astype(np.int16),
        "staff": heads + rng.choice([0, 0, 0, 0, 0, 0, 0, 0, 0, 3], n),
        "heads": heads,
        "limit_yuan": rng.choice([400_000, 500_000, 600_000, 800_000, 1_000_000], n, p=[0.4, 0.3, 0.15, 0.1, 0.05]),
        "general_accidents": rng.choice(4, n, p=[0.94, 0.045, 0.012, 0.003]),
        "larger_accidents": rng.choice(2, n, p=[0.998, 0.002]),
        "major_accidents": rng.choice(2, n, p=[0.9999, 0.0001]),
        "claim_free_years": rng.choice(7, n),
        "hazard_state": hazard.astype(np.int16),
        "hazard_overdue_days": np.where((hazard == 2) | (hazard == 3), rng.integers(1, 200, n), 0),
        "standardisation": rng.choice(4, n, p=[0.55, 0.33, 0.1, 0.02]).astype(np.int16),
        "certificate_expiry": np.where(rng.random(n) < 0.55, np.nan, start + rng.integers(-100, 900, n)),
        "integrity_grade": rng.choice(5, n, p=[0.05, 0.3, 0.55, 0.08, 0.02]).astype(np.int16),
        "blacklisted": (rng.random(n) < 0.005).astype(np.int16),
        "expected_losses_yuan": np.where(rated, expected, np.nan),
        "expected_primary_losses_yuan": np.where(rated, primary, np.nan),
        "actual_primary_losses_yuan": np.where(rated, np.round(primary * rng.gamma(1.0, 1.0, n), 2), np.nan),
        "actual_excess_losses_yuan": np.where(
            rated, np.round((expected - primary) * rng.gamma(0.3, 3.0, n), 2), np.nan
        ),
        "expiring_premium_yuan": np.where(
            renewal, np.round(heads * 500_000 * 0.0014 * rng.lognormal(0, 0.25, n), 2), np.nan
        ),
        "schedule_factor": np.where(rng.random(n) < 0.9, np.nan, np.round(rng.uniform(0.95, 1.05, n), 2)),
    }
    return {name: values for name, values in found.items() if name in plan.columns}


def coded(plan: Plan, n: int, seed: int = 1) -> Inputs:
    """Return the columns as the steps read them."""
    columns = book_columns(plan, n, seed)
    numbers, codes = {}, {}
    for name, column in plan.columns.items():
        if column.kind in ("level", "flag"):
            codes[name] = columns[name] if name in columns else np.full(n, -1, np.int16)
        elif column.kind in ("number", "date"):
            numbers[name] = columns[name].astype(np.float64) if name in columns else np.full(n, np.nan)
    filled = {name: np.ones(n, dtype=bool) for name, column in plan.columns.items() if column.kind == "text"}
    return Inputs(n, numbers, codes, filled)


def table(plan: Plan, n: int, seed: int = 1, first: int = 0) -> pa.Table:
    """Return the book as an Arrow table: dictionary levels, dates, nulls, keys."""
    columns = book_columns(plan, n, seed)
    keys = np.char.add("P", np.char.zfill(np.arange(first, first + n).astype("U9"), 9))
    out: dict[str, Any] = {"policy_no": pa.array(keys.tolist(), pa.string())}
    out["credit_code"] = pa.array(
        make("91000000", np.arange(first, first + n) % (HIGHEST_NUMBER + 1)).tolist(), pa.string()
    )
    for name, values in columns.items():
        column = plan.columns[name]
        if column.codes():
            out[name] = pa.DictionaryArray.from_arrays(pa.array(values.astype(np.int8)), list(column.codes()))
        elif column.kind == "date":
            out[name] = (
                pa.array(values, pa.float64(), mask=np.isnan(values.astype(float))).cast(pa.int32()).cast(pa.date32())
            )
        elif values.dtype.kind == "f":
            out[name] = pa.array(values, pa.float64(), mask=np.isnan(values))
        else:
            out[name] = pa.array(values.astype(np.int32))
    chosen = np.isnan(columns["schedule_factor"])
    out["schedule_reason"] = pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int8), mask=chosen), ["survey"])
    return pa.table(out)
