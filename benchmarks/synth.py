"""Time and memory of the synthetic province: ``python -m benchmarks.synth [enterprises ...]``.

Every size runs in a process of its own, so that its peak memory is its own. The time includes start-up.
"""

from __future__ import annotations

import argparse
import itertools
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

YEARS, SEED = 5, 2026
RUN = (
    "import resource, sys; from ratemod.synth.province import synthesize; "
    "synthesize(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), out=sys.argv[4]); "
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
)


def measure(enterprises: int, folder: Path) -> tuple[float, float, float]:
    """Return seconds, peak memory in MiB and bytes written in MiB of one run to Parquet."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(enterprises), str(YEARS), str(SEED), str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - start
    written = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
    return seconds, int(done.stdout) / 1024, written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("enterprises", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    sizes = parser.parse_args().enterprises
    print(f"| enterprises x {YEARS} years | seconds | peak MiB | written MiB |\n|---|---|---|---|")
    seen: list[tuple[int, float]] = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            seconds, peak, written = measure(size, Path(folder))
        seen.append((size, seconds))
        print(f"| {size:,} | {seconds:.1f} | {peak:,.0f} | {written:,.0f} |", flush=True)
    for (few, short), (many, long) in itertools.pairwise(seen):
        print(f"slope {few:,} to {many:,}: {math.log(long / short) / math.log(many / few):.2f}")


if __name__ == "__main__":
    main()
