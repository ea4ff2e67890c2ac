"""Other packages that rate by tables: ``python -m benchmarks.packages [rows]``.

What they can express is less than a plan of ours: a base times one-way tables. So all are given that, six tables, and
must give the same fen before they are timed: from a pandas frame with texts, and with categoricals, to a premium a row.
ratemod also checks every cell, gives status and reasons, and rounds exactly.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import ratemod as rm
from benchmarks.books import book_columns
from benchmarks.one import AT, PLAN

TABLES = ("sector", "size_class", "hazard_state", "standardisation", "integrity_grade", "blacklisted")
BASE = "0.0014"
HAIR = 1e-7
HEAD = """
[plan]
scheme = "one-way"
edition = "1"
title_en = "Six one-way tables"
title_zh = "六张单因素表"
standing = "example"
status = "draft"
new_from = 2026-01-01
renewal_from = 2026-01-01
premium = "premium"
warning_en = "Illustrative."
warning_zh = "示例。"

[source.own]
title = "Made for a benchmark"
confidence = "illustrative"

[column.limit_yuan]
kind = "number"
unit = "yuan"
min = 1
max = 5000000
"""


def factors(codes: dict[str, tuple[str, ...]]) -> dict[str, dict[str, str]]:
    """Return a made-up relativity for every level of every table."""
    return {
        name: {code: f"{0.8 + 0.05 * (at + place):.2f}" for place, code in enumerate(codes[name])}
        for at, name in enumerate(TABLES)
    }


def one_way(folder: Path, tables: dict[str, dict[str, str]]) -> rm.Plan:
    """Write and load the plan: premium = base × limit × six relativities, rounded half up to the fen."""
    text, folder = HEAD, folder / "one-way" / "1"
    (folder / "tables").mkdir(parents=True)
    for name, cells in tables.items():
        levels = ", ".join(f'{{ code = "{code}" }}' for code in cells)
        text += f'[column.{name}]\nkind = "level"\nlevels = [{levels}]\n'
        lines = [f"{name},value,source", *(f"{code},{value},own" for code, value in cells.items())]
        (folder / "tables" / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    steps = "".join(f'[[step]]\nname = "{name}_factor"\nop = "lookup"\ntable = "{name}"\n' for name in tables)
    of = ", ".join(f'"{name}"' for name in ("limit_yuan", BASE, *(f"{name}_factor" for name in tables)))
    steps += f'[[step]]\nname = "raw"\nop = "product"\nof = [{of}]\nsource = "own"\n'
    steps += '[[step]]\nname = "premium"\nop = "round"\nof = "raw"\nunit = "0.01"\nheadline = true\n'
    (folder / "plan.toml").write_text(text + steps, encoding="utf-8")
    return rm.load_plan(folder)


def contenders(n: int, folder: Path) -> dict[str, Callable[[], Any]]:
    """Return, by name, functions from a pandas frame to premium fen."""
    import pandas as pd
    from ratingmodels import FactorTable, RatingPlan

    jilin = rm.load_plan(PLAN, at=AT)
    codes = {name: jilin.columns[name].codes() for name in TABLES}
    tables = factors(codes)
    plan, columns = one_way(folder, tables), book_columns(jilin, n)
    texts = pd.DataFrame({name: np.array(codes[name], dtype=object)[columns[name]] for name in TABLES})
    texts["limit_yuan"] = columns["limit_yuan"]
    categories = texts.astype(dict.fromkeys(TABLES, "category"))
    theirs = RatingPlan(
        float(BASE),
        {
            name: FactorTable(name, {key: float(value) for key, value in cells.items()})
            for name, cells in tables.items()
        },
    )

    def ratingmodels(frame: Any) -> Any:
        return np.floor(theirs.rate(frame, exposure="limit_yuan")["premium"].to_numpy() * 100 + (0.5 + HAIR))

    def ratemod(frame: Any) -> Any:
        return rm.rate(frame, plan, trace=(), lang="en").outputs.premium_fen

    return {
        "ratemod, texts": lambda: ratemod(texts),
        "ratemod, categoricals": lambda: ratemod(categories),
        "ratingmodels 0.9.2, texts": lambda: ratingmodels(texts),
        "ratingmodels 0.9.2, categoricals": lambda: ratingmodels(categories),
    }


def compare(n: int, repeats: int) -> list[dict[str, Any]]:
    """Return one row per contender: fen that differ from ours, median seconds, ratio to ours from the same frame."""
    with tempfile.TemporaryDirectory() as folder:
        found = contenders(n, Path(folder))
        known = found["ratemod, texts"]()
        differ = {name: int((np.asarray(work()) != known).sum()) for name, work in found.items()}
        times: dict[str, list[float]] = {name: [] for name in found}
        names = list(found)
        for turn in range(repeats):
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                start = time.perf_counter()
                found[name]()
                times[name].append(time.perf_counter() - start)
    base = {name.partition(", ")[2]: median(times[name]) for name in names if name.startswith("ratemod")}
    return [
        {
            "contender": name,
            "rows": n,
            "fen that differ": differ[name],
            "seconds": round(median(times[name]), 3),
            "× ratemod": round(median(times[name]) / base[name.partition(", ")[2]], 2),
        }
        for name in names
    ]


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    from benchmarks.report import markdown

    print(markdown(f"Six one-way tables, {args.rows:,} rows", compare(args.rows, args.repeats)))


if __name__ == "__main__":
    main()
