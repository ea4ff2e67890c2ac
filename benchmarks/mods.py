"""Five million claims to a million modifications, from integer keys, beside polars, pandas and DuckDB.

``python -m benchmarks.mods [--claims N] [--firms M] [--repeats K]``. Same split plan, window and bounds for all; the
mods are compared to 1e-9 before anything is timed. Contenders run in turn; what counts is processor time of all
threads, so that other work on the machine does not.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from ratemod.experience.losses import ClaimList, Window, actual_losses
from ratemod.experience.split import split_mod
from ratemod.experience.split_rules import SplitRule

RULE = SplitRule("bench", "benchmark", 60_000.0, 0.2, 1.0, 80_000.0, claim_limit=500_000.0, least=0.7, most=1.6)
FIRST, AFTER = np.datetime64("2022-01-01"), np.datetime64("2025-01-01")


def drawn(claims: int, firms: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return claims and firms from a fixed seed."""
    rng = np.random.default_rng(7)
    fen = (rng.lognormal(10.5, 1.3, claims) * 100).astype(np.int64)
    listed = {
        "firm": rng.integers(0, firms, claims),
        "incurred_fen": fen,
        "event_date": np.datetime64("2021-01-01") + rng.integers(0, 1600, claims),
    }
    expected = rng.lognormal(11.0, 1.0, firms)
    return listed, {"expected": expected, "expected_primary": 0.43 * expected}


def contenders(listed: dict[str, Any], firms: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    """Return what to run, by name; each returns the mods in the order of the firms."""
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    n, k = len(firms["expected"]), len(listed["firm"])
    none = np.zeros(k, dtype=bool)
    whole = ClaimList(
        listed["firm"],
        listed["event_date"],
        listed["incurred_fen"],
        np.arange(k),
        None,
        none,
        None,
    )
    first, after = Window().of(np.full(n, np.datetime64("2026-01-01")))
    claims_frame, firms_frame = pd.DataFrame(listed), pd.DataFrame(firms)
    claims_polars = pl.DataFrame(listed)
    firms_polars = pl.DataFrame(firms).with_row_index("firm").cast({"firm": pl.Int64})
    connection = duckdb.connect()
    connection.register("claims", pa.table(listed))
    connection.register("firms", pa.table({"firm": np.arange(n)} | firms))

    def ours() -> Any:
        found = actual_losses(whole, RULE, firms["expected"], first, after)
        return split_mod(
            RULE, found.primary_fen / 100, found.excess_fen / 100, firms["expected"], firms["expected_primary"]
        ).mod

    def pandas() -> Any:
        inside = claims_frame[(claims_frame.event_date >= FIRST) & (claims_frame.event_date < AFTER)]
        loss = np.minimum(inside.incurred_fen / 100, 500_000.0)
        primary = np.minimum(loss, 60_000.0)
        sums = pd.DataFrame({"firm": inside.firm, "p": primary, "x": loss - primary}).groupby("firm").sum()
        both = firms_frame.join(sums).fillna({"p": 0.0, "x": 0.0})
        rest = 0.8 * (both.expected - both.expected_primary) + 80_000.0
        mod = (both.p + 0.2 * both.x + rest) / (both.expected + 80_000.0)
        return mod.clip(0.7, 1.6).to_numpy()

    def polars() -> Any:
        loss = pl.min_horizontal(pl.col("incurred_fen") / 100, pl.lit(500_000.0))
        sums = (
            claims_polars.lazy()
            .filter(pl.col("event_date").is_between(FIRST, AFTER, closed="left"))
            .select("firm", loss.alias("loss"))
            .with_columns(pl.min_horizontal("loss", pl.lit(60_000.0)).alias("p"))
            .group_by("firm")
            .agg(pl.col("p").sum(), (pl.col("loss") - pl.col("p")).sum().alias("x"))
        )
        p, x = pl.col("p").fill_null(0.0), pl.col("x").fill_null(0.0)
        mod = (p + 0.2 * x + 0.8 * (pl.col("expected") - pl.col("expected_primary")) + 80_000.0) / (
            pl.col("expected") + 80_000.0
        )
        both = firms_polars.lazy().join(sums, on="firm", how="left", maintain_order="left")
        return both.select(mod.clip(0.7, 1.6)).collect().to_series().to_numpy()

    def duck() -> Any:
        found = connection.execute("""
            with s as (select firm, sum(least(least(incurred_fen / 100, 500000), 60000)) p,
                              sum(least(incurred_fen / 100, 500000) - least(least(incurred_fen / 100, 500000), 60000)) x
                       from claims where event_date >= '2022-01-01' and event_date < '2025-01-01' group by firm)
            select f.firm, least(1.6, greatest(0.7, (coalesce(p, 0) + 0.2 * coalesce(x, 0)
                   + 0.8 * (expected - expected_primary) + 80000) / (expected + 80000))) as mod
            from firms f left join s using (firm)""").fetchnumpy()
        return found["mod"][np.argsort(found["firm"])]

    return {"ratemod": ours, "polars": polars, "pandas": pandas, "DuckDB": duck}


def compare(claims: int, firms: int, repeats: int) -> list[dict[str, Any]]:
    """Return one row a contender."""
    runs = contenders(*drawn(claims, firms))
    exact = runs["ratemod"]()
    for name, run in runs.items():
        np.testing.assert_allclose(run(), exact, rtol=1e-9, err_msg=name)
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            start = time.process_time()
            run()
            spent[name].append(time.process_time() - start)
    ours = median(spent["ratemod"])
    return [
        {"contender": name, "CPU ms": round(1000 * median(times)), "x ratemod": round(median(times) / ours, 1)}
        for name, times in spent.items()
    ]


def main() -> None:
    """Run it and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=5_000_000)
    parser.add_argument("--firms", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    from benchmarks.report import markdown

    print(markdown("Claims to modifications", compare(args.claims, args.firms, args.repeats)))


if __name__ == "__main__":
    main()
