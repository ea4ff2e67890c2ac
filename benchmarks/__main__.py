"""``python -m benchmarks``: run everything, print Markdown, write bench-out/results.md, add a line to the history."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.files import file_to_file, slopes
from benchmarks.kernel import compute_only
from benchmarks.machine import machine, remember
from benchmarks.rating import compare_in_memory, exactness


def markdown(title: str, rows: list[dict[str, Any]]) -> str:
    """Return rows as a Markdown table."""
    names = list(rows[0])
    lines = [f"### {title}", "", "| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += [
        "| " + " | ".join(f"{row[name]:,}" if isinstance(row[name], int) else str(row[name]) for name in names) + " |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--large", type=int, default=10_000_000, help="rows of the large file; 0 leaves it out")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--exact-rows", type=int, default=1_000_000, help="10,000,000 takes about half an hour")
    parser.add_argument("--slopes", default="10000,100000,1000000,10000000", help="sizes for the plot; empty: none")
    parser.add_argument("--folder", type=Path, help="where the books are kept between runs")
    args = parser.parse_args()
    out = Path("bench-out")
    out.mkdir(exist_ok=True)
    found: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        for n in filter(None, (args.rows, args.large)):
            found[f"File to file, {n:,} rows, default output"] = file_to_file(folder, n, args.repeats)
            found[f"File to file, {n:,} rows, every step"] = file_to_file(folder, n, args.repeats, trace=True)
        found["Compute only, from coded columns"] = compute_only(args.rows, args.repeats)
        found["In memory, Arrow table to fen"] = compare_in_memory(args.rows, args.repeats)
        if args.slopes:
            sizes = tuple(int(size) for size in args.slopes.split(","))
            found["Cost against size"] = slopes(folder, sizes, out / "slopes.svg")
    if args.exact_rows:
        found["Exactness"] = [exactness(args.exact_rows)]
    facts = machine()
    text = f"{facts}\n\n" + "\n".join(markdown(title, rows) for title, rows in found.items())
    print(text)
    (out / "results.md").write_text(text, encoding="utf-8")
    remember({"results": found})


if __name__ == "__main__":
    main()
