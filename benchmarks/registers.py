"""As-of joins over registers: a million enterprises, five million events, beside polars, DuckDB and pandas.

Every contender gets the same events in memory, in random order, with credit codes as text; each enterprise has its own
day. Results are compared before anything is timed; then contenders run in turn, and medians count.

    python -m benchmarks.registers [--enterprises 1000000] [--events 5000000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.registers.accident_record import accident_record
from ratemod.registers.hazards import HazardRule, hazard_state
from ratemod.registers.integrity import GRADES, integrity_grade
from ratemod.registers.register import Register, read_register
from ratemod.vocabulary.codes.credit_code import make

Contenders = dict[str, Callable[[], Any]]


def data(enterprises: int, events: int, seed: int = 7) -> tuple[pa.Table, dict[str, pa.Table]]:
    """Return the questions and the registers, seeded."""
    random = np.random.default_rng(seed)
    codes = pa.array(make("91000000", np.arange(enterprises)))
    asked = pa.table(
        {
            "r": np.arange(enterprises),
            "credit_code": codes,
            "on": _dates(18_993 + random.integers(0, 365, enterprises)),  # within 2022
        }
    )
    firm = random.integers(0, enterprises, events)
    keys = codes.take(pa.array(firm))
    # One event of an enterprise a day, so that every contender must find the same one.
    found = 17_000 + random.permutation(events) % 2_300
    late = random.random(events)
    notified, none = found + 3, np.iinfo(np.int32).min
    due = notified + 30
    hazards = {
        "found_date": found,
        "notified_date": notified,
        "due_date": due,
        "rectified_date": np.where(late < 0.7, due - 5, np.where(late < 0.9, due + 60, none)),
        "verified_date": np.where(late < 0.7, due, np.where(late < 0.9, due + 70, none)),
        "refused_date": np.where(late > 0.97, due + 10, none),
    }
    grades = random.integers(0, 5, events)
    registers = {
        "integrity": pa.table(
            {
                "credit_code": keys,
                "effective_date": _dates(found),
                "integrity_grade": pa.array(np.array(["AA", "A", "B", "C", "dishonest"])[grades]).dictionary_encode(),
            }
        ),
        "hazards": pa.table(
            {
                "credit_code": keys,
                "grade": pa.array(np.where(random.random(events) < 0.5, "major", "general")),
            }
            | {name: _dates(days) for name, days in hazards.items()}
        ),
        "claims": pa.table(
            {
                "credit_code": keys,
                "event_date": _dates(found),
                "deaths": np.where(random.random(events) < 0.02, random.geometric(0.3, events), 0),
                "serious_injuries": np.where(random.random(events) < 0.05, random.geometric(0.1, events), 0),
                "paid_fen": random.integers(0, 10**8, events),
            }
        ),
    }
    return asked, registers


def _dates(days: np.ndarray) -> pa.Array:
    whole = days.astype(np.int32)
    return pa.array(whole, pa.int32(), mask=whole == np.iinfo(np.int32).min).cast(pa.date32())


def grades(asked: pa.Table, table: pa.Table, held: Register) -> Contenders:
    """The grade in force: the last event on or before the day. Events of one day are reduced to one beforehand."""
    import duckdb
    import pandas as pd
    import polars as pl

    codes = pc.index_in(table["integrity_grade"].cast(pa.string()), value_set=pa.array(list(GRADES)))
    table = table.set_column(2, "integrity_grade", codes.cast(pa.int16()))  # peers get small integers
    left, right = pl.from_arrow(asked), pl.from_arrow(table)
    pleft = asked.to_pandas().assign(on=lambda frame: pd.to_datetime(frame["on"]))
    pright = table.to_pandas().assign(effective_date=lambda frame: pd.to_datetime(frame["effective_date"]))
    con = duckdb.connect()
    con.register("asked", asked)
    con.register("held", table)

    def polars() -> Any:
        joined = left.sort("on").join_asof(
            right.sort("effective_date"),
            left_on="on",
            right_on="effective_date",
            by="credit_code",
            check_sortedness=False,
        )
        return joined.sort("r")["integrity_grade"].fill_null(-1).to_numpy()

    def duck() -> Any:
        rows = con.execute(
            "select coalesce(h.integrity_grade, -1) g from asked a asof left join"
            ' held h on a.credit_code = h.credit_code and a."on" >= h.effective_date order by a.r'
        ).fetchnumpy()
        return np.asarray(rows["g"])

    def pandas() -> Any:
        joined = pd.merge_asof(
            pleft.sort_values("on"),
            pright.sort_values("effective_date"),
            left_on="on",
            right_on="effective_date",
            by="credit_code",
        )
        return joined.sort_values("r")["integrity_grade"].fillna(-1).to_numpy()

    return {
        "ratemod": lambda: integrity_grade(held, asked["credit_code"], asked["on"].to_numpy()).grade,
        "polars join_asof": polars,
        "DuckDB ASOF JOIN": duck,
        "pandas merge_asof": pandas,
    }


HAZARDS = """
with pairs as (
  select a.r, a."on" - due_date late, verified_date <= a."on" and a."on" - verified_date <= 365 recent,
         coalesce(verified_date > a."on", true) pending,
         coalesce(rectified_date > a."on", true) and due_date < a."on" overdue,
         coalesce(refused_date <= a."on", false) refused
  from asked a join held h
    on a.credit_code = h.credit_code and h.found_date <= a."on" where h.grade = 'major'
), worst as (
  select r, max(case when pending and refused then 4 when pending and overdue then 3 when pending then 2
                     when recent then 1 else 0 end) state,
         max(case when pending and overdue then late else 0 end) longest, sum(pending::int) open_ones
  from pairs group by r
)
select coalesce(state, 0) s, coalesce(longest, 0) d, coalesce(open_ones, 0) p
from asked left join worst using (r) order by r
"""


def hazards(asked: pa.Table, table: pa.Table, held: Register) -> Contenders:
    """State, days overdue and number of pending hazards."""
    import duckdb
    import polars as pl

    left, right = pl.from_arrow(asked), pl.from_arrow(table)
    con = duckdb.connect()
    con.register("asked", asked)
    con.register("held", table)
    place = np.array([0, 2, 3, 4, 1])

    def ours() -> Any:
        found = hazard_state(held, asked["credit_code"], asked["on"].to_numpy(), rule=HazardRule())
        return np.stack([place[found.state], found.overdue_days, found.pending])

    def duck() -> Any:
        rows = con.execute(HAZARDS).fetchnumpy()
        return np.stack([np.asarray(rows[name], dtype=np.int64) for name in "sdp"])

    def polars() -> Any:
        on = pl.col("on")
        pending = (pl.col("verified_date") > on).fill_null(True)
        overdue = pending & (pl.col("rectified_date") > on).fill_null(True) & (pl.col("due_date") < on)
        refused = pending & (pl.col("refused_date") <= on).fill_null(False)
        recent = ((on - pl.col("verified_date")).dt.total_days() <= 365).fill_null(False)
        state = pl.when(refused).then(4).when(overdue).then(3).when(pending).then(2).when(recent).then(1).otherwise(0)
        late = pl.when(overdue).then((on - pl.col("due_date")).dt.total_days()).otherwise(0)
        worst = (
            left.lazy()
            .join(right.lazy().filter(pl.col("grade") == "major"), on="credit_code")
            .filter(pl.col("found_date") <= on)
            .group_by("r")
            .agg(state.max().alias("s"), late.max().alias("d"), pending.sum().alias("p"))
        )
        rows = left.lazy().join(worst, on="r", how="left").sort("r").collect()
        return np.stack([rows[name].fill_null(0).to_numpy() for name in "sdp"]).astype(np.int64)

    return {"ratemod": ours, "DuckDB SQL": duck, "polars": polars}


CLAIMS = """
with found as (
  select a.r, count(*) n, sum(deaths) d, sum(serious_injuries) s, sum(paid_fen)::bigint p,
    count(*) filter (grade = 0) g0, count(*) filter (grade = 1) g1, count(*) filter (grade = 2) g2,
    count(*) filter (grade = 3) g3
  from asked a join (
    select *, case when deaths = 0 and serious_injuries = 0 then -1
      when deaths >= 30 or serious_injuries >= 100 then 3
      when deaths >= 10 or serious_injuries >= 50 then 2
      when deaths >= 3 or serious_injuries >= 10 then 1 else 0 end grade
    from held) h on a.credit_code = h.credit_code
    and h.event_date < a."on" and h.event_date >= a."on" - interval 3 year group by a.r
)
select coalesce(n, 0) n, coalesce(d, 0) d, coalesce(s, 0) s, coalesce(p, 0) p, coalesce(g0, 0) a,
  coalesce(g1, 0) b, coalesce(g2, 0) c, coalesce(g3, 0) e
