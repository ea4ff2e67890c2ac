"""How long the command line takes to answer, beside bare imports: whole processes, in turn, medians."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from statistics import median
from typing import Any

COMMANDS = {
    "python -c 'import numpy'": ["-c", "import numpy"],
    "ratemod --help": ["-c", "import sys; from ratemod.cli import main; sys.exit(main(['--help']))"],
    "python -c 'import ratemod'": ["-c", "import ratemod"],
    "python -c 'import pandas'": ["-c", "import pandas"],
}


def run(command: list[str]) -> tuple[float, float]:
    """Return seconds and processor seconds of one process."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return time.perf_counter() - start, used.ru_utime + used.ru_stime


def compare(repeats: int) -> list[dict[str, Any]]:
    """Return one row per command, beside importing numpy."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for _ in range(repeats):
        for name, command in COMMANDS.items():
            times[name].append(run(command))
    found = {name: [median(pair[at] for pair in pairs) for at in (0, 1)] for name, pairs in times.items()}
    base = found[next(iter(COMMANDS))]
    return [
        {
            "command": name,
            "ms": round(seconds * 1000),
            "processor ms": round(used * 1000),
            "× numpy": round(used / base[1], 2),
        }
        for name, (seconds, used) in found.items()
    ]
