"""What a measurement was made on, and its history."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from importlib import metadata
from pathlib import Path
from typing import Any

HISTORY = Path(__file__).with_name("history.jsonl")
PACKAGES = ("numpy", "pyarrow", "pandas", "polars", "duckdb")


def machine() -> dict[str, Any]:
    """Return processor, cores, memory, Python and package versions, and how busy the machine was."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gib": round(pages / 2**30, 1),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in PACKAGES},
    }


def commit() -> str:
    """Return the commit measured, or an empty text outside a repository."""
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def remember(results: dict[str, Any], path: Path = HISTORY) -> None:
    """Append one run to the history, one line of JSON."""
    line = {"when": time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime()), "commit": commit(), **machine(), **results}
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