from asked left join found using (r) order by r
"""


def claims(asked: pa.Table, table: pa.Table, held: Register) -> Contenders:
    """Claims, deaths, injuries, paid amounts, and accidents by grade in the three years before."""
    import duckdb
    import polars as pl

    left, right = pl.from_arrow(asked), pl.from_arrow(table)
    con = duckdb.connect()
    con.register("asked", asked)
    con.register("held", table)

    def ours() -> Any:
        found = accident_record(held, asked["credit_code"], asked["on"].to_numpy(), years=3)
        return np.stack([found.claims, found.deaths, found.serious_injuries, found.incurred_fen, *found.accidents.T])

    def duck() -> Any:
        rows = con.execute(CLAIMS).fetchnumpy()
        return np.stack([np.asarray(rows[name]).astype(np.int64) for name in "ndspabce"])

    def polars() -> Any:
        dead, hurt = pl.col("deaths"), pl.col("serious_injuries")
        grade = pl.when((dead == 0) & (hurt == 0)).then(-1).when((dead >= 30) | (hurt >= 100)).then(3)
        grade = grade.when((dead >= 10) | (hurt >= 50)).then(2).when((dead >= 3) | (hurt >= 10)).then(1).otherwise(0)
        counts = [(pl.col("grade") == level).sum().alias(name) for level, name in enumerate("abce")]
        found = (
            left.lazy()
            .join(right.lazy().with_columns(grade.alias("grade")), on="credit_code")
            .filter((pl.col("event_date") < pl.col("on")) & (pl.col("event_date") >= pl.col("on").dt.offset_by("-3y")))
            .group_by("r")
            .agg(
                pl.len().alias("n"),
                pl.col("deaths").sum().alias("d"),
                pl.col("serious_injuries").sum().alias("s"),
                pl.col("paid_fen").sum().alias("p"),
                *counts,
            )
        )
        rows = left.lazy().join(found, on="r", how="left").sort("r").collect()
        return np.stack([rows[name].fill_null(0).to_numpy() for name in "ndspabce"]).astype(np.int64)

    return {"ratemod": ours, "DuckDB SQL": duck, "polars": polars}


def one_a_day(table: pa.Table) -> pa.Table:
    """Return the register with one row an enterprise and day: a register with two would contradict itself."""
    import polars as pl

    frame = pl.from_arrow(table).unique(["credit_code", "effective_date"], keep="first", maintain_order=True)
    codes = frame["integrity_grade"].cast(pl.String).to_arrow().dictionary_encode()
    return pa.table(
        {
            "credit_code": frame["credit_code"].to_arrow().cast(pa.string()),
            "effective_date": frame["effective_date"].to_arrow(),
            "integrity_grade": codes,
        }
    )


def compare(name: str, contenders: Contenders, rounds: int) -> None:
    """Check that all agree, then time them in turn and print the medians."""
    expected = contenders["ratemod"]()
    for who, run in contenders.items():
        wrong = int((np.asarray(run()) != expected).sum())
        if wrong:
            raise SystemExit(f"{name}: {who} differs in {wrong} places")
    times: dict[str, list[float]] = {who: [] for who in contenders}
    for _ in range(rounds):
        for who, run in contenders.items():
            gc.collect()
            start = time.perf_counter()
            run()
            times[who].append(time.perf_counter() - start)
    base = statistics.median(times["ratemod"])
    print(f"\n{name}\n\n| contender | s | × ratemod |\n|---|---|---|")
    for who, taken in times.items():
        print(f"| {who} | {statistics.median(taken):.2f} | {statistics.median(taken) / base:.2f} |", flush=True)


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--enterprises", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    asked, registers = data(args.enterprises, args.events)
    registers["integrity"] = one_a_day(registers["integrity"])
    for noun, make_all in (("integrity", grades), ("hazards", hazards), ("claims", claims)):
        start = time.perf_counter()
        held = read_register(registers[noun], noun)
        print(f"\n{noun}: {len(held):,} events read and checked in {time.perf_counter() - start:.2f} s", flush=True)
        compare(
            f"{noun}: {len(held):,} events onto {asked.num_rows:,} enterprises",
            make_all(asked, registers[noun], held),
            args.rounds,
        )


if __name__ == "__main__":
    main()
