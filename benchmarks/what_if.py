"""What-ifs: ``python -m benchmarks.what_if [rows]``.

A sweep of 200 scenarios beside naive re-rating of every one: plain NumPy over whole columns, ratemod's own kernel run
again, polars and DuckDB. The premium of every sector in every scenario that a contender prices must be the same, to the
fen. Naive contenders price fewer scenarios and are scaled: each costs them the same.
Then the live panel: what one move of one slider takes. Processor seconds, so that a busy machine does not matter; wall
seconds beside them.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

import ratemod as rm
from benchmarks.books import coded, table
from benchmarks.machine import machine
from benchmarks.peers import duckdb_sql, polars_rater
from benchmarks.whole_arrays import numpy_rater
from ratemod.plan.model import Plan
from ratemod.rating.fast import compile_plan
from ratemod.rating.run import run
from ratemod.whatif.engine import Engine, engine
from ratemod.whatif.scenario import apply
from ratemod.whatif.sweep import grid_of, what_if
from ratemod.whatif.tally import sums

PLAN, AT = "jilin-spli", "2026-01-01"
REFUSED = "tables.hazard_loading[refused, 91..].value"
OVERDUE = "tables.hazard_loading[overdue, 91..].value"
LEVEL_1 = "tables.standard_credit[level_1].value"
BASE, CAP = "tables.base_rate", "steps.renewal_cap.high"
GRID = {
    BASE: ["*0.95", "*1.00", "*1.05", "*1.10"],
    REFUSED: ["1.80", "2.00", "2.20", "2.40", "2.60"],
    LEVEL_1: ["0.80", "0.78", "0.75", "0.72", "0.70"],
    CAP: ["1.25", "1.30"],
}
ALL_ROWS = {BASE: [f"*1.{at:02d}" for at in range(1, 21)]}
FEW_ROWS = {REFUSED: [f"{1.5 + at / 100:.2f}" for at in range(50)], OVERDUE: ["1.40", "1.45", "1.50", "1.55"]}


def clock() -> tuple[float, float]:
    return time.process_time(), time.perf_counter()


def took(work: Callable[[], Any]) -> tuple[Any, float, float]:
    start = clock()
    found = work()
    end = clock()
    return found, end[0] - start[0], end[1] - start[1]


def naive(plan: Plan, book: pa.Table, n: int) -> dict[str, Callable[[Plan], np.ndarray[Any, Any]]]:
    """Return, by name, functions from a scenario's plan to the premium of every sector, in the plan's order."""
    import duckdb
    import polars as pl

    inputs = coded(plan, n)
    sector, names = inputs.codes["sector"].astype(np.int64), plan.columns["sector"].codes()
    frame = pl.from_arrow(book)
    connection = duckdb.connect()
    connection.register("given", book)
    connection.execute("CREATE TABLE book AS SELECT * FROM given")
    lost = ("refused", "declined")

    def whole_numpy(scenario: Plan) -> np.ndarray[Any, Any]:
        return sums(numpy_rater(scenario)(inputs), sector, len(names))

    def kernel(scenario: Plan) -> np.ndarray[Any, Any]:
        out = run(compile_plan(scenario), inputs, ())
        gone = np.logical_or.reduce(
            [~out.priced, *out.outside]
            + [c for rule, c in zip(scenario.rules, out.caught) if rule.action in ("refuse", "decline")]
        )
        return sums(np.where(gone, 0, out.premium_fen), sector, len(names))

    def polars(scenario: Plan) -> np.ndarray[Any, Any]:
        found = polars_rater(scenario)(frame).select("sector", "premium_fen", "status")
        found = found.filter(~pl.col("status").is_in(lost)).group_by("sector").agg(pl.col("premium_fen").sum())
        sums_by = dict(found.with_columns(pl.col("sector").cast(pl.String)).collect().iter_rows())
        return np.array([sums_by.get(name, 0) for name in names])

    def duck(scenario: Plan) -> np.ndarray[Any, Any]:
        setup, query = duckdb_sql(scenario, "book", ("sector",))
        for statement in setup:
            connection.execute(statement)
        rows = connection.execute(
            f"SELECT sector, sum(premium_fen)::BIGINT FROM ({query}) WHERE status NOT IN {lost} GROUP BY sector"
        ).fetchall()
        sums_by = dict(rows)
        return np.array([sums_by.get(name, 0) for name in names])

    return {"NumPy, whole columns": whole_numpy, "ratemod's kernel again": kernel, "polars": polars, "DuckDB": duck}


def sweep_table(plan: Plan, book: pa.Table, n: int, few: int) -> list[dict[str, Any]]:
    """Return one row a contender: scenarios priced, seconds for all of them, ratio to ours."""
    rows = []
    others = naive(plan, book, n)
    for title, grid in (("mixed grid", GRID), ("few rows touched", FEW_ROWS), ("every row touched", ALL_ROWS)):
        scenarios = grid_of(grid)
        base, making, making_wall = took(lambda: engine(book, plan))
        found, cpu, wall = took(lambda s=scenarios, b=base: what_if(book, plan, s, by=["sector"], base=b))
        first = {"sweep": title, "contender": "ratemod what_if", "scenarios": len(scenarios), "priced": len(scenarios)}
        rows.append(first | _figures(cpu, wall, cpu, wall))
        rows.append(
            {"sweep": title, "contender": "… with the making of the engine", "scenarios": len(scenarios),
             "priced": len(scenarios)} | _figures(cpu + making, wall + making_wall, cpu, wall)
        )  # fmt: skip
        spread = np.linspace(0, len(scenarios) - 1, few).astype(int)
        for name, work in others.items():
            seconds = []
            for at in spread:
                changed = apply(plan, scenarios[at])
                segments, one, one_wall = took(lambda w=work, c=changed: w(c))
                wanted = found.segment_fen[at][: len(segments)]
                assert (segments == wanted).all(), (name, scenarios[at].name, segments - wanted)
                seconds.append((one, one_wall))
            scaled = [statistics.median(part) * len(scenarios) for part in zip(*seconds)]
            shared = {"sweep": title, "contender": name, "scenarios": len(scenarios), "priced": few}
            rows.append(shared | _figures(scaled[0], scaled[1], cpu, wall))
    return rows


def _figures(cpu: float, wall: float, our_cpu: float, our_wall: float) -> dict[str, Any]:
    return {
        "processor s": round(cpu, 2),
        "× ratemod": round(cpu / our_cpu, 1),
        "wall s": round(wall, 2),
        "× (wall)": round(wall / our_wall, 1),
    }


def panel_table(plan: Plan, base: Engine, turns: int) -> list[dict[str, Any]]:
    """Return one row a slider: what a move takes, and the ratio of a full re-rate to it."""
    _, full, full_wall = took(lambda: rm.rate(base.rated.book, plan, lang="en", trace=()))
    sliders = {
        "loading of refusers (few rows)": (REFUSED, rm.ladder("1.50", "2.60", "0.05")),
        "credit of level 1": (LEVEL_1, rm.ladder("0.70", "0.90", "0.01")),
        "renewal cap (every row)": (CAP, rm.ladder("1.05", "1.45", "0.05")),
        "base rates (every row)": (BASE, rm.ladder("0.90", "1.10", "0.01", times=True)),
    }
    panel = rm.live(None, plan, dict(sliders.values()), base=base)
    rows = []
    for name, (path, values) in sliders.items():
        times: list[tuple[float, float]] = []
        panel.move({path: values[1]})
        for turn in range(turns):
            at = values[(2 + turn) % len(values)]
            view, cpu, wall = took(lambda p=path, v=at: panel.move({p: v}))
            _, shown, shown_wall = took(panel._repr_html_)
            times.append((cpu + shown, wall + shown_wall))
        check = rm.rate(base.rated.book, apply(plan, panel.at), lang="en", trace=())
        assert check.premium_fen == view.total_fen
        cpu, wall = (statistics.median(part) for part in zip(*times))
        rows.append(
            {"slider": name, "rows priced": view.rows, "ms of processor": round(1e3 * cpu), "ms": round(1e3 * wall),
             "full re-rate, × (processor)": round(full / cpu, 1), "× (wall)": round(full_wall / wall, 1)}
        )  # fmt: skip
    return rows


def show(rows: Sequence[dict[str, Any]]) -> str:
    from benchmarks.__main__ import markdown

    return markdown("", list(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--few", type=int, default=3, help="scenarios that naive contenders price")
    parser.add_argument("--turns", type=int, default=9)
    args = parser.parse_args()
    plan = rm.load_plan(PLAN, at=AT)
    book = table(plan, args.rows)
    print(machine())
    print(show(panel_table(plan, engine(book, plan), args.turns)))
    print(show(sweep_table(plan, book, args.rows, args.few)))


if __name__ == "__main__":
    main()
