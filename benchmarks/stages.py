"""Where processor time goes, file to file: ``python -m benchmarks.stages BOOK``, one thread, ns a row by stage.

The stages are the program's own functions with a clock around them; the time of a stage does not hold that of the
stages within it. Digests run beside on threads of their own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ratemod as rm
from benchmarks.one import AT, PLAN

STAGES = (
    ("ratemod.reading.chunks", "Chunks", "tables", "decode"),
    ("ratemod.rating.across", "Edges", "of", "keys in order"),
    ("ratemod.rating.encode", "Coding", "code", "coding and cell checks"),
    ("ratemod.rating.rate", "", "run", "steps"),
    ("ratemod.rating.rate", "", "judge", "verdicts"),
    ("ratemod.rating.rate", "", "gather", "verdicts"),
    ("ratemod.rating.pricer", "Pricer", "table", "output columns"),
    ("ratemod.rating.stream", "", "tally", "tally"),
    ("ratemod.rating.output_file", "OutputFile", "add", "encode"),
    ("ratemod.rating.output_file", "Follower", "_follow", "digest of the output"),
    ("ratemod.rating.manifest", "", "digest", "digest of the input"),
)


class Clock:
    """Processor time by stage, a stage within another apart."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self.inner: list[float] = []

    @contextmanager
    def stage(self, name: str, alone: bool) -> Iterator[None]:
        """Count the time of the block."""
        start = time.thread_time()
        if not alone:
            self.inner.append(0.0)
        try:
            yield
        finally:
            used = time.thread_time() - start
            if alone:
                self.spent[name] = self.spent.get(name, 0.0) + used
            else:
                self.spent[name] = self.spent.get(name, 0.0) + used - self.inner.pop()
                if self.inner:
                    self.inner[-1] += used

    def around(self, function: Any, name: str) -> Callable[..., Any]:
        """Return a function with the clock around it; of a generator, around each of its steps."""
        alone, plain = name.startswith("digest"), getattr(function, "__func__", function)

        def timed(*args: Any, **given: Any) -> Any:
            with self.stage(name, alone):
                found = plain(*args, **given)
            return self._steps(found, name) if name == "decode" else found

        return timed

    def _steps(self, found: Iterator[Any], name: str) -> Iterator[Any]:
        while True:
            with self.stage(name, False):
                item = next(found, None)
            if item is None:
                return
            yield item


def stages(book: Path) -> list[dict[str, Any]]:
    """Return, per stage, processor nanoseconds a row of pricing a book with one thread, and its share."""
    import importlib

    import pyarrow as pa

    pa.set_cpu_count(1)
    clock, plan = Clock(), rm.load_plan(PLAN, at=AT)
    importlib.import_module("ratemod.rating.stream")
    for module, owner, name, stage in STAGES:
        home = importlib.import_module(module)
        holder = getattr(home, owner) if owner else home
        made = clock.around(getattr(holder, name), stage)
        setattr(holder, name, staticmethod(made) if stage == "keys in order" else made)
    with tempfile.TemporaryDirectory(dir=book.parent) as folder:
        start = time.process_time()
        done = rm.rate_file(book, plan, Path(folder) / "out.parquet", lang="en", threads=1)
        whole, n = time.process_time() - start, done.counts["rows"]
    clock.spent["everything else"] = whole - sum(clock.spent.values())
    rows = [
        {"stage": name, "rows": n, "ns a row": round(used / n * 1e9, 1), "share": f"{used / whole:.0%}"}
        for name, used in clock.spent.items()
    ]
    rows.append({"stage": "all", "rows": n, "ns a row": round(whole / n * 1e9, 1), "share": "100%"})
    return rows


def in_its_own_process(book: Path) -> list[dict[str, Any]]:
    """Return the stages as measured by a fresh process, whose functions no clock slows afterwards."""
    import json

    command = [sys.executable, "-m", "benchmarks.stages", str(book), "--json"]
    return list(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


if __name__ == "__main__":
    found = stages(Path(sys.argv[1]))
    if "--json" in sys.argv:
        import json

        print(json.dumps(found))
    else:
        for row in found:
            print(f"{row['stage']:26} {row['ns a row']:8.1f} {row['share']:>5}")
