"""``python -m benchmarks``: every target of the project, measured; Markdown, plots, and a line in the history.

``--quick`` takes a few minutes: small books, few repeats, the same checks. ``--only`` picks sections by name.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.machine import machine, remember
from benchmarks.report import markdown, tables

Rows = list[dict[str, Any]]
JOBS: dict[str, tuple[list[str], list[str]]] = {  # module: arguments of each run, those of the quick mode
    "packages": ([""], ["100000 --repeats 3"]),
    "glm": (["--rows 1000000", "--rows 5000000 --repeats 2"], ["--rows 100000 --repeats 1"]),
    "mods": ([""], ["--claims 500000 --firms 100000 --repeats 3"]),
    "credibility": ([""], ["100000 --repeats 3"]),
    "registers": ([""], ["--enterprises 50000 --events 250000 --rounds 2"]),
    "fund": ([""], ["300"]),
    "what_if": ([""], ["20000 --few 1 --turns 3"]),
}


def job(name: str, given: str) -> tuple[str, list[Rows]]:
    """Run the benchmark of another job in a process of its own; return what it printed, and the tables in it."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *given.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stdout.strip()
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["?"]
        said += f"\n\n**stopped with exit code {done.returncode}**: {last[0]}"
    return said, list(tables(done.stdout))


def sections(args: argparse.Namespace, folder: Path, out: Path) -> dict[str, Callable[[], dict[str, Rows]]]:
    """Return, by name, what is measured: each gives titles and tables."""
    from benchmarks import files, kernel, rating, stages, start

    def file_to_file(n: int, repeats: int, trace: bool) -> dict[str, Rows]:
        title = f"File to file, {n:,} rows, " + ("every step" if trace else "default output")
        return {title: files.file_to_file(folder, n, repeats, trace)}

    def slopes() -> dict[str, Rows]:
        sizes = tuple(int(size) for size in args.slopes.split(",") if size)
        return {"Cost against size": files.slopes(folder, sizes, out / "slopes.svg")}

    found: dict[str, Callable[[], dict[str, Rows]]] = {
        "files": lambda: file_to_file(args.rows, args.repeats, False),
        "traced": lambda: file_to_file(args.rows, args.repeats, True),
    }
    if args.large:
        found["large"] = lambda: file_to_file(args.large, args.large_repeats, False)
        found["large-traced"] = lambda: file_to_file(args.large, args.large_repeats, True)
    found |= {
        "stages": lambda: {"Where the time goes": stages.in_its_own_process(files.book(folder, args.rows))},
        "compute": lambda: {"Compute only, from coded columns": kernel.compute_only(args.rows, args.repeats)},
        "memory": lambda: {"In memory, Arrow table to fen": rating.compare_in_memory(args.rows, args.repeats)},
        "start": lambda: {"Start of the command line": start.compare(args.repeats * 3)},
        "exact": lambda: {"Exactness": [rating.exactness(args.exact_rows)]},
    }
    if args.slopes:
        found["slopes"] = slopes
    return found


def arguments() -> argparse.Namespace:
    """Return what was asked for, sizes filled in."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small books, a few minutes")
    parser.add_argument("--only", help="names of sections, with commas; --list names them")
    parser.add_argument("--list", action="store_true", help="name the sections and stop")
    parser.add_argument("--rows", type=int, help="rows of most books; default 1,000,000")
    parser.add_argument("--large", type=int, help="rows of the large file; default 10,000,000; 0 leaves it out")
    parser.add_argument("--repeats", type=int, help="default 5")
    parser.add_argument("--exact-rows", type=int, help="default 1,000,000; 10,000,000 takes about half an hour")
    parser.add_argument("--slopes", help="sizes for the plot, with commas; default 10^4 to 3*10^7")
    parser.add_argument("--folder", type=Path, help="where the books are kept between runs")
    args = parser.parse_args()
    full = {"rows": 10**6, "large": 10**7, "repeats": 5, "exact_rows": 10**6}
    quick = {"rows": 10**5, "large": 0, "repeats": 3, "exact_rows": 50_000}
    for name, value in (quick if args.quick else full).items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    if args.slopes is None:
        args.slopes = "10000,100000,300000" if args.quick else "10000,100000,1000000,10000000,30000000"
    args.large_repeats = min(args.repeats, 3)
    return args


def main() -> None:
    """Run the benchmarks that were asked for."""
    from benchmarks.targets import held_to

    args, out = arguments(), Path("bench-out")
    chosen = set(args.only.split(",")) if args.only else None
    out.mkdir(exist_ok=True)
    found: dict[str, Rows] = {}
    texts: list[str] = []
    with tempfile.TemporaryDirectory() as temporary:
        measured = sections(args, args.folder or Path(temporary), out)
        if args.list:
            print(" ".join([*measured, *JOBS]))
            return
        for name, work in measured.items():
            if chosen is None or name in chosen:
                new = work()
                found |= new
                texts += [markdown(title, rows) for title, rows in new.items()]
                print("\n".join(texts[-len(new) :]), flush=True)
    for name in JOBS:
        if chosen is None or name in chosen:
            for given in JOBS[name][args.quick]:
                said, parsed = job(name, given)
                texts.append(f"## benchmarks.{name} {given}\n\n{said}\n")
                print(texts[-1], flush=True)
                found |= {" ".join((name, given, str(at))): rows for at, rows in enumerate(parsed, 1)}
    targets = held_to(found)
    if targets:
        note = " (set for a million rows and more: small books say little)" if args.quick else ""
        texts.append(markdown(f"Targets{note}", targets))
        print(texts[-1])
    facts = machine()
    (out / "results.md").write_text(f"{facts}\n\n" + "\n".join(texts), encoding="utf-8")
    remember({"quick": args.quick, "results": found, "targets": targets})
    print(f"bench-out/results.md; {facts}")


if __name__ == "__main__":
    main()
