"""Compute only, from coded columns: ratemod's steps beside touching the same bytes, plain floats, DuckDB and pandas."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

import numpy as np

import ratemod as rm
from benchmarks.books import coded, table
from benchmarks.one import AT, PLAN
from benchmarks.peers import duckdb_sql, pandas_rater, polars_rater
from ratemod.rating import fast, rounding
from ratemod.rating.run import BLOCK, run

THREADS = 2


def plain_whole(block: Any, out: Any, mode: str, slack: float, fine: bool, sure: int) -> tuple[Any, Any]:
    """Round as floats would, ties and all: what exactness is compared with."""
    np.add(out, {"down": 0.0, "up": 0.0}.get(mode, 0.5), out=out)
    (np.ceil if mode == "up" else np.floor)(out, out=out)
    return np.zeros(0, dtype=np.intp), np.zeros(0)


def kernels(n: int) -> tuple[dict[str, Callable[[], Any]], int]:
    """Return, by name, what is timed; and the bytes of a row that are touched."""
    import duckdb
    import polars as pl

    plan = rm.load_plan(PLAN, at=AT)
    program, inputs, book = fast.compile_plan(plan), coded(plan, n), table(plan, n)
    arrays = [*inputs.numbers.values(), *inputs.codes.values()]
    results = [np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)]

    def touch() -> None:
        def part(start: int) -> None:
            for array in arrays:
                array[start : start + BLOCK].max()
            for array in results:
                array[start : start + BLOCK] = start

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(part, range(0, n, BLOCK)))

    def exact() -> Any:
        return run(program, inputs, (), THREADS).premium_fen

    def floats() -> Any:
        kept, rounding.whole = rounding.whole, plain_whole
        try:
            return run(program, inputs, (), THREADS).premium_fen
        finally:
            rounding.whole = kept

    connection = duckdb.connect()
    connection.execute(f"SET threads = {THREADS}")
    setup, query = duckdb_sql(plan, "book", ())
    for statement in setup:
        connection.execute(statement)
    connection.register("given", book)
    connection.execute("CREATE TABLE book AS SELECT * FROM given")  # its own storage, dictionaries and all
    frame, lazy = book.to_pandas(date_as_object=False), pl.from_arrow(book)
    pandas, polars = pandas_rater(plan), polars_rater(plan)
    found = {
        "touching the same bytes": touch,
        "ratemod": exact,
        "ratemod, plain float rounding": floats,
        "DuckDB": lambda: connection.execute(
            f"SELECT sum(premium_fen), sum(fund_fen), count(status) FROM ({query})"
        ).fetchall(),
        "polars": lambda: polars(lazy).select("premium_fen", "fund_fen", "status").collect(),
        "pandas": lambda: pandas(frame),
    }
    assert connection.execute(f"SELECT sum(premium_fen) FROM ({query})").fetchone()[0] == int(exact().sum())
    return found, sum(array.itemsize for array in (*arrays, *results))


def compute_only(n: int, repeats: int) -> list[dict[str, Any]]:
    """Return one row per contender, run in turn; medians."""
    found, width = kernels(n)
    times: dict[str, list[float]] = {name: [] for name in found}
    names = list(found)
    for work in found.values():
        work()
    for turn in range(repeats):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            start = time.perf_counter()
            found[name]()
            times[name].append(time.perf_counter() - start)
    base = median(times["ratemod"])
    return [
        {
            "contender": name,
            "rows": n,
            "bytes a row": width,
            "ns a row": round(median(times[name]) / n * 1e9, 1),
            "× ratemod": round(median(times[name]) / base, 2),
        }
        for name in names
    ]
