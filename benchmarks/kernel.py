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
from ratemod.plan.model import Plan
from ratemod.rating import fast, rounding
from ratemod.rating.run import BLOCK, Outputs, run

THREADS = 2
STATUS = ("rated", "label", "refer", "refuse", "decline")
ACTIONS = {"rated": "rated", "labelled": "label", "referred": "refer", "refused": "refuse", "declined": "decline"}


def plain_whole(block: Any, out: Any, mode: str, slack: float, fine: bool, sure: int) -> tuple[Any, Any]:
    """Round as floats would, ties and all: what exactness is compared with."""
    np.add(out, {"down": 0.0, "up": 0.0}.get(mode, 0.5), out=out)
    (np.ceil if mode == "up" else np.floor)(out, out=out)
    return np.zeros(0, dtype=np.intp), np.zeros(0)


def rated(plan: Plan, out: Outputs) -> tuple[Any, Any, Any]:
    """Return premium and fund in fen, and the status of every row as its number in `STATUS`."""
    status = np.zeros(len(out.priced), dtype=np.uint8)
    for rule, caught in zip(plan.rules, out.caught):
        np.maximum(status, caught * np.uint8(STATUS.index(rule.action)), out=status)
    return out.premium_fen, out.fund_fen, status


def checked(found: dict[str, Callable[[], Any]], outputs: dict[str, Callable[[], Any]]) -> dict[str, Callable[[], Any]]:
    """Return what is timed, once every contender has given ratemod's fen and status for every row."""
    ours = outputs["ratemod"]()
    for name, give in outputs.items():
        for mine, theirs in zip(ours, give()):
            differ = int((np.asarray(theirs) != mine).sum())
            assert not differ, f"{name}: {differ} rows differ"
    return found


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
        return rated(plan, run(program, inputs, (), THREADS))

    def floats() -> Any:
        kept, rounding.whole = rounding.whole, plain_whole
        try:
            return exact()
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
    columns = ("premium_fen", "fund_fen", "status")
    found = {
        "touching the same bytes": touch,
        "ratemod": exact,
        "ratemod, plain float rounding": floats,
        "DuckDB": lambda: connection.execute(
            f"SELECT sum(premium_fen), sum(fund_fen), count(status) FROM ({query})"
        ).fetchall(),
        "polars": lambda: polars(lazy).select(*columns).collect(),
        "pandas": lambda: pandas(frame),
    }

    def numbered(given: Any) -> tuple[Any, Any, Any]:
        status = np.array([STATUS.index(ACTIONS[name]) for name in np.asarray(given["status"]).tolist()])
        return np.asarray(given["premium_fen"]), np.asarray(given["fund_fen"]), status

    _, keyed = duckdb_sql(plan, "book", ("policy_no",))
    outputs = {
        "ratemod": exact,
        "DuckDB": lambda: numbered(connection.execute(f"SELECT * FROM ({keyed}) ORDER BY policy_no").fetchnumpy()),
        "polars": lambda: numbered(found["polars"]()),
        "pandas": lambda: numbered(found["pandas"]()),
    }
    return checked(found, outputs), sum(array.itemsize for array in (*arrays, *results))


def compute_only(n: int, repeats: int) -> list[dict[str, Any]]:
    """Return one row per contender, run in turn; medians of seconds and of processor seconds."""
    found, width = kernels(n)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in found}
    names = list(found)
    for work in found.values():
        work()
    for turn in range(repeats):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            start, used = time.perf_counter(), time.process_time()
            found[name]()
            times[name].append((time.perf_counter() - start, time.process_time() - used))
    wall = {name: median(one for one, _ in times[name]) for name in names}
    used = {name: median(one for _, one in times[name]) for name in names}
    return [
        {
            "contender": name,
            "rows": n,
            "bytes a row": width,
            "ns a row": round(wall[name] / n * 1e9, 1),
            "× ratemod": round(wall[name] / wall["ratemod"], 2),
            "processor ns a row": round(used[name] / n * 1e9, 1),
            "processor × ratemod": round(used[name] / used["ratemod"], 2),
        }
        for name in names
    ]
