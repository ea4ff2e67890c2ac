"""File to file, whole process: ratemod beside DuckDB, polars, pandas and pyarrow's own decoding and encoding."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import ratemod as rm
from benchmarks.books import table
from benchmarks.one import AT, NAMES, PLAN

SEEDED = 250_000


def write_book(path: Path, n: int) -> Path:
    """Write a seeded book of n rows, block by block; the same n gives the same bytes."""
    plan = rm.load_plan(PLAN, at=AT)
    with pq.ParquetWriter(path, table(plan, 10).schema) as writer:
        for at in range(0, n, SEEDED):
            writer.write_table(table(plan, min(SEEDED, n - at), seed=at + 1, first=at))
    return path


def book(folder: Path, n: int) -> Path:
    """Return the book of n rows, written where it is not there yet."""
    path = folder / f"book-{n}.parquet"
    return path if path.is_file() else write_book(path, n)


def timed(name: str, book: Path, out: Path, trace: bool) -> tuple[float, float, int]:
    """Return seconds, processor seconds and peak MiB of one contender in a process of its own."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.one", name, str(book), str(out), *(["--trace"] if trace else [])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    peak = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{name} failed")
    return time.perf_counter() - start, used.ru_utime + used.ru_stime, int(peak or 0)


def differing(out: dict[str, Path]) -> dict[str, int]:
    """Return, per contender, the rows whose fen are not ratemod's, once put into the order of their keys."""
    fen = {}
    for name, path in out.items():
        found = pq.ParquetFile(path).read(columns=["policy_no", "premium_fen", "fund_fen"])
        found = found.sort_by("policy_no")
        fen[name] = [
            np.asarray(pc.fill_null(found[column].cast(pa.int64()), -1)) for column in ("premium_fen", "fund_fen")
        ]
    ours = fen["ratemod"]
    return {
        name: int(np.logical_or.reduce([a != b for a, b in zip(theirs, ours)]).sum()) for name, theirs in fen.items()
    }


def file_to_file(
    folder: Path, n: int, repeats: int, trace: bool = False, names: tuple[str, ...] = NAMES
) -> list[dict[str, Any]]:
    """Return one row per contender: checked equal first, then run in turn; medians."""
    source = book(folder, n)
    outs = {name: folder / f"out-{at}.parquet" for at, name in enumerate(names)}
    for name in names:
        timed(name, source, outs[name], trace)
    differ = differing({name: path for name, path in outs.items() if name != "pyarrow floor"})
    runs: dict[str, list[tuple[float, float, int]]] = {name: [] for name in names}
    for turn in range(repeats):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            runs[name].append(timed(name, source, outs[name], trace))
    base = [median(run[at] for run in runs["ratemod"]) for at in (0, 1)]
    rows = []
    for name in names:
        seconds, used, peak = (median(run[at] for run in runs[name]) for at in range(3))
        rows.append(
            {
                "contender": name,
                "rows": n,
                "rows whose fen differ": differ.get(name, "-"),
                "seconds": round(seconds, 2),
                "× ratemod": round(seconds / base[0], 2),
                "processor seconds": round(used, 2),
                "× ratemod, processor": round(used / base[1], 2),
                "peak MiB": int(peak),
            }
        )
    for path in outs.values():
        path.unlink(missing_ok=True)
    return rows


def slopes(folder: Path, sizes: tuple[int, ...], target: Path) -> list[dict[str, Any]]:
    """Return seconds and peak memory of `rate_file` by size, whole processes, and plot them with their slopes."""
    rows = []
    for n in sizes:
        runs = [timed("ratemod", book(folder, n), folder / "out.parquet", False) for _ in range(3)]
        seconds, used, peak = (median(run[at] for run in runs) for at in range(3))
        rows.append({"rows": n, "seconds": round(seconds, 2), "processor seconds": round(used, 2), "peak MiB": peak})
    (folder / "out.parquet").unlink(missing_ok=True)
    for before, row in zip([None, *rows], rows):
        row["slope"] = "-" if before is None else round(_slope(before, row), 2)
    _plot(rows, target)
    return rows


def _slope(a: dict[str, Any], b: dict[str, Any]) -> float:
    used = "processor seconds"
    return float(np.log(b[used] / a[used]) / np.log(b["rows"] / a["rows"]))


def _plot(rows: list[dict[str, Any]], target: Path) -> None:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "ratemod"
    import matplotlib.pyplot as plt

    sizes = [row["rows"] for row in rows]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), constrained_layout=True)
    for name, mark in (("seconds", "o-"), ("processor seconds", "s--")):
        left.loglog(sizes, [row[name] for row in rows], mark, label=name)
    last = rows[-1]["processor seconds"]
    left.loglog(sizes, [last * n / sizes[-1] for n in sizes], ":", color="grey", label="slope 1")
    left.set(xlabel="rows", ylabel="seconds", title="File to file, whole process")
    left.legend()
    right.semilogx(sizes, [row["peak MiB"] for row in rows], "o-")
    right.set(xlabel="rows", ylabel="MiB", title="Peak memory", ylim=(0, None))
    figure.savefig(target, metadata={"Date": None})
