"""``python -m benchmarks``: run everything, print Markdown, write bench-out/results.md."""

from __future__ import annotations

import argparse
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.rating import compare_in_memory, exactness, file_to_file


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
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--exact-rows", type=int, default=1_000_000, help="10,000,000 takes about half an hour")
    args = parser.parse_args()
    versions = ", ".join(
        f"{name} {metadata.version(name)}" for name in ("numpy", "pyarrow", "pandas", "polars", "duckdb")
    )
    parts = [
        f"Python {platform.python_version()}, {versions}; {platform.machine()}\n",
        markdown("In memory, Arrow table to fen", compare_in_memory(args.rows, args.repeats)),
        markdown("File to file, whole process", file_to_file(args.rows)),
        markdown("Exactness", [exactness(args.exact_rows)]),
    ]
    text = "\n".join(parts)
    print(text)
    folder = Path("bench-out")
    folder.mkdir(exist_ok=True)
    (folder / "results.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
