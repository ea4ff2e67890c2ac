"""One contender, one file to another, in a process of its own: ``python -m benchmarks.one NAME IN OUT``."""

from __future__ import annotations

import sys

import ratemod as rm
from benchmarks.peers import duckdb_sql, pandas_rater, polars_rater
from benchmarks.rating import AT, PLAN

KEEP = ["policy_no", "premium_fen", "fund_fen", "status"]


def main(name: str, source: str, target: str) -> None:
    """Price `source` into `target`: the key, the premium, the fund and the status."""
    plan = rm.load_plan(PLAN, at=AT)
    if name == "ratemod":
        import pyarrow.parquet as pq

        pq.write_table(rm.rate(source, plan, lang="en", trace=()).table.select(KEEP), target)
    elif name == "DuckDB SQL":
        import duckdb

        setup, query = duckdb_sql(plan, f"read_parquet('{source}')", ("policy_no",))
        connection = duckdb.connect()
        for statement in setup:
            connection.execute(statement)
        connection.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet)")
    elif name == "polars":
        import polars as pl

        polars_rater(plan)(pl.scan_parquet(source)).select(KEEP).sink_parquet(target)
    else:
        import pyarrow.parquet as pq

        frame = pq.read_table(source).to_pandas(date_as_object=False)
        pandas_rater(plan)(frame)[KEEP].to_parquet(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
