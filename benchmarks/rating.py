"""`rate` in memory and file to file, beside DuckDB, polars and pandas with the same plan and the same fen."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa

import ratemod as rm
from benchmarks.books import coded, table
from benchmarks.peers import duckdb_sql, pandas_rater, polars_rater
from ratemod.plan.model import Plan
from ratemod.rating.exact import evaluate
from ratemod.rating.fast import compile_plan
from ratemod.rating.run import run

PLAN, AT = "jilin-spli", "2026-01-01"


def in_memory(plan: Plan, book: pa.Table, ordered: bool = False) -> dict[str, Callable[[], np.ndarray[Any, Any]]]:
    """Return, by name, functions that price a table in memory and return premium_fen."""
    import duckdb
    import pandas as pd
    import polars as pl

    frame = book.to_pandas(date_as_object=False)
    polars_frame = pl.from_arrow(book)
    connection = duckdb.connect()
    connection.register("book", book)
    setup, query = duckdb_sql(plan, "book", ("policy_no",))
    for statement in setup:
        connection.execute(statement)
    polars_run, pandas_run = polars_rater(plan), pandas_rater(plan)
    assert isinstance(frame, pd.DataFrame)

    def ours() -> np.ndarray[Any, Any]:
        return rm.rate(book, plan, lang="en", trace=()).outputs.premium_fen

    def traced() -> np.ndarray[Any, Any]:
        return rm.rate(book, plan, lang="en", trace=True).outputs.premium_fen

    def duck() -> np.ndarray[Any, Any]:
        found = connection.execute(query).fetchnumpy()  # in no order: put back into the book's by its key
        return found["premium_fen"][np.argsort(found["policy_no"])] if ordered else found["premium_fen"]

    def polars() -> np.ndarray[Any, Any]:
        return polars_run(polars_frame).select("premium_fen", "fund_fen", "status").collect()["premium_fen"].to_numpy()

    def pandas() -> np.ndarray[Any, Any]:
        return pandas_run(frame)["premium_fen"].to_numpy()

    return {"ratemod": ours, "ratemod, every step kept": traced, "DuckDB SQL": duck, "polars": polars, "pandas": pandas}


def compare_in_memory(n: int, repeats: int) -> list[dict[str, Any]]:
    """Return one row per contender: fen that differ from ours, median seconds, ratio to ours."""
    plan = rm.load_plan(PLAN, at=AT)
    book = table(plan, n)
    contenders = in_memory(plan, book)
    wanted = contenders["ratemod"]()
    rows = []
    times: dict[str, list[float]] = {name: [] for name in contenders}
    differ = {}
    for name, work in in_memory(plan, book, ordered=True).items():
        differ[name] = int((np.nan_to_num(work()) != wanted).sum())
    names = list(contenders)
    for turn in range(repeats):  # in turn, each first as often as last: memory just freed is dear to whoever comes next
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            work = contenders[name]
            start = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - start)
    base = median(times["ratemod"])
    for name in contenders:
        seconds = median(times[name])
        rows.append(
            {
                "contender": name,
                "rows": n,
                "fen that differ": differ[name],
                "seconds": round(seconds, 3),
                "ns a row": round(seconds / n * 1e9),
                "× ratemod": round(seconds / base, 2),
            }
        )
    return rows


def exactness(n: int, chunk: int = 1_000_000) -> dict[str, Any]:
    """Return how the fast path agrees with exact arithmetic on n rows, and what exactness costs."""
    plan = rm.load_plan(PLAN, at=AT)
    program = compile_plan(plan)
    differ = suspects = ties = 0
    fast = 0.0
    for at in range(0, n, chunk):
        inputs = coded(plan, min(chunk, n - at), seed=at + 1)
        start = time.perf_counter()
        found = run(program, inputs, ("premium",))
        fast += time.perf_counter() - start
        suspects += found.suspects
        for low in range(0, inputs.n, 50_000):
            part = inputs.part(slice(low, low + 50_000))
            value = evaluate(plan, part).values["premium"]
            exact = (value.num * 100 // value.den).astype(np.int64)
            differ += int((exact != found.premium_fen[low : low + 50_000]).sum())
            ties += int((found.premium_fen[low : low + 50_000] % 5 == 0).sum())
    return {
        "rows": n,
        "differences": differ,
        "rows left to the wide exact path": suspects,
        "fast ns a row": round(fast / n * 1e9, 1),
    }
