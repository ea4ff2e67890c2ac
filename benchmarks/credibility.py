"""Bühlmann–Straub for a million firms over five years: ``python -m benchmarks.credibility [firms]``.

Peers compute the same unbiased estimators from a long table as their users would write them: group by firm, join the
mean back, group again. ratemod is timed from the panel, from flat arrays, and with the iterative estimator. Premiums
are held to be equal before anything is timed; contenders run in turn; medians.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ratemod.experience.buhlmann import buhlmann_straub, buhlmann_straub_flat

YEARS, SEED = 5, 2026


def portfolio(firms: int) -> tuple[Any, Any]:
    """Return (firms, years) values and weights: losses per head with planted variances."""
    draw = np.random.default_rng(SEED)
    weight = np.ceil(draw.lognormal(3.0, 1.0, (firms, 1)) * draw.uniform(0.9, 1.1, (firms, YEARS)))
    value = draw.gamma(2.0, 0.5, (firms, 1)) + draw.normal(size=(firms, YEARS)) * np.sqrt(20.0 / weight)
    return value, weight


def structure(w: Any, mean: Any, square: float, firms: int, periods: int) -> Any:
    """Return premiums from sums by firm, as every peer ends."""
    within = square / (periods - firms)
    total = w.sum()
    grand = (w * mean).sum() / total
    between = total / (total**2 - (w * w).sum()) * ((w * (mean - grand) ** 2).sum() - (firms - 1) * within)
    z = w / (w + within / between)
    collective = (z * mean).sum() / z.sum()
    return collective + z * (mean - collective)


def with_pandas(frame: Any) -> Any:
    """Return premiums by pandas, by firm."""
    wx = frame["value"] * frame["weight"]
    by = frame["firm"]
    w, total = frame["weight"].groupby(by).sum(), wx.groupby(by).sum()
    mean = total / w
    square = (frame["weight"] * (frame["value"] - by.map(mean)) ** 2).sum()
    return structure(w, mean, square, len(w), len(frame)).to_numpy()


def with_polars(frame: Any) -> Any:
    """Return premiums by polars, by firm."""
    import polars as pl

    x, w = pl.col("value"), pl.col("weight")
    firms = frame.lazy().group_by("firm").agg(w.sum().alias("w"), ((x * w).sum() / w.sum()).alias("mean"))
    square = frame.lazy().join(firms, on="firm").select((w * (x - pl.col("mean")) ** 2).sum())
    sums, spread = pl.collect_all([firms.sort("firm"), square])
    return structure(sums["w"], sums["mean"], spread.item(), len(sums), len(frame)).to_numpy()


def with_duckdb(connection: Any) -> Any:
    """Return premiums by one DuckDB query, by firm."""
    query = """
        WITH firm AS (SELECT firm, sum(weight) AS w, sum(weight * value) / sum(weight) AS mean FROM rows GROUP BY firm),
        spread AS (SELECT sum(weight * (value - mean) ** 2) / (count(*) - count(DISTINCT firm)) AS s2
                   FROM rows JOIN firm USING (firm)),
        grand AS (SELECT sum(w) AS t, sum(w * w) AS t2, sum(w * mean) / sum(w) AS m, count(*) AS n FROM firm),
        between_firms AS (SELECT any_value(t / (t * t - t2)) * (sum(w * (mean - m) ** 2) - any_value((n - 1) * s2)) AS a
                          FROM firm, grand, spread),
        factor AS (SELECT firm, mean, w / (w + s2 / a) AS z FROM firm, spread, between_firms),
        collective AS (SELECT sum(z * mean) / sum(z) AS c FROM factor)
        SELECT c + z * (mean - c) AS premium FROM factor, collective ORDER BY firm"""
    return connection.execute(query).fetchnumpy()["premium"]


def main() -> None:
    import duckdb
    import pandas as pd
    import polars as pl

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("firms", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    value, weight = portfolio(given.firms)
    code = np.repeat(np.arange(given.firms), YEARS)
    flat, mass = value.ravel(), weight.ravel()
    frame = pd.DataFrame({"firm": code, "value": flat, "weight": mass})
    polar, connection = pl.DataFrame({"firm": code, "value": flat, "weight": mass}), duckdb.connect()
    connection.execute("CREATE TABLE rows AS SELECT * FROM frame")
    contenders: dict[str, Callable[[], Any]] = {
        "ratemod, panel": lambda: buhlmann_straub(value, weight).premium,
        "ratemod, flat arrays": lambda: buhlmann_straub_flat(code, flat, mass, given.firms).premium,
        "ratemod, panel, iterative": lambda: buhlmann_straub(value, weight, estimator="iterative").premium,
        "pandas": lambda: with_pandas(frame),
        "polars": lambda: with_polars(polar),
        "DuckDB SQL": lambda: with_duckdb(connection),
    }
    first = contenders["ratemod, panel"]()
    for name, run in contenders.items():
        if "iterative" not in name:
            np.testing.assert_allclose(run(), first, rtol=1e-9, atol=1e-9, err_msg=name)
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(given.repeats):
        for name, run in contenders.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    best = statistics.median(seconds["ratemod, panel"])
    print(f"{given.firms:,} firms x {YEARS} years, medians of {given.repeats}\n")
    print("| contender | seconds | x ratemod |\n|---|---|---|")
    for name, times in seconds.items():
        print(f"| {name} | {statistics.median(times):.3f} | {statistics.median(times) / best:.2f} |")


if __name__ == "__main__":
    main()
