"""Small books for the fund's tests."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa

DAY = datetime.date(2026, 1, 1)
SIZES = np.array(["micro", "small", "medium", "large"], dtype=object)


def insureds(n: int, seed: int, insurers: int = 2) -> pa.Table:
    """Return a portfolio with expected losses and duties outstanding."""
    draw = np.random.default_rng(seed)
    size = SIZES[draw.integers(0, 4, n)]
    return pa.table(
        {
            "policy_no": [f"P{at:05d}" for at in range(n)],
            "insurer": [f"i{at % insurers}" for at in range(n)],
            "size_class": size,
            "division_code": np.array(["220100", "222400"], object)[draw.integers(0, 2, n)],
            "premium_fen": draw.integers(10**5, 10**7, n),
            "annual_losses_yuan": draw.lognormal(10, 1.2, n),
            "annual_claims": draw.lognormal(-2, 1, n),
            "outstanding": np.isin(size.astype(str), ["medium", "large"]).astype(np.int64),
        }
    )


def policies(premium_fen: list[int], insurer: list[str] | None = None, sector: str = "mining") -> pa.Table:
    """Return policies that start on one day."""
    n = len(premium_fen)
    return pa.table(
        {
            "policy_no": [f"P{at:03d}" for at in range(n)],
            "insurer": insurer or ["birch"] * n,
            "sector": [sector] * n,
            "start_date": [DAY] * n,
            "end_date": [datetime.date(2027, 1, 1)] * n,
            "premium_fen": premium_fen,
        }
    )
