"""``ratemod bench``: how fast this machine prices: the demonstration book in memory, or your own file to file."""

from __future__ import annotations

import argparse
from importlib import resources
from pathlib import Path
from time import perf_counter

from ratemod.commands.common import count, plan_dates
from ratemod.errors import BookError, Lang, problem, text

ROWS, ROUNDS = 1_000_000, 3


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--rows", type=count(lang), default=ROWS, metavar="ROWS", help=text("UI_help_bench_rows", lang, rows=ROWS)
    )
    parser.add_argument("--book", metavar="BOOK", type=Path, help=text("UI_help_bench_book", lang))
    parser.add_argument("--plan", metavar="PLAN", help=text("UI_help_plan", lang))
    plan_dates(parser, lang)


def own_book(args: argparse.Namespace, lang: Lang) -> int:
    """Price a Parquet file of the user's into a temporary folder, three times; print the best, and the peak memory."""
    import resource
    import tempfile

    from ratemod.plan.editions import load_plan
    from ratemod.rating.stream import rate_file

    plan, best, rows = load_plan(args.plan, args.at, args.business), float("inf"), 0
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            start = perf_counter()
            rows = rate_file(args.book, plan, Path(folder) / "out.parquet", lang=lang).counts["rows"]
            best = min(best, perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    name = text("UI_bench_files", lang, rounds=ROUNDS, peak=peak)
    print(text("UI_bench_line", lang, rows=rows, seconds=best, speed=rows / best, name=name))
    return 0


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Price the demonstration book, its priced rows repeated under new keys, and print the best of three runs."""
    if args.book is not None:
        if args.plan is None:
            raise BookError(problem("RM350"))
        return own_book(args, lang)
    from dataclasses import replace

    import numpy as np
    import pyarrow as pa

    from ratemod.commands.demo import AT, PLAN
    from ratemod.plan.editions import load_plan
    from ratemod.rating.rate import rate
    from ratemod.reading.read import read_book
    from ratemod.registers.controllable import is_priced

    plan = load_plan(PLAN, AT)
    with resources.as_file(resources.files("ratemod") / "demo" / "renewals.xlsx") as path:
        book = read_book(path, plan.columns)
    good = book.table.filter(pa.array(is_priced(rate(book, plan, lang=lang))))
    table = good.take(pa.array(np.arange(args.rows) % good.num_rows))
    if plan.key:
        keys = pa.array(np.char.add("B", np.arange(args.rows).astype(str)))
        table = table.set_column(table.column_names.index(plan.key), plan.key, keys)
    many = replace(book, table=table, rows=None)
    best = float("inf")
    for _ in range(ROUNDS):
        start = perf_counter()
        rate(many, plan, lang=lang, trace=False)
        best = min(best, perf_counter() - start)
    name = text("UI_bench_warm", lang, rounds=ROUNDS)
    print(text("UI_bench_line", lang, rows=args.rows, seconds=best, speed=args.rows / best, name=name))
    return 0
