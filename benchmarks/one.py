"""One contender, one file to another, in a process of its own: ``python -m benchmarks.one NAME IN OUT [--trace]``.

All write the same columns: keys, steps (the headline ones, or all), premium, fund, status. ratemod also writes codes,
reasons, bounds, remarks and the plan, and checks every cell, repeated keys and limits within a unit; the peers only
compute.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import ratemod as rm
from ratemod.plan.model import Plan

PLAN, AT = "jilin-spli", "2026-01-01"
KEYS = ["policy_no", "credit_code"]
NAMES = ("ratemod", "DuckDB SQL", "polars", "pandas", "pyarrow floor")


def columns(plan: Plan, trace: bool) -> list[str]:
    """Return the columns that every contender writes."""
    steps = [step.name for step in plan.steps if trace or step.headline]
    return [*KEYS, *(name for name in steps if trace or name not in (plan.premium, plan.fund)), *END]


END = ["premium_fen", "fund_fen", "status"]


def main(name: str, source: str, target: str, trace: bool = False) -> None:
    """Price `source` into `target`."""
    plan = rm.load_plan(PLAN, at=AT)
    wanted = columns(plan, trace)
    if name == "ratemod":
        rm.rate_file(source, plan, target, lang="en", trace=trace)
    elif name == "DuckDB SQL":
        _duckdb(plan, source, target, wanted)
    elif name == "polars":
        import polars as pl

        from benchmarks.peers import polars_rater

        polars_rater(plan)(pl.scan_parquet(source)).select(wanted).sink_parquet(target, compression="snappy")
    elif name == "pandas":
        import pyarrow.parquet as pq

        from benchmarks.peers import pandas_rater

        frame = pq.read_table(source).to_pandas(date_as_object=False)
        pandas_rater(plan)(frame)[wanted].to_parquet(target, compression="snappy")
    else:
        _floor(plan, source, target, wanted)


def _duckdb(plan: Plan, source: str, target: str, wanted: list[str]) -> None:
    import duckdb

    from benchmarks.peers import duckdb_sql

    setup, query = duckdb_sql(plan, f"read_parquet('{source}')", tuple(f'"{name}"' for name in wanted[:-3]))
    connection = duckdb.connect()
    connection.execute("SET preserve_insertion_order = false")
    for statement in setup:
        connection.execute(statement)
    connection.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet, COMPRESSION snappy)")


def _floor(plan: Plan, source: str, target: str, wanted: list[str]) -> None:
    """Decode the columns that pricing reads, encode as many rows of those it writes, one thread each; price nothing."""
    from concurrent.futures import ThreadPoolExecutor

    import pyarrow.parquet as pq

    from ratemod.rating.output_file import writing
    from ratemod.rating.pricer import needed, pricer_of
    from ratemod.reading.chunks import CHUNK, open_chunks

    whole = open_chunks(source, plan.columns)
    pricer = pricer_of(plan, whole, trace=len(wanted) > 30)
    chunks = needed(plan, whole, pricer.keys)
    ready = pricer.table(pricer.rated(chunks.book(next(iter(chunks.tables())))))

    def decode() -> int:
        return sum(table.num_rows for table in chunks.tables(threads=False))

    def encode() -> None:
        with pq.ParquetWriter(target, ready.schema, **writing(ready, plan)) as writer:
            for at in range(0, chunks.n, CHUNK):
                writer.write_table(ready.slice(0, min(CHUNK, chunks.n - at)))

    with ThreadPoolExecutor(2) as pool:
        work: list[Any] = [pool.submit(decode), pool.submit(encode)]
        for future in work:
            future.result()


def peak_mib() -> int:
    """Return the peak memory of this process alone; what wait4 gives counts the parent's at the fork."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")), 0)


if __name__ == "__main__":
    main(*sys.argv[1:4], trace="--trace" in sys.argv)
    print(peak_mib())
