"""Reading alone, contenders in turn in processes of their own: ``python -m benchmarks.reading``.

- A workbook against the merest reading of it: calamine's cells, without header, unit, merged, hidden or spoilt cell, or
  receipt.
- CSV and Parquet, read and rated in memory, against another source tree (``--against v0.1/src``), such as a git
  worktree of an earlier commit.

Times are of the call alone, without start and imports.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

CALAMINE = """
import python_calamine
def run():
    with open(path, "rb") as file:
        python_calamine.CalamineWorkbook.from_filelike(file).get_sheet_by_index(0).to_python(skip_empty_area=False)
"""
READ = """
import ratemod as rm
import python_calamine, pyarrow.csv, pyarrow.parquet, pyarrow.compute
plan = rm.load_plan("jilin-spli/2025-04")

def run():
    book = rm.read_book(path, plan)
    assert book.table.num_rows == rows
"""
RATE = READ + "    rm.rate(book, plan)\n"
CLOCK = """
import time
wall, busy = time.perf_counter(), time.process_time()
run()
print(time.perf_counter() - wall, time.process_time() - busy)
"""


def timed(code: str, path: Path, rows: int, source: str) -> tuple[float, float]:
    """Return seconds and processor seconds of one run in a process of its own."""
    program = f"path, rows = {str(path)!r}, {rows}\n{code}{CLOCK}"
    told = {**os.environ, "PYTHONPATH": source}
    done = subprocess.run([sys.executable, "-c", program], env=told, capture_output=True, text=True, check=True)
    wall, busy = done.stdout.split()
    return float(wall), float(busy)


def in_turn(contenders: dict[str, tuple[str, str]], path: Path, rows: int, turns: int) -> None:
    """Time contenders in turn and print medians, and the ratio of processor seconds to the first."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for _ in range(turns):
        for name, (code, source) in contenders.items():
            found[name].append(timed(code, path, rows, source))
    print(f"\n{path.name}, {rows:,} rows, medians of {turns} turns\n\n| contender | s | processor s | × first |")
    print("|---|---|---|---|")
    first = statistics.median(busy for _, busy in next(iter(found.values())))
    for name, times in found.items():
        wall, busy = (statistics.median(column) for column in zip(*times))
        print(f"| {name} | {wall:.2f} | {busy:.2f} | {busy / first:.2f} |")


def workbook(path: Path, rows: int) -> None:
    """Write a list as Excel does, texts shared, dates in a format of days."""
    import xlsxwriter

    import ratemod as rm
    from benchmarks.books import table

    data = table(rm.load_plan("jilin-spli/2025-04"), rows)
    book = xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet("名册")
    for place, name in enumerate(data.column_names):
        sheet.write(0, place, name)
        for at, cell in enumerate(data[name].to_pylist(), 1):
            if cell is not None:
                sheet.write(at, place, cell)
    book.close()


def main() -> None:
    """Write the lists once, then time."""
    import pyarrow.csv
    import pyarrow.parquet

    import ratemod as rm
    from benchmarks.books import table

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--excel", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kinds", default="csv,parquet")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--against", help="the source folder of another version")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "ratemod-reading")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    here = str(Path(__file__).parents[1] / "src")
    excel = args.folder / f"list-{args.excel}.xlsx"
    if not excel.exists():
        workbook(excel, args.excel)
    in_turn({"calamine": (CALAMINE, here), "ratemod, with receipt": (READ, here)}, excel, args.excel, args.turns)
    if not args.rows:
        return
    kinds = tuple(args.kinds.split(","))
    lists = [args.folder / f"list-{args.rows}.{kind}" for kind in ("csv", "parquet")]
    if not all(path.exists() for path in lists):
        data = table(rm.load_plan("jilin-spli/2025-04"), args.rows)
        pyarrow.csv.write_csv(data, lists[0])
        pyarrow.parquet.write_table(data, lists[1])
    for path in (path for path in lists if path.suffix[1:] in kinds):
        for what, code in (("read", READ), ("read and rated", RATE)):
            sources = {"before": args.against, "now": here} if args.against else {"now": here}
            contenders = {f"{what}, {name}": (code, source) for name, source in sources.items()}
            in_turn(contenders, path, args.rows, args.turns)


if __name__ == "__main__":
    main()
